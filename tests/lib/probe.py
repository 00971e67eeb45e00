"""The API client by hand (tests/unit/kube/probe_main.c), alone and as two replicas with one lease."""
import json
import os
import pathlib
import signal
import subprocess
import threading

from .net import wait_until
from .wire import Connection

LEASE = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
MAPS = "/api/v1/namespaces/{}/configmaps"
WAITS = {"7", "232", "271", "281"}  # poll, epoll_wait, ppoll, epoll_pwait on x86-64


class Probe:
    """tests/unit/kube/probe_main.c: the API client by hand."""

    def __init__(self, kubeconfig, log, env=None):
        build = pathlib.Path(os.environ["SLUICE_BUILD"])
        self.errors = open(log, "wb")
        self.child = subprocess.Popen([build / "tests/unit/kube/kube_probe", kubeconfig], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=self.errors, bufsize=1,
                                      env=dict(os.environ, **(env or {})))

    def run(self, *words):
        """The lines that a command printed."""
        self.child.stdin.write(" ".join(map(str, words)) + "\n")
        lines = []
        while (line := self.child.stdout.readline().strip()) != "done":
            assert line or self.child.poll() is None, lines
            lines.append(line)
        return lines

    def suspend(self):
        """SIGSTOP while the client's loop waits. What is just being handed to the kernel no process can
        call back: a stop amid that would say nothing about who may write."""
        pid = self.child.pid
        tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
        loops = [task for task in tasks if (task / "comm").read_text().strip() == "loop"]
        assert loops

        def is_stopped(task):
            return (task / "stat").read_text().rpartition(")")[2].split()[0] == "T"

        def stop():
            os.kill(pid, signal.SIGSTOP)
            wait_until(lambda: all(map(is_stopped, loops)), "the stop", interval=0.001)
            if all((task / "syscall").read_text().split()[0] in WAITS for task in loops):
                return True
            os.kill(pid, signal.SIGCONT)
            return False
        wait_until(stop, "a stop amid a wait")

    def stop(self):
        """The lines that came since, and a clean end."""
        rest, _ = self.child.communicate(timeout=60)
        self.errors.close()
        assert self.child.returncode == 0, pathlib.Path(self.errors.name).read_text()[-4000:]
        return rest.splitlines()


class Watch(threading.Thread):
    """All states of a collection's object, as (resourceVersion, what `pick` makes of it)."""

    def __init__(self, api, path, name, pick):
        super().__init__(daemon=True)
        self.api, self.name, self.pick = api, name, pick
        self.path = f"{path}?watch=true&resourceVersion={api.rest.get(path)['metadata']['resourceVersion']}"
        self.connection = Connection(api)
        self.states, self.lock = [], threading.Lock()
        self.connection.send("GET", self.path, None, None)
        self.start()

    def run(self):
        stream, text = self.connection.stream, b""
        while stream.readline().strip():
            pass
        try:
            while (size := int(stream.readline().split(b";")[0], 16)):
                text += stream.read(size)
                stream.readline()
                *lines, text = text.split(b"\n")
                for event in map(json.loads, lines):
                    if event["object"]["metadata"]["name"] == self.name:
                        with self.lock:
                            self.states.append((int(event["object"]["metadata"]["resourceVersion"]),
                                                self.pick(event["object"])))
        except (OSError, ValueError):
            pass

    def seen(self):
        with self.lock:
            return list(self.states)


class Replicas:
    """Two probes that elect a leader, which writes all the time. `env`: of each by its name;
    `lease_ms`: longer than its own three seconds where nobody but the leader is to get it, however
    busy the machine is."""

    def __init__(self, api, ns, directory, env=None, lease_ms=""):
        self.lease_ms = lease_ms
        self.api, self.ns, self.directory, self.env = api, ns, directory, env or {}
        api.apply({"apiVersion": "v1", "kind": "ConfigMap", "data": {"v": ""},
                   "metadata": {"name": "shared", "namespace": ns}})
        self.writes = Watch(api, MAPS.format(ns), "shared", lambda o: o["data"]["v"].split()[0])
        self.leases = Watch(api, LEASE.format(ns), "shared",
                            lambda o: o["spec"].get("holderIdentity") or "")
        self.running = {name: self.start(name) for name in ("one", "two")}

    def start(self, name):
        probe = Probe(self.api.kubeconfig, self.directory / f"{name}-{self.ns[-8:]}.log",
                      self.env.get(name))
        probe.run("lead", self.ns, "shared", name, self.lease_ms)
        return probe

    def writer(self, other_than=None, since=0):
        """Who wrote after that many writes."""
        def look():
            return next((who for _, who in self.writes.seen()[since:] if who != other_than), None)
        return wait_until(look, f"a writer other than {other_than}")

    def never_both(self):
        """Each write is by who held the lease when it was written."""
        holders = sorted(self.leases.seen())
        for version, writer in sorted(self.writes.seen()):
            holder = [who for at, who in holders if at < version][-1]
            assert writer == holder, f"{writer} wrote {version} while {holder} led: {holders[-5:]}"
        return len(holders)

    def stop(self):
        for probe in self.running.values():
            if probe.child.poll() is None:
                os.kill(probe.child.pid, signal.SIGCONT)
                probe.stop()
