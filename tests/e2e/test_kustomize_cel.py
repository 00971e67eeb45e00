"""Kustomizations end to end: CEL in healthCheckExprs and readyExpr."""

import pytest

from tests.lib.apps import (app, config_map, install_crd, put_status,  # noqa: F401
                            widget_crd)
from tests.lib.net import wait_until

TERMINAL = "Reconciliation failed terminally due to configuration error: "


@pytest.fixture
def widget(app, objects, api):
    """Commits a Widget; gives its group and a function that sets its status."""
    group = f"{objects.ns}.example.test"
    install_crd(api, widget_crd(group))
    app.commit({"w.yaml": f"apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: w}}\n"})
    path = f"/apis/{group}/v1/namespaces/{objects.ns}/widgets/w"
    return group, lambda **status: put_status(api, path, status)


def waits(objects):
    objects.wait("Kustomization", "app", lambda o: objects.condition(o, "Healthy").get(
        "status") == "Unknown", "to wait for health")


def looks_and_waits(objects):
    """One more run, which was asked for, finds it not ready."""
    objects.request("Kustomization", "app", "look")
    objects.wait("Kustomization", "app", lambda o: o["status"].get(
        "lastHandledReconcileAt") == "look" and objects.condition(o, "Healthy").get(
            "status") == "Unknown", "to look and to wait on")


def test_K84_order_of_health_expressions(app, objects, widget):
    group, status = widget
    app.kustomization(wait=True, timeout="5m", retryInterval="1h", healthCheckExprs=[
        {"apiVersion": f"{group}/v1", "kind": "Widget",
         "inProgress": "status.phase == 'Busy'",
         "failed": "status.phase in ['Broken', 'Done-but-broken']",
         "current": "status.phase != 'Broken'"}])
    waits(objects)
    status(phase="Busy")
    looks_and_waits(objects)
    status(phase="Done")
    app.ready()
    status(phase="Done-but-broken")
    objects.request("Kustomization", "app", "look again")
    app.failed("HealthCheckFailed", "failed early due to stalled resources: [Widget/")


def test_K84_a_kind_beats_its_group(app, objects, widget):
    group, status = widget
    app.kustomization(wait=True, timeout="5m", retryInterval="1h", healthCheckExprs=[
        {"apiVersion": f"{group}/v1beta7", "kind": "", "current": "false", "failed": "true"},
        {"apiVersion": f"{group}/v1beta7", "kind": "Widget", "current": "metadata.name == 'w'"}])
    app.ready()


def test_K84_a_group_alone(app, objects, widget):
    group, _ = widget
    app.kustomization(wait=True, timeout="5m", retryInterval="1h", healthCheckExprs=[
        {"apiVersion": "other.test/v1", "kind": "Widget", "current": "true"},
        {"apiVersion": f"{group}/v1beta7", "kind": "", "current": "false", "failed": "true"}])
    app.failed("HealthCheckFailed", "failed early due to stalled resources: [Widget/")


def test_K84_an_older_generation_is_in_progress(app, objects, widget):
    group, status = widget
    app.kustomization(wait=True, timeout="5m", retryInterval="1h", healthCheckExprs=[
        {"apiVersion": f"{group}/v1", "kind": "Widget", "current": "has(status.phase)"}])
    waits(objects)
    status(phase="Done", observedGeneration=0)
    looks_and_waits(objects)
    status(phase="Done")
    app.ready()


@pytest.mark.parametrize("check, message", [
    ({"current": "status.phase =="}, "failed to create custom status evaluator for "
     "healthchecks[0]: failed to parse the expression Current: failed to parse the CEL expression "
     "'status.phase ==': ERROR: <input>:1:16: Syntax error: mismatched input '<EOF>'"),
    ({"current": "true", "failed": "1 +"}, "failed to parse the expression Failed: "),
    ({"current": "true", "inProgress": "a b"}, "failed to parse the expression InProgress: "),
], ids=["current", "failed", "progress"])
def test_K85_a_bad_health_expression_stalls(app, objects, check, message):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization(wait=True, healthCheckExprs=[
        {"apiVersion": "example.test/v1", "kind": "Widget", **check}])
    obj = objects.not_ready("Kustomization", "app", "InvalidCELExpression")
    text = objects.condition(obj)["message"]
    assert text.startswith(TERMINAL) and message in text
    assert objects.condition(obj, "Stalled")["reason"] == "InvalidCELExpression"
    assert obj["status"]["observedGeneration"] == obj["metadata"]["generation"]
    assert not objects.configmap("one")
    wait_until(lambda: any(TERMINAL in m for _, _, m in objects.events("app")), "the event")


def test_K85_a_group_and_kind_twice(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    rule = {"apiVersion": "example.test/v1", "kind": "Widget", "current": "true"}
    app.kustomization(wait=True, healthCheckExprs=[rule, {**rule, "apiVersion":
                                                          "example.test/v2"}])
    obj = objects.not_ready("Kustomization", "app", "InvalidCELExpression")
    assert "duplicate custom health check for GroupKind Widget.example.test at healthchecks[1]" \
        in objects.condition(obj)["message"]


def test_K86_an_absent_field_waits_to_the_timeout(app, objects, widget):
    group, _ = widget
    app.kustomization(wait=True, timeout="5s", retryInterval="1h", healthCheckExprs=[
        {"apiVersion": f"{group}/v1", "kind": "Widget", "current": "status.phase == 'Done'"}])
    app.failed("HealthCheckFailed", "timeout waiting for: [Widget/"
               f"{objects.ns}/w status: 'Unknown'", timeout=150)


def test_K91_ready_expression_in_place_of_readiness(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    # A dependency that is never Ready.
    app.kustomization("dep", path="./nowhere")
    objects.not_ready("Kustomization", "dep", "ArtifactFailed")
    app.kustomization("app", dependsOn=[
        {"name": "dep", "readyExpr": "dep.spec.path == './nowhere' && self.spec.prune"}])
    app.ready()


def test_K91_ready_expression_that_does_not_hold(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization("dep")
    app.ready("dep")
    app.kustomization("app", dependsOn=[
        {"name": "dep", "readyExpr": "self.metadata.name == dep.metadata.name"}])
    obj = objects.not_ready("Kustomization", "app", "DependencyNotReady")
    assert objects.condition(obj)["message"] == \
        f"dependency '{objects.ns}/dep' is not ready according to readyExpr eval"


def test_K91_ready_expression_on_an_absent_field(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization("dep")
    app.ready("dep")
    app.kustomization("app", dependsOn=[{"name": "dep", "readyExpr": "dep.status.nope == 1"}])
    obj = objects.not_ready("Kustomization", "app", "DependencyNotReady")
    assert objects.condition(obj)["message"] == \
        "failed to evaluate the CEL expression 'dep.status.nope == 1': no such key: nope"


@pytest.mark.parametrize("expression, message", [
    ("dep.spec.path", "CEL expression output type mismatch: expected bool, got dyn"),
    ("1 + 1", "CEL expression output type mismatch: expected bool, got int"),
    ("nope == 1", "failed to parse the CEL expression 'nope == 1': ERROR: <input>:1:1: undeclared "
     "reference to 'nope' (in container '')\n | nope == 1\n | ^"),
], ids=["dyn", "int", "name"])
def test_K91_a_bad_ready_expression_is_terminal(app, objects, expression, message):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization("dep")
    app.ready("dep")
    app.kustomization("app", dependsOn=[{"name": "dep", "readyExpr": expression}])
    obj = objects.not_ready("Kustomization", "app", "InvalidCELExpression")
    assert objects.condition(obj)["message"] == \
        f"{TERMINAL}terminal error: failed to evaluate dependency dep: {message}"
    assert objects.condition(obj, "Stalled")["reason"] == "InvalidCELExpression"
