"""HelmReleases while the API server says no: nothing is installed or upgraded twice."""
import pytest

from tests.e2e.test_helmrelease_requests import steered
from tests.lib.fault import lose_reply, status
from tests.lib.releases import (QUICK, chart_server, config, controller_with,  # noqa: F401
                                releases)


helm_controller = controller_with(*QUICK, server="proxied")


BUSY = status(429, "TooManyRequests", headers={"Retry-After": "1"})


@pytest.mark.parametrize("fault", [status(500, "InternalError"), status(409, "Conflict"), BUSY],
                         ids=["500", "409", "429"])
def test_a_status_that_cannot_be_written_costs_no_second_upgrade(releases, proxied, fault):
    releases.chart({"templates/a.yaml": config("a")})
    releases.quiet()
    releases.ready()
    rule = proxied.proxy.on(fault, times=8, method="PUT",
                            path=f"/namespaces/{releases.ns}/helmreleases/app/status")
    releases.quiet(values={"a": "b"})
    releases.ready(version=2)  # what the server asks for adds up
    proxied.proxy.off(rule)
    assert rule.hits > 0
    assert releases.statuses() == {1: "superseded", 2: "deployed"}
    assert releases.rerun()["status"]["history"][0]["version"] == 2


def install_while_busy(releases, proxied, path, method):
    releases.chart({"templates/a.yaml": config("a"), "templates/b.yaml": config("b")})
    rule = proxied.proxy.on(BUSY, times=3, method=method,
                            path=f"/namespaces/{releases.ns}{path}")
    releases.quiet()
    obj = releases.ready()
    proxied.proxy.off(rule)
    assert rule.hits > 0 and "failures" not in obj["status"]
    assert releases.statuses() == {1: "deployed"}


@pytest.mark.parametrize("path,method", [
    (r"/secrets$", "POST"), (r"/configmaps/", "PATCH"), (r"/secrets/", "PUT")],
    ids=["store", "apply", "finish"])
def test_a_server_that_has_too_much_to_do(releases, proxied, path, method):
    install_while_busy(releases, proxied, path, method)


def test_a_server_that_has_too_much_to_do_lists_later(releases, proxied, helm_controller):
    """Releases are listed where they may not be watched."""
    with steered(proxied.proxy, helm_controller, status(403, "Forbidden")):
        install_while_busy(releases, proxied, r"/secrets", "GET")


@pytest.mark.parametrize("path,method", [
    (r"/secrets$", "POST"), (r"/configmaps/a", "PATCH"), (r"/secrets/", "PUT"),
    (r"/helmreleases/app/status", "PUT")], ids=["store", "apply", "finish", "status"])
def test_replies_that_are_lost(releases, proxied, path, method):
    releases.chart({"templates/a.yaml": config("a")})
    rule = proxied.proxy.on(lose_reply(), times=1, method=method,
                            path=f"/namespaces/{releases.ns}{path}")
    releases.quiet(install={"remediation": {"retries": 3}})
    releases.ready()
    proxied.proxy.off(rule)
    assert rule.hits > 0
    assert list(releases.statuses().values()).count("deployed") == 1
    assert not [s for s in releases.statuses().values() if s.startswith("pending")]


def test_H10_an_account_that_cannot_be_asked_for_orphans_nothing(releases, proxied):
    releases.api.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "clerk", "namespace": releases.ns}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
         "metadata": {"name": "clerk", "namespace": releases.ns},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
         "subjects": [{"kind": "ServiceAccount", "name": "clerk", "namespace": releases.ns}]})
    releases.chart({"templates/a.yaml": config("a")})
    releases.quiet(serviceAccountName="clerk")
    releases.ready()
    rule = proxied.proxy.on(status(403, "Forbidden"), method="GET",
                            path=f"/namespaces/{releases.ns}/serviceaccounts/clerk")
    releases.objects.delete("HelmRelease", "app")
    obj = releases.failed("UninstallFailed", "failed to confirm that the ServiceAccount can be used")
    assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
    proxied.proxy.off(rule)
    releases.objects.gone("HelmRelease", "app")
    assert not releases.live("ConfigMap", "a")
