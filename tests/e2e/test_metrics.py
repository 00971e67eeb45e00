"""Series that every controller has, under upstream's names."""
import pytest

TOKENS = ("gotk_token_cached_items", "gotk_token_cache_evictions_total",
          'gotk_token_cache_requests_total{status="success"}',
          'gotk_token_cache_requests_total{status="failure"}')


@pytest.mark.parametrize("name", ["source-controller", "kustomize-controller",
                                  "notification-controller"])
def test_how_the_cache_of_tokens_does(toolkit, name):
    told = toolkit[name].metrics().splitlines()
    assert [series for series in TOKENS if f"{series} 0" not in told] == []
