"""The values of a HelmRelease beside the library of upstream's controller: targetPath, lists that
grow, inline values that are shared (H32-H38)."""
import random

import pytest

from .conftest import BUILD, built, replies

COUNT = 5000
KEYS = ["a", "b", "c-d", "e_f", r"g\.h", "1"]
TEXTS = ["", "x", "1", "007", "-5", "true", "null", "0", "1.5", "{x,y}", "{}", "{1,null", "x,y", "x,a=2",
         "a[1]=q", '"true"', "'1'", "\"'q'\"", r"a\,b", "{a: 1}", "x\\", ",", "=", "é"]
CASES = [  # path, value, what is inline
    ("a[1]", "new", {"a": ["old"]}),             # grown at the top: inline wins
    ("a[0]", "new", {"a": ["old"]}),             # set in place: shared
    ("m.a[2]", "new", {"m": {"a": ["old"]}}),    # grown below a shared map
    ("a[0].b", "", {}),                          # ends there: the item is left away
    ("a[1].b", "1", {"a": [{"b": 0}]}),
    ("a[0][1]", "1", {"a": [["x"]]}),
    ("a[0][0]", "1", {"a": ["x"]}),              # an item that is no list
    ("a[0].b", "1", {"a": ["x"]}),               # one that becomes a map
    ("a[0][2].b", "1", {"a": [None]}),
    ("a.", "1", {}), (".a", "1", {}), ("a.b.", "1", {"a": {"b": 1}}), ("[0]", "1", {}),
    ("a[0]b", "1", {}), ("a[", "1", {}), ("a[0", "1", {}), ("a[x]", "1", {}), ("a[70000]", "1", {}),
    ("a", "{x,y}", {"a": 1}), ("a.b", "1", {"a": None}), ("a[0]", "1", {"a": None}),
]


@pytest.fixture(scope="module")
def both():
    real = built("helm-values") / "helm-values"
    ours = BUILD / "tests" / "unit" / "helm-controller" / "helm-values"

    def compare(requests):
        for request, got, want in zip(requests, replies(ours, requests), replies(real, requests)):
            assert got.get("values") == want.get("values"), (request, got, want)
            assert bool(got.get("error")) == bool(want.get("error")), (request, got, want)
    return compare


def reference(key, path=None, **fields):
    row = {"kind": "ConfigMap", "name": "config", "valuesKey": key, **fields}
    return {**row, "targetPath": path} if path else row


def path_of(rng):
    """A path that the API server lets through."""
    out = rng.choice(KEYS)
    for _ in range(rng.randrange(4)):
        out += rng.choice([f".{rng.choice(KEYS)}", f"[{rng.randrange(4)}]", f"[{rng.randrange(2)}]"])
    return out + rng.choice([""] * 12 + [".", "[1]x", "\\", "["])


def tree(rng, depth):
    kind = rng.randrange(6 if depth else 3)
    if kind < 3:
        return rng.choice([None, True, 1, 1.5, "text", ""])
    if kind < 5:
        return {rng.choice(KEYS[:3]): tree(rng, depth - 1) for _ in range(rng.randrange(4))}
    return [tree(rng, depth - 1) for _ in range(rng.randrange(3))]


def request_of(rng):
    data, references = {}, []
    for n in range(rng.randrange(1, 5)):
        if rng.random() < 0.25:
            data[f"k{n}"] = rng.choice(["a: {b: [1, 2]}", "a: [x]", "b: {a: {a: 1}}", "{}", "a: null"])
            references.append(reference(f"k{n}"))
        else:
            data[f"k{n}"] = rng.choice(TEXTS)
            references.append(reference(f"k{n}", path_of(rng), literal=rng.random() < 0.2))
    inline = {rng.choice(KEYS[:3]): tree(rng, 3) for _ in range(rng.randrange(4))}
    return {"values": inline, "valuesFrom": references, "objects": {"config": data}}


@pytest.mark.parametrize("path,value,inline", CASES)
def test_H35_paths_into_lists(both, path, value, inline):
    both([{"values": inline, "valuesFrom": [reference("k", path)], "objects": {"config": {"k": value}}}])


@pytest.mark.parametrize("seed", range(4))
def test_H38_generated_references(both, seed):
    rng = random.Random(seed)
    both([request_of(rng) for _ in range(COUNT)])
