"""kill -9 of notification-controller at every request: while a Receiver comes and goes, while a webhook
is answered, while an event is handed on. What was there serves again, and who was not answered may ask
again."""
import contextlib

import pytest

from tests.faults.test_kill_at_every_step import MOST, NO_WATCH, forms, killed, killer, settled
from tests.lib.alerts import alert, post, post_until, secret, serial  # noqa: F401
from tests.lib.controllers import Toolkit
from tests.lib.net import http, wait_until
from tests.lib.proxy import Proxy

REQUESTED = "reconcile.fluxcd.io/requestedAt"


@pytest.fixture(scope="module")
def toolkit(proxied, directory):
    kit = Toolkit(proxied, directory / "toolkit", notification_flags=["--min-retry-delay=50ms"])
    kit.start("notification-controller")
    yield kit
    kit.finish()


@pytest.fixture
def daemon(toolkit):
    process = toolkit["notification-controller"]
    if not process.alive():  # a test before failed with it
        process.start()
    return process.wait_until_ready()


def rounds(proxy, daemon, done, act, check, **match):
    """act(n) with a kill at the n-th request, restart, check(n): until one has fewer requests. How
    many there were."""
    for n in range(MOST):
        rule = proxy.on(killer(daemon, done), times=1, skip=n, **match)
        act(n)
        wait_until(lambda: not daemon.alive() or settled(check, n), "the kill or the end")
        if not killed(proxy, rule, daemon):
            return n
        daemon.start()
        daemon.wait_until_ready()
        wait_until(lambda: settled(check, n), f"the right state after a kill at request {n}")
    raise AssertionError("a reconcile without end")


def make_receiver(objects, **spec):
    objects.apply("Receiver", "hook", {"type": "generic", "secretRef": {"name": "hook"}, "resources": [
        {"kind": "GitRepository", "name": "a"}, {"kind": "GitRepository", "name": "b"}], **spec})


@pytest.mark.parametrize("done", forms())
def test_while_a_receiver_comes_and_goes(objects, secret, proxied, daemon, done):
    secret("hook", token="t0ken")

    def made(n):
        obj = objects.get("Receiver", "hook")
        assert objects.condition(obj)["status"] == "True" and obj["status"]["webhookPath"]
        assert obj["status"]["observedGeneration"] == obj["metadata"]["generation"]
        assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]

    def gone(n):
        assert objects.get("Receiver", "hook") is None

    def make(n):
        objects.delete("Receiver", "hook")
        objects.gone("Receiver", "hook")
        make_receiver(objects)

    def drop(n):
        make_receiver(objects)
        wait_until(lambda: settled(made, n), "the Receiver")
        objects.delete("Receiver", "hook")

    assert rounds(proxied.proxy, daemon, done, make, made, query=NO_WATCH,
                  path=f"/{objects.ns}/(receivers|secrets)/hook") >= 3, "finalizer, Secret, status"
    assert rounds(proxied.proxy, daemon, done, drop, gone, query=NO_WATCH, method="PATCH",
                  body='"finalizers":\\[\\]', path=f"/{objects.ns}/receivers/hook") == 1


@pytest.mark.parametrize("done", forms())
def test_while_a_webhook_is_answered(objects, secret, proxied, toolkit, daemon, done):
    """Its sender hears nothing, and sends it again."""
    secret("hook", token="t0ken")
    for name in "ab":
        objects.apply("GitRepository", name, {"url": "https://git.test/x", "interval": "1h",
                                              "suspend": True})
    make_receiver(objects)
    path = objects.ready("Receiver", "hook")["status"]["webhookPath"]
    url = f"http://127.0.0.1:{toolkit.receiver_port}{path}"

    def send():
        return http("POST", url, "{}", {"Content-Type": "application/json"})[0]
    wait_until(lambda: send() == 200, "the path to be served")

    def forget():
        for name in "ab":
            objects.patch("GitRepository", name, {"metadata": {"annotations": {REQUESTED: None}}})

    def call(n):
        forget()
        with contextlib.suppress(OSError):  # killed in the middle of it
            send()

    def check(n):
        assert send() == 200
        for name in "ab":
            assert objects.get("GitRepository", name)["metadata"]["annotations"][REQUESTED]

    steps = rounds(proxied.proxy, daemon, done, call, check, query=NO_WATCH,
                   path=f"/{objects.ns}/(secrets|gitrepositories)/")
    assert steps >= 2, "a Secret, or two annotations"


@pytest.mark.parametrize("done", forms())
@pytest.mark.parametrize("where, requests", [("api", 3), ("provider", 1)])
def test_while_an_event_is_handed_on(objects, alert, post, secret, sink, proxied, daemon, where,
                                     requests, done):
    """Two Alerts: one whose Provider has a Secret, and one whose Secret is missing: two Secrets, an
    Event and a delivery. What comes after the kill arrives once, and nothing is told twice."""
    between = Proxy(sink.url)
    proxy = proxied.proxy if where == "api" else between
    match = {"query": NO_WATCH, "path": f"/{objects.ns}/"} if where == "api" else {"path": "."}
    secret("good", token="t0ken")
    path = alert("good", provider={"address": f"{between.url}/{objects.ns}/good",
                                   "secretRef": {"name": "good"}, "type": "generic"})
    alert("bad", provider={"secretRef": {"name": "missing"}})

    def arrived(mark):
        return sum(m.path == path and mark in m.body.decode() for m in sink.messages)

    def handed_on(mark):
        assert post(mark)[0] in (202, 429)
        return arrived(mark) and any(r == "NotificationDispatchFailed" and "missing" in m
                                     for _, r, m in objects.events("bad"))

    post_until(post, sink, path)  # the controller's own watch may be a moment behind
    for n in range(requests):
        mark = f"killed {n} {next(serial)}"
        rule = proxy.on(killer(daemon, done), times=1, skip=n, **match)
        with contextlib.suppress(OSError):  # killed in the middle of it
            post(mark)
        wait_until(lambda r=rule: r.hits, f"request {n}")
        assert killed(proxy, rule, daemon)
        daemon.start()
        daemon.wait_until_ready()
        later = f"later {n} {next(serial)}"
        wait_until(lambda m=later: handed_on(m), "what came after the kill", interval=0.2)
        assert arrived(later) == 1 and arrived(mark) <= 1
    assert not objects.events("good")
    between.stop()
