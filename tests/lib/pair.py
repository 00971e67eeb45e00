"""The embedded API server and the real kube-apiserver side by side: the same request to both, and
what differs between the replies."""
import json
import os

from .kube import EmbeddedApi, KubeApi

VOLATILE = ("creationTimestamp", "uid", "resourceVersion")


class Client:
    """Requests over one connection: thousands of handshakes would be most of the time."""

    def __init__(self, server):
        self.rest = server.rest

    def call(self, method, path, body=None, media="application/json"):
        status, _, data = self.rest.raw(method, path, body, media, "application/json")
        text = data.decode()
        return status, json.loads(text) if text.startswith("{") else text


def without_nulls(value):
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value


def plain(reply):
    """A reply without what no two servers have in common: times, versions, uids wherever they are.
    A null says no more than an absent member."""
    status, body = reply
    uid = ((body.get("metadata") or {}) if isinstance(body, dict) else {}).get("uid")
    if uid:
        body = json.loads(json.dumps(body).replace(uid, "UID"))
    body = without_nulls(body)
    metadata = body.get("metadata") if isinstance(body, dict) else None
    for name in VOLATILE:
        (metadata or {}).pop(name, None)
    entries = (metadata or {}).get("managedFields", [])
    for entry in entries:
        entry.pop("time", None)
    # Their order goes by seconds.
    entries.sort(key=lambda e: (e["manager"], e["operation"], e.get("subresource", "")))
    return status, body


class Pair:
    """Both servers; call() answers with both replies, ours first."""

    def __init__(self, directory, oracle):
        self.servers = []
        try:
            self.servers.append(EmbeddedApi(directory / "embedded", os.environ["SLUICE_BUILD"]))
            self.servers.append(KubeApi(directory / "kube", oracle))
        except BaseException:
            self.stop()
            raise
        self.clients = [Client(server) for server in self.servers]

    def call(self, method, path, body=None, media="application/json"):
        return [plain(client.call(method, path, body, media)) for client in self.clients]

    def stop(self):
        for server in self.servers:
            server.stop()
