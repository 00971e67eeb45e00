"""HelmReleases end to end: the plain road, triggers, suspension, deletion."""
from tests.lib.releases import (OWNER, VALUES_CONFIG, chart_server, config,  # noqa: F401
                                controller_with, releases)

helm_controller = controller_with("--requeue-dependency=1s")

CHART = {"values.yaml": "color: red\n", "templates/config.yaml": config("config"),
         "templates/values.yaml": VALUES_CONFIG}


def test_H48_installed_with_conditions_history_and_inventory(releases):
    releases.chart(CHART, appVersion="7.1")
    releases.quiet(values={"color": "blue"})
    obj = releases.ready()
    assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
    message = f"Helm install succeeded for release {releases.ns}/app.v1 with chart shop@1.0.0"
    for kind in ("Ready", "Released"):
        condition = releases.condition(obj, kind)
        assert (condition["status"], condition["reason"], condition["message"]) == (
            "True", "InstallSucceeded", message)
    status = obj["status"]
    [snapshot] = status["history"]
    assert snapshot["version"] == 1 and snapshot["status"] == "deployed"
    assert snapshot["action"] == "install" and snapshot["appVersion"] == "7.1"
    assert snapshot["chartName"] == "shop" and snapshot["chartVersion"] == "1.0.0"
    assert snapshot["configDigest"] == status["lastAttemptedConfigDigest"]
    assert status["lastAttemptedReleaseAction"] == "install"
    assert status["lastAttemptedRevision"] == "1.0.0"
    assert status["storageNamespace"] == releases.ns
    assert sorted(e["id"] for e in status["inventory"]["entries"]) == [
        f"{releases.ns}_app-values__ConfigMap", f"{releases.ns}_config__ConfigMap"]
    labels = releases.live("ConfigMap", "config")["metadata"]["labels"]
    assert labels[OWNER + "name"] == "app" and labels[OWNER + "namespace"] == releases.ns
    assert releases.statuses() == {1: "deployed"}
    assert releases.event(message)[:2] == ("Normal", "InstallSucceeded")


def test_H63_values_change_upgrades(releases):
    releases.chart(CHART)
    releases.quiet(values={"color": "blue"})
    releases.ready()
    releases.quiet(values={"color": "green"})
    obj = releases.ready(version=2)
    assert releases.condition(obj)["reason"] == "UpgradeSucceeded"
    assert [(s["version"], s["status"], s["action"]) for s in obj["status"]["history"]] == [
        (2, "deployed", "upgrade"), (1, "superseded", "install")]
    assert '"green"' in releases.live("ConfigMap", "app-values")["data"]["values"]
    assert releases.statuses() == {1: "superseded", 2: "deployed"}
    again = releases.rerun()
    assert again["status"]["history"] == obj["status"]["history"]


def test_new_chart_revision_upgrades(releases):
    releases.chart(CHART)
    releases.quiet()
    releases.ready()
    releases.chart({"templates/other.yaml": config("other")}, version="1.1.0")
    obj = releases.ready(version=2)
    assert obj["status"]["lastAttemptedRevision"] == "1.1.0"
    assert releases.live("ConfigMap", "other") and not releases.live("ConfigMap", "config")


def test_H6_suspended_does_nothing_but_observes(releases):
    releases.chart(CHART)
    releases.quiet(suspend=True)
    obj = releases.objects.wait("HelmRelease", "app",
                                lambda o: o.get("status", {}).get("observedGeneration") == 1)
    assert "history" not in obj["status"] and releases.statuses() == {}


def test_H8_deletion_uninstalls(releases):
    releases.chart(CHART)
    releases.quiet()
    releases.ready()
    releases.delete()
    assert not releases.live("ConfigMap", "config") and releases.statuses() == {}


def test_H7_deleting_a_suspended_one_leaves_the_release(releases):
    releases.chart(CHART)
    releases.quiet()
    releases.ready()
    releases.objects.patch("HelmRelease", "app", {"spec": {"suspend": True}})
    releases.delete()
    assert releases.live("ConfigMap", "config") and releases.statuses() == {1: "deployed"}
