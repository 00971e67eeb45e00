"""Whole charts by `sluice helm template` and by the real tool: the same bytes on standard output, the
same error."""
import os
import re
import subprocess

import pytest

from . import cases_charts

# What the YAML parsers say differs; that and where it is said does not.
FOREIGN = re.compile(r"(error converting YAML to JSON: |cannot unmarshal yaml document: |"
                     r"error unmarshaling JSON: ).*", re.S)


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60,
                          env={**os.environ, "HOME": str(folder)})
    errors = [line for line in done.stderr.decode().splitlines(True)
              if not re.match(r"level=|\d{4}/\d\d/\d\d ", line)]
    return done.returncode, done.stdout.decode(), FOREIGN.sub(r"\1", "".join(errors)).strip()


@pytest.mark.parametrize("case", cases_charts.CASES, ids=lambda case: case[0])
def test_chart(helm, sluice, tmp_path, case):
    _, files, arguments = case
    for path, text in files.items():
        target = tmp_path / "chart" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    real = run([helm, "template", "rel", "chart", *arguments], tmp_path)
    ours = run([sluice, "helm", "template", "rel", "chart", *arguments], tmp_path)
    assert ours == real
