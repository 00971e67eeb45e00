"""scripts/mutate: which changes it makes to a C file, and that it makes the same ones again."""
import importlib.machinery
import importlib.util
import os
import pathlib
import random

import pytest

pytestmark = pytest.mark.skipif(os.environ.get("SLUICE_API") == "kube", reason="needs no API server")

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = r'''/* if (a == b) is a comment. */
#define LIMIT 5
static const Row rows[] = {
	{"if (x < 1)", 3},
	{"b && c", 4},
};
static const Node nodes[] = {[ABSENT] = NONE,
			     [FILE] = PLAIN,
			     [DIR] = FOLDER};

bool f(int a)
{
	if (a >= 2 && !is_odd(a)) {
		note(a,
		     "a; b");
		log_info("said", NULL);
	}
	return a < 7 || true;
}
'''


@pytest.fixture(scope="module")
def mutate():
    loader = importlib.machinery.SourceFileLoader("mutate", str(ROOT / "scripts" / "mutate"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("mutate", loader))
    loader.exec_module(module)
    return module


def test_each_change_is_one_and_none_is_in_a_text_or_a_comment(mutate):
    made = [(m.what, SOURCE[m.start:m.end], m.new) for m in mutate.mutations(SOURCE)]
    assert sorted(made) == sorted([
        ("row", '\t{"if (x < 1)", 3},', ""), ("row", '\t{"b && c", 4},', ""),
        ("row", "\t\t\t     [FILE] = PLAIN,", ""),
        ("number", "3", "6"), ("number", "4", "8"),
        ("condition", "(a >= 2 && !is_odd(a))", "(!(a >= 2 && !is_odd(a)))"),
        ("bound", ">=", ">"), ("number", "2", "4"), ("junction", "&&", "||"),
        ("call", 'note(a,\n\t\t     "a; b");', ";"),
        ("bound", "<", "<="), ("number", "7", "14"), ("junction", "||", "&&"),
        ("constant", "true", "false")])


def test_a_change_leaves_the_rest_as_it_is(mutate):
    for m in mutate.mutations(SOURCE):
        changed = m.apply(SOURCE)
        assert changed != SOURCE
        assert changed.startswith(SOURCE[:m.start]) and changed.endswith(SOURCE[m.end:])
        assert m.tell(SOURCE).startswith(f"{SOURCE[:m.start].count(chr(10)) + 1}: ")


def test_lines_and_seed_choose(mutate):
    made = mutate.mutations(SOURCE)
    assert {m.what for m in mutate.within(SOURCE, made, "4-5")} == {"row", "number"}
    assert mutate.within(SOURCE, made, None) == made
    one, again = (random.Random("1 a.c").sample(range(len(made)), 5) for _ in range(2))
    assert one == again


def test_every_file_of_the_daemons_can_be_changed_somewhere(mutate):
    for folder in ("common/ctrl", "common/kube", "kustomize-controller"):
        for path in sorted((ROOT / folder).glob("*.c")):
            if path.name != "main.c":
                assert mutate.mutations(path.read_text()), path
