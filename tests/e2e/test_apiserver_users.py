"""Acceptance of the embedded API server: who asks and what they may (A6..A12)."""
import json
import subprocess
import tempfile

from tests.lib.apiserver import (  # noqa: F401 - fixtures
    APPLY, CM, DEPLOY, JANE, allow, api, embedded, eventually, ns, obj)


def test_A6_bad_token(api):
    assert api.identity("wrong").get("/api/v1/pods").code == 401
    refused = api.identity(None).get("/api/v1/pods")
    assert refused.code == 403
    assert refused.json["message"] == (
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" '
        'at the cluster scope')


@embedded
def test_A7_client_certificate(api):
    with tempfile.TemporaryDirectory() as directory:
        def run(*args):
            subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=directory)
        run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key")
        run("req", "-new", "-key", "key", "-subj", "/O=system:masters/CN=carol", "-out", "csr")
        run("x509", "-req", "-in", "csr", "-CA", str(api.directory / "ca.crt"), "-CAkey",
            str(api.directory / "ca.key"), "-CAcreateserial", "-CAserial", "serial", "-days", "1",
            "-out", "crt")
        out = subprocess.run(
            ["kubectl", "--kubeconfig", "/dev/null", "--server", api.url,
             "--certificate-authority", api.ca, "--client-certificate", directory + "/crt",
             "--client-key", directory + "/key", "auth", "whoami", "-o", "json"],
            capture_output=True, text=True)
        assert out.returncode == 0, out.stderr
        user = json.loads(out.stdout)["status"]["userInfo"]
        assert user["username"] == "carol" and "system:masters" in user["groups"]


def test_A8_service_account_token(api, ns):
    path = "/api/v1/namespaces/%s/serviceaccounts" % ns
    assert api.post(path, obj("v1", "ServiceAccount", "robot")).code == 201
    token = api.kubectl("create", "token", "robot", "-n", ns).stdout.strip()
    robot = api.identity(token)
    review = robot.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
        "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    assert review.json["status"]["userInfo"]["username"] == "system:serviceaccount:%s:robot" % ns
    assert robot.get(CM % ns).code == 403
    api.delete(path + "/robot")
    assert eventually(lambda: robot.get("/api").code == 401)


def test_A9_role_stops_at_its_namespace(api, ns):
    allow(api, ns, JANE)
    headers = {"Impersonate-User": "jane"}
    assert eventually(lambda: api.get(CM % ns, headers=headers).code == 200)
    other = api.get(CM % "default", headers=headers)
    assert other.code == 403
    assert 'User "jane" cannot list resource "configmaps" in API group "" in the namespace ' \
        '"default"' in other.json["message"]
    assert api.delete(CM % ns + "/x", headers=headers).code == 403
    # A ClusterRole that is bound in a namespace stops there too, and a group is no other's.
    rbac = "rbac.authorization.k8s.io"
    role = obj(rbac + "/v1", "ClusterRole", ns + "-wide", rules=[
        {"apiGroups": [""], "resources": ["secrets", "deployments"], "verbs": ["list"]}])
    assert api.post(f"/apis/{rbac}/v1/clusterroles", role).code == 201
    assert api.post(f"/apis/{rbac}/v1/namespaces/{ns}/rolebindings", obj(
        rbac + "/v1", "RoleBinding", "wide", subjects=[JANE],
        roleRef={"kind": "ClusterRole", "name": ns + "-wide", "apiGroup": rbac})).code == 201
    secrets = "/api/v1/namespaces/%s/secrets"
    assert eventually(lambda: api.get(secrets % ns, headers=headers).code == 200)
    assert api.get(secrets % "default", headers=headers).code == 403
    assert api.get("/api/v1/secrets", headers=headers).code == 403
    assert api.get(DEPLOY % ns, headers=headers).code == 403
    api.delete(f"/apis/{rbac}/v1/clusterroles/{ns}-wide")


def test_A9_what_an_apply_or_update_makes_needs_create(api, ns):
    leases = "/apis/coordination.k8s.io/v1/namespaces/%s/leases/l" % ns
    asked = [(CM % ns + "/a?fieldManager=one", obj("v1", "ConfigMap", "a"), APPLY, "PATCH"),
             (leases, obj("coordination.k8s.io/v1", "Lease", "l", spec={}), None, "PUT")]
    as_jane = {"Impersonate-User": "jane"}
    allow(api, ns, JANE, "configs", verbs=("get", "patch"))
    allow(api, ns, JANE, "leases", verbs=("get", "update"), resources=("leases",),
          group="coordination.k8s.io")
    assert eventually(lambda: api.get(leases, headers=as_jane).code == 404)
    assert eventually(lambda: api.get(CM % ns + "/a", headers=as_jane).code == 404)
    for path, body, kind, method in asked:
        refused = api.call(method, path, body, kind, headers=as_jane)
        assert refused.code == 403 and 'User "jane" cannot create' in refused.json["message"]
        assert api.call(method, path, body, kind).code == 201
        assert api.call(method, path, body, kind, headers=as_jane).code != 403


def test_A10_can_i_list(api, ns):
    allow(api, ns, JANE, verbs=("get", "watch"))
    out = api.kubectl("auth", "can-i", "--list", "-n", ns, "--as", "jane").stdout
    line = [text for text in out.splitlines() if text.startswith("configmaps ")]
    assert line and "[get watch]" in line[0]
    assert api.kubectl("auth", "can-i", "get", "cm", "-n", ns, "--as", "jane").stdout == "yes\n"
    no = api.kubectl("auth", "can-i", "delete", "cm", "-n", ns, "--as", "jane", check=False)
    assert no.stdout == "no\n" and no.returncode == 1


@embedded
def test_A11_impersonation_needs_the_right(api):
    refused = api.identity("jane-token").get("/api/v1/pods", headers={"Impersonate-User": "bob"})
    assert refused.code == 403
    assert 'cannot impersonate resource "users"' in refused.json["message"]


def test_A12_impersonated_account_has_its_bindings(api, ns):
    allow(api, ns, {"kind": "ServiceAccount", "name": "robot", "namespace": ns})
    who = "system:serviceaccount:%s:robot" % ns
    api.kubectl("get", "cm", "-n", ns, "--as", who)
    assert api.kubectl("get", "secrets", "-n", ns, "--as", who, check=False).returncode == 1
