"""The real peers that tests compare with (tests/oracles)."""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def oracle(name):
    """The directory with an oracle's programs or data; skips where there is no Go toolchain, or no
    npm. The test runner builds them all beforehand and tells by environment."""
    directory = os.environ.get(f"SLUICE_{name.upper().replace('-', '_')}_ORACLE")
    if directory is None:
        done = subprocess.run([ROOT / "tests" / "oracles" / "build", name],
                              stdout=subprocess.PIPE, text=True)
        assert done.returncode in (0, 3), f"the oracle {name} did not build"
        directory = done.stdout.strip()
    if not directory:
        pytest.skip(f"SKIPPED: no Go toolchain (or npm) for the oracle {name}")
    return pathlib.Path(directory)
