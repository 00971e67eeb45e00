"""The upstream command `flux` against Sluice, and `sluice` beside it: equal exit codes, equal tables."""
import json
import os
import pathlib
import re
import subprocess

import pytest
import yaml

from tests.lib.net import wait_until, with_time_enough

ORACLE = os.environ.get("SLUICE_FLUX_ORACLE")
pytestmark = pytest.mark.skipif(not ORACLE, reason="no upstream flux (tests/oracles/build flux)")

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller",
               "notification-controller")
SOURCE = "source.toolkit.fluxcd.io/v1"
NOTIFICATION = "notification.toolkit.fluxcd.io/v1beta3"


class Tools:
    """Both command lines on one cluster, in a namespace."""

    def __init__(self, api, ns):
        self.api, self.ns = api, ns

    def run(self, program, *args, ns=None):
        everywhere = any(a in args for a in ("-A", "--all-namespaces"))
        scope = [] if everywhere else ["-n", ns or self.ns]
        return subprocess.run([program, *args, *scope, f"--kubeconfig={self.api.kubeconfig}"],
                              capture_output=True, text=True, timeout=90,
                              env=dict(os.environ, HOME=str(self.api.dir), LC_ALL="C.UTF-8"))

    def flux(self, *args, **more):
        return self.run(pathlib.Path(ORACLE, "flux"), *args, **more)

    def sluice(self, *args, **more):
        return self.run(pathlib.Path(os.environ["SLUICE_BUILD"], "cli", "sluice"), *args, **more)

    def ok(self, *args, **more):
        done = self.flux(*args, **more)
        assert done.returncode == 0, done.stderr
        return done

    def both(self, *args, shown=str, **more):
        """What both said of one state: where they differ, theirs was the same before and after, or
        objects, those of other tests among them, are still worked on. `shown` takes away what no two
        runs share."""
        def settled():
            theirs, ours = self.flux(*args, **more), self.sluice(*args, **more)
            still = args[0] not in ("get", "events") or shown(theirs.stdout) == shown(ours.stdout) or \
                shown(self.flux(*args, **more).stdout) == shown(theirs.stdout)
            return still and (theirs, ours)
        return wait_until(settled, f"what is shown to be at rest: {args}")

    def same(self, *args, stderr=True, **more):
        """stdout of both, which must be equal to the byte; the exit codes and, unless told otherwise,
        stderr too."""
        theirs, ours = self.both(*args, **more)
        assert (ours.stdout, ours.returncode) == (theirs.stdout, theirs.returncode), ours.stderr
        if stderr:
            assert ours.stderr == theirs.stderr
        return theirs


@pytest.fixture(scope="module", autouse=True)
def installed(api):
    """deploy/ as a user applies it; Deployments are Ready by decree where nothing runs them."""
    def apply():
        return api.kubectl("apply", "--server-side", "--force-conflicts", "-k",
                           str(ROOT / "deploy"), check=False).returncode == 0
    wait_until(apply, "kubectl apply -k deploy", interval=0.5)
    for name in CONTROLLERS:
        path = f"/apis/apps/v1/namespaces/flux-system/deployments/{name}"
        status = {"observedGeneration": api.rest.get(path)["metadata"]["generation"],
                  "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
                  "conditions": [{"type": "Available", "status": "True"},
                                 {"type": "Progressing", "status": "True",
                                  "reason": "NewReplicaSetAvailable"}]}
        code, reply = api.rest.call("PATCH", path + "/status", {"status": status},
                                    "application/merge-patch+json")
        assert code == 200, reply


@pytest.fixture
def tools(api, toolkit, ns):
    return Tools(api, ns)


@pytest.fixture
def road(objects, git_server, ns):
    """A repository that is applied, an Alert, and sources of the other kinds."""
    repo = git_server.repository(ns)
    repo.commit({"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"})
    objects.apply("GitRepository", "src", {"url": git_server.url_of(repo), "interval": "1h",
                                           "ref": {"branch": "main"}})
    objects.apply("Kustomization", "app", {
        "interval": "1h", "prune": True, "targetNamespace": ns, "path": "./",
        "sourceRef": {"kind": "GitRepository", "name": "src"}})
    objects.apply("Provider", "slack", {"type": "slack", "address": "http://127.0.0.1:1/"})
    objects.apply("Alert", "on-call", {"providerRef": {"name": "slack"}, "eventSources": [
        {"kind": "Bucket", "name": "*"}]})
    for kind, name, spec in (
            ("HelmRepository", "charts", {"type": "oci", "url": "oci://127.0.0.1:1/x"}),
            ("OCIRepository", "image", {"url": "oci://127.0.0.1:1/x", "interval": "1h",
                                        "suspend": True}),
            ("HelmChart", "chart", {"chart": "x", "interval": "1h", "suspend": True, "sourceRef":
                                    {"kind": "HelmRepository", "name": "charts"}}),
            ("Bucket", "bucket", {"bucketName": "b", "endpoint": "127.0.0.1:1", "interval": "1h",
                                  "suspend": True}),
            ("ExternalArtifact", "outside", {"sourceRef": {
                "apiVersion": "example.test/v1", "kind": "Thing", "name": "t"}})):
        objects.api.apply({"apiVersion": SOURCE, "kind": kind, "spec": spec,
                           "metadata": {"name": name, "namespace": ns, "labels": {"team": "x"}}})
    objects.ready("GitRepository", "src")
    objects.ready("Kustomization", "app")
    return repo


def test_A88_check_succeeds(tools):
    done = tools.ok("check", ns="flux-system")
    assert all(f"✔ {name}: deployment ready" in done.stderr for name in CONTROLLERS), done.stderr
    assert "✔ gitrepositories.source.toolkit.fluxcd.io/v1" in done.stderr
    version = (ROOT / "meson.build").read_text().split("version: '")[1].split("'")[0]
    assert f"✔ distribution: flux-v{version}" in done.stderr


def test_A88_get_all_succeeds(tools, road):
    done = tools.same("get", "all")
    for shown in ("gitrepository/src", "kustomization/app", "provider/slack", "alert/on-call",
                  "helmrepository/charts", "ocirepository/image", "helmchart/chart",
                  "bucket/bucket", "externalartifact/outside"):
        assert shown in done.stdout
    assert not done.stderr


def test_C57_C58_tables_are_equal(tools, road, ns, objects):
    for words in (("sources", "git"), ("source", "git"), ("sources", "oci"), ("sources", "helm"),
                  ("sources", "chart"), ("sources", "bucket"), ("sources", "external"),
                  ("sources", "all"), ("kustomizations",), ("ks",), ("alerts",), ("alert",),
                  ("alert-providers",), ("ks", "app"), ("sources", "git", "src"),
                  ("images", "all")):
        done = tools.same("get", *words)
        assert done.stdout or words == ("images", "all")
        tools.same("get", *words, "--no-header")
        if len(words) < 2 or words[-1] not in ("app", "src"):
            tools.same("get", *words, "-A")
    shown = tools.same("get", "ks", "--show-source").stdout
    assert f"GitRepository/{ns}/src" in shown and re.search(r"main@sha1:[0-9a-f]{8}\t", shown)
    tools.same("get", "ks", "--show-source", "-A")
    tools.same("get", "sources", "all", "-l", "team=x")
    tools.same("get", "sources", "bucket", "-l", "team in (y)")


def test_C57_a_message_of_several_lines_and_wide_characters(tools, objects, git_server, ns):
    objects.apply("GitRepository", "wide", {"url": "http://127.0.0.1:1/x.git", "interval": "1h",
                                            "suspend": True})
    condition = {"type": "Ready", "status": "False", "reason": "Failed",
                 "lastTransitionTime": "2026-01-02T03:04:05Z",
                 "message": "first line é\nsecond, 日本語 " + "a" * 40 + "\n\nb" + "0" * 63}
    code, reply = objects.api.rest.call("PATCH", objects.path("GitRepository", "wide") + "/status",
                                        {"status": {"conditions": [condition]}},
                                        "application/merge-patch+json")
    assert code == 200, reply
    assert "second, 日本語 aaaaaaaa" in tools.same("get", "sources", "git").stdout


def test_C59_C60_selectors_and_what_is_not_there(tools, road):
    for selector in ("ready=true", "Ready=TRUE", "ready!=true", "ready=false", "reconciling=true",
                     "stalled!=true"):
        tools.same("get", "ks", "--status-selector", selector)
        tools.same("get", "alerts", "--status-selector", selector)
        tools.same("get", "sources", "all", "--status-selector", selector)
    assert tools.same("get", "ks", "--status-selector", "nonsense").returncode == 1
    assert tools.same("get", "ks", "nope").returncode == 1
    assert tools.same("get", "receivers").returncode == 1
    assert tools.same("get", "receivers", "-A").returncode == 1
    assert tools.same("get", "all", "-w").returncode == 1
    assert tools.same("get", "hr", stderr=False).returncode == 1
    assert tools.same("get", "ks", "-l", "a in (b", stderr=False).returncode == 1
    assert tools.same("get", "ks", ns="Bad_NS").returncode == 1


def test_C61_C64_reconcile(tools, road, objects):
    tools.same("reconcile", "source", "git", "src")
    head = road.commit({"b.yaml": ""})
    done = tools.ok("reconcile", "ks", "app", "--with-source")
    assert f"applied revision main@sha1:{head}" in done.stderr
    tools.same("reconcile", "kustomization", "app", "--with-source")
    head = road.commit({"c.yaml": ""})
    assert tools.sluice("reconcile", "source", "git", "src").returncode == 0
    objects.ready("Kustomization", "app", revision=head)
    assert tools.same("reconcile", "source", "helm", "charts").returncode == 0
    assert tools.same("reconcile", "source", "git", "nope").returncode == 1
    assert tools.same("reconcile", "source", "oci", "image").returncode == 1  # suspended
    assert tools.same("reconcile", "ks").returncode == 1


def test_C62_a_failing_source_is_waited_for(tools, road, objects):
    objects.patch("GitRepository", "src", {"spec": {"ref": {"branch": "nope"}}})
    theirs = tools.flux("reconcile", "source", "git", "src", "--timeout=4s")
    ours = with_time_enough(lambda time: tools.sluice(
        "reconcile", "source", "git", "src", f"--timeout={time}"), lambda done: "nope" in done.stderr)
    assert theirs.returncode == ours.returncode == 1
    assert "timed out waiting for GitRepository/src: " in ours.stderr and "nope" in ours.stderr


def test_C65_suspend_and_resume(tools, road, objects):
    assert tools.same("suspend", "ks", "app", "app", "nope").returncode == 0
    assert objects.get("Kustomization", "app")["spec"]["suspend"] is True
    assert tools.same("reconcile", "ks", "app").returncode == 1
    assert tools.same("resume", "ks", "app").returncode == 0
    assert not objects.get("Kustomization", "app")["spec"].get("suspend")
    assert tools.same("suspend", "alert", "--all").returncode == 0
    assert tools.same("resume", "alert", "on-call").returncode == 0
    assert tools.same("resume", "alert-provider", "slack").returncode == 0
    assert tools.same("resume", "ks", "nope").returncode == 0
    assert tools.same("suspend", "receiver", "--all").returncode == 1
    assert tools.same("resume", "receiver", "--all").returncode == 0
    assert tools.same("suspend", "ks").returncode == 1
    assert tools.same("suspend", "source", "git", "--all").returncode == 0
    assert tools.same("resume", "source", "git", "--all", "--wait").returncode == 0


def without_ages(text):
    """Rows in any order (equal times have none), ages left out: two runs are moments apart."""
    return sorted(re.sub(r"\s+", " ", re.sub(r"\d+[smh]\d*s?", "AGE", line))
                  for line in text.splitlines())


def test_events(tools, road, ns):
    def seen():
        return "Kustomization/app" in tools.flux("events").stdout
    wait_until(seen, "the events")
    for args in ((), ("--for", "Kustomization/app"), ("--for", "kustomization"),
                 ("--types", "normal"), ("--types=Warning,Normal",), ("-A",),
                 ("--for", "Alert/on-call"), ("--for", "HelmChart/chart")):
        theirs, ours = tools.both("events", *args, shown=without_ages)
        assert without_ages(ours.stdout) == without_ages(theirs.stdout), args
        assert (ours.stderr, ours.returncode) == (theirs.stderr, theirs.returncode)
    assert "GitRepository/src" in tools.sluice("events", "--for", "Kustomization/app").stdout
    for bad in (("--for", "nonsense"), ("--types", "Bad"), ("--for", "Kustomization/nope")):
        assert tools.same("events", *bad).returncode == 1
    assert tools.same("events", "--types", "Warning", ns="kube-node-lease").returncode == 0


def test_C10_version(tools):
    theirs, ours = (yaml.safe_load(run("version", ns="flux-system").stdout)
                    for run in (tools.flux, tools.sluice))
    assert theirs.pop("flux") and ours.pop("sluice")
    assert theirs == ours and set(CONTROLLERS) < set(ours)
    shown = tools.sluice("version", "-o", "json", ns="flux-system").stdout
    assert json.loads(shown)["source-controller"] == ours["source-controller"]
    assert tools.same("version", "-o", "toml").returncode == 1
    if os.environ["SLUICE_API"] == "kube":
        assert tools.same("version").returncode == 1, "no Deployments in that namespace"
    else:  # the embedded server's controllers are none
        assert "sluice-apiserver" in yaml.safe_load(tools.sluice("version").stdout)


def test_C85_flux_observes(tools, road, ns, objects):
    """Commands that sluice does not have yet."""
    assert f"ConfigMap/{ns}/a" in tools.ok("tree", "ks", "app").stdout
    traced = tools.ok("trace", "configmap", "a").stdout
    assert "Kustomization:   app" in traced and f"Revision:        main@sha1:{road.head()}" in traced
    stats = tools.ok("stats").stdout
    assert re.search(r"^Kustomization +\t1 ", stats, re.M), stats
    exported = yaml.safe_load(tools.ok("export", "ks", "app").stdout)
    assert "status" not in exported and exported["spec"]["path"] == "./"
    objects.api.apply(exported)
    assert tools.ok("export", "source", "git", "--all").stdout.count("kind: GitRepository") == 1


def test_C85_flux_creates_and_deletes(tools, road, objects, git_server):
    done = tools.ok("create", "source", "git", "made", "--branch=main", "--interval=1h",
                    f"--url={git_server.url_of(road)}")
    assert f"fetched revision: main@sha1:{road.head()}" in done.stderr
    done = tools.ok("create", "kustomization", "made", "--source=GitRepository/made", "--path=./",
                    "--interval=1h", f"--target-namespace={objects.ns}")
    assert f"applied revision main@sha1:{road.head()}" in done.stderr.replace("revision:", "revision")
    tools.ok("delete", "kustomization", "made", "-s")
    tools.ok("delete", "source", "git", "made", "-s")
    objects.gone("Kustomization", "made")
    objects.gone("GitRepository", "made")


def test_C85_flux_builds_and_diffs(tools, road, tmp_path, ns):
    """A dry run of what a working tree would change."""
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    built, *rest = [d for d in yaml.safe_load_all(
        tools.ok("build", "ks", "app", f"--path={tmp_path}").stdout) if d]
    assert not rest
    labels = built["metadata"]["labels"]
    assert labels["kustomize.toolkit.fluxcd.io/name"] == "app"
    live = tools.api.rest.get(f"/api/v1/namespaces/{ns}/configmaps/a")["metadata"]
    assert labels == live["labels"]
    same = tools.flux("diff", "ks", "app", f"--path={tmp_path}", "--progress-bar=false")
    assert (same.returncode, same.stdout) == (0, ""), same.stderr
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
                                     "data: {b: c}\n---\napiVersion: v1\nkind: ConfigMap\n"
                                     "metadata: {name: new}\n")
    changed = tools.flux("diff", "ks", "app", f"--path={tmp_path}", "--progress-bar=false")
    assert changed.returncode == 1, changed.stderr
    assert f"ConfigMap/{ns}/a drifted" in changed.stdout
    assert f"ConfigMap/{ns}/new created" in changed.stdout
    assert "data" not in tools.api.rest.get(f"/api/v1/namespaces/{ns}/configmaps/a")


def test_C85_flux_debugs(tools, road):
    shown = tools.ok("debug", "ks", "app", "--show-status").stdout
    assert yaml.safe_load(shown)["lastAppliedRevision"].endswith(road.head())


def test_C85_one_resumes_what_the_other_suspended(tools, road, objects):
    """Both write as the same field manager, so neither is in the other's way."""
    tools.ok("suspend", "ks", "app")
    assert tools.sluice("resume", "ks", "app").returncode == 0
    assert tools.sluice("suspend", "ks", "app").returncode == 0
    tools.ok("resume", "ks", "app")
    assert "suspend" not in objects.get("Kustomization", "app")["spec"]
    tools.ok("reconcile", "ks", "app")
    assert tools.sluice("reconcile", "ks", "app").returncode == 0
