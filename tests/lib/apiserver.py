"""Sluice's embedded API server as its own tests use it: a client that shows whole replies, servers
that are started with flags, and the fixtures `api`, `ns` and `widgets` (import them).

SLUICE_API_URL, SLUICE_API_CA and SLUICE_API_TOKEN name another server to use: those that need
to restart it, or to read its files, are marked `embedded` and skipped there. SLUICE_BUILD: the build."""
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
import urllib.request
import uuid

import pytest

from .net import PATIENCE

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

    def open(self, method, path, body=None, content_type=None, headers=None, timeout=PATIENCE):
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
        self.reply = api.open("GET", path)
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

    def next(self, timeout=PATIENCE):
        return self.events.get(timeout=timeout)

    def until_end(self, timeout=PATIENCE):
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
    code = api.process.wait(timeout=60)
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


def eventually(check, timeout=PATIENCE):
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
    assert eventually(lambda: api.get(base).code == 200)

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


def allow(api, ns, subject, name="r", verbs=("get", "list", "create"), resources=("configmaps",),
          group=""):
    base = "/apis/rbac.authorization.k8s.io/v1/namespaces/%s/" % ns
    role = api.post(base + "roles", obj("rbac.authorization.k8s.io/v1", "Role", name, rules=[
        {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}]))
    binding = api.post(base + "rolebindings", obj(
        "rbac.authorization.k8s.io/v1", "RoleBinding", name, subjects=[subject],
        roleRef={"kind": "Role", "name": name, "apiGroup": "rbac.authorization.k8s.io"}))
    assert (role.code, binding.code) == (201, 201), role.text + binding.text


JANE = {"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}


def service(name, ports, **spec):
    return obj("v1", "Service", name, spec={"selector": {"a": "b"}, "ports": ports, **spec})


def owned(name, owner, block=False):
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"],
                 "uid": owner["metadata"]["uid"], "blockOwnerDeletion": block}
    return config_map(name, metadata={"ownerReferences": [reference]})
