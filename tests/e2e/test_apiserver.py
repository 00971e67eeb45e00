"""Acceptance of the embedded API server: one function a line of kube-api.md section 6 (A1...).

The functions only use what the fixture `api` gives (URL, CA, token, kubeconfig), so that they can run
against a real kube-apiserver too: set SLUICE_API_URL, SLUICE_API_CA, SLUICE_API_TOKEN. Functions that need
to restart the server or to read its files are marked `embedded` and skipped there. SLUICE_BUILD is the
build directory (default: build beside the tests' repository).
"""
import base64
import http.client
import json
import os
import pathlib
import queue
import signal
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build"))
BINARY = BUILD / "apiserver" / "sluice-apiserver"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
CM = "/api/v1/namespaces/%s/configmaps"
DEPLOY = "/apis/apps/v1/namespaces/%s/deployments"
REMOTE = "SLUICE_API_URL" in os.environ
embedded = pytest.mark.skipif(REMOTE, reason="needs the embedded server's process")


class Reply:
    def __init__(self, code, headers, body):
        self.code, self.headers, self.text = code, headers, body
        try:
            self.json = json.loads(body) if body else None
        except ValueError:
            self.json = None


class Api:
    """A server and one identity on it."""

    def __init__(self, url, ca, token, kubeconfig=None, process=None, directory=None):
        self.url, self.ca, self.token = url, ca, token
        self.kubeconfig, self.process, self.directory = kubeconfig, process, directory
        self.context = ssl.create_default_context(cafile=ca) if ca else None

    def identity(self, token):
        return Api(self.url, self.ca, token, self.kubeconfig)

    def open(self, method, path, body=None, content_type=None, headers=None, timeout=20):
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("User-Agent", "pytest/1")
        request.add_header("Accept", "application/json")
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        if data is not None:
            request.add_header("Content-Type", content_type or "application/json")
        for key, value in (headers or {}).items():
            request.add_header(key, value)
        return urllib.request.urlopen(request, context=self.context, timeout=timeout)

    def call(self, method, path, body=None, content_type=None, headers=None):
        try:
            with self.open(method, path, body, content_type, headers) as reply:
                return Reply(reply.status, reply.headers, reply.read().decode())
        except urllib.error.HTTPError as error:
            return Reply(error.code, error.headers, error.read().decode())

    def get(self, path, **kw):
        return self.call("GET", path, **kw)

    def post(self, path, body, **kw):
        return self.call("POST", path, body, **kw)

    def put(self, path, body, **kw):
        return self.call("PUT", path, body, **kw)

    def patch(self, path, body, content_type, **kw):
        return self.call("PATCH", path, body, content_type, **kw)

    def delete(self, path, body=None, **kw):
        return self.call("DELETE", path, body, **kw)

    def apply(self, path, body, manager="one", force=False, query=""):
        extra = "&force=true" if force else ""
        return self.patch("%s?fieldManager=%s%s%s" % (path, manager, extra, query), body, APPLY)

    def kubectl(self, *args, text=None, check=True, env=None):
        command = ["kubectl", "--kubeconfig", self.kubeconfig,
                   "--cache-dir", os.path.join(os.path.dirname(self.kubeconfig), "cache")]
        done = subprocess.run(command + list(args), input=text, capture_output=True, text=True,
                              timeout=60, env={**os.environ, **(env or {})})
        if check:
            assert done.returncode == 0, done.stderr + done.stdout
        return done

    def watch(self, path):
        return Watch(self, path)


class Watch:
    """Events of a watch, read on a thread."""

    def __init__(self, api, path):
        self.reply = api.open("GET", path, timeout=90)
        self.events = queue.Queue()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            for line in self.reply:
                if line.strip():
                    self.events.put(json.loads(line))
        except (OSError, ValueError, http.client.HTTPException):
            pass
        self.events.put(None)

    def next(self, timeout=10):
        return self.events.get(timeout=timeout)

    def until_end(self, timeout=15):
        found = []
        while True:
            event = self.next(timeout)
            if event is None:
                return found
            found.append(event)

    def close(self):
        self.reply.close()


def start_server(directory, *flags, port=0):
    directory = pathlib.Path(directory)
    log = open(directory / "log", "ab")
    process = subprocess.Popen(
        [str(BINARY), "--data-dir", str(directory / "data"), "--bind-address",
         "127.0.0.1:%d" % port, *flags], stdout=subprocess.PIPE, stderr=log)
    line = process.stdout.readline()
    assert line, (directory / "log").read_text()
    ready = json.loads(line)
    assert ready["msg"] == "ready", ready
    data = directory / "data"
    plain = ready["address"].startswith("http:")
    return Api(ready["address"], None if plain else str(data / "ca.crt"),
               (data / "admin.token").read_text().strip(), str(data / "admin.kubeconfig"),
               process, data)


def stop_server(api, how=signal.SIGTERM):
    api.process.send_signal(how)
    code = api.process.wait(timeout=20)
    api.process.stdout.close()
    return code


@pytest.fixture(scope="module")
def api():
    with tempfile.TemporaryDirectory(prefix="sluice-api-") as directory:
        if REMOTE:
            config = os.path.join(directory, "kubeconfig")
            url, ca = os.environ["SLUICE_API_URL"], os.environ["SLUICE_API_CA"]
            token = os.environ["SLUICE_API_TOKEN"]
            for args in (["set-cluster", "c", "--server", url, "--certificate-authority", ca],
                         ["set-credentials", "u", "--token", token],
                         ["set-context", "x", "--cluster", "c", "--user", "u"],
                         ["use-context", "x"]):
                subprocess.run(["kubectl", "--kubeconfig", config, "config"] + args, check=True,
                               capture_output=True)
            yield Api(url, ca, token, config)
            return
        tokens = os.path.join(directory, "tokens.csv")
        pathlib.Path(tokens).write_text('jane-token,jane,1,"team"\n')
        server = start_server(directory, "--token-file", tokens)
        yield server
        assert stop_server(server) == 0


@pytest.fixture
def ns(api):
    name = "t-" + uuid.uuid4().hex[:8]
    made = api.post("/api/v1/namespaces", obj("v1", "Namespace", name))
    assert made.code == 201, made.text
    # It comes a moment later, and would be one more event of a watch.
    assert REMOTE or eventually(lambda: api.get(CM % name + "/kube-root-ca.crt").code == 200)
    yield name
    api.delete("/api/v1/namespaces/" + name)


def obj(api_version, kind, name, **rest):
    meta = rest.pop("metadata", {})
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **meta}, **rest}


def config_map(name, data=None, **rest):
    return obj("v1", "ConfigMap", name, data=data or {"k": "v"}, **rest)


def deployment(name, **container):
    spec = {"name": "c", "image": "nginx:1", **container}
    return obj("apps/v1", "Deployment", name, spec={
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [spec]}}})


def rv(reply):
    return reply.json["metadata"]["resourceVersion"]


def eventually(check, timeout=10):
    end = time.monotonic() + timeout
    while True:
        value = check()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.05)


def managers(reply):
    return {(m["manager"], m["operation"]): m
            for m in reply.json["metadata"].get("managedFields", [])}


WIDGET_SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 1, "description": "How big it is."},
                "color": {"type": "string", "enum": ["red", "blue"], "default": "red"},
                "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "left": {"type": "string"},
                "right": {"type": "string"},
                "list": {"type": "array", "x-kubernetes-list-type": "set",
                         "items": {"type": "string"}},
            },
            "x-kubernetes-validations": [{
                "rule": "!has(self.left) || !has(self.right)",
                "message": "left and right exclude each other"}],
        },
        "status": {
            "type": "object",
            "default": {"observedGeneration": -1},
            "properties": {
                "observedGeneration": {"type": "integer"},
                "conditions": {"type": "array", "items": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            },
        },
    },
}


@pytest.fixture
def widgets(api, ns):
    group = "g%s.example.com" % uuid.uuid4().hex[:8]
    short = "w" + group[1:5]
    crd = obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets." + group, spec={
        "group": group, "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget", "singular": "widget",
                  "shortNames": [short]},
        "versions": [{
            "name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": WIDGET_SCHEMA},
            "additionalPrinterColumns": [
                {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                {"name": "Ready", "type": "string",
                 "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
                {"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
        }]})
    made = api.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
    assert made.code == 201, made.text
    base = "/apis/%s/v1/namespaces/%s/widgets" % (group, ns)
    assert eventually(lambda: api.get(base).code == 200, 2)

    class Widgets:
        pass
    found = Widgets()
    found.group, found.base, found.crd, found.short = group, base, crd, short
    found.crd_path = ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets."
                      + group)
    found.make = lambda title, **spec: obj(group + "/v1", "Widget", title,
                                           spec={"size": 1, **spec})
    yield found
    api.delete(found.crd_path)


def test_A1_version(api):
    version = api.get("/version").json
    assert version["major"] == "1" and version["minor"] and version["gitVersion"].startswith("v1.")


def test_A2_readyz(api):
    reply = api.get("/readyz")
    assert (reply.code, reply.text) == (200, "ok")
    assert api.get("/livez").text == "ok" and api.get("/healthz").text == "ok"
    assert "passed" in api.get("/readyz?verbose").text


def test_A3_api_resources(api):
    lines = api.kubectl("api-resources", "--no-headers").stdout
    for name, short in (("configmaps", "cm"), ("deployments", "deploy"), ("pods", "po"),
                        ("customresourcedefinitions", "crd,crds"), ("services", "svc"),
                        ("leases", ""), ("horizontalpodautoscalers", "hpa"),
                        ("networkpolicies", "netpol"), ("priorityclasses", "pc")):
        line = [text.split() for text in lines.splitlines() if text.split()[0] == name]
        assert line, name
        assert not short or line[0][1] == short


def test_A4_aggregated_discovery(api):
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    reply = api.get("/apis", headers={"Accept": accept + ",application/json"})
    assert reply.json["kind"] == "APIGroupDiscoveryList"
    assert "as=APIGroupDiscoveryList" in reply.headers["Content-Type"]
    groups = {item["metadata"]["name"]: item for item in reply.json["items"]}
    resource = [r for r in groups["apps"]["versions"][0]["resources"]
                if r["resource"] == "deployments"][0]
    assert resource["scope"] == "Namespaced" and resource["responseKind"]["kind"] == "Deployment"
    assert {s["subresource"] for s in resource["subresources"]} == {"scale", "status"}
    again = api.get("/apis", headers={"Accept": accept, "If-None-Match": reply.headers["ETag"]})
    assert again.code == 304


def test_A5_legacy_discovery(api):
    assert api.get("/apis").json["kind"] == "APIGroupList"
    assert api.get("/api").json["versions"] == ["v1"]
    assert api.get("/apis/apps").json["preferredVersion"]["groupVersion"] == "apps/v1"
    names = [r["name"] for r in api.get("/apis/apps/v1").json["resources"]]
    assert "deployments" in names and "deployments/scale" in names


def test_A6_bad_token(api):
    assert api.identity("wrong").get("/api/v1/pods").code == 401
    refused = api.identity(None).get("/api/v1/pods")
    assert refused.code == 403
    assert refused.json["message"] == (
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" '
        'at the cluster scope')


@embedded
def test_A7_client_certificate(api):
    with tempfile.TemporaryDirectory() as directory:
        def run(*args):
            subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=directory)
        run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key")
        run("req", "-new", "-key", "key", "-subj", "/O=system:masters/CN=carol", "-out", "csr")
        run("x509", "-req", "-in", "csr", "-CA", str(api.directory / "ca.crt"), "-CAkey",
            str(api.directory / "ca.key"), "-CAcreateserial", "-CAserial", "serial", "-days", "1",
            "-out", "crt")
        out = subprocess.run(
            ["kubectl", "--kubeconfig", "/dev/null", "--server", api.url,
             "--certificate-authority", api.ca, "--client-certificate", directory + "/crt",
             "--client-key", directory + "/key", "auth", "whoami", "-o", "json"],
            capture_output=True, text=True)
        assert out.returncode == 0, out.stderr
        user = json.loads(out.stdout)["status"]["userInfo"]
        assert user["username"] == "carol" and "system:masters" in user["groups"]


def test_A8_service_account_token(api, ns):
    path = "/api/v1/namespaces/%s/serviceaccounts" % ns
    assert api.post(path, obj("v1", "ServiceAccount", "robot")).code == 201
    token = api.kubectl("create", "token", "robot", "-n", ns).stdout.strip()
    robot = api.identity(token)
    review = robot.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
        "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    assert review.json["status"]["userInfo"]["username"] == "system:serviceaccount:%s:robot" % ns
    assert robot.get(CM % ns).code == 403
    api.delete(path + "/robot")
    assert eventually(lambda: robot.get("/api").code == 401, 15)


def allow(api, ns, subject, name="r", verbs=("get", "list", "create"), resources=("configmaps",)):
    base = "/apis/rbac.authorization.k8s.io/v1/namespaces/%s/" % ns
    role = api.post(base + "roles", obj("rbac.authorization.k8s.io/v1", "Role", name, rules=[
        {"apiGroups": [""], "resources": list(resources), "verbs": list(verbs)}]))
    binding = api.post(base + "rolebindings", obj(
        "rbac.authorization.k8s.io/v1", "RoleBinding", name, subjects=[subject],
        roleRef={"kind": "Role", "name": name, "apiGroup": "rbac.authorization.k8s.io"}))
    assert (role.code, binding.code) == (201, 201), role.text + binding.text


JANE = {"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}


def test_A9_role_stops_at_its_namespace(api, ns):
    allow(api, ns, JANE)
    headers = {"Impersonate-User": "jane"}
    assert eventually(lambda: api.get(CM % ns, headers=headers).code == 200, 3)
    other = api.get(CM % "default", headers=headers)
    assert other.code == 403
    assert 'User "jane" cannot list resource "configmaps" in API group "" in the namespace ' \
        '"default"' in other.json["message"]
    assert api.delete(CM % ns + "/x", headers=headers).code == 403


def test_A10_can_i_list(api, ns):
    allow(api, ns, JANE, verbs=("get", "watch"))
    out = api.kubectl("auth", "can-i", "--list", "-n", ns, "--as", "jane").stdout
    line = [text for text in out.splitlines() if text.startswith("configmaps ")]
    assert line and "[get watch]" in line[0]
    assert api.kubectl("auth", "can-i", "get", "cm", "-n", ns, "--as", "jane").stdout == "yes\n"
    no = api.kubectl("auth", "can-i", "delete", "cm", "-n", ns, "--as", "jane", check=False)
    assert no.stdout == "no\n" and no.returncode == 1


@embedded
def test_A11_impersonation_needs_the_right(api):
    refused = api.identity("jane-token").get("/api/v1/pods", headers={"Impersonate-User": "bob"})
    assert refused.code == 403
    assert 'cannot impersonate resource "users"' in refused.json["message"]


def test_A12_impersonated_account_has_its_bindings(api, ns):
    allow(api, ns, {"kind": "ServiceAccount", "name": "robot", "namespace": ns})
    who = "system:serviceaccount:%s:robot" % ns
    api.kubectl("get", "cm", "-n", ns, "--as", who)
    assert api.kubectl("get", "secrets", "-n", ns, "--as", who, check=False).returncode == 1


def test_A13_generate_name(api, ns):
    body = config_map(None, metadata={"generateName": "gen-"})
    del body["metadata"]["name"]
    names = {api.post(CM % ns, body).json["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3 and all(len(n) == 9 and n.startswith("gen-") for n in names)


def test_A14_second_create_exists(api, ns):
    assert api.post(CM % ns, config_map("a")).code == 201
    again = api.post(CM % ns, config_map("a"))
    assert (again.code, again.json["reason"]) == (409, "AlreadyExists")
    assert again.json["message"] == 'configmaps "a" already exists'


def test_A15_wrong_namespace(api, ns):
    reply = api.post(CM % ns, config_map("a", metadata={"namespace": "other"}))
    assert (reply.code, reply.json["reason"]) == (400, "BadRequest")


def test_A16_missing_namespace(api):
    reply = api.post(CM % "nowhere", config_map("a"))
    assert reply.code == 404 and reply.json["message"] == 'namespaces "nowhere" not found'


@embedded
def test_A17_versions_rise_across_restart():
    with tempfile.TemporaryDirectory() as directory:
        server = start_server(directory)
        seen = []
        for i in range(3):
            seen.append(int(rv(server.post(CM % "default", config_map("a%d" % i)))))
            seen.append(int(rv(server.post("/api/v1/namespaces",
                                           obj("v1", "Namespace", "n%d" % i)))))
        newest = server.delete(CM % "default" + "/a2")
        assert newest.code == 200
        before = int(rv(server.get(CM % "default")))
        assert stop_server(server) == 0
        server = start_server(directory)
        seen.append(before)
        seen.append(int(rv(server.post(CM % "default", config_map("b")))))
        assert seen == sorted(set(seen))
        assert stop_server(server) == 0


def test_A18_stale_put(api, ns):
    first = api.post(CM % ns, config_map("a")).json
    assert api.patch(CM % ns + "/a", {"data": {"k": "2"}}, MERGE).code == 200
    first["data"]["k"] = "3"
    stale = api.put(CM % ns + "/a", first)
    assert (stale.code, stale.json["reason"]) == (409, "Conflict")
    assert stale.json["message"] == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please '
        'apply your changes to the latest version and try again')


def test_A19_put_without_version(api, ns, widgets):
    api.post(CM % ns, config_map("a"))
    assert api.put(CM % ns + "/a", config_map("a", {"k": "2"})).code == 200
    assert api.post(widgets.base, widgets.make("w")).code == 201
    assert api.put(widgets.base + "/w", widgets.make("w", size=2)).code == 422


def test_A20_identical_put(api, ns):
    made = api.post(CM % ns, config_map("a"))
    watch = api.watch(CM % ns + "?watch=1&timeoutSeconds=2&resourceVersion=" + rv(made))
    again = api.put(CM % ns + "/a", made.json)
    assert again.code == 200 and rv(again) == rv(made)
    assert watch.until_end() == []


def test_A21_put_absent(api, ns):
    lease = obj("coordination.k8s.io/v1", "Lease", "l", spec={"holderIdentity": "x"})
    path = "/apis/coordination.k8s.io/v1/namespaces/%s/leases/l" % ns
    assert api.put(path, lease).code == 201
    assert api.put(CM % ns + "/nope", config_map("nope")).code == 404


def test_A22_generation(api, widgets):
    assert api.post(widgets.base, widgets.make("w")).json["metadata"]["generation"] == 1
    path = widgets.base + "/w"
    edited = api.patch(path, {"spec": {"size": 2}}, MERGE).json
    assert edited["metadata"]["generation"] == 2
    labelled = api.patch(path, {"metadata": {"labels": {"a": "b"}}}, MERGE).json
    assert labelled["metadata"]["generation"] == 2


def test_A23_no_generation_on_config_maps(api, ns):
    assert "generation" not in api.post(CM % ns, config_map("a")).json["metadata"]


def test_A24_status_paths(api, widgets):
    body = widgets.make("w")
    body["status"] = {"observedGeneration": 7}
    made = api.post(widgets.base, body).json
    assert made["status"] == {"observedGeneration": -1}
    made["status"] = {"observedGeneration": 5}
    made["spec"]["size"] = 3
    put = api.put(widgets.base + "/w", made).json
    assert put["status"] == {"observedGeneration": -1} and put["spec"]["size"] == 3
    put["status"] = {"observedGeneration": 2}
    put["spec"]["size"] = 9
    status = api.put(widgets.base + "/w/status", put).json
    assert status["status"] == {"observedGeneration": 2} and status["spec"]["size"] == 3
    assert status["metadata"]["generation"] == put["metadata"]["generation"]


def test_A25_dry_run_create(api, ns):
    made = api.post(CM % ns + "?dryRun=All", config_map("a"))
    assert made.code == 201 and made.json["metadata"]["uid"]
    assert not made.json["metadata"].get("resourceVersion")
    assert api.get(CM % ns + "/a").code == 404


def test_A26_field_validation(api, ns, widgets):
    body = config_map("a")
    body["dataa"] = {}
    strict = api.post(CM % ns + "?fieldValidation=Strict", body)
    assert strict.code == 400
    assert 'strict decoding error: unknown field "dataa"' in strict.json["message"]
    warned = api.post(CM % ns, body)
    assert warned.code == 201
    assert warned.headers["Warning"] == '299 - "unknown field \\"dataa\\""'
    strict = api.post(widgets.base + "?fieldValidation=Strict", widgets.make("w", oops=1))
    assert strict.code == 400 and 'unknown field "spec.oops"' in strict.json["message"]


def test_A27_json_patch_failing_test(api, ns):
    api.post(CM % ns, config_map("a"))
    patch = [{"op": "test", "path": "/data/k", "value": "other"}]
    assert api.patch(CM % ns + "/a", patch, JSON_PATCH).code == 422
    good = [{"op": "test", "path": "/data/k", "value": "v"},
            {"op": "add", "path": "/data/x", "value": "y"}]
    assert api.patch(CM % ns + "/a", good, JSON_PATCH).json["data"] == {"k": "v", "x": "y"}


def test_A28_merge_patch_null(api, ns):
    api.post(CM % ns, config_map("a", {"k": "v", "x": "y"}))
    assert api.patch(CM % ns + "/a", {"data": {"x": None}}, MERGE).json["data"] == {"k": "v"}


def test_A29_strategic_adds_container(api, ns):
    assert api.post(DEPLOY % ns, deployment("d")).code == 201
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "s", "image": "x:1"}]}}}}
    reply = api.patch(DEPLOY % ns + "/d", patch, STRATEGIC)
    found = reply.json["spec"]["template"]["spec"]["containers"]
    assert {c["name"]: c["image"] for c in found} == {"c": "nginx:1", "s": "x:1"}


def test_A30_strategic_on_custom_kind(api, widgets):
    api.post(widgets.base, widgets.make("w"))
    assert api.patch(widgets.base + "/w", {"spec": {"size": 2}}, STRATEGIC).code == 415


def test_A31_strategic_delete_directive(api, ns):
    body = deployment("d", env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    assert api.post(DEPLOY % ns, body).code == 201
    patch = {"spec": {"template": {"spec": {"containers": [
        {"name": "c", "env": [{"name": "A", "$patch": "delete"}]}]}}}}
    found = api.patch(DEPLOY % ns + "/d", patch, STRATEGIC).json
    assert found["spec"]["template"]["spec"]["containers"][0]["env"] == [
        {"name": "B", "value": "2"}]


def test_A32_scale(api, ns):
    api.post(DEPLOY % ns, deployment("d"))
    path = DEPLOY % ns + "/d/scale"
    scale = api.get(path).json
    assert scale["kind"] == "Scale" and scale["spec"]["replicas"] == 1
    api.kubectl("scale", "deploy/d", "-n", ns, "--replicas=3")
    assert api.get(DEPLOY % ns + "/d").json["spec"]["replicas"] == 3
    assert api.get(path).json["status"]["selector"] == "app=d"


def test_A33_apply_creates_then_rests(api, ns):
    first = api.apply(CM % ns + "/a", config_map("a"))
    assert first.code == 201
    again = api.apply(CM % ns + "/a", config_map("a"))
    assert again.code == 200 and rv(again) == rv(first)


def test_A34_apply_needs_manager(api, ns):
    reply = api.patch(CM % ns + "/a", config_map("a"), APPLY)
    assert reply.code == 422 and "fieldManager" in reply.json["message"]
    forced = api.patch(CM % ns + "/a?force=true", {}, MERGE)
    assert forced.code == 422


def test_A35_conflict_and_force(api, ns):
    api.apply(CM % ns + "/a", config_map("a"), "one")
    clash = api.apply(CM % ns + "/a", config_map("a", {"k": "2"}), "two")
    assert clash.code == 409
    assert clash.json["message"] == (
        'Apply failed with 1 conflict: conflict with "one": .data.k')
    cause = clash.json["details"]["causes"][0]
    assert (cause["reason"], cause["field"]) == ("FieldManagerConflict", ".data.k")
    won = api.apply(CM % ns + "/a", config_map("a", {"k": "2"}), "two", force=True)
    assert won.code == 200 and won.json["data"]["k"] == "2"
    assert ("one", "Apply") not in managers(won)


def test_A36_shared_ownership(api, ns):
    api.apply(CM % ns + "/a", config_map("a"), "one")
    both = managers(api.apply(CM % ns + "/a", config_map("a"), "two"))
    for name in ("one", "two"):
        assert "f:k" in both[(name, "Apply")]["fieldsV1"]["f:data"]


def test_A37_dropped_field_goes(api, ns):
    api.apply(CM % ns + "/a", config_map("a", {"k": "v", "x": "y"}))
    assert api.apply(CM % ns + "/a", config_map("a")).json["data"] == {"k": "v"}


def test_A38_co_owned_field_stays(api, ns):
    api.apply(CM % ns + "/a", config_map("a", {"k": "v", "x": "y"}), "one")
    api.apply(CM % ns + "/a", config_map("a", {"x": "y"}), "two")
    assert api.apply(CM % ns + "/a", config_map("a"), "one").json["data"] == {"k": "v", "x": "y"}


def test_A39_foreign_list_items_stay(api, ns):
    body = deployment("d", env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    assert api.apply(DEPLOY % ns + "/d", body, "one").code == 201
    patch = {"spec": {"template": {"spec": {"containers": [
        {"name": "c", "env": [{"name": "C", "value": "3"}]}]}}}}
    assert api.patch(DEPLOY % ns + "/d", patch, STRATEGIC).code == 200
    fewer = api.apply(DEPLOY % ns + "/d", deployment("d", env=[{"name": "A", "value": "1"}]), "one")
    env = fewer.json["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {e["name"] for e in env} == {"A", "C"}


def test_A40_update_managers_field_survives(api, ns):
    api.apply(CM % ns + "/a", config_map("a"))
    api.patch(CM % ns + "/a", {"data": {"other": "1"}}, MERGE)
    assert api.apply(CM % ns + "/a", config_map("a")).json["data"] == {"k": "v", "other": "1"}


def service(name, ports, **spec):
    return obj("v1", "Service", name, spec={"selector": {"a": "b"}, "ports": ports, **spec})


def test_A41_same_port_two_protocols(api, ns):
    ports = [{"name": "t", "port": 53, "protocol": "TCP"},
             {"name": "u", "port": 53, "protocol": "UDP"}]
    path = "/api/v1/namespaces/%s/services/dns" % ns
    made = api.apply(path, service("dns", ports))
    assert made.code == 201, made.text
    assert [p["protocol"] for p in made.json["spec"]["ports"]] == ["TCP", "UDP"]


def test_A42_protocol_default_in_keys(api, ns):
    path = "/api/v1/namespaces/%s/services/web" % ns
    made = api.apply(path, service("web", [{"port": 80}]))
    keys = managers(made)[("one", "Apply")]["fieldsV1"]["f:spec"]["f:ports"]
    assert 'k:{"port":80,"protocol":"TCP"}' in keys


def test_A43_tolerations_replaced(api, ns):
    body = deployment("d")
    pod = body["spec"]["template"]["spec"]
    pod["tolerations"] = [{"key": "a", "operator": "Exists"}]
    api.apply(DEPLOY % ns + "/d", body)
    pod["tolerations"] = [{"key": "b", "operator": "Exists"}]
    found = api.apply(DEPLOY % ns + "/d", body).json["spec"]["template"]["spec"]["tolerations"]
    assert found == [{"key": "b", "operator": "Exists"}]


def test_A44_status_apply_has_its_own_entry(api, widgets):
    api.apply(widgets.base + "/w", widgets.make("w"))
    status = {"apiVersion": widgets.group + "/v1", "kind": "Widget", "metadata": {"name": "w"},
              "status": {"observedGeneration": 1}}
    reply = api.apply(widgets.base + "/w/status", status, "ctl")
    assert reply.code == 200, reply.text
    entry = managers(reply)[("ctl", "Apply")]
    assert entry["subresource"] == "status"
    assert entry["fieldsV1"] == {"f:status": {"f:observedGeneration": {}}}


def test_A45_ancient_changes(api, ns):
    api.post(CM % ns + "?fieldManager=m0", config_map("a"))
    for i in range(1, 12):
        reply = api.patch(CM % ns + "/a?fieldManager=m%d" % i, {"data": {"k%d" % i: "x"}}, MERGE)
    assert ("ancient-changes", "Update") in managers(reply)
    assert len([m for m in managers(reply) if m[1] == "Update"]) <= 11


def test_A46_reset_of_managed_fields(api, ns):
    api.apply(CM % ns + "/a", config_map("a"))
    reply = api.patch(CM % ns + "/a", {"metadata": {"managedFields": [{}]}}, MERGE)
    assert reply.code == 200 and "managedFields" not in reply.json["metadata"]


def test_A47_client_apply_then_server_side(api, ns):
    text = json.dumps(config_map("a", metadata={"namespace": ns}))
    api.kubectl("apply", "-f", "-", text=text)
    other = json.dumps(config_map("a", {"k": "2"}, metadata={"namespace": ns}))
    api.kubectl("apply", "--server-side", "-f", "-", text=other)
    assert api.get(CM % ns + "/a").json["data"] == {"k": "2"}


def test_A48_unknown_field_in_apply(api, ns):
    body = config_map("a")
    body["dataa"] = {"x": "y"}
    reply = api.apply(CM % ns + "/a", body)
    assert reply.code == 500 and ".dataa: field not declared in schema" in reply.json["message"]


def test_A49_quantity_normal_form(api, ns):
    body = deployment("d", resources={"limits": {"cpu": "0.5", "memory": "1024Mi"}})
    first = api.apply(DEPLOY % ns + "/d", body)
    limits = first.json["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": "500m", "memory": "1Gi"}
    again = api.apply(DEPLOY % ns + "/d", body)
    assert again.code == 200 and rv(again) == rv(first)


def test_A50_deployment_defaults(api, ns):
    body = deployment("d", readinessProbe={"httpGet": {"port": 80}})
    spec = api.post(DEPLOY % ns, body).json["spec"]
    assert (spec["replicas"], spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (
        1, 10, 600)
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {
        "maxSurge": "25%", "maxUnavailable": "25%"}}
    pod = spec["template"]["spec"]
    assert pod["dnsPolicy"] == "ClusterFirst" and pod["restartPolicy"] == "Always"
    assert pod["schedulerName"] == "default-scheduler" and pod["securityContext"] == {}
    assert pod["terminationGracePeriodSeconds"] == 30
    container = pod["containers"][0]
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["readinessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1,
        "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def test_A51_cluster_ip(api, ns):
    path = "/api/v1/namespaces/%s/services" % ns
    made = api.post(path, service("web", [{"port": 80}])).json
    spec = made["spec"]
    assert spec["clusterIP"] and spec["clusterIPs"] == [spec["clusterIP"]]
    assert spec["ports"][0]["targetPort"] == 80 and spec["sessionAffinity"] == "None"
    changed = api.patch(path + "/web", {"spec": {"clusterIP": "10.0.0.77"}}, MERGE)
    assert changed.code == 422
    kept = api.put(path + "/web", service("web", [{"port": 81}]))
    assert kept.code == 200 and kept.json["spec"]["clusterIP"] == spec["clusterIP"]


def test_A52_selector_is_immutable(api, ns):
    api.post(DEPLOY % ns, deployment("d"))
    patch = {"spec": {"selector": {"matchLabels": {"app": "x"}},
                      "template": {"metadata": {"labels": {"app": "x"}}}}}
    reply = api.patch(DEPLOY % ns + "/d", patch, MERGE)
    assert reply.code == 422 and "field is immutable" in reply.json["message"]


def test_A53_string_data(api, ns):
    made = api.post("/api/v1/namespaces/%s/secrets" % ns,
                    obj("v1", "Secret", "s", stringData={"a": "secret"})).json
    assert base64.b64decode(made["data"]["a"]) == b"secret"
    assert "stringData" not in made and made["type"] == "Opaque"


def test_A54_pages(api, ns):
    for i in range(5):
        api.post(CM % ns, config_map("p%d" % i, metadata={"labels": {"p": "1"}}))
    names, versions, token = [], set(), ""
    while True:
        page = api.get(CM % ns + "?limit=2&continue=" + token).json
        names += [item["metadata"]["name"] for item in page["items"]]
        versions.add(page["metadata"]["resourceVersion"])
        token = page["metadata"].get("continue", "")
        if not token:
            break
        assert page["metadata"]["remainingItemCount"] > 0
        api.post(CM % ns, config_map("p1-%d" % len(names)))
    assert sorted(set(names)) == names and len(versions) == 1
    assert {n for n in names if n.startswith("p")} == {"p%d" % i for i in range(5)}
    assert api.get(CM % ns + "?limit=2&continue=bad").code == 400


def test_A56_field_selectors(api, ns):
    api.post(CM % ns, config_map("a"))
    api.post(CM % ns, config_map("b"))
    found = api.get(CM % ns + "?fieldSelector=metadata.name%3Db").json["items"]
    assert [item["metadata"]["name"] for item in found] == ["b"]
    assert api.get(CM % ns + "?fieldSelector=spec.x%3Db").code == 400
    labels = api.get(CM % ns + "?labelSelector=" + urllib.parse.quote("a in ("))
    assert labels.code == 400


def test_A57_watch_from_version(api, ns):
    start = rv(api.get(CM % ns))
    api.post(CM % ns, config_map("a"))
    api.patch(CM % ns + "/a", {"data": {"k": "2"}}, MERGE)
    watch = api.watch(CM % ns + "?watch=1&timeoutSeconds=3&resourceVersion=" + start)
    api.patch(CM % ns + "/a", {"data": {"k": "3"}}, MERGE)
    api.delete(CM % ns + "/a")
    events = [e for e in watch.until_end() if e["object"]["metadata"]["name"] == "a"]
    assert [(e["type"], e["object"]["data"]["k"]) for e in events] == [
        ("ADDED", "v"), ("MODIFIED", "2"), ("MODIFIED", "3"), ("DELETED", "3")]
    versions = [int(e["object"]["metadata"]["resourceVersion"]) for e in events]
    assert versions == sorted(set(versions))


def test_A58_leaving_a_selector(api, ns):
    made = api.post(CM % ns, config_map("a", metadata={"labels": {"on": "1"}}))
    path = CM % ns + "?watch=1&timeoutSeconds=2&labelSelector=on%3D1&resourceVersion=" + rv(made)
    watch = api.watch(path)
    gone = api.patch(CM % ns + "/a", {"metadata": {"labels": None}}, MERGE)
    back = api.patch(CM % ns + "/a", {"metadata": {"labels": {"on": "1"}}}, MERGE)
    events = watch.until_end()
    assert [e["type"] for e in events] == ["DELETED", "ADDED"]
    assert events[0]["object"]["metadata"]["labels"] == {"on": "1"}
    assert [e["object"]["metadata"]["resourceVersion"] for e in events] == [rv(gone), rv(back)]


def test_A60_watch_list(api, ns):
    for name in ("a", "b"):
        api.post(CM % ns, config_map(name))
    watch = api.watch(CM % ns + "?watch=1&sendInitialEvents=true&allowWatchBookmarks=true"
                      "&resourceVersionMatch=NotOlderThan&timeoutSeconds=5")
    names = []
    while True:
        event = watch.next()
        if event["type"] == "ERROR":
            pytest.skip("this server's etcd is too old for WatchList")
        if event["type"] == "BOOKMARK":
            break
        names.append(event["object"]["metadata"]["name"])
    assert {"a", "b"} <= set(names)
    assert event["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    api.post(CM % ns, config_map("c"))
    while event["type"] != "ADDED":
        event = watch.next()
    assert event["object"]["metadata"]["name"] == "c"
    watch.close()
    assert api.get(CM % ns + "?sendInitialEvents=true").code == 422
    assert api.get(CM % ns + "?watch=1&sendInitialEvents=true").code == 422
    assert api.get(CM % ns + "?resourceVersionMatch=Exact").code == 422


@pytest.mark.skipif("SLUICE_SLOW" not in os.environ, reason="takes a minute; set SLUICE_SLOW")
def test_A61_bookmark(api, ns):
    watch = api.watch(CM % ns + "?watch=1&allowWatchBookmarks=true&resourceVersion="
                      + rv(api.get(CM % ns)))
    end = time.monotonic() + 70
    while time.monotonic() < end:
        if watch.next(75)["type"] == "BOOKMARK":
            watch.close()
            return
    pytest.fail("no bookmark")


def test_A62_watch_timeout(api, ns):
    start = time.monotonic()
    watch = api.watch(CM % ns + "?watch=1&timeoutSeconds=2&resourceVersion=" + rv(api.get(CM % ns)))
    assert watch.until_end() == []
    assert 1 <= time.monotonic() - start < 6


def test_A62_version_from_the_future(api, ns):
    reply = api.get(CM % ns + "?resourceVersion=99999999")
    assert reply.code == 504
    assert reply.json["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert reply.json["details"]["retryAfterSeconds"] == 1


@embedded
def test_A63_kill_loses_nothing():
    with tempfile.TemporaryDirectory() as directory:
        server = start_server(directory)
        acknowledged, stop = [], threading.Event()

        def write(worker):
            i = 0
            while not stop.is_set():
                name = "w%d-%d" % (worker, i)
                try:
                    if server.post(CM % "default", config_map(name)).code == 201:
                        acknowledged.append(name)
                except (OSError, http.client.HTTPException):
                    return
                i += 1
        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        assert eventually(lambda: len(acknowledged) > 100, 20)
        stop_server(server, signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()
        server = start_server(directory)
        found = {i["metadata"]["name"] for i in server.get(CM % "default").json["items"]}
        assert set(acknowledged) <= found
        assert stop_server(server) == 0


def test_A64_finalizer_holds(api, ns):
    api.post(CM % ns, config_map("a", metadata={"finalizers": ["example.com/hold"]}))
    held = api.delete(CM % ns + "/a")
    assert held.code == 200 and held.json["metadata"]["deletionTimestamp"]
    assert api.get(CM % ns + "/a").code == 200
    api.patch(CM % ns + "/a", {"metadata": {"finalizers": None}}, MERGE)
    assert api.get(CM % ns + "/a").code == 404


def test_A65_no_new_finalizers(api, ns):
    api.post(CM % ns, config_map("a", metadata={"finalizers": ["example.com/hold"]}))
    api.delete(CM % ns + "/a")
    patch = {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}}
    reply = api.patch(CM % ns + "/a", patch, MERGE)
    assert reply.code == 422 and "no new finalizers" in reply.json["message"]
    api.patch(CM % ns + "/a", {"metadata": {"finalizers": None}}, MERGE)


def test_A66_uid_precondition(api, ns):
    api.post(CM % ns, config_map("a"))
    reply = api.delete(CM % ns + "/a", {"preconditions": {"uid": "other"}})
    assert (reply.code, reply.json["reason"]) == (409, "Conflict")
    assert api.get(CM % ns + "/a").code == 200


def owned(name, owner, block=False):
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"],
                 "uid": owner["metadata"]["uid"], "blockOwnerDeletion": block}
    return config_map(name, metadata={"ownerReferences": [reference]})


# A bare kube-apiserver has no garbage collector, so these are the embedded server's.
@embedded
def test_A67_background(api, ns):
    owner = api.post(CM % ns, config_map("owner")).json
    api.post(CM % ns, owned("child", owner))
    api.delete(CM % ns + "/owner", {"propagationPolicy": "Background"})
    assert eventually(lambda: api.get(CM % ns + "/child").code == 404)


@embedded
def test_A67_absent_owner(api, ns):
    owner = {"metadata": {"name": "ghost", "uid": str(uuid.uuid4())}}
    api.post(CM % ns, owned("child", owner))
    assert eventually(lambda: api.get(CM % ns + "/child").code == 404)


@embedded
def test_A68_foreground(api, ns):
    owner = api.post(CM % ns, config_map("owner")).json
    child = owned("child", owner, block=True)
    child["metadata"]["finalizers"] = ["example.com/hold"]
    api.post(CM % ns, child)
    api.delete(CM % ns + "/owner", {"propagationPolicy": "Foreground"})
    assert eventually(lambda: "deletionTimestamp" in
                      api.get(CM % ns + "/child").json["metadata"])
    assert api.get(CM % ns + "/owner").code == 200
    api.patch(CM % ns + "/child", {"metadata": {"finalizers": None}}, MERGE)
    assert eventually(lambda: api.get(CM % ns + "/owner").code == 404)


@embedded
def test_A69_orphan(api, ns):
    owner = api.post(CM % ns, config_map("owner")).json
    api.post(CM % ns, owned("child", owner))
    api.delete(CM % ns + "/owner", {"propagationPolicy": "Orphan"})
    assert eventually(lambda: api.get(CM % ns + "/owner").code == 404)
    assert "ownerReferences" not in api.get(CM % ns + "/child").json["metadata"]


@embedded
def test_A70_namespace_deletion(api):
    name = "gone-" + uuid.uuid4().hex[:6]
    api.post("/api/v1/namespaces", obj("v1", "Namespace", name))
    api.post(CM % name, config_map("a", metadata={"finalizers": ["example.com/hold"]}))
    deleted = api.delete("/api/v1/namespaces/" + name).json
    assert deleted["status"]["phase"] == "Terminating"
    refused = api.post(CM % name, config_map("b"))
    assert refused.code == 403
    assert refused.json["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    assert eventually(lambda: "deletionTimestamp" in api.get(CM % name + "/a").json["metadata"])
    api.patch(CM % name + "/a", {"metadata": {"finalizers": None}}, MERGE)
    assert eventually(lambda: api.get("/api/v1/namespaces/" + name).code == 404)
    assert api.delete("/api/v1/namespaces/default").code == 403


@embedded
def test_A71_namespace_contents(api, ns):
    assert eventually(
        lambda: api.get("/api/v1/namespaces/%s/serviceaccounts/default" % ns).code == 200)
    assert eventually(lambda: api.get(CM % ns + "/kube-root-ca.crt").code == 200)
    api.delete(CM % ns + "/kube-root-ca.crt")
    assert eventually(lambda: api.get(CM % ns + "/kube-root-ca.crt").code == 200)


def test_A72_crd_established(api, widgets):
    assert eventually(lambda: any(
        c["type"] == "Established" and c["status"] == "True"
        for c in api.get(widgets.crd_path).json["status"]["conditions"]), 1)
    api.kubectl("get", "widgets." + widgets.group, "-A")


def test_A73_crd_deletion(api, widgets):
    api.post(widgets.base, widgets.make("w"))
    watch = api.watch(widgets.base + "?watch=1&resourceVersion=" + rv(api.get(widgets.base)))
    api.delete(widgets.crd_path)
    assert eventually(lambda: api.get(widgets.crd_path).code == 404)
    assert eventually(lambda: api.get(widgets.base).code == 404)
    assert [e["type"] for e in watch.until_end()][:1] == ["DELETED"]


def test_A74_pruning(api, widgets):
    made = api.post(widgets.base, widgets.make("w", oops=1, free={"any": {"thing": 1}})).json
    assert "oops" not in made["spec"] and made["spec"]["free"] == {"any": {"thing": 1}}


def test_A75_defaults(api, widgets):
    made = api.post(widgets.base, widgets.make("w")).json
    assert made["spec"]["color"] == "red"
    assert api.get(widgets.base + "/w").json["status"] == {"observedGeneration": -1}


def test_A76_validation(api, widgets):
    reply = api.post(widgets.base, widgets.make("w", color="green"))
    assert reply.code == 422
    assert reply.json["message"].endswith(
        'is invalid: [spec.color: Unsupported value: "green": supported values: "red", "blue", '
        '<nil>: Invalid value: null: some validation rules were not checked because the object was '
        'invalid; correct the existing errors to complete validation]')
    reply = api.post(widgets.base, widgets.make("w", name="ABC"))
    cause = reply.json["details"]["causes"][0]
    assert cause["field"] == "spec.name"
    assert cause["message"] == "Invalid value: \"ABC\": spec.name in body should match '^[a-z]+$'"
    reply = api.post(widgets.base, widgets.make("w", size=0))
    assert "spec.size in body should be greater than or equal to 1" in reply.json["message"]
    reply = api.post(widgets.base, widgets.make("w", list=["a", "a"]))
    assert 'spec.list[1]: Duplicate value: "a"' in reply.json["message"]
    body = widgets.make("w")
    del body["spec"]["size"]
    assert "spec.size: Required value" in api.post(widgets.base, body).json["message"]


def test_A77_exclusive_members(api, widgets):
    reply = api.post(widgets.base, widgets.make("w", left="a", right="b"))
    assert reply.code == 422
    assert ('spec: Invalid value: "object": left and right exclude each other'
            in reply.json["message"])
    assert api.post(widgets.base, widgets.make("w", left="a")).code == 201


@pytest.mark.skipif(not list((ROOT / "deploy").glob("crds/*.yaml")), reason="no CRDs in deploy")
def test_A78_sluice_crds_load(api):
    for path in sorted((ROOT / "deploy" / "crds").glob("*.yaml")):
        api.kubectl("apply", "--server-side", "-f", str(path))
    listed = api.kubectl("get", "crd", "-o", "name").stdout
    assert "kustomizations.kustomize.toolkit.fluxcd.io" in listed


def test_A79_printer_columns(api, ns, widgets):
    api.post(widgets.base, widgets.make("w", size=7))
    status = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    api.patch(widgets.base + "/w/status", status, MERGE)
    out = api.kubectl("get", "widgets." + widgets.group, "-n", ns).stdout.splitlines()
    assert out[0].split() == ["NAME", "AGE", "READY", "SIZE"]
    assert out[1].split()[0] == "w" and out[1].split()[2:] == ["True", "7"]


def test_A80_explain(api, widgets):
    def explain():
        return api.kubectl("explain", "widgets.spec.size",
                           "--api-version=%s/v1" % widgets.group, check=False).stdout
    out = eventually(explain)
    assert "How big it is." in out and "<integer>" in out
    assert "replicas" in api.kubectl("explain", "deployment.spec").stdout


def test_A81_kubectl_apply(api, ns, widgets):
    for body in (config_map("a"), deployment("d"), widgets.make("w")):
        body["metadata"]["namespace"] = ns
        said = [api.kubectl("apply", "-f", "-", text=json.dumps(body)).stdout.split()[-1]
                for _ in range(2)]
        body["metadata"]["labels"] = {"new": "1"}
        said.append(api.kubectl("apply", "-f", "-", text=json.dumps(body)).stdout.split()[-1])
        assert said == ["created", "unchanged", "configured"]


def test_A82_kubectl_diff(api, ns):
    body = deployment("d")
    body["metadata"]["namespace"] = ns
    api.kubectl("apply", "-f", "-", text=json.dumps(body))
    api.kubectl("diff", "-f", "-", text=json.dumps(body))
    body["spec"]["replicas"] = 4
    differs = api.kubectl("diff", "-f", "-", text=json.dumps(body), check=False)
    assert differs.returncode == 1 and "+  replicas: 4" in differs.stdout


def test_A83_kubectl_wait(api, ns, widgets):
    api.post(widgets.base, widgets.make("w"))
    command = ["kubectl", "--kubeconfig", api.kubeconfig, "wait", "-n", ns,
               "widgets.%s/w" % widgets.group, "--for=condition=Ready", "--timeout=20s"]
    waiting = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    status = {"status": {"observedGeneration": 1,
                         "conditions": [{"type": "Ready", "status": "True"}]}}
    api.patch(widgets.base + "/w/status", status, MERGE)
    out, _ = waiting.communicate(timeout=25)
    assert waiting.returncode == 0 and "condition met" in out


def test_A85_protobuf_bodies(api, ns):
    """kubectl's typed clients write built-in kinds as protobuf."""
    api.kubectl("create", "configmap", "a", "-n", ns, "--from-literal=x=y")
    assert api.get(CM % ns + "/a").json["data"] == {"x": "y"}
    api.kubectl("create", "secret", "generic", "s", "-n", ns, "--from-literal=p=q")
    secret = api.get("/api/v1/namespaces/%s/secrets/s" % ns).json
    assert secret["data"] == {"p": "cQ=="} and secret["type"] == "Opaque"
    api.kubectl("create", "deployment", "d", "-n", ns, "--image=x:1", "--replicas=2")
    made = api.get(DEPLOY % ns + "/d").json
    assert made["spec"]["replicas"] == 2
    assert made["spec"]["template"]["spec"]["containers"][0]["image"] == "x:1"


def test_A90_unsimulated(api, ns):
    api.post(DEPLOY % ns, deployment("d"))
    assert api.get("/api/v1/namespaces/%s/pods" % ns).json["items"] == []


def test_delete_collection(api, ns):
    for name in ("a", "b"):
        api.post(CM % ns, config_map(name, metadata={"labels": {"x": name}}))
    assert api.delete(CM % ns + "?labelSelector=x%3Da").code == 200
    assert api.get(CM % ns + "/a").code == 404 and api.get(CM % ns + "/b").code == 200


def test_partial_metadata(api, ns):
    api.post(CM % ns, config_map("a"))
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    found = api.get(CM % ns, headers=accept).json
    assert found["kind"] == "PartialObjectMetadataList"
    assert all("data" not in item for item in found["items"])
    assert found["items"][0]["kind"] == "PartialObjectMetadata"


def test_yaml_body_and_reply(api, ns):
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yam}\ndata: {a: b}\n"
    assert api.call("POST", CM % ns, text, "application/yaml").code == 201
    shown = api.get(CM % ns + "/yam", headers={"Accept": "application/yaml"}).text
    assert "kind: ConfigMap" in shown


def test_bad_bodies(api, ns):
    assert api.call("POST", CM % ns, b"{").code == 400
    assert api.call("POST", CM % ns, b"[]").code == 400
    # One byte over: a server may close the connection on what it has not read.
    assert api.call("POST", CM % ns, b"x" * ((3 << 20) + 1)).code == 413
    assert api.call("POST", CM % ns, b"{}", "text/plain").code == 415
    assert api.post(CM % ns, {"apiVersion": "v2", "kind": "ConfigMap"}).code == 400
    assert api.post(CM % ns, config_map("A_b")).code == 422
    assert api.put(CM % ns, {}).code == 405
    assert api.get("/api/v1/namespaces/%s/nothings" % ns).code == 404
    assert api.post(CM % ns, config_map("a", {"a": 1})).code == 400
