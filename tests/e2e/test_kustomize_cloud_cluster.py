"""Kustomizations end to end: a cluster that a cloud runs, by spec.kubeConfig.configMapRef. A server
of the tests' own stands for Google's (its documented API); the cluster is an embedded API server."""
import base64
import json
import pathlib

import pytest

from tests.lib.apps import app, config_map  # noqa: F401
from tests.lib.clouds import clouds  # noqa: F401 - a fixture
from tests.lib.controllers import Toolkit
from tests.lib.kube import start_api

CLUSTER = "projects/p/locations/l/clusters/c"


@pytest.fixture(scope="module")
def remote(directory):
    server = start_api("embedded", directory / "remote")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def google(clouds, remote):
    """Its services, of which one describes the cluster."""
    described = {"endpoint": remote.server.removeprefix("https://"), "masterAuth": {
        "clusterCaCertificate": base64.b64encode(
            pathlib.Path(remote.ca_file).read_bytes()).decode()}}
    clouds.google = remote.token
    clouds.answers[f"/v1/{CLUSTER}"] = lambda message: (200, {}, json.dumps(described).encode())
    return clouds


@pytest.fixture(scope="module")
def toolkit(api, directory, google):
    kit = Toolkit(api, directory / "toolkit", env={
        **google.env, "GOOGLE_CONTAINER_ENDPOINT": google.url}).start()
    yield kit
    kit.finish()


def test_K94_a_cluster_that_google_runs(app, objects, api, toolkit, remote, google):
    ns = objects.ns
    remote.create_namespace(ns)

    def put(**data):
        api.apply({"apiVersion": "v1", "kind": "ConfigMap",
                   "metadata": {"name": "remote", "namespace": ns,
                                "labels": {"reconcile.fluxcd.io/watch": "Enabled"}},
                   "data": {"provider": "gcp", **data}})
    put(cluster="projects/p")
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization(kubeConfig={"configMapRef": {"name": "remote"}}, retryInterval="1s")
    app.failed("ReconciliationFailed", "invalid GKE cluster ID: 'projects/p'")
    put(cluster=CLUSTER, serviceAccountName="other")
    app.failed("ReconciliationFailed", "ObjectLevelWorkloadIdentity")
    put(cluster=CLUSTER)
    app.ready()
    assert remote.rest.get(f"/api/v1/namespaces/{ns}/configmaps/one")
    assert not objects.configmap("one")
    asked = len(google.messages)
    assert f"Bearer {remote.token}" in [
        m.headers.get("Authorization") for m in google.asked(f"/v1/{CLUSTER}")]
    # What the cloud said is kept: another run asks nothing.
    app.rerun()
    assert len(google.messages) == asked
    log = pathlib.Path(toolkit["kustomize-controller"].log_path).read_text()
    assert remote.token not in log
