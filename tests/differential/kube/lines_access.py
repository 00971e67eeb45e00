"""Hand-written scripts for the lines of the contract about who may do what (A6..A12)."""
from .scripts import at, config_map, create, delete, get, merge, put, thing, url

REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
SELF = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
RBAC = "rbac.authorization.k8s.io"
TOKENS = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
SECRETLESS = {"Authorization": None}
BEARER = {"Authorization": "Bearer @token@"}


def user_as(name, **more):
    return {"Impersonate-User": name, **more}


def account(name="robot"):
    return user_as(f"system:serviceaccount:@ns:{name}")


def role(name="r", *rules, kind="Role"):
    return thing(f"{kind}/{name}", rules=[
        {"apiGroups": [group], "resources": resources, "verbs": verbs, **more}
        for group, resources, verbs, more in rules])


def rule(resources, verbs, group="", **more):
    return group, resources.split(), verbs.split(), more


def binding(name, role_name, *subjects, kind="Role", bound="RoleBinding"):
    return thing(f"{bound}/{name}", roleRef={"apiGroup": RBAC, "kind": kind, "name": role_name},
                 subjects=list(subjects))


def user(name):
    return {"kind": "User", "name": name, "apiGroup": RBAC}


def robot(name="robot"):
    return {"kind": "ServiceAccount", "name": name, "namespace": "@ns"}


def token(name="robot", **spec):
    """The token itself and its end differ."""
    return at("POST", url(f"ServiceAccount/{name}", sub="token"), {**TOKENS, "spec": spec},
              pick=lambda b: b["spec"].get("expirationSeconds"))


def whoami(headers, **more):
    return at("POST", REVIEW, SELF, headers=headers, **more)


def identity(body):
    info = body["status"]["userInfo"]
    return info["username"], sorted(info.get("groups", []))


def can_i(headers=None, kind="SelfSubjectAccessReview", ns="", **spec):
    path = "/apis/authorization.k8s.io/v1/" + (f"namespaces/{ns}/" if ns else "") + \
        kind.lower() + "s"
    return at("POST", path, {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec},
              headers=headers, until=True, pick=lambda b: b["status"].get("allowed"))


def rules_of(body):
    return sorted(str(sorted(one.items())) for one in body["status"]["resourceRules"])


READER = (role("r", rule("configmaps", "get list create")), binding("b", "r", user("jane@ns")))
JANE = user_as("jane@ns")

CASES = {
    "A6 who is nobody": [
        *[at("GET", path, headers=SECRETLESS) for path in (
            "/api/v1/pods", "/api", "/apis", "/healthz", "/metrics", "/openapi/v2",
            "/nothing", url("ConfigMap/a"), url("Widget"))],
        *[at("GET", "/api/v1/pods", headers={"Authorization": text}) for text in (
            "Bearer wrong", "Bearer ", "Bearer", "Basic YTpi", "x", "bearer wrong", "Bearer a.b.c")],
        at("POST", url("ConfigMap"), config_map(), headers=SECRETLESS),
        at("DELETE", url("ConfigMap/a"), headers=SECRETLESS),
        at("PATCH", url("ConfigMap/a", "fieldManager=m"), config_map(), "apply",
           headers=SECRETLESS), whoami(SECRETLESS),
        at("GET", url("ConfigMap", "watch=true"), headers=SECRETLESS)],
    "A8 tokens of accounts": [
        create(thing("ServiceAccount/robot")), token(), whoami(BEARER, pick=identity, until=True),
        at("GET", url("ConfigMap"), headers=BEARER), at("GET", "/api", headers=BEARER,
                                                         pick=lambda b: b["kind"]),
        token(expirationSeconds=600), token(expirationSeconds=599), token(expirationSeconds=1 << 33),
        token(audiences=["other"]), at("GET", "/api", headers=BEARER), token("none"),
        token(boundObjectRef={"kind": "Secret", "apiVersion": "v1", "name": "none"}),
        token(boundObjectRef={"kind": "Maybe", "apiVersion": "v1", "name": "none"}),
        token(boundObjectRef={"kind": "Secret", "apiVersion": "v1", "name": "s", "uid": "x"}),
        create(thing("Secret/s")), token(boundObjectRef={
            "kind": "Secret", "apiVersion": "v1", "name": "s"}),
        whoami(BEARER, pick=identity, until=True), delete("Secret/s"),
        at("GET", "/api", headers=BEARER, until=True, pick=lambda b: b["kind"]), token(),
        at("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
            "spec": {"token": "@token@"}}, until=True,
           pick=lambda b: (b["status"]["authenticated"], b["status"]["user"]["username"])),
        at("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {
                "token": "wrong"}}, pick=lambda b: b["status"].get("authenticated")),
        at("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {}}),
        at("POST", url("ServiceAccount/robot", sub="token"), {"kind": "Other"}),
        at("GET", url("ServiceAccount/robot", sub="token"))],
    "A9 a Role stops at its namespace": [
        *map(create, READER), at("GET", url("ConfigMap", "labelSelector=none"), headers=JANE,
                                 until=True),
        at("POST", url("ConfigMap"), config_map(), headers=JANE),
        at("GET", url("ConfigMap/a"), headers=JANE), at("DELETE", url("ConfigMap/a"), headers=JANE),
        at("PATCH", url("ConfigMap/a"), {}, "merge", headers=JANE),
        at("PUT", url("ConfigMap/a"), config_map(), headers=JANE),
        at("GET", url("ConfigMap", ns="default"), headers=JANE),
        at("GET", "/api/v1/configmaps", headers=JANE), at("GET", url("Secret"), headers=JANE),
        at("GET", url("ConfigMap", "watch=true"), headers=JANE),
        at("DELETE", url("ConfigMap"), headers=JANE), at("GET", url("Widget"), headers=JANE),
        at("GET", url("Deployment/d", sub="scale"), headers=JANE),
        at("GET", "/api/v1/namespaces/@ns", headers=JANE), at("GET", "/metrics", headers=JANE),
        at("PATCH", url("ConfigMap/b", "fieldManager=m"), config_map("b"), "apply", headers=JANE),
        at("POST", url("Role"), role("x", rule("secrets", "get")), headers=JANE),
        create(role("named", rule("configmaps", "get delete", resourceNames=["only"]))),
        create(binding("named", "named", user("joe@ns"))),
        at("GET", url("ConfigMap/only"), headers=user_as("joe@ns"), until=True),
        at("GET", url("ConfigMap/a"), headers=user_as("joe@ns")),
        at("GET", url("ConfigMap"), headers=user_as("joe@ns")),
        merge("RoleBinding/b", {"roleRef": {"name": "other"}}),
        merge("RoleBinding/b", {"subjects": []}),
        at("GET", url("ConfigMap/a"), headers=JANE, until=True),
        create(binding("bad", "r", {"kind": "Maybe", "name": "x"})),
        create(thing("RoleBinding/bad", subjects=[user("x")])),
        create(role("bad", rule("pods", ""))), create(thing("Role/bad", rules=[{
            "verbs": ["get"], "nonResourceURLs": ["/x"]}]))],
    "A10 reviews of access": [
        *map(create, READER),
        can_i(JANE, resourceAttributes={"verb": "get", "resource": "configmaps", "namespace": "@ns"}),
        can_i(JANE, resourceAttributes={"verb": "get", "resource": "secrets", "namespace": "@ns"}),
        can_i(JANE, nonResourceAttributes={"verb": "get", "path": "/healthz"}),
        can_i(JANE, nonResourceAttributes={"verb": "get", "path": "/metrics"}), can_i(),
        can_i(resourceAttributes={"verb": "get"}, nonResourceAttributes={"verb": "get"}),
        can_i(kind="SubjectAccessReview", user="jane@ns", resourceAttributes={
            "verb": "list", "resource": "configmaps", "namespace": "@ns"}),
        can_i(kind="SubjectAccessReview", resourceAttributes={"verb": "list"}),
        can_i(kind="LocalSubjectAccessReview", ns="@ns", user="jane@ns", resourceAttributes={
            "verb": "list", "resource": "configmaps", "namespace": "@ns"}),
        can_i(kind="LocalSubjectAccessReview", ns="@ns", user="jane@ns", resourceAttributes={
            "verb": "list", "resource": "configmaps", "namespace": "other"}),
        at("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": "@ns"}}, headers=JANE, pick=rules_of, until=True),
        at("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {}}),
        at("GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")],
    "A11 impersonation needs the right": [
        create(thing("ServiceAccount/robot")), token(),
        *[at("GET", "/api/v1/pods", headers={**BEARER, **more}, until=True) for more in (
            {}, user_as("bob"), user_as("system:serviceaccount:@ns:x"),
            user_as("bob", **{"Impersonate-Group": "system:masters"}),
            {"Impersonate-Group": "x"}, {"Impersonate-Uid": "x"}, {"Impersonate-Extra-A": "x"})],
        at("GET", "/api/v1/pods", headers={"Impersonate-Group": "x"}),
        create(role("imp-@ns", rule("users", "impersonate", resourceNames=["bob"]),
                    kind="ClusterRole")),
        create(binding("imp-@ns", "imp-@ns", robot(), kind="ClusterRole", bound="ClusterRoleBinding")),
        whoami({**BEARER, **user_as("bob")}, until=True, pick=identity),
        whoami({**BEARER, **user_as("eve")}), whoami({**BEARER, **user_as(
            "bob", **{"Impersonate-Group": "system:masters"})})],
    "A12 whose rights count": [
        create(thing("ServiceAccount/robot")), *map(create, (READER[0], binding("b", "r", robot()))),
        whoami(account()), whoami(account("none")), whoami(user_as("bob")),
        whoami(user_as("bob", **{"Impersonate-Group": ["a", "b"]})),
        whoami(user_as("bob", **{"Impersonate-Group": "system:masters", "Impersonate-Uid": "7"})),
        whoami(user_as("bob", **{"Impersonate-Extra-Scope": ["a", "b"],
                                 "Impersonate-Extra-a%2fb": "c"})),
        whoami(user_as("system:anonymous")),
        whoami(user_as("system:serviceaccount:@ns:")), whoami(user_as("system:serviceaccount:x")),
        at("GET", url("ConfigMap", "labelSelector=none"), headers=account(), until=True),
        at("GET", url("Secret"), headers=account()),
        at("GET", url("ConfigMap", ns="default"), headers=account()),
        at("POST", url("ConfigMap"), config_map(), headers=account()),
        at("DELETE", url("ConfigMap/a"), headers=account()),
        get("ConfigMap/a"), put(config_map(a="2"), headers=account())],
}
