"""How a GitRepository authenticates: HTTPS, SSH, proxies, GitHub Apps (S29-S36, S46, S47)."""
import base64
import json
import subprocess
import time

import pytest

from tests.e2e.test_source import names
from tests.lib.forward_proxy import Proxy
from tests.lib.git import GitServer, git
from tests.lib.pki import Authority
from tests.lib.sign import SshKey
from tests.lib.sink import Sink
from tests.lib.ssh import SshServer

LOGIN = ("x-access-token", "ghs-inst-t0ken")


@pytest.fixture(scope="module")
def ca(directory):
    return Authority(directory / "ca")


@pytest.fixture(scope="module")
def tls_server(directory, ca):
    """HTTPS that wants a client certificate and a login."""
    cert, key = ca.issue("server")
    server = GitServer(directory / "tls-git", tls={"cert": cert, "key": key, "client_ca": ca.cert},
                       auth=LOGIN)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def closed_server(directory):
    """Plain HTTP that wants a login."""
    server = GitServer(directory / "closed-git", auth=LOGIN)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ssh(directory):
    server = SshServer(directory / "sshd")
    yield server
    server.stop()


@pytest.fixture
def secret(objects):
    def make(name="auth", **data):
        objects.api.apply({"apiVersion": "v1", "kind": "Secret",
                           "metadata": {"name": name, "namespace": objects.ns},
                           "stringData": {k.replace("__", "."): v for k, v in data.items()}})
    return make


@pytest.fixture
def source(objects):
    def make(url, **spec):
        spec = {"secretRef": {"name": "auth"}, **spec}
        objects.apply("GitRepository", "src", {
            "url": url, "interval": "1h", "ref": {"branch": "main"},
            **{k: v for k, v in spec.items() if v is not None}})
    return make


# --- HTTPS ---

def test_S29_S32_https_with_private_ca_client_certificate_and_login(
        objects, source, secret, tls_server, ca, ns):
    repo = tls_server.repository(ns)
    repo.commit({"a": "1"})
    cert, key = ca.issue("client")
    data = {"ca__crt": ca.cert.read_text(), "caFile": "rubbish", "tls__crt": cert.read_text(),
            "tls__key": key.read_text(), "username": LOGIN[0], "password": LOGIN[1]}
    secret(**data)
    source(tls_server.url_of(repo))
    assert names(objects.ready("GitRepository", "src")) == ["a"]


def test_S32_unknown_ca_fails(objects, source, secret, tls_server, ns):
    repo = tls_server.repository(ns)
    secret(username=LOGIN[0], password=LOGIN[1])
    source(tls_server.url_of(repo))
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert "certificate" in objects.condition(obj)["message"]


def test_S32_half_a_pair_fails(objects, source, secret, tls_server, ca, ns):
    secret(ca__crt=ca.cert.read_text(), tls__key=ca.key.read_text())
    source(tls_server.url_of(tls_server.repository(ns)))
    objects.not_ready("GitRepository", "src", "AuthenticationFailed")


def test_S30_a_refused_login_is_not_shown(objects, source, secret, closed_server, ns, toolkit):
    repo = closed_server.repository(ns)
    secret(username="ann", password="wr0ng-pass")
    source(closed_server.url_of(repo))
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    encoded = base64.b64encode(b"ann:wr0ng-pass").decode()
    for text in (str(obj), str(objects.events("src")), toolkit["source-controller"].log()):
        assert "wr0ng-pass" not in text and encoded not in text


def test_S29_bearer_tokens_are_sent(objects, source, secret):
    sink = Sink()
    secret(bearerToken="b34rer", username="u", password="p")
    source(f"{sink.url}/x.git")
    message = sink.wait(lambda m: "info/refs" in m.path)
    assert message.headers["Authorization"] == "Bearer b34rer"
    sink.stop()


def test_S29_bearer_token_and_url_userinfo_exclude_each_other(objects, source, secret):
    secret(bearerToken="b34rer")
    source("http://user:hunter2@127.0.0.1:1/x.git")
    obj = objects.not_ready("GitRepository", "src", "AuthenticationFailed")
    assert "b34rer" not in str(obj["status"]) and "hunter2" not in str(obj["status"])


def test_S29_url_userinfo_logs_in(objects, source, closed_server, ns):
    repo = closed_server.repository(ns)
    repo.commit({"a": "1"})
    url = closed_server.url_of(repo).replace("://", f"://{LOGIN[0]}:{LOGIN[1]}@")
    source(url, secretRef=None)
    objects.ready("GitRepository", "src")


def test_S36_proxy_with_login(objects, source, secret, tls_server, ca, ns):
    repo = tls_server.repository(ns)
    repo.commit({"a": "1"})
    proxy = Proxy(("127.0.0.1", tls_server.port))
    cert, key = ca.issue("client2")
    secret(ca__crt=ca.cert.read_text(), tls__crt=cert.read_text(), tls__key=key.read_text(),
           username=LOGIN[0], password=LOGIN[1])
    secret("proxy", address=f"http://127.0.0.1:{proxy.port}", username="u", password="p")
    source(tls_server.url_of(repo), proxySecretRef={"name": "proxy"})
    objects.ready("GitRepository", "src")
    assert proxy.asked and set(proxy.asked) == {f"127.0.0.1:{tls_server.port}"}
    proxy.stop()


@pytest.mark.parametrize("address", ["", "ftp://127.0.0.1:1", "nonsense", "http://" + "x" * 2048],
                         ids=["none", "scheme", "words", "long"])
def test_S36_bad_proxies_fail(objects, source, secret, address):
    secret("proxy", address=address)
    source("http://127.0.0.1:1/x.git", secretRef=None, proxySecretRef={"name": "proxy"})
    objects.not_ready("GitRepository", "src", "AuthenticationFailed")


# --- redirects, and submodules of other hosts ---

def test_S30_credentials_do_not_follow_a_redirect(objects, source, secret):
    away = Sink()
    home = Sink(answers={"/x.git/info/refs?service=git-upload-pack": lambda m, n: (
        302, {"Location": f"{away.url}/x.git/info/refs?service=git-upload-pack"}, b"")})
    secret(username="ann", password="s3cret-pw")
    source(f"{home.url}/x.git")
    message = away.wait(lambda m: "info/refs" in m.path)
    assert "Authorization" not in message.headers
    first = home.wait(lambda m: "info/refs" in m.path)
    assert first.headers["Authorization"].startswith("Basic ")
    home.stop()
    away.stop()


def test_S37_submodules_of_other_hosts_get_no_credentials(objects, source, secret, closed_server, ns):
    away = Sink()
    repo, module = closed_server.repository(ns), closed_server.repository(f"{ns}-lib")
    lib = module.commit({"lib": ""})
    repo.commit({"a": ""})
    for name, url in (("here", f"../{module.name}.git"), ("away", f"{away.url}/lib.git")):
        git(repo.work, "update-index", "--add", "--cacheinfo", f"160000,{lib},{name}")
        git(repo.work, "config", "-f", ".gitmodules", f"submodule.{name}.path", name)
        git(repo.work, "config", "-f", ".gitmodules", f"submodule.{name}.url", url)
    git(repo.work, "add", ".gitmodules")
    git(repo.work, "commit", "--quiet", "-m", "modules")
    repo.push()
    secret(username=LOGIN[0], password=LOGIN[1])
    source(closed_server.url_of(repo), recurseSubmodules=True)
    message = away.wait(lambda m: "info/refs" in m.path)
    assert "Authorization" not in message.headers
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert "submodule away" in objects.condition(obj)["message"]
    git(repo.work, "rm", "-q", "--cached", "away")
    git(repo.work, "commit", "--quiet", "-m", "only ours")
    repo.push()
    objects.request("GitRepository", "src")
    assert names(objects.ready("GitRepository", "src", revision=repo.head())) == ["a", "here/lib"]
    away.stop()


# --- SSH ---

def test_S29_S35_ssh_clones(objects, source, secret, ssh, git_server, ns):
    repo = git_server.repository(ns)
    repo.commit({"a": "1"})
    secret(identity=ssh.identity, known_hosts=ssh.known())
    source(ssh.url_of(repo))
    assert names(objects.ready("GitRepository", "src")) == ["a"]
    head = repo.commit({"b": "1"})
    secret(identity=ssh.identity, known_hosts=ssh.known(ssh.host_rsa))
    objects.request("GitRepository", "src")
    assert names(objects.ready("GitRepository", "src", revision=head)) == ["a", "b"]


@pytest.mark.parametrize("case", ["mismatch", "unknown", "revoked"])
def test_S33_untrusted_host_keys_fail(objects, source, secret, ssh, git_server, ns, directory, case):
    repo = git_server.repository(ns)
    hosts = {"mismatch": lambda: ssh.known(SshKey(directory / f"stranger-{ns}")),
             "unknown": lambda: "github.com " + ssh.host.public,
             "revoked": lambda: ssh.known() + ssh.known(marker="@revoked ")}[case]()
    secret(identity=ssh.identity, known_hosts=hosts)
    source(ssh.url_of(repo))
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert "ssh: " in objects.condition(obj)["message"]


@pytest.mark.parametrize("missing", ["identity", "known_hosts"])
def test_S31_ssh_needs_both(objects, source, secret, ssh, git_server, ns, missing):
    data = {"identity": ssh.identity, "known_hosts": ssh.known()}
    secret(**{k: v for k, v in data.items() if k != missing})
    source(ssh.url_of(git_server.repository(ns)))
    obj = objects.not_ready("GitRepository", "src", "AuthenticationFailed")
    assert missing in objects.condition(obj)["message"]


def test_S34_encrypted_identity_without_password(objects, source, secret, ssh, git_server, ns,
                                                 directory):
    path = directory / f"enc-{ns}"
    SshKey.run("-q", "-t", "ed25519", "-N", "passphrase", "-f", path)
    secret(identity=path.read_text(), known_hosts=ssh.known())
    source(ssh.url_of(git_server.repository(ns)))
    obj = objects.not_ready("GitRepository", "src", "AuthenticationFailed")
    assert "password" in objects.condition(obj)["message"]


# --- providers ---

def part(token, index):
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class GithubApi:
    """As docs.github.com has it: an installation of "acme", and tokens for it."""

    def __init__(self):
        self.tokens = []  # given out first
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        self.sink = Sink(answers={
            "/api/orgs/acme/installation": lambda m, n: (404, {}, b'{"message":"Not Found"}'),
            "/api/users/acme/installation": lambda m, n: (200, {}, b'{"id":77}'),
            "/api/app/installations/77/access_tokens": lambda m, n: (201, {}, json.dumps(
                {"token": self.tokens.pop(0) if self.tokens else LOGIN[1],
                 "expires_at": expires}).encode())})
        self.url = f"{self.sink.url}/api"

    def exchanges(self):
        return [m for m in self.sink.messages if m.path.endswith("/access_tokens")]


@pytest.fixture
def github():
    api = GithubApi()
    yield api
    api.sink.stop()


@pytest.fixture(scope="module")
def app_key(directory):
    return subprocess.run(["openssl", "genrsa", "-traditional", "2048"], check=True,
                          capture_output=True, text=True).stdout


@pytest.mark.parametrize("installation", [{"githubAppInstallationID": "77"},
                                          {"githubAppInstallationOwner": "acme"}],
                         ids=["id", "owner"])
def test_S46_github_app_gets_a_token_and_keeps_it(objects, source, secret, closed_server, github,
                                                  app_key, ns, installation, toolkit):
    repo = closed_server.repository(ns)
    repo.commit({"a": "1"})
    secret(githubAppID="4711", githubAppPrivateKey=app_key, githubAppBaseURL=github.url + "/",
           **installation)
    source(closed_server.url_of(repo), provider="github")
    objects.ready("GitRepository", "src")
    sent = github.exchanges()[0]
    assert sent.method == "POST"
    kind, jwt = sent.headers["Authorization"].split()
    claims = part(jwt, 1)
    assert kind == "Bearer" and part(jwt, 0)["alg"] == "RS256"
    assert claims["iss"] == "4711" and claims["exp"] - claims["iat"] <= 600
    head = repo.commit({"a": "2"})
    objects.request("GitRepository", "src")
    objects.ready("GitRepository", "src", revision=head)
    assert len(github.exchanges()) == 1
    log = toolkit["source-controller"].log()
    assert LOGIN[1] not in log and jwt not in log


def test_S46_a_token_that_is_refused_is_not_kept(objects, source, secret, closed_server, github,
                                                 app_key, ns):
    repo = closed_server.repository(ns)
    repo.commit({"a": "1"})
    github.tokens.append("revoked-before-its-time")
    secret(githubAppID="4712", githubAppPrivateKey=app_key, githubAppBaseURL=github.url,
           githubAppInstallationID="77")
    source(closed_server.url_of(repo), provider="github")
    obj = objects.ready("GitRepository", "src")
    assert "revoked-before" not in str(obj) + str(objects.events("src"))
    assert len(github.exchanges()) == 2


def test_S46_github_without_secret_stalls(objects, source):
    source("https://127.0.0.1:1/x.git", provider="github", secretRef=None)
    obj = objects.not_ready("GitRepository", "src", "InvalidProviderConfiguration")
    assert objects.condition(obj, "Stalled")["reason"] == "InvalidProviderConfiguration"


def test_S46_secret_without_app_keys_fails(objects, source, secret):
    secret(username="a", password="b")
    source("https://127.0.0.1:1/x.git", provider="github")
    obj = objects.not_ready("GitRepository", "src", "InvalidProviderConfiguration")
    assert not objects.condition(obj, "Stalled")


def test_S46_app_keys_with_the_generic_provider_fail(objects, source, secret, app_key):
    secret(githubAppID="4711", githubAppPrivateKey=app_key)
    source("https://127.0.0.1:1/x.git")
    obj = objects.not_ready("GitRepository", "src", "InvalidProviderConfiguration")
    assert "provider is not set to github" in objects.condition(obj)["message"]
    assert not objects.condition(obj, "Stalled")


@pytest.mark.parametrize("installation", [
    {}, {"githubAppInstallationID": "77", "githubAppInstallationOwner": "acme"},
    {"githubAppInstallationID": "x"}], ids=["none", "both", "words"])
def test_S46_wrong_app_keys_fail(objects, source, secret, app_key, installation):
    secret(githubAppID="4711", githubAppPrivateKey=app_key, **installation)
    source("https://127.0.0.1:1/x.git", provider="github")
    objects.not_ready("GitRepository", "src", "AuthenticationFailed")


@pytest.mark.parametrize("provider", ["azure", "aws"])
def test_S47_service_account_with_the_gate_off_stalls(objects, source, provider):
    source("https://127.0.0.1:1/x.git", provider=provider, serviceAccountName="sa", secretRef=None)
    obj = objects.not_ready("GitRepository", "src", "FeatureGateDisabled")
    assert objects.condition(obj, "Stalled")["reason"] == "FeatureGateDisabled"
