"""Kubernetes' own Go client on the API server: informers that outlive it, leader elections, and our own
controllers beside it in one election."""
import os
import signal

import pytest

from tests.lib.net import wait_until
from tests.lib.oracle import oracle
from tests.lib.process import Process


class Program(Process):
    """tests/oracles/client-go, whose output is lines."""

    def __init__(self, api, directory, name, *args):
        super().__init__([oracle("client-go") / "client-go", *args], directory / f"{name}.log")

    def lines(self):
        return self.log().splitlines()

    def wait_for(self, line, after=0):
        wait_until(lambda: line in self.lines()[after:], f"{line!r}")


@pytest.fixture
def start(api, directory, request):
    running = []

    def run(name, *args):
        running.append(Program(api, directory, f"{request.node.name}-{name}", *args))
        return running[-1]
    yield run
    for program in running:
        program.stop()


def put(api, ns, name, value):
    api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": ns},
               "data": {"v": value}})


def restart(api, while_down):
    """kill -9 of the API server, and the same one back."""
    if api.kind == "kube":
        api.apiserver.kill()
        while_down()
        api.start_apiserver()
        return
    api.process.kill()
    while_down()
    api.process.start()
    api.process.wait_ready(lambda: api.rest.raw("GET", "/readyz")[0] == 200, "the server")


def test_A84_an_informer_survives_a_restart(api, ns, start):
    put(api, ns, "one", "1")
    put(api, ns, "two", "1")
    informer = start("informer", "informer", api.kubeconfig, ns)
    informer.wait_for("synced")
    informer.wait_for("add one 1")
    put(api, ns, "one", "2")
    informer.wait_for("update one 2")
    seen = len(informer.lines())
    restart(api, lambda: None)
    put(api, ns, "one", "3")
    put(api, ns, "three", "1")
    api.kubectl("delete", "configmap", "two", "-n", ns)
    for line in ("update one 3", "add three 1", "delete two 1"):
        informer.wait_for(line, after=seen)
    # Each change once, and nothing of before again.
    changes = [line for line in informer.lines()[seen:] if not line.startswith(("E", "W", "I"))]
    assert sorted(changes) == ["add three 1", "delete two 1", "update one 3"]


def test_A86_two_electors_have_one_leader(api, ns, start):
    """The Go client's elections: one leads, a graceful end gives the lease back, a crash hands it
    over when it has run out."""
    def holder():
        return api.rest.get(f"/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/lock")["spec"][
            "holderIdentity"]
    one = start("one", "elect", api.kubeconfig, ns, "lock", "one")
    one.wait_for("leading")
    two = start("two", "elect", api.kubeconfig, ns, "lock", "two")
    two.wait_for("leader one")
    assert "leading" not in two.lines()
    assert one.stop() == 0
    assert holder() != "one", "it would have to run out"
    two.wait_for("leading")
    three = start("three", "elect", api.kubeconfig, ns, "lock", "three")
    three.wait_for("leader two")
    os.kill(two.pid, signal.SIGKILL)
    three.wait_for("leading")
    spec = api.rest.get(f"/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/lock")["spec"]
    assert spec["holderIdentity"] == "three" and spec["leaseTransitions"] == 2
