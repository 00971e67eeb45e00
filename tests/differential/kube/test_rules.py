"""x-kubernetes-validations on the embedded API server and on the real one: objects that break
rules, transitions, ratcheting, budgets; definitions whose rules are refused. The same causes."""

import json
import re

import pytest

from tests.lib.oracle import oracle
from tests.lib.pair import Pair

GROUP = "rules.example.test"
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}


def rules(*texts, **more):
    return {"x-kubernetes-validations": [t if isinstance(t, dict) else {"rule": t} for t in texts],
            **more}


def obj(**properties):
    return {"type": "object", "properties": properties}


def definition(name, schema, **more):
    plural = name.lower() + "s"
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{GROUP}"},
            "spec": {"group": GROUP, "scope": "Namespaced",
                     "names": {"plural": plural, "kind": name},
                     "versions": [{"name": "v1", "served": True, "storage": True,
                                   "schema": {"openAPIV3Schema": {**obj(spec=schema), **more}}}]}}


ITEM = {**obj(k=TEXT, v=NUMBER), "required": ["k"],
        **rules({"rule": "self.v >= oldSelf.v", "message": "v shrinks"}, "self.v < 100")}
SCHEMA = {
    **obj(
        n={**NUMBER, **rules("self < 10", {"rule": "self >= oldSelf", "message": "only grows"})},
        d={"type": "number", **rules("self <= 1.5")},
        s={**TEXT, "maxLength": 100, **rules(
            {"rule": "self.startsWith('a')", "message": "must start with a"},
            {"rule": "self != 'abc'", "messageExpression": "'not ' + self"})},
        ios={"x-kubernetes-int-or-string": True,
             **rules("type(self) == int ? self > 1 : self == '1'")},
        t={**TEXT, "format": "date-time", **rules("self > timestamp('2020-01-01T00:00:00Z')")},
        dur={**TEXT, "format": "duration", **rules("self < duration('1h')")},
        by={**TEXT, "format": "byte", **rules("self == b'hello'")},
        q={**TEXT, "maxLength": 20,
           **rules("isQuantity(self) && quantity(self).isLessThan(quantity('1Gi'))")},
        ip={**TEXT, "maxLength": 40, **rules("isIP(self)", "ip(self).family() == 4")},
        nul={**TEXT, "nullable": True, **rules("self == 'x'")},
        m={"type": "object", "maxProperties": 10, "additionalProperties": {
            **NUMBER, **rules("self > 0")}, **rules("self.all(k, k.startsWith('k'))")},
        l={"type": "array", "maxItems": 10,
           "items": {**TEXT, "maxLength": 10, **rules("self != 'bad'")},
           **rules("self.size() < 4", "self.isSorted()")},
        set={"type": "array", "maxItems": 10, "x-kubernetes-list-type": "set", "items":
             {**TEXT, "maxLength": 10}, **rules({"rule": "self == ['a', 'b'] || self.size() < 2",
                                               "message": "as sets"})},
        lm={"type": "array", "maxItems": 10, "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["k"], "items": ITEM},
        forbid={**obj(a=NUMBER), **rules({"rule": "self.a < 5", "reason": "FieldValueForbidden",
                                         "message": "no", "fieldPath": ".a"})},
        require={**obj(a=NUMBER), **rules({"rule": "has(self.a)", "reason": "FieldValueRequired",
                                          "message": "a is needed", "fieldPath": ".a"})},
        dup={**obj(a=NUMBER), **rules({"rule": "!has(self.a)", "reason": "FieldValueDuplicate"})},
        esc={**obj(**{"a.b": NUMBER, "c-d": NUMBER, "for": NUMBER, "x/y": NUMBER, "p__q": NUMBER,
                      "1st": NUMBER, "namespace": TEXT}),
             **rules("!has(self.a__dot__b) || self.a__dot__b == 1",
                     "!has(self.c__dash__d) || self.c__dash__d == 1",
                     "!has(self.__for__) || self.__for__ == 1",
                     "!has(self.x__slash__y) || self.x__slash__y == 1",
                     "!has(self.p__underscores__q) || self.p__underscores__q == 1",
                     "!has(self.__namespace__) || self.__namespace__ == 'x'")},
        err={**obj(a=NUMBER, b=NUMBER, l={"type": "array", "maxItems": 3, "items": NUMBER},
                   x={"x-kubernetes-int-or-string": True}),
             **rules("!has(self.b) || self.a / self.b > 1", "!has(self.l) || self.l[1] > 1",
                     "!has(self.x) || self.x + 1 > 1")},
        opt={**TEXT, **rules({"rule": "!oldSelf.hasValue() || oldSelf.value() == self",
                              "optionalOldSelf": True, "message": "immutable"})},
        ratchet={**obj(a=NUMBER, b=NUMBER), **rules("self.a < 5")},
        msg={**obj(a=TEXT), **rules({"rule": "self.a == 'x'", "message": "plain",
                                    "messageExpression": "self.a.substring(10)"})},
        empty={**obj(a=TEXT), **rules({"rule": "self.a == 'x'", "message": "  trimmed  "})},
        keep={**obj(a=NUMBER), "x-kubernetes-preserve-unknown-fields": True,
              **rules("has(self.a)")},
        emb={"type": "object", "x-kubernetes-embedded-resource": True,
             "x-kubernetes-preserve-unknown-fields": True,
             **rules("self.metadata.name == 'x' && self.kind == 'K'")},
        atomic={**obj(a=NUMBER), "x-kubernetes-map-type": "atomic", **rules("self.a > 0")},
        dear={"type": "array", "maxItems": 200, "items": NUMBER, **rules(
            "self.all(a, self.all(b, a == b || a != b))")},
    ),
    **rules({"rule": "!has(self.n) || !has(self.d) || double(self.n) > self.d"}),
}
ROOT = rules("self.metadata.name.startsWith('w')", "self.kind == 'Ruled'")

# What is created; what it is updated to (or None).
OBJECTS = {
    "fine": ({"n": 3}, {"n": 4}),
    "number": ({"n": 30}, None),
    "transition": ({"n": 3}, {"n": 2}),
    "transition added": ({"s": "ab"}, {"s": "ab", "n": 2}),
    "double": ({"d": 2.5}, None),
    "double given as integer": ({"d": 2}, None),
    "both": ({"n": 1, "d": 1.5}, None),
    "text": ({"s": "b"}, None),
    "message expression": ({"s": "abc"}, None),
    "int or string: int": ({"ios": 1}, None),
    "int or string: text": ({"ios": "2"}, None),
    "int or string: fine": ({"ios": "1"}, None),
    "timestamp": ({"t": "2019-01-01T00:00:00Z"}, None),
    "timestamp fine": ({"t": "2021-01-01T00:00:00Z"}, None),
    "duration": ({"dur": "2h"}, None),
    "duration fine": ({"dur": "2m"}, None),
    "bytes": ({"by": "aGVsbG8="}, None),
    "bytes wrong": ({"by": "aGVsbA=="}, None),
    "quantity": ({"q": "2Gi"}, None),
    "quantity fine": ({"q": "2Mi"}, None),
    "no quantity": ({"q": "two"}, None),
    "address": ({"ip": "::1"}, None),
    "no address": ({"ip": "x"}, None),
    "null": ({"nul": None}, None),
    "null to text": ({"nul": None}, {"nul": "y"}),
    "map key": ({"m": {"a": 1}}, None),
    "map value": ({"m": {"k1": 1, "k2": 0}}, None),
    "list size": ({"l": ["a", "b", "c", "d"]}, None),
    "list order": ({"l": ["b", "a"]}, None),
    "list item": ({"l": ["a", "bad"]}, None),
    "set in another order": ({"set": ["b", "a"]}, None),
    "set": ({"set": ["c", "a"]}, None),
    "list map": ({"lm": [{"k": "x", "v": 5}, {"k": "y", "v": 6}]},
                 {"lm": [{"k": "y", "v": 7}, {"k": "x", "v": 4}]}),
    "list map new": ({"lm": [{"k": "x", "v": 5}]}, {"lm": [{"k": "z", "v": 1}]}),
    "list map item": ({"lm": [{"k": "x", "v": 500}]}, None),
    "list map absent": ({"lm": [{"k": "x"}]}, None),
    "forbidden": ({"forbid": {"a": 6}}, None),
    "required": ({"require": {}}, None),
    "duplicate": ({"dup": {"a": 1}}, None),
    "escaped": ({"esc": {"a.b": 2, "c-d": 2, "for": 2, "x/y": 2, "p__q": 2,
                         "namespace": "y"}}, None),
    "escaped fine": ({"esc": {"a.b": 1, "c-d": 1, "for": 1, "1st": 5}}, None),
    "division": ({"err": {"a": 1, "b": 0}}, None),
    "no such key": ({"err": {"b": 1}}, None),
    "index": ({"err": {"l": [1]}}, None),
    "overload": ({"err": {"x": "a"}}, None),
    "optional old self": ({"opt": "a"}, {"opt": "b"}),
    "optional old self same": ({"opt": "a"}, {"opt": "a", "n": 1}),
    "message that fails": ({"msg": {"a": "y"}}, None),
    "message trimmed": ({"empty": {"a": "y"}}, None),
    "preserved": ({"keep": {"b": 1}}, None),
    "embedded": ({"emb": {"apiVersion": "v1", "kind": "Q", "metadata": {"name": "x"}}}, None),
    "embedded fine": ({"emb": {"apiVersion": "v1", "kind": "K", "metadata": {"name": "x"}}}, None),
    "atomic": ({"atomic": {"a": 0}}, None),
    "too dear": ({"dear": list(range(200))}, None),
    "dear but small": ({"dear": list(range(50))}, None),
    "many": ({"n": 30, "s": "b", "l": ["b", "a"], "m": {"a": 0}}, None),
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    both = Pair(tmp_path_factory.mktemp("servers"), oracle("kube"))
    try:
        for server in both.servers:
            server.apply(definition("Ruled", SCHEMA, **ROOT))
            server.kubectl("wait", "--for=condition=Established", "--timeout=90s",
                           f"crd/ruleds.{GROUP}")
        yield both
    finally:
        both.stop()


PATH = f"/apis/{GROUP}/v1/namespaces/default/ruleds"
MASKS = ((r"0x[0-9a-f]+", "0xADDRESS"), (r"selfType\d*", "selfType"))


def causes(reply):
    """Status and the causes, in an order of their own: a map's order is nobody's."""
    status, body = reply
    if status < 300:
        return status, []
    text = json.dumps(body)
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    body = json.loads(text)
    found = body.get("details", {}).get("causes")
    return status, sorted(map(json.dumps, found)) if found else body["message"]


def widget(name, spec):
    return {"apiVersion": f"{GROUP}/v1", "kind": "Ruled", "metadata": {"name": name}, "spec": spec}


@pytest.mark.parametrize("name", OBJECTS, ids=lambda n: n.replace(" ", "-"))
def test_A77_objects(name, pair):
    before, after = OBJECTS[name]
    obj_name = "w" + str(list(OBJECTS).index(name))
    ours, theirs = map(causes, pair.call("POST", PATH, widget(obj_name, before)))
    assert ours == theirs
    if after is not None:
        assert theirs[0] == 201
        ours, theirs = map(causes, pair.call(
            "PATCH", f"{PATH}/{obj_name}", {"spec": after}, "application/merge-patch+json"))
        assert ours == theirs


def test_A77_rules_of_the_root(pair):
    ours, theirs = map(causes, pair.call("POST", PATH, widget("no", {"n": 1})))
    assert ours == theirs and theirs[0] == 422


def test_A77_ratcheting(pair):
    """What broke a rule before the rule was there may stay as it is, but not change."""
    plural = f"/apis/{GROUP}/v1/namespaces/default/ratchets"
    part = obj(a=NUMBER, b=NUMBER)
    items = {"type": "array", "maxItems": 5, "items": part}
    by_key = {**items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"],
              "items": {**part, "required": ["a"]}}
    loose = obj(p=part, l=items, m=by_key, other=NUMBER)
    for server in pair.servers:
        server.apply(definition("Ratchet", loose))
        server.kubectl("wait", "--for=condition=Established", "--timeout=90s",
                       f"crd/ratchets.{GROUP}")
    spec = {"p": {"a": 9, "b": 1}, "l": [{"a": 9}], "m": [{"a": 9, "b": 1}, {"a": 8}]}
    made = pair.call("POST", plural, {**widget("r", spec), "kind": "Ratchet"})
    assert [reply[0] for reply in made] == [201, 201], made
    strict = json.loads(json.dumps(loose))
    ruled = {**part, **rules("self.a < 5")}
    strict["properties"]["p"] = ruled
    strict["properties"]["l"]["items"] = ruled
    strict["properties"]["m"]["items"] = {**ruled, "required": ["a"]}
    for server in pair.servers:
        server.apply(definition("Ratchet", strict))
    for patch in ({"other": 1}, {"p": {"b": 2}}, {"l": [{"a": 9}, {"a": 1}]},
                  {"l": [{"a": 9}]}, {"m": [{"a": 8}, {"a": 9, "b": 1}]},
                  {"m": [{"a": 9, "b": 2}]}, {"p": {"a": 1}}, {"p": {"a": 9}}):
        ours, theirs = map(causes, pair.call("PATCH", plural + "/r", {"spec": patch},
                                             "application/merge-patch+json"))
        assert ours == theirs, patch


REFUSED = {
    "syntax": rules("self.a =="),
    "no such field": rules("self.nope == 1"),
    "wrong type": rules("self.a == 'x'"),
    "no bool": rules("self.a"),
    "no bool text": rules("'x' + self.s"),
    "unknown function": rules("self.s.nope()"),
    "unknown variable": rules("other == 1"),
    "two problems": rules("self.nope == 1 && other == 2"),
    "two rules": rules("self.nope == 1", "self.a > 1", "other == 2"),
    "empty": rules(" "),
    "blank message": rules({"rule": "self.a > 1", "message": " "}),
    "broken message": rules({"rule": "self.a > 1", "message": "a\nb"}),
    "broken rule": rules("self.a >\n1"),
    "broken rule with message": rules({"rule": "self.a >\n1", "message": "m"}),
    "blank expression": rules({"rule": "self.a > 1", "messageExpression": " "}),
    "expression of no text": rules({"rule": "self.a > 1", "messageExpression": "self.a"}),
    "bad expression": rules({"rule": "self.a > 1", "messageExpression": "self.nope"}),
    "reason": rules({"rule": "self.a > 1", "reason": "Because"}),
    "path": rules({"rule": "self.a > 1", "fieldPath": ".nope"}),
    "blank path": rules({"rule": "self.a > 1", "fieldPath": " "}),
    "path without a dot": rules({"rule": "self.a > 1", "fieldPath": "a"}),
    "path of an item": rules({"rule": "self.a > 1", "fieldPath": ".l[0]"}),
    "fine path": rules({"rule": "self.a > 1", "fieldPath": ".o.x"}),
    "fine path in quotes": rules({"rule": "self.a > 1", "fieldPath": ".o['x']"}),
    "optional without old": rules({"rule": "self.a > 1", "optionalOldSelf": True}),
    "optional as value": rules({"rule": "oldSelf.a > 1", "optionalOldSelf": True}),
    "old": rules("self.a > oldSelf.a"),
    "duration": rules("duration('x') > duration('1s')"),
    "pattern": rules("self.s.matches('(')"),
    "mixed list": rules("self.a in [1, 'a']"),
    "conversion": rules("int('x') == 1"),
    "fine": rules("self.a > 1"),
}
PLACES = {
    "old in a list": obj(l={"type": "array", "items": {**NUMBER, **rules("self >= oldSelf")}}),
    "old in a list map": obj(l={
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
        "maxItems": 5, "items": {**obj(k=TEXT), "required": ["k"],
                                 **rules("self.k == oldSelf.k")}}),
    "old below a list": obj(l={"type": "array", "items": obj(x={**NUMBER,
                                                              **rules("self >= oldSelf")})}),
    "old on a list": obj(l={"type": "array", "items": NUMBER, **rules("self == oldSelf")}),
    "unknown type": obj(x={"x-kubernetes-preserve-unknown-fields": True, **rules("self == 1")}),
    "deep": obj(a=obj(b=obj(c={**NUMBER, **rules("self.x > 1")}))),
    "map value": obj(m={"type": "object", "additionalProperties": {**NUMBER, **rules("self.x")}}),
    "root meta": obj(a={**NUMBER, **rules("self.metadata.name == 'x'")}),
}


def refusal(pair, name, schema):
    body = definition("Refused", schema)
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All"
    return list(map(causes, pair.call("POST", path, body)))


@pytest.mark.parametrize("name", REFUSED, ids=lambda n: n.replace(" ", "-"))
def test_A77_definitions(name, pair):
    schema = {**obj(a=NUMBER, s={**TEXT, "maxLength": 10}, o=obj(x=NUMBER),
                    l={"type": "array", "maxItems": 3, "items": NUMBER}), **REFUSED[name]}
    ours, theirs = refusal(pair, name, schema)
    assert ours == theirs


@pytest.mark.parametrize("name", PLACES, ids=lambda n: n.replace(" ", "-"))
def test_A77_definitions_by_place(name, pair):
    ours, theirs = refusal(pair, name, PLACES[name])
    assert ours == theirs
