"""Kustomizations end to end: spec.decryption, with files made by the real sops."""
import base64
import contextlib
import json
import pathlib
import re
import textwrap

import pytest

from tests.lib.apps import app, config_map  # noqa: F401
from tests.lib.controllers import Toolkit
from tests.lib.net import wait_until
from tests.lib.sops import Sops
from tests.lib.vault import Vault

SECRET = "hunter2-the-secret"


@pytest.fixture(scope="module")
def toolkit(api, directory):
    """With temporary files of its own, to see what is left of them."""
    (directory / "tmp").mkdir()
    kit = Toolkit(api, directory / "toolkit", prefixes={
        "kustomize-controller": ["env", f"TMPDIR={directory}/tmp"]}).start()
    yield kit
    kit.finish()


@pytest.fixture(scope="module")
def sops(tmp_path_factory):
    made = Sops(tmp_path_factory.mktemp("sops"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def pgp(sops):
    return sops.pgp_key("first")


def keys_secret(objects, entries, name="keys", ns=None):
    objects.api.apply({"apiVersion": "v1", "kind": "Secret",
                       "metadata": {"name": name, "namespace": ns or objects.ns},
                       "stringData": entries})


def decryption(name="keys"):
    return {"provider": "sops", "secretRef": {"name": name}}


def secret_of(objects, name):
    found = objects.api.rest.get(f"/api/v1/namespaces/{objects.ns}/secrets/{name}")
    return found and {k: base64.b64decode(v).decode() for k, v in found["data"].items()}


def manifest(name="s", value=SECRET, kind="Secret", field="stringData", more=""):
    return textwrap.dedent(f"""\
        # what it is for
        apiVersion: v1
        kind: {kind}
        metadata:
          name: {name}
        {field}:
          password: "{value}"
          number: "5"
        """) + more


def sealed_manifest(sops, *flags, **kw):
    return sops.encrypt(manifest(**kw), "yaml", "--encrypted-regex", "^(data|stringData)$",
                        *flags).decode()


def set_keys(objects, sops, **more):
    keys_secret(objects, {"a.agekey": sops.age.text, "note.txt": "no key", **more})


def assert_untold(objects, toolkit, *secrets):
    """Neither status nor events nor logs have what was decrypted, or a key."""
    obj = json.dumps(objects.get("Kustomization", "app"))
    log = open(toolkit["kustomize-controller"].log_path).read()
    for secret in secrets:
        for text in (obj, log, str(objects.events("app"))):
            assert secret not in text


def test_K40_an_encrypted_secret(app, objects, sops, toolkit):
    set_keys(objects, sops)
    app.commit({"s.yaml": sealed_manifest(sops), "cm.yaml": config_map("one")})
    app.kustomization(decryption=decryption(), commonMetadata={"labels": {"a": "b"}})
    app.ready()
    assert secret_of(objects, "s") == {"password": SECRET, "number": "5"}
    assert objects.configmap("one")
    assert_untold(objects, toolkit, SECRET, sops.age.text.splitlines()[-1])


def test_K40_all_formats_in_a_secret_generator(app, objects, sops):
    plain = {"a.yaml": ("yaml", "a: 1 # note\nb:\n    - x\n"), "b.json": ("json", '{"a": 1}'),
             "c.env": ("dotenv", f"PASSWORD={SECRET}\nB=2\n"), "d.ini": ("ini", "[s]\nk = v\n"),
             "e.txt": ("binary", "any\x01thing\n"), "plain.txt": (None, "as it is"),
             "f.env": ("dotenv", "F=6\n")}
    files = {name: sops.encrypt(text, form).decode() if form else text
             for name, (form, text) in plain.items()}
    files["kustomization.yaml"] = """\
        secretGenerator:
        - name: gen
          files: [a.yaml, b.json, c.env, d.ini, e.txt, plain.txt, key.ini=d.ini]
          envs: [f.env]
        generatorOptions: {disableNameSuffixHash: true}
        """
    set_keys(objects, sops)
    app.commit(files)
    app.kustomization(decryption=decryption())
    app.ready()
    wanted = {name: sops.decrypt(files[name].encode(), form).decode() if form else text
              for name, (form, text) in plain.items() if name != "f.env"}
    assert secret_of(objects, "gen") == {**wanted, "key.ini": wanted["d.ini"], "F": "6"}


def test_K41_what_was_changed(app, objects, sops, toolkit):
    sealed = sealed_manifest(sops)
    set_keys(objects, sops)
    changed = {
        "mac": (re.sub(r"(mac: ENC\[AES256_GCM,data:)(.)", lambda m: m.group(1) + (
            "A" if m.group(2) == "B" else "B"), sealed), ""),
        "clear": (sealed.replace("name: s", "name: other"), "the MAC does not match"),
        "value": (re.sub(r"number: (.*)", lambda m: "number: " + re.search(
            r"password: (.*)", sealed).group(1), sealed), "'stringData.number'"),
        "place": (sealed.replace("    number:", "    moved:"), "'stringData.moved'"),
        "cut": (sealed.replace("type:str]\nsops", "type:st\nsops"), "'stringData.number'")}
    for name, (text, _) in changed.items():
        assert text != sealed, name
        app.commit({f"{name}/s.yaml": text})
        app.kustomization(name, path=f"./{name}", decryption=decryption())
    for name, (_, wanted) in changed.items():
        app.failed("BuildFailed", f"({name}/s.yaml:", name=name)
        app.failed("BuildFailed", wanted, name=name)
    assert not secret_of(objects, "s")
    assert_untold(objects, toolkit, SECRET)


def test_K41_a_file_that_was_cut_off(app, objects, sops, toolkit):
    """Within its metadata: none of its values reaches the cluster, sealed or not."""
    sealed = sealed_manifest(sops)
    set_keys(objects, sops)
    at = {"metadata": (sealed.index("lastmodified"), "ReconciliationFailed", "is SOPS encrypted"),
          "mac": (sealed.index("mac: ENC[") + 40, "BuildFailed", "(mac/s.yaml:"),
          "key": (sealed.index("-----END AGE") - 100, "ReconciliationFailed", "is SOPS encrypted")}
    for name, (end, _, _) in at.items():
        app.commit({f"{name}/s.yaml": sealed[:end]})
        app.kustomization(name, path=f"./{name}", decryption=decryption())
    for name, (_, reason, text) in at.items():
        app.failed(reason, text, name=name)
        app.failed(reason, f"{name}/s.yaml:", name=name)
    assert not secret_of(objects, "s")
    assert_untold(objects, toolkit, SECRET)


# Of each format: a plain text, and where its MAC and its first value begin.
FORMS = {"a.yaml": ("yaml", f"k: {SECRET}\nl: more\n", r"\bk: ENC"), "b.json": (
             "json", f'{{"k": "{SECRET}", "l": "more"}}', r'"k": "ENC'),
         "c.env": ("dotenv", f"K={SECRET}\nL=more\n", r"\bK=ENC"), "d.ini": (
             "ini", f"[s]\nk = {SECRET}\nl = more\n", r"\bk +=.ENC"),
         "e.bin": ("binary", SECRET, r'"data": "ENC')}


def damaged(sealed, value):
    """What may be wrong with a file: its MAC, who may read it, a value."""
    mac = re.search(r"mac\W+ENC\[AES256_GCM,data:", sealed).end()
    at = re.search(value, sealed).end()
    comma = sealed.index(",iv:", at)
    return {"mac": sealed[:mac] + ("B" if sealed[mac] == "A" else "A") + sealed[mac + 1:],
            "value": sealed[:comma - 4] + sealed[comma:]}


@pytest.mark.parametrize("field", ["files", "envs"])
def test_K41_K48_damaged_files_of_generators_are_named(app, objects, sops, toolkit, field):
    set_keys(objects, sops)
    stranger = sops.age_key(f"stranger-{field}").recipient
    cases, files = {}, {}
    for name, (form, text, value) in FORMS.items():
        if field == "envs" and form != "dotenv":
            continue
        sealed = sops.encrypt(text, form).decode()
        of_others = sops.encrypt(text, form, rule={"age": stranger}).decode()
        for what, content in {**damaged(sealed, value), "key": of_others}.items():
            where = f"{what}-{form}"
            cases[where] = f"{where}/{name}"
            files[f"{where}/{name}"] = content
            files[f"{where}/kustomization.yaml"] = \
                f"secretGenerator: [{{name: {where}, {field}: [{name}]}}]\n"
    app.commit(files)
    for where in cases:
        app.kustomization(where, path=f"./{where}", retryInterval="1h", decryption=decryption())
    for where, path in cases.items():
        obj = app.failed("BuildFailed", path, name=where)
        if where.startswith("key"):
            assert "no identity matched" in objects.condition(obj)["message"]
    assert_untold(objects, toolkit, SECRET)


def test_K41_files_put_together(app, objects, sops):
    """Of two files encrypted by themselves, and of one encrypted as a whole."""
    set_keys(objects, sops)
    apart = [sealed_manifest(sops, name=name) for name in ("one", "two")]
    whole = sealed_manifest(sops, name="three", more="---\n" + manifest("four"))
    app.commit({"apart.yaml": "---\n".join(apart), "whole.yaml": whole})
    app.kustomization(decryption=decryption(), namePrefix="x-")
    app.ready()
    for name in ("one", "two", "three", "four"):
        assert secret_of(objects, f"x-{name}") == {"password": SECRET, "number": "5"}, name


def test_K41_the_MAC_of_encrypted_values_alone(app, objects, sops):
    set_keys(objects, sops)
    sealed = sops.encrypt(manifest(), rule={
        "age": sops.age.recipient, "encrypted_regex": "^stringData$",
        "mac_only_encrypted": True}).decode()
    assert "mac_only_encrypted: true" in sealed
    app.commit({"s.yaml": sealed.replace("name: s", "name: renamed")})
    app.kustomization(decryption=decryption())
    app.ready()
    assert secret_of(objects, "renamed") == {"password": SECRET, "number": "5"}


def test_K40_rules_by_comments(app, objects, sops):
    """Built objects have no comments any more: what is encrypted is known by its looks."""
    set_keys(objects, sops)
    plain = manifest().replace('  password', '  # sops:enc\n  password')
    sealed = sops.encrypt(plain, rule={"age": sops.age.recipient,
                                       "encrypted_comment_regex": "sops:enc"}).decode()
    assert SECRET not in sealed and "number: \"5\"" in sealed
    app.commit({"s.yaml": sealed})
    app.kustomization(decryption=decryption())
    app.ready()
    assert secret_of(objects, "s") == {"password": SECRET, "number": "5"}


def pgp_manifest(sops, key, **kw):
    return sops.encrypt(manifest(**kw), key=False, env=key.env, rule={
        "pgp": key.fingerprint, "encrypted_regex": "^stringData$"}).decode()


def left_of_gnupg(directory):
    """The homes that the daemon has made, and the agents that serve them."""
    homes = [str(p) for p in (directory / "tmp").glob("kustomize-controller-*/gnupg-*")]
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            if "gpg-agent" in command and str(directory) in command:
                homes.append(command)
    return homes


def test_K40_a_PGP_key(app, objects, sops, pgp, toolkit, directory):
    """GnuPG's home is removed and its agent ended when the run is over."""
    keys_secret(objects, {"p.asc": pgp.text})
    app.commit({"s.yaml": pgp_manifest(sops, pgp), "t.yaml": pgp_manifest(sops, pgp, name="t")})
    app.kustomization(decryption=decryption())
    app.ready()
    for name in ("s", "t"):
        assert secret_of(objects, name) == {"password": SECRET, "number": "5"}
    wait_until(lambda: not left_of_gnupg(directory), "GnuPG's homes and agents to be gone")
    assert_untold(objects, toolkit, SECRET, pgp.text.splitlines()[3])


def test_K48_the_wrong_PGP_key(app, objects, sops, pgp, toolkit):
    other = sops.pgp_key("other")
    keys_secret(objects, {"p.asc": other.text})
    app.commit({"s.yaml": pgp_manifest(sops, pgp)})
    app.kustomization(decryption=decryption())
    app.failed("BuildFailed", f"cannot get sops data key: pgp {pgp.fingerprint}: "
                              "gpg: decryption failed: No secret key")
    keys_secret(objects, {"p.asc": "no key"})
    app.kustomization("damaged", decryption=decryption())
    app.failed("BuildFailed", "failed to import PGP keys", name="damaged")
    assert_untold(objects, toolkit, other.text.splitlines()[3])


@pytest.fixture
def vault():
    server = Vault()
    yield server
    server.stop()


def vault_manifest(sops, vault, **env):
    return sops.encrypt(
        manifest(), "yaml", "--hc-vault-transit", vault.key_url,
        "--encrypted-regex", "^stringData$", key=False,
        env={"VAULT_TOKEN": vault.token, **env}).decode()


def test_K40_a_Vault_token_on_a_server_that_follows_the_documented_API(app, objects, sops, vault,
                                                                      toolkit):
    keys_secret(objects, {"sops.vault-token": vault.token + "\n"})
    app.commit({"s.yaml": vault_manifest(sops, vault)})
    app.kustomization(decryption=decryption())
    app.ready()
    assert secret_of(objects, "s") == {"password": SECRET, "number": "5"}
    asked = vault.messages[-1]
    assert asked.path == "/v1/transit/decrypt/firstkey"
    assert asked.headers["X-Vault-Token"] == vault.token
    assert_untold(objects, toolkit, SECRET, vault.token)


def test_K48_a_Vault_of_the_tests_that_refuses(app, objects, sops, vault, toolkit):
    bad = "hvs.another-token"
    keys_secret(objects, {"sops.vault-token": bad})
    app.commit({"s.yaml": vault_manifest(sops, vault)})
    app.kustomization(decryption=decryption(), retryInterval="1s")
    app.failed("BuildFailed", f"{vault.url}/v1/transit/decrypt/firstkey: HTTP 403: permission "
                              "denied for ***")
    assert_untold(objects, toolkit, bad, vault.token)
    keys_secret(objects, {"sops.vault-token": vault.token})
    app.ready()


def test_K48_a_Vault_that_is_not_there(app, objects, sops, vault):
    keys_secret(objects, {"sops.vault-token": vault.token})
    app.commit({"s.yaml": vault_manifest(sops, vault)})
    vault.stop()
    app.kustomization(decryption=decryption())
    app.failed("BuildFailed", f"cannot get sops data key: hc_vault {vault.url}: ")


def shamir(sops, pgp, vault, threshold):
    """Three key groups: an age key, a PGP key, a Vault."""
    return {"encrypted_regex": "^stringData$", "shamir_threshold": threshold, "key_groups": [
        {"age": [sops.age.recipient]}, {"pgp": [pgp.fingerprint]},
        {"hc_vault": [vault.key_url]}]}


def test_K40_key_groups(app, objects, sops, pgp, vault):
    sealed = sops.encrypt(manifest(), rule=shamir(sops, pgp, vault, 2),
                          env={**pgp.env, "VAULT_TOKEN": vault.token}).decode()
    assert "shamir_threshold: 2" in sealed
    app.commit({"s.yaml": sealed})
    keys_secret(objects, {"a.agekey": sops.age.text})
    app.kustomization(decryption=decryption())
    app.failed("BuildFailed", "1 of 3 key groups could be opened, 2 are needed")
    keys_secret(objects, {"a.agekey": sops.age.text, "p.asc": pgp.text})
    app.rerun()
    app.ready()
    assert secret_of(objects, "s") == {"password": SECRET, "number": "5"}
    app.kustomization("all", decryption=decryption("all"), namePrefix="all-")
    keys_secret(objects, {"a.agekey": sops.age.text, "sops.vault-token": vault.token}, "all")
    app.rerun("all")
    app.ready("all")
    assert secret_of(objects, "all-s") == {"password": SECRET, "number": "5"}


def test_K43_keys_tell_the_format(app, objects, sops):
    docker = '{"auths": {"r": {"auth": "' + SECRET + '"}}}'
    set_keys(objects, sops)
    app.commit({"kustomization.yaml": """\
                    secretGenerator:
                    - name: docker
                      type: kubernetes.io/dockerconfigjson
                      files: [.dockerconfigjson=pull.encrypted]
                    - name: gen
                      files: [conf.json=conf.encrypted]
                    generatorOptions: {disableNameSuffixHash: true}
                    """,
                "pull.encrypted": sops.encrypt(docker, "json").decode(),
                "conf.encrypted": sops.encrypt('{"a": [1.5]}', "json").decode()})
    app.kustomization(decryption=decryption())
    app.ready()
    assert json.loads(secret_of(objects, "docker")[".dockerconfigjson"]) == json.loads(docker)
    assert secret_of(objects, "gen") == {"conf.json": '{\n\t"a": [\n\t\t1.5\n\t]\n}\n'}


def test_K43_encrypted_values_inside_a_secret(app, objects, sops):
    """A Secret's data may hold whole encrypted files; the key's name says what they become."""
    set_keys(objects, sops)
    inner = {"a.yaml": sops.encrypt("k: v\n", "yaml"), "b.env": sops.encrypt("A=1\n", "dotenv"),
             "c.json": sops.encrypt("k: v\n", "yaml"), "d": sops.encrypt("raw", "binary"),
             "e": b"plain", "f.ini": sops.encrypt("[s]\nk = v\n", "ini"),
             "g.dockerconfigjson": b"{}"}
    data = "".join(f"  {k}: {base64.b64encode(v).decode()}\n" for k, v in inner.items())
    app.commit({"s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n" + data})
    app.kustomization(decryption=decryption())
    app.ready()
    assert secret_of(objects, "s") == {"a.yaml": "k: v\n", "b.env": "A=1\n", "d": "raw",
                                       "c.json": '{\n\t"k": "v"\n}\n', "e": "plain", "f.ini": "[s]\nk = v\n",
                                       "g.dockerconfigjson": "{}"}


def test_K44_patches_and_config_maps(app, objects, sops):
    set_keys(objects, sops)
    patch = sops.encrypt(config_map("one", {"k": SECRET}), "yaml", "--encrypted-regex", "^data$")
    app.commit({"kustomization.yaml": "resources: [cm.yaml, base]\npatches: [{path: p.yaml}]\n",
                "cm.yaml": config_map("one"), "p.yaml": patch.decode(),
                "base/kustomization.yaml": """\
                    resources: [cm.yaml]
                    components: [../component]
                    """,
                "base/cm.yaml": sealed_manifest(sops, name="two", kind="ConfigMap",
                                                field="data"),
                "component/kustomization.yaml": """\
                    kind: Component
                    apiVersion: kustomize.config.k8s.io/v1alpha1
                    secretGenerator: [{name: gen, envs: [e.env]}]
                    generatorOptions: {disableNameSuffixHash: true}
                    """,
                "component/e.env": sops.encrypt("E=1\n", "dotenv").decode()})
    app.kustomization(decryption=decryption())
    app.ready()
    assert objects.configmap("one")["data"] == {"k": SECRET}
    assert objects.configmap("two")["data"] == {"password": SECRET, "number": "5"}
    assert secret_of(objects, "gen") == {"E": "1"}


def test_K44_what_was_opened_is_not_shared(app, objects, sops):
    """Another Kustomization of the same source, without the keys, must not see it: not even of a file
    that is a resource too, whose parsed form is kept."""
    set_keys(objects, sops)
    sealed = sops.encrypt(config_map("one", {"k": SECRET}), "yaml", "--encrypted-regex", "^data$")
    app.commit({"with/kustomization.yaml": "resources: [../cm.yaml]\n"
                                           "patches: [{path: ../cm.yaml}]\n",
                "without/kustomization.yaml": "resources: [../cm.yaml]\n",
                "cm.yaml": sealed.decode()})
    app.kustomization("with", path="./with", decryption=decryption(), namePrefix="with-")
    app.ready("with")
    app.kustomization("without", path="./without", namePrefix="without-")
    app.ready("without")
    assert objects.configmap("with-one")["data"] == {"k": SECRET}
    assert objects.configmap("without-one")["data"]["k"].startswith("ENC[")


def test_K45_large_files(app, objects, sops):
    set_keys(objects, sops)
    big = sops.encrypt("A=" + "x" * (5 << 20), "dotenv").decode()
    files = {"kustomization.yaml": """\
                 secretGenerator:
                 - {name: gen, files: [plain.env]}
                 generatorOptions: {disableNameSuffixHash: true}
                 """,
             "plain.env": "A=sops_mac\nB=2\n"}
    app.commit(files)
    app.kustomization(decryption=decryption())
    app.ready()
    assert secret_of(objects, "gen") == {"plain.env": files["plain.env"]}
    app.commit({"plain.env": big})
    app.failed("BuildFailed", "plain.env: cannot decrypt file with size")


def test_K46_an_object_that_is_left_alone(app, objects, sops):
    set_keys(objects, sops)
    sealed = sealed_manifest(sops).replace("name: s\n", """name: s
    annotations:
        kustomize.toolkit.fluxcd.io/decrypt: Disabled
""")
    app.commit({"s.yaml": sealed})
    app.kustomization(decryption=decryption())
    app.ready()
    assert secret_of(objects, "s")["password"].startswith("ENC[AES256_GCM")


def test_K48_the_wrong_key(app, objects, sops, toolkit):
    other = sops.age_key("other")
    keys_secret(objects, {"a.agekey": other.text})
    app.commit({"s.yaml": sealed_manifest(sops)})
    app.kustomization(decryption=decryption())
    obj = app.failed("BuildFailed", "(s.yaml:")
    message = objects.condition(obj)["message"]
    assert f"failed to decrypt Secret/{objects.ns}/s" in message
    assert f"cannot get sops data key: age {sops.age.recipient}: no identity matched" in message
    assert not secret_of(objects, "s")
    assert_untold(objects, toolkit, other.text.splitlines()[-1], sops.age.text.splitlines()[-1])
    keys_secret(objects, {"a.agekey": other.text + sops.age.text})
    app.rerun()
    app.ready()
    assert secret_of(objects, "s") == {"password": SECRET, "number": "5"}


@pytest.mark.parametrize("entries, text", [
    (None, "cannot get sops decryption Secret"),
    ({"a.agekey": "AGE-SECRET-KEY-1NONSENSE"}, "'a.agekey' data"),
    ({"a.agekey": "AGE-SECRET-KEY-PQ-1X"}, "post-quantum"),
    ({}, "there is no age identity")], ids=["absent", "damaged", "post-quantum", "none"])
def test_K48_keys_that_are_none(app, objects, sops, toolkit, entries, text):
    if entries is not None:
        keys_secret(objects, entries)
    app.commit({"s.yaml": sealed_manifest(sops)})
    app.kustomization(decryption=decryption())
    app.failed("BuildFailed", text)
    assert_untold(objects, toolkit, "NONSENSE")


def test_K15_a_labelled_secret_with_keys_wakes(app, objects, sops):
    keys = {"apiVersion": "v1", "kind": "Secret", "stringData": {},
            "metadata": {"name": "keys", "namespace": objects.ns,
                         "labels": {"reconcile.fluxcd.io/watch": "Enabled"}}}
    objects.api.apply(keys)
    app.commit({"s.yaml": sealed_manifest(sops)})
    app.kustomization(decryption=decryption())
    app.failed("BuildFailed", "there is no age identity")
    objects.api.apply({**keys, "stringData": {"a.agekey": sops.age.text}})
    app.ready()
