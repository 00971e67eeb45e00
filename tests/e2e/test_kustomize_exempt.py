"""Objects that are to be left alone, end to end: by a manifest's word or by that of the live object,
also where the server would refuse what the manifest asks for."""
import pytest

from tests.lib.apps import (DEPLOYMENT, OWNER, app, config_map,  # noqa: F401
                            set_deployment_status)
from tests.lib.net import wait_until


def immutable(value, **metadata):
    return config_map("one", {"a": value}, **metadata) + "immutable: true\n"


def annotate(api, path, key, value):
    code, reply = api.rest.call("PATCH", path, {"metadata": {"annotations": {OWNER + key: value}}},
                                "application/merge-patch+json")
    assert code == 200, reply


def stays(app, objects, before):
    app.ready()
    after = objects.configmap("one")
    assert after["metadata"]["uid"] == before["metadata"]["uid"], "was deleted and made anew"
    assert after["data"] == before["data"]


@pytest.fixture
def path(objects):
    return f"/api/v1/namespaces/{objects.ns}/configmaps/one"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("annotations, live", [
    ("ssa: IfNotPresent", "made-by: hand"), ("made-by: us", "reconcile: Disabled"),
    ("made-by: us", "ssa: ignore"), ("reconcile: enabled", "reconcile: disabled")])
def test_K60_K61_what_is_left_alone_is_not_refused(app, objects, api, annotations, live, force):
    """It was there before: only the server knows what it says."""
    api.apply(immutable("theirs", namespace=objects.ns, annotations=f"{{{OWNER}{live}}}"))
    before = objects.configmap("one")
    app.commit({"cm.yaml": immutable("ours", annotations=f"{{{OWNER}{annotations}}}")})
    app.kustomization(force=force, retryInterval="1h")
    stays(app, objects, before)
    app.rerun()
    stays(app, objects, before)


@pytest.mark.parametrize("force", [False, True])
def test_K61_an_applied_object_that_was_exempted_is_not_refused(app, objects, api, path, force):
    app.commit({"cm.yaml": immutable("1")})
    app.kustomization(force=force, retryInterval="1h")
    app.ready()
    annotate(api, path, "reconcile", "disabled")
    before = objects.configmap("one")
    app.commit({"cm.yaml": immutable("2")})
    stays(app, objects, before)


def test_K61_the_manifest_does_not_hide_what_the_object_says(app, objects, api):
    """The dry run is taken, and its reply shows the manifest's word."""
    api.apply(config_map("one", {"a": "theirs"}, namespace=objects.ns,
                         annotations=f"{{{OWNER}reconcile: disabled}}"))
    before = objects.configmap("one")
    app.commit({"cm.yaml": config_map("one", {"a": "ours"},
                                      annotations=f"{{{OWNER}reconcile: enabled}}")})
    app.kustomization(retryInterval="1h")
    stays(app, objects, before)
    assert objects.configmap("one")["metadata"]["annotations"][OWNER + "reconcile"] == "disabled"


def test_K64_force_by_the_live_object(app, objects, api, path):
    app.commit({"cm.yaml": immutable("1")})
    app.kustomization(retryInterval="1h")
    app.ready()
    annotate(api, path, "force", "Enabled")
    before = objects.configmap("one")
    app.commit({"cm.yaml": immutable("2")})
    app.ready()
    after = objects.configmap("one")
    assert after["data"] == {"a": "2"} and after["metadata"]["uid"] != before["metadata"]["uid"]


def test_K81_an_object_exempted_in_the_cluster_is_not_waited_for(app, objects, api):
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, retryInterval="1h")
    objects.wait("Kustomization", "app", lambda o: objects.condition(o, "Healthy").get(
        "status") == "Unknown", "to wait for health")
    set_deployment_status(api, objects.ns)
    app.ready()
    annotate(api, f"/apis/apps/v1/namespaces/{objects.ns}/deployments/web", "reconcile", "disabled")
    set_deployment_status(api, objects.ns, readyReplicas=0, availableReplicas=0, conditions=[
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
         "message": ""}])
    # The watch may tell of the annotation a moment after the request came.
    wait_until(lambda: objects.condition(app.rerun())["status"] == "True", "it to be left out")
    obj = objects.get("Kustomization", "app")
    assert not objects.condition(obj, "Healthy"), "nothing is left to check"
