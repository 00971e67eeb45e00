"""Cases B55 to B107: patches, images, labels, replacements, vars, order, metadata, plugins."""

from cases import (K, RES, RBAC, COMPONENT, config_map, deployment, indent, obj, stream)

CASES = {}


def patched(patch, base, more=""):
    """A base and one strategic merge patch."""
    return {K: RES + "patches: [{path: p.yaml}]\n" + more, "r.yaml": base, "p.yaml": patch}


def json_patched(patch, base, target="{kind: Deployment}"):
    return {K: RES + f"patches:\n- target: {target}\n  path: p.yaml\n", "r.yaml": base,
            "p.yaml": patch}


_DEP = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, finalizers: [a, b], labels: {x: y}}
spec:
  replicas: 2
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}
  template:
    spec:
      nodeSelector: {disk: ssd, zone: a}
      tolerations: [{key: a}, {key: b}]
      hostAliases: [{ip: 1.1.1.1, hostnames: [a]}, {ip: 2.2.2.2, hostnames: [b]}]
      imagePullSecrets: [{name: one}, {name: two}]
      initContainers: [{name: init, image: i}]
      volumes:
      - {name: v, emptyDir: {}}
      - {name: w, configMap: {name: cm}}
      topologySpreadConstraints:
      - {topologyKey: zone, whenUnsatisfiable: DoNotSchedule, maxSkew: 1}
      - {topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, maxSkew: 2}
      containers:
      - name: main
        image: nginx
        args: [a, b]
        command: [x]
        env: [{name: A, value: "1"}, {name: B, value: "2"}, {name: C, value: "3"}]
        envFrom: [{configMapRef: {name: cm}}]
        ports:
        - {containerPort: 8080, protocol: TCP}
        - {containerPort: 8080, protocol: UDP}
        - {containerPort: 9090}
        volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /w}]
      - name: side
        image: side
"""
_HEAD = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"


def pod_patch(text):
    return patched(_HEAD + "spec:\n  template:\n    spec:\n" + indent(text, 6), _DEP)


def main_patch(text):
    return pod_patch("containers:\n- name: main\n" + indent(text, 2))


CASES["B55_containers"] = pod_patch("containers:\n- {name: new, image: n}\n- {name: side, image: s2}\n")
CASES["B55_last_existing"] = pod_patch("containers:\n- {name: side, tty: true}\n")
CASES["B55_init"] = pod_patch("initContainers: [{name: second, image: x}]\n")
CASES["B55_volumes"] = pod_patch("volumes: [{name: w, $patch: delete}, {name: z, emptyDir: {}}]\n")
CASES["B56_env"] = main_patch('env: [{name: B, value: "22"}, {name: D, value: "4"}, {name: A, '
                              '$patch: delete}]\n')
CASES["B56_env_delete_missing"] = main_patch("env: [{name: Z, $patch: delete}]\n")
CASES["B56_env_value_from"] = main_patch(
    "env: [{name: A, value: null, valueFrom: {fieldRef: {fieldPath: x}}}]\n")
CASES["B57_port_udp"] = main_patch("ports: [{containerPort: 8080, protocol: UDP, name: u}]\n")
CASES["B57_port_plain"] = main_patch("ports: [{containerPort: 9090, name: p}]\n")
CASES["B57_port_no_protocol"] = main_patch("ports: [{containerPort: 8080, name: p}]\n")
CASES["B57_port_adds_protocol"] = main_patch(
    "ports: [{containerPort: 9090, protocol: TCP, name: p}]\n")
CASES["B57_port_new"] = main_patch("ports: [{containerPort: 7070}]\n")
CASES["B57_port_delete"] = main_patch("ports: [{containerPort: 8080, protocol: UDP, $patch: delete}]\n")
_SERVICE = obj("Service", "svc", body="""spec:
  ports:
  - {port: 80, protocol: TCP, targetPort: 8080}
  - {port: 53, protocol: UDP}
  - {port: 53, protocol: TCP}
""")


def service_patch(ports):
    return patched(obj("Service", "svc", body=f"spec: {{ports: {ports}}}\n"), _SERVICE)


CASES["B58_service_ports"] = service_patch("[{port: 53, protocol: TCP, name: dns}]")
CASES["B58_service_plain"] = service_patch("[{port: 80, name: web}]")
CASES["B58_service_new"] = service_patch("[{port: 443, protocol: TCP}]")
CASES["B58_service_only_plain"] = patched(
    obj("Service", "s", body="spec: {ports: [{port: 80, name: a}, {port: 90}]}\n"),
    obj("Service", "s", body="spec: {ports: [{port: 90, name: b}, {port: 80}]}\n"))
CASES["B58_mounts"] = main_patch("volumeMounts: [{mountPath: /w, readOnly: true}, {name: x, "
                                 "mountPath: /x}]\n")
CASES["B58_aliases"] = pod_patch("hostAliases: [{ip: 2.2.2.2, hostnames: [c]}]\n")
CASES["B58_pull_secrets"] = pod_patch("imagePullSecrets: [{name: three}]\n")
CASES["B58_topology"] = pod_patch(
    "topologySpreadConstraints: [{topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, maxSkew: 5}]\n")
CASES["B59_tolerations"] = pod_patch("tolerations: [{key: c}]\n")
CASES["B59_args"] = main_patch("args: [c]\ncommand: []\nenvFrom: [{secretRef: {name: s}}]\n")
CASES["B59_rules"] = patched(obj("Role", "r", RBAC, body="rules: [{verbs: [get]}]\n"),
                             obj("Role", "r", RBAC, body="rules: [{verbs: [a]}, {verbs: [b]}]\n"))
CASES["B59_claims"] = patched(
    obj("StatefulSet", "s", "apps/v1", body="spec: {volumeClaimTemplates: [{metadata: {name: b}}]}\n"),
    obj("StatefulSet", "s", "apps/v1", body="spec: {volumeClaimTemplates: [{metadata: {name: a}}]}\n"))
CASES["B60_finalizers"] = patched(_HEAD.replace("web}", "web, finalizers: [c, b]}"), _DEP)
CASES["B61_null_map"] = patched(_HEAD + "spec: {strategy: null, replicas: null, nope: null}\n", _DEP)
CASES["B61_null_list"] = main_patch("env: null\nports: null\nargs: null\n")
CASES["B61_null_in_new_map"] = patched(_HEAD + "spec: {added: {a: 1, b: null, c: {d: null}}}\n", _DEP)
CASES["B61_base_null"] = patched(_HEAD + "spec: {x: 1}\n",
                                 _DEP.replace("replicas: 2", "replicas: null"))
CASES["B62_replace_map"] = pod_patch("nodeSelector: {$patch: replace, only: this}\n")
CASES["B62_replace_list"] = main_patch("env: [{$patch: replace}, {name: Z, value: z}]\n")
CASES["B62_delete_map"] = pod_patch("nodeSelector: {$patch: delete}\n")
CASES["B62_merge_map"] = pod_patch("nodeSelector: {$patch: merge, a: b}\n")
CASES["B62_replace_container"] = pod_patch("containers: [{$patch: replace, name: main, image: z}]\n")
CASES["B62_replace_all_containers"] = pod_patch(
    "containers: [{$patch: replace}, {name: only, image: z}]\n")
CASES["B62_unknown_ERROR"] = pod_patch("nodeSelector: {$patch: nonsense, a: b}\n")
CASES["B62_delete_list"] = main_patch("env: [{$patch: delete}]\n")
CASES["B62_replace_root"] = patched(_HEAD + "$patch: replace\nspec: {a: b}\n", _DEP)
CASES["B63_delete"] = patched("$patch: delete\n" + _HEAD, stream(_DEP, config_map()))
CASES["B63_delete_many"] = patched(
    stream("$patch: delete\n" + _HEAD, "$patch: delete\n" + config_map()),
    stream(_DEP, config_map(), config_map("stay")))
CASES["B63_delete_by_target"] = {
    K: RES + "patches:\n- target: {kind: ConfigMap}\n  patch: '{$patch: delete, apiVersion: v1, kind: "
    "ConfigMap, metadata: {name: any}}'\n", "r.yaml": stream(_DEP, config_map(), config_map("b"))}
CASES["B64_recreate"] = patched(_HEAD + "spec: {strategy: {type: Recreate}}\n", _DEP)
CASES["B64_recreate_null"] = patched(
    _HEAD + "spec: {strategy: {type: Recreate, rollingUpdate: null}}\n", _DEP)
CASES["B65_element_order"] = pod_patch("$setElementOrder/containers: [{name: side}, {name: main}]\n")
CASES["B65_delete_primitive"] = patched(
    _HEAD.replace("web}", "web, $deleteFromPrimitiveList/finalizers: [a]}"), _DEP)
_FOO = obj("Foo", "f", "x.io/v1", body="spec:\n  list: [{name: a, v: 1}, {name: b}]\n  m: {a: 1}\n")
CASES["B66_custom"] = patched(
    obj("Foo", "f", "x.io/v1", body="spec:\n  list: [{name: a, w: 2}]\n  m: {b: 2}\n"), _FOO)
CASES["B66_finalizers"] = patched(
    obj("Foo", "f", "x.io/v1").replace("name: f", "name: f\n  finalizers: [z]"),
    _FOO.replace("name: f", "name: f\n  finalizers: [a]"))
_SCHEMA = """{"definitions": {"io.x.v1.Foo": {"properties": {"spec": {"properties": {"list": {
"type": "array", "items": {"$ref": "#/definitions/io.x.v1.Item"},
"x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"}}}},
"x-kubernetes-group-version-kind": [{"group": "x.io", "kind": "Foo", "version": "v1"}]},
"io.x.v1.Item": {"properties": {"name": {"type": "string"}}}}}
"""
CASES["B66_openapi"] = {**patched(
    obj("Foo", "f", "x.io/v1", body="spec: {list: [{name: a, w: 2}, {name: c}]}\n"), _FOO,
    "openapi: {path: schema.json}\n"), "schema.json": _SCHEMA}
CASES["B66_openapi_drops_builtin"] = {**pod_patch("containers: [{name: side, tty: true}]\n"),
                                      "schema.json": _SCHEMA}
CASES["B66_openapi_drops_builtin"][K] += "openapi: {path: schema.json}\n"
CASES["B66_type_mismatch_ERROR"] = patched(_HEAD + "spec: [a]\n", _DEP)
CASES["B66_scalar_over_map_ERROR"] = patched(_HEAD + "spec: {strategy: x}\n", _DEP)
CASES["B66_duplicate_env"] = patched(_HEAD + "spec: {a: b}\n", _DEP.replace(
    '{name: C, value: "3"}', '{name: A, value: "3"}'))
CASES["B67_no_match_ERROR"] = patched(_HEAD.replace("web", "other"), _DEP)
CASES["B67_wrong_version_ERROR"] = patched(_HEAD.replace("apps/v1", "apps/v2"), _DEP)
CASES["B67_wrong_namespace_ERROR"] = patched(_HEAD.replace("web}", "web, namespace: z}"), _DEP)
CASES["B67_default_namespace"] = patched(
    _HEAD.replace("web}", "web, namespace: default}") + "spec: {a: b}\n", _DEP)
for _name in ("web", "p-web"):
    CASES[f"B68_name_{_name}"] = {K: "resources: [base]\npatches: [{path: p.yaml}]\n",
                                  "p.yaml": _HEAD.replace("web", _name) + "spec: {a: b}\n",
                                  "base/" + K: RES + "namePrefix: p-\n", "base/r.yaml": _DEP}
_TARGETED = RES + "patches:\n- target: {kind: Deployment}\n  path: p.yaml\n"
_RENAME = "apiVersion: apps/v1\nkind: Foo\nmetadata: {name: new, namespace: moved}\nspec: {a: b}\n"
CASES["B69_keeps"] = {K: _TARGETED, "r.yaml": _DEP, "p.yaml": _RENAME}
CASES["B69_allow_name"] = {K: _TARGETED + "  options: {allowNameChange: true}\n", "r.yaml": stream(
    _DEP, obj("HorizontalPodAutoscaler", "h", "autoscaling/v2", body=(
        "spec: {scaleTargetRef: {kind: Deployment, name: web}}\n"))), "p.yaml": _RENAME}
CASES["B69_allow_kind"] = {K: _TARGETED + "  options: {allowKindChange: true}\n", "r.yaml": _DEP,
                           "p.yaml": _RENAME}
CASES["B69_collision_ERROR"] = {K: _TARGETED + "  options: {allowNameChange: true}\n", "p.yaml": _RENAME,
                                "r.yaml": stream(_DEP, _DEP.replace("name: web", "name: two"))}


def targets(target, *names, base=None):
    return {K: RES + f"patches:\n- target: {target}\n  patch: |-\n    - {{op: add, path: /hit, value: 1}}\n",
            "r.yaml": base or stream(*(config_map(name) for name in names))}


CASES["B70_exact"] = targets("{name: foo}", "foo", "foobar", "xfoo")
CASES["B70_regex"] = targets("{name: foo.*}", "foo", "foobar", "xfoo")
CASES["B70_alternation"] = targets("{name: a|bc}", "a", "bc", "abc", "ab")
CASES["B70_kind_regex"] = targets("{kind: Config.*, version: v1}", "a")
CASES["B70_group"] = targets("{group: apps}", base=stream(_DEP, config_map()))
CASES["B70_empty_group"] = targets("{group: ''}", base=stream(_DEP, config_map()))
_LABELLED = stream(*(config_map(n).replace(f"name: {n}", f"name: {n}\n  labels: {{app: {n}, t: x}}\n"
                                           f"  annotations: {{note: {n}}}") for n in "abc"))
CASES["B70_labels"] = targets("{labelSelector: 'app in (a,b),t=x'}", base=_LABELLED)
CASES["B70_labels_not"] = targets("{labelSelector: 'app!=a'}", base=_LABELLED)
CASES["B70_annotations"] = targets("{annotationSelector: note=c}", base=_LABELLED)
CASES["B70_bad_regex_ERROR"] = targets("{name: 'foo['}", "foo")
CASES["B70_bad_selector_ERROR"] = targets("{labelSelector: 'a in b'}", "foo")
CASES["B70_empty_value"] = targets("{labelSelector: 'a=='}", "foo")
CASES["B70_prefixed"] = {K: """resources: [base]
patches:
- target: {name: cm}
  patch: '[{"op": "add", "path": "/hit", "value": 1}]'
- target: {name: p-cm}
  patch: '[{"op": "add", "path": "/hot", "value": 1}]'
""", "base/" + K: RES + "namePrefix: p-\n", "base/r.yaml": config_map()}
CASES["B71_default"] = targets("{namespace: default}", base=stream(config_map(), config_map(ns="x")))
CASES["B71_no_match"] = targets("{name: gone}", "a")
CASES["B71_cluster"] = targets("{namespace: default}", base=obj("ClusterRole", version=RBAC))
CASES["B72_two_documents_ERROR"] = {K: _TARGETED, "r.yaml": _DEP, "p.yaml": stream(_HEAD, _HEAD)}
CASES["B72_empty_file"] = {K: RES + "patches: [{path: p.yaml}]\n", "r.yaml": _DEP, "p.yaml": ""}
CASES["B72_no_name_ERROR"] = {K: _TARGETED, "r.yaml": _DEP, "p.yaml": "spec: {a: b}\n"}
_OPS = """- {op: add, path: /spec/template/spec/containers/0/args/-, value: last}
- {op: add, path: /metadata/annotations, value: {}}
- {op: add, path: /metadata/annotations/a~1b, value: c}
- {op: replace, path: /spec/replicas, value: 5}
- {op: remove, path: /spec/strategy}
- {op: test, path: /metadata/name, value: web}
- {op: copy, from: /spec/replicas, path: /spec/copy}
- {op: move, from: /spec/copy, path: /spec/moved}
- {op: add, path: /spec/template/spec/containers/0/args/-1, value: neg}
- {op: add, path: /spec/template/spec/containers/0/args/0, value: first}
"""
CASES["B73_operations"] = json_patched(_OPS, _DEP)
CASES["B73_remove_missing_ERROR"] = json_patched("- {op: remove, path: /spec/nope}\n", _DEP)
CASES["B73_replace_missing_ERROR"] = json_patched("- {op: replace, path: /a/b, value: 1}\n", _DEP)
CASES["B73_add_deep_ERROR"] = json_patched("- {op: add, path: /a/b, value: 1}\n", _DEP)
CASES["B73_test_ERROR"] = json_patched("- {op: test, path: /kind, value: x}\n", _DEP)
CASES["B73_no_target_ERROR"] = {K: RES + "patches: [{path: p.yaml}]\n", "r.yaml": _DEP,
                                "p.yaml": _OPS}
CASES["B73_bad_op_ERROR"] = json_patched("- {op: nonsense, path: /a}\n", _DEP)
CASES["B74_rename"] = json_patched(
    "- {op: replace, path: /metadata/name, value: new}\n",
    stream(config_map(), deployment(pod="        envFrom: [{configMapRef: {name: cm}}]\n")),
    "{kind: ConfigMap}")
CASES["B75_inline_json"] = {K: RES + "patches:\n- target: {kind: Deployment}\n  patch: '[{\"op\": "
                            "\"replace\", \"path\": \"/spec/replicas\", \"value\": 9}]'\n",
                            "r.yaml": _DEP}
CASES["B75_inline_yaml"] = {K: RES + "patches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: "
                            "replace\n      path: /spec/replicas\n      value: 9\n", "r.yaml": _DEP}
CASES["B75_inline_merge"] = {K: RES + "patches:\n- patch: |-\n" + indent(
    _HEAD + "spec: {replicas: 4}\n", 4), "r.yaml": _DEP}
CASES["B75_both_ERROR"] = {K: RES + "patches:\n- {path: p.yaml, patch: '[]', target: {kind: "
                           "Deployment}}\n", "r.yaml": _DEP, "p.yaml": _OPS}
CASES["B75_neither_ERROR"] = {K: RES + "patches:\n- {target: {kind: Deployment}}\n", "r.yaml": _DEP}
CASES["B75_missing_file_ERROR"] = {K: RES + "patches: [{path: gone.yaml}]\n", "r.yaml": _DEP}
CASES["B76_strategic"] = {K: RES + "patchesStrategicMerge:\n- p.yaml\n- |-\n" + indent(
    _HEAD + "spec: {replicas: 8}\n", 2) + "patches:\n- target: {kind: Deployment}\n  patch: |-\n    - {op: "
    "test, path: /spec/replicas, value: 8}\n", "r.yaml": _DEP, "p.yaml": _HEAD + "spec: {x: 1}\n"}
CASES["B75_bracket_is_json_ERROR"] = {K: RES + "patches:\n- target: {kind: Deployment}\n  patch: '[{op: "
                                      "add, path: /hit, value: 1}]'\n", "r.yaml": _DEP}
CASES["B76_empty_ERROR"] = {K: RES + "patchesStrategicMerge: [p.yaml]\n", "r.yaml": _DEP,
                            "p.yaml": "# none\n"}
CASES["B77_json6902"] = {K: RES + "patchesJson6902:\n- target: {group: apps, version: v1, kind: "
                         "Deployment, name: web}\n  path: p.yaml\ncommonLabels: {lab: el}\n",
                         "r.yaml": _DEP, "p.yaml": "- {op: test, path: /metadata/labels/lab, value: el}"
                         "\n- {op: replace, path: /spec/replicas, value: 3}\n"}
CASES["B77_no_name_ERROR"] = {K: RES + "patchesJson6902:\n- target: {kind: Deployment}\n  path: "
                              "p.yaml\n", "r.yaml": _DEP, "p.yaml": _OPS}

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
