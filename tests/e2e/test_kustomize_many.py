"""Many Kustomizations at once: a chain of dependencies, runs that change nothing, and waits that
must not stand in anybody's way. bench/mttp has the figures; here are the rules, with room for
sanitizers."""
import re
import time

from tests.lib.apps import DEPLOYMENT, OWNER, app, config_map  # noqa: F401
from tests.lib.net import wait_until

CHAIN, UNCHANGED, WAITING = 20, 40, 200


def test_K89_a_chain_of_twenty_settles_at_once(app, objects):  # noqa: F811
    app.commit({f"k{i}/cm.yaml": config_map(f"cm{i}") for i in range(CHAIN)})
    objects.ready("GitRepository", "src")

    def chain(name):
        """Seconds until the last one is ready."""
        started = time.monotonic()
        for i in reversed(range(CHAIN)):
            app.kustomization(f"{name}{i}", path=f"./k{i}", interval="1h", retryInterval="1h",
                              namePrefix=f"{name}-", prune=False,
                              dependsOn=[{"name": f"{name}{i - 1}"}] if i else None)
        objects.ready("Kustomization", f"{name}{CHAIN - 1}")
        took = time.monotonic() - started
        order = [objects.configmap(f"{name}-cm{i}")["metadata"]["resourceVersion"]
                 for i in range(CHAIN)]
        assert order == sorted(order, key=int)
        return took
    # 30 s a link where dependencies are polled. One may have found the machine busy, but not each.
    assert any(chain(name) < 29 for name in ("first", "again", "last"))


def test_K89_a_dependency_that_ran_again_wakes_nobody(app, objects):  # noqa: F811
    """But what it then has at another revision or generation does."""
    app.commit({"a/cm.yaml": config_map("a"), "b/cm.yaml": config_map("b")})
    app.kustomization("a", path="./a")
    app.kustomization("b", path="./b", dependsOn=[{"name": "a"}])
    app.ready("b")

    def total(obj):
        return obj["status"]["history"][0]["totalReconciliations"]
    before = total(app.rerun("b"))
    for _ in range(3):
        app.rerun("a")
    assert total(app.rerun("b")) == before + 1
    app.kustomization("a", path="./a", interval="2h")
    objects.wait("Kustomization", "b", lambda o: total(o) == before + 2, "to run for a's generation")

    def follows(number):
        """Seconds until a's revision is b's."""
        started = time.monotonic()
        app.commit({"a/cm.yaml": config_map("a", {"n": str(number)})})
        app.ready("b")
        return time.monotonic() - started
    # One may have found the machine busy, but not each.
    assert any(follows(number) < 29 for number in (2, 3, 4)), "polled, not woken"


def requests_of(toolkit):
    """{(verb, code): how many} that the controller has sent."""
    lines = toolkit["kustomize-controller"].metrics().splitlines()
    found = {}
    for line in lines:
        match = re.match(r'\w*requests_total\{(.*)\} (\d+)', line)
        labels = dict(re.findall(r'(\w+)="([^"]*)"', match.group(1))) if match else {}
        if "verb" in labels or "method" in labels:
            verb = labels.get("verb") or labels["method"]
            found[verb] = found.get(verb, 0) + int(match.group(2))
    return found


def test_K55_runs_that_change_nothing_send_no_apply(app, objects, toolkit):  # noqa: F811
    app.commit({f"k{i}/cm.yaml": config_map(f"cm{i}") + "---\n" + config_map(f"more{i}")
                for i in range(UNCHANGED)})
    names = [f"k{i}" for i in range(UNCHANGED)]
    for name in names:
        app.kustomization(name, path=f"./{name}")
    for name in names:
        objects.ready("Kustomization", name)
    before = requests_of(toolkit)
    assert before.get("APPLY", 0) >= 2 * UNCHANGED, before
    versions = [c["metadata"]["resourceVersion"] for c in
                objects.api.rest.get(f"/api/v1/namespaces/{objects.ns}/configmaps")["items"]]
    for name in names:
        objects.request("Kustomization", name, "again")
    for name in names:
        objects.wait("Kustomization", name, lambda o: o["status"].get("lastHandledReconcileAt") ==
                     "again" and objects.condition(o)["status"] == "True", "to run again")
    after = requests_of(toolkit)
    assert after["APPLY"] == before["APPLY"], (before, after)
    assert versions == [c["metadata"]["resourceVersion"] for c in objects.api.rest.get(
        f"/api/v1/namespaces/{objects.ns}/configmaps")["items"]]


def test_K55_two_that_have_one_object_both_write_it(app, objects):  # noqa: F811
    """Each in its turn: what the other applied is not what it has applied."""
    app.commit({f"{name}/cm.yaml": config_map("one", {"of": name}) for name in "ab"})

    def holds(name):
        one = objects.configmap("one")
        return one["data"] == {"of": name} and one["metadata"]["labels"][OWNER + "name"] == name
    for name in "ab":
        app.kustomization(name, path=f"./{name}", prune=False)
        app.ready(name)
        assert holds(name)
    for name in "abba":
        app.rerun(name)
        assert holds(name), name


def metric(toolkit, name):
    return int(re.search(rf"^sluice_kustomize_{name} (\d+)$",
                         toolkit["kustomize-controller"].metrics(), re.M)[1])


def test_B107_many_overlays_parse_their_base_once(app, objects, toolkit):  # noqa: F811
    """At most once for each worker. What is kept goes when nobody builds any more."""
    files, of_text, many = 20, 45_000, 24
    base = {f"base/big{i}.yaml": config_map(f"big{i}", {"a": "x" * of_text}) for i in range(files)}
    listed = ", ".join(f"big{i}.yaml" for i in range(files))
    app.commit({**base, "base/kustomization.yaml": f"resources: [{listed}]\n", **{
        f"o{n}/kustomization.yaml": f"""\
            resources: [../base]
            namePrefix: o{n}-
            patches:
            - target: {{kind: ConfigMap, name: "big([1-9]|1[0-9])"}}
              patch: "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: x}}, $patch: delete}}"
            - target: {{kind: ConfigMap, name: big0}}
              patch: '[{{"op": "replace", "path": "/data", "value": {{"n": "{n}"}}}}]'
            """ for n in range(many)}})
    objects.ready("GitRepository", "src")
    before = metric(toolkit, "files_parsed_total")
    for n in range(many):
        app.kustomization(f"o{n}", path=f"./o{n}")
    for n in range(many):
        app.ready(f"o{n}")
    assert metric(toolkit, "files_parsed_total") - before <= many // 3 * files
    before = metric(toolkit, "files_parsed_total")
    app.commit({"base/big0.yaml": config_map("big0", {"b": "y" * of_text})})
    for n in range(many):
        app.ready(f"o{n}")
        assert objects.configmap(f"o{n}-big0")["data"] == {"n": str(n)}
    assert files < metric(toolkit, "files_parsed_total") - before <= many // 3 * files
    wait_until(lambda: metric(toolkit, "sources_kept") == 0, "all to be given back")


def test_K56_another_process_under_our_name(app, objects, api):  # noqa: F811
    """The fields stay ours, only their values are another's."""
    app.commit({"cm.yaml": config_map("one", {"a": "ours"})})
    app.kustomization()
    app.ready()
    one = objects.configmap("one")
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 1.1, "times of managedFields have seconds")
    code, reply = api.rest.call(
        "PATCH", f"/api/v1/namespaces/{objects.ns}/configmaps/one"
        "?fieldManager=kustomize-controller&force=true", {
            "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "theirs"},
            "metadata": {"name": "one", "labels": one["metadata"]["labels"]}},
        "application/apply-patch+yaml")
    assert code == 200 and reply["data"] == {"a": "theirs"}, reply
    # The watch may tell of it a moment after the request came.
    wait_until(lambda: app.rerun() and objects.configmap("one")["data"] == {"a": "ours"},
               "the next run to apply")


def time_to_apply(app, objects, name):  # noqa: F811
    started = time.monotonic()
    app.kustomization(name, path="./plain", targetNamespace=objects.ns, namePrefix=f"{name}-")
    objects.ready("Kustomization", name)
    return time.monotonic() - started


def test_K78_two_hundred_that_wait_delay_nobody(app, objects, api):  # noqa: F811
    app.commit({"waits/d.yaml": DEPLOYMENT, "plain/cm.yaml": config_map("one")})
    objects.ready("GitRepository", "src")
    alone = min(time_to_apply(app, objects, f"before{i}") for i in range(3))
    for i in range(WAITING):
        app.kustomization(f"w{i}", path="./waits", wait=True, timeout="30m", namePrefix=f"w{i}-")

    def all_wait():
        items = api.rest.get(objects.path("Kustomization"))["items"]
        waiting = [o for o in items if objects.condition(o, "Healthy").get("status") == "Unknown"]
        return len(waiting) == WAITING
    wait_until(all_wait, "all to wait for health", 300, 0.5)
    among = min(time_to_apply(app, objects, f"after{i}") for i in range(3))
    # Four workers and two hundred waits: with a worker held by each this would be half an hour.
    assert among < 20, (alone, among)
    # Drift is undone meanwhile too.
    path = f"/api/v1/namespaces/{objects.ns}/configmaps/after0-one"
    body = {"data": {"k": "x"}}
    assert api.rest.call("PATCH", path, body, "application/merge-patch+json")[0] == 200
    wait_until(lambda: objects.configmap("after0-one")["data"] == {"k": "v"}, "the correction",
               interval=0.005)
