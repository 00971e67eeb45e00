"""Proxies that are spoken to by TLS. The sources have public names, which only the proxy knows, and the
proxy has an authority of its own: as upstream, a source's certificates are those for its proxy, too."""
import ssl

import pytest

from tests.e2e.test_helmrepository import index_of
from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.buckets import ACCESS_KEY, SECRET_KEY, Versity
from tests.lib.charts import ChartServer
from tests.lib.controllers import Toolkit
from tests.lib.forward_proxy import Proxy
from tests.lib.git import GitServer
from tests.lib.pki import Authority
from tests.lib.planted import planted
from tests.lib.registry import Registry

USER, PASSWORD = "pat", planted("proxy")
HOSTS = ("git.test", "registry.test", "s3.test", "charts.test")


@pytest.fixture(scope="module")
def authority(directory):
    """Of the sources."""
    return Authority(directory / "pki")


@pytest.fixture(scope="module")
def pair(authority):
    """What a source of each name shows."""
    return authority.issue("sources", ",".join(["IP:127.0.0.1", *(f"DNS:{h}" for h in HOSTS)]))


@pytest.fixture(scope="module")
def servers(directory, authority, pair):
    """{name: server}"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    cert, key = pair
    made = {
        "git.test": GitServer(directory / "git", tls={"cert": cert, "key": key}),
        "registry.test": Registry(directory / "registry", tls=pair,
                                  context=authority.client_context()),
        "s3.test": Versity(directory / "s3", flags=["--cert", cert, "--key", key], tls=authority),
        "charts.test": ChartServer({"index.yaml": index_of({"version": "1.0.0"})}, context=context)}
    yield made
    for server in made.values():
        server.stop()


def port_of(server):
    return server.port if hasattr(server, "port") else server.server.server_port


@pytest.fixture(scope="module")
def others(directory):
    """The proxies' authority."""
    return Authority(directory / "proxy-pki", name="proxy-ca")


def proxy_to(servers, context):
    return Proxy({f"{host}:{port_of(server)}": ("127.0.0.1", port_of(server))
                  for host, server in servers.items()}, context=context)


@pytest.fixture(scope="module")
def proxy(servers, others):
    server = proxy_to(servers, others.server_context("proxy"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory, proxy):
    """source-controller, whose environment names the proxy."""
    kit = Toolkit(api, directory / "toolkit", env={
        "HTTPS_PROXY": f"https://{USER}:{PASSWORD}@127.0.0.1:{proxy.port}",
        "NO_PROXY": "127.0.0.1,localhost"})
    with kit.run("source-controller"):
        yield kit


@pytest.fixture
def certificates(secret, authority, others):
    """Secrets "both" and "one", with the authorities of source and proxy and of the source alone."""
    own = authority.cert.read_text()
    secret("both", ca__crt=own + others.cert.read_text())
    secret("one", ca__crt=own)


@pytest.fixture
def by_proxy(secret, proxy):
    """proxySecretRef; what the proxy was asked before is forgotten."""
    proxy.asked.clear()
    proxy.logins.clear()
    secret("proxy", address=f"https://127.0.0.1:{proxy.port}", username=USER, password=PASSWORD)
    return {"proxySecretRef": {"name": "proxy"}}


def assert_went_through(proxy, host, server):
    assert set(proxy.asked) == {f"{host}:{port_of(server)}"}
    assert set(proxy.logins) == {f"{USER}:{PASSWORD}"}


def assert_refused(objects, proxy, kind, reason):
    """The proxy's certificate is not trusted: it is told, and the proxy was told nothing."""
    told = len(proxy.asked)
    message = objects.condition(objects.not_ready(kind, "one", reason))["message"]
    assert "certificate" in message and PASSWORD not in message, message
    assert len(proxy.asked) == told


def test_S36_git_through_a_tls_proxy(objects, secret, authority, others, certificates, servers, proxy,
                                     by_proxy, ns):
    server = servers["git.test"]
    repo = server.repository(ns)
    repo.commit({"a": "1"})
    url = server.url_of(repo).replace("127.0.0.1", "git.test")
    spec = {"url": url, "interval": "1h", "ref": {"branch": "main"}, **by_proxy}
    objects.apply("GitRepository", "src", {**spec, "secretRef": {"name": "both"}})
    objects.ready("GitRepository", "src")
    assert_went_through(proxy, "git.test", server)
    objects.apply("GitRepository", "one", {**spec, "secretRef": {"name": "one"}})
    assert_refused(objects, proxy, "GitRepository", "GitOperationFailed")


def test_S36_a_proxy_that_wants_a_certificate(objects, secret, authority, others, servers, ns):
    """The source's is shown to it."""
    server = servers["git.test"]
    repo = server.repository(ns)
    repo.commit({"a": "1"})
    strict = proxy_to(servers, others.server_context("strict", client_ca=authority.cert))
    try:
        cert, key = authority.issue("client")
        secret("mutual", ca__crt=authority.cert.read_text() + others.cert.read_text(),
               tls__crt=cert.read_text(), tls__key=key.read_text())
        secret("strict", address=f"https://127.0.0.1:{strict.port}")
        objects.apply("GitRepository", "src", {
            "url": server.url_of(repo).replace("127.0.0.1", "git.test"), "interval": "1h",
            "ref": {"branch": "main"}, "secretRef": {"name": "mutual"},
            "proxySecretRef": {"name": "strict"}})
        objects.ready("GitRepository", "src")
        assert set(strict.asked) == {f"git.test:{port_of(server)}"}
    finally:
        strict.stop()


def test_S36_oci_through_a_tls_proxy(objects, certificates, servers, proxy, by_proxy, ns):
    server = servers["registry.test"]
    digest = server.push(ns, "latest", {"a": "1"})
    spec = {"url": f"oci://registry.test:{server.port}/{ns}", "interval": "1h", **by_proxy}
    objects.apply("OCIRepository", "src", {**spec, "certSecretRef": {"name": "both"}})
    objects.ready("OCIRepository", "src", revision=digest)
    assert_went_through(proxy, "registry.test", server)
    objects.apply("OCIRepository", "one", {**spec, "certSecretRef": {"name": "one"}})
    assert_refused(objects, proxy, "OCIRepository", "OCIArtifactPullFailed")


def test_S86_bucket_through_a_tls_proxy(objects, secret, certificates, servers, proxy, by_proxy, ns):
    server = servers["s3.test"]
    server.bucket(ns)
    server.put(ns, "a", "1")
    secret("keys", accesskey=ACCESS_KEY, secretkey=SECRET_KEY)
    spec = {"endpoint": f"s3.test:{server.port}", "bucketName": ns, "interval": "1h",
            "secretRef": {"name": "keys"}, **by_proxy}
    objects.apply("Bucket", "src", {**spec, "certSecretRef": {"name": "both"}})
    objects.ready("Bucket", "src")
    assert_went_through(proxy, "s3.test", server)
    objects.apply("Bucket", "one", {**spec, "certSecretRef": {"name": "one"}})
    assert_refused(objects, proxy, "Bucket", "BucketOperationFailed")


def test_S65_helm_repository_through_the_environments_tls_proxy(objects, certificates, servers, proxy,
                                                                by_proxy):
    server = servers["charts.test"]
    spec = {"url": f"https://charts.test:{port_of(server)}", "interval": "1h"}
    objects.apply("HelmRepository", "src", {**spec, "certSecretRef": {"name": "both"}})
    objects.ready("HelmRepository", "src")
    assert_went_through(proxy, "charts.test", server)
    objects.apply("HelmRepository", "one", {**spec, "certSecretRef": {"name": "one"}})
    assert_refused(objects, proxy, "HelmRepository", "Failed")
