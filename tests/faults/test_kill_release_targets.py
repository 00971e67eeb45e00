"""kill -9 at every write while a release goes over to another target, is retried, is one of another cluster, or is
uninstalled for good. After the restart nothing is pending, and nothing is left of what was to go."""
import pytest

from tests.faults.test_kill_at_every_step import NO_WATCH, each_step, forms, settled
from tests.faults.test_kill_releases import (Install, InstallAndDeletedMeanwhile, Life, Rollback, Uninstall,
                                             Upgrade, check_release, files_of)
from tests.lib.net import wait_until
from tests.lib.releases import (BROKEN, QUICK, chart_server, config, controller_with,  # noqa: F401
                                releases)

helm_controller = controller_with(*QUICK, server="proxied")
NAMED = "{name: {{ .Release.Name }}-config}"
FILES = {"templates/config.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {NAMED}\n",
         "templates/bye.yaml": config("bye", annotations={"helm.sh/hook": "pre-delete"})}


def namespaced(name, ns):
    return f"/api/v1/namespaces/{ns}/configmaps/{name}"


def other_of(ns):
    """A second namespace of the test's own."""
    return f"o{ns[1:]}"


class Replaced(Life):
    """Each change of spec points to another release: the N-th one is that of `target(N)`."""

    least = 8  # uninstalling, hook, deletion, storage, status; storage, apply, storage

    def __init__(self, releases):
        super().__init__(releases)
        self.other = other_of(releases.ns)
        releases.api.create_namespace(self.other)
        releases.chart(FILES)
        self.before = self.start

    def places(self, n):
        """The namespace of the N-th release, that of its records, and its name."""
        raise NotImplementedError

    def spec(self, n):
        ns, storage, name = self.places(n)
        return {"targetNamespace": ns, "storageNamespace": storage, "releaseName": name}

    def make(self, n):
        self.releases.quiet(**self.spec(n))

    def start(self, n):
        self.make(n)
        wait_until(lambda: settled(self.is_made, n), "the release before")

    def change(self, n):
        self.make(n + 1)

    def is_made(self, n):
        obj = self.releases.get()
        ns, storage, name = self.places(n)
        assert self.releases.condition(obj)["status"] == "True", obj["status"]
        assert obj["status"]["observedGeneration"] == obj["metadata"]["generation"]
        assert obj["status"]["storageNamespace"] == storage
        newest = obj["status"]["history"][0]
        assert (newest["name"], newest["namespace"], newest["status"]) == (name, ns, "deployed")
        statuses = self.releases.statuses(name, storage)
        assert statuses[max(statuses)] == "deployed", statuses
        assert set(statuses.values()) <= {"deployed", "superseded", "failed"}, statuses
        assert self.releases.api.rest.get(namespaced(f"{name}-config", ns))

    def is_gone(self, n, now=None):
        """The N-th release, as far as that of `now` is not in its place."""
        ns, storage, name = self.places(n)
        others = self.places(now) if now is not None else (None, None, None)
        if (storage, name) != others[1:]:
            assert self.releases.statuses(name, storage) == {}, "what was installed before is uninstalled"
        if (ns, name) != (others[0], others[2]):
            assert not self.releases.api.rest.get(namespaced(f"{name}-config", ns))

    def check(self, n):
        self.is_made(n + 1)
        self.is_gone(n, n + 1)


class OtherName(Replaced):
    def places(self, n):
        return self.releases.ns, self.releases.ns, f"app-{n % 2}"


class OtherNamespace(Replaced):
    def places(self, n):
        return [self.releases.ns, self.other][n % 2], self.releases.ns, "app"


class OtherStorage(Replaced):
    def places(self, n):
        return self.releases.ns, [self.releases.ns, self.other][n % 2], "app"


class AllOther(Replaced):
    def places(self, n):
        ns = [self.releases.ns, self.other][n % 2]
        return ns, ns, f"app-{n % 2}"


class OtherAndDeletedMeanwhile(AllOther):
    """Nothing is left of either."""

    def __init__(self, releases):
        super().__init__(releases)
        self.down, self.until, self.check = self.delete, self.replaced, self.gone

    def replaced(self, n):
        AllOther.check(self, n)

    def gone(self, n):
        assert self.releases.get() is None
        self.is_gone(n)
        self.is_gone(n + 1)


class OtherAndBackMeanwhile(AllOther):
    """Spec goes back to what it was before the other one is told."""

    def __init__(self, releases):
        super().__init__(releases)
        self.down, self.until, self.check = self.make, self.replaced, self.back

    def replaced(self, n):
        AllOther.check(self, n)

    def back(self, n):
        self.is_made(n)
        self.is_gone(n + 1, n)


def check_retrying(releases, revision):
    obj = releases.get()
    assert releases.condition(obj, "Reconciling")["reason"] == "ProgressingWithRetry", obj["status"]
    assert releases.condition(obj)["status"] == "False" and not releases.condition(obj, "Stalled")
    assert obj["status"]["lastAttemptedRevision"] == revision
    assert obj["status"]["history"][0]["status"] == "failed"
    statuses = releases.statuses()
    assert statuses[max(statuses)] == "failed", statuses
    assert set(statuses.values()) <= {"deployed", "superseded", "failed"}, statuses


RETRY = {"strategy": {"name": "RetryOnFailure", "retryInterval": "1h"}}


class FailedInstall(Install):
    """With RetryOnFailure: neither uninstalled nor stalled."""

    def publish(self, n, extra=None):
        super().publish(n, {"templates/broken.yaml": BROKEN})

    def make(self, n):
        del n
        self.releases.quiet(install=RETRY, upgrade=RETRY)

    def made(self, n):
        del n
        check_retrying(self.releases, "1.0.0")


class FailedUpgrade(Upgrade):
    """With RetryOnFailure: not rolled back; a chart that is well ends it."""

    def __init__(self, releases):
        super().__init__(releases)
        self.before = self.well

    def make(self, n):
        del n
        self.releases.quiet(install=RETRY, upgrade=RETRY)

    def well(self, n):
        self.publish(2 * n)
        wait_until(lambda: settled(lambda _: check_release(self.releases, 2 * n), n), "the release to be well")

    def change(self, n):
        self.publish(2 * n + 1, {"templates/broken.yaml": BROKEN})

    def check(self, n):
        check_retrying(self.releases, f"1.{2 * n + 1}.0")


class RetriedUpgrade(FailedUpgrade):
    """The upgrade that ends it."""

    def well(self, n):
        self.publish(2 * n + 1, {"templates/broken.yaml": BROKEN})
        wait_until(lambda: settled(lambda _: check_retrying(self.releases, f"1.{2 * n + 1}.0"), n), "it to fail")

    def change(self, n):
        self.publish(2 * n + 2)

    def check(self, n):
        check_release(self.releases, 2 * n + 2)


class KeptHistory(Uninstall):
    """Its records stay, and are told uninstalled once."""

    def make(self, n):
        del n
        self.releases.quiet(uninstall={"keepHistory": True}, install={"replace": True})

    def made(self, n):
        del n
        obj = self.releases.get()
        assert self.releases.condition(obj)["status"] == "True", obj["status"]
        assert obj["status"]["observedGeneration"] == obj["metadata"]["generation"]

    def gone(self, n):
        del n
        assert self.releases.get() is None
        statuses = self.releases.statuses()
        assert statuses[max(statuses)] == "uninstalled", statuses
        assert set(statuses.values()) <= {"uninstalled", "superseded"}
        assert not self.releases.live("ConfigMap", "config")


LIVES = [OtherName, OtherNamespace, OtherStorage, AllOther, OtherAndDeletedMeanwhile, OtherAndBackMeanwhile,
         FailedInstall, FailedUpgrade, RetriedUpgrade, KeptHistory]


def killed_at_each_request(releases, controller, proxy, part, done):
    try:
        steps = each_step(proxy, controller, part.change, part.check, done, before=part.before, down=part.down,
                          until=part.until, query=NO_WATCH, path=f"/namespaces/[to]{releases.ns[1:]}/")
        assert steps >= part.least
    finally:
        part.stop()


@pytest.mark.parametrize("done", forms())
@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_killed_at_each_request(releases, helm_controller, proxied, life, done):
    killed_at_each_request(releases, helm_controller, proxied.proxy, life(releases), done)


def remote(life):
    """The same of another cluster: here this one, by a kubeconfig."""
    class Remote(life):
        def __init__(self, releases):
            releases.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {
                "name": "remote", "namespace": releases.ns}, "stringData": {"value": self.kubeconfig}})
            apply = releases.apply
            releases.apply = lambda *args, **spec: apply(
                *args, **{"kubeConfig": {"secretRef": {"name": "remote"}}, **spec})
            super().__init__(releases)
    return Remote


REMOTE = [Install, Upgrade, Rollback, Uninstall, InstallAndDeletedMeanwhile, OtherAndBackMeanwhile, OtherAndDeletedMeanwhile]


@pytest.mark.parametrize("done", forms())
@pytest.mark.parametrize("life", REMOTE, ids=lambda life: life.__name__)
def test_killed_at_each_request_of_another_cluster(releases, helm_controller, proxied, life, done):
    part = remote(life)
    part.kubeconfig = proxied.kubeconfig.read_text()
    killed_at_each_request(releases, helm_controller, proxied.proxy, part(releases), done)
