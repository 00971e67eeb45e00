"""Where indexes of chart repositories may lead: what a public host answers or names must not reach what
only the daemon can. The public name is known to the proxy alone."""
import pytest

from tests.e2e.test_helmrepository import index_of
from tests.e2e.test_source_urls import helm_chart
from tests.lib.charts import ChartServer
from tests.lib.controllers import Toolkit
from tests.lib.forward_proxy import Proxy
from tests.lib.sink import Sink

REFUSED = "link or redirect to an internal address refused"
INDEX = index_of({"version": "1.0.0"})


@pytest.fixture(scope="module")
def public():
    """A repository of charts; "http://charts.test" is it."""
    server = ChartServer()
    server.asked_as = "http://charts.test"
    yield server
    server.stop()


@pytest.fixture(scope="module")
def proxy(public):
    server = Proxy({"charts.test:80": public.server.server_address}, socks=True)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory, proxy):
    env = {"ALL_PROXY": f"socks5h://127.0.0.1:{proxy.port}", "NO_PROXY": "127.0.0.1,localhost"}
    with Toolkit(api, directory / "toolkit", env=env).run("source-controller") as kit:
        yield kit


@pytest.fixture
def inside():
    """Would give an index, and anything else."""
    server = Sink({"/index.yaml": lambda message, count: (200, {}, INDEX)})
    yield server
    server.stop()


def redirect(public, to):
    public.hooks["index.yaml"] = lambda handler: handler.reply(302, Location=to)


@pytest.fixture
def repository(objects, public):
    public.hooks.clear()
    public.files = {"index.yaml": INDEX}

    def make(url=public.asked_as, name="repo"):
        objects.apply("HelmRepository", name, {"url": url, "interval": "1h"})
    return make


@pytest.mark.parametrize("form", ["http://127.0.0.1:{port}/index.yaml", "//127.0.0.1:{port}/index.yaml",
                                  "http://localhost:{port}/index.yaml",
                                  "http://[::ffff:127.0.0.1]:{port}/index.yaml",
                                  "http://0x7f.1:{port}/index.yaml",
                                  "http://169.254.169.254/latest/meta-data"],
                         ids=["plain", "relative", "name", "mapped", "hex", "metadata"])
def test_S66_an_index_redirects_not_inside(objects, repository, public, proxy, inside, form):
    redirect(public, form.format(port=inside.port))
    repository()
    message = objects.condition(objects.not_ready("HelmRepository", "repo", "Failed"))["message"]
    assert REFUSED in message, message
    assert "charts.test:80" in proxy.asked and "169.254.169.254:80" not in proxy.asked
    assert not inside.messages


def test_S66_an_index_redirects_to_its_own_host(objects, repository, public):
    public.files["moved/index.yaml"] = INDEX
    redirect(public, "/moved/index.yaml")
    repository()
    objects.ready("HelmRepository", "repo")


def test_S66_a_repository_of_this_machine_redirects_inside(objects, repository, public, inside):
    """Who names an inner repository has access to what is there."""
    redirect(public, f"{inside.url}/index.yaml")
    repository(public.url)
    objects.ready("HelmRepository", "repo")
    assert inside.messages


@pytest.mark.parametrize("by", ["url", "redirect"])
def test_S66_charts_of_a_public_index_are_not_inside(objects, repository, public, inside, by):
    place = f"{inside.url}/demo-1.0.0.tgz"
    public.hooks["demo.tgz"] = lambda handler: handler.reply(307, Location=place)
    url = place if by == "url" else "demo.tgz"
    public.files["index.yaml"] = index_of({"version": "1.0.0", "urls": f"['{url}']"})
    repository()
    objects.ready("HelmRepository", "repo")
    helm_chart(objects, "HelmRepository", "repo", "demo")
    message = objects.condition(objects.not_ready("HelmChart", "chart", "ChartPullError"))["message"]
    assert REFUSED in message, message
    assert not inside.messages
