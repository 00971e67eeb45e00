"""common/sops beside the real sops: a process of ours that decrypts, and files made for it."""
import base64
import json
import os
import pathlib
import subprocess

import pytest

from tests.lib.sops import Sops


class Driver:
    """tests/unit/sops/sops_driver: a line in, a line out."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def decrypt(self, sealed, form, out=None, **keys):
        """(plain, None) or (None, error)."""
        line = {"data": base64.b64encode(sealed).decode(), "in": form, "out": out or form, **keys}
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        if "error" in reply:
            return None, reply["error"]
        return base64.b64decode(reply["data"]), None

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=90) == 0


@pytest.fixture(scope="session")
def driver():
    made = Driver(pathlib.Path(os.environ["SLUICE_BUILD"], "tests/unit/sops/sops_driver"))
    yield made
    made.stop()


@pytest.fixture(scope="session")
def sops(tmp_path_factory):
    made = Sops(tmp_path_factory.mktemp("sops"))
    yield made
    made.stop()
