#!/usr/bin/python3
"""Runs every suite of a build directory and closes with one line: N passed, N failed, N skipped.

run.py BUILD [SUITE...]: unit, release (what a release build is promised to need, in a build directory of
its own), fuzz (each target for FUZZ_SECONDS, 3 unless told, from its seeds), differential, e2e (on the
embedded API server), faults, kube (the end-to-end suite on the real
kube-apiserver). All of them when none is named.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.lib.schedule import longest_first  # noqa: E402 # pylint: disable=wrong-import-position

RELEASE = ROOT / "build-release"
PYTHON = "/usr/bin/python3"  # Debian's: the one that python3-pytest belongs to
JOBS = max(2, os.cpu_count() or 2)
WAITING_JOBS = JOBS + 2  # of suites whose tests mostly wait for something to happen


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, passed, failed, skipped):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped


def say(text):
    print(text, flush=True)


def run_checks(build, tally):
    """Rules of the tree that a compiler does not know."""
    for check in (["scripts/check-includes"], ["scripts/check-symbols", build]):
        done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
        tally.add(done.returncode == 0, done.returncode != 0, 0)
        if done.returncode:
            say(f"--- {check[0]}:\n{done.stderr[-6000:]}")


def run_unit(build, tally):
    """Each unit program by itself, so that a crash is one failure and its output is shown."""
    run_checks(build, tally)
    listing = subprocess.run(["meson", "introspect", "--tests", str(build)], check=True,
                             capture_output=True, text=True).stdout
    tests = json.loads(listing)
    longest_first(tests, lambda test: test["name"])
    times = []

    def run_one(test):
        started = time.monotonic()
        env = dict(os.environ, SLUICE_BUILD=str(build), **test["env"])
        try:
            done = subprocess.run(test["cmd"], capture_output=True, text=True, errors="replace",
                                  timeout=300, env=env, cwd=ROOT, stdin=subprocess.DEVNULL)
            times.append((test["name"], time.monotonic() - started))
            return test, done.returncode, done.stdout + done.stderr
        except subprocess.TimeoutExpired as e:
            return test, -1, f"timed out after 300 s\n{e.stdout or b''!r}"

    with concurrent.futures.ThreadPoolExecutor(WAITING_JOBS) as pool:
        for test, code, output in pool.map(run_one, tests):
            def count(word, text=output):
                found = re.search(rf"\[  ?{word} *\] (\d+) test\(s\)", text)
                return int(found.group(1)) if found else 0
            passed, failed, skipped = count("PASSED"), count("FAILED"), count("SKIPPED")
            if code != 0:
                failed = max(failed, 1)
            elif passed + skipped == 0:
                failed, output = 1, output + "\nran no test"
            tally.add(passed, failed, skipped)
            if failed or skipped:
                say(f"--- {test['name']}: {passed} passed, {failed} failed, {skipped} skipped")
                say(output[-6000:] if failed else
                    "\n".join(l for l in output.splitlines() if "SKIP" in l))
    say_longest(times)


def run_fuzz(tally):
    """scripts/fuzz ends with the first target that finds something; its output is shown."""
    if not shutil.which("clang"):
        say("SKIPPED: no clang, so no libFuzzer")
        tally.add(0, 0, 1)
        return
    # What one run finds, the next one finds, too.
    env = {"FUZZ_SECONDS": "3", "FUZZ_SEED": "1", **os.environ}
    done = subprocess.run(["scripts/fuzz"], cwd=ROOT, capture_output=True, text=True, env=env,
                          errors="replace", stdin=subprocess.DEVNULL)
    passed = re.findall(r"^== \w+: Done", done.stdout, re.MULTILINE)
    failed = done.returncode != 0
    tally.add(len(passed), failed, 0)
    if failed:
        say(f"--- fuzz:\n{(done.stdout + done.stderr)[-6000:]}")


def say_longest(names_and_seconds, count=12):
    """What took most of a suite's time, as lines for tests/long_tests."""
    seconds = collections.Counter()
    for name, took in names_and_seconds:
        seconds[name] += took
    for name, took in seconds.most_common(count):
        say(f"{name} {took:.0f}")


def run_pytest(name, folders, env, tally, jobs=WAITING_JOBS):
    """One pytest run; counts come from its JUnit report, so a collection error is a failure."""
    folders = [f for f in folders if list((ROOT / f).glob("test_*.py")) or
               list((ROOT / f).glob("*/test_*.py"))]
    if not folders:
        return
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        command = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfEs",
                   "--tb=short", f"--junitxml={report.name}", *folders]
        command += ["-n", str(jobs), "--dist", "loadfile"]
        # The real programs are Go's: with room they spend a quarter less time on collecting garbage.
        done = subprocess.run(command, cwd=ROOT, env=dict(os.environ, GOGC="300", **env),
                              stdin=subprocess.DEVNULL)
        try:
            suite = ElementTree.parse(report.name).getroot().find("testsuite")
            say_longest((case.get("classname").replace(".", "/") + ".py", float(case.get("time")))
                        for case in suite.iter("testcase"))
            total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
            failed = int(suite.get("failures")) + int(suite.get("errors"))
        except (ElementTree.ParseError, AttributeError):
            total, failed, skipped = 1, 1, 0
        if done.returncode not in (0, 1) and not failed:
            total, failed = total + 1, 1
        tally.add(total - failed - skipped, failed, skipped)
        say(f"--- {name}: {total - failed - skipped} passed, {failed} failed, {skipped} skipped")


def build_oracle(name):
    """The directory with an oracle's programs, or None where there is no Go toolchain."""
    done = subprocess.run([ROOT / "tests" / "oracles" / "build", name], stdout=subprocess.PIPE,
                          text=True)
    if done.returncode == 3:
        return None
    assert done.returncode == 0, f"oracle {name} did not build"
    return done.stdout.strip()


def run_on_kube(oracle, env, tally):
    """The end-to-end and fault suites on the real kube-apiserver. Modules start their own; the API
    server's own suite, which changes cluster-wide state, gets one for itself."""
    from tests.lib.kube import KubeApi
    with tempfile.TemporaryDirectory(prefix="sluice-kube-", dir="/tmp") as directory:
        first = KubeApi(f"{directory}/first", oracle)
        try:
            first.prepare()
        finally:
            first.stop()
        api = KubeApi(f"{directory}/api", oracle)
        try:
            run_pytest("kube", ["tests/e2e", "tests/faults"], dict(
                env, SLUICE_API="kube", SLUICE_KUBE_ORACLE=oracle, SLUICE_KUBE_LIKE=first.dir,
                SLUICE_API_URL=api.server, SLUICE_API_CA=api.ca_file, SLUICE_API_TOKEN=api.token),
                tally)
        finally:
            api.stop()


def run_release(env, tally):
    """On the daemons as `make build` has them, one test after the other: some look at the clock."""
    if not (RELEASE / "build.ninja").exists():
        subprocess.run(["meson", "setup", str(RELEASE), "-Dbuildtype=release", "-Dtests=false",
                        "-Dwerror=true"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    targets = [f"{n}-controller/{n}-controller" for n in ("source", "kustomize", "notification", "helm")]
    done = subprocess.run(["ninja", "-C", str(RELEASE), *targets, "apiserver/sluice-apiserver",
                           "cli/sluice"],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"--- the release build:\n{done.stdout[-6000:]}")
        tally.add(0, 1, 0)
        return
    run_pytest("release", ["tests/release"], dict(env, SLUICE_BUILD=str(RELEASE),
                                                  SLUICE_API="embedded"), tally, jobs=0)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    suites = sys.argv[2:] or ["unit", "release", "fuzz", "e2e", "faults", "differential", "kube"]
    tally = Tally()
    env = {"SLUICE_BUILD": str(build), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1",
           # Leaks fail a unit test; a daemon reports them when it stops.
           "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
           "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}
    os.environ.update(env)
    for suite in suites:
        started = time.monotonic()
        say(f"=== {suite}")
        if suite == "unit":
            run_unit(build, tally)
        elif suite == "release":
            run_release(env, tally)
        elif suite == "fuzz":
            run_fuzz(tally)
        elif suite in ("e2e", "faults"):
            flux = {"SLUICE_FLUX_ORACLE": build_oracle("flux") or ""} if suite == "e2e" else {}
            run_pytest(suite, [f"tests/{suite}"], dict(env, SLUICE_API="embedded", **flux), tally)
        elif suite == "differential":
            oracles = {f"SLUICE_{name.upper().replace('-', '_')}_ORACLE": build_oracle(name) or ""
                       for name in sorted(p.parent.name for p in
                                          (ROOT / "tests" / "oracles").glob("*/go.mod"))}
            if oracles.get("SLUICE_KUBE_ORACLE"):
                oracles["SLUICE_KUBE_APISERVER"] = oracles["SLUICE_KUBE_ORACLE"] + "/kube-apiserver"
            oracles["SLUICE_SMD_DRIVER"] = str(build / "tests" / "unit" / "smd" / "smd_driver")
            run_pytest(suite, ["tests/differential"], dict(env, **oracles), tally)
        elif suite == "kube":
            oracle = build_oracle("kube")
            if not oracle:
                say("SKIPPED: no Go toolchain, so no real kube-apiserver to test on")
                tally.add(0, 0, 1)
                continue
            run_on_kube(oracle, dict(env, SLUICE_FLUX_ORACLE=build_oracle("flux")), tally)
        say(f"=== {suite}: {time.monotonic() - started:.0f} s")
    say(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
