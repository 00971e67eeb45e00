"""Buckets by workload identity: tokens of ServiceAccounts exchanged at services that stand in for
STS and Entra; both API servers."""
import re

import pytest

from tests.e2e.test_bucket import failed, files_of
from tests.lib.buckets import s3  # noqa: F401 - a fixture
from tests.lib.clouds import account, claims_of, clouds, form_of  # noqa: F401 - fixtures
from tests.lib.controllers import Controller, Toolkit
from tests.lib.fake_s3 import FakeS3
from tests.lib.net import wait_until
from tests.lib.planted import planted
from tests.lib.sink import Sink


@pytest.fixture(scope="module")
def toolkit(api, directory, clouds):
    kit = Toolkit(api, directory / "toolkit",
                  source_flags=["--feature-gates=ObjectLevelWorkloadIdentity=true"],
                  env=clouds.env)
    with kit.run("source-controller"):
        yield kit


@pytest.fixture
def source(objects, s3, ns):
    s3.bucket(ns)
    s3.put(ns, "a", "1")

    def make(name="src", **spec):
        objects.apply("Bucket", name, {
            "provider": "aws", "endpoint": s3.endpoint, "bucketName": ns, "interval": "1h",
            "insecure": True, "region": "us-east-1", **spec})
    return make


def test_D40_aws_role_of_a_service_account(objects, source, account, clouds, toolkit):
    role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::123:role/app"}
    clouds.clear()
    source(serviceAccountName=account("app", role))
    assert files_of(objects.ready("Bucket", "src")) == {"a": "1"}
    form = form_of(clouds.messages[0])
    assert form["RoleArn"] == "arn:aws:iam::123:role/app"
    claims = claims_of(form["WebIdentityToken"])
    assert claims["sub"] == f"system:serviceaccount:{objects.ns}:app"
    assert claims["aud"] in ("sts.amazonaws.com", ["sts.amazonaws.com"])
    source("same", serviceAccountName="app")
    objects.ready("Bucket", "same")
    assert len(clouds.messages) == 1, "one credential for all who use the account"
    source("other", serviceAccountName=account("other", role))
    objects.ready("Bucket", "other")
    assert len(clouds.messages) == 2, "no credential for another account"
    metrics = toolkit["source-controller"].metrics()
    assert "gotk_token_cached_items 2\n" in metrics
    answers = re.search(r'gotk_token_cache_requests_total\{status="success"\} (\d+)', metrics)
    assert int(answers[1]) >= 3

    def told(event, name):
        told = re.search(
            rf'gotk_token_cache_events_total\{{event_type="{event}",kind="Bucket",name="{name}",'
            rf'namespace="{objects.ns}",operation="reconcile"\}} (\d+)\n',
            toolkit["source-controller"].metrics())
        return int(told[1]) if told else 0
    assert [told("cache_miss", name) for name in ("src", "same", "other")] == [1, 0, 1]
    assert told("cache_hit", "same") >= 1
    objects.delete("Bucket", "same")
    objects.gone("Bucket", "same")
    wait_until(lambda: not told("cache_hit", "same"), "the series of what is gone to go")
    assert told("cache_miss", "src") == 1


def test_D40_aws_refusals_name_the_account(objects, source, account):
    source(serviceAccountName=account(
        "denied", {"eks.amazonaws.com/role-arn": "arn:aws:iam::123:role/denied"}))
    message = failed(objects, reason="AuthenticationFailed")
    assert "AccessDenied" in message and f"'{objects.ns}/denied'" in message
    source("bare", serviceAccountName=account("bare", {}))
    assert "eks.amazonaws.com/role-arn" in failed(objects, "bare", "AuthenticationFailed")
    source("absent", serviceAccountName="nobody")
    assert "failed to get service account" in failed(objects, "absent", "AuthenticationFailed")


def test_S86_aws_identity_of_the_controller(objects, source, clouds):
    source()
    assert files_of(objects.ready("Bucket", "src")) == {"a": "1"}
    assert clouds.asked("/pod")


def test_S86_a_session_that_ends_amid_a_download(objects, account, clouds):
    """Another one is got, and the run goes on; a login that is refused at once is not kept."""
    files = {f"f{i}": str(i) for i in range(20)}
    clouds.session = planted("first-session")

    def ended():
        clouds.session = planted(f"session-{len(clouds.messages)}")
    fake = FakeS3(files, lives=[8, 1000, 0, 0, 1000], ended=ended)
    try:
        spec = {"provider": "aws", "endpoint": fake.endpoint, "bucketName": "b", "interval": "1h",
                "insecure": True, "region": "us-east-1", "serviceAccountName": account(
                    "app", {"eks.amazonaws.com/role-arn": "arn:aws:iam::123:role/app"})}
        objects.apply("Bucket", "src", spec)
        assert files_of(objects.ready("Bucket", "src")) == files
        name = f"app.{objects.ns}"[:40].encode()
        assert sum(name in m.body for m in clouds.asked("/")) == 2 == len(fake.sessions)
        assert not [e for e in objects.events("src") if e[0] == "Warning"]
        # One that ends at once, and so does the next: that is told, and got over.
        with fake.lock:
            fake.sessions[list(fake.sessions)[-1]] = 0
        fake.objects["new"] = b"1"
        objects.request("Bucket", "src", "again")
        obj = objects.wait("Bucket", "src", lambda o: o["status"].get(
            "lastHandledReconcileAt") == "again" and objects.condition(o)["status"] == "True",
                           "to be ready again")
        assert "new" in files_of(obj)
        wait_until(lambda: any(e[0] == "Warning" and "ExpiredToken" in e[2]
                               for e in objects.events("src")), "the Event")
    finally:
        clouds.session = ""
        fake.stop()


def test_D40_azure_identity_of_a_service_account(objects, account, clouds):
    service = Sink({})
    try:
        account("app", {"azure.workload.identity/tenant-id": "tenant-9",
                        "azure.workload.identity/client-id": "client-9"})
        objects.apply("Bucket", "src", {
            "provider": "azure", "endpoint": service.url, "bucketName": "c", "interval": "1h",
            "serviceAccountName": "app"})
        failed(objects)
        assert service.messages[0].headers["Authorization"] == f"Bearer {clouds.entra}"
        form = form_of(clouds.asked("/tenant-9/oauth2/v2.0/token")[0])
        assert form["client_id"] == "client-9"
        claims = claims_of(form["client_assertion"])
        assert claims["sub"] == f"system:serviceaccount:{objects.ns}:app"
        assert claims["aud"] in ("api://AzureADTokenExchange", ["api://AzureADTokenExchange"])
    finally:
        service.stop()


def test_D41_default_service_account_needs_the_gate(api, directory):
    process = Controller("source-controller", api, directory / "locked", [
        f"--storage-path={directory}", "--default-service-account=app"])
    assert process.child.wait(60) != 0
    assert "ObjectLevelWorkloadIdentity" in process.log()
