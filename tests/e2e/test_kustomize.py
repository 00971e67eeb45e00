"""Kustomizations end to end: build, apply, inventory, prune, health, dependencies, drift."""
import textwrap
import time

import pytest

from tests.lib.net import wait_until

OWNER = "kustomize.toolkit.fluxcd.io/"


def config_map(name, data=None, **metadata):
    lines = "".join(f'  {k}: "{v}"\n' for k, v in (data or {"k": "v"}).items())
    extra = "".join(f"  {k}: {v}\n" for k, v in metadata.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n{extra}data:\n{lines}"


@pytest.fixture
def app(objects, git_server, ns):
    """A repository with its GitRepository, and Kustomizations made from it."""
    class App:
        def __init__(self):
            self.repo = git_server.repository(ns)

        def commit(self, files, **kw):
            self.head = self.repo.commit({k: textwrap.dedent(v) for k, v in files.items()}, **kw)
            if objects.get("GitRepository", "src"):
                objects.request("GitRepository", "src", self.head)
            else:
                objects.apply("GitRepository", "src", {
                    "url": git_server.url_of(self.repo), "interval": "1h",
                    "ref": {"branch": "main"}})
            return self.head

        def kustomization(self, name="app", **spec):
            wanted = {"interval": "1h", "prune": True, "targetNamespace": ns, "path": "./",
                      "sourceRef": {"kind": "GitRepository", "name": "src"}, **spec}
            objects.apply("Kustomization", name,
                          {k: v for k, v in wanted.items() if v is not None})

        def ready(self, name="app", **kw):
            return objects.ready("Kustomization", name, revision=self.head, **kw)
    return App()


def test_K1_ready_with_finalizer_and_inventory(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization()
    obj = app.ready()
    assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
    assert objects.condition(obj)["reason"] == "ReconciliationSucceeded"
    assert objects.condition(obj)["message"] == f"Applied revision: main@sha1:{app.head}"
    assert obj["status"]["inventory"]["entries"] == [
        {"id": f"{objects.ns}_one__ConfigMap", "v": "v1"}]
    assert obj["status"]["lastAttemptedRevision"] == f"main@sha1:{app.head}"
    history = obj["status"]["history"][0]
    assert history["lastReconciledStatus"] == "ReconciliationSucceeded"
    assert history["digest"].startswith("sha256:")
    labels = objects.configmap("one")["metadata"]["labels"]
    assert labels[OWNER + "name"] == "app" and labels[OWNER + "namespace"] == objects.ns


def test_K2_interval_needs_a_unit(app, objects, api):
    bad = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
           "metadata": {"name": "bad", "namespace": objects.ns},
           "spec": {"interval": "60", "prune": True,
                    "sourceRef": {"kind": "GitRepository", "name": "src"}}}
    assert api.rest.call("POST", objects.path("Kustomization"), bad)[0] == 422
    bad["spec"]["interval"] = "1m30s"
    assert api.rest.call("POST", objects.path("Kustomization"), bad)[0] == 201


def test_K5_missing_source_then_there(app, objects):
    app.kustomization(retryInterval="1h")
    obj = objects.not_ready("Kustomization", "app", "ArtifactFailed")
    assert not objects.events("app")
    app.commit({"cm.yaml": config_map("one")})
    app.ready()
    assert obj["status"].get("inventory") is None


def test_K10_paths_stay_inside(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization("up", path="../../etc")
    app.kustomization("absent", path="./nowhere")
    for name in ("up", "absent"):
        objects.wait("Kustomization", name, lambda o: "path not found" in
                     objects.condition(o).get("message", "") and
                     objects.condition(o)["reason"] == "ArtifactFailed", "to miss its path")


def test_K11_K12_new_revision_and_request(app, objects):
    app.commit({"cm.yaml": config_map("one", {"a": "1"})})
    app.kustomization()
    app.ready()
    app.commit({"cm.yaml": config_map("one", {"a": "2"})})
    app.ready()
    assert objects.configmap("one")["data"] == {"a": "2"}
    objects.request("Kustomization", "app", "please")
    objects.wait("Kustomization", "app",
                 lambda o: o["status"].get("lastHandledReconcileAt") == "please", "the echo")


def test_K13_suspended_does_nothing_and_deletion_orphans(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization()
    app.ready()
    objects.patch("Kustomization", "app", {"spec": {"suspend": True}})
    old = app.head
    app.commit({"cm.yaml": config_map("one", {"k": "new"})})
    objects.ready("GitRepository", "src", revision=app.head)
    objects.request("Kustomization", "app", "x")
    obj = objects.wait("Kustomization", "app",
                       lambda o: o["status"].get("lastHandledReconcileAt") == "x", "the echo")
    assert old in obj["status"]["lastAppliedRevision"]
    objects.delete("Kustomization", "app")
    objects.gone("Kustomization", "app")
    assert objects.configmap("one")


def test_K15_labelled_configmap_triggers(app, objects, api):
    app.commit({"cm.yaml": config_map("one", {"a": "${v}"})})
    values = {"apiVersion": "v1", "kind": "ConfigMap",
              "metadata": {"name": "vars", "namespace": objects.ns,
                           "labels": {"reconcile.fluxcd.io/watch": "Enabled"}},
              "data": {"v": "one"}}
    api.apply(values)
    app.kustomization(postBuild={"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]})
    app.ready()
    assert objects.configmap("one")["data"] == {"a": "one"}
    values["data"]["v"] = "two"
    api.apply(values)
    wait_until(lambda: objects.configmap("one")["data"] == {"a": "two"}, "the new value")


def test_K16_K27_trees_without_a_kustomization(app, objects):
    app.commit({"a/one.yaml": config_map("one"), "b/c/two.yml": config_map("two"),
                "notes.txt": "no manifest"})
    app.kustomization()
    app.ready()
    assert objects.configmap("one") and objects.configmap("two")
    app.commit({"bad.yaml": "a: [1\n"})
    obj = objects.not_ready("Kustomization", "app", "BuildFailed")
    assert "bad.yaml" in objects.condition(obj)["message"]
    assert objects.configmap("one")


def test_K17_subdirectory_with_its_own_kustomization(app, objects):
    app.commit({"unit/kustomization.yaml": """\
                    resources: [cm.yaml]
                    namePrefix: pre-
                    """,
                "unit/cm.yaml": config_map("one"),
                "unit/not-listed.yaml": config_map("two"),
                "plain.yaml": config_map("three")})
    app.kustomization()
    app.ready()
    assert objects.configmap("pre-one") and objects.configmap("three")
    assert not objects.configmap("two")


def test_K18_empty_directory_prunes(app, objects):
    app.commit({"d/cm.yaml": config_map("one"), "keep.txt": ""})
    app.kustomization(path="./")
    app.ready()
    app.commit({"other.txt": ""}, remove=["d/cm.yaml"])
    obj = app.ready()
    assert obj["status"]["inventory"]["entries"] == []
    assert not objects.configmap("one")


def test_K22_K23_patches_and_images(app, objects, api):
    app.commit({"kustomization.yaml": """\
                    resources: [d.yaml]
                    images: [{name: nginx, newTag: "1"}]
                    """,
                "d.yaml": """\
                    apiVersion: apps/v1
                    kind: Deployment
                    metadata: {name: web}
                    spec:
                      replicas: 1
                      selector: {matchLabels: {app: web}}
                      template:
                        metadata: {labels: {app: web}}
                        spec: {containers: [{name: c, image: nginx}]}
                    """})
    app.kustomization(
        images=[{"name": "nginx", "newName": "example.test/nginx"}],
        patches=[{"patch": "- {op: replace, path: /spec/replicas, value: 3}",
                  "target": {"kind": "Deployment"}},
                 {"patch": "- {op: remove, path: /spec}", "target": {"kind": "StatefulSet"}}])
    app.ready()
    deployment = api.rest.get(f"/apis/apps/v1/namespaces/{objects.ns}/deployments/web")
    assert deployment["spec"]["replicas"] == 3
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "example.test/nginx:1"


def test_K29_K30_K32_K35_substitution(app, objects, api):
    app.commit({"cm.yaml": config_map("one", {"a": "${x}-${y:=def}", "b": "$${z}", "c": "$z"})})
    for name, value in (("first", "1"), ("second", "2")):
        api.apply({"apiVersion": "v1", "kind": "ConfigMap",
                   "metadata": {"name": name, "namespace": objects.ns}, "data": {"x": value}})
    refs = [{"kind": "ConfigMap", "name": "first"}, {"kind": "ConfigMap", "name": "second"},
            {"kind": "Secret", "name": "absent", "optional": True}]
    app.kustomization(postBuild={"substituteFrom": refs})
    app.ready()
    assert objects.configmap("one")["data"] == {"a": "2-def", "b": "${z}", "c": "$z"}
    app.kustomization(postBuild={"substituteFrom": refs, "substitute": {"x": "in"}})
    wait_until(lambda: objects.configmap("one")["data"]["a"] == "in-def", "the inline value")
    app.kustomization(postBuild={"substitute": {"other": "1"}})
    obj = objects.not_ready("Kustomization", "app", "BuildFailed")
    assert '"x"' in objects.condition(obj)["message"]


def test_K34_substitution_can_be_disabled(app, objects):
    app.commit({"cm.yaml": config_map("one", {"a": "${x}"}, labels=(
        "{kustomize.toolkit.fluxcd.io/substitute: disabled}"))})
    app.kustomization(postBuild={"substitute": {"x": "1"}})
    app.ready()
    assert objects.configmap("one")["data"] == {"a": "${x}"}


def test_K50_crd_and_its_object_in_one_run(app, objects, api):
    group = f"{objects.ns}.example.test"
    app.commit({"all.yaml": f"""\
        apiVersion: {group}/v1
        kind: Widget
        metadata: {{name: w}}
        spec: {{size: 1}}
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {{name: widgets.{group}}}
        spec:
          group: {group}
          scope: Namespaced
          names: {{plural: widgets, singular: widget, kind: Widget}}
          versions:
          - name: v1
            served: true
            storage: true
            schema:
              openAPIV3Schema:
                type: object
                x-kubernetes-preserve-unknown-fields: true
        """})
    app.kustomization()
    app.ready()
    assert api.rest.get(f"/apis/{group}/v1/namespaces/{objects.ns}/widgets/w")


def test_K54_K74_a_refused_object_stops_its_stage(app, objects):
    app.commit({"a.yaml": config_map("before")})
    app.kustomization(retryInterval="1h")
    first = app.ready()
    app.commit({"b.yaml": config_map("after"), "c.yaml": """\
        apiVersion: v1
        kind: Service
        metadata: {name: bad}
        spec: {ports: [{port: 99999}]}
        """})
    obj = objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    message = objects.condition(obj)["message"]
    assert f"Service/{objects.ns}/bad" in message and "c.yaml:1" in message
    assert not objects.configmap("after"), "something of the refused stage was written"
    assert obj["status"]["inventory"] == first["status"]["inventory"]
    assert obj["status"]["lastAppliedRevision"] == first["status"]["lastAppliedRevision"]
    assert obj["status"]["history"][0]["lastReconciledStatus"] == "ReconciliationFailed"
    assert any(t == "Warning" for t, _, _ in wait_until(lambda: objects.events("app"), "events"))


def test_K55_no_change_no_write(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization()
    app.ready()
    version = objects.configmap("one")["metadata"]["resourceVersion"]
    before = objects.get("Kustomization", "app")["status"]["history"][0]["totalReconciliations"]
    objects.request("Kustomization", "app", "x")
    objects.wait("Kustomization", "app", lambda o: o["status"]["history"][0]
                 ["totalReconciliations"] > before and
                 o["status"].get("lastHandledReconcileAt") == "x", "another run")
    assert objects.configmap("one")["metadata"]["resourceVersion"] == version
    assert not [m for _, _, m in objects.events("app") if "configured" in m]


def test_K56_drift_is_undone_within_a_second(app, objects, api):
    app.commit({"cm.yaml": config_map("one", {"a": "1"})})
    app.kustomization()
    app.ready()
    path = f"/api/v1/namespaces/{objects.ns}/configmaps/one"
    times = []
    for body in ({"data": {"a": "hacked"}}, {"data": {"a": None}},
                 {"metadata": {"labels": {OWNER + "name": "other"}}}):
        started = time.monotonic()
        assert api.rest.call("PATCH", path, body, "application/merge-patch+json")[0] == 200
        wait_until(lambda: objects.configmap("one")["data"] == {"a": "1"} and
                   objects.configmap("one")["metadata"]["labels"][OWNER + "name"] == "app",
                   "the correction", interval=0.005)
        times.append(time.monotonic() - started)
    started = time.monotonic()
    assert api.rest.call("DELETE", path)[0] == 200
    wait_until(lambda: objects.configmap("one"), "the object to be back", interval=0.005)
    times.append(time.monotonic() - started)
    assert max(times) < 5, times  # sanitizers and a loaded machine; seconds, not intervals
    wait_until(lambda: any("configured" in m for _, _, m in objects.events("app")),
               "the event of a correction")


def test_K57_K58_fields_of_kubectl_go(app, objects, api):
    api.kubectl("apply", "-n", objects.ns, "-f", "-", stdin=config_map("one", {"a": "1", "b": "2"}))
    app.commit({"cm.yaml": config_map("one", {"a": "1"})})
    app.kustomization()
    app.ready()
    obj = objects.configmap("one")
    assert obj["data"] == {"a": "1"}
    assert "kubectl.kubernetes.io/last-applied-configuration" not in \
        obj["metadata"].get("annotations", {})
    managers = [(m["manager"], m["operation"]) for m in obj["metadata"]["managedFields"]]
    assert managers == [("kustomize-controller", "Apply")]


def test_K60_K61_apply_policies(app, objects, api):
    app.commit({"a.yaml": config_map("once", {"a": "1"}, annotations=(
                    "{kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}")),
                "b.yaml": config_map("never", {"a": "1"}, annotations=(
                    "{kustomize.toolkit.fluxcd.io/ssa: Ignore}")),
                "c.yaml": config_map("normal", {"a": "1"})})
    app.kustomization()
    app.ready()
    assert objects.configmap("once") and not objects.configmap("never")
    api.kubectl("annotate", "cm", "normal", "-n", objects.ns,
                "kustomize.toolkit.fluxcd.io/reconcile=Disabled")
    app.commit({"a.yaml": config_map("once", {"a": "2"}, annotations=(
                    "{kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}")),
                "c.yaml": config_map("normal", {"a": "2"})})
    app.ready()
    assert objects.configmap("once")["data"] == {"a": "1"}
    assert objects.configmap("normal")["data"] == {"a": "1"}


def test_K63_secret_string_data_keys_leave(app, objects, api):
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n"
    app.commit({"s.yaml": secret + "  a: one\n  b: two\n"})
    app.kustomization()
    app.ready()
    path = f"/api/v1/namespaces/{objects.ns}/secrets/s"
    assert set(api.rest.get(path)["data"]) == {"a", "b"}
    app.commit({"s.yaml": secret + "  a: one\n"})
    app.ready()
    assert set(api.rest.get(path)["data"]) == {"a"}


def test_K64_immutable_fields_and_force(app, objects, api):
    job = """\
        apiVersion: batch/v1
        kind: Job
        metadata: {{name: j}}
        spec:
          template:
            spec:
              restartPolicy: Never
              containers: [{{name: c, image: "x:{tag}"}}]
        """
    app.commit({"j.yaml": job.format(tag=1)})
    app.kustomization(retryInterval="1h")
    app.ready()
    path = f"/apis/batch/v1/namespaces/{objects.ns}/jobs/j"
    uid = api.rest.get(path)["metadata"]["uid"]
    app.commit({"j.yaml": job.format(tag=2)})
    obj = objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    assert "immutable" in objects.condition(obj)["message"]
    app.kustomization(retryInterval="1h", force=True)
    app.ready()
    assert api.rest.get(path)["metadata"]["uid"] != uid


def test_K66_namespace_not_specified(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization(targetNamespace=None)
    obj = objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    assert "namespace not specified" in objects.condition(obj)["message"]


def test_K67_common_metadata(app, objects):
    app.commit({"cm.yaml": config_map("one", labels="{team: file}")})
    app.kustomization(commonMetadata={"labels": {"team": "spec"}, "annotations": {"a": "b"}})
    app.ready()
    metadata = objects.configmap("one")["metadata"]
    assert metadata["labels"]["team"] == "spec" and metadata["annotations"]["a"] == "b"


def test_K71_K73_prune(app, objects):
    kept = config_map("kept", annotations="{kustomize.toolkit.fluxcd.io/prune: disabled}")
    app.commit({"a.yaml": config_map("stays"), "b.yaml": config_map("goes"), "c.yaml": kept})
    app.kustomization()
    app.ready()
    app.commit({}, remove=["b.yaml", "c.yaml"])
    obj = app.ready()
    assert not objects.configmap("goes") and objects.configmap("kept")
    assert [e["id"] for e in obj["status"]["inventory"]["entries"]] == [
        f"{objects.ns}_stays__ConfigMap"]
    events = wait_until(lambda: [m for _, _, m in objects.events("app") if "deleted" in m],
                        "the event of the deletion")
    assert f"ConfigMap/{objects.ns}/goes deleted" in events[0]
    app.kustomization(prune=False)
    app.commit({"d.yaml": ""}, remove=["a.yaml"])
    app.ready()
    assert objects.configmap("stays")


@pytest.mark.parametrize("policy, prune, left", [
    ("Orphan", True, True), ("MirrorPrune", False, True), ("MirrorPrune", True, False),
    ("Delete", False, False), ("WaitForTermination", False, False)])
def test_K75_K76_deletion_policies(app, objects, policy, prune, left):
    app.commit({"a.yaml": config_map("one")})
    app.kustomization(deletionPolicy=policy, prune=prune)
    app.ready()
    objects.delete("Kustomization", "app")
    objects.gone("Kustomization", "app")
    assert bool(objects.configmap("one")) == left


DEPLOYMENT = """\
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      replicas: 1
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec: {containers: [{name: c, image: nginx}]}
    """


def set_deployment_status(api, ns, **more):
    path = f"/apis/apps/v1/namespaces/{ns}/deployments/web"
    generation = api.rest.get(path)["metadata"]["generation"]
    status = {"observedGeneration": generation, "replicas": 1, "updatedReplicas": 1,
              "readyReplicas": 1, "availableReplicas": 1, "conditions": [
                  {"type": "Available", "status": "True", "reason": "R", "message": ""},
                  {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                   "message": ""}]}
    status.update(more)
    code, reply = api.rest.call("PATCH", path + "/status", {"status": status},
                                "application/merge-patch+json")
    assert code == 200, reply


def test_K78_K98_wait_is_woken_by_the_watch(app, objects, api):
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, timeout="5m")
    obj = objects.wait("Kustomization", "app", lambda o: objects.condition(o, "Healthy").get(
        "status") == "Unknown", "to wait for health")
    assert "timeout of 5m0s" in objects.condition(obj)["message"]
    started = time.monotonic()
    set_deployment_status(api, objects.ns)
    obj = app.ready()
    assert time.monotonic() - started < 4, "the watch did not wake it"
    assert objects.condition(obj, "Healthy")["reason"] == "Succeeded"
    wait_until(lambda: any("Health check passed" in m for _, _, m in objects.events("app")),
               "the event of health")


def test_K79_a_failing_deployment_fails_at_once(app, objects, api):
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(wait=True, timeout="5m", retryInterval="1h")
    objects.wait("Kustomization", "app", lambda o: objects.condition(o, "Healthy").get(
        "status") == "Unknown", "to wait for health")
    set_deployment_status(api, objects.ns, readyReplicas=0, availableReplicas=0, conditions=[
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
         "message": ""}])
    obj = objects.not_ready("Kustomization", "app", "HealthCheckFailed")
    assert f"failed early due to stalled resources: [Deployment/{objects.ns}/web" in \
        objects.condition(obj)["message"]
    assert objects.condition(obj, "Healthy")["status"] == "False"


def test_K81_K87_wait_leaves_itself_and_the_skipped_out(app, objects):
    app.commit({"cm.yaml": config_map("one"), "self.yaml": f"""\
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {{name: app}}
        spec:
          interval: 1h
          prune: true
          wait: true
          path: ./
          targetNamespace: {objects.ns}
          sourceRef: {{kind: GitRepository, name: src}}
        """})
    app.kustomization(wait=True)
    app.ready()


def test_K14_K89_dependencies_wake_each_other(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    depth = 6
    for i in reversed(range(depth)):
        depends = [{"name": f"link{i - 1}"}] if i else []
        app.kustomization(f"link{i}", dependsOn=depends, prune=False, path="./")
    started = time.monotonic()
    for i in range(depth):
        app.ready(f"link{i}")
    assert time.monotonic() - started < 15, "the chain was polled, not woken"


def test_K89_unready_dependency(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization("app", dependsOn=[{"name": "nobody"}])
    obj = objects.not_ready("Kustomization", "app", "DependencyNotReady")
    assert f"{objects.ns}/nobody" in objects.condition(obj)["message"]


def test_K93_impersonation(app, objects, api):
    api.kubectl("create", "serviceaccount", "limited", "-n", objects.ns)
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization(serviceAccountName="limited", retryInterval="1s")
    obj = objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    assert f"system:serviceaccount:{objects.ns}:limited" in objects.condition(obj)["message"]
    api.kubectl("create", "role", "limited", "-n", objects.ns, "--verb=*",
                "--resource=configmaps")
    api.kubectl("create", "rolebinding", "limited", "-n", objects.ns, "--role=limited",
                f"--serviceaccount={objects.ns}:limited")
    app.ready()


def test_unsupported_fields_are_told_not_ignored(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization(decryption={"provider": "sops"})
    obj = objects.wait("Kustomization", "app", lambda o: objects.condition(o, "Stalled"), "to stall")
    assert "spec.decryption" in objects.condition(obj)["message"]
    assert not objects.configmap("one")
