"""Kustomizations end to end: health of what was applied."""
import time

from tests.lib.apps import DEPLOYMENT, app, config_map, set_deployment_status  # noqa: F401
from tests.lib.net import wait_until


def test_K78_K98_wait_is_woken_by_the_watch(app, objects, api):
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, timeout="5m")
    obj = objects.wait("Kustomization", "app", lambda o: objects.condition(o, "Healthy").get(
        "status") == "Unknown", "to wait for health")
    assert "timeout of 5m0s" in objects.condition(obj)["message"]
    started = time.monotonic()
    set_deployment_status(api, objects.ns)
    obj = app.ready()
    assert time.monotonic() - started < 4, "the watch did not wake it"
    assert objects.condition(obj, "Healthy")["reason"] == "Succeeded"
    wait_until(lambda: any("Health check passed" in m for _, _, m in objects.events("app")),
               "the event of health")


def test_K79_a_failing_deployment_fails_at_once(app, objects, api):
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, timeout="5m", retryInterval="1h")
    objects.wait("Kustomization", "app", lambda o: objects.condition(o, "Healthy").get(
        "status") == "Unknown", "to wait for health")
    set_deployment_status(api, objects.ns, readyReplicas=0, availableReplicas=0, conditions=[
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
         "message": ""}])
    obj = objects.not_ready("Kustomization", "app", "HealthCheckFailed")
    assert f"failed early due to stalled resources: [Deployment/{objects.ns}/web" in \
        objects.condition(obj)["message"]
    assert objects.condition(obj, "Healthy")["status"] == "False"


def test_K81_K87_wait_leaves_itself_and_the_skipped_out(app, objects):
    app.commit({"cm.yaml": config_map("one"), "self.yaml": f"""\
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {{name: app}}
        spec:
          interval: 1h
          prune: true
          wait: true
          path: ./
          targetNamespace: {objects.ns}
          sourceRef: {{kind: GitRepository, name: src}}
        """})
    app.kustomization(wait=True)
    app.ready()
