"""healthCheckExprs (kustomize-controller.md 7, K84-K86): what current, inProgress and failed say of
objects in a table, and the same from upstream's own evaluator (tests/oracles/kstatus)."""
import os
import pathlib

from tests.lib.oracle import ROOT, oracle

from .test_kstatus import C, F, P, ask, cond, obj

TOOL = pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build-test"), "tests", "unit", "delivery",
                    "health-exprs")
U, BAD = "Unknown", "invalid"


def thing(status=None, **more):
    return {**obj("example.test/v1", "Thing", status), **more}


PHASE = {"current": "status.phase == 'Done'", "inProgress": "status.phase == 'Busy'",
         "failed": "status.phase in ['Broken', 'Lost']"}
READY = "status.conditions.filter(e, e.type == 'Ready')"
CERT = {"current": READY + ".all(e, e.status == 'True')", "failed": READY + ".exists(e, e.status == 'False')"}
ALWAYS = {"current": "true"}


def conditions(*rows):
    return thing({"conditions": [cond(*row) for row in rows]})


TABLE = [
    (C, PHASE, thing({"phase": "Done"})), (P, PHASE, thing({"phase": "Busy"})), (F, PHASE, thing({"phase": "Lost"})),
    (P, PHASE, thing({"phase": "else"})), (U, PHASE, thing({})), (U, PHASE, thing()),
    (U, {"current": PHASE["current"]}, thing({"other": 1})),
    # In progress is asked first, then failed, then current; an error ends it.
    (P, {**ALWAYS, "inProgress": "true", "failed": "true"}, thing()),
    (F, {**ALWAYS, "inProgress": "false", "failed": "true"}, thing()),
    (C, {**ALWAYS, "inProgress": "false", "failed": "false"}, thing()), (F, {**ALWAYS, "failed": "true"}, thing()),
    (P, {"current": "false"}, thing()), (U, {**ALWAYS, "inProgress": "status.nope"}, thing({})),
    (P, {**ALWAYS, "inProgress": "true", "failed": "status.nope"}, thing({})),
    (U, {**ALWAYS, "failed": "nope == 1"}, thing()),
    # The observed generation goes before all, where it is a number.
    (C, ALWAYS, thing({"observedGeneration": 2})), (P, ALWAYS, thing({"observedGeneration": 1})),
    (P, {**ALWAYS, "failed": "true"}, thing({"observedGeneration": 1})),
    (P, {"current": "nope"}, thing({"observedGeneration": 3})), (C, ALWAYS, thing({"observedGeneration": "1"})),
    (C, ALWAYS, thing({"observedGeneration": 1}, metadata={"name": "a"})),
    (C, ALWAYS, thing({"observedGeneration": None})), (C, ALWAYS, thing({"observedGeneration": 1.5})),
    (C, CERT, conditions(("Ready", "True"))), (F, CERT, conditions(("Ready", "False"))),
    (P, CERT, conditions(("Ready", "Unknown"))), (C, CERT, conditions()), (U, CERT, thing({})),
    (F, CERT, conditions(("Ready", "True"), ("Ready", "False"))),
    # Whatever stands at the top is a variable; the libraries.
    (C, {"current": "data.k == 'v' && kind == 'Thing' && apiVersion.startsWith('example')"}, thing(data={"k": "v"})),
    (C, {"current": "metadata.name in ['a', 'b'] && metadata.generation > 1"}, thing()),
    (C, {"current": "has(status.a) ? status.a > 1 : true"}, thing({})), (P, {"current": "has(status.a)"}, thing({})),
    (C, {"current": "status.?a.orValue(3) == 3"}, thing({})), (C, {"current": "status.a > 1.5"}, thing({"a": 2})),
    (C, {"current": "size(status.l) == 2 && 'x' in status.m"}, thing({"l": [1, 2], "m": {"x": 1}})),
    (C, {"current": "status.s.split(',').size() == 3"}, thing({"s": "a,b,c"})),
    (C, {"current": "sets.contains(status.l, [1])"}, thing({"l": [1, 2]})),
    (C, {"current": "base64.decode(status.s) == b'hi'"}, thing({"s": "aGk="})),
    (C, {"current": "duration('1m') > duration('1s')"}, thing()), (C, {"current": "status.n == null"}, thing({"n": None})),
    # What is not true or false, and what cannot be evaluated.
    (U, {"current": "status.a"}, thing({"a": 1})), (U, {"current": "'true'"}, thing()),
    (U, {"current": "1 / status.z == 1"}, thing({"z": 0})), (U, {"current": "status.l[5] == 1"}, thing({"l": []})),
    (U, {"current": "status.a + 'x' == 'x'"}, thing({"a": 1})), (U, {"current": "nosuch(status)"}, thing({})),
    (C, {"current": "status.nope == 1 || true"}, thing({})), (P, {"current": "status.nope == 1 && false"}, thing({})),
    # What cannot be read.
    (BAD, {"current": ""}, thing()), (BAD, {"failed": "true"}, thing()), (BAD, {"current": "a ="}, thing()),
    (BAD, {"current": "a b"}, thing()), (BAD, {**ALWAYS, "failed": "("}, thing()),
    (BAD, {**ALWAYS, "inProgress": "[1, "}, thing()), (C, {**ALWAYS, "inProgress": "", "failed": ""}, thing()),
]
LINES = [{"object": o, "exprs": exprs} for _, exprs, o in TABLE]


def wrong(program):
    return [(want, have, line) for (want, _, _), have, line in zip(TABLE, ask(program, LINES), LINES)
            if want != have]


def test_K84_K85_K86_health_expressions():
    assert not wrong(TOOL)


def test_K84_K85_K86_the_table_is_what_upstream_says():
    assert not wrong(oracle("kstatus") / "kstatus")
