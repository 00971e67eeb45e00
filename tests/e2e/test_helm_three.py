"""Releases of Helm 3 are taken over, and Helm 3 goes on with ours (E79)."""
import yaml

from tests.lib.helm import actions, decode, helm_of, secrets_of, statuses, write_chart  # noqa: F401

helm = helm_of("helm3")


def chart_of(directory, version, **data):
    return write_chart(directory / version, {
        "templates/c.yaml": yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap",
                                            "metadata": {"name": "config"}, "data": data}),
        "templates/h.yaml": yaml.safe_dump({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {
                "name": "hook", "annotations": {"helm.sh/hook": "post-install,post-upgrade"}}}),
        "values.schema.json": '{"type": "object"}', "README.md": "# Shop\n"}, version=version)


def data(api, ns):
    return api.rest.get(f"/api/v1/namespaces/{ns}/configmaps/config")["data"]


def test_E79_helm_3_goes_on_with_ours(api, actions, helm, ns, tmp_path):
    first, second = chart_of(tmp_path, "1.0.0", a="1"), chart_of(tmp_path, "2.0.0", a="2")
    actions.ok("install", "mine", ns, chart=first, values={"x": [1, 2.5, None, "s"]}, apply="csa")
    [row] = helm.json("list", "-n", ns)
    assert (row["name"], row["revision"], row["status"]) == ("mine", "1", "deployed")
    assert helm.json("get", "values", "mine", "-n", ns) == {"x": [1, 2.5, None, "s"]}
    helm("upgrade", "mine", second, "-n", ns)
    assert data(api, ns) == {"a": "2"}
    helm("rollback", "mine", "1", "-n", ns)
    assert data(api, ns) == {"a": "1"}
    assert statuses(api, ns, "mine") == {1: "superseded", 2: "superseded", 3: "deployed"}
    helm("uninstall", "mine", "-n", ns)
    assert statuses(api, ns, "mine") == {}


def test_E79_ours_goes_on_with_helm_3s(api, actions, helm, ns, tmp_path):
    first, second = chart_of(tmp_path, "1.0.0", a="1", b="1"), chart_of(tmp_path, "2.0.0", a="2")
    helm("install", "theirs", first, "-n", ns)
    assert "apply_method" not in decode(secrets_of(api, ns, "theirs")[0])
    actions.ok("upgrade", "theirs", ns, chart=second)
    assert data(api, ns) == {"a": "2"}
    assert [decode(s).get("apply_method") for s in secrets_of(api, ns, "theirs")] == [None, "csa"]
    actions.ok("rollback", "theirs", ns, to_version=1)
    assert data(api, ns) == {"a": "1", "b": "1"}
    assert [r["status"] for r in helm.json("history", "theirs", "-n", ns)] == [
        "superseded", "superseded", "deployed"]
    actions.ok("uninstall", "theirs", ns, keep_history=True)
    [row] = helm.json("list", "-n", ns, "--all")
    assert row["status"] == "uninstalled"
