"""Where charts come from: generated HelmCharts, references, artifacts, revisions."""
import hashlib
import re

import pytest

from tests.lib.net import wait_until
from tests.lib.releases import (OWNER, chart_server, config, controller_with,  # noqa: F401
                                deployment, job_hook, pack, releases, template)

# What is waited for must wake: a look now and then comes too late.
helm_controller = controller_with("--requeue-dependency=10m", "--min-retry-delay=50ms",
                                  "--max-retry-delay=500ms", "--http-retry=1",
                                  "--feature-gates=ExternalArtifact=true")

CHART = {"templates/config.yaml": config("config")}
TEMPLATE = {"spec": {"chart": "shop", "version": "1.x",
                     "sourceRef": {"kind": "HelmRepository", "name": "repo"}}}


def digest_of(text="x"):
    return hashlib.sha256(text.encode()).hexdigest()


def generated(releases, name="app", ns=None):
    return releases.api.rest.get(
        f"/apis/source.toolkit.fluxcd.io/v1/namespaces/{ns or releases.ns}/helmcharts/"
        f"{releases.ns}-{name}")

def is_gone(releases):
    """Once the finalizer is off, which only the HelmChart's own controller, not running here, takes off."""
    chart = generated(releases)
    if chart and "deletionTimestamp" in chart["metadata"]:
        path = chart["metadata"]["namespace"] + "/helmcharts/" + chart["metadata"]["name"]
        releases.api.rest.call("PATCH", "/apis/source.toolkit.fluxcd.io/v1/namespaces/" + path,
                               {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    return not chart


def apply_template(releases, template=TEMPLATE, **spec):
    spec = {"interval": "1h", "chart": template, "install": {"disableWait": True},
            "upgrade": {"disableWait": True}, **spec}
    releases.objects.apply("HelmRelease", "app", spec)


def publish(releases, data, revision, name=None, ns=None):
    """The generated chart's status, as source-controller would write it."""
    name = name or f"{releases.ns}-app"
    wait_until(lambda: generated(releases, ns=ns), "the generated HelmChart")
    artifact = releases.artifact(data, revision)
    path = f"/apis/source.toolkit.fluxcd.io/v1/namespaces/{ns or releases.ns}/helmcharts/{name}"
    generation = releases.api.rest.get(path)["metadata"]["generation"]
    code, reply = releases.api.rest.call("PATCH", path + "/status", {"status": {
        "observedGeneration": generation, "artifact": artifact}}, "application/merge-patch+json")
    assert code == 200, reply


@pytest.mark.parametrize("spec", [{}, {"chart": TEMPLATE, "chartRef": {
    "kind": "HelmChart", "name": "x"}}], ids=["none", "both"])
def test_H1_exactly_one_chart_source(releases, spec):
    code, reply = releases.api.rest.call("POST", releases.objects.path("HelmRelease"), {
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "bad", "namespace": releases.ns}, "spec": {"interval": "1h", **spec}})
    assert code == 422, reply


@pytest.mark.parametrize("interval,code", [("5x", 422), ("1h30m", 201), ("500ms", 201)])
def test_H2_intervals(releases, interval, code):
    got, reply = releases.api.rest.call("POST", releases.objects.path("HelmRelease"), {
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "x", "namespace": releases.ns},
        "spec": {"interval": interval, "suspend": True,
                 "chartRef": {"kind": "HelmChart", "name": "x"}}})
    assert got == code, reply


@pytest.mark.parametrize("spec", [
    {"install": {"strategy": {"name": "RemediateOnFailure", "retryInterval": "1s"}}},
    {"kubeConfig": {}},
    {"kubeConfig": {"secretRef": {"name": "a"}, "configMapRef": {"name": "b"}}},
], ids=["H3", "H4-none", "H4-both"])
def test_H3_H4_refused_by_the_api(releases, spec):
    code, reply = releases.api.rest.call("POST", releases.objects.path("HelmRelease"), {
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "x", "namespace": releases.ns},
        "spec": {"interval": "1h", "chartRef": {"kind": "HelmChart", "name": "x"}, **spec}})
    assert code == 422, reply


def test_H13_what_the_template_has_lost_goes_from_the_chart(releases):
    """Labels of others stay, and what an apply leaves as it is, is not told of."""
    metadata = {"labels": {"team": "a", "old": "x"}, "annotations": {"note": "b"}}
    apply_template(releases, {**TEMPLATE, "metadata": metadata})
    publish(releases, pack(CHART), "1.0.0")
    releases.ready()
    code, reply = releases.api.rest.call(
        "PATCH", releases.objects.path("HelmChart", f"{releases.ns}-app"),
        {"metadata": {"labels": {"theirs": "x"}}}, "application/merge-patch+json")
    assert code == 200, reply
    apply_template(releases, {**TEMPLATE, "metadata": {"labels": {"team": "a"}}})
    wait_until(lambda: "note" not in generated(releases)["metadata"].get("annotations", {}), "the annotation to go")
    labels = generated(releases)["metadata"]["labels"]
    assert labels["theirs"] == "x" and labels["team"] == "a" and "old" not in labels
    apply_template(releases, {**TEMPLATE, "metadata": {"labels": {"team": "a"}}}, values={"a": 1})
    releases.ready(version=2)
    releases.event("upgrade succeeded")  # told after it
    told = [e for e in releases.api.rest.get(f"/api/v1/namespaces/{releases.ns}/events")["items"]
            if e["reason"] == "HelmChartConfigured"]
    assert [e.get("count", 1) for e in told] == [1], told


def test_H13_H16_the_generated_chart(releases):
    template = {**TEMPLATE, "metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}}}
    apply_template(releases, template, interval="7m")
    chart = wait_until(lambda: generated(releases), "the HelmChart")
    labels = chart["metadata"]["labels"]
    assert labels[OWNER + "name"] == "app" and labels[OWNER + "namespace"] == releases.ns
    assert labels["team"] == "a" and chart["metadata"]["annotations"]["note"] == "b"
    # Made with it, which saves source-controller a write; never put onto one that is being deleted.
    assert chart["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
    assert chart["spec"]["interval"] == "7m0s" and chart["spec"]["version"] == "1.x"
    assert chart["spec"]["sourceRef"] == {"kind": "HelmRepository", "name": "repo"}
    publish(releases, pack(CHART), "1.0.0")
    obj = releases.ready()
    assert obj["status"]["helmChart"] == f"{releases.ns}/{releases.ns}-app"
    assert releases.event("SourceRef", reason="HelmChartCreated")[0] == "Normal"
    releases.delete()
    assert "deletionTimestamp" in generated(releases)["metadata"]
    wait_until(lambda: is_gone(releases), "the HelmChart to go")


def test_a_chart_that_is_being_deleted_gets_no_finalizer(releases):
    apply_template(releases)
    chart = wait_until(lambda: generated(releases), "the HelmChart")
    path = releases.objects.path("HelmChart", chart["metadata"]["name"])
    for change in ({"finalizers": ["example.test/other"]}, {"annotations": {"seen": "yes"}}):
        code, reply = releases.api.rest.call("PATCH", path, {"metadata": change},
                                             "application/merge-patch+json")
        assert code == 200, reply
    releases.api.rest.call("DELETE", path)
    apply_template(releases, {"spec": {**TEMPLATE["spec"], "version": "2.x"}})
    live = wait_until(lambda: (c := generated(releases)) and c["spec"]["version"] == "2.x" and c,
                      "the change to be applied")
    assert live["metadata"]["finalizers"] == ["example.test/other"]
    releases.api.rest.call("PATCH", path, {"metadata": {"finalizers": None}},
                           "application/merge-patch+json")
    wait_until(lambda: "deletionTimestamp" not in generated(releases)["metadata"],
               "the HelmChart to be made anew")


def test_a_changed_template_waits_for_its_own_chart(releases):
    """What the watch still has of the HelmChart is the artifact of the spec before."""
    apply_template(releases)
    publish(releases, pack(CHART), "1.0.0")
    releases.ready()
    apply_template(releases, {"spec": {**TEMPLATE["spec"], "version": "2.x"}})
    releases.failed("SourceNotReady", "latest generation of object has not been reconciled")
    obj = releases.get()
    assert obj["status"]["observedGeneration"] == 1 and len(obj["status"]["history"]) == 1
    publish(releases, pack(CHART, version="2.0.0"), "2.0.0")
    assert releases.ready(version=2)["status"]["history"][0]["chartVersion"] == "2.0.0"


def test_H14_chart_to_chartRef(releases):
    apply_template(releases)
    publish(releases, pack(CHART), "1.0.0")
    releases.ready()
    releases.put_source("HelmChart", "other", releases.artifact(
        pack({"templates/config.yaml": config("config", {"v": "2"})}, version="2.0.0"), "2.0.0"))
    releases.quiet(chart="other")
    obj = releases.ready(version=2)
    assert "helmChart" not in obj["status"]
    wait_until(lambda: is_gone(releases), "the HelmChart to go")


def test_H15_the_source_namespace_moves_the_chart(releases, api):
    other = releases.ns[:50] + "-other"
    api.create_namespace(other)
    apply_template(releases)
    wait_until(lambda: generated(releases), "the HelmChart")
    spec = {**TEMPLATE["spec"], "sourceRef": {**TEMPLATE["spec"]["sourceRef"], "namespace": other}}
    apply_template(releases, {"spec": spec})
    wait_until(lambda: generated(releases, ns=other), "the HelmChart over there")
    wait_until(lambda: is_gone(releases), "the old one to go")
    publish(releases, pack(CHART), "1.0.0", ns=other)
    assert releases.ready()["status"]["helmChart"] == f"{other}/{releases.ns}-app"


def test_H19_missing_source(releases):
    releases.quiet(chart="nowhere")
    obj = releases.failed("ArtifactFailed", "could not get Source object")
    assert obj["status"]["observedGeneration"] == -1
    releases.chart(CHART, name="nowhere")
    releases.ready()


def test_H20_a_source_without_artifact_wakes_at_once(releases):
    releases.put_source("HelmChart", "chart", None, "False")
    releases.quiet()
    obj = releases.failed("SourceNotReady", "does not have an artifact")
    assert releases.condition(obj)["message"] == (
        f"HelmChart '{releases.ns}/chart' is not ready: does not have an artifact")
    releases.chart(CHART)
    releases.ready()


def test_H21_a_failing_source_with_an_artifact_is_good_enough(releases):
    releases.put_source("HelmChart", "chart", releases.artifact(pack(CHART), "1.0.0"), "False")
    releases.quiet()
    releases.ready()


def test_H23_another_digest(releases):
    artifact = releases.artifact(pack(CHART), "1.0.0")
    releases.put_source("HelmChart", "chart", {**artifact, "digest": "sha256:" + digest_of()})
    releases.quiet()
    releases.failed("ArtifactFailed", "Could not load chart")
    assert releases.event("digest", reason="ArtifactFailed")[0] == "Warning"


def test_an_archive_that_is_no_chart(releases):
    releases.put_source("HelmChart", "chart", releases.artifact(b"no chart", "1.0.0"))
    releases.quiet()
    releases.failed("ArtifactFailed", "Could not load chart")


def from_oci(releases, revision, chart=None, kind="OCIRepository", version="1.2.3"):
    data = pack(chart or CHART, version=version)
    releases.put_source(kind, "oci", releases.artifact(data, revision))
    releases.quiet(chartRef={"kind": kind, "name": "oci"})


def test_H24_H25_digests_of_oci_charts(releases):
    first, second = digest_of("a"), digest_of("b")
    from_oci(releases, f"1.2.3@sha256:{first}")
    obj = releases.ready()
    assert obj["status"]["lastAttemptedRevision"] == f"1.2.3+{first[:12]}"
    assert obj["status"]["lastAttemptedRevisionDigest"] == f"sha256:{first}"
    assert obj["status"]["history"][0]["ociDigest"] == f"sha256:{first}"
    from_oci(releases, f"1.2.3@sha256:{second}")
    obj = releases.ready(version=2)
    assert obj["status"]["history"][0]["chartVersion"] == f"1.2.3+{second[:12]}"


def test_H26_tag_and_version_differ(releases):
    from_oci(releases, f"1.2.4@sha256:{digest_of()}")
    obj = releases.failed("ChartMutateError")
    assert releases.condition(obj)["message"] == \
        "chart shop: artifact revision 1.2.4 does not match chart version 1.2.3"
    from_oci(releases, f"v1.2.3@sha256:{digest_of()}")
    releases.ready()


@pytest.mark.parametrize("revision,version", [
    ("1.2.3", "1.2.3"), (f"latest@sha256:{digest_of()}", f"1.2.3+{digest_of()[:12]}")])
def test_H24_external_artifacts(releases, revision, version):
    from_oci(releases, revision, kind="ExternalArtifact")
    assert releases.ready()["status"]["lastAttemptedRevision"] == version


def test_H27_H28_dependencies_wake_at_once(releases):
    releases.chart(CHART)
    releases.quiet("second", dependsOn=[{"name": "first"}], releaseName="two")
    obj = releases.failed("DependencyNotReady", name="second")
    assert releases.event("first", name="second", reason="DependencyNotReady")[0] == "Normal"
    assert obj["status"]["observedGeneration"] == -1
    releases.chart({"templates/c.yaml": config("first")}, name="one")
    releases.quiet("first", chart="one")
    releases.ready("first")
    releases.ready("second")


def test_H29_a_dependency_that_ran_again_wakes_nobody(releases, helm_controller):
    def runs(name):
        found = re.search(r'gotk_reconcile_duration_seconds_count\{kind="HelmRelease",'
                          rf'name="{name}",namespace="{releases.ns}"\}} (\d+)',
                          helm_controller.metrics())
        return int(found.group(1)) if found else 0

    def rerun(name):
        """How often it has run, once no run of it is left to be counted."""
        before = runs(name)
        releases.rerun(name)
        wait_until(lambda: runs(name) > before, "the run to be counted")
        return runs(name)
    releases.chart(CHART)
    releases.quiet("first", interval="1h")
    releases.quiet("second", interval="1h", releaseName="two", dependsOn=[{"name": "first"}])
    releases.ready("second")
    rerun("second")
    before = rerun("second")
    for _ in range(3):
        rerun("first")
    assert rerun("second") == before + 1


def test_H29_H30_readyExpr(releases):
    releases.chart(CHART)
    releases.quiet("first", suspend=True)
    releases.quiet("second", releaseName="two", dependsOn=[
        {"name": "first", "readyExpr": "dep.metadata.name == 'first'"}])
    releases.ready("second")
    releases.quiet("third", dependsOn=[{"name": "first", "readyExpr": "dep.("}])
    obj = releases.stalled("InvalidCELExpression", name="third")
    assert releases.condition(obj)["reason"] == "InvalidCELExpression"
    releases.quiet("fourth", dependsOn=[{"name": "first", "readyExpr": "false"}])
    releases.failed("DependencyNotReady", "readyExpr", name="fourth")


def test_health_expressions_are_compiled_first(releases):
    releases.quiet(healthCheckExprs=[{"apiVersion": "example.com/v1", "kind": "X", "current": "("}])
    obj = releases.stalled("InvalidCELExpression")
    assert releases.condition(obj)["message"].startswith(
        "Reconciliation failed terminally due to configuration error")


def test_H43_H44_names(releases):
    releases.chart(CHART)
    releases.quiet(releaseName=None, targetNamespace="default")
    obj = releases.ready()
    [snapshot] = obj["status"]["history"]
    assert snapshot["name"] == "default-app" and snapshot["namespace"] == "default"
    name = "a-very-long-name-for-a-helm-release-that-does-not-fit-at-all"
    releases.quiet(name)
    short = name[:40] + "-" + hashlib.sha256(name.encode()).hexdigest()[:12]
    assert releases.ready(name)["status"]["history"][0]["name"] == short
    releases.delete()
    releases.delete(name)


def moved(releases):
    obj = releases.objects.wait(
        "HelmRelease", "app", lambda o: o["status"].get("observedGeneration") == 2 and
        releases.condition(o).get("status") == "True", "to move")
    [snapshot] = obj["status"]["history"]
    assert snapshot["action"] == "install" and snapshot["version"] == 1
    return obj


@pytest.mark.parametrize("spec,name,target,storage", [
    ({"releaseName": "other"}, "other", None, None),
    ({"targetNamespace": "flux-system", "releaseName": "app"}, "app", "flux-system", None),
    ({"storageNamespace": "default"}, "app", None, "default")], ids=["name", "namespace", "storage"])
def test_H45_another_target_reinstalls(releases, spec, name, target, storage):
    text = template("ConfigMap", "x", data={"release": "{{ .Release.Name }}"})
    releases.chart({"templates/config.yaml": text.replace(
        "name: x", f"name: {{{{ .Release.Name }}}}-{releases.ns[:30]}")})
    releases.quiet()
    releases.ready()
    releases.quiet(**spec)
    obj = moved(releases)
    assert obj["status"]["storageNamespace"] == (storage or releases.ns)

    def live(ns, release):
        return bool(releases.api.rest.get(
            f"/api/v1/namespaces/{ns}/configmaps/{release}-{releases.ns[:30]}"))
    assert live(target or releases.ns, name)
    assert live(releases.ns, "app") == (spec == {"storageNamespace": "default"})
    assert releases.statuses(name, storage) == {1: "deployed"}
    if name != "app" or storage:
        assert releases.statuses() == {}
    releases.delete()


def test_H45_the_hooks_of_the_old_release_are_awaited(releases):
    releases.chart({**CHART, "templates/hook.yaml": job_hook("hook", "pre-delete")})
    releases.quiet()
    releases.ready()
    releases.quiet(releaseName="other")
    wait_until(lambda: releases.live("Job", "hook"), "the hook")
    assert list(releases.statuses()) == [1] and releases.statuses("other") == {}
    releases.end_job("hook")
    moved(releases)
    assert releases.statuses() == {} and releases.statuses("other") == {1: "deployed"}


def test_H45_what_replaces_is_told_from_its_start(releases):
    """Were the daemon killed amid the installation, nothing else would lead to what was stored."""
    releases.chart(CHART)
    releases.quiet()
    releases.ready()
    releases.chart({"templates/web.yaml": deployment()}, version="2.0.0")
    releases.apply(releaseName="other")
    wait_until(lambda: releases.statuses("other") == {1: "pending-install"}, "the installation to wait")
    [told] = releases.get()["status"]["history"]
    assert (told["name"], told["status"], told["digest"]) == ("other", "pending-install", "")
    releases.make_deployment_ready()
    [told] = moved(releases)["status"]["history"]
    assert told["status"] == "deployed" and told["digest"]


def test_H49_what_cannot_replace_is_told_no_more(releases):
    releases.chart({**CHART, "values.schema.json": '{"properties": {"n": {"type": "number"}}}'})
    releases.quiet()
    releases.ready()
    releases.quiet(releaseName="other", values={"n": "x"})
    obj = releases.failed("InstallFailed", "want number")
    assert not obj["status"].get("history") and releases.statuses("other") == {}
    releases.quiet(releaseName="third")
    wait_until(lambda: releases.statuses("third") == {1: "deployed"}, "the third one")
    assert len(releases.ready()["status"]["history"]) == 1


def test_H45_expressions_do_not_judge_the_hooks_of_what_goes(releases):
    releases.chart({**CHART, "templates/gate.yaml": job_hook("gate", "pre-delete")})
    releases.quiet(healthCheckExprs=[{"apiVersion": "batch/v1", "kind": "Job", "current": "false"}])
    releases.ready()
    releases.quiet(releaseName="other", healthCheckExprs=[
        {"apiVersion": "batch/v1", "kind": "Job", "current": "false"}])
    releases.end_job("gate")
    wait_until(lambda: releases.statuses("other") == {1: "deployed"}, "the move")
    assert releases.statuses() == {}
    releases.quiet(releaseName="other", uninstall={"disableHooks": True})
    releases.ready()


@pytest.mark.parametrize("strategy,version", [(None, 1), ("InPlaceUpdate", 2)])
def test_H46_another_chart_name(releases, strategy, version):
    releases.put_source("HelmChart", "chart", releases.artifact(pack(CHART, name="one"), "1"))
    upgrade = {"chartNameChangeStrategy": strategy} if strategy else {}
    releases.quiet(upgrade=upgrade)
    releases.ready()
    releases.put_source("HelmChart", "chart", releases.artifact(pack(CHART, name="two"), "2"))
    obj = releases.objects.wait(
        "HelmRelease", "app", lambda o: releases.condition(o).get("status") == "True" and
        (o["status"].get("history") or [{}])[0].get("chartName") == "two", "the other chart")
    assert obj["status"]["history"][0]["version"] == version


def test_H47_createNamespace_needs_a_target(releases):
    releases.chart(CHART)
    target = releases.ns[:50] + "-new"
    releases.quiet(targetNamespace=target, releaseName="app",
                   install={"createNamespace": True})
    releases.ready()
    assert releases.api.rest.get(f"/api/v1/namespaces/{target}")
