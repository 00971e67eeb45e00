"""HelmCharts that are packed: values files, strategies, trees and buckets; both API servers."""
import pytest

from tests.lib.buckets import ACCESS_KEY, SECRET_KEY, Versity
from tests.lib.charts import chart_files, tgz, untgz, write
from tests.lib.helmcharts import (  # noqa: F401 - fixtures
    below, built, chart, fetch, git_chart, helm, message, refresh, repository, source, toolkit)


def test_S71_values_files_merge_in_order(objects, refresh, repository, helm, directory):
    more = {"env/prod.yaml": "color: blue\nnested: {a: 1, list: [1, 2]}\nbig: 1000000\n",
            "env/eu.yaml": "nested: {b: {c: x}, list: [3]}\nsize: null\n"}
    refresh({**chart_files(version="1.1.0", values="color: red\nsize: 1\nnested: {a: 0, z: 9}\n"),
             **more})
    chart(objects, valuesFiles=["values.yaml", "./env/prod.yaml", "env/eu.yaml"])
    obj = objects.ready("HelmChart", "chart")
    assert obj["status"]["artifact"]["revision"] == "1.1.0+1"
    assert obj["status"]["artifact"]["path"].endswith("/demo-1.1.0+1.tgz")
    files = built(obj)
    assert files["values.yaml"] == ("big: 1000000\ncolor: blue\nnested:\n  a: 1\n  b:\n    c: x\n"
                                    "  list:\n  - 3\n  z: 9\nsize: null\n")
    assert "version: 1.1.0+1\n" in files["Chart.yaml"]
    ready = objects.condition(obj)
    assert (ready["reason"], ready["message"]) == (
        "ChartPackageSucceeded", "packaged 'demo' chart with version '1.1.0+1' and merged values "
        "files [values.yaml ./env/prod.yaml env/eu.yaml]")
    # The real helm takes it, and the bytes are the same each time.
    (directory / "built.tgz").write_bytes(fetch(obj))
    assert 'color: "blue"' in helm.render(directory / "built.tgz")
    first = fetch(obj)
    chart(objects, "twin", valuesFiles=["values.yaml", "./env/prod.yaml", "env/eu.yaml"])
    assert fetch(objects.ready("HelmChart", "twin")) == first
    # The generation tells of other values.
    chart(objects, valuesFiles=["env/prod.yaml"])
    obj = objects.ready("HelmChart", "chart", revision="1.1.0+2")
    assert built(obj)["values.yaml"].startswith("big: 1000000\ncolor: blue\nnested:\n  a: 1\n")
    # values.yaml alone is the chart as it is.
    chart(objects, valuesFiles=["./values.yaml"])
    obj = objects.wait("HelmChart", "chart", lambda o: (o["status"].get("artifact") or {}).get(
        "revision") == "1.1.0", "to be unchanged")
    assert fetch(obj) == repository.files["demo-1.1.0.tgz"]


def test_S72_a_missing_values_file(objects, refresh):
    refresh({**chart_files(version="1.1.0"), "prod.yaml": "color: blue\n"})
    chart(objects, valuesFiles=["prod.yaml", "absent.yaml"])
    assert message(objects, "ValuesFilesError", condition="BuildFailed", stalls=True) == (
        "values files merge error: failed to merge chart values: no values file found at path "
        "'absent.yaml'")
    chart(objects, valuesFiles=["prod.yaml", "absent.yaml"], ignoreMissingValuesFiles=True)
    obj = objects.ready("HelmChart", "chart", revision="1.1.0+2")
    assert obj["status"]["observedValuesFiles"] == ["prod.yaml"]
    assert built(obj)["values.yaml"] == "color: blue\n"
    assert objects.condition(obj)["message"].endswith(" and merged values files [prod.yaml]")
    assert not objects.condition(obj, "BuildFailed")
    chart(objects, valuesFiles=["prod.yaml"])
    obj = objects.ready("HelmChart", "chart", revision="1.1.0+3")
    assert "observedValuesFiles" not in obj["status"]


def test_S72_values_that_are_none(objects, refresh):
    refresh({**chart_files(version="1.1.0"), "list.yaml": "- 1\n", "bad.yaml": "a: [\n"})
    for name in ("list", "bad"):
        chart(objects, name, valuesFiles=[f"{name}.yaml"])
        assert f"unmarshaling values from '{name}.yaml' failed: " in message(
            objects, "ValuesFilesError", name, "BuildFailed", stalls=True)


def test_S71_values_files_of_a_tree(objects, source):
    head = source({**below("charts/demo", chart_files()), "env/prod.yaml": "color: green\n",
                   "charts/demo/own.yaml": "size: 7\n"})
    git_chart(objects, valuesFiles=["charts/demo/values.yaml", "/env/prod.yaml",
                                    "../charts/demo/own.yaml"])
    obj = objects.ready("HelmChart", "chart")
    assert obj["status"]["artifact"]["revision"] == "1.0.0+1"
    assert built(obj)["values.yaml"] == "color: green\nsize: 7\n"
    git_chart(objects, valuesFiles=["env/prod.yaml"], reconcileStrategy="Revision")
    obj = objects.ready("HelmChart", "chart", revision=f"1.0.0+{head[:12]}.2")
    git_chart(objects, valuesFiles=["env/absent.yaml"])
    assert message(objects, "ValuesFilesError", condition="BuildFailed", stalls=True) == (
        "values files merge error: no values file found at path '/env/absent.yaml' (reference "
        "'env/absent.yaml')")


def test_S73_strategies(objects, source, toolkit):
    source(below("charts/demo", chart_files()))
    git_chart(objects)
    chart(objects, "strict", kind="GitRepository", source="src", chart="charts/demo",
          reconcileStrategy="Revision")
    first = objects.ready("HelmChart", "chart")
    objects.ready("HelmChart", "strict")
    head = source({"charts/demo/templates/more.yaml": "# more\n"})
    obj = objects.ready("HelmChart", "strict", revision=f"1.0.0+{head[:12]}")
    assert built(obj)["templates/more.yaml"] == "# more\n"
    # By the chart's version a commit says nothing.
    same = objects.wait("HelmChart", "chart", lambda o: head in
                        o["status"]["observedSourceArtifactRevision"], "to have seen it")
    assert same["status"]["artifact"] == first["status"]["artifact"]
    source(below("charts/demo", chart_files(version="1.1.0+old")))
    obj = objects.ready("HelmChart", "chart", revision="1.1.0+old")
    assert built(obj)["templates/more.yaml"] == "# more\n"
    # Metadata takes the place of what was there.
    obj = objects.wait("HelmChart", "strict", lambda o: o["status"]["artifact"][
        "revision"].startswith("1.1.0+"), "the new version")
    assert "old" not in obj["status"]["artifact"]["revision"]


def test_S73_a_tree_to_what_helm_packages(objects, source, helm, directory, ns):
    files = {**chart_files(appVersion="1.10", description="'a: b'"),
             "values.schema.json": '{"type": "object"}', "README.md": "# read\n",
             "crds/crd.yaml": "kind: X\n", "templates/NOTES.txt": "notes", ".hidden": "x",
             "templates/.swp": "y", "files/deep/er/x.txt": "z", "charts/sub/Chart.yaml":
             "apiVersion: v2\nname: sub\nversion: 0.1.0\n", "charts/sub/values.yaml": "a: 1\n",
             "charts/sub/templates/x.yaml": "# {{ .Values.a }}\n", ".helmignore": "*.bak\nskip/\n",
             "a.bak": "no", "skip/me.txt": "no"}
    source(below("charts/demo", files))
    git_chart(objects)
    ours = untgz(fetch(objects.ready("HelmChart", "chart")))
    theirs = untgz(helm.package(write(directory / ns, files), directory).read_bytes())
    assert ours == theirs
    assert "demo/.hidden" in ours and "demo/a.bak" not in ours and "demo/skip/me.txt" not in ours


def test_S73_an_archive_in_a_tree_is_copied(objects, source):
    data = tgz(chart_files())
    source({"charts/demo-1.0.0.tgz": data, ".sourceignore": "*.md\n"})
    git_chart(objects, "charts/demo-1.0.0.tgz")
    obj = objects.ready("HelmChart", "chart")
    assert fetch(obj) == data
    assert objects.condition(obj)["reason"] == "ChartPullSucceeded"
    git_chart(objects, "charts/demo-1.0.0.tgz", reconcileStrategy="Revision")
    obj = objects.wait("HelmChart", "chart", lambda o: "+" in o["status"]["artifact"]["revision"],
                       "to be packed")
    assert objects.condition(obj)["reason"] == "ChartPackageSucceeded"
    assert built(obj)["values.yaml"] == chart_files()["values.yaml"]


def test_S73_a_chart_of_a_bucket(objects, directory, ns, toolkit):
    s3 = Versity(directory / f"{ns}-s3")
    s3.bucket(ns)
    for path, content in below("charts/demo", chart_files()).items():
        s3.put(ns, path, content)
    objects.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {
        "name": "keys", "namespace": ns}, "stringData": {
            "accesskey": ACCESS_KEY, "secretkey": SECRET_KEY}})
    objects.apply("Bucket", "src", {"endpoint": s3.endpoint, "bucketName": ns, "interval": "1h",
                                    "insecure": True, "secretRef": {"name": "keys"}})
    revision = objects.ready("Bucket", "src")["status"]["artifact"]["revision"]
    chart(objects, kind="Bucket", source="src", chart="charts/demo", reconcileStrategy="Revision")
    short = revision.removeprefix("sha256:")[:12]
    obj = objects.ready("HelmChart", "chart", revision=f"1.0.0+{short}")
    assert built(obj)["values.yaml"] == chart_files()["values.yaml"]
    s3.put(ns, "charts/demo/values.yaml", "color: blue\n")
    objects.request("Bucket", "src")
    objects.wait("HelmChart", "chart", lambda o: short not in o["status"]["artifact"]["revision"] and
                 built(o)["values.yaml"] == "color: blue\n", "the new content")
    s3.stop()


@pytest.mark.parametrize("path, text", [
    ("charts/absent", "stat /charts/absent: no such file or directory"),
    ("../../charts/absent", "stat /charts/absent: no such file or directory"),
    ("charts", "open Chart.yaml: no such file or directory"),
    ("charts/broken", "validation: chart.metadata.version is required"),
    ("charts/broken/Chart.yaml", "archive is damaged"),
], ids=["absent", "above", "no-chart", "broken", "file"])
def test_S78_paths_that_are_no_chart(objects, source, path, text):
    source({"charts/broken/Chart.yaml": "name: broken\n"})
    git_chart(objects, path)
    said = message(objects, "InvalidChartReference", stalls=True)
    assert said.startswith("invalid chart reference: ") and text in said
