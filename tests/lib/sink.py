"""A small HTTP server that remembers what it was sent: stands in for Slack, Grafana, webhooks."""
import http.server
import json
import threading
import time

from .net import PATIENCE, note_wait
from .planted import found


class Message:
    def __init__(self, method, path, headers, body, peer_cert=None):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.peer_cert = peer_cert

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.method} {self.path} {self.body[:200]!r}>"


class Sink:
    """`answers` maps a path to a function(message, count of earlier ones) -> (status, headers,
    body); other paths get 200. With `context` (ssl.SSLContext) it speaks TLS."""

    def __init__(self, answers=None, context=None):
        self.messages = []
        self.told = []  # planted secrets in bodies, those of messages that were cleared, too
        self.arrived = threading.Condition()
        self.answers = answers or {}
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                peer_cert = self.connection.getpeercert() if context else None
                message = Message(self.command, self.path, dict(self.headers),
                                  self.rfile.read(length), peer_cert)
                status, headers, body = sink.take(message)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        if context:
            # The handshake happens in the connection's thread: a client that refuses us must not
            # end the accepting one.
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
            self.server.handle_error = lambda *args: None
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, message):
        with self.arrived:
            earlier = sum(m.path == message.path for m in self.messages)
            self.messages.append(message)
            self.told += found(message.body.decode(errors="replace"))
            self.arrived.notify_all()
        answer = self.answers.get(message.path)
        return answer(message, earlier) if answer else (200, {}, b"ok")

    def wait(self, match, what="a message", timeout=PATIENCE):
        """The first message for which match(message) is true."""
        started = time.monotonic()
        with self.arrived:
            found = self.arrived.wait_for(
                lambda: next((m for m in self.messages if match(m)), None), timeout)
            note_wait(started, timeout, what)
            assert found, f"no {what} within {timeout} s; got {self.messages}"
            return found

    def clear(self):
        with self.arrived:
            self.messages.clear()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
