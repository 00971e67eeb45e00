"""Flags of `helm template`: the same output, files and errors."""
import re
import subprocess
import tarfile

import pytest

from . import cases_charts
from .test_charts import run

FILES = {**cases_charts.FULL, **cases_charts.SUB, "extra.yaml": "n: 5\nname: [1]\n", "other.yaml": "name: z\n---\nitems: {c: 3}\n",
         "templates/sub/two.yaml": "kind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n"}

# (name, words and flags), in a folder in which "chart" is.
FLAGS = [
    ("no_name", ["chart"]), ("generated_name", ["chart", "--generate-name"]), ("short_generated_name", ["chart", "-g"]),
    ("name_and_generated_name", ["rel", "chart", "-g"]), ("name_template", ["chart", "--name-template", 'a-{{ "B" | lower }}-{{ add 1 2 }}']),
    ("name_template_bad", ["chart", "--name-template", "{{ nope }}"]), ("name_template_and_name", ["rel", "chart", "--name-template", "x"]),
    ("three_words", ["rel", "chart", "more"]), ("bad_name", ["Rel_X", "chart"]), ("long_name", ["r" * 54, "chart"]), ("name_at_the_limit", ["r" * 53, "chart"]),
    ("no_chart", ["rel", "none"]), ("values", ["rel", "chart", "-f", "chart/extra.yaml", "-f", "chart/other.yaml"]),
    ("values_commas", ["rel", "chart", "--values", "chart/extra.yaml,chart/other.yaml"]), ("values_missing", ["rel", "chart", "-f", "none.yaml"]),
    ("values_then_set", ["rel", "chart", "--set", "n=7", "-f", "chart/extra.yaml"]), ("set_orders", ["rel", "chart", "--set-string", "n=s", "--set", "n=1", "--set-json", "n=2"]),
    ("set_file", ["rel", "chart", "--set-file", "name=chart/files/a.txt"]), ("set_file_missing", ["rel", "chart", "--set-file", "name=none"]),
    ("set_literal", ["rel", "chart", "--set-literal", "name=a,b={c}"]), ("set_json_list", ["rel", "chart", "--set-json", 'items=["x",{"y":null}]']),
    ("set_item_ends", ["rel", "chart", "--set", "items[0]"]), ("set_path_ends", ["rel", "chart", "--set", "n=4,name."]),
    ("set_json_bad", ["rel", "chart", "--set-json", "n={"]), ("set_bad", ["rel", "chart", "--set", "a.b[0"]), ("set_index_rest", ["rel", "chart", "--set", "a[0]xé=1"]), ("set_index_open_later", ["rel", "chart", "--set", "n=4,b[0"]), ("set_empty", ["rel", "chart", "--set", ""]),
    ("namespace", ["rel", "chart", "--namespace=x"]), ("show_glob", ["rel", "chart", "-s", "templates/s*.yaml"]), ("show_folder", ["rel", "chart", "-s", "templates/*/two.yaml"]),
    ("show_hook", ["rel", "chart", "-s", "templates/hook.yaml"]), ("show_order", ["rel", "chart", "-s", "templates/svc.yaml", "-s", "templates/dep.yaml"]),
    ("show_subchart", ["rel", "chart", "-s", "charts/sub/templates/show.yaml"]), ("show_crd", ["rel", "chart", "--include-crds", "-s", "crds/c.yaml"]),
    ("show_partial", ["rel", "chart", "-s", "templates/_helpers.tpl"]), ("is_upgrade", ["rel", "chart", "--is-upgrade"]), ("no_hooks", ["rel", "chart", "--no-hooks"]),
    ("skip_tests", ["rel", "chart", "--skip-tests"]), ("kube_version_bad", ["rel", "chart", "--kube-version", "x"]), ("kube_version", ["rel", "chart", "--kube-version=1.30"]),
    ("dry_run", ["rel", "chart", "--dry-run"]), ("dry_run_client", ["rel", "chart", "--dry-run=client"]), ("dry_run_bad", ["rel", "chart", "--dry-run=nope"]),
    ("wait", ["rel", "chart", "--wait"]), ("wait_value", ["rel", "chart", "--wait=legacy"]), ("labels", ["rel", "chart", "-l", "a=b"]), ("skip_crds", ["rel", "chart", "--skip-crds", "--include-crds"]),
    ("cluster_flags", ["rel", "chart", "--kube-context", "x", "--kube-token", "t", "--qps", "5", "--burst-limit", "9", "--take-ownership", "--force-conflicts", "--server-side=false"]),
    ("unknown_flag", ["rel", "chart", "--nope"]), ("flag_without_value", ["rel", "chart", "--set"]), ("no_words", []),
    ("output_dir", ["rel", "chart", "--output-dir", "OUT"]), ("output_dir_named", ["rel", "chart", "--output-dir", "OUT", "--release-name", "--include-crds"]),
    ("output_dir_no_hooks", ["rel", "chart", "--output-dir", "OUT", "--no-hooks"]), ("output_dir_skip_tests", ["rel", "chart", "--output-dir", "OUT", "--skip-tests"]),
    ("dns", ["rel", "chart", "--enable-dns", "--set", "host=localhost"]),
    ("letters", ["chart", "-gn", "x"]), ("letter_value", ["rel", "chart", "-nx"]), ("letter_equals", ["rel", "chart", "-n=x"]),
    ("unknown_letter", ["rel", "chart", "-gZ"]), ("end_of_flags", ["rel", "--namespace", "x", "--", "chart"]), ("switch_words", ["rel", "chart", "--no-hooks=T", "--skip-tests=0"]),
    ("switch_bad", ["rel", "chart", "--no-hooks=yes"]), ("timeout_bad", ["rel", "chart", "--timeout", "5x"]), ("timeout", ["rel", "chart", "--timeout", "5m"]),
    ("qps_bad", ["rel", "chart", "--qps", "x"]), ("burst_bad", ["rel", "chart", "--burst-limit=1.5"]), ("color_bad", ["rel", "chart", "--color", "x"]),
    ("colour", ["rel", "chart", "--colour", "always"]), ("labels_bad", ["rel", "chart", "-l", "x"]), ("labels_own", ["rel", "chart", "--labels", "a=b,owner=x"]),
    ("wait_bad", ["rel", "chart", "--wait=x"]), ("wait_true", ["rel", "chart", "--wait=true"]), ("dry_run_none", ["rel", "chart", "--dry-run=none"]),
    ("dry_run_false", ["rel", "chart", "--dry-run=false"]), ("dry_run_word", ["rel", "chart", "--dry-run", "client"]), ("dry_run_one", ["rel", "chart", "--dry-run=1"]),
    ("validate_and_dry_run", ["rel", "chart", "--validate", "--dry-run=client"]), ("force", ["rel", "chart", "--force"]), ("force_and_conflicts", ["rel", "chart", "--force", "--force-conflicts"]),
    ("force_replace_and_conflicts", ["rel", "chart", "--force-replace", "--force-conflicts"]), ("old_notes_flags", ["rel", "chart", "--hide-notes", "--render-subchart-notes"]),
    ("atomic", ["rel", "chart", "--atomic", "--rollback-on-failure=false"]), ("server_side_bad", ["rel", "chart", "--server-side=x"]),
    ("missing_path", ["rel", "./none"]), ("missing_absolute_path", ["rel", "/none/here"]), ("no_repository", ["rel", "none/chart"]), ("scheme", ["rel", "ftp://x/y"]),
    ("post_renderer_args_alone", ["rel", "chart", "--post-renderer-args", "x"]), ("post_renderer_empty", ["rel", "chart", "--post-renderer="]),
]

# What people are told of flags is each tool's own; that they are refused is not.
OWN_WORDS = ("no_words", "flag_without_value", "dry_run_bad", "set_json_bad", "name_template_bad", "kube_version_bad", "no_chart",
             "unknown_letter", "switch_bad", "timeout_bad", "qps_bad", "burst_bad", "color_bad", "labels_bad", "labels_own", "wait_bad", "force",
             "force_and_conflicts", "validate_and_dry_run", "old_notes_flags", "atomic", "server_side_bad")
# The real tool tells that they are deprecated, or logs the error.
DEPRECATED = ("force", "old_notes_flags", "atomic", "color_bad")


def tree(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*"))
            if path.is_file()} if folder.exists() else {}


@pytest.mark.parametrize("case", FLAGS, ids=lambda case: case[0])
def test_flag(helm, sluice, tmp_path, case):
    name, words = case
    for path, text in FILES.items():
        target = tmp_path / "chart" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    results = []
    for tool, program in (("real", [helm]), ("ours", [sluice, "helm"])):
        own = [word.replace("OUT", tool) for word in words]
        code, out, err = run([*program, "template", *own], tmp_path)
        out = "".join(sorted(out.replace(tool + "/", "OUT/").splitlines(True))) if "OUT" in words else out
        results.append((code, out, err.casefold() if name not in OWN_WORDS else bool(err) and name not in DEPRECATED, tree(tmp_path / tool)))
    real, ours = results
    assert ours == real


def test_values_come_from_standard_input(helm, sluice, tmp_path):
    for path, text in FILES.items():
        target = tmp_path / "chart" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    outs = [subprocess.run([*program, "template", "rel", "chart", "-f", "-"], cwd=tmp_path, text=True,
                           input="items: {q: 1}\n", capture_output=True, timeout=60).stdout
            for program in ([helm], [sluice, "helm"])]
    assert outs[0] == outs[1] and "  name: q\n" in outs[0]


def test_all_flags_of_the_real_tool_are_known(helm, sluice):
    shown = subprocess.run([helm, "template", "--help"], capture_output=True, text=True).stdout
    flags = re.findall(r"^ +(?:-\w, )?(--[a-z-]+)( \w+)?", shown, re.M)
    unknown = []
    for flag, value in flags:
        words = [sluice, "helm", "template", flag] + (["1"] if value else [])
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        if "unknown flag" in done.stderr:
            unknown.append(flag)
    assert len(flags) > 60 and not unknown


LIMITED = [
    ("{{ range until 5000 }}0123456789{{ end }}", ["--max-output=1000"], "limit of 1000 bytes of output"),
    ("{{ range 1000000000 }}{{ end }}", ["--max-steps", "5000"], "limit of 5000 steps"),
    ("{{ until 9999999 }}", ["--max-memory=1000000"], "too large"),
    ('{{ define "r" }}{{ include "r" . }}{{ end }}{{ include "r" . }}', ["--max-depth=20"], "limit of 20 nested templates"),
    ("{{ range 1000000000 }}{{ end }}", ["--max-time=50ms"], "limit of 50 ms"),
]


@pytest.mark.parametrize("template, flags, told", LIMITED, ids=range(len(LIMITED)))
def test_a_limit_ends_a_hostile_chart(sluice, tmp_path, template, flags, told):
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    (tmp_path / "templates" / "t.yaml").write_text(template)
    code, out, err = run([sluice, "helm", "template", "r", ".", *flags], tmp_path)
    assert code == 1 and told in err and "c/templates/t.yaml:1:" in err, err


@pytest.mark.parametrize("flag", ["--max-output=x", "--max-steps=0", "--max-time=5", "--max-time=-1s", "--max-depth=-1"])
def test_a_bad_limit_is_told(sluice, tmp_path, flag):
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    code, out, err = run([sluice, "helm", "template", "r", ".", flag], tmp_path)
    assert code == 1 and "expected" in err and not out


# Plugins by name: plugin.yaml, and the program.
HEAD = "apiVersion: v1\nname: {0}\ntype: postrenderer/v1\nversion: 1.0.0\nruntime: subprocess\n"
COMMAND = "runtimeConfig:\n  platformCommand:\n  - command: $HELM_PLUGIN_DIR/run.sh\n"
PLUGINS = {
    "same": (HEAD + COMMAND, "cat"),
    "told": (HEAD + COMMAND + "    args: ['${HELM_PLUGIN_NAME} x', '$FROM_ENV']\n",
             "cat; printf -- '---\\nkind: Told\\nmetadata: {name: %s}\\nwords: [\"%s\", \"%s\", \"%s\"]\\n' "
             '"$HELM_PLUGIN_NAME" "$1" "$2" "$3"; test -d "$HELM_PLUGIN_DIR"'),
    "choosy": (HEAD + "runtimeConfig:\n  platformCommand:\n  - {command: 'false'}\n"
               "  - {os: windows, command: 'false'}\n  - {os: Linux, command: cat}\n  - {os: linux, command: 'false'}\n", ""),
    "words": (HEAD + "runtimeConfig:\n  platformCommand:\n  - command: sed s/Service/Changed/\n    args: [-u]\n", ""),
    "fails": (HEAD + COMMAND, "cat; exit 3"),
    "says nothing": (HEAD + COMMAND, "cat >/dev/null; echo ' '"),
    "says no yaml": (HEAD + COMMAND, "cat >/dev/null; echo 'a: [b'"),
    "does not read": (HEAD + COMMAND, "echo 'kind: X'; echo 'metadata: {name: x}'"),
    "has no program": (HEAD + "runtimeConfig:\n  platformCommand:\n  - {os: plan9, command: cat}\n", ""),
    "is not there": (HEAD + "runtimeConfig:\n  platformCommand:\n  - {command: /nonexistent/program}\n", ""),
    "is no post-renderer": (HEAD.replace("postrenderer/v1", "cli/v1") + COMMAND, "cat"),
    "has no version": (HEAD.replace("version: 1.0.0\n", "") + COMMAND, "cat"),
    "is no plugin": ("a: [", "cat"),
}
STYLES = """apiVersion: v1
kind: ConfigMap
metadata:
    name: 'single'
    annotations: {"double": "1", a: 'b'}
data:
    z: "1"
    number: 0644
    yes: "yes"
    long: a text that is longer than eighty characters, so that some writers of YAML would fold it over
    empty: ""
    a: |
      two
      lines
    folded: >-
      one
      line
list:
    - {b: 1, c: [1, 2]}
    -   - nested
"""
POSTRENDERED = [
    ("same", {}), ("same", {"templates/styles.yaml": STYLES}),
    ("same", {"templates/two.yaml": "kind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata:\n  name: b\n  annotations:\n    x: y\n"}),
    ("same", {"templates/list.yaml": "kind: A\nmetadata: {}\n---\n\n---\nkind: B\n"}), ("same", {"templates/bad.yaml": "a: [b\n"}),
    ("told", {}), ("choosy", {}), ("words", {}), *((name, {}) for name in list(PLUGINS)[4:]), ("unknown", {}),
]


@pytest.mark.parametrize("name, files", POSTRENDERED, ids=range(len(POSTRENDERED)))
def test_post_renderer(helm, sluice, tmp_path, monkeypatch, name, files):
    for path, text in {**FILES, **files}.items():
        target = tmp_path / "chart" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(line for line in text.splitlines() if not line.strip().startswith("#")) + "\n")
    for plugin, (metadata, script) in PLUGINS.items():
        folder = tmp_path / "plugins" / plugin.replace(" ", "-")
        folder.mkdir(parents=True)
        (folder / "plugin.yaml").write_text(metadata.replace("{0}", plugin.replace(" ", "-")))
        (folder / "run.sh").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "run.sh").chmod(0o755)
    monkeypatch.setenv("HELM_PLUGINS", f"{tmp_path}/none:{tmp_path}/plugins")
    monkeypatch.setenv("FROM_ENV", "of the environment")
    words = ["template", "rel", "chart", "--post-renderer", name.replace(" ", "-")]
    words += ["--post-renderer-args", "u v"] if name == "told" else []
    real, ours = (run([*program, *words], tmp_path) for program in ([helm], [sluice, "helm"]))
    assert ours[:2] == real[:2] and bool(ours[2]) == bool(real[2]), (ours, real)
    assert (real[0] == 0) == (name in list(PLUGINS)[:4] + ["does not read"] and "templates/bad.yaml" not in files), real


def test_a_post_renderer_is_given_once(helm, sluice, tmp_path):
    for words in (["--post-renderer", "a", "--post-renderer=b"], ["--post-renderer=", "--post-renderer-args=x"]):
        real, ours = (run([*program, "template", "r", ".", *words], tmp_path)[0]
                      for program in ([helm], [sluice, "helm"]))
        assert real == ours == 1


@pytest.mark.parametrize("version", ["v1", "v2", "", "v3", "v9", "V2"])
@pytest.mark.parametrize("packed", [False, True], ids=["directory", "archive"])
def test_the_apiversion_of_a_chart(helm, sluice, tmp_path, version, packed):
    (tmp_path / "c" / "templates").mkdir(parents=True)
    (tmp_path / "c" / "Chart.yaml").write_text(f"apiVersion: '{version}'\nname: c\nversion: 1.0.0\n")
    (tmp_path / "c" / "templates" / "a.yaml").write_text("kind: A\n")
    if packed:
        with tarfile.open(tmp_path / "c.tgz", "w:gz") as tar:
            tar.add(tmp_path / "c", "c")
    real, ours = (run([*program, "template", "r", "c.tgz" if packed else "c"], tmp_path)
                  for program in ([helm], [sluice, "helm"]))
    assert ours == real and (real[0] == 0) == (version in ("v1", "v2", ""))
