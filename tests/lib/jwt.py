"""JSON Web Tokens and key sets for tests, by the openssl command."""
import base64
import json
import pathlib
import time

from .pki import openssl


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Signer:
    """An RSA key that signs RS256 tokens; `jwk` is its public half."""

    def __init__(self, directory, kid="k1"):
        self.key = pathlib.Path(directory) / f"{kid}.pem"
        self.kid = kid
        openssl("genrsa", "-out", self.key, "2048")
        modulus = openssl("rsa", "-in", self.key, "-noout", "-modulus").stdout.decode().strip()
        n = bytes.fromhex(modulus.split("=")[1])
        self.jwk = {"kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig", "n": b64(n),
                    "e": b64(b"\x01\x00\x01")}

    def token(self, **claims):
        header = {"alg": "RS256", "typ": "JWT", "kid": self.kid}
        claims = {"exp": int(time.time()) + 300, **claims}
        text = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
        signature = openssl("dgst", "-sha256", "-sign", self.key, input=text.encode()).stdout
        return f"{text}.{b64(signature)}"
