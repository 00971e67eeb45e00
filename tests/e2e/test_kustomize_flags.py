"""Kustomizations end to end: what flags and feature gates change."""
import hashlib
import os
import pathlib
import subprocess
import threading
import time

import pytest
import yaml

from tests.lib.apps import (DEPLOYMENT, account, app, config_map, install_crd, runs,  # noqa: F401
                            set_deployment_status, widget_crd)
from tests.lib.controllers import Controller, Toolkit
from tests.lib.net import PATIENCE, http, wait_until

SHARD = "sharding.fluxcd.io/key"
FLAGS = [
    "--build-max-file-bytes=100000", "--build-max-objects=20", "--no-remote-bases",
    "--no-cross-namespace-refs", "--override-manager=editor",
    "--custom-apply-stage-kinds=rbac.authorization.k8s.io/Role", "--requeue-dependency=1s",
    f"--watch-label-selector=!{SHARD}", "--watch-configs-label-selector=wake=me",
    "--feature-gates=CancelHealthCheckOnNewRevision=true,DisableFailFastBehavior=true,"
    "StrictPostBuildSubstitutions=false,ExternalArtifact=true,DirectSourceFetch=true,"
    "MigrateAPIVersion=true,AdditiveCELDependencyCheck=true"]


@pytest.fixture(scope="module")
def toolkit(api, directory):
    kit = Toolkit(api, directory / "toolkit", kustomize_flags=FLAGS).start()
    yield kit
    kit.finish()


def run_binary(*flags):
    binary = pathlib.Path(os.environ["SLUICE_BUILD"], "kustomize-controller",
                          "kustomize-controller")
    return subprocess.run([binary, "--metrics-addr=0", "--health-addr=0", *flags],
                          capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("flag, text", [
    ("--feature-gates=Nonsense=true", "Nonsense"),
    ("--feature-gates=MigrateAPIVersion=perhaps", "MigrateAPIVersion"),
    ("--build-max-objects=0", "above 0"), ("--build-timeout=0s", "above 0"),
    ("--default-kubeconfig-service-account=x", "ObjectLevelWorkloadIdentity"),
    ("--default-decryption-service-account=x", "ObjectLevelWorkloadIdentity")])
def test_K101_bad_flags_end_the_process(api, flag, text):
    done = run_binary(f"--kubeconfig={api.kubeconfig}", flag)
    assert done.returncode != 0 and text in done.stderr + done.stdout


def test_K91_the_gate_wants_the_expression_and_readiness(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization("dep", path="./nowhere")
    objects.not_ready("Kustomization", "dep", "ArtifactFailed")
    app.kustomization("app", dependsOn=[{"name": "dep", "readyExpr": "true"}])
    obj = objects.not_ready("Kustomization", "app", "DependencyNotReady")
    assert objects.condition(obj)["message"] == f"dependency '{objects.ns}/dep' is not ready"
    app.kustomization("dep")
    app.ready()


@pytest.mark.parametrize("what", ["K6_source_without_artifact", "K89_dependency"])
def test_looks_again_after_requeue_dependency(app, objects, api, toolkit, what):
    """A net below the watches, which wake earlier."""
    if what.startswith("K6"):
        objects.apply("GitRepository", "src", {"url": "http://127.0.0.1:1/none.git",
                                               "interval": "1h", "ref": {"branch": "main"}})
        app.kustomization()
        app.failed("ArtifactFailed", "Source artifact not found, retrying in 1s")
    else:
        app.commit({"cm.yaml": config_map("one")})
        app.kustomization(dependsOn=[{"name": "nobody"}])
        app.failed("DependencyNotReady", "nobody")
    wait_until(lambda: runs(toolkit, objects.ns) >= 4, "three more looks")
    # What it waits for is told once.
    events = api.rest.get(f"/api/v1/namespaces/{objects.ns}/events")["items"]
    assert sum(e["count"] for e in events if "retrying in" in e["message"]) <= 1


def test_K26_no_remote_bases(app, objects):
    base = f"{app.git_server.url}/x.git//base?ref=main"
    app.commit({"kustomization.yaml": f"resources: ['{base}']\n"})
    app.kustomization()
    app.failed("BuildFailed")
    assert not [r for r in app.git_server.requests() if "/x.git" in r], "it was asked for"


def test_K26_each_form_of_a_remote_base(app, objects):
    """As a resource, as a component and below a base; nobody is asked for any."""
    url = app.git_server.url
    forms = {"query": f"{url}/x.git//base?ref=main", "git": f"git::{url}/x.git//base",
             "scp": "git@127.0.0.1:x/y.git", "ssh": "ssh://git@127.0.0.1/x/y//base",
             "file": f"{url}/x.git/raw/one.yaml"}
    files = {}
    for name, form in forms.items():
        files[f"{name}/kustomization.yaml"] = f"resources: ['{form}']\n"
    files["component/kustomization.yaml"] = f"components: ['{forms['query']}']\n"
    files["below/kustomization.yaml"] = "resources: [../query]\n"
    app.commit(files)
    names = sorted({path.split("/")[0] for path in files})
    for name in names:
        app.kustomization(name, path=f"./{name}", retryInterval="1h")
    for name in names:
        app.failed("BuildFailed", "x", name=name)
    assert not [r for r in app.git_server.requests() if "/x.git" in r], "it was asked for"


def test_limits_of_a_build_are_flags(app, objects):
    app.commit({"a/cm.yaml": config_map("a", {"k": "x" * 100000}),
                "b/many.yaml": "---\n".join(config_map(f"b{i}") for i in range(21)),
                "c/few.yaml": "---\n".join(config_map(f"c{i}") for i in range(20))})
    for name in "abc":
        app.kustomization(name, path=f"./{name}")
    app.failed("BuildFailed", "a/cm.yaml: over 100000 bytes", name="a")
    app.failed("BuildFailed", "b/many.yaml:141: more than 20 objects", name="b")
    objects.ready("Kustomization", "c")


def test_K29_unset_variables_without_strictness(app, objects):
    app.commit({"cm.yaml": config_map("one", {"a": "<${unset}>", "b": "${x}"})})
    app.kustomization(postBuild={"substitute": {"x": "set"}})
    app.ready()
    assert objects.configmap("one")["data"] == {"a": "<>", "b": "set"}


def test_K15_the_label_that_wakes(app, objects, api):
    values = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "vars", "namespace": objects.ns, "labels": {"wake": "me"}}, "data": {"v": "one"}}
    api.apply(values)
    app.commit({"cm.yaml": config_map("one", {"a": "${v}"})})
    app.kustomization(postBuild={"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]})
    app.ready()
    values["data"]["v"] = "two"
    api.apply(values)
    wait_until(lambda: objects.configmap("one")["data"] == {"a": "two"}, "the new value")


def test_K52_roles_in_a_stage_of_their_own(app, objects, api):
    """A server that guards against escalation refuses a binding to a role that is not there yet."""
    ns = objects.ns
    api.kubectl("create", "serviceaccount", "deployer", "-n", ns)
    # All but `bind` and `escalate`, which would pass the guard.
    api.kubectl("create", "role", "deployer", "-n", ns,
                "--verb=get,list,watch,create,update,patch,delete",
                "--resource=configmaps,roles.rbac.authorization.k8s.io,"
                "rolebindings.rbac.authorization.k8s.io")
    api.kubectl("create", "rolebinding", "deployer", "-n", ns, "--role=deployer",
                f"--serviceaccount={ns}:deployer")
    api.wait_allowed(f"system:serviceaccount:{ns}:deployer", "create", "configmaps", ns)
    app.commit({"rbac.yaml": """\
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: a-binding}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: z-role}
        subjects: [{kind: User, name: somebody, apiGroup: rbac.authorization.k8s.io}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: z-role}
        rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]
        """})
    app.kustomization(serviceAccountName="deployer", retryInterval="1h")
    app.ready()
    base = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}"
    role = api.rest.get(f"{base}/roles/z-role")["metadata"]["resourceVersion"]
    binding = api.rest.get(f"{base}/rolebindings/a-binding")["metadata"]["resourceVersion"]
    assert int(role) < int(binding)


def test_K59_other_managers_to_override(app, objects, api):
    path = f"/api/v1/namespaces/{objects.ns}/configmaps/one"

    def add(key, manager):
        code, reply = api.rest.call("PATCH", f"{path}?fieldManager={manager}",
                                    {"data": {key: "1"}}, "application/merge-patch+json")
        assert code == 200, reply
    app.commit({"cm.yaml": config_map("one", {"ours": "1"})})
    app.kustomization()
    app.ready()
    add("kept", "somebody")
    for manager in ("editor", "editor-of-things"):
        add("gone", manager)
        wait_until(lambda: objects.configmap("one")["data"] == {"ours": "1", "kept": "1"},
                   f"the field of {manager} to go")
    app.rerun()
    assert objects.configmap("one")["data"] == {"ours": "1", "kept": "1"}


def test_K70_fields_managed_at_an_older_version(app, objects, api):
    """The gate MigrateAPIVersion: a version with a new default must not be refused for entries of
    managedFields that name the old one."""
    group = f"{objects.ns}.example.test"
    path = f"/apis/{group}/v1/namespaces/{objects.ns}/widgets/w"

    def schema(**more):
        return {"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "a": {"type": "integer"}, "b": {"type": "integer"}, **more}}}}
    crd = widget_crd(group, schema=schema())
    install_crd(api, crd)
    manifest = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"},
                "spec": {"a": 1}}
    app.commit({"w.yaml": yaml.safe_dump(manifest)})
    app.kustomization()
    app.ready()
    code, reply = api.rest.call("PATCH", f"{path}?fieldManager=other", {
        **manifest, "spec": {"b": 2}}, "application/apply-patch+yaml")
    assert code == 200, reply
    old = crd["spec"]["versions"][0]
    crd["spec"]["versions"] = [{**old, "storage": False}, {
        **old, "name": "v2", "schema": {"openAPIV3Schema": schema(
            mode={"type": "string", "default": "quick"})}}]
    install_crd(api, crd)
    app.commit({"w.yaml": yaml.safe_dump({**manifest, "apiVersion": f"{group}/v2"})})
    app.ready()
    obj = api.rest.get(path.replace("/v1/", "/v2/"))
    assert obj["spec"]["b"] == 2 and obj["spec"]["mode"] == "quick"
    assert {m["apiVersion"] for m in obj["metadata"]["managedFields"]} == {f"{group}/v2"}


def test_K79_without_failing_fast(app, objects, api):
    two = DEPLOYMENT.replace("name: web", "name: slow").replace("app: web", "app: slow")
    app.commit({"a.yaml": DEPLOYMENT, "b.yaml": two})
    app.kustomization(wait=True, timeout="30s", retryInterval="1h")
    objects.wait("Kustomization", "app", lambda o: objects.condition(o, "Healthy").get(
        "status") == "Unknown", "to wait for health")
    set_deployment_status(api, objects.ns, readyReplicas=0, availableReplicas=0, conditions=[
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
         "message": ""}])
    obj = app.failed("HealthCheckFailed", "timeout waiting for", timeout=150)
    message = objects.condition(obj)["message"]
    assert f"Deployment/{objects.ns}/web status: 'Failed'" in message
    assert f"Deployment/{objects.ns}/slow status: 'InProgress'" in message


def test_K79_when_nobody_is_left_to_get_ready(app, objects, api):
    app.commit({"a.yaml": DEPLOYMENT, "cm.yaml": config_map("one")})
    app.kustomization(wait=True, timeout="5m", retryInterval="1h")
    objects.wait("Kustomization", "app", lambda o: objects.condition(o, "Healthy").get(
        "status") == "Unknown", "to wait for health")
    set_deployment_status(api, objects.ns, readyReplicas=0, availableReplicas=0, conditions=[
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
         "message": ""}])
    app.failed("HealthCheckFailed", "failed early due to stalled resources: [Deployment/")


def test_K88_a_new_revision_cancels(app, objects, api):
    app.commit({"d.yaml": DEPLOYMENT})
    old = app.head
    app.kustomization(wait=True, timeout="5m")
    objects.wait("Kustomization", "app", lambda o: objects.condition(o, "Healthy").get(
        "status") == "Unknown", "to wait for health")
    app.commit({"cm.yaml": config_map("one")}, remove=["d.yaml"])
    obj = app.ready()
    assert objects.configmap("one")
    assert not any(old in h["metadata"]["revision"] for h in obj["status"]["history"])
    _, reason, _ = app.event("Health checks canceled due to new reconciliation triggered by "
                             f"GitRepository/{objects.ns}/src")
    assert reason == "HealthCheckCanceled"


def test_K92_sources_of_other_namespaces(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization(retryInterval="1s", sourceRef={
        "kind": "GitRepository", "name": "src", "namespace": "flux-system"})
    obj = app.failed("AccessDenied", "cross-namespace references have been blocked")
    stalled = objects.condition(obj, "Stalled")
    assert stalled["status"] == "True" and stalled["reason"] == "AccessDenied"
    assert not objects.condition(obj, "Reconciling")
    app.event("cross-namespace references have been blocked")
    app.kustomization()
    obj = app.ready()
    assert not objects.condition(obj, "Stalled")


def put_artifact(api, ns, artifact, name="ext"):
    """An ExternalArtifact, whose status its own controller would write."""
    api.apply({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "ExternalArtifact",
               "metadata": {"name": name, "namespace": ns}, "spec": {}})
    path = f"/apis/source.toolkit.fluxcd.io/v1/namespaces/{ns}/externalartifacts/{name}/status"
    code, reply = api.rest.call("PATCH", path, {"status": {"artifact": artifact}},
                                "application/merge-patch+json")
    assert code == 200, reply


def test_K97_origin_revision(app, objects, api):
    app.commit({"cm.yaml": config_map("one")})
    artifact = objects.ready("GitRepository", "src")["status"]["artifact"]
    artifact = {**artifact, "revision": "latest@sha256:" + "a" * 64, "metadata": {
        "org.opencontainers.image.revision": "main@sha1:origin"}}
    put_artifact(api, objects.ns, artifact)
    app.kustomization(sourceRef={"kind": "ExternalArtifact", "name": "ext"})
    obj = objects.ready("Kustomization", "app", revision=artifact["revision"])
    assert obj["status"]["lastAppliedOriginRevision"] == "main@sha1:origin"
    assert obj["status"]["history"][0]["metadata"] == {
        "revision": artifact["revision"], "originRevision": "main@sha1:origin"}
    finished = wait_until(lambda: next(
        e for e in api.rest.get(f"/api/v1/namespaces/{objects.ns}/events")["items"]
        if e["message"].startswith("Reconciliation finished")), "the event of the success")
    assert finished["metadata"]["annotations"][
        "kustomize.toolkit.fluxcd.io/originRevision"] == "main@sha1:origin"
    assert finished["metadata"]["annotations"][
        "kustomize.toolkit.fluxcd.io/commit_status"] == "update"
    assert finished["message"].endswith("s, next run in 1h0m0s")
    # Its watch wakes those who use it.
    artifact["revision"] = "latest@sha256:" + "b" * 64
    artifact["metadata"] = {"org.opencontainers.image.revision": "o" * 300}
    put_artifact(api, objects.ns, artifact)
    obj = objects.ready("Kustomization", "app", revision=artifact["revision"])
    assert obj["status"]["lastAppliedOriginRevision"] == "o" * 256, "somebody else's text is cut"


def test_K97_every_event_of_a_life_has_its_revision(app, objects, api):
    prefix = "kustomize.toolkit.fluxcd.io/"

    def told(text):
        """The metadata of the event with that text, after `prefix`."""
        events = api.rest.get(f"/api/v1/namespaces/{objects.ns}/events")["items"]
        notes = [e["metadata"].get("annotations", {}) for e in events if text in e["message"]
                 and e["involvedObject"]["kind"] == "Kustomization"]
        return {k.removeprefix(prefix): v for k, v in notes[0].items()} if notes else None

    def expect(text, **more):
        wait_until(lambda: told(text) is not None, f"an event with {text!r}")
        assert told(text) == {"revision": f"main@sha1:{app.head}", **more}, text
    account(api, objects.ns, "limited", "*")
    app.commit({"a.yaml": config_map("one"), "b.yaml": config_map("two")})
    app.kustomization(wait=True, serviceAccountName="limited", retryInterval="1h")
    app.ready()
    expect("two created")
    expect("Health check passed")
    expect("Reconciliation finished", commit_status="update")
    app.commit({}, remove=["b.yaml"])
    app.ready()
    expect("two deleted")
    api.kubectl("delete", "role", "limited", "-n", objects.ns)
    objects.delete("Kustomization", "app")
    expect("forbidden")
    api.kubectl("create", "role", "limited", "-n", objects.ns, "--verb=*",
                "--resource=configmaps")
    objects.gone("Kustomization", "app")
    expect("one deleted")


@pytest.fixture
def shard(api, directory):
    """Starts one more controller for a shard; ends all that were started."""
    started = []

    def start(key, *flags):
        controller = Controller("kustomize-controller", api, directory / f"shard-{key}", flags=[
            f"--watch-label-selector={SHARD}={key}", *flags], env={"TMPDIR": str(directory)})
        started.append(controller)
        return controller.wait_until_ready()
    yield start
    for controller in started:
        assert controller.stop() == 0, controller.log()[-3000:]


def test_K100_K89_shards(app, objects, api, shard):
    selector = f"{SHARD}=one"
    app.commit({"whole/cm.yaml": config_map("one"), "part/cm.yaml": config_map("two")})
    app.kustomization("whole", path="./whole", dependsOn=[{"name": "part"}])
    app.kustomization("part", path="./part")
    app.ready("part")
    objects.patch("Kustomization", "part", {"metadata": {"labels": {SHARD: "one"}}})
    objects.patch("Kustomization", "part", {"spec": {"commonMetadata": {"labels": {"by": "one"}}}})
    other = shard("one", "--enable-leader-election", "--leader-election-retry-period=100ms")
    app.ready("part")
    assert objects.configmap("two")["metadata"]["labels"]["by"] == "one"
    lease = "kustomize-controller-leader-election-" + hashlib.sha256(
        selector.encode()).hexdigest()[:8]
    assert api.rest.get(f"/apis/coordination.k8s.io/v1/namespaces/flux-system/leases/{lease}")
    # The other one's dependency is in this shard.
    app.rerun("whole")
    app.ready("whole")
    wait_until(lambda: 'name="part"' in other.metrics(), "the run to be told of")
    assert 'name="whole"' not in other.metrics()


def test_K15_the_gate_that_leaves_configs_unwatched(app, objects, api, shard):
    values = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "vars", "namespace": objects.ns, "labels": {
            "wake": "me", "reconcile.fluxcd.io/watch": "Enabled"}}, "data": {"v": "one"}}
    api.apply(values)
    app.commit({"cm.yaml": config_map("one", {"a": "${v}"})})
    spec = {"interval": "1h", "prune": True, "path": "./", "targetNamespace": objects.ns,
            "sourceRef": {"kind": "GitRepository", "name": "src"},
            "postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]}}
    objects.apply("Kustomization", "unwoken", {**spec, "namePrefix": "un-"},
                  labels={SHARD: "unwatched"})
    objects.apply("Kustomization", "app", spec)
    shard("unwatched", "--feature-gates=DisableConfigWatchers=true")
    app.ready("unwoken")
    app.ready()
    api.apply({**values, "data": {"v": "two"}})
    wait_until(lambda: objects.configmap("one")["data"] == {"a": "two"}, "the new value")
    assert objects.configmap("un-one")["data"] == {"a": "one"}
    app.rerun("unwoken")
    assert objects.configmap("un-one")["data"] == {"a": "two"}


def test_K93_default_service_account(app, objects, api, shard):
    app.commit({"cm.yaml": config_map("one")})
    objects.apply("Kustomization", "app", {
        "interval": "1h", "retryInterval": "1s", "prune": True, "path": "./",
        "targetNamespace": objects.ns, "sourceRef": {"kind": "GitRepository", "name": "src"}},
        labels={SHARD: "tenants"})
    shard("tenants", "--default-service-account=nobody")
    app.failed("ReconciliationFailed", f"system:serviceaccount:{objects.ns}:nobody")
    assert not objects.configmap("one")
    api.kubectl("create", "serviceaccount", "somebody", "-n", objects.ns)
    api.kubectl("create", "role", "somebody", "-n", objects.ns, "--verb=*",
                "--resource=configmaps")
    api.kubectl("create", "rolebinding", "somebody", "-n", objects.ns, "--role=somebody",
                f"--serviceaccount={objects.ns}:somebody")
    objects.patch("Kustomization", "app", {"spec": {"serviceAccountName": "somebody"}})
    app.ready()


def test_a_step_that_takes_long_is_shown(app, objects, api, sink):
    """A worker that blocks in one step still tells a person who waits, after two seconds."""
    app.commit({"cm.yaml": config_map("one", {"of": "this test alone"})})
    artifact = objects.ready("GitRepository", "src")["status"]["artifact"]
    body = http("GET", artifact["url"])[2]
    asked, go_on = threading.Event(), threading.Event()

    def slow(message, earlier):
        asked.set()
        assert go_on.wait(2 * PATIENCE)
        return 200, {}, body
    sink.answers["/slow.tar.gz"] = slow
    artifact = {**artifact, "revision": "slow", "url": sink.url + "/slow.tar.gz"}
    put_artifact(api, objects.ns, artifact)
    applied = time.monotonic()
    app.kustomization(sourceRef={"kind": "ExternalArtifact", "name": "ext"})
    assert asked.wait(PATIENCE)
    started = time.monotonic()
    obj = objects.wait("Kustomization", "app", lambda o: objects.condition(
        o, "Reconciling").get("message", "").startswith("Fetching manifests for revision slow"),
        "to show what it does")
    assert time.monotonic() - applied > 1.9 and time.monotonic() - started < 29
    assert objects.condition(obj)["status"] == "Unknown"
    # Somebody else's condition, set meanwhile, survives the run's own writes.
    conditions = obj["status"]["conditions"] + [{
        "type": "Theirs", "status": "True", "reason": "R", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z"}]
    code, reply = api.rest.call("PATCH", objects.path("Kustomization", "app") + "/status",
                                {"status": {"conditions": conditions}},
                                "application/merge-patch+json")
    assert code == 200, reply
    go_on.set()
    obj = objects.ready("Kustomization", "app", revision="slow")
    assert objects.condition(obj, "Theirs") and not objects.condition(obj, "Reconciling")
