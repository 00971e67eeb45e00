"""Random sequences of requests to the embedded API server and to the real one, each in a namespace
of its own: the replies are the same. What differs is shrunk to the shortest sequence that still
shows it, and told with its seed; SLUICE_RANDOM_SEED=N sends that one again, SLUICE_KUBE_REQUESTS=N
sends more of them. A sequence ends where the servers part for a reason that is explained, so what
counts are the requests whose replies were compared."""

import concurrent.futures
import copy
import itertools
import json
import os
import random
import re
import threading

import pytest

from tests.differential.kube import random_requests
from tests.differential.kube.random_kinds import CRDS
from tests.differential.kube.replies import Names, apart, differ, difference, settle
from tests.lib.kube import EmbeddedApi, KubeApi
from tests.lib.oracle import oracle
from tests.lib.wire import Connection

REQUESTS = int(os.environ.get("SLUICE_KUBE_REQUESTS", "20000"))
FIRST = int(os.environ.get("SLUICE_RANDOM_SEED", "0"))
LENGTH = 40
ONE = "SLUICE_RANDOM_SEED" in os.environ and "SLUICE_KUBE_REQUESTS" not in os.environ
WORKERS = 4
SHRINK_TRIES = 150
TOLD = int(os.environ.get("SLUICE_RANDOM_TOLD", "5"))  # differences that are shrunk and shown


class Pair:
    """Both servers, and sequences sent to both at once."""

    def __init__(self, directory, oracle_dir):
        self.servers = []
        self.numbers = itertools.count()
        self.compared, self.lock = 0, threading.Lock()
        try:
            # No accounts or certificates appear in the namespaces of a bare API server.
            self.servers.append(EmbeddedApi(directory / "embedded", os.environ["SLUICE_BUILD"],
                                            ["--simulate", "none"]))
            self.servers.append(KubeApi(directory / "kube", oracle_dir))
            for server in self.servers:
                server.install_crds()
                server.install_crds(*CRDS)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        for server in self.servers:
            server.stop()

    def connect(self):
        return [Connection(server) for server in self.servers]

    def exchange(self, connections, step, names, ns):
        """Both settled replies to a step."""
        data = None if step.body is None else json.dumps(step.body)
        for connection, known in zip(connections, names):
            filled = None if data is None else known.fill(data, ns).encode()
            connection.send(step.method, known.fill(step.path, ns), filled, step.media)
        return [settle(*connection.receive(), known, step)
                for connection, known in zip(connections, names)]

    def run(self, connections, steps):
        """(the first step whose replies differ, both replies), or None"""
        try:
            return self.run_once(connections, steps)
        except (ConnectionError, TimeoutError):
            # A server may close a kept connection at any time, and a busy one be slow; one that
            # has crashed fails again.
            for connection in connections:
                connection.close()
            return self.run_once(connections, steps)

    def run_once(self, connections, steps):
        ns = f"r{next(self.numbers)}"
        names = [Names(), Names()]
        made = random_requests.Step("POST", "/api/v1/namespaces", {"metadata": {"name": ns}},
                                    key="ns")
        self.exchange(connections, made, names, ns)
        for i, step in enumerate(steps):
            ours, kube = self.exchange(connections, step, names, ns)
            with self.lock:
                self.compared += 1
            if differ(step, ours, kube):
                return i, ours, kube
            if apart(ours, kube):
                return None
        return None


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    both = Pair(tmp_path_factory.mktemp("random"), oracle("kube"))
    yield both
    both.stop()


def signature(step, ours, kube):
    """What tells one kind of difference from another: where, and the words that differ."""
    rows = [(re.sub(r"\[\d+\]", "[]", path), str(a)[:60], str(b)[:60])
            for path, a, b in difference(ours, kube)[:2]]
    return step.path.split("?")[0].replace("/one", "").replace("/two", ""), str(rows)


def smaller_bodies(value):
    """The trees that lack one member or item each."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(
        value, list) else ()
    for key in keys:
        out = copy.copy(value)
        del out[key]
        yield out
    for key in keys:
        for child in smaller_bodies(value[key]):
            out = copy.copy(value)
            out[key] = child
            yield out


class Shrinker:
    def __init__(self, pair, connections, steps, found):
        self.pair, self.connections, self.tries = pair, connections, SHRINK_TRIES
        self.what = self.place(steps, found)
        self.steps, self.found = steps[:found[0] + 1], found

    @staticmethod
    def place(steps, found):
        """Coarser than the signature: a shrunk request has another text, and the same place."""
        i, ours, kube = found
        path, *_ = (difference(ours, kube) or [("",)])[0]
        return steps[i].method, steps[i].media, ours.status, kube.status, path.split("[")[0]

    def try_steps(self, steps):
        if self.tries <= 0 or not steps:
            return False
        self.tries -= 1
        found = self.pair.run(self.connections, steps)
        if not found or self.place(steps, found) != self.what:
            return False
        self.steps, self.found = steps[:found[0] + 1], found
        return True

    def fewer_steps(self):
        size = max(1, len(self.steps) // 2)
        while size:
            at = 0
            while at < len(self.steps) - 1:
                if not self.try_steps(self.steps[:at] + self.steps[min(
                        at + size, len(self.steps) - 1):]):
                    at += size
            size //= 2

    def smaller_steps(self):
        for i in reversed(range(len(self.steps))):
            again = i < len(self.steps)
            while again and self.tries > 0:
                step = self.steps[i]
                again = any(self.try_steps(self.steps[:i] + [
                    random_requests.Step(step.method, step.path, body, step.media, step.key)] +
                    self.steps[i + 1:]) for body in smaller_bodies(step.body or {}))

    def run(self):
        self.fewer_steps()
        self.smaller_steps()
        return self.steps, self.found


def told(seed, steps, found):
    _, ours, kube = found
    lines = [f"seed {seed}, {len(steps)} requests:"]
    lines += [f"  {step.method} {step.path} {step.media}\n    {json.dumps(step.body)}"
              for step in steps]
    lines += [f"  {path or 'reply'}:\n    ours {json.dumps(a)}\n    kube {json.dumps(b)}"
              for path, a, b in difference(ours, kube)[:6]]
    return "\n".join(lines)


def run_seed(pair, idle, seed):
    connections = idle.pop()
    try:
        steps = random_requests.make(random.Random(seed), LENGTH)
        found = pair.run(connections, steps)
        return found and (seed, steps, found)
    finally:
        idle.append(connections)


def test_random_requests(pair):
    idle = [pair.connect() for _ in range(WORKERS)]
    failures, seed, compared = [], FIRST, 0
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        while compared < REQUESTS and seed < FIRST + 4 * REQUESTS // LENGTH:
            count = 1 if ONE else max(1, -(-(REQUESTS - compared) // LENGTH))
            seeds = range(seed, seed + count)
            failures += filter(None, pool.map(lambda n: run_seed(pair, idle, n), seeds))
            seed, compared = seeds.stop, pair.compared
            if ONE:
                break
    print(f"{compared} requests compared, seeds {FIRST} to {seed - 1}")
    assert ONE or compared >= REQUESTS, "most sequences end early"
    kinds = {}
    for seed, steps, found in failures:
        kinds.setdefault(signature(steps[found[0]], *found[1:]), (seed, steps, found))
    texts = [told(seed, *Shrinker(pair, idle[0], steps, found).run())
             for seed, steps, found in list(kinds.values())[:TOLD]]
    assert not failures, f"{len(failures)} of {seed - FIRST} sequences differ in {len(kinds)} ways\n" \
        + "\n\n".join(texts)
