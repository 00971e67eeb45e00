"""The helm-controller of a live cluster is swapped, there and back: upstream's own program makes the
releases, ours starts in its place, and upstream's starts again. Neither reinstalls what the other made:
no release is stored, no object is applied, and the history of each HelmRelease stays."""
import re

import pytest
import yaml

from tests.conftest import Objects
from tests.e2e.test_helmrelease_takeover import VALUES
from tests.lib.apps import widget_crd
from tests.lib.controllers import Controller
from tests.lib.helm import secrets_of
from tests.lib.net import wait_until
from tests.lib.releases import (BROKEN, VALUES_CONFIG, Releases, chart_server, config,  # noqa: F401
                                pack, template)
from tests.lib.upstream import Upstream, differences, running

FLAGS = ("--requeue-dependency=1s", "--interval-jitter-percentage=0", "--min-retry-delay=50ms",
         "--max-retry-delay=500ms")
GROUP = "swap.example.test"
LONG = "a-release-with-a-name-that-is-far-longer-than-helm-allows"


def hook(name, events, weight="0"):
    return config(name, annotations={"helm.sh/hook": events, "helm.sh/hook-weight": weight})


IMAGES = template("Deployment", "web", spec={
    "replicas": 0, "selector": {"matchLabels": {"app": "web"}},
    "template": {"metadata": {"labels": {"app": "web"}},
                 "spec": {"containers": [{"name": "c", "image": "web:1"}]}}})
NAMED = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: c-{{ .Release.Name | sha256sum | trunc 8 }}}
data:
  values: {{ .Values | toJson | quote }}
  count: {{ .Values.count | default 1 | quote }}
"""
FILES = {
    "values": {"templates/values.yaml": VALUES_CONFIG, "values.yaml": "default: {a: 1, b: null}\n"},
    "named": {"templates/config.yaml": NAMED},
    "hooks": {"templates/config.yaml": NAMED, "templates/NOTES.txt": "Hello <{{ .Release.Name }}> & co",
              "templates/pre.yaml": hook("pre", "pre-install,pre-upgrade", "-1"),
              "templates/post.yaml": hook("post", "post-install,post-upgrade,post-rollback")},
    "tests": {"templates/config.yaml": NAMED, "templates/check.yaml": hook("check", "test")},
    "post": {"templates/config.yaml": config("post-config"), "templates/web.yaml": IMAGES,
             "templates/hook.yaml": hook("post-hook", "pre-install")},
    "parent": {"templates/config.yaml": NAMED, "charts/sub/Chart.yaml":
               "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
               "charts/sub/values.yaml": "x: 1\n", "values.schema.json": '{"type": "object"}',
               "charts/sub/templates/config.yaml": config("sub-config", {"x": "{{ .Values.x }}"})},
    "breaks": {"templates/config.yaml": NAMED,
               "templates/broken.yaml": "{{ if gt (int .Values.count) 1 }}" + BROKEN + "{{ end }}"},
}


def chart_ref(name):
    return {"chartRef": {"kind": "HelmChart", "name": name}}


# By name: the spec, and what is changed in it once it is installed.
SPECS = {
    "plain": (chart_ref("values"), {"values": VALUES}),
    "empty": (chart_ref("values"), {"values": None}),
    "from": ({**chart_ref("values"), "values": {"inline": {"deep": [1, 2.5, "x"]}}, "valuesFrom": [
        {"kind": "ConfigMap", "name": "some"}, {"kind": "Secret", "name": "more", "valuesKey": "v.w"},
        {"kind": "ConfigMap", "name": "some", "valuesKey": "one", "targetPath": "a.b[1].c"},
        {"kind": "ConfigMap", "name": "gone", "optional": True}]}, {"values": {"big": 1e21}}),
    "post": ({**chart_ref("post"), "install": {"disableWait": True}, "upgrade": {"disableWait": True},
              "commonMetadata": {"labels": {"l": "1"}, "annotations": {"a": "<&>"}},
              "postRenderers": [{"kustomize": {
                  "patches": [{"target": {"kind": "ConfigMap"}, "patch":
                               '[{"op": "add", "path": "/data/p", "value": "1"}]'}],
                  "images": [{"name": "web", "newName": "web.example.test/x", "newTag": "2"}]}}]},
             {"commonMetadata": {"labels": {"l": "2"}}}),
    "hooks": (chart_ref("hooks"), {"values": {"count": 2}}),
    "tests": ({**chart_ref("tests"), "test": {"enable": True}}, {"values": {"count": 2}}),
    "drift": ({**chart_ref("named"), "driftDetection": {
        "mode": "enabled", "ignore": [{"paths": ["/data/count"]}]}}, {"values": {"count": 2}}),
    "warn": ({**chart_ref("named"), "driftDetection": {"mode": "warn"}}, {"maxHistory": 1}),
    "depends": ({**chart_ref("named"), "dependsOn": [{"name": "plain"}]}, {"values": {"count": 2}}),
    "client": ({**chart_ref("named"), "install": {"serverSideApply": False}}, {"values": {"count": 2}}),
    "parent": ({**chart_ref("parent"), "values": {"sub": {"y": None}}}, {"values": {"sub": {"x": 3}}}),
    "named": ({**chart_ref("named"), "releaseName": LONG[:53]}, {"values": {"count": 2}}),
    LONG: (chart_ref("named"), {"values": {"count": 2}}),
    "oci": ({"chartRef": {"kind": "OCIRepository", "name": "oci"}}, {"values": {"count": 2}}),
    "template": ({"chart": {"metadata": {"labels": {"made": "here"}}, "spec": {
        "chart": "shop", "version": "1.x", "sourceRef": {"kind": "HelmRepository", "name": "repo"}}}},
        {"values": {"count": 2}}),
    "stalled": (chart_ref("breaks"), {"values": {"count": 2}}),
    "rolled": ({**chart_ref("breaks"), "upgrade": {"remediation": {"retries": 1}}},
               {"values": {"count": 2}}),
    "crds": ({**chart_ref("crds"), "waitStrategy": {"name": "legacy"}}, {"values": {"count": 2}}),
}
STALLED = {"stalled", "rolled"}


class Swap:
    """A namespace with all of them, and what is there of each."""

    def __init__(self, releases):
        self.releases, self.api, self.ns = releases, releases.api, releases.ns

    def prepare(self):
        for name, files in FILES.items():
            self.releases.chart(files, name=name, version="1.2.3", appVersion="4.5")
        self.releases.chart({"templates/config.yaml": NAMED, "crds/widget.yaml": yaml.safe_dump(widget_crd(GROUP))},
                            name="crds")
        self.releases.put_source("OCIRepository", "oci", self.releases.artifact(
            pack(FILES["named"], version="1.2.3"), "1.2.3@sha256:" + "ab" * 32))
        metadata = {"namespace": self.ns}
        self.api.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "some", **metadata},
             "data": {"values.yaml": "a: {x: 0o17, y: 2024-01-02, z: null}\n", "one": "7"}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "more", **metadata},
             "stringData": {"v.w": "a: {x: yes, list: [1, {b: null}]}\nratio: 1.50\n"}})

    def publish(self):
        """What source-controller makes of the HelmChart of spec.chart."""
        name = f"{self.ns}-template"
        found = wait_until(lambda: self.releases.objects.get("HelmChart", name), f"HelmChart {name}")
        self.releases.put_status("HelmChart", name, self.releases.artifact(
            pack(FILES["named"], version="1.2.3"), "1.2.3"),
            observedGeneration=found["metadata"]["generation"])

    def apply(self, changed=False, **more):
        for name, (spec, change) in SPECS.items():
            wanted = {**spec, **(change if changed else {}), **more}
            wanted = {k: v for k, v in wanted.items() if v is not None}
            self.releases.objects.apply("HelmRelease", name, {"interval": "1h", **wanted})

    def settled(self, stalled=()):
        for name in SPECS:
            if name in stalled:
                self.releases.stalled(name=name)
            else:
                self.releases.ready(name)

    def has_run(self, daemon):
        told = daemon.metrics()
        return all(re.search(rf'gotk_reconcile_duration_seconds_count{{kind="HelmRelease",'
                             rf'name="{name}",namespace="{self.ns}"}} [1-9]', told) for name in SPECS)

    def objects(self, *kinds):
        """Objects of the namespace by kind and name, and the CRD."""
        paths = {"HelmRelease": self.releases.objects.path("HelmRelease"),
                 "HelmChart": self.releases.objects.path("HelmChart"),
                 "Secret": f"/api/v1/namespaces/{self.ns}/secrets",
                 "ConfigMap": f"/api/v1/namespaces/{self.ns}/configmaps",
                 "Deployment": f"/apis/apps/v1/namespaces/{self.ns}/deployments"}
        found = {(kind, o["metadata"]["name"]): o for kind, path in paths.items()
                 if not kinds or kind in kinds for o in self.api.rest.get(path)["items"]}
        return {key: o for key, o in found.items() if key[1] != "kube-root-ca.crt"}

    def versions(self):
        """resourceVersions of all but the HelmReleases: whatever is written changes one."""
        return {key: o["metadata"]["resourceVersion"] for key, o in self.objects().items()
                if key[0] != "HelmRelease"}

    def told(self):
        """What the status says of each, but for moments and requests."""
        found = {}
        for (_, name), obj in self.objects("HelmRelease").items():
            status = {k: v for k, v in obj["status"].items() if k != "lastHandledReconcileAt"}
            status["conditions"] = [{k: v for k, v in c.items() if k != "lastTransitionTime"}
                                    for c in status["conditions"]]
            found[name] = (status, obj["metadata"]["finalizers"], obj["metadata"]["generation"])
        return found

    def rerun(self):
        for name in SPECS:
            self.releases.rerun(name)


@pytest.fixture
def swap(api, chart_server, ns):  # noqa: F811
    found = Swap(Releases(Objects(api, ns), chart_server))
    found.prepare()
    return found


def runs_and_changes_nothing(swap, daemon, stalled=()):
    """A daemon that starts, looks at each HelmRelease, and once more when it is asked to."""
    before, told = swap.versions(), swap.told()
    with running(daemon):
        wait_until(lambda: swap.has_run(daemon), "a run of each")
        swap.rerun()
        swap.settled(stalled)
    assert not differences(before, swap.versions())
    assert not differences(told, swap.told())


def test_swapped_there_and_back(swap, proxied, directory):
    def upstream():
        return Upstream("helm-controller", swap.api, directory / f"upstream-{swap.ns}", FLAGS)

    def ours(server=swap.api):
        return Controller("helm-controller", server, directory / f"ours-{swap.ns}", FLAGS)
    swap.apply()
    with running(upstream()):
        swap.publish()
        swap.settled()
        swap.apply(changed=True)
        swap.settled(STALLED)
    before = {key: o["metadata"]["resourceVersion"] for key, o in swap.objects().items()}
    # Nobody asks: not even a status is written.
    mark, daemon = proxied.proxy.mark(), ours(proxied)
    with running(daemon):
        wait_until(lambda: swap.has_run(daemon), "a run of each")
    written = [r for r in proxied.proxy.requests(since=mark, path=f"/namespaces/{swap.ns}/")
               if r.method != "GET" and "dryRun" not in r.target and "/events" not in r.target]
    assert not written
    assert not differences(before, {key: o["metadata"]["resourceVersion"]
                                    for key, o in swap.objects().items()})
    runs_and_changes_nothing(swap, ours(), STALLED)
    runs_and_changes_nothing(swap, upstream(), STALLED)
    # Ours upgrades, upstream's finds nothing to do, and goes on from there.
    with running(ours()):
        swap.apply(changed=True, values={"count": 1, "by": "ours"})
        swap.settled()
    runs_and_changes_nothing(swap, upstream())
    with running(upstream()):
        swap.apply(changed=True, values={"count": 1, "by": "upstream"})
        swap.settled()
    runs_and_changes_nothing(swap, ours())
    # And ours installs.
    with running(ours()):
        for name in SPECS:
            swap.releases.delete(name)
        assert not secrets_of(swap.api, swap.ns, "plain")
        swap.apply()
        swap.publish()
        swap.settled()
    runs_and_changes_nothing(swap, upstream())
    with running(upstream()):
        for name in SPECS:
            swap.releases.delete(name)
    assert not [key for key in swap.versions() if "release.v1" in key[1]]
