"""What one more object costs where there are many already: CPU time of the daemons for N and for 4 N, so
that nothing that looks at all of them for each goes unseen. Processors' time says it whatever else the
machine does, and what other work takes of their caches is told by trying again."""
import pytest

from tests.lib.apps import app, config_map  # noqa: F401
from tests.lib.controllers import Toolkit
from tests.lib.net import wait_until

TIMES = 4
GROWTH = 2  # of the time for one: work that is of the square would make it 4, ticks of the clock some 1.5
TRIES = 3
DAEMONS = ("source-controller", "kustomize-controller")


@pytest.fixture(scope="module")
def toolkit(api, directory):
    with Toolkit(api, directory / "toolkit").run() as kit:
        yield kit


def cpu_of(toolkit):
    return {name: toolkit[name].cpu_seconds() for name in DAEMONS}


def spent(toolkit, work):
    """The daemons' CPU seconds for it."""
    before = cpu_of(toolkit)
    work()
    return {name: now - before[name] for name, now in cpu_of(toolkit).items()}


def grown(few, many):
    """{(what, daemon): how often more each one of many took}, of {what: {daemon: seconds}}."""
    return {(what, name): many[what][name] / TIMES / max(few[what][name], 0.01)
            for what in few for name in DAEMONS}


def stays_linear(measure, count):
    """The best of some tries, for each piece of work by itself."""
    best = {}
    for attempt in range(TRIES):
        few, many = measure(f"few{attempt}", count), measure(f"many{attempt}", TIMES * count)
        for what, growth in grown(few, many).items():
            best[what] = min(growth, best.get(what, growth))
        if all(growth <= GROWTH for growth in best.values()):
            return
    raise AssertionError(f"{best}\n{few}\n{many}")


def test_objects_of_one_kustomization(app, objects, toolkit):  # noqa: F811
    """Made, changed, and pruned."""
    def files(name, count, value):
        return {f"{name}/{i}.yaml": config_map(f"{name}-{i}", {"v": value}) for i in range(count)}

    def measure(name, count):
        taken = {}

        def publish(value):
            app.commit(files(name, count, value))
            objects.ready("Kustomization", name, timeout=120, revision=app.head)

        def made():
            app.commit(files(name, count, "one"))
            app.kustomization(name, path=f"./{name}")
            objects.ready("Kustomization", name, timeout=120, revision=app.head)
        taken["made"] = spent(toolkit, made)
        taken["changed"] = spent(toolkit, lambda: publish("two"))

        def pruned():
            app.commit({f"{name}/rest.yaml": config_map(f"{name}-rest")},
                       remove=list(files(name, count, "")))
            objects.ready("Kustomization", name, timeout=120, revision=app.head)
        taken["pruned"] = spent(toolkit, pruned)
        objects.delete("Kustomization", name)
        objects.gone("Kustomization", name)
        return taken
    stays_linear(measure, 300)


def test_kustomizations_of_one_source(app, objects, toolkit):  # noqa: F811
    """Made, changed all at once, and deleted."""
    def measure(name, count):
        names = [f"{name}-{i}" for i in range(count)]
        taken = {}

        def settled():
            items = objects.api.rest.get(objects.path("Kustomization"))["items"]
            return sum(app.head in o.get("status", {}).get("lastAppliedRevision", "") and
                       objects.condition(o)["status"] == "True" for o in items) == count

        def publish(value):
            app.commit({f"{n}/cm.yaml": config_map(n, {"v": value}) for n in names})
            objects.ready("GitRepository", "src", revision=app.head)

        def made():
            publish("one")
            for n in names:
                app.kustomization(n, path=f"./{n}")
            settle()

        def changed():
            publish("two")
            settle()

        def settle():
            wait_until(settled, "all to be Ready", 180, 0.2)

        def deleted():
            for n in names:
                objects.delete("Kustomization", n)
            wait_until(lambda: not objects.api.rest.get(objects.path("Kustomization"))["items"],
                       "all to be gone", 180, 0.2)
        for what, work in {"made": made, "changed": changed, "deleted": deleted}.items():
            taken[what] = spent(toolkit, work)
        app.commit({}, remove=[f"{n}/cm.yaml" for n in names])
        return taken
    stays_linear(measure, 75)
