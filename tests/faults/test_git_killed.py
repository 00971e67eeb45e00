"""A Git server that is killed amid a fetch, with a part of the pack on its way: over HTTP, over SSH, and
over SSH to a host with a certificate, where OpenSSH's program carries the bytes."""
import os
import re

import pytest

from tests.lib.artifact import names
from tests.lib.controllers import Toolkit
from tests.lib.gate import Gate
from tests.lib.git import GitServer
from tests.lib.net import PATIENCE, wait_until
from tests.lib.process import below, is_gone
from tests.lib.sign import SshKey
from tests.lib.ssh import SshServer

MIB = 1 << 20
CERTIFIED = ("-n", "127.0.0.1")


@pytest.fixture(scope="module")
def toolkit(api, directory):
    kit = Toolkit(api, directory / "toolkit",
                  source_flags=["--min-retry-delay=300ms", "--max-retry-delay=2s"])
    (kit.dir / "tmp").mkdir()
    with kit.run("source-controller"):
        yield kit


class Http:
    """What a test needs of a server, whichever it is."""
    clear = r"reply cut short|transfer closed|[Ee]mpty reply|Recv failure|closed|reset"

    def __init__(self, directory):
        self.server = GitServer(directory / "served")
        self.gate = Gate(self.server.port)
        self.secret = None

    def repository(self, name):
        return self.server.repository(name)

    def url_of(self, repository):
        return self.server.url_of(repository).replace(f":{self.server.port}", f":{self.gate.port}")

    def stop(self):
        self.gate.stop()
        self.server.stop()


class Ssh(Http):
    def __init__(self, directory, authority=None):
        self.root = directory / "repositories"
        self.root.mkdir()
        self.server = SshServer(directory / "sshd", authority, CERTIFIED)
        self.gate = Gate(self.server.port)
        known = self.server.known(authority, "@cert-authority " if authority else "")
        self.secret = {"identity": self.server.identity,
                       "known_hosts": known.replace(f":{self.server.port}", f":{self.gate.port}")}

    def repository(self, name):
        return GitServer.repository(self, name)


KINDS = {"http": Http, "ssh": Ssh, "certificate": lambda directory: Ssh(
    directory, SshKey(directory / "authority"))}


@pytest.fixture(scope="module", params=KINDS)
def host(directory, request):
    (directory / request.param).mkdir()
    made = KINDS[request.param](directory / request.param)
    yield made
    made.stop()


def spec_of(objects, host, repo):
    """Of a GitRepository, whose Secret is made."""
    spec = {"url": host.url_of(repo), "interval": "1h", "timeout": "60s", "ref": {"branch": "main"}}
    if host.secret:
        objects.api.apply({"apiVersion": "v1", "kind": "Secret", "stringData": host.secret,
                           "metadata": {"name": "auth", "namespace": objects.ns}})
        spec["secretRef"] = {"name": "auth"}
    return spec


def parts_of_packs(kit):
    """What is in the cache and is no whole pack."""
    return [p for p in kit.dir.glob("tmp/source-controller-git-*/*/objects/pack/*")
            if p.suffix not in (".pack", ".idx")]


def held_by(controller):
    """Descriptors, but those of connections to the API server, which are as many as it needs."""
    held = controller.holds()
    return held.connections + held.pairs + held.trees + held.others


def kill_amid_fetch(objects, host, trigger):
    """Ends the server with a MiB of the pack gone over; the object that failed by it."""
    host.gate.hold_after(MIB)
    trigger()
    assert host.gate.held.wait(PATIENCE), "a fetch"
    ran = host.server.kill()
    assert "git" in ran or "git-upload-pack" in ran, ran  # it had not said all of it
    host.gate.open()
    return objects.not_ready("GitRepository", "src", "GitOperationFailed")


def test_S99_a_server_that_says_no_more_does_not_hold_up_the_end(objects, toolkit, host, ns):
    repo = host.repository(ns)
    repo.commit({"a": os.urandom(4 * MIB)})
    host.gate.hold_after(MIB)
    objects.apply("GitRepository", "src", spec_of(objects, host, repo))
    assert host.gate.held.wait(PATIENCE), "a fetch"
    controller = toolkit["source-controller"]
    children = below(controller.pid)
    try:
        assert controller.stop(timeout=40) == 0  # the fetch would go on for a minute
        assert all(is_gone(pid) for pid in children)
        # Nothing is said of what was broken off.
        assert not [r for t, r, _ in objects.events("src") if t == "Warning"]
    finally:
        host.gate.open()
        toolkit.start("source-controller")
    objects.ready("GitRepository", "src")
    objects.delete("GitRepository", "src")


def test_S38_S102_a_server_that_is_killed_amid_a_fetch(objects, toolkit, host, ns):
    controller = toolkit["source-controller"]
    repo, small = host.repository(ns), host.repository(f"{ns}-small")
    small.commit({"a": "1"})
    first = repo.commit({f"f{i}": os.urandom(MIB) for i in range(6)})
    spec = spec_of(objects, host, repo)
    objects.apply("GitRepository", "before", {**spec, "url": host.url_of(small)})
    names(objects.ready("GitRepository", "before"))  # what is opened once is open
    quiet = held_by(controller)

    obj = kill_amid_fetch(objects, host, lambda: objects.apply("GitRepository", "src", spec))
    url = re.escape(re.sub("//.*@", "//", spec["url"]))
    clear = f"failed to checkout and determine revision: fetch {url}: .*({host.clear}).*"
    wait_until(lambda: any(re.fullmatch(clear, message) for _, _, message in objects.events("src")),
               "a clear Warning")
    assert "artifact" not in obj["status"]
    assert not list(toolkit.storage.glob(f"gitrepository/{ns}/src/*"))
    wait_until(lambda: not parts_of_packs(toolkit), "parts of packs to be gone")
    host.server.start()
    old = objects.ready("GitRepository", "src", revision=first)

    second = repo.commit({f"g{i}": os.urandom(MIB) for i in range(6)})
    obj = kill_amid_fetch(objects, host, lambda: objects.request("GitRepository", "src", "2"))
    assert obj["status"]["artifact"]["digest"] == old["status"]["artifact"]["digest"]
    assert len(names(obj)) == 6  # and still served
    host.server.start()
    assert len(names(objects.ready("GitRepository", "src", revision=second))) == 12

    assert not parts_of_packs(toolkit)
    wait_until(lambda: not below(controller.pid), "its children to be gone")
    wait_until(lambda: len(held_by(controller)) <= len(quiet), f"no more descriptors than {quiet}")
    objects.delete("GitRepository", "src")
