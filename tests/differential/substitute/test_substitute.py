"""Substitution beside envsubst as Flux has it: the same text, or an error in both. The seed of a
difference is printed; SLUICE_RANDOM_SEED=N makes that one again and SLUICE_RANDOM_COUNT=N makes more
of them."""
import base64
import json
import os
import pathlib
import random
import subprocess

from tests.lib.oracle import oracle

COUNT = int(os.environ.get("SLUICE_RANDOM_COUNT", "4000"))
FIRST = int(os.environ.get("SLUICE_RANDOM_SEED", "0"))
VARS = {"v": "value", "empty": "", "path": "a/b/c.tar.gz", "mixed": "heLLo", "n": "1", "m": "-2",
        "url": "https://host/x", "accent": "éÀßa", "stars": "a*b[c]\\d", "A_1": "aaa"}
# name -> texts. What globs match of characters beyond ASCII may differ: docs/differences.md.
TEXTS = {
    "plain": ["", "text", "${v}", "a${v}b${n}", "${u}", "${empty}", "$v", "$(v)", "$", "$$", "$$$",
              "$${v}", "$$${v}", "$ {v}", "}", "{", "${v", "${", "${}", "${ v}", "${v }", "${a.b}",
              "${1a}", "${é}", "${v-d}", "${v+d}", "${v?}", "${v!}", "${V}"],
    "defaults": ["${u:=d}", "${u=d}", "${u:-d}", "${u:?d}", "${u:+d}", "${v:=d}", "${empty:=d}",
                 "${u:=}", "${u:=a${v}b}", "${u:=${v}${n}}", "${u:=${w:=${v}}}", "${u:=a b}",
                 "${u:={a}}", "${u:=a$$b}", "${u:=\\}}", "${u:=a", "${u==}", "${u:=$}", "${u:=:}"],
    "slices": ["${v:0}", "${v:1}", "${v:1:2}", "${v:9}", "${v:5}", "${v: -1}", "${v:x}", "${v:1:x}",
               "${v:${n}}", "${v:${m}}", "${v:${m}:1}", "${v:${n}:${n}}", "${v:1:-1}", "${v:9:-1}",
               "${v:9:-5}", "${v:+1}", "${v:1:+1}", "${v:}", "${v::}", "${v::2}", "${v:1:}",
               "${v:1::2}", "${v:1:2:3}", "${v:1${n}}", "${v:99999999999999999999}", "${v:4:1}",
               "${accent:1}", "${accent:0:2}", "${#v}", "${#accent}", "${#u}", "${#}", "${#v:1}",
               "${##v}", "${empty:0}", "${v:${n}1}"],
    "case": ["${v^}", "${v^^}", "${mixed,}", "${mixed,,}", "${v^,}", "${v,^}", "${v^^^}", "${v^a}",
             "${accent^}", "${accent^^}", "${accent,}", "${accent,,}", "${empty^}", "${u^}"],
    "replace": ["${v/a/X}", "${v//a/X}", "${v/#va/X}", "${v/%ue/X}", "${v/#x/X}", "${v/#va/}",
                "${v/%ue/}", "${v/l/}", "${path//\\//-}", "${path/\\//}", "${v/a}", "${v//}",
                "${v///x}", "${v/a//x}", "${v/a/b/c}", "${path/${path}/x}", "${v/${u}/x}",
                "${v//${empty}/-}", "${v/${empty}/-}", "${v/#${empty}/-}", "${v/%${empty}/-}",
                "${accent//${empty}/-}", "${v/a/${path}}", "${url/${url}/${path}}", "${v/a/${u}}",
                "${v/a${n}/b}", "${v/a/b${n}}", "${v/#va/${empty}}", "${stars/\\\\/x}",
                "${stars/*/x}", "${v/}/x}", "${v/a/\\}}", "${v/a/$$}", "${A_1//a/$$}", "${v/a/}}",
                "${A_1//a/aa}", "${empty/a/b}", "${empty//${empty}/x}", "${v/ /x}", "${v/$$/x}"],
    "trims": ["${path#*/}", "${path##*/}", "${path%.*}", "${path%%.*}", "${path#*}", "${path##*}",
              "${path%*}", "${path%%*}", "${path#?}", "${path%?}", "${path#a}", "${path#x}",
              "${path#}", "${path%}", "${path###}", "${path%%%}", "${stars#a\\*}", "${stars%\\*b}",
              "${v#[a-z]}", "${v##[a-z]*}", "${v#[^a]}", "${v#[!a]}", "${v#[}", "${v#[]a]}",
              "${v#[a-]}", "${v%[e]}", "${v%]e[}", "${v#\\v}", "${v#v\\}", "${v%e\\}", "${v%\\e}",
              "${v#${v}}", "${v#${n}}", "${v#v${n}}", "${v#*a*}", "${v##*a*}", "${v#**a}",
              "${v%%*a*}", "${empty#*}", "${v#*[lu]}", "${v##*[lu]}", "${v#v*e}", "${u#a}"],
}
NAMES = ["v", "empty", "path", "mixed", "n", "m", "url", "stars", "A_1", "u", "accent"]
GLOBS = ["*", "?", "a", "/", "[a-c]", "[^a]", ".", "l", "*a", "[", "]", "\\", "\\*", "x", "-"]
WORDS = ["a", "b", "l", "/", "\\/", "\\\\", " ", "x", "$$", "$", "}", ":", "é", "1", "-1", "="]


def some(rng, choices, most=3):
    return "".join(rng.choice(choices) for _ in range(rng.randint(0, most)))


def argument(rng, depth, words=None):
    if depth < 3 and rng.random() < 0.25:
        return expression(rng, depth + 1)
    return some(rng, words or WORDS)


def expression(rng, depth=0):
    name = rng.choice(NAMES)
    form = rng.choice(["", ":=", "=", ":-", ":", "^", "^^", ",", ",,", "/", "//", "/#", "/%", "#",
                       "##", "%", "%%", "length", "odd"])
    if form == "length":
        return f"${{#{name}}}"
    if form == "odd":
        return f"${{{name}{some(rng, WORDS + GLOBS)}"
    if form in ("#", "##", "%", "%%"):
        name = name if name != "accent" else "v"
        glob = argument(rng, depth, GLOBS).replace("é", "e").replace("accent", "v")
        return f"${{{name}{form}{glob}}}"
    if form == ":":
        numbers = ["0", "1", "2", "-1", "-9", "9", "x", "", "+1"]
        more = f":{rng.choice(numbers)}" if rng.random() < 0.5 else ""
        return f"${{{name}:{rng.choice(numbers)}{more}}}"
    if form.startswith("/"):
        return f"${{{name}{form}{argument(rng, depth)}/{argument(rng, depth)}}}"
    if form in ("", "^", "^^", ",", ",,"):
        return f"${{{name}{form}}}"
    return f"${{{name}{form}{argument(rng, depth)}{argument(rng, depth)}}}"


def answers(program, cases):
    done = subprocess.run([program], input="".join(json.dumps(c) + "\n" for c in cases), text=True,
                          capture_output=True, timeout=600)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(cases), (cases[len(lines)], done.stderr[-2000:])
    return lines


def differences(texts):
    """Lines about those that both expand, each in its own way."""
    cases = [{"text": text, "vars": VARS, "strict": strict} for text in texts
             for strict in (True, False)]
    ours = pathlib.Path(os.environ["SLUICE_BUILD"], "tests", "unit", "kustomize-controller",
                        "substitute-cases")
    return [f"{case['text']!r}, strict {case['strict']}: real {told(real)}, ours {told(mine)}"
            for case, real, mine in zip(cases, answers(oracle("envsubst") / "envsubst", cases),
                                        answers(ours, cases))
            if real.get("value") != mine.get("value")]


def told(reply):
    return base64.b64decode(reply["value"]) if "value" in reply else "error " + reply["error"]


def test_K29_to_K38_every_form_by_hand():
    wrong = differences([text for texts in TEXTS.values() for text in texts])
    assert not wrong, "\n".join(wrong)


def test_K29_to_K38_random_texts():
    wrong = []
    texts = {seed: some(random.Random(-seed), WORDS) + expression(random.Random(seed)) +
             some(random.Random(seed), WORDS) for seed in range(FIRST, FIRST + COUNT)}
    found = differences(texts.values())
    wrong = [f"seed {seed}: {line}" for seed, text in texts.items() for line in found
             if line.startswith(repr(text) + ",")]
    assert not wrong, f"{len(wrong)} of them\n" + "\n".join(wrong[:20])
