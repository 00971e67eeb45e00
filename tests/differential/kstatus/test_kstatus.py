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
    (P, pod("Pending")), (P, obj("v1", "Pod", None, {})),
    (F, pod("Pending", cond("PodScheduled", "False", "Unschedulable"), created=ago(60))),
    (P, pod("Pending", cond("PodScheduled", "False", "Unschedulable"), created=ago(-600))),
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

TABLE = [(f"{kind}-{i}", *row) for kind, rows in (
    ("Deployment", DEPLOYMENT), ("StatefulSet", STATEFUL_SET), ("ReplicaSet", REPLICA_SET),
    ("DaemonSet", DAEMON_SET), ("Job", JOB), ("Pod", POD), ("CustomResourceDefinition", CRD),
    ("simple", SIMPLE), ("generic", GENERIC)) for i, row in enumerate(rows)]


def wrong(said):
    return [(name, want, have, o) for (name, want, o), have in zip(TABLE, said) if want != have]


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


