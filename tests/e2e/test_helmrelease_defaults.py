"""What the daemon's gates and flags make the default of a HelmRelease (helm-controller.md 2, 16, 19)."""
from tests.lib.helm import decode
from tests.lib.releases import (BROKEN, chart_server, config, controller_with,  # noqa: F401
                                releases, template)

helm_controller = controller_with(
    "--min-retry-delay=50ms", "--max-retry-delay=500ms", "--default-service-account=clerk",
    "--feature-gates=UseHelm3Defaults=true,AllowDNSLookups=true,DefaultToRetryOnFailure=true")

GOOD = {"templates/config.yaml": config("config", {"v": "1"})}


def rights(releases, account="clerk"):
    releases.api.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                        "metadata": {"name": account, "namespace": releases.ns},
                        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                                    "name": "cluster-admin"},
                        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": releases.ns}]})


def test_H10_H93_the_default_account(releases):
    """It need not exist to act; who deletes asks for it."""
    releases.chart(GOOD)
    releases.quiet()
    obj = releases.failed("StateError", "forbidden")
    assert f"system:serviceaccount:{releases.ns}:clerk" in releases.condition(obj)["message"]
    rights(releases, "other")
    releases.quiet(serviceAccountName="other")
    releases.ready()
    rights(releases)
    releases.quiet()
    releases.ready()
    releases.delete()
    assert releases.live("ConfigMap", "config")
    releases.quiet("again", releaseName="app")
    releases.ready("again")
    releases.api.apply({"apiVersion": "v1", "kind": "ServiceAccount",
                        "metadata": {"name": "clerk", "namespace": releases.ns}})
    releases.delete("again")
    assert not releases.live("ConfigMap", "config")


def test_H91_client_side_unless_told_otherwise(releases):
    rights(releases)
    releases.chart(GOOD)
    releases.quiet()
    releases.ready()
    releases.quiet("two", install={"serverSideApply": True})
    releases.ready("two")
    assert decode(releases.secrets("two")[0])["apply_method"] == "ssa"
    assert decode(releases.secrets()[0])["apply_method"] == "csa"


def test_the_wait_of_helm_3(releases):
    rights(releases)
    releases.chart({"templates/svc.yaml": template("Service", "svc", spec={
        "type": "LoadBalancer", "ports": [{"port": 80}]})})
    releases.apply(install={"timeout": "2s"})
    releases.failed("InstallFailed", f"Service/{releases.ns}/svc")
    releases.apply("kstatus", install={"timeout": "2s"}, waitStrategy={"name": "poller"})
    releases.ready("kstatus")


def test_names_are_looked_up(releases):
    rights(releases)
    releases.chart({"templates/a.yaml": template("ConfigMap", "a", data={
        "t": "{{ getHostByName \"localhost\" }}"})})
    releases.quiet()
    releases.ready()
    assert releases.live("ConfigMap", "a")["data"]["t"] in ("127.0.0.1", "::1")


def test_H61_a_failure_is_tried_again_by_an_upgrade_where_nothing_else_is_said(releases):
    rights(releases)
    releases.chart({**GOOD, "templates/broken.yaml": BROKEN})
    releases.quiet()
    obj = releases.objects.wait(
        "HelmRelease", "app",
        lambda o: releases.condition(o, "Reconciling").get("reason") == "ProgressingWithRetry", "to retry")
    assert releases.condition(obj, "Reconciling")["message"] == "retrying after 5m0s"
    assert releases.condition(obj, "Stalled") == {}
    releases.quiet("own", install={"strategy": {"name": "RemediateOnFailure"}})
    obj = releases.stalled(name="own")
    assert releases.condition(obj, "Stalled")["message"] == "Failed to install after 1 attempt(s)"


def test_H78_hooks_are_not_rendered(releases):
    """One identity of a hook and a template: no error where hooks are left out."""
    rights(releases)
    hook = config("config", {"v": "2"}, annotations={"helm.sh/hook": "test"})
    releases.chart({**GOOD, "templates/hook.yaml": hook})
    releases.quiet()
    releases.ready()
