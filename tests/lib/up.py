"""`sluice up` as a process of a test's or of the demo's: the embedded server with the controllers."""
import base64
import os
import pathlib

import yaml

from .net import RestClient
from .process import Process, program_of, started_by

EXPORT = "export KUBECONFIG="


def children_of(pid):
    """name -> pid of the processes that a process started."""
    return {program_of(child): child for child in started_by(pid)}


class Up(Process):
    def __init__(self, log, *flags, env=None, program=None):
        pathlib.Path(log).unlink(missing_ok=True)
        program = program or pathlib.Path(os.environ["SLUICE_BUILD"], "cli", "sluice")
        super().__init__([program, "up", *flags], log, env=env)

    def ready(self):
        line = lambda: next((l for l in self.log().splitlines() if l.startswith(EXPORT)), None)
        self.kubeconfig = pathlib.Path(self.wait_ready(line, "sluice up").removeprefix(EXPORT))
        config = yaml.safe_load(self.kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        ca = self.kubeconfig.parent / "test-ca.crt"
        ca.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        self.server = cluster["server"]
        self.rest = RestClient(self.server, str(ca), config["users"][0]["user"]["token"])
        self.children = children_of(self.pid)
        return self

    def apply(self, obj, path):
        status, reply = self.rest.call("PATCH", path + "?fieldManager=test&force=true", obj,
                                       "application/apply-patch+yaml")
        assert status in (200, 201), reply
