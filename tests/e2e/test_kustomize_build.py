"""Kustomizations end to end: what is built from an artifact, and substitution."""
import json

from tests.lib.apps import app, config_map, install_crd, widget_crd  # noqa: F401
from tests.lib.net import wait_until


def test_K10_paths_stay_inside(app, objects):
    app.commit({"etc/cm.yaml": config_map("inside")})
    app.kustomization("up", path="../../etc")
    app.ready("up")
    assert objects.configmap("inside"), "above the artifact there is only the artifact"
    app.kustomization("further", path="../../etc/passwd.d")
    app.kustomization("absent", path="./nowhere")
    for name in ("further", "absent"):
        app.failed("ArtifactFailed", "path not found", name=name)


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


def test_K16_all_yaml_of_a_tree_is_manifests(app, objects):
    """What is none is named; what is no YAML by its name is not looked at."""
    app.commit({"cm.yaml": config_map("one"), "cm.json": '{"a": "b"}', "cm.yaml.bak": "a: b\n",
                "Makefile": "all:\n", "deep/er/list.yaml": "---\n" + config_map("two") + "---\n"})
    app.kustomization()
    obj = app.ready()
    assert [e["id"].split("_")[1] for e in obj["status"]["inventory"]["entries"]] == ["one", "two"]
    for text in ("a: b\n", "kind: ConfigMap\n", "- a\n", "apiVersion: v1\nmetadata: {name: x}\n",
                 "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n"):
        app.commit({"deep/values.yml": text, "more.yaml": config_map(f"more-{len(text)}")})
        obj = objects.wait("Kustomization", "app", lambda o: app.head in o["status"].get(
            "lastAttemptedRevision", "") and objects.condition(o)["status"] == "False", "to fail")
        ready = objects.condition(obj)
        assert ready["reason"] == "BuildFailed" and "deep/values.yml" in ready["message"], text
        assert not objects.configmap(f"more-{len(text)}")
    app.commit({}, remove=["deep/values.yml"])
    app.ready()


def test_K27_a_kustomization_among_the_manifests_is_passed_over(app, objects):
    app.commit({"cm.yaml": config_map("one"), "k.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\n"
                "kind: Kustomization\nmetadata: {name: x}\nresources: []\n"})
    app.kustomization(retryInterval="1h")
    obj = app.ready()
    assert len(obj["status"]["inventory"]["entries"]) == 1 and objects.configmap("one")


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
    app.commit({"d/cm.yaml": config_map("one"), "bare/keep.txt": "",
                "bare/cm.yaml": config_map("two", namespace=objects.ns)})
    app.kustomization(path="./d")
    app.ready()
    # Without anything that the build could go by.
    app.kustomization("bare", path="./bare", targetNamespace=None)
    app.ready("bare")
    app.commit({"d/keep.txt": ""}, remove=["d/cm.yaml", "bare/cm.yaml"])
    for name in ("app", "bare"):
        obj = app.ready(name)
        assert obj["status"]["inventory"]["entries"] == []
    assert not objects.configmap("one") and not objects.configmap("two")


def test_K18_components_of_an_empty_directory(app, objects):
    """What is empty has a namespace that nobody has, unless the spec names one."""
    app.commit({"empty/keep.txt": "", "extra/cm.yaml": config_map("one"),
                "extra/kustomization.yaml": """\
        apiVersion: kustomize.config.k8s.io/v1alpha1
        kind: Component
        resources: [cm.yaml]
        """})
    app.kustomization(path="./empty", components=["../extra"], targetNamespace=None)
    app.failed("ReconciliationFailed", "_placeholder")
    app.kustomization(path="./empty", components=["../extra"])
    app.ready()
    assert objects.configmap("one")


def test_K22_K23_patches_and_images(app, objects, api):
    app.commit({"kustomization.yaml": """\
                    resources: [d.yaml]
                    images: [{name: nginx, newTag: "1"}]
                    patches:
                    - target: {kind: Deployment}
                      patch: |-
                        - {op: replace, path: /spec/replicas, value: 2}
                        - {op: add, path: /spec/paused, value: true}
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
    assert deployment["spec"]["replicas"] == 3, "the file's patches come first"
    assert deployment["spec"]["paused"] is True
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
    app.kustomization(postBuild={"substituteFrom": [*refs, {"kind": "Secret", "name": "missing"}]})
    app.failed("BuildFailed", "substitute from 'Secret/missing' error")


def test_K31_a_key_that_is_no_name(app, objects, api):
    """Used or not."""
    app.commit({"cm.yaml": config_map("one")})
    api.apply({"apiVersion": "v1", "kind": "ConfigMap",
               "metadata": {"name": "vars", "namespace": objects.ns}, "data": {"my-key": "v"}})
    app.kustomization(postBuild={"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]})
    app.failed("BuildFailed", "ConfigMap/vars: invalid variable name 'my-key'")
    assert not objects.configmap("one")


def test_K34_substitution_can_be_disabled(app, objects):
    key = "kustomize.toolkit.fluxcd.io/substitute"
    app.commit({f"{name}.yaml": config_map(name, {"a": "${x}"}, **{where: f"{{{key}: {value}}}"})
                for name, where, value in (("one", "labels", "disabled"),
                                           ("two", "annotations", "disabled"),
                                           ("three", "annotations", "Disabled"))})
    app.kustomization(postBuild={"substitute": {"x": "set"}})
    app.ready()
    assert [objects.configmap(name)["data"]["a"] for name in ("one", "two", "three")] == [
        "${x}", "${x}", "set"]


def test_K19_unknown_fields_of_the_root_and_of_a_base(app, objects):
    """The controller reads the root itself, and writes it anew; a base is read as strictly as ever."""
    unknown = "resources: [cm.yaml]\nnoSuchField: {a: [1]}\n"
    app.commit({"good/kustomization.yaml": unknown, "good/cm.yaml": config_map("good"),
                "top/kustomization.yaml": "resources: [base]\n",
                "top/base/kustomization.yaml": unknown, "top/base/cm.yaml": config_map("never")})
    app.kustomization("good", path="./good", namePrefix="p-", retryInterval="1h")
    app.kustomization("top", path="./top", retryInterval="1h")
    app.ready("good")
    assert objects.configmap("p-good")
    message = objects.condition(app.failed("BuildFailed", "noSuchField", name="top"))["message"]
    assert "base/kustomization.yaml:2" in message
    assert not objects.configmap("never")


def test_K19_an_unknown_field_of_the_root_is_warned_of_in_the_log(app, objects, toolkit):
    """Once a run, with its place; it is no failure and no Event."""
    app.commit({"d/kustomization.yaml": "# resources, mistyped\nresourcez:\n- cm.yaml\n"
                                        "configMapGenerator:\n- name: made\n  type: x\n",
                "d/cm.yaml": config_map("one")})
    app.kustomization(path="./d")
    app.ready()
    warned = [json.loads(line) for line in toolkit["kustomize-controller"].log().splitlines()
              if "unknown field" in line]
    assert [line["fields"] for line in warned if line["name"] == "app"] == [
        'd/kustomization.yaml:2: unknown field "resourcez"; '
        'd/kustomization.yaml:6: unknown field "configMapGenerator[0].type"']
    assert not objects.configmap("one")
    assert not [e for e in objects.events("app") if "unknown field" in e[2]]


def test_K20_a_root_without_resources_tells_origins(app, objects):
    app.commit({"kustomization.yaml": "configMapGenerator: [{name: made, literals: [a=b]}]\n"
                                      "generatorOptions: {disableNameSuffixHash: true}\n"})
    app.kustomization()
    app.ready()
    annotations = objects.configmap("made")["metadata"]["annotations"]
    assert "configMapGenerator" not in annotations
    assert "kustomization.yaml" in annotations["config.kubernetes.io/origin"]
    # Where the file or the spec says what is to be told, that is it; the spec's word counts.
    app.commit({"kustomization.yaml": "configMapGenerator: [{name: made, literals: [a=b]}]\n"
                                      "generatorOptions: {disableNameSuffixHash: true}\n"
                                      "buildMetadata: [managedByLabel]\n"})
    app.ready()
    metadata = objects.configmap("made")["metadata"]
    assert "config.kubernetes.io/origin" not in metadata.get("annotations", {})
    assert "app.kubernetes.io/managed-by" in metadata["labels"]
    app.kustomization(buildMetadata=["transformerAnnotations", "originAnnotations"])
    wait_until(lambda: "config.kubernetes.io/origin" in objects.configmap("made")["metadata"].get(
        "annotations", {}), "the origin")
    assert "app.kubernetes.io/managed-by" not in objects.configmap("made")["metadata"]["labels"]


def test_K21_target_namespace_and_cluster_scope(app, objects, api):
    app.commit({"kustomization.yaml": "namespace: elsewhere\nresources: [all.yaml]\n",
                "all.yaml": config_map("one") + "---\n"
                + config_map("two", namespace="third") + f"""\
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: "{objects.ns}:reader"}}
rules: []
"""})
    app.kustomization()
    obj = app.ready()
    assert {e["id"] for e in obj["status"]["inventory"]["entries"]} == {
        f"{objects.ns}_one__ConfigMap", f"{objects.ns}_two__ConfigMap",
        f"_{objects.ns}__reader_rbac.authorization.k8s.io_ClusterRole"}
    assert objects.configmap("one") and objects.configmap("two")


def test_K24_components(app, objects):
    app.commit({"base/cm.yaml": config_map("one"), "extra/kustomization.yaml": """\
        apiVersion: kustomize.config.k8s.io/v1alpha1
        kind: Component
        namePrefix: extra-
        """})
    app.kustomization(path="./base", components=["../extra", "../absent"])
    obj = app.failed("BuildFailed", "absent")
    assert "inventory" not in obj["status"]
    app.kustomization(path="./base", components=["../extra", "../absent"],
                      ignoreMissingComponents=True)
    app.ready()
    assert objects.configmap("extra-one") and not objects.configmap("one")
    for component in ("/extra", "https://example.test/extra", "git@example.test:extra"):
        app.kustomization(path="./base", components=[component], ignoreMissingComponents=True)
        app.failed("BuildFailed", component)


def test_K25_files_outside_of_the_artifact(app, objects):
    app.commit({"shared.yaml": config_map("one"),
                "a/kustomization.yaml": "resources: [../shared.yaml]\n",
                "b/kustomization.yaml": "resources: [../../outside.yaml]\n",
                "c/kustomization.yaml": "resources: [../../../../../../etc/hostname]\n",
                "d/kustomization.yaml": "resources: [/etc/hostname]\n"})
    app.kustomization("a", path="./a")
    app.ready("a")
    assert objects.configmap("one")
    for name in "bcd":
        app.kustomization(name, path=f"./{name}")
        app.failed("BuildFailed", name=name)


def test_K25_whatever_reads_a_file_stays_inside(app, objects):
    outside = "../../../../../../../../etc/hostname"
    entries = {
        "file": f"configMapGenerator: [{{name: g, files: [{outside}]}}]",
        "envs": f"secretGenerator: [{{name: g, envs: [{outside}]}}]",
        "patch": f"patches: [{{path: {outside}}}]",
        "merge": f"patchesStrategicMerge: [{outside}]",
        "replacement": f"replacements: [{{path: {outside}}}]",
        "crd": f"crds: [{outside}]",
        "configuration": f"configurations: [{outside}]",
        "component": "components: [../../../../../../../../etc]",
        "openapi": f"openapi: {{path: {outside}}}",
        "transformer": f"transformers: [{outside}]"}
    app.commit({f"{name}/kustomization.yaml": f"resources: [cm.yaml]\n{entry}\n"
                for name, entry in entries.items()} |
               {f"{name}/cm.yaml": config_map(name) for name in entries})
    for name in entries:
        app.kustomization(name, path=f"./{name}", retryInterval="1h")
    hostname = open("/etc/hostname").read().strip()
    for name in entries:
        message = objects.condition(app.failed("BuildFailed", "etc", name=name))["message"]
        assert hostname not in message.replace(objects.ns, ""), name
        assert not objects.configmap(name)


def test_K28_each_way_to_a_plugin_is_closed(app, objects, directory):
    """Also where a file to be run is there."""
    def function(how):
        return f"""\
            apiVersion: example.test/v1
            kind: Plugin
            metadata:
              name: p
              annotations:
                config.kubernetes.io/function: "{how}"
            """
    ran = directory / "plugin-ran"
    plugins = {"exec": function("exec: {path: ./run}"),
               "container": function("container: {image: example.test/run}"),
               "starlark": function("starlark: {path: ./run, name: s}"),
               "go": "apiVersion: example.test/v1\nkind: Plugin\nmetadata: {name: p}\n",
               "helm": "apiVersion: builtin\nkind: HelmChartInflationGenerator\n"
                       "metadata: {name: p}\nname: c\nrepo: https://example.test\n"}
    files, wanted = {}, []
    for name, plugin in plugins.items():
        for field in ("generators", "transformers", "validators"):
            path = f"{name}-{field}"
            wanted.append(path)
            files |= {f"{path}/kustomization.yaml": f"resources: [cm.yaml]\n{field}: [p.yaml]\n",
                      f"{path}/p.yaml": plugin, f"{path}/cm.yaml": config_map(path),
                      f"{path}/run": f"#!/bin/sh\ntouch {ran}\n",
                      f"{path}/Plugin": f"#!/bin/sh\ntouch {ran}\n"}
    # A built-in one is that, whatever its annotations say.
    files |= {"own/kustomization.yaml": "resources: [cm.yaml]\ntransformers: [p.yaml]\n",
              "own/cm.yaml": config_map("own"), "own/run": f"#!/bin/sh\ntouch {ran}\n",
              "own/p.yaml": function("exec: {path: ./run}").replace("example.test/v1", "builtin").replace(
                  "kind: Plugin", "kind: PrefixTransformer") + "prefix: my-\n"
              "            fieldSpecs: [{path: metadata/name}]\n"}
    app.commit(files)
    for path in [*wanted, "own"]:
        app.kustomization(path, path=f"./{path}", retryInterval="1h")
    for path in wanted:
        app.failed("BuildFailed", "plugin", name=path)
        assert not objects.configmap(path)
    app.ready("own")
    assert objects.configmap("my-own")
    assert not ran.exists()


def test_K28_helm_and_plugins_stay_off(app, objects):
    app.commit({
        "helm/kustomization.yaml": "helmCharts: [{name: c, repo: https://example.test}]\n",
        "helm-before/kustomization.yaml": "helmChartInflationGenerator: [{chartName: c}]\n",
        "exec/kustomization.yaml": "generators: [gen.yaml]\n",
        "exec/gen.yaml": """\
            apiVersion: example.test/v1
            kind: Generator
            metadata:
              name: g
              annotations: {config.kubernetes.io/function: "exec: {path: ./run}"}
            """,
        "exec/run": "#!/bin/sh\ntouch ran\n"})
    for name, text in {"helm": "enable-helm", "helm-before": "enable-helm", "exec": "plugins disabled"}.items():
        app.kustomization(name, path=f"./{name}")
        app.failed("BuildFailed", text, name=name)
    app.commit({"ok/cm.yaml": config_map("one")})
    app.kustomization("ok", path="./ok")
    app.ready("ok")


def test_K33_no_variables_no_substitution(app, objects):
    app.commit({"cm.yaml": config_map("one", {"a": "${x:=d}"})})
    app.kustomization(postBuild={"substitute": {}})
    app.ready()
    assert objects.configmap("one")["data"] == {"a": "${x:=d}"}
    app.kustomization(postBuild={"substituteStrategy": "Always"})
    wait_until(lambda: objects.configmap("one")["data"] == {"a": "d"}, "the default")


def test_K36_K37_values_in_yaml(app, objects, api):
    app.commit({"w.yaml": f"""\
        apiVersion: {objects.ns}.example.test/v1
        kind: Widget
        metadata: {{name: w}}
        spec:
          number: "${{num}}"
          text: "${{q}}${{num}}${{q}}"
          none: "${{empty}}"
          line: "a${{nl}}b"
        """})
    install_crd(api, widget_crd(f"{objects.ns}.example.test"))
    app.kustomization(postBuild={"substitute": {"num": "1", "q": '"', "empty": "",
                                                "nl": "-\r\nkind\n-"}})
    app.ready()
    widget = api.rest.get(f"/apis/{objects.ns}.example.test/v1/namespaces/{objects.ns}/widgets/w")
    assert widget["spec"]["number"] == 1 and widget["spec"]["text"] == "1"
    assert widget["spec"].get("none") is None
    assert widget["spec"]["line"] == "a-kind-b"


def test_K39_secret_data_is_opaque(app, objects, api):
    app.commit({"s.yaml": """\
        apiVersion: v1
        kind: Secret
        metadata: {name: s}
        data: {encoded: JHt4fQ==}
        stringData: {plain: "${x}"}
        """})
    app.kustomization(postBuild={"substitute": {"x": "1", "y": "z"}})
    app.ready()
    data = api.rest.get(f"/api/v1/namespaces/{objects.ns}/secrets/s")["data"]
    assert data == {"encoded": "JHt4fQ==", "plain": "MQ=="}


def test_K23_a_tag_drops_the_digest(app, objects):
    digest = "sha256:" + "a" * 64
    app.commit({"kustomization.yaml": f"""\
                    resources: [p.yaml]
                    images:
                    - {{name: one, digest: "{digest}"}}
                    - {{name: two, newName: other, newTag: "1"}}
                    """,
                "p.yaml": """\
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: p}
                    spec: {containers: [{name: a, image: one}, {name: b, image: two}]}
                    """})
    app.kustomization(images=[{"name": "one", "newTag": "2"}, {"name": "two", "digest": digest}])
    app.ready()
    pod = objects.api.rest.get(f"/api/v1/namespaces/{objects.ns}/pods/p")
    assert [c["image"] for c in pod["spec"]["containers"]] == ["one:2", f"other@{digest}"]


def test_B104_remote_base_of_a_repository(app, objects):
    base = app.git_server.repository(f"{objects.ns}-base")
    base.commit({"base/kustomization.yaml": "resources: [cm.yaml]\n",
                 "base/cm.yaml": config_map("far"), "out/kustomization.yaml":
                 "resources: [../base/cm.yaml]\n"})
    url = app.git_server.url_of(base)
    app.commit({"kustomization.yaml": f"resources: ['{url}//base?ref=main']\nnamePrefix: p-\n"})
    app.kustomization()
    app.ready()
    assert objects.configmap("p-far")["data"] == {"k": "v"}
    app.commit({"kustomization.yaml": f"resources: ['{url}//out']\n"})
    app.failed("BuildFailed", "is not in or below")


def test_B104_credentials_of_a_remote_base_are_not_told(app, objects):
    port = app.git_server.port
    app.commit({"kustomization.yaml":
                f"resources: ['http://me:hunter2@127.0.0.1:{port}/none.git//x?ref=v']\n"})
    app.kustomization()
    app.failed("BuildFailed", f"127.0.0.1:{port}")
    app.event("none.git")
    assert "hunter2" not in str(objects.get("Kustomization", "app")["status"])
    assert "hunter2" not in str(objects.events("app"))
