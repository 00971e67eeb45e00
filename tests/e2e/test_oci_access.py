"""Who may pull an OCIRepository's artifact, and over which connections: pull secrets in all forms, token
servers, certificates, proxies."""
import base64
import json
import ssl

import pytest

from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.fault import reply
from tests.lib.forward_proxy import Proxy as ForwardProxy
from tests.lib.net import wait_until
from tests.lib.pki import Authority
from tests.lib.planted import planted
from tests.lib.proxy import Proxy
from tests.lib.registry import Registry, TokenServer, docker_config, oci_failure

USER, PASSWORD = "tess", planted("password")
REFRESH = planted("refresh")


@pytest.fixture(scope="module")
def authority(directory):
    return Authority(directory / "pki")


@pytest.fixture(scope="module")
def context(authority):
    made = ssl.create_default_context(cafile=authority.cert)
    made.check_hostname = False
    return made


@pytest.fixture(scope="module")
def basic(directory, authority, context):
    """HTTPS and htpasswd."""
    server = Registry(directory / "basic", tls=authority.issue("basic"), auth=(USER, PASSWORD),
                      context=context)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def tokens(authority):
    server = TokenServer(authority, {USER: PASSWORD, "pusher": "p"}, refresh=[REFRESH])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def bearer(directory, authority, context, tokens):
    """HTTPS and tokens of another server's."""
    server = Registry(directory / "bearer", tls=authority.issue("bearer"), tokens=tokens,
                      context=context)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def plain(directory):
    server = Registry(directory / "plain")
    yield server
    server.stop()


@pytest.fixture(scope="module", autouse=True)
def no_secret_is_told(toolkit):
    yield
    log = toolkit["source-controller"].log()
    assert "eyJ" not in log, log[-4000:]


@pytest.fixture
def ca(secret, authority):
    secret("ca", ca__crt=authority.cert.read_text())
    return {"name": "ca"}


def push_as(tokens, registry, ns, tag, files):
    """Pushes with a token made for it."""
    registry.headers = {"Authorization": "Bearer " + tokens.token(
        [f"repository:{ns}:pull,push"])}
    return registry.push(ns, tag, files)


def test_S54_pull_secrets_in_all_forms(objects, basic, ns, secret, ca, authority):
    digest = basic.push(ns, "latest", {"a": "1"})
    encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    plain = {"username": USER, "password": PASSWORD}
    forms = {
        "auth": {"dockerconfigjson": {"auths": {basic.host: {"auth": encoded}}}},
        "unpadded": {"dockerconfigjson": {"auths": {basic.host: {"auth": encoded.rstrip("=")}}}},
        "plain": {"dockerconfigjson": {"auths": {basic.host: plain}}},
        "path": {"dockerconfigjson": {"auths": {
            f"https://{basic.host}/v2/": {"auth": "d3Jvbmc6d3Jvbmc="},
            f"https://{basic.host}/v2/{ns}": plain}}},
        "legacy": {"dockercfg": {f"https://{basic.host}": plain}},
    }
    for name, data in forms.items():
        (key, config), = data.items()
        secret(name, **{"__" + key: json.dumps(config)})
        objects.apply("OCIRepository", name, {
            "url": basic.url_of(ns), "interval": "1h", "secretRef": {"name": name},
            "certSecretRef": ca})
    for name in forms:
        objects.ready("OCIRepository", name, revision=digest)


def test_S54_service_account_and_two_secrets(objects, api, basic, ns, secret, ca):
    basic.push(ns, "latest", {"a": "1"})
    secret("other", __dockerconfigjson=docker_config("registry.example", "x", "y"))
    secret("mine", __dockerconfigjson=docker_config(basic.host, USER, PASSWORD))
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount",
               "metadata": {"name": "puller", "namespace": ns},
               "imagePullSecrets": [{"name": "other"}, {"name": "mine"}]})
    objects.apply("OCIRepository", "src", {
        "url": basic.url_of(ns), "interval": "1h", "serviceAccountName": "puller",
        "certSecretRef": ca, "provider": "aws"})  # static credentials beat the cloud's
    objects.ready("OCIRepository", "src")
    objects.apply("OCIRepository", "src", {
        "url": basic.url_of(ns), "interval": "1h", "serviceAccountName": "nobody",
        "certSecretRef": ca})
    oci_failure(objects, "AuthenticationFailed",
                f"failed to get credential: serviceaccount '{ns}/nobody' not found")
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount",
               "metadata": {"name": "broken", "namespace": ns},
               "imagePullSecrets": [{"name": "absent"}]})
    objects.apply("OCIRepository", "src", {
        "url": basic.url_of(ns), "interval": "1h", "serviceAccountName": "broken",
        "certSecretRef": ca})
    oci_failure(objects, "AuthenticationFailed",
                f"failed to get image pull secret for serviceaccount '{ns}/broken': secret "
                f"'{ns}/absent' not found")


def test_S54_cloud_identity_of_an_account_needs_the_gate(objects, api, basic, ns, ca):
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount",
               "metadata": {"name": "cloudy", "namespace": ns}})
    objects.apply("OCIRepository", "src", {
        "url": basic.url_of(ns), "interval": "1h", "serviceAccountName": "cloudy",
        "certSecretRef": ca, "provider": "gcp"})
    obj = oci_failure(objects, "FeatureGateDisabled", "ObjectLevelWorkloadIdentity")
    assert objects.condition(obj, "Stalled")["reason"] == "FeatureGateDisabled"


def test_S55_missing_secret_bad_login_and_bad_config(objects, basic, ns, secret, ca):
    basic.push(ns, "latest", {"a": "1"})
    spec = {"url": basic.url_of(ns), "interval": "1h", "certSecretRef": ca}
    objects.apply("OCIRepository", "src", {**spec, "secretRef": {"name": "login"}})
    oci_failure(objects, "AuthenticationFailed",
                f"failed to get credential: failed to get secret '{ns}/login'")
    wait_until(lambda: [e for e in objects.events("src")
                        if e[2] == "auth secret 'login' not found"], "the event")
    secret("login", __dockerconfigjson="{" + PASSWORD)
    objects.request("OCIRepository", "src", "1")
    oci_failure(objects, "AuthenticationFailed", "docker config is no valid JSON object")
    secret("login", __dockerconfigjson=docker_config(basic.host, USER, "wrong" + PASSWORD))
    objects.request("OCIRepository", "src", "2")
    obj = oci_failure(objects, "OCIArtifactPullFailed", "UNAUTHORIZED")
    assert PASSWORD not in json.dumps(obj["status"])
    objects.apply("OCIRepository", "src", {**spec, "secretRef": {"name": "login"},
                                           "ref": {"semver": "*"}})
    oci_failure(objects, "ReadOperationFailed", "UNAUTHORIZED")


def test_S54_tokens_are_asked_for_once_for_many_objects(objects, bearer, tokens, ns, secret, ca):
    digest = push_as(tokens, bearer, ns, "latest", {"a": "1"})
    secret("login", __dockerconfigjson=docker_config(bearer.host, USER, PASSWORD))
    spec = {"url": bearer.url_of(ns), "interval": "1h", "certSecretRef": ca,
            "secretRef": {"name": "login"}}
    objects.apply("OCIRepository", "first", spec)
    objects.ready("OCIRepository", "first", revision=digest)
    asked = [a for a in tokens.asked if a[2] == [f"repository:{ns}:pull"]]
    assert asked == [("GET", USER, [f"repository:{ns}:pull"])]
    for i in range(5):
        objects.apply("OCIRepository", f"more{i}", spec)
    for i in range(5):
        objects.ready("OCIRepository", f"more{i}")
    assert [a for a in tokens.asked if a[2] == [f"repository:{ns}:pull"]] == asked


def test_S54_refresh_token_and_registry_token(objects, bearer, tokens, ns, secret, ca):
    push_as(tokens, bearer, ns, "latest", {"a": "1"})
    entries = {
        "identity": {"identitytoken": REFRESH},
        "disguised": {"username": "<token>", "password": REFRESH},
        "registry": {"registrytoken": tokens.token([f"repository:{ns}:pull"])},
    }
    for name, entry in entries.items():
        secret(name, __dockerconfigjson=json.dumps({"auths": {bearer.host: entry}}))
        objects.apply("OCIRepository", name, {
            "url": bearer.url_of(ns), "interval": "1h", "certSecretRef": ca,
            "secretRef": {"name": name}})
        objects.ready("OCIRepository", name)
    # Two objects with one refresh token: one request; the registry's own token: none.
    assert [a[:2] for a in tokens.asked if a[2] == [f"repository:{ns}:pull"]] == [("POST", "refresh")]


def test_S54_a_token_that_ends_midway(objects, bearer, tokens, ns, secret, context, authority):
    """The manifest came, and for the blob the token is no longer good: another one is fetched, once,
    and the pull goes on."""
    push_as(tokens, bearer, ns, "latest", {"a": "1"})
    front = Proxy(bearer.url, authority.cert)
    front.client_context.check_hostname = False
    try:
        challenge = f'Bearer realm="{tokens.url}",service="{tokens.service}",' \
                    f'scope="repository:{ns}:pull",error="invalid_token"'
        front.on(reply(401, b"", {"WWW-Authenticate": challenge}), times=1, path="/blobs/")
        with open(front.ca_file) as own:
            secret("both", ca__crt=own.read() + authority.cert.read_text())
        secret("login", __dockerconfigjson=docker_config(f"127.0.0.1:{front.port}", USER,
                                                         PASSWORD))
        objects.apply("OCIRepository", "src", {
            "url": f"oci://127.0.0.1:{front.port}/{ns}", "interval": "1h",
            "certSecretRef": {"name": "both"}, "secretRef": {"name": "login"}})
        objects.ready("OCIRepository", "src")
        asked = [a for a in tokens.asked if a[2] == [f"repository:{ns}:pull"]]
        assert len(asked) == 2
        assert [r.status for r in front.requests(path="/blobs/")] == [401, 200]
    finally:
        front.stop()


def test_S55_bad_login_at_the_token_server(objects, bearer, tokens, ns, secret, ca):
    push_as(tokens, bearer, ns, "latest", {"a": "1"})
    secret("login", __dockerconfigjson=docker_config(bearer.host, USER, "wrong" + PASSWORD))
    objects.apply("OCIRepository", "src", {
        "url": bearer.url_of(ns), "interval": "1h", "certSecretRef": ca,
        "secretRef": {"name": "login"}})
    obj = oci_failure(objects, "OCIArtifactPullFailed", "UNAUTHORIZED: who are you")
    assert PASSWORD not in json.dumps(obj["status"])


def test_S56_a_private_ca_needs_its_secret(objects, basic, ns, secret, ca, authority):
    basic.push(ns, "latest", {"a": "1"})
    secret("login", __dockerconfigjson=docker_config(basic.host, USER, PASSWORD))
    spec = {"url": basic.url_of(ns), "interval": "1h", "secretRef": {"name": "login"}}
    objects.apply("OCIRepository", "src", spec)
    oci_failure(objects, "OCIArtifactPullFailed", "tls: ")
    objects.apply("OCIRepository", "src", {**spec, "certSecretRef": ca})
    objects.ready("OCIRepository", "src")
    objects.apply("OCIRepository", "lax", {**spec, "insecure": True})
    objects.ready("OCIRepository", "lax")
    secret("old", caFile=authority.cert.read_text())
    objects.apply("OCIRepository", "old", {**spec, "certSecretRef": {"name": "old"}})
    objects.ready("OCIRepository", "old")
    # With a CA given, insecure does not switch the check off.
    other = Authority(authority.dir / "other")
    secret("wrong", ca__crt=other.cert.read_text())
    objects.apply("OCIRepository", "strict", {**spec, "insecure": True,
                                              "certSecretRef": {"name": "wrong"}})
    oci_failure(objects, "OCIArtifactPullFailed", "tls: ", name="strict")


@pytest.mark.parametrize("name, issued, words", [
    ("expired", {"days": -1}, "certificate has expired"),
    ("elsewhere", {"san": "DNS:example.org"}, "subject name")])
def test_S56_certificates_that_are_over_or_of_another_host(
        objects, directory, authority, ns, ca, name, issued, words):
    server = Registry(directory / name, tls=authority.issue(name, **issued),
                      context=ssl._create_unverified_context())
    try:
        server.push(ns, "latest", {"a": "1"})
        objects.apply("OCIRepository", "src", {
            "url": server.url_of(ns), "interval": "1h", "certSecretRef": ca})
        oci_failure(objects, "OCIArtifactPullFailed", words)
    finally:
        server.stop()


@pytest.mark.parametrize("insecure", [False, True], ids=["a local host", "insecure"])
def test_S56_a_registry_that_begins_to_speak_tls(objects, directory, authority, context, ns, ca, insecure):
    """At once and for good, and back again."""
    spec = {"interval": "1h", **({"insecure": True} if insecure else {"certSecretRef": ca})}
    home, port = directory / f"moves-{insecure}", None
    for files, tls in (({"a": "1"}, None), ({"a": "2"}, authority.issue("moves")), ({"a": "3"}, None)):
        server = Registry(home, tls=tls, context=context if tls else None, port=port)
        try:
            port = server.port
            digest = server.push(ns, "latest", files)
            if files == {"a": "1"}:
                objects.apply("OCIRepository", "src", {**spec, "url": server.url_of(ns)})
            else:
                objects.request("OCIRepository", "src", files["a"])
            objects.ready("OCIRepository", "src", revision=digest)
            if tls:
                assert not [e for e in objects.events("src") if e[0] == "Warning"]
        finally:
            server.stop()


def test_S56_certificate_secrets_that_lack_something(objects, basic, ns, secret, authority):
    cert, key = authority.issue("half")
    rows = {
        "cert": ({"tls__crt": cert.read_text()}, "contains 'tls.crt' but missing 'tls.key'"),
        "key": ({"tls__key": key.read_text()}, "contains 'tls.key' but missing 'tls.crt'"),
        "none": ({"x": "y"}, "must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'"),
        "junk": ({"ca__crt": "junk"}, "failed to generate transport for 'oci://"),
    }
    for name, (data, text) in rows.items():
        secret(name, **data)
        objects.apply("OCIRepository", name, {
            "url": basic.url_of(ns), "interval": "1h", "certSecretRef": {"name": name}})
        oci_failure(objects, "AuthenticationFailed", text, name=name)


def test_S56_client_certificate(objects, directory, authority, context, ns, secret):
    pair = authority.issue("client")
    context.load_cert_chain(*pair)
    server = Registry(directory / "mutual", tls=authority.issue("mutual"), context=context,
                      client_ca=authority.cert)
    try:
        server.push(ns, "latest", {"a": "1"})
        secret("pair", ca__crt=authority.cert.read_text(), tls__crt=pair[0].read_text(),
               tls__key=pair[1].read_text())
        secret("ca", ca__crt=authority.cert.read_text())
        spec = {"url": server.url_of(ns), "interval": "1h"}
        objects.apply("OCIRepository", "with", {**spec, "certSecretRef": {"name": "pair"}})
        objects.ready("OCIRepository", "with")
        objects.apply("OCIRepository", "without", {**spec, "certSecretRef": {"name": "ca"}})
        oci_failure(objects, "OCIArtifactPullFailed", "tls: ", name="without")
    finally:
        server.stop()


def test_S56_plain_http_needs_insecure_where_the_host_is_not_local(objects, plain, ns, secret):
    """The host has a public name, which only the proxy knows."""
    plain.push(ns, "latest", {"a": "1"})
    proxy = ForwardProxy(("127.0.0.1", plain.port), socks=True)
    try:
        secret("proxy", address=f"socks5://127.0.0.1:{proxy.port}")
        spec = {"url": f"oci://registry.test:80/{ns}", "interval": "1h",
                "proxySecretRef": {"name": "proxy"}}
        objects.apply("OCIRepository", "src", spec)
        oci_failure(objects, "OCIArtifactPullFailed", "https://registry.test:80/")
        objects.apply("OCIRepository", "src", {**spec, "insecure": True})
        objects.ready("OCIRepository", "src")
        assert set(proxy.asked) == {"registry.test:80"}
    finally:
        proxy.stop()


def test_S36_proxy_secrets(objects, basic, ns, secret, ca):
    rows = {
        "absent": (None, "failed to get proxy address: secret 'NS/absent' not found"),
        "nokey": ({"x": "y"}, "secret 'NS/nokey': key 'address' not found"),
        "empty": ({"address": ""}, "secret 'NS/empty': proxy address is empty"),
        "scheme": ({"address": "ftp://proxy.test"}, "got 'ftp'"),
    }
    for name, (data, text) in rows.items():
        if data is not None:
            secret(name, **data)
        objects.apply("OCIRepository", name, {
            "url": basic.url_of(ns), "interval": "1h", "proxySecretRef": {"name": name}})
        oci_failure(objects, "AuthenticationFailed", text.replace("NS", ns), name=name)


def test_S54_no_credentials_where_a_redirect_leads(objects, plain, ns, secret, basic, context):
    """A blob's redirect to another port takes neither Authorization nor the token there."""
    plain.push(ns, "latest", {"a": "1"})
    front, store = Proxy(plain.url), Proxy(plain.url)
    try:
        front.on(lambda x: x.reply(307, b"", [("Location", store.url + x.request.target)]),
                 path="/blobs/sha256")
        front.on(lambda x: x.reply(401, b"", [("WWW-Authenticate", 'Basic realm="x"')])
                 if not x.request.header("authorization") else x.forward(), path="/manifests/")
        secret("login", __dockerconfigjson=docker_config(f"127.0.0.1:{front.port}", USER,
                                                         PASSWORD))
        objects.apply("OCIRepository", "src", {
            "url": f"oci://127.0.0.1:{front.port}/{ns}", "interval": "1h",
            "secretRef": {"name": "login"}})
        objects.ready("OCIRepository", "src")
        assert front.requests(path="/manifests/")[-1].header("authorization")
        assert store.count(path="/blobs/") == 1
        assert store.requests(path="/blobs/")[0].header("authorization") is None
    finally:
        front.stop()
        store.stop()
