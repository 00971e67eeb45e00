"""Fixtures of the end-to-end and fault suites: one API server and one toolkit per test module, so that
modules can run side by side."""
import os
import pathlib
import re
import shutil
import tempfile
import zlib

import pytest

from tests.lib.controllers import Toolkit
from tests.lib.git import GitServer
from tests.lib.kube import start_api
from tests.lib.net import PATIENCE, wait_until
from tests.lib.planted import search_logs, search_objects
from tests.lib.proxy import ProxiedApi
from tests.lib.schedule import longest_first
from tests.lib.sink import Sink


def pytest_collection_modifyitems(config, items):
    """On the real API server only what asks an API server: the rest would be the same test again."""
    if os.environ.get("SLUICE_API") == "kube":
        alone = [item for item in items if "api" not in item.fixturenames]
        items[:] = [item for item in items if "api" in item.fixturenames]
        config.hook.pytest_deselected(items=alone)
    longest_first(items, lambda item: item.nodeid.split("::")[0])


@pytest.fixture(scope="module")
def directory():
    """A short path below /tmp: socket names have little room."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="sluice-", dir="/tmp"))
    yield path
    told = search_logs(path)
    assert not told, told[:10]
    if not os.environ.get("SLUICE_KEEP"):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def api(directory):
    """An API server with the CRDs and the namespace flux-system."""
    server = start_api(os.environ.get("SLUICE_API", "embedded"), directory / "api")
    try:
        server.prepare()
        yield server
        told = search_objects(server.rest)
        assert not told, told[:10]
    finally:
        server.stop()


@pytest.fixture(scope="module")
def proxied(api, directory):
    """The API server behind a proxy; `proxied.proxy` steers it."""
    server = ProxiedApi(api, directory)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory):
    """The three controllers."""
    with Toolkit(api, directory / "toolkit").run() as kit:
        yield kit


@pytest.fixture(scope="module")
def git_server(directory):
    server = GitServer(directory / "git")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def sink():
    server = Sink()
    yield server
    server.stop()
    assert not server.told, server.told[:10]


@pytest.fixture
def ns(api, request):
    """A namespace of the test's own."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    if len(name) > 60:  # what is cut off may be all that tells two of them apart
        name = f"{name[:51]}-{zlib.crc32(name.encode()):08x}"
    api.create_namespace(name)
    return name


class Objects:
    """Makes and watches Sluice's objects in one namespace."""

    def __init__(self, api, ns):
        self.api, self.ns = api, ns

    def path(self, kind, name=""):
        group, plural = {
            "GitRepository": ("source.toolkit.fluxcd.io/v1", "gitrepositories"),
            "OCIRepository": ("source.toolkit.fluxcd.io/v1", "ocirepositories"),
            "Bucket": ("source.toolkit.fluxcd.io/v1", "buckets"),
            "HelmRepository": ("source.toolkit.fluxcd.io/v1", "helmrepositories"),
            "HelmChart": ("source.toolkit.fluxcd.io/v1", "helmcharts"),
            "Kustomization": ("kustomize.toolkit.fluxcd.io/v1", "kustomizations"),
            "HelmChart": ("source.toolkit.fluxcd.io/v1", "helmcharts"),
            "ExternalArtifact": ("source.toolkit.fluxcd.io/v1", "externalartifacts"),
            "HelmRelease": ("helm.toolkit.fluxcd.io/v2", "helmreleases"),
            "Provider": ("notification.toolkit.fluxcd.io/v1beta3", "providers"),
            "Alert": ("notification.toolkit.fluxcd.io/v1beta3", "alerts"),
            "Receiver": ("notification.toolkit.fluxcd.io/v1", "receivers"),
        }[kind]
        return f"/apis/{group}/namespaces/{self.ns}/{plural}" + (f"/{name}" if name else "")

    def apply(self, kind, name, spec, **metadata):
        group = self.path(kind).split("/namespaces")[0].removeprefix("/apis/")
        self.api.apply({"apiVersion": group, "kind": kind,
                        "metadata": {"name": name, "namespace": self.ns, **metadata},
                        "spec": spec})

    def get(self, kind, name):
        return self.api.rest.get(self.path(kind, name))

    def delete(self, kind, name):
        self.api.rest.call("DELETE", self.path(kind, name))

    def patch(self, kind, name, body):
        status, reply = self.api.rest.call("PATCH", self.path(kind, name), body,
                                           "application/merge-patch+json")
        assert status == 200, reply
        return reply

    def request(self, kind, name, value="now"):
        """Asks for a reconcile, as `reconcile` on the command line does."""
        return self.patch(kind, name, {"metadata": {"annotations": {
            "reconcile.fluxcd.io/requestedAt": value}}})

    @staticmethod
    def condition(obj, kind="Ready"):
        for c in (obj or {}).get("status", {}).get("conditions", []):
            if c["type"] == kind:
                return c
        return {}

    def wait(self, kind, name, match, what="", timeout=PATIENCE):
        """The object once match(object) is true."""
        def look():
            obj = self.get(kind, name)
            return obj if obj and match(obj) else None
        try:
            return wait_until(look, f"{kind}/{name} {what}", timeout)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.get(kind, name)}") from None

    def ready(self, kind, name, timeout=PATIENCE, revision=None):
        """Waits for Ready True at the present generation (and a revision)."""
        def match(obj):
            status = obj.get("status", {})
            at = (status.get("artifact") or {}).get("revision") or \
                status.get("lastAppliedRevision", "")
            return (self.condition(obj).get("status") == "True" and
                    status.get("observedGeneration") == obj["metadata"]["generation"] and
                    (revision is None or revision in at))
        return self.wait(kind, name, match, "to be Ready", timeout)

    def not_ready(self, kind, name, reason, timeout=PATIENCE):
        return self.wait(kind, name, lambda o: self.condition(o).get("status") == "False" and
                         self.condition(o).get("reason") == reason, f"to fail with {reason}",
                         timeout)

    def gone(self, kind, name, timeout=PATIENCE):
        wait_until(lambda: self.get(kind, name) is None, f"{kind}/{name} to be gone", timeout)

    def events(self, name):
        """(type, reason, message) of the Events about objects of that name."""
        items = self.api.rest.get(f"/api/v1/namespaces/{self.ns}/events")["items"]
        return [(e["type"], e["reason"], e["message"]) for e in items
                if e["involvedObject"]["name"] == name]

    def configmap(self, name):
        return self.api.rest.get(f"/api/v1/namespaces/{self.ns}/configmaps/{name}")


@pytest.fixture
def objects(api, toolkit, ns):
    return Objects(api, ns)
