"""API servers for tests: Sluice's embedded one, and the real kube-apiserver on etcd."""
import base64
import functools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
import yaml

from .net import PATIENCE, RestClient, free_port, wait_until
from .process import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = "test-admin-token"
KUBECTL_MINOR = 132
YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@functools.cache
def has_kubectl():
    """Whether a kubectl is there that is new enough for what the tests ask of it."""
    try:
        text = subprocess.run(["kubectl", "version", "--client", "-o", "json"], check=True,
                              capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    version = json.loads(text)["clientVersion"]
    return int(version["major"]) * 100 + int(version["minor"].rstrip("+")) >= KUBECTL_MINOR


def write_kubeconfig(path, server, ca_file, token):
    cluster = {"server": server}
    if ca_file:
        cluster["certificate-authority-data"] = base64.b64encode(
            pathlib.Path(ca_file).read_bytes()).decode()
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    pathlib.Path(path).write_text(yaml.safe_dump(config))


class ApiServer:
    """What both have: server, ca_file, token, kubeconfig, rest, kubectl(), start(), stop()."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.kubeconfig = self.dir / "kubeconfig"

    def connect(self):
        self.rest = RestClient(self.server, self.ca_file, self.token)
        write_kubeconfig(self.kubeconfig, self.server, self.ca_file, self.token)

    def kubectl(self, *args, stdin=None, check=True, timeout=PATIENCE):
        """stdout of kubectl; the CompletedProcess when check is False. Debian has none: a test that
        needs it is skipped, and counted, where it is missing."""
        if not has_kubectl():
            pytest.skip(f"kubectl {KUBECTL_MINOR // 100}.{KUBECTL_MINOR % 100} or later is missing")
        done = subprocess.run(
            ["kubectl", "--kubeconfig", self.kubeconfig, *args], input=stdin, text=True,
            capture_output=True, timeout=timeout,
            env=dict(os.environ, HOME=str(self.dir), KUBECTL_KUBERC="false"))
        if not check:
            return done
        assert done.returncode == 0, f"kubectl {' '.join(map(str, args))}: {done.stderr}"
        return done.stdout

    def apply(self, *documents):
        """Server-side apply of dicts or YAML text."""
        for document in documents:
            for obj in yaml.safe_load_all(document) if isinstance(document, str) else [document]:
                if obj:
                    self.rest.apply(obj)

    def create_namespace(self, name):
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def install_crds(self, *crds):
        """Ours when none are given; returns when the server serves them."""
        crds = crds or our_crds()
        for crd in crds:
            self.rest.apply(crd)
        self.await_crds(crds)

    def await_crds(self, crds):
        for crd in crds:
            wait_until(lambda crd=crd: self.is_established(crd) and self.is_served(crd),
                       crd["metadata"]["name"])

    def is_established(self, crd):
        conditions = self.rest.get(self.rest.path_of(crd)).get("status", {}).get("conditions", [])
        return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

    def is_served(self, crd):
        """In discovery and by itself, which a real server is a moment after it said Established."""
        group, plural = crd["spec"]["group"], crd["spec"]["names"]["plural"]
        roots = [f"/apis/{group}/{v['name']}" for v in crd["spec"]["versions"] if v["served"]]
        return all(plural in (row["name"] for row in self.rest.get(root)["resources"]) and
                   self.rest.raw("GET", f"{root}/{plural}")[0] == 200 for root in roots)

    def wait_allowed(self, user, verb, resource, ns, allowed=True, name=""):
        """A real server learns of roles and bindings a moment after they were written."""
        resource, _, group = resource.partition(".")
        asked = {"verb": verb, "resource": resource, "group": group, "namespace": ns,
                 "name": name}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
                  "spec": {"user": user, "resourceAttributes": asked}}
        if user.startswith("system:serviceaccount:"):
            review["spec"]["groups"] = ["system:serviceaccounts", f"system:serviceaccounts:{ns}"]

        def says():
            status, reply = self.rest.call(
                "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
            assert status == 201, reply
            return reply["status"].get("allowed", False) is allowed
        wait_until(says, f"{user} {'to be' if allowed else 'no longer'} allowed to {verb} {resource}")

    def prepare(self):
        """What a module of tests begins with: our CRDs and the namespace flux-system."""
        self.install_crds()
        self.create_namespace("flux-system")


def our_crds():
    return [crd for f in sorted((ROOT / "deploy" / "crds").glob("*.yaml"))
            for crd in yaml.load_all(f.read_text(), YAML_LOADER) if crd]


@functools.cache
def certificates():
    """Those of every real kube-apiserver of this process, in a directory that goes with it: openssl
    needs longer for them than some tests for all that they do."""
    kept = tempfile.TemporaryDirectory(prefix="sluice-certificates-")

    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, cwd=kept.name)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "ca.key", "-out", "ca.crt", "-days", "30", "-subj", "/CN=test-ca")
    pathlib.Path(kept.name, "san.cnf").write_text(
        "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc\n")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "server.crt", "-days", "30", "-extfile", "san.cnf")
    openssl("genrsa", "-out", "sa.key", "2048")
    return kept


class KubeApi(ApiServer):
    """The real kube-apiserver with etcd; `oracle` is what tests/oracles/build kube printed. `like`: the
    directory of one that was prepared and stopped, whose objects this one begins with."""

    kind = "kube"

    def __init__(self, directory, oracle, flags=(), like=None):
        super().__init__(directory)
        self.flags = flags
        self.oracle = pathlib.Path(oracle)
        self.like = like
        self.copy_certificates()
        if like:  # a log of etcd's is 64 MB from its first day on, nearly all of them zero
            subprocess.run(["cp", "-r", "--sparse=always", pathlib.Path(like, "etcd"),
                            self.dir / "etcd"], check=True)
        self.etcd_port, self.peer_port, self.port = free_port(), free_port(), free_port()
        self.server = f"https://127.0.0.1:{self.port}"
        self.ca_file = str(self.dir / "ca.crt")
        self.token = TOKEN
        self.etcd = self.apiserver = None
        self.start()

    def copy_certificates(self):
        shutil.copytree(certificates().name, self.dir, dirs_exist_ok=True)
        (self.dir / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n")

    def start(self):
        self.start_etcd()
        self.start_apiserver()

    def start_etcd(self):
        peer = f"http://127.0.0.1:{self.peer_port}"
        client = f"http://127.0.0.1:{self.etcd_port}"
        self.etcd = Process(
            ["etcd", "--name", "default", "--data-dir", self.dir / "etcd",
             "--listen-client-urls", client, "--advertise-client-urls", client,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
             "--initial-cluster", f"default={peer}", "--unsafe-no-fsync=true",
             "--log-level", "error"],
            self.dir / "etcd.log")

    def start_apiserver(self):
        d = self.dir
        self.apiserver = Process(
            [self.oracle / "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
             f"--secure-port={self.port}", "--bind-address=127.0.0.1",
             f"--tls-cert-file={d}/server.crt", f"--tls-private-key-file={d}/server.key",
             f"--client-ca-file={d}/ca.crt", f"--token-auth-file={d}/tokens.csv",
             f"--service-account-key-file={d}/sa.key",
             f"--service-account-signing-key-file={d}/sa.key",
             "--service-account-issuer=https://kubernetes.default.svc",
             "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/16",
             "--disable-admission-plugins=ServiceAccount", "--allow-privileged=true",
             "--endpoint-reconciler-type=none", f"--cert-dir={d}", *self.flags],
            d / "apiserver.log")
        self.connect()
        self.apiserver.wait_ready(self.is_ready, "the real kube-apiserver", 2 * PATIENCE)

    def is_ready(self):
        return self.rest.raw("GET", "/readyz")[0] == 200 and \
            self.rest.raw("GET", "/api/v1/namespaces/default")[0] == 200

    def restart(self, while_down=lambda: None):
        """kill -9 of the server and of what stores its objects, and both back."""
        self.apiserver.kill()
        self.etcd.kill()
        while_down()
        self.start()

    def prepare(self):
        if self.like:
            self.await_crds(our_crds())
        else:
            super().prepare()

    def stop(self):
        """kill -9: how it ends by itself is not ours to test, and takes it seconds."""
        for process in (self.apiserver, self.etcd):
            if process:
                process.kill()


class EmbeddedApi(ApiServer):
    """sluice-apiserver from a build directory."""

    kind = "embedded"

    def __init__(self, directory, build, flags=()):
        super().__init__(directory)
        self.flags = flags
        self.build = pathlib.Path(build)
        self.port = free_port()
        self.server = f"https://127.0.0.1:{self.port}"
        self.process = None
        self.start()

    def start(self):
        generated = self.dir / "admin.kubeconfig"
        self.process = Process(
            [self.build / "apiserver" / "sluice-apiserver", "--data-dir", self.dir / "data",
             "--bind-address", f"127.0.0.1:{self.port}", "--kubeconfig-out", generated, *self.flags],
            self.dir / "apiserver.log")
        self.process.wait_ready(generated.exists, "the embedded API server's kubeconfig")
        config = yaml.safe_load(generated.read_text())
        self.ca_file = str(self.dir / "ca.crt")
        pathlib.Path(self.ca_file).write_bytes(base64.b64decode(
            config["clusters"][0]["cluster"]["certificate-authority-data"]))
        self.token = config["users"][0]["user"]["token"]
        self.connect()
        self.process.wait_ready(lambda: self.rest.raw("GET", "/readyz")[0] == 200,
                                "the embedded API server")

    def restart(self, while_down=lambda: None):
        """kill -9, and the same one back."""
        self.process.kill()
        while_down()
        self.start()

    def stop(self):
        self.process.stop()


def start_api(kind, directory):
    """An API server by kind: 'embedded' (SLUICE_BUILD) or 'kube' (SLUICE_KUBE_ORACLE; like the prepared
    one whose directory SLUICE_KUBE_LIKE names, which takes half the time)."""
    if kind == "embedded":
        return EmbeddedApi(directory, os.environ["SLUICE_BUILD"])
    return KubeApi(directory, os.environ["SLUICE_KUBE_ORACLE"],
                   like=os.environ.get("SLUICE_KUBE_LIKE"))
