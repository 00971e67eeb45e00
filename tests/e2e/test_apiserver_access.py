"""Who a request is made as, and what roles add up to: impersonation and aggregated ClusterRoles, on
both API servers."""
import http.client
import json
import urllib.parse
import uuid

import pytest

from tests.lib.net import free_port, wait_until
from tests.lib.process import Process

RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def call(api, method, path, headers=(), body=None, token=None):
    """One request whose headers may repeat, as a list of pairs."""
    url = urllib.parse.urlsplit(api.server)
    connection = http.client.HTTPSConnection(url.hostname, url.port, context=api.rest.context,
                                             timeout=30)
    data = json.dumps(body) if body is not None else ""
    connection.putrequest(method, path)
    for name, value in [("Authorization", f"Bearer {token or api.token}"),
                        ("Accept", "application/json"), ("Content-Type", "application/json"),
                        ("Content-Length", str(len(data))), *headers]:
        connection.putheader(name, value)
    connection.endheaders(data.encode())
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, json.loads(text) if text.startswith("{") else text


def whoami(api, *headers, token=None):
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    status, reply = call(api, "POST", REVIEW, headers, body, token)
    assert status == 201, reply
    return reply["status"]["userInfo"]


def user(name):
    return "Impersonate-User", name


def group(name):
    return "Impersonate-Group", name


def test_A12_every_group_header_counts(api):
    """A comma is part of a group's name."""
    info = whoami(api, user("jane"), group("a"), group("b,c"), group("a"))
    assert info["username"] == "jane"
    assert sorted(set(info["groups"])) == ["a", "b,c", "system:authenticated"]


@pytest.fixture(scope="module")
def anybody_may_ask(api):
    """Who they are; by itself that is for authenticated users."""
    api.kubectl("create", "clusterrolebinding", "anybody", "--clusterrole=system:basic-user",
                "--group=system:unauthenticated")
    wait_until(lambda: whoami(api, user("system:anonymous")), "the binding to count")


@pytest.mark.parametrize("headers, groups", [
    ([user("jane")], ["system:authenticated"]),
    ([user("jane"), group("system:unauthenticated")], ["system:unauthenticated"]),
    ([user("system:anonymous")], ["system:unauthenticated"]),
    ([user("system:serviceaccount:x:y")],
     ["system:authenticated", "system:serviceaccounts", "system:serviceaccounts:x"]),
    ([user("system:serviceaccount:x:y"), group("only")], ["only", "system:authenticated"]),
], ids=["plain", "unauthenticated", "anonymous", "account", "account with a group"])
def test_A12_groups_of_an_impersonated_user(api, headers, groups, anybody_may_ask):
    assert sorted(whoami(api, *headers)["groups"]) == groups


def test_A12_uid_and_extra(api):
    info = whoami(api, user("jane"), ("Impersonate-Uid", "u-1"),
                  ("Impersonate-Extra-Example.com%2FScopes", "one"),
                  ("Impersonate-Extra-Example.com%2FScopes", "two"))
    assert info["uid"] == "u-1"
    assert info["extra"] == {"example.com/scopes": ["one", "two"]}


@pytest.mark.parametrize("header", [group("a"), ("Impersonate-Uid", "u"),
                                    ("Impersonate-Extra-Key", "v")], ids=lambda h: h[0])
def test_A11_impersonation_without_a_user(api, header):
    status, reply = call(api, "GET", "/api/v1/namespaces", [header])
    assert status == 500 and "without impersonating a user" in str(reply)


def cluster_role(name, rules, **more):
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name, "labels": more.pop("labels", {})}, "rules": rules, **more}


def rule(resources, verbs, groups=("",), names=()):
    made = {"apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs)}
    return {**made, "resourceNames": list(names)} if names else made


@pytest.fixture
def caller(api):
    """Makes a ServiceAccount that holds rules; its token."""
    def make(rules):
        name = "caller-" + uuid.uuid4().hex[:8]
        api.kubectl("create", "serviceaccount", name, "-n", "default")
        api.apply(cluster_role(name, rules))
        api.kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}",
                    f"--serviceaccount=default:{name}")
        return api.kubectl("create", "token", name, "-n", "default").strip()
    return make


def test_A11_each_group_needs_the_right(api, caller):
    token = caller([rule(["users"], ["impersonate"], names=["jane"]),
                    rule(["groups"], ["impersonate"], names=["a", "b"]),
                    rule(["userextras/scope"], ["impersonate"], ["authentication.k8s.io"], ["x"])])
    wait_until(lambda: whoami(api, user("jane"), token=token), "the binding to count")
    assert "b" in whoami(api, user("jane"), group("a"), group("b"), token=token)["groups"]
    assert whoami(api, user("jane"), ("Impersonate-Extra-Scope", "x"), token=token)["extra"]
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    for bad, what in ((group("system:masters"), 'groups "system:masters" is forbidden: User '),
                      (("Impersonate-Extra-Scope", "y"),
                       'cannot impersonate resource "userextras/scope" in API group '
                       '"authentication.k8s.io" at the cluster scope'),
                      (("Impersonate-Uid", "u"), 'uids.authentication.k8s.io "u" is forbidden')):
        status, reply = call(api, "POST", REVIEW, [user("jane"), group("a"), bad], body, token)
        assert status == 403 and what in reply["message"], reply


@pytest.fixture(scope="module")
def aggregator(api, directory):
    """Aggregation: part of the embedded server, of the controller manager in a real cluster."""
    if api.kind == "embedded":
        yield
        return
    manager = Process(
        [api.oracle / "kube-controller-manager", f"--kubeconfig={api.kubeconfig}",
         "--controllers=clusterrole-aggregation-controller", "--leader-elect=false",
         f"--secure-port={free_port()}", f"--cert-dir={directory}"], directory / "manager.log")
    yield
    manager.stop()


def test_aggregated_roles_hold_the_rules_of_others(api, aggregator):
    label = "agg-" + uuid.uuid4().hex[:8]
    selector = {"clusterRoleSelectors": [{"matchLabels": {"aggregate": label}},
                                         {"matchExpressions": [
                                             {"key": label, "operator": "Exists"}]}]}
    total, one, two = label + "-total", label + "-one", label + "-two"

    def resources():
        rules = api.rest.get(f"{RBAC}/clusterroles/{total}").get("rules") or []
        return sorted(name for part in rules for name in part["resources"])
    api.apply(cluster_role(total, [], aggregationRule=selector))
    api.apply(cluster_role(one, [rule(["pods"], ["get"])], labels={"aggregate": label}))
    api.apply(cluster_role(two, [rule(["secrets"], ["get"])], labels={label: "yes"}))
    wait_until(lambda: resources() == ["pods", "secrets"], "both roles to be taken in")
    api.apply(cluster_role(one, [rule(["configmaps"], ["get"])], labels={"aggregate": label}))
    wait_until(lambda: resources() == ["configmaps", "secrets"], "the change to be taken over")
    # What was written into it by hand goes.
    status, reply = api.rest.call("PATCH", f"{RBAC}/clusterroles/{total}",
                                  {"rules": [rule(["nodes"], ["get"])]},
                                  "application/merge-patch+json")
    assert status == 200, reply
    wait_until(lambda: resources() == ["configmaps", "secrets"], "the rules to be put back")
    api.kubectl("delete", "clusterrole", two)
    wait_until(lambda: resources() == ["configmaps"], "the rules of the deleted role to go")


def test_A10_view_edit_admin_are_aggregated(api, aggregator):
    """Users extend the standing roles for their custom kinds by labels."""
    name = "agg-" + uuid.uuid4().hex[:8]
    api.apply(cluster_role(name, [rule([name], ["get"], ["example.com"])],
                           labels={"rbac.authorization.k8s.io/aggregate-to-view": "true"}))
    for role in ("view", "edit", "admin"):
        def has(role=role):
            rules = api.rest.get(f"{RBAC}/clusterroles/{role}")["rules"]
            return any(name in part.get("resources", []) for part in rules)
        wait_until(has, f"{role} to hold it")


def test_A9_nobody_aggregates_more_than_they_hold(api, caller):
    """Who may write ClusterRoles hands on only what they hold: rules and paths; a selector is all."""
    token = caller([rule(["clusterroles"], ["create"], ["rbac.authorization.k8s.io"]),
                    rule(["pods"], ["get"], names=["one"]),
                    {"nonResourceURLs": ["/some/*"], "verbs": ["get"]}])
    name = "held-" + uuid.uuid4().hex[:8]

    def create(suffix, rules, **more):
        return call(api, "POST", f"{RBAC}/clusterroles", (),
                    cluster_role(name + suffix, rules, **more), token)[0]
    wait_until(lambda: create("", []) in (201, 409), "the binding to count")
    assert create("-a", [rule(["pods"], ["get"], names=["one"])]) == 201
    assert create("-b", [rule(["pods"], ["get"], names=["two"])]) == 403
    assert create("-c", [rule(["pods"], ["get"])]) == 403
    assert create("-d", [{"nonResourceURLs": ["/some/where"], "verbs": ["get"]}]) == 201
    assert create("-e", [{"nonResourceURLs": ["/other"], "verbs": ["get"]}]) == 403
    assert create("-f", [], aggregationRule={
        "clusterRoleSelectors": [{"matchLabels": {"x": name}}]}) == 403


AUTHENTICATION = "authentication.k8s.io/v1"


def ask_token(api, ns, **spec):
    spec.setdefault("audiences", ["https://kubernetes.default.svc"])
    return call(api, "POST", f"/api/v1/namespaces/{ns}/serviceaccounts/robot/token", body={
        "apiVersion": AUTHENTICATION, "kind": "TokenRequest", "spec": spec})


def token_of(reply):
    assert reply[0] == 201, reply
    return reply[1]["status"]["token"]


def code_of(api, token):
    return call(api, "GET", "/api", token=token)[0]


@pytest.fixture
def robot(api, ns):
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount",
               "metadata": {"name": "robot", "namespace": ns}})
    return ns


def test_A8_a_token_for_others_is_none_for_the_api_server(api, robot):
    other = token_of(ask_token(api, robot, audiences=["vault"]))
    both = token_of(ask_token(api, robot, audiences=["vault", "https://kubernetes.default.svc"]))
    assert (code_of(api, other), code_of(api, both)) == (401, 200)

    def review(token, audiences):
        status, reply = call(api, "POST", f"/apis/{AUTHENTICATION}/tokenreviews", body={
            "apiVersion": AUTHENTICATION, "kind": "TokenReview",
            "spec": {"token": token, "audiences": audiences}})
        assert status == 201, reply
        answer = reply["status"]
        return answer.get("authenticated", False), answer.get("audiences")
    assert review(other, ["vault", "x"]) == (True, ["vault"])
    assert review(other, ["x"])[0] is False
    assert review(other, [])[0] is False


def test_A8_a_bound_token_ends_with_its_object(api, robot):
    api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": robot}})
    path = f"/api/v1/namespaces/{robot}/secrets/s"
    uid = api.rest.get(path)["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "Secret", "name": "s", "uid": uid}
    token = token_of(ask_token(api, robot, boundObjectRef=reference))
    assert code_of(api, token) == 200
    assert ask_token(api, robot, boundObjectRef={**reference, "name": "none"})[0] == 404
    assert ask_token(api, robot, boundObjectRef={**reference, "uid": "other"})[0] == 409
    assert ask_token(api, robot, boundObjectRef={**reference, "kind": "ConfigMap"})[0] in (400, 422)
    assert call(api, "DELETE", path)[0] == 200
    wait_until(lambda: code_of(api, token) == 401, "the token's end")
