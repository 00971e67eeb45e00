"""deploy/crds against the CRDs that upstream releases (tests/oracles/flux-crds): each field, type,
default, rule, column and version is equal, so that every manifest means the same. Descriptions are
not compared, they are the project's own; that they are is checked too."""

import pathlib

import pytest
import yaml

from tests.lib.oracle import oracle

ROOT = pathlib.Path(__file__).resolve().parents[3]
OURS = sorted((ROOT / "deploy" / "crds").glob("*.yaml"))

TYPES = "spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.type.enum"
# What differs on purpose, by file and path; docs/differences.md tells the user.
DIFFERENCES = {
    ("notification-providers", TYPES + "[32]"): "zoom, of the release after 2.9",
    ("notification-providers", TYPES + "[33]"): "incident.io, of the release after 2.9",
}
# Names the generator of upstream's text, which is not ours.
GENERATOR = "metadata.annotations.controller-gen.kubebuilder.io/version"


@pytest.fixture(scope="session")
def upstream():
    return {crd["metadata"]["name"]: crd for crd in map(load, oracle("flux-crds").glob("*.yaml"))}


def load(path):
    return yaml.safe_load(path.read_text())


def leaves(node, path=""):
    """All values by their path. A description is a text; a field of that name is a schema."""
    if isinstance(node, dict) and node:
        for key, value in node.items():
            if key != "description" or not isinstance(value, str):
                yield from leaves(value, f"{path}.{key}" if path else key)
    elif isinstance(node, list) and node:
        for i, value in enumerate(node):
            yield from leaves(value, f"{path}[{i}]")
    else:
        yield path, node


def descriptions(schema, path=""):
    """The text of each field by its path; None where there is none."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field.get("description")
        yield from descriptions(field, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(key), dict):
            yield from descriptions(schema[key], path + mark)


def described(crd):
    for version in crd["spec"]["versions"]:
        for path, text in descriptions(version["schema"]["openAPIV3Schema"]):
            yield f"{version['name']}{path}", text


def test_S1_no_crd_is_missing(upstream):
    assert sorted(upstream) == sorted(load(path)["metadata"]["name"] for path in OURS)


def different(path, upstream):
    """Paths whose values are not equal, with both values."""
    crd = load(path)
    ours, theirs = dict(leaves(crd)), dict(leaves(upstream[crd["metadata"]["name"]]))
    theirs.pop(GENERATOR)
    return {name: f"ours {ours.get(name, 'absent')!r}, upstream {theirs.get(name, 'absent')!r}"
            for name in ours.keys() | theirs.keys()
            if name not in ours or name not in theirs or ours[name] != theirs[name]}


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_S1_crd_is_as_upstream(path, upstream):
    found = different(path, upstream)
    assert {name: both for name, both in found.items()
            if (path.stem, name) not in DIFFERENCES} == {}
    # A line of the table that nothing needs any more would hide the next mistake.
    assert [name for stem, name in DIFFERENCES if stem == path.stem and name not in found] == []


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_S1_crd_has_words_of_its_own(path, upstream):
    crd = load(path)
    ours, theirs = dict(described(crd)), dict(described(upstream[crd["metadata"]["name"]]))
    assert [name for name, text in ours.items() if text and text == theirs[name]] == []
    # metadata has Kubernetes' own text in every kind.
    assert [name for name, text in ours.items() if not text and not name.endswith(".metadata")
            ] == [], "kubectl explain says nothing about these"
