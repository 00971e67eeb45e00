"""A daemon that is told to stop ends soon, also when the API server has stopped answering."""
import json
import os
import signal
import time

import pytest

from tests.conftest import Objects
from tests.lib.alerts import EVERYTHING, event_of
from tests.lib.controllers import Toolkit
from tests.lib.fault import hang
from tests.lib.net import http, wait_until
from tests.lib.releases import Releases, chart_server, config  # noqa: F401

LIMIT = 10  # seconds of the contract
SANITIZED = 3  # for the report of leaks
BUSY = 10  # for what else the machine may do; a request would hang for a minute


@pytest.fixture
def kit(proxied, directory, request):
    made = Toolkit(proxied, directory / request.node.name.replace("[", "-").strip("]"))
    yield made
    proxied.proxy.off()
    made.stop()


def post(kit, ns):
    try:
        return http("POST", kit.events_url, json.dumps(event_of(ns)),
                    {"Content-Type": "application/json"}, timeout=2)[0]
    except OSError:
        return 0  # taken, and never answered


def alert(api, ns, sink):
    for kind, name, spec in (
            ("Provider", "hook", {"type": "generic", "address": sink.url,
                                  "secretRef": {"name": "hook"}}),
            ("Alert", "all", {"providerRef": {"name": "hook"}, "eventSources": EVERYTHING})):
        api.apply({"apiVersion": "notification.toolkit.fluxcd.io/v1beta3", "kind": kind,
                   "metadata": {"name": name, "namespace": ns}, "spec": spec})
    api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hook", "namespace": ns},
               "stringData": {"token": "x"}})


def stop_in_time(controller):
    began = time.monotonic()
    assert controller.stop(60) == 0
    assert time.monotonic() - began < LIMIT + SANITIZED + BUSY


def test_notification_controller_with_events_that_wait_for_the_server(api, ns, kit, proxy, sink):
    alert(api, ns, sink)
    kit.start("notification-controller")
    wait_until(lambda: post(kit, ns) in (200, 202), "an event to be taken")
    wait_until(lambda: sink.messages, "a delivery")
    hung = proxy.on(hang(), path="/secrets/")
    for _ in range(8):
        post(kit, ns)
    wait_until(lambda: hung.hits, "a request that is not answered")
    proxy.on(hang(), path=".")
    stop_in_time(kit["notification-controller"])


def hung_upgrade(releases, proxy):
    """A worker that waits for an API server which does not answer."""
    releases.chart({"templates/a.yaml": config("a")})
    releases.quiet()
    releases.ready()
    hung = proxy.on(hang(), path=f"/namespaces/{releases.ns}/configmaps/a")
    releases.quiet(values={"x": "y"})
    wait_until(lambda: hung.hits, "a request that is not answered")


@pytest.mark.parametrize("how", ["time-out", "second signal"])
def test_reconciles_that_do_not_end_are_left(api, ns, kit, proxy, chart_server, how):
    limit = "1s" if how == "time-out" else "10m"
    kit.flags["helm-controller"] += [f"--graceful-shutdown-timeout={limit}"]
    kit.start("helm-controller")
    hung_upgrade(Releases(Objects(api, ns), chart_server), proxy)
    controller = kit["helm-controller"]
    os.kill(controller.pid, signal.SIGTERM)
    wait_until(lambda: '"stopping"' in controller.log(), "the stop to begin")
    if how != "time-out":
        assert controller.alive()
        os.kill(controller.pid, signal.SIGTERM)
    wait_until(lambda: not controller.alive(), "the end")
    assert controller.stop() == 1 and "stopped by force" in controller.log()


@pytest.mark.parametrize("name", ["notification-controller", "kustomize-controller",
                                  "source-controller"])
def test_a_controller_that_never_reached_the_server(kit, proxy, name):
    proxy.on(hang(), path=".")
    mark = proxy.mark()
    kit.start_unready(name)
    controller = kit[name]
    proxy.wait_for("its first request", since=mark)
    stop_in_time(controller)
