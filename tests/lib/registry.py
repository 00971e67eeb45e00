"""A real OCI registry (Debian's docker-registry), a token server for it, and pushing by plain
requests, so that what is tested is not tested with its own code."""
import base64
import gzip
import hashlib
import io
import json
import pathlib
import tarfile
import threading
import time
import urllib.parse
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from .jwt import b64
from .net import free_port, http
from .pki import openssl
from .process import Process
from .proxy import Proxy

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.cncf.flux.content.v1.tar+gzip"
CONFIG = "application/vnd.cncf.flux.config.v1+json"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_gz(files, links=(), raw_names=()):
    """A layer: {path: text or bytes}; `links` are (name, target); `raw_names` are taken as they are
    and hold "evil"."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in [*files.items(), *((n, "evil") for n in raw_names)]:
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    return gzip.compress(out.getvalue(), mtime=0)


def descriptor(data, media_type, **more):
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **more}


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bcrypt(password):
    """As htpasswd -B hashes: docker-registry takes nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import crypt
        return crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))


class Remote:
    """What tests do to a registry, whoever runs it: `headers` go with each request."""

    def __init__(self, url, context=None, headers=None):
        self.url, self.context, self.headers = url, context, headers or {}

    def send(self, method, path, body=None, **headers):
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        url = path if "://" in path else self.url + path
        return http(method, url, body, {**self.headers, **named}, context=self.context)

    def push_blob(self, repository, data):
        status, headers, body = self.send("POST", f"/v2/{repository}/blobs/uploads/", b"")
        assert status == 202, (status, body)
        location = urllib.parse.urljoin(self.url, headers["Location"])
        mark = "&" if "?" in location else "?"
        status, _, body = self.send("PUT", f"{location}{mark}digest={digest_of(data)}", data,
                                    Content_Type="application/octet-stream")
        assert status == 201, (status, body)

    def push_manifest(self, repository, reference, manifest, media_type=MANIFEST):
        data = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        status, _, body = self.send("PUT", f"/v2/{repository}/manifests/{reference}", data,
                                    Content_Type=media_type)
        assert status == 201, (status, body)
        return digest_of(data)

    def push(self, repository, tag, files=None, layers=None, annotations=None, media_type=MANIFEST,
             config_type=CONFIG):
        """An artifact as `flux push artifact` makes it; its digest. `layers`: (bytes, media type)
        in place of the one that `files` make."""
        if layers is None:
            layers = [(tar_gz(files or {}), LAYER)]
        config = b"{}"
        self.push_blob(repository, config)
        for data, _ in layers:
            self.push_blob(repository, data)
        manifest = {"schemaVersion": 2, "mediaType": media_type,
                    "config": descriptor(config, config_type),
                    "layers": [descriptor(data, kind) for data, kind in layers]}
        if annotations:
            manifest["annotations"] = annotations
        return self.push_manifest(repository, tag, manifest, media_type)


class Registry(Remote):
    """docker-registry on a free port. `tls`: (certificate, key); `auth`: (user, password) for
    Basic, `others` more of them; `tokens`: a TokenServer; `port`: where another one has stopped."""

    def __init__(self, directory, tls=None, auth=None, tokens=None, context=None, client_ca=None,
                 others=(), port=None):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.host = f"127.0.0.1:{self.port}"
        scheme = "https" if tls else "http"
        super().__init__(f"{scheme}://{self.host}", context, basic(*auth) if auth else None)
        self.write_config(tls, auth, tokens, client_ca, others)
        self.process = Process(["docker-registry", "serve", self.dir / "config.yml"],
                               self.dir / "registry.log", env={"OTEL_TRACES_EXPORTER": "none"})
        self.process.wait_ready(lambda: self.send("GET", "/v2/")[0] in (200, 401) or client_ca,
                                "the registry")

    def write_config(self, tls, auth, tokens, client_ca, others):
        config = {"version": 0.1, "log": {"level": "info"},
                  "storage": {"filesystem": {"rootdirectory": str(self.dir / "data")},
                              "delete": {"enabled": True}},
                  "http": {"addr": self.host, "secret": "s"}}
        if tls:
            config["http"]["tls"] = {"certificate": str(tls[0]), "key": str(tls[1])}
            if client_ca:
                config["http"]["tls"]["clientcas"] = [str(client_ca)]
        if auth:
            (self.dir / "htpasswd").write_text("".join(
                f"{user}:{bcrypt(password)}\n" for user, password in [auth, *others]))
            config["auth"] = {"htpasswd": {"realm": "r", "path": str(self.dir / "htpasswd")}}
        if tokens:
            config["auth"] = {"token": {
                "realm": tokens.url, "service": tokens.service, "issuer": tokens.issuer,
                "rootcertbundle": str(tokens.cert)}}
        # JSON is YAML.
        (self.dir / "config.yml").write_text(json.dumps(config))

    def url_of(self, repository):
        return f"oci://{self.host}/{repository}"

    def stop(self):
        return self.process.stop()


class TokenServer:
    """Docker's token protocol by GET and OAuth2's by POST, on https://localhost. `users` {name:
    password} may have anything, others nothing; `refresh` are good refresh tokens. `asked` lists
    (method, user, scopes), `connections` counts; `life_s` is what tokens say of their life."""

    issuer, service = "test-issuer", "test-registry"

    def __init__(self, authority, users, refresh=(), life_s=300, anonymous=False):
        self.users, self.refresh, self.life_s = users, refresh, life_s
        self.anonymous = anonymous
        self.asked, self.connections = [], 0
        self.cert, self.key = authority.issue("tokens", "DNS:localhost")
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                server.connections += 1
                super().setup()

            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                server.answer(self, "GET", self.basic(), query.get("scope", []))

            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = urllib.parse.parse_qs(text)
                good = form.get("refresh_token", [""])[0] in server.refresh
                server.answer(self, "POST", "refresh" if good else None,
                              form.get("scope", [""])[0].split(" "))

            def basic(self):
                given = self.headers.get("Authorization", "")
                for user, password in server.users.items():
                    if given == basic(user, password)["Authorization"]:
                        return user
                return None if given or not server.anonymous else "anonymous"

            def log_message(self, *args):
                pass

        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = authority.server_context("token-server", "DNS:localhost")
        self.httpd.socket = context.wrap_socket(self.httpd.socket, server_side=True)
        self.url = f"https://localhost:{self.httpd.server_address[1]}/token"
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    def answer(self, handler, method, user, scopes):
        self.asked.append((method, user, scopes))
        body = b'{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}'
        if user:
            body = json.dumps({"token": self.token(scopes), "expires_in": self.life_s}).encode()
        handler.send_response(200 if user else 401)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def token(self, scopes):
        """A JWT that docker-registry takes: RS256, the certificate within."""
        der = openssl("x509", "-in", self.cert, "-outform", "DER").stdout
        now = int(time.time())
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":", 1)[0], *scope.split(":", 1)[1].rsplit(":", 1)
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        claims = {"iss": self.issuer, "aud": self.service, "sub": "t", "jti": str(now),
                  "exp": now + self.life_s, "nbf": now - 10, "iat": now, "access": access}
        text = ".".join(b64(json.dumps(part).encode()) for part in (head, claims))
        signature = openssl("dgst", "-sha256", "-sign", self.key, input=text.encode()).stdout
        return f"{text}.{b64(signature)}"

    def stop(self):
        self.httpd.shutdown()
        self.httpd.server_close()


def docker_config(host, user, password):
    """The text of a pull secret."""
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    return json.dumps({"auths": {host: {"auth": auth}}})


def oci_failure(objects, reason, text, condition="FetchFailed", name="src"):
    """The object once it has failed with that reason and text."""
    def match(obj):
        c = objects.condition(obj, condition)
        ready = objects.condition(obj)
        return c.get("reason") == reason and text in c["message"] and \
            ready.get("status") == "False" and ready["reason"] == reason
    return objects.wait("OCIRepository", name, match, f"to fail with {reason}: {text}")


@pytest.fixture(scope="module")
def registry(directory):
    """Plain HTTP, open to all."""
    server = Registry(directory / "registry")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def registry_wire(registry):
    proxy = Proxy(registry.url)
    yield proxy
    proxy.stop()


@pytest.fixture
def wire(registry_wire):
    """The registry as the tests' objects reach it: what passes is seen, and steered by rules."""
    yield registry_wire
    registry_wire.off()
