"""What bench/mttp installs and upgrades: sources, and objects (a Kustomization or HelmRelease for
each of N applications of 4 ConfigMaps) that bring them to the cluster; and for each the bare
minimum of requests with the same outcome."""
import base64
import concurrent.futures
import http.client
import json
import os
import threading

import yaml

from tests.lib.charts import ChartServer
from tests.lib.git import GitServer
from tests.lib.registry import LAYER, MANIFEST, Registry, digest_of, tar_gz

KINDS = 4
NS = "bench"
SOURCE = "source.toolkit.fluxcd.io/v1"


def in_parallel(jobs, threads=16):
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda job: job(), jobs))


def config_map(i, k, version):
    return {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": f"app{i}-{k}", "namespace": NS},
            "data": {"version": version, "text": "x" * 200}}


def manifests(i, version):
    return "".join(
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app{i}-{k}\n"
        f"data:\n  version: \"{version}\"\n  text: \"{'x' * 200}\"\n" for k in range(KINDS))


NEVER_READY = yaml.safe_dump({
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "never"},
    "spec": {"selector": {"matchLabels": {"app": "never"}},
             "template": {"metadata": {"labels": {"app": "never"}},
                          "spec": {"containers": [{"name": "c", "image": "x"}]}}}})


def status_of(version):
    return {"status": {"observedGeneration": 1, "lastAppliedRevision": version,
                       "conditions": [{"type": "Ready", "status": "True", "reason": "R",
                                       "message": version,
                                       "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}


def is_ready(obj):
    return any(c["type"] == "Ready" and c["status"] == "True"
               for c in obj.get("status", {}).get("conditions", []))


def apply_objects(raw, i, version):
    for k in range(KINDS):
        raw.call("PATCH", f"/api/v1/namespaces/{NS}/configmaps/app{i}-{k}"
                 "?fieldManager=replay&force=true", json.dumps(config_map(i, k, version)),
                 "application/apply-patch+yaml")


def write_status(raw, group, plural, i, status):
    raw.call("PATCH", f"/apis/{group}/namespaces/{NS}/{plural}/app{i}/status?fieldManager=replay",
             json.dumps(status), "application/merge-patch+json")


class Kustomizations:
    """What delivers in the scenarios of Git and OCI: one of each application."""

    group, kind, plural = "kustomize.toolkit.fluxcd.io/v1", "Kustomization", "kustomizations"
    controller = "kustomize-controller"
    success = {"ReconciliationSucceeded"}  # reasons of the Event that ends a run
    steady = True  # drift is undone without being asked for
    waits = None  # the path of what never becomes ready

    def spec(self, i):
        return {"interval": "1h", "prune": True, "targetNamespace": NS, **self.source_of(i)}

    def replay(self, raw, i, version):
        self.replay_source(raw, i)
        apply_objects(raw, i, version)
        write_status(raw, self.group, self.plural, i, status_of(version))

    def arrived(self, obj, revision):
        return revision in obj.get("status", {}).get("lastAppliedRevision", "") and is_ready(obj)


class GitScenario(Kustomizations):
    """All from one GitRepository."""

    title = "{n} Kustomizations of {kinds} objects"
    waits = "./waits"

    def __init__(self, directory):
        self.git = GitServer(directory / "git")
        self.repo = self.git.repository("apps")

    def publish(self, count, version):
        """What a revision has that all must reach."""
        return self.repo.commit({"waits/never.yaml": NEVER_READY, **{
            f"apps/app{i}/all.yaml": manifests(i, version) for i in range(count)}})

    def source_of(self, i):
        return {"path": f"./apps/app{i}", "sourceRef": {"kind": "GitRepository", "name": "src"}}

    def make_sources(self, raw, count):
        raw.create(SOURCE, "GitRepository", "gitrepositories", "src", {
            "url": self.git.url_of(self.repo), "interval": "1h", "ref": {"branch": "main"}})

    def request(self, raw, count, value):
        raw.request("gitrepositories/src", value)

    def replay_source(self, raw, i):
        """Nothing: one source for all."""

    def stop(self):
        self.git.stop()


class OciScenario(Kustomizations):
    """An OCIRepository each, all of one registry."""

    title = "{n} OCIRepositories and Kustomizations of {kinds} objects"

    def __init__(self, directory):
        self.registry = Registry(directory / "registry")
        self.local = threading.local()
        self.pulled = {}

    def publish(self, count, version):
        in_parallel([lambda i=i: self.push(i, version) for i in range(count)])
        return f"{version}.0.0@sha256:"

    def push(self, i, version):
        layer = tar_gz({"all.yaml": manifests(i, version)})
        digest = self.registry.push(f"app{i}", f"{version}.0.0", layers=[(layer, LAYER)])
        self.pulled[i] = digest, digest_of(layer)

    def source_of(self, i):
        return {"path": "./", "sourceRef": {"kind": "OCIRepository", "name": f"app{i}"}}

    def make_sources(self, raw, count):
        in_parallel([lambda i=i: raw.create(
            SOURCE, "OCIRepository", "ocirepositories", f"app{i}",
            {"url": self.registry.url_of(f"app{i}"), "interval": "1h",
             "ref": {"semver": "*"}}) for i in range(count)])

    def request(self, raw, count, value):
        in_parallel([lambda i=i: raw.request(f"ocirepositories/app{i}", value)
                     for i in range(count)])

    def get(self, path):
        """With a connection kept by each thread: the least that a client costs."""
        if not hasattr(self.local, "c"):
            self.local.c = http.client.HTTPConnection(self.registry.host)
        self.local.c.request("GET", path, headers={"Accept": MANIFEST})
        reply = self.local.c.getresponse()
        data = reply.read()
        assert reply.status == 200, (path, data)

    def replay_source(self, raw, i):
        manifest, layer = self.pulled[i]
        self.get(f"/v2/app{i}/manifests/{manifest}")
        self.get(f"/v2/app{i}/blobs/{layer}")
        write_status(raw, SOURCE, "ocirepositories", i, status_of(manifest))

    def stop(self):
        self.registry.stop()


class HelmScenario:
    """One HelmRepository, one chart of four templates, a HelmRelease each that waits for nothing."""

    title = "{n} HelmReleases of {kinds} objects"
    group, kind, plural = "helm.toolkit.fluxcd.io/v2", "HelmRelease", "helmreleases"
    controller = "helm-controller"
    success = {"InstallSucceeded", "UpgradeSucceeded"}
    steady = False
    waits = None

    def __init__(self, directory):
        del directory
        self.server = ChartServer()
        # What a release of such a chart takes up in its Secret.
        self.record = base64.b64encode(base64.b64encode(os.urandom(1500))).decode()

    def publish(self, count, version):
        del count
        self.add(version)
        return f"{version}.0.0"

    def add(self, version):
        metadata = {"apiVersion": "v2", "name": "app", "version": f"{version}.0.0"}
        template = (
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-%d\n"
            "data:\n  version: {{ .Chart.Version | quote }}\n  text: {{ repeat 200 \"x\" }}\n")
        files, name = self.server.files, f"app-{version}.0.0.tgz"
        files[name] = tar_gz({
            "app/Chart.yaml": yaml.safe_dump(metadata), "app/values.yaml": "replicas: 1\n",
            **{f"app/templates/cm{k}.yaml": template % k for k in range(KINDS)}})
        index = yaml.safe_load(files.get("index.yaml", b"apiVersion: v1\nentries: {app: []}"))
        index["entries"]["app"].append({**metadata, "urls": [name],
                                        "digest": digest_of(files[name]).split(":")[1]})
        files["index.yaml"] = yaml.safe_dump(index).encode()

    def make_sources(self, raw, count):
        del count
        raw.create(SOURCE, "HelmRepository", "helmrepositories", "src",
                   {"url": self.server.url, "interval": "1h"})

    def request(self, raw, count, value):
        del count
        raw.request("helmrepositories/src", value)

    def spec(self, i):
        del i
        policy = {"disableWait": True, "disableWaitForJobs": True}
        return {"interval": "1h", "install": policy, "upgrade": policy, "chart": {"spec": {
            "chart": "app", "version": "*",
            "sourceRef": {"kind": "HelmRepository", "name": "src"}}}}

    def replay(self, raw, i, version):
        secret = f"sh.helm.release.v1.app{i}.v{version}"
        status = {"status": {"observedGeneration": 1}}
        body = {"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
                "metadata": {"name": secret, "labels": {"owner": "helm", "name": f"app{i}",
                                                        "status": "pending", "version": version}},
                "data": {"release": self.record}}
        raw.call("POST", f"/api/v1/namespaces/{NS}/secrets", json.dumps(body), "application/json")
        write_status(raw, self.group, self.plural, i, status)
        apply_objects(raw, i, version)
        body["metadata"]["labels"]["status"] = "deployed"
        raw.call("PUT", f"/api/v1/namespaces/{NS}/secrets/{secret}", json.dumps(body),
                 "application/json")
        ready = status_of(version)
        del ready["status"]["lastAppliedRevision"]
        write_status(raw, self.group, self.plural, i, ready)

    def arrived(self, obj, revision):
        history = obj.get("status", {}).get("history") or [{}]
        return history[0].get("chartVersion") == revision and is_ready(obj)

    def stop(self):
        self.server.stop()


SCENARIOS = {"git": GitScenario, "oci": OciScenario, "helm": HelmScenario}
