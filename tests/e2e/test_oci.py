"""OCIRepository end to end: a real registry, real artifacts, both API servers."""
import gzip
import json
import os

import pytest

from tests.lib.artifact import fetch, names
from tests.lib.fault import trickle
from tests.lib.net import http, wait_until
from tests.lib.registry import (  # noqa: F401 - fixtures
    INDEX,
    LAYER,
    MANIFEST,
    descriptor,
    digest_of,
    oci_failure,
    registry,
    registry_wire,
    tar_gz,
    wire,
)


@pytest.fixture
def source(objects, wire, ns):
    """Applies an OCIRepository for the test's own repository."""
    def make(name="src", ref=None, **spec):
        spec = {"url": f"oci://127.0.0.1:{wire.port}/{ns}", "interval": "1h", **spec}
        if ref:
            spec["ref"] = ref
        objects.apply("OCIRepository", name, spec)
    return make


def test_S2_S48_latest_by_default(objects, source, registry, ns, toolkit):
    digest = registry.push(ns, "latest", {"a.yaml": "x: 1\n"})
    source()
    obj = objects.ready("OCIRepository", "src")
    artifact = obj["status"]["artifact"]
    assert artifact["revision"] == f"latest@{digest}"
    assert artifact["path"] == f"ocirepository/{ns}/src/{digest}.tar.gz"
    assert names(obj) == ["a.yaml"]
    assert objects.condition(obj)["message"] == f"stored artifact for digest 'latest@{digest}'"
    event = ("Normal", "NewArtifact", f"stored artifact with revision 'latest@{digest}' from "
             f"'{obj['spec']['url']}'")
    wait_until(lambda: event in objects.events("src"), "the event")


def test_S17_latest_link(objects, source, registry, ns, toolkit):
    registry.push(ns, "latest", {"a.yaml": "1"})
    source()
    first = objects.ready("OCIRepository", "src")
    url = first["status"]["url"]
    assert url.endswith(f"/ocirepository/{ns}/src/latest.tar.gz")
    assert http("GET", url)[2] == fetch(first)
    digest = registry.push(ns, "latest", {"a.yaml": "2"})
    objects.request("OCIRepository", "src")
    second = objects.ready("OCIRepository", "src", revision=digest)
    assert second["status"]["url"] == url and http("GET", url)[2] == fetch(second)


def test_S48_digest_beats_semver_beats_tag(objects, source, registry, ns):
    by_digest = registry.push(ns, "other", {"d": "1"})
    by_semver = registry.push(ns, "v1.2.0", {"s": "1"})
    by_tag = registry.push(ns, "stable", {"t": "1"})
    registry.push(ns, "v2.0.0", {"s": "2"})
    source(ref={"digest": by_digest, "semver": "1.x", "tag": "stable"})
    obj = objects.ready("OCIRepository", "src")
    assert obj["status"]["artifact"]["revision"] == by_digest
    source(ref={"semver": "1.x", "tag": "stable"})
    objects.ready("OCIRepository", "src", revision=f"v1.2.0@{by_semver}")
    source(ref={"tag": "stable"})
    objects.ready("OCIRepository", "src", revision=f"stable@{by_tag}")


def test_S49_semver_filter_and_bad_input(objects, source, registry, ns):
    for tag in ("1.0.0", "1.0.1-rc.1", "1.1.0-rc.1", "1.1.0-beta.1", "v1.0.5", "1.9", "junk"):
        registry.push(ns, tag, {"tag": tag})
    source(ref={"semver": ">=1.0.0"})
    objects.ready("OCIRepository", "src", revision="v1.0.5@")
    source(ref={"semver": ">=1.0.0-0", "semverFilter": ".*-rc.*"})
    objects.ready("OCIRepository", "src", revision="1.1.0-rc.1@")
    source(ref={"semver": ">=1.0.0", "semverFilter": "(("})
    oci_failure(objects, "ReadOperationFailed", "failed to determine the artifact tag for 'oci://")
    source(ref={"semver": "not a range"})
    oci_failure(objects, "ReadOperationFailed", "semver 'not a range' parse error")
    source(ref={"semver": ">=9.0.0"})
    oci_failure(objects, "ReadOperationFailed", "no match found for semver: >=9.0.0")


def test_S49_semver_looks_at_every_page(objects, source, registry, ns, wire):
    registry.push(ns, "1.0.0", {"a": "1"})
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST,
                           "config": descriptor(b"{}", "application/json"), "layers": []})
    tags = [f"0.{i}.0" for i in range(40)]
    for tag in tags:
        registry.push_manifest(ns, tag, manifest.encode())

    def small_pages(x):
        x.request.target = x.request.target.replace("n=1000", "n=7")
        x.forward()
    wire.on(small_pages, path="/tags/list$")
    source(ref={"semver": ">=0.0.0"})
    objects.ready("OCIRepository", "src", revision="1.0.0@")
    assert wire.count(path=f"{ns}/tags/list$") >= 1


def test_S50_a_tag_in_the_url_stalls(objects, source, registry, ns, wire):
    source(url=f"oci://127.0.0.1:{wire.port}/{ns}:v1")
    obj = oci_failure(objects, "URLInvalid", "URL must not contain a tag")
    assert objects.condition(obj, "Stalled")["reason"] == "URLInvalid"
    assert obj["status"]["observedGeneration"] == obj["metadata"]["generation"]


def test_S51_layer_selector(objects, source, registry, ns):
    registry.push(ns, "latest", layers=[
        (tar_gz({"first": "1"}), LAYER), (tar_gz({"second": "2"}), "application/x.second"),
        (tar_gz({"third": "3"}), "application/x.second")])
    source()
    assert names(objects.ready("OCIRepository", "src")) == ["first"]
    source(layerSelector={"mediaType": "application/x.second"})
    obj = objects.wait("OCIRepository", "src",
                       lambda o: o["status"].get("observedLayerSelector"), "the selector")
    assert names(obj) == ["second"]
    assert obj["status"]["observedLayerSelector"] == {"mediaType": "application/x.second"}
    source(layerSelector={"mediaType": "application/x.none"})
    oci_failure(objects, "OCIArtifactLayerOperationFailed",
            "failed to find layer with media type 'application/x.none' in artifact")


def test_S52_what_a_manifest_says_of_its_origin_is_shown_as_text(objects, source, registry, ns):
    """Whatever stands there reaches the status; messages get what people may read."""
    word = "l0gin-of-the-origin"
    said = {"org.opencontainers.image.source": f"https://me:{word}@git.example/x\x1b[2J\u202ey?a={word}",
            "org.opencontainers.image.revision": "main@sha1:\r\nabc\x9b" + "é" * 1000}
    registry.push(ns, "latest", {"a": "1"}, annotations=said)
    source()
    obj = objects.ready("OCIRepository", "src")
    metadata = obj["status"]["artifact"].pop("metadata")
    assert metadata == said
    message = wait_until(lambda: next((e[2] for e in objects.events("src") if "origin" in e[2]), None),
                         "the event")
    shown = message.split(", origin source ")[1]
    assert shown.startswith("'https://git.example/x") and word not in message
    assert ", origin revision 'main@sha1:  abc éé" in shown and shown.endswith("éé...'")
    assert all(c.isprintable() for c in shown) and len(shown.encode()) < 1200


def test_S52_annotations_are_bounded(objects, source, registry, ns):
    registry.push(ns, "latest", {"a": "1"}, annotations={"k": "v" * (256 << 10)})
    source()
    oci_failure(objects, "OCIArtifactPullFailed", "annotations of more than 262144 bytes")


def test_S38_a_slow_blob_arrives_and_a_crawling_one_does_not(objects, source, registry, wire, ns):
    """spec.timeout is for the registry's answers; bytes that come have 64 KiB/s more of it."""
    registry.push(ns, "latest", {"random": os.urandom(512 << 10)})
    pace = wire.on(trickle(size=16 << 10, seconds=0.1), path=f"{ns}/blobs/")
    source(timeout="2s")
    objects.ready("OCIRepository", "src")
    wire.off(pace)
    registry.push(ns, "crawls", {"random": os.urandom(512 << 10)})
    pace = wire.on(trickle(size=4 << 10, seconds=0.5), path=f"{ns}/blobs/")
    source("crawls", ref={"tag": "crawls"}, timeout="2s")
    oci_failure(objects, "OCIArtifactLayerOperationFailed", "failed to extract the first layer", name="crawls")
    wire.off(pace)


def test_S52_copy_keeps_the_bytes_and_extract_applies_ignore(objects, source, registry, ns):
    layer = tar_gz({"a.yaml": "1", "pic.png": "2", "b.txt": "3"})
    digest = registry.push(ns, "latest", layers=[(layer, LAYER)], annotations={
        "org.opencontainers.image.source": "https://git.example/x",
        "org.opencontainers.image.revision": "main@sha1:abc"})
    source(layerSelector={"operation": "copy", "mediaType": LAYER}, ignore="b.txt\n")
    obj = objects.ready("OCIRepository", "src")
    assert fetch(obj) == layer
    assert obj["status"]["artifact"]["metadata"]["org.opencontainers.image.source"] == \
        "https://git.example/x"
    wait_until(lambda: [e for e in objects.events("src") if e[2].endswith(
        ", origin source 'https://git.example/x', origin revision 'main@sha1:abc'")], "the event")
    source()
    obj = objects.wait("OCIRepository", "src",
                       lambda o: "observedLayerSelector" not in o["status"], "extraction")
    assert names(obj) == ["a.yaml", "b.txt"] and digest in obj["status"]["artifact"]["revision"]
    source(ignore="b.txt\n")
    obj = objects.wait("OCIRepository", "src",
                       lambda o: o["status"].get("observedIgnore") == "b.txt\n", "ignore")
    assert names(obj) == ["a.yaml", "pic.png"]


def test_S52_extract_of_what_is_no_gzip_fails(objects, source, registry, ns):
    registry.push(ns, "latest", layers=[(b"just text", "text/plain")])
    source()
    oci_failure(objects, "OCIArtifactLayerOperationFailed",
            "failed to extract layer contents from artifact")
    registry.push(ns, "latest", layers=[])
    objects.request("OCIRepository", "src")
    oci_failure(objects, "OCIArtifactLayerOperationFailed", "no layers found in artifact")


def test_S53_an_unchanged_digest_costs_one_head(objects, source, registry, ns, wire):
    registry.push(ns, "latest", {"a": "1"})
    source()
    objects.ready("OCIRepository", "src")
    objects.request("OCIRepository", "src", "at rest")  # after it no run is left of its creation
    objects.wait("OCIRepository", "src",
                 lambda o: o["status"].get("lastHandledReconcileAt") == "at rest", "to run again")
    mark = wire.mark()
    objects.request("OCIRepository", "src", "again")
    objects.wait("OCIRepository", "src",
                 lambda o: o["status"].get("lastHandledReconcileAt") == "again" and
                 objects.condition(o).get("status") == "True", "to run again")
    assert [(r.method, r.path) for r in wire.requests(mark, path=f"^/v2/{ns}/")] == \
        [("HEAD", f"/v2/{ns}/manifests/latest")]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_S53_a_tag_that_moves_after_it_was_resolved(objects, source, registry, ns, wire, method):
    """A new tag is resolved by what is pulled, one that is stored by a HEAD."""
    first = registry.push(ns, "latest", {"first": "1"})
    if method == "HEAD":
        source()
        objects.ready("OCIRepository", "src")
        first = registry.push(ns, "latest", {"first": "2"})
    moved = []

    def move(x):
        """Before the answer goes on: after it, all may be over before the tag has moved."""
        x.send()
        code, headers, pieces = x.receive()
        body = b"".join(pieces)
        moved.append(registry.push(ns, "latest", {"second": "2"}))
        x.begin(code, headers)
        x.write(body)
        x.end()
    wire.on(move, times=1, method=method, path=f"{ns}/manifests/latest$")
    if method == "HEAD":
        objects.request("OCIRepository", "src", "again")
    else:
        source()
    obj = objects.ready("OCIRepository", "src", revision=f"latest@{first}")
    assert names(obj) == ["first"] and moved


def test_S53_a_new_tag_is_asked_for_once(objects, source, registry, ns, wire):
    """Its manifest and its layer: what the bare minimum is."""
    registry.push(ns, "1.0.0", {"a": "1"})
    mark = wire.mark()

    def asked():
        """Until the layer came: a run more may follow, and looks by a HEAD."""
        seen = [(r.method, r.path.split("/")[-2])
                for r in wire.requests(mark, path=f"^/v2/{ns}/")]
        return seen[:seen.index(("GET", "blobs")) + 1]
    source(ref={"tag": "1.0.0"})
    objects.ready("OCIRepository", "src")
    assert asked() == [("GET", "manifests"), ("GET", "blobs")]
    digest = registry.push(ns, "1.1.0", {"a": "2"})
    mark = wire.mark()
    source(ref={"tag": "1.1.0"})
    objects.ready("OCIRepository", "src", revision=f"1.1.0@{digest}")
    assert asked() == [("GET", "manifests"), ("GET", "blobs")]


def test_S48_a_head_without_digest_is_made_up_for_by_a_get(objects, source, registry, ns, wire):
    registry.push(ns, "latest", {"a": "1"})
    wire.on(lambda x: x.reply(405), method="HEAD", path=f"{ns}/manifests")
    source()
    objects.ready("OCIRepository", "src")
    digest = registry.push(ns, "latest", {"a": "2"})
    objects.request("OCIRepository", "src", "again")
    objects.ready("OCIRepository", "src", revision=f"latest@{digest}")
    assert wire.count(method="HEAD", path=f"{ns}/manifests") >= 1


def test_S48_an_index_gives_its_linux_amd64_child(objects, source, registry, ns):
    def image(tag, files):
        digest = registry.push(ns, tag, files)
        data = registry.send("GET", f"/v2/{ns}/manifests/{tag}", Accept=MANIFEST)[2]
        assert digest_of(data) == digest
        return data

    arm, amd = image("arm", {"arm": "1"}), image("amd", {"amd": "1"})
    entries = [descriptor(arm, MANIFEST, platform={"os": "linux", "architecture": "arm64"}),
               descriptor(amd, MANIFEST, platform={"os": "linux", "architecture": "amd64"})]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    digest = registry.push_manifest(ns, "latest", index, INDEX)
    source()
    obj = objects.ready("OCIRepository", "src")
    assert obj["status"]["artifact"]["revision"] == f"latest@{digest}" and names(obj) == ["amd"]
    registry.push_manifest(ns, "latest", {**index, "manifests": entries[:1]}, INDEX)
    objects.request("OCIRepository", "src")
    oci_failure(objects, "OCIArtifactPullFailed", "no child with platform linux/amd64 in index")


def test_S48_S52_images_and_lists_as_docker_pushes_them(objects, source, registry, ns):
    docker = "application/vnd.docker"
    manifest, items = f"{docker}.distribution.manifest.v2+json", f"{docker}.distribution.manifest.list.v2+json"
    layer = f"{docker}.image.rootfs.diff.tar.gzip"

    def image(tag, files):
        digest = registry.push(ns, tag, layers=[(tar_gz(files), layer)], media_type=manifest,
                               config_type=f"{docker}.container.image.v1+json")
        status, headers, data = registry.send("GET", f"/v2/{ns}/manifests/{tag}", Accept=manifest)
        assert (status, headers["Content-Type"], digest_of(data)) == (200, manifest, digest)
        return data

    arm, amd = image("arm", {"arm": "1"}), image("amd", {"amd": "1"})
    source(ref={"tag": "arm"})
    obj = objects.ready("OCIRepository", "src", revision=f"arm@{digest_of(arm)}")
    assert names(obj) == ["arm"]
    digest = registry.push_manifest(ns, "latest", {"schemaVersion": 2, "mediaType": items, "manifests": [
        descriptor(arm, manifest, platform={"os": "linux", "architecture": "arm64"}),
        descriptor(amd, manifest, platform={"os": "linux", "architecture": "amd64"})]}, items)
    source(layerSelector={"mediaType": layer, "operation": "copy"})
    obj = objects.ready("OCIRepository", "src", revision=f"latest@{digest}")
    assert fetch(obj) == tar_gz({"amd": "1"})


def test_S60_hostile_archives(objects, source, registry, ns):
    for i, raw in enumerate(["../../x", "/etc/x", "a/../../x"]):
        registry.push(ns, f"evil{i}", layers=[(tar_gz({"a": "1"}, raw_names=[raw]), LAYER)])
        source(ref={"tag": f"evil{i}"})
        oci_failure(objects, "OCIArtifactLayerOperationFailed",
                "failed to extract layer contents from artifact")
        assert "artifact" not in objects.get("OCIRepository", "src")["status"]
    registry.push(ns, "links", layers=[(tar_gz({"a": "1"}, links=[("b", "/etc/passwd")]), LAYER)])
    source(ref={"tag": "links"})
    assert names(objects.ready("OCIRepository", "src")) == ["a"]
    cut = gzip.compress(b"x" * 5000)[:-20]
    registry.push(ns, "cut", layers=[(cut, LAYER)])
    source(ref={"tag": "cut"})
    oci_failure(objects, "OCIArtifactLayerOperationFailed", "failed to extract layer contents")


def test_S12_S16_storage(objects, source, registry, ns, toolkit):
    digest = registry.push(ns, "latest", {"a": "1"})
    source()
    obj = objects.ready("OCIRepository", "src")
    path = toolkit.storage / obj["status"]["artifact"]["path"]
    path.unlink()
    objects.request("OCIRepository", "src", "lost")
    objects.wait("OCIRepository", "src",
                 lambda o: o["status"].get("lastHandledReconcileAt") == "lost" and
                 path.exists() and objects.condition(o).get("status") == "True", "to be rebuilt")
    assert digest in path.name
    objects.delete("OCIRepository", "src")
    objects.gone("OCIRepository", "src")
    assert not path.parent.exists()


def test_S48_absent_tags_and_repositories(objects, source, registry, ns):
    source(ref={"tag": "nope"})
    obj = oci_failure(objects, "OCIArtifactPullFailed", "failed to determine artifact digest: GET http")
    assert "MANIFEST_UNKNOWN" in objects.condition(obj)["message"]
    assert objects.condition(obj, "Reconciling")["reason"] == "ProgressingWithRetry"
    registry.push(ns, "nope", {"a": "1"})
    objects.request("OCIRepository", "src")
    objects.ready("OCIRepository", "src")
    source(ref={"digest": "sha256:short"})
    oci_failure(objects, "OCIArtifactPullFailed", "failed to determine artifact digest: cannot parse")


def test_K56_kustomization_from_an_oci_artifact(objects, source, registry, ns):
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: app}}\ndata: {{v: '{0}'}}\n"
    registry.push(ns, "latest", {"app.yaml": config.format(1)}, annotations={
        "org.opencontainers.image.revision": "main@sha1:abc"})
    source()
    objects.apply("Kustomization", "app", {
        "interval": "1h", "prune": True, "targetNamespace": ns, "path": "./",
        "sourceRef": {"kind": "OCIRepository", "name": "src"}})
    obj = objects.ready("Kustomization", "app")
    assert objects.configmap("app")["data"] == {"v": "1"}
    assert obj["status"]["lastAppliedOriginRevision"] == "main@sha1:abc"
    digest = registry.push(ns, "latest", {"app.yaml": config.format(2)})
    objects.request("OCIRepository", "src")
    objects.ready("Kustomization", "app", revision=digest)
    assert objects.configmap("app")["data"] == {"v": "2"}
