"""Receivers end to end: paths, types, codes, what is annotated."""
import base64
import contextlib
import hashlib
import hmac
import json
import time
import urllib.parse

import pytest

from tests.lib.alerts import secret  # noqa: F401
from tests.lib.controllers import Toolkit
from tests.lib.jwt import Signer
from tests.lib.net import http, wait_until
from tests.lib.sink import Sink

REQUESTED = "reconcile.fluxcd.io/requestedAt"
JSON = {"Content-Type": "application/json"}
BODY = json.dumps({"hello": "world"})


@pytest.fixture(scope="module")
def signer(directory):
    return Signer(directory)


@pytest.fixture(scope="module")
def google(signer):
    """Serves the keys that sign Google's tokens."""
    server = Sink({"/certs": lambda m, n: (200, {}, json.dumps({"keys": [signer.jwk]}).encode())})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def toolkit(api, directory, google):
    kit = Toolkit(api, directory / "toolkit", notification_flags=[
        f"--gcr-keys-url={google.url}/certs", "--no-cross-namespace-refs",
        "--export-http-path-metrics"])
    kit.start("notification-controller")
    yield kit
    kit.finish()


@pytest.fixture
def repository(objects):
    """Makes a suspended GitRepository; the reader of its requestedAt."""
    def make(name="app", **labels):
        objects.apply("GitRepository", name, {"url": "https://git.test/x", "interval": "1h",
                                              "suspend": True}, labels=labels)
        return lambda: objects.get("GitRepository", name)["metadata"].get(
            "annotations", {}).get(REQUESTED)
    return make


@pytest.fixture
def receiver(objects, secret, repository):
    """A Ready Receiver with a Secret and one GitRepository; its path."""
    def make(kind="generic", name="hook", token="t0ken", data=None, **spec):
        secret(name, token=token, **(data or {}))
        spec = {"type": kind, "secretRef": {"name": name},
                "resources": [{"kind": "GitRepository", "name": "app"}], **spec}
        objects.apply("Receiver", name, spec)
        return objects.ready("Receiver", name)["status"]["webhookPath"]
    return make


@pytest.fixture
def call(toolkit):
    def send(path, body=BODY, method="POST", **headers):
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        status, _, reply = http(method, f"http://127.0.0.1:{toolkit.receiver_port}{path}", body,
                                {**JSON, **headers})
        assert status == 413 or reply == b"", "the sender is told nothing but the code"
        return status
    return send


def signed(algorithm, token, body=BODY):
    return hmac.new(token.encode(), body.encode(), algorithm).hexdigest()


def test_N76_path_is_the_hash_of_token_name_namespace(receiver, objects, secret, repository, call):
    annotation = repository()
    path = receiver()
    want = hashlib.sha256(f"t0kenhook{objects.ns}".encode()).hexdigest()
    assert path == "/hook/" + want
    ready = objects.condition(objects.get("Receiver", "hook"))
    assert ready["reason"] == "Succeeded" and ready["message"].endswith(path)
    assert annotation() is None
    wait_until(lambda: call(path) == 200, "the path to be served")
    assert annotation()
    secret("hook", token="other")
    objects.request("Receiver", "hook")
    changed = objects.wait("Receiver", "hook",
                           lambda o: o["status"].get("webhookPath") != path, "to move")
    objects.wait("Receiver", "hook", lambda o: o["status"].get("lastHandledReconcileAt") == "now",
                 "the echo")
    wait_until(lambda: call(path) == 404, "the old path to go")
    wait_until(lambda: call(changed["status"]["webhookPath"]) == 200, "the new one to be served")
    wait_until(lambda: any(r == "Succeeded" and "next run in 10m0s" in m
                           for _, r, m in objects.events("hook")), "the Event")


def test_N77_lost_secret_clears_the_path(receiver, objects, repository, call, api):
    repository()
    path = receiver()
    wait_until(lambda: call(path) == 200, "the path to be served")
    api.kubectl("delete", "secret", "hook", "-n", objects.ns)
    assert call(path) == 400  # the token is read at each request
    objects.request("Receiver", "hook")
    lost = objects.not_ready("Receiver", "hook", "TokenNotFound")
    assert "webhookPath" not in lost["status"]
    assert objects.condition(lost, "Reconciling")["reason"] == "ProgressingWithRetry"
    wait_until(lambda: call(path) == 404, "the path to go")
    # The back-off tries again by itself.
    api.kubectl("create", "secret", "generic", "hook", "-n", objects.ns,
                "--from-literal=token=t0ken")
    assert objects.ready("Receiver", "hook")["status"]["webhookPath"] == path


def test_N77_secret_without_token(objects, secret, repository):
    secret("hook", other="x")
    objects.apply("Receiver", "hook", {"type": "generic", "secretRef": {"name": "hook"},
                                       "resources": [{"kind": "GitRepository", "name": "app"}]})
    lost = objects.not_ready("Receiver", "hook", "TokenNotFound")
    assert "has no key 'token'" in objects.condition(lost)["message"]


def test_N78_codes_of_paths(receiver, objects, repository, call):
    repository()
    path = receiver()
    wait_until(lambda: call(path) == 200, "the path to be served")
    assert call(path, method="PUT") == 200
    assert call("/hook/" + "0" * 64) == 404
    assert call("/") == 404 and call("/hook/") == 404 and call(path + "/") == 404
    assert call(path + "?x") == 404 and call(path + "?x=1") == 404
    assert call(path, body="x" * ((3 << 20) + 1)) == 413
    objects.patch("Receiver", "hook", {"spec": {"suspend": True}})
    wait_until(lambda: call(path) == 503, "503 of a suspended receiver")
    objects.patch("Receiver", "hook", {"spec": {"suspend": False, "resourceFilter": "res"}})
    objects.wait("Receiver", "hook", lambda o: objects.condition(o, "Stalled"), "to stall")
    wait_until(lambda: call(path) == 503, "503 of an unready receiver")


def test_N79_github_signatures_and_content_types(receiver, repository, call):
    annotation = repository()
    path = receiver("github")
    wait_until(lambda: call(path) == 400, "the path to be served")
    wrong = "sha256=" + signed("sha256", "wrong")
    sha1, sha256 = ("sha1=" + signed("sha1", "t0ken"), "sha256=" + signed("sha256", "t0ken"))
    assert call(path, X_Hub_Signature_256=wrong) == 400
    assert call(path, X_Hub_Signature_256=wrong, X_Hub_Signature=sha1) == 400
    assert annotation() is None
    assert call(path, X_Hub_Signature=sha1) == 200
    assert call(path, X_Hub_Signature_256=sha256) == 200
    form = urllib.parse.urlencode({"payload": BODY})
    type_of_form = "application/x-www-form-urlencoded; charset=utf-8"
    of_form = "sha256=" + signed("sha256", "t0ken", form)
    assert call(path, form, X_Hub_Signature_256=of_form, Content_Type=type_of_form) == 200
    for other in ("text/plain", "application/jsonp", "application/jso", "json"):
        assert call(path, X_Hub_Signature_256=sha256, Content_Type=other) == 400
    assert call(path, X_Hub_Signature_256=sha256, Content_Type="Application/JSON") == 200
    assert annotation()


def test_N80_generic_hmac_algorithms(receiver, repository, call):
    repository()
    path = receiver("generic-hmac")
    wait_until(lambda: call(path) == 400, "the path to be served")
    for algorithm in ("sha1", "sha256", "sha512"):
        good = signed(algorithm, "t0ken")
        assert call(path, X_Signature=f"{algorithm}={good}") == 200
        assert call(path, X_Signature=f"{algorithm}={good.upper()}") == 200
        assert call(path, X_Signature=f"{algorithm}={good[:-1]}") == 400
        assert call(path, BODY + " ", X_Signature=f"{algorithm}={good}") == 400
    assert call(path, X_Signature="md5=" + signed("md5", "t0ken")) == 400
    assert call(path, X_Signature=signed("sha256", "t0ken")) == 400
    assert call(path, X_Signature="sha256=") == 400


@pytest.mark.parametrize("kind, header", [("gitlab", "X_Gitlab_Token"),
                                          ("harbor", "Authorization")])
def test_N81_token_headers(receiver, repository, call, kind, header):
    repository()
    path = receiver(kind)
    wait_until(lambda: call(path, **{header: "t0ken"}) == 200, "the path to be served")
    for wrong in ("t0ke", "t0kenn", "T0ken", "Bearer t0ken", ""):
        assert call(path, **{header: wrong}) == 400
    assert call(path) == 400


EVENT_HEADERS = {"github": "X_GitHub_Event", "gitlab": "X_Gitlab_Event",
                 "bitbucket": "X_Event_Key", "cdevents": "Ce_Type"}


def cdevent(kind="change.merged.0.2.0", subject="change", content=None, **more):
    return json.dumps({"context": {"version": "0.4.1", "id": "1", "source": "/here",
                                   "type": "dev.cdevents." + kind,
                                   "timestamp": "2026-01-02T03:04:05Z"},
                       "subject": {"id": "x", "type": subject, "content": content or {}}, **more})


@pytest.mark.parametrize("kind", EVENT_HEADERS)
def test_N82_events_are_filtered_without_case(receiver, repository, call, kind):
    repository()
    path = receiver(kind, events=["Push", "ping"])
    body = cdevent() if kind == "cdevents" else BODY
    credentials = {"X_Hub_Signature_256": "sha256=" + signed("sha256", "t0ken", body),
                   "X_Gitlab_Token": "t0ken"}

    def send(event):
        return call(path, body, **credentials, **({EVENT_HEADERS[kind]: event} if event else {}))
    wait_until(lambda: send("pUsh") == 200, "the path to be served")
    assert [send(e) for e in ("ping", "PING", "pull", "pus", None)] == [200, 200, 400, 400, 400]


def test_N83_nexus_signature(receiver, repository, call):
    repository()
    path = receiver("nexus")
    good = signed("sha1", "t0ken")
    wait_until(lambda: call(path, X_Nexus_Webhook_Signature=good) == 200, "the path to be served")
    assert call(path, X_Nexus_Webhook_Signature="sha1=" + good) == 400
    assert call(path, X_Nexus_Webhook_Signature=signed("sha256", "t0ken")) == 400
    assert call(path) == 400
    assert call(path, "no json", X_Nexus_Webhook_Signature=signed("sha1", "t0ken", "no json")) == 400


def pubsub(data):
    return json.dumps({"message": {"data": base64.b64encode(data.encode()).decode()}})


def test_N84_gcr_tokens(receiver, repository, call, signer, directory):
    annotation = repository()
    path = receiver("gcr", data={"email": "push@test", "audience": "us"})
    good = {"iss": "https://accounts.google.com", "aud": "us", "email": "push@test",
            "email_verified": True}
    body = pubsub('{"action": "INSERT", "digest": "d", "tag": "t"}')

    def send(text=body, by=signer, scheme="Bearer ", **changes):
        return call(path, text, Authorization=scheme + by.token(**{**good, **changes}))
    stranger = Signer(directory, "k2")
    posing = Signer(directory, "k1-posing")
    posing.kid = signer.kid
    wait_until(lambda: send() == 200, "the path to be served")
    assert annotation()
    assert send(iss="accounts.google.com") == 200
    assert send(aud="them") == 400
    assert send(iss="https://accounts.example") == 400
    assert send(email="other@test") == 400
    assert send(email_verified=False) == 400
    assert send(email_verified=None) == 400
    assert send(exp=int(time.time()) - 10) == 400
    assert send(by=stranger) == 400
    assert send(by=posing) == 400
    assert send(scheme="") == 400
    assert send(scheme="bearer:") == 400
    assert call(path, body) == 400
    assert send(pubsub("no json")) == 400
    assert send(pubsub("[]")) == 400
    assert send("no json") == 400
    assert send("{}") == 400


def test_N84_gcr_needs_email_and_audience(receiver, repository, call, signer):
    repository()
    path = receiver("gcr", data={"audience": "us"})
    wait_until(lambda: call(path) == 400, "the path to be served")
    claims = {"iss": "accounts.google.com", "aud": "", "email": "", "email_verified": True}
    assert call(path, pubsub("{}"), Authorization="Bearer " + signer.token(
        **{**claims, "aud": "us"})) == 400
    path = receiver("gcr", "other", data={"email": "push@test"})
    wait_until(lambda: call(path) == 400, "the path to be served")
    assert call(path, pubsub("{}"), Authorization="Bearer " + signer.token(
        **{**claims, "email": "push@test"})) == 400


@pytest.mark.parametrize("kind", ["dockerhub", "quay", "acr"])
def test_N85_body_must_be_json(receiver, repository, call, kind):
    repository()
    path = receiver(kind)
    wait_until(lambda: call(path) == 200, "the path to be served")
    assert [call(path, body) for body in ("", "{", "no", "[]", "{}")] == [400, 400, 400, 400, 200]


def test_N86_cdevents_follow_their_schema(receiver, repository, call):
    repository()
    path = receiver("cdevents")
    wait_until(lambda: call(path, cdevent()) == 200, "the path to be served")
    assert call(path, cdevent(customData={"a": 1})) == 200
    assert call(path, cdevent("pipelinerun.started.0.2.0", "pipelineRun",
                              {"pipelineName": "p", "url": "u"})) == 200
    for bad in (cdevent("change.merged.9.9.9"), cdevent(subject="branch"), cdevent(extra=1),
                cdevent(content={"unknown": 1}), cdevent(content={"repository": {}}),
                cdevent("pipelinerun.started.0.2.0", "pipelineRun", {"url": "u"}), "{}", "[]", "x"):
        assert call(path, bad) == 400, bad


@pytest.mark.parametrize("spec", [
    {"type": "generic-oidc", "secretRef": {"name": "x"}, "oidcProviders": [
        {"issuerURL": "https://issuer.test", "validations": [
            {"expression": "true", "message": "m"}]}]},
    {"type": "generic-oidc"}, {"type": "generic"},
    {"type": "generic", "secretRef": {"name": "x"}, "oidcProviders": [
        {"issuerURL": "https://issuer.test", "validations": [
            {"expression": "true", "message": "m"}]}]}], ids=["both", "none", "bare", "foreign"])
def test_N88_secret_or_oidc(objects, spec):
    """The API server's rules refuse it; where they are not known, the controller does."""
    status, reply = objects.api.rest.call("POST", objects.path("Receiver"), {
        "apiVersion": "notification.toolkit.fluxcd.io/v1", "kind": "Receiver",
        "metadata": {"name": "hook"},
        "spec": {"resources": [{"kind": "GitRepository", "name": "app"}], **spec}})
    if status == 422:
        return
    assert status == 201, reply
    objects.not_ready("Receiver", "hook", "ValidationFailed")


@contextlib.contextmanager
def serving_issuer(signer):
    """An OpenID Connect issuer."""
    server = Sink({
        "/.well-known/openid-configuration": lambda m, n: (200, {}, json.dumps(
            {"issuer": server.url, "jwks_uri": server.url + "/keys"}).encode()),
        "/keys": lambda m, n: (200, {}, json.dumps({"keys": [signer.jwk]}).encode())})
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def issuer(signer):
    with serving_issuer(signer) as server:
        yield server


def oidc(issuer, **provider):
    return {"type": "generic-oidc",
            "resources": [{"kind": "GitRepository", "name": "app"}],
            "oidcProviders": [{"issuerURL": issuer.url, "audience": "us", "validations": [
                {"expression": "claims.sub == vars.who", "message": "not mine"},
                {"expression": "claims.level > 2", "message": "too low"}],
                "variables": [{"name": "who", "expression": "'me' + '!'"}], **provider}]}


def test_N87_claims_pass_the_validations(objects, repository, call, signer, issuer):
    annotation = repository()
    objects.apply("Receiver", "hook", {**oidc(issuer), "resourceFilter":
                                       "claims.sub.startsWith('me') && req.go == 1"})
    path = objects.ready("Receiver", "hook")["status"]["webhookPath"]

    def send(go=1, **claims):
        token = signer.token(**{"iss": issuer.url, "aud": "us", "sub": "me!", "level": 3, **claims})
        return call(path, json.dumps({"go": go}), Authorization="Bearer " + token)
    wait_until(lambda: send(go=2) == 200, "the path to be served")
    assert annotation() is None, "the filter did not hold"
    assert send(sub="you") == 400 and send(level=2) == 400 and send(aud="them") == 400
    assert send(level="high") == 400 and annotation() is None
    assert send() == 200 and annotation()


def test_N87_an_issuer_that_nobody_named_is_not_asked(objects, repository, call, signer, issuer,
                                                      directory):
    annotation = repository()
    objects.apply("Receiver", "hook", oidc(issuer))
    path = objects.ready("Receiver", "hook")["status"]["webhookPath"]
    stranger = Signer(directory, "stranger")
    claims = {"aud": "us", "sub": "me!", "level": 3}
    with serving_issuer(stranger) as other:
        def send(by, iss):
            return call(path, Authorization="Bearer " + by.token(**claims, iss=iss.url))
        wait_until(lambda: send(stranger, other) == 400, "the path to be served")
        assert annotation() is None and not other.messages
        assert send(signer, issuer) == 200 and annotation()


@pytest.mark.parametrize("provider, message", [
    ({"validations": [{"expression": "claims.sub", "message": "m"}]},
     'invalid expression for validation "m": CEL expression output type mismatch: expected bool, '
     "got dyn"),
    ({"variables": [{"name": "v", "expression": "nope"}]},
     "invalid expression for variable \"v\": failed to parse the CEL expression 'nope': ERROR: "
     "<input>:1:1: undeclared reference to 'nope'")], ids=["validation", "variable"])
def test_N90_bad_claims_expressions_stall(objects, repository, issuer, provider, message):
    objects.apply("Receiver", "hook", oidc(issuer, **provider))
    stalled = objects.not_ready("Receiver", "hook", "InvalidCELExpression")
    assert f'oidcProviders[0] (issuerURL="{issuer.url}"): {message}' in \
        objects.condition(stalled)["message"]


def test_N89_both_filters_must_hold(receiver, repository, call):
    app, other = repository(tier="web"), repository("other", tier="db")
    path = receiver(resourceFilter="has(req.names) && res.metadata.name in req.names", resources=[
        {"kind": "GitRepository", "name": "app", "filter": "res.metadata.labels.tier == 'web'"},
        {"kind": "GitRepository", "name": "other", "filter": "res.metadata.labels.tier == 'web'"}])
    wait_until(lambda: call(path) == 200, "the path to be served")
    assert call(path, json.dumps({"names": ["nobody"]})) == 200
    assert app() is None and other() is None
    names = json.dumps({"names": ["app", "other"]})
    # What is no JSON by its type is not read.
    assert call(path, names, Content_Type="text/plain") == 200
    assert app() is None and other() is None
    assert call(path, names, Content_Type="application/json; charset=utf-8") == 200
    assert app() and other() is None


def test_N89_filters_of_wildcards(receiver, repository, call):
    one, two = repository("one", tier="web"), repository("two", tier="web")
    path = receiver(resources=[{
        "kind": "GitRepository", "name": "*", "matchLabels": {"tier": "web"},
        "filter": "res.kind == 'GitRepository' && res.metadata.name == req.name"}])
    wait_until(lambda: call(path, json.dumps({"name": "none"})) == 200, "the path to be served")
    assert one() is None and two() is None
    assert call(path, json.dumps({"name": "two"})) == 200
    assert one() is None and two()


@pytest.mark.parametrize("spec, message", [
    ({"resourceFilter": "res.metadata.name"}, "invalid resourceFilter expression: CEL expression "
     "output type mismatch: expected bool, got dyn"),
    ({"resourceFilter": "'a'"}, "expected bool, got string"),
    ({"resourceFilter": "true &&"}, "invalid resourceFilter expression: failed to parse the CEL "
     "expression 'true &&': ERROR: <input>:1:8: Syntax error: mismatched input '<EOF>'"),
    ({"resourceFilter": "claims.sub == 'x'"}, "undeclared reference to 'claims'"),
    ({"resources": [{"kind": "GitRepository", "name": "app", "filter": "req"}]},
     'invalid filter expression for resources[0] (kind="GitRepository", name="app"): '
     "CEL expression output type mismatch: expected bool, got map(string, dyn)")],
    ids=["untyped", "text", "syntax", "claims", "own"])
def test_N90_bad_filters_stall(objects, secret, repository, spec, message):
    secret("hook", token="t")
    objects.apply("Receiver", "hook", {
        "type": "generic", "secretRef": {"name": "hook"},
        "resources": [{"kind": "GitRepository", "name": "app"}], **spec})
    stalled = objects.not_ready("Receiver", "hook", "InvalidCELExpression")
    assert objects.condition(stalled, "Stalled")["reason"] == "InvalidCELExpression"
    assert message in objects.condition(stalled)["message"]
    assert stalled["status"]["observedGeneration"] == stalled["metadata"]["generation"]


def test_N91_a_filter_that_fails(receiver, repository, call):
    annotation = repository()
    path = receiver(resourceFilter="req.name == 'x'")
    wait_until(lambda: call(path) == 500, "the path to be served")
    assert call(path, "no json") == 500 and call(path, "[]") == 500
    assert annotation() is None
    assert call(path, json.dumps({"name": "x"})) == 200 and annotation()


def test_N92_api_version_is_needed_for_other_kinds(receiver, objects, repository, call):
    annotation = repository()
    path = receiver(resources=[{"kind": "Kustomization", "name": "app"},
                               {"kind": "GitRepository", "name": "absent"},
                               {"kind": "GitRepository", "name": "app"}])
    wait_until(lambda: call(path) == 500, "the path to be served")
    assert annotation(), "the other resources go on after a failure"
    objects.apply("Kustomization", "app", {
        "interval": "1h", "prune": False, "suspend": True,
        "sourceRef": {"kind": "GitRepository", "name": "app"}})
    path = receiver(name="full", resources=[
        {"kind": "Kustomization", "name": "app",
         "apiVersion": "kustomize.toolkit.fluxcd.io/v1"}])
    wait_until(lambda: call(path) == 200, "the path to be served")
    assert REQUESTED in objects.get("Kustomization", "app")["metadata"]["annotations"]


def test_N92_kinds_that_have_a_version_of_their_own(receiver, repository, call, toolkit):
    repository()
    kinds = ["Bucket", "HelmChart", "HelmRepository", "GitRepository", "OCIRepository",
             "ImageRepository", "ArtifactGenerator"]
    path = receiver(resources=[{"kind": kind, "name": "absent"} for kind in kinds])
    wait_until(lambda: call(path) == 500, "the path to be served")
    log = toolkit["notification-controller"].log
    wait_until(lambda: all(f"{kind}/absent" in log() for kind in kinds[:5]), "the log")
    assert not [k for k in kinds if f"apiVersion must be specified for kind '{k}'" in log()]


def test_N93_wildcards_need_labels(receiver, repository, call):
    web, db = repository("web", tier="web"), repository("db", tier="db")
    path = receiver(resources=[{"kind": "GitRepository", "name": "*",
                                "matchLabels": {"tier": "web"}}])
    wait_until(lambda: call(path) == 200, "the path to be served")
    assert web() and not db()
    first = web()
    wait_until(lambda: call(path) == 200 and web() != first, "a new value at each request")
    path = receiver(name="none", resources=[{"kind": "GitRepository", "name": "*",
                                             "matchLabels": {"tier": "nowhere"}}])
    wait_until(lambda: call(path) == 200, "the path to be served")
    path = receiver(name="bare", resources=[{"kind": "GitRepository", "name": "*"}])
    wait_until(lambda: call(path) == 500, "the path to be served")
    assert not db()


def test_N93_all_labels_must_match(receiver, repository, call):
    both, bare = repository("both", tier="web", zone="a"), repository("bare", zone="a")
    other = repository("other", tier="web", zone="b")
    path = receiver(resources=[{"kind": "GitRepository", "name": "*",
                                "matchLabels": {"tier": "web", "zone": "a"}}])
    wait_until(lambda: call(path) == 200, "the path to be served")
    assert both() and not other() and not bare()


def test_N94_foreign_resources_under_the_flag(receiver, objects, repository, call, api):
    annotation = repository()
    foreign = type(objects)(api, objects.ns + "-2")
    api.kubectl("create", "namespace", foreign.ns)
    foreign.apply("GitRepository", "x", {"url": "https://git.test/x", "interval": "1h",
                                         "suspend": True})
    path = receiver(resources=[{"kind": "GitRepository", "name": "x", "namespace": foreign.ns},
                               {"kind": "GitRepository", "name": "app", "namespace": objects.ns}])
    wait_until(lambda: call(path) == 500, "the path to be served")
    assert annotation()
    assert "annotations" not in foreign.get("GitRepository", "x")["metadata"]


def test_N95_labelled_secret_wakes_its_receivers(receiver, objects, repository, call, api):
    repository()
    path = receiver(interval="1h")
    api.kubectl("label", "secret", "hook", "-n", objects.ns, "reconcile.fluxcd.io/watch=Enabled")
    api.kubectl("patch", "secret", "hook", "-n", objects.ns, "--type=merge", "-p",
                '{"stringData": {"token": "fresh"}}')
    moved = objects.wait("Receiver", "hook",
                         lambda o: o["status"].get("webhookPath") not in (None, path), "to move")
    wait_until(lambda: call(moved["status"]["webhookPath"]) == 200, "the new path to be served")


def test_N96_receiver_deletion_releases_the_finalizer(receiver, objects, repository, call):
    repository()
    path = receiver()
    assert objects.get("Receiver", "hook")["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
    objects.delete("Receiver", "hook")
    objects.gone("Receiver", "hook")
    wait_until(lambda: call(path) == 404, "the path to go")


def test_metrics_of_the_receiver(receiver, repository, call, toolkit):
    repository()
    path = receiver()
    wait_until(lambda: call(path) == 200, "the path to be served")
    series = f'gotk_receiver_http_request_duration_seconds_count{{service="",handler="{path}"'
    wait_until(lambda: series in toolkit["notification-controller"].metrics(), "the series")
