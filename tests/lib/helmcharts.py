"""HelmCharts of repositories, registries, Git and buckets: what makes them, and what is told of them."""
import json

import pytest

from .charts import ChartRepository, Helm, chart_files, untgz, write
from .controllers import Toolkit
from .net import http
from .registry import descriptor

CHART_MAX, FILE_MAX = 3 << 20, 1 << 20
CONFIG_TYPE = "application/vnd.cncf.helm.config.v1+json"
LAYER_TYPE = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


@pytest.fixture(scope="module")
def helm(directory):
    return Helm(directory / "helm")


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


def push_raw(registry, repository, version, data):
    """A chart as helm pushes it, by plain requests."""
    config = json.dumps({"name": "demo", "version": version}).encode()
    registry.push_blob(repository, config)
    registry.push_blob(repository, data)
    registry.push_manifest(repository, version.replace("+", "_"), {
        "schemaVersion": 2, "config": descriptor(config, CONFIG_TYPE),
        "layers": [descriptor(data, LAYER_TYPE)]})


def parent(*dependencies, **meta):
    lines = "".join(f"- {json.dumps(d)}\n" for d in dependencies)
    return {**chart_files("parent", **meta),
            "Chart.yaml": f"apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies:\n{lines}"}
