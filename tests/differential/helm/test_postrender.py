"""Post-rendering beside Helm's own, with a post-renderer that does what helm-controller's last one
does: what goes into a release must be the same bytes."""
import pytest

from .conftest import BUILD, built, replies

LONG = "word " * 30
TEMPLATES = {
    "a.yaml": "# comment\nkind: B\napiVersion: v1\nmetadata: {name: b, labels: {z: '1'}}\n---\nkind: A\nmetadata:\n  name: a\n"
              "  annotations: {x: \"1\", y: '0x10'}\n",
    "kinds.yaml": "kind: Service\nmetadata: {name: s}\n---\nkind: Namespace\nmetadata: {name: n}\n---\n\n---\n# nothing\n---\nkind: Secret\nmetadata: {name: t}\n",
    "texts.yaml": f"kind: Texts\nmetadata: {{name: t}}\ndata:\n  long: {LONG}\n  quoted: \"{LONG}: x\"\n  single: '# {LONG}'\n"
                  "  block: |\n    a\n     b\n\n    c\n  keep: |+\n    a\n\n  strip: |-\n    a\n    b\n  folded: >\n    a\n    b\n"
                  "  yes: 'yes'\n  empty: ''\n  null_: null\n  number: '1'\n  real: 1.50\n  big: 1000000\n  small: 1e-7\n  octal: 010\n  date: 2001-01-01\n"
                  "  tab: \"a\\tb\"\n  emoji: \"é 😀 \\u2028\"\n  colon: 'a: b'\n  dash: '- a'\n  trail: 'a '\n  lead: ' a'\n  multi: 'a\n\n    b'\n"
                  "  'key with blanks': 1\n  '1': 2\n  \"true\": 3\n",
    "lists.yaml": "kind: Lists\nmetadata: {name: l}\nitems_:\n- 1\n- [a, [b]]\n- {c: d, e: []}\n- - x\n  - y\nnone: []\nmap: {}\nnested:\n    - a: 1\n      b:\n        - 2\n",
    "list.yaml": "kind: List\napiVersion: v1\nitems:\n- kind: I\n  metadata: {name: i}\n- kind: J\n  metadata: {name: j}\n",
    "hook.yaml": "# a hook\nkind: Job\nmetadata:\n  name: h\n  annotations:\n    helm.sh/hook: pre-install,test\n    helm.sh/hook-weight: \"5\"\nspec: {a: 1}\n---\nkind: A\nmetadata: {name: plain}\n",
    "hook2.yaml": "kind: Pod\nmetadata:\n  name: h2\n  annotations: {helm.sh/hook: post-install}\n",
    "unknown-hook.yaml": "kind: Pod\nmetadata:\n  name: u\n  annotations: {helm.sh/hook: nope}\n",
    "anchors.yaml": "kind: Anchors\nmetadata: {name: x}\na: &a {b: 1}\nc: *a\n",
    "NOTES.txt": "notes", "_partial.tpl": "x: y", "blank.yaml": "\n\n",
}
CASES = {**{name: {name: text} for name, text in TEMPLATES.items()}, "all": TEMPLATES,
         "joined": {"j.yaml": "---apiVersion: v1\nkind: A\nmetadata: {name: a}\n--- \nkind: B\nmetadata: {name: b}\n"},
         "bad": {"b.yaml": "a: b: c\n"}, "list_document": {"b.yaml": "- a\n"}}


@pytest.fixture(scope="module")
def answers():
    real = built("postrender") / "postrender"
    ours = BUILD / "tests" / "unit" / "helm" / "helm-render"
    keys = [(name, strategy) for name in CASES for strategy in ("combined", "separate", "nohooks")]
    requests = [{"templates": CASES[name], "strategy": strategy} for name, strategy in keys]
    return dict(zip(keys, zip(replies(ours, requests), replies(real, requests))))


@pytest.mark.parametrize("strategy", ["combined", "separate", "nohooks"])
@pytest.mark.parametrize("name", CASES)
def test_postrendered(answers, name, strategy):
    ours, real = answers[name, strategy]
    if "error" in real:
        assert ours["error"].split(":")[:2] == real["error"].split(":")[:2]
    else:
        assert ours == real
