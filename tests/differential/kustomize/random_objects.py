"""Random Kubernetes objects over a small set of names, so that names meet, collide and refer to
each other. JSON is written: YAML reads it, and it is quick to make."""

NAMES = ["a", "b", "web", "cfg", "sec"]
NAMESPACES = [None, None, None, "one", "two", "default"]
IMAGES = ["nginx", "nginx:1.0", "reg.io:5000/team/app:v1", "team/app@sha256:abc", "app:v1@sha256:ab"]
TEXTS = ["x", "", "true", "1", "0x1f", "a: b", "#c", "a #b", " lead", "line\nline\n", "~", "null",
         "üñ", "2001-01-01", "on", "- a", "$(A)", "a-b-c", "a/b/c", "it's", '"q"', "{}", "*x",
         "long " * 30, "tab\tx", "multi\n  indented\nend"]
# What dump() of random_overlays.py writes without quotes: scalars whose text JSON would lose.
PLAIN = [f"PLAIN<{text}>" for text in (
    "1.10", "1.0", "1e3", "1E-2", ".5", "5.", "0x1F", "0o17", "0777", "0b11", "+1", "-0", "1_000", "True",
    "FALSE", "~", "Null", "2001-01-01", "2001-01-01T10:00:00.5Z", "18446744073709551615",
    "9223372036854775808", "123456789012345678901234567890", "-.5", "1e100", "yes", "off", "12:30:45")]
SCALARS = [0, 1, 7, 8080, -3, 1.5, True, False, None, 10 ** 12]
RBAC = "rbac.authorization.k8s.io"
POD_KINDS = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1",
             "ReplicaSet": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1", "Pod": "v1",
             "ReplicationController": "v1", "Rollout": "argoproj.io/v1alpha1"}


def text(r):
    return r.choice(TEXTS)


def pairs(r, most=3):
    keys = ["app", "tier", "a.b/c", "x", "env"]
    return {k: r.choice(["v", "w", "1", "true", "web", ""]) for k in r.sample(keys, r.randint(0, most))}


def value(r, depth=0):
    """Anything."""
    kind = r.randint(0, 9)
    if r.random() < 0.08:
        return r.choice(PLAIN)
    if kind < 3 or depth > 2:
        return text(r)
    if kind < 6:
        return r.choice(SCALARS)
    if kind < 8:
        return {k: value(r, depth + 1) for k in r.sample(["name", "k", "list", "data", "a.b"],
                                                          r.randint(0, 3))}
    return [value(r, depth + 1) for _ in range(r.randint(0, 3))]


def env(r):
    out = []
    for name in r.sample(["A", "B", "C", "D"], r.randint(1, 3)):
        out.append(r.choice([
            {"name": name, "value": text(r)},
            {"name": name, "valueFrom": {"configMapKeyRef": {"name": r.choice(NAMES), "key": "k"}}},
            {"name": name, "valueFrom": {"secretKeyRef": {"name": r.choice(NAMES), "key": "k"}}}]))
    return out


def ports(r, key):
    out = []
    for number in r.sample([80, 53, 8080], r.randint(1, 2)):
        out.append({key: number, **r.choice([{}, {"protocol": "TCP"}, {"protocol": "UDP"}])})
    return out


def container(r, name):
    out = {"name": name, "image": r.choice(IMAGES)}
    more = {"env": lambda: env(r), "args": lambda: [text(r) for _ in range(r.randint(0, 2))],
            "command": lambda: [text(r)],
            "envFrom": lambda: [r.choice([{"configMapRef": {"name": r.choice(NAMES)}},
                                          {"secretRef": {"name": r.choice(NAMES)}}])],
            "ports": lambda: ports(r, "containerPort"),
            "volumeMounts": lambda: [{"name": n, "mountPath": f"/{n}"} for n in r.sample("vw", 1)],
            "resources": lambda: {"limits": {"cpu": r.choice([1, "100m"])}},
            "tty": lambda: r.random() < 0.5}
    for key in r.sample(sorted(more), r.randint(0, 3)):
        out[key] = more[key]()
    return out


def pod_spec(r):
    out = {"containers": [container(r, n) for n in r.sample(["main", "side", "x"], r.randint(1, 2))]}
    more = {
        "initContainers": lambda: [container(r, "init")],
        "volumes": lambda: [r.choice([
            {"name": n, "configMap": {"name": r.choice(NAMES)}},
            {"name": n, "secret": {"secretName": r.choice(NAMES)}},
            {"name": n, "emptyDir": {}},
            {"name": n, "image": {"reference": r.choice(IMAGES)}},
            {"name": n, "persistentVolumeClaim": {"claimName": r.choice(NAMES)}},
            {"name": n, "projected": {"sources": [{"configMap": {"name": r.choice(NAMES)}},
                                                  {"secret": {"name": r.choice(NAMES)}}]}},
        ]) for n in r.sample("vw", r.randint(1, 2))],
        "serviceAccountName": lambda: r.choice(NAMES),
        "priorityClassName": lambda: r.choice(NAMES),
        "imagePullSecrets": lambda: [{"name": r.choice(NAMES)}],
        "nodeSelector": lambda: pairs(r),
        "tolerations": lambda: [{"key": r.choice("ab")}],
        "hostAliases": lambda: [{"ip": ip, "hostnames": ["h"]} for ip in r.sample(["1.1.1.1", "2.2.2.2"], 1)],
        "topologySpreadConstraints": lambda: [{
            "topologyKey": "zone", "whenUnsatisfiable": r.choice(["DoNotSchedule", "ScheduleAnyway"]),
            "labelSelector": {"matchLabels": pairs(r)}}],
        "affinity": lambda: {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": pairs(r)}, "topologyKey": "zone"}]}},
    }
    for key in r.sample(sorted(more), r.randint(0, 4)):
        out[key] = more[key]()
    return out


def template(r):
    out = {"spec": pod_spec(r)}
    if r.random() < 0.6:
        out["metadata"] = {"labels": pairs(r)}
        if r.random() < 0.3:
            out["metadata"]["annotations"] = pairs(r)
    return out


def workload_spec(r, kind):
    if kind == "Pod":
        return pod_spec(r)
    if kind == "CronJob":
        return {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template(r)}}}
    out = {"template": template(r)}
    if kind not in ("Job", "DaemonSet") and r.random() < 0.6:
        out["replicas"] = r.choice([0, 1, 3])
    if r.random() < 0.5:
        out["selector"] = {"matchLabels": pairs(r)} if kind != "ReplicationController" else pairs(r)
    if kind == "StatefulSet":
        out["serviceName"] = r.choice(NAMES)
        if r.random() < 0.5:
            out["volumeClaimTemplates"] = [{"metadata": {"name": "d"}, "spec": {
                "storageClassName": r.choice(NAMES)}}]
    if kind == "Deployment" and r.random() < 0.4:
        out["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}
    return out


def data_map(r):
    out = {k: text(r) for k in r.sample(["k", "l", "m.yaml", "n"], r.randint(0, 3))}
    if r.random() < 0.06:
        out["k"] = r.choice(PLAIN)
    if r.random() < 0.2:
        out["doc.json"] = '{"a": {"b": "old"}, "l": [1, 2]}'
    if r.random() < 0.2:
        out["doc.yaml"] = "a:\n  b: old\nl:\n- 1\n"
    return out


def subjects(r):
    return [{"kind": r.choice(["ServiceAccount", "ServiceAccount", "User"]),
             "name": r.choice(NAMES + ["default"]),
             **r.choice([{}, {"namespace": r.choice(["one", "two", "default"])}])}
            for _ in range(r.randint(1, 2))]


def role_ref(r, kinds):
    return {"apiGroup": RBAC, "kind": r.choice(kinds), "name": r.choice(NAMES)}


def rules(r):
    return [{"verbs": ["get"], "resources": ["x"], "resourceNames": r.sample(NAMES, r.randint(1, 2))}]


def webhook(r):
    return {"webhooks": [{"name": n, "clientConfig": {"service": {
        "name": r.choice(NAMES), "namespace": r.choice(["one", "default"])}}}
        for n in r.sample("ab", r.randint(1, 2))]}


# Kind -> (apiVersion, is it certainly cluster-scoped, body).
OTHERS = {
    "ConfigMap": ("v1", False, lambda r: {"data": data_map(r)}),
    "Secret": ("v1", False, lambda r: {"stringData": data_map(r), "type": "Opaque"}),
    "Service": ("v1", False, lambda r: {"spec": {"ports": ports(r, "port"), "selector": pairs(r)}}),
    "ServiceAccount": ("v1", False, lambda r: {"imagePullSecrets": [{"name": r.choice(NAMES)}],
                                               "secrets": [{"name": r.choice(NAMES)}]}),
    "Role": (RBAC + "/v1", False, lambda r: {"rules": rules(r)}),
    "ClusterRole": (RBAC + "/v1", True, lambda r: {"rules": rules(r)}),
    "RoleBinding": (RBAC + "/v1", False, lambda r: {
        "subjects": subjects(r), "roleRef": role_ref(r, ["Role", "ClusterRole"])}),
    "ClusterRoleBinding": (RBAC + "/v1", True, lambda r: {
        "subjects": subjects(r), "roleRef": role_ref(r, ["ClusterRole"])}),
    "Ingress": ("networking.k8s.io/v1", False, lambda r: {
        "spec": {"tls": [{"hosts": ["h"], "secretName": r.choice(NAMES)}], "ingressClassName": "a",
                 "rules": [{"host": "h", "http": {"paths": [{"path": "/", "backend": {"service": {
                     "name": r.choice(NAMES)}}}]}}]}}),
    "PersistentVolumeClaim": ("v1", False, lambda r: {"spec": {
        "storageClassName": r.choice(NAMES), "volumeName": r.choice(NAMES)}}),
    "PersistentVolume": ("v1", True, lambda r: {"spec": {"storageClassName": r.choice(NAMES)}}),
    "StorageClass": ("storage.k8s.io/v1", True, lambda r: {"provisioner": "p"}),
    "PriorityClass": ("scheduling.k8s.io/v1", True, lambda r: {"value": 5}),
    "HorizontalPodAutoscaler": ("autoscaling/v2", False, lambda r: {"spec": {"scaleTargetRef": {
        "kind": r.choice(["Deployment", "StatefulSet"]), "name": r.choice(NAMES)}}}),
    "NetworkPolicy": ("networking.k8s.io/v1", False, lambda r: {"spec": {
        "podSelector": {"matchLabels": pairs(r)},
        "ingress": [{"from": [{"podSelector": {"matchLabels": pairs(r)}}]}]}}),
    "PodDisruptionBudget": ("policy/v1", False, lambda r: {"spec": {"selector": {
        "matchLabels": pairs(r)}}}),
    "Namespace": ("v1", True, lambda r: {}),
    "CustomResourceDefinition": ("apiextensions.k8s.io/v1", True, lambda r: {"spec": {
        "group": "x.io", "conversion": {"webhook": {"clientConfig": {"service": {
            "name": r.choice(NAMES), "namespace": "old"}}}}}}),
    "APIService": ("apiregistration.k8s.io/v1", True, lambda r: {"spec": {"service": {
        "name": r.choice(NAMES)}}}),
    "ValidatingWebhookConfiguration": ("admissionregistration.k8s.io/v1", True, webhook),
    "MutatingWebhookConfiguration": ("admissionregistration.k8s.io/v1", True, webhook),
    "Foo": ("x.io/v1", False, lambda r: {"spec": {"ref": r.choice(NAMES), "any": value(r), "list": [
        {"name": n, "v": value(r)} for n in r.sample("abc", r.randint(0, 3))]}}),
    "FooList": ("x.io/v1", False, lambda r: {"spec": value(r)}),
}
WEIGHTED = ["ConfigMap"] * 4 + ["Deployment"] * 5 + ["Secret"] * 3 + ["Service"] * 3 + \
    ["ServiceAccount", "RoleBinding", "ClusterRoleBinding", "Foo", "Foo"] + sorted(OTHERS) + \
    sorted(POD_KINDS)


def metadata(r, name, namespace):
    out = {"name": name}
    if namespace:
        out["namespace"] = namespace
    if r.random() < 0.4:
        out["labels"] = pairs(r)
    if r.random() < 0.2:
        out["annotations"] = r.choice([pairs(r), {}, {"n": "x", "config.kubernetes.io/local-config":
                                                      r.choice(["true", "false"])}])
    if r.random() < 0.05:
        out["finalizers"] = r.sample(["f", "g"], r.randint(1, 2))
    return out


def body(r, kind):
    if kind in POD_KINDS:
        return {"spec": workload_spec(r, kind)}
    return OTHERS[kind][2](r)


def version_of(kind):
    return POD_KINDS[kind] if kind in POD_KINDS else OTHERS[kind][0]


def obj(r, kind=None, name=None):
    kind = kind or r.choice(WEIGHTED)
    cluster = kind in OTHERS and OTHERS[kind][1]
    namespace = None if cluster else r.choice(NAMESPACES)
    return {"apiVersion": version_of(kind), "kind": kind,
            "metadata": metadata(r, name or r.choice(NAMES), namespace), **body(r, kind)}
