"""HelmReleases of another cluster, by kubeconfig: here the same one, reached as another."""
import re

import pytest

from tests.lib.clouds import clouds  # noqa: F401 - a fixture
from tests.lib.net import wait_until
from tests.lib.releases import (chart_server, config, controller_with, deployment,  # noqa: F401
                                releases)


@pytest.fixture(scope="module")
def google(clouds):
    """It knows of no cluster."""
    clouds.env["GOOGLE_CONTAINER_ENDPOINT"] = clouds.url
    return clouds


helm_controller = controller_with("--insecure-kubeconfig-exec", "--min-retry-delay=50ms",
                                  "--max-retry-delay=500ms", env="google")

CONFIG = {"templates/config.yaml": config("config", {"v": "1"})}
REMOTE = {"kubeConfig": {"secretRef": {"name": "remote"}}}


def put_kubeconfig(releases, api, text=None, name="remote"):
    api.apply({"apiVersion": "v1", "kind": "Secret",
               "metadata": {"name": name, "namespace": releases.ns},
               "stringData": {"value": text or api.kubeconfig.read_text()}})


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
    wait_until(lambda: releases.live("ConfigMap", "config")["data"] == {"v": "1"}, "correction")
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


def drop(releases, api, kind="secrets", name="remote"):
    code, reply = api.rest.call("DELETE", f"/api/v1/namespaces/{releases.ns}/{kind}/{name}")
    assert code == 200, reply


def test_a_wait_goes_on_without_its_kubeconfig(releases, api):
    """As it began; what spec says by then counts afterwards."""
    put_kubeconfig(releases, api)
    releases.chart({"templates/web.yaml": deployment()})
    releases.apply(**REMOTE)
    wait_until(lambda: releases.statuses() == {1: "pending-install"}, "the install to wait")
    drop(releases, api)
    put_kubeconfig(releases, api, name="other")
    releases.apply(kubeConfig={"secretRef": {"name": "other"}})
    releases.make_deployment_ready()
    obj = releases.ready()
    assert releases.statuses() == {1: "deployed"} and obj["status"]["observedGeneration"] == 2


def test_H9_an_uninstallation_goes_on_without_its_kubeconfig(releases, api):
    """Nobody would end it, were it let go in its middle: the hook that comes after would never run."""
    put_kubeconfig(releases, api)
    releases.chart({"templates/config.yaml": config("config", finalizers=["example.com/hold"]),
                    "templates/after.yaml": config("after", annotations={"helm.sh/hook": "post-delete"})})
    releases.quiet(**REMOTE)
    releases.ready()
    releases.objects.delete("HelmRelease", "app")
    wait_until(lambda: releases.statuses() == {1: "uninstalling"}, "the uninstallation to wait")
    drop(releases, api)
    releases.annotate(requestedAt="now")
    wait_until(lambda: releases.live("ConfigMap", "config")["metadata"]["deletionTimestamp"], "the deletion")
    code, reply = api.rest.call("PATCH", releases.path("ConfigMap", "config"), {"metadata": {"finalizers": None}},
                                "application/merge-patch+json")
    assert code == 200, reply
    releases.objects.gone("HelmRelease", "app")
    assert releases.statuses() == {} and releases.live("ConfigMap", "after")


def test_a_wait_stays_where_it_began(releases, api):
    put_kubeconfig(releases, api)
    releases.chart({"templates/web.yaml": deployment()})
    releases.apply(**REMOTE)
    wait_until(lambda: releases.statuses() == {1: "pending-install"}, "the install to wait")
    put_kubeconfig(releases, api, re.sub("server: .*", "server: https://127.0.0.1:1", api.kubeconfig.read_text()))
    releases.annotate(requestedAt="now")  # else it is not read for a while
    releases.make_deployment_ready()
    wait_until(lambda: releases.statuses() == {1: "deployed"}, "the install to end")
    put_kubeconfig(releases, api)


def test_a_kubeconfig_that_is_none(releases, api):
    put_kubeconfig(releases, api, "nonsense")
    releases.chart(CONFIG)
    releases.quiet(**REMOTE)
    releases.failed("RESTClientError")
    put_kubeconfig(releases, api)
    releases.ready()


def test_K95_commands_alone_are_allowed(releases):
    releases.chart(CONFIG)
    releases.kubeconfig(releases.unverified)
    releases.quiet(**REMOTE)
    releases.failed("RESTClientError", "insecure-skip-tls-verify")
    releases.kubeconfig(releases.by_command)
    releases.ready()


def kept(releases, text):
    releases.objects.delete("HelmRelease", "app")
    obj = releases.failed("UninstallFailed", text)
    assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]


def test_H9_a_kubeconfig_that_is_none_orphans_nothing(releases, api):
    releases.chart(CONFIG)
    releases.quiet()
    releases.ready()
    put_kubeconfig(releases, api, "nonsense")
    releases.quiet(**REMOTE)
    kept(releases, "failed to build REST client getter to uninstall release")
    drop(releases, api)
    releases.objects.gone("HelmRelease", "app")
    assert releases.live("ConfigMap", "config")


@pytest.mark.parametrize("settings,text", [
    ({"provider": "generic", "address": "https://127.0.0.1:1"}, "the controller's own service account"),
    ({"provider": "gcp", "cluster": "projects/p/locations/l/clusters/c"}, "404")], ids=["token", "cloud"])
def test_H9_only_this_cluster_says_what_is_gone(releases, api, settings, text):
    """Neither a file of the controller's that is missing nor a cloud that knows of no such cluster does."""
    releases.chart(CONFIG)
    releases.quiet()
    releases.ready()
    api.apply({"apiVersion": "v1", "kind": "ConfigMap",
               "metadata": {"name": "remote", "namespace": releases.ns}, "data": settings})
    releases.quiet(kubeConfig={"configMapRef": {"name": "remote"}})
    kept(releases, text)
    drop(releases, api, "configmaps")
    releases.objects.gone("HelmRelease", "app")
