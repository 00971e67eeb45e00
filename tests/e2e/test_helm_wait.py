"""Waiting for objects of a release (helm-controller.md 14, helm-engine.md 14)."""
import time

import yaml

from tests.lib.apps import POD, merge_status, put_pod, put_status
from tests.lib.helm import actions, statuses, write_chart  # noqa: F401
from tests.lib.net import wait_until


def labelled(release, ns, obj):
    """As origin labels leave it, so that a watch sees it."""
    obj["metadata"]["labels"] = {"helm.toolkit.fluxcd.io/name": release,
                                 "helm.toolkit.fluxcd.io/namespace": ns}
    return obj


def chart_of(directory, *objects, version="1.0.0"):
    return write_chart(directory / version, {
        f"templates/o{i}.yaml": yaml.safe_dump(o) for i, o in enumerate(objects)}, version=version)


def deployment(**spec):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": POD["containers"]}}, **spec}}


def stateful_set():
    return {**deployment(serviceName="web"), "kind": "StatefulSet"}


def crash(api, ns, name, label="web", crashed=("c",)):
    """A pod whose container crashes."""
    put_pod(api, ns, name, {"app": label}, "Running",
            {c: {"waiting": {"reason": "CrashLoopBackOff"}} for c in crashed})


def job(**spec):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"},
            "spec": {"template": {"spec": POD}, **spec}}


def service(**spec):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "svc"},
            "spec": {"ports": [{"port": 80}], **spec}}


def at(api, ns, plural, name, group="apis/apps/v1"):
    path = f"/{group}/namespaces/{ns}/{plural}/{name}"
    wait_until(lambda: api.rest.get(path), name)
    return path


def condition(kind, status="True", reason="x"):
    stamp = "2026-01-02T03:04:05Z"
    return {"type": kind, "status": status, "reason": reason, "message": "",
            "lastTransitionTime": stamp, "lastProbeTime": stamp}


STAMP = "2026-01-02T03:04:05Z"
COMPLETE = {"startTime": STAMP, "succeeded": 1, "completionTime": STAMP, "conditions": [
    condition("SuccessCriteriaMet"), condition("Complete")]}


def pending(api, ns, release):
    wait_until(lambda: statuses(api, ns, release) == {1: "pending-install"}, "pending-install")


def seconds_of_a_wake(api, actions, ns, tmp_path, action, version):
    """From a Deployment's readiness to the end of the wait for it, and those of the timer below it."""
    web = labelled("woken", ns, deployment(minReadySeconds=int(version[0])))
    actions.begin(action, "woken", ns, chart=chart_of(tmp_path, web, version=version), tell=True)
    net_ms = actions.end()["wait_ms"]  # the timer is a net below the watch
    path = at(api, ns, "deployments", "web")
    began = time.monotonic()
    put_status(api, path, {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
                           "availableReplicas": 1, "conditions": [
                               condition("Available"),
                               condition("Progressing", reason="NewReplicaSetAvailable")]})
    answer = actions.end_of_waits()
    assert answer["state"] == "succeeded", answer
    return time.monotonic() - began, net_ms / 1000


def test_a_watch_wakes_the_wait(api, actions, ns, tmp_path):
    took, net = seconds_of_a_wake(api, actions, ns, tmp_path, "install", "1.0.0")
    assert net > 4
    if took > net:  # the machine may have other work, but not each time
        took, net = min(seconds_of_a_wake(api, actions, ns, tmp_path, "upgrade", version)
                        for version in ("2.0.0", "3.0.0"))
    assert took < net


def test_H84_a_failed_deployment_ends_the_wait(api, actions, ns, tmp_path):
    actions.begin("install", "stuck", ns, chart=chart_of(tmp_path, deployment()),
                  timeout_ms=120000)
    path = at(api, ns, "deployments", "web")
    put_status(api, path, {"conditions": [
        condition("Progressing", "False", "ProgressDeadlineExceeded")]})
    answer = actions.end()
    assert answer["error"] == ("failed early due to stalled resources: "
                               f"[Deployment/{ns}/web status: 'Failed': progress deadline exceeded]")
    assert statuses(api, ns, "stuck") == {1: "failed"}


def test_H84_a_crashing_pod_fails_its_stateful_set(api, actions, ns, tmp_path):
    crash(api, ns, "stranger", "other")
    actions.begin("install", "crash", ns, chart=chart_of(tmp_path, stateful_set()),
                  timeout_ms=120000, tell=True)
    for _ in range(2):  # one look at least was after the stranger
        assert actions.end()["state"] == "waiting"
    crash(api, ns, "web-0")
    assert actions.end_of_waits()["error"] == (
        f"failed early due to stalled resources: [StatefulSet/{ns}/web status: 'Failed': "
        "Pod web-0: container c: CrashLoopBackOff]")
    assert statuses(api, ns, "crash") == {1: "failed"}


def test_H86_expressions_come_before_pods(api, actions, ns, tmp_path):
    crash(api, ns, "web-0")
    answer = actions("install", "cel", ns, chart=chart_of(tmp_path, stateful_set()),
                     timeout_ms=4000, exprs=[{"apiVersion": "apps/v1", "kind": "StatefulSet",
                                              "current": "has(status.readyReplicas)"}])
    assert answer["error"] == (f"timeout waiting for: [StatefulSet/{ns}/web status: 'InProgress': "
                               "Pod web-0: container c: CrashLoopBackOff]")


def test_legacy_waits_are_not_ended_by_pods_of_stateful_sets(api, actions, ns, tmp_path):
    crash(api, ns, "web-0")
    answer = actions("install", "old", ns, chart=chart_of(tmp_path, stateful_set()),
                     legacy_wait=True, timeout_ms=4000)
    assert answer["error"] == (f"timeout waiting for: [StatefulSet/{ns}/web status: 'InProgress': "
                               "replicas: 0/1: Pod web-0: container c: CrashLoopBackOff]")


def test_H83_hooks_that_are_stateful_sets_are_ready_at_once(api, actions, ns, tmp_path):
    crash(api, ns, "web-0")
    hook = stateful_set()
    hook["metadata"]["annotations"] = {"helm.sh/hook": "post-install"}
    actions.ok("install", "hooked", ns, chart=chart_of(tmp_path, hook), timeout_ms=20000)


def test_H83_a_crashing_pod_of_a_hook_may_still_end(api, actions, ns, tmp_path):
    """Only its phase counts."""
    hook = {"apiVersion": "v1", "kind": "Pod", "spec": POD,
            "metadata": {"name": "hook", "annotations": {"helm.sh/hook": "pre-install"}}}
    actions.begin("install", "pods", ns, chart=chart_of(tmp_path, hook), tell=True)
    path = at(api, ns, "pods", "hook", "api/v1")
    crash(api, ns, "hook")
    for _ in range(2):
        assert actions.end()["state"] == "waiting"
    merge_status(api, path, {"phase": "Succeeded"})
    assert actions.end_of_waits()["state"] == "succeeded"
    actions.ok("uninstall", "pods", ns, disable_wait=True)


def test_H83_a_failed_pod_fails_its_hook(api, actions, ns, tmp_path):
    hook = {"apiVersion": "v1", "kind": "Pod", "spec": POD,
            "metadata": {"name": "hook", "annotations": {"helm.sh/hook": "pre-install"}}}
    actions.begin("install", "fails", ns, chart=chart_of(tmp_path, hook))
    merge_status(api, at(api, ns, "pods", "hook", "api/v1"), {"phase": "Failed"})
    assert actions.end()["error"] == (
        "failed pre-install: failed early due to stalled resources: "
        f"[Pod/{ns}/hook status: 'Failed'] [shop/templates/o0.yaml]")


def test_a_job_that_is_complete_stays_so_while_it_goes(api, actions, ns, tmp_path):
    """Something else deletes it in the foreground, and its pods are slow."""
    going = job()
    going["metadata"]["finalizers"] = ["example.com/hold"]
    actions.begin("install", "going", ns, chart=chart_of(tmp_path, going))
    path = at(api, ns, "jobs", "job", "apis/batch/v1")
    pending(api, ns, "going")
    code, reply = api.rest.call("DELETE", path, {"propagationPolicy": "Background"})
    assert code in (200, 202), reply
    merge_status(api, path, COMPLETE)
    answer = actions.end()
    assert answer["state"] == "succeeded", answer
    api.rest.call("PATCH", path, {"metadata": {"finalizers": None}}, "application/merge-patch+json")


def test_a_wait_times_out(api, actions, ns, tmp_path):
    answer = actions("install", "slow", ns, chart=chart_of(tmp_path, deployment()), timeout_ms=4000)
    assert answer["error"] == f"timeout waiting for: [Deployment/{ns}/web status: 'InProgress': replicas: 0/1]"


def test_a_wait_that_fails_says_what_the_pods_say(api, actions, ns, tmp_path):
    """Of the first that has something to tell. What a container said at its end may be anything."""
    chart = chart_of(tmp_path, deployment(), job())
    beginning = {"waiting": {"reason": "ContainerCreating"}}
    pull = {"waiting": {"reason": "ImagePullBackOff", "message": "no such\nimage"}}
    ended = {"terminated": {"exitCode": 3, "reason": "Error", "message": "the log's end"}}
    actions.begin("install", "pods", ns, chart=chart, timeout_ms=6000, tell=True)
    pending(api, ns, "pods")
    for name, labels, state in (("a", {"app": "web"}, beginning), ("b", {"app": "web"}, pull),
                                ("c", {"app": "stranger"}, ended), ("d", {"job-name": "job"}, ended)):
        put_pod(api, ns, name, labels, "Pending", {"c": state})
    put_status(api, at(api, ns, "deployments", "web"), {"replicas": 1, "conditions": [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "over quota"}]})
    assert actions.end_of_waits()["error"] == (
        f"timeout waiting for: [Deployment/{ns}/web status: 'InProgress': updated: 0/1: over quota: "
        "Pod b: container c: ImagePullBackOff: no such image, "
        f"Job/{ns}/job status: 'InProgress': running: Pod d: container c: Error: it ended with code 3]")


def test_paused_deployments_are_not_waited_for(api, actions, ns, tmp_path):
    actions.ok("install", "paused", ns, chart=chart_of(tmp_path, deployment(paused=True)))


def test_jobs_are_awaited_unless_told_not_to(api, actions, ns, tmp_path):
    chart = chart_of(tmp_path, job())
    actions.begin("install", "jobs", ns, chart=chart, tell=True)
    path = at(api, ns, "jobs", "job", "apis/batch/v1")
    stamp = "2026-01-02T03:04:05Z"
    merge_status(api, path, {"startTime": stamp, "active": 1})
    for _ in range(2):  # one look at least was after it
        assert actions.end()["state"] == "waiting"
    merge_status(api, path, {"active": 0, "succeeded": 1, "completionTime": stamp, "conditions": [
        condition("SuccessCriteriaMet"), condition("Complete")]})
    answer = actions.end_of_waits()
    assert answer["state"] == "succeeded", answer
    actions.ok("uninstall", "jobs", ns, disable_wait=True)
    wait_until(lambda: api.rest.get(path) is None, "the job to be gone")
    actions.begin("install", "jobs", ns, chart=chart, disable_wait_for_jobs=True)
    merge_status(api, at(api, ns, "jobs", "job", "apis/batch/v1"),
                 {"startTime": stamp, "active": 1})
    answer = actions.end()
    assert answer["state"] == "succeeded", answer


def test_H85_a_job_that_its_ttl_deleted_has_ended(api, actions, ns, tmp_path):
    actions.begin("install", "ttl", ns, chart=chart_of(tmp_path, job(ttlSecondsAfterFinished=1)))
    path = at(api, ns, "jobs", "job", "apis/batch/v1")
    pending(api, ns, "ttl")
    code, reply = api.rest.call("DELETE", path, {"propagationPolicy": "Background"})
    assert code == 200, reply
    answer = actions.end()
    assert answer["state"] == "succeeded", answer


def test_H86_expressions_decide(api, actions, ns, tmp_path):
    claim = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "claim"},
             "data": {"state": "bad"}}
    exprs = [{"apiVersion": "v1", "kind": "ConfigMap", "current": "data.state == 'good'",
              "failed": "data.state == 'bad'"}]
    answer = actions("install", "cel", ns, chart=chart_of(tmp_path, claim), exprs=exprs)
    assert answer["error"].endswith(f"[ConfigMap/{ns}/claim status: 'Failed']")
    claim["data"]["state"] = "unsure"
    answer = actions("upgrade", "cel", ns, exprs=exprs, timeout_ms=4000,
                     chart=chart_of(tmp_path, claim, version="2.0.0"))
    assert answer["error"].startswith("timeout waiting for: ")
    claim["data"]["state"] = "good"
    actions.ok("upgrade", "cel", ns, exprs=exprs,
               chart=chart_of(tmp_path, claim, version="3.0.0"))


def test_H83_without_a_wait_only_hooks_are_awaited(api, actions, ns, tmp_path):
    hook = job()
    hook["metadata"] = {"name": "hook", "annotations": {"helm.sh/hook": "post-install"}}
    actions.begin("install", "early", ns, disable_wait=True,
                  chart=chart_of(tmp_path, deployment(), hook))
    path = at(api, ns, "jobs", "hook", "apis/batch/v1")
    assert statuses(api, ns, "early") == {1: "pending-install"}
    stamp = "2026-01-02T03:04:05Z"
    merge_status(api, path, {"startTime": stamp, "succeeded": 1, "completionTime": stamp,
                             "conditions": [condition("SuccessCriteriaMet"),
                                            condition("Complete")]})
    answer = actions.end()
    assert answer["state"] == "succeeded", answer


def test_uninstall_waits_for_what_is_slow_to_go(api, actions, ns, tmp_path):
    held = {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "held", "finalizers": ["example.com/hold"]}}
    chart = chart_of(tmp_path, held)
    actions.ok("install", "hold", ns, chart=chart)
    answer = actions("uninstall", "hold", ns, timeout_ms=4000)
    assert answer["error"] == (
        f"uninstallation completed with 1 error(s): ConfigMap/{ns}/held termination timeout: "
        "context deadline exceeded")
    path = f"/api/v1/namespaces/{ns}/configmaps/held"
    assert api.rest.get(path)["metadata"]["deletionTimestamp"]
    api.rest.call("PATCH", path, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    assert statuses(api, ns, "hold") == {}


LEGACY = {"legacy_wait": True, "timeout_ms": 90000}


def test_legacy_deployments_need_their_newest_replicas(api, actions, ns, tmp_path):
    actions.begin("install", "old", ns, chart=chart_of(tmp_path, deployment(replicas=2)),
                  legacy_wait=True, timeout_ms=90000)
    path = at(api, ns, "deployments", "web")
    revision = {"deployment.kubernetes.io/revision": "2"}
    api.apply({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {
        "name": "web-1", "namespace": ns, "annotations": revision, "labels": {"app": "web"}},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": POD["containers"]}}}})
    api.rest.call("PATCH", path, {"metadata": {"annotations": revision}},
                  "application/merge-patch+json")
    put_status(api, path, {"replicas": 2})
    put_status(api, f"/apis/apps/v1/namespaces/{ns}/replicasets/web-1",
               {"replicas": 2, "readyReplicas": 2, "fullyLabeledReplicas": 2})
    answer = actions.end()
    assert answer["state"] == "succeeded", answer


def test_legacy_kinds_without_rules_are_ready(api, actions, ns, tmp_path):
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    actions.ok("install", "plain", ns, chart=chart_of(tmp_path, config, service()), **LEGACY)


def test_legacy_load_balancers_need_an_address(api, actions, ns, tmp_path):
    actions.begin("install", "lb", ns, chart=chart_of(tmp_path, service(type="LoadBalancer")),
                  legacy_wait=True)
    path = at(api, ns, "services", "svc", "api/v1")
    pending(api, ns, "lb")
    merge_status(api, path, {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}})
    answer = actions.end()
    assert answer["state"] == "succeeded", answer


def test_legacy_jobs_fail_beyond_their_limit(api, actions, ns, tmp_path):
    actions.begin("install", "job", ns, chart=chart_of(tmp_path, job(backoffLimit=0)),
                  legacy_wait=True)
    path = at(api, ns, "jobs", "job", "apis/batch/v1")
    merge_status(api, path, {"startTime": "2026-01-02T03:04:05Z", "failed": 1})
    assert actions.end()["error"].endswith(f"[Job/{ns}/job status: 'Failed']")
