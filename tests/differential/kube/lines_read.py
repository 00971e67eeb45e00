"""Hand-written scripts for the lines of the contract about reading: discovery (A1..A5), lists and
watches (A54..A62), tables."""
from .scripts import (GROUP, apply, at, config_map, create, delete, deployment, get, merge, thing,
                      url, watch, widget)

GROUPS = ("apps", "batch", "autoscaling", "networking.k8s.io", "policy", "coordination.k8s.io",
          "rbac.authorization.k8s.io", "storage.k8s.io", "scheduling.k8s.io", "node.k8s.io",
          "discovery.k8s.io", "events.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
          "admissionregistration.k8s.io", "certificates.k8s.io", "flowcontrol.apiserver.k8s.io",
          "authentication.k8s.io", "authorization.k8s.io", GROUP, "kustomize.toolkit.fluxcd.io",
          "source.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "notification.toolkit.fluxcd.io")
VERSIONS = ("apps/v1", "batch/v1", "autoscaling/v1", "autoscaling/v2", "networking.k8s.io/v1",
            "policy/v1", "coordination.k8s.io/v1", "discovery.k8s.io/v1", "events.k8s.io/v1",
            "rbac.authorization.k8s.io/v1", "storage.k8s.io/v1", "scheduling.k8s.io/v1",
            "node.k8s.io/v1", "admissionregistration.k8s.io/v1", "apiextensions.k8s.io/v1",
            "apiregistration.k8s.io/v1", "certificates.k8s.io/v1", "flowcontrol.apiserver.k8s.io/v1",
            "authentication.k8s.io/v1", "authorization.k8s.io/v1", f"{GROUP}/v1",
            "kustomize.toolkit.fluxcd.io/v1", "helm.toolkit.fluxcd.io/v2")
V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
V2_BETA = V2.replace("v=v2;", "v=v2beta1;")
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
# Not there on the embedded server: docs/differences.md.
ABSENT = ("ipaddresses", "servicecidrs", "servicecidrs/status", "componentstatuses", "nodes/proxy",
          "pods/proxy", "services/proxy", "volumeattributesclasses")
CONDITION = {"type": "Ready", "status": "True", "message": "well"}


def listed(path, **more):
    return at("GET", path, **more)


def with_accept(path, accept, **more):
    return at("GET", path, headers={"Accept": accept}, **more)


def resources(body):
    """A version's resources by name, without the hash of how each is stored."""
    return {"groupVersion": body["groupVersion"], "kind": body["kind"], "resources": {
        one["name"]: {key: sorted(value) if isinstance(value, list) else value
                      for key, value in one.items() if key != "storageVersionHash"}
        for one in body["resources"] if one["name"] not in ABSENT}}


def groups(body):
    return {"kind": body["kind"], "apiVersion": body["apiVersion"],
            "groups": {one["name"]: one for one in body["groups"] if one["name"] in GROUPS[:-4]
                       and one["name"] not in ("storage.k8s.io", "admissionregistration.k8s.io",
                                               "certificates.k8s.io", "coordination.k8s.io")}}


def parts(subresources):
    return {one["subresource"]: {**one, "verbs": sorted(one["verbs"])} for one in subresources
            if one["subresource"] != "proxy"}


def discovered(body):
    """Of each group what is compared: its first version's resources."""
    out = {"kind": body["kind"], "apiVersion": body["apiVersion"]}
    for group in body["items"]:
        name = group["metadata"].get("name", "")
        if name and name not in GROUPS:
            continue
        for version in group["versions"]:
            if f"{name}/{version['version']}".lstrip("/") not in VERSIONS + ("v1",):
                continue
            out[name, version["version"]] = {
                one["resource"]: {key: parts(value) if key == "subresources" else sorted(value)
                                  if key in ("verbs", "categories") else value
                                  for key, value in one.items() if key != "subresources" or
                                  parts(value)}
                for one in version["resources"] if one["resource"] not in ABSENT}
    return {str(key): value for key, value in out.items()}


def shape(body):
    return {"kind": body["kind"], "apiVersion": body["apiVersion"], "versions": body["versions"]}


LEASES = [create(thing(f"Lease/{name}", {"labels": {"part": part}},
                       spec={"holderIdentity": name})) for name, part in
          (("a", "x"), ("b", "x"), ("c", "y"), ("d", "y"), ("e", "x"))]
STALE = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhXHUwMDAwIn0"  # rv 1, start "a\0"

CASES = {
    "A1 version": [
        at("GET", "/version", pick=lambda b: [b["major"], b["minor"], b["gitVersion"][:5]]),
        at("POST", "/version", {}), at("GET", "/versions")],
    "A2 health": [
        *[at("GET", path) for path in ("/readyz", "/livez", "/healthz", "/healthz/ping",
                                       "/readyz/ping", "/livez/ping", "/readyz/none")],
        at("GET", "/readyz?exclude=ping"),
        at("GET", "/readyz", headers={"Authorization": None})],
    "A3 resources": [at("GET", "/api/v1", pick=resources),
                     *[at("GET", "/apis/" + version, pick=resources) for version in VERSIONS],
                     at("GET", "/apis/apps/v9"), at("GET", "/apis/none.example.com/v1"),
                     at("GET", "/api/v9"), at("POST", "/api/v1", {})],
    "A4 aggregated discovery": [
        with_accept("/apis", V2, pick=discovered), with_accept("/api", V2, pick=discovered),
        with_accept("/apis", V2_BETA, pick=discovered),
        with_accept("/apis", V2 + "," + V2_BETA + ",application/json", pick=lambda b: b["kind"]),
        with_accept("/api", V2.replace("v=v2", "v=v9") + ",application/json", pick=shape),
        with_accept("/apis", V2.replace("v=v2", "v=v9")),
        with_accept("/api", V2, pick=lambda b: b["kind"]),
        at("GET", "/api", headers={"Accept": V2, "If-None-Match": "@etag@"}),
        at("GET", "/api", headers={"Accept": V2, "If-None-Match": '"other"'},
           pick=lambda b: b["kind"])],
    "A5 legacy discovery": [
        at("GET", "/apis", pick=groups), at("GET", "/api", pick=shape),
        *[at("GET", "/apis/" + name) for name in GROUPS if name not in (
            "storage.k8s.io", "admissionregistration.k8s.io", "certificates.k8s.io",
            "coordination.k8s.io")], at("GET", "/apis/none.example.com"), at("DELETE", "/apis"),
        with_accept("/api", "application/xml"), with_accept("/api", "*/*", pick=shape),
        with_accept("/api", "application/xml, application/json;q=0.5", pick=shape)],
    "A54 pages": [
        *LEASES, get("Lease", "limit=2"), get("Lease", "limit=2&continue=@continue@"),
        get("Lease", "limit=2&continue=@continue@"), get("Lease", "limit=2&labelSelector=part%3Dx"),
        get("Lease", "limit=2&labelSelector=part%3Dx&continue=@continue@"),
        get("Lease", "limit=3"), delete("Lease/d"), create(thing("Lease/cc")),
        get("Lease", "limit=3&continue=@continue@"), get("Lease", "limit=0"),
        get("Lease", "limit=-1"), get("Lease", "limit=x"), get("Lease", "limit=500"),
        get("Lease", "continue=bad"), get("Lease", "continue=@continue@&resourceVersion=5"),
        get("Lease", "limit=1&resourceVersion=0"), get("Lease", "resourceVersionMatch=Exact"),
        get("Lease", "resourceVersionMatch=Maybe&resourceVersion=1"),
        get("Lease", "resourceVersion=0&resourceVersionMatch=Exact"),
        get("Lease", "resourceVersion=@rv:Lease/c@&resourceVersionMatch=Exact"),
        get("Lease", "resourceVersion=@rv:Lease/c@&resourceVersionMatch=NotOlderThan"),
        get("Lease", "resourceVersion=@rv:Lease/c@&limit=2"),
        get("Lease", "sendInitialEvents=true")],
    "A56 selectors": [
        *LEASES, get("Lease", "fieldSelector=metadata.name%3Db"),
        get("Lease", "fieldSelector=metadata.name!%3Db"),
        get("Lease", "fieldSelector=metadata.name%3D%3Db,metadata.namespace%3D@ns"),
        get("Lease", "fieldSelector=metadata.namespace%3Dother"),
        get("Lease", "fieldSelector=spec.holderIdentity%3Db"),
        get("Lease", "fieldSelector=metadata.name"), get("Lease", "fieldSelector=metadata.name%3E1"),
        get("Widget", "fieldSelector=metadata.name%3Db"), get("Widget", "fieldSelector=spec.size%3D1"),
        create(thing("Secret/s", type="example.com/x")), create(thing("Secret/t")),
        get("Secret", "fieldSelector=type%3Dexample.com/x"),
        get("Secret", "fieldSelector=type%3DOpaque"), get("Secret", "fieldSelector=data%3Dx"),
        create(thing("Pod/p", spec={"containers": [{"name": "c", "image": "i"}], "nodeName": "n"})),
        get("Pod", "fieldSelector=spec.nodeName%3Dn"), get("Pod", "fieldSelector=spec.nodeName%3D"),
        get("Pod", "fieldSelector=status.phase%3DPending,spec.restartPolicy%3DAlways"),
        get("Pod", "fieldSelector=spec.hostNetwork%3Dfalse"),
        get("Pod", "fieldSelector=spec.image%3Di"), delete("Pod/p", {"gracePeriodSeconds": 0}),
        get("Lease", "labelSelector=part"), get("Lease", "labelSelector=!part"),
        get("Lease", "labelSelector=part+in+(x,z)"), get("Lease", "labelSelector=part+notin+(x)"),
        get("Lease", "labelSelector=part!%3Dx,part"), get("Lease", "labelSelector=other!%3Dx"),
        get("Lease", "labelSelector="), get("Lease", "labelSelector=,"),
        get("Lease", "labelSelector=part+in+()"), get("Lease", "labelSelector=part>1"),
        create(deployment()), get("Deployment", "fieldSelector=metadata.name%3Dd"),
        get("Namespace", "fieldSelector=metadata.name%3D@ns,status.phase%3DActive"),
        at("DELETE", url("Lease", "fieldSelector=nothing%3Dx")),
        at("DELETE", url("Lease", "labelSelector=part%3Dy")), get("Lease")],
    "A57 watches": [
        *LEASES[:2], merge("Lease/a", {"spec": {"holderIdentity": "z"}}), delete("Lease/a"),
        create(thing("Lease/a")), watch("Lease", "resourceVersion=@rv:Lease/b@"),
        watch("Lease"), watch("Lease", "resourceVersion=0"), watch("Lease", "resourceVersion=x"),
        watch("Lease", "fieldSelector=metadata.name%3Db"), watch("Lease", "fieldSelector=nothing%3Db"),
        watch("Lease", "labelSelector=part%3D%3D%3Dx"),
        watch("Lease", "limit=1&resourceVersion=@rv:Lease/b@"), create(widget()),
        merge("Widget/w", {"spec": {"size": 4}}), delete("Widget/w"),
        at("GET", url("Lease/a", "watch=true&timeoutSeconds=1")),
        at("GET", "/api/v1/watch/namespaces/@ns/configmaps?timeoutSeconds=1&labelSelector=x",
           watch=True),
        at("GET", url("Lease", "watch=false"))],
    "A58 watches with selectors": [
        *LEASES[:1], create(thing("Lease/b")),
        merge("Lease/b", {"metadata": {"labels": {"part": "x"}}}),
        merge("Lease/b", {"spec": {"holderIdentity": "q"}}),
        merge("Lease/b", {"metadata": {"labels": {"part": "y"}}}),
        merge("Lease/b", {"spec": {"holderIdentity": "r"}}),
        merge("Lease/b", {"metadata": {"labels": {"part": "x"}}}), delete("Lease/b"),
        watch("Lease", "labelSelector=part%3Dx&resourceVersion=@rv:Lease/a@"),
        watch("Lease", "labelSelector=part%3Dy&resourceVersion=@rv:Lease/a@"),
        watch("Lease", "labelSelector=!part&resourceVersion=@rv:Lease/a@")],
    "A60 watch list": [
        *LEASES[:3], watch("Lease", "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&"
                           "allowWatchBookmarks=true"),
        watch("Lease", "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&"
              "allowWatchBookmarks=true&resourceVersion=@rv:Lease/b@"),
        watch("Lease", "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&"
              "allowWatchBookmarks=true&labelSelector=part%3Dy"),
        watch("Lease", "sendInitialEvents=true&resourceVersionMatch=NotOlderThan"),
        watch("Lease", "sendInitialEvents=true"),
        watch("Lease", "sendInitialEvents=true&resourceVersionMatch=Exact"),
        watch("Lease", "resourceVersionMatch=NotOlderThan"),
        watch("Lease", "sendInitialEvents=false&resourceVersionMatch=NotOlderThan&"
              "resourceVersion=@rv:Lease/a@"),
        watch("Lease", "labelSelector=none&resourceVersion=0")],
    "A62 time-outs and the future": [
        *LEASES[:1], watch("Lease", "resourceVersion=@rv:Lease/a@"),
        get("Lease", "timeoutSeconds=x"), get("Lease", "watch=true&timeoutSeconds=x"),
        get("Lease/a", "resourceVersion=x"), get("Lease/a", "resourceVersion=0"),
        get("Lease/a", "resourceVersion=@rv:Lease/a@")],
    "A79 tables": [
        create(widget("w", size=3)), merge("Widget/w", {"status": {"conditions": [CONDITION]}},
                                            sub="status"),
        create(widget("v")), with_accept(url("Widget"), TABLE), with_accept(url("Widget/w"), TABLE),
        with_accept(url("Widget", "includeObject=None"), TABLE),
        with_accept(url("Widget", "includeObject=Object"), TABLE),
        with_accept(url("Widget", "includeObject=Maybe"), TABLE),
        with_accept(url("Widget", "limit=1"), TABLE), with_accept(url("Widget/none"), TABLE),
        with_accept(url("Widget"), PARTIAL_LIST), with_accept(url("Widget/w"), PARTIAL),
        with_accept(url("Widget/w"), PARTIAL_LIST), with_accept(url("Widget"), PARTIAL),
        apply(thing("Kustomization/k", spec={"interval": "1m", "prune": True, "sourceRef": {
            "kind": "Bucket", "name": "b"}})), with_accept(url("Kustomization"), TABLE),
        create(deployment()), with_accept(url("Deployment"), TABLE), create(config_map()),
        with_accept(url("ConfigMap/a"), TABLE),
        create(thing("Service/s", spec={"clusterIP": "None", "ports": [{"port": 80}]})),
        with_accept(url("Service"), TABLE), create(thing("Secret/s", data={"a": "MQ=="})),
        with_accept(url("Secret"), TABLE), with_accept(url("Namespace/@ns"), TABLE),
        create(thing("Lease/l", spec={"holderIdentity": "x"})), with_accept(url("Lease"), TABLE),
        create(thing("Gadget/g", spec={"a": "1"})), with_accept(url("Gadget"), TABLE),
        with_accept(url("Lease"), TABLE.replace("v=v1;", "v=v9;")),
        with_accept(url("Lease"), TABLE.replace("v=v1;", "v=v9;") + ",application/json")],
}
