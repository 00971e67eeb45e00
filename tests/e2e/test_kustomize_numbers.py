"""Numbers on their way from a manifest to the cluster. An API server keeps an integer that an int64
holds and makes a float64 of any other, whoever sends it: so Sluice's are those that arrive when the
digits are sent as they stand in the file. What is text stays text, with all its digits."""
import re

from tests.lib.apps import app, install_crd, widget_crd  # noqa: F401

NUMBERS = ["0", "-1", "2147483648", "9007199254740993", "9223372036854775807", "-9223372036854775808",
           "9223372036854775808", "18446744073709551614", "18446744073709551615", "18446744073709551616",
           "123456789012345678901234567890", "-9223372036854775809", "0.1", "1.5e300", "100.0", "1e21"]
STORED = ["0", "-1", "2147483648", "9007199254740993", "9223372036854775807", "-9223372036854775808",
          "9223372036854776000", "18446744073709552000", "18446744073709552000", "18446744073709552000",
          "1.2345678901234568e+29", "-9223372036854776000", "0.1", "1.5e+300", "100", "1e+21"]
NAMES = [f"n{i:02}" for i in range(len(NUMBERS))]


def stored(api, path):
    """What the server's own text has, in the order of names."""
    status, _, text = api.rest.raw("GET", path)
    assert status == 200, text
    spec = re.search(rb'"spec":\{([^{}]*)\}', text).group(1).decode()
    values = dict(re.findall(r'"(n\d\d)":([^,}]*)', spec))
    return [values[name] for name in NAMES]


def test_numbers_of_a_manifest_arrive_as_when_sent_by_hand(app, objects, api):  # noqa: F811
    group = f"{objects.ns}.example.test"
    install_crd(api, widget_crd(group))
    base = f"/apis/{group}/v1/namespaces/{objects.ns}/widgets"
    fields = ", ".join(f'"{name}": {number}' for name, number in zip(NAMES, NUMBERS))
    head = f'"apiVersion": "{group}/v1", "kind": "Widget"'
    status, _, text = api.rest.raw(
        "POST", base, f'{{{head}, "metadata": {{"name": "by-hand"}}, "spec": {{{fields}}}}}')
    assert status == 201, text
    app.commit({"w.yaml": f'{{{head}, "metadata": {{"name": "ours", "annotations": {{"a": "'
                          f'18446744073709551615"}}}}, "spec": {{{fields}}}}}\n'})
    app.kustomization()
    app.ready()
    assert stored(api, f"{base}/by-hand") == STORED
    assert stored(api, f"{base}/ours") == STORED
    live = api.rest.get(f"{base}/ours")
    assert live["metadata"]["annotations"]["a"] == "18446744073709551615"
    # What the server rounded is no drift.
    app.rerun()
    assert api.rest.get(f"{base}/ours")["metadata"]["resourceVersion"] == live["metadata"][
        "resourceVersion"]
    assert not [m for _, _, m in objects.events("app") if "configured" in m]


def test_numbers_become_text_with_all_their_digits(app, objects):  # noqa: F811
    app.commit({"kustomization.yaml": """\
        resources: [r.yaml]
        replacements:
        - source: {kind: Source, fieldPath: spec.n}
          targets: [{select: {kind: ConfigMap}, fieldPaths: [data.n]}]
        """, "r.yaml": """\
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: text}
        data: {n: "", m: "${N}", l: "18446744073709551615"}
        ---
        apiVersion: example.test/v1
        kind: Source
        metadata: {name: s, annotations: {config.kubernetes.io/local-config: "true"}}
        spec: {n: 18446744073709551615}
        """})
    app.kustomization(postBuild={"substitute": {"N": "x123456789012345678901234567890"}})
    app.ready()
    assert objects.configmap("text")["data"] == {
        "n": "18446744073709551615", "m": "x123456789012345678901234567890",
        "l": "18446744073709551615"}
