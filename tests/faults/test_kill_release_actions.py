"""kill -9 at every write of the actions that are no plain install, upgrade or rollback: tests, the uninstallation
that remediates, the takeover of somebody else's release."""
import pytest

from tests.faults.test_kill_at_every_step import each_step, forms
from tests.faults.test_kill_release_hooks import STEPS, Cluster
from tests.faults.test_kill_releases import Install, Rollback, check_release, files_of
from tests.lib.helm import helm, write_chart  # noqa: F401
from tests.lib.releases import (BROKEN, QUICK, chart_server, config, controller_with,  # noqa: F401
                                job_hook, releases)

helm_controller = controller_with(*QUICK, server="proxied")


class InstallWithTests(Install):
    """Installed, and tested by a Job and a ConfigMap."""

    least = 9

    def __init__(self, releases, helm, directory):
        del helm, directory
        self.cluster = Cluster(releases)
        self.cluster.start()
        super().__init__(releases)

    def stop(self):
        self.cluster.over.set()
        self.cluster.join()

    def publish(self, n, extra=None):
        tests = {"templates/check.yaml": job_hook("check", "test"),
                 "templates/note.yaml": config("note", annotations={"helm.sh/hook": "test",
                                                                    "helm.sh/hook-weight": "-1"})}
        super().publish(n, {**tests, **(extra or {})})

    def make(self, n):
        del n
        self.releases.quiet(test={"enable": True})

    def made(self, n):
        super().made(n)
        obj = self.releases.get()
        hooks = obj["status"]["history"][0]["testHooks"]
        assert {name: hook["phase"] for name, hook in hooks.items()} == {
            "check": "Succeeded", "note": "Succeeded"}
        assert self.releases.condition(obj, "TestSuccess")["status"] == "True"


class Reinstalled(Rollback):
    """An upgrade that fails is uninstalled and its chart installed, which fails as well."""

    least = 12

    def __init__(self, releases, helm, directory):
        del helm, directory
        super().__init__(releases)

    def make(self, n):
        del n
        self.releases.quiet(upgrade={"remediation": {
            "retries": 0, "remediateLastFailure": True, "strategy": "uninstall"}})

    def told(self, n):
        obj = self.releases.get()
        assert self.releases.condition(obj, "Stalled").get("status") == "True", obj["status"]
        assert obj["status"]["lastAttemptedReleaseAction"] == "install"
        assert self.releases.statuses() == {1: "failed"}, "what failed to be upgraded is gone"
        assert self.releases.live("ConfigMap", "config")["data"] == {"v": str(2 * n + 1)}
        assert len(obj["status"]["history"]) == 1

    check = told


class TakenOver(Install):
    """A release that somebody has installed by hand becomes the controller's by an upgrade."""

    least = 6

    def __init__(self, releases, helm, directory):
        self.helm = helm
        self.chart = write_chart(directory / "theirs", files_of(7, {
            "templates/old.yaml": config("old")}), version="0.7.0")
        super().__init__(releases)

    def without(self, n):
        super().without(n)
        self.helm("install", "app", self.chart, "-n", self.releases.ns)

    def made(self, n):
        super().made(n)
        assert not self.releases.live("ConfigMap", "old"), "the chart has it no more"
        assert self.releases.statuses()[1] == "superseded", "it was not installed anew"


@pytest.mark.parametrize("done", forms())
@pytest.mark.parametrize("life", [InstallWithTests, Reinstalled, TakenOver], ids=lambda life: life.__name__)
def test_killed_at_each_write(releases, helm_controller, proxied, helm, tmp_path, life, done):
    part = life(releases, helm, tmp_path)
    try:
        steps = each_step(proxied.proxy, helm_controller, part.change, part.check, done,
                          before=part.before, down=part.down, until=part.until, **STEPS)
        assert steps >= part.least
    finally:
        part.stop()
