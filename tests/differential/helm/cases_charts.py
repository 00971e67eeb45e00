"""Whole charts: (name, {path: text}, arguments)."""

CM = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n{data}\n"


def meta(name, more="", version="0.1.0"):
    return f"apiVersion: v2\nname: {name}\nversion: {version}\n{more}"


def configmap(name, data):
    return CM.format(name=name, data=data)


def chart(name, values="", templates=None, more="", prefix="", **files):
    out = {f"{prefix}Chart.yaml": meta(name, more), f"{prefix}values.yaml": values}
    for path, text in (templates or {}).items():
        out[f"{prefix}templates/{path}"] = text
    out.update({prefix + path: text for path, text in files.items()})
    return out


def dependency(name, more=""):
    return f"- name: {name}\n  version: 0.x\n  repository: ''\n{more}"


SHOW = {"show.yaml": configmap("{{ .Chart.Name }}", "  values: {{ .Values | toJson | quote }}")}
SUB = chart("sub", "a: 1\nb: {x: 1, y: null}\nexports: {out: {e: 5}}\nlist: [1]\n", SHOW, prefix="charts/sub/")
PARENT = chart("parent", "sub:\n  a: 2\nglobal: {g: 1}\n", SHOW)
FULL = {
    **chart("full", "n: 1000000\nname: x\nitems: {b: 2, a: 1}\nempty:\n", {
        "_helpers.tpl": '{{ define "full.labels" }}app: {{ .Chart.Name }}\nrelease: {{ .Release.Name }}{{ end }}',
        "svc.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\n  labels:\n    {{- include \"full.labels\" . | nindent 4 }}\n",
        "dep.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}-d\n  annotations:\n"
                    "    sum: {{ include (print $.Template.BasePath \"/svc.yaml\") . | sha256sum }}\nspec:\n  n: {{ int .Values.n }}\n",
        "many.yaml": "{{ range $k, $v := .Values.items }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ $k }}\n{{ end }}",
        "ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {{ .Release.Namespace }}\n",
        "odd.yaml": "apiVersion: x/v1\nkind: Zebra\nmetadata: {name: z}\n---\n\n---\napiVersion: x/v1\nkind: Aardvark\nmetadata: {name: a}\n",
        "hook.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: h\n  annotations:\n    helm.sh/hook: pre-install\n    helm.sh/hook-weight: \"5\"\n",
        "test.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations:\n    \"helm.sh/hook\": test\n",
        "bad-hook.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: bad\n  annotations:\n    \"helm.sh/hook\": nope\n",
        "NOTES.txt": "notes {{ .Release.Name }}", "blank.yaml": "  \n{{ if false }}x{{ end }}\n",
        "comment.yaml": "# only a comment\n"}),
    "crds/c.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: c\n",
    "files/a.txt": "one\ntwo\n", "files/b.conf": "x=1", "templates/files.yaml":
    '{{ (.Files.Glob "files/*").AsConfig }}\nsecret: {{ (.Files.Glob "files/*.txt").AsSecrets | quote }}\n'
    'lines: {{ .Files.Lines "files/a.txt" | toJson }}\nget: {{ .Files.Get "files/b.conf" }}\nnone: {{ .Files.Get "no" | quote }}\n'
    'crd: {{ .Files.Get "crds/c.yaml" | trunc 10 }}\n',
}

SCHEMAS = [
    '{"required": ["a", "b"]}', '{"properties": {"n": {"enum": [1, "x", null]}}}', '{"properties": {"n": {"const": {"a": 1}}}}',
    '{"properties": {"s": {"pattern": "^[0-9]+$"}}}', '{"properties": {"s": {"minLength": 9}}}', '{"properties": {"s": {"maxLength": 2}}}',
    '{"properties": {"l": {"uniqueItems": true}}}', '{"properties": {"l": {"maxItems": 2}}}', '{"properties": {"l": {"items": {"type": "string"}}}}',
    '{"properties": {"l": {"contains": {"const": 9}}}}', '{"properties": {"m": {"additionalProperties": false}}}',
    '{"properties": {"m": {"propertyNames": {"pattern": "^x"}}}}', '{"properties": {"m": {"minProperties": 2}}}',
    '{"properties": {"n": {"not": {"type": "number"}}}}', '{"properties": {"n": {"anyOf": [{"type": "string"}, {"minimum": 5}]}}}',
    '{"properties": {"n": {"oneOf": [{"type": "number"}, {"minimum": 1}]}}}', '{"properties": {"n": {"oneOf": [{"type": "string"}]}}}',
    '{"properties": {"n": {"allOf": [{"type": "string"}]}}}', '{"if": {"required": ["n"]}, "then": {"required": ["z"]}}',
    '{"$defs": {"t": {"type": "string"}}, "properties": {"n": {"$ref": "#/$defs/t"}}}', '{"properties": {"n": {"exclusiveMinimum": 3}}}',
    '{"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"n": {"minimum": 3, "exclusiveMinimum": true}}}',
    '{"dependentRequired": {"n": ["q"]}}', '{"dependencies": {"n": ["q"]}}', '{"properties": {"n": false}}', '{"properties": {"n": {"multipleOf": 2}}}',
    '{"properties": {"n": {"type": ["string", "null"]}}}', '{"properties": {"l": {"prefixItems": [{"type": "string"}]}}}',
    '{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"l": {"items": [{}], "additionalItems": false}}}',
]

KINDS = ["Zebra", "Service", "Job", "Ant", "ConfigMap", "CustomResourceDefinition", "Namespace", "Deployment", "IngressClass", "Ingress",
         "PodDisruptionBudget", "ClusterRoleBinding", "Role", "RoleBindingList", "ValidatingWebhookConfiguration", "PriorityClass", "Secret", "DaemonSet",
         "MutatingWebhookConfiguration", "StorageClass", "APIService", "NetworkPolicy", "CronJob", "HorizontalPodAutoscaler", "ServiceAccount", ""]

CASES = [
    ("full", FULL, []), ("full_crds", FULL, ["--include-crds"]), ("full_skip_tests", FULL, ["--skip-tests"]),
    ("full_no_hooks", FULL, ["--no-hooks"]), ("full_show", FULL, ["-s", "templates/svc.yaml", "-s", "templates/many.yaml"]),
    ("full_show_missing", FULL, ["--show-only", "templates/none.yaml"]), ("full_namespace", FULL, ["-n", "other"]),
    ("full_upgrade", {**FULL, "templates/r.yaml": "r: {{ .Release | toJson }}\n"}, ["--is-upgrade"]),
    ("E9_undeclared_sub", {**PARENT, **SUB}, []),
    ("E18_null_in_sub", {**PARENT, **SUB}, ["--set", "sub.b.x=null", "--set", "sub.a=null"]),
    ("E19_sub_null", {**PARENT, **SUB, "values.yaml": ""}, ["--set", "sub=null"]),
    ("E16_null_removes", {**PARENT, "values.yaml": "a: 1\nb: {c: 1, d: 2}\ne: null\n"}, ["--set", "a=null,b.c=null,z=null,b.q=null"]),
    ("E20_scalar_over_map", {**PARENT, "values.yaml": "m: {a: 1}\ns: 1\n"}, ["--set", "m=5,s.x=1"]),
    ("E21_globals", {**PARENT, **chart("sub", "global: {g: 9, own: 2}\n", SHOW, prefix="charts/sub/"),
                     **chart("deep", "global: {d: {e: 1}}\n", SHOW, prefix="charts/sub/charts/deep/")},
     ["--set", "global.more=1"]),
    ("E10_condition", {**PARENT, **SUB, "Chart.yaml": meta("parent", "dependencies:\n" + dependency(
        "sub", "  condition: sub.none,sub.enabled\n  tags: [t]\n"))}, ["--set", "sub.enabled=false,tags.t=true"]),
    ("E10_condition_string", {**PARENT, **SUB, "Chart.yaml": meta("parent", "dependencies:\n" + dependency(
        "sub", "  condition: sub.enabled\n"))}, ["--set-string", "sub.enabled=false"]),
    ("E11_tags", {**PARENT, **SUB, "Chart.yaml": meta("parent", "dependencies:\n" + dependency("sub", "  tags: [a, b]\n"))},
     ["--set", "tags.a=true,tags.b=false"]),
    ("E11_tags_off", {**PARENT, **SUB, "Chart.yaml": meta("parent", "dependencies:\n" + dependency("sub", "  tags: [a, b]\n"))},
     ["--set", "tags.b=false"]),
    ("E12_alias", {**PARENT, **SUB, "Chart.yaml": meta("parent", "dependencies:\n" + dependency("sub", "  alias: one\n")
                                                       + dependency("sub", "  alias: two\n"))}, ["--set", "one.a=7"]),
    ("E13_version", {**PARENT, **SUB, "Chart.yaml": meta("parent", "dependencies:\n- name: sub\n  version: 9.x\n  repository: ''\n")}, []),
    ("E14_import", {**PARENT, **SUB, "Chart.yaml": meta("parent", "dependencies:\n" + dependency(
        "sub", "  import-values:\n  - out\n  - child: b\n    parent: from.b\n"))}, []),
    ("E14_parent_wins", {**PARENT, **SUB, "values.yaml": "e: 1\nfrom: {b: {x: 9}}\n", "Chart.yaml": meta(
        "parent", "dependencies:\n" + dependency("sub", "  import-values:\n  - out\n  - {child: b, parent: from.b}\n"))}, []),
    ("missing_dependency", {**PARENT, "Chart.yaml": meta("parent", "dependencies:\n" + dependency("gone"))}, []),
    ("E4_app_version", {**PARENT, "Chart.yaml": meta("parent", "appVersion: 1.10\ndescription: true\n"),
                        "templates/m.yaml": "m: {{ .Chart | toJson | quote }}\n"}, []),
    ("E5_version_short", {**PARENT, "Chart.yaml": meta("parent", version='"1.2"')}, []),
    ("E5_version_bad", {**PARENT, "Chart.yaml": meta("parent", version="x")}, []),
    ("E5_type", {**PARENT, "Chart.yaml": meta("parent", "type: foo\n")}, []),
    ("E3_mark", {**PARENT, "values.yaml": "\ufeffa: 1\n", "Chart.yaml": "\ufeff" + meta("parent")}, []),
    ("E6_documents", {**PARENT, "values.yaml": "a: 1\nb: {c: 1}\n---\nb: {d: 2}\n"}, []),
    ("E7_hidden", {**PARENT, **chart("x", "", SHOW, prefix="charts/_x/"), **chart("y", "", SHOW, prefix="charts/.y/")}, []),
    ("E8_library", {**PARENT, **chart("lib", "", {"_l.tpl": '{{ define "lib.x" }}from lib{{ end }}', "no.yaml": "a: 1\n"},
                                      "type: library\n", "charts/lib/"), "templates/u.yaml": 'u: {{ include "lib.x" . }}\n'}, []),
    ("library_root", chart("lib", "", {"_l.tpl": ""}, "type: library\n"), []),
    ("E68_kube_version", {**PARENT, "Chart.yaml": meta("parent", 'kubeVersion: ">=9"\n')}, []),
    ("E66_kube_flag", {**PARENT, "Chart.yaml": meta("parent", 'kubeVersion: ">=1.20"\n'),
                       "templates/k.yaml": "k: {{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Minor }}\n"},
     ["--kube-version", "1.26.1-gke.1"]),
    ("E67_api_versions", {**PARENT, "templates/k.yaml": 'k: {{ .Capabilities.APIVersions.Has "x/v1/Y" }} '
                          '{{ .Capabilities.APIVersions.Has "apps/v1" }}\n'}, ["-a", "x/v1/Y,z/v2"]),
    ("E70_notes", {**PARENT, "templates/NOTES.txt": "n", "templates/sub/NOTES.txt": "kind: X\n", **SUB,
                   "charts/sub/templates/NOTES.txt": "s"}, []),
    ("E71_indented", {**PARENT, "templates/i.yaml": configmap("i", "  a: |\n    x\n    ---\n    y")}, []),
    ("E71_joined", {**PARENT, "templates/i.yaml": "---apiVersion: v1\nkind: A\n---\n\n\nkind: B\n \n\n--- \nkind: C\n"}, []),
    ("E72_no_yaml", {**PARENT, "templates/i.yaml": "a: b: c\n"}, []),
    ("E72_text", {**PARENT, "templates/i.yaml": "just text\n"}, []),
    *[(f"E88_items_{n}", PARENT, ["--set-json", 'l=["a",[1],{"b":1}]', *flags]) for n, flags in enumerate([
        ["--set", "l[0].b="], ["--set", "l[4].b="], ["--set", "l[1][2].a=x,l[1][0]=y"], ["--set", "l[2].c=1"], ["--set", "l[0].c=1"], ["--set", "l[5]"],
        ["--set-literal", "l[3].b=x,y"], ["--set-literal", "l[1][1]="], ["--set-json", 'l[0]={"y":1},l[4].z=2'], ["--set-string", "l[1]={1,2}"]])],
    ("E88_strvals", PARENT, ["--set", "a[2]=x,b=007,c={1,two,null},d.e\\.f=1,g=1.5,h=true,i=,j[0].k=1,l=-5", "--set-string", "s=1",
                             "--set-json", 'j2={"a":[1,2.5]}', "--set-json", '{"k2":1}', "--set-literal", "lit=a,b=c"]),
    ("set_no_value", PARENT, ["--set", "a"]), ("set_bad_index", PARENT, ["--set", "a[x]=1"]),
    ("E46_leak", {**PARENT, "templates/b.yaml": '{{ $_ := set .Values "new" 1 }}', "templates/a.yaml": "a: {{ .Values.new }}\n"}, []),
    ("E49_required", {**PARENT, "templates/b.yaml": '\n  {{ required "need x" .Values.x }}'}, []),
    ("subchart_context", {**PARENT, **SUB, "templates/s.yaml": "s: {{ .Subcharts.sub.Values.a }} {{ .Subcharts.sub.Chart.Name }}\n",
                          "charts/sub/templates/t.yaml": "t: {{ .Template.Name }} {{ .Template.BasePath }} {{ .Release.Name }}\n"}, []),
    ("no_chart_yaml", {"values.yaml": "a: 1\n"}, []), ("bad_values", {**PARENT, "values.yaml": "a: [\n"}, []),
    ("values_list", {**PARENT, "values.yaml": "- a\n"}, []),
    ("helmignore", {**PARENT, ".helmignore": "# c\n*.bak\n/secret.txt\nkeep/\n", "x.bak": "1", "secret.txt": "1", "keep/a": "1", "b/secret.txt": "2",
                    "templates/.hidden.yaml": "kind: H\n", "templates/f.yaml": "f: {{ keys .Files | sortAlpha }}\n"}, []),
    ("requirements", {**PARENT, **SUB, "Chart.yaml": "apiVersion: v1\nname: parent\nversion: 0.1.0\n",
                      "requirements.yaml": "dependencies:\n" + dependency("sub", "  alias: al\n")}, []),
    ("E23_schema_sub", {**PARENT, **SUB, "charts/sub/values.schema.json": '{"properties": {"a": {"type": "string"}}}'}, []),
    ("E23_schema_skipped", {**PARENT, **SUB, "charts/sub/values.schema.json": '{"properties": {"a": {"type": "string"}}}'},
     ["--skip-schema-validation"]),
    ("E24_schema_integer", {**PARENT, "values.yaml": "n: 3.0\n", "values.schema.json":
                            '{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"n": {"type": "integer", "minimum": 4}}}'}, []),
    *[(f"schema_{at}", {**PARENT, "values.yaml": "n: 3\ns: text\nl: [1, 2, 2]\nm: {k: 1}\n", "values.schema.json": schema}, [])
      for at, schema in enumerate(SCHEMAS)],
    ("E15_nested_condition", {**PARENT, **chart("mid", "", SHOW, "dependencies:\n" + dependency("sub", "  condition: sub.on\n"), "charts/mid/"),
                             **{f"charts/mid/{path}": text for path, text in SUB.items()},
                             "Chart.yaml": meta("parent", "dependencies:\n" + dependency("mid", "  condition: mid.on\n"))},
     ["--set", "mid.on=true,mid.sub.on=false"]),
    ("E15_condition_not_nested", {**PARENT, **chart("mid", "", SHOW, "dependencies:\n" + dependency("sub", "  condition: sub.on\n"), "charts/mid/"),
                                  **{f"charts/mid/{path}": text for path, text in SUB.items()}}, ["--set", "sub.on=false"]),
    ("E17_null_without_default", PARENT, ["--set", "nothing=null,sub.deep.nothing=null"]),
    ("E17_null_in_map", {**PARENT, "values.yaml": "m: {a: 1}\n"}, ["--set", "m.a=null,m.b=null,m.c.d=null"]),
    ("E22_parent_values_hidden", {**PARENT, **chart("sub", "own: 1\n", {"s.yaml": "s: {{ .Values | toJson }} {{ .Values.secret | default \"no\" }} {{ .Chart.IsRoot }}\n"},
                                                    prefix="charts/sub/"), "values.yaml": "secret: x\nsub: {own: 2}\n"}, []),
    ("E69_files", {**PARENT, "a.txt": "1", "d/b.txt": "two\nlines\n", "d/e/c.bin": "x", "crds/x.yaml": "kind: CustomResourceDefinition\nmetadata: {name: x}\n",
                   "templates/f.yaml": 'glob: {{ range $p, $b := .Files.Glob "d/*" }}{{ $p }} {{ end }}\nall: {{ range $p, $b := .Files.Glob "**" }}{{ $p }} {{ end }}\n'
                   'bad: {{ len (.Files.Glob "[") }}\nconfig:\n{{ (.Files.Glob "d/**").AsConfig | indent 2 }}\nsecret: {{ (.Files.Glob "d/**").AsSecrets | toJson }}\n'
                   'lines: {{ .Files.Lines "d/b.txt" | toJson }} {{ .Files.Lines "none" | len }}\ncrd: {{ .Files.Get "crds/x.yaml" | quote }}\n'
                   'bytes: {{ .Files.GetBytes "a.txt" | toString }} {{ .Files.Get "templates/f.yaml" | quote }} {{ .Files.Get "values.yaml" | quote }}\n'}, []),
    ("E73_order", {**PARENT, "templates/all.yaml": "\n---\n".join(f"kind: {kind}\nmetadata: {{name: a}}" for kind in KINDS)}, []),
    ("E74_crds_apart", {**FULL, "crds/d.json": '{"kind": "CustomResourceDefinition", "metadata": {"name": "d"}}', "crds/n.txt": "no"}, []),
    ("E74_crds_of_subcharts", {**PARENT, **SUB, "crds/p.yaml": "kind: P\n", "charts/sub/crds/s.yaml": "kind: S\n"}, ["--include-crds"]),
    ("E74_crds_of_disabled", {**PARENT, **SUB, "charts/sub/crds/s.yaml": "kind: S\n", "Chart.yaml": meta("parent", "dependencies:\n" + dependency(
        "sub", "  condition: sub.on\n"))}, ["--include-crds", "--set", "sub.on=false"]),
    ("E75_hooks", {**PARENT, "templates/h.yaml": "\n---\n".join(
        f"kind: {kind}\nmetadata:\n  name: {name}\n  annotations: {{helm.sh/hook: {hook}, helm.sh/hook-weight: {weight}}}"
        for kind, name, hook, weight in (("Pod", "z", "pre-install", '"-5"'), ("Job", "a", "pre-install", "5"), ("Pod", "b", '"post-install, test"', "x"),
                                         ("Pod", "u", '"pre-install,unknown"', '"1"'), ("Pod", "e", '""', '"1"'), ("Pod", "c", "TEST-SUCCESS", '"0"')))}, []),
    ("head_case", {**PARENT, "templates/h.yaml": "Kind: Pod\nMetadata: {Annotations: {helm.sh/hook: test}}\n---\nkind: 010\n---\nkind: yes\n"}, []),
    ("head_annotation_map", {**PARENT, "templates/h.yaml": "kind: A\nmetadata: {annotations: {a: {b: c}}}\n"}, []),
    ("head_annotation_null", {**PARENT, "templates/h.yaml": "kind: A\nmetadata: {annotations: {helm.sh/hook: null}}\n---\nkind: B\nmetadata: {annotations: }\n"}, []),
    ("head_kind_list", {**PARENT, "templates/h.yaml": "kind: [A]\n"}, []), ("head_metadata_text", {**PARENT, "templates/h.yaml": "metadata: x\n"}, []),
    ("document_list", {**PARENT, "templates/h.yaml": "- a\n"}, []), ("document_tab", {**PARENT, "templates/h.yaml": "a:\tb\nc:\n\td: 1\n"}, []),
    ("document_anchor", {**PARENT, "templates/h.yaml": "a: &x {b: 1}\nc: *x\n---\nd: *x\n"}, []), ("document_duplicate_key", {**PARENT, "templates/h.yaml": "a: 1\na: 2\nkind: Z\nkind: A\n"}, []),
    ("document_nan", {**PARENT, "templates/h.yaml": "a: .nan\n"}, []), ("document_null_key", {**PARENT, "templates/h.yaml": "null: 1\n"}, []),
    ("document_directive", {**PARENT, "templates/h.yaml": "%YAML 1.1\n---\na: 1\n"}, []), ("document_dots", {**PARENT, "templates/h.yaml": "a: 1\n...\nb: 2\n"}, []),
    ("document_block_hint", {**PARENT, "templates/h.yaml": "a: |2\n    x\n   y\nb: >-\n  c\n"}, []), ("document_bad_indent", {**PARENT, "templates/h.yaml": "a:\n   b: 1\n  c: 2\n"}, []),
    ("document_windows", {**PARENT, "templates/h.yaml": "kind: A\r\nmetadata:\r\n  name: x\r\n---\r\nkind: B\r\n"}, []),
    ("yaml_numbers", {**PARENT, "values.yaml": "a: 0777\nb: 1_000\nc: yes\nd: 12:30\ne: 2024-01-01\nf: 1e3\ng: .5\nh: 0x1F\ni: ~\non: off\n"
                                               "x: &a {q: 1}\ny: {<<: *a, r: 2}\nz: 123456789012345678901\n"},
     ["--set", "k=12345678"]),
]
