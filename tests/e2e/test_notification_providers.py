"""Every provider type once, end to end: the Provider's and the Secret's fields reach the request. The
exact bodies are the unit tests' matter (tests/unit/notify)."""
import base64
import hashlib
import json

import pytest

from tests.lib.alerts import (EVERYTHING, alert, delivered, event_of, post, post_until,  # noqa: F401
                              post_until_event, secret, serial)
from tests.lib.controllers import Toolkit
from tests.lib.net import free_port, http, wait_until
from tests.lib.pki import Authority
from tests.lib.process import Process
from tests.lib.forward_proxy import Proxy
from tests.lib.sink import Sink

FAILED = "NotificationDispatchFailed"
SHA = "0123456789abcdef0123456789abcdef01234567"
COMMIT = {"kustomize.toolkit.fluxcd.io/revision": f"main@sha1:{SHA}",
          "event.toolkit.fluxcd.io/commit": f"main@sha1:{SHA}"}


@pytest.fixture(scope="module")
def toolkit(api, directory):
    kit = Toolkit(api, directory / "toolkit")
    kit.start("notification-controller")
    yield kit
    kit.finish()


@pytest.fixture
def provider(objects, secret):
    """A Provider and an Alert of the same name for all Kustomizations."""
    def make(kind, name="p", data=None, alert=None, **spec):
        if data:
            secret(name, **data)
            spec["secretRef"] = {"name": name}
        objects.apply("Provider", name, {"type": kind, **spec})
        objects.apply("Alert", name, {"providerRef": {"name": name}, "eventSources": EVERYTHING,
                                      **(alert or {})})
        return objects.get("Provider", name)
    return make


def until(post, sink, match, **event):
    """Posts new events until the sink has a message for which match(message) is true."""
    def attempt():
        assert post(**event)[0] == 202
        return next((m for m in sink.messages if match(m)), None)
    return wait_until(attempt, "a delivery", interval=0.2)


def has(*parts):
    return lambda m: all(p in m.body.decode() for p in parts)


def header(name, value):
    return lambda m: {k.lower(): v for k, v in m.headers.items()}.get(name.lower()) == value


BEARER = header("Authorization", "Bearer t0ken")
# type: (what the Provider says, the Secret, path that is asked for, what must hold of the message)
LOCAL = {
    "discord": ({}, {}, "/slack", [has('"color":"good"')]),
    "rocket": ({"channel": "ops"}, {}, "", [has('"#0076D7"', '"channel":"ops"')]),
    "msteams": ({}, {}, "", [has("AdaptiveCard")]),
    "googlechat": ({}, {}, "", [has('"cards"')]),
    "webex": ({"channel": "room"}, {"token": "t0ken"}, "", [BEARER, has('"roomId":"room"')]),
    "lark": ({}, {}, "", [has('"msg_type":"interactive"')]),
    "opsgenie": ({}, {"token": "t0ken"}, "", [header("Authorization", "GenieKey t0ken")]),
    "alertmanager": ({}, {"token": "t0ken"}, "", [BEARER, has('"alertname":"FluxKustomization')]),
    "grafana": ({}, {"username": "u", "password": "p"}, "",
                [header("Authorization", "Basic dTpw")]),
    "zoom": ({}, {"token": "t0ken"}, "?format=full", [header("Authorization", "t0ken")]),
    "incident.io": ({}, {"token": "t0ken"}, "", [BEARER, has('"status":"resolved"')]),
    "otel": ({}, {"token": "t0ken", "headers": "X-Extra: yes\n"}, "",
             [BEARER, header("X-Extra", "yes"),
              header("Content-Type", "application/x-protobuf")]),
    "generic": ({}, {"headers": "X-Extra: yes\n"}, "", [header("X-Extra", "yes")]),
}


@pytest.mark.parametrize("kind", LOCAL, ids=lambda kind: kind.replace(".", "-"))
def test_types_with_an_address_of_their_own(post, sink, provider, objects, kind):
    spec, data, tail, checks = LOCAL[kind]
    path = f"/{objects.ns}/hook"
    provider(kind, data=data, address=sink.url + path, **spec)
    message = until(post, sink, lambda m: m.path == path + tail, reason="ReconciliationSucceeded")
    assert message.method == "POST"
    for check in checks:
        assert check(message), (message, message.headers)
    assert not objects.events("p")


ORIGIN = {
    "pagerduty": ({"channel": "key"}, {}, "/v2/change/enqueue", [has('"routing_key":"key"')]),
    "datadog": ({}, {"token": "t0ken"}, "/api/v1/events", [header("DD-API-KEY", "t0ken")]),
    "zulip": ({"channel": "ops/flux"}, {"username": "bot", "password": "key"},
              "/api/v1/messages", [has("topic=flux"), header("Authorization", "Basic Ym90OmtleQ==")]),
}


@pytest.mark.parametrize("kind", ORIGIN)
def test_types_with_a_path_of_their_own(post, provider, objects, kind):
    spec, data, path, checks = ORIGIN[kind]
    server = Sink()
    try:
        provider(kind, data=data, address=server.url + "/ignored", **spec)
        message = until(post, server, lambda m: m.path == path, reason="ReconciliationSucceeded")
        for check in checks:
            assert check(message), (message, message.headers)
        assert not [m for m in server.messages if "ignored" in m.path]
    finally:
        server.stop()


def test_N48_matrix_and_N54_sentry(post, sink, provider, objects):
    base = f"{sink.url}/{objects.ns}"
    provider("matrix", "m", {"token": "t0ken"}, address=base, channel="room")
    provider("sentry", "s", address=base.replace("http://", "http://pub@") + "/42")
    put = until(post, sink, lambda m: m.path.startswith(
        f"/{objects.ns}/_matrix/client/r0/rooms/room/send/m.room.message/"))
    assert put.method == "PUT" and BEARER(put)
    envelope = until(post, sink, lambda m: m.path == f"/{objects.ns}/api/42/envelope/")
    assert "sentry_key=pub" in envelope.headers["X-Sentry-Auth"]


@pytest.fixture(scope="module")
def authority(directory):
    return Authority(directory / "pki")


@pytest.mark.parametrize("kind", ["telegram", "bitbucket"])
def test_types_with_a_host_of_their_own(post, provider, secret, authority, objects, kind):
    """Through a proxy that brings their hosts to us."""
    host, path, data = {
        "telegram": ("api.telegram.org", "/bott0ken/sendMessage", {"token": "t0ken"}),
        "bitbucket": ("api.bitbucket.org",
                      f"/2.0/repositories/o/r/commit/{SHA}/statuses/build", {"token": "u:p"}),
    }[kind]
    server = Sink(context=authority.server_context(kind, san=f"DNS:{host}"))
    server.take = lambda message: (Sink.take(server, message), (200, {}, b"{}"))[1]
    proxy = Proxy(("127.0.0.1", server.port))
    try:
        secret("proxy", address=f"http://127.0.0.1:{proxy.port}")
        secret("ca", ca__crt=authority.cert.read_text())
        provider(kind, data=data, channel="-100", proxySecretRef={"name": "proxy"},
                 certSecretRef={"name": "ca"}, address="https://bitbucket.org/o/r.git")
        message = until(post, server, lambda m: m.path == path, metadata=COMMIT,
                        reason="ReconciliationSucceeded")
        assert message.method == "POST" and message.json
        assert set(proxy.asked) == {f"{host}:443"}
    finally:
        proxy.stop()
        server.stop()


def test_N50_a_real_alertmanager_takes_the_alert(post, provider, objects, directory):
    port = free_port()
    config = directory / "alertmanager.yml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    try:
        server = Process(
            ["prometheus-alertmanager", f"--config.file={config}",
             f"--storage.path={directory / 'alertmanager'}", "--cluster.listen-address=",
             f"--web.listen-address=127.0.0.1:{port}"], directory / "alertmanager.log")
    except FileNotFoundError:
        pytest.skip("SKIPPED: prometheus-alertmanager is not installed")
    try:
        base = f"http://127.0.0.1:{port}/api/v2/alerts"
        server.wait_ready(lambda: http("GET", f"http://127.0.0.1:{port}/-/ready")[0] == 200,
                          "Alertmanager")
        provider("alertmanager", address=base, alert={"summary": "what it is"})

        def alerts():
            assert post(severity="error", reason="HealthCheckFailed",
                        metadata={"kustomize.toolkit.fluxcd.io/revision": "main@sha1:abc"})[0] == 202
            return json.loads(http("GET", base)[2])
        taken = wait_until(alerts, "an alert", interval=0.3)[0]
        assert taken["labels"] == {
            "alertname": "FluxKustomizationHealthcheckfailed", "severity": "error",
            "reason": "HealthCheckFailed", "kind": "Kustomization", "name": "app",
            "namespace": objects.ns, "reportingcontroller": "kustomize-controller",
            "revision": "main@sha1:abc"}
        assert taken["annotations"]["summary"] == "what it is"
        assert taken["startsAt"].startswith("2026-01-02T03:04:05")
        # The zero time is none: Alertmanager sets the end by its resolve_timeout.
        assert taken["status"]["state"] == "active"
        assert not objects.events("p")
    finally:
        assert server.stop() == 0


class Forge(Sink):
    """GitHub's commit statuses: keeps what is created, newest first."""

    def __init__(self, codes=None):
        super().__init__()
        self.statuses = []

    def take(self, message):
        super().take(message)
        if message.method == "POST" and "/statuses/" in message.path:
            self.statuses.insert(0, message.json)
            return 201, {}, message.body
        return 200, {}, json.dumps(self.statuses).encode()

    def created(self):
        return [(s["state"], s["description"], s["context"]) for s in reversed(self.statuses)]


@pytest.fixture
def forge():
    server = Forge()
    yield server
    server.stop()


@pytest.fixture
def github(provider, forge):
    def make(name="p", **spec):
        return provider("github", name, {"token": "t0ken"}, address=forge.url + "/org/repo", **spec)
    return make


def settle(post, sink, alert, **event):
    """Waits until what was posted before must have been handled: later events went through."""
    path = alert("settle")
    for _ in range(4):
        post_until(post, sink, path, **event)


def test_N65_N68_N69_statuses_by_default_id(post, github, forge, objects, sink, alert):
    uid = github()["metadata"]["uid"]
    name = f"kustomization/app/{uid.split('-')[0]}".lower()
    good = ("success", "reconciliation succeeded", name)
    bad = ("failure", "health check failed", name)
    until(post, forge, lambda m: m.method == "POST", metadata=COMMIT,
          reason="ReconciliationSucceeded")
    message = next(m for m in forge.messages if m.method == "POST")
    assert message.path == f"/api/v3/repos/org/repo/statuses/{SHA}" and BEARER(message)
    for _ in range(3):  # equal ones are not written again
        post(metadata=COMMIT, reason="ReconciliationSucceeded")
    post(metadata=COMMIT, reason="Progressing")
    settle(post, sink, alert)
    wait_until(lambda: forge.created() == [good], "one status")
    post(metadata=COMMIT, reason="HealthCheckFailed", severity="error")
    wait_until(lambda: forge.created() == [good, bad], "the flip")
    post(metadata=COMMIT, reason="ReconciliationSucceeded")
    wait_until(lambda: forge.created() == [good, bad, good], "the flip back")
    assert not objects.events("p")


def test_N63_N64_which_events_become_statuses(post, github, forge, objects, sink, alert):
    github()
    revision = {"kustomize.toolkit.fluxcd.io/revision": f"main@sha1:{SHA}"}
    settle(post, sink, alert, metadata=revision, reason="A")
    assert not forge.messages, "an info event without commit is dropped"
    assert not objects.events("p")
    mark = {**revision, "kustomize.toolkit.fluxcd.io/commit_status": "update"}
    until(post, forge, lambda m: m.method == "POST" and m.json["description"] == "marked",
          metadata=mark, reason="Marked")
    until(post, forge, lambda m: m.method == "POST" and m.json["description"] == "broken",
          metadata=revision, reason="Broken", severity="error")
    # Chat does not see what is for machines.
    path = alert("chat")
    post_until(post, sink, path)
    text = f"only for machines {next(serial)}"
    assert post(text, metadata=mark, reason="Other")[0] == 202
    settle(post, sink, alert)
    assert not [m for m in sink.messages if text.encode() in m.body]


def test_N65_an_expression_makes_the_id(post, github, forge, objects):
    """Of the event as it is sent: with the Alert's metadata, and keys without their groups."""
    github(commitStatusExpr="(event.involvedObject.name + '/' + provider.metadata.name + '/' + "
           "alert.kind + '/' + event.metadata.cluster + '/' + event.metadata.commit).upperAscii()")
    objects.apply("Alert", "p", {"providerRef": {"name": "p"}, "eventSources": EVERYTHING,
                                 "eventMetadata": {"cluster": "c1"}})
    until(post, forge, lambda m: m.method == "POST", metadata=COMMIT,
          reason="ReconciliationSucceeded")
    message = next(m for m in forge.messages if m.method == "POST")
    assert message.json["context"] == f"APP/P/ALERT/C1/main@sha1:{SHA}".upper()


@pytest.mark.parametrize("expression, message", [
    ("event.nope", "CEL expression output type mismatch: expected string, got dyn"),
    ("string(event.nope)", "failed to evaluate the CEL expression 'string(event.nope)': no such "
     "key: nope")], ids=["untyped", "absent"])
def test_N66_an_expression_that_fails(post, github, objects, forge, expression, message):
    github(commitStatusExpr=expression)
    text = post_until_event(post, objects, "p", FAILED, metadata=COMMIT, reason="X")
    assert message in text and not forge.messages


def test_N67_revision_without_commit_is_an_error(post, github, objects, forge):
    github()
    text = post_until_event(post, objects, "p", FAILED, severity="error", reason="X", metadata={
        "kustomize.toolkit.fluxcd.io/revision": "6.5.4"})
    assert "commit hash" in text and not forge.messages


def test_N36_half_of_the_pair_makes_commit_types_fail(post, provider, objects, forge):
    provider("github", data={"token": "t", "password": "alone"}, address=forge.url + "/org/repo")
    text = post_until_event(post, objects, "p", FAILED, metadata=COMMIT, reason="X")
    assert "'username' and 'password'" in text and "alone" not in text
    assert not forge.messages


@pytest.mark.parametrize("kind, path, check", [
    ("gitlab", f"/api/v4/projects/org%2Frepo/statuses/{SHA}", header("PRIVATE-TOKEN", "t0ken")),
    ("gitea", f"/api/v1/repos/org/repo/statuses/{SHA}", header("Authorization", "token t0ken")),
    ("bitbucketserver", f"/rest/api/latest/projects/org/repos/repo/commits/{SHA}/builds", BEARER),
    ("azuredevops",
     f"/o/p/_apis/git/repositories/r/commits/{SHA}/statuses?api-version=7.1-preview.1",
     header("Authorization", "Basic " + base64.b64encode(b":t0ken").decode()))],
    ids=["gitlab", "gitea", "bitbucketserver", "azuredevops"])
def test_N68_other_forges(post, provider, objects, kind, path, check):
    server = Sink()
    server.take = lambda message: (Sink.take(server, message),
                                   (200, {}, b"[]" if kind in ("gitlab", "gitea") else b"{}"))[1]
    address = {"bitbucketserver": "/scm/org/repo.git", "azuredevops": "/o/p/_git/r"}
    try:
        provider(kind, data={"token": "t0ken"},
                 address=server.url + address.get(kind, "/org/repo.git"))
        message = until(post, server, lambda m: m.method == "POST", metadata=COMMIT,
                        reason="ReconciliationSucceeded")
        assert message.path == path and check(message)
        assert server.messages[0].method == "GET"
        assert not objects.events("p")
    finally:
        server.stop()


def test_githubdispatch(post, provider, forge, objects):
    provider("githubdispatch", data={"token": "t0ken"}, address=forge.url + "/org/repo")
    message = until(post, forge, lambda m: m.path == "/api/v3/repos/org/repo/dispatches")
    assert message.json["event_type"] == f"Kustomization/app.{objects.ns}"
    assert message.json["client_payload"]["involvedObject"]["name"] == "app"


def test_N74_N75_comments(post, provider, objects, sink, alert, toolkit):
    """A pull request with a foreign comment that bears our marker."""
    comments = []

    class Pulls(Sink):
        def take(self, message):
            super().take(message)
            if message.path == "/api/v3/user":
                return 200, {}, b'{"login": "me"}'
            if message.method == "GET":
                return 200, {}, json.dumps(comments).encode()
            if message.method == "POST":
                comments.append({"id": 8, "user": {"login": "me"}, **message.json})
                return 201, {}, b"{}"
            comments[1].update(message.json)
            return 200, {}, b"{}"
    server = Pulls()
    try:
        uid = provider("githubpullrequestcomment", data={"token": "t0ken"},
                       address=server.url + "/org/repo")["metadata"]["uid"]
        marker = f"<!-- flux-pr-comment-key:{uid}/Kustomization/{objects.ns}/app -->"
        comments.append({"id": 7, "user": {"login": "you"}, "body": marker})
        settle(post, sink, alert)
        assert not server.messages, "without change_request the event is dropped"
        assert not objects.events("p")
        wait_until(lambda: "needs the change_request metadata key" in
                   toolkit["notification-controller"].log(), "the reason in the log")
        asked = {"event.toolkit.fluxcd.io/change_request": "42"}
        until(post, server, lambda m: m.method == "PATCH", metadata=asked)
        assert len(comments) == 2 and comments[0]["body"] == marker
        assert comments[1]["body"].startswith(marker + "\n\n## Flux Status\n\n")
        assert "change_request" not in comments[1]["body"]
        assert {m.path for m in server.messages if m.method == "PATCH"} == {
            "/api/v3/repos/org/repo/issues/comments/8"}
        text = post_until_event(post, objects, "p", FAILED, metadata={
            "event.toolkit.fluxcd.io/change_request": "x"})
        assert "change_request" in text
    finally:
        server.stop()


def test_N49_alias_is_stable(post, provider, sink, objects):
    uid = provider("opsgenie", data={"token": "t0ken"},
                   address=f"{sink.url}/{objects.ns}/o")["metadata"]["uid"]
    want = hashlib.sha256(f"{uid}/Kustomization/{objects.ns}/app/Again".encode()).hexdigest()
    for _ in range(2):
        message = until(post, sink, lambda m: m.path == f"/{objects.ns}/o", reason="Again")
        assert message.json["alias"] == want
