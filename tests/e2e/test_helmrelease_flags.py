"""HelmReleases under lockdown flags and feature gates."""
import datetime
import hashlib
import os
import pathlib
import subprocess

import pytest

from tests.lib.helm import decode
from tests.lib.net import http, wait_until
from tests.lib.releases import (BROKEN, chart_server, config, controller_with, deployment,  # noqa: F401
                                job_hook, pack, releases)

helm_controller = controller_with(
    "--no-cross-namespace-refs", "--requeue-dependency=1s", "--min-retry-delay=50ms",
    "--max-retry-delay=500ms", "--override-manager=intruder", "--interval-jitter-percentage=99",
    "--insecure-kubeconfig-tls", "--default-kubeconfig-service-account=traveller",
    "--feature-gates=AdditiveCELDependencyCheck=true,DisableChartDigestTracking=true,"
    "CancelHealthCheckOnNewRevision=true,ObjectLevelWorkloadIdentity=true")

CHART = {"templates/config.yaml": config("config")}
WEB = {"templates/web.yaml": deployment()}
DIGEST = hashlib.sha256(b"x").hexdigest()


def seconds(stamp):
    return datetime.datetime.fromisoformat(stamp).timestamp()


def test_H17_charts_of_other_namespaces(releases):
    releases.quiet(chartRef={"kind": "HelmChart", "name": "chart", "namespace": "default"})
    obj = releases.stalled("AccessDenied")
    message = releases.condition(obj)["message"]
    assert message == ("cross-namespace references are not allowed: cannot access HelmChart "
                       "default/chart")
    assert releases.condition(obj)["reason"] == "AccessDenied"
    assert releases.event(message)[:2] == ("Warning", "AccessDenied")
    assert obj["status"]["observedGeneration"] == 1
    # The namespace of a generated HelmChart is that of its source.
    template = {"spec": {"chart": "shop", "sourceRef": {
        "kind": "HelmRepository", "name": "repo", "namespace": "default"}}}
    releases.objects.apply("HelmRelease", "two", {"interval": "1h", "chart": template})
    releases.stalled("AccessDenied", name="two")


def test_H18_external_artifacts_need_their_gate(releases):
    releases.quiet(chartRef={"kind": "ExternalArtifact", "name": "x"})
    obj = releases.stalled("AccessDenied")
    assert "ExternalArtifact feature gate is disabled" in releases.condition(obj)["message"]


def test_H31_dependencies_of_other_namespaces(releases, api):
    other = releases.ns[:50] + "-other"
    api.create_namespace(other)
    releases.chart(CHART)
    releases.quiet(dependsOn=[{"name": "first", "namespace": other}])
    releases.failed("DependencyNotReady")
    api.apply({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
               "metadata": {"name": "first", "namespace": other},
               "spec": {"interval": "1h", "suspend": True,
                        "chartRef": {"kind": "HelmChart", "name": "x"}}})
    path = f"/apis/helm.toolkit.fluxcd.io/v2/namespaces/{other}/helmreleases/first/status"
    code, reply = api.rest.call("PATCH", path, {"status": {
        "observedGeneration": 1, "conditions": [{
            "type": "Ready", "status": "True", "reason": "R", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}, "application/merge-patch+json")
    assert code == 200, reply
    releases.ready()


def test_H29_with_the_additive_gate_both_must_hold(releases):
    releases.chart(CHART)
    releases.quiet("first", suspend=True)
    releases.quiet("second", releaseName="two", dependsOn=[
        {"name": "first", "readyExpr": "true"}])
    releases.failed("DependencyNotReady", "is not ready", name="second")


def test_H25_untracked_digests(releases):
    releases.put_source("OCIRepository", "oci", releases.artifact(
        pack(CHART, version="1.2.3"), f"1.2.3@sha256:{DIGEST}"))
    releases.quiet(chartRef={"kind": "OCIRepository", "name": "oci"})
    obj = releases.ready()
    assert obj["status"]["lastAttemptedRevision"] == "1.2.3"
    assert obj["status"]["lastAttemptedRevisionDigest"] == f"sha256:{DIGEST}"
    other = hashlib.sha256(b"y").hexdigest()
    releases.put_source("OCIRepository", "oci", releases.artifact(
        pack(CHART, version="1.2.3"), f"1.2.3@sha256:{other}"))
    releases.objects.wait(
        "HelmRelease", "app",
        lambda o: o["status"]["lastAttemptedRevisionDigest"] == f"sha256:{other}", "the digest")
    assert releases.ready()["status"]["history"][0]["version"] == 1


def test_H97_something_newer_cancels_the_wait(releases):
    releases.chart(WEB)
    releases.apply()
    wait_until(lambda: releases.statuses() == {1: "pending-install"}, "the install to wait")
    releases.chart({"templates/config.yaml": config("config", {"v": releases.ns})},
                   version="2.0.0")
    releases.ready(version=2)
    text = (f"Health checks canceled due to new reconciliation triggered by "
            f"HelmChart/{releases.ns}/chart")
    assert releases.event(text)[:2] == ("Normal", "HealthCheckCanceled")
    assert releases.statuses()[1] in ("failed", "superseded")


def test_H97_hooks_come_to_their_end(releases):
    """They may be migrations: only the wait behind them is cancelled."""
    releases.chart({**WEB, "templates/migrate.yaml": job_hook("migrate", "pre-install")})
    releases.apply()
    wait_until(lambda: releases.live("Job", "migrate"), "the hook to run")
    before = releases.live("Job", "migrate")["metadata"]["uid"]
    releases.chart({"templates/config.yaml": config("{{ .Release.Name }}")}, version="2.0.0")
    releases.quiet("other", releaseName="other")
    releases.ready("other")
    assert releases.statuses() == {1: "pending-install"}
    releases.end_job("migrate")
    releases.ready(version=2)
    assert decode(releases.secrets()[0])["hooks"][0]["last_run"]["phase"] == "Succeeded"
    assert releases.live("Job", "migrate")["metadata"]["uid"] == before
    assert releases.event("Health checks canceled")[1] == "HealthCheckCanceled"


def test_H61_what_fails_together_is_not_retried_together(releases):
    names = [f"app{i}" for i in range(12)]
    releases.chart({"templates/broken.yaml": BROKEN})
    for name in names:
        releases.quiet(name, releaseName=name, install={"strategy": {
            "name": "RetryOnFailure", "retryInterval": "2s"}})

    def waits():
        records = [[decode(s)["info"]["last_deployed"] for s in releases.secrets(name)[:2]] for name in names]
        return [seconds(second) - seconds(first) for first, second in records] \
            if all(len(r) == 2 for r in records) else None
    waited = wait_until(waits, "all to be retried")
    assert max(waited) - min(waited) > 1, waited


def test_K95_insecure_tls_alone_is_allowed(releases):
    releases.chart(CHART)
    releases.kubeconfig(releases.by_command)
    releases.quiet(kubeConfig={"secretRef": {"name": "remote"}})
    releases.failed("RESTClientError", "running a command is not allowed here")
    releases.kubeconfig(releases.unverified)
    releases.ready()


def test_K94_the_default_account_of_a_token(releases, api):
    releases.chart(CHART)
    api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "remote", "namespace": releases.ns},
               "data": {"provider": "generic", "address": api.server,
                        "ca.crt": pathlib.Path(api.ca_file).read_text(),
                        "audiences": "https://kubernetes.default.svc"}})
    releases.quiet(kubeConfig={"configMapRef": {"name": "remote"}})
    releases.failed("RESTClientError", f"service account '{releases.ns}/traveller'")
    api.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "traveller", "namespace": releases.ns}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
         "metadata": {"name": "traveller", "namespace": releases.ns},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
         "subjects": [{"kind": "ServiceAccount", "name": "traveller", "namespace": releases.ns}]})
    releases.ready()


def test_overridden_managers_lose_their_fields(releases):
    releases.chart(CHART)
    releases.quiet(driftDetection={"mode": "enabled"})
    releases.ready()
    code, reply = releases.api.rest.call(
        "PATCH", releases.path("ConfigMap", "config") + "?fieldManager=intruder",
        {"data": {"extra": "1"}}, "application/merge-patch+json")
    assert code == 200, reply
    wait_until(lambda: releases.live("ConfigMap", "config")["data"] == {"k": "v"},
               "the added field to go")


def test_metrics_go_with_the_object(releases, helm_controller):
    releases.chart(CHART)
    releases.quiet()
    releases.ready()
    series = f'gotk_reconcile_duration_seconds_count{{kind="HelmRelease",name="app",' \
             f'namespace="{releases.ns}"}}'
    wait_until(lambda: series in helm_controller.metrics(), "the series")
    assert "gotk_token_cached_items 0\n" in helm_controller.metrics()
    releases.delete()
    wait_until(lambda: series not in helm_controller.metrics(), "the series to go")
    assert http("GET", f"http://127.0.0.1:{helm_controller.health_port}/healthz")[0] == 200


def test_a_daemon_near_its_memory_limit_leaves_nothing_pending(releases, helm_controller, directory):
    limit, usage = directory / "memory.max", directory / "memory.current"
    limit.write_text("1000000\n")
    usage.write_text("10\n")
    argv = helm_controller.argv
    assert helm_controller.stop() == 0
    helm_controller.argv = [*argv, "--feature-gates=OOMWatch=true", "--oom-watch-interval=50ms",
                            "--oom-watch-memory-threshold=90",
                            f"--oom-watch-max-memory-path={limit}",
                            f"--oom-watch-current-memory-path={usage}"]
    try:
        helm_controller.start()
        helm_controller.wait_until_ready()
        releases.chart(WEB)
        releases.apply()
        wait_until(lambda: releases.statuses() == {1: "pending-install"}, "the install to wait")
        usage.write_text("900000\n")
        wait_until(lambda: not helm_controller.alive(), "the daemon to stop by itself")
        assert helm_controller.stop() == 0, helm_controller.log()[-3000:]
        assert "near OOM" in helm_controller.log() and releases.statuses() == {1: "failed"}
    finally:
        helm_controller.argv = argv
        helm_controller.start()
        helm_controller.wait_until_ready()


@pytest.mark.parametrize("flag,text", [
    ("--oom-watch-interval=10ms --feature-gates=OOMWatch=true", "at least 50ms"),
    ("--oom-watch-max-memory-path=/nowhere --feature-gates=OOMWatch=true", "unable to setup OOM"),
    ("--snapshot-digest-algo=md5", "md5"),
    ("--default-kubeconfig-service-account=x", "ObjectLevelWorkloadIdentity"),
    ("--feature-gates=Nonsense=true", "Nonsense"), ("--nonsense", "nonsense")])
def test_bad_flags_end_the_process(api, flag, text):
    binary = pathlib.Path(os.environ["SLUICE_BUILD"], "helm-controller", "helm-controller")
    done = subprocess.run([binary, f"--kubeconfig={api.kubeconfig}", "--metrics-addr=0",
                           "--health-addr=0", *flag.split()], capture_output=True, text=True, timeout=90)
    assert done.returncode != 0 and text in done.stderr
