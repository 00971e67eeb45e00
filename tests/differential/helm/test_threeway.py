"""Client-side apply: what the API server makes of Helm's three-way patches."""
import copy
import random

import pytest

from .conftest import BUILD, built, replies

COUNT = 4000


@pytest.fixture(scope="module")
def both():
    real = built("threeway") / "threeway"
    ours = BUILD / "tests" / "unit" / "helm" / "helm-threeway"
    return lambda requests: zip(requests, replies(ours, requests), replies(real, requests))


def some(rng, **fields):
    return {name: make(rng) for name, make in fields.items() if rng.random() < 0.6}


def word(rng):
    return rng.choice("abcd")


def number(rng):
    return rng.choice([1, 2, 3])


def items(rng, key, make, **fields):
    """A list whose items have different keys."""
    keys = rng.sample(["a", "b", "c"] if make is word else [1, 2, 3], rng.randrange(4))
    return [{key: k, **some(rng, **fields)} for k in keys]


def labels(rng):
    return {k: word(rng) for k in rng.sample("abc", rng.randrange(4))}


def volumes(rng):
    return [{"name": n, **rng.choice([{"emptyDir": {}}, {"hostPath": {"path": word(rng)}},
                                      {"configMap": {"name": word(rng)}}])}
            for n in rng.sample("abc", rng.randrange(4))]


def containers(rng):
    return items(rng, "name", word, image=word, command=lambda r: [word(r)],
                 env=lambda r: items(r, "name", word, value=word),
                 ports=lambda r: items(r, "containerPort", number, name=word),
                 volumeMounts=lambda r: items(r, "mountPath", word, name=word),
                 resources=lambda r: {"limits": labels(r)})


def pod(rng):
    return some(rng, containers=containers, initContainers=containers, volumes=volumes,
                nodeSelector=labels, tolerations=lambda r: items(r, "key", word, value=word),
                imagePullSecrets=lambda r: items(r, "name", word),
                hostAliases=lambda r: items(r, "ip", word, hostnames=lambda r: [word(r)]))


def metadata(rng):
    return {"name": "x", **some(rng, labels=labels, annotations=labels, finalizers=lambda r:
                                r.sample(["a/b", "c/d", "e/f"], r.randrange(4)))}


def deployment(rng):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(rng), "spec": some(
        rng, replicas=number, selector=lambda r: {"matchLabels": labels(r)},
        strategy=lambda r: r.choice([{"type": "Recreate"}, {"rollingUpdate": {"maxSurge": 1}}]),
        template=lambda r: {"metadata": {"labels": labels(r)}, "spec": pod(r)})}


def service(rng):
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata(rng), "spec": some(
        rng, ports=lambda r: items(r, "port", number, name=word, targetPort=number), type=word,
        selector=labels, externalIPs=lambda r: [word(r)])}


def budget(rng):
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata(rng),
            "spec": some(rng, selector=lambda r: {"matchLabels": labels(r)}, minAvailable=number)}


def account(rng):
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(rng),
            **some(rng, secrets=lambda r: items(r, "name", word),
                   imagePullSecrets=lambda r: items(r, "name", word))}


def config(rng):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(rng), "data": labels(rng)}


def webhook(rng):
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": metadata(rng), "webhooks": items(
                rng, "name", word, failurePolicy=word,
                matchConditions=lambda r: items(r, "name", word, expression=word))}


def request(rng):
    make = rng.choice([deployment, deployment, service, budget, account, config, webhook])
    original = make(rng)
    live = copy.deepcopy(original) if rng.random() < 0.5 else make(rng)
    return {"original": original, "modified": make(rng), "current": live}


def stored(value):
    """What is meant: in an item that is new the library leaves null and its own directives."""
    if isinstance(value, list):
        return [stored(item) for item in value
                if not (isinstance(item, dict) and item.get("$patch") == "delete")]
    if isinstance(value, dict):
        return {k: stored(v) for k, v in value.items() if v is not None and not k.startswith("$")}
    return value


def test_random_objects(both):
    rng = random.Random(7)
    different = [(r, ours, real) for r, ours, real in both([request(rng) for _ in range(COUNT)])
                 if ours != stored(real)]
    shortest = sorted(different, key=lambda d: len(str(d)))[:4]
    assert not different, f"{len(different)}: " + "\n".join(
        f"{r}\n  ours {o}\n  real {a}" for r, o, a in shortest)
