"""Actions upon releases while the API server is at its worst: replies lost, 429, connections cut,
the process killed. No release is told to have failed that did not, and what is stored is true."""
import pytest
import yaml

from tests.lib.fault import drop, lose_reply, status
from tests.lib.helm import Actions, actions_of, decode, secrets_of, statuses, write_chart
from tests.lib.net import wait_until

SECRETS = "/secrets"


actions = actions_of("proxied")


@pytest.fixture
def chart(tmp_path):
    return write_chart(tmp_path / "shop", {f"templates/{name}.yaml": yaml.safe_dump({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
        for name in ("one", "two")})


def live(api, ns):
    items = api.rest.get(f"/api/v1/namespaces/{ns}/configmaps")["items"]
    return sorted(i["metadata"]["name"] for i in items if i["metadata"]["name"] in ("one", "two"))


TROUBLES = {
    "create-lost": (lose_reply(), {"method": "POST", "path": SECRETS}),
    "create-dropped": (drop(), {"method": "POST", "path": SECRETS}),
    "update-lost": (lose_reply(), {"method": "PUT", "path": SECRETS}),
    "apply-lost": (lose_reply(), {"method": "PATCH", "path": "/configmaps"}),
    "apply-dropped": (drop(reset=True), {"method": "PATCH", "path": "/configmaps"}),
    "too-many-applies": (status(429, "TooManyRequests", headers={"Retry-After": "1"}),
                         {"method": "PATCH", "path": "/configmaps"}),
    "too-many-writes": (status(429, "TooManyRequests", headers={"Retry-After": "1"}),
                        {"method": "PUT", "path": SECRETS}),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_trouble_that_passes_fails_no_install(api, actions, proxy, ns, chart, name):
    act, match = TROUBLES[name]
    rule = proxy.on(act, times=2 if name.startswith("too") else 1, **match)
    answer = actions("install", "calm", ns, chart=chart)
    proxy.off(rule)
    if name == "create-dropped" and answer["state"] == "failed":
        # Nobody can tell whether a POST was done; nothing is stored, so nothing is counted.
        assert not answer["stored"] and statuses(api, ns, "calm") == {}
        return
    assert answer["state"] == "succeeded", answer
    assert statuses(api, ns, "calm") == {1: "deployed"} and live(api, ns) == ["one", "two"]


@pytest.mark.parametrize("name", ["delete-lost", "purge-lost"])
def test_a_trouble_that_passes_fails_no_uninstall(api, actions, proxy, ns, chart, name):
    actions.ok("install", "calm", ns, chart=chart)
    path = "/configmaps/" if name == "delete-lost" else SECRETS
    rule = proxy.on(lose_reply(), times=1, method="DELETE", path=path)
    actions.ok("uninstall", "calm", ns)
    proxy.off(rule)
    assert statuses(api, ns, "calm") == {} and live(api, ns) == []


def test_a_server_that_refuses_for_good_fails_the_install(api, actions, proxy, ns, chart):
    rule = proxy.on(status(403, "Forbidden", "not you"), method="PATCH", path="/configmaps/two")
    answer = actions("install", "never", ns, chart=chart)
    proxy.off(rule)
    assert answer["state"] == "failed" and "not you [shop/templates/two.yaml]" in answer["error"]
    assert statuses(api, ns, "never") == {1: "failed"} and live(api, ns) == ["one"]


def test_a_record_that_cannot_be_stored_as_failed_stays_pending(api, actions, proxy, ns, chart):
    """The controller sets it free: nothing says that it is deployed."""
    refuse = proxy.on(status(403, "Forbidden", "not you"), method="PATCH", path="/configmaps/two")
    stuck = proxy.on(status(403, "Forbidden", "nor this"), method="PUT", path=SECRETS)
    answer = actions("install", "open", ns, chart=chart)
    proxy.off(refuse)
    proxy.off(stuck)
    assert "not you" in answer["error"] and "nor this" in answer["log"]
    assert statuses(api, ns, "open") == {1: "pending-install"}


def test_killed_in_a_hook_it_is_pending_with_the_hook_running(api, proxied, ns, tmp_path):
    hook = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {
        "name": "gate", "annotations": {"helm.sh/hook": "pre-install"}}, "spec": {"template": {
            "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "c:1"}]}}}}
    chart = write_chart(tmp_path / "shop", {"templates/h.yaml": yaml.safe_dump(hook)})
    mine = Actions(proxied)
    mine.begin("install", "cut", ns, chart=chart)
    wait_until(lambda: api.rest.get(f"/apis/batch/v1/namespaces/{ns}/jobs/gate"), "the hook")
    mine.process.kill()
    mine.process.wait(30)
    mine.process.stdin.close()
    mine.process.stdout.close()
    [secret] = secrets_of(api, ns, "cut")
    record = decode(secret)
    assert record["info"]["status"] == "pending-install"
    assert record["hooks"][0]["last_run"]["phase"] == "Running"


def test_E73_kinds_are_installed_and_uninstalled_in_order(api, actions, proxy, ns, tmp_path):
    labels = {"app": "web"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "c:1"}]}}
    objects = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
         "spec": {"selector": {"matchLabels": labels}, "template": pod}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"},
         "spec": {"ports": [{"port": 80}]}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}},
        {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"},
         "spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}},
    ]
    chart = write_chart(tmp_path / "shop", {
        f"templates/{o['metadata']['name']}.yaml": yaml.safe_dump(o) for o in objects})

    def order(since, method):
        return [r.target.split("?")[0].split("/")[-2] for r in proxy.requests(since, method=method)
                if SECRETS not in r.target]
    mark = proxy.mark()
    actions.ok("install", "sorted", ns, chart=chart, disable_wait=True)
    assert order(mark, "PATCH") == ["serviceaccounts", "configmaps", "services", "deployments",
                                    "ingresses"]
    mark = proxy.mark()
    actions.ok("uninstall", "sorted", ns, disable_wait=True)
    assert order(mark, "DELETE") == ["ingresses", "services", "deployments", "configmaps",
                                     "serviceaccounts"]
