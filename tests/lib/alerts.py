"""Fixtures and helpers of the notification tests: post events, make Alerts with Providers, wait for
deliveries. A test module imports what it uses."""
import itertools
import json

import pytest

from .net import PATIENCE, http, wait_until

serial = itertools.count()
EVERYTHING = [{"kind": "Kustomization", "name": "*"}]


def event_of(ns, message=None, kind="Kustomization", name="app", severity="info",
             reason="Progressing", metadata=None, uid="u",
             api_version="kustomize.toolkit.fluxcd.io/v1"):
    return {"involvedObject": {"apiVersion": api_version, "kind": kind, "name": name,
                               "namespace": ns, "uid": uid},
            "severity": severity, "timestamp": "2026-01-02T03:04:05Z",
            "message": message or f"message {next(serial)}", "reason": reason,
            "metadata": metadata or {}, "reportingController": "kustomize-controller",
            "reportingInstance": "one"}


@pytest.fixture
def post(toolkit, ns):
    """Posts an event about a Kustomization of the test's namespace; (status, headers)."""
    def send(message=None, path="/", method="POST", body=None, namespace=None, headers=None,
             **event):
        event = event_of(namespace or ns, message, **event)
        status, reply_headers, _ = http(method, toolkit.events_url.rstrip("/") + path,
                                        json.dumps(event) if body is None else body, headers)
        return status, reply_headers
    return send


@pytest.fixture
def alert(objects, sink):
    """An Alert with a Provider of its own, of type slack at the sink; the path it posts to."""
    def make(name="team", provider=None, **spec):
        objects.apply("Provider", name, {
            "type": "slack", "channel": "general", "address": f"{sink.url}/{objects.ns}/{name}",
            **(provider or {})})
        objects.apply("Alert", name, {
            "providerRef": {"name": name}, "eventSources": EVERYTHING, **spec})
        return f"/{objects.ns}/{name}"
    return make


@pytest.fixture
def secret(api, ns):
    def make(name, **data):
        api.apply({"apiVersion": "v1", "kind": "Secret",
                   "metadata": {"name": name, "namespace": ns},
                   "stringData": {k.replace("__", "."): v for k, v in data.items()}})
    return make


def delivered(sink, path, text, timeout=PATIENCE):
    return sink.wait(lambda m: m.path == path and text in m.body.decode(), f"delivery of {text}",
                     timeout)


def post_until(post, sink, path, timeout=PATIENCE, **event):
    """The controller's own watch may be a moment behind our write: posts new events until one comes
    through, and returns that delivery."""
    marks = []

    def attempt():
        marks.append(f"probe-{next(serial)}")
        assert post(marks[-1], **event)[0] == 202
        return next((m for m in sink.messages if m.path == path and
                     any(mark in m.body.decode() for mark in marks)), None)
    return wait_until(attempt, f"a delivery to {path}", timeout, interval=0.2)


def post_until_event(post, objects, name, failure, timeout=PATIENCE, **event):
    """Posts new events until the object called `name` has an Event of the reason `failure`; its
    message."""
    def attempt():
        assert post(**event)[0] == 202
        return next((m for _, r, m in objects.events(name) if r == failure), None)
    return wait_until(attempt, f"an Event {failure} about {name}", timeout, interval=0.2)
