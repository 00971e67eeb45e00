"""Values, CRDs, adoption and how objects are applied, seen through a HelmRelease."""
import json

import yaml

from tests.lib.apps import widget_crd
from tests.lib.helm import decode
from tests.lib.net import wait_until
from tests.lib.releases import (VALUES_CONFIG, chart_server, config,  # noqa: F401
                                controller_with, releases)

helm_controller = controller_with("--requeue-dependency=1s", "--min-retry-delay=50ms",
                                  "--max-retry-delay=500ms")

CHART = {"templates/values.yaml": VALUES_CONFIG}


def put(releases, kind, name, data, labels=None):
    field = "stringData" if kind == "Secret" else "data"
    releases.api.apply({"apiVersion": "v1", "kind": kind, field: data,
                        "metadata": {"name": name, "namespace": releases.ns,
                                     "labels": labels or {}}})


def seen(releases, release="app"):
    return json.loads(releases.live("ConfigMap", f"{release}-values")["data"]["values"])


def test_H5_a_new_object_gets_the_finalizer(releases):
    releases.quiet(chart="nowhere")
    obj = releases.objects.wait("HelmRelease", "app", lambda o: o["metadata"].get("finalizers"))
    assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]


def test_H32_H35_H36_values_from_objects(releases):
    put(releases, "ConfigMap", "base", {"values.yaml": "a: {x: 1, m: 1}\nlist: [1]\n"})
    put(releases, "Secret", "top", {"other": "a: {m: 2}\n", "password": "'true'"})
    releases.chart(CHART)
    releases.quiet(valuesFrom=[
        {"kind": "ConfigMap", "name": "base"},
        {"kind": "Secret", "name": "top", "valuesKey": "other"},
        {"kind": "Secret", "name": "top", "valuesKey": "password", "targetPath": "auth.users[0]"},
        {"kind": "Secret", "name": "none", "optional": True},
    ], values={"a": {"z": 3}})
    releases.ready()
    assert seen(releases) == {"a": {"x": 1, "m": 2, "z": 3}, "list": [1],
                              "auth": {"users": ["true"]}}


def test_H33_missing_values(releases, helm_controller):
    releases.chart(CHART)
    releases.quiet(valuesFrom=[{"kind": "Secret", "name": "later", "valuesKey": "v"}])
    releases.failed("ValuesError", "could not resolve Secret chart values reference")
    put(releases, "Secret", "later", {"v": "a: b\n[hunter2"})
    releases.failed("ValuesError", "failed to read values data: line 3, column 1")
    put(releases, "Secret", "later", {"v": "- hunter2"})
    releases.failed("ValuesError", "failed to read values data: values must be a map")
    releases.quiet(valuesFrom=[{"kind": "Secret", "name": "later", "valuesKey": "v", "targetPath": "a[99999]"}])
    releases.failed("ValuesError", "failed to merge value: ")
    releases.quiet(valuesFrom=[{"kind": "Secret", "name": "later", "valuesKey": "v"}])
    put(releases, "Secret", "later", {"v": "a: 1"})
    releases.ready()
    assert "hunter2" not in helm_controller.log()
    assert not [e for e in releases.objects.events("app") if "hunter2" in e[2]]


def test_H39_H40_H41_what_is_no_change_of_values(releases):
    releases.chart(CHART)
    releases.quiet()
    empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert releases.ready()["status"]["lastAttemptedConfigDigest"] == empty
    put(releases, "ConfigMap", "v", {"values.yaml": "b: 1\na: 2.0\n"})
    releases.quiet(valuesFrom=[{"kind": "ConfigMap", "name": "v"}])
    first = releases.ready(version=2)["status"]["lastAttemptedConfigDigest"]
    put(releases, "ConfigMap", "v", {"values.yaml": "a: 2\nb: 1.0\n"})
    obj = releases.rerun()
    assert obj["status"]["lastAttemptedConfigDigest"] == first
    assert obj["status"]["history"][0]["version"] == 2


def test_H42_a_labelled_secret_triggers(releases):
    watched = {"reconcile.fluxcd.io/watch": "Enabled"}
    put(releases, "Secret", "s", {"values.yaml": "a: one"}, watched)
    releases.chart(CHART)
    releases.quiet(valuesFrom=[{"kind": "Secret", "name": "s"}])
    releases.ready()
    put(releases, "Secret", "s", {"values.yaml": "a: two"}, watched)
    releases.ready(version=2)
    assert seen(releases) == {"a": "two"}


def test_H68_a_foreign_release_is_taken_over(releases):
    releases.chart(CHART)
    releases.quiet("first", releaseName="shared")
    releases.ready("first")
    # Somebody else's, as far as the second can know.
    releases.objects.patch("HelmRelease", "first", {"spec": {"suspend": True}})
    releases.quiet("second", releaseName="shared", values={"a": "b"})
    obj = releases.ready("second", version=2)
    assert [s["version"] for s in obj["status"]["history"]] == [2]
    assert releases.statuses("shared") == {1: "superseded", 2: "deployed"}


def crd_chart(group, description="one", **files):
    crd = widget_crd(group)
    crd["metadata"]["annotations"] = {"about": description}
    return {**CHART, "crds/widget.yaml": yaml.safe_dump(crd), **files}


def live_crd(releases, group):
    return releases.api.rest.get(
        f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}")


def test_H79_H80_H95_crds_follow_their_policy(releases):
    group = f"{releases.ns[:20]}.example.com"
    releases.chart(crd_chart(group))
    releases.quiet(install={"crds": "Skip"})
    releases.ready()
    assert live_crd(releases, group) is None
    releases.quiet(values={"n": 1})
    obj = releases.ready(version=2)
    labels = live_crd(releases, group)["metadata"]["labels"]
    assert labels["helm.toolkit.fluxcd.io/name"] == "app"
    assert f"_widgets.{group}_apiextensions.k8s.io_CustomResourceDefinition" in [
        e["id"] for e in obj["status"]["inventory"]["entries"]]
    releases.chart(crd_chart(group, "two"), version="2.0.0")
    releases.ready(version=3)
    assert live_crd(releases, group)["metadata"]["annotations"]["about"] == "one"
    releases.quiet(values={"n": 2}, upgrade={"crds": "CreateReplace"})
    releases.ready(version=4)
    assert live_crd(releases, group)["metadata"]["annotations"]["about"] == "two"
    releases.delete()
    assert live_crd(releases, group)


def test_H91_how_objects_are_applied_is_recorded(releases):
    releases.chart(CHART)
    releases.quiet("client", install={"serverSideApply": False})
    releases.quiet("server")
    releases.ready("client")
    releases.ready("server")
    assert decode(releases.secrets("client")[0])["apply_method"] == "csa"
    assert decode(releases.secrets("server")[0])["apply_method"] == "ssa"
    releases.quiet("client", install={"serverSideApply": False}, values={"a": 1})
    releases.ready("client", version=2)
    assert decode(releases.secrets("client")[1])["apply_method"] == "csa"


def test_drift_of_client_side_releases(releases):
    releases.chart({"templates/config.yaml": config("config", {"v": "1"})})
    releases.quiet(install={"serverSideApply": False}, driftDetection={"mode": "enabled"})
    releases.ready()
    code, reply = releases.api.rest.call(
        "PATCH", releases.path("ConfigMap", "config") + "?fieldManager=x", {"data": {"v": "2"}},
        "application/merge-patch+json")
    assert code == 200, reply
    releases.rerun()
    wait_until(lambda: releases.live("ConfigMap", "config")["data"] == {"v": "1"}, "correction")
    assert releases.statuses() == {1: "deployed"}


def test_values_of_a_release_are_not_in_the_log(releases, helm_controller):
    releases.chart({**CHART, "templates/bad.yaml": "kind: [{{ .Values.password }}"})
    put(releases, "Secret", "s", {"values.yaml": "password: hunter3"})
    releases.quiet(valuesFrom=[{"kind": "Secret", "name": "s"}])
    releases.failed("InstallFailed")
    assert "hunter3" not in helm_controller.log()
