"""The real helm, and its engine as a program that renders many small charts."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build-test"))


def built(name):
    done = subprocess.run([ROOT / "tests" / "oracles" / "build", name], stdout=subprocess.PIPE,
                          text=True)
    if done.returncode == 3:
        pytest.skip("SKIPPED: no Go toolchain for the real helm")
    assert done.returncode == 0, f"the oracle {name} did not build"
    return pathlib.Path(done.stdout.strip())


def replies(program, requests):
    """One process, a JSON line for each request, a JSON line for each reply."""
    text = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([program], input=text.encode(), capture_output=True, timeout=600)
    assert done.returncode == 0 and not done.stderr, done.stderr.decode()[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


class Engines:
    def __init__(self, real):
        self.real = real
        self.ours = BUILD / "tests" / "unit" / "helm" / "helm-render"

    def both(self, requests):
        return zip(requests, replies(self.ours, requests), replies(self.real, requests))


@pytest.fixture(scope="session")
def engines():
    return Engines(built("gotmpl") / "gotmpl")


@pytest.fixture(scope="session")
def helm():
    return built("helm") / "helm"


@pytest.fixture(scope="session")
def sluice():
    return BUILD / "cli" / "sluice"
