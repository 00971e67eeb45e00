"""Whole charts by `sluice helm template` and by the real tool: the same bytes on standard output, the
same error."""
import os
import re
import subprocess

import pytest

from . import cases_charts
from . import cases_large

# What the YAML parsers say differs; that and where it is said does not.
FOREIGN = re.compile(r"(error converting YAML to JSON: |cannot unmarshal yaml document: |"
                     r"error unmarshaling JSON: ).*", re.S)


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60,
                          env={**os.environ, "HOME": str(folder)})
    errors = [line for line in done.stderr.decode().splitlines(True)
              if not re.match(r"level=|\d{4}/\d\d/\d\d ", line)]
    return done.returncode, done.stdout.decode(), FOREIGN.sub(r"\1", "".join(errors)).strip()


def ordered(result):
    """With the breaches of a schema sorted: the real tool goes through members as they come."""
    code, out, err = result
    if "specifications of the schema" in err:
        err = "\n".join(sorted(err.splitlines()))
    return code, out, err


@pytest.mark.parametrize("case", cases_charts.CASES + cases_large.CASES, ids=lambda case: case[0])
def test_chart(helm, sluice, tmp_path, case):
    _, files, arguments = case
    for path, text in files.items():
        target = tmp_path / "chart" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    real = run([helm, "template", "rel", "chart", *arguments], tmp_path)
    ours = run([sluice, "helm", "template", "rel", "chart", *arguments], tmp_path)
    assert ordered(ours) == ordered(real)
