"""Kustomizations end to end: what is built from an artifact, and substitution."""
from tests.lib.apps import app, config_map  # noqa: F401
from tests.lib.net import wait_until


def test_K10_paths_stay_inside(app, objects):
    app.commit({"cm.yaml": config_map("one")})
    app.kustomization("up", path="../../etc")
    app.kustomization("absent", path="./nowhere")
    for name in ("up", "absent"):
        objects.wait("Kustomization", name, lambda o: "path not found" in
                     objects.condition(o).get("message", "") and
                     objects.condition(o)["reason"] == "ArtifactFailed", "to miss its path")


def test_K16_K27_trees_without_a_kustomization(app, objects):
    app.commit({"a/one.yaml": config_map("one"), "b/c/two.yml": config_map("two"),
                "notes.txt": "no manifest"})
    app.kustomization()
    app.ready()
    assert objects.configmap("one") and objects.configmap("two")
    app.commit({"bad.yaml": "a: [1\n"})
    obj = objects.not_ready("Kustomization", "app", "BuildFailed")
    assert "bad.yaml" in objects.condition(obj)["message"]
    assert objects.configmap("one")


def test_K17_subdirectory_with_its_own_kustomization(app, objects):
    app.commit({"unit/kustomization.yaml": """\
                    resources: [cm.yaml]
                    namePrefix: pre-
                    """,
                "unit/cm.yaml": config_map("one"),
                "unit/not-listed.yaml": config_map("two"),
                "plain.yaml": config_map("three")})
    app.kustomization()
    app.ready()
    assert objects.configmap("pre-one") and objects.configmap("three")
    assert not objects.configmap("two")


def test_K18_empty_directory_prunes(app, objects):
    app.commit({"d/cm.yaml": config_map("one"), "keep.txt": ""})
    app.kustomization(path="./")
    app.ready()
    app.commit({"other.txt": ""}, remove=["d/cm.yaml"])
    obj = app.ready()
    assert obj["status"]["inventory"]["entries"] == []
    assert not objects.configmap("one")


def test_K22_K23_patches_and_images(app, objects, api):
    app.commit({"kustomization.yaml": """\
                    resources: [d.yaml]
                    images: [{name: nginx, newTag: "1"}]
                    """,
                "d.yaml": """\
                    apiVersion: apps/v1
                    kind: Deployment
                    metadata: {name: web}
                    spec:
                      replicas: 1
                      selector: {matchLabels: {app: web}}
                      template:
                        metadata: {labels: {app: web}}
                        spec: {containers: [{name: c, image: nginx}]}
                    """})
    app.kustomization(
        images=[{"name": "nginx", "newName": "example.test/nginx"}],
        patches=[{"patch": "- {op: replace, path: /spec/replicas, value: 3}",
                  "target": {"kind": "Deployment"}},
                 {"patch": "- {op: remove, path: /spec}", "target": {"kind": "StatefulSet"}}])
    app.ready()
    deployment = api.rest.get(f"/apis/apps/v1/namespaces/{objects.ns}/deployments/web")
    assert deployment["spec"]["replicas"] == 3
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "example.test/nginx:1"


def test_K29_K30_K32_K35_substitution(app, objects, api):
    app.commit({"cm.yaml": config_map("one", {"a": "${x}-${y:=def}", "b": "$${z}", "c": "$z"})})
    for name, value in (("first", "1"), ("second", "2")):
        api.apply({"apiVersion": "v1", "kind": "ConfigMap",
                   "metadata": {"name": name, "namespace": objects.ns}, "data": {"x": value}})
    refs = [{"kind": "ConfigMap", "name": "first"}, {"kind": "ConfigMap", "name": "second"},
            {"kind": "Secret", "name": "absent", "optional": True}]
    app.kustomization(postBuild={"substituteFrom": refs})
    app.ready()
    assert objects.configmap("one")["data"] == {"a": "2-def", "b": "${z}", "c": "$z"}
    app.kustomization(postBuild={"substituteFrom": refs, "substitute": {"x": "in"}})
    wait_until(lambda: objects.configmap("one")["data"]["a"] == "in-def", "the inline value")
    app.kustomization(postBuild={"substitute": {"other": "1"}})
    obj = objects.not_ready("Kustomization", "app", "BuildFailed")
    assert '"x"' in objects.condition(obj)["message"]


def test_K34_substitution_can_be_disabled(app, objects):
    app.commit({"cm.yaml": config_map("one", {"a": "${x}"}, labels=(
        "{kustomize.toolkit.fluxcd.io/substitute: disabled}"))})
    app.kustomization(postBuild={"substitute": {"x": "1"}})
    app.ready()
    assert objects.configmap("one")["data"] == {"a": "${x}"}
