"""Cases B78 to B106: images, replicas, labels, replacements, vars, order, metadata, plugins."""

from .cases import (COMPONENT, K, RBAC, RES, config_map, deployment, indent, obj, stream)
from .cases_patches import (_DEP, _HEAD, _SCHEMA, targets)

CASES = {}

# Images, replicas, labels.
_IMAGES = """spec:
  containers:
  - {name: a, image: nginx}
  - {name: b, image: "nginx:1.0"}
  - {name: c, image: "nginx@sha256:abc"}
  - {name: d, image: "nginx:1.0@sha256:abc"}
  - {name: e, image: my/nginx:1}
  - {name: f, image: "reg.io:5000/team/app:v1"}
  - {name: g, image: "nginx-extra:1"}
  - {name: h}
  initContainers: [{name: a, image: nginx}]
  volumes: [{name: v, image: {reference: nginx:1}}]
"""


def images(entries, kind="Pod", version="v1"):
    return {K: RES + f"images: {entries}\n", "r.yaml": obj(kind, "p", version, body=_IMAGES)}


CASES["B78_tag"] = images("[{name: nginx, newTag: '2'}]")
CASES["B78_digest"] = images("[{name: nginx, digest: 'sha256:def'}]")
CASES["B78_both"] = images("[{name: nginx, newTag: '2', digest: 'sha256:def'}]")
CASES["B78_name"] = images("[{name: 'reg.io:5000/team/app', newName: 'other:6000/x/y'}]")
CASES["B78_suffix"] = images("[{name: nginx, tagSuffix: -s}]")
CASES["B78_chain"] = images("[{name: nginx, newName: one}, {name: one, newName: two, newTag: '7'}]")
CASES["B79_regex"] = images("[{name: '.*/nginx', newTag: '2'}]")
CASES["B80_custom"] = images("[{name: nginx, newTag: '2'}]", "Foo", "x.io/v1")
CASES["B80_crd"] = images("[{name: nginx, newTag: '2'}]", "CustomResourceDefinition",
                          "apiextensions.k8s.io/v1")
CASES["B80_deep"] = {K: RES + "images: [{name: nginx, newTag: '2'}]\n", "r.yaml": obj(
    "Foo", version="x/v1", body="a: {b: [{containers: [{image: nginx}], image: nginx}]}\n")}
_SCALED = stream(deployment(), obj("StatefulSet", "web", "apps/v1"), obj("ReplicaSet", "web", "apps/v1"),
                 obj("DaemonSet", "web", "apps/v1"), obj("Rollout", "web", "x/v1"), deployment("other"))
CASES["B82_replicas"] = {K: RES + "replicas: [{name: web, count: 0}]\n", "r.yaml": _SCALED}
CASES["B82_unknown_ERROR"] = {K: RES + "replicas: [{name: gone, count: 2}]\n", "r.yaml": _SCALED}
CASES["B82_prefixed"] = {K: "resources: [base]\nreplicas: [{name: web, count: 5}]\n",
                         "base/" + K: RES + "namePrefix: p-\n", "base/r.yaml": deployment()}
CASES["B82_count_text_ERROR"] = {K: RES + "replicas: [{name: web, count: two}]\n", "r.yaml": _SCALED}
_AFFINITY = """      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - podAffinityTerm: {labelSelector: {matchLabels: {a: b}}}
          requiredDuringSchedulingIgnoredDuringExecution:
          - labelSelector: {matchLabels: {a: b}}
          - labelSelector: {}
      topologySpreadConstraints: [{labelSelector: {matchLabels: {a: b}}}, {topologyKey: x}]
"""
_EVERYTHING = stream(
    deployment(extra=_AFFINITY), obj("StatefulSet", "s", "apps/v1", body=(
        "spec:\n  volumeClaimTemplates: [{metadata: {name: v}}]\n")),
    obj("DaemonSet", "d", "apps/v1"), obj("ReplicaSet", "r", "apps/v1"),
    obj("ReplicationController", "rc"), obj("Job", "j", "batch/v1"), obj("CronJob", "c", "batch/v1"),
    obj("CronJob", "c2", "batch/v1", body="spec: {jobTemplate: {spec: {selector: {matchLabels: {a: "
        "b}}}}}\n"), obj("Service", "svc"), obj("Service", "kn", "serving.knative.dev/v1"),
    obj("PodDisruptionBudget", "p1", "policy/v1"),
    obj("PodDisruptionBudget", "p2", "policy/v1", body="spec: {selector: {matchLabels: {a: b}}}\n"),
    obj("NetworkPolicy", "n1", "networking.k8s.io/v1", body="spec: {podSelector: {}}\n"),
    obj("NetworkPolicy", "n2", "networking.k8s.io/v1", body="""spec:
  podSelector: {matchLabels: {a: b}}
  ingress: [{from: [{podSelector: {matchLabels: {a: b}}}, {namespaceSelector: {}}]}]
  egress: [{to: [{podSelector: {matchLabels: {a: b}}}]}]
"""), obj("Pod", "pod"), obj("Foo", "foo", "x/v1"), obj("Deployment", "old", "extensions/v1beta1"))
CASES["B83_labels"] = {K: RES + "labels: [{pairs: {x: 'y'}}]\n", "r.yaml": _EVERYTHING}
CASES["B83_templates"] = {K: RES + "labels: [{pairs: {x: 'y'}, includeTemplates: true}]\n",
                          "r.yaml": _EVERYTHING}
CASES["B83_selectors"] = {K: RES + "labels: [{pairs: {x: 'y'}, includeSelectors: true}]\n",
                          "r.yaml": _EVERYTHING}
CASES["B83_fields"] = {K: RES + "labels:\n- pairs: {x: 'y'}\n  fields: [{path: spec/own, create: true, "
                       "kind: Foo}, {path: spec/no, kind: Foo}]\n- pairs: {z: w}\n",
                       "r.yaml": _EVERYTHING}
CASES["B84_common_labels"] = {K: RES + "commonLabels: {x: 'y', b: a}\n", "r.yaml": _EVERYTHING}
CASES["B84_null_labels"] = {K: RES + "commonLabels: {x: 'y'}\n", "r.yaml": obj("Foo").replace(
    "name: x", "name: x\n  labels: null")}
CASES["B84_scalar_labels_ERROR"] = {K: RES + "commonLabels: {x: 'y'}\n", "r.yaml": obj("Foo").replace(
    "name: x", "name: x\n  labels: text")}
CASES["B85_values"] = {K: RES + "commonLabels: {one: '1', two: 'true'}\ncommonAnnotations: {c: '0x1', "
                       "e: ''}\n", "r.yaml": config_map()}
CASES["B85_int_ERROR"] = {K: RES + "commonLabels: {one: 1}\n", "r.yaml": config_map()}
CASES["B86_annotations"] = {K: RES + "commonAnnotations: {x: 'y'}\n", "r.yaml": _EVERYTHING}

# Replacements.
_SOURCE = obj("Foo", "src", "x/v1", body="""spec:
  text: a-b-c
  num: 42
  flag: true
  map: {k: v, n: 1}
  list: [1, two]
  items: [{name: one, v: first}, {name: two, v: second}]
  empty: {}
""")
_TARGET = obj("Bar", "dst", "x/v1", body="""  annotations: {dotted.io/key: x}
spec:
  text: p/q/r
  int: 7
  bool: false
  map: {old: 1}
  list: [a]
  items: [{name: one, v: 1}, {name: two, v: 2}, {name: three}]
  plain: [alpha, beta]
""")


def replaced(source, target, base=None, select="{kind: Bar}", extra=""):
    return {K: RES + f"replacements:\n- source: {source}\n  targets:\n  - select: {select}\n{extra}"
            + indent(target, 4), "r.yaml": base or stream(_SOURCE, _TARGET)}


def from_field(path, target, **more):
    return replaced(f"{{kind: Foo, fieldPath: {path}}}", target, **more)


CASES["B87_scalar"] = from_field("spec.text", "fieldPaths: [spec.text]\n")
CASES["B87_name"] = replaced("{kind: Foo}", "fieldPaths: [spec.text]\n")
CASES["B87_default_target"] = replaced("{kind: Foo}", "options: {create: true}\n")
CASES["B87_map"] = from_field("spec.map", "fieldPaths: [spec.map]\n")
CASES["B87_list"] = from_field("spec.list", "fieldPaths: [spec.list]\n")
CASES["B87_create"] = from_field("spec.num", "fieldPaths: [spec.new.deep]\noptions: {create: true}\n")
CASES["B87_create_map"] = from_field("spec.map", "fieldPaths: [spec.new]\noptions: {create: true}\n")
CASES["B87_create_text"] = from_field("spec.text", "fieldPaths: [spec.new]\noptions: {create: true}\n")
CASES["B87_create_element"] = from_field(
    "spec.text", "fieldPaths: ['spec.items.[name=four].v']\noptions: {create: true}\n")
CASES["B87_create_index"] = from_field(
    "spec.text", "fieldPaths: [spec.plain.2]\noptions: {create: true}\n")
CASES["B87_missing_ERROR"] = from_field("spec.num", "fieldPaths: [spec.new]\n")
CASES["B87_source_missing_ERROR"] = from_field("spec.gone", "fieldPaths: [spec.text]\n")
CASES["B87_source_empty_ERROR"] = from_field("spec.empty", "fieldPaths: [spec.text]\n")
CASES["B87_map_over_scalar"] = from_field("spec.map", "fieldPaths: [spec.text]\n")
CASES["B87_scalar_over_map"] = from_field("spec.text", "fieldPaths: [spec.map]\n")
for _index in (0, 1, 2, -1, 9):
    CASES[f"B88_target_index_{_index}"] = from_field(
        "spec.num", f"fieldPaths: [spec.text]\noptions: {{delimiter: /, index: {_index}}}\n")
CASES["B88_source_index"] = replaced(
    "{kind: Foo, fieldPath: spec.text, options: {delimiter: '-', index: 1}}",
    "fieldPaths: [spec.text]\n")
CASES["B88_source_out_ERROR"] = replaced(
    "{kind: Foo, fieldPath: spec.text, options: {delimiter: '-', index: 3}}",
    "fieldPaths: [spec.text]\n")
CASES["B88_delimiter_map_ERROR"] = from_field(
    "spec.num", "fieldPaths: [spec.map]\noptions: {delimiter: /}\n")
CASES["B89_reject"] = replaced("{kind: Foo}", "fieldPaths: [spec.text]\nreject: [{name: no.*}]\n",
                               base=stream(_SOURCE, _TARGET, _TARGET.replace("dst", "no1")))
CASES["B89_reject_labels"] = replaced(
    "{kind: Foo}", "fieldPaths: [spec.text]\nreject: [{annotationSelector: skip=yes}]\n",
    base=stream(_SOURCE, _TARGET, _TARGET.replace("dst", "no1").replace(
        "{dotted", "{skip: 'yes', dotted")))
CASES["B89_regex"] = replaced("{kind: Foo}", "fieldPaths: [spec.text]\n", select="{name: d.*}",
                              base=stream(_SOURCE, _TARGET, _TARGET.replace("dst", "xdst")))
CASES["B89_star"] = from_field("spec.num", "fieldPaths: ['spec.plain.*']\n")
CASES["B89_star_field_ERROR"] = from_field("spec.num", "fieldPaths: ['spec.items.*.w']\n")
CASES["B89_match"] = from_field("spec.num", "fieldPaths: ['spec.items.[name=two].v']\n")
CASES["B89_match_regex"] = from_field("spec.num", "fieldPaths: ['spec.items.[name=t].v']\noptions: "
                                      "{create: true}\n")
CASES["B89_match_scalar"] = from_field("spec.num", "fieldPaths: ['spec.plain.[=alpha]']\n")
CASES["B89_index"] = from_field("spec.num", "fieldPaths: [spec.items.1.v]\n")
CASES["B89_index_out_ERROR"] = from_field("spec.num", "fieldPaths: [spec.items.9.v]\n")
CASES["B89_dotted"] = from_field("spec.num", "fieldPaths: ['metadata.annotations.[dotted.io/key]']\n")
CASES["B89_escaped"] = from_field("spec.num", "fieldPaths: ['metadata.annotations.dotted\\.io/key']\n")
CASES["B89_source_match"] = from_field("'spec.items.[name=two].v'", "fieldPaths: [spec.text]\n")
CASES["B89_source_index"] = from_field("spec.items.0.v", "fieldPaths: [spec.text]\n")
CASES["B89_source_last"] = from_field("spec.list.-", "fieldPaths: [spec.text]\n")
CASES["B89_former_name"] = {K: "resources: [base]\nreplacements:\n- source: {kind: Foo, name: src}\n"
                            "  targets: [{select: {name: dst}, fieldPaths: [spec.text]}]\n",
                            "base/" + K: RES + "namePrefix: p-\nnamespace: nn\n",
                            "base/r.yaml": stream(_SOURCE, _TARGET)}
_JSON_CM = """apiVersion: v1
kind: ConfigMap
metadata: {name: cm}
data:
  compact: '{"b": 1, "a": {"x": "old <&>"}, "l": [1, 2]}'
  pretty: |-
    {
      "b": 1,
      "a": {"x": "old"},
      "l": []
    }
  text: hello
"""
for _key in ("compact", "pretty"):
    CASES[f"B90_json_{_key}"] = from_field("spec.text", f"fieldPaths: [data.{_key}.a.x]\n",
                                           select="{kind: ConfigMap}",
                                           base=stream(_SOURCE, _JSON_CM))
CASES["B90_yaml"] = from_field("spec.text", "fieldPaths: [data.conf.a.x]\n", select="{kind: ConfigMap}",
                               base=stream(_SOURCE, config_map(data="conf: |\n    a:\n      x: old\n"
                                                               "    b: 2")))
CASES["B90_text_ERROR"] = from_field("spec.text", "fieldPaths: [data.text.a]\n",
                                     select="{kind: ConfigMap}", base=stream(_SOURCE, _JSON_CM))
CASES["B91_int"] = replaced("{kind: ConfigMap, fieldPath: data.a}", "fieldPaths: [spec.int]\n",
                            base=stream(config_map(data="a: '99'"), _TARGET))
CASES["B91_int_to_text"] = from_field("spec.num", "fieldPaths: [spec.text]\n")
CASES["B91_bool"] = from_field("spec.flag", "fieldPaths: [spec.bool, spec.text]\n")
CASES["B92_two_sources_ERROR"] = replaced("{kind: ConfigMap}", "fieldPaths: [spec.text]\n",
                                          base=stream(config_map("a"), config_map("b"), _TARGET))
CASES["B92_no_source_ERROR"] = replaced("{kind: Nope}", "fieldPaths: [spec.text]\n")
CASES["B92_source_value"] = {K: RES + "replacements:\n- sourceValue: fixed\n  targets: [{select: {kind: "
                             "Bar}, fieldPaths: [spec.text]}]\n", "r.yaml": _TARGET}
_REPLACEMENT = "source: {kind: Foo}\ntargets: [{select: {kind: Bar}, fieldPaths: [spec.text]}]\n"
CASES["B92_path_map"] = {K: RES + "replacements: [{path: rep.yaml}]\n", "rep.yaml": _REPLACEMENT,
                         "r.yaml": stream(_SOURCE, _TARGET)}
CASES["B92_path_list"] = {K: RES + "replacements: [{path: rep.yaml}]\n", "r.yaml": stream(
    _SOURCE, _TARGET), "rep.yaml": "- " + indent(_REPLACEMENT, 2).lstrip()}
CASES["B92_path_inline_ERROR"] = {K: RES + "replacements:\n- path: rep.yaml\n" + indent(_REPLACEMENT, 2),
                                  "rep.yaml": _REPLACEMENT, "r.yaml": stream(_SOURCE, _TARGET)}
CASES["B92_no_targets_ERROR"] = {K: RES + "replacements: [{source: {kind: Foo}}]\n",
                                 "r.yaml": stream(_SOURCE, _TARGET)}
CASES["B92_no_select_ERROR"] = {K: RES + "replacements: [{source: {kind: Foo}, targets: [{fieldPaths: "
                                "[a]}]}]\n", "r.yaml": stream(_SOURCE, _TARGET)}

# Vars.
_VARS = """vars:
- name: SVC
  objref: {kind: Service, name: svc, apiVersion: v1}
- name: PORT
  objref: {kind: Service, name: svc, apiVersion: v1}
  fieldref: {fieldPath: "spec.ports[0].port"}
"""
_VAR_USER = stream(obj("Service", "svc", body="spec: {ports: [{port: 80, targetPort: $(PORT)}]}\n"),
                   deployment(pod="""        args: ["--host=$(SVC)", "$(PORT)", "$$(SVC)", "$(OTHER)", "$(SVC"]
        command: [run, "$(SVC)-$(PORT)"]
        env: [{name: H, value: "http://$(SVC):$(PORT)"}]
"""))
CASES["B93_vars"] = {K: RES + "namePrefix: p-\n" + _VARS, "r.yaml": _VAR_USER}
CASES["B93_vars_in_base"] = {K: "resources: [base]\nnamePrefix: q-\n", "base/" + K: RES + _VARS,
                             "base/r.yaml": _VAR_USER}
CASES["B93_unknown_ERROR"] = {K: RES + _VARS.replace("name: svc", "name: gone"), "r.yaml": _VAR_USER}
CASES["B93_no_field_ERROR"] = {K: RES + _VARS.replace("ports[0].port", "nope"), "r.yaml": _VAR_USER}
CASES["B93_duplicate_ERROR"] = {K: RES + _VARS + _VARS.replace("vars:\n", ""), "r.yaml": _VAR_USER}
CASES["B93_unused"] = {K: RES + _VARS, "r.yaml": obj("Service", "svc", body="spec: {ports: [{port: "
                                                     "80}]}\n")}

# Local config, metadata, order, openapi, plugins.
_LOCAL = config_map("local", "v: val").replace(
    "name: local", "name: local\n  annotations: {config.kubernetes.io/local-config: 'true'}")
CASES["B94_local"] = {K: RES + "replacements:\n- source: {kind: ConfigMap, name: local, fieldPath: "
                      "data.v}\n  targets: [{select: {kind: Bar}, fieldPaths: [spec.text]}]\n",
                      "r.yaml": stream(_LOCAL, _TARGET, _LOCAL.replace("'true'", "'false'").replace(
                          "name: local", "name: kept"))}
_META = "buildMetadata: [originAnnotations]\n"
CASES["B95_origin"] = {K: "resources: [../base, r.yaml, sub]\nconfigMapGenerator: [{name: gen}]\n"
                       + _META, "r.yaml": config_map("r")}
CASES["B95_origin"] = {"over/" + k: v for k, v in CASES["B95_origin"].items()} | {
    "ROOT": "over", "base/" + K: RES + "secretGenerator: [{name: s}]\n", "base/r.yaml": config_map("b"),
    "over/sub/" + K: "resources: [x.yaml]\n", "over/sub/x.yaml": config_map("x")}
CASES["B95_merge"] = {K: "resources: [base]\nconfigMapGenerator: [{name: cm, behavior: merge, literals: "
                      "[a=b]}]\n" + _META, "base/" + K: "configMapGenerator: [{name: cm}]\n"}
CASES["B96_transformers"] = {K: "resources: [base]\nnamePrefix: p-\nnamespace: nn\nlabels: [{pairs: {a: "
                             "b}}]\nimages: [{name: x, newTag: 'y'}]\nbuildMetadata: "
                             "[transformerAnnotations]\n",
                             "base/" + K: RES + "nameSuffix: -s\n", "base/r.yaml": deployment()}
CASES["B96_managed"] = {K: RES + "buildMetadata: [managedByLabel]\n", "r.yaml": deployment()}
CASES["B96_unknown"] = {K: RES + "buildMetadata: [nope]\n", "r.yaml": deployment()}
_MANY = stream(deployment("z"), deployment("a"), config_map("m", ns="two"), config_map("m", ns="one"),
               obj("ValidatingWebhookConfiguration", "v", "admissionregistration.k8s.io/v1"),
               obj("Foo", version="b/v1"), obj("Foo", version="a/v1"), obj("Namespace", "n"),
               obj("Pod", "p"), obj("Service", "s"), obj("ClusterRole", "c", RBAC))
CASES["B97_legacy"] = {K: RES + "sortOptions: {order: legacy}\n", "r.yaml": _MANY}
CASES["B97_fifo"] = {K: RES + "sortOptions: {order: fifo}\n", "r.yaml": _MANY}
CASES["B97_custom"] = {K: RES + "sortOptions: {order: legacy, legacySortOptions: {orderFirst: [Pod, "
                       "Service], orderLast: [Namespace, ConfigMap]}}\n", "r.yaml": _MANY}
CASES["B97_in_base"] = {K: "resources: [base]\n", "base/" + K: RES + "sortOptions: {order: legacy}\n",
                        "base/r.yaml": _MANY}
CASES["B97_conflict_ERROR"] = {K: RES + "sortOptions: {order: fifo, legacySortOptions: {orderFirst: "
                               "[Pod]}}\n", "r.yaml": _MANY}
CASES["B97_no_order_ERROR"] = {K: RES + "sortOptions: {legacySortOptions: {orderFirst: [Pod]}}\n",
                               "r.yaml": _MANY}
CASES["B98_both_ERROR"] = {K: RES + "openapi: {path: s.json, version: v1.21.2}\n", "s.json": _SCHEMA,
                           "r.yaml": _MANY}
CASES["B98_version_ERROR"] = {K: RES + "openapi: {version: v9.9.9}\n", "r.yaml": _MANY}
CASES["B98_version"] = {K: RES + "openapi: {version: v1.21.2}\n", "r.yaml": _MANY}


def plugin(kind, body, version="builtin", metadata="name: t"):
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{{metadata}}}\n{body}"


def transformed(text, base=None, field="transformers"):
    return {K: RES + f"{field}: [t.yaml]\n", "t.yaml": text, "r.yaml": base or _EVERYTHING}


CASES["B99_prefix"] = transformed(plugin("PrefixTransformer", "prefix: p-\nfieldSpecs: [{path: "
                                         "metadata/name}]\n"))
CASES["B99_namespace"] = transformed(plugin("NamespaceTransformer", "unsetOnly: true\n"
                                            "setRoleBindingSubjects: allServiceAccounts\nfieldSpecs: "
                                            "[{path: metadata/name, kind: Namespace, create: true}]\n",
                                            metadata="name: t, namespace: new"),
                                     stream(config_map(ns="has"), config_map("un"), obj(
                                         "RoleBinding", "rb", RBAC, body="subjects: [{kind: "
                                         "ServiceAccount, name: x}, {kind: User, name: y}]\n")))
CASES["B99_labels"] = transformed(plugin("LabelTransformer", "labels: {l: v}\nfieldSpecs: [{path: "
                                         "metadata/labels, create: true}]\n"))
CASES["B99_annotations"] = transformed(plugin("AnnotationsTransformer", "annotations: {l: v}\n"
                                              "fieldSpecs: [{path: metadata/annotations, create: "
                                              "true}]\n"))
CASES["B99_image"] = transformed(plugin("ImageTagTransformer", "imageTag: {name: nginx, newTag: '3'}\n"))
CASES["B99_patch"] = transformed(plugin("PatchTransformer", "target: {kind: Deployment}\npatch: |-\n"
                                        "  - {op: add, path: /hit, value: 1}\n"))
CASES["B99_inline"] = {K: RES + "transformers:\n- |-\n" + indent(plugin(
    "SuffixTransformer", "suffix: -s\nfieldSpecs: [{path: metadata/name}]\n"), 2), "r.yaml": _EVERYTHING}
CASES["B99_replicas"] = transformed(plugin("ReplicaCountTransformer", "replica: {name: web, count: 4}\n"
                                           "fieldSpecs: [{path: spec/replicas, create: true, kind: "
                                           "Deployment}]\n"))
CASES["B99_generator"] = {K: "generators: [g.yaml]\n", "g.yaml": plugin(
    "ConfigMapGenerator", "literals: [a=b]\n", metadata="name: gen")}
CASES["B99_exec_ERROR"] = transformed(plugin("Thing", "", "someone.io/v1"))
CASES["B99_unknown_ERROR"] = transformed(plugin("NopeTransformer", ""))
CASES["B100_changes_ERROR"] = transformed(plugin("LabelTransformer", "labels: {l: v}\nfieldSpecs: [{path: "
                                                 "metadata/labels, create: true}]\n"),
                                          field="validators")
CASES["B100_nothing"] = transformed(plugin("LabelTransformer", "labels: {l: v}\nfieldSpecs: []\n"),
                                    field="validators")
CASES["B101_helm_ERROR"] = {K: "helmCharts: [{name: x, repo: 'https://127.0.0.1:1/'}]\n"}
CASES["B102_outside_ERROR"] = {"a/" + K: "resources: [../r.yaml]\n", "r.yaml": config_map(), "ROOT": "a"}
CASES["B102_patch_outside_ERROR"] = {"a/" + K: RES + "patches: [{path: ../p.yaml}]\n", "a/r.yaml": _DEP,
                                     "p.yaml": _HEAD, "ROOT": "a"}
CASES["B102_below"] = {K: "resources: [deep/r.yaml]\n", "deep/r.yaml": config_map()}
CASES["B106_deprecated"] = {K: "bases: [base]\nimageTags: [{name: nginx, newTag: '9'}]\n"
                            "configMapGenerator: [{name: cm, env: e.env}]\n", "e.env": "A=1\n",
                            "base/" + K: RES, "base/r.yaml": deployment()}

# Whole pictures.
CASES["all_layers"] = {
    K: "resources: [mid, extra.yaml]\nnamePrefix: top-\nnamespace: prod\ncommonLabels: {env: prod}\n"
       "configMapGenerator: [{name: cfg, behavior: merge, literals: [c=3]}]\npatches: [{path: p.yaml}]\n"
       "images: [{name: nginx, newName: reg/nginx, newTag: '5'}]\nreplicas: [{name: web, count: 3}]\n",
    "extra.yaml": obj("Service", "svc", body="spec: {ports: [{port: 80}]}\n"),
    "p.yaml": _HEAD + "spec: {template: {spec: {containers: [{name: main, env: [{name: X, value: 'y'}]}]}}}\n",
    "mid/" + K: "resources: [../base]\nnameSuffix: -mid\ncomponents: [../comp]\n",
    "comp/" + K: COMPONENT + "secretGenerator: [{name: sec, literals: [p=q]}]\n",
    "base/" + K: "resources: [d.yaml]\nconfigMapGenerator: [{name: cfg, literals: [a=1, b=2]}]\n",
    "base/d.yaml": deployment(pod="""        envFrom:
        - configMapRef: {name: cfg}
        - secretRef: {name: sec}
""")}
CASES["annotations_become_text"] = {K: RES + "namePrefix: p-\n", "r.yaml": stream(
    *(obj("Foo", n, body=b) for n, b in (("a", "  annotations: {}\n"), ("b", "  annotations: {n: 1, "
                                                                       "t: true}\n"))))}
