"""Scripts of requests, written by hand: the words they are written in, and what sends them to both
servers. A place is "Kind/name"; in texts stand @ns, @rv:PLACE@, @uid:PLACE@, @continue@, @token@ and
@etag@ for what only a server knows."""
import copy
import dataclasses
import json
import re
import time

from tests.lib.wire import Connection

from .random_requests import MEDIA, Step
from .replies import Names, Reply, difference, differ, settle, settle_metadata

GROUP = "lines.example.com"
WAIT_S = 90  # the real server keeps what it knows of a token for ten seconds
VERSIONS = {
    "v1": "ConfigMap Secret Service ServiceAccount Pod Event Namespace Node Endpoints "
          "PersistentVolume PersistentVolumeClaim LimitRange ResourceQuota PodTemplate "
          "ReplicationController",
    "apps/v1": "Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision",
    "batch/v1": "Job CronJob", "autoscaling/v2": "HorizontalPodAutoscaler",
    "networking.k8s.io/v1": "Ingress NetworkPolicy IngressClass",
    "policy/v1": "PodDisruptionBudget", "coordination.k8s.io/v1": "Lease",
    "discovery.k8s.io/v1": "EndpointSlice",
    "rbac.authorization.k8s.io/v1": "Role RoleBinding ClusterRole ClusterRoleBinding",
    "storage.k8s.io/v1": "StorageClass", "scheduling.k8s.io/v1": "PriorityClass",
    "node.k8s.io/v1": "RuntimeClass", f"{GROUP}/v1": "Widget Gadget",
    "apiextensions.k8s.io/v1": "CustomResourceDefinition",
    "kustomize.toolkit.fluxcd.io/v1": "Kustomization",
    "helm.toolkit.fluxcd.io/v2": "HelmRelease",
    "source.toolkit.fluxcd.io/v1": "GitRepository Bucket OCIRepository HelmChart HelmRepository",
    "notification.toolkit.fluxcd.io/v1": "Receiver",
    "notification.toolkit.fluxcd.io/v1beta3": "Provider Alert",
    "image.toolkit.fluxcd.io/v1": "ImageRepository ImagePolicy ImageUpdateAutomation",
}
KINDS = {kind: version for version, text in VERSIONS.items() for kind in text.split()}
CLUSTER = ("Namespace Node PersistentVolume IngressClass ClusterRole ClusterRoleBinding StorageClass "
           "PriorityClass RuntimeClass CustomResourceDefinition").split()


@dataclasses.dataclass
class Ask(Step):
    headers: dict = None
    pick: object = None  # what of a reply's body is compared
    until: bool = False  # what controllers do takes them a while: asked until the replies agree
    made: bool = False  # and until it is there: before they have done it the replies agree, too
    watch: bool = False  # the body is a stream of events


def plural(kind):
    lower = kind.lower()
    if lower.endswith("y"):
        return lower[:-1] + "ies"
    return lower + ("es" if lower.endswith("ss") else "" if lower.endswith("s") else "s")


def collection(kind, ns="@ns"):
    version = KINDS[kind]
    root = f"/apis/{version}" if "/" in version else "/api/v1"
    return f"{root}/{plural(kind)}" if kind in CLUSTER else \
        f"{root}/namespaces/{ns}/{plural(kind)}"


def url(place, query="", sub="", ns="@ns"):
    kind, _, name = place.partition("/")
    path = collection(kind, ns) + (f"/{name}" if name else "") + (f"/{sub}" if sub else "")
    return path + ("?" + query if query else "")


def thing(place, metadata=None, **rest):
    """An object: its metadata besides the name, and its other members."""
    kind, _, name = place.partition("/")
    return {"apiVersion": KINDS[kind], "kind": kind,
            "metadata": {**({"name": name} if name else {}), **(metadata or {})}, **rest}


def place_of(body):
    return f"{body['kind']}/{body['metadata'].get('name', '')}"


def get(place, query="", sub="", **more):
    return Ask("GET", url(place, query, sub), key="" if query or sub else place, **more)


def at(method, path, body=None, media="application/json", **more):
    return Ask(method, path, body, MEDIA.get(media, media), **more)


def create(body, query="", **more):
    place = place_of(body)
    return Ask("POST", url(place.split("/")[0], query), body, key=place, **more)


def put(body, query="", sub="", **more):
    return Ask("PUT", url(place_of(body), query, sub), body, key=place_of(body), **more)


def patch(how):
    def step(place, body, query="", sub="", **more):
        return Ask("PATCH", url(place, query, sub), body, MEDIA[how], key=place, **more)
    return step


merge, strategic, ops = patch("merge"), patch("strategic"), patch("json")


def apply(body, manager="one", query="", sub="", force=False, **more):
    words = [word for word in (manager and f"fieldManager={manager}", force and "force=true", query)
             if word]
    return Ask("PATCH", url(place_of(body), "&".join(words), sub), body, MEDIA["apply"],
               key=place_of(body), **more)


def delete(place, options=None, query="", **more):
    body = {"apiVersion": "v1", "kind": "DeleteOptions", **options} if options else None
    return Ask("DELETE", url(place, query), body, **more)


def watch(place, query="", **more):
    """Ends by itself after two seconds, with all that had happened before it began. The real server's
    cache may not know of that yet: then it is asked again."""
    return Ask("GET", url(place, "watch=true&timeoutSeconds=2" + ("&" + query if query else "")),
               watch=True, until=True, **more)


def config_map(name="a", metadata=None, **data):
    return thing(f"ConfigMap/{name}", metadata, data=data or {"a": "1"})


def container(name="c", image="i:1", **more):
    return {"name": name, "image": image, **more}


def template(*containers, **spec):
    return {"metadata": {"labels": {"app": "x"}},
            "spec": {"containers": list(containers or [container()]), **spec}}


def deployment(*containers, name="d", metadata=None, pod=None, **spec):
    return thing(f"Deployment/{name}", metadata, spec={
        "selector": {"matchLabels": {"app": "x"}}, "template": template(*containers, **(pod or {})),
        **spec})


def in_pod(**spec):
    """A patch's way to a pod template's spec."""
    return {"spec": {"template": {"spec": spec}}}


def widget(name="w", metadata=None, status=None, **spec):
    return thing(f"Widget/{name}", metadata, spec=spec or {"size": 1},
                 **({"status": status} if status else {}))


# --- sending ---

class Known(Names):
    def __init__(self):
        super().__init__()
        self.etag, self.bearer = "", "none"

    def fill(self, text, ns):
        return super().fill(text, ns).replace("@etag@", self.etag).replace("@token@", self.bearer)


AGE = re.compile(r"\d+[smhd]([0-9smh]*)$|<unknown>$")


def settle_table(body, names):
    for row in body.get("rows", []):
        row["cells"] = ["AGE" if isinstance(cell, str) and AGE.match(cell) else cell
                        for cell in row["cells"]]
        settle_metadata((row.get("object") or {}).get("metadata", {}), names, False)
    if body.get("metadata", {}).get("continue"):
        body["metadata"]["continue"] = "MASKED"
    for column in body.get("columnDefinitions", []):
        column.pop("description", None)  # the real server's own words


def settle_event(line, names, step):
    event = json.loads(line)
    if "object" not in event:
        return event
    body = settle(200, [], json.dumps(event["object"]).encode(), names, step).body
    if event["type"] == "BOOKMARK":  # an otherwise empty object, of which Go writes more
        body = {"kind": body["kind"], "apiVersion": body["apiVersion"],
                "annotations": body["metadata"].get("annotations")}
    return {"type": event["type"], "object": body}


def picked(step, body):
    """The whole body where it is not what the script expects: it is shown then."""
    try:
        return step.pick(body)
    except (KeyError, TypeError):
        return body


def settle_reply(status, warnings, text, names, step):
    if step.watch and status == 200:
        return Reply(status, warnings, [settle_event(line, names, step)
                                        for line in text.splitlines() if line.strip()])
    reply = settle(status, warnings, text, names, step)
    body = reply.body
    if isinstance(body, dict):
        for one in body.get("serverAddressByClientCIDRs") or []:
            one["serverAddress"] = "ADDRESS"
        names.bearer = (body.get("status") or {}).get("token", names.bearer) \
            if body.get("kind") == "TokenRequest" else names.bearer
        if body.get("kind") == "Table":
            settle_table(body, names)
    if step.pick and status < 300:
        reply = Reply(status, warnings, picked(step, body))
    return reply


def is_wrong(words, step, ours, kube):
    if not words:
        return differ(step, ours, kube)
    reasons = [reply.body.get("reason") if isinstance(reply.body, dict) else None
               for reply in (ours, kube)]
    return ours.status != kube.status or (None not in reasons and reasons[0] != reasons[1])


class Scripts:
    """Two servers, and scripts sent to both."""

    def __init__(self, servers):
        self.connections = [Connection(server) for server in servers]
        self.count = 0

    def exchange(self, step, names, ns):
        data = step.body
        if data is not None and not isinstance(data, bytes):
            data = data if isinstance(data, str) else json.dumps(data)
        for connection, known in zip(self.connections, names):
            filled = known.fill(data, ns).encode() if isinstance(data, str) else data
            headers = {key: known.fill(value, ns) if isinstance(value, str) else value
                       for key, value in (step.headers or {}).items()}
            connection.send(step.method, known.fill(step.path, ns), filled, step.media, headers)
        replies = []
        for connection, known in zip(self.connections, names):
            status, warnings, text = connection.receive()
            known.etag = connection.headers.get("etag", known.etag)
            replies.append(settle_reply(status, warnings, text, known, step))
        return replies

    def ask(self, step, names, ns):
        """Both replies; what controllers do is waited for."""
        end = time.monotonic() + WAIT_S
        while True:
            ours, kube = self.exchange(step, [copy.deepcopy(known) for known in names]
                                       if step.until else names, ns)
            agree = ours.parts() == kube.parts() and (not step.made or ours.status == 200)
            if not step.until or agree or time.monotonic() > end:
                return ours, kube
            time.sleep(0.05)

    @staticmethod
    def keep_step(names):
        """What only one server has made gets no name: those of later objects agree."""
        for kind in ("uids", "versions"):
            one, other = (getattr(each, kind) for each in names)
            for few, many in ((one, other), (other, one)):
                for i in range(len(few), len(many)):
                    few[f"none {i}"] = "none"

    def run(self, name, steps, words=(), apart=()):
        """A text for each reply that differs; `words`: numbers of requests of which only code and
        reason are compared, `apart`: of those whose replies are known to differ."""
        self.count += 1
        ns, names = f"n{self.count}", [Known(), Known()]
        self.exchange(Ask("POST", "/api/v1/namespaces", {"metadata": {"name": ns}}, key="ns"), names,
                      ns)
        out = []
        for i, step in enumerate(steps):
            try:
                known = i in apart or i in words  # then there is nothing to wait for
                ours, kube = self.ask(dataclasses.replace(step, until=step.until and not known),
                                      names, ns)
            except BaseException:
                for connection in self.connections:
                    connection.close()  # what was not read would answer the next request
                raise
            if i in apart or step.pick:
                self.keep_step(names)
            if i in apart:
                if ours.parts() == kube.parts():
                    out.append(f"{name}, request {i} differs no more: {step}")
            elif is_wrong(i in words, step, ours, kube):
                rows = [f"    {path or 'reply'}: ours {json.dumps(a)} kube {json.dumps(b)}"
                        for path, a, b in difference(ours, kube)[:6]]
                out.append("\n".join([f"{name}, request {i}: {step}"[:400], *rows]))
        return out
