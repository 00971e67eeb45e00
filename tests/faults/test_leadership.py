"""Two replicas and one lease: stopped, continued, killed. Who acts is seen at the API server: each write
carries its writer, and resourceVersions put it before or after the lease's change of hands."""
import os
import random
import signal

import pytest

from tests.lib.net import wait_until
from tests.lib.probe import Replicas

@pytest.fixture
def replicas(api, ns, directory, request):
    pair = Replicas(api, ns, directory, lease_ms=getattr(request, "param", ""))
    yield pair
    pair.stop()


def test_a_stopped_leader_that_goes_on_does_not_act(replicas):
    """SIGSTOP, as a node that is out of memory or a virtual machine that is moved; another one takes the
    lease after its duration; SIGCONT: the old one must not write what it had in mind."""
    leader = replicas.writer()
    for _ in range(4):
        old = replicas.running[leader]
        since = len(replicas.writes.seen())
        # Anywhere between two renewals and two writes.
        wait_until(lambda n=since: len(replicas.writes.seen()) > n + random.randrange(1, 9), "writes")
        old.suspend()
        since = len(replicas.writes.seen())
        other = replicas.writer(other_than=leader, since=since)
        mark = len(replicas.writes.seen())
        os.kill(old.child.pid, signal.SIGCONT)
        wait_until(lambda n=mark: len(replicas.writes.seen()) > n + 20, "more writes of the new one")
        # As a daemon, it ends once it has lost; here it stays, and is put back by hand.
        assert any(line.startswith("lost") for line in old.stop())
        replicas.running[leader] = replicas.start(leader)
        leader = other
    replicas.never_both()


def test_a_killed_leader_is_replaced_and_nobody_acts_meanwhile(replicas):
    leader = replicas.writer()
    for _ in range(3):
        replicas.running[leader].child.kill()
        replicas.running[leader].child.communicate()
        since = len(replicas.writes.seen())
        other = replicas.writer(other_than=leader, since=since)
        replicas.running[leader] = replicas.start(leader)
        leader = other
    replicas.never_both()


@pytest.mark.parametrize("replicas", [20000], indirect=True)
def test_a_stop_shorter_than_the_lease_costs_nothing(replicas):
    leader = replicas.writer()
    pid = replicas.running[leader].child.pid
    os.kill(pid, signal.SIGSTOP)
    # Once the other one has looked at the lease again.
    since = len(replicas.leases.seen())
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: len(replicas.leases.seen()) > since + 2, "renewals")
    assert {who for _, who in replicas.writes.seen() if who} == {leader}
    replicas.never_both()
