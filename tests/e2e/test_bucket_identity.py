"""Buckets by workload identity: tokens of ServiceAccounts exchanged at services that stand in for
STS and Entra; both API servers."""
import base64
import json
import re
import urllib.parse

import pytest

from tests.e2e.test_bucket import failed, files_of
from tests.lib.buckets import ACCESS_KEY, SECRET_KEY, Versity
from tests.lib.controllers import Controller, Toolkit
from tests.lib.sink import Sink

STS_REPLY = """<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
<AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>""" % (ACCESS_KEY, SECRET_KEY)


@pytest.fixture(scope="module")
def s3(directory):
    server = Versity(directory / "s3")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def clouds():
    """STS, a container's agent and Entra in one."""
    def sts(message, count):
        if b"role%2Fdenied" in message.body:
            return 403, {}, b"<R><Error><Code>AccessDenied</Code></Error></R>"
        return 200, {}, STS_REPLY.encode()
    server = Sink({
        "/": sts,
        "/pod": lambda message, count: (200, {}, json.dumps({
            "AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY,
            "Expiration": "2099-01-01T00:00:00Z"}).encode()),
        "/tenant-9/oauth2/v2.0/token": lambda message, count: (
            200, {}, b'{"access_token": "planted-entra-token", "expires_in": 3600}')})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory, clouds):
    kit = Toolkit(api, directory / "toolkit",
                  source_flags=["--feature-gates=ObjectLevelWorkloadIdentity=true"],
                  env={"AWS_ENDPOINT_URL_STS": clouds.url + "/",
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI": clouds.url + "/pod",
                       "AZURE_AUTHORITY_HOST": clouds.url})
    kit.start("source-controller")
    yield kit
    log = kit["source-controller"].log()
    assert kit.stop() == {"source-controller": 0}, log[-4000:]
    assert SECRET_KEY not in log and "planted-entra-token" not in log


@pytest.fixture
def account(objects):
    def make(name, **annotations):
        objects.api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {
            "name": name, "namespace": objects.ns, "annotations": annotations}})
        return name
    return make


@pytest.fixture
def source(objects, s3, ns):
    s3.bucket(ns)
    s3.put(ns, "a", "1")

    def make(name="src", **spec):
        objects.apply("Bucket", name, {
            "provider": "aws", "endpoint": s3.endpoint, "bucketName": ns, "interval": "1h",
            "insecure": True, "region": "us-east-1", **spec})
    return make


def claims_of(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_D40_aws_role_of_a_service_account(objects, source, account, clouds, toolkit):
    role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::123:role/app"}
    clouds.clear()
    source(serviceAccountName=account("app", **role))
    assert files_of(objects.ready("Bucket", "src")) == {"a": "1"}
    form = urllib.parse.parse_qs(clouds.messages[0].body.decode())
    assert form["RoleArn"] == ["arn:aws:iam::123:role/app"]
    claims = claims_of(form["WebIdentityToken"][0])
    assert claims["sub"] == f"system:serviceaccount:{objects.ns}:app"
    assert claims["aud"] in ("sts.amazonaws.com", ["sts.amazonaws.com"])
    source("same", serviceAccountName="app")
    objects.ready("Bucket", "same")
    assert len(clouds.messages) == 1, "one credential for all who use the account"
    source("other", serviceAccountName=account("other", **role))
    objects.ready("Bucket", "other")
    assert len(clouds.messages) == 2, "no credential for another account"
    metrics = toolkit["source-controller"].metrics()
    assert "gotk_token_cached_items 2\n" in metrics
    answers = re.search(r'gotk_token_cache_requests_total\{status="success"\} (\d+)', metrics)
    assert int(answers[1]) >= 3


def test_D40_aws_refusals_name_the_account(objects, source, account):
    source(serviceAccountName=account(
        "denied", **{"eks.amazonaws.com/role-arn": "arn:aws:iam::123:role/denied"}))
    message = failed(objects, reason="AuthenticationFailed")
    assert "AccessDenied" in message and f"'{objects.ns}/denied'" in message
    source("bare", serviceAccountName=account("bare"))
    assert "eks.amazonaws.com/role-arn" in failed(objects, "bare", "AuthenticationFailed")
    source("absent", serviceAccountName="nobody")
    assert "failed to get service account" in failed(objects, "absent", "AuthenticationFailed")


def test_S86_aws_identity_of_the_controller(objects, source, clouds):
    source()
    assert files_of(objects.ready("Bucket", "src")) == {"a": "1"}
    assert [m for m in clouds.messages if m.path == "/pod"]


def test_D40_azure_identity_of_a_service_account(objects, account, clouds):
    service = Sink({})
    try:
        account("app", **{"azure.workload.identity/tenant-id": "tenant-9",
                          "azure.workload.identity/client-id": "client-9"})
        objects.apply("Bucket", "src", {
            "provider": "azure", "endpoint": service.url, "bucketName": "c", "interval": "1h",
            "serviceAccountName": "app"})
        failed(objects)
        assert service.messages[0].headers["Authorization"] == "Bearer planted-entra-token"
        asked = [m for m in clouds.messages if "tenant-9" in m.path][0]
        form = urllib.parse.parse_qs(asked.body.decode())
        assert form["client_id"] == ["client-9"]
        claims = claims_of(form["client_assertion"][0])
        assert claims["sub"] == f"system:serviceaccount:{objects.ns}:app"
        assert claims["aud"] in ("api://AzureADTokenExchange", ["api://AzureADTokenExchange"])
    finally:
        service.stop()


def test_D41_default_service_account_needs_the_gate(api, directory):
    process = Controller("source-controller", api, directory / "locked", [
        f"--storage-path={directory}", "--default-service-account=app"])
    assert process.child.wait(20) != 0
    assert "ObjectLevelWorkloadIdentity" in process.log()
