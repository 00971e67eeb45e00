"""Chart repositories that lie, break off or never end, and a controller that is killed meanwhile."""
import threading

import pytest

from tests.lib.charts import ChartServer, chart_files, endless, tgz
from tests.lib.controllers import Toolkit
from tests.lib.net import PATIENCE, wait_until

INDEX = (b"apiVersion: v1\nentries:\n  demo:\n  - {name: demo, version: 1.0.0, urls: [demo.tgz]}\n")


@pytest.fixture(scope="module")
def toolkit(api, directory):
    kit = Toolkit(api, directory / "toolkit")
    kit.start("source-controller")
    yield kit
    kit.finish()


@pytest.fixture
def server():
    made = ChartServer({"index.yaml": INDEX, "demo.tgz": tgz(chart_files())})
    yield made
    made.stop()


@pytest.fixture
def repository(objects, server):
    def make(**spec):
        objects.apply("HelmRepository", "repo", {"url": server.url, "interval": "1h", **spec})
    return make


@pytest.fixture
def chart(objects):
    def make():
        objects.apply("HelmChart", "chart", {"chart": "demo", "interval": "1h", "sourceRef": {
            "kind": "HelmRepository", "name": "repo"}})
    return make


def once(server, path, act):
    """The hook answers one request."""
    def hook(handler):
        del server.hooks[path]
        act(handler)
    server.hooks[path] = hook


def test_S62_rate_limits_are_honoured(objects, repository, chart, server):
    """Nobody is told of a failure that none is yet."""
    for path in ("index.yaml", "demo.tgz"):
        once(server, path, lambda handler: handler.reply(429, **{"Retry-After": "1"}))
    repository()
    objects.ready("HelmRepository", "repo")
    chart()
    objects.ready("HelmChart", "chart")
    assert server.count("index.yaml") == 2 and server.count("demo.tgz") == 2
    assert not [e for name in ("repo", "chart") for e in objects.events(name) if e[0] == "Warning"]


def test_S62_a_new_repository_tells_that_it_waits(objects, repository, server):
    """What is put off has not failed, but who looks at Ready sees why there is nothing."""
    server.hooks["index.yaml"] = lambda handler: handler.reply(429, **{"Retry-After": "5"})
    repository()
    obj = objects.wait("HelmRepository", "repo", lambda o: objects.condition(o), "to tell something")
    for kind, status in (("Ready", "Unknown"), ("Reconciling", "True")):
        told = objects.condition(obj, kind)
        assert (told["status"], told["reason"]) == (status, "Progressing")
        assert told["message"].startswith("waiting to try again: failed to fetch Helm repository index: ")
        assert "429 Too Many Requests" in told["message"]
    del server.hooks["index.yaml"]
    objects.ready("HelmRepository", "repo")


@pytest.mark.parametrize("to, text", [
    ("file:///etc/passwd", "file"), ("/index.yaml?again", "redirect"), ("http://127.0.0.1:1/x", "refused"),
], ids=["scheme", "for-ever", "nowhere"])
def test_S66_redirects_that_lead_astray(objects, repository, server, to, text):
    tries = []

    def lead(handler):
        if "?" not in handler.path:  # nobody was led yet
            tries.append(0)
        tries[-1] += 1
        handler.reply(302, Location=to)
    server.hooks["index.yaml"] = lead
    repository()
    obj = objects.not_ready("HelmRepository", "repo", "Failed")
    said = objects.condition(obj)["message"]
    assert said.startswith("failed to fetch Helm repository index: ") and "root:" not in said
    assert max(tries) < 20


def test_S62_an_error_page_without_end(objects, repository, server, toolkit):
    server.hooks["index.yaml"] = endless(503, b"<p>no</p>" * 10000)
    repository()
    obj = objects.not_ready("HelmRepository", "repo", "Failed")
    assert objects.condition(obj)["message"].endswith("/index.yaml : 503 Service Unavailable")


@pytest.mark.parametrize("path", ["index.yaml", "demo.tgz"])
def test_S19_killed_while_it_downloads(objects, repository, chart, server, toolkit, path):
    asked, over = threading.Event(), threading.Event()

    def half(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        handler.wfile.write(b"x" * 5000)
        asked.set()
        over.wait(PATIENCE)
        handler.close_connection = True
    once(server, path, half)
    repository()
    chart()
    assert asked.wait(PATIENCE)
    toolkit["source-controller"].child.kill()
    toolkit["source-controller"].child.wait()
    over.set()
    toolkit.start("source-controller")
    objects.ready("HelmRepository", "repo")
    objects.ready("HelmChart", "chart")
    left = [path for path in toolkit.dir.glob("source-controller-*")
            if path.is_dir() and not path.name.startswith("source-controller-git-")]
    assert len(left) == 1
    wait_until(lambda: not list(left[0].iterdir()), "the directory to be empty")


def test_S19_a_storage_that_takes_nothing(objects, repository, server, toolkit):
    """The old index is served on; the new one comes when there is room."""
    repository()
    first = objects.ready("HelmRepository", "repo")
    folder = (toolkit.storage / first["status"]["artifact"]["path"]).parent
    server.files["index.yaml"] = INDEX.replace(b"1.0.0", b"1.1.0")
    folder.rename(folder.with_name("away"))
    folder.write_text("in the way")
    objects.request("HelmRepository", "repo")
    objects.wait("HelmRepository", "repo", lambda o: objects.condition(
        o, "StorageOperationFailed").get("status") == "True", "to fail")
    folder.unlink()
    folder.with_name("away").rename(folder)
    objects.request("HelmRepository", "repo", "room")
    obj = objects.ready("HelmRepository", "repo")
    assert obj["status"]["artifact"]["revision"] != first["status"]["artifact"]["revision"]
