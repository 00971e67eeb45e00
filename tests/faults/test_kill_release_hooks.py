"""kill -9 at every write of a release with hooks, a definition and a wait. After the restart no revision is
pending, and of the hooks there is what their policies leave."""
import threading
import zlib

import pytest
import yaml

from tests.faults.test_kill_at_every_step import each_step
from tests.faults.test_kill_releases import Install, Life, Rollback, Uninstall, Upgrade, check_release
from tests.lib.helm import decode
from tests.lib.net import wait_until
from tests.lib.releases import (BROKEN, QUICK, chart_server, config, controller_with,  # noqa: F401
                                deployment, job_hook, releases)

helm_controller = controller_with(*QUICK, server="proxied")
STEPS = {"method": "POST|PUT|PATCH|DELETE", "path": "/namespaces/test-|/customresourcedefinitions/things"}
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
BEFORE = "pre-install,pre-upgrade,pre-rollback"
AFTER = "post-install,post-upgrade,post-rollback"


def hook(name, events, policy, n):
    return config(name, {"v": str(n)}, annotations={"helm.sh/hook": events, "helm.sh/hook-delete-policy": policy})


def job(name, events, policy):
    return job_hook(name, events, {"helm.sh/hook-delete-policy": policy, "helm.sh/hook-weight": "5"})


class Cluster(threading.Thread):
    """What nobody does on a server without nodes: Jobs end, Deployments become ready. Each a while after it was
    made, so that it is waited for."""

    def __init__(self, releases):
        super().__init__()
        self.releases, self.over, self.seen = releases, threading.Event(), set()
        self.early = []  # Deployments whose release was told deployed before they were ready

    def items(self, group, plural):
        path = f"/apis/{group}/v1/namespaces/{self.releases.ns}/{plural}"
        for item in self.releases.api.rest.get(path)["items"]:
            uid = item["metadata"]["uid"], item["metadata"].get("generation")
            if uid in self.seen:
                yield item
            self.seen.add(uid)

    def run(self):
        while not self.over.wait(0.05):
            for item in self.items("batch", "jobs"):
                if not item.get("status", {}).get("conditions"):
                    self.change(item, {"startTime": "2026-01-02T03:04:05Z", "succeeded": 1,
                                       "completionTime": "2026-01-02T03:04:05Z",
                                       "conditions": self.true("SuccessCriteriaMet", "Complete")})
            for item in self.items("apps", "deployments"):
                generation = item["metadata"]["generation"]
                if item.get("status", {}).get("observedGeneration") != generation:
                    self.note_deployed(item)
                    self.change(item, {"observedGeneration": generation, "replicas": 1, "updatedReplicas": 1,
                                       "readyReplicas": 1, "availableReplicas": 1,
                                       "conditions": self.true("Available", "Progressing")})

    def note_deployed(self, item):
        image = item["spec"]["template"]["spec"]["containers"][0]["image"]
        newest = self.releases.secrets()[-1:]
        if newest and newest[0]["metadata"]["labels"]["status"] == "deployed" and \
                f"image: {image}\n" in decode(newest[0])["manifest"]:
            self.early.append(image)

    @staticmethod
    def true(*kinds):
        stamp = "2026-01-02T03:04:05Z"
        return [{"type": kind, "status": "True", "reason": "NewReplicaSetAvailable", "message": "",
                 "lastTransitionTime": stamp} for kind in kinds]

    def change(self, item, status):
        kind = "Job" if "completionTime" in status else "Deployment"
        path = self.releases.path(kind, item["metadata"]["name"])
        # It may be gone by now.
        self.releases.api.rest.call("PATCH", path + "/status", {"status": status}, "application/merge-patch+json")


class Rich(Life):
    """Its chart brings a kind with an object of it, each time another, hooks before and after, and what is
    waited for."""

    def __init__(self, releases):
        self.group = f"t{zlib.crc32(releases.ns.encode()):08x}.example.com"
        self.cluster = Cluster(releases)
        self.cluster.start()
        try:
            super().__init__(releases)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self.cluster.over.set()
        self.cluster.join()

    def definition(self, n):
        names = {"plural": f"things{n}", "singular": f"thing{n}", "kind": f"Thing{n}"}
        return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": f"things{n}.{self.group}"},
                "spec": {"group": self.group, "scope": "Namespaced", "names": names,
                         "versions": [{"name": "v1", "served": True, "storage": True, "schema": {
                             "openAPIV3Schema": {"type": "object",
                                                 "x-kubernetes-preserve-unknown-fields": True}}}]}}

    def files(self, n):
        thing = {"apiVersion": f"{self.group}/v1", "kind": f"Thing{n}", "metadata": {"name": "thing"}}
        return {"crds/thing.yaml": yaml.safe_dump(self.definition(n)),
                "templates/thing.yaml": yaml.safe_dump(thing),
                "templates/config.yaml": config("config", {"v": str(n)}),
                "templates/web.yaml": deployment(image=f"web:{n}"),
                "templates/before.yaml": hook("before", BEFORE, "before-hook-creation", n),
                "templates/migrate.yaml": job("migrate", BEFORE, "before-hook-creation,hook-succeeded"),
                "templates/after.yaml": hook("after", AFTER, "hook-succeeded", n),
                "templates/bye.yaml": job("bye", "pre-delete", "before-hook-creation,hook-succeeded"),
                "templates/byebye.yaml": hook("byebye", "post-delete", "before-hook-creation,hook-succeeded", n)}

    def publish(self, n, extra=None):
        self.releases.chart({**self.files(n), **(extra or {})}, version=f"1.{n}.0")

    def make(self, n):
        del n
        self.releases.apply("app", maxHistory=3)

    def thing(self, n):
        path = f"/apis/{self.group}/v1/namespaces/{self.releases.ns}/things{n}/thing"
        return self.releases.api.rest.get(path)

    def check_hooks(self, n):
        live = self.releases.live
        assert live("ConfigMap", "before")["data"] == {"v": str(n)}, "stays until the next one"
        for kind, name in (("Job", "migrate"), ("ConfigMap", "after"), ("Job", "bye"), ("ConfigMap", "byebye")):
            assert not live(kind, name), f"{name} goes when it has succeeded"

    def check_rich(self, n):
        check_release(self.releases, n)
        web = self.releases.live("Deployment", "web")
        assert web["spec"]["template"]["spec"]["containers"][0]["image"] == f"web:{n}"
        assert web["status"]["observedGeneration"] == web["metadata"]["generation"]
        assert not self.cluster.early, "they are waited for"
        assert self.thing(n) and (n == 0 or not self.thing(n - 1))
        self.check_hooks(n)

    def made(self, n):
        del n
        self.check_rich(0)

    def gone(self, n):
        super().gone(n)
        live = self.releases.live
        assert not live("Deployment", "web") and not self.thing(0)
        assert not live("Job", "bye") and not live("ConfigMap", "byebye")


class RichInstall(Rich, Install):
    least = 20

    def without(self, n):
        super().without(n)
        path = f"{DEFINITIONS}/things0.{self.group}"
        self.releases.api.rest.call("DELETE", path)
        # One that is on its way out would be taken for the one that is there already.
        wait_until(lambda: not self.releases.api.rest.get(path), "the definition to be gone")


class RichUninstall(Rich, Uninstall):
    least = 12


class RichUpgrade(Rich, Upgrade):
    least = 20

    def change(self, n):
        self.left = self.hook_uid()
        super().change(n)

    def hook_uid(self):
        return self.releases.live("ConfigMap", "before")["metadata"]["uid"]

    def check(self, n):
        self.check_rich(n + 1)
        assert self.hook_uid() != self.left, "it is made anew"


class RichRollback(Rich, Rollback):
    """The chart that fails brings an object of another kind. Only the rollback has hooks and waits: where a crash
    made it be forgotten, what its hooks left goes with the next one's."""

    least = 15

    def make(self, n):
        self.releases.apply("app", maxHistory=0, upgrade={
            "disableHooks": True, "disableWait": True, "remediation": {"retries": 0, "remediateLastFailure": True}})

    def told(self, n):
        super().told(n)
        assert self.thing(2 * n)
        self.check_hooks(2 * n)


LIVES = [RichInstall, RichUpgrade, RichRollback, RichUninstall]


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_killed_at_each_write(releases, helm_controller, proxied, life):
    """Once the server did it: before it does the next is the same."""
    part = life(releases)
    try:
        steps = each_step(proxied.proxy, helm_controller, part.change, part.check, True,
                          before=part.before, down=part.down, until=part.until, **STEPS)
        assert steps >= part.least
    finally:
        part.stop()
