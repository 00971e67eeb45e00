"""Health rules (kustomize-controller.md 7): a table of objects in every state of each kind, with what
they are; the same from the real kstatus (tests/oracles/kstatus), and random objects beside it."""
import copy
import datetime
import json
import os
import pathlib
import random
import subprocess

from tests.lib.oracle import ROOT, oracle

TOOL = pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build-test"), "tests", "unit", "kube",
                    "kstatus")
C, P, F, T = "Current", "InProgress", "Failed", "Terminating"
RANDOM_CASES = 3000


def ask(program, objects):
    lines = "".join(json.dumps(o) + "\n" for o in objects)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def cond(kind, status, reason="R", message="m"):
    return {"type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": "2024-01-01T00:00:00Z"}


def ago(seconds):
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def obj(api_version, kind, status=None, spec=None, **metadata):
    made = {"apiVersion": api_version, "kind": kind,
            "metadata": {"name": "a", "namespace": "n", "generation": 2, **metadata}}
    if spec is not None:
        made["spec"] = spec
    if status is not None:
        made["status"] = status
    return made


OK_DEPLOYMENT = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3,
                 "availableReplicas": 3, "conditions": [
                     cond("Progressing", "True", "NewReplicaSetAvailable"),
                     cond("Available", "True")]}


def deployment(spec=None, **status):
    return obj("apps/v1", "Deployment", {**OK_DEPLOYMENT, **status},
               {"replicas": 3, "progressDeadlineSeconds": 600, **(spec or {})})


def progressing(status, reason):
    return [cond("Progressing", status, reason), cond("Available", "True")]


DEPLOYMENT = [
    (C, deployment()),
    (P, deployment(observedGeneration=1)),
    (F, deployment(conditions=progressing("False", "ProgressDeadlineExceeded"))),
    (P, deployment(replicas=2)), (P, deployment(updatedReplicas=2)),
    (P, deployment(replicas=4)), (P, deployment(availableReplicas=2)),
    (P, deployment(readyReplicas=2)),
    (P, deployment(conditions=progressing("True", "ReplicaSetUpdated"))),
    (P, deployment(conditions=progressing("False", "NewReplicaSetAvailable"))),
    (P, deployment(conditions=[cond("Progressing", "True", "NewReplicaSetAvailable")])),
    (P, deployment(conditions=[cond("Progressing", "True", "NewReplicaSetAvailable"),
                               cond("Available", "False")])),
    (C, obj("apps/v1", "Deployment", {**OK_DEPLOYMENT, "conditions": [cond("Available", "True")]},
            {"replicas": 3})),
    (P, obj("apps/v1", "Deployment", None, {"replicas": 1})),
    (C, obj("apps/v1", "Deployment", {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
                                      "availableReplicas": 1,
                                      "conditions": [cond("Available", "True")]}, {})),
    (T, obj("apps/v1", "Deployment", OK_DEPLOYMENT, {"replicas": 3},
            deletionTimestamp="2024-01-01T00:00:00Z")),
]

OK_SET = {"observedGeneration": 2, "replicas": 3, "readyReplicas": 3, "currentReplicas": 3,
          "updatedReplicas": 3, "currentRevision": "r", "updateRevision": "r"}


def stateful(spec=None, **status):
    return obj("apps/v1", "StatefulSet", {**OK_SET, **status}, {"replicas": 3, **(spec or {})})


def partition(n):
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": n}}}


STATEFUL_SET = [
    (C, stateful()), (P, stateful(observedGeneration=1)), (P, stateful(replicas=2)),
    (P, stateful(readyReplicas=2)), (P, stateful(replicas=4)), (P, stateful(currentReplicas=2)),
    (P, stateful(updateRevision="s")), (C, stateful({"updateStrategy": {"type": "OnDelete"}},
                                                    readyReplicas=0)),
    (C, stateful(partition(2), updatedReplicas=1, updateRevision="s")),
    (P, stateful(partition(1), updatedReplicas=1)), (C, stateful(partition(3), updatedReplicas=0)),
    (P, obj("apps/v1", "StatefulSet", None, {"replicas": 1})),
]

OK_REPLICAS = {"observedGeneration": 2, "replicas": 3, "readyReplicas": 3, "availableReplicas": 3,
               "fullyLabeledReplicas": 3}


def replica_set(**status):
    return obj("apps/v1", "ReplicaSet", {**OK_REPLICAS, **status}, {"replicas": 3})


REPLICA_SET = [
    (C, replica_set()), (P, replica_set(fullyLabeledReplicas=2)), (P, replica_set(readyReplicas=2)),
    (P, replica_set(availableReplicas=2)), (P, replica_set(replicas=4)),
    (P, replica_set(conditions=[cond("ReplicaFailure", "True")])),
    (C, replica_set(conditions=[cond("ReplicaFailure", "False")])),
    (P, obj("apps/v1", "ReplicaSet", None, {"replicas": 1})),
]

OK_DAEMONS = {"observedGeneration": 2, "desiredNumberScheduled": 4, "currentNumberScheduled": 4,
              "updatedNumberScheduled": 4, "numberAvailable": 4, "numberReady": 4}


def daemon_set(drop=(), **status):
    whole = {**OK_DAEMONS, **status}
    return obj("apps/v1", "DaemonSet", {k: v for k, v in whole.items() if k not in drop}, {})


DAEMON_SET = [
    (C, daemon_set()), (P, daemon_set(drop=["observedGeneration"])),
    (P, daemon_set(observedGeneration=1)), (P, daemon_set(drop=["desiredNumberScheduled"])),
    (P, daemon_set(currentNumberScheduled=3)), (P, daemon_set(updatedNumberScheduled=3)),
    (P, daemon_set(numberAvailable=3)), (P, daemon_set(numberReady=3)),
    (C, daemon_set(desiredNumberScheduled=0, currentNumberScheduled=0, updatedNumberScheduled=0,
                   numberAvailable=0, numberReady=0)),
    (P, obj("apps/v1", "DaemonSet", None, {})),
]


def job(*conditions, spec=None, **status):
    return obj("batch/v1", "Job", {"conditions": list(conditions), **status}, spec or {})


JOB = [
    (C, job(cond("Complete", "True"))), (F, job(cond("Failed", "True"))),
    (C, job(spec={"suspend": True})), (C, job(cond("Failed", "True"), spec={"suspend": True})),
    (P, job(cond("Suspended", "True"))), (P, job(active=1, startTime="2024-01-01T00:00:00Z")),
    (P, job()), (P, job(cond("Complete", "False"), cond("Failed", "False"))),
    (P, obj("batch/v1", "Job", None, {})),
    # Its rule comes before what holds for every kind.
    (C, {**job(cond("Complete", "True")), "metadata": {"name": "a", "deletionTimestamp": ago(1)}}),
    (P, {**job(), "metadata": {"name": "a", "deletionTimestamp": ago(1)}}),
    (F, job(cond("Failed", "True"), observedGeneration=1)), (P, job(cond("Stalled", "True"))),
    (C, job(cond("Reconciling", "True"), cond("Complete", "True"))),
]


def pod(phase, *conditions, created=None, **status):
    more = {"creationTimestamp": created} if created else {}
    return obj("v1", "Pod", {"phase": phase, "conditions": list(conditions), **status}, {}, **more)


def waiting(reason):
    return [{"name": "c", "state": {"waiting": {"reason": reason}}}]


POD = [
    (C, pod("Succeeded", cond("Ready", "False", "PodCompleted"))), (C, pod("Failed")),
    (C, pod("Running", cond("Ready", "True"))), (P, pod("Running", cond("Ready", "False"))),
    (F, pod("Running", containerStatuses=waiting("CrashLoopBackOff"))),
    (P, pod("Running", initContainerStatuses=waiting("CrashLoopBackOff"))),
    (P, pod("Pending", containerStatuses=waiting("CrashLoopBackOff"))),
    (P, pod("Running", containerStatuses=waiting("ContainerCreating"))),
    (P, pod("Running", containerStatuses=[{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}])),
    (P, pod("Pending")), (P, obj("v1", "Pod", None, {})),
    (F, pod("Pending", cond("PodScheduled", "False", "Unschedulable"), created=ago(60))),
    (P, pod("Pending", cond("PodScheduled", "False", "Unschedulable"), created=ago(-86400))),
    (P, pod("Pending", cond("PodScheduled", "True"), created=ago(60))),
]

CRD_API = "apiextensions.k8s.io/v1"


def crd(*conditions):
    return obj(CRD_API, "CustomResourceDefinition", {"conditions": list(conditions)}, {})


CRD = [
    (C, crd(cond("NamesAccepted", "True"), cond("Established", "True"))),
    (F, crd(cond("NamesAccepted", "False"))),
    (F, crd(cond("Established", "False", "NotAccepted"))),
    (P, crd(cond("Established", "False", "Installing"))), (P, crd()),
    (P, obj(CRD_API, "CustomResourceDefinition", None, {})),
]

SIMPLE = [
    (C, obj("v1", "PersistentVolumeClaim", {"phase": "Bound"}, {})),
    (P, obj("v1", "PersistentVolumeClaim", {"phase": "Pending"}, {})),
    (P, obj("v1", "PersistentVolumeClaim", {"phase": "Lost"}, {})),
    (P, obj("v1", "PersistentVolumeClaim", None, {})),
    (C, obj("v1", "Service", {}, {"type": "ClusterIP"})),
    (P, obj("v1", "Service", {}, {"type": "LoadBalancer"})),
    (P, obj("v1", "Service", {}, {"type": "LoadBalancer", "clusterIP": ""})),
    (C, obj("v1", "Service", {}, {"type": "LoadBalancer", "clusterIP": "10.0.0.1"})),
    (C, obj("v1", "Secret")), (C, obj("v1", "ConfigMap")), (C, obj("batch/v1", "CronJob", {}, {})),
    (C, obj("policy/v1", "PodDisruptionBudget", {"conditions": [
        cond("DisruptionAllowed", "False")]}, {})),
    (P, obj("policy/v1", "PodDisruptionBudget", {"observedGeneration": 1}, {})),
    (T, obj("v1", "ConfigMap", deletionTimestamp="2024-01-01T00:00:00Z")),
]


def custom(*conditions, **status):
    return obj("example.test/v1", "Thing", {"conditions": list(conditions), **status}, {})


GENERIC = [
    (C, custom()), (C, obj("example.test/v1", "Thing", None, {})),
    (C, custom(observedGeneration=2)), (P, custom(observedGeneration=1)),
    (P, custom(observedGeneration=3)), (P, custom(cond("Reconciling", "True"))),
    (C, custom(cond("Reconciling", "False"))), (F, custom(cond("Stalled", "True"))),
    (C, custom(cond("Stalled", "False"))), (C, custom(cond("Ready", "True"))),
    (P, custom(cond("Ready", "False"))), (P, custom(cond("Ready", "Unknown"))),
    (P, custom(cond("Reconciling", "True"), cond("Stalled", "True"))),
    (F, custom(cond("Stalled", "True"), cond("Reconciling", "True"))),
    (F, custom(cond("Stalled", "True"), cond("Ready", "True"))),
    (P, custom(cond("Ready", "True"), observedGeneration=1)),
    (C, {**custom(observedGeneration=1), "metadata": {"name": "no-generation"}}),
    # A rule is of its group: another group's Deployment has none.
    (C, obj("example.test/v1", "Deployment", {"replicas": 0}, {"replicas": 3})),
]

NO_RULE = [(api, kind, good) for api, kind, good in (
    ("v1", "PersistentVolume", {"phase": "Available"}), ("v1", "Namespace", {"phase": "Active"}),
    ("v1", "Node", {"conditions": [cond("Ready", "True")]}), ("v1", "ReplicationController", {"replicas": 0}),
    ("v1", "Endpoints", None), ("v1", "ResourceQuota", {"hard": {"pods": "1"}}), ("v1", "ServiceAccount", None),
    ("networking.k8s.io/v1", "Ingress", {"loadBalancer": {}}), ("networking.k8s.io/v1", "NetworkPolicy", None),
    ("autoscaling/v2", "HorizontalPodAutoscaler", {"currentReplicas": 0, "conditions": [
        cond("ScalingActive", "False"), cond("AbleToScale", "False")]}),
    ("apiregistration.k8s.io/v1", "APIService", {"conditions": [cond("Available", "False")]}),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", None), ("storage.k8s.io/v1", "StorageClass", None),
    ("gateway.networking.k8s.io/v1", "Gateway", {"conditions": [cond("Programmed", "False")]}),
    ("coordination.k8s.io/v1", "Lease", None))]


def flux(kind, group, *conditions, observed=2):
    return obj(f"{group}.toolkit.fluxcd.io/v1", kind, {"observedGeneration": observed,
                                                       "conditions": list(conditions)}, {})


FLUX = [row for kind, group in (("Kustomization", "kustomize"), ("HelmRelease", "helm"),
                                ("GitRepository", "source"), ("OCIRepository", "source"),
                                ("HelmChart", "source"), ("Receiver", "notification")) for row in (
    (C, flux(kind, group, cond("Ready", "True"))), (P, flux(kind, group, cond("Ready", "False"))),
    (P, flux(kind, group, cond("Ready", "Unknown"))), (P, flux(kind, group, cond("Ready", "True"), observed=1)),
    (P, flux(kind, group, observed=-1)), (C, flux(kind, group)),
    (P, flux(kind, group, cond("Reconciling", "True"), cond("Ready", "True"))),
    (P, flux(kind, group, cond("Reconciling", "True"), cond("Ready", "False"))),
    (F, flux(kind, group, cond("Stalled", "True"), cond("Ready", "False"))))]

GENERAL = [row for api, kind, good in NO_RULE for row in (
    (C, obj(api, kind, good)), (C, obj(api, kind, None, {})), (P, obj(api, kind, {"observedGeneration": 1})),
    (T, obj(api, kind, good, deletionTimestamp="2024-01-01T00:00:00Z")),
    (P, obj(api, kind, {"conditions": [cond("Ready", "False")]})),
    (P, obj(api, kind, {"conditions": [cond("Reconciling", "True")]})),
    (F, obj(api, kind, {"conditions": [cond("Stalled", "True")]})))]

# Every kind with a rule is first judged by what holds for all.
RULED = [("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "ReplicaSet"), ("apps/v1", "DaemonSet"),
         ("v1", "Pod"), ("batch/v1", "CronJob"), ("v1", "PersistentVolumeClaim"), ("v1", "Service"),
         ("policy/v1", "PodDisruptionBudget"), (CRD_API, "CustomResourceDefinition"), ("v1", "Secret"),
         ("v1", "ConfigMap")]
FIRST = [row for api, kind in RULED for row in (
    (T, obj(api, kind, {}, {}, deletionTimestamp="2024-01-01T00:00:00Z")),
    (P, obj(api, kind, {"observedGeneration": 1}, {})),
    (P, obj(api, kind, {"conditions": [cond("Reconciling", "True")]}, {})),
    (F, obj(api, kind, {"conditions": [cond("Stalled", "True")]}, {})))]

TABLE = [(f"{kind}-{i}", *row) for kind, rows in (
    ("Deployment", DEPLOYMENT), ("StatefulSet", STATEFUL_SET), ("ReplicaSet", REPLICA_SET),
    ("DaemonSet", DAEMON_SET), ("Job", JOB), ("Pod", POD), ("CustomResourceDefinition", CRD),
    ("simple", SIMPLE), ("generic", GENERIC), ("Flux", FLUX), ("general", GENERAL),
    ("first", FIRST)) for i, row in enumerate(rows)]


def wrong(said, table=None):
    return [(name, want, have, o) for (name, want, o), have in zip(table or TABLE, said)
            if want != have]


# --- pods that tell more of their owner ---

CRASH = pod("Running", containerStatuses=waiting("CrashLoopBackOff"))
NO_NODE = pod("Pending", cond("PodScheduled", "False", "Unschedulable"), created=ago(60))
FINE, ENDED, STARTING = pod("Running", cond("Ready", "True")), pod("Failed"), pod("Pending")


def labelled(one, going=False, **labels):
    more = {"deletionTimestamp": "2024-01-01T00:00:00Z"} if going else {}
    return {**one, "metadata": {**one["metadata"], "labels": labels or {"app": "a"}, **more}}


def owner(one, selector=None):
    return {**one, "spec": {**one["spec"], "selector": selector or {"matchLabels": {"app": "a"}}}}


def with_pods(one, *pods):
    return {"object": one, "pods": list(pods)}


PODS = [(f"pods-{kind}-{i}", want, with_pods(owner(one), *pods)) for kind, one, done in (
    ("StatefulSet", stateful(readyReplicas=2), stateful()),
    ("ReplicaSet", replica_set(readyReplicas=2), replica_set())) for i, (want, one, pods) in enumerate([
        (P, one, []), (P, one, [labelled(FINE), labelled(STARTING)]), (F, one, [labelled(FINE), labelled(CRASH)]),
        (P, one, [labelled(NO_NODE)]), (F, one, [labelled(NO_NODE), labelled(CRASH)]),
        (P, one, [labelled(CRASH, going=True)]), (P, one, [labelled(ENDED)]), (C, done, [labelled(CRASH)]),
        (T, {**one, "metadata": {**one["metadata"], "deletionTimestamp": "2024-01-01T00:00:00Z"}},
         [labelled(CRASH)])])]
PODS += [("pods-Deployment", P, with_pods(owner(deployment(readyReplicas=2)), labelled(CRASH))),
         ("pods-DaemonSet", P, with_pods(owner(daemon_set(numberReady=3)), labelled(CRASH)))]


def test_K79_pods_tell_that_their_owner_failed():
    assert not wrong(ask(TOOL, [o for _, _, o in PODS]), PODS)


def test_K79_pods_tell_kstatus_the_same():
    assert not wrong(ask(oracle("kstatus") / "kstatus", [o for _, _, o in PODS]), PODS)


def test_K78_to_K83_every_state_of_every_kind():
    said = ask(TOOL, [o for _, _, o in TABLE])
    assert len(said) == len(TABLE) and not wrong(said)


def test_K78_to_K83_the_table_is_what_kstatus_says():
    assert not wrong(ask(oracle("kstatus") / "kstatus", [o for _, _, o in TABLE]))


def mutate(rng, tree):
    """One place of an object changed, dropped or of another kind."""
    maps = [tree]
    for value in maps:
        maps.extend(v for v in value.values() if isinstance(v, dict))
        for v in value.values():
            if isinstance(v, list):
                maps.extend(x for x in v if isinstance(x, dict))
    place = rng.choice([m for m in maps if m])
    key = rng.choice(sorted(place))
    value = place[key]
    if key in ("apiVersion", "kind", "metadata") or (key == "spec" and rng.random() < .5):
        return
    # The server gives workloads a generation, and conditions of a type are one.
    if isinstance(value, bool) or (rng.random() < .25 and key != "generation"):
        place.pop(key)
    elif isinstance(value, int):
        place[key] = max(0, value + rng.choice([-2, -1, 1]))
    elif key == "status" and isinstance(value, str):
        place[key] = rng.choice(["True", "False", "Unknown"])
    elif isinstance(value, list) and value and key != "conditions":
        value.append(copy.deepcopy(rng.choice(value)))


def test_K78_to_K83_random_objects():
    rng = random.Random(20)
    objects = []
    for _ in range(RANDOM_CASES):
        one = copy.deepcopy(rng.choice(TABLE)[2])
        for _ in range(rng.randint(1, 4)):
            mutate(rng, one)
        objects.append(one)
    ours, theirs = ask(TOOL, objects), ask(oracle("kstatus") / "kstatus", objects)
    # What its own decoder refuses is "Unknown" to whoever asks.
    differ = [(t, o, json.dumps(x)) for o, t, x in zip(ours, theirs, objects)
              if o != t and t != "error"]
    assert not differ, "\n".join(map(str, differ[:5])) + f"\n{len(differ)} of {len(objects)}"


