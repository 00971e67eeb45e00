"""sluice build helmrelease: what it prints is what a reconcile applies."""
import os
import pathlib
import subprocess

import pytest
import yaml

from tests.lib.helm import write_chart
from tests.lib.releases import (VALUES_CONFIG, chart_server, config, controller_with,  # noqa: F401
                                job_hook, releases)

SLUICE = pathlib.Path(os.environ["SLUICE_BUILD"], "cli", "sluice")
helm_controller = controller_with()

FILES = {"values.yaml": "color: red\n", "templates/config.yaml": config("config"),
         "templates/values.yaml": VALUES_CONFIG,
         "templates/hook.yaml": job_hook("hook", "post-delete")}
SPEC = {"interval": "1h", "chartRef": {"kind": "HelmChart", "name": "chart"},
        "values": {"size": 2}, "commonMetadata": {"labels": {"team": "a"}},
        "postRenderers": [{"kustomize": {"patches": [{
            "target": {"kind": "ConfigMap", "name": "config"},
            "patch": '[{"op": "add", "path": "/data/patched", "value": "yes"}]'}]}}]}


@pytest.fixture
def build(tmp_path, api):
    def run(*args, spec=SPEC, files=FILES, name="app", ns="some", code=0):
        chart = write_chart(tmp_path / "chart", files)
        file = tmp_path / "release.yaml"
        file.write_text(yaml.safe_dump({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": "app"}, "spec": spec}))
        done = subprocess.run(
            [SLUICE, "build", "hr", name, "--path", chart, "--helmrelease-file", file, *args,
             "-n", ns, f"--kubeconfig={api.kubeconfig}"], capture_output=True, text=True,
            timeout=60, env=dict(os.environ, HOME=str(tmp_path)))
        assert done.returncode == code, done.stderr
        return done.stderr if code else list(yaml.safe_load_all(done.stdout))
    return run


def test_it_prints_what_is_applied(build, releases):
    releases.chart(FILES)
    spec = {**SPEC, "valuesFrom": [{"kind": "ConfigMap", "name": "more"}]}
    releases.api.apply({"apiVersion": "v1", "kind": "ConfigMap", "data": {"values.yaml": "a: b"},
                        "metadata": {"name": "more", "namespace": releases.ns}})
    releases.objects.apply("HelmRelease", "app", spec)
    releases.ready()
    built = {o["metadata"]["name"]: o for o in build(spec=spec, ns=releases.ns)}
    assert set(built) == {"config", "app-values", "hook"}
    for name in ("config", "app-values"):
        live = releases.live("ConfigMap", name)
        assert built[name]["data"] == live["data"]
        labels = built[name]["metadata"]["labels"]
        assert labels.items() <= live["metadata"]["labels"].items() and labels["team"] == "a"
    assert built["config"]["data"] == {"k": "v", "patched": "yes"}
    assert '"a":"b"' in built["app-values"]["data"]["values"]
    # Its deletion waits for a Job that nobody else ends.
    releases.objects.delete("HelmRelease", "app")
    releases.end_job("hook")
    releases.objects.gone("HelmRelease", "app")


def test_without_a_cluster(build):
    spec = {**SPEC, "valuesFrom": [{"kind": "ConfigMap", "name": "nowhere"}]}
    built = {o["metadata"]["name"]: o for o in build("--dry-run", spec=spec)}
    assert '"size":2' in built["app-values"]["data"]["values"]


def test_errors_name_the_template(build):
    bad = {"templates/bad.yaml": "a: b\n{{ fail \"no such luck\" }}"}
    text = build("--dry-run", files=bad, code=1)
    assert "shop/templates/bad.yaml:2" in text and "no such luck" in text
    assert "no HelmRelease 'other'" in build("--dry-run", name="other", code=1)


@pytest.mark.parametrize("files,text", [
    ({"Chart.yaml": "a: [\n"}, "cannot load Chart.yaml: yaml:2:1"),
    ({"values.yaml": "- a\n"}, "cannot load values.yaml"),
    ({"charts/x/y": "z"}, "error unpacking subchart x in shop"),
    ({"templates/a.yaml": "a: b\n{{ if }}\n"}, "parse error at (shop/templates/a.yaml:2)"),
    ({"values.schema.json": '{"required": ["m"]}'}, "missing property 'm'"),
], ids=["Chart.yaml", "values.yaml", "charts", "template", "schema"])
def test_a_broken_chart_is_named_with_file_and_cause(build, files, text):
    told = build("--dry-run", spec={"interval": "1h", "chartRef": SPEC["chartRef"]}, files={**FILES, **files}, code=1)
    assert text in told and ("/chart: " in told or "shop" in told), told
