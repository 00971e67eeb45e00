"""HTTP/2 as servers, load balancers and rolling upgrades end it: GOAWAY and RST_STREAM amid batches and
watches. What was not looked at is sent again, what may be repeated is, and nothing else."""
import collections
import json
import os
import re

import pytest

from tests.lib.kube import write_kubeconfig
from tests.lib.net import http, wait_until
from tests.lib.oracle import oracle
from tests.lib.probe import Probe
from tests.lib.process import Process
from tests.lib.proxy import make_certificate

UNTOUCHED = ["refused", "goaway-over", "goaway"]  # what these hit, the server has not begun
LOST = ["lost-reset", "lost-cancel", "lost-cut", "lost-goaway"]  # ... and what these hit, it did
AMID = ["reset-amid", "cancel-amid", "goaway-amid", "cut-amid"]


class Front(Process):
    """tests/oracles/h2-faults before an API server; `kubeconfig` leads to it."""

    def __init__(self, api, directory):
        self.directory = directory
        directory.mkdir()
        cert, key = make_certificate(directory)
        super().__init__([oracle("h2-faults") / "h2-faults", api.server, api.ca_file, cert, key],
                         directory / "front.log")
        port, control = wait_until(lambda: re.fullmatch(r"(\d+) (\d+)\n", self.log()),
                                   "the front's ports").groups()
        self.control = f"http://127.0.0.1:{control}"
        self.kubeconfig = directory / "front.kubeconfig"
        write_kubeconfig(self.kubeconfig, f"https://127.0.0.1:{port}", cert, api.token)

    def on(self, fault, method="", path=".", skip=0, times=1, after=0):
        rule = {"Fault": fault, "Method": method, "Path": path, "Skip": skip, "Times": times,
                "Bytes": after}
        assert http("POST", self.control + "/rules", json.dumps(rule))[0] == 200

    def requests(self, **match):
        """Those with members equal to these; `path`: that hold it."""
        path = match.pop("path", "")
        return [e for e in json.loads(http("GET", self.control + "/log")[2]) or []
                if path in e["Path"] and all(e[k.title()] == v for k, v in match.items())]


@pytest.fixture
def front(api, directory, request):
    number = len(list(directory.glob("front-*")))
    server = Front(api, directory / f"front-{number}")
    yield server
    if os.environ.get("SLUICE_KEEP"):
        for r in server.requests():
            print(f"{r['Connection']}.{r['Stream']} {r['Method']} {r['Path'][:90]} {r['Fault']} "
                  f"{r['Forwarded']} {r['Status']}")
    server.kill()


@pytest.fixture
def probe(front):
    client = Probe(front.kubeconfig, front.directory / "probe.log")
    yield client
    if client.child.poll() is None:
        client.stop()


def maps(api, ns):
    return {m["metadata"]["name"]: m["data"]["v"] for m in
            api.rest.get(f"/api/v1/namespaces/{ns}/configmaps")["items"]
            if "v" in (m.get("data") or {})}


def outcomes(lines):
    for line in lines:
        if " ok " not in line:
            print(line)
    return collections.Counter(line.split()[1] for line in lines)


def passed_on(front, method):
    """How often each request of a method reached the API server, always whole."""
    assert all(json.loads(r["Body"]) for r in front.requests(method=method, forwarded=True))
    return collections.Counter(r["Body"] if method == "POST" else r["Path"]
                               for r in front.requests(method=method, forwarded=True))


def test_a_batch_shares_one_connection(api, ns, front, probe):
    """Without faults: what the other tests are compared with."""
    probe.run("apply", ns, "a", 1, "0")
    assert outcomes(probe.run("apply", ns, "a", 100, "1")) == {"ok": 100}
    assert {r["Connection"] for r in front.requests()} == {1}


@pytest.mark.parametrize("at", [0, 7, 49])
@pytest.mark.parametrize("fault", UNTOUCHED + LOST)
def test_an_apply_that_is_refused_or_whose_reply_is_lost_is_done_again(api, ns, front, probe, fault,
                                                                      at):
    front.on(fault, "PATCH", skip=at)
    assert outcomes(probe.run("apply", ns, "a", 50, "1")) == {"ok": 50}
    assert maps(api, ns) == {f"a{i}": "1" for i in range(50)}
    assert max(passed_on(front, "PATCH").values()) <= 2


def creates_at_most_once(api, ns, front, lines):
    """Each reached the server at most once, and is told as done only if it was. One that was hit may
    be told as failed though it was done: nobody but the caller may look."""
    assert set(passed_on(front, "POST").values()) == {1}
    there = maps(api, ns)
    for line in lines:
        name, outcome, *_ = line.split()
        assert outcome == "failed" or name in there, lines
        assert "already exists" not in line


@pytest.mark.parametrize("at", [0, 7, 49])
@pytest.mark.parametrize("fault", UNTOUCHED + LOST)
def test_a_create_is_sent_at_most_once(api, ns, front, probe, fault, at):
    front.on(fault, "POST", skip=at)
    lines = probe.run("create", ns, "a", 50)
    creates_at_most_once(api, ns, front, lines)
    hit, = [json.loads(r["Body"])["metadata"]["name"] for r in front.requests(method="POST")
            if r["Fault"] in LOST] or [None]
    assert hit is None or f"{hit} failed" in "\n".join(lines)
    # The connection is no reason to fail later ones.
    assert outcomes(probe.run("create", ns, "later", 10)) == {"ok": 10}


@pytest.mark.parametrize("fault", UNTOUCHED)
def test_batch_after_batch_while_the_server_ends_streams(api, ns, front, probe, fault):
    """Each seventh request, in ten batches."""
    for i in range(10):
        front.on(fault, "POST", skip=6, times=1)
        creates_at_most_once(api, ns, front, probe.run("create", ns, f"b{i}-", 20))


@pytest.mark.parametrize("fault", LOST)
def test_a_lone_create_on_a_kept_connection_is_not_repeated(api, ns, front, probe, fault):
    """Where a client might take the connection for one that went stale meanwhile."""
    assert outcomes(probe.run("create", ns, "first", 1)) == {"ok": 1}
    front.on(fault, "POST")
    assert outcomes(probe.run("create", ns, "second", 1)) == {"failed": 1}
    assert set(passed_on(front, "POST").values()) == {1}
    assert set(maps(api, ns)) == {"first0", "second0"}


@pytest.mark.parametrize("fault", AMID)
def test_a_reply_broken_off(api, ns, front, probe, fault):
    front.on(fault, "PATCH", skip=3, after=40)
    assert outcomes(probe.run("apply", ns, "a", 20, "1")) == {"ok": 20}
    assert maps(api, ns) == {f"a{i}": "1" for i in range(20)}


@pytest.mark.parametrize("after", [0, 200, 2000])
@pytest.mark.parametrize("fault", AMID)
def test_a_watch_ended_amid_an_event_loses_nothing(api, ns, front, probe, fault, after):
    front.on(fault, path="watch=true", times=3, after=after)
    probe.run("watch", ns)
    for i in range(60):
        api.apply({"apiVersion": "v1", "kind": "ConfigMap", "data": {"v": str(i)},
                   "metadata": {"name": f"m{i % 6}", "namespace": ns}})
    api.rest.call("DELETE", f"/api/v1/namespaces/{ns}/configmaps/m5")
    hits = wait_until(lambda: [r for r in front.requests(path="watch=true") if r["Fault"]],
                      "the fault")
    assert hits
    api.apply({"apiVersion": "v1", "kind": "ConfigMap", "data": {"v": "last"},
               "metadata": {"name": "end", "namespace": ns}})
    lines = []
    while not lines or "end last" not in lines[-1]:
        lines.append(probe.child.stdout.readline().strip())
        assert lines[-1], lines
    values = collections.defaultdict(list)
    for line in lines:
        event, name, *value = line.split() + [""]
        if re.fullmatch(r"m\d", name):
            values[name].append(-1 if event == "deleted" else int(value[0]))
    # In order, no state twice, and the last one told. A stream taken up at its version tells all.
    for i in range(6):
        told = [v for v in values[f"m{i}"] if v >= 0]
        assert told == sorted(set(told)) and told[-1] == 54 + i, values
    assert values["m5"][-1] == -1


def test_a_watch_and_batches_through_goaways(api, ns, front, probe):
    """What kube-apiserver's --goaway-chance does: connections end gracefully all the time."""
    probe.run("watch", ns)
    for i in range(20):
        front.on("goaway", "PATCH", skip=i % 5)
        # The watch tells between the outcomes.
        lines = [line for line in probe.run("apply", ns, "a", 10, i) if line.startswith("a") and
                 line.split()[1] in ("ok", "failed")]
        assert outcomes(lines) == {"ok": 10}
    assert len({r["Connection"] for r in front.requests()}) > 10
    assert max(passed_on(front, "PATCH").values()) <= 40
    assert maps(api, ns) == {f"a{i}": "19" for i in range(10)}
