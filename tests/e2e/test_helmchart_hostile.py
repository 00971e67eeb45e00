"""HelmCharts whose archives and trees mean harm or are too large; both API servers."""
import pytest

from tests.lib.charts import ChartServer, chart_files, tgz, write
from tests.lib.helmcharts import (  # noqa: F401 - fixtures
    CHART_MAX, FILE_MAX, again, below, built, chart, git_chart, helm, message, source, toolkit)


@pytest.fixture
def hostile(objects):
    """serve(archive): HelmRepository "repo" whose chart "demo" is those bytes."""
    made = []

    def serve(data):
        index = ("apiVersion: v1\nentries:\n  demo:\n  - {name: demo, version: 1.0.0, "
                 "urls: [demo.tgz]}\n")
        made.append(ChartServer({"index.yaml": index.encode(), "demo.tgz": data}))
        objects.apply("HelmRepository", "repo", {"url": made[-1].url, "interval": "1h"})
        objects.ready("HelmRepository", "repo")
        chart(objects)
        return made[-1]
    yield serve
    for one in made:
        one.stop()


def test_S75_a_chart_that_is_too_large(objects, hostile):
    hostile(b"\x1f\x8b" + bytes(CHART_MAX))
    assert message(objects, "ChartPullError") == (
        "chart pull error: failed to download chart for remote reference: size of chart 'demo' "
        f"exceeds '{CHART_MAX}' bytes limit")


def test_S75_files_that_are_too_large(objects, hostile, source):
    hostile(tgz({**chart_files(), "Chart.yaml": chart_files()["Chart.yaml"] + "#" * FILE_MAX}))
    assert f"size of 'Chart.yaml' exceeds '{FILE_MAX}' bytes limit" in message(
        objects, "ChartPullError")
    source({**below("charts/demo", chart_files()), "charts/demo/big.txt": "x" * (FILE_MAX + 1)})
    chart(objects, "tree", kind="GitRepository", source="src", chart="charts/demo")
    assert (f"cannot load file big.txt as file size ({FILE_MAX + 1}) exceeds limit ({FILE_MAX})"
            in message(objects, "ChartPackageError", "tree", "BuildFailed"))


def test_S75_a_bomb(objects, hostile):
    hostile(tgz({**chart_files(), "files/zeros": bytes(150 << 20)}))
    said = message(objects, "ChartPullError")
    assert "archive" in said


@pytest.mark.parametrize("name, text", [
    ("demo/../../evil", "chart illegally references parent directory"),
    ("demo/..", "chart illegally references parent directory"),
    ("demo//etc/passwd", "chart illegally contains absolute paths"),
    ("demo/c:/evil", "chart contains illegally named files"),
    ("demo\\..\\..\\evil", "chart illegally references parent directory"),
    ("evil", "chart illegally contains content outside the base directory"),
    ("demo/.", "chart illegally contains content outside the base directory"),
], ids=["parent", "dots", "absolute", "drive", "windows", "root", "dot"])
def test_S76_archives_that_lead_elsewhere(objects, hostile, toolkit, name, text):
    good = {f"demo/{k}": v for k, v in chart_files().items()}
    hostile(tgz({**good, name: "evil"}, prefix=""))
    assert text in message(objects, "ChartPullError")
    # The same where the archive is packed anew.
    chart(objects, valuesFiles=["other.yaml"])
    assert text in message(objects, "ChartPackageError", condition="BuildFailed")
    assert not list(toolkit.dir.rglob("evil"))


@pytest.mark.parametrize("data, text", [
    (b"no archive", "archive is damaged: gzip"),
    (tgz({"values.yaml": "a: 1\n"}), "no 'Chart.yaml' found"),
    (tgz(chart_files(version="x")), 'chart.metadata.version "x" is invalid'),
    (tgz(chart_files(name="../evil")), 'chart.metadata.name "../evil" is invalid'),
    (tgz(chart_files())[:-40], "archive is "),
], ids=["text", "empty", "version", "name", "cut"])
def test_S76_archives_that_are_no_chart(objects, hostile, data, text):
    served = hostile(data)
    said = message(objects, "ChartPullError")
    assert said.startswith("chart pull error: failed to load chart metadata from written chart: ")
    assert text in said
    served.files["demo.tgz"] = tgz(chart_files())
    again(objects, "healed")
    objects.ready("HelmChart", "chart")


def test_S76_windows_paths_are_read(objects, hostile, helm, directory):
    hostile(tgz({k.replace("/", "\\"): v for k, v in chart_files().items()}, prefix="demo\\"))
    chart(objects, valuesFiles=["values.yaml", "values.yaml"])
    assert "templates/map.yaml" in built(objects.ready("HelmChart", "chart"))


def test_S77_ignored_files_and_links(objects, git_server, ns):
    repo = git_server.repository(ns)
    write(repo.work, below("charts/demo", {**chart_files(), ".helmignore": "secret*\n",
                                           "secret.txt": "no"}))
    (repo.work / "charts/demo/outside").symlink_to("/etc/passwd")
    (repo.work / "charts/demo/inside").symlink_to("values.yaml")
    repo.commit({})
    objects.apply("GitRepository", "src", {"url": git_server.url_of(repo), "interval": "1h"
                                           , "ref": {"branch": "main"}})
    git_chart(objects)
    # Links are in no artifact to begin with (S4).
    assert sorted(built(objects.ready("HelmChart", "chart"))) == sorted(
        [*chart_files(), ".helmignore"])
