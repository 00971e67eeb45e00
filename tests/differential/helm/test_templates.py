"""Templates in our engine and in Helm's: the same bytes, the same error texts."""
import os
import re

import pytest

from . import cases_functions
from . import cases_language
from . import cases_templates
from . import random_flow
from . import random_templates

COUNT = int(os.environ.get("SLUICE_RANDOM_COUNT", "20000"))
FIRST = int(os.environ.get("SLUICE_RANDOM_SEED", "1"))

# What parsers of other libraries say of bad text is compared up to where it begins.
FOREIGN = [
    (re.compile(r"error parsing regexp: .*|regexp: Compile\(.*", re.S), "REGEXP"),
    (re.compile(r"(error converting YAML to JSON: )?yaml:.*", re.S), "YAML"),
    (re.compile(r"(error converting YAML to JSON: )?yaml: .*", re.S), "YAML"),
    (re.compile(r"toml: .*", re.S), "TOML"),
    (re.compile(r"parsing time .*", re.S), "TIME"),
]


def plain(reply):
    """A reply whose foreign error texts are named and not quoted."""
    def one(text):
        for pattern, name in FOREIGN:
            text = pattern.sub(name, text)
        return text
    if "error" in reply:
        return {"error": one(reply["error"])}
    return {"out": {name: one(text) for name, text in reply["out"].items()}}


def request(text, values):
    return {"templates": text if isinstance(text, dict) else {"t.yaml": text}, "values": values}


CASES = {case[0]: case[1] for case in cases_templates.CASES + cases_language.CASES
         + cases_functions.CASES}


@pytest.fixture(scope="module")
def answers(engines):
    """All cases by each engine, in one process of each."""
    requests = [request(text, cases_templates.TREE) for text in CASES.values()]
    return {name: (ours, real) for name, (_, ours, real) in zip(CASES, engines.both(requests))}


@pytest.mark.parametrize("name", CASES)
def test_template(answers, name):
    ours, real = answers[name]
    assert plain(ours) == plain(real)


def test_cases_have_names_of_their_own():
    lists = (cases_templates.CASES, cases_language.CASES, cases_functions.CASES)
    assert len(CASES) == sum(len(cases) for cases in lists)


def test_random_calls(engines):
    texts = random_templates.templates(FIRST, COUNT)
    requests = [request(text, random_templates.TREE) for text in texts]
    different = [(r["templates"]["t.yaml"], ours, real) for r, ours, real in engines.both(requests)
                 if plain(ours) != plain(real)]
    assert not different, "\n".join(f"{t}\n  ours {o}\n  real {r}" for t, o, r in different[:10])


def shows_addresses(reply):
    """The whole context has a pointer in it, which prints as it happens to be."""
    return "capabilities:0x" in str(reply).lower() or "pabilities" in reply.get("error", "")


def test_random_documents(engines):
    texts = random_templates.documents(FIRST, COUNT // 4)
    requests = [request(text, random_templates.TREE) for text in texts]
    different = [(r["templates"]["t.yaml"], ours, real) for r, ours, real in engines.both(requests)
                 if plain(ours) != plain(real) and not shows_addresses(real)]
    assert not different, "\n".join(f"{t}\n  ours {o}\n  real {r}" for t, o, r in different[:10])


def test_random_charts(engines):
    requests = random_flow.charts(FIRST, COUNT // 4)
    replies = list(engines.both(requests))
    assert sum("out" in real for _, _, real in replies) > len(requests) / 4, "enough that run to their end"
    different = [(r["templates"], ours, real) for r, ours, real in replies
                 if plain(ours) != plain(real) and not shows_addresses(real)]
    assert not different, f"{len(different)}:\n" + "\n".join(f"{t}\n  ours {o}\n  real {r}" for t, o, r in different[:10])
