"""The embedded API server and the real kube-apiserver on the project's CRDs: every field of every
kind once with each kind of bad value, and the whole reply is the same: verdict, causes and their
words, or the object with its defaults."""

import copy
import pathlib
import re

import pytest
import yaml

from tests.e2e.test_crds import KINDS
from tests.lib.oracle import oracle
from tests.lib.pair import Pair

ROOT = pathlib.Path(__file__).resolve().parents[3]
SAMPLES = ("1m", "https://x.example", "oci://x", "sha256:" + "a" * 64, "Name", "a", "")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    both = Pair(tmp_path_factory.mktemp("servers"), oracle("kube"))
    try:
        for server in both.servers:
            server.install_crds()
        yield both
    finally:
        both.stop()


def schema_of(kind):
    version, plural, _ = KINDS[kind]
    path = ROOT / "deploy" / "crds" / f"{version.split('.')[0]}-{plural}.yaml"
    return yaml.safe_load(path.read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def sample(schema):
    """A small value that the schema accepts, or nearly: the servers must agree either way."""
    kind = schema.get("type")
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: sample(properties[name]) for name in schema.get("required", [])}
    if kind == "array":
        return [sample(schema["items"])] * max(1, schema.get("minItems", 0))
    if kind == "string" and schema.get("format") == "date-time":
        return "2024-01-01T00:00:00Z"
    if kind == "string":
        return next(text for text in SAMPLES if accepts(schema.get("pattern"), text))
    return {"boolean": True, "integer": 1}.get(kind, "any")


def accepts(pattern, text):
    return not pattern or re.search(pattern, text)


def bad_values(schema):
    """What to put in place of a field, by name."""
    kind = schema.get("type")
    values = {"good": sample(schema), "null": None, "text": "text", "number": 7, "half": 1.5,
              "list": [], "map": {}, "true": True, "list of null": [None], "empty": ""}
    if kind == "string":
        values["long"] = "é" * (schema.get("maxLength", 40) + 1)
        values["just"] = "x" * schema.get("maxLength", 40)
    if kind == "array":
        values["many"] = [sample(schema["items"])] * (schema.get("maxItems", 2) + 1)
        values["mixed"] = [sample(schema["items"]), 3, "x", {}]
    if kind == "integer":
        values["negative"], values["huge"] = -1, 2 ** 63
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        values["entries"] = {"a": 1, "": "b", "c": None}
    if kind == "object":
        values["unknown"] = {**sample(schema), "noSuchField": 1}
        for name in schema.get("required", []):
            values[f"without {name}"] = {k: v for k, v in sample(schema).items() if k != name}
    return values


def fields(schema, path=()):
    """(path, schema) of every field; a list's element is step 0, a map's is step 'key'."""
    for name, field in schema.get("properties", {}).items():
        yield path + (name,), field
        yield from fields(field, path + (name,))
    if isinstance(schema.get("items"), dict):
        yield from fields(schema["items"], path + (0,))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from fields(schema["additionalProperties"], path + ("key",))


def put(node, schema, path, value):
    """node with value at path; what is on the way and missing is made acceptable."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if step == 0:
        item = node[0] if node else sample(schema["items"])
        return [put(item, schema["items"], rest, value)]
    child = schema.get("properties", {}).get(step) or schema["additionalProperties"]
    node = dict(node or {})
    node[step] = put(node.get(step, sample(child)), child, rest, value)
    return node


@pytest.mark.parametrize("kind", KINDS)
def test_A77_same_verdict(kind, pair):
    version, plural, spec = KINDS[kind]
    schema = schema_of(kind)["properties"]["spec"]
    url = f"/apis/{version}/namespaces/default/{plural}?dryRun=All"
    wrong, compared = {}, 0
    for path, field in fields(schema):
        for name, value in bad_values(field).items():
            body = {"apiVersion": version, "kind": kind, "metadata": {"name": "x"},
                    "spec": put(copy.deepcopy(spec), schema, path, value)}
            ours, theirs = pair.call("POST", url, body)
            compared += 1
            if ours != theirs:
                wrong[f"{path} {name}"] = f"\n  ours {ours}\n  kube {theirs}"
    assert compared > 10
    assert not wrong, f"{len(wrong)} of {compared}:\n" + "\n".join(
        key + text for key, text in list(wrong.items())[:10])
