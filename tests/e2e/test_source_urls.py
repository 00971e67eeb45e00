"""URLs of sources. A login in one works as in any other client but is told nowhere: the module's end
searches logs, Events and statuses for the passwords. And what one source names must not lead inside."""
import json

import pytest

from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.charts import ChartServer, Helm, chart_files, write
from tests.lib.controllers import Toolkit
from tests.lib.forward_proxy import Proxy as ForwardProxy
from tests.lib.git import git
from tests.lib.net import wait_until
from tests.lib.pki import Authority
from tests.lib.planted import found, planted
from tests.lib.sink import Sink

USER = "ann"


@pytest.fixture(scope="module")
def toolkit(api, directory):
    with Toolkit(api, directory / "toolkit").run("source-controller") as kit:
        yield kit


@pytest.fixture(scope="module")
def authority(directory):
    return Authority(directory / "pki")


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


@pytest.mark.parametrize("form", ["secret", "passed on", "url"])
def test_S66_a_redirect_to_plain_http_takes_no_login_along(objects, secret, authority, form):
    """It is followed, as upstream does; that it is the same host is no reason to show in the clear what
    was meant for TLS."""
    word = planted("downgrade")
    plain = ChartServer({"index.yaml": b"apiVersion: v1\nentries: {}\n"})
    server = ChartServer(auth=(USER, word), context=authority.server_context())
    server.hooks["index.yaml"] = lambda handler: handler.reply(
        302, Location=f"{plain.url}/index.yaml")
    secret("ca", ca__crt=authority.cert.read_text())
    secret("login", username=USER, password=word)
    in_url = form == "url"
    objects.apply("HelmRepository", "repo", {
        "url": with_login(server.url, word) if in_url else server.url, "interval": "1h",
        "certSecretRef": {"name": "ca"}, "passCredentials": form == "passed on",
        **({} if in_url else {"secretRef": {"name": "login"}})})
    objects.ready("HelmRepository", "repo")
    assert server.requests == [("index.yaml", server.wanted())]
    assert plain.requests == [("index.yaml", None)]
    server.stop()
    plain.stop()


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


# --- what another host names -------------------------------------------------------------------

@pytest.fixture
def inside():
    server = Sink()
    yield server
    server.stop()


@pytest.fixture
def public(objects, git_server, secret):
    """public(repo) makes GitRepository "src" of a name that only the proxy knows; `.proxy`."""
    place = git_server.url.removeprefix("http://").rsplit(":", 1)
    proxy = ForwardProxy({"git.test:80": (place[0], int(place[1]))}, socks=True)
    secret("proxy", address=f"socks5://127.0.0.1:{proxy.port}")

    def make(repo, **spec):
        objects.apply("GitRepository", "src", {
            "url": git_server.url_of(repo).replace(git_server.url, "http://git.test"),
            "interval": "1h", "ref": {"branch": "main"}, "proxySecretRef": {"name": "proxy"},
            **spec})
    make.proxy = proxy
    yield make
    proxy.stop()


def commit_module(repo, name, url, commit):
    git(repo.work, "update-index", "--add", "--cacheinfo", f"160000,{commit},{name}")
    git(repo.work, "config", "-f", ".gitmodules", f"submodule.{name}.path", name)
    git(repo.work, "config", "-f", ".gitmodules", f"submodule.{name}.url", url)
    git(repo.work, "add", ".gitmodules")
    git(repo.work, "commit", "--quiet", "-m", name)
    repo.push()


def test_S37_submodules_of_a_public_host_lead_nowhere_inside(objects, git_server, public, inside,
                                                             ns):
    repo, lib = git_server.repository(ns), git_server.repository(f"{ns}-lib")
    commit = lib.commit({"lib": "1"})
    repo.commit({"a": "1"})
    commit_module(repo, "beside", f"../{lib.name}.git", commit)
    public(repo, recurseSubmodules=True)
    objects.ready("GitRepository", "src")
    commit_module(repo, "inside", f"{inside.url}/lib.git", commit)
    objects.request("GitRepository", "src")
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert "link or redirect to an internal address refused" in objects.condition(obj)["message"]
    assert set(public.proxy.asked) == {"git.test:80"} and not inside.messages


@pytest.mark.parametrize("scheme", ["http", "oci"])
def test_S74_dependencies_of_a_public_host_lead_nowhere_inside(objects, git_server, public, inside,
                                                               ns, scheme):
    repo = git_server.repository(ns)
    url = f"{scheme}://{inside.url.removeprefix('http://')}/charts"
    lines = json.dumps([{"name": "demo", "version": "1.0.0", "repository": url}])
    repo.commit({"Chart.yaml": f"apiVersion: v2\nname: parent\nversion: 1.0.0\n"
                               f"dependencies: {lines}\n"})
    public(repo)
    objects.ready("GitRepository", "src")
    helm_chart(objects, "GitRepository", "src", ".")
    obj = objects.not_ready("HelmChart", "chart", "DependencyBuildError")
    assert "link or redirect to an internal address refused" in objects.condition(obj)["message"]
    assert not inside.messages
    # Who may write HelmRepositories says where such a place is.
    objects.apply("HelmRepository", "repo", {"url": url, "interval": "1h", **(
        {"type": "oci", "insecure": True} if scheme == "oci" else {})})
    objects.request("HelmChart", "chart")
    inside.wait(lambda m: "charts" in m.path)
