"""Expressions by hand: the same value and type, or a refusal in the same words."""
import pytest

from .cases import GROUPS, VARS
from .verdicts import is_explained, verdict, words

ENVIRONMENTS = {"kube": ("kube", False), "flux": ("flux", False), "flux-parsed": ("flux", True)}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("group", GROUPS)
def test_same_answers(group, environment, cel_go, ours):
    env, parse_only = ENVIRONMENTS[environment]
    cases = [{"env": env, "parseOnly": parse_only, "expr": expr, "vars": VARS}
             for expr in GROUPS[group]]
    wrong = []
    for case, real, mine in zip(cases, cel_go.ask(cases), ours.ask(cases)):
        same = verdict(real, parse_only) == verdict(mine, parse_only)
        if same and words(real) is not None:
            same = words(real) == words(mine)
        if not same and not is_explained(case["expr"]):
            wrong.append(f"{case['expr']}\n  real {real}\n  ours {mine}")
    assert not wrong, "\n".join(wrong)


# A map has no order, and what an index of the wrong type has cost is nobody's.
COST_FREE = ("{'a': 1, 'b': 2}", "l[s]", "l[?'a']", "o[?s]", "has(o.?", "type([])", "type({})",
             "u.reverse()", "[?n]", "google.protobuf.Duration{")


@pytest.mark.parametrize("group", GROUPS)
def test_same_cost(group, cel_go, ours):
    cases = [{"env": "kube", "expr": expr, "vars": VARS} for expr in GROUPS[group]
             if not any(part in expr for part in COST_FREE)]
    wrong = []
    for case, real, mine in zip(cases, cel_go.ask(cases), ours.ask(cases)):
        if "value" in real and real.get("cost", 0) != mine.get("cost"):
            wrong.append(f"{case['expr']}\n  real {real}\n  ours {mine}")
    assert not wrong, "\n".join(wrong)
