"""Git servers that know less than git's own: protocols 0 and 1, and multi_ack alone, as Azure DevOps and
CodeCommit (source.md 3 "servers")."""
import urllib.request

import pytest

from tests.e2e.test_source import names
from tests.lib.sink import Sink


def relay(repo_url, hide, protocol=None):
    """A server that forwards to a real one with another Git-Protocol or none, and hides
    capabilities: a word of the same length keeps the packets' lengths right."""
    def forward(message, body=None):
        request = urllib.request.Request(f"{repo_url}{message.path.removeprefix('/x.git')}", body)
        if protocol:
            request.add_header("Git-Protocol", protocol)
        for name in ("Content-Type", "Accept"):
            if name in message.headers:
                request.add_header(name, message.headers[name])
        with urllib.request.urlopen(request) as reply:
            data = reply.read()
            for word in hide:
                data = data.replace(word, b"x" * len(word))
            return 200, {"Content-Type": reply.headers["Content-Type"]}, data
    return Sink(answers={"/x.git/info/refs?service=git-upload-pack": lambda m, n: forward(m),
                         "/x.git/git-upload-pack": lambda m, n: forward(m, m.body)})


LITTLE = [b"multi_ack_detailed", b"side-band-64k", b"thin-pack", b"ofs-delta", b"no-progress"]


@pytest.mark.parametrize("hide, protocol", [
    ([], None), ([b"multi_ack_detailed"], None), (LITTLE, None), ([], "version=1"),
    (LITTLE, "version=1"),
    ([b"multi_ack_detailed", b"allow-tip-sha1-in-want", b"allow-reachable-sha1-in-want"], None)],
    ids=["protocol-0", "multi-ack", "little", "protocol-1", "little-1", "no-hashes"])
def test_S20_servers_that_know_less(objects, git_server, ns, hide, protocol):
    repo = git_server.repository(ns)
    repo.commit({f"d/{i}": str(i) * 100 for i in range(20)})
    server = relay(git_server.url_of(repo), hide, protocol)
    objects.apply("GitRepository", "src", {"url": f"{server.url}/x.git", "interval": "1h",
                                           "ref": {"branch": "main"}})
    assert len(names(objects.ready("GitRepository", "src"))) == 20
    head = repo.commit({"d/new": "1"})
    objects.request("GitRepository", "src")
    assert len(names(objects.ready("GitRepository", "src", revision=head))) == 21
    asked = [m.body for m in server.messages if m.method == "POST"]
    assert b"have " in asked[-1] and all(
        word not in body for body in asked for word in hide), "what the server does not know"
    server.stop()
