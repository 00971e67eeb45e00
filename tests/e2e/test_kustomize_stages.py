"""Stages end to end: what is waited for before the rest is applied, and for how long."""
import time

import yaml

from tests.lib.apps import (OWNER, app, config_map, install_crd, put_status,  # noqa: F401
                            widget_crd)
from tests.lib.net import wait_until


def put_ready(api, path, status):
    put_status(api, path, {"conditions": [{"type": "Ready", "status": status, "reason": "R"}]})


def install(api, group, kind):
    install_crd(api, widget_crd(group, kind))


def test_K53_a_foreign_namespace_keeps_nobody_waiting(app, objects, api):
    """A kind that is only called so: nothing stands in it."""
    group = f"{objects.ns}.example.test"
    install(api, group, "Namespace")
    foreign = {"apiVersion": f"{group}/v1", "kind": "Namespace",
               "metadata": {"name": "w", "namespace": objects.ns}}
    api.apply(foreign)
    put_ready(api, f"/apis/{group}/v1/namespaces/{objects.ns}/namespaces/w", "False")
    app.commit({"first.yaml": yaml.safe_dump(foreign), "cm.yaml": config_map("after")})
    app.kustomization()
    app.ready()
    assert objects.configmap("after")


def start_unready_class(app, objects, api, files):
    """A Kustomization of a WidgetClass that is not ready, and those files; its path once it was
    written."""
    group = f"{objects.ns}.example.test"
    install(api, group, "WidgetClass")
    manifest = {"apiVersion": f"{group}/v1", "kind": "WidgetClass",
                "metadata": {"name": "w", "namespace": objects.ns}}
    api.apply(manifest)
    path = f"/apis/{group}/v1/namespaces/{objects.ns}/widgetclasss/w"
    put_ready(api, path, "False")
    app.commit({"class.yaml": yaml.safe_dump(manifest), **files})
    app.kustomization(retryInterval="1h")
    wait_until(lambda: OWNER + "name" in api.rest.get(path)["metadata"].get("labels", {}),
               "the class to be written")
    return path


def test_K82_a_stage_that_got_ready_is_waited_for_no_more(app, objects, api):
    """A Job that its time to live collected is made again: nothing waits."""
    path = start_unready_class(app, objects, api, {"j.yaml": yaml.safe_dump({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"},
        "spec": {"ttlSecondsAfterFinished": 600, "template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}}}})})
    put_ready(api, path, "True")
    app.ready()
    job = f"/apis/batch/v1/namespaces/{objects.ns}/jobs/j"
    assert api.rest.call("DELETE", job + "?propagationPolicy=Background")[0] == 200
    wait_until(lambda: not api.rest.get(job), "the Job to be gone")
    app.rerun()
    wait_until(lambda: api.rest.get(job), "the next run to make it again")


def test_K53_each_wait_for_a_stage_has_its_own_minute(app, objects, api):
    """Takes the minute of one that ended well, then begins another."""
    path = start_unready_class(app, objects, api, {"cm.yaml": config_map("after")})
    began = time.monotonic()
    put_ready(api, path, "True")
    app.ready()
    wait_until(lambda: time.monotonic() - began > 62, "the minute to be over", timeout=150)
    put_ready(api, path, "False")
    # What is drift makes the run look at its stage.
    code, reply = api.rest.call("PATCH", path, {"metadata": {"labels": {OWNER + "name": "x"}}},
                                "application/merge-patch+json")
    assert code == 200, reply
    obj = objects.wait("Kustomization", "app", lambda o: objects.condition(o)["status"] != "True",
                       "to look at the class")
    assert objects.condition(obj)["status"] == "Unknown", objects.condition(obj)
    put_ready(api, path, "True")
    app.ready()
