"""Some thousand reconciles of working and failing objects of all kinds: nothing may grow with their
number, neither descriptors nor threads nor memory."""
import concurrent.futures
import itertools
import os
import re
import textwrap
import time

import pytest

from tests.lib.charts import ChartServer, chart_files, tgz
from tests.lib.controllers import Toolkit
from tests.lib.fake_s3 import FakeS3
from tests.lib.net import free_port, wait_until
from tests.lib.registry import registry  # noqa: F401
from tests.lib.sign import SshKey
from tests.lib.sops import Sops
from tests.lib.ssh import SshServer
from tests.faults.conftest import config_map

INDEX = b"apiVersion: v1\nentries:\n  demo:\n  - {name: demo, version: 1.0.0, urls: [demo.tgz]}\n"
WARM, ROUNDS, LEAST = 5, 100, 5
SECONDS = float(os.environ.get("SLUICE_SOAK_SECONDS", "10"))  # of each half; longer runs tell more
# What the second half may need beside the first: pages come and go by and by, and a round has some
# forty reconciles. A sanitizer keeps what is freed and a trace of each allocation, too much to judge:
# tests/release has this on plain builds.
SPARE_KIB, ROUND_KIB = 1280, 16
NAMES = ("source-controller", "kustomize-controller", "helm-controller", "notification-controller")


@pytest.fixture(scope="module")
def toolkit(api, directory):
    with Toolkit(api, directory / "toolkit",
                 notification_flags=["--rate-limit-interval=50ms"]).run(*NAMES) as kit:
        yield kit


@pytest.fixture(scope="module")
def ssh(directory):
    server = SshServer(directory / "sshd")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def charts():
    server = ChartServer({"index.yaml": INDEX, "demo.tgz": tgz(chart_files(templates={
        "cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n"}))})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def s3():
    fake = FakeS3({"a.txt": "a"})
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def sops(directory):
    made = Sops(directory / "sops")
    yield made
    made.stop()


class World:
    """The objects, and what asks all of them for one more reconcile."""

    def __init__(self, objects, pool):
        self.objects, self.pool = objects, pool
        self.waited, self.others = [], []
        self.number, self.passing = itertools.count(1), None

    def put(self, kind, name, spec, wait=True):
        self.objects.apply(kind, name, {"interval": "1h", **spec})
        (self.waited if wait else self.others).append((kind, name))

    def secret(self, name, **data):
        self.objects.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {
            "name": name, "namespace": self.objects.ns},
            "stringData": {k.replace("__", "."): v for k, v in data.items()}})

    def handled(self, item, token):
        obj = self.objects.get(*item)
        return obj["status"].get("lastHandledReconcileAt") == token and \
            self.objects.condition(obj).get("status") != "Unknown"

    def await_one(self, item, token):
        wait_until(lambda: self.handled(item, token), f"{item} to have handled {token}", interval=0.05)

    def round(self):
        """All once more, and one GitRepository comes and another goes."""
        token = f"round-{next(self.number)}"
        self.objects.apply("GitRepository", token, {"interval": "1h", "url": "http://127.0.0.1:1/x"})
        if self.passing:
            self.objects.delete("GitRepository", self.passing)
        self.passing = token
        list(self.pool.map(lambda item: self.objects.request(*item, token),
                           self.waited + self.others))
        list(self.pool.map(lambda item: self.await_one(item, token), self.waited))

    def rounds(self, count, seconds):
        """How many there were."""
        end = time.monotonic() + seconds
        for done in range(count):
            if done >= LEAST and time.monotonic() > end:
                return done
            self.round()
        return count


def make_sources(world, git_server, ssh, registry, charts, s3, sops):
    objects = world.objects
    repo = git_server.repository(objects.ns)
    world.secret("keys", a__agekey=sops.age.text, p__asc=sops.pgp.text)
    world.secret("ssh", identity=ssh.identity, known_hosts=ssh.known())
    world.secret("stranger", identity=ssh.identity,
                 known_hosts=ssh.known(SshKey(ssh.dir / "other")))
    plain = textwrap.dedent("""\
        apiVersion: v1
        kind: Secret
        metadata: {name: NAME}
        stringData: {a: b}
        """)
    rule = ("--encrypted-regex", "^stringData$")
    repo.commit({
        "app/a.yaml": config_map("a", "1"), "bad/a.yaml": "kind: [",
        "refused/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: r}\ndata: {a: [1]}\n",
        "age/s.yaml": sops.encrypt(plain.replace("NAME", "age"), "yaml", *rule).decode(),
        "pgp/s.yaml": sops.encrypt(plain.replace("NAME", "pgp"), "yaml", *rule, "--pgp",
                                   sops.pgp.fingerprint, key=False, env=sops.pgp.env).decode()})
    main = {"ref": {"branch": "main"}, "timeout": "20s"}
    world.put("GitRepository", "http", {"url": git_server.url_of(repo), **main})
    world.put("GitRepository", "http-bad", {"url": git_server.url + "/none.git", **main})
    world.put("GitRepository", "ssh", {"url": ssh.url_of(repo), "secretRef": {"name": "ssh"},
                                       **main})
    world.put("GitRepository", "ssh-bad", {"url": ssh.url_of(repo), **main,
                                           "secretRef": {"name": "stranger"}})
    registry.push(objects.ns, "v1", {"a.yaml": config_map("oci", "1")})
    oci = {"url": registry.url_of(objects.ns), "insecure": True}
    world.put("OCIRepository", "oci", {**oci, "ref": {"tag": "v1"}})
    world.put("OCIRepository", "oci-bad", {**oci, "ref": {"tag": "none"}})
    world.put("HelmRepository", "charts", {"url": charts.url})
    world.put("HelmRepository", "charts-bad", {"url": charts.url + "/none"})
    world.put("HelmRepository", "charts-oci", {"type": "oci", "insecure": True,
                                               "url": registry.url_of("charts")}, wait=False)
    chart = {"chart": "demo", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}
    world.put("HelmChart", "demo", chart)
    world.put("HelmChart", "none", {**chart, "chart": "none"})
    world.put("HelmChart", "none-oci", {"chart": "none", "sourceRef": {
        "kind": "HelmRepository", "name": "charts-oci"}})
    bucket = {"endpoint": s3.endpoint, "bucketName": "b", "insecure": True}
    world.put("Bucket", "bucket", bucket)
    world.put("Bucket", "bucket-bad", {**bucket, "endpoint": f"127.0.0.1:{free_port()}"})


def make_appliers(world, api):
    ns = world.objects.ns
    world.secret("cluster", value=api.kubeconfig.read_text())
    away = re.sub(r"server: \S+", "server: https://127.0.0.1:1", api.kubeconfig.read_text())
    world.secret("cluster-away", value=away)
    app = {"prune": True, "targetNamespace": ns, "sourceRef": {"kind": "GitRepository",
                                                               "name": "http"}}
    keys = {"decryption": {"provider": "sops", "secretRef": {"name": "keys"}}}
    lost = {"healthChecks": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "lost",
                              "namespace": ns}], "timeout": "1s"}
    for name, spec, wait in (
            ("app", {"path": "app"}, True), ("bad", {"path": "bad"}, True),
            ("nowhere", {"path": "nowhere"}, True), ("refused", {"path": "refused"}, True),
            ("age", {"path": "age", **keys}, True), ("pgp", {"path": "pgp", **keys}, True),
            ("keyless", {"path": "age"}, True), ("unwell", {"path": "app", **lost}, False),
            ("remote", {"path": "app", "kubeConfig": {"secretRef": {"name": "cluster"}}}, True),
            ("away", {"path": "app", "kubeConfig": {"secretRef": {"name": "cluster-away"}}}, True)):
        world.put("Kustomization", name, {**app, **spec}, wait)
    world.put("HelmRelease", "release", {"chartRef": {"kind": "HelmChart", "name": "demo"}})
    world.put("HelmRelease", "release-bad", {"chartRef": {"kind": "HelmChart", "name": "none"}},
              wait=False)


def make_alerts(objects, sink):
    end = {"Connection": "close"}  # one that is kept would be waited for at the end
    for path, status in (("/fine", 200), ("/refused", 400), ("/broken", 500)):
        sink.answers[path] = lambda *_, status=status: (status, end, b"")
    addresses = {"fine": sink.url + "/fine", "refused": sink.url + "/refused",
                 "broken": sink.url + "/broken", "away": f"http://127.0.0.1:{free_port()}/"}
    for name, address in addresses.items():
        objects.apply("Provider", name, {"type": "generic", "address": address, "timeout": "1s"})
        objects.apply("Alert", name, {"providerRef": {"name": name}, "eventSources": [
            {"kind": kind, "name": "*"} for kind in ("GitRepository", "Kustomization", "Bucket",
                                                     "HelmRelease", "HelmRepository")]})


def memory(daemon):
    """KiB of its own pages at rest: the least within a second in which there was no less."""
    least, since = daemon.memory_kib("RssAnon"), time.monotonic()
    while time.monotonic() - since < 1:
        now = daemon.memory_kib("RssAnon")
        if now < least:
            least, since = now, time.monotonic()
        time.sleep(0.05)  # between two looks
    return least


def memories(kit):
    return {name: memory(kit[name]) for name in NAMES}


def test_nothing_grows_with_reconciles(api, objects, toolkit, git_server, ssh, registry, charts, s3,
                                       sops, sink):
    sops.pgp = sops.pgp_key("soak")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        world = World(objects, pool)
        make_sources(world, git_server, ssh, registry, charts, s3, sops)
        make_appliers(world, api)
        make_alerts(objects, sink)
        for kind, name in (("GitRepository", "ssh"), ("Kustomization", "pgp"),
                           ("Kustomization", "remote"), ("HelmRelease", "release")):
            objects.ready(kind, name)
        world.rounds(WARM, SECONDS)
        before, held = memories(toolkit), {name: toolkit[name].holds() for name in NAMES}
        count = world.rounds(ROUNDS * max(1, int(SECONDS / 10)), SECONDS)
        half = memories(toolkit)
        world.rounds(count, 2 * SECONDS)
        after = memories(toolkit)
    print(f"{count} rounds twice, {before} {half} {after}")
    more = {name: text for name in NAMES
            for text in [wait_for_less(toolkit[name], held[name])] if text}
    assert not more, "\n".join(more.values())
    grown = {name: (before[name], half[name], after[name]) for name in NAMES
             if not toolkit[name].is_sanitized() and
             after[name] - max(before[name], half[name]) > SPARE_KIB + ROUND_KIB * count}
    assert not grown, (count, grown)


def wait_for_less(daemon, held, seconds=60):
    """What it holds beside that, when it has not let go of it in time."""
    end = time.monotonic() + seconds
    while (more := daemon.holds().more_than(held)) and time.monotonic() < end:
        time.sleep(0.1)  # between two looks
    return more
