#!/usr/bin/env python3
"""Writes apiserver/schema_table.inc: field names, types, list keys and patch keys of the built-in kinds.

Usage: schema_table.py URL TOKEN FOLDER... > apiserver/schema_table.inc

URL is that of a running Kubernetes API server whose /openapi/v3 is read as facts. What it does not
tell, which members Go leaves out when they are zero, comes from the struct tags below the FOLDERs:
the modules k8s.io/api, apimachinery, apiextensions-apiserver and kube-aggregator of its version. The
output is sorted and holds no descriptions, so that the same server always gives the same bytes. The
grammar of a row is explained in schema_builtin.c, which reads it.
"""
import json
import pathlib
import re
import ssl
import sys
import urllib.request

GROUPS = [
    "api/v1", "apis/apps/v1", "apis/batch/v1", "apis/autoscaling/v1", "apis/autoscaling/v2",
    "apis/networking.k8s.io/v1", "apis/policy/v1", "apis/coordination.k8s.io/v1",
    "apis/discovery.k8s.io/v1", "apis/events.k8s.io/v1", "apis/rbac.authorization.k8s.io/v1",
    "apis/storage.k8s.io/v1", "apis/scheduling.k8s.io/v1", "apis/node.k8s.io/v1",
    "apis/admissionregistration.k8s.io/v1", "apis/apiextensions.k8s.io/v1",
    "apis/apiregistration.k8s.io/v1", "apis/certificates.k8s.io/v1",
    "apis/flowcontrol.apiserver.k8s.io/v1", "apis/authentication.k8s.io/v1",
    "apis/authorization.k8s.io/v1",
]
PREFIXES = [
    ("io.k8s.api.", "~"), ("io.k8s.apimachinery.pkg.apis.meta.v1.", "^"),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.", "%"),
]
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
# What the table writes as a letter instead of a reference.
LETTERS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "o",
    META + "Time": "t", META + "MicroTime": "u", META + "FieldsV1": "O",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "O",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "j",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "j",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "j",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "j",
}
# Kinds that are no stored object and no review.
SKIPPED_KINDS = {"DeleteOptions", "WatchEvent", "Status", "APIGroup", "APIGroupList",
                 "APIResourceList", "APIVersions", "Scale", "Eviction", "TokenRequest"}


def short(name):
    for long_form, mark in PREFIXES:
        if name.startswith(long_form):
            return mark + name[len(long_form):]
    return name


def fetch(url, token):
    context = ssl._create_unverified_context()
    headers = {"Authorization": "Bearer " + token} if token else {}
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, context=context) as reply:
        return json.load(reply)


STRUCT = re.compile(r"^type (\w+) struct \{$(.*?)^\}$", re.M | re.S)
FIELD = re.compile(r'^\t(?:\w+ +)?([\w*.\[\]]+) +`[^`]*json:"([^"]*)"', re.M)


def members_of(structs, name):
    """{member: whether Go leaves it out when it is zero} of a struct and those inlined in it."""
    out = {}
    for go_type, tag in FIELD.findall(structs.get(name, "")):
        member, *options = tag.split(",")
        if not member and "inline" in options:
            out.update(members_of(structs, go_type.split(".")[-1]))
        elif member:
            out[member] = "omitempty" in options and not go_type.startswith("*")
    return out


def omitted_members(folders):
    """{"core.v1.PodSpec": members_of it}, by the last parts of the definition's name."""
    out = {}
    for folder in folders:
        for file in sorted(pathlib.Path(folder).rglob("types*.go")):
            structs = dict(STRUCT.findall(file.read_text()))
            place = ".".join(file.parent.parts[-2:])
            for name in structs:
                out[f"{place}.{name}"] = members_of(structs, name)
    return out


class Table:
    def __init__(self, schemas, omitted):
        self.schemas, self.omitted = schemas, omitted
        self.wanted = []

    def reference(self, ref):
        name = ref.rsplit("/", 1)[1]
        if name in LETTERS:
            return LETTERS[name]
        self.wanted.append(name)
        return "@" + short(name)

    def type_of(self, node):
        if "allOf" in node:
            return self.reference(node["allOf"][0]["$ref"])
        if "$ref" in node:
            return self.reference(node["$ref"])
        if node.get("type") == "array":
            return "[" + self.type_of(node["items"])
        if node.get("type") == "object":
            if "additionalProperties" in node:
                return "{" + self.type_of(node["additionalProperties"])
            return "O"
        if node.get("format") == "byte":
            return "y"
        if node.get("format") == "int64":
            return "l"
        return {"string": "s", "integer": "i", "number": "n", "boolean": "b"}.get(
            node.get("type"), "j")

    def attributes(self, node, required=False):
        out = ""
        kind = node.get("x-kubernetes-list-type") or node.get("x-kubernetes-map-type")
        if kind in ("atomic", "set"):
            out += "!" + kind[0]
        elif kind == "map":
            out += "!m=" + ",".join(node["x-kubernetes-list-map-keys"])
        if "x-kubernetes-patch-strategy" in node:
            out += "!p=" + node["x-kubernetes-patch-strategy"]
            if "x-kubernetes-patch-merge-key" in node:
                out += "," + node["x-kubernetes-patch-merge-key"]
        default = node.get("default")
        # The optional "" is a name in an inlined LocalObjectReference, which Go leaves out.
        if default is not None and default != [] and (default != "" or required):
            out += "!d=" + json.dumps(default)
        return out

    def row(self, name):
        node = self.schemas[name]
        gvk = ""
        for entry in node.get("x-kubernetes-group-version-kind", []):
            if name.endswith("." + entry["version"] + "." + entry["kind"]):
                gvk = "#%s/%s/%s" % (entry["group"], entry["version"], entry["kind"])
        if name.startswith(META):
            gvk = ""
        required = set(node.get("required", []))
        fields = []
        zeros = self.omitted.get(".".join(name.split(".")[-3:]), {})
        for field, child in sorted(node.get("properties", {}).items()):
            kind = self.type_of(child)
            mark = "!z" if zeros.get(field) and kind[0] in "silbny[{" else ""
            mark += "!r" if field in required else ""
            fields.append(field + ":" + kind + self.attributes(child, field in required) + mark)
        return short(name) + gvk + self.attributes(node) + "|" + ";".join(fields)


def main():
    base, token, *folders = sys.argv[1:]
    schemas = {}
    for group in GROUPS:
        schemas.update(fetch(base + "/openapi/v3/" + group, token)["components"]["schemas"])
    table = Table(schemas, omitted_members(folders))
    for name, node in schemas.items():
        kinds = [g["kind"] for g in node.get("x-kubernetes-group-version-kind", [])]
        if kinds and not kinds[0].endswith("List") and kinds[0] not in SKIPPED_KINDS:
            table.wanted.append(name)
    table.wanted += [META + "DeleteOptions", "io.k8s.api.autoscaling.v1.Scale",
                     "io.k8s.api.authentication.v1.TokenRequest"]
    rows = {}
    while table.wanted:
        name = table.wanted.pop()
        if name not in rows:
            rows[name] = ""
            rows[name] = table.row(name)
    print("/* Generated by gen/schema_table.py: do not edit. Grammar: schema_builtin.c. */")
    for row in sorted(rows.values(), key=lambda text: text.encode()):
        quoted = row.replace("\\", "\\\\").replace('"', '\\"')
        print('"%s",' % quoted)


main()
