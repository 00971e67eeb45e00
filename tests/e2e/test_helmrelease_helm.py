"""The real helm beside the controller: on releases that the controller made, whatever came of them, and with its
hands in releases that the controller owns (E79, H69)."""
import threading

import pytest

from tests.lib.helm import helm, helm_of, write_chart  # noqa: F401
from tests.lib.net import wait_until
from tests.lib.releases import (BROKEN, QUICK, chart_server, config, controller_with, job_hook,  # noqa: F401
                                releases)

helm_controller = controller_with(*QUICK)
helm3 = helm_of("helm3")


def files(v, extra=None):
    return {"templates/config.yaml": config("config", {"v": v}),
            "templates/check.yaml": job_hook("check", "test"),
            "templates/NOTES.txt": f"notes of {v}", **(extra or {})}


def data(releases):
    return releases.live("ConfigMap", "config")["data"]["v"]


def history(helm, ns):
    return [(r["revision"], r["status"]) for r in helm.json("history", "app", "-n", ns)]


def installed(releases, **spec):
    releases.chart(files("1"))
    releases.quiet(values={"a": 1}, **spec)
    releases.ready()


def upgraded(releases, version=2):
    releases.chart(files(str(version)), version=f"{version}.0.0")
    releases.ready(version=version)


def rolled_back(releases):
    """v1 deployed, v2 failed, v3 the rollback to v1."""
    installed(releases, upgrade={"remediation": {"retries": 0, "remediateLastFailure": True}})
    releases.chart(files("2", {"templates/broken.yaml": BROKEN}), version="2.0.0")
    releases.stalled()


def failed_upgrade(releases):
    installed(releases)
    releases.chart(files("2", {"templates/broken.yaml": BROKEN}), version="2.0.0")
    releases.stalled()


def failed_install(releases):
    releases.chart(files("1", {"templates/broken.yaml": BROKEN}))
    releases.quiet(values={"a": 1})
    releases.stalled()


def reinstalled(releases):
    """An upgrade whose remediation uninstalls: the same chart is installed again."""
    installed(releases, upgrade={"remediation": {"retries": 1, "strategy": "uninstall"}})
    releases.chart(files("2", {"templates/broken.yaml": BROKEN}), version="2.0.0")
    releases.stalled()


LIVES = {
    "rolled-back": (rolled_back, [(1, "superseded"), (2, "failed"), (3, "deployed")], "Rollback to 1"),
    "failed-upgrade": (failed_upgrade, [(1, "deployed"), (2, "failed")], 'Upgrade "app" failed'),
    "failed-install": (failed_install, [(1, "failed")], 'Release "app" failed'),
    "reinstalled": (reinstalled, [(1, "failed")], 'Release "app" failed'),
}


@pytest.mark.parametrize("which", ["helm", "helm3"])
@pytest.mark.parametrize("life", LIVES)
def test_E79_real_helm_goes_on_with_what_the_controller_left(releases, request, life, which):
    helm, ns = request.getfixturevalue(which), releases.ns
    make, wanted, description = LIVES[life]
    make(releases)
    releases.objects.patch("HelmRelease", "app", {"spec": {"suspend": True}})
    assert history(helm, ns) == wanted
    assert description in helm.json("history", "app", "-n", ns)[-1]["description"]
    [row] = helm.json("list", "-n", ns, *(["--all"] if which == "helm3" else []))
    assert (row["revision"], row["status"]) == (str(wanted[-1][0]), wanted[-1][1])
    status = helm.json("status", "app", "-n", ns)
    assert status["info"]["status"] == wanted[-1][1] and status["version"] == wanted[-1][0]
    assert helm.json("get", "values", "app", "-n", ns) == {"a": 1}
    assert "name: config" in helm("get", "manifest", "app", "-n", ns)
    assert "name: check" in helm("get", "hooks", "app", "-n", ns)
    assert "notes of " in helm("get", "notes", "app", "-n", ns)
    assert "USER-SUPPLIED VALUES" in helm("get", "all", "app", "-n", ns)
    if len(wanted) > 1:
        helm("rollback", "app", "1", "-n", ns, *(["--force-conflicts"] if which == "helm" else []))
        assert history(helm, ns)[-1] == (wanted[-1][0] + 1, "deployed") and data(releases) == "1"
    helm("uninstall", "app", "-n", ns)
    assert releases.statuses() == {} and not releases.live("ConfigMap", "config")


# --- what somebody does by hand ---

def by_rollback(helm, ns, _):
    helm("rollback", "app", "1", "-n", ns, "--force-conflicts")


def by_upgrade(helm, ns, tmp_path):
    helm("upgrade", "app", write_chart(tmp_path / "theirs", files("theirs"), version="9.0.0"), "-n", ns,
         "--force-conflicts")


def by_values(helm, ns, tmp_path):
    """The controller's own chart with other values."""
    helm("upgrade", "app", write_chart(tmp_path / "same", files("2"), version="2.0.0"), "-n", ns,
         "--set", "a=7", "--force-conflicts")


@pytest.mark.parametrize("act", [by_rollback, by_upgrade, by_values], ids=lambda f: f.__name__)
def test_H69_what_was_done_by_hand_is_upgraded_back(releases, helm, tmp_path, act):
    installed(releases)
    upgraded(releases)
    act(helm, releases.ns, tmp_path)
    releases.rerun()
    obj = releases.ready(version=4)
    assert history(helm, releases.ns) == [(1, "superseded"), (2, "superseded"), (3, "superseded"), (4, "deployed")]
    assert data(releases) == "2" and helm.json("get", "values", "app", "-n", releases.ns) == {"a": 1}
    assert [h["version"] for h in obj["status"]["history"]] == [4], "whatever was there before is not ours"


def test_H69_uninstalled_by_hand_it_is_installed_again(releases, helm):
    installed(releases)
    helm("uninstall", "app", "-n", releases.ns)
    releases.rerun()
    releases.ready(version=1)
    assert history(helm, releases.ns) == [(1, "deployed")] and data(releases) == "1"


@pytest.mark.parametrize("replaces", [False, True])
def test_H54_H69_uninstalled_by_hand_with_its_history(releases, helm, replaces):
    """The name is in use, until spec says that it may be taken."""
    installed(releases, install={"replace": replaces})
    helm("uninstall", "app", "--keep-history", "-n", releases.ns)
    releases.rerun()
    if not replaces:
        releases.failed("InstallFailed", "cannot reuse a name that is still in use")
        assert history(helm, releases.ns) == [(1, "uninstalled")]
        releases.quiet(values={"a": 1}, install={"replace": True})
    releases.ready(version=2)
    assert history(helm, releases.ns) == [(1, "superseded"), (2, "deployed")] and data(releases) == "1"


def test_H71_tests_run_by_hand_change_nothing(releases, helm):
    """They are written into the record, which is the controller's own still."""
    installed(releases)
    done = []

    def end():
        if releases.live("Job", "check"):
            releases.end_job("check")
            done.append(1)
        return done
    ender = threading.Thread(target=lambda: wait_until(end, "the test's Job"))
    ender.start()
    helm("test", "app", "-n", releases.ns)
    ender.join()
    releases.rerun()
    assert releases.ready()["status"]["history"][0]["version"] == 1
    assert history(helm, releases.ns) == [(1, "deployed")]
