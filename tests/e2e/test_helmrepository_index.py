"""Which archive a HelmChart is, of indexes that are not as usual: the one that the real helm pulls."""
import json

import pytest

from tests.lib.charts import ChartServer, chart_files, tgz
from tests.lib.helmcharts import chart, fetch, helm, toolkit  # noqa: F401 - fixtures

ARCHIVES = ("a", "b", "c")


def entry(version="1.0.0", url="a.tgz", **more):
    return {"name": "demo", "version": version, "apiVersion": "v2", "urls": [url], **more}


def index(*entries, **more):
    return {"apiVersion": "v1", "entries": {"demo": list(entries), **more}}


# The index and the version that is asked for; {elsewhere} is another server's URL.
INDEXES = {
    "one version twice": (index(entry(url="b.tgz"), entry(url="a.tgz")), "1.0.0"),
    "one version twice, a range": (index(entry(url="b.tgz"), entry(url="a.tgz")), ">=1.0.0"),
    "two URLs": (index(entry(urls=["c.tgz", "a.tgz"])), "1.0.0"),
    "no digest": (index(entry(), entry("2.0.0", "b.tgz")), "1.0.0"),
    "an old digest": (index(entry(digest="0" * 64)), "1.0.0"),
    "a query": (index(entry(url="b.tgz?token=x")), "1.0.0"),
    "a query, absolute": (index(entry(url="{here}/c.tgz?token=x#y")), "1.0.0"),
    "below": (index(entry(url="below/a.tgz")), "1.0.0"),
    "an escaped name": (index(entry(url="with%20blank.tgz")), "1.0.0"),
    "a blank": (index(entry(url="with blank.tgz")), "1.0.0"),
    "a blank, absolute": (index(entry(url="{here}/with blank.tgz?token=x")), "1.0.0"),
    "letters of other scripts": (index(entry(url="na\u00efve^{1}.tgz")), "1.0.0"),
    "elsewhere": (index(entry(url="{elsewhere}/b.tgz")), "1.0.0"),
    "no scheme": (index(entry(url="//{elsewhere_host}/b.tgz")), "1.0.0"),
    "no entries": ({"apiVersion": "v1", "entries": None}, "1.0.0"),
    "no versions": (index(none=None), "1.0.0"),
    "null among them": (index(None, entry(url="b.tgz")), "1.0.0"),
    "of no name": (index({**entry(url="b.tgz"), "name": ""}), "1.0.0"),
    "no apiVersion": ({"entries": {"demo": [entry()]}}, "1.0.0"),
    "a chart without apiVersion": (index({**entry(), "apiVersion": ""}), "1.0.0"),
    "fields of tomorrow": ({**index(entry(surprise=1)), "surprise": {"a": 1}}, "1.0.0"),
    "a release candidate": (index(entry("2.0.0-rc.1", "b.tgz"), entry()), ">=1.0.0"),
    "a release candidate alone": (index(entry("2.0.0-rc.1", "b.tgz")), ">=2.0.0-0"),
    "build metadata": (index(entry("1.0.0+b", "b.tgz"), entry("1.0.0+a")), "1.0.0+a"),
    "with a v": (index(entry("v1.0.0", "c.tgz")), "1.0.0"),
    "asked for with a v": (index(entry("1.0.0", "c.tgz")), "v1.0.0"),
    "deprecated": (index(entry(deprecated=True), entry("0.9.0", "b.tgz")), ">=0.1.0"),
    "removed": (index(entry(removed=True)), "1.0.0"),
    "under another's name": (index(entry("1.0.0", "c.tgz", name="other")), "1.0.0"),
}


@pytest.fixture
def servers(toolkit):
    """(the repository's, another)"""
    files = {f"{name}.tgz": tgz(chart_files(values=f"color: {name}\n")) for name in ARCHIVES}
    for path, name in (("below/a.tgz", "a.tgz"), ("with%20blank.tgz", "b.tgz"),
                       ("na%C3%AFve%5E%7B1%7D.tgz", "c.tgz")):
        files[path] = files[name]
    made = [ChartServer(files), ChartServer(files)]
    yield made
    for server in made:
        server.stop()


def pulled_by_helm(helm, url, version, directory):
    """The bytes, or None."""
    directory.mkdir()
    done = helm.run("pull", "demo", "--repo", url, "--version", version, "-d", directory, ok=False)
    found = [path.read_bytes() for path in directory.glob("*.tgz")]
    assert (done.returncode == 0) == (len(found) == 1), done.stderr
    return found[0] if found else None


def judged(objects, kind, name, *passing):
    """Once it is Ready or not; not for reasons that pass."""
    return objects.wait(kind, name, lambda o: objects.condition(o).get("status") in (
        "True", "False") and objects.condition(o)["reason"] not in passing, "to be judged")


@pytest.mark.parametrize("how", INDEXES)
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_S61_S68_the_archive_that_helm_pulls(objects, servers, helm, directory, ns, how, form):
    here, elsewhere = servers
    made, version = INDEXES[how]
    text = json.dumps(made)
    for name, value in (("{here}", here.url), ("{elsewhere}", elsewhere.url),
                        ("{elsewhere_host}", elsewhere.url.removeprefix("http://"))):
        text = text.replace(name, value)
    # A comment makes it YAML, which is read more strictly.
    here.files["index.yaml"] = (text + ("\n# yaml\n" if form == "yaml" else "\n")).encode()
    theirs = pulled_by_helm(helm, here.url, version, directory / f"{ns}-pulled")
    objects.apply("HelmRepository", "repo", {"url": here.url, "interval": "1h"})
    is_indexed = objects.condition(judged(objects, "HelmRepository", "repo"))["status"] == "True"
    chart(objects, version=version)
    obj = judged(objects, "HelmChart", "chart", *(["NoSourceArtifact"] if is_indexed else []))
    ours = fetch(obj) if objects.condition(obj)["status"] == "True" else None
    assert ours == theirs, objects.condition(obj)
