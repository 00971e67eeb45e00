"""Our kustomize build against the real one (tests/oracles/kustomize): the same objects in the same
order, and an error where it has one. A case's name starts with the facts line that it is about."""

import os
import pathlib
import re
import subprocess

import pytest

from . import cases
from . import cases_corners
from . import cases_found
from . import cases_patches
from . import cases_values

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOOL = pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build-test"), "tests", "unit", "kustomize",
                    "kustomize-build")
CASES = {**cases.CASES, **cases_patches.CASES, **cases_values.CASES, **cases_corners.CASES,
         **cases_found.CASES}


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text)


def run(command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=60,
                          env={"PATH": os.environ["PATH"], "HOME": str(folder)})


def show(name, done):
    return f"{name} ({done.returncode}):\n{(done.stdout + done.stderr).decode(errors='replace')}"


@pytest.mark.parametrize("name", sorted(CASES))
def test_same_as_kustomize(name, oracle, tmp_path):
    files = dict(CASES[name])
    root = files.pop("ROOT", ".")
    write(tmp_path, files)
    # Without an order the command line sorts; Flux, and so we, do not (facts 7).
    real = run([oracle, "build", "--reorder=none", root], tmp_path)
    ours = run([TOOL, root], tmp_path)
    text = show("kustomize", real) + "\n" + show("ours", ours)
    assert ours.returncode in (0, 1), text
    assert (ours.returncode == 0) == (real.returncode == 0), text
    if "ERROR" in name:
        assert real.returncode != 0, "the case is meant to fail\n" + text
        assert re.search(rb"Error: .*([./\w-]+\.(ya?ml|json|env|txt)|[Kk]ustomization)", ours.stderr, re.S), \
            "ours names no file\n" + text
    elif real.returncode != 0:
        pytest.fail("the case is meant to build\n" + text)
    # Byte for byte: the real tool's text is what users diff.
    assert ours.stdout == real.stdout, text
