"""A server with the part of Vault's API that sops uses: the transit engine's encrypt and decrypt of one
key, with a token. It follows the documentation; it is not Vault, which does not compile as a dependency:
1.14.0, 1.14.10 and 1.21.4 are made against the SDK in their own tree, and no published SDK of those tried
(0.9.2, 0.10.0, 0.10.2, 0.21.0) has what they call. A program of its core and the transit engine alone
spent five to nine minutes of CPU before that was told. OpenBao is not served."""
import base64
import json
import os

from .sink import Sink

TOKEN = "hvs.the-token-of-the-tests"
KEY = "firstkey"


class Vault(Sink):
    def __init__(self, token=TOKEN, context=None):
        self.token, self.sealed = token, {}
        super().__init__({f"/v1/transit/encrypt/{KEY}": self.encrypt,
                          f"/v1/transit/decrypt/{KEY}": self.decrypt}, context)
        self.key_url = f"{self.url}/v1/transit/keys/{KEY}"

    def encrypt(self, message, _):
        text = f"vault:v1:{base64.b64encode(os.urandom(32)).decode()}"
        self.sealed[text] = message.json["plaintext"]
        return self.answer(message, 200, {"data": {"ciphertext": text, "key_version": 1}})

    def decrypt(self, message, _):
        plain = self.sealed.get(message.json["ciphertext"])
        if plain is None:
            return self.answer(message, 400, {"errors": ["cipher: message authentication failed"]})
        return self.answer(message, 200, {"data": {"plaintext": plain}})

    def answer(self, message, status, body):
        token = message.headers.get("X-Vault-Token")
        if token != self.token:
            status, body = 403, {"errors": [f"permission denied for {token}"]}
        return status, {"Content-Type": "application/json"}, json.dumps(body).encode()
