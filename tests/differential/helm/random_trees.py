"""Charts with subcharts, made at random: values written in YAML's odd forms, nulls, globals, imports,
conditions, tags and aliases, with the flags that set values; and random JSON Schemas."""
import json
import random

from . import cases_schemas

KEYS = ["a", "b", "c", "a10", "x y", "on", "1", "global", "s0", "s1", "al"]
ODD = ["null", "~", "", "0777", "0o17", "0x1F", "0b11", "1_000", "1e3", "1.", ".5", "+1", "-0", "12:30", "1:2:3.5", "2024-01-02", "2024-01-02T03:04:05Z",
       "yes", "No", "ON", "off", "y", "N", "True", "FALSE", ".inf", "-.Inf", "NaN", ".nan", "'yes'", '"1"', "'it''s'", '"tab\\tx"', "plain text", "a: b",
       "a #b", "a#b", "'#x'", "@x", "'`x'", "[1, yes, ~]", "{x: 1, y: null}", "[]", "{}", "18446744073709551615", "9223372036854775808", "-9223372036854775809",
       "1e400", "123456789012345678901234567890", "0.1", "1e-7", "123456.7", "1234567.8", "!!str 1", "!!int '3'", "!!float 3", "é", "😀", '"\\u00e9\\x41"', "=", "<<", "-", "- x", "?x",
       ":x", "x:", "\\n", "'a\n\n    b'", '"a \\\n    b"', "null # c", "0.0", "-1.50", "1E+2", "08", "0_7", "0x_1", "_1", "1__0", "-0x1f", "+.5", "1.5e", "e1", "3.0"]
BLOCKS = ["|\n{i}a\n{i} b\n", "|-\n{i}a\n\n{i}b \n", ">\n{i}a\n{i}b\n\n{i}c\n", "|+\n{i}a\n\n\n", ">-\n{i}a\n{i}  b\n{i}c\n", "|2\n{i}  x\n", ">+\n{i}\n{i}x\n\n"]
LEAVES = [1, 2.5, 0, -3, "x", "", "null", True, False, None, [1, None], [], {}, {"k": None}, {"k": {"z": 1}}, "1", 1e6, "a\nb"]
SHOW = ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Chart.Name }}}\ndata:\n  json: {{ .Values | toJson | quote }}\n"
        "  yaml: |\n{{ .Values | toYaml | indent 4 }}\n  print: {{ printf \"%v\" .Values | quote }}\n  kinds:\n"
        "{{- range $k, $v := .Values }}\n  - {{ $k | quote }}\n  - {{ kindOf $v }}{{ end }}\n")


def tree(rng, depth):
    if depth == 0 or rng.random() < 0.4:
        return rng.choice(LEAVES)
    return {rng.choice(KEYS): tree(rng, depth - 1) for _ in range(rng.randrange(4))}


def written(rng, depth, indent=""):
    """A mapping of YAML text."""
    lines = []
    for key in rng.sample(KEYS, rng.randrange(1, 5)):
        key = f"'{key}'" if key == "x y" else key
        kind = rng.randrange(10)
        if kind < 5 or depth == 0:
            value = rng.choice(ODD)
            if key == "global" and rng.random() < 0.8:
                value = rng.choice(["{g: 1}", "{g: {h: ~}}", "null"])
            lines.append(f"{indent}{key}: {value}\n")
        elif kind < 6:
            lines.append(f"{indent}{key}: {rng.choice(BLOCKS).replace('{i}', indent + '  ')}")
        elif kind < 7:
            lines.append(f"{indent}{key}:\n" + "".join(f"{indent}- {rng.choice(ODD)}\n" for _ in range(rng.randrange(1, 4))))
        else:
            lines.append(f"{indent}{key}:\n" + written(rng, depth - 1, indent + "  "))
    return "".join(lines)


def dependency(rng, number, path):
    found = {"name": f"s{number}", "version": rng.choice(["0.1.0", "*", ">=0.1.0", "^0.1", "1.x"] if rng.random() < 0.3 else ["0.1.0"])}
    if rng.random() < 0.3:
        found["condition"] = rng.choice([f"s{number}.on", "a", "on,b", f"s{number}.a", "c.a"])
    if rng.random() < 0.3:
        found["tags"] = rng.sample(["t", "u"], rng.randrange(1, 3))
    if rng.random() < 0.25:
        found["alias"] = "al" if number == 0 else "x"
    if rng.random() < 0.4:
        found["import-values"] = rng.sample(["data", {"child": "a", "parent": "b"}, {"child": "b", "parent": "."}, {"child": ".", "parent": "c"},
                                             {"child": "none", "parent": "b"}, {"child": "global", "parent": "global"}], rng.randrange(1, 3))
    return found


def chart(rng, name, path, depth, files):
    """Adds the files of a chart below `path`."""
    head = {"apiVersion": "v2", "name": name, "version": "0.1.0"}
    children = range(rng.randrange(3)) if depth else []
    declared = [dependency(rng, n, path) for n in children if rng.random() < 0.8]
    if declared:
        head["dependencies"] = declared
    files[path + "Chart.yaml"] = json.dumps(head)
    if rng.random() < 0.6:
        values = tree(rng, 3)
        values = values if isinstance(values, dict) else {}
        if rng.random() < 0.4:
            values["exports"] = {"data": tree(rng, 2) if rng.random() < 0.3 else {"a": 1, "b": {"c": 2}}}
        if rng.random() < 0.3:
            values["tags"] = {"t": rng.random() < 0.5, "u": rng.random() < 0.5}
        files[path + "values.yaml"] = json.dumps(values)
    else:
        files[path + "values.yaml"] = written(rng, 3)
    files[path + "templates/show.yaml"] = SHOW if rng.random() < 0.9 else SHOW + "  subcharts: {{ keys .Subcharts | sortAlpha | join \",\" }}\n"
    for number in children:
        chart(rng, f"s{number}", f"{path}charts/s{number}/", depth - 1, files)


def path(rng):
    if rng.random() < 0.05:
        return rng.choice(["", "a.", ".a", "l[", "l[x]", "l[-1]", "a[0]b", "l[99999]"])
    return rng.choice(["a", "b", "s0", "s0.a", "s1.s0.b", "global.g", "a10", "x\\.y", "l[0]", "c.b[1].c", "l[2]", "k[2][1]", "s0.global.g", "tags.t", "s1.on", "al.a"])


def word(rng):
    if rng.random() < 0.6:
        return rng.choice(["1", "x", "null", "true", "{1,x,null}", "0777", "1.5"])
    return rng.choice(["TRUE", "0777", "1.5", "1e3", "", "{1,x,null}", "{}", "{a", "a\\,b", "a=b", "\\{x", "9223372036854775808", "-0", "~", " x ", "é",
                       "{a,{b,c}}", "[1]", '"q"', "a\\\\b", "{ a , b }", "0", "00", "-007", "+1", "_", "False", "nil"])


def setting(rng):
    name = rng.choice(["--set"] * 4 + ["--set-string", "--set-string", "--set-json", "--set-json", "--set-literal", "--set-file"])
    if name == "--set-json":
        value = rng.choice(["1", "null", "[1,null]", '{"k":null}', '"x,y"', "1.0", "{", "1e3", "[1,2],b=3", "", "true",
                            ' {"z": [1]} '])
        whole = rng.choice(['{"a":{"b":null}}', "[1]", '{"s0":{"a":1}}'])
        return [name, f"{path(rng)}={value}" if rng.random() < 0.9 else whole]
    if name == "--set-file":
        return [name, f"{path(rng)}={rng.choice(['chart/values.yaml'] * 5 + ['chart/none', 'chart/Chart.yaml'])}"]
    pairs = ",".join(f"{path(rng)}={word(rng)}" for _ in range(rng.choice([1, 1, 2, 3])))
    return [name, pairs if rng.random() < 0.95 else rng.choice(["a", "a=1,", ",", "=", "a=1,b"])]


def case(seed):
    """(files by path, arguments)"""
    rng = random.Random(f"tree {seed}")
    files = {}
    chart(rng, "root", "chart/", rng.choice([0, 1, 2, 2]), files)
    arguments = []
    for number in range(rng.choice([0, 0, 1, 2])):
        files[f"v{number}.yaml"] = written(rng, 3) if rng.random() < 0.6 else json.dumps(tree(rng, 3) or {})
        arguments += ["-f", f"v{number}.yaml"]
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        arguments += setting(rng)
    return files, arguments


# --- schemas ---

NAMES = ["n", "f", "z", "s", "long", "yes_", "none", "l", "e", "m", "o", "deep"]
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]


def schema(rng, depth=3, refers=True):
    if depth == 0 or rng.random() < 0.1:
        return rng.choice([True, False, {}, {"type": rng.choice(TYPES)}, {"const": rng.choice([3, "text", None, 3.0])}])
    found, sub = {}, lambda: schema(rng, depth - 1, refers)
    some = lambda: [sub() for _ in range(rng.randrange(1, 3))]
    makers = {
        "type": lambda: rng.choice(TYPES + [rng.sample(TYPES, 2)]), "enum": lambda: rng.sample([1, 3, "text", None, True, 2.5, [], {}, "x"], rng.randrange(1, 4)),
        "const": lambda: rng.choice([3, 3.0, "text", None, [1, 2, 2, "x"], {}]), "minimum": lambda: rng.choice([-5, 0, 2.5, 3]), "maximum": lambda: rng.choice([0, 3, 2.4, 1e3]),
        "exclusiveMinimum": lambda: rng.choice([0, 3]), "exclusiveMaximum": lambda: rng.choice([3, 4]), "multipleOf": lambda: rng.choice([1, 2, 0.5, 0.1]),
        "minLength": lambda: rng.randrange(6), "maxLength": lambda: rng.randrange(6), "pattern": lambda: rng.choice(["^t", "x$", "[a-c]", "é", "^$"]),
        "minItems": lambda: rng.randrange(5), "maxItems": lambda: rng.randrange(5), "uniqueItems": lambda: rng.random() < 0.5, "items": sub, "contains": sub,
        "minProperties": lambda: rng.randrange(5), "maxProperties": lambda: rng.randrange(5), "required": lambda: rng.sample(NAMES + ["none_", "k", "a"], rng.randrange(1, 3)),
        "properties": lambda: {n: sub() for n in rng.sample(NAMES + ["k", "a", "b"], rng.randrange(1, 4))}, "patternProperties": lambda: {rng.choice(["^[a-m]", "z", "_$"]): sub()},
        "additionalProperties": sub, "propertyNames": lambda: rng.choice([{"maxLength": 4}, {"pattern": "^[a-z_]+$"}, True]), "allOf": some, "anyOf": some, "oneOf": some, "not": sub,
        "if": sub, "then": sub, "else": sub, "minContains": lambda: rng.randrange(3), "maxContains": lambda: rng.randrange(3),
        "dependentRequired": lambda: {"n": rng.sample(["s", "q"], 1)}, "dependentSchemas": lambda: {"n": sub()}, "$ref": lambda: "#/$defs/d",
        "format": lambda: rng.choice(["ipv4", "date", "email", "uri"])}
    for name in rng.sample(list(makers), rng.randrange(1, 5)):
        if refers or name != "$ref":
            found[name] = makers[name]()
    return found


def schemas(seed, count):
    rng = random.Random(f"schema {seed}")
    out = []
    for _ in range(count):
        found = {"$schema": rng.choice([cases_schemas.DRAFTS["7"], cases_schemas.DRAFTS["2019"], cases_schemas.DRAFTS["2020"]]),
                 "properties": {n: schema(rng) for n in rng.sample(NAMES, rng.randrange(1, 4))}, "$defs": {"d": schema(rng, 1, refers=False)}}
        out.append(json.dumps(found))
    return out
