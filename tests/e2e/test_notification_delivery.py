"""From an Alert to its Provider: sources and labels, proxies, TLS, credentials."""
import base64
import socket
import time

import pytest

from tests.lib.alerts import (EVERYTHING, alert, delivered, post, post_until,  # noqa: F401
                              post_until_event, secret, serial)
from tests.lib.controllers import Toolkit
from tests.lib.net import free_port, wait_until
from tests.lib.pki import Authority
from tests.lib.forward_proxy import Proxy
from tests.lib.sink import Sink

FAILED = "NotificationDispatchFailed"


@pytest.fixture(scope="module")
def authority(directory):
    return Authority(directory / "pki")


@pytest.fixture(scope="module")
def toolkit(api, directory, authority):
    """The authority is one of the system's."""
    kit = Toolkit(api, directory / "toolkit", env={"SSL_CERT_FILE": str(authority.cert)})
    kit.start("notification-controller")
    yield kit
    kit.finish()


@pytest.fixture(scope="module")
def tls_sink(authority):
    server = Sink(context=authority.server_context(
        san="IP:127.0.0.1,DNS:slack.com,DNS:sink.test"))
    yield server
    server.stop()


def texts(sink, path):
    return [m.json["attachments"][0]["text"] for m in sink.messages if m.path == path]


def test_N16_source_without_namespace_is_the_alerts(post, alert, sink, objects):
    plain = alert("plain", eventSources=[{"kind": "Kustomization", "name": "app"}])
    named = alert("named", eventSources=[{"kind": "Kustomization", "name": "app",
                                          "namespace": "elsewhere"}])
    post_until(post, sink, plain)
    post_until(post, sink, named, namespace="elsewhere")
    assert not any(f"app.{objects.ns}" in m.body.decode() for m in sink.messages
                   if m.path == named)
    assert not any("app.elsewhere" in m.body.decode() for m in sink.messages if m.path == plain)


def test_N18_labels_filter_a_fixed_name_too(post, alert, sink, api, objects):
    path = alert(eventSources=[{"kind": "Kustomization", "name": "app",
                                "matchLabels": {"tier": "web"}}])
    objects.apply("Kustomization", "app", {
        "interval": "1h", "prune": False, "path": "./",
        "sourceRef": {"kind": "GitRepository", "name": "none"}, "suspend": True},
        labels={"tier": "db"})
    plain = alert("plain")
    post_until(post, sink, plain)
    assert post("before")[0] == 202
    for _ in range(8):  # by when these are through, every worker is done with "before"
        post_until(post, sink, plain)
    objects.patch("Kustomization", "app", {"metadata": {"labels": {"tier": "web"}}})
    post_until(post, sink, path)
    assert "before" not in texts(sink, path)


def test_N19_labels_that_cannot_be_read_are_told(post, alert, sink, objects):
    path = alert(eventSources=[{"kind": "Kustomization", "name": "*",
                                "matchLabels": {"tier": "web"}}])
    text = post_until_event(post, objects, "team", "SourceFetchFailed")
    assert text
    assert not texts(sink, path)


@pytest.fixture
def proxied(post, objects, api, secret):
    """Sends through a Provider with that spec; `target` is never reached directly."""
    def send(sink, path, **spec):
        objects.apply("Provider", "p", {"type": "generic", **spec})
        objects.apply("Alert", "p", {"providerRef": {"name": "p"}, "eventSources": EVERYTHING})
        return post_until(post, sink, path)
    return send


def test_N32_precedence_of_proxies(proxied, secret):
    """An HTTP proxy gets the whole URL as the path."""
    url = "http://nowhere.invalid/hook"
    sinks = [Sink() for _ in range(3)]
    spec_proxy, secret_proxy, ref_proxy = sinks
    try:
        proxied(spec_proxy, url, address=url, proxy=spec_proxy.url)
        secret("old", proxy=secret_proxy.url)
        proxied(secret_proxy, url, address=url, proxy=spec_proxy.url, secretRef={"name": "old"})
        secret("new", address=ref_proxy.url, username="user", password="pass")
        message = proxied(ref_proxy, url, address=url, proxy=spec_proxy.url,
                          secretRef={"name": "old"}, proxySecretRef={"name": "new"})
        assert message.headers["Proxy-Authorization"] == \
            "Basic " + base64.b64encode(b"user:pass").decode()
    finally:
        for s in sinks:
            s.stop()


def test_N33_socks5_works(proxied, secret, sink, objects):
    proxy = Proxy(("127.0.0.1", sink.port), socks=True)
    try:
        secret("new", address=f"socks5://127.0.0.1:{proxy.port}")
        path = f"/{objects.ns}/socks"
        proxied(sink, path, address=f"http://127.0.0.1:1{path}", proxySecretRef={"name": "new"})
        assert proxy.asked[0] == "127.0.0.1:1"
    finally:
        proxy.stop()


@pytest.mark.parametrize("address, told", [
    ("ftp://127.0.0.1:1", "must start with http, https or socks5"),
    ("127.0.0.1:1", "proxy address"), ("", "lacks 'address'")], ids=["ftp", "bare", "empty"])
def test_N33_bad_proxy_address_is_an_error(post, objects, secret, address, told):
    secret("new", address=address)
    objects.apply("Provider", "p", {"type": "generic", "address": "http://127.0.0.1:1/",
                                    "proxySecretRef": {"name": "new"}})
    objects.apply("Alert", "p", {"providerRef": {"name": "p"}, "eventSources": EVERYTHING})
    assert told in post_until_event(post, objects, "p", FAILED)


@pytest.mark.parametrize("length, told", [(2048, False), (2049, True)], ids=["fits", "long"])
def test_N33_https_and_a_long_address_are_taken(post, objects, secret, length, told):
    """What is accepted fails only when it is used."""
    secret("new", address="https://127.0.0.1:1/".ljust(length, "x"))
    objects.apply("Provider", "p", {"type": "generic", "address": "http://127.0.0.1:1/",
                                    "timeout": "1s", "proxySecretRef": {"name": "new"}})
    objects.apply("Alert", "p", {"providerRef": {"name": "p"}, "eventSources": EVERYTHING})
    text = post_until_event(post, objects, "p", FAILED)
    assert ("longer than 2048" in text) == told and "must start with" not in text


def test_N34_ca_alone_is_trusted_alone(post, objects, secret, authority, tls_sink, directory):
    stranger = Authority(directory / "stranger", "stranger")
    secret("good", ca__crt=authority.cert.read_text())
    secret("bad", ca__crt=stranger.cert.read_text())
    for name in ("good", "bad"):
        objects.apply("Provider", name, {
            "type": "generic", "address": f"{tls_sink.url}/{objects.ns}/{name}",
            "certSecretRef": {"name": name}})
        objects.apply("Alert", name, {"providerRef": {"name": name}, "eventSources": EVERYTHING})
    post_until(post, tls_sink, f"/{objects.ns}/good")
    assert "tls" in post_until_event(post, objects, "bad", FAILED)
    assert not [m for m in tls_sink.messages if m.path == f"/{objects.ns}/bad"]
    assert not objects.events("good")


def test_N34_half_a_pair_is_an_error(post, objects, secret, authority, tls_sink):
    cert, _ = authority.issue("half")
    secret("half", tls__crt=cert.read_text())
    secret("none", other="x")
    secret("junk", ca__crt="no certificate")
    for name, word in (("half", "tls.key"), ("none", "no certificates"), ("junk", "")):
        objects.apply("Provider", name, {"type": "generic", "address": tls_sink.url,
                                         "certSecretRef": {"name": name}})
        objects.apply("Alert", name, {"providerRef": {"name": name}, "eventSources": EVERYTHING})
        assert word in post_until_event(post, objects, name, FAILED)


def test_N35_client_certificate_is_presented(post, objects, secret, authority):
    server = Sink(context=authority.server_context("mtls", client_ca=authority.cert))
    cert, key = authority.issue("the-client")
    try:
        secret("mtls", ca__crt=authority.cert.read_text(), tls__crt=cert.read_text(),
               tls__key=key.read_text())
        secret("pair", tls__crt=cert.read_text(), tls__key=key.read_text())
        secret("legacy", caFile=authority.cert.read_text(), certFile=cert.read_text(),
               keyFile=key.read_text())
        for name in ("mtls", "pair", "legacy"):
            objects.apply("Provider", name, {
                "type": "generic", "address": f"{server.url}/{name}",
                "certSecretRef": {"name": name}})
            objects.apply("Alert", name, {"providerRef": {"name": name},
                                          "eventSources": EVERYTHING})
            message = post_until(post, server, f"/{name}")
            assert ((("commonName", "the-client"),),) == message.peer_cert["subject"]
    finally:
        server.stop()


def test_N36_half_of_user_and_password_sends_no_credentials(post, alert, sink, secret):
    secret("half", token="t0ken", password="alone")
    path = alert(provider={"secretRef": {"name": "half"}})
    message = post_until(post, sink, path)
    assert "Authorization" not in message.headers
    secret("whole", token="t0ken", password="p", username="u")
    path = alert("whole", provider={"secretRef": {"name": "whole"}})
    assert post_until(post, sink, path).headers["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("reply, outcome", [(b'{"ok": true}', None),
                                            (b'{"ok": false, "error": "channel_not_found"}',
                                             "channel_not_found")],
                         ids=["ok", "refused"])
def test_N40_slack_api_says_ok_in_its_body(post, objects, secret, authority, reply, outcome):
    api_path = "/api/chat.postMessage"
    slack = Sink({api_path: lambda m, n: (500 if outcome is None else 200, {}, reply)},
                 context=authority.server_context("slack", san="DNS:slack.com"))
    proxy = Proxy(("127.0.0.1", slack.port))
    try:
        secret("ca", ca__crt=authority.cert.read_text())
        secret("proxy", address=f"http://127.0.0.1:{proxy.port}")
        secret("bot", token="xoxb")
        objects.apply("Provider", "bot", {
            "type": "slack", "channel": "general",
            "address": "https://slack.com/api/chat.postMessage", "secretRef": {"name": "bot"},
            "certSecretRef": {"name": "ca"}, "proxySecretRef": {"name": "proxy"}})
        objects.apply("Alert", "bot", {"providerRef": {"name": "bot"},
                                       "eventSources": EVERYTHING})
        message = post_until(post, slack, api_path)
        assert message.headers["Authorization"] == "Bearer xoxb"
        assert proxy.asked[0] == "slack.com:443"
        if outcome:
            assert outcome in post_until_event(post, objects, "bot", FAILED)
        else:
            # The HTTP code does not count: one try of each event, and no failure.
            post_until(post, slack, api_path)
            assert not objects.events("bot")
            bodies = [m.body for m in slack.messages]
            assert len(bodies) == len(set(bodies))
    finally:
        proxy.stop()
        slack.stop()


def test_N62_service_account_needs_the_gate(post, alert, objects):
    alert(provider={"type": "generic", "serviceAccountName": "someone"})
    text = post_until_event(post, objects, "team", FAILED)
    assert "ObjectLevelWorkloadIdentity" in text


def test_N31_address_of_2049_bytes_is_an_error(post, alert, secret, objects):
    secret("long", address="http://127.0.0.1:1/" + "a" * 2030)
    alert(provider={"secretRef": {"name": "long"}})
    assert "2048" in post_until_event(post, objects, "team", FAILED)


def test_N26_one_dead_provider_delays_nobody(post, alert, sink, objects):
    """A Provider whose host swallows packets, and one whose port refuses: the third gets its own."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", free_port()))
        deaf.listen(0)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        alert("deaf", provider={"type": "generic", "address": url, "timeout": "20s"})
        alert("refused", provider={"type": "generic", "address": f"http://127.0.0.1:{free_port()}/",
                                   "timeout": "1s"})
        path = alert("alive")
        post_until(post, sink, path)

        def seconds():
            started, mark = time.monotonic(), f"after {next(serial)}"
            assert post(mark)[0] == 202
            delivered(sink, path, mark)
            return time.monotonic() - started
        # The machine may have been busy, but not each time.
        assert any(seconds() < 15 for _ in range(3)), "it waited for the others"
        for name in ("deaf", "refused"):
            wait_until(lambda: any(r == FAILED for _, r, _ in objects.events(name)),
                       f"the failure of {name}", 60)
    assert not [e for e in objects.events("alive") if e[1] == FAILED]


def test_N30_secret_addresses_and_passwords_are_masked(post, alert, secret, objects):
    strict = Sink({"/services/T0/B0/hush": lambda m, n: (400, {}, b"no: " + m.path.encode() + b" " +
                                                         m.headers["Authorization"].encode() +
                                                         b" p4ssw0rd t0ken")})
    try:
        secret("s", address=strict.url + "/services/T0/B0/hush", token="t0ken", username="u",
               password="p4ssw0rd")
        alert("told", provider={"secretRef": {"name": "s"}})
        secret("dead", address=f"http://127.0.0.1:{free_port()}/services/T0/B0/hush")
        alert("refused", provider={"secretRef": {"name": "dead"}, "timeout": "1s"})
        for name in ("told", "refused"):
            text = post_until_event(post, objects, name, FAILED)
            assert not any(word in text for word in ("hush", "t0ken", "p4ssw0rd")), text
    finally:
        strict.stop()


def test_N37_headers_are_a_yaml_map_of_strings(post, alert, sink, secret, objects):
    secret("good", headers="X-Text: a b\nX-Number: 12\nX-Flag: true\nX-Empty:\n")
    path = alert("good", provider={"type": "generic", "secretRef": {"name": "good"}})
    headers = {k.lower(): v for k, v in post_until(post, sink, path).headers.items()}
    assert (headers["x-text"], headers["x-number"], headers["x-flag"]) == ("a b", "12", "true")
    for name, text in (("list", "- a"), ("nested", "X: {a: hush}"), ("bad", "{hush"),
                       ("split", '"X: hush\\r\\nY": z'), ("nameless", '"": hush')):
        secret(name, headers=text)
        alert(name, provider={"type": "generic", "secretRef": {"name": name}})
        told = post_until_event(post, objects, name, FAILED)
        assert "'headers' is not a YAML map of strings" in told and "hush" not in told


def test_N38_hmac_needs_a_token(post, alert, objects):
    alert(provider={"type": "generic-hmac"})
    assert "needs a token" in post_until_event(post, objects, "team", FAILED)
