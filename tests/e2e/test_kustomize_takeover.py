"""Objects that were made by other tools and are then given to Sluice: no field is lost, and what has
an owner has one. The tools' requests are made here by REST, with their field managers and
annotations, so that no kubectl is needed; at the end by the tools themselves."""
import json
import os
import subprocess

import pytest
import yaml

from tests.lib.apps import OWNER, app, config_map, install_crd, widget_crd  # noqa: F401
from tests.lib.oracle import oracle

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
GROUP = "takeover.example.test"

MANIFESTS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: config, labels: {app: web, with.dots/and-slash: x}}
data: {a: "1", b.c: "2", long: "line\\nline\\n"}
---
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {note: kept}}
spec:
  selector: {app: web}
  ports:
  - {name: http, port: 80, targetPort: 8080}
  - {name: dns, port: 53, targetPort: 53, protocol: UDP}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx:1
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
        ports: [{containerPort: 8080}, {containerPort: 53, protocol: UDP}]
        volumeMounts: [{name: config, mountPath: /etc/web}]
        resources: {limits: {cpu: 500m, memory: 64Mi}}
      - {name: side, image: busybox, args: [sleep, "1"]}
      volumes: [{name: config, configMap: {name: config}}]
      tolerations: [{key: a, operator: Exists}]
---
apiVersion: takeover.example.test/v1
kind: Widget
metadata: {name: thing}
spec: {list: [{a: 1}, {b: [1, 2]}], deep: {er: {value: true}}, empty: {}}
"""


@pytest.fixture(scope="module", autouse=True)
def definition(api):
    install_crd(api, widget_crd(GROUP))


def manifests(ns):
    return [{**m, "metadata": {"namespace": ns, **m["metadata"]}}
            for m in yaml.safe_load_all(MANIFESTS)]


class Tool:
    """What a tool asks of the server to make an object and to change it."""

    def __init__(self, api):
        self.api = api

    def post(self, made, manager):
        path = self.api.rest.path_of(made).rsplit("/", 1)[0]
        code, reply = self.api.rest.call("POST", f"{path}?fieldManager={manager}", made)
        assert code == 201, reply

    def patch(self, made, body, manager, kind, more=""):
        path = self.api.rest.path_of(made)
        code, reply = self.api.rest.call("PATCH", f"{path}?fieldManager={manager}{more}", body,
                                         f"application/{kind}")
        assert code in (200, 201), reply

    def create(self, made):
        self.post(made, "kubectl-create")

    def client_side(self, made):
        text = json.dumps(made) + "\n"
        noted = {**made, "metadata": {**made["metadata"], "annotations": {
            **made["metadata"].get("annotations", {}), LAST_APPLIED: text}}}
        self.post(noted, "kubectl-client-side-apply")
        # A second apply patches; it writes the annotation once more.
        self.patch(made, {"metadata": {"labels": {"second": "apply"}, "annotations": {
            LAST_APPLIED: text + " "}}}, "kubectl-client-side-apply", "merge-patch+json")
        self.patch(made, {"metadata": {"labels": {"second": None}}}, "kubectl-client-side-apply",
                   "merge-patch+json")

    def server_side(self, made):
        self.patch(made, made, "kubectl", "apply-patch+yaml")

    def edited(self, made):
        self.create(made)
        self.patch(made, {"metadata": {"annotations": {"edited": "yes"}}}, "kubectl-edit",
                   "merge-patch+json")
        self.patch(made, {"metadata": {"annotations": {"edited": None}}}, "kubectl-edit",
                   "merge-patch+json")

    def migrated(self, made):
        """Client-side first, then `kubectl apply --server-side`."""
        self.client_side(made)
        self.patch(made, made, "kubectl", "apply-patch+yaml", "&force=true")

    def helm(self, made):
        meta = made["metadata"]
        self.post({**made, "metadata": {
            **meta, "labels": {**meta.get("labels", {}), "app.kubernetes.io/managed-by": "Helm"},
            "annotations": {**meta.get("annotations", {}), "meta.helm.sh/release-name": "web",
                            "meta.helm.sh/release-namespace": meta["namespace"]}}}, "helm")


def content(obj):
    """What a person wrote, with what the server made of it."""
    meta = obj["metadata"]
    kept = {k: {n: v for n, v in meta.get(k, {}).items()
                if not n.startswith((OWNER, LAST_APPLIED, "deployment.kubernetes.io"))}
            for k in ("labels", "annotations")}
    return {**{k: v for k, v in obj.items() if k not in ("metadata", "status")}, **kept}


def leaves(fields, path=""):
    for key, value in fields.items():
        if key != "." and not value:
            yield path + key
        yield from leaves(value, path + key + "/") if value else ()


def owners(obj):
    """{field: [manager, ...]} of all but the status."""
    found = {}
    for entry in obj["metadata"]["managedFields"]:
        if not entry.get("subresource"):
            for leaf in leaves(entry["fieldsV1"]):
                found.setdefault(leaf, []).append(f"{entry['manager']}/{entry['operation']}")
    return found


def give(app, objects, tool):  # noqa: F811
    """Makes the objects by a tool, then gives them to a Kustomization: [(before, after), ...]"""
    made = manifests(objects.ns)
    for one in made:
        tool(one)
    rest = objects.api.rest
    before = [rest.get(rest.path_of(m)) for m in made]
    app.commit({"all.yaml": MANIFESTS})
    app.kustomization()
    app.ready()
    return [(b, rest.get(rest.path_of(m))) for b, m in zip(before, made)]


@pytest.mark.parametrize("how", ["create", "client_side", "server_side", "edited", "migrated"])
def test_K57_K58_what_kubectl_made_has_one_owner(app, objects, api, how):  # noqa: F811
    for before, after in give(app, objects, getattr(Tool(api), how)):
        assert content(after) == content(before)
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        assert LAST_APPLIED not in after["metadata"].get("annotations", {})
        shared = {k: v for k, v in owners(after).items() if v != ["kustomize-controller/Apply"]}
        assert not shared, (after["kind"], shared)


def test_K57_what_helm_made_keeps_its_owner_beside_ours(app, objects, api):  # noqa: F811
    """As upstream: helm's entry stays until --override-manager names it."""
    for before, after in give(app, objects, Tool(api).helm):
        assert content(after) == content(before)
        found = owners(after)
        assert {"kustomize-controller/Apply"} < {m for v in found.values() for m in v}
        assert all(set(v) <= {"kustomize-controller/Apply", "helm/Update"} and
                   len(v) == len(set(v)) for v in found.values()), found


def test_K57_fields_of_the_old_manifest_leave_and_others_stay(app, objects, api):  # noqa: F811
    tool = Tool(api)
    made = manifests(objects.ns)[2]
    extra = yaml.safe_load(yaml.safe_dump(made))
    extra["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "C", "value": "3"})
    extra["spec"]["template"]["spec"]["containers"].append({"name": "old", "image": "old"})
    extra["spec"]["minReadySeconds"] = 5
    tool.client_side(extra)
    # Somebody else's field, as a controller in the cluster writes it.
    tool.patch(made, {"metadata": {"annotations": {"autoscaler": "was here"}}}, "autoscaler",
               "merge-patch+json")
    app.commit({"all.yaml": MANIFESTS})
    app.kustomization()
    app.ready()
    live = api.rest.get(api.rest.path_of(made))
    spec = live["spec"]["template"]["spec"]
    assert [c["name"] for c in spec["containers"]] == ["web", "side"]
    assert [e["name"] for e in spec["containers"][0]["env"]] == ["A", "B"]
    assert "minReadySeconds" not in live["spec"]
    assert live["metadata"]["annotations"]["autoscaler"] == "was here"


def test_K58_what_older_tools_left(app, objects, api):  # noqa: F811
    """Each by itself, whoever wrote it."""
    left = [("a", "annotations", "kubectl.kubernetes.io/last-applied-configuration"),
            ("b", "annotations", f"{OWNER}checksum"),
            ("c", "annotations", "fluxcd.io/sync-checksum"),
            ("d", "labels", "fluxcd.io/sync-gc-mark")]
    for name, where, key in left:
        code, reply = api.rest.call(
            "POST", f"/api/v1/namespaces/{objects.ns}/configmaps?fieldManager=somebody",
            {"apiVersion": "v1", "kind": "ConfigMap", "data": {"theirs": "1"},
             "metadata": {"name": name, where: {key: "x", "theirs": "1"}}})
        assert code == 201, reply
    app.commit({f"{name}.yaml": config_map(name) for name, _, _ in left})
    app.kustomization()
    app.ready()
    for name, where, key in left:
        obj = objects.configmap(name)
        assert key not in obj["metadata"][where], name
        assert obj["metadata"][where]["theirs"] == obj["data"]["theirs"] == "1"


def test_K57_merged_objects_keep_what_others_add(app, objects, api):  # noqa: F811
    """Also those that are dry-run before they are written."""
    def services(label):
        return {f"{name}.yaml": f"""\
            apiVersion: v1
            kind: Service
            metadata:
              name: {name}
              labels: {{ours: {label}}}
              annotations: {{{OWNER}ssa: Merge}}
            spec: {{ports: [{{port: 80}}]}}
            """ for name in ("a", "b", "c")}
    app.commit(services("one"))
    app.kustomization()
    app.ready()
    for name in ("a", "b", "c"):
        api.kubectl("label", "service", name, "-n", objects.ns, "theirs=1")
    app.commit(services("two"))
    app.ready()
    for name in ("a", "b", "c"):
        labels = api.rest.get(f"/api/v1/namespaces/{objects.ns}/services/{name}")["metadata"]["labels"]
        assert labels["ours"] == "two" and labels["theirs"] == "1"


def test_K57_a_second_run_after_a_takeover_changes_nothing(app, objects, api):  # noqa: F811
    versions = [a["metadata"]["resourceVersion"]
                for _, a in give(app, objects, Tool(api).client_side)]
    app.rerun()
    rest = api.rest
    assert versions == [rest.get(rest.path_of(m))["metadata"]["resourceVersion"]
                        for m in manifests(objects.ns)]


# --- by the real tools ---

def handed_over(app, objects, made):  # noqa: F811
    """[(before, after), ...] of the objects that a tool has made, whose files then say the same."""
    rest = objects.api.rest
    before = [rest.get(rest.path_of(m)) for m in made]
    app.commit({"all.yaml": MANIFESTS})
    app.kustomization()
    app.ready()
    return [(b, rest.get(rest.path_of(m))) for b, m in zip(before, made)]


@pytest.mark.parametrize("arguments", [["apply"], ["create"], ["create", "--save-config"],
                                       ["apply", "--server-side"]], ids=" ".join)
def test_K57_K58_what_the_real_kubectl_made(app, objects, api, arguments):  # noqa: F811
    api.kubectl(*arguments, "-n", objects.ns, "-f", "-", stdin=MANIFESTS)
    for before, after in handed_over(app, objects, manifests(objects.ns)):
        assert content(after) == content(before)
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        assert LAST_APPLIED not in after["metadata"].get("annotations", {})
        shared = {k: v for k, v in owners(after).items() if v != ["kustomize-controller/Apply"]}
        assert not shared, (after["kind"], shared)


def helm_install(program, api, ns, chart):
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    (chart / "templates" / "all.yaml").write_text(MANIFESTS)
    done = subprocess.run(
        [program, "install", "web", chart, "-n", ns, "--kubeconfig", api.kubeconfig],
        capture_output=True, text=True, timeout=120, env=dict(os.environ, HOME=str(chart)))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("version, theirs", [("helm3", "helm/Update"), ("helm", "helm/Apply")])
def test_K57_what_the_real_helm_made(app, objects, api, tmp_path, version, theirs):  # noqa: F811
    """Helm 3 updates, Helm 4 applies: no field is lost, each has at most one entry of both, and what
    is given up in the file stays while the release says it."""
    helm_install(oracle(version) / "helm", api, objects.ns, tmp_path / "web")
    for before, after in handed_over(app, objects, manifests(objects.ns)):
        assert content(after) == content(before)
        assert after["metadata"]["annotations"]["meta.helm.sh/release-name"] == "web"
        found = owners(after)
        assert all(set(v) <= {"kustomize-controller/Apply", theirs} and len(v) == len(set(v))
                   for v in found.values()), found
        assert {"kustomize-controller/Apply", theirs} == {m for v in found.values() for m in v}
