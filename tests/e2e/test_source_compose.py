"""Trees that are made of several: include and submodules (S37, S43-S45)."""
import io
import tarfile

import pytest

from tests.e2e.test_source import artifact_of, fetch, names
from tests.lib.controllers import Toolkit
from tests.lib.git import git


@pytest.fixture(scope="module")
def toolkit(api, directory):
    with Toolkit(api, directory / "toolkit", source_flags=["--requeue-dependency=1h"]).run(
            "source-controller") as kit:
        yield kit


@pytest.fixture
def make(objects, git_server):
    def apply(repo, name=None, **spec):
        objects.apply("GitRepository", name or repo.name.rsplit("-", 1)[-1], {
            "url": git_server.url_of(repo), "interval": "1h", "ref": {"branch": "main"}, **spec})
    return apply


@pytest.fixture
def repos(git_server, ns):
    return lambda name: git_server.repository(f"{ns}-{name}")


def include(name, **paths):
    return {"repository": {"name": name}, **paths}


# --- include ---

def test_S43_includes_are_copied_and_followed(objects, make, repos):
    app, lib = repos("app"), repos("lib")
    app.commit({"a.yaml": "", "run.sh": "x"})
    lib.commit({"charts/one/x": "1", "charts/two/y": "1", "z": "1"})
    make(lib)
    objects.ready("GitRepository", "lib")
    make(app, include=[include("lib", fromPath="charts/one", toPath="deps/one"), include("lib")])
    first = objects.ready("GitRepository", "app")
    assert names(first) == ["a.yaml", "deps/one/x", "lib/charts/one/x", "lib/charts/two/y", "lib/z",
                            "run.sh"]
    assert [a["revision"] for a in first["status"]["includedArtifacts"]] == [
        f"main@sha1:{lib.head()}"] * 2
    assert first["status"]["observedInclude"] == first["spec"]["include"]

    lib.commit({"charts/one/x": "2"})
    objects.request("GitRepository", "lib")
    second = objects.wait("GitRepository", "app",
                          lambda o: artifact_of(o)["digest"] != artifact_of(first)["digest"],
                          "to follow its include")
    assert artifact_of(second)["revision"] == artifact_of(first)["revision"]
    make(app)
    bare = objects.wait("GitRepository", "app",
                        lambda o: "includedArtifacts" not in o["status"], "to drop its includes")
    assert names(bare) == ["a.yaml", "run.sh"]


def test_S43_an_include_is_followed_at_the_same_revision(objects, make, repos):
    app, lib = repos("app"), repos("lib")
    app.commit({"a": ""})
    lib.commit({"x": "", "y": ""})
    make(lib)
    objects.ready("GitRepository", "lib")
    make(app, include=[include("lib")])
    first = objects.ready("GitRepository", "app")
    make(lib, ignore="y")
    second = objects.wait("GitRepository", "app",
                          lambda o: artifact_of(o)["digest"] != artifact_of(first)["digest"],
                          "to follow its include")
    assert names(second) == ["a", "lib/x"]
    revisions = [o["status"]["includedArtifacts"][0]["revision"] for o in (first, second)]
    assert revisions[0] == revisions[1]


def test_S43_what_is_damaged_in_storage_is_not_included(objects, make, repos, toolkit):
    app, lib = repos("app"), repos("lib")
    app.commit({"a": ""})
    lib.commit({"x": ""})
    make(lib)
    path = toolkit.storage / artifact_of(objects.ready("GitRepository", "lib"))["path"]
    make(app)
    path.write_bytes(fetch(objects.ready("GitRepository", "app")))
    make(app, include=[include("lib")])
    obj = objects.not_ready("GitRepository", "app", "CopyFailure")
    assert "its artifact is damaged" in objects.condition(obj)["message"]
    path.unlink()
    objects.request("GitRepository", "app")
    objects.wait("GitRepository", "app",
                 lambda o: "missing in storage" in objects.condition(o)["message"], "to miss it")


def test_S43_rules_and_sparse_lists_hold_with_includes(objects, make, repos):
    app, lib = repos("app"), repos("lib")
    app.commit({"dir/sub/a": "", "dir/b.log": "", "root": ""})
    lib.commit({".sourceignore": "*.log\n", "c.txt": "", "keep.log": ""})
    make(lib, ignore="# nothing\n!keep.log")
    objects.ready("GitRepository", "lib")
    make(app, include=[include("lib", toPath="dir/lib")], sparseCheckout=["dir/sub"])
    assert names(objects.ready("GitRepository", "app")) == [
        "dir/lib/.sourceignore", "dir/lib/c.txt", "dir/sub/a"]


def test_S43_S4_modes_and_links_with_includes(objects, make, repos):
    app, lib = repos("app"), repos("lib")
    app.commit({"run.sh": "x", "dir/plain": ""})
    (app.work / "run.sh").chmod(0o755)
    (app.work / "link").symlink_to("run.sh")
    app.commit({}, "modes")
    lib.commit({"go.sh": "x"})
    (lib.work / "go.sh").chmod(0o755)
    lib.commit({}, "executable")
    make(lib)
    objects.ready("GitRepository", "lib")
    make(app, include=[include("lib")])
    data = fetch(objects.ready("GitRepository", "app"))
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        modes = {m.name: m.mode for m in tar}
    assert modes == {".": 0o750, "dir": 0o750, "dir/plain": 0o600, "lib": 0o750,
                     "lib/go.sh": 0o700, "run.sh": 0o700}


def test_S44_a_missing_include_is_awaited(objects, make, repos):
    app, lib = repos("app"), repos("lib")
    app.commit({"a": ""})
    make(app, include=[include("lib")])
    obj = objects.not_ready("GitRepository", "app", "NotFound")
    condition = objects.condition(obj, "IncludeUnavailable")
    assert condition["status"] == "True" and "'lib'" in condition["message"]
    assert obj["status"]["observedGeneration"] != obj["metadata"]["generation"]
    make(lib)  # empty: no artifact
    objects.request("GitRepository", "app")
    objects.not_ready("GitRepository", "app", "NoArtifact")
    lib.commit({"b": ""})
    objects.request("GitRepository", "lib")
    # By its watch: it would look again in an hour.
    assert names(objects.ready("GitRepository", "app")) == ["a", "lib/b"]
    assert not objects.condition(objects.get("GitRepository", "app"), "IncludeUnavailable")


@pytest.mark.parametrize("path,place", [("../x", "x"), ("/../../etc/x", "etc/x"), ("a/../../x", "x")],
                         ids=["up", "root", "inner"])
def test_S45_paths_stay_inside(objects, make, repos, path, place):
    app, lib = repos("app"), repos("lib")
    app.commit({"a": ""})
    lib.commit({"x/f": ""})
    make(lib)
    objects.ready("GitRepository", "lib")
    make(app, include=[include("lib", fromPath="../x", toPath=path)])
    assert names(objects.ready("GitRepository", "app")) == sorted(["a", f"{place}/f"])


@pytest.mark.parametrize("paths", [{"toPath": "taken"}, {"fromPath": "nowhere"}, {"toPath": "."},
                                   {"toPath": "taken/f/below"},
                                   {"fromPath": "x", "toPath": "taken"}],
                         ids=["taken", "nowhere", "root", "file", "over"])
def test_S43_what_cannot_be_copied_fails(objects, make, repos, paths):
    app, lib = repos("app"), repos("lib")
    app.commit({"taken/f": ""})
    lib.commit({"x": ""})
    make(lib)
    objects.ready("GitRepository", "lib")
    make(app, include=[include("lib", **paths)])
    obj = objects.not_ready("GitRepository", "app", "CopyFailure")
    assert objects.condition(obj, "StorageOperationFailed")["reason"] == "CopyFailure"


def test_S43_a_file_takes_the_place_of_a_file(objects, make, repos):
    app, lib = repos("app"), repos("lib")
    app.commit({"d/taken": "app"})
    lib.commit({"x": "lib"})
    make(lib)
    objects.ready("GitRepository", "lib")
    make(app, include=[include("lib", fromPath="x", toPath="d/taken")])
    obj = objects.ready("GitRepository", "app")
    with tarfile.open(fileobj=io.BytesIO(fetch(obj)), mode="r:gz") as tar:
        assert tar.extractfile("d/taken").read() == b"lib"


# --- submodules ---

def add_module(repo, url, path):
    git(repo.work, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet",
        "--name", path, url, path)


def test_S37_submodules_only_when_asked(objects, make, repos, git_server):
    app, lib, leaf = repos("app"), repos("lib"), repos("leaf")
    leaf.commit({"leaf.txt": "1"})
    lib.commit({"lib.txt": "1"})
    add_module(lib, git_server.url_of(leaf), "nested")
    lib.commit({}, "nested")
    app.commit({"a": "", "zz": ""})
    add_module(app, git_server.url_of(lib), "mods/lib")
    git(app.work, "config", "-f", ".gitmodules", "submodule.mods/lib.url", f"../{lib.name}.git")
    head = app.commit({}, "module")
    make(app)
    first = objects.ready("GitRepository", "app", revision=head)
    assert names(first) == ["a", "zz"]
    make(app, recurseSubmodules=True)
    second = objects.wait("GitRepository", "app",
                          lambda o: o["status"].get("observedRecurseSubmodules"), "submodules")
    assert names(second) == ["a", "mods/lib/lib.txt", "mods/lib/nested/leaf.txt", "zz"]
    make(app, recurseSubmodules=False)
    third = objects.wait("GitRepository", "app",
                         lambda o: "observedRecurseSubmodules" not in o["status"], "none")
    assert artifact_of(third)["digest"] == artifact_of(first)["digest"]


def test_S37_what_gitmodules_does_not_name_stays_away(objects, make, repos):
    app = repos("app")
    first = app.commit({"a": ""})
    git(app.work, "update-index", "--add", "--cacheinfo", f"160000,{first},orphan")
    git(app.work, "commit", "--quiet", "-m", "a link without a URL")
    app.push()
    make(app, recurseSubmodules=True)
    assert names(objects.ready("GitRepository", "app", revision=app.head())) == ["a"]


@pytest.mark.parametrize("url,path,says", [
    ("ext::sh -c touch% /tmp/pwned", "m", "unsafe URL"),
    ("--upload-pack=touch /tmp/pwned", "m", "unsafe URL"),
    ("file:///etc", "m", "not a URL"),
    ("../x.git", "../m", "submodule with the path")],
    ids=["ext", "option", "file", "path"])
def test_S37_hostile_submodules_fail(objects, make, repos, url, path, says):
    app = repos("app")
    app.commit({"a": ""})
    git(app.work, "update-index", "--add", "--cacheinfo", f"160000,{app.head()},m")
    git(app.work, "config", "-f", ".gitmodules", "submodule.m.path", path)
    git(app.work, "config", "-f", ".gitmodules", "submodule.m.url", url)
    git(app.work, "add", ".gitmodules")
    git(app.work, "commit", "--quiet", "-m", "hostile")
    app.push()
    make(app, recurseSubmodules=True)
    obj = objects.not_ready("GitRepository", "app", "GitOperationFailed")
    assert says in objects.condition(obj)["message"]


def test_S37_a_submodule_of_itself_ends(objects, make, repos):
    app = repos("app")
    first = app.commit({"a": ""})
    for _ in range(12):
        git(app.work, "update-index", "--add", "--cacheinfo", f"160000,{first},m")
        git(app.work, "config", "-f", ".gitmodules", "submodule.m.path", "m")
        git(app.work, "config", "-f", ".gitmodules", "submodule.m.url", f"../{app.name}.git")
        git(app.work, "add", ".gitmodules")
        git(app.work, "commit", "--quiet", "-m", "deeper")
        app.push()
        first = app.head()
    make(app, recurseSubmodules=True)
    obj = objects.not_ready("GitRepository", "app", "GitOperationFailed")
    assert "deeper than 10" in objects.condition(obj)["message"]


def with_links(repo, commit, count, url):
    """A commit of `repo` with that many submodules m0, m1 ..., each at `commit` of `url`."""
    lines = "".join(f"160000 {commit}\tm{i}\n" for i in range(count))
    git(repo.work, "update-index", "--index-info", stdin=lines)
    if url:
        (repo.work / ".gitmodules").write_text("".join(
            f'[submodule "m{i}"]\n\tpath = m{i}\n\turl = {url}\n' for i in range(count)))
        git(repo.work, "add", ".gitmodules")
    git(repo.work, "commit", "--quiet", "-m", "links")
    repo.push()
    return repo.head()


def test_S37_so_many_submodules_and_no_more(objects, make, repos):
    """200 of one tree are looked at, named by .gitmodules or not."""
    app = repos("app")
    first = app.commit({"a": ""})
    head = with_links(app, first, 200, None)
    make(app, recurseSubmodules=True)
    objects.ready("GitRepository", "app", revision=head)
    with_links(app, first, 201, None)
    objects.request("GitRepository", "app")
    obj = objects.not_ready("GitRepository", "app", "GitOperationFailed")
    assert "more than 200 submodules" in objects.condition(obj)["message"]


def test_S37_submodules_of_submodules_count_too(objects, make, repos, git_server):
    app, lib, leaf = repos("app"), repos("lib"), repos("leaf")
    nested = with_links(lib, leaf.commit({"x": ""}), 81, git_server.url_of(leaf))
    with_links(app, nested, 120, git_server.url_of(lib))
    make(app, recurseSubmodules=True)
    obj = objects.not_ready("GitRepository", "app", "GitOperationFailed")
    assert "more than 200" in objects.condition(obj)["message"]
    asked = (git_server.dir / "access.log").read_text()
    assert f"/{leaf.name}.git" not in asked, "it is counted before it is fetched"
