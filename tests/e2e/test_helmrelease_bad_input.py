"""Broken charts and values: the condition names chart, template's file and line where there is one, and
cause; and the daemon goes on."""
import base64
import io
import random
import tarfile
import zlib

import pytest

from tests.lib.helm import decode
from tests.lib.releases import (BROKEN, QUICK, chart_server, config, controller_with,  # noqa: F401
                                job_hook, pack, releases)

helm_controller = controller_with(*QUICK, "--requeue-dependency=1s")

A, H = "templates/a.yaml", "templates/_h.tpl"
FINE = {A: config("a")}
SCHEMA = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["m"]}'
CHILD = "apiVersion: v2\nname: child\nversion: 1.0.0\n"

# name: (files, spec and metadata, texts of the condition)
TEMPLATES = {
    "parse": ({A: "a: b\n{{ if }}\n"}, "parse error at (shop/templates/a.yaml:2): missing value for if"),
    "unclosed": ({A: "a: b\n\n{{ if true }}x\n"}, "(shop/templates/a.yaml:4): unexpected EOF"),
    "nil": ({A: "k: X\nn: {{ .Values.a.b.c }}\n"}, "shop/templates/a.yaml:2:13"),
    "fail": ({A: 'k: v\n\n{{ fail "no way" }}\n'}, "(shop/templates/a.yaml:3:3): no way"),
    "include": ({A: 'k: v\n{{ include "nope" . }}\n'}, "shop/templates/a.yaml:2:3"),
    "required": ({A: 'k: {{ required "need x" .Values.x }}\n'}, "(shop/templates/a.yaml:1:6): need x"),
    "subchart": ({"charts/child/Chart.yaml": CHILD, "charts/child/templates/x.yaml":
                  "a\n{{ .Values.q.r }}\n"}, "shop/charts/child/templates/x.yaml:2:10"),
    "endless include": ({H: '{{ define "r" }}{{ include "r" . }}{{ end }}',
                         A: 'a: 1\nb: {{ include "r" . }}\n'}, "shop/templates/a.yaml:2:6"),
    "endless template": ({H: '{{ define "a" }}{{ template "b" . }}{{ end }}'
                             '{{ define "b" }}{{ template "a" . }}{{ end }}',
                          A: '{{ template "a" . }}'}, "exceeded maximum template depth"),
    "endless loop": ({A: "{{ range until 100000000 }}x{{ end }}"}, "shop/templates/a.yaml:1:9"),
    "endless text": ({A: 'a: {{ repeat 1000000000 "x" }}'}, "result is too large"),
    "no yaml": ({A: "a: b\n c: d\n"}, "parsing shop/templates/a.yaml: yaml:2:3: mapping values"),
    "no object": ({A: "just text\n"}, "parsing shop/templates/a.yaml: an object is expected"),
    "no name": ({A: "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n"},
                "resource name may not be empty [shop/templates/a.yaml]"),
    "no name of a hook": ({A: "apiVersion: v1\nkind: ConfigMap\n"
                              'metadata: {annotations: {"helm.sh/hook": pre-install}}\n'},
                          "hook shop/templates/a.yaml: unable to build kubernetes objects from release "
                          "manifest: ConfigMap: resource name may not be empty"),
    "no kind": ({A: "apiVersion: v1\nmetadata: {name: x}\n"},
                "Object 'Kind' is missing [shop/templates/a.yaml]"),
    "unknown kind": ({A: "apiVersion: no.example.com/v1\nkind: No\nmetadata: {name: x}\n"},
                     'no matches for kind "No" in version "no.example.com/v1"'),
    "twice": ({**FINE, "templates/b.yaml": config("a")},
              "already registered id: v1 ConfigMap a [shop/templates/b.yaml]"),
    "refused": ({**FINE, "templates/broken.yaml": BROKEN}, "[shop/templates/broken.yaml]"),
    "bad CRD": ({**FINE, "crds/a.yaml": "a: [b\n"}, "[shop/crds/a.yaml]"),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_broken_templates(releases, name):
    files, text = TEMPLATES[name]
    releases.chart(files)
    releases.quiet()
    obj = releases.failed("InstallFailed", text, timeout=60)
    assert "with chart shop@1.0.0" in releases.condition(obj)["message"]


@pytest.mark.parametrize("files,values,texts", [
    ({A: config("a") + "# {{ range .Values.list }}{{ .x }}{{ end }}\n"}, {"list": "text"},
     ("shop/templates/a.yaml:7:", "range can't iterate over text")),
    ({**FINE, "values.schema.json": SCHEMA}, {"n": "x"},
     ("shop:", "missing property 'm'", "at '/n': got string, want integer")),
    ({**FINE, "values.schema.json": '{"type":'}, {}, ("shop:", "values.schema.json: line 1")),
], ids=["type", "schema", "broken schema"])
def test_values_of_the_wrong_type(releases, files, values, texts):
    releases.chart(files)
    releases.quiet(values=values)
    obj = releases.failed("InstallFailed", timeout=60)
    assert all(text in releases.condition(obj)["message"] for text in texts), obj["status"]


SHOP = "Could not load chart: chart shop@1.0.0: "
# Where Chart.yaml does not say which chart it is, the artifact does.
ARTIFACT = "of revision 1.0.0: "
ARCHIVES = {
    "Chart.yaml": ({"Chart.yaml": "a: [\n"}, {}, ARTIFACT + "cannot load Chart.yaml: yaml:2:1"),
    "Chart.yaml is a list": ({"Chart.yaml": "- a\n"}, {}, ARTIFACT),
    "empty Chart.yaml": ({"Chart.yaml": ""}, {}, ARTIFACT),
    "no name": (FINE, {"name": ""}, ARTIFACT + "validation: chart.metadata.name is required"),
    "no version": (FINE, {"version": ""}, ARTIFACT + "validation: chart.metadata.version is required"),
    "version": (FINE, {"version": "none"}, ARTIFACT + 'validation: chart.metadata.version "none" is invalid'),
    "type": (FINE, {"type": "odd"}, ARTIFACT + "validation: chart.metadata.type"),
    "values.yaml": ({**FINE, "values.yaml": "a: [\n b"}, {}, SHOP + "cannot load values.yaml"),
    "values.yaml is a list": ({**FINE, "values.yaml": "- a\n"}, {}, SHOP + "cannot load values.yaml"),
    "alias": (FINE, {"dependencies": [{"name": "child", "version": "1", "alias": "a b"}]},
              "disallowed characters in the alias"),
    "twice": ({**FINE, "charts/child/Chart.yaml": CHILD}, {"dependencies": [
        {"name": "child", "version": "*"}, {"name": "child", "version": "*"}]}, "child"),
    "requirements.yaml": ({**FINE, "requirements.yaml": "a: [\n"}, {}, "cannot load"),
    "Chart.yaml below": ({**FINE, "charts/child/Chart.yaml": "a: [\n"}, {},
                         SHOP + "error unpacking subchart child in shop: cannot load Chart.yaml"),
    "values.yaml below": ({**FINE, "charts/child/Chart.yaml": CHILD, "charts/child/values.yaml": "["}, {},
                          SHOP + "error unpacking subchart child in shop: cannot load values.yaml"),
    "no chart below": ({**FINE, "charts/child/x": "y"}, {}, SHOP + "error unpacking subchart child in shop"),
    "no archive below": ({**FINE, "charts/child.tgz": "text"}, {},
                         SHOP + "error unpacking subchart child.tgz in shop"),
    "large file": ({**FINE, "big.txt": "x" * (6 << 20)}, {}, "big.txt"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_that_are_no_chart(releases, name):
    files, metadata, text = ARCHIVES[name]
    releases.put_source("HelmChart", "chart", releases.artifact(pack(files, **metadata), "1.0.0"))
    releases.quiet()
    obj = releases.failed("ArtifactFailed", text)
    message = releases.condition(obj)["message"]
    assert SHOP in message or "Could not load chart: artifact " in message, message
    # The same chart mended is installed.
    releases.put_source("HelmChart", "chart", releases.artifact(pack(FINE, version="1.0.1"), "1.0.1"))
    releases.ready()


@pytest.mark.parametrize("data", [b"", b"text", b"\x1f\x8b\x08", pack(FINE)[:60]],
                         ids=["empty", "text", "head", "cut"])
def test_artifacts_that_are_no_archive(releases, data):
    releases.put_source("HelmChart", "chart", releases.artifact(data, "1.0.0"))
    releases.quiet()
    obj = releases.failed("ArtifactFailed", "Could not load chart: artifact ")
    assert ".tgz of revision 1.0.0: " in releases.condition(obj)["message"], obj["status"]


def entry(name, data=b"", kind=tarfile.REGTYPE, to=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data), kind, to
    return info, io.BytesIO(data)


def archive(*entries, zeros=0):
    """The chart shop with more entries behind its own; `zeros`: mebibytes of them in one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
        for path, text in {"Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n", **FINE}.items():
            tar.addfile(*entry(f"shop/{path}", text.encode()))
        for one in entries:
            tar.addfile(*one)
        for i in range(zeros):
            tar.addfile(*entry(f"shop/zeros-{i}", bytes(1 << 20)))
    return out.getvalue()


# name: (what is in the archive, texts of the condition, or None: it is as good as a file without content)
HOSTILE = {
    "absolute": (lambda: archive(entry("shop//etc/passwd", b"x")),
                 'chart illegally contains absolute paths: "shop//etc/passwd"'),
    "drive": (lambda: archive(entry("shop/C:/x", b"x")), 'chart contains illegally named files: "shop/C:/x"'),
    "parent": (lambda: archive(entry("shop/../../x", b"x")),
               'chart illegally references parent directory: "shop/../../x"'),
    "parent by backslash": (lambda: archive(entry("shop\\..\\..\\x", b"x")), "illegally references parent"),
    "no directory": (lambda: archive(entry("x", b"x")), 'content outside the base directory: "x"'),
    "absolute base": (lambda: archive(entry("/etc/passwd", b"x")), None),
    "symbolic link": (lambda: archive(entry("shop/templates/b.yaml", b"", tarfile.SYMTYPE, "/etc/passwd")), None),
    "hard link": (lambda: archive(entry("shop/templates/b.yaml", b"", tarfile.LNKTYPE, "shop/Chart.yaml")), None),
    "device": (lambda: archive(entry("shop/templates/b.yaml", b"", tarfile.CHRTYPE)), None),
    "bomb": (lambda: archive(zeros=130), "104857600"),
    "20000 files": (lambda: archive(*(entry(f"shop/f/{i}") for i in range(20000))), "more than 20000 files"),
    "huge values": (lambda: archive(entry("shop/values.yaml", b"a: " + b"x" * (6 << 20))), "values.yaml"),
    "values of many levels": (lambda: archive(entry("shop/values.yaml", b"a: " + b"[" * 20000)), "values.yaml"),
    "values that unfold": (lambda: archive(entry("shop/values.yaml", LAUGHS)), "values.yaml"),
}
LAUGHS = ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij"))).encode()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives(releases, name):
    make, text = HOSTILE[name]
    releases.put_source("HelmChart", "chart", releases.artifact(make(), "1.0.0"))
    releases.quiet()
    if text is None:
        releases.ready()
        assert releases.statuses() == {1: "deployed"} and "root:" not in str(decode(releases.secrets()[0]))
        return
    obj = releases.failed("ArtifactFailed", text)
    message = releases.condition(obj)["message"]
    assert SHOP in message or "Could not load chart: artifact " in message, message
    assert len(message) < 1000
    releases.put_source("HelmChart", "chart", releases.artifact(pack(FINE, version="1.0.1"), "1.0.1"))
    releases.ready()


@pytest.mark.parametrize("template,text", [
    ('{{ lookup "v1" "Secret" "kube-system" "none" | toJson }}', "{}"),
    ('{{ getHostByName "localhost" }}', ""),
    ('{{ (lookup "v1" "ConfigMap" .Release.Namespace "gone").data | toJson }}', "null")])
def test_what_templates_ask_for(releases, template, text):
    """Without the gate AllowDNSLookups nothing is looked up."""
    releases.chart({A: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {t: '%s'}\n" % template})
    releases.quiet()
    releases.ready()
    assert releases.live("ConfigMap", "a")["data"] == {"t": text}


@pytest.mark.parametrize("template,text", [
    ('a: 1\nb: {{ lookup "x/v1" "None" "" "z" }}', "shop/templates/a.yaml:2:6"),
    ('a: 1\n\nb: {{ lookup "v1" "ConfigMap" "" 7 }}', "shop/templates/a.yaml:3:"),
    ('a: {{ getHostByName }}', "shop/templates/a.yaml:1:")])
def test_questions_that_make_no_sense(releases, template, text):
    releases.chart({A: template})
    releases.quiet()
    obj = releases.failed("InstallFailed", text)
    assert "with chart shop@1.0.0" in releases.condition(obj)["message"]


def test_what_an_account_may_not_look_up_fails_the_template(releases):
    releases.api.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                        "metadata": {"name": "clerk", "namespace": releases.ns},
                        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]}]})
    releases.api.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                        "metadata": {"name": "clerk", "namespace": releases.ns},
                        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "clerk"},
                        "subjects": [{"kind": "ServiceAccount", "name": "clerk", "namespace": releases.ns}]})
    releases.chart({A: 'a: 1\nb: {{ lookup "v1" "Secret" "kube-system" "" }}'})
    releases.quiet(serviceAccountName="clerk")
    obj = releases.failed("InstallFailed", "shop/templates/a.yaml:2:6")
    assert f"system:serviceaccount:{releases.ns}:clerk" in releases.condition(obj)["message"]


@pytest.mark.parametrize("files,metadata,texts", [
    (FINE, {"kubeVersion": ">=9.0"}, ("chart requires kubeVersion: >=9.0",)),
    (FINE, {"kubeVersion": "a b"}, ("a b",)),
    ({**FINE, "charts/child/Chart.yaml": CHILD, "values.yaml": "child: text\n"}, {}, ("child",)),
], ids=["kubeVersion", "no range", "values of a child"])
def test_charts_that_do_not_fit(releases, files, metadata, texts):
    releases.put_source("HelmChart", "chart", releases.artifact(pack(files, **metadata), "1.0.0"))
    releases.quiet()
    obj = releases.failed("InstallFailed")
    message = releases.condition(obj)["message"]
    assert "shop" in message and all(text in message for text in texts), message


def test_a_missing_source_of_values(releases):
    releases.chart(FINE)
    releases.quiet(valuesFrom=[{"kind": "Secret", "name": "nope"}])
    releases.failed("ValuesError", f"reference '{releases.ns}/nope' with key 'values.yaml'")


def test_a_hook_that_never_finishes(releases):
    releases.chart({**FINE, "templates/h.yaml": job_hook("h", "pre-install")})
    releases.quiet(install={"timeout": "1s"})
    releases.failed("InstallFailed",
                    f"failed pre-install: timeout waiting for: [Job/{releases.ns}/h status: "
                    "'InProgress': running] [shop/templates/h.yaml]")
    assert releases.statuses() == {1: "failed"}


def test_a_release_that_no_secret_holds(releases):
    noise = base64.b64encode(random.Random(1).randbytes(900_000)).decode()
    releases.chart({**FINE, "noise.txt": noise})
    releases.quiet()
    obj = releases.failed("InstallFailed", "where a Secret holds 1048576")
    assert "with chart shop@1.0.0: " in releases.condition(obj)["message"]
    assert releases.statuses() == {} and not releases.live("ConfigMap", "a")


def test_an_upgrade_that_no_secret_holds(releases):
    """What was deployed stays so, in storage and in the cluster."""
    releases.chart(FINE)
    releases.quiet()
    releases.ready()
    noise = base64.b64encode(random.Random(2).randbytes(900_000)).decode()
    releases.chart({A: config("b"), "noise.txt": noise}, version="1.0.1")
    obj = releases.failed("UpgradeFailed", "where a Secret holds 1048576")
    assert "with chart shop@1.0.1: " in releases.condition(obj)["message"]
    assert releases.statuses() == {1: "deployed"}
    assert releases.live("ConfigMap", "a") and not releases.live("ConfigMap", "b")


def test_a_stored_release_that_unpacks_to_a_great_deal(releases):
    """A few hundred kilobytes that would be 400 MiB end in a condition, not in a dead daemon."""
    releases.chart(FINE)
    releases.quiet()
    releases.ready()
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(400)) + packer.flush()
    text = base64.b64encode(base64.b64encode(bomb)).decode()
    secret = releases.path("Secret", releases.secrets()[0]["metadata"]["name"])
    code, reply = releases.api.rest.call("PATCH", secret, {"data": {"release": text}},
                                         "application/merge-patch+json")
    assert code == 200, reply
    releases.annotate(requestedAt="now")
    releases.failed("StateError", "failed to decode data", timeout=90)
    releases.api.rest.call("DELETE", secret)
    releases.annotate(requestedAt="later")
    releases.ready(version=1)


@pytest.mark.parametrize("data", ["", "!", base64.b64encode(b"no record").decode()],
                         ids=["empty", "letters", "bytes"])
def test_a_stored_release_that_is_damaged(releases, data):
    releases.chart(FINE)
    releases.quiet()
    releases.ready()
    secret = releases.path("Secret", releases.secrets()[0]["metadata"]["name"])
    text = base64.b64encode(data.encode()).decode()
    code, reply = releases.api.rest.call("PATCH", secret, {"data": {"release": text}},
                                         "application/merge-patch+json")
    assert code == 200, reply
    releases.annotate(requestedAt="now")
    releases.failed("StateError", "Could not determine release state: failed to retrieve last release "
                    'from storage: get: failed to decode data "sh.helm.release.v1.app.v1"')
    assert releases.statuses() == {1: "deployed"} and releases.live("ConfigMap", "a")
    # A release that can be read again is one like any other.
    releases.api.rest.call("DELETE", secret)
    releases.annotate(requestedAt="later")
    releases.ready(version=1)


@pytest.mark.parametrize("rule,text", [
    ({"paths": ["bad"]}, "spec.driftDetection.ignore[0]: 'bad' is no JSON pointer"),
    ({"paths": ["/a"], "target": {"kind": "("}}, "spec.driftDetection.ignore[0]: target kind")], ids=["path", "target"])
def test_H89_a_rule_of_drift_that_is_none_is_named_by_its_field(releases, rule, text):
    releases.chart({"templates/config.yaml": config()})
    releases.quiet(driftDetection={"mode": "enabled", "ignore": [rule]})
    releases.failed("StateError", text)


def test_H76_a_post_renderer_that_fails_is_told_by_its_number(releases):
    releases.chart({"templates/config.yaml": config()})
    fine = {"patches": [{"patch": '[{"op": "add", "path": "/data/a", "value": "b"}]', "target": {"kind": "ConfigMap"}}]}
    bad = {"patches": [{"patch": '[{"op": "remove", "path": "/none"}]', "target": {"kind": "ConfigMap"}}]}
    releases.quiet(postRenderers=[{"kustomize": fine}, {"kustomize": bad}])
    releases.failed("InstallFailed", "spec.postRenderers[1]: ./kustomization.yaml: patches[0]")


def test_H27_a_dependency_on_itself_is_told_so(releases):
    releases.chart({"templates/config.yaml": config()})
    releases.quiet(dependsOn=[{"name": "app"}])
    obj = releases.failed("DependencyNotReady", "it is the object itself, which waits for it")
    assert "->" not in releases.condition(obj)["message"]
