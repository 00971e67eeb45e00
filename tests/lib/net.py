"""Ports, HTTP requests and waiting: what every suite needs and none should write again."""
import fcntl
import json
import os
import pathlib
import random
import select
import socket
import ssl
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http import client as http_client

from .planted import search_deleted


PORTS = range(20000, 32000)  # below those that the kernel gives to whoever connects
# Seconds for what comes at once on a machine that has nothing else to do. How long it takes on a busy
# one says nothing: a test that has something to say of time gives its own bound.
PATIENCE = 90
INITIALIZING = b"storage is (re)initializing"
_claims = []


def free_port():
    """A loopback port that is this process's until it ends: others who ask here get another one."""
    folder = pathlib.Path(tempfile.gettempdir()) / f"sluice-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for port in random.sample(PORTS, len(PORTS)):
        claim = open(folder / str(port), "w")  # closed, and so given back, when the process ends
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port
    raise RuntimeError("no port is free")


class Timeout(AssertionError):
    pass


class InVain(AssertionError):
    """What is waited for cannot come any more."""


def note_wait(started, timeout, what):
    """With SLUICE_WAITS, a file: how near a wait came to its deadline; tests/slowest-waits reads it."""
    path = os.environ.get("SLUICE_WAITS")
    if path:
        took = time.monotonic() - started
        row = {"of": round(took / timeout, 3), "took": round(took, 2), "timeout": timeout,
               "what": what, "test": os.environ.get("PYTEST_CURRENT_TEST", "")}
        with open(path, "a") as out:  # one write: several workers share the file
            out.write(json.dumps(row) + "\n")


SOON, LATER = 0.02, 0.1  # seconds between two looks: at first, and once it has taken two seconds


def wait_until(probe, what, timeout=PATIENCE, interval=None):
    """Calls probe() until it returns something true and returns that; exceptions of probe count as
    'not yet'. The deadline fails the test with the last thing seen. Without an interval it looks less
    often the longer it takes: each look is a request that the servers of the test have to answer."""
    started = time.monotonic()
    deadline = started + timeout
    last = None
    while True:
        try:
            last = probe()
            if last:
                note_wait(started, timeout, what)
                return last
        except (Timeout, InVain):
            raise
        except Exception as e:  # noqa: BLE001 - whatever went wrong may heal until the deadline
            last = e
        now = time.monotonic()
        if now > deadline:
            note_wait(started, timeout, what)
            raise Timeout(f"timed out after {timeout:g} s waiting for {what}; last: {last!r}")
        # between two looks, not in place of one
        time.sleep(interval or min(max(SOON, (now - started) / 20), LATER))


def with_time_enough(command, is_enough):
    """What command(time) made that ends by its timeout, once that was enough for what it tells before."""
    for time_out in ("1s", "5s", "30s"):
        done = command(time_out)
        if is_enough(done):
            break
    return done


def http(method, url, body=None, headers=None, context=None, timeout=PATIENCE):
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


def is_quiet(sock):
    """Whether a connection between two replies is still good: what is to be read is its end."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return not poll.poll(0)


class RestClient:
    """The Kubernetes REST API with one bearer token, without any client library. Each thread has a
    connection that it keeps: most of a suite's requests look whether something has happened yet."""

    def __init__(self, server, ca_file=None, token=None):
        self.server = server
        self.token = token
        self.context = ssl.create_default_context(cafile=ca_file) if ca_file else None
        self.local = threading.local()
        self.plurals = {}
        self.told_by_deleted = []  # planted secrets in what objects said when they were deleted

    def connection(self, timeout):
        """(connection, whether it was used before)"""
        kept = getattr(self.local, "connection", None)
        if kept and kept.sock and is_quiet(kept.sock):
            kept.sock.settimeout(timeout)
            return kept, True
        self.close()
        url = urllib.parse.urlsplit(self.server)
        if url.scheme == "https":
            made = http_client.HTTPSConnection(url.hostname, url.port, timeout=timeout,
                                               context=self.context)
        else:
            made = http_client.HTTPConnection(url.hostname, url.port, timeout=timeout)
        self.local.connection = made
        return made, False

    def close(self):
        """Ends this thread's connection; the next request makes another."""
        kept = getattr(self.local, "connection", None)
        if kept:
            kept.close()

    def send(self, method, path, body, headers, timeout):
        connection, kept = self.connection(timeout)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, dict(reply.headers), reply.read()
        except (OSError, http_client.HTTPException) as e:
            connection.close()
            # The server may have closed a kept connection just as we used it.
            if kept and isinstance(e, (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError)):
                return self.send(method, path, body, headers, timeout)
            raise

    def raw(self, method, path, body=None, content_type="application/json", accept=None,
            timeout=PATIENCE):
        headers = {"Content-Type": content_type} if body is not None else {}
        if accept:
            headers["Accept"] = accept
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        reply = self.send(method, path, body, headers, timeout)
        if reply[0] == 429 and INITIALIZING in reply[2]:
            reply = wait_until(lambda: self.ready_reply(method, path, body, headers, timeout), path)
        if method == "DELETE":
            self.told_by_deleted += search_deleted(path, reply[0], reply[2])
        return reply

    def ready_reply(self, *request):
        """None while the server still reads what it stores of a new kind: it has done nothing."""
        reply = self.send(*request)
        return None if reply[0] == 429 and INITIALIZING in reply[2] else reply

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

    def path_of(self, obj):
        """The path of an object, its resource by discovery."""
        version, kind = obj["apiVersion"], obj["kind"]
        if (version, kind) not in self.plurals:
            root = ("/apis/" if "/" in version else "/api/") + version
            for row in self.get(root)["resources"]:
                if "/" not in row["name"]:
                    self.plurals[version, row["kind"]] = (root, row["name"], row["namespaced"])
        root, plural, namespaced = self.plurals[version, kind]
        ns = f"/namespaces/{obj['metadata'].get('namespace', 'default')}" if namespaced else ""
        return f"{root}{ns}/{plural}/{obj['metadata']['name']}"

    def apply(self, obj, manager="kubectl"):
        """Server-side apply, forced; the object as it is then."""
        query = f"?fieldManager={manager}&force=true&fieldValidation=Strict"
        status, reply = self.call("PATCH", self.path_of(obj) + query, obj,
                                  "application/apply-patch+yaml")
        assert status in (200, 201), reply
        return reply
