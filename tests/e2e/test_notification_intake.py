"""The event server at its limits: windows, floods, headers, metrics, replicas. Only the controller
under test runs, with a short rate-limit window and without cross-namespace references."""
import concurrent.futures
import email.utils
import http.client
import json
import os
import pathlib
import signal
import time

import pytest

from tests.lib.alerts import (EVERYTHING, alert, delivered, event_of, post, post_until,  # noqa: F401
                              post_until_event, secret, serial)
from tests.lib.controllers import Toolkit
from tests.lib.net import PATIENCE, wait_until
from tests.lib.net import http as http_request

WINDOW_S = 12  # a machine that stands still between two events must not make them one of each window


@pytest.fixture(scope="module")
def toolkit(api, directory):
    # A sanitizer keeps freed memory aside; little of it, so that growth can be measured.
    options = os.environ.get("ASAN_OPTIONS", "")
    os.environ["ASAN_OPTIONS"] = options + ":quarantine_size_mb=8"
    kit = Toolkit(api, directory / "toolkit", notification_flags=[
        f"--rate-limit-interval={WINDOW_S}s", "--no-cross-namespace-refs"])
    kit.start("notification-controller")
    os.environ["ASAN_OPTIONS"] = options
    yield kit
    kit.finish()


def test_N4_passes_again_after_the_interval(post):
    start = time.monotonic()
    assert post("again")[0] == 202
    latest, ends = time.time() + WINDOW_S + 1, set()  # a header has whole seconds
    assert post("again")[0] == 429

    def passes():
        status, headers = post("again")
        if status == 429:
            ends.add(email.utils.parsedate_to_datetime(headers["Retry-After"]).timestamp())
        return status == 202
    # Fixed windows, anchored at the first sight: a refused event does not move the end.
    wait_until(passes, "the next window", interval=0.1)
    assert WINDOW_S - 0.5 < time.monotonic() - start
    assert len(ends) <= 1 and all(end <= latest for end in ends), (ends, latest)
    assert post("again")[0] == 429


def test_N7_events_without_alert_are_counted(post):
    assert post("nobody listens")[0] == 202
    assert post("nobody listens")[0] == 429


def test_N24_foreign_event_is_refused(post, objects, alert, sink, api):
    api.create_namespace(objects.ns + "-other")
    path = alert(eventSources=[{"kind": "Kustomization", "name": "*",
                                "namespace": objects.ns + "-other"}] + EVERYTHING)
    post_until(post, sink, path)
    text = post_until_event(post, objects, "team", "NotificationDispatchFailed",
                            namespace=objects.ns + "-other")
    assert "cross-namespace" in text
    mark = f"own {next(serial)}"
    post(mark)
    delivered(sink, path, mark)
    assert not [m for m in sink.messages if m.path == path and b"-other" in m.body]


def test_N97_metrics_count_by_code(post, toolkit):
    def count(code):
        line = ('gotk_event_http_request_duration_seconds_count{service="",handler="/",'
                f'method="POST",code="{code}"}} ')
        return sum(int(x.removeprefix(line))
                   for x in toolkit["notification-controller"].metrics().splitlines()
                   if x.startswith(line))
    before = {code: count(code) for code in (202, 400, 413, 429)}
    assert [post("metric")[0], post("metric")[0]] == [202, 429]
    assert post(path="/elsewhere", body="{")[0] == 400
    assert post(body="x" * ((3 << 20) + 1))[0] == 413
    wait_until(lambda: all(count(code) == before[code] + 1 for code in before),
               "each code counted once")
    text = toolkit["notification-controller"].metrics()
    assert 'gotk_event_http_response_size_bytes_count{service="",handler="/"' in text
    assert 'gotk_event_http_requests_inflight{service="",handler="/"} 0' in text


def test_headers_up_to_256_kib_are_taken(toolkit, ns):
    """notification.md 1: headers <= 256 KiB, each field and all together."""
    def send(size):
        connection = http.client.HTTPConnection("127.0.0.1", toolkit.events_port, timeout=PATIENCE)
        connection.putrequest("POST", "/")
        body = json.dumps(event_of(ns)).encode()
        connection.putheader("Content-Length", str(len(body)))
        for i in range(size // 1024):
            connection.putheader(f"X-{i:04}", "h" * (1024 - 10))
        try:
            connection.endheaders(body)
            return connection.getresponse().status
        except ConnectionError:
            return "cut"  # the server need not read what it refuses
        finally:
            connection.close()
    assert send(250 << 10) == 202
    assert send(400 << 10) in (431, "cut")


def test_flood_is_bounded_in_memory_and_loses_no_other_delivery(post, objects, alert, sink,
                                                                toolkit):
    """A dead provider and 20 000 events of 1 KiB: the 202 stays fast, another Alert's deliveries
    come through, and the daemon grows by less than its queues may hold."""
    daemon = toolkit["notification-controller"]
    objects.apply("Provider", "dead", {"type": "generic", "address": "http://192.0.2.1:9/",
                                       "timeout": "1m"})
    objects.apply("Alert", "dead", {"providerRef": {"name": "dead"}, "eventSources": [
        {"kind": "Kustomization", "name": "noisy"}]})
    path = alert(eventSources=[{"kind": "Kustomization", "name": "calm"}])
    post_until(post, sink, path, name="calm")
    before = daemon.memory_kib("VmRSS")
    filler = "f" * 1000

    def burst(part):
        connection = http.client.HTTPConnection("127.0.0.1", toolkit.events_port, timeout=PATIENCE)
        codes, slowest = {}, 0.0
        for i in range(2500):
            body = json.dumps(event_of(objects.ns, f"{part}/{i} {filler}", name="noisy"))
            start = time.monotonic()
            connection.request("POST", "/", body)
            reply = connection.getresponse()
            reply.read()
            slowest = max(slowest, time.monotonic() - start)
            codes[reply.status] = codes.get(reply.status, 0) + 1
        connection.close()
        return codes, slowest

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        bursts = [pool.submit(burst, part) for part in range(8)]
        mark = f"calm {next(serial)}"
        wait_until(lambda: post(mark, name="calm")[0] == 202, "room for the other event")
        delivered(sink, path, mark)
        results = [b.result() for b in bursts]
    codes = {}
    for part, slowest in results:
        assert slowest < 30  # the dead one takes a minute
        for code, count in part.items():
            codes[code] = codes.get(code, 0) + count
    assert set(codes) <= {202, 503} and codes[202] > 1000, codes
    grown = daemon.memory_kib("VmRSS") - before
    # 8 MiB wait in the dead lane and 16 MiB in the queue at most; a sanitizer triples it.
    limit = 160 << 10 if b"__asan_init" in pathlib.Path(daemon.argv[0]).read_bytes() else 64 << 10
    assert grown < limit, f"{grown} KiB"
    text = wait_until(lambda: next((m for _, r, m in objects.events("dead")
                                    if "too many notifications" in m), None), "the refusal's event")
    assert "waiting" in text
    # What still waits for the dead provider is tried for hours, unless the daemon ends.
    assert daemon.stop(60) == 0
    daemon.start()
    daemon.wait_until_ready()


def test_silent_api_server_bounds_the_queue(post, objects, alert, sink, toolkit, api, secret):
    """The API server hangs while an Alert's Secret must be read: events are taken until the queue is
    full, then refused with 503, for which senders retry; what waited is delivered afterwards."""
    secret("token", token="t")
    path = alert(provider={"secretRef": {"name": "token"}},
                 eventSources=[{"kind": "Kustomization", "name": "first"}])
    post_until(post, sink, path, name="first")
    server = getattr(api, "process", None) or api.apiserver
    mark = f"taken {next(serial)}"
    os.kill(server.pid, signal.SIGSTOP)
    try:
        for i in range(100):  # each holds a worker until its connection times out
            assert post(f"{mark}/{i}", name="first")[0] == 202
        connection = http.client.HTTPConnection("127.0.0.1", toolkit.events_port, timeout=PATIENCE)
        codes = []
        while 503 not in codes:
            assert len(codes) < 12000, "the queue has no end"
            connection.request("POST", "/", json.dumps(event_of(
                objects.ns, f"{mark} {len(codes)}", name="nobody")))
            reply = connection.getresponse()
            reply.read()
            codes.append(reply.status)
        connection.close()
        assert set(codes) == {202, 503}
    finally:
        os.kill(server.pid, signal.SIGCONT)
    for i in range(50, 100):
        delivered(sink, path, f"{mark}/{i}")
    wait_until(lambda: post(name="first")[0] == 202, "room again")


def test_daemon_stops_with_a_full_queue(directory, api, objects, sink, secret):
    """Events wait for an API server that hangs; SIGTERM does not wait for all of them."""
    secret("token", token="t")
    kit = Toolkit(api, directory / "full")
    kit.start("notification-controller")
    objects.apply("Provider", "p", {"type": "slack", "address": f"{sink.url}/{objects.ns}/full",
                                    "secretRef": {"name": "token"}})
    objects.apply("Alert", "p", {"providerRef": {"name": "p"}, "eventSources": EVERYTHING})

    def send(message=None, **event):
        return http_request("POST", kit.events_url,
                            json.dumps(event_of(objects.ns, message, **event)))[:2]
    post_until(send, sink, f"/{objects.ns}/full")
    server = getattr(api, "process", None) or api.apiserver
    os.kill(server.pid, signal.SIGSTOP)
    try:
        for _ in range(300):
            assert send()[0] == 202
        daemon = kit["notification-controller"]
        start = time.monotonic()
        daemon.child.send_signal(signal.SIGTERM)
        wait_until(lambda: not daemon.alive(), "the daemon's end", interval=0.1)
        took = time.monotonic() - start
    finally:
        os.kill(server.pid, signal.SIGCONT)
        codes = kit.stop()
    assert codes == {"notification-controller": 0}
    assert took < 40, took


def test_N98_every_replica_serves(api, directory, alert, sink, objects):
    """Two replicas with leader election: events posted to either are delivered."""
    kits = []
    try:
        for i in range(2):
            kit = Toolkit(api, directory / f"replica{i}",
                          notification_flags=["--enable-leader-election"])
            kit.start("notification-controller")
            kits.append(kit)

        def leaders():
            return ['leader_election_master_status{name="notification-controller-leader-election"}'
                    " 1" in kit["notification-controller"].metrics() for kit in kits]
        wait_until(lambda: sum(leaders()) == 1, "one leader")
        path = alert()
        for kit in kits:
            def send(message, kit=kit, **event):
                return http_request("POST", kit.events_url,
                                    json.dumps(event_of(objects.ns, message, **event)))[:2]
            post_until(send, sink, path)
            assert http_request("POST", f"http://127.0.0.1:{kit.receiver_port}/hook/x")[0] == 404
        assert sum(leaders()) == 1
    finally:
        codes = [kit.stop() for kit in kits]
    assert codes == [{"notification-controller": 0}] * 2
