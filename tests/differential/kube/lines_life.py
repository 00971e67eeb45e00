"""Hand-written scripts for the lines of the contract about deletion (A64..A71) and custom kinds
(A72..A79)."""
import time

from .scripts import (GROUP, apply, at, collection, config_map, create, delete, deployment, get,
                      merge, ops, put, thing, url, widget)

HOLD = {"finalizers": ["example.com/hold"]}
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def owned(place, by, blocks=None, uid=None, **metadata):
    """An object that belongs to a ConfigMap."""
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": by,
                 "uid": uid or f"@uid:ConfigMap/{by}@"}
    if blocks is not None:
        reference["blockOwnerDeletion"] = blocks
    return thing(place, {"ownerReferences": [reference], **metadata})


def names(body):
    """Who is there, and whether it has been deleted: what only a finalizer holds is named all the same
    before its deletion has reached it."""
    return sorted((item["metadata"]["name"], "deletionTimestamp" in item["metadata"])
                  for item in body["items"])


def definition(name, schema=None, names=None, versions=None, **spec):
    names = names or {}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{name}.@ns.example.com"}, "spec": {
                "group": "@ns.example.com", "scope": "Namespaced",
                "names": {"plural": name, "kind": name.title(), **names},
                "versions": versions or [version(schema)], **spec}}


def version(schema=None, name="v1", **more):
    return {"name": name, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema or {
        "type": "object", "x-kubernetes-preserve-unknown-fields": True}}, **more}


def define(body, query=""):
    return at("POST", DEFINITIONS + query, body)


def objects(name):
    return f"/apis/@ns.example.com/v1/namespaces/@ns/{name}"


def accepted(body):
    """What a definition came to, without times."""
    return {"names": body["status"].get("acceptedNames"), "stored": body["status"].get(
        "storedVersions"), "conditions": sorted(
            (c["type"], c["status"], c["reason"], c["message"])
            for c in body["status"].get("conditions", []))}


def schema(**members):
    return {"type": "object", "properties": members}


def part(name, **more):
    """A definition whose schema has one member."""
    return (name, schema(a=more)), {}


def root(name, **more):
    return (name, {"type": "object", **more}), {}


def of_versions(name, *versions, **spec):
    return (name,), {**({"versions": list(versions)} if versions else {}), **spec}


TEXT = {"type": "string"}
ITEM = {"type": "object", "properties": {"k": {"type": "object"}}}
SCHEMAS = [
    part("a", type="object", anyOf=[TEXT, {"required": ["x"]}]),
    part("b", **{"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, TEXT]}),
    root("c", properties={"metadata": {"type": "object", "properties": {
        "labels": {"type": "object"}}}}),
    root("d", properties={"metadata": TEXT, "kind": {"type": "integer"}}),
    root("e", additionalProperties=True),
    part("f", type="object", **{"x-kubernetes-embedded-resource": True}),
    part("g", type="object", default={"x": 1}, properties={"y": TEXT}),
    part("h", type="object", default={"y": 1}, properties={"y": TEXT}),
    part("i", type="array", items={"type": "object"}, **{"x-kubernetes-list-type": "set"}),
    part("j", type="array", items=ITEM, **{
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "k", "n"]}),
    part("k", type="array", items=TEXT, uniqueItems=True), part("l", **{"$ref": "#/x"}),
    root("m", nullable=True, default={}),
    part("n", type="object", properties={"b": TEXT}, additionalProperties=TEXT),
    part("o", type="string", **{"x-kubernetes-list-type": "x", "x-kubernetes-map-type": "x"}),
    part("p", type="object", **{"not": {"properties": {"z": {"minimum": 1}}}}),
    part("q", type="string", enum=["a"], default="b", minLength=3),
    root("r", **{"x-kubernetes-preserve-unknown-fields": False}),
    of_versions("s", version(schema(a={"type": "maybe"})),
                version(schema(a={}), "v2", storage=False)),
    of_versions("t", version(
        subresources={"status": {}, "scale": {"specReplicasPath": "spec.x",
                                              "statusReplicasPath": ".spec.y"}},
        additionalPrinterColumns=[{"name": "", "type": "x", "jsonPath": "x", "format": "y"}])),
    of_versions("u", version(), version(storage=False)),
    of_versions("v", version({"type": "object", "maxProperties": 1},
                             subresources={"status": {}})),
    *[of_versions(name, conversion={"strategy": strategy, "webhook": {
        "clientConfig": {"url": "http://x"}, "conversionReviewVersions": ["v2"]}})
      for name, strategy in (("w", "Webhook"), ("x", "None"))],
    of_versions("y", preserveUnknownFields=True),
    part("z", type="maybe", **{"x-kubernetes-validations": [{"rule": "self >"}]}),
    part("aa", type="object", properties={"b": {"type": "array"}}, **{
        "x-kubernetes-validations": [{"rule": "self >"}]}),
    part("ab", type="object", default={"z": 1}, **{"x-kubernetes-preserve-unknown-fields": True}),
    part("ac", type="object", nullable=True, default=None),
    part("ad", type="integer", default=1.5),
    of_versions("ae", names={"shortNames": ["BAD"], "kind": "Ae", "listKind": "Ae"}),
]


def one(name="o", kind="Things", **spec):
    return {"apiVersion": "@ns.example.com/v1", "kind": kind, "metadata": {"name": name},
            "spec": spec}


KUSTOMIZATION = {"interval": "1m", "prune": True, "sourceRef": {"kind": "GitRepository", "name": "x"}}
RELEASE = {"interval": "1m", "chart": {"spec": {"chart": "c", "sourceRef": {
    "kind": "HelmRepository", "name": "x"}}}}

def terminating(body):
    """What a namespace says of its end, once its ConfigMap is all that holds it."""
    conditions = [{k: v for k, v in one.items() if k != "lastTransitionTime"}
                  for one in body["status"]["conditions"]]
    if "has 1 resource instances" not in str(conditions) or "leases" in str(conditions):
        return "not yet", time.monotonic_ns(), body  # agrees with nothing
    return body["status"]["phase"], conditions


CASES = {
    "A64 finalizers hold": [
        create(config_map(metadata=HOLD)), delete("ConfigMap/a"), get("ConfigMap/a"),
        delete("ConfigMap/a"), merge("ConfigMap/a", {"data": {"a": "2"}}),
        apply(config_map(a="2", b="3")), create(config_map()),
        merge("ConfigMap/a", {"metadata": {"deletionTimestamp": None}}),
        merge("ConfigMap/a", {"metadata": {"finalizers": []}}), get("ConfigMap/a"),
        create(widget(metadata=HOLD)), delete("Widget/w"),
        ops("Widget/w", [{"op": "remove", "path": "/metadata/finalizers"}]), get("Widget/w"),
        create(deployment(metadata=HOLD)), delete("Deployment/d", {"gracePeriodSeconds": 30}),
        delete("Deployment/d", {"gracePeriodSeconds": 0}),
        put(deployment()), get("Deployment/d"),
        create(config_map("dry", HOLD)), delete("ConfigMap/dry", query="dryRun=All"),
        get("ConfigMap/dry"), at("DELETE", collection("ConfigMap") + "?labelSelector=!none",
                                 pick=names),
        create(config_map("bad", {"finalizers": ["no domain"]})),
        create(config_map("gone", {"deletionTimestamp": "2024-01-01T00:00:00Z"})),
        merge("ConfigMap/dry", {"metadata": {"finalizers": None}})],
    "A65 no finalizers while deleting": [
        create(config_map(metadata={"finalizers": ["example.com/a", "example.com/b"]})),
        delete("ConfigMap/a"),
        merge("ConfigMap/a", {"metadata": {"finalizers": ["example.com/a", "example.com/b",
                                                          "example.com/c"]}}),
        merge("ConfigMap/a", {"metadata": {"finalizers": ["example.com/c"]}}),
        merge("ConfigMap/a", {"metadata": {"finalizers": ["example.com/b"]}}),
        merge("ConfigMap/a", {"metadata": {"finalizers": ["example.com/a"]}}),
        apply(config_map(metadata={"finalizers": ["example.com/z"]})),
        create(widget(metadata=HOLD)), delete("Widget/w"),
        merge("Widget/w", {"metadata": {"finalizers": ["example.com/hold", "example.com/x"]}}),
        merge("Widget/w", {"metadata": {"finalizers": None}}),
        merge("ConfigMap/a", {"metadata": {"finalizers": None}})],
    "A66 preconditions": [
        create(config_map()), delete("ConfigMap/a", {"preconditions": {"uid": "x"}}),
        delete("ConfigMap/a", {"preconditions": {"resourceVersion": "1"}}),
        delete("ConfigMap/a", {"preconditions": {"uid": ""}}),
        delete("ConfigMap/none", {"preconditions": {"uid": "x"}}),
        delete("ConfigMap/a", {"preconditions": {"uid": "@uid:ConfigMap/a@",
                                                 "resourceVersion": "@rv:ConfigMap/a@"}}),
        create(widget()), delete("Widget/w", {"preconditions": {"uid": "x"}}),
        delete("Widget/w", {"preconditions": {"uid": "@uid:Widget/w@"}}), create(deployment()),
        delete("Deployment/d", {"preconditions": {"uid": "x"}}),
        delete("Deployment/d", {"preconditions": "x"}), delete("Deployment/d", {"kind": "Other"}),
        delete("Deployment/d", {"gracePeriodSeconds": "x"}),
        delete("Deployment/d", {"gracePeriodSeconds": -1}),
        at("DELETE", url("Deployment/none"), "{"), at("DELETE", url("Deployment/none"), "[]"),
        create(thing("Pod/p", spec={"containers": [{"name": "c", "image": "i"}]})),
        delete("Pod/p", {"preconditions": {"uid": "x"}}), delete("Pod/p", {"gracePeriodSeconds": 0}),
        create(thing("Service/s", spec={"clusterIP": "None", "ports": [{"port": 1}]})),
        delete("Service/s"), create(thing("ServiceAccount/x")), delete("ServiceAccount/x"),
        create(thing("Secret/s")), delete("Secret/s")],
    "A67 in the background": [
        create(config_map("owner")), create(owned("Lease/a", "owner")),
        create(owned("Widget/w", "owner") | {"spec": {"size": 1}}),
        create(owned("Lease/other", "owner", uid="00000000-0000-0000-0000-000000000000"),
               until=False),
        create(owned("Secret/held", "owner", finalizers=["example.com/hold"])),
        delete("ConfigMap/owner", {"propagationPolicy": "Background"}),
        get("ConfigMap/owner", until=True), get("Lease", pick=names, until=True),
        get("Widget", pick=names, until=True), get("Secret/held", until=True),
        merge("Secret/held", {"metadata": {"finalizers": None}}), create(config_map("two")),
        create(thing("Lease/shared", {"ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": f"@uid:ConfigMap/{name}@"}
            for name in ("two", "three")]})),
        delete("ConfigMap/two", {"propagationPolicy": "Sideways"}),
        delete("ConfigMap/two", {"orphanDependents": True, "propagationPolicy": "Background"}),
        delete("ConfigMap/two", query="propagationPolicy=Background"),
        get("Lease", pick=names, until=True)],
    "A68 in the foreground": [
        create(config_map("owner")), create(owned("Lease/block", "owner", True, finalizers=[
            "example.com/hold"])), create(owned("Lease/free", "owner", False, finalizers=[
                "example.com/hold"])),
        delete("ConfigMap/owner", {"propagationPolicy": "Foreground"}),
        get("Lease/block", until=True), get("ConfigMap/owner"),
        merge("Lease/block", {"metadata": {"finalizers": None}}),
        get("ConfigMap/owner", until=True), get("Lease/free", until=True),
        merge("Lease/free", {"metadata": {"finalizers": None}}), get("Lease", pick=names, until=True),
        create(config_map("lone")), delete("ConfigMap/lone", {"propagationPolicy": "Foreground"}),
        get("ConfigMap/lone", until=True), create(config_map("held", HOLD)),
        delete("ConfigMap/held", {"propagationPolicy": "Foreground"}),
        get("ConfigMap/held", until=True),
        delete("ConfigMap/held", {"propagationPolicy": "Background"}),
        merge("ConfigMap/held", {"metadata": {"finalizers": None}})],
    "A69 orphans": [
        create(config_map("owner")), create(owned("Lease/a", "owner", True)),
        create(owned("Secret/s", "owner")),
        delete("ConfigMap/owner", {"propagationPolicy": "Orphan"}),
        get("ConfigMap/owner", until=True),
        get("Lease/a", until=True, pick=lambda b: b["metadata"].get("ownerReferences")),
        get("Secret/s", until=True, pick=lambda b: b["metadata"].get("ownerReferences")),
        create(config_map("two")), create(owned("Lease/b", "two")),
        delete("ConfigMap/two", {"orphanDependents": True}),
        get("Lease/b", until=True, pick=lambda b: b["metadata"].get("ownerReferences")),
        create(config_map("three")), create(config_map("four")),
        create(thing("Lease/both", {"ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": f"@uid:ConfigMap/{name}@"}
            for name in ("three", "four")]})),
        delete("ConfigMap/three", {"propagationPolicy": "Orphan"}),
        get("ConfigMap/three", until=True), get("Lease/both", until=True, pick=lambda b: [
            owner["name"] for owner in b["metadata"].get("ownerReferences", [])]),
        delete("ConfigMap/four", {"propagationPolicy": "Background"}), get("Lease/both", until=True)],
    "A70 namespaces": [
        create(thing("Namespace/@ns-x")), at("POST", url("ConfigMap", ns="@ns-x"), config_map(
            metadata=HOLD)), at("POST", url("Lease", ns="@ns-x"), thing("Lease/l")),
        at("POST", url("Widget", ns="@ns-x"), widget()),
        delete("Namespace/@ns-x"), at("POST", url("ConfigMap", ns="@ns-x"), config_map("b")),
        at("PATCH", url("Widget/new", "fieldManager=m", ns="@ns-x"), widget("new"), "apply"),
        at("GET", url("Lease", ns="@ns-x"), pick=names, until=True),
        at("GET", url("Widget", ns="@ns-x"), pick=names, until=True),
        at("GET", url("ConfigMap/a", ns="@ns-x"), until=True,
           pick=lambda b: "deletionTimestamp" in b["metadata"]),
        at("GET", url("Namespace/@ns-x"), pick=terminating, until=True),
        at("DELETE", url("Namespace/@ns-x"), pick=lambda b: b["status"]["phase"]),
        at("PATCH", url("ConfigMap/a", ns="@ns-x"), {"metadata": {"finalizers": None}}, "merge",
           pick=lambda b: "finalizers" in b["metadata"]),
        get("Namespace/@ns-x", until=True), delete("Namespace/kube-system"),
        delete("Namespace/default"), delete("Namespace/none"),
        delete("Namespace/@ns", query="dryRun=All"), at("DELETE", "/api/v1/namespaces"),
        create(thing("Namespace/@ns-f", spec={"finalizers": ["example.com/hold"]})),
        delete("Namespace/@ns-f"), get("Namespace/@ns-f", until=True, pick=lambda b: (
            b["spec"]["finalizers"] == ["example.com/hold"], b["status"]["phase"])),
        at("PUT", url("Namespace/@ns-f", sub="finalize"), thing("Namespace/@ns-f", spec={
            "finalizers": []}), pick=lambda b: (b["spec"], b["status"]["phase"])),
        get("Namespace/@ns-f", until=True)],
    "A71 contents of a new namespace": [
        create(thing("Namespace/@ns-x")),
        at("GET", url("ServiceAccount/default", ns="@ns-x"), until=True, made=True,
           pick=lambda b: sorted(set(b) - {"metadata"})),
        at("GET", url("ConfigMap/kube-root-ca.crt", ns="@ns-x"), until=True, made=True,
           pick=lambda b: sorted(b["data"])),
        at("DELETE", url("ServiceAccount/default", ns="@ns-x"), pick=lambda b: b["kind"]),
        at("GET", url("ServiceAccount/default", ns="@ns-x"), until=True, made=True,
           pick=lambda b: b["kind"]),
        at("DELETE", url("ConfigMap/kube-root-ca.crt", ns="@ns-x"), pick=lambda b: b["status"]),
        at("GET", url("ConfigMap/kube-root-ca.crt", ns="@ns-x"), until=True, made=True,
           pick=lambda b: b["kind"]),
        at("GET", url("Namespace/@ns-x"), pick=lambda b: (b["metadata"]["labels"], b["spec"],
                                                          b["status"]))],
    "A72 definitions": [
        define(definition("things", names={"shortNames": ["th"], "categories": ["all"]})),
        at("GET", DEFINITIONS + "/things.@ns.example.com", until=True, pick=accepted),
        at("GET", objects("things"), until=True, made=True), at("POST", objects("things"), one(a=1)),
        define(definition("things")),
        define({**definition("others"), "metadata": {"name": "wrong.@ns.example.com"}}),
        define(definition("others", names={"kind": "Things"})),
        at("GET", DEFINITIONS + "/others.@ns.example.com", until=True, pick=accepted),
        define(definition("a", versions=[])), define(definition("b", versions=[
            version(), version(name="v2")])), define(definition("c", versions=[version(name="V_1")])),
        define(definition("d", {"type": "string"})),
        define(definition("e", schema(a={"type": "maybe"}))),
        define(definition("f", schema(a={"type": "array"}))),
        define(definition("g", schema(a={}))),
        define(definition("h", schema(a={"type": "string", "default": 5}))),
        define(definition("i", schema(a={"type": "string", "pattern": "("}))),
        define(definition("j", schema(a={**TEXT, "x-kubernetes-validations": [{"rule": "self >"}]}))),
        define(definition("k", names={"plural": "Bad_Name"})),
        define(definition("l", scope="Maybe")),
        define(definition("m", conversion={"strategy": "Webhook"})),
        define(definition("n", schema(a={"type": "array", "items": TEXT,
                                         "x-kubernetes-list-type": "map"}))),
        define(definition("dry"), "?dryRun=All"),
        at("GET", DEFINITIONS + "/dry.@ns.example.com")],
    "A72 schemas": [define(definition(*each, **more)) for each, more in SCHEMAS],
    "A72 names": [
        define(definition("things", names={"shortNames": ["th", "tt"]})),
        at("GET", DEFINITIONS + "/things.@ns.example.com", until=True, pick=accepted),
        define(definition("others", names={"shortNames": ["th", "tt", "z"]})),
        at("GET", DEFINITIONS + "/others.@ns.example.com", until=True, pick=accepted),
        define(definition("thirds", names={"kind": "Third", "singular": "th"})),
        at("GET", DEFINITIONS + "/thirds.@ns.example.com", until=True, pick=accepted),
        *[at("GET", objects(name), until=True) for name in ("things", "others", "thirds")],
        at("DELETE", DEFINITIONS + "/thirds.@ns.example.com", pick=lambda b: b["kind"]),
        at("GET", DEFINITIONS + "/thirds.@ns.example.com", until=True, pick=lambda b: b["kind"]),
        at("DELETE", DEFINITIONS + "/things.@ns.example.com", pick=lambda b: b["kind"]),
        at("GET", DEFINITIONS + "/things.@ns.example.com", until=True, pick=lambda b: b["kind"]),
        at("GET", DEFINITIONS + "/others.@ns.example.com", until=True, pick=accepted),
        at("GET", objects("others"), until=True)],
    "A73 the end of a definition": [
        define(definition("things")), at("GET", objects("things"), until=True, made=True),
        at("POST", objects("things"), one(a=1)),
        at("POST", objects("things"), {**one("held"), "metadata": {"name": "held", **HOLD}}),
        at("DELETE", DEFINITIONS + "/things.@ns.example.com", pick=lambda b: (
            b["metadata"]["finalizers"], "deletionTimestamp" in b["metadata"])),
        at("GET", objects("things"), until=True, pick=names),
        at("POST", objects("things"), one("late")),
        at("PATCH", objects("things") + "/held", {"metadata": {"finalizers": None}}, "merge"),
        at("GET", DEFINITIONS + "/things.@ns.example.com", until=True),
        at("GET", objects("things"), until=True), at("GET", "/apis/@ns.example.com", until=True),
        at("DELETE", DEFINITIONS + "/none.@ns.example.com")],
    "A74 pruning": [
        create(widget(size=1, oops=1, free={"kept": {"deep": [1, None]}})),
        create({**widget("v"), "oops": 1}), merge("Widget/w", {"spec": {"oops": 5}}),
        merge("Widget/w", {"spec": {"items": [{"key": "a", "oops": 1}], "nested": {"oops": 1}}}),
        merge("Widget/w", {"spec": {"free": {"kept": None, "x": None}}}),
        merge("Widget/w", {"status": {"oops": 1, "note": "x"}}, sub="status"),
        create(widget("m", {"oops": "x"})), create(widget("l", {"labels": {"a": 5}})),
        put({**widget(size=2, oops=3), "metadata": {"name": "w",
                                                    "resourceVersion": "@rv:Widget/w@"}}),
        create(widget("n", size=1, map=None, color=None, nested={"x": None})), get("Widget/n"),
        create(thing("Kustomization/k", spec={**KUSTOMIZATION, "oops": 1})),
        create(thing("HelmRelease/h", spec={**RELEASE, "values": {"any": {"thing": [1]}}}))],
    "A75 defaults": [
        create(widget()), get("Widget/w"), create(widget("v", size=1, color="blue", items=[
            {"key": "a"}], defaulted={})), merge("Widget/v", {"spec": {"color": None}}),
        merge("Widget/v", {"spec": {"color": ""}}), merge("Widget/v", {"status": {"note": "x"}},
                                                           sub="status"),
        merge("Widget/v", {"status": None}, sub="status"), put({**widget("v"), "metadata": {
            "name": "v", "resourceVersion": "@rv:Widget/v@"}}), get("Widget", pick=lambda b: [
                (item["spec"], item.get("status")) for item in b["items"]]),
        create(thing("Kustomization/k", spec=KUSTOMIZATION)), get("Kustomization/k"),
        create(thing("GitRepository/g", spec={"interval": "1m", "url": "https://x.example/r"})),
        get("GitRepository/g"), create(thing("HelmRelease/h", spec=RELEASE)), get("HelmRelease/h"),
        create(thing("Widget/bare"))],
    "A76 breaches": [
        create(widget(size=0)), create(widget(size=101)), create(widget(size="x")),
        create(widget(size=1.5)), create(widget(color="red")), create(widget(size=1, color="green")),
        create(widget(size=1, name="UPPER")), create(widget(size=1, name="toolong")),
        create(widget(size=1, name="TOOLONG", color=5, set=["a", "a"])),
        create(widget(size=1, items=[{"key": "a"}, {"key": "a"}])),
        create(widget(size=1, items=[{"value": "a"}])), create(widget(size=1, map={"a": 1})),
        create(widget(size=1, map=[])), create(widget(size=1, free="x")),
        create(widget(size=None)), create(thing("Widget/w", spec="x")),
        create(thing("Widget/w", status="x", spec={"size": 1})), create(widget()),
        merge("Widget/w", {"spec": {"size": 0}}), merge("Widget/w", {"status": {"conditions": [
            {"type": "a"}]}}, sub="status"), apply(widget(size=0), force=True),
        ops("Widget/w", [{"op": "remove", "path": "/spec"}]),
        create(thing("Kustomization/k", spec={**KUSTOMIZATION, "interval": "x"})),
        create(thing("Kustomization/k", spec={})),
        create(thing("Kustomization/k", spec={**KUSTOMIZATION, "sourceRef": {
            "kind": "Maybe", "name": "x"}})),
        create(thing("GitRepository/g", spec={"interval": "1m", "url": "ftp://x"}))],
    "A77 rules": [
        create(widget(size=1, left="a", right="b")), create(widget(size=1, left="a")),
        merge("Widget/w", {"spec": {"right": "b"}}), apply(widget(size=1, right="b"), force=True),
        create(thing("HelmRelease/h", spec={**RELEASE, "chartRef": {
            "kind": "OCIRepository", "name": "x"}})),
        create(thing("HelmRelease/h", spec={"interval": "1m"})),
        create(thing("HelmRelease/h", spec={**RELEASE, "kubeConfig": {}})),
        create(thing("HelmRelease/h", spec={**RELEASE, "install": {"strategy": {
            "name": "RetryOnFailure"}}})),
        create(thing("Bucket/b", spec={"interval": "1m", "bucketName": "x", "endpoint": "x",
                                       "provider": "generic", "sts": {"provider": "aws"}})),
        create(thing("GitRepository/g", spec={"interval": "1m", "url": "https://x", "provider":
                                              "generic", "serviceAccountName": "x"})),
        create(thing("Receiver/r", spec={"type": "generic", "secretRef": {"name": "x"},
                                         "resources": []})),
        create(thing("Kustomization/k", spec={**KUSTOMIZATION, "kubeConfig": {
            "secretRef": {"name": "x"}, "configMapRef": {"name": "x"}}}))],
    "A78 Flux kinds": [
        apply(thing("Kustomization/a", spec=KUSTOMIZATION)),
        apply(thing("HelmRelease/a", spec=RELEASE)),
        apply(thing("GitRepository/a", spec={"interval": "1m", "url": "ssh://x/y"})),
        apply(thing("OCIRepository/a", spec={"interval": "1m", "url": "oci://x/y"})),
        apply(thing("HelmRepository/a", spec={"url": "https://x"})),
        apply(thing("HelmChart/a", spec={"interval": "1m", "chart": "c", "sourceRef": {
            "kind": "HelmRepository", "name": "x"}})),
        apply(thing("Bucket/a", spec={"interval": "1m", "bucketName": "b", "endpoint": "e"})),
        apply(thing("Provider/a", spec={"type": "slack", "address": "https://x"})),
        apply(thing("Alert/a", spec={"providerRef": {"name": "a"}, "eventSources": [
            {"kind": "Kustomization", "name": "*"}]})),
        apply(thing("Receiver/a", spec={"type": "github", "secretRef": {"name": "x"},
                                        "resources": [{"kind": "GitRepository", "name": "x"}]})),
        *[apply(thing(f"{kind}/none", spec={})) for kind in (
            "HelmChart", "OCIRepository", "Provider", "Alert", "Bucket")],
        at("GET", f"/apis/{GROUP}/v1/namespaces/@ns/nothings")],
}
