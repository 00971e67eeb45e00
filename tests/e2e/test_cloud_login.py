"""Registries and Git servers of the clouds: who asks them as whom, and what they are shown. The services
that hand out credentials are tests/lib/clouds.py; the registries' and Git's own names lead to this
machine by a proxy."""
import base64
import calendar
import hashlib
import hmac
import json
import time

import pytest

from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.buckets import ACCESS_KEY, SECRET_KEY, signing_key
from tests.lib.clouds import account, claims_of, clouds, form_of  # noqa: F401 - fixtures
from tests.lib.controllers import Toolkit
from tests.lib.forward_proxy import Proxy as ForwardProxy
from tests.lib.git import GitServer
from tests.lib.pki import Authority
from tests.lib.planted import planted
from tests.lib.proxy import Proxy
from tests.lib.registry import Registry, basic, docker_config, oci_failure

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ACR = "app.azurecr.io"
GAR = "europe-docker.pkg.dev"
ACR_USER = "00000000-0000-0000-0000-000000000000"
HOSTS = [ECR, ACR, GAR, "registry.test"]
CODECOMMIT = "git-codecommit.eu-west-1.amazonaws.com"
DEVOPS = "dev.azure.com"
ROLE = {"eks.amazonaws.com/role-arn": "arn:aws:iam::123:role/app"}
ENTRA = {"azure.workload.identity/tenant-id": "tenant-9",
         "azure.workload.identity/client-id": "client-9"}
GOOGLE = {"gcp.auth.fluxcd.io/workload-identity-provider":
          "projects/1/locations/global/workloadIdentityPools/p/providers/q"}


@pytest.fixture(scope="module")
def authority(directory):
    return Authority(directory / "pki")


@pytest.fixture(scope="module")
def refresh_token():
    """What Azure's registry gives for an Entra token: a JWT that says when it ends."""
    claims = base64.urlsafe_b64encode(b'{"exp":4070908800}').decode().rstrip("=")
    return f"{planted('acr')}.{claims}.c2ln"


@pytest.fixture(scope="module")
def registry(directory, authority, clouds, refresh_token):
    """A registry that takes the login of each cloud and no other."""
    logins = [("AWS", clouds.ecr), (ACR_USER, refresh_token), ("oauth2accesstoken", clouds.google)]
    server = Registry(directory / "registry", tls=authority.issue("registry"),
                      auth=("tess", planted("tess")), others=logins,
                      context=authority.client_context())
    yield server
    server.stop()


@pytest.fixture(scope="module")
def front(registry, authority, clouds, refresh_token):
    server = Proxy(registry.url, authority.cert).go_by(authority, *HOSTS)

    def exchange(x):
        good = f"&access_token={clouds.entra}".encode() in x.request.body
        x.reply(*((200, json.dumps({"refresh_token": refresh_token}).encode()) if good
                  else (401, b'{"errors":[{"code":"UNAUTHORIZED"}]}')))
    server.on(exchange, method="POST", path="^/oauth2/exchange$")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def closed_git(directory, authority):
    cert, key = authority.issue("git")
    server = GitServer(directory / "git", tls={"cert": cert, "key": key})
    yield server
    server.stop()


def codecommit_login(x):
    """(user, whether the password signs this repository's path now), by AWS' description."""
    shown = x.request.header("authorization") or "Basic Og=="
    user, password = base64.b64decode(shown.split()[1]).decode().split(":", 1)
    stamp, signature = password[:16], password[16:]
    age = time.time() - calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ")) if stamp else 9999
    path = x.request.path.split("/info/refs")[0].split("/git-upload-pack")[0]
    text = f"GIT\n{path}\n\nhost:{CODECOMMIT}\n\nhost\n"
    scope = f"{stamp[:8]}/eu-west-1/codecommit/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp[:-1], scope,
                      hashlib.sha256(text.encode()).hexdigest()])
    key = signing_key(SECRET_KEY, stamp[:8], "eu-west-1", "codecommit")
    good = hmac.compare_digest(signature, hmac.new(key, text.encode(), hashlib.sha256).hexdigest())
    return user, good and abs(age) < 15 * 60


@pytest.fixture(scope="module")
def git_front(closed_git, authority, clouds):
    """Takes Entra's token for Azure DevOps and a signature for CodeCommit. `users` of the latter."""
    server = Proxy(closed_git.url, authority.cert).go_by(authority, CODECOMMIT, DEVOPS)
    server.users = set()

    def check(x):
        good = x.request.header("authorization") == f"Bearer {clouds.entra}"
        if x.request.header("host") == CODECOMMIT:
            user, good = codecommit_login(x)
            server.users.add(user)
        if good:
            x.forward()
        else:
            x.reply(401, b"", [("WWW-Authenticate", 'Basic realm="git"')])
    server.on(check)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def proxy(front, git_front):
    places = {f"{host}:443": ("127.0.0.1", front.port) for host in HOSTS}
    places |= {f"{host}:443": ("127.0.0.1", git_front.port) for host in (CODECOMMIT, DEVOPS)}
    server = ForwardProxy(places, socks=True)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory, clouds, authority):
    kit = Toolkit(api, directory / "toolkit",
                  source_flags=["--feature-gates=ObjectLevelWorkloadIdentity=true"],
                  env={**clouds.env, "SSL_CERT_FILE": str(authority.cert)})
    with kit.run("source-controller"):
        yield kit


@pytest.fixture
def source(objects, secret, proxy, clouds):
    secret("proxy", address=f"socks5://127.0.0.1:{proxy.port}")
    clouds.refuse.clear()
    clouds.session = ""
    clouds.clear()

    made = []

    def make(url, name="src", kind="OCIRepository", **spec):
        objects.apply(kind, name, {"url": url, "interval": "1h",
                                   "proxySecretRef": {"name": "proxy"}, **spec})
        made.append((kind, name))
    yield make
    # What fails asks the clouds again and again: not in the next test.
    for kind, name in made:
        objects.delete(kind, name)
    for kind, name in made:
        objects.gone(kind, name)


def shown(front, mark):
    """What the registry was shown since then, but for those who came without anything."""
    return {r.header("authorization") for r in front.requests(mark, path="^/v2/")} - {None}


# --- OCI ---

@pytest.mark.parametrize("provider", ["aws", "azure", "gcp"])
def test_S54_cloud_login_of_the_controller(objects, source, front, registry, clouds, refresh_token,
                                           ns, provider):
    host, user, password = {"aws": (ECR, "AWS", clouds.ecr), "azure": (ACR, ACR_USER, refresh_token),
                            "gcp": (GAR, "oauth2accesstoken", clouds.google)}[provider]
    digest = registry.push(ns, "latest", {"a": "1"})
    mark = front.mark()
    source(f"oci://{host}/{ns}", provider=provider)
    objects.ready("OCIRepository", "src", revision=digest)
    assert shown(front, mark) == {basic(user, password)["Authorization"]}


@pytest.mark.parametrize("provider", ["aws", "azure", "gcp"])
def test_S54_cloud_login_of_a_service_account(objects, source, account, registry, clouds, ns,
                                              provider):
    host, annotations, path, field, audience = {
        "aws": (ECR, ROLE, "/", "WebIdentityToken", "sts.amazonaws.com"),
        "azure": (ACR, ENTRA, "/tenant-9/oauth2/v2.0/token", "client_assertion",
                  "api://AzureADTokenExchange"),
        "gcp": (GAR, GOOGLE, "/v1/token", "subject_token",
                "//iam.googleapis.com/" + list(GOOGLE.values())[0])}[provider]
    registry.push(ns, "latest", {"a": "1"})
    source(f"oci://{host}/{ns}", provider=provider, serviceAccountName=account("app", annotations))
    objects.ready("OCIRepository", "src")
    form = next(form_of(m) for m in clouds.asked(path) if field.encode() in m.body)
    claims = claims_of(form[field])
    assert claims["sub"] == f"system:serviceaccount:{ns}:app"
    assert audience in (claims["aud"], *claims["aud"])
    # The second object is logged in already; another account is somebody else.
    before = len(clouds.messages)
    source(f"oci://{host}/{ns}", "same", provider=provider, serviceAccountName="app")
    objects.ready("OCIRepository", "same")
    assert len(clouds.messages) == before
    source(f"oci://{host}/{ns}", "other", provider=provider,
           serviceAccountName=account("other", annotations))
    objects.ready("OCIRepository", "other")
    assert len(clouds.messages) > before


def test_S54_static_credentials_beat_the_cloud(objects, source, account, secret, front, registry,
                                               clouds, ns):
    user, password = base64.b64decode(registry.headers["Authorization"].split()[1]).decode() \
        .split(":")
    registry.push(ns, "latest", {"a": "1"})
    secret("login", __dockerconfigjson=docker_config(ECR, user, password))
    mark = front.mark()
    source(f"oci://{ECR}/{ns}", provider="aws", secretRef={"name": "login"})
    objects.ready("OCIRepository", "src")
    account("puller", ROLE, imagePullSecrets=[{"name": "login"}])
    source(f"oci://{ECR}/{ns}", "sa", provider="aws", serviceAccountName="puller")
    objects.ready("OCIRepository", "sa")
    assert shown(front, mark) == {registry.headers["Authorization"]}
    assert not clouds.messages


def test_S54_no_cloud_login_for_a_host_of_others(objects, source, front, clouds, ns):
    source(f"oci://registry.test/{ns}", provider="aws")
    oci_failure(objects, "AuthenticationFailed",
                "failed to get credential from aws: invalid AWS registry: 'registry.test'")
    assert not clouds.messages


@pytest.mark.parametrize("service, provider, host, text", [
    ("ecr", "aws", ECR, "no such key"), ("entra", "azure", ACR, "who are you")])
def test_S54_a_cloud_that_refuses(objects, source, account, clouds, ns, service, provider, host,
                                  text):
    clouds.refuse.add(service)
    annotations = {"aws": ROLE, "azure": ENTRA}[provider]
    source(f"oci://{host}/{ns}", provider=provider,
           serviceAccountName=account("refused", annotations))
    obj = oci_failure(objects, "AuthenticationFailed", text)
    assert f"failed to get credential from {provider}: " in objects.condition(obj)["message"]
    assert not objects.condition(obj, "Stalled")


def test_S54_a_cloud_login_that_ends_before_its_time(objects, source, account, clouds, registry, ns):
    """The registry refuses what is kept for hours to come: the next try asks for another one."""
    digest = registry.push(ns, "latest", {"a": "1"})
    good, clouds.ecr = clouds.ecr, planted("revoked")
    try:
        source(f"oci://{ECR}/{ns}", provider="aws", serviceAccountName=account("early", ROLE))
        oci_failure(objects, "OCIArtifactPullFailed", "UNAUTHORIZED")
    finally:
        clouds.ecr = good
    objects.request("OCIRepository", "src")
    objects.ready("OCIRepository", "src", revision=digest)


def test_S54_cloud_account_that_lacks_something(objects, source, account, ns):
    source(f"oci://{ACR}/{ns}", provider="azure", serviceAccountName=account("bare", {}))
    oci_failure(objects, "AuthenticationFailed", "azure.workload.identity/tenant-id")
    source(f"oci://{ACR}/{ns}", "absent", provider="azure", serviceAccountName="nobody")
    oci_failure(objects, "AuthenticationFailed", f"serviceaccount '{ns}/nobody' not found",
                name="absent")


# --- Git ---

def git_url(host, repository):
    return f"https://{host}/{repository.name}.git"


@pytest.mark.parametrize("provider, host", [("azure", DEVOPS), ("aws", CODECOMMIT)])
def test_S47_git_identity_of_the_controller(objects, source, closed_git, git_front, clouds, ns,
                                            provider, host):
    repo = closed_git.repository(ns)
    head = repo.commit({"a": "1"})
    source(git_url(host, repo), kind="GitRepository", provider=provider, ref={"branch": "main"})
    objects.ready("GitRepository", "src", revision=f"main@sha1:{head}")
    head = repo.commit({"a": "2"})
    objects.request("GitRepository", "src")
    objects.ready("GitRepository", "src", revision=f"main@sha1:{head}")


@pytest.mark.parametrize("provider, host, annotations", [("azure", DEVOPS, ENTRA),
                                                         ("aws", CODECOMMIT, ROLE)])
def test_S47_git_identity_of_a_service_account(objects, source, account, closed_git, git_front,
                                               clouds, ns, provider, host, annotations):
    repo = closed_git.repository(ns)
    repo.commit({"a": "1"})
    clouds.session = planted("session") + "/+=="  # what AWS gives has such characters
    source(git_url(host, repo), kind="GitRepository", provider=provider, ref={"branch": "main"},
           serviceAccountName=account("app", annotations))
    objects.ready("GitRepository", "src")
    path, field = {"azure": ("/tenant-9/oauth2/v2.0/token", "client_assertion"),
                   "aws": ("/", "WebIdentityToken")}[provider]
    form = form_of(clouds.asked(path)[-1])
    assert claims_of(form[field])["sub"] == f"system:serviceaccount:{ns}:app"
    if provider == "azure":
        assert form["scope"] == "499b84ac-1321-427f-aa17-267ca6975798/.default"
    else:
        assert f"{ACCESS_KEY}%{clouds.session}" in git_front.users


def test_S47_a_git_token_that_ends_before_its_time(objects, source, account, closed_git, git_front,
                                                   clouds, ns):
    repo = closed_git.repository(ns)
    repo.commit({"a": "1"})
    good, clouds.entra = clouds.entra, planted("revoked")
    try:
        source(git_url(DEVOPS, repo), kind="GitRepository", provider="azure",
               ref={"branch": "main"}, serviceAccountName=account("early", ENTRA))
        objects.ready("GitRepository", "src")
    finally:
        clouds.entra = good
    head = repo.commit({"a": "2"})
    objects.request("GitRepository", "src")
    objects.ready("GitRepository", "src", revision=f"main@sha1:{head}")


def test_S47_two_accounts_share_no_objects(objects, source, account, closed_git, git_front, ns):
    """What was fetched as one account is not there for another, that may not fetch it."""
    repo = closed_git.repository(ns)
    hidden = repo.commit({"a": "1"})
    source(git_url(DEVOPS, repo), "first", kind="GitRepository", provider="azure",
           ref={"branch": "main", "commit": hidden}, serviceAccountName=account("app", ENTRA))
    objects.ready("GitRepository", "first")
    mark = git_front.mark()
    source(git_url(DEVOPS, repo), "second", kind="GitRepository", provider="azure",
           ref={"branch": "main", "commit": hidden}, serviceAccountName=account("other", ENTRA))
    objects.ready("GitRepository", "second")
    packs = [r for r in git_front.requests(mark, path="git-upload-pack") if b"want" in r.body]
    assert packs, "the second account's objects were fetched by nobody"


@pytest.mark.parametrize("provider, url, text", [
    ("aws", "https://git.example.test/x.git", "invalid AWS CodeCommit Git URL: git.example.test"),
    ("aws", f"https://{CODECOMMIT}.example.test/x.git", "invalid AWS CodeCommit Git URL"),
    ("aws", f"http://{CODECOMMIT}/x.git", "AWS CodeCommit authentication requires an HTTPS Git URL"),
    ("azure", f"http://{DEVOPS}/x.git", "Azure DevOps authentication requires an HTTPS Git URL")])
def test_S47_no_identity_for_a_server_of_others(objects, source, git_front, provider, url, text):
    mark = git_front.mark()
    source(url, kind="GitRepository", provider=provider)
    obj = objects.not_ready("GitRepository", "src", "AuthenticationFailed")
    assert f"failed to configure authentication options: {text}" in \
        objects.condition(obj)["message"]
    assert git_front.count(mark) == 0


@pytest.mark.parametrize("service, provider, host, annotations, text", [
    ("entra", "azure", DEVOPS, ENTRA, "who are you"), ("sts", "aws", CODECOMMIT, ROLE, "AccessDenied")])
def test_S47_a_cloud_that_refuses(objects, source, account, clouds, service, provider, host,
                                  annotations, text):
    clouds.refuse.add(service)
    source(f"https://{host}/x.git", kind="GitRepository", provider=provider,
           serviceAccountName=account("refused", annotations))
    obj = objects.not_ready("GitRepository", "src", "AuthenticationFailed")
    assert text in objects.condition(obj)["message"]
