"""Cases B55 to B77: strategic merges, JSON patches, targets."""

from .cases import (K, RBAC, RES, config_map, deployment, indent, obj, stream)

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
