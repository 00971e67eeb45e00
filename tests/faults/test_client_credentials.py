"""How the API client gets to the server and who it is there: certificates that a command gives and
replaces, proxies."""
import json
import time
import urllib.parse

import pytest
import yaml

from tests.lib.forward_proxy import Proxy as ForwardProxy
from tests.lib.net import wait_until
from tests.lib.pki import openssl
from tests.lib.probe import Probe


def outcome(lines):
    """"ok", or the HTTP status of a refusal."""
    _, word, status, *_ = lines[0].split()
    return word if word == "ok" else int(status)


@pytest.fixture
def probe(api, directory, request):
    """A probe with a kubeconfig that differs from the test's own as `change` makes it."""
    running = []

    def start(change):
        config = yaml.safe_load(api.kubeconfig.read_text())
        change(config["clusters"][0]["cluster"], config["users"][0]["user"])
        path = directory / f"{request.node.name}-{len(running)}.kubeconfig".replace("/", "-")
        path.write_text(yaml.safe_dump(config))
        running.append(Probe(path, path.with_suffix(".log")))
        return running[-1]
    yield start
    for client in running:
        client.stop()


class People:
    """Certificates of the cluster's authority, and a command that gives that of one of them."""

    def __init__(self, api, directory):
        self.authority = api.dir if api.kind == "kube" else api.dir / "data"
        self.dir = directory / "people"
        self.dir.mkdir()

    def certify(self, name, seconds=None):
        """From now on the command says that we are `name`."""
        key, request, cert = (self.dir / f"{name}.{e}" for e in ("key", "csr", "crt"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                key, "-out", request, "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", request, "-CA", self.authority / "ca.crt", "-CAkey",
                self.authority / "ca.key", "-CAserial", self.dir / "serial", "-CAcreateserial",
                "-days", "1", "-out", cert)
        status = {"clientCertificateData": cert.read_text(), "clientKeyData": key.read_text()}
        text = json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                           "status": {**status, "expirationTimestamp": "EXPIRES"}})
        (self.dir / "credential.tmp").write_text(text)
        (self.dir / "credential.tmp").rename(self.dir / "credential")

    def command(self, seconds):
        script = (f"echo >> {self.dir}/runs; sed s/EXPIRES/$(date -u -d '+{seconds} seconds' "
                  f"+%Y-%m-%dT%H:%M:%SZ)/ {self.dir}/credential")
        return {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh",
                "args": ["-c", script], "interactiveMode": "Never"}

    def runs(self):
        return len((self.dir / "runs").read_text().splitlines())


def test_client_certificates_from_a_command_and_their_renewal(api, ns, directory, probe):
    """Each certificate is another user here, and only one of them may write: so it shows whether new
    requests go over a connection that was made with the new one."""
    people = People(api, directory)
    people.certify("alice")
    api.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
               "metadata": {"name": "alice", "namespace": ns},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                           "name": "cluster-admin"},
               "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User",
                             "name": "alice"}]})

    def use_command(_, user):
        user.clear()
        user["exec"] = people.command(2)
    client = probe(use_command)
    # The server learns of the binding a moment after it was made.
    wait_until(lambda: outcome(client.run("apply", ns, "a", 1, "1")) == "ok", "alice to be let in")
    people.certify("bob")
    wait_until(lambda: outcome(client.run("apply", ns, "a", 1, "2")) == 403, "bob to be refused")
    people.certify("alice")
    wait_until(lambda: outcome(client.run("apply", ns, "a", 1, "3")) == "ok", "alice again")
    runs, began = people.runs(), time.monotonic()
    for i in range(50):
        client.run("apply", ns, "a", 1, i)
    # Each is good for two seconds.
    assert people.runs() <= runs + 5 + (time.monotonic() - began), \
        "the command runs when a certificate expires, not each time"


def test_a_token_in_a_file_that_changes(api, ns, directory, probe):
    """As a projected service account token does: the client that runs goes on with the new one. Only the
    second account may write, and the first one's token is refused once the account is gone."""
    token = directory / "token"

    def write_token(name):
        reply = api.rest.call("POST", f"/api/v1/namespaces/{ns}/serviceaccounts/{name}/token",
                              {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                               "spec": {}})
        (directory / "token.new").write_text(reply[1]["status"]["token"] + "\n")
        (directory / "token.new").rename(token)
    for name in ("first", "second"):
        api.apply({"apiVersion": "v1", "kind": "ServiceAccount",
                   "metadata": {"name": name, "namespace": ns}})
    api.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
               "metadata": {"name": "second", "namespace": ns},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                           "name": "cluster-admin"},
               "subjects": [{"kind": "ServiceAccount", "name": "second", "namespace": ns}]})
    write_token("first")

    def use_file(_, user):
        user.clear()
        user["tokenFile"] = str(token)
    client = probe(use_file)
    assert outcome(client.run("apply", ns, "a", 1, "1")) == 403
    write_token("second")
    assert api.rest.call("DELETE", f"/api/v1/namespaces/{ns}/serviceaccounts/first")[0] == 200
    # At the latest when the server has forgotten that it knew the first one's token.
    wait_until(lambda: outcome(client.run("apply", ns, "a", 1, "2")) == "ok", "the second one")


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_of_the_kubeconfig(api, ns, probe, scheme):
    url = urllib.parse.urlsplit(api.server)
    proxy = ForwardProxy((url.hostname, url.port), socks=scheme == "socks5")
    try:
        def use_proxy(cluster, _):
            # A name that only the proxy knows.
            cluster["server"] = f"https://cluster.invalid:{url.port}"
            cluster["tls-server-name"] = "localhost"
            cluster["proxy-url"] = f"{scheme}://127.0.0.1:{proxy.port}"
        client = probe(use_proxy)
        assert outcome(client.run("apply", ns, "a", 1, "1")) == "ok"
        assert set(proxy.asked) == {f"cluster.invalid:{url.port}"}
    finally:
        proxy.stop()
