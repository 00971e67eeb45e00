"""Charts of several templates from a grammar of typed expressions: unlike random_templates' documents
they are well-formed and mostly run to their end, through scopes, branches, loops, defines that
override each other, recursion, methods, and all that output can be piped through."""
import random

from .random_templates import LAYOUTS, literal

FILES = {"f.txt": "one\ntwo\n\nthree", "conf/a.ini": "[a]\nk = v\n", "conf/b.bin": "\x01\x7f", "e": "",
         "conf/deep/c.yaml": "x: [1, {y: z}]\n# end"}
VALUES = {
    "n": 3, "f": 1.5, "big": 1234567, "huge": 1e21, "neg": -7, "zero": 0, "s": "text", "empty": "", "on": True, "off": False,
    "nil": None, "lines": "a\n  b\n\nc ", "odd": "x: 'y' #z", "yes": "yes", "num": "0x1F", "date": "2024-01-02",
    "list": [1, "two", None, {"x": "y"}, [1, [2]], 2.5, True, ""], "nums": [3, 1, 2.5, -1, 0], "strs": ["b", "a", "C", "", "a10", "a2"],
    "maps": [{"name": "p", "port": 80}, {"name": "q", "port": 8080, "opt": {"a": None}}, {"name": None}],
    "map": {"z": 1, "a10": 2, "a2": "3", "y": None}, "nested": {"k": [{"m": None, "t": "a\nb"}], "e": {}, "l": [], "d": {"e": {"f": 1e6}}},
    "tree": {"v": 1, "kids": [{"v": 2, "kids": []}, {"v": 3.5, "kids": [{"v": "x"}]}]}, "tpl": "{{ .Release.Name }}-{{ .Values.n }}",
    "keys": {"true": 1, "1": 2, "a b": 3, "é": 4, "": 5, "~": 6, "0x1": 7, "a.b/c": 8}}
INTS = ["0", "1", "2", "7", "0x1F", "0b101", "0o17", "017", "1_000", "'a'", "'\\n'", "-1", "+3", "-0x10", "0X_ff", "1000000"]
FLOATS = ["1.5", "1e3", ".5", "-2.25", "1e21", "1e-7", "0x1p-2", "1_0.2_5", "3.0", "6.02e23", "100000.0", "2.5e5"]
STRINGS = ["", "a", "abc", "Hello World", "a,b,c", "x: y", "- z", "1", "true", "é😀", " lead", "tail ", "a\nb", "%d", "<&>", "it's", "no", "~",
           "1e3", "2024-01-02", "a/b/c.txt", "v1.2.3", "k", "z", "name"]
RAW = ["`raw \\n \"q\"`", "`{{ not }}`", "`a\nb`", "``", "`C:\\x`"]
FORMATS = ["%v", "%s", "%q", "%d", "%5d|", "%-5s|", "%05d", "%x", "%X", "%#v", "%+v", "%T", "%t", "%.2f", "%8.3f", "%e", "%g", "%c", "%U",
           "%%", "%[1]v", "%*d", "%08.3f", "%+d", "% d", "%#x", "%6.2s|", "%!", "%", "%b", "%o", "%#q", "%+q", "% x", "%-8v|"]


class Maker:
    """One template's text; `vars` are the variables in scope, `loops` the loops around."""

    def __init__(self, rng, defines):
        self.rng, self.defines = rng, defines
        self.vars, self.loops = [], 0

    def one(self, *makers):
        return self.rng.choice(makers)()

    def var(self, fallback):
        return self.rng.choice(self.vars) if self.vars else fallback

    def field(self):
        return "$.Values." + self.rng.choice(list(VALUES))

    # --- expressions: in parentheses wherever they have arguments ---

    def integer(self, deep=0):
        if deep > 2:
            return self.rng.choice(INTS)
        return self.one(
            lambda: self.rng.choice(INTS), lambda: f"(int {self.real(deep + 1)})", lambda: f"(len {self.sized(deep + 1)})",
            lambda: f"({self.rng.choice(['add', 'sub', 'mul', 'max', 'min'])} {self.real(deep + 1)} {self.integer(deep + 1)})",
            lambda: f"({self.rng.choice(['div', 'mod'])} {self.integer(deep + 1)} {self.rng.choice(['3', '7', '-2', '0'])})",
            lambda: f"({self.text(deep + 1)} | atoi)", lambda: f"(int64 {self.any(deep + 1)})")

    def real(self, deep=0):
        if deep > 2:
            return self.rng.choice(FLOATS)
        return self.one(
            lambda: self.rng.choice(FLOATS), lambda: f"$.Values.{self.rng.choice(['n', 'f', 'big', 'huge', 'neg', 'zero'])}",
            lambda: self.integer(deep + 1), lambda: f"(float64 {self.any(deep + 1)})",
            lambda: f"({self.rng.choice(['addf', 'mulf', 'maxf', 'divf'])} {self.rng.choice(FLOATS)} {self.real(deep + 1)})",
            lambda: f"({self.rng.choice(['floor', 'ceil'])} {self.real(deep + 1)})",
            lambda: f"(round {self.real(deep + 1)} {self.rng.randrange(4)})")

    def text(self, deep=0):
        if deep > 2:
            return literal(self.rng.choice(STRINGS))
        return self.one(
            lambda: literal(self.rng.choice(STRINGS)), lambda: self.rng.choice(RAW),
            lambda: f"$.Values.{self.rng.choice(['s', 'empty', 'lines', 'odd', 'yes', 'num', 'date', 'tpl'])}",
            lambda: self.rng.choice(["$.Release.Name", "$.Template.Name", "$.Chart.Name", "$.Release.Service", "$.Template.BasePath",
                                     "$.Chart.Version", "$.Capabilities.KubeVersion.Version", "$.Capabilities.KubeVersion.Minor",
                                     "(toString $.Capabilities.KubeVersion)", "$.Release.Namespace", "$.Chart.APIVersion"]),
            lambda: f"(printf {self.format()} {self.any(deep + 1)} {self.any(deep + 1)})",
            lambda: f"(include {literal(self.rng.choice(self.defines))} {self.any(deep + 1)})",
            lambda: f"(tpl {self.rng.choice(['$.Values.tpl', self.inner()])} $)",
            lambda: f"({self.any(deep + 1)} | {self.rng.choice(['toJson', 'toYaml', 'toString', 'quote', 'squote', 'typeOf', 'kindOf', 'toPrettyJson'])})",
            lambda: f"({self.text(deep + 1)} | {self.pipe()})", lambda: f"($.Files.Get {literal(self.rng.choice([*FILES, 'none']))})",
            lambda: f"(print {self.any(deep + 1)} {self.any(deep + 1)} {self.any(deep + 1)})",
            lambda: f"({self.rng.choice(['html', 'js', 'urlquery', 'println'])} {self.text(deep + 1)} {self.any(deep + 1)})",
            lambda: f"(join {literal(self.rng.choice(STRINGS))} {self.items(deep + 1)})",
            lambda: f"({self.rng.choice(['substr', 'substr', 'slice'])} 0 {self.rng.randrange(-1, 9)} {self.text(deep + 1)})",
            lambda: f"(date {literal(self.rng.choice(LAYOUTS))} (int64 {self.rng.randrange(2 * 10**9)}))",
            lambda: f"(ternary {self.text(deep + 1)} {self.text(deep + 1)} {self.truth(deep + 1)})",
            lambda: f"(($.Files.Glob {literal(self.rng.choice(['*', 'conf/*', '**', 'conf/**.yaml', '{f,e}*', '[', 'x']))})"
                    f".{self.rng.choice(['AsConfig', 'AsSecrets'])})")

    def truth(self, deep=0):
        if deep > 2:
            return self.rng.choice(["true", "false"])
        compare = self.rng.choice(["eq", "ne", "lt", "le", "gt", "ge"])
        return self.one(
            lambda: self.rng.choice(["true", "false", "$.Values.on", "$.Values.off", "$.Release.IsInstall", "$.Release.IsUpgrade"]),
            lambda: f"({compare} {self.integer(deep + 1)} {self.integer(deep + 1)})",
            lambda: f"({compare} {self.text(deep + 1)} {self.text(deep + 1)})",
            lambda: f"({compare} {self.rng.choice(FLOATS)} {self.rng.choice(['$.Values.f', '2.5', '1.5'])})",
            lambda: f"(eq {self.any(deep + 1)} {self.any(deep + 1)})" if self.rng.random() < 0.2 else "true",
            lambda: f"(eq {self.text(deep + 1)} {self.text(deep + 1)} {self.text(deep + 1)})",
            lambda: f"(not {self.any(deep + 1)})", lambda: f"(and {self.any(deep + 1)} {self.truth(deep + 1)} | not)",
            lambda: f"(or {self.any(deep + 1)} {self.truth(deep + 1)} | empty)", lambda: f"(empty {self.any(deep + 1)})",
            lambda: f"(hasKey {self.mapping(deep + 1)} {literal(self.rng.choice(STRINGS))})",
            lambda: f"(has {self.any(deep + 1)} {self.items(deep + 1)})",
            lambda: f"($.Capabilities.APIVersions.Has {literal(self.rng.choice(['v1', 'apps/v1', 'apps/v1/Deployment', 'x/v1']))})",
            lambda: f"(contains {self.text(deep + 1)} {self.text(deep + 1)})", lambda: f"(deepEqual {self.any(deep + 1)} {self.any(deep + 1)})",
            lambda: f"(kindIs {literal(self.rng.choice(['map', 'slice', 'string', 'float64', 'int', 'invalid', 'bool']))} {self.any(deep + 1)})",
            lambda: f"(semverCompare {literal(self.rng.choice(['>=1.2', '<2-0', '^1', '~1.2.3 || 3']))} \"1.2.3\")")

    def items(self, deep=0):
        if deep > 2:
            return self.rng.choice(["$.Values.list", "(list)", "(until 3)"])
        return self.one(
            lambda: f"$.Values.{self.rng.choice(['list', 'nums', 'strs', 'maps', 'nested.l', 'nested.k', 'tree.kids'])}",
            lambda: f"(list {' '.join(self.any(deep + 1) for _ in range(self.rng.randrange(4)))})",
            lambda: self.rng.choice(["(until 4)", "(untilStep 5 -3 -2)", '(splitList "," "c,a,,b")', '($.Files.Lines "f.txt")']),
            lambda: f"(keys {self.mapping(deep + 1)} | sortAlpha)", lambda: f"({self.rng.choice(['rest', 'initial', 'reverse', 'uniq', 'compact'])} {self.items(deep + 1)})",
            lambda: f"({self.rng.choice(['append', 'prepend', 'without'])} {self.items(deep + 1)} {self.any(deep + 1)})",
            lambda: f"(concat {self.items(deep + 1)} {self.items(deep + 1)})", lambda: f"(sortAlpha {self.items(deep + 1)})",
            lambda: f"(chunk 2 {self.items(deep + 1)})", lambda: f"({self.items(deep + 1)} | toYaml | fromYamlArray)",
            lambda: f"(slice {self.items(deep + 1)} {self.rng.choice(['', '0', '0 0'])})")

    def mapping(self, deep=0):
        if deep > 2:
            return self.rng.choice(["$.Values.map", "(dict)", "$.Values.nested"])
        key = lambda: literal(self.rng.choice(STRINGS))
        return self.one(
            lambda: f"$.Values.{self.rng.choice(['map', 'nested', 'nested.d', 'tree', 'keys', 'nested.e'])}",
            lambda: f"(dict {key()} {self.any(deep + 1)} {key()} {self.any(deep + 1)})", lambda: "(index $.Values.maps 1)",
            lambda: f"({self.rng.choice(['pick', 'omit'])} {self.mapping(deep + 1)} {key()} \"z\")",
            lambda: f"({self.rng.choice(['merge', 'mergeOverwrite'])} (deepCopy {self.mapping(deep + 1)}) (deepCopy {self.mapping(deep + 1)}))",
            lambda: f"(set (deepCopy {self.mapping(deep + 1)}) {key()} {self.any(deep + 1)})", lambda: f"({self.mapping(deep + 1)} | toYaml | fromYaml)",
            lambda: f"({self.mapping(deep + 1)} | toJson | fromJson)", lambda: '(split "," "x,y")',
            lambda: f"(default {self.mapping(deep + 1)} {self.mapping(deep + 1)})")

    def sized(self, deep=0):
        return self.one(lambda: self.text(deep), lambda: self.items(deep), lambda: self.mapping(deep))

    def any(self, deep=0):
        return self.one(
            lambda: self.integer(deep), lambda: self.real(deep), lambda: self.text(deep), lambda: self.truth(deep),
            lambda: self.items(deep), lambda: self.mapping(deep), self.field, self.field, lambda: self.var("$.Template"), lambda: self.var("$.Values.s"),
            lambda: f"(index {self.items(deep + 1)} 0)" if self.rng.random() < 0.3 else self.field(),
            lambda: f"(get {self.mapping(deep + 1)} \"z\")", lambda: f"(first {self.items(deep + 1)})",
            lambda: f"(dig \"d\" \"e\" {literal(self.rng.choice(STRINGS))} {self.mapping(deep + 1)})" if self.rng.random() < 0.4 else "nil",
            lambda: f"(coalesce {self.field()} {self.field()} {literal('c')})", lambda: f"({self.field()}).b" if self.rng.random() < 0.1 else "$.Values.none",
            lambda: f"(default {self.any(deep + 1)} {self.any(deep + 1)})" if deep < 2 else "1")

    def inner(self):
        """A template as text, for tpl."""
        return literal("{{- " + self.rng.choice(["$x := 1", "with .Values.map", 'define "inner"', "range .Values.strs"]) + " }}i"
                       + self.rng.choice(["{{ . }}", "", "{{ include \"t0\" 1 }}"]) + "{{ end }}{{ .Values.s }}") \
            if self.rng.random() < 0.5 else literal("{{ .Values." + self.rng.choice(list(VALUES)) + " }}")

    def format(self):
        return literal(" ".join(self.rng.choice(FORMATS) for _ in range(self.rng.randrange(1, 4))))

    def pipe(self):
        return self.rng.choice([
            "upper", "title", "trim", "nindent 2", "indent 3", "b64enc", "trunc 3", "trunc -2", "trimSuffix \"c\"", "replace \"a\" \"bb\"", "quote",
            "sha256sum", "snakecase", "camelcase", "kebabcase", "wrap 4", "abbrev 5", "nospace", "untitle", "swapcase", "repeat 2", "default \"d\"",
            "regexReplaceAll \"[a-c](.)\" \"<$1>\"", "trimAll \"a \"", "substr 0 2", "cat \"x\"", "initials", "plural \"one\" \"many\" | len | toString",
            "regexFind \"[a-z]+\"", "printf \"%-6s|\"", "b32enc", "adler32sum", "osBase", "dir", "squote"])

    # --- statements ---

    def tag(self, text):
        text = self.rng.choice([text, text, text.replace(" | ", "|"), text + " "])
        return self.rng.choice(["{{ ", "{{- ", "{{"]) + text + self.rng.choice([" }}", " -}}", "}}"])

    def body(self, deep):
        known = len(self.vars)
        text = "".join(self.statement(deep + 1) for _ in range(self.rng.randrange(1, 4)))
        del self.vars[known:]
        return text

    def branches(self, deep, word):
        out = self.tag(f"{word} {self.head()}") + self.body(deep)
        while self.rng.random() < 0.3:
            out += self.tag(f"else {word} {self.head()}") + self.body(deep)
        if self.rng.random() < 0.5:
            out += self.tag("else") + self.body(deep)
        return out + self.tag("end")

    def head(self):
        if self.rng.random() < 0.25:
            return f"$w := {self.any()}"
        return self.any()

    def loop(self, deep):
        over = self.one(self.items, self.mapping, lambda: self.rng.choice(["3", "(int $.Values.n)", "0", "nil", "$.Values.none"]))
        names = self.rng.choice([[], [], ["$e"], ["$i", "$e"], ["$_", "$e"]])
        if over in ("3", "0", "(int $.Values.n)"):
            names = names[-1:]
        known = len(self.vars)
        out = self.tag("range " + (", ".join(names) + " := " if names else "") + over)
        self.vars += [n for n in names if n != "$_"]
        self.loops += 1
        out += self.body(deep)
        if self.rng.random() < 0.4:
            out += self.tag(f"if {self.truth()}") + self.body(deep) + self.tag(self.rng.choice(["break", "continue"])) + self.tag("end") + self.body(deep)
        self.loops -= 1
        del self.vars[known:]
        if self.rng.random() < 0.3:
            out += self.tag("else") + self.body(deep)
        return out + self.tag("end")

    def declare(self):
        name = self.rng.choice(["$a", "$b", "$c"])
        if name in self.vars and self.rng.random() < 0.6:
            return self.tag(f"{name} = {self.any()}")
        out = self.tag(f"{name} := {self.any()}")
        self.vars.append(name)
        return out

    def statement(self, deep=0):
        plain = lambda: self.rng.choice(["text ", "\n", "  \n\t", "key: ", "- ", "é ", "}} ", "a: b\n", "# c\n"])
        show = lambda: self.tag(self.one(self.any, self.text, lambda: f"{self.any()} | {self.rng.choice(['toJson', 'toYaml | nindent 2', 'quote', 'len', 'toString | upper'])}"
                                         if self.rng.random() < 0.8 else self.any()))
        if deep > 2:
            return self.one(plain, show)
        return self.one(
            plain, show, show, self.declare, lambda: self.branches(deep, "if"), lambda: self.branches(deep, "with"), lambda: self.loop(deep),
            lambda: self.tag(f"template {literal(self.rng.choice(self.defines))} {self.any()}"),
            lambda: self.rng.choice(["{{/* c */}}", "{{- /* }} \n */ -}}", "{{- /**/}}"]),
            lambda: self.tag(f"block {literal('b' + str(self.rng.randrange(40)))} {self.any()}") + "B{{ . }}" + self.tag("end"))

    def define(self, name):
        """No loops and no calls of others, so that recursion ends: t9 walks the tree."""
        if name == "t9":
            return '{{ define "t9" }}<{{ .v }}{{ range .kids }}{{ template "t9" . }}{{ end }}>{{ end }}'
        return self.tag(f"define {literal(name)}") + self.rng.choice(["T{{ . }}", "", " \n", "{{ $ }}-{{ kindOf . }}", "{{ with . }}{{ . }}{{ else }}none{{ end }}",
                                                                 "{{- if . }} {{ . | toJson }} {{ end -}}"]) + self.tag("end")


def chart(rng):
    """A request of the engines."""
    defines = ["t0", "t1", "t2", "t9"]
    names = rng.sample(["a.yaml", "b.yaml", "z/a.yaml", "z/y/c.txt"], rng.randrange(1, 4))
    helpers = {name: "".join(Maker(rng, defines).define(d) for d in rng.sample(defines, rng.randrange(3)))
               for name in rng.sample(["_h.tpl", "z/_h.tpl", "_i.tpl"], rng.randrange(3))}
    texts = {"_base.tpl": "".join(Maker(rng, defines).define(d) for d in defines), **helpers}
    for name in names:
        texts[name] = "".join(Maker(rng, defines).statement() for _ in range(rng.randrange(1, 4)))
    return {"templates": texts, "values": VALUES, "files": FILES}


def charts(seed, count):
    rng = random.Random(f"flow {seed}")
    return [chart(rng) for _ in range(count)]
