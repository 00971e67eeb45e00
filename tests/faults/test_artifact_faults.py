"""Artifacts as a broken or hostile server gives them: cut, corrupt, missing, of wrong digest, archives
that want out of their directory or to fill the disk. Nothing of them reaches the cluster, the condition
says why, and the next good one works."""
import gzip
import hashlib
import http.server
import io
import itertools
import os
import tarfile
import threading

import pytest

from tests.faults.conftest import config_map
from tests.lib.controllers import Toolkit
from tests.lib.fault import corrupt, cut, delay, reply, short, trickle
from tests.lib.leaks import left_files
from tests.lib.net import PATIENCE, wait_until
from tests.lib.proxy import Proxy


class Files:
    """A file server of bytes by path."""

    def __init__(self):
        self.files = files = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def files():
    server = Files()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def middle(files):
    """The artifact server behind a proxy."""
    proxy = Proxy(files.url)
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory):
    kit = Toolkit(api, directory / "toolkit", kustomize_flags=["--http-retry=1"])
    # Sources are the test's own: their status says what the test wants.
    kit.start("kustomize-controller", "notification-controller")
    yield kit
    kit.finish()


@pytest.fixture
def published(objects, files, middle):
    """published(archive, ...): the source says that this is its artifact."""
    middle.off()
    count = 0

    def publish(archive, digest=None, path=None):
        nonlocal count
        count += 1
        revision = f"main@sha1:{count:040d}"
        path = path or f"/{objects.ns}/{count}.tar.gz"
        files.files[path] = archive
        if not objects.get("GitRepository", "src"):
            objects.apply("GitRepository", "src", {"url": "https://git.invalid/x", "interval": "1h"})
            objects.apply("Kustomization", "app", {
                "interval": "1h", "retryInterval": "1s", "prune": True, "path": "./",
                "targetNamespace": objects.ns,
                "sourceRef": {"kind": "GitRepository", "name": "src"}})
        status = {"observedGeneration": 1, "artifact": {
            "digest": digest or "sha256:" + hashlib.sha256(archive).hexdigest(), "path": path[1:],
            "url": middle.url + path, "revision": revision, "size": len(archive),
            "lastUpdateTime": "2026-01-01T00:00:00Z"}}
        code, answer = objects.api.rest.call(
            "PATCH", objects.path("GitRepository", "src") + "/status", {"status": status},
            "application/merge-patch+json")
        assert code == 200, answer
        return revision
    yield publish
    objects.delete("Kustomization", "app")


def tar(*entries):
    """A .tar.gz of (name, text) or TarInfo."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry, io.BytesIO(b"x" * entry.size))
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1].encode())
            archive.addfile(info, io.BytesIO(entry[1].encode()))
    return out.getvalue()


def entry(name, kind=tarfile.REGTYPE, link="", size=0):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


serial = itertools.count()


def good(value):
    """One like no other: the controller keeps trees by digest."""
    return tar(("a.yaml", config_map("a", value)), (f".serial-{next(serial)}", ""))


def failed(objects, revision, timeout=PATIENCE):
    return objects.wait("Kustomization", "app", lambda o: o["status"].get("lastAttemptedRevision") ==
                        revision and objects.condition(o).get("status") == "False",
                        f"to fail at {revision}", timeout)


def refused(objects, revision, text="", reason="ArtifactFailed"):
    """The condition and the Warning event name the cause; nothing was applied."""
    obj = failed(objects, revision)
    condition = objects.condition(obj)
    assert condition["reason"] == reason and text in condition["message"], condition
    assert obj["status"].get("lastAppliedRevision") != revision
    wait_until(lambda: any(t == "Warning" and r == reason and m == condition["message"]
                           for t, r, m in objects.events("app")), "the Warning event")
    return condition["message"]


def applied(objects, revision, value, timeout=PATIENCE):
    objects.wait("Kustomization", "app", lambda o: o["status"].get("lastAppliedRevision") == revision
                 and objects.condition(o).get("status") == "True", "to be applied", timeout)
    assert objects.configmap("a")["data"] == {"v": value}


def leaves_nothing(toolkit):
    """But the trees that are kept; a try that is under way may have something for a moment."""
    wait_until(lambda: not left_files(toolkit.dir), "what was on its way to be gone")


def test_a_good_one(objects, published):
    applied(objects, published(good("1")), "1")


@pytest.mark.parametrize("form", ["cut", "cut-at-0", "short", "corrupt", "reset"])
def test_K7_a_download_that_is_not_whole(objects, published, middle, toolkit, form):
    first = published(good("1"))
    applied(objects, first, "1")
    action = {"cut": cut(50), "cut-at-0": cut(0), "short": short(7), "corrupt": corrupt(40),
              "reset": cut(60, reset=True)}[form]
    rule = middle.on(action)
    revision = published(good("2"))
    message = refused(objects, revision, "digest is" if form in ("short", "corrupt") else "")
    assert middle.url in message
    assert objects.configmap("a")["data"] == {"v": "1"}
    leaves_nothing(toolkit)
    middle.off(rule)
    applied(objects, revision, "2")


def test_K7_a_wrong_digest(objects, published):
    published(good("1"), digest="sha256:" + "0" * 64)
    revision = published(good("1"), digest="sha256:" + "1" * 64)
    message = refused(objects, revision, "digest is sha256:")
    assert "1" * 64 in message and not objects.configmap("a")


def test_K8_404_then_there(objects, published, middle):
    rule = middle.on(reply(404), path=objects.ns)
    revision = published(good("1"))
    refused(objects, revision, "not found")
    middle.off(rule)
    applied(objects, revision, "1")


@pytest.mark.parametrize("code", [500, 502, 503, 429])
def test_K8_an_ill_server_then_a_well_one(objects, published, middle, code):
    """One retry is the flag's; it heals it, with no word of failure."""
    rule = middle.on(reply(code, b"secret page"), times=1, path=objects.ns)
    applied(objects, published(good("1")), "1")
    assert rule.hits == 1 and middle.count(path=objects.ns) == 2
    assert [e for e in objects.events("app") if e[0] == "Warning"] == []


def test_K8_a_server_that_stays_ill(objects, published, middle):
    rule = middle.on(reply(503, b"secret page"))
    revision = published(good("1"))
    message = refused(objects, revision, "503")
    assert "secret page" not in message and middle.url in message
    wait_until(lambda: rule.hits >= 6, "two more rounds")
    tries = [r.at for r in middle.requests(path=objects.ns)]
    assert len(tries) <= 2 + 2 * (tries[-1] - tries[0]) / 1.0
    middle.off(rule)
    applied(objects, revision, "1")


@pytest.mark.parametrize("code", [400, 401, 403, 410, 302, 204])
def test_K8_replies_that_no_retry_helps(objects, published, middle, code):
    middle.on(reply(code, b"" if code == 204 else b"secret page"))
    revision = published(good("1"))
    message = refused(objects, revision, str(code))
    assert "secret page" not in message


def test_a_redirect_without_end(objects, published, middle):
    middle.on(reply(302, headers={"Location": f"{middle.url}/{objects.ns}/again"}))
    refused(objects, published(good("1")), "redirects")
    asked = [r.path for r in middle.requests(path=objects.ns)]
    assert len(asked) <= 12 * (len(asked) - asked.count(f"/{objects.ns}/again")), "of each try"


def test_a_download_byte_by_byte_and_late(objects, published, middle):
    middle.on(trickle(1, 0.002))
    applied(objects, published(good("1")), "1")
    middle.off()
    middle.on(delay(2))
    applied(objects, published(good("2")), "2")


HOSTILE = {
    "absolute": [("/tmp/sluice-hostile", "x")],
    "parent": [("../sluice-hostile", "x")],
    "parent-inside": [("a/../../sluice-hostile", "x")],
    "dots": [("..", "x")],
    "device": [entry("null", tarfile.CHRTYPE)],
    "block-device": [entry("disk", tarfile.BLKTYPE)],
    "fifo": [entry("pipe", tarfile.FIFOTYPE)],
    "hard-link": [entry("passwd", tarfile.LNKTYPE, "/etc/passwd")],
    "file-in-file": [("a", "x"), ("a/b", "x")],
    "deep": [("d/" * 2000 + "f", "x")],
    "long-name": [("n" * 5000, "x")],
}


@pytest.mark.parametrize("form", HOSTILE)
def test_K9_hostile_archives(objects, published, toolkit, directory, form):
    """Refused as a whole, or the entry is silently absent; in no case does anything leave the tree."""
    applied(objects, published(good("1")), "1")
    revision = published(tar(("a.yaml", config_map("a", "2")), *HOSTILE[form]))
    obj = objects.wait("Kustomization", "app", lambda o: o["status"].get("lastAttemptedRevision") ==
                       revision and objects.condition(o).get("status") in ("True", "False"), "an end")
    condition = objects.condition(obj)
    if condition["status"] == "True":
        assert form in ("device", "block-device", "fifo", "hard-link"), condition
        assert objects.configmap("a")["data"] == {"v": "2"}
    else:
        assert condition["reason"] == "ArtifactFailed" and "unpack artifact" in condition["message"]
        assert objects.configmap("a")["data"] == {"v": "1"}
    assert not os.path.exists("/tmp/sluice-hostile")
    assert list(directory.rglob("sluice-hostile")) == []
    leaves_nothing(toolkit)
    applied(objects, published(good("3")), "3")


def test_K9_a_symbolic_link_is_absent(objects, published):
    """Nothing is read or written through it."""
    revision = published(tar(entry("out", tarfile.SYMTYPE, "/etc"), entry("up", tarfile.SYMTYPE, "..")
                             , ("a.yaml", config_map("a", "1"))))
    applied(objects, revision, "1")
    revision = published(tar(entry("out", tarfile.SYMTYPE, "/tmp"), ("out/sluice-hostile", "x"),
                             ("a.yaml", config_map("a", "2"))))
    objects.wait("Kustomization", "app",
                 lambda o: o["status"].get("lastAttemptedRevision") == revision and
                 objects.condition(o).get("status") in ("True", "False"), "an end")
    assert not os.path.exists("/tmp/sluice-hostile")


def test_bombs(objects, published, toolkit):
    """Gigabytes of zeros in a megabyte, and a million entries: limits, not the disk or memory."""
    applied(objects, published(good("1")), "1")
    out = io.BytesIO()
    with gzip.open(out, "wb", 9) as packed:
        info = tarfile.TarInfo("zeros")
        info.size = 1100 << 20
        packed.write(info.tobuf(tarfile.PAX_FORMAT))
        for _ in range(1100):
            packed.write(b"\0" * (1 << 20))
    before = toolkit["kustomize-controller"].memory_kib("VmRSS")
    revision = published(out.getvalue())
    refused(objects, revision, "unpack artifact")
    leaves_nothing(toolkit)
    assert toolkit["kustomize-controller"].memory_kib("VmRSS") - before < 100 << 10
    applied(objects, published(good("2")), "2")


NO_ARCHIVES = {"empty": b"", "text": b"no gzip at all", "nothing": gzip.compress(b"", mtime=0),
               "no-tar": gzip.compress(b"x" * 600, mtime=0), "cut": good("1")[:-30]}


@pytest.mark.parametrize("form", NO_ARCHIVES)
def test_K7_archives_that_are_none(objects, published, form):
    """The digest is right; the content is not."""
    refused(objects, published(NO_ARCHIVES[form]), "unpack artifact")
    applied(objects, published(good("2")), "2")


def test_K18_an_archive_without_entries_is_an_empty_directory(objects, published):
    applied(objects, published(good("1")), "1")
    revision = published(gzip.compress(b"\0" * 1024, mtime=0))
    objects.ready("Kustomization", "app", revision=revision)
    assert not objects.configmap("a")


def test_broken_yaml_names_file_and_line(objects, published):
    revision = published(tar(("dir/broken.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n"
                              "  name: a\ndata: {v: [\n")))
    condition = objects.condition(failed(objects, revision))
    assert condition["reason"] == "BuildFailed"
    assert "dir/broken.yaml" in condition["message"] and "line " in condition["message"] or \
        "broken.yaml:" in condition["message"], condition
    applied(objects, published(good("2")), "2")
