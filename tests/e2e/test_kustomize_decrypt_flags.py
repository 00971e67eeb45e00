"""Kustomizations end to end: the flags about decryption."""

import pytest

from tests.e2e.test_kustomize_decrypt import (SECRET, decryption, keys_secret, sealed_manifest,
                                              secret_of, sops, vault_manifest)  # noqa: F401
from tests.lib.apps import app  # noqa: F401
from tests.lib.controllers import Toolkit
from tests.lib.pki import Authority
from tests.lib.vault import Vault


@pytest.fixture(scope="module")
def authority(directory):
    return Authority(directory / "pki")


@pytest.fixture(scope="module")
def vault(authority):
    """By TLS, with a certificate that only VAULT_CACERT makes good."""
    server = Vault(context=authority.server_context())
    yield server
    server.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory, authority, vault):
    kit = Toolkit(api, directory / "toolkit", kustomize_flags=[
        "--sops-age-secret=global-age", "--sops-ignore-mac"], prefixes={"kustomize-controller": [
            "env", f"VAULT_CACERT={authority.cert}", f"VAULT_TOKEN={vault.token}",
            "VAULT_NAMESPACE=team/a",
            f"SOPS_HC_VAULT_ALLOWLIST=https://other.test/, {vault.url}/"]}).start()
    yield kit
    kit.finish()


def test_K41_a_changed_file_with_the_flag(app, objects, sops):
    keys_secret(objects, {"a.agekey": sops.age.text})
    app.commit({"s.yaml": sealed_manifest(sops).replace("name: s", "name: changed")})
    app.kustomization(decryption=decryption())
    app.ready()
    assert secret_of(objects, "changed") == {"password": SECRET, "number": "5"}
    app.commit({"s.yaml": sealed_manifest(sops).replace("    number:", "    moved:")})
    app.failed("BuildFailed", "'stringData.moved'")


def test_K47_the_global_age_secret(app, objects, sops):
    app.commit({"s.yaml": sealed_manifest(sops)})
    app.kustomization(decryption={"provider": "sops"}, retryInterval="1s")
    app.failed("BuildFailed", "cannot get sops decryption Secret 'flux-system/global-age'")
    keys_secret(objects, {"a.agekey": sops.age.text}, "global-age", "flux-system")
    app.ready()
    assert secret_of(objects, "s") == {"password": SECRET, "number": "5"}
    keys_secret(objects, {"a.agekey": sops.age_key("other").text})
    app.kustomization("own", decryption=decryption())
    app.failed("BuildFailed", "no identity matched", name="own")


def test_K40_a_Vault_of_the_tests_by_the_environment(app, objects, sops, vault, authority):
    app.commit({"s.yaml": vault_manifest(sops, vault, VAULT_CACERT=str(authority.cert))})
    keys_secret(objects, {"note": "no key"})
    app.kustomization(decryption=decryption())
    app.ready()
    assert secret_of(objects, "s") == {"password": SECRET, "number": "5"}
    assert vault.messages[-1].headers["X-Vault-Namespace"] == "team/a"


def test_K48_a_Vault_of_the_tests_that_is_not_allowed(app, objects, sops, vault, authority):
    """The token is not shown to it."""
    other = Vault()
    try:
        app.commit({"s.yaml": vault_manifest(sops, other)})
        seen = len(other.messages)
        keys_secret(objects, {"sops.vault-token": other.token})
        app.kustomization(decryption=decryption())
        app.failed("BuildFailed", f"hc_vault {other.url}: is not among the allowed Vault servers")
        assert len(other.messages) == seen
    finally:
        other.stop()
