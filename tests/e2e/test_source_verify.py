"""spec.verify: commits and tags that the real gpg and ssh-keygen signed (S39-S42)."""
import pytest

from tests.lib.git import git
from tests.lib.proxy import Proxy
from tests.lib.sign import PgpKey, SshKey, signed_commit, signed_tag


@pytest.fixture(scope="module")
def keys(directory):
    made = {"pgp": PgpKey(directory / "pgp"), "foreign": PgpKey(directory / "foreign", "Bob"),
            "ssh": SshKey(directory / "ssh")}
    yield made
    for key in made.values():
        key.close()


@pytest.fixture
def repo(git_server, ns):
    return git_server.repository(ns)


@pytest.fixture
def source(objects, git_server, repo):
    def make(mode="HEAD", ref=None, secret="keys", **spec):
        objects.apply("GitRepository", "src", {
            "url": git_server.url_of(repo), "interval": "1h", "ref": ref or {"branch": "main"},
            "verify": {"mode": mode, "secretRef": {"name": secret}}, **spec})
    return make


def secret(objects, data, name="keys"):
    objects.api.apply({"apiVersion": "v1", "kind": "Secret",
                       "metadata": {"name": name, "namespace": objects.ns}, "stringData": data})


def verified(objects, obj):
    return objects.condition(obj, "SourceVerified")


@pytest.mark.parametrize("kind,suffix", [("pgp", "asc"), ("pgp", "undocumented"),
                                         ("ssh", "sshpub")])
def test_S39_signed_commits_are_verified(objects, source, repo, keys, kind, suffix):
    repo.commit({"a": "1"})
    head = signed_commit(repo, keys[kind])
    key = keys[kind]
    secret(objects, {f"ann.{suffix}": key.asc if kind == "pgp" else key.public,
                     "foreign.asc": keys["foreign"].asc})
    source()
    obj = objects.ready("GitRepository", "src", revision=head)
    condition = verified(objects, obj)
    assert (condition["status"], condition["reason"]) == ("True", "Succeeded")
    assert condition["message"] == f"verified signature of\n\t- commit '{head}' with key '{key.id}'"
    assert obj["status"]["sourceVerificationMode"] == "HEAD"


def test_S40_unsigned_commits_bring_no_artifact(objects, source, repo, keys):
    head = repo.commit({"a": "1"})
    secret(objects, {"ann.asc": keys["pgp"].asc})
    source()
    obj = objects.not_ready("GitRepository", "src", "InvalidCommitSignature")
    assert verified(objects, obj)["status"] == "False" and "artifact" not in obj["status"]
    assert verified(objects, obj)["message"] == (
        f"signature verification of commit '{head}' failed: unsupported signature type: empty")
    head = signed_commit(repo, keys["pgp"])
    objects.ready("GitRepository", "src", revision=head)
    before = objects.get("GitRepository", "src")["status"]["artifact"]
    repo.commit({"a": "2"}, "unsigned")
    objects.request("GitRepository", "src")
    obj = objects.not_ready("GitRepository", "src", "InvalidCommitSignature")
    assert obj["status"]["artifact"] == before


def test_S40_foreign_signatures_are_refused(objects, source, repo, keys):
    repo.commit({"a": "1"})
    signed_commit(repo, keys["foreign"])
    secret(objects, {"ann.asc": keys["pgp"].asc})
    source()
    obj = objects.not_ready("GitRepository", "src", "InvalidCommitSignature")
    assert verified(objects, obj)["message"].startswith(
        f"signature verification of commit '{repo.head()}' failed: unable to verify Git commit: "
        "unable to verify payload with any of the given key rings")
    signed_commit(repo, keys["ssh"])
    objects.request("GitRepository", "src")
    obj = objects.wait("GitRepository", "src", lambda o: "SSH signature detected" in
                       verified(objects, o).get("message", ""), "to miss SSH keys")


def test_S41_tag_mode_on_a_branch_stalls(objects, source, repo, keys):
    signed_commit(repo, keys["pgp"])
    secret(objects, {"ann.asc": keys["pgp"].asc})
    source("Tag")
    obj = objects.not_ready("GitRepository", "src", "InvalidVerificationMode")
    assert objects.condition(obj, "Stalled")["reason"] == "InvalidVerificationMode"
    assert obj["status"]["observedGeneration"] == obj["metadata"]["generation"]


@pytest.mark.parametrize("annotated", [False, True])
def test_S41_unsigned_tags_are_no_object_to_verify(objects, source, repo, keys, annotated):
    signed_commit(repo, keys["pgp"])
    repo.tag("v1.0.0", annotated)
    secret(objects, {"ann.asc": keys["pgp"].asc})
    source("Tag", {"tag": "v1.0.0"})
    obj = objects.not_ready("GitRepository", "src", "InvalidGitObject")
    assert not objects.condition(obj, "Stalled")
    assert "cannot verify signature of tag 'v1.0.0" in verified(objects, obj)["message"]


@pytest.mark.parametrize("kind, noun, tried", [
    ("pgp", "Git tag", "key rings"), ("ssh", "Git tag SSH signature", "authorized keys")])
def test_S41_foreign_signatures_of_tags_are_refused(objects, source, repo, keys, directory, ns,
                                                    kind, noun, tried):
    repo.commit({"a": "1"})
    foreign = keys["foreign"] if kind == "pgp" else SshKey(directory / f"foreign-{ns}")
    signed_tag(repo, foreign, "v1.0.0")
    secret(objects, {"ann.asc": keys["pgp"].asc, "ann.sshpub": keys["ssh"].public})
    source("Tag", {"tag": "v1.0.0"})
    obj = objects.not_ready("GitRepository", "src", "InvalidTagSignature")
    tag = git(repo.work, "rev-parse", "v1.0.0").strip()
    assert verified(objects, obj)["status"] == "False" and "artifact" not in obj["status"]
    assert verified(objects, obj)["message"].startswith(
        f"signature verification of tag 'v1.0.0@{tag}' failed: unable to verify {noun}: "
        f"unable to verify payload with any of the given {tried}")


def test_S41_what_the_server_says_a_tag_leads_to_is_not_believed(objects, source, repo, keys,
                                                                 git_server):
    """A commit that nobody signed, under the name of a tag that somebody did."""
    good = repo.commit({"a": "1"})
    signed_tag(repo, keys["pgp"], "v1.0.0")
    evil = repo.commit({"a": "evil"})
    secret(objects, {"ann.asc": keys["pgp"].asc})
    middle = Proxy(git_server.url)
    try:
        spec = {"url": f"{middle.url}/{repo.name}.git", "interval": "1h"}
        # It is in the store when the lie comes.
        objects.apply("GitRepository", "src", {**spec, "ref": {"branch": "main"}})
        objects.ready("GitRepository", "src", revision=evil)
        middle.on(lambda x: x.forward(lambda pieces: (
            p.replace(f"peeled:{good}".encode(), f"peeled:{evil}".encode()) for p in pieces)),
            method="POST", body="command=ls-refs")
        source("Tag", {"tag": "v1.0.0"}, **spec)
        obj = objects.not_ready("GitRepository", "src", "InvalidTagSignature")
        assert "the tag names another commit" in verified(objects, obj)["message"]
        middle.off()
        objects.request("GitRepository", "src")
        objects.ready("GitRepository", "src", revision=good)
    finally:
        middle.stop()


@pytest.mark.parametrize("kind", ["pgp", "ssh"])
def test_S41_tag_and_head_need_both(objects, source, repo, keys, kind):
    repo.commit({"a": "1"})
    signed_tag(repo, keys[kind], "v1.0.0")
    secret(objects, {"ann.asc": keys["pgp"].asc, "ann.sshpub": keys["ssh"].public})
    source("TagAndHEAD", {"semver": "1.x"})
    obj = objects.not_ready("GitRepository", "src", "InvalidCommitSignature")
    source("Tag", {"semver": "1.x"})
    objects.ready("GitRepository", "src")
    head = signed_commit(repo, keys[kind])
    signed_tag(repo, keys[kind], "v1.1.0")
    tag = git(repo.work, "rev-parse", "v1.1.0").strip()
    source("TagAndHEAD", {"semver": "1.x"})
    obj = objects.ready("GitRepository", "src", revision=head)
    assert verified(objects, obj)["message"] == (
        f"verified signature of\n\t- tag 'v1.1.0@{tag}' with key '{keys[kind].id}'"
        f"\n\t- commit '{head}' with key '{keys[kind].id}'")


def test_S41_a_wider_mode_is_verified_at_the_same_revision(objects, source, repo, keys):
    repo.commit({"a": "1"})
    head = signed_commit(repo, keys["pgp"])
    repo.tag("v1.0.0", annotated=True)
    secret(objects, {"ann.asc": keys["pgp"].asc})
    source("HEAD", {"tag": "v1.0.0"})
    objects.ready("GitRepository", "src", revision=head)
    source("TagAndHEAD", {"tag": "v1.0.0"})
    objects.not_ready("GitRepository", "src", "InvalidGitObject")


def test_S40_going_back_to_a_signed_commit_is_verified_again(objects, source, repo, keys):
    repo.commit({"a": "1"})
    head = signed_commit(repo, keys["pgp"])
    secret(objects, {"ann.asc": keys["pgp"].asc})
    source()
    before = objects.ready("GitRepository", "src", revision=head)["status"]["artifact"]
    repo.commit({"a": "2"}, "unsigned")
    objects.request("GitRepository", "src", "1")
    objects.not_ready("GitRepository", "src", "InvalidCommitSignature")
    git(repo.work, "reset", "--quiet", "--hard", head)
    repo.push()
    objects.request("GitRepository", "src", "2")
    obj = objects.ready("GitRepository", "src", revision=head)
    assert verified(objects, obj)["status"] == "True" and obj["status"]["artifact"] == before


def test_S42_missing_key_secret(objects, source, repo, keys):
    signed_commit(repo, keys["pgp"])
    source(secret="not-there")
    obj = objects.not_ready("GitRepository", "src", "VerificationError")
    assert "not-there" in verified(objects, obj)["message"]


def test_S42_verify_taken_away_leaves_no_verdict(objects, source, repo, keys, git_server):
    signed_commit(repo, keys["pgp"])
    secret(objects, {"ann.asc": keys["pgp"].asc})
    source()
    objects.ready("GitRepository", "src")
    objects.apply("GitRepository", "src", {"url": git_server.url_of(repo), "interval": "1h",
                                           "ref": {"branch": "main"}})
    obj = objects.wait("GitRepository", "src", lambda o: not verified(objects, o), "unverified")
    assert "sourceVerificationMode" not in obj["status"]
