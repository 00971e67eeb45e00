"""What a HelmRelease costs the API server."""
import contextlib
import threading
import time

import pytest

from tests.lib.apps import account
from tests.lib.fault import behind, hang, status
from tests.lib.helm import write_chart, helm  # noqa: F401
from tests.lib.net import wait_until
from tests.lib.releases import chart_server, config, controller_with, deployment, releases  # noqa: F401

helm_controller = controller_with(server="proxied")


def asked(releases, proxied, since):
    """'METHOD last part of the path' of requests about the test's own releases, watches left out."""
    return [f"{r.method} {r.target.split('?')[0].split('/namespaces/')[-1].split('/', 1)[-1]}"
            for r in proxied.proxy.requests(since=since, query=r"^(?!.*watch=true)",
                                            path=f"/namespaces/{releases.ns}/") if "/events" not in r.target]


def unless(lost):
    """A watch whose events are lost while that is set."""
    return lambda x: x.forward(lambda pieces: (p for p in pieces if not lost.is_set()))


@contextlib.contextmanager
def steered(proxy, helm_controller, action):
    """With a rule for the watch of releases, which a new process begins."""
    assert helm_controller.stop() == 0
    proxy.on(action, path="^/api/v1/secrets$", query="owner%3Dhelm")
    helm_controller.start()
    helm_controller.wait_until_ready()
    yield
    assert helm_controller.stop() == 0
    proxy.off()
    helm_controller.start()
    helm_controller.wait_until_ready()


def wrote_once(proxied, since, began):
    """Whether status was written at the end alone; what takes longer than two seconds is shown meanwhile."""
    *before, _ = proxied.proxy.requests(since=since, method="PUT|PATCH",
                                         path="/helmreleases/app/status$")
    return all(r.at - began >= 2 for r in before)


def test_an_installation_costs_one_status_write(releases, proxied):
    releases.chart({"templates/a.yaml": config("a"), "templates/b.yaml": config("b")})
    mark, began = proxied.proxy.mark(), time.monotonic()
    releases.quiet()
    releases.ready()
    requests = asked(releases, proxied, mark)
    written = "PUT helmreleases/app/status"
    assert wrote_once(proxied, mark, began)
    assert [r for r in requests if not r.startswith("GET")][-1] == written
    assert "GET secrets" not in requests, "a watch knows which releases there are"
    assert len([r for r in requests if "secrets" in r and not r.startswith("GET")]) == 2
    assert len([r for r in requests if r.startswith("PATCH configmaps/")]) == 2
    mark, began = proxied.proxy.mark(), time.monotonic()
    releases.quiet(values={"a": "b"})
    releases.ready(version=2)
    requests = asked(releases, proxied, mark)
    assert wrote_once(proxied, mark, began)
    assert "GET secrets" not in requests


def test_a_crash_before_the_first_status_orphans_no_release(releases, proxied, helm_controller):
    releases.chart({"templates/a.yaml": config("a")})
    proxied.proxy.on(hang(), method="PUT", path="helmreleases/app/status$")
    releases.quiet()
    wait_until(lambda: releases.statuses() == {1: "deployed"}, "the release")
    helm_controller.kill()
    assert not releases.get()["status"].get("storageNamespace")
    proxied.proxy.off()
    releases.objects.delete("HelmRelease", "app")
    helm_controller.start()
    helm_controller.wait_until_ready()
    releases.objects.gone("HelmRelease", "app")
    assert not releases.statuses() and not releases.live("ConfigMap", "a")


def test_what_a_namesake_has_left_stays(releases):
    """Suspended and deleted, it leaves its release; a new one that never installed has no say."""
    releases.chart({"templates/a.yaml": config("a")})
    releases.quiet()
    releases.ready()
    releases.quiet(suspend=True)
    releases.delete()
    left = int(time.time())
    wait_until(lambda: int(time.time()) > left, "another creationTimestamp")
    releases.quiet(chart="missing")
    releases.failed("ArtifactFailed")
    releases.delete()
    assert releases.statuses() == {1: "deployed"} and releases.live("ConfigMap", "a")


def test_what_was_installed_by_hand_stays(releases, helm, ns, tmp_path):
    """It is younger than a HelmRelease that never came to install, and not its own."""
    releases.quiet(chart="missing")
    releases.failed("ArtifactFailed")
    chart = write_chart(tmp_path / "shop", {"templates/a.yaml": config("a")})
    helm("install", "app", chart, "-n", ns)
    releases.delete()
    assert releases.statuses() == {1: "deployed"} and releases.live("ConfigMap", "a")


def others_come(releases, seconds):
    """For so long; the longest pause between two of them."""
    times = [time.monotonic()]

    def has_others():
        releases.chart({"templates/a.yaml": config("a", {"n": str(len(times))})}, name="other")
        times.append(time.monotonic())
        return times[-1] - times[0] > seconds
    wait_until(has_others, "others to come for a while", interval=0.2)
    return max(b - a for a, b in zip(times, times[1:]))


def test_a_wait_for_a_busy_source_costs_no_status_write(releases, proxied):
    """While artifacts of others keep coming; once they do not, the wait is told."""
    for name in ("chart", "other"):
        releases.put_source("HelmChart", name, None, "False")
    for _ in range(20):
        mark = proxied.proxy.mark()
        releases.quiet()
        wait_until(lambda: releases.get()["metadata"].get("finalizers"), "a first run")
        # Longer than it waits in silence, and far from as long as it waits at most.
        if others_come(releases, 3.5) < 1:
            break
        releases.delete()  # there was a silence: this machine has other work
    assert not releases.get()["status"].get("conditions")
    assert not [r for r in asked(releases, proxied, mark) if r.endswith("app/status")]
    releases.failed("SourceNotReady", "does not have an artifact")


def test_what_is_in_sync_is_only_looked_at(releases, proxied):
    releases.chart({"templates/a.yaml": config("a")})
    releases.quiet(driftDetection={"mode": "enabled"})
    releases.ready()
    releases.rerun()
    mark = proxied.proxy.mark()
    releases.rerun()
    requests = asked(releases, proxied, mark)
    assert [r for r in requests if not r.startswith("GET")] == ["PUT helmreleases/app/status"]
    assert not [r for r in requests if "configmaps" in r], "drift needs no request"
    assert requests.count("GET secrets") == 1, "whoever asks may know of more than the watch"


def test_an_uninstallation_that_waits_asks_for_what_it_waits_for(releases, proxied):
    """At each wake, and not once more for the account that it acts as."""
    account(releases.api, releases.ns, "deployer", "*")
    releases.api.kubectl("create", "role", "storage", "-n", releases.ns, "--verb=*", "--resource=secrets")
    releases.api.kubectl("create", "rolebinding", "storage", "-n", releases.ns, "--role=storage",
                         f"--serviceaccount={releases.ns}:deployer")
    releases.chart({"templates/a.yaml": config("a", finalizers=["example.com/hold"])})
    releases.quiet(serviceAccountName="deployer")
    releases.ready()
    mark = proxied.proxy.mark()
    releases.objects.delete("HelmRelease", "app")

    def looked(times):
        wait_until(lambda: asked(releases, proxied, mark).count("GET configmaps/a") >= times, f"look {times}")
    for n in range(1, 5):
        looked(n)
        code, reply = releases.api.rest.call("PATCH", releases.path("ConfigMap", "a"), {
            "data": {"n": str(n)}, "metadata": {"finalizers": ["example.com/hold"] if n < 4 else None}},
            "application/merge-patch+json")
        assert code == 200, reply
    releases.objects.gone("HelmRelease", "app")
    assert asked(releases, proxied, mark).count("GET serviceaccounts/deployer") == 1


def test_a_wait_on_another_cluster_asks_for_what_it_waits_for(releases, proxied):
    """At each wake, and not once more for its kubeconfig."""
    releases.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "remote", "namespace": releases.ns},
                        "stringData": {"value": proxied.kubeconfig.read_text()}})
    releases.chart({"templates/web.yaml": deployment()})
    mark = proxied.proxy.mark()
    releases.apply(kubeConfig={"secretRef": {"name": "remote"}})

    def looked(times):
        wait_until(lambda: asked(releases, proxied, mark).count("GET deployments/web") >= times, f"look {times}")
    for n in range(1, 5):
        looked(n)
        releases.api.rest.call("PATCH", releases.path("Deployment", "web"), {"spec": {"replicas": n + 1}},
                               "application/merge-patch+json")
    releases.api.rest.call("PATCH", releases.path("Deployment", "web"), {"spec": {"replicas": 1}},
                           "application/merge-patch+json")
    releases.make_deployment_ready()
    releases.ready()
    assert asked(releases, proxied, mark).count("GET secrets/remote") == 1


def test_a_watch_that_is_behind_misleads_nobody(releases, proxied, helm_controller):
    """What it says is there is read, and looked up where that is not so."""
    releases.chart({"templates/a.yaml": config("a")})
    lost = threading.Event()
    with steered(proxied.proxy, helm_controller, unless(lost)):
        releases.quiet()
        releases.ready()
        releases.rerun()
        lost.set()
        path = f"/api/v1/namespaces/{releases.ns}/secrets/sh.helm.release.v1.app.v1"
        code, reply = releases.api.rest.call("DELETE", path)
        assert code == 200, reply
        mark = proxied.proxy.mark()
        releases.rerun()
        assert "GET secrets" in asked(releases, proxied, mark)
        assert releases.statuses() == {1: "deployed"}, "installed anew"


def test_H68_one_that_the_watch_does_not_know_yet_is_no_failure(releases, proxied, helm_controller, helm,
                                                                ns, tmp_path):
    """Made by hand a moment before: its name is found taken, and it is looked up and upgraded."""
    files = {"templates/a.yaml": config("{{ .Release.Name }}")}
    releases.chart(files)
    lost = threading.Event()
    with steered(proxied.proxy, helm_controller, unless(lost)):
        releases.quiet(name="first")
        releases.ready(name="first")
        releases.rerun(name="first")
        lost.set()
        helm("install", "app", write_chart(tmp_path / "shop", files), "-n", ns)
        releases.quiet()
        obj = releases.ready(version=2)
        assert releases.statuses() == {1: "superseded", 2: "deployed"}
        assert obj["status"]["lastAttemptedReleaseAction"] == "upgrade"
        assert not [e for e in releases.objects.events("app") if e[0] == "Warning"]
        assert "failures" not in obj["status"]


def test_H68_who_asks_has_seen_a_revision_that_the_watch_does_not_know(releases, proxied, helm_controller,
                                                                        helm, ns, tmp_path):
    """One that failed a moment before the request, and left the last one as it was."""
    files = {"templates/a.yaml": config("{{ .Release.Name }}")}
    refused = {"templates/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Refused}\n"}
    releases.chart(files)
    lost = threading.Event()
    with steered(proxied.proxy, helm_controller, unless(lost)):
        releases.quiet()
        releases.ready()
        releases.rerun()
        lost.set()
        done = helm("upgrade", "app", write_chart(tmp_path / "shop", {**files, **refused}), "-n", ns,
                    check=False)
        assert done.returncode and releases.statuses() == {1: "deployed", 2: "failed"}
        releases.rerun()
        releases.ready(version=3)
        assert releases.statuses() == {1: "superseded", 2: "failed", 3: "deployed"}


@pytest.mark.parametrize("ask", [lambda releases: releases.rerun(),
                                 lambda releases: releases.quiet(values={"a": "b"})],
                         ids=["a request", "a changed spec"])
def test_H68_who_has_seen_a_newer_chart_gets_it(releases, proxied, helm_controller, ask):
    """Though the watch of sources has not told it: the older one is not upgraded to first."""
    told = threading.Event()
    told.set()
    assert helm_controller.stop() == 0
    rule = proxied.proxy.on(behind(told), method="GET", path="/helmcharts$", query="watch=(true|1)")
    helm_controller.start()
    helm_controller.wait_until_ready()
    try:
        releases.chart({"templates/a.yaml": config("a")})
        releases.quiet()
        releases.ready()
        told.clear()
        releases.chart({"templates/a.yaml": config("b")}, version="2.0.0")
        ask(releases)
        history = releases.ready(version=2)["status"]["history"]
        assert [h["chartVersion"] for h in history] == ["2.0.0", "1.0.0"]
        assert rule.hits
    finally:
        told.set()
        proxied.proxy.off(rule)


def test_without_the_right_to_watch_releases_are_listed(releases, proxied, helm_controller):
    releases.chart({"templates/a.yaml": config("a")})
    with steered(proxied.proxy, helm_controller, status(403, "Forbidden")):
        mark = proxied.proxy.mark()
        releases.quiet()
        releases.ready()
        assert "GET secrets" in asked(releases, proxied, mark)
        assert releases.statuses() == {1: "deployed"}


def test_H88_after_a_restart_the_watch_knows_again(releases, proxied, helm_controller):
    releases.chart({"templates/a.yaml": config("a")})
    releases.quiet(driftDetection={"mode": "enabled"})
    releases.ready()
    assert helm_controller.stop() == 0
    helm_controller.start()
    helm_controller.wait_until_ready()

    def only_looked_at():
        mark = proxied.proxy.mark()
        releases.rerun()
        return not [r for r in asked(releases, proxied, mark) if "configmaps" in r]
    wait_until(only_looked_at, "a run without a dry run, once the watch is in step")
    code, reply = releases.api.rest.call(
        "PATCH", releases.path("ConfigMap", "a") + "?fieldManager=x", {"data": {"k": "w"}},
        "application/merge-patch+json")
    assert code == 200, reply
    wait_until(lambda: releases.live("ConfigMap", "a")["data"] == {"k": "v"}, "correction")
