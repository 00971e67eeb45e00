"""OCIRepository's spec.verify without keys: certificates, log entries and a trusted root of a
sigstore of the tests' own (the verdicts themselves: tests/differential/sign)."""
import base64
import datetime
import json
import subprocess

import pytest

from tests.e2e.test_oci_verify import unverified, verified
from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.artifact import names
from tests.lib.controllers import Toolkit
from tests.lib.oracle import oracle
from tests.lib.registry import registry  # noqa: F401 - a fixture
from tests.lib.signed import attach, push_bundle, push_tag, refer
from tests.lib.sigstore import EMAIL, ISSUER, Sigstore, b64

ANYBODY = [{"issuer": f"^{ISSUER}$", "subject": "@example\\.com$"}]


@pytest.fixture(scope="module")
def file(directory):
    """What --cosign-trusted-root names; not there yet."""
    return directory / "trusted_root.json"


@pytest.fixture(scope="module")
def toolkit(api, directory, file):
    kit = Toolkit(api, directory / "toolkit", source_flags=[f"--cosign-trusted-root={file}"])
    kit.start("source-controller")
    yield kit
    kit.finish()


@pytest.fixture(scope="module")
def world(directory):
    return Sigstore(directory / "sigstore")


@pytest.fixture
def source(objects, registry, ns, secret, world):
    secret("root", trusted_root__json=json.dumps(world.trusted_root()))

    def make(identities=ANYBODY, root="root"):
        verify = {"provider": "cosign", "matchOIDCIdentity": identities,
                  "trustedRootSecretRef": {"name": root} if root else None}
        objects.apply("OCIRepository", "src", {
            "url": registry.url_of(ns), "interval": "1h",
            "verify": {k: v for k, v in verify.items() if v}})
    return make


@pytest.mark.parametrize("form", ["tag", "bundle"])
def test_S57_keyless(objects, source, registry, ns, world, form):
    digest = registry.push(ns, "latest", {"a": "1"})
    attach(registry, ns, digest, world, form)
    source()
    assert names(verified(objects, digest)) == ["a"]


def real_cosign_verifies(registry, ns, digest, root, form, directory, identity=EMAIL, issuer=ISSUER):
    """The real command's verdict, by its defaults."""
    path = directory / f"{ns}.json"
    path.write_text(json.dumps(root))
    done = subprocess.run(
        [oracle("cosign") / "cosign", "verify", "--trusted-root", path, "--offline",
         f"--new-bundle-format={'false' if form == 'tag' else 'true'}", "--allow-http-registry",
         "--certificate-oidc-issuer", issuer, "--certificate-identity", identity,
         f"{registry.host}/{ns}@{digest}"], env={"HOME": str(directory)}, capture_output=True,
        text=True)
    assert "unknown flag" not in done.stderr
    return done.returncode == 0


HOURS = datetime.timedelta(hours=1)


def stamped(world, digest):
    """A bundle whose time an authority's stamp proves, and no log."""
    bundle = world.bundle(digest)
    signature = base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])
    material = bundle["verificationMaterial"]
    material["tlogEntries"] = []
    material["timestampVerificationData"] = {
        "rfc3161Timestamps": [{"signedTimestamp": b64(world.timestamp(signature))}]}
    return bundle


# What is signed, whom is asked for, what the trusted root lacks, and what is said of it; None: it is good.
JUDGED = {
    "good": ({}, {}, (), None),
    "over before it was logged": ({"time": 2 * HOURS}, {}, (), "not valid"),
    "logged before it began": ({"time": -HOURS / 2}, {}, (), "not valid"),
    "seen by no certificate log": ({"logs": []}, {}, (), "without a timestamp of a log"),
    "somebody else": ({}, {"identity": "other@example.com"}, (), "identit"),
    "of another issuer": ({}, {"issuer": "https://other.example.com"}, (), "identit"),
    "no log trusted": ({}, {}, ("tlogs",), "the trusted root has no transparency log"),
    "no certificate log trusted": ({}, {}, ("ctlogs",),
                                   "the trusted root has no certificate transparency log"),
    "no authority trusted": ({}, {}, ("certificateAuthorities",),
                             "the trusted root has no certificate authority"),
    "stamped alone": (None, {}, (), "no trusted log has the signature"),
    "stamped alone, no log trusted": (None, {}, ("tlogs",),
                                      "the trusted root has no transparency log"),
}


@pytest.mark.parametrize("form, how", [(form, how) for how, row in JUDGED.items()
                                       for form in ("tag", "bundle")
                                       if form == "bundle" or row[0] is not None])
def test_S57_keyless_as_the_real_cosign_judges(objects, source, registry, ns, world, secret,
                                               directory, form, how):
    """What the tests put into the registry is where the real command looks for it, and its verdict is
    ours."""
    made, asked, lacks, text = JUDGED[how]
    digest = registry.push(ns, "latest", {"a": how})
    if made is None:
        push_bundle(registry, ns, digest, stamped(world, digest))
    else:
        time = {"time": world.time + made["time"]} if "time" in made else {}
        attach(registry, ns, digest, world, form, **{**made, **time})
    root = world.trusted_root()
    for part in lacks:
        del root[part]
    assert real_cosign_verifies(registry, ns, digest, root, form, directory, **asked) == (not text)
    secret("root", trusted_root__json=json.dumps(root))
    identity, issuer = asked.get("identity", EMAIL), asked.get("issuer", ISSUER)
    source(identities=[{"issuer": f"^{issuer}$", "subject": f"^{identity}$"}])
    if text:
        unverified(objects, text)
    else:
        verified(objects, digest)


def test_S57_keyless_with_the_second_log(objects, source, registry, ns, world):
    digest = registry.push(ns, "latest", {"a": "1"})
    attach(registry, ns, digest, world, "bundle", body="second_body")
    source()
    verified(objects, digest)


def test_S57_one_good_bundle_among_others(objects, source, registry, ns, world):
    digest = registry.push(ns, "latest", {"a": "1"})
    attach(registry, ns, digest, world, "bundle", logs=[])
    refer(registry, ns, digest, "application/vnd.example.sbom", b"{}", "application/json")
    attach(registry, ns, digest, world, "bundle")
    source()
    verified(objects, digest)


@pytest.mark.parametrize("form", ["tag", "bundle"])
def test_S57_keyless_by_somebody_else(objects, source, registry, ns, world, form):
    digest = registry.push(ns, "latest", {"a": "1"})
    attach(registry, ns, digest, world, form)
    source(identities=[{"issuer": ".*", "subject": "^nobody@"}])
    obj = unverified(objects, "failed to verify the signature using provider 'cosign keyless': "
                     f"no matching signatures were found for '{registry.host}/{ns}@{digest}'")
    assert "artifact" not in obj["status"]
    # The other of two identities is the signer's.
    source(identities=[{"issuer": "x", "subject": "y"}, {"issuer": "", "subject": ""}, *ANYBODY]
           if form == "tag" else [{"issuer": "x", "subject": "y"}, *ANYBODY])
    verified(objects, digest)


@pytest.mark.parametrize("form", ["tag", "bundle"])
def test_S57_keyless_of_another_image(objects, source, registry, ns, world, form):
    good = registry.push(ns, "good", {"a": "1"})
    evil = registry.push(ns, "latest", {"evil": "1"})
    if form == "tag":
        push_tag(registry, ns, evil, world.tag(good))
    else:
        push_bundle(registry, ns, evil, world.bundle(good))
    source()
    unverified(objects, "no matching signatures were found for")


def test_S57_a_bad_pattern_is_named(objects, source, registry, ns):
    registry.push(ns, "latest", {"a": "1"})
    source(identities=[{"issuer": "(", "subject": EMAIL}])
    unverified(objects, "malformed issuer in identity")


def test_S58_another_trusted_root(objects, source, registry, ns, world, secret, directory):
    digest = registry.push(ns, "latest", {"a": "1"})
    attach(registry, ns, digest, world, "bundle")
    other = Sigstore(directory / "other")
    secret("other", trusted_root__json=json.dumps(other.trusted_root()))
    source(root="other")
    unverified(objects, "no matching signatures were found for")
    source()
    verified(objects, digest)


def test_S58_a_trusted_root_that_is_none(objects, source, registry, ns, secret):
    registry.push(ns, "latest", {"a": "1"})
    secret("bad", trusted_root__json="{}")
    source(root="bad")
    unverified(objects, "unable to parse trusted root: its media type is not")
    secret("empty", other="x")
    source(root="empty")
    unverified(objects, f"failed to read trusted root from secret '{ns}/empty': "
               f"'trusted_root.json' not found in secret '{ns}/empty'")
    source(root="absent")
    unverified(objects, '"absent" not found')


def test_S58_a_trusted_root_in_a_file(objects, source, registry, ns, world, file):
    """For all objects that name no Secret; it is read anew each time."""
    digest = registry.push(ns, "latest", {"a": "1"})
    attach(registry, ns, digest, world, "bundle")
    source(root=None)
    unverified(objects, "using provider 'cosign keyless': --cosign-trusted-root: ")
    file.write_text("{}")
    objects.request("OCIRepository", "src", "1")
    unverified(objects, "unable to parse trusted root")
    file.write_text(json.dumps(world.trusted_root()))
    objects.request("OCIRepository", "src", "2")
    verified(objects, digest)
