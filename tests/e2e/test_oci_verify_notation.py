"""OCIRepository's spec.verify with notation (the verdicts themselves: tests/differential/sign)."""
import json

import pytest

from tests.e2e.test_oci_verify import unverified, verified
from tests.lib import notation
from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.artifact import names
from tests.lib.notation import ARTIFACT, JWS, Chain, policy
from tests.lib.registry import MANIFEST, registry  # noqa: F401 - a fixture
from tests.lib.signed import NOTATION_FORMS, notate, refer


@pytest.fixture(scope="module")
def chain():
    return Chain()


@pytest.fixture
def source(objects, registry, ns):
    def make(name="trust"):
        verify = {"provider": "notation", **({"secretRef": {"name": name}} if name else {})}
        objects.apply("OCIRepository", "src", {"url": registry.url_of(ns), "interval": "1h",
                                               "verify": verify})
    return make


def trust(secret, chain, rules=None, **more):
    secret("trust", trustpolicy__json=json.dumps(rules or policy()), ca__crt=chain.root, **more)


@pytest.mark.parametrize("form", NOTATION_FORMS)
def test_S59_notation(objects, source, registry, ns, secret, chain, form):
    digest = registry.push(ns, "latest", {"a": "1"})
    notate(registry, ns, digest, chain, form)
    trust(secret, chain)
    source()
    assert names(verified(objects, digest)) == ["a"]


def test_S59_scope_and_identity(objects, source, registry, ns, secret, chain):
    digest = registry.push(ns, "latest", {"a": "1"})
    notate(registry, ns, digest, chain)
    acme = ["x509.subject: C=US, ST=WA, O=Acme"]
    trust(secret, chain, policy(scopes=[f"{registry.host}/elsewhere"], identities=acme))
    source()
    unverified(objects, f"no trust policy statement is for '{registry.host}/{ns}'")
    trust(secret, chain, policy(scopes=[f"{registry.host}/{ns}"], identities=acme))
    objects.request("OCIRepository", "src", "scope")
    verified(objects, digest)


def test_S59_unsigned_or_by_a_stranger(objects, source, registry, ns, secret, chain):
    digest = registry.push(ns, "latest", {"a": "1"})
    trust(secret, chain)
    source()
    text = ("failed to verify the signature using provider 'notation': no matching signatures were "
            f"found for '{registry.host}/{ns}@{digest}'")
    assert "artifact" not in unverified(objects, text)["status"]
    notate(registry, ns, digest, Chain())
    objects.request("OCIRepository", "src", "stranger")
    unverified(objects, text)
    notate(registry, ns, digest, chain)
    objects.request("OCIRepository", "src", "signed")
    verified(objects, digest)


def test_S59_the_fourth_signature_is_not_looked_at(objects, source, registry, ns, secret, chain):
    digest = registry.push(ns, "latest", {"a": "1"})
    for _ in range(3):
        notate(registry, ns, digest, Chain())
    notate(registry, ns, digest, chain)
    trust(secret, chain)
    source()
    unverified(objects, "no matching signatures were found for")


def test_S59_a_signature_of_another_image(objects, source, registry, ns, secret, chain):
    good = registry.push(ns, "good", {"a": "1"})
    evil = registry.push(ns, "latest", {"evil": "1"})
    manifest = registry.send("GET", f"/v2/{ns}/manifests/{good}", Accept=MANIFEST)[2]
    refer(registry, ns, evil, ARTIFACT, notation.jws(chain, notation.target(manifest)), JWS)
    trust(secret, chain)
    source()
    unverified(objects, "no matching signatures were found for")


def test_S59_what_the_secret_lacks(objects, source, registry, ns, secret, chain):
    registry.push(ns, "latest", {"a": "1"})
    source(None)
    unverified(objects, "verification secret cannot be empty")
    source()
    unverified(objects, '"trust" not found')
    rules = json.dumps(policy())
    lax = json.dumps(policy("lax"))
    for name, data, text in [
            ("no-policy", {"ca__crt": chain.root},
             f"'trustpolicy.json' not found in secret '{ns}/no-policy'"),
            ("no-certs", {"trustpolicy__json": rules},
             f"no certificates found in secret '{ns}/no-certs'"),
            ("no-json", {"trustpolicy__json": "{", "ca__crt": chain.root},
             "error occurred while parsing trustpolicy.json"),
            ("lax", {"trustpolicy__json": lax, "ca__pem": chain.root},
             "invalid signature verification level 'lax'")]:
        secret(name, **data)
        source(name)
        unverified(objects, text)


@pytest.mark.parametrize("how", ["skip", "audit"])
def test_S59_tolerated_is_not_verified(objects, source, registry, ns, secret, chain, how):
    """Level skip asks for nothing; audit only logs that nobody trusted has signed."""
    first = registry.push(ns, "latest", {"a": "1"})
    notate(registry, ns, first, chain)
    trust(secret, chain)
    source()
    verified(objects, first)
    second = registry.push(ns, "latest", {"b": "2"})
    if how == "audit":
        notate(registry, ns, second, Chain())
    trust(secret, chain, policy(how))
    objects.request("OCIRepository", "src", "second")
    obj = objects.ready("OCIRepository", "src", revision=second)
    assert names(obj) == ["b"]
    assert not objects.condition(obj, "SourceVerified")
