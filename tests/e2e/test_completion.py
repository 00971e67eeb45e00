"""Completion in real shells, manual pages, and what `meson install` puts where."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from tests.lib.up import Up

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["SLUICE_BUILD"])
SLUICE = BUILD / "cli" / "sluice"
PROGRAMS = ("source-controller", "kustomize-controller", "helm-controller",
            "notification-controller")

# What a shell does with a line: the words so far, the last one unfinished.
BASH = """. "$1"; shift; COMP_WORDS=(sluice "$@"); COMP_CWORD=$#; compopt() { :; }; _sluice
printf '%s\\n' "${COMPREPLY[@]}" """
ZSH = """compdef() { : }; _describe() { print -rl -- ${(P)2} }; _files() { print FILES }
. $1; shift; words=(sluice "$@"); CURRENT=$#words; _sluice"""
FISH = 'source $argv[1]; complete -C (string join -- " " sluice $argv[2..-1])'


def complete(shell, script, env, *words):
    """The candidates; what a shell shows beside them is cut off."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    command = {"bash": ["bash", "--norc", "-c", BASH, "x"], "zsh": ["zsh", "-f", "-c", ZSH, "x"],
               "fish": ["fish", "--no-config", "-c", FISH]}[shell]
    done = subprocess.run([*command, script, *words], capture_output=True, text=True, timeout=30,
                          env=env)
    assert done.returncode == 0 and not done.stderr, done.stderr
    separator = ":" if shell == "zsh" else "\t"
    return [line.split(separator)[0] for line in done.stdout.splitlines() if line]


@pytest.fixture
def env(api, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sluice").symlink_to(SLUICE)
    return dict(os.environ, PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}", HOME=str(tmp_path),
                KUBECONFIG=str(api.kubeconfig))


@pytest.fixture
def script(tmp_path):
    def make(shell):
        path = tmp_path / f"script.{shell}"
        path.write_text(subprocess.run([SLUICE, "completion", shell], check=True, text=True,
                                       capture_output=True).stdout)
        return path
    return make


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_C84_completion(shell, env, script, objects, ns):
    objects.apply("GitRepository", "one", {"url": "http://127.0.0.1:1/x.git", "interval": "1h"})
    objects.apply("GitRepository", "two", {"url": "http://127.0.0.1:1/x.git", "interval": "1h"})
    path = script(shell)

    def offered(*words):
        return complete(shell, path, env, *words)
    assert offered("g") == ["get"]
    assert set(offered("")) >= {"up", "get", "reconcile", "suspend", "resume", "events", "version"}
    assert {"source", "sources"} <= set(offered("get", "so"))
    assert offered("reconcile", "source", "g") == ["git"]
    assert "external" not in offered("suspend", "source", "")
    assert offered("-n", ns, "get", "source", "git", "") == ["one", "two"]
    assert offered("get", "source", "git", "t", ) == []
    assert offered("get", "source", "git", "-n", ns, "t") == ["two"]
    assert ns in offered("get", "-n", ns[:5])
    assert offered("get", "--context", "") == ["test"]
    assert "--status-selector" in offered("get", "--st")
    assert sorted(offered("version", "-o", "")) == ["json", "yaml"]
    assert not set(offered("events", "ks", "")) & {"one", "two"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_C84_completion_of_other_tools_commands(shell, env, script):
    path = script(shell)
    assert complete(shell, path, env, "kustomize", "b") == ["build"]
    assert complete(shell, path, env, "helm", "") == ["template"]
    assert complete(shell, path, env, "kustomize", "build", "--build-max-b") == ["--build-max-bytes"]
    assert complete(shell, path, env, "helm", "template", "x", "--max-ti") == ["--max-time"]
    assert "--kubeconfig" not in complete(shell, path, env, "kustomize", "build", "--")
    assert "--enable-helm" not in complete(shell, path, env, "kustomize", "build", "--e")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_C84_completion_offers_files_and_survives_a_lost_server(shell, env, script, tmp_path):
    path = script(shell)
    (tmp_path / "config-file").write_text("")
    shown = complete(shell, path, env, "get", "--kubeconfig", f"{tmp_path}/config-f")
    assert shown == (["FILES"] if shell == "zsh" else [f"{tmp_path}/config-file"])
    lost = dict(env, KUBECONFIG="/nonexistent")
    assert complete(shell, path, lost, "get", "source", "git", "") == []
    assert complete(shell, path, lost, "get", "--context", "") == []
    assert complete(shell, path, lost, "get", "source", "g") == ["git"]


def test_C84_bash_takes_a_flag_and_its_value_apart(env, script, ns, objects):
    path = script("bash")
    assert complete("bash", path, env, "version", "--output", "=", "j") == ["json"]
    assert complete("bash", path, env, "version", "--output=j") == ["--output=json"]


def test_completion_needs_a_shell():
    done = subprocess.run([SLUICE, "completion", "tcsh"], capture_output=True, text=True)
    assert done.returncode == 1 and "bash, zsh or fish" in done.stderr


def manual(program):
    return subprocess.run([program, "--help-man"], capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff")
@pytest.mark.parametrize("program", [SLUICE, BUILD / "apiserver" / "sluice-apiserver",
                                     *(BUILD / p / p for p in PROGRAMS)], ids=lambda p: p.name)
def test_manual_page_is_clean_and_has_every_flag(program):
    source = manual(program)
    done = subprocess.run(["groff", "-man", "-ww", "-Tutf8"], input=source, capture_output=True,
                          text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    shown = subprocess.run([program, "--help"], capture_output=True, text=True).stdout
    flags = set(re.findall(r"--[a-zA-Z-]+", shown))
    if program == SLUICE:
        for command in (["kustomize", "build"], ["helm", "template"], ["build"], ["diff"]):
            text = subprocess.run([program, *command, "--help"], capture_output=True, text=True).stdout
            flags |= set(re.findall(r"(?m)^ .*?(--[a-z-]+)", text))
    assert flags and all(f.replace("-", "\\-") in source for f in flags)


@pytest.mark.skipif(os.environ.get("SLUICE_API") == "kube", reason="brings its own API server")
def test_an_installation_works_from_wherever_it_is_put(tmp_path):
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet",
                    f"--destdir={tmp_path / 'root'}"], check=True, capture_output=True)
    prefix = next((tmp_path / "root").rglob("bin/sluice")).parents[1]
    for installed in ("share/man/man1/sluice.1", "share/man/man8/source-controller.8",
                      "share/bash-completion/completions/sluice",
                      "share/zsh/site-functions/_sluice",
                      "share/fish/vendor_completions.d/sluice.fish"):
        assert (prefix / installed).stat().st_size, installed
    up = Up(tmp_path / "up.log", f"--data-dir={tmp_path / 'data'}",
            program=prefix / "bin" / "sluice")
    try:
        up.ready()
        for pid in up.children.values():
            program = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
            assert pathlib.Path(program).parent == prefix / "bin"
        assert up.rest.get("/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations")["items"] == []
    finally:
        assert up.stop() == 0, up.log()
