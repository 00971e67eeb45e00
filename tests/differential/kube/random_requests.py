"""Random sequences of requests, the same for every server: what only a server knows stands in them
as @rv:KEY@, @uid:KEY@ and @continue@. A seed always makes the same sequence."""
import copy
import dataclasses

from .random_kinds import KINDS, METADATA

MEDIA = {"json": "application/json-patch+json", "merge": "application/merge-patch+json",
         "strategic": "application/strategic-merge-patch+json",
         "apply": "application/apply-patch+yaml"}
NAMES = ("one", "two")
MANAGERS = ("alpha", "beta", "gamma")
INVALID = 0.12  # of the writes


@dataclasses.dataclass
class Step:
    method: str
    path: str
    body: object = None
    media: str = "application/json"
    key: str = ""  # of the object that it is about

    def __str__(self):
        return f"{self.method} {self.path} {self.media} {self.body!r}"


def put(target, path, value):
    """Sets a member, making what stands between."""
    *parents, last = path.split(".")
    for name in parents:
        child = target.get(name)
        target[name] = target = child if isinstance(child, dict) else {}
    target[last] = copy.deepcopy(value)


class Maker:
    """One sequence; `alive` guesses which objects are there."""

    def __init__(self, rng):
        self.rng = rng
        names = list(KINDS)
        weights = [KINDS[name].get("weight", 1) for name in names]
        self.kinds = list(dict.fromkeys(rng.choices(names, weights, k=3)))
        self.alive = set()
        self.scales = 0

    def chance(self, part):
        return self.rng.random() < part

    def pick(self, kind, fields, count, good=True):
        """(path, value) pairs, with one that does not fit where `good` is False."""
        rows = [row for row in fields if row[1]]
        out = [(row[0], self.rng.choice(row[1]))
               for row in self.rng.sample(rows, min(count, len(rows)))]
        if not good:
            bad = [row for row in fields if row[2]]
            row = self.rng.choice(bad)
            out.append((row[0], self.rng.choice(row[2])))
        return out

    def body(self, kind, name, count, base=True, part="fields"):
        spec = KINDS[kind]
        out = {"apiVersion": spec["apiVersion"], "kind": kind, "metadata": {"name": name}}
        if base:
            out.update(copy.deepcopy(spec.get("base", {})))
        fields = spec[part] + (METADATA if part == "fields" else [])
        for path, value in self.pick(kind, fields, count, not self.chance(INVALID)):
            put(out, path, value)
        return out

    def query(self, kind, **fixed):
        rng = self.rng
        words = dict(fixed)
        if KINDS[kind].get("dry"):
            words["dryRun"] = "All"
        words.setdefault("fieldManager", rng.choice(MANAGERS))
        if self.chance(0.08):
            words["dryRun"] = "All"
        if self.chance(0.15):
            words["fieldValidation"] = rng.choice(("Strict", "Ignore", "Warn"))
        return "?" + "&".join(f"{k}={v}" for k, v in words.items() if v)

    def step(self):
        rng = self.rng
        kind = rng.choice(self.kinds)
        if KINDS[kind].get("dry"):
            name = rng.choice(KINDS[kind]["names"])
            verb = rng.choice((self.apply, self.patch, self.patch, self.get))
            return verb(kind, name, f"{kind}/{name}")
        name = rng.choice(NAMES)
        key = f"{kind}/{name}"
        if key not in self.alive and self.chance(0.8):
            verb = rng.choice((self.create, self.create, self.apply))
        else:
            verb = rng.choices(*zip(*VERBS))[0].__get__(self)
        return verb(kind, name, key)

    def create(self, kind, name, key):
        self.alive.add(key)
        body = self.body(kind, name, self.rng.randint(0, 4))
        return Step("POST", KINDS[kind]["path"] + self.query(kind), body, key=key)

    def apply(self, kind, name, key):
        self.alive.add(key)
        body = self.body(kind, name, self.rng.randint(0, 4), self.chance(0.7))
        force = {"force": "true"} if self.chance(0.4) else {}
        return Step("PATCH", f"{KINDS[kind]['path']}/{name}{self.query(kind, **force)}", body,
                    MEDIA["apply"], key)

    def update(self, kind, name, key):
        body = self.body(kind, name, self.rng.randint(0, 4))
        if self.chance(0.7):
            body["metadata"]["resourceVersion"] = f"@rv:{key}@"
        elif self.chance(0.3):
            body["metadata"]["resourceVersion"] = "1"
        return Step("PUT", f"{KINDS[kind]['path']}/{name}{self.query(kind)}", body, key=key)

    def merge_body(self, kind, part="fields"):
        out = {}
        fields = KINDS[kind][part] + (METADATA if part == "fields" else [])
        for path, value in self.pick(kind, fields, self.rng.randint(1, 3),
                                     not self.chance(INVALID)):
            # Null rules of a Role are a list on the real server, or are not, by how they came there.
            put(out, path, None if self.chance(0.2) and path != "rules" else value)
        return out

    def patch(self, kind, name, key):
        custom = KINDS[kind].get("custom")
        how = self.rng.choice(("merge", "merge", "json") if custom and self.chance(0.95) else
                              ("merge", "json", "strategic", "strategic"))
        body = self.json_patch(kind) if how == "json" else self.merge_body(kind)
        if how == "strategic" and self.chance(0.3) and not KINDS[kind].get("dry"):
            self.add_directive(body)
        if how != "json" and self.chance(0.08):
            put(body, "metadata.resourceVersion", self.rng.choice((f"@rv:{key}@", "1")))
        return Step("PATCH", f"{KINDS[kind]['path']}/{name}{self.query(kind)}", body, MEDIA[how], key)

    def add_directive(self, body):
        # Not in lists that are replaced as a whole: emptied ones differ from absent ones there.
        maps = [v for v in walk(body) if isinstance(v, dict) and v]
        keyed = [v for v in maps if "name" in v]
        if keyed and self.chance(0.5):
            chosen = self.rng.choice(keyed)
        else:
            chosen = self.rng.choice(maps)
        chosen["$patch"] = self.rng.choice(("delete", "replace", "merge"))
        # A map that replaces another keeps its nulls there.
        for key in [key for key, value in chosen.items() if value is None]:
            del chosen[key]

    def json_patch(self, kind):
        ops = []
        fields = KINDS[kind]["fields"] + METADATA
        for path, value in self.pick(kind, fields, self.rng.randint(1, 3),
                                     not self.chance(INVALID)):
            pointer = "/" + path.replace(".", "/")
            op = self.rng.choice(("add", "add", "replace", "test") +
                                 (("remove",) if path != "rules" else ()))
            ops.append({"op": op, "path": pointer,
                        **({} if op == "remove" else {"value": copy.deepcopy(value)})})
        return ops

    def status(self, kind, name, key):
        if not KINDS[kind].get("status"):
            return self.patch(kind, name, key)
        path = f"{KINDS[kind]['path']}/{name}/status"
        how = self.rng.choice(("merge", "apply", "put"))
        if how == "merge":
            return Step("PATCH", path + self.query(kind), self.merge_body(kind, "status"),
                        MEDIA["merge"], key)
        body = self.body(kind, name, self.rng.randint(1, 2), how == "put", "status")
        if how == "apply":
            force = {"force": "true"} if self.chance(0.5) else {}
            return Step("PATCH", path + self.query(kind, **force), body, MEDIA["apply"], key)
        body["metadata"]["resourceVersion"] = f"@rv:{key}@"
        return Step("PUT", path + self.query(kind), body, key=key)

    def scale(self, kind, name, key):
        if not KINDS[kind].get("scale"):
            return self.get(kind, name, key)
        path = f"{KINDS[kind]['path']}/{name}/scale"
        if self.chance(0.3):
            return Step("GET", path, key=key)
        # Never what is there: the real server splits the owner's entry at a Scale without effect.
        self.scales += 1
        value = 10 + self.scales if self.chance(0.8) else self.rng.choice((-1, "x"))
        return Step("PATCH", path + self.query(kind), {"spec": {"replicas": value}}, MEDIA["merge"],
                    key)

    def get(self, kind, name, key):
        return Step("GET", f"{KINDS[kind]['path']}/{name}", key=key)

    def delete(self, kind, name, key):
        self.alive.discard(key)
        options = {}
        if self.chance(0.4):
            options["propagationPolicy"] = self.rng.choice(("Background", "Background", "Maybe"))
        if self.chance(0.2):
            options["preconditions"] = self.rng.choice((
                {"uid": f"@uid:{key}@"}, {"uid": "none"}, {"resourceVersion": f"@rv:{key}@"},
                {"resourceVersion": "1"}))
        if self.chance(0.1):
            options["gracePeriodSeconds"] = self.rng.choice((0, 5))
        dry = "?dryRun=All" if self.chance(0.15) else ""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", **options} if options else None
        return Step("DELETE", f"{KINDS[kind]['path']}/{name}{dry}", body, key=key)

    def list(self, kind, name, key):
        words = []
        if self.chance(0.5):
            words.append("labelSelector=" + self.rng.choice((
                "app", "!app", "app%3Dx", "app!%3Dx", "app+in+(x,y)", "tier+notin+(a)",
                "app%3Dx,tier", "app%3D%3Dy", "app+in+x", "%3D")))
        if self.chance(0.3):
            words.append("fieldSelector=" + self.rng.choice((
                "metadata.name%3Done", "metadata.name!%3Done", "metadata.namespace%3D@ns",
                "spec.nothing%3Dx", "type%3DOpaque")))
        if self.chance(0.4):
            words.append(self.rng.choice(("limit=1", "limit=1&continue=@continue@", "limit=2",
                                          "limit=x")))
        return Step("GET", KINDS[kind]["path"] + ("?" + "&".join(words) if words else ""))

    def delete_many(self, kind, name, key):
        self.alive = {k for k in self.alive if not k.startswith(kind + "/")}
        return Step("DELETE", KINDS[kind]["path"] + self.rng.choice((
            "", "?labelSelector=app%3Dx", "?fieldSelector=metadata.name%3Done")))


VERBS = ((Maker.apply, 8), (Maker.patch, 8), (Maker.update, 4), (Maker.status, 3),
         (Maker.create, 1), (Maker.delete, 2), (Maker.get, 1), (Maker.list, 2), (Maker.scale, 1),
         (Maker.delete_many, 0.3))


MERGED = ("containers", "initContainers", "env", "volumes", "imagePullSecrets", "hostAliases",
          "secrets", "ownerReferences")  # lists that merge by key


def walk(value):
    yield value
    if isinstance(value, dict):
        for key, child in value.items():
            for part in child if isinstance(child, list) and key in MERGED else [child]:
                yield from walk(part)


def make(rng, length):
    maker = Maker(rng)
    return [maker.step() for _ in range(length)]
