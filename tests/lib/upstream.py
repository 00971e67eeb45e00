"""Upstream's own controllers (tests/oracles), started in Sluice's place."""
import contextlib
import pathlib

from .net import PATIENCE, free_port, http
from .oracle import oracle
from .process import Process


class Upstream(Process):
    """One of them, ready when /readyz says so."""

    def __init__(self, name, api, directory, flags=()):
        self.name = name
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.health_port, self.metrics_port = free_port(), free_port()
        super().__init__(
            [oracle(name) / name, f"--health-addr=127.0.0.1:{self.health_port}",
             f"--metrics-addr=127.0.0.1:{self.metrics_port}", *flags],
            self.dir / f"{name}.log",
            env={"KUBECONFIG": str(api.kubeconfig), "RUNTIME_NAMESPACE": "flux-system",
                 "HOME": str(self.dir), "TMPDIR": str(self.dir)})

    def wait_until_ready(self):
        self.wait_ready(
            lambda: http("GET", f"http://127.0.0.1:{self.health_port}/readyz")[0] == 200,
            f"upstream's {self.name} to be ready", timeout=60 + PATIENCE)
        return self

    def metrics(self):
        return http("GET", f"http://127.0.0.1:{self.metrics_port}/metrics")[2].decode()


@contextlib.contextmanager
def running(controller):
    """Until the end of the block, at which it must end cleanly."""
    try:
        yield controller.wait_until_ready()
    except BaseException:
        controller.kill()
        raise
    code = controller.stop()
    assert code == 0, (code, controller.log()[-4000:])


def differences(before, after):
    """What two pictures say otherwise: {key: (before, after)}"""
    return {key: (before.get(key), after.get(key)) for key in {*before, *after}
            if before.get(key) != after.get(key)}
