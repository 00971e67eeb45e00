"""Which algorithms SSH may use: the flags override what known_hosts asks for (S35)."""

import pytest

from tests.e2e.test_source_auth import secret, source, ssh  # noqa: F401 # pylint: disable=unused-import
from tests.lib.artifact import names
from tests.lib.controllers import Toolkit


@pytest.fixture
def toolkit(api, directory, request):
    name = request.param[0].strip("-").partition("=")[0]
    kit = Toolkit(api, directory / name, source_flags=request.param)
    kit.start("source-controller")
    yield kit
    kit.finish()


@pytest.fixture
def cloned(source, secret, ssh, git_server, ns):
    """A GitRepository of the real sshd, whose Ed25519 key is the one that known_hosts has."""
    repo = git_server.repository(ns)
    repo.commit({"a": "1"})
    secret(identity=ssh.identity, known_hosts=ssh.known())
    source(ssh.url_of(repo))


@pytest.mark.parametrize("toolkit", [["--ssh-hostkey-algos=rsa-sha2-512",
                                      "--ssh-kex-algos=ecdh-sha2-nistp256,ecdh-sha2-nistp384"]],
                         indirect=True, ids=["rsa"])
def test_S35_flags_choose_the_host_key(objects, cloned, secret, ssh):
    """The server shows the key of the algorithm, whatever known_hosts has."""
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert "ssh: " in objects.condition(obj)["message"]
    secret(identity=ssh.identity, known_hosts=ssh.known(ssh.host_rsa))
    objects.request("GitRepository", "src")
    assert names(objects.ready("GitRepository", "src")) == ["a"]


@pytest.mark.parametrize("toolkit", [["--ssh-kex-algos=diffie-hellman-group14-sha1"]],
                         indirect=True, ids=["sha1"])
def test_S35_an_exchange_that_the_server_has_not_fails(objects, cloned):
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert "ssh: " in objects.condition(obj)["message"]
