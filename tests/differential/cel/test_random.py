"""Random expressions, evaluated by both: the same value, type and cost, or a refusal in both. The
seed of a difference is printed; SLUICE_RANDOM_SEED=N makes that one again and SLUICE_RANDOM_COUNT=N
makes more of them."""
import os
import random

from . import random_expressions
from .verdicts import verdict

COUNT = int(os.environ.get("SLUICE_RANDOM_COUNT", "4000"))
FIRST = int(os.environ.get("SLUICE_RANDOM_SEED", "0"))


def differs(case, real, mine):
    if verdict(real, False) != verdict(mine, False):
        return real.get("panic") is None
    return case["env"] == "kube" and "value" in real and real.get("cost", 0) != mine.get("cost")


def test_random_expressions(cel_go, ours):
    wrong = []
    for seed in range(FIRST, FIRST + COUNT):
        case = random_expressions.make(random.Random(seed), 2 + seed % 4)
        real, mine = cel_go.ask([case])[0], ours.ask([case])[0]
        if differs(case, real, mine):
            wrong.append(f"seed {seed} {case['env']}: {case['expr']}\n  real {real}\n  ours {mine}")
    assert not wrong, f"{len(wrong)} of {COUNT}:\n" + "\n".join(wrong[:20])
