"""The command line against real controllers (cli.md). test_flux.py compares it with upstream's."""
import json
import os
import pathlib
import re
import subprocess
import threading

import pytest
import yaml

from tests.lib.net import PATIENCE, wait_until, with_time_enough

SLUICE = pathlib.Path(os.environ["SLUICE_BUILD"], "cli", "sluice")
NOWHERE = "--kubeconfig=/nonexistent"


def run(*args, env=None, timeout=PATIENCE):
    return subprocess.run([SLUICE, *args], capture_output=True, text=True, timeout=timeout,
                          env=dict(os.environ, **(env or {})))


@pytest.fixture
def sluice(api):
    return lambda *args, **more: run(*args, f"--kubeconfig={api.kubeconfig}", **more)


@pytest.fixture
def source(objects, git_server, ns):
    repo = git_server.repository(ns)
    repo.commit({"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"})
    objects.apply("GitRepository", "src", {"url": git_server.url_of(repo), "interval": "1h",
                                           "ref": {"branch": "main"}})
    objects.ready("GitRepository", "src")
    return repo


@pytest.fixture
def app(source, objects, ns):
    objects.apply("Kustomization", "app", {
        "interval": "1h", "prune": True, "targetNamespace": ns, "path": "./",
        "sourceRef": {"kind": "GitRepository", "name": "src"}})
    objects.ready("Kustomization", "app")


def cells(line):
    return [c.strip() for c in line.rstrip("\n").split("\t")]


def test_C57_C58_get_shows_a_table(sluice, source, ns):
    done = sluice("get", "source", "git", "-n", ns)
    assert done.returncode == 0 and not done.stderr
    head, row = done.stdout.splitlines()
    assert cells(head) == ["NAME", "REVISION", "SUSPENDED", "READY", "MESSAGE"]
    short = f"main@sha1:{source.head()[:8]}"
    assert cells(row) == ["src", short, "False", "True", f"stored artifact for revision '{short}'",
                          ""]
    assert "\033" not in done.stdout
    everywhere = sluice("get", "sources", "git", "-A", "--no-header")
    assert [ns, "src", short] in [cells(l)[:3] for l in everywhere.stdout.splitlines()]
    assert sluice("get", "-An", ns, "source", "git").stdout.startswith("NAMESPACE")


def test_C59_get_filters(sluice, app, ns):
    def names(*args):
        return [cells(l)[0] for l in
                sluice("get", "ks", "-n", ns, "--no-header", *args).stdout.splitlines()]
    assert names() == names("--status-selector", "ready=TRUE") == ["app"]
    assert names("--status-selector=ready!=true") == names("--status-selector=stalled=true") == []
    assert names("-l", "team=x") == []
    done = sluice("get", "ks", "-n", ns, "--status-selector", "ready")
    assert done.returncode == 1 and "expected status selector" in done.stderr
    assert sluice("get", "ks", "-n", ns, "-l", "a in (b").returncode == 1


def test_C60_what_is_not_there(sluice, api, source, ns):
    assert "Kustomization object 'nope' not found in" in \
        sluice("get", "ks", "nope", "-n", ns).stderr
    done = sluice("get", "ks", "-n", ns)
    assert (done.returncode, done.stderr) == \
        (1, f'✗ no Kustomization objects found in "{ns}" namespace\n')
    done = sluice("get", "all", "-n", ns)
    assert done.returncode == 0 and "gitrepository/src" in done.stdout and not done.stderr
    assert sluice("get", "all", "-w", "-n", ns).returncode == 1
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
    assert api.rest.call("DELETE", crds + "helmreleases.helm.toolkit.fluxcd.io")[0] == 200
    wait_until(lambda: "no matches for kind" in sluice("get", "hr", "-n", ns).stderr, "the end")
    assert sluice("get", "all", "-n", ns).returncode == 0


def test_C57_get_watch_prints_one_head_and_a_row_for_each_change(api, source, objects, ns):
    child = subprocess.Popen([SLUICE, "get", "source", "git", "-w", "-n", ns, "--timeout=60s",
                              f"--kubeconfig={api.kubeconfig}"], stdout=subprocess.PIPE, text=True)
    try:
        assert cells(child.stdout.readline())[0] == "NAME"
        assert cells(child.stdout.readline())[2] == "False"
        objects.patch("GitRepository", "src", {"spec": {"suspend": True}})
        # A row for each change: its controller may have written something more.
        while (suspended := cells(child.stdout.readline())[2]) == "False":
            pass
        assert suspended == "True"
        objects.delete("GitRepository", "src")
        wait_until(lambda: objects.get("GitRepository", "src") is None or objects.patch(
            "GitRepository", "src", {"metadata": {"finalizers": None}}), "the object to go")
    finally:
        child.terminate()
        assert child.wait(60) is not None
        rest = child.stdout.read()
        child.stdout.close()
    assert "NAME" not in rest


def test_get_watch_ends_with_its_timeout_or_its_reader(api, sluice, source, ns):
    done = with_time_enough(lambda time: sluice(
        "get", "source", "git", "-w", "-n", ns, f"--timeout={time}"), lambda d: "src" in d.stdout)
    assert done.returncode == 1 and "timed out" in done.stderr and "src" in done.stdout
    with subprocess.Popen([SLUICE, "get", "source", "git", "-w", "-n", ns, "--timeout=60s",
                           f"--kubeconfig={api.kubeconfig}"], stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        child.terminate()
        assert child.wait(60) is not None


def test_C1_C61_reconcile_fetches_a_new_commit(sluice, source, ns, objects):
    head = source.commit({"b.yaml": ""})
    done = sluice("reconcile", "source", "git", "src", "-n", ns)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "", "progress is for stderr"
    assert done.stderr.splitlines() == [
        f"► annotating GitRepository src in {ns} namespace", "✔ GitRepository annotated",
        "◎ waiting for GitRepository reconciliation", f"✔ fetched revision main@sha1:{head}"]
    meta = objects.get("GitRepository", "src")
    value = meta["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", value)
    assert meta["status"]["lastHandledReconcileAt"] == value


def test_C64_with_source_reconciles_the_source_first(sluice, app, source, ns, objects, api):
    head = source.commit({"c.yaml": ""})
    done = sluice("reconcile", "ks", "app", "-n", ns, "--with-source")
    assert done.returncode == 0, done.stderr
    assert done.stderr.index("GitRepository src") < done.stderr.index("Kustomization app")
    assert f"applied revision main@sha1:{head}" in done.stderr
    other = f"{ns[:50]}-other"
    api.kubectl("create", "namespace", other)
    api.apply({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
               "metadata": {"name": "far", "namespace": other},
               "spec": {"interval": "1h", "prune": True, "targetNamespace": other, "sourceRef": {
                   "kind": "GitRepository", "name": "src", "namespace": ns}}})
    head = source.commit({"d.yaml": ""})
    done = sluice("reconcile", "ks", "far", "-n", other, "--with-source")
    assert done.returncode == 0, done.stderr
    assert f"annotating GitRepository src in {ns} namespace" in done.stderr
    assert f"applied revision main@sha1:{head}" in done.stderr


def test_C62_reconcile_of_what_fails(sluice, source, ns, objects):
    objects.patch("GitRepository", "src", {"spec": {"ref": {"branch": "nope"}}})
    done = with_time_enough(lambda time: sluice(
        "reconcile", "source", "git", "src", "-n", ns, f"--timeout={time}"), lambda d: "nope" in d.stderr)
    assert done.returncode == 1
    assert "timed out waiting for GitRepository/src: " in done.stderr and "nope" in done.stderr
    # A request that fails and heals within the time is a success.
    asked = threading.Timer(0.0, lambda: wait_until(
        lambda: objects.condition(objects.get("GitRepository", "src")).get("status") == "False" and
        objects.get("GitRepository", "src")["status"].get("lastHandledReconcileAt"), "a failure") and
        objects.patch("GitRepository", "src", {"spec": {"ref": {"branch": "main"}}}))
    asked.start()
    done = sluice("reconcile", "source", "git", "src", "-n", ns, "--timeout=90s", timeout=120)
    asked.join()
    assert done.returncode == 0, done.stderr
    objects.patch("GitRepository", "src", {"spec": {"suspend": True}})
    done = sluice("reconcile", "source", "git", "src", "-n", ns)
    assert (done.returncode, done.stderr) == (1, "✗ resource is suspended\n")


def test_C62_reconcile_of_what_stalls_fails_at_once(sluice, source, ns, objects):
    objects.patch("GitRepository", "src", {"spec": {"url": "https://[broken", "secretRef": None}})
    objects.wait("GitRepository", "src",
                 lambda o: objects.condition(o, "Stalled").get("status") == "True", "to stall")
    done = sluice("reconcile", "source", "git", "src", "-n", ns)  # the time-out is five minutes
    message = objects.condition(objects.get("GitRepository", "src"))["message"]
    assert done.returncode == 1 and done.stderr.endswith(f"✗ {message}\n")


def test_C65_suspend_and_resume(sluice, app, ns, objects):
    assert sluice("suspend", "source", "git", "--all", "-n", ns).returncode == 0
    assert objects.get("GitRepository", "src")["spec"]["suspend"] is True
    done = sluice("suspend", "ks", "nope", "app", "app", "-n", ns)
    assert done.returncode == 0, "an unknown name is told, no more"
    assert f"✗ Kustomization nope not found in {ns} namespace" in done.stderr
    assert done.stderr.count("✔ kustomization suspended") == 1
    assert sluice("resume", "source", "git", "src", "-n", ns).returncode == 0
    assert "suspend" not in objects.get("GitRepository", "src")["spec"]
    done = sluice("resume", "ks", "app", "-n", ns, "--wait=false")
    assert done.returncode == 0 and "waiting" not in done.stderr
    assert sluice("suspend", "ks", "-n", ns).returncode == 1


def test_C65_resume_waits_for_all_and_fails_when_one_does(sluice, app, ns, objects):
    objects.apply("Kustomization", "lost", {
        "interval": "1h", "prune": True, "suspend": True, "targetNamespace": ns,
        "sourceRef": {"kind": "GitRepository", "name": "nowhere"}})
    def resume(time):
        assert sluice("suspend", "ks", "app", "lost", "-n", ns).returncode == 0
        return sluice("resume", "ks", "lost", "app", "nope", "--wait", f"--timeout={time}", "-n", ns)
    done = with_time_enough(resume, lambda d: "✔ Kustomization app" in d.stderr and
                            "nowhere" in d.stderr)
    assert done.returncode == 1
    assert "✔ Kustomization app reconciliation completed" in done.stderr
    assert "✗ Kustomization lost reconciliation failed: timed out" in done.stderr
    assert "nowhere" in done.stderr, "the last message"
    assert done.stderr.endswith("✗ reconciliation failed for 1 Kustomization(s)\n")


def test_events(sluice, app, ns):
    for name in ("Kustomization/app", "GitRepository/src"):
        wait_until(lambda name=name: name in sluice("events", "-n", ns).stdout, "the event")
    head, *rows = sluice("events", "-n", ns).stdout.splitlines()
    assert cells(head) == ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert all(re.match(r"\d+[smh]", row) for row in rows)
    only = sluice("events", "--for", "kustomization/app", "-n", ns).stdout
    assert "Kustomization/app" in only and "GitRepository/src" in only, "its source belongs to it"
    assert "GitRepository" not in sluice("events", "--for", "Kustomization", "-n", ns).stdout
    assert ns in sluice("events", "-A").stdout
    done = sluice("events", "--types=Warning", "-n", ns)
    assert (done.returncode, done.stdout) == (0, "") and "No events found in" in done.stderr
    assert "not a recognized" in sluice("events", "--for", "Pod/x", "-n", ns).stderr
    assert sluice("events", "--types", "Odd", "-n", ns).returncode == 1


def test_events_watch(api, source, objects, ns):
    child = subprocess.Popen([SLUICE, "events", "-w", "-n", ns, "--timeout=60s",
                              f"--kubeconfig={api.kubeconfig}"], stdout=subprocess.PIPE, text=True)
    try:
        assert cells(child.stdout.readline())[0] == "LAST SEEN"
        assert "GitRepository/src" in child.stdout.readline()
        objects.patch("GitRepository", "src", {"spec": {"ref": {"branch": "nope"}}})
        while "Warning" not in child.stdout.readline():
            assert child.poll() is None
    finally:
        child.terminate()
        child.wait(60)
        child.stdout.close()


def test_control_characters_of_the_cluster_do_not_reach_the_terminal(sluice, source, objects, ns):
    objects.patch("GitRepository", "src", {"spec": {"suspend": True}})
    condition = {"type": "Ready", "status": "False", "reason": "Failed",
                 "lastTransitionTime": "2026-01-02T03:04:05Z", "message": "a\033]0;owned\007b\rc"}
    objects.api.rest.call("PATCH", objects.path("GitRepository", "src") + "/status",
                          {"status": {"conditions": [condition]}}, "application/merge-patch+json")
    shown = sluice("get", "source", "git", "-n", ns).stdout
    assert "a?]0;owned?b?c" in shown


def test_C10_version_needs_no_cluster():
    done = run("version", "--client", NOWHERE)
    assert done.returncode == 0 and re.fullmatch(r"sluice: v\d+\.\d+\.\d+\n", done.stdout)
    shown = json.loads(run("version", "--client", "-o", "json", NOWHERE).stdout)
    assert shown == {"sluice": done.stdout.split()[1]}
    done = run("version", "--client", "-o", "toml", NOWHERE)
    assert (done.returncode, done.stderr) == (1, "✗ --output must be json or yaml, not toml\n")
    assert run("--version").stdout.startswith("sluice version ")


def test_C11_version_fails_on_an_untagged_image(sluice, api, ns):
    def deployment(image):
        api.apply({"apiVersion": "apps/v1", "kind": "Deployment",
                   "metadata": {"name": "x", "namespace": ns,
                                "labels": {"app.kubernetes.io/part-of": "flux"}},
                   "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
                       "metadata": {"labels": {"a": "b"}},
                       "spec": {"containers": [{"name": "manager", "image": image}]}}}})
    deployment("registry.test:5000/a/source-controller:v1.2.3")
    shown = yaml.safe_load(sluice("version", "-n", ns).stdout)
    assert shown["source-controller"] == "v1.2.3"
    deployment("registry.test:5000/a/source-controller")
    done = sluice("version", "-n", ns)
    assert done.returncode == 1 and "missing image tag in image" in done.stderr


def test_version_of_a_cluster_without_deployments(sluice, api, ns):
    """The real server says what upstream's command says; beside the embedded one controllers are no
    Deployments."""
    done = sluice("version", "-n", ns)
    if api.kind == "kube":
        assert done.returncode == 1 and not done.stdout
        assert done.stderr.endswith(f"no deployments found in {ns} namespace\n")
        return
    shown = yaml.safe_load(done.stdout)
    number = run("version", "--client", NOWHERE).stdout.split()[1].removeprefix("v")
    assert done.returncode == 0 and f"no deployments in {ns} namespace" in done.stderr
    assert set(shown) - {"distribution"} == {"sluice", "sluice-apiserver"}
    assert shown["sluice-apiserver"].startswith("v1.") and shown["sluice-apiserver"].endswith(
        f"+sluice-{number}")


def test_C3_bad_namespaces_are_refused_before_any_request():
    for bad in ("Bad_NS", "-x", "x" * 64, ""):
        done = run("get", "ks", f"--namespace={bad}", "--server=http://127.0.0.1:1")
        assert done.returncode == 1 and "namespace must be a valid DNS label" in done.stderr


def test_C4_namespace_from_environment_and_context(api, source, ns, tmp_path):
    config = yaml.safe_load(pathlib.Path(api.kubeconfig).read_text())
    args = ("get", "source", "git", "--no-header")
    env = {"KUBECONFIG": str(api.kubeconfig), "FLUX_SYSTEM_NAMESPACE": ns}
    assert run(*args, env=env).stdout.startswith("src")
    done = run(*args, env=dict(env, FLUX_SYSTEM_NAMESPACE="Bad_NS"))
    assert "⚠️" in done.stderr and '"flux-system" namespace' in done.stderr
    config["contexts"][0]["context"]["namespace"] = ns
    mine = tmp_path / "kubeconfig"
    mine.write_text(yaml.safe_dump(config))
    env = {"KUBECONFIG": str(mine)}
    assert run(*args, env=env).returncode == 1
    assert run(*args, "--ns-follows-kube-context", env=env).stdout.startswith("src")
    assert run(*args, env=dict(env, FLUX_NS_FOLLOWS_KUBE_CONTEXT="true")).stdout.startswith("src")
    assert run(*args, "-n", "default", "--ns-follows-kube-context", env=env).returncode == 1


def test_connection_flags(api, source, ns, tmp_path):
    args = ("get", "source", "git", "-n", ns, "--no-header")
    config = yaml.safe_load(pathlib.Path(api.kubeconfig).read_text())
    plain = (*args, f"--server={api.server}", f"--certificate-authority={api.ca_file}")
    env = {"KUBECONFIG": "", "HOME": str(tmp_path)}
    assert run(*plain, f"--token={api.token}", env=env).stdout.startswith("src")
    assert run(*plain, "--token=wrong", env=env).returncode == 1
    assert run(*args, f"--server={api.server}", f"--token={api.token}", env=env).returncode == 1
    assert run(*args, f"--server={api.server}", f"--token={api.token}", "--insecure-skip-tls-verify",
               env=env).stdout.startswith("src")
    named = dict(config, **{"current-context": "other"})
    (tmp_path / "named").write_text(yaml.safe_dump(named))
    flag = f"--kubeconfig={tmp_path / 'named'}"
    assert run(*args, flag).returncode == 1
    assert run(*args, flag, "--context=test").stdout.startswith("src")
    parts = dict(config, contexts=[{"name": "test", "context": {"cluster": "no", "user": "no"}}])
    (tmp_path / "parts").write_text(yaml.safe_dump(parts))
    chosen = (f"--kubeconfig={tmp_path / 'parts'}", "--cluster=test")
    assert 'user "no" does not exist' in run(*args, *chosen).stderr
    assert run(*args, *chosen, "--user=test").stdout.startswith("src")
    denied = run(*args, flag, "--context=test", "--as=nobody")
    assert denied.returncode == 1 and "forbidden" in denied.stderr
    assert run(*args, flag, "--context=test", "--kube-api-qps=5", "--kube-api-burst=9",
               "--cache-dir=/x", "--verbose").returncode == 0


@pytest.mark.parametrize("bad, message", [
    (["frobnicate"], 'unknown command "frobnicate"'), (["get"], "a kind is required"),
    (["get", "nonsense"], 'unknown kind "nonsense"'), (["get", "source"], "unknown kind"),
    (["get", "source", "git", "--nope"], "unknown flag: --nope"),
    (["get", "-x"], "unknown shorthand flag: 'x'"), (["get", "-n"], "flag needs an argument"),
    (["get", "ks", "--timeout=x"], "invalid value"), (["get", "ks", "-A=maybe"], "invalid value"),
    (["reconcile", "source", "git"], "GitRepository name is required"),
    (["reconcile", "alert", "x"], 'unknown kind "alert x" for sluice reconcile'),
    (["reconcile", "ks", "x", "--force"], "are for a HelmRelease"),
    (["suspend", "source", "external", "x"], "unknown kind"),
    (["get", "ks", NOWHERE], "/nonexistent")])
def test_C2_a_failure_is_one_line_and_exit_1(api, bad, message):
    done = run(*([] if NOWHERE in bad else [f"--kubeconfig={api.kubeconfig}"]), *bad)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("✗ ") and message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_help_comes_from_the_tables():
    general = run("--help")
    assert general.returncode == 0 and "kustomizations, kustomization, ks" in general.stdout
    assert run().returncode == 1 and run().stdout == ""
    assert run("help").stdout == general.stdout
    assert run("help", "get").stdout == run("get", "--help").stdout
    for verb in ("up", "get", "reconcile", "suspend", "resume", "events", "version"):
        assert re.search(rf"^  {verb} ", general.stdout, re.M)
        shown = run(verb, "--help")
        assert shown.returncode == 0 and f"Usage: sluice {verb}" in shown.stdout
        assert "--kubeconfig FILE" in shown.stdout


def test_a_server_that_is_not_there_is_told_at_once():
    for args in (("get", "ks"), ("reconcile", "ks", "x"), ("events",), ("version",)):
        done = run(*args, "--kubeconfig=", "--server=http://127.0.0.1:1", timeout=60,
                   env={"KUBECONFIG": ""})
        assert done.returncode == 1 and "cannot reach the API server" in done.stderr


def test_output_that_cannot_be_written_is_a_failure(api, source, ns):
    command = [SLUICE, "get", "source", "git", "-n", ns, f"--kubeconfig={api.kubeconfig}"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1 and "write to stdout: No space left" in done.stderr
    child = subprocess.Popen([*command, "-w", "--timeout=60s"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    child.stdout.readline()
    child.stdout.close()
    api.kubectl("label", "-n", ns, "gitrepository/src", "touch=1")
    assert child.wait(40) == 1 and child.stderr.read() == "", "nobody reads: a quiet end"
    child.stderr.close()
