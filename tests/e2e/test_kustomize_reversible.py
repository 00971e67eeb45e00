"""ConfigMaps and Secrets are written without a dry run, and taken back where one is refused."""
import re

import pytest

from tests.lib.apps import app, config_map  # noqa: F401
from tests.lib.net import wait_until

BAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndata: {'a key': x}\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 99999}]}\n"


def applies(toolkit, method="APPLY"):
    return sum(int(n) for n in re.findall(
        rf'rest_client_requests_total\{{[^}}]*method="{method}"[^}}]*\}} (\d+)',
        toolkit["kustomize-controller"].metrics()))


def maps(value, count=4):
    return {f"{i}.yaml": config_map(f"c{i}", {"v": value}) for i in range(count)}


def secret(name, value, **more):
    extra = "".join(f"{k}: {v}\n" for k, v in more.items())
    return (f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\n"
            f"stringData: {{v: {value}}}\n{extra}")


def live(objects, name, plural="configmaps"):
    code, obj = objects.api.rest.call("GET", f"/api/v1/namespaces/{objects.ns}/{plural}/{name}")
    return obj if code == 200 else None


def fields(obj):
    """Who owns what; the times of writes left out."""
    return sorted((m["manager"], m["operation"], str(m["fieldsV1"]))
                  for m in obj["metadata"]["managedFields"])


def stay_gone(objects, *names):
    for name in names:
        wait_until(lambda name=name: not live(objects, name), f"{name} to be taken back")


def test_K54_maps_and_secrets_need_no_dry_run(app, toolkit):  # noqa: F811
    before = applies(toolkit)
    app.commit({**maps("1"), "s.yaml": secret("s", "1")})
    app.kustomization()
    app.ready()
    assert applies(toolkit) - before == 5, "new objects"
    app.event(f"ConfigMap/{app.objects.ns}/c3 created")
    before = applies(toolkit)
    app.commit({**maps("2"), "s.yaml": secret("s", "2")})
    app.ready()
    assert applies(toolkit) - before == 5, "known objects"
    app.event(f"ConfigMap/{app.objects.ns}/c3 configured")
    assert app.objects.configmap("c3")["data"] == {"v": "2"}


def test_K54_new_ones_are_taken_back(app, objects, toolkit):  # noqa: F811
    app.commit({**maps("1"), "s.yaml": secret("s", "1"), "z.yaml": BAD})
    app.kustomization(retryInterval="1h")
    obj = objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    message = objects.condition(obj)["message"]
    assert f"ConfigMap/{objects.ns}/bad [z.yaml:1] dry-run failed (Invalid)" in message
    stay_gone(objects, "c0", "c1", "c2", "c3")
    assert not live(objects, "s", "secrets")
    assert not obj["status"].get("inventory", {}).get("entries")
    assert not [m for _, _, m in objects.events("app") if "created" in m]
    before, deleted = applies(toolkit), applies(toolkit, "DELETE")
    assert deleted
    app.rerun()
    assert applies(toolkit) - before == 5 + 2, "all asked for; the refused one is its own check first"
    assert applies(toolkit, "DELETE") == deleted, "something was written and taken back again"
    stay_gone(objects, "c0", "c1", "c2", "c3")
    app.commit({**maps("1"), "s.yaml": secret("s", "1"), "z.yaml": config_map("good")})
    app.ready()


def test_K54_known_ones_are_put_back(app, objects, toolkit):  # noqa: F811
    fixed = secret("fixed", "1", immutable="true")
    app.commit({**maps("1"), "s.yaml": secret("s", "1"), "z.yaml": fixed})
    app.kustomization(retryInterval="1h")
    first = app.ready()
    before = {name: live(objects, name) for name in ("c0", "c1", "c2", "c3")}
    app.commit({**maps("2"), "s.yaml": secret("s", "2"), "z.yaml": fixed.replace("v: 1", "v: 2")})
    obj = objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    assert f"Secret/{objects.ns}/fixed" in objects.condition(obj)["message"]
    assert obj["status"]["inventory"] == first["status"]["inventory"]
    for name, old in before.items():
        now = live(objects, name)
        assert now["data"] == {"v": "1"} and fields(now) == fields(old), name
    assert live(objects, "s", "secrets")["data"] == {"v": "MQ=="}
    version = live(objects, "c0")["metadata"]["resourceVersion"]
    app.rerun()
    assert live(objects, "c0")["metadata"]["resourceVersion"] == version, "asked for, not written"
    # What was put back is not what the manifest says, although that was written once.
    app.commit({**maps("2"), "z.yaml": fixed, "s.yaml": secret("s", "2")})
    app.ready()
    assert live(objects, "c0")["data"] == {"v": "2"}
    code, _ = objects.api.rest.call(
        "PATCH", f"/api/v1/namespaces/{objects.ns}/configmaps/c1?fieldManager=x",
        {"data": {"v": "hand"}},
        "application/merge-patch+json")
    assert code == 200
    wait_until(lambda: live(objects, "c1")["data"] == {"v": "2"}, "drift to be undone as ever")


def test_K54_an_existing_one_is_not_overwritten(app, objects):  # noqa: F811
    """Known only to the server: it is asked for first, and stays when another is refused."""
    objects.api.rest.call("POST", f"/api/v1/namespaces/{objects.ns}/configmaps", {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c1"},
        "data": {"v": "theirs", "w": "theirs"}})
    before = live(objects, "c1")
    app.commit({**maps("1"), "z.yaml": BAD})
    app.kustomization(retryInterval="1h")
    objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    assert live(objects, "c1") == before
    stay_gone(objects, "c0", "c2", "c3")
    app.commit({"z.yaml": config_map("good")})
    app.ready()
    assert live(objects, "c1")["data"] == {"v": "1", "w": "theirs"}


def test_K54_one_that_exists_is_written_with_the_others(app, objects):  # noqa: F811
    objects.api.rest.call("POST", f"/api/v1/namespaces/{objects.ns}/configmaps", {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c1"},
        "data": {"v": "theirs", "w": "theirs"}})
    app.commit(maps("1"))
    app.kustomization()
    app.ready()
    assert live(objects, "c1")["data"] == {"v": "1", "w": "theirs"}
    assert live(objects, "c3")["data"] == {"v": "1"}


@pytest.mark.parametrize("round_", ["new", "known"])
def test_K54_what_acts_is_asked_for_first(app, objects, round_):  # noqa: F811
    """A refused Service: not even for a moment is a ConfigMap of its stage another."""
    if round_ == "known":
        app.commit(maps("1"))
    else:
        app.commit({**maps("2"), "svc.yaml": SERVICE})
    app.kustomization(retryInterval="1h")
    before = {}
    if round_ == "known":
        app.ready()
        before = {name: live(objects, name) for name in ("c0", "c1", "c2", "c3")}
        app.commit({**maps("2"), "svc.yaml": SERVICE})
    objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    for name in ("c0", "c1", "c2", "c3"):
        assert live(objects, name) == before.get(name)


def test_K54_what_cannot_be_put_back_is_told(app, objects):  # noqa: F811
    """An account that may delete half of what it wrote: that is taken back."""
    ns = objects.ns
    for version, plural, body in (
            ("api/v1", "serviceaccounts", {"kind": "ServiceAccount", "apiVersion": "v1",
                                           "metadata": {"name": "writer"}}),
            ("apis/rbac.authorization.k8s.io/v1", "roles", {
                "kind": "Role", "apiVersion": "rbac.authorization.k8s.io/v1",
                "metadata": {"name": "writer"}, "rules": [
                    {"apiGroups": [""], "resources": ["configmaps"],
                     "verbs": ["get", "list", "watch", "create", "patch"]},
                    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["delete"],
                     "resourceNames": ["c2", "c3"]}]}),
            ("apis/rbac.authorization.k8s.io/v1", "rolebindings", {
                "kind": "RoleBinding", "apiVersion": "rbac.authorization.k8s.io/v1",
                "metadata": {"name": "writer"}, "subjects": [
                    {"kind": "ServiceAccount", "name": "writer", "namespace": ns}],
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
                            "name": "writer"}})):
        code, reply = objects.api.rest.call("POST", f"/{version}/namespaces/{ns}/{plural}", body)
        assert code == 201, reply
    for verb, name in (("create", ""), ("delete", "c3")):
        objects.api.wait_allowed(f"system:serviceaccount:{ns}:writer", verb, "configmaps", ns, name=name)
    app.commit({**maps("1"), "z.yaml": BAD})
    app.kustomization(serviceAccountName="writer", retryInterval="1h")
    obj = objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    message = objects.condition(obj)["message"]
    assert f"ConfigMap/{ns}/c0 was written and could not be put back" in message
    assert f"ConfigMap/{ns}/bad" in message
    assert message.count("could not be put back") == 1, "the first is enough"
    assert live(objects, "c0") and live(objects, "c1")
    stay_gone(objects, "c2", "c3")
    assert not [m for _, _, m in objects.events("app") if "created" in m]


@pytest.mark.parametrize("where", ["data", "binaryData"])
def test_K54_what_is_large_is_asked_for(app, objects, toolkit, where):  # noqa: F811
    """No copy of it is kept, so its change could not be taken back."""
    def large(value):
        return {f"{i}.yaml": config_map(f"c{i}", {"v": value}) +
                ("" if where == "data" else f"{where}:\n") + f"  w: {'x' * 600_000}\n"
                for i in range(2)}
    app.commit(large("1"))
    app.kustomization()
    app.ready()
    before = applies(toolkit)
    app.commit(large("2"))
    app.ready()
    assert applies(toolkit) - before == 1 + 2, "a dry run, and both written"
    assert objects.configmap("c1")["data"]["v"] == "2"
