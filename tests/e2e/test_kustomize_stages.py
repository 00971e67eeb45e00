"""Stages end to end: what is waited for before the rest is applied, and for how long."""
import yaml

from tests.lib.apps import app, config_map, install_crd, put_status, widget_crd  # noqa: F401


def put_ready(api, path, status):
    put_status(api, path, {"conditions": [{"type": "Ready", "status": status, "reason": "R"}]})


def test_K53_a_foreign_namespace_keeps_nobody_waiting(app, objects, api):
    """A kind that is only called so: nothing stands in it."""
    group = f"{objects.ns}.example.test"
    install_crd(api, widget_crd(group, "Namespace"))
    foreign = {"apiVersion": f"{group}/v1", "kind": "Namespace",
               "metadata": {"name": "w", "namespace": objects.ns}}
    api.apply(foreign)
    put_ready(api, f"/apis/{group}/v1/namespaces/{objects.ns}/namespaces/w", "False")
    app.commit({"first.yaml": yaml.safe_dump(foreign), "cm.yaml": config_map("after")})
    app.kustomization()
    app.ready()
    assert objects.configmap("after")
