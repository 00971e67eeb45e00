"""A hostile chart ends in a condition within the limits of rendering that the controller's flags set, and
the daemon goes on. Issue 7: limits on output size, template steps, recursion and time, as flags."""
import os
import pathlib
import subprocess

import pytest

from tests.lib.releases import QUICK, chart_server, config, controller_with, releases  # noqa: F401

helm_controller = controller_with(*QUICK, "--max-output=4000", "--max-memory=1000000", "--max-steps=20000",
                                  "--max-depth=20", "--max-time=3s", "--concurrent=4")
WORKERS = 4
A = "templates/a.yaml"
FINE = {A: config("a")}
PROGRAM = pathlib.Path(os.environ.get("SLUICE_BUILD", "build-test"), "helm-controller", "helm-controller")

HOSTILE = {
    "output": ("{{ range until 600 }}0123456789{{ end }}", "limit of 4000 bytes of output"),
    "steps": ("{{ range 1000000000 }}{{ end }}", "limit of 20000 steps"),
    "memory": ("{{ until 9999999 }}", "too large"),
    "depth": ('{{ define "r" }}{{ include "r" . }}{{ end }}{{ include "r" . }}',
              "limit of 20 nested templates"),
    # Few steps, each of them long.
    "time": ('{{ range until 10000 }}{{ $_ := bcrypt "x" }}{{ end }}', "limit of 3000 ms reached"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_chart_ends_in_a_condition(releases, name):
    template, text = HOSTILE[name]
    releases.chart({A: template})
    releases.quiet()
    obj = releases.failed("InstallFailed", text, timeout=60)
    message = releases.condition(obj)["message"]
    assert "with chart shop@1.0.0" in message and "shop/templates/a.yaml:1:" in message, message
    assert releases.statuses() == {}
    # The daemon goes on: a chart within the limits is installed by the next run.
    releases.chart(FINE, version="1.0.1")
    releases.ready()


def test_others_are_served_while_hostile_charts_run(releases, helm_controller):
    """As many as there are workers less one, again and again: retries of what fails hold nobody up."""
    pid, hostile = helm_controller.pid, [f"bad-{n}" for n in range(WORKERS - 1)]
    releases.chart({A: HOSTILE["time"][0]}, name="bad")
    releases.chart(FINE, name="fine")
    for name in hostile:
        releases.quiet(name, chart="bad", install={"remediation": {"retries": -1}})
    for name in hostile:
        releases.failed("InstallFailed", HOSTILE["time"][1], name=name, timeout=60)
    for n in range(1, 4):
        releases.quiet("fine", chart="fine", values={"n": n})
        releases.ready("fine", version=n, timeout=60)
    assert all(releases.condition(releases.get(name))["status"] != "True" for name in hostile)
    assert helm_controller.pid == pid


@pytest.mark.parametrize("flag", ["--max-output=x", "--max-steps=0", "--max-time=5", "--max-time=-1s",
                                  "--max-memory=-1", "--max-depth=1.5"])
def test_a_bad_limit_is_told_at_the_start(api, flag):
    done = subprocess.run([PROGRAM, f"--kubeconfig={api.kubeconfig}", "--metrics-addr=0",
                           "--health-addr=0", flag], capture_output=True, text=True, timeout=60)
    name = flag.split("=", maxsplit=1)[0]
    assert done.returncode == 1 and f"{name}: a " in done.stdout + done.stderr, done


def test_the_limits_are_in_the_help_and_the_manual():
    for how in ("--help", "--help-man"):
        told = subprocess.run([PROGRAM, how], capture_output=True, text=True, timeout=60).stdout
        told = told.replace("\\", "")
        assert all(f"--max-{word}" in told for word in ("output", "memory", "steps", "depth", "time"))
