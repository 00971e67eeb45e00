"""The command line against real controllers."""
import os
import pathlib
import subprocess

import pytest


@pytest.fixture
def sluice(api):
    def run(*args):
        binary = pathlib.Path(os.environ["SLUICE_BUILD"], "cli", "sluice")
        return subprocess.run([binary, *args, f"--kubeconfig={api.kubeconfig}"],
                              capture_output=True, text=True, timeout=60)
    return run


@pytest.fixture
def source(objects, git_server, ns):
    repo = git_server.repository(ns)
    repo.commit({"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"})
    objects.apply("GitRepository", "src", {"url": git_server.url_of(repo), "interval": "1h",
                                           "ref": {"branch": "main"}})
    objects.ready("GitRepository", "src")
    return repo


def test_get_shows_a_table(sluice, source, ns):
    done = sluice("get", "source", "git", "-n", ns)
    assert done.returncode == 0, done.stderr
    head, row = done.stdout.splitlines()
    assert head.split() == ["NAME", "REVISION", "SUSPENDED", "READY", "MESSAGE"]
    assert row.split()[:4] == ["src", f"main@sha1:{source.head()}", "False", "True"]
    everywhere = sluice("get", "source", "git", "-A", "--no-header")
    assert ns in everywhere.stdout and "NAMESPACE" not in everywhere.stdout
    assert sluice("get", "kustomizations", "-n", ns).returncode == 1


def test_reconcile_fetches_a_new_commit(sluice, source, ns, objects):
    head = source.commit({"b.yaml": ""})
    done = sluice("reconcile", "source", "git", "src", "-n", ns)
    assert done.returncode == 0, done.stderr
    assert f"fetched revision main@sha1:{head}" in done.stderr
    objects.apply("Kustomization", "app", {
        "interval": "1h", "prune": True, "targetNamespace": ns, "path": "./",
        "sourceRef": {"kind": "GitRepository", "name": "src"}})
    objects.ready("Kustomization", "app")
    head = source.commit({"c.yaml": ""})
    done = sluice("reconcile", "ks", "app", "-n", ns, "--with-source")
    assert done.returncode == 0, done.stderr
    assert f"applied revision main@sha1:{head}" in done.stderr


def test_reconcile_of_a_failing_source_exits_1(sluice, source, ns, objects):
    objects.patch("GitRepository", "src", {"spec": {"ref": {"branch": "nope"}}})
    done = sluice("reconcile", "source", "git", "src", "-n", ns)
    assert done.returncode == 1 and "nope" in done.stderr


def test_suspend_and_resume(sluice, source, ns, objects):
    assert sluice("suspend", "source", "git", "--all", "-n", ns).returncode == 0
    assert objects.get("GitRepository", "src")["spec"]["suspend"] is True
    refused = sluice("reconcile", "source", "git", "src", "-n", ns)
    assert refused.returncode == 1 and "suspended" in refused.stderr
    assert sluice("resume", "source", "git", "src", "-n", ns).returncode == 0
    assert objects.get("GitRepository", "src")["spec"]["suspend"] is False


def test_events_version_help_and_bad_words(sluice, source, ns):
    from tests.lib.net import wait_until
    wait_until(lambda: "GitRepository/src" in sluice("events", "-n", ns).stdout, "the event")
    assert sluice("version").stdout.startswith("sluice: v")
    for bad in (["frobnicate"], ["get", "nonsense"], ["get", "source", "git", "--nope"],
                ["reconcile", "source", "git"]):
        done = sluice(*bad)
        assert done.returncode == 1 and done.stderr.startswith("✗ "), bad
