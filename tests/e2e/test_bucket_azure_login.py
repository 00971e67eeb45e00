"""Buckets at Azurite by access tokens over TLS: it judges a token's issuer, audience and times."""
import json
import time

import pytest

from tests.e2e.test_bucket import failed, files_of, secret
from tests.lib.buckets import Azurite
from tests.lib.clouds import account, claims_of  # noqa: F401 - a fixture
from tests.lib.controllers import Toolkit
from tests.lib.entra import Entra
from tests.lib.pki import Authority
from tests.lib.planted import planted

AUDIENCE = "api://AzureADTokenExchange"


@pytest.fixture(scope="module")
def authority(directory):
    return Authority(directory / "pki")


@pytest.fixture(scope="module")
def azurite(directory, authority):
    server = Azurite(directory / "azurite", authority)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def entra(directory):
    server = Entra(directory / "entra")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory, entra, authority):
    kit = Toolkit(api, directory / "toolkit",
                  source_flags=["--feature-gates=ObjectLevelWorkloadIdentity=true"],
                  env={"AZURE_AUTHORITY_HOST": entra.url, "SSL_CERT_FILE": str(authority.cert),
                       "AZURE_POD_IDENTITY_AUTHORITY_HOST": entra.url})
    with kit.run("source-controller"):
        yield kit


@pytest.fixture
def source(objects, azurite, entra, ns):
    """A container with one blob, which nobody may read without a login."""
    container = ns[:60]
    azurite.bucket(container)
    azurite.put(container, "dir/a b.yaml", "1")
    entra.claims, entra.tokens = {}, []

    def make(name="src", **spec):
        objects.apply("Bucket", name, {"provider": "azure", "endpoint": azurite.endpoint,
                                       "bucketName": container, "interval": "1h", **spec})
    make.container = container
    return make


def assert_fetched(objects, name="src"):
    assert files_of(objects.ready("Bucket", name)) == {"dir/a b.yaml": "1"}


def test_D40_azurite_application_by_a_secret(objects, source, entra, azurite):
    entra.secrets["app-1"] = planted("client")
    app = {"tenantId": "tenant-1", "clientId": "app-1"}
    key = secret(objects, "app", clientSecret=entra.secrets["app-1"], authorityHost=entra.url, **app)
    source(secretRef=key)
    assert_fetched(objects)
    claims = claims_of(entra.tokens[0])
    assert (claims["tid"], claims["appid"]) == ("tenant-1", "app-1")
    assert claims["aud"] == "https://storage.azure.com"
    azurite.put(source.container, "new", "2")
    objects.request("Bucket", "src", "again")
    obj = objects.wait("Bucket", "src", lambda o: o["status"].get("lastHandledReconcileAt") ==
                       "again", "another run")
    assert files_of(obj) == {"dir/a b.yaml": "1", "new": "2"}
    assert len(entra.tokens) == 1, "the token is kept"
    source("wrong", secretRef=secret(objects, "wrong", clientSecret=planted("wrong"), **app))
    message = failed(objects, "wrong", "AuthenticationFailed")
    assert message.endswith("replied 401: invalid_client: AADSTS700027: no proof of the client"), message


def test_D40_azurite_application_by_a_certificate(objects, source, entra, authority, directory):
    cert, key = authority.issue("app-2")
    entra.certificates["app-2"] = cert
    app = {"tenantId": "tenant-2", "clientId": "app-2"}
    source(secretRef=secret(objects, "app", clientCertificate=cert.read_text() + key.read_text(),
                            **app))
    assert_fetched(objects)
    other = authority.issue("other")
    source("other", secretRef=secret(
        objects, "other", clientCertificate="".join(p.read_text() for p in other), **app))
    assert "AADSTS700027" in failed(objects, "other", "AuthenticationFailed")


def test_D40_azurite_workload_identity(objects, api, source, entra, account):
    """The account's token is one that the API server itself vouches for."""
    def vouched(token):
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
                  "spec": {"token": token, "audiences": [AUDIENCE]}}
        reply = api.rest.raw("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)[2]
        status = json.loads(reply)["status"]
        return (status.get("authenticated") and status["audiences"] == [AUDIENCE] and
                status["user"]["username"] == f"system:serviceaccount:{objects.ns}:app")
    entra.federated["app-3"] = vouched
    identity = {"azure.workload.identity/tenant-id": "tenant-3",
                "azure.workload.identity/client-id": "app-3"}
    source(serviceAccountName=account("app", identity))
    assert_fetched(objects)
    assert [claims_of(t)["tid"] for t in entra.tokens] == ["tenant-3"]
    source("other", serviceAccountName=account("other", identity))
    assert "AADSTS700027" in failed(objects, "other", "AuthenticationFailed")


def test_D40_azurite_managed_identity(objects, source, entra):
    """The controller's own, and one that a Secret names."""
    source()
    assert_fetched(objects)
    source("named", secretRef=secret(objects, "named", clientId="app-4"))
    assert_fetched(objects, "named")
    assert [claims_of(t)["appid"] for t in entra.tokens] == ["the-machine", "app-4"]


@pytest.fixture
def app(objects, entra):
    """The Secret of an application, whose tokens are as entra.claims says."""
    name = f"app-{objects.ns}"
    entra.secrets[name] = planted("client")
    return secret(objects, "app", tenantId="tenant-5", clientId=name, clientSecret=entra.secrets[name])


@pytest.mark.parametrize("claims, words", [
    ({"aud": "https://vault.azure.net"}, "Invalid token audience."),
    ({"iss": "https://issuer.test/"}, "Invalid token issuer."),
    ({"exp": int(time.time()) - 60}, "Lifetime validation failed. The token is expired.")],
    ids=["audience", "issuer", "expired"])
def test_S83_azurite_refuses_a_token(objects, source, entra, app, claims, words):
    """What is wrong with it is told, and nothing that would differ in the next try."""
    entra.claims = claims
    source(secretRef=app)
    message = failed(objects)
    assert "replied 403: AuthenticationFailed: Server failed to authenticate" in message, message
    assert message.endswith(f"signature.: {words}") and "RequestId" not in message, message
    assert entra.tokens and entra.tokens[0] not in message


def test_S86_azurite_a_token_that_is_over_is_got_anew(objects, source, entra, app):
    """Storage says 403 to it: it is kept no longer, though it was given for an hour. One that is over
    from its start stands in for one that becomes so."""
    entra.claims = {"exp": int(time.time()) - 60}
    source(secretRef=app)
    failed(objects)
    entra.claims = {}
    objects.request("Bucket", "src", "again")
    assert_fetched(objects)


def test_S88_azurite_sas_over_tls(objects, source, azurite):
    source(secretRef=secret(objects, "sas", sasKey=azurite.sas(source.container)))
    assert_fetched(objects)
