"""Random expressions, mostly well typed, over VARS."""
from .cases import VARS

TEXTS = ["", "a", "abc", "Hello", "h\u00e9llo", "12", "1.5", "true", "a,b,c",
         "2023-01-02T03:04:05Z", "1h30m", "1Gi", "10.0.0.1", "10.0.0.0/8",
         "https://a.test:80/p?q=1", "1.2.3", "x-y"]
NUMBERS = [0, 1, 2, 3, 7, -1, -5, 10, 63, 100, 9223372036854775807, -9223372036854775808]
REALS = [0.0, 0.5, 1.0, 2.5, -1.5, 1e3, 1e20, 1.5e-5]
SHOWN = ["int", "double", "bool", "span", "time", "bytes"]
ORDERS = ["sort", "distinct", "reverse"]
PATTERNS = ["a", "^a", "[a-z]+", "b*", "(a|b)c?", "l+"]


class Maker:
    def __init__(self, random):
        self.random = random
        self.bound = []  # (name, type) of comprehensions around

    def pick(self, options):
        return self.random.choice(options)

    def text(self):
        value = self.pick(TEXTS)
        return "'" + value + "'"

    def leaf(self, kind):
        names = [name for name, of in self.bound if of == kind]
        if names and self.random.random() < 0.5:
            return self.pick(names)
        known = {"int": ["n", "m", "o.a", "lm[0].v", "size(l)"], "string": ["s", "e", "u", "o.b.c"],
                 "bool": ["t", "has(o.a)", "has(o.nope)"], "double": ["f"],
                 "list(int)": ["l"], "list(string)": ["ls"]}
        if kind in known and self.random.random() < 0.3:
            return self.pick(known[kind])
        return {"int": lambda: str(self.pick(NUMBERS)),
                "uint": lambda: f"{abs(self.pick(NUMBERS))}u",
                "double": lambda: repr(self.pick(REALS)),
                "bool": lambda: self.pick(["true", "false"]),
                "string": self.text, "bytes": lambda: "b" + self.text(), "null": lambda: "null",
                "list(int)": lambda: f"[{self.leaf('int')}, {self.leaf('int')}]",
                "list(string)": lambda: f"[{self.text()}, {self.text()}]",
                "time": lambda: "timestamp('2023-07-14T10:30:45.123Z')",
                "span": lambda: self.pick(["duration('1h30m')", "duration('-5s')",
                                           "duration('1ns')"])}[kind]()

    def make(self, kind, depth):
        if depth <= 0 or self.random.random() < 0.1:
            return self.leaf(kind)
        # Now and then a type that does not belong there, or that nobody knows before it runs.
        if self.random.random() < 0.04:
            other = self.pick(["int", "string", "bool", "double", "list(int)"])
            made = self.make(other, depth - 1)
            return made if self.random.random() < 0.5 else f"dyn({made})"
        return getattr(self, "make_" + kind.replace("(", "_").replace(")", ""))(depth - 1)

    def both(self, kind, depth, operators):
        return f"({self.make(kind, depth)} {self.pick(operators)} {self.make(kind, depth)})"

    def fold(self, item, depth):
        """A list of items of a kind and a variable for them, bound while `body` is made."""
        return self.make(f"list({item})", depth), self.pick("xyz")

    def within(self, name, kind, make):
        self.bound.append((name, kind))
        try:
            return make()
        finally:
            self.bound.pop()

    def make_int(self, d):
        m = self.make
        return self.pick([
            lambda: self.both("int", d, ["+", "-", "*", "/", "%"]),
            lambda: f"size({m(self.pick(['string', 'list(int)', 'bytes']), d)})",
            lambda: f"int({m(self.pick(['string', 'double', 'uint']), d)})",
            lambda: f"-({m('int', d)})",
            lambda: f"({m('bool', d)} ? {m('int', d)} : {m('int', d)})",
            lambda: f"{m('list(int)', d)}[{m('int', 0)}]",
            lambda: f"{m('string', d)}.{self.pick(['indexOf', 'lastIndexOf'])}({m('string', d)})",
            lambda: f"{m('time', d)}.{self.pick(['getHours', 'getDate', 'getDayOfYear'])}()",
            lambda: f"{m('span', d)}.{self.pick(['getHours', 'getSeconds'])}()",
            lambda: f"o.?{self.pick(['a', 'nope'])}.orValue({m('int', d)})",
            lambda: f"{m('list(int)', d)}.{self.pick(['sum', 'max', 'min'])}()"])()

    def make_uint(self, d):
        return self.pick([lambda: self.both("uint", d, ["+", "-", "*", "/", "%"]),
                          lambda: f"uint({self.make(self.pick(['int', 'double']), d)})"])()

    def make_double(self, d):
        return self.pick([lambda: self.both("double", d, ["+", "-", "*", "/"]),
                          lambda: f"double({self.make(self.pick(['int', 'string', 'uint']), d)})",
                          lambda: f"-({self.make('double', d)})"])()

    def make_string(self, d):
        m = self.make
        return self.pick([
            lambda: self.both("string", d, ["+"]),
            lambda: f"string({m(self.pick(SHOWN), d)})",
            lambda: f"{m('string', d)}.{self.pick(['lowerAscii', 'upperAscii', 'trim'])}()",
            lambda: f"{m('string', d)}.replace({m('string', d)}, {m('string', d)})",
            lambda: f"{m('string', d)}.substring({m('int', 0)})",
            lambda: f"{m('string', d)}.charAt({m('int', 0)})",
            lambda: f"{m('list(string)', d)}.join({m('string', 0)})",
            lambda: f"'%s %s'.format([{m('int', d)}, {m('string', d)}])",
            lambda: f"({m('bool', d)} ? {m('string', d)} : {m('string', d)})",
            lambda: f"strings.quote({m('string', d)})",
            lambda: f"{m('string', d)}.find('{self.pick(PATTERNS)}')"])()

    def make_bytes(self, d):
        return self.pick([lambda: f"bytes({self.make('string', d)})",
                          lambda: self.both("bytes", d, ["+"])])()

    def make_time(self, d):
        return f"({self.make('time', d)} {self.pick('+-')} {self.make('span', d)})"

    def make_span(self, d):
        return self.pick([lambda: self.both("span", d, ["+", "-"]),
                          lambda: f"({self.make('time', d)} - {self.make('time', d)})",
                          lambda: f"duration({self.make('string', 0)})"])()

    def make_bool(self, d):
        m = self.make
        kind = self.pick(["int", "string", "double", "uint", "bytes", "time", "span", "bool"])
        item = self.pick(["int", "string"])
        return self.pick([
            lambda: self.both("bool", d, ["&&", "||"]), lambda: self.both("bool", d, ["&&", "||"]),
            lambda: f"!{m('bool', d)}",
            lambda: self.both(kind, d, ["==", "!=", "<", "<=", ">", ">="]),
            lambda: f"({m('int', d)} {self.pick(['<', '>=', '>'])} {m('double', d)})",
            lambda: f"({m(item, d)} in {m(f'list({item})', d)})",
            lambda: f"({m('list(int)', d)} == {m('list(int)', d)})",
            lambda: f"{m('string', d)}.{self.pick(['startsWith', 'endsWith', 'contains'])}("
                    f"{m('string', d)})",
            lambda: f"{m('string', d)}.matches('{self.pick(PATTERNS)}')",
            lambda: self.quantifier(item, d),
            lambda: f"{m('list(int)', d)}.isSorted()",
            lambda: f"sets.contains({m('list(int)', d)}, {m('list(int)', d)})",
            lambda: f"{self.pick(['isQuantity', 'isIP', 'isCIDR', 'isURL', 'isSemver'])}("
                    f"{m('string', d)})"])()

    def quantifier(self, item, d):
        base, name = self.fold(item, d)
        body = self.within(name, item, lambda: self.make("bool", d))
        return f"{base}.{self.pick(['all', 'exists', 'exists_one'])}({name}, {body})"

    def listing(self, item, d):
        base, name = self.fold(item, d)
        if self.random.random() < 0.5:
            body = self.within(name, item, lambda: self.make(item, d))
            return f"{base}.map({name}, {body})"
        body = self.within(name, item, lambda: self.make("bool", d))
        return f"{base}.filter({name}, {body})"

    def make_list_int(self, d):
        return self.pick([lambda: self.listing("int", d), lambda: self.both("list(int)", d, ["+"]),
                          lambda: f"[{self.make('int', d)}, {self.make('int', d)}]",
                          lambda: f"{self.make('list(int)', d)}.{self.pick(ORDERS)}()",
                          lambda: f"{self.make('list(int)', d)}.slice(0, {self.make('int', 0)})"])()

    def make_list_string(self, d):
        return self.pick([lambda: self.listing("string", d),
                          lambda: self.both("list(string)", d, ["+"]),
                          lambda: f"[{self.make('string', d)}]",
                          lambda: f"{self.make('string', d)}.split({self.text()})",
                          lambda: f"{self.make('string', d)}.findAll('{self.pick(PATTERNS)}')"])()


KINDS = ["bool", "int", "string", "double", "uint", "list(int)", "list(string)", "bytes", "time",
         "span"]


def make(random, depth=4):
    return {"env": random.choice(["kube", "kube", "flux"]), "parseOnly": False, "vars": VARS,
            "expr": Maker(random).make(random.choice(KINDS), depth)}
