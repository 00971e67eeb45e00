"""scripts/images: what a cluster gets in place of Flux's images. Each daemon runs in its own, as an unprivileged user on
a file system that is read only, and does there all that needs a program, a library or a file besides the binary."""
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

import pytest
import yaml

from tests.conftest import Objects
from tests.lib.controllers import Toolkit
from tests.lib.git import Repository
from tests.lib.sign import PgpKey, SshKey, signed_commit
from tests.lib.sops import Sops
from tests.lib.ssh import SshServer

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller", "notification-controller")
TOOLKIT_MIB = 20  # of all four, as a node loads them
CHART = {"chart/Chart.yaml": "apiVersion: v2\nname: zone\nversion: 1.0.0\n", "chart/templates/config.yaml": """
apiVersion: v1
kind: ConfigMap
metadata: {name: zone}
data:
  time: {{ dateInZone "15:04 MST" (toDate "2006-01-02" "2026-01-02") "Asia/Tokyo" }}
"""}
# The daemon's root is its image, read only; what a Deployment mounts beside it are a /tmp and, here, the test's directory.
IN_IMAGE = """
set -e
root=$1 dir=$2 name=$3
shift 4
mount --bind "$root" "$root"
mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root$dir"
mount --bind "$dir" "$root$dir"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -o remount,bind,ro "$root"
PATH=/usr/bin HOME=/tmp exec /usr/sbin/chroot --userspec=65534:65534 "$root" "/usr/bin/$name" "$@"
"""


class Image:
    """An OCI archive: its manifest, its configuration, and its layers' files."""

    def __init__(self, path):
        self.path = path
        self.archive = tarfile.open(path)
        self.index = json.load(self.archive.extractfile("index.json"))
        self.manifest = json.loads(self.blob(self.index["manifests"][0]))
        self.config = json.loads(self.blob(self.manifest["config"]))

    def blob(self, descriptor):
        content = self.archive.extractfile("blobs/" + descriptor["digest"].replace(":", "/")).read()
        assert len(content) == descriptor["size"]
        return content

    def unpack(self, directory):
        for layer in self.manifest["layers"]:
            packed = directory.parent / "layer.tar"
            packed.write_bytes(gzip.decompress(self.blob(layer)))
            subprocess.run(["tar", "-xpf", packed, "-C", directory], check=True)
        return directory


def make(out, *names):
    done = subprocess.run([ROOT / "scripts" / "images", "--build", os.environ["SLUICE_BUILD"], "--out", out, *names],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {path.stem: Image(path) for path in out.glob("*.tar")}


@pytest.fixture(scope="module")
def images(directory):
    return make(directory / "images")


def test_the_deployments_name_them(images):
    for name in CONTROLLERS:
        documents = yaml.safe_load_all((ROOT / "deploy" / f"{name}.yaml").read_text())
        container = next(d for d in documents if d["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"][0]
        wanted = images[name].index["manifests"][0]["annotations"]["io.containerd.image.name"]
        assert f"docker.io/{container['image']}" == wanted
        assert images[name].config["config"]["Entrypoint"] == [f"/usr/bin/{name}"]
        assert images[name].config["config"]["User"].startswith(f"{container['securityContext']['runAsUser']}:")


def test_a_node_loads_the_whole_toolkit_in_under_20_mib(images):
    layers = {layer["digest"]: layer["size"] for image in images.values() for layer in image.manifest["layers"]}
    assert len(layers) == len(CONTROLLERS) + 1
    assert sum(layers.values()) < TOOLKIT_MIB << 20


def test_the_same_build_gives_the_same_bytes(images, tmp_path):
    again = make(tmp_path, "notification-controller")
    assert again.keys() == {"notification-controller"}
    for name, image in again.items():
        assert image.path.read_bytes() == images[name].path.read_bytes()


def test_what_is_no_controller_is_refused(tmp_path):
    done = subprocess.run([ROOT / "scripts" / "images", "--out", tmp_path, "sauce-controller"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "sauce-controller is none of source-controller" in done.stderr


def may_mount():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def toolkit(api, directory, images):
    """All four, each in its image."""
    if not may_mount():
        pytest.skip("no right to mount: the images are not run")
    prefixes = {}
    for name, image in images.items():
        (directory / "roots" / name).mkdir(parents=True)
        root = image.unpack(directory / "roots" / name)
        prefixes[name] = ["unshare", "-m", "sh", "-c", IN_IMAGE, "sh", root, directory, name]
    kit = Toolkit(api, directory / "toolkit", prefixes=prefixes)
    subprocess.run(["chown", "-R", "65534:65534", kit.dir], check=True)
    subprocess.run(["chmod", "-R", "a+rX", directory], check=True)
    with kit.run(*CONTROLLERS):
        yield kit
    shutil.rmtree(directory / "roots")


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    key = PgpKey(tmp_path_factory.mktemp("signer") / "home")
    yield key
    key.close()


@pytest.fixture(scope="module")
def sops(tmp_path_factory):
    made = Sops(tmp_path_factory.mktemp("sops"))
    yield made
    made.stop()


@pytest.fixture
def repository(directory, signer, sops):
    """A signed commit with a chart and with a file that is sealed for a PGP key."""
    made = Repository(directory, "fleet")
    key = sops.pgp_key("cluster")
    sealed = sops.encrypt("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sealed}\ndata: {told: by gpg}\n",
                          key=False, env=key.env, rule={"pgp": key.fingerprint, "encrypted_regex": "^data$"})
    made.commit({"apps/sealed.yaml": sealed.decode(), **CHART})
    signed_commit(made, signer)
    return made, key


@pytest.fixture
def host(directory):
    """A Git server whose key an authority vouches for: `ssh` itself has to look at that."""
    authority = SshKey(directory / "authority")
    server = SshServer(directory / "sshd", authority, ("-n", "127.0.0.1", "-V", "+1d"))
    yield server, server.known(authority, "@cert-authority ")
    server.stop()


def test_all_four_do_their_work_in_their_images(api, toolkit, ns, sink, signer, repository, host):
    objects = Objects(api, ns)
    (repo, key), (server, known) = repository, host
    for name, data in {"login": {"identity": server.identity, "known_hosts": known},
                       "signers": {"ann.asc": signer.asc}, "keys": {"cluster.asc": key.text}}.items():
        api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": ns},
                   "stringData": data})
    objects.apply("Provider", "chat", {"type": "generic", "address": f"{sink.url}/told"})
    objects.apply("Alert", "all", {"providerRef": {"name": "chat"}, "eventSources": [{"kind": "Kustomization", "name": "*"}]})
    objects.apply("GitRepository", "fleet", {
        "url": server.url_of(repo), "interval": "1h", "ref": {"branch": "main"}, "secretRef": {"name": "login"},
        "verify": {"mode": "HEAD", "secretRef": {"name": "signers"}}})
    objects.ready("GitRepository", "fleet")
    source = {"kind": "GitRepository", "name": "fleet"}
    objects.apply("Kustomization", "apps", {
        "interval": "1h", "prune": True, "path": "apps", "targetNamespace": ns, "sourceRef": source,
        "decryption": {"provider": "sops", "secretRef": {"name": "keys"}}})
    objects.apply("HelmRelease", "zone", {
        "interval": "1h", "chart": {"spec": {"chart": "chart", "sourceRef": source}}})
    objects.ready("Kustomization", "apps")
    objects.ready("HelmRelease", "zone")
    assert objects.configmap("sealed")["data"] == {"told": "by gpg"}
    assert objects.configmap("zone")["data"] == {"time": "09:00 JST"}
    sink.wait(lambda m: m.path == "/told" and m.json["involvedObject"]["name"] == "apps")
