"""The wall clock set hours forward and back while daemons run: watches, queues and the lease go by
monotonic time and notice nothing."""
import datetime
import json
import time

import pytest

from tests.faults.conftest import config_map
from tests.faults.test_api_faults import busiest, drift_comes_back
from tests.lib.clock import HOUR, Clock
from tests.lib.controllers import Toolkit
from tests.lib.net import wait_until
from tests.lib.probe import Replicas

# From the true time, within which certificates are valid; the daemons start at the first.
JUMPS = [12, 0, 23, 0.5]


@pytest.fixture(scope="module")
def clock(directory):
    return Clock(directory / "clock", JUMPS[0])


@pytest.fixture(scope="module")
def toolkit(proxied, directory, clock):
    kit = Toolkit(proxied, directory / "toolkit", env=clock.env).start()
    yield kit
    kit.finish()


def test_the_clock_is_the_tests(app, objects, toolkit, clock):
    """Without this the others would show nothing."""
    app.deploy({"a.yaml": config_map("a", "0")})
    told = json.loads(toolkit["kustomize-controller"].log().splitlines()[-1])["ts"]
    ahead = datetime.datetime.fromisoformat(told.replace("Z", "+00:00")).timestamp() - time.time()
    assert 11.5 < ahead / HOUR < 12.5, told


@pytest.mark.parametrize("hours", JUMPS[1:])
def test_reconciles_watches_and_intervals_go_on(app, objects, proxy, toolkit, clock, hours):
    app.deploy({"a.yaml": config_map("a", "1")})
    mark, began = proxy.mark(), time.monotonic()
    clock.set(hours)
    try:
        # The watch for drift, the interval of the source (2 s), the retry of what failed.
        drift_comes_back(objects, "a", "1")
        app.deploy({"a.yaml": config_map("a", "2")})
        app.commit({"a.yaml": "kind: ["})
        objects.not_ready("Kustomization", "app", "BuildFailed")
        app.deploy({"a.yaml": config_map("a", "3")})
        assert objects.configmap("a")["data"] == {"v": "3"}
    finally:
        clock.set(JUMPS[0])
    assert busiest(proxy, mark, query="watch=true") <= 1, "no watch was begun again"
    assert busiest(proxy, mark) < 60 + (time.monotonic() - began), "no storm"
    assert all(c.alive() for c in toolkit.running.values())


def test_a_leader_and_its_replica_do_not_go_by_the_wall_clock(api, ns, directory):
    """client-go's rule: own time since the last observed change, never the times in the lease."""
    clocks = {name: Clock(directory / f"clock-{name}", JUMPS[0]) for name in ("one", "two")}
    pair = Replicas(api, ns, directory, {name: c.env for name, c in clocks.items()}, lease_ms=15000)
    try:
        leader = pair.writer(other_than="")
        for name in ("one", "two"):
            for hours in JUMPS[1:]:
                clocks[name].set(hours)
                renewed, written = len(pair.leases.seen()), len(pair.writes.seen())
                # Longer than a lease in sum, which another one would have taken.
                wait_until(lambda n=renewed: len(pair.leases.seen()) > n + 8, "renewals")
                wait_until(lambda n=written: len(pair.writes.seen()) > n + 8, "writes")
        assert {who for _, who in pair.writes.seen()} == {leader}
        pair.never_both()
    finally:
        pair.stop()
