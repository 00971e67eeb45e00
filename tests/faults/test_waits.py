"""What a wait for health or for a stage asks of the API server, and what it builds: told by the
requests that a proxy in front of the API server sees. A build is known by the ConfigMap that its
substitution reads."""
import threading

import pytest

from tests.faults.conftest import config_map
from tests.lib.apps import DEPLOYMENT, install_crd, put_status, runs, widget_crd
from tests.lib.controllers import Toolkit
from tests.lib.fault import behind, hold, passing, status, then
from tests.lib.net import wait_until

DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments/"
VALUES = {"postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]}}
WATCHED = {"reconcile.fluxcd.io/watch": "Enabled"}


@pytest.fixture(scope="module")
def toolkit(proxied, directory):
    with Toolkit(proxied, directory / "toolkit").run() as kit:
        yield kit


def deployment(name):
    return "\n".join(line[4:] for line in DEPLOYMENT.replace("web", name).splitlines()) + "\n"


def put_values(objects, value, **metadata):
    objects.api.apply({"apiVersion": "v1", "kind": "ConfigMap", "data": {"v": value},
                       "metadata": {"name": "vars", "namespace": objects.ns, **metadata}})


def current(objects, name, ready=1):
    put_status(objects.api, DEPLOYMENTS.format(objects.ns) + name, {
        "replicas": 1, "updatedReplicas": 1, "readyReplicas": ready, "availableReplicas": ready,
        "conditions": [
            {"type": "Available", "status": "True", "reason": "R", "message": ""},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
             "message": ""}]})


def waits(objects):
    return objects.wait("Kustomization", "app", lambda o: objects.condition(o, "Healthy").get(
        "status") == "Unknown", "to wait for health")


def woken(objects, toolkit, times):
    """That many more runs have ended."""
    before = runs(toolkit, objects.ns)
    wait_until(lambda: runs(toolkit, objects.ns) >= before + times, "more looks", 60)


def builds(proxy, objects, since):
    return proxy.count(since, method="GET", path=f"/{objects.ns}/configmaps/vars$")


def asked(proxy, objects, since):
    """The names of the Deployments that were asked for."""
    return [r.path.split("/")[-1] for r in
            proxy.requests(since, method="GET", path=DEPLOYMENTS.format(objects.ns))]


def test_K78_a_look_asks_for_all_together(app, objects, proxy):
    gate = threading.Event()
    proxy.on(hold(gate), method="GET", path=DEPLOYMENTS.format(objects.ns))
    mark = proxy.mark()
    try:
        app.commit({"a.yaml": config_map("a", "1")})
        app.start(timeout="5m", healthChecks=[
            {"kind": "Deployment", "name": f"d{i}", "namespace": objects.ns} for i in range(20)])
        proxy.wait_for("many on their way at once", 8, mark, method="GET",
                       path=DEPLOYMENTS.format(objects.ns))
        assert len(asked(proxy, objects, mark)) <= 16, "no bound on what is held"
    finally:
        gate.set()
    message = objects.condition(waits(objects))["message"]
    assert "with a timeout of 5m0s" in message
    assert {f"d{i}" for i in range(20)} == set(asked(proxy, objects, mark))


def test_K78_a_request_is_answered_from_the_objects_themselves(app, objects, proxy, toolkit):
    """Whoever asks may have seen what the watch has not told yet."""
    group, flow = f"{objects.ns}.example.test", threading.Event()
    flow.set()
    install_crd(objects.api, widget_crd(group))
    proxy.on(behind(flow), method="GET", path=f"/apis/{group}/v1/widgets$", query="watch=")
    widget = f"/apis/{group}/v1/namespaces/{objects.ns}/widgets/w"
    try:
        app.commit({"w.yaml": f"apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: w}}\n"})
        app.start(wait=True, timeout="5m")
        app.settled()
        put_status(objects.api, widget, {"conditions": [{"type": "Ready", "status": "True"}]})
        objects.request("Kustomization", "app", "in step")
        objects.wait("Kustomization", "app", lambda o: o["status"].get(
            "lastHandledReconcileAt") == "in step" and objects.condition(o)["status"] == "True", "a run")
        flow.clear()
        put_status(objects.api, widget, {"conditions": [{"type": "Ready", "status": "False"}]})
        objects.request("Kustomization", "app", "look")
        waits(objects)
    finally:
        flow.set()
    put_status(objects.api, widget, {"conditions": [{"type": "Ready", "status": "True"}]})
    app.settled()


def test_K78_pods_are_asked_for_together(app, objects, proxy):
    """Those of StatefulSets that are not ready, who cannot tell by themselves that one has failed."""
    names = [f"s{i}" for i in range(4)]
    gate = threading.Event()
    pods = f"/api/v1/namespaces/{objects.ns}/pods$"
    proxy.on(hold(gate), method="GET", path=pods)
    mark = proxy.mark()
    try:
        app.commit({"s.yaml": "---\n".join(
            deployment(name).replace("Deployment", "StatefulSet").replace(
                "spec:\n  replicas", f"spec:\n  serviceName: {name}\n  replicas", 1)
            for name in names)})
        app.start(wait=True, timeout="5m")
        proxy.wait_for("a list for each", len(names), mark, method="GET", path=pods)
        queries = [r.query for r in proxy.requests(mark, method="GET", path=pods)]
        assert all(any(f"%28{name}%29" in query for query in queries) for name in names), queries
    finally:
        gate.set()
    waits(objects)


def test_K78_a_wake_asks_for_what_has_changed_and_builds_nothing(app, objects, proxy, toolkit):
    put_values(objects, "one")
    app.commit({f"{name}.yaml": deployment(name) for name in "abc"} | {
        "cm.yaml": config_map("made", "${v}")})
    app.start(wait=True, timeout="5m", **VALUES)
    waits(objects)
    woken(objects, toolkit, 2)  # by now the watches are in step
    mark = proxy.mark()
    current(objects, "a")
    proxy.wait_for("a look at what has changed", since=mark, method="GET",
                   path=DEPLOYMENTS.format(objects.ns) + "a$")
    woken(objects, toolkit, 3)
    assert set(asked(proxy, objects, mark)) == {"a"}
    assert builds(proxy, objects, mark) == 0
    assert not proxy.count(mark, method="PATCH", path="/kustomizations/app"), "nothing was new"
    for name in "bc":
        current(objects, name)
    app.settled()
    assert not proxy.count(mark, method="PATCH", path=DEPLOYMENTS.format(objects.ns))


def test_K78_only_what_pods_decide_is_asked_for_unchanged(app, objects, proxy, toolkit):
    """A kind of another group that has such a name tells of its state by itself."""
    group = f"{objects.ns}.test"
    install_crd(objects.api, widget_crd(group, "StatefulSet"))
    theirs = (f"apiVersion: {group}/v1\nkind: StatefulSet\nmetadata: {{name: theirs}}\nspec: {{}}\n")
    app.commit({"a.yaml": theirs, "b.yaml": deployment("ours").replace("Deployment", "StatefulSet")})
    app.start(wait=True, timeout="5m")
    waits(objects)
    put_status(objects.api, f"/apis/{group}/v1/namespaces/{objects.ns}/statefulsets/theirs", {
        "conditions": [{"type": "Ready", "status": "False", "reason": "R", "message": "",
                        "lastTransitionTime": "2026-01-01T00:00:00Z"}]})
    woken(objects, toolkit, 2)  # by now the watches are in step
    mark = proxy.mark()
    woken(objects, toolkit, 2)
    assert proxy.count(mark, method="GET", path="/statefulsets/ours$") > 0
    assert proxy.count(mark, method="GET", path="/statefulsets/theirs$") == 0


def test_K55_a_run_that_changes_nothing_asks_for_no_health(app, objects, proxy, toolkit):
    """But for what has moved since."""
    app.commit({"a.yaml": deployment("a"), "b.yaml": deployment("b")})
    app.start(wait=True, timeout="5m")
    waits(objects)
    for name in "ab":
        current(objects, name)
    app.settled()
    mark = proxy.mark()

    def run():
        """A revision with the same objects; nobody asked for a look."""
        app.deploy({"README": f"{proxy.mark()}"})
    run()
    assert asked(proxy, objects, mark) == []
    code, _ = objects.api.rest.call("PATCH", DEPLOYMENTS.format(objects.ns) + "a", {
        "metadata": {"labels": {"of": "somebody"}}}, "application/merge-patch+json")
    assert code == 200

    def looked():
        run()  # the watch may tell of it a moment after the run
        return asked(proxy, objects, mark)
    assert set(wait_until(looked, "a look at what has moved")) == {"a"}
    current(objects, "b", ready=0)
    objects.request("Kustomization", "app", "not ready any more")
    waits(objects)
    current(objects, "b")
    app.settled()


def correct_while_status_is_written(proxy, objects, spec):
    """Changes spec when a run writes down what it is about to prune; it has read spec before."""
    return proxy.on(then(lambda x: objects.patch("Kustomization", "app", {"spec": spec})), times=1,
                    method="PUT", path=f"/{objects.ns}/kustomizations/app/status$",
                    body='"conditions".*"inventory"|"inventory".*"conditions"')


def test_K88_what_is_corrected_while_a_wait_begins_ends_it(app, objects, proxy):
    app.commit({"a.yaml": config_map("a", "1"), "b.yaml": config_map("b", "1")})
    app.start(wait=True, timeout="10m")
    app.settled()
    rule = correct_while_status_is_written(proxy, objects, {"wait": False})
    app.deploy({"web.yaml": deployment("web")}, remove=["b.yaml"])
    assert rule.hits == 1 and objects.configmap("b") is None


def test_S94_a_run_tells_of_the_generation_that_it_read(app, objects, proxy):
    """Also where it had to write its status again because somebody changed spec meanwhile."""
    app.deploy({"a.yaml": config_map("a", "1"), "b.yaml": config_map("b", "1")})
    told = []
    path = f"/{objects.ns}/kustomizations/app/status$"

    def note(x):
        labels = objects.configmap("a")["metadata"]["labels"]
        told.append((x.request.json["status"], labels.get("corrected")))
    rule = correct_while_status_is_written(proxy, objects, {
        "commonMetadata": {"labels": {"corrected": "yes"}}})
    proxy.on(then(note), method="PUT|PATCH", path=path)
    generation = objects.get("Kustomization", "app")["metadata"]["generation"]
    app.deploy({}, remove=["b.yaml"])
    assert rule.hits == 1
    assert objects.get("Kustomization", "app")["metadata"]["generation"] == generation + 1
    for wrote, label in told:
        ready = [c for c in wrote.get("conditions", []) if c["type"] == "Ready"]
        said = [c["observedGeneration"] for c in ready if c["status"] == "True"]
        said += [wrote["observedGeneration"]] if "observedGeneration" in wrote else []
        assert label or max(said, default=0) <= generation, wrote
    assert [label for _, label in told][-1] == "yes"


def test_S94_a_namesake_made_meanwhile_is_not_told_of_what_went(app, objects, proxy):
    """Somebody took the finalizer away, deleted it, and made another one by that name."""
    app.deploy({"one/a.yaml": config_map("a", "1"), "one/b.yaml": config_map("b", "1"),
                "two/c.yaml": config_map("c", "1")})
    spec = objects.get("Kustomization", "app")["spec"]
    path = objects.path("Kustomization", "app")

    def replace(x):
        objects.patch("Kustomization", "app", {"metadata": {"finalizers": None}})
        assert objects.api.rest.call("DELETE", path)[0] == 200
        objects.apply("Kustomization", "app", {**spec, "path": "./two"})
    rule = proxy.on(then(replace), times=1, method="PUT", path=f"{path}/status$",
                    body='"conditions".*"inventory"|"inventory".*"conditions"')
    app.commit({}, remove=["one/b.yaml"])
    app.settled()
    assert rule.hits == 1
    obj = objects.get("Kustomization", "app")
    assert [e["id"].split("_")[1] for e in obj["status"]["inventory"]["entries"]] == ["c"]
    assert len(obj["status"]["history"]) == 1


def test_K84_other_rules_are_another_look(app, objects):
    """The object is what it was, what it has to be is not."""
    app.commit({"a.yaml": deployment("a")})
    app.start(wait=True, timeout="5m")
    waits(objects)
    current(objects, "a")
    app.settled()
    rule = {"apiVersion": "apps/v1", "kind": "Deployment", "current": "status.readyReplicas == 3"}
    objects.patch("Kustomization", "app", {"spec": {"healthCheckExprs": [rule]}})
    waits(objects)
    objects.patch("Kustomization", "app", {"spec": {"healthCheckExprs": None}})
    app.settled()


def test_K56_drift_is_undone_during_a_wait(app, objects, proxy, toolkit):
    put_values(objects, "one")
    app.commit({"a.yaml": deployment("a"), "cm.yaml": config_map("made", "${v}")})
    app.start(wait=True, timeout="5m", **VALUES)
    waits(objects)
    woken(objects, toolkit, 2)
    mark = proxy.mark()
    path = f"/api/v1/namespaces/{objects.ns}/configmaps/made"
    assert objects.api.rest.call("PATCH", path, {"data": {"v": "hand"}},
                                 "application/merge-patch+json")[0] == 200
    wait_until(lambda: objects.configmap("made")["data"] == {"v": "one"}, "the correction")
    assert builds(proxy, objects, mark) > 0, "it was built to be corrected"
    woken(objects, toolkit, 1)
    mark = proxy.mark()
    woken(objects, toolkit, 2)
    assert builds(proxy, objects, mark) == 0, "it goes on with looks"


def test_K15_values_that_change_during_a_wait_are_built(app, objects, proxy, toolkit):
    put_values(objects, "one", labels=WATCHED)
    app.commit({"a.yaml": deployment("a"), "cm.yaml": config_map("made", "${v}")})
    app.start(wait=True, timeout="5m", **VALUES)
    waits(objects)
    woken(objects, toolkit, 1)
    put_values(objects, "two", labels=WATCHED)
    wait_until(lambda: objects.configmap("made")["data"] == {"v": "two"}, "the new value")
    waits(objects)


def test_K78_what_has_gone_is_applied_again_where_no_watch_tells(app, objects, proxy, toolkit):
    """And what no watch tells of is asked for at each look."""
    proxy.on(status(403, "Forbidden"), method="GET", path="^/apis/apps/v1/(statefulsets)$")
    app.commit({"s.yaml": deployment("s").replace("Deployment", "StatefulSet")})
    app.start(wait=True, timeout="5m")
    waits(objects)
    path = f"/apis/apps/v1/namespaces/{objects.ns}/statefulsets/s"
    old = objects.api.rest.get(path)["metadata"]["uid"]
    assert objects.api.rest.call("DELETE", path + "?propagationPolicy=Background")[0] == 200

    def anew():
        live = objects.api.rest.get(path)
        return live and live["metadata"]["uid"] != old
    wait_until(anew, "it to be there again")


def test_K78_a_watch_that_fell_silent_is_not_believed_in_the_end(app, objects, proxy, toolkit):
    """Before it is told that time is up the object itself is looked at."""
    silent = threading.Event()

    def mute(x):
        x.forward(lambda pieces: (piece for piece in pieces if not silent.is_set()))
    proxy.on(mute, method="GET", path="^/apis/apps/v1/daemonsets$", query="watch=(true|1)")
    app.commit({"d.yaml": deployment("d").replace("Deployment", "DaemonSet").replace(
        "  replicas: 1\n", "")})
    app.start(wait=True, timeout="30s", retryInterval="1h")
    waits(objects)
    woken(objects, toolkit, 2)
    silent.set()
    put_status(objects.api, f"/apis/apps/v1/namespaces/{objects.ns}/daemonsets/d", {
        "currentNumberScheduled": 1, "desiredNumberScheduled": 1, "updatedNumberScheduled": 1,
        "numberAvailable": 1, "numberReady": 1, "numberMisscheduled": 0})
    app.settled(timeout=60)
    assert objects.get("Kustomization", "app")["status"]["history"][0][
        "lastReconciledStatus"] == "ReconciliationSucceeded"


WATCH = {"method": "GET", "path": "/gitrepositories$", "query": "watch=(true|1)"}


@pytest.fixture
def sources_told(proxy):
    """An event: while it is not set kustomize-controller hears of no change of a GitRepository."""
    told = threading.Event()
    told.set()
    late = behind(told)

    def is_theirs(request):
        return "kustomize-controller" in request.header("user-agent")
    rule = proxy.on(lambda x: (late if is_theirs(x.request) else passing)(x), **WATCH)
    mark = proxy.mark()
    proxy.break_connections()
    wait_until(lambda: any(map(is_theirs, proxy.requests(mark, **WATCH))), "the watch, by that rule")
    yield told
    told.set()
    proxy.off(rule)


@pytest.mark.parametrize("ask", [
    lambda objects: objects.request("Kustomization", "app", "now"),
    lambda objects: objects.patch("Kustomization", "app", {"spec": {"timeout": "4m"}}),
], ids=["a request", "a changed spec"])
def test_K88_whoever_has_seen_a_newer_revision_gets_it(app, objects, proxy, toolkit, sources_told, ask):
    """Though the controller's own watch has not told it: the older one's wait would hold it up for
    minutes."""
    app.commit({"a.yaml": deployment("a")})
    app.start(wait=True, timeout="5m")
    waits(objects)
    sources_told.clear()
    app.commit({"a.yaml": deployment("a"), "cm.yaml": config_map("made", "newer")})
    objects.ready("GitRepository", "src", revision=app.head)
    ask(objects)
    wait_until(lambda: objects.configmap("made"), "the newer revision")
    obj = objects.wait("Kustomization", "app", lambda o: app.head in objects.condition(
        o, "Healthy").get("message", ""), "to wait for what is newer")
    assert objects.condition(obj, "Healthy")["status"] == "Unknown"
    woken(objects, toolkit, 2)
    sources_told.set()
    current(objects, "a")
    obj = app.settled()
    assert [h["totalReconciliations"] for h in obj["status"]["history"]] == [1], "one run, of the newer"


def test_K13_who_resumes_gets_the_revision_that_they_have_seen(app, objects, sources_told):
    """An older one is not applied first, which might be another's by now."""
    app.deploy({"a.yaml": config_map("made", "1"), "b.yaml": config_map("gone", "1")})
    objects.patch("Kustomization", "app", {"spec": {"suspend": True}})
    sources_told.clear()
    app.commit({"a.yaml": config_map("made", "2")}, remove=["b.yaml"])
    objects.ready("GitRepository", "src", revision=app.head)
    objects.patch("Kustomization", "app", {"spec": {"suspend": False}})
    app.settled()
    assert objects.configmap("made")["data"] == {"v": "2"} and not objects.configmap("gone")


def test_K53_a_wait_for_a_stage_builds_nothing(app, objects, proxy, toolkit):
    group = f"{objects.ns[-40:].strip('-')}.example.test"
    install_crd(objects.api, widget_crd(group, "WidgetClass"))
    wait_until(lambda: objects.api.rest.get(f"/apis/{group}/v1"), "the group to be served")
    path = f"/apis/{group}/v1/namespaces/{objects.ns}/widgetclasss/w"
    thing = {"apiVersion": f"{group}/v1", "kind": "WidgetClass",
             "metadata": {"name": "w", "namespace": objects.ns}}
    objects.api.apply(thing)
    put_status(objects.api, path, {"conditions": [
        {"type": "Ready", "status": "False", "reason": "R"}]})
    put_values(objects, "one")
    app.commit({"class.yaml": f"apiVersion: {group}/v1\nkind: WidgetClass\nmetadata: {{name: w}}\n",
                "cm.yaml": config_map("made", "${v}")})
    mark = proxy.mark()
    app.start(**VALUES)
    wait_until(lambda: builds(proxy, objects, mark), "the build")
    woken(objects, toolkit, 3)
    mark = proxy.mark()
    woken(objects, toolkit, 3)
    assert builds(proxy, objects, mark) == 0
    assert not objects.configmap("made")
    # A newer revision is what counts at once: the wait is for nothing that was told.
    app.commit({"cm.yaml": config_map("made", "newer")})
    wait_until(lambda: builds(proxy, objects, mark), "it to be built")
    put_status(objects.api, path, {"conditions": [
        {"type": "Ready", "status": "True", "reason": "R"}]})
    obj = app.settled()
    assert objects.configmap("made")["data"] == {"v": "newer"}
    assert [app.head in h["metadata"]["revision"] for h in obj["status"]["history"]] == [True]
