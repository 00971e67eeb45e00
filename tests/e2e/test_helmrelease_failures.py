"""Failures of HelmReleases: counters, retries, remediation, rollback, retry strategies, recovery."""
import hashlib

import pytest

from tests.lib.apps import put_status
from tests.lib.helm import decode, encode
from tests.lib.net import wait_until
from tests.lib.releases import (BROKEN, chart_server, config, controller_with,  # noqa: F401
                                deployment, job_hook, releases)

helm_controller = controller_with("--requeue-dependency=1s", "--min-retry-delay=50ms",
                                  "--max-retry-delay=500ms")

GOOD = {"templates/config.yaml": config("config", {"v": "1"})}
BAD = {"templates/config.yaml": config("config", {"v": "2"}), "templates/broken.yaml": BROKEN}
UNRENDERED = {"templates/bad.yaml": "{{ fail \"no such luck\" }}"}


def steps(obj):
    return [(s["version"], s["status"], s.get("action")) for s in obj["status"]["history"]]


def test_H49_an_error_before_storage_counts_nothing(releases):
    releases.chart(UNRENDERED)
    releases.quiet(install={"remediation": {"retries": 1}})
    obj = releases.failed("InstallFailed", "no such luck")
    again = releases.objects.wait("HelmRelease", "app",
                                  lambda o: o["status"].get("failures", 0) > 2, "some tries")
    assert "installFailures" not in again["status"] and "history" not in again["status"]
    assert releases.condition(again, "Stalled") == {} and releases.statuses() == {}
    message = releases.condition(obj)["message"]
    assert message.startswith(
        f"Helm install failed for release {releases.ns}/app with chart shop@1.0.0: ")
    assert "templates/bad.yaml" in message


def test_H50_failed_install_without_retries_stalls(releases):
    releases.chart(BAD)
    releases.quiet()
    obj = releases.stalled()
    assert releases.condition(obj, "Stalled")["message"] == "Failed to install after 1 attempt(s)"
    assert releases.condition(obj)["reason"] == "InstallFailed"
    assert releases.condition(obj, "Reconciling") == {}
    assert obj["status"]["installFailures"] == 1 and obj["status"]["failures"] == 1
    assert obj["status"]["observedGeneration"] == 1
    assert releases.statuses() == {1: "failed"}
    assert steps(obj) == [(1, "failed", "install")]


def test_H51_one_retry_uninstalls_installs_and_stalls(releases):
    releases.chart(BAD)
    releases.quiet(install={"remediation": {"retries": 1}})
    obj = releases.stalled()
    assert obj["status"]["installFailures"] == 2
    assert releases.statuses() == {1: "failed"}
    for reason in ("InstallFailed", "UninstallSucceeded"):
        releases.event("", reason=reason)


def test_H52_endless_retries_never_stall(releases):
    releases.chart(BAD)
    releases.quiet(install={"remediation": {"retries": -1}})
    obj = releases.objects.wait("HelmRelease", "app",
                                lambda o: o["status"].get("installFailures", 0) >= 3, "3 failures")
    assert releases.condition(obj, "Stalled") == {}


def test_H53_the_last_failure_is_uninstalled(releases):
    releases.chart(BAD)
    releases.quiet(install={"remediation": {"retries": 0, "remediateLastFailure": True}})
    releases.stalled()
    assert releases.statuses() == {} and not releases.live("ConfigMap", "config")


def test_H54_kept_history_needs_replace(releases):
    releases.chart(BAD)
    releases.quiet(install={"remediation": {"retries": 2}}, uninstall={"keepHistory": True})
    obj = releases.failed("InstallFailed", "cannot reuse a name that is still in use")
    assert obj["status"]["installFailures"] == 1


def test_H55_failed_upgrade_without_retries_is_not_rolled_back(releases):
    releases.chart(GOOD)
    releases.quiet()
    releases.ready()
    releases.chart(BAD, version="2.0.0")
    obj = releases.stalled()
    assert releases.condition(obj)["reason"] == "UpgradeFailed"
    assert obj["status"]["upgradeFailures"] == 1
    assert releases.statuses() == {1: "deployed", 2: "failed"}


def test_H56_H57_rolled_back_tried_again_and_rolled_back(releases):
    releases.chart(GOOD)
    releases.quiet(upgrade={"remediation": {"retries": 1}}, rollback={"disableWait": True})
    releases.ready()
    releases.chart(BAD, version="2.0.0")
    obj = releases.stalled()
    assert releases.statuses() == {1: "superseded", 2: "failed", 3: "superseded", 4: "failed",
                                   5: "deployed"}
    assert obj["status"]["upgradeFailures"] == 2
    remediated = releases.condition(obj, "Remediated")
    assert (remediated["status"], remediated["reason"]) == ("True", "RollbackSucceeded")
    assert remediated["message"] == (f"Helm rollback to previous release {releases.ns}/app.v3 with "
                                     "chart shop@1.0.0 succeeded")
    ready = releases.condition(obj)
    assert (ready["status"], ready["reason"]) == ("False", "RollbackSucceeded")
    assert releases.live("ConfigMap", "config")["data"] == {"v": "1"}
    assert steps(obj)[0] == (5, "deployed", "rollback")


def failing_test(value):
    """A chart whose test is to be ended by hand, and a test hook that comes anew with each revision."""
    return {"templates/config.yaml": config("config", {"v": value}),
            "templates/check.yaml": job_hook("check", "test")}


@pytest.mark.parametrize("ignored,goes_back_to", [(False, "1"), (True, "2")])
def test_H58_rollback_skips_failed_tests(releases, ignored, goes_back_to):
    """Of the second revision, good but for its tests. The setting changes with the third."""
    def apply(chart, ignores):
        releases.quiet(chart=chart, test={"enable": True, "ignoreFailures": True}, rollback={"disableWait": True},
                       upgrade={"remediation": {"retries": 0, "remediateLastFailure": True,
                                                "ignoreTestFailures": ignores}})
    releases.chart(GOOD)
    apply("chart", True)
    releases.ready()
    releases.chart(failing_test("2"), version="2.0.0")
    releases.end_job("check", succeeded=False)
    releases.objects.wait("HelmRelease", "app", lambda o: releases.condition(o, "TestSuccess").get("status") == "False",
                          "the test to fail")
    releases.ready(version=2)
    releases.chart({"templates/config.yaml": config("config", {"v": "3"}), "templates/broken.yaml": BROKEN},
                   version="3.0.0", name="broken")
    apply("broken", ignored)
    obj = releases.stalled()
    assert releases.condition(obj)["reason"] == "RollbackSucceeded"
    assert releases.live("ConfigMap", "config")["data"] == {"v": goes_back_to}


@pytest.mark.parametrize("ignored", [True, False])
def test_H72_remediation_says_more_of_tests_than_test_does(releases, ignored):
    releases.chart(GOOD)
    releases.quiet(test={"enable": True, "ignoreFailures": not ignored}, rollback={"disableWait": True},
                   upgrade={"remediation": {"retries": 0, "remediateLastFailure": True,
                                            "ignoreTestFailures": ignored}})
    releases.ready()
    releases.chart(failing_test("2"), version="2.0.0")
    releases.end_job("check", succeeded=False)
    if ignored:
        obj = releases.failed("TestFailed")
        obj = releases.objects.wait("HelmRelease", "app", lambda o: not releases.condition(o, "Reconciling"),
                                    "the run to end")
        assert "upgradeFailures" not in obj["status"] and releases.condition(obj, "Stalled") == {}
        assert releases.live("ConfigMap", "config")["data"] == {"v": "2"}
    else:
        obj = releases.stalled()
        assert obj["status"]["upgradeFailures"] == 1
        assert releases.live("ConfigMap", "config")["data"] == {"v": "1"}


def test_H59_a_rollback_without_target_stalls(releases):
    releases.chart(BAD)
    releases.quiet(install={"remediation": {"retries": 0}}, upgrade={"remediation": {"retries": 1}})
    releases.stalled()
    releases.chart(BAD, version="2.0.0")
    obj = releases.stalled("MissingRollbackTarget")
    assert "missing target release for rollback" in releases.condition(obj, "Stalled")["message"]


@pytest.mark.parametrize("how", ["gone", "altered"])
def test_H56_a_target_that_others_took_away_is_no_target(releases, how):
    """Only an upgrade puts that right."""
    releases.chart(GOOD)
    releases.apply(upgrade={"remediation": {"retries": -1}}, rollback={"disableWait": True})
    releases.ready()
    releases.chart({"templates/web.yaml": deployment()}, version="2.0.0")
    wait_until(lambda: releases.statuses().get(2) == "pending-upgrade", "the upgrade to wait")
    wait_until(lambda: releases.live("Deployment", "web"), "its object")
    if how == "gone":
        name = releases.secrets()[0]["metadata"]["name"]
        releases.api.rest.call("DELETE", f"/api/v1/namespaces/{releases.ns}/secrets/{name}")
    else:
        alter(releases, 1, lambda r: r["info"].update(description="somebody was here"))
    put_status(releases.api, releases.path("Deployment", "web"), {"conditions": [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": ""}]})
    wait_until(lambda: releases.statuses().get(3), "a third revision")
    assert decode(releases.secrets()[-1])["chart"]["metadata"]["version"] == "2.0.0"
    releases.make_deployment_ready()
    releases.ready()
    assert "RollbackSucceeded" not in [e[1] for e in releases.objects.events("app")]


@pytest.mark.parametrize("retries", [1, 0])
def test_H60_upgrade_strategy_uninstall_reinstalls(releases, retries):
    """Also when no upgrade is left to be tried: what is gone is to be there again."""
    releases.chart(GOOD)
    releases.quiet(upgrade={"remediation": {"retries": retries, "strategy": "uninstall",
                                            "remediateLastFailure": True}})
    releases.ready()
    releases.chart(BAD, version="2.0.0")
    obj = releases.objects.wait("HelmRelease", "app",
                                lambda o: o["status"].get("installFailures", 0) >= 1, "an install")
    assert obj["status"]["lastAttemptedReleaseAction"] == "install"


def test_H61_H62_retry_on_failure_upgrades_until_it_works(releases):
    releases.chart(BAD)
    strategy = {"strategy": {"name": "RetryOnFailure", "retryInterval": "300ms"}}
    releases.quiet(install=strategy, upgrade=strategy)
    obj = releases.objects.wait("HelmRelease", "app",
                                lambda o: o["status"].get("upgradeFailures", 0) >= 2 and releases.condition(
                                    o, "Reconciling").get("reason") == "ProgressingWithRetry", "upgrades")
    assert releases.condition(obj, "Stalled") == {}
    assert obj["status"]["observedGeneration"] == 1
    assert len(obj["status"]["history"]) <= 5
    releases.chart(GOOD, version="2.0.0")
    obj = releases.ready()
    assert not {"failures", "installFailures", "upgradeFailures"} & set(obj["status"])


def test_H63_a_change_clears_stalled_and_counters(releases):
    releases.chart(BAD)
    releases.quiet()
    releases.stalled()
    releases.chart(GOOD, version="2.0.0")
    obj = releases.ready()
    assert releases.condition(obj, "Stalled") == {}
    assert "installFailures" not in obj["status"]


def test_H64_resetAt_clears_counters_once(releases):
    releases.chart(BAD)
    releases.quiet()
    releases.stalled()
    releases.annotate(resetAt="alone")
    obj = releases.rerun()
    assert obj["status"]["lastHandledResetAt"] == "alone"
    assert obj["status"]["installFailures"] == 1 and releases.statuses() == {1: "failed"}
    obj = releases.rerun(resetAt=True)
    assert obj["status"]["lastHandledResetAt"] == obj["status"]["lastHandledReconcileAt"]
    # Without a count the failed release is upgraded.
    assert releases.statuses() == {1: "failed", 2: "failed"}
    assert obj["status"]["upgradeFailures"] == 1 and "installFailures" not in obj["status"]


@pytest.mark.parametrize("differs", [False, True], ids=["same", "other"])
@pytest.mark.parametrize("algo", ["sha512", "sha1"])
def test_H63_values_are_known_by_the_digest_that_was_noted(releases, algo, differs):
    """Of another --snapshot-digest-algo, or of a version before it; none is a reason to try again."""
    releases.chart(BAD)
    releases.quiet()
    releases.stalled()
    noted = hashlib.new(algo, b"a: b\n" if differs else b"").hexdigest()
    status = {"lastAttemptedConfigDigest": None, "lastAttemptedValuesChecksum": noted} \
        if algo == "sha1" else {"lastAttemptedConfigDigest": f"{algo}:{noted}"}
    code, reply = releases.api.rest.call("PATCH", releases.objects.path("HelmRelease", "app") + "/status",
                                         {"status": status}, "application/merge-patch+json")
    assert code == 200, reply
    obj = releases.rerun()
    assert releases.statuses() == ({1: "failed", 2: "failed"} if differs else {1: "failed"})
    assert obj["status"].get("installFailures") == (None if differs else 1)
    assert obj["status"]["lastAttemptedConfigDigest"] == f"sha256:{hashlib.sha256(b'').hexdigest()}"


def test_H65_forceAt_upgrades_once(releases):
    releases.chart(GOOD)
    releases.quiet()
    releases.ready()
    releases.rerun(forceAt=True)
    obj = releases.ready(version=2)
    assert obj["status"]["lastHandledForceAt"] == obj["status"]["lastHandledReconcileAt"]
    again = releases.rerun()
    assert len(releases.statuses()) == 2 and again["status"]["history"][0]["version"] == 2


def test_H65_forceAt_that_comes_during_a_wait(releases):
    """It is not the business of the action under way, and is not lost with it."""
    releases.chart({"templates/web.yaml": deployment()})
    releases.apply()
    wait_until(lambda: releases.statuses() == {1: "pending-install"}, "the install to wait")
    releases.annotate(requestedAt="now", forceAt="now")
    releases.make_deployment_ready()
    obj = releases.ready(version=2)
    assert obj["status"]["lastHandledForceAt"] == obj["status"]["lastHandledReconcileAt"] == "now"


def test_H66_forceAt_overrides_exhausted_retries(releases):
    releases.chart(GOOD)
    releases.quiet()
    releases.ready()
    releases.chart(BAD, version="2.0.0")
    releases.stalled()
    releases.rerun(forceAt=True)
    wait_until(lambda: len(releases.statuses()) == 3, "one more upgrade")


def alter(releases, version, change):
    """Writes a record back as somebody else would."""
    secret = releases.secrets()[version - 1]
    record = decode(secret)
    change(record)
    secret["data"]["release"] = encode(record)
    secret["metadata"]["labels"]["status"] = record["info"]["status"]
    path = f"/api/v1/namespaces/{releases.ns}/secrets/{secret['metadata']['name']}"
    code, reply = releases.api.rest.call("PUT", path, secret)
    assert code == 200, reply


@pytest.mark.parametrize("status", ["pending-upgrade", "uninstalling"])
def test_H67_a_pending_release_is_unlocked_and_upgraded(releases, status):
    """Nor does one stay as it is whose uninstallation nobody ended."""
    releases.chart(GOOD)
    releases.quiet()
    releases.ready()
    alter(releases, 1, lambda r: r["info"].update(status=status, deleted="2026-01-02T03:04:05Z"))
    releases.rerun()
    obj = releases.ready(version=2)
    assert releases.statuses()[1] in ("failed", "superseded")
    record = decode(releases.secrets()[0])
    assert record["info"]["description"] == f"Release unlocked from stale '{status}' state"
    assert not record["info"].get("deleted")
    assert releases.event("Unlocked Helm release")[1] == "PendingRelease"
    assert obj["status"]["history"][0]["status"] == "deployed"


def test_H69_what_others_wrote_is_upgraded_back(releases):
    releases.chart(GOOD)
    releases.quiet()
    releases.ready()
    alter(releases, 1, lambda r: r["info"].update(description="somebody was here"))
    releases.rerun()
    obj = releases.ready(version=2)
    assert [s["version"] for s in obj["status"]["history"]] == [2]


def test_H70_erased_history_upgrades(releases):
    releases.chart(GOOD)
    releases.quiet()
    releases.ready()
    path = releases.objects.path("HelmRelease", "app") + "/status"
    code, reply = releases.api.rest.call("PATCH", path, {"status": {"history": None}},
                                         "application/merge-patch+json")
    assert code == 200, reply
    releases.rerun()
    releases.ready(version=2)
    assert releases.statuses() == {1: "superseded", 2: "deployed"}


def test_H94_the_failure_event_holds_what_helm_logged(releases):
    releases.chart(BAD)
    releases.quiet()
    releases.stalled()
    kind, reason, text = releases.event("Helm install failed", reason="InstallFailed")
    assert kind == "Warning"
    assert "Last Helm logs:" in text


@pytest.mark.parametrize("policy", ["combined", "separate", "nohooks"])
def test_H78_hook_and_template_of_one_identity(releases, policy):
    hook = config("config", {"v": "hook"}, annotations={"helm.sh/hook": "pre-install"})
    releases.chart({**GOOD, "templates/hook.yaml": hook})
    releases.quiet(postRenderStrategy=policy)
    if policy == "combined":
        obj = releases.failed("InstallFailed", "already registered id")
        assert "history" not in obj["status"]
    else:
        releases.ready()
