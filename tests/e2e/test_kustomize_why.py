"""Kustomizations end to end: what a failed wait says beyond who is not ready."""
import os
import pathlib
import subprocess

import yaml

from tests.lib.apps import (POD, account, app, install_crd, put_pod, put_status,  # noqa: F401
                            widget_crd)
from tests.lib.net import wait_until

SLUICE = pathlib.Path(os.environ["SLUICE_BUILD"], "cli", "sluice")
PULL = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling\nimage \"c:1\""}}


def deployment(name):
    return yaml.safe_dump({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
            "selector": {"matchLabels": {"app": name}}, "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": POD["containers"]}}}})


def at(api, ns, name):
    path = f"/apis/apps/v1/namespaces/{ns}/deployments/{name}"
    wait_until(lambda: api.rest.get(path), name)
    return path


def says(objects, name, text, timeout=150):
    """Both conditions of a failed wait, and its event, are that text."""
    obj = objects.wait("Kustomization", name, lambda o: objects.condition(o).get("status") ==
                       "False", "to fail", timeout)
    assert objects.condition(obj)["reason"] == "HealthCheckFailed"
    assert objects.condition(obj)["message"] == f"health check failed: {text}"
    assert objects.condition(obj, "Healthy")["message"] == text
    wait_until(lambda: ("Warning", "HealthCheckFailed", f"health check failed: {text}")
               in objects.events(name), "the event")


def test_K80_a_time_out_says_why(app, objects, api):
    """What the object says itself, and the first of its Pods that is in trouble; as upstream's text goes
    on. All of them wait at once, as each takes the least time there is."""
    ns = objects.ns
    app.commit({"web/d.yaml": deployment("web"),
                **{f"many/{n}.yaml": deployment(n) for n in "abcd"},
                "timid/d.yaml": deployment("timid")})
    account(api, ns, "timid", "*", "deployments.apps")
    wait = {"wait": True, "timeout": "30s", "retryInterval": "1h"}
    app.kustomization("web", path="./web", **wait)
    app.kustomization("many", path="./many", **wait)
    app.kustomization("timid", path="./timid", serviceAccountName="timid", **wait)
    app.kustomization("absent", path="./web", **{**wait, "wait": False, "prune": False}, healthChecks=[
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "absent", "namespace": ns}])
    put_status(api, at(api, ns, "web"), {"replicas": 1, "conditions": [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
         "message": "exceeded quota: few"}]})
    at(api, ns, "timid")
    put_pod(api, ns, "web-1", {"app": "web"}, "Pending", {
        "c": {"waiting": {"reason": "ContainerCreating"}}})
    put_pod(api, ns, "web-2", {"app": "web"}, "Pending", {"c": PULL})
    put_pod(api, ns, "b-1", {"app": "b"}, "Pending", {"c": {"waiting": {
        "reason": "ErrImagePull", "message": "long " * 1000}}})
    put_pod(api, ns, "timid-1", {"app": "timid"}, "Pending", {"c": PULL})
    says(objects, "web", f"timeout waiting for: [Deployment/{ns}/web status: 'InProgress']: "
         "updated: 0/1: exceeded quota: few: Pod web-2: container c: ImagePullBackOff: "
         "Back-off pulling image \"c:1\"")
    shown = subprocess.run([SLUICE, "get", "ks", "web", "-n", ns, "--kubeconfig", api.kubeconfig],
                           capture_output=True, text=True, timeout=60, check=True).stdout
    assert "Pod web-2: container c: ImagePullBackOff: Back-off pulling image" in shown
    names = ", ".join(f"Deployment/{ns}/{n} status: 'InProgress'" for n in "abcd")
    says(objects, "many", f"timeout waiting for: [{names}]: Deployment/{ns}/a: replicas: 0/1; "
         f"Deployment/{ns}/b: replicas: 0/1: Pod b-1: container c: ErrImagePull: "
         f"{('long ' * 1000)[:297]}...; Deployment/{ns}/c: replicas: 0/1")
    # Pods that may not be read.
    says(objects, "timid", f"timeout waiting for: [Deployment/{ns}/timid status: 'InProgress']: "
         "replicas: 0/1")
    says(objects, "absent", f"timeout waiting for: [ConfigMap/{ns}/absent status: 'NotFound']")


def test_K79_an_early_failure_says_why(app, objects, api):
    """Only those that failed are asked."""
    ns = objects.ns
    app.commit({"a.yaml": deployment("a"), "web.yaml": deployment("web")})
    app.kustomization(wait=True, timeout="5m", retryInterval="1h")
    at(api, ns, "a")
    path = at(api, ns, "web")
    put_pod(api, ns, "web-1", {"app": "web"}, "Running", {"c": {"terminated": {
        "exitCode": 3, "reason": "Error", "message": "the log's end may be anything"}}})
    put_status(api, path, {"replicas": 1, "conditions": [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
         "message": ""}]})
    says(objects, "app", f"failed early due to stalled resources: [Deployment/{ns}/web status: "
         "'Failed']: progress deadline exceeded: Pod web-1: container c: Error: it ended with code 3")


def test_K83_K84_K86_custom_resources_say_why(app, objects, api):
    """Their own Ready or Stalled, whoever judges them; an expression that cannot be asked its error."""
    ns, group = objects.ns, f"{objects.ns}.example.test"
    install_crd(api, widget_crd(group))
    names = ("plain", "busy", "judged", "stalled", "broken", "older", "going")

    def widget(name):
        held = {"finalizers": ["example.test/held"]} if name == "going" else {}
        return {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": name, **held}}
    app.commit({f"{n}/w.yaml": yaml.safe_dump(widget(n)) for n in names})

    def path(name):
        path = f"/apis/{group}/v1/namespaces/{ns}/widgets/{name}"
        wait_until(lambda: api.rest.get(path), name)
        return path

    def condition(kind, status, message):
        return {"type": kind, "status": status, "reason": "R", "message": message}

    def exprs(**rules):
        return {"healthCheckExprs": [{"apiVersion": f"{group}/v1", "kind": "Widget", **rules}]}
    more = {"judged": exprs(current="has(status.phase)"), "older": exprs(current="true"),
            "stalled": exprs(current="false", failed="has(status.phase)"),
            "broken": exprs(current="status.phase.size() > 0")}
    for name in names:  # before anybody waits for them
        first = widget(name)
        first["metadata"]["namespace"] = ns
        api.apply(first)
    put_status(api, path("plain"), {"conditions": [condition("Ready", "False", "no\nlicence")]})
    put_status(api, path("busy"), {"conditions": [
        condition("Reconciling", "True", "trying again"), condition("Ready", "False", "no licence")]})
    put_status(api, path("going"), {"conditions": [condition("Ready", "False", "no licence")]})
    put_status(api, path("judged"), {"conditions": [condition("Ready", "False", "no licence")]})
    put_status(api, path("stalled"), {"phase": "x", "conditions": [
        condition("Ready", "False", "no licence"), condition("Stalled", "True", "no such plan")]})
    put_status(api, path("older"), {"observedGeneration": 0})
    for name in names:
        app.kustomization(name, path=f"./{name}", wait=True, timeout="30s", retryInterval="1h",
                          **more.get(name, {}))
    objects.wait("Kustomization", "going", lambda o: objects.condition(o, "Healthy"), "to wait")
    assert api.rest.call("DELETE", path("going"))[0] == 200

    def text(name, status, why):
        how = "failed early due to stalled resources" if status == "Failed" else "timeout waiting for"
        return f"{how}: [Widget/{ns}/{name} status: '{status}']: {why}"
    says(objects, "stalled", text("stalled", "Failed", "Stalled is True: no such plan"))
    says(objects, "plain", text("plain", "InProgress", "Ready is False: no licence"))
    says(objects, "busy", text("busy", "InProgress",
                               "Reconciling is True: trying again: Ready is False: no licence"))
    says(objects, "judged", text("judged", "InProgress", "Ready is False: no licence"))
    says(objects, "older", text("older", "InProgress", "generation 1, observed 0"))
    says(objects, "going", text("going", "Terminating",
                                "being deleted, held by finalizers: example.test/held"))
    api.rest.call("PATCH", path("going"), {"metadata": {"finalizers": None}},
                  "application/merge-patch+json")
    obj = app.failed("HealthCheckFailed", text("broken", "Unknown", "the expression current: "),
                     name="broken", timeout=150)
    assert "status" in objects.condition(obj)["message"].split("the expression current: ")[1]
