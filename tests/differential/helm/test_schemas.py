"""Schemas in our validator and in Helm's: the same breaches in the same words and order. Every
schema is that of a chart below one chart, so that a process of each tool checks many."""
import re

import pytest

from . import cases_schemas
from .test_charts import run

CASES = dict(cases_schemas.charts())
# The real one counts the items behind a tuple from 0 again when it says where they are.
PLACES = ("tuple", "prefix")
HEAD = "apiVersion: v2\nname: {}\nversion: 0.1.0\n"
TOLD = re.compile(r"(c\d+):\n")


def plain(text):
    """What is said of a value, whose members come in any order; or that the schema is bad."""
    if text is None:
        return None
    if not text.startswith("- at"):
        return "bad schema"
    lines = [re.sub(r"(is not valid [a-z0-9-]+):.*", r"\1", line) for line in text.splitlines()]
    return sorted("".join(sorted(line.replace(",", "").split(" "))) if "additional" in line else line
                  for line in lines)


def told(program, folder, texts):
    """What a tool says of each schema: {number: text}."""
    (folder / "Chart.yaml").write_text(HEAD.format("parent"))
    for number, text in enumerate(texts):
        chart = folder / "charts" / f"c{number}"
        chart.mkdir(parents=True)
        (chart / "Chart.yaml").write_text(HEAD.format(f"c{number}"))
        (chart / "values.yaml").write_text(cases_schemas.VALUES)
        (chart / "values.schema.json").write_text(text)
    code, out, err = run([*program, "template", "rel", "."], folder)
    parts = TOLD.split(err)
    return {int(name[1:]): text.strip() for name, text in zip(parts[1::2], parts[2::2])}, code


@pytest.fixture(scope="module")
def answers(helm, sluice, tmp_path_factory):
    names = [name for name in CASES if name not in cases_schemas.BROKEN and "wrong" not in name
             and "missing" not in name and name.split()[-1] not in PLACES]
    texts = [CASES[name] for name in names]
    real, _ = told([helm], tmp_path_factory.mktemp("real"), texts)
    ours, _ = told([sluice, "helm"], tmp_path_factory.mktemp("ours"), texts)
    return {name: (ours.get(number), real.get(number)) for number, name in enumerate(names)}


def test_schemas(answers):
    different = {name: pair for name, pair in answers.items() if plain(pair[0]) != plain(pair[1])}
    assert len(answers) > 300
    assert not different, "\n".join(f"{n}\n  ours {o!r}\n  real {r!r}" for n, (o, r) in different.items())


@pytest.mark.parametrize("name", [name for name in CASES if name in cases_schemas.BROKEN or (
    name.startswith(("draft 7", "no draft")) and ("wrong" in name or "missing" in name))])
def test_broken_schema(helm, sluice, tmp_path, name):
    """The two say each in their own words what is wrong with a schema; whether it is, they agree."""
    codes = []
    for tool, program in (("real", [helm]), ("ours", [sluice, "helm"])):
        folder = tmp_path / tool
        folder.mkdir()
        codes.append(told(program, folder, [CASES[name]])[1])
    assert codes[0] == codes[1]
