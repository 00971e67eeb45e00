"""HelmReleases over time: tests, drift, waiting, hooks, deletion, the end of the daemon."""
import time

import pytest

from tests.lib.net import wait_until
from tests.lib.releases import (BROKEN, chart_server, config, controller_with,  # noqa: F401
                                deployment, job_hook, pack, releases, template)

helm_controller = controller_with("--concurrent=2", "--requeue-dependency=1s",
                                  "--min-retry-delay=50ms", "--max-retry-delay=500ms")

CONFIG = {"templates/config.yaml": config("config", {"v": "1"})}
WEB = {"templates/web.yaml": deployment()}


def with_test(name="check", annotations=None):
    return {**CONFIG, f"templates/{name}.yaml": job_hook(name, "test", annotations)}


def test_H22_a_missing_file_is_waited_for(releases):
    # Of its own: a chart that is known by its digest is not fetched again.
    artifact = releases.artifact(pack({"templates/own.yaml": config(releases.ns)}), "1.0.0")
    path = "/" + artifact["path"]
    releases.server.gone.add(path)
    releases.put_source("HelmChart", "chart", artifact)
    releases.quiet()
    releases.failed("ArtifactFailed", "Source not ready: artifact not found. Retrying in 1s")
    assert not [e for e in releases.objects.events("app") if e[1] == "ArtifactFailed"]
    releases.server.gone.discard(path)
    releases.ready()


# --- tests ---

def test_H71_tests_pass(releases):
    releases.chart(with_test())
    releases.quiet(test={"enable": True})
    obj = releases.objects.wait(
        "HelmRelease", "app", lambda o: releases.condition(o, "TestSuccess"), "to await tests")
    releases.end_job("check")
    obj = releases.ready()
    condition = releases.condition(obj, "TestSuccess")
    assert condition["status"] == "True" and condition["reason"] == "TestSucceeded"
    assert condition["message"] == (
        f"Helm test succeeded for release {releases.ns}/app.v1 with chart shop@1.0.0: "
        "1 test hook completed successfully")
    assert releases.condition(obj)["reason"] == "TestSucceeded"
    hooks = obj["status"]["history"][0]["testHooks"]
    assert hooks["check"]["phase"] == "Succeeded" and hooks["check"]["lastStarted"]


def test_H72_a_failed_test_is_counted_and_remediated(releases):
    releases.chart(CONFIG)
    releases.quiet(test={"enable": True}, upgrade={"remediation": {"retries": 0,
                   "remediateLastFailure": True}}, rollback={"disableWait": True})
    releases.ready()
    releases.chart(with_test(), version="2.0.0")
    releases.end_job("check", succeeded=False)
    obj = releases.stalled()
    assert obj["status"]["upgradeFailures"] == 1
    assert releases.condition(obj)["reason"] == "RollbackSucceeded"
    assert releases.statuses() == {1: "superseded", 2: "superseded", 3: "deployed"}
    assert releases.event("Helm test failed")[:2] == ("Warning", "TestFailed")


def test_H72_ignored_failures_leave_it_ready(releases):
    releases.chart(with_test())
    releases.quiet(test={"enable": True, "ignoreFailures": True})
    releases.end_job("check", succeeded=False)
    obj = releases.objects.wait(
        "HelmRelease", "app",
        lambda o: releases.condition(o, "TestSuccess").get("status") == "False", "to fail")
    obj = releases.ready()
    assert releases.condition(obj)["reason"] == "InstallSucceeded"
    assert "installFailures" not in obj["status"]


def test_H73_H75_no_tests_and_no_longer_tested(releases):
    releases.chart(CONFIG)
    releases.quiet(test={"enable": True})
    obj = releases.ready()
    assert obj["status"]["history"][0]["testHooks"] == {}
    assert "no test hooks" in releases.condition(obj, "TestSuccess")["message"]
    releases.quiet()
    obj = releases.ready()
    assert releases.condition(obj, "TestSuccess") == {}


@pytest.mark.parametrize("filters,runs", [
    ([{"name": "one"}], ["one"]), ([{"name": "one", "exclude": True}], ["two"])])
def test_H74_filters(releases, filters, runs):
    releases.chart({**with_test("one"), **with_test("two")})
    releases.quiet(test={"enable": True, "filters": filters})
    for name in runs:
        releases.end_job(name)
    obj = releases.ready()
    assert list(obj["status"]["history"][0]["testHooks"]) == runs
    assert not [n for n in ("one", "two") if n not in runs and releases.live("Job", n)]


# --- drift ---

def change(releases, data, name="config"):
    code, reply = releases.api.rest.call(
        "PATCH", releases.path("ConfigMap", name) + "?fieldManager=somebody", {"data": data},
        "application/merge-patch+json")
    assert code == 200, reply


def test_H87_drift_is_only_told(releases):
    releases.chart(CONFIG)
    releases.quiet(driftDetection={"mode": "warn"})
    obj = releases.ready()
    assert releases.condition(obj, "Drifted")["reason"] == "NoDriftDetected"
    change(releases, {"v": "other"})
    obj = releases.objects.wait(
        "HelmRelease", "app", lambda o: releases.condition(o, "Drifted").get("status") == "True",
        "to tell of drift")
    message = releases.condition(obj, "Drifted")["message"]
    assert message == (f"Cluster state of release {releases.ns}/app.v1 has drifted from the "
                       f"desired state:\nConfigMap/{releases.ns}/config changed "
                       "(0 additions, 1 changes, 0 removals)")
    assert releases.event("has drifted")[:2] == ("Warning", "DriftDetected")
    assert releases.live("ConfigMap", "config")["data"] == {"v": "other"}


def test_H88_drift_is_undone_within_a_second(releases):
    releases.chart({**CONFIG, "templates/other.yaml": config("other")})
    releases.quiet(driftDetection={"mode": "enabled"})
    releases.ready()
    took = []
    while len(took) < 3 or min(took) > 1 and len(took) < 20:  # whatever else this machine is doing
        change(releases, {"v": f"not {len(took)}"})
        since = time.monotonic()
        wait_until(lambda: releases.live("ConfigMap", "config")["data"] == {"v": "1"},
                   "the field to come back")
        took.append(time.monotonic() - since)
    assert min(took) < 1, took
    releases.api.rest.call("DELETE", releases.path("ConfigMap", "other"))
    wait_until(lambda: releases.live("ConfigMap", "other"), "the object to come back")
    obj = releases.ready()
    assert releases.statuses() == {1: "deployed"} and obj["status"]["history"][0]["version"] == 1
    assert releases.event("has been corrected")[:2] == ("Normal", "DriftCorrected")


def test_H89_an_ignored_field_is_no_drift(releases):
    releases.chart({**CONFIG, **WEB})
    releases.quiet(driftDetection={"mode": "enabled", "ignore": [
        {"paths": ["/spec/replicas"], "target": {"kind": "Deployment"}}]})
    releases.ready()
    path = releases.path("Deployment", "web") + "?fieldManager=hpa"
    code, reply = releases.api.rest.call("PATCH", path, {"spec": {"replicas": 5}},
                                         "application/merge-patch+json")
    assert code == 200, reply
    change(releases, {"v": "2"})
    wait_until(lambda: releases.live("ConfigMap", "config")["data"] == {"v": "1"}, "correction")
    obj = releases.rerun()
    assert releases.live("Deployment", "web")["spec"]["replicas"] == 5
    assert releases.condition(obj, "Drifted")["status"] == "False"


@pytest.mark.parametrize("where", ["live", "empty path"])
def test_H90_an_exempt_object_is_left_alone(releases, where):
    releases.chart(CONFIG)
    rules = [{"paths": [""], "target": {"kind": "ConfigMap"}}] if where == "empty path" else []
    releases.quiet(driftDetection={"mode": "enabled", "ignore": rules})
    releases.ready()
    if where == "live":
        code, _ = releases.api.rest.call(
            "PATCH", releases.path("ConfigMap", "config"), {"metadata": {"annotations": {
                "helm.toolkit.fluxcd.io/driftDetection": "disabled"}}},
            "application/merge-patch+json")
        assert code == 200
    change(releases, {"v": "2"})
    obj = releases.rerun()
    assert releases.condition(obj, "Drifted")["status"] == "False"
    assert releases.live("ConfigMap", "config")["data"] == {"v": "2"}


def test_H90_what_the_manifest_exempts_is_not_made_again(releases):
    releases.chart({"templates/config.yaml": config("config", {"v": "1"}, annotations={
        "helm.toolkit.fluxcd.io/driftDetection": "disabled"})})
    releases.quiet(driftDetection={"mode": "enabled"})
    releases.ready()
    releases.api.rest.call("DELETE", releases.path("ConfigMap", "config"))
    obj = releases.rerun()
    assert releases.condition(obj, "Drifted")["reason"] == "NoDriftDetected"
    assert not releases.live("ConfigMap", "config")


def freeze(releases, name):
    """Nobody can change it any more: a dry run is refused."""
    code, reply = releases.api.rest.call(
        "PATCH", releases.path("ConfigMap", name), {"immutable": True, "data": {"v": "frozen"}},
        "application/merge-patch+json")
    assert code == 200, reply


def test_H88_what_cannot_be_looked_at_hides_no_drift(releases):
    releases.chart({**CONFIG, "templates/stuck.yaml": config("stuck", {"v": "1"})})
    releases.quiet(driftDetection={"mode": "enabled"})
    releases.ready()
    freeze(releases, "stuck")
    change(releases, {"v": "2"})
    releases.annotate(requestedAt="now")
    wait_until(lambda: releases.live("ConfigMap", "config")["data"] == {"v": "1"}, "correction")
    releases.failed("StateError", "immutable")
    assert releases.statuses() == {1: "deployed"}


def test_H88_a_correction_that_fails_tells_nothing_of_secrets(releases):
    """Who may not write any more cannot make again what is gone."""
    def rights(verbs):
        releases.api.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                            "metadata": {"name": "clerk", "namespace": releases.ns},
                            "rules": [{"apiGroups": [""], "resources": ["secrets", "configmaps"],
                                       "verbs": verbs}]})
    rights(["*"])
    releases.api.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                        "metadata": {"name": "clerk", "namespace": releases.ns},
                        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "clerk"},
                        "subjects": [{"kind": "ServiceAccount", "name": "clerk", "namespace": releases.ns}]})
    releases.chart({**CONFIG, "templates/gone.yaml": config("gone"),
                    "templates/secret.yaml": template("Secret", "hidden", stringData={"k": "v"})})
    releases.quiet(serviceAccountName="clerk", driftDetection={"mode": "warn"})
    releases.ready()
    rights(["get", "list", "watch"])
    releases.api.wait_allowed(f"system:serviceaccount:{releases.ns}:clerk", "create", "configmaps",
                              releases.ns, allowed=False)
    for kind, name in (("Secret", "hidden"), ("ConfigMap", "gone")):
        releases.api.rest.call("DELETE", releases.path(kind, name))
    releases.quiet(serviceAccountName="clerk", driftDetection={"mode": "enabled"})
    kind, _, message = releases.event("Failed to correct", reason="DriftCorrectionFailed")
    lines = message.splitlines()
    assert kind == "Warning" and f"Secret/{releases.ns}/hidden creation failure" in lines
    assert any(line.startswith(f"ConfigMap/{releases.ns}/gone creation failure: ") and "forbidden" in line
               for line in lines)


# --- waiting ---

def test_waiting_holds_no_worker_and_is_shown(releases):
    releases.chart(WEB)
    for i in range(3):  # one more than there are workers
        releases.apply(f"slow{i}", releaseName="slow" if i == 0 else f"slow{i}",
                       targetNamespace=releases.ns)
    releases.chart(CONFIG, name="fast")
    releases.apply("fast", chart="fast")
    releases.ready("fast")
    obj = releases.objects.wait(
        "HelmRelease", "slow0", lambda o: releases.condition(o).get("status") == "Unknown")
    message = "Running 'install' action with timeout of 5m0s"
    assert releases.condition(obj)["message"] == message
    assert releases.condition(obj, "Reconciling")["message"] == message


def test_H48_the_wait_ends_when_the_deployment_is_ready(releases):
    releases.chart(WEB)
    releases.apply()
    wait_until(lambda: releases.statuses() == {1: "pending-install"}, "the install to wait")
    releases.make_deployment_ready()
    releases.ready()
    assert releases.statuses() == {1: "deployed"}


def test_a_new_spec_waits_for_the_action_and_then_counts(releases):
    releases.chart(WEB)
    releases.apply()
    wait_until(lambda: releases.statuses() == {1: "pending-install"}, "the install to wait")
    releases.apply(values={"a": "b"})
    releases.make_deployment_ready()
    wait_until(lambda: releases.statuses().get(2), "the upgrade")
    releases.make_deployment_ready()
    obj = releases.ready(version=2)
    assert obj["status"]["observedGeneration"] == 2


def test_H83_disableWait_still_waits_for_hooks(releases):
    releases.chart({**WEB, "templates/hook.yaml": job_hook("hook", "post-install")})
    releases.quiet()
    wait_until(lambda: releases.live("Job", "hook"), "the hook")
    assert releases.statuses() == {1: "pending-install"}
    releases.end_job("hook")
    releases.ready()


def test_timeouts_fail_the_release(releases):
    releases.chart(WEB)
    releases.apply(install={"timeout": "1s"})
    obj = releases.stalled()
    assert "timeout waiting for" in releases.condition(obj)["message"]
    assert releases.statuses() == {1: "failed"}


def test_suspended_while_it_waits_the_action_ends(releases):
    releases.chart(WEB)
    releases.apply()
    wait_until(lambda: releases.statuses() == {1: "pending-install"}, "the install to wait")
    releases.objects.patch("HelmRelease", "app", {"spec": {"suspend": True}})
    releases.make_deployment_ready()
    wait_until(lambda: releases.statuses() == {1: "deployed"}, "the install to end")
    obj = releases.ready()
    assert releases.condition(obj, "Reconciling") == {}


# --- post-rendering ---

def test_H76_postRenderers_upgrade_when_they_change(releases):
    patch = [{"kustomize": {"patches": [{"target": {"kind": "ConfigMap"}, "patch":
             '[{"op": "add", "path": "/data/patched", "value": "yes"}]'}]}}]
    releases.chart(CONFIG)
    releases.quiet(postRenderers=patch)
    obj = releases.ready()
    assert releases.live("ConfigMap", "config")["data"] == {"v": "1", "patched": "yes"}
    assert obj["status"]["observedPostRenderersDigest"].startswith("sha256:")
    releases.quiet(postRenderers=patch, interval="2h")
    assert releases.ready()["status"]["history"][0]["version"] == 1
    releases.quiet()
    releases.ready(version=2)
    assert releases.live("ConfigMap", "config")["data"] == {"v": "1"}


def test_H77_common_metadata_upgrades_when_it_changes(releases):
    releases.chart({**CONFIG, **WEB})
    releases.quiet(commonMetadata={"labels": {"team": "a", "helm.toolkit.fluxcd.io/name": "no"},
                                   "annotations": {"note": "b"}})
    releases.ready()
    metadata = releases.live("Deployment", "web")["metadata"]
    assert metadata["labels"]["team"] == "a" and metadata["annotations"]["note"] == "b"
    assert metadata["labels"]["helm.toolkit.fluxcd.io/name"] == "app"
    pod = releases.live("Deployment", "web")["spec"]["template"]["metadata"]
    assert pod["labels"] == {"app": "web"}
    releases.quiet(commonMetadata={"labels": {"team": "b"}})
    releases.ready(version=2)
    assert releases.live("ConfigMap", "config")["metadata"]["labels"]["team"] == "b"


# --- deletion ---

def test_H11_delete_without_storage(releases):
    releases.chart(CONFIG)
    releases.quiet()
    releases.ready()
    for secret in releases.secrets():
        releases.api.rest.call(
            "DELETE", f"/api/v1/namespaces/{releases.ns}/secrets/{secret['metadata']['name']}")
    releases.delete()


def test_H12_a_failing_hook_keeps_it(releases):
    releases.chart({**CONFIG, "templates/hook.yaml": job_hook("hook", "pre-delete")})
    releases.quiet()
    releases.ready()
    releases.objects.delete("HelmRelease", "app")
    releases.end_job("hook", succeeded=False)
    obj = releases.objects.wait(
        "HelmRelease", "app",
        lambda o: releases.condition(o, "Released").get("reason") == "UninstallFailed", "to fail")
    assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
    # It is tried again, and now waits for a hook that nobody ends.
    wait_until(lambda: not releases.live("Job", "hook").get("status"), "another try")
    releases.objects.patch("HelmRelease", "app", {"spec": {"uninstall": {"disableHooks": True}}})
    releases.objects.gone("HelmRelease", "app")
    assert not releases.live("ConfigMap", "config")


def test_deleted_while_it_waits(releases):
    releases.chart(WEB)
    releases.apply()
    wait_until(lambda: releases.statuses() == {1: "pending-install"}, "the install to wait")
    releases.delete()
    assert releases.statuses() == {} and not releases.live("Deployment", "web")


def test_H7_suspended_and_deleted_while_it_waits(releases):
    """The objects stay, and no record is pending that nobody would end."""
    releases.chart(WEB)
    releases.apply()
    wait_until(lambda: releases.statuses() == {1: "pending-install"}, "the install to wait")
    releases.objects.patch("HelmRelease", "app", {"spec": {"suspend": True}})
    releases.delete()
    assert releases.statuses() == {1: "failed"} and releases.live("Deployment", "web")


def test_H10_delete_without_the_account(releases):
    releases.chart(CONFIG)
    account = {"apiVersion": "v1", "kind": "ServiceAccount",
               "metadata": {"name": "deployer", "namespace": releases.ns}}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
               "metadata": {"name": "deployer", "namespace": releases.ns},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                           "name": "cluster-admin"},
               "subjects": [{"kind": "ServiceAccount", "name": "deployer",
                             "namespace": releases.ns}]}
    releases.api.apply(account, binding)
    releases.quiet(serviceAccountName="deployer")
    releases.ready()
    releases.api.rest.call("DELETE", f"/api/v1/namespaces/{releases.ns}/serviceaccounts/deployer")
    releases.delete()
    assert releases.live("ConfigMap", "config")


def test_H93_an_account_without_rights(releases):
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "storage", "namespace": releases.ns},
            "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]}]}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
               "metadata": {"name": "storage", "namespace": releases.ns},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
                           "name": "storage"},
               "subjects": [{"kind": "ServiceAccount", "name": "clerk",
                             "namespace": releases.ns}]}
    releases.api.apply(role, binding)
    releases.chart(CONFIG)
    releases.quiet(serviceAccountName="clerk")
    obj = releases.failed("InstallFailed", "forbidden")
    assert f"system:serviceaccount:{releases.ns}:clerk" in releases.condition(obj)["message"]
    # Nor may storage be read by everybody.
    releases.quiet("other", serviceAccountName="nobody")
    releases.failed("StateError", "forbidden", name="other")


def test_H9_delete_without_the_kubeconfig(releases):
    releases.chart(CONFIG)
    releases.quiet()
    releases.ready()
    releases.objects.patch("HelmRelease", "app",
                           {"spec": {"kubeConfig": {"secretRef": {"name": "gone"}}}})
    releases.failed("RESTClientError")
    releases.delete()
    assert releases.live("ConfigMap", "config")


def test_H95_hooks_are_not_in_the_inventory(releases):
    releases.chart({**CONFIG, "templates/hook.yaml": config(
        "hook", annotations={"helm.sh/hook": "pre-install"})})
    releases.quiet()
    obj = releases.ready()
    assert obj["status"]["inventory"]["entries"] == [
        {"id": f"{releases.ns}_config__ConfigMap", "v": "v1"}]
    releases.delete()


def test_H96_the_end_of_the_daemon_marks_the_release_failed(releases, helm_controller):
    releases.chart(WEB)
    releases.apply()
    wait_until(lambda: releases.statuses() == {1: "pending-install"}, "the install to wait")
    assert helm_controller.stop() == 0, helm_controller.log()[-3000:]
    assert releases.statuses() == {1: "failed"}
    helm_controller.start()
    helm_controller.wait_until_ready()
    wait_until(lambda: releases.statuses().get(2), "the upgrade")
    releases.make_deployment_ready()
    releases.ready()
