"""HelmCharts with dependencies of the tree, of repositories and of registries; both API servers."""
import json

import pytest

from tests.conftest import Objects
from tests.lib.alerts import secret  # noqa: F401 - a fixture
from tests.lib.charts import ChartRepository, chart_files, untgz, write
from tests.lib.helmcharts import (  # noqa: F401 - fixtures
    below, built, fetch, git_chart, helm, message, parent, push, refresh_index, repository,
    source, toolkit)
from tests.lib.planted import planted
from tests.lib.registry import registry  # noqa: F401 - a fixture


def test_S74_dependencies_of_the_tree_and_of_repositories(objects, source, repository, registry,
                                                          helm, directory, ns, secret):
    word = planted("dependency")
    closed = ChartRepository(directory / f"{ns}-closed", helm, auth=("ann", word))
    closed.publish(chart_files("closed", "0.2.0"), chart_files("closed", "0.3.0"))
    secret("login", username="ann", password=word)
    objects.apply("HelmRepository", "closed", {"url": closed.url + "/", "interval": "1h",
                                               "secretRef": {"name": "login"}})
    objects.ready("HelmRepository", "closed")
    push(helm, registry, directory, ns, chart_files("pushed", "2.0.0"))
    source({**below("apps/parent", parent(
        {"name": "local", "version": "^1.0.0", "repository": "file://../../shared/local"},
        {"name": "bundled", "version": "*", "repository": ""},
        {"name": "demo", "version": ">=1", "repository": repository.url},
        {"name": "closed", "version": "0.2.x", "repository": closed.url, "alias": "renamed"},
        {"name": "pushed", "version": "2.0.0", "repository": f"oci://{registry.host}/{ns}"})),
        **below("shared/local", chart_files("local", "1.2.0")),
        **below("apps/parent/charts/bundled", chart_files("bundled", "0.1.0"))})
    git_chart(objects, "apps/parent")
    obj = objects.ready("HelmChart", "chart")
    names = {n.split("/")[1] for n in built(obj) if n.startswith("charts/")}
    assert names == {"local", "bundled", "demo", "renamed", "pushed"}
    assert "version: 0.2.0" in built(obj)["charts/renamed/Chart.yaml"]
    # The HelmRepository's stored index was used, with its credentials for the chart.
    assert closed.count("index.yaml") == 1
    assert closed.requests[-1] == ("closed-0.2.0.tgz", closed.wanted())
    before = len(repository.requests) + len(closed.requests)
    head = source({"unrelated.txt": "x"})
    objects.wait("HelmChart", "chart", lambda o: head in o["status"]["observedSourceArtifactRevision"],
                 "to have seen it")
    assert len(repository.requests) + len(closed.requests) == before
    closed.stop()


def test_S74_the_lock_pins_as_helm_does(objects, source, repository, helm, directory, ns):
    repository.publish(chart_files(version="1.5.0"))
    files = parent({"name": "demo", "version": ">=1", "repository": repository.url})
    work = write(directory / ns / "work", files)
    helm.run("dependency", "update", work)
    lock = (work / "Chart.lock").read_text()
    assert "version: 1.5.0" in lock
    repository.publish(chart_files(version="1.6.0"))
    refresh_index(objects)
    source(below("parent", {**files, "Chart.lock": lock}))
    git_chart(objects, "parent")
    obj = objects.ready("HelmChart", "chart")
    theirs = untgz(helm.package(work, directory).read_bytes())
    assert untgz(fetch(obj)) == theirs
    assert built(obj)["Chart.lock"] == lock


def on(name, version=">=1", **more):
    return {"name": name, "version": version, "repository": "REPO", **more}


# What Chart.yaml asks for, and the values that decide over it.
BUILT = {
    "one alias": ([on("demo", alias="one")], "one: {color: blue}\n"),
    "two aliases": ([on("demo", alias="one"), on("demo", alias="two")], "two: {color: blue}\n"),
    "itself and an alias": ([on("demo"), on("demo", alias="two")], "demo: {color: blue}\n"),
    "a condition": ([on("demo", condition="demo.enabled"), on("other", condition="other.enabled")],
                    "demo: {enabled: false}\nother: {enabled: true}\n"),
    "a condition of an alias": ([on("demo", alias="one", condition="one.enabled")],
                                "one: {enabled: false}\n"),
    "tags": ([on("demo", tags=["front"]), on("other", tags=["back"])], "tags: {front: false}\n"),
    "imported values": ([{**on("other"), "import-values": [{"child": "data", "parent": "taken"}]}], ""),
    "of the tree": ([{**on("local", "^1.0.0"), "repository": "file://../shared/local"}],
                    "local: {color: green}\n"),
    "of the tree, by an alias": ([{**on("local", "^1.0.0", alias="near"),
                                   "repository": "file://../shared/local"}], "near: {color: green}\n"),
}


# Without a lock file what has an alias is there by that name, which the command does not look for.
@pytest.mark.parametrize("how, locked", [(how, locked) for how, (wanted, _) in BUILT.items()
                                         for locked in (False, True)
                                         if locked or not any("alias" in d for d in wanted)])
def test_S74_dependencies_render_as_helm_builds_them(objects, source, repository, helm, directory, ns,
                                                     how, locked):
    repository.publish(chart_files(version="1.5.0"), chart_files(
        "other", values="color: red\ndata: {a: 1}\n"))
    refresh_index(objects)
    wanted, values = BUILT[how]
    wanted = json.loads(json.dumps(wanted).replace("REPO", repository.url))
    shared = chart_files("local", "1.2.0")
    files = {**parent(*wanted), "values.yaml": values, "templates/taken.yaml":
             "kind: Taken\napiVersion: v1\ndata: {{ toJson .Values.taken }}\n"}
    work = write(directory / ns / "work", {**below("parent", files), **below("shared/local", shared)})
    helm.run("dependency", "update", work / "parent")
    theirs = helm.render(work / "parent")
    if locked:
        files["Chart.lock"] = (work / "parent/Chart.lock").read_text()
    source({**below("parent", files), **below("shared/local", shared)})
    git_chart(objects, "parent")
    built_chart = directory / ns / "built.tgz"
    built_chart.write_bytes(fetch(objects.ready("HelmChart", "chart")))
    assert helm.render(built_chart) == theirs


@pytest.mark.parametrize("locked", [False, True], ids=["open", "locked"])
def test_S74_two_versions_of_one_chart(objects, source, repository, helm, directory, ns, locked):
    repository.publish(chart_files(version="1.5.0"))
    refresh_index(objects)
    files = parent(*({"name": "demo", "version": version, "repository": repository.url, "alias": alias}
                     for version, alias in (("1.0.0", "one"), ("1.5.0", "two"))))
    if locked:
        work = write(directory / ns / "work", files)
        helm.run("dependency", "update", work)
        files["Chart.lock"] = (work / "Chart.lock").read_text()
    source(below("parent", files))
    git_chart(objects, "parent")
    made = built(objects.ready("HelmChart", "chart"))
    assert "version: 1.0.0" in made["charts/one/Chart.yaml"]
    assert "version: 1.5.0" in made["charts/two/Chart.yaml"]


@pytest.mark.parametrize("dependency, text", [
    ({"repository": "file://../../../../etc"}, "failed to add local dependency 'demo': no chart "
     "found at '/etc' (reference 'file://../../../../etc')"),
    ({"repository": "file://../sibling"}, "can't get a valid version for constraint '9.9.9'"),
    ({"repository": ""}, "failed to add local dependency 'demo': no chart found at "
     "'/parent/charts/demo' (reference '')"),
    ({"repository": "@stable"}, "failed to add remote dependency 'demo': aliased repository "
     "dependency is not supported: @stable"),
    ({"repository": "alias:stable"}, "invalid dependency repository URL: alias:stable"),
    ({"repository": "http://127.0.0.1:1"}, "failed to get chart 'demo' version '9.9.9' from "
     "'http://127.0.0.1:1': failed to cache index: "),
    ({"repository": "REPO"}, "no 'demo' chart with version matching '9.9.9' found"),
], ids=["escape", "version", "charts", "alias", "scheme", "refused", "absent"])
def test_S74_dependencies_that_fail(objects, source, repository, dependency, text):
    given = {"name": "demo", "version": "9.9.9", **dependency}
    given["repository"] = given["repository"].replace("REPO", repository.url)
    source({**below("parent", parent(given)), **below("sibling", chart_files())})
    git_chart(objects, "parent")
    said = message(objects, "DependencyBuildError", condition="BuildFailed")
    assert said.startswith("dependency build error: ") and text in said


def test_S74_repositories_of_other_namespaces_lend_nothing(objects, api, source, helm, directory,
                                                           ns):
    word = planted("neighbour")
    closed = ChartRepository(directory / f"{ns}-closed", helm, auth=("ann", word))
    closed.publish(chart_files("closed", "0.2.0"))
    api.create_namespace(f"{ns}-b")
    elsewhere = Objects(api, f"{ns}-b")
    api.apply({"apiVersion": "v1", "kind": "Secret",
               "metadata": {"name": "login", "namespace": f"{ns}-b"},
               "stringData": {"username": "ann", "password": word}})
    elsewhere.apply("HelmRepository", "closed", {"url": closed.url, "interval": "1h",
                                                 "secretRef": {"name": "login"}})
    elsewhere.ready("HelmRepository", "closed")
    asked = len(closed.requests)
    source(below("parent", parent({"name": "closed", "version": "0.2.0",
                                   "repository": closed.url})))
    git_chart(objects, "parent")
    said = message(objects, "DependencyBuildError", condition="BuildFailed")
    assert "401" in said
    assert {login for _, login in closed.requests[asked:]} == {None}
    closed.stop()
    elsewhere.delete("HelmRepository", "closed")
