"""Git servers that lie, break off or never end. In each case: a clear condition without secrets, a retry
with back-off, the old artifact still served, no temporary file left, and the next good fetch works."""
import base64
import gzip
import re
import time

import pytest

from tests.faults.conftest import config_map
from tests.lib.controllers import Toolkit
from tests.lib.fault import corrupt, cut, delay, drop, hang, lose_reply, repeat, reply, trickle
from tests.lib.git import GitServer
from tests.lib.net import PATIENCE, http, wait_until
from tests.lib.planted import planted
from tests.lib.proxy import Ended, Proxy
from tests.lib.sink import Sink

USER, PASSWORD = "tess", planted("password")
REFS = {"path": "/info/refs$"}
LIST = {"method": "POST", "body": "command=ls-refs"}
FETCH = {"method": "POST", "body": "command=fetch"}
ADVERTISEMENT = {"Content-Type": "application/x-git-upload-pack-advertisement"}


@pytest.fixture(scope="module")
def git_server(directory):
    server = GitServer(directory / "git", auth=(USER, PASSWORD))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def middle(git_server):
    proxy = Proxy(git_server.url)
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory):
    # A shorter back-off than production's, for the suite's time; that there is one is checked.
    kit = Toolkit(api, directory / "toolkit",
                  source_flags=["--min-retry-delay=300ms", "--max-retry-delay=5s"])
    (kit.dir / "tmp").mkdir()
    with kit.run("source-controller", "notification-controller"):
        yield kit


class Source:
    """A GitRepository `src` of the test's own repository, through the proxy, with a login."""

    def __init__(self, objects, git_server, middle, toolkit):
        self.objects, self.git, self.middle, self.toolkit = objects, git_server, middle, toolkit
        self.repo = git_server.repository(objects.ns)
        self.head = None
        objects.api.apply({"apiVersion": "v1", "kind": "Secret",
                           "metadata": {"name": "login", "namespace": objects.ns},
                           "stringData": {"username": USER, "password": PASSWORD}})

    def commit(self, value, **files):
        self.head = self.repo.commit({"a.yaml": config_map("a", value), **files})
        return self.head

    def apply(self, **spec):
        self.objects.apply("GitRepository", "src", {
            "url": f"{self.middle.url}/{self.repo.name}.git", "interval": "1s", "timeout": "3s",
            "ref": {"branch": "main"}, "secretRef": {"name": "login"}, **spec})

    def ready(self, timeout=PATIENCE):
        obj = self.objects.ready("GitRepository", "src", timeout, revision=self.head)
        code, _, _ = http("GET", obj["status"]["artifact"]["url"])
        assert code == 200
        return obj

    def failed(self, reason="GitOperationFailed", timeout=PATIENCE):
        """The condition, after checking what every failure must hold to."""
        def match(obj):
            """A retry that takes its time is shown as what it does."""
            condition = self.objects.condition
            return (condition(obj).get("status"), condition(obj).get("reason"),
                    condition(obj, "FetchFailed").get("status"),
                    condition(obj, "Reconciling").get("reason")) == (
                        "False", reason, "True", "ProgressingWithRetry")
        obj = self.objects.wait("GitRepository", "src", match, f"to fail with {reason}", timeout)
        condition = self.objects.condition(obj)
        assert PASSWORD not in str(obj["status"]), "a secret in status"
        wait_until(lambda: any(t == "Warning" and r == reason for t, r, _ in
                               self.objects.events("src")), "the Warning event")
        assert PASSWORD not in str(self.objects.events("src"))
        return condition["message"]

    def left_over(self):
        """Temporary directories of fetches; one that is under way may be there for a moment."""
        return [p for p in self.toolkit.dir.glob("gitrepository*")]

    def clean(self):
        wait_until(lambda: not self.left_over(), "temporary directories to be gone")


@pytest.fixture
def source(objects, git_server, middle, toolkit):
    middle.off()
    made = Source(objects, git_server, middle, toolkit)
    yield made
    middle.off()
    objects.delete("GitRepository", "src")
    made.clean()


def test_the_proxy_lets_everything_pass(source, middle):
    source.commit("1")
    source.apply()
    source.ready()
    assert middle.count(**LIST) and middle.count(**FETCH) == 1


def lies(source, middle, *actions, text=None, **match):
    """A good revision, then a lie about the next: the old one stays, the next good fetch works."""
    source.commit("1")
    source.apply()
    old = source.ready()["status"]["artifact"]
    rules = [middle.on(action, **match) for action in actions]
    source.commit("2")
    message = source.failed()
    if text:
        assert re.search(text, message), message
    obj = source.objects.get("GitRepository", "src")
    assert obj["status"]["artifact"] == old, "the old artifact is still announced"
    assert http("GET", old["url"])[0] == 200
    wait_until(lambda: sum(r.hits for r in rules) >= 2, "another try")

    def longest_pause():
        seen = [r.at for r in middle.requests(**match) if source.repo.name in r.path][-rules[0].hits:]
        return max((b - a for a, b in zip(seen, seen[1:])), default=0)
    wait_until(lambda: longest_pause() > 0.28, "a back-off")
    middle.off()
    source.ready()
    source.clean()
    return message


# --- what the server says is there ---

def test_a_page_instead_of_git(source, middle):
    page = reply(200, b"<html>password: " + PASSWORD.encode() + b"</html>",
                 {"Content-Type": "text/html; charset=utf-8"})
    lies(source, middle, page, text="not a smart Git server.*text/html", **REFS)


@pytest.mark.parametrize("body", [b"", b"zzzz", b"ffff", b"0005", b"0003", b"001e# service=git-upload-pack\n",
                                  b"001e# service=git-upload-pack\n0000000eversion 7\n0000",
                                  b"\0" * 4096, b"fff0" + b"x" * 0xffec],
                         ids=["empty", "no-hex", "too-long", "short", "reserved", "service-alone",
                              "version-7", "zeros", "long"])
def test_an_advertisement_of_nonsense(source, middle, body):
    lies(source, middle, reply(200, body, ADVERTISEMENT), **REFS)


def test_a_list_without_the_branch(source, middle):
    def act(x):
        x.forward(lambda pieces: (p.replace(b"refs/heads/main", b"refs/heads/nope") for p in pieces))
    lies(source, middle, act, text="main", **LIST)


FALSE = "1" * 40


def renames(real):
    """The list says another commit than the server has: real() knows it before the server does."""
    def act(x):
        x.forward(lambda pieces: (p.replace(real().encode(), FALSE.encode()) for p in pieces))
    return act


def test_a_commit_that_is_not_there(source, middle):
    message = lies(source, middle, renames(source.repo.head), text=FALSE, **LIST)
    assert "not our ref" in message or "not found" in message


def test_a_pack_without_the_commit_that_was_asked_for(source, middle):
    def other(x):
        x.request.body = x.request.body.replace(FALSE.encode(), source.repo.head().encode())
        x.forward()
    middle.on(other, **FETCH)
    lies(source, middle, renames(source.repo.head), **LIST)


def test_an_error_text_that_tells_our_own_password(source, middle):
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    text = f"ERR login {USER}:{PASSWORD} (Basic {login}) is not allowed\n".encode()
    body = b"001e# service=git-upload-pack\n0000" + b"%04x" % (len(text) + 4) + text
    message = lies(source, middle, reply(200, body, ADVERTISEMENT), **REFS)
    assert "the server says: login tess:*** (Basic ***) is not allowed" in message


# --- packs ---

@pytest.mark.parametrize("after", [0, 12, 60, 300])
def test_a_pack_cut_short(source, middle, after):
    lies(source, middle, cut(after), **FETCH)


def test_a_pack_whose_connection_is_reset(source, middle):
    lies(source, middle, cut(60, reset=True), **FETCH)


def test_a_pack_cut_short_with_a_clean_end(source, middle):
    def act(x):
        x.send()
        code, headers, pieces = x.receive()
        x.begin(code, headers)
        body = b"".join(pieces)
        x.write(body[:-30])
        x.end()
    lies(source, middle, act, **FETCH)


def test_one_wrong_byte_anywhere(source, middle, objects, git_server):
    """Each fetch has another byte wrong: refused, or harmless (a progress text), never a wrong
    artifact."""
    source.commit("1")
    source.apply()
    good = source.ready()["status"]["artifact"]
    offsets = range(0, 400, 9)
    bare = source.repo.bare
    for at in offsets:
        (bare.parent / f"{source.repo.name}-{at}.git").symlink_to(bare)
        middle.on(corrupt(at, 0x11), path=f"/{source.repo.name}-{at}.git/", **FETCH)
        objects.apply("GitRepository", f"at-{at}", {
            "url": f"{middle.url}/{source.repo.name}-{at}.git", "interval": "1h",
            "ref": {"branch": "main"}, "secretRef": {"name": "login"}, "timeout": "5s"})
    states = []
    for at in offsets:
        obj = objects.wait("GitRepository", f"at-{at}", lambda o: objects.condition(o).get("status") in
                           ("True", "False"), "an end")
        states.append(objects.condition(obj)["status"])
        artifact = obj["status"].get("artifact")
        assert (artifact is not None) == (states[-1] == "True")
        assert artifact is None or artifact["digest"] == good["digest"], at
    assert states.count("False") > len(states) / 2
    middle.off()
    for at in offsets:
        objects.ready("GitRepository", f"at-{at}", revision=source.head)
        objects.delete("GitRepository", f"at-{at}")
    source.clean()


def test_a_fetch_answered_twice_or_lost(source, middle):
    source.commit("1")
    rules = [middle.on(lose_reply(), times=1, **FETCH), middle.on(repeat(), times=1, **FETCH)]
    source.apply()
    source.ready()
    assert [r.hits for r in rules] == [1, 1]


# --- time and size ---

def endless(content_type, encoding=None):
    """Bytes until the client is gone."""
    def act(x):
        headers = [("Content-Type", content_type)]
        piece = b"0fa0" + b"x" * 3996
        if encoding:
            headers.append(("Content-Encoding", encoding))
            piece = gzip.compress(b"\0" * (64 << 20), 9)
        x.begin(200, headers)
        for _ in range(1 << 20):
            x.write(piece)
        raise Ended("enough")
    return act


ENDLESS = {"refs": (endless(ADVERTISEMENT["Content-Type"]), REFS),
           "list": (endless("application/x-git-upload-pack-result"), LIST),
           "pack": (endless("application/x-git-upload-pack-result"), FETCH),
           "page": (endless("text/html"), REFS)}


@pytest.mark.parametrize("where", ENDLESS)
def test_a_reply_without_end(source, middle, toolkit, where):
    action, match = ENDLESS[where]
    lies(source, middle, action, **match)
    assert toolkit["source-controller"].memory_kib() < 900 << 10


@pytest.mark.parametrize("match", [REFS, FETCH], ids=["refs", "pack"])
def test_a_gzip_bomb(source, middle, toolkit, match):
    kind = ADVERTISEMENT["Content-Type"] if match is REFS else "application/x-git-upload-pack-result"
    lies(source, middle, endless(kind, "gzip"), **match)
    assert toolkit["source-controller"].memory_kib() < 900 << 10


@pytest.mark.parametrize("match", [REFS, LIST, FETCH], ids=["refs", "list", "pack"])
@pytest.mark.parametrize("form", [trickle(1, 0.3), hang(), delay(60)], ids=["drips", "silent", "late"])
def test_S38_a_server_that_takes_for_ever(source, middle, match, form):
    """spec.timeout ends it, and is named."""
    source.commit("1")
    rule = middle.on(form, **match)  # each time, or the failure is over before everybody saw it
    started = time.monotonic()
    source.apply()
    message = source.failed()
    assert 2.5 < time.monotonic() - started < 45
    assert "not done within" in message, message
    assert rule.hits
    middle.off()
    source.ready()
    source.clean()


# --- refusals and redirects ---

@pytest.mark.parametrize("code, text", [(401, "authentication required"), (403, "authorization failed"),
                                        (404, "not found"), (429, "too many"), (500, "HTTP 500"),
                                        (503, "HTTP 503"), (204, ""), (304, "")],
                         ids=lambda v: str(v) if isinstance(v, int) else "")
def test_refusals(source, middle, code, text):
    page = reply(code, b"" if code in (204, 304) else b"page with " + PASSWORD.encode())
    lies(source, middle, page, text=text, **REFS)


def test_429_with_retry_after_is_obeyed(source, middle):
    source.commit("1")
    source.apply()
    source.ready()
    rule = middle.on(reply(429, b"", {"Retry-After": "4"}), times=1, **REFS)
    source.commit("2")
    wait_until(lambda: rule.hits, "the refusal")
    source.ready()
    seen = [r for r in middle.requests(**REFS) if source.repo.name in r.path]
    refused = next(r for r in seen if r.status == 429)
    again = next(r for r in seen if r.at > refused.at)
    assert again.at - refused.at > 3.8


def test_a_redirect_to_another_host_gets_no_credentials(source, middle):
    thief = Sink()
    try:
        location = f"{thief.url}/{source.repo.name}.git/info/refs?service=git-upload-pack"
        lies(source, middle, reply(302, headers={"Location": location}), **REFS)
        assert thief.messages
        for message in thief.messages:
            assert "Authorization" not in message.headers and USER not in str(message.headers)
    finally:
        thief.stop()


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://x/", "//", "", "http://[::1", "/",
                                      "http://127.0.0.1:1/x.git/info/refs?service=git-upload-pack"],
                         ids=["file", "gopher", "slashes", "empty", "bad", "root", "refused"])
def test_redirects_to_nowhere(source, middle, location):
    lies(source, middle, reply(301, headers={"Location": location}), **REFS)


def test_redirects_in_a_circle(source, middle):
    def act(x):
        x.reply(302, b"", [("Location", middle.url + x.request.target)])
    lies(source, middle, act, text="redirect", **REFS)


def test_a_connection_refused_or_dropped(source, middle):
    lies(source, middle, drop(reset=True), **REFS)
    middle.down()
    try:
        source.commit("3")
        source.failed()
    finally:
        middle.up()
    source.ready()
