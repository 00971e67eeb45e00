"""A custom kind whose versions come and go: storage moves to another version, the old one is no
longer served, objects stored with it stay, on both API servers."""
import copy
import json
import uuid

import pytest

from tests.lib.net import wait_until

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


def version(name, served=True, storage=False):
    text = {"type": "string"}
    return {"name": name, "served": served, "storage": storage, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "spec": {"type": "object", "properties": {"a": text, "b": text}}}}}}


class Widgets:
    def __init__(self, api, ns):
        self.rest, self.ns = api.rest, ns
        self.group = f"g{uuid.uuid4().hex[:8]}.example.com"
        self.name = "widgets." + self.group
        self.crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                    "metadata": {"name": self.name},
                    "spec": {"group": self.group, "scope": "Namespaced",
                             "names": {"plural": "widgets", "kind": "Widget"}}}
        status, reply = self.rest.call("POST", CRDS, self.with_versions(
            version("v1alpha1", storage=True), version("v1")))
        assert status == 201, reply
        wait_until(lambda: self.is_served("v1alpha1") and self.is_served("v1"), "the kind")

    def with_versions(self, *versions):
        body = copy.deepcopy(self.crd)
        body["spec"]["versions"] = list(versions)
        return body

    def path(self, served, name=""):
        base = f"/apis/{self.group}/{served}/namespaces/{self.ns}/widgets"
        return base + (f"/{name}" if name else "")

    def get(self, served, name=""):
        return self.rest.get(self.path(served, name))

    def is_served(self, name):
        """By status alone: a version that is not there is answered in plain text."""
        return self.rest.raw("GET", self.path(name))[0] == 200

    def set_versions(self, *versions):
        return self.rest.call("PATCH", f"{CRDS}/{self.name}", {"spec": {
            "versions": list(versions)}}, MERGE)

    def apply(self, served, manager, **spec):
        return self.rest.call(
            "PATCH", self.path(served, "w") + f"?fieldManager={manager}",
            json.dumps({"apiVersion": f"{self.group}/{served}", "kind": "Widget",
                        "metadata": {"name": "w"}, "spec": spec}), APPLY)

    def unserve_old(self):
        status, reply = self.set_versions(version("v1alpha1", served=False),
                                          version("v1", storage=True))
        assert status == 200, reply
        wait_until(lambda: self.is_served("v1") and not self.is_served("v1alpha1"), "the change")


@pytest.fixture
def widgets(api, ns):
    made = Widgets(api, ns)
    yield made
    api.rest.call("DELETE", f"{CRDS}/{made.name}")


def test_A72_objects_of_an_unserved_version_are_read_in_the_served_one(widgets):
    assert widgets.apply("v1alpha1", "one", a="1")[0] == 201
    widgets.unserve_old()
    crd = widgets.rest.get(f"{CRDS}/{widgets.name}")
    assert crd["status"]["storedVersions"] == ["v1alpha1", "v1"]
    found = widgets.get("v1", "w")
    assert found["apiVersion"] == widgets.group + "/v1" and found["spec"] == {"a": "1"}
    listed = widgets.get("v1")
    assert listed["apiVersion"] == widgets.group + "/v1"
    assert [o["apiVersion"] for o in listed["items"]] == [widgets.group + "/v1"]
    assert [e["apiVersion"] for e in found["metadata"]["managedFields"]] == \
        [widgets.group + "/v1alpha1"]


def test_A33_apply_goes_on_after_its_version_is_unserved(widgets):
    assert widgets.apply("v1alpha1", "one", a="1", b="1")[0] == 201
    assert widgets.apply("v1alpha1", "two", b="1")[0] == 200
    widgets.unserve_old()
    status, found = widgets.apply("v1", "one", a="2")
    assert status == 200, found
    assert found["spec"] == {"a": "2", "b": "1"}, "b is still owned by two"
    entries = {(e["manager"], e["apiVersion"]) for e in found["metadata"]["managedFields"]}
    assert entries == {("one", widgets.group + "/v1"), ("two", widgets.group + "/v1alpha1")}


def test_A17_no_stored_version_leaves_the_kind(widgets):
    assert widgets.apply("v1alpha1", "one", a="1")[0] == 201
    widgets.unserve_old()
    status, reply = widgets.set_versions(version("v1", storage=True))
    assert status == 422
    assert 'status.storedVersions[0]: Invalid value: "v1alpha1"' in reply["message"]
    status, reply = widgets.rest.call("PATCH", f"{CRDS}/{widgets.name}/status",
                                      {"status": {"storedVersions": ["v1"]}}, MERGE)
    assert status == 200 and reply["status"]["storedVersions"] == ["v1"], reply
    # Migrated: each object written once.
    assert widgets.apply("v1", "one", a="2")[0] == 200
    status, reply = widgets.set_versions(version("v1", storage=True))
    assert status == 200, reply
    wait_until(lambda: widgets.get("v1", "w")["spec"] == {"a": "2"}, "the object")


def test_A73_a_kind_ends_though_its_stored_version_is_unserved(widgets):
    assert widgets.apply("v1alpha1", "one", a="1")[0] == 201
    status, reply = widgets.set_versions(version("v1alpha1", served=False, storage=True),
                                         version("v1"))
    assert status == 200, reply
    wait_until(lambda: not widgets.is_served("v1alpha1"), "the version to go")
    assert widgets.get("v1", "w")["spec"] == {"a": "1"}
    status, _ = widgets.rest.call("DELETE", f"{CRDS}/{widgets.name}")
    assert status == 200
    wait_until(lambda: widgets.rest.get(f"{CRDS}/{widgets.name}") is None, "the kind to end")
    # Nothing comes back with it.
    status, reply = widgets.rest.call("POST", CRDS, widgets.with_versions(
        version("v1", storage=True)))
    assert status == 201, reply
    wait_until(lambda: widgets.is_served("v1"), "the kind to be there again")
    assert widgets.get("v1")["items"] == []
