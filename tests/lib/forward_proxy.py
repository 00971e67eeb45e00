"""Proxies for tests: HTTP CONNECT, SOCKS5 and plain HTTP, each to one fixed target whatever was
asked for."""
import base64
import http.client
import http.server
import re
import select
import socket
import socketserver
import threading
import urllib.parse

from .net import PATIENCE


def pump(a, b):
    while True:
        for s in select.select([a, b], [], [], 30)[0]:
            data = s.recv(65536)
            if not data:
                return
            (b if s is a else a).sendall(data)


class Proxy:
    """`asked` lists the "host:port" that clients wanted, `logins` the "user:password" that they said,
    or None; all of them get to `target` (host, port), or, with a dict of such in its place, each to
    its own; what is not in it must be on this machine. With `context` (ssl.SSLContext) clients speak
    TLS to it."""

    def __init__(self, target, socks=False, context=None):
        self.asked, self.logins = [], []
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    if context:
                        self.request = context.wrap_socket(self.request, server_side=True)
                    (self.socks5 if socks else self.connect)()
                    with socket.create_connection(self.place(), 10) as upstream:
                        pump(self.request, upstream)
                except OSError:
                    pass

            def read(self, count):
                data = b""
                while len(data) < count:
                    more = self.request.recv(count - len(data))
                    if not more:
                        raise OSError("cut")
                    data += more
                return data

            def place(self):
                if not isinstance(target, dict) or self.wanted in target:
                    return target[self.wanted] if isinstance(target, dict) else target
                host, port = self.wanted.rsplit(":", 1)
                if host != "127.0.0.1":
                    raise OSError("not here")
                return host, int(port)

            def note(self, wanted):
                self.wanted = wanted
                proxy.asked.append(wanted)

            def connect(self):
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += self.read(1)
                said = re.search(rb"(?i)\r\nproxy-authorization: basic (\S+)\r\n", head)
                proxy.logins.append(base64.b64decode(said.group(1)).decode() if said else None)
                self.note(head.split()[1].decode())
                self.request.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")

            def socks5(self):
                _, methods = self.read(2)
                with_login = 2 in self.read(methods)  # RFC 1929
                self.request.sendall(b"\x05\x02" if with_login else b"\x05\x00")
                proxy.logins.append(self.login() if with_login else None)
                _, _, _, kind = self.read(4)
                if kind == 1:
                    host = socket.inet_ntoa(self.read(4))
                else:
                    host = self.read(self.read(1)[0]).decode()
                port = int.from_bytes(self.read(2), "big")
                self.note(f"{host}:{port}")
                self.request.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")

            def login(self):
                self.read(1)
                user = self.read(self.read(1)[0]).decode()
                password = self.read(self.read(1)[0]).decode()
                self.request.sendall(b"\x01\x00")
                return f"{user}:{password}"

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class HttpProxy:
    """A proxy for plain HTTP that sends all to `target`; `asked` lists the URLs, `logins` what
    clients said in Proxy-Authorization."""

    def __init__(self, target):
        self.asked, self.logins = [], []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                proxy.asked.append(self.path)
                proxy.logins.append(self.headers.get("Proxy-Authorization"))
                url = urllib.parse.urlsplit(self.path)
                headers = {k: v for k, v in self.headers.items() if not k.startswith("Proxy-")}
                upstream = http.client.HTTPConnection(*target, timeout=PATIENCE)
                upstream.request("GET", url.path + (f"?{url.query}" if url.query else ""),
                                 headers=headers)
                reply = upstream.getresponse()
                body = reply.read()
                self.send_response(reply.status)
                for name, value in reply.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                upstream.close()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
