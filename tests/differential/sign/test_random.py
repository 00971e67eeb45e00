"""S57, S59: good bundles and envelopes with a leaf of their JSON or a byte changed at random. Ours may
refuse what the real verifiers take (what they do not look at), never the other way round."""
import base64
import json
import random

import pytest

from tests.differential.sign.test_notation import TARGET, case_of as notation_case
from tests.differential.sign.test_notation import notation_go  # noqa: F401 - a fixture
from tests.differential.sign.test_sigstore import ANYBODY, DIGEST
from tests.lib import notation
from tests.lib.notation import PREFIX

ROUNDS = 100
# What a verdict does not need, and what is therefore not read: upstream refuses other types there.
UNREAD = {"commonName", "subject", "uri", "baseUrl", "keyDetails", PREFIX + "signingAgent"}
UNREAD_IN_SECOND = {"treeSize", "rootHash", ("inclusionProof", "logIndex"),
                    # Parts of these nobody signed.
                    "signedTimestamp", ("checkpoint", "envelope")}
# Go checks more of a certificate that is trusted as it is.
UNREAD_IN_ROOT = {"rawBytes"}


def leaves(value, path=()):
    """Paths to all that is no map and no list, and to lists and maps themselves."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves(inner, (*path, at))


def flip(chance, data):
    data = bytearray(data)
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def other_text(chance, text):
    """Another text: a byte below the base64 changed where it is base64, else a character."""
    try:
        data = base64.b64decode(text, validate=True)
        if len(data) > 8:
            return base64.b64encode(flip(chance, data)).decode()
    except ValueError:
        pass
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice("0a \n+/=") + text[at + 1:]


def change(chance, value):
    """Changes one thing in a tree; returns what."""
    path = chance.choice([p for p in leaves(value) if p])
    where = value
    for key in path[:-1]:
        where = where[key]
    old = where[path[-1]]
    how = chance.randrange(4)
    if isinstance(old, str) and how:
        where[path[-1]] = other_text(chance, old)
    elif isinstance(old, list) and old and how:
        where[path[-1]] = chance.choice([old * 2, old[:-1], old[::-1]])
    elif how == 1 and isinstance(where, dict):
        del where[path[-1]]
    else:
        where[path[-1]] = chance.choice([None, "", "x", 0, -1, 1 << 62, [], {}])
    return path


def never_laxer(ours, theirs, case, what, unread=UNREAD):
    if {what[-1], what[-2:]} & unread:
        return
    wanted, got = theirs.ask(case), ours.ask(case)
    assert wanted.split(":")[0] != "refused" or got.startswith("refused"), (what, got, wanted)


@pytest.mark.parametrize("body", ["dsse_body", "intoto_body", "second_body"])
@pytest.mark.parametrize("seed", range(3))
def test_S57_random_changes(ours, sigstore_go, world, body, seed):
    chance = random.Random(f"{body} {seed}")
    root, good = json.dumps(world.trusted_root()), json.dumps(world.bundle(DIGEST, body))
    for _ in range(ROUNDS):
        bundle = json.loads(good)
        what = change(chance, bundle)
        never_laxer(ours, sigstore_go, {"root": root, "digest": DIGEST, "identities": ANYBODY,
                                        "bundle": json.dumps(bundle)}, what,
                    UNREAD | (UNREAD_IN_SECOND if body == "second_body" else set()))


@pytest.mark.parametrize("seed", range(3))
def test_S58_random_changes_of_the_root(ours, sigstore_go, world, seed):
    chance = random.Random(seed)
    bundle = json.dumps(world.bundle(DIGEST, "second_body" if seed else "dsse_body"))
    for _ in range(ROUNDS):
        root = world.trusted_root()
        what = change(chance, root)
        never_laxer(ours, sigstore_go, {"root": json.dumps(root), "digest": DIGEST,
                                        "identities": ANYBODY, "bundle": bundle}, what,
                    UNREAD | (UNREAD_IN_ROOT if "certChain" in what else set()))


@pytest.mark.parametrize("form", [notation.JWS, notation.COSE])
@pytest.mark.parametrize("seed", range(3))
def test_S59_random_changes(ours, notation_go, form, seed):
    chance, chain = random.Random(f"{form} {seed}"), notation.Chain()
    good = (notation.jws if form == notation.JWS else notation.cose)(chain, TARGET)
    for at in range(ROUNDS):
        if form == notation.JWS and at % 2:
            tree = json.loads(good)
            what = change(chance, tree)
            data = json.dumps(tree).encode()
        else:
            data, what = flip(chance, good), ("a bit",)
        never_laxer(ours, notation_go, notation_case(chain, data, form), what)


@pytest.mark.parametrize("seed", range(3))
def test_S59_random_changes_of_the_policy(ours, notation_go, seed):
    chance, chain = random.Random(seed), notation.Chain()
    envelope = notation.jws(chain, TARGET)
    for _ in range(ROUNDS):
        rules = notation.policy(identities=["x509.subject: C=US, ST=WA, O=Acme"])
        what = change(chance, rules)
        never_laxer(ours, notation_go, notation_case(chain, envelope, notation.JWS, rules), what)
