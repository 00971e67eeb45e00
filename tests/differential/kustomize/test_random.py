"""Random overlays, built by both: the same bytes, or an error in both. The seed of a difference is
printed with the smallest tree that still shows it; SLUICE_RANDOM_SEED=N builds that one again and
SLUICE_RANDOM_COUNT=N makes more of them."""

import copy
import os
import pathlib
import random
import re
import shutil
import subprocess

import pytest

from . import random_overlays
from .test_kustomize import TOOL, write

COUNT = int(os.environ.get("SLUICE_RANDOM_COUNT", "3000"))
FIRST = int(os.environ.get("SLUICE_RANDOM_SEED", "0"))
BATCH = 250
SHRINK_LIMIT = 3000


# Differences that are meant: (what, in whose reply, pattern, why).
EXPLAINED = [
    ("only kustomize fails", "real", rb"^panic: ", "a crash is nothing to copy"),
    ("only kustomize fails", "real", rb"number of previous names",
     "upstream's own notes, after a replacement by an empty name"),
    ("ours fails", "ours", rb"the value does not fit the target field's type",
     "upstream fails at the end, unless something else has overwritten the field by then"),
    ("text", "real", rb"(?m)^ *- \$patch: (merge|replace|delete)$",
     "a directive in a list that the object has not stays there upstream, in place of elements"),
    ("only kustomize fails", "real", rb"validator shouldn't modify the resource map: nodes unequal",
     "upstream compares the style of nodes too, which a strategic patch changes where it changes no value"),
    ("text", "real", rb"(?m)^  name(space)?: (null|-?[0-9].*)$",
     "a replacement by a number or nothing: no name for the API server; ours is text"),
    ("text", "real", rb'(?m)^ +replicas: "[0-9]+"$',
     "a count over a text keeps its quotes upstream, for the API server to refuse"),
    ("text", "real", rb"internal\.config\.kubernetes\.io/", "upstream's own notes, copied elsewhere"),
]


def explained(what, real, ours):
    return any(what == row[0] and re.search(row[2], (real if row[1] == "real" else ours)[1])
               for row in EXPLAINED)


class Builder:
    """A process that builds directories named on its input."""

    def __init__(self, command, folder, stderr=None):
        self.command, self.folder, self.stderr = command, folder, stderr
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, cwd=self.folder, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.stderr)

    def build(self, directory):
        """(built, text); a crash is the text None."""
        self.process.stdin.write(directory.encode() + b"\n")
        self.process.stdin.flush()
        head = self.process.stdout.readline().split()
        if len(head) != 2:
            self.stop()
            self.start()
            return False, None
        return head[0] == b"OK", self.process.stdout.read(int(head[1]))

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=90)


class Pair:
    """Both builders in one folder, and what differs between them."""

    def __init__(self, oracle, folder):
        self.folder = folder
        self.real = Builder([oracle], folder, subprocess.DEVNULL)  # it warns a lot
        self.ours = Builder([TOOL, "-"], folder)

    def stop(self):
        self.real.stop()
        self.ours.stop()

    def compare(self, tree, root):
        """(what differs: None for nothing, both replies)"""
        place = self.folder / "tree"
        write(place, random_overlays.files_of(tree))
        try:
            real = self.real.build(f"tree/{root}")
            ours = self.ours.build(f"tree/{root}")
        finally:
            shutil.rmtree(place)
        if real[1] is None:
            return None, real, ours  # a crash is nothing to copy
        if ours[1] is None:
            return "crash", real, ours
        if real[0] != ours[0]:
            what = "ours fails" if real[0] else "only kustomize fails"
        else:
            what = "text" if real[0] and real[1] != ours[1] else None
        return None if what and explained(what, real, ours) else what, real, ours


def without(tree, path):
    """A copy of a tree that lacks what stands at a path."""
    out = copy.deepcopy(tree)
    at = out
    for part in path[:-1]:
        at = at[part]
    del at[path[-1]]
    return out


def shrink(pair, tree, root, what):
    """Greedily takes away whatever the difference does not need."""
    tries, at = 0, 0
    while tries < SHRINK_LIMIT:
        paths = sorted((path for path in random_overlays.places(tree)
                        if path and path != (root,) and path[-1] not in ("spec", "files")),
                       key=len)
        if at >= len(paths):
            return tree
        smaller = without(tree, paths[at])
        tries += 1
        if pair.compare(smaller, root)[0] == what:
            tree = smaller
        else:
            at += 1
    return tree


def report(seed, pair, tree, root, what):
    tree = shrink(pair, tree, root, what)
    _, real, ours = pair.compare(tree, root)
    files = "".join(f"--- {path}\n{text}" for path, text in
                    sorted(random_overlays.files_of(tree).items()))
    show = [f"{name}: {'built' if reply[0] else 'failed'}\n"
            f"{(reply[1] or b'crashed').decode(errors='replace')}"
            for name, reply in (("kustomize", real), ("ours", ours))]
    return f"seed {seed}: {what} (build {root})\n{files}" + "\n".join(show)


@pytest.fixture(scope="module")
def pair(oracle_dir, tmp_path_factory):
    both = Pair(oracle_dir / "kustomize-builds", tmp_path_factory.mktemp("random"))
    yield both
    both.stop()


@pytest.mark.parametrize("first", range(FIRST, FIRST + COUNT, BATCH))
def test_random_overlays(first, pair):
    built = 0
    count = min(BATCH, FIRST + COUNT - first)
    for seed in range(first, first + count):
        tree, root = random_overlays.make(random.Random(seed))
        what, real, _ = pair.compare(tree, root)
        assert what is None, report(seed, pair, tree, root, what)
        built += real[0]
    # Trees that fail in both prove little.
    assert built >= count * 0.4 or count < BATCH, f"only {built} of {count} build"
