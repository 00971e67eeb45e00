"""What sources of many megabytes cost source-controller: everything is streamed, whatever its size."""
import os

import pytest

from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.artifact import fetch, names
from tests.lib.buckets import ACCESS_KEY, SECRET_KEY, s3  # noqa: F401 - a fixture
from tests.lib.controllers import lean_toolkit as toolkit  # noqa: F401 - a fixture
from tests.lib.registry import LAYER, registry, tar_gz  # noqa: F401 - a fixture
from tests.lib.sign import SshKey
from tests.lib.ssh import SshServer

MIB = 1 << 20


def noise(mib):
    """What no compression makes smaller."""
    return os.urandom(mib * MIB)


@pytest.mark.parametrize("operation", ["extract", "copy"])
def test_S52_a_layer_of_96_mib(objects, toolkit, registry, ns, operation):
    layer = tar_gz({f"f{i}": noise(8) for i in range(12)})
    registry.push(ns, "latest", layers=[(layer, LAYER)])
    with toolkit["source-controller"].within(25):
        objects.apply("OCIRepository", "src", {
            "url": registry.url_of(ns), "interval": "1h", "timeout": "5m",
            "layerSelector": {"operation": operation}})
        obj = objects.ready("OCIRepository", "src", timeout=300)
    assert obj["status"]["artifact"]["size"] >= 96 * MIB
    assert operation == "extract" or fetch(obj) == layer


def test_S81_a_bucket_of_200_objects_of_one_mib(objects, toolkit, s3, ns, secret):
    """A hundred at a time, none of them in memory."""
    s3.bucket(ns)
    for i in range(200):
        s3.put(ns, f"d{i % 7}/f{i}", noise(1))
    secret("keys", accesskey=ACCESS_KEY, secretkey=SECRET_KEY)
    with toolkit["source-controller"].within(35):
        objects.apply("Bucket", "src", {
            "endpoint": s3.endpoint, "bucketName": ns, "interval": "1h", "insecure": True,
            "timeout": "5m", "secretRef": {"name": "keys"}})
        obj = objects.ready("Bucket", "src", timeout=300)
    assert obj["status"]["artifact"]["size"] >= 200 * MIB


@pytest.fixture
def certified(directory, ns, secret):
    """A host that is trusted by its certificate."""
    authority = SshKey(directory / "authority")
    server = SshServer(directory / "sshd", authority, ("-n", "127.0.0.1"))
    secret("auth", identity=server.identity,
           known_hosts=server.known(authority, "@cert-authority "))
    yield server
    server.stop()


@pytest.mark.parametrize("host", ["git_server", "certified"])
def test_S28_a_commit_of_32_mib(objects, toolkit, git_server, ns, request, host):
    repo = git_server.repository(ns)
    first = repo.commit({f"d{i % 5}/f{i}": noise(1) for i in range(32)})
    spec = {"url": request.getfixturevalue(host).url_of(repo), "interval": "1h", "timeout": "5m",
            "ref": {"branch": "main"}}
    if host == "certified":
        spec["secretRef"] = {"name": "auth"}
    with toolkit["source-controller"].within(40):
        objects.apply("GitRepository", "src", spec)
        objects.ready("GitRepository", "src", revision=first, timeout=300)
    second = repo.commit({"d1/f1": "changed"})
    with toolkit["source-controller"].within(40):
        objects.request("GitRepository", "src", "2")
        obj = objects.ready("GitRepository", "src", revision=second, timeout=300)
    assert "d1/f1" in names(obj)
