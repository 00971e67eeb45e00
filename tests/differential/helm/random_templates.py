"""Calls of every function with arguments of every type, from a seed."""
import random

# What gives other results each time, or asks the clock.
RANDOM = {"randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes", "randInt", "shuffle", "uuidv4",
          "now", "ago", "bcrypt", "htpasswd", "genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert",
          "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey", "encryptAES", "keys", "values",
          "date", "dateInZone", "date_in_zone", "htmlDate", "htmlDateInZone", "derivePassword"}

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
unixEpoch toDate mustToDate dateModify
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
    count = rng.choice([0, 1, 1, 1, 2, 2, 3])
    return f"{name} " + " ".join(argument(rng) for _ in range(count))


def template(rng, name):
    shown = rng.choice(["", " | toJson", " | quote", " | typeOf", " | printf \"%v\""])
    return "{{ " + call(rng, name) + shown + " }}"


def templates(seed, count):
    rng = random.Random(seed)
    names = [name for name in FUNCTIONS if name not in RANDOM]
    return [template(rng, names[at % len(names)]) for at in range(count)]
