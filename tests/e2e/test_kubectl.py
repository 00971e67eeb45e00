"""Each verb that people use, by the kubectl that is installed: the embedded server serves what the real
one does."""
import json
import os
import re
import stat
import subprocess

import pytest

from tests.lib.net import wait_until


def config_map(ns, name, value="1", **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": {"v": value},
            "metadata": {"name": name, "namespace": ns, **metadata}}


def deployment(ns, name="web", replicas=1):
    labels = {"app": name}
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": ns}, "spec": {
                "replicas": replicas, "selector": {"matchLabels": labels}, "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "main", "image": "registry.test/web:1"}]}}}}


@pytest.fixture
def kubectl(api, ns):
    """kubectl in the test's namespace; `stdin` may be an object."""
    def run(*args, stdin=None, **kwargs):
        text = stdin if stdin is None or isinstance(stdin, str) else json.dumps(stdin)
        return api.kubectl(*args, "-n", ns, stdin=text, **kwargs)
    return run


def value_of(api, ns, name):
    return api.rest.get(f"/api/v1/namespaces/{ns}/configmaps/{name}")["data"]["v"]


def names(text):
    return [line.split()[0].removeprefix("configmap/") for line in text.splitlines()]


def test_create_get_delete(api, ns, kubectl):
    assert kubectl("create", "-f", "-", stdin=config_map(ns, "a")) == "configmap/a created\n"
    again = kubectl("create", "-f", "-", stdin=config_map(ns, "a"), check=False)
    assert again.returncode == 1 and "AlreadyExists" in again.stderr
    assert kubectl("create", "configmap", "b", "--from-literal=v=2") == "configmap/b created\n"
    shown = json.loads(kubectl("get", "configmap", "b", "-o", "json"))
    assert shown["data"] == {"v": "2"}
    assert kubectl("get", "cm", "b", "-o", "jsonpath={.data.v}") == "2"
    assert re.match(r"NAME +DATA +AGE\nb +1 +\d+s\n$", kubectl("get", "cm", "b"))
    gone = kubectl("delete", "cm", "a", "b")
    assert re.match(r'configmap "a" deleted.*\nconfigmap "b" deleted.*\n$', gone)
    assert kubectl("get", "cm", "a", check=False).returncode == 1


def test_get_wide_labels_and_columns(ns, kubectl):
    kubectl("apply", "-f", "-", stdin=deployment(ns))
    plain = kubectl("get", "deploy", "web").splitlines()[0].split()
    wide = kubectl("get", "deploy", "web", "-o", "wide").splitlines()
    assert plain == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert wide[0].split() == plain + ["CONTAINERS", "IMAGES", "SELECTOR"]
    assert wide[1].split()[-3:] == ["main", "registry.test/web:1", "app=web"]
    assert kubectl("get", "deploy", "-o", "custom-columns=R:.spec.replicas", "--no-headers") == "1\n"


def test_sort_by_chunk_size_and_selectors(ns, kubectl):
    for i in range(12):
        kubectl("apply", "--server-side", "-f", "-", stdin=config_map(
            ns, f"m{i:02}", str(20 - i), labels={"odd": str(i % 2)}))
    ours = ["--field-selector=metadata.name!=kube-root-ca.crt", "--no-headers"]
    upward = names(kubectl("get", "cm", *ours, "--sort-by=.metadata.name"))
    downward = names(kubectl("get", "cm", *ours, "--sort-by=.data.v"))
    assert upward == [f"m{i:02}" for i in range(12)]
    assert sorted(downward) == upward and downward != upward
    assert names(kubectl("get", "cm", *ours, "--chunk-size=5")) == upward
    # It asks for pages, and for as many as it takes.
    told = kubectl("get", "cm", *ours, "--chunk-size=5", "-v=6", check=False).stderr
    assert len(re.findall(r"limit=5", told)) >= 3, told
    assert len(names(kubectl("get", "cm", "-l", "odd=1", "--no-headers"))) == 6
    assert names(kubectl("get", "cm", "-l", "odd in (0),odd!=1", "-o", "name")) == upward[::2]


def test_get_watch(api, ns, kubectl):
    kubectl("apply", "-f", "-", stdin=config_map(ns, "a"))
    watch = subprocess.Popen(
        ["kubectl", "--kubeconfig", api.kubeconfig, "get", "cm", "-n", ns, "-w",
         "--output-watch-events", "-o", "jsonpath={.type} {.object.metadata.name} {.object.data.v}\n",
         "--field-selector=metadata.name!=kube-root-ca.crt"],
        stdout=subprocess.PIPE, text=True, env=dict(os.environ, HOME=str(api.dir)))
    try:
        assert watch.stdout.readline() == "ADDED a 1\n"
        kubectl("patch", "cm", "a", "--type=merge", "-p", '{"data":{"v":"2"}}')
        assert watch.stdout.readline() == "MODIFIED a 2\n"
        kubectl("delete", "cm", "a")
        assert watch.stdout.readline() == "DELETED a 2\n"
    finally:
        watch.kill()
        watch.communicate()


@pytest.mark.parametrize("way", [["--server-side"], []], ids=["server", "client"])
def test_apply_and_diff(api, ns, kubectl, way):
    word = "serverside-applied" if way else "created"
    assert kubectl("apply", *way, "-f", "-", stdin=config_map(ns, "a")) == f"configmap/a {word}\n"
    assert kubectl("diff", *way, "-f", "-", stdin=config_map(ns, "a")) == ""
    differs = kubectl("diff", *way, "-f", "-", stdin=config_map(ns, "a", "2"), check=False)
    assert differs.returncode == 1
    assert "-  v: \"1\"" in differs.stdout and "+  v: \"2\"" in differs.stdout
    assert value_of(api, ns, "a") == "1", "a diff writes nothing"
    kubectl("apply", *way, "-f", "-", stdin=config_map(ns, "a", "2"))
    assert value_of(api, ns, "a") == "2"
    if not way:
        same = kubectl("apply", "-f", "-", stdin=config_map(ns, "a", "2"))
        assert same == "configmap/a unchanged\n"


def test_apply_of_a_list_and_its_prune(ns, kubectl):
    """A List is of no group version's schemas: kubectl checks it by openapi v2."""
    for stdin in ([config_map(ns, "a", labels={"app": "x"}),
                   config_map(ns, "b", labels={"app": "x"})],
                  [config_map(ns, "a", labels={"app": "x"})]):
        listed = {"apiVersion": "v1", "kind": "List", "items": stdin}
        kubectl("apply", "-f", "-", "--prune", "-l", "app=x", "--prune-allowlist=core/v1/ConfigMap",
                stdin=listed)
    assert kubectl("get", "cm", "-l", "app=x", "-o", "name") == "configmap/a\n"


def test_edit(api, ns, kubectl, tmp_path, monkeypatch):
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/v: \"1\"/v: \"edited\"/' \"$1\"\n")
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("KUBE_EDITOR", str(editor))
    kubectl("apply", "-f", "-", stdin=config_map(ns, "a"))
    assert kubectl("edit", "cm", "a") == "configmap/a edited\n"
    assert value_of(api, ns, "a") == "edited"
    editor.write_text("#!/bin/sh\n")
    assert "no changes made" in kubectl("edit", "cm", "a", check=False).stderr


def test_patch_label_annotate_scale(api, ns, kubectl):
    kubectl("apply", "-f", "-", stdin=deployment(ns))
    path = f"/apis/apps/v1/namespaces/{ns}/deployments/web"
    kubectl("patch", "deploy", "web", "-p",  # strategic: the container is found by its name
            '{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"i:2"}]}}}}')
    kubectl("patch", "deploy", "web", "--type=json", "-p",
            '[{"op":"add","path":"/metadata/labels","value":{"a":"1"}}]')
    assert kubectl("label", "deploy", "web", "b=2") == "deployment.apps/web labeled\n"
    refused = kubectl("label", "deploy", "web", "b=3", check=False)
    assert refused.returncode == 1 and "--overwrite is false" in refused.stderr
    kubectl("label", "deploy", "web", "a-", "b=3", "--overwrite")
    kubectl("annotate", "deploy", "web", "example.com/note=x y")
    assert kubectl("scale", "deploy", "web", "--replicas=4", "--current-replicas=1") == \
        "deployment.apps/web scaled\n"
    live = api.rest.get(path)
    assert live["metadata"]["labels"] == {"b": "3"}
    assert live["metadata"]["annotations"]["example.com/note"] == "x y"
    assert live["spec"]["replicas"] == 4
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "i:2"


def test_describe_and_events(api, ns, kubectl):
    kubectl("apply", "-f", "-", stdin=deployment(ns))
    uid = api.rest.get(f"/apis/apps/v1/namespaces/{ns}/deployments/web")["metadata"]["uid"]
    kubectl("create", "-f", "-", stdin={
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "web.1", "namespace": ns},
        "type": "Warning", "reason": "TooSlow", "message": "it takes long", "count": 1,
        "firstTimestamp": "2026-01-02T03:04:05Z", "lastTimestamp": "2026-01-02T03:04:05Z",
        "involvedObject": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web",
                           "namespace": ns, "uid": uid}, "source": {"component": "test"}})
    text = kubectl("describe", "deploy", "web")
    for part in ("registry.test/web:1", "app=web", "TooSlow", "it takes long"):
        assert part in text
    assert "it takes long" in kubectl("events", "--for", "deployment/web", "--types=Warning")
    kubectl("create", "-f", "-", stdin=config_map(ns, "a"))
    assert "BinaryData" in kubectl("describe", "cm", "a")


def test_wait_and_delete_with_wait(api, ns, kubectl):
    kubectl("create", "-f", "-", stdin=config_map(ns, "a", finalizers=["example.com/hold"]))
    assert "met" in kubectl("wait", "cm/a", "--for=jsonpath={.data.v}=1", "--timeout=60s")
    delete = subprocess.Popen(["kubectl", "--kubeconfig", api.kubeconfig, "delete", "cm", "a", "-n",
                               ns, "--wait=true"], stdout=subprocess.PIPE, text=True)
    path = f"/api/v1/namespaces/{ns}/configmaps/a"
    wait_until(lambda: api.rest.get(path)["metadata"].get("deletionTimestamp"), "the deletion")
    assert delete.poll() is None
    kubectl("patch", "cm", "a", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert "deleted" in delete.communicate(timeout=60)[0] and delete.returncode == 0
    late = kubectl("wait", "cm/kube-root-ca.crt", "--for=jsonpath={.data.none}=1", "--timeout=1s",
                   check=False)
    assert late.returncode == 1


def test_explain_api_resources_and_can_i(api, kubectl):
    text = kubectl("explain", "deployment.spec.strategy.rollingUpdate")
    assert "maxSurge" in text and "GROUP:      apps" in text
    # What is known of custom kinds is published in its time.
    wait_until(lambda: "KIND:       GitRepository" in kubectl("explain", "gitrepositories.spec"), "it")
    rows = api.kubectl("api-resources", "--no-headers", "-o", "wide").splitlines()
    assert any(row.startswith("deployments ") and "deploy" in row for row in rows)
    assert any(row.startswith("kustomizations ") for row in rows)
    assert kubectl("auth", "can-i", "delete", "pods") == "yes\n"
    denied = kubectl("auth", "can-i", "delete", "pods", "--as=nobody", check=False)
    assert denied.stdout == "no\n" and denied.returncode == 1
