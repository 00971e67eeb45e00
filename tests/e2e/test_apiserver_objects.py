"""Acceptance of the embedded API server: writes of objects (A13..A32, A49..A53)."""
import base64
import tempfile
import uuid

from tests.lib.apiserver import (  # noqa: F401 - fixtures
    CM, DEPLOY, JSON_PATCH, MERGE, STRATEGIC, api, config_map, deployment, embedded, ns, obj, rv,
    service, start_server, stop_server, widgets)


def test_A13_generate_name(api, ns):
    body = config_map(None, metadata={"generateName": "gen-"})
    del body["metadata"]["name"]
    names = {api.post(CM % ns, body).json["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3 and all(len(n) == 9 and n.startswith("gen-") for n in names)
    named = api.post(CM % ns, config_map("mine", metadata={"generateName": "gen-"}))
    assert named.json["metadata"]["name"] == "mine"


def test_A14_second_create_exists(api, ns):
    assert api.post(CM % ns, config_map("a")).code == 201
    again = api.post(CM % ns, config_map("a"))
    assert (again.code, again.json["reason"]) == (409, "AlreadyExists")
    assert again.json["message"] == 'configmaps "a" already exists'


def test_A15_wrong_namespace(api, ns):
    reply = api.post(CM % ns, config_map("a", metadata={"namespace": "other"}))
    assert (reply.code, reply.json["reason"]) == (400, "BadRequest")
    api.post(CM % ns, config_map("a"))
    other = api.put(CM % ns + "/a", config_map("b"))
    assert other.code == 400 and "the name on the URL" in other.json["message"]


def test_A16_missing_namespace(api):
    reply = api.post(CM % "nowhere", config_map("a"))
    assert reply.code == 404 and reply.json["message"] == 'namespaces "nowhere" not found'


@embedded
def test_A17_versions_rise_across_restart():
    with tempfile.TemporaryDirectory() as directory:
        server = start_server(directory)
        seen = []
        for i in range(3):
            seen.append(int(rv(server.post(CM % "default", config_map("a%d" % i)))))
            seen.append(int(rv(server.post("/api/v1/namespaces",
                                           obj("v1", "Namespace", "n%d" % i)))))
        newest = server.delete(CM % "default" + "/a2")
        assert newest.code == 200
        before = int(rv(server.get(CM % "default")))
        assert stop_server(server) == 0
        server = start_server(directory)
        seen.append(before)
        seen.append(int(rv(server.post(CM % "default", config_map("b")))))
        assert seen == sorted(set(seen))
        assert stop_server(server) == 0


def test_A18_stale_put(api, ns):
    first = api.post(CM % ns, config_map("a")).json
    assert api.patch(CM % ns + "/a", {"data": {"k": "2"}}, MERGE).code == 200
    first["data"]["k"] = "3"
    stale = api.put(CM % ns + "/a", first)
    assert (stale.code, stale.json["reason"]) == (409, "Conflict")
    assert stale.json["message"] == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please '
        'apply your changes to the latest version and try again')
    other = config_map("a", metadata={"uid": str(uuid.uuid4())})
    namesake = api.put(CM % ns + "/a", other)
    assert (namesake.code, namesake.json["reason"]) == (409, "Conflict")
    assert "Precondition failed: UID in precondition" in namesake.json["message"]


def test_A19_put_without_version(api, ns, widgets):
    api.post(CM % ns, config_map("a"))
    assert api.put(CM % ns + "/a", config_map("a", {"k": "2"})).code == 200
    assert api.post(widgets.base, widgets.make("w")).code == 201
    assert api.put(widgets.base + "/w", widgets.make("w", size=2)).code == 422


def test_A20_identical_put(api, ns):
    made = api.post(CM % ns, config_map("a"))
    watch = api.watch(CM % ns + "?watch=1&timeoutSeconds=2&resourceVersion=" + rv(made))
    again = api.put(CM % ns + "/a", made.json)
    assert again.code == 200 and rv(again) == rv(made)
    assert watch.until_end() == []


def test_A21_put_absent(api, ns):
    lease = obj("coordination.k8s.io/v1", "Lease", "l", spec={"holderIdentity": "x"})
    path = "/apis/coordination.k8s.io/v1/namespaces/%s/leases/l" % ns
    assert api.put(path, lease).code == 201
    assert api.put(CM % ns + "/nope", config_map("nope")).code == 404


def test_A22_generation(api, widgets):
    assert api.post(widgets.base, widgets.make("w")).json["metadata"]["generation"] == 1
    path = widgets.base + "/w"
    edited = api.patch(path, {"spec": {"size": 2}}, MERGE).json
    assert edited["metadata"]["generation"] == 2
    labelled = api.patch(path, {"metadata": {"labels": {"a": "b"}}}, MERGE).json
    assert labelled["metadata"]["generation"] == 2


def test_A23_no_generation_on_config_maps(api, ns):
    assert "generation" not in api.post(CM % ns, config_map("a")).json["metadata"]


def test_A24_status_paths(api, widgets):
    body = widgets.make("w")
    body["status"] = {"observedGeneration": 7}
    made = api.post(widgets.base, body).json
    assert made["status"] == {"observedGeneration": -1}
    made["status"] = {"observedGeneration": 5}
    made["spec"]["size"] = 3
    put = api.put(widgets.base + "/w", made).json
    assert put["status"] == {"observedGeneration": -1} and put["spec"]["size"] == 3
    put["status"] = {"observedGeneration": 2}
    put["spec"]["size"] = 9
    status = api.put(widgets.base + "/w/status", put).json
    assert status["status"] == {"observedGeneration": 2} and status["spec"]["size"] == 3
    assert status["metadata"]["generation"] == put["metadata"]["generation"]


def test_A25_dry_run_create(api, ns):
    made = api.post(CM % ns + "?dryRun=All", config_map("a"))
    assert made.code == 201 and made.json["metadata"]["uid"]
    assert not made.json["metadata"].get("resourceVersion")
    assert api.get(CM % ns + "/a").code == 404


def test_A25_dry_runs_of_what_exists(api, ns):
    made = api.post(CM % ns, config_map("a"))
    path = CM % ns + "/a?dryRun=All"
    put = api.put(path, config_map("a", {"k": "2"}))
    assert (put.code, put.json["data"], rv(put)) == (200, {"k": "2"}, rv(made))
    patched = api.patch(path, {"metadata": {"finalizers": ["example.com/hold"]}}, MERGE)
    assert patched.code == 200 and patched.json["metadata"]["finalizers"]
    assert api.delete(path).code == 200
    assert api.get(CM % ns + "/a").json == made.json
    assert api.post(CM % ns, config_map("h", metadata={"finalizers": ["a.b/c"]})).code == 201
    assert api.delete(CM % ns + "/h?dryRun=All").json["metadata"]["deletionTimestamp"]
    assert "deletionTimestamp" not in api.get(CM % ns + "/h").json["metadata"]
    api.patch(CM % ns + "/h", {"metadata": {"finalizers": None}}, MERGE)


def test_A26_field_validation(api, ns, widgets):
    body = config_map("a")
    body["dataa"] = {}
    strict = api.post(CM % ns + "?fieldValidation=Strict", body)
    assert strict.code == 400
    assert 'strict decoding error: unknown field "dataa"' in strict.json["message"]
    warned = api.post(CM % ns, body)
    assert warned.code == 201
    assert warned.headers["Warning"] == '299 - "unknown field \\"dataa\\""'
    strict = api.post(widgets.base + "?fieldValidation=Strict", widgets.make("w", oops=1))
    assert strict.code == 400 and 'unknown field "spec.oops"' in strict.json["message"]


def test_A27_json_patch_failing_test(api, ns):
    api.post(CM % ns, config_map("a"))
    patch = [{"op": "test", "path": "/data/k", "value": "other"}]
    assert api.patch(CM % ns + "/a", patch, JSON_PATCH).code == 422
    good = [{"op": "test", "path": "/data/k", "value": "v"},
            {"op": "add", "path": "/data/x", "value": "y"}]
    assert api.patch(CM % ns + "/a", good, JSON_PATCH).json["data"] == {"k": "v", "x": "y"}


def test_A28_merge_patch_null(api, ns):
    api.post(CM % ns, config_map("a", {"k": "v", "x": "y"}))
    assert api.patch(CM % ns + "/a", {"data": {"x": None}}, MERGE).json["data"] == {"k": "v"}


def test_A29_strategic_adds_container(api, ns):
    assert api.post(DEPLOY % ns, deployment("d")).code == 201
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "s", "image": "x:1"}]}}}}
    reply = api.patch(DEPLOY % ns + "/d", patch, STRATEGIC)
    found = reply.json["spec"]["template"]["spec"]["containers"]
    assert {c["name"]: c["image"] for c in found} == {"c": "nginx:1", "s": "x:1"}


def test_A30_strategic_on_custom_kind(api, widgets):
    api.post(widgets.base, widgets.make("w"))
    assert api.patch(widgets.base + "/w", {"spec": {"size": 2}}, STRATEGIC).code == 415


def test_A31_strategic_delete_directive(api, ns):
    body = deployment("d", env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    assert api.post(DEPLOY % ns, body).code == 201
    patch = {"spec": {"template": {"spec": {"containers": [
        {"name": "c", "env": [{"name": "A", "$patch": "delete"}]}]}}}}
    found = api.patch(DEPLOY % ns + "/d", patch, STRATEGIC).json
    assert found["spec"]["template"]["spec"]["containers"][0]["env"] == [
        {"name": "B", "value": "2"}]


def test_A32_scale(api, ns):
    api.post(DEPLOY % ns, deployment("d"))
    path = DEPLOY % ns + "/d/scale"
    scale = api.get(path).json
    assert scale["kind"] == "Scale" and scale["spec"]["replicas"] == 1
    api.kubectl("scale", "deploy/d", "-n", ns, "--replicas=3")
    assert api.get(DEPLOY % ns + "/d").json["spec"]["replicas"] == 3
    assert api.get(path).json["status"]["selector"] == "app=d"


def test_A49_quantity_normal_form(api, ns):
    body = deployment("d", resources={"limits": {"cpu": "0.5", "memory": "1024Mi"}})
    first = api.apply(DEPLOY % ns + "/d", body)
    limits = first.json["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": "500m", "memory": "1Gi"}
    again = api.apply(DEPLOY % ns + "/d", body)
    assert again.code == 200 and rv(again) == rv(first)


def test_A50_deployment_defaults(api, ns):
    body = deployment("d", readinessProbe={"httpGet": {"port": 80}})
    spec = api.post(DEPLOY % ns, body).json["spec"]
    assert (spec["replicas"], spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (
        1, 10, 600)
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {
        "maxSurge": "25%", "maxUnavailable": "25%"}}
    pod = spec["template"]["spec"]
    assert pod["dnsPolicy"] == "ClusterFirst" and pod["restartPolicy"] == "Always"
    assert pod["schedulerName"] == "default-scheduler" and pod["securityContext"] == {}
    assert pod["terminationGracePeriodSeconds"] == 30
    container = pod["containers"][0]
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["readinessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1,
        "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def test_A51_cluster_ip(api, ns):
    path = "/api/v1/namespaces/%s/services" % ns
    made = api.post(path, service("web", [{"port": 80}])).json
    spec = made["spec"]
    assert spec["clusterIP"] and spec["clusterIPs"] == [spec["clusterIP"]]
    assert spec["ports"][0]["targetPort"] == 80 and spec["sessionAffinity"] == "None"
    for unset in (0, ""):  # as Go's types write what nobody has set
        dry = api.post(path + "?dryRun=All", service("typed", [{"port": 80, "targetPort": unset}]))
        assert dry.code == 201 and dry.json["spec"]["ports"][0]["targetPort"] == 80, dry.json
    changed = api.patch(path + "/web", {"spec": {"clusterIP": "10.0.0.77"}}, MERGE)
    assert changed.code == 422
    kept = api.put(path + "/web", service("web", [{"port": 81}]))
    assert kept.code == 200 and kept.json["spec"]["clusterIP"] == spec["clusterIP"]


def test_A52_selector_is_immutable(api, ns):
    api.post(DEPLOY % ns, deployment("d"))
    patch = {"spec": {"selector": {"matchLabels": {"app": "x"}},
                      "template": {"metadata": {"labels": {"app": "x"}}}}}
    reply = api.patch(DEPLOY % ns + "/d", patch, MERGE)
    assert reply.code == 422 and "field is immutable" in reply.json["message"]


def test_A53_string_data(api, ns):
    made = api.post("/api/v1/namespaces/%s/secrets" % ns,
                    obj("v1", "Secret", "s", stringData={"a": "secret"})).json
    assert base64.b64decode(made["data"]["a"]) == b"secret"
    assert "stringData" not in made and made["type"] == "Opaque"
