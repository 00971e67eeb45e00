"""How objects of a release are applied: client-side and server-side, CRDs, capabilities."""
import pytest
import yaml

from tests.lib.helm import actions, decode, helm, secrets_of, statuses, write_chart  # noqa: F401
from tests.lib.net import wait_until


def chart_of(directory, *objects, version="1.0.0", files=None):
    return write_chart(directory / version, {
        **{f"templates/o{i}.yaml": o if isinstance(o, str) else yaml.safe_dump(o)
           for i, o in enumerate(objects)}, **(files or {})}, version=version)


def config(name="config", annotations=None, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": data,
            "metadata": {"name": name, "annotations": annotations or {}}}


def web(*containers, **spec):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": {"app": "web"}}, **spec, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": c, "image": f"{c}:1"} for c in containers]}}}}


def crd(plural, *versions, schema=None):
    kind = plural[:-1].capitalize()
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.helm.example.com"}, "spec": {
                "group": "helm.example.com", "scope": "Namespaced",
                "names": {"plural": plural, "kind": kind}, "versions": [
                    {"name": v, "served": True, "storage": v == versions[-1], "schema": {
                        "openAPIV3Schema": schema or {
                            "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
                    for v in versions]}}


def custom(kind, version="v1", name="it", **spec):
    return {"apiVersion": f"helm.example.com/{version}", "kind": kind, "metadata": {"name": name},
            "spec": spec}


def get(api, ns, plural, name, group="api/v1"):
    return api.rest.get(f"/{group}/namespaces/{ns}/{plural}/{name}")


def merge(api, ns, plural, name, body, group="api/v1"):
    status, reply = api.rest.call("PATCH", f"/{group}/namespaces/{ns}/{plural}/{name}", body,
                                  "application/merge-patch+json")
    assert status == 200, reply


def managers(obj):
    return {(m["manager"], m["operation"]) for m in obj["metadata"]["managedFields"]}


CSA = {"apply": "csa", "disable_wait": True}


def test_H91_client_side_install_and_what_auto_follows(api, actions, ns, tmp_path):
    actions.ok("install", "old", ns, chart=chart_of(tmp_path, config(a="1")), **CSA)
    answer = actions.ok("upgrade", "old", ns, disable_wait=True,
                        chart=chart_of(tmp_path, config(a="2"), version="2.0.0"))
    assert [decode(s)["apply_method"] for s in secrets_of(api, ns, "old")] == ["csa", "csa"]
    assert not any(k.startswith("APPLY") for k in answer["requests"])
    live = get(api, ns, "configmaps", "config")
    assert live["data"] == {"a": "2"}
    assert managers(live) == {("helm-controller", "Update")}


def test_client_side_merges_with_what_others_changed(api, actions, ns, tmp_path):
    actions.ok("install", "merge", ns, chart=chart_of(tmp_path, web("a", "b", replicas=2)), **CSA)
    live = get(api, ns, "deployments", "web", "apis/apps/v1")
    containers = live["spec"]["template"]["spec"]["containers"]
    merge(api, ns, "deployments", "web", {"metadata": {"labels": {"theirs": "x"}}, "spec": {
        "replicas": 5, "template": {"spec": {
            "containers": [*containers, {"name": "side", "image": "side:1"}]}}}}, "apis/apps/v1")
    actions.ok("upgrade", "merge", ns, disable_wait=True,
               chart=chart_of(tmp_path, web("b", "c", replicas=2), version="2.0.0"))
    live = get(api, ns, "deployments", "web", "apis/apps/v1")
    assert live["metadata"]["labels"]["theirs"] == "x" and live["spec"]["replicas"] == 2
    assert sorted(c["name"] for c in live["spec"]["template"]["spec"]["containers"]) == \
        ["b", "c", "side"]


def test_client_side_sends_nothing_for_what_is_as_it_should(api, actions, ns, tmp_path):
    chart = chart_of(tmp_path, config(a="1"), web("a"))
    actions.ok("install", "same", ns, chart=chart, **CSA)
    answer = actions.ok("upgrade", "same", ns, chart=chart, disable_wait=True)
    assert not any(k.startswith("PATCH") for k in answer["requests"])


def test_E84_client_side_leaves_drift_in_custom_resources(api, actions, ns, tmp_path):
    api.install_crds(crd("drifters", "v1"))
    actions.ok("install", "cr", ns, chart=chart_of(tmp_path, custom("Drifter", a=1, b=2)), **CSA)
    group = "apis/helm.example.com/v1"
    merge(api, ns, "drifters", "it", {"spec": {"a": None}}, group)
    actions.ok("upgrade", "cr", ns, disable_wait=True,
               chart=chart_of(tmp_path, custom("Drifter", a=1, b=3), version="2.0.0"))
    assert get(api, ns, "drifters", "it", group)["spec"] == {"b": 3}


def test_E86_client_side_adoption_merges_custom_resources_too(api, actions, ns, tmp_path):
    api.install_crds(crd("adoptees", "v1"))
    api.apply({**custom("Adoptee", a=9, z=1), "metadata": {"name": "it", "namespace": ns}})
    actions.ok("install", "take", ns, chart=chart_of(tmp_path, custom("Adoptee", a=1)), **CSA)
    live = get(api, ns, "adoptees", "it", "apis/helm.example.com/v1")
    assert live["spec"] == {"a": 1, "z": 1}
    assert live["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"


def test_H92_force_replaces_client_side_only(api, actions, ns, tmp_path):
    chart = chart_of(tmp_path, config(a="1"))
    actions.ok("install", "force", ns, chart=chart, **CSA)
    merge(api, ns, "configmaps", "config", {"data": {"theirs": "x"}})
    answer = actions.ok("upgrade", "force", ns, chart=chart, force=True, disable_wait=True)
    assert answer["requests"]["PUT 200"] >= 3
    assert get(api, ns, "configmaps", "config")["data"] == {"a": "1"}
    answer = actions.ok("upgrade", "force", ns, chart=chart, force=True, apply="ssa",
                        disable_wait=True)
    assert answer["requests"]["APPLY 200"] == 2


def test_from_client_side_to_server_side(api, actions, ns, tmp_path):
    actions.ok("install", "move", ns, chart=chart_of(tmp_path, config(a="1", b="2")), **CSA)
    actions.ok("upgrade", "move", ns, apply="ssa", disable_wait=True,
               chart=chart_of(tmp_path, config(a="1"), version="2.0.0"))
    live = get(api, ns, "configmaps", "config")
    assert live["data"] == {"a": "1"}
    assert managers(live) == {("helm-controller", "Apply")}
    assert decode(secrets_of(api, ns, "move")[1])["apply_method"] == "ssa"


def test_E79_releases_of_helm_without_a_method_stay_client_side(api, actions, helm, ns, tmp_path):
    chart = chart_of(tmp_path, config(a="1"))
    helm("install", "csa", chart, "-n", ns, "--server-side=false")
    actions.ok("upgrade", "csa", ns, chart=chart_of(tmp_path, config(a="2"), version="2.0.0"))
    assert decode(secrets_of(api, ns, "csa")[1])["apply_method"] == "csa"
    assert get(api, ns, "configmaps", "config")["data"] == {"a": "2"}


def test_E83_another_version_is_the_same_object(api, actions, ns, tmp_path):
    api.install_crds(crd("bumps", "v1beta1", "v1"))
    actions.ok("install", "bump", ns, disable_wait=True,
               chart=chart_of(tmp_path, custom("Bump", "v1beta1", a=1)))
    uid = get(api, ns, "bumps", "it", "apis/helm.example.com/v1")["metadata"]["uid"]
    actions.ok("upgrade", "bump", ns, disable_wait=True,
               chart=chart_of(tmp_path, custom("Bump", "v1", a=2), version="2.0.0"))
    live = get(api, ns, "bumps", "it", "apis/helm.example.com/v1")
    assert live["metadata"]["uid"] == uid and live["spec"] == {"a": 2}


def crd_files(*crds):
    return {f"crds/c{i}.yaml": yaml.safe_dump(c) for i, c in enumerate(crds)}


def definition(api, name):
    return api.rest.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")


@pytest.mark.parametrize("apply", ["ssa", "csa"])
def test_H79_H80_crds_are_created_replaced_or_skipped(api, actions, ns, tmp_path, apply):
    plural = f"{apply}things"
    name, kind = f"{plural}.helm.example.com", plural[:-1].capitalize()
    options = {"apply": apply, "disable_wait": True}
    first = chart_of(tmp_path, custom(kind, a=1), files=crd_files(crd(plural, "v1")))
    answer = actions("install", "c", ns, chart=first, crds="Skip", **options)
    assert answer["state"] == "failed" and "no matches for kind" in answer["error"]
    assert "[shop/templates/o0.yaml]" in answer["error"] and not answer["stored"]
    actions.ok("install", "c", ns, chart=first, **options)
    labels = definition(api, name)["metadata"]["labels"]
    assert labels["helm.toolkit.fluxcd.io/name"] == "c"
    second = chart_of(tmp_path, custom(kind, a=1), version="2.0.0",
                      files=crd_files(crd(plural, "v1alpha1", "v1")))
    actions.ok("upgrade", "c", ns, chart=second, **options)
    assert len(definition(api, name)["spec"]["versions"]) == 1
    actions.ok("upgrade", "c", ns, chart=second, crds="CreateReplace", **options)
    assert len(definition(api, name)["spec"]["versions"]) == 2
    third = chart_of(tmp_path, config(), version="3.0.0", files=crd_files(crd("others", "v1")))
    actions.ok("upgrade", "c", ns, chart=third, crds="CreateReplace", **options)
    assert definition(api, name)


def test_H81_what_is_no_crd_is_ignored_in_crds(api, actions, ns, tmp_path):
    chart = chart_of(tmp_path, config(), files=crd_files(config("stray"), crd("strays", "v1")))
    answer = actions.ok("install", "stray", ns, chart=chart, disable_wait=True)
    assert 'ignoring ConfigMap "stray"' in answer["log"]
    assert get(api, ns, "configmaps", "stray") is None
    assert "strays" not in decode(secrets_of(api, ns, "stray")[0]).get("manifest", "")


def test_H82_crds_of_disabled_charts_are_not_applied(api, actions, ns, tmp_path):
    sub = {"charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
           "charts/sub/crds/c.yaml": yaml.safe_dump(crd("offs", "v1")),
           "Chart.yaml": yaml.safe_dump({
               "apiVersion": "v2", "name": "shop", "version": "1.0.0", "dependencies": [
                   {"name": "sub", "version": "1.0.0", "condition": "sub.enabled"}]})}
    chart = chart_of(tmp_path, config(), files=sub)
    actions.ok("install", "off", ns, chart=chart, values={"sub": {"enabled": False}},
               disable_wait=True)
    assert definition(api, "offs.helm.example.com") is None
    actions.ok("upgrade", "off", ns, chart=chart, values={"sub": {"enabled": True}},
               disable_wait=True)
    assert definition(api, "offs.helm.example.com")


SEES = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: sees}
data:
  version: {{ .Capabilities.KubeVersion.Version | quote }}
  apps: {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" | quote }}
  scale: {{ .Capabilities.APIVersions.Has "apps/v1/Scale" | quote }}
  ours: {{ .Capabilities.APIVersions.Has "helm.example.com/v1/Seen" | quote }}
  none: {{ .Capabilities.APIVersions.Has "nope.example.com/v1" | quote }}
  found: {{ (lookup "v1" "ConfigMap" .Release.Namespace "there").data.a | quote }}
  absent: {{ lookup "v1" "ConfigMap" .Release.Namespace "absent" | toJson | quote }}
  all: "{{ range (lookup "v1" "ConfigMap" .Release.Namespace "").items }}{{ .metadata.name }} {{ end }}"
"""


def test_E67_templates_see_the_cluster(api, actions, ns, tmp_path):
    api.apply({**config(a="b"), "metadata": {"name": "there", "namespace": ns}})
    api.apply({**config(a="b"), "metadata": {"name": "too", "namespace": ns}})
    chart = chart_of(tmp_path, SEES, files=crd_files(crd("seens", "v1")))
    actions.ok("install", "sees", ns, chart=chart, disable_wait=True)
    data = get(api, ns, "configmaps", "sees")["data"]
    assert data.pop("version") == api.rest.get("/version")["gitVersion"]
    # The server may publish its CA meanwhile.
    assert [name for name in data.pop("all").split() if name != "kube-root-ca.crt"] == ["there", "too"]
    assert data == {"apps": "true", "scale": "true", "ours": "true", "none": "false", "found": "b",
                    "absent": "{}"}


def test_E51_lookup_of_an_unknown_kind_fails_the_template(api, actions, ns, tmp_path):
    chart = chart_of(tmp_path, '{{ lookup "nope.example.com/v1" "Nope" "" "" }}')
    answer = actions("install", "nope", ns, chart=chart)
    assert answer["state"] == "failed" and not answer["stored"]
    assert "shop/templates/o0.yaml:1:3" in answer["error"]
    assert statuses(api, ns, "nope") == {}


def test_what_is_as_it_was_applied_costs_no_request(api, actions, ns, tmp_path):
    def objects(value):
        labels = {"helm.toolkit.fluxcd.io/name": "calm", "helm.toolkit.fluxcd.io/namespace": ns}
        same, other = config("same", a="1"), config("other", a=value)
        for obj in same, other:
            obj["metadata"]["labels"] = labels
        return same, other
    options = {"disable_wait": True, "track_drift": True}
    actions.ok("install", "calm", ns, chart=chart_of(tmp_path, *objects("1")), **options)

    def upgrade(version):
        chart = chart_of(tmp_path, *objects(version), version=version)
        return actions.ok("upgrade", "calm", ns, chart=chart, **options)["requests"]["APPLY 200"]
    wait_until(lambda n=iter(range(2, 99)): upgrade(f"{next(n)}.0.0") == 1,
               "the watch to be in step")
    merge(api, ns, "configmaps", "same", {"data": {"a": "drift"}})
    wait_until(lambda n=iter(range(100, 199)): upgrade(f"{next(n)}.0.0") == 2 or
               get(api, ns, "configmaps", "same")["data"] == {"a": "1"}, "the drift to be seen")
    assert get(api, ns, "configmaps", "same")["data"] == {"a": "1"}


def test_client_side_refuses_unknown_fields_unless_told_not_to(api, actions, ns, tmp_path):
    chart = chart_of(tmp_path, {**config(a="1"), "unknownField": "x"})
    answer = actions("install", "odd", ns, chart=chart, **CSA)
    assert answer["state"] == "failed" and "unknownField" in answer["error"]
    assert "[shop/templates/o0.yaml]" in answer["error"]
    actions.ok("upgrade", "odd", ns, chart=chart, disable_openapi=True, **CSA)
    assert get(api, ns, "configmaps", "config")["data"] == {"a": "1"}
