"""Which objects an instance of source-controller acts on: shards by label, one namespace."""
import hashlib

import pytest

from tests.conftest import Objects
from tests.lib.controllers import Controller
from tests.lib.net import free_port, wait_until

SHARD = "sharding.fluxcd.io/key"


@pytest.fixture
def start(api, directory):
    """Starts a source-controller with flags; all are stopped and must end cleanly."""
    running = []

    def run(name, *flags):
        storage = directory / name / "storage"
        storage.mkdir(parents=True)
        port = free_port()
        one = Controller("source-controller", api, directory / name, [
            "--events-addr=", f"--storage-path={storage}", f"--storage-addr=127.0.0.1:{port}",
            f"--storage-adv-addr=127.0.0.1:{port}", *flags], env={"TMPDIR": str(directory / name)})
        running.append(one)
        return one.wait_until_ready()
    yield run
    assert [one.stop() for one in running] == [0] * len(running)


@pytest.fixture
def source(git_server, ns):
    """Applies GitRepositories of the test's repository, wherever."""
    repo = git_server.repository(ns)
    repo.commit({"a": "1"})

    def make(objects, name, **metadata):
        objects.apply("GitRepository", name, {"url": git_server.url_of(repo), "interval": "1h",
                                              "ref": {"branch": "main"}}, **metadata)
    return make


def untouched(objects, name):
    obj = objects.get("GitRepository", name)
    return not obj["metadata"].get("finalizers") and obj["status"] == {"observedGeneration": -1}


def lease(api, selector=None):
    suffix = "-" + hashlib.sha256(selector.encode()).hexdigest()[:8] if selector else ""
    found = api.rest.get("/apis/coordination.k8s.io/v1/namespaces/flux-system/leases/"
                         f"source-controller-leader-election{suffix}")
    return (found or {}).get("spec", {}).get("holderIdentity")


def test_S97_shards_share_nothing(api, ns, start, source):
    objects = Objects(api, ns)
    source(objects, "one", labels={SHARD: "one"})
    source(objects, "main")
    start("shard", f"--watch-label-selector={SHARD}=one", "--enable-leader-election")
    ready = objects.ready("GitRepository", "one")
    # Made before it and of the same kind: it would have had its turn.
    assert untouched(objects, "main")
    assert lease(api, f"{SHARD}=one") and not lease(api)
    start("main", f"--watch-label-selector=!{SHARD}", "--enable-leader-election")
    before = objects.ready("GitRepository", "main")["status"]["artifact"]["url"]
    assert lease(api, f"!{SHARD}")
    assert objects.get("GitRepository", "one")["status"] == ready["status"]
    # An object that changes shards changes hands.
    objects.patch("GitRepository", "main", {"metadata": {"labels": {SHARD: "one"}}})
    objects.request("GitRepository", "main", "moved")
    objects.wait("GitRepository", "main", lambda o: o["status"].get("lastHandledReconcileAt") ==
                 "moved" and o["status"].get("artifact", {}).get("url", before) != before,
                 "to be served elsewhere")


def test_S98_one_namespace(api, ns, start, source):
    elsewhere, own = Objects(api, ns), Objects(api, "flux-system")
    source(elsewhere, "src")
    source(own, "src")
    start("single", "--watch-all-namespaces=false")
    own.ready("GitRepository", "src")
    assert untouched(elsewhere, "src")
    own.request("GitRepository", "src", "again")
    elsewhere.request("GitRepository", "src", "again")
    own.wait("GitRepository", "src",
             lambda o: o["status"].get("lastHandledReconcileAt") == "again", "the request")
    assert untouched(elsewhere, "src")
    own.delete("GitRepository", "src")
    wait_until(lambda: own.get("GitRepository", "src") is None, "the object to go")
