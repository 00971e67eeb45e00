"""Kustomizations end to end: health of what was applied."""
import time

import pytest
import yaml

from tests.lib.apps import (DEPLOYMENT, OWNER, app, config_map, install_crd,  # noqa: F401
                            put_status, set_deployment_status, widget_crd)
from tests.lib.net import wait_until


def test_K78_K98_wait_is_woken_by_the_watch(app, objects, api):
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, timeout="5m")
    obj = waits_for(objects)
    assert "timeout of 5m0s" in objects.condition(obj)["message"]

    def wakes():
        """Seconds from a Deployment's readiness to the Kustomization's."""
        started = time.monotonic()
        set_deployment_status(api, objects.ns)
        assert objects.condition(app.ready(), "Healthy")["reason"] == "Succeeded"
        return time.monotonic() - started
    took = [wakes()]
    while took[-1] > 4 and len(took) < 4:  # the machine may have other work, but not each time
        set_deployment_status(api, objects.ns, readyReplicas=0, availableReplicas=0)
        objects.request("Kustomization", "app", f"again-{len(took)}")
        waits_for(objects)
        took.append(wakes())
    assert took[-1] < 4, f"the watch did not wake it: {took}"
    wait_until(lambda: any("Health check passed" in m for _, _, m in objects.events("app")),
               "the event of health")


def test_K78_part_of_a_rollout_is_not_enough(app, objects, api):
    """Ready is said once all of it is there, and once for each thing that is missing not."""
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, timeout="5m", retryInterval="1h")
    waits_for(objects)
    short = [{"replicas": 0, "updatedReplicas": 0, "readyReplicas": 0, "availableReplicas": 0},
             {"updatedReplicas": 0}, {"readyReplicas": 0, "availableReplicas": 0},
             {"availableReplicas": 0},
             {"conditions": [{"type": "Available", "status": "False", "reason": "R", "message": ""},
                             {"type": "Progressing", "status": "True", "message": "",
                              "reason": "NewReplicaSetAvailable"}]}]
    for more in short:
        set_deployment_status(api, objects.ns, **more)
        objects.request("Kustomization", "app", f"look-{short.index(more)}")
        obj = objects.wait("Kustomization", "app", lambda o: o["status"].get(
            "lastHandledReconcileAt") == f"look-{short.index(more)}", "to look")  # noqa: B023
        assert objects.condition(obj)["status"] == "Unknown", more
        assert "lastAppliedRevision" not in obj["status"], more
    set_deployment_status(api, objects.ns)
    healthy = objects.condition(app.ready(), "Healthy")
    assert (healthy["status"], healthy["reason"]) == ("True", "Succeeded")


def test_K98_health_is_told_of_when_it_is_news(app, objects, api):
    def told():
        events = api.rest.get(f"/api/v1/namespaces/{objects.ns}/events")["items"]
        return sum(e["count"] for e in events if "Health check passed" in e["message"])
    app.commit({"cm.yaml": config_map("one", {"n": "1"})})
    app.kustomization(wait=True)
    app.ready()
    wait_until(lambda: told() == 1, "the first event")
    # Nor is a correction news of the same revision.
    code, reply = api.rest.call("PATCH", f"/api/v1/namespaces/{objects.ns}/configmaps/one",
                                {"data": {"n": "hand"}}, "application/merge-patch+json")
    assert code == 200, reply
    app.event(f"ConfigMap/{objects.ns}/one configured")
    app.rerun()
    app.commit({"README": "nothing of this is applied"})
    app.ready()
    app.commit({"cm.yaml": config_map("one", {"n": "2"})})
    app.ready()
    wait_until(lambda: told() > 1, "the event of what changed")
    assert told() == 2


def test_K98_a_wait_of_several_looks_is_told_of_as_one(app, objects, api):
    """What was healthy before it began is no news at its end, however often it was looked at."""
    def told():
        events = api.rest.get(f"/api/v1/namespaces/{objects.ns}/events")["items"]
        return sum(e["count"] for e in events if "Health check passed" in e["message"])

    def waits():
        objects.wait("Kustomization", "app", lambda o: objects.condition(o, "Healthy").get(
            "status") == "Unknown", "to wait for health")

    def goes_down_and_up():
        set_deployment_status(api, objects.ns, readyReplicas=0, availableReplicas=0)
        objects.request("Kustomization", "app", f"look-{objects.ns}-{told()}")
        waits()
        set_deployment_status(api, objects.ns)
        app.ready()
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, timeout="5m")
    waits()
    set_deployment_status(api, objects.ns)
    app.ready()
    wait_until(lambda: told() == 1, "the first event")
    goes_down_and_up()
    app.commit({"d.yaml": DEPLOYMENT.replace("nginx", "nginx:2")})
    waits()
    set_deployment_status(api, objects.ns)
    app.ready()
    wait_until(lambda: told() > 1, "the event of what changed")
    assert told() == 2


def test_K79_a_failing_deployment_fails_at_once(app, objects, api):
    """Also when another one may still get ready."""
    slow = DEPLOYMENT.replace("name: web", "name: slow").replace("app: web", "app: slow")
    app.commit({"d.yaml": DEPLOYMENT, "slow.yaml": slow})
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


STATEFUL_SET = """\
    apiVersion: apps/v1
    kind: StatefulSet
    metadata: {name: db}
    spec:
      serviceName: db
      selector: {matchExpressions: [{key: app, operator: In, values: [db, x]}]}
      template:
        metadata: {labels: {app: db}}
        spec: {containers: [{name: c, image: nginx}]}
    """


def test_K79_a_crashing_pod_fails_its_stateful_set(app, objects, api):
    """No controller of StatefulSets runs here: the pods are the test's."""
    def pod(name, label):
        api.apply({"apiVersion": "v1", "kind": "Pod",
                   "metadata": {"name": name, "namespace": objects.ns, "labels": {"app": label}},
                   "spec": {"containers": [{"name": "c", "image": "nginx"}]}})
        path = f"/api/v1/namespaces/{objects.ns}/pods/{name}"
        code, reply = api.rest.call("PATCH", path + "/status", {"status": {
            "phase": "Running", "containerStatuses": [{
                "name": "c", "image": "nginx", "imageID": "", "ready": False, "restartCount": 9,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}},
            "application/merge-patch+json")
        assert code == 200, reply
    app.commit({"s.yaml": STATEFUL_SET})
    app.kustomization(wait=True, timeout="5m", retryInterval="1h")
    waits_for(objects)
    pod("stranger", "other")
    objects.request("Kustomization", "app", "look")
    waits_for(objects)
    pod("db-0", "db")
    app.failed("HealthCheckFailed", "failed early due to stalled resources: ["
               f"StatefulSet/{objects.ns}/db status: 'Failed']")


def test_K81_K87_wait_leaves_itself_and_the_skipped_out(app, objects):
    skipped = DEPLOYMENT.replace("name: web}", f"name: web, annotations: {{{OWNER}ssa: Ignore}}}}", 1)
    app.commit({"cm.yaml": config_map("one"), "skipped.yaml": skipped, "self.yaml": f"""\
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
    obj = app.ready()
    assert any("web" in e["id"] for e in obj["status"]["inventory"]["entries"])


def test_K81_wait_has_no_need_of_healthChecks(app, objects, api):
    """What they name is not looked at, all that was applied is."""
    app.commit({"a.yaml": config_map("one"), "d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, healthChecks=[
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "absent", "namespace": objects.ns}])
    waits_for(objects)
    set_deployment_status(api, objects.ns)
    app.ready()


def test_K80_K4_a_missing_object_times_out(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    started = time.monotonic()
    app.kustomization(timeout="5s", retryInterval="1h", healthChecks=[
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": "absent",
         "namespace": objects.ns},
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "one", "namespace": objects.ns}])
    obj = app.failed("HealthCheckFailed", "timeout waiting for: ["
                     f"Deployment/{objects.ns}/absent status: 'NotFound'", timeout=150)
    assert time.monotonic() - started > 29, "the floor of 30 s was not kept"
    healthy = objects.condition(obj, "Healthy")
    assert healthy["status"] == "False" and healthy["reason"] == "HealthCheckFailed"
    assert "ConfigMap" not in healthy["message"]
    last = obj["status"]["history"][0]
    assert last["lastReconciledStatus"] == "HealthCheckFailed"
    assert float(last["lastReconciledDuration"].rstrip("s")) > 29, "the wait is part of it"
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
    assert not api.rest.get(path + "/ttl"), "made anew while it was waited for"
    objects.request("Kustomization", "ttl", "again")
    wait_until(lambda: api.rest.get(path + "/ttl"), "the next run to make it again")
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


@pytest.mark.parametrize("kind", ["Role", "Secret", "NetworkPolicy"])
def test_K83_kinds_named_like_built_in_ones(app, objects, api, kind):
    """Their group says what they are: their state is looked at."""
    group = f"{objects.ns}.example.test"
    install_crd(api, widget_crd(group, kind))
    app.commit({"w.yaml": yaml.safe_dump({
        "apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "w"}})})
    path = f"/apis/{group}/v1/namespaces/{objects.ns}/{kind.lower()}s/w"
    app.kustomization(wait=True)
    app.ready()
    put_status(api, path, {"conditions": [{"type": "Ready", "status": "False", "reason": "R"}]})
    objects.request("Kustomization", "app", "look")
    waits_for(objects)
    put_status(api, path, {"conditions": [{"type": "Ready", "status": "True", "reason": "R"}]})
    app.ready()


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


def test_K88_a_request_does_not_wait(app, objects):
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, timeout="5m")
    waits_for(objects)
    app.commit({"cm.yaml": config_map("one")})
    objects.ready("GitRepository", "src", revision=app.head)
    objects.request("Kustomization", "app", "now")
    wait_until(lambda: objects.configmap("one"), "the newer revision")
    waits_for(objects)


def test_K88_requests_do_not_put_the_end_of_a_wait_off(app, objects):
    """Each is for the revision that is waited for: the time-out comes when it was to come. The last one
    well before: one at that very moment would begin another wait."""
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, timeout="30s", retryInterval="1h")
    waits_for(objects)
    began, asked = time.monotonic(), 0

    def ended():
        nonlocal asked
        if asked * 3 < time.monotonic() - began < 26:
            asked += 1
            objects.request("Kustomization", "app", f"request-{asked}")
        return objects.condition(objects.get("Kustomization", "app"))["status"] == "False"
    wait_until(ended, "the end of the wait", timeout=150)
    assert time.monotonic() - began < 50, "the requests put it off"
    assert asked > 5
    app.failed("HealthCheckFailed", "timeout waiting for")


def test_K88_other_objects_have_a_wait_of_their_own(app, objects, api):
    """The values changed at the same revision: what was built of them has not waited yet."""
    app.commit({"d.yaml": DEPLOYMENT.replace("image: nginx", "image: 'nginx:${tag}'")})
    api.apply(config_map("vars", {"tag": "1"}, namespace=objects.ns))
    app.kustomization(wait=True, timeout="30s", retryInterval="1h", postBuild={
        "substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]})
    waits_for(objects)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 12, "a part of the time to pass")
    api.apply(config_map("vars", {"tag": "2"}, namespace=objects.ns))
    objects.request("Kustomization", "app", "now")
    app.failed("HealthCheckFailed", "timeout waiting for", timeout=150)
    assert time.monotonic() - began > 40, "it inherited the end of the old one's wait"


def test_K88_a_changed_spec_does_not_wait(app, objects):
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, timeout="5m")
    waits_for(objects)
    app.kustomization(wait=False)
    assert not objects.condition(app.ready(), "Healthy"), "nothing is checked any more"


def test_K88_a_changed_spec_does_not_wait_for_an_older_revision(app, objects):
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, timeout="5m")
    waits_for(objects)
    app.commit({"cm.yaml": config_map("one")})
    objects.ready("GitRepository", "src", revision=app.head)
    app.kustomization(wait=True, timeout="4m")
    wait_until(lambda: objects.configmap("one"), "the newer revision")


def test_K88_the_time_of_a_wait_is_of_the_run(app, objects, api):
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, timeout="5m")
    waits_for(objects)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 2, "some time to pass")
    set_deployment_status(api, objects.ns)
    took = app.ready()["status"]["history"][0]["lastReconciledDuration"]
    assert not took.endswith("ms") and float(took.removesuffix("s")) >= 2
