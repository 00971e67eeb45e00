"""--simulate=workloads of the embedded API server: what waits for a rollout or a Job comes to an
end without any node."""
import os
import subprocess

import pytest

from tests.lib.kube import EmbeddedApi
from tests.lib.net import wait_until

pytestmark = pytest.mark.skipif(os.environ.get("SLUICE_API") == "kube",
                                reason="a flag of the embedded server")
POD = {"containers": [{"name": "c", "image": "i:1"}]}
TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": POD}
SELECTOR = {"matchLabels": {"app": "x"}}


@pytest.fixture(scope="module")
def api(directory):
    server = EmbeddedApi(directory / "api", os.environ["SLUICE_BUILD"], ["--simulate=workloads"])
    yield server
    assert server.process.stop() == 0


def make(api, ns, kind, name, spec, **annotations):
    version = {"Job": "batch/v1", "Pod": "v1"}.get(kind, "apps/v1")
    api.apply({"apiVersion": version, "kind": kind, "spec": spec,
               "metadata": {"name": name, "namespace": ns, "annotations": annotations}})


def workload(kind, **more):
    replicas = {} if kind == "DaemonSet" else {"replicas": 2}
    service = {"serviceName": "x"} if kind == "StatefulSet" else {}
    return {"selector": SELECTOR, "template": TEMPLATE, **replicas, **service, **more}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_A89_rollout_status_finishes(api, ns, kind):
    make(api, ns, kind, "w", workload(kind))
    api.kubectl("rollout", "status", f"{kind}/w", "-n", ns, "--timeout=20s")
    changed = {"metadata": {"labels": {"app": "x"}}, "spec": {
        "containers": [{"name": "c", "image": "i:2"}]}}
    make(api, ns, kind, "w", workload(kind, template=changed))
    api.kubectl("rollout", "status", f"{kind}/w", "-n", ns, "--timeout=20s")
    path = f"/apis/apps/v1/namespaces/{ns}/{kind.lower()}s/w"
    obj = api.rest.get(path)
    assert obj["metadata"]["generation"] == obj["status"]["observedGeneration"] == 2
    # Nothing is written once all is said.
    version = obj["metadata"]["resourceVersion"]
    make(api, ns, "Pod", "later", POD)
    wait_until(lambda: api.rest.get(f"/api/v1/namespaces/{ns}/pods/later")["status"]["phase"] ==
               "Running", "what was made afterwards")
    assert api.rest.get(path)["metadata"]["resourceVersion"] == version


def test_A89_a_job_completes(api, ns):
    job = {"template": {"spec": {**POD, "restartPolicy": "Never"}}}
    make(api, ns, "Job", "good", job)
    api.kubectl("wait", "--for=condition=Complete", "job/good", "-n", ns, "--timeout=20s")
    make(api, ns, "Job", "bad", job, **{"sluice.dev/simulate": "fail"})
    api.kubectl("wait", "--for=condition=Failed", "job/bad", "-n", ns, "--timeout=20s")
    make(api, ns, "Job", "held", {**job, "suspend": True})
    api.kubectl("patch", "job", "held", "-n", ns, "-p", '{"spec":{"suspend":false}}')
    api.kubectl("wait", "--for=condition=Complete", "job/held", "-n", ns, "--timeout=20s")


def test_A89_a_deployment_that_fails_or_hangs(api, ns):
    make(api, ns, "Deployment", "bad", workload("Deployment"), **{"sluice.dev/simulate": "fail"})
    done = api.kubectl("rollout", "status", "deployment/bad", "-n", ns, "--timeout=20s",
                       check=False)
    assert done.returncode == 1 and "exceeded its progress deadline" in done.stderr
    make(api, ns, "Deployment", "held", workload("Deployment"),
         **{"sluice.dev/simulate": "hold"})
    make(api, ns, "Pod", "after", POD)
    api.kubectl("wait", "--for=condition=Ready", "pod/after", "-n", ns, "--timeout=20s")
    held = f"/apis/apps/v1/namespaces/{ns}/deployments/held"
    assert api.rest.get(held)["status"] == {}
    # Let go, it finishes.
    api.kubectl("annotate", "deployment", "held", "-n", ns, "sluice.dev/simulate-")
    api.kubectl("rollout", "status", "deployment/held", "-n", ns, "--timeout=20s")


def test_A89_what_was_stored_before_is_taken_up_at_start(api, ns):
    make(api, ns, "Deployment", "old", workload("Deployment"), **{"sluice.dev/simulate": "hold"})
    api.process.kill()
    api.process.argv = [a for a in api.process.argv if a != "--simulate=workloads"]
    api.process.start()
    api.process.wait_ready(lambda: api.rest.raw("GET", "/readyz")[0] == 200, "the server")
    api.kubectl("annotate", "deployment", "old", "-n", ns, "sluice.dev/simulate-")
    assert api.process.stop() == 0
    api.process.argv.append("--simulate=workloads")
    api.process.start()
    api.process.wait_ready(lambda: api.rest.raw("GET", "/readyz")[0] == 200, "the server")
    api.kubectl("rollout", "status", "deployment/old", "-n", ns, "--timeout=20s")


def test_A90_an_unknown_profile_is_refused(directory):
    binary = os.path.join(os.environ["SLUICE_BUILD"], "apiserver", "sluice-apiserver")
    done = subprocess.run([binary, "--data-dir", directory / "none", "--simulate=all"],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "unknown profile all" in done.stderr
