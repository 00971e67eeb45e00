"""Random kustomization trees: bases in bases, components, and most fields of the file, chosen so that
most of them build. A tree is {directory: {"spec": kustomization, "files": {name: content}}} where
content is a list of objects (a YAML stream), bytes-like text, or one document as a dict."""

import copy
import json
import re

import yaml

from . import random_objects as objects
from .random_objects import IMAGES, NAMES, POD_KINDS, pairs, text, value

COMPONENT = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
DIRECTIVES = ["delete", "replace", "merge"]
# What tells elements of a list apart: without it upstream does what nobody can want.
KEYS = {"name", "mountPath", "containerPort", "port", "ip", "uid", "topologyKey", "kind"}
# Where upstream keeps notes while it builds, which a replacement would carry elsewhere.
NOTED = {("metadata",), ("metadata", "annotations")}


def plain(text):
    """A text with what random_objects.PLAIN marks bare, in JSON without its quotes."""
    return re.sub(r"PLAIN<([^>]*)>", r"\1", re.sub(r'"PLAIN<([^>]*)>"', r"\1", text))


def dump(content):
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        # Upstream keeps quotes of the source, and JSON is all quotes: some files are.
        if len(content) % 3 == 2:
            return plain("---\n".join(json.dumps(one) + "\n" for one in content))
        return plain("---\n".join(yaml.dump(one, Dumper=yaml.CSafeDumper, width=10000)
                                  for one in content))
    return plain(json.dumps(content) + "\n")


def strict(content):
    """JSON and nothing else: what is marked plain is text."""
    return re.sub(r"PLAIN<([^>]*)>", r"\1", json.dumps(content))


def files_of(tree):
    """{path: text} of a tree."""
    out = {}
    for name, node in tree.items():
        out[f"{name}/kustomization.yaml"] = dump(node["spec"])
        for file, content in node["files"].items():
            out[f"{name}/{file}"] = dump(content)
    return out


def key_of(one):
    meta = one["metadata"]
    return one["apiVersion"], one["kind"], meta["name"], meta.get("namespace", "default")


def places(node, path=()):
    """All paths to values in an object, as tuples."""
    yield path
    if isinstance(node, dict):
        for key, child in node.items():
            yield from places(child, path + (key,))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from places(child, path + (index,))


def pointer(path):
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def field_path(r, path, node):
    """A replacement's path: elements of lists by index, match or star."""
    out = []
    for part in path:
        if isinstance(part, int):
            item = node[part]
            named = isinstance(item, dict) and isinstance(item.get("name"), str) and item["name"]
            out.append(r.choice([f"[name={item['name']}]" if named else str(part), str(part), "*"]))
        else:
            out.append(part.replace(".", "\\.") if "/" not in part else f"[{part}]")
        node = node[part]
    return ".".join(out)


class Maker:
    """Makes one tree. `seen` of a directory: the objects as its files wrote them."""

    def __init__(self, r):
        self.r = r
        self.tree = {}
        self.count = 0

    def chance(self, share):
        return self.r.random() < share

    def known(self, seen):
        return self.r.choice(seen) if seen else objects.obj(self.r)

    def directory(self, depth, component=False):
        """(name, seen)"""
        self.count += 1
        name = f"d{self.count}"
        node = self.tree[name] = {"spec": dict(COMPONENT) if component else {}, "files": {}}
        seen = []
        self.resources(node, seen, depth)
        own = copy.deepcopy(seen)
        return name, own

    def resources(self, node, seen, depth):
        r, spec = self.r, node["spec"]
        entries = []
        if depth > 0:
            for _ in range(r.choice([0, 1, 1, 2])):
                name, below = self.directory(depth - 1)
                entries.append("../" + name)
                seen += below
        for i in range(r.choice([0, 1, 1, 2]) if entries else r.choice([1, 1, 2])):
            self.resource_file(node, f"r{i}.yaml", seen)
            entries.append(f"r{i}.yaml")
        spec["resources"] = entries
        self.generators(node, seen)
        if depth > 0 and self.chance(0.25):
            name, below = self.component(seen, depth - 1)
            spec["components"] = ["../" + name]
            seen += below
        self.features(node, seen)

    def component(self, seen, depth):
        self.count += 1
        name = f"d{self.count}"
        node = self.tree[name] = {"spec": dict(COMPONENT), "files": {}}
        own = list(seen)
        if self.chance(0.5):
            self.resource_file(node, "r.yaml", own)
            node["spec"]["resources"] = ["r.yaml"]
        self.generators(node, own)
        if depth > 0 and self.chance(0.3):
            inner, below = self.component(own, depth - 1)
            node["spec"]["components"] = ["../" + inner]
            own += below
        self.features(node, own)
        if len(node["spec"]) == 2:
            node["spec"]["nameSuffix"] = "-c"
        return name, own[len(seen):]

    def resource_file(self, node, file, seen):
        r = self.r
        taken = {key_of(one) for one in seen if isinstance(one, dict)}
        out = []
        for _ in range(r.randint(1, 4)):
            one = objects.obj(r)
            if key_of(one) in taken and not self.chance(0.02):
                continue
            taken.add(key_of(one))
            out.append(one)
        if len(out) > 1 and self.chance(0.08):
            node["files"][file] = [{"apiVersion": "v1", "kind": r.choice(["List", "ConfigMapList"]),
                                    "items": out[:1]}] + out[1:]
        else:
            node["files"][file] = out
        seen += out

    def generators(self, node, seen):
        r, spec = self.r, node["spec"]
        if self.chance(0.2):
            spec["generatorOptions"] = {k: v for k, v in (
                ("labels", pairs(r)), ("annotations", pairs(r)), ("immutable", True),
                ("disableNameSuffixHash", self.chance(0.5))) if self.chance(0.5)}
        for field, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
            if self.chance(0.3):
                spec[field] = [self.generator(node, seen, kind) for _ in range(r.choice([1, 1, 2]))]

    def generator(self, node, seen, kind):
        r = self.r
        entry = {"name": r.choice(NAMES)}
        same = [one for one in seen if one["kind"] == kind]
        if same and self.chance(0.6):
            base = r.choice(same)
            entry["name"] = base["metadata"]["name"]
            if base["metadata"].get("namespace"):
                entry["namespace"] = base["metadata"]["namespace"]
            entry["behavior"] = r.choice(["merge", "merge", "replace"])
        elif self.chance(0.2):
            entry["namespace"] = r.choice(["one", "two"])
        keys = r.sample(["k", "l", "e", "f"], r.randint(0, 3))
        if self.chance(0.8):
            entry["literals"] = [f"{k}={r.choice([text(r), 'v'])}" for k in keys]
        if self.chance(0.3):
            node["files"]["app.env"] = "# c\nE1=x\n  E2=y=z \nE3\n"
            entry["envs"] = ["app.env"]
        if self.chance(0.3):
            node["files"]["f.txt"] = "some text\n"
            entry["files"] = [r.choice(["f.txt", "key=f.txt"])]
        if kind == "Secret" and self.chance(0.3):
            entry["type"] = "my/type"
        if self.chance(0.2):
            entry["options"] = {"labels": pairs(r), "disableNameSuffixHash": self.chance(0.5)}
        if "behavior" not in entry:
            seen.append({"apiVersion": "v1", "kind": kind, "data": {"k": "v"}, "metadata": {
                "name": entry["name"], **({"namespace": entry["namespace"]} if "namespace" in entry
                                          else {})}})
        return entry

    def features(self, node, seen):
        spec, r = node["spec"], self.r
        rows = [
            ("namePrefix", 0.25, lambda: r.choice(["p-", "q-"])),
            ("nameSuffix", 0.2, lambda: r.choice(["-s", "-t"])),
            ("namespace", 0.2, lambda: r.choice(["one", "two", "new"])),
            ("commonLabels", 0.12, lambda: pairs(r)),
            ("commonAnnotations", 0.12, lambda: pairs(r)),
            ("labels", 0.2, lambda: [self.label() for _ in range(r.choice([1, 2]))]),
            ("images", 0.2, lambda: [self.image() for _ in range(r.choice([1, 2]))]),
            ("replicas", 0.15, lambda: self.replicas(seen)),
            ("patches", 0.45, lambda: [self.patch(node, seen) for _ in range(r.choice([1, 1, 2, 3]))]),
            ("patchesStrategicMerge", 0.08, lambda: [dump(self.merge_of(self.known(seen)))]),
            ("patchesJson6902", 0.08, lambda: [self.json6902(seen)]),
            ("replacements", 0.35, lambda: [self.replacement_entry(node, seen)
                                            for _ in range(r.choice([1, 1, 2]))]),
            ("vars", 0.08, lambda: self.vars(seen)),
            ("transformers", 0.15, lambda: [self.plugin(seen) for _ in range(r.choice([1, 1, 2]))]),
            ("generators", 0.08, lambda: [self.generator_plugin(seen)]),
            ("validators", 0.02, lambda: [self.plugin(seen)]),
            ("configurations", 0.08, lambda: self.configurations(node)),
            ("sortOptions", 0.08, self.sort_options),
            ("buildMetadata", 0.05, lambda: r.sample(
                ["originAnnotations", "transformerAnnotations", "managedByLabel"], r.randint(1, 3))),
        ]
        for field, share, make in rows:
            if self.chance(share):
                made = make()
                if made:
                    spec[field] = made

    def label(self):
        out = {"pairs": pairs(self.r)}
        for field in ("includeSelectors", "includeTemplates"):
            if self.chance(0.3):
                out[field] = True
        if self.chance(0.15):
            out["fields"] = [{"path": "spec/extra/labels", "kind": self.r.choice(["Foo", "Service"]),
                              "create": True}]
        return out

    def image(self):
        r = self.r
        out = {"name": r.choice(["nginx", "team/app", "reg.io:5000/team/app", "app", ".*/app"])}
        for field, choices in (("newName", ["other", "r.io/x"]), ("newTag", ["9", "v2"]),
                               ("digest", ["sha256:ff"]), ("tagSuffix", ["-x"])):
            if self.chance(0.4):
                out[field] = r.choice(choices)
        return out

    def replicas(self, seen):
        names = [one["metadata"]["name"] for one in seen
                 if one["kind"] in ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")]
        return [{"name": self.r.choice(names), "count": self.r.choice([0, 2, 5])}] if names else None

    def target(self, seen):
        one, r = self.known(seen), self.r
        out = {"kind": one["kind"]}
        if self.chance(0.5):
            out["name"] = r.choice([one["metadata"]["name"], one["metadata"]["name"] + ".*", ".*"])
        if self.chance(0.1):
            out["namespace"] = one["metadata"].get("namespace", "default")
        if self.chance(0.1):
            out["labelSelector"] = r.choice(["app=v", "app", "!app", "app in (v,w)", "tier!=w"])
        if self.chance(0.2):
            version = one["apiVersion"].split("/")
            out["version"] = version[-1]
            if len(version) > 1:
                out["group"] = version[0]
        if self.chance(0.05):
            del out["kind"]
        return out, one

    def patch(self, node, seen):
        r = self.r
        if self.chance(0.4):
            target, one = self.target(seen)
            return {"target": target, "patch": strict(self.operations(one))}
        entry = {}
        if self.chance(0.4):
            entry["target"], one = self.target(seen)
            # The hash of another kind counts upstream's own notes.
            generated = entry["target"].get("kind") in ("ConfigMap", "Secret", None)
            if self.chance(0.2) and not generated:
                entry["options"] = {r.choice(["allowNameChange", "allowKindChange"]): True}
        else:
            one = self.known(seen)
        merge = self.merge_of(one)
        if self.chance(0.1) and "target" in entry:
            merge["metadata"]["name"] = r.choice(NAMES)
        if self.chance(0.5):
            entry["patch"] = dump(merge)
        else:
            file = f"p{len(node['files'])}.yaml"
            node["files"][file] = [merge]
            entry["path"] = file
        return entry

    def merge_of(self, one):
        """A strategic merge patch for an object: another random body, in places null or a directive."""
        r = self.r
        kind = one["kind"]
        known = kind in POD_KINDS or kind in objects.OTHERS
        out = {"apiVersion": one["apiVersion"], "kind": kind, "metadata": {
            k: v for k, v in one["metadata"].items() if k in ("name", "namespace")}}
        if self.chance(0.04):
            out["$patch"] = r.choice(["delete", "delete", "replace"])
            return out
        if self.chance(0.3):
            out["metadata"]["labels"] = pairs(r)
        if self.chance(0.1):
            out["metadata"]["annotations"] = {**pairs(r), "x": None}
        body = objects.body(r, kind) if known else {"spec": value(r)}
        self.disturb(body)
        out.update(body)
        return out

    def disturb(self, node, depth=0):
        """Takes parts out and puts nulls and directives in."""
        r = self.r
        if isinstance(node, dict):
            for key in list(node):
                lot = 1 if key in KEYS else r.random()
                if lot < 0.12:
                    node.pop(key)
                elif lot < 0.17:
                    node[key] = None
                else:
                    self.disturb(node[key], depth + 1)
            if depth > 0 and self.chance(0.05):
                node["$patch"] = r.choice(DIRECTIVES)
        elif isinstance(node, list):
            for item in node:
                self.disturb(item, depth + 1)
            if node and isinstance(node[0], dict) and self.chance(0.06):
                node.insert(0, {"$patch": r.choice(DIRECTIVES)})

    def operations(self, one):
        r, out = self.r, []
        shadow = copy.deepcopy(one)
        for _ in range(r.choice([1, 1, 2])):
            known = [path for path in places(shadow) if len(path) > 1 and path[0] not in (
                "apiVersion", "kind") and path not in NOTED]
            if not known:
                break
            path = r.choice(known)
            item = shadow
            for part in path:
                item = item[part]
            keyed = isinstance(path[-1], int) and isinstance(item, dict) and KEYS & set(item)
            if keyed:
                op = {"op": r.choice(["add", "replace"]), "path": pointer(path), "value": {
                    **item, "more": value(r)}}
            elif path == ("metadata", "name"):
                op = {"op": "replace", "path": "/metadata/name", "value": r.choice(["new", "a"])}
            elif self.chance(0.4):
                op = {"op": "replace", "path": pointer(path), "value": self.value_at(path)}
            elif isinstance(path[-1], int):
                last = r.choice([path[-1], "-", 0])
                op = {"op": "add", "path": pointer(path[:-1] + (last,)), "value": value(r)}
            elif self.chance(0.5):
                noted = path[-2] in ("labels", "annotations")
                op = {"op": "add", "path": pointer(path[:-1] + ("added",)),
                      "value": text(r) if noted else value(r)}
            elif path[:1] != ("metadata",) and path[-1] not in KEYS:
                op = {"op": "remove", "path": pointer(path)}
            else:
                op = {"op": "copy", "from": pointer(path),
                      "path": "/spec/copied" if isinstance(one.get("spec"), dict) else "/copied"}
            out.append(op)
        return out or [{"op": "add", "path": "/hit", "value": 1}]

    def value_at(self, path):
        """Something that does not turn names, labels or parts of lists into what they cannot be."""
        r = self.r
        if path[-1] in ("labels", "annotations", "matchLabels"):
            return pairs(r)
        if path[-1] in KEYS or path[-1] == "namespace":
            return r.choice(NAMES)
        if {"labels", "annotations", "subjects"} & set(path):
            return text(r)
        return value(r)

    def json6902(self, seen):
        one = self.known(seen)
        version = one["apiVersion"].split("/")
        return {"target": {"kind": one["kind"], "name": one["metadata"]["name"], "version": version[-1],
                           **({"group": version[0]} if len(version) > 1 else {})},
                "patch": strict(self.operations(one))}

    def options(self):
        r = self.r
        return {k: v for k, v in (("delimiter", r.choice("/-:")), ("index", r.choice([0, 1, -1, 5])))
                if self.chance(0.9)}

    def replacement(self, seen):
        r = self.r
        out = {}
        if self.chance(0.1):
            out["sourceValue"] = r.choice(["fixed", "a/b-c", "x y"])
        else:
            one = self.known(seen)
            source = {"kind": one["kind"], "name": one["metadata"]["name"]}
            if one["metadata"].get("namespace"):
                source["namespace"] = one["metadata"]["namespace"]
            known = [path for path in places(one) if path and path not in NOTED]
            if self.chance(0.7):
                source["fieldPath"] = field_path(r, r.choice(known), one).replace("*", "0")
            if self.chance(0.1):
                source["options"] = {"delimiter": r.choice("-/:"), "index": 0}
            out["source"] = source
        out["targets"] = []
        for _ in range(r.choice([1, 1, 2])):
            select, one = self.target(seen)
            known = [path for path in places(one) if path and path[0] not in (
                "apiVersion", "kind", "subjects") and path not in NOTED and
                not isinstance(path[-1], int)]
            target = {"select": select}
            paths = [field_path(r, r.choice(known), one)]
            if self.chance(0.3):
                paths = [r.choice(["spec.made.here", "metadata.annotations.made", "data.made",
                                   "spec.list.[name=z].v", "data.[doc.json].a.b", "data.[doc.yaml].a.b",
                                   "spec.list.-"] + ["spec.list.3"] * self.chance(0.1))]
                target["options"] = {"create": True}
                # A made value that reads as a number is one, until a strategic patch comes by.
                out.get("source", {}).pop("fieldPath", None)
            if self.chance(0.15):
                target.setdefault("options", {}).update(self.options())
            if self.chance(0.1):
                target["reject"] = [{"name": r.choice(NAMES)}]
            if paths != ["metadata.name"] or self.chance(0.5):
                target["fieldPaths"] = paths
            out["targets"].append(target)
        return out

    def replacement_entry(self, node, seen):
        """A replacement, now and then in a file of its own, alone or in a list."""
        made = self.replacement(seen)
        if not self.chance(0.2):
            return made
        file = f"repl{len(node['files'])}.yaml"
        node["files"][file] = json.dumps([made, self.replacement(seen)] if self.chance(0.4) else made)
        node["files"][file] = plain(node["files"][file])
        return {"path": file}

    def sort_options(self):
        r = self.r
        out = {"order": r.choice(["legacy", "legacy", "fifo"])}
        if out["order"] == "legacy" and self.chance(0.6):
            kinds = ["ConfigMap", "Deployment", "Foo", "Namespace", "Service", "Secret", "Role"]
            first = r.sample(kinds, r.randint(0, 4))
            last = [kind for kind in r.sample(kinds, r.randint(0, 3)) if kind not in first]
            out["legacySortOptions"] = {k: v for k, v in (("orderFirst", first), ("orderLast", last))
                                        if self.chance(0.9)}
        return out

    def generator_plugin(self, seen):
        r = self.r
        kind = r.choice(["ConfigMap", "Secret"])
        name = f"gen{self.count}"
        out = {"apiVersion": "builtin", "kind": kind + "Generator", "metadata": {"name": name},
               "literals": [f"k={r.choice(['v', 'w'])}"]}
        if self.chance(0.3):
            out["metadata"]["namespace"] = r.choice(["one", "two"])
        if self.chance(0.3):
            out["options"] = {"labels": pairs(r), "disableNameSuffixHash": self.chance(0.5)}
        seen.append({"apiVersion": "v1", "kind": kind, "data": {"k": "v"}, "metadata": dict(out["metadata"])})
        return dump(out)

    def vars(self, seen):
        one = self.known(seen)
        var = {"name": f"V{self.count}", "objref": {"kind": one["kind"], "name": one["metadata"]["name"],
                                                    "apiVersion": one["apiVersion"]}}
        if self.chance(0.3):
            var["fieldref"] = {"fieldPath": self.r.choice(["metadata.name", "kind", "metadata.labels.app"])}
        if self.chance(0.7):
            var["name"] = "A"  # which some texts use
        return [var]

    def plugin(self, seen):
        r = self.r
        if self.chance(0.3):
            return self.plugin_about(self.known(seen), seen)
        return dump({"apiVersion": "builtin", "metadata": {"name": "t"}, **r.choice([
            {"kind": "SuffixTransformer", "suffix": "-y", "fieldSpecs": [{"path": "metadata/name"}]},
            {"kind": "ReplicaCountTransformer", "replica": {"name": r.choice(NAMES), "count": 4},
             "fieldSpecs": [{"path": "spec/replicas", "create": self.chance(0.5)}]},
            {"kind": "PrefixTransformer", "prefix": "z-", "fieldSpecs": [{"path": "metadata/name"}]},
            {"kind": "LabelTransformer", "labels": pairs(r), "fieldSpecs": [
                {"path": "metadata/labels", "create": True}]},
            {"kind": "AnnotationsTransformer", "annotations": pairs(r), "fieldSpecs": [
                {"path": "spec/template/metadata/annotations", "create": self.chance(0.5)}]},
            {"kind": "ImageTagTransformer", "imageTag": {"name": "nginx", "newTag": "7"}},
            {"kind": "NamespaceTransformer", "metadata": {"name": "t", "namespace": "nt"},
             "unsetOnly": self.chance(0.5), "setRoleBindingSubjects": r.choice(
                 ["defaultOnly", "allServiceAccounts", "none"])},
            {"kind": "HashTransformer"},
            {"kind": "PatchTransformer", "target": {"kind": "ConfigMap"}, "patch":
             '[{"op": "add", "path": "/metadata/labels", "value": {"n": "m"}}]'}])})

    def plugin_about(self, one, seen):
        """A builtin transformer for one object."""
        version = one["apiVersion"].split("/")
        target = {"kind": one["kind"], "name": one["metadata"]["name"], "version": version[-1],
                  **({"group": version[0]} if len(version) > 1 else {})}
        made = self.r.choice([
            lambda: {"kind": "PatchJson6902Transformer", "target": target,
                     "jsonOp": strict(self.operations(one))},
            lambda: {"kind": "PatchStrategicMergeTransformer", "patches": dump(self.merge_of(one))},
            lambda: {"kind": "PatchTransformer", "patch": dump(self.merge_of(one))},
            lambda: {"kind": "ReplacementTransformer", "replacements": [self.replacement(seen)]}])()
        return dump({"apiVersion": "builtin", "metadata": {"name": "t"}, **made})

    def configurations(self, node):
        r = self.r
        node["files"]["config.yaml"] = {k: v for k, v in (
            ("nameReference", [r.choice([
                {"kind": "ConfigMap", "version": "v1"}, {"kind": "Secret"}, {"kind": "Service"},
                {"kind": "Foo", "group": "x.io"}, {"kind": "Foo", "group": "y.io"}])
                | {"fieldSpecs": r.sample([
                    {"kind": "Foo", "path": "spec/ref"}, {"kind": "Foo", "path": "spec/list/name"},
                    {"path": "metadata/annotations/x"}, {"kind": "ConfigMap", "path": "data/k"},
                    {"kind": "Deployment", "path": "spec/template/spec/nodeSelector/app"}],
                    r.randint(1, 2))} for _ in range(r.choice([1, 1, 2]))]),
            ("commonLabels", [{"kind": "Foo", "path": "spec/labels", "create": True}]),
            ("images", [{"kind": "Foo", "path": "spec/image"}]),
            ("namespace", [{"kind": "Foo", "path": "spec/ns", "create": self.chance(0.5)}]),
            ("namePrefix", [{"kind": "Foo", "path": "spec/ref"}]),
            ("varReference", [{"kind": "Foo", "path": "spec/any"}])) if self.chance(0.4)}
        return ["config.yaml"]


def make(r):
    """(tree, root directory)"""
    maker = Maker(r)
    root, _ = maker.directory(r.choice([0, 1, 1, 2, 2, 3]))
    return maker.tree, root
