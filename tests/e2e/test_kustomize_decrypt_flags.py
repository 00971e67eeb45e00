"""Kustomizations end to end: the flags about decryption."""
import pathlib

import pytest

from tests.e2e.test_kustomize_decrypt import (SECRET, decryption, keys_secret, sealed_manifest,
                                              secret_of, sops)  # noqa: F401
from tests.lib.apps import app  # noqa: F401
from tests.lib.controllers import Toolkit


@pytest.fixture(scope="module")
def toolkit(api, directory):
    kit = Toolkit(api, directory / "toolkit", kustomize_flags=[
        "--sops-age-secret=global-age", "--sops-ignore-mac"]).start()
    yield kit
    log = kit["kustomize-controller"].log_path
    codes = kit.stop()
    assert set(codes.values()) == {0}, (codes, pathlib.Path(log).read_text()[-4000:])


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
