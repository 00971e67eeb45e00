"""Hand-written scripts for the lines of the contract about server-side apply (A33..A48)."""
from .scripts import (apply, config_map, container, create, delete, deployment, get, in_pod, merge,
                      ops, put, strategic, template, thing, widget)

LAST = "kubectl.kubernetes.io/last-applied-configuration"
PORTS = [{"containerPort": 53, "protocol": "UDP", "name": "dns"},
         {"containerPort": 53, "protocol": "TCP", "name": "dns-tcp"}]


def ported(*ports, **more):
    return deployment(container(ports=list(ports)), **more)


def service(*ports, **more):
    return thing("Service/s", spec={"clusterIP": "None", "ports": list(ports), **more})


def applied_by_client(text):
    return {"annotations": {LAST: text}}


def tolerating(*keys):
    return deployment(pod={"tolerations": [{"key": key, "operator": "Exists"} for key in keys]})


def conditions(*types):
    return {"conditions": [{"type": name, "status": "True"} for name in types]}


CONFIG_MAP_TEXT = ('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a",'
                   '"namespace":"@ns"},"data":{"a":"1"}}\\n')

CASES = {
    "A33 apply creates and rests": [
        apply(config_map()), apply(config_map()), get("ConfigMap/a"), apply(deployment()),
        apply(deployment()), apply(widget()), apply(widget()), get("Widget/w"),
        apply(thing("Namespace/@ns-x")), apply(thing("Namespace/@ns-x")),
        apply(thing("Secret/s", data={"a": "MQ=="})), apply(thing("Secret/s", data={"a": "MQ=="})),
        apply({**config_map(), "metadata": {"name": "a", "resourceVersion": "1"}}),
        apply({**config_map(), "metadata": {"name": "new", "resourceVersion": "1"}}),
        apply({**config_map(), "metadata": {"name": "new", "uid": "x"}}),
        apply({**config_map(), "metadata": {"name": "a", "uid": "x"}}),
        apply(config_map("Bad_Name")), apply(widget("v", size=0)),
        apply(config_map(metadata={"managedFields": []})),
        apply(config_map(metadata={"managedFields": [{"manager": "x"}]})),
        apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bare"}}),
        apply({**config_map(), "metadata": {"name": "other"}}), apply(config_map(), query="force=no"),
        apply(config_map(), force=True)],
    "A33 emptied lists": [
        # An empty list owns nothing, so what holds nothing else goes with its last items, and comes
        # back empty with the next apply.
        apply(widget(size=1)),
        *[apply(thing("Widget/w", status=conditions(*names)), "status", sub="status")
          for names in (["Ready"], [], [], [])], get("Widget/w"),
        *[apply(widget("n", size=1, nested={"list": items})) for items in (["a"], [], [], [])],
        *[apply(thing("ServiceAccount/x", secrets=names)) for names in (
            [{"name": "a"}], [], [], [])], get("ServiceAccount/x")],
    "A34 apply without a manager": [
        apply(config_map(), ""), apply(config_map(), "", "fieldManager="),
        apply(config_map(), "m" * 128), apply(config_map(), "m" * 129), apply(config_map(), "a%07b"),
        apply(config_map(), "a%20b"), apply(widget(), ""),
        merge("ConfigMap/a", {"data": {"b": "2"}}, "fieldManager=" + "m" * 129),
        merge("ConfigMap/a", {"data": {"b": "2"}}, "force=true"),
        create(config_map("b"), "fieldManager=a%07b"),
        create(config_map("c"), headers={"User-Agent": "tool/1.2 (x)"}),
        create(config_map("d"), headers={"User-Agent": None}),
        create(config_map("e"), headers={"User-Agent": "u" * 200})],
    "A35 conflicts": [
        apply(config_map(a="1", b="2")), apply(config_map(a="9"), "two"),
        apply(config_map(a="9", b="9"), "two"), apply(config_map(a="9"), "two", force=True),
        apply(config_map(a="1", b="2")), apply(config_map(a="1", b="2"), force=True),
        merge("ConfigMap/a", {"data": {"a": "3"}}, "fieldManager=editor"),
        apply(config_map(a="4")), apply(config_map(a="4"), query="dryRun=All"),
        apply(deployment(replicas=2)), apply(deployment(container(image="i:2"), replicas=3), "two"),
        apply(deployment(container(image="i:2"), replicas=3), "two", force=True),
        merge("Deployment/d", {"spec": {"replicas": 9}}, sub="scale"), apply(deployment(replicas=2)),
        apply(widget(size=1, items=[{"key": "a", "value": "1"}])),
        apply(widget(size=2, items=[{"key": "a", "value": "2"}]), "two"),
        merge("Widget/w", {"status": conditions("Ready")}, "fieldManager=st", sub="status"),
        apply(thing("Widget/w", status={"conditions": [{"type": "Ready", "status": "False"}]}), "two",
              sub="status"), apply(config_map(metadata={"labels": {"a": "1"}})),
        apply(config_map(metadata={"labels": {"a": "2"}}), "two")],
    "A36 shared ownership": [
        apply(config_map()), apply(config_map(), "two"), apply(config_map(a="2")),
        apply(config_map(a="2"), force=True), apply(config_map(a="2"), "two"),
        merge("ConfigMap/a", {"data": {"a": "2"}}, "fieldManager=three"), apply(deployment()),
        apply(deployment(), "two"), apply(deployment(container(image="i:2"))), apply(widget()),
        apply(widget(), "two"), merge("Widget/w", {"spec": {"size": 1}}, "fieldManager=three"),
        delete("Widget/w")],
    "A37 dropped fields go": [
        apply(config_map(a="1", b="2")), apply(config_map(a="1")),
        apply(thing("ConfigMap/a")), apply(config_map(metadata={"labels": {"a": "1", "b": "2"}})),
        apply(config_map(metadata={"labels": {"a": "1"}})), apply(config_map()),
        apply(deployment(replicas=3, minReadySeconds=5)), apply(deployment(replicas=3)),
        apply(deployment()), apply(deployment(container(env=[{"name": "A", "value": "1"}]))),
        apply(deployment(container())), apply(widget(size=1, map={"a": "1", "b": "2"}, color="blue")),
        apply(widget(size=1, map={"a": "1"})), apply(widget(size=1)),
        apply(thing("Service/s", spec={"clusterIP": "None", "ports": [{"port": 80}],
                                       "selector": {"a": "b"}})),
        apply(thing("Service/s", spec={"clusterIP": "None", "ports": [{"port": 81}]})),
        apply(thing("Deployment/d"))],
    "A37 emptied by apply": [
        # What apply empties takes the default of its schema.
        apply(widget(size=1, defaulted={"a": "z"})), apply(widget(size=1, defaulted={})),
        apply(widget(size=1, defaulted={})), apply(widget("v", size=1, defaulted={"a": "z"})),
        apply(widget("v", size=1, defaulted={}), "two"),
        apply(widget("v", size=1, defaulted={})), apply(widget("v", size=1), "two"),
        get("Widget/v"), apply(widget("u", size=1, defaulted={"b": "q"})),
        apply(widget("u", size=1, defaulted={}), "two"), apply(widget("u", size=1)),
        apply(widget("u", size=1)), create(widget("t", size=1, defaulted={"a": "x"})),
        apply(widget("t", size=1, defaulted={}), force=True), apply(widget("t", size=1)),
        merge("Widget/t", {"spec": {"defaulted": {}}}),
        merge("Widget/t", {"spec": {"defaulted": None}})],
    "A38 co-owned fields stay": [
        apply(config_map(a="1", b="2")), apply(config_map(a="1"), "two"), apply(config_map(b="2")),
        apply(config_map(c="3"), "two"),
        apply(deployment(container(env=[{"name": "A", "value": "1"}]))),
        apply(deployment(container(env=[{"name": "A", "value": "1"}])), "two"),
        apply(deployment()), apply(deployment(), "two"),
        apply(widget(size=1, set=["a", "b"])), apply(widget(size=1, set=["b"]), "two"),
        apply(widget(size=1)), apply(widget(size=1), "two")],
    "A39 foreign list items stay": [
        apply(deployment(container(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]))),
        strategic("Deployment/d", in_pod(containers=[
            {"name": "c", "env": [{"name": "F", "value": "f"}]}, container("side")]),
                  "fieldManager=f"),
        apply(deployment(container(env=[{"name": "B", "value": "2"}]))),
        apply(deployment(container("side", "i:9"), container())), get("Deployment/d"),
        apply(widget(size=1, items=[{"key": "a"}, {"key": "b"}], set=["x", "y"])),
        apply(widget(size=1, items=[{"key": "c"}], set=["z"]), "two"),
        apply(widget(size=1, items=[{"key": "b"}], set=["y"])),
        apply(widget(size=1, items=[{"key": "c"}, {"key": "b"}], set=["z", "y"])),
        apply(widget(size=1, items=[{"key": "b"}, {"key": "b"}])),
        apply(widget(size=1, set=["a", "a"])), apply(widget(size=1, items=[{"value": "x"}])),
        apply(config_map(metadata={"finalizers": ["example.com/a"]})),
        apply(config_map(metadata={"finalizers": ["example.com/b"]}), "two"),
        apply(config_map(metadata={"finalizers": []}))],
    "A40 a field of an Update manager survives": [
        apply(deployment()), merge("Deployment/d", {"spec": {"replicas": 5}}, "fieldManager=hpa"),
        apply(deployment(container(image="i:2"))),
        merge("Deployment/d", {"spec": {"replicas": 6}}, "fieldManager=hpa", sub="scale"),
        apply(deployment(container(image="i:3"))), get("Deployment/d"), create(config_map(a="1", b="2")),
        apply(config_map(a="1")), apply(thing("ConfigMap/a")), create(widget(size=5)),
        apply(widget(size=5, color="blue"), force=True), apply(widget(size=5)),
        merge("Widget/w", {"metadata": {"annotations": {"n": "1"}}}, "fieldManager=note"),
        apply(widget(size=5))],
    "A41 a port of two protocols": [
        apply(ported(*PORTS)), apply(ported(PORTS[0])), apply(ported(PORTS[1]), "two"),
        apply(ported(*PORTS)), apply(ported(*reversed(PORTS))), apply(ported()),
        apply(service({"name": "a", "port": 53, "protocol": "UDP"}, {"name": "b", "port": 53})),
        apply(service({"name": "b", "port": 53})),
        apply(service({"name": "b", "port": 53}, {"name": "c", "port": 53, "protocol": "TCP"})),
        apply(service({"name": "a", "port": 53, "protocol": "ICMP"}))],
    "A42 an omitted protocol is TCP": [
        apply(ported({"containerPort": 80})), apply(ported({"containerPort": 80, "protocol": "TCP"})),
        apply(ported({"containerPort": 80, "protocol": "TCP"}), "two"),
        apply(ported({"containerPort": 80, "name": "http"})),
        apply(ported({"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"})),
        apply(ported({"containerPort": 80, "protocol": "UDP"})),
        apply(service({"port": 80})), apply(service({"port": 80, "targetPort": 80})),
        apply(service({"port": 80, "protocol": "TCP"}), "two"),
        apply(widget(size=1, items=[{"key": "a"}])), apply(widget(size=1, items=[
            {"key": "a", "value": "v"}]), "two"), apply(ported({"protocol": "TCP"}))],
    "A43 atomic lists": [
        apply(tolerating("a", "b")), apply(tolerating("c")), apply(tolerating("d"), "two"),
        apply(tolerating("d"), "two", force=True), apply(tolerating("c")),
        apply(tolerating()), apply(deployment()),
        apply(deployment(container(command=["a"], args=["x", "y"]))),
        apply(deployment(container(command=["b"], args=["x"]))),
        apply(thing("Role/r", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])),
        apply(thing("Role/r", rules=[{"apiGroups": [""], "resources": ["*"], "verbs": ["*"]}]), "two"),
        apply(thing("Service/s", spec={"clusterIP": "None", "ports": [{"port": 1}],
                                       "selector": {"a": "1"}})),
        apply(thing("Service/s", spec={"clusterIP": "None", "ports": [{"port": 1}],
                                       "selector": {"b": "1"}})),
        apply(thing("Ingress/i", spec={"rules": [{"host": "a.example"}]})),
        apply(thing("Ingress/i", spec={"rules": [{"host": "b.example"}]}))],
    "A44 status of its own": [
        apply(widget()), apply(thing("Widget/w", status={"note": "x"}), "st", sub="status"),
        apply(thing("Widget/w", status={"note": "x"}), "st", sub="status"),
        apply({**widget(size=5), "status": {"note": "y"}}, "st", sub="status"),
        apply(thing("Widget/w", status={"note": "z"}), "two", sub="status"),
        apply(thing("Widget/w", status={"note": "z"}), "two", sub="status", force=True),
        apply(thing("Widget/none", status={"note": "z"}), sub="status"), apply(widget()),
        apply({**widget(), "status": {"note": "m"}}), apply(deployment()),
        apply(thing("Deployment/d", status={"replicas": 3}), "st", sub="status"),
        merge("Deployment/d", {"status": {"replicas": 4}}, "fieldManager=st", sub="status"),
        apply(thing("Deployment/d", status={"replicas": 5}), "st", sub="status"),
        apply(thing("Deployment/d", status={}), "st", sub="status"), get("Deployment/d"),
        apply(thing("Deployment/d", {"labels": {"a": "b"}}, status={"replicas": 5}), "st",
              sub="status", force=True),
        apply(thing("Deployment/d", status={"oops": 5}), "st", sub="status")],
    "A45 ancient changes": [
        create(config_map(), "fieldManager=m0"),
        *[merge("ConfigMap/a", {"data": {f"k{i:02}": "1"}}, f"fieldManager=m{i:02}")
          for i in range(1, 14)],
        get("ConfigMap/a"), apply(config_map(k01="9")), apply(config_map(k13="9")),
        apply(config_map(k13="9"), force=True),
        merge("ConfigMap/a", {"data": {"z": "1"}}, "fieldManager=ancient-changes"),
        create(widget(), "fieldManager=m0"),
        *[merge("Widget/w", {"spec": {"map": {f"k{i:02}": "1"}}}, f"fieldManager=m{i:02}")
          for i in range(1, 13)],
        *[apply(config_map("b", **{f"k{i:02}": "1"}), f"m{i:02}") for i in range(12)]],
    "A46 ownership reset": [
        apply(config_map()), merge("ConfigMap/a", {"metadata": {"managedFields": [{}]}}),
        apply(config_map(a="2"), "two"), merge("ConfigMap/a", {"metadata": {"managedFields": []}}),
        merge("ConfigMap/a", {"data": {"b": "1"}}), apply(config_map()),
        merge("ConfigMap/a", {"metadata": {"managedFields": None}}),
        ops("ConfigMap/a", [{"op": "remove", "path": "/metadata/managedFields/0"}]),
        ops("ConfigMap/a", [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]),
        merge("ConfigMap/a", {"metadata": {"managedFields": [{
            "manager": "given", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:a": {}}}}]}}),
        merge("ConfigMap/a", {"metadata": {"managedFields": [{"manager": "x"}]}}),
        merge("ConfigMap/a", {"metadata": {"managedFields": [{
            "manager": "x", "operation": "Turn", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": {}}]}}),
        merge("ConfigMap/a", {"metadata": {"managedFields": "x"}}), apply(widget()),
        merge("Widget/w", {"metadata": {"managedFields": [{}]}}), apply(widget(size=2), "two"),
        merge("Widget/w", {"metadata": {"managedFields": [{}]}, "status": {"note": "x"}},
              sub="status"), merge("Widget/w", {"metadata": {"managedFields": []}}), get("Widget/w")],
    "A47 from client-side to server-side apply": [
        create(config_map(metadata=applied_by_client(CONFIG_MAP_TEXT)),
               "fieldManager=kubectl-client-side-apply"),
        apply(config_map(a="2"), "kubectl"), apply(config_map(a="3"), "other"),
        apply(config_map(a="3", b="4"), "kubectl"),
        create(config_map("b", applied_by_client(CONFIG_MAP_TEXT.replace('"name":"a"', '"name":"b"')),
                          a="1"), "fieldManager=kubectl-client-side-apply"),
        merge("ConfigMap/b", {"data": {"a": "9"}}, "fieldManager=editor"),
        apply(config_map("b", a="5"), "kubectl"),
        create(config_map("c", applied_by_client("no JSON")), "fieldManager=x"),
        apply(config_map("c", a="5"), "kubectl"), create(config_map("d"), "fieldManager=x"),
        apply(config_map("d", a="5"), "kubectl"), apply(config_map("d", b="5"), "kubectl")],
    "A48 unknown fields in apply": [
        apply({**config_map(), "oops": 1}), apply(config_map(metadata={"oops": 1})),
        apply(deployment(container(oops=1))), apply(widget(size=1, oops=1)),
        apply({**widget(), "oops": {}}), apply(deployment(replicas="x")),
        apply(config_map(a=1)), apply(widget(size="x")), apply(config_map(metadata={"labels": "x"})),
        apply({**config_map(), "oops": 1}, query="fieldValidation=Strict"),
        apply({**config_map(), "oops": 1}, query="fieldValidation=Ignore"),
        apply(widget(size=1, free={"anything": [1, {"x": None}]})),
        apply(thing("Deployment/d", spec=[])), apply(thing("Widget/w", spec="x")),
        apply(thing("Widget/v", metadata={"labels": {"a": 1}}, spec={"size": 1}))],
    "A87 a second reconcile": [
        *[apply(body, "kustomize-controller", query, force=True) for body in (
            deployment(container(env=[{"name": "A", "value": "1"}])), widget(size=3, set=["a"]),
            thing("CronJob/c", spec={"schedule": "@daily", "jobTemplate": {"spec": {
                "template": {"spec": {**template()["spec"], "restartPolicy": "Never"}}}}}))
          for query in ("", "dryRun=All", "")], put(widget(size=3), "dryRun=All")],
}
