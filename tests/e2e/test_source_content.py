"""What a commit's tree may hold and what it may not, and what its objects cost."""
import subprocess

import pytest

from tests.e2e.test_source import fetch, names, repo, source  # noqa: F401 # pylint: disable=unused-import
from tests.lib.git import git
from tests.lib.net import http, wait_until


def commit_tree(repository, entries):
    """Pushes a commit whose tree is exactly these (mode, name, blob) entries; its hash."""
    tree = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(blob)
                    for mode, name, blob in entries)
    made = subprocess.run(["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"],
                          cwd=repository.bare, input=tree, capture_output=True, check=True)
    head = git(repository.bare, "commit-tree", "-m", "by hand", made.stdout.decode().strip()).strip()
    git(repository.bare, "update-ref", "refs/heads/main", head)
    return head


def blob_of(repository, text):
    return git(repository.bare, "hash-object", "-w", "--stdin", stdin=text).strip()


@pytest.mark.parametrize("name", [".git", ".GIT", "..", ".", "a/b", ""],
                         ids=["git", "upper", "up", "here", "slash", "empty"])
def test_S26_names_that_leave_or_shadow_a_directory_fail(objects, source, repo, name):
    commit_tree(repo, [("100644", name, blob_of(repo, "x"))])
    source()
    obj = objects.not_ready("GitRepository", "src", "GitOperationFailed")
    assert "artifact" not in obj["status"]


def test_S26_a_name_twice_fails(objects, source, repo):
    commit_tree(repo, [("100644", "a", blob_of(repo, "1")), ("100644", "a", blob_of(repo, "2"))])
    source()
    objects.not_ready("GitRepository", "src", "GitOperationFailed")


def test_S7_rules_that_cannot_be_read_fail(objects, source, repo):
    repo.commit({"d/.sourceignore": "x\n" * (1 << 20), "x": "1", "y": "1"})
    source()
    obj = objects.not_ready("GitRepository", "src", "SourceIgnoreError")
    message = objects.condition(obj, "FetchFailed")["message"]
    assert message.startswith("failed to load source ignore patterns from repository: d/.sourceignore: ")
    repo.commit({"d/.sourceignore": "x\n", ".sourceignore": "y\n"})
    objects.request("GitRepository", "src")
    assert names(objects.ready("GitRepository", "src")) == [".sourceignore", "d/.sourceignore", "x"]


def test_S4_names_that_differ_in_case_are_two_files(objects, source, repo):
    commit_tree(repo, [("100644", "A", blob_of(repo, "1")), ("100644", "a", blob_of(repo, "2"))])
    source()
    assert names(objects.ready("GitRepository", "src")) == ["A", "a"]


def test_S4_links_out_of_the_tree_are_dropped(objects, source, repo):
    link = blob_of(repo, "/etc")
    commit_tree(repo, [("100644", "a", blob_of(repo, "1")), ("120000", "etc", link),
                       ("120000", "up", blob_of(repo, "../../x"))])
    source()
    assert names(objects.ready("GitRepository", "src")) == ["a"]
    # Neither is a way out for what is put beside them.
    source(name="inc", include=[{"repository": {"name": "src"}, "toPath": "etc/inner"}])
    assert names(objects.ready("GitRepository", "inc")) == ["a", "etc/inner/a"]


def test_S17_git_has_no_alias(objects, source, repo):
    repo.commit({"a": "1"})
    source()
    obj = objects.ready("GitRepository", "src")
    assert "url" not in obj["status"] and fetch(obj)
    base = obj["status"]["artifact"]["url"].rsplit("/", 1)[0]
    assert http("GET", f"{base}/latest.tar.gz")[0] == 404


def test_S28_objects_of_one_remote_share_what_was_fetched(objects, source, repo, git_server):
    repo.commit({"a": "1"})
    source("one")
    objects.ready("GitRepository", "one")

    def posts():
        return sum("POST" in r and f"/{repo.name}.git/git-upload-pack" in r
                   for r in git_server.requests())
    # The server writes its log a moment after it has answered.
    wait_until(lambda: posts() >= 2, "the list and the fetch to be in the log")
    before = posts()
    source("two")
    objects.ready("GitRepository", "two")
    wait_until(lambda: posts() > before, "the list to be in the log")
    assert posts() - before == 1, "listed, not fetched again"


def test_S3_consumers_may_ask_whether_it_changed(objects, source, repo):
    repo.commit({"a": "1"})
    source()
    url = objects.ready("GitRepository", "src")["status"]["artifact"]["url"]
    _, headers, _ = http("GET", url)
    tag = {name.lower(): value for name, value in headers.items()}["etag"]
    assert http("GET", url, headers={"If-None-Match": tag})[0] == 304
    assert http("GET", url, headers={"If-None-Match": '"other"'})[0] == 200
