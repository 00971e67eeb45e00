"""Acceptance of the embedded API server: version, discovery, media types, bad bodies (A1..A5)."""
from tests.lib.apiserver import (  # noqa: F401 - fixtures
    CM, api, config_map, ns)


def test_A1_version(api):
    version = api.get("/version").json
    assert version["major"] == "1" and version["minor"] and version["gitVersion"].startswith("v1.")


def test_A2_readyz(api):
    reply = api.get("/readyz")
    assert (reply.code, reply.text) == (200, "ok")
    assert api.get("/livez").text == "ok" and api.get("/healthz").text == "ok"
    assert "passed" in api.get("/readyz?verbose").text


def test_A3_api_resources(api):
    lines = api.kubectl("api-resources", "--no-headers").stdout
    for name, short in (("configmaps", "cm"), ("deployments", "deploy"), ("pods", "po"),
                        ("customresourcedefinitions", "crd,crds"), ("services", "svc"),
                        ("leases", ""), ("horizontalpodautoscalers", "hpa"),
                        ("networkpolicies", "netpol"), ("priorityclasses", "pc")):
        line = [text.split() for text in lines.splitlines() if text.split()[0] == name]
        assert line, name
        assert not short or line[0][1] == short


def test_A4_aggregated_discovery(api):
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    reply = api.get("/apis", headers={"Accept": accept + ",application/json"})
    assert reply.json["kind"] == "APIGroupDiscoveryList"
    assert "as=APIGroupDiscoveryList" in reply.headers["Content-Type"]
    groups = {item["metadata"]["name"]: item for item in reply.json["items"]}
    resource = [r for r in groups["apps"]["versions"][0]["resources"]
                if r["resource"] == "deployments"][0]
    assert resource["scope"] == "Namespaced" and resource["responseKind"]["kind"] == "Deployment"
    assert {s["subresource"] for s in resource["subresources"]} == {"scale", "status"}
    again = api.get("/apis", headers={"Accept": accept, "If-None-Match": reply.headers["ETag"]})
    assert again.code == 304


def test_A5_legacy_discovery(api):
    assert api.get("/apis").json["kind"] == "APIGroupList"
    assert api.get("/api").json["versions"] == ["v1"]
    assert api.get("/apis/apps").json["preferredVersion"]["groupVersion"] == "apps/v1"
    names = [r["name"] for r in api.get("/apis/apps/v1").json["resources"]]
    assert "deployments" in names and "deployments/scale" in names


def test_delete_collection(api, ns):
    for name in ("a", "b"):
        api.post(CM % ns, config_map(name, metadata={"labels": {"x": name}}))
    assert api.delete(CM % ns + "?labelSelector=x%3Da").code == 200
    assert api.get(CM % ns + "/a").code == 404 and api.get(CM % ns + "/b").code == 200


def test_partial_metadata(api, ns):
    api.post(CM % ns, config_map("a"))
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    found = api.get(CM % ns, headers=accept).json
    assert found["kind"] == "PartialObjectMetadataList"
    assert all("data" not in item for item in found["items"])
    assert found["items"][0]["kind"] == "PartialObjectMetadata"


def test_yaml_body_and_reply(api, ns):
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yam}\ndata: {a: b}\n"
    assert api.call("POST", CM % ns, text, "application/yaml").code == 201
    shown = api.get(CM % ns + "/yam", headers={"Accept": "application/yaml"}).text
    assert "kind: ConfigMap" in shown


def test_bad_bodies(api, ns):
    assert api.call("POST", CM % ns, b"{").code == 400
    assert api.call("POST", CM % ns, b"[]").code == 400
    # One byte over: a server may close the connection on what it has not read.
    assert api.call("POST", CM % ns, b"x" * ((3 << 20) + 1)).code == 413
    assert api.call("POST", CM % ns, b"{}", "text/plain").code == 415
    assert api.post(CM % ns, {"apiVersion": "v2", "kind": "ConfigMap"}).code == 400
    assert api.post(CM % ns, config_map("A_b")).code == 422
    assert api.put(CM % ns, {}).code == 405
    assert api.get("/api/v1/namespaces/%s/nothings" % ns).code == 404
    assert api.post(CM % ns, config_map("a", {"a": 1})).code == 400
