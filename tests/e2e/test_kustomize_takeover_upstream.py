"""The kustomize-controller of a live cluster is swapped, there and back: what one has applied the other
leaves as it is. No value of an object is written, and every field keeps its one owner."""
import re
import textwrap

import pytest
import yaml

from tests.conftest import Objects
from tests.lib.apps import App, config_map, widget_crd
from tests.lib.controllers import Controller, Toolkit
from tests.lib.net import wait_until
from tests.lib.upstream import Upstream, differences, running

FLAGS = ("--requeue-dependency=1s", "--interval-jitter-percentage=0", "--min-retry-delay=50ms",
         "--max-retry-delay=500ms")
GROUP = "kswap.example.test"


def files(turn, kinds=("one", "two")):
    """The repository; `turn` changes what each directory builds, and what is pruned."""
    resources = {f"{kind}-{turn}": config_map(f"{kind}-{turn}") for kind in kinds}
    kept = config_map("plain", {"turn": str(turn), "text": "'x: y'"})
    web = f"""\
        apiVersion: apps/v1
        kind: Deployment
        metadata: {{name: web}}
        spec:
          replicas: 0
          selector: {{matchLabels: {{app: web}}}}
          template:
            metadata: {{labels: {{app: web}}}}
            spec: {{containers: [{{name: c, image: "nginx:{turn}", ports: [{{containerPort: 80}}]}}]}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {{name: web}}
        spec: {{selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]}}
        """
    found = {"plain/all.yaml": kept,
             **{f"plain/{name}.yaml": text for name, text in resources.items()},
             "web/web.yaml": web,
             "built/kustomization.yaml": "namePrefix: built-\nresources: [c.yaml]\nsecretGenerator:\n"
                                         f"- name: s\n  literals: [turn={turn}]\n",
             "built/c.yaml": config_map("c", {"turn": str(turn)}),
             "component/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
                                             "labels: [{pairs: {component: 'yes'}}]\n",
             "substituted/c.yaml": config_map("substituted", {"v": "${v}", "turn": str(turn), "n": "n${n:=1}"}),
             "crds/a.yaml": yaml.safe_dump(widget_crd(GROUP)),
             "crds/b.yaml": f"apiVersion: {GROUP}/v1\nkind: Widget\nmetadata: {{name: thing}}\nspec: {{turn: {turn}, l: [1, {{b: null}}]}}\n",
             "once/c.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: once, annotations: {{kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}}}}\ndata: {{turn: '{turn}'}}\n"}
    return {name: textwrap.dedent(text) for name, text in found.items()}


SPECS = {
    "plain": {"path": "./plain"}, "waits": {"path": "./built", "wait": True, "timeout": "1m"},
    "web": {"path": "./web", "images": [{"name": "nginx", "newName": "r.example.test/nginx"}],
            "patches": [{"target": {"kind": "Service"}, "patch": '[{"op": "add", "path": "/spec/ports/0/name", "value": "http"}]'}]},
    "meta": {"path": "./built", "namePrefix": "meta-", "components": ["../component"],
             "commonMetadata": {"labels": {"l": "1"}, "annotations": {"a": "<&>"}}},
    "substituted": {"path": "./substituted", "dependsOn": [{"name": "plain"}], "postBuild": {
        "substitute": {"v": "x"}, "substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]}},
    "crds": {"path": "./crds", "healthChecks": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "vars"}]},
    "once": {"path": "./once", "force": True},
}


class Swap(App):
    def apply(self):
        self.objects.api.apply({"apiVersion": "v1", "kind": "ConfigMap", "data": {"n": "7"},
                                "metadata": {"name": "vars", "namespace": self.objects.ns}})
        for name, spec in SPECS.items():
            self.kustomization(name, **{**spec, "healthChecks": [
                {**check, "namespace": self.objects.ns} for check in spec["healthChecks"]]}
                if "healthChecks" in spec else spec)

    def settled(self):
        for name in SPECS:
            self.ready(name)
            self.objects.wait("Kustomization", name, lambda o: not self.objects.condition(
                o, "Reconciling"), "to rest")

    def turn(self, number):
        self.commit(files(number), remove=[f"plain/{kind}-{number - 1}.yaml" for kind in ("one", "two")]
                    if number > 1 else [])

    def has_run(self, daemon):
        told = daemon.metrics()
        return all(re.search(rf'gotk_reconcile_duration_seconds_count{{kind="Kustomization",'
                             rf'name="{name}",namespace="{self.objects.ns}"}} [1-9]', told)
                   for name in SPECS)

    def live(self):
        """All that is applied, and what managers have of it."""
        ns, rest = self.objects.ns, self.objects.api.rest
        paths = [f"/api/v1/namespaces/{ns}/{kind}" for kind in ("configmaps", "secrets", "services")] + [
            f"/apis/apps/v1/namespaces/{ns}/deployments", f"/apis/{GROUP}/v1/namespaces/{ns}/widgets"]
        found = {(path.rsplit("/", 1)[1], o["metadata"]["name"]): o for path in paths
                 for o in rest.get(path)["items"] if o["metadata"]["name"] != "kube-root-ca.crt"}
        crd = rest.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{GROUP}")
        return {**found, ("crd", crd["metadata"]["name"]): crd}

    # What Go's types write by themselves has upstream's controller as its owner and not ours, so
    # that managedFields of these kinds differ after a swap, and nothing else of them.
    TYPED = ("deployments", "services")

    def versions(self):
        """resourceVersions: whatever is written changes one."""
        def seen(key, obj):
            if key[0] not in self.TYPED:
                return obj["metadata"]["resourceVersion"]
            meta = {k: v for k, v in obj["metadata"].items()
                    if k not in ("managedFields", "resourceVersion")}
            return {**obj, "metadata": meta}
        return {key: seen(key, obj) for key, obj in self.live().items()}

    def told(self):
        """What the status says of each, but for moments, requests and how often it ran."""
        found = {}
        for name in SPECS:
            status = dict(self.objects.get("Kustomization", name)["status"])
            status.pop("lastHandledReconcileAt", None)
            status["conditions"] = [{k: re.sub(r"passed in \S+", "passed", str(v)) for k, v in c.items()
                                     if k != "lastTransitionTime"} for c in status["conditions"]]
            status["history"] = [{k: v for k, v in h.items() if not k.startswith(("last", "total"))
                                  or k == "lastReconciledStatus"} for h in status.get("history", [])]
            found[name] = status
        return found

    def runs_and_changes_nothing(self, daemon):
        before, told = self.versions(), self.told()
        with running(daemon):
            wait_until(lambda: self.has_run(daemon), "a run of each")
            for name in SPECS:
                self.rerun(name)
            self.settled()
        assert not differences(before, self.versions())
        assert not differences(told, self.told())


@pytest.fixture(scope="module")
def sources(api, directory):
    with Toolkit(api, directory / "toolkit").run("source-controller") as kit:
        yield kit


@pytest.fixture
def swap(api, sources, git_server, ns):
    return Swap(Objects(api, ns), git_server)


def test_swapped_there_and_back(swap, proxied, directory):
    api, ns = swap.objects.api, swap.objects.ns

    def upstream():
        return Upstream("kustomize-controller", api, directory / f"upstream-{ns}", FLAGS)

    def ours(server=api):
        return Controller("kustomize-controller", server, directory / f"ours-{ns}", FLAGS)
    swap.turn(1)
    with running(upstream()):
        swap.apply()
        swap.settled()
        swap.turn(2)
        swap.settled()
    before, mark, daemon = swap.versions(), proxied.proxy.mark(), ours(proxied)
    with running(daemon):
        wait_until(lambda: swap.has_run(daemon), "a run of each")
        swap.settled()
    # An apply that changes nothing is no write: no object gets another resourceVersion.
    made = [r for r in proxied.proxy.requests(since=mark, path=f"/namespaces/{ns}/")
            if r.method in ("POST", "PUT", "DELETE") and "/events" not in r.target
            and "/status?" not in r.target]
    assert not made
    assert not differences(before, swap.versions())
    swap.runs_and_changes_nothing(ours())
    swap.runs_and_changes_nothing(upstream())
    with running(ours()):
        swap.turn(3)
        swap.settled()
    assert swap.objects.configmap("one-3") and not swap.objects.configmap("one-2")
    swap.runs_and_changes_nothing(upstream())
    with running(upstream()):
        swap.turn(4)
        swap.settled()
    assert swap.objects.configmap("one-4") and not swap.objects.configmap("one-3")
    swap.runs_and_changes_nothing(ours())
    managers = {f"{e['manager']}/{e['operation']}" for key, o in swap.live().items()
                for e in o["metadata"]["managedFields"] if not e.get("subresource") and key[1] != "vars"}
    assert managers == {"kustomize-controller/Apply"}
    # Made by ours, pruned by upstream's.
    with running(ours()):
        for name in SPECS:
            swap.objects.delete("Kustomization", name)
            swap.objects.gone("Kustomization", name)
        swap.apply()
        swap.settled()
    swap.runs_and_changes_nothing(upstream())
    with running(upstream()):
        for name in SPECS:
            swap.objects.delete("Kustomization", name)
            swap.objects.gone("Kustomization", name)
    rest = api.rest
    assert not [c["metadata"]["name"] for c in rest.get(f"/api/v1/namespaces/{ns}/configmaps")["items"]
                if c["metadata"]["name"] not in ("vars", "kube-root-ca.crt")]
