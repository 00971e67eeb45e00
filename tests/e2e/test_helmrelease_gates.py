"""Feature gates of helm-controller that show in what it asks the API server for (helm-controller.md 19)."""
import pytest

from tests.lib.releases import QUICK, chart_server, config, controller_with, releases  # noqa: F401

helm_controller = controller_with(*QUICK, "--feature-gates=DirectSourceFetch=true,DisableConfigWatchers=true,"
                                  "CacheSecretsAndConfigMaps=true", server="proxied")


@pytest.fixture
def released(releases):
    releases.chart({"templates/a.yaml": config("a")})
    releases.quiet()
    releases.ready()
    return releases


def test_DirectSourceFetch_asks_for_the_source(released, proxied):
    mark = proxied.proxy.mark()
    released.rerun()
    path = f"/namespaces/{released.ns}/helmcharts/chart$"
    assert [r for r in proxied.proxy.requests(since=mark, path=path) if r.method == "GET"]


def test_DisableConfigWatchers_watches_none(released, proxied):
    asked = [r.target for r in proxied.proxy.requests(since=0, path="^/api/v1/(secrets|configmaps)$")]
    assert not [t for t in asked if "reconcile.fluxcd.io" in t], asked
