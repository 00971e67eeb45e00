"""Kustomizations end to end: life of the object, triggers, inventory, prune, dependencies."""
import time

import pytest

from tests.lib.apps import DEPLOYMENT, OWNER, account, app, config_map, runs  # noqa: F401
from tests.lib.net import wait_until


def test_K1_ready_with_finalizer_and_inventory(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization()
    obj = app.ready()
    assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
    assert objects.condition(obj)["reason"] == "ReconciliationSucceeded"
    assert objects.condition(obj)["message"] == f"Applied revision: main@sha1:{app.head}"
    assert obj["status"]["inventory"]["entries"] == [
        {"id": f"{objects.ns}_one__ConfigMap", "v": "v1"}]
    assert obj["status"]["lastAttemptedRevision"] == f"main@sha1:{app.head}"
    history = obj["status"]["history"][0]
    assert history["lastReconciledStatus"] == "ReconciliationSucceeded"
    assert history["digest"].startswith("sha256:")
    labels = objects.configmap("one")["metadata"]["labels"]
    assert labels[OWNER + "name"] == "app" and labels[OWNER + "namespace"] == objects.ns


def test_K2_interval_needs_a_unit(app, objects, api):
    bad = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
           "metadata": {"name": "bad", "namespace": objects.ns},
           "spec": {"interval": "60", "prune": True,
                    "sourceRef": {"kind": "GitRepository", "name": "src"}}}
    assert api.rest.call("POST", objects.path("Kustomization"), bad)[0] == 422
    bad["spec"]["interval"] = "1m30s"
    assert api.rest.call("POST", objects.path("Kustomization"), bad)[0] == 201


def test_K5_a_missing_source_is_looked_for_again(app, objects, toolkit):
    app.kustomization(interval="1h", retryInterval="1s")
    objects.not_ready("Kustomization", "app", "ArtifactFailed")
    wait_until(lambda: runs(toolkit, objects.ns) >= 3, "two more looks")


def test_K5_missing_source_then_there(app, objects):
    app.kustomization(retryInterval="1h")
    obj = objects.not_ready("Kustomization", "app", "ArtifactFailed")
    assert not objects.events("app")
    app.commit({"cm.yaml": config_map("one")})
    app.ready()
    assert obj["status"].get("inventory") is None


def test_K5_a_source_that_comes_back_as_it_was(app, objects):
    """What was known of a source goes with it."""
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization(retryInterval="1h")
    app.ready()
    spec = objects.get("GitRepository", "src")["spec"]
    objects.delete("GitRepository", "src")
    objects.gone("GitRepository", "src")
    objects.request("Kustomization", "app")
    app.failed("ArtifactFailed")
    objects.apply("GitRepository", "src", spec)
    app.ready()


def test_K11_K12_new_revision_and_request(app, objects):
    app.commit({"cm.yaml": config_map("one", {"a": "1"})})
    app.kustomization()
    app.ready()
    # What changes at the source without changing its revision is nobody's concern.
    for i in range(3):
        objects.request("GitRepository", "src", f"again-{i}")
        objects.wait("GitRepository", "src", lambda o, i=i: o["status"].get(
            "lastHandledReconcileAt") == f"again-{i}", "the echo")
    app.commit({"cm.yaml": config_map("one", {"a": "2"})})
    obj = app.ready()
    assert [h["totalReconciliations"] for h in obj["status"]["history"]] == [1, 1]
    assert objects.configmap("one")["data"] == {"a": "2"}
    objects.request("Kustomization", "app", "please")
    objects.wait("Kustomization", "app",
                 lambda o: o["status"].get("lastHandledReconcileAt") == "please", "the echo")


def test_K13_suspended_does_nothing_and_deletion_orphans(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization()
    app.ready()
    objects.patch("Kustomization", "app", {"spec": {"suspend": True}})
    old = app.head
    app.commit({"cm.yaml": config_map("one", {"k": "new"})})
    objects.ready("GitRepository", "src", revision=app.head)
    objects.request("Kustomization", "app", "x")
    obj = objects.wait("Kustomization", "app",
                       lambda o: o["status"].get("lastHandledReconcileAt") == "x", "the echo")
    assert old in obj["status"]["lastAppliedRevision"]
    objects.delete("Kustomization", "app")
    objects.gone("Kustomization", "app")
    assert objects.configmap("one")


def test_K15_labelled_configmap_triggers(app, objects, api):
    app.commit({"cm.yaml": config_map("one", {"a": "${v}"})})
    values = {"apiVersion": "v1", "kind": "ConfigMap",
              "metadata": {"name": "vars", "namespace": objects.ns,
                           "labels": {"reconcile.fluxcd.io/watch": "Enabled"}},
              "data": {"v": "one"}}
    api.apply(values)
    app.kustomization(postBuild={"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]})
    app.ready()
    assert objects.configmap("one")["data"] == {"a": "one"}
    # One without the label wakes nobody.
    other = {**values, "metadata": {"name": "other", "namespace": objects.ns}}
    api.apply(other)
    app.kustomization("unwoken", namePrefix="un-", postBuild={"substituteFrom": [
        {"kind": "ConfigMap", "name": "other"}]})
    app.ready("unwoken")
    api.apply({**other, "data": {"v": "three"}})
    values["data"]["v"] = "two"
    api.apply(values)
    wait_until(lambda: objects.configmap("one")["data"] == {"a": "two"}, "the new value")
    assert objects.configmap("un-one")["data"] == {"a": "one"}


def test_K15_a_labelled_one_that_goes_or_is_a_secret(app, objects, api):
    """Its deletion wakes as well, and so does a Secret; a namesake elsewhere does not."""
    label = {"reconcile.fluxcd.io/watch": "Enabled"}
    secret = {"apiVersion": "v1", "kind": "Secret", "stringData": {"w": "one"},
              "metadata": {"name": "vars", "namespace": objects.ns, "labels": label}}
    values = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"v": "one"},
              "metadata": {"name": "vars", "namespace": objects.ns, "labels": label}}
    api.apply(values, secret)
    app.commit({"cm.yaml": config_map("one", {"a": "${v} ${w}"})})
    app.kustomization(retryInterval="1h", postBuild={"substituteFrom": [
        {"kind": "ConfigMap", "name": "vars"}, {"kind": "Secret", "name": "vars"}]})
    app.ready()
    before = app.rerun()["status"]["history"][0]["totalReconciliations"]
    api.apply({**values, "metadata": {**values["metadata"], "namespace": "flux-system"}})
    api.apply({**secret, "stringData": {"w": "two"}})
    wait_until(lambda: objects.configmap("one")["data"] == {"a": "one two"}, "the Secret's value")
    history = objects.wait("Kustomization", "app", lambda o: len(o["status"]["history"]) > 1,
                           "to tell of it")["status"]["history"]
    assert [h["totalReconciliations"] for h in history] == [1, before], "one run for it"
    app.ready()
    path = f"/api/v1/namespaces/{objects.ns}/configmaps/vars"
    assert api.rest.call("DELETE", path)[0] == 200
    app.failed("BuildFailed", "vars")
    api.apply(values)
    app.ready()


@pytest.mark.parametrize("where", ["labels", "annotations"])
def test_K71_what_the_live_object_says_keeps_it(app, objects, api, where):
    """Whoever said so, and whatever the manifest said."""
    app.commit({"a.yaml": config_map("stays"), "b.yaml": config_map("kept"),
                "c.yaml": config_map("goes")})
    app.kustomization()
    app.ready()
    path = f"/api/v1/namespaces/{objects.ns}/configmaps/"
    for name, value in (("kept", "Disabled"), ("goes", "enabled")):
        code, reply = api.rest.call("PATCH", path + name, {"metadata": {where: {
            OWNER + "prune": value}}}, "application/merge-patch+json")
        assert code == 200, reply
    app.commit({}, remove=["b.yaml", "c.yaml"])
    obj = app.ready()
    assert objects.configmap("kept") and not objects.configmap("goes")
    assert [e["id"].split("_")[1] for e in obj["status"]["inventory"]["entries"]] == ["stays"]
    told = app.event("skipped")[2]
    assert f"ConfigMap/{objects.ns}/kept skipped" in told
    assert f"ConfigMap/{objects.ns}/goes deleted" in told


def test_K71_another_owner_of_the_same_name(app, objects, api):
    """A Kustomization of that name in another namespace is another one."""
    app.commit({"a.yaml": config_map("stays"), "b.yaml": config_map("theirs")})
    app.kustomization()
    app.ready()
    path = f"/api/v1/namespaces/{objects.ns}/configmaps/theirs"
    objects.patch("Kustomization", "app", {"spec": {"suspend": True}})
    code, reply = api.rest.call("PATCH", path, {"metadata": {"labels": {
        OWNER + "namespace": "elsewhere"}}}, "application/merge-patch+json")
    assert code == 200, reply
    app.commit({}, remove=["b.yaml"])
    objects.ready("GitRepository", "src", revision=app.head)
    objects.patch("Kustomization", "app", {"spec": {"suspend": False}})
    app.ready()
    assert objects.configmap("theirs")
    app.event(f"ConfigMap/{objects.ns}/theirs skipped")


def test_K71_K73_prune(app, objects):
    kept = config_map("kept", annotations="{kustomize.toolkit.fluxcd.io/prune: disabled}")
    app.commit({"a.yaml": config_map("stays"), "b.yaml": config_map("goes"), "c.yaml": kept})
    app.kustomization()
    app.ready()
    app.commit({}, remove=["b.yaml", "c.yaml"])
    obj = app.ready()
    assert not objects.configmap("goes") and objects.configmap("kept")
    assert [e["id"] for e in obj["status"]["inventory"]["entries"]] == [
        f"{objects.ns}_stays__ConfigMap"]
    events = wait_until(lambda: [m for _, _, m in objects.events("app") if "deleted" in m],
                        "the event of the deletion")
    assert f"ConfigMap/{objects.ns}/goes deleted" in events[0]
    app.kustomization(prune=False)
    app.commit({"d.yaml": ""}, remove=["a.yaml"])
    obj = app.ready()
    assert objects.configmap("stays") and obj["status"]["inventory"]["entries"] == []


@pytest.mark.parametrize("policy, prune, left", [
    ("Orphan", True, True), ("MirrorPrune", False, True), ("MirrorPrune", True, False),
    ("Delete", False, False), ("WaitForTermination", False, False)])
def test_K75_K76_deletion_policies(app, objects, policy, prune, left):
    app.commit({"a.yaml": config_map("one")})
    app.kustomization(deletionPolicy=policy, prune=prune)
    app.ready()
    objects.delete("Kustomization", "app")
    objects.gone("Kustomization", "app")
    assert bool(objects.configmap("one")) == left


def test_K14_K89_dependencies_wake_each_other(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    depth = 6

    def chain(name):
        """Seconds until all are ready."""
        for i in reversed(range(depth)):
            depends = [{"name": f"{name}{i - 1}"}] if i else []
            app.kustomization(f"{name}{i}", dependsOn=depends, prune=False, path="./")
        started = time.monotonic()
        for i in range(depth):
            app.ready(f"{name}{i}")
        return time.monotonic() - started
    # One may have found the machine busy, but not each.
    assert any(chain(name) < 29 for name in ("link", "again", "last")), "polled, not woken"


def test_K89_unready_dependency(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization("app", dependsOn=[{"name": "nobody"}])
    obj = objects.not_ready("Kustomization", "app", "DependencyNotReady")
    assert f"{objects.ns}/nobody" in objects.condition(obj)["message"]


def test_K93_K96_impersonation(app, objects, api):
    api.kubectl("create", "serviceaccount", "limited", "-n", objects.ns)
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization(serviceAccountName="limited", retryInterval="1s")
    obj = objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    assert f"system:serviceaccount:{objects.ns}:limited" in objects.condition(obj)["message"]
    api.kubectl("create", "role", "limited", "-n", objects.ns, "--verb=*",
                "--resource=configmaps")
    api.kubectl("create", "rolebinding", "limited", "-n", objects.ns, "--role=limited",
                f"--serviceaccount={objects.ns}:limited")
    obj = app.ready()
    # The same digest with another end is another entry (K96).
    assert [h["lastReconciledStatus"] for h in obj["status"]["history"]] == [
        "ReconciliationSucceeded", "ReconciliationFailed"]


def test_K93_another_account_applies_what_is_there_already(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization(retryInterval="1h")
    app.ready()
    objects.patch("Kustomization", "app", {"spec": {"serviceAccountName": "nobody"}})
    app.failed("ReconciliationFailed", f"system:serviceaccount:{objects.ns}:nobody")


def test_K4_the_time_for_a_run(app, objects):
    """Told in messages; a timeout below 30 s counts as 30 s: see K80."""
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, interval="5m")
    revision = f"main@sha1:{app.head}"
    objects.wait("Kustomization", "app", lambda o: objects.condition(o, "Reconciling").get(
        "message") == f"Running health checks for revision {revision} with a timeout of 4m30s",
        "to tell its timeout")


def test_K6_source_without_artifact(app, objects):
    objects.apply("GitRepository", "src", {"url": "http://127.0.0.1:1/none.git",
                                           "interval": "1h", "ref": {"branch": "main"}})
    app.kustomization()
    obj = app.failed("ArtifactFailed", "Source artifact not found, retrying in 30s")
    assert "inventory" not in obj["status"] and "lastAttemptedRevision" not in obj["status"]
    assert not objects.events("app")
    objects.delete("GitRepository", "src")
    objects.gone("GitRepository", "src")
    app.commit({"cm.yaml": config_map("one")})
    app.ready()


def test_K72_a_failed_delete_is_tried_again(app, objects, api):
    account(api, objects.ns, "timid", "get,list,create,patch")
    app.commit({"a.yaml": config_map("stays"), "b.yaml": config_map("goes")})
    app.kustomization(serviceAccountName="timid", retryInterval="1s")
    app.ready()
    app.commit({"c.yaml": config_map("new")}, remove=["b.yaml"])
    obj = app.failed("PruneFailed", f"ConfigMap/{objects.ns}/goes")
    ids = [e["id"] for e in obj["status"]["inventory"]["entries"]]
    assert f"{objects.ns}_goes__ConfigMap" in ids and f"{objects.ns}_new__ConfigMap" in ids
    assert obj["status"]["history"][0]["lastReconciledStatus"] == "PruneFailed"
    wait_until(lambda: any(t == "Warning" for t, _, _ in objects.events("app")), "a Warning")
    api.kubectl("delete", "role", "timid", "-n", objects.ns)
    api.kubectl("create", "role", "timid", "-n", objects.ns, "--verb=*",
                "--resource=configmaps")
    obj = app.ready()
    assert not objects.configmap("goes")
    assert {e["id"] for e in obj["status"]["inventory"]["entries"]} == {
        f"{objects.ns}_stays__ConfigMap", f"{objects.ns}_new__ConfigMap"}


def test_K77_K97_the_account_is_gone(app, objects, api):
    account(api, objects.ns, "gone", "*")
    app.commit({"a.yaml": config_map("one")})
    app.kustomization(serviceAccountName="gone")
    app.ready()
    api.kubectl("delete", "serviceaccount", "gone", "-n", objects.ns)
    objects.delete("Kustomization", "app")
    objects.gone("Kustomization", "app")
    assert objects.configmap("one")
    kind, _, text = app.event("unable to prune objects")
    assert kind == "Warning" and f"ConfigMap/{objects.ns}/one" in text
    told = [e["metadata"]["annotations"]
            for e in api.rest.get(f"/api/v1/namespaces/{objects.ns}/events")["items"]
            if "unable to prune objects" in e["message"]]
    assert told == [{"kustomize.toolkit.fluxcd.io/revision": f"main@sha1:{app.head}"}]


def test_K76_waits_for_termination(app, objects, api):
    app.commit({"a.yaml": config_map("one", finalizers="[example.test/stuck]")})
    app.kustomization(deletionPolicy="WaitForTermination")
    app.ready()
    objects.delete("Kustomization", "app")
    wait_until(lambda: objects.configmap("one")["metadata"].get("deletionTimestamp"),
               "the deletion to begin")
    assert objects.get("Kustomization", "app")["metadata"]["finalizers"]
    path = f"/api/v1/namespaces/{objects.ns}/configmaps/one"
    api.rest.call("PATCH", path, {"metadata": {"finalizers": None}},
                  "application/merge-patch+json")
    objects.gone("Kustomization", "app")


def test_K90_a_dependency_at_an_older_revision(app, objects, api):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization("base", prune=False)
    app.ready("base")
    path = objects.path("Kustomization", "base") + "/status"
    code, reply = api.rest.call("PATCH", path, {"status": {
        "lastAppliedRevision": "main@sha1:0000"}}, "application/merge-patch+json")
    assert code == 200, reply
    app.kustomization(dependsOn=[{"name": "base"}], prune=False)
    app.failed("DependencyNotReady",
               f"dependency '{objects.ns}/base' revision is not up to date")
    app.rerun("base")
    app.ready()


@pytest.mark.parametrize("name, elsewhere", [("other", False), ("src", True)])
def test_K90_a_dependency_of_another_source(app, objects, api, git_server, name, elsewhere):
    """Its revision is another, and says nothing."""
    ns = f"{objects.ns}-other" if elsewhere else objects.ns
    if elsewhere:
        api.create_namespace(ns)
    repo = git_server.repository(f"{objects.ns}-{name}")
    repo.commit({"cm.yaml": config_map("theirs")})
    api.apply({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
               "metadata": {"name": name, "namespace": ns}, "spec": {
                   "url": git_server.url_of(repo), "interval": "1h", "ref": {"branch": "main"}}})
    app.commit({"cm.yaml": config_map("ours")})
    app.kustomization("base", sourceRef={"kind": "GitRepository", "name": name, "namespace": ns})
    objects.ready("Kustomization", "base")
    app.kustomization(dependsOn=[{"name": "base"}])
    app.ready()


def test_K96_history(app, objects):
    app.commit({"cm.yaml": config_map("one", {"n": "0"})})
    app.kustomization()
    app.ready()
    app.rerun()
    obj = app.rerun()
    assert [h["totalReconciliations"] for h in obj["status"]["history"]] == [3]
    for i in range(1, 7):
        app.commit({"cm.yaml": config_map("one", {"n": str(i)})})
        obj = app.ready()
    history = obj["status"]["history"]
    assert len(history) == 5
    assert history[0]["metadata"]["revision"] == f"main@sha1:{app.head}"
    assert len({h["digest"] for h in history}) == 5
    # What was there before moves to the front with its count.
    app.commit({"cm.yaml": config_map("one", {"n": "4"})})
    history = app.ready()["status"]["history"]
    assert history[0]["totalReconciliations"] == 2 and len(history) == 5
    assert history[0]["firstReconciled"] <= history[0]["lastReconciled"]


def test_K101_metrics_of_the_deleted_disappear(app, objects, toolkit):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization()
    app.ready()
    label = f'name="app",namespace="{objects.ns}"'
    metrics = toolkit["kustomize-controller"].metrics
    wait_until(lambda: label in metrics(), "the metrics")
    objects.delete("Kustomization", "app")
    objects.gone("Kustomization", "app")
    wait_until(lambda: label not in metrics(), "the metrics to be dropped")


def test_K49_decryption_with_an_account_needs_the_gate(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization(decryption={"provider": "sops", "serviceAccountName": "x"})
    obj = app.failed("FeatureGateDisabled", "ObjectLevelWorkloadIdentity")
    stalled = objects.condition(obj, "Stalled")
    assert stalled["status"] == "True" and stalled["reason"] == "FeatureGateDisabled"
    assert not objects.configmap("one")


def test_K71_what_another_one_has_taken_over_stays(app, objects):
    app.commit({"a/cm.yaml": config_map("one", {"by": "a"}), "b/cm.yaml": config_map("one"),
                "a/other.yaml": config_map("other")})
    app.kustomization("a", path="./a")
    app.ready("a")
    objects.patch("Kustomization", "a", {"spec": {"suspend": True}})
    app.kustomization("b", path="./b")
    app.ready("b")
    app.commit({}, remove=["a/cm.yaml"])
    objects.ready("GitRepository", "src", revision=app.head)
    objects.patch("Kustomization", "a", {"spec": {"suspend": False}})
    app.ready("a")
    assert objects.configmap("one")["metadata"]["labels"][OWNER + "name"] == "b"
    app.event(f"ConfigMap/{objects.ns}/one skipped", name="a")


def test_K76_gives_up_waiting_for_termination(app, objects):
    app.commit({"a.yaml": config_map("one", finalizers="[example.test/stuck]")})
    app.kustomization(deletionPolicy="WaitForTermination", timeout="1s")
    app.ready()
    started = time.monotonic()
    objects.delete("Kustomization", "app")
    objects.gone("Kustomization", "app", timeout=150)
    assert time.monotonic() - started > 29
    assert objects.configmap("one")["metadata"]["deletionTimestamp"]
    app.event("failed to wait for resources termination")


def test_K14_a_cycle_waits_and_recovers(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization("a", dependsOn=[{"name": "b"}], prune=False)
    app.kustomization("b", dependsOn=[{"name": "a"}], prune=False)
    for name in "ab":
        obj = app.failed("DependencyNotReady", "is not ready", name=name)
        assert "inventory" not in obj["status"]
    # Whoever came first was alone then.
    ns = objects.ns
    app.failed("DependencyNotReady", f"'{ns}/a' is not ready: they wait for each other: "
               f"{ns}/b -> {ns}/a -> {ns}/b", name="b")
    app.commit({"cm.yaml": config_map("one", {"k": "new"})})
    objects.ready("GitRepository", "src", revision=app.head)
    assert not objects.configmap("one")
    app.kustomization("b", dependsOn=None, prune=False)
    app.ready("b")
    app.ready("a")
