"""Charts for tests, releases in storage, and the driver of actions (helm-action)."""
import base64
import gzip
import json
import os
import pathlib
import re
import subprocess

import pytest
import yaml

from .net import PATIENCE, wait_until
from .oracle import oracle

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNGREETED = re.compile("Kubernetes cluster unreachable: .*TLS handshake timeout")


def write_chart(directory, files, name="shop", version="1.0.0", **metadata):
    """A chart's directory; files: text by path within it."""
    chart = {"apiVersion": "v2", "name": name, "version": version, **metadata}
    for path, text in {"Chart.yaml": yaml.safe_dump(chart), **files}.items():
        target = pathlib.Path(directory) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return str(directory)


class Actions:
    """The process that does actions, without a controller."""

    def __init__(self, api):
        build = pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build"))
        self.process = subprocess.Popen(
            [build / "tests" / "unit" / "helm-controller" / "helm-action", api.kubeconfig],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, action, release, namespace, **options):
        request = {"action": action, "release": release, "namespace": namespace, **options}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def end(self):
        line = self.process.stdout.readline()
        assert line, "helm-action ended"
        return json.loads(line)

    def end_of_waits(self):
        """The answer behind all lines that tell of a wait (option tell)."""
        while (answer := self.end())["state"] == "waiting":
            pass
        return answer

    def __call__(self, action, release, namespace, **options):
        self.begin(action, release, namespace, **options)
        return self.end()

    def ok(self, *args, **options):
        answer = self(*args, **options)
        assert answer["state"] == "succeeded", answer
        return answer

    def stop(self):
        self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return code


def secrets_of(api, ns, release):
    """The Secrets of a release, oldest first."""
    items = api.rest.get(f"/api/v1/namespaces/{ns}/secrets?labelSelector=name%3D{release}")["items"]
    return sorted(items, key=lambda s: int(s["metadata"]["labels"]["version"]))


def decode(secret):
    """A record from its Secret."""
    data = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    return json.loads(gzip.decompress(data))


def encode(record):
    """data.release of a record."""
    zipped = gzip.compress(json.dumps(record).encode())
    return base64.b64encode(base64.b64encode(zipped)).decode()


def statuses(api, ns, release):
    """Status by revision."""
    return {int(s["metadata"]["labels"]["version"]): s["metadata"]["labels"]["status"]
            for s in secrets_of(api, ns, release)}


class Helm:
    """The real helm, of an oracle."""

    def __init__(self, api, directory, name="helm"):
        self.api, self.dir = api, pathlib.Path(directory)
        self.program = oracle(name) / "helm"

    def run(self, *args):
        """None where the server took more than helm's ten seconds to greet it: nothing was done."""
        done = subprocess.run(
            [self.program, "--kubeconfig", self.api.kubeconfig, *map(str, args)],
            capture_output=True, text=True, timeout=120, check=False,
            env=dict(os.environ, HOME=str(self.dir), HELM_PLUGINS=str(self.dir)))
        return None if UNGREETED.search(done.stderr) else done

    def __call__(self, *args, check=True):
        done = wait_until(lambda: self.run(*args), "helm to reach the API server")
        if check:
            assert done.returncode == 0, f"helm {' '.join(map(str, args))}: {done.stderr}"
        return done.stdout if check else done

    def json(self, *args):
        return json.loads(self(*args, "-o", "json"))


def actions_of(server="api"):
    """A fixture `actions` of a module; `server`: the fixture of its API server."""
    @pytest.fixture(scope="module")
    def actions(request):
        process = Actions(request.getfixturevalue(server))
        yield process
        assert process.stop() == 0
    return actions


actions = actions_of()


def helm_of(name):
    """A fixture `helm` of a module: the real one, of an oracle."""
    @pytest.fixture(scope="module")
    def helm(api, directory):
        return Helm(api, directory, name)
    return helm


helm = helm_of("helm")
