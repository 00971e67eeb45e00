"""A real kube-apiserver with etcd for the differential tests of common/smd, on free loopback ports."""

import json
import os
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from tests.lib.net import free_port


class Server:
    """Requests to one API server; replies are (status, parsed body)."""

    def __init__(self, port):
        self.base = f"https://127.0.0.1:{port}"
        self.context = ssl._create_unverified_context()

    def request(self, method, path, body=None, media="application/json"):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        request.add_header("Authorization", "Bearer token")
        request.add_header("Accept", "application/json")
        if data is not None:
            request.add_header("Content-Type", media)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=90) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                return error.code, json.loads(text)
            except ValueError:
                return error.code, {"message": text.decode(errors="replace")}

    def ready(self):
        try:
            return self.request("GET", "/apis/apps/v1")[0] == 200
        except OSError:
            return False


def make_keys(folder):
    run = lambda *args: subprocess.run(args, cwd=folder, check=True, capture_output=True)
    run("openssl", "genrsa", "-out", "sa.key", "2048")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "tls.key", "-out",
        "tls.crt", "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=IP:127.0.0.1")
    (folder / "tokens.csv").write_text("token,admin,admin,system:masters\n")


def start(folder, binary):
    client, peer, port = free_port(), free_port(), free_port()
    etcd = subprocess.Popen(
        ["etcd", "--data-dir", str(folder / "etcd"),
         "--listen-client-urls", f"http://127.0.0.1:{client}",
         "--advertise-client-urls", f"http://127.0.0.1:{client}",
         "--listen-peer-urls", f"http://127.0.0.1:{peer}",
         "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
         "--initial-cluster", f"default=http://127.0.0.1:{peer}", "--unsafe-no-fsync=true"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    api = subprocess.Popen(
        [binary, f"--etcd-servers=http://127.0.0.1:{client}", f"--secure-port={port}",
         "--bind-address=127.0.0.1", "--tls-cert-file=tls.crt", "--tls-private-key-file=tls.key",
         "--client-ca-file=tls.crt", "--token-auth-file=tokens.csv",
         "--service-account-key-file=sa.key", "--service-account-signing-key-file=sa.key",
         "--service-account-issuer=https://kubernetes.default.svc", "--authorization-mode=RBAC",
         "--service-cluster-ip-range=10.0.0.0/16", "--disable-admission-plugins=ServiceAccount",
         "--endpoint-reconciler-type=none"],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return [api, etcd], Server(port)


def wait_until(condition, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the API server did not get ready")
        time.sleep(0.2)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    binary = os.environ.get("SLUICE_KUBE_APISERVER")
    if not binary or not shutil.which("etcd"):
        pytest.skip("SKIPPED: SLUICE_KUBE_APISERVER (a kube-apiserver 1.34) or etcd is missing")
    folder = tmp_path_factory.mktemp("kube")
    make_keys(folder)
    processes, api = start(folder, binary)
    try:
        wait_until(api.ready)
        wait_until(lambda: api.request("GET", "/api/v1/namespaces/default")[0] == 200)
        yield api
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=90)
        shutil.rmtree(folder, ignore_errors=True)


class Driver:
    """The C program of tests/unit/smd/smd_driver.c."""

    def __init__(self, binary):
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def run(self, **line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="session")
def driver():
    binary = os.environ.get("SLUICE_SMD_DRIVER")
    if not binary:
        pytest.skip("SKIPPED: SLUICE_SMD_DRIVER (the built smd_driver program) is missing")
    driver = Driver(binary)
    yield driver
    driver.process.stdin.close()
    assert driver.process.wait(timeout=90) == 0
