"""The search for planted secrets, which every module ends with, finds them."""
import base64
import json

import pytest

from tests.lib.net import RestClient, http
from tests.lib.planted import found, planted, search_logs, search_objects
from tests.lib.sink import Sink

FORMS = {
    "plain": lambda s: s, "hex": lambda s: s.encode().hex(),
    "basic": lambda s: base64.b64encode(f"user:{s}".encode()).decode(),
    "one off": lambda s: base64.b64encode(f"x{s}".encode()).decode(),
    "two off": lambda s: base64.b64encode(f"xx{s}".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_in_each_form(tmp_path, form):
    told = FORMS[form](planted("password"))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "source-controller.log").write_text(f'{{"error":"login {told} refused"}}\n')
    (tmp_path / "peer.log").write_text(told)  # what a test's own server says is no leak of ours
    finds = search_logs(tmp_path)
    assert len(finds) == 1 and told[:8] in finds[0]
    assert not found(told[4:7])


class Told:
    """An API server whose only GitRepository has a text at a place."""

    told_by_deleted = ()

    def __init__(self, text, place):
        self.item = {"metadata": {"name": "src"}, "spec": {"url": text}, "status": {}}
        self.item.setdefault(place, {})["message"] = text

    def raw(self, method, path):
        items = [self.item] if path.endswith("/gitrepositories") else []
        return 200, {}, json.dumps({"items": items})


def test_a_secret_is_found_in_a_status_but_may_be_in_a_spec():
    text = planted("token")
    assert search_objects(Told(text, "status"))
    assert not search_objects(Told(text, "spec"))


@pytest.mark.parametrize("place", ["status", "spec"])
def test_a_secret_is_found_in_what_a_deleted_object_said(place):
    path = "/apis/source.toolkit.fluxcd.io/v1/namespaces/ns/gitrepositories/src"
    obj = {"kind": "GitRepository", "metadata": {"name": "src"}, place: {"x": planted("deleted")}}
    empty = json.dumps({"items": []}).encode()
    server = Sink(answers={path: lambda message, earlier: (200, {}, json.dumps(obj).encode())})
    client = RestClient(server.url)
    client.raw("DELETE", path)
    server.answers = type("All", (dict,), {"get": lambda *_: lambda *_: (200, {}, empty)})()
    assert bool(search_objects(client)) == (place == "status")
    client.close()
    server.stop()


def test_a_secret_is_found_in_what_a_sink_was_sent():
    server = Sink()
    http("POST", server.url, json.dumps({"message": planted("event")}))
    server.clear()
    assert len(server.told) == 1
    server.stop()
