"""Kinds of fault: actions for the rules of tests/lib/proxy.py, each a function of an Exchange."""
import json

from .proxy import Ended, passing


def status(code, reason="", message="the test says no", headers=None, details=None):
    """The API server refuses by a Status object."""
    body = json.dumps({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                       "message": message, "reason": reason, "code": code,
                       **({"details": details} if details else {})}).encode()
    return reply(code, body, {"Content-Type": "application/json", **(headers or {})})


def reply(code, body=b"", headers=None):
    """This and no other answer; the server never hears of the request."""
    def act(x):
        x.reply(code, body, list((headers or {}).items()))
    return act


def error_event(code, reason, message="the test says no"):
    """A watch whose stream is one ERROR event."""
    event = {"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "metadata": {},
                                         "status": "Failure", "message": message,
                                         "reason": reason, "code": code}}
    return reply(200, json.dumps(event).encode() + b"\n", {"Content-Type": "application/json"})


def drop(reset=False):
    """The connection ends before the server hears of the request."""
    def act(x):
        x.client.close(reset)
        raise Ended("dropped")
    return act


def lose_reply(reset=False):
    """The server does it; the client never hears what came of it."""
    def act(x):
        x.send()
        _, _, pieces = x.receive()
        for _ in pieces:
            pass
        x.client.close(reset)
        raise Ended("reply lost")
    return act


def cut(after, reset=False):
    """The connection ends after so many bytes of the reply's body; 0: after its head."""
    def edit(x, pieces):
        left = after
        for piece in pieces:
            if len(piece) >= left:
                yield piece[:left]
                break
            left -= len(piece)
            yield piece
        else:
            return
        raise Ended("cut")

    def act(x):
        try:
            if after == 0:
                x.send()
                code, headers, _ = x.receive()
                x.begin(code, headers)
                raise Ended("cut")
            x.forward(lambda pieces: edit(x, pieces))
        except Ended:
            x.client.close(reset)
            raise
    return act


def short(by):
    """The body lacks its last bytes, and the length that is said is the short one: only a digest
    tells."""
    def act(x):
        x.send()
        code, headers, pieces = x.receive()
        body = b"".join(pieces)[:-by]
        x.reply(code, body, [(n, v) for n, v in headers if n.lower() != "content-length"])
    return act


def corrupt(at, flip=0x20):
    """One byte of the body is another one."""
    def edit(pieces):
        offset = 0
        for piece in pieces:
            if offset <= at < offset + len(piece):
                piece = bytearray(piece)
                piece[at - offset] ^= flip
                offset += len(piece)
                yield bytes(piece)
                continue
            offset += len(piece)
            yield piece

    def act(x):
        x.forward(edit)
    return act


def slow_reply(seconds):
    """The server does it at once; the client hears of it later."""
    def act(x):
        x.send()
        code, headers, pieces = x.receive()
        body = b"".join(pieces)
        x.proxy.pause(seconds)
        x.reply(code, body, [(n, v) for n, v in headers if n.lower() != "content-length"])
    return act


def delay(seconds):
    """The request reaches the server later."""
    def act(x):
        x.proxy.pause(seconds)
        x.forward()
    return act


def trickle(size=1, seconds=0.0):
    """The body in pieces of so many bytes, with a pause between."""
    def act(x):
        def edit(pieces):
            for piece in pieces:
                for i in range(0, len(piece), size):
                    yield piece[i:i + size]
                    if seconds:
                        x.proxy.pause(seconds)
        x.forward(edit)
    return act


def repeat():
    """The server gets the request twice; the client the second answer."""
    def act(x):
        x.send()
        _, _, pieces = x.receive()
        for _ in pieces:
            pass
        x.forward()
    return act


def hold(gate):
    """Waits until the test sets the event, then passes."""
    def act(x):
        while not gate.is_set():
            x.proxy.pause(0.05)
        x.forward()
    return act


def behind(gate):
    """A watch that tells what happens only while the event is set, all of it once it is again."""
    def edit(x, pieces):
        for piece in pieces:
            while not gate.is_set():
                x.proxy.pause(0.05)
            yield piece

    def act(x):
        x.forward(lambda pieces: edit(x, pieces))
    return act


def hang():
    """Never answers: until the client gives up or the proxy stops."""
    def act(x):
        x.client.receive()
        raise Ended("given up")
    return act


def then(fn, action=passing):
    """Calls fn(exchange) in the middle of the request, then acts."""
    def act(x):
        fn(x)
        action(x)
    return act


def after_reply(fn):
    """The server does it; fn(exchange) runs before the client hears of it."""
    def act(x):
        x.send()
        code, headers, pieces = x.receive()
        body = b"".join(pieces)
        fn(x)
        x.reply(code, body, [(n, v) for n, v in headers if n.lower() != "content-length"])
    return act
