"""Random and cryptographic functions: what differs from call to call is checked by OpenSSL, the C
library and the real engine, which reads what ours made and the other way round."""
import base64
import ctypes
import json
import re
import subprocess

import pytest

CRYPT = ctypes.CDLL("libcrypt.so.1").crypt
CRYPT.restype = ctypes.c_char_p


def hashes_to(password, hashed):
    return CRYPT(password.encode(), hashed.encode()) == hashed.encode()


def one(engines, which, text, values=None):
    """A template's output by "ours" or "real"."""
    from .conftest import replies
    [reply] = replies(getattr(engines, which), [{"templates": {"t": text}, "values": values or {}}])
    assert "out" in reply, reply
    return reply["out"]["c/templates/t"]


def openssl(*args, text="", ok=True):
    done = subprocess.run(["openssl", *args], input=text, capture_output=True, text=True)
    assert (done.returncode == 0) == ok, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("kind, wanted", [
    ("rsa", ["BEGIN RSA PRIVATE KEY", "4096 bit"]), ("ecdsa", ["BEGIN EC PRIVATE KEY", "prime256v1"]),
    ("dsa", ["BEGIN DSA PRIVATE KEY", "2048 bit"]), ("ed25519", ["BEGIN PRIVATE KEY", "ED25519"])])
def test_private_keys_are_read_by_openssl(engines, kind, wanted):
    key = one(engines, "ours", f'{{{{ genPrivateKey "{kind}" }}}}')
    shown = key + openssl("pkey", "-noout", "-text", text=key)
    for part in wanted:
        assert part in shown, shown
    assert key != one(engines, "ours", f'{{{{ genPrivateKey "{kind}" }}}}')
    assert key.splitlines()[0] == one(engines, "real", f'{{{{ genPrivateKey "{kind}" }}}}').splitlines()[0]


def test_an_unknown_key_type_is_told(engines):
    text = '{{ genPrivateKey "none" }}'
    assert one(engines, "ours", text) == one(engines, "real", text)


PAIR = '{{ $c := %s }}{{ dict "cert" $c.Cert "key" $c.Key | toJson }}'


def fields(shown):
    """What a certificate says, without what is random."""
    shown = re.sub(r"(?s)Serial Number:.*?Signature", "Signature", shown)
    shown = re.sub(r"(?s)(pub|priv|Modulus|Signature Value):\s*\n(\s+[0-9a-f:]+\n)+", "", shown)
    shown = re.sub(r"(Not Before|Not After ?) *: .*", r"\1", shown)
    return re.sub(r"([0-9A-F]{2}:){15,}[0-9A-F]{2}", "ID", shown)


CERTIFICATES = {
    "ca": 'genCA "my-ca" 365',
    "self_signed": 'genSelfSignedCert "a.b" (list "10.0.0.1" "::1") (list "x.y" "z") 30',
    "self_signed_bare": 'genSelfSignedCert "a" nil nil 1',
    "ca_with_key": 'genCAWithKey "my-ca" 365 (genPrivateKey "ecdsa")',
    "self_signed_with_key": 'genSelfSignedCertWithKey "a" (list) (list "d") 5 (genPrivateKey "ed25519")',
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_certificates_say_what_the_real_ones_say(engines, name):
    pairs = {which: json.loads(one(engines, which, PAIR % CERTIFICATES[name]))
             for which in ("ours", "real")}
    shown = {which: fields(openssl("x509", "-noout", "-text", text=pair["cert"]))
             for which, pair in pairs.items()}
    assert shown["ours"] == shown["real"]
    own = pairs["ours"]
    assert openssl("x509", "-noout", "-pubkey", text=own["cert"]) == openssl("pkey", "-pubout", text=own["key"])
    days = int(re.search(r" (\d+)( \(|$)", CERTIFICATES[name])[1])
    openssl("x509", "-noout", "-checkend", str(days * 86400 - 600), text=own["cert"])
    openssl("x509", "-noout", "-checkend", str(days * 86400 + 600), text=own["cert"], ok=False)


def test_a_signed_certificate_is_verified_by_its_ca(engines, tmp_path):
    text = ('{{ $ca := genCA "ca" 10 }}{{ $c := genSignedCert "svc" (list "127.0.0.1") (list "svc.ns") 5 $ca }}'
            '{{ $k := genSignedCertWithKey "k" nil nil 5 $ca (genPrivateKey "ecdsa") }}'
            '{{ dict "ca" $ca.Cert "cert" $c.Cert "other" $k.Cert | toJson }}')
    made = json.loads(one(engines, "ours", text))
    for name, pem in made.items():
        (tmp_path / name).write_text(pem)
    for name in ("cert", "other"):
        assert "OK" in openssl("verify", "-CAfile", str(tmp_path / "ca"), str(tmp_path / name))
    other = json.loads(one(engines, "ours", PAIR % 'genCA "ca" 10'))
    (tmp_path / "ca").write_text(other["cert"])
    openssl("verify", "-CAfile", str(tmp_path / "ca"), str(tmp_path / "cert"), ok=False)


@pytest.mark.parametrize("maker, reader", [("ours", "real"), ("real", "ours")])
def test_a_ca_of_one_engine_signs_in_the_other(engines, tmp_path, maker, reader):
    ca = json.loads(one(engines, maker, PAIR % 'genCA "ca" 10'))
    text = ('{{ $ca := buildCustomCert (b64enc .Values.cert) (b64enc .Values.key) }}'
            '{{ (genSignedCert "a" nil (list "b") 5 $ca).Cert }}')
    (tmp_path / "ca").write_text(ca["cert"])
    (tmp_path / "cert").write_text(one(engines, reader, text, ca))
    assert "OK" in openssl("verify", "-CAfile", str(tmp_path / "ca"), str(tmp_path / "cert"))


BAD = ['buildCustomCert "x" "y"', 'buildCustomCert (b64enc "x") (b64enc "y")', 'genCAWithKey "a" 1 "no key"',
       'genSelfSignedCert "a" (list "300.1.1.1") nil 1', 'genSelfSignedCert "a" (list 1) nil 1',
       'genSelfSignedCert "a" nil (list 1) 1', 'genSignedCert "a" nil nil 1 (dict)', 'genCA "a"',
       'decryptAES "k" "not base64!"', 'decryptAES "k" "YQ=="', 'derivePassword 1 "nope" "p" "u" "s"']


@pytest.mark.parametrize("call", BAD)
def test_errors_are_those_of_the_real_functions(engines, call):
    [(_, ours, real)] = engines.both([{"templates": {"t": "{{ %s }}" % call}, "values": {}}])
    assert ours == real


@pytest.mark.parametrize("maker, reader", [("ours", "real"), ("real", "ours")])
@pytest.mark.parametrize("text", ["", "a", "sixteen bytes ok", "é" * 50])
def test_what_one_engine_encrypts_the_other_decrypts(engines, maker, reader, text):
    sealed = one(engines, maker, '{{ encryptAES "secret key" .Values.t }}', {"t": text})
    assert one(engines, reader, '{{ decryptAES "secret key" .Values.t }}', {"t": sealed}) == text
    assert not text or sealed != one(engines, maker, '{{ encryptAES "secret key" .Values.t }}', {"t": text})


@pytest.mark.parametrize("kind", ["long", "maximum", "medium", "short", "basic", "pin"])
def test_derived_passwords_are_the_same(engines, kind):
    text = f'{{{{ derivePassword 1 "{kind}" "master" "user" "example.com" }}}}'
    assert one(engines, "ours", text) == one(engines, "real", text)


def test_password_hashes_are_bcrypt(engines):
    hashed = one(engines, "ours", '{{ bcrypt "pass word" }}')
    assert hashed.startswith("$2a$10$") and hashes_to("pass word", hashed)
    assert not hashes_to("other", hashed)
    user, _, line = one(engines, "ours", '{{ htpasswd "user" "pw" }}').partition(":")
    assert user == "user" and hashes_to("pw", line)
    [(_, ours, real)] = engines.both([{"templates": {"t": '{{ htpasswd "a:b" "pw" }}'}, "values": {}}])
    assert ours == real


@pytest.mark.parametrize("call, pattern", [
    ("randAlphaNum 40", r"[A-Za-z0-9]{40}"), ("randAlpha 40", r"[A-Za-z]{40}"), ("randNumeric 40", r"[0-9]{40}"),
    ("randAscii 40", r"[ -~]{40}"), ("uuidv4", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    ("randBytes 30", r"[A-Za-z0-9+/]{40}"), ("randAlphaNum 0", ""), ('shuffle "aaaa"', "aaaa")])
def test_random_texts_have_their_form(engines, call, pattern):
    texts = [one(engines, "ours", "{{ %s }}" % call) for _ in range(2)]
    assert all(re.fullmatch(pattern, text) for text in texts), texts
    assert len(pattern) < 6 or texts[0] != texts[1]


def test_random_numbers_are_in_their_range(engines):
    text = one(engines, "ours", "{{ range until 200 }}{{ randInt 3 6 }}{{ end }}")
    assert set(text) == {"3", "4", "5"}
    assert sorted(one(engines, "ours", '{{ shuffle "abcdef" }}')) == list("abcdef")
    assert len(base64.b64decode(one(engines, "ours", "{{ randBytes 33 }}"))) == 33


@pytest.mark.parametrize("call", ["randInt 5 5", "randInt 6 3", "randAlpha -1", "randBytes -1"])
def test_bad_ranges_fail_as_the_real_functions_do(engines, call):
    [(_, ours, real)] = engines.both([{"templates": {"t": "{{ %s }}" % call}, "values": {}}])
    assert ("error" in ours) == ("error" in real), (ours, real)
