"""Sluice's daemons from a build directory, each on free ports with storage of its own."""
import concurrent.futures
import contextlib
import os
import pathlib
import re

import pytest

from . import leaks
from .net import PATIENCE, free_port, http
from .process import Process


class Controller(Process):
    """One daemon: `health` and `metrics` URLs, ready when /readyz says so. `prefix`: a command that
    becomes the daemon's, such as one with mounts of its own."""

    def __init__(self, name, api, directory, flags=(), env=None, prefix=()):
        self.name = name
        build = pathlib.Path(os.environ["SLUICE_BUILD"])
        self.health_port, self.metrics_port = free_port(), free_port()
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.api_port = re.search(r"server: \S+:(\d+)", api.kubeconfig.read_text())[1]
        self.held = None  # what it holds of the system after its start
        super().__init__(
            [*prefix, build / name / name, f"--kubeconfig={api.kubeconfig}",
             f"--health-addr=127.0.0.1:{self.health_port}",
             f"--metrics-addr=127.0.0.1:{self.metrics_port}", *flags],
            self.dir / f"{name}.log",
            env={"RUNTIME_NAMESPACE": "flux-system", "HOSTNAME": name, **(env or {})})

    def wait_until_ready(self):
        self.wait_ready(
            lambda: http("GET", f"http://127.0.0.1:{self.health_port}/readyz")[0] == 200,
            # A kube-apiserver on Debian's etcd 3.4 may keep a first watch waiting for a minute.
            f"{self.name} to be ready", timeout=60 + PATIENCE)
        self.held = self.holds()
        return self

    def holds(self):
        return leaks.Held(self.pid, self.api_port)

    def metrics(self):
        return http("GET", f"http://127.0.0.1:{self.metrics_port}/metrics")[2].decode()


class Toolkit:
    """The controllers, wired to each other as deploy/ wires them; helm-controller where a suite
    starts it by name."""

    def __init__(self, api, directory, source_flags=(), kustomize_flags=(),
                 notification_flags=(), helm_flags=(), prefixes=None, env=None):
        self.api = api
        self.env = env or {}
        self.prefixes = prefixes or {}
        self.dir = pathlib.Path(directory)
        self.storage = self.dir / "storage"
        self.storage.mkdir(parents=True, exist_ok=True)
        self.events_port, self.receiver_port = free_port(), free_port()
        self.storage_port = free_port()
        self.events_url = f"http://127.0.0.1:{self.events_port}/"
        self.flags = {
            "notification-controller": [
                f"--events-addr=127.0.0.1:{self.events_port}",
                f"--receiverAddr=127.0.0.1:{self.receiver_port}", *notification_flags],
            "source-controller": [
                f"--events-addr={self.events_url}", f"--storage-path={self.storage}",
                f"--storage-addr=127.0.0.1:{self.storage_port}",
                f"--storage-adv-addr=127.0.0.1:{self.storage_port}", *source_flags],
            "kustomize-controller": [f"--events-addr={self.events_url}", *kustomize_flags],
        }
        self.usual = tuple(self.flags)
        self.flags["helm-controller"] = [f"--events-addr={self.events_url}", *helm_flags]
        self.running = {}

    def start_unready(self, *names):
        for name in names or self.usual:
            self.running[name] = Controller(name, self.api, self.dir, self.flags[name],
                                            env={"TMPDIR": str(self.dir), **self.env},
                                            prefix=self.prefixes.get(name, ()))

    def start(self, *names):
        self.start_unready(*names)
        for name in names or self.usual:
            self.running[name].wait_until_ready()
        return self

    @contextlib.contextmanager
    def run(self, *names):
        """Starts, and stops at the end: once the module's objects are gone each must hold no more than
        after its start, and must end cleanly, which under sanitizers also says: no leak, no invalid
        access in the whole module."""
        yield self.start(*names)
        self.finish()

    def finish(self):
        """The end of run(), for a fixture that starts by itself."""
        try:
            leaks.check(self.api.rest, self.running.values(), [self.dir])
        finally:
            self.stop_cleanly()

    def stop_cleanly(self):
        logs = {name: c.log_path for name, c in self.running.items()}
        bad = {name: code for name, code in self.stop().items() if code != 0}
        assert not bad, {name: (code, pathlib.Path(logs[name]).read_text()[-4000:])
                         for name, code in bad.items()}

    def __getitem__(self, name):
        return self.running[name]

    def stop(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            codes = dict(zip(self.running, pool.map(Controller.stop, self.running.values())))
        self.running = {}
        return codes


@pytest.fixture(scope="module")
def lean_toolkit(api, directory):
    """source-controller, without what a sanitizer keeps back of freed memory: for what is measured."""
    options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
    with Toolkit(api, directory / "toolkit", env={"ASAN_OPTIONS": options}).run(
            "source-controller") as kit:
        yield kit
