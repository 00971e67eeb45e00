"""A full disk, for real: small file systems in a mount namespace of the controller's own, as storage and
as TMPDIR. The condition names what is full, no half artifact is there, and room heals it."""
import os
import random
import subprocess

import pytest

from tests.faults.conftest import config_map
from tests.lib.buckets import ACCESS_KEY, SECRET_KEY, s3  # noqa: F401 - a fixture
from tests.lib.controllers import Toolkit
from tests.lib.net import http, wait_until
from tests.lib.registry import registry  # noqa: F401 - a fixture

FULL = "No space left on device"


def may_mount():
    done = subprocess.run(["unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /mnt"],
                          capture_output=True)
    return done.returncode == 0


pytestmark = pytest.mark.skipif(not may_mount(), reason="no right to mount: a full disk is not tested")


def with_small(directory, size):
    """A command prefix: the directory is a file system of that size, for this process alone."""
    script = f'mount -t tmpfs -o size={size} tmpfs "{directory}" && exec "$0" "$@"'
    return ["unshare", "-m", "sh", "-c", script]


class Disk:
    """A controller's small file system as seen from outside."""

    def __init__(self, process, path):
        self.process, self.path = process, path

    @property
    def root(self):
        return f"/proc/{self.process.pid}/root{self.path}"

    def fill(self):
        """To the last byte."""
        with open(f"{self.root}/filler", "wb", buffering=0) as f:
            for size in (1 << 16, 4096, 1):
                try:
                    while f.write(b"x" * size) == size:
                        pass
                except OSError:
                    pass

    def empty(self):
        os.unlink(f"{self.root}/filler")

    def resize(self, size):
        subprocess.run(["nsenter", "-t", str(self.process.pid), "-m", "mount", "-o",
                        f"remount,size={size}", self.path], check=True)

    def names(self):
        return sorted(os.path.relpath(os.path.join(d, f), self.root)
                      for d, _, files in os.walk(self.root) for f in files)


def noise(size):
    """Text that no compression makes small."""
    return random.Random(size).randbytes(size).hex()


@pytest.fixture(scope="module")
def toolkit(api, directory):
    storage, temp, work = (directory / n for n in ("kit/storage", "kit/tmp", "kit/work"))
    for d in (storage, temp, work):
        d.mkdir(parents=True)
    kit = Toolkit(api, directory / "kit", prefixes={
        "source-controller": ["env", f"TMPDIR={temp}", *with_small(temp, "12m"),
                              *with_small(storage, "2m")],
        "kustomize-controller": ["env", f"TMPDIR={work}", *with_small(work, "80m")]})
    kit.start()
    kit.disks = {"storage": Disk(kit["source-controller"], storage),
                 "tmp": Disk(kit["source-controller"], temp),
                 "work": Disk(kit["kustomize-controller"], work)}
    yield kit
    kit.finish()


def warned(objects, name, text):
    wait_until(lambda: any(t == "Warning" and text in m for t, _, m in objects.events(name)),
               "the Warning event")


def test_S19_storage_full(app, objects, toolkit):
    app.deploy({"a.yaml": config_map("a", "1")})
    disk = toolkit.disks["storage"]
    old = objects.get("GitRepository", "src")["status"]["artifact"]
    before = disk.names()
    disk.fill()
    app.commit({"a.yaml": config_map("a", "2")})
    failed = objects.not_ready("GitRepository", "src", "ArchiveOperationFailed")
    message = objects.condition(failed)["message"]
    assert FULL in message and f"gitrepository/{objects.ns}/src" in message
    assert objects.condition(failed, "StorageOperationFailed")["status"] == "True"
    assert failed["status"]["artifact"] == old and http("GET", old["url"])[0] == 200
    warned(objects, "src", FULL)
    def left():
        return [n for n in disk.names() if n != "filler" and not n.endswith(".lock")]
    # It is tried again meanwhile.
    wait_until(lambda: left() == [n for n in before if not n.endswith(".lock")], "no half artifact")
    disk.empty()
    app.settled()
    assert objects.configmap("a")["data"] == {"v": "2"}
    objects.delete("GitRepository", "src")


def test_S19_storage_too_small_for_the_artifact(app, objects, toolkit):
    """It fills up while the archive is written."""
    disk = toolkit.disks["storage"]
    app.deploy({"a.yaml": config_map("a", "1")})
    app.commit({"a.yaml": config_map("a", "2"), "noise": noise(3 << 20)})
    failed = objects.not_ready("GitRepository", "src", "ArchiveOperationFailed")
    assert FULL in objects.condition(failed)["message"]
    wait_until(lambda: not [n for n in disk.names() if app.head in n and not n.endswith(".lock")],
               "no half artifact")
    disk.resize("20m")
    app.settled()
    app.commit({}, remove=["noise"])
    app.settled()
    objects.delete("GitRepository", "src")


class OciSource:
    kind = "OCIRepository"

    def __init__(self, objects, registry, **selector):
        self.objects, self.registry, self.selector = objects, registry, selector

    def start(self):
        self.objects.apply("OCIRepository", "src", {
            "url": self.registry.url_of(self.objects.ns), "interval": "2s", **self.selector})

    def change(self, value, **files):
        self.registry.push(self.objects.ns, "latest", {"a": value, **files})


class BucketSource:
    kind = "Bucket"

    def __init__(self, objects, s3):
        self.objects, self.s3 = objects, s3
        s3.bucket(objects.ns)

    def start(self):
        self.objects.api.apply({"apiVersion": "v1", "kind": "Secret",
                                "metadata": {"name": "keys", "namespace": self.objects.ns},
                                "stringData": {"accesskey": ACCESS_KEY, "secretkey": SECRET_KEY}})
        self.objects.apply("Bucket", "src", {
            "endpoint": self.s3.endpoint, "bucketName": self.objects.ns, "interval": "2s",
            "insecure": True, "secretRef": {"name": "keys"}})

    def change(self, value, **files):
        for name, content in {"a": value, **files}.items():
            self.s3.put(self.objects.ns, name, content)


@pytest.fixture(params=["extract", "copy", "bucket"])
def source(request, objects):
    if request.param == "bucket":
        made = BucketSource(objects, request.getfixturevalue("s3"))
    else:
        made = OciSource(objects, request.getfixturevalue("registry"),
                         layerSelector={"operation": request.param})
    made.change("1")
    made.start()
    yield made
    objects.delete(made.kind, "src")


def test_S19_storage_full_of_other_sources(source, objects, toolkit):
    """To the last byte, and then with room for the beginning of an artifact."""
    disk = toolkit.disks["storage"]
    old = objects.ready(source.kind, "src")["status"]["artifact"]
    own = f"{source.kind.lower()}/{objects.ns}/"

    def files():
        return [n for n in disk.names() if n.startswith(own) and not n.endswith(".lock")]
    # What other tests made goes with their objects, and would give room while the disk is full.
    wait_until(lambda: all(n.startswith(own) for n in disk.names()), "the storage to be ours")
    before = files()
    disk.fill()
    source.change("2")
    failed = objects.not_ready(source.kind, "src", "ArchiveOperationFailed")
    message = objects.condition(failed)["message"]
    assert FULL in message and f"{own}src" in message
    assert objects.condition(failed, "StorageOperationFailed")["status"] == "True"
    assert failed["status"]["artifact"] == old and http("GET", old["url"])[0] == 200
    warned(objects, "src", FULL)
    wait_until(lambda: files() == before, "no half artifact")
    disk.empty()
    wait_for_other(objects, source, old)
    disk.resize("1m")
    source.change("3", noise=noise(1 << 20))
    failed = objects.not_ready(source.kind, "src", "ArchiveOperationFailed")
    kept = (failed["status"]["artifact"]["path"], old["path"], "latest")
    wait_until(lambda: not [n for n in files() if not any(k in n for k in kept)], "no half artifact")
    disk.resize("20m")
    wait_for_other(objects, source, failed["status"]["artifact"])


def wait_for_other(objects, source, old):
    """Ready with another artifact than that."""
    return objects.wait(source.kind, "src", lambda o: objects.condition(o)["status"] == "True" and
                        o["status"]["artifact"]["digest"] != old["digest"], "a new artifact")


def test_S19_S102_temporary_directory_full_of_other_sources(source, objects, toolkit):
    """What is on its way has no name, or one that goes."""
    disk = toolkit.disks["tmp"]
    old = objects.ready(source.kind, "src")["status"]["artifact"]
    before = disk.names()
    disk.fill()
    try:
        source.change("2", noise=noise(1 << 18))
        failed = objects.wait(source.kind, "src",
                              lambda o: objects.condition(o)["status"] == "False", "to fail")
        assert FULL in objects.condition(failed)["message"], objects.condition(failed)
        assert str(disk.path) in objects.condition(failed)["message"], "which disk"
        assert failed["status"]["artifact"] == old and http("GET", old["url"])[0] == 200
        wait_until(lambda: disk.names() == sorted([*before, "filler"]), "temporary files to be gone")
    finally:
        disk.empty()
    wait_for_other(objects, source, old)


def test_S102_temporary_directory_full(app, objects, toolkit):
    disk = toolkit.disks["tmp"]
    app.deploy({"a.yaml": config_map("a", "1")})
    disk.fill()
    app.commit({"a.yaml": config_map("a", "2"), "noise": noise(1 << 20)})
    failed = objects.wait("GitRepository", "src", lambda o: objects.condition(o).get("status") ==
                          "False", "to fail")
    assert FULL in objects.condition(failed)["message"], objects.condition(failed)
    assert str(disk.path) in objects.condition(failed)["message"], "which disk"
    warned(objects, "src", FULL)
    wait_until(lambda: disk.names() == ["filler"], "the temporary files to be gone")
    disk.empty()
    app.settled()
    # What stays is the cache of objects, which makes room for itself.
    assert all(name.startswith("source-controller-git-") for name in disk.names())


def test_S102_a_pack_too_big_for_the_temporary_directory(app, objects, toolkit):
    """It fills up while the pack comes: an error, no signal from a mapped file."""
    disk = toolkit.disks["tmp"]
    app.deploy({"a.yaml": config_map("a", "1")})
    toolkit.disks["storage"].resize("60m")
    app.start(source={"timeout": "60s"})
    app.commit({"a.yaml": config_map("a", "2"), "noise": noise(20 << 20)})
    failed = objects.wait("GitRepository", "src", lambda o: objects.condition(o).get("status") ==
                          "False", "to fail")
    assert FULL in objects.condition(failed)["message"], objects.condition(failed)
    assert str(disk.path) in objects.condition(failed)["message"], "which disk"
    assert toolkit["source-controller"].alive()
    wait_until(lambda: disk.names() == [], "the temporary files to be gone")
    disk.resize("200m")
    objects.request("GitRepository", "src")
    app.settled()
    assert objects.configmap("a")["data"] == {"v": "2"}


def test_the_disk_of_artifacts_in_use_full(app, objects, toolkit):
    disk = toolkit.disks["work"]
    app.deploy({"a.yaml": config_map("a", "1")})
    disk.fill()
    app.commit({"a.yaml": config_map("a", "2"), "noise": noise(1 << 18)})
    failed = objects.not_ready("Kustomization", "app", "ArtifactFailed")
    assert FULL in objects.condition(failed)["message"], objects.condition(failed)
    assert str(disk.path) in objects.condition(failed)["message"], "which disk"
    assert objects.configmap("a")["data"] == {"v": "1"}
    warned(objects, "app", FULL)
    disk.empty()
    app.settled()
    assert objects.configmap("a")["data"] == {"v": "2"}
