"""Signatures as cosign and notation leave them in a registry, beside what they sign."""
import json
import os
import subprocess

from . import notation
from .notation import ARTIFACT, COSE, JWS
from .oracle import oracle
from .pki import openssl
from .registry import INDEX, MANIFEST, descriptor, digest_of
from .sigstore import BUNDLE

PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
OLD, NEW = "*.sig tag", "bundle"
NOTATION_FORMS = {JWS: notation.jws, COSE: notation.cose}


class Cosign:
    """The real command with a key pair of its own in a directory."""

    def __init__(self, directory, kind="cosign"):
        self.dir = directory
        self.dir.mkdir(parents=True)
        self.program = oracle("cosign") / "cosign"
        self.run("generate-key-pair")
        self.public = (self.dir / "cosign.pub").read_text()
        if kind != "cosign":
            self.use_other(kind)

    def use_other(self, kind):
        """A key that openssl made: "rsa" or "p384"."""
        raw, key = self.dir / "raw.pem", self.dir / "imported.key"
        if kind == "rsa":
            openssl("genrsa", "-out", raw, "3072")
        else:
            openssl("ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", raw)
        self.run("import-key-pair", "--key", raw, "--output-key-prefix", "imported")
        (self.dir / "cosign.key").write_bytes(key.read_bytes())
        self.public = openssl("pkey", "-in", raw, "-pubout").stdout.decode()

    def run(self, *args):
        env = dict(os.environ, COSIGN_PASSWORD="", HOME=str(self.dir))
        done = subprocess.run([self.program, *map(str, args)], env=env, cwd=self.dir,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def sign(self, registry, repository, digest, form=NEW):
        """Without a transparency log: a key is its own trust."""
        old = ["--new-bundle-format=false"] if form == OLD else []
        self.run("sign", "--key", "cosign.key", "--tlog-upload=false",
                 "--use-signing-config=false", "--yes", "--allow-http-registry", *old,
                 f"{registry.host}/{repository}@{digest}")


def refer(registry, repository, digest, kind, data, media_type):
    """An artifact that refers to another, found by the tag "sha256-HEX"."""
    registry.push_blob(repository, data)
    registry.push_blob(repository, b"{}")
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind,
                           "config": descriptor(b"{}", EMPTY),
                           "layers": [descriptor(data, media_type)]}).encode()
    registry.push_manifest(repository, digest_of(manifest), manifest)
    tag = digest.replace(":", "-")
    status, _, old = registry.send("GET", f"/v2/{repository}/manifests/{tag}", Accept=INDEX)
    entries = json.loads(old)["manifests"] if status == 200 else []
    entries.append(descriptor(manifest, MANIFEST, artifactType=kind))
    registry.push_manifest(repository, tag, {"schemaVersion": 2, "mediaType": INDEX,
                                             "manifests": entries}, INDEX)


def push_bundle(registry, repository, digest, bundle):
    refer(registry, repository, digest, BUNDLE, json.dumps(bundle).encode(), BUNDLE)


def push_tag(registry, repository, digest, tag):
    data = tag["payload"].encode()
    registry.push_blob(repository, data)
    registry.push_blob(repository, b"{}")
    annotations = {"dev.cosignproject.cosign/signature": tag["signature"],
                   "dev.sigstore.cosign/certificate": tag["cert"],
                   "dev.sigstore.cosign/bundle": tag["logentry"]}
    registry.push_manifest(repository, digest.replace(":", "-") + ".sig", {
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": descriptor(b"{}", "application/vnd.oci.image.config.v1+json"),
        "layers": [descriptor(data, PAYLOAD, annotations=annotations)]})


def attach(registry, repository, digest, world, form, **how):
    if form == "tag":
        push_tag(registry, repository, digest, world.tag(digest, **how))
    else:
        push_bundle(registry, repository, digest, world.bundle(digest, **how))


def notate(registry, repository, digest, chain, form=JWS, **how):
    """Signed with notation."""
    status, _, manifest = registry.send("GET", f"/v2/{repository}/manifests/{digest}",
                                        Accept=MANIFEST)
    assert status == 200
    envelope = NOTATION_FORMS[form](chain, notation.target(manifest), **how)
    refer(registry, repository, digest, ARTIFACT, envelope, form)
