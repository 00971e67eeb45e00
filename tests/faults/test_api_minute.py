"""What takes a minute of the API server: that it is gone, and that it does not answer."""
import time

import pytest

from tests.faults.conftest import config_map
from tests.faults.test_api_faults import WATCH, busiest, drift_comes_back, warnings
from tests.lib.controllers import Toolkit
from tests.lib.fault import hang
from tests.lib.net import wait_until

BACK_S = 25  # of which a busy machine may need the half; a back-off at its longest is 30


@pytest.fixture(scope="module")
def toolkit(proxied, directory):
    with Toolkit(proxied, directory / "toolkit").run() as kit:
        yield kit


def test_the_api_server_gone_for_a_minute(app, objects, proxy, api, toolkit):
    app.deploy({"a.yaml": config_map("a", "1"), "b.yaml": config_map("b", "1")})
    proxy.down()
    gone = time.monotonic()
    app.commit({"a.yaml": config_map("a", "2"), "c.yaml": config_map("c", "1")})
    assert api.rest.call("DELETE", f"/api/v1/namespaces/{objects.ns}/configmaps/b")[0] == 200
    wait_until(lambda: time.monotonic() - gone > 60, "the minute to pass")
    assert all(c.alive() for c in toolkit.running.values())
    mark = proxy.mark()
    proxy.up()
    # Ten seconds at most until the first try of anybody; all others follow it.
    app.settled(BACK_S)
    wait_until(lambda: objects.configmap("b"), "the deleted object to be back")
    assert objects.configmap("a")["data"] == {"v": "2"} and objects.configmap("c")
    drift_comes_back(objects, "a", "2")
    assert busiest(proxy, mark, query=WATCH) < 12
    assert warnings(objects) == [] == warnings(objects, "src"), "nothing of the objects' failed"


def test_replies_after_the_timeout(app, objects, proxy):
    app.commit({"a.yaml": config_map("a", "1")})
    app.start(retryInterval="1h")  # a failure that is soon over would not be seen by everybody
    app.settled()
    rule = proxy.on(hang(), times=1, method="PATCH", path=f"/{objects.ns}/configmaps/")
    app.commit({"a.yaml": config_map("a", "2")})
    failed = objects.not_ready("Kustomization", "app", "ReconciliationFailed", 150)
    assert f"ConfigMap/{objects.ns}/a" in objects.condition(failed)["message"]
    objects.request("Kustomization", "app")
    app.settled()
    assert rule.hits == 1
