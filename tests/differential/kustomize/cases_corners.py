"""Corners of all of it, found by thinking of what could differ."""

from .cases import (COMPONENT, K, RBAC, RES, config_map, deployment, indent, obj, stream)
from .cases_patches import (_DEP, _FOO, _HEAD, _LABELLED, _SCHEMA, json_patched, main_patch,
    patched, pod_patch, targets)
from .cases_values import (_META, _SOURCE, _TARGET, _VARS, _VAR_USER, from_field, images, plugin,
    replaced, transformed)

CASES = {}

# Corners.
CASES["B4_empty_file"] = {K: "resources: [e.yaml, r.yaml]\n", "e.yaml": "# nothing\n", "r.yaml": config_map()}
CASES["B5_json_file"] = {K: "resources: [r.json]\n", "r.json": '{"apiVersion": "v1", "kind": "ConfigMap", '
                         '"metadata": {"name": "j"}, "data": {"a": "b\\u00e9\\n"}}'}
CASES["B13_twice_ERROR"] = {K: "resources: [r.yaml, ./r.yaml]\n", "r.yaml": config_map()}
CASES["B13_slashes"] = {K: "resources: [./base/, ./x/../r.yaml]\n", "r.yaml": config_map(), "x/y": "",
                        "base/" + K: "resources: [./b.yaml]\n", "base/b.yaml": config_map("b")}
CASES["B18_component_merges_generator"] = {
    K: "configMapGenerator: [{name: cm, literals: [a=b]}]\ncomponents: [c]\n",
    "c/" + K: COMPONENT + "configMapGenerator: [{name: cm, behavior: merge, literals: [c=d]}]\n"}
CASES["B18_component_twice"] = {K: RES + "components: [c, c]\n", "r.yaml": deployment(),
                                "c/" + K: COMPONENT + "nameSuffix: -x\n"}
CASES["B18_component_patches_parent_generator"] = {
    K: "configMapGenerator: [{name: cm, literals: [a=b]}]\ncomponents: [c]\n",
    "c/" + K: COMPONENT + "patches:\n- target: {kind: ConfigMap}\n  patch: |-\n    - {op: add, path: "
    "/data/x, value: 'y'}\n"}
CASES["B22_namespace_referrer"] = {K: RES + "namespace: foo\nnamePrefix: p-\n", "r.yaml": stream(
    obj("Namespace", "old"), deployment(ns="old"))}
CASES["B23_no_subject_name"] = {K: RES + "namespace: foo\n", "r.yaml": obj(
    "RoleBinding", "rb", RBAC, body="subjects: []\n")}
CASES["B27_prefix_only_suffix_refs"] = {
    K: "resources: [a, b]\n", "a/" + K: "resources: [../base]\nnamePrefix: a-\nnameSuffix: -z\n",
    "b/" + K: "resources: [../base]\nnamePrefix: b-\nnameSuffix: -z\n", "base/" + K: RES,
    "base/r.yaml": stream(config_map(), deployment(pod="        envFrom: [{configMapRef: {name: cm}}]\n"))}
CASES["B37_namespace_overlays"] = {
    K: "resources: [a, b]\n", "a/" + K: "resources: [../base]\nnamespace: na\n",
    "b/" + K: "resources: [../base]\nnamespace: nb\n",
    "base/" + K: RES + "configMapGenerator: [{name: gen, literals: [a=b]}]\n",
    "base/r.yaml": deployment(pod="        envFrom: [{configMapRef: {name: gen}}]\n")}
CASES["B38_same_names_two_kinds"] = {K: RES + "namePrefix: p-\n", "r.yaml": stream(
    config_map("same"), obj("Secret", "same"),
    deployment(pod="        envFrom: [{configMapRef: {name: same}}, {secretRef: {name: same}}]\n"))}
CASES["B46_two_generators_one_name_ERROR"] = {
    K: "configMapGenerator:\n- {name: cm, literals: [a=b]}\n- {name: cm, literals: [c=d]}\n"}
CASES["B46_merge_in_same_file"] = {
    K: "configMapGenerator:\n- {name: cm, literals: [a=b]}\n- {name: cm, behavior: merge, literals: [c=d]}\n"}
CASES["B46_namespaces"] = {K: "configMapGenerator:\n- {name: cm, namespace: a, literals: [a=b]}\n- {name: cm, "
                           "namespace: b, literals: [c=d]}\n" + RES, "r.yaml": stream(
                               deployment("one", "a", pod="        envFrom: [{configMapRef: {name: cm}}]\n"),
                               deployment("two", "b", pod="        envFrom: [{configMapRef: {name: cm}}]\n"))}
CASES["B47_replace_labels"] = {
    K: "resources: [base]\nconfigMapGenerator:\n- {name: cm, behavior: replace, literals: [n=m], options: "
    "{labels: {a: new, c: new}}}\n", "base/" + K: "configMapGenerator:\n- {name: cm, literals: [a=b], options: "
    "{labels: {a: old, b: old}, annotations: {k: v}, immutable: true}}\n"}
CASES["B47_merge_hash_off"] = {
    K: "resources: [base]\nconfigMapGenerator:\n- {name: cm, behavior: merge, literals: [n=m], options: "
    "{disableNameSuffixHash: true}}\n", "base/" + K: "configMapGenerator: [{name: cm, literals: [a=b]}]\n"}
CASES["B48_two_layers"] = {
    K: "resources: [mid]\nconfigMapGenerator: [{name: cm, behavior: merge, literals: [c=3]}]\nnamePrefix: t-\n",
    "mid/" + K: "resources: [../base]\nconfigMapGenerator: [{name: cm, behavior: merge, literals: [b=2]}]\n"
    "namePrefix: m-\n", "base/" + K: "configMapGenerator: [{name: cm, literals: [a=1]}]\nnamePrefix: b-\n"}
CASES["B48_ambiguous_ERROR"] = {
    K: "resources: [a, b]\nconfigMapGenerator: [{name: cm, behavior: merge, literals: [c=3]}]\n",
    "a/" + K: "configMapGenerator: [{name: cm}]\nnamePrefix: a-\n",
    "b/" + K: "configMapGenerator: [{name: cm}]\nnamePrefix: b-\n"}
CASES["B53_binary_merge"] = {
    K: "resources: [base]\nconfigMapGenerator: [{name: cm, behavior: merge, files: [two.bin]}]\n",
    "two.bin": b"\xff\xfe", "base/" + K: "configMapGenerator: [{name: cm, files: [one.bin], literals: [a=b]}]\n",
    "base/one.bin": b"\xfe\xff"}
CASES["B56_nested_delete_in_new"] = pod_patch(
    "containers:\n- name: new\n  env: [{name: A, value: x}, {name: B, $patch: delete}]\n")
CASES["B57_ports_new_container"] = pod_patch(
    "containers:\n- name: new\n  ports: [{containerPort: 1}, {containerPort: 1, protocol: UDP}]\n")
CASES["B58_webhooks"] = patched(
    obj("ValidatingWebhookConfiguration", "w", "admissionregistration.k8s.io/v1",
        body="webhooks: [{name: b, rules: [{a: 1}]}, {name: c}]\n"),
    obj("ValidatingWebhookConfiguration", "w", "admissionregistration.k8s.io/v1",
        body="webhooks: [{name: a}, {name: b, rules: [{x: 1}], sideEffects: None}]\n"))
CASES["B58_service_account"] = patched(
    obj("ServiceAccount", "s", body="secrets: [{name: b}]\nimagePullSecrets: [{name: y}]\n"),
    obj("ServiceAccount", "s", body="secrets: [{name: a}]\nimagePullSecrets: [{name: x}]\n"))
CASES["B58_cronjob"] = patched(
    obj("CronJob", "c", "batch/v1", body="spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, "
        "tty: true}]}}}}}\n"),
    obj("CronJob", "c", "batch/v1", body="spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, "
        "image: i}, {name: b}]}}}}}\n"))
CASES["B58_owner_references"] = patched(
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, ownerReferences: [{uid: b, x: y}]}\n",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, ownerReferences: [{uid: a}, {uid: b, z: w}]}\n")
CASES["B58_extensions_deployment"] = patched(
    _HEAD.replace("apps/v1", "extensions/v1beta1") + "spec: {template: {spec: {containers: [{name: b}]}}}\n",
    _HEAD.replace("apps/v1", "extensions/v1beta1") + "spec: {template: {spec: {containers: [{name: a}]}}}\n")
CASES["B59_limits"] = main_patch("resources: {limits: {cpu: 1}}\nlivenessProbe: {httpGet: {port: 80}}\n")
CASES["B61_delete_last_container"] = pod_patch("containers: [{name: main, $patch: delete}, {name: side, $patch: "
                                               "delete}]\n")
CASES["B61_null_finalizers"] = patched(_HEAD.replace("web}", "web, finalizers: null, labels: null}"), _DEP)
CASES["B61_empty_map"] = patched(_HEAD + "spec: {strategy: {}, template: {}}\n", _DEP)
CASES["B61_null_label"] = patched(_HEAD.replace("web}", "web, labels: {x: null}}"), _DEP)
CASES["B63_delete_gone_ERROR"] = patched(stream("$patch: delete\n" + _HEAD, "$patch: delete\n" + _HEAD), _DEP)
CASES["B69_rename_without_target"] = {
    K: RES + "patches:\n- path: p.yaml\n  options: {allowNameChange: true, allowKindChange: true}\n",
    "r.yaml": _DEP, "p.yaml": _HEAD + "spec: {a: b}\n"}
CASES["B70_version_regex"] = targets("{version: v1, kind: 'Config(Map)?'}", "a")
CASES["B70_annotation_exists"] = targets("{annotationSelector: note}", base=_LABELLED)
CASES["B73_test_numbers"] = json_patched("- {op: test, path: /spec/replicas, value: 2}\n", _DEP)
CASES["B73_whole_metadata_ERROR"] = json_patched("- {op: remove, path: /metadata}\n", _DEP)
CASES["B74_change_kind"] = json_patched("- {op: replace, path: /kind, value: StatefulSet}\n", _DEP)
CASES["B74_change_namespace"] = json_patched("- {op: add, path: /metadata/namespace, value: z}\n", stream(
    config_map(), deployment(pod="        envFrom: [{configMapRef: {name: cm}}]\n")))
CASES["B77_empty_ERROR"] = {K: RES + "patchesJson6902:\n- target: {kind: Deployment, name: web, version: v1}\n"
                            "  path: p.yaml\n", "r.yaml": _DEP, "p.yaml": ""}
CASES["B78_same_name_twice"] = images("[{name: nginx, newTag: '2'}, {name: nginx, newTag: '3'}]")
CASES["B78_slash_port"] = images("[{name: 'reg.io:5000/team/app', newTag: v2}]")
CASES["B80_images_not_list"] = {K: RES + "images: [{name: nginx, newTag: '2'}]\n", "r.yaml": obj(
    "Foo", version="x/v1", body="spec: {containers: {a: {image: nginx}}, image: nginx}\n")}
CASES["B82_former_and_current"] = {
    K: "resources: [base]\nreplicas: [{name: p-web, count: 6}]\n", "base/" + K: RES + "namePrefix: p-\n",
    "base/r.yaml": deployment()}
CASES["B83_conflict_ERROR"] = {K: RES + "labels: [{pairs: {a: b}, fields: [{path: metadata/labels}]}]\n",
                               "r.yaml": config_map()}
CASES["B87_create_nested_list"] = from_field(
    "spec.list", "fieldPaths: [spec.deep.er]\noptions: {create: true}\n")
CASES["B87_int_into_created"] = replaced("{kind: ConfigMap, fieldPath: data.a}",
                                         "fieldPaths: [spec.made]\noptions: {create: true}\n",
                                         base=stream(config_map(data="a: '99'"), _TARGET))
CASES["B88_delimiter_many"] = from_field("spec.text", "fieldPaths: [spec.text, 'spec.items.*.name']\noptions: "
                                         "{delimiter: /, index: 0}\n")
CASES["B89_name_rename_refs"] = {
    K: RES + "replacements:\n- source: {kind: Foo, fieldPath: spec.text}\n  targets: [{select: {kind: ConfigMap}, "
    "fieldPaths: [metadata.name]}]\nnamePrefix: p-\n", "r.yaml": stream(
        _SOURCE, config_map(), deployment(pod="        envFrom: [{configMapRef: {name: cm}}]\n"))}
CASES["B89_labels_select"] = replaced("{kind: Foo}", "fieldPaths: [spec.text]\n", select="{labelSelector: 'a=b'}",
                                      base=stream(_SOURCE, _TARGET, _TARGET.replace("dst", "two").replace(
                                          "  annotations", "  labels: {a: b}\n  annotations")))
CASES["B91_text_into_int_ERROR"] = from_field("spec.text", "fieldPaths: [spec.int]\n")
CASES["B92_source_value_number"] = {K: RES + "replacements:\n- sourceValue: '12'\n  targets: [{select: {kind: "
                                    "Bar}, fieldPaths: [spec.text, spec.int, spec.made], options: {create: "
                                    "true}}]\n", "r.yaml": _TARGET}
CASES["B93_escape_in_middle"] = {K: RES + _VARS, "r.yaml": _VAR_USER.replace("$$(SVC)", "a$$b $$$(SVC) $ $x")}
CASES["B93_labels"] = {K: RES + _VARS + "commonLabels: {svc: $(SVC)}\ncommonAnnotations: {svc: x-$(SVC)}\n",
                       "r.yaml": _VAR_USER}
CASES["B94_local_generator"] = {K: "configMapGenerator:\n- name: cm\n  options: {annotations: "
                                "{config.kubernetes.io/local-config: 'true'}}\n- {name: other}\n"}
CASES["B95_component"] = {K: RES + "components: [c]\n" + _META, "r.yaml": config_map(), "c/" + K: COMPONENT
                          + "resources: [x.yaml]\nconfigMapGenerator: [{name: g}]\n", "c/x.yaml": config_map("x")}
CASES["B96_all"] = {K: RES + "namePrefix: p-\ntransformers: [t.yaml]\nreplicas: [{name: web, count: 1}]\n"
                    "commonAnnotations: {a: b}\nbuildMetadata: [originAnnotations, transformerAnnotations, "
                    "managedByLabel]\n", "r.yaml": deployment(), "t.yaml": plugin(
                        "SuffixTransformer", "suffix: -s\nfieldSpecs: [{path: metadata/name}]\n")}
CASES["B99_merge_patches"] = transformed(plugin(
    "PatchStrategicMergeTransformer", "patches: |-\n" + indent(_HEAD + "spec: {replicas: 6}\n", 2)))
CASES["B99_json_patch"] = transformed(plugin(
    "PatchJson6902Transformer", "target: {kind: Deployment, name: web}\njsonOp: |-\n  - {op: remove, path: "
    "/spec/replicas}\n"))
CASES["B99_replacement"] = transformed(plugin("ReplacementTransformer", "replacements:\n- source: {kind: Foo}\n"
                                              "  targets: [{select: {kind: Bar}, fieldPaths: [spec.text]}]\n"),
                                       stream(_SOURCE, _TARGET))
CASES["B99_hash"] = transformed(plugin("HashTransformer", ""), config_map())
CASES["B99_directory"] = {K: RES + "transformers: [dir]\n", "r.yaml": config_map(), "dir/" + K: "resources: [t.yaml]\n",
                          "dir/t.yaml": plugin("PrefixTransformer", "prefix: d-\nfieldSpecs: [{path: "
                                               "metadata/name}]\n")}
CASES["B99_no_field_specs_ERROR"] = transformed(plugin("PrefixTransformer", "prefix: p-\n"))
CASES["B99_function_annotation_of_a_builtin"] = transformed(plugin(
    "PrefixTransformer", "prefix: p-\nfieldSpecs: [{path: metadata/name}]\n",
    metadata="name: t, annotations: {config.kubernetes.io/function: 'exec: {path: ./run}'}"))
CASES["B99_secret_generator"] = {K: "generators: [g.yaml]\nnamePrefix: p-\n", "g.yaml": plugin(
    "SecretGenerator", "literals: [a=b]\ntype: T\nname: own\n", metadata="name: gen, namespace: ns")}
CASES["B57_untouched_udp_last"] = patched(
    obj("Service", "s", body="spec: {type: X}\n"),
    obj("Service", "s", body="spec: {ports: [{port: 53}, {port: 53, protocol: UDP}]}\n"))
CASES["B57_touched_udp_first"] = patched(
    obj("Service", "s", body="spec: {ports: [{port: 80}]}\n"),
    obj("Service", "s", body="spec: {ports: [{port: 53, protocol: UDP}, {port: 53}]}\n"))
CASES["B57_untouched_same"] = patched(
    obj("Service", "s", body="spec: {type: X}\n"),
    obj("Service", "s", body="spec: {ports: [{port: 53, name: a}, {port: 53, name: b}]}\n"))
CASES["B39_vars_and_labels"] = {
    K: RES + _VARS + "labels: [{pairs: {x: 'y'}, includeTemplates: true}]\nconfigurations: [c.yaml]\n",
    "c.yaml": "varReference: [{kind: Foo, path: spec/v}]\ntemplateLabels: [{kind: Foo, path: spec/tl, create: true}]\n"
    "labels: [{kind: Foo, path: spec/l, create: true}]\n",
    "r.yaml": stream(_VAR_USER, obj("Foo", version="x/v1", body="spec: {v: [$(SVC)]}\n"))}
CASES["B40_hints"] = {
    K: RES + "namePrefix: p-\ncommonLabels: {l: v}\ncommonAnnotations: {a: w}\ncrds: [c.json]\n", "c.json": """{
"x.v1.Foo": {"Schema": {"properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"},
 "metadata": {"$ref": "meta"}, "spec": {"$ref": "x.v1.FooSpec"}}}},
"x.v1.FooSpec": {"Schema": {"properties": {
 "annos": {"x-kubernetes-annotation": ""}, "sel": {"x-kubernetes-label-selector": ""},
 "ident": {"x-kubernetes-identity": ""}, "nested": {"$ref": "x.v1.Nested"}}}},
"x.v1.Nested": {"Schema": {"properties": {"sec": {"x-kubernetes-object-ref-api-version": "v1",
 "x-kubernetes-object-ref-kind": "Secret", "x-kubernetes-object-ref-name-key": "secretName"}}}}}
""", "r.yaml": stream(obj("Secret", "s"), obj("Foo", version="x/v1", body=(
        "spec: {annos: {}, sel: {}, ident: who, nested: {sec: {secretName: s}}}\n")))}
CASES["B2_duplicate_key"] = {K: RES + "namePrefix: a-\nnamePrefix: b-\n", "r.yaml": config_map()}
CASES["B2_anchor"] = {K: "resources: &r [r.yaml]\nconfigurations: []\nnamePrefix: &p p-\nnameSuffix: *p\n",
                      "r.yaml": config_map()}
CASES["B2_flag_word"] = {K: "configMapGenerator: [{name: a, options: {disableNameSuffixHash: yes}}]\n"}
CASES["B66_openapi_from_base"] = {
    K: "resources: [base]\nopenapi: {path: schema.json}\n", "schema.json": _SCHEMA,
    "base/" + K: RES + "patches: [{path: p.yaml}]\n", "base/r.yaml": _FOO,
    "base/p.yaml": obj("Foo", "f", "x.io/v1", body="spec: {list: [{name: a, w: 2}, {name: c}]}\n")}
