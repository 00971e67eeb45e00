"""What the random overlays (test_random.py) brought to light."""

import re

from .cases import K, RBAC, RES, config_map, deployment, obj, stream
from .cases_patches import _DEP, _HEAD, json_patched, patched
from .cases_values import _TARGET, _VARS, _VAR_USER

CASES = {}


def targeted(patch, base):
    return {K: RES + "patches:\n- {target: {kind: Deployment}, path: p.yaml}\n", "r.yaml": base,
            "p.yaml": patch}


CASES["B7_list_without_metadata"] = {K: RES, "r.yaml": "apiVersion: v1\nkind: FooList\nspec: {a: b}\n"}
CASES["B12_empty_annotations"] = {K: RES, "r.yaml": obj("Foo", body="  annotations: {}\n  labels: {}\n")}
CASES["B23_subject_is_no_map_ERROR"] = {K: RES + "namespace: foo\n", "r.yaml": obj(
    "RoleBinding", "rb", RBAC, body="subjects: [text]\n")}
CASES["B37_subject_namespace_is_no_text_ERROR"] = {K: RES, "r.yaml": obj(
    "RoleBinding", "rb", RBAC, body="subjects: [{kind: ServiceAccount, name: x, namespace: {}}]\n")}
CASES["B33_service_name_is_a_number"] = {K: RES, "r.yaml": obj(
    "MutatingWebhookConfiguration", "w", "admissionregistration.k8s.io/v1",
    body="webhooks: [{name: a, clientConfig: {service: {name: 8080}}}]\n")}
CASES["B47_merge_reads_data_as_text"] = {
    K: RES + "configMapGenerator: [{name: cm, behavior: merge, literals: [c=d]}]\n",
    "r.yaml": config_map(data="{n: 8080, m: {a: b}, t: true, z: null}")}
CASES["B47_merge_of_nothing"] = {K: RES + "secretGenerator: [{name: s, behavior: merge}]\n",
                                 "r.yaml": obj("Secret", "s")}
CASES["B49_merge_keeps_transformations"] = {
    K: "resources: [base]\nconfigMapGenerator: [{name: cm, behavior: merge}]\nbuildMetadata: "
       "[transformerAnnotations]\n",
    "base/" + K: "configMapGenerator: [{name: cm}]\nnamePrefix: p-\n"}
CASES["B58_element_without_anything"] = patched(
    obj("ServiceAccount", "s", body="x: 'y'\n"),
    obj("ServiceAccount", "s", body="secrets: [{}]\n"))
CASES["B61_null_label_of_targeted_patch"] = targeted(
    _HEAD.replace("web}", "web, labels: {x: null}, annotations: {n: null}}"), _DEP)
CASES["B61_empty_labels_of_targeted_patch"] = targeted(
    _HEAD.replace("web}", "web, labels: {}}"), _DEP.replace(", labels: {x: y}", ""))
CASES["B61_empty_labels_of_patch"] = patched(
    _HEAD.replace("web}", "web, labels: {}, annotations: {n: null}}"), _DEP.replace(", labels: {x: y}", ""))
CASES["B61_null_label_of_strategic_patch"] = {
    K: RES + "patchesStrategicMerge: [p.yaml]\n", "r.yaml": _DEP,
    "p.yaml": _HEAD.replace("web}", "web, labels: {x: null}, annotations: {n: 1}}")}
CASES["B69_later_patch_sees_collision_ERROR"] = {
    K: RES + "patches:\n- target: {kind: ConfigMap}\n  patch: '[{\"op\": \"replace\", \"path\": "
    "\"/metadata/name\", \"value\": \"same\"}]'\n- target: {kind: Deployment}\n  patch: |-\n    {apiVersion: apps/v1, "
    "kind: Deployment, metadata: {name: x}}\n", "r.yaml": stream(config_map("a"), config_map("b"))}
CASES["B73_replace_makes_a_key"] = json_patched("- {op: replace, path: /spec/nope, value: 1}\n", _DEP)
CASES["B73_replace_missing_index_ERROR"] = json_patched(
    "- {op: replace, path: /spec/template/spec/containers/7, value: 1}\n", _DEP)
CASES["B73_test_missing_is_null"] = json_patched("- {op: test, path: /spec/nope, value: null}\n", _DEP)
CASES["B73_copy_of_missing_is_null"] = json_patched(
    "- {op: copy, from: /spec/nope, path: /spec/got}\n", _DEP)
CASES["B73_add_without_value"] = json_patched("- {op: add, path: /spec/nope}\n", _DEP)
CASES["B73_whole_document_ERROR"] = json_patched("- {op: add, path: '', value: {}}\n", _DEP)
CASES["B73_annotation_where_there_is_none"] = json_patched(
    "- {op: add, path: /metadata/annotations/a, value: b}\n", _DEP)
CASES["B77_annotation_where_there_is_none_ERROR"] = {
    K: RES + "patchesJson6902:\n- target: {group: apps, version: v1, kind: Deployment, name: web}\n  patch: |-\n"
    "    - {op: add, path: /metadata/annotations/a, value: b}\n", "r.yaml": _DEP}
CASES["B77_annotation_after_prefix"] = {
    K: CASES["B77_annotation_where_there_is_none_ERROR"][K] + "namePrefix: p-\n", "r.yaml": _DEP}
CASES["B83_outer_label_reaches_inner_selectors"] = {
    K: "resources: [base]\nlabels: [{pairs: {env: prod}}]\n",
    "base/" + K: RES + "commonLabels: {env: dev, other: o}\n", "base/r.yaml": deployment()}
CASES["B83_patched_label_reaches_selectors"] = {
    K: "resources: [base]\npatches: [{path: p.yaml}]\n",
    "p.yaml": _HEAD.replace("web}", "web, labels: {env: prod}}"),
    "base/" + K: RES + "commonLabels: {env: dev}\n", "base/r.yaml": deployment()}
CASES["B83_json_patch_makes_labels_apart"] = {
    K: "resources: [base]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - {op: test, path: /kind, "
    "value: Deployment}\nlabels: [{pairs: {env: prod}}]\n",
    "base/" + K: RES + "commonLabels: {env: dev}\n", "base/r.yaml": deployment()}
CASES["B86_patched_annotation_reaches_pods"] = {
    K: "resources: [base]\npatches: [{path: p.yaml}]\n",
    "p.yaml": _HEAD.replace("web}", "web, annotations: {env: prod}}"),
    "base/" + K: RES + "commonAnnotations: {env: dev}\nnamePrefix: ''\n", "base/r.yaml": deployment()}
CASES["B87_replaced_label_reaches_selectors"] = {
    K: RES + "commonLabels: {env: dev}\nreplacements:\n- sourceValue: prod\n  targets: [{select: {kind: "
    "Deployment}, fieldPaths: [metadata.labels.env]}]\n", "r.yaml": deployment()}
for _text in ("'0x1f'", "'\"q\"'", "'2001-01-01'", "a", "' x'", "'true'"):
    CASES[f"B92_source_value_{re.sub('[^a-z0-9]', '', _text)}"] = {
        K: RES + f"replacements:\n- sourceValue: {_text}\n  targets: [{{select: {{kind: Bar}}, fieldPaths: "
        "[spec.text, spec.made, metadata.annotations.made], options: {create: true}}]\n", "r.yaml": _TARGET}
CASES["B92_empty_targets_ERROR"] = {K: RES + "replacements: [{sourceValue: x, targets: []}]\n",
                                    "r.yaml": _TARGET}
CASES["B92_target_changes_the_source"] = {
    K: RES + "replacements:\n- source: {kind: Bar, fieldPath: spec.text}\n  targets:\n  - {select: {kind: Bar}, "
    "fieldPaths: [spec.text], options: {delimiter: /, index: 9}}\n  - {select: {kind: Bar}, fieldPaths: "
    "[spec.plain.0]}\n", "r.yaml": _TARGET}
CASES["B93_list_with_a_number_ERROR"] = {
    K: RES + _VARS, "r.yaml": _VAR_USER.replace("command: [run,", "command: [7,")}
CASES["B96_managed_label_needs_a_map_ERROR"] = {
    K: RES + "buildMetadata: [managedByLabel]\n", "r.yaml": obj("Foo", body="  labels: text\n")}
CASES["B55_number_over_quoted_text"] = patched(
    obj("Foo", "f", body="spec: {a: 8080, b: abc, c: true}\n"),
    obj("Foo", "f", body="spec: {a: '1', b: abc, c: '2'}\n"))
CASES["B55_number_over_text"] = patched(
    obj("Foo", "f", body="spec: {b: 7, d: 1.5, e: text, f: false, g: '9'}\n"),
    obj("Foo", "f", body="spec: {b: abc, d: x, e: 7, f: 8, g: 10}\n"))
CASES["B84_null_selector_stays"] = {K: RES + "commonLabels: {a: b}\n", "r.yaml": obj(
    "PodDisruptionBudget", "p", "policy/v1", body="spec: {selector: {matchLabels: null}}\n")}
CASES["B35_resource_names_hold_a_list_ERROR"] = {K: RES, "r.yaml": obj(
    "Role", "r", RBAC, body="rules: [{resourceNames: [[a]]}]\n")}
CASES["B91_null_takes_no_text_ERROR"] = {
    K: RES + "replacements:\n- sourceValue: x\n  targets: [{select: {kind: Bar}, fieldPaths: [spec.nothing]}]\n",
    "r.yaml": _TARGET.replace("spec:\n", "spec:\n  nothing:\n", 1)}
CASES["B55_number_over_text_that_needs_quotes"] = patched(
    obj("Foo", "f", body="spec: {a: 1, b: 2, c: 3, d: 4, e: 5}\n"),
    obj("Foo", "f", body="spec: {a: '*x', b: '', c: 'a: b', d: '- a', e: -x}\n"))
_HPA = obj("HorizontalPodAutoscaler", "h", "autoscaling/v2", body="spec: {scaleTargetRef: {name: a}}\n")
CASES["B31_kinds_are_tried_in_legacy_order"] = {
    K: "resources: [base, r.yaml]\nnamePrefix: p-\n", "r.yaml": stream(
        _HPA, obj("ReplicationController", "a"), obj("Deployment", "a", "apps/v1")),
    "base/" + K: RES + "namePrefix: q-\n", "base/r.yaml": obj("ReplicaSet", "a", "apps/v1")}
CASES["B39_configured_kinds_are_tried_in_order_too"] = {
    K: RES + "namePrefix: p-\nconfigurations: [c.yaml]\n", "c.yaml": "nameReference:\n" + "".join(
        f"- kind: {kind}\n  fieldSpecs: [{{kind: Foo, path: spec/ref}}]\n"
        for kind in ("Zoo", "Service", "Bar", "Namespace", "ConfigMap")),
    "r.yaml": stream(obj("Foo", "f", body="spec: {ref: a}\n"), obj("Zoo", "a"), obj("Bar", "a"),
                     obj("ConfigMap", "p-a"), obj("Service", "a"))}
CASES["B91_null_takes_empty_text"] = {
    K: RES + "replacements:\n- sourceValue: ''\n  targets: [{select: {kind: Bar}, fieldPaths: [spec.nothing]}]\n",
    "r.yaml": _TARGET.replace("spec:\n", "spec:\n  nothing: null\n", 1)}
CASES["B96_notes_make_annotations_apart"] = {
    K: "resources: [base]\npatches: [{path: p.yaml}]\nbuildMetadata: [managedByLabel]\n",
    "p.yaml": _HEAD.replace("web}", "web, annotations: {env: prod}}"),
    "base/" + K: RES + "commonAnnotations: {env: dev}\n", "base/r.yaml": deployment()}

# What people write plain in annotations is text as they wrote it; elsewhere it is what YAML reads.
_PLAIN = ("{v: 1.50, h: 0x10, p: 8080, t: true, T: True, d: 2020-01-02, o: 0777, e: 1e3, n: null, "
          "f: .5, i: .inf, u: 1_000, neg: -0, m: [1], s: 'q'}")
_WITH = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: %s}\n"
CASES["B11_plain_annotations"] = {K: RES, "r.yaml": _WITH % _PLAIN}
CASES["B11_plain_annotations_with_a_transformer"] = {
    K: RES + "commonAnnotations: {x: q}\n", "r.yaml": _WITH % _PLAIN}
CASES["B11_plain_annotations_of_a_list"] = {
    K: RES, "r.yaml": "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, "
    "metadata: {name: a, annotations: {v: 1.50}}}\n"}
CASES["B11_plain_annotations_merged"] = {K: RES, "r.yaml": _WITH % "{<<: &l {v: 1.50}, w: 1.10}"}
CASES["B11_plain_annotations_of_a_patch"] = {
    K: RES + "patches: [{path: p.yaml}]\n", "r.yaml": _WITH % "{a: b}",
    "p.yaml": _WITH % "{v: 1.50, w: 0x10, T: True, a: null}"}
CASES["B11_plain_annotations_of_a_pod_template"] = {
    K: RES, "r.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, labels: {v: 1.50}}\n"
    "spec: {template: {metadata: {annotations: {v: 1.50, h: 0x10}}}}\n"}
CASES["B11_plain_labels"] = {
    K: RES, "r.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {v: 1.50}}\n"}
# The kustomization file itself is read by YAML 1.1.
for _i, _word in enumerate(("yes", "On", "n", "OFF")):
    CASES[f"B11_old_boolean_{_i}_ERROR"] = {K: RES + f"namePrefix: {_word}\n", "r.yaml": _WITH % "{}"}
    CASES[f"B11_old_boolean_{_i}_quoted"] = {K: RES + f"commonAnnotations: {{a: '{_word}'}}\n",
                                             "r.yaml": _WITH % f"{{b: {_word}}}"}

# So are operations of a JSON patch, and dates in neither are times.
CASES["B73_values_of_an_operation"] = {
    K: RES + "patches:\n- target: {kind: ConfigMap}\n  patch: |\n" + "".join(
        f"    - {{op: add, path: /data/v{i}, value: {value}}}\n" for i, value in enumerate(
            ("2001-01-01", "yes", "0x10", "0o17", "017", "1_0", "190:20", "2001-01-01T00:00:00Z",
             "{y: 1, 1: 2}", "1.50", "123456789012345678901234567890"))),
    "r.yaml": _WITH % "{}" + "data: {a: b}\n"}
CASES["B73_operation_with_a_key_twice"] = {
    K: RES + "patches:\n- target: {kind: ConfigMap}\n  patch: |\n"
    "    - {op: remove, op: add, path: /data/a, value: 1}\n", "r.yaml": _WITH % "{}" + "data: {a: b}\n"}
CASES["B11_a_date_in_the_kustomization"] = {
    K: RES + "commonAnnotations: {d: 2001-01-01}\n", "r.yaml": _WITH % "{}"}

# Elsewhere a plain scalar is what it resolves to; integers beyond 64 bits are floats, as there.
CASES["B11_plain_scalars_of_a_spec"] = {
    K: RES + "namePrefix: p-\n", "r.yaml": "apiVersion: example.com/v1\nkind: Thing\n"
    "metadata: {name: a}\nspec:\n" + "".join(f"  v{i}: {value}\n" for i, value in enumerate(
        ("1.50", "0x10", "2001-01-01", "2001-01-01T00:00:00Z", "9223372036854775807",
         "-9223372036854775808", "-9223372036854775809", "123456789012345678901234567890", "0o17",
         "017", "1e3", "1_000", ".5", "1.0", "0b11", "+1", "1.", "190:20", "1.0e+10", "0x1F_F", "-0.0",
         "3.141592653589793238462643", "[1.50, 0x10, yes, 2001-01-01]")))}

# What is copied is copied as it was written: a version of 1.10 does not become 1.1.
_WRITTEN = ("1.10", "1.0", "0x10", "1e3", ".5", "5.", "0o17", "0777", "0b11", "+1", "-0", "1_000", "True",
            "2001-01-01", "yes", "18446744073709551615", "9223372036854775808",
            "123456789012345678901234567890")
for _i, _text in enumerate(_WRITTEN):
    CASES[f"B91_copies_as_written_{_i}"] = {
        K: RES + """replacements:
- source: {kind: Foo, name: from, fieldPath: spec.v}
  targets:
  - select: {kind: Foo, name: to}
    fieldPaths: [spec.text, metadata.annotations.a, spec.made]
    options: {create: true}
- source: {kind: Foo, name: from, fieldPath: spec.v}
  targets:
  - select: {kind: Foo, name: to}
    fieldPaths: [spec.image]
    options: {delimiter: ':', index: 1}
""", "r.yaml": stream(obj("Foo", "from", body=f"spec: {{v: {_text}}}\n"),
                      obj("Foo", "to", body="  annotations: {a: b}\nspec: {text: t, image: 'a:b'}\n"))}
_LARGE = obj("Foo", body="spec: {a: 9223372036854775808, b: 18446744073709551615, c: 0xffffffffffffffff, "
             "d: 18446744073709551616, e: -9223372036854775809, f: 18_446_744_073_709_551_615}\n")
CASES["B11_integers_below_2_to_64"] = {K: RES + "namePrefix: p-\n", "r.yaml": _LARGE}
CASES["B55_large_integers_through_patch"] = patched(
    obj("Foo", body="spec: {a: 18446744073709551614, b: 1.50, g: 9223372036854775808}\n"), _LARGE)
CASES["B73_large_integers_through_json_patch"] = {
    K: RES + "patches:\n- target: {kind: Foo}\n  patch: '[{\"op\": \"add\", \"path\": \"/spec/z\", \"value\": "
    "18446744073709551615}]'\n", "r.yaml": _LARGE}
CASES["B47_merge_reads_text_as_written"] = {
    K: RES + "configMapGenerator: [{name: cm, behavior: merge, literals: [c=d]}]\n",
    "r.yaml": config_map(data="{n: 1.10, h: 0x10, d: 2001-01-01, l: 18446744073709551615, t: True}")}
CASES["B41_hash_of_large_integer"] = {
    K: "configMapGenerator: [{name: cm}]\npatches: [{path: p.yaml}]\n",
    "p.yaml": config_map(data="k: 9223372036854775808")}
CASES["B41_hash_of_data_that_is_no_map"] = {
    K: RES + "secretGenerator: [{name: s}, {name: t}]\nreplacements:\n" + "".join(
        f"- {{source: {{kind: Foo, fieldPath: spec.{field}}}, targets: [{{select: {{kind: Secret, name: "
        f"{name}}}, fieldPaths: [data]}}]}}\n" for name, field in (("s", "n"), ("t", "l"))),
    "r.yaml": obj("Foo", body="spec: {n: 1, l: [{}]}\n")}
CASES["B93_var_as_written"] = {
    K: RES + "vars: [{name: V, objref: {apiVersion: v1, kind: Foo, name: x}, fieldref: {fieldPath: spec.v}}]\n",
    "r.yaml": stream(obj("Foo", body="spec: {v: 1.10}\n"), deployment(extra=(
        "        args: ['v$(V)', $(V)]\n")))}

# What is put over a quoted scalar is quoted, whatever it is.
_QUOTED = obj("Foo", body="""spec:
  double: "info"
  single: 'info'
  block: |-
    info
  plain: info
  patched: info
""")
CASES["B55_patch_over_quoted"] = patched(
    obj("Foo", body="spec: {double: 5, single: true, block: 1.10, plain: 7, patched: 2001-01-01}\n"), _QUOTED)
CASES["B55_patch_over_quoted_by_patch"] = {
    "base/" + K: RES + "patches: [{path: p.yaml}]\n", "base/r.yaml": _QUOTED,
    "base/p.yaml": obj("Foo", body="spec: {patched: \"quoted\", double: plain}\n"),
    K: "resources: [base]\nnamePrefix: p-\npatches: [{path: p.yaml}]\n",
    "p.yaml": obj("Foo", body="spec: {patched: 5, double: 5, single: 5}\n")}
CASES["B55_patch_over_quoted_after_json_patch"] = {
    K: RES + "patches:\n- target: {kind: Foo}\n  patch: '[{\"op\": \"add\", \"path\": \"/spec/z\", \"value\": "
    "1}]'\n- path: p.yaml\n", "r.yaml": _QUOTED, "p.yaml": obj("Foo", body="spec: {double: 5, single: 5}\n")}
CASES["B60_list_in_finalizers_ERROR"] = patched(
    obj("Service", "s", body="spec: {}\n"), obj("Service", "s", body="  finalizers: [f, [g]]\nspec: {}\n"))

_ADD = """apiVersion: builtin
kind: ValueAddTransformer
metadata: {name: a}
value: %s
targets:
%s"""


def added(value, *targets, base="spec: {n: 3, t: abc, rel: a/b/c, abs: /a/b, root: /, l: [{name: x, v: 1}]}\n"):
    rows = "".join(f"- {{selector: {{kind: Foo}}, fieldPath: '{path}', filePathPosition: {position}}}\n"
                   for path, position in targets)
    return {K: RES + "namePrefix: p-\ntransformers: [t.yaml]\n", "t.yaml": _ADD % (value, rows),
            "r.yaml": stream(obj("Foo", body=base), obj("Namespace", "n"))}


CASES["B99_value_add"] = added("peach", ("spec/n", 0), ("spec/new/deep", 0), ("spec/l/[name=x]/v", 0),
                               ("metadata/annotations/a\\/b", 0))
CASES["B99_value_add_number"] = added("'5'", ("spec/n", 0), ("spec/t", 0))
CASES["B99_value_add_to_paths"] = added("peach", ("spec/rel", 2), ("spec/abs", 1), ("spec/root", 1),
                                        ("spec/none", 3), ("spec/t", 9999))
CASES["B99_value_add_namespace"] = added("peach", ("metadata/namespace", 0))
CASES["B99_value_add_to_map_ERROR"] = added("peach", ("spec", 0))
CASES["B99_value_add_negative_ERROR"] = added("peach", ("spec/t", -1))
CASES["B99_value_add_without_targets_ERROR"] = added("peach")
CASES["B99_value_add_targets_of_file"] = {
    **added("peach", ("spec/t", 0)), "t.yaml": _ADD.replace("targets:\n%s", "targetFilePath: f.yaml\n") % "p",
    "f.yaml": "targets: [{selector: {kind: Foo}, fieldPath: spec/t}, {fieldPath: spec/everywhere}]\n"}
_IAM = """apiVersion: builtin
kind: IAMPolicyGenerator
metadata: {name: iam}
cloud: %s
kubernetesService: {name: k8s, namespace: ns}
serviceAccount: {name: gsa, projectId: proj}
"""
CASES["B99_iam_policy"] = {K: "generators: [g.yaml]\nnamePrefix: p-\nbuildMetadata: [originAnnotations]\n",
                           "g.yaml": _IAM % "gke"}
CASES["B99_iam_policy_of_another_cloud_ERROR"] = {K: "generators: [g.yaml]\n", "g.yaml": _IAM % "aws"}
CASES["B95_origin_names_the_generator"] = {
    K: "buildMetadata: [originAnnotations]\ngenerators:\n- g.yaml\n- |-\n  apiVersion: builtin\n  kind: "
    "SecretGenerator\n  metadata: {name: inline, namespace: ns}\n", "g.yaml":
    "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: gen}\nliterals: [a=b]\n"}
CASES["B100_objects_of_one_id_ERROR"] = {
    K: RES + "replacements:\n- sourceValue: same\n  targets: [{select: {kind: ConfigMap}}]\nvalidators:\n- |-\n"
    "  {apiVersion: builtin, kind: LabelTransformer, metadata: {name: v}}\n",
    "r.yaml": stream(config_map("a"), config_map("b"))}
CASES["B99_inline_plugins_come_first"] = {
    K: RES + "transformers:\n- t.yaml\n- |-\n  {apiVersion: builtin, kind: PrefixTransformer, metadata: {name: a}, prefix: "
    "'in-', fieldSpecs: [{path: metadata/name}]}\n", "r.yaml": config_map(), "t.yaml":
    "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: b}\nprefix: file-\nfieldSpecs: [{path: "
    "metadata/name}]\n"}
CASES["B47_merge_takes_quotes_off"] = {
    "base/" + K: RES + "configMapGenerator: [{name: cm, behavior: merge}]\n", "base/r.yaml": config_map(data="k: ' lead'"),
    K: "resources: [base]\npatches: [{path: p.yaml}]\n", "p.yaml": config_map(data="k: 1.0")}
CASES["B93_many_vars"] = {K: RES + "vars:\n" + "".join(
    f"- {{name: V{i}, objref: {{apiVersion: v1, kind: ConfigMap, name: c{i % 20}}}}}\n" for i in range(200)),
    "r.yaml": stream(*(config_map(f"c{i}") for i in range(20)), deployment(extra="        args: [$(V0), $(V199)]\n"))}
CASES["B55_quoted_over_plain_is_plain"] = {
    "base/" + K: RES + "patches: [{path: p.yaml}]\n", "base/r.yaml": obj("Foo", body="spec: {a: false, b: 1.10}\n"),
    "base/p.yaml": obj("Foo", body="spec: {a: \"it's\", b: 'text'}\n"),
    K: "resources: [base]\npatches: [{path: p.yaml}]\n", "p.yaml": obj("Foo", body="spec: {a: 5., b: 7}\n")}


def _accounts(base, patch):
    return patched(obj("ServiceAccount", "s", body=f"secrets: {patch}\n"),
                   obj("ServiceAccount", "s", body=f"secrets: {base}\n"))


def _ports(base, patch):
    return patched(obj("Service", "s", body=f"spec: {{ports: {patch}}}\n"),
                   obj("Service", "s", body=f"spec: {{ports: {base}}}\n"))


# A merge key that is a map, a list, empty or not there: elements take each other's places.
CASES["B55_replacement_puts_a_map_into_a_merge_key"] = {
    **_accounts("[{name: sec}]", "[{name: a}]"), K: RES +
    "replacements: [{source: {kind: ServiceAccount, fieldPath: 'secrets.[name=sec]'}, targets: "
    "[{select: {}, fieldPaths: [secrets.*.name]}]}]\ntransformers: [t.yaml]\n", "t.yaml":
    "apiVersion: builtin\nkind: PatchStrategicMergeTransformer\nmetadata: {name: t}\npaths: [p.yaml]\n"}
for _i, (_base, _patch) in enumerate([
        ('[{name: ""}]', "[{name: a}]"), ("[{name: {b: c}, x: y}, {name: q}]", "[{name: a, z: w}]"),
        ("[{name: [b]}]", "[{name: a}]"), ("[{x: y}]", "[{name: a}]"),
        ("[{name: null, x: y}]", "[{name: a}]"), ("[{name: a}]", "[{name: {b: c}, x: y}]"),
        ("[{name: a}]", "[{x: y}]"), ("[{name: a}, {x: y}, {name: b}, null, {}]", "[{name: b, z: w}]"),
        ("[{name: a}, {x: y}]", "null"), ("[{}]", "[]")]):
    CASES[f"B55_blank_merge_key_{_i}"] = _accounts(_base, _patch)
for _i, (_base, _patch) in enumerate([
        ("[{port: 1, name: a}, {name: x}]", "[{port: 2, name: b}]"),
        ("[{protocol: b}, {port: b, z: w}, {protocol: 1}, {port: b}]", "[]"),
        ("[{protocol: {q: r}}, {port: [], z: x}, {port: 3, protocol: 1}]", "[{port: [s], y: z}, {}]")]):
    CASES[f"B57_blank_merge_keys_{_i}"] = _ports(_base, _patch)
CASES["B55_text_in_a_keyed_list_ERROR"] = _accounts("[text]", "[{name: a}]")
