"""Ports, HTTP requests and waiting: what every suite needs and none should write again."""
import json
import socket
import ssl
import time
import urllib.error
import urllib.request


def free_port():
    """A loopback port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Timeout(AssertionError):
    pass


def wait_until(probe, what, timeout=30.0, interval=0.02):
    """Calls probe() until it returns something true and returns that; exceptions of probe count as
    'not yet'. The deadline fails the test with the last thing seen."""
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            last = probe()
            if last:
                return last
        except Timeout:
            raise
        except Exception as e:  # noqa: BLE001 - whatever went wrong may heal until the deadline
            last = e
        if time.monotonic() > deadline:
            raise Timeout(f"timed out after {timeout:g} s waiting for {what}; last: {last!r}")
        time.sleep(interval)  # between two looks, not in place of one


def http(method, url, body=None, headers=None, context=None, timeout=30):
    """(status, headers, bytes) of one request; HTTP errors are results, not exceptions."""
    data = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(request, timeout=timeout) as reply:
            return reply.status, dict(reply.headers), reply.read()
    except urllib.error.HTTPError as e:
        with e:
            return e.code, dict(e.headers), e.read()


class RestClient:
    """The Kubernetes REST API with one bearer token, without any client library."""

    def __init__(self, server, ca_file=None, token=None):
        self.server = server
        self.token = token
        self.context = ssl.create_default_context(cafile=ca_file) if ca_file else None

    def raw(self, method, path, body=None, content_type="application/json", accept=None,
            timeout=30):
        headers = {"Content-Type": content_type} if body is not None else {}
        if accept:
            headers["Accept"] = accept
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        return http(method, self.server + path, body, headers, self.context, timeout)

    def call(self, method, path, body=None, content_type="application/json", accept=None):
        """(status, parsed JSON)"""
        status, _, data = self.raw(method, path, body, content_type, accept)
        return status, json.loads(data) if data else None

    def get(self, path):
        """The object, or None when it is not there."""
        status, obj = self.call("GET", path)
        if status == 404:
            return None
        assert status == 200, (path, status, obj)
        return obj
