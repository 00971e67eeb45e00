"""Acceptance of the embedded API server: finalizers, garbage, namespaces (A64..A71)."""
import uuid

from tests.lib.apiserver import (  # noqa: F401 - fixtures
    CM, MERGE, api, config_map, embedded, eventually, ns, obj, owned)


def test_A64_finalizer_holds(api, ns):
    api.post(CM % ns, config_map("a", metadata={"finalizers": ["example.com/hold"]}))
    held = api.delete(CM % ns + "/a")
    assert held.code == 200 and held.json["metadata"]["deletionTimestamp"]
    assert api.get(CM % ns + "/a").code == 200
    again = api.post(CM % ns, config_map("a"))
    assert (again.code, again.json["message"]) == (
        409, 'object is being deleted: configmaps "a" already exists')
    api.patch(CM % ns + "/a", {"metadata": {"finalizers": None}}, MERGE)
    assert api.get(CM % ns + "/a").code == 404


def test_A65_no_new_finalizers(api, ns):
    api.post(CM % ns, config_map("a", metadata={"finalizers": ["example.com/hold"]}))
    api.delete(CM % ns + "/a")
    patch = {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}}
    reply = api.patch(CM % ns + "/a", patch, MERGE)
    assert reply.code == 422 and "no new finalizers" in reply.json["message"]
    api.patch(CM % ns + "/a", {"metadata": {"finalizers": None}}, MERGE)


def test_A66_uid_precondition(api, ns):
    api.post(CM % ns, config_map("a"))
    reply = api.delete(CM % ns + "/a", {"preconditions": {"uid": "other"}})
    assert (reply.code, reply.json["reason"]) == (409, "Conflict")
    stale = api.delete(CM % ns + "/a", {"preconditions": {"resourceVersion": "1"}})
    assert (stale.code, stale.json["reason"]) == (409, "Conflict")
    assert api.get(CM % ns + "/a").code == 200


# A bare kube-apiserver has no garbage collector, so these are the embedded server's.
@embedded
def test_A67_background(api, ns):
    owner = api.post(CM % ns, config_map("owner")).json
    api.post(CM % ns, owned("child", owner))
    api.delete(CM % ns + "/owner", {"propagationPolicy": "Background"})
    assert eventually(lambda: api.get(CM % ns + "/child").code == 404)


@embedded
def test_A67_absent_owner(api, ns):
    api.post(CM % ns, config_map("namesake"))
    for name in ("ghost", "namesake"):
        owner = {"metadata": {"name": name, "uid": str(uuid.uuid4())}}
        api.post(CM % ns, owned("child", owner))
        assert eventually(lambda: api.get(CM % ns + "/child").code == 404), name


@embedded
def test_A68_foreground(api, ns):
    owner = api.post(CM % ns, config_map("owner")).json
    child = owned("child", owner, block=True)
    child["metadata"]["finalizers"] = ["example.com/hold"]
    api.post(CM % ns, child)
    api.delete(CM % ns + "/owner", {"propagationPolicy": "Foreground"})
    assert eventually(lambda: "deletionTimestamp" in
                      api.get(CM % ns + "/child").json["metadata"])
    assert api.get(CM % ns + "/owner").code == 200
    api.patch(CM % ns + "/child", {"metadata": {"finalizers": None}}, MERGE)
    assert eventually(lambda: api.get(CM % ns + "/owner").code == 404)


@embedded
def test_A69_orphan(api, ns):
    owner = api.post(CM % ns, config_map("owner")).json
    api.post(CM % ns, owned("child", owner))
    api.delete(CM % ns + "/owner", {"propagationPolicy": "Orphan"})
    assert eventually(lambda: api.get(CM % ns + "/owner").code == 404)
    child = api.get(CM % ns + "/child")
    assert child.code == 200 and "ownerReferences" not in child.json["metadata"]


@embedded
def test_A70_namespace_deletion(api):
    name = "gone-" + uuid.uuid4().hex[:6]
    api.post("/api/v1/namespaces", obj("v1", "Namespace", name))
    api.post(CM % name, config_map("a", metadata={"finalizers": ["example.com/hold"]}))
    deleted = api.delete("/api/v1/namespaces/" + name).json
    assert deleted["status"]["phase"] == "Terminating"
    refused = api.post(CM % name, config_map("b"))
    assert refused.code == 403
    assert refused.json["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    assert eventually(lambda: "deletionTimestamp" in api.get(CM % name + "/a").json["metadata"])
    api.patch(CM % name + "/a", {"metadata": {"finalizers": None}}, MERGE)
    assert eventually(lambda: api.get("/api/v1/namespaces/" + name).code == 404)
    assert api.delete("/api/v1/namespaces/default").code == 403


@embedded
def test_A71_namespace_contents(api, ns):
    assert eventually(
        lambda: api.get("/api/v1/namespaces/%s/serviceaccounts/default" % ns).code == 200)
    assert eventually(lambda: api.get(CM % ns + "/kube-root-ca.crt").code == 200)
    api.delete(CM % ns + "/kube-root-ca.crt")
    assert eventually(lambda: api.get(CM % ns + "/kube-root-ca.crt").code == 200)
