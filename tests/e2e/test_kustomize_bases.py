"""Where remote bases may lead: what a tree of another host names must not reach what only the daemon
can. The public names are known to the proxy alone."""
import pytest

from tests.lib.apps import config_map
from tests.lib.controllers import Toolkit
from tests.lib.forward_proxy import Proxy
from tests.lib.sink import Sink

MANIFEST = config_map("inside").encode()
INNER = "/inner.yaml"


@pytest.fixture(scope="module")
def proxy(git_server):
    places = {f"{host}:80": ("127.0.0.1", git_server.port) for host in ("git.test", "bases.test")}
    server = Proxy(places, socks=True)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory, proxy):
    env = {"ALL_PROXY": f"socks5h://127.0.0.1:{proxy.port}", "NO_PROXY": "127.0.0.1,localhost"}
    with Toolkit(api, directory / "toolkit", env=env).run("source-controller",
                                                          "kustomize-controller") as kit:
        yield kit


@pytest.fixture
def inside():
    """A service on this machine that gives a manifest to whoever asks."""
    server = Sink({INNER: lambda message, count: (200, {}, MANIFEST)})
    yield server
    server.stop()


def public(server, repo, host="git.test"):
    return server.url_of(repo).replace(f"127.0.0.1:{server.port}", host)


@pytest.fixture
def source(objects, git_server, ns):
    """source(text, host): GitRepository and Kustomization "app" of a repository at that host, whose
    kustomization.yaml is that text."""
    repo = git_server.repository(ns)

    def make(text, host=None):
        commit = repo.commit({"kustomization.yaml": text})
        url = public(git_server, repo, host) if host else git_server.url_of(repo)
        objects.apply("GitRepository", "app", {"url": url, "interval": "1h",
                                               "ref": {"branch": "main"}})
        objects.request("GitRepository", "app", commit)
        objects.apply("Kustomization", "app", {
            "interval": "1h", "path": "./", "prune": True, "targetNamespace": ns,
            "sourceRef": {"kind": "GitRepository", "name": "app"}})
    return make


def refused(objects):
    message = objects.condition(objects.not_ready("Kustomization", "app", "BuildFailed"))["message"]
    assert "internal address refused" in message, message


@pytest.mark.parametrize("entry", [
    "resources: ['{url}" + INNER + "']", "resources: ['{url}/x.git?ref=main']",
    "patches: [{{path: '{url}" + INNER + "'}}]", "resources: ['http://localhost:{port}/x']",
    "resources: ['http://2130706433:{port}/x']"], ids=["file", "git", "patch", "name", "number"])
def test_B104_a_public_tree_leads_not_inside(objects, source, inside, proxy, entry):
    source(entry.format(url=inside.url, port=inside.port) + "\n", host="git.test")
    refused(objects)
    assert "git.test:80" in proxy.asked and not inside.messages


def test_B104_a_public_base_leads_not_inside(objects, source, inside, git_server, ns):
    """Also one that a tree of this machine names."""
    base = git_server.repository(f"{ns}-base")
    base.commit({"kustomization.yaml": f"resources: ['{inside.url}{INNER}']\n"})
    source(f"resources: ['{public(git_server, base, 'bases.test')}?ref=main']\n")
    refused(objects)
    assert not inside.messages


def test_B104_a_tree_of_this_machine_leads_inside(objects, source, inside, git_server, ns):
    """And what a public tree may not have is not lent to it."""
    base = git_server.repository(f"{ns}-base")
    base.commit({"kustomization.yaml": f"resources: ['{inside.url}{INNER}']\n"})
    source(f"resources: ['{inside.url}{INNER}']\n")
    objects.ready("Kustomization", "app")
    assert objects.configmap("inside") and inside.messages
    inside.clear()
    source(f"resources: ['{inside.url}{INNER}', '{public(git_server, base, 'bases.test')}?ref=main']\n")
    refused(objects)
