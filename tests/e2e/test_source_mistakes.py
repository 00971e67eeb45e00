"""What OCIRepository, HelmRepository and HelmChart tell of usual mistakes: what is wrong, where, and what
would help; both API servers."""
import pytest

from tests.e2e.test_oci_verify import cosign, stranger, unverified  # noqa: F401 - fixtures
from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.charts import ChartServer, chart_files, tgz
from tests.lib.planted import planted
from tests.lib.registry import (  # noqa: F401 - a fixture
    Registry, docker_config, oci_failure, registry)
from tests.lib.signed import NEW, OLD

LOGIN = ("ann", planted("login"))
WRONG = planted("wrong")
CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
FLUX_LAYER = "application/vnd.cncf.flux.content.v1.tar+gzip"


@pytest.fixture(scope="module")
def closed(directory):
    """A registry that wants a login."""
    server = Registry(directory / "closed", auth=LOGIN)
    yield server
    server.stop()


@pytest.fixture
def served(toolkit):
    """served(**options): a chart repository with demo 1.0.0, whose archive is at `chart_url`."""
    made = []

    def make(chart_url="demo.tgz", **options):
        index = ("apiVersion: v1\nentries:\n  demo:\n  - {name: demo, version: 1.0.0, "
                 f"urls: ['{chart_url}']}}\n")
        made.append(ChartServer({"index.yaml": index.encode(), "demo.tgz": tgz(chart_files())},
                                **options))
        return made[-1]
    yield make
    for server in made:
        server.stop()


def repository(objects, url, name="repo", **spec):
    objects.apply("HelmRepository", name, {"url": url, "interval": "1h", **spec})


def chart(objects, name="demo", source="repo", kind="HelmRepository", **spec):
    objects.apply("HelmChart", "chart", {"chart": name, "interval": "1h",
                                         "sourceRef": {"kind": kind, "name": source}, **spec})


def said(objects, kind, name, reason, text):
    """The message of Ready, once it has failed for that reason with that text."""
    obj = objects.wait(kind, name, lambda o: objects.condition(o).get("status") == "False" and
                       objects.condition(o)["reason"] == reason and
                       text in objects.condition(o)["message"], f"to fail with {reason}: {text}")
    return objects.condition(obj)["message"]


# --- logins ------------------------------------------------------------------------------------

def test_S65_why_a_repository_did_not_let_us_in(objects, served, secret):
    server = served(auth=LOGIN)
    refused = f"failed to fetch {server.url}/index.yaml : 401 Unauthorized "
    repository(objects, server.url)
    said(objects, "HelmRepository", "repo", "Failed", refused + "(no login was given)")
    secret("login", user=LOGIN[0])
    repository(objects, server.url, secretRef={"name": "login"})
    said(objects, "HelmRepository", "repo", "Failed", refused + "(no login was given)")
    secret("login", username=LOGIN[0], password=WRONG)
    objects.request("HelmRepository", "repo")
    said(objects, "HelmRepository", "repo", "Failed", refused + "(the login was not accepted)")
    secret("login", username=LOGIN[0], password=LOGIN[1])
    objects.request("HelmRepository", "repo", "again")
    objects.ready("HelmRepository", "repo")


def test_S66_a_login_that_is_not_passed_on(objects, served, secret):
    elsewhere = served(auth=LOGIN)
    server = served(f"{elsewhere.url}/demo.tgz", auth=LOGIN)
    secret("login", username=LOGIN[0], password=LOGIN[1])
    repository(objects, server.url, secretRef={"name": "login"})
    objects.ready("HelmRepository", "repo")
    chart(objects)
    said(objects, "HelmChart", "chart", "AuthenticationFailed",
         f"failed to fetch {elsewhere.url}/demo.tgz : 401 Unauthorized (the login is for "
         f"{server.url} and was not passed on)")
    repository(objects, server.url, secretRef={"name": "login"}, passCredentials=True)
    objects.request("HelmChart", "chart")
    objects.ready("HelmChart", "chart")


def test_S55_why_a_registry_did_not_let_us_in(objects, closed, ns, secret):
    closed.push(ns, "latest", {"a": "1"})
    secret("other", __dockerconfigjson=docker_config("other.test", *LOGIN))
    secret("wrong", __dockerconfigjson=docker_config(closed.host, LOGIN[0], WRONG))
    secret("basic", username=LOGIN[0], password=LOGIN[1])
    for name, why in {
            None: "no login was given", "wrong": "the login was not accepted",
            "other": f"the pull secrets have no login for {closed.host}/{ns}",
            "basic": f"the pull secrets have no login for {closed.host}/{ns}"}.items():
        spec = {"url": closed.url_of(ns), "interval": "1h"}
        objects.apply("OCIRepository", "src", {**spec, "secretRef": {"name": name}} if name else spec)
        oci_failure(objects, "OCIArtifactPullFailed",
                    f"UNAUTHORIZED: authentication required ({why})")
    objects.delete("OCIRepository", "src")
    objects.gone("OCIRepository", "src")


def test_S69_why_a_registry_gave_no_chart(objects, closed, ns, secret):
    repository(objects, closed.url_of(ns), type="oci")
    chart(objects, version="1.0.0")
    said(objects, "HelmChart", "chart", "AuthenticationFailed", "(no login was given)")
    secret("login", username=LOGIN[0], password=WRONG)
    repository(objects, closed.url_of(ns), type="oci", secretRef={"name": "login"})
    objects.request("HelmChart", "chart")
    said(objects, "HelmChart", "chart", "AuthenticationFailed", "(the login was not accepted)")


# --- signatures --------------------------------------------------------------------------------

def verify_with_keys(objects, registry, ns):
    objects.apply("OCIRepository", "src", {
        "url": registry.url_of(ns), "interval": "1h",
        "verify": {"provider": "cosign", "secretRef": {"name": "keys"}}})


def test_S57_what_is_wrong_with_a_signature(objects, registry, ns, secret, cosign, stranger):
    digest = registry.push(ns, "latest", {"a": "1"})
    secret("keys", cosign="a key by the wrong name")
    verify_with_keys(objects, registry, ns)
    unverified(objects, f"secret '{ns}/keys' has no public key: no name in it ends with '.pub'")
    secret("keys", a__pub=cosign.public)
    objects.request("OCIRepository", "src", "1")
    none = f"no matching signatures were found for '{registry.host}/{ns}@{digest}': "
    unverified(objects, none + "it is not signed")
    for number, form in enumerate((OLD, NEW)):
        stranger.sign(registry, ns, digest, form)
        objects.request("OCIRepository", "src", f"by a stranger {number}")
        unverified(objects, none + "no key verifies the signature")


def test_S79_charts_over_http_have_no_signatures(objects, served):
    repository(objects, served().url)
    chart(objects, verify={"provider": "cosign"})
    said(objects, "HelmChart", "chart", "VerificationError", "chart verification error: not implemented "
         "for repositories over HTTP: only charts of 'oci://' ones can be verified")


# --- names, versions, types --------------------------------------------------------------------

def test_S68_a_chart_that_the_index_does_not_have(objects, served):
    repository(objects, served().url)
    chart(objects, "demoo")
    said(objects, "HelmChart", "chart", "InvalidChartReference",
         "no chart name found: the index has no 'demoo'")


def test_S69_a_version_that_no_tag_has(objects, registry, ns):
    registry.push(f"{ns}/demo", "1.0.0", {"a": "1"})
    repository(objects, registry.url_of(ns), type="oci")
    chart(objects, version=">=9")
    said(objects, "HelmChart", "chart", "ChartPullError", "could not locate a version matching "
         f"provided version string >=9 in the tags of 'oci://{registry.host}/{ns}/demo'")
    # What is there is no chart.
    chart(objects, version="1.0.0")
    said(objects, "HelmChart", "chart", "ChartPullError", f"could not load config with mediatype "
         f"{CHART_CONFIG}: it is of 'application/vnd.cncf.flux.config.v1+json'")


def test_S51_layers_of_other_types(objects, registry, ns):
    hostile = "text/plain\u001b[31m"
    registry.push(ns, "latest", layers=[(tgz(chart_files()), CHART_LAYER), (b"plain", hostile)],
                  config_type=CHART_CONFIG)
    spec = {"url": registry.url_of(ns), "interval": "1h"}
    objects.apply("OCIRepository", "src", {**spec, "layerSelector": {"mediaType": FLUX_LAYER}})
    oci_failure(objects, "OCIArtifactLayerOperationFailed",
                f"failed to find layer with media type '{FLUX_LAYER}' in artifact: it has "
                f"'{CHART_LAYER}', 'text/plain [31m'")
    objects.apply("OCIRepository", "src", {**spec, "layerSelector": {"mediaType": hostile}})
    oci_failure(objects, "OCIArtifactLayerOperationFailed",
                "failed to extract layer contents from artifact: layer of 'text/plain [31m': ")


def test_S49_a_filter_that_lets_nothing_through(objects, registry, ns):
    registry.push(ns, "1.0.0", {"a": "1"})
    spec = {"url": registry.url_of(ns), "interval": "1h"}
    objects.apply("OCIRepository", "src", {**spec, "ref": {"semver": "*", "semverFilter": "^rc"}})
    oci_failure(objects, "ReadOperationFailed",
                "no match found for semver: * among the tags that match '^rc'")
    objects.apply("OCIRepository", "src", {**spec, "ref": {"semver": ">=2"}})
    oci_failure(objects, "ReadOperationFailed", "no match found for semver: >=2")


def test_S71_values_files_that_were_named_from_the_chart(objects, git_server, ns):
    repo = git_server.repository(ns)
    repo.commit({**{f"charts/demo/{name}": text for name, text in chart_files().items()},
                 "charts/demo/prod.yaml": "size: 2\n"})
    objects.apply("GitRepository", "src", {"url": git_server.url_of(repo), "interval": "1h",
                                           "ref": {"branch": "main"}})
    chart(objects, "./charts/demo", "src", "GitRepository", valuesFiles=["values.yaml", "prod.yaml"])
    said(objects, "HelmChart", "chart", "ValuesFilesError",
         "no values file found at path '/values.yaml' (reference 'values.yaml'): paths begin at the "
         "source's root, where it is 'charts/demo/values.yaml'")
    chart(objects, "./charts/demo", "src", "GitRepository", valuesFiles=["absent.yaml"])
    assert said(objects, "HelmChart", "chart", "ValuesFilesError", "'/absent.yaml'").endswith(
        "(reference 'absent.yaml')")
