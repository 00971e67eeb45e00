"""What odd changes leave behind, side by side: the same is done to a Kustomization of ours and to one of
upstream's own controller, each on an API server of its own, and status, objects and events compared."""
import concurrent.futures
import contextlib
import json
import re
import zlib

import pytest

from tests.conftest import Objects
from tests.lib.apps import DEPLOYMENT, OWNER, App, config_map, widget_crd
from tests.lib.controllers import Controller, Toolkit
from tests.lib.git import GitServer
from tests.lib.kube import start_api
from tests.lib.net import wait_until
from tests.lib.upstream import Upstream

FLAGS = ("--requeue-dependency=1s", "--interval-jitter-percentage=0", "--min-retry-delay=50ms",
         "--max-retry-delay=500ms")


class World(App):
    """One of the two, within a namespace of a test's own. `told` is what it shows from outside."""

    def __init__(self, api, git_server, ns):
        api.create_namespace(ns)
        super().__init__(Objects(api, ns), git_server)
        self.api, self.ns, self.rest = api, ns, api.rest
        self.revisions = []

    def commit(self, files, **kw):
        head = super().commit(files, **kw)
        self.revisions.append(head)
        return head

    def sourced(self):
        self.objects.ready("GitRepository", "src", revision=self.head)

    def delete(self, name="app"):
        self.objects.delete("Kustomization", name)
        self.objects.gone("Kustomization", name)

    def spec(self, name="app", **spec):
        self.objects.patch("Kustomization", name, {"spec": spec})

    def plain(self, text):
        for i, revision in enumerate(self.revisions):
            text = text.replace(revision, f"commit-{i}")
        return re.sub(r"\b\d[\d.]*(ms|µs|us|s|m|h)\b[\d.a-zµ]*", "TIME", text)

    def status(self, name="app"):
        obj = self.objects.get("Kustomization", name)
        if not obj:
            return None
        status = obj.get("status", {})
        return {
            "conditions": [{k: self.plain(str(c[k])) for k in ("type", "status", "reason", "message")}
                           for c in status.get("conditions", [])],
            "inventory": [e["id"] for e in (status.get("inventory") or {}).get("entries", [])],
            "applied": self.plain(status.get("lastAppliedRevision", "")),
            "observed": status.get("observedGeneration"),
            "history": [(h["lastReconciledStatus"], self.plain(h["metadata"]["revision"]))
                        for h in status.get("history", [])]}

    def maps(self, ns=None):
        """{name: (data, whose)} of the ConfigMaps."""
        items = self.rest.get(f"/api/v1/namespaces/{ns or self.ns}/configmaps")["items"]
        def owner(o):
            return (o["metadata"].get("labels") or {}).get(OWNER + "name")
        return {o["metadata"]["name"]: (o.get("data"), owner(o))
                for o in items if o["metadata"]["name"] != "kube-root-ca.crt"}

    def lines(self, name="app"):
        """Lines of the events that tell of objects."""
        return {line for _, _, text in self.objects.events(name) for line in text.splitlines()
                if re.search(r" (created|configured|deleted|skipped|unchanged)$", line)}


@contextlib.contextmanager
def world(directory, start):
    api = start_api("embedded", directory / "api")
    git = GitServer(directory / "git")
    try:
        api.prepare()
        with Toolkit(api, directory / "kit").run("source-controller"):
            daemon = start(api, directory / "daemon")
            try:
                yield api, git, daemon.wait_until_ready()
            finally:
                code = daemon.stop()
            assert code == 0, daemon.log()[-4000:]
    finally:
        git.stop()
        api.stop()


@pytest.fixture(scope="module")
def both(directory):
    (directory / "ours").mkdir()
    (directory / "theirs").mkdir()
    with world(directory / "ours", lambda a, d: Controller("kustomize-controller", a, d, FLAGS)) as ours, \
            world(directory / "theirs", lambda a, d: Upstream("kustomize-controller", a, d, FLAGS)) as theirs:
        yield ours, theirs


@pytest.fixture
def same(both, request):
    """same(scenario): what scenario(world) tells is the same of both; that of ours."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    ns = f"{name[:41]}-{zlib.crc32(name.encode()):08x}"

    def run(scenario, says=lambda told: told):
        worlds = [World(api, git, ns) for api, git, _ in both]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            ours, theirs = [f.result() for f in [pool.submit(scenario, w) for w in worlds]]
        found = list(unlike(says(ours), says(theirs)))
        assert not found, "\n".join(found)
        return ours
    return run


def unlike(ours, theirs, where=""):
    """A line for each place where they are not the same."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            yield from unlike(ours.get(key), theirs.get(key), f"{where}.{key}")
    elif isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)) and len(ours) == len(theirs):
        for i, (one, other) in enumerate(zip(ours, theirs)):
            yield from unlike(one, other, f"{where}[{i}]")
    elif ours != theirs:
        yield f"{where}: {ours!r} != {theirs!r}"


def picture(w, *names, **more):
    return {**{n: w.status(n) for n in names}, "maps": w.maps(), "lines": {n: w.lines(n) for n in names}, **more}


def settled(w, name="app"):
    w.ready(name)
    w.objects.wait("Kustomization", name, lambda o: not w.objects.condition(o, "Reconciling"), "to rest")


def test_K71_another_path(same):
    def scenario(w):
        w.commit({"a/one.yaml": config_map("one", {"in": "a"}), "a/shared.yaml": config_map("shared", {"in": "a"}),
                  "b/two.yaml": config_map("two"), "b/shared.yaml": config_map("shared", {"in": "b"})})
        w.kustomization(path="./a")
        settled(w)
        w.spec(path="./b")
        settled(w)
        first = picture(w, "app")
        w.spec(path="./nowhere")
        w.failed("ArtifactFailed")
        return first, w.maps(), w.status()["inventory"]
    same(scenario)


def test_K71_another_namespace_and_prefix(same):
    def scenario(w):
        other = w.ns + "-b"
        w.api.create_namespace(other)
        w.commit({"one.yaml": config_map("one")})
        w.kustomization()
        settled(w)
        w.spec(targetNamespace=other)
        settled(w)
        second = picture(w, "app", other=w.maps(other))
        w.spec(namePrefix="p-", nameSuffix="-s")
        settled(w)
        third = picture(w, "app", other=w.maps(other))
        w.spec(namePrefix=None, nameSuffix=None)
        settled(w)
        fourth = picture(w, "app", other=w.maps(other))
        w.spec(targetNamespace=w.ns + "-missing")
        w.failed("ReconciliationFailed")
        return second, third, fourth, w.status()["inventory"], w.maps(other), w.status()["conditions"][0]["type"]
    same(scenario)


def test_K71_another_source(same):
    def scenario(w):
        w.commit({"a/one.yaml": config_map("one"), "b/two.yaml": config_map("two")})
        w.kustomization(path="./a")
        settled(w)
        w.spec(sourceRef={"kind": "GitRepository", "name": "none"})
        w.failed("ArtifactFailed")
        missing = w.status()["inventory"], w.maps()
        w.objects.apply("GitRepository", "none", {**w.objects.get("GitRepository", "src")["spec"], "ignore": "a\n"})
        w.spec(path="./")
        settled(w)
        return missing, picture(w, "app")
    same(scenario)


def test_K73_prune_on_off_on(same):
    def scenario(w):
        w.commit({"a.yaml": config_map("a"), "b.yaml": config_map("b"), "c.yaml": config_map("c")})
        w.kustomization()
        settled(w)
        w.spec(prune=False)
        settled(w)
        w.commit({}, remove=["b.yaml"])
        settled(w)
        first = picture(w, "app")
        w.spec(prune=True)
        settled(w)
        second = picture(w, "app")
        w.commit({"b.yaml": config_map("b")}, remove=["c.yaml"])
        settled(w)
        third = picture(w, "app")
        w.delete()
        return first, second, third, w.maps()
    same(scenario)


def waits(w, name="app"):
    w.objects.wait("Kustomization", name, lambda o: "Running health checks" in w.objects.condition(
        o, "Reconciling").get("message", ""), "to wait")


def test_K13_suspended_and_resumed_amid_a_wait(same):
    def scenario(w):
        w.commit({"a.yaml": config_map("a"), "web.yaml": DEPLOYMENT})
        w.kustomization(wait=True, timeout="30s", retryInterval="1h")
        waits(w)
        w.spec(suspend=True)
        w.commit({}, remove=["a.yaml"])
        w.sourced()
        before = w.maps()
        w.spec(suspend=False, wait=False)
        settled(w)
        after = picture(w, "app")
        after["app"].pop("history")  # a changed spec ends a wait, which upstream lets time out
        return before, after
    same(scenario)


@pytest.mark.parametrize("policy", ["MirrorPrune", "Delete", "WaitForTermination", "Orphan"])
def test_K76_deleted_amid_a_wait(same, policy):
    def scenario(w):
        w.commit({"a.yaml": config_map("a"), "web.yaml": DEPLOYMENT})
        w.kustomization(wait=True, timeout="30s", retryInterval="1h", deletionPolicy=policy)
        waits(w)
        w.delete()
        return w.maps(), bool(w.rest.get(f"/apis/apps/v1/namespaces/{w.ns}/deployments/web")), w.lines()
    same(scenario)


def test_K14_cycles(same):
    def scenario(w):
        w.commit({"a.yaml": config_map("a")})
        for name, on in (("a", "b"), ("b", "c"), ("c", "a"), ("self", "self"), ("tail", "c")):
            w.kustomization(name, dependsOn=[{"name": on}], namePrefix=name + "-")
        for name in ("a", "b", "c", "self", "tail"):
            w.failed("DependencyNotReady", name=name)
        maps = w.maps()
        for name in ("a", "self"):
            w.spec(name, dependsOn=None)
        for name in ("a", "b", "c", "self", "tail"):
            settled(w, name)
        return maps, picture(w, "a", "b", "c", "self", "tail")
    same(scenario)


def child(name, ns, path, **spec):
    return json.dumps({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
                       "metadata": {"name": name, "namespace": ns},
                       "spec": {"interval": "1h", "prune": True, "targetNamespace": ns, "path": path,
                                "sourceRef": {"kind": "GitRepository", "name": "src"}, **spec}})


@pytest.mark.parametrize("how", ["deleted", "pruned"])
def test_K71_a_kustomization_of_kustomizations(same, how):
    def scenario(w):
        w.commit({"top/mid.yaml": child("mid", w.ns, "./mid", wait=True), "top/a.yaml": config_map("top"),
                  "mid/leaf.yaml": child("leaf", w.ns, "./leaf"), "mid/a.yaml": config_map("mid"),
                  "leaf/a.yaml": config_map("leaf")})
        w.kustomization("top", path="./top", wait=True)
        for name in ("top", "mid", "leaf"):
            settled(w, name)
        first = picture(w, "top", "mid", "leaf")
        if how == "deleted":
            w.delete("top")
        else:
            w.commit({}, remove=["top/mid.yaml"])
            settled(w, "top")
        for name in ("mid", "leaf"):
            w.objects.gone("Kustomization", name)
        return first, picture(w, "top", "mid", "leaf")
    same(scenario)


@pytest.mark.parametrize("how", ["deleted", "pruned"])
def test_K71_two_that_claim_one_object(same, how):
    def scenario(w):
        w.commit({"a/a.yaml": config_map("one", {"by": "a"}), "a/x.yaml": config_map("ax"),
                  "b/b.yaml": config_map("one", {"by": "b"}), "b/x.yaml": config_map("bx")})
        w.kustomization("a", path="./a")
        settled(w, "a")
        w.kustomization("b", path="./b")
        settled(w, "b")
        w.spec("a", suspend=True)
        w.rerun("b")  # who ran last has it
        owner = w.maps()["one"]
        if how == "deleted":
            w.spec("a", suspend=False)
            w.delete("b")
        else:
            w.commit({}, remove=["b/b.yaml"])
            settled(w, "b")
        after = w.maps()
        return owner, after.get("bx"), how == "deleted" or after.get("one")
    same(scenario)


def test_K74_a_definition_removed_with_its_objects_in_the_inventory(same):
    def scenario(w):
        group = "gone.example.test"
        w.api.install_crds(widget_crd(group))
        w.commit({"a.yaml": config_map("a"), "w.yaml": f"apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: w}}\nspec: {{}}\n"})
        w.kustomization(retryInterval="1h")
        settled(w)
        w.rest.call("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}")
        wait_until(lambda: w.rest.raw("GET", f"/apis/{group}/v1/namespaces/{w.ns}/widgets")[0] == 404, "the kind to go")
        w.objects.request("Kustomization", "app", "x")
        text = w.objects.condition(w.failed("ReconciliationFailed"))["message"]
        status = w.status()
        return text, [{k: c[k] for k in ("type", "status", "reason")} for c in status.pop("conditions")], status, \
            w.maps(), w.lines()
    worlds = same(scenario, says=lambda told: told[1:])
    assert 'no matches for kind "Widget" in version "gone.example.test/v1"' in worlds[0]
