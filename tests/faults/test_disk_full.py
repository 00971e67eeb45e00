"""A full disk, for real: small file systems in a mount namespace of the controller's own, as storage and
as TMPDIR. The condition names what is full, no half artifact is there, and room heals it."""
import os
import random
import subprocess

import pytest

from tests.faults.conftest import config_map
from tests.lib.controllers import Toolkit
from tests.lib.net import http, wait_until

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
    logs = {name: c.log() for name, c in kit.running.items()}
    codes = kit.stop()
    bad = {name: code for name, code in codes.items() if code != 0}
    assert not bad, {name: logs[name][-4000:] for name in bad}


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
    left = [n for n in disk.names() if n != "filler" and not n.endswith(".lock")]
    assert left == [n for n in before if not n.endswith(".lock")]
    disk.empty()
    app.settled()
    assert objects.configmap("a")["data"] == {"v": "2"}


def test_S19_storage_too_small_for_the_artifact(app, objects, toolkit):
    """It fills up while the archive is written."""
    disk = toolkit.disks["storage"]
    app.deploy({"a.yaml": config_map("a", "1")})
    app.commit({"a.yaml": config_map("a", "2"), "noise": noise(3 << 20)})
    failed = objects.not_ready("GitRepository", "src", "ArchiveOperationFailed")
    assert FULL in objects.condition(failed)["message"]
    assert not [n for n in disk.names() if app.head in n and not n.endswith(".lock")]
    disk.resize("20m")
    app.settled()
    app.commit({}, remove=["noise"])
    app.settled()


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
                          "False", "to fail", 60)
    assert FULL in objects.condition(failed)["message"], objects.condition(failed)
    assert str(disk.path) in objects.condition(failed)["message"], "which disk"
    assert toolkit["source-controller"].alive()
    wait_until(lambda: disk.names() == [], "the temporary files to be gone")
    disk.resize("200m")
    objects.request("GitRepository", "src")
    app.settled(120)
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
