"""`sluice helm template --dry-run=server` and the real tool's, against one cluster: what it can do, what
templates look up in it, what could not be installed there. Nothing is written."""
import os
import pathlib
import subprocess

import pytest
import yaml

from tests.lib.charts import chart_files, write
from tests.lib.net import wait_until
from tests.lib.oracle import oracle

SLUICE = pathlib.Path(os.environ.get("SLUICE_BUILD", "build-test"), "cli", "sluice")
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n"
CAPABILITIES = """apiVersion: v1
kind: ConfigMap
metadata: {name: told}
data:
  version: {{ .Capabilities.KubeVersion.Version }}
  minor: {{ .Capabilities.KubeVersion.Minor | quote }}
  apps: {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" | quote }}
  flux: {{ .Capabilities.APIVersions.Has "helm.toolkit.fluxcd.io/v2/HelmRelease" | quote }}
  none: {{ .Capabilities.APIVersions.Has "example.com/v1" | quote }}
  given: {{ .Capabilities.APIVersions.Has "given/v1" | quote }}
"""
LOOKUP = """apiVersion: v1
kind: ConfigMap
metadata: {name: told}
data:
  there: {{ (lookup "v1" "ConfigMap" .Release.Namespace "there").data.k | quote }}
  none: {{ lookup "v1" "ConfigMap" .Release.Namespace "none" | toJson | quote }}
  names: {{ range (lookup "v1" "ConfigMap" .Release.Namespace "").items }}{{ .metadata.name }} {{ end }}
"""
KUBE_VERSION = {"kubeVersion": '">=1.20-0"'}

# name: (templates, metadata of the chart, words, whether it renders)
CASES = {
    "capabilities": ({"templates/a.yaml": CAPABILITIES}, {}, ["--api-versions", "given/v1"], True),
    "kube_version_of_the_cluster": ({"templates/a.yaml": CAPABILITIES}, {}, ["--kube-version", "1.2.3"], True),
    "kube_version_range": ({"templates/a.yaml": MAP}, KUBE_VERSION, [], True),
    "lookup": ({"templates/a.yaml": LOOKUP}, {}, [], True),
    "lookup_unknown": ({"templates/a.yaml": 'a: {{ lookup "x/v1" "Y" "" "z" }}'}, {}, [], False),
    "client": ({"templates/a.yaml": CAPABILITIES}, {}, ["--dry-run=client"], True),
    "unknown_kind": ({"templates/a.yaml": "apiVersion: x.example.com/v1\nkind: Y\nmetadata: {name: z}\n"}, {}, [], False),
    "unknown_kind_of_a_hook": ({"templates/a.yaml": "apiVersion: x.example.com/v1\nkind: Y\nmetadata: {name: z, "
                                'annotations: {"helm.sh/hook": test}}\n'}, {}, [], True),
    "foreign": ({"templates/a.yaml": MAP.replace("NAME", "there")}, {}, [], False),
    "foreign_taken": ({"templates/a.yaml": MAP.replace("NAME", "there")}, {}, ["--take-ownership"], True),
    "foreign_upgraded": ({"templates/a.yaml": MAP.replace("NAME", "there")}, {}, ["--is-upgrade"], True),
    "own": ({"templates/a.yaml": MAP.replace("NAME", "own")}, {}, [], True),
    "cluster_scoped": ({"templates/a.yaml": MAP.replace("ConfigMap", "Namespace").replace("NAME", "fresh")}, {}, [], True),
    "foreign_namespace": ({"templates/a.yaml": MAP.replace("ConfigMap", "Namespace").replace("NAME", "default")}, {}, [], False),
    "no_yaml": ({"templates/a.yaml": "a: [b\n"}, {}, [], False),
    "validate": ({"templates/a.yaml": CAPABILITIES}, {}, ["--validate"], True),
    "nobody_there": ({"templates/a.yaml": MAP}, {}, ["--kube-apiserver", "http://127.0.0.1:1"], False),
    "other_context": ({"templates/a.yaml": MAP}, {}, ["--kube-context", "nope"], False),
}


@pytest.fixture(scope="module")
def cluster(api):
    """A namespace with an object of nobody's and one of the release's."""
    ns = "dry-run"
    api.create_namespace(ns)
    api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "there", "namespace": ns},
               "data": {"k": "of the cluster"}})
    api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "own", "namespace": ns, "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "rel", "meta.helm.sh/release-namespace": ns}}})
    return ns


@pytest.mark.parametrize("name", CASES)
def test_dry_run_on_a_server(api, cluster, tmp_path, name):
    templates, metadata, words, renders = CASES[name]
    files = {**chart_files(**metadata), **templates}
    files.pop("templates/map.yaml")
    write(tmp_path / "chart", files)
    how = [] if {"--validate", "--dry-run=client"} & set(words) else ["--dry-run=server"]
    results = []
    for program in ([oracle("helm") / "helm"], [SLUICE, "helm"]):
        done = subprocess.run(
            [*program, "template", "rel", "chart", "-n", cluster, f"--kubeconfig={api.kubeconfig}", *how, *words],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": str(tmp_path)})
        results.append((done.returncode, done.stdout, [line.split(":")[:2] for line in done.stderr.splitlines()
                                                       if line.startswith("Error: ")]))
    real, ours = results
    assert (real[0] == 0) == renders, real
    assert ours == real
    assert not api.rest.get(f"/api/v1/namespaces/{cluster}/configmaps/told")


READERS = """
- apiVersion: rbac.authorization.k8s.io/v1
  kind: Role
  metadata: {name: readers}
  rules: [{apiGroups: [""], resources: [configmaps], verbs: [get, list]}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: readers}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: readers}
  subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "readers,all"}]
"""
AS = ["--kube-as-user", "jane"]


def let_readers_read(api, cluster):
    """The server learns of it a moment after it was written."""
    for obj in yaml.safe_load(READERS):
        obj["metadata"]["namespace"] = cluster
        api.apply(obj)
    wait_until(lambda: api.kubectl("auth", "can-i", "list", "configmaps", "-n", cluster, "--as=jane",
                                   "--as-group=readers,all", check=False).stdout == "yes\n", "the role to count")


@pytest.mark.parametrize("words,env,renders", [
    (AS, {}, False), ([*AS, "--kube-as-group", "strangers"], {}, False),
    ([*AS, "--kube-as-group", "strangers", "--kube-as-group", "readers,all"], {}, True),
    (AS, {"HELM_KUBEASGROUPS": ",strangers,readers"}, False),
    ([*AS, "--kube-as-group", "readers,all"], {"HELM_KUBEASGROUPS": "strangers"}, True),
    ([*AS, "--kube-as-group", "two\nlines"], {}, False),
    (["--kube-as-group", "readers,all"], {}, False), ([], {"HELM_KUBEASGROUPS": "readers"}, False)])
def test_groups_are_impersonated(api, cluster, tmp_path, words, env, renders):
    let_readers_read(api, cluster)
    write(tmp_path / "chart", {**chart_files(), "templates/map.yaml": LOOKUP})
    for program in ([oracle("helm") / "helm"], [SLUICE, "helm"]):
        done = subprocess.run(
            [*program, "template", "rel", "chart", "-n", cluster, f"--kubeconfig={api.kubeconfig}",
             "--dry-run=server", *words], cwd=tmp_path, capture_output=True, text=True, timeout=120,
            env={**os.environ, "HOME": str(tmp_path), **env})
        assert (done.returncode == 0) == renders, (program, done)
        assert ("of the cluster" in done.stdout) == renders, (program, done)


def test_groups_of_the_kubeconfig_are_impersonated(api, cluster, tmp_path):
    let_readers_read(api, cluster)
    write(tmp_path / "chart", {**chart_files(), "templates/map.yaml": LOOKUP})
    for groups, renders in ((["readers,all"], True), (["strangers"], False), (["a", 1], False)):
        config = yaml.safe_load(pathlib.Path(api.kubeconfig).read_text())
        for row in config["users"]:
            row["user"].update({"as": "jane", "as-groups": groups})
        (tmp_path / "config").write_text(yaml.safe_dump(config))
        for program in ([oracle("helm") / "helm"], [SLUICE, "helm"]):
            done = subprocess.run([*program, "template", "rel", "chart", "-n", cluster, "--kubeconfig=config",
                                   "--dry-run=server"], cwd=tmp_path, capture_output=True, text=True,
                                  timeout=120, env={**os.environ, "HOME": str(tmp_path)})
            assert (done.returncode == 0) == renders, (program, groups, done)


def test_the_namespace_of_the_context(api, tmp_path):
    """Without --namespace the kubeconfig's context says it, whether a cluster is asked or not."""
    config = yaml.safe_load(pathlib.Path(api.kubeconfig).read_text())
    current = next(row for row in config["contexts"] if row["name"] == config["current-context"])
    config["contexts"].append({"name": "other", "context": {**current["context"], "namespace": "of-other"}})
    current["context"]["namespace"] = "of-context"
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    (tmp_path / "first").write_text("apiVersion: v1\nkind: Config\ncurrent-context: other\n")
    write(tmp_path / "chart", {**chart_files(), "templates/map.yaml": "ns: {{ .Release.Namespace }}\nkind: A\n"})
    cases = [([], {}, "default"), ([], {"KUBECONFIG": "config"}, "of-context"),
             (["--kubeconfig=config"], {}, "of-context"), (["--kubeconfig=config", "--kube-context=other"], {}, "of-other"),
             ([], {"KUBECONFIG": "first:config"}, "of-other"), ([], {"KUBECONFIG": "config:first"}, "of-context"),
             ([], {"KUBECONFIG": "config", "HELM_KUBECONTEXT": "other"}, "of-other"),
             ([], {"KUBECONFIG": "config", "HELM_NAMESPACE": "of-env"}, "of-env"), ([], {"KUBECONFIG": "nope"}, "default"),
             (["-n", "given"], {"KUBECONFIG": "config", "HELM_NAMESPACE": "of-env"}, "given"),
             (["--kubeconfig=config", "--kube-context=nope"], {}, "default")]
    for words, env, ns in cases:
        for program in ([oracle("helm") / "helm"], [SLUICE, "helm"]):
            plain = {k: v for k, v in os.environ.items() if k != "KUBECONFIG"}
            out = subprocess.run([*program, "template", "rel", "chart", *words], cwd=tmp_path, capture_output=True,
                                 text=True, timeout=120, env={**plain, "HOME": str(tmp_path), **env}).stdout
            assert f"ns: {ns}\n" in out, (program, words, env, out)
