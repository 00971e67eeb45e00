"""Owners and what belongs to them on the embedded API server, which is its own garbage collector, and
what each of its namespaces holds. tests/differential/kube/lines_life.py has the real one's words."""
import os
import uuid

import pytest

from tests.lib.kube import EmbeddedApi
from tests.lib.net import wait_until


@pytest.fixture
def own(api, ns):
    if api.kind != "embedded":
        pytest.skip("a bare kube-apiserver has no controllers")
    return Owners(api, ns)


def reference(owner, **more):
    return {"apiVersion": owner["apiVersion"], "kind": owner["kind"],
            "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], **more}


def absent(name="ghost", kind="ConfigMap", api_version="v1"):
    return {"apiVersion": api_version, "kind": kind, "name": name, "uid": str(uuid.uuid4())}


class Owners:
    def __init__(self, api, ns):
        self.rest, self.ns = api.rest, ns
        self.base = f"/api/v1/namespaces/{ns}/configmaps"

    def make(self, name, *owners, path=None, **more):
        code, reply = self.rest.call("POST", path or self.base, {
            "apiVersion": "v1", "kind": "ConfigMap", **more,
            "metadata": {"name": name, "ownerReferences": list(owners)}})
        assert code == 201, reply
        return reply

    def live(self, name):
        return self.rest.get(f"{self.base}/{name}")

    def owners(self, name):
        return [o["name"] for o in self.live(name)["metadata"].get("ownerReferences", [])]

    def delete(self, name, path=None, **options):
        code, reply = self.rest.call("DELETE", path or f"{self.base}/{name}", options)
        assert code == 200, reply

    def gone(self, *names):
        for name in names:
            wait_until(lambda name=name: not self.live(name), f"{name} to be collected")

    def settle(self):
        """The collector does one thing after the other: it has done what was asked before."""
        self.make("last", absent())
        self.gone("last")


def test_A67_only_those_whose_owners_are_all_gone(own):
    one, two = own.make("one"), own.make("two")
    own.make("of-one", reference(one))
    own.make("of-both", reference(one), reference(two))
    own.make("of-two", reference(two))
    own.make("of-two-and-none", reference(two), absent())
    own.make("of-a-kind-that-nobody-knows", absent(kind="Thing", api_version="x.example/v1"))
    own.settle()
    assert own.owners("of-one") == ["one"] and own.owners("of-both") == ["one", "two"]
    assert own.owners("of-two-and-none") == ["two"], "a reference that dangles goes"
    own.delete("one", propagationPolicy="Background")
    own.gone("of-one")
    own.settle()
    assert own.owners("of-both") == ["two"] and own.owners("of-two") == ["two"]
    assert own.live("of-a-kind-that-nobody-knows")
    own.delete("two")
    own.gone("of-both", "of-two", "of-two-and-none")


def test_A67_an_owner_is_in_the_same_namespace_or_in_none(own, api):
    other = own.ns + "-other"
    api.create_namespace(other)
    stranger = own.make("owner", path=f"/api/v1/namespaces/{other}/configmaps")
    cluster = own.rest.get(f"/api/v1/namespaces/{other}")
    own.make("of-a-stranger", reference(stranger))
    own.make("of-the-cluster", {**reference(cluster), "apiVersion": "v1", "kind": "Namespace"})
    own.gone("of-a-stranger")
    own.settle()
    assert own.owners("of-the-cluster") == [other]


def test_A67_dependents_of_dependents(own):
    top = own.make("a")
    middle = own.make("b", reference(top))
    own.make("c", reference(middle))
    own.delete("a")
    own.gone("b", "c")


def test_A67_goes_on_after_a_crash(directory):
    """What was not collected when the server was killed is found when it begins anew."""
    server = EmbeddedApi(directory / "crash", os.environ["SLUICE_BUILD"])
    try:
        own = Owners(server, "default")
        owner = reference(own.make("owner"))
        for i in range(150):
            own.make(f"child-{i}", owner)
        own.delete("owner")
        server.process.kill()
        server.start()
        own = Owners(server, "default")
        wait_until(lambda: not [o for o in own.rest.get(own.base)["items"]
                                if o["metadata"]["name"].startswith("child")],
                   "the dependents to be collected")
    finally:
        server.stop()


@pytest.mark.parametrize("options", [{"propagationPolicy": "Orphan"}, {"orphanDependents": True}],
                         ids=lambda o: next(iter(o)))
def test_A69_other_owners_stay(own, options):
    one, two = own.make("one"), own.make("two")
    own.make("of-one", reference(one, blockOwnerDeletion=True))
    own.make("of-both", reference(two), reference(one))
    own.delete("one", **options)
    own.gone("one")
    assert own.owners("of-one") == [] and own.owners("of-both") == ["two"]
    own.delete("two")
    own.gone("of-both")
    assert own.live("of-one")


@pytest.mark.parametrize("policy", [None, "Background"])
def test_A69_jobs_leave_theirs_behind(own, policy):
    """batch/v1 deletes like that unless it is told otherwise."""
    path = f"/apis/batch/v1/namespaces/{own.ns}/jobs"
    code, job = own.rest.call("POST", path, {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"template": {
            "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x:1"}]}}}})
    assert code == 201, job
    own.make("of-a-job", reference({**job, "apiVersion": "batch/v1", "kind": "Job"}))
    own.delete("j", f"{path}/j", **({"propagationPolicy": policy} if policy else {}))
    wait_until(lambda: not own.rest.get(f"{path}/j"), "the Job to go")
    if policy:
        own.gone("of-a-job")
    else:
        own.settle()
        assert own.owners("of-a-job") == []


def test_A71_what_a_namespace_holds_comes_back(own, api):
    ns = own.ns + "-new"
    api.create_namespace(ns)
    base = f"/api/v1/namespaces/{ns}"
    authority = own.rest.get("/api/v1/namespaces/default/configmaps/kube-root-ca.crt")["data"]
    assert "BEGIN CERTIFICATE" in authority["ca.crt"]
    for path in (f"{base}/serviceaccounts/default", f"{base}/configmaps/kube-root-ca.crt"):
        uid = wait_until(lambda path=path: own.rest.get(path), path)["metadata"]["uid"]
        own.delete("", path)
        again = wait_until(lambda path=path: own.rest.get(path), f"{path} to be back")
        assert again["metadata"]["uid"] != uid
        assert again.get("data", authority) == authority
    # Others of the kinds are nobody's concern, and nothing comes back into what is on its way out.
    code, reply = own.rest.call("POST", f"{base}/serviceaccounts", {
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "other"}})
    assert code == 201, reply
    own.delete("", f"{base}/serviceaccounts/other")
    own.settle()
    assert not own.rest.get(f"{base}/serviceaccounts/other")
    own.delete("", base)
    wait_until(lambda: not own.rest.get(base), "the namespace to go")


@pytest.mark.parametrize("flags", [(), ("--simulate=none",)], ids=["base", "none"])
def test_A90_nothing_is_simulated_unless_asked(directory, flags):
    """Nor are accounts made where no cluster is to be shown at all."""
    server = EmbeddedApi(directory / f"profile{len(flags)}", os.environ["SLUICE_BUILD"], flags)
    try:
        own = Owners(server, "default")
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {
            "restartPolicy": "Always", "containers": [{"name": "c", "image": "x:1"}]}}
        job = {"spec": {**template["spec"], "restartPolicy": "Never"}}
        selected = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
        made = {}
        for group, kind, spec in (("apps", "Deployment", selected), ("batch", "Job", {"template": job}),
                                  ("apps", "DaemonSet", selected)):
            path = f"/apis/{group}/v1/namespaces/default/{kind.lower()}s"
            code, reply = own.rest.call("POST", path, {
                "apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec})
            assert code == 201, reply
            made[path + "/x"] = reply["metadata"]["resourceVersion"]
        server.create_namespace("fresh")
        own.settle()
        for path, version in made.items():
            assert own.rest.get(path)["metadata"]["resourceVersion"] == version, path
        assert not own.rest.get("/api/v1/pods")["items"]
        def authority():
            return own.rest.get("/api/v1/namespaces/fresh/configmaps")["items"]
        if flags:
            assert not authority()
        else:
            wait_until(authority, "the authority's ConfigMap")
    finally:
        server.stop()
