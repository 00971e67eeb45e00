"""The API server as production has it at its worst, by a proxy between it and the controllers: watches
cut at any byte, 409, 410, 429, 500, replies lost, late or never, the server gone. After each: the end
state is right, nothing was lost, requests backed off, and the user could see what was wrong."""
import collections
import os
import threading
import time

import pytest
import yaml

from tests.faults.conftest import config_map
from tests.lib.apps import account
from tests.lib.controllers import Toolkit
from tests.lib.fault import (corrupt, cut, drop, error_event, hang, lose_reply, repeat, reply,
                             slow_reply, status, trickle)
from tests.lib.net import wait_until

WATCH = "watch=true"


@pytest.fixture(scope="module")
def toolkit(proxied, directory):
    kit = Toolkit(proxied, directory / "toolkit").start()
    yield kit
    kit.finish()


def drift_comes_back(objects, name, value):
    """Somebody edits an applied object: undone, so the watch that tells of it lives."""
    path = f"/api/v1/namespaces/{objects.ns}/configmaps/{name}"
    code, reply = objects.api.rest.call("PATCH", path, {"data": {"v": "edited"}},
                                        "application/merge-patch+json")
    assert code == 200, reply
    wait_until(lambda: objects.configmap(name)["data"] == {"v": value}, "the edit to be undone")


def test_the_proxy_lets_everything_pass(app, objects, proxy):
    """The other tests mean something only if nothing is wrong without rules."""
    app.deploy({"a.yaml": config_map("a", "1")})
    assert proxy.count(query=WATCH) and proxy.count(method="PATCH")
    drift_comes_back(objects, "a", "1")


# --- watches ---

def busiest(proxy, since, **match):
    """How often the request that came most often came."""
    seen = collections.Counter(r.stem() for r in proxy.requests(since, **match))
    return max(seen.values(), default=0)


# An event of a ConfigMap's metadata has some 600 bytes, of a GitRepository about 3000.
@pytest.mark.parametrize("offset", [0, 1, 60, 333, 600, 1100, 2600, 5000])
def test_a_watch_cut_at_any_byte_loses_nothing(app, objects, proxy, offset):
    app.deploy({"a.yaml": config_map("a", "1"), "b.yaml": config_map("b", "1")})
    rule = proxy.on(cut(offset), each=True, query=WATCH)
    mark = proxy.mark()
    proxy.break_connections()
    app.deploy({"a.yaml": config_map("a", "2")}, remove=["b.yaml"])
    wait_until(lambda: rule.hits > 1, "watches to be there again")
    assert objects.configmap("a")["data"] == {"v": "2"} and not objects.configmap("b")
    drift_comes_back(objects, "a", "2")
    assert busiest(proxy, mark, query=WATCH) < 12


def test_watches_in_pieces_of_a_byte(app, objects, proxy):
    proxy.on(trickle(1), query=WATCH)
    proxy.break_connections(reset=True)
    app.deploy({"a.yaml": config_map("a", "1")})
    drift_comes_back(objects, "a", "1")


@pytest.mark.parametrize("form", [status(410, "Expired"), error_event(410, "Expired"),
                                  error_event(410, "Gone")], ids=["status", "event", "gone"])
def test_410_lists_again_and_notices_what_the_gap_hid(app, objects, proxy, api, form):
    app.deploy({"a.yaml": config_map("a", "1"), "b.yaml": config_map("b", "1")})
    gap = proxy.on(drop(), query=WATCH)
    proxy.break_connections()
    path = f"/api/v1/namespaces/{objects.ns}/configmaps/"
    assert api.rest.call("DELETE", path + "b")[0] == 200
    assert api.rest.call("PATCH", path + "a", {"data": {"v": "edited"}},
                         "application/merge-patch+json")[0] == 200
    app.commit({"c.yaml": config_map("c", "1")})
    expired = proxy.on(form, each=True, query=r"(^|&)resourceVersion=\w")
    mark = proxy.mark()
    proxy.off(gap)
    app.settled()
    for name in "abc":
        wait_until(lambda n=name: (objects.configmap(n) or {}).get("data") == {"v": "1"},
                   f"{name} to be as it should")
    assert expired.hits
    assert busiest(proxy, mark, query=WATCH) < 12


def test_what_is_deleted_before_its_watch_begins_is_made_again(app, objects, proxy):
    """No watch tells of that: the next run notices that none has told of the object."""
    begun = threading.Event()

    def late(x):
        begun.wait(30)
        x.forward()
    proxy.on(late, method="GET", path="/limitranges$")
    path = f"/api/v1/namespaces/{objects.ns}/limitranges"
    limits = {name: {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": name},
                     "spec": {"limits": [{"type": "Pod", "max": {"cpu": "9"}}]}} for name in "ab"}
    app.deploy({f"{name}.yaml": yaml.safe_dump(limit) for name, limit in limits.items()})
    assert objects.api.rest.call("DELETE", f"{path}/a")[0] == 200
    begun.set()
    assert objects.api.rest.call("PATCH", f"{path}/b", {"spec": {"limits": []}},
                                 "application/merge-patch+json")[0] == 200
    wait_until(lambda: objects.api.rest.get(f"{path}/b")["spec"]["limits"],
               "the watch to tell of the other one")

    def made_again():
        objects.request("Kustomization", "app", str(time.monotonic()))
        return objects.api.rest.get(f"{path}/a")
    wait_until(made_again, "the other one to be there again", interval=0.5)


def test_a_first_watch_that_tells_nothing(app, objects, proxy, toolkit):
    """What a server does whose etcd cannot say how far it is: a list is taken in its place."""
    app.deploy({"a.yaml": config_map("a", "1")})
    proxy.on(hang(), query="sendInitialEvents")
    controller = toolkit["kustomize-controller"]
    assert controller.stop() == 0
    mark = proxy.mark()
    controller.start()
    controller.wait_until_ready()
    app.commit({"a.yaml": config_map("a", "2")})
    app.settled()
    assert objects.configmap("a")["data"] == {"v": "2"}
    path = "/kustomizations$"
    silent = proxy.requests(mark, path=path, query="sendInitialEvents")[0]
    in_its_place = proxy.requests(mark, path=path, query="^limit=")[0]
    assert in_its_place.at - silent.at < 50  # such a watch is given a minute


def test_410_for_ever_is_no_storm(app, objects, proxy):
    app.deploy({"a.yaml": config_map("a", "1")})
    proxy.on(status(410, "Expired"), query=r"(^|&)resourceVersion=\w")
    proxy.on(cut(0), query="sendInitialEvents")
    mark = proxy.mark()
    proxy.break_connections()
    started = time.monotonic()
    wait_until(lambda: time.monotonic() - started > 6, "the storm that must not come", 10)
    assert busiest(proxy, mark, query=WATCH) < 20
    proxy.off()
    proxy.break_connections()
    drift_comes_back(objects, "a", "1")


def test_a_watch_that_ends_at_once_is_no_storm(app, objects, proxy):
    """A load balancer in between that ends every reply after a moment, as if all was well."""
    app.deploy({"a.yaml": config_map("a", "1")})
    bookmark = b'{"type":"BOOKMARK","object":{"kind":"X","metadata":{"resourceVersion":"1"}}}\n'
    for body in (b"", bookmark):
        rule = proxy.on(reply(200, body, {"Content-Type": "application/json"}), query=WATCH)
        mark = proxy.mark()
        proxy.break_connections()
        started = time.monotonic()
        wait_until(lambda: time.monotonic() - started > 5, "the storm that must not come", 10)
        assert busiest(proxy, mark, query=WATCH) < 15, body
        proxy.off(rule)
    proxy.break_connections()
    drift_comes_back(objects, "a", "1")


GARBAGE = {"portal": b"<html>Please log in</html>", "zeros": b"\0\0\0", "deep": b"{" * 100000,
           "endless": b'{"type":"ADDED","object":{"a":"' + b"x" * (20 << 20),
           "senseless": b'{"type":"ERROR"}\n', "no-object": b'{"type":"ADDED","object":[]}\n['}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_instead_of_a_watch(app, objects, proxy, toolkit, kind):
    """A captive portal's page with 200, an event without end, an ERROR event without sense."""
    app.deploy({"a.yaml": config_map("a", "1")})
    rule = proxy.on(reply(200, GARBAGE[kind]), each=True, query=WATCH)
    proxy.break_connections()
    app.deploy({"a.yaml": config_map("a", "2")})
    drift_comes_back(objects, "a", "2")
    assert rule.hits and all(c.alive() for c in toolkit.running.values())
    # 16 MiB at most for each watch, beside the sanitizer's own.
    assert all(c.memory_kib() < 1 << 20 for c in toolkit.running.values())


# --- single requests ---

def warnings(objects, name="app"):
    return [e for e in objects.events(name) if e[0] == "Warning"]


def errors_in_log(toolkit, objects, controller="kustomize-controller"):
    return [line for line in toolkit[controller].log().splitlines()
            if '"level":"error"' in line and f'"{objects.ns}"' in line]


def test_429_waits_as_long_as_it_says_and_is_no_failure(app, objects, proxy, toolkit):
    app.deploy({"a.yaml": config_map("a", "1")})
    path = f"/{objects.ns}/configmaps/"
    proxy.on(status(429, "TooManyRequests", headers={"Retry-After": "2"}), times=1, method="PATCH",
             path=path)
    mark = proxy.mark()
    app.deploy({"a.yaml": config_map("a", "2"), "b.yaml": config_map("b", "2")})
    assert objects.configmap("a")["data"] == {"v": "2"}
    sent = proxy.requests(mark, method="PATCH", path=path)
    refused = next(r for r in sent if r.status == 429)
    again = next(r for r in sent if r.target == refused.target and r.at > refused.at)
    assert 1.9 < again.at - refused.at < 20
    assert warnings(objects) == [] and errors_in_log(toolkit, objects) == []


def test_429_holds_no_worker(app, objects, proxy):
    """More Kustomizations than workers wait as the server asks; another one goes its way."""
    app.deploy({"a.yaml": config_map("a", "1")})
    mark = proxy.mark()
    match = {"method": "PATCH", "path": f"/{objects.ns}/kustomizations/waiting-[0-9]*$"}
    rule = proxy.on(status(429, "TooManyRequests", headers={"Retry-After": "10"}), **match)
    for i in range(10):
        objects.apply("Kustomization", f"waiting-{i}", {
            "interval": "1h", "prune": True, "path": "./", "targetNamespace": objects.ns,
            "namePrefix": f"w{i}-",  # objects of its own: two owners of one would fight
            "sourceRef": {"kind": "GitRepository", "name": "src"}})
    wait_until(lambda: len({r.path for r in proxy.requests(mark, **match)}) == 10,
               "all to be told to wait")
    app.deploy({"a.yaml": config_map("a", "2")})
    assert {r.status for r in proxy.requests(mark, **match)} == {429}, "none of them went on yet"
    proxy.off(rule)
    for i in range(10):
        objects.ready("Kustomization", f"waiting-{i}")
        assert warnings(objects, f"waiting-{i}") == []
        objects.delete("Kustomization", f"waiting-{i}")


def test_429_for_long_is_shown_and_in_the_end_a_failure(app, objects, proxy):
    app.deploy({"a.yaml": config_map("a", "1")})
    rule = proxy.on(status(429, "TooManyRequests", "please wait", headers={"Retry-After": "3"}),
                    method="PATCH", path=f"/{objects.ns}/configmaps/")
    app.commit({"a.yaml": config_map("a", "2")})
    obj = objects.wait("Kustomization", "app", lambda o: "please wait" in objects.condition(
        o, "Reconciling").get("message", ""), "to say what it waits for")
    assert f"ConfigMap/{objects.ns}/a" in objects.condition(obj, "Reconciling")["message"]
    assert objects.condition(obj)["status"] == "True", "nothing failed yet"
    if os.environ.get("SLUICE_SLOW"):
        failed = objects.not_ready("Kustomization", "app", "ReconciliationFailed", 400)
        assert "please wait" in objects.condition(failed)["message"]
        wait_until(lambda: warnings(objects), "the Warning event")
    proxy.off(rule)
    obj = app.settled()
    assert objects.condition(obj, "Reconciling") == {}
    assert objects.configmap("a")["data"] == {"v": "2"}


@pytest.mark.parametrize("code, reason", [(500, "InternalError"), (503, "ServiceUnavailable")])
def test_5xx_says_which_object_and_backs_off(app, objects, proxy, toolkit, code, reason):
    app.deploy({"a.yaml": config_map("a", "1")})
    path = f"/{objects.ns}/configmaps/a"
    rule = proxy.on(status(code, reason, "etcd has no leader"), method="PATCH", path=path)
    mark = proxy.mark()
    app.commit({"a.yaml": config_map("a", "2")})
    failed = objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    message = objects.condition(failed)["message"]
    assert f"ConfigMap/{objects.ns}/a" in message and "etcd has no leader" in message
    assert failed["status"]["lastAppliedRevision"] != failed["status"]["lastAttemptedRevision"]
    assert objects.condition(failed, "Reconciling")["reason"] == "ProgressingWithRetry"
    wait_until(lambda: any("etcd has no leader" in m and f"ConfigMap/{objects.ns}/a" in m
                           for _, _, m in warnings(objects)), "the Warning event")
    wait_until(lambda: rule.hits >= 3, "two more tries")
    tries = [r.at for r in proxy.requests(mark, method="PATCH", path=path)]
    assert len(tries) <= 2 + (tries[-1] - tries[0]) / 0.7, "retryInterval is 1 s"
    proxy.off(rule)
    app.settled()
    assert objects.configmap("a")["data"] == {"v": "2"}


def test_500_of_everything_but_watches_is_no_storm(app, objects, proxy):
    app.deploy({"a.yaml": config_map("a", "1")})
    rule = proxy.on(status(500, "InternalError"), path=".")
    proxy.break_connections()
    mark = proxy.mark()
    app.commit({"a.yaml": config_map("a", "2")})
    started = time.monotonic()
    wait_until(lambda: time.monotonic() - started > 6, "the storm that must not come", 10)
    assert busiest(proxy, mark) < 25, proxy.requests(mark)[-30:]
    proxy.off(rule)
    app.settled(90)
    drift_comes_back(objects, "a", "2")


def test_409_on_the_status_is_done_again(app, objects, proxy, toolkit):
    rule = proxy.on(status(409, "Conflict", "the object has been modified"), times=3, method="PUT",
                    path=f"/{objects.ns}/kustomizations/app/status$")
    app.deploy({"a.yaml": config_map("a", "1")})
    assert rule.hits == 3
    assert errors_in_log(toolkit, objects) == []


def test_409_on_the_status_without_end_backs_off(app, objects, proxy):
    app.deploy({"a.yaml": config_map("a", "1")})
    path = f"/{objects.ns}/kustomizations/app/status$"
    rule = proxy.on(status(409, "Conflict"), method="PUT", path=path)
    app.commit({"a.yaml": config_map("a", "2")})
    wait_until(lambda: rule.hits >= 10, "two rows of tries", 60)
    first, *_, last = proxy.requests(method="PUT", path=path)[-rule.hits:]
    assert last.at - first.at > 0.7, "a pause between two rows"
    proxy.off(rule)
    app.settled()
    assert objects.configmap("a")["data"] == {"v": "2"}


def test_an_account_that_may_only_patch_the_status(app, objects, proxy, toolkit):
    """Upstream patches, so a role that somebody wrote may name that verb alone; asked for once."""
    path = f"/{objects.ns}/kustomizations/app/status$"
    rule = proxy.on(status(403, "Forbidden"), method="PUT", path=path)
    try:
        app.deploy({"a.yaml": config_map("a", "1")})
        app.deploy({"a.yaml": config_map("a", "2")})
        assert rule.hits == 1
        assert proxy.count(method="PATCH", path=path) >= 2
        assert errors_in_log(toolkit, objects) == []
    finally:
        proxy.off(rule)
        daemon = toolkit["kustomize-controller"]
        assert daemon.stop() == 0
        daemon.start()
        daemon.wait_until_ready()


def entries(obj):
    """Of managedFields, without their times."""
    return sorted((e["manager"], e["operation"], e.get("subresource", ""), str(sorted(e["fieldsV1"])),
                   str(sorted(e["fieldsV1"].get("f:metadata", {}).items())))
                  for e in obj["metadata"]["managedFields"])


def test_S94_a_status_leaves_what_others_own(app, objects, proxy):
    """Fields of metadata and of spec, and conditions, stay their owners', also in managedFields."""
    app.deploy({"a.yaml": config_map("a", "1")})
    path = objects.path("Kustomization", "app")
    for part, body in (("", {"metadata": {"labels": {"l": "1"}, "annotations": {"a": "1"}},
                             "spec": {"timeout": "77s"}}),
                       ("/status", {"status": {"inventory": {"entries": [
                           {"id": f"{objects.ns}_a__ConfigMap", "v": "v1"}]}}})):
        code, got = objects.api.rest.call("PATCH", path + part + "?fieldManager=other", body,
                                          "application/merge-patch+json")
        assert code == 200, got
    app.settled()
    others = [e for e in entries(objects.get("Kustomization", "app")) if e[0] != "gotk-kustomize-controller"]
    assert any(e[0] == "other" and "f:labels" in e[4] for e in others)
    mark = proxy.mark()
    obj = app.deploy({"a.yaml": config_map("a", "2")})
    assert proxy.count(mark, method="PUT", path=path + "/status$")
    assert [e for e in entries(obj) if e[0] != "gotk-kustomize-controller"] == others
    assert obj["metadata"]["labels"]["l"] == obj["metadata"]["annotations"]["a"] == "1"
    assert obj["spec"]["timeout"] == "77s"


def service(name, value):
    """Of a kind that is asked for before it is written."""
    return (f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, labels: {{v: '{value}'}}}}\n"
            "spec: {ports: [{port: 80}]}\n")


def version_of(objects, name):
    """What `service` made, as told by its label; None: nothing."""
    code, obj = objects.api.rest.call("GET", f"/api/v1/namespaces/{objects.ns}/services/{name}")
    return obj["metadata"]["labels"]["v"] if code == 200 else None


WRITES = {"dry-run": {"query": "dryRun=All", "path": "/services/"},
          "apply": {"query": "force=true(?!.*dryRun)", "path": "/configmaps/"},
          "status": {"method": "PUT", "path": "/kustomizations/app/status$"},
          "finalizer": {"path": "/kustomizations/app$"}}


@pytest.mark.parametrize("what", WRITES)
@pytest.mark.parametrize("form", [lose_reply(), lose_reply(reset=True), repeat(), drop(reset=True)],
                         ids=["lost", "reset", "repeated", "dropped"])
def test_a_write_done_whose_reply_is_lost(app, objects, proxy, what, form):
    """The state is right, and nothing is told twice."""
    match = {"method": "PATCH", **WRITES[what], "path": f"/{objects.ns}{WRITES[what]['path']}"}
    rule = proxy.on(form, times=1, **match)
    make = service if what == "dry-run" else config_map
    app.deploy({"a.yaml": make("a", "1"), "b.yaml": make("b", "1")})
    assert rule.hits == 1
    obj = app.deploy({"a.yaml": make("a", "2")}, remove=["b.yaml"])
    ids = [e["id"] for e in obj["status"]["inventory"]["entries"]]
    if make is service:
        assert ids == [f"{objects.ns}_a__Service"]
        assert version_of(objects, "a") == "2" and not version_of(objects, "b")
    else:
        assert ids == [f"{objects.ns}_a__ConfigMap"]
        assert objects.configmap("a")["data"] == {"v": "2"} and not objects.configmap("b")
    assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
    if what in ("dry-run", "apply"):
        changes = [m for _, r, m in objects.events("app") if r == "Progressing"]
        told = "\n".join(changes).splitlines()
        assert sorted(told) == sorted(set(told)), changes


def test_an_event_whose_reply_is_lost_is_there_once(app, objects, proxy, api):
    rule = proxy.on(lose_reply(), times=2, method="POST", path=f"/{objects.ns}/events$")
    app.deploy({"a.yaml": config_map("a", "1")})
    wait_until(lambda: rule.hits == 2, "both replies to be lost")
    proxy.wait_for("the event again", 3, method="POST", path=f"/{objects.ns}/events$")
    items = api.rest.get(f"/api/v1/namespaces/{objects.ns}/events")["items"]
    seen = [(e["involvedObject"]["name"], e["reason"], e["message"]) for e in items]
    assert len(seen) == len(set(seen))


def test_a_delete_done_whose_reply_is_lost(app, objects, proxy):
    app.deploy({"a.yaml": config_map("a", "1"), "b.yaml": config_map("b", "1")})
    rule = proxy.on(lose_reply(), times=1, method="DELETE", path=f"/{objects.ns}/configmaps/b$")
    obj = app.deploy({}, remove=["b.yaml"])
    assert rule.hits == 1
    assert len(obj["status"]["inventory"]["entries"]) == 1 and not objects.configmap("b")
    assert warnings(objects) == []


def test_half_a_reply(app, objects, proxy):
    """Cut in the middle, and bytes that are no JSON: asked again."""
    match = {"method": "PATCH", "query": "dryRun=All", "path": f"/{objects.ns}/"}
    rules = [proxy.on(cut(40), times=2, **match), proxy.on(cut(0), times=1, **match),
             proxy.on(corrupt(0), times=1, **match)]
    # One object of a stage is its own dry run.
    app.deploy({"a.yaml": service("a", "1"), "b.yaml": service("b", "1")})
    assert [r.hits for r in rules] == [2, 1, 1]
    assert warnings(objects) == []


def test_a_slow_server(app, objects, proxy, toolkit):
    """Replies after seconds: what takes long is seen to be in progress, and ends well."""
    proxy.on(slow_reply(3), method="PATCH", path=f"/{objects.ns}/configmaps/")
    app.commit({"a.yaml": config_map("a", "1")})
    app.start()
    app.settled()
    assert objects.configmap("a")
    assert warnings(objects) == []


def test_objects_that_the_server_refuses_leave_their_stage_unchanged(app, objects, proxy):
    app.commit({"a.yaml": config_map("a", "1"), "b.yaml": config_map("b", "1")})
    app.start(retryInterval="1h")
    app.settled()
    rule = proxy.on(status(403, "Forbidden", "quota says no"), method="PATCH",
                    path=f"/{objects.ns}/configmaps/b")
    app.commit({"a.yaml": config_map("a", "2"), "b.yaml": config_map("b", "2"),
                "c.yaml": config_map("c", "2")})
    failed = objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    assert f"ConfigMap/{objects.ns}/b" in objects.condition(failed)["message"]
    assert "quota says no" in objects.condition(failed)["message"]
    assert objects.configmap("a")["data"] == {"v": "1"} and not objects.configmap("c")
    proxy.off(rule)
    objects.request("Kustomization", "app")
    app.settled()
    assert objects.configmap("c")["data"] == {"v": "2"}


def test_K76_a_finalizer_that_stays_does_not_begin_the_wait_anew(app, objects, proxy):
    """The wait for termination is over when the server refuses to let the Kustomization go."""
    stuck = config_map("a", "1").replace("name: a", "name: a, finalizers: [example.test/stuck]")
    app.commit({"a.yaml": stuck})
    app.start(deletionPolicy="WaitForTermination", timeout="1s")
    app.settled()
    release = {"method": "PATCH", "path": f"/{objects.ns}/kustomizations/app$"}
    rule = proxy.on(status(500, "InternalError"), times=1, **release)
    # One look is for the deletion, the next one whether it has ended: no answer is not "gone".
    unknown = proxy.on(status(500, "InternalError"), times=1, skip=1, method="GET",
                       path=f"/{objects.ns}/configmaps/a$")
    mark = proxy.mark()
    deleted = time.monotonic()
    objects.delete("Kustomization", "app")
    proxy.wait_for("the finalizer to be taken off again", 2, since=mark, timeout=150, **release)
    first, second = proxy.requests(mark, **release)[:2]
    assert unknown.hits == 1 and first.at - deleted > 29
    assert rule.hits == 1 and second.at - first.at < 29
    objects.gone("Kustomization", "app")


def test_K77_an_account_that_cannot_be_asked_for_is_not_gone(app, objects, proxy, api):
    """Only "not found" orphans the objects."""
    account(api, objects.ns, "deployer", "*")
    app.commit({"a.yaml": config_map("a", "1")})
    app.start(serviceAccountName="deployer")
    app.settled()
    before = warnings(objects)
    rule = proxy.on(status(500, "InternalError"), times=1, method="GET",
                    path=f"/{objects.ns}/serviceaccounts/deployer$")
    objects.delete("Kustomization", "app")
    objects.gone("Kustomization", "app")
    assert rule.hits == 1 and not objects.configmap("a")
    assert warnings(objects) == before


# --- the server gone ---

def test_a_server_that_is_not_ready_yet(app, objects, proxy):
    """It listens, and answers 503 to all: as in a rolling upgrade."""
    app.deploy({"a.yaml": config_map("a", "1")})
    rule = proxy.on(status(503, "ServiceUnavailable"), path=".")
    proxy.break_connections()
    mark = proxy.mark()
    app.commit({"a.yaml": config_map("a", "2")})
    started = time.monotonic()
    wait_until(lambda: time.monotonic() - started > 6, "the storm that must not come", 10)
    assert busiest(proxy, mark) < 25, proxy.requests(mark)[-30:]
    proxy.off(rule)
    app.settled(90)
    drift_comes_back(objects, "a", "2")
