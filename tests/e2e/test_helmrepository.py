"""HelmRepository end to end: indexes that the real helm makes, and some that nobody should."""
import hashlib
import json
import re
import threading

import pytest

from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.charts import ChartRepository, ChartServer, Helm, chart_files, endless
from tests.lib.controllers import Toolkit
from tests.lib.net import PATIENCE, free_port, http, wait_until
from tests.lib.pki import Authority
from tests.lib.planted import planted
from tests.lib.process import Process

INDEX_MAX = 200000


@pytest.fixture(scope="module")
def helm(directory):
    return Helm(directory / "helm")


@pytest.fixture(scope="module")
def ca(directory):
    return Authority(directory / "ca")


@pytest.fixture(scope="module")
def toolkit(api, directory):
    kit = Toolkit(api, directory / "toolkit", source_flags=[
        f"--helm-index-max-size={INDEX_MAX}", "--helm-cache-max-size=10"])
    kit.start("source-controller")
    yield kit
    kit.finish()


@pytest.fixture
def server():
    """server(files, ...): a ChartServer that ends with the test."""
    made = []

    def make(*args, **kwargs):
        made.append(ChartServer(*args, **kwargs))
        return made[-1]
    yield make
    for one in made:
        one.stop()


@pytest.fixture
def repository(objects):
    def make(url, name="repo", **spec):
        spec = {"url": url, "interval": "1h", **spec}
        objects.apply("HelmRepository", name, {k: v for k, v in spec.items() if v is not None})
    return make


def index_of(*versions, chart="demo", head="apiVersion: v1\n"):
    """An index of bare entries; each is a map of YAML texts."""
    lines = [head, "entries:\n", f"  {chart}:\n"]
    for version in versions:
        entry = {"apiVersion": "v2", "name": chart, "urls": f"[{chart}.tgz]", **version}
        lines.append("  - " + "\n    ".join(f"{k}: {v}" for k, v in entry.items()) + "\n")
    return "".join(lines).encode()


def stored(obj):
    """The stored index."""
    artifact = obj["status"]["artifact"]
    status, _, data = http("GET", artifact["url"])
    assert status == 200 and artifact["digest"] == "sha256:" + hashlib.sha256(data).hexdigest()
    return json.loads(data)


def versions_of(obj, chart="demo"):
    return [entry["version"] for entry in stored(obj)["entries"][chart]]


def leaves_nothing(toolkit):
    """S102; others of the module may be tried again at this moment."""
    wait_until(lambda: not list(toolkit.dir.glob("source-controller-*/nameless-*")), "nothing to stay")


def failure(objects, reason, name="repo"):
    """The message of FetchFailed."""
    obj = objects.not_ready("HelmRepository", name, reason)
    condition = objects.condition(obj, "FetchFailed")
    assert (condition["status"], condition["reason"]) == ("True", reason)
    assert condition["message"] == objects.condition(obj)["message"]
    assert "artifact" not in obj["status"]
    return condition["message"]


def test_S61_revision_and_stored_json(objects, repository, helm, directory, ns, toolkit):
    served = ChartRepository(directory / ns, helm)
    served.publish(chart_files(version="1.0.0"), chart_files(version="1.10.0", appVersion="1.10"),
                   chart_files(version="1.9.0"), chart_files("other", "0.1.0-rc.1"))
    text = served.files["index.yaml"]
    repository(served.url + "/")
    obj = objects.ready("HelmRepository", "repo")
    served.stop()
    hex_part = hashlib.sha256(text).hexdigest()
    artifact = obj["status"]["artifact"]
    assert artifact["revision"] == f"sha256:{hex_part}"
    assert artifact["path"] == f"helmrepository/{ns}/repo/index-{hex_part}.yaml"
    index = stored(obj)
    assert index["apiVersion"] == "v1" and list(index["entries"]) == ["demo", "other"]
    assert versions_of(obj) == ["1.10.0", "1.9.0", "1.0.0"]
    first = index["entries"]["demo"][0]
    assert first["urls"] == ["demo-1.10.0.tgz"] and first["appVersion"] == "1.1"
    assert first["digest"] == hashlib.sha256(served.files["demo-1.10.0.tgz"]).hexdigest()
    # As Go's json.MarshalIndent(index, "", "  ") has it.
    data = (toolkit.storage / artifact["path"]).read_text()
    assert data == json.dumps(index, indent=2, ensure_ascii=False)
    # S17
    link = toolkit.storage / "helmrepository" / ns / "repo" / "index.yaml"
    assert link.resolve() == toolkit.storage / artifact["path"]
    assert obj["status"]["url"].endswith(f"/helmrepository/{ns}/repo/index.yaml")
    ready = objects.condition(obj)
    assert (ready["reason"], ready["message"]) == (
        "Succeeded", f"stored artifact: revision 'sha256:{hex_part}'")
    size = f"{len(data) / 1000:.4g}kB"
    wait_until(lambda: ("Normal", "NewArtifact",
                        f"stored fetched index of size {size} from '{served.url}/'")
               in objects.events("repo"), "the event")


def test_S61_the_real_helm_reads_what_is_stored(objects, repository, helm, directory, ns, toolkit):
    served = ChartRepository(directory / ns, helm)
    served.publish(chart_files(version="1.0.0"), chart_files(version="2.0.0"))
    served.publish(url=served.url)
    repository(served.url)
    obj = objects.ready("HelmRepository", "repo")
    folder = obj["status"]["url"].rsplit("/", 1)[0]
    pulled = directory / f"{ns}-pulled"
    pulled.mkdir()
    helm.run("pull", "demo", "--repo", folder, "--version", "^1", "-d", pulled)
    assert (pulled / "demo-1.0.0.tgz").read_bytes() == served.files["demo-1.0.0.tgz"]
    served.stop()


def test_S61_index_of_json(objects, repository, server):
    index = {"apiVersion": "v1", "unknown": 1, "entries": {"demo": [
        {"name": "demo", "version": "1.0.0", "urls": ["\u00e9/\ud83d\ude00.tgz"], "more": {}},
        {"name": "demo", "version": "2.0.0", "created": "2024-01-02T03:04:05.678+01:00"}]}}
    repository(server({"index.yaml": json.dumps(index).encode()}).url)
    obj = objects.ready("HelmRepository", "repo")
    assert versions_of(obj) == ["2.0.0", "1.0.0"]
    first, second = stored(obj)["entries"]["demo"]
    assert first["created"] == "2024-01-02T03:04:05.678+01:00" and first["urls"] is None
    assert second["urls"] == ["\u00e9/\U0001f600.tgz"] and "more" not in second
    assert second["apiVersion"] == "v1" and second["created"] == "0001-01-01T00:00:00Z"


def test_S61_unchanged_and_changed_index(objects, repository, server, toolkit):
    files = server({"index.yaml": index_of({"version": "1.0.0"})})
    repository(files.url)
    first = objects.ready("HelmRepository", "repo")
    objects.request("HelmRepository", "repo", "again")
    second = objects.wait("HelmRepository", "repo",
                          lambda o: o["status"].get("lastHandledReconcileAt") == "again", "again")
    assert second["status"]["artifact"] == first["status"]["artifact"]
    files.files["index.yaml"] = index_of({"version": "1.0.0"}, {"version": "1.1.0"})
    revision = hashlib.sha256(files.files["index.yaml"]).hexdigest()
    objects.request("HelmRepository", "repo", "changed")
    obj = objects.ready("HelmRepository", "repo", revision=revision)
    assert versions_of(obj) == ["1.1.0", "1.0.0"]

    def announced():
        return [e for e in objects.events("repo") if e[1] == "NewArtifact"]
    wait_until(lambda: len(announced()) > 1, "the second artifact to be announced")
    assert len(announced()) == 2
    leaves_nothing(toolkit)


def test_S61_an_index_that_has_not_changed_is_not_sent_again(objects, repository, server):
    files = server({})
    sent = []

    def tagged(handler):
        text, tag = files.files["index"]
        sent.append(handler.headers.get("If-None-Match"))
        if sent[-1] == tag:
            handler.reply(304, ETag=tag)
        else:
            handler.reply(200, text, ETag=tag)
    files.hooks["index.yaml"] = tagged
    files.files["index"] = index_of({"version": "1.0.0"}), '"one"'
    repository(files.url)
    objects.ready("HelmRepository", "repo")

    def again(value):
        objects.request("HelmRepository", "repo", value)
        return objects.wait("HelmRepository", "repo",
                            lambda o: o["status"].get("lastHandledReconcileAt") == value, value)
    again("same")
    files.files["index"] = index_of({"version": "2.0.0"}), 'W/"two"'
    again("changed")
    assert versions_of(objects.ready("HelmRepository", "repo")) == ["2.0.0"]
    again("kept")
    files.files["index"] = index_of({"version": "2.0.0"}), ""
    again("untagged")
    again("untagged again")
    assert sent == [None, '"one"', '"one"', 'W/"two"', 'W/"two"', None]


def test_S12_an_index_that_is_lost_is_sent_again(objects, repository, server, toolkit):
    files = server({"index.yaml": index_of({"version": "1.0.0"})})
    given = []
    files.hooks["index.yaml"] = lambda handler: (
        given.append(handler.headers.get("If-None-Match")),
        handler.reply(200, files.files["index.yaml"], ETag='"x"'))
    repository(files.url)
    path = toolkit.storage / objects.ready("HelmRepository", "repo")["status"]["artifact"]["path"]
    path.unlink()
    objects.request("HelmRepository", "repo")
    wait_until(path.exists, "the rebuilt file")
    assert given == [None, None]


def test_S61_path_and_query_of_the_url(objects, repository, server):
    files = server({"charts/a/index.yaml": index_of({"version": "1.0.0"})})
    repository(files.url + "/charts/a?token=x")
    objects.ready("HelmRepository", "repo")
    assert files.paths() == ["charts/a/index.yaml?token=x"]


def test_S61_behind_nginx(objects, repository, helm, directory, ns):
    served = ChartRepository(directory / ns, helm)
    served.publish(chart_files())
    port = free_port()
    config = directory / f"{ns}.conf"
    config.write_text(f"daemon off; master_process off; pid {directory}/{ns}.pid; error_log stderr;\n"
                      "events {}\nhttp { access_log off; "
                      + "".join(f"{k}_temp_path {directory}/{ns}-{k}; " for k in
                                ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
                      + f"server {{ listen 127.0.0.1:{port}; root {served.dir}; }} }}\n")
    nginx = Process(["/usr/sbin/nginx", "-c", config, "-e", "stderr"], directory / f"{ns}.log")
    url = f"http://127.0.0.1:{port}"
    nginx.wait_ready(lambda: http("GET", f"{url}/index.yaml")[0] == 200, "nginx")
    repository(url)
    assert versions_of(objects.ready("HelmRepository", "repo")) == ["1.0.0"]
    nginx.stop()
    served.stop()


# --- S62, S63: indexes that are none -----------------------------------------------------------

def test_S62_an_oversized_index(objects, repository, server):
    files = server({"index.yaml": b"#" * (INDEX_MAX + 1)})
    repository(files.url)
    assert failure(objects, "Failed") == (
        "failed to fetch Helm repository index: index exceeds the maximum index file size of "
        f"{INDEX_MAX} bytes")
    # One that never ends is left, not read.
    files.hooks["index.yaml"] = endless(200, b"# and so on\n" * 1000)
    objects.request("HelmRepository", "repo", "endless")
    objects.wait("HelmRepository", "repo", lambda o: o["status"].get("lastHandledReconcileAt") ==
                 "endless" and objects.condition(o).get("reason") == "Failed", "to fail again")


def test_S62_what_servers_answer(objects, repository, server):
    files = server({})
    repository(files.url)
    assert failure(objects, "Failed") == (
        f"failed to fetch Helm repository index: failed to fetch {files.url}/index.yaml : "
        "404 Not Found")
    repository("http://127.0.0.1:1", "refused")
    assert "127.0.0.1" in failure(objects, "Failed", "refused")
    files.files["index.yaml"] = index_of({"version": "1.0.0"})
    objects.request("HelmRepository", "repo", "healed")
    objects.ready("HelmRepository", "repo")


@pytest.mark.parametrize("text, message", [
    (b"", "empty index.yaml file"),
    (b"# nothing\n", "empty index.yaml file"),
    (b"entries: {}\n", "no API version specified"),
    (b"null\n", "no API version specified"),
    (b"apiVersion: v1\nentries: {a: [\n", "yaml: line "),
    (b"- a\n", "index: a map expected"),
    (b"apiVersion: v1\nentries: []\n", "entries: a map expected"),
    (b"apiVersion: v1\nsurprise: 1\nentries: {}\n", 'unknown field "surprise"'),
    (b"apiVersion: v1\nentries: {}\nentries: {}\n", 'key "entries" already set in map'),
    (index_of({"version": "1.0.0", "surprise": "1"}), 'unknown field "surprise"'),
    (index_of({"version": "1.0.0", "created": "yesterday"}), 'created: "yesterday" is no time'),
    (b"apiVersion: v1\nentries:\n  a: &x\n  - *x\n", "contains itself"),
    (b"\x00\x01\x02", "yaml: line "),
    (b"apiVersion: v1\nentries:\n  a:\n  - x: " + b"[" * 5000, "nested too deeply"),
], ids=range(14))
def test_S63_no_index(objects, repository, server, text, message):
    repository(server({"index.yaml": text}).url)
    said = failure(objects, "IndexationFailed")
    assert said.startswith("failed to load Helm repository from index YAML: ")
    assert message in said


def test_S63_one_bad_entry_is_only_skipped(objects, repository, server):
    files = server({"index.yaml": index_of(
        {"version": "1.0.0"}, {"version": "not-a-version"}, {"version": '""'},
        {"version": "3.0.0", "name": "../evil"}, {"version": "2.0.0", "type": "strange"},
        {"version": "1.5", "appVersion": "1.50"}, {"version": "1.2.0", "dependencies":
                                                   "[{name: a, version: 1}, {name: a, version: 2}]"})
        + b"  - \n  - null\n  none:\n  empty: []\n"})
    repository(files.url)
    obj = objects.ready("HelmRepository", "repo")
    # Charts that seem to depend on one thing twice stay: some repositories drop the alias.
    assert versions_of(obj) == ["1.5", "1.2.0", "1.0.0"]
    assert stored(obj)["entries"]["empty"] == [] and stored(obj)["entries"]["none"] == []


def test_S63_anchors_and_merges(objects, repository, server):
    files = server({"index.yaml": b"""apiVersion: v1
entries:
  demo:
  - &base
    name: demo
    version: 1.0.0
    maintainers: &people
    - name: Ann
      email: ann@example.test
    urls: [one.tgz]
  - <<: *base
    version: 2.0.0
    urls: [two.tgz]
  - name: demo
    version: 3.0.0
    maintainers: *people
"""})
    repository(files.url)
    obj = objects.ready("HelmRepository", "repo")
    three, two, one = stored(obj)["entries"]["demo"]
    assert three["maintainers"] == one["maintainers"] == two["maintainers"]
    assert (two["version"], two["urls"]) == ("2.0.0", ["two.tgz"])


@pytest.mark.parametrize("how", ["short", "slow"])
def test_S38_a_server_that_breaks_off_or_takes_for_ever(objects, repository, server, toolkit, how):
    text = index_of({"version": "1.0.0"})
    files, over = server({"index.yaml": text}), threading.Event()

    def partial(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text[:20])
        if how == "slow":
            over.wait(PATIENCE)
        handler.close_connection = True
    files.hooks["index.yaml"] = partial
    repository(files.url, timeout="1s")
    said = failure(objects, "Failed")
    assert said.startswith(f"failed to fetch Helm repository index: GET {files.url}/index.yaml: ")
    if how == "slow":
        assert "1 s" in said or "1000 ms" in said or "timed out" in said.lower(), said
    over.set()
    del files.hooks["index.yaml"]
    objects.request("HelmRepository", "repo", "healed")
    objects.ready("HelmRepository", "repo")
    leaves_nothing(toolkit)


def test_S100_the_cache_of_indexes_is_counted(objects, repository, helm, directory, ns, toolkit):
    served = ChartRepository(directory / ns, helm)
    served.publish(chart_files())
    repository(served.url)
    objects.ready("HelmRepository", "repo")
    for name in ("one", "two", "three"):
        objects.apply("HelmChart", name, {"chart": "demo", "interval": "1h", "sourceRef": {
            "kind": "HelmRepository", "name": "repo"}})
        objects.ready("HelmChart", name)

    def series():
        return sorted(line for line in toolkit["source-controller"].metrics().splitlines()
                      if line.startswith("gotk_cache_events_total") and f'"{ns}"' in line)
    assert series() == [
        f'gotk_cache_events_total{{event_type="cache_{what}",name="repo",namespace="{ns}"}} {count}'
        for what, count in (("hit", 2), ("miss", 1))]
    objects.delete("HelmRepository", "repo")
    objects.gone("HelmRepository", "repo")
    wait_until(lambda: series() == [], "the series to go")
    served.stop()


# --- S64 - S66: URLs and credentials -----------------------------------------------------------

def test_S64_an_oci_url_of_default_type_stalls(objects, repository):
    repository("oci://registry.example.test/charts")
    message = failure(objects, "URLInvalid")
    assert message == ("invalid Helm repository URL: 'oci' URL scheme cannot be used with "
                       "'default' HelmRepository type")
    obj = objects.wait("HelmRepository", "repo", lambda o: objects.condition(o, "Stalled"), "stall")
    assert objects.condition(obj, "Stalled")["reason"] == "URLInvalid"
    assert obj["status"]["observedGeneration"] == 1
    assert not objects.condition(obj, "Reconciling")


def test_S65_missing_and_malformed_secrets(objects, repository, secret, server, ns):
    url = server({"index.yaml": index_of({"version": "1.0.0"})}).url
    repository(url, secretRef={"name": "absent"})
    message = failure(objects, "AuthenticationFailed")
    assert message.startswith(f"failed to get authentication secret '{ns}/absent': ")
    secret("half", username="ann")
    repository(url, "half", secretRef={"name": "half"})
    assert failure(objects, "AuthenticationFailed", "half") == (
        f"failed to detect authentication methods: secret '{ns}/half': malformed basic auth - has "
        "'username' but missing 'password'")
    secret("other", password=planted("half"))
    repository(url, "other", secretRef={"name": "other"})
    assert "has 'password' but missing 'username'" in failure(
        objects, "AuthenticationFailed", "other")
    secret("pair", tls__crt="x")
    repository(url, "pair", certSecretRef={"name": "pair"})
    assert f"secret '{ns}/pair' contains 'tls.crt' but missing 'tls.key'" in failure(
        objects, "AuthenticationFailed", "pair")
    # The Secret comes, the next run finds it.
    secret("absent", username="ann", password=planted("late"))
    objects.request("HelmRepository", "repo")
    objects.ready("HelmRepository", "repo")


def test_S65_basic_authentication(objects, repository, secret, server):
    word = planted("basic")
    files = server({"index.yaml": index_of({"version": "1.0.0"})}, auth=("ann", word))
    repository(files.url)
    assert failure(objects, "Failed").endswith(
        "/index.yaml : 401 Unauthorized (no login was given)")
    secret("login", username="ann", password=word)
    repository(files.url, secretRef={"name": "login"})
    objects.ready("HelmRepository", "repo")
    assert files.requests[-1] == ("index.yaml", files.wanted())


def test_S65_certificates(objects, repository, secret, server, ca):
    context = ca.server_context(client_ca=ca.cert)
    files = server({"index.yaml": index_of({"version": "1.0.0"})}, context=context)
    repository(files.url)
    assert "failed to fetch Helm repository index: " in failure(objects, "Failed")
    cert, key = ca.issue("client")
    pems = {"ca__crt": ca.cert.read_text(), "tls__crt": cert.read_text(),
            "tls__key": key.read_text()}
    secret("tls", **pems)
    repository(files.url, certSecretRef={"name": "tls"})
    objects.ready("HelmRepository", "repo")
    # The older way, and certSecretRef that wins over it.
    secret("older", caFile=pems["ca__crt"], certFile=pems["tls__crt"], keyFile=pems["tls__key"])
    repository(files.url, "older", secretRef={"name": "older"})
    objects.ready("HelmRepository", "older")
    stranger, stranger_key = ca.issue("stranger", days=-1)
    secret("over", ca__crt=pems["ca__crt"], tls__crt=stranger.read_text(),
           tls__key=stranger_key.read_text())
    repository(files.url, "over", secretRef={"name": "older"}, certSecretRef={"name": "over"})
    failure(objects, "Failed", "over")


@pytest.mark.parametrize("name, issued, words", [
    ("over", {"days": -1}, "certificate has expired"),
    ("elsewhere", {"san": "DNS:example.org"}, "subject name")])
def test_S65_certificates_that_are_over_or_of_another_host(
        objects, repository, secret, server, ca, name, issued, words):
    context = ca.server_context(name, **issued)
    files = server({"index.yaml": index_of({"version": "1.0.0"})}, context=context)
    secret("tls", ca__crt=ca.cert.read_text())
    repository(files.url, certSecretRef={"name": "tls"})
    assert words in failure(objects, "Failed")
    assert not files.requests


def test_S66_credentials_stay_with_their_host(objects, repository, secret, server, helm, directory,
                                              ns):
    word = planted("own")
    other = server({})
    served = ChartRepository(directory / ns, helm, auth=("ann", word))
    served.publish(chart_files(), url=other.url)
    other.files["demo-1.0.0.tgz"] = served.files["demo-1.0.0.tgz"]
    secret("login", username="ann", password=word)
    repository(served.url, secretRef={"name": "login"})
    objects.ready("HelmRepository", "repo")
    objects.apply("HelmChart", "chart", {"chart": "demo", "interval": "1h", "sourceRef": {
        "kind": "HelmRepository", "name": "repo"}})
    objects.ready("HelmChart", "chart")
    assert other.requests == [("demo-1.0.0.tgz", None)]
    repository(served.url, secretRef={"name": "login"}, passCredentials=True)
    objects.ready("HelmRepository", "repo")
    objects.apply("HelmChart", "passed", {"chart": "demo", "interval": "1h", "sourceRef": {
        "kind": "HelmRepository", "name": "repo"}})
    objects.ready("HelmChart", "passed")
    assert other.requests[1:] == [("demo-1.0.0.tgz", served.wanted())]
    served.stop()


def test_S66_a_redirect_takes_no_credentials_along(objects, repository, secret, server):
    word = planted("redirect")
    other = server({"index.yaml": index_of({"version": "1.0.0"})})
    files = server({}, auth=("ann", word))
    files.hooks["index.yaml"] = lambda handler: handler.reply(
        302, Location=other.url.replace("127.0.0.1", "localhost") + "/index.yaml")
    secret("login", username="ann", password=word)
    repository(files.url, secretRef={"name": "login"})
    objects.ready("HelmRepository", "repo")
    assert files.requests[0][1] == files.wanted()
    assert other.requests == [("index.yaml", None)]


# --- S67: type oci -----------------------------------------------------------------------------

def duration_series(toolkit, ns):
    """Names of the HelmRepositories whose runs are told of."""
    return re.findall(r'gotk_reconcile_duration_seconds_count\{kind="HelmRepository",name="([^"]*)",'
                      f'namespace="{ns}"}}', toolkit["source-controller"].metrics())


def test_S67_type_oci_is_only_read(objects, repository, toolkit):
    repository("oci://registry.example.test/charts", type="oci")
    repository("http://127.0.0.1:1", "later")  # a run behind it in the same queue
    failure(objects, "Failed", "later")
    obj = objects.wait("HelmRepository", "repo", lambda o: not o.get("status"), "no status")
    assert "finalizers" not in obj["metadata"]
    wait_until(lambda: duration_series(toolkit, objects.ns) == ["later"], "the run to be told of")
    assert objects.events("repo") == []
    objects.delete("HelmRepository", "repo")
    objects.gone("HelmRepository", "repo")


def test_S67_switching_to_oci_cleans_up(objects, repository, server, toolkit):
    files = server({"index.yaml": index_of({"version": "1.0.0"})})
    repository(files.url)
    obj = objects.ready("HelmRepository", "repo")
    path = toolkit.storage / obj["status"]["artifact"]["path"]
    repository("oci://registry.example.test/charts", type="oci", suspend=True)
    repository(files.url, "behind")
    objects.ready("HelmRepository", "behind")
    assert objects.get("HelmRepository", "repo")["status"]["artifact"], "suspended: left alone"
    repository("oci://registry.example.test/charts", type="oci")
    objects.wait("HelmRepository", "repo", lambda o: not o.get("status") and
                 "finalizers" not in o["metadata"], "to be clean")
    wait_until(lambda: not path.parent.exists() and "repo" not in duration_series(toolkit, objects.ns),
               "all of it to go")
    repository(files.url)
    objects.ready("HelmRepository", "repo")


def test_S12_S16_lost_artifact_and_deletion(objects, repository, server, toolkit):
    repository(server({"index.yaml": index_of({"version": "1.0.0"})}).url)
    path = toolkit.storage / objects.ready("HelmRepository", "repo")["status"]["artifact"]["path"]
    path.unlink()
    objects.request("HelmRepository", "repo")
    wait_until(path.exists, "the rebuilt file")
    objects.ready("HelmRepository", "repo")
    objects.delete("HelmRepository", "repo")
    objects.gone("HelmRepository", "repo")
    assert not path.parent.exists()
