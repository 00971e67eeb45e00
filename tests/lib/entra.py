"""Microsoft Entra's token endpoint and Azure's instance metadata, by their documentation: applications
prove who they are by a secret, a certificate or another issuer's token, and get a token for what they
asked for."""
import base64
import hashlib
import json
import pathlib
import subprocess
import time
import urllib.parse
import uuid

from .jwt import Signer
from .planted import planted
from .sink import Sink

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEFAULT_SCOPE = "/.default"


def part(text):
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Refused(Exception):
    pass


class Entra(Sink):
    """`secrets`: of applications, by client id. `certificates`: the same, PEM files. `federated`: by
    client id a function of a token that says whether its issuer vouches for it. `claims` changes what
    the next tokens say; `tokens` lists those that were given."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.secrets, self.certificates, self.federated = {}, {}, {}
        self.claims, self.tokens = {}, []
        self.signer = Signer(self.dir)
        super().__init__()

    def take(self, message):
        with self.arrived:
            self.messages.append(message)
            self.arrived.notify_all()
        path, _, query = message.path.partition("?")
        fields = dict(urllib.parse.parse_qsl(query or message.body.decode()))
        try:
            if path == "/metadata/identity/oauth2/token":
                return self.answer(self.managed(message, fields))
            if message.method == "POST" and path.endswith("/oauth2/v2.0/token"):
                return self.answer(self.application(path.split("/")[1], fields))
        except Refused as e:
            words = (f"{e} Trace ID: {uuid.uuid4()} Correlation ID: {uuid.uuid4()} Timestamp: "
                     f"{time.strftime('%Y-%m-%d %H:%M:%SZ', time.gmtime())}")
            return 401, {}, json.dumps({"error": "invalid_client",
                                        "error_description": words}).encode()
        return 404, {}, b"{}"

    def managed(self, message, fields):
        if message.headers.get("Metadata") != "true" or fields.get("api-version") != "2018-02-01":
            raise Refused("AADSTS no metadata request")
        return {"aud": fields["resource"], "appid": fields.get("client_id", "the-machine")}

    def application(self, tenant, fields):
        client, scope = fields.get("client_id", ""), fields.get("scope", "")
        if fields.get("grant_type") != "client_credentials" or not scope.endswith(DEFAULT_SCOPE):
            raise Refused("AADSTS no such grant or scope")
        proof = fields.get("client_assertion")
        if proof and fields.get("client_assertion_type") != ASSERTION:
            raise Refused("AADSTS no such type of assertion")
        if proof and client in self.certificates:
            good = self.is_signed(tenant, client, proof)
        elif proof:
            good = client in self.federated and self.federated[client](proof)
        else:
            good = client in self.secrets and self.secrets[client] == fields.get("client_secret")
        if not good:
            raise Refused("AADSTS700027: no proof of the client")
        return {"aud": scope.removesuffix(DEFAULT_SCOPE), "appid": client, "tid": tenant}

    def is_signed(self, tenant, client, token):
        """RFC 7523 and what Entra asks of it: who it is from and for, its times, which certificate."""
        certificate = self.certificates[client]
        head, body, signature = token.split(".")
        header, claims = part(head), part(body)
        der = subprocess.run(["openssl", "x509", "-in", certificate, "-outform", "DER"], check=True,
                             capture_output=True).stdout
        thumb = base64.urlsafe_b64encode(hashlib.sha1(der).digest()).rstrip(b"=").decode()
        key, file = self.dir / "public.pem", self.dir / "signature"
        key.write_bytes(subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"],
                                       check=True, capture_output=True).stdout)
        file.write_bytes(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
        checked = subprocess.run(["openssl", "dgst", "-sha256", "-verify", key, "-signature", file],
                                 input=f"{head}.{body}".encode(), capture_output=True)
        return (checked.returncode == 0 and header["alg"] == "RS256" and header["x5t"] == thumb and
                claims["iss"] == claims["sub"] == client and claims["nbf"] <= time.time() and
                claims["aud"] == f"{self.url}/{tenant}/oauth2/v2.0/token" and
                time.time() < claims["exp"])

    def answer(self, claims):
        now = int(time.time())
        claims = {"iss": "https://sts.windows.net/tests/", "iat": now, "nbf": now - 60,
                  "exp": now + 3600, "oid": planted("entra"), **claims, **self.claims}
        self.tokens.append(self.signer.token(**claims))
        return 200, {}, json.dumps({"access_token": self.tokens[-1], "token_type": "Bearer",
                                    "expires_in": 3600}).encode()
