"""Kustomizations end to end: data keys kept by AWS KMS, Google Cloud KMS and Azure Key Vault, and Vault by
a ServiceAccount's login; on a server that follows their documented APIs."""
import base64
import json
import pathlib
import subprocess
import urllib.parse

import pytest

from tests.e2e.test_kustomize_decrypt import (SECRET, assert_untold, decryption, keys_secret,
                                              manifest, secret_of, sops,  # noqa: F401
                                              vault_manifest)
from tests.lib.apps import app  # noqa: F401
from tests.lib.controllers import Toolkit
from tests.lib.sink import Sink
from tests.lib.vault import Vault

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not (ROOT / "common" / "cloud").exists(),
                                reason="SKIPPED: common/cloud is not there")
RESOURCE = "projects/p/locations/global/keyRings/r/cryptoKeys/k"
ARN = "arn:aws:kms:eu-west-1:123456789012:key/abc"
ROLE = "arn:aws:iam::123456789012:role/reads-secrets"
CREATED = {"created_at": "2026-01-02T03:04:05Z", "enc": "c2VhbGVk"}


class Services(Sink):
    """All of them on one port; `data_key` is what each gives back."""

    def __init__(self):
        self.data_key = b""
        self.by_role = 0
        super().__init__({
            "/": self.aws, f"/v1/{RESOURCE}:decrypt": self.google, "/token": self.token,
            "/keys/k/v1/decrypt?api-version=7.4": self.azure,
            "/tenant/oauth2/v2.0/token": self.token})

    @staticmethod
    def reply(body, status=200):
        return status, {"Content-Type": "application/json"}, json.dumps(body).encode()

    def token(self, message, _):
        form = urllib.parse.parse_qs(message.body.decode())
        if form.get("client_secret", [""])[0] == "wrong":
            return self.reply({"error": "invalid_client", "error_description": "bad secret"}, 401)
        return self.reply({"access_token": "the-access-token", "expires_in": 3600})

    def encoded(self):
        return base64.b64encode(self.data_key).decode()

    def assume_role(self, message):
        """The Security Token Service: only AKIDTEST may take the role on, and gets keys of its own."""
        form = {key: values[0] for key, values in urllib.parse.parse_qs(message.body.decode()).items()}
        assert form.pop("RoleSessionName").startswith("sops@")
        assert form == {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": ROLE,
                        "DurationSeconds": "900"}
        if "Credential=AKIDTEST/" not in message.headers["Authorization"]:
            return 403, {"Content-Type": "text/xml"}, b"<ErrorResponse/>"
        return 200, {"Content-Type": "text/xml"}, (
            b"<AssumeRoleResponse><AssumeRoleResult><Credentials>"
            b"<AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>role-secret-key</SecretAccessKey>"
            b"<SessionToken>role-session</SessionToken><Expiration>2036-01-01T00:00:00Z</Expiration>"
            b"</Credentials></AssumeRoleResult></AssumeRoleResponse>")

    def aws(self, message, _):
        if "X-Amz-Target" not in message.headers:
            return self.assume_role(message)
        assert message.headers["X-Amz-Target"] == "TrentService.Decrypt"
        if message.headers.get("X-Amz-Security-Token") == "role-session":
            assert "Credential=AKIDROLE/" in message.headers["Authorization"]
            self.by_role += 1
            return self.reply({"Plaintext": self.encoded(), "KeyId": ARN})
        assert message.json["KeyId"] == ARN and message.json["CiphertextBlob"] == CREATED["enc"]
        if "Credential=AKIDTEST/" not in message.headers["Authorization"]:
            return self.reply({"__type": "AccessDeniedException", "Message": "no"}, 400)
        return self.reply({"Plaintext": self.encoded(), "KeyId": ARN})

    def google(self, message, _):
        assert message.headers["Authorization"] == "Bearer the-access-token"
        assert message.json == {"ciphertext": CREATED["enc"]}
        return self.reply({"plaintext": self.encoded()})

    def azure(self, message, _):
        assert message.headers["Authorization"] == "Bearer the-access-token"
        assert message.json == {"alg": "RSA-OAEP-256", "value": CREATED["enc"]}
        return self.reply({"value": base64.urlsafe_b64encode(self.data_key).decode().rstrip("=")})


@pytest.fixture(scope="module")
def services():
    server = Services()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory, services):
    kit = Toolkit(api, directory / "toolkit", kustomize_flags=[
        "--sops-vault-configmap=vaults", "--feature-gates=ObjectLevelWorkloadIdentity=true"],
        prefixes={"kustomize-controller": [
            "env", f"AWS_ENDPOINT_URL_KMS={services.url}",
            f"AWS_ENDPOINT_URL_STS={services.url}", f"GOOGLE_KMS_ENDPOINT={services.url}",
            f"AZURE_KEY_VAULT_URL={services.url}"]}).start()
    yield kit
    kit.finish()


def file_for(sops, services, kind, key):
    """A file of the real sops whose data key only the service has: metadata is not authenticated, so
    the age key in it can be another."""
    plain = json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
                        "stringData": {"password": SECRET, "number": "5"}})
    tree = json.loads(sops.encrypt(plain, "json", "--encrypted-regex", "^stringData$"))
    services.data_key = subprocess.run(
        [sops.programs / "age", "--decrypt", "-i", sops.age.path], check=True, timeout=60,
        input=tree["sops"].pop("age")[0]["enc"].encode(), capture_output=True).stdout
    tree["sops"][kind] = [{**key, **CREATED}]
    return json.dumps(tree)


def check(app, objects, toolkit, *secrets):
    app.kustomization(decryption=decryption(), retryInterval="1s")
    app.ready()
    assert secret_of(objects, "s") == {"password": SECRET, "number": "5"}
    assert_untold(objects, toolkit, SECRET, *secrets)


def test_K40_AWS_KMS(app, objects, sops, services, toolkit):
    keys_secret(objects, {"sops.aws-kms": "aws_access_key_id: AKIDTEST\n"
                                          "aws_secret_access_key: aws-secret-key\n"
                                          "aws_session_token: aws-session\n"})
    app.commit({"s.yaml": file_for(sops, services, "kms", {"arn": ARN})})
    check(app, objects, toolkit, "aws-secret-key", "aws-session")


def test_K40_AWS_KMS_by_a_role(app, objects, sops, services, toolkit):
    keys_secret(objects, {"sops.aws-kms": "aws_access_key_id: AKIDTEST\n"
                                          "aws_secret_access_key: aws-secret-key\n"})
    app.commit({"s.yaml": file_for(sops, services, "kms", {"arn": ARN, "role": ROLE})})
    check(app, objects, toolkit, "aws-secret-key", "role-secret-key", "role-session")
    assert services.by_role == 1


def test_K48_AWS_KMS_refuses(app, objects, sops, services, toolkit):
    keys_secret(objects, {"sops.aws-kms": "aws_access_key_id: other\naws_secret_access_key: key-2"})
    app.commit({"s.yaml": file_for(sops, services, "kms", {"arn": ARN})})
    app.kustomization(decryption=decryption())
    app.failed("BuildFailed", f"cannot get sops data key: kms {ARN}: ")
    assert_untold(objects, toolkit, "key-2")


def google_key(services, directory):
    path = directory / "google.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                    "-out", path], check=True, capture_output=True, timeout=60)
    return {"type": "service_account", "client_email": "a@p.iam.test", "private_key_id": "1",
            "private_key": path.read_text(), "token_uri": services.url + "/token"}


def test_K40_Google_Cloud_KMS(app, objects, sops, services, toolkit, directory):
    key = google_key(services, directory)
    keys_secret(objects, {"sops.gcp-kms": json.dumps(key)})
    app.commit({"s.yaml": file_for(sops, services, "gcp_kms", {"resource_id": RESOURCE})})
    check(app, objects, toolkit, key["private_key"].splitlines()[3], "the-access-token")


def azure_file(sops, services):
    return file_for(sops, services, "azure_kv",
                    {"vault_url": services.url, "name": "k", "version": "v1"})


@pytest.mark.parametrize("fields", [
    {"tenantId": "tenant", "clientId": "client", "clientSecret": "azure-secret"},
    {"tenant": "tenant", "appId": "client", "password": "azure-secret"}],
    ids=["documented", "as-az-prints"])
def test_K40_Azure_Key_Vault(app, objects, sops, services, toolkit, fields):
    keys_secret(objects, {"sops.azure-kv": json.dumps(
        {**fields, "authorityHost": services.url})})
    app.commit({"s.yaml": azure_file(sops, services)})
    check(app, objects, toolkit, "azure-secret", "the-access-token")


@pytest.mark.parametrize("entry, text, wanted", [
    ("sops.azure-kv", "tenantId: x", "clientId"), ("sops.aws-kms", "aws_access_key_id: x",
                                                   "aws_secret_access_key"),
    ("sops.gcp-kms", "{", "'sops.gcp-kms' data")], ids=["azure", "aws", "google"])
def test_K48_credentials_that_are_none(app, objects, sops, services, entry, text, wanted):
    keys_secret(objects, {entry: text})
    app.commit({"s.yaml": azure_file(sops, services)})
    app.kustomization(decryption=decryption())
    app.failed("BuildFailed", wanted)


def test_K48_Entra_refuses(app, objects, sops, services, toolkit):
    keys_secret(objects, {"sops.azure-kv": json.dumps({
        "tenantId": "tenant", "clientId": "c", "clientSecret": "wrong",
        "authorityHost": services.url})})
    app.commit({"s.yaml": azure_file(sops, services)})
    app.kustomization(decryption=decryption())
    app.failed("BuildFailed", f"cannot get sops data key: azure_kv k: ")


class LoginVault(Vault):
    """Gives its token for a ServiceAccount's."""

    def __init__(self):
        super().__init__()
        self.answers["/v1/auth/kubernetes/login"] = self.login

    def login(self, message, _):
        claims = message.json["jwt"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        ns, name = claims["sub"].split(":")[2:]
        if message.json["role"] != f"{ns}_{name}" or claims["aud"] != [self.url]:
            return 403, {}, b'{"errors": ["role"]}'
        return 200, {}, json.dumps({"auth": {"client_token": self.token}}).encode()


def test_K40_a_Vault_of_the_tests_by_a_service_account(app, objects, sops, services, toolkit, api):
    vault = LoginVault()
    try:
        api.kubectl("create", "serviceaccount", "reader", "-n", objects.ns)
        app.commit({"s.yaml": vault_manifest(sops, vault)})
        app.kustomization(decryption={"provider": "sops", "serviceAccountName": "reader"},
                          retryInterval="1s")
        app.failed("BuildFailed", "failed to get Vault ConfigMap 'flux-system/vaults'")
        config = {"apiVersion": "v1", "kind": "ConfigMap",
                  "metadata": {"name": "vaults", "namespace": "flux-system"}}
        api.apply({**config, "data": {"config.yaml": "instances: []"}})
        app.failed("BuildFailed", "no Vault login path configured for it")
        api.apply({**config, "data": {"config.yaml": json.dumps({"instances": [
            {"address": vault.url, "loginPath": "auth/kubernetes/login"}]})}})
        app.ready()
        assert secret_of(objects, "s") == {"password": SECRET, "number": "5"}
        assert_untold(objects, toolkit, vault.token)
    finally:
        vault.stop()
