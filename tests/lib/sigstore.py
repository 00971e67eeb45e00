"""A sigstore of one's own: Fulcio's certificates, Rekor's entries, a certificate transparency log and
a timestamp authority, as far as a verifier sees them. Nothing listens: what they would sign is signed
here, right or, on request, wrong."""
import base64
import datetime
import hashlib
import json
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.lib.pki import openssl

ISSUER = "https://accounts.example.com"
EMAIL = "dev@example.com"
STATEMENT = "application/vnd.in-toto+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ROOT = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
OIDS = "1.3.6.1.4.1.57264.1."
SCT_LIST = "1.3.6.1.4.1.11129.2.4.2"


def b64(data):
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def stamp(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def sign(key, data):
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def public_der(key):
    return key.public_key().public_bytes(serialization.Encoding.DER,
                                         serialization.PublicFormat.SubjectPublicKeyInfo)


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def private_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


def new_key(curve=None):
    return ec.generate_private_key(curve or ec.SECP256R1())


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def build(subject, key, issuer, extensions, start, end):
    """A certificate builder; extensions are (extension, critical)."""
    builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(start.replace(tzinfo=None))
               .not_valid_after(end.replace(tzinfo=None)))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder


def ca_extensions(length=None):
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    return [(x509.BasicConstraints(True, length), True), (usage, True)]


def raw(oid, value):
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)


class Log:
    """A transparency log's key, and the tree that its entries lie in."""

    def __init__(self, origin):
        self.key = new_key()
        self.origin = origin
        self.id = hashlib.sha256(public_der(self.key)).digest()

    def trusted(self, start, end=None):
        valid = {"start": stamp(start), **({"end": stamp(end)} if end else {})}
        return {"baseUrl": f"https://{self.origin}", "hashAlgorithm": "SHA2_256",
                "logId": {"keyId": b64(self.id)},
                "publicKey": {"rawBytes": b64(public_der(self.key)), "validFor": valid,
                              "keyDetails": "PKIX_ECDSA_P256_SHA_256"}}

    def promise(self, body, time, index):
        return b64(sign(self.key, canonical({"body": b64(body), "integratedTime": time,
                                             "logID": self.id.hex(), "logIndex": index})))

    def checkpoint(self, size, root, tree_id=True):
        origin = self.origin + (" - 1234" if tree_id else "")
        text = f"{origin}\n{size}\n{b64(root)}\n"
        signature = b64(self.id[:4] + sign(self.key, text.encode()))
        return f"{text}\n\u2014 {self.origin} {signature}\n"

    def proof(self, body, size=7, index=4, tree_id=True):
        leaves = [hash_leaf(b"leaf %d" % i) for i in range(size)]
        leaves[index] = hash_leaf(body)
        root = tree(leaves)
        return {"logIndex": str(index), "treeSize": str(size), "rootHash": b64(root),
                "hashes": [b64(h) for h in path(index, leaves)],
                "checkpoint": {"envelope": self.checkpoint(size, root, tree_id)}}

    def entry(self, body, time, index=77):
        """A TransparencyLogEntry with promise and proof."""
        kind = json.loads(body)
        return {"logIndex": str(index), "logId": {"keyId": b64(self.id)},
                "kindVersion": {"kind": kind["kind"], "version": kind["apiVersion"]},
                "integratedTime": str(time), "canonicalizedBody": b64(body),
                "inclusionPromise": {"signedEntryTimestamp": self.promise(body, time, index)},
                "inclusionProof": self.proof(body)}

    def second_entry(self, body):
        """As the log's second version has them: no promise, no time."""
        return {"logIndex": "4", "logId": {"keyId": b64(self.id)},
                "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
                "canonicalizedBody": b64(body), "inclusionProof": self.proof(body, tree_id=False)}


def hash_leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def split(count):
    at = 1
    while at * 2 < count:
        at *= 2
    return at


def tree(leaves):
    if len(leaves) == 1:
        return leaves[0]
    at = split(len(leaves))
    return hashlib.sha256(b"\1" + tree(leaves[:at]) + tree(leaves[at:])).digest()


def path(index, leaves):
    if len(leaves) == 1:
        return []
    at = split(len(leaves))
    if index < at:
        return path(index, leaves[:at]) + [tree(leaves[at:])]
    return path(index - at, leaves[at:]) + [tree(leaves[:at])]


TSA_CONFIG = """[tsa]
default_tsa=t
[t]
serial={dir}/serial
crypto_device=builtin
signer_digest=sha256
default_policy=1.3.6.1.4.1.57264.2
digests=sha256,sha384,sha512
ess_cert_id_alg=sha256
"""


class Sigstore:
    def __init__(self, directory):
        self.dir = directory
        self.dir.mkdir(parents=True, exist_ok=True)
        self.time = now()
        self.start, self.end = (self.time - datetime.timedelta(hours=1),
                                self.time + datetime.timedelta(hours=5))
        self.root_key, self.key = new_key(), new_key()
        self.root = self.authority("root", self.root_key, "root", self.root_key)
        self.intermediate = self.authority("fulcio", self.key, "root", self.root_key, 0)
        self.rekor, self.ct = Log("rekor.localhost"), Log("ct.localhost")
        self.tsa_key = new_key()
        self.tsa = self.timestamp_certificate()

    def timestamp_certificate(self):
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        signs = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        return build("tsa", self.tsa_key, "root", [(usage, True), (signs, True)], self.start,
                     self.end).sign(self.root_key, hashes.SHA256())

    def authority(self, subject, key, issuer, issuer_key, length=None):
        extensions = ca_extensions(length)
        if subject != issuer:
            extensions.append((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False))
        return build(subject, key, issuer, extensions, self.start,
                     self.end).sign(issuer_key, hashes.SHA256())

    def trusted_root(self):
        valid = {"start": stamp(self.start), "end": stamp(self.end)}
        return {"mediaType": ROOT, "tlogs": [self.rekor.trusted(self.start)],
                "ctlogs": [self.ct.trusted(self.start, self.end)],
                "certificateAuthorities": [
                    {"subject": {"commonName": "fulcio"}, "uri": "https://fulcio.localhost",
                     "certChain": {"certificates": [{"rawBytes": b64(der(self.intermediate))},
                                                    {"rawBytes": b64(der(self.root))}]},
                     "validFor": valid}],
                "timestampAuthorities": [
                    {"subject": {"commonName": "tsa"}, "uri": "https://tsa.localhost",
                     "certChain": {"certificates": [{"rawBytes": b64(der(self.tsa))},
                                                    {"rawBytes": b64(der(self.root))}]},
                     "validFor": valid}]}

    # --- certificates ---

    def timestamps(self, tbs, logs, time=None):
        """The list of signed certificate timestamps over a certificate without them."""
        out = b""
        when = int((time or self.time).timestamp() * 1000)
        for log in logs:
            issuer = hashlib.sha256(public_der(self.key)).digest()
            entry = issuer + len(tbs).to_bytes(3, "big") + tbs
            signature = sign(log.key, struct.pack(">BBQH", 0, 0, when, 1) + entry + b"\0\0")
            sct = (b"\0" + log.id + struct.pack(">QH", when, 0) + b"\4\3" +
                   struct.pack(">H", len(signature)) + signature)
            out += struct.pack(">H", len(sct)) + sct
        out = struct.pack(">H", len(out)) + out
        size = bytes([len(out)]) if len(out) < 128 else b"\x82" + struct.pack(">H", len(out))
        return b"\4" + size + out

    def certificate(self, key, san=None, issuer=ISSUER, start=None, minutes=60, logs=None,
                    usage=ExtendedKeyUsageOID.CODE_SIGNING, sct_time=None, signer=None):
        """Fulcio's answer. `logs` are those that saw the certificate; [] none."""
        start = start or self.time
        names = san or [x509.RFC822Name(EMAIL)]
        extensions = [(x509.ExtendedKeyUsage([usage]), False),
                      (x509.SubjectAlternativeName(names), True)]
        if issuer is not None:
            text = issuer.encode()
            extensions += [(raw(OIDS + "1", text), False),
                           (raw(OIDS + "8", b"\x0c" + bytes([len(text)]) + text), False)]
        logs = [self.ct] if logs is None else logs
        end = start + datetime.timedelta(minutes=minutes)
        builder = build("", key, "fulcio", extensions, start, end)
        signer = signer or self.key
        if not logs:
            return builder.sign(signer, hashes.SHA256())
        tbs = builder.sign(signer, hashes.SHA256()).tbs_certificate_bytes
        return builder.add_extension(raw(SCT_LIST, self.timestamps(tbs, logs, sct_time)),
                                     False).sign(signer, hashes.SHA256())

    def timestamp(self, data, token=False):
        """An RFC 3161 response of the authority, or the token in it, by the openssl command."""
        here = self.dir
        (here / "tsa.cnf").write_text(TSA_CONFIG.format(dir=here))
        (here / "tsa.pem").write_text(pem(self.tsa))
        (here / "tsa.key").write_text(private_pem(self.tsa_key))
        (here / "data").write_bytes(data)
        openssl("ts", "-query", "-data", here / "data", "-sha256", "-cert", "-out", here / "query")
        openssl("ts", "-reply", "-config", here / "tsa.cnf", "-queryfile", here / "query",
                "-signer", here / "tsa.pem", "-inkey", here / "tsa.key", "-out", here / "reply",
                *(["-token_out"] if token else []))
        return (here / "reply").read_bytes()

    # --- signatures ---

    def envelope(self, key, payload, kind=STATEMENT):
        covered = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
        return {"payload": b64(payload), "payloadType": kind,
                "signatures": [{"sig": b64(sign(key, covered))}]}

    def statement(self, digest):
        algorithm, value = digest.split(":")
        return canonical({"_type": "https://in-toto.io/Statement/v1", "predicate": {},
                          "predicateType": "https://sigstore.dev/cosign/sign/v1",
                          "subject": [{"name": "", "digest": {algorithm: value}}]})

    def dsse_body(self, envelope, certificate):
        payload = base64.b64decode(envelope["payload"])
        whole = canonical(envelope)
        return canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": {
            "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(whole).hexdigest()},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": envelope["signatures"][0]["sig"],
                            "verifier": b64(pem(certificate))}]}})

    def intoto_body(self, envelope, certificate):
        payload = base64.b64decode(envelope["payload"])
        return canonical({"apiVersion": "0.0.2", "kind": "intoto", "spec": {"content": {
            "envelope": {"payloadType": envelope["payloadType"], "signatures": [
                {"publicKey": b64(pem(certificate)),
                 "sig": b64(envelope["signatures"][0]["sig"])}]},
            "hash": {"algorithm": "sha256",
                     "value": hashlib.sha256(canonical(envelope)).hexdigest()},
            "payloadHash": {"algorithm": "sha256",
                            "value": hashlib.sha256(payload).hexdigest()}}}})

    def record_body(self, payload, signature, certificate, kind="hashedrekord"):
        return canonical({"apiVersion": "0.0.1", "kind": kind, "spec": {
            "data": {"hash": {"algorithm": "sha256",
                              "value": hashlib.sha256(payload).hexdigest()}},
            "signature": {"content": b64(signature),
                          "publicKey": {"content": b64(pem(certificate))}}}})

    def second_body(self, envelope, certificate):
        payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
        covered = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
        return canonical({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {
            "hashedRekordV002": {
                "data": {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(covered).digest())},
                "signature": {"content": envelope["signatures"][0]["sig"], "verifier": {
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "x509Certificate": {"rawBytes": b64(der(certificate))}}}}}})

    def bundle(self, digest, body="dsse_body", key=None, payload=None, time=None, log=None,
               kind=STATEMENT, **certificate):
        """A bundle of version 0.3, as cosign 3 leaves it."""
        key = key or new_key()
        leaf = self.certificate(key, **certificate)
        envelope = self.envelope(key, payload or self.statement(digest), kind)
        text = getattr(self, body)(envelope, leaf)
        time = int((time or self.time + datetime.timedelta(seconds=60)).timestamp())
        log = log or self.rekor
        second = body == "second_body"
        material = {"certificate": {"rawBytes": b64(der(leaf))},
                    "tlogEntries": [log.second_entry(text) if second else log.entry(text, time)]}
        if second:
            signature = base64.b64decode(envelope["signatures"][0]["sig"])
            material["timestampVerificationData"] = {
                "rfc3161Timestamps": [{"signedTimestamp": b64(self.timestamp(signature))}]}
        return {"mediaType": BUNDLE, "verificationMaterial": material, "dsseEnvelope": envelope}

    def payload(self, digest):
        return canonical({
            "critical": {"identity": {"docker-reference": "x"},
                         "image": {"docker-manifest-digest": digest},
                         "type": "cosign container image signature"}, "optional": None})

    def tag(self, digest, body="hashedrekord", payload=None, time=None, log=None, **certificate):
        """Payload, signature, certificate and log entry of a "*.sig" tag's layer."""
        key = new_key()
        leaf = self.certificate(key, **certificate)
        payload = payload or self.payload(digest)
        signature = sign(key, payload)
        time = int((time or self.time + datetime.timedelta(seconds=60)).timestamp())
        text, log = self.record_body(payload, signature, leaf, body), log or self.rekor
        entry = {"SignedEntryTimestamp": log.promise(text, time, 77),
                 "Payload": {"body": b64(text), "integratedTime": time, "logIndex": 77,
                             "logID": log.id.hex()}}
        return {"payload": payload.decode(), "signature": b64(signature), "cert": pem(leaf),
                "logentry": json.dumps(entry)}
