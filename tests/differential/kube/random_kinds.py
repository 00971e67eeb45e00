"""What random requests are made of: for each kind an object that both servers take, the fields that
writes change, each with values that fit and values that do not, and its status."""

CORE = "/api/v1/namespaces/@ns/"
APPS = "/apis/apps/v1/namespaces/@ns/"
NET = "/apis/networking.k8s.io/v1/namespaces/@ns/"
# It outlives its dependents, so no garbage is collected meanwhile.
OWNER = {"apiVersion": "v1", "kind": "Namespace", "name": "@ns", "uid": "@uid:ns@"}

METADATA = [
    ("metadata.labels.app", ["x", "y", ""], ["no label!", 5]),
    ("metadata.labels.tier", ["a", "b"], ["-"]),
    ("metadata.labels", [{"app": "x"}, {}, {"app": "y", "tier": "b"}], ["text", {"a b": "c"}, [1]]),
    ("metadata.annotations.note", ["1", "2", ""], [{}, True]),
    ("metadata.annotations", [{"note": "3"}, {"example.com/note": "x"}], [{"a/b/c": "1"}]),
    ("metadata.finalizers", [["example.com/hold"], [], ["example.com/hold", "example.com/other"]],
     [["no domain"], "text", ["unqualified"]]),
    ("metadata.ownerReferences", [
        [OWNER], [{**OWNER, "controller": True, "blockOwnerDeletion": True}], []],
     [[{"apiVersion": "v1", "kind": "Namespace", "name": "@ns"}], [{}]]),
]


def container(name="c", image="i:1", **more):
    return {"name": name, "image": image, **more}


POD_FIELDS = [
    ("containers", [
        [container()], [container(image="i")], [container(image="i:latest")],
        [container(), container("d", "d@sha256:0")],
        [container(env=[{"name": "A", "value": "1"}, {"name": "B", "value": ""}])],
        [container(env=[{"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}])],
        [container(ports=[{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}])],
        [container(ports=[{"containerPort": 80, "name": "http"}], command=["a"], args=["b", "c"])],
        [container(resources={"limits": {"cpu": "0.5", "memory": "1024Mi"}})],
        [container(resources={"requests": {"cpu": 1, "memory": "1.5Gi"}})],
        [container(livenessProbe={"httpGet": {"port": 80}}, readinessProbe={"exec": {
            "command": ["x"]}})],
        [container(startupProbe={"tcpSocket": {"port": "http"}, "periodSeconds": 3},
                   ports=[{"name": "http", "containerPort": 8080}])],
        [container(volumeMounts=[{"name": "v", "mountPath": "/v"}])],
        [container(securityContext={"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}})],
        [container(lifecycle={"preStop": {"httpGet": {"port": 1}}})],
        [container(imagePullPolicy="Never")]],
     [[], "text", [{"name": "c"}], [{"image": "i"}], [container("Bad_Name")],
      [container(), container()], [container(image=5)], [container(imagePullPolicy="Maybe")],
      [container(ports=[{"containerPort": 0}])], [container(ports=[{"containerPort": 99999}])],
      [container(ports=[{"containerPort": 80, "protocol": "ICMP"}])],
      [container(env=[{"value": "1"}])], [container(env=[{"name": "A", "value": 5}])],
      [container(resources={"limits": {"cpu": "much"}})],
      [container(resources={"limits": {"cpu": "1"}, "requests": {"cpu": "2"}})],
      [container(volumeMounts=[{"name": "none", "mountPath": "/v"}])],
      [container(livenessProbe={})],
      [container(oops=1)]]),
    ("initContainers", [[container("init")], []], [[container("c", "")]]),
    ("volumes", [[{"name": "v"}], [{"name": "v", "emptyDir": {}}],
                 [{"name": "v", "configMap": {"name": "x"}}],
                 [{"name": "v", "secret": {"secretName": "x"}}],
                 [{"name": "v", "hostPath": {"path": "/x"}}],
                 [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {
                     "path": "t"}}]}}]],
     [[{"name": "v", "emptyDir": {}, "configMap": {"name": "x"}}], [{"emptyDir": {}}]]),
    ("restartPolicy", ["Always"], ["Never", "Sometimes", 1]),
    ("serviceAccountName", ["x", ""], ["Bad Name", 1]),
    ("terminationGracePeriodSeconds", [30, 5, 0], [-1, "x"]),
    ("nodeSelector", [{"a": "b"}, {}], [{"a b": "c"}, "x"]),
    ("tolerations", [[{"key": "a", "operator": "Exists"}], [{"key": "a", "value": "b"}], []],
     [[{"operator": "Maybe"}], [{"operator": "Exists", "value": "x"}]]),
    ("securityContext", [{}, {"runAsUser": 5}, {"fsGroup": 7}], [{"runAsUser": -1}, "x"]),
    ("imagePullSecrets", [[{"name": "x"}], [{"name": "x"}, {"name": "y"}]], ["x"]),
    ("hostAliases", [[{"ip": "1.2.3.4", "hostnames": ["a"]}]], [[{"ip": "x"}]]),
    ("dnsPolicy", ["Default", "ClusterFirst"], ["Maybe"]),
]


def under(prefix, fields):
    return [(f"{prefix}.{path}", good, bad) for path, good, bad in fields]


TEMPLATE = under("spec.template.spec", POD_FIELDS) + [
    ("spec.template.metadata.labels", [{"app": "x"}, {"app": "x", "more": "1"}],
     [{"app": "z"}, {"a b": "c"}]),
    ("spec.template.metadata.annotations", [{"a": "1"}, {}], ["x"]),
]
POD = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [container()]}}
SELECTOR = [("spec.selector", [{"matchLabels": {"app": "x"}}],
             [{"matchLabels": {"app": "z"}}, {}, {"matchExpressions": [{"key": "a"}]}])]
CONDITION = {"type": "Ready", "status": "True", "reason": "R", "message": "m",
             "lastTransitionTime": "2024-01-01T00:00:00Z"}
TIMED = {**CONDITION, "lastUpdateTime": "2024-01-01T00:00:00Z"}


def condition(base=CONDITION, **more):
    return {**base, **more}


def counts(*names):
    return [("status." + name, [0, 1, 2], [-1, "x"]) for name in names]


def conditions(base=CONDITION):
    return ("status.conditions", [[base], [{**base, "status": "False"}], [],
                                  [base, {**base, "type": "Other"}]], ["x", [{"type": 5}]])


KINDS = {
    "ConfigMap": {
        "path": CORE + "configmaps", "apiVersion": "v1", "weight": 3,
        "base": {"data": {"a": "1"}},
        "fields": [
            ("data.a", ["1", "2", ""], [5, {}]), ("data.b", ["x", "y"], [["z"]]),
            ("data", [{"c": "3"}, {}, {"a": "1", "b": "2", "c": "3"}], ["text", {"bad key": "x"}]),
            ("binaryData.k", ["AAE=", "YQ=="], ["no base64!", 1]),
            ("immutable", [False], ["yes"]),
            ("oops", [], ["x"])],
    },
    "Secret": {
        "path": CORE + "secrets", "apiVersion": "v1", "weight": 2,
        "base": {"data": {"a": "MQ=="}},
        "fields": [
            ("data.a", ["MQ==", "Mg==", ""], ["no base64!", 5]), ("data.b", ["eA=="], [{}]),
            ("stringData.a", ["1", "2"], [5]), ("stringData.c", ["z"], []),
            ("data", [{}, {"z": "MQ=="}], ["x", {"bad key": "MQ=="}]),
            ("type", ["Opaque"], ["example.com/other", "kubernetes.io/tls",
                                  "kubernetes.io/dockerconfigjson", 1]),
            ("immutable", [False], [1])],
    },
    "Service": {
        "path": CORE + "services", "apiVersion": "v1", "weight": 3,
        "base": {"spec": {"clusterIP": "None", "selector": {"app": "x"},
                          "ports": [{"name": "http", "port": 80}]}},
        "fields": [
            ("spec.ports", [
                [{"name": "http", "port": 80}], [{"name": "http", "port": 80, "targetPort": "web"}],
                [{"name": "dns", "port": 53, "protocol": "UDP"},
                 {"name": "dns-tcp", "port": 53, "protocol": "TCP"}],
                [{"name": "http", "port": 80}, {"name": "https", "port": 443, "targetPort": 8443}],
                [{"port": 80}], [{"port": 80, "appProtocol": "http", "name": "x"}]],
             [[], "x", [{"name": "http"}], [{"port": 0}], [{"port": 80, "protocol": "ICMP"}],
              [{"port": 80}, {"port": 81}], [{"name": "a", "port": 80}, {"name": "a", "port": 81}],
              [{"name": "Bad_Name", "port": 80}], [{"port": "80"}],
              [{"port": 80, "targetPort": "Bad_Name!"}]]),
            ("spec.selector", [{"app": "x"}, {"app": "y", "z": "1"}], [{"a b": "c"}, "x"]),
            ("spec.sessionAffinity", ["None", "ClientIP"], ["Maybe"]),
            ("spec.publishNotReadyAddresses", [True, False], ["x"]),
            ("spec.externalIPs", [["192.0.2.1"], []], [["x"]]),
            ("spec.type", ["ClusterIP"], ["Maybe", "ExternalName", "NodePort"]),
            ("spec.clusterIP", [], ["10.0.0.300", "x"]),
            ("spec.internalTrafficPolicy", ["Cluster", "Local"], ["Maybe"]),
            ("spec.ipFamilyPolicy", ["SingleStack"], [])],
        "status": [conditions(), ("status.loadBalancer", [{}], [
            "x", {"ingress": [{"ip": "192.0.2.2"}]}])],
    },
    "ServiceAccount": {
        "path": CORE + "serviceaccounts", "apiVersion": "v1",
        "base": {},
        "fields": [
            ("imagePullSecrets", [[{"name": "a"}], [{"name": "b"}, {"name": "a"}], []], ["x"]),
            ("secrets", [[{"name": "a"}], [{"name": "b"}]], ["x"]),
            ("automountServiceAccountToken", [True, False], ["x"])],
    },
    "Deployment": {
        "path": APPS + "deployments", "apiVersion": "apps/v1", "weight": 4, "scale": True,
        "base": {"spec": {"selector": {"matchLabels": {"app": "x"}}, "template": POD}},
        "fields": TEMPLATE + SELECTOR + [
            ("spec.replicas", [0, 1, 3], [-1, "two"]),
            ("spec.strategy", [
                {}, {"type": "Recreate"}, {"type": "RollingUpdate"},
                {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
                {"rollingUpdate": {"maxUnavailable": "50%", "maxSurge": 0}}],
             [{"type": "Maybe"}, {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}},
              {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}},
              {"rollingUpdate": {"maxSurge": "x"}}]),
            ("spec.minReadySeconds", [0, 5], [-5]),
            ("spec.revisionHistoryLimit", [0, 2], [-1]),
            ("spec.paused", [True, False], [1]),
            ("spec.progressDeadlineSeconds", [700], [0, -1])],
        "status": counts("replicas", "readyReplicas", "availableReplicas", "observedGeneration") +
        [conditions(TIMED)],
    },
    "StatefulSet": {
        "path": APPS + "statefulsets", "apiVersion": "apps/v1", "scale": True,
        "base": {"spec": {"serviceName": "x", "selector": {"matchLabels": {"app": "x"}},
                          "template": POD}},
        "fields": TEMPLATE + SELECTOR + [
            ("spec.replicas", [0, 2], [-1]), ("spec.serviceName", ["x"], ["y"]),
            ("spec.updateStrategy", [{"type": "OnDelete"}, {"type": "RollingUpdate"},
                                     {"rollingUpdate": {"partition": 2}}], [{"type": "Maybe"}]),
            ("spec.podManagementPolicy", ["OrderedReady"], ["Parallel", "Maybe"])],
        "status": counts("replicas", "readyReplicas") + [conditions()],
    },
    "DaemonSet": {
        "path": APPS + "daemonsets", "apiVersion": "apps/v1",
        "base": {"spec": {"selector": {"matchLabels": {"app": "x"}}, "template": POD}},
        "fields": TEMPLATE + SELECTOR + [
            ("spec.updateStrategy", [{"type": "OnDelete"}, {"type": "RollingUpdate"}],
             [{"type": "Maybe"}]),
            ("spec.minReadySeconds", [3], [-1])],
        "status": counts("numberReady", "currentNumberScheduled", "desiredNumberScheduled",
                         "numberMisscheduled"),
    },
    "Ingress": {
        "path": NET + "ingresses", "apiVersion": "networking.k8s.io/v1", "weight": 2,
        "base": {"spec": {"rules": [{"host": "x.example", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {
                "name": "x", "port": {"number": 80}}}}]}}]}},
        "fields": [
            ("spec.rules", [
                [{"host": "y.example"}], [{"host": "*.example.com"}],
                [{"http": {"paths": [{"path": "/a", "pathType": "Exact", "backend": {"service": {
                    "name": "x", "port": {"name": "http"}}}}]}}]],
             [[{"host": "Bad_Host"}], "x", [{"host": "1.2.3.4"}],
              [{"http": {"paths": [{"path": "a", "pathType": "Exact", "backend": {"service": {
                  "name": "x", "port": {"number": 80}}}}]}}],
              [{"http": {"paths": [{"path": "/", "backend": {"service": {
                  "name": "x", "port": {"number": 80}}}}]}}],
              [{"http": {"paths": [{"path": "/", "pathType": "Exact", "backend": {}}]}}],
              [{"http": {"paths": []}}]]),
            ("spec.tls", [[{"hosts": ["a.example"], "secretName": "s"}], []], ["x"]),
            ("spec.ingressClassName", ["nginx", "other"], ["Bad Name", 1]),
            ("spec.defaultBackend", [{"service": {"name": "x", "port": {"number": 1}}}],
             [{"service": {"name": "x"}}, {}, {"service": {
                 "name": "x", "port": {"number": 1, "name": "a"}}}])],
        "status": [("status.loadBalancer", [{}, {"ingress": [{"ip": "192.0.2.2"}]},
                                            {"ingress": [{"hostname": "a.example"}]}],
                    ["x", {"ingress": [{"ip": "x"}]}])],
    },
    "NetworkPolicy": {
        "path": NET + "networkpolicies", "apiVersion": "networking.k8s.io/v1", "weight": 2,
        "base": {"spec": {"podSelector": {}}},
        "fields": [
            ("spec.podSelector", [{}, {"matchLabels": {"a": "b"}}], ["x", {"matchLabels": {
                "a b": "c"}}]),
            ("spec.policyTypes", [["Ingress"], ["Egress"], ["Ingress", "Egress"]],
             [["Maybe"], "x"]),
            ("spec.ingress", [[{}], [{"ports": [{"port": 80}]}],
                              [{"from": [{"podSelector": {}}],
                                "ports": [{"port": "http", "protocol": "UDP"}]}],
                              [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]],
             [[{"from": [{}]}], [{"from": [{"ipBlock": {"cidr": "x"}}]}],
              [{"ports": [{"port": 0}]}], [{"ports": [{"protocol": "ICMP"}]}]]),
            ("spec.egress", [[{}], [{"to": [{"namespaceSelector": {}}]}],
                             [{"ports": [{"port": 80, "endPort": 90}]}]],
             [[{"ports": [{"port": 80, "endPort": 70}]}]])],
    },
    "HorizontalPodAutoscaler": {
        "path": "/apis/autoscaling/v2/namespaces/@ns/horizontalpodautoscalers",
        "apiVersion": "autoscaling/v2", "weight": 2,
        "base": {"spec": {"maxReplicas": 3, "scaleTargetRef": {
            "apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}}},
        "fields": [
            ("spec.maxReplicas", [3, 5], [0, "x"]), ("spec.minReplicas", [1, 2], [-1, 9]),
            ("spec.scaleTargetRef", [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
                                     {"kind": "ReplicaSet", "name": "y"}], [{}, {"kind": "A"}]),
            ("spec.metrics", [
                [{"type": "Resource", "resource": {"name": "cpu", "target": {
                    "type": "Utilization", "averageUtilization": 60}}}],
                # No quantity: on the real server each update would take over an atomic list with one.
                [{"type": "Resource", "resource": {"name": "memory", "target": {
                    "type": "Utilization", "averageUtilization": 70}}}]],
             [[{"type": "Maybe"}], [{"type": "Resource"}], "x"]),
            ("spec.behavior", [{"scaleDown": {"stabilizationWindowSeconds": 10}},
                               {"scaleUp": {"policies": [
                                   {"type": "Pods", "value": 1, "periodSeconds": 15}]}}],
             [{"scaleDown": {"stabilizationWindowSeconds": -1}},
              {"scaleUp": {"policies": [{"type": "Maybe", "value": 1, "periodSeconds": 15}]}}])],
        "status": counts("currentReplicas", "desiredReplicas") + [conditions()],
    },
    "PodDisruptionBudget": {
        "path": "/apis/policy/v1/namespaces/@ns/poddisruptionbudgets", "apiVersion": "policy/v1",
        "base": {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "x"}}}},
        "fields": [
            ("spec.minAvailable", [1, "50%", 0], ["x", -1, "101%"]),
            ("spec.selector", [{"matchLabels": {"app": "y"}}, {}], ["x"]),
            ("spec.unhealthyPodEvictionPolicy", ["AlwaysAllow"], ["Maybe"])],
        "status": counts("currentHealthy", "desiredHealthy", "disruptionsAllowed",
                         "expectedPods") + [conditions()],
    },
    "Role": {
        "path": "/apis/rbac.authorization.k8s.io/v1/namespaces/@ns/roles",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "base": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
        "fields": [("rules", [[{"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}]],
                    [[{"verbs": ["get"]}], "x", [{"apiGroups": [""], "resources": ["pods"]}],
                     [{"nonResourceURLs": ["/x"], "verbs": ["get"]}]])],
    },
    "Pod": {
        "path": CORE + "pods", "apiVersion": "v1",
        "base": {"spec": {"containers": [container()]}},
        "fields": under("spec", [row for row in POD_FIELDS if row[0] != "volumes"]) + [
            ("spec.hostname", ["a"], ["Bad Name"]),
            ("spec.priorityClassName", ["system-node-critical"], ["none"])],
        "status": [("status.phase", ["Running", "Failed"], [1]),
                   ("status.message", ["a", "b"], [5])],
    },
    "CronJob": {
        "path": "/apis/batch/v1/namespaces/@ns/cronjobs", "apiVersion": "batch/v1",
        "base": {"spec": {"schedule": "@hourly", "jobTemplate": {"spec": {"template": {
            "spec": {**POD["spec"], "restartPolicy": "Never"}}}}}},
        "fields": [
            ("spec.schedule", ["*/5 * * * *", "@daily"], ["x", 5, ""]),
            ("spec.concurrencyPolicy", ["Allow", "Forbid", "Replace"], ["Maybe"]),
            ("spec.suspend", [True, False], [1]), ("spec.timeZone", ["Etc/UTC"], [""]),
            ("spec.startingDeadlineSeconds", [10], [-1]),
            ("spec.successfulJobsHistoryLimit", [0, 2], [-1])],
        "status": [("status.lastScheduleTime", ["2024-01-01T00:00:00Z"], ["x"])],
    },
    "RoleBinding": {
        "path": "/apis/rbac.authorization.k8s.io/v1/namespaces/@ns/rolebindings",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "base": {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
                 "subjects": [{"kind": "User", "name": "u"}]},
        "fields": [
            ("subjects", [[{"kind": "ServiceAccount", "name": "a", "namespace": "b"}], [
                {"kind": "Group", "name": "g"}, {"kind": "User", "name": "u"}]],
             ["x", [{"kind": "Maybe", "name": "u"}], [{"kind": "User"}],
              [{"kind": "ServiceAccount", "name": "a"}]]),
            ("roleRef", [], [{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                              "name": "r"}, {}])],
    },
    "Lease": {
        "path": "/apis/coordination.k8s.io/v1/namespaces/@ns/leases",
        "apiVersion": "coordination.k8s.io/v1",
        "base": {"spec": {"holderIdentity": "x"}},
        "fields": [
            ("spec.holderIdentity", ["x", "y"], [5]),
            ("spec.leaseDurationSeconds", [15, 30], [0, -1, "x"]),
            ("spec.renewTime", ["2024-01-01T00:00:00.000000Z", "2024-01-01T00:00:00.5Z"], ["x"]),
            ("spec.leaseTransitions", [0, 1], [-1])],
    },
    "Widget": {
        "path": "/apis/random.example.com/v1/namespaces/@ns/widgets", "custom": True, "weight": 3,
        "apiVersion": "random.example.com/v1", "scale": True,
        "base": {"spec": {"text": "a"}},
        "fields": [
            ("spec.text", ["a", "b", ""], [5, "too long for it"]),
            ("spec.choice", ["one", "two"], ["three", 1]),
            ("spec.number", [1, 5, 7], [11, 0, "x", 1.5]),
            ("spec.replicas", [0, 1, 4], [-1, "x"]),
            ("spec.port", [80, "http"], [1.5, {}]),
            ("spec.map", [{"a": "1"}, {}, {"b": "2", "a": "1"}], [{"a": 1}, "x"]),
            ("spec.set", [["a"], ["b", "a"], []], [["a", "a"], [1], "x"]),
            ("spec.items", [[{"key": "a"}], [{"key": "b", "value": "1"}, {"key": "a"}], []],
             [[{"value": "1"}], [{"key": "a"}, {"key": "a"}], [{"key": 5}], "x"]),
            ("spec.atomic", [["a", "a"], []], [[1]]),
            ("spec.fixed", [{"a": "1"}, {"b": "2"}], [{"a": 5}]),
            ("spec.any", [{"x": [1, {"y": 2}]}, 5, "x"], []),
            ("spec.defaulted", [{}, {"a": "z"}], ["x"]),
            ("spec.empty", [None], ["x"]),
            ("spec.oops", [], ["x"]), ("oops", [], [{"x": 1}])],
        "status": [("status.ready", [True, False], ["x"]), ("status.replicas", [0, 2], ["x"]),
                   conditions()],
    },
    "Gadget": {
        "path": "/apis/random.example.com/v1/namespaces/@ns/gadgets", "custom": True,
        "apiVersion": "random.example.com/v1",
        "base": {"spec": {"text": "a"}, "status": {"text": "s"}},
        "fields": [("spec.text", ["a", "b"], [5]), ("status.text", ["s", "t"], [5]),
                   ("spec.oops", [], ["x"])],
    },
    "Kustomization": {
        "path": "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/@ns/kustomizations",
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "custom": True, "weight": 2,
        "base": {"spec": {"interval": "1m", "prune": True,
                          "sourceRef": {"kind": "GitRepository", "name": "x"}}},
        "fields": [
            ("spec.interval", ["1m", "1h30m"], ["x", 5, "1d"]), ("spec.prune", [True, False], [1]),
            ("spec.path", ["./a", ""], [1]), ("spec.wait", [True, False], []),
            ("spec.timeout", ["30s"], ["1h "]),
            ("spec.sourceRef", [{"kind": "Bucket", "name": "x"}], [{"kind": "Maybe", "name": "x"},
                                                                   {"kind": "Bucket"}]),
            ("spec.dependsOn", [[{"name": "a"}], [{"name": "a", "namespace": "b"}]], [[{}]]),
            ("spec.postBuild", [{"substitute": {"a": "b"}}], [{"substitute": {"a": 5}}]),
            ("spec.targetNamespace", ["a"], ["", "a" * 64]),
            ("spec.images", [[{"name": "a", "newTag": "1"}]], [[{"newTag": "1"}]])],
        "status": [("status.observedGeneration", [1, 2], ["x"]), conditions(),
                   ("status.inventory", [{"entries": [{"id": "a", "v": "v1"}]}], [{}])],
    },
    "HelmRelease": {
        "path": "/apis/helm.toolkit.fluxcd.io/v2/namespaces/@ns/helmreleases",
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "custom": True, "weight": 2,
        "base": {"spec": {"interval": "1m", "chart": {"spec": {
            "chart": "c", "sourceRef": {"kind": "HelmRepository", "name": "x"}}}}},
        "fields": [
            ("spec.interval", ["1m"], ["x"]), ("spec.values", [{"a": {"b": [1]}}, {}], ["x"]),
            ("spec.chartRef", [], [{"kind": "OCIRepository", "name": "x"}]),
            ("spec.releaseName", ["a"], ["", "a" * 54]),
            ("spec.install", [{"remediation": {"retries": 3}}], [{"crds": "Maybe"}]),
            ("spec.valuesFrom", [[{"kind": "ConfigMap", "name": "x"}]], [[{"kind": "A"}]])],
        "status": [("status.observedGeneration", [1, 2], ["x"]), conditions()],
    },
    "GitRepository": {
        "path": "/apis/source.toolkit.fluxcd.io/v1/namespaces/@ns/gitrepositories",
        "apiVersion": "source.toolkit.fluxcd.io/v1", "custom": True,
        "base": {"spec": {"interval": "1m", "url": "https://x.example/r"}},
        "fields": [
            ("spec.url", ["ssh://git@x.example/r"], ["ftp://x", 1]),
            ("spec.ref", [{"branch": "main"}, {"tag": "v1"}], ["x"]),
            ("spec.timeout", ["30s"], ["x"]), ("spec.ignore", ["*.md\n"], [1]),
            ("spec.provider", ["generic"], ["maybe", "github"])],
        "status": [("status.observedGeneration", [1], ["x"]), conditions()],
    },
    "Receiver": {
        "path": "/apis/notification.toolkit.fluxcd.io/v1/namespaces/@ns/receivers",
        "apiVersion": "notification.toolkit.fluxcd.io/v1", "custom": True,
        "base": {"spec": {"type": "generic", "secretRef": {"name": "x"},
                          "resources": [{"kind": "GitRepository", "name": "x"}]}},
        "fields": [
            ("spec.type", ["github", "generic-hmac"], ["maybe"]),
            ("spec.events", [["push"], []], ["x"]),
            ("spec.resources", [[{"kind": "Bucket", "name": "*", "matchLabels": {"a": "b"}}]],
             [[{"kind": "Pod", "name": "x"}], [{"kind": "Bucket"}]])],
        "status": [("status.webhookPath", ["/hook/x"], [1]), conditions()],
    },
}


def text(**more):
    return {"type": "string", **more}


def crd(plural, kind, schema, **version):
    group = "random.example.com"
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced",
                     "names": {"plural": plural, "kind": kind},
                     "versions": [{"name": "v1", "served": True, "storage": True, **version,
                                   "schema": {"openAPIV3Schema": {
                                       "type": "object", "properties": schema}}}]}}


def struct(required=(), **members):
    return {"type": "object", "properties": members,
            **({"required": list(required)} if required else {})}


WIDGET = {
    "spec": struct(
        ["text"], text=text(maxLength=10), choice=text(enum=["one", "two"]),
        number={"type": "integer", "minimum": 1, "maximum": 10}, port={
            "x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        replicas={"type": "integer", "minimum": 0},
        map={"type": "object", "additionalProperties": text()},
        set={"type": "array", "items": text(), "x-kubernetes-list-type": "set"},
        items={"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys":
               ["key"], "items": struct(["key"], key=text(), value=text(default="v"))},
        atomic={"type": "array", "items": text()},
        fixed={"type": "object", "additionalProperties": text(), "x-kubernetes-map-type": "atomic"},
        any={"x-kubernetes-preserve-unknown-fields": True},
        defaulted={**struct(a=text(default="A"), b=text()), "default": {"b": "B"}},
        empty=text(nullable=True)),
    "status": struct(ready={"type": "boolean"}, replicas={"type": "integer"}, conditions={
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
        "items": struct(["type", "status"], type=text(), status=text(), reason=text(),
                        message=text(), lastTransitionTime=text(format="date-time"))}),
}
# Only dry runs of what the sequences themselves need, so of all sequences at once.
KINDS["CustomResourceDefinition"] = {
    "path": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "dry": True,
    "apiVersion": "apiextensions.k8s.io/v1", "names": [
        "widgets.random.example.com", "gadgets.random.example.com"],
    "fields": [
        ("spec.names.shortNames", [["w"], ["w", "wi"], []], ["x", ["Bad_Name"]]),
        ("spec.names.categories", [["all"], []], ["x", ["-all"]]),
        ("spec.names.singular", ["thing"], [1, "Thing"]),
        ("spec.names.listKind", ["ThingList"], [1, "Thing_List", "Widget"]),
        ("spec.scope", ["Namespaced"], ["Cluster", "Maybe"]),
        ("spec.group", ["random.example.com"], ["other.example.com"]),
        ("spec.conversion", [{"strategy": "None"}], [{"strategy": "Maybe"}])],
}

CRDS = [crd("widgets", "Widget", WIDGET, subresources={"status": {}, "scale": {
            "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}}),
        crd("gadgets", "Gadget", {"spec": struct(text=text()), "status": struct(text=text())})]
