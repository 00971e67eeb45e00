"""Real bucket services for tests, and what is needed to put objects into them: versitygw (S3),
fake-gcs-server, Azurite."""
import base64
import datetime
import hashlib
import hmac
import json
import pathlib
import urllib.parse

import pytest

from .net import free_port, http
from .oracle import oracle
from .planted import planted
from .process import Process

ACCESS_KEY, SECRET_KEY = "tests-access-key", planted("gateway")
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = base64.b64encode(planted("azure-account-key").ljust(64).encode()).decode()


def quote(text):
    return urllib.parse.quote(text, safe="-._~")


def hmac_sha256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signing_key(secret, day, region, service):
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac_sha256(key, part)
    return key


def sigv4(method, host, path, query, body, region):
    """Headers of a signed S3 request, by AWS's description and not by the code under test."""
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    payload = hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": payload, "x-amz-date": stamp}
    names = ";".join(sorted(headers))
    canonical = "\n".join([method, path, query] + [f"{k}:{headers[k]}" for k in sorted(headers)] +
                          ["", names, payload])
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = signing_key(SECRET_KEY, stamp[:8], region, "s3")
    del headers["host"]
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, "
        f"Signature={hmac_sha256(key, text).hex()}")
    return headers


class Versity:
    """The S3 gateway on a folder; `log` counts requests."""

    def __init__(self, directory, region="us-east-1", flags=(), tls=None):
        self.port, self.region = free_port(), region
        self.scheme = "https" if tls else "http"
        self.context = tls.client_context() if tls else None
        self.endpoint = f"127.0.0.1:{self.port}"
        root = pathlib.Path(directory)
        (root / "data").mkdir(parents=True, exist_ok=True)
        self.access_log = root / "access.log"
        self.process = Process(
            [oracle("versitygw") / "versitygw", "--port", self.endpoint, "--access", ACCESS_KEY,
             "--secret", SECRET_KEY, "--region", region, "--quiet", "--access-log",
             self.access_log, "--keep-alive", *flags, "posix", "--sidecar", root / "side",
             root / "data"], root / "log")
        (root / "side").mkdir(exist_ok=True)
        self.process.wait_ready(lambda: http(
            "GET", f"{self.scheme}://{self.endpoint}/", context=self.context)[0], "versitygw")

    def call(self, method, path, body=b"", query=""):
        path = urllib.parse.quote(path, safe="/-._~")
        headers = sigv4(method, self.endpoint, path, query, body, self.region)
        url = f"{self.scheme}://{self.endpoint}{path}" + (f"?{query}" if query else "")
        status, _, reply = http(method, url, body or None, headers, self.context)
        assert status in (200, 204), (method, path, status, reply)
        return reply

    def bucket(self, name):
        self.call("PUT", f"/{name}")
        return name

    def put(self, bucket, key, content):
        data = content if isinstance(content, bytes) else content.encode()
        self.call("PUT", f"/{bucket}/{key}", data)

    def delete(self, bucket, key):
        self.call("DELETE", f"/{bucket}/{key}")

    def stop(self):
        self.process.stop()


class FakeGcs:
    def __init__(self, directory):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        root = pathlib.Path(directory)
        root.mkdir(parents=True, exist_ok=True)
        self.process = Process(
            [oracle("fake-gcs-server") / "fake-gcs-server", "-backend", "memory", "-scheme", "http",
             "-host", "127.0.0.1", "-port", self.port, "-external-url", self.url, "-public-host",
             f"127.0.0.1:{self.port}"], root / "log")
        self.process.wait_ready(lambda: http("GET", self.url + "/storage/v1/b")[0] == 200,
                                "fake-gcs-server")

    def call(self, method, path, body=None, **headers):
        status, _, reply = http(method, self.url + path, body, headers)
        assert status in (200, 204), (method, path, status, reply)
        return reply

    def bucket(self, name):
        self.call("POST", "/storage/v1/b", json.dumps({"name": name}),
                  **{"Content-Type": "application/json"})
        return name

    def put(self, bucket, key, content):
        self.call("POST", f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(key)}",
                  content, **{"Content-Type": "text/plain"})

    def delete(self, bucket, key):
        self.call("DELETE", f"/storage/v1/b/{bucket}/o/{quote(key)}")

    def stop(self):
        self.process.stop()


class Azurite:
    """Azure's emulator; the account is the first label of the host, as at Azure. With `authority` it
    speaks TLS and takes access tokens, of which it judges issuer, audience and times."""

    def __init__(self, directory, authority=None):
        self.port = free_port()
        name = f"{AZURE_ACCOUNT}.blob.localhost"
        self.host = f"{name}:{self.port}"
        self.scheme = "https" if authority else "http"
        self.endpoint = f"{self.scheme}://{self.host}"
        self.context = authority.client_context() if authority else None
        flags = []
        if authority:
            cert, key = authority.issue("azurite", f"IP:127.0.0.1,DNS:{name}")
            flags = ["--oauth", "basic", "--cert", cert, "--key", key]
        root = pathlib.Path(directory)
        root.mkdir(parents=True, exist_ok=True)
        program = oracle("azurite") / "node_modules/azurite/dist/src/blob/main.js"
        self.process = Process(
            ["node", program, "--blobHost", "127.0.0.1", "--blobPort", self.port,
             "--inMemoryPersistence", "--silent", "--skipApiVersionCheck",
             "--disableTelemetry", *flags], root / "log", cwd=root,
            env={"AZURITE_ACCOUNTS": f"{AZURE_ACCOUNT}:{AZURE_KEY}"})
        self.process.wait_ready(lambda: http("GET", f"{self.scheme}://127.0.0.1:{self.port}/",
                                             context=self.context)[0], "azurite")

    def sign(self, method, path, headers, body, query):
        """Shared Key, by Azure's description."""
        length, kind = str(len(body)) if body else "", headers.get("Content-Type", "")
        lines = [method, "", "", length, "", kind, "", "", "", "", "", ""]
        lines += [f"{k}:{v}" for k, v in sorted(headers.items()) if k.startswith("x-ms-")]
        lines.append(f"/{AZURE_ACCOUNT}{path}")
        lines += [f"{k}:{v}" for k, v in sorted(query.items())]
        mac = hmac.new(base64.b64decode(AZURE_KEY), "\n".join(lines).encode(), hashlib.sha256)
        return f"SharedKey {AZURE_ACCOUNT}:{base64.b64encode(mac.digest()).decode()}"

    def call(self, method, path, body=b"", **query):
        path = urllib.parse.quote(path, safe="/-._~")
        now = datetime.datetime.now(datetime.timezone.utc)
        headers = {"x-ms-version": "2021-12-02", "Host": self.host,
                   "x-ms-date": now.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        if body:
            headers |= {"x-ms-blob-type": "BlockBlob", "Content-Type": "text/plain"}
        headers["Authorization"] = self.sign(method, path, headers, body, query)
        tail = "?" + urllib.parse.urlencode(query) if query else ""
        status, _, reply = http(method, f"{self.scheme}://127.0.0.1:{self.port}{path}{tail}",
                                body or None, headers, self.context)
        assert status in (200, 201, 202), (method, path, status, reply)
        return reply

    def bucket(self, name):
        self.call("PUT", f"/{name}", restype="container")
        return name

    def put(self, bucket, key, content):
        self.call("PUT", f"/{bucket}/{key}", content.encode())

    def delete(self, bucket, key):
        self.call("DELETE", f"/{bucket}/{key}")

    def sas(self, bucket):
        """A container's signature to read and list."""
        end = "2099-01-01T00:00:00Z"
        fields = ["rl", "", end, f"/blob/{AZURE_ACCOUNT}/{bucket}", "", "", "", "2021-12-02", "c",
                  "", "", "", "", "", "", ""]
        mac = hmac.new(base64.b64decode(AZURE_KEY), "\n".join(fields).encode(), hashlib.sha256)
        return urllib.parse.urlencode({
            "sv": "2021-12-02", "sr": "c", "sp": "rl", "se": end,
            "sig": base64.b64encode(mac.digest()).decode()})

    def stop(self):
        self.process.stop()


@pytest.fixture(scope="module")
def s3(directory):
    server = Versity(directory / "s3")
    yield server
    server.stop()
