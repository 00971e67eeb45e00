"""Cases B1 to B54: loading, components, namespace, prefix, references, generators. A case is a dict
of files; ROOT names the directory to build when it is not the top one. ERROR in a name: must fail."""


def deployment(name="web", ns=None, image="nginx:1.0", pod="", extra=""):
    ns = f"\n  namespace: {ns}" if ns else ""
    return f"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}{ns}
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: main
        image: {image}
{pod}{extra}"""


def config_map(name="cm", data="a: b", ns=None):
    ns = f"\n  namespace: {ns}" if ns else ""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}{ns}\ndata:\n  {data}\n"


def obj(kind, name="x", version="v1", ns=None, body=""):
    ns = f"\n  namespace: {ns}" if ns else ""
    return f"apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}{ns}\n{body}"


def stream(*documents):
    return "---\n".join(documents)


K = "kustomization.yaml"
RES = "resources: [r.yaml]\n"
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
RBAC = "rbac.authorization.k8s.io/v1"

CASES = {}

# Loading.
CASES["B1_yml"] = {"kustomization.yml": RES, "r.yaml": config_map()}
CASES["B1_Kustomization"] = {"Kustomization": RES, "r.yaml": config_map()}
CASES["B1_two_ERROR"] = {K: RES, "Kustomization": RES, "r.yaml": config_map()}
CASES["B2_unknown_ERROR"] = {K: RES + "nosuch: 1\n", "r.yaml": config_map()}
CASES["B2_unknown_nested_ERROR"] = {K: RES + "images: [{name: a, nosuch: 1}]\n",
                                    "r.yaml": config_map()}
CASES["B2_case"] = {K: "Resources: [r.yaml]\n", "r.yaml": config_map()}
CASES["B2_type_ERROR"] = {K: "resources: r.yaml\n", "r.yaml": config_map()}
CASES["B2_wrong_kind_ERROR"] = {K: "kind: Foo\n" + RES, "r.yaml": config_map()}
CASES["B2_wrong_version_ERROR"] = {K: "apiVersion: v1\n" + RES, "r.yaml": config_map()}
CASES["B3_empty_ERROR"] = {
    K: "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"}
CASES["B3_blank_ERROR"] = {K: "\n"}
CASES["B3_empty_resources"] = {K: "resources: []\n"}
CASES["B3_metadata_only"] = {K: "metadata: {name: x}\n"}
CASES["B4_missing_ERROR"] = {K: "resources: [gone.yaml]\n"}
CASES["B4_no_kustomization_ERROR"] = {K: "resources: [dir]\n", "dir/x.txt": "x"}
CASES["B5_stream"] = {K: RES, "r.yaml": "# top\n---\n" + config_map("a") + "---\n# none\n---\n\n---\n"
                      + config_map("b").replace("\n", "\r\n")}
CASES["B6_no_kind_ERROR"] = {K: RES, "r.yaml": "apiVersion: v1\nmetadata: {name: x}\n"}
CASES["B6_no_kind_but_a_patch_has_one_ERROR"] = {
    K: RES + "patches: [{target: {name: x}, patch: '[{\"op\": \"add\", \"path\": \"/kind\", \"value\": \"Foo\"}]'}]\n",
    "r.yaml": "apiVersion: v1\nmetadata: {name: x}\n"}
CASES["B6_no_name_ERROR"] = {K: RES, "r.yaml": "apiVersion: v1\nkind: ConfigMap\n"}
CASES["B6_list_no_name"] = {K: RES, "r.yaml": "apiVersion: v1\nkind: FooList\n"}
CASES["B6_scalar_ERROR"] = {K: RES, "r.yaml": "just text\n"}
CASES["B6_list_ERROR"] = {K: RES, "r.yaml": "- a\n- b\n"}
_LIST = """apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
- apiVersion: v1
  kind: ConfigMapList
  items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}
"""
CASES["B7_list"] = {K: RES, "r.yaml": _LIST}
CASES["B7_list_in_stream"] = {K: RES, "r.yaml": stream(config_map("first"), _LIST,
                                                       config_map("last"))}
CASES["B7_whitelist"] = {K: RES, "r.yaml": "apiVersion: x/v1\nkind: AccessWhiteList\nmetadata: "
                         "{name: n}\nspec: {a: 1}\n"}
CASES["B8_null_items"] = {K: RES, "r.yaml": stream(config_map(), "apiVersion: v1\nkind: "
                                                   "ConfigMapList\nitems: null\n")}
CASES["B8_null_items_alone"] = {K: RES, "r.yaml": "apiVersion: v1\nkind: List\nitems:\n"}
CASES["B9_duplicate_key_ERROR"] = {K: RES, "r.yaml": config_map() + "data: {}\n"}
CASES["B9_null_item_stays"] = {K: RES, "r.yaml": obj("Foo", body="spec:\n  list: [a, null]\n")}
CASES["B10_anchors"] = {K: RES, "r.yaml": obj("Foo", body="""spec:
  a: &a {x: 1, y: 2}
  b: *a
  c:
    <<: *a
    y: 3
  d:
    <<: [{z: 1, x: 9}, *a]
""")}
CASES["B10_anchor_across_ERROR"] = {K: RES, "r.yaml": stream(
    obj("Foo", "a", body="spec: &a {x: 1}\n"), obj("Foo", "b", body="spec: *a\n"))}
CASES["B11_scalars"] = {K: RES, "r.yaml": obj("Foo", body="""spec:
  yes: yes
  on: on
  n: N
  octal: 0777
  new: 0o17
  hex: 0xff
  under: 1_000
  quoted: "123"
  quotedbool: 'true'
  float: 1.50
  one: 1.0
  exp: 1e3
  date: 2001-01-01
  tilde: ~
  empty:
  time: 12:30:45
  multi: |
    a
    b
  folded: >
    a
    b
  space: " x "
  colon: "a: b"
  hash: "a #b"
  dash: "-"
  nul: "null"
  bool: true
""")}
CASES["B12_nulls"] = {K: RES, "r.yaml": obj("Foo", body="args: null\nlist: []\nmap: {}\n")}
CASES["B13_order"] = {K: "resources: [b, r.yaml, a]\n", "r.yaml": config_map("r"),
                      "a/" + K: "resources: [x.yaml]\n", "a/x.yaml": config_map("a"),
                      "b/" + K: "resources: [x.yaml, ../c]\n", "b/x.yaml": config_map("b"),
                      "c/" + K: "resources: [x.yaml]\n", "c/x.yaml": config_map("c")}
CASES["B14_same_object_ERROR"] = {K: "resources: [a.yaml, b.yaml]\n", "a.yaml": config_map(),
                                  "b.yaml": config_map()}
CASES["B14_namespaces"] = {K: "resources: [a.yaml, b.yaml]\n", "a.yaml": config_map(ns="one"),
                           "b.yaml": config_map(ns="two")}
CASES["B14_two_bases_ERROR"] = {K: "resources: [a, b]\n", "a/" + K: RES, "a/r.yaml": config_map(),
                                "b/" + K: RES, "b/r.yaml": config_map()}
CASES["B15_default_ERROR"] = {K: "resources: [a.yaml, b.yaml]\n", "a.yaml": config_map(),
                              "b.yaml": config_map(ns="default")}
CASES["B15_cluster_scope_ERROR"] = {K: RES, "r.yaml": stream(
    obj("ClusterRole", version=RBAC), obj("ClusterRole", version=RBAC, ns="foo"))}
CASES["B15_groups"] = {K: RES, "r.yaml": stream(obj("Foo", version="a/v1"), obj("Foo", version="b/v1"))}
CASES["B16_self_ERROR"] = {K: "resources: [.]\n"}
CASES["B16_parent_ERROR"] = {K: RES, "r.yaml": config_map(), "sub/" + K: "resources: [..]\n",
                             "ROOT": "sub"}
CASES["B16_loop_ERROR"] = {"a/" + K: "resources: [../b]\n", "b/" + K: "resources: [../a]\n",
                           "ROOT": "a"}
CASES["B16_sibling"] = {"a/" + K: "resources: [../b]\nnamePrefix: p-\n", "b/" + K: RES,
                        "b/r.yaml": config_map(), "ROOT": "a"}
_ENV = """        env:
        - name: A
          valueFrom: {configMapKeyRef: {name: cm, key: a}}
"""
CASES["B17_diamond"] = {K: "resources: [a, b]\nnamePrefix: top-\n",
                        "a/" + K: "resources: [../c]\nnamePrefix: a-\n",
                        "b/" + K: "resources: [../c]\nnamePrefix: b-\n",
                        "c/" + K: "resources: [r.yaml, d.yaml]\n", "c/r.yaml": config_map(),
                        "c/d.yaml": deployment(pod=_ENV)}
CASES["B17_diamond_suffix"] = {K: "resources: [a, b]\n",
                               "a/" + K: "resources: [../c]\nnameSuffix: -a\n",
                               "b/" + K: "resources: [../c]\nnameSuffix: -b\n",
                               "c/" + K: "resources: [r.yaml, d.yaml]\n", "c/r.yaml": config_map(),
                               "c/d.yaml": deployment(pod=_ENV)}
CASES["B18_component"] = {K: RES + "components: [c1, c2]\nnamePrefix: p-\n", "r.yaml": deployment(),
                          "c1/" + K: COMPONENT + "nameSuffix: -one\nresources: [x.yaml]\n",
                          "c1/x.yaml": config_map("x"),
                          "c2/" + K: COMPONENT + "nameSuffix: -two\ncomponents: [../c3]\n",
                          "c3/" + K: COMPONENT + "commonLabels: {c: three}\n"}
CASES["B18_order"] = {K: RES + "components: [c2, c1]\n", "r.yaml": deployment(),
                      "c1/" + K: COMPONENT + "nameSuffix: -one\n",
                      "c2/" + K: COMPONENT + "nameSuffix: -two\n"}
CASES["B19_as_resource_ERROR"] = {K: "resources: [c]\n", "c/" + K: COMPONENT + "namePrefix: a\n"}
CASES["B19_not_component_ERROR"] = {K: "components: [c]\n", "c/" + K: "namePrefix: a\n"}
CASES["B19_file_ERROR"] = {K: "components: [r.yaml]\n", "r.yaml": config_map()}
CASES["B20_v1beta1_ERROR"] = {K: "components: [c]\n", "c/" + K: "apiVersion: "
                              "kustomize.config.k8s.io/v1beta1\nkind: Component\nnamePrefix: a\n"}

# Namespace.
_MIXED = stream(
    config_map(), deployment(ns="other"), obj("ClusterRole", version=RBAC),
    obj("Node"), obj("CustomResourceDefinition", version="apiextensions.k8s.io/v1"),
    obj("ClusterThing", version="x.io/v1"), obj("PersistentVolume"), obj("ClusterRole", "odd", "x/v1"),
    obj("ValidatingAdmissionPolicy", version="admissionregistration.k8s.io/v1"),
    obj("PriorityClass", version="scheduling.k8s.io/v1"), obj("Namespace", "n"),
    obj("Namespace", "m", "x.io/v1"), obj("StorageClass", version="storage.k8s.io/v1beta1"),
    obj("Ingress", version="networking.k8s.io/v1"))
CASES["B21_namespace"] = {K: RES + "namespace: foo\n", "r.yaml": _MIXED}
CASES["B22_namespace_object"] = {K: RES + "namespace: foo\n", "r.yaml": stream(
    obj("Namespace", "n"), obj("Namespace", "m", "x.io/v1"))}
_BINDING = """subjects:
- {kind: ServiceAccount, name: default, namespace: old}
- {kind: ServiceAccount, name: default}
- {kind: ServiceAccount, name: sa, namespace: old}
- {kind: ServiceAccount, name: foreign, namespace: old}
- {kind: User, name: jane}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
"""
_RBAC = stream(obj("ServiceAccount", "sa", ns="old"), obj("Role", "r", RBAC, "old"),
               obj("RoleBinding", "rb", RBAC, "old", _BINDING),
               obj("ClusterRoleBinding", "crb", RBAC, body=_BINDING.replace("Role,", "ClusterRole,")),
               obj("ClusterRole", "r", RBAC))
CASES["B23_subjects"] = {K: RES + "namespace: foo\n", "r.yaml": _RBAC}
CASES["B24_subjects_prefix"] = {K: RES + "namespace: foo\nnamePrefix: p-\n", "r.yaml": _RBAC}
_CRD = obj("CustomResourceDefinition", "c", "apiextensions.k8s.io/v1", body="""spec:
  conversion: {webhook: {clientConfig: {service: {name: s, namespace: old}}}}
""")
CASES["B25_services"] = {K: RES + "namespace: foo\n", "r.yaml": stream(
    obj("APIService", "a", "apiregistration.k8s.io/v1", body="spec: {group: x}\n"),
    obj("APIService", "b", "apiregistration.k8s.io/v1", body="spec: {service: {name: s}}\n"),
    _CRD, _CRD.replace(", namespace: old", "").replace("name: c", "name: d"))}
CASES["B26_collapse_ERROR"] = {K: RES + "namespace: foo\n", "r.yaml": stream(
    config_map(ns="a"), config_map(ns="b"))}

# Prefix and references.
CASES["B27_prefix"] = {K: "resources: [base]\nnamePrefix: out-\nnameSuffix: -end\n",
                       "base/" + K: RES + "namePrefix: in-\nnameSuffix: -first\n",
                       "base/r.yaml": stream(_MIXED, obj("APIService", "a",
                                                         "apiregistration.k8s.io/v1"))}
_POD = """spec:
  containers: &c
  - name: a
    env:
    - {name: A, valueFrom: {configMapKeyRef: {name: cm, key: a}}}
    - {name: B, valueFrom: {secretKeyRef: {name: sec, key: a}}}
    envFrom:
    - configMapRef: {name: cm}
    - secretRef: {name: sec}
  initContainers: *c
  ephemeralContainers: *c
  imagePullSecrets: [{name: sec}]
  serviceAccountName: sa
  priorityClassName: high
  volumes:
  - {name: a, configMap: {name: cm}}
  - {name: b, secret: {secretName: sec}}
  - name: c
    projected: {sources: [{configMap: {name: cm}}, {secret: {name: sec}}]}
  - {name: d, persistentVolumeClaim: {claimName: pvc}}
"""


def indent(text, count):
    return "".join(" " * count + line + "\n" for line in text.splitlines())


_TEMPLATE = "spec:\n  template:\n" + indent(_POD, 4)
_CRON = "spec:\n  jobTemplate:\n" + indent(_TEMPLATE, 4)
_NAMED = stream(config_map(), obj("Secret", "sec"), obj("ServiceAccount", "sa", body=(
    "secrets: [{name: sec}]\nimagePullSecrets: [{name: sec}]\n")),
    obj("PersistentVolumeClaim", "pvc", body="spec: {storageClassName: fast, volumeName: vol}\n"),
    obj("PriorityClass", "high", "scheduling.k8s.io/v1"),
    obj("StorageClass", "fast", "storage.k8s.io/v1"), obj("PersistentVolume", "vol", body=(
        "spec: {storageClassName: fast, azureFile: {secretName: sec}}\n")))
for _kind, _version, _body in (
        ("Pod", "v1", _POD), ("PodTemplate", "v1", "template:\n" + indent(_POD, 2)),
        ("Deployment", "apps/v1", _TEMPLATE), ("ReplicaSet", "apps/v1", _TEMPLATE),
        ("DaemonSet", "apps/v1", _TEMPLATE), ("StatefulSet", "apps/v1", _TEMPLATE),
        ("Job", "batch/v1", _TEMPLATE), ("CronJob", "batch/v1", _CRON),
        ("ReplicationController", "v1", _TEMPLATE), ("Rollout", "argoproj.io/v1", _TEMPLATE)):
    CASES[f"B28_B29_{_kind}"] = {K: RES + "namePrefix: p-\n", "r.yaml": stream(
        obj(_kind, "user", _version, body=_body), _NAMED)}
CASES["B30_service_account"] = {K: RES + "nameSuffix: -s\n", "r.yaml": _NAMED}
_INGRESS_OLD = obj("Ingress", "i", "networking.k8s.io/v1beta1", body="""spec:
  backend: {serviceName: svc, servicePort: 80}
  tls: [{hosts: [a], secretName: sec}]
  rules:
  - http: {paths: [{backend: {serviceName: svc, servicePort: 80}}]}
""")
_INGRESS = obj("Ingress", "j", "networking.k8s.io/v1", body="""  annotations:
    nginx.ingress.kubernetes.io/auth-secret: sec
    ingress.kubernetes.io/auth-secret: sec
    nginx.ingress.kubernetes.io/auth-tls-secret: sec
    nginx.ingress.kubernetes.io/fastcgi-params-configmap: cm
spec:
  ingressClassName: cls
  defaultBackend: {service: {name: svc}}
  tls: [{secretName: sec}]
  rules:
  - http: {paths: [{backend: {service: {name: svc}}}]}
""")
CASES["B31_others"] = {K: RES + "namePrefix: p-\n", "r.yaml": stream(
    _NAMED, obj("Service", "svc"), _INGRESS_OLD, _INGRESS, deployment(),
    obj("IngressClass", "cls", "networking.k8s.io/v1"),
    obj("HorizontalPodAutoscaler", "h", "autoscaling/v2",
        body="spec: {scaleTargetRef: {kind: Deployment, name: web}}\n"),
    obj("StatefulSet", "s", "apps/v1", body="spec:\n  serviceName: svc\n  volumeClaimTemplates:\n"
        "  - spec: {storageClassName: fast}\n"))}
CASES["B32_roleref"] = {K: RES + "namePrefix: p-\n", "r.yaml": stream(
    obj("Role", "same", RBAC), obj("ClusterRole", "same", RBAC),
    obj("RoleBinding", "one", RBAC, body="roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role,"
        " name: same}\n"),
    obj("RoleBinding", "two", RBAC, body="roleRef: {apiGroup: rbac.authorization.k8s.io, kind: "
        "ClusterRole, name: same}\n"))}
CASES["B33_webhook"] = {K: RES + "namePrefix: p-\nnamespace: foo\n", "r.yaml": stream(
    obj("Service", "svc", ns="old"), *(obj(kind, "w", "admissionregistration.k8s.io/v1", body=(
        "webhooks:\n- name: a\n  clientConfig: {service: {name: svc, namespace: old, path: /}}\n"
        "- name: b\n  clientConfig: {service: {name: other, namespace: old}}\n")) for kind in (
            "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")))}
CASES["B33_apiservice"] = {K: RES + "namePrefix: p-\n", "r.yaml": stream(
    obj("Service", "svc"), obj("APIService", "a", "apiregistration.k8s.io/v1",
                               body="spec: {service: {name: svc}}\n"))}
CASES["B34_policy"] = {K: RES + "namePrefix: p-\n", "r.yaml": stream(
    obj("ValidatingAdmissionPolicy", "pol", "admissionregistration.k8s.io/v1"),
    obj("ValidatingAdmissionPolicyBinding", "b", "admissionregistration.k8s.io/v1",
        body="spec: {policyName: pol}\n"))}
CASES["B35_resource_names"] = {K: RES + "namePrefix: p-\n", "r.yaml": stream(
    _NAMED, *(obj(kind, "r", RBAC, body="rules:\n- resources: [x]\n  resourceNames: [cm, sec, vol, "
                  "other]\n- resources: [y]\n") for kind in ("Role", "ClusterRole")))}
CASES["B36_outside"] = {K: RES + "namePrefix: p-\n", "r.yaml": deployment(pod=_ENV)}
CASES["B37_namespaces"] = {K: RES + "namePrefix: p-\n", "r.yaml": stream(
    config_map(ns="one"), deployment(ns="two", pod=_ENV), deployment("w2", "one", pod=_ENV))}
CASES["B37_binding_reach"] = {K: RES + "namePrefix: p-\n", "r.yaml": stream(
    obj("ServiceAccount", "sa", ns="far"), obj("RoleBinding", "rb", RBAC, "near", (
        "subjects: [{kind: ServiceAccount, name: sa, namespace: far}]\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}\n")),
    obj("Role", "r", RBAC, "far"))}


def renamed(name):
    return (RES + "patches:\n- target: {kind: ConfigMap}\n  patch: |-\n    - {op: replace, path: "
            f"/metadata/name, value: {name}}}\n")


CASES["B38_ambiguous_ERROR"] = {K: "resources: [a, b, d.yaml]\n", "a/" + K: renamed("one"),
                                "a/r.yaml": config_map(), "b/" + K: renamed("two"),
                                "b/r.yaml": config_map(data="c: d"), "d.yaml": deployment(pod=_ENV)}
CASES["B38_other_prefixes"] = {K: "resources: [a, b, d.yaml]\n",
                               "a/" + K: RES + "namePrefix: a-\n", "a/r.yaml": config_map(),
                               "b/" + K: RES + "namePrefix: b-\n", "b/r.yaml": config_map(),
                               "d.yaml": deployment(pod=_ENV)}
_REFS = "nameReference:\n- kind: ConfigMap\n  version: v1\n  fieldSpecs:\n  - {kind: Foo, path: " \
        "spec/ref}\n"
CASES["B39_configuration"] = {K: RES + "namePrefix: p-\nconfigurations: [c.yaml]\n", "c.yaml": _REFS,
                              "r.yaml": stream(config_map(), obj("Foo", version="x/v1",
                                                                 body="spec: {ref: cm}\n"))}
CASES["B39_from_base"] = {K: "resources: [base]\nnamePrefix: p-\n",
                          "base/" + K: RES + "configurations: [c.yaml]\n", "base/c.yaml": _REFS,
                          "base/r.yaml": stream(config_map(), obj("Foo", version="x/v1",
                                                                  body="spec: {ref: cm}\n"))}
CASES["B39_other_fields"] = {K: RES + """namePrefix: p-
namespace: foo
commonLabels: {l: v}
commonAnnotations: {a: v}
images: [{name: nginx, newTag: "9"}]
replicas: [{name: x, count: 7}]
configurations: [c.yaml]
""", "c.yaml": """namePrefix: [{kind: Foo, path: spec/name}]
namespace: [{kind: Foo, path: spec/ns, create: true}]
commonLabels: [{kind: Foo, path: spec/labels, create: true}]
commonAnnotations: [{kind: Foo, path: spec/annos, create: true}]
images: [{kind: Foo, path: spec/img}]
replicas: [{kind: Foo, path: spec/count, create: true}]
""", "r.yaml": obj("Foo", version="x/v1", body="spec: {name: n, img: nginx}\n")}
CASES["B39_conflict_ERROR"] = {K: RES + "configurations: [c.yaml]\n", "r.yaml": config_map(),
                               "c.yaml": "commonLabels: [{path: metadata/labels, create: false}]\n"}
CASES["B40_crds"] = {K: RES + "namePrefix: p-\ncrds: [crd.json]\n", "crd.json": """{
"x.v1.Foo": {"Schema": {"properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"},
 "metadata": {"$ref": "meta"}, "spec": {"$ref": "x.v1.FooSpec"}}}},
"x.v1.FooSpec": {"Schema": {"properties": {"ref": {
 "x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap"}}}}}
""", "r.yaml": stream(config_map(), obj("Foo", version="x/v1", body="spec: {ref: {name: cm}}\n"))}

# Generators.
CASES["B41_literal"] = {K: """configMapGenerator:
- name: one
  literals: [fruit=Indian Gooseberry, year=2020, crisis=true]
- name: empty
secretGenerator:
- {name: sec, type: my-type}
- {name: plain, literals: [a=b]}
"""}
_GEN = "configMapGenerator:\n- name: cm\n  literals: [a=b]\n"
CASES["B42_prefix"] = {K: _GEN + "namePrefix: p-\nnamespace: foo\ncommonLabels: {a: b}\n"}
CASES["B42_patched"] = {K: "resources: [base]\npatches: [{patch: 'apiVersion: v1\n\n    kind: "
                        "ConfigMap\n\n    metadata: {name: cm}\n\n    data: {c: d}'}]\n",
                        "base/" + K: _GEN}
CASES["B43_long"] = {K: "secretGenerator:\n- name: s\n  literals: [a=" + "x" * 51 + ", b=" + "x" * 52
                     + ", c=" + "y" * 105 + ", d=" + "z" * 300 + "]\n"}
CASES["B44_escapes"] = {K: "configMapGenerator:\n- name: cm\n  literals: ['a=<b>&\"q\"', 'u=gr\u00fc\u00df \u2028 x',"
                        " 'e=\U0001f600', 's=a\\b', \"t=a\\tb\"]\n"}
CASES["B45_disabled"] = {K: """configMapGenerator:
- name: a
  options: {disableNameSuffixHash: true}
- name: b
"""}
CASES["B45_global"] = {K: """generatorOptions: {disableNameSuffixHash: true}
configMapGenerator:
- name: a
  options: {disableNameSuffixHash: false}
"""}
CASES["B46_refs"] = {K: "resources: [base]\nconfigMapGenerator:\n- {name: cm, behavior: merge, "
                     "literals: [c=d]}\n", "base/" + K: _GEN + "resources: [d.yaml]\n",
                     "base/d.yaml": deployment(pod=_ENV)}
CASES["B47_merge"] = {K: "resources: [base]\nconfigMapGenerator:\n- {name: cm, behavior: merge, "
                      "literals: [c=d, a=new]}\n", "base/" + K: _GEN.replace("[a=b]", "[a=b, z=y]")}
CASES["B47_replace"] = {K: "resources: [base]\nconfigMapGenerator:\n- {name: cm, behavior: replace, "
                        "literals: [c=d]}\n", "base/" + K: _GEN}
CASES["B47_create_ERROR"] = {K: "resources: [base]\n" + _GEN, "base/" + K: _GEN}
CASES["B47_merge_into_plain"] = {K: RES + "configMapGenerator:\n- {name: cm, behavior: merge, "
                                 "literals: [c=d]}\n", "r.yaml": config_map()}
CASES["B48_no_base_ERROR"] = {K: "configMapGenerator:\n- {name: cm, behavior: merge}\n"}
CASES["B48_prefixed"] = {K: "resources: [base]\nconfigMapGenerator:\n- {name: cm, behavior: merge, "
                         "literals: [c=d]}\n", "base/" + K: _GEN + "namePrefix: p-\n"}
CASES["B48_namespaced"] = {K: "resources: [base]\nconfigMapGenerator:\n- {name: cm, behavior: merge, "
                           "namespace: foo, literals: [c=d]}\n", "base/" + K: _GEN
                           + "namespace: foo\n"}
CASES["B49_secret_type"] = {K: "resources: [base]\nsecretGenerator:\n- {name: s, behavior: merge, "
                            "literals: [c=d], type: new}\n",
                            "base/" + K: "secretGenerator:\n- {name: s, literals: [a=b], type: old}\n"}
CASES["B49_flags"] = {K: "resources: [base]\nconfigMapGenerator:\n- {name: cm, behavior: merge, "
                      "literals: [c=d]}\n", "base/" + K: _GEN + "  options: {immutable: true, "
                      "disableNameSuffixHash: true, labels: {l: base, k: base}}\n"}
CASES["B50_env"] = {K: "configMapGenerator:\n- name: cm\n  envs: [e.env]\n",
                    "e.env": b"\xef\xbb\xbfBOM=1\n# c\n\n  LEAD=x \nA=b=c\nKEY\nEMPTY=\nQ=\"q\"\r\n"
                    b"=nokey\n\tTAB=1\nLAST=end"}
CASES["B51_quotes"] = {K: "configMapGenerator:\n- name: cm\n  literals: ['a=\"x\"', \"b='y'\", "
                       "'c=\"\"z\"\"', 'd=\"', 'e=\"x', 'f=', 'g=a=b']\n"}
CASES["B51_no_key_ERROR"] = {K: "configMapGenerator:\n- name: cm\n  literals: ['=x']\n"}
CASES["B51_no_value_ERROR"] = {K: "configMapGenerator:\n- name: cm\n  literals: ['x']\n"}
CASES["B51_file_ERROR"] = {K: "configMapGenerator:\n- name: cm\n  files: ['a=b=f.txt']\n",
                           "f.txt": "x"}
CASES["B51_files"] = {K: "configMapGenerator:\n- name: cm\n  files: [d/f.txt, k=d/f.txt]\n",
                      "d/f.txt": "one\n  two\n"}
CASES["B51_no_name_ERROR"] = {K: "configMapGenerator:\n- literals: ['a=x']\n"}
CASES["B52_repeat_ERROR"] = {K: "configMapGenerator:\n- name: cm\n  envs: [e.env]\n  literals: "
                             "[A=x]\n", "e.env": "A=1\n"}
CASES["B53_binary"] = {K: "configMapGenerator:\n- name: cm\n  files: [f.bin, g.txt]\nsecretGenerator:"
                       "\n- name: s\n  files: [f.bin]\n", "f.bin": b"\xff\xfe\x00abc" * 20,
                       "g.txt": "text"}
CASES["B54_options"] = {K: """generatorOptions:
  labels: {a: global, b: global}
  annotations: {x: global}
  immutable: true
configMapGenerator:
- name: cm
  literals: [k=v]
  options: {labels: {a: local}, annotations: {z: local}}
"""}
