"""What an index of 50 MiB costs source-controller: memory, requests, and only once for many charts."""
import hashlib

from tests.lib.charts import ChartServer, chart_files, tgz
from tests.lib.controllers import lean_toolkit as toolkit  # noqa: F401 - a fixture

INDEX_BYTES = 50 << 20
PEAK_MIB = 64
ENTRY = """  - annotations:
      category: Database
    apiVersion: v2
    appVersion: 1.{v}.3
    created: "2024-01-{day:02d}T10:20:30.123456789Z"
    dependencies:
    - name: common
      repository: https://charts.example.test/stable
      tags: [common]
      version: 2.x.x
    description: What {name} is, in as many words as people use to say what they have made.
    digest: {digest}
    home: https://charts.example.test/{name}
    icon: https://charts.example.test/icons/{name}.png
    keywords: [one, two, three]
    maintainers:
    - email: maintainers@example.test
      name: Maintainers
    name: {name}
    sources:
    - https://git.example.test/charts/{name}
    urls:
    - files/{name}-{v}.0.0.tgz
    version: {v}.0.0
"""


def index_of(size):
    """An index such as large repositories have."""
    parts, total, number = ["apiVersion: v1\nentries:\n"], 0, 0
    while total < size - 60000:
        name = f"chart-{number}"
        text = f"  {name}:\n" + "".join(
            ENTRY.format(name=name, v=v, day=v % 28 + 1,
                         digest=hashlib.sha256(f"{name}{v}".encode()).hexdigest())
            for v in range(50))
        parts.append(text)
        total, number = total + len(text), number + 1
    return "".join(parts).encode()


def test_S62_an_index_of_50_mib_within_64_mib(objects, toolkit):
    files = {"index.yaml": index_of(INDEX_BYTES)}
    files.update({f"files/chart-{n}-49.0.0.tgz": tgz(chart_files(f"chart-{n}", "49.0.0"))
                  for n in range(20)})
    server = ChartServer(files)
    assert 49 << 20 < len(files["index.yaml"]) < 50 << 20
    with toolkit["source-controller"].within(PEAK_MIB):
        objects.apply("HelmRepository", "repo", {"url": server.url, "interval": "1h",
                                                 "timeout": "5m"})
        objects.ready("HelmRepository", "repo", timeout=600)
        for number in range(20):
            objects.apply("HelmChart", f"chart-{number}", {
                "chart": f"chart-{number}", "interval": "1h", "sourceRef": {
                    "kind": "HelmRepository", "name": "repo"}})
        for number in range(20):
            obj = objects.ready("HelmChart", f"chart-{number}", timeout=600)
            assert obj["status"]["artifact"]["revision"] == "49.0.0"
    assert server.count("index.yaml") == 1
    server.stop()
