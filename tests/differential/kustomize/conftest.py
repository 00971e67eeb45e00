"""The real kustomize, built once."""
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def oracle_dir():
    done = subprocess.run([ROOT / "tests" / "oracles" / "build", "kustomize"],
                          stdout=subprocess.PIPE, text=True)
    if done.returncode == 3:
        pytest.skip("SKIPPED: no Go toolchain for the real kustomize")
    assert done.returncode == 0, "the oracle did not build"
    return pathlib.Path(done.stdout.strip())


@pytest.fixture(scope="session")
def oracle(oracle_dir):
    return oracle_dir / "kustomize"
