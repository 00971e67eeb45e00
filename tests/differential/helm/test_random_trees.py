"""Charts with subcharts and values from a grammar by `sluice helm template` and by the real tool, and
random schemas. SLUICE_RANDOM_SEED=N makes others, SLUICE_RANDOM_TREES=N more of them."""
import concurrent.futures
import os
import re

from . import random_trees
from .test_charts import ordered, run
from .test_schemas import plain, told

COUNT = int(os.environ.get("SLUICE_RANDOM_TREES", "150"))
FIRST = int(os.environ.get("SLUICE_RANDOM_SEED", "1")) * 100000


# Where the real tool says what its language said of a bug of its own; how a system error begins; which of
# several bad subcharts it comes upon first.
OWN_WORDS = [(re.compile(r'interface conversion: .*|"[^"]*" is no (table|list)'), "no table"),
             (re.compile("No such file"), "no such file"),
             (re.compile("error unpacking subchart .*", re.S), "bad subchart")]


def told_by(command, folder):
    code, out, err = ordered(run(command, folder))
    for pattern, word in OWN_WORDS:
        err = pattern.sub(word, err)
    return code, out, err


def both(helm, sluice, folder, seed):
    """(how the real tool ended, the case with both results if they differ)"""
    files, arguments = random_trees.case(seed)
    for path, text in files.items():
        target = folder / str(seed) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    real = told_by([helm, "template", "rel", "chart", *arguments], folder / str(seed))
    ours = told_by([sluice, "helm", "template", "rel", "chart", *arguments], folder / str(seed))
    return real[0], None if ours == real else (seed, arguments, ours, real)


def test_random_trees(helm, sluice, tmp_path):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda seed: both(helm, sluice, tmp_path, seed), range(FIRST, FIRST + COUNT)))
    assert sum(code == 0 for code, _ in ends) > COUNT / 4, "enough that are rendered"
    different = [found for _, found in ends if found]
    assert not different, f"{len(different)}:\n" + "\n".join(
        f"{seed} {arguments}\n  ours {ours}\n  real {real}" for seed, arguments, ours, real in different[:10])


def test_random_schemas(helm, sluice, tmp_path):
    texts = random_trees.schemas(FIRST, 2 * COUNT)
    answers = []
    for tool, program in (("real", [helm]), ("ours", [sluice, "helm"])):
        (tmp_path / tool).mkdir()
        answers.append(told(program, tmp_path / tool, texts)[0])
    real, ours = answers
    assert COUNT / 4 < len(real) < 2 * COUNT, "some hold and some do not"
    different = {n: (ours.get(n), real.get(n)) for n in range(len(texts)) if plain(ours.get(n)) != plain(real.get(n))}
    assert not different, f"{len(different)}:\n" + "\n".join(
        f"{texts[n]}\n  ours {o!r}\n  real {r!r}" for n, (o, r) in list(different.items())[:10])
