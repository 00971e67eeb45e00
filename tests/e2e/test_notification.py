"""notification-controller end to end: events by HTTP, Alerts, Providers, deliveries to a real HTTP sink."""
import email.utils
import hashlib
import hmac
import json
import time

import pytest

from tests.lib.alerts import (EVERYTHING, alert, delivered, event_of, post,  # noqa: F401
                              post_until, serial)
from tests.lib.net import PATIENCE, wait_until
from tests.lib.sink import Sink

def test_N1_any_path_and_method_is_202_without_alerts(post):
    assert post(path="/whatever")[0] == 202
    assert post(path="/", method="PUT")[0] == 202


def test_N2_invalid_json_400_and_size_limit(post, toolkit):
    assert post(body="{not json")[0] == 400
    assert post(body="[]")[0] == 400
    limit = 3 << 20
    event = json.dumps({"involvedObject": {"kind": "K", "name": "n", "namespace": "x"},
                        "message": ""})
    exact = event[:-2] + "a" * (limit - len(event)) + '"}'
    assert len(exact) == limit
    assert post(body=exact)[0] == 202
    assert post(body=exact[:-2] + 'a"}')[0] == 413


@pytest.mark.parametrize("key", ["kind", "name", "namespace"])
def test_N2_an_event_about_nothing_is_400(post, ns, key):
    event = event_of(ns)
    assert post(body=json.dumps(event))[0] == 202
    del event["involvedObject"][key]
    assert post(body=json.dumps(event))[0] == 400


@pytest.mark.parametrize("field", [
    {"message": 1}, {"severity": ["info"]}, {"reason": {}}, {"metadata": ["a"]},
    {"metadata": {"kustomize.toolkit.fluxcd.io/revision": 1}}])
def test_N2_what_is_no_text_is_400(post, ns, field):
    assert post(body=json.dumps({**event_of(ns), "metadata": None}))[0] == 202
    assert post(body=json.dumps({**event_of(ns), **field}))[0] == 400


def test_N3_same_event_twice_is_limited(post):
    status, passed = post("twice")
    assert status == 202 and "Retry-After" not in passed
    status, headers = post("twice")
    assert status == 429
    assert headers["Retry-After"].endswith("GMT")
    until = email.utils.parsedate_to_datetime(headers["Retry-After"]).timestamp()
    assert 240 < until - time.time() <= 301, "the end of five minutes"
    assert headers["X-RateLimit-Reset"] == headers["Retry-After"]
    for reply in (passed, headers):
        assert (reply["X-RateLimit-Limit"], reply["X-RateLimit-Remaining"]) == ("1", "0")
        again = email.utils.parsedate_to_datetime(reply["X-RateLimit-Reset"]).timestamp()
        assert abs(again - until) <= 1, "a refused event does not move the end"


def test_N5_severity_and_reason_do_not_count(post):
    assert post("limited")[0] == 202
    assert post("limited", severity="error", reason="Other")[0] == 429


@pytest.mark.parametrize("key", ["revision", "originRevision", "token"])
def test_N6_revision_and_token_count(post, key):
    text = f"N6 {key}"
    assert post(text)[0] == 202
    assert post(text, metadata={f"kustomize.toolkit.fluxcd.io/{key}": "1"})[0] == 202
    assert post(text, metadata={f"kustomize.toolkit.fluxcd.io/{key}": "2"})[0] == 202
    assert post(text, metadata={f"kustomize.toolkit.fluxcd.io/{key}": "2"})[0] == 429


def test_N6_what_the_event_is_about_counts(post, ns):
    for about in ({}, {"name": "other"}, {"kind": "GitRepository"}, {"namespace": ns + "-other"}):
        assert post("N6 about", **about)[0] == 202
        assert post("N6 about", **about)[0] == 429


def test_N8_N9_N10_metadata_is_cleaned(post, alert, sink):
    path = alert()
    group = "kustomize.toolkit.fluxcd.io/"
    message = post_until(post, sink, path, metadata={
        "foreign.example/x": "1", group + "Checksum": "2", group + "Digest": "3",
        group + "token": "4", group + "revision": "main@sha1:abc",
        group[:-1] + "x": "of a longer group", "event.toolkit.fluxcd.io/team": "blue"})
    fields = {f["title"]: f["value"] for f in message.json["attachments"][0]["fields"]}
    assert fields == {"revision": "main@sha1:abc", "team": "blue"}


def test_N11_N12_N13_N14_metadata_order(post, alert, sink, objects):
    path = alert(eventMetadata={"revision": "from-alert", "team": "alert", "cluster": "c1"},
                 summary="what it is")
    message = post_until(post, sink, path, metadata={
        "kustomize.toolkit.fluxcd.io/revision": "from-controller",
        "event.toolkit.fluxcd.io/revision": "from-annotation",
        "event.toolkit.fluxcd.io/team": "annotation"})
    fields = {f["title"]: f["value"] for f in message.json["attachments"][0]["fields"]}
    assert fields == {"revision": "from-controller", "team": "alert", "cluster": "c1",
                      "summary": "what it is"}

    def told():
        events = objects.api.rest.get(f"/api/v1/namespaces/{objects.ns}/events")["items"]
        return [e for e in events if e["reason"] == "MetadataAppendFailed"]
    event = wait_until(told, "the conflict event")[0]
    assert event["type"] == "Warning" and event["involvedObject"]["name"] == "team"
    annotation, spec = "involved object annotations", "Alert object .spec.eventMetadata"
    assert event["metadata"]["annotations"] == {
        "revision": f"{annotation}, {spec}, involved object controller metadata",
        "team": f"{annotation}, {spec}"}


def test_N15_severity(post, alert, sink):
    errors, everything = alert("errors", eventSeverity="error"), alert("all")
    post_until(post, sink, everything)
    mark = f"bad {next(serial)}"
    post(mark, severity="error")
    delivered(sink, errors, mark)
    delivered(sink, everything, mark)
    assert not [m for m in sink.messages if m.path == errors and mark not in m.body.decode()]


def test_N14_an_empty_summary_is_none(post, alert, sink):
    path = alert(summary="")
    assert post_until(post, sink, path).json["attachments"][0]["fields"] == []


def test_N17_star_is_for_kind_and_namespace(post, alert, sink):
    path = alert(eventSources=[{"kind": "GitRepository", "name": "one"}, *EVERYTHING])
    post_until(post, sink, path)
    post("other kind", kind="GitRepository")
    post("of the other source", kind="GitRepository", name="one")
    delivered(sink, path, "of the other source")
    post("other namespace", namespace="elsewhere")
    mark = f"last {next(serial)}"
    post(mark)
    delivered(sink, path, mark)
    texts = [m.json["attachments"][0]["text"] for m in sink.messages if m.path == path]
    assert "other kind" not in texts and "other namespace" not in texts


def test_N20_N21_N22_lists_of_expressions(post, alert, sink, objects):
    path = alert(inclusionList=["^keep", "(?=look)ahead"], exclusionList=["secret$", "(bad"])
    wait_until(lambda: (post(f"keep {next(serial)}")[0] == 202 and
                        [m for m in sink.messages if m.path == path]), "a kept message",
               interval=0.2)
    post("drop this")
    post("keep this secret")
    mark = f"keep end {next(serial)}"
    post(mark)
    delivered(sink, path, mark)
    texts = [m.json["attachments"][0]["text"] for m in sink.messages if m.path == path]
    assert "drop this" not in texts and "keep this secret" not in texts
    wait_until(lambda: len({m for _, r, m in objects.events("team") if r == "InvalidConfig"}) == 2,
               "an InvalidConfig event for each bad expression")


def test_N23_suspended_is_silent(post, alert, sink, objects):
    quiet, loud = alert("quiet", suspend=True), alert("loud")
    silent = alert("silent", provider={"suspend": True})
    post_until(post, sink, loud)
    assert not [m for m in sink.messages if m.path in (quiet, silent)]
    assert not objects.events("quiet") and not objects.events("silent")


def test_N25_N26_a_failing_alert_does_not_stop_the_other(post, alert, sink, objects):
    objects.apply("Alert", "orphan", {
        "providerRef": {"name": "nobody"}, "eventSources": [{"kind": "Kustomization", "name": "*"}]})
    path = alert("works")
    post_until(post, sink, path)
    wait_until(lambda: any(r == "NotificationDispatchFailed" and "nobody" in m
                           for _, r, m in objects.events("orphan")), "the failure's event")


def test_N27_slow_provider_does_not_delay(post, objects, alert, sink):
    import threading
    release = threading.Event()
    slow = Sink({"/slow": lambda m, n: (release.wait(PATIENCE), (200, {}, b""))[1]})
    try:
        objects.apply("Provider", "slow", {"type": "generic", "address": slow.url + "/slow"})
        objects.apply("Alert", "slow", {
            "providerRef": {"name": "slow"},
            "eventSources": [{"kind": "Kustomization", "name": "*"}]})
        path = alert("fast")
        wait_until(lambda: post()[0] == 202 and slow.messages, "the slow provider to be asked",
                   interval=0.2)
        post_until(post, sink, path)
    finally:
        release.set()
        slow.stop()


def test_N28_503_then_200_is_one_delivery(post, objects):
    flaky = Sink({"/f": lambda m, n: (503, {}, b"busy") if n == 0 else (200, {}, b"")})
    try:
        objects.apply("Provider", "flaky", {"type": "generic", "address": flaky.url + "/f"})
        objects.apply("Alert", "flaky", {
            "providerRef": {"name": "flaky"},
            "eventSources": [{"kind": "Kustomization", "name": "*"}]})
        wait_until(lambda: post()[0] == 202 and flaky.messages, "the first try", interval=0.2)
        first = flaky.messages[0].body
        wait_until(lambda: [m.body for m in flaky.messages].count(first) == 2, "the second try")
        assert not objects.events("flaky")
    finally:
        flaky.stop()


def test_N29_N30_400_is_final_and_the_token_masked(post, objects, api):
    strict = Sink({"/s": lambda m, n: (400, {}, b"no such thing as s3cr3t-token here")})
    try:
        api.apply({"apiVersion": "v1", "kind": "Secret",
                   "metadata": {"name": "strict", "namespace": objects.ns},
                   "stringData": {"token": "s3cr3t-token", "address": strict.url + "/s"}})
        objects.apply("Provider", "strict", {"type": "slack", "secretRef": {"name": "strict"}})
        objects.apply("Alert", "strict", {
            "providerRef": {"name": "strict"},
            "eventSources": [{"kind": "Kustomization", "name": "*"}]})
        wait_until(lambda: post()[0] == 202 and strict.messages, "the try", interval=0.2)

        def told():
            return [m for _, r, m in objects.events("strict") if r == "NotificationDispatchFailed"]
        text = wait_until(told, "the failure's event")[0]
        assert "400" in text and "*****" in text and "s3cr3t" not in text
        bodies = [m.body for m in strict.messages]
        assert len(bodies) == len(set(bodies)), "a 400 must not be tried again"
        assert strict.messages[0].headers["Authorization"] == "Bearer s3cr3t-token"
    finally:
        strict.stop()


def test_N31_secret_address_wins_and_is_limited(post, objects, api, sink):
    address = f"  {sink.url}/{objects.ns}/real \n".ljust(2048)  # all that is allowed
    api.apply({"apiVersion": "v1", "kind": "Secret",
               "metadata": {"name": "where", "namespace": objects.ns},
               "stringData": {"address": address}})
    objects.apply("Provider", "where", {"type": "slack", "address": "http://127.0.0.1:1/wrong",
                                        "secretRef": {"name": "where"}})
    objects.apply("Alert", "where", {"providerRef": {"name": "where"},
                                     "eventSources": [{"kind": "Kustomization", "name": "*"}]})
    post_until(post, sink, f"/{objects.ns}/real")


def test_N37_N38_generic_and_hmac(post, objects, api, sink):
    api.apply({"apiVersion": "v1", "kind": "Secret",
               "metadata": {"name": "signed", "namespace": objects.ns},
               "stringData": {"token": "k", "headers": "X-Extra: yes\n"}})
    path = f"/{objects.ns}/signed"
    objects.apply("Provider", "signed", {"type": "generic-hmac", "address": sink.url + path,
                                         "secretRef": {"name": "signed"}})
    objects.apply("Alert", "signed", {"providerRef": {"name": "signed"},
                                      "eventSources": [{"kind": "Kustomization", "name": "*"}]})
    message = post_until(post, sink, path, metadata={"kustomize.toolkit.fluxcd.io/revision": "<&>"})
    headers = {k.lower(): v for k, v in message.headers.items()}
    assert headers["gotk-component"] == "kustomize-controller"
    assert headers["x-extra"] == "yes"
    want = hmac.new(b"k", message.body, hashlib.sha256).hexdigest()
    assert headers["x-signature"] == "sha256=" + want
    assert b"\\u003c\\u0026\\u003e" in message.body
    assert message.json["metadata"] == {"revision": "<&>"}


def test_N39_slack_message(post, alert, sink):
    path = alert()
    post_until(post, sink, path)
    post("first line\nsecond", severity="error")
    body = delivered(sink, path, "second").json
    attachment = body["attachments"][0]
    assert body["channel"] == "general" and body["username"] == "kustomize-controller"
    assert attachment["color"] == "danger" and attachment["text"] == "first line\nsecond"
    assert attachment["author_name"].startswith("kustomization/app.")
    assert attachment["fallback"].endswith(": first line")


def test_N51_grafana_annotation(post, alert, sink):
    path = alert(provider={"type": "grafana"})
    revision = {"kustomize.toolkit.fluxcd.io/revision": "main@sha1:abc"}
    # An annotation does not carry the message.
    wait_until(lambda: post(metadata=revision)[0] == 202 and
               [m for m in sink.messages if m.path == path], "the annotation", interval=0.2)
    body = next(m for m in sink.messages if m.path == path).json
    assert body["text"].startswith("kustomization/app.")
    assert body["when"] == 1767323045
    assert "flux" in body["tags"] and "kustomize-controller" in body["tags"]
    assert "revision: main@sha1|abc" in body["tags"]
    assert "kind: Kustomization" in body["tags"] and "name: app" in body["tags"]


def test_N64_commit_status_reaches_generic_only(post, objects, alert, sink):
    chat = alert("chat")
    path = alert("machine", provider={"type": "generic"})
    post_until(post, sink, chat)
    post_until(post, sink, path, metadata={"kustomize.toolkit.fluxcd.io/commit_status": "update"})
    assert not [m for m in sink.messages if m.path == chat and b"commit_status" in m.body]


def test_N96_provider_deletion_releases_the_finalizer(alert, objects):
    alert("brief")
    objects.wait("Provider", "brief", lambda o: o["metadata"].get("finalizers"), "a finalizer")
    objects.delete("Provider", "brief")
    objects.gone("Provider", "brief")


def test_alerts_lose_the_finalizer_of_earlier_versions(alert, objects):
    """notification.md 2: taken off with an event; a suspended Alert keeps it until it is deleted."""
    old = {"finalizers": ["finalizers.fluxcd.io"]}
    spec = {"providerRef": {"name": "p"}, "eventSources": [{"kind": "Kustomization", "name": "*"}]}
    objects.apply("Alert", "live", spec, **old)
    objects.apply("Alert", "paused", {**spec, "suspend": True}, **old)
    objects.wait("Alert", "live", lambda o: not o["metadata"].get("finalizers"), "to lose it")
    wait_until(lambda: any(r == "Migration" for _, r, _ in objects.events("live")), "the event")
    assert objects.get("Alert", "paused")["metadata"]["finalizers"]
    objects.delete("Alert", "paused")
    objects.gone("Alert", "paused")
