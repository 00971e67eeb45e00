"""What spec.install, upgrade, rollback, uninstall and others of a HelmRelease make of an action (helm-controller.md
2, 7): each with and without, seen in the cluster."""
import pytest

from tests.lib.helm import decode
from tests.lib.net import wait_until
from tests.lib.releases import (BROKEN, VALUES_CONFIG, chart_server, config, controller_with,  # noqa: F401
                                deployment, job_hook, releases, template)

helm_controller = controller_with("--min-retry-delay=50ms", "--max-retry-delay=500ms")

GOOD = {"templates/config.yaml": config("config", {"v": "1"})}
ONCE = {"remediation": {"retries": 0}}
BACK = {"remediation": {"retries": 0, "remediateLastFailure": True}}
JOB = job_hook("job", "x").replace("helm.sh/hook: x", "a: b")
# Refused by the API server, when all else of the upgrade is done.
BROKEN_HOOK = template("ConfigMap", "broken", annotations={"helm.sh/hook": "post-upgrade"}, data={"k": ["no text"]})
HELD = template("ConfigMap", "config", data={"v": "1"}).replace(
    "  name: config\n", "  name: config\n  finalizers: [example.com/hold]\n")


def patch(releases, body, kind="ConfigMap", name="config", part=""):
    code, reply = releases.api.rest.call("PATCH", releases.path(kind, name) + part + "?fieldManager=somebody",
                                         body, "application/merge-patch+json")
    assert code == 200, reply


@pytest.mark.parametrize("action,reason", [("install", "InstallFailed"), ("upgrade", "UpgradeFailed")])
@pytest.mark.parametrize("takes", [True, False])
def test_disableTakeOwnership(releases, takes, action, reason):
    options = {action: {"disableTakeOwnership": not takes, **ONCE}}
    if action == "upgrade":
        releases.chart({"templates/other.yaml": config("other")}, name="before")
        releases.quiet(chart="before", **options)
        releases.ready()
    releases.api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "config", "namespace": releases.ns}, "data": {"v": "foreign"}})
    releases.chart(GOOD, version="2.0.0")
    releases.quiet(**options)
    if takes:
        releases.ready()
    else:
        releases.failed(reason, "cannot be imported into the current release")
    assert releases.live("ConfigMap", "config")["data"]["v"] == ("1" if takes else "foreign")


@pytest.mark.parametrize("cleans", [True, False])
def test_cleanupOnFail(releases, cleans):
    releases.chart(GOOD)
    releases.quiet(upgrade={"cleanupOnFail": cleans})
    releases.ready()
    releases.chart({**GOOD, "templates/new.yaml": config("new"), "templates/broken.yaml": BROKEN},
                   version="2.0.0")
    releases.stalled()
    assert bool(releases.live("ConfigMap", "new")) != cleans
    assert releases.live("ConfigMap", "config")


@pytest.mark.parametrize("cleans", [True, False])
def test_cleanupOnFail_of_an_upgrade_whose_wait_fails(releases, cleans):
    releases.chart(GOOD)
    releases.apply(upgrade={"cleanupOnFail": cleans, "timeout": "1s"})
    releases.ready()
    releases.chart({**GOOD, "templates/web.yaml": deployment()}, version="2.0.0")
    releases.stalled()
    assert bool(releases.live("Deployment", "web")) != cleans
    assert releases.live("ConfigMap", "config")


def rolls_back(releases, first, second=None, **rollback):
    """The HelmRelease when a rollback to `first` has ended; the upgrade has removed what `second` has not."""
    releases.chart(first)
    releases.quiet(upgrade=BACK, rollback=rollback)
    releases.ready()
    releases.chart({**(second or GOOD), "templates/broken.yaml": BROKEN_HOOK}, version="2.0.0")
    return lambda: releases.objects.wait("HelmRelease", "app", lambda o: releases.condition(o, "Remediated"),
                                         "a rollback")


@pytest.mark.parametrize("cleans", [True, False])
def test_cleanupOnFail_of_a_rollback(releases, cleans):
    """spec.rollback says it, not spec.upgrade. What the rollback made goes, what it found stays."""
    fixed = template("ConfigMap", "config", data={"v": "2"}, immutable=True)
    ended = rolls_back(releases, {**GOOD, "templates/new.yaml": config("new")},
                       {"templates/config.yaml": fixed}, cleanupOnFail=cleans)
    told = releases.condition(ended(), "Remediated")
    assert told["reason"] == "RollbackFailed" and "immutable" in told["message"]
    assert bool(releases.live("ConfigMap", "new")) != cleans
    assert releases.live("ConfigMap", "config")["data"] == {"v": "2"}
    assert releases.statuses() == {1: "deployed", 2: "superseded", 3: "failed"}


def test_cleanupOnFail_of_a_rollback_is_for_what_could_not_be_applied(releases):
    """What was applied whole and is only not ready in time is not taken away."""
    ended = rolls_back(releases, {**GOOD, "templates/web.yaml": deployment()}, cleanupOnFail=True, timeout="1s")
    told = releases.condition(ended(), "Remediated")
    assert told["reason"] == "RollbackFailed" and "timeout waiting for" in told["message"]
    assert releases.live("Deployment", "web") and releases.live("ConfigMap", "config")


@pytest.mark.parametrize("how", ["background", "foreground", "orphan"])
def test_deletionPropagation(releases, how):
    """The object is held, so that it tells how it is deleted; so is its dependent."""
    releases.chart({"templates/config.yaml": HELD})
    releases.quiet(uninstall={"deletionPropagation": how, "disableWait": True})
    releases.ready()
    uid = releases.live("ConfigMap", "config")["metadata"]["uid"]
    releases.api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "child", "namespace": releases.ns, "finalizers": ["example.com/hold"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "config", "uid": uid,
                             "blockOwnerDeletion": True}]}})
    releases.delete()
    said = releases.live("ConfigMap", "config")["metadata"]
    assert said["deletionTimestamp"]

    def orphaned():
        owner = releases.live("ConfigMap", "config")["metadata"].get("finalizers", [])
        return "orphan" in owner or \
            not releases.live("ConfigMap", "child")["metadata"].get("ownerReferences")
    assert orphaned() == (how == "orphan")
    assert ("foregroundDeletion" in said["finalizers"]) == (how == "foreground")
    for name in ("config", "child"):
        patch(releases, {"metadata": {"finalizers": None}}, name=name)


def test_H8_a_record_that_goes_amid_the_uninstall_leaves_no_objects(releases):
    releases.chart({**GOOD, "templates/gate.yaml": job_hook("gate", "pre-delete")})
    releases.quiet()
    releases.ready()
    releases.objects.delete("HelmRelease", "app")
    wait_until(lambda: releases.live("Job", "gate"), "the hook to run")
    assert releases.api.rest.call("DELETE", releases.path("Secret", "sh.helm.release.v1.app.v1"))[0] == 200
    releases.end_job("gate")
    releases.objects.gone("HelmRelease", "app")
    assert not releases.live("ConfigMap", "config")


@pytest.mark.parametrize("keeps", [True, False])
def test_preserveValues(releases, keeps):
    releases.chart({"templates/values.yaml": VALUES_CONFIG})
    releases.quiet(values={"a": 1})
    releases.ready()
    releases.quiet(values={"b": 2}, upgrade={"preserveValues": keeps})
    wanted = '{"a":1,"b":2}' if keeps else '{"b":2}'
    wait_until(lambda: releases.live("ConfigMap", "app-values")["data"]["values"] == wanted, "the values")


@pytest.mark.parametrize("lenient", [True, False])
def test_disableOpenAPIValidation(releases, lenient):
    releases.chart({"templates/odd.yaml": template("ConfigMap", "odd", data={"v": "1"}, unknownField="x")})
    releases.quiet(install={"serverSideApply": False, "disableOpenAPIValidation": lenient, **ONCE})
    if lenient:
        releases.ready()
    else:
        releases.failed("InstallFailed", "unknownField")


@pytest.mark.parametrize("lenient", [True, False])
def test_disableSchemaValidation(releases, lenient):
    releases.chart({**GOOD, "values.schema.json": '{"required": ["must"]}'})
    releases.quiet(install={"disableSchemaValidation": lenient})
    if lenient:
        releases.ready()
    else:
        releases.failed("InstallFailed", "must")


def start_job(releases):
    """What the Job controller would do first."""
    wait_until(lambda: releases.live("Job", "job"), "the job")
    patch(releases, {"status": {"startTime": "2026-01-02T03:04:05Z", "active": 1}}, "Job", "job", "/status")


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("action,reason", [("install", "InstallFailed"), ("upgrade", "UpgradeFailed")])
def test_disableWaitForJobs(releases, action, reason, waits):
    """A Job that has begun is enough, or has to end; each action says it for itself."""
    says = {"install": {"disableWaitForJobs": waits, **ONCE}, "upgrade": {"disableWaitForJobs": waits, **ONCE}}
    says[action] = {"disableWaitForJobs": not waits, **({"timeout": "3s"} if waits else {}), **ONCE}
    if action == "upgrade":
        releases.chart(GOOD, name="before")
        releases.apply("app", chart="before", **says)
        releases.ready()
    releases.chart({"templates/job.yaml": JOB}, version="2.0.0")
    releases.apply("app", **says)
    start_job(releases)
    if waits:
        releases.failed(reason, f"Job/{releases.ns}/job status: 'InProgress'")
    else:
        releases.ready(version=2 if action == "upgrade" else 1)


@pytest.mark.parametrize("waits", [False, True])
def test_disableWaitForJobs_of_a_rollback(releases, waits):
    ended = rolls_back(releases, {**GOOD, "templates/job.yaml": JOB}, disableWaitForJobs=not waits,
                       **({"timeout": "3s"} if waits else {}))
    wait_until(lambda: 3 in releases.statuses(), "the rollback's revision")
    start_job(releases)
    told = releases.condition(ended(), "Remediated")
    assert told["reason"] == ("RollbackFailed" if waits else "RollbackSucceeded")
    assert ("InProgress" in told["message"]) == waits


@pytest.mark.parametrize("kept,versions", [(1, [2, 3]), (2, [2, 3]), (3, [1, 2, 3])])
def test_maxHistory(releases, kept, versions):
    """What is deployed when a revision is stored is spared."""
    releases.chart(GOOD)
    for version in (1, 2, 3):
        releases.quiet(values={"n": version}, maxHistory=kept)
        releases.ready(version=version)
    assert sorted(releases.statuses()) == versions


def test_E80_maxHistory_of_one_after_a_failed_install(releases):
    """Nothing is deployed, so nothing is spared: the base of the upgrade is pruned before it ends."""
    releases.chart({**GOOD, "templates/broken.yaml": BROKEN})
    releases.quiet(maxHistory=1)
    releases.stalled()
    releases.chart(GOOD, version="2.0.0")
    releases.ready(version=2)
    assert releases.statuses() == {2: "deployed"}


@pytest.mark.parametrize("name", ["legacy", "poller"])
def test_waitStrategy(releases, name):
    """kstatus is content with an address in the cluster, the legacy rules want one of the balancer."""
    releases.chart({"templates/svc.yaml": template("Service", "svc", spec={
        "type": "LoadBalancer", "ports": [{"port": 80}]})})
    releases.apply(waitStrategy={"name": name}, install={"timeout": "2s", **ONCE})
    if name == "poller":
        releases.ready()
    else:
        releases.failed("InstallFailed", f"Service/{releases.ns}/svc")


@pytest.mark.parametrize("forces", [True, False])
def test_force_puts_in_place_of_a_merge(releases, forces):
    releases.chart(GOOD)
    releases.quiet(install={"serverSideApply": False})
    releases.ready()
    patch(releases, {"data": {"extra": "1"}})
    releases.quiet(install={"serverSideApply": False}, upgrade={"force": forces}, values={"a": 1})
    releases.ready(version=2)
    assert ("extra" in releases.live("ConfigMap", "config")["data"]) != forces


@pytest.mark.parametrize("first,said,then", [
    (False, "auto", "csa"), (True, "auto", "ssa"), (False, "enabled", "ssa"), (True, "disabled", "csa")])
def test_H91_serverSideApply_of_an_upgrade(releases, first, said, then):
    releases.chart(GOOD)
    releases.quiet(install={"serverSideApply": first})
    releases.ready()
    releases.quiet(install={"serverSideApply": first}, upgrade={"serverSideApply": said}, values={"a": 1})
    releases.ready(version=2)
    assert [decode(s)["apply_method"] for s in releases.secrets()] == ["ssa" if first else "csa", then]


@pytest.mark.parametrize("action", ["install", "upgrade"])
def test_disableHooks(releases, action):
    releases.chart({**GOOD, "templates/hook.yaml": job_hook("hook", f"pre-{action}")})
    releases.quiet(**{action: {"disableHooks": True}})
    releases.ready()
    releases.quiet(**{action: {"disableHooks": True}}, values={"a": 1})
    releases.ready(version=2)
    assert not releases.live("Job", "hook")


def test_disableHooks_of_a_rollback(releases):
    """spec.rollback says it, not spec.upgrade, whose hooks run."""
    releases.chart({**GOOD, "templates/hook.yaml": job_hook("hook", "pre-rollback")})
    releases.quiet(rollback={"disableHooks": True, "disableWait": True},
                   upgrade={"remediation": {"retries": 0, "remediateLastFailure": True}})
    releases.ready()
    releases.chart({**GOOD, "templates/hook.yaml": job_hook("hook", "pre-rollback"),
                    "templates/broken.yaml": BROKEN}, version="2.0.0")
    obj = releases.stalled()
    assert releases.condition(obj)["reason"] == "RollbackSucceeded"
    assert not releases.live("Job", "hook")


def test_the_timeout_of_a_test(releases):
    releases.chart({**GOOD, "templates/check.yaml": job_hook("check", "test")})
    releases.quiet(test={"enable": True, "timeout": "1s"}, timeout="5m")
    obj = releases.stalled()
    assert "timeout waiting for" in releases.condition(obj, "TestSuccess")["message"]


def test_the_timeout_of_an_upgrade(releases):
    releases.chart(GOOD)
    releases.quiet()
    releases.ready()
    releases.chart({"templates/web.yaml": deployment()}, version="2.0.0", name="next")
    releases.apply(chart="next", upgrade={"timeout": "1s"}, install={"timeout": "5m"})
    obj = releases.stalled()
    assert "timeout waiting for" in releases.condition(obj, "Released")["message"]


@pytest.mark.parametrize("rollback,reason", [
    ({"timeout": "1s"}, "RollbackFailed"), ({"disableWait": True}, "RollbackSucceeded")],
    ids=["timeout", "disableWait"])
def test_the_wait_of_a_rollback(releases, rollback, reason):
    """For what nobody makes ready; spec.upgrade waits for nothing."""
    web = {"templates/web.yaml": deployment()}
    releases.chart(web)
    releases.quiet(rollback=rollback, upgrade={"timeout": "5m", "remediation": {
        "retries": 0, "remediateLastFailure": True}})
    releases.ready()
    releases.chart({**web, "templates/broken.yaml": BROKEN}, version="2.0.0")
    obj = releases.objects.wait("HelmRelease", "app", lambda o: releases.condition(o, "Remediated"), "a rollback")
    remediated = releases.condition(obj, "Remediated")
    assert remediated["reason"] == reason
    assert ("timeout waiting for" in remediated["message"]) == ("timeout" in rollback)


def test_the_timeout_of_an_uninstall(releases):
    releases.chart({"templates/config.yaml": HELD})
    releases.quiet(uninstall={"timeout": "1s"}, timeout="5m")
    releases.ready()
    releases.objects.delete("HelmRelease", "app")
    assert "termination timeout" in releases.event("Helm uninstall failed", reason="UninstallFailed")[2]
    patch(releases, {"metadata": {"finalizers": None}})
    releases.objects.gone("HelmRelease", "app")


@pytest.mark.parametrize("first,second,says,then", [
    (False, "enabled", "auto", "csa"), (True, "disabled", "auto", "ssa"), (False, "disabled", "enabled", "ssa")])
def test_H91_serverSideApply_of_a_rollback(releases, first, second, says, then):
    """auto: as the revision was applied that it goes back to, not the one that failed."""
    releases.chart(GOOD)
    releases.quiet(install={"serverSideApply": first}, rollback={"disableWait": True, "serverSideApply": says},
                   upgrade={"serverSideApply": second, "disableOpenAPIValidation": True,
                            "remediation": {"retries": 0, "remediateLastFailure": True}})
    releases.ready()
    releases.chart({"templates/config.yaml": config("config", {"v": "2"}), "templates/broken.yaml": BROKEN},
                   version="2.0.0")
    releases.stalled()
    methods = [decode(s)["apply_method"] for s in releases.secrets()]
    assert methods == ["ssa" if first else "csa", "ssa" if second == "enabled" else "csa", then]
    assert releases.live("ConfigMap", "config")["data"] == {"v": "1"}


@pytest.mark.parametrize("forces", [True, False])
def test_force_of_a_rollback(releases, forces):
    releases.chart(GOOD)
    releases.quiet(install={"serverSideApply": False}, rollback={"disableWait": True, "force": forces},
                   upgrade={"disableOpenAPIValidation": True,
                            "remediation": {"retries": 0, "remediateLastFailure": True}})
    releases.ready()
    patch(releases, {"data": {"extra": "1"}})
    releases.chart({"templates/config.yaml": config("config", {"v": "2"}), "templates/broken.yaml": BROKEN},
                   version="2.0.0")
    obj = releases.stalled()
    assert releases.condition(obj)["reason"] == "RollbackSucceeded"
    assert ("extra" in releases.live("ConfigMap", "config")["data"]) != forces


def test_recreate_of_a_rollback_is_told_of(releases, helm_controller):
    releases.chart(GOOD)
    releases.quiet(rollback={"recreate": True})
    releases.ready()
    lines = [line for line in helm_controller.log().splitlines() if "spec.rollback.recreate" in line]
    assert lines and all(f'"namespace":"{releases.ns}"' in line for line in lines)


def test_H86_health_expressions_are_asked(releases):
    """Of a kind that is ready without them."""
    releases.chart(GOOD)
    releases.apply(healthCheckExprs=[{"apiVersion": "v1", "kind": "ConfigMap",
                                      "failed": "data.v == '1'", "current": "data.v == '2'"}])
    obj = releases.stalled()
    assert "failed early" in releases.condition(obj)["message"]


@pytest.mark.parametrize("renderers,image", [
    ([{"images": [{"name": "web", "newTag": "2"}]}], "web:2"),
    ([{"images": [{"name": "web", "newName": "other"}]}, {"images": [{"name": "other", "newTag": "3"}]}], "other:3"),
    ([{"images": [{"name": "other", "newTag": "3"}]}, {"images": [{"name": "web", "newName": "other"}]}], "other:1")])
def test_H76_images_and_their_order(releases, renderers, image):
    releases.chart({"templates/web.yaml": deployment()})
    releases.quiet(postRenderers=[{"kustomize": k} for k in renderers])
    releases.ready()
    spec = releases.live("Deployment", "web")["spec"]["template"]["spec"]
    assert spec["containers"][0]["image"] == image
