"""Remote bases: what `sluice kustomize build` fetches and refuses, beside the real command (B104,
B105). Repositories are served by git's own backend over HTTP, all on loopback."""
import http.server
import os
import subprocess
import threading

import pytest

from .cases import K, RES, config_map, stream
from .test_command import SLUICE, both
from .test_kustomize import write
from tests.lib.git import GitServer, git

FILES = {
    "r.yaml": config_map("root"), K: RES,
    "base/r.yaml": config_map("base"), "base/" + K: RES + "namePrefix: b-\n",
    "side/" + K: "resources: [../base, ../r.yaml]\n",
    "near/" + K: "resources: [../base]\n",
    "out/" + K: "resources: [../../../outside]\n",
    "link/" + K: "resources: [l.yaml]\n",
    "component/" + K: "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
                      "nameSuffix: -c\n",
    "data/" + K: "configMapGenerator: [{name: g, files: [x.txt]}]\n", "data/x.txt": "text\n",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = GitServer(tmp_path_factory.mktemp("git"))
    repo = server.repository("bases")
    (repo.work / "link").mkdir(parents=True)
    (repo.work / "link" / "l.yaml").symlink_to("/etc/passwd")
    repo.commit(FILES)
    git(repo.work, "tag", "light")
    git(repo.work, "tag", "-a", "-m", "x", "heavy")
    repo.first = repo.head()
    repo.commit({"r.yaml": config_map("later")})
    repo.push("HEAD", "HEAD:refs/heads/side/branch", "light", "heavy")
    server.url_to = server.url_of(repo)
    server.first = repo.first
    # Each pytest that begins closes the directory of all of them to others.
    server.dir.chmod(0o700)
    yield server
    server.stop()


class Pages(http.server.BaseHTTPRequestHandler):
    PAGES = {"/a.yaml": config_map("page"), "/html": "<html><body>{{ not yaml", "/t.txt": "text",
             "/p.yaml": "[{op: add, path: /data/p, value: x}]",
             "/two.yaml": stream(config_map("one"), config_map("two"))}

    def do_GET(self):  # noqa: N802
        page = self.PAGES.get(self.path)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/a.yaml")
        else:
            self.send_response(200 if page else 404)
        self.end_headers()
        self.wfile.write((page or "").encode())

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def pages():
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


REPOSITORIES = ["{git}", "{git}//base", "{git}/base", "{git}//base?ref=light",
                "{git}?ref=heavy", "{git}?ref={first}", "{git}?version=light",
                "{git}?ref=side/branch", "{git}//near?timeout=60&submodules=false",
                "git::{git}//base", "{git}//data"]


@pytest.mark.parametrize("entry", REPOSITORIES)
def test_B104_repositories(entry, oracle, server, tmp_path):
    url = entry.format(git=server.url_to, first=server.first)
    write(tmp_path, {K: f"resources: ['{url}']\nnamePrefix: p-\n"})
    assert both(oracle, tmp_path).returncode == 0


@pytest.mark.parametrize("entry", [
    "{git}//side", "{git}//out", "{git}//nope", "{git}?ref=nope", "{git}//../x", "{host}/nope.git",
    "{git}//link", "{git}//component"])
def test_B105_what_is_refused(entry, oracle, server, tmp_path):
    url = entry.format(git=server.url_to, host=server.url)
    write(tmp_path, {K: f"resources: ['{url}']\n", "outside/" + K: RES,
                     "outside/r.yaml": config_map()})
    done = both(oracle, tmp_path)
    assert done.returncode == 1 and b"127.0.0.1:%d" % server.port in done.stderr


@pytest.mark.parametrize("text", [
    "resources: ['{git}//base', '{git}//near']\n",
    "components: ['{git}//component']\nresources: ['{git}']\n",
    "resources: ['{pages}/a.yaml', '{pages}/two.yaml', '{pages}/moved']\n",
    "resources: ['{pages}/two.yaml', '{pages}/moved']\n",
    "resources: ['{pages}/none.yaml']\n", "resources: ['{pages}/html']\n",
    "resources: ['{pages}/t.txt']\n",
    "resources: ['{pages}/a.yaml']\npatches: [{{path: '{pages}/p.yaml', target: {{name: page}}}}]\n",
    "configMapGenerator: [{{name: g, files: ['k={pages}/t.txt']}}]\n",
    "configMapGenerator: [{{name: g, files: ['k={pages}/gone']}}]\n"])
def test_B104_entries_together_and_files(text, oracle, server, pages, tmp_path):
    write(tmp_path, {K: text.format(git=server.url_to, pages=pages)})
    both(oracle, tmp_path)


def test_nothing_stays_behind(server, tmp_path):
    temp = tmp_path / "temp"
    temp.mkdir()
    write(tmp_path / "x", {K: f"resources: ['{server.url_to}']\n"})
    done = subprocess.run([SLUICE, "kustomize", "build"], cwd=tmp_path / "x", capture_output=True,
                          env=dict(os.environ, TMPDIR=str(temp)))
    assert done.returncode == 0, done.stderr
    assert not list(temp.iterdir())
