"""HelmChart end to end: versions of chart repositories, and the life of the object; both API servers."""
import contextlib
import json
import subprocess

import pytest

from tests.e2e.test_cli import run
from tests.lib.charts import ChartRepository, ChartServer, chart_files, tgz
from tests.lib.helmcharts import (  # noqa: F401 - fixtures
    again, chart, fetch, helm, message, refresh, refresh_index, repository, toolkit)
from tests.lib.net import wait_until
from tests.lib.oracle import oracle
from tests.lib.registry import registry  # noqa: F401 - a fixture


def test_S70_a_pulled_chart_is_byte_identical(objects, repository, toolkit):
    chart(objects)
    obj = objects.ready("HelmChart", "chart")
    assert fetch(obj) == repository.files["demo-1.0.0.tgz"]
    artifact = obj["status"]["artifact"]
    assert artifact["path"] == f"helmchart/{objects.ns}/chart/demo-1.0.0.tgz"
    assert artifact["revision"] == "1.0.0"
    assert obj["status"]["observedChartName"] == "demo"
    repo = objects.get("HelmRepository", "repo")
    assert obj["status"]["observedSourceArtifactRevision"] == \
        repo["status"]["artifact"]["revision"]
    assert "observedValuesFiles" not in obj["status"]
    # S17
    latest = toolkit.storage / "helmchart" / objects.ns / "chart" / "latest.tar.gz"
    assert latest.resolve() == toolkit.storage / artifact["path"]
    assert obj["status"]["url"].endswith(f"/helmchart/{objects.ns}/chart/latest.tar.gz")
    for kind in ("ArtifactInStorage", "Ready"):
        stored = objects.condition(obj, kind)
        assert (stored["status"], stored["reason"], stored["message"]) == (
            "True", "ChartPullSucceeded", "pulled 'demo' chart with version '1.0.0'")
    wait_until(lambda: ("Normal", "ChartPullSucceeded",
                        "pulled 'demo' chart with version '1.0.0'") in objects.events("chart"),
               "the event")
    wait_until(lambda: not list(toolkit.dir.glob("source-controller-*/*")), "nothing to stay")  # S102


def test_S70_nothing_changed_downloads_nothing(objects, repository):
    chart(objects)
    first = objects.ready("HelmChart", "chart")
    second = again(objects, "again")
    assert second["status"]["artifact"] == first["status"]["artifact"]
    assert repository.count("demo-1.0.0.tgz") == 1 and repository.count("index.yaml") == 1
    # An index that has no news of this chart.
    repository.publish(chart_files("other"))
    refresh_index(objects)
    revision = objects.get("HelmRepository", "repo")["status"]["artifact"]["revision"]
    objects.wait("HelmChart", "chart", lambda o: o["status"]["observedSourceArtifactRevision"] ==
                 revision and objects.condition(o)["status"] == "True", "to have seen it")
    assert repository.count("demo-1.0.0.tgz") == 1


def test_S68_versions(objects, refresh, repository):
    refresh(*(chart_files(version=v) for v in ("1.2.0", "1.10.0", "2.0.0-rc.1", "0.9.0")))
    for number, (wanted, found) in enumerate({
            "*": "1.10.0", "": "1.10.0", "1.2.0": "1.2.0", "^1.0.0": "1.10.0", "1.x": "1.10.0",
            "~1.2": "1.2.0", "<1.0.0": "0.9.0", ">=1.0.0-0": "2.0.0-rc.1",
            "1.0.0 - 1.5.0": "1.2.0", "2.0.0-rc.1": "2.0.0-rc.1", ">0.9 <1.2": "1.0.0"}.items()):
        chart(objects, f"chart-{number}", version=wanted)
        obj = objects.ready("HelmChart", f"chart-{number}")
        assert obj["status"]["artifact"]["revision"] == found, wanted


def test_S68_the_newest_of_equal_versions(objects, ns, toolkit):
    entries = "".join(f"  - {{name: demo, version: 1.0.0+{b}, urls: [{b}.tgz], created: {c}}}\n"
                      for b, c in (("old", "2024-01-01T00:00:00Z"), ("new", "2024-03-01T00:00:00Z"),
                                   ("mid", "2024-02-01T00:00:00Z")))
    files = {f"{b}.tgz": tgz(chart_files(version=f"1.0.0+{b}")) for b in ("old", "mid", "new")}
    files["index.yaml"] = f"apiVersion: v1\nentries:\n  demo:\n{entries}".encode()
    served = ChartServer(files)
    objects.apply("HelmRepository", "repo", {"url": served.url, "interval": "1h"})
    objects.ready("HelmRepository", "repo")
    chart(objects)
    assert objects.ready("HelmChart", "chart")["status"]["artifact"]["revision"] == "1.0.0+new"
    served.stop()


@pytest.mark.parametrize("url", ["{base}/charts/files/a.tgz", "files/a.tgz", "./files/a.tgz",
                                 "../charts/files/a.tgz", "/charts/files/a.tgz"],
                         ids=["absolute", "below", "dot", "dots", "rooted"])
def test_S68_where_a_chart_is(objects, ns, toolkit, url):
    data = tgz(chart_files())
    served = ChartServer({"charts/files/a.tgz": data})
    where = url.format(base=served.url)
    served.files["charts/index.yaml"] = (
        "apiVersion: v1\nentries:\n  demo:\n  - {name: demo, version: 1.0.0, "
        f"urls: ['{where}', 'other.tgz']}}\n").encode()
    objects.apply("HelmRepository", "repo", {"url": f"{served.url}/charts?key=1", "interval": "1h"})
    objects.ready("HelmRepository", "repo")
    chart(objects)
    assert fetch(objects.ready("HelmChart", "chart")) == data
    query = "" if "{" in url else "?key=1"
    assert served.paths() == ["charts/index.yaml?key=1", f"charts/files/a.tgz{query}"]
    served.stop()


@pytest.mark.parametrize("url, text", [
    ("file:///etc/passwd", "file"), ("oci://127.0.0.1:1/x:1", "oci"), ("ftp://127.0.0.1/x", "ftp"),
    ("http://[", "http://["), ("", "chart 'demo' has no downloadable URLs"),
    ("http://127.0.0.1:1/x.tgz", "127.0.0.1:1")],
    ids=["file", "oci", "ftp", "broken", "none", "refused"])
def test_S68_charts_that_are_nowhere(objects, ns, toolkit, url, text):
    index = {"apiVersion": "v1", "entries": {"demo": [
        {"name": "demo", "version": "1.0.0", "urls": [url] if url else []}]}}
    served = ChartServer({"index.yaml": json.dumps(index).encode()})
    objects.apply("HelmRepository", "repo", {"url": served.url, "interval": "1h"})
    objects.ready("HelmRepository", "repo")
    chart(objects)
    said = message(objects, "ChartPullError")
    assert said.startswith("chart pull error: failed to download chart for remote reference: ")
    assert text in said and "root:" not in said
    served.stop()


def test_S68_no_match_stalls_and_heals(objects, refresh, repository):
    chart(objects, version="^3.0.0")
    assert message(objects, "InvalidChartReference", stalls=True) == (
        "invalid chart reference: failed to get chart version for remote reference: no 'demo' "
        "chart with version matching '^3.0.0' found")
    chart(objects, "unknown", chart="unknown")
    assert message(objects, "InvalidChartReference", "unknown", stalls=True) == (
        "invalid chart reference: failed to get chart version for remote reference: no chart name "
        "found: the index has no 'unknown'")
    chart(objects, "evil", chart="../demo")
    assert "invalid chart name '../demo'" in message(
        objects, "InvalidChartReference", "evil", stalls=True)
    chart(objects, "range", version="no range")
    assert message(objects, "InvalidChartReference", "range", stalls=True)
    refresh(chart_files(version="3.1.0"))
    assert objects.ready("HelmChart", "chart")["status"]["artifact"]["revision"] == "3.1.0"


def test_S78_sources_that_are_not_there(objects, repository, toolkit):
    chart(objects, source="absent")
    said = message(objects, "SourceUnavailable")
    assert said.startswith("failed to get source: ") and "absent" in said
    objects.apply("HelmRepository", "absent", {"url": "http://127.0.0.1:1", "interval": "1h"})
    objects.wait("HelmChart", "chart", lambda o: objects.condition(o, "FetchFailed").get(
        "reason") == "NoSourceArtifact", "to wait for an artifact")
    assert message(objects, "NoSourceArtifact") == (
        "no artifact available for HelmRepository source 'absent'")
    objects.apply("HelmRepository", "absent", {"url": repository.url, "interval": "1h"})
    assert fetch(objects.ready("HelmChart", "chart")) == repository.files["demo-1.0.0.tgz"]


def test_a_new_chart_that_awaits_its_repository_tells_nothing(objects, helm, directory, ns, toolkit):
    """Made at once with its repository it is written when it is built, not before."""
    served = ChartRepository(directory / ns, helm)
    served.publish(chart_files())

    def after_a_look(handler):
        """The index comes when the chart was told of, or would have been."""
        with contextlib.suppress(AssertionError):
            wait_until(lambda: (objects.get("HelmChart", "chart") or {}).get("status", {}).get("conditions"),
                       "conditions", timeout=0.5)
        handler.reply(200, served.files["index.yaml"])
    served.hooks["index.yaml"] = after_a_look
    try:
        objects.apply("HelmRepository", "repo", {"url": served.url, "interval": "1h"})
        chart(objects)
        objects.ready("HelmChart", "chart")
        reasons = [event[1] for event in objects.events("chart")]
        assert "NoSourceArtifact" not in reasons, reasons
    finally:
        served.stop()


def test_S80_a_new_revision_wakes_charts(objects, refresh):
    for number in range(5):
        chart(objects, f"chart-{number}", interval="24h")
        objects.ready("HelmChart", f"chart-{number}")
    refresh(chart_files(version="1.7.0"))
    for number in range(5):
        obj = objects.ready("HelmChart", f"chart-{number}", revision="1.7.0")
        assert objects.condition(obj, "ArtifactInStorage")["message"] == (
            "pulled 'demo' chart with version '1.7.0'")
        assert not objects.condition(obj, "ArtifactOutdated")


def test_S89_suspended_charts_rest(objects, refresh):
    chart(objects, suspend=True)
    chart(objects, "other")
    objects.ready("HelmChart", "other")
    objects.request("HelmChart", "chart", "asked")
    obj = objects.wait("HelmChart", "chart", lambda o: (o.get("status") or {}).get(
        "lastHandledReconcileAt") == "asked", "the echo")
    assert "artifact" not in obj["status"]
    chart(objects, suspend=False)
    objects.ready("HelmChart", "chart")
    objects.patch("HelmChart", "chart", {"spec": {"suspend": True}})
    objects.delete("HelmChart", "chart")
    objects.gone("HelmChart", "chart")


def test_C57_the_command_line_knows_them(objects, repository, api, ns):
    chart(objects)
    objects.ready("HelmChart", "chart")

    def sluice(*args):
        done = run(*args, "-n", ns, f"--kubeconfig={api.kubeconfig}")
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr
    assert "stored artifact: revision 'sha256:" in sluice("get", "sources", "helm")
    row = sluice("get", "sources", "chart").splitlines()[1]
    assert row.split("\t")[0].strip() == "chart" and "1.0.0" in row
    assert "pulled 'demo' chart with version '1.0.0'" in row
    repository.publish(chart_files(version="1.9.0"))
    assert "fetched revision" in sluice("reconcile", "source", "helm", "repo")
    assert "fetched revision" in sluice("reconcile", "source", "chart", "chart")
    objects.ready("HelmChart", "chart", revision="1.9.0")


def test_C85_upstreams_flux_works_with_them(objects, repository, helm, registry, directory, api, ns):
    program = oracle("flux") / "flux"

    def flux(*args):
        done = subprocess.run([program, *args, "-n", ns, f"--kubeconfig={api.kubeconfig}"],
                              capture_output=True, text=True, timeout=90,
                              env={"HOME": str(directory), "PATH": "/usr/bin:/bin"})
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr
    flux("create", "source", "helm", "made", f"--url={repository.url}", "--interval=1h")
    assert objects.ready("HelmRepository", "made")
    # A repository that has no status is ready as it is.
    flux("create", "source", "helm", "registry", f"--url=oci://{registry.host}/{ns}")
    chart(objects, source="made")
    objects.ready("HelmChart", "chart")
    assert "stored artifact: revision" in flux("get", "sources", "helm")
    assert "pulled 'demo' chart with version '1.0.0'" in flux("get", "sources", "chart")
    repository.publish(chart_files(version="1.4.0"))
    assert "fetched revision" in flux("reconcile", "source", "helm", "made")
    assert "fetched revision" in flux("reconcile", "source", "chart", "chart")
    objects.ready("HelmChart", "chart", revision="1.4.0")
    flux("delete", "source", "helm", "made", "--silent")
    objects.gone("HelmRepository", "made")


def test_S93_a_failure_keeps_the_old_chart(objects, repository, refresh):
    chart(objects)
    first = objects.ready("HelmChart", "chart")
    # No 401: the version only holds it.
    repository.publish(chart_files(version="1.8.4010"))
    good = repository.files.pop("demo-1.8.4010.tgz")
    refresh_index(objects)
    obj = objects.not_ready("HelmChart", "chart", "ChartPullError")
    assert obj["status"]["artifact"] == first["status"]["artifact"]
    repository.files["demo-1.8.4010.tgz"] = good
    again(objects, "healed")
    obj = objects.ready("HelmChart", "chart", revision="1.8.4010")
    assert not objects.condition(obj, "ArtifactOutdated")


def test_S12_S16_lost_artifact_and_deletion(objects, repository, toolkit):
    chart(objects)
    path = toolkit.storage / objects.ready("HelmChart", "chart")["status"]["artifact"]["path"]
    path.unlink()
    objects.request("HelmChart", "chart")
    wait_until(path.exists, "the rebuilt file")
    objects.ready("HelmChart", "chart")
    path.write_bytes(b"damaged")
    again(objects, "damaged")
    assert fetch(objects.ready("HelmChart", "chart")) == repository.files["demo-1.0.0.tgz"]
    objects.delete("HelmChart", "chart")
    objects.gone("HelmChart", "chart")
    assert not path.parent.exists()
