"""Acceptance of the embedded API server: custom kinds (A72..A80)."""
import pytest

from tests.lib.apiserver import (  # noqa: F401 - fixtures
    MERGE, ROOT, api, eventually, ns, rv, widgets)


def test_A72_crd_established(api, widgets):
    assert eventually(lambda: any(
        c["type"] == "Established" and c["status"] == "True"
        for c in api.get(widgets.crd_path).json["status"]["conditions"]))
    api.kubectl("get", "widgets." + widgets.group, "-A")


def test_A73_crd_deletion(api, widgets):
    api.post(widgets.base, widgets.make("w"))
    watch = api.watch(widgets.base + "?watch=1&resourceVersion=" + rv(api.get(widgets.base)))
    api.delete(widgets.crd_path)
    assert eventually(lambda: api.get(widgets.crd_path).code == 404)
    assert eventually(lambda: api.get(widgets.base).code == 404)
    assert [e["type"] for e in watch.until_end()][:1] == ["DELETED"]


def test_A74_pruning(api, widgets):
    made = api.post(widgets.base, widgets.make("w", oops=1, free={"any": {"thing": 1}})).json
    assert "oops" not in made["spec"] and made["spec"]["free"] == {"any": {"thing": 1}}


def test_A75_defaults(api, widgets):
    made = api.post(widgets.base, widgets.make("w")).json
    assert made["spec"]["color"] == "red"
    assert api.get(widgets.base + "/w").json["status"] == {"observedGeneration": -1}


def test_A76_validation(api, widgets):
    reply = api.post(widgets.base, widgets.make("w", color="green"))
    assert reply.code == 422
    assert reply.json["message"].endswith(
        'is invalid: [spec.color: Unsupported value: "green": supported values: "red", "blue", '
        '<nil>: Invalid value: null: some validation rules were not checked because the object was '
        'invalid; correct the existing errors to complete validation]')
    reply = api.post(widgets.base, widgets.make("w", name="ABC"))
    cause = reply.json["details"]["causes"][0]
    assert cause["field"] == "spec.name"
    assert cause["message"] == "Invalid value: \"ABC\": spec.name in body should match '^[a-z]+$'"
    reply = api.post(widgets.base, widgets.make("w", size=0))
    assert "spec.size in body should be greater than or equal to 1" in reply.json["message"]
    reply = api.post(widgets.base, widgets.make("w", list=["a", "a"]))
    assert 'spec.list[1]: Duplicate value: "a"' in reply.json["message"]
    body = widgets.make("w")
    del body["spec"]["size"]
    assert "spec.size: Required value" in api.post(widgets.base, body).json["message"]


def test_A77_exclusive_members(api, widgets):
    reply = api.post(widgets.base, widgets.make("w", left="a", right="b"))
    assert reply.code == 422
    assert ('spec: Invalid value: "object": left and right exclude each other'
            in reply.json["message"])
    assert api.post(widgets.base, widgets.make("w", left="a")).code == 201


@pytest.mark.skipif(not list((ROOT / "deploy").glob("crds/*.yaml")), reason="no CRDs in deploy")
def test_A78_sluice_crds_load(api):
    for path in sorted((ROOT / "deploy" / "crds").glob("*.yaml")):
        api.kubectl("apply", "--server-side", "-f", str(path))
    listed = api.kubectl("get", "crd", "-o", "name").stdout
    assert "kustomizations.kustomize.toolkit.fluxcd.io" in listed


def test_A79_printer_columns(api, ns, widgets):
    api.post(widgets.base, widgets.make("w", size=7))
    status = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    api.patch(widgets.base + "/w/status", status, MERGE)
    out = api.kubectl("get", "widgets." + widgets.group, "-n", ns).stdout.splitlines()
    assert out[0].split() == ["NAME", "AGE", "READY", "SIZE"]
    assert out[1].split()[0] == "w" and out[1].split()[2:] == ["True", "7"]


def test_A80_explain(api, widgets):
    def explain():
        return api.kubectl("explain", "widgets.spec.size",
                           "--api-version=%s/v1" % widgets.group, check=False).stdout
    out = eventually(explain)
    assert "How big it is." in out and "<integer>" in out
    assert "replicas" in api.kubectl("explain", "deployment.spec").stdout
