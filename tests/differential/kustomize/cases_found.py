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
