"""What kubectl says and does with the embedded API server and with the real one, command by command: the
same words, the same exit codes. A case is a script; `@ns` is its namespace."""
import json
import os
import re

import pytest

from tests.lib.kube import EmbeddedApi, KubeApi
from tests.lib.oracle import oracle

MASKS = [(re.compile(pattern), word) for pattern, word in (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\b10\.(0|96)\.\d+\.\d+\b", "ADDRESS"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
    (r"resourceVersion: \"\d+\"", "resourceVersion: RV"),
    (r"https://127\.0\.0\.1:\d+", "https://SERVER"),
    (r"127\.0\.0\.1:\d+", "SERVER"),
    (r"\b(\d+m)?\d+s\b", "AGE"),
    (r"[ \t]+", " "),  # columns are as wide as what stands in them
    (r"Port: \S+ 3\d{4}/TCP", "NODEPORT"),
    (r":3\d{4}/TCP", ":NODEPORT/TCP"),
    (r"eyJ[\w.-]+", "TOKEN"),
    (r"/tmp/\S+( \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4})?", "FILE"),
    (r"[EW]\d{4} \d\d:\d\d:\d\d\.\d+ \d+ ", "LOG "),
    (r"Resource Version: \d+", "Resource Version: RV"),
    (r"\b(kubernetes-)?admin\b", "ADMIN"),  # what the token is called at each
    # Go's words for what is no JSON, and for a selector that cannot be parsed.
    (r"(\(BadRequest\): )(the object provided is unrecognized.*|unexpected end of JSON input)",
     r"\1NOJSON"),
    (r"unable to parse requirement: .*", "unable to parse requirement"),
    (r"(pod updates may not change fields other than [^\n]*)[\s\S]*", r"\1"),
)]

WEB = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
    "replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "registry.test/web:1",
                                 "ports": [{"containerPort": 80}]}]}}}}


def config_map(name, value="1", **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": {"v": value},
            "metadata": {"name": name, **metadata}}


def stdin(command, value):
    return command, json.dumps(value)


ONES = stdin("apply -f -", {"apiVersion": "v1", "kind": "List", "items": [
    config_map("a", labels={"app": "x"}), config_map("b", "2", labels={"app": "x"}),
    config_map("c", "0")]})
WEBS = stdin("apply -f -", WEB)
MINE = "--field-selector=metadata.name!=kube-root-ca.crt"

CASES = {
    "create kinds": [
        "create deployment d --image=i:1 --replicas=2 --port=80", "create configmap cm "
        "--from-literal=a=1", "create secret generic s --from-literal=a=1",
        "create secret docker-registry r --docker-server=a --docker-username=b --docker-password=c",
        "create service clusterip svc --tcp=80:8080", "create service nodeport np --tcp=80",
        "create service externalname en --external-name=x.example", "create serviceaccount sa",
        "create role ro --verb=get,list --resource=pods", "create rolebinding rb --role=ro "
        "--serviceaccount=@ns:sa", "create ingress i --rule=a.example/x*=svc:80",
        "create job j --image=i -- true", "create cronjob c --image=i --schedule=@hourly",
        "create job j2 --from=cronjob/c", "create pdb p --selector=a=b --min-available=1",
        "create quota q --hard=pods=5", "create configmap cm --from-literal=a=1",
        "get deploy,cm,secret,svc,sa,role,rolebinding,ing,job,cronjob,pdb,quota "
        "--field-selector=metadata.name!=kube-root-ca.crt,metadata.name!=default -o name",
        "get deploy,svc,ing,job,cronjob,pdb", "get deploy,svc,ing,job,cronjob,pdb -o wide",
        "get role,rolebinding,secret -o wide"],
    "dry runs": [
        "create configmap cm --from-literal=a=1 --dry-run=server -o yaml",
        "create configmap cm --from-literal=a=1 --dry-run=client -o name", "get cm cm", ONES,
        "delete cm a --dry-run=server", "get cm a", "patch cm a -p {\"data\":{\"v\":\"9\"}} "
        "--dry-run=server -o jsonpath={.data}", "label cm a x=y --dry-run=server"],
    "get": [
        ONES, "get cm " + MINE, "get cm a b", "get cm a none", "get cm/a deploy/none",
        "get nothing", "get cm -l app=x", "get cm -l app!=x " + MINE, "get cm " + MINE +
        " --show-labels", "get cm -L app " + MINE, "get cm " + MINE + " --show-kind --no-headers",
        "get cm " + MINE + " --sort-by=.data.v", "get cm " + MINE +
        " --sort-by={.metadata.name} -o name", "get cm " + MINE + " --chunk-size=1", "get cm a "
        "-o go-template={{.data.v}}", "get cm " + MINE +
        " -o custom-columns=N:.metadata.name,V:.data.v", "get cm a -o jsonpath={.data}",
        "get cm a -o name --ignore-not-found", "get cm none --ignore-not-found", "get deploy",
        "get all", "get --raw /api/v1/namespaces/@ns/configmaps/none",
        "get cm a --output-watch-events", "get cm --field-selector=nothing=x",
        "get cm -l a===b", "get cm --all-namespaces --field-selector=metadata.name=none"],
    "describe": [
        WEBS, ONES, "describe deploy web", "describe cm a", "describe cm none",
        "expose deploy web --port=80 --target-port=8080",
        # Now and then the real server's repair loop looks before its allocator knows the address,
        # and says so in an Event.
        "describe svc web --show-events=false",
        "create secret generic s --from-literal=a=1", "describe secret s",
        "create serviceaccount sa", "describe sa sa", "create role r --verb=get --resource=pods",
        "describe role r", "create ingress i --rule=a.example/x*=svc:80", "describe ingress i",
        "autoscale deploy web --min=1 --max=3 --cpu-percent=50", "describe hpa web", "get hpa",
        "create quota q --hard=pods=5", "describe quota q", "describe ns @ns",
        "create cronjob c --image=i --schedule=@hourly", "describe cronjob c",
        "create pdb p --selector=a=b --min-available=1", "describe pdb p"],
    "A81 apply": [
        stdin("apply -f -", config_map("a")), stdin("apply -f -", config_map("a")),
        stdin("apply -f - -o yaml", config_map("a", "2")),
        stdin("apply --server-side -f -", config_map("a", "2")),
        stdin("apply --server-side --field-manager=other -f -", config_map("a", "3")),
        stdin("apply --server-side --field-manager=other --force-conflicts -f -",
              config_map("a", "3")), "get cm a -o jsonpath={.data.v}",
        stdin("apply --dry-run=server -f -", config_map("b")),
        stdin("apply --dry-run=client -f -", config_map("b")),
        stdin("apply view-last-applied -f -", config_map("a")),
        stdin("apply set-last-applied -f -", config_map("a", "5")),
        stdin("apply -f -", {**config_map("z"), "dat": {}}),
        stdin("apply --server-side -f -", {**config_map("z"), "dat": {}}),
        stdin("apply --validate=false -f -", {**config_map("z"), "dat": {}}),
        stdin("apply -f -", {**WEB, "spec": {**WEB["spec"], "replicas": "two"}}),
        stdin("apply -f -", {"apiVersion": "v9", "kind": "Nothing", "metadata": {"name": "x"}}),
        stdin("apply -f -", {"apiVersion": "v1", "metadata": {"name": "x"}}),
        stdin("apply -f - --prune -l app=x", config_map("p", labels={"app": "x"})),
        stdin("apply -f - --prune -l app=x --prune-allowlist=core/v1/ConfigMap",
              config_map("q", labels={"app": "x"})), "get cm -o name " + MINE],
    "A82 diff": [
        stdin("apply -f -", config_map("a")), stdin("diff -f -", config_map("a")),
        stdin("diff --server-side -f -", config_map("a"))],
    "patch": [
        WEBS, "patch deploy web -p {\"spec\":{\"replicas\":3}}",
        "patch deploy web -p {\"spec\":{\"replicas\":3}}",
        "patch deploy web --type=json -p [{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":4}]",
        "patch deploy web --type=json -p [{\"op\":\"test\",\"path\":\"/spec/replicas\",\"value\":9}]",
        "patch deploy web --type=merge -p {\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"b\"}}}}",
        "patch deploy web --subresource=status --type=merge -p {\"status\":{\"replicas\":4}}",
        "patch deploy web --subresource=scale --type=merge -p {\"spec\":{\"replicas\":1}}",
        "get deploy web --subresource=scale -o jsonpath={.spec.replicas}",
        "get deploy web --subresource=status", "patch deploy none -p {}", "patch deploy web -p {"],
    "label and annotate": [
        ONES, "label cm a x=1", "label cm a x=2", "label cm a x=2 --overwrite", "label cm a x-",
        "label cm a nope-", "label cm --all team=t " + MINE, "label cm -l app=x y=z",
        "label cm c --list", "label cm a bad=b!d", "annotate cm a n=1", "annotate cm a n=1",
        "annotate cm a n=2", "annotate cm a n-", "annotate cm a --list",
        "label cm a x=1 --resource-version=1", "get cm a -o jsonpath={.metadata.labels}"],
    "scale and rollout": [
        WEBS, "scale deploy web --replicas=3", "scale deploy web --replicas=5 --current-replicas=1",
        "scale deploy none --replicas=1", "scale cm/none --replicas=1",
        "set image deploy/web main=i:2", "set image deploy/web main=i:2", "set image deploy/web "
        "none=i:2", "set env deploy/web A=1", "set env deploy/web --list", "set resources "
        "deploy/web --limits=cpu=1", "set selector svc none a=b",
        "rollout history deploy/web", "rollout pause deploy/web", "rollout pause deploy/web",
        "rollout resume deploy/web", "rollout restart deploy/none",
        "rollout status deploy/web --watch=false", "rollout undo deploy/web"],
    "delete": [
        ONES, WEBS, "delete cm a", "delete cm a", "delete cm a --ignore-not-found",
        "delete cm -l app=x", "delete cm b c", "delete deploy web --cascade=orphan --wait=false",
        "delete cm --all", "delete nothing --all", "delete cm",
        stdin("delete -f -", config_map("none"))],
    "replace": [
        stdin("replace -f -", config_map("a")), stdin("create -f -", config_map("a")),
        stdin("replace -f -", config_map("a", "2")), "get cm a -o jsonpath={.data.v}",
        stdin("replace --force -f -", config_map("a", "3")), "get cm a -o jsonpath={.data.v}",
        stdin("create --save-config -f -", config_map("b")),
        stdin("replace -f -", {**config_map("a"), "metadata": {
            "name": "a", "resourceVersion": "1"}})],
    "A83 wait": [
        ONES, WEBS, "wait cm/a --for=jsonpath={.data.v}=1 --timeout=60s",
        "wait deploy/web --for=condition=Available --timeout=1s",
        "wait cm/none --for=delete --timeout=60s", "wait cm/none --for=condition=Ready --timeout=1s",
        "patch deploy web --subresource=status --type=merge -p {\"status\":{\"conditions\":["
        "{\"type\":\"Available\",\"status\":\"True\"}]}}",
        "wait deploy/web --for=condition=Available --timeout=60s",
        "wait deploy --all --for=condition=Available --timeout=60s",
        "wait cm/n --for=create --timeout=1s", "wait cm/a --for=create --timeout=60s"],
    # Of built-in kinds the embedded server has types, and no descriptions.
    "A80 explain": [
        "explain nothing", "explain deploy.spec.nothing", "explain ks.spec.sourceRef",
        "explain helmreleases.spec.install.remediation", "explain receivers.spec.type"],
    "A3 resources": [
        "api-resources --api-group=apps", "api-resources --api-group=apps -o wide",
        "api-resources --namespaced=false --api-group=rbac.authorization.k8s.io",
        "api-resources --categories=fluxcd -o name",
        "api-resources --api-group=batch --sort-by=name", "api-resources --verbs=list,get "
        "--api-group=policy -o name", "api-resources --api-group="],
    "auth": [
        "auth can-i get pods", "auth can-i get pods --as=nobody", "auth can-i --list --as=nobody",
        "auth can-i get pods/log", "auth can-i get /healthz --as=nobody", "auth can-i use nothing",
        "auth can-i '*' '*'", "auth whoami", "auth whoami --as=a --as-group=b",
        "create serviceaccount sa", "create token sa", "create token none",
        "create token sa --duration=10m", "create token sa --duration=1s",
        "create token sa --bound-object-kind=Secret --bound-object-name=none",
        "create role r --verb=get --resource=cm", "create rolebinding r --role=r "
        "--serviceaccount=@ns:sa", "auth can-i get cm --as=system:serviceaccount:@ns:sa",
        "auth can-i delete cm --as=system:serviceaccount:@ns:sa",
        "get cm --as=system:serviceaccount:@ns:sa -o name", "get deploy "
        "--as=system:serviceaccount:@ns:sa", "delete cm none --as=system:serviceaccount:@ns:sa",
        stdin("auth reconcile -f -", {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"},
            "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]})],
    "pods": [
        "run p --image=i:1 --labels=a=b --env=X=1", "run p --image=i:1", "get po", "get po -o wide",
        "describe po p", "get po p -o jsonpath={.spec.containers[0].imagePullPolicy}",
        "label po p c=d", "set image po/p p=i:2", "patch po p -p {\"spec\":{\"nodeName\":\"x\"}}",
        "delete po p --now --wait=false", "get po"],
    "nodes": [
        stdin("create -f -", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "@ns"}}),
        "cordon @ns", "uncordon @ns", "taint node @ns a=b:NoSchedule",
        "taint node @ns a=b:NoSchedule", "taint node @ns a-", "label node @ns x=y",
        "get node @ns", "delete node @ns"],
    "events": [
        WEBS, "events", "events --types=Warning", "get events",
        stdin("create -f -", {
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "web.1"}, "type": "Warning",
            "reason": "TooSlow", "message": "it takes long", "count": 3,
            "firstTimestamp": "2026-01-02T03:04:05Z", "lastTimestamp": "2026-01-02T03:04:05Z",
            "involvedObject": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web",
                               "namespace": "@ns"}, "source": {"component": "test"}}),
        "get events -o custom-columns=R:.reason,M:.message,C:.count", "events --for=deploy/web -o name",
        "get events --field-selector=type=Warning -o name",
        "get events --field-selector=involvedObject.name=web,reason=TooSlow -o name"],
    "custom resources": [
        stdin("apply -f -", {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": "k"}, "spec": {"interval": "1m", "prune": True, "path": "./x",
                                                "sourceRef": {"kind": "Bucket", "name": "b"}}}),
        "get ks", "get ks -o wide", "get kustomizations.v1.kustomize.toolkit.fluxcd.io k",
        "get fluxcd", "patch ks k --type=merge -p {\"spec\":{\"path\":5}}",
        "patch ks k -p {\"spec\":{\"path\":\"./y\"}}", "label ks k a=b",
        "patch ks k --type=merge -p {\"spec\":{\"path\":\"./y\"}}", "get ks k -o jsonpath={.spec}",
        "patch ks k --subresource=status --type=merge -p {\"status\":{\"conditions\":[{\"type\":"
        "\"Ready\",\"status\":\"True\",\"reason\":\"R\",\"message\":\"well\","
        "\"lastTransitionTime\":\"2026-01-02T03:04:05Z\"}]}}", "get ks",
        "wait ks/k --for=condition=Ready --timeout=60s", "describe ks k", "delete ks k"],
    "deprecated": [
        stdin("create -f -", {
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "olds.kubectl.example.com"}, "spec": {
                "group": "kubectl.example.com", "scope": "Namespaced",
                "names": {"plural": "olds", "kind": "Old"}, "versions": [
                    {"name": name, "served": True, "storage": name == "v2", **more,
                     "schema": {"openAPIV3Schema": {
                         "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
                    for name, more in (("v2", {}), ("v1", {"deprecated": True}), ("v1beta1", {
                        "deprecated": True, "deprecationWarning": "use v2 of Old"}))]}}),
        "wait crd/olds.kubectl.example.com --for=condition=Established --timeout=60s",
        "get olds.v2.kubectl.example.com", "get olds.v1.kubectl.example.com",
        "get olds.v1beta1.kubectl.example.com", "get endpoints",
        stdin("create -f -", {"apiVersion": "kubectl.example.com/v1", "kind": "Old",
                              "metadata": {"name": "o"}, "spec": {"a": 1}}),
        "label olds.v1.kubectl.example.com o a=b", "get olds -o name"],
    "two versions": [
        WEBS, "autoscale deploy web --min=1 --max=3 --cpu-percent=50",
        "get hpa.v1.autoscaling web -o jsonpath={.spec}",
        "get hpa.v2.autoscaling web -o jsonpath={.spec}",
        "patch hpa.v1.autoscaling web --type=merge -p {\"spec\":{"
        "\"targetCPUUtilizationPercentage\":70}}",
        "get hpa.v2.autoscaling web -o jsonpath={.spec}", "get hpa -o wide",
        "patch hpa web --type=merge -p {\"spec\":{\"metrics\":[{\"type\":\"Resource\","
        "\"resource\":{\"name\":\"cpu\",\"target\":{\"type\":\"Utilization\","
        "\"averageUtilization\":30}}},{\"type\":\"Pods\",\"pods\":{\"metric\":{\"name\":"
        "\"p\"},\"target\":{\"type\":\"AverageValue\",\"averageValue\":\"5\"}}},"
        "{\"type\":\"External\",\"external\":{\"metric\":{\"name\":\"e\"},\"target\":{"
        "\"type\":\"Value\",\"value\":\"9\"}}}]}}", "get hpa",
        "get hpa.v1.autoscaling web -o jsonpath={.spec}",
        stdin("create -f -", {
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "web.2"},
            "type": "Normal", "reason": "Fine", "note": "all is well", "action": "Look",
            "eventTime": "2026-01-02T03:04:05.000000Z", "reportingController": "example.com/c",
            "reportingInstance": "c-0", "regarding": {
                "apiVersion": "apps/v1", "kind": "Deployment", "name": "web",
                "namespace": "@ns"}}),
        "get events.v1.events.k8s.io web.2 -o jsonpath={.regarding.name},{.note},{.reportingController}",
        "get events web.2 -o jsonpath={.involvedObject.name},{.message},{.reportingComponent}",
        "get events.v1.events.k8s.io --field-selector=regarding.name=web -o name",
        "get events --field-selector=involvedObject.name=web -o name",
        "get events.v1.events.k8s.io", "delete events.v1.events.k8s.io web.2", "get events"],
    "A90 unsimulated": [
        WEBS, "get deploy web -o jsonpath={.status}", "get rs,po", "run p --image=i:1",
        "get po p -o jsonpath={.status.phase}", "create job j --image=i -- true",
        "get job j -o jsonpath={.status}", "get po -o name"],
    "namespaces": [
        "create ns @ns-x", "create ns @ns-x", "get ns @ns-x", "label ns @ns-x a=b",
        "create ns Bad_Name", "delete ns kube-system --dry-run=server", "get cm -n none",
        "create cm x -n none", "delete ns @ns-x --wait=false"],
}


class Cluster:
    def __init__(self, server):
        self.server = server

    def run(self, command, ns):
        text, given = command if isinstance(command, tuple) else (command, None)
        args = [part.replace("@ns", ns).strip("'") for part in text.split()]
        if "-n" not in args:
            args = ["-n", ns, *args]
        done = self.server.kubectl(*args, stdin=given and given.replace("@ns", ns), check=False)
        out = "\n".join([str(done.returncode), done.stdout, done.stderr])
        for pattern, word in MASKS:
            out = pattern.sub(word, out)
        return out


@pytest.fixture(scope="module")
def clusters(tmp_path_factory):
    directory = tmp_path_factory.mktemp("kubectl")
    servers = []
    try:
        # The bare API server has no controllers.
        servers.append(EmbeddedApi(directory / "embedded", os.environ["SLUICE_BUILD"],
                                   ["--simulate", "none"]))
        servers.append(KubeApi(directory / "kube", oracle("kube")))
        for server in servers:
            server.install_crds()
        yield [Cluster(server) for server in servers]
    finally:
        for server in servers:
            server.stop()


@pytest.mark.parametrize("name", CASES, ids=lambda n: n.replace(" ", "-"))
def test_kubectl(name, clusters):
    ns = "n" + str(list(CASES).index(name))
    for cluster in clusters:
        cluster.server.kubectl("create", "ns", ns)
    different = []
    for command in CASES[name]:
        ours, theirs = [cluster.run(command, ns) for cluster in clusters]
        if ours != theirs:
            different.append(f"{command}\n--- ours {ours}\n--- kube {theirs}")
    assert not different, "\n\n".join(different)
