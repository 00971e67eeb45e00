"""Constraints, versions and their order as Masterminds/semver has them, which is what upstream asks of
tags of Git and OCI repositories and of versions of charts. Of a difference the seed is printed;
SLUICE_RANDOM_SEED=N makes that one again and SLUICE_RANDOM_COUNT=N makes more of them."""
import json
import os
import pathlib
import random
import subprocess

from tests.lib.oracle import oracle

from . import random_ranges

COUNT = int(os.environ.get("SLUICE_RANDOM_COUNT", "30000"))
FIRST = int(os.environ.get("SLUICE_RANDOM_SEED", "0"))


def ask(program, cases):
    text = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run([program], input=text, stdout=subprocess.PIPE, text=True, timeout=300)
    assert done.returncode == 0
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(cases)
    return answers


def both(cases):
    ours = pathlib.Path(os.environ["SLUICE_BUILD"], "tests", "unit", "data", "semver-cases")
    return zip(cases, ask(oracle("semver") / "semver", cases), ask(ours, cases))


def differences(cases, first):
    return [f"seed {first + i}: {case['constraint']!r} {case['versions']}\n  real {real}\n  ours {mine}"
            for i, (case, real, mine) in enumerate(both(cases)) if real != mine]


def test_S22_S49_S68_named_constraints():
    versions = ["1.2.3", "1.2.3-a", "v2.0.0", "2", "3.0", "3.0.1+b", "0.0.0", "0.1.0-rc.1", "10.0.0"]
    cases = [{"constraint": text, "versions": versions} for text in random_ranges.JUNK]
    wrong = differences(cases, 0)
    assert not wrong, "\n".join(wrong)


def test_S22_S49_S68_random_ranges():
    cases = [random_ranges.make(random.Random(seed)) for seed in range(FIRST, FIRST + COUNT)]
    bad = sum(answer["bad"] for answer in ask(oracle("semver") / "semver", cases))
    assert COUNT < 1000 or COUNT / 20 < bad < COUNT / 2, "enough of both"
    wrong = differences(cases, FIRST)
    assert not wrong, f"{len(wrong)} of {COUNT}:\n" + "\n".join(wrong[:20])
