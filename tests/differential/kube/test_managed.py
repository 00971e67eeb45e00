"""Ownership of fields on the embedded API server and on the real one: the same writes to both, and
the whole objects are the same after each, managedFields included."""

import copy

import pytest

from tests.lib.oracle import oracle
from tests.lib.pair import Pair

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
GROUP = "managed.example.com"


def crd(plural, kind, **version):
    text = {"type": "string"}
    part = {"type": "object", "properties": {"a": text, "b": {**text, "default": "B"},
                                             "list": {"type": "array", "items": text}}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{GROUP}"},
            "spec": {"group": GROUP, "scope": "Namespaced",
                     "names": {"plural": plural, "kind": kind},
                     "versions": [{"name": "v1", "served": True, "storage": True, **version,
                                   "schema": {"openAPIV3Schema": {
                                       "type": "object",
                                       "properties": {"spec": part, "status": part}}}}]}}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    both = Pair(tmp_path_factory.mktemp("servers"), oracle("kube"))
    try:
        for server in both.servers:
            server.apply(crd("widgets", "Widget", subresources={"status": {}}),
                         crd("gadgets", "Gadget"))
            server.kubectl("wait", "--for=condition=Established", "--timeout=90s",
                           f"crd/widgets.{GROUP}", f"crd/gadgets.{GROUP}")
        yield both
    finally:
        both.stop()


POD = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [
    {"name": "c", "image": "i:1", "ports": [{"containerPort": 80}],
     "env": [{"name": "A", "value": "1"}], "resources": {"limits": {"cpu": "0.5"}}}]}}
RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
CORE = "/api/v1/namespaces/default/"

# kind: (collection, apiVersion, the object without identity)
KINDS = {
    "Deployment": ("/apis/apps/v1/namespaces/default/deployments", "apps/v1", {
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "x"}}, "template": POD}}),
    "DaemonSet": ("/apis/apps/v1/namespaces/default/daemonsets", "apps/v1", {
        "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": POD}}),
    "StatefulSet": ("/apis/apps/v1/namespaces/default/statefulsets", "apps/v1", {
        "spec": {"serviceName": "x", "selector": {"matchLabels": {"app": "x"}},
                 "template": POD}}),
    "Job": ("/apis/batch/v1/namespaces/default/jobs", "batch/v1", {
        "spec": {"suspend": True, "template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}),
    "CronJob": ("/apis/batch/v1/namespaces/default/cronjobs", "batch/v1", {
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}}}),
    "ConfigMap": (CORE + "configmaps", "v1", {"data": {"a": "1", "b": "2"}}),
    "Secret": (CORE + "secrets", "v1", {"stringData": {"a": "1"}}),
    "Service": (CORE + "services", "v1", {
        "spec": {"clusterIP": "None", "selector": {"app": "x"}, "ports": [
            {"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]}}),
    "ServiceAccount": (CORE + "serviceaccounts", "v1", {"imagePullSecrets": [{"name": "x"}]}),
    "Namespace": ("/api/v1/namespaces", "v1", {}),
    "ClusterRole": ("/apis/rbac.authorization.k8s.io/v1/clusterroles",
                    "rbac.authorization.k8s.io/v1", {"rules": RULES}),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
                    "rbac.authorization.k8s.io/v1", {
                        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                                    "name": "view"},
                        "subjects": [{"kind": "ServiceAccount", "name": "x",
                                      "namespace": "default"}]}),
    "Ingress": ("/apis/networking.k8s.io/v1/namespaces/default/ingresses",
                "networking.k8s.io/v1", {"spec": {"rules": [{"host": "x.example", "http": {
                    "paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {
                        "name": "x", "port": {"number": 80}}}}]}}]}}),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
                      "networking.k8s.io/v1", {"spec": {"podSelector": {}, "policyTypes": [
                          "Ingress"]}}),
    "HorizontalPodAutoscaler": (
        "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", "autoscaling/v2", {
            "spec": {"maxReplicas": 3, "scaleTargetRef": {
                "apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}}}),
    "PodDisruptionBudget": ("/apis/policy/v1/namespaces/default/poddisruptionbudgets",
                            "policy/v1", {"spec": {"minAvailable": 1, "selector": {
                                "matchLabels": {"app": "x"}}}}),
    "Lease": ("/apis/coordination.k8s.io/v1/namespaces/default/leases",
              "coordination.k8s.io/v1", {"spec": {"holderIdentity": "x"}}),
    "PriorityClass": ("/apis/scheduling.k8s.io/v1/priorityclasses", "scheduling.k8s.io/v1",
                      {"value": 7}),
    "Widget": (f"/apis/{GROUP}/v1/namespaces/default/widgets", f"{GROUP}/v1", {
        "spec": {"a": "1", "list": ["x"]}, "status": {"a": "1"}}),
    "Gadget": (f"/apis/{GROUP}/v1/namespaces/default/gadgets", f"{GROUP}/v1", {
        "spec": {"a": "1"}, "status": {"a": "1"}}),
}


def same(replies, what):
    ours, theirs = replies
    assert ours == theirs, f"{what}:\n ours {ours}\n kube {theirs}"
    return ours


def named(kind, name, **labels):
    collection, api_version, rest = KINDS[kind]
    return {"apiVersion": api_version, "kind": kind,
            "metadata": {"name": name, "labels": labels}, **copy.deepcopy(rest)}


@pytest.mark.parametrize("kind", KINDS)
def test_A36_create_then_apply_then_update(kind, pair):
    collection = KINDS[kind][0]
    name = kind.lower() + "-made"
    path = f"{collection}/{name}"
    status, _ = same(pair.call("POST", collection + "?fieldManager=maker",
                               named(kind, name, a="1")), "create")
    assert status == 201
    same(pair.call("PATCH", path + "?fieldManager=labeler",
                   {"metadata": {"labels": {"b": "2"}, "annotations": {"x": "y"}}}, MERGE), "merge")
    wish = named(kind, name, c="3")
    same(pair.call("PATCH", path + "?fieldManager=applier", wish, APPLY), "apply")
    same(pair.call("PATCH", path + "?fieldManager=applier", wish, APPLY), "the same apply again")
    same(pair.call("PATCH", path + "?fieldManager=labeler",
                   {"metadata": {"labels": None}}, MERGE), "labels gone")
    same(pair.call("PATCH", path + "?fieldManager=applier&force=true", wish, APPLY), "forced")


@pytest.mark.parametrize("kind", KINDS)
def test_A33_apply_makes_and_shrinks(kind, pair):
    collection = KINDS[kind][0]
    name = kind.lower() + "-applied"
    path = f"{collection}/{name}?fieldManager="
    wish = named(kind, name, a="1", b="2")
    status, _ = same(pair.call("PATCH", path + "one", wish, APPLY), "made by apply")
    assert status == 201
    same(pair.call("PATCH", path + "two", named(kind, name, b="2"), APPLY), "shared")
    wish["metadata"]["labels"] = {}
    same(pair.call("PATCH", path + "one", wish, APPLY), "labels left out")
    if kind != "DaemonSet":  # its causes stand in another order
        bare = {k: wish[k] for k in ("apiVersion", "kind", "metadata")}
        same(pair.call("PATCH", path + "one", bare, APPLY), "all left out, or that refused")
    same(pair.call("PATCH", path + "three", named(kind, name, b="3"), APPLY), "conflict")


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in (
    "ConfigMap", "Secret", "ServiceAccount", "ClusterRole", "RoleBinding", "Lease",
    "PriorityClass")])
def test_A44_status_has_an_entry_of_its_own(kind, pair):
    """A kind without /status, such as Gadget, has none: status is a field like others there. Labels
    set through the /status of a custom kind are dropped, yet owned on the real server."""
    collection = KINDS[kind][0]
    name = kind.lower() + "-status"
    same(pair.call("POST", collection + "?fieldManager=maker", named(kind, name)), "create")
    condition = {"type": "Ready", "status": "True", "reason": "R", "message": "m",
                 "lastTransitionTime": "2024-01-01T00:00:00Z"}
    if kind == "Deployment":
        condition["lastUpdateTime"] = condition["lastTransitionTime"]
    status = {"a": "2"} if kind in ("Widget", "Gadget") else {} if kind in (
        "CronJob", "Ingress", "NetworkPolicy", "HorizontalPodAutoscaler", "Job",
        "PodDisruptionBudget") else {"conditions": [condition]}
    body = {"apiVersion": KINDS[kind][1], "kind": kind, "metadata": {"name": name},
            "status": status}
    same(pair.call("PATCH", f"{collection}/{name}?fieldManager=main", {"status": status}, MERGE),
         "status through the main path")
    if kind == "Gadget":
        replies = pair.call("PATCH", f"{collection}/{name}/status", {"status": status}, MERGE)
        assert [code for code, _ in replies] == [404, 404]
        return
    more = {"metadata": {"labels": {"s": "1"}}} if kind != "Widget" else {}
    same(pair.call("PATCH", f"{collection}/{name}/status?fieldManager=stat",
                   {"status": status, **more}, MERGE), "merge")
    same(pair.call("PATCH", f"{collection}/{name}/status?fieldManager=applier&force=true", body,
                   APPLY), "apply")


@pytest.mark.parametrize("kind", KINDS)
def test_A87_a_second_reconcile_finds_no_drift(kind, pair):
    """What Flux's controllers do at each interval: a server-side apply as a dry run, compared with
    the live object. Nothing differs, with its version, while nobody else writes, and still not after
    others have set what is not ours."""
    collection = KINDS[kind][0]
    name = kind.lower() + "-drift"
    path = f"{collection}/{name}"
    flux = path + "?fieldManager=kustomize-controller&force=true"
    wish = named(kind, name, app="x", **{"kustomize.toolkit.fluxcd.io/name": "apps"})
    status, _ = same(pair.call("PATCH", flux, wish, APPLY), "apply")
    assert status == 201
    other = {"metadata": {"annotations": {"other": "1"}}}
    for what, change in (("at once", None), ("after another's write", other)):
        if change:
            same(pair.call("PATCH", path + "?fieldManager=other", change, MERGE), what)
        for client in pair.clients:
            live = client.call("GET", path)
            dry = client.call("PATCH", flux + "&dryRun=All", wish, APPLY)
            assert dry == live, what
            assert client.call("PATCH", flux, wish, APPLY) == live, what
