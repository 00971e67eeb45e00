"""Kustomizations end to end: other clusters, by spec.kubeConfig. The other cluster is an embedded
API server, whatever this one is."""
import pathlib

import pytest
import yaml

from tests.lib.apps import app, config_map  # noqa: F401
from tests.lib.controllers import Toolkit
from tests.lib.kube import start_api
from tests.lib.net import wait_until


@pytest.fixture(scope="module")
def toolkit(api, directory):
    kit = Toolkit(api, directory / "toolkit", kustomize_flags=[
        "--feature-gates=ObjectLevelWorkloadIdentity=true"]).start()
    yield kit
    kit.finish()


@pytest.fixture(scope="module")
def remote(directory):
    server = start_api("embedded", directory / "remote")
    yield server
    server.stop()


@pytest.fixture
def there(remote, ns):
    """The test's namespace in the other cluster: get(name) is a ConfigMap of it or None."""
    remote.create_namespace(ns)

    class There:
        path = f"/api/v1/namespaces/{ns}/configmaps"

        def get(self, name):
            return remote.rest.get(f"{self.path}/{name}")

        def patch(self, name, body):
            code, reply = remote.rest.call("PATCH", f"{self.path}/{name}", body,
                                           "application/merge-patch+json")
            assert code == 200, reply
    return There()


def kubeconfig(remote):
    return yaml.safe_load(pathlib.Path(remote.kubeconfig).read_text())


def put_secret(api, ns, config, key="value", labels=None, name="remote"):
    api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {
        "name": name, "namespace": ns, "labels": labels or {}},
        "stringData": {key: yaml.safe_dump(config)}})


def connections(remote):
    """Established TCP connections of this machine to the other cluster, but for the one that the
    test's own client keeps until the server finds it idle, half a minute later."""
    remote.rest.close()
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[2].endswith(f":{remote.port:04X}") and line.split()[3] == "01"
               for line in lines)


def test_K94_another_cluster(app, objects, api, remote, there):
    app.commit({"cm.yaml": config_map("one", {"a": "1"}), "b.yaml": config_map("two")})
    app.kustomization(kubeConfig={"secretRef": {"name": "remote"}}, retryInterval="1h")
    app.failed("ReconciliationFailed", 'secrets "remote" not found')
    # A labelled Secret wakes whoever waits for it, long before the retry.
    put_secret(api, objects.ns, kubeconfig(remote),
               labels={"reconcile.fluxcd.io/watch": "Enabled"})
    app.ready()
    assert there.get("one")["data"] == {"a": "1"} and not objects.configmap("one")
    # Its drift is watched as here.
    there.patch("one", {"data": {"a": "hacked"}})
    wait_until(lambda: there.get("one")["data"] == {"a": "1"}, "the correction")
    app.commit({"cm.yaml": config_map("one", {"a": "2"})}, remove=["b.yaml"])
    app.ready()
    assert there.get("one")["data"] == {"a": "2"} and not there.get("two")
    objects.delete("Kustomization", "app")
    objects.gone("Kustomization", "app")
    assert not there.get("one")
    wait_until(lambda: connections(remote) == 0, "the connections to be closed")


def test_K94_a_deletion_without_us_closes_too(app, objects, api, remote, there):
    app.commit({"cm.yaml": config_map("one")})
    put_secret(api, objects.ns, kubeconfig(remote))
    app.kustomization(kubeConfig={"secretRef": {"name": "remote"}}, prune=False)
    app.ready()
    assert connections(remote) > 0
    objects.patch("Kustomization", "app", {"spec": {"suspend": True}})
    objects.delete("Kustomization", "app")
    objects.gone("Kustomization", "app")
    wait_until(lambda: connections(remote) == 0, "the connections to be closed")
    assert there.get("one")


def test_K94_keys_of_the_secret(app, objects, api, remote, there):
    app.commit({"cm.yaml": config_map("one")})
    put_secret(api, objects.ns, kubeconfig(remote), key="mine")
    app.kustomization(kubeConfig={"secretRef": {"name": "remote"}}, retryInterval="1h")
    app.failed("ReconciliationFailed", "no key 'value'")
    app.kustomization(kubeConfig={"secretRef": {"name": "remote", "key": "mine"}})
    app.ready()
    assert there.get("one")
    put_secret(api, objects.ns, kubeconfig(remote), key="value.yaml", name="second")
    app.kustomization("second", kubeConfig={"secretRef": {"name": "second"}})
    app.ready("second")
    for text in ("", "{", "kind: Config", "[1]"):
        api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {
            "name": "bad", "namespace": objects.ns}, "stringData": {"value": text}})
        app.kustomization("bad", kubeConfig={"secretRef": {"name": "bad"}})
        app.failed("ReconciliationFailed", f"KubeConfig secret '{objects.ns}/bad'", name="bad")
        objects.delete("Kustomization", "bad")
        objects.gone("Kustomization", "bad")


def test_K94_back_and_forth(app, objects, api, remote, there):
    app.commit({"cm.yaml": config_map("one")})
    put_secret(api, objects.ns, kubeconfig(remote))
    app.kustomization()
    app.ready()
    app.kustomization(kubeConfig={"secretRef": {"name": "remote"}})
    app.ready()
    assert there.get("one"), "what is unchanged here must still be applied there"
    app.kustomization(kubeConfig=None)
    app.ready()
    there.patch("one", {"data": {"k": "theirs now"}})
    api.rest.call("PATCH", f"/api/v1/namespaces/{objects.ns}/configmaps/one",
                  {"data": {"k": "hacked"}}, "application/merge-patch+json")
    wait_until(lambda: objects.configmap("one")["data"] == {"k": "v"}, "the correction here")
    assert there.get("one")["data"] == {"k": "theirs now"}


def test_K93_K94_as_a_service_account_there(app, objects, api, remote, there):
    app.commit({"cm.yaml": config_map("one")})
    put_secret(api, objects.ns, kubeconfig(remote))
    app.kustomization(kubeConfig={"secretRef": {"name": "remote"}}, retryInterval="1s",
                      serviceAccountName="limited")
    app.failed("ReconciliationFailed", f"system:serviceaccount:{objects.ns}:limited")
    remote.kubectl("create", "role", "limited", "-n", objects.ns, "--verb=*",
                   "--resource=configmaps")
    remote.kubectl("create", "rolebinding", "limited", "-n", objects.ns, "--role=limited",
                   f"--serviceaccount={objects.ns}:limited")
    app.ready()
    assert there.get("one")
    # The account that counts at the end is the one of this cluster (K77).
    objects.delete("Kustomization", "app")
    objects.gone("Kustomization", "app")
    assert there.get("one")


def test_K94_a_server_out_of_reach(app, objects, api, remote, there):
    config = kubeconfig(remote)
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    put_secret(api, objects.ns, config)
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization(kubeConfig={"secretRef": {"name": "remote"}}, retryInterval="1s")
    app.failed("ReconciliationFailed")
    app.kustomization("other")
    app.ready("other")
    put_secret(api, objects.ns, kubeconfig(remote))
    app.ready()


def test_K95_exec_and_insecure_tls_are_refused(app, objects, api, remote, directory):
    app.commit({"cm.yaml": config_map("one")})
    config = kubeconfig(remote)
    config["users"][0]["user"] = {"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/touch",
        "args": [str(directory / "ran")], "interactiveMode": "Never"}}
    put_secret(api, objects.ns, config)
    app.kustomization(kubeConfig={"secretRef": {"name": "remote"}}, retryInterval="1h")
    app.failed("ReconciliationFailed", "running a command is not allowed here")
    assert not (directory / "ran").exists()
    config = kubeconfig(remote)
    del config["clusters"][0]["cluster"]["certificate-authority-data"]
    config["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
    put_secret(api, objects.ns, config, name="insecure")
    app.kustomization("insecure", kubeConfig={"secretRef": {"name": "insecure"}},
                      retryInterval="1h")
    obj = app.failed("ReconciliationFailed", "insecure-skip-tls-verify", name="insecure")
    assert remote.token not in str(obj)
    # Files of the controller's own pod are nobody's business.
    config = kubeconfig(remote)
    config["users"][0]["user"] = {"tokenFile": "/etc/hostname"}
    put_secret(api, objects.ns, config, name="file")
    app.kustomization("file", kubeConfig={"secretRef": {"name": "file"}}, retryInterval="1h")
    app.failed("ReconciliationFailed", "a file is not allowed here", name="file")


def test_K94_by_a_service_accounts_token(app, objects, api):
    """Without another cluster that trusts this one's tokens, this one stands in for it."""
    ns = objects.ns
    data = {"provider": "generic", "address": api.server.removeprefix("https://"),
            "ca.crt": pathlib.Path(api.ca_file).read_text(), "serviceAccountName": "traveller",
            "audiences": "\n  https://kubernetes.default.svc  \n\n"}

    def put(**more):
        api.apply({"apiVersion": "v1", "kind": "ConfigMap",
                   "metadata": {"name": "remote", "namespace": ns,
                                "labels": {"reconcile.fluxcd.io/watch": "Enabled"}},
                   "data": {**data, **more}})
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization(kubeConfig={"configMapRef": {"name": "remote"}}, retryInterval="1s")
    app.failed("ReconciliationFailed", 'configmaps "remote" not found')
    put(provider="acme")
    app.failed("ReconciliationFailed", "provider 'acme' is not supported")
    put(address="http://127.0.0.1")
    app.failed("ReconciliationFailed", "https")
    put()
    app.failed("ReconciliationFailed", f"service account '{ns}/traveller'")
    api.kubectl("create", "serviceaccount", "traveller", "-n", ns)
    app.failed("ReconciliationFailed", f"system:serviceaccount:{ns}:traveller")
    api.kubectl("create", "role", "traveller", "-n", ns, "--verb=*", "--resource=configmaps")
    api.kubectl("create", "rolebinding", "traveller", "-n", ns, "--role=traveller",
                f"--serviceaccount={ns}:traveller")
    app.ready()
    assert objects.configmap("one")
    app.rerun()
