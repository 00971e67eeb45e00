"""Lines of the contract about those who use an API server: Kubernetes' own Go client, the upstream
command line, and kubectl waiting for workloads. The same steps beside the embedded API server and the
real one, then what the programs said is compared."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import subprocess
import threading

import pytest

from tests.lib.kube import EmbeddedApi, KubeApi
from tests.lib.net import free_port, wait_until
from tests.lib.oracle import oracle
from tests.lib.process import Process

from .replies import both

ROOT = pathlib.Path(__file__).resolve().parents[3]
CONTROLLERS = "deployment-controller,replicaset-controller,statefulset-controller," \
    "daemonset-controller,job-controller,serviceaccount-controller,endpointslice-controller"


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    directory = tmp_path_factory.mktemp("clients")
    with contextlib.ExitStack() as stack:
        ours = EmbeddedApi(directory / "embedded", os.environ["SLUICE_BUILD"], [
            "--simulate=workloads"])
        stack.callback(ours.stop)
        kube = KubeApi(directory / "kube", oracle("kube"))
        stack.callback(kube.stop)
        manager = Process(
            [oracle("kube") / "kube-controller-manager", f"--kubeconfig={kube.kubeconfig}",
             f"--controllers={CONTROLLERS}", "--leader-elect=false",
             f"--secure-port={free_port()}", f"--cert-dir={directory}"], directory / "manager.log")
        stack.callback(manager.stop)
        yield ours, kube


@pytest.fixture
def ns(servers, request):
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60]
    for server in servers:
        server.create_namespace(name)
    return name


class Program(Process):
    """tests/oracles/client-go, whose output is lines."""

    def __init__(self, server, directory, name, *args):
        super().__init__([oracle("client-go") / "client-go", args[0], server.kubeconfig, *args[1:]],
                         directory / f"{server.kind}-{name}.log")

    def said(self):
        """Its own lines, without its library's log."""
        return [line for line in self.log().splitlines() if not re.match(r"[EWI]\d{4} ", line)]

    def wait_for(self, line):
        wait_until(lambda: line in self.said(), f"{line!r}")


def put(server, ns, name, value):
    server.apply({"apiVersion": "v1", "kind": "ConfigMap", "data": {"v": value},
                  "metadata": {"name": name, "namespace": ns}})


def test_A84_an_informer_survives_a_restart(servers, ns, tmp_path):
    """Each change is told once, on both sides of a kill -9 and of what happens right behind it."""
    def steps(server):
        with contextlib.ExitStack() as stack:
            for name in ("one", "two"):
                put(server, ns, name, "1")
            informer = Program(server, tmp_path, "informer", "informer", ns)
            stack.callback(informer.stop)
            informer.wait_for("synced")
            put(server, ns, "one", "2")
            informer.wait_for("update one 2")
            server.restart()
            put(server, ns, "one", "3")
            put(server, ns, "three", "1")
            path = f"/api/v1/namespaces/{ns}/configmaps/two"
            assert server.rest.raw("DELETE", path)[0] == 200
            for line in ("update one 3", "add three 1", "delete two 1"):
                informer.wait_for(line)
            return sorted(informer.said())
    assert "synced" in both(servers, steps)


def test_A86_two_electors_have_one_leader(servers, ns, tmp_path):
    """A graceful end gives the lease back, a kill hands it over when it has run out."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/lock"

    def steps(server):
        def holder():
            return server.rest.get(path)["spec"].get("holderIdentity")
        with contextlib.ExitStack() as stack:
            def start(name):
                program = Program(server, tmp_path, name, "elect", ns, "lock", name)
                stack.callback(program.stop)
                return program
            one = start("one")
            one.wait_for("leading")
            two = start("two")
            two.wait_for("leader one")
            led = "leading" in two.said()
            ended = one.stop()
            given_back = holder() != "one"
            two.wait_for("leading")
            three = start("three")
            three.wait_for("leader two")
            two.kill()
            three.wait_for("leading")
            lease = server.rest.get(path)
            lease["spec"] = {key: value for key, value in lease["spec"].items()
                             if not key.endswith("Time")}
            owners = [(entry["manager"], entry["operation"], entry["fieldsV1"])
                      for entry in lease["metadata"]["managedFields"]]
            return led, ended, given_back, lease["spec"], owners, [each.said() for each in (one, two, three)]
    led, ended, given_back, spec, _, _ = both(servers, steps)
    assert not led and ended == 0 and given_back and spec["holderIdentity"] == "three"


# --- the upstream command line ---

SOURCE, NOTIFICATION = "source.toolkit.fluxcd.io/v1", "notification.toolkit.fluxcd.io/v1beta3"
KUSTOMIZE = "kustomize.toolkit.fluxcd.io/v1"
OBJECTS = [
    (SOURCE, "GitRepository", "src", {"url": "https://x.example/r", "interval": "1h"}),
    (SOURCE, "HelmRepository", "charts", {"type": "oci", "url": "oci://x.example/c"}),
    (SOURCE, "OCIRepository", "image", {"url": "oci://x.example/i", "interval": "1h",
                                        "suspend": True}),
    (SOURCE, "HelmChart", "chart", {"chart": "x", "interval": "1h", "sourceRef": {
        "kind": "HelmRepository", "name": "charts"}}),
    (SOURCE, "Bucket", "bucket", {"bucketName": "b", "endpoint": "x.example", "interval": "1h"}),
    (KUSTOMIZE, "Kustomization", "app", {"interval": "1h", "prune": True, "sourceRef": {
        "kind": "GitRepository", "name": "src"}}),
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease", "release", {
        "interval": "1h", "chartRef": {"kind": "HelmChart", "name": "chart"}}),
    (NOTIFICATION, "Provider", "slack", {"type": "slack", "address": "https://x.example/"}),
    (NOTIFICATION, "Alert", "on-call", {"providerRef": {"name": "slack"}, "eventSources": [
        {"kind": "Bucket", "name": "*"}]}),
    ("notification.toolkit.fluxcd.io/v1", "Receiver", "hook", {
        "type": "generic", "secretRef": {"name": "x"}, "resources": [
            {"kind": "GitRepository", "name": "src"}]}),
]
READY = {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored artifact",
         "lastTransitionTime": "2024-01-01T00:00:00Z"}


def flux(server, *args):
    done = subprocess.run([oracle("flux") / "flux", *args, f"--kubeconfig={server.kubeconfig}"],
                          capture_output=True, text=True, timeout=120,
                          env=dict(os.environ, HOME=str(server.dir), LC_ALL="C.UTF-8"))
    text = re.sub(r"https://127\.0\.0\.1:\d+", "SERVER", done.stdout + done.stderr)
    # The versions of the servers are their own.
    return args, done.returncode, re.sub(r"Kubernetes \S+ >=", "Kubernetes V >=", text)


def set_status(server, version, ns, plural, name, status):
    path = f"/apis/{version}/namespaces/{ns}/{plural}/{name}"
    code, reply = server.rest.call("PATCH", path + "/status", {"status": status},
                                   "application/merge-patch+json")
    assert code == 200, reply


@pytest.fixture(scope="module")
def installed(servers):
    """deploy/ as a user applies it."""
    def apply(server):
        return server.kubectl("apply", "--server-side", "--force-conflicts", "-k",
                              str(ROOT / "deploy"), check=False).returncode == 0
    for server in servers:
        server.create_namespace("flux-system")
        wait_until(lambda server=server: apply(server), "kubectl apply -k deploy")


def test_A88_flux_check_and_get_all(servers, ns, installed, kubelet):
    def steps(server):
        for version, kind, name, spec in OBJECTS:
            server.apply({"apiVersion": version, "kind": kind, "spec": spec,
                          "metadata": {"name": name, "namespace": ns}})
            status = {} if kind in ("Provider", "Alert") else {
                "observedGeneration": 1, "conditions": [READY]}
            plural = kind.lower() + "s" if not kind.endswith("y") else kind.lower()[:-1] + "ies"
            if status:
                set_status(server, version, ns, plural, name, status)
        server.kubectl("wait", "--for=condition=Available", "deployment", "--all", "-n",
                       "flux-system", "--timeout=90s", timeout=120)
        return [flux(server, *words) for words in (
            ["check", "-n", "flux-system"], ["get", "all", "-n", ns], ["get", "all", "-A"],
            ["get", "sources", "all", "-n", ns], ["get", "kustomizations", "-n", ns],
            ["get", "helmreleases", "-n", ns], ["get", "ks", "none", "-n", ns],
            ["get", "receivers", "-n", ns, "--no-header"], ["suspend", "ks", "app", "-n", ns],
            ["get", "ks", "-n", ns], ["tree", "ks", "app", "-n", ns],
            ["export", "source", "git", "src", "-n", ns], ["events", "-n", ns],
            ["delete", "alert", "on-call", "-n", ns, "--silent"])]
    said = both(servers, steps)
    assert [code for _, code, _ in said[:6]] == [0] * 6, said
    assert "kustomization/app" in said[1][2]


# --- workloads ---

POD_SPEC = {"containers": [{"name": "c", "image": "i:1"}]}
TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": POD_SPEC}


class Kubelet:
    """All the nodes that the real server has: its Pods run and are ready at once; those of Jobs have
    done what they were for."""

    def __init__(self, server):
        self.server, self.ended = server, threading.Event()
        server.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}})
        self.patch("/api/v1/nodes/node", {"conditions": [{"type": "Ready", "status": "True"}]})
        # Admission gives it a taint until a controller that is not here sees that it is ready.
        server.rest.call("PATCH", "/api/v1/nodes/node", {"spec": {"taints": None}},
                         "application/merge-patch+json")
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def patch(self, path, status):
        self.server.rest.call("PATCH", path + "/status", {"status": status},
                              "application/merge-patch+json")

    def serve(self, pod):
        meta = pod["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        if meta.get("deletionTimestamp"):
            self.server.rest.call("DELETE", path, {"gracePeriodSeconds": 0})
        elif pod.get("status", {}).get("phase") in (None, "Pending"):
            owner = (meta.get("ownerReferences") or [{}])[0].get("kind")
            self.patch(path, {"phase": "Succeeded"} if owner == "Job" else {
                "phase": "Running", "podIP": "10.1.0.1", "podIPs": [{"ip": "10.1.0.1"}],
                "conditions": [{"type": "Ready", "status": "True"}]})

    def run(self):
        while not self.ended.wait(0.1):  # between two looks
            try:
                for pod in self.server.rest.get("/api/v1/pods")["items"]:
                    self.serve(pod)
            except (OSError, http.client.HTTPException, AssertionError) as error:
                print("kubelet: it asks again:", error)


@pytest.fixture(scope="module")
def kubelet(servers):
    made = Kubelet(servers[1])
    yield made
    made.ended.set()
    made.thread.join()


def workload(ns, kind, image="i:1"):
    replicas = {} if kind == "DaemonSet" else {"replicas": 2}
    service = {"serviceName": "x"} if kind == "StatefulSet" else {}
    template = {**TEMPLATE, "spec": {"containers": [{"name": "c", "image": image}]}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "w", "namespace": ns},
            "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template, **replicas,
                     **service}}


def settled_status(obj):
    """A status without its times, and without the hashes in its names."""
    status = json.loads(re.sub(r"w-[0-9a-z]{8,10}\b", "w-HASH", json.dumps(obj["status"])))
    for condition in status.get("conditions", []):
        for name in ("lastTransitionTime", "lastUpdateTime", "lastProbeTime"):
            condition.pop(name, None)
    status.get("conditions", []).sort(key=lambda one: one["type"])
    return {key: value for key, value in status.items() if not key.endswith("Time")}


def rollout(server, ns, kind):
    done = server.kubectl("rollout", "status", f"{kind}/w", "-n", ns, "--timeout=90s", check=False,
                          timeout=120)
    # How far it had come when kubectl first looked is chance; the last line is not.
    return done.returncode, done.stdout.splitlines()[-1:], done.stderr


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_A89_rollouts_finish(servers, ns, kubelet, kind):
    def steps(server):
        out = []
        for image in ("i:1", "i:2"):
            server.apply(workload(ns, kind, image))
            said = rollout(server, ns, kind)
            path = f"/apis/apps/v1/namespaces/{ns}/{kind.lower()}s/w"
            wait_until(lambda: server.rest.get(path)["status"].get("observedGeneration") ==
                       server.rest.get(path)["metadata"]["generation"], "the status")
            out.append((said, settled_status(server.rest.get(path))))
        return out
    (code, _, _), _ = both(servers, steps)[-1]
    assert code == 0


def test_A89_a_job_completes(servers, ns, kubelet):
    def steps(server):
        server.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {
            "name": "w", "namespace": ns}, "spec": {"completions": 2, "template": {
                "spec": {**POD_SPEC, "restartPolicy": "Never"}}}})
        done = server.kubectl("wait", "--for=condition=Complete", "job/w", "-n", ns,
                              "--timeout=90s", check=False, timeout=120)
        status = server.rest.get(f"/apis/batch/v1/namespaces/{ns}/jobs/w")
        return done.returncode, done.stdout, settled_status(status)
    assert both(servers, steps)[0] == 0
