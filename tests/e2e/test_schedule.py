"""Which modules and unit programs begin first."""
import pathlib

from tests.lib.schedule import LONG_TESTS, longest_first

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_longest_begin_first():
    rows = [line.split() for line in LONG_TESTS.read_text().splitlines()]
    names = [name for name, _ in sorted(rows, key=lambda row: -int(row[1]))]
    things = ["no such", *reversed(names), "nor this"]
    longest_first(things, str)
    assert [int(dict(rows)[name]) for name in things[:-2]] == [int(dict(rows)[n]) for n in names]
    assert things[-2:] == ["no such", "nor this"]


def test_the_table_names_what_there_is():
    for line in LONG_TESTS.read_text().splitlines():
        name = line.split()[0]
        if name.endswith(".py"):
            assert (ROOT / name).exists(), name
        else:
            suite, layer, noun = name.split("/")
            assert suite == "unit" and (ROOT / "tests" / "unit" / layer / f"test_{noun}.c").exists(), name
