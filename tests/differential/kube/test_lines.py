"""Hand-written scripts for each line of the contract that a server can show: the embedded API server
and the real one, with the controllers that the embedded one has inside, answer the same."""
import os

import pytest

from tests.lib.kube import EmbeddedApi, KubeApi
from tests.lib.net import free_port
from tests.lib.oracle import oracle
from tests.lib.process import Process

from . import lines_access, lines_apply, lines_life, lines_read, lines_write
from .lines_explained import APART, WORDS
from .scripts import GROUP, Scripts

TABLES = (lines_read, lines_access, lines_write, lines_apply, lines_life)
CASES = {name: steps for table in TABLES for name, steps in table.CASES.items()}
CONTROLLERS = "garbage-collector-controller,namespace-controller,serviceaccount-controller," \
    "root-ca-certificate-publisher-controller"
TEXT = {"type": "string"}
SPEC = {
    "type": "object", "required": ["size"], "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 100},
        "replicas": {"type": "integer", "minimum": 0},
        "color": {**TEXT, "enum": ["red", "blue"], "default": "red"},
        "name": {**TEXT, "pattern": "^[a-z]+$", "maxLength": 5},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "left": TEXT, "right": TEXT,
        "map": {"type": "object", "additionalProperties": TEXT},
        "defaulted": {"type": "object", "default": {"b": "B"}, "properties": {
            "a": {**TEXT, "default": "A"}, "b": TEXT}},
        "nested": {"type": "object", "properties": {
            "x": {"type": "integer"}, "list": {
                "type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}}},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": TEXT},
        "items": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [
            "key"], "items": {"type": "object", "required": ["key"], "properties": {
                "key": TEXT, "value": {**TEXT, "default": "v"}}}}},
    "x-kubernetes-validations": [{"rule": "!has(self.left) || !has(self.right)",
                                  "message": "left and right exclude each other"}]}
STATUS = {"type": "object", "default": {"observedGeneration": -1}, "properties": {
    "observedGeneration": {"type": "integer"}, "note": TEXT, "replicas": {"type": "integer"},
    "conditions": {"type": "array", "x-kubernetes-list-type": "map",
                   "x-kubernetes-list-map-keys": ["type"], "items": {
                       "type": "object", "required": ["type", "status"],
                       "properties": {"type": TEXT, "status": TEXT, "message": TEXT}}}}}


def definition(plural, kind, schema, **version):
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{GROUP}"},
            "spec": {"group": GROUP, "scope": "Namespaced",
                     "names": {"plural": plural, "kind": kind, "shortNames": [plural[:2]]},
                     "versions": [{"name": "v1", "served": True, "storage": True, **version,
                                   "schema": {"openAPIV3Schema": {
                                       "type": "object", "properties": schema}}}]}}


DEFINITIONS = (
    definition("widgets", "Widget", {"spec": SPEC, "status": STATUS},
               subresources={"status": {}, "scale": {"specReplicasPath": ".spec.replicas",
                                                     "statusReplicasPath": ".status.replicas"}},
               additionalPrinterColumns=[
                   {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
                   {"name": "Ready", "type": "string",
                    "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
                   {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]),
    definition("gadgets", "Gadget", {part: {"type": "object", "properties": {"a": TEXT}}
                                     for part in ("spec", "status")}))


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    directory = tmp_path_factory.mktemp("lines")
    programs = oracle("kube")
    running = []
    try:
        running.append(EmbeddedApi(directory / "embedded", os.environ["SLUICE_BUILD"]))
        running.append(KubeApi(directory / "kube", programs))
        servers = list(running)
        kube = running[1]
        running.append(Process(
            [programs / "kube-controller-manager", f"--kubeconfig={kube.kubeconfig}",
             f"--controllers={CONTROLLERS}", f"--root-ca-file={kube.ca_file}",
             "--leader-elect=false", f"--secure-port={free_port()}", f"--cert-dir={directory}"],
            directory / "manager.log"))
        for server in servers:
            server.install_crds()
            server.install_crds(*DEFINITIONS)
        yield Scripts(servers)
    finally:
        for one in reversed(running):
            one.stop()


@pytest.mark.parametrize("name", CASES, ids=lambda name: name.replace(" ", "-"))
def test_line(name, scripts):
    apart = [number for numbers in APART.get(name, {}).values() for number in numbers]
    different = scripts.run(name, CASES[name], WORDS.get(name, ()), apart)
    assert not different, "\n\n".join(different)
