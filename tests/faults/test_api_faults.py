"""The API server as production has it at its worst, by a proxy between it and the controllers: watches
cut at any byte, 409, 410, 429, 500, replies lost, late or never, the server gone. After each: the end
state is right, nothing was lost, requests backed off, and the user could see what was wrong."""
import os
import time

import pytest

from tests.faults.conftest import config_map
from tests.lib.controllers import Toolkit
from tests.lib.net import wait_until
from tests.lib.proxy import (cut, delay, drop, error_event, hang, lose_reply, repeat, slow_reply, status,
                             trickle)

WATCH = "watch=true"


@pytest.fixture(scope="module")
def toolkit(proxied, directory):
    kit = Toolkit(proxied, directory / "toolkit").start()
    yield kit
    logs = {name: c.log() for name, c in kit.running.items()}
    codes = kit.stop()
    bad = {name: code for name, code in codes.items() if code != 0}
    assert not bad, {name: logs[name][-4000:] for name in bad}


def drift_comes_back(objects, name, value, timeout=20):
    """Somebody edits an applied object: undone, so the watch that tells of it lives."""
    path = f"/api/v1/namespaces/{objects.ns}/configmaps/{name}"
    code, reply = objects.api.rest.call("PATCH", path, {"data": {"v": "edited"}},
                                        "application/merge-patch+json")
    assert code == 200, reply
    wait_until(lambda: objects.configmap(name)["data"] == {"v": value}, "the edit to be undone",
               timeout)


def test_the_proxy_lets_everything_pass(app, objects, proxy):
    """The other tests mean something only if nothing is wrong without rules."""
    app.deploy({"a.yaml": config_map("a", "1")})
    assert proxy.count(query=WATCH) and proxy.count(method="PATCH")
    drift_comes_back(objects, "a", "1")
