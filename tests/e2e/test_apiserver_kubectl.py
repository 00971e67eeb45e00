"""Acceptance of the embedded API server: kubectl beside the rest (A81..A90)."""
import json
import subprocess

from tests.lib.apiserver import (  # noqa: F401 - fixtures
    CM, DEPLOY, MERGE, api, config_map, deployment, ns, widgets)


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
               "widgets.%s/w" % widgets.group, "--for=condition=Ready", "--timeout=60s"]
    waiting = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    status = {"status": {"observedGeneration": 1,
                         "conditions": [{"type": "Ready", "status": "True"}]}}
    api.patch(widgets.base + "/w/status", status, MERGE)
    out, _ = waiting.communicate(timeout=90)
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
