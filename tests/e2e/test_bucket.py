"""Bucket end to end: real S3, Google and Azure services, both API servers."""
import base64
import hashlib
import io
import json
import tarfile
import time
import urllib.parse

import pytest

from tests.lib.buckets import (  # noqa: F401 - a fixture
    ACCESS_KEY,
    AZURE_KEY,
    SECRET_KEY,
    Azurite,
    FakeGcs,
    Versity,
    s3,
)
from tests.lib.controllers import Toolkit
from tests.lib.fake_s3 import FakeS3
from tests.lib.forward_proxy import HttpProxy
from tests.lib.git import GitServer
from tests.lib.net import http, wait_until
from tests.lib.pki import Authority, openssl
from tests.lib.planted import found, planted
from tests.lib.sink import Sink

GOOGLE_TOKEN, ENTRA_TOKEN = planted("google"), planted("entra")


@pytest.fixture(scope="module")
def gcs(directory):
    server = FakeGcs(directory / "gcs")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory, gcs):
    """source-controller, which finds the emulator as Google's own clients do, and who needs it."""
    with Toolkit(api, directory / "toolkit", env={"STORAGE_EMULATOR_HOST": gcs.url}).run(
            "source-controller", "kustomize-controller") as kit:
        yield kit


def on_the_way(toolkit):
    """Directories of downloads."""
    return [path for kind in ("bucket", "stored")
            for path in toolkit.dir.glob(f"source-controller*/{kind}*")]


def secret(objects, name, **data):
    objects.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {
        "name": name, "namespace": objects.ns}, "data": {
            k: base64.b64encode(v.encode()).decode() for k, v in data.items()}})
    return {"name": name}


@pytest.fixture
def source(objects, s3, ns):
    """Applies a Bucket for the S3 bucket of the test's name; its keys are in a Secret."""
    keys = secret(objects, "keys", accesskey=ACCESS_KEY, secretkey=SECRET_KEY)

    def make(name="src", **spec):
        spec = {"endpoint": s3.endpoint, "bucketName": ns, "interval": "1h", "insecure": True,
                "secretRef": keys, **spec}
        objects.apply("Bucket", name, {k: v for k, v in spec.items() if v is not None})
    return make


@pytest.fixture
def bucket(s3, ns):
    """put(key=content, ...) into the S3 bucket of the test's name."""
    s3.bucket(ns)

    def put(files):
        for key, content in files.items():
            s3.put(ns, key, content)
    return put


def fetch(obj):
    artifact = obj["status"]["artifact"]
    status, _, data = http("GET", artifact["url"])
    assert status == 200
    assert artifact["digest"] == "sha256:" + hashlib.sha256(data).hexdigest()
    return data


def files_of(obj):
    with tarfile.open(fileobj=io.BytesIO(fetch(obj)), mode="r:gz") as tar:
        return {m.name: tar.extractfile(m).read().decode() for m in tar if m.isfile()}


def revision_of(etags):
    """Of a map from key to etag (S81)."""
    lines = "".join(f"{k} {v}\n" for k, v in sorted(etags.items()))
    return "sha256:" + hashlib.sha256(lines.encode()).hexdigest()


def md5(content):
    return hashlib.md5(content.encode()).hexdigest()


def test_S81_revision_is_the_digest_of_keys_and_etags(objects, source, bucket, toolkit):
    content = {"a.yaml": "x: 1\n", "dir/b.yaml": "y: 2\n", "dir/sub/c d+e.yaml": "z"}
    bucket(content)
    source()
    obj = objects.ready("Bucket", "src")
    artifact = obj["status"]["artifact"]
    assert artifact["revision"] == revision_of({k: md5(v) for k, v in content.items()})
    hex_part = artifact["revision"].removeprefix("sha256:")
    assert artifact["path"] == f"bucket/{objects.ns}/src/{hex_part}.tar.gz"
    assert files_of(obj) == content
    # S17
    latest = toolkit.storage / "bucket" / objects.ns / "src" / "latest.tar.gz"
    assert latest.resolve() == toolkit.storage / artifact["path"]
    assert http("GET", obj["status"]["url"])[2] == fetch(obj)
    assert obj["status"]["url"].endswith(f"/bucket/{objects.ns}/src/latest.tar.gz")
    stored = objects.condition(obj, "ArtifactInStorage")
    assert (stored["reason"], stored["message"]) == (
        "Succeeded", f"stored artifact: revision '{artifact['revision']}'")
    wait_until(lambda: ("Normal", "NewArtifact",
                        f"stored artifact with 3 fetched files from '{objects.ns}' bucket")
               in objects.events("src"), "the event")
    wait_until(lambda: not on_the_way(toolkit), "the directory to be empty")  # S102


def test_S81_nothing_changed_downloads_nothing(objects, source, bucket, s3):
    bucket({"a.yaml": "1", "b.yaml": "2"})
    source()
    first = objects.ready("Bucket", "src")

    def downloads():
        return sum("s3_GetObject" in line and ".yaml" in line and objects.ns in line
                   for line in s3.access_log.read_text().splitlines())
    wait_until(lambda: downloads() == 2, "the downloads to be logged")
    objects.request("Bucket", "src", "again")
    second = objects.wait("Bucket", "src",
                          lambda o: o["status"].get("lastHandledReconcileAt") == "again", "again")
    assert second["status"]["artifact"] == first["status"]["artifact"]
    assert downloads() == 2
    assert [e for e in objects.events("src") if e[1] == "NewArtifact"][1:] == []


def test_S81_change_and_deletion_make_new_revisions(objects, source, bucket, s3, ns):
    bucket({"a.yaml": "1", "b.yaml": "2"})
    source()
    objects.ready("Bucket", "src")
    s3.put(ns, "a.yaml", "changed")
    s3.delete(ns, "b.yaml")
    objects.request("Bucket", "src")
    obj = objects.ready("Bucket", "src", revision=revision_of({"a.yaml": md5("changed")}))
    assert files_of(obj) == {"a.yaml": "changed"}
    s3.delete(ns, "a.yaml")
    objects.request("Bucket", "src", "2")
    obj = objects.ready("Bucket", "src", revision=revision_of({}))
    assert files_of(obj) == {}


def test_S12_S16_lost_artifact_and_deletion(objects, source, bucket, toolkit):
    bucket({"a.yaml": "1"})
    source()
    path = toolkit.storage / objects.ready("Bucket", "src")["status"]["artifact"]["path"]
    path.unlink()
    objects.request("Bucket", "src")
    wait_until(path.exists, "the rebuilt file")
    assert files_of(objects.ready("Bucket", "src")) == {"a.yaml": "1"}
    objects.delete("Bucket", "src")
    objects.gone("Bucket", "src")
    assert not path.parent.exists()


def test_S81_a_kustomization_follows_the_bucket(objects, source, bucket, s3, ns):
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-bucket\ndata:\n  n: '%d'\n"
    bucket({"apps/map.yaml": manifest % 1})
    source()
    objects.apply("Kustomization", "app", {
        "sourceRef": {"kind": "Bucket", "name": "src"}, "path": "./apps", "prune": True,
        "interval": "1h", "targetNamespace": objects.ns})
    objects.ready("Kustomization", "app")
    assert objects.configmap("from-bucket")["data"] == {"n": "1"}
    s3.put(ns, "apps/map.yaml", manifest % 2)
    objects.request("Bucket", "src")
    wait_until(lambda: objects.configmap("from-bucket")["data"] == {"n": "2"}, "the new revision")


def test_S82_prefix_and_ignore_rules(objects, source, bucket):
    content = {"apps/a.yaml": "1", "apps/b.txt": "2", "apps/keep/c.txt": "3", "infra/d.yaml": "4",
               "apps/pic.png": "5", ".sourceignore": "*.txt\n"}
    bucket(content)
    source(prefix="apps/", ignore="!apps/keep/c.txt\n")
    obj = objects.ready("Bucket", "src")
    # The rules themselves come along, defaults do not apply.
    assert sorted(files_of(obj)) == [".sourceignore", "apps/a.yaml", "apps/keep/c.txt",
                                     "apps/pic.png"]
    assert obj["status"]["artifact"]["revision"] == revision_of(
        {k: md5(content[k]) for k in ("apps/a.yaml", "apps/keep/c.txt", "apps/pic.png")})
    assert obj["status"]["observedIgnore"] == "!apps/keep/c.txt\n"


def test_S83_missing_bucket_and_refused_credentials(objects, source, s3, ns):
    source(bucketName="no-such-bucket-there")
    obj = objects.not_ready("Bucket", "src", "BucketOperationFailed")
    assert objects.condition(obj)["message"] == "bucket 'no-such-bucket-there' not found"
    assert objects.condition(obj, "FetchFailed")["status"] == "True"
    assert obj["status"]["observedGeneration"] == -1
    s3.bucket(ns)
    wrong = secret(objects, "wrong", accesskey=ACCESS_KEY, secretkey=planted("wrong"))
    source("denied", secretRef=wrong)
    obj = objects.not_ready("Bucket", "denied", "BucketOperationFailed")
    message = objects.condition(obj)["message"]
    assert message.startswith(f"failed to confirm existence of '{ns}' bucket: ")
    assert "SignatureDoesNotMatch" in message and not found(message)
    wait_until(lambda: any(e[:2] == ("Warning", "BucketOperationFailed")
                           for e in objects.events("denied")), "the event")


def test_S83_malformed_and_missing_secrets(objects, source):
    source(secretRef=secret(objects, "half", accesskey="only"))
    obj = objects.not_ready("Bucket", "src", "AuthenticationFailed")
    assert objects.condition(obj)["message"] == (
        "invalid 'half' secret data: required fields 'accesskey' and 'secretkey'")
    source("absent", secretRef={"name": "nowhere"})
    obj = objects.not_ready("Bucket", "absent", "AuthenticationFailed")
    assert f"failed to get secret '{objects.ns}/nowhere': " in objects.condition(obj)["message"]
    source("proxied", proxySecretRef=secret(objects, "proxy", username="no address"))
    obj = objects.not_ready("Bucket", "proxied", "AuthenticationFailed")
    assert "proxy" in objects.condition(obj)["message"]
    source("tls", insecure=False, certSecretRef=secret(objects, "pair", **{"tls.crt": "only"}))
    objects.not_ready("Bucket", "tls", "AuthenticationFailed")
    source("scheme", endpoint="http://127.0.0.1:1")
    objects.not_ready("Bucket", "scheme", "AuthenticationFailed")


# --- S84, S85, S88, S102: a service that means harm -------------------------------------------

@pytest.fixture
def hostile(objects, ns):
    """bucket(name, listing, objects): a Bucket at a FakeS3 that says what the test says."""
    fakes = []

    def make(objects_=None, name="src", **more):
        fake = FakeS3(objects_ or {}, **more)
        fakes.append(fake)
        spec = {"endpoint": fake.endpoint, "bucketName": "b", "interval": "1h", "insecure": True,
                "timeout": "80s"}
        objects.apply("Bucket", name, {**spec, **more.pop("spec", {})})
        return fake
    yield make
    for fake in fakes:
        fake.stop()


def failed(objects, name="src", reason="BucketOperationFailed"):
    """The message of the failure."""
    obj = objects.not_ready("Bucket", name, reason)
    assert "artifact" not in obj["status"]
    return objects.condition(obj)["message"]


def test_S84_keys_stay_inside_the_work_directory(objects, hostile, toolkit):
    hostile({"../../escape": "1", "/etc/absolute": "2", "a/../../b": "3", "a//c": "4",
             "tab\tnew\nline": "5", "..": "6"})
    assert "names no file" in failed(objects)
    fake = hostile({"../../escape": "1", "/etc/absolute": "2", "x/../../b": "3", "a//c": "4",
                    "tab\tnew": "5", "ünï": "6"}, name="good")
    obj = objects.ready("Bucket", "good")
    assert files_of(obj) == {"escape": "1", "etc/absolute": "2", "b": "3", "a/c": "4",
                             "tab\tnew": "5", "ünï": "6"}
    assert not [p for p in toolkit.dir.rglob("escape")]
    assert "/b/../../escape" in fake.paths, "keys are asked for as they are"


def test_S84_a_file_where_another_needs_a_directory(objects, hostile):
    hostile({"a": "1", "a/b": "2"})
    assert "object 'a/b'" in failed(objects)


def test_S84_of_two_keys_of_one_path_the_later_is_taken(objects, hostile):
    hostile({"a//b": "1", "a/b": "2", "c": "3", "x/../c": "4"})
    assert files_of(objects.ready("Bucket", "src")) == {"a/b": "2", "c": "4"}


def test_S81_only_what_changed_is_downloaded(objects, hostile, toolkit):
    content = {f"dir/k{i:02}": f"{i}\n" for i in range(20)}
    fake = hostile(content)

    def change(key, text, gone):
        first = objects.get("Bucket", "src")["status"]["artifact"]["revision"]
        fake.objects[key] = text.encode()
        del fake.objects[gone]
        content[key] = text
        del content[gone]
        fake.paths.clear()
        objects.request("Bucket", "src", text)
        obj = objects.wait("Bucket", "src",
                           lambda o: o["status"]["artifact"]["revision"] != first, "change")
        assert files_of(obj) == content
        return [p for p in fake.paths if "/dir/" in p]
    objects.ready("Bucket", "src")
    assert change("dir/k05", "new", "dir/k06") == ["/b/dir/k05"]
    # After a restart the listing tells again what the artifact is made of.
    toolkit["source-controller"].stop()
    toolkit.start("source-controller")
    objects.request("Bucket", "src", "restarted")
    objects.wait("Bucket", "src",
                 lambda o: o["status"].get("lastHandledReconcileAt") == "restarted", "the run")
    assert change("dir/k07", "newer", "dir/k08") == ["/b/dir/k07"]


def test_S85_vanished_object_is_dropped(objects, hostile):
    fake = hostile({"a": "1", "b": "2", "c": "3"}, gone={"b"})
    obj = objects.ready("Bucket", "src")
    assert files_of(obj) == {"a": "1", "c": "3"}
    assert obj["status"]["artifact"]["revision"] == revision_of({"a": md5("1"), "c": md5("3")})
    assert fake.paths.count("/b/b") == 1


def test_S85_object_that_changed_is_taken_as_it_is(objects, hostile):
    hostile({"a": "1", "b": "new"}, etags={"b": "0123"})
    obj = objects.ready("Bucket", "src")
    assert files_of(obj) == {"a": "1", "b": "new"}
    assert obj["status"]["artifact"]["revision"] == revision_of({"a": md5("1"), "b": md5("new")})


def test_S82_listing_of_many_pages(objects, hostile):
    content = {f"k{i:04}": str(i) for i in range(250)}
    fake = hostile(content, page=100)
    assert files_of(objects.ready("Bucket", "src")) == content
    assert len([p for p in fake.paths if "list-type" in p]) == 3


HOSTILE = {
    "same-token": "does not get on", "not-xml": "XML line", "doctype": "document type",
    "other-root": "no list of objects", "html": "no list of objects", "no-key": "key is",
    "bad-etag": "impossible etag", "endless": "more than",
    "redirect": "redirects are not followed", "deep": "nested deeper",
    "many": "more than 250000 objects"}


@pytest.mark.parametrize("how", HOSTILE)
def test_S83_hostile_listings(objects, hostile, how):
    fake = hostile({"a": "1"}, listing=how)
    message = failed(objects)
    assert message.startswith("indexation of objects from bucket 'b' failed: ")
    assert HOSTILE[how] in message, message
    assert "/stolen" not in fake.paths


def test_S83_a_listing_that_stalls_ends_at_the_timeout(objects, hostile):
    began = time.monotonic()
    hostile({"a": "1"}, listing="stall", spec={"timeout": "2s"})
    message = failed(objects)
    assert message.startswith("indexation of objects from bucket 'b' failed: ")
    assert time.monotonic() - began < 50  # it would stall for a minute


def test_S84_more_bytes_than_said_or_fewer(objects, hostile):
    fake = hostile({"a": "12345"}, body="short", name="short")
    message = failed(objects, "short")
    assert "fetch from bucket 'b' failed: failed to get 'a' object: " in message
    assert fake.paths.count("/b/a") > 1, "tried again"
    hostile({"a": "1"}, body="endless", name="endless", spec={"timeout": "60s"})
    assert "more than 67108864 bytes came" in failed(objects, "endless")
    hostile({"a": "1"}, body="redirect", name="redirect")
    assert "redirects are not followed" in failed(objects, "redirect")


def test_S85_cut_download_goes_on_where_it_stopped(objects, hostile):
    big = "".join(f"{i:07}\n" for i in range(200000))
    fake = hostile({f"big{i}": big for i in range(4)}, body="cut")
    obj = objects.ready("Bucket", "src")
    assert files_of(obj) == {f"big{i}": big for i in range(4)}
    assert len(fake.ranges) >= 4 and all(r.startswith("bytes=") for r in fake.ranges)
    assert fake.sent < 2 * 4 * len(big), "what had come was not sent again"


def test_S85_cut_connections_are_made_again(objects, hostile):
    fake = hostile({"a": "1"}, throttle=[("cut", None), ("cut", None)])
    assert files_of(objects.ready("Bucket", "src")) == {"a": "1"}
    assert not [e for e in objects.events("src") if e[0] == "Warning"]
    assert fake.paths[0] == fake.paths[1] == fake.paths[2]


def test_S102_what_a_crash_left_is_cleared(objects, hostile, toolkit):
    fake = hostile({"a": "12"}, body="stall")
    wait_until(lambda: "/b/a" in fake.paths, "the download to begin")
    assert on_the_way(toolkit)
    toolkit["source-controller"].kill()
    fake.body = None
    toolkit.start("source-controller")
    assert files_of(objects.ready("Bucket", "src")) == {"a": "12"}
    wait_until(lambda: not on_the_way(toolkit), "the directory to be empty")


def test_S99_a_stalled_download_does_not_hold_up_the_end(objects, hostile, toolkit):
    fake = hostile({"a": "12"}, body="stall")
    wait_until(lambda: "/b/a" in fake.paths, "the download to begin")
    process = toolkit["source-controller"]
    began = time.monotonic()
    try:
        assert process.stop(timeout=60) == 0
        assert time.monotonic() - began < 50  # the download would stall for a minute
    finally:
        toolkit.start("source-controller")


def test_S83_throttling_waits_as_asked(objects, hostile):
    fake = hostile({"a": "1"}, throttle=[("503", "1"), ("429", "1"), ("503", None)])
    assert files_of(objects.ready("Bucket", "src")) == {"a": "1"}
    assert not [e for e in objects.events("src") if e[0] == "Warning"]
    gaps = [b - a for a, b in zip(fake.times, fake.times[1:])]
    assert gaps[0] >= 0.95 and gaps[1] >= 0.95
    # A long wait is no worker's: the run is put off.
    fake = hostile({"a": "1"}, name="long", throttle=[("503", "4")])
    objects.ready("Bucket", "long")
    assert fake.times[1] - fake.times[0] >= 3.9
    assert not [e for e in objects.events("long") if e[0] == "Warning"]


def test_S102_nothing_is_left_in_the_work_directory(objects, hostile, toolkit):
    hostile({"a": "1", "a/b": "2"})
    failed(objects)
    wait_until(lambda: not on_the_way(toolkit), "the directory to be empty")


# --- S86, S87: how it is reached --------------------------------------------------------------

def test_S86_anonymous(objects, hostile):
    fake = hostile({"a": "1"})
    objects.ready("Bucket", "src")
    assert not any("Authorization" in h for h in fake.headers)


def test_S86_region_is_found_out(objects, directory, ns):
    far = Versity(directory / "far", region="eu-test-9")
    try:
        far.bucket(ns)
        far.put(ns, "a", "1")
        objects.apply("Bucket", "src", {
            "endpoint": far.endpoint, "bucketName": ns, "interval": "1h", "insecure": True,
            "secretRef": secret(objects, "keys", accesskey=ACCESS_KEY, secretkey=SECRET_KEY)})
        assert files_of(objects.ready("Bucket", "src")) == {"a": "1"}
    finally:
        far.stop()


def test_S86_virtual_host_style_and_proxy(objects, directory, ns, source):
    domain = "s3.us-east-1.amazonaws.com"
    server = Versity(directory / "virtual", flags=["--virtual-domain", domain])
    proxy = HttpProxy(("127.0.0.1", server.port))
    try:
        server.bucket(ns)
        server.put(ns, "a", "1")
        source(endpoint=domain, proxySecretRef=secret(
            objects, "proxy", address=f"http://127.0.0.1:{proxy.port}", username="u", password="p"))
        assert files_of(objects.ready("Bucket", "src")) == {"a": "1"}
        assert {urllib.parse.urlsplit(u).hostname for u in proxy.asked} == {f"{ns}.{domain}"}
        assert set(proxy.logins) == {"Basic " + base64.b64encode(b"u:p").decode()}
    finally:
        proxy.stop()
        server.stop()


def test_S86_private_ca(objects, directory, ns):
    authority = Authority(directory / "pki")
    cert, key = authority.issue("s3")
    server = Versity(directory / "tls", flags=["--cert", cert, "--key", key], tls=authority)
    try:
        server.bucket(ns)
        server.put(ns, "a", "1")
        spec = {"endpoint": server.endpoint, "bucketName": ns, "interval": "1h",
                "secretRef": secret(objects, "keys", accesskey=ACCESS_KEY, secretkey=SECRET_KEY)}
        objects.apply("Bucket", "unknown", spec)
        assert "tls: " in failed(objects, "unknown")
        ca = secret(objects, "ca", **{"ca.crt": authority.cert.read_text()})
        objects.apply("Bucket", "src", {**spec, "certSecretRef": ca})
        assert files_of(objects.ready("Bucket", "src")) == {"a": "1"}
    finally:
        server.stop()


@pytest.mark.parametrize("name, issued, words", [
    ("over", {"days": -1}, "expired"), ("elsewhere", {"san": "DNS:example.org"}, "subject name")])
def test_S86_certificates_that_are_over_or_of_another_host_fail(objects, directory, name, issued, words):
    authority = Authority(directory / f"pki-{name}")
    cert, key = authority.issue(name, **issued)
    server = GitServer(directory / name, tls={"cert": cert, "key": key})  # any that speaks TLS
    try:
        objects.apply("Bucket", "src", {
            "endpoint": server.url.removeprefix("https://"), "bucketName": "b", "interval": "1h",
            "certSecretRef": secret(objects, "ca", **{"ca.crt": authority.cert.read_text()})})
        assert words in failed(objects)
    finally:
        server.stop()


LDAP_REPLY = """<?xml version="1.0" encoding="UTF-8"?>
<AssumeRoleWithLDAPIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithLDAPIdentityResult><Credentials><AccessKeyId>%s</AccessKeyId>
<SecretAccessKey>%s</SecretAccessKey><Expiration>2099-01-01T00:00:00Z</Expiration>
<SessionToken></SessionToken></Credentials></AssumeRoleWithLDAPIdentityResult>
</AssumeRoleWithLDAPIdentityResponse>"""


def test_S87_credentials_by_ldap(objects, source, bucket):
    bucket({"a": "1"})
    sts = Sink({"/": lambda message, count: (
        (200, {}, (LDAP_REPLY % (ACCESS_KEY, SECRET_KEY)).encode())
        if b"LDAPPassword=right%21" in message.body else
        (403, {}, b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no " + message.body +
         b"</Message></Error></ErrorResponse>"))})
    try:
        spec = {"provider": "ldap", "endpoint": f"http://127.0.0.1:{sts.port}/"}
        login = secret(objects, "login", username="ann", password="right!")
        source(secretRef=None, sts={**spec, "secretRef": login})
        assert files_of(objects.ready("Bucket", "src")) == {"a": "1"}
        body = urllib.parse.parse_qs(sts.messages[0].body.decode())
        assert body == {"Action": ["AssumeRoleWithLDAPIdentity"], "Version": ["2011-06-15"],
                        "LDAPUsername": ["ann"], "LDAPPassword": ["right!"]}
        wrong = secret(objects, "wrong", username="ann", password="wrong-password")
        source("wrong", secretRef=None, sts={**spec, "secretRef": wrong})
        message = failed(objects, "wrong", "AuthenticationFailed")
        assert "AccessDenied" in message and "wrong-password" not in message
        source("half", secretRef=None, sts={
            **spec, "secretRef": secret(objects, "half", username="ann")})
        message = failed(objects, "half", "AuthenticationFailed")
        assert "required fields username, password" in message
    finally:
        sts.stop()


def test_S87_bad_sts_endpoint_stalls(objects, source):
    source(secretRef=None, sts={"provider": "ldap", "endpoint": "http://[::bad"})
    obj = objects.wait("Bucket", "src",
                       lambda o: objects.condition(o, "Stalled").get("status") == "True", "stall")
    assert objects.condition(obj, "Stalled")["reason"] == "URLInvalid"
    assert obj["status"]["observedGeneration"] == obj["metadata"]["generation"]


def test_D41_service_account_needs_the_gate(objects, source):
    source(provider="aws", secretRef=None, serviceAccountName="app")
    obj = objects.wait("Bucket", "src",
                       lambda o: objects.condition(o, "Stalled").get("status") == "True", "stall")
    assert objects.condition(obj, "Stalled")["reason"] == "FeatureGateDisabled"
    assert "ObjectLevelWorkloadIdentity" in objects.condition(obj)["message"]


# --- Google and Azure -------------------------------------------------------------------------

@pytest.fixture(scope="module")
def google_key():
    """A service account's key; its token comes from a Sink."""
    return openssl("genrsa", "2048").stdout.decode()


@pytest.fixture
def google(objects, gcs, ns):
    gcs.bucket(ns)

    def make(name="src", **spec):
        objects.apply("Bucket", name, {"provider": "gcp", "endpoint": "storage.googleapis.com",
                                       "bucketName": ns, "interval": "1h", **spec})
    return make


def test_S81_google_revision_download_and_change(objects, google, gcs, ns):
    content = {"a.yaml": "1", "dir/b c+d.yaml": "2", ".sourceignore": "*.txt", "x.txt": "3"}
    for key, text in content.items():
        gcs.put(ns, key, text)
    google()
    obj = objects.ready("Bucket", "src")
    del content["x.txt"]
    assert files_of(obj) == content
    first = obj["status"]["artifact"]
    objects.request("Bucket", "src", "same")
    obj = objects.wait("Bucket", "src",
                       lambda o: o["status"].get("lastHandledReconcileAt") == "same", "same")
    assert obj["status"]["artifact"] == first
    gcs.put(ns, "a.yaml", "changed")
    gcs.delete(ns, "dir/b c+d.yaml")
    objects.request("Bucket", "src", "changed")
    obj = objects.wait("Bucket", "src", lambda o: o["status"]["artifact"] != first, "change")
    assert files_of(obj) == {"a.yaml": "changed", ".sourceignore": "*.txt"}


def test_S82_google_prefix(objects, google, gcs, ns):
    gcs.put(ns, "apps/a", "1")
    gcs.put(ns, "other/b", "2")
    google(prefix="apps/")
    assert files_of(objects.ready("Bucket", "src")) == {"apps/a": "1"}


def test_S83_google_missing_bucket_and_secrets(objects, google):
    google(bucketName="no-such-bucket")
    assert failed(objects) == "bucket 'no-such-bucket' not found"
    google("empty", secretRef=secret(objects, "empty", other="x"))
    assert failed(objects, "empty", "AuthenticationFailed") == (
        "invalid 'empty' secret data: required fields 'serviceaccount'")
    google("text", secretRef=secret(objects, "text", serviceaccount="{not json"))
    assert failed(objects, "text", "AuthenticationFailed") == (
        "the service account's key is no JSON object")
    files = json.dumps({"type": "external_account", "credential_source": {"file": "/etc/passwd"}})
    google("external", secretRef=secret(objects, "external", serviceaccount=files))
    assert "cannot come from a Secret" in failed(objects, "external", "AuthenticationFailed")


def test_S86_google_service_account_token_is_got_once(objects, google, google_key, gcs, ns):
    gcs.put(ns, "a", "1")
    tokens = Sink({"/token": lambda message, count: (
        200, {}, json.dumps({"access_token": GOOGLE_TOKEN, "expires_in": 3600}).encode())})
    try:
        key = json.dumps({"type": "service_account", "client_email": "app@project.test",
                          "private_key_id": "k1", "private_key": google_key,
                          "token_uri": tokens.url + "/token"})
        google(secretRef=secret(objects, "key", serviceaccount=key))
        assert files_of(objects.ready("Bucket", "src")) == {"a": "1"}
        form = urllib.parse.parse_qs(tokens.messages[0].body.decode())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        claims = form["assertion"][0].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        assert claims["iss"] == "app@project.test" and claims["aud"] == tokens.url + "/token"
        assert claims["scope"] == "https://www.googleapis.com/auth/devstorage.read_only"
        objects.request("Bucket", "src", "again")
        objects.wait("Bucket", "src",
                     lambda o: o["status"].get("lastHandledReconcileAt") == "again", "again")
        assert len(tokens.messages) == 1, "the token is kept"
    finally:
        tokens.stop()


@pytest.fixture(scope="module")
def azurite(directory):
    server = Azurite(directory / "azurite")
    yield server
    server.stop()


@pytest.fixture
def azure(objects, azurite, ns):
    container = ns[:60]
    azurite.bucket(container)

    def make(name="src", **spec):
        spec = {"provider": "azure", "endpoint": azurite.endpoint, "bucketName": container,
                "interval": "1h", **spec}
        objects.apply("Bucket", name, spec)
    make.container = container
    return make


def test_S81_azure_account_key(objects, azure, azurite):
    content = {"a.yaml": "1", "dir/b c+d.yaml": "2", ".sourceignore": "*.txt", "x.txt": "3"}
    for key, text in content.items():
        azurite.put(azure.container, key, text)
    azure(secretRef=secret(objects, "key", accountKey=AZURE_KEY))
    obj = objects.ready("Bucket", "src")
    del content["x.txt"]
    assert files_of(obj) == content
    first = obj["status"]["artifact"]
    objects.request("Bucket", "src", "same")
    obj = objects.wait("Bucket", "src",
                       lambda o: o["status"].get("lastHandledReconcileAt") == "same", "same")
    assert obj["status"]["artifact"] == first, "etags of lists and downloads are one"
    azurite.put(azure.container, "a.yaml", "changed")
    azurite.delete(azure.container, "dir/b c+d.yaml")
    objects.request("Bucket", "src", "changed")
    obj = objects.wait("Bucket", "src", lambda o: o["status"]["artifact"] != first, "change")
    assert files_of(obj) == {"a.yaml": "changed", ".sourceignore": "*.txt"}


def test_S82_azure_prefix_and_pages(objects, azure, azurite):
    for name in ("apps/a", "apps/b", "other/c"):
        azurite.put(azure.container, name, name)
    azure(prefix="apps/", secretRef=secret(objects, "key", accountKey=AZURE_KEY))
    assert files_of(objects.ready("Bucket", "src")) == {"apps/a": "apps/a", "apps/b": "apps/b"}


def test_S83_azure_missing_container_and_secrets(objects, azure):
    key = secret(objects, "key", accountKey=AZURE_KEY)
    azure(bucketName="no-such-container", secretRef=key)
    assert failed(objects) == "bucket 'no-such-container' not found"
    wrong = base64.b64encode(b"another key altogether").decode()
    azure("wrong", secretRef=secret(objects, "wrong", accountKey=wrong))
    message = failed(objects, "wrong")
    assert "AuthorizationFailure" in message or "AuthenticationFailed" in message, message
    assert wrong not in message
    azure("empty", secretRef=secret(objects, "empty", other="x"))
    message = failed(objects, "empty", "AuthenticationFailed")
    assert message.startswith("invalid 'empty' secret data")
    azure("odd", secretRef=secret(objects, "odd", accountKey="*"))
    assert "base64" in failed(objects, "odd")
    azure("host", endpoint="http://localhost:1", secretRef=key)
    assert failed(objects, "host", "AuthenticationFailed") == (
        "failed to extract account name from endpoint: expected 'localhost' to be a subdomain")


def test_S88_azure_sas_is_in_no_message(objects, azure, azurite, toolkit):
    azurite.put(azure.container, "a", "1")
    sas = azurite.sas(azure.container)
    azure(secretRef=secret(objects, "sas", sasKey="?" + sas))
    assert files_of(objects.ready("Bucket", "src")) == {"a": "1"}
    wrong = urllib.parse.quote(base64.b64encode(planted("sig").encode()).decode())
    bad = sas.rsplit("sig=", 1)[0] + "sig=" + wrong
    azure("bad", secretRef=secret(objects, "bad", sasKey=bad))
    message = failed(objects, "bad")
    azure("cut", endpoint="http://account.blob.localhost:1",
          secretRef=secret(objects, "cut", sasKey=bad))
    message += failed(objects, "cut")
    azure("odd", secretRef=secret(objects, "odd", sasKey=bad + "&x=\x01"))
    assert failed(objects, "odd", "AuthenticationFailed") == "unable to parse SAS token"
    text = message + toolkit["source-controller"].log() + str(objects.events("bad"))
    for secret_text in (wrong, urllib.parse.unquote(wrong)):
        assert secret_text not in text


def test_S88_azure_application_token(objects):
    """The token goes to a service that is not Azurite, which speaks no OAuth without TLS."""
    service = Sink({})

    def azure(name="src", **spec):
        objects.apply("Bucket", name, {"provider": "azure", "bucketName": "c", "interval": "1h",
                                       "endpoint": service.url, **spec})
    login = Sink({"/tenant-1/oauth2/v2.0/token": lambda message, count: (
        (200, {}, json.dumps({"access_token": ENTRA_TOKEN, "expires_in": 3600}).encode())
        if b"right-secret" in message.body else
        (401, {}, b'{"error": "invalid_client", "error_description": "AADSTS7000215: ' +
         message.body + b'"}'))})
    try:
        app = {"tenantId": "tenant-1", "clientId": "client-1", "authorityHost": login.url}
        azure(secretRef=secret(
            objects, "app", clientSecret="right-secret-of-the-app", **app))
        failed(objects)
        assert service.messages[0].headers["Authorization"] == f"Bearer {ENTRA_TOKEN}"
        form = urllib.parse.parse_qs(login.messages[0].body.decode())
        assert form["scope"] == ["https://storage.azure.com/.default"]
        assert form["client_id"] == ["client-1"]
        azure("wrong", secretRef=secret(
            objects, "wrong", clientSecret=planted("wrong"), **app))
        message = failed(objects, "wrong", "AuthenticationFailed")
        assert "invalid_client" in message and not found(message)
        azure("plain", endpoint="http://account.blob.test", secretRef=secret(
            objects, "plain", clientSecret="right-secret-of-the-app", **app))
        assert "https only" in failed(objects, "plain")
        cert = secret(objects, "cert", clientCertificate="no pem", **app)
        azure("cert", secretRef=cert)
        assert "client certificate" in failed(objects, "cert", "AuthenticationFailed")
    finally:
        service.stop()
        login.stop()
