"""deploy/: what a user applies to a cluster."""
import os
import pathlib
import subprocess

import pytest
import yaml

from tests.lib.net import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller",
               "notification-controller")


def documents(name):
    return list(yaml.safe_load_all((ROOT / "deploy" / f"{name}.yaml").read_text()))


def test_S101_everything_applies(api):
    def apply():
        return api.kubectl("apply", "--server-side", "--force-conflicts", "-k",
                           str(ROOT / "deploy"), check=False).returncode == 0
    wait_until(apply, "kubectl apply -k deploy", interval=0.5)
    for name in CONTROLLERS:
        deployment = api.rest.get(f"/apis/apps/v1/namespaces/flux-system/deployments/{name}")
        security = deployment["spec"]["template"]["spec"]["containers"][0]["securityContext"]
        assert security["runAsUser"] == 65534 and security["readOnlyRootFilesystem"]
        assert security["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("name", CONTROLLERS)
def test_S103_the_deployed_flags_are_known(name):
    deployment = next(d for d in documents(name) if d["kind"] == "Deployment")
    args = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    binary = pathlib.Path(os.environ["SLUICE_BUILD"], name, name)
    done = subprocess.run([binary, *args, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--storage-path" in done.stdout or name != "source-controller"
    bad = subprocess.run([binary, "--no-such-flag"], capture_output=True, text=True)
    assert bad.returncode != 0 and "unknown flag: --no-such-flag" in bad.stderr
    gate = subprocess.run([binary, "--feature-gates=Nonsense=true"], capture_output=True, text=True)
    assert gate.returncode != 0 and "Nonsense" in gate.stderr


def test_S18_missing_storage_path_ends_the_process(api, directory):
    binary = pathlib.Path(os.environ["SLUICE_BUILD"], "source-controller", "source-controller")
    done = subprocess.run(
        [binary, f"--kubeconfig={api.kubeconfig}", "--storage-path", directory / "nowhere",
         "--metrics-addr=0", "--health-addr=0", "--storage-addr=127.0.0.1:0"],
        capture_output=True, text=True, timeout=90)
    assert done.returncode != 0 and "nowhere" in done.stderr


def test_S10_unknown_digest_algorithm_ends_the_process(api, directory):
    binary = pathlib.Path(os.environ["SLUICE_BUILD"], "source-controller", "source-controller")
    done = subprocess.run(
        [binary, f"--kubeconfig={api.kubeconfig}", "--storage-path", directory,
         "--artifact-digest-algo=md5", "--metrics-addr=0", "--health-addr=0"],
        capture_output=True, text=True, timeout=90)
    assert done.returncode != 0 and "md5" in done.stderr


def test_the_version_label_is_the_projects():
    version = (ROOT / "meson.build").read_text().split("version: '")[1].split("'")[0]
    pairs = documents("kustomization")[0]["labels"][0]["pairs"]
    assert pairs["app.kubernetes.io/version"] == f"v{version}"
