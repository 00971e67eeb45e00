"""A Git repository, its GitRepository and the Kustomizations made from it: what every suite about
Kustomizations begins with. Import `app` to use it as a fixture."""
import itertools
import re
import textwrap

import pytest

from .net import wait_until

OWNER = "kustomize.toolkit.fluxcd.io/"
REQUESTS = itertools.count(1)

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

POD = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "c:1"}]}


def config_map(name, data=None, **metadata):
    lines = "".join(f'  {k}: "{v}"\n' for k, v in (data or {"k": "v"}).items())
    extra = "".join(f"  {k}: {v}\n" for k, v in metadata.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n{extra}data:\n{lines}"


def widget_crd(group, kind="Widget", schema=None, served=True):
    """A CustomResourceDefinition as a dict; the default schema takes any field."""
    schema = schema or {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{kind.lower()}s.{group}"},
            "spec": {"group": group, "scope": "Namespaced",
                     "names": {"plural": f"{kind.lower()}s", "singular": kind.lower(),
                               "kind": kind},
                     "versions": [{"name": "v1", "served": served, "storage": True,
                                   "subresources": {"status": {}},
                                   "schema": {"openAPIV3Schema": schema}}]}}


def install_crd(api, crd):
    api.install_crds(crd)


def merge_status(api, path, status):
    code, reply = api.rest.call("PATCH", path + "/status", {"status": status},
                                "application/merge-patch+json")
    assert code == 200, reply


def put_status(api, path, status):
    """Sets an object's status as its controller would, at its present generation."""
    generation = api.rest.get(path)["metadata"]["generation"]
    merge_status(api, path, {"observedGeneration": generation, **status})


def put_pod(api, ns, name, labels, phase, states):
    """As no controller makes any here. states: that of each container, by its name."""
    api.apply({"apiVersion": "v1", "kind": "Pod",
               "metadata": {"name": name, "namespace": ns, "labels": labels}, "spec": POD})
    merge_status(api, f"/api/v1/namespaces/{ns}/pods/{name}", {
        "phase": phase, "containerStatuses": [
            {"name": c, "image": "c:1", "imageID": "", "ready": False, "restartCount": 9,
             "state": state} for c, state in states.items()]})


def set_deployment_status(api, ns, **more):
    put_status(api, f"/apis/apps/v1/namespaces/{ns}/deployments/web", {
        "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
        "conditions": [
            {"type": "Available", "status": "True", "reason": "R", "message": ""},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
             "message": ""}], **more})


def account(api, ns, name, verbs, resource="configmaps"):
    """A ServiceAccount that may do so much with ConfigMaps, or others."""
    api.kubectl("create", "serviceaccount", name, "-n", ns)
    api.kubectl("create", "role", name, "-n", ns, f"--verb={verbs}", f"--resource={resource}")
    api.kubectl("create", "rolebinding", name, "-n", ns, f"--role={name}",
                f"--serviceaccount={ns}:{name}")
    api.wait_allowed(f"system:serviceaccount:{ns}:{name}",
                     "delete" if verbs == "*" else verbs.split(",")[0], resource, ns)


def runs(toolkit, ns, name="app"):
    """How often it was reconciled."""
    found = re.search(r'gotk_reconcile_duration_seconds_count\{[^}]*kind="Kustomization",'
                      rf'name="{name}",namespace="{ns}"\}} (\d+)',
                      toolkit["kustomize-controller"].metrics())
    return int(found.group(1)) if found else 0


class App:
    def __init__(self, objects, git_server):
        self.objects, self.git_server = objects, git_server
        self.repo = git_server.repository(objects.ns)
        self.head = None

    def commit(self, files, **kw):
        self.head = self.repo.commit({k: textwrap.dedent(v) for k, v in files.items()}, **kw)
        if self.objects.get("GitRepository", "src"):
            self.objects.request("GitRepository", "src", self.head)
        else:
            self.objects.apply("GitRepository", "src", {
                "url": self.git_server.url_of(self.repo), "interval": "1h",
                "ref": {"branch": "main"}})
        return self.head

    def kustomization(self, name="app", **spec):
        wanted = {"interval": "1h", "prune": True, "targetNamespace": self.objects.ns,
                  "path": "./", "sourceRef": {"kind": "GitRepository", "name": "src"}, **spec}
        self.objects.apply("Kustomization", name,
                           {k: v for k, v in wanted.items() if v is not None})

    def ready(self, name="app", **kw):
        return self.objects.ready("Kustomization", name, revision=self.head, **kw)

    def failed(self, reason, text="", name="app", **kw):
        """The object once Ready is False with that reason and text in its message."""
        def match(obj):
            ready = self.objects.condition(obj)
            return ready.get("status") == "False" and ready["reason"] == reason and \
                text in ready["message"]
        return self.objects.wait("Kustomization", name, match, f"to fail with {reason}: {text}",
                                 **kw)

    def rerun(self, name="app"):
        """Asks for one more run; the object once that has ended."""
        wanted = f"again-{next(REQUESTS)}"
        self.objects.request("Kustomization", name, wanted)

        def match(obj):
            return obj["status"].get("lastHandledReconcileAt") == wanted and \
                self.objects.condition(obj)["status"] != "Unknown"
        return self.objects.wait("Kustomization", name, match, "to run once more")

    def event(self, text, name="app"):
        """(type, reason, message) of an Event about the Kustomization with that text."""
        return wait_until(lambda: next((e for e in self.objects.events(name) if text in e[2]),
                                       None), f"an event with {text!r}")


@pytest.fixture
def app(objects, git_server):
    return App(objects, git_server)
