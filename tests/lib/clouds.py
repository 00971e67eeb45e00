"""The clouds' services that hand out credentials, by their documentation and in one server: AWS' STS,
ECR and container agent, Azure's Entra, Google's metadata server and STS. `env` is what a daemon needs
to find them."""
import base64
import hashlib
import hmac
import json
import re
import urllib.parse

import pytest

from .buckets import ACCESS_KEY, SECRET_KEY, signing_key
from .planted import planted
from .sink import Sink

STS_REPLY = """<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
<AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey>%s
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""


def claims_of(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def form_of(message):
    return {k: v[0] for k, v in urllib.parse.parse_qs(message.body.decode()).items()}


def is_signed(message, region, service):
    """Whether AWS would take the request: its signature, computed from what was sent."""
    match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=(\S+?)/(\S+), ?SignedHeaders=(\S+), ?"
                         r"Signature=(\S+)", message.headers.get("Authorization", ""))
    if not match:
        return False
    user, scope, names, signature = match.groups()
    headers = {k.lower(): v for k, v in message.headers.items()}
    stamp = headers["x-amz-date"]
    lines = [message.method, message.path, ""]
    lines += [f"{n}:{headers[n]}" for n in names.split(";")]
    lines += ["", names, hashlib.sha256(message.body).hexdigest()]
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                      hashlib.sha256("\n".join(lines).encode()).hexdigest()])
    key = signing_key(SECRET_KEY, stamp[:8], region, service)
    return user == ACCESS_KEY and scope == f"{stamp[:8]}/{region}/{service}/aws4_request" and \
        hmac.compare_digest(signature, hmac.new(key, text.encode(), hashlib.sha256).hexdigest())


class Clouds(Sink):
    """`entra`, `google`, `session`, `ecr` are the secrets that it hands out. `refuse` names services
    that say no: "sts", "ecr", "entra"."""

    def __init__(self):
        self.entra, self.google = planted("entra"), planted("google")
        self.session, self.ecr = "", planted("ecr")
        self.refuse = set()
        metadata = "/computeMetadata/v1/instance/service-accounts/default/token"
        super().__init__({
            "/": self.aws, "/pod": self.agent, "/tenant-9/oauth2/v2.0/token": self.azure,
            "/metadata/identity/oauth2/token": self.azure, metadata: self.gcp,
            "/v1/token": self.gcp})
        self.env = {"AWS_ENDPOINT_URL_STS": self.url + "/", "AWS_ENDPOINT_URL_ECR": self.url,
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI": self.url + "/pod",
                    "AZURE_AUTHORITY_HOST": self.url,
                    "AZURE_POD_IDENTITY_AUTHORITY_HOST": self.url,
                    "GCE_METADATA_HOST": f"127.0.0.1:{self.port}",
                    "GOOGLE_STS_ENDPOINT": self.url}

    def take(self, message):
        """Answers by the path alone."""
        with self.arrived:
            self.messages.append(message)
            self.arrived.notify_all()
        answer = self.answers.get(message.path.split("?")[0])
        return answer(message) if answer else (404, {}, b"")

    def asked(self, path):
        return [m for m in self.messages if m.path.split("?")[0] == path]

    def aws(self, message):
        if "X-Amz-Target" in message.headers:
            return self.login_of_ecr(message)
        if b"role%2Fdenied" in message.body or "sts" in self.refuse:
            return 403, {}, b"<R><Error><Code>AccessDenied</Code></Error></R>"
        session = f"<SessionToken>{self.session}</SessionToken>" if self.session else ""
        return 200, {}, (STS_REPLY % (ACCESS_KEY, SECRET_KEY, session)).encode()

    def login_of_ecr(self, message):
        scope = message.headers.get("Authorization", "").split("/")
        if "ecr" in self.refuse or not is_signed(message, scope[2], "ecr"):
            return 400, {}, b'{"__type": "AccessDeniedException", "message": "no such key"}'
        token = base64.b64encode(f"AWS:{self.ecr}".encode()).decode()
        return 200, {}, json.dumps({"authorizationData": [
            {"authorizationToken": token, "expiresAt": 4e9}]}).encode()

    def agent(self, message):
        token = {"Token": self.session} if self.session else {}
        return 200, {}, json.dumps({
            "AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY, **token,
            "Expiration": "2099-01-01T00:00:00Z"}).encode()

    def azure(self, message):
        if "entra" in self.refuse:
            return 401, {}, b'{"error": "invalid_client", "error_description": "who are you"}'
        return 200, {}, json.dumps({"access_token": self.entra, "expires_in": 3600}).encode()

    def gcp(self, message):
        return 200, {}, json.dumps({"access_token": self.google, "expires_in": 3600,
                                    "token_type": "Bearer"}).encode()


@pytest.fixture(scope="module")
def clouds():
    server = Clouds()
    yield server
    server.stop()


@pytest.fixture
def account(objects):
    """Makes a ServiceAccount: its name."""
    def make(name, annotations, **more):
        objects.api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {
            "name": name, "namespace": objects.ns, "annotations": annotations}, **more})
        return name
    return make
