"""
Random sequences of applies, replaces and patches by several managers, on a real kube-apiserver and on
common/smd: managedFields must come out the same to the byte, objects the same but for defaults.

SLUICE_KUBE_APISERVER: the kube-apiserver binary; SLUICE_SMD_DRIVER: the built smd_driver;
SLUICE_SMD_OPS: operations a kind (150); SLUICE_SMD_SEED.
"""

import copy
import datetime
import json
import os
import random

import pytest

from .kinds import CRD, KINDS, Maker

MANAGERS = ["alpha", "beta", "gamma", "kubectl"]
APPLY = "application/apply-patch+yaml"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MERGE = "application/merge-patch+json"
OPS = int(os.environ.get("SLUICE_SMD_OPS", "150"))
SEED = int(os.environ.get("SLUICE_SMD_SEED", "1"))


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def managers_of(obj):
    return ((obj or {}).get("metadata") or {}).get("managedFields")


def own_time(obj, manager, operation, subresource):
    for entry in managers_of(obj) or []:
        if (entry["manager"], entry["operation"], entry.get("subresource")) == (
                manager, operation, subresource):
            return entry.get("time") or now()
    # Folded into ancient-changes: then all of the oldest are of this second.
    return max([entry.get("time") or "" for entry in managers_of(obj) or []], default="") or now()


def is_nothing(value):
    return value is None or value == {} or value == []


def differences(ours, theirs, path=""):
    """Paths at which ours says something that theirs does not; defaults of theirs are no difference."""
    if is_nothing(ours):
        return []
    if isinstance(ours, dict) and isinstance(theirs, dict):
        out = []
        for key, value in ours.items():
            if f"{path}.{key}" in (".metadata.resourceVersion", ".metadata.generation"):
                continue
            out += differences(value, theirs.get(key), f"{path}.{key}")
        return out
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        out = []
        for index, value in enumerate(ours):
            out += differences(value, theirs[index], f"{path}[{index}]")
        return out
    return [] if ours == theirs else [f"{path}: ours {ours!r}, theirs {theirs!r}"]


# What the API servers fill in after the merge; a field here may be in theirs alone.
DEFAULTED = {
    "uid", "creationTimestamp", "resourceVersion", "generation", "defaulted", "protocol",
    "targetPort", "sessionAffinity", "sessionAffinityConfig", "type", "clusterIP", "clusterIPs",
    "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy", "replicas", "strategy", "rollingUpdate",
    "maxSurge", "maxUnavailable", "revisionHistoryLimit", "progressDeadlineSeconds", "dnsPolicy",
    "restartPolicy", "schedulerName", "securityContext", "terminationGracePeriodSeconds",
    "imagePullPolicy", "terminationMessagePath", "terminationMessagePolicy", "status", "timeoutSeconds",
    "clientIP", "externalTrafficPolicy", "annotations", "deployment.kubernetes.io/revision",
}


def additions(ours, theirs, path=""):
    """Paths that theirs has and ours has not, defaults aside: what ours pruned too much."""
    if is_nothing(theirs):
        return []
    if isinstance(theirs, dict) and (isinstance(ours, dict) or ours is None):
        out = []
        for key, value in theirs.items():
            mine = (ours or {}).get(key)
            if (mine is None and key in DEFAULTED) or key in ("resourceVersion", "generation"):
                continue
            out += additions(mine, value, f"{path}.{key}")
        return out
    if isinstance(theirs, list) and isinstance(ours, list) and len(ours) == len(theirs):
        out = []
        for index, value in enumerate(theirs):
            out += additions(ours[index], value, f"{path}[{index}]")
        return out
    return [] if ours == theirs else [f"{path}: theirs alone {theirs!r}"]


class Replay:
    def __init__(self, server, driver, kind, schema_file, seed):
        self.server, self.driver, self.kind, self.schema = server, driver, kind, schema_file
        self.rng = random.Random(f"{kind.name}-{seed}")
        self.maker = Maker(self.rng)
        self.counts = {}
        self.name = None
        self.round = 0

    def note(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def path(self, suffix=""):
        return f"{self.kind.path}/{self.name}{suffix}"

    def live(self):
        status, obj = self.server.request("GET", self.path())
        return obj if status == 200 else None

    def config(self, subresource=None):
        body = {"apiVersion": self.kind.api_version, "kind": self.kind.name,
                "metadata": self.maker.metadata(self.name)}
        if subresource:
            body["metadata"] = {"name": self.name, "namespace": "default"}
            body.update(self.maker.status())
        else:
            body.update(self.kind.make(self.maker))
        return body

    def ours(self, op, manager, live, obj, reply, subresource=None, force=False):
        operation = "Apply" if op == "apply" else "Update"
        return self.driver.run(
            schema=str(self.schema), name=self.kind.definition, builtin=self.kind.builtin, op=op,
            manager=manager, apiVersion=self.kind.api_version, subresource=subresource, force=force,
            now=own_time(reply, manager, operation, subresource), live=live, object=obj)

    def check_managers(self, result, reply, context):
        assert "object" in result, (result, context)
        # Replies of custom resources have their keys sorted; built-in ones keep fieldsV1's order.
        unordered = not self.kind.builtin
        mine = json.dumps(managers_of(result["object"]), sort_keys=unordered)
        theirs = json.dumps(managers_of(reply), sort_keys=unordered)
        assert mine == theirs, f"\nours   {mine}\ntheirs {theirs}\n{context}"

    def check_conflict(self, result, reply, context):
        self.note("conflict")
        assert result.get("code") == "conflict", (result, context)
        key = lambda cause: (cause["field"], cause["message"])
        causes = [{key: cause[key] for key in ("reason", "message", "field")}
                  for cause in reply["details"]["causes"]]
        assert sorted(result["causes"], key=key) == sorted(causes, key=key), context
        if len(causes) == 1:
            assert result["error"] == reply["message"], context

    def apply(self, subresource=None):
        manager, force = self.rng.choice(MANAGERS), self.maker.maybe()
        live, config = self.live(), self.config(subresource)
        suffix = f"/{subresource}" if subresource else ""
        status, reply = self.server.request(
            "PATCH", self.path(f"{suffix}?fieldManager={manager}&force={str(force).lower()}"),
            config, APPLY)
        context = json.dumps({"config": config, "live": live, "reply": reply, "force": force,
                              "manager": manager})
        reply_obj = reply if status < 300 else None
        result = self.ours("apply", manager, live, config, reply_obj, subresource, force)
        if status == 409:
            self.check_conflict(result, reply, context)
            return
        if status >= 300:
            self.note(f"refused {status}")
            if status == 500:
                assert "error" in result, context
            return
        self.note("apply" + suffix)
        self.check_managers(result, reply, context)
        if subresource:
            return
        assert not differences(result["object"], reply), (
            differences(result["object"], reply), context)
        skipped = copy.deepcopy(reply)
        skipped["metadata"].pop("managedFields", None)
        assert not additions(result["object"], skipped), (
            additions(result["object"], skipped), context)
        if live and not result["changed"]:
            self.note("unchanged")
            assert live["metadata"]["resourceVersion"] == reply["metadata"]["resourceVersion"]

    def check_update(self, manager, live, sent_managers, status, reply, what, subresource=None):
        if status >= 300:
            self.note(f"refused {status}")
            return
        self.note(what)
        obj = copy.deepcopy(reply)
        obj["metadata"].pop("managedFields", None)
        if what == "create" and self.kind.name == "Service":
            for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                obj["spec"].pop(key, None)  # allocated after ownership was noted
        if sent_managers is not None:
            obj["metadata"]["managedFields"] = sent_managers
        result = self.ours("update", manager, live, obj, reply, subresource)
        lost = "ancient-changes"
        if lost in json.dumps(managers_of(live)) and lost not in json.dumps(managers_of(reply)):
            # Upstream folds it into itself when a newer entry of its second sorts before it.
            self.note("ancient-changes lost upstream")
            return
        self.check_managers(result, reply, json.dumps(
            {"live": live, "reply": reply, "op": what, "sent": sent_managers,
             "manager": manager}))

    def replace(self):
        manager, live = self.rng.choice(MANAGERS), self.live()
        if not live:
            body = self.config()
            status, reply = self.server.request(
                "POST", f"{self.kind.path}?fieldManager={manager}", body)
            self.check_update(manager, None, None, status, reply, "create")
            return
        body = copy.deepcopy(live)
        config = self.config()
        body["metadata"].update(config.pop("metadata"))
        for key, value in config.items():
            if isinstance(value, dict):
                body.setdefault(key, {}).update(value)
        if self.maker.maybe(0.2):
            body["metadata"].setdefault("annotations", {})[LAST_APPLIED] = json.dumps(
                {"apiVersion": self.kind.api_version, "kind": self.kind.name,
                 "metadata": {"name": self.name}, **config})
        if self.kind.name == "Deployment" and self.maker.maybe(0.2):
            self.maker.duplicates(body)
        self.draw_managers(body["metadata"])
        status, reply = self.server.request("PUT", self.path(f"?fieldManager={manager}"), body)
        self.check_update(manager, live, body["metadata"].get("managedFields"), status, reply, "put")

    def draw_managers(self, metadata):
        """What the client makes of managedFields: keeps, omits, resets, or drops an entry."""
        drawn = self.rng.random()
        if drawn < 0.4:
            metadata.pop("managedFields", None)
        elif drawn < 0.45:
            metadata["managedFields"] = self.rng.choice([[], [{}]])
        elif drawn < 0.6 and metadata.get("managedFields"):
            metadata["managedFields"].pop()

    def scale(self):
        manager, live = self.rng.choice(MANAGERS), self.live()
        if not live:
            return
        body = {"apiVersion": "autoscaling/v1", "kind": "Scale",
                "metadata": {"name": self.name, "namespace": "default"},
                "spec": {"replicas": self.rng.randint(1, 4)}}
        if self.maker.maybe():
            status, reply = self.server.request(
                "PUT", self.path(f"/scale?fieldManager={manager}"), body)
            assert status == 200, reply
            after = self.live()
            result = self.ours("update", manager, live, after, after, "scale")
            self.check_scale(result, live, after, "scale")
            return
        force = self.maker.maybe()
        status, reply = self.server.request(
            "PATCH", self.path(f"/scale?fieldManager={manager}&force={str(force).lower()}"),
            body, APPLY)
        body.update({"apiVersion": self.kind.api_version, "kind": self.kind.name})
        after = self.live()
        result = self.ours("apply", manager, live, body, after, "scale", force)
        context = json.dumps({"live": live, "reply": reply, "config": body, "after": after})
        if not live["metadata"].get("managedFields"):
            return
        if status == 409 and "before-first-apply" not in reply["message"]:
            self.check_conflict(result, reply, context)
        if status != 200:
            return
        self.check_scale(result, live, after, "scale apply")

    def check_scale(self, result, live, after, what):
        """Upstream leaves times out and may split entries of Update managers: who owns it counts."""
        def owners(obj):
            return {(entry["manager"], entry["operation"], entry.get("subresource"))
                    for entry in managers_of(obj) or []
                    if "f:replicas" in entry["fieldsV1"].get("f:spec", {})}
        if "apply" in what and not owners(live):
            return  # upstream then makes up a before-first-apply; we do not
        self.note(what)
        assert owners(result["object"]) == owners(after), (result, live, after)

    def patch(self):
        manager, live = self.rng.choice([*MANAGERS, *map(str, range(12))]), self.live()
        if not live:
            return
        patch = {"metadata": {"labels": {self.rng.choice("abcd"): self.rng.choice(
            [None, "red", "blue"])}}}
        status, reply = self.server.request(
            "PATCH", self.path(f"?fieldManager={manager}"), patch, MERGE)
        self.check_update(manager, live, managers_of(live), status, reply, "patch")

    def crowd(self):
        """More Update managers than upstream keeps (A45)."""
        for number in range(14):
            live = self.live()
            if not live:
                return
            manager = f"crowd-{number}"
            patch = {"metadata": {"labels": {manager: "x"}}}
            status, reply = self.server.request(
                "PATCH", self.path(f"?fieldManager={manager}"), patch, MERGE)
            self.check_update(manager, live, managers_of(live), status, reply, "crowd")
            if "ancient-changes" in json.dumps(managers_of(reply)):
                self.note("ancient-changes")

    def step(self, index):
        if index % 40 == 0:
            self.round += 1
            self.name = f"x{self.round}"
        if index % 40 == 20:
            self.crowd()
        drawn = self.rng.random()
        if self.kind.has_status and self.kind.name == "Widget" and drawn < 0.15 and self.live():
            self.apply("status")
        elif self.kind.name == "Deployment" and drawn < 0.1:
            self.scale()
        elif drawn < 0.6:
            self.apply()
        elif drawn < 0.75:
            self.replace()
        else:
            self.patch()


@pytest.fixture(scope="session")
def crd(server):
    status, reply = server.request(
        "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD)
    assert status in (201, 409), reply
    from .conftest import wait_until
    wait_until(lambda: server.request("GET", KINDS[3].path)[0] == 200)
    wait_until(lambda: KINDS[3].definition in json.dumps(
        server.request("GET", KINDS[3].openapi)[1]))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_random_sequences_agree(server, driver, crd, kind, tmp_path):
    status, document = server.request("GET", kind.openapi)
    assert status == 200
    schema = tmp_path / "openapi.json"
    schema.write_text(json.dumps(document))
    replay = Replay(server, driver, kind, schema, SEED)
    for index in range(OPS):
        replay.step(index)
    print(kind.name, replay.counts)
    assert replay.counts.get("apply", 0) > OPS // 10
    assert replay.counts.get("ancient-changes", 0) > 0
