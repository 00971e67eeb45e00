"""HelmReleases and what they are made of, without source-controller: charts served by the test's own
HTTP server, source objects with a status made by hand. Import `releases` to use it as a fixture;
`controller_with(flags)` makes the daemon's."""
import hashlib
import io
import itertools
import json
import tarfile
import time

import pytest
import yaml

from . import leaks
from .apps import put_status
from .controllers import Controller
from .helm import secrets_of, statuses
from .net import PATIENCE, wait_until
from .sink import Sink

OWNER = "helm.toolkit.fluxcd.io/"
REQUESTS = itertools.count(1)
KINDS = {"ConfigMap": "v1", "Secret": "v1", "Pod": "v1", "Service": "v1", "Deployment": "apps/v1",
         "Job": "batch/v1"}


def template(kind, name, annotations=None, labels=None, finalizers=None, **fields):
    """A manifest as text; `fields` are the object's own."""
    metadata = {"name": name}
    if finalizers:
        metadata["finalizers"] = finalizers
    if annotations:
        metadata["annotations"] = annotations
    if labels:
        metadata["labels"] = labels
    return yaml.safe_dump({"apiVersion": KINDS[kind], "kind": kind, "metadata": metadata, **fields})


def config(name="config", data=None, **metadata):
    return template("ConfigMap", name, data=data or {"k": "v"}, **metadata)


def deployment(name="web", image="web:1", replicas=1):
    return template("Deployment", name, spec={
        "replicas": replicas, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}},
                     "spec": {"containers": [{"name": "c", "image": image}]}}})


VALUES_CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-values}
data:
  values: {{ .Values | toJson | quote }}
"""
# Refused by the API server, once the release is stored.
BROKEN = template("ConfigMap", "broken", data={"k": ["no text"]})


def job_hook(name, events, annotations=None):
    return template("Job", name, annotations={"helm.sh/hook": events, **(annotations or {})},
                    spec={"template": {"spec": {
                        "restartPolicy": "Never",
                        "containers": [{"name": "c", "image": "job:1"}]}}})


def pack(files, name="shop", version="1.0.0", **metadata):
    """A chart's archive; files: text by path within it."""
    chart = {"apiVersion": "v2", "name": name, "version": version, **metadata}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for path, text in {"Chart.yaml": yaml.safe_dump(chart), **files}.items():
            info = tarfile.TarInfo(f"{name}/{path}")
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


class ChartServer(Sink):
    """Serves archives by path; `gone` are paths that answer 404."""

    def __init__(self):
        super().__init__()
        self.files, self.gone = {}, set()

    def take(self, message):
        super().take(message)
        if message.path in self.gone or message.path not in self.files:
            return 404, {}, b"not found"
        return 200, {}, self.files[message.path]


class Releases:
    def __init__(self, objects, server):
        self.objects, self.server = objects, server
        self.api, self.ns = objects.api, objects.ns

    # --- sources ---

    def artifact(self, data, revision):
        digest = hashlib.sha256(data).hexdigest()
        path = f"/{self.ns}/{digest}.tgz"
        self.server.files[path] = data
        return {"path": path[1:], "url": self.server.url + path, "revision": revision,
                "digest": f"sha256:{digest}", "size": len(data),
                "lastUpdateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}

    def kubeconfig(self, change, name="remote"):
        """Puts a Secret with this server's, changed by change(cluster, user)."""
        config = yaml.safe_load(self.api.kubeconfig.read_text())
        change(config["clusters"][0]["cluster"], config["users"][0]["user"])
        self.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": self.ns},
                        "stringData": {"value": yaml.safe_dump(config)}})

    @staticmethod
    def unverified(cluster, _):
        cluster.pop("certificate-authority-data")
        cluster["insecure-skip-tls-verify"] = True

    @staticmethod
    def by_command(_, user):
        token = user.pop("token")
        user["exec"] = {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/echo",
                        "interactiveMode": "Never", "args": [json.dumps({
                            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                            "status": {"token": token}})]}

    def put_source(self, kind, name, artifact, ready="True", **status):
        specs = {"HelmChart": {"chart": "shop", "interval": "1h",
                               "sourceRef": {"kind": "HelmRepository", "name": "repo"}},
                 "OCIRepository": {"url": "oci://127.0.0.1/x", "interval": "1h"},
                 "ExternalArtifact": {"sourceRef": {
                     "apiVersion": "example.com/v1", "kind": "Thing", "name": "x"}}}
        if not self.objects.get(kind, name):
            self.objects.apply(kind, name, specs[kind])
        self.put_status(kind, name, artifact, ready, **status)

    def put_status(self, kind, name, artifact, ready="True", **status):
        condition = {"type": "Ready", "status": ready, "reason": "Succeeded", "message": "m",
                     "lastTransitionTime": "2026-01-01T00:00:00Z"}
        status = {"conditions": [condition], **status}
        if artifact:
            status["artifact"] = artifact
        if kind == "ExternalArtifact":
            code, reply = self.api.rest.call("PATCH", self.objects.path(kind, name) + "/status",
                                             {"status": status}, "application/merge-patch+json")
            assert code == 200, reply
            return
        put_status(self.api, self.objects.path(kind, name), status)

    def chart(self, files, version="1.0.0", name="chart", **metadata):
        """Publishes a chart as the HelmChart `name`, made by hand."""
        self.put_source("HelmChart", name, self.artifact(
            pack(files, version=version, **metadata), version))

    # --- HelmReleases ---

    def apply(self, name="app", chart="chart", **spec):
        metadata = {k: spec.pop(k) for k in ("annotations", "labels") if k in spec}
        wanted = {"interval": "1h", "chartRef": {"kind": "HelmChart", "name": chart}, **spec}
        self.objects.apply("HelmRelease", name,
                           {k: v for k, v in wanted.items() if v is not None}, **metadata)

    def quiet(self, name="app", **spec):
        """Without waiting for what nobody makes ready here."""
        for action in ("install", "upgrade"):
            spec[action] = {"disableWait": True, **(spec.get(action) or {})}
        self.apply(name, **spec)

    def get(self, name="app"):
        return self.objects.get("HelmRelease", name)

    def ready(self, name="app", version=None, timeout=PATIENCE):
        """Once Ready at its generation (and, of a chart's version)."""
        def match(obj):
            status = obj.get("status", {})
            history = status.get("history") or [{}]
            return (self.objects.condition(obj).get("status") == "True" and
                    status.get("observedGeneration") == obj["metadata"]["generation"] and
                    version in (None, history[0].get("version")))
        return self.objects.wait("HelmRelease", name, match, f"to be Ready at v{version}", timeout)

    def failed(self, reason, text="", name="app", **kw):
        def match(obj):
            ready = self.objects.condition(obj)
            return ready.get("status") == "False" and ready["reason"] == reason and \
                text in ready["message"]
        return self.objects.wait("HelmRelease", name, match, f"to fail with {reason}: {text}",
                                 **kw)

    def stalled(self, reason="RetriesExceeded", name="app", **kw):
        """Once stalled at its generation: upstream's controller writes the conditions, then the rest of
        its status in a request of its own, and stopped between the two it forgets that it failed."""
        def match(obj):
            return (self.objects.condition(obj, "Stalled").get("reason") == reason and
                    obj["status"].get("observedGeneration") == obj["metadata"]["generation"])
        return self.objects.wait("HelmRelease", name, match, f"to be stalled with {reason}", **kw)

    def condition(self, obj, kind="Ready"):
        return self.objects.condition(obj, kind)

    def annotate(self, name="app", **tokens):
        """requestedAt and others: annotate(requestedAt="1", forceAt="1")"""
        self.objects.patch("HelmRelease", name, {"metadata": {"annotations": {
            f"reconcile.fluxcd.io/{key}": value for key, value in tokens.items()}}})

    def rerun(self, name="app", **tokens):
        """Asks for one more run; the object once that has ended."""
        wanted = f"again-{next(REQUESTS)}"
        self.annotate(name, requestedAt=wanted, **{k: wanted for k in tokens})

        def match(obj):
            return obj["status"].get("lastHandledReconcileAt") == wanted and \
                self.condition(obj).get("status") != "Unknown"
        return self.objects.wait("HelmRelease", name, match, "to run once more")

    def delete(self, name="app", timeout=PATIENCE):
        self.objects.delete("HelmRelease", name)
        self.objects.gone("HelmRelease", name, timeout)

    def event(self, text, name="app", reason=None):
        """(type, reason, message) of an Event about the HelmRelease with that text."""
        return wait_until(lambda: next(
            (e for e in self.objects.events(name)
             if text in e[2] and reason in (None, e[1])), None), f"an event with {text!r}")

    # --- what came of it ---

    def path(self, kind, name):
        version = KINDS[kind]
        root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        return f"{root}/namespaces/{self.ns}/{kind.lower()}s/{name}"

    def live(self, kind, name):
        return self.api.rest.get(self.path(kind, name))

    def statuses(self, release="app", ns=None):
        return statuses(self.api, ns or self.ns, release)

    def secrets(self, release="app"):
        return secrets_of(self.api, self.ns, release)

    def make_deployment_ready(self, name="web"):
        """What the Deployment controller would do."""
        wait_until(lambda: self.live("Deployment", name), f"Deployment {name}")
        put_status(self.api, self.path("Deployment", name), {
            "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
            "conditions": [
                {"type": "Available", "status": "True", "reason": "x", "message": ""},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                 "message": ""}]})

    def end_job(self, name, succeeded=True):
        """What the Job controller would do."""
        wait_until(lambda: self.live("Job", name), f"Job {name}")
        stamp = "2026-01-02T03:04:05Z"
        kinds = ("SuccessCriteriaMet", "Complete") if succeeded else ("FailureTarget", "Failed")
        status = {"startTime": stamp, "conditions": [
            {"type": kind, "status": "True", "lastProbeTime": stamp, "lastTransitionTime": stamp,
             "reason": "x", "message": ""} for kind in kinds]}
        if succeeded:
            status.update(completionTime=stamp, succeeded=1)
        code, reply = self.api.rest.call("PATCH", self.path("Job", name) + "/status",
                                         {"status": status}, "application/merge-patch+json")
        assert code == 200, reply


QUICK = ("--min-retry-delay=50ms", "--max-retry-delay=500ms")


def controller_with(*flags, server="api", env=None):
    """A fixture `helm_controller` of a module, which must end cleanly: under sanitizers that also
    says no leak. `server`: the fixture of its API server, "api" or, for one that a test steers,
    "proxied"; `env`: one whose `env` the daemon has."""
    def run(request, api, directory):
        more = request.getfixturevalue(env).env if env else {}
        daemon = Controller("helm-controller", api, directory / "helm", flags,
                            env={"TMPDIR": str(directory / "helm"), **more}).wait_until_ready()
        yield daemon
        try:
            leaks.check(api.rest, [daemon], [directory / "helm"])
        finally:
            code = daemon.stop()
        assert code == 0, daemon.log()[-4000:]

    # The server stands among the arguments: one that a fixture asks for by its name may end before it.
    if server == "proxied":
        @pytest.fixture(scope="module")
        def helm_controller(request, proxied, directory):
            yield from run(request, proxied, directory)
    else:
        @pytest.fixture(scope="module")
        def helm_controller(request, api, directory):
            yield from run(request, api, directory)
    return helm_controller


@pytest.fixture(scope="module")
def chart_server():
    server = ChartServer()
    yield server
    server.stop()


@pytest.fixture
def releases(api, helm_controller, chart_server, ns):
    from tests.conftest import Objects
    assert helm_controller.alive(), helm_controller.log()[-4000:]
    return Releases(Objects(api, ns), chart_server)
