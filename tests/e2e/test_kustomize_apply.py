"""Kustomizations end to end: staged apply, drift, other writers' fields."""
import time

from tests.lib.apps import OWNER, app, config_map  # noqa: F401
from tests.lib.net import wait_until


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
