"""What the rules of a CustomResourceDefinition may cost at most, estimated when it is written: on
the embedded API server as on the real one, told in the same words. Each expression stands in lists
of 1, 100, ... items, so that one of the factors told shows its cost to three digits."""
import pytest

from tests.differential.kube.test_rules import NUMBER, TEXT, causes, definition, obj, rules
from tests.lib.oracle import oracle
from tests.lib.pair import Pair

PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SHORT = {**TEXT, "maxLength": 10}


def items(schema, most=None, **more):
    return {"type": "array", "items": schema, **({"maxItems": most} if most else {}), **more}


def entries(schema, most=None):
    return {"type": "object", "additionalProperties": schema,
            **({"maxProperties": most} if most else {})}


PART = obj(
    n=NUMBER, d={"type": "number"}, b={"type": "boolean"}, s=SHORT, u=TEXT, e={
        **TEXT, "enum": ["a", "abcdefg"]},
    t={**TEXT, "format": "date-time"}, day={**TEXT, "format": "date"},
    dur={**TEXT, "format": "duration"}, by={**TEXT, "format": "byte", "maxLength": 30},
    ios={"x-kubernetes-int-or-string": True, "maxLength": 7},
    free={"x-kubernetes-int-or-string": True},
    l=items(SHORT, 20), ul=items(TEXT), nl=items(NUMBER, 30), ll=items(items(SHORT, 4), 5),
    bools=items({"type": "boolean"}), days=items({**TEXT, "format": "date"}),
    ol=items({**obj(k=SHORT, v=NUMBER, w=TEXT), "required": ["k", "v"]}),
    set=items(SHORT, 7, **{"x-kubernetes-list-type": "set"}),
    m=entries(SHORT, 9), um=entries(NUMBER), om=entries(obj(x=SHORT), 3),
    o=obj(x=obj(y=obj(z=SHORT)), l=items(NUMBER, 6)), defaulted={**TEXT, "default": "x"})

EXPRESSIONS = {
    "compare": "self.n > 1",
    "equal texts": "self.s == 'abc'",
    "equal unbounded": "self.u == self.u",
    "unequal": "self.u != self.s",
    "less text": "self.u < self.s",
    "less bytes": "self.by < self.by",
    "enum": "self.e == self.u",
    "times": "self.t > timestamp('2020-01-01T00:00:00Z') || self.t == self.day",
    "durations": "self.dur < duration('1h') && self.dur == self.dur",
    "either": "self.ios == self.ios",
    "either unbounded": "self.free == self.free",
    "either type": "type(self.ios) == int ? self.ios > 1 : self.ios == '1'",
    "dyn": "dyn(self.u) == dyn(self.u)",
    "objects": "self.o == self.o",
    "lists": "self.ul == self.ul",
    "maps": "self.um == self.um",
    "in literal": "self.s in ['a', 'b', 'c']",
    "in list": "self.s in self.l",
    "in unbounded list": "self.u in self.ul",
    "in map": "self.s in self.m",
    "has": "has(self.o) && has(self.o.x.y.z)",
    "size": "self.u.size() < 10 && size(self.ul) < 3",
    "ternary": "(self.b ? self.u : self.s) == self.u",
    "ternary lists": "(self.b ? ['aa'] : ['b', 'ccc'])[0] == self.u",
    "added texts": "self.s + self.s == self.u",
    "added lists": "(self.l + self.set).all(x, x == self.u)",
    "added literals": "(['a'] + ['bcd'])[0] == self.u",
    "starts": "self.u.startsWith(self.s) && self.s.endsWith(self.u)",
    "contains": "self.u.contains(self.s)",
    "contains literal": "self.s.contains('a')",
    "matches": "self.s.matches('^[a-z]+$')",
    "matches unbounded": "self.u.matches('^a$')",
    "matches itself": "self.u.matches(self.u)",
    "all": "self.l.all(x, x.startsWith('a'))",
    "all unbounded": "self.ul.all(x, x.startsWith('a'))",
    "all numbers": "self.nl.all(x, x > 1)",
    "all objects": "self.ol.all(x, x.v > 1)",
    "all objects by text": "self.ol.all(x, x.k != '' && x.w != '')",
    "all of keys": "self.m.all(k, k.startsWith('a'))",
    "keys and values": "self.m.all(k, v, k != v && v.startsWith('a'))",
    "index and item": "self.l.all(i, x, i > 1 && x == self.u)",
    "all unbounded keys": "self.um.all(k, self.um[k] > 1)",
    "all of objects in a map": "self.om.all(k, self.om[k].x == self.u)",
    "nested": "self.nl.all(a, self.nl.all(b, a != b))",
    "nested unbounded": "self.ul.all(a, self.ul.all(b, a != b))",
    "lists of lists": "self.ll.all(a, a.all(b, b == self.u))",
    "exists": "self.l.exists(x, x == 'a') && self.l.exists_one(x, x == 'a')",
    "map": "self.l.map(x, x + 'a').all(y, y == self.u)",
    "map to literals": "self.l.map(x, 'abc').all(y, y == self.u)",
    "map filtered": "self.nl.map(x, x > 1, x * 2).size() > 1",
    "filter": "self.l.filter(x, x != '').size() > 1",
    "filter then all": "self.l.filter(x, x != '').all(y, y == self.u)",
    "transform list": "self.l.transformList(i, x, x + x).all(y, y == self.u)",
    "transform map": "self.m.transformMap(k, v, v + v).all(k, v, v == self.u)",
    "range literal": "[1, 2, 3].all(x, x > self.n)",
    "range texts": "['a', 'bcd'].all(x, x == self.u)",
    "range map": "{'a': 'b', 'cd': 'efg'}.all(k, k == self.u)",
    "range maps": "[{'a': 1}].all(m, m.a == 1)",
    "index": "self.l[0] == self.u && self.m['a'] == self.u",
    "index of objects": "self.ol[0].k == self.u",
    "field of a map": "self.m.a == self.u",
    "deep": "self.o.x.y.z == self.u",
    "optional field": "self.?o.?x.?y.?z.orValue('a') == self.u",
    "optional index": "self.l[?0].orValue('a') == self.u",
    "optional map": "self.?s.optMap(x, x + 'a').orValue('b') == self.u",
    "optional value": "optional.of(self.s).value() == self.u",
    "lower": "self.u.lowerAscii() == self.s.upperAscii()",
    "trim": "self.u.trim() == self.u",
    "substring": "self.u.substring(1) == self.u && self.s.substring(1, 2) == self.u",
    "replace": "self.s.replace('a', 'bcd') == self.u",
    "replace nothing": "self.s.replace('', 'b') == self.u",
    "replace by less": "self.s.replace('abc', 'd') == self.u",
    "replace unbounded": "self.u.replace(self.s, self.u) == self.u",
    "replace literals": "'abcabc'.replace('ab', 'x') == self.u",
    "split": "self.u.split(',').size() > 1",
    "split limited": "self.u.split(',', 3).all(x, x == self.u)",
    "join": "self.l.join(',') == self.u",
    "join unbounded": "self.ul.join() == self.u",
    "join literals": "['a', 'bc'].join('--') == self.u",
    "find": "self.s.find('[0-9]+') == self.u",
    "find all": "self.s.findAll('[0-9]+').size() > 1",
    "format": "'%s-%d'.format([self.s, self.n]) == self.u",
    "char at": "self.u.charAt(0) == 'a' && self.u.indexOf('a') == 1",
    "last index": "self.u.lastIndexOf(self.s) > 1 && self.l.indexOf('a') > 1",
    "reverse": "self.l.reverse().all(x, x == self.u)",
    "sum": "self.nl.sum() > 1 && self.nl.max() > 1 && self.nl.min() > 1",
    "sorted": "self.l.isSorted() && self.ul.isSorted() && self.bools.isSorted()",
    "sorted days": "self.days.isSorted()",
    "sort": "self.l.sort().size() > 1 && self.nl.sort().size() > 1",
    "sort by": "self.ol.sortBy(x, x.v).size() > 1",
    "distinct": "self.l.distinct().size() > 1",
    "slice": "self.l.slice(1, 3).size() > 1 && self.l.slice(0, self.n).size() > 1",
    "flatten": "self.ll.flatten().size() > 1",
    "range": "lists.range(10).all(x, x > self.n)",
    "range of a field": "lists.range(self.n).size() > 1",
    "sets": "sets.contains(self.l, ['a', 'b']) && sets.intersects(self.ul, self.l)",
    "sets equal": "sets.equivalent(self.l, self.set)",
    "set equal": "self.set == ['a', 'b']",
    "url": "isURL(self.u) && url(self.u).getHost() == 'a'",
    "urls": "url(self.s) == url(self.u)",
    "ip": "isIP(self.s) && ip(self.s).family() == 4 && ip.isCanonical(self.u)",
    "ips": "ip(self.s) == ip(self.s)",
    "cidr": "isCIDR(self.s) && cidr(self.s).containsIP(self.u)",
    "cidr of addresses": "cidr('10.0.0.0/8').containsIP(ip(self.s)) && cidr(self.s).ip() != ip('1.1.1.1')",
    "cidr of cidrs": "cidr(self.s).containsCIDR(self.u) && cidr(self.s).containsCIDR(cidr(self.s))",
    "cidr parts": "cidr(self.s).masked().prefixLength() == 8",
    "quantity": "isQuantity(self.u) && quantity(self.s).isLessThan(quantity('1Gi'))",
    "quantities": "quantity(self.s) == quantity(self.s) && quantity(self.s).add(1).sign() == 1",
    "semver": "isSemver(self.s) && semver(self.s).major() == 1",
    "named format": "!format.dns1123Label().validate(self.s).hasValue()",
    "named formats": "format.uuid() == format.dns1123Label()",
    "conversions": "string(self.n) == self.u && int(self.s) > 1 && string(self.by) == self.u",
    "bytes": "bytes(self.s) == self.by && bytes(self.u) == self.by",
    "bytes there and back": "string(bytes(self.s)) == self.u",
    "quote": "strings.quote(self.s) == self.u",
    "old": "self.s == oldSelf.s && oldSelf.ul.all(x, x == 'a')",
    "literals": "[[1], [2, 3]].size() == 2 && {'a': [1]}.size() == 1",
    "names of types": "type(self.s) == string && type(self.n) == type(1)",
    "bind": "cel.bind(x, self.u, x == x)",
    "arithmetic": "self.n + 1 * 2 - 3 / 4 % 5 > -self.n && self.d * 2.0 > 1.0 && !self.b",
    "either and or": "self.b || self.u == self.u || self.ul == self.ul",
    "default": "self.defaulted == self.u",
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    both = Pair(tmp_path_factory.mktemp("servers"), oracle("kube"))
    yield both
    both.stop()


def written(pair, schema, **more):
    """Both replies to a definition of that schema."""
    return list(map(causes, pair.call("POST", PATH + "?dryRun=All",
                                      definition("Dear", schema, **more))))


def in_lists(part):
    return obj(**{f"l{most}": items(part, most) for most in (1, 100, 10 ** 4, 10 ** 6, 10 ** 8)})


@pytest.mark.parametrize("name", EXPRESSIONS, ids=lambda n: n.replace(" ", "-"))
def test_A77_costs(name, pair):
    rule = {"rule": EXPRESSIONS[name]}
    if "oldSelf" in rule["rule"]:
        rule["optionalOldSelf"] = False
    ours, theirs = written(pair, in_lists({**PART, **rules(rule)}))
    assert ours == theirs


MESSAGES = {"self.u": False, "'a' + self.s": False, "self.ul.map(x, x + x).join(',')": True,
            "self.u.replace('a', self.u)": False}


@pytest.mark.parametrize("text", MESSAGES)
def test_A77_costs_of_messages(text, pair):
    rule = {"rule": "self.n > 1", "messageExpression": text}
    ours, theirs = written(pair, {**PART, **rules(rule)})
    assert ours == theirs and (ours[0] == 422) == MESSAGES[text]


RULE = rules("self.startsWith('a')")
PLACES = {
    "alone": {**TEXT, **RULE},
    "in a list": items({**TEXT, **RULE}),
    "in a list of a few": items({**TEXT, **RULE}, 5),
    "in lists of a few": items(items({**TEXT, **RULE}, 30), 50),
    "in an open list of a few": items(items({**TEXT, **RULE}, 30)),
    "in a map": entries({**TEXT, **RULE}),
    "in a map of a few": entries({**TEXT, **RULE}, 40),
    "on a list": items(TEXT, **rules("self.all(x, x == 'a')")),
    "on a list of numbers": items(NUMBER, **rules("self.all(x, x > 1)")),
    "on a list of dates": items({**TEXT, "format": "date-time"}, **rules("self.all(x, x == x)")),
    "on a list of durations": items({**TEXT, "format": "duration"}, **rules("self.all(x, x == x)")),
    "on a list of flags": items({"type": "boolean"}, **rules("self.all(x, x)")),
    "on a list of either": items({"x-kubernetes-int-or-string": True},
                                 **rules("self.all(x, type(x) == int)")),
    "on a list of objects": items({**obj(a=TEXT, b=NUMBER, c={**TEXT, "default": "x"},
                                         d=obj(e=TEXT)), "required": ["a", "b", "c", "d"]},
                                  **rules("self.all(x, x.b > 1)")),
    "in objects of a size": items(obj(a={**TEXT, **RULE}, b=TEXT)),
    "on objects of a size": items({**obj(a=TEXT, long=items(TEXT)), "required": ["a", "long"],
                                   **rules("self.a == 'x' && self.long.size() > 1")}),
    "on a map": {**entries(TEXT), **rules("self.all(k, self[k] == 'a')")},
    "on an embedded object": items({
        "type": "object", "x-kubernetes-embedded-resource": True,
        "x-kubernetes-preserve-unknown-fields": True, "required": ["kind", "metadata", "spec"],
        "properties": {"spec": obj(a=TEXT)},
        **rules("self.metadata.name == self.kind && self.spec.a == 'x'")}),
    "of a negative bound": items({**TEXT, **RULE}, 5, minItems=0),
    "many rules": {**TEXT, "maxLength": 60000, **rules(*(
        f"self.matches('^[a-z]{{{i}}}[a-z]*[0-9]+[a-z]*$')" for i in range(1, 30)))},
    "many dear rules": obj(**{f"f{i}": items({**TEXT, **RULE}, 60 + i) for i in range(8)}),
}


@pytest.mark.parametrize("name", PLACES, ids=lambda n: n.replace(" ", "-"))
def test_A77_costs_by_place(name, pair):
    ours, theirs = written(pair, obj(x=PLACES[name]))
    assert ours == theirs


def test_A77_costs_at_the_root(pair):
    ours, theirs = written(pair, obj(l=items(TEXT)), **rules(
        "self.metadata.name.startsWith('a')", "self.spec.l.all(x, x == self.metadata.name)",
        "self.kind == self.apiVersion"))
    assert ours == theirs and ours[0] == 422


def test_A77_a_definition_that_is_there_may_stay_dear(pair):
    """A schema that a definition has already is refused for its sum only."""
    cheap = definition("Grown", obj(x=TEXT))
    dear = definition("Grown", obj(x=items({**TEXT, **RULE}, 20)))
    name = cheap["metadata"]["name"]
    for server in pair.servers:
        server.apply(cheap)
    merge = "application/merge-patch+json"
    ours, theirs = map(causes, pair.call("PATCH", f"{PATH}/{name}", {"spec": dear["spec"]}, merge))
    assert ours == theirs and theirs[0] == 200
    for patch in ({"spec": {"names": {"shortNames": ["gr"]}}},
                  {"spec": definition("Grown", obj(x=items({**TEXT, **RULE}, 60)))["spec"]},
                  {"spec": definition("Grown", obj(x=items({**TEXT, **RULE}, 9000)))["spec"]}):
        ours, theirs = map(causes, pair.call("PATCH", f"{PATH}/{name}", patch, merge))
        assert ours == theirs, patch
