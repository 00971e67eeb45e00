"""Acceptance of the embedded API server: pages, watches, what a kill leaves (A54..A63)."""
import http.client
import os
import signal
import tempfile
import threading
import time
import urllib.parse

import pytest

from tests.lib.apiserver import (  # noqa: F401 - fixtures
    CM, MERGE, api, config_map, embedded, eventually, ns, rv, start_server, stop_server)


def test_A54_pages(api, ns):
    for i in range(5):
        api.post(CM % ns, config_map("p%d" % i, metadata={"labels": {"p": "1"}}))
    names, versions, totals, token = [], set(), set(), ""
    while True:
        page = api.get(CM % ns + "?limit=2&continue=" + token).json
        names += [item["metadata"]["name"] for item in page["items"]]
        versions.add(page["metadata"]["resourceVersion"])
        token = page["metadata"].get("continue", "")
        totals.add(len(names) + page["metadata"].get("remainingItemCount", 0))
        if not token:
            break
        api.post(CM % ns, config_map("p1-%d" % len(names)))
    assert sorted(set(names)) == names and len(versions) == 1
    assert totals == {len(names)}
    assert {n for n in names if n.startswith("p")} == {"p%d" % i for i in range(5)}
    assert api.get(CM % ns + "?limit=2&continue=bad").code == 400


def test_A56_field_selectors(api, ns):
    api.post(CM % ns, config_map("a"))
    api.post(CM % ns, config_map("b"))
    found = api.get(CM % ns + "?fieldSelector=metadata.name%3Db").json["items"]
    assert [item["metadata"]["name"] for item in found] == ["b"]
    assert api.get(CM % ns + "?fieldSelector=spec.x%3Db").code == 400
    labels = api.get(CM % ns + "?labelSelector=" + urllib.parse.quote("a in ("))
    assert labels.code == 400


def events_until(watch, last):
    """All that are told up to the one for which last(event) is true."""
    events = [watch.next()]
    while not last(events[-1]):
        events.append(watch.next())
    return events


def test_A57_watch_from_version(api, ns):
    start = rv(api.get(CM % ns))
    api.post(CM % ns, config_map("a"))
    api.patch(CM % ns + "/a", {"data": {"k": "2"}}, MERGE)
    watch = api.watch(CM % ns + "?watch=1&timeoutSeconds=90&resourceVersion=" + start)
    api.post(CM % "default", config_map("a"))
    api.delete(CM % "default" + "/a")
    api.patch(CM % ns + "/a", {"data": {"k": "3"}}, MERGE)
    api.delete(CM % ns + "/a")
    events = events_until(watch, lambda e: e["type"] == "DELETED")
    events = [e for e in events if e["object"]["metadata"]["name"] == "a"]
    assert [(e["type"], e["object"]["data"]["k"]) for e in events] == [
        ("ADDED", "v"), ("MODIFIED", "2"), ("MODIFIED", "3"), ("DELETED", "3")]
    versions = [int(e["object"]["metadata"]["resourceVersion"]) for e in events]
    assert versions == sorted(set(versions))


def test_A58_leaving_a_selector(api, ns):
    made = api.post(CM % ns, config_map("a", metadata={"labels": {"on": "1"}}))
    path = CM % ns + "?watch=1&timeoutSeconds=90&labelSelector=on%3D1&resourceVersion=" + rv(made)
    watch = api.watch(path)
    gone = api.patch(CM % ns + "/a", {"metadata": {"labels": None}}, MERGE)
    back = api.patch(CM % ns + "/a", {"metadata": {"labels": {"on": "1"}}}, MERGE)
    api.post(CM % ns, config_map("last", metadata={"labels": {"on": "1"}}))
    *events, _ = events_until(watch, lambda e: e["object"]["metadata"]["name"] == "last")
    assert [e["type"] for e in events] == ["DELETED", "ADDED"]
    assert events[0]["object"]["metadata"]["labels"] == {"on": "1"}
    assert [e["object"]["metadata"]["resourceVersion"] for e in events] == [rv(gone), rv(back)]


def test_A60_watch_list(api, ns):
    for name in ("a", "b"):
        api.post(CM % ns, config_map(name))
    watch = api.watch(CM % ns + "?watch=1&sendInitialEvents=true&allowWatchBookmarks=true"
                      "&resourceVersionMatch=NotOlderThan&timeoutSeconds=90")
    names = []
    while True:
        event = watch.next()
        if event["type"] == "ERROR":
            pytest.skip("this server's etcd is too old for WatchList")
        if event["type"] == "BOOKMARK":
            break
        names.append(event["object"]["metadata"]["name"])
    assert {"a", "b"} <= set(names)
    assert event["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    api.post(CM % ns, config_map("c"))
    while event["type"] != "ADDED":
        event = watch.next()
    assert event["object"]["metadata"]["name"] == "c"
    assert api.get(CM % ns + "?sendInitialEvents=true").code == 422
    assert api.get(CM % ns + "?watch=1&sendInitialEvents=true").code == 422
    assert api.get(CM % ns + "?resourceVersionMatch=Exact").code == 422


@pytest.mark.skipif("SLUICE_SLOW" not in os.environ, reason="takes a minute; set SLUICE_SLOW")
def test_A61_bookmark(api, ns):
    watch = api.watch(CM % ns + "?watch=1&allowWatchBookmarks=true&resourceVersion="
                      + rv(api.get(CM % ns)))
    end = time.monotonic() + 70
    while time.monotonic() < end:
        if watch.next(75)["type"] == "BOOKMARK":
            watch.close()
            return
    pytest.fail("no bookmark")


def test_A62_watch_timeout(api, ns):
    start = time.monotonic()
    watch = api.watch(CM % ns + "?watch=1&timeoutSeconds=2&resourceVersion=" + rv(api.get(CM % ns)))
    assert watch.until_end() == []
    assert 1 <= time.monotonic() - start < 30


def test_A62_version_from_the_future(api, ns):
    reply = api.get(CM % ns + "?resourceVersion=99999999")
    assert reply.code == 504
    assert reply.json["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert reply.json["details"]["retryAfterSeconds"] == 1


@embedded
def test_A63_kill_loses_nothing():
    with tempfile.TemporaryDirectory() as directory:
        server = start_server(directory)
        acknowledged, stop = [], threading.Event()

        def write(worker):
            i = 0
            while not stop.is_set():
                name = "w%d-%d" % (worker, i)
                try:
                    if server.post(CM % "default", config_map(name)).code == 201:
                        acknowledged.append(name)
                except (OSError, http.client.HTTPException):
                    return
                i += 1
        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        assert eventually(lambda: len(acknowledged) > 100)
        stop_server(server, signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()
        server = start_server(directory)
        found = {i["metadata"]["name"] for i in server.get(CM % "default").json["items"]}
        assert set(acknowledged) <= found
        assert stop_server(server) == 0
