"""Definitions that are refused or get no names, bodies with a key twice, claims that are protected, on
both API servers."""
import uuid

import pytest

from tests.lib.net import wait_until

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
REASON = "FieldValueRequired"


class Group:
    """Definitions of one group, gone with the test."""

    def __init__(self, api):
        self.rest, self.made = api.rest, []
        self.name = f"g{uuid.uuid4().hex[:8]}.example.com"

    def define(self, plural, kind, schema=None, **names):
        name = f"{plural}.{self.name}"
        self.made.append(name)
        return self.rest.call("POST", CRDS, {
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": name}, "spec": {
                "group": self.name, "scope": "Namespaced",
                "names": {"plural": plural, "kind": kind, **names},
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": {
                    "openAPIV3Schema": schema or {"type": "object"}}}]}})

    def conditions(self, plural):
        body = self.rest.get(f"{CRDS}/{plural}.{self.name}")
        return {c["type"]: (c["status"], c["reason"])
                for c in (body.get("status") or {}).get("conditions", [])}

    def is_served(self, plural):
        return self.rest.raw("GET", f"/apis/{self.name}/v1/{plural}")[0] == 200

    def drop(self, plural):
        self.rest.call("DELETE", f"{CRDS}/{plural}.{self.name}")
        wait_until(lambda: self.rest.get(f"{CRDS}/{plural}.{self.name}") is None, "the end")


@pytest.fixture
def group(api):
    made = Group(api)
    yield made
    for name in made.made:
        api.rest.call("DELETE", f"{CRDS}/{name}")


def test_A72_a_schema_that_is_not_structural_is_refused(group):
    status, reply = group.define("widgets", "Widget", {"type": "object", "properties": {
        "a": {"type": "array"}, "b": {}}})
    assert status == 422 and reply["reason"] == "Invalid"
    root = "spec.validation.openAPIV3Schema.properties"
    assert {(c["field"], c["reason"]) for c in reply["details"]["causes"]} == {
        (f"{root}[a].items", REASON), (f"{root}[b].type", REASON)}
    assert group.rest.get(f"{CRDS}/widgets.{group.name}") is None


def test_A72_a_default_that_does_not_fit_is_refused(group):
    status, reply = group.define("widgets", "Widget", {"type": "object", "properties": {
        "a": {"type": "string", "default": 5}}})
    assert status == 422
    assert [c["reason"] for c in reply["details"]["causes"]] == ["FieldValueTypeInvalid"]


def test_A72_a_kind_that_another_definition_has_waits_for_it(group):
    assert group.define("widgets", "Widget")[0] == 201
    wait_until(lambda: group.is_served("widgets"), "the kind")
    assert group.define("gadgets", "Widget")[0] == 201
    wait_until(lambda: group.conditions("gadgets").get("NamesAccepted"), "the names")
    assert group.conditions("gadgets") == {"NamesAccepted": ("False", "ListKindConflict"),
                                           "Established": ("False", "NotAccepted")}
    assert not group.is_served("gadgets")
    group.drop("widgets")
    wait_until(lambda: group.is_served("gadgets"), "the names that are free again")
    assert group.conditions("gadgets") == {"NamesAccepted": ("True", "NoConflicts"),
                                           "Established": ("True", "InitialNamesAccepted")}


def test_A26_a_key_given_twice(api, ns):
    path = f"/api/v1/namespaces/{ns}/configmaps"
    body = '{"metadata":{"name":"a"},"data":{"k":"1","k":"2"}}'
    status, reply = api.rest.call("POST", path + "?fieldValidation=Strict", body,
                                  "application/json")
    assert status == 400 and 'strict decoding error: duplicate field "data.k"' in reply["message"]
    status, reply = api.rest.call("POST", path, body, "application/json")
    assert status == 201 and reply["data"] == {"k": "2"}


def test_A65_claims_are_protected(api, ns):
    path = f"/api/v1/namespaces/{ns}/persistentvolumeclaims"
    status, reply = api.rest.call("POST", path, {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"},
        "spec": {"accessModes": ["ReadWriteOnce"],
                 "resources": {"requests": {"storage": "1024Mi"}}}})
    assert status == 201 and reply["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert reply["spec"]["resources"]["requests"] == {"storage": "1Gi"}
    assert api.rest.call("DELETE", f"{path}/c")[0] == 200
    if api.kind == "embedded":  # a bare kube-apiserver has no controller that ends the protection
        assert api.rest.get(f"{path}/c") is None
