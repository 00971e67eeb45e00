"""HelmCharts of OCI registries; both API servers."""
import json

import pytest

from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.charts import chart_files, tgz
from tests.lib.helmcharts import (  # noqa: F401 - fixtures
    CHART_MAX, again, below, built, chart, fetch, git_chart, helm, message, oci_repository,
    parent, push, push_raw, source, toolkit)
from tests.lib.pki import Authority
from tests.lib.planted import planted
from tests.lib.proxy import Proxy
from tests.lib.registry import Registry, registry  # noqa: F401 - a fixture

LOGIN = ("ann", planted("registry"))


@pytest.fixture(scope="module")
def closed_registry(directory):
    server = Registry(directory / "closed-registry", auth=LOGIN)
    yield server
    server.stop()


def test_S69_an_exact_version_lists_no_tags(objects, registry, helm, directory, ns):
    wire = Proxy(registry.url)
    oci_repository(objects, registry, url=f"oci://127.0.0.1:{wire.port}/{ns}")
    push(helm, registry, directory, ns, chart_files(version="1.0.0"))
    push(helm, registry, directory, ns, chart_files(version="1.1.0+build.1"))
    packed = (directory / f"{ns}-charts" / "demo-1.0.0.tgz").read_bytes()
    chart(objects, version="1.0.0")
    obj = objects.ready("HelmChart", "chart")
    assert fetch(obj) == packed and obj["status"]["artifact"]["revision"] == "1.0.0"
    assert "observedSourceArtifactRevision" not in obj["status"]
    lists = {"path": f"^/v2/{ns}/.*/tags/list"}
    assert wire.count(**lists) == 0
    before = wire.count()
    again(objects, "again")
    assert wire.count() == before
    chart(objects, "range", version="*")
    obj = objects.ready("HelmChart", "range")
    assert obj["status"]["artifact"]["revision"] == "1.1.0+build.1"
    assert wire.count(**lists) == 1
    wire.stop()


def test_S69_registries_that_lack_things(objects, registry, ns, helm, directory):
    oci_repository(objects, registry)
    chart(objects, version="1.0.0")
    said = message(objects, "ChartPullError")
    assert said.startswith("chart pull error: failed to download chart for remote reference: "
                           f"failed to get 'oci://{registry.host}/{ns}/demo:1.0.0': ")
    chart(objects, "range", version=">1")
    assert "could not get tags for \"demo\"" in message(objects, "ChartPullError", "range")
    registry.push(f"{ns}/demo", "1.0.0", {"a": "no chart"})
    again(objects, "no chart")
    assert "could not load config with mediatype" in message(objects, "ChartPullError")
    registry.push(f"{ns}/other", "latest", {"a": "no version"})
    chart(objects, "tags", chart="other")
    assert "unable to locate any tags in provided repository" in message(
        objects, "ChartPullError", "tags")
    push(helm, registry, directory, ns, chart_files())
    again(objects, "healed")
    objects.ready("HelmChart", "chart")


def test_S69_a_registry_that_wants_a_login(objects, closed_registry, secret, source, ns):
    data = tgz(chart_files())
    push_raw(closed_registry, f"{ns}/demo", "1.0.0", data)
    oci_repository(objects, closed_registry)
    chart(objects)
    said = message(objects, "AuthenticationFailed")
    assert said.startswith("failed to authenticate with the Helm repository: chart pull error: ")
    # A dependency without a HelmRepository that has a login.
    source(below("parent", parent({"name": "demo", "version": "1.0.0", "repository":
                                   f"oci://{closed_registry.host}/{ns}"})))
    git_chart(objects, "parent", name="parent")
    assert "failed to add remote dependency 'demo'" in message(
        objects, "DependencyBuildError", "parent", "BuildFailed")
    secret("login", username=LOGIN[0], password=LOGIN[1])
    oci_repository(objects, closed_registry, secretRef={"name": "login"})
    assert fetch(objects.ready("HelmChart", "chart")) == data
    again(objects, "login", "parent")
    assert "charts/demo/Chart.yaml" in built(objects.ready("HelmChart", "parent"))


def test_S69_pull_secrets(objects, closed_registry, api, ns):
    data = tgz(chart_files())
    push_raw(closed_registry, f"{ns}/demo", "1.0.0", data)

    def pull_secret(name, host):
        auth = {"auths": {host: {"username": LOGIN[0], "password": LOGIN[1]}}}
        api.apply({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
                   "metadata": {"name": name, "namespace": ns},
                   "stringData": {".dockerconfigjson": json.dumps(auth)}})
    pull_secret("other", "other.example.test")
    oci_repository(objects, closed_registry, secretRef={"name": "other"})
    chart(objects)
    said = message(objects, "AuthenticationFailed")
    assert (f"no auth config for '{closed_registry.host}' in the docker-registry Secret 'other'"
            in said)
    pull_secret("right", closed_registry.host)
    oci_repository(objects, closed_registry, secretRef={"name": "right"})
    assert fetch(objects.ready("HelmChart", "chart")) == data
    oci_repository(objects, closed_registry, secretRef={"name": "absent"})
    again(objects, "nothing is asked for twice")
    chart(objects, version=">=1.0.0")
    assert "absent" in message(objects, "AuthenticationFailed")


def test_S75_a_chart_of_a_registry_that_is_too_large(objects, registry, ns):
    push_raw(registry, f"{ns}/demo", "1.0.0", b"\x1f\x8b" + bytes(CHART_MAX))
    oci_repository(objects, registry)
    chart(objects)
    assert message(objects, "ChartPullError").endswith(
        f"size of chart 'demo' exceeds '{CHART_MAX}' bytes limit")


def test_S69_certificates_of_a_registry(objects, directory, secret, ns):
    ca = Authority(directory / f"{ns}-ca")
    server = Registry(directory / f"{ns}-registry", tls=ca.issue("server"),
                      context=ca.client_context())
    data = tgz(chart_files(version="1.0.0+b.1"))
    push_raw(server, f"{ns}/nested/demo", "1.0.0+b.1", data)
    oci_repository(objects, server)
    chart(objects, chart="nested/demo")
    assert message(objects, "AuthenticationFailed")
    secret("ca", ca__crt=ca.cert.read_text())
    oci_repository(objects, server, certSecretRef={"name": "ca"})
    obj = objects.ready("HelmChart", "chart")
    assert fetch(obj) == data and obj["status"]["artifact"]["revision"] == "1.0.0+b.1"
    assert obj["status"]["artifact"]["path"] == f"helmchart/{ns}/chart/demo-1.0.0+b.1.tgz"
    server.stop()
