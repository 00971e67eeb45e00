"""Passwords that stand in the URLs of sources, where they work as in any other client but are told
nowhere: the module's end searches logs, Events and statuses for them."""
import json

import pytest

from tests.lib.charts import ChartServer, Helm, chart_files, write
from tests.lib.controllers import Toolkit
from tests.lib.net import wait_until
from tests.lib.planted import found, planted

USER = "ann"


@pytest.fixture(scope="module")
def toolkit(api, directory):
    with Toolkit(api, directory / "toolkit").run("source-controller") as kit:
        yield kit


@pytest.fixture
def charts(directory, ns):
    """A chart repository behind a login; `with_login` is its URL with that."""
    helm, folder = Helm(directory / "helm"), directory / ns
    helm.package(write(folder / "work", chart_files()), folder)
    helm.index(folder)
    word = planted("charts")
    served = ChartServer({p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()},
                         auth=(USER, word))
    served.with_login = with_login(served.url, word)
    yield served
    served.stop()


def with_login(url, word):
    return url.replace("://", f"://{USER}:{word}@")


def told(objects, kind, name):
    """What the object's status and its Events say; no secret."""
    obj = objects.get(kind, name)
    text = json.dumps([obj["status"], objects.events(name)])
    assert not found(text), found(text)
    return text


def helm_chart(objects, kind, source, chart="demo", name="chart", **spec):
    objects.apply("HelmChart", name, {"chart": chart, "interval": "1h", **spec,
                                      "sourceRef": {"kind": kind, "name": source}})


def test_S61_S65_a_login_in_the_url_of_a_chart_repository(objects, charts):
    objects.apply("HelmRepository", "repo", {"url": charts.with_login, "interval": "1h"})
    objects.ready("HelmRepository", "repo")
    wait_until(lambda: f"from '{charts.url}'" in told(objects, "HelmRepository", "repo"),
               "the event")
    helm_chart(objects, "HelmRepository", "repo")
    objects.ready("HelmChart", "chart")
    told(objects, "HelmChart", "chart")
    assert charts.requests == [("index.yaml", charts.wanted()),
                               ("demo-1.0.0.tgz", charts.wanted())]


@pytest.mark.parametrize("login", ["{}:{}@", "{}:a/b{}@", "{}:{}/x@"], ids=["plain", "slash", "cut"])
def test_S50_a_login_in_the_url_of_a_registry(objects, login):
    url = f"oci://{login.format(USER, planted('registry'))}registry.test/a/b"
    objects.apply("OCIRepository", "src", {"url": url, "interval": "1h"})
    objects.not_ready("OCIRepository", "src", "URLInvalid")
    assert "URL validation failed for 'oci://" in told(objects, "OCIRepository", "src")
    objects.apply("HelmRepository", "repo", {"url": url, "interval": "1h", "type": "oci"})
    helm_chart(objects, "HelmRepository", "repo")
    objects.not_ready("HelmChart", "chart", "URLInvalid")
    assert "URL validation failed for 'oci://" in told(objects, "HelmChart", "chart")


def test_S64_a_login_in_a_url_that_is_of_no_registry(objects):
    word = planted("scheme")
    objects.apply("HelmRepository", "repo", {
        "url": f"http://{USER}:{word}@registry.test/a", "interval": "1h", "type": "oci"})
    helm_chart(objects, "HelmRepository", "repo")
    obj = objects.wait("HelmChart", "chart", lambda o: objects.condition(o, "Stalled"), "to stall")
    assert "http://registry.test/a" in objects.condition(obj)["message"]
    told(objects, "HelmChart", "chart")


@pytest.mark.parametrize("repository", [
    "http://{}@127.0.0.1:1", "http://{}@127.0.0.1:bad/x", "oci://{}@127.0.0.1:1/charts",
    "alias://{}@host/x", "@{}@host"],
    ids=["refused", "no-url", "registry", "scheme", "alias"])
def test_S74_a_login_in_the_url_of_a_dependency(objects, git_server, ns, repository):
    url = repository.format(f"{USER}:{planted('dependency')}")
    repo = git_server.repository(ns)
    lines = json.dumps([{"name": "demo", "version": "1.0.0", "repository": url}])
    repo.commit({"Chart.yaml": f"apiVersion: v2\nname: parent\nversion: 1.0.0\n"
                               f"dependencies: {lines}\n"})
    objects.apply("GitRepository", "src", {"url": git_server.url_of(repo), "interval": "1h",
                                           "ref": {"branch": "main"}})
    helm_chart(objects, "GitRepository", "src", ".")
    objects.not_ready("HelmChart", "chart", "DependencyBuildError")
    assert "failed to add remote dependency 'demo'" in told(objects, "HelmChart", "chart")


@pytest.mark.parametrize("endpoint", ["{}@minio.test:9000", "https://{}@minio.test/"],
                         ids=["host", "url"])
def test_S83_a_login_in_the_endpoint_of_a_bucket(objects, endpoint):
    login = f"{USER}:{planted('endpoint')}"
    objects.apply("Bucket", "src", {"endpoint": endpoint.format(login), "bucketName": "b",
                                    "interval": "1h"})
    obj = objects.wait("Bucket", "src", lambda o: objects.condition(o).get("status") == "False",
                       "to fail")
    assert "minio.test" in objects.condition(obj)["message"]
    told(objects, "Bucket", "src")


def test_S87_a_login_in_the_endpoint_of_an_sts(objects):
    login = f"{USER}:{planted('sts')}"
    objects.apply("Bucket", "src", {
        "provider": "aws", "endpoint": "s3.amazonaws.com", "bucketName": "b", "interval": "1h",
        "region": "us-east-1", "sts": {"provider": "aws", "endpoint": f"https://{login}@sts.test"}})
    obj = objects.wait("Bucket", "src", lambda o: objects.condition(o).get("status") == "False",
                       "to fail")
    assert "invalid STS endpoint: 'https://sts.test'" in objects.condition(obj)["message"]
    told(objects, "Bucket", "src")


@pytest.mark.parametrize("url", ["http://{}@127.0.0.1:1/x.git", "http://{}@127.0.0.1:bad/x.git"],
                         ids=["refused", "no-url"])
def test_S30_a_login_in_the_url_of_a_repository(objects, url):
    objects.apply("GitRepository", "src", {
        "url": url.format(f"{USER}:{planted('git')}"), "interval": "1h", "ref": {"branch": "main"}})
    objects.wait("GitRepository", "src", lambda o: objects.condition(o).get("status") == "False",
                 "to fail")
    told(objects, "GitRepository", "src")
