"""Signatures of the Notary Project made by hand, so that they can be made wrong: chains of
certificates and envelopes in JWS and COSE."""
import base64
import datetime
import hashlib
import json
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

JWS, COSE = "application/jose+json", "application/cose"
PAYLOAD = "application/vnd.cncf.notary.payload.v1+json"
ARTIFACT = "application/vnd.cncf.notary.signature"
PREFIX = "io.cncf.notary."
SCHEME, AUTHORITY = "notary.x509", "notary.x509.signingAuthority"
SUBJECT = {"C": "US", "ST": "WA", "O": "Acme", "CN": "signer"}
OIDS = {"C": NameOID.COUNTRY_NAME, "ST": NameOID.STATE_OR_PROVINCE_NAME,
        "O": NameOID.ORGANIZATION_NAME, "CN": NameOID.COMMON_NAME,
        "OU": NameOID.ORGANIZATIONAL_UNIT_NAME, "L": NameOID.LOCALITY_NAME,
        "DC": NameOID.DOMAIN_COMPONENT}


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def name_of(parts):
    pairs = parts.items() if isinstance(parts, dict) else parts
    return x509.Name([x509.NameAttribute(OIDS[key], value) for key, value in pairs])


def usage(signature=False, sign_certs=False, agree=False):
    return x509.KeyUsage(signature, False, False, False, agree, sign_certs, sign_certs, False,
                         False)


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def private_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


def new_key(kind="p256"):
    curves = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}
    if kind in curves:
        return ec.generate_private_key(curves[kind]())
    return rsa.generate_private_key(65537, int(kind))


class Chain:
    """A signing certificate below an intermediate and a root; `how` changes the leaf."""

    def __init__(self, key="p256", self_signed=False, path_length=0, ca_usage=True,
                 root_length=None, **how):
        self.key, self.root_key, self.mid_key = new_key(key), new_key(), new_key()
        if self_signed:
            self.certs = [self.leaf(self.key, SUBJECT, **how)]
            return
        root = self.authority("root", "root", self.root_key, self.root_key, root_length, True)
        mid = self.authority("mid", "root", self.mid_key, self.root_key, path_length, ca_usage)
        self.certs = [self.leaf(self.mid_key, {"CN": "mid"}, **how), mid, root]

    def build(self, subject, issuer, key, start, end):
        return (x509.CertificateBuilder().subject_name(name_of(subject))
                .issuer_name(name_of(issuer)).public_key(key.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(start.replace(tzinfo=None))
                .not_valid_after(end.replace(tzinfo=None)))

    def authority(self, subject, issuer, key, issuer_key, length, can_sign):
        start, end = now() - datetime.timedelta(days=30), now() + datetime.timedelta(days=30)
        return (self.build({"CN": subject}, {"CN": issuer}, key, start, end)
                .add_extension(x509.BasicConstraints(True, length), True)
                .add_extension(usage(signature=True, sign_certs=can_sign), True)
                .sign(issuer_key, hashes.SHA256()))

    def leaf(self, issuer_key, issuer, subject=None, start=-1, end=1, critical=True, key_usage=None,
             extended=ExtendedKeyUsageOID.CODE_SIGNING, is_ca=False, crl=None):
        begin = now() + datetime.timedelta(days=start)
        until = now() + datetime.timedelta(days=end)
        builder = (self.build(subject or SUBJECT, issuer, self.key, begin, until)
                   .add_extension(x509.BasicConstraints(is_ca, None), True)
                   .add_extension(key_usage or usage(signature=True), critical))
        if extended:
            builder = builder.add_extension(x509.ExtendedKeyUsage([extended]), False)
        if crl:
            point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl)], None, None, None)
            builder = builder.add_extension(x509.CRLDistributionPoints([point]), False)
        return builder.sign(issuer_key, hashes.SHA256())

    @property
    def root(self):
        return pem(self.certs[-1])

    @property
    def text(self):
        return "".join(pem(c) for c in self.certs)

    def algorithm(self):
        size = self.key.key_size
        if isinstance(self.key, rsa.RSAPrivateKey):
            return {2048: "PS256", 3072: "PS384", 4096: "PS512"}.get(size, "PS256")
        return {256: "ES256", 384: "ES384", 521: "ES512"}[size]

    def sign(self, data, algorithm=None):
        algorithm = algorithm or self.algorithm()
        digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[
            algorithm[2:]]
        if algorithm.startswith("PS"):
            return self.key.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size),
                                 digest)
        r, s = utils.decode_dss_signature(self.key.sign(data, ec.ECDSA(digest)))
        half = (self.key.key_size + 7) // 8
        return r.to_bytes(half, "big") + s.to_bytes(half, "big")


def target(manifest, media_type="application/vnd.oci.image.manifest.v1+json"):
    return {"mediaType": media_type, "size": len(manifest),
            "digest": "sha256:" + hashlib.sha256(manifest).hexdigest()}


def payload_of(descriptor):
    return json.dumps({"targetArtifact": descriptor}).encode()


# --- JWS ---

def jws(chain, descriptor, edit=None, payload=None, edit_envelope=None, algorithm=None):
    header = {"alg": chain.algorithm(), "cty": PAYLOAD, "crit": [PREFIX + "signingScheme"],
              PREFIX + "signingScheme": SCHEME,
              PREFIX + "signingTime": now().isoformat().replace("+00:00", "Z")}
    if edit:
        edit(header)
    protected = b64url(json.dumps(header).encode())
    body = b64url(payload or payload_of(descriptor))
    signature = chain.sign(f"{protected}.{body}".encode(), algorithm)
    envelope = {"payload": body, "protected": protected, "signature": b64url(signature),
                "header": {"x5c": [base64.b64encode(der(c)).decode() for c in chain.certs],
                           PREFIX + "signingAgent": "test"}}
    if edit_envelope:
        edit_envelope(envelope)
    return json.dumps(envelope).encode()


# --- COSE ---

class Time(int):
    """Written with the tag of times."""


class Raw(bytes):
    """Written as it is."""


def head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for low, form, limit in ((24, ">B", 1 << 8), (25, ">H", 1 << 16), (26, ">I", 1 << 32)):
        if number < limit:
            return bytes([major << 5 | low]) + struct.pack(form, number)
    return bytes([major << 5 | 27]) + struct.pack(">Q", number)


def cbor(value):
    if isinstance(value, Raw):
        return bytes(value)
    if isinstance(value, Time):
        return head(6, 1) + cbor(int(value))
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    # In the deterministic order of RFC 8949 4.2.1.
    pairs = sorted((cbor(k), cbor(v)) for k, v in value.items())
    return head(5, len(pairs)) + b"".join(k + v for k, v in pairs)


NUMBERS = {"ES256": -7, "ES384": -35, "ES512": -36, "PS256": -37, "PS384": -38, "PS512": -39}


def cose(chain, descriptor, edit=None, payload=None, edit_unprotected=None, edit_parts=None,
         algorithm=None):
    header = {1: NUMBERS[chain.algorithm()], 2: [PREFIX + "signingScheme"], 3: PAYLOAD,
              PREFIX + "signingScheme": SCHEME,
              PREFIX + "signingTime": Time(now().timestamp())}
    if edit:
        edit(header)
    protected, body = cbor(header), payload or payload_of(descriptor)
    signature = chain.sign(cbor(["Signature1", protected, b"", body]), algorithm)
    unprotected = {33: [der(c) for c in chain.certs], PREFIX + "signingAgent": "test"}
    if edit_unprotected:
        edit_unprotected(unprotected)
    parts = [protected, unprotected, body, signature]
    if edit_parts:
        edit_parts(parts)
    return head(6, 18) + cbor(parts)


# --- trust policies ---

def policy(level="strict", scopes=("*",), stores=("ca:acme",), identities=("*",), **more):
    return {"version": "1.0", "trustPolicies": [
        {"name": "only", "registryScopes": list(scopes),
         "signatureVerification": {"level": level, **more},
         "trustStores": list(stores), "trustedIdentities": list(identities)}]}
