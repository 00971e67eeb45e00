"""
Files that the real sops made, decrypted by both: the same bytes, or an error of both. 

SLUICE_SOPS_CASES: random documents a format (30); SLUICE_SOPS_SEED.
"""
import os
import random
import re

import pytest

from tests.differential.sops.random_trees import Maker
from tests.lib.sops import SUFFIX

CASES = int(os.environ.get("SLUICE_SOPS_CASES", "30"))
SEED = int(os.environ.get("SLUICE_SOPS_SEED", "1"))
RULES = [{}, {}, {"encrypted_regex": "^(data|a|k)"}, {"unencrypted_regex": "^(data|a)"},
         {"encrypted_suffix": "_enc"}, {"unencrypted_suffix": "1"}, {"mac_only_encrypted": True},
         {"encrypted_regex": "b", "mac_only_encrypted": True},
         {"encrypted_comment_regex": "sops:enc"}, {"unencrypted_comment_regex": "sops:enc"}]


def compare(driver, sops, sealed, form, out=None):
    theirs = sops.decrypt(sealed, form, out, ok=False)
    ours, error = driver.decrypt(sealed, form, out, age=sops.age.text)
    assert theirs == ours, (form, out, error, sealed.decode(errors="replace"))
    return ours


def sealed_or_none(sops, plain, form, rule):
    """None: the real sops does not take such a document."""
    try:
        return sops.encrypt(plain, form, rule={"age": sops.age.recipient, **rule})
    except AssertionError:
        return None


@pytest.mark.parametrize("form", SUFFIX)
def test_K40_random_documents(driver, sops, form):
    rng = random.Random(f"{SEED} {form}")
    taken = 0
    for _ in range(CASES):
        plain = getattr(Maker(rng), form)()
        sealed = sealed_or_none(sops, plain, form, rng.choice(RULES))
        if sealed is None:
            continue
        taken += compare(driver, sops, sealed, form) is not None
        if rng.random() < 0.3:
            compare(driver, sops, sealed, form, rng.choice(list(SUFFIX)))
    assert taken > CASES / 2, "too few were taken by the real sops"


def damage(rng, sealed):
    """The file with one thing changed."""
    text = sealed.decode()
    values = [m for m in re.finditer(r"ENC\[AES256_GCM,data:([^,]*),", text)]
    pick = rng.randrange(5)
    if pick == 0:
        return text[:rng.randrange(len(text))]
    if pick == 1:
        at = rng.randrange(len(text))
        return text[:at] + rng.choice("aA0=,: \n") + text[at + 1:]
    if pick == 2 and len(values) > 1:
        one, two = rng.sample(values, 2)
        return text.replace(one.group(0), two.group(0), 1)
    if pick == 3 and values:
        value = rng.choice(values)
        return text.replace(value.group(1), value.group(1)[:-4], 1)
    return text.replace("type:str", rng.choice(["type:int", "type:x"]), 1)


@pytest.mark.parametrize("form", SUFFIX)
def test_K41_damaged_files(driver, sops, form):
    """What the real sops refuses is refused; what it takes has the same result, or is refused."""
    rng = random.Random(f"{SEED} damage {form}")
    for _ in range(CASES):
        sealed = sealed_or_none(sops, getattr(Maker(rng), form)(), form, {})
        if sealed is None:
            continue
        changed = damage(rng, sealed).encode()
        if b"version" not in changed:
            continue  # which the command wants to know, and the controller does not
        theirs = sops.decrypt(changed, form, ok=False)
        ours, error = driver.decrypt(changed, form, age=sops.age.text)
        assert ours is None or theirs == ours, (form, error, changed.decode(errors="replace"))


@pytest.mark.parametrize("form, head, item, tail", [
    ("json", b'{"a": [1', b",1", b"]}"), ("yaml", b"a: [1", b",1", b"]\n"),
    ("yaml", b"a: &a [" + b"x," * 1000 + b"x]\nb: [*a", b",*a", b"]\n")],
    ids=["json", "yaml", "aliases"])
def test_K41_more_values_than_a_file_may_have(driver, form, head, item, tail):
    plain, error = driver.decrypt(head + item * 300000 + tail, form)
    assert plain is None and ("many values" in error or "more than" in error or
                              "too much" in error)


def test_K48_another_key(driver, sops):
    sealed = sops.encrypt("a: 1\n")
    plain, error = driver.decrypt(sealed, "yaml", age=sops.age_key("other").text)
    assert plain is None and "no identity matched" in error


def test_K40_several_recipients(driver, sops):
    keys = [sops.age_key(f"several-{i}") for i in range(3)]
    sealed = sops.encrypt("a: 1\n", rule={"age": [k.recipient for k in keys]})
    for key in keys:
        assert driver.decrypt(sealed, "yaml", age=key.text) == (b"a: 1\n", None)
    everyone = "\n".join(k.text for k in reversed(keys))
    assert driver.decrypt(sealed, "yaml", age=everyone) == (b"a: 1\n", None)


def test_K40_PGP_and_key_groups(driver, sops):
    pgp = sops.pgp_key("pgp")
    sealed = sops.encrypt("a: 1\n", env=pgp.env, rule={"shamir_threshold": 2, "key_groups": [
        {"age": [sops.age.recipient]}, {"pgp": [pgp.fingerprint]},
        {"age": [sops.age_key("third").recipient]}]})
    assert driver.decrypt(sealed, "yaml", age=sops.age.text, pgp=pgp.text) == (b"a: 1\n", None)
    plain, error = driver.decrypt(sealed, "yaml", age=sops.age.text)
    assert plain is None and "1 of 3 key groups could be opened, 2 are needed" in error
