"""HelmReleases of another cluster, by kubeconfig: here the same one, reached as another."""
from tests.lib.net import wait_until
from tests.lib.releases import (chart_server, config, controller_with, deployment,  # noqa: F401
                                releases)

helm_controller = controller_with("--min-retry-delay=50ms", "--max-retry-delay=500ms")

CONFIG = {"templates/config.yaml": config("config", {"v": "1"})}
REMOTE = {"kubeConfig": {"secretRef": {"name": "remote"}}}


def put_kubeconfig(releases, api):
    api.apply({"apiVersion": "v1", "kind": "Secret",
               "metadata": {"name": "remote", "namespace": releases.ns},
               "stringData": {"value": api.kubeconfig.read_text()}})


def test_installed_upgraded_watched_and_uninstalled(releases, api):
    put_kubeconfig(releases, api)
    releases.chart(CONFIG)
    releases.quiet(**REMOTE, driftDetection={"mode": "enabled"})
    releases.ready()
    releases.quiet(**REMOTE, driftDetection={"mode": "enabled"}, values={"a": "b"})
    releases.ready(version=2)
    code, reply = api.rest.call(
        "PATCH", releases.path("ConfigMap", "config") + "?fieldManager=x", {"data": {"v": "2"}},
        "application/merge-patch+json")
    assert code == 200, reply
    wait_until(lambda: releases.live("ConfigMap", "config")["data"] == {"v": "1"}, "correction", 10)
    releases.delete()
    assert releases.statuses() == {} and not releases.live("ConfigMap", "config")


def test_waits_and_ends_with_the_daemon(releases, api, helm_controller):
    put_kubeconfig(releases, api)
    releases.chart({"templates/web.yaml": deployment()})
    releases.apply(**REMOTE)
    wait_until(lambda: releases.statuses() == {1: "pending-install"}, "the install to wait")
    assert helm_controller.stop() == 0, helm_controller.log()[-3000:]
    assert releases.statuses() == {1: "failed"}
    helm_controller.start()
    helm_controller.wait_until_ready()
    wait_until(lambda: releases.statuses().get(2), "the upgrade")
    releases.make_deployment_ready()
    releases.ready()


def test_a_kubeconfig_that_is_none(releases, api):
    api.apply({"apiVersion": "v1", "kind": "Secret",
               "metadata": {"name": "remote", "namespace": releases.ns},
               "stringData": {"value": "nonsense"}})
    releases.chart(CONFIG)
    releases.quiet(**REMOTE)
    releases.failed("RESTClientError")
    put_kubeconfig(releases, api)
    releases.ready()
