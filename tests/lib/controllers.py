"""Sluice's daemons from a build directory, each on free ports with storage of its own."""
import os
import pathlib

from .net import free_port, http
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
            f"{self.name} to be ready", timeout=90)
        return self

    def metrics(self):
        return http("GET", f"http://127.0.0.1:{self.metrics_port}/metrics")[2].decode()


class Toolkit:
    """The three controllers, wired to each other as deploy/ wires them."""

    def __init__(self, api, directory, source_flags=(), kustomize_flags=(),
                 notification_flags=(), prefixes=None, env=None):
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
        self.running = {}

    def start(self, *names):
        for name in names or self.flags:
            self.running[name] = Controller(name, self.api, self.dir, self.flags[name],
                                            env={"TMPDIR": str(self.dir), **self.env},
                                            prefix=self.prefixes.get(name, ()))
        for name in names or self.flags:
            self.running[name].wait_until_ready()
        return self

    def __getitem__(self, name):
        return self.running[name]

    def stop(self):
        codes = {name: c.stop() for name, c in self.running.items()}
        self.running = {}
        return codes
