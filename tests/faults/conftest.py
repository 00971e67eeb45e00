"""Fixtures of the fault suite: an application from Git to cluster, and controllers that reach the API
server through a proxy."""
import os

import pytest

from tests.lib.net import PATIENCE


def config_map(name, value):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{v: \"{value}\"}}\n"


class App:
    """One GitRepository `src` and one Kustomization `app` in the test's namespace."""

    def __init__(self, objects, git_server):
        self.objects, self.git = objects, git_server
        self.repo = git_server.repository(objects.ns)
        self.head = None

    def commit(self, files, remove=()):
        self.head = self.repo.commit(files, remove=remove)
        return self.head

    def start(self, url=None, source=None, **spec):
        self.objects.apply("GitRepository", "src", {
            "url": url or self.git.url_of(self.repo), "interval": "2s", "timeout": "20s",
            "ref": {"branch": "main"}, **(source or {})})
        self.objects.apply("Kustomization", "app", {
            "interval": "1h", "retryInterval": "1s", "prune": True,
            "targetNamespace": self.objects.ns, "path": "./",
            "sourceRef": {"kind": "GitRepository", "name": "src"}, **spec})

    def settled(self, timeout=PATIENCE):
        return self.objects.ready("Kustomization", "app", timeout, revision=self.head)

    def deploy(self, files, remove=(), timeout=PATIENCE):
        """Commits, and waits until the cluster holds it."""
        self.commit(files, remove)
        if not self.objects.get("Kustomization", "app"):
            self.start()
        return self.settled(timeout)


@pytest.fixture
def app(objects, git_server):
    return App(objects, git_server)


@pytest.fixture
def proxy(proxied):
    """The proxy in front of the API server, without the rules of other tests."""
    proxied.proxy.off()
    mark = proxied.proxy.mark()
    yield proxied.proxy
    if os.environ.get("SLUICE_KEEP"):
        for r in proxied.proxy.requests(mark):
            print(f"{r.at:.3f} {r.header('user-agent')} {r!r}")
    proxied.proxy.off()
    proxied.proxy.up()
