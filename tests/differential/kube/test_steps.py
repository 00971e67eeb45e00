"""Lines of the contract that no script of requests shows: client certificates, compaction, bookmarks,
kill -9, bodies in protobuf. The same steps on the embedded API server and on the real one, and what they
gave compared."""
import json
import os
import re
import ssl
import subprocess
import threading
import time

import pytest

from tests.lib.kube import EmbeddedApi, KubeApi
from tests.lib.net import RestClient, wait_until
from tests.lib.oracle import oracle
from tests.lib.wire import Connection

from .lines_access import REVIEW, SELF, TOKENS, identity
from .replies import Names, both, settle
from .scripts import Ask, config_map, settle_event, thing, url

CONFIG_MAPS = "/api/v1/namespaces/{ns}/configmaps"
STORAGE = re.compile(rb"StorageError: [^\"]*?AdditionalErrorMsg: ")  # of etcd
PROTOBUF = "application/vnd.kubernetes.protobuf"


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    directory = tmp_path_factory.mktemp("steps")
    running = []
    try:
        running.append(EmbeddedApi(directory / "embedded", os.environ["SLUICE_BUILD"], [
            "--simulate=none", "--compaction-interval=1s"]))
        running.append(KubeApi(directory / "kube", oracle("kube"),
                               ["--etcd-compaction-interval=1s"]))
        yield running
    finally:
        for server in running:
            server.stop()


@pytest.fixture
def ns(servers, request):
    name = request.node.originalname.lower().replace("_", "-")[:60].strip("-")
    for server in servers:
        server.create_namespace(name)
    return name


def seen(reply, step=None):
    """A reply of RestClient.raw: what servers have in common of it."""
    status, _, text = reply
    text = STORAGE.sub(b"", text)
    return list(settle(status, [], text, Names(), step or Ask("GET", "")).parts())


# --- who the client is ---

def ca_key(server):
    return (server.dir / "data" if server.kind == "embedded" else server.dir) / "ca.key"


def make_certificate(server, directory, subject, days="1", own_ca=False):
    """A client certificate of the server's authority, or of another one; its key in one file with
    it."""
    directory.mkdir()

    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, cwd=directory)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            "key", "-out", "csr", "-subj", subject, "-multivalue-rdn")
    authority = ("-signkey", "key") if own_ca else (
        "-CA", server.ca_file, "-CAkey", ca_key(server), "-CAcreateserial", "-CAserial", "serial")
    openssl("x509", "-req", "-in", "csr", *authority, "-days", days, "-out", "crt")
    pem = directory / "pem"
    pem.write_text((directory / "key").read_text() + (directory / "crt").read_text())
    return pem


def credential(body):
    """What kind of credential the server says it was, and whether it names one."""
    extra = body["status"]["userInfo"].get("extra", {})
    return {key: [value.split("=")[0] + f"={len(value)}" for value in values]
            for key, values in extra.items()}


def who(server, pem, headers):
    """(status, the user) as the server sees the holder of the certificate."""
    connection = Connection(server)
    connection.context = ssl.create_default_context(cafile=server.ca_file)
    if pem:
        connection.context.load_cert_chain(pem)
    try:
        connection.send("POST", REVIEW, json.dumps(SELF).encode(), "application/json", headers)
        status, _, text = connection.receive()
    except (ssl.SSLError, ConnectionError):
        return "closed", None
    finally:
        connection.close()
    body = json.loads(text)
    if status != 201:
        return status, (body["reason"], body["message"])
    name, groups = identity(body)
    # What the token's owner is called is each server's own.
    return status, "admin" if name == "kubernetes-admin" else name, groups, credential(body)


NO_TOKEN = {"Authorization": None}
HOLDERS = {
    "name and groups": ("/O=system:masters/O=team/CN=carol", {}, NO_TOKEN),
    "a name with a comma": ("/CN=carol,O=system:masters", {}, NO_TOKEN),
    "a group with signs": ("/O=a+b, c\\\\d/CN=carol", {}, NO_TOKEN),
    "a name alone": ("/CN=carol", {}, NO_TOKEN),
    "no name": ("/O=team", {}, NO_TOKEN),
    "other members": ("/C=DE/O=team/OU=unit/CN=carol", {}, NO_TOKEN),
    "two names": ("/CN=first/CN=second", {}, NO_TOKEN),
    "a system's name": ("/O=system:serviceaccounts/CN=system:serviceaccount:x:y", {}, NO_TOKEN),
    "expired": ("/CN=carol", {"days": "-1"}, NO_TOKEN),
    "of another authority": ("/CN=carol", {"own_ca": True}, NO_TOKEN),
    "and a token": ("/CN=carol", {}, {}),
    "and a bad token": ("/CN=carol", {}, {"Authorization": "Bearer wrong"}),
    "another's and a token": ("/CN=carol", {"own_ca": True}, {}),
    "who impersonates": ("/O=system:masters/CN=carol", {}, {**NO_TOKEN, "Impersonate-User": "x"}),
    "who may not impersonate": ("/CN=carol", {}, {**NO_TOKEN, "Impersonate-User": "x"}),
}


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda name: name.replace(" ", "-"))
def test_A7_client_certificates(servers, tmp_path, holder):
    subject, how, headers = HOLDERS[holder]
    both(servers, lambda server: who(server, make_certificate(
        server, tmp_path / server.kind, subject, **how), headers))


# --- what is forgotten ---

def listed(server, ns, query):
    status, _, text = server.rest.raw("GET", CONFIG_MAPS.format(ns=ns) + query)
    return status, json.loads(text)


def names_of(body):
    return [item["metadata"]["name"] for item in body["items"]]


def fill(server, ns, count=4):
    for number in range(count):
        reply = server.rest.raw("POST", CONFIG_MAPS.format(ns=ns), {"metadata": {
            "name": f"c{number}"}})
        assert reply[0] == 201


def gone(server, ns, query):
    """The reply once the server has forgotten what the query asks for; something must be written
    for the older to be forgotten."""
    def look():
        server.rest.raw("PATCH", CONFIG_MAPS.format(ns=ns) + "/c0", {"data": {
            "at": str(time.monotonic())}}, "application/merge-patch+json")
        status, body = listed(server, ns, query)
        return body if status == 410 else None
    return wait_until(look, "410", interval=0.3)


def test_A55_a_compacted_continue(servers, ns):
    def steps(server):
        fill(server, ns)
        _, page = listed(server, ns, "?limit=1")
        token = page["metadata"]["continue"]
        body = gone(server, ns, f"?limit=1&continue={token}")
        # It names a token of its own, by which a client goes on with what is there now.
        other = body["metadata"].pop("continue")
        server.rest.raw("DELETE", CONFIG_MAPS.format(ns=ns) + "/c1")
        _, rest = listed(server, ns, f"?limit=1&continue={other}")
        names = names_of(rest)
        _, last = listed(server, ns, f"?continue={rest['metadata']['continue']}")
        both_versions = {part["metadata"]["resourceVersion"] for part in (rest, last)}
        return body, names, names_of(last), len(both_versions)
    body, *pages = both(servers, steps)
    assert body["code"] == 410 and body["reason"] == "Expired" and pages == [["c2"], ["c3"], 1]


def test_A55_a_compacted_snapshot(servers, ns):
    def steps(server):
        fill(server, ns)
        version = listed(server, ns, "")[1]["metadata"]["resourceVersion"]
        at_first = names_of(listed(
            server, ns, f"?resourceVersion={version}&resourceVersionMatch=Exact")[1])
        exact = gone(server, ns, f"?resourceVersion={version}&resourceVersionMatch=Exact")
        limited = gone(server, ns, f"?resourceVersion={version}&limit=1")
        # What is no older than a version that is gone is what is there now.
        later = [names_of(listed(server, ns, query)[1]) for query in (
            f"?resourceVersion={version}", f"?resourceVersion={version}&resourceVersionMatch="
            "NotOlderThan")]
        return at_first, exact, limited, later
    both(servers, steps)


def events(server, path, step=None):
    """The status and the events of a watch that ends by itself."""
    status, _, text = server.rest.raw("GET", path, timeout=90)
    return status, [settle_event(line, Names(), step or Ask("GET", path, watch=True))
                    for line in text.splitlines() if line.strip()]


def test_A59_a_watch_from_a_compacted_version(servers, ns):
    def steps(server):
        fill(server, ns)
        version = listed(server, ns, "")[1]["metadata"]["resourceVersion"]
        gone(server, ns, f"?resourceVersion={version}&resourceVersionMatch=Exact")
        # The real server's cache of what happened goes further back than its store, until it is
        # made anew.
        server.restart()
        status, told = events(server, CONFIG_MAPS.format(ns=ns) +
                              "?watch=true&resourceVersion=1&timeoutSeconds=20")
        for event in told:
            text = event["object"]["message"]
            event["object"]["message"] = "".join(c for c in text if not c.isdigit())
        return status, told
    status, told = both(servers, steps)
    assert status == 200 and [event["type"] for event in told] == ["ERROR"]


# --- bookmarks ---

def idle_watch(server, ns, seconds):
    """A watch that nothing happens on, its reply, and the version that it began at. Elsewhere
    something happens: the oracle's etcd 3.4 tells of no progress by itself."""
    version = listed(server, ns, "")[1]["metadata"]["resourceVersion"]
    path = CONFIG_MAPS.format(ns=ns) + \
        f"?watch=true&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={seconds}"
    watch = RestClient(server.server, server.ca_file, server.token)
    connection, _ = watch.connection(90)
    connection.request("GET", path, headers={"Authorization": f"Bearer {server.token}"})
    reply = connection.getresponse()
    assert server.rest.raw("POST", CONFIG_MAPS.format(ns="default"), {"metadata": {
        "generateName": "elsewhere-"}})[0] == 201
    return watch, reply, version


def bookmarks(server, ns, seconds):
    """All that an idle watch says until it ends."""
    watch, reply, version = idle_watch(server, ns, seconds)
    told = [json.loads(line) for line in reply.read().splitlines()]
    watch.close()
    assert all(int(event["object"]["metadata"]["resourceVersion"]) > int(version)
               for event in told)
    out = [settle_event(json.dumps(event), Names(), Ask("GET", "", watch=True))
           for event in told]
    # Near the end the real server may say it twice.
    return [event for i, event in enumerate(out) if i == 0 or event != out[i - 1]]


def test_A61_a_bookmark_before_the_end(servers, ns):
    def steps(server):
        fill(server, ns)
        return bookmarks(server, ns, 10)
    told = both(servers, steps)
    assert [event["type"] for event in told] == ["BOOKMARK"]


@pytest.mark.skipif("SLUICE_SLOW" not in os.environ, reason="takes a minute; set SLUICE_SLOW")
def test_A61_a_bookmark_within_70_seconds(servers, ns):
    """Of a watch that has no end in sight."""
    def steps(server):
        fill(server, ns)
        watch, reply, _ = idle_watch(server, ns, 600)
        began = time.monotonic()
        told = json.loads(reply.readline())
        watch.close()
        return told["type"], time.monotonic() - began < 70
    assert both(servers, steps) == ("BOOKMARK", True)


# --- kill -9 ---

def write_until(server, ns, worker, stop, acknowledged):
    """{name: version} of what the server said it had stored."""
    i = 0
    while not stop.is_set():
        name = f"w{worker}-{i}"
        try:
            status, body = server.rest.call("POST", CONFIG_MAPS.format(ns=ns), {
                "metadata": {"name": name}, "data": {"i": str(i)}})
        except Exception:  # noqa: BLE001 - it is killed amid a request
            return
        if status == 201:
            acknowledged[name] = body["metadata"]["resourceVersion"]
        i += 1


def test_A63_a_kill_loses_no_acknowledged_write(servers, ns):
    def steps(server):
        acknowledged, stop = {}, threading.Event()
        threads = [threading.Thread(target=write_until, args=(server, ns, n, stop, acknowledged))
                   for n in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(acknowledged) > 100, "a hundred writes")

        def while_down():
            stop.set()
            for thread in threads:
                thread.join()
        server.restart(while_down)
        body = listed(server, ns, "")[1]
        found = {item["metadata"]["name"]: item["metadata"]["resourceVersion"]
                 for item in body["items"] if item["metadata"]["name"].startswith("w")}
        whole = all(item["data"]["i"] == item["metadata"]["name"].split("-")[1]
                    for item in body["items"] if item["metadata"]["name"].startswith("w"))
        later = server.rest.call("POST", CONFIG_MAPS.format(ns=ns), config_map("later"))[1]
        newest = max(map(int, found.values()))
        return {"lost": {name for name in acknowledged if name not in found},
                "changed": {name for name, version in acknowledged.items()
                            if found.get(name) != version},
                # A request under way may have been done: one a worker.
                "few more": len(found) - len(acknowledged) <= 4, "whole": whole,
                "later is newer": int(later["metadata"]["resourceVersion"]) > newest}
    result = both(servers, steps)
    assert result == {"lost": set(), "changed": set(), "few more": True, "whole": True,
                      "later is newer": True}


# --- bodies in protobuf ---

POD = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{
    "name": "c", "image": "i:1", "resources": {"limits": {"cpu": "0.5", "memory": "1Gi"}},
    "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
    "ports": [{"containerPort": 80, "protocol": "UDP"}],
    "livenessProbe": {"httpGet": {"port": "http", "path": "/x"}}}]}}
SELECTOR = {"matchLabels": {"app": "x"}}
TIME = "2024-01-01T00:00:00Z"
OBJECTS = {
    "ConfigMap": {"data": {"a": "1", "b": "ü€"},
                  "binaryData": {"k": "AAH/"}, "immutable": True},
    "Secret": {"data": {"a": "MQ=="}, "stringData": {"b": "2"}, "type": "example.com/x"},
    "ServiceAccount": {"secrets": [{"name": "s"}], "imagePullSecrets": [{"name": "p"}],
                       "automountServiceAccountToken": False},
    "Lease": {"spec": {"holderIdentity": "x", "leaseDurationSeconds": 15, "leaseTransitions": 2,
                       "acquireTime": "2024-01-01T00:00:00.123456Z",
                       "renewTime": "2024-01-01T00:00:01.000001Z"}},
    "Event": {"involvedObject": {"kind": "Pod", "name": "x", "namespace": "@ns", "uid": "u"},
              "reason": "Tested", "message": "m", "type": "Normal", "count": 3,
              "firstTimestamp": TIME, "lastTimestamp": TIME, "source": {"component": "c"},
              "reportingComponent": "c", "reportingInstance": "i"},
    "Service": {"spec": {"clusterIP": "None", "selector": {"app": "x"}, "ports": [
        {"name": "a", "port": 80, "targetPort": "http"},
        {"name": "b", "port": 53, "protocol": "UDP", "targetPort": 5353}]}},
    "Deployment": {"spec": {"replicas": 2, "selector": SELECTOR, "template": POD, "strategy": {
        "rollingUpdate": {"maxSurge": "30%", "maxUnavailable": 1}}}},
    "StatefulSet": {"spec": {"serviceName": "x", "selector": SELECTOR, "template": POD}},
    "DaemonSet": {"spec": {"selector": SELECTOR, "template": POD}},
    # What would be generated has the uid of the dry run in it.
    "Job": {"spec": {"backoffLimit": 1, "manualSelector": True, "selector": SELECTOR, "template": {
        **POD, "spec": {**POD["spec"], "restartPolicy": "Never"}}}},
    "CronJob": {"spec": {"schedule": "@hourly", "jobTemplate": {"spec": {"template": {"spec": {
        **POD["spec"], "restartPolicy": "Never"}}}}}},
    "Ingress": {"spec": {"rules": [{"host": "x.example", "http": {"paths": [{
        "path": "/", "pathType": "Prefix", "backend": {"service": {
            "name": "x", "port": {"number": 80}}}}]}}]}},
    "NetworkPolicy": {"spec": {"podSelector": SELECTOR, "ingress": [{"ports": [{
        "port": 80, "endPort": 90}], "from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}},
    "PodDisruptionBudget": {"spec": {"minAvailable": "50%", "selector": SELECTOR}},
    "HorizontalPodAutoscaler": {"spec": {"maxReplicas": 3, "scaleTargetRef": {
        "apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}, "metrics": [{
            "type": "Resource", "resource": {"name": "cpu", "target": {
                "type": "Utilization", "averageUtilization": 60}}}]}},
    "PersistentVolumeClaim": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {
        "requests": {"storage": "1Gi"}}}},
    "Role": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    "RoleBinding": {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
                                "name": "p"}, "subjects": [{"kind": "User", "name": "u"}]},
    "EndpointSlice": {"addressType": "IPv4", "endpoints": [{
        "addresses": ["192.0.2.1"], "conditions": {"ready": True}}], "ports": [
            {"name": "a", "port": 80}]},
    "ResourceQuota": {"spec": {"hard": {"pods": "5", "requests.cpu": "1500m"}}},
    "LimitRange": {"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}},
}


def encoded(kube, path, body):
    """An object in protobuf, as the real server writes it."""
    status, headers, data = kube.rest.raw("POST", path + "?dryRun=All", body, accept=PROTOBUF)
    assert status == 201 and data[:4] == b"k8s\0", data[:200]
    return data


@pytest.mark.parametrize("kind", OBJECTS)
def test_A85_protobuf_bodies(servers, ns, kind):
    body = json.dumps(thing(f"{kind}/p", {"labels": {"a": "b"}, "annotations": {"x": "y"}},
                            **OBJECTS[kind])).replace("@ns", ns)
    path = url(kind, ns=ns)
    data = encoded(servers[1], path, body)

    def steps(server):
        made = server.rest.raw("POST", path, data, PROTOBUF)
        again = server.rest.raw("POST", path, data, PROTOBUF)
        back = server.rest.raw("GET", f"{path}/p")
        put = server.rest.raw("PUT", f"{path}/p", data, PROTOBUF)
        cut = server.rest.raw("POST", path, data[:-3], PROTOBUF)[0]
        gone = server.rest.raw("DELETE", f"{path}/p", b"k8s\0\n\x13\n\x02v1\x12\rDeleteOptions\x12"
                               b"\x00\x1a\x00\"\x00", PROTOBUF)[0]
        return [seen(reply, Ask("POST", path)) for reply in (made, again, back, put)] + [cut, gone]
    replies = both(servers, steps)
    assert [reply[0] for reply in replies[:3]] == [201, 409, 200]


REVIEWS = {
    "TokenRequest": ("/api/v1/namespaces/{ns}/serviceaccounts/default/token", {
        **TOKENS, "spec": {"expirationSeconds": 700, "audiences": ["x"]}},
        lambda body: (body["spec"]["audiences"], body["spec"]["expirationSeconds"])),
    "TokenReview": ("/apis/authentication.k8s.io/v1/tokenreviews", {
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {
            "token": "test-admin-token-of-nobody"}},
        lambda body: body["status"].get("authenticated")),
    "SelfSubjectReview": (REVIEW, SELF, lambda body: body["status"]["userInfo"]["groups"]),
    "SelfSubjectAccessReview": ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {
            "resourceAttributes": {"verb": "get", "resource": "pods"}}},
        lambda body: (body["spec"], body["status"]["allowed"])),
    "SubjectAccessReview": ("/apis/authorization.k8s.io/v1/subjectaccessreviews", {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
            "user": "x", "groups": ["a", "b"], "extra": {"k": ["v"]},
            "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "y"}}},
        lambda body: (body["spec"], body["status"].get("allowed"))),
}


@pytest.mark.parametrize("kind", REVIEWS)
def test_A85_protobuf_reviews(servers, ns, kind):
    path, body, pick = REVIEWS[kind]
    path = path.format(ns=ns)
    for server in servers:
        server.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {
            "name": "default", "namespace": ns}})
    data = encoded(servers[1], path, body)

    def steps(server):
        status, reply = server.rest.call("POST", path, data, PROTOBUF)
        return status, pick(reply) if status == 201 else reply
    assert both(servers, steps)[0] == 201
