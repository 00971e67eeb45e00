"""Actions upon releases (helm-engine.md 12-14), below the controller."""
import base64
import json
import os

import pytest
import yaml

from tests.lib.apps import put_status
from tests.lib.helm import actions, decode, encode, secrets_of, statuses, write_chart  # noqa: F401
from tests.lib.net import wait_until

CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-config
  labels: {helm.toolkit.fluxcd.io/name: {{ .Release.Name }}, \
helm.toolkit.fluxcd.io/namespace: {{ .Release.Namespace }}}
data:
  greeting: {{ .Values.greeting | quote }}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-web
  labels: {helm.toolkit.fluxcd.io/name: {{ .Release.Name }}, \
helm.toolkit.fluxcd.io/namespace: {{ .Release.Namespace }}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "web:1"}]
"""
CHART = {"values.yaml": "greeting: hello\n", "templates/config.yaml": CONFIGMAP,
         "templates/web.yaml": DEPLOYMENT, "templates/NOTES.txt": "Hi {{ .Release.Name }}.\n"}


@pytest.fixture
def chart(tmp_path):
    return write_chart(tmp_path / "shop", CHART)


def get(api, ns, plural, name, group="api/v1"):
    return api.rest.get(f"/{group}/namespaces/{ns}/{plural}/{name}")


def make_ready(api, ns, name):
    """What the Deployment controller would do."""
    path = f"/apis/apps/v1/namespaces/{ns}/deployments/{name}"
    wait_until(lambda: api.rest.get(path), name)
    put_status(api, path, {
        "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
        "availableReplicas": 1, "conditions": [
            {"type": "Available", "status": "True", "reason": "x", "message": ""},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
             "message": ""}]})


def test_H48_install_stores_applies_and_deploys(api, actions, ns, chart):
    answer = actions.ok("install", "one", ns, chart=chart, values={"greeting": "hey"},
                        disable_wait=True, name_free=True)
    assert answer["version"] == 1 and answer["status"] == "deployed"
    assert answer["requests"] == {"GET 200": answer["requests"]["GET 200"], "POST 201": 1,
                                  "APPLY 201": 2, "PUT 200": 1}
    config = get(api, ns, "configmaps", "one-config")
    assert config["data"] == {"greeting": "hey"}
    assert config["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
    assert config["metadata"]["annotations"] == {
        "meta.helm.sh/release-name": "one", "meta.helm.sh/release-namespace": ns}
    [secret] = secrets_of(api, ns, "one")
    assert secret["type"] == "helm.sh/release.v1"
    assert secret["metadata"]["name"] == "sh.helm.release.v1.one.v1"
    assert secret["metadata"]["labels"]["status"] == "deployed"
    record = decode(secret)
    assert record["config"] == {"greeting": "hey"} and record["apply_method"] == "ssa"
    assert record["info"]["description"] == "Install complete"
    assert record["info"]["notes"] == "Hi one.\n"
    assert "managed-by" not in record["manifest"]


def test_H48_install_waits_for_the_deployment(api, actions, ns, chart):
    actions.begin("install", "slow", ns, chart=chart)
    wait_until(lambda: statuses(api, ns, "slow") == {1: "pending-install"}, "pending-install")
    make_ready(api, ns, "slow-web")
    answer = actions.end()
    assert answer["state"] == "succeeded", answer
    assert statuses(api, ns, "slow") == {1: "deployed"}


def quiet(chart, **options):
    """Without waiting: nobody runs Deployments here."""
    return {"chart": chart, "disable_wait": True, **options}


def config_chart(directory, version="1.0.0", extra=None, **data):
    """A chart of one ConfigMap and what `extra` adds."""
    files = {"templates/config.yaml": yaml.safe_dump({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"}, "data": data})}
    return write_chart(directory / version, {**files, **(extra or {})}, version=version)


def config_map(name, annotations=None, **data):
    return yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
                           "metadata": {"name": name, "annotations": annotations or {}}})


BROKEN = yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "broken"},
                         "unknownField": {"a": "b"}})


def test_upgrade_supersedes_and_removes(api, actions, ns, tmp_path):
    first = config_chart(tmp_path, "1.0.0", {"templates/old.yaml": config_map("old")}, a="1")
    second = config_chart(tmp_path, "2.0.0", {"templates/new.yaml": config_map("new")}, a="2")
    actions.ok("install", "up", ns, **quiet(first))
    answer = actions.ok("upgrade", "up", ns, **quiet(second))
    assert answer["version"] == 2 and answer["status"] == "deployed"
    assert statuses(api, ns, "up") == {1: "superseded", 2: "deployed"}
    assert get(api, ns, "configmaps", "config")["data"] == {"a": "2"}
    assert get(api, ns, "configmaps", "old") is None
    assert get(api, ns, "configmaps", "new")
    one, two = (decode(s) for s in secrets_of(api, ns, "up"))
    assert two["info"]["first_deployed"] == one["info"]["first_deployed"]
    assert two["info"]["description"] == "Upgrade complete"


def test_E78_resource_policy_keep(api, actions, ns, tmp_path):
    keep = {"helm.sh/resource-policy": "keep"}
    first = config_chart(tmp_path, "1.0.0", {"templates/k.yaml": config_map("kept", keep)})
    second = config_chart(tmp_path, "2.0.0", {"templates/m.yaml": config_map("kept-too", keep)})
    actions.ok("install", "keep", ns, **quiet(first))
    actions.ok("upgrade", "keep", ns, **quiet(second))
    assert get(api, ns, "configmaps", "kept")
    actions.ok("uninstall", "keep", ns)
    assert get(api, ns, "configmaps", "kept-too")
    assert get(api, ns, "configmaps", "config") is None


def test_E80_pruning_spares_the_deployed(api, actions, ns, tmp_path):
    good, bad = config_chart(tmp_path, "1.0.0"), config_chart(
        tmp_path, "2.0.0", {"templates/b.yaml": BROKEN})
    actions.ok("install", "prune", ns, **quiet(good))
    for _ in range(6):
        assert actions("upgrade", "prune", ns, **quiet(bad, max_history=5))["state"] == "failed"
    assert statuses(api, ns, "prune") == {1: "deployed", 4: "failed", 5: "failed", 6: "failed",
                                          7: "failed"}


def test_E81_pending_blocks_upgrade(api, actions, ns, tmp_path):
    chart = config_chart(tmp_path)
    actions.ok("install", "locked", ns, **quiet(chart))
    [secret] = secrets_of(api, ns, "locked")
    record = decode(secret)
    record["info"]["status"] = "pending-upgrade"
    api.apply({"apiVersion": "v1", "kind": "Secret", "type": secret["type"],
               "metadata": {"name": secret["metadata"]["name"], "namespace": ns,
                            "labels": {"status": "pending-upgrade"}},
               "data": {"release": encode(record)}})
    answer = actions("upgrade", "locked", ns, **quiet(chart))
    assert answer["error"] == "another operation (install/upgrade/rollback) is in progress"
    assert not answer["stored"]


def test_E82_failed_upgrade_leaves_the_old_deployed(api, actions, ns, tmp_path):
    good = config_chart(tmp_path, "1.0.0", a="1")
    bad = config_chart(tmp_path, "2.0.0", {
        "templates/b.yaml": BROKEN, "templates/fresh.yaml": config_map("fresh")}, a="2")
    actions.ok("install", "half", ns, **quiet(good))
    answer = actions("upgrade", "half", ns, **quiet(bad, cleanup_on_fail=True))
    assert answer["state"] == "failed" and answer["stored"] and answer["status"] == "failed"
    assert statuses(api, ns, "half") == {1: "deployed", 2: "failed"}
    assert get(api, ns, "configmaps", "fresh") is None
    description = decode(secrets_of(api, ns, "half")[1])["info"]["description"]
    assert description.startswith('Upgrade "half" failed: ')


def test_E85_unknown_field_is_refused_and_names_its_template(api, actions, ns, tmp_path):
    bad = config_chart(tmp_path, "1.0.0", {"templates/b.yaml": BROKEN})
    answer = actions("install", "strict", ns, **quiet(bad))
    assert answer["state"] == "failed" and answer["stored"]
    assert f"server-side apply failed for object {ns}/broken /v1, Kind=ConfigMap: " \
        in answer["error"]
    assert "unknownField" in answer["error"]
    assert answer["error"].endswith("[shop/templates/b.yaml]")
    assert statuses(api, ns, "strict") == {1: "failed"}
    assert answer["error"] in answer["log"]


def test_E86_foreign_objects(api, actions, ns, tmp_path):
    api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config",
                                                                     "namespace": ns},
               "data": {"a": "theirs"}})
    chart = config_chart(tmp_path, a="ours")
    answer = actions("install", "adopt", ns, **quiet(chart, take_ownership=False))
    assert answer["error"].startswith(
        f'unable to continue with install: ConfigMap "config" in namespace "{ns}" exists and '
        'cannot be imported into the current release: invalid ownership metadata; label '
        'validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"; ')
    assert not answer["stored"] and statuses(api, ns, "adopt") == {}
    assert get(api, ns, "configmaps", "config")["data"] == {"a": "theirs"}
    actions.ok("install", "adopt", ns, **quiet(chart))
    assert get(api, ns, "configmaps", "config")["data"] == {"a": "ours"}


def test_E87_rollback_applies_what_was_stored(api, actions, ns, tmp_path):
    first, second = (config_chart(tmp_path, v, a=v) for v in ("1.0.0", "2.0.0"))
    actions.ok("install", "back", ns, **quiet(first))
    actions.ok("upgrade", "back", ns, **quiet(second))
    answer = actions.ok("rollback", "back", ns, to_version=1, disable_wait=True)
    assert answer["version"] == 3
    assert statuses(api, ns, "back") == {1: "superseded", 2: "superseded", 3: "deployed"}
    assert get(api, ns, "configmaps", "config")["data"] == {"a": "1.0.0"}
    one, _, three = (decode(s) for s in secrets_of(api, ns, "back"))
    assert three["manifest"] == one["manifest"] and three["chart"] == one["chart"]
    assert three["info"]["description"] == "Rollback to 1"
    answer = actions("rollback", "back", ns, to_version=9)
    assert answer["error"] == "release has no 9 version" and not answer["stored"]


def test_uninstall_purges_or_keeps_history(api, actions, ns, tmp_path):
    chart = config_chart(tmp_path)
    actions.ok("install", "gone", ns, **quiet(chart))
    actions.ok("upgrade", "gone", ns, **quiet(chart))
    actions.ok("uninstall", "gone", ns)
    assert statuses(api, ns, "gone") == {} and get(api, ns, "configmaps", "config") is None
    answer = actions("uninstall", "gone", ns)
    assert answer["error"] == "uninstall: Release not loaded: gone: release: not found"
    actions.ok("install", "gone", ns, **quiet(chart))
    actions.ok("uninstall", "gone", ns, keep_history=True)
    assert statuses(api, ns, "gone") == {1: "uninstalled"}
    answer = actions("uninstall", "gone", ns, keep_history=True)
    assert answer["error"] == 'the release named "gone" is already deleted'


def test_H54_a_name_in_use_is_replaced_only_when_asked(api, actions, ns, tmp_path):
    chart = config_chart(tmp_path)
    actions.ok("install", "again", ns, **quiet(chart))
    actions.ok("uninstall", "again", ns, keep_history=True)
    answer = actions("install", "again", ns, **quiet(chart))
    assert answer["error"] == \
        "release name check failed: cannot reuse a name that is still in use"
    actions.ok("install", "again", ns, **quiet(chart, replace=True))
    assert statuses(api, ns, "again") == {1: "superseded", 2: "deployed"}


def test_H96_abort_stores_failed(api, actions, ns, chart):
    answer = actions("install", "cut", ns, chart=chart, abort_after=0)
    assert answer["status"] == "failed"
    assert statuses(api, ns, "cut") == {1: "failed"}
    [secret] = secrets_of(api, ns, "cut")
    assert decode(secret)["info"]["description"] == 'Release "cut" failed: context canceled'


def values_chart(directory, version, defaults):
    return write_chart(directory / version, {
        "values.yaml": yaml.safe_dump(defaults), "templates/c.yaml":
            'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: seen}\ndata: '
            '{all: {{ .Values | toJson | quote }} }\n'}, version=version)


def test_values_are_preserved_when_asked(api, actions, ns, tmp_path):
    first = values_chart(tmp_path, "1.0.0", {"a": 1, "b": {"x": 1}})
    second = values_chart(tmp_path, "2.0.0", {"a": 2, "b": {"q": 2}, "new": 3})
    seen = lambda: json.loads(get(api, ns, "configmaps", "seen")["data"]["all"])
    actions.ok("install", "vals", ns, **quiet(first, values={"b": {"z": 1}}))
    actions.ok("upgrade", "vals", ns, **quiet(second, values={"c": 1}, preserve_values=True))
    assert seen() == {"a": 1, "b": {"x": 1, "z": 1}, "c": 1}
    record = decode(secrets_of(api, ns, "vals")[1])
    assert record["config"] == {"b": {"z": 1}, "c": 1}
    assert record["chart"]["values"] == {"a": 1, "b": {"x": 1, "z": 1}}
    actions.ok("upgrade", "vals", ns, **quiet(second, values={"c": 1}))
    assert seen() == {"a": 2, "b": {"q": 2}, "c": 1, "new": 3}


def damage(api, ns, release, data):
    [secret] = secrets_of(api, ns, release)
    code, reply = api.rest.call("PATCH", f"/api/v1/namespaces/{ns}/secrets/"
                                f"{secret['metadata']['name']}", {"data": {"release": data}},
                                "application/merge-patch+json")
    assert code == 200, reply


@pytest.mark.parametrize("data", ["", "eHh4", "SDRzSUFBQUFB", "e30="])
def test_a_damaged_record_is_told(api, actions, ns, tmp_path, data):
    chart = config_chart(tmp_path)
    actions.ok("install", "torn", ns, **quiet(chart))
    damage(api, ns, "torn", data)
    for action in ("upgrade", "uninstall", "rollback", "test"):
        answer = actions(action, "torn", ns, **quiet(chart, to_version=1))
        assert answer["state"] == "failed" and not answer["stored"]
        assert 'get: failed to decode data "sh.helm.release.v1.torn.v1"' in answer["error"]


def test_a_record_that_no_secret_holds_is_refused_before_it_is_sent(api, actions, ns, tmp_path):
    noise = base64.b64encode(os.urandom(900_000)).decode()
    chart = config_chart(tmp_path, "1.0.0", {"noise.txt": noise})
    answer = actions("install", "huge", ns, **quiet(chart))
    assert answer["state"] == "failed" and not answer["stored"]
    assert "release huge.v1 takes 1" in answer["error"]
    assert "where a Secret holds 1048576" in answer["error"]
    assert statuses(api, ns, "huge") == {} and not answer["requests"].get("POST 201")
    assert get(api, ns, "configmaps", "config") is None


def test_objects_without_names_and_kinds(api, actions, ns, tmp_path):
    for text, error in [("kind: ConfigMap\napiVersion: v1\n", "resource name may not be empty"),
                        ("apiVersion: v1\nmetadata: {name: a}\n", "Object 'Kind' is missing"),
                        ("kind: ConfigMap\nmetadata: {name: a}\n",
                         "Object 'apiVersion' is missing")]:
        chart = config_chart(tmp_path, "1.0.0", {"templates/bad.yaml": text})
        answer = actions("install", "bad", ns, **quiet(chart))
        assert answer["state"] == "failed" and not answer["stored"]
        assert error in answer["error"] and "[shop/templates/bad.yaml]" in answer["error"]


def test_of_duplicates_the_last_one_wins(api, actions, ns, tmp_path):
    chart = config_chart(tmp_path, "1.0.0", {"templates/e.yaml": config_map("config", a="last")},
                         a="first")
    actions.ok("install", "twice", ns, **quiet(chart))
    assert get(api, ns, "configmaps", "config")["data"] == {"a": "last"}


def test_lists_are_flattened(api, actions, ns, tmp_path):
    both = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [
        yaml.safe_load(config_map("la")), yaml.safe_load(config_map("lb"))]})
    actions.ok("install", "list", ns, **quiet(config_chart(tmp_path, "1.0.0", {
        "templates/list.yaml": both})))
    assert get(api, ns, "configmaps", "la") and get(api, ns, "configmaps", "lb")
    actions.ok("upgrade", "list", ns, **quiet(config_chart(tmp_path, "2.0.0")))
    assert get(api, ns, "configmaps", "la") is None


def test_a_namespace_is_made_when_asked(api, actions, tmp_path):
    chart = config_chart(tmp_path)
    actions.ok("install", "made", "made-for-it", **quiet(
        chart, create_namespace=True, storage_namespace="default"))
    assert api.rest.get("/api/v1/namespaces/made-for-it")["metadata"]["labels"]["name"] == \
        "made-for-it"
    assert get(api, "made-for-it", "configmaps", "config")
    assert statuses(api, "default", "made") == {1: "deployed"}
    actions.ok("uninstall", "made", "made-for-it", storage_namespace="default")


def allow(api, ns, user, *rules):
    """A role of the namespace for a user of a certificate or token by impersonation."""
    api.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
               "metadata": {"name": "some", "namespace": ns}, "rules": list(rules)},
              {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
               "metadata": {"name": "some", "namespace": ns},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "some"},
               "subjects": [{"kind": "User", "name": user}]})
    for rule in rules:
        verb = "delete" if rule["verbs"] == ["*"] else rule["verbs"][0]
        api.wait_allowed(user, verb, rule["resources"][0], ns)


def test_H93_what_an_account_may_not_do_is_told(api, actions, ns, tmp_path):
    user = f"system:serviceaccount:{ns}:deployer"
    allow(api, ns, user, {"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]},
          {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]})
    chart = config_chart(tmp_path)
    answer = actions("install", "denied", ns, **quiet(chart, as_user=user))
    assert answer["state"] == "failed" and answer["status"] == "failed"
    assert "forbidden" in answer["error"] and "[shop/templates/config.yaml]" in answer["error"]
    answer = actions("install", "other", ns, **quiet(chart, as_user="nobody"))
    assert answer["error"].startswith("release name check failed: query: failed to query with "
                                      "labels: ") and not answer["stored"]


def begin_gated(api, actions, ns, tmp_path):
    """An upgrade of `raced` that waits for its hook; opens the gate."""
    hook = yaml.safe_dump({"apiVersion": "batch/v1", "kind": "Job", "metadata": {
        "name": "gate", "annotations": {"helm.sh/hook": "pre-upgrade"}}, "spec": {"template": {
            "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "c:1"}]}}}})
    chart = config_chart(tmp_path, "1.0.0", {"templates/gate.yaml": hook})
    actions.ok("install", "raced", ns, **quiet(chart))
    actions.begin("upgrade", "raced", ns, **quiet(chart, timeout_ms=90000))
    path = f"/apis/batch/v1/namespaces/{ns}/jobs/gate"
    wait_until(lambda: api.rest.get(path), "the gate")

    def open_gate():
        stamp = "2026-01-02T03:04:05Z"
        conditions = [{"type": t, "status": "True", "lastProbeTime": stamp,
                       "lastTransitionTime": stamp, "reason": "x", "message": ""}
                      for t in ("SuccessCriteriaMet", "Complete")]
        code, reply = api.rest.call("PATCH", path + "/status", {"status": {
            "startTime": stamp, "completionTime": stamp, "succeeded": 1,
            "conditions": conditions}}, "application/merge-patch+json")
        assert code == 200, reply
        return actions.end()
    return open_gate


def stored(ns, version):
    return f"/api/v1/namespaces/{ns}/secrets/sh.helm.release.v1.raced.v{version}"


def touch(api, ns, version, body):
    code, reply = api.rest.call("PATCH", stored(ns, version), body, "application/merge-patch+json")
    assert code == 200, reply


def rewrite(api, ns, version, **info):
    """Writes a record as somebody else would."""
    record = decode(api.rest.get(stored(ns, version)))
    record["info"].update(info)
    touch(api, ns, version, {"data": {"release": encode(record)}})


LABELLED = {"metadata": {"labels": {"theirs": "x"}, "annotations": {"theirs": "x"}}}


@pytest.mark.parametrize("change", [
    lambda api, ns: touch(api, ns, 1, LABELLED),
    lambda api, ns: rewrite(api, ns, 1, description="theirs")], ids=["labels", "record"])
def test_a_record_that_somebody_else_wrote_is_superseded_all_the_same(api, actions, ns, tmp_path, change):
    open_gate = begin_gated(api, actions, ns, tmp_path)
    change(api, ns)
    before = api.rest.get(stored(ns, 1))
    answer = open_gate()
    assert answer["state"] == "succeeded", answer
    assert statuses(api, ns, "raced") == {1: "superseded", 2: "deployed"}
    after = api.rest.get(stored(ns, 1))
    assert after["metadata"]["labels"].get("theirs") == before["metadata"]["labels"].get("theirs")
    assert decode(after)["info"]["description"] == decode(before)["info"]["description"]


def test_a_base_that_somebody_else_removed_fails_no_upgrade(api, actions, ns, tmp_path):
    open_gate = begin_gated(api, actions, ns, tmp_path)
    assert api.rest.call("DELETE", stored(ns, 1))[0] == 200
    answer = open_gate()
    assert answer["state"] == "succeeded", answer
    assert statuses(api, ns, "raced") == {2: "deployed"}
    assert "failed to update release" in answer["log"]


def test_labels_that_somebody_puts_on_the_record_under_way_fail_no_upgrade(api, actions, ns, tmp_path):
    open_gate = begin_gated(api, actions, ns, tmp_path)
    touch(api, ns, 2, LABELLED)
    answer = open_gate()
    assert answer["state"] == "succeeded", answer
    assert statuses(api, ns, "raced") == {1: "superseded", 2: "deployed"}
    assert api.rest.get(stored(ns, 2))["metadata"]["labels"]["theirs"] == "x"


def test_a_record_under_way_that_somebody_else_wrote_is_left_alone(api, actions, ns, tmp_path):
    """Another leader, or a person with helm: two of them must not both end the upgrade."""
    open_gate = begin_gated(api, actions, ns, tmp_path)
    rewrite(api, ns, 2, status="failed", description="theirs")
    answer = open_gate()
    assert answer["state"] == "failed" and "update: failed to update" in answer["error"]
    assert decode(api.rest.get(stored(ns, 2)))["info"]["description"] == "theirs"


@pytest.mark.parametrize("name", ["Upper", "a,owner=x", "../x", "a b", "-a", "a.", "", "a" * 54])
def test_names_that_helm_refuses(api, actions, ns, tmp_path, name):
    chart = config_chart(tmp_path)
    for action in ("install", "upgrade", "uninstall"):
        answer = actions(action, name, ns, **quiet(chart))
        assert answer["error"].endswith(f"release name is invalid: {name}")
        assert not answer["stored"] and not answer["requests"]


def test_a_rollback_that_is_not_ready_in_time(api, actions, ns, tmp_path, chart):
    actions.ok("install", "late", ns, **quiet(chart))
    actions.ok("upgrade", "late", ns, **quiet(config_chart(tmp_path, "2.0.0")))
    answer = actions("rollback", "late", ns, to_version=1, timeout_ms=4000)
    cause = f"timeout waiting for: [Deployment/{ns}/late-web status: 'InProgress': replicas: 0/1]"
    assert answer["error"] == f"release late failed: {cause}"
    assert statuses(api, ns, "late") == {1: "superseded", 2: "deployed", 3: "failed"}
    record = decode(secrets_of(api, ns, "late")[2])
    assert record["info"]["description"] == f'Release "late" failed: {cause}'


def test_a_rollback_that_cannot_be_applied(api, actions, ns, tmp_path):
    bad = config_chart(tmp_path, "2.0.0", {"templates/b.yaml": BROKEN})
    actions.ok("install", "bad", ns, **quiet(config_chart(tmp_path, "1.0.0")))
    assert actions("upgrade", "bad", ns, **quiet(bad))["state"] == "failed"
    answer = actions("rollback", "bad", ns, to_version=2)
    assert answer["state"] == "failed"
    assert statuses(api, ns, "bad") == {1: "deployed", 2: "superseded", 3: "failed"}
    record = decode(secrets_of(api, ns, "bad")[2])
    assert record["info"]["description"].startswith('Rollback "bad" failed: ')


def test_hundreds_of_objects(api, actions, ns, tmp_path):
    names = [f"c{i:03}" for i in range(230)]
    chart = config_chart(tmp_path, "1.0.0", {"templates/many.yaml": "---\n".join(
        config_map(name) for name in names)})
    actions.ok("install", "many", ns, chart=chart, take_ownership=False)
    assert len(api.rest.get(f"/api/v1/namespaces/{ns}/configmaps?labelSelector="
                            "app.kubernetes.io%2Fmanaged-by%3DHelm")["items"]) == 231
    actions.ok("upgrade", "many", ns, chart=config_chart(tmp_path, "2.0.0"), apply="csa")
    assert get(api, ns, "configmaps", "c117") is None
    actions.ok("uninstall", "many", ns)
