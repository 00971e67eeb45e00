"""Kustomizations end to end: staged apply, drift, other writers' fields."""
import base64
import pathlib
import re
import time

import pytest
import yaml

from tests.lib.apps import (DEPLOYMENT, OWNER, app, config_map, install_crd,  # noqa: F401
                            put_status, widget_crd)
from tests.lib.net import wait_until


def test_K50_crd_and_its_object_in_one_run(app, objects, api):
    group = f"{objects.ns}.example.test"
    sky = widget_crd(group, "Sky")
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
        """, "wide.yaml": yaml.safe_dump_all([
            {"apiVersion": f"{group}/v1", "kind": "Sky", "metadata": {"name": "blue"}},
            {**sky, "spec": {**sky["spec"], "scope": "Cluster"}}])})
    app.kustomization()
    obj = app.ready()
    assert api.rest.get(f"/apis/{group}/v1/namespaces/{objects.ns}/widgets/w")
    assert api.rest.get(f"/apis/{group}/v1/skys/blue")
    assert {e["id"] for e in obj["status"]["inventory"]["entries"]} >= {
        f"{objects.ns}_w_{group}_Widget", f"_blue_{group}_Sky"}


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
    wait_until(lambda: any(t == "Warning" for t, _, _ in objects.events("app")), "a Warning")


@pytest.mark.parametrize("bad", [1, 2, 3])
def test_K54_whichever_of_known_objects_is_refused(app, objects, api, bad):
    """One of a stage's known objects is written without a dry run: it must not matter which."""
    def service(i, port, label):
        return (f"apiVersion: v1\nkind: Service\nmetadata: {{name: s{i}, labels: {{v: {label}}}}}\n"
                f"spec: {{ports: [{{port: {port}}}]}}\n")
    app.commit({f"s{i}.yaml": service(i, 80, "one") for i in (1, 2, 3)})
    app.kustomization(retryInterval="1h")
    app.ready()
    app.commit({f"s{i}.yaml": service(i, 99999 if i == bad else 80, "two") for i in (1, 2, 3)})
    obj = objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    assert f"Service/{objects.ns}/s{bad}" in objects.condition(obj)["message"]
    for i in (1, 2, 3):
        live = api.rest.get(f"/api/v1/namespaces/{objects.ns}/services/s{i}")
        assert live["metadata"]["labels"]["v"] == "one"


@pytest.mark.parametrize("bad", [1, 2, 3])
def test_K54_whichever_of_new_objects_is_refused(app, objects, api, bad):
    """One of a stage's new objects is created without a dry run: it must not matter which."""
    app.commit({f"s{i}.yaml": (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: s{i}}}\n"
        f"spec: {{ports: [{{port: {99999 if i == bad else 80}}}]}}\n") for i in (1, 2, 3)})
    app.kustomization(retryInterval="1h")
    obj = objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    assert f"Service/{objects.ns}/s{bad} [s{bad}.yaml:1] dry-run failed" in \
        objects.condition(obj)["message"]
    assert not api.rest.get(f"/api/v1/namespaces/{objects.ns}/services")["items"]


def applies(toolkit):
    return sum(int(n) for n in re.findall(
        r'rest_client_requests_total\{[^}]*method="APPLY"[^}]*\} (\d+)',
        toolkit["kustomize-controller"].metrics()))


def test_K54_one_object_of_a_stage_is_its_own_dry_run(app, toolkit):
    def services(label):
        return {f"{i}.yaml": "apiVersion: v1\nkind: Service\n"
                f"metadata: {{name: s{i}, labels: {{v: {label}}}}}\n"
                "spec: {ports: [{port: 80}]}\n" for i in range(4)}
    before = applies(toolkit)
    app.commit(services("one"))
    app.kustomization()
    app.ready()
    assert applies(toolkit) - before == 3 + 4, "new objects"
    before = applies(toolkit)
    app.commit(services("two"))
    app.ready()
    assert applies(toolkit) - before == 3 + 4, "known objects"


def test_K54_an_object_thought_new_is_not_overwritten(app, objects, api):
    """It exists, and says that nobody is to touch it: known only to the server."""
    existing = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "mine"},
                "metadata": {"name": "one", "annotations": {
                    "kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}}
    api.rest.call("POST", f"/api/v1/namespaces/{objects.ns}/configmaps", existing)
    version = objects.configmap("one")["metadata"]["resourceVersion"]
    app.commit({"cm.yaml": config_map("one", {"a": "theirs"})})
    app.kustomization()
    app.ready()
    assert objects.configmap("one")["metadata"]["resourceVersion"] == version


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
    assert min(times) < 2, times  # whatever else this machine is doing, and under sanitizers
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


def test_K57_fields_that_stay(app, objects, api):
    path = f"/api/v1/namespaces/{objects.ns}/configmaps"

    def add(name, key, manager, kind="merge-patch+json", **more):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
                "data": {key: "1"}}
        code, reply = api.rest.call("PATCH", f"{path}/{name}?fieldManager={manager}", body,
                                    f"application/{kind}")
        assert code == 200, reply
    app.commit({"a.yaml": config_map("plain", {"ours": "1"}),
                "b.yaml": config_map("merged", {"ours": "1"}, annotations=(
                    f"{{{OWNER}ssa: Merge}}"))})
    app.kustomization()
    app.ready()
    add("plain", "flux", "flux-client-side-apply", "apply-patch+yaml")
    add("merged", "kubectl", "kubectl-edit")
    app.rerun()
    assert objects.configmap("plain")["data"] == {"ours": "1", "flux": "1"}
    assert objects.configmap("merged")["data"] == {"ours": "1", "kubectl": "1"}
    # Its own fields are corrected all the same.
    api.rest.call("PATCH", f"{path}/merged?fieldManager=kubectl-edit", {"data": {"ours": "2"}},
                  "application/merge-patch+json")
    wait_until(lambda: objects.configmap("merged")["data"] == {"ours": "1", "kubectl": "1"},
               "the correction")
    before = version(objects.configmap("merged"))
    app.rerun()
    assert version(objects.configmap("merged")) == before
    add("plain", "gone", "kubectl-edit")
    wait_until(lambda: objects.configmap("plain")["data"] == {"ours": "1", "flux": "1"},
               "the field of kubectl to go")


def test_K70_another_version_of_the_same_kind(app, objects, api):
    group = f"{objects.ns}.example.test"
    crd = widget_crd(group)
    crd["spec"]["versions"].append({**crd["spec"]["versions"][0], "name": "v2", "storage": False})
    install_crd(api, crd)
    manifest = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"},
                "spec": {"a": 1}}
    app.commit({"w.yaml": yaml.safe_dump(manifest)})
    app.kustomization()
    app.ready()
    path = f"/apis/{group}/v1/namespaces/{objects.ns}/widgets/w"
    uid = api.rest.get(path)["metadata"]["uid"]
    app.commit({"w.yaml": yaml.safe_dump({**manifest, "apiVersion": f"{group}/v2"})})
    obj = app.ready()
    assert obj["status"]["inventory"]["entries"] == [
        {"id": f"{objects.ns}_w_{group}_Widget", "v": "v2"}]
    assert api.rest.get(path)["metadata"]["uid"] == uid
    # Gone for good, it is found under whatever version is served.
    app.commit({"keep.txt": ""}, remove=["w.yaml"])
    app.ready()
    wait_until(lambda: not api.rest.get(path), "the object to go")


def test_K71_an_object_whose_version_is_no_longer_served(app, objects, api):
    """The inventory says v1: what is pruned is found under the version that is left."""
    group = f"{objects.ns}.example.test"
    crd = widget_crd(group)
    crd["spec"]["versions"].append({**crd["spec"]["versions"][0], "name": "v2", "storage": False})
    install_crd(api, crd)
    app.commit({"keep.yaml": config_map("keep"), "w.yaml": yaml.safe_dump({
        "apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"a": 1}})})
    app.kustomization()
    app.ready()
    crd["spec"]["versions"][0]["served"] = False
    install_crd(api, crd)
    paths = [f"/apis/{group}/{v}/namespaces/{objects.ns}/widgets/w" for v in ("v1", "v2")]
    wait_until(lambda: api.rest.raw("GET", paths[0])[0] == 404, "v1 to be served no more")
    assert api.rest.get(paths[1])
    app.commit({}, remove=["w.yaml"])
    obj = app.ready()
    assert [e["id"] for e in obj["status"]["inventory"]["entries"]] == [
        f"{objects.ns}_keep__ConfigMap"]
    wait_until(lambda: not api.rest.get(paths[1]), "the object to go")


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
    # What is made once is pruned; what is left alone is not.
    api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "never", "namespace": objects.ns, "annotations": {OWNER + "ssa": "ignore"},
        "labels": {OWNER + "name": "app", OWNER + "namespace": objects.ns}}})
    app.commit({"keep.txt": ""}, remove=["a.yaml", "b.yaml", "c.yaml"])
    obj = app.ready()
    assert not objects.configmap("once") and objects.configmap("normal")
    assert objects.configmap("never")
    assert obj["status"]["inventory"]["entries"] == []


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


@pytest.mark.parametrize("bundle, stays", [
    ("Cg==", False), ("no base64", False), (base64.b64encode(b"a text").decode(), False),
    ("CA", True)])
def test_a_conversion_webhook_whose_caBundle_is_to_be_filled_in(app, objects, api, bundle, stays):
    """Facts 6.1: what holds no certificate is not sent, what somebody fills in stays."""
    group = f"{objects.ns}.example.test"
    crd = widget_crd(group)
    if bundle == "CA":
        bundle = base64.b64encode(pathlib.Path(api.ca_file).read_bytes()).decode()
    config = {"caBundle": bundle, "service": {"namespace": objects.ns, "name": "hook"}}
    crd["spec"]["conversion"] = {"strategy": "Webhook", "webhook": {
        "conversionReviewVersions": ["v1"], "clientConfig": config}}
    app.commit({"crd.yaml": yaml.safe_dump(crd)})
    app.kustomization()
    app.ready()
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}"
    live = api.rest.get(path)["spec"]["conversion"]["webhook"]["clientConfig"]
    assert live.get("caBundle") == (bundle if stays else None)
    if stays:
        return
    filled = base64.b64encode(pathlib.Path(api.ca_file).read_bytes()).decode()
    code, reply = api.rest.call("PATCH", path, {"spec": {"conversion": {"webhook": {
        "clientConfig": {"caBundle": filled}}}}}, "application/merge-patch+json")
    assert code == 200, reply
    app.rerun()
    live = api.rest.get(path)["spec"]["conversion"]["webhook"]["clientConfig"]
    assert live["caBundle"] == filled


def test_K63_values_that_are_no_text(app, objects, api):
    """A variable that is empty leaves null behind (K37): an empty password, not the word."""
    app.commit({"s.yaml": """\
        apiVersion: v1
        kind: Secret
        metadata: {name: s}
        data: null
        stringData:
          password: ${PW}
          port: 5432
          flag: true
          none: null
        """})
    app.kustomization(postBuild={"substitute": {"PW": ""}})
    app.ready()
    data = api.rest.get(f"/api/v1/namespaces/{objects.ns}/secrets/s")["data"]
    assert {key: base64.b64decode(value or "").decode() for key, value in data.items()} == {
        "password": "", "port": "5432", "flag": "true", "none": ""}


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
    app.event(f"Job/{objects.ns}/j created")


def test_K64_force_by_annotation(app, objects, api):
    immutable = config_map("one", {"a": "1"}, annotations=f"{{{OWNER}force: Enabled}}") + \
        "immutable: true\n"
    app.commit({"cm.yaml": immutable})
    app.kustomization(retryInterval="1h")
    app.ready()
    uid = objects.configmap("one")["metadata"]["uid"]
    app.commit({"cm.yaml": immutable.replace('"1"', '"2"')})
    app.ready()
    assert objects.configmap("one")["data"] == {"a": "2"}
    assert objects.configmap("one")["metadata"]["uid"] != uid


def test_K66_namespace_not_specified(app, objects, api):
    """Nothing is asked of the server then, not even for an earlier stage."""
    app.commit({"cm.yaml": config_map("one"), "role.yaml": f"""\
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: {{name: {objects.ns}}}
        rules: []
        """})
    app.kustomization(targetNamespace=None, retryInterval="1h")
    obj = objects.not_ready("Kustomization", "app", "ReconciliationFailed")
    assert "ConfigMap/one [cm.yaml:1]: namespace not specified" in \
        objects.condition(obj)["message"]
    assert not api.rest.get(f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{objects.ns}")


def test_K67_common_metadata(app, objects, api):
    app.commit({"cm.yaml": config_map("one", labels="{team: file}"), "d.yaml": DEPLOYMENT})
    app.kustomization(commonMetadata={"labels": {"team": "spec"}, "annotations": {"a": "b"}})
    app.ready()
    web = api.rest.get(f"/apis/apps/v1/namespaces/{objects.ns}/deployments/web")
    assert web["metadata"]["labels"]["team"] == "spec"
    assert web["spec"]["template"]["metadata"]["labels"] == {"app": "web"}
    metadata = objects.configmap("one")["metadata"]
    assert metadata["labels"]["team"] == "spec" and metadata["annotations"]["a"] == "b"


def version(obj):
    return int(obj["metadata"]["resourceVersion"])


def test_K51_what_others_stand_on_comes_first(app, objects, api):
    name = objects.ns + "-made"
    app.commit({"all.yaml": f"""\
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: {{name: a-claim}}
        spec:
          storageClassName: {name}
          accessModes: [ReadWriteOnce]
          resources: {{requests: {{storage: 1Gi}}}}
        ---
        apiVersion: storage.k8s.io/v1
        kind: StorageClass
        metadata: {{name: {name}}}
        provisioner: example.test/none
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {{name: a-map, namespace: {name}}}
        ---
        apiVersion: v1
        kind: Namespace
        metadata: {{name: {name}}}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: {{name: {name}}}
        rules: []
        """})
    # The claim cannot be in the new namespace: targetNamespace would move it too.
    app.kustomization(targetNamespace=None, patches=[{
        "target": {"kind": "PersistentVolumeClaim"},
        "patch": f"- {{op: add, path: /metadata/namespace, value: {objects.ns}}}"}])
    app.ready()
    get = api.rest.get
    claim = get(f"/api/v1/namespaces/{objects.ns}/persistentvolumeclaims/a-claim")
    inside = get(f"/api/v1/namespaces/{name}/configmaps/a-map")
    for first in (get(f"/api/v1/namespaces/{name}"),
                  get(f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}"),
                  get(f"/apis/storage.k8s.io/v1/storageclasses/{name}")):
        assert version(first) < version(claim) and version(first) < version(inside)


def test_K53_an_unhealthy_definition_stops_the_rest(app, objects, api):
    """Takes the minute that a stage may take."""
    group = f"{objects.ns}.example.test"
    if api.kind == "kube":
        # Its kind is taken: the server never establishes it.
        install_crd(api, widget_crd(group, "Widget"))
        clash = widget_crd(group, "Gadget")
        clash["spec"]["names"]["kind"] = "Widget"
        manifest, who = yaml.safe_dump(clash), f"CustomResourceDefinition/gadgets.{group}"
        why = "Failed']: names not accepted: "
    else:
        install_crd(api, widget_crd(group, "WidgetClass"))
        manifest = yaml.safe_dump({"apiVersion": f"{group}/v1", "kind": "WidgetClass",
                                   "metadata": {"name": "w"}})
        api.kubectl("apply", "--server-side", "-n", objects.ns, "-f", "-", stdin=manifest)
        put_status(api, f"/apis/{group}/v1/namespaces/{objects.ns}/widgetclasss/w", {
            "conditions": [{"type": "Ready", "status": "False", "reason": "R"}]})
        who, why = f"WidgetClass/{objects.ns}/w", "InProgress']: Ready is False: R"
    app.commit({"first.yaml": manifest, "cm.yaml": config_map("after")})
    started = time.monotonic()
    app.kustomization(retryInterval="1h")
    app.failed("ReconciliationFailed", f"timeout waiting for: [{who} status: '{why}", timeout=180)
    assert time.monotonic() - started > 58, "the minute was not kept"
    assert not objects.configmap("after"), "a later stage was applied"


def test_K62_unknown_fields(app, objects, api):
    misspelled = DEPLOYMENT.replace("      replicas: 1", "      replcias: 1\n      paused: true") \
        .replace("image: nginx", "image: nginx, imagePullPolcy: Always, ports: [{"
                 "containerPort: 80, nick: x}]")
    group = f"{objects.ns}.example.test"
    install_crd(api, widget_crd(group, schema={
        "type": "object", "properties": {"spec": {
            "type": "object", "properties": {"size": {"type": "integer"}}}}}))
    app.commit({"builtin/d.yaml": misspelled, "custom/w.yaml": f"""\
        apiVersion: {group}/v1
        kind: Widget
        metadata: {{name: w}}
        spec: {{size: 1, heft: 2}}
        """})
    app.kustomization("builtin", path="./builtin")
    app.ready("builtin")
    spec = api.rest.get(f"/apis/apps/v1/namespaces/{objects.ns}/deployments/web")["spec"]
    assert spec["paused"] is True and "replcias" not in spec
    container = spec["template"]["spec"]["containers"][0]
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    before = api.rest.get(f"/apis/apps/v1/namespaces/{objects.ns}/deployments/web")
    app.rerun("builtin")
    after = api.rest.get(f"/apis/apps/v1/namespaces/{objects.ns}/deployments/web")
    assert version(before) == version(after), "what was left out must not look like drift"
    app.kustomization("custom", path="./custom", retryInterval="1h")
    message = objects.condition(app.failed("ReconciliationFailed", ".spec.heft", name="custom"))["message"]
    # The server gives no reason, and is not away.
    assert f"Widget/{objects.ns}/w [custom/w.yaml:1] dry-run failed: " in message


def test_K62_K64_roles_stay_as_they_are(app, objects, api):
    """A field too many is not left out of them; and no force makes that a reason to delete."""
    role = ("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\n"
            "rules: [{apiGroups: [''], resources: [configmaps], verbs: [get]}]\n")
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{objects.ns}/roles/r"
    app.commit({"r.yaml": role})
    app.kustomization(force=True, retryInterval="1h")
    app.ready()
    before = api.rest.get(path)["metadata"]
    app.commit({"r.yaml": role.replace("get]}", "get], verb: x}")})
    app.failed("ReconciliationFailed", "field not declared in schema")
    after = api.rest.get(path)["metadata"]
    assert (before["uid"], before["resourceVersion"]) == (after["uid"], after["resourceVersion"])


def test_K64_force_on_what_is_refused_as_new(app, objects, api):
    """Nothing is there to be deleted: the refusal is told."""
    app.commit({"s.yaml": SERVICE.format(port=99999), "t.yaml": config_map("one")})
    app.kustomization(force=True, retryInterval="1h")
    app.failed("ReconciliationFailed", f"Service/{objects.ns}/s [s.yaml:1]")
    app.commit({"s.yaml": SERVICE.format(port=80)})
    app.ready()
    # Any 422 counts as immutable: what was there is gone, what takes its place is refused.
    app.commit({"s.yaml": SERVICE.format(port=99999)})
    app.failed("ReconciliationFailed", f"Service/{objects.ns}/s [s.yaml:1]")


SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{ports: [{{port: {port}}}]}}\n"
JOB = """\
    apiVersion: batch/v1
    kind: Job
    metadata: {{name: j, finalizers: [{finalizer}]}}
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{{name: c, image: "x:{tag}"}}]
    """


def test_K65_force_waits_for_a_stuck_finalizer(app, objects, api):
    path = f"/apis/batch/v1/namespaces/{objects.ns}/jobs/j"
    app.commit({"j.yaml": JOB.format(tag=1, finalizer="example.test/stuck")})
    app.kustomization(force=True, retryInterval="1h")
    app.ready()
    old = api.rest.get(path)
    app.commit({"j.yaml": JOB.format(tag=2, finalizer="")})
    wait_until(lambda: api.rest.get(path)["metadata"].get("deletionTimestamp"),
               "the deletion to begin")
    obj = objects.wait("Kustomization", "app", lambda o: app.head in o["status"][
        "lastAttemptedRevision"], "to begin with the new revision")
    assert objects.condition(obj)["status"] != "True"
    assert api.rest.get(path)["metadata"]["uid"] == old["metadata"]["uid"]
    assert api.rest.call("PATCH", path, {"metadata": {"finalizers": None}},
                         "application/merge-patch+json")[0] == 200
    app.ready()
    new = api.rest.get(path)
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    assert new["spec"]["template"]["spec"]["containers"][0]["image"] == "x:2"
    app.event(f"Job/{objects.ns}/j created")


def test_K68_ignored_fields(app, objects, api):
    path = f"/apis/apps/v1/namespaces/{objects.ns}/deployments/web"

    def patch(body, manager):
        code, reply = api.rest.call("PATCH", f"{path}?fieldManager={manager}", body,
                                    "application/merge-patch+json")
        assert code == 200, reply

    def live():
        return api.rest.get(path)
    app.commit({"d.yaml": DEPLOYMENT, "cm.yaml": config_map("one", {"a": "1", "b": "2"})})
    app.kustomization(ignore=[
        {"paths": ["/spec/replicas"], "target": {"kind": "Deploy.*", "name": "web"}},
        {"paths": ["/data/a"], "target": {"kind": "ConfigMap", "name": "on"}}])
    app.ready()
    assert live()["spec"]["replicas"] == 1, "what is new is made as the manifest says"
    patch({"spec": {"replicas": 5}}, "scaler")
    before = version(live())
    app.rerun()
    assert live()["spec"]["replicas"] == 5 and version(live()) == before
    # Other drift is undone without touching what is ignored.
    patch({"spec": {"paused": True, "template": {"spec": {"containers": [
        {"name": "c", "image": "hacked"}]}}}}, "scaler")
    wait_until(lambda: live()["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx",
               "the correction")
    assert live()["spec"]["replicas"] == 5
    patch({"spec": {"replicas": 6}}, "scaler")
    app.rerun()
    assert live()["spec"]["replicas"] == 6
    # So does what kubectl adds, which is no drift of ours.
    patch({"metadata": {"annotations": {"added": "x"}}}, "kubectl-edit")
    wait_until(lambda: "added" not in live()["metadata"].get("annotations", {}),
               "the field of kubectl to go")
    assert live()["spec"]["replicas"] == 6
    # An object that no rule's pattern matches as a whole is corrected all the same.
    api.rest.call("PATCH", f"/api/v1/namespaces/{objects.ns}/configmaps/one",
                  {"data": {"a": "hacked"}}, "application/merge-patch+json")
    wait_until(lambda: objects.configmap("one")["data"] == {"a": "1", "b": "2"}, "the correction")
    # Without the rule the manifest counts again.
    app.kustomization(ignore=None)
    wait_until(lambda: live()["spec"]["replicas"] == 1, "the manifest's value")


def test_K68_a_field_of_another_applier(app, objects, api):
    path = f"/apis/apps/v1/namespaces/{objects.ns}/deployments/web"
    app.commit({"d.yaml": DEPLOYMENT})
    app.kustomization(ignore=[{"paths": ["/spec/template/spec/containers/0/image"]}])
    app.ready()
    code, reply = api.rest.call("PATCH", f"{path}?fieldManager=updater&force=true", {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "nginx:2"}]}}}},
        "application/apply-patch+yaml")
    assert code == 200, reply
    app.commit({"d.yaml": DEPLOYMENT.replace("replicas: 1", "replicas: 2")})
    app.ready()
    obj = api.rest.get(path)
    assert obj["spec"]["replicas"] == 2
    assert obj["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:2"
    ours = next(m for m in obj["metadata"]["managedFields"]
                if m["manager"] == "kustomize-controller")
    item = ours["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"c"}']
    assert "f:image" not in item, "a field of another applier is not shared"


def test_K68_a_bad_rule_is_told(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization(ignore=[{"paths": ["/data"], "target": {"name": "("}}])
    app.failed("ReconciliationFailed", "spec.ignore[0]")
    app.kustomization(ignore=[{"paths": ["data"]}])
    app.failed("ReconciliationFailed", "JSON pointer")
    assert not objects.configmap("one")


def test_K42_K46_an_encrypted_secret_stays_out(app, objects, api):
    secret = """\
        apiVersion: v1
        kind: Secret
        metadata: {name: s%s}
        stringData: {a: "ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]"}
        sops: {mac: "ENC[x]", version: 3.13.2}
        """
    app.commit({"s.yaml": secret % ""})
    app.kustomization(retryInterval="1h")
    app.failed("ReconciliationFailed",
               f"Secret/{objects.ns}/s [s.yaml:1]: is SOPS encrypted, configuring decryption is")
    path = f"/api/v1/namespaces/{objects.ns}/secrets/s"
    assert not api.rest.get(path)
    app.commit({"s.yaml": secret % (
        ", annotations: {kustomize.toolkit.fluxcd.io/decrypt: Disabled}")})
    app.ready()
    assert set(api.rest.get(path)["data"]) == {"a"}
