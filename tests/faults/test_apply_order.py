"""In which order kustomize-controller sends what, and what a cut in the middle leaves: told by the
requests that a proxy in front of the API server sees."""
import threading
import time

import pytest

from tests.faults.conftest import config_map
from tests.lib.controllers import Toolkit
from tests.lib.fault import after_reply, hold, status
from tests.lib.net import wait_until

FORCED = "{kustomize.toolkit.fluxcd.io/force: enabled}"


@pytest.fixture(scope="module")
def toolkit(proxied, directory):
    with Toolkit(proxied, directory / "toolkit", kustomize_flags=[
            "--custom-apply-stage-kinds=rbac.authorization.k8s.io/Role"]).run() as kit:
        yield kit


def sent_for(objects, proxy, since, method):
    """A method's requests for the test's own objects, which have its namespace or name."""
    return [r for r in proxy.requests(since, method=method, path=f"/{objects.ns}(/|$)")
            if "toolkit.fluxcd.io" not in r.path and "/events" not in r.path]


def kinds_sent(objects, proxy, since, method):
    """The plurals of them in the order in which they came."""
    return [r.path.split("/")[-2] for r in sent_for(objects, proxy, since, method)]


def test_K51_K52_a_stage_is_written_before_the_next_is_asked_about(app, objects, proxy):
    """Or a dry run would be refused for what is still to come."""
    name = objects.ns
    app.commit({"all.yaml": f"""\
apiVersion: v1
kind: Service
metadata: {{name: a}}
spec: {{ports: [{{port: 80}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: b}}
spec: {{ports: [{{port: 80}}]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: r}}
rules: []
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {{name: {name}}}
provisioner: example.test/none
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: {name}}}
rules: []
"""})
    mark = proxy.mark()
    app.start()
    app.settled()
    sent = kinds_sent(objects, proxy, mark, "PATCH")
    # One Service is asked about, both are written.
    assert sent == ["clusterroles", "storageclasses", "roles"] + ["services"] * 3


def test_K71_K74_pruning(app, objects, proxy):
    """Backwards; by uid, so that a namesake made meanwhile stays; and out of the inventory only once
    it is gone."""
    others = f"""\
apiVersion: v1
kind: ServiceAccount
metadata: {{name: b}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: c}}
rules: []
---
{config_map("d", "1")}"""
    app.deploy({"a.yaml": config_map("a", "1"), "others.yaml": others})
    uid = objects.configmap("d")["metadata"]["uid"]
    gate = threading.Event()
    proxy.on(hold(gate), method="DELETE", path=f"/{objects.ns}/serviceaccounts/b$")
    mark = proxy.mark()
    try:
        app.commit({}, remove=["others.yaml"])
        proxy.wait_for("the last deletion", since=mark, method="DELETE", path="/serviceaccounts/")
        entries = objects.get("Kustomization", "app")["status"]["inventory"]["entries"]
        assert {e["id"].split("_")[1] for e in entries} == {"a", "b", "c", "d"}
    finally:
        gate.set()
    obj = app.settled()
    assert [e["id"].split("_")[1] for e in obj["status"]["inventory"]["entries"]] == ["a"]
    assert kinds_sent(objects, proxy, mark, "DELETE") == ["configmaps", "roles", "serviceaccounts"]
    options = sent_for(objects, proxy, mark, "DELETE")[0].json
    assert options["preconditions"] == {"uid": uid}
    assert options["propagationPolicy"] == "Background"


def test_K64_what_is_made_anew_takes_its_dependents_along(app, objects, proxy):
    def immutable(value):
        return {"a.yaml": config_map("a", value).replace(
            "name: a", f"name: a, annotations: {FORCED}") + "immutable: true\n"}
    app.deploy(immutable("1"))
    mark = proxy.mark()
    app.deploy(immutable("2"))
    assert [r.json["propagationPolicy"] for r in sent_for(objects, proxy, mark, "DELETE")] == [
        "Background"]


@pytest.mark.parametrize("refusal, anew", [
    (status(409, "Conflict"), True), (status(422, "Invalid"), True),
    (status(400, "BadRequest", "spec.x is immutable"), True),
    (status(400, "BadRequest", "an immutable field was changed"), True),
    (status(400, "BadRequest"), False), (status(403, "Forbidden"), False)],
    ids=["409", "422", "text", "other-text", "400", "403"])
def test_K64_what_counts_as_immutable(app, objects, proxy, refusal, anew):
    def forced(value):
        return {"a.yaml": config_map("a", value).replace("name: a",
                                                         f"name: a, annotations: {FORCED}")}
    app.deploy(forced("1"))
    uid = objects.configmap("a")["metadata"]["uid"]
    rule = proxy.on(refusal, times=1, method="PATCH", path=f"/{objects.ns}/configmaps/a$")
    app.deploy(forced("2"))
    assert rule.hits == 1 and objects.configmap("a")["data"] == {"v": "2"}
    assert (objects.configmap("a")["metadata"]["uid"] != uid) is anew


def test_K54_what_took_the_place_of_a_new_one_stays(app, objects, proxy):
    """One that was written is to be taken back, and somebody has made it anew meanwhile."""
    path = f"/api/v1/namespaces/{objects.ns}/configmaps"
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"},
              "data": {"v": "theirs"}}

    def overtaken(x):
        assert objects.api.rest.call("DELETE", f"{path}/b")[0] == 200
        assert objects.api.rest.call("POST", path, theirs)[0] == 201
        x.forward()
    rule = proxy.on(overtaken, times=1, method="DELETE", path=f"{path}/b$")
    app.commit({"a.yaml": config_map("a", "1"), "b.yaml": config_map("b", "1"),
                "z.yaml": config_map("z", "1").replace("data: {v", "data: {'a key'")})
    app.start(retryInterval="1h")
    objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    assert rule.hits == 1
    wait_until(lambda: not objects.configmap("a"), "the other one to be taken back")
    assert objects.configmap("b")["data"] == {"v": "theirs"}


def test_K56_drift_behind_a_stage_that_stopped_midway(app, objects, proxy):
    """More objects than go out at once: those that were not sent are watched as ever."""
    def maps(value):
        return {"all.yaml": "---\n".join(
            config_map(f"m{i:02}", value).replace(f"name: m{i:02}",
                                                  f"name: m{i:02}, annotations: {FORCED}")
            for i in range(72))}
    app.commit(maps("1"))
    app.start(retryInterval="1h")
    app.settled()
    rule = proxy.on(status(403, "Forbidden"), times=1, method="PATCH", query="force=true(?!.*dryRun)",
                    path=f"/{objects.ns}/configmaps/m05$")
    app.commit(maps("2"))
    objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    assert rule.hits == 1
    assert objects.configmap("m00")["data"] == {"v": "2"}
    assert objects.configmap("m70")["data"] == {"v": "1"}
    code, reply = objects.api.rest.call(
        "PATCH", f"/api/v1/namespaces/{objects.ns}/configmaps/m70?fieldManager=somebody",
        {"data": {"v": "edited"}}, "application/merge-patch+json")
    assert code == 200, reply
    wait_until(lambda: objects.configmap("m70")["data"] == {"v": "2"}, "the correction")
    app.settled()


@pytest.mark.parametrize("edit", [("PATCH", {"data": {"v": "edited"}}), ("DELETE", None)],
                         ids=["edited", "deleted"])
def test_K56_drift_before_the_reply_to_what_it_undoes(app, objects, proxy, edit):
    """Its event comes while the write is under way, as its own echo would."""
    def meddle(x):
        code, reply = objects.api.rest.call(
            edit[0], f"/api/v1/namespaces/{objects.ns}/configmaps/a?fieldManager=somebody", edit[1],
            "application/merge-patch+json")
        assert code == 200, reply
        time.sleep(0.5)  # for the watch to tell of it, which nobody else hears
    app.deploy({"a.yaml": config_map("a", "1")})
    rule = proxy.on(after_reply(meddle), times=1, method="PATCH", query="force=true(?!.*dryRun)",
                    path=f"/{objects.ns}/configmaps/a$")
    app.deploy({"a.yaml": config_map("a", "2")})
    assert rule.hits == 1
    wait_until(lambda: (objects.configmap("a") or {}).get("data") == {"v": "2"}, "the correction")
