"""Registries that lie, break off or never end. In each case: a clear condition without secrets, the old
artifact still served, no temporary file left, and the next good pull works."""
import json
import os
import time

import pytest

from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.artifact import fetch, names
from tests.lib.controllers import Toolkit
from tests.lib.fault import corrupt, cut, drop, reply, short
from tests.lib.net import http, wait_until
from tests.lib.planted import planted
from tests.lib.proxy import Ended
from tests.lib.registry import (  # noqa: F401 - fixtures
    INDEX,
    LAYER,
    MANIFEST,
    descriptor,
    digest_of,
    docker_config,
    oci_failure,
    registry,
    registry_wire,
    wire,
)

USER, PASSWORD = "tess", planted("password")


@pytest.fixture(scope="module")
def toolkit(api, directory):
    # A shorter back-off than production's, for the suite's time.
    kit = Toolkit(api, directory / "toolkit",
                  source_flags=["--min-retry-delay=200ms", "--max-retry-delay=1s"])
    with kit.run("source-controller", "notification-controller"):
        yield kit
    left = [n for n in os.listdir(kit.dir) if n.startswith(("ocilayer", "ocirepository"))]
    assert not left, left


class Source:
    """An OCIRepository `src` of the test's own repository, behind the proxy, with an artifact."""

    def __init__(self, objects, registry, wire):
        self.objects, self.registry, self.wire = objects, registry, wire
        self.digest = None

    def push(self, **kw):
        self.digest = self.registry.push(self.objects.ns, "latest", **kw)

    def start(self, **spec):
        self.objects.apply("OCIRepository", "src", {
            "url": f"oci://127.0.0.1:{self.wire.port}/{self.objects.ns}", "interval": "1h",
            "timeout": "20s", **spec})

    def good(self, **kw):
        return self.objects.ready("OCIRepository", "src", revision=self.digest, **kw)

    def change(self, value="2"):
        """Something new to pull, and a request to look."""
        self.push(files={"a": value})
        self.objects.request("OCIRepository", "src", value)

    def rounds(self, since=0):
        """How often it was tried: each try begins with the manifest."""
        return self.wire.count(since, path=f"/{self.objects.ns}/manifests/")

    def on(self, action, what, method="GET", **kw):
        """Acts on requests for this repository's manifests or blobs, nobody else's."""
        return self.wire.on(action, method=method, path=f"/{self.objects.ns}/{what}/", **kw)

    def failed(self, text, reason="OCIArtifactPullFailed"):
        """Fails so while the old artifact stays, and heals once the fault is over."""
        obj = oci_failure(self.objects, reason, text)
        assert PASSWORD not in json.dumps(obj["status"])
        if "artifact" in obj["status"]:
            fetch(obj)
        return obj

    def heals(self):
        self.wire.off()
        self.objects.request("OCIRepository", "src", "heal")
        return self.good()


@pytest.fixture(autouse=True)
def cleared(objects):
    """What fails is tried for ever: not in the next test."""
    yield
    path = objects.path("OCIRepository")
    for obj in objects.api.rest.get(path)["items"]:
        objects.delete("OCIRepository", obj["metadata"]["name"])
    wait_until(lambda: not objects.api.rest.get(path)["items"], "the objects to go")


@pytest.fixture
def src(objects, registry, wire):
    source = Source(objects, registry, wire)
    source.push(files={"a": "1"})
    source.start()
    source.good()
    return source


LAYER_FAILED = "OCIArtifactLayerOperationFailed"


def test_S53_a_manifest_of_another_digest(src, wire):
    src.on(corrupt(10), "manifests")
    src.change()
    src.failed("does not match requested digest")
    src.heals()


def test_S53_a_blob_of_another_digest(src, wire):
    src.on(corrupt(30), "blobs")
    src.change()
    src.failed("has the digest sha256:", LAYER_FAILED)
    src.heals()


def test_S53_a_blob_that_is_too_short(src, wire):
    src.on(short(5), "blobs")
    src.change()
    src.failed("blob sha256:", LAYER_FAILED)
    src.heals()


def test_S53_a_blob_without_end(src, wire):
    def endless(x):
        x.begin(200, [("Content-Type", "application/octet-stream")])
        while True:
            x.write(b"\0" * 65536)
    src.on(endless, "blobs")
    src.change()
    src.failed("is larger than its", LAYER_FAILED)
    src.heals()


def test_S53_a_manifest_without_end(src, wire):
    def endless(x):
        x.begin(200, [("Content-Type", MANIFEST)])
        while True:
            x.write(b" " * 65536)
    src.on(endless, "manifests")
    src.change()
    src.failed("more than the limit of 4194304 bytes")
    src.heals()


def test_S53_a_blob_is_resumed_after_a_cut(src, wire, objects):
    """Each reply brings a part and is cut: ranges add up to the whole."""
    noise = os.urandom(400000)
    src.push(files={"big": noise, "a": "2"})
    src.on(cut(150000), "blobs", times=3)
    objects.request("OCIRepository", "src", "big")
    obj = src.good()
    assert names(obj) == ["a", "big"]
    ranges = [r.header("range") for r in wire.requests(path=f"/{src.objects.ns}/blobs/", method="GET")]
    assert ranges[-3:] == [None, "bytes=150000-", "bytes=300000-"]


def test_S53_a_server_without_ranges_begins_anew(src, wire, objects):
    src.push(files={"big": os.urandom(300000)})

    def forget_range(x):
        x.request.headers = [(n, v) for n, v in x.request.headers if n.lower() != "range"]
        x.forward()
    src.on(cut(100000), "blobs", times=1)
    src.on(forget_range, "blobs")
    objects.request("OCIRepository", "src", "big")
    assert names(src.good()) == ["big"]


def test_S53_another_range_than_the_one_asked_for(src, wire, objects):
    src.push(files={"big": os.urandom(300000)})
    src.on(cut(100000), "blobs", times=1)

    def wrong(x):
        x.reply(206, b"x" * 100, [("Content-Range", "bytes 5-104/300000")])
    src.on(wrong, "blobs")
    objects.request("OCIRepository", "src", "big")
    src.failed("another range than the one asked for", LAYER_FAILED)
    src.heals()


def test_S53_a_connection_that_never_holds(src, wire):
    mark = wire.mark()
    src.on(drop(), "blobs")
    src.change()
    src.failed("/blobs/sha256:", LAYER_FAILED)
    asked = wire.count(mark, path=f"/{src.objects.ns}/blobs/", method="GET")
    assert 2 <= asked <= 10 * src.rounds(mark), "a few tries, with some time between"
    src.heals()


def redirect(to):
    return reply(307, b"", {"Location": to})


@pytest.mark.parametrize("to", ["ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://x/"],
                         ids=["ftp", "file", "gopher"])
def test_S54_redirects_to_other_schemes(src, wire, to):
    src.on(redirect(to), "blobs")
    src.change()
    src.failed("not a URL" if "file" in to else "refused", LAYER_FAILED)
    src.heals()


def test_S54_redirects_without_end(src, wire):
    def again(x):
        x.reply(307, b"", [("Location", x.request.target)])
    src.on(again, "blobs")
    src.change()
    src.failed("redirects more than 5 times", LAYER_FAILED)
    src.heals()


def test_S48_indexes_within_indexes(src, registry, objects):
    ns = objects.ns
    entry = descriptor(b"", MANIFEST)
    data = registry.send("GET", f"/v2/{ns}/manifests/latest", Accept=MANIFEST)[2]
    kind = MANIFEST
    for depth in range(7):
        entry = descriptor(data, kind)
        data = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "n": depth,
                           "manifests": [entry]}).encode()
        kind = INDEX
        src.digest = registry.push_manifest(ns, "latest", data, INDEX)
        if depth == 3:
            objects.request("OCIRepository", "src", "four")
            src.good()
    objects.request("OCIRepository", "src", "seven")
    src.failed("indexes within indexes, more than 4 deep")


@pytest.mark.parametrize("text, want", [
    ("{", "manifest: "),
    ("[]", "manifest is no JSON object"),
    ('{"schemaVersion": 2, "layers": [{"digest": "x"}]}', "cannot parse hash"),
    ('{"schemaVersion": 2, "layers": [{"digest": "sha256:' + "0" * 64 + '"}]}', "without a size"),
    ('{"schemaVersion": 2, "layers": [{"digest": "sha256:' + "0" * 64 + '", "size": -1}]}',
     "without a size"),
    ('{"schemaVersion": 2, "layers": [], "manifests": []}', "manifests in a text of type"),
    ('{"schemaVersion": 2, "layers": [], "annotations": {"a": 1}}', "annotations are no map"),
], ids=["cut", "list", "digest", "nosize", "negative", "both", "annotations"])
def test_S51_malformed_manifests(objects, wire, text, want):
    """A registry that says so itself: its digest is right."""
    headers = {"Content-Type": MANIFEST, "Docker-Content-Digest": digest_of(text.encode())}
    wire.on(reply(200, text.encode(), headers), path=f"/{objects.ns}/manifests/")
    objects.apply("OCIRepository", "src", {
        "url": f"oci://127.0.0.1:{wire.port}/{objects.ns}", "interval": "1h"})
    oci_failure(objects, "OCIArtifactPullFailed", want)


def test_S54_a_registry_that_never_has_enough(objects, src, secret, wire):
    """Each answer asks for the same again: a few tries, no more."""
    secret("login", __dockerconfigjson=docker_config(f"127.0.0.1:{wire.port}", USER, PASSWORD))
    wire.on(reply(401, b"", {"WWW-Authenticate": 'Basic realm="again"'}))
    mark, began = wire.mark(), time.monotonic()
    src.start(secretRef={"name": "login"})
    src.failed("unexpected status code 401 Unauthorized")
    # The back-off begins with a fifth of a second.
    assert wire.count(mark, method="HEAD", path=f"/{objects.ns}/") <= \
        12 * (1 + (time.monotonic() - began) / 0.2)
    src.heals()


@pytest.mark.parametrize("header, text", [
    ('Bearer realm="http://169.254.169.254/token"', "private or link-local"),
    ('Bearer realm="ftp://x/token"', "not allowed"),
    ('Bearer service="x"', "missing realm"),
    ('Bearer realm="http://10.0.0.1/token"', "private or link-local"),
    ('Digest realm="x"', "unexpected status code 401"),
], ids=["metadata", "ftp", "none", "private", "digest"])
def test_S54_realms_that_lead_astray(src, wire, header, text):
    src.on(reply(401, b"", {"WWW-Authenticate": header}), "manifests", method=None)
    src.objects.request("OCIRepository", "src", "astray")
    src.failed(text)
    src.heals()


def test_S54_errors_do_not_tell_what_was_shown(objects, src, secret, wire):
    """A server that sends back what it got, in a text that goes into a condition."""
    secret("login", __dockerconfigjson=docker_config(f"127.0.0.1:{wire.port}", USER, PASSWORD))

    def echo(x):
        if not x.request.header("authorization"):
            x.reply(401, b"", [("WWW-Authenticate", 'Basic realm="x"')])
            return
        shown = x.request.header("authorization")
        body = json.dumps({"errors": [{"code": "DENIED",
                                       "message": f"not {PASSWORD} {shown}\n\x1b[2J"}]})
        x.reply(403, body.encode())
    src.on(echo, "manifests", method=None)
    src.start(secretRef={"name": "login"})
    obj = src.failed("DENIED: not *** Basic ***")
    assert "\x1b" not in objects.condition(obj)["message"]
    src.heals()


def test_S55_rate_limits_are_honoured(objects, src, wire):
    """429 is no failure: the worker goes on with others, the object waits as it was told."""
    src.on(reply(429, b"", {"Retry-After": "1"}), "manifests", method="HEAD", times=2)
    mark = wire.mark()
    src.change()
    src.good()
    heads = wire.requests(mark, method="HEAD", path=f"/{objects.ns}/")
    assert [r.status for r in heads][:2] == [429, 429]
    waits = [b.at - a.at for a, b in zip(heads[:2], heads[1:3])]
    assert all(wait > 0.9 for wait in waits), waits
    assert not [e for e in objects.events("src") if e[0] == "Warning"]


def test_S55_a_rate_limit_holds_no_worker(objects, registry, wire, ns):
    """More objects than workers are told to wait: others go on, and none of them asks before its time.
    A minute is what the registry says; --max-retry-delay, here a second, is the most that counts."""
    registry.push(ns, "latest", {"a": "1"})
    wire.on(reply(429, b"", {"Retry-After": "60"}), path=f"/{ns}-limited")
    for i in range(6):
        objects.apply("OCIRepository", f"limited{i}", {
            "url": f"oci://127.0.0.1:{wire.port}/{ns}-limited{i}", "interval": "1h"})
    wire.wait_for("all of them to be told", 6, path=f"/{ns}-limited")
    objects.apply("OCIRepository", "src", {
        "url": f"oci://127.0.0.1:{wire.port}/{ns}", "interval": "1h"})
    for i in range(5):
        digest = registry.push(ns, "latest", {"a": str(i)})
        objects.request("OCIRepository", "src", str(i))
        objects.ready("OCIRepository", "src", revision=digest)
    wire.wait_for("all of them to ask again", 12, path=f"/{ns}-limited")
    for i in range(6):
        asked = [r.at for r in wire.requests(path=f"/{ns}-limited{i}/")]
        assert all(b - a > 0.9 for a, b in zip(asked, asked[1:])), asked


def test_S49_pages_of_tags_that_lead_elsewhere_or_never_end(objects, src, wire):
    page = {"Content-Type": "application/json"}
    wire.on(reply(200, b'{"tags":["0.1.0"]}', {**page, "Link": '<http://10.1.1.1/x>; rel="next"'}),
            path="/tags/list")
    src.start(ref={"semver": "*"})
    src.failed("the next page is not at", "ReadOperationFailed")
    wire.off()
    wire.on(lambda x: x.reply(200, b'{"tags":["0.1.0"]}', [("Link", f"<{x.request.target}>")]),
            path="/tags/list")
    objects.request("OCIRepository", "src", "2")
    src.failed("the next page is not at", "ReadOperationFailed")
    wire.off()
    wire.on(reply(200, b'{"tags":[1]}', page), path="/tags/list")
    objects.request("OCIRepository", "src", "3")
    src.failed("a tag is no string", "ReadOperationFailed")


def test_S53_a_timeout_ends_a_slow_pull(objects, src, wire):
    def hang(x):
        x.begin(200, [("Content-Length", "1000")])
        x.write(b"x")
        x.proxy.pause(60)
        raise Ended("done")
    src.on(hang, "blobs")
    src.start(timeout="2s")
    src.change()
    src.failed("", LAYER_FAILED)
    src.start()
    src.heals()


def test_S53_the_registry_is_away_for_a_while(objects, src, wire):
    wire.down()
    src.change()
    src.failed("failed to determine artifact digest")
    wire.up()
    src.heals()


def test_S19_S60_a_layer_that_explodes(objects, src, registry):
    """2 GiB of zeros in two megabytes: refused on the way, nothing stays."""
    import gzip
    import io
    import tarfile
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0) as z:
        member = tarfile.TarInfo("big")
        member.size = 2 << 30
        z.write(member.tobuf())
        for _ in range(64):
            z.write(bytes(1 << 24))
    registry.push(objects.ns, "latest", layers=[(out.getvalue(), LAYER)])
    objects.request("OCIRepository", "src", "bomb")
    src.failed("failed to extract layer contents from artifact", LAYER_FAILED)
    obj = objects.get("OCIRepository", "src")
    assert http("GET", obj["status"]["artifact"]["url"])[0] == 200
