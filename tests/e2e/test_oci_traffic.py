"""What OCIRepositories cost a registry, and where it may lead them: connections and tokens that are
shared, redirects from a public name, and an artifact server that moves."""
import pytest

from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.artifact import fetch
from tests.lib.controllers import Toolkit
from tests.lib.fault import reply
from tests.lib.forward_proxy import Proxy as ForwardProxy
from tests.lib.net import wait_until, free_port
from tests.lib.pki import Authority
from tests.lib.planted import planted
from tests.lib.proxy import Proxy
from tests.lib.registry import Registry, TokenServer, docker_config

USER, PASSWORD = "tess", planted("password")
OBJECTS, REPOSITORIES = 120, 6


@pytest.fixture(scope="module")
def authority(directory):
    return Authority(directory / "pki")


@pytest.fixture(scope="module")
def tokens(authority):
    server = TokenServer(authority, {USER: PASSWORD})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def registry(directory, authority, tokens):
    server = Registry(directory / "registry", tls=authority.issue("registry"), tokens=tokens,
                      context=authority.client_context())
    yield server
    server.stop()


@pytest.fixture
def front(registry, authority):
    server = Proxy(registry.url, authority.cert).go_by(authority, "localhost")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory, authority):
    kit = Toolkit(api, directory / "toolkit", source_flags=["--concurrent=2"],
                  env={"SSL_CERT_FILE": str(authority.cert)})
    with kit.run("source-controller"):
        yield kit


@pytest.fixture
def push(registry, tokens):
    """Pushes with a token made for it."""
    def make(repository, files):
        registry.headers = {"Authorization": "Bearer " + tokens.token(
            [f"repository:{repository}:pull,push"])}
        return registry.push(repository, "latest", files)
    return make


@pytest.fixture
def source(objects, secret, front):
    secret("login", __dockerconfigjson=docker_config(f"localhost:{front.port}", USER, PASSWORD))

    def make(name, repository, **spec):
        objects.apply("OCIRepository", name, {
            "url": f"oci://localhost:{front.port}/{repository}", "interval": "1h",
            "secretRef": {"name": "login"}, **spec})
    return make


def test_S54_many_objects_share_connections_and_tokens(objects, source, push, front, tokens, ns):
    """The figures are the same for a thousand: one token a repository, and two connections for each of the
    two workers."""
    repositories = [f"{ns}/r{i}" for i in range(REPOSITORIES)]
    for repository in repositories:
        push(repository, {"a": repository})
    before, asked = tokens.connections, len(tokens.asked)
    for i in range(OBJECTS):
        source(f"o{i}", repositories[i % REPOSITORIES])
    for i in range(OBJECTS):
        objects.ready("OCIRepository", f"o{i}")
    scopes = sorted(scope for _, _, scopes in tokens.asked[asked:] for scope in scopes)
    assert scopes == [f"repository:{repository}:pull" for repository in repositories]
    assert front.connections <= 4, f"{front.connections} connections to the registry"
    assert tokens.connections - before <= 3, "connections to the token server"
    mark = front.mark()
    for i in range(OBJECTS):
        objects.request("OCIRepository", f"o{i}", "again")
    front.wait_for("all of them to look", OBJECTS, mark, method="HEAD")
    assert front.count(mark) == OBJECTS, "one request an object"
    assert len(tokens.asked) - asked == REPOSITORIES and front.connections <= 4


@pytest.fixture(scope="module")
def open_registry(directory, authority):
    server = Registry(directory / "open", tls=authority.issue("open"),
                      context=authority.client_context())
    yield server
    server.stop()


def test_S54_a_public_registry_leads_nowhere_inside(objects, secret, open_registry, authority, ns):
    """What is asked for stays at the registry's public name, which only the proxy knows."""
    open_registry.push(ns, "latest", {"a": "1"})
    front = Proxy(open_registry.url, authority.cert).go_by(authority, "registry.test")
    proxy = ForwardProxy({"registry.test:443": ("127.0.0.1", front.port)}, socks=True)
    secret("proxy", address=f"socks5://127.0.0.1:{proxy.port}")
    places = [f"http://registry.test/{ns}", *(f"{host}:{front.port}/{ns}" for host in (
        "https://127.0.0.1", "https://localhost", "https://[::1]", "//127.0.0.1",
        "https://2130706433", "https://0x7f.1", "https://[::ffff:127.0.0.1]")),
        "https://169.254.169.254/latest/meta-data/"]

    def lead(x):
        place = places[int(x.request.path.split("/")[2].rsplit("-", 1)[1])]
        x.reply(307, b"", [("Location", place)])
    front.on(lead, path="/manifests/led")
    try:
        for i in range(len(places)):
            objects.apply("OCIRepository", f"src{i}", {
                "url": f"oci://registry.test/{ns}-{i}", "interval": "1h", "timeout": "60s",
                "ref": {"tag": "led"}, "proxySecretRef": {"name": "proxy"}})
        for i, place in enumerate(places):
            obj = objects.not_ready("OCIRepository", f"src{i}", "OCIArtifactPullFailed")
            assert "redirect" in objects.condition(obj)["message"], (place, objects.condition(obj))
        assert set(proxy.asked) == {"registry.test:443"}
    finally:
        proxy.stop()
        front.stop()


def test_S15_a_changed_advertised_address(objects, source, push, front, toolkit, ns):
    """The URLs of all artifacts follow it at the next run, without a pull; nothing is announced."""
    digest = push(ns, {"a": "1"})
    source("src", ns)
    old = objects.ready("OCIRepository", "src", revision=digest)["status"]
    flags = toolkit.flags["source-controller"]
    kept, port = list(flags), free_port()

    def announced():
        return [e for e in objects.events("src") if e[1] == "NewArtifact"]
    wait_until(announced, "the first artifact to be announced")
    mark = front.mark()
    for restart in (f"127.0.0.1:{port}", None):
        assert toolkit.stop() == {"source-controller": 0}
        flags[:] = kept
        if restart:
            flags[:] = [f for f in kept if "storage-ad" not in f] + [
                f"--storage-addr={restart}", f"--storage-adv-addr=localhost:{port}"]
        toolkit.start("source-controller")
        address = f"localhost:{port}" if restart else f"127.0.0.1:{toolkit.storage_port}"
        obj = objects.wait("OCIRepository", "src", lambda o: o["status"]["artifact"]["url"]
                           .startswith(f"http://{address}/"), "to move")
        now = obj["status"]
        assert now["artifact"]["url"] == f"http://{address}/{old['artifact']['path']}"
        assert now["url"] == f"http://{address}/" + old["url"].split("/", 3)[3]
        assert {**now["artifact"], "url": 0} == {**old["artifact"], "url": 0}
        fetch(obj)
    assert front.count(mark, path="/blobs/") == 0 and len(announced()) == 1
