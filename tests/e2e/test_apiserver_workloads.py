"""--simulate=workloads of the embedded API server: what waits for a rollout or a Job comes to an
end without any node."""
import os
import subprocess
import time

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
    api.kubectl("rollout", "status", f"{kind}/w", "-n", ns, "--timeout=60s")
    changed = {"metadata": {"labels": {"app": "x"}}, "spec": {
        "containers": [{"name": "c", "image": "i:2"}]}}
    make(api, ns, kind, "w", workload(kind, template=changed))
    api.kubectl("rollout", "status", f"{kind}/w", "-n", ns, "--timeout=60s")
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
    api.kubectl("wait", "--for=condition=Complete", "job/good", "-n", ns, "--timeout=60s")
    make(api, ns, "Job", "bad", job, **{"sluice.dev/simulate": "fail"})
    api.kubectl("wait", "--for=condition=Failed", "job/bad", "-n", ns, "--timeout=60s")
    make(api, ns, "Job", "held", {**job, "suspend": True})
    api.kubectl("patch", "job", "held", "-n", ns, "-p", '{"spec":{"suspend":false}}')
    api.kubectl("wait", "--for=condition=Complete", "job/held", "-n", ns, "--timeout=60s")


def test_A89_a_deployment_that_fails_or_hangs(api, ns):
    make(api, ns, "Deployment", "bad", workload("Deployment"), **{"sluice.dev/simulate": "fail"})
    done = api.kubectl("rollout", "status", "deployment/bad", "-n", ns, "--timeout=60s",
                       check=False)
    assert done.returncode == 1 and "exceeded its progress deadline" in done.stderr
    make(api, ns, "Deployment", "held", workload("Deployment"),
         **{"sluice.dev/simulate": "hold"})
    make(api, ns, "Pod", "after", POD)
    api.kubectl("wait", "--for=condition=Ready", "pod/after", "-n", ns, "--timeout=60s")
    held = f"/apis/apps/v1/namespaces/{ns}/deployments/held"
    assert api.rest.get(held)["status"] == {}
    # Let go, it finishes.
    api.kubectl("annotate", "deployment", "held", "-n", ns, "sluice.dev/simulate-")
    api.kubectl("rollout", "status", "deployment/held", "-n", ns, "--timeout=60s")


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_A89_others_fail_on_request_too(api, ns, kind):
    make(api, ns, kind, "bad", workload(kind), **{"sluice.dev/simulate": "fail"})
    path = f"/apis/apps/v1/namespaces/{ns}/{kind.lower()}s/bad"
    wait_until(lambda: api.rest.get(path)["status"].get("observedGeneration") == 1, "the status")
    status = api.rest.get(path)["status"]
    assert status.get("readyReplicas", 0) == status.get("numberReady", 0) == 0
    late = api.kubectl("rollout", "status", f"{kind}/bad", "-n", ns, "--timeout=1s", check=False)
    assert late.returncode == 1
    api.kubectl("annotate", kind, "bad", "-n", ns, "sluice.dev/simulate-")
    api.kubectl("rollout", "status", f"{kind}/bad", "-n", ns, "--timeout=60s")


def seconds_until_ready(api, ns, name, **annotations):
    started = time.monotonic()
    make(api, ns, "Deployment", name, workload("Deployment"), **annotations)
    path = f"/apis/apps/v1/namespaces/{ns}/deployments/{name}"
    wait_until(lambda: api.rest.get(path)["status"].get("readyReplicas") == 2, "it to be ready")
    return time.monotonic() - started


def test_A89_a_status_after_a_delay(api, ns):
    """Of the object's own wish; the flag gives the delay of all that have none."""
    make(api, ns, "Deployment", "late", workload("Deployment"), **{"sluice.dev/simulate-delay": "1h"})
    assert seconds_until_ready(api, ns, "slow", **{"sluice.dev/simulate-delay": "1500ms"}) >= 1.5
    seconds_until_ready(api, ns, "swift")
    late = api.rest.get(f"/apis/apps/v1/namespaces/{ns}/deployments/late")
    assert not late["status"].get("readyReplicas")


def test_A89_the_delay_of_all(directory, ns):
    server = EmbeddedApi(directory / "slow", os.environ["SLUICE_BUILD"], [
        "--simulate=workloads", "--simulate-delay=1h"])
    try:
        server.create_namespace(ns)
        make(server, ns, "Deployment", "late", workload("Deployment"))
        seconds_until_ready(server, ns, "swift", **{"sluice.dev/simulate-delay": "0s"})
        late = server.rest.get(f"/apis/apps/v1/namespaces/{ns}/deployments/late")
        assert not late["status"].get("readyReplicas")
    finally:
        assert server.process.stop() == 0
    binary = os.path.join(os.environ["SLUICE_BUILD"], "apiserver", "sluice-apiserver")
    done = subprocess.run([binary, "--simulate-delay=soon"], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 2 and "bad duration soon" in done.stderr


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
    api.kubectl("rollout", "status", "deployment/old", "-n", ns, "--timeout=60s")


def test_A90_an_unknown_profile_is_refused(directory):
    binary = os.path.join(os.environ["SLUICE_BUILD"], "apiserver", "sluice-apiserver")
    done = subprocess.run([binary, "--data-dir", directory / "none", "--simulate=all"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "unknown profile all" in done.stderr
