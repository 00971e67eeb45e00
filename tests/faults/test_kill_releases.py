"""kill -9 at every request of a HelmRelease's reconcile. After the restart the release is what spec
says, no revision is left pending, and what is deleted is gone."""
import threading

import pytest

from tests.faults.test_kill_at_every_step import NO_WATCH, each_step, forms, settled
from tests.lib.net import wait_until
from tests.lib.releases import (BROKEN, QUICK, chart_server, config,  # noqa: F401
                                controller_with, pack, releases)

helm_controller = controller_with(*QUICK, server="proxied")
CHARTS = "/apis/source.toolkit.fluxcd.io/v1/namespaces/{ns}/helmcharts/{ns}-app"
TEMPLATE = {"spec": {"chart": "shop", "sourceRef": {"kind": "HelmRepository", "name": "repo"}}}


def files_of(n, extra=None):
    return {"templates/config.yaml": config("config", {"v": str(n)}), **(extra or {})}


def check_release(releases, n):
    """Ready with chart version 1.N.0, one deployed revision and none that is pending."""
    obj = releases.get()
    assert releases.condition(obj)["status"] == "True", obj["status"]
    history = obj["status"]["history"]
    assert history[0]["chartVersion"] == f"1.{n}.0" and history[0]["status"] == "deployed"
    statuses = releases.statuses()
    assert statuses[max(statuses)] == "deployed"
    assert list(statuses.values()).count("deployed") == 1
    assert set(statuses.values()) <= {"deployed", "superseded", "failed"}, statuses
    assert releases.live("ConfigMap", "config")["data"] == {"v": str(n)}
    assert obj["status"]["observedGeneration"] == obj["metadata"]["generation"]


class Life:
    """A part of a HelmRelease's life, as each_step wants it; n counts its repetitions."""

    least = 1
    before = down = until = None

    def __init__(self, releases):
        self.releases = releases

    def stop(self):
        """The life is over."""

    def publish(self, n, extra=None):
        self.releases.chart(files_of(n, extra), version=f"1.{n}.0")

    def make(self, n):
        del n
        self.releases.quiet()

    def delete(self, n):
        del n
        self.releases.objects.delete("HelmRelease", "app")

    def made(self, n):
        del n
        check_release(self.releases, 0)

    def gone(self, n):
        del n
        assert self.releases.get() is None and self.releases.statuses() == {}
        assert not self.releases.live("ConfigMap", "config")
        assert not self.releases.api.rest.get(CHARTS.format(ns=self.releases.ns))

    def without(self, n):
        if self.releases.get():
            self.delete(n)
            wait_until(lambda: settled(self.gone, n), "nothing to be left")

    def with_release(self, n):
        self.make(n)
        wait_until(lambda: settled(self.made, n), "the release")


class Install(Life):
    least = 5  # finalizer, storage, apply, storage, status

    def __init__(self, releases):
        super().__init__(releases)
        self.publish(0)
        self.before, self.change, self.check = self.without, self.make, self.made


class Uninstall(Life):
    least = 5  # list, storage, deletion, storage, finalizer

    def __init__(self, releases):
        super().__init__(releases)
        self.publish(0)
        self.before, self.change, self.check = self.with_release, self.delete, self.gone


class InstallAndDeletedMeanwhile(Install):
    """Nothing is left of a release that status had no time to tell of."""

    def __init__(self, releases):
        super().__init__(releases)
        self.down, self.until, self.check = self.delete, self.made, self.gone


class Templates(threading.Thread):
    """In source-controller's place: gives the generated HelmChart its artifact."""

    def __init__(self, releases):
        super().__init__()
        self.releases, self.over = releases, threading.Event()
        self.artifact = releases.artifact(pack(files_of(0)), "1.0.0")
        self.path = CHARTS.format(ns=releases.ns)

    def run(self):
        while not self.over.wait(0.02):
            chart = self.releases.api.rest.get(self.path)
            if chart and "deletionTimestamp" in chart["metadata"]:
                self.releases.api.rest.call("PATCH", self.path, {"metadata": {"finalizers": None}},
                                            "application/merge-patch+json")
            elif chart and "artifact" not in chart.get("status", {}):
                self.releases.api.rest.call("PATCH", self.path + "/status", {"status": {
                    "observedGeneration": chart["metadata"]["generation"],
                    "artifact": self.artifact}}, "application/merge-patch+json")


class InstallOfTemplate(Install):
    least = 6  # and the HelmChart; Events give way to all else, and may come when all is well already

    def __init__(self, releases):
        super().__init__(releases)
        self.source = Templates(releases)
        self.source.start()

    def publish(self, n, extra=None):
        pass

    def make(self, n):
        del n
        quiet = {"disableWait": True}
        self.releases.objects.apply("HelmRelease", "app", {
            "interval": "1h", "chart": TEMPLATE, "install": quiet, "upgrade": quiet})

    def stop(self):
        self.source.over.set()
        self.source.join()


class TemplateAndDeletedMeanwhile(InstallOfTemplate, InstallAndDeletedMeanwhile):
    pass


class Upgrade(Life):
    least = 5  # storage, apply, storage, storage, status

    def __init__(self, releases):
        super().__init__(releases)
        self.publish(0)
        self.with_release(0)

    def change(self, n):
        self.publish(n + 1)

    def check(self, n):
        check_release(self.releases, n + 1)


class Rollback(Life):
    """Upgrades that fail are rolled back, or, where a crash lost the count, done again; in the end
    nothing is pending. Each from a release that is well: N comes before, N + 1 fails."""

    least = 8

    def __init__(self, releases):
        super().__init__(releases)
        self.publish(0)
        self.with_release(0)
        self.before, self.until = self.well, self.told

    def make(self, n):
        self.releases.quiet(
            upgrade={"remediation": {"retries": 0, "remediateLastFailure": True}},
            rollback={"disableWait": True}, maxHistory=0)

    def is_well(self, n):
        check_release(self.releases, n)

    def well(self, n):
        self.publish(2 * n)
        wait_until(lambda: settled(self.is_well, 2 * n), "the release to be well", 60)

    def change(self, n):
        self.publish(2 * n + 1, {"templates/broken.yaml": BROKEN})

    def check(self, n):
        obj = self.releases.get()
        assert obj["status"].get("lastAttemptedRevision") == f"1.{2 * n + 1}.0"
        assert self.releases.condition(obj, "Stalled").get("status") == "True", obj["status"]
        statuses = self.releases.statuses()
        assert set(statuses.values()) <= {"deployed", "superseded", "failed"}, statuses

    def told(self, n):
        """The last request is that of the Event."""
        self.check(n)
        assert self.releases.condition(self.releases.get())["reason"] == "RollbackSucceeded"
        assert self.releases.live("ConfigMap", "config")["data"] == {"v": str(2 * n)}
        assert any(f"shop@1.{2 * n + 1}.0" in text for _, _, text in self.releases.objects.events("app"))


LIVES = [Install, InstallOfTemplate, Upgrade, Rollback, Uninstall, InstallAndDeletedMeanwhile,
         TemplateAndDeletedMeanwhile]


@pytest.mark.parametrize("done", forms())
@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_killed_at_each_request(releases, helm_controller, proxied, life, done):
    part = life(releases)
    try:
        # What a daemon asks when it starts (discovery, lists of all namespaces) is no step of a
        # release, nor is what it asks about those of other tests.
        steps = each_step(proxied.proxy, helm_controller, part.change, part.check, done,
                          before=part.before, down=part.down, until=part.until, query=NO_WATCH,
                          path=f"/namespaces/{releases.ns}/")
        assert steps >= part.least
    finally:
        part.stop()
