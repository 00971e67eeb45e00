"""What of a suite takes long begins first: what begins last should not be what all others wait for at
the end. tests/long_tests has a module or a unit program and its seconds in each line, as tests/run.py
prints them."""
import pathlib

LONG_TESTS = pathlib.Path(__file__).resolve().parents[1] / "long_tests"


def longest_first(things, name_of):
    """Sorts a list in place; what the table does not name keeps its order behind what it does."""
    rows = (line.split() for line in LONG_TESTS.read_text().splitlines())
    seconds = {name: int(took) for name, took in rows}
    things.sort(key=lambda thing: -seconds.get(name_of(thing), 0))
