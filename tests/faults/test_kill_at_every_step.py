"""kill -9 at every request of a reconcile, before the server hears of it and after it did it. After the
restart: the cluster holds what Git says, the inventory is right, nothing is orphaned or made anew."""
import pytest

from tests.faults.conftest import config_map
from tests.lib.controllers import Toolkit
from tests.lib.net import Timeout, wait_until
from tests.lib.proxy import Ended, Proxy, ProxiedApi

NO_WATCH = r"^(?!.*watch=true)"
MOST = 60  # requests of one reconcile, far more than there are


@pytest.fixture(scope="module")
def proxied(api, directory):
    """One proxy for each controller, so that each one's requests are counted alone."""
    made = {}
    for name in ("kustomize-controller", "source-controller"):
        (directory / name).mkdir()
        made[name] = ProxiedApi(api, directory / name)
    yield made
    for server in made.values():
        server.stop()


@pytest.fixture(scope="module")
def toolkit(api, proxied, directory):
    kit = Toolkit(api, directory / "toolkit")
    for name in kit.usual:
        kit.api = proxied.get(name, api)
        kit.start(name)
    yield kit
    kit.finish()


@pytest.fixture(scope="module")
def middle(git_server):
    proxy = Proxy(git_server.url)
    yield proxy
    proxy.stop()


def killer(process, done):
    """An action: kill -9 when the request comes, or when the server did it."""
    def act(x):
        if done:
            x.send()
            _, _, pieces = x.receive()
            for _ in pieces:
                pass
        process.kill()
        raise Ended("killed")
    return act


def forms():
    """After the server did what was asked, and before it hears of it."""
    return [True, False]


def killed(proxy, rule, process):
    """Ends the rule, which may act at this very moment; whether it did."""
    proxy.off(rule)
    if rule.hits:
        wait_until(lambda: not process.alive(), "the kill")
    return bool(rule.hits)


def each_step(proxy, process, change, check, done, before=None, down=None, until=None, **match):
    """change(n), kill at the n-th request, restart, check(n): for n over all requests. How many there
    were. before(n) prepares what is not counted; down(n) happens while the daemon is dead; until(n)
    is the end of a run without a kill, where that is not check(n)."""
    for n in range(MOST):
        if before:
            before(n)
        rule = proxy.on(killer(process, done), times=1, skip=n, **match)
        change(n)
        wait_until(lambda: not process.alive() or settled(until or check, n),
                   "the kill, or the end without one")
        was_killed = killed(proxy, rule, process)
        if down:
            down(n)
        if was_killed:
            process.start()
        try:
            wait_until(lambda: settled(check, n), f"the right state after a kill at request {n}",
                       interval=0.1)
        except Timeout:
            check(n)  # what is not right
            raise
        if not was_killed:
            return n
    raise AssertionError("a reconcile without end")


def settled(check, n):
    """check's asserts as a truth, for waiting."""
    try:
        check(n)
        return True
    except (AssertionError, KeyError, TypeError):
        return False


@pytest.mark.parametrize("done", forms())
def test_kustomize_controller_killed_at_each_request(app, objects, toolkit, proxied, done):
    """Each round changes one object, adds one and removes one."""
    app.deploy({"a.yaml": config_map("a", "start"), "old-x.yaml": config_map("old-x", "1")})
    uid = objects.configmap("a")["metadata"]["uid"]

    def change(n):
        last = f"new-{n - 1}" if n else "old-x"
        app.commit({"a.yaml": config_map("a", str(n)), f"new-{n}.yaml": config_map(f"new-{n}", "1")},
                   remove=[f"{last}.yaml"])

    def check(n):
        obj = objects.get("Kustomization", "app")
        assert objects.condition(obj)["status"] == "True"
        assert app.head in obj["status"]["lastAppliedRevision"]
        ids = {e["id"] for e in obj["status"]["inventory"]["entries"]}
        assert ids == {f"{objects.ns}_{name}__ConfigMap" for name in ("a", f"new-{n}")}
        items = objects.api.rest.get(f"/api/v1/namespaces/{objects.ns}/configmaps")["items"]
        ours = {i["metadata"]["name"]: i for i in items if "labels" in i["metadata"]}
        assert set(ours) == {"a", f"new-{n}"}, "orphans or losses"
        assert ours["a"]["data"] == {"v": str(n)} and ours["a"]["metadata"]["uid"] == uid
        managers = [m["manager"] for m in ours["a"]["metadata"]["managedFields"]]
        assert managers == ["kustomize-controller"]
        assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]

    steps = each_step(proxied["kustomize-controller"].proxy, toolkit["kustomize-controller"], change,
                      check, done, query=NO_WATCH, path=f"/{objects.ns}/")
    assert steps >= 6, "dry run, apply, status, delete, status, event"


@pytest.mark.parametrize("done", forms())
def test_kustomize_controller_killed_while_it_makes_and_deletes(app, objects, toolkit, proxied, done):
    """From a Kustomization's creation to Ready, and from its deletion to the end of all its objects."""
    app.commit({"a.yaml": config_map("a", "1"), "b.yaml": config_map("b", "1")})
    app.start()
    app.settled()
    controller, proxy = toolkit["kustomize-controller"], proxied["kustomize-controller"].proxy

    def left():
        items = objects.api.rest.get(f"/api/v1/namespaces/{objects.ns}/configmaps")["items"]
        return {i["metadata"]["name"] for i in items} & {"a", "b"}

    def deleted(n):
        assert objects.get("Kustomization", "app") is None and left() == set()

    def made(n):
        obj = objects.get("Kustomization", "app")
        assert objects.condition(obj)["status"] == "True"
        assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
        assert len(obj["status"]["inventory"]["entries"]) == 2 and left() == {"a", "b"}

    def make(_):
        app.start()

    def delete(_):
        objects.delete("Kustomization", "app")

    match = {"query": NO_WATCH,
             "path": rf"/{objects.ns}/(kustomizations/app|configmaps/[ab])(/status)?$"}
    assert each_step(proxy, controller, delete, deleted, done,
                     before=lambda _: (app.start(), app.settled()), **match) >= 3
    assert each_step(proxy, controller, make, made, done,
                     before=lambda n: (delete(n), objects.gone("Kustomization", "app")), **match) >= 4


@pytest.mark.parametrize("where", ["api", "git"])
@pytest.mark.parametrize("done", forms())
def test_source_controller_killed_at_each_request(app, objects, toolkit, proxied, middle, where, done):
    app.commit({"a.yaml": config_map("a", "start")})
    app.start(url=f"{middle.url}/{app.repo.name}.git")
    app.settled()

    def change(n):
        app.commit({"a.yaml": config_map("a", str(n))})

    def check(n):
        obj = objects.get("GitRepository", "src")
        artifact = obj["status"]["artifact"]
        assert objects.condition(obj)["status"] == "True" and app.head in artifact["revision"]
        assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
        assert "Reconciling" not in [c["type"] for c in obj["status"]["conditions"]]
        files = list((toolkit.storage / artifact["path"]).parent.iterdir())
        assert not [f for f in files if f.suffix == ".tmp" or f.name.startswith(".")], files
        assert len([f for f in files if f.name.endswith(".tar.gz")]) <= 3
        # What was left of the killed ones is gone.
        assert objects.configmap("a")["data"] == {"v": str(n)}

    proxy = proxied["source-controller"].proxy if where == "api" else middle
    match = {"query": NO_WATCH, "path": f"/{objects.ns}/"} if where == "api" else {
        "path": app.repo.name}
    steps = each_step(proxy, toolkit["source-controller"], change, check, done, **match)
    assert steps >= (1 if where == "api" else 3)
    wait_until(lambda: len(list(toolkit.dir.glob("gitrepository*"))) <= 1,
               "temporary directories of killed processes to be gone")
