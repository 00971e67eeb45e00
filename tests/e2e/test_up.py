"""`sluice up`: the embedded server and the controllers as one command (design.md 4)."""
import os
import pathlib
import pty
import shutil
import signal
import socket
import stat
import subprocess

import pytest

from tests.lib.net import PATIENCE, free_port, wait_until
from tests.lib.process import is_gone
from tests.lib.up import EXPORT, Up, children_of

pytestmark = pytest.mark.skipif(os.environ.get("SLUICE_API") == "kube",
                                reason="brings its own API server")

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["SLUICE_BUILD"])
SLUICE = BUILD / "cli" / "sluice"
NAMES = {"sluice-apiserver", "source-controller", "kustomize-controller", "helm-controller",
         "notification-controller"}
GIT = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/road"
KS = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/road"
CM = "/api/v1/namespaces/default/configmaps/road"


@pytest.fixture
def up(tmp_path):
    started = []

    def start(*flags, env=None):
        started.append(Up(tmp_path / f"up-{len(started)}.log", *flags, env=env))
        return started[-1]
    yield start
    for process in started:
        process.stop()


def road(server, url):
    """The objects from a repository to a ConfigMap."""
    server.apply({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
                  "metadata": {"name": "road", "namespace": "flux-system"},
                  "spec": {"url": url, "interval": "1h", "ref": {"branch": "main"}}}, GIT)
    server.apply({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
                  "metadata": {"name": "road", "namespace": "flux-system"},
                  "spec": {"interval": "1h", "prune": True, "targetNamespace": "default",
                           "sourceRef": {"kind": "GitRepository", "name": "road"}}}, KS)


def ready_at(server, path, revision):
    status = (server.rest.get(path) or {}).get("status", {})
    ready = any(c["type"] == "Ready" and c["status"] == "True"
                for c in status.get("conditions", []))
    return ready and revision in str(status)


def config_map(value):
    return {"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: road}\n"
                      f"data: {{value: {value}}}\n"}


def test_up_takes_a_commit_to_the_cluster_and_goes_on_after_a_restart(up, tmp_path, git_server):
    data = tmp_path / "data"
    first = up(f"--data-dir={data}").ready()
    assert set(first.children) == NAMES
    assert first.log().splitlines() == [f"{EXPORT}{data}/kubeconfig"], "progress in a pipe"
    assert stat.S_IMODE(first.kubeconfig.stat().st_mode) == 0o600
    # Ctrl-C on a terminal must reach sluice up alone, which stops them in order.
    assert all(os.getpgid(pid) == pid for pid in first.children.values())
    repo = git_server.repository("road")
    head = repo.commit(config_map("one"))
    road(first, git_server.url_of(repo))
    wait_until(lambda: ready_at(first, KS, head), "the Kustomization")
    assert first.rest.get(CM)["data"] == {"value": "one"}
    uid = first.rest.get(KS)["metadata"]["uid"]
    # Ports that no connection of this machine is given while we are away.
    ports = [int(line.split()[1]) for line in (data / "ports").read_text().splitlines()]
    assert ports and all(12000 <= port < 20000 for port in ports)
    assert first.stop() == 0, first.log()
    assert all(is_gone(p) for p in first.children.values())

    second = up(f"--data-dir={data}").ready()
    assert second.server == first.server, "a restart has the old address"
    assert second.rest.get(KS)["metadata"]["uid"] == uid
    head = repo.commit(config_map("two"))
    second.rest.call("PATCH", GIT, {"metadata": {"annotations": {
        "reconcile.fluxcd.io/requestedAt": "now"}}}, "application/merge-patch+json")
    wait_until(lambda: ready_at(second, KS, head), "the Kustomization after the restart")
    assert second.rest.get(CM)["data"] == {"value": "two"}
    assert second.stop() == 0, second.log()


def test_up_on_a_directory_in_use_is_refused(up, tmp_path):
    data = tmp_path / "data"
    first = up(f"--data-dir={data}").ready()
    second = up(f"--data-dir={data}")
    assert second.child.wait(PATIENCE) == 1
    assert f"is in use by another sluice up (process {first.pid})" in second.log()
    assert set(children_of(first.pid)) == NAMES


def test_up_does_not_fill_a_directory_of_something_else(up, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "tmp").mkdir()
    refused = up(f"--data-dir={tmp_path / 'mine'}")
    assert refused.child.wait(PATIENCE) == 1 and "neither empty" in refused.log()
    assert (tmp_path / "mine" / "tmp").exists()


@pytest.mark.parametrize("victim", sorted(NAMES))
def test_up_names_a_child_that_dies_and_stops_the_rest(up, tmp_path, victim):
    process = up(f"--data-dir={tmp_path / 'data'}").ready()
    os.kill(process.children[victim], signal.SIGKILL)
    assert process.child.wait(PATIENCE) == 1
    log = process.log()
    assert f"✗ {victim} was killed by signal 9 (Killed); its log: {tmp_path}/data/logs/" in log
    assert '"msg":' in log, "the end of its log"
    assert all(is_gone(p) for p in process.children.values())


def test_up_killed_leaves_no_child(up, tmp_path):
    process = up(f"--data-dir={tmp_path / 'data'}").ready()
    process.kill()
    wait_until(lambda: all(is_gone(p) for p in process.children.values()), "the children to end")
    again = up(f"--data-dir={tmp_path / 'data'}").ready()
    assert again.stop() == 0, again.log()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_up_stops_cleanly_and_removes_its_temporary_directory(up, tmp_path, number):
    process = up(env={"TMPDIR": str(tmp_path)}).ready()
    directory = process.kubeconfig.parent
    assert directory.parent == tmp_path
    process.child.send_signal(number)
    assert process.child.wait(PATIENCE) == 0, process.log()
    assert not directory.exists()
    assert all(is_gone(p) for p in process.children.values())


def test_up_on_a_terminal_shows_what_is_ready(tmp_path):
    """stdout stays the one line; stderr tells the story to who watches."""
    leader, follower = pty.openpty()
    child = subprocess.Popen([SLUICE, "up", f"--data-dir={tmp_path / 'data'}"], text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=follower)
    os.close(follower)
    try:
        assert child.stdout.readline() == f"{EXPORT}{tmp_path}/data/kubeconfig\n"
        shown = b""
        while b"ready after" not in shown:
            shown += os.read(leader, 65536)
        shown = shown.decode()
        assert all(f"✔ {name}" in shown for name in NAMES), shown
        assert "✔ ready after" in shown and "artifacts on http://127.0.0.1:" in shown
    finally:
        child.terminate()
        assert child.wait(PATIENCE) == 0
        child.stdout.close()
        os.close(leader)


def test_up_takes_port_and_address(up, tmp_path):
    port = free_port()
    process = up(f"--data-dir={tmp_path / 'data'}", "--port", str(port), "--bind=127.0.0.2").ready()
    assert process.server == f"https://127.0.0.2:{port}"
    assert process.rest.raw("GET", "/readyz")[0] == 200


@pytest.mark.parametrize("flags, message", [
    (["--port=70000"], "invalid --port"), (["--port=x"], "invalid value"),
    (["--bind=256.0.0.1"], "sluice-apiserver ended with exit code 1"),
    (["--data-dir=/proc/nope"], "/proc/nope"), (["--nope"], "unknown flag: --nope"),
    (["--data-dir"], "flag needs an argument")])
def test_up_refuses_bad_flags(up, tmp_path, flags, message):
    process = up(*flags, env={"TMPDIR": str(tmp_path)})
    assert process.child.wait(PATIENCE) == 1
    assert message in process.log() and "✗ " in process.log()
    assert not list(tmp_path.glob("sluice-up*")), "a temporary directory stayed"


def test_up_says_which_program_is_missing(up, tmp_path):
    lone = tmp_path / "bin" / "sluice"
    lone.parent.mkdir()
    shutil.copy(SLUICE, lone)
    done = subprocess.run([lone, "up"], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1 and "sluice-verbs is missing: looked beside" in done.stderr
    shutil.copy(SLUICE.with_name("sluice-verbs"), lone.parent)
    done = subprocess.run([lone, "up"], capture_output=True, text=True, timeout=PATIENCE,
                          env=dict(os.environ, TMPDIR=str(tmp_path)))
    assert done.returncode == 1 and "the CRDs are missing: looked in " in done.stderr
    (tmp_path / "share" / "sluice").mkdir(parents=True)
    (tmp_path / "share" / "sluice" / "crds").symlink_to(ROOT / "deploy" / "crds")
    done = subprocess.run([lone, "up"], capture_output=True, text=True, timeout=PATIENCE,
                          env=dict(os.environ, TMPDIR=str(tmp_path)))
    assert done.returncode == 1 and "sluice-apiserver is missing: looked beside" in done.stderr


def test_helm_says_that_functions_are_missing(tmp_path):
    lone = tmp_path / "bin" / "sluice"
    chart = tmp_path / "chart"
    lone.parent.mkdir()
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    template = chart / "templates" / "a.yaml"
    shutil.copy(SLUICE, lone)

    def render(text):
        template.write_text(text)
        return subprocess.run([lone, "helm", "template", "r", chart], capture_output=True, text=True,
                              timeout=PATIENCE)
    assert 'a: "x"' in render("a: {{ quote .Chart.Name | replace \"c\" \"x\" }}").stdout
    done = render("a: {{ sha1sum .Chart.Name }}")
    assert done.returncode == 1 and "sluice-functions.so is missing" in done.stderr
    assert "(c/templates/a.yaml:1)" in done.stderr
    shutil.copy(SLUICE.with_name("sluice-functions.so"), lone.parent)
    digest = "a: 84a516841ba77a5b4648de2cd0dfcb30ea46dbb4"
    assert digest in render("a: {{ sha1sum .Chart.Name }}").stdout
    assert digest in render('{{ tpl "a: {{ sha1sum .Chart.Name }}" . }}').stdout
    assert 'function "nope" not defined' in render("a: {{ nope 1 }}").stderr


def test_all_crds_are_installed():
    listed = (ROOT / "deploy" / "crds" / "meson.build").read_text()
    missing = [f.name for f in (ROOT / "deploy" / "crds").glob("*.yaml")
               if f"'{f.name}'" not in listed]
    assert not missing, "deploy/crds/meson.build does not name them"


def test_up_on_an_old_directory_with_another_address_or_a_port_that_is_taken(up, tmp_path):
    first = up(f"--data-dir={tmp_path / 'data'}").ready()
    assert first.stop() == 0
    port = int(first.server.rsplit(":", 1)[1])
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        second = up(f"--data-dir={tmp_path / 'data'}").ready()
        assert second.server != first.server
        assert second.stop() == 0
    third = up(f"--data-dir={tmp_path / 'data'}", "--bind=127.0.0.3").ready()
    assert third.server.startswith("https://127.0.0.3:")
    assert third.rest.raw("GET", "/readyz")[0] == 200, "a certificate for the new address"


@pytest.mark.parametrize("moment", ["ports", "apiserver/server.crt", "apiserver/admin.kubeconfig",
                                    "kubeconfig", "logs/kustomize-controller.log"])
def test_up_stopped_while_it_starts(up, tmp_path, moment):
    data = tmp_path / "data"
    process = up(f"--data-dir={data}")
    wait_until(lambda: (data / moment).exists(), moment, interval=0.001)
    started = children_of(process.pid)
    process.child.send_signal(signal.SIGTERM)
    assert process.child.wait(PATIENCE) == 0, process.log()
    assert all(is_gone(pid) for pid in started.values())
    again = up(f"--data-dir={data}").ready()
    assert again.stop() == 0, again.log()


def test_logs_are_bounded(up, tmp_path):
    """Past 8 MiB a log begins anew, the last one stays beside it, and the daemon goes on writing."""
    process = up("--data-dir", tmp_path / "data").ready()
    log = tmp_path / "data" / "logs" / "source-controller.log"
    old = log.with_name(log.name + ".1")
    begun = log.read_bytes()
    for letter in (b"x", b"y"):
        with open(log, "ab") as file:
            file.write((letter * 1023 + b"\n") * 9 * 1024)
        wait_until(lambda: log.stat().st_size < 1 << 20, "the log to begin anew")
        assert old.stat().st_size < 10 << 20 and letter in old.read_bytes()[-10:]
        assert len(list(log.parent.glob("source-controller.log*"))) == 2
    assert begun not in old.read_bytes()  # that was the one before
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    # Its end is a line, and is written where the file now begins.
    assert process.stop() == 0
    assert b'"stopping"' in log.read_bytes() and b"\0" not in log.read_bytes()
