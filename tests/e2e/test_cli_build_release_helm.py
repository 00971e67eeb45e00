"""sluice build helmrelease beside the real helm: each HelmRelease with the `helm template` that is its equal, and
the real kustomize for its postRenderers."""
import hashlib
import os
import pathlib
import re
import subprocess

import pytest
import yaml

from tests.lib.helm import write_chart
from tests.lib.oracle import oracle
from tests.lib.releases import VALUES_CONFIG, config, deployment, job_hook

SLUICE = pathlib.Path(os.environ["SLUICE_BUILD"], "cli", "sluice")
OWNER = "helm.toolkit.fluxcd.io/"
RELEASE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: release, namespace: {{ .Release.Namespace }}, labels: {helm.toolkit.fluxcd.io/name: theirs}}
data:
  name: {{ .Release.Name }}
  facts: "{{ .Release.Revision }} {{ .Release.IsInstall }} {{ .Release.IsUpgrade }} {{ .Release.Service }}"
  chart: {{ .Chart.Name }}-{{ .Chart.Version }}
"""
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: things, kind: Thing}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
CHART = {
    "Chart.yaml": yaml.safe_dump({
        "apiVersion": "v2", "name": "shop", "version": "1.2.3", "appVersion": "4.5", "dependencies": [
            {"name": "sub", "version": "0.1.0", "condition": "sub.enabled"},
            {"name": "sub", "version": "0.1.0", "alias": "twin", "tags": ["twins"],
             "import-values": [{"child": "exports", "parent": "imported"}]}]}),
    "values.yaml": "color: red\nsize: 1\nlist: [a, b]\ndeep: {a: {b: 1}, c: x}\nsub: {enabled: false}\n"
                   "tags: {twins: false}\nglobal: {g: 1}\n",
    "values.schema.json": '{"properties": {"size": {"type": "integer"}}}',
    "crds/thing.yaml": CRD, "templates/NOTES.txt": "Notes of {{ .Release.Name }}\n",
    "templates/values.yaml": VALUES_CONFIG, "templates/release.yaml": RELEASE,
    "templates/config.yaml": config("config", {"v": "1", "yes": "no"}), "templates/web.yaml": deployment(image="web:1.0"),
    "templates/hook.yaml": job_hook("hook", "pre-install,post-upgrade"),
    "templates/test.yaml": job_hook("check", "test"), "templates/nameless.yaml": "{{ if .Values.none }}a: b{{ end }}\n",
    "templates/many.yaml": config("b") + "---\n# nothing\n---\n" + config("a", annotations={"helm.sh/resource-policy": "keep"}),
    "charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
    "charts/sub/values.yaml": "own: 1\nexports: {from: sub}\n",
    "charts/sub/templates/sub.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Chart.Name }}'}\n"
                                     "data: {v: {{ .Values | toJson | quote }}}\n",
    "charts/sub/crds/other.yaml": CRD.replace("thing", "other").replace("Thing", "Other"),
}
SOURCES = [
    {"kind": "ConfigMap", "metadata": {"name": "first"}, "data": {
        "values.yaml": "color: blue\ndeep: {a: {d: 2}}\n", "other": "size: 7\n", "word": "true", "list": "{x,y}", "text": "a,b={c}\\d\n"}},
    {"kind": "Secret", "metadata": {"name": "second"}, "stringData": {"values.yaml": "color: green\nlist: null\n", "num": "007"}},
]


def from_(kind, name, **more):
    return {"kind": kind, "name": name, **more}


def values(**tree):
    return {"values": tree}


def renders(*kustomizes, **more):
    return {"postRenderers": [{"kustomize": kustomize} for kustomize in kustomizes], **more}


PATCH = {"patches": [{"target": {"kind": "ConfigMap", "name": "config"},
                      "patch": '[{"op": "add", "path": "/data/patched", "value": "yes"}]'}]}
STRATEGIC = {"patches": [{"patch": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3, template: "
                                   "{spec: {containers: [{name: c, env: [{name: A, value: b}]}]}}}\n"}]}
HOOKS = {"patches": [{"target": {"kind": "Job"}, "patch": '[{"op": "add", "path": "/metadata/labels", "value": {"patched": "yes"}}]'}]}
LABELS = {"patches": [{"target": {"labelSelector": "app=none"}, "patch": '[{"op": "remove", "path": "/data"}]'},
                      {"target": {"name": "a|b", "version": "v1"}, "patch": '- {op: replace, path: /data/k, value: w}'}]}
IMAGES = {"images": [{"name": "web", "newName": "example.com/web", "newTag": "2.0"}, {"name": "job", "digest": "sha256:" + "0" * 64}]}
DELETED = {"patches": [{"patch": "$patch: delete\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\n"}]}
INLINE = values(size=3, deep={"c": None}, list=["z"])
COMMON = {"commonMetadata": {"labels": {"team": "a", OWNER + "name": "mine"}, "annotations": {"note": "x: y"}}}
LONG = "r" * 60

# (name, spec, what `helm template` is told)
CASES = [
    ("plain", {}, []), ("values", INLINE, ["--set-json", '{"size": 3, "deep": {"c": null}, "list": ["z"]}']),
    ("values_from", {"valuesFrom": [from_("ConfigMap", "first")]}, ["-f", "first.values.yaml"]),
    ("values_from_two", {"valuesFrom": [from_("ConfigMap", "first"), from_("Secret", "second")]}, ["-f", "first.values.yaml", "-f", "second.values.yaml"]),
    ("values_from_order", {"valuesFrom": [from_("Secret", "second"), from_("ConfigMap", "first")]}, ["-f", "second.values.yaml", "-f", "first.values.yaml"]),
    ("values_from_key", {"valuesFrom": [from_("ConfigMap", "first", valuesKey="other")]}, ["-f", "first.other"]),
    ("values_from_and_inline", {"valuesFrom": [from_("ConfigMap", "first")], **values(color="black")}, ["-f", "first.values.yaml", "--set", "color=black"]),
    ("values_from_optional", {"valuesFrom": [from_("ConfigMap", "none", optional=True), from_("ConfigMap", "first", valuesKey="none", optional=True)]}, []),
    ("target_path", {"valuesFrom": [from_("ConfigMap", "first", valuesKey="word", targetPath="deep.a.flag")]}, ["--set", "deep.a.flag=true"]),
    ("target_path_item", {"valuesFrom": [from_("ConfigMap", "first", valuesKey="word", targetPath="list[3].x")]}, ["--set", "list[3].x=true"]),
    ("target_path_list", {"valuesFrom": [from_("ConfigMap", "first", valuesKey="list", targetPath="list")]}, ["--set", "list={x,y}"]),
    ("target_path_literal", {"valuesFrom": [from_("ConfigMap", "first", valuesKey="text", targetPath="deep.text", literal=True)]}, ["--set-file", "deep.text=first.text"]),
    ("target_path_number", {"valuesFrom": [from_("Secret", "second", valuesKey="num", targetPath="num"), from_("ConfigMap", "first")]}, ["-f", "first.values.yaml", "--set", "num=007"]),
    ("target_path_escaped", {"valuesFrom": [from_("ConfigMap", "first", valuesKey="word", targetPath="deep.a\\.b")]}, ["--set", "deep.a\\.b=true"]),
    ("target_path_and_inline", {"valuesFrom": [from_("ConfigMap", "first", valuesKey="word", targetPath="color")], **values(color="pink")}, ["--set", "color=pink"]),
    ("subchart", values(sub={"enabled": True, "own": 2}), ["--set", "sub.enabled=true,sub.own=2"]), ("alias", values(tags={"twins": True}), ["--set", "tags.twins=true"]),
    ("both", values(sub={"enabled": True}, tags={"twins": True}, twin={"own": 5}), ["--set", "sub.enabled=true,tags.twins=true,twin.own=5"]), ("global_values", values(sub={"enabled": True}, **{"global": {"g": 2}}), ["--set", "global.g=2,sub.enabled=true"]),
    ("no_hooks", {"install": {"disableHooks": True}}, ["--no-hooks"]), ("no_hooks_of_upgrades", {"upgrade": {"disableHooks": True}}, []),
    ("crds_skip", {"install": {"crds": "Skip"}}, ["NO CRDS"]), ("crds_create", {"install": {"crds": "Create"}, **values(sub={"enabled": True})}, ["--set", "sub.enabled=true"]), ("crds_replace", {"install": {"crds": "CreateReplace"}, "upgrade": {"crds": "Skip"}}, []),
    ("no_schema", {"install": {"disableSchemaValidation": True}, **values(size="x")}, ["--skip-schema-validation", "--set", "size=x"]),
    ("target_namespace", {"targetNamespace": "there"}, []), ("storage_namespace", {"storageNamespace": "there"}, []), ("release_name", {"releaseName": "other", "targetNamespace": "there"}, []),
    ("long_name", {"targetNamespace": LONG}, []), ("create_namespace", {"targetNamespace": "there", "install": {"createNamespace": True}}, []),
    ("other_flags", {"install": {"replace": True, "disableWait": True, "disableOpenAPIValidation": True, "serverSideApply": False}, "upgrade": {"force": True, "preserveValues": True, "cleanupOnFail": True}}, []),
    ("common_metadata", COMMON, []), ("patch", renders(PATCH), []), ("strategic_patch", renders(STRATEGIC), []), ("images", renders(IMAGES), []), ("deleted", renders(DELETED), []), ("selected", renders(LABELS), []),
    ("renderers_in_order", renders(PATCH, IMAGES, {"patches": [{"target": {"name": "config"}, "patch": '[{"op": "move", "from": "/data/patched", "path": "/data/moved"}]'}]}), []),
    ("hooks_patched", renders(HOOKS), []), ("hooks_not_patched", renders(HOOKS, IMAGES, postRenderStrategy="nohooks"), []), ("hooks_apart", renders(HOOKS, postRenderStrategy="separate"), []),
    ("all", {**renders(STRATEGIC, IMAGES), **COMMON, "targetNamespace": "there", "valuesFrom": [from_("ConfigMap", "first")], **values(sub={"enabled": True})}, ["-f", "first.values.yaml", "--set", "sub.enabled=true"]),
]


def run(*words, cwd, code=0):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=60, cwd=cwd,
                          env=dict(os.environ, HOME=str(cwd)))
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


def parts(text):
    """(what made it, object) of each document."""
    found = []
    for part in re.split(r"^---\n", text, flags=re.M):
        source = re.search(r"^# Source: (.*)$", part, re.M)
        for tree in yaml.safe_load_all(part):
            if tree:
                found.append((source and source[1], tree))
    return found


def is_hook(tree):
    return "helm.sh/hook" in (tree["metadata"].get("annotations") or {})


def identity(tree):
    return tree["kind"], tree["metadata"]["name"]


class Peer:
    """The real tools on the same chart."""

    def __init__(self, folder, spec, ns):
        self.folder, self.spec, self.ns = folder, spec, ns
        target = spec.get("targetNamespace")
        self.release = spec.get("releaseName") or (f"{target}-app" if target else "app")
        if len(self.release) > 53:
            self.release = self.release[:40] + "-" + hashlib.sha256(self.release.encode()).hexdigest()[:12]

    def template(self, args):
        crds = "--include-crds" if "NO CRDS" not in args else "--skip-crds"
        return parts(run(oracle("helm") / "helm", "template", self.release, "chart", "-n",
                         self.spec.get("targetNamespace", self.ns), crds, *[a for a in args if a != "NO CRDS"], cwd=self.folder))

    def kustomize(self, found):
        sources = {identity(tree): source for source, tree in found}
        for number, renderer in enumerate(self.spec.get("postRenderers", [])):
            folder = self.folder / f"build-{number}"
            folder.mkdir(exist_ok=True)
            (folder / "all.yaml").write_text(yaml.safe_dump_all([tree for _, tree in found]))
            (folder / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["all.yaml"], **renderer["kustomize"]}))
            built = run(oracle("kustomize") / "kustomize", "build", folder, cwd=self.folder)
            found = [(sources[identity(tree)], tree) for _, tree in parts(built)]
            for leftover in folder.iterdir():
                leftover.unlink()
        return [(source, self.labelled(tree)) for source, tree in found]

    def labelled(self, tree):
        common = self.spec.get("commonMetadata", {})
        for field, more in (("labels", {**common.get("labels", {}), OWNER + "name": "app", OWNER + "namespace": self.ns}),
                            ("annotations", common.get("annotations", {}))):
            if more:
                tree["metadata"][field] = {**(tree["metadata"].get(field) or {}), **more}
        return tree

    def build(self, args):
        found = self.template(args)
        crds = [pair for pair in found if pair[1]["kind"] == "CustomResourceDefinition"]
        rest = [pair for pair in found if pair not in crds]
        hooks = [pair for pair in rest if is_hook(pair[1])]
        objects = [pair for pair in rest if not is_hook(pair[1])]
        strategy = self.spec.get("postRenderStrategy", "combined")
        if strategy == "combined":
            return crds + self.kustomize(rest)
        return crds + self.kustomize(objects) + (self.kustomize(hooks) if strategy == "separate" else hooks)


@pytest.fixture(scope="module")
def sources(api, directory):
    """What valuesFrom names, in a namespace; each key is a file for the real helm, too."""
    api.create_namespace("sources")
    folder = directory / "sources"
    folder.mkdir()
    for source in SOURCES:
        api.apply({"apiVersion": "v1", **source, "metadata": {**source["metadata"], "namespace": "sources"}})
        for key, text in {**source.get("data", {}), **source.get("stringData", {})}.items():
            (folder / f"{source['metadata']['name']}.{key}").write_text(text)
    write_chart(folder / "chart", CHART)
    return folder


def ours(api, folder, spec, *flags):
    file = folder / "release.yaml"
    file.write_text(yaml.safe_dump({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "app"},
        "spec": {"interval": "1h", "chartRef": {"kind": "HelmChart", "name": "chart"}, **spec}}))
    return parts(run(SLUICE, "build", "hr", "app", "--path", "chart", "--helmrelease-file", file, "-n", "sources",
                     f"--kubeconfig={api.kubeconfig}", *flags, cwd=folder))


def by_identity(found):
    return sorted(found, key=lambda pair: identity(pair[1]))


@pytest.mark.parametrize("name,spec,args", CASES, ids=[case[0] for case in CASES])
def test_as_the_real_tools(api, sources, name, spec, args):
    wanted = Peer(sources, spec, "sources").build(args)
    found = ours(api, sources, spec)
    assert by_identity(found) == by_identity(wanted)
    first = [identity(tree) for _, tree in found if not is_hook(tree)]
    assert "postRenderers" in spec or first == [identity(tree) for _, tree in wanted if not is_hook(tree)], "their order"
