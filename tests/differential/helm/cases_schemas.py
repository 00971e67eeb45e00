"""JSON Schemas of every draft that Helm takes, on one set of values: (name, schema)."""
import json

VALUES = """n: 3
f: 2.5
z: 0
neg: -4
s: text
long: "a longer text, with é and 😀"
mail: a@b.example
when: "2024-02-30T25:00:00Z"
ip: 10.0.0.256
url: "not a url"
yes_: true
none: null
l: [1, 2, 2, "x"]
e: []
m: {k: 1, "a/b": 2, "c~d": 3, x1: "y"}
o: {}
deep: {a: {b: {c: [1, {d: e}]}}}
"""

FORMATS = {
    "ipv4": ["1.2.3.4", "256.1.1.1", "1.2.3", "01.2.3.4", "1.2.3.4 ", "::1", ""], "ipv6": ["::1", "fe80::1%eth0", "1:2:3:4:5:6:7:8", "1::2::3", "::ffff:1.2.3.4", "12345::", "1.2.3.4"],
    "date": ["2024-02-29", "2023-02-29", "2024-13-01", "2024-1-1", "2024-01-00", "x"], "time": ["12:30:00Z", "12:30:00+01:00", "12:30:00", "24:00:00Z", "23:59:60Z", "12:30:60Z", "12:30Z", "12:30:00.5z", "00:59:60+01:00"],
    "date-time": ["2024-01-02T03:04:05Z", "2024-01-02t03:04:05z", "2024-01-02 03:04:05Z", "2024-01-02T03:04:05", "2024-02-30T03:04:05Z", "2024-01-02T03:04:05.123+02:00"],
    "email": ["a@b.c", "a", "@b", "a@", "a b@c.d", '"a b"@c.d', "a@[1.2.3.4]", "a@[IPv6:::1]", "a..b@c.d", ".a@b.c", "a@-b.c", "a+b@c.d"], "hostname": ["a", "a.b", "a..b", "-a", "a-", "a_b", "A.B", "a.", "x" * 64, "é.x", "1.2"],
    "uri": ["http://a/b?c#d", "a/b", "mailto:a@b", "http://a b", "urn:x:y", "http://[::1]/", "://a", "http://a/%zz", "http://a/é", "http://a:x/", "x:"], "uri-reference": ["a/b", "#c", "", "a b", "//h/p", "%zz", "a\\b"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000", "123e4567", "123e4567-e89b-12d3-a456-42661417400g", "123e4567e89b12d3a456426614174000"],
    "regex": ["a+", "[", "(?=a)", "\\p{L}"], "json-pointer": ["", "/a", "/a~0b", "/a~2b", "a", "/", "/~"],
}
VALUES += "formats: " + json.dumps(FORMATS) + "\n"

DRAFTS = {"4": "http://json-schema.org/draft-04/schema#", "6": "http://json-schema.org/draft-06/schema#",
          "7": "http://json-schema.org/draft-07/schema#", "2019": "https://json-schema.org/draft/2019-09/schema",
          "2020": "https://json-schema.org/draft/2020-12/schema"}


def at(name, schema):
    return {"properties": {name: schema}}


# What means the same in all drafts, or is not known in some of them.
COMMON = {
    "type": at("n", {"type": "string"}), "type_list": at("n", {"type": ["string", "boolean"]}), "type_integer_real": at("f", {"type": "integer"}), "type_null": at("none", {"type": "string"}),
    "enum": at("s", {"enum": ["a", 1, None, {"b": [1]}]}), "const": at("m", {"const": {"k": 1}}), "minimum": at("n", {"minimum": 4}), "maximum": at("n", {"maximum": 2}),
    "exclusive": at("n", {"exclusiveMinimum": 3, "exclusiveMaximum": 3}), "multiple": at("f", {"multipleOf": 0.4}), "multiple_of_int": at("neg", {"multipleOf": 3}),
    "length": at("long", {"minLength": 99, "maxLength": 3}), "pattern": at("s", {"pattern": "^[0-9]+$"}), "pattern_unicode": at("long", {"pattern": "\\p{Greek}"}),
    "items": at("l", {"items": {"type": "string"}}), "items_false": at("l", {"items": False}), "tuple": at("l", {"items": [{"type": "string"}, {}], "additionalItems": {"type": "boolean"}}), "prefix": at("l", {"prefixItems": [{"type": "string"}], "items": {"type": "number"}}),
    "list_size": at("l", {"minItems": 9, "maxItems": 2}), "unique": at("l", {"uniqueItems": True}), "contains": at("l", {"contains": {"const": 9}}), "contains_count": at("l", {"contains": {"type": "number"}, "minContains": 4}), "contains_most": at("l", {"contains": {"type": "number"}, "maxContains": 1}),
    "required": {"required": ["n", "q", "r"]}, "required_one": at("m", {"required": ["q"]}), "properties_count": at("m", {"minProperties": 9, "maxProperties": 1}), "additional": at("m", {"properties": {"k": {}}, "additionalProperties": False}), "additional_schema": at("m", {"additionalProperties": {"type": "string"}}),
    "pattern_properties": at("m", {"patternProperties": {"^x": {"type": "number"}}}), "pattern_and_additional": at("m", {"patternProperties": {"^[kxac]": {}}, "additionalProperties": False}), "names": at("m", {"propertyNames": {"maxLength": 1}}), "pointer_escapes": at("m", {"properties": {"a/b": {"type": "string"}, "c~d": {"type": "string"}}}),
    "dependencies": {"dependencies": {"n": ["q"], "s": {"required": ["w"]}}}, "dependent": {"dependentRequired": {"n": ["q"]}, "dependentSchemas": {"s": {"required": ["w"]}}}, "if_then": {"if": {"required": ["n"]}, "then": {"required": ["q"]}, "else": {"required": ["w"]}}, "if_else": {"if": {"required": ["q"]}, "then": {}, "else": at("n", {"type": "string"})},
    "all_of": at("n", {"allOf": [{"minimum": 9}, {"type": "string"}]}), "any_of": at("n", {"anyOf": [{"minimum": 9}, {"type": "string"}]}), "one_of_none": at("n", {"oneOf": [{"minimum": 9}, {"type": "string"}]}), "one_of_two": at("n", {"oneOf": [{"minimum": 1}, {"type": "number"}, False]}), "not": at("n", {"not": {"minimum": 1}}), "false": at("n", False), "true": at("n", True), "whole_false": False,
    "ref_defs": {"$defs": {"t": {"type": "string"}}, **at("n", {"$ref": "#/$defs/t"})}, "ref_definitions": {"definitions": {"t": {"type": "string"}}, **at("n", {"$ref": "#/definitions/t"})}, "ref_root": {**at("deep", {"$ref": "#/definitions/r"}), "definitions": {"r": {"type": "object", "additionalProperties": {"$ref": "#/definitions/r"}}}}, "ref_siblings": {"definitions": {"t": {}}, **at("n", {"$ref": "#/definitions/t", "type": "string"})}, "ref_missing": at("n", {"$ref": "#/definitions/none"}), "ref_escaped": {"definitions": {"a/b": {"type": "string"}, "c%d": {"type": "string"}}, "properties": {"n": {"$ref": "#/definitions/a~1b"}, "f": {"$ref": "#/definitions/c%25d"}}},
    "ref_id": {"$id": "http://x.example/root.json", "definitions": {"t": {"$id": "t.json", "type": "string"}}, **at("n", {"$ref": "t.json"})}, "ref_anchor": {"$defs": {"t": {"$anchor": "here", "type": "string"}}, **at("n", {"$ref": "#here"})}, "ref_urn": at("n", {"$ref": "urn:none:1"}),
    "format": {"properties": {"mail": {"format": "ipv4"}, "when": {"format": "date-time"}, "ip": {"format": "ipv4"}, "url": {"format": "uri"}, "s": {"format": "unknown"}}}, "content": at("s", {"contentEncoding": "base64", "contentMediaType": "application/json"}),
    "unevaluated": at("m", {"properties": {"k": {}}, "unevaluatedProperties": False}), "unevaluated_all_of": at("m", {"allOf": [{"properties": {"k": {}, "x1": {}}}], "unevaluatedProperties": False}), "unevaluated_items": at("l", {"prefixItems": [{}], "unevaluatedItems": False}),
    "dynamic": {"$dynamicAnchor": "node", "properties": {"deep": {"additionalProperties": {"$dynamicRef": "#node"}}, "a": {"type": "string"}}}, "deep": at("deep", at("a", at("b", at("c", {"items": {"type": "number"}})))), "many": {"properties": {"n": {"type": "string"}, "s": {"type": "number"}, "l": {"maxItems": 1}, "m": {"minProperties": 7}}, "required": ["q"]},
    "exclusive_boolean": at("n", {"minimum": 3, "exclusiveMinimum": True}), "wrong_type": {"type": "nothing"}, "wrong_minimum": at("n", {"minimum": "x"}), "wrong_required": {"required": "n"}, "wrong_pattern": at("s", {"pattern": "["}), "wrong_properties": {"properties": []}, "null_value": at("none", {"enum": [1]}), "title_ignored": at("n", {"title": 1, "description": "d", "default": "x", "examples": [1]}),
    "defaults_unused": {**at("q", {"default": 1}), "required": ["q"]}, "empty": {}, "unknown_keyword": {"x-unknown": {"type": "string"}, **at("n", {"minimum": 9})}, "recursive": {"properties": {"deep": {"$ref": "#"}}, "additionalProperties": {"type": ["number", "string", "array", "object", "boolean", "null"]}},
    "big_numbers": at("n", {"maximum": 1e300, "minimum": -1e-300, "multipleOf": 1e-3}), "enum_real": at("n", {"enum": [3.0]}), "const_list": at("l", {"const": [1.0, 2, 2, "x"]}),
}
# References that lead back to where they are asked of the same value.
COMMON.update({
    "cycle": {"$ref": "#"}, "cycle_of_two": {**at("n", {"$ref": "#/definitions/x"}), "definitions": {"x": {"$ref": "#/definitions/y"}, "y": {"$ref": "#/definitions/x"}}}, "cycle_in_all_of": {"allOf": [{"$ref": "#"}]}, "cycle_in_any_of": {"anyOf": [{"$ref": "#"}, {}]}, "cycle_in_not": {"not": {"$ref": "#"}}, "cycle_in_if": {"if": {"$ref": "#"}, "then": {"required": ["q"]}, "else": {"required": ["w"]}},
    "cycle_not_reached": at("q", {"$ref": "#/properties/q"}), "cycle_by_dynamic": {"$dynamicAnchor": "x", "$dynamicRef": "#x"}, "cycle_by_recursive": {"$recursiveRef": "#"}, "cycle_of_names": at("m", {"propertyNames": {"$ref": "#/properties/m/propertyNames"}}), "cycle_escaped": {"definitions": {"a/ b%": {"$ref": "#/definitions/a~1%20b%25"}}, **at("n", {"$ref": "#/definitions/a~1%20b%25"})},
    "recursive_ref": {"type": ["object", "string", "number"], "additionalProperties": {"$recursiveRef": "#"}, "properties": {"l": {}, "none": {}, "yes_": {}, "formats": {}, "e": {}}},
})
COMMON.update({f"format_{name}": at("formats", at(name, {"items": {"format": name}})) for name in FORMATS})
BROKEN = {"no_json": "{", "list": "[]", "text": '"x"', "empty_file": "", "unknown_draft": '{"$schema": "http://x.example/none"}', "yaml": "type: object"}


def charts():
    for draft, uri in DRAFTS.items():
        for name, schema in COMMON.items():
            text = json.dumps({"$schema": uri, **schema} if isinstance(schema, dict) else schema)
            yield f"draft {draft} {name}", text
    for name, schema in COMMON.items():
        yield f"no draft {name}", json.dumps(schema)
    yield from BROKEN.items()
