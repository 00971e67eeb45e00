"""Calls of every function with arguments of every type, from a seed."""
import random

# What gives other results each time, or asks the clock.
RANDOM = {"randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes", "randInt", "shuffle", "uuidv4",
          "now", "ago", "bcrypt", "htpasswd", "genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert",
          "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey", "encryptAES", "keys", "values",
          "derivePassword"}

LAYOUTS = ["2006-01-02", "Mon Jan _2 15:04:05 MST 2006", "02/01/06 03:04PM", "2006-01-02T15:04:05Z07:00", "Monday, January 2",
           "15:04:05.000", "3:4:5 pm -0700", "__2 002", ".999", "Janet", "2006", "06-1-2", "Z070000", "-07:00:00", ""]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "nowhere", "", "Australia/Lord_Howe"]
DATES = ["2024-05-06", "06/05/24 11:12PM", "Mon May  6 13:14:15 UTC 2024", "2024-05-06T07:08:09+02:00", "2024-13-01", "2024-02-30",
         "Monday, May 6", "13:14:15.678", "x", ""]

FUNCTIONS = """
hello abbrev abbrevboth trunc trim upper lower title untitle substr repeat trimall trimAll trimSuffix trimPrefix
nospace initials swapcase snakecase camelcase kebabcase wrap wrapWith contains hasPrefix hasSuffix quote squote
cat indent nindent replace plural sha1sum sha256sum sha512sum adler32sum toString atoi int64 int float64 seq
toDecimal split splitList splitn toStrings until untilStep add1 add sub div mod mul add1f addf subf divf mulf
biggest max min maxf minf ceil floor round join sortAlpha default empty coalesce all any compact mustCompact
fromJson toJson toPrettyJson toRawJson mustFromJson mustToJson mustToPrettyJson mustToRawJson ternary deepCopy
mustDeepCopy typeOf typeIs typeIsLike kindOf kindIs deepEqual base dir clean ext isAbs osBase osClean osDir osExt
osIsAbs b64enc b64dec b32enc b32dec tuple list dict get set unset hasKey pluck pick omit merge mergeOverwrite
mustMerge mustMergeOverwrite append push mustAppend mustPush prepend mustPrepend first mustFirst rest mustRest
last mustLast initial mustInitial reverse mustReverse uniq mustUniq without mustWithout has mustHas slice
mustSlice concat dig chunk mustChunk semver semverCompare regexMatch mustRegexMatch regexFindAll
mustRegexFindAll regexFind mustRegexFind regexReplaceAll mustRegexReplaceAll regexReplaceAllLiteral
mustRegexReplaceAllLiteral regexSplit mustRegexSplit regexQuoteMeta urlParse urlJoin duration durationRound
unixEpoch toDate mustToDate dateModify mustDateModify date dateInZone htmlDate htmlDateInZone
toYaml mustToYaml fromYaml fromYamlArray fromJsonArray toYamlPretty toToml fromToml required lookup
and or not len index print printf println html js urlquery eq ne lt le gt ge call
""".split()

STRINGS = ["", "a", "abc", " lead", "trail ", "Hello World", "foo-bar_baz", "FirstName HTTPServer2Go", "é", "日本語", "x😀y",
           "a,b,c", "1", "010", "0x1F", "1.5", "-3", "1e3", "true", "null", "no", "a: b", "- x", "#c", "{}", "[1,2]", '{"a":1}',
           "a\nb", "a\nb\n", "\ta", "a/b/c.txt", "/a/../b", "..", "$1", "a.b", "(", "[a-c]+", "b*", "^a", "\\d+", "v1.2.3",
           "1.2.3-beta+x", ">=1.0", "^1.2", "http://u:p@h:8/p?q=1#f", "%41", "1h30m", "2006-01-02", "2024-02-30", "yes", "~",
           "it's \"q\" `b`", "<a&b>", "12:30", "0777", "_", "A B  C", "k", "deep", "string", "int", "float64", "map", "slice"]
NUMBERS = ["0", "1", "2", "3", "-1", "5", "10", "100", "255", "1.5", "-2.25", "0.1", "1e6", "1e21", "1e-7", "3.0", "12345678.9"]
VALUES = [".Values.n", ".Values.f", ".Values.s", ".Values.list", ".Values.map", ".Values.nil", ".Values.none", ".Values.on",
          ".Values.off", ".Values.a", ".Values.a.b", ".Values.empty", ".Values", ".Values.nums", ".Values.strs", ".Values.big",
          ".Values.neg", ".Values.nested"]
TREE = {"n": 3, "f": 1.5, "s": "text", "list": [1, "two", None, {"x": "y"}, [1], 2.5, True], "map": {"z": 1, "a10": 2, "a2": "3"},
        "nil": None, "on": True, "off": False, "a": {"b": {"c": "deep"}}, "empty": "", "nums": [3, 1, 2, 1, 0],
        "strs": ["b", "a", "c", "a", ""], "big": 123456789, "neg": -7, "nested": {"k": [{"m": None, "t": "a\nb"}], "e": {}, "l": []}}


def literal(text):
    out = ['"']
    for char in text:
        out.append({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}.get(char, char))
    return "".join(out) + '"'


def argument(rng, depth=0):
    kind = rng.randrange(13)
    if kind < 5:
        return literal(rng.choice(STRINGS))
    if kind < 7:
        return rng.choice(NUMBERS)
    if kind < 9 or depth > 1:
        return rng.choice(VALUES)
    inner = " ".join(argument(rng, depth + 1) for _ in range(rng.randrange(4)))
    return rng.choice([f"(list {inner})", f"(dict {inner})", "(int .Values.n)", "(int64 7)", "nil", "true", "false",
                       "(until 4)", '(splitList "," "c,a,b")', "(float64 2)", '(split "," "x,y")'])


def shaped(rng, name):
    """Arguments that the function can take, more often than chance gives them."""
    s, n, v = (lambda: literal(rng.choice(STRINGS))), (lambda: str(rng.randrange(-2, 12))), (lambda: rng.choice(VALUES))
    many = lambda make: " ".join(make() for _ in range(rng.randrange(1, 4)))
    map_ = lambda: rng.choice([".Values.map", ".Values.a", ".Values.nested", f"(dict {s()} {argument(rng)} {s()} {argument(rng)})"])
    list_ = lambda: rng.choice([".Values.list", ".Values.nums", ".Values.strs", f"(list {many(lambda: argument(rng))})", "(until 5)"])
    when = lambda: rng.choice([str(rng.randrange(-10**9, 4 * 10**9)), f"(int64 {rng.randrange(2 * 10**9)})",
                               '(toDate "2006-01-02 15:04:05" "2024-07-06 01:02:03")'])
    shapes = {
        "abbrev": lambda: f"{n()} {s()}", "abbrevboth": lambda: f"{n()} {n()} {s()}", "trunc": lambda: f"{n()} {s()}",
        "substr": lambda: f"{n()} {n()} {s()}", "repeat": lambda: f"{n()} {s()}", "wrap": lambda: f"{n()} {s()}",
        "wrapWith": lambda: f"{n()} {s()} {s()}", "indent": lambda: f"{n()} {s()}", "nindent": lambda: f"{n()} {s()}",
        "replace": lambda: f"{s()} {s()} {s()}", "plural": lambda: f"{s()} {s()} {n()}", "splitn": lambda: f"{s()} {n()} {s()}",
        "until": n, "untilStep": lambda: f"{n()} {n()} {n()}", "seq": lambda: many(n), "round": lambda: f"{argument(rng)} {n()}",
        "ternary": lambda: f"{argument(rng)} {argument(rng)} {rng.choice(['true', 'false', '.Values.on'])}",
        "join": lambda: f"{s()} {list_()}", "regexFindAll": lambda: f"{s()} {s()} {n()}", "regexSplit": lambda: f"{s()} {s()} {n()}",
        "mustRegexFindAll": lambda: f"{s()} {s()} {n()}", "mustRegexSplit": lambda: f"{s()} {s()} {n()}",
        "chunk": lambda: f"{rng.randrange(1, 5)} {list_()}", "mustChunk": lambda: f"{rng.randrange(1, 5)} {list_()}",
        "slice": lambda: f"{list_()} {rng.randrange(0, 2)} {rng.randrange(1, 3)}", "get": lambda: f"{map_()} {s()}",
        "set": lambda: f"(deepCopy {map_()}) {s()} {argument(rng)}", "unset": lambda: f"(deepCopy {map_()}) {s()}",
        "hasKey": lambda: f"{map_()} {s()}", "pluck": lambda: f"{s()} {many(map_)}", "pick": lambda: f"{map_()} {many(s)}",
        "omit": lambda: f"{map_()} {many(s)}", "dig": lambda: f"{many(s)} {argument(rng)} {map_()}",
        "has": lambda: f"{argument(rng)} {list_()}", "mustHas": lambda: f"{argument(rng)} {list_()}",
        "index": lambda: f"{rng.choice([list_, map_])()} {rng.choice([n, s])()}", "printf": lambda: f"{fmt(rng)} {many(lambda: argument(rng))}",
        "dateInZone": lambda: f"{literal(rng.choice(LAYOUTS))} {when()} {literal(rng.choice(ZONES))}",
        "date": lambda: f"{literal(rng.choice(LAYOUTS))} {when()}", "htmlDate": when,
        "htmlDateInZone": lambda: f"{when()} {literal(rng.choice(ZONES))}",
        "toDate": lambda: f"{literal(rng.choice(LAYOUTS))} {literal(rng.choice(DATES))}",
        "mustToDate": lambda: f"{literal(rng.choice(LAYOUTS))} {literal(rng.choice(DATES))}",
        "mustDateModify": lambda: f"{s()} (toDate \"2006-01-02\" \"2024-05-06\")",
        "dateModify": lambda: f"{s()} (toDate \"2006-01-02\" \"2024-05-06\")", "unixEpoch": lambda: '(toDate "2006-01-02" "2024-05-06")',
        "semverCompare": lambda: f'{literal(rng.choice([">=1.0", "^1.2", "~1.2.3", "1.x", "<2 || >3", "=1.2.3", "!=1", "x"]))} '
                                 f'{literal(rng.choice(["1.2.3", "v1.2.3-beta", "2", "1.0", "3.1.0+b", "bad"]))}',
        "semver": lambda: literal(rng.choice(["1.2.3", "v1.2.3-beta+x", "2", "bad", "1.2.3.4"])),
        "urlParse": lambda: literal(rng.choice(["http://u:p@h:8/p%20q?q=1#f", "a/b", "mailto:x@y", "//h/p", "", "?q", "h:x", "http://[::1]:80/"])),
        "urlJoin": lambda: f'(dict "scheme" {s()} "host" "h" "path" {s()} "query" {s()})',
    }
    merges = ("merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite")
    if name in merges:
        return f"(deepCopy {map_()}) " + many(lambda: f"(deepCopy {map_()})")
    if name in shapes:
        return shapes[name]()
    lists = ("compact", "first", "rest", "last", "initial", "reverse", "uniq", "sortAlpha", "toStrings", "concat")
    base = name.removeprefix("must").lower()
    if base in [x.lower() for x in lists]:
        return list_()
    if base in ("append", "push", "prepend", "without"):
        return f"{list_()} {many(lambda: argument(rng))}" if base == "without" else f"{list_()} {argument(rng)}"
    return None


def fmt(rng):
    parts = []
    for _ in range(rng.randrange(1, 4)):
        flags = "".join(rng.sample("+-# 0", rng.randrange(0, 3))) if rng.random() < 0.4 else ""
        width = rng.choice(["", "", "5", "8", "2"])
        precision = rng.choice(["", "", ".2", ".0", ".5"])
        parts.append(f"%{flags}{width}{precision}{rng.choice('vvvdsqxXtfgeTcUbo')}")
    return literal("|".join(parts))


def call(rng, name):
    if rng.random() < 0.65:
        given = shaped(rng, name)
        if given is not None:
            return f"{name} {given}"
    if name in ("date", "dateInZone", "htmlDate", "htmlDateInZone"):
        return f"{name} {shaped(rng, name)}"  # anything else is now
    count = rng.choice([0, 1, 1, 1, 2, 2, 3])
    return f"{name} " + " ".join(argument(rng) for _ in range(count))


def template(rng, name):
    shown = rng.choice(["", " | toJson", " | quote", " | typeOf", " | printf \"%v\""])
    return "{{ " + call(rng, name) + shown + " }}"


def templates(seed, count):
    rng = random.Random(seed)
    names = [name for name in FUNCTIONS if name not in RANDOM]
    return [template(rng, names[at % len(names)]) for at in range(count)]


# ---- whole templates from a grammar ----

def pipeline(rng, depth):
    kind = rng.randrange(10)
    if kind < 3:
        return rng.choice(VALUES + [".x", "$.Values.n", "$v", "$undefined", ".Values.list.x", ".Values.a.b.c.d"])
    if kind < 5:
        return argument(rng)
    if kind < 7 and depth < 3:
        return f"{pipeline(rng, depth + 1)} | {rng.choice(['quote', 'toString', 'len', 'upper', 'default 1', 'toJson', 'int', 'first', 'nope'])}"
    if kind < 8:
        return f"({pipeline(rng, depth + 1)}){rng.choice(['', '.x', '.b', '.b.c'])}" if depth < 3 else "1"
    if kind < 9:
        return call(rng, rng.choice(["eq", "and", "or", "not", "index", "printf", "list", "dict", "add", "ternary"]))
    return rng.choice(['include "t" .Values', 'include "none" .', 'tpl "{{ . }}" .Values.s', 'tpl "{{ .x" .', "$v := 1", "$v = 2"])


def block(rng, depth):
    body = lambda: "".join(piece(rng, depth + 1) for _ in range(rng.randrange(1, 3)))
    open_, close = rng.choice(["{{ ", "{{- "]), rng.choice([" }}", " -}}"])
    tag = lambda text: rng.choice(["{{ ", "{{- ", "{{"]) + text + rng.choice([" }}", " -}}", "}}"])
    otherwise = rng.choice(["", "", tag("else") + body(), tag("else if " + pipeline(rng, 1)) + body()])
    kind = rng.randrange(6)
    if kind == 0:
        return tag("if " + pipeline(rng, 0)) + body() + otherwise + tag("end")
    if kind == 1:
        return tag("with " + pipeline(rng, 0)) + body() + rng.choice(["", tag("else") + body()]) + tag("end")
    if kind < 4:
        head = rng.choice(["", "$i, $v := ", "$v := ", "$_, $x = "])
        jump = rng.choice(["", "", tag("break"), tag("continue")])
        return tag("range " + head + pipeline(rng, 0)) + body() + jump + rng.choice(["", tag("else") + body()]) + tag("end")
    if kind == 4:
        return open_ + f'define "{rng.choice("tuv")}"' + close + body() + tag("end") if depth == 0 else "text"
    return tag(rng.choice(['template "t" .Values.a', 'template "none"', 'block "b" .Values', "$v := 3", "/* c */", "end", "else"]))


def piece(rng, depth):
    kind = rng.randrange(10)
    if kind < 3:
        return rng.choice(["text ", "\n", "  \n  ", "é", "<no value>", "}}", "a: b\n"])
    if kind < 7 or depth > 2:
        return rng.choice(["{{ ", "{{- ", "{{"]) + pipeline(rng, 0) + rng.choice([" }}", " -}}", "}}"])
    return block(rng, depth)


def documents(seed, count):
    """Templates of text, actions and blocks, not all of them well-formed."""
    rng = random.Random(f"documents {seed}")
    start = '{{ define "t" }}<{{ . }}>{{ end }}'
    return [start + "".join(piece(rng, 0) for _ in range(rng.randrange(1, 6))) for _ in range(count)]
