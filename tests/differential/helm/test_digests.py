"""Digests of releases and of values: those that Go's encoders lead to (H39-H41, H69)."""
import random
import string

import pytest

from .conftest import BUILD, built, replies

COUNT = 3000
TEXTS = ["", "a", "yes", "1", "1e3", "0x1", "null", "~", "<&>", "\u2028", "a: b", "- x", "#c", "é",
         "multi\nline\n", "trailing \n", "\ttab", "\U0001f600", "x" * 200, "word " * 40, "'", '"',
         "2024-01-01", "12:30", "\x7f", "\b\f", "a\\b"]
NUMBERS = [0, 1, -1, 1.5, 1e6, 1e21, 1e-7, 123456789012, 9007199254740991, 2.5e-5, -0.0, 1e20, 1e15,
           1234567.5, 0.1]
KEYS = ["a", "b", "a2", "a10", "A", "_", "é", "key with blank", "1", "", "x" * 130, "true", "<k>"]
TIMES = ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.120000000Z",
         "2026-01-02T03:04:05.123456789+02:00", "2026-01-02T03:04:05.100-07:00",
         "2026-01-02T03:04:05.000000+00:00", "0001-01-01T00:00:00Z", ""]


@pytest.fixture(scope="module")
def both():
    real = built("helm-digest") / "helm-digest"
    ours = BUILD / "tests" / "unit" / "helm" / "helm-digest"
    return lambda requests: zip(requests, replies(ours, requests), replies(real, requests))


def tree(rng, depth):
    kind = rng.randrange(8 if depth else 5)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind in (1, 2):
        return rng.choice(NUMBERS)
    if kind in (3, 4):
        return rng.choice(TEXTS)
    if kind == 5:
        return [tree(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {rng.choice(KEYS): tree(rng, depth - 1) for _ in range(rng.randrange(5))}


def values(rng):
    return {rng.choice(KEYS): tree(rng, 4) for _ in range(rng.randrange(6))}


def some(rng, fields):
    """Some of the fields, in any order."""
    names = [n for n in fields if rng.random() < 0.6]
    rng.shuffle(names)
    return {name: fields[name](rng) for name in names}


def text(rng):
    return rng.choice(TEXTS)


def texts(rng):
    return [text(rng) for _ in range(rng.randrange(3))]


def moment(rng):
    return rng.choice(TIMES)


METADATA = {
    **{n: text for n in ("name", "home", "version", "description", "icon", "apiVersion",
                         "condition", "tags", "appVersion", "kubeVersion", "type")},
    "sources": texts, "keywords": texts, "deprecated": lambda rng: rng.random() < 0.5,
    "maintainers": lambda rng: [some(rng, {"name": text, "email": text, "url": text})],
    "annotations": lambda rng: {rng.choice(KEYS): text(rng) for _ in range(3)},
    "dependencies": lambda rng: [some(rng, {
        **{n: text for n in ("name", "version", "repository", "condition", "alias")},
        "tags": texts, "enabled": lambda rng: rng.random() < 0.5,
        "import-values": lambda rng: [{"child": "a", "parent": 1}, "x"]})],
}
HOOK = {
    **{n: text for n in ("name", "kind", "path", "manifest")},
    "events": lambda rng: rng.sample(["pre-install", "test", "post-delete"], rng.randrange(3)),
    "last_run": lambda rng: {"phase": "", **some(rng, {
        "started_at": moment, "completed_at": moment, "phase": text})},
    "weight": lambda rng: rng.choice([0, 5, -5]),
    "delete_policies": texts, "output_log_policies": texts,
}


def record(rng):
    info = some(rng, {"first_deployed": moment, "last_deployed": moment, "deleted": moment,
                      "description": text, "notes": text})
    more = some(rng, {"config": values, "manifest": text, "namespace": text,
                      "hooks": lambda rng: [some(rng, HOOK) for _ in range(rng.randrange(3))],
                      "chart": lambda rng: {"metadata": some(rng, METADATA)}})
    return {"name": rng.choice(string.ascii_letters), "version": rng.randrange(1, 99),
            "info": {**info, "status": "deployed"}, **more}


def compare(both, requests):
    different = [(request, ours, real) for request, ours, real in both(requests)
                 if ours.get("digest") != real.get("digest")]
    assert not different, "\n".join(map(str, different[:5]))


def test_H39_H40_values(both):
    rng = random.Random(1)
    compare(both, [{"values": values(rng)} for _ in range(COUNT)])


def test_H69_records(both):
    rng = random.Random(2)
    compare(both, [{"record": record(rng), "ociDigest": rng.choice(["", "sha256:ab"])}
                   for _ in range(COUNT)])
