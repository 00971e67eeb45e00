"""What goes wrong in production, done for real: kill -9, servers gone and back, storage lost, peers down.
Afterwards nothing is lost, nothing orphaned, and Ready is True again."""
import shutil

from tests.faults.conftest import config_map
from tests.lib.controllers import Controller
from tests.lib.net import http, wait_until


def restart_api(api, while_down=None):
    """kill -9 of the API server, and the same one back."""
    if api.kind == "kube":
        api.apiserver.kill()
        if while_down:
            while_down()
        api.start_apiserver()
    else:
        api.process.kill()
        if while_down:
            while_down()
        api.process.start()
        api.process.wait_ready(lambda: api.rest.raw("GET", "/readyz")[0] == 200, "the server")


def test_kill_9_of_the_controller_between_apply_and_status(app, objects, toolkit):
    many = {f"{i}.yaml": config_map(f"m{i}", "1") for i in range(30)}
    app.commit(many)
    app.start()
    # As soon as the first object is there, and before all of it is said in status.
    wait_until(lambda: objects.configmap("m0") or objects.configmap("m29"), "a first object",
               interval=0.002)
    toolkit["kustomize-controller"].kill()
    app.commit({}, remove=["7.yaml"])
    toolkit["kustomize-controller"].start()
    obj = app.settled()
    assert len(obj["status"]["inventory"]["entries"]) == 29
    for i in range(30):
        if i != 7:
            assert objects.configmap(f"m{i}")["data"] == {"v": "1"}


def test_kill_9_of_the_source_controller(app, objects, toolkit):
    app.commit({"a.yaml": config_map("a", "1")})
    app.start()
    app.settled()
    toolkit["source-controller"].kill()
    app.commit({"a.yaml": config_map("a", "2")})
    toolkit["source-controller"].start()
    app.settled()
    assert objects.configmap("a")["data"] == {"v": "2"}
    assert not [p for p in toolkit.storage.rglob("*") if ".tmp" in p.name]


def test_S14_lost_storage_is_rebuilt(app, objects, toolkit):
    app.commit({"a.yaml": config_map("a", "1")})
    app.start()
    app.settled()
    before = objects.get("GitRepository", "src")["status"]["artifact"]
    toolkit["source-controller"].kill()
    shutil.rmtree(toolkit.storage)
    toolkit.storage.mkdir()
    toolkit["source-controller"].start()
    wait_until(lambda: (toolkit.storage / before["path"]).exists(), "the rebuilt artifact")
    after = objects.ready("GitRepository", "src")["status"]["artifact"]
    assert after["digest"] == before["digest"]


def test_the_api_server_gone_and_back(app, objects, api):
    app.commit({"a.yaml": config_map("a", "1")})
    app.start()
    app.settled()
    restart_api(api, lambda: app.commit({"a.yaml": config_map("a", "2"),
                                         "b.yaml": config_map("b", "1")}))
    app.settled()
    assert objects.configmap("a")["data"] == {"v": "2"} and objects.configmap("b")
    # The watch for drift is back too.
    status, _ = api.rest.call("DELETE",
                              f"/api/v1/namespaces/{objects.ns}/configmaps/b")
    assert status == 200
    wait_until(lambda: objects.configmap("b"), "the deleted object to be back")


def test_S26_a_git_server_gone_and_back(app, objects, git_server):
    app.commit({"a.yaml": config_map("a", "1")})
    app.start()
    app.settled()
    git_server.stop()
    failed = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert failed["status"]["artifact"], "the old artifact is still served"
    assert http("GET", failed["status"]["artifact"]["url"])[0] == 200
    git_server.start()
    app.commit({"a.yaml": config_map("a", "2")})
    app.settled()
    assert objects.configmap("a")["data"] == {"v": "2"}


def test_S96_K99_dead_notification_endpoint_blocks_nothing(app, objects, toolkit):
    toolkit["notification-controller"].kill()
    try:
        app.commit({"a.yaml": config_map("a", "1")})
        app.start()
        app.settled()
    finally:
        toolkit["notification-controller"].start()
        toolkit["notification-controller"].wait_until_ready()


def test_a_lying_git_server(objects, directory):
    """Something that answers, but is no Git."""
    from tests.lib.sink import Sink
    liar = Sink()
    try:
        objects.apply("GitRepository", "src", {"url": liar.url + "/x.git", "interval": "1h",
                                               "ref": {"branch": "main"}})
        objects.not_ready("GitRepository", "src", "GitOperationFailed")
    finally:
        liar.stop()


def test_K7_K8_wrong_digest_and_missing_artifact(app, objects, api, toolkit):
    """Status that does not fit what is served: nothing is applied."""
    app.commit({"a.yaml": config_map("a", "1")})
    app.start()
    app.settled()
    objects.patch("GitRepository", "src", {"spec": {"suspend": True}})
    path = objects.path("GitRepository", "src") + "/status"
    artifact = dict(objects.get("GitRepository", "src")["status"]["artifact"])
    for change in ({"digest": "sha256:" + "0" * 64, "revision": "main@sha1:" + "1" * 40},
                   {"url": artifact["url"] + "x", "digest": "sha256:" + "1" * 64,
                    "revision": "main@sha1:" + "2" * 40}):
        code, reply = api.rest.call("PATCH", path, {"status": {"artifact": {**artifact, **change}}},
                                    "application/merge-patch+json")
        assert code == 200, reply
        objects.wait("Kustomization", "app", lambda o: objects.condition(o).get("reason") ==
                     "ArtifactFailed" and o["status"]["lastAttemptedRevision"] ==
                     change["revision"], "to refuse the artifact")
    assert objects.configmap("a")["data"] == {"v": "1"}


def test_S99_K102_a_second_replica_takes_over(api, directory):
    """Two leaders never act; SIGTERM releases the lease, and the other goes on."""
    flags = ["--enable-leader-election", "--leader-election-lease-duration=20s",
             "--leader-election-renew-deadline=15s", "--leader-election-retry-period=1s",
             "--events-addr="]
    one = Controller("kustomize-controller", api, directory / "one", flags)
    two = None
    lease = ("/apis/coordination.k8s.io/v1/namespaces/flux-system/leases/"
             "kustomize-controller-leader-election")
    try:
        one.wait_until_ready()

        def holder():
            return (api.rest.get(lease) or {}).get("spec", {}).get("holderIdentity")
        first = wait_until(holder, "a leader")
        two = Controller("kustomize-controller", api, directory / "two", flags)
        two.wait_until_ready()
        assert holder() == first
        assert one.stop() == 0
        assert holder() != first, "it was not released, and would have to run out"
        second = wait_until(lambda: holder() not in (None, "", first) and holder(),
                            "the other to lead")
        assert second != first
        # And without a farewell.
        two.kill()
        one.start()
        wait_until(lambda: holder() not in (None, "", second), "the lease to be taken over")
    finally:
        for controller in (one, two):
            if controller:
                controller.stop()
