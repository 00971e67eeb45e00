"""A cluster whose helm-controller was upstream's: the objects, Secrets and status that it leaves are
made here with the real helm, the digests by Go's own encoders. Then Sluice starts in its place:
nothing is installed or upgraded, and nothing is written."""
import datetime
import hashlib
import json
import re
import subprocess

import pytest
import yaml

from tests.conftest import Objects
from tests.lib.controllers import Controller
from tests.lib.fault import delay, status
from tests.lib.helm import decode, helm, helm_of  # noqa: F401
from tests.lib.net import wait_until
from tests.lib.oracle import oracle
from tests.lib.releases import (OWNER, Releases, chart_server, config, job_hook,  # noqa: F401
                                pack)

VALUES = {"count": 3, "ratio": 0.5, "list": ["a", {"b": None}], "text": "1", "big": 12345678}
LABELS = {"team": "a"}
CHART = {"name": "shop", "version": "1.2.3", "appVersion": "4.5"}
TEMPLATE = {"spec": {"chart": "shop", "version": "1.x", "reconcileStrategy": "ChartVersion",
                     "sourceRef": {"kind": "HelmRepository", "name": "repo"}}}
STAMP = "2026-01-02T03:04:05Z"


helm3 = helm_of("helm3")


@pytest.fixture
def releases(api, chart_server, ns):
    return Releases(Objects(api, ns), chart_server)


def go_digests(requests):
    done = subprocess.run([oracle("helm-digest") / "helm-digest"], check=True, capture_output=True,
                          input="".join(json.dumps(r) + "\n" for r in requests).encode())
    return [json.loads(line)["digest"] for line in done.stdout.splitlines()]


def manager(releases, path, body, kind, name="helm-controller", force=""):
    code, reply = releases.api.rest.call("PATCH", f"{path}?fieldManager={name}{force}", body, kind)
    assert code in (200, 201), reply
    return reply


def merge(releases, path, body):
    return manager(releases, path, body, "application/merge-patch+json")


def own(releases, path):
    """Fields of the helm command become those of upstream's controller."""
    entries = releases.api.rest.get(path)["metadata"]["managedFields"]
    merge(releases, path, {"metadata": {"managedFields": [
        {**e, "manager": "helm-controller"} for e in entries]}})


def templates(ns):
    """As upstream's post-renderers would have left them: with the labels of origin."""
    labels = {OWNER + "name": "app", OWNER + "namespace": ns, **LABELS}
    return {"templates/config.yaml": config("config", {"v": "1"}, labels=labels),
            "templates/check.yaml": job_hook("check", "test")}


def generated_chart(releases, artifact):
    """The HelmChart of spec.chart, and source-controller's word on it."""
    name = f"{releases.ns}-app"
    path = releases.objects.path("HelmChart", name)
    spec = {**TEMPLATE["spec"], "interval": "1h0m0s"}
    body = {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmChart", "spec": spec,
            "metadata": {"name": name, "namespace": releases.ns, "labels": {
                OWNER + "name": "app", OWNER + "namespace": releases.ns}}}
    manager(releases, path, body, "application/apply-patch+yaml", force="&force=true")
    releases.put_status("HelmChart", name, artifact, observedGeneration=1)
    return f"{releases.ns}/{name}"


def conditions(release, chart):
    text = f"Helm install succeeded for release {release} with chart {chart}"
    return [{"type": kind, "status": "True", "reason": "InstallSucceeded", "message": text,
             "lastTransitionTime": STAMP, "observedGeneration": 1} for kind in ("Ready", "Released")]


def snapshot(secret):
    record = decode(secret)
    digest, values = go_digests([{"record": record}, {"values": record.get("config") or {}}])

    def seconds(stamp):
        whole = re.sub(r"\.\d+", "", stamp).replace("Z", "+00:00")
        moment = datetime.datetime.fromisoformat(whole).astimezone(datetime.timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"apiVersion": "v2", "digest": digest, "name": "app", "namespace": record["namespace"],
            "version": 1, "status": "deployed", "action": "install", "chartName": "shop",
            "chartVersion": "1.2.3", "appVersion": "4.5", "configDigest": values,
            "firstDeployed": seconds(record["info"]["first_deployed"]),
            "lastDeployed": seconds(record["info"]["last_deployed"])}


def leave_behind(releases, helm, tmp_path, values, template, **spec):
    """What upstream's controller has made of a HelmRelease."""
    ns, archive = releases.ns, pack(templates(releases.ns), **CHART)
    (tmp_path / "shop.tgz").write_bytes(archive)
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
    helm("install", "app", tmp_path / "shop.tgz", "-n", ns, "-f", tmp_path / "values.yaml")
    own(releases, releases.path("ConfigMap", "config"))
    artifact = releases.artifact(archive, "1.2.3")
    source = {"chart": TEMPLATE} if template else {"chartRef": {"kind": "HelmChart", "name": "chart"}}
    key = generated_chart(releases, artifact) if template else None
    if not template:
        releases.put_source("HelmChart", "chart", artifact)
    releases.objects.apply("HelmRelease", "app", {
        "interval": "1h", "values": values, "commonMetadata": {"labels": LABELS}, **source, **spec})
    path = releases.objects.path("HelmRelease", "app")
    merge(releases, path, {"metadata": {"finalizers": ["finalizers.fluxcd.io"]}})
    last = snapshot(releases.secrets()[0])
    metadata = json.dumps({"labels": LABELS}, separators=(",", ":")) + "\n"
    status = {
        "observedGeneration": 1, "lastAttemptedGeneration": 1, "storageNamespace": ns,
        "observedCommonMetadataDigest": "sha256:" + hashlib.sha256(metadata.encode()).hexdigest(),
        "lastAttemptedRevision": "1.2.3", "lastAttemptedConfigDigest": last["configDigest"],
        "lastAttemptedReleaseAction": "install", "lastAttemptedReleaseActionDuration": "1.5s",
        "history": [last], "inventory": {"entries": [{"id": f"{ns}_config__ConfigMap", "v": "v1"}]},
        "conditions": conditions(f"{ns}/app.v1", "shop@1.2.3"),
        **({"helmChart": key} if key else {})}
    merge(releases, path + "/status", {"status": status})


def everything(releases):
    """resourceVersion by object: whatever is written changes it."""
    paths = [releases.objects.path("HelmRelease", "app"), releases.path("ConfigMap", "config"),
             releases.objects.path("HelmChart", f"{releases.ns}-app"),
             releases.objects.path("HelmChart", "chart")]
    objects = [o for o in map(releases.api.rest.get, paths) if o] + releases.secrets()
    return {(o.get("kind", "Secret"), o["metadata"]["name"]): o["metadata"]["resourceVersion"]
            for o in objects}


def has_run(daemon, releases):
    return 'gotk_reconcile_duration_seconds_count{kind="HelmRelease",name="app",' \
        f'namespace="{releases.ns}"}}' in daemon.metrics()


@pytest.mark.parametrize("template", [True, False], ids=["chart", "chartRef"])
@pytest.mark.parametrize("values", [VALUES, {}], ids=["values", "none"])
@pytest.mark.parametrize("drift", ["disabled", "enabled"])
def test_the_release_of_another_controller_is_left_as_it_is(releases, proxied, helm, directory,
                                                            tmp_path, values, template, drift):
    leave_behind(releases, helm, tmp_path, values, template,
                 **({"driftDetection": {"mode": drift}} if drift == "enabled" else {}))
    before, mark = everything(releases), proxied.proxy.mark()
    # What is there is not taken for missing because its watch is slower than others.
    slow = proxied.proxy.on(delay(2), path="/helmcharts$", times=1)
    daemon = Controller("helm-controller", proxied, directory / f"daemon-{releases.ns}")
    try:
        daemon.wait_until_ready()
        wait_until(lambda: has_run(daemon, releases), "a run")
        if drift == "enabled":
            releases.objects.wait("HelmRelease", "app", lambda o: releases.condition(
                o, "Drifted").get("status") == "False", "to be looked at for drift")
            before.pop(("HelmRelease", "app"))  # upstream's own would say the same from then on
        written = [r for r in proxied.proxy.requests(since=mark, path=f"/namespaces/{releases.ns}/")
                   if r.method != "GET" and "dryRun" not in r.target and not (
                       drift == "enabled" and "/status" in r.target)]
        assert not written
        after = everything(releases)
        assert {k: after[k] for k in before} == before
        # And it goes on from there.
        for action in ("install", "upgrade"):
            releases.objects.patch("HelmRelease", "app", {"spec": {action: {"disableWait": True}}})
        releases.objects.patch("HelmRelease", "app", {"spec": {"values": {"other": 1}}})
        releases.ready(version=2)
        assert [r["status"] for r in helm.json("history", "app", "-n", releases.ns)] == [
            "superseded", "deployed"]
        entries = releases.live("ConfigMap", "config")["metadata"]["managedFields"]
        assert {(e["manager"], e["operation"]) for e in entries} == {("helm-controller", "Apply")}
    finally:
        proxied.proxy.off(slow)
        assert daemon.stop() == 0, daemon.log()[-4000:]


def applied(releases):
    """How the newest record says that its objects were applied, and as whom they were."""
    entries = releases.live("ConfigMap", "config")["metadata"]["managedFields"]
    return (decode(releases.secrets()[-1]).get("apply_method"),
            {(e["manager"], e["operation"]) for e in entries})


@pytest.mark.parametrize("drift", ["disabled", "enabled"])
def test_H91_a_release_of_helm_3_is_left_as_it_is_and_stays_client_side(releases, proxied, helm3, directory,
                                                                         tmp_path, drift):
    """Until spec says otherwise; then it stays server-side."""
    quiet = {"disableWait": True}
    leave_behind(releases, helm3, tmp_path, VALUES, False, upgrade=quiet, **(
        {"driftDetection": {"mode": drift}} if drift == "enabled" else {}))
    before = everything(releases)
    daemon = Controller("helm-controller", proxied, directory / f"daemon-{releases.ns}")
    try:
        daemon.wait_until_ready()
        wait_until(lambda: has_run(daemon, releases), "a run")
        if drift == "enabled":
            releases.objects.wait("HelmRelease", "app", lambda o: releases.condition(
                o, "Drifted").get("status") == "False", "to be looked at for drift")
            before.pop(("HelmRelease", "app"))
        after = everything(releases)
        assert {k: after[k] for k in before} == before
        assert applied(releases) == (None, {("helm-controller", "Update")})
        steps = [({"values": {"n": 1}}, "csa", "Update"),
                 ({"upgrade": {**quiet, "serverSideApply": "enabled"}, "values": {"n": 2}}, "ssa", "Apply"),
                 ({"upgrade": {**quiet, "serverSideApply": "auto"}, "values": {"n": 3}}, "ssa", "Apply")]
        for n, (change, method, operation) in enumerate(steps, 2):
            releases.objects.patch("HelmRelease", "app", {"spec": change})
            releases.ready(version=n)
            assert applied(releases) == (method, {("helm-controller", operation)})
        assert [r["status"] for r in helm3.json("history", "app", "-n", releases.ns)] == [
            "superseded", "superseded", "superseded", "deployed"]
    finally:
        assert daemon.stop() == 0, daemon.log()[-4000:]


@pytest.mark.parametrize("code", [404, 403])
def test_a_kind_that_is_not_served_is_not_waited_for(releases, proxied, directory, code):
    """As on a cluster without the CRD of ExternalArtifact, or a role without its rights."""
    refused = proxied.proxy.on(status(code, "NotFound" if code == 404 else "Forbidden"),
                               path="/externalartifacts$")
    daemon = Controller("helm-controller", proxied, directory / f"daemon-{releases.ns}")
    try:
        releases.chart({"templates/config.yaml": config("config")})
        releases.quiet()
        releases.ready(timeout=60)
        assert refused.hits
    finally:
        proxied.proxy.off(refused)
        assert daemon.stop() == 0, daemon.log()[-4000:]
