"""HelmChart's spec.verify: what cosign and notation have signed; both API servers."""
import json

import pytest

from tests.lib import notation
from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.charts import chart_files
from tests.lib.controllers import Toolkit
from tests.lib.fault import then
from tests.lib.helmcharts import (  # noqa: F401 - fixtures
    again, chart, fetch, helm, message, oci_repository, push, repository)
from tests.lib.proxy import Proxy
from tests.lib.registry import registry  # noqa: F401 - a fixture
from tests.lib.signed import NOTATION_FORMS, Cosign, attach, notate
from tests.lib.sigstore import ISSUER, Sigstore

VERIFIED = ("True", "Succeeded", "verified signature of version 1.0.0")


def verdict(objects, obj):
    condition = objects.condition(obj, "SourceVerified")
    return condition["status"], condition["reason"], condition["message"]


def verified(objects):
    """The chart, once it is ready and its signature was good."""
    obj = objects.ready("HelmChart", "chart")
    assert verdict(objects, obj) == VERIFIED
    return obj


def refused(objects, text):
    """The chart, once its signature was not found or not good."""
    def match(obj):
        failed = objects.condition(obj, "BuildFailed")
        # A retry that takes its time is shown without what it is about to find again.
        return failed.get("reason") == "ChartVerificationError" and text in failed["message"] and \
            objects.condition(obj)["status"] == "False" and \
            objects.condition(obj, "SourceVerified").get("status") == "False"
    obj = objects.wait("HelmChart", "chart", match, f"to be refused: {text}")
    said = objects.condition(obj, "BuildFailed")["message"]
    assert said.startswith("chart verification error: ")
    assert verdict(objects, obj) == ("False", "VerificationError", said)
    assert objects.condition(obj)["status"] == "False"
    return obj


@pytest.fixture(scope="module")
def cosign(directory):
    return Cosign(directory / "cosign")


def test_S79_a_signed_chart(objects, registry, helm, directory, ns, secret, cosign):
    digest = push(helm, registry, directory, ns, chart_files())
    oci_repository(objects, registry)
    secret("keys", cosign__pub=cosign.public)
    verify = {"provider": "cosign", "secretRef": {"name": "keys"}}
    chart(objects, verify=verify, version="1.0.0")
    assert "artifact" not in refused(objects, "using provider 'cosign'")["status"]
    cosign.sign(registry, f"{ns}/demo", digest)
    again(objects, "signed")
    verified(objects)
    # A tag that moved is another chart: it is not taken for the one that was signed.
    push(helm, registry, directory, ns, chart_files(values="color: evil\n"))
    again(objects, "moved")
    objects.not_ready("HelmChart", "chart", "VerificationError")
    chart(objects, version="1.0.0")
    objects.wait("HelmChart", "chart", lambda o: not objects.condition(o, "SourceVerified"),
                 "nothing to verify")


def test_S79_what_was_signed_is_what_is_pulled(objects, registry, helm, directory, ns, secret,
                                               cosign):
    """The tag moves between the look at the signature and the download."""
    digest = push(helm, registry, directory, ns, chart_files())
    good = (directory / f"{ns}-charts" / "demo-1.0.0.tgz").read_bytes()
    cosign.sign(registry, f"{ns}/demo", digest)
    secret("keys", cosign__pub=cosign.public)
    wire, moved = Proxy(registry.url), []

    def move(exchange):
        moved.append(push(helm, registry, directory, ns, chart_files(values="color: evil\n")))
    wire.on(then(move), times=1, method="GET", path="sha256")
    oci_repository(objects, registry, url=f"oci://127.0.0.1:{wire.port}/{ns}")
    chart(objects, version="1.0.0", verify={"provider": "cosign", "secretRef": {"name": "keys"}})
    assert fetch(objects.ready("HelmChart", "chart")) == good and moved != [digest]
    wire.stop()


def test_S79_no_signatures_over_http(objects, repository):
    chart(objects, verify={"provider": "cosign"})
    said = message(objects, "ChartVerificationError", condition="BuildFailed")
    assert said.startswith("chart verification error: not implemented for repositories over HTTP")


@pytest.fixture(scope="module")
def world(directory):
    return Sigstore(directory / "sigstore")


@pytest.fixture(scope="module")
def trusted_root(directory):
    """What --cosign-trusted-root names: a HelmChart has no field for a root of its own."""
    return directory / "trusted_root.json"


@pytest.fixture(scope="module")
def toolkit(api, directory, trusted_root):
    kit = Toolkit(api, directory / "toolkit", source_flags=[
        f"--cosign-trusted-root={trusted_root}"])
    with kit.run("source-controller"):
        yield kit


@pytest.mark.parametrize("form", ["tag", "bundle"])
def test_S79_a_keyless_chart(objects, registry, helm, directory, ns, world, trusted_root, form):
    digest = push(helm, registry, directory, ns, chart_files())
    trusted_root.write_text(json.dumps(world.trusted_root()))
    oci_repository(objects, registry)

    def by(subject):
        chart(objects, version="1.0.0", verify={"provider": "cosign", "matchOIDCIdentity": [
            {"issuer": f"^{ISSUER}$", "subject": subject}]})
    by("@example\\.com$")
    assert "artifact" not in refused(objects, "using provider 'cosign keyless'")["status"]
    attach(registry, f"{ns}/demo", digest, world, form)
    again(objects, "signed")
    first = fetch(verified(objects))
    by("^nobody@")
    assert fetch(refused(objects, "no matching signatures were found")) == first
    by("@example\\.com$")
    verified(objects)
    # What is looked at is the chart that the tag names now.
    push(helm, registry, directory, ns, chart_files(values="color: evil\n"))
    again(objects, "moved")
    assert fetch(refused(objects, "no matching signatures were found")) == first


def test_S79_another_trusted_root(objects, registry, helm, directory, ns, world, trusted_root):
    """The file is read at each run, and each run verifies."""
    digest = push(helm, registry, directory, ns, chart_files())
    attach(registry, f"{ns}/demo", digest, world, "bundle")
    oci_repository(objects, registry)
    trusted_root.write_text(json.dumps(Sigstore(directory / "stranger").trusted_root()))
    chart(objects, version="1.0.0", verify={"provider": "cosign", "matchOIDCIdentity": [
        {"issuer": f"^{ISSUER}$", "subject": ".*"}]})
    refused(objects, "no matching signatures were found")
    trusted_root.write_text(json.dumps(world.trusted_root()))
    again(objects, "the root")
    verified(objects)
    trusted_root.unlink()
    again(objects, "no root")
    refused(objects, "--cosign-trusted-root")


@pytest.mark.parametrize("form", NOTATION_FORMS)
def test_S79_a_chart_that_notation_signed(objects, registry, helm, directory, ns, secret, form):
    chain = notation.Chain()
    digest = push(helm, registry, directory, ns, chart_files())
    oci_repository(objects, registry)
    chart(objects, version="1.0.0", verify={"provider": "notation",
                                            "secretRef": {"name": "trust"}})
    refused(objects, '"trust" not found')
    secret("trust", ca__crt=chain.root, trustpolicy__json=json.dumps(notation.policy(
        scopes=[f"{registry.host}/{ns}/demo"])))
    again(objects, "unsigned")
    refused(objects, "no matching signatures were found")
    notate(registry, f"{ns}/demo", digest, notation.Chain(), form)
    again(objects, "by a stranger")
    refused(objects, "no matching signatures were found")
    notate(registry, f"{ns}/demo", digest, chain, form)
    again(objects, "signed")
    first = fetch(verified(objects))
    digest = push(helm, registry, directory, ns, chart_files(values="color: evil\n"))
    again(objects, "moved")
    assert fetch(refused(objects, "no matching signatures were found")) == first
    # Level skip asks for nothing, and says of nothing that it was verified.
    secret("trust", ca__crt=chain.root, trustpolicy__json=json.dumps(notation.policy("skip")))
    again(objects, "skipped")
    objects.wait("HelmChart", "chart", lambda o: objects.condition(o)["status"] == "True" and
                 not objects.condition(o, "SourceVerified"), "to be ready")


def test_S79_keys_of_which_one_has_signed(objects, registry, helm, directory, ns, secret, cosign):
    """Upstream ends with the first key that does not fit."""
    stranger = Cosign(directory / f"{ns}-stranger")
    digest = push(helm, registry, directory, ns, chart_files())
    cosign.sign(registry, f"{ns}/demo", digest)
    secret("keys", a__pub=stranger.public, b__pub=cosign.public)
    oci_repository(objects, registry)
    chart(objects, version="1.0.0", verify={"provider": "cosign", "secretRef": {"name": "keys"}})
    verified(objects)
