"""cel-go with the environments of Kubernetes and of Flux, built once, and our evaluator."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Evaluator:
    """A process that answers one case a line."""

    def __init__(self, command):
        self.process = subprocess.Popen([command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def ask(self, cases):
        """The answers to all cases; a crash is told with the case that it met."""
        answers = []
        for case in cases:
            self.process.stdin.write(json.dumps(case) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            assert line, f"it ended at {case['expr']!r}"
            answers.append(json.loads(line))
        return answers

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=60) == 0


@pytest.fixture(scope="session")
def cel_go():
    done = subprocess.run([ROOT / "tests" / "oracles" / "build", "cel"], stdout=subprocess.PIPE,
                          text=True)
    if done.returncode == 3:
        pytest.skip("SKIPPED: no Go toolchain for cel-go")
    assert done.returncode == 0, "the oracle did not build"
    evaluator = Evaluator(pathlib.Path(done.stdout.strip()) / "cel")
    yield evaluator
    evaluator.stop()


@pytest.fixture(scope="session")
def ours():
    evaluator = Evaluator(pathlib.Path(os.environ["SLUICE_BUILD"], "tests", "unit", "cel",
                                       "cel-cases"))
    yield evaluator
    evaluator.stop()
