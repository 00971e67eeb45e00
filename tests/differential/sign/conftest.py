"""The real verifiers and ours, as processes that answer a case a line."""
import json
import os
import pathlib
import subprocess

import pytest

from tests.lib.oracle import oracle
from tests.lib.sigstore import Sigstore


class Verifier:
    def __init__(self, command):
        self.process = subprocess.Popen([command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def ask(self, case):
        self.process.stdin.write(json.dumps(case) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the verifier ended"
        return line.rstrip("\n")

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=60) == 0


@pytest.fixture(scope="session")
def ours():
    verifier = Verifier(pathlib.Path(os.environ["SLUICE_BUILD"], "tests", "unit", "sign",
                                     "sign-cases"))
    yield verifier
    verifier.stop()


@pytest.fixture(scope="session")
def sigstore_go():
    verifier = Verifier(oracle("sigstore") / "sigstore")
    yield verifier
    verifier.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return Sigstore(tmp_path_factory.mktemp("sigstore"))
