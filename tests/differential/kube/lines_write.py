"""Hand-written scripts for the lines of the contract about writes: creating, replacing, patching,
checking (A13..A32) and what built-in kinds make of what they are given (A49..A53)."""
from .scripts import (apply, at, collection, config_map, container, create, delete, deployment, get,
                      in_pod, merge, ops, put, strategic, template, thing, url, widget)

LEASE = thing("Lease/l", spec={"holderIdentity": "x"})
SERVICE = thing("Service/s", spec={"selector": {"app": "x"}, "ports": [{"port": 80}]})
HEADLESS = thing("Service/h", spec={"clusterIP": "None", "selector": {"app": "x"},
                                    "ports": [{"name": "http", "port": 80}]})
SECRET = thing("Secret/s", data={"a": "MQ=="})
ROLE = thing("Role/r", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])
BINDING = thing("RoleBinding/b", roleRef={"kind": "Role", "name": "r"},
                subjects=[{"kind": "User", "name": "u"}])


def with_version(body, version):
    return {**body, "metadata": {**body["metadata"], "resourceVersion": version}}


def generated(body):
    """A generated name: what it begins with, and its length."""
    metadata = body["metadata"]
    return metadata["generateName"], metadata["name"].startswith(metadata["generateName"][:58]), \
        len(metadata["name"])


def name_of(kind, generate, **more):
    return thing(kind, {"generateName": generate}, **more)


def new(body, query="", **more):
    """A creation whose name the server makes."""
    return at("POST", collection(body["kind"]) + ("?" + query if query else ""), body, **more)


TWICE = collection("ConfigMap")
TWICE_JSON = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s"},"data":{"a":"1","a":"2"}}'
TWICE_YAML = """apiVersion: v1
kind: ConfigMap
metadata:
  name: %s
data:
  a: "1"
  a: "2"
"""

CASES = {
    "A13 generateName": [
        new(name_of("ConfigMap", "gen-"), pick=generated),
        new(name_of("ConfigMap", "gen-"), pick=generated),
        new(name_of("ConfigMap", "n" * 60), pick=generated),
        new(name_of("Secret", "s."), pick=generated),
        new(name_of("Widget", "w-", spec={"size": 1}), pick=generated),
        new(name_of("ConfigMap", "gen-"), "dryRun=All", pick=generated),
        new(name_of("ConfigMap", "Bad_")), new(name_of("Service", "9-", spec=SERVICE["spec"])),
        create(thing("ConfigMap/named", {"generateName": "gen-"})),
        new(thing("ConfigMap", {"name": "", "generateName": ""})), new(thing("ConfigMap")),
        new(name_of("Widget", "Bad_", spec={"size": 1})), new(name_of("Namespace", "-x"))],
    "A14 second create": [
        create(config_map()), create(config_map()), create(config_map(b="2"), "dryRun=All"),
        create(widget()), create(widget(size=2)), create(LEASE), create(LEASE),
        create(config_map("Bad_Name")), delete("ConfigMap/a"), create(config_map())],
    "A15 other namespace in the body": [
        create(config_map(metadata={"namespace": "other"})),
        create(config_map(metadata={"namespace": "@ns"})),
        put(config_map(metadata={"namespace": "other"})),
        apply(config_map(metadata={"namespace": "other"})),
        merge("ConfigMap/a", {"metadata": {"namespace": "other"}}),
        create(widget(metadata={"namespace": "other"})),
        create(thing("Namespace/@ns-x", {"namespace": "other"})),
        create(thing("ClusterRole/@ns-x", {"namespace": "other"}, rules=[])),
        at("POST", "/api/v1/configmaps", config_map(metadata={"namespace": "@ns"})),
        at("DELETE", "/api/v1/configmaps"), at("GET", "/api/v1/configmaps/a")],
    "A16 missing namespace": [
        at("POST", url("ConfigMap", ns="nowhere"), config_map()),
        at("POST", url("Widget", ns="nowhere"), widget()),
        at("PATCH", url("ConfigMap/a", "fieldManager=m", ns="nowhere"), config_map(), "apply"),
        at("PATCH", url("Widget/w", "fieldManager=m", ns="nowhere"), widget(), "apply"),
        at("PUT", url("Lease/l", ns="nowhere"), LEASE),
        at("POST", url("ConfigMap", "dryRun=All", ns="nowhere"), config_map()),
        at("GET", url("ConfigMap", ns="nowhere")), at("GET", url("ConfigMap/a", ns="nowhere")),
        at("DELETE", url("ConfigMap/a", ns="nowhere")),
        at("POST", url("ConfigMap", ns="Bad_Name"), config_map())],
    "A17 versions across kinds": [
        create(config_map()), create(SECRET), create(LEASE), get("ConfigMap/a"),
        merge("ConfigMap/a", {"data": {"a": "2"}}), get("Secret/s"),
        merge("Secret/s", {"data": {"b": "MQ=="}}), get("ConfigMap/a"), get("Secret/s"),
        delete("ConfigMap/a"), create(config_map()), get("Lease/l")],
    "A18 stale PUT": [
        create(config_map()), merge("ConfigMap/a", {"data": {"a": "2"}}),
        put(with_version(config_map(), "1")), put(with_version(config_map(), "@rv:ConfigMap/a@")),
        put(with_version(config_map(), "x")), put(with_version(config_map(), "0")),
        create(widget()), put(with_version(widget(size=2), "1")),
        put(with_version(widget(size=2), "@rv:Widget/w@")), put(with_version(widget(), "x")),
        merge("ConfigMap/a", {"metadata": {"resourceVersion": "1"}, "data": {"a": "5"}}),
        strategic("ConfigMap/a", {"metadata": {"resourceVersion": "1"}}),
        ops("ConfigMap/a", [{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}]),
        put(with_version(widget(status={"note": "x"}), "1"), sub="status"),
        create(deployment()), put(with_version(deployment(replicas=3), "1")),
        put({**config_map(), "metadata": {"name": "a", "uid": "other"}}),
        put({**config_map(), "metadata": {"name": "a", "uid": "@uid:ConfigMap/a@"}})],
    "A19 PUT without a version": [
        create(config_map()), put(config_map(a="2")), create(widget()), put(widget(size=2)),
        create(SECRET), put(thing("Secret/s", data={"b": "MQ=="})), create(deployment()),
        put(deployment(replicas=2)), create(LEASE), put(LEASE), create(SERVICE), put(SERVICE),
        create(thing("PodDisruptionBudget/p", spec={"minAvailable": 1})),
        put(thing("PodDisruptionBudget/p", spec={"minAvailable": 2})), create(ROLE), put(ROLE),
        put(widget(status={"note": "x"}), sub="status"), put(deployment(), sub="status"),
        create(thing("NetworkPolicy/n", spec={"podSelector": {}})),
        put(thing("NetworkPolicy/n", spec={"podSelector": {}, "policyTypes": ["Egress"]})),
        create(thing("Ingress/i", spec={"rules": [{"host": "a.example"}]})),
        put(thing("Ingress/i", spec={"rules": [{"host": "b.example"}]})),
        create(thing("ServiceAccount/x")), put(thing("ServiceAccount/x")),
        create(thing("PriorityClass/@ns", value=5)), put(thing("PriorityClass/@ns", value=5)),
        create(thing("RuntimeClass/@ns", handler="h")), put(thing("RuntimeClass/@ns", handler="h"))],
    "A20 identical PUT": [
        create(config_map()), put(config_map()), get("ConfigMap/a"), put(config_map(a="2")),
        put(config_map(a="2")), create(deployment()), put(deployment()), get("Deployment/d"),
        create(SECRET), put(SECRET), merge("ConfigMap/a", {}), ops("ConfigMap/a", []),
        strategic("Deployment/d", {}), merge("ConfigMap/a", {"data": {"none": None}}),
        ops("ConfigMap/a", [{"op": "test", "path": "/data/a", "value": "2"}]),
        put(config_map(a="2"), "fieldManager=other"), get("ConfigMap/a")],
    "A21 PUT of what is absent": [
        put(LEASE), put(config_map()), put(widget()), put(SERVICE), put(SECRET), put(deployment()),
        put(ROLE), put(BINDING), put(thing("Endpoints/e")), put(thing("ServiceAccount/x")),
        put(thing("LimitRange/l", spec={"limits": []})), put(thing("PriorityClass/@ns", value=1)),
        put(thing("RuntimeClass/@ns", handler="h")), put(thing("ClusterRole/@ns", rules=[])),
        put(thing("Namespace/@ns-none")), put(with_version(LEASE, "1")),
        put({**thing("Lease/m"), "metadata": {"name": "m", "uid": "x"}}),
        put(with_version(thing("Lease/n"), "5")), put(thing("ResourceQuota/q", spec={})),
        put(thing("Ingress/i")), put(thing("Lease/dry"), "dryRun=All"), get("Lease/dry"),
        put(thing("Event/e", involvedObject={"namespace": "@ns"}))],
    "A22 generation": [
        create(widget()), merge("Widget/w", {"spec": {"size": 2}}),
        merge("Widget/w", {"metadata": {"labels": {"a": "b"}}}),
        merge("Widget/w", {"metadata": {"annotations": {"a": "b"}}}),
        merge("Widget/w", {"status": {"note": "x"}}, sub="status"),
        merge("Widget/w", {"metadata": {"generation": 99}}),
        create(widget("g", metadata={"generation": 7})), create(deployment()),
        merge("Deployment/d", {"spec": {"replicas": 3}}),
        merge("Deployment/d", {"metadata": {"labels": {"a": "b"}}}),
        merge("Deployment/d", {"metadata": {"annotations": {"a": "b"}}}),
        merge("Deployment/d", {"status": {"replicas": 3}}, sub="status"),
        merge("Deployment/d", {"spec": {"replicas": 4}}, sub="scale"), get("Deployment/d"),
        create(thing("StatefulSet/s", spec={"serviceName": "x", "selector": {
            "matchLabels": {"app": "x"}}, "template": template()})),
        merge("StatefulSet/s", {"metadata": {"annotations": {"a": "b"}}}),
        merge("StatefulSet/s", {"spec": {"replicas": 0}}),
        create(thing("Ingress/i", spec={"rules": [{"host": "a.example"}]})),
        merge("Ingress/i", {"spec": {"rules": [{"host": "b.example"}]}}),
        create(thing("Gadget/g", spec={"a": "1"}, status={"a": "1"})),
        merge("Gadget/g", {"status": {"a": "2"}}), merge("Gadget/g", {"metadata": {"labels": {
            "a": "b"}}}),
        merge("Widget/w", {"metadata": {"finalizers": ["example.com/hold"]}}), delete("Widget/w"),
        get("Widget/w"), merge("Widget/w", {"metadata": {"finalizers": None}})],
    "A23 kinds without a generation": [
        create(config_map(metadata={"generation": 5})), merge("ConfigMap/a", {"data": {"a": "2"}}),
        create(SECRET), merge("Secret/s", {"data": {"b": "MQ=="}}), create(HEADLESS),
        merge("Service/h", {"spec": {"selector": {"app": "y"}}}), create(LEASE),
        merge("Lease/l", {"spec": {"holderIdentity": "y"}}), create(ROLE),
        merge("Role/r", {"rules": [{"apiGroups": [""], "resources": ["*"], "verbs": ["*"]}]}),
        create(thing("ServiceAccount/x")), create(thing("HorizontalPodAutoscaler/h", spec={
            "maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "d"}})),
        merge("HorizontalPodAutoscaler/h", {"spec": {"maxReplicas": 4}}),
        create(thing("PersistentVolumeClaim/p", spec={
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}})),
        create(thing("Namespace/@ns-g", {"generation": 3}))],
    "A24 status and the main path": [
        create(widget(status={"note": "sent"})), put({**with_version(
            widget(size=2, status=None), "@rv:Widget/w@"), "status": {"note": "x"}}),
        merge("Widget/w", {"status": {"note": "x"}}),
        apply({**widget(size=2), "status": {"note": "x"}}, force=True),
        merge("Widget/w", {"spec": {"size": 9}, "status": {"note": "y"},
                           "metadata": {"labels": {"a": "b"}}}, sub="status"),
        put(with_version({**widget(size=8), "status": {"note": "z"}}, "@rv:Widget/w@"),
            sub="status"),
        ops("Widget/w", [{"op": "replace", "path": "/status/note", "value": "o"}], sub="status"),
        merge("Widget/w", {"status": {"note": 5}}, sub="status"),
        merge("Widget/w", {"status": None}, sub="status"), get("Widget/w", sub="status"),
        create({**deployment(), "status": {"replicas": 5}}),
        merge("Deployment/d", {"status": {"replicas": 5}}),
        merge("Deployment/d", {"spec": {"replicas": 5}, "status": {"replicas": 2},
                               "metadata": {"labels": {"a": "b"}}}, sub="status"),
        merge("Deployment/d", {"status": {"replicas": -1}}, sub="status"),
        merge("Deployment/d", {"status": {"replicas": "x"}}, sub="status"),
        create(HEADLESS), merge("Service/h", {"status": {"loadBalancer": {}}}),
        merge("ConfigMap/a", {}, sub="status"), get("Gadget/g", sub="status"),
        delete("Widget/w"), at("DELETE", url("Deployment/d", sub="status"))],
    "A25 dry runs": [
        create(config_map(), "dryRun=All"), get("ConfigMap/a"), apply(config_map(), query="dryRun=All"),
        get("ConfigMap/a"), create(config_map()), merge("ConfigMap/a", {"data": {"a": "2"}},
                                                         "dryRun=All"),
        put(config_map(a="3"), "dryRun=All"), delete("ConfigMap/a", query="dryRun=All"),
        delete("ConfigMap/a", {"dryRun": ["All"]}), get("ConfigMap/a"),
        create(widget(), "dryRun=All"), apply(widget(), query="dryRun=All"), get("Widget/w"),
        create(deployment(), "dryRun=All"), create(thing("Namespace/@ns-x"), "dryRun=All"),
        create(config_map("Bad_Name"), "dryRun=All"), create(config_map(), "dryRun=Some"),
        create(config_map(), "dryRun="), create(config_map("x"), "dryRun=All&dryRun=All"),
        delete("ConfigMap/a", {"dryRun": ["Some"]}), create(deployment()),
        merge("Deployment/d", {"spec": {"replicas": 9}}, "dryRun=All", sub="scale"),
        get("Deployment/d"), at("DELETE", collection("ConfigMap") + "?dryRun=All&labelSelector=x"),
        get("ConfigMap/a")],
    "A26 field validation": [
        create({**config_map(), "dat": {}}, "fieldValidation=Strict"),
        create({**config_map(), "dat": {}}, "fieldValidation=Warn"),
        create({**config_map("b"), "dat": {}}, "fieldValidation=Ignore"),
        create({**config_map("c"), "dat": {}}), create(config_map(), "fieldValidation=Maybe"),
        create(deployment(container(imag="x"), name="e"), "fieldValidation=Strict"),
        create(deployment(container(imag="x"), name="e")),
        create(widget(size=1, sizes=2), "fieldValidation=Strict"),
        create(widget(size=1, sizes=2)), create(widget("v", size=1, nested={"x": 1, "y": 2})),
        at("POST", collection("ConfigMap") + "?fieldValidation=Strict",
           '{"metadata":{"name":"dup"},"data":{"a":"1","a":"2"}}'),
        at("POST", collection("ConfigMap"), '{"metadata":{"name":"dup"},"data":{"a":"1","a":"2"}}'),
        at("POST", collection("Widget") + "?fieldValidation=Strict",
           '{"apiVersion":"lines.example.com/v1","kind":"Widget","metadata":{"name":"dup"},'
           '"spec":{"size":1,"size":2}}'),
        merge("ConfigMap/b", {"dat": {}}, "fieldValidation=Strict"),
        merge("ConfigMap/b", {"dat": {}}, "fieldValidation=Warn"),
        strategic("ConfigMap/b", {"dat": {}}, "fieldValidation=Strict"),
        ops("ConfigMap/b", [{"op": "add", "path": "/dat", "value": 1}], "fieldValidation=Strict"),
        put({**config_map("b"), "metadata": {"name": "b", "labelz": {}}}, "fieldValidation=Strict"),
        put({**config_map("b"), "metadata": {"name": "b", "labelz": {}}}),
        create(widget("m", metadata={"labelz": {}}), "fieldValidation=Strict"),
        create(config_map("s"), "fieldValidation=Strict"), delete("ConfigMap/b", {"oops": 1})],
    "A26 given twice": [
        at("POST", TWICE + "?fieldValidation=Strict", TWICE_YAML % "a", "application/yaml"),
        at("POST", TWICE + "?fieldValidation=Warn", TWICE_YAML % "a", "application/yaml"),
        at("POST", TWICE + "?fieldValidation=Ignore", TWICE_YAML % "b", "application/yaml"),
        *[at("PATCH", TWICE + "/c?fieldManager=m&fieldValidation=" + how, TWICE_YAML % "c", "apply")
          for how in ("Strict", "Warn", "Ignore")],
        at("PATCH", TWICE + "/d?fieldManager=m", TWICE_JSON % "d", "apply"),
        at("PATCH", TWICE + "/d?fieldManager=m&fieldValidation=Strict", TWICE_JSON % "d", "apply"),
        *[at("POST", TWICE + "?fieldValidation=" + how, TWICE_JSON % name)
          for how, name in (("Strict", "e"), ("Warn", "e"), ("Ignore", "f"))],
        *[at("PATCH", TWICE + "/f" + query, '{"data":{"a":"1","a":"%d"}}' % number, how)
          for number, (query, how) in enumerate([
              ("?fieldValidation=Strict", "merge"), ("", "merge"),
              ("?fieldValidation=Strict", "strategic"), ("", "strategic")])],
        *[at("PATCH", TWICE + "/f" + query, '[{"op":"add","path":"/data/x","path":"/data/z",'
             '"value":"1"}]', "json") for query in ("?fieldValidation=Strict", "")],
        *[at("POST", collection("Widget") + query, '{"apiVersion":"lines.example.com/v1","kind":'
             '"Widget","metadata":{"name":"w","name":"w"},"spec":{"size":1,"size":2,"items":[{"key":'
             '"a","key":"b","oops":1}],"oops":1}}') for query in ("?fieldValidation=Strict", "")],
        at("POST", collection("Deployment") + "?fieldValidation=Strict",
           '{"metadata":{"name":"d","labels":{"a":"b","a":"b"}},"spec":{"replicas":1,"replicas":1,'
           '"selector":{"matchLabels":{"app":"x"}},"template":{"metadata":{"labels":{"app":"x"}},'
           '"spec":{"containers":[{"name":"a","image":"b","image":"c","oops":1}]}}}}'),
        *[at("PUT", TWICE + "/f" + query, '{"metadata":{"name":"f","name":"f"},"data":{"a":"1"}}')
          for query in ("?fieldValidation=Strict", "")]],
    "A27 JSON patch": [
        create(config_map(a="1", b="2")),
        ops("ConfigMap/a", [{"op": "test", "path": "/data/a", "value": "2"}]),
        ops("ConfigMap/a", [{"op": "test", "path": "/data/none", "value": "2"}]),
        ops("ConfigMap/a", [{"op": "remove", "path": "/data/none"}]),
        ops("ConfigMap/a", [{"op": "replace", "path": "/data/none", "value": "1"}]),
        ops("ConfigMap/a", [{"op": "add", "path": "/none/deep", "value": "1"}]),
        ops("ConfigMap/a", [{"op": "move", "from": "/data/a", "path": "/data/c"}]),
        ops("ConfigMap/a", [{"op": "copy", "from": "/data/b", "path": "/data/d"}]),
        ops("ConfigMap/a", [{"op": "add", "path": "/data/x~1y", "value": "z"}]),
        ops("ConfigMap/a", [{"op": "add", "path": "/data/e", "value": 5}]),
        ops("ConfigMap/a", [{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}},
                            {"op": "test", "path": "/metadata/labels/a", "value": "b"}]),
        ops("ConfigMap/a", [{"op": "remove", "path": "/metadata/name"}]),
        ops("ConfigMap/a", [{"op": "replace", "path": "/metadata/name", "value": "x"}]),
        ops("ConfigMap/a", [{"op": "replace", "path": "/kind", "value": "Secret"}]),
        ops("ConfigMap/none", [{"op": "add", "path": "/data", "value": {}}]),
        create(deployment()), ops("Deployment/d", [
            {"op": "add", "path": "/spec/template/spec/containers/-", "value": container("e")}]),
        ops("Deployment/d", [{"op": "remove", "path": "/spec/template/spec/containers/0"}]),
        ops("Deployment/d", [{"op": "remove", "path": "/spec/template/spec/containers/7"}]),
        ops("Deployment/d", [{"op": "replace", "path": "/spec/replicas", "value": "x"}]),
        create(widget()), ops("Widget/w", [{"op": "replace", "path": "/spec/size", "value": 4}]),
        ops("Widget/w", [{"op": "replace", "path": "/spec/size", "value": "x"}])],
    "A28 merge patch": [
        create(config_map(a="1", b="2")), merge("ConfigMap/a", {"data": {"a": None, "c": "3"}}),
        merge("ConfigMap/a", {"data": None}), merge("ConfigMap/a", {"data": {"x": None}}),
        merge("ConfigMap/a", {"data": {"x": 1}}), merge("ConfigMap/a", {"metadata": None}),
        merge("ConfigMap/a", {"metadata": {"labels": {"a": "b", "c": None}}}),
        merge("ConfigMap/a", {"metadata": {"labels": None, "annotations": {"n": "1"}}}),
        merge("ConfigMap/a", {"kind": "Secret"}), merge("ConfigMap/a", {"apiVersion": "v2"}),
        merge("ConfigMap/a", {"metadata": {"uid": "x"}}),
        merge("ConfigMap/a", {"metadata": {"creationTimestamp": None}}), merge("ConfigMap/none", {}),
        create(widget(size=1, items=[{"key": "a"}, {"key": "b"}])),
        merge("Widget/w", {"spec": {"items": [{"key": "c"}], "size": None}}),
        merge("Widget/w", {"spec": {"items": [{"key": "c"}], "color": None}}),
        merge("Widget/w", {"spec": {"free": {"a": {"b": None, "c": 1}}}}), create(deployment()),
        merge("Deployment/d", in_pod(containers=[container("other")])),
        merge("Deployment/d", {"spec": {"template": None}})],
    "A29 strategic merge patch": [
        create(deployment(container(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                                    ports=[{"containerPort": 80}]))),
        strategic("Deployment/d", in_pod(containers=[container("e")])),
        strategic("Deployment/d", in_pod(containers=[{"name": "c", "image": "i:2"}])),
        strategic("Deployment/d", in_pod(containers=[{"name": "c", "env": [
            {"name": "C", "value": "3"}]}])),
        strategic("Deployment/d", in_pod(containers=[{"name": "c", "ports": [
            {"containerPort": 81, "name": "x"}, {"containerPort": 80, "name": "http"}]}])),
        strategic("Deployment/d", in_pod(containers=[{"image": "i"}])),
        strategic("Deployment/d", in_pod(containers="x")),
        strategic("Deployment/d", {"spec": {"template": {"spec": {
            "$setElementOrder/containers": [{"name": "e"}, {"name": "c"}],
            "containers": [{"name": "e", "image": "i:3"}]}}}}),
        strategic("Deployment/d", in_pod(tolerations=[{"key": "a", "operator": "Exists"}])),
        strategic("Deployment/d", in_pod(tolerations=[{"key": "b", "operator": "Exists"}])),
        strategic("Deployment/d", {"spec": {"strategy": {"type": "Recreate"}}}),
        strategic("Deployment/d", {"spec": {"strategy": {"type": "Recreate", "$retainKeys": [
            "type"]}}}),
        strategic("Deployment/d", {"metadata": {"finalizers": ["example.com/a"]}}),
        strategic("Deployment/d", {"metadata": {"finalizers": ["example.com/b"]}}),
        strategic("Deployment/d", {"metadata": {"$deleteFromPrimitiveList/finalizers": [
            "example.com/a", "example.com/b"]}}), create(SERVICE),
        strategic("Service/s", {"spec": {"ports": [{"port": 443, "name": "https"}]}}),
        strategic("Service/s", {"spec": {"ports": [{"port": 80, "name": "http"},
                                                   {"port": 443, "name": "https"}]}}),
        create(config_map()), strategic("ConfigMap/a", {"data": {"b": "2", "a": None}}),
        strategic("ConfigMap/a", {"$patch": "replace", "data": {"z": "1"}})],
    "A30 strategic merge patch of custom kinds": [
        create(widget()), strategic("Widget/w", {"spec": {"size": 2}}), strategic("Widget/none", {}),
        strategic("Widget/w", {"status": {"note": "x"}}, sub="status"),
        at("PATCH", url("Widget/w"), {}, "application/xml"), at("PATCH", url("Widget/w"), {}),
        strategic("Kustomization/k", {}),
        merge("Widget/w", {"spec": {"size": 2}}), strategic("Widget/w", "{")],
    "A31 directives of strategic merge patch": [
        create(deployment(container(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]),
                          container("e"), metadata={"labels": {"a": "1", "b": "2"}})),
        strategic("Deployment/d", in_pod(containers=[{"name": "c", "env": [
            {"name": "A", "$patch": "delete"}]}])),
        strategic("Deployment/d", in_pod(containers=[{"name": "c", "env": [
            {"name": "none", "$patch": "delete"}]}])),
        strategic("Deployment/d", in_pod(containers=[{"name": "c", "env": [
            {"$patch": "replace"}, {"name": "Z", "value": "9"}]}])),
        strategic("Deployment/d", in_pod(containers=[{"name": "e", "$patch": "delete"}])),
        strategic("Deployment/d", in_pod(containers=[{"name": "c", "$patch": "replace",
                                                      "image": "i:9"}])),
        strategic("Deployment/d", {"metadata": {"labels": {"$patch": "replace", "c": "3"}}}),
        strategic("Deployment/d", {"metadata": {"labels": {"$patch": "delete"}}}),
        strategic("Deployment/d", {"metadata": {"labels": {"$patch": "turn"}}}),
        strategic("Deployment/d", in_pod(containers=[{"name": "c", "$patch": "turn"}])),
        strategic("Deployment/d", in_pod(containers=[{"$patch": "delete"}])),
        strategic("Deployment/d", {"spec": {"template": {"spec": {
            "$setElementOrder/containers": "x"}}}})],
    "A32 scale": [
        create(deployment()), get("Deployment/d", sub="scale"),
        merge("Deployment/d", {"spec": {"replicas": 5}}, sub="scale"), get("Deployment/d"),
        at("PUT", url("Deployment/d", sub="scale"), {
            "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "d"},
            "spec": {"replicas": 7}}), get("Deployment/d"),
        at("PUT", url("Deployment/d", sub="scale"), {
            "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "other"}}),
        at("PUT", url("Deployment/d", sub="scale"), {
            "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {
                "name": "d", "resourceVersion": "1"}, "spec": {"replicas": 7}}),
        merge("Deployment/d", {"spec": {"replicas": -1}}, sub="scale"),
        merge("Deployment/d", {"spec": {"replicas": "x"}}, sub="scale"),
        merge("Deployment/none", {"spec": {"replicas": 1}}, sub="scale"),
        get("Deployment/none", sub="scale"), get("ConfigMap/a", sub="scale"),
        merge("Deployment/d", {"status": {"replicas": 4}}, sub="status"),
        get("Deployment/d", sub="scale"),
        create(thing("StatefulSet/s", spec={"serviceName": "x", "selector": {
            "matchLabels": {"app": "x"}}, "template": template()})),
        merge("StatefulSet/s", {"spec": {"replicas": 3}}, sub="scale"), get("StatefulSet/s"),
        create(thing("ReplicationController/r", spec={"selector": {"app": "x"},
                                                      "template": template()})),
        merge("ReplicationController/r", {"spec": {"replicas": 3}}, sub="scale"),
        get("ReplicationController/r"), create(widget(size=1, replicas=2)),
        get("Widget/w", sub="scale"), merge("Widget/w", {"spec": {"replicas": 4}}, sub="scale"),
        get("Widget/w"), merge("Widget/w", {"spec": {"replicas": -4}}, sub="scale"),
        create(thing("Gadget/g", spec={"a": "1"})), get("Gadget/g", sub="scale")],
    "A49 quantities": [
        apply(deployment(container(resources={"limits": {"cpu": "0.5", "memory": "1024Mi"}}))),
        apply(deployment(container(resources={"limits": {"cpu": "0.5", "memory": "1024Mi"}}))),
        apply(deployment(container(resources={"limits": {"cpu": "500m", "memory": "1Gi"}}))),
        apply(deployment(container(resources={"limits": {"cpu": 1, "memory": 128974848}}))),
        apply(deployment(container(resources={"limits": {"cpu": "1000m", "memory": "129e6"}}))),
        apply(deployment(container(resources={"limits": {"cpu": "0.0001", "memory": "1.5Gi"}}))),
        apply(deployment(container(resources={"limits": {"cpu": "0.1Gi", "memory": "100m"}}))),
        apply(deployment(container(resources={"limits": {"cpu": "x"}}))),
        apply(deployment(container(resources={"limits": {"cpu": "-1"}}))),
        apply(deployment(container(resources={"limits": {"cpu": "1 "}}))),
        apply(deployment(container(resources={"limits": {"cpu": "1E"}}))),
        apply(deployment(container(resources={"limits": {"example.com/gpu": "1.5"}}))),
        apply(deployment(container(resources={"limits": {"gpu": "1"}}))),
        apply(deployment(container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}))),
        create(thing("PersistentVolumeClaim/p", spec={
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}})),
        create(thing("PersistentVolumeClaim/q", spec={
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "0"}}})),
        create(thing("ResourceQuota/q", spec={"hard": {"pods": "5", "requests.cpu": "1500m"}})),
        create(thing("ResourceQuota/r", spec={"hard": {"pods": "-5"}})),
        create(thing("LimitRange/l", spec={"limits": [{"type": "Container", "max": {
            "cpu": "2000m"}}]}))],
    "A50 defaults": [
        create(deployment()), create(deployment(container(image="i"), container(
            "d", "registry.example:5000/i"), container("e", "i@sha256:" + "0" * 64), name="images")),
        create(deployment(container(ports=[{"containerPort": 53}], livenessProbe={
            "httpGet": {"port": 80}}, readinessProbe={"tcpSocket": {"port": 1}}), name="probes")),
        create(deployment(name="volumes", pod={"volumes": [
            {"name": "a"}, {"name": "b", "configMap": {"name": "x"}}, {"name": "c", "secret": {
                "secretName": "x"}}, {"name": "d", "hostPath": {"path": "/x"}},
            {"name": "e", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
            {"name": "f", "downwardAPI": {"items": [{"path": "x", "fieldRef": {
                "fieldPath": "metadata.name"}}]}},
            {"name": "g", "ephemeral": {"volumeClaimTemplate": {"spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}}}}}}]})),
        create(deployment(name="strategy", strategy={"rollingUpdate": {"maxSurge": 1}})),
        create(deployment(name="account", pod={"serviceAccountName": "x"})),
        create(deployment(name="alias", pod={"serviceAccount": "x"})),
        create(deployment(name="host", pod={"hostNetwork": True, "containers": [
            container(ports=[{"containerPort": 80}])]})),
        create(thing("StatefulSet/s", spec={
            "serviceName": "x", "selector": {"matchLabels": {"app": "x"}}, "template": template(),
            "volumeClaimTemplates": [{"metadata": {"name": "v"}, "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}}}}]})),
        create(thing("DaemonSet/d", spec={"selector": {"matchLabels": {"app": "x"}},
                                          "template": template()})),
        create(thing("ReplicaSet/r", spec={"selector": {"matchLabels": {"app": "x"}},
                                           "template": template()})),
        create(thing("CronJob/c", spec={"schedule": "@daily", "jobTemplate": {"spec": {
            "template": {"spec": {"restartPolicy": "Never", "containers": [container()]}}}}})),
        create(thing("ReplicationController/r", spec={"template": template()})),
        create(thing("HorizontalPodAutoscaler/h", spec={
            "maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "d"}})),
        create(thing("NetworkPolicy/n", spec={"podSelector": {}, "egress": [{}]})),
        create(thing("StorageClass/@ns", provisioner="x")), create(BINDING),
        create(thing("PersistentVolume/@ns", spec={
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/x"}})),
        create(thing("EndpointSlice/e", addressType="IPv4", endpoints=[
            {"addresses": ["192.0.2.1"]}], ports=[{"port": 80}]))],
    "A51 cluster IP": [
        create(SERVICE), merge("Service/s", {"spec": {"clusterIP": "10.0.0.200"}}),
        merge("Service/s", {"spec": {"clusterIP": "None"}}),
        merge("Service/s", {"spec": {"clusterIP": ""}}), merge("Service/s", {"spec": {
            "clusterIP": None}}), put({**SERVICE}), merge("Service/s", {"spec": {"type": "NodePort"}}),
        merge("Service/s", {"spec": {"type": "ClusterIP"}}),
        merge("Service/s", {"spec": {"type": "ExternalName", "externalName": "x.example"}}),
        create(HEADLESS), merge("Service/h", {"spec": {"clusterIP": "10.0.0.201"}}),
        create(thing("Service/e", spec={"type": "ExternalName", "externalName": "x.example"})),
        create(thing("Service/f", spec={"type": "ExternalName"})),
        create(thing("Service/g", spec={"clusterIP": "x", "ports": [{"port": 1}]})),
        create(thing("Service/i", spec={"clusterIP": "192.0.2.1", "ports": [{"port": 1}]})),
        create(thing("Service/lb", spec={"type": "LoadBalancer", "ports": [{"port": 80}]})),
        create(thing("Service/np", spec={"type": "NodePort", "ports": [{"port": 80,
                                                                        "nodePort": 5}]})),
        create(thing("Service/nothing", spec={})), apply(SERVICE), apply(SERVICE)],
    "A52 immutable fields": [
        create(deployment()), merge("Deployment/d", {"spec": {"selector": {"matchLabels": {
            "app": "y"}}}}),
        merge("Deployment/d", {"spec": {"selector": {"matchLabels": {"app": "y"}},
                                        "template": {"metadata": {"labels": {"app": "y"}}}}}),
        apply(deployment(selector={"matchLabels": {"app": "y"}}), force=True),
        create(thing("StatefulSet/s", spec={"serviceName": "x", "selector": {
            "matchLabels": {"app": "x"}}, "template": template()})),
        merge("StatefulSet/s", {"spec": {"serviceName": "y"}}),
        merge("StatefulSet/s", {"spec": {"podManagementPolicy": "Parallel"}}),
        merge("StatefulSet/s", {"spec": {"replicas": 2}}),
        create(thing("DaemonSet/d", spec={"selector": {"matchLabels": {"app": "x"}},
                                          "template": template()})),
        merge("DaemonSet/d", {"spec": {"selector": {"matchLabels": {"app": "y"}}}}),
        create(thing("Job/j", spec={"suspend": True, "template": {"spec": {
            "restartPolicy": "Never", "containers": [container()]}}})),
        merge("Job/j", {"spec": {"completions": 5}}),
        merge("Job/j", in_pod(restartPolicy="OnFailure")),
        merge("Job/j", {"spec": {"parallelism": 5}}), create(BINDING),
        merge("RoleBinding/b", {"roleRef": {"name": "other"}}),
        create(thing("ConfigMap/i", immutable=True, data={"a": "1"})),
        merge("ConfigMap/i", {"data": {"a": "2"}}), merge("ConfigMap/i", {"immutable": False}),
        merge("ConfigMap/i", {"metadata": {"labels": {"a": "b"}}}),
        create({**SECRET, "immutable": True}), merge("Secret/s", {"data": {"a": None}}),
        merge("Secret/s", {"type": "example.com/x"}),
        create(thing("PersistentVolumeClaim/p", spec={
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}})),
        merge("PersistentVolumeClaim/p", {"spec": {"accessModes": ["ReadOnlyMany"]}}),
        create(thing("StorageClass/@ns", provisioner="x")),
        merge("StorageClass/@ns", {"provisioner": "y"}),
        create(thing("PriorityClass/@ns", value=5)), merge("PriorityClass/@ns", {"value": 6})],
    "A53 stringData": [
        create(thing("Secret/s", stringData={"a": "1", "b": "ü"})),
        merge("Secret/s", {"stringData": {"a": "2"}}),
        create(thing("Secret/t", data={"a": "MQ=="}, stringData={"a": "2"})),
        apply(thing("Secret/u", stringData={"a": "1"})), apply(thing("Secret/u", stringData={
            "a": "1"})), apply(thing("Secret/u", stringData={"b": "1"})), apply(thing("Secret/u")),
        create(thing("Secret/v", stringData={"a": 5})), create(thing("Secret/v", stringData={
            "bad key": "x"})), create(thing("Secret/v", data={"a": "no base64"})),
        create(thing("Secret/w", stringData={}, data={})),
        put(thing("Secret/s", stringData={"z": "1"})),
        strategic("Secret/s", {"stringData": {"y": "2"}}),
        create(thing("Secret/tls", type="kubernetes.io/tls", stringData={"tls.crt": "a"})),
        create(thing("Secret/docker", type="kubernetes.io/dockerconfigjson", stringData={
            ".dockerconfigjson": "x"}))],
}
