"""The same requests to the embedded API server and to the real one, a line each: verbs, patches,
lists, refusals. The whole replies are the same."""

import json
import re

import pytest

from tests.lib.oracle import oracle
from tests.lib.pair import Pair, plain
from tests.differential.kube.test_managed import CORE, GROUP, KINDS, crd, named

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
MAPS = CORE + "configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
WIDGETS = f"/apis/{GROUP}/v1/namespaces/default/widgets"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    both = Pair(tmp_path_factory.mktemp("servers"), oracle("kube"))
    try:
        for server in both.servers:
            server.apply(crd("widgets", "Widget", subresources={"status": {}}))
            server.kubectl("wait", "--for=condition=Established", "--timeout=90s",
                           f"crd/widgets.{GROUP}")
        for kind, name in (("ConfigMap", "cm"), ("Deployment", "dep"), ("Widget", "wid"),
                           ("Service", "svc"), ("Secret", "sec"), ("ClusterRole", "role")):
            for status, body in both.call("POST", KINDS[kind][0] + "?fieldManager=maker",
                                          named(kind, name, app="x")):
                assert status == 201, body
        yield both
    finally:
        both.stop()


def config_map(name="cm", **more):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **more}


def container(**more):
    return {"spec": {"template": {"spec": {"containers": [{"name": "c", **more}]}}}}


# name: (method, path, body, media); what is refused changes nothing, what is not runs dry.
CASES = {
    "A14 exists": ("POST", MAPS, config_map()),
    "A15 other namespace": ("POST", MAPS, config_map("x", metadata={
        "name": "x", "namespace": "other"})),
    "A16 missing namespace": ("POST", "/api/v1/namespaces/nowhere/configmaps", config_map("x")),
    "no name": ("POST", MAPS, {"metadata": {}}),
    "bad name": ("POST", MAPS, config_map("Bad_Name")),
    "long name": ("POST", MAPS, config_map("n" * 254)),
    "bad label key": ("POST", MAPS, config_map("x", metadata={
        "name": "x", "labels": {"a b": "c"}})),
    "bad label value": ("POST", MAPS, config_map("x", metadata={
        "name": "x", "labels": {"a": "b c"}})),
    "bad annotation": ("POST", MAPS, config_map("x", metadata={
        "name": "x", "annotations": {"a/b/c": ""}})),
    "bad finalizer": ("POST", MAPS, config_map("x", metadata={"name": "x", "finalizers": ["a b"]})),
    "unqualified finalizer": ("POST", MAPS, config_map("x", metadata={
        "name": "x", "finalizers": ["f"]})),
    "bad owner": ("POST", MAPS, config_map("x", metadata={
        "name": "x", "ownerReferences": [{"kind": "A", "name": "b"}]})),
    "two controllers": ("POST", MAPS, config_map("x", metadata={"name": "x", "ownerReferences": [
        {"apiVersion": "v1", "kind": "A", "name": n, "uid": n, "controller": True}
        for n in "ab"]})),
    "other kind": ("POST", MAPS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}),
    "other version": ("POST", MAPS, {"apiVersion": "v2", "kind": "ConfigMap",
                                     "metadata": {"name": "x"}}),
    "no JSON": ("POST", MAPS, "{"),
    "a list": ("POST", MAPS, "[]"),
    "wrong type": ("POST", MAPS, config_map("x", data={"a": 1})),
    "wrong type deep": ("POST", DEPLOYMENTS, {"metadata": {"name": "x"}, "spec": {
        "replicas": "two"}}),
    "wrong type of metadata": ("POST", WIDGETS, {
        "apiVersion": GROUP + "/v1", "kind": "Widget",
        "metadata": {"name": "x", "finalizers": [1]}}),
    "wrong type in a list": ("POST", DEPLOYMENTS, {"metadata": {"name": "x"}, "spec": {
        "template": {"spec": {"containers": [{"name": "c", "image": 5}]}}}}),
    "no selector": ("POST", DEPLOYMENTS, {"metadata": {"name": "x"}, "spec": {"template": {
        "spec": {"containers": []}}}}),
    "A26 strict": ("POST", MAPS + "?fieldValidation=Strict", config_map("x", dat={})),
    "A26 strict custom": ("POST", WIDGETS + "?fieldValidation=Strict", {
        "apiVersion": GROUP + "/v1", "kind": "Widget", "metadata": {"name": "x"},
        "spec": {"c": 1}}),
    "A26 strict custom patch": ("PATCH", WIDGETS + "/wid?fieldValidation=Strict",
                                {"spec": {"c": 1}}, MERGE),
    "A26 unknown directive": ("POST", MAPS + "?fieldValidation=Maybe", config_map("x")),
    "A25 dry run": ("POST", MAPS + "?dryRun=All", config_map("x", data={"a": "b"})),
    "unknown dry run": ("POST", MAPS + "?dryRun=Some", config_map("x")),
    "long field manager": ("POST", MAPS + "?fieldManager=" + "m" * 129, config_map("x")),
    "get": ("GET", MAPS + "/cm"),
    "get absent": ("GET", MAPS + "/none"),
    "get absent custom": ("GET", WIDGETS + "/none"),
    "unknown group": ("GET", "/apis/nothing.example.com/v1/things"),
    "unknown resource": ("GET", "/api/v1/namespaces/default/things"),
    "unknown subresource": ("GET", MAPS + "/cm/status"),
    "A19 put without version": ("PUT", MAPS + "/cm?dryRun=All", config_map(data={"a": "9"})),
    "A19 put without version custom": ("PUT", WIDGETS + "/wid", {
        "apiVersion": GROUP + "/v1", "kind": "Widget", "metadata": {"name": "wid"}}),
    "A18 put stale": ("PUT", MAPS + "/cm", config_map(metadata={
        "name": "cm", "resourceVersion": "1"})),
    "put other uid": ("PUT", MAPS + "/cm", config_map(metadata={"name": "cm", "uid": "x"})),
    "A21 put absent": ("PUT", MAPS + "/none", config_map("none")),
    "put other name": ("PUT", MAPS + "/cm", config_map("other")),
    "A27 json patch": ("PATCH", MAPS + "/cm?dryRun=All", [
        {"op": "test", "path": "/data/a", "value": "1"},
        {"op": "add", "path": "/data/x~1y", "value": "z"},
        {"op": "remove", "path": "/data/b"}], JSON_PATCH),
    "A27 json patch test fails": ("PATCH", MAPS + "/cm", [
        {"op": "test", "path": "/data/a", "value": "2"}], JSON_PATCH),
    "json patch absent path": ("PATCH", MAPS + "/cm", [
        {"op": "remove", "path": "/data/none"}], JSON_PATCH),
    "json patch unknown op": ("PATCH", MAPS + "/cm", [{"op": "turn", "path": "/data"}], JSON_PATCH),
    "json patch no list": ("PATCH", MAPS + "/cm", {"op": "add"}, JSON_PATCH),
    "A28 merge patch": ("PATCH", MAPS + "/cm?dryRun=All", {"data": {"a": None, "c": "3"}}, MERGE),
    "merge patch name": ("PATCH", MAPS + "/cm", {"metadata": {"name": "x"}}, MERGE),
    "merge patch uid": ("PATCH", MAPS + "/cm", {"metadata": {"uid": "x"}}, MERGE),
    "merge patch stale": ("PATCH", MAPS + "/cm", {"metadata": {"resourceVersion": "1"}}, MERGE),
    "merge patch no object": ("PATCH", MAPS + "/cm", "[]", MERGE),
    "merge patch absent": ("PATCH", MAPS + "/none", {}, MERGE),
    "merge patch wrong type": ("PATCH", MAPS + "/cm", {"data": []}, MERGE),
    "A29 strategic": ("PATCH", DEPLOYMENTS + "/dep?dryRun=All", container(image="i:2"), STRATEGIC),
    "A31 strategic delete": ("PATCH", DEPLOYMENTS + "/dep?dryRun=All", container(
        env=[{"name": "A", "$patch": "delete"}]), STRATEGIC),
    "strategic replace": ("PATCH", DEPLOYMENTS + "/dep?dryRun=All", container(
        ports=[{"$patch": "replace"}, {"containerPort": 81}]), STRATEGIC),
    "strategic order": ("PATCH", DEPLOYMENTS + "/dep?dryRun=All", {"spec": {"template": {"spec": {
        "$setElementOrder/containers": [{"name": "d"}, {"name": "c"}],
        "containers": [{"name": "d", "image": "d"}]}}}}, STRATEGIC),
    "strategic no key": ("PATCH", DEPLOYMENTS + "/dep", {"spec": {"template": {"spec": {
        "containers": [{"image": "d"}]}}}}, STRATEGIC),
    "A30 strategic custom": ("PATCH", WIDGETS + "/wid", {}, STRATEGIC),
    "unknown patch type": ("PATCH", MAPS + "/cm", {}, "application/xml"),
    "A32 scale": ("PATCH", DEPLOYMENTS + "/dep/scale?dryRun=All", {"spec": {"replicas": 5}}, MERGE),
    "A32 scale negative": ("PATCH", DEPLOYMENTS + "/dep/scale", {"spec": {"replicas": -1}}, MERGE),
    "scale get": ("GET", DEPLOYMENTS + "/dep/scale"),
    "A34 apply without manager": ("PATCH", MAPS + "/cm", config_map(), APPLY),
    "A48 apply unknown field": ("PATCH", MAPS + "/cm?fieldManager=m", config_map(oops="x"), APPLY),
    "apply with managed fields": ("PATCH", MAPS + "/cm?fieldManager=m", config_map(metadata={
        "name": "cm", "managedFields": [{"manager": "x"}]}), APPLY),
    "apply without kind": ("PATCH", MAPS + "/cm?fieldManager=m", {"apiVersion": "v1"}, APPLY),
    "apply other name": ("PATCH", MAPS + "/cm?fieldManager=m", config_map("other"), APPLY),
    "A35 conflict": ("PATCH", MAPS + "/cm?fieldManager=m", config_map(data={"a": "9", "b": "9"}),
                     APPLY),
    "A35 forced": ("PATCH", MAPS + "/cm?fieldManager=m&force=true&dryRun=All",
                   config_map(data={"a": "9"}), APPLY),
    "force elsewhere": ("PATCH", MAPS + "/cm?force=true", {}, MERGE),
    "A52 selector": ("PATCH", DEPLOYMENTS + "/dep", {"spec": {"selector": {"matchLabels": {
        "app": "y"}}}}, MERGE),
    "A51 cluster IP": ("PATCH", CORE + "services/svc", {"spec": {"clusterIP": "10.96.0.9"}}, MERGE),
    "secret type": ("PATCH", CORE + "secrets/sec", {"type": "other"}, MERGE),
    "A53 string data": ("PATCH", CORE + "secrets/sec?dryRun=All", {"stringData": {"b": "2"}},
                        MERGE),
    "A56 field selector": ("GET", MAPS + "?fieldSelector=nothing%3Dx"),
    "label selector": ("GET", MAPS + "?labelSelector=app%3Dx"),
    "label selector none": ("GET", MAPS + "?labelSelector=app+notin+(x)"),
    "bad label selector": ("GET", MAPS + "?labelSelector=a%3D%3D%3Db"),
    "bad limit": ("GET", MAPS + "?limit=x"),
    "bad continue": ("GET", MAPS + "?continue=x"),
    "bad version": ("GET", MAPS + "?resourceVersion=x"),
    "bad version match": ("GET", MAPS + "?resourceVersionMatch=Exact"),
    "future version": ("GET", MAPS + "?resourceVersion=999999999&resourceVersionMatch=Exact"),
    "A66 uid precondition": ("DELETE", MAPS + "/cm", {"preconditions": {"uid": "x"}}),
    "delete absent": ("DELETE", MAPS + "/none"),
    "bad propagation": ("DELETE", MAPS + "/cm", {"propagationPolicy": "Sideways"}),
    "delete dry run": ("DELETE", MAPS + "/cm?dryRun=All"),
    "delete custom dry run": ("DELETE", WIDGETS + "/wid?dryRun=All"),
    "method": ("PUT", MAPS, {}),
    "post to an object": ("POST", MAPS + "/cm", {}),
    "role rules": ("PATCH", KINDS["ClusterRole"][0] + "/role?dryRun=All", {"rules": [
        {"verbs": ["get"]}]}, MERGE),
}


# Whose texts are those of Go's libraries, or of etcd: code and reason are equal there.
WORDS_OF_THEIR_OWN = (
    "other kind", "other version", "no JSON", "a list", "unknown group", "put other uid",
    "json patch no list", "merge patch no object", "strategic no key", "unknown patch type",
    "bad label selector", "bad continue", "bad version", "future version",
    # It quotes the whole object, secrets too.
    "A26 strict custom patch", "merge patch wrong type")
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def settle_list(body):
    """Items of built-in kinds name no kind on the real server; here they do."""
    body["items"] = [plain((200, item))[1] for item in body["items"]
                     if item["metadata"]["name"] != "kube-root-ca.crt"]
    for item in body["items"]:
        item.pop("apiVersion", None)
        item.pop("kind", None)


def settled(reply):
    """A reply without what two living clusters cannot have in common."""
    status, body = reply
    if not isinstance(body, dict):
        return status, body
    body = json.loads(UUID.sub("UID", json.dumps(body)))
    if "items" in body:
        settle_list(body)
    body.get("metadata", {}).pop("resourceVersion", None)
    causes = body.get("details", {}).get("causes", [])
    # The real server validates some updates twice.
    causes[:] = [cause for i, cause in enumerate(causes) if cause not in causes[:i]]
    return status, body


@pytest.mark.parametrize("name", CASES, ids=lambda name: name.replace(" ", "-"))
def test_same_reply(name, pair):
    ours, theirs = (settled(reply) for reply in pair.call(*CASES[name]))
    if name in WORDS_OF_THEIR_OWN:
        assert ours[0] == theirs[0], f"{ours} {theirs}"
        assert not isinstance(theirs[1], dict) or ours[1].get("reason") == theirs[1].get("reason")
    else:
        assert ours == theirs, f"reply:\n ours {ours}\n kube {theirs}"


@pytest.mark.parametrize("method, path, media", [
    ("POST", MAPS, "application/json"), ("PUT", LEASES + "/x", "application/json"),
    ("PATCH", MAPS + "/x", APPLY), ("PATCH", WIDGETS + "/x", APPLY)])
def test_A25_a_dry_run_that_creates_tells_the_version_that_was_sent(pair, method, path, media):
    kind = {MAPS: "ConfigMap", LEASES: "Lease", WIDGETS: "Widget"}[path.removesuffix("/x")]
    group = path.split("/namespaces")[0].removeprefix("/apis/").removeprefix("/api/")
    for version in ({"resourceVersion": "7"}, {}):
        body = {"apiVersion": group, "kind": kind, "metadata": {"name": "x", **version}}
        replies = [client.call(method, path + "?dryRun=All&fieldManager=m", body, media)
                   for client in pair.clients]
        assert [status for status, _ in replies] == [201, 201], replies
        assert [reply["metadata"].get("resourceVersion") for _, reply in replies] == \
            [version.get("resourceVersion")] * 2
