"""Random configurations for the kinds that the differential test replays."""

GROUP = "differential.sluice.dev"


def prop(kind, **more):
    return {"type": kind, **more}


PORT = prop("object", required=["name"], properties={
    "name": prop("string"),
    "protocol": prop("string", default="TCP"),
    "number": prop("integer"),
    "tags": prop("array", items=prop("string"), **{"x-kubernetes-list-type": "set"}),
})

SPEC = prop("object", properties={
    "text": prop("string"),
    "count": prop("integer"),
    "ratio": prop("number"),
    "anything": {"x-kubernetes-int-or-string": True},
    "set": prop("array", items=prop("string"), **{"x-kubernetes-list-type": "set"}),
    "numbers": prop("array", items=prop("integer"), **{"x-kubernetes-list-type": "set"}),
    "ports": prop("array", items=PORT, **{
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "protocol"]}),
    "atomic": prop("array", items=prop("string")),
    "granular": prop("object", additionalProperties=prop("string")),
    "whole": prop("object", additionalProperties=prop("string"),
                  **{"x-kubernetes-map-type": "atomic"}),
    "free": prop("object", **{"x-kubernetes-preserve-unknown-fields": True}),
    "nested": prop("object", properties={
        "a": prop("string"), "b": prop("object", properties={"c": prop("string"),
                                                            "d": prop("string")})}),
    "defaulted": prop("string", default="yes"),
})

CONDITIONS = prop("array", items=prop("object", required=["type"], properties={
    "type": prop("string"), "status": prop("string"), "reason": prop("string")}), **{
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]})

CRD = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": f"widgets.{GROUP}"},
    "spec": {
        "group": GROUP, "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget",
                  "listKind": "WidgetList"},
        "versions": [{
            "name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": prop("object", properties={
                "spec": SPEC, "status": prop("object", properties={
                    "phase": prop("string"), "conditions": CONDITIONS})})},
        }],
    },
}


class Maker:
    """Draws values; each field is there with some probability."""

    def __init__(self, rng):
        self.rng = rng

    def maybe(self, chance=0.5):
        return self.rng.random() < chance

    def word(self):
        return self.rng.choice(["red", "blue", "green"])

    def some(self, items, least=0):
        count = self.rng.randint(least, len(items))
        return self.rng.sample(items, count)

    def map(self):
        return {key: self.word() for key in self.some(["a", "b", "c", "d"])}

    def metadata(self, name):
        out = {"name": name, "namespace": "default"}
        if self.maybe():
            out["labels"] = self.map()
        if self.maybe(0.3):
            out["annotations"] = self.map()
        if self.maybe(0.2):
            out["finalizers"] = [f"x.dev/{key}" for key in self.some(["a", "b", "c"])]
        return out

    def fill(self, **choices):
        return {key: make() for key, make in choices.items() if self.maybe()}

    def configmap(self):
        return self.fill(data=self.map)

    def status(self):
        return {"status": self.fill(phase=self.word, conditions=lambda: [
            {"type": key, "status": self.word(), "reason": self.word()}
            for key in self.some(["Ready", "Synced", "Done"])])}

    def widget_port(self, name):
        port = {"name": name}
        port.update(self.fill(protocol=lambda: self.rng.choice(["TCP", "UDP"]),
                              number=lambda: self.rng.randint(1, 3),
                              tags=lambda: self.some(["x", "y", "z"])))
        return port

    def widget(self):
        rng = self.rng
        spec = self.fill(
            text=self.word, count=lambda: rng.randint(0, 3),
            ratio=lambda: rng.choice([0.5, 1, 2.25]),
            anything=lambda: rng.choice([1, "25%"]),
            set=lambda: self.some(["s", "t", "u", "v"]),
            numbers=lambda: self.some([1, 2, 10, 20]),
            ports=lambda: [self.widget_port(name) for name in self.some(["p", "q", "r", "s"])],
            atomic=lambda: self.some(["l", "m", "n"]), granular=self.map, whole=self.map,
            free=lambda: self.fill(x=lambda: [1, 2], y=self.map, z=self.word),
            nested=lambda: self.fill(a=self.word, b=lambda: self.fill(c=self.word, d=self.word)),
            defaulted=self.word)
        for key in self.some(list(spec)) if self.maybe(0.15) else []:
            spec[key] = rng.choice([None, {}]) if isinstance(spec[key], dict) else None
            if key in ("set", "ports", "atomic", "numbers"):
                spec[key] = []
        return {"spec": spec} if self.maybe(0.9) else {}

    def service(self):
        rng = self.rng

        def port(number):
            item = {"name": f"p{number[0]}{number[1].lower()}", "port": number[0]}
            if number[1] != "TCP" or self.maybe():
                item["protocol"] = number[1]
            if self.maybe():
                item["targetPort"] = rng.choice([80, 443, "web"])
            return item
        spec = {"ports": [port(number) for number in self.some(
            [(53, "TCP"), (53, "UDP"), (80, "TCP"), (443, "TCP")], 1)]}
        spec.update(self.fill(selector=self.map,
                              publishNotReadyAddresses=lambda: True,
                              sessionAffinity=lambda: "None"))
        return {"spec": spec}

    def duplicates(self, body):
        """Twice the same key, which updates may store and applies may meet."""
        containers = body["spec"]["template"]["spec"]["containers"]
        containers[0]["env"] = [{"name": "A", "value": self.word()} for _ in range(2)]

    def container(self, name):
        rng = self.rng
        out = {"name": name, "image": rng.choice(["img:1", "img:2"])}
        out.update(self.fill(
            env=lambda: [{"name": key, "value": self.word()} for key in self.some(["A", "B", "C"])],
            args=lambda: self.some(["x", "y"]),
            ports=lambda: [{"containerPort": number, "name": f"n{number}"}
                           for number in self.some([80, 443, 8080])],
            resources=lambda: {"limits": {"cpu": rng.choice(["500m", "1"])}},
            securityContext=lambda: {"runAsUser": rng.randint(1, 2)},
            volumeMounts=lambda: [{"name": "v", "mountPath": path}
                                  for path in self.some(["/a", "/b"])]))
        return out

    def deployment(self):
        rng = self.rng
        labels = {"app": "x"}
        labels.update(self.map())
        pod = {"containers": [self.container(name) for name in self.some(["one", "two", "three"], 1)],
               "volumes": [{"name": "v", "emptyDir": {}}]}
        pod.update(self.fill(
            tolerations=lambda: [{"key": key, "operator": "Exists"} for key in self.some(["k", "l"])],
            nodeSelector=self.map, hostAliases=lambda: [{"ip": "192.0.2.1", "hostnames": ["h"]}],
            terminationGracePeriodSeconds=lambda: rng.randint(5, 7)))
        spec = {"selector": {"matchLabels": {"app": "x"}},
                "template": {"metadata": {"labels": labels}, "spec": pod}}
        spec.update(self.fill(replicas=lambda: rng.randint(1, 3),
                              minReadySeconds=lambda: rng.randint(1, 2),
                              strategy=lambda: {"type": "RollingUpdate", "rollingUpdate": {
                                  "maxSurge": rng.choice([1, "30%"])}}))
        return {"spec": spec}


class Kind:
    def __init__(self, name, api_version, plural, definition, builtin, has_status):
        self.name, self.api_version, self.plural = name, api_version, plural
        self.definition, self.builtin, self.has_status = definition, builtin, has_status
        group = f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"
        self.path = f"/{group}/namespaces/default/{plural}"
        self.openapi = f"/openapi/v3/{group}"

    def make(self, maker):
        return getattr(maker, self.name.lower())()


KINDS = [
    Kind("ConfigMap", "v1", "configmaps", "io.k8s.api.core.v1.ConfigMap", True, False),
    Kind("Service", "v1", "services", "io.k8s.api.core.v1.Service", True, True),
    Kind("Deployment", "apps/v1", "deployments", "io.k8s.api.apps.v1.Deployment", True, True),
    Kind("Widget", f"{GROUP}/v1", "widgets", "dev.sluice.differential.v1.Widget", False, True),
]
