"""`sluice kustomize build` beside the real command: the same arguments, the same files."""

import os
import pathlib
import subprocess

import pytest

from .cases import K, RBAC, RES, config_map, deployment, obj, stream
from .test_kustomize import ROOT, run, write

SLUICE = pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build-test"), "cli", "sluice")

TREE = {
    "over/" + K: "resources: [../base, d.yaml]\nnamePrefix: p-\n",
    "over/d.yaml": stream(deployment(), obj("Namespace", "late")),
    "base/" + K: RES, "base/r.yaml": stream(
        config_map(ns="one"), config_map("two", ns="two"), obj("ClusterRole", "a:b", RBAC)),
    "far/" + K: "resources: [../r.yaml]\n", "r.yaml": config_map("far"),
}


@pytest.fixture
def tree(tmp_path):
    write(tmp_path, TREE)
    return tmp_path


def both(oracle, folder, *arguments):
    real = run([oracle, "build", *arguments], folder)
    ours = run([SLUICE, "kustomize", "build", *arguments], folder)
    text = f"{real}\n{ours}"
    assert (ours.returncode == 0) == (real.returncode == 0), text
    assert ours.stdout == real.stdout, text
    return ours


@pytest.mark.parametrize("arguments", [
    ["over"], ["over/"], ["./over/../over"], ["over", "--reorder", "none"],
    ["--reorder=legacy", "over"], ["over", "--enable-managedby-label"],
    ["over", "--enable-helm=false"], ["far", "--load-restrictor", "LoadRestrictionsNone"]])
def test_B13_B97_builds_what_kustomize_builds(arguments, oracle, tree):
    assert both(oracle, tree, *arguments).returncode == 0


def test_the_current_directory_is_the_default(oracle, tree):
    assert both(oracle, tree / "over").returncode == 0


@pytest.mark.parametrize("arguments", [
    ["far"], ["far", "--load-restrictor=LoadRestrictionsRootOnly"], ["gone"], ["over", "base"],
    ["over", "--reorder=random"], ["over", "--load-restrictor=sometimes"], ["over", "--nosuch"],
    ["over/d.yaml"], ["."], ["over", "--enable-helm=maybe"], ["over", "-o"]])
def test_B4_B102_fails_where_kustomize_fails(arguments, oracle, tree):
    done = both(oracle, tree, *arguments)
    assert done.returncode == 1 and done.stderr.startswith(b"Error: ")


@pytest.mark.parametrize("flag", ["--enable-helm", "--enable-alpha-plugins", "--network",
                                  "--mount=x", "-e=x", "--helm-command=helm"])
def test_refused_flags_say_why(flag, tree):
    done = run([SLUICE, "kustomize", "build", "over", flag], tree)
    assert done.returncode == 1 and not done.stdout
    assert b"not run here" in done.stderr or b"not inflated here" in done.stderr


def test_B104_remote_directories_are_refused(tree):
    for url in ("https://example.com/repo//dir?ref=main", "git@example.com:repo"):
        done = run([SLUICE, "kustomize", "build", url], tree)
        assert done.returncode == 1 and b"not fetched here" in done.stderr, done


def output_of(command, tree, name, as_directory):
    target = tree / name
    if as_directory:
        target.mkdir()
    done = run([*command, "over", "--output", str(target)], tree)
    assert done.returncode == 0 and not done.stdout, done
    if not as_directory:
        return target.read_bytes()
    return {path.name: path.read_bytes() for path in target.iterdir()}


@pytest.mark.parametrize("as_directory", [False, True])
def test_output_goes_to_a_file_or_files(as_directory, oracle, tree):
    ours = output_of([SLUICE, "kustomize", "build"], tree, "ours", as_directory)
    real = output_of([oracle, "build"], tree, "real", as_directory)
    assert ours == real


def test_a_name_with_a_slash_leaves_no_directory(tree):
    write(tree, {"evil/" + K: RES, "evil/r.yaml": config_map("../../escaped")})
    (tree / "out").mkdir()
    done = run([SLUICE, "kustomize", "build", "evil", "-o", "out"], tree)
    assert done.returncode == 1 and b"no file name" in done.stderr
    assert not list((tree / "out").iterdir())


def test_B6_errors_name_file_and_line_from_here(tree):
    write(tree, {"base/r.yaml": config_map() + "---\nkind: Foo\n"})
    done = run([SLUICE, "kustomize", "build", "over"], tree)
    assert done.returncode == 1
    assert b"base/r.yaml:8: missing metadata.name" in done.stderr
    assert str(tree).encode() not in done.stderr


@pytest.mark.parametrize("lines, line, said", [
    (["namePrefx: a-"], 2, 'unknown field "namePrefx"'),
    (["patches:", "- path: p.yaml", "- target: {}", "  where: p.yaml"], 5, 'patches: [1]: unknown field "where"'),
    (["replacements:", "- source: {kind: A}", "  targets:", "  - select: {kind: B}",
      "    fieldPath: x"], 6, 'unknown field "fieldPath"')])
def test_B2_unknown_fields_are_told_with_their_line(lines, line, said, tree):
    write(tree, {"base/kustomization.yaml": "\n".join(["resources: [r.yaml]", *lines, ""])})
    done = run([SLUICE, "kustomize", "build", "over"], tree)
    assert done.returncode == 1
    told = done.stderr.decode()
    assert f"base/kustomization.yaml:{line}: invalid Kustomization: " in told and said in told, told


def test_B14_both_files_of_one_object_are_told(tree):
    write(tree, {"base/kustomization.yaml": "resources: [a.yaml, b.yaml]\n",
                 "base/a.yaml": config_map("other") + "---\n" + config_map("twice"),
                 "base/b.yaml": config_map("twice")})
    done = run([SLUICE, "kustomize", "build", "over"], tree)
    assert done.returncode == 1
    first = config_map("other").count("\n") + 2
    assert f"ConfigMap twice [base/b.yaml:1], which is in base/a.yaml:{first}".encode() in done.stderr


def test_a_full_disk_is_an_error(tree):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([SLUICE, "kustomize", "build", "over"], cwd=tree, stdout=full,
                              stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1 and b"standard output" in done.stderr


def test_help(tree):
    done = run([SLUICE, "kustomize", "build", "--help"], tree)
    assert done.returncode == 0 and b"--load-restrictor" in done.stdout


# name -> (links {path: target}, what is built). Files of TREE are there too.
LINKS = {
    "file_inside": ({"over/l.yaml": "d.yaml"}, "over", RES.replace("r.yaml", "l.yaml")),
    "file_inside_by_absolute_link": ({"over/l.yaml": "{here}/over/d.yaml"}, "over",
                                     RES.replace("r.yaml", "l.yaml")),
    "file_outside": ({"over/l.yaml": "../r.yaml"}, "over", RES.replace("r.yaml", "l.yaml")),
    "file_outside_by_absolute_link": ({"over/l.yaml": "{here}/r.yaml"}, "over",
                                      RES.replace("r.yaml", "l.yaml")),
    "directory_outside": ({"over/sub": "../far2"}, "over", "resources: [sub/x.yaml]\n"),
    "directory_inside": ({"over/sub": "deep"}, "over", "resources: [sub/y.yaml]\n"),
    "base_by_link": ({"over/b": "../base"}, "over", "resources: [b]\n"),
    "base_by_absolute_link": ({"over/b": "{here}/base"}, "over", "resources: [b]\n"),
    "generator_file_outside": ({"over/l.txt": "../r.yaml"}, "over",
                               "configMapGenerator: [{name: g, files: [l.txt]}]\n"),
    "env_file_outside": ({"over/l.txt": "../e.env"}, "over",
                         "configMapGenerator: [{name: g, envs: [l.txt]}]\n"),
    "patch_outside": ({"over/p.yaml": "../p.yaml"}, "over",
                      "resources: [d.yaml]\npatches: [{path: p.yaml}]\n"),
    "dangling": ({"over/l.yaml": "gone"}, "over", RES.replace("r.yaml", "l.yaml")),
    "loop": ({"over/l.yaml": "l.yaml"}, "over", RES.replace("r.yaml", "l.yaml")),
    "base_that_is_its_parent_by_link": ({"over/b": "."}, "over", "resources: [d.yaml, b]\n"),
    "relative_behind_a_linked_base": ({"over/b": "../deep/base"}, "over", "resources: [b]\n"),
}


@pytest.mark.parametrize("restrictor", ["LoadRestrictionsRootOnly", "LoadRestrictionsNone"])
@pytest.mark.parametrize("name", sorted(LINKS))
def test_B102_symbolic_links_lead_where_kustomize_goes(name, restrictor, oracle, tree):
    links, root, text = LINKS[name]
    write(tree, {"over/" + K: text, "far2/x.yaml": config_map("x"), "e.env": "a=b\n",
                 "over/deep/y.yaml": config_map("y"), "p.yaml": config_map("none"),
                 "deep/base/" + K: "resources: [../other]\n",
                 "deep/other/" + K: RES, "deep/other/r.yaml": config_map("o")})
    for link, target in links.items():
        (tree / link).symlink_to(target.format(here=tree))
    both(oracle, tree, root, "--load-restrictor", restrictor)
