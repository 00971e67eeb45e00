"""GitRepository end to end: real Git over HTTP, real artifacts, both API servers."""
import gzip
import io
import json
import os
import pathlib
import subprocess
import tarfile

import pytest

from tests.lib.artifact import fetch, names
from tests.lib.git import git
from tests.lib.net import http, wait_until


@pytest.fixture
def repo(git_server, ns):
    return git_server.repository(ns)


@pytest.fixture
def source(objects, git_server, repo):
    """Applies a GitRepository for the test's repository; returns nothing."""
    def make(name="src", ref=None, **spec):
        objects.apply("GitRepository", name, {
            "url": git_server.url_of(repo), "interval": "1h", "ref": {"branch": "main"} if ref is None else ref,
            **spec})
    return make


def artifact_of(obj):
    return obj["status"]["artifact"]


def await_event(objects, reason, message):
    wait_until(lambda: ("Normal", reason, message) in objects.events("src"), f"the event {reason}")


def test_S2_S3_S4_artifact_file_url_and_entries(objects, source, repo, toolkit):
    repo.commit({"a.yaml": "x: 1\n", "dir/run.sh": "#!/bin/sh\n", "dir/b.yaml": "y"})
    (repo.work / "dir/run.sh").chmod(0o755)
    head = repo.commit({}, "executable")
    source()
    obj = objects.ready("GitRepository", "src", revision=head)
    artifact = artifact_of(obj)
    assert artifact["revision"] == f"main@sha1:{head}"
    assert artifact["path"] == f"gitrepository/{objects.ns}/src/{head}.tar.gz"
    data = fetch(obj)
    assert (toolkit.storage / artifact["path"]).read_bytes() == data
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        members = {m.name: m for m in tar}
    assert list(members)[0] == "."
    assert all(m.mtime == 0 and m.uid == 0 and m.gid == 0 for m in members.values())
    assert members["dir"].mode == 0o750 and members["a.yaml"].mode == 0o600
    assert members["dir/run.sh"].mode == 0o700
    assert data[4:8] == b"\0\0\0\0", "no time in the gzip header"
    assert gzip.decompress(data)
    base = artifact["url"].rsplit("/", 1)[0]
    assert http("GET", base + "/nothing.tar.gz")[0] == 404
    status, _, part = http("GET", artifact["url"], headers={"Range": "bytes=0-9"})
    assert status == 206 and part == data[:10]


def test_S2_equal_content_gives_an_equal_digest(objects, source, repo):
    repo.commit({"a": "1", "b/c": "2"})
    source()
    first = artifact_of(objects.ready("GitRepository", "src"))
    head = repo.commit({}, "the same tree again")
    objects.request("GitRepository", "src")
    second = artifact_of(objects.ready("GitRepository", "src", revision=head))
    assert first["revision"] != second["revision"] and first["digest"] == second["digest"]


def test_S5_default_exclusions(objects, source, repo):
    repo.commit({"a.yaml": "", "pic.png": "", ".github/x.yml": "", "deep/.sops.yaml": "",
                 ".gitignore": "", "keep/file.txt": ""})
    source()
    assert names(objects.ready("GitRepository", "src")) == ["a.yaml", "keep/file.txt"]


def test_S6_S7_S8_ignore_rules(objects, source, repo):
    repo.commit({".sourceignore": "/out\n", "pic.png": "", "out/x": "", "out/keep": "",
                 "sub/.sourceignore": "*.log\n", "sub/a.log": "", "a.log": "", ".gitignore": ""})
    source(ignore="!/out/keep\n")
    got = names(objects.ready("GitRepository", "src"))
    assert got == [".sourceignore", "a.log", "out/keep", "pic.png", "sub/.sourceignore"]


def test_S9_changed_ignore_rebuilds_at_the_same_revision(objects, source, repo):
    head = repo.commit({"a.txt": "", "b.txt": ""})
    source()
    objects.ready("GitRepository", "src")
    source(ignore="a.txt\n")
    obj = objects.wait("GitRepository", "src",
                       lambda o: o["status"].get("observedIgnore") == "a.txt\n", "observed ignore")
    assert names(obj) == ["b.txt"] and head in artifact_of(obj)["revision"]


def test_S11_retention(objects, source, repo, toolkit):
    source()
    folder = toolkit.storage / "gitrepository" / objects.ns / "src"
    for i in range(4):
        head = repo.commit({"n": str(i)})
        objects.request("GitRepository", "src", str(i))
        objects.ready("GitRepository", "src", revision=head)
    objects.request("GitRepository", "src", "last")
    wait_until(lambda: len(list(folder.glob("*.tar.gz"))) <= 2, "old artifacts to go")
    wait_until(lambda: [e for e in objects.events("src") if e[1] == "GarbageCollectionSucceeded"
                        and e[2].startswith("garbage collected ")], "the event")
    current = folder / f"{head}.tar.gz"
    assert current.exists()
    # It stays however old it is, and whatever younger ones there are.
    for name in ("one", "two", "three"):
        (folder / f"{name}.tar.gz").write_bytes(b"younger")
    os.utime(current, (0, 0))
    objects.request("GitRepository", "src", "old")
    wait_until(lambda: len(list(folder.glob("*.tar.gz"))) == 2, "the surplus to go")
    assert current.exists()


def test_S12_a_missing_artifact_is_rebuilt(objects, source, repo, toolkit, api, tmp_path):
    repo.commit({"a": "1"})
    source()
    artifact = artifact_of(objects.ready("GitRepository", "src"))
    path = toolkit.storage / artifact["path"]
    history = History(api, objects, "src", tmp_path / "history")
    try:
        wait_until(history.states, "the first state")
        path.unlink()
        objects.request("GitRepository", "src", "1")
        wait_until(path.exists, "the rebuilt file")
        healed = objects.wait("GitRepository", "src", lambda o: "artifact" in o["status"] and
                              o["status"].get("lastHandledReconcileAt") == "1" and
                              objects.condition(o)["status"] == "True", "to be ready again")
        version = healed["metadata"]["resourceVersion"]
        wait_until(lambda: history.states()[-1]["metadata"]["resourceVersion"] == version,
                   "the last state")
    finally:
        history.stop()
    lost = [o for o in history.states() if "artifact" not in o["status"]]
    assert lost and all(objects.condition(o)["status"] == "Unknown" for o in lost)
    assert "disappeared from storage" in objects.condition(lost[0])["message"]
    assert not [o for o in lost if objects.condition(o, "ArtifactInStorage")]
    assert not [r for _, r, _ in objects.events("src") if r == "ArtifactVerificationFailed"]


def test_S13_a_damaged_artifact_is_rebuilt(objects, source, repo, toolkit):
    repo.commit({"a": "1"})
    source()
    path = toolkit.storage / artifact_of(objects.ready("GitRepository", "src"))["path"]
    good = path.read_bytes()
    path.write_bytes(b"damaged")
    objects.request("GitRepository", "src", "2")
    wait_until(lambda: path.exists() and path.read_bytes() == good, "the repaired file")
    objects.ready("GitRepository", "src")
    # Also where another file takes its place.
    path.write_bytes(b"damaged")
    head = repo.commit({"a": "2"})
    objects.request("GitRepository", "src", "3")
    objects.ready("GitRepository", "src", revision=head)
    assert not path.exists()
    wait_until(lambda: any((k, r) == ("Warning", "ArtifactVerificationFailed")
                           for k, r, _ in objects.events("src")), "the event")


def test_S16_deletion_removes_the_directory(objects, source, repo, toolkit):
    repo.commit({"a": "1"})
    source()
    objects.ready("GitRepository", "src")
    folder = toolkit.storage / "gitrepository" / objects.ns / "src"
    assert folder.exists()
    objects.delete("GitRepository", "src")
    objects.gone("GitRepository", "src")
    assert not folder.exists()


def test_S20_no_ref_is_master(objects, source, repo):
    head = repo.commit({"a": "1"})
    repo.push("HEAD:refs/heads/master")
    source(ref={})
    obj = objects.ready("GitRepository", "src")
    assert artifact_of(obj)["revision"] == f"master@sha1:{head}"


def test_S20_S23_what_references_are_called_is_told(objects, source, repo):
    """The usual mistakes: the branch is main, and nothing names it; a branch where a full name goes."""
    repo.commit({"a": "1"})
    for name, ref, says in (
            ("none", {}, '"refs/heads/master": spec.ref names no branch, so it is master'),
            ("branch", {"branch": "mian"}, '"refs/heads/mian"'),
            ("short", {"name": "main"}, '"main": a name is a whole one, as refs/heads/main is')):
        source(name, ref=ref)
        obj = objects.not_ready("GitRepository", name, "GitOperationFailed")
        assert objects.condition(obj)["message"].endswith(f"couldn't find remote ref {says}")


def test_S20_slashes_in_branch_names_stay(objects, source, repo):
    head = repo.commit({"a": "1"})
    repo.push("HEAD:refs/heads/feature/x")
    source(ref={"branch": "feature/x"})
    obj = objects.ready("GitRepository", "src")
    assert artifact_of(obj)["revision"] == f"feature/x@sha1:{head}"


@pytest.mark.parametrize("annotated", [False, True])
def test_S21_tags_give_the_commit(objects, source, repo, annotated):
    head = repo.commit({"a": "1"})
    repo.tag("v1", annotated)
    source(ref={"tag": "v1"})
    obj = objects.ready("GitRepository", "src")
    assert artifact_of(obj)["revision"] == f"v1@sha1:{head}"


def test_S22_semver(objects, source, repo):
    for version in ("1.0.0", "v1.2.0", "1.3.0-rc.1", "2.0.0", "not-semver", "1.9"):
        head = repo.commit({"v": version})
        repo.tag(version)
        if version == "v1.2.0":
            want = head
    source(ref={"semver": "1.x"})
    obj = objects.ready("GitRepository", "src")
    assert artifact_of(obj)["revision"] == f"v1.2.0@sha1:{want}"
    source("none", ref={"semver": ">=9"})
    failed = objects.not_ready("GitRepository", "none", "GitOperationFailed")
    assert "no match found for semver" in objects.condition(failed)["message"]


def test_S22_of_equal_versions_the_youngest_commit_wins(objects, source, repo):
    for name, day in (("1.0.0+b", 3), ("1.0.0+a", 5), ("v1.0.0", 4)):
        date = f"2026-01-0{day}T00:00:00Z"
        git(repo.work, "commit", "--quiet", "--allow-empty", "-m", name, "--date", date,
            env={"GIT_COMMITTER_DATE": date})
        git(repo.work, "tag", name)
        repo.push(f"refs/tags/{name}")
    source(ref={"semver": "1.x"})
    obj = objects.ready("GitRepository", "src")
    assert artifact_of(obj)["revision"].startswith("1.0.0+a@sha1:")


def test_S22_of_equal_versions_of_one_time_the_last_wins(objects, source, repo):
    """More of them than are looked at."""
    head = repo.commit({"a": "1"})
    for i in range(24):
        git(repo.bare, "tag", f"1.0.0+{i:02}", head)
    source(ref={"semver": "1.x"})
    obj = objects.ready("GitRepository", "src")
    assert artifact_of(obj)["revision"] == f"1.0.0+23@sha1:{head}"


def test_S23_a_peeled_tag_by_its_full_name(objects, source, repo):
    head = repo.commit({"a": "1"})
    repo.tag("v1", annotated=True)
    source(ref={"name": "refs/tags/v1^{}"})
    obj = objects.ready("GitRepository", "src", revision=head)
    assert artifact_of(obj)["revision"] == f"refs/tags/v1^{{}}@sha1:{head}"
    source("branch", ref={"name": "refs/heads/main^{}"})
    failed = objects.not_ready("GitRepository", "branch", "GitOperationFailed")
    assert "refs/heads/main^{}" in objects.condition(failed)["message"]


def test_S23_full_reference_names(objects, source, repo):
    head = repo.commit({"a": "1"})
    repo.push("HEAD:refs/pull/7/head")
    source(ref={"name": "refs/pull/7/head"})
    obj = objects.ready("GitRepository", "src")
    assert artifact_of(obj)["revision"] == f"refs/pull/7/head@sha1:{head}"


def test_S24_commits(objects, source, repo):
    old = repo.commit({"a": "1"})
    repo.commit({"a": "2"})
    source("alone", ref={"commit": old})
    source("onbranch", ref={"commit": old, "branch": "main"})
    assert artifact_of(objects.ready("GitRepository", "alone"))["revision"] == f"sha1:{old}"
    assert artifact_of(objects.ready("GitRepository", "onbranch"))["revision"] == \
        f"main@sha1:{old}"
    source("upper", ref={"commit": old.upper()})
    assert artifact_of(objects.ready("GitRepository", "upper"))["revision"] == f"sha1:{old}"


def test_S24_what_is_no_commit_fails(objects, source, repo):
    head = repo.commit({"a": "1"})
    for name, commit in (("short", head[:39]), ("long", head + "0"), ("ref", "HEAD")):
        source(name, ref={"commit": commit})
        failed = objects.not_ready("GitRepository", name, "GitOperationFailed")
        assert "40 hex digits" in objects.condition(failed)["message"]


@pytest.mark.parametrize("ref", [{}, {"branch": "main"}], ids=["alone", "on a branch"])
def test_S24_a_commit_that_is_not_there_is_searched_once(objects, source, repo, git_server, ref):
    """Not at each try: neither the server nor the cache pays for it."""
    repo.commit({"a": os.urandom(1 << 20)})
    repo.commit({"a": os.urandom(1 << 20)})
    nowhere = "1" * 40
    source(ref={"commit": nowhere, **ref})

    def histories():
        asked = [r for r in git_server.requests() if f"POST /{repo.name}.git/git-upload-pack" in r]
        return [r for r in asked if int(r.split('" ')[1].split()[1]) > 1 << 20]

    for i in range(3):
        objects.request("GitRepository", "src", f"try {i}")
        objects.wait("GitRepository", "src",
                     lambda o: o["status"].get("lastHandledReconcileAt") == f"try {i}", "the try")
        failed = objects.not_ready("GitRepository", "src", "GitOperationFailed")
        assert f"object not found: {nowhere}" in objects.condition(failed)["message"]
    wait_until(histories, "the search to be in the log")
    assert len(histories()) == 1
    repo.commit({"a": "3"})
    objects.request("GitRepository", "src", "moved")
    wait_until(lambda: len(histories()) == 2, "another search, as the branch has moved")
    source(ref={"commit": repo.head(), **ref})
    assert artifact_of(objects.ready("GitRepository", "src"))["revision"].endswith(repo.head())


def test_S25_order_of_references(objects, source, repo):
    """Each beats all that follow."""
    commit = repo.commit({"a": "1"})
    pull = repo.commit({"a": "2"})
    repo.push("HEAD:refs/pull/1/head")
    tag = repo.commit({"a": "3"})
    repo.tag("1.0.0")
    version = repo.commit({"a": "4"})
    repo.tag("2.0.0")
    head = repo.commit({"a": "5"})
    rows = [("commit", commit, f"main@sha1:{commit}"),
            ("name", "refs/pull/1/head", f"refs/pull/1/head@sha1:{pull}"),
            ("tag", "1.0.0", f"1.0.0@sha1:{tag}"), ("semver", ">=2", f"2.0.0@sha1:{version}"),
            ("branch", "main", f"main@sha1:{head}")]
    for i, (key, _, _) in enumerate(rows):
        source(key, ref={k: value for k, value, _ in rows[i:]})
    for key, _, revision in rows:
        assert artifact_of(objects.ready("GitRepository", key))["revision"] == revision


def test_S25_an_empty_text_is_no_reference(objects, source, repo):
    head = repo.commit({"a": "1"})
    kinds = ("commit", "name", "tag", "semver", "branch")
    source(ref={**dict.fromkeys(kinds, ""), "branch": "main"})
    assert artifact_of(objects.ready("GitRepository", "src"))["revision"] == f"main@sha1:{head}"
    repo.push("HEAD:refs/heads/master")
    source(ref=dict.fromkeys(kinds, ""))
    objects.ready("GitRepository", "src", revision=f"master@sha1:{head}")


def test_S26_S30_unknown_branch_fails_and_is_retried(objects, source, repo):
    repo.commit({"a": "1"})
    source(ref={"branch": "nope"})
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert "nope" in objects.condition(obj)["message"]
    assert objects.condition(obj, "FetchFailed")["status"] == "True"
    assert objects.condition(obj, "Reconciling")["reason"] == "ProgressingWithRetry"
    assert obj["status"]["observedGeneration"] != obj["metadata"]["generation"]  # S91
    repo.push("HEAD:refs/heads/nope")
    healed = objects.ready("GitRepository", "src")
    assert not objects.condition(healed, "FetchFailed")


def test_S27_empty_repository(objects, source, repo):
    source()
    objects.not_ready("GitRepository", "src", "EmptyGitRepository")
    source("tag", ref={"tag": "v1"})
    objects.not_ready("GitRepository", "tag", "GitOperationFailed")
    source("name", ref={"name": "refs/heads/main"})
    objects.not_ready("GitRepository", "name", "GitOperationFailed")


def test_S28_unchanged_head_only_lists(objects, source, repo, git_server):
    repo.commit({"a": "1"})
    source()
    before = objects.ready("GitRepository", "src")
    def asked():
        """The server writes its log a moment after it has answered."""
        return sum(f"/{repo.name}.git/git-upload-pack" in r for r in git_server.requests())
    wait_until(lambda: asked() >= 2, "the list and the fetch to be in the log")
    before_again = asked()
    objects.request("GitRepository", "src", "again")
    after = objects.wait("GitRepository", "src",
                         lambda o: o["status"].get("lastHandledReconcileAt") == "again",
                         "the request to be handled")
    assert artifact_of(after) == artifact_of(before)
    assert after["status"]["conditions"] == before["status"]["conditions"]
    assert asked() - before_again <= 1, "more than a listing was asked for"
    revision = artifact_of(before)["revision"]
    await_event(objects, "GitOperationSucceeded",
                f"no changes since last reconciliation: observed revision '{revision}'")
    source(ref={"commit": repo.head()})
    after = objects.ready("GitRepository", "src", revision=f"sha1:{repo.head()}")
    objects.request("GitRepository", "src", "commit")
    await_event(objects, "ArtifactUpToDate",
                f"artifact up-to-date with remote revision: '{artifact_of(after)['revision']}'")


def test_S28_a_failure_that_is_over_is_told_of(objects, source, repo):
    """The remote is away for a while; nothing moved when it is back."""
    head = repo.commit({"a": "1"})
    source()
    before = objects.ready("GitRepository", "src", revision=head)
    objects.request("GitRepository", "src", "0")  # nothing to tell of
    objects.wait("GitRepository", "src",
                 lambda o: o["status"].get("lastHandledReconcileAt") == "0", "the request")
    away = repo.bare.with_suffix(".away")
    repo.bare.rename(away)
    objects.request("GitRepository", "src", "1")
    failed = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert artifact_of(failed) == artifact_of(before)
    assert not [r for _, r, _ in objects.events("src") if r == "Succeeded"]
    away.rename(repo.bare)
    objects.request("GitRepository", "src", "2")
    healed = objects.ready("GitRepository", "src")
    assert artifact_of(healed) == artifact_of(before)
    assert not objects.condition(healed, "FetchFailed")
    assert objects.condition(healed)["message"] == \
        f"stored artifact for revision 'main@sha1:{head}'"
    event = ("Normal", "Succeeded", f"stored artifact for commit 'main@sha1:{head}'")
    wait_until(lambda: event in objects.events("src"), "the event")
    events = objects.api.rest.get(f"/api/v1/namespaces/{objects.ns}/events")["items"]
    assert [e["count"] for e in events if e["reason"] == "Succeeded"] == [1]
    assert len([r for _, r, _ in objects.events("src") if r == "NewArtifact"]) == 1


def test_S30_S31_secrets(objects, source, repo, api):
    repo.commit({"a": "1"})
    source("missing", secretRef={"name": "not-there"})
    objects.not_ready("GitRepository", "missing", "AuthenticationFailed")
    url = "http://user:s3cr3t@127.0.0.1:1/x.git"
    for name, data, spec, says in (
            ("password", {"password": "s3cr3t"}, {}, "'password' without 'username'"),
            ("username", {"username": "s3cr3t"}, {}, "'username' without 'password'"),
            ("bearer", {"bearerToken": "s3cr3t"}, {"url": url}, "bearerToken and credentials in")):
        api.apply({"apiVersion": "v1", "kind": "Secret", "stringData": data,
                   "metadata": {"name": name, "namespace": objects.ns}})
        source(name, secretRef={"name": name}, **spec)
        obj = objects.not_ready("GitRepository", name, "AuthenticationFailed")
        assert "s3cr3t" not in str(obj["status"]) and says in objects.condition(obj)["message"]


def test_S30_url_userinfo_is_not_shown(objects, source, repo, git_server):
    source(url="http://user:hunter2@127.0.0.1:1/x.git")
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert "hunter2" not in str(obj["status"])
    assert not any("hunter2" in m for _, _, m in objects.events("src"))
    source("scheme", url="ssh://user:hunter2@127.0.0.1:x/y.git")
    obj = objects.not_ready("GitRepository", "scheme", "URLInvalid")
    assert "***" in objects.condition(obj)["message"] and "hunter2" not in str(obj["status"])


def test_S37_sparse_checkout_is_a_string_prefix(objects, source, repo):
    repo.commit({"charts/a": "", "charts2/b": "", "other/c": "", "root.yaml": ""})
    source(sparseCheckout=["./charts"])
    assert names(objects.ready("GitRepository", "src")) == ["charts/a", "charts2/b"]
    source("bad", sparseCheckout=["nowhere"])
    obj = objects.not_ready("GitRepository", "bad", "GitOperationFailed")
    assert objects.condition(obj)["message"].endswith(
        "failed to sparse checkout directories : "
        "sparse checkout dir 'nowhere' does not exist in repository")


@pytest.mark.parametrize("listed,files", [
    (["charts/"], ["charts/a", "charts/sub/b"]), (["./charts"], [
        "charts.md", "charts/a", "charts/sub/b", "charts2/c"]),
    (["charts/sub"], ["charts/sub/b"]), (["charts/a", "d/"], ["charts/a", "d/e"]),
    (["./"], ["README", "charts.md", "charts/a", "charts/sub/b", "charts2/c", "d/e"])])
def test_S37_prefixes_of_sparse_checkout(objects, source, repo, listed, files):
    """What go-git has in its work tree for them."""
    repo.commit({name: "x" for name in ["README", "charts.md", "charts/a", "charts/sub/b",
                                        "charts2/c", "d/e"]})
    source(ref={"branch": "main"}, sparseCheckout=listed)
    assert names(objects.ready("GitRepository", "src")) == files


def test_S37_rules_that_are_not_listed_do_not_hold(objects, source, repo):
    """A file that a sparse checkout leaves out excludes nothing."""
    repo.commit({".sourceignore": "*.log\n", "charts/a.log": "", "charts/.sourceignore": "*.tmp\n",
                 "charts/b.tmp": "", "charts/c": ""})
    source(sparseCheckout=["charts"])
    assert names(objects.ready("GitRepository", "src")) == [
        "charts/.sourceignore", "charts/a.log", "charts/c"]


def test_S89_request_and_suspend(objects, source, repo):
    repo.commit({"a": "1"})
    source()
    objects.ready("GitRepository", "src")
    objects.patch("GitRepository", "src", {"spec": {"suspend": True}})
    head = repo.commit({"a": "2"})
    objects.request("GitRepository", "src", "while-suspended")
    obj = objects.wait("GitRepository", "src",
                       lambda o: o["status"].get("lastHandledReconcileAt") == "while-suspended",
                       "the request to be echoed")
    assert head not in artifact_of(obj)["revision"]
    objects.patch("GitRepository", "src", {"spec": {"suspend": None}})
    objects.ready("GitRepository", "src", revision=head)


def generations(obj):
    return obj["status"]["observedGeneration"], obj["metadata"]["generation"]


def test_S91_which_outcomes_advance_the_observed_generation(objects, source, repo, git_server):
    repo.commit({"a": "1"})
    source()
    assert generations(objects.ready("GitRepository", "src")) == (1, 1)
    source(ref={"branch": "nope"})
    failed = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert generations(failed) == (1, 2), "a failure that may heal"
    source(url="https://[")
    stalled = objects.not_ready("GitRepository", "src", "URLInvalid")
    assert generations(stalled) == (3, 3), "a stall"
    assert objects.condition(stalled, "Stalled")["observedGeneration"] == 3
    source()
    assert generations(objects.ready("GitRepository", "src")) == (4, 4), "a success"


class History:
    """Every state of an object that a watch showed."""

    def __init__(self, api, objects, name, path):
        self.path = path
        self.child = subprocess.Popen(
            ["kubectl", "--kubeconfig", api.kubeconfig, "get", "gitrepositories", name, "-n",
             objects.ns, "--watch", "-o", "json"], stdout=open(path, "wb"))

    def states(self):
        text, at, found = self.path.read_text(), 0, []
        while at < len(text):
            obj, end = json.JSONDecoder().raw_decode(text, at)
            found.append(obj)
            at = end + 1
        return found

    def stop(self):
        self.child.terminate()
        self.child.wait()


def test_S93_ready_is_never_true_for_old_content(objects, source, repo, api, tmp_path):
    """A new commit that cannot be packed: the old artifact stays, but not as the present one."""
    old = repo.commit({"a/x": "1"})
    source(sparseCheckout=["a"])
    objects.ready("GitRepository", "src", revision=old)
    history = History(api, objects, "src", tmp_path / "history")
    try:
        wait_until(history.states, "the first state")
        new = repo.commit({"b/x": "2"}, remove=["a/x"])
        objects.request("GitRepository", "src", "1")
        failed = objects.not_ready("GitRepository", "src", "GitOperationFailed")
        assert old in artifact_of(failed)["revision"]
        assert new in objects.condition(failed, "ArtifactOutdated")["message"]
        # Both are true; the first of the list speaks.
        fetch_failed = objects.condition(failed, "FetchFailed")
        assert objects.condition(failed)["message"] == fetch_failed["message"]
        objects.patch("GitRepository", "src", {"spec": {"sparseCheckout": ["b"]}})
        objects.ready("GitRepository", "src", revision=new)
        wait_until(lambda: new in artifact_of(history.states()[-1])["revision"], "the last state")
    finally:
        history.stop()
    states = history.states()
    drifted = next(i for i, o in enumerate(states) if objects.condition(o, "ArtifactOutdated"))
    assert not [o for o in states[drifted:] if old in artifact_of(o)["revision"] and
                objects.condition(o)["status"] == "True"]


def test_S93_storage_trouble_comes_first(objects, source, repo, toolkit):
    repo.commit({"a": "1"})
    place = toolkit.storage / "gitrepository" / objects.ns
    place.mkdir(parents=True)
    (place / "src").write_text("a file where the directory should be")
    source()
    failed = objects.wait("GitRepository", "src",
                          lambda o: objects.condition(o, "StorageOperationFailed") and
                          objects.condition(o)["status"] == "False", "to fail")
    storage, ready = objects.condition(failed, "StorageOperationFailed"), objects.condition(failed)
    assert (ready["reason"], ready["message"]) == (storage["reason"], storage["message"])
    (place / "src").unlink()
    healed = objects.ready("GitRepository", "src")
    assert not objects.condition(healed, "StorageOperationFailed")


def test_S92_a_stalled_object_waits_for_its_spec(objects, source, repo):
    source(provider="github")
    obj = objects.wait("GitRepository", "src",
                       lambda o: objects.condition(o, "Stalled").get("status") == "True",
                       "to stall")
    assert obj["status"]["observedGeneration"] == obj["metadata"]["generation"]
    assert not objects.condition(obj, "Reconciling")
    assert "artifact" not in obj["status"]


def test_S94_foreign_conditions_survive(objects, source, repo, api):
    head = repo.commit({"a": "1"})
    source()
    objects.ready("GitRepository", "src", revision=head)
    path = objects.path("GitRepository", "src") + "/status"
    foreign = {"type": "Foreign", "status": "True", "reason": "R", "message": "m",
               "lastTransitionTime": "2026-01-01T00:00:00Z"}
    obj = objects.get("GitRepository", "src")
    obj["status"]["conditions"].append(foreign)
    status, reply = api.rest.call("PUT", path, obj)
    assert status == 200, reply
    head = repo.commit({"a": "2"})
    objects.request("GitRepository", "src", "x")
    obj = objects.ready("GitRepository", "src", revision=head)
    assert objects.condition(obj, "Foreign")["message"] == "m"


def test_S95_events_tell_revision_and_message(objects, source, repo):
    head = repo.commit({"a": "1"}, "subject line\n\nbody")
    source()
    artifact = artifact_of(objects.ready("GitRepository", "src", revision=head))

    def told():
        events = objects.api.rest.get(f"/api/v1/namespaces/{objects.ns}/events")["items"]
        return [e for e in events if e["reason"] == "NewArtifact"]
    event = wait_until(told, "the NewArtifact event")[0]
    assert event["type"] == "Normal"
    assert event["message"] == "stored artifact for commit 'subject line'"
    assert event["metadata"]["annotations"] == {
        "source.toolkit.fluxcd.io/revision": artifact["revision"],
        "source.toolkit.fluxcd.io/digest": artifact["digest"]}


@pytest.mark.parametrize("subject, shown", [("s" * 50, "s" * 50), ("s" * 51, "s" * 50 + "..."),
                                            ("\u00e4" * 51, "\u00e4" * 50 + "...")],
                         ids=["fits", "long", "wide"])
def test_S95_a_subject_is_cut_at_fifty_characters(objects, source, repo, subject, shown):
    repo.commit({"a": "1"}, subject)
    source()
    wait_until(lambda: ("Normal", "NewArtifact", f"stored artifact for commit '{shown}'")
               in objects.events("src"), "the event")


def test_S100_metrics_and_their_end(objects, source, repo, toolkit):
    repo.commit({"a": "1"})
    source()
    objects.ready("GitRepository", "src")
    series = f'namespace="{objects.ns}"'
    wait_until(lambda: series in toolkit["source-controller"].metrics(), "the object's series")
    objects.delete("GitRepository", "src")
    objects.gone("GitRepository", "src")
    wait_until(lambda: series not in toolkit["source-controller"].metrics(), "the series to go")


def test_S102_no_temporary_files_stay(objects, source, repo, toolkit):
    repo.commit({"a": "1"})
    source()
    objects.ready("GitRepository", "src")
    # Others of the module may be tried again at this moment.
    wait_until(lambda: not list(pathlib.Path(toolkit.dir).glob("gitrepository-*")) and
               not [p for p in toolkit.storage.rglob("*") if ".tmp" in p.name], "nothing to stay")
