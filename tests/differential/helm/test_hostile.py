"""Charts that would take all memory or time: each ends soon, in an error that says where, or with what
the real tool gives."""
import json
import resource
import subprocess

import pytest

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi"))
LIMITS = ["--max-time=3s", "--max-memory=100000000", "--max-output=10000000"]


def doubling(keyword, kind):
    """A schema that is held against the values 2^60 times."""
    each = {f"a{n}": {keyword: [{"$ref": f"#/definitions/a{n + 1}"}] * 2} for n in range(60)}
    return json.dumps({"definitions": {**each, "a60": {"type": kind}}, "$ref": "#/definitions/a0"})


# (name, {path: text}, what is told, or one of it; "" when the chart is rendered, None when either may be)
HOSTILE = [
    ("doubled_text", {"t.yaml": '{{ $s := "0123456789" }}{{ range until 60 }}{{ $s = print $s $s }}{{ end }}{{ $s }}'}, "too large"),
    ("doubled_list", {"t.yaml": "{{ $l := list 1 }}{{ range until 60 }}{{ $l = concat $l $l }}{{ end }}"}, "too large"),
    *[(f"nested_{word.split()[0]}", {"t.yaml": '{{ $d := dict }}{{ range until 150000 }}{{ $d = dict "d" $d }}{{ end }}n: {{ ' + word.replace("D", "$d") + " | len }}"}, None)
      for word in ("toYaml D", "toJson D", "toToml D", "toPrettyJson D", "deepCopy D", "printf \"%v\" D", "toString D", "deepEqual D D | toString", "merge D D", "toYamlPretty D", "get D \"d\"")],
    ("exponential_tpl", {"_h.tpl": '{{ define "x" }}{{ if gt . 0 }}{{ tpl "{{ include \\"x\\" (sub . 1) }}{{ include \\"x\\" (sub . 1) }}" . }}{{ end }}{{ end }}',
                         "t.yaml": '{{ include "x" 40 }}'}, ("limit of", "too large")),
    ("exponential_include", {"_h.tpl": '{{ define "x" }}{{ if gt . 0 }}{{ include "x" (sub . 1) }}{{ include "x" (sub . 1) }}{{ end }}{{ end }}', "t.yaml": '{{ include "x" 60 }}'}, ("limit of", "too large")),
    ("mutual_includes", {"_h.tpl": '{{ define "a" }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ include "a" . }}{{ end }}', "t.yaml": '{{ include "a" . }}'}, None),
    ("mutual_templates", {"_h.tpl": '{{ define "a" }}{{ template "b" . }}{{ end }}{{ define "b" }}{{ template "a" . }}{{ end }}', "t.yaml": '{{ template "a" . }}'}, "maximum template depth"),
    ("tpl_of_itself", {"t.yaml": '{{ tpl .Values.self . }}', "../values.yaml": 'self: "{{ tpl .Values.self . }}"\n'}, None),
    ("huge_range", {"t.yaml": "{{ range 99999999999 }}{{ end }}"}, "limit of"),
    ("huge_ranges", {"t.yaml": "{{ range 100000 }}{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}{{ end }}"}, "limit of"),
    ("huge_until", {"t.yaml": "{{ until 9999999999 }}"}, "too large"), ("huge_seq", {"t.yaml": "{{ seq 1 999999999 }}"}, "too large"), ("huge_repeat", {"t.yaml": '{{ repeat 999999999 "abc" }}'}, "too large"),
    ("huge_indent", {"t.yaml": '{{ indent 999999999 "a" }}'}, "too large"), ("huge_width", {"t.yaml": 'n: {{ printf "%999999d" 1 | len }}'}, ""), ("huge_precision", {"t.yaml": 'n: {{ printf "%.999999f" 1.5 | len }}'}, ""),
    ("huge_wrap", {"t.yaml": 'n: {{ wrapWith 1 (repeat 5000 "x") (repeat 90000 "a") | len }}'}, "too large"), ("huge_replace", {"t.yaml": '{{ replace "" (repeat 100000 "x") (repeat 100000 "a") }}'}, "too large"),
    ("huge_join", {"t.yaml": '{{ $s := repeat 1000000 "x" }}{{ $l := until 100000 }}{{ join $s $l }}'}, "too large"), ("huge_random", {"t.yaml": "{{ randAlphaNum 999999999 }}"}, "too large"),
    ("regex_backtracking", {"t.yaml": '{{ regexMatch "^(a+)+$" (print (repeat 5000 "a") "b") }}'}, None), ("regex_alternatives", {"t.yaml": '{{ regexReplaceAll "(a|aa)+b" (repeat 3000 "a") "x" | len }}'}, None),
    ("regex_huge", {"t.yaml": '{{ regexMatch (repeat 60000 "(a") "a" }}'}, None), ("yaml_bomb", {"t.yaml": "{{ fromYaml (.Files.Get \"bomb\") | len }}", "../bomb": BOMB}, None),
    ("yaml_bomb_values", {"t.yaml": "a: 1\n", "../values.yaml": BOMB}, "yaml"), ("yaml_deep", {"t.yaml": 'n: {{ fromYaml (repeat 100000 "[") | len }}'}, ""), ("json_deep", {"t.yaml": 'n: {{ fromJson (repeat 100000 "[") | len }}'}, ""),
    ("deep_parentheses", {"t.yaml": "{{ " + "(" * 100000 + "1" + ")" * 100000 + " }}"}, "depth exceeded"), ("deep_ifs", {"t.yaml": "{{ if 1 }}" * 100000}, "depth exceeded"), ("deep_manifest", {"t.yaml": "a: " + "[" * 100000}, "YAML parse error"),
    ("long_chain", {"t.yaml": "{{ .Values" + ".a" * 100000 + " }}"}, None), ("many_pipes", {"t.yaml": "{{ 1" + " | quote" * 20000 + " | len }}"}, None), ("schema_of_itself", {"t.yaml": "a: 1\n", "../values.schema.json": '{"$ref": "#"}'}, None),
    ("schema_exponential", {"t.yaml": "a: 1\n", "../values.schema.json": '{"definitions": {"a": {"anyOf": [{"$ref": "#/definitions/a"}, {"$ref": "#/definitions/a"}]}}, "$ref": "#/definitions/a"}'}, "causing reference cycle"),
    ("schema_choices", {"t.yaml": "a: 1\n", "../values.schema.json": doubling("anyOf", "string")}, ("too many choices", "takes too long")),
    ("schema_steps", {"t.yaml": "a: 1\n", "../values.schema.json": doubling("allOf", "object")}, ("too deep", "takes too long")),
    ("chart_in_charts", {"t.yaml": "a: 1\n", **{f"../{'charts/c/' * n}Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n" for n in range(1, 60)}}, "nested too deep"),
]


def limit_time():
    resource.setrlimit(resource.RLIMIT_CPU, (40, 40))


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case[0])
def test_a_hostile_chart_ends(sluice, tmp_path, case):
    _, files, told = case
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    for path, text in files.items():
        target = tmp_path / "templates" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.resolve().parent.mkdir(parents=True, exist_ok=True)
        target.resolve().write_text(text)
    done = subprocess.run([sluice, "helm", "template", "r", str(tmp_path), *LIMITS], capture_output=True, timeout=600,
                          preexec_fn=limit_time)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    assert len(done.stderr) < 1 << 20
    if told is not None:
        err = done.stderr.decode(errors="replace")
        words = told if isinstance(told, tuple) else (told,)
        assert done.returncode == (1 if told else 0) and any(word in err for word in words), err[-600:]
