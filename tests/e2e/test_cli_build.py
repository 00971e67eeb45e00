"""sluice build and diff kustomization (cli.md 7, C67..C71): what diff says is what a reconcile does,
and both say what upstream's command says."""
import base64
import json
import os
import pathlib
import pty
import re
import subprocess

import pytest
import yaml

from tests.lib.apps import DEPLOYMENT, app, config_map  # noqa: F401
from tests.lib.oracle import oracle

SLUICE = pathlib.Path(os.environ["SLUICE_BUILD"], "cli", "sluice")
NOWHERE = "/nonexistent"


def tree_of(directory):
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*"))
            if p.is_file()}


class Local:
    """Both command lines on local files and a cluster."""

    def __init__(self, api, ns, directory):
        self.api, self.ns, self.dir = api, ns, directory

    def write(self, files):
        for name, content in files.items():
            path = self.dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))

    def run(self, program, verb, *args, kubeconfig=None, name="app", path="."):
        return subprocess.run(
            [program, verb, "kustomization", name, "--path", str(self.dir / path), *args,
             "-n", self.ns, f"--kubeconfig={kubeconfig or self.api.kubeconfig}"],
            capture_output=True, text=True, timeout=90, cwd=self.dir,
            env=dict(os.environ, HOME=str(self.api.dir), LC_ALL="C.UTF-8"))

    def sluice(self, *args, **more):
        return self.run(SLUICE, *args, **more)

    def flux(self, *args, **more):
        return self.run(oracle("flux") / "flux", *args, **more)

    def built(self, *args, **more):
        done = self.sluice("build", *args, **more)
        assert done.returncode == 0, done.stderr
        return [o for o in yaml.safe_load_all(done.stdout) if o]

    def diff(self, *args, code, **more):
        done = self.sluice("diff", *args, **more)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done

    def same_build(self, *args, **more):
        ours, theirs = self.sluice("build", *args, **more), self.flux("build", *args, **more)
        assert theirs.returncode == 0, theirs.stderr
        assert (ours.returncode, ours.stdout) == (0, theirs.stdout), ours.stderr
        return ours.stdout

    def same_diff(self, *args, code, **more):
        """Equal exit codes and equal lines about objects, in any order; not the fields' reports."""
        ours = self.diff(*args, code=code, **more)
        theirs = self.flux("diff", "--progress-bar=false", *args, **more)
        assert theirs.returncode == code, theirs.stderr + theirs.stdout
        shown = [sorted(line for line in done.stdout.splitlines() if line.startswith(("►", "📁")))
                 for done in (ours, theirs)]
        assert shown[0] == shown[1]
        return ours


@pytest.fixture
def local(api, ns, tmp_path):
    return Local(api, ns, tmp_path)


def kustomization(ns, name="app", **spec):
    return {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": name, "namespace": ns},
            "spec": {"interval": "1h", "prune": True, "path": "./", "targetNamespace": ns,
                     "sourceRef": {"kind": "GitRepository", "name": "src"}, **spec}}


FILES = {
    "kustomization.yaml": {"resources": ["a.yaml", "sub"], "namePrefix": "x-"},
    "a.yaml": config_map("a", {"k": "${v:=none}", "n": "1"}),
    "sub/kustomization.yaml": {"resources": ["b.yaml"]},
    "sub/b.yaml": config_map("b", {"k": "v"}),
    "s.yaml": "not: listed\n",
}


def test_C67_C68_build_without_a_cluster_is_upstreams_and_writes_nothing(local, ns):
    local.write(FILES)
    local.write({"../ks.yaml": kustomization(
        ns, postBuild={"substitute": {"v": "one"},
                       "substituteFrom": [{"kind": "Secret", "name": "none"}]},
        commonMetadata={"labels": {"team": "x"}, "annotations": {"a": "b"}},
        patches=[{"patch": "- {op: add, path: /data/p, value: q}", "target": {"name": "b"}}])})
    before = tree_of(local.dir)
    args = ("--dry-run", "--kustomization-file", str(local.dir.parent / "ks.yaml"))
    ours = local.built(*args, kubeconfig=NOWHERE)
    assert [(o["metadata"]["name"], o["data"]) for o in ours] == [
        ("x-a", {"k": "one", "n": "1"}), ("x-b", {"k": "v", "p": "q"})]
    assert ours[0]["metadata"]["labels"] == {
        "team": "x", "kustomize.toolkit.fluxcd.io/name": "app",
        "kustomize.toolkit.fluxcd.io/namespace": ns}
    local.same_build(*args)
    local.same_build(*args, "--in-memory-build")
    local.write({"kustomization.yaml": "resources: [nope.yaml]\n"})
    before = tree_of(local.dir)
    done = local.sluice("build", *args, kubeconfig=NOWHERE)
    assert done.returncode == 1 and "kustomization.yaml" in done.stderr and "nope" in done.stderr
    assert tree_of(local.dir) == before


def test_C67_errors_name_paths_from_where_the_caller_is(local, ns):
    """The directory itself, and a file that the system names by its whole path."""
    args = ("--dry-run", "--kustomization-file", str(local.dir.parent / "ks.yaml"))
    local.write({"../ks.yaml": kustomization(ns), "kustomization.yaml": "patches: [{path: p.yaml}]\n"})
    done = local.sluice("build", *args, kubeconfig=NOWHERE)
    assert done.returncode == 1 and "open p.yaml: No such file" in done.stderr, done.stderr
    local.write({"Kustomization": ""})
    done = local.sluice("build", *args, kubeconfig=NOWHERE)
    assert done.returncode == 1 and done.stderr.endswith("files under: .\n"), done.stderr


def test_C67_the_file_is_read_as_kubectl_reads_it(local, ns):
    """YAML 1.1: a plain `y` is true and `n` is false, also as a key."""
    local.write({"a.yaml": config_map("a", {"k": "${v}"}), "../ks.yaml": json.dumps(kustomization(
        ns, postBuild={"substitute": {"v": "VALUE"}}, commonMetadata={"annotations": {"KEY": "x"}}))
        .replace('"VALUE"', "y").replace('"KEY"', "n")})
    args = ("--dry-run", "--kustomization-file", str(local.dir.parent / "ks.yaml"))
    text = local.same_build(*args)
    assert next(yaml.safe_load_all(text))["metadata"]["annotations"] == {"false": "x"}


def deploy(app, files, **spec):  # noqa: F811
    app.commit({k: v if isinstance(v, str) else yaml.safe_dump(v) for k, v in files.items()})
    app.kustomization(**spec)
    app.ready()


def test_C70_diff_of_what_is_applied_is_empty(local, app):  # noqa: F811
    deploy(app, FILES)
    local.write(FILES)
    done = local.same_diff(code=0)
    assert not done.stdout and not done.stderr


def test_C70_C71_diff_tells_what_the_reconcile_then_does(local, app, ns):  # noqa: F811
    old = {"a.yaml": config_map("a", {"k": "1", "gone": "x"}), "b.yaml": config_map("b"),
           "c.yaml": config_map("c"), "h.yaml": config_map("h")}
    deploy(app, old)
    new = {"a.yaml": config_map("a", {"k": "2", "more": "y"}), "b.yaml": config_map("b"),
           "d.yaml": config_map("d"), "h.yaml": config_map("h")}
    local.write(new)
    local.api.rest.call("PATCH", f"/api/v1/namespaces/{ns}/configmaps/h", {
        "metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}},
        "application/merge-patch+json")
    ours = f"/api/v1/namespaces/{ns}/configmaps?fieldSelector=metadata.name!=kube-root-ca.crt"
    before = local.api.rest.get(ours)["items"]
    done = local.same_diff(code=1)
    assert local.api.rest.get(ours)["items"] == before
    assert sorted(line for line in done.stdout.splitlines() if line.startswith("►")) == [
        f"► ConfigMap/{ns}/a drifted", f"► ConfigMap/{ns}/c deleted",
        f"► ConfigMap/{ns}/d created", f"► ConfigMap/{ns}/h skipped"]
    assert "data.k\n  ± value change\n    - \"1\"\n    + \"2\"\n" in done.stdout
    assert "data\n  - 1 map entry removed:\n    gone: x\n" in done.stdout
    assert "\033" not in done.stdout and "identified at least one change" in done.stderr
    app.commit(new, remove=["c.yaml"])
    app.ready()
    for line in ("a configured", "d created", "c deleted"):
        app.event(f"ConfigMap/{ns}/{line}")
    told = "\n".join(e[2] for e in app.objects.events("app"))
    assert f"ConfigMap/{ns}/b configured" not in told
    assert not [line for line in local.diff(code=0).stdout.splitlines() if "skipped" not in line]


def edit(api, path, body):
    code, reply = api.rest.call("PATCH", f"{path}?fieldManager=kubectl-edit", body,
                                "application/strategic-merge-patch+json")
    assert code == 200, reply


def test_C70_a_takeover_is_told_and_done(local, app, ns):  # noqa: F811
    """Fields that kubectl wrote: diff says which of them go, and exactly these go."""
    files = {"a.yaml": config_map("a"), "d.yaml": yaml.safe_load(DEPLOYMENT)}
    deploy(app, files)
    local.write(files)
    app.objects.patch("Kustomization", "app", {"spec": {"suspend": True}})
    core, apps = f"/api/v1/namespaces/{ns}", f"/apis/apps/v1/namespaces/{ns}"
    edit(local.api, f"{core}/configmaps/a", {"data": {"mine": "x"}})
    edit(local.api, f"{apps}/deployments/web", {
        "metadata": {"annotations": {"by": "hand"}}, "spec": {"minReadySeconds": 3, "template": {
            "spec": {"containers": [{"name": "more", "image": "m"},
                                    {"name": "c", "env": [{"name": "E", "value": "1"}]}]}}}})
    told = local.diff(code=1).stdout
    assert f"► ConfigMap/{ns}/a drifted\n  fields that kubectl wrote become" in told
    assert "data\n  - 1 map entry removed:\n    mine: x\n" in told
    containers = "spec.template.spec.containers"
    for part in (f"{containers}\n  - 1 list entry removed:\n    - image: m\n", "    by: hand\n",
                 f"{containers}.c\n  - 1 map entry removed:\n    env:\n    - name: E\n"):
        assert part in told, told
    app.objects.patch("Kustomization", "app", {"spec": {"suspend": False}})
    app.objects.wait("Kustomization", "app", lambda o: app.objects.configmap("a")["data"] ==
                     {"k": "v"}, "to take over")
    app.objects.ready("Kustomization", "app")
    live = local.api.rest.get(f"{apps}/deployments/web")
    assert [c["name"] for c in live["spec"]["template"]["spec"]["containers"]] == ["c"]
    assert "env" not in live["spec"]["template"]["spec"]["containers"][0]
    assert "by" not in live["metadata"].get("annotations", {})
    assert local.diff(code=0).stdout == ""


def test_C71_nothing_is_deleted_without_prune(local, app):  # noqa: F811
    deploy(app, {"a.yaml": config_map("a"), "b.yaml": config_map("b")}, prune=False)
    local.write({"a.yaml": config_map("a")})
    assert not local.same_diff(code=0).stdout


def test_C70_what_pruning_leaves_alone_is_not_deleted(local, app, ns):  # noqa: F811
    deploy(app, {"a.yaml": config_map("a"), "b.yaml": config_map(
        "b", annotations="{kustomize.toolkit.fluxcd.io/prune: disabled}")})
    local.write({"a.yaml": config_map("a")})
    assert local.diff(code=0).stdout == f"► ConfigMap/{ns}/b skipped\n"


def secret(name, string_data, **more):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "stringData": string_data, **more}


def test_C69_values_of_secrets_are_not_shown(local, app, ns):  # noqa: F811
    old = {"a": "hunter2", "b": "same-words", "c": "leaves-us"}
    deploy(app, {"s.yaml": secret("s", old)})
    live = f"/api/v1/namespaces/{ns}/secrets/s"
    local.api.rest.call("PATCH", live, {"metadata": {"annotations": {
        "kubectl.kubernetes.io/last-applied-configuration": '{"data":"hunter2"}'}}},
        "application/merge-patch+json")
    local.write({"s.yaml": secret("s", {"a": "hunter3", "b": "same-words", "d": "new-word"})})
    done = local.diff(code=1)
    assert f"► Secret/{ns}/s drifted" in done.stdout and "*** (before)" in done.stdout
    words = ["hunter2", "hunter3", "same-words", "leaves-us", "new-word"]
    for word in words + [base64.b64encode(w.encode()).decode() for w in words]:
        assert word not in done.stdout + done.stderr


def shown_on_a_terminal(local, **env):
    """What `sluice diff` writes to a terminal."""
    leader, follower = pty.openpty()
    child = subprocess.Popen(
        [SLUICE, "diff", "kustomization", "app", "--path", local.dir, "-n", local.ns,
         f"--kubeconfig={local.api.kubeconfig}"], cwd=local.dir, stdin=subprocess.DEVNULL,
        stdout=follower, stderr=subprocess.DEVNULL, env={
            **{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **env})
    os.close(follower)
    shown = b""
    try:
        while part := os.read(leader, 65536):
            shown += part
    except OSError:  # the other end is closed: all was read
        pass
    finally:
        os.close(leader)
    assert child.wait(60) == 1
    return shown.decode().replace("\r\n", "\n")


def test_C70_a_terminal_gets_colors_and_no_secrets(local, app, ns):  # noqa: F811
    deploy(app, {"a.yaml": config_map("a", {"k": "1", "gone": "x"}), "c.yaml": config_map("c"),
                 "s.yaml": secret("s", {"a": "hunter2"})})
    local.write({"a.yaml": config_map("a", {"k": "2", "more": r"\x1b]0;owned\x07"}),
                 "d.yaml": config_map("d"), "s.yaml": secret("s", {"a": "hunter3"})})
    shown = shown_on_a_terminal(local)
    green, red, yellow, end = "\033[32m", "\033[31m", "\033[33m", "\033[0m"
    for line in (f"{green}► ConfigMap/{ns}/d created{end}", f"{red}► ConfigMap/{ns}/c deleted{end}",
                 f"{yellow}► ConfigMap/{ns}/a drifted{end}", f'{red}    - "1"{end}',
                 f'{green}    + "2"{end}'):
        assert f"{line}\n" in shown, shown
    assert "hunter" not in shown and "***" in shown and "\033]" not in shown
    plain = shown_on_a_terminal(local, NO_COLOR="1")
    assert "\033" not in plain
    assert plain == re.sub(r"\033\[\d*m", "", shown)


SOPS = {"mac": "ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]", "version": "3.9.0"}
INNER = base64.b64encode(b'{"a":"ENC[x]","sops":{"mac":"ENC[AES]"}}').decode()


def test_C69_what_sops_encrypted_is_masked(local, ns):
    enc = "ENC[AES256_GCM,data:abc,iv:d,tag:e,type:str]"
    local.write({
        "a.yaml": secret("a", {"k": enc}, sops=SOPS, data={"l": enc}),
        "b.yaml": secret("b", {}, sops=SOPS, type="kubernetes.io/dockerconfigjson",
                         data={".dockerconfigjson": enc}),
        "c.yaml": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "c"},
                   "data": {"in": INNER, "plain": "aGVsbG8="}},
        "../ks.yaml": kustomization(ns)})
    args = ("--dry-run", "--kustomization-file", str(local.dir.parent / "ks.yaml"))
    text = local.sluice("build", *args).stdout
    assert "ENC[" not in text and INNER not in text and "aGVsbG8=" in text
    assert "mac" not in text
    local.same_build(*args)


def test_C70_errors_are_code_2(local, app, ns, tmp_path):  # noqa: F811
    assert local.diff(code=2, name="nope").stdout == ""
    assert local.diff("--nope", code=2).stdout == ""
    assert "invalid resource path" in local.diff(code=2, path="nope").stderr
    deploy(app, {"a.yaml": config_map("a"), "b.yaml": config_map("b")})
    local.write({"a.yaml": config_map("a", {"k": "2"}),
                 "bad.yaml": config_map("BAD_name")})
    done = local.diff(code=2)
    assert f"► ConfigMap/{ns}/a drifted" in done.stdout and "deleted" not in done.stdout
    assert "BAD_name" in done.stderr and "bad.yaml:1" in done.stderr
    local.write({"bad.yaml": "kind: [\n"})
    done = local.diff(code=2)
    assert "bad.yaml:" in done.stderr and not done.stdout


def test_C70_namespace_that_comes_along(local, app, ns):  # noqa: F811
    deploy(app, {"a.yaml": config_map("a", namespace=ns)}, targetNamespace=None)
    local.write({"a.yaml": config_map("a", namespace=ns), "n.yaml": {
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns + "-new"}},
        "b.yaml": config_map("b", namespace=ns + "-new")})
    done = local.diff(code=1)
    assert done.stdout.splitlines() == [f"► Namespace/{ns}-new created",
                                        f"► ConfigMap/{ns}-new/b created"]


def test_diff_respects_ignore_and_force(local, app, ns):  # noqa: F811
    deploy(app, {"a.yaml": config_map("a", {"k": "1", "l": "1"}),
                 "i.yaml": config_map("i") + "immutable: true\n"},
           ignore=[{"paths": ["/data/k"], "target": {"name": "a"}}])
    forced = config_map("i", {"k": "2"},
                        annotations="{kustomize.toolkit.fluxcd.io/force: enabled}")
    local.write({"a.yaml": config_map("a", {"k": "2", "l": "1"}),
                 "i.yaml": forced + "immutable: true\n"})
    done = local.same_diff(code=1)
    assert done.stdout == f"► ConfigMap/{ns}/i created\n"
    local.write({"i.yaml": config_map("i", {"k": "2"}) + "immutable: true\n"})
    assert "immutable" in local.diff(code=2).stderr


def test_diff_of_a_kustomization_that_is_not_there_yet(local, ns):
    local.write({"a.yaml": config_map("a"), "../ks.yaml": kustomization(ns)})
    args = ("--kustomization-file", str(local.dir.parent / "ks.yaml"))
    assert "not found" in local.diff(*args, code=2).stderr
    done = local.same_diff(*args, "--ignore-not-found", code=1)
    assert done.stdout == f"► ConfigMap/{ns}/a created\n"


def test_recursive_build_and_diff(local, app, ns):  # noqa: F811
    child = kustomization(ns, "child", path="./child")
    files = {"top/child.yaml": child, "top/a.yaml": config_map("a"),
             "child/c.yaml": config_map("c")}
    deploy(app, files, path="./top")
    app.objects.ready("Kustomization", "child")
    local.write(files)
    sources = ("-r", "--local-sources", f"GitRepository/{ns}/src={local.dir}")
    text = local.same_build(*sources, path="top")
    assert [o["metadata"]["name"] for o in yaml.safe_load_all(text) if o] == ["a", "child", "c"]
    assert local.same_diff(*sources, code=0, path="top").stdout == ""
    local.write({"child/c.yaml": config_map("c", {"k": "2"})})
    done = local.same_diff(*sources, code=1, path="top")
    assert done.stdout.startswith(f"📁 Kustomization/{ns}/child changed\n► ConfigMap/{ns}/c drifted\n")
    assert "does not say where" in local.diff("-r", code=2, path="top").stderr


def test_build_leaves_out_ignored_paths(local, ns):
    local.write({"a.yaml": config_map("a"), "skip/b.yaml": config_map("b"),
                 "c.yaml": config_map("c"), "../ks.yaml": kustomization(ns)})
    args = ("--dry-run", "--kustomization-file", str(local.dir.parent / "ks.yaml"))
    local.same_build(*args, "--ignore-paths", "/skip/**,c.yaml")
    local.write({"kustomization.yaml": {"resources": ["a.yaml", "c.yaml"]}})
    assert "name: c" not in local.same_build(*args, "--ignore-paths", "c.yaml")


def test_K19_unknown_fields_of_the_root_are_warned_of(local, app, ns):  # noqa: F811
    """Ignored as upstream does, but with a word: with prune such a field may delete all."""
    deploy(app, {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": config_map("a")})
    local.write({"a.yaml": config_map("a"), "../ks.yaml": kustomization(ns)})
    told = ('warning: kustomization.yaml:2: unknown field "resourcez"; kustomization.yaml:6: '
            'unknown field "patches[0].targetz": ignored, as the controller does\n')
    args = ("--dry-run", "--kustomization-file", str(local.dir.parent / "ks.yaml"))
    local.write({"kustomization.yaml": "namespace: x\nresourcez:\n- a.yaml\n"
                                       "patches:\n- patch: 'kind: X'\n  targetz: {kind: X}\n"})
    done = local.sluice("build", *args, kubeconfig=NOWHERE)
    assert done.stderr.startswith(told) and done.stderr.count("warning") == 1
    local.write({"kustomization.yaml": "namespace: x\nresourcez:\n- a.yaml\nResources: []\n"})
    done = local.diff(code=1)
    assert done.stderr.startswith('warning: kustomization.yaml:2: unknown field "resourcez": ignored')
    assert "deleted" in done.stdout
    local.write({"kustomization.yaml": "resources: [a.yaml]\n"})
    assert "warning" not in local.diff(code=0).stderr


def test_K19_keys_of_the_root_match_without_regard_to_case(local, ns):
    """As Go reads JSON; what spec adds comes to what stands there."""
    patch = {"patch": "- {op: add, path: /data/p, value: q}", "target": {"kind": "ConfigMap"}}
    images = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {
        "template": {"spec": {"containers": [{"name": "c", "image": "one:1"}]}}}}
    local.write({"kustomization.yaml": {
        "Resources": ["a.yaml", "d.yaml"], "Images": [{"Name": "one", "NewTag": "2"}],
        "Patches": [{"Patch": "- {op: add, path: /data/own, value: q}", "Target": {"name": "a"}}]},
        "a.yaml": config_map("a", {"k": "v"}), "d.yaml": images,
        "../ks.yaml": kustomization(ns, patches=[patch], images=[{"name": "one", "newName": "x"}])})
    args = ("--dry-run", "--kustomization-file", str(local.dir.parent / "ks.yaml"))
    objects = list(yaml.safe_load_all(local.same_build(*args)))
    assert objects[0]["data"] == {"k": "v", "own": "q", "p": "q"}
    assert "annotations" not in objects[0]["metadata"]
    assert objects[1]["spec"]["template"]["spec"]["containers"][0]["image"] == "x:2"


def test_K19_numbers_will_do_for_strings_in_the_root(local, ns):
    """`newTag: 1.10` is 1.1 upstream, where `kustomize build` refuses it; generators refuse it, too."""
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {
        "template": {"spec": {"containers": [{"name": "c", "image": "one:1"}]}}}}
    local.write({"kustomization.yaml": """\
        resources: [a.yaml, d.yaml]
        namePrefix: 1
        images: [{name: one, newTag: 1.10}]
        labels: [{pairs: {a: true}}]
        generatorOptions: {labels: {z: 7}}
        configMapGenerator: [{name: g, literals: [a=b]}]
        commonAnnotations: {a: 1, b: 1.10, c: false, d: 1e3, e: 1234567.5, f: 0.00001, h: 0x1F,
                            i: 0.1, j: 1e21, k: -7, l: ~, m: 100000.5, p: 3.0e6, q: -0.25}
        """, "a.yaml": config_map("a"), "d.yaml": deployment, "../ks.yaml": kustomization(ns)})
    args = ("--dry-run", "--kustomization-file", str(local.dir.parent / "ks.yaml"))
    assert "image: one:1.1\n" in local.same_build(*args)
    for wrong in ("namespace: 5", "literals: [5]", "options: {labels: {a: 1}}"):
        local.write({"kustomization.yaml": f"configMapGenerator: [{{name: g, {wrong}}}]\n"})
        done, theirs = local.sluice("build", *args), local.flux("build", *args)
        assert (done.returncode, theirs.returncode) == (1, 1), wrong
        assert "kustomization.yaml" in done.stderr and "got a number" in done.stderr


def test_K22_a_patch_that_is_no_yaml_is_told_once(local, ns):
    local.write({"a.yaml": config_map("a"),
                 "../ks.yaml": kustomization(ns, patches=[{"patch": "a: ["}])})
    done = local.sluice("build", "--dry-run", "--kustomization-file",
                        str(local.dir.parent / "ks.yaml"))
    assert done.returncode == 1 and "patches[0]: unable to parse SM or JSON patch" in done.stderr
    assert done.stderr.count("while parsing a flow node") == 1, done.stderr


def test_K22_K23_what_spec_adds_is_named_as_spec_has_it(local, ns):
    """Not as an entry of the root file, which may not even exist; the file's own stay the file's."""
    path = local.dir.parent / "ks.yaml"
    good, bad = {"patch": "[]", "target": {"name": "none"}}, {"patch": "kind: 5"}

    def error_of(files, **spec):
        local.write({"a.yaml": config_map("a"), "../ks.yaml": kustomization(ns, **spec), **files})
        done = local.sluice("build", "--dry-run", "--kustomization-file", str(path))
        assert done.returncode == 1, done.stdout
        return done.stderr
    told = error_of({}, patches=[good, bad])
    assert "build failed: spec.patches[1]: unable" in told and "kustomization.yaml" not in told, told
    own = {"kustomization.yaml": "resources: [a.yaml]\npatches: [{patch: '[]', target: {name: x}}]\n"}
    told = error_of(own, patches=[good, bad])
    assert "spec.patches[1]: unable" in told and "kustomization.yaml" not in told, told
    told = error_of(own, components=["./none"])
    assert "spec.components[0]: accumulating components" in told, told
    told = error_of({"kustomization.yaml": "resources: [a.yaml]\npatches:\n- patch: '[]'\n"
                     "  target: {name: x}\n- patch: 'kind: 5'\n"}, patches=[good])
    assert "kustomization.yaml:5: patches[1]: unable" in told and "spec.patches" not in told, told


def test_K20_an_empty_root_is_an_empty_build(local, ns):
    """With what spec adds to it; a root that is no map is an error."""
    args = ("--dry-run", "--kustomization-file", str(local.dir.parent / "ks.yaml"))
    extra = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component",
             "resources": ["b.yaml"]}
    local.write({"a.yaml": config_map("a"), "../ks.yaml": kustomization(ns),
                 "more/kustomization.yaml": extra, "more/b.yaml": config_map("b")})
    for text in ("", "# empty\n", "---\n", "~\n"):
        local.write({"kustomization.yaml": text})
        assert local.same_build(*args) == "", text
    local.write({"../ks.yaml": kustomization(ns, components=["more"])})
    assert "name: b\n" in local.same_build(*args)
    local.write({"kustomization.yaml": "- a.yaml\n"})
    done = local.sluice("build", *args)
    assert done.returncode == 1 and "kustomization.yaml: not a Kustomization" in done.stderr


def test_K27_a_listed_kustomization_is_passed_over(local, ns):
    local.write({"a.yaml": config_map("a"), "../ks.yaml": kustomization(ns)})
    args = ("--dry-run", "--kustomization-file", str(local.dir.parent / "ks.yaml"))
    local.write({"k.yaml": {"apiVersion": "kustomize.config.k8s.io/v1beta1", "resources": [],
                            "kind": "Kustomization", "metadata": {"name": "x"}}})
    assert [o["metadata"]["name"] for o in yaml.safe_load_all(local.same_build(*args)) if o] == ["a"]


def test_strict_substitute(local, ns):
    local.write({"a.yaml": config_map("a", {"k": "${nope}"}), "../ks.yaml": kustomization(
        ns, postBuild={"substitute": {"v": "1"}})})
    args = ("--dry-run", "--kustomization-file", str(local.dir.parent / "ks.yaml"))
    local.same_build(*args)
    done = local.sluice("build", *args, "--strict-substitute")
    assert done.returncode == 1 and "nope" in done.stderr and "a.yaml:1" in done.stderr


def test_C68_what_is_wrong_is_said(local, ns):
    """Beyond upstream's words: why a path is not taken, and what a file has instead."""
    local.write({"a.yaml": config_map("a"), "../ks.yaml": kustomization(ns)})
    file = str(local.dir.parent / "ks.yaml")
    other = kustomization(ns)
    other["metadata"] = {"name": "other", "namespace": "elsewhere"}
    local.write({"../two.yaml": yaml.safe_dump_all([other, {**other, "metadata": {"name": "bare"}}]),
                 "../bad.yaml": kustomization(ns, postBuild={"substitute": {"a-b": "1"}})})
    two, bad = (str(local.dir.parent / name) for name in ("two.yaml", "bad.yaml"))
    rows = [(file, "nope", 'nope": No such file or directory'),
            (file, "a.yaml", 'a.yaml": it is no directory'),
            ("/nope", ".", 'invalid kustomization file "/nope": No such file or directory'),
            (str(local.dir), ".", '": it is a directory'),
            (two, ".", f"no Kustomization 'app' for namespace '{ns}'; it has elsewhere/other, bare"),
            (str(local.dir / "a.yaml"), ".", "; it has none"),
            (bad, ".", "spec.postBuild.substitute: invalid variable name 'a-b'")]
    for file, path, text in rows:
        done = local.sluice("build", "--dry-run", "--kustomization-file", file, path=path,
                            kubeconfig=NOWHERE)
        assert (done.returncode, done.stdout) == (1, "") and text in done.stderr, done.stderr
    done = subprocess.run([SLUICE, "diff", "kustomization", "app"], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 2
    assert 'invalid resource path "": --path has to name the directory' in done.stderr


def test_C68_bad_command_lines(local, ns):
    local.write({"a.yaml": config_map("a")})
    for args, text in ((("--dry-run",), "--kustomization-file"),
                       (("--kustomization-file", "/nope"), "invalid kustomization file"),
                       (("--ignore-not-found",), "unknown flag")):
        done = local.sluice("build", *args, kubeconfig=NOWHERE)
        assert done.returncode == 1 and text in done.stderr
    done = local.sluice("build", "--in-memory-build", "--dry-run", "--kustomization-file",
                        str(local.dir / "a.yaml"), path="..", kubeconfig=NOWHERE)
    assert done.returncode == 1
