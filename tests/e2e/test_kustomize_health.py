"""Kustomizations end to end: health of what was applied."""
import time

import yaml

from tests.lib.apps import (DEPLOYMENT, app, config_map, install_crd,  # noqa: F401
                            put_status, set_deployment_status, widget_crd)
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


def test_K80_K4_a_missing_object_times_out(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    started = time.monotonic()
    app.kustomization(timeout="5s", retryInterval="1h", healthChecks=[
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": "absent",
         "namespace": objects.ns},
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "one", "namespace": objects.ns}])
    obj = app.failed("HealthCheckFailed", "timeout waiting for: ["
                     f"Deployment/{objects.ns}/absent status: 'NotFound'", timeout=60)
    assert time.monotonic() - started > 29, "the floor of 30 s was not kept"
    healthy = objects.condition(obj, "Healthy")
    assert healthy["status"] == "False" and healthy["reason"] == "HealthCheckFailed"
    assert "ConfigMap" not in healthy["message"]
    assert obj["status"]["history"][0]["lastReconciledStatus"] == "HealthCheckFailed"
    assert obj["status"]["inventory"]["entries"], "what was applied is not forgotten"


def job(name, **spec):
    return yaml.safe_dump({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [
            {"name": "c", "image": "x"}]}}, **spec}})


def waits_for(objects, name="app"):
    return objects.wait("Kustomization", name, lambda o: objects.condition(o, "Healthy").get(
        "status") == "Unknown", "to wait for health")


def test_K82_jobs(app, objects, api):
    path = f"/apis/batch/v1/namespaces/{objects.ns}/jobs"
    app.commit({"idle/j.yaml": job("idle", suspend=True), "run/j.yaml": job("run"),
                "ttl/j.yaml": job("ttl", ttlSecondsAfterFinished=0)})
    # The job's controller says that it is suspended.
    app.kustomization("idle", path="./idle", wait=True)
    wait_until(lambda: api.rest.get(path + "/idle"), "the suspended job")
    put_status(api, path + "/idle", {"conditions": [
        {"type": "Suspended", "status": "True", "reason": "JobSuspended", "message": ""}]})
    app.ready("idle")
    app.kustomization("run", path="./run", wait=True)
    waits_for(objects, "run")
    now = "2026-01-01T00:00:00Z"
    put_status(api, path + "/run", {"active": 1, "ready": 0, "startTime": now})
    app.kustomization("ttl", path="./ttl", wait=True)
    waits_for(objects, "ttl")
    # Done and collected between two looks.
    assert api.rest.call("DELETE", path + "/ttl?propagationPolicy=Background")[0] == 200
    app.ready("ttl")
    assert objects.condition(objects.get("Kustomization", "run"), "Healthy")["status"] == "Unknown"
    put_status(api, path + "/run", {
        "active": 0, "succeeded": 1, "startTime": now, "completionTime": now,
        "uncountedTerminatedPods": {}, "conditions": [
            {"type": t, "status": "True", "reason": "CompletionsReached", "message": "",
             "lastProbeTime": now, "lastTransitionTime": now}
            for t in ("SuccessCriteriaMet", "Complete")]})
    app.ready("run")


def test_K83_custom_resources(app, objects, api):
    group = f"{objects.ns}.example.test"
    install_crd(api, widget_crd(group))
    app.commit({"w.yaml": f"""\
        apiVersion: {group}/v1
        kind: Widget
        metadata: {{name: w}}
        """})
    path = f"/apis/{group}/v1/namespaces/{objects.ns}/widgets/w"
    app.kustomization(wait=True)
    obj = app.ready()
    assert objects.condition(obj, "Healthy")["status"] == "True"

    def condition(kind, status):
        put_status(api, path, {"conditions": [{"type": kind, "status": status, "reason": "R"}]})
    condition("Ready", "False")
    objects.request("Kustomization", "app", "look")
    waits_for(objects)
    condition("Ready", "True")
    app.ready()
    condition("Stalled", "True")
    objects.request("Kustomization", "app", "look again")
    app.failed("HealthCheckFailed", "failed early due to stalled resources")


def test_K88_a_new_revision_waits_for_its_turn(app, objects, api):
    app.commit({"d.yaml": DEPLOYMENT})
    old = app.head
    app.kustomization(wait=True, timeout="5m")
    waits_for(objects)
    app.commit({"cm.yaml": config_map("one")})
    objects.ready("GitRepository", "src", revision=app.head)
    set_deployment_status(api, objects.ns)
    obj = app.ready()
    assert objects.configmap("one")
    assert [(h["metadata"]["revision"], h["lastReconciledStatus"])
            for h in obj["status"]["history"]] == [
        (f"main@sha1:{rev}", "ReconciliationSucceeded") for rev in (app.head, old)]
    assert not any("canceled" in e[2] for e in objects.events("app"))


def test_K88_a_changed_spec_does_not_wait(app, objects):
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, timeout="5m")
    waits_for(objects)
    app.kustomization(wait=False)
    app.ready()
