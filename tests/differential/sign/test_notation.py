"""S59: signatures of the Notary Project, good ones and those with one thing wrong, under many trust
policies, against notation-go asked as source-controller asks it."""
import base64
import json

import pytest

from tests.differential.sign.conftest import Verifier
from tests.lib import notation
from tests.lib.notation import (AUTHORITY, COSE, JWS, PREFIX, Chain, Raw, Time, cbor, now, policy,
                                usage)
from tests.lib.net import wait_until
from tests.lib.oracle import oracle
from tests.lib.sigstore import Sigstore

TARGET = notation.target(b"a manifest")
OTHER = notation.target(b"another manifest")
REFERENCE = f"registry.example.com:5000/team/app@{TARGET['digest']}"
FORMS = {JWS: notation.jws, COSE: notation.cose}


@pytest.fixture(scope="session")
def notation_go():
    verifier = Verifier(oracle("notation") / "notation")
    yield verifier
    verifier.stop()


@pytest.fixture(scope="module")
def chain():
    return Chain()


def case_of(chain, envelope, form, rules=None, certs=None, descriptor=TARGET):
    return {"policy": json.dumps(rules or policy()), "certs": certs or [chain.root],
            "reference": REFERENCE, "type": form, "descriptor": descriptor,
            "envelope": base64.b64encode(envelope).decode()}


def agree(ours, theirs, case, expected):
    wanted, got = theirs.ask(case), ours.ask(case)
    assert wanted.split(":")[0] == expected, (wanted, got)
    assert got.split(":")[0] == expected, (got, wanted)


def verdict(good):
    return good if isinstance(good, str) else "good" if good else "refused"


# --- good ones ---

@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", ["p256", "p384", "p521", "2048", "3072", "4096"])
@pytest.mark.parametrize("expiry", [0, 3600])
def test_S59_signed_by_the_real_one(ours, notation_go, form, key, expiry):
    chain = Chain(key)
    answer = notation_go.ask({"sign": form, "key": notation.private_pem(chain.key),
                              "chain": chain.text, "scheme": notation.SCHEME, "expiry": expiry,
                              "payload": notation.payload_of(TARGET).decode()})
    assert not answer.startswith("refused"), answer
    agree(ours, notation_go, case_of(chain, base64.b64decode(answer), form), "good")


@pytest.mark.parametrize("form", FORMS)
def test_S59_made_by_hand(ours, notation_go, chain, form):
    agree(ours, notation_go, case_of(chain, FORMS[form](chain, TARGET), form), "good")
    agree(ours, notation_go, case_of(chain, FORMS[form](chain, OTHER), form), "refused")


@pytest.mark.parametrize("form", FORMS)
def test_S59_signed_by_an_authority(ours, notation_go, chain, form):
    answer = notation_go.ask({"sign": form, "key": notation.private_pem(chain.key),
                              "chain": chain.text, "scheme": AUTHORITY,
                              "payload": notation.payload_of(TARGET).decode()})
    envelope = base64.b64decode(answer)
    rules = policy(stores=["signingAuthority:acme"])
    agree(ours, notation_go, case_of(chain, envelope, form, rules), "good")
    agree(ours, notation_go, case_of(chain, envelope, form), "refused")


# --- certificates ---

CHAINS = {
    "self-signed": ({"self_signed": True}, "good"),
    "no extended use": ({"extended": None}, "good"),
    "for servers": ({"extended": notation.ExtendedKeyUsageOID.SERVER_AUTH}, "refused"),
    "for timestamps": ({"extended": notation.ExtendedKeyUsageOID.TIME_STAMPING}, "refused"),
    "expired": ({"start": -3, "end": -1}, "refused"),
    "not yet": ({"start": 1, "end": 3}, "refused"),
    "usage not critical": ({"critical": False}, "refused"),
    "usage for more": ({"key_usage": usage(signature=True, agree=True)}, "refused"),
    "usage for something else": ({"key_usage": usage(agree=True)}, "refused"),
    "leaf is an authority": ({"is_ca": True}, "refused"),
    "authority may not sign": ({"ca_usage": False}, "refused"),
    "path long enough": ({"path_length": 3, "root_length": 1}, "good"),
    "path too long": ({"root_length": 0}, "refused"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("how", CHAINS)
def test_S59_certificates(ours, notation_go, form, how):
    spec, expected = CHAINS[how]
    chain = Chain(**spec)
    agree(ours, notation_go, case_of(chain, FORMS[form](chain, TARGET), form), expected)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("edit, expected", [
    (lambda c: c.certs.reverse(), "refused"), (lambda c: c.certs.pop(), "refused"),
    (lambda c: c.certs.pop(1), "refused"), (lambda c: c.certs.append(c.certs[-1]), "refused"),
    (lambda c: c.certs.clear(), "refused"),
], ids=["reversed", "no root", "no intermediate", "root twice", "empty"])
def test_S59_chains_in_disorder(ours, notation_go, form, edit, expected):
    chain = Chain()
    root = chain.root
    edit(chain)
    case = case_of(chain, FORMS[form](chain, TARGET), form, certs=[root])
    agree(ours, notation_go, case, expected)


@pytest.mark.parametrize("level, expected", [("strict", "refused"), ("permissive", "good")])
def test_S59_revocation_that_cannot_be_asked(ours, notation_go, level, expected):
    chain = Chain(crl="http://127.0.0.1:1/list.crl")
    case = case_of(chain, notation.jws(chain, TARGET), JWS, policy(level))
    agree(ours, notation_go, case, expected)
    case["policy"] = json.dumps(policy("strict", override={"revocation": "skip"}))
    agree(ours, notation_go, case, "good")


# --- trust stores ---

STORES = {
    "intermediate": (lambda c: [notation.pem(c.certs[1])], "good"),
    "leaf": (lambda c: [notation.pem(c.certs[0])], "good"),
    "another": (lambda c: [Chain().root], "refused"),
    "one of two": (lambda c: [Chain().root, c.root], "good"),
    "second of a file": (lambda c: [Chain().root + c.root], "refused"),
    "first of a file": (lambda c: [c.root + Chain().root], "good"),
    "not a certificate": (lambda c: ["x"], "refused"),
    "one is none": (lambda c: [c.root, "x"], "refused"),
}


@pytest.mark.parametrize("how", STORES)
def test_S59_trust_stores(ours, notation_go, chain, how):
    certs, expected = STORES[how]
    case = case_of(chain, notation.jws(chain, TARGET), JWS, certs=certs(chain))
    agree(ours, notation_go, case, expected)


# --- policies ---

ACME = "x509.subject: C=US, ST=WA, O=Acme"
POLICIES = {
    "strict": (policy(), "good"),
    "permissive": (policy("permissive"), "good"),
    "audit": (policy("audit"), "good"),
    "skip": (policy("skip", stores=[], identities=[]), "ignored"),
    "skip with stores": (policy("skip"), "ignored"),
    "no level": (policy(""), "refused"),
    "unknown level": (policy("lax"), "refused"),
    "scope": (policy(scopes=["registry.example.com:5000/team/app"]), "good"),
    "another scope": (policy(scopes=["registry.example.com:5000/team"]), "refused"),
    "wildcard and more": (policy(scopes=["*", "a.b/c"]), "refused"),
    "no scope": (policy(scopes=[]), "refused"),
    "scope with a wildcard": (policy(scopes=["a.b/*"]), "refused"),
    "scope with a tag": (policy(scopes=["a.b/c:latest"]), "refused"),
    "scope in capitals": (policy(scopes=["a.b/C"]), "refused"),
    "scope without repository": (policy(scopes=["a.b"]), "refused"),
    "no stores": (policy(stores=[]), "refused"),
    "unknown store": (policy(stores=["x:acme"]), "refused"),
    "store without a name": (policy(stores=["ca:"]), "refused"),
    "store with a bad name": (policy(stores=["ca:a/b"]), "refused"),
    "store without a type": (policy(stores=["acme"]), "refused"),
    "store of another type": (policy(stores=["signingAuthority:x"]), "refused"),
    "two stores": (policy(stores=["signingAuthority:x", "ca:y"]), "good"),
    "tsa store without a timestamp": (policy(stores=["ca:x", "tsa:y"]), "refused"),
    "tsa store only after expiry": (policy(stores=["ca:x", "tsa:y"],
                                           verifyTimestamp="afterCertExpiry"), "good"),
    "bad timestamp option": (policy(verifyTimestamp="never"), "refused"),
    "no identities": (policy(identities=[]), "refused"),
    "identity": (policy(identities=[ACME]), "good"),
    "identity whole": (policy(identities=[ACME + ", CN=signer"]), "good"),
    "identity by S": (policy(identities=["x509.subject: C=US, S=WA, O=Acme"]), "good"),
    "another identity": (policy(identities=[ACME + ", CN=other"]), "refused"),
    "identity in other letters": (policy(identities=["x509.subject: C=US, ST=WA, O=ACME"]),
                                  "refused"),
    "one of two identities": (policy(identities=["x509.subject: C=US, ST=WA, O=X", ACME]), "good"),
    "overlapping identities": (policy(identities=[ACME, ACME + ", CN=signer"]), "refused"),
    "wildcard and identity": (policy(identities=["*", ACME]), "refused"),
    "identity without O": (policy(identities=["x509.subject: C=US, ST=WA"]), "refused"),
    "identity twice the same part": (policy(identities=[ACME + ", O=Acme"]), "refused"),
    "identity with a plus": (policy(identities=["x509.subject: C=US, ST=WA, O=Acme+OU=x"]),
                             "refused"),
    "identity with a hash": (policy(identities=["x509.subject: C=US, ST=WA, O=#0c01"]), "refused"),
    "identity with escapes": (policy(identities=["x509.subject: C=US, ST=W\\41, O=Acme"]), "good"),
    "identity with a bad escape": (policy(identities=["x509.subject: C=US, ST=W\\q, O=Acme"]),
                                   "refused"),
    "identity that is none": (policy(identities=["x509.subject:"]), "refused"),
    "identity without a kind": (policy(identities=["C=US"]), "refused"),
    "identity of another kind": (policy(identities=["did:web"]), "refused"),
    "empty identity": (policy(identities=[""]), "refused"),
    "override": (policy(override={"expiry": "log"}), "good"),
    "override of integrity": (policy(override={"integrity": "log"}), "refused"),
    "override that skips": (policy(override={"expiry": "skip"}), "refused"),
    "override of nothing": (policy(override={"x": "log"}), "refused"),
    "override by nothing": (policy(override={"expiry": "x"}), "refused"),
    "override of skip": (policy("skip", stores=[], identities=[], override={"expiry": "log"}),
                         "refused"),
    "another version": ({**policy(), "version": "2.0"}, "refused"),
    "no version": ({"trustPolicies": policy()["trustPolicies"]}, "refused"),
    "no statements": ({"version": "1.0", "trustPolicies": []}, "refused"),
    "statement twice": ({"version": "1.0", "trustPolicies": policy()["trustPolicies"] * 2},
                        "refused"),
    "exact before wildcard": ({"version": "1.0", "trustPolicies": [
        {**policy("skip", stores=[], identities=[])["trustPolicies"][0], "name": "all"},
        policy(scopes=["registry.example.com:5000/team/app"])["trustPolicies"][0]]}, "good"),
    "scope twice": (policy(scopes=["registry.example.com:5000/team/app"] * 2), "refused"),
    "scope in two": ({"version": "1.0", "trustPolicies": [
        {**policy(scopes=["a.b/c"])["trustPolicies"][0], "name": "1"},
        {**policy(scopes=["a.b/c"])["trustPolicies"][0], "name": "2"}]}, "refused"),
}


@pytest.mark.parametrize("how", POLICIES)
@pytest.mark.parametrize("form", FORMS)
def test_S59_policies(ours, notation_go, chain, form, how):
    rules, expected = POLICIES[how]
    agree(ours, notation_go, case_of(chain, FORMS[form](chain, TARGET), form, rules), expected)


# What fails, and what each level makes of it.
FAILURES = {
    "untrusted": ("refused", "refused", "ignored"),
    "identity": ("refused", "refused", "ignored"),
    "expired signature": ("refused", "good", "good"),
    "expired certificate": ("refused", "good", "good"),
    "broken signature": ("refused", "refused", "refused"),
    "another artifact": ("refused", "refused", "refused"),
}


def failing(what, form):
    sign, identities = FORMS[form], ["*"]
    chain = Chain(start=-3, end=-1) if what == "expired certificate" else Chain()
    certs = [Chain().root] if what == "untrusted" else [chain.root]
    if what == "identity":
        identities = [ACME + ", CN=x"]
    edit = expire if what == "expired signature" else None
    envelope = sign(chain, OTHER if what == "another artifact" else TARGET, edit)
    if what == "broken signature":
        envelope = sign(chain, TARGET, edit_envelope=break_jws) if form == JWS else sign(
            chain, TARGET, edit_parts=break_cose)
    return chain, envelope, identities, certs


def expire(header):
    """Signed two hours ago for one."""
    is_cose = 1 in header
    then = now() - notation.datetime.timedelta(hours=2)
    end = now() - notation.datetime.timedelta(hours=1)
    write = (lambda t: Time(t.timestamp())) if is_cose else (lambda t: t.isoformat())
    header[PREFIX + "signingTime"], header[PREFIX + "expiry"] = write(then), write(end)
    header[2 if is_cose else "crit"].append(PREFIX + "expiry")


def break_jws(envelope):
    envelope["signature"] = "A" + envelope["signature"][1:]


def break_cose(parts):
    parts[3] = bytes([parts[3][0] ^ 1]) + parts[3][1:]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("what", FAILURES)
@pytest.mark.parametrize("level", ["strict", "permissive", "audit"])
def test_S59_levels(ours, notation_go, form, what, level):
    chain, envelope, identities, certs = failing(what, form)
    expected = FAILURES[what][["strict", "permissive", "audit"].index(level)]
    rules = policy(level, identities=identities)
    agree(ours, notation_go, case_of(chain, envelope, form, rules, certs), expected)


def expire_before_signing(header):
    expire(header)
    is_cose = 1 in header
    later = now() - notation.datetime.timedelta(minutes=30)
    header[PREFIX + "signingTime"] = Time(later.timestamp()) if is_cose else later.isoformat()


@pytest.mark.parametrize("form", FORMS)
def test_S59_expiry_before_signing(ours, notation_go, chain, form):
    """No level tolerates that: it is no expired signature but none."""
    envelope = FORMS[form](chain, TARGET, expire_before_signing)
    agree(ours, notation_go, case_of(chain, envelope, form, policy("permissive")), "refused")


# --- timestamps ---

@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A timestamp authority: sigstore's will do."""
    return Sigstore(tmp_path_factory.mktemp("tsa"))


def stamped(chain, form, authority, data=None):
    """An envelope with a countersignature of its signature, or of other data."""
    def token(signature):
        return authority.timestamp(data or signature, token=True)

    def add_to_jws(envelope):
        signature = envelope["signature"]
        raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        envelope["header"][PREFIX + "timestampSignature"] = base64.b64encode(token(raw)).decode()

    def add_to_cose(parts):
        parts[1][PREFIX + "timestampSignature"] = token(parts[3])
    return (notation.jws(chain, TARGET, edit_envelope=add_to_jws) if form == JWS else
            notation.cose(chain, TARGET, edit_parts=add_to_cose))


TSA = {
    "good": ({}, ["ca:x", "tsa:y"], "good"),
    "after expiry": ({"verifyTimestamp": "afterCertExpiry"}, ["ca:x", "tsa:y"], "good"),
    "no store": ({}, ["ca:x"], "good"),
    "untrusted": ({}, ["ca:x", "tsa:y"], "refused"),
    "of something else": ({}, ["ca:x", "tsa:y"], "refused"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("how", TSA)
def test_S59_timestamps(ours, notation_go, chain, authority, form, how):
    more, stores, expected = TSA[how]
    envelope = stamped(chain, form, authority, b"x" if how == "of something else" else None)
    certs = [chain.root] + ([] if how == "untrusted" else [notation.pem(authority.root)])
    case = case_of(chain, envelope, form, policy(stores=stores, **more), certs)
    agree(ours, notation_go, case, expected)


@pytest.mark.parametrize("start, end, expected", [(-3, -1, "refused"), (1, 3, "refused")])
def test_S59_timestamps_outside_the_certificate(ours, notation_go, authority, start, end,
                                                expected):
    chain = Chain(start=start, end=end)
    certs = [chain.root, notation.pem(authority.root)]
    case = case_of(chain, stamped(chain, JWS, authority), JWS,
                   policy(stores=["ca:x", "tsa:y"]), certs)
    agree(ours, notation_go, case, expected)


@pytest.mark.parametrize("wait", ["afterCertExpiry", "always"])
def test_S59_a_timestamp_outlives_the_certificate(ours, notation_go, authority, wait):
    """The certificate has expired since; the timestamp says that it had not when it signed."""
    for seconds in (1.5, 10, 60):
        chain = Chain(start=-3, end=seconds / 86400)
        envelope = stamped(chain, JWS, authority)
        expiry = chain.certs[0].not_valid_after.replace(tzinfo=notation.datetime.timezone.utc)
        if now() < expiry:
            break
    certs = [chain.root, notation.pem(authority.root)]
    wait_until(lambda: notation.datetime.datetime.now(notation.datetime.timezone.utc) >
               expiry + notation.datetime.timedelta(seconds=1), "the end of the certificate")
    rules = policy(stores=["ca:x", "tsa:y"], verifyTimestamp=wait)
    agree(ours, notation_go, case_of(chain, envelope, JWS, rules, certs), "good")
    agree(ours, notation_go, case_of(chain, envelope, JWS, policy(), certs), "refused")


# --- one thing changed ---

def put(key, value):
    return lambda header: header.update({key: value})


def drop(key):
    return lambda header: header.pop(key)


JWS_HEADERS = {
    "algorithm": put("alg", "ES384"), "none": put("alg", "none"), "no algorithm": drop("alg"),
    "type": put("cty", "text/plain"), "no type": drop("cty"),
    "not critical": put("crit", []), "no critical": drop("crit"),
    "absent critical": lambda h: h["crit"].append("x"),
    "scheme": put(PREFIX + "signingScheme", "x"), "no scheme": drop(PREFIX + "signingScheme"),
    "time": put(PREFIX + "signingTime", "yesterday"), "no time": drop(PREFIX + "signingTime"),
    "time of another scheme": put(PREFIX + "authenticSigningTime", "2026-01-01T00:00:00Z"),
    "expiry not critical": put(PREFIX + "expiry", "2099-01-01T00:00:00Z"),
    "authority without its time": put(PREFIX + "signingScheme", AUTHORITY),
    "plugin": lambda h: (h.update({PREFIX + "verificationPlugin": "p"}),
                         h["crit"].append(PREFIX + "verificationPlugin")),
}


@pytest.mark.parametrize("how", JWS_HEADERS)
def test_S59_headers_of_jws(ours, notation_go, chain, how):
    envelope = notation.jws(chain, TARGET, JWS_HEADERS[how])
    agree(ours, notation_go, case_of(chain, envelope, JWS), "refused")


COSE_HEADERS = {
    "algorithm": put(1, -35), "unknown algorithm": put(1, -257), "no algorithm": drop(1),
    "type": put(3, "text/plain"), "no type": drop(3), "type as a number": put(3, 0),
    "not critical": put(2, []), "no critical": drop(2), "critical is no list": put(2, "x"),
    "absent critical": lambda h: h[2].append("x"),
    "scheme": put(PREFIX + "signingScheme", "x"), "no scheme": drop(PREFIX + "signingScheme"),
    "time without a tag": put(PREFIX + "signingTime", 1700000000),
    "time with another tag": put(PREFIX + "signingTime", Raw(b"\xc0\x1a\x65\x00\x00\x00")),
    "no time": drop(PREFIX + "signingTime"),
    "expiry not critical": put(PREFIX + "expiry", Time(4000000000)),
    "authority without its time": put(PREFIX + "signingScheme", AUTHORITY),
    "plugin": lambda h: (h.update({PREFIX + "verificationPlugin": "p"}),
                         h[2].append(PREFIX + "verificationPlugin")),
}


@pytest.mark.parametrize("how", COSE_HEADERS)
def test_S59_headers_of_cose(ours, notation_go, chain, how):
    envelope = notation.cose(chain, TARGET, COSE_HEADERS[how])
    agree(ours, notation_go, case_of(chain, envelope, COSE), "refused")


ENVELOPES = {
    "nothing": lambda data: b"", "text": lambda data: b"hello",
    "cut": lambda data: data[:-1], "half": lambda data: data[:len(data) // 2],
    "zeros": lambda data: b"\0" * len(data),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("how", ENVELOPES)
def test_S59_envelopes_that_are_none(ours, notation_go, chain, form, how):
    data = ENVELOPES[how](FORMS[form](chain, TARGET))
    agree(ours, notation_go, case_of(chain, data, form), "refused")


def test_S59_envelopes_by_the_wrong_name(ours, notation_go, chain):
    agree(ours, notation_go, case_of(chain, notation.jws(chain, TARGET), COSE), "refused")
    agree(ours, notation_go, case_of(chain, notation.cose(chain, TARGET), JWS), "refused")
    agree(ours, notation_go, case_of(chain, notation.jws(chain, TARGET), "text/plain"), "refused")


PARTS = {
    "no tag": lambda data: data[1:],
    "another tag": lambda data: b"\xd1" + data[1:],
    "bytes behind": lambda data: data + b"\0",
    "endless": lambda data: b"\xd2\x9f" + data[2:] + b"\xff",
}


@pytest.mark.parametrize("how", PARTS)
def test_S59_cose_framing(ours, notation_go, chain, how):
    data = PARTS[how](notation.cose(chain, TARGET))
    agree(ours, notation_go, case_of(chain, data, COSE), "refused")


def test_S59_a_header_twice(ours, notation_go, chain):
    def double(parts):
        pairs = cbor(parts[1])[1:]
        parts[1] = Raw(bytes([0xa0 | 2 * len(parts[1])]) + pairs + pairs)
    envelope = notation.cose(chain, TARGET, edit_parts=double)
    agree(ours, notation_go, case_of(chain, envelope, COSE), "refused")


@pytest.mark.parametrize("payload", [b"{}", b"x", b'{"targetArtifact":{}}'])
@pytest.mark.parametrize("form", FORMS)
def test_S59_payloads(ours, notation_go, chain, form, payload):
    envelope = FORMS[form](chain, TARGET, payload=payload)
    agree(ours, notation_go, case_of(chain, envelope, form), "refused")


@pytest.mark.parametrize("change", [{"size": 1}, {"mediaType": "x"}, {"digest": OTHER["digest"]}])
def test_S59_another_descriptor(ours, notation_go, chain, change):
    case = case_of(chain, notation.jws(chain, TARGET), JWS, descriptor={**TARGET, **change})
    agree(ours, notation_go, case, "refused")


def unknown_critical(header):
    header["com.example.x"] = "y"
    header[2 if 1 in header else "crit"].append("com.example.x")


@pytest.mark.parametrize("form", FORMS)
def test_S59_critical_headers_that_nobody_knows(ours, notation_go, chain, form):
    """Upstream passes over them where no plugin is asked for; both specifications forbid that."""
    case = case_of(chain, FORMS[form](chain, TARGET, unknown_critical), form)
    assert notation_go.ask(case) == "good"
    assert ours.ask(case).startswith("refused: critical header")


SUBJECTS = {
    "as it is": (notation.SUBJECT, "good"),
    "no organization": ({"C": "US", "ST": "WA", "CN": "x"}, "refused"),
    "two units": ([*notation.SUBJECT.items(), ("OU", "a"), ("OU", "b")], "refused"),
    "an attribute without a name": ([*notation.SUBJECT.items(), ("DC", "x")], "refused"),
    "with a comma": ({**notation.SUBJECT, "CN": "a, b"}, "good"),
    "in other letters": ({**notation.SUBJECT, "L": "Z\u00fcrich"}, "good"),
}


@pytest.mark.parametrize("how", SUBJECTS)
def test_S59_subjects(ours, notation_go, how):
    subject, expected = SUBJECTS[how]
    chain = Chain(subject=subject)
    case = case_of(chain, notation.jws(chain, TARGET), JWS, policy(identities=[ACME]))
    agree(ours, notation_go, case, expected)
