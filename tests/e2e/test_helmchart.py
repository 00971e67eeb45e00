"""HelmChart end to end: charts of repositories, registries, Git and buckets; both API servers."""
import contextlib
import json
import subprocess

import pytest

from tests.conftest import Objects
from tests.e2e.test_cli import run
from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.buckets import ACCESS_KEY, SECRET_KEY, Versity
from tests.lib.charts import ChartRepository, ChartServer, Helm, chart_files, tgz, untgz, write
from tests.lib.controllers import Toolkit
from tests.lib.net import http, wait_until
from tests.lib.oracle import oracle
from tests.lib.pki import Authority
from tests.lib.planted import planted
from tests.lib.proxy import Proxy
from tests.lib.registry import Registry, descriptor, registry  # noqa: F401 - a fixture

CHART_MAX, FILE_MAX = 3 << 20, 1 << 20
LOGIN = ("ann", planted("registry"))
CONFIG_TYPE = "application/vnd.cncf.helm.config.v1+json"
LAYER_TYPE = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


@pytest.fixture(scope="module")
def helm(directory):
    return Helm(directory / "helm")


@pytest.fixture(scope="module")
def closed_registry(directory):
    server = Registry(directory / "closed-registry", auth=LOGIN)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory):
    kit = Toolkit(api, directory / "toolkit", source_flags=[
        f"--helm-chart-max-size={CHART_MAX}", f"--helm-chart-file-max-size={FILE_MAX}"])
    kit.start("source-controller")
    yield kit
    kit.finish()


@pytest.fixture
def repository(objects, helm, directory, ns, toolkit):
    """A chart repository, known as HelmRepository "repo"."""
    served = ChartRepository(directory / ns, helm)
    served.publish(chart_files())
    objects.apply("HelmRepository", "repo", {"url": served.url, "interval": "1h"})
    yield served
    served.stop()


@pytest.fixture
def refresh(objects, repository):
    """refresh(*charts) publishes them and has the HelmRepository see it."""
    def make(*charts):
        repository.publish(*charts)
        refresh_index(objects)
    return make


def refresh_index(objects):
    said = f"{len(objects.events('repo'))}-{id(objects)}-{objects.get('HelmRepository', 'repo')['metadata']['resourceVersion']}"
    objects.request("HelmRepository", "repo", said)
    objects.wait("HelmRepository", "repo", lambda o: o["status"].get("lastHandledReconcileAt") ==
                 said, "to be read again")


@pytest.fixture
def source(objects, git_server, ns):
    """A Git repository, known as GitRepository "src"; commit(files) and wait for it."""
    repo = git_server.repository(ns)

    def commit(files, **more):
        head = repo.commit(files, **more)
        if objects.get("GitRepository", "src"):
            objects.request("GitRepository", "src", head)
        else:
            objects.apply("GitRepository", "src", {
                "url": git_server.url_of(repo), "interval": "1h", "ref": {"branch": "main"}})
        objects.ready("GitRepository", "src", revision=head)
        return head
    return commit


def below(prefix, files):
    return {f"{prefix}/{name}": content for name, content in files.items()}


def chart(objects, name="chart", kind="HelmRepository", source="repo", **spec):
    spec = {"chart": "demo", "interval": "1h", "sourceRef": {"kind": kind, "name": source}, **spec}
    objects.apply("HelmChart", name, {k: v for k, v in spec.items() if v is not None})


def git_chart(objects, path="./charts/demo", **spec):
    chart(objects, **{"kind": "GitRepository", "source": "src", "chart": path, **spec})


def fetch(obj):
    status, _, data = http("GET", obj["status"]["artifact"]["url"])
    assert status == 200
    return data


def built(obj):
    """{path below the chart: text}"""
    return {name.split("/", 1)[1]: text for name, text in untgz(fetch(obj)).items()}


def message(objects, reason, name="chart", condition="FetchFailed", stalls=False):
    """What is said of a chart that failed."""
    # A signature that is not good comes first.
    ready = "VerificationError" if reason == "ChartVerificationError" else reason
    # A retry that takes its time is shown without what it is about to find again.
    obj = objects.wait("HelmChart", name, lambda o: (
        objects.condition(o).get("reason"), objects.condition(o, condition).get("reason")) == (
            ready, reason), f"not to be ready: {reason}")
    said = objects.condition(obj, condition)
    assert (said["status"], said["reason"]) == ("True", reason)
    assert said["message"] == objects.condition(obj)["message"]
    assert bool(objects.condition(obj, "Stalled")) == stalls, obj["status"]
    assert (obj["status"]["observedGeneration"] == obj["metadata"]["generation"]) == stalls
    other = "FetchFailed" if condition == "BuildFailed" else "BuildFailed"
    assert not objects.condition(obj, other)
    return said["message"]


def again(objects, value, name="chart", kind="HelmChart"):
    """The object behind one more run."""
    objects.request(kind, name, value)
    return objects.wait(kind, name, lambda o: o["status"].get("lastHandledReconcileAt") == value,
                        "to run again")


# --- S68 - S70: versions -----------------------------------------------------------------------

def test_S70_a_pulled_chart_is_byte_identical(objects, repository, toolkit):
    chart(objects)
    obj = objects.ready("HelmChart", "chart")
    assert fetch(obj) == repository.files["demo-1.0.0.tgz"]
    artifact = obj["status"]["artifact"]
    assert artifact["path"] == f"helmchart/{objects.ns}/chart/demo-1.0.0.tgz"
    assert artifact["revision"] == "1.0.0"
    assert obj["status"]["observedChartName"] == "demo"
    repo = objects.get("HelmRepository", "repo")
    assert obj["status"]["observedSourceArtifactRevision"] == \
        repo["status"]["artifact"]["revision"]
    assert "observedValuesFiles" not in obj["status"]
    # S17
    latest = toolkit.storage / "helmchart" / objects.ns / "chart" / "latest.tar.gz"
    assert latest.resolve() == toolkit.storage / artifact["path"]
    assert obj["status"]["url"].endswith(f"/helmchart/{objects.ns}/chart/latest.tar.gz")
    for kind in ("ArtifactInStorage", "Ready"):
        stored = objects.condition(obj, kind)
        assert (stored["status"], stored["reason"], stored["message"]) == (
            "True", "ChartPullSucceeded", "pulled 'demo' chart with version '1.0.0'")
    wait_until(lambda: ("Normal", "ChartPullSucceeded",
                        "pulled 'demo' chart with version '1.0.0'") in objects.events("chart"),
               "the event")
    wait_until(lambda: not list(toolkit.dir.glob("source-controller-*/*")), "nothing to stay")  # S102


def test_S70_nothing_changed_downloads_nothing(objects, repository):
    chart(objects)
    first = objects.ready("HelmChart", "chart")
    second = again(objects, "again")
    assert second["status"]["artifact"] == first["status"]["artifact"]
    assert repository.count("demo-1.0.0.tgz") == 1 and repository.count("index.yaml") == 1
    # An index that has no news of this chart.
    repository.publish(chart_files("other"))
    refresh_index(objects)
    revision = objects.get("HelmRepository", "repo")["status"]["artifact"]["revision"]
    objects.wait("HelmChart", "chart", lambda o: o["status"]["observedSourceArtifactRevision"] ==
                 revision and objects.condition(o)["status"] == "True", "to have seen it")
    assert repository.count("demo-1.0.0.tgz") == 1


def test_S68_versions(objects, refresh, repository):
    refresh(*(chart_files(version=v) for v in ("1.2.0", "1.10.0", "2.0.0-rc.1", "0.9.0")))
    for number, (wanted, found) in enumerate({
            "*": "1.10.0", "": "1.10.0", "1.2.0": "1.2.0", "^1.0.0": "1.10.0", "1.x": "1.10.0",
            "~1.2": "1.2.0", "<1.0.0": "0.9.0", ">=1.0.0-0": "2.0.0-rc.1",
            "1.0.0 - 1.5.0": "1.2.0", "2.0.0-rc.1": "2.0.0-rc.1", ">0.9 <1.2": "1.0.0"}.items()):
        chart(objects, f"chart-{number}", version=wanted)
        obj = objects.ready("HelmChart", f"chart-{number}")
        assert obj["status"]["artifact"]["revision"] == found, wanted


def test_S68_the_newest_of_equal_versions(objects, ns, toolkit):
    entries = "".join(f"  - {{name: demo, version: 1.0.0+{b}, urls: [{b}.tgz], created: {c}}}\n"
                      for b, c in (("old", "2024-01-01T00:00:00Z"), ("new", "2024-03-01T00:00:00Z"),
                                   ("mid", "2024-02-01T00:00:00Z")))
    files = {f"{b}.tgz": tgz(chart_files(version=f"1.0.0+{b}")) for b in ("old", "mid", "new")}
    files["index.yaml"] = f"apiVersion: v1\nentries:\n  demo:\n{entries}".encode()
    served = ChartServer(files)
    objects.apply("HelmRepository", "repo", {"url": served.url, "interval": "1h"})
    objects.ready("HelmRepository", "repo")
    chart(objects)
    assert objects.ready("HelmChart", "chart")["status"]["artifact"]["revision"] == "1.0.0+new"
    served.stop()


@pytest.mark.parametrize("url", ["{base}/charts/files/a.tgz", "files/a.tgz", "./files/a.tgz",
                                 "../charts/files/a.tgz", "/charts/files/a.tgz"],
                         ids=["absolute", "below", "dot", "dots", "rooted"])
def test_S68_where_a_chart_is(objects, ns, toolkit, url):
    data = tgz(chart_files())
    served = ChartServer({"charts/files/a.tgz": data})
    where = url.format(base=served.url)
    served.files["charts/index.yaml"] = (
        "apiVersion: v1\nentries:\n  demo:\n  - {name: demo, version: 1.0.0, "
        f"urls: ['{where}', 'other.tgz']}}\n").encode()
    objects.apply("HelmRepository", "repo", {"url": f"{served.url}/charts?key=1", "interval": "1h"})
    objects.ready("HelmRepository", "repo")
    chart(objects)
    assert fetch(objects.ready("HelmChart", "chart")) == data
    query = "" if "{" in url else "?key=1"
    assert served.paths() == ["charts/index.yaml?key=1", f"charts/files/a.tgz{query}"]
    served.stop()


@pytest.mark.parametrize("url, text", [
    ("file:///etc/passwd", "file"), ("oci://127.0.0.1:1/x:1", "oci"), ("ftp://127.0.0.1/x", "ftp"),
    ("http://[", "http://["), ("", "chart 'demo' has no downloadable URLs"),
    ("http://127.0.0.1:1/x.tgz", "127.0.0.1:1")],
    ids=["file", "oci", "ftp", "broken", "none", "refused"])
def test_S68_charts_that_are_nowhere(objects, ns, toolkit, url, text):
    index = {"apiVersion": "v1", "entries": {"demo": [
        {"name": "demo", "version": "1.0.0", "urls": [url] if url else []}]}}
    served = ChartServer({"index.yaml": json.dumps(index).encode()})
    objects.apply("HelmRepository", "repo", {"url": served.url, "interval": "1h"})
    objects.ready("HelmRepository", "repo")
    chart(objects)
    said = message(objects, "ChartPullError")
    assert said.startswith("chart pull error: failed to download chart for remote reference: ")
    assert text in said and "root:" not in said
    served.stop()


def test_S68_no_match_stalls_and_heals(objects, refresh, repository):
    chart(objects, version="^3.0.0")
    assert message(objects, "InvalidChartReference", stalls=True) == (
        "invalid chart reference: failed to get chart version for remote reference: no 'demo' "
        "chart with version matching '^3.0.0' found")
    chart(objects, "unknown", chart="unknown")
    assert message(objects, "InvalidChartReference", "unknown", stalls=True) == (
        "invalid chart reference: failed to get chart version for remote reference: no chart name "
        "found")
    chart(objects, "evil", chart="../demo")
    assert "invalid chart name '../demo'" in message(
        objects, "InvalidChartReference", "evil", stalls=True)
    chart(objects, "range", version="no range")
    assert message(objects, "InvalidChartReference", "range", stalls=True)
    refresh(chart_files(version="3.1.0"))
    assert objects.ready("HelmChart", "chart")["status"]["artifact"]["revision"] == "3.1.0"


def test_S69_an_exact_version_lists_no_tags(objects, registry, helm, directory, ns):
    wire = Proxy(registry.url)
    oci_repository(objects, registry, url=f"oci://127.0.0.1:{wire.port}/{ns}")
    push(helm, registry, directory, ns, chart_files(version="1.0.0"))
    push(helm, registry, directory, ns, chart_files(version="1.1.0+build.1"))
    packed = (directory / f"{ns}-charts" / "demo-1.0.0.tgz").read_bytes()
    chart(objects, version="1.0.0")
    obj = objects.ready("HelmChart", "chart")
    assert fetch(obj) == packed and obj["status"]["artifact"]["revision"] == "1.0.0"
    assert "observedSourceArtifactRevision" not in obj["status"]
    lists = {"path": f"^/v2/{ns}/.*/tags/list"}
    assert wire.count(**lists) == 0
    before = wire.count()
    again(objects, "again")
    assert wire.count() == before
    chart(objects, "range", version="*")
    obj = objects.ready("HelmChart", "range")
    assert obj["status"]["artifact"]["revision"] == "1.1.0+build.1"
    assert wire.count(**lists) == 1
    wire.stop()


def oci_repository(objects, registry, name="repo", **spec):
    objects.apply("HelmRepository", name, {"type": "oci", "interval": "1h",
                                           "url": f"oci://{registry.host}/{objects.ns}", **spec})


def push(helm, registry, directory, ns, files, *flags):
    """The real helm pushes a chart; its digest."""
    folder = directory / f"{ns}-charts"
    folder.mkdir(exist_ok=True)
    packed = helm.package(write(folder / f"source-{len(list(folder.iterdir()))}", files), folder)
    done = helm.run("push", packed, f"oci://{registry.host}/{ns}", "--plain-http", *flags, ok=False)
    assert done.returncode == 0, done.stderr
    return (done.stdout + done.stderr).split("Digest: ")[1].split()[0]


def test_S69_registries_that_lack_things(objects, registry, ns, helm, directory):
    oci_repository(objects, registry)
    chart(objects, version="1.0.0")
    said = message(objects, "ChartPullError")
    assert said.startswith("chart pull error: failed to download chart for remote reference: "
                           f"failed to get 'oci://{registry.host}/{ns}/demo:1.0.0': ")
    chart(objects, "range", version=">1")
    assert "could not get tags for \"demo\"" in message(objects, "ChartPullError", "range")
    registry.push(f"{ns}/demo", "1.0.0", {"a": "no chart"})
    again(objects, "no chart")
    assert "could not load config with mediatype" in message(objects, "ChartPullError")
    registry.push(f"{ns}/other", "latest", {"a": "no version"})
    chart(objects, "tags", chart="other")
    assert "unable to locate any tags in provided repository" in message(
        objects, "ChartPullError", "tags")
    push(helm, registry, directory, ns, chart_files())
    again(objects, "healed")
    objects.ready("HelmChart", "chart")


def push_raw(registry, repository, version, data):
    """A chart as helm pushes it, by plain requests."""
    config = json.dumps({"name": "demo", "version": version}).encode()
    registry.push_blob(repository, config)
    registry.push_blob(repository, data)
    registry.push_manifest(repository, version.replace("+", "_"), {
        "schemaVersion": 2, "config": descriptor(config, CONFIG_TYPE),
        "layers": [descriptor(data, LAYER_TYPE)]})


def test_S69_a_registry_that_wants_a_login(objects, closed_registry, secret, source, ns):
    data = tgz(chart_files())
    push_raw(closed_registry, f"{ns}/demo", "1.0.0", data)
    oci_repository(objects, closed_registry)
    chart(objects)
    said = message(objects, "AuthenticationFailed")
    assert said.startswith("failed to authenticate with the Helm repository: chart pull error: ")
    # A dependency without a HelmRepository that has a login.
    source(below("parent", parent({"name": "demo", "version": "1.0.0", "repository":
                                   f"oci://{closed_registry.host}/{ns}"})))
    git_chart(objects, "parent", name="parent")
    assert "failed to add remote dependency 'demo'" in message(
        objects, "DependencyBuildError", "parent", "BuildFailed")
    secret("login", username=LOGIN[0], password=LOGIN[1])
    oci_repository(objects, closed_registry, secretRef={"name": "login"})
    assert fetch(objects.ready("HelmChart", "chart")) == data
    again(objects, "login", "parent")
    assert "charts/demo/Chart.yaml" in built(objects.ready("HelmChart", "parent"))


def test_S69_pull_secrets(objects, closed_registry, api, ns):
    data = tgz(chart_files())
    push_raw(closed_registry, f"{ns}/demo", "1.0.0", data)

    def pull_secret(name, host):
        auth = {"auths": {host: {"username": LOGIN[0], "password": LOGIN[1]}}}
        api.apply({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
                   "metadata": {"name": name, "namespace": ns},
                   "stringData": {".dockerconfigjson": json.dumps(auth)}})
    pull_secret("other", "other.example.test")
    oci_repository(objects, closed_registry, secretRef={"name": "other"})
    chart(objects)
    said = message(objects, "AuthenticationFailed")
    assert (f"no auth config for '{closed_registry.host}' in the docker-registry Secret 'other'"
            in said)
    pull_secret("right", closed_registry.host)
    oci_repository(objects, closed_registry, secretRef={"name": "right"})
    assert fetch(objects.ready("HelmChart", "chart")) == data
    oci_repository(objects, closed_registry, secretRef={"name": "absent"})
    again(objects, "nothing is asked for twice")
    chart(objects, version=">=1.0.0")
    assert "absent" in message(objects, "AuthenticationFailed")


def test_S75_a_chart_of_a_registry_that_is_too_large(objects, registry, ns):
    push_raw(registry, f"{ns}/demo", "1.0.0", b"\x1f\x8b" + bytes(CHART_MAX))
    oci_repository(objects, registry)
    chart(objects)
    assert message(objects, "ChartPullError").endswith(
        f"size of chart 'demo' exceeds '{CHART_MAX}' bytes limit")


def test_S69_certificates_of_a_registry(objects, directory, secret, ns):
    ca = Authority(directory / f"{ns}-ca")
    server = Registry(directory / f"{ns}-registry", tls=ca.issue("server"),
                      context=ca.client_context())
    data = tgz(chart_files(version="1.0.0+b.1"))
    push_raw(server, f"{ns}/nested/demo", "1.0.0+b.1", data)
    oci_repository(objects, server)
    chart(objects, chart="nested/demo")
    assert message(objects, "AuthenticationFailed")
    secret("ca", ca__crt=ca.cert.read_text())
    oci_repository(objects, server, certSecretRef={"name": "ca"})
    obj = objects.ready("HelmChart", "chart")
    assert fetch(obj) == data and obj["status"]["artifact"]["revision"] == "1.0.0+b.1"
    assert obj["status"]["artifact"]["path"] == f"helmchart/{ns}/chart/demo-1.0.0+b.1.tgz"
    server.stop()


# --- S71 - S73: values, metadata, strategies ---------------------------------------------------

def test_S71_values_files_merge_in_order(objects, refresh, repository, helm, directory):
    more = {"env/prod.yaml": "color: blue\nnested: {a: 1, list: [1, 2]}\nbig: 1000000\n",
            "env/eu.yaml": "nested: {b: {c: x}, list: [3]}\nsize: null\n"}
    refresh({**chart_files(version="1.1.0", values="color: red\nsize: 1\nnested: {a: 0, z: 9}\n"),
             **more})
    chart(objects, valuesFiles=["values.yaml", "./env/prod.yaml", "env/eu.yaml"])
    obj = objects.ready("HelmChart", "chart")
    assert obj["status"]["artifact"]["revision"] == "1.1.0+1"
    assert obj["status"]["artifact"]["path"].endswith("/demo-1.1.0+1.tgz")
    files = built(obj)
    assert files["values.yaml"] == ("big: 1000000\ncolor: blue\nnested:\n  a: 1\n  b:\n    c: x\n"
                                    "  list:\n  - 3\n  z: 9\nsize: null\n")
    assert "version: 1.1.0+1\n" in files["Chart.yaml"]
    ready = objects.condition(obj)
    assert (ready["reason"], ready["message"]) == (
        "ChartPackageSucceeded", "packaged 'demo' chart with version '1.1.0+1' and merged values "
        "files [values.yaml ./env/prod.yaml env/eu.yaml]")
    # The real helm takes it, and the bytes are the same each time.
    (directory / "built.tgz").write_bytes(fetch(obj))
    assert 'color: "blue"' in helm.render(directory / "built.tgz")
    first = fetch(obj)
    chart(objects, "twin", valuesFiles=["values.yaml", "./env/prod.yaml", "env/eu.yaml"])
    assert fetch(objects.ready("HelmChart", "twin")) == first
    # The generation tells of other values.
    chart(objects, valuesFiles=["env/prod.yaml"])
    obj = objects.ready("HelmChart", "chart", revision="1.1.0+2")
    assert built(obj)["values.yaml"].startswith("big: 1000000\ncolor: blue\nnested:\n  a: 1\n")
    # values.yaml alone is the chart as it is.
    chart(objects, valuesFiles=["./values.yaml"])
    obj = objects.wait("HelmChart", "chart", lambda o: (o["status"].get("artifact") or {}).get(
        "revision") == "1.1.0", "to be unchanged")
    assert fetch(obj) == repository.files["demo-1.1.0.tgz"]


def test_S72_a_missing_values_file(objects, refresh):
    refresh({**chart_files(version="1.1.0"), "prod.yaml": "color: blue\n"})
    chart(objects, valuesFiles=["prod.yaml", "absent.yaml"])
    assert message(objects, "ValuesFilesError", condition="BuildFailed", stalls=True) == (
        "values files merge error: failed to merge chart values: no values file found at path "
        "'absent.yaml'")
    chart(objects, valuesFiles=["prod.yaml", "absent.yaml"], ignoreMissingValuesFiles=True)
    obj = objects.ready("HelmChart", "chart", revision="1.1.0+2")
    assert obj["status"]["observedValuesFiles"] == ["prod.yaml"]
    assert built(obj)["values.yaml"] == "color: blue\n"
    assert objects.condition(obj)["message"].endswith(" and merged values files [prod.yaml]")
    assert not objects.condition(obj, "BuildFailed")
    chart(objects, valuesFiles=["prod.yaml"])
    obj = objects.ready("HelmChart", "chart", revision="1.1.0+3")
    assert "observedValuesFiles" not in obj["status"]


def test_S72_values_that_are_none(objects, refresh):
    refresh({**chart_files(version="1.1.0"), "list.yaml": "- 1\n", "bad.yaml": "a: [\n"})
    for name in ("list", "bad"):
        chart(objects, name, valuesFiles=[f"{name}.yaml"])
        assert f"unmarshaling values from '{name}.yaml' failed: " in message(
            objects, "ValuesFilesError", name, "BuildFailed", stalls=True)


def test_S71_values_files_of_a_tree(objects, source):
    head = source({**below("charts/demo", chart_files()), "env/prod.yaml": "color: green\n",
                   "charts/demo/own.yaml": "size: 7\n"})
    git_chart(objects, valuesFiles=["charts/demo/values.yaml", "/env/prod.yaml",
                                    "../charts/demo/own.yaml"])
    obj = objects.ready("HelmChart", "chart")
    assert obj["status"]["artifact"]["revision"] == "1.0.0+1"
    assert built(obj)["values.yaml"] == "color: green\nsize: 7\n"
    git_chart(objects, valuesFiles=["env/prod.yaml"], reconcileStrategy="Revision")
    obj = objects.ready("HelmChart", "chart", revision=f"1.0.0+{head[:12]}.2")
    git_chart(objects, valuesFiles=["env/absent.yaml"])
    assert message(objects, "ValuesFilesError", condition="BuildFailed", stalls=True) == (
        "values files merge error: no values file found at path '/env/absent.yaml' (reference "
        "'env/absent.yaml')")


def test_S73_strategies(objects, source, toolkit):
    source(below("charts/demo", chart_files()))
    git_chart(objects)
    chart(objects, "strict", kind="GitRepository", source="src", chart="charts/demo",
          reconcileStrategy="Revision")
    first = objects.ready("HelmChart", "chart")
    objects.ready("HelmChart", "strict")
    head = source({"charts/demo/templates/more.yaml": "# more\n"})
    obj = objects.ready("HelmChart", "strict", revision=f"1.0.0+{head[:12]}")
    assert built(obj)["templates/more.yaml"] == "# more\n"
    # By the chart's version a commit says nothing.
    same = objects.wait("HelmChart", "chart", lambda o: head in
                        o["status"]["observedSourceArtifactRevision"], "to have seen it")
    assert same["status"]["artifact"] == first["status"]["artifact"]
    source(below("charts/demo", chart_files(version="1.1.0+old")))
    obj = objects.ready("HelmChart", "chart", revision="1.1.0+old")
    assert built(obj)["templates/more.yaml"] == "# more\n"
    # Metadata takes the place of what was there.
    obj = objects.wait("HelmChart", "strict", lambda o: o["status"]["artifact"][
        "revision"].startswith("1.1.0+"), "the new version")
    assert "old" not in obj["status"]["artifact"]["revision"]


def test_S73_a_tree_to_what_helm_packages(objects, source, helm, directory, ns):
    files = {**chart_files(appVersion="1.10", description="'a: b'"),
             "values.schema.json": '{"type": "object"}', "README.md": "# read\n",
             "crds/crd.yaml": "kind: X\n", "templates/NOTES.txt": "notes", ".hidden": "x",
             "templates/.swp": "y", "files/deep/er/x.txt": "z", "charts/sub/Chart.yaml":
             "apiVersion: v2\nname: sub\nversion: 0.1.0\n", "charts/sub/values.yaml": "a: 1\n",
             "charts/sub/templates/x.yaml": "# {{ .Values.a }}\n", ".helmignore": "*.bak\nskip/\n",
             "a.bak": "no", "skip/me.txt": "no"}
    source(below("charts/demo", files))
    git_chart(objects)
    ours = untgz(fetch(objects.ready("HelmChart", "chart")))
    theirs = untgz(helm.package(write(directory / ns, files), directory).read_bytes())
    assert ours == theirs
    assert "demo/.hidden" in ours and "demo/a.bak" not in ours and "demo/skip/me.txt" not in ours


def test_S73_an_archive_in_a_tree_is_copied(objects, source):
    data = tgz(chart_files())
    source({"charts/demo-1.0.0.tgz": data, ".sourceignore": "*.md\n"})
    git_chart(objects, "charts/demo-1.0.0.tgz")
    obj = objects.ready("HelmChart", "chart")
    assert fetch(obj) == data
    assert objects.condition(obj)["reason"] == "ChartPullSucceeded"
    git_chart(objects, "charts/demo-1.0.0.tgz", reconcileStrategy="Revision")
    obj = objects.wait("HelmChart", "chart", lambda o: "+" in o["status"]["artifact"]["revision"],
                       "to be packed")
    assert objects.condition(obj)["reason"] == "ChartPackageSucceeded"
    assert built(obj)["values.yaml"] == chart_files()["values.yaml"]


def test_S73_a_chart_of_a_bucket(objects, directory, ns, toolkit):
    s3 = Versity(directory / f"{ns}-s3")
    s3.bucket(ns)
    for path, content in below("charts/demo", chart_files()).items():
        s3.put(ns, path, content)
    objects.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {
        "name": "keys", "namespace": ns}, "stringData": {
            "accesskey": ACCESS_KEY, "secretkey": SECRET_KEY}})
    objects.apply("Bucket", "src", {"endpoint": s3.endpoint, "bucketName": ns, "interval": "1h",
                                    "insecure": True, "secretRef": {"name": "keys"}})
    revision = objects.ready("Bucket", "src")["status"]["artifact"]["revision"]
    chart(objects, kind="Bucket", source="src", chart="charts/demo", reconcileStrategy="Revision")
    short = revision.removeprefix("sha256:")[:12]
    obj = objects.ready("HelmChart", "chart", revision=f"1.0.0+{short}")
    assert built(obj)["values.yaml"] == chart_files()["values.yaml"]
    s3.put(ns, "charts/demo/values.yaml", "color: blue\n")
    objects.request("Bucket", "src")
    objects.wait("HelmChart", "chart", lambda o: short not in o["status"]["artifact"]["revision"] and
                 built(o)["values.yaml"] == "color: blue\n", "the new content")
    s3.stop()


@pytest.mark.parametrize("path, text", [
    ("charts/absent", "stat /charts/absent: no such file or directory"),
    ("../../charts/absent", "stat /charts/absent: no such file or directory"),
    ("charts", "open Chart.yaml: no such file or directory"),
    ("charts/broken", "validation: chart.metadata.version is required"),
    ("charts/broken/Chart.yaml", "archive is damaged"),
], ids=["absent", "above", "no-chart", "broken", "file"])
def test_S78_paths_that_are_no_chart(objects, source, path, text):
    source({"charts/broken/Chart.yaml": "name: broken\n"})
    git_chart(objects, path)
    said = message(objects, "InvalidChartReference", stalls=True)
    assert said.startswith("invalid chart reference: ") and text in said


# --- S74: dependencies -------------------------------------------------------------------------

def parent(*dependencies, **meta):
    lines = "".join(f"- {json.dumps(d)}\n" for d in dependencies)
    return {**chart_files("parent", **meta),
            "Chart.yaml": f"apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies:\n{lines}"}


def test_S74_dependencies_of_the_tree_and_of_repositories(objects, source, repository, registry,
                                                          helm, directory, ns, secret):
    word = planted("dependency")
    closed = ChartRepository(directory / f"{ns}-closed", helm, auth=("ann", word))
    closed.publish(chart_files("closed", "0.2.0"), chart_files("closed", "0.3.0"))
    secret("login", username="ann", password=word)
    objects.apply("HelmRepository", "closed", {"url": closed.url + "/", "interval": "1h",
                                               "secretRef": {"name": "login"}})
    objects.ready("HelmRepository", "closed")
    push(helm, registry, directory, ns, chart_files("pushed", "2.0.0"))
    source({**below("apps/parent", parent(
        {"name": "local", "version": "^1.0.0", "repository": "file://../../shared/local"},
        {"name": "bundled", "version": "*", "repository": ""},
        {"name": "demo", "version": ">=1", "repository": repository.url},
        {"name": "closed", "version": "0.2.x", "repository": closed.url, "alias": "renamed"},
        {"name": "pushed", "version": "2.0.0", "repository": f"oci://{registry.host}/{ns}"})),
        **below("shared/local", chart_files("local", "1.2.0")),
        **below("apps/parent/charts/bundled", chart_files("bundled", "0.1.0"))})
    git_chart(objects, "apps/parent")
    obj = objects.ready("HelmChart", "chart")
    names = {n.split("/")[1] for n in built(obj) if n.startswith("charts/")}
    assert names == {"local", "bundled", "demo", "renamed", "pushed"}
    assert "version: 0.2.0" in built(obj)["charts/renamed/Chart.yaml"]
    # The HelmRepository's stored index was used, with its credentials for the chart.
    assert closed.count("index.yaml") == 1
    assert closed.requests[-1] == ("closed-0.2.0.tgz", closed.wanted())
    before = len(repository.requests) + len(closed.requests)
    head = source({"unrelated.txt": "x"})
    objects.wait("HelmChart", "chart", lambda o: head in o["status"]["observedSourceArtifactRevision"],
                 "to have seen it")
    assert len(repository.requests) + len(closed.requests) == before
    closed.stop()


def test_S74_the_lock_pins_as_helm_does(objects, source, repository, helm, directory, ns):
    repository.publish(chart_files(version="1.5.0"))
    files = parent({"name": "demo", "version": ">=1", "repository": repository.url})
    work = write(directory / ns / "work", files)
    helm.run("dependency", "update", work)
    lock = (work / "Chart.lock").read_text()
    assert "version: 1.5.0" in lock
    repository.publish(chart_files(version="1.6.0"))
    refresh_index(objects)
    source(below("parent", {**files, "Chart.lock": lock}))
    git_chart(objects, "parent")
    obj = objects.ready("HelmChart", "chart")
    theirs = untgz(helm.package(work, directory).read_bytes())
    assert untgz(fetch(obj)) == theirs
    assert built(obj)["Chart.lock"] == lock


@pytest.mark.parametrize("dependency, text", [
    ({"repository": "file://../../../../etc"}, "failed to add local dependency 'demo': no chart "
     "found at '/etc' (reference 'file://../../../../etc')"),
    ({"repository": "file://../sibling"}, "can't get a valid version for constraint '9.9.9'"),
    ({"repository": ""}, "failed to add local dependency 'demo': no chart found at "
     "'/parent/charts/demo' (reference '')"),
    ({"repository": "@stable"}, "failed to add remote dependency 'demo': aliased repository "
     "dependency is not supported: @stable"),
    ({"repository": "alias:stable"}, "invalid dependency repository URL: alias:stable"),
    ({"repository": "http://127.0.0.1:1"}, "failed to get chart 'demo' version '9.9.9' from "
     "'http://127.0.0.1:1': failed to cache index: "),
    ({"repository": "REPO"}, "no 'demo' chart with version matching '9.9.9' found"),
], ids=["escape", "version", "charts", "alias", "scheme", "refused", "absent"])
def test_S74_dependencies_that_fail(objects, source, repository, dependency, text):
    given = {"name": "demo", "version": "9.9.9", **dependency}
    given["repository"] = given["repository"].replace("REPO", repository.url)
    source({**below("parent", parent(given)), **below("sibling", chart_files())})
    git_chart(objects, "parent")
    said = message(objects, "DependencyBuildError", condition="BuildFailed")
    assert said.startswith("dependency build error: ") and text in said


def test_S74_repositories_of_other_namespaces_lend_nothing(objects, api, source, helm, directory,
                                                           ns):
    word = planted("neighbour")
    closed = ChartRepository(directory / f"{ns}-closed", helm, auth=("ann", word))
    closed.publish(chart_files("closed", "0.2.0"))
    api.create_namespace(f"{ns}-b")
    elsewhere = Objects(api, f"{ns}-b")
    api.apply({"apiVersion": "v1", "kind": "Secret",
               "metadata": {"name": "login", "namespace": f"{ns}-b"},
               "stringData": {"username": "ann", "password": word}})
    elsewhere.apply("HelmRepository", "closed", {"url": closed.url, "interval": "1h",
                                                 "secretRef": {"name": "login"}})
    elsewhere.ready("HelmRepository", "closed")
    asked = len(closed.requests)
    source(below("parent", parent({"name": "closed", "version": "0.2.0",
                                   "repository": closed.url})))
    git_chart(objects, "parent")
    said = message(objects, "DependencyBuildError", condition="BuildFailed")
    assert "401" in said
    assert {login for _, login in closed.requests[asked:]} == {None}
    closed.stop()
    elsewhere.delete("HelmRepository", "closed")


# --- S75 - S77: limits, archives and trees that mean harm --------------------------------------

@pytest.fixture
def hostile(objects):
    """serve(archive): HelmRepository "repo" whose chart "demo" is those bytes."""
    made = []

    def serve(data):
        index = ("apiVersion: v1\nentries:\n  demo:\n  - {name: demo, version: 1.0.0, "
                 "urls: [demo.tgz]}\n")
        made.append(ChartServer({"index.yaml": index.encode(), "demo.tgz": data}))
        objects.apply("HelmRepository", "repo", {"url": made[-1].url, "interval": "1h"})
        objects.ready("HelmRepository", "repo")
        chart(objects)
        return made[-1]
    yield serve
    for one in made:
        one.stop()


def test_S75_a_chart_that_is_too_large(objects, hostile):
    hostile(b"\x1f\x8b" + bytes(CHART_MAX))
    assert message(objects, "ChartPullError") == (
        "chart pull error: failed to download chart for remote reference: size of chart 'demo' "
        f"exceeds '{CHART_MAX}' bytes limit")


def test_S75_files_that_are_too_large(objects, hostile, source):
    hostile(tgz({**chart_files(), "Chart.yaml": chart_files()["Chart.yaml"] + "#" * FILE_MAX}))
    assert f"size of 'Chart.yaml' exceeds '{FILE_MAX}' bytes limit" in message(
        objects, "ChartPullError")
    source({**below("charts/demo", chart_files()), "charts/demo/big.txt": "x" * (FILE_MAX + 1)})
    chart(objects, "tree", kind="GitRepository", source="src", chart="charts/demo")
    assert (f"cannot load file big.txt as file size ({FILE_MAX + 1}) exceeds limit ({FILE_MAX})"
            in message(objects, "ChartPackageError", "tree", "BuildFailed"))


def test_S75_a_bomb(objects, hostile):
    hostile(tgz({**chart_files(), "files/zeros": bytes(150 << 20)}))
    said = message(objects, "ChartPullError")
    assert "archive" in said


@pytest.mark.parametrize("name, text", [
    ("demo/../../evil", "chart illegally references parent directory"),
    ("demo/..", "chart illegally references parent directory"),
    ("demo//etc/passwd", "chart illegally contains absolute paths"),
    ("demo/c:/evil", "chart contains illegally named files"),
    ("demo\\..\\..\\evil", "chart illegally references parent directory"),
    ("evil", "chart illegally contains content outside the base directory"),
    ("demo/.", "chart illegally contains content outside the base directory"),
], ids=["parent", "dots", "absolute", "drive", "windows", "root", "dot"])
def test_S76_archives_that_lead_elsewhere(objects, hostile, toolkit, name, text):
    good = {f"demo/{k}": v for k, v in chart_files().items()}
    hostile(tgz({**good, name: "evil"}, prefix=""))
    assert text in message(objects, "ChartPullError")
    # The same where the archive is packed anew.
    chart(objects, valuesFiles=["other.yaml"])
    assert text in message(objects, "ChartPackageError", condition="BuildFailed")
    assert not list(toolkit.dir.rglob("evil"))


@pytest.mark.parametrize("data, text", [
    (b"no archive", "archive is damaged: gzip"),
    (tgz({"values.yaml": "a: 1\n"}), "no 'Chart.yaml' found"),
    (tgz(chart_files(version="x")), 'chart.metadata.version "x" is invalid'),
    (tgz(chart_files(name="../evil")), 'chart.metadata.name "../evil" is invalid'),
    (tgz(chart_files())[:-40], "archive is "),
], ids=["text", "empty", "version", "name", "cut"])
def test_S76_archives_that_are_no_chart(objects, hostile, data, text):
    served = hostile(data)
    said = message(objects, "ChartPullError")
    assert said.startswith("chart pull error: failed to load chart metadata from written chart: ")
    assert text in said
    served.files["demo.tgz"] = tgz(chart_files())
    again(objects, "healed")
    objects.ready("HelmChart", "chart")


def test_S76_windows_paths_are_read(objects, hostile, helm, directory):
    hostile(tgz({k.replace("/", "\\"): v for k, v in chart_files().items()}, prefix="demo\\"))
    chart(objects, valuesFiles=["values.yaml", "values.yaml"])
    assert "templates/map.yaml" in built(objects.ready("HelmChart", "chart"))


def test_S77_ignored_files_and_links(objects, git_server, ns):
    repo = git_server.repository(ns)
    write(repo.work, below("charts/demo", {**chart_files(), ".helmignore": "secret*\n",
                                           "secret.txt": "no"}))
    (repo.work / "charts/demo/outside").symlink_to("/etc/passwd")
    (repo.work / "charts/demo/inside").symlink_to("values.yaml")
    repo.commit({})
    objects.apply("GitRepository", "src", {"url": git_server.url_of(repo), "interval": "1h"
                                           , "ref": {"branch": "main"}})
    git_chart(objects)
    # Links are in no artifact to begin with (S4).
    assert sorted(built(objects.ready("HelmChart", "chart"))) == sorted(
        [*chart_files(), ".helmignore"])


# --- S78 - S80: sources ------------------------------------------------------------------------

def test_S78_sources_that_are_not_there(objects, repository, toolkit):
    chart(objects, source="absent")
    said = message(objects, "SourceUnavailable")
    assert said.startswith("failed to get source: ") and "absent" in said
    objects.apply("HelmRepository", "absent", {"url": "http://127.0.0.1:1", "interval": "1h"})
    objects.wait("HelmChart", "chart", lambda o: objects.condition(o, "FetchFailed").get(
        "reason") == "NoSourceArtifact", "to wait for an artifact")
    assert message(objects, "NoSourceArtifact") == (
        "no artifact available for HelmRepository source 'absent'")
    objects.apply("HelmRepository", "absent", {"url": repository.url, "interval": "1h"})
    assert fetch(objects.ready("HelmChart", "chart")) == repository.files["demo-1.0.0.tgz"]


def test_a_new_chart_that_awaits_its_repository_tells_nothing(objects, helm, directory, ns, toolkit):
    """Made at once with its repository it is written when it is built, not before."""
    served = ChartRepository(directory / ns, helm)
    served.publish(chart_files())

    def after_a_look(handler):
        """The index comes when the chart was told of, or would have been."""
        with contextlib.suppress(AssertionError):
            wait_until(lambda: (objects.get("HelmChart", "chart") or {}).get("status", {}).get("conditions"),
                       "conditions", timeout=0.5)
        handler.reply(200, served.files["index.yaml"])
    served.hooks["index.yaml"] = after_a_look
    try:
        objects.apply("HelmRepository", "repo", {"url": served.url, "interval": "1h"})
        chart(objects)
        objects.ready("HelmChart", "chart")
        reasons = [event[1] for event in objects.events("chart")]
        assert "NoSourceArtifact" not in reasons, reasons
    finally:
        served.stop()


def test_S80_a_new_revision_wakes_charts(objects, refresh):
    for number in range(5):
        chart(objects, f"chart-{number}", interval="24h")
        objects.ready("HelmChart", f"chart-{number}")
    refresh(chart_files(version="1.7.0"))
    for number in range(5):
        obj = objects.ready("HelmChart", f"chart-{number}", revision="1.7.0")
        assert objects.condition(obj, "ArtifactInStorage")["message"] == (
            "pulled 'demo' chart with version '1.7.0'")
        assert not objects.condition(obj, "ArtifactOutdated")


def test_S89_suspended_charts_rest(objects, refresh):
    chart(objects, suspend=True)
    chart(objects, "other")
    objects.ready("HelmChart", "other")
    objects.request("HelmChart", "chart", "asked")
    obj = objects.wait("HelmChart", "chart", lambda o: (o.get("status") or {}).get(
        "lastHandledReconcileAt") == "asked", "the echo")
    assert "artifact" not in obj["status"]
    chart(objects, suspend=False)
    objects.ready("HelmChart", "chart")
    objects.patch("HelmChart", "chart", {"spec": {"suspend": True}})
    objects.delete("HelmChart", "chart")
    objects.gone("HelmChart", "chart")


def test_C57_the_command_line_knows_them(objects, repository, api, ns):
    chart(objects)
    objects.ready("HelmChart", "chart")

    def sluice(*args):
        done = run(*args, "-n", ns, f"--kubeconfig={api.kubeconfig}")
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr
    assert "stored artifact: revision 'sha256:" in sluice("get", "sources", "helm")
    row = sluice("get", "sources", "chart").splitlines()[1]
    assert row.split("\t")[0].strip() == "chart" and "1.0.0" in row
    assert "pulled 'demo' chart with version '1.0.0'" in row
    repository.publish(chart_files(version="1.9.0"))
    assert "fetched revision" in sluice("reconcile", "source", "helm", "repo")
    assert "fetched revision" in sluice("reconcile", "source", "chart", "chart")
    objects.ready("HelmChart", "chart", revision="1.9.0")


def test_C85_upstreams_flux_works_with_them(objects, repository, helm, registry, directory, api, ns):
    program = oracle("flux") / "flux"

    def flux(*args):
        done = subprocess.run([program, *args, "-n", ns, f"--kubeconfig={api.kubeconfig}"],
                              capture_output=True, text=True, timeout=90,
                              env={"HOME": str(directory), "PATH": "/usr/bin:/bin"})
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr
    flux("create", "source", "helm", "made", f"--url={repository.url}", "--interval=1h")
    assert objects.ready("HelmRepository", "made")
    # A repository that has no status is ready as it is.
    flux("create", "source", "helm", "registry", f"--url=oci://{registry.host}/{ns}")
    chart(objects, source="made")
    objects.ready("HelmChart", "chart")
    assert "stored artifact: revision" in flux("get", "sources", "helm")
    assert "pulled 'demo' chart with version '1.0.0'" in flux("get", "sources", "chart")
    repository.publish(chart_files(version="1.4.0"))
    assert "fetched revision" in flux("reconcile", "source", "helm", "made")
    assert "fetched revision" in flux("reconcile", "source", "chart", "chart")
    objects.ready("HelmChart", "chart", revision="1.4.0")
    flux("delete", "source", "helm", "made", "--silent")
    objects.gone("HelmRepository", "made")


def test_S93_a_failure_keeps_the_old_chart(objects, repository, refresh):
    chart(objects)
    first = objects.ready("HelmChart", "chart")
    # No 401: the version only holds it.
    repository.publish(chart_files(version="1.8.4010"))
    good = repository.files.pop("demo-1.8.4010.tgz")
    refresh_index(objects)
    obj = objects.not_ready("HelmChart", "chart", "ChartPullError")
    assert obj["status"]["artifact"] == first["status"]["artifact"]
    repository.files["demo-1.8.4010.tgz"] = good
    again(objects, "healed")
    obj = objects.ready("HelmChart", "chart", revision="1.8.4010")
    assert not objects.condition(obj, "ArtifactOutdated")


def test_S12_S16_lost_artifact_and_deletion(objects, repository, toolkit):
    chart(objects)
    path = toolkit.storage / objects.ready("HelmChart", "chart")["status"]["artifact"]["path"]
    path.unlink()
    objects.request("HelmChart", "chart")
    wait_until(path.exists, "the rebuilt file")
    objects.ready("HelmChart", "chart")
    path.write_bytes(b"damaged")
    again(objects, "damaged")
    assert fetch(objects.ready("HelmChart", "chart")) == repository.files["demo-1.0.0.tgz"]
    objects.delete("HelmChart", "chart")
    objects.gone("HelmChart", "chart")
    assert not path.parent.exists()
