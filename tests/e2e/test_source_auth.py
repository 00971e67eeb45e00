"""How a GitRepository authenticates: HTTPS, SSH, proxies, GitHub Apps (S29-S36, S46, S47)."""
import base64
import json
import subprocess
import time

import pytest

from tests.e2e.test_source import names
from tests.lib.forward_proxy import Proxy
from tests.lib.git import GitServer, git
from tests.lib.net import wait_until
from tests.lib.pki import Authority
from tests.lib.planted import planted
from tests.lib.sign import SshKey
from tests.lib.sink import Sink
from tests.lib.ssh import SshServer

BEARER = planted("bearer")
LOGIN = ("x-access-token", planted("installation"))


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


@pytest.mark.parametrize("name, issued, words", [
    ("over", {"days": -1}, "expired"), ("elsewhere", {"san": "DNS:example.org"}, "subject name")])
def test_S32_certificates_that_are_over_or_of_another_host_fail(
        objects, source, secret, ca, directory, ns, name, issued, words):
    cert, key = ca.issue(name, **issued)
    server = GitServer(directory / name, tls={"cert": cert, "key": key})
    repo = server.repository(ns)
    secret(ca__crt=ca.cert.read_text())
    source(server.url_of(repo))
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    server.stop()
    assert words in objects.condition(obj)["message"]


def test_S32_half_a_pair_fails(objects, source, secret, tls_server, ca, ns):
    secret(ca__crt=ca.cert.read_text(), tls__key=ca.key.read_text())
    source(tls_server.url_of(tls_server.repository(ns)))
    obj = objects.not_ready("GitRepository", "src", "AuthenticationFailed")
    assert "contains 'tls.key' but missing 'tls.crt'" in objects.condition(obj)["message"]


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
    secret(bearerToken=BEARER, username="u", password="p")
    source(f"{sink.url}/x.git")
    message = sink.wait(lambda m: "info/refs" in m.path)
    assert message.headers["Authorization"] == f"Bearer {BEARER}"
    sink.stop()


def test_S29_bearer_token_and_url_userinfo_exclude_each_other(objects, source, secret):
    secret(bearerToken=BEARER)
    source(f"http://user:{BEARER}@127.0.0.1:1/x.git")
    obj = objects.not_ready("GitRepository", "src", "AuthenticationFailed")
    assert BEARER not in str(obj["status"])


def test_S29_url_userinfo_logs_in(objects, source, closed_server, ns):
    repo = closed_server.repository(ns)
    repo.commit({"a": "1"})
    url = closed_server.url_of(repo).replace("://", f"://{LOGIN[0]}:{LOGIN[1]}@")
    source(url, secretRef=None)
    objects.ready("GitRepository", "src")


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_S36_proxy_with_login(objects, source, secret, tls_server, ca, ns, scheme):
    repo = tls_server.repository(ns)
    repo.commit({"a": "1"})
    proxy = Proxy(("127.0.0.1", tls_server.port), socks=scheme == "socks5")
    cert, key = ca.issue(f"client-{scheme}")
    secret(ca__crt=ca.cert.read_text(), tls__crt=cert.read_text(), tls__key=key.read_text(),
           username=LOGIN[0], password=LOGIN[1])
    secret("proxy", address=f"{scheme}://127.0.0.1:{proxy.port}", username="u", password="p")
    source(tls_server.url_of(repo), proxySecretRef={"name": "proxy"})
    objects.ready("GitRepository", "src")
    assert proxy.asked and set(proxy.asked) == {f"127.0.0.1:{tls_server.port}"}
    assert set(proxy.logins) == {"u:p"}
    proxy.stop()


@pytest.mark.parametrize("data, told", [
    ({"username": "u"}, "key 'address' not found"), ({"address": ""}, "proxy address is empty"),
    ({"address": "ftp://127.0.0.1:1"}, "got 'ftp'"),
    ({"address": "nonsense"}, "failed to parse proxy address"),
    ({"address": "http://" + "x" * 2042}, "exceeds maximum length of 2048")],
    ids=["none", "empty", "scheme", "words", "long"])
def test_S36_bad_proxies_fail(objects, source, secret, data, told):
    secret("proxy", **data)
    source("http://127.0.0.1:1/x.git", secretRef=None, proxySecretRef={"name": "proxy"})
    obj = objects.not_ready("GitRepository", "src", "AuthenticationFailed")
    assert told in objects.condition(obj)["message"]


@pytest.mark.parametrize("address", ["https://127.0.0.1:1", "socks5://127.0.0.1:1",
                                     "http://127.0.0.1:1/".ljust(2048, "x")],
                         ids=["https", "socks5", "long"])
def test_S36_good_addresses_fail_when_they_are_used(objects, source, secret, address):
    secret("proxy", address=address)
    source("http://127.0.0.1:1/x.git", secretRef=None, proxySecretRef={"name": "proxy"})
    objects.not_ready("GitRepository", "src", "GitOperationFailed")


def test_S36_ssh_through_an_https_proxy_fails(objects, source, secret, directory):
    key = SshKey(directory / "proxied")
    secret(identity=key.path.read_text(), known_hosts=f"127.0.0.1 {key.public}")
    secret("proxy", address="https://127.0.0.1:1")
    source("ssh://git@127.0.0.1/x.git", proxySecretRef={"name": "proxy"})
    obj = objects.not_ready("GitRepository", "src", "AuthenticationFailed")
    assert "http and socks5 proxies, not https" in objects.condition(obj)["message"]


# --- redirects, and submodules of other hosts ---

def test_S30_credentials_do_not_follow_a_redirect(objects, source, secret):
    away = Sink()
    home = Sink(answers={"/x.git/info/refs?service=git-upload-pack": lambda m, n: (
        302, {"Location": f"{away.url}/x.git/info/refs?service=git-upload-pack"}, b"")})
    secret(username="ann", password=planted("password"))
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


def test_S37_submodules_of_the_same_host_log_in_as_the_url_says(objects, source, closed_server, ns):
    repo, module = closed_server.repository(ns), closed_server.repository(f"{ns}-lib")
    lib = module.commit({"lib": ""})
    repo.commit({"a": ""})
    git(repo.work, "update-index", "--add", "--cacheinfo", f"160000,{lib},here")
    git(repo.work, "config", "-f", ".gitmodules", "submodule.here.path", "here")
    git(repo.work, "config", "-f", ".gitmodules", "submodule.here.url",
        closed_server.url_of(module))
    git(repo.work, "add", ".gitmodules")
    git(repo.work, "commit", "--quiet", "-m", "module")
    repo.push()
    url = closed_server.url_of(repo).replace("://", f"://{LOGIN[0]}:{LOGIN[1]}@")
    source(url, secretRef=None, recurseSubmodules=True)
    assert names(objects.ready("GitRepository", "src")) == ["a", "here/lib"]


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


@pytest.fixture
def certified(directory, ns):
    """A host that an authority vouches for, and the authority; by arguments of ssh-keygen."""
    started = []

    def start(*certificate):
        authority = SshKey(directory / f"authority-{ns}")
        started.append(SshServer(directory / f"certified-{ns}", authority, certificate))
        return started[-1], authority
    yield start
    for server in started:
        server.stop()


def test_S33_host_certificates_are_trusted(objects, source, secret, certified, git_server, ns):
    host, authority = certified("-n", "127.0.0.1", "-V", "+1d")
    repo = git_server.repository(ns)
    repo.commit({"a": "1"})
    passphrase = planted("passphrase")
    secret(identity=host.sealed(passphrase), password=passphrase,
           known_hosts=host.known(authority, "@cert-authority "))
    source(host.url_of(repo))
    assert names(objects.ready("GitRepository", "src")) == ["a"]
    head = repo.commit({"b": "1"})
    objects.request("GitRepository", "src")
    assert names(objects.ready("GitRepository", "src", revision=head)) == ["a", "b"]
    secret(identity=host.identity, known_hosts=host.known(authority, "@cert-authority ")
           + host.known(authority, "@revoked "))
    repo.commit({"c": "1"})
    objects.request("GitRepository", "src", "revoked")
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert "revoked" in objects.condition(obj)["message"]


@pytest.mark.parametrize("case, words", [
    (["-n", "example.org"], "not a listed principal"),
    (["-n", "127.0.0.1", "-V", "20200101:20200102"], "expired")])
def test_S33_host_certificates_that_do_not_count(objects, source, secret, certified, git_server, ns,
                                                 case, words):
    host, authority = certified(*case)
    secret(identity=host.identity, known_hosts=host.known(authority, "@cert-authority "))
    source(host.url_of(git_server.repository(ns)))
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert words in objects.condition(obj)["message"]


@pytest.mark.parametrize("missing", ["identity", "known_hosts"])
def test_S31_ssh_needs_both(objects, source, secret, ssh, git_server, ns, missing):
    data = {"identity": ssh.identity, "known_hosts": ssh.known()}
    secret(**{k: v for k, v in data.items() if k != missing})
    source(ssh.url_of(git_server.repository(ns)))
    obj = objects.not_ready("GitRepository", "src", "AuthenticationFailed")
    assert objects.condition(obj)["message"].endswith(
        f"secret '{ns}/auth': '{missing}' is missing, which ssh needs")


def test_S31_ssh_without_a_secret_is_told_which(objects, source, ssh, git_server, ns):
    source(ssh.url_of(git_server.repository(ns)), secretRef=None)
    obj = objects.not_ready("GitRepository", "src", "AuthenticationFailed")
    assert objects.condition(obj)["message"].endswith(
        "ssh needs spec.secretRef: a Secret with 'identity' and 'known_hosts'")


def test_S30_what_was_sent_to_a_closed_server_is_told(objects, source, secret, closed_server, ns):
    secret(identity="for ssh", known_hosts="for ssh")
    source(closed_server.url_of(closed_server.repository(ns)))
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert objects.condition(obj)["message"].endswith(
        "authentication required: no credentials were sent (HTTP 401)")


def test_S34_encrypted_identity_without_password(objects, source, secret, ssh, git_server, ns,
                                                 directory):
    path = directory / f"enc-{ns}"
    SshKey.run("-q", "-t", "ed25519", "-N", "passphrase", "-f", path)
    secret(identity=path.read_text(), known_hosts=ssh.known())
    authorized = ssh.dir / "authorized_keys"
    authorized.write_text(authorized.read_text() + path.with_suffix(".pub").read_text())
    repo = git_server.repository(ns)
    repo.commit({"a": "1"})
    source(ssh.url_of(repo))
    obj = objects.not_ready("GitRepository", "src", "AuthenticationFailed")
    assert "password" in objects.condition(obj)["message"]
    secret(identity=path.read_text(), known_hosts=ssh.known(), password="passphrase")
    objects.request("GitRepository", "src")
    objects.ready("GitRepository", "src")


@pytest.mark.parametrize("data, words", [
    ({"password": "wr0ng-pass"}, "password does not open"),
    ({"identity": "rubbish"}, "not a private key"),
    ({"known_hosts": "rubbish"}, "known_hosts line 1")], ids=["password", "identity", "known_hosts"])
def test_S34_what_is_there_and_cannot_be_used_fails_the_clone(objects, source, secret, ssh, git_server,
                                                              ns, data, words):
    secret(**{"identity": ssh.sealed("passphrase"), "known_hosts": ssh.known(),
              "password": "passphrase", **data})
    source(ssh.url_of(git_server.repository(ns)))
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    message = objects.condition(obj)["message"]
    assert message.startswith("failed to checkout and determine revision: unable to construct auth "
                              "method with options: ")
    assert words in message and "wr0ng-pass" not in str(obj)


# --- providers ---

def part(token, index):
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class GithubApi:
    """As docs.github.com has it: an installation of "acme", and tokens for it."""

    def __init__(self):
        self.tokens = []  # given out first
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))

        def token(message, number):
            return 201, {}, json.dumps({"token": self.tokens.pop(0) if self.tokens else LOGIN[1],
                                        "expires_at": expires}).encode()
        self.sink = Sink(answers={
            "/api/orgs/acme/installation": lambda m, n: (404, {}, b'{"message":"Not Found"}'),
            "/api/users/acme/installation": lambda m, n: (200, {}, b'{"id":77}'),
            "/api/orgs/other/installation": lambda m, n: (200, {}, b'{"id":78}'),
            "/api/app/installations/77/access_tokens": token,
            "/api/app/installations/78/access_tokens": token})
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


def test_S46_a_token_is_kept_for_who_it_was_made_for(objects, source, secret, closed_server, github,
                                                     app_key, ns):
    """Not for another installation, app or key."""
    other_key = subprocess.run(["openssl", "genrsa", "-traditional", "2048"], check=True,
                               capture_output=True, text=True).stdout
    repo = closed_server.repository(ns)
    repo.commit({"a": "1"})
    first = {"githubAppID": "4713", "githubAppPrivateKey": app_key,
             "githubAppBaseURL": github.url, "githubAppInstallationID": "77"}
    variants = [first, {**first, "githubAppInstallationID": "78"},
                {**first, "githubAppInstallationID": "", "githubAppInstallationOwner": "acme"},
                {**first, "githubAppInstallationID": "", "githubAppInstallationOwner": "other"},
                {**first, "githubAppID": "4714"}, {**first, "githubAppPrivateKey": other_key},
                {**first, "githubAppBaseURL": github.url + "/."}]
    for number, data in enumerate(variants):
        secret(**{"githubAppInstallationOwner": "", **data})
        if number == 0:
            source(closed_server.url_of(repo), provider="github")
        objects.request("GitRepository", "src", str(number))
        wait_until(lambda: len(github.exchanges()) > number, f"a token for variant {number}")
    secret(**{"githubAppInstallationOwner": "", **first})
    head = repo.commit({"a": "2"})
    objects.request("GitRepository", "src", "again")
    objects.ready("GitRepository", "src", revision=head)
    assert [m.path.split("/")[-2] for m in github.exchanges()] == ["77", "78", "77", "78"] + ["77"] * 3


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


@pytest.mark.parametrize("data, says", [
    ({}, "exactly one of"),
    ({"githubAppInstallationID": "77", "githubAppInstallationOwner": "acme"}, "exactly one of"),
    ({"githubAppInstallationID": "x"}, "githubAppInstallationID must be a number"),
    ({"githubAppInstallationID": "77", "githubAppID": "x"}, "githubAppID must be a number"),
    ({"githubAppInstallationID": "77", "githubAppPrivateKey": ""}, "PrivateKey is missing")],
    ids=["none", "both", "words", "id", "key"])
def test_S46_wrong_app_keys_fail(objects, source, secret, github, app_key, data, says):
    secret(**{"githubAppID": "4711", "githubAppPrivateKey": app_key,
              "githubAppBaseURL": github.url, **data})
    source("https://127.0.0.1:1/x.git", provider="github")
    obj = objects.not_ready("GitRepository", "src", "AuthenticationFailed")
    assert says in objects.condition(obj)["message"]
    assert not github.sink.messages, "nobody is asked with keys that cannot be right"


@pytest.mark.parametrize("provider", ["azure", "aws"])
def test_S47_service_account_with_the_gate_off_stalls(objects, source, provider):
    source("https://127.0.0.1:1/x.git", provider=provider, serviceAccountName="sa", secretRef=None)
    obj = objects.not_ready("GitRepository", "src", "FeatureGateDisabled")
    assert objects.condition(obj, "Stalled")["reason"] == "FeatureGateDisabled"
