"""Lists in pages on both API servers: over namespaces, under selectors, with tokens that do not fit."""
import base64
import json

import pytest


class Lists:
    """ConfigMaps in two namespaces; every other one has the label that the test asks for."""

    def __init__(self, api, ns):
        self.rest, self.ns = api.rest, ns
        self.spaces = [ns + "-z", ns]  # by their keys' bytes: a "/" follows
        api.create_namespace(self.spaces[0])
        for space in self.spaces:
            for i in range(5):
                self.make(space, f"a{i}")
                self.make(space, f"b{i}", {"run": ns})

    def make(self, space, name, labels=None):
        code, reply = self.rest.call("POST", f"/api/v1/namespaces/{space}/configmaps", {
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "labels": labels or {}}})
        assert code == 201, reply

    def get(self, query, space=None):
        base = f"/api/v1/namespaces/{space}/configmaps" if space else "/api/v1/configmaps"
        return self.rest.call("GET", f"{base}?{query}")

    def page(self, query, space=None):
        code, reply = self.get(query, space)
        assert code == 200, reply
        names = [(o["metadata"]["namespace"], o["metadata"]["name"]) for o in reply["items"]]
        return names, reply["metadata"]

    def pages(self, limit, selector, space=None):
        """[(names, metadata)], with something new in front of what is still to come."""
        found, token = [], ""
        while token or not found:
            assert len(found) < 30, "pages without end"
            found.append(self.page(f"limit={limit}&{selector}&continue={token}", space))
            token = found[-1][1].get("continue", "")
            for space_ in self.spaces if token else ():
                self.make(space_, f"c{len(found)}", {"run": self.ns})
        return found


@pytest.fixture
def lists(api, ns):
    return Lists(api, ns)


def token_of(**members):
    return base64.urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")


def read_token(text):
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@pytest.mark.parametrize("limit", [1, 3, 9])
def test_A54_pages_over_namespaces(lists, limit):
    pages = lists.pages(limit, f"labelSelector=run%3D{lists.ns}")
    assert [len(names) for names, _ in pages[:-1]] == [limit] * (len(pages) - 1)
    assert sum((names for names, _ in pages), []) == [
        (space, f"b{i}") for space in lists.spaces for i in range(5)]
    assert len({metadata["resourceVersion"] for _, metadata in pages}) == 1
    assert not any("remainingItemCount" in metadata for _, metadata in pages), "under a selector"


def test_A54_a_page_is_as_long_as_was_asked(lists):
    pages = lists.pages(4, "", lists.ns)
    assert [len(names) for names, _ in pages[:-1]] == [4] * (len(pages) - 1)
    total = sum(len(names) for names, _ in pages)
    assert [m.get("remainingItemCount") for _, m in pages[:-1]] == [
        total - 4 * (i + 1) for i in range(len(pages) - 1)]
    assert "remainingItemCount" not in pages[-1][1]


def test_A54_tokens(lists):
    _, metadata = lists.page("limit=2", lists.ns)
    good = read_token(metadata["continue"])
    assert good["v"] == "meta.k8s.io/v1" and str(good["rv"]) == metadata["resourceVersion"]
    for bad in ({**good, "v": "meta.k8s.io/v2"}, {**good, "start": ""}, {**good, "rv": 0}, {}):
        code, reply = lists.get("limit=2&continue=" + token_of(**bad), lists.ns)
        assert (code, reply["reason"]) == (400, "BadRequest"), bad
    code, reply = lists.get(
        f"limit=2&resourceVersion={metadata['resourceVersion']}&continue=" + metadata["continue"],
        lists.ns)
    assert code == 400 and "specifying resource version is not allowed" in reply["message"]
    # As it was, with or without a limit.
    lists.make(lists.ns, "a9")
    rest, end = lists.page("continue=" + metadata["continue"], lists.ns)
    assert (lists.ns, "a9") not in rest and (lists.ns, "b4") in rest
    assert end["resourceVersion"] == metadata["resourceVersion"] and not end.get("continue")


def test_A57_changes_before_the_watch_are_of_its_namespace(lists):
    """What lies between the version and the present comes from the history, which knows whose it is."""
    _, metadata = lists.page("limit=1", lists.ns)
    for name in ("one", "two"):
        for space in reversed(lists.spaces):
            lists.make(space, name)
    for seconds in (1, 10, 60):  # what is not told when the watch ends, a longer one tells
        code, _, stream = lists.rest.raw(
            "GET", f"/api/v1/namespaces/{lists.ns}/configmaps?watch=1&timeoutSeconds={seconds}"
            f"&resourceVersion={metadata['resourceVersion']}")
        assert code == 200
        found = [json.loads(line)["object"]["metadata"] for line in stream.splitlines()]
        if len(found) > 1:
            break
    assert [(o["namespace"], o["name"]) for o in found] == [(lists.ns, "one"), (lists.ns, "two")]
