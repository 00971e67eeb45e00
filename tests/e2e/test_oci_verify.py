"""OCIRepository's spec.verify against what the real cosign signs."""
import json

import pytest

from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.artifact import names
from tests.lib.net import wait_until
from tests.lib.registry import (  # noqa: F401 - a fixture
    INDEX, MANIFEST, descriptor, oci_failure, registry)
from tests.lib.signed import NEW, OLD, PAYLOAD, Cosign


@pytest.fixture(scope="module")
def cosign(directory):
    return Cosign(directory / "cosign")


@pytest.fixture(scope="module")
def stranger(directory):
    return Cosign(directory / "stranger")


@pytest.fixture
def source(objects, registry, ns):
    def make(**spec):
        wanted = {"url": registry.url_of(ns), "interval": "1h",
                  "verify": {"provider": "cosign", "secretRef": {"name": "keys"}}, **spec}
        objects.apply("OCIRepository", "src", {k: v for k, v in wanted.items() if v})
    return make


def verified(objects, revision):
    obj = objects.ready("OCIRepository", "src", revision=revision)
    condition = objects.condition(obj, "SourceVerified")
    assert condition["status"] == "True" and condition["reason"] == "Succeeded"
    assert condition["message"] == f"verified signature of revision latest@{revision}"
    return obj


def unverified(objects, text):
    obj = oci_failure(objects, "VerificationError", text, condition="SourceVerified")
    assert objects.condition(obj, "SourceVerified")["status"] == "False"
    return obj


@pytest.mark.parametrize("form", [OLD, NEW], ids=["tag", "bundle"])
def test_S57_signed_by_a_key(objects, source, registry, ns, secret, cosign, stranger, form):
    digest = registry.push(ns, "latest", {"a": "1"})
    cosign.sign(registry, ns, digest, form)
    secret("keys", a__pub=stranger.public, b__pub=cosign.public, note="not a key")
    source()
    obj = verified(objects, digest)
    assert names(obj) == ["a"]
    # Removing verify removes the condition.
    source(verify=None)
    objects.wait("OCIRepository", "src", lambda o: not objects.condition(o, "SourceVerified") and
                 o["status"]["observedGeneration"] == o["metadata"]["generation"], "no condition")


@pytest.mark.parametrize("form", [OLD, NEW], ids=["tag", "bundle"])
@pytest.mark.parametrize("kind", ["rsa", "p384"])
def test_S57_other_kinds_of_keys(objects, source, registry, ns, secret, directory, kind, form):
    signer = Cosign(directory / f"{kind}-{'old' if form == OLD else 'new'}", kind)
    digest = registry.push(ns, "latest", {"a": "1"})
    signer.sign(registry, ns, digest, form)
    secret("keys", x__pub=signer.public)
    source()
    verified(objects, digest)


@pytest.mark.parametrize("form", [OLD, NEW], ids=["tag", "bundle"])
def test_S57_a_wrong_key_keeps_the_old_artifact(objects, source, registry, ns, secret, cosign,
                                                stranger, form):
    first = registry.push(ns, "latest", {"a": "1"})
    cosign.sign(registry, ns, first, form)
    secret("keys", cosign__pub=cosign.public)
    source()
    verified(objects, first)
    second = registry.push(ns, "latest", {"b": "2"})
    stranger.sign(registry, ns, second, form)
    objects.request("OCIRepository", "src", "second")
    obj = unverified(objects, "failed to verify the signature using provider 'cosign': no matching "
                     f"signatures were found for '{registry.host}/{ns}@{second}'")
    assert first in obj["status"]["artifact"]["revision"] and names(obj) == ["a"]
    wait_until(lambda: [e for e in objects.events("src")
                        if e[:2] == ("Warning", "VerificationError")], "the event")
    cosign.sign(registry, ns, second, form)
    objects.request("OCIRepository", "src", "signed")
    assert names(verified(objects, second)) == ["b"]


def test_S57_unsigned(objects, source, registry, ns, secret, cosign):
    registry.push(ns, "latest", {"a": "1"})
    secret("keys", cosign__pub=cosign.public)
    source()
    obj = unverified(objects, "no matching signatures were found for")
    assert "artifact" not in obj["status"]


def test_S57_keys_that_are_missing_or_none(objects, source, registry, ns, secret, cosign):
    digest = registry.push(ns, "latest", {"a": "1"})
    cosign.sign(registry, ns, digest)
    source()
    unverified(objects, '"keys" not found')
    secret("keys", note="nothing here")
    objects.request("OCIRepository", "src", "1")
    unverified(objects, "no name in it ends with '.pub'")
    secret("keys", cosign__pub="-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n")
    objects.request("OCIRepository", "src", "2")
    unverified(objects, "key 'cosign.pub': not a public key in PEM")


def copy_signature(registry, ns, source, target, edit=lambda text: text):
    """Another image's signature under this one's tag, as who may write to a registry can do."""
    tag = source.replace(":", "-") + ".sig"
    manifest = json.loads(registry.send("GET", f"/v2/{ns}/manifests/{tag}", Accept=MANIFEST)[2])
    layer = manifest["layers"][0]
    data = edit(registry.send("GET", f"/v2/{ns}/blobs/{layer['digest']}")[2])
    registry.push_blob(ns, data)
    layer.update(descriptor(data, PAYLOAD))
    registry.push_manifest(ns, target.replace(":", "-") + ".sig", manifest)


def test_S57_a_signature_of_another_image(objects, source, registry, ns, secret, cosign):
    good = registry.push(ns, "good", {"a": "1"})
    cosign.sign(registry, ns, good, OLD)
    evil = registry.push(ns, "latest", {"evil": "1"})
    copy_signature(registry, ns, good, evil)
    secret("keys", cosign__pub=cosign.public)
    source()
    unverified(objects, "no matching signatures were found for")
    # With the payload made to fit, the signature does not.
    copy_signature(registry, ns, good, evil, lambda d: d.replace(good.encode(), evil.encode()))
    objects.request("OCIRepository", "src", "edited")
    wait_until(lambda: objects.get("OCIRepository", "src")["status"].get(
        "lastHandledReconcileAt") == "edited", "the run")
    unverified(objects, "no matching signatures were found for")


def test_S57_a_bundle_of_another_image(objects, source, registry, ns, secret, cosign):
    good = registry.push(ns, "good", {"a": "1"})
    cosign.sign(registry, ns, good)
    evil = registry.push(ns, "latest", {"evil": "1"})
    index = registry.send("GET", f"/v2/{ns}/manifests/{good.replace(':', '-')}", Accept=INDEX)[2]
    registry.push_manifest(ns, evil.replace(":", "-"), index, INDEX)
    secret("keys", cosign__pub=cosign.public)
    source()
    unverified(objects, "no matching signatures were found for")


def test_S58_a_trusted_root_that_is_named_must_be_there(objects, source, registry, ns, secret,
                                                        cosign):
    digest = registry.push(ns, "latest", {"a": "1"})
    cosign.sign(registry, ns, digest)
    secret("keys", cosign__pub=cosign.public)
    secret("root", other="x")
    verify = {"provider": "cosign", "secretRef": {"name": "keys"},
              "trustedRootSecretRef": {"name": "root"}}
    source(verify=verify)
    unverified(objects, f"failed to read trusted root from secret '{ns}/root': "
               f"'trusted_root.json' not found in secret '{ns}/root'")
    secret("root", trusted_root__json="{}")
    objects.request("OCIRepository", "src", "1")
    verified(objects, digest)


def test_S58_keyless_needs_a_trusted_root(objects, source, registry, ns):
    """Upstream would fetch the public one."""
    registry.push(ns, "latest", {"a": "1"})
    source(verify={"provider": "cosign"})
    obj = unverified(objects, "using provider 'cosign keyless': a trusted root is needed: name a "
                     "Secret with the key 'trusted_root.json' in spec.verify.trustedRootSecretRef, "
                     "or give the controller a file by --cosign-trusted-root")
    assert "artifact" not in obj["status"]
