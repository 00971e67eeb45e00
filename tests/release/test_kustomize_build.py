"""`sluice kustomize build` beside the real tool on bench/kustomize's overlay: 1,000 files of one object with 200
strategic-merge patches, prefix, namespace, labels with selectors and an image; whole processes, as `make build` has them.
How fast that is bench/kustomize tells, on a machine that does nothing else; what holds here depends on no machine:
instructions, memory, and a ratio of the processors' time within one run."""
import importlib.machinery
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from tests.lib.oracle import oracle

ROOT = pathlib.Path(__file__).resolve().parents[2]
SLUICE = pathlib.Path(os.environ["SLUICE_BUILD"], "cli", "sluice")
OBJECTS, MORE, PATCHES = 1000, 3000, 200
INSTRUCTIONS = 400_000_000  # 349 million with gcc 12, which took 47 ms in bench/RESULTS.md; 60 ms are 445 million
GROWTH = 1
PEAK_MIB = 30
TIMES_FASTER = 50  # 65.5 in bench/RESULTS.md

LOADER = importlib.machinery.SourceFileLoader("bench_kustomize", str(ROOT / "bench" / "kustomize"))
bench = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_kustomize", LOADER))
LOADER.exec_module(bench)


@pytest.fixture(scope="module")
def overlay(directory):
    def write(objects):
        folder = directory / f"of{objects}"
        if not folder.exists():
            folder.mkdir()
            bench.write_big(folder, objects, PATCHES)
        return str(folder)
    return write


def instructions(folder):
    """Of the command and of what takes its place."""
    done = subprocess.run(["valgrind", "--tool=callgrind", "--trace-children=yes", "--callgrind-out-file=/dev/null",
                           SLUICE, "kustomize", "build", folder], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, timeout=600, check=True)
    return sum(int(count) for count in re.findall(r"Collected : (\d+)", done.stderr))


def peak_mib(folder):
    """While it waits for the pipe to be emptied; what wait4 tells has this process' memory in it."""
    child = subprocess.Popen([SLUICE, "kustomize", "build", folder], stdout=subprocess.PIPE)
    child.stdout.read(1)
    status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
    child.communicate()
    assert child.returncode == 0
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


@pytest.fixture(scope="module")
def counted(overlay):
    if not shutil.which("valgrind"):
        pytest.skip("SKIPPED: valgrind is not installed")
    return {objects: instructions(overlay(objects)) for objects in (OBJECTS, MORE)}


def test_a_thousand_files_in_400_million_instructions(counted):
    assert counted[OBJECTS] < INSTRUCTIONS


def test_one_file_costs_as_much_where_there_are_many(counted):
    """Names are found by index: looking at all others for each would be three times as much."""
    assert counted[MORE] / MORE < GROWTH * counted[OBJECTS] / OBJECTS


def test_a_thousand_files_in_30_mib(overlay):
    assert max(peak_mib(overlay(OBJECTS)) for _ in range(3)) < PEAK_MIB


def test_many_times_faster_than_kustomize(overlay):
    real = bench.measure([oracle("kustomize") / "kustomize", "build", overlay(OBJECTS)], 1)
    ours = bench.measure([SLUICE, "kustomize", "build", overlay(OBJECTS)], 10)
    assert ours[1] == real[1]
    assert real[0] > TIMES_FASTER * ours[0], f"{real[0] / ours[0]} times: {ours[0]} and {real[0]} s"
