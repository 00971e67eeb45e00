"""A man in the middle for tests: an HTTP/1.1 proxy (with TLS towards both sides where the server has
it) that a test steers by rules. What no rule is about passes unchanged.

    proxy = Proxy(api.server, api.ca_file)
    proxy.on(status(500), method="PATCH", path="/status$", times=3)
    proxy.count(method="PATCH")

A rule's action is a function of an Exchange; tests/lib/fault.py has the kinds of fault.
"""
import json
import pathlib
import re
import select
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import urllib.parse

from .kube import write_kubeconfig
from .net import PATIENCE, free_port, wait_until

PIECE = 65536


class Ended(Exception):
    """One of the two peers is gone, or the test wants the connection ended."""


def make_certificate(directory):
    """(certificate, key) for 127.0.0.1, its own authority."""
    cert, key = f"{directory}/proxy.crt", f"{directory}/proxy.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                    "-subj", "/CN=proxy", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
                   check=True, capture_output=True)
    return cert, key


class Wire:
    """A socket and what was read from it ahead."""

    def __init__(self, sock):
        self.sock, self.ahead = sock, b""

    def receive(self):
        try:
            data = self.sock.recv(PIECE)
        except (OSError, ValueError) as e:
            raise Ended(str(e)) from None
        if not data:
            raise Ended("end of stream")
        return data

    def until(self, mark):
        while mark not in self.ahead:
            self.ahead += self.receive()
        head, self.ahead = self.ahead.split(mark, 1)
        return head

    def exactly(self, count):
        while len(self.ahead) < count:
            self.ahead += self.receive()
        data, self.ahead = self.ahead[:count], self.ahead[count:]
        return data

    def some(self, most):
        """At least one byte, at most so many."""
        if not self.ahead:
            self.ahead = self.receive()
        data, self.ahead = self.ahead[:most], self.ahead[most:]
        return data

    def head(self):
        """(first line, [(name, value)])"""
        first, *lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        return first, [tuple(p.strip() for p in line.split(":", 1)) for line in lines]

    def chunks(self):
        while size := int(self.until(b"\r\n").split(b";")[0], 16):
            left = size
            while left:
                piece = self.some(left)
                left -= len(piece)
                yield piece
            self.exactly(2)
        self.until(b"\r\n")

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (OSError, ValueError) as e:
            raise Ended(str(e)) from None

    def is_idle(self):
        """Open, and silent between two replies: a server that closed would have been heard."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN | select.POLLHUP | select.POLLERR)
        return not self.ahead and not poll.poll(0)

    def interrupt(self, reset=False):
        """Wakes a thread that reads; that one closes. Another thread must not: TLS under way there
        would go on with the number of the descriptor, whatever that names by then."""
        try:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sock.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
        except (OSError, ValueError):
            pass

    def close(self, reset=False):
        self.interrupt(reset)
        try:
            self.sock.close()
        except OSError:
            pass


def header(headers, name):
    return next((v for n, v in headers if n.lower() == name), None)


class Request:
    """What came, as the log keeps it: `status` is what was replied (0: nothing), `at` when it came."""

    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.path, _, self.query = target.partition("?")
        self.path = urllib.parse.unquote(self.path)
        self.at = time.monotonic()
        self.status = 0

    def header(self, name):
        return header(self.headers, name.lower())

    @property
    def json(self):
        return json.loads(self.body)

    def stem(self):
        """Who asks for what, whatever the version: the same for the tries of one watch."""
        selectors = re.findall(r"[lf][a-z]+Selector=[^&]*", self.query)
        return (self.header("user-agent"), self.method, self.path, *selectors)

    def matches(self, method=None, path=None, query=None, body=None):
        return ((method is None or self.method in method.split("|")) and
                (path is None or re.search(path, self.path) is not None) and
                (query is None or re.search(query, self.query) is not None) and
                (body is None or re.search(body.encode(), self.body) is not None))

    def __repr__(self):
        return f"<{self.method} {self.target[:150]} -> {self.status}>"


class Exchange:
    """One request on its way, as an action sees it."""

    def __init__(self, proxy, client, connect, request):
        self.proxy, self.client, self.connect, self.request = proxy, client, connect, request
        self.upstream = None
        self.sent = 0  # bytes of the reply's body that the client got

    def send(self):
        """The request to the server."""
        self.upstream = self.connect()
        r = self.request
        lines = [f"{r.method} {r.target} HTTP/1.1"]
        lines += [f"{n}: {v}" for n, v in r.headers if n.lower() not in
                  ("connection", "content-length", "transfer-encoding", "expect", "host",
                   "accept-encoding")]
        lines += [f"Host: {self.proxy.upstream[0]}:{self.proxy.upstream[1]}"]
        if r.body or r.method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(r.body)}")
        self.upstream.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + r.body)

    def receive(self):
        """(status, headers, pieces of the body as they come)"""
        while True:
            first, headers = self.upstream.head()
            code = int(first.split()[1])
            if code >= 200:
                break
        self.request.status = code
        if self.request.method == "HEAD" or code in (204, 304):
            return code, headers, iter(())
        if "chunked" in (header(headers, "transfer-encoding") or ""):
            return code, headers, self.upstream.chunks()
        length = header(headers, "content-length")
        return code, headers, self.sized(None if length is None else int(length))

    def sized(self, left):
        while left is None or left:
            try:
                piece = self.upstream.some(PIECE if left is None else left)
            except Ended:
                if left is None:
                    return
                raise
            left = None if left is None else left - len(piece)
            yield piece

    def begin(self, code, headers):
        """The head of the reply; a length that the server gave stays, so that a cut shows."""
        self.request.status = code
        lines = [f"HTTP/1.1 {code} X"]
        lines += [f"{n}: {v}" for n, v in headers if n.lower() not in
                  ("connection", "transfer-encoding")]
        bodiless = self.request.method == "HEAD" or code in (204, 304)
        self.chunked = header(headers, "content-length") is None and not bodiless
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
        self.client.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    def write(self, data):
        if data:
            self.client.send(b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data)
            self.sent += len(data)

    def end(self):
        if self.chunked:
            self.client.send(b"0\r\n\r\n")

    def reply(self, code, body=b"", headers=()):
        self.begin(code, [*headers, ("Content-Length", str(len(body)))])
        self.write(body)

    def forward(self, edit=None):
        """Sends, and passes the reply on; `edit` makes pieces of the pieces."""
        self.send()
        code, headers, pieces = self.receive()
        self.begin(code, headers)
        for piece in (edit(pieces) if edit else pieces):
            self.write(piece)
        self.end()


def passing(x):
    x.forward()


class Rule:
    def __init__(self, action, times, skip, each, match):
        self.action, self.times, self.skip, self.match = action, times, skip, match
        self.met = set() if each else None
        self.hits = 0  # how often it acted

    def takes(self, request):
        if not request.matches(**self.match) or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.met is not None:
            if request.stem() in self.met:
                return False
            self.met.add(request.stem())
        self.times -= 1 if self.times > 0 else 0
        self.hits += 1
        return True


class Proxy:
    """`url`: the server; `ca_file`: what its certificate is verified with (https)."""

    def __init__(self, url, ca_file=None):
        parts = urllib.parse.urlsplit(url)
        self.upstream = (parts.hostname, parts.port)
        self.tls = parts.scheme == "https"
        self.lock = threading.Lock()
        self.rules, self.log, self.wires = [], [], set()
        self.connections = 0  # how many clients have made
        self.stopping = threading.Event()
        self.refusing = False
        self.listener = None
        if self.tls:
            self.directory = tempfile.TemporaryDirectory(prefix="sluice-proxy-", dir="/tmp")
            self.ca_file, key = make_certificate(self.directory.name)
            self.server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.server_context.load_cert_chain(self.ca_file, key)
            self.client_context = ssl.create_default_context(cafile=ca_file)
        self.port = free_port()  # claimed: it stays ours between down() and up()
        self.listen()
        self.url = f"{parts.scheme}://127.0.0.1:{self.port}"

    def go_by(self, authority, *names):
        """Speaks TLS with a certificate for these host names."""
        self.server_context = authority.server_context(names[0],
                                                       ",".join(f"DNS:{name}" for name in names))
        return self

    def listen(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(128)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    # --- one connection ---

    def keep(self, sock):
        wire = Wire(sock)
        with self.lock:
            refused = self.refusing or self.stopping.is_set()
            if not refused:
                self.wires.add(wire)
        if refused:
            wire.close(reset=True)
            raise Ended("down")
        return wire

    def release(self, wire):
        if wire:
            with self.lock:
                self.wires.discard(wire)
            wire.close()

    def connect(self):
        try:
            sock = socket.create_connection(self.upstream, PATIENCE)
            sock.settimeout(None)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                sock = self.client_context.wrap_socket(sock, server_hostname=self.upstream[0])
        except OSError as e:
            raise Ended(str(e)) from None
        return self.keep(sock)

    def serve(self, sock):
        client = None
        try:
            if self.tls:
                sock = self.server_context.wrap_socket(sock, server_side=True)
            client = self.keep(sock)
            upstream = None
            try:
                while True:
                    upstream = self.serve_one(client, upstream)
            finally:
                self.release(upstream)
        except (Ended, OSError, ValueError, IndexError):
            pass
        finally:
            if client:
                self.release(client)
            else:
                sock.close()

    def read_request(self, client):
        first, headers = client.head()
        method, target, _ = first.split(" ", 2)
        if (header(headers, "expect") or "").lower() == "100-continue":
            client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in (header(headers, "transfer-encoding") or ""):
            body = b"".join(client.chunks())
        else:
            body = client.exactly(int(header(headers, "content-length") or 0))
        return Request(method, target, headers, body)

    def serve_one(self, client, upstream):
        """One request; the connection to the server, to be used again."""
        request = self.read_request(client)
        with self.lock:
            self.log.append(request)
            rule = next((r for r in self.rules if r.takes(request)), None)

        def connect():
            nonlocal upstream
            if upstream and not upstream.is_idle():
                self.release(upstream)
                upstream = None
            if upstream is None:
                upstream = self.connect()
                threading.Thread(target=self.watch_client, args=(client, upstream),
                                 daemon=True).start()
            return upstream
        exchange = Exchange(self, client, connect, request)
        try:
            (rule.action if rule else passing)(exchange)
        except BaseException:
            self.release(upstream)
            raise
        return upstream

    def watch_client(self, client, upstream):
        """Ends the server's side when the client is gone, also while a watch is silent."""
        raw = client.sock
        while client in self.wires:
            try:
                poll = select.poll()
                poll.register(raw, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
                if poll.poll(500):
                    upstream.close()
                    return
            except (OSError, ValueError):
                upstream.close()
                return

    # --- the test's side ---

    def on(self, action, times=-1, skip=0, each=False, first=False, **match):
        """Acts on requests that match (method, several with | between; path, query, body: regular expressions);
        on all of them, or so many times, after so many that pass, or once on each client's watch of
        a collection. Earlier rules come first."""
        rule = Rule(action, times, skip, each, match)
        with self.lock:
            self.rules.insert(0 if first else len(self.rules), rule)
        return rule

    def off(self, *rules):
        """Takes these rules away, or all."""
        with self.lock:
            self.rules = [r for r in self.rules if rules and r not in rules]

    def requests(self, since=0, **match):
        with self.lock:
            return [r for r in self.log[since:] if r.matches(**match)]

    def count(self, since=0, **match):
        return len(self.requests(since, **match))

    def mark(self):
        """A place in the log: for requests(since=...)."""
        with self.lock:
            return len(self.log)

    def wait_for(self, what, count=1, since=0, timeout=PATIENCE, **match):
        return wait_until(lambda: self.count(since, **match) >= count and
                          self.requests(since, **match), what, timeout)

    def pause(self, seconds):
        if self.stopping.wait(seconds):
            raise Ended("stopped")

    def break_connections(self, reset=False):
        """All that are open now; new ones are served."""
        with self.lock:
            wires, self.wires = list(self.wires), set()
        for wire in wires:
            wire.interrupt(reset)

    def down(self):
        """Refuses connections, and ends those that are open."""
        self.refusing = True
        listener, self.listener = self.listener, None
        if listener:
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()
        self.break_connections(reset=True)

    def up(self):
        self.refusing = False
        if not self.listener:
            self.listen()

    def stop(self):
        self.stopping.set()
        self.down()
        if self.tls:
            self.directory.cleanup()


class ProxiedApi:
    """An API server as a controller behind the proxy sees it: what Controller and Toolkit need."""

    def __init__(self, api, directory):
        self.proxy = Proxy(api.server, api.ca_file)
        self.rest = api.rest
        self.kubeconfig = pathlib.Path(directory) / "proxied.kubeconfig"
        write_kubeconfig(self.kubeconfig, self.proxy.url, self.proxy.ca_file, api.token)

    def stop(self):
        self.proxy.stop()
