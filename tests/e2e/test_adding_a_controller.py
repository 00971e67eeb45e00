"""docs/adding-a-controller.md is true: its files are taken out of the page, built and run."""
import os
import pathlib
import re
import shutil
import subprocess

from tests.lib.apps import widget_crd
from tests.lib.controllers import Controller
from tests.lib.net import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adding-a-controller.md"
GROUP = "example.toolkit.fluxcd.io"


def files_of_page():
    """name -> text: a heading names the files of the code blocks below it, in their order."""
    files = {}
    for section in PAGE.read_text().split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        names = re.findall(r"`([\w./-]+)`", heading)
        blocks = re.findall(r"```\w+\n(.*?)```", body, re.S)
        assert len(names) == len(blocks), heading
        files.update(zip(names, blocks))
    return files


def build_with(files, tree):
    """The program, from a copy of what it is built of, under the options of the build under test."""
    for part in ("common", "meson.build", "meson_options.txt"):
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tree / part)
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    meson = (tree / "meson.build").read_text()
    others = re.sub(r"subdir\('(?!common)[\w/-]+'\)", "", meson)
    (tree / "meson.build").write_text(others.replace(
        "subdir('common')", "subdir('common')\nsubdir('widget-controller')"))
    for command in (["meson", "setup", "build", "-Dtests=false", "-Dwerror=true",
                     "-Dbuildtype=debug"],
                    ["ninja", "-C", "build", "widget-controller/widget-controller"]):
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False,
                              env={**os.environ, "CCACHE_NOHASHDIR": "1",
                                   "CCACHE_BASEDIR": str(tree)})
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return tree / "build"


def test_the_page_on_adding_a_controller(api, ns, directory, monkeypatch):
    files = files_of_page()
    assert sum(bool(line.strip()) for text in files.values() for line in text.splitlines()) < 60
    tree = directory / "tree"
    tree.mkdir()
    monkeypatch.setenv("SLUICE_BUILD", str(build_with(files, tree)))
    api.install_crds(widget_crd(GROUP))
    widgets = f"/apis/{GROUP}/v1/namespaces/{ns}/widgets"
    api.rest.apply({"apiVersion": f"{GROUP}/v1", "kind": "Widget",
                    "metadata": {"name": "w", "namespace": ns}, "spec": {"text": "hello"}})
    controller = Controller("widget-controller", api, directory).wait_until_ready()

    def ready(message):
        status = api.rest.get(f"{widgets}/w").get("status", {})
        return any(c["type"] == "Ready" and c["message"] == message
                   for c in status.get("conditions", []))
    try:
        wait_until(lambda: ready('holds "hello"'), "Ready")
        path = f"/api/v1/namespaces/{ns}/configmaps/w"
        assert api.rest.get(path)["data"] == {"text": "hello"}
        assert api.rest.call("PATCH", f"{widgets}/w", {"spec": {"text": "bye"}},
                             "application/merge-patch+json")[0] == 200
        wait_until(lambda: ready('holds "bye"'), "the change")
        assert api.rest.get(path)["data"] == {"text": "bye"}
        assert 'controller="widget"' in controller.metrics()
    finally:
        assert controller.stop() == 0
