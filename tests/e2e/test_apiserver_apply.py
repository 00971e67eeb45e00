"""Acceptance of the embedded API server: server-side apply (A33..A48)."""
import json
import uuid

from tests.lib.apiserver import (  # noqa: F401 - fixtures
    APPLY, CM, DEPLOY, MERGE, STRATEGIC, api, config_map, deployment, managers, ns, rv, service,
    widgets)


def test_A33_apply_creates_then_rests(api, ns):
    first = api.apply(CM % ns + "/a", config_map("a"))
    assert first.code == 201
    again = api.apply(CM % ns + "/a", config_map("a"))
    assert again.code == 200 and rv(again) == rv(first)


def test_A34_apply_needs_manager(api, ns):
    absent = api.apply(CM % ns + "/a", config_map("a", metadata={"uid": str(uuid.uuid4())}))
    assert absent.code == 409 and "uid mismatch" in absent.json["message"]
    reply = api.patch(CM % ns + "/a", config_map("a"), APPLY)
    assert reply.code == 422 and "fieldManager" in reply.json["message"]
    forced = api.patch(CM % ns + "/a?force=true", {}, MERGE)
    assert forced.code == 422


def test_A35_conflict_and_force(api, ns):
    api.apply(CM % ns + "/a", config_map("a"), "one")
    clash = api.apply(CM % ns + "/a", config_map("a", {"k": "2"}), "two")
    assert clash.code == 409
    assert clash.json["message"] == (
        'Apply failed with 1 conflict: conflict with "one": .data.k')
    cause = clash.json["details"]["causes"][0]
    assert (cause["reason"], cause["field"]) == ("FieldManagerConflict", ".data.k")
    won = api.apply(CM % ns + "/a", config_map("a", {"k": "2"}), "two", force=True)
    assert won.code == 200 and won.json["data"]["k"] == "2"
    assert ("one", "Apply") not in managers(won)


def test_A36_shared_ownership(api, ns):
    api.apply(CM % ns + "/a", config_map("a"), "one")
    both = managers(api.apply(CM % ns + "/a", config_map("a"), "two"))
    for name in ("one", "two"):
        assert "f:k" in both[(name, "Apply")]["fieldsV1"]["f:data"]


def test_A37_dropped_field_goes(api, ns):
    api.apply(CM % ns + "/a", config_map("a", {"k": "v", "x": "y"}))
    assert api.apply(CM % ns + "/a", config_map("a")).json["data"] == {"k": "v"}


def test_A38_co_owned_field_stays(api, ns):
    api.apply(CM % ns + "/a", config_map("a", {"k": "v", "x": "y"}), "one")
    api.apply(CM % ns + "/a", config_map("a", {"x": "y"}), "two")
    assert api.apply(CM % ns + "/a", config_map("a"), "one").json["data"] == {"k": "v", "x": "y"}


def test_A39_foreign_list_items_stay(api, ns):
    body = deployment("d", env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    assert api.apply(DEPLOY % ns + "/d", body, "one").code == 201
    patch = {"spec": {"template": {"spec": {"containers": [
        {"name": "c", "env": [{"name": "C", "value": "3"}]}]}}}}
    assert api.patch(DEPLOY % ns + "/d", patch, STRATEGIC).code == 200
    fewer = api.apply(DEPLOY % ns + "/d", deployment("d", env=[{"name": "A", "value": "1"}]), "one")
    env = fewer.json["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {e["name"] for e in env} == {"A", "C"}


def test_A40_update_managers_field_survives(api, ns):
    api.apply(CM % ns + "/a", config_map("a"))
    api.patch(CM % ns + "/a", {"data": {"other": "1"}}, MERGE)
    assert api.apply(CM % ns + "/a", config_map("a")).json["data"] == {"k": "v", "other": "1"}


def test_A41_same_port_two_protocols(api, ns):
    ports = [{"name": "t", "port": 53, "protocol": "TCP"},
             {"name": "u", "port": 53, "protocol": "UDP"}]
    path = "/api/v1/namespaces/%s/services/dns" % ns
    made = api.apply(path, service("dns", ports))
    assert made.code == 201, made.text
    assert [p["protocol"] for p in made.json["spec"]["ports"]] == ["TCP", "UDP"]


def test_A42_protocol_default_in_keys(api, ns):
    path = "/api/v1/namespaces/%s/services/web" % ns
    made = api.apply(path, service("web", [{"port": 80}]))
    keys = managers(made)[("one", "Apply")]["fieldsV1"]["f:spec"]["f:ports"]
    assert 'k:{"port":80,"protocol":"TCP"}' in keys


def test_A43_tolerations_replaced(api, ns):
    body = deployment("d")
    pod = body["spec"]["template"]["spec"]
    pod["tolerations"] = [{"key": "a", "operator": "Exists"}]
    api.apply(DEPLOY % ns + "/d", body)
    pod["tolerations"] = [{"key": "b", "operator": "Exists"}]
    found = api.apply(DEPLOY % ns + "/d", body).json["spec"]["template"]["spec"]["tolerations"]
    assert found == [{"key": "b", "operator": "Exists"}]


def test_A44_status_apply_has_its_own_entry(api, widgets):
    api.apply(widgets.base + "/w", widgets.make("w"))
    status = {"apiVersion": widgets.group + "/v1", "kind": "Widget", "metadata": {"name": "w"},
              "status": {"observedGeneration": 1}}
    reply = api.apply(widgets.base + "/w/status", status, "ctl")
    assert reply.code == 200, reply.text
    entry = managers(reply)[("ctl", "Apply")]
    assert entry["subresource"] == "status"
    assert entry["fieldsV1"] == {"f:status": {"f:observedGeneration": {}}}


def test_A45_ancient_changes(api, ns):
    api.post(CM % ns + "?fieldManager=m0", config_map("a"))
    for i in range(1, 12):
        reply = api.patch(CM % ns + "/a?fieldManager=m%d" % i, {"data": {"k%d" % i: "x"}}, MERGE)
    assert ("ancient-changes", "Update") in managers(reply)
    assert len([m for m in managers(reply) if m[1] == "Update"]) <= 11


def test_A46_reset_of_managed_fields(api, ns):
    api.apply(CM % ns + "/a", config_map("a"))
    reply = api.patch(CM % ns + "/a", {"metadata": {"managedFields": [{}]}}, MERGE)
    assert reply.code == 200 and "managedFields" not in reply.json["metadata"]


def test_A47_client_apply_then_server_side(api, ns):
    text = json.dumps(config_map("a", metadata={"namespace": ns}))
    api.kubectl("apply", "-f", "-", text=text)
    other = json.dumps(config_map("a", {"k": "2"}, metadata={"namespace": ns}))
    api.kubectl("apply", "--server-side", "-f", "-", text=other)
    assert api.get(CM % ns + "/a").json["data"] == {"k": "2"}


def test_A48_unknown_field_in_apply(api, ns):
    body = config_map("a")
    body["dataa"] = {"x": "y"}
    reply = api.apply(CM % ns + "/a", body)
    assert reply.code == 500 and ".dataa: field not declared in schema" in reply.json["message"]
