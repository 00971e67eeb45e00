"""Hooks, tests of releases, and the real helm upon the same storage."""
import pathlib

import pytest
import yaml

from tests.lib.helm import actions, decode, helm, secrets_of, statuses, write_chart  # noqa: F401
from tests.lib.net import wait_until


def hook(name, events, kind="ConfigMap", weight=None, policy=None):
    annotations = {"helm.sh/hook": events}
    if weight is not None:
        annotations["helm.sh/hook-weight"] = str(weight)
    if policy:
        annotations["helm.sh/hook-delete-policy"] = policy
    obj = {"apiVersion": "v1", "kind": kind,
           "metadata": {"name": name, "annotations": annotations}}
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "job:1"}]}
    if kind == "Job":
        obj.update(apiVersion="batch/v1", spec={"template": {"spec": pod}})
    if kind == "Pod":
        obj["spec"] = pod
    return yaml.safe_dump(obj)


def hook_chart(directory, *hooks, version="1.0.0"):
    files = {f"templates/h{i}.yaml": text for i, text in enumerate(hooks)}
    return write_chart(directory / version, {
        **files, "templates/main.yaml": yaml.safe_dump({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "main"}})},
        version=version)


def get(api, ns, plural, name, group="api/v1"):
    return api.rest.get(f"/{group}/namespaces/{ns}/{plural}/{name}")


def end_job(api, ns, name, condition="Complete"):
    path = f"/apis/batch/v1/namespaces/{ns}/jobs/{name}"
    wait_until(lambda: api.rest.get(path), name)
    stamp = "2026-01-02T03:04:05Z"
    early = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}[condition]
    status = {"startTime": stamp, "conditions": [
        {"type": kind, "status": "True", "lastProbeTime": stamp, "lastTransitionTime": stamp,
         "reason": "x", "message": ""} for kind in (early, condition)]}
    if condition == "Complete":
        status.update(completionTime=stamp, succeeded=1)
    code, reply = api.rest.call("PATCH", path + "/status", {"status": status},
                                "application/merge-patch+json")
    assert code == 200, reply
    return api.rest.get(path)


def end_pod(api, ns, name, phase="Succeeded"):
    path = f"/api/v1/namespaces/{ns}/pods/{name}"
    wait_until(lambda: api.rest.get(path), name)
    code, reply = api.rest.call("PATCH", path + "/status", {"status": {"phase": phase}},
                                "application/merge-patch+json")
    assert code == 200, reply


def hooks_of(record):
    return {h["name"]: h for h in record["hooks"]}


def test_E75_hooks_run_by_weight_then_name(api, actions, ns, tmp_path):
    chart = hook_chart(tmp_path, hook("b", "pre-install", weight=1),
                       hook("a", "pre-install", weight=1), hook("z", "pre-install", weight=-5),
                       hook("x", "pre-install,no-such-event"))
    actions.ok("install", "order", ns, chart=chart)
    record = decode(secrets_of(api, ns, "order")[0])
    runs = hooks_of(record)
    assert sorted(runs, key=lambda n: runs[n]["last_run"]["started_at"]) == ["z", "a", "b"]
    assert all(h["last_run"]["phase"] == "Succeeded" for h in runs.values())
    assert get(api, ns, "configmaps", "x") is None
    assert "managed-by" not in str(get(api, ns, "configmaps", "a")["metadata"])


def test_hooks_are_awaited_before_the_objects(api, actions, ns, tmp_path):
    chart = hook_chart(tmp_path, hook("migrate", "pre-install", "Job"))
    actions.begin("install", "wait", ns, chart=chart, disable_wait=True)
    wait_until(lambda: get(api, ns, "jobs", "migrate", "apis/batch/v1"), "the job")
    assert get(api, ns, "configmaps", "main") is None
    record = decode(secrets_of(api, ns, "wait")[0])
    assert hooks_of(record)["migrate"]["last_run"]["phase"] == "Running"
    end_job(api, ns, "migrate")
    assert actions.end()["state"] == "succeeded"
    assert get(api, ns, "configmaps", "main")


def test_E76_hooks_without_a_policy_are_made_anew(api, actions, ns, tmp_path):
    chart = hook_chart(tmp_path, hook("again", "pre-install,pre-upgrade"),
                       hook("once", "pre-install,pre-upgrade", policy="hook-succeeded"))
    actions.ok("install", "anew", ns, chart=chart)
    first = get(api, ns, "configmaps", "again")["metadata"]["uid"]
    assert get(api, ns, "configmaps", "once") is None
    actions.ok("upgrade", "anew", ns, chart=chart)
    assert get(api, ns, "configmaps", "again")["metadata"]["uid"] != first


def test_E76_failed_hooks_are_cleaned_by_their_policy(api, actions, ns, tmp_path):
    chart = hook_chart(tmp_path, hook("good", "pre-install", weight=-1, policy="hook-succeeded"),
                       hook("stays", "pre-install", weight=-1, policy="hook-failed"),
                       hook("bad", "pre-install", "Job", policy="hook-failed"))
    actions.begin("install", "clean", ns, chart=chart)
    end_job(api, ns, "bad", "Failed")
    answer = actions.end()
    assert answer["state"] == "failed" and answer["status"] == "failed"
    assert answer["error"] == ("failed pre-install: failed early due to stalled resources: "
                               f"[Job/{ns}/bad status: 'Failed': x] [shop/templates/h2.yaml]")
    assert get(api, ns, "configmaps", "good") is None
    assert get(api, ns, "configmaps", "stays")
    assert get(api, ns, "configmaps", "main") is None
    record = decode(secrets_of(api, ns, "clean")[0])
    assert hooks_of(record)["bad"]["last_run"]["phase"] == "Failed"
    wait_until(lambda: get(api, ns, "jobs", "bad", "apis/batch/v1") is None, "the job to be gone")


def test_a_hook_that_never_ends_times_out(api, actions, ns, tmp_path):
    chart = hook_chart(tmp_path, hook("stuck", "post-install", "Job"))
    answer = actions("install", "stuck", ns, chart=chart, timeout_ms=1500)
    assert answer["error"] == ("failed post-install: timeout waiting for: "
                               f"[Job/{ns}/stuck status: 'InProgress': running] [shop/templates/h0.yaml]")
    assert statuses(api, ns, "stuck") == {1: "failed"}


def test_E77_hooks_survive_uninstall(api, actions, ns, tmp_path):
    chart = hook_chart(tmp_path, hook("left", "post-install"), hook("last", "post-delete"))
    actions.ok("install", "left", ns, chart=chart)
    actions.ok("uninstall", "left", ns)
    assert get(api, ns, "configmaps", "main") is None
    assert get(api, ns, "configmaps", "left") and get(api, ns, "configmaps", "last")


def test_H12_a_failing_pre_delete_hook_keeps_the_release(api, actions, ns, tmp_path):
    chart = hook_chart(tmp_path, hook("guard", "pre-delete", "Job"))
    actions.ok("install", "kept", ns, chart=chart)
    actions.begin("uninstall", "kept", ns)
    end_job(api, ns, "guard", "Failed")
    answer = actions.end()
    assert answer["state"] == "failed" and get(api, ns, "configmaps", "main")
    assert statuses(api, ns, "kept") == {1: "uninstalling"}
    actions.ok("uninstall", "kept", ns, disable_hooks=True)
    assert get(api, ns, "configmaps", "main") is None and statuses(api, ns, "kept") == {}


def test_H71_H72_tests_of_a_release(api, actions, ns, tmp_path):
    chart = hook_chart(tmp_path, hook("probe", "test", "Pod"), hook("other", "test-success", "Pod"))
    actions.ok("install", "tested", ns, chart=chart)
    actions.begin("test", "tested", ns, filters=[{"name": "other", "exclude": True}])
    end_pod(api, ns, "probe")
    answer = actions.end()
    assert answer["state"] == "succeeded" and answer["stored"]
    runs = hooks_of(decode(secrets_of(api, ns, "tested")[0]))
    assert runs["probe"]["last_run"]["phase"] == "Succeeded"
    assert runs["other"]["last_run"]["phase"] == "" and runs["other"]["events"] == ["test"]
    actions.begin("test", "tested", ns, filters=[{"name": "other"}])
    end_pod(api, ns, "other", "Failed")
    answer = actions.end()
    assert answer["error"] == ("failed early due to stalled resources: "
                               f"[Pod/{ns}/other status: 'Failed'] [shop/templates/h1.yaml]")
    runs = hooks_of(decode(secrets_of(api, ns, "tested")[0]))
    assert runs["other"]["last_run"]["phase"] == "Failed"
    assert statuses(api, ns, "tested") == {1: "deployed"}


def test_E79_real_helm_reads_and_goes_on_with_ours(api, actions, helm, ns, tmp_path):
    chart = hook_chart(tmp_path, hook("note", "post-install"))
    actions.ok("install", "mine", ns, chart=chart, values={"a": {"b": 1.5, "c": [1, True, None]}})
    [row] = helm.json("list", "-n", ns)
    assert (row["name"], row["revision"], row["status"], row["chart"]) == \
        ("mine", "1", "deployed", "shop-1.0.0")
    assert helm.json("get", "values", "mine", "-n", ns) == {"a": {"b": 1.5, "c": [1, True, None]}}
    record = decode(secrets_of(api, ns, "mine")[0])
    assert helm("get", "manifest", "mine", "-n", ns).strip() == record["manifest"].strip()
    assert "name: note" in helm("get", "hooks", "mine", "-n", ns)
    actions.ok("upgrade", "mine", ns, chart=hook_chart(tmp_path, version="2.0.0"))
    assert [(r["revision"], r["status"], r["description"])
            for r in helm.json("history", "mine", "-n", ns)] == [
        (1, "superseded", "Install complete"), (2, "deployed", "Upgrade complete")]
    helm("rollback", "mine", "1", "-n", ns)
    assert statuses(api, ns, "mine") == {1: "superseded", 2: "superseded", 3: "deployed"}
    actions.ok("upgrade", "mine", ns, chart=chart)
    helm("uninstall", "mine", "-n", ns)
    assert statuses(api, ns, "mine") == {} and get(api, ns, "configmaps", "main") is None


def test_E79_ours_goes_on_with_real_helms(api, actions, helm, ns, tmp_path):
    chart = hook_chart(tmp_path)
    helm("install", "theirs", chart, "-n", ns, "--set", "a=b", "--labels", "team=x")
    actions.ok("upgrade", "theirs", ns, chart=hook_chart(tmp_path, version="2.0.0"))
    actions.ok("rollback", "theirs", ns, to_version=1)
    assert helm.json("get", "values", "theirs", "-n", ns) == {"a": "b"}
    assert all(s["metadata"]["labels"]["team"] == "x" for s in secrets_of(api, ns, "theirs"))
    helm("upgrade", "theirs", chart, "-n", ns)
    actions.ok("uninstall", "theirs", ns)
    assert helm.json("list", "-n", ns) == []


LOCKS = ["generated: \"2026-01-02T03:04:05.678+02:00\"\ndigest: sha256:ab\n"
         "dependencies: [{name: a, version: 1.2, repository: ''}]\n",
         "generated: 7\ndependencies: {a: b}\n", "- x\n", "{", "generated: 2026-01-02\n"]


@pytest.mark.parametrize("lock", LOCKS)
def test_E79_real_helm_reads_records_with_any_lock(api, actions, helm, ns, tmp_path, lock):
    chart = hook_chart(tmp_path)
    pathlib.Path(chart, "Chart.lock").write_text(lock)
    actions.ok("install", "locked", ns, chart=chart)
    assert "kind: ConfigMap" in helm("get", "manifest", "locked", "-n", ns)
    if lock == LOCKS[0]:
        assert decode(secrets_of(api, ns, "locked")[0])["chart"]["lock"] == {
            "generated": "2026-01-02T03:04:05.678+02:00", "digest": "sha256:ab",
            "dependencies": [{"name": "a", "version": "1.2", "repository": ""}]}
