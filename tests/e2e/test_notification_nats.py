"""The provider type nats: against a listener that tells what it was sent, and a real nats-server."""
import base64
import json
import shutil
import socket
import time

import pytest

from tests.lib.alerts import EVERYTHING, event_of, post, post_until_event, secret  # noqa: F401
from tests.lib.controllers import Toolkit
from tests.lib.nats import Listener, Server, UserKey
from tests.lib.net import free_port, http, wait_until

FAILED = "NotificationDispatchFailed"


@pytest.fixture(scope="module")
def toolkit(api, directory):
    kit = Toolkit(api, directory / "toolkit")
    kit.start("notification-controller")
    yield kit
    kit.finish()


@pytest.fixture
def listener():
    server = Listener()
    yield server
    server.stop()


@pytest.fixture
def provider(objects, secret):
    def make(address, name="p", data=None, **spec):
        if data:
            secret(name, **data)
            spec["secretRef"] = {"name": name}
        objects.apply("Provider", name, {"type": "nats", "channel": "flux.events",
                                         "address": address, **spec})
        objects.apply("Alert", name, {"providerRef": {"name": name}, "eventSources": EVERYTHING})
    return make


def until(post, probe):
    return wait_until(lambda: post()[0] == 202 and probe(), "a message", interval=0.2)


def creds(jwt, seed):
    return (f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n")


def test_nats_message(post, provider, listener, objects):
    provider(listener.url)
    until(post, lambda: listener.messages)
    subject, event = listener.messages[0]
    assert subject == "flux.events" and event["involvedObject"]["namespace"] == objects.ns
    options = listener.connects[0]
    assert not {"user", "pass", "jwt", "sig", "nkey"} & set(options)
    assert not objects.events("p")


def test_N57_creds_beat_nkey_beat_password(post, provider, listener):
    key = UserKey()
    password = {"username": "u", "password": "p"}
    provider(listener.url, "plain", password)
    until(post, lambda: [c for c in listener.connects if c.get("user") == "u"])
    # Who stands in the address comes last.
    in_url = listener.url.replace("://", "://urluser:urlpass@")
    provider(in_url, "url")
    until(post, lambda: [c for c in listener.connects if c.get("user") == "urluser"])
    provider(in_url, "url", {"username": "u2", "password": "p"})
    until(post, lambda: [c for c in listener.connects if c.get("user") == "u2"])
    provider(listener.url, "nkey", {**password, "nkey": key.seed})
    options = until(post, lambda: [c for c in listener.connects if c.get("nkey")])[0]
    assert options["nkey"] == key.public and "user" not in options
    assert len(base64.urlsafe_b64decode(options["sig"] + "==")) == 64
    provider(listener.url, "creds", {**password, "nkey": UserKey(b"\1" * 32).seed,
                                     "creds": creds("a.b.c", key.seed)})
    with_jwt = until(post, lambda: [c for c in listener.connects if c.get("jwt")])[0]
    assert with_jwt["jwt"] == "a.b.c" and with_jwt["sig"] == options["sig"]
    assert "user" not in with_jwt and "nkey" not in with_jwt


@pytest.mark.parametrize("spec, data, word", [
    ({"address": ""}, None, "address"), ({"channel": ""}, None, "channel"),
    ({"channel": "a b"}, None, "blanks"), ({"address": "http://x"}, None, "nats://"),
    ({}, {"nkey": "SUNOSEED"}, "seed"), ({}, {"creds": "rubbish"}, "creds")],
    ids=["address", "channel", "blank", "scheme", "seed", "creds"])
def test_N57_what_is_refused(post, provider, listener, objects, spec, data, word):
    provider(spec.pop("address", listener.url), data=data, **spec)
    text = post_until_event(post, objects, "p", FAILED)
    assert word in text and "SUNOSEED" not in text and "rubbish" not in text


def test_nats_errors_are_told_and_not_tried_again(post, provider, objects):
    refusing = Listener(error=b"-ERR 'Authorization Violation'\r\n")
    try:
        provider(refusing.url)
        text = post_until_event(post, objects, "p", FAILED)
        assert "Authorization Violation" in text
        provider(f"nats://127.0.0.1:{free_port()}", "dead", timeout="1s")
        assert "refused" in post_until_event(post, objects, "dead", FAILED)
    finally:
        refusing.stop()


@pytest.mark.skipif(not shutil.which("nats-server"), reason="SKIPPED: nats-server is missing")
def test_N57_a_real_server_takes_key_and_password(post, provider, directory, objects):
    key = UserKey()
    server = Server(directory, '{users: [{nkey: "%s"}, {user: reader, password: secret}]}'
                    % key.public)
    try:
        address = f"nats://127.0.0.1:{server.port}"
        for name, data in (("by-key", {"nkey": key.seed}),
                           ("by-password", {"username": "reader", "password": "secret"})):
            peer = server.subscribe("flux.events", "reader", "secret")
            provider(address, name, data)
            post_until_message(post, peer)
            objects.delete("Alert", name)
            peer.close()
            assert not objects.events(name)
        provider(address, "wrong", {"nkey": UserKey(b"\2" * 32).seed})
        assert "Authorization" in post_until_event(post, objects, "wrong", FAILED)
    finally:
        server.stop()


def post_until_message(post, peer):
    peer.settimeout(0.5)
    seen = []

    def look():
        assert post()[0] == 202
        try:
            seen.append(peer.recv(65536))
        except TimeoutError:
            return False
        return b"MSG flux.events" in b"".join(seen)
    wait_until(look, "the message")


def test_daemon_stops_while_a_server_is_silent(api, directory, objects, secret):
    """A server that accepts and says nothing must not hold the daemon."""
    kit = Toolkit(api, directory / "silent")
    kit.start("notification-controller")
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(16)
        deaf.settimeout(1)  # the first events may be told before both are known
        for name, scheme in (("nats", "nats"), ("generic", "http")):
            objects.apply("Provider", name, {
                "type": name, "channel": "x", "timeout": "2m",
                "address": f"{scheme}://127.0.0.1:{deaf.getsockname()[1]}"})
            objects.apply("Alert", name, {"providerRef": {"name": name},
                                          "eventSources": EVERYTHING})
        peers = []

        def both():
            assert http("POST", kit.events_url, json.dumps(event_of(objects.ns)))[0] == 202
            peers.append(deaf.accept())
            return len(peers) >= 2
        try:
            wait_until(both, "both to connect")
        finally:
            start = time.monotonic()
            codes = kit.stop()
        assert codes == {"notification-controller": 0}
        assert time.monotonic() - start < 40  # they would be waited for two minutes
        for peer, _ in peers:
            peer.close()
