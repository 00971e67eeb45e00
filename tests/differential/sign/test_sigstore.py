"""S57, S58: keyless signatures, good ones and those with one thing wrong, against sigstore-go and
cosign's own verification."""
import base64
import copy
import datetime
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.lib.oracle import oracle
from tests.lib.sigstore import (BUNDLE, EMAIL, ISSUER, OIDS, Log, Sigstore, b64, der, new_key, sign,
                                stamp)

DIGEST = "sha256:" + "5e" * 32
OTHER = "sha256:" + "a1" * 32
ANYBODY = [{"issuer": "^https://accounts", "subject": "@example\\.com$"}]
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)


def agree(ours, theirs, case, good):
    """Both say the same, and what is expected."""
    wanted = theirs.ask(case)
    got = ours.ask(case)
    assert wanted.startswith("good" if good else "refused"), wanted
    assert got.startswith("good" if good else "refused"), (got, wanted)


def case_of(world, bundle, root=None, identities=ANYBODY, digest=DIGEST):
    return {"root": json.dumps(root or world.trusted_root()), "digest": digest,
            "identities": identities, "bundle": json.dumps(bundle)}


def tag_case(world, tag, root=None, identities=ANYBODY, digest=DIGEST):
    return {"root": json.dumps(root or world.trusted_root()), "digest": digest,
            "identities": identities, **tag}


def other_name(text):
    data = text.encode()
    return x509.OtherName(x509.ObjectIdentifier(OIDS + "7"), b"\x0c" + bytes([len(data)]) + data)


# --- good ones ---

GOOD = {
    "dsse": {},
    "intoto": {"body": "intoto_body"},
    "second version": {"body": "second_body"},
    "p384": {"key": ec.generate_private_key(ec.SECP384R1())},
    "uri": {"san": [x509.UniformResourceIdentifier("https://x/@example.com")]},
    "other name": {"san": [other_name("bot@example.com")]},
    "uri before mail": {"san": [x509.RFC822Name("no@where.org"),
                                x509.UniformResourceIdentifier("https://x/@example.com")]},
}


@pytest.mark.parametrize("how", GOOD)
def test_S57_good_bundles(ours, sigstore_go, world, how):
    agree(ours, sigstore_go, case_of(world, world.bundle(DIGEST, **GOOD[how])), True)


def test_S57_good_tag(ours, sigstore_go, world):
    agree(ours, sigstore_go, tag_case(world, world.tag(DIGEST)), True)


def of_the_public_log():
    """A bundle of the public log, the public root, and the digest that it is about."""
    root, bundle = ((oracle("sigstore") / f"{name}.json").read_text()
                    for name in ("trusted-root-public-good", "bundle-provenance"))
    payload = json.loads(base64.b64decode(json.loads(bundle)["dsseEnvelope"]["payload"]))
    (algorithm, value), = payload["subject"][0]["digest"].items()
    return {"root": root, "bundle": bundle, "digest": f"{algorithm}:{value}",
            "identities": [{"issuer": "^https://token.actions.githubusercontent.com$",
                            "subject": "^https://github.com/"}]}


def test_S57_the_public_log(ours, sigstore_go):
    case = of_the_public_log()
    agree(ours, sigstore_go, case, True)
    agree(ours, sigstore_go, {**case, "identities": ANYBODY}, False)
    agree(ours, sigstore_go, {**case, "digest": case["digest"].replace("a", "b")}, False)


# --- identities ---

IDENTITIES = {
    "issuer": ([{"issuer": "^https://other$", "subject": ".*"}], False),
    "subject": ([{"issuer": ".*", "subject": "^nobody$"}], False),
    "unanchored": ([{"issuer": "accounts", "subject": "dev"}], True),
    "exact": ([{"issuer": f"^{ISSUER}$", "subject": f"^{EMAIL}$"}], True),
    "bad regex": ([{"issuer": "(", "subject": ".*"}], False),
    "look-ahead": ([{"issuer": "(?=h)", "subject": ".*"}], False),
}


@pytest.mark.parametrize("which", IDENTITIES)
@pytest.mark.parametrize("form", ["bundle", "tag"])
def test_S57_identities(ours, sigstore_go, world, which, form):
    identities, good = IDENTITIES[which]
    case = (case_of(world, world.bundle(DIGEST), identities=identities) if form == "bundle" else
            tag_case(world, world.tag(DIGEST), identities=identities))
    agree(ours, sigstore_go, case, good)


@pytest.mark.parametrize("form, good", [("bundle", False), ("tag", True)])
def test_S57_no_identity(ours, sigstore_go, world, form, good):
    case = (case_of(world, world.bundle(DIGEST), identities=[]) if form == "bundle" else
            tag_case(world, world.tag(DIGEST), identities=[]))
    agree(ours, sigstore_go, case, good)


def test_S57_any_of_several_identities(ours, world):
    """Upstream refuses several for bundles; the API says that any may match."""
    identities = [{"issuer": "x", "subject": "y"}, *ANYBODY]
    assert ours.ask(case_of(world, world.bundle(DIGEST), identities=identities)) == "good"
    assert ours.ask(tag_case(world, world.tag(DIGEST), identities=identities)) == "good"


# --- wrong from the start ---

WRONG = {
    "no SCT": {"logs": []},
    "SCT of another log": {"logs": [Log("x")]},
    "SCT before the log": {"sct_time": datetime.datetime(2020, 1, 1)},
    "not for code": {"usage": ExtendedKeyUsageOID.SERVER_AUTH},
    "another authority": {"signer": new_key()},
    "logged too late": {"minutes": 0.5},
    "no issuer": {"issuer": None},
    "another issuer": {"issuer": "https://evil.example.com"},
    "another subject": {"san": [x509.RFC822Name("evil@example.org")]},
    "host name only": {"san": [x509.DNSName("host.example.org")]},
    "another log": {"log": Log("rekor.localhost")},
}


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("form", ["bundle", "tag"])
def test_S57_wrong_certificates_and_logs(ours, sigstore_go, world, how, form):
    case = (case_of(world, world.bundle(DIGEST, **WRONG[how])) if form == "bundle" else
            tag_case(world, world.tag(DIGEST, **WRONG[how])))
    agree(ours, sigstore_go, case, False)


@pytest.mark.parametrize("form", ["bundle", "tag"])
def test_S57_another_image(ours, sigstore_go, world, form):
    case = (case_of(world, world.bundle(OTHER)) if form == "bundle" else
            tag_case(world, world.tag(OTHER)))
    agree(ours, sigstore_go, case, False)


# --- one thing changed in a good bundle ---

def entry(bundle):
    return bundle["verificationMaterial"]["tlogEntries"][0]


def put(where, **values):
    return lambda bundle, other: where(bundle).update(values)


def take(where, *names):
    return lambda bundle, other: where(bundle).update({n: where(other)[n] for n in names})


def proof(bundle):
    return entry(bundle)["inclusionProof"]


def material(bundle):
    return bundle["verificationMaterial"]


def flip(where, key):
    """One bit of what is in base64."""
    def change(bundle, _other):
        data = bytearray(base64.b64decode(where(bundle)[key]))
        data[len(data) // 2] ^= 1
        where(bundle)[key] = b64(bytes(data))
    return change


def drop(where, *keys):
    def change(bundle, _other):
        for key in keys:
            where(bundle).pop(key)
    return change


def change_hashes(edit):
    def change(bundle, _other):
        proof(bundle)["hashes"] = edit(proof(bundle)["hashes"])
    return change


def change_checkpoint(edit):
    def change(bundle, _other):
        note = proof(bundle)["checkpoint"]
        note["envelope"] = edit(note["envelope"])
    return change


def twice(bundle, _other):
    material(bundle)["tlogEntries"].append(copy.deepcopy(entry(bundle)))


def with_foreign_entry(bundle, other):
    foreign = copy.deepcopy(entry(other))
    foreign["logId"]["keyId"] = b64(b"x" * 32)
    material(bundle)["tlogEntries"].append(foreign)


def with_other_entry(bundle, other):
    extra = copy.deepcopy(entry(other))
    extra["logIndex"] = "78"
    material(bundle)["tlogEntries"].append(extra)


def two_signatures(bundle, _other):
    signatures = bundle["dsseEnvelope"]["signatures"]
    signatures.append(signatures[0])


def as_chain(bundle, _other):
    certificate = material(bundle).pop("certificate")
    material(bundle)["x509CertificateChain"] = {"certificates": [certificate]}


def old_chain(bundle, _other):
    as_chain(bundle, _other)
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2"


def as_key(bundle, _other):
    material(bundle).pop("certificate")
    material(bundle)["publicKey"] = {"hint": "x"}


def older(bundle, _other):
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"


def older_without_promise(bundle, _other):
    older(bundle, _other)
    entry(bundle).pop("inclusionPromise")


def kind(bundle):
    return entry(bundle)["kindVersion"]


def promise(bundle):
    return entry(bundle)["inclusionPromise"]


def envelope(bundle):
    return bundle["dsseEnvelope"]


def signature(bundle):
    return envelope(bundle)["signatures"][0]


CHANGES = {
    "nothing": (lambda bundle, other: None, True),
    "numbers as numbers": (put(entry, logIndex=77), True),
    "older version": (older, True),
    "older version, no promise": (older_without_promise, False),
    "chain": (as_chain, False),
    "chain in an older version": (old_chain, True),
    "key hint": (as_key, False),
    "unknown version": (put(lambda b: b, mediaType="application/vnd.dev.sigstore.bundle.v0.4+json"),
                        False),
    "no media type": (drop(lambda b: b, "mediaType"), False),
    "no certificate": (drop(material, "certificate"), False),
    "no entries": (drop(material, "tlogEntries"), False),
    "no promise": (drop(entry, "inclusionPromise"), False),
    "no proof": (drop(entry, "inclusionProof"), False),
    "entry twice": (twice, False),
    "a foreign entry, too": (with_foreign_entry, True),
    "an entry about another, too": (with_other_entry, True),
    "entry of another": (take(material, "tlogEntries"), False),
    "certificate of another": (take(material, "certificate"), False),
    "envelope of another": (take(lambda b: b, "dsseEnvelope"), False),
    "payload of another": (take(envelope, "payload"), False),
    "signature of another": (take(envelope, "signatures"), False),
    "promise of another": (take(entry, "inclusionPromise"), False),
    "proof of another": (take(entry, "inclusionProof"), False),
    "body of another": (take(entry, "canonicalizedBody"), False),
    "time": (put(entry, integratedTime="1700000000"), False),
    "no time": (drop(entry, "integratedTime"), False),
    "index": (put(entry, logIndex="78"), False),
    "log": (put(entry, logId={"keyId": b64(b"x" * 32)}), False),
    "payload type": (put(envelope, payloadType="text/plain"), False),
    "two signatures": (two_signatures, False),
    "no signature": (put(envelope, signatures=[]), False),
    "flipped promise": (flip(promise, "signedEntryTimestamp"), False),
    "flipped signature": (flip(signature, "sig"), False),
    "flipped payload": (flip(envelope, "payload"), False),
    "flipped body": (flip(entry, "canonicalizedBody"), False),
    "flipped root": (flip(proof, "rootHash"), False),
    "flipped certificate": (flip(lambda b: material(b)["certificate"], "rawBytes"), False),
    "proof index": (put(proof, logIndex="3"), False),
    "proof size": (put(proof, treeSize="9"), False),
    "proof beyond the tree": (put(proof, logIndex="7"), False),
    "proof reversed": (change_hashes(lambda h: h[::-1]), False),
    "proof cut": (change_hashes(lambda h: h[:-1]), False),
    "proof extended": (change_hashes(lambda h: h + h[:1]), False),
    "proof emptied": (change_hashes(lambda h: []), False),
    "hash too short": (change_hashes(lambda h: [b64(b"x")] + h[1:]), False),
    "checkpoint of another": (lambda b, o: proof(b).update(checkpoint=proof(o)["checkpoint"]),
                              False),
    "checkpoint size": (change_checkpoint(lambda t: t.replace("\n7\n", "\n8\n")), False),
    "checkpoint origin": (change_checkpoint(lambda t: "x" + t), False),
    "checkpoint unsigned": (change_checkpoint(lambda t: t.split("\n\n")[0] + "\n"), False),
    "checkpoint emptied": (change_checkpoint(lambda t: ""), False),
    "checkpoint with a foreign line": (change_checkpoint(lambda t: t + "\u2014 w AAAAAAAA\n"),
                                       False),
}


@pytest.mark.parametrize("how", CHANGES)
def test_S57_changed_bundles(ours, sigstore_go, world, how):
    change, good = CHANGES[how]
    bundle, other = world.bundle(DIGEST), world.bundle(OTHER)
    change(bundle, other)
    agree(ours, sigstore_go, case_of(world, bundle), good)


SECOND = {
    "nothing": (lambda bundle, other: None, True),
    "timestamp of another": (take(material, "timestampVerificationData"), False),
    "no timestamp": (drop(material, "timestampVerificationData"), False),
    "no proof": (drop(entry, "inclusionProof"), False),
    "index": (put(entry, logIndex="3"), False),
    "a time": (put(entry, integratedTime="1700000000"), False),
    "entry of another": (take(material, "tlogEntries"), False),
    "proof cut": (change_hashes(lambda h: h[:-1]), False),
    "checkpoint size": (change_checkpoint(lambda t: t.replace("\n7\n", "\n8\n")), False),
    "a witness": (change_checkpoint(lambda t: t + "\u2014 w AAAAAAAA\n"), True),
    "origin": (change_checkpoint(lambda t: "x" + t), False),
}


@pytest.mark.parametrize("how", SECOND)
def test_S57_changed_bundles_of_the_second_log(ours, sigstore_go, world, how):
    change, good = SECOND[how]
    bundle = world.bundle(DIGEST, "second_body")
    other = world.bundle(OTHER, "second_body")
    change(bundle, other)
    agree(ours, sigstore_go, case_of(world, bundle), good)


def test_S57_another_signature_of_the_same_key(ours, sigstore_go, world):
    """Good by itself, but it is not the one that was logged."""
    key = new_key()
    bundle = world.bundle(DIGEST, key=key)
    bundle["dsseEnvelope"] = world.envelope(key, world.statement(DIGEST))
    agree(ours, sigstore_go, case_of(world, bundle), False)


def test_S57_another_certificate_of_the_same_key(ours, sigstore_go, world):
    """The log has the signature, but under somebody else's certificate."""
    key = new_key()
    bundle = world.bundle(DIGEST, key=key)
    logged = world.certificate(key, san=[x509.RFC822Name("other@example.com")])
    body = world.dsse_body(bundle["dsseEnvelope"], logged)
    material(bundle)["tlogEntries"] = [world.rekor.entry(body, int(entry(bundle)["integratedTime"]))]
    agree(ours, sigstore_go, case_of(world, bundle), False)


def test_S57_a_checkpoint_of_the_second_log(ours, sigstore_go, world):
    bundle = world.bundle(DIGEST)
    body = base64.b64decode(entry(bundle)["canonicalizedBody"])
    entry(bundle)["inclusionProof"] = world.rekor.proof(body, tree_id=False)
    agree(ours, sigstore_go, case_of(world, bundle), False)


def test_S57_a_timestamp_by_another_of_the_same_root(ours, sigstore_go, world, tmp_path):
    """The trusted root names the certificate that may sign timestamps."""
    bundle = world.bundle(DIGEST, "second_body")
    other = copy.copy(world)
    other.dir, other.tsa_key = tmp_path, new_key()
    other.tsa = other.timestamp_certificate()
    signature_bytes = base64.b64decode(signature(bundle)["sig"])
    stamps = material(bundle)["timestampVerificationData"]["rfc3161Timestamps"]
    stamps[0]["signedTimestamp"] = b64(other.timestamp(signature_bytes))
    agree(ours, sigstore_go, case_of(world, bundle), False)
    root = world.trusted_root()
    root["timestampAuthorities"] = other.trusted_root()["timestampAuthorities"]
    agree(ours, sigstore_go, case_of(world, bundle, root), True)


def test_S57_an_entry_of_the_second_log_under_a_checkpoint_of_the_first(ours, sigstore_go, world):
    """Upstream then compares the entry with nothing: any that the log holds would do."""
    bundle, other = world.bundle(DIGEST, "second_body"), world.bundle(OTHER, "second_body")
    body = base64.b64decode(entry(other)["canonicalizedBody"])
    entry(bundle).update(canonicalizedBody=b64(body), inclusionProof=world.rekor.proof(body))
    assert sigstore_go.ask(case_of(world, bundle)) == "good"
    assert ours.ask(case_of(world, bundle)).startswith("refused")


STRICTER = {
    "kind": ({}, put(kind, kind="hashedrekord")),
    "kind version": ({}, put(kind, version="0.0.2")),
    "body of another": ({"body": "second_body"}, take(entry, "canonicalizedBody")),
}


@pytest.mark.parametrize("how", STRICTER)
def test_S57_what_contradicts_itself_is_refused(ours, sigstore_go, world, how):
    """Upstream does not look at these parts of an entry; nobody makes such bundles."""
    spec, change = STRICTER[how]
    bundle, other = world.bundle(DIGEST, **spec), world.bundle(OTHER, **spec)
    change(bundle, other)
    case = case_of(world, bundle)
    assert sigstore_go.ask(case) == "good"
    assert ours.ask(case).startswith("refused")


# --- one thing changed in a good tag ---

def change_entry(edit):
    def change(tag, other):
        value, foreign = json.loads(tag["logentry"]), json.loads(other["logentry"])
        edit(value, foreign)
        tag["logentry"] = json.dumps(value)
    return change


TAG_CHANGES = {
    "entry of another": (lambda t, o: t.update(logentry=o["logentry"]), False),
    "certificate of another": (lambda t, o: t.update(cert=o["cert"]), False),
    "signature of another": (lambda t, o: t.update(signature=o["signature"]), False),
    "payload of another": (lambda t, o: t.update(payload=o["payload"]), False),
    "no entry": (lambda t, o: t.update(logentry=""), False),
    "no certificate": (lambda t, o: t.update(cert=""), False),
    "index": (change_entry(lambda v, o: v["Payload"].update(logIndex=1)), False),
    "time": (change_entry(lambda v, o: v["Payload"].update(integratedTime=1)), False),
    "log": (change_entry(lambda v, o: v["Payload"].update(logID="ab" * 32)), False),
    "body": (change_entry(lambda v, o: v["Payload"].update(body=o["Payload"]["body"])), False),
    "promise": (change_entry(lambda v, o: v.update(
        SignedEntryTimestamp=o["SignedEntryTimestamp"])), False),
}


@pytest.mark.parametrize("how", TAG_CHANGES)
def test_S57_changed_tags(ours, sigstore_go, world, how):
    change, good = TAG_CHANGES[how]
    tag, other = world.tag(DIGEST), world.tag(OTHER)
    change(tag, other)
    agree(ours, sigstore_go, tag_case(world, tag), good)


# --- keys ---

def key_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def key_bundle(world, key, digest=DIGEST):
    """As cosign leaves it without a log."""
    return {"mediaType": BUNDLE, "dsseEnvelope": world.envelope(key, world.statement(digest)),
            "verificationMaterial": {"publicKey": {"hint": "x"}}}


def key_case(key, bundle):
    return {"key": key_pem(key), "digest": DIGEST, "bundle": json.dumps(bundle)}


KEY_CHANGES = {
    "nothing": (lambda b, w: None, True),
    "older": (older, True),
    "unknown version": (put(lambda b: b, mediaType="application/vnd.dev.sigstore.bundle.v0.4+json"),
                        False),
    "with a certificate": (lambda b, w: b.update(verificationMaterial={"certificate": {
        "rawBytes": b64(der(w.certificate(new_key())))}}), False),
    "no material": (drop(lambda b: b, "verificationMaterial"), False),
    "two signatures": (two_signatures, False),
    "no signature": (put(envelope, signatures=[]), False),
    "flipped signature": (flip(signature, "sig"), False),
    "flipped payload": (flip(envelope, "payload"), False),
    "payload type": (put(envelope, payloadType="text/plain"), False),
    "no envelope": (drop(lambda b: b, "dsseEnvelope"), False),
}


@pytest.mark.parametrize("how", KEY_CHANGES)
def test_S57_bundles_of_a_key(ours, sigstore_go, world, how):
    change, good = KEY_CHANGES[how]
    key = new_key()
    bundle = key_bundle(world, key)
    change(bundle, world)
    agree(ours, sigstore_go, key_case(key, bundle), good)


def test_S57_bundles_of_another_key_or_image(ours, sigstore_go, world):
    key = new_key()
    agree(ours, sigstore_go, key_case(new_key(), key_bundle(world, key)), False)
    agree(ours, sigstore_go, key_case(key, key_bundle(world, key, OTHER)), False)


@pytest.mark.parametrize("good", [True, False])
def test_S57_tags_of_a_key(ours, sigstore_go, world, good):
    key = new_key()
    payload = world.payload(DIGEST)
    case = {"key": key_pem(key if good else new_key()), "digest": DIGEST,
            "payload": payload.decode(), "signature": b64(sign(key, payload))}
    agree(ours, sigstore_go, case, good)


# --- trusted roots ---

def period(world, start, end):
    return {"start": stamp(world.time + start), "end": stamp(world.time + end)}


def authority(root):
    return root["certificateAuthorities"][0]


ROOTS = {
    "another": (lambda r, w, o: r.update(o.trusted_root()), False),
    "no log": (lambda r, w, o: r.pop("tlogs"), False),
    "no certificate log": (lambda r, w, o: r.pop("ctlogs"), False),
    "no authority": (lambda r, w, o: r.pop("certificateAuthorities"), False),
    "no timestamps": (lambda r, w, o: r.pop("timestampAuthorities"), True),
    "another authority first": (lambda r, w, o: r["certificateAuthorities"].insert(
        0, o.trusted_root()["certificateAuthorities"][0]), True),
    "authority too old": (lambda r, w, o: authority(r).update(
        validFor=period(w, -DAY, -HOUR)), False),
    "authority too new": (lambda r, w, o: authority(r).update(
        validFor=period(w, HOUR, DAY)), False),
    "authority for ever": (lambda r, w, o: authority(r).pop("validFor"), True),
    "log too old": (lambda r, w, o: r["tlogs"][0]["publicKey"].update(
        validFor=period(w, -DAY, -HOUR)), False),
    "log too new": (lambda r, w, o: r["tlogs"][0]["publicKey"].update(
        validFor=period(w, HOUR, DAY)), False),
    "log without a start": (lambda r, w, o: r["tlogs"][0]["publicKey"].pop("validFor"), False),
    "log without a URL": (lambda r, w, o: r["tlogs"][0].pop("baseUrl"), True),
    "log with another key": (lambda r, w, o: r["tlogs"][0]["publicKey"].update(
        rawBytes=o.trusted_root()["tlogs"][0]["publicKey"]["rawBytes"]), False),
    "certificate log too old": (lambda r, w, o: r["ctlogs"][0]["publicKey"].update(
        validFor=period(w, -DAY, -HOUR)), False),
    "other hash": (lambda r, w, o: r["tlogs"][0].update(hashAlgorithm="SHA2_512"), False),
    "no media type": (lambda r, w, o: r.pop("mediaType"), False),
    "chain emptied": (lambda r, w, o: authority(r).update(certChain={"certificates": []}), False),
    "no intermediate": (lambda r, w, o: authority(r)["certChain"]["certificates"].pop(0), False),
    "intermediate as root": (lambda r, w, o: authority(r)["certChain"]["certificates"].pop(1),
                             True),
    "not base64": (lambda r, w, o: r["tlogs"][0]["publicKey"].update(rawBytes="***"), False),
}


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Sigstore(tmp_path_factory.mktemp("stranger"))


@pytest.mark.parametrize("how", ROOTS)
@pytest.mark.parametrize("form", ["bundle", "tag"])
def test_S58_trusted_roots(ours, sigstore_go, world, stranger, how, form):
    change, good = ROOTS[how]
    root = world.trusted_root()
    change(root, world, stranger)
    case = (case_of(world, world.bundle(DIGEST), root) if form == "bundle" else
            tag_case(world, world.tag(DIGEST), root))
    agree(ours, sigstore_go, case, good)


@pytest.mark.parametrize("how", ["no timestamps", "another authority first"])
def test_S58_timestamp_authorities(ours, sigstore_go, world, stranger, how):
    root = world.trusted_root()
    foreign = stranger.trusted_root()["timestampAuthorities"][0]
    if how == "no timestamps":
        root.pop("timestampAuthorities")
    else:
        root["timestampAuthorities"].insert(0, foreign)
    case = case_of(world, world.bundle(DIGEST, "second_body"), root)
    agree(ours, sigstore_go, case, how != "no timestamps")
