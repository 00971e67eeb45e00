"""NATS for tests: keys in NATS' text form, a server that only listens, and the real one."""
import base64
import json
import socket
import socketserver
import threading

from .net import PATIENCE, free_port
from .pki import openssl
from .process import Process


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xffff
    return crc


def encode(raw):
    return base64.b32encode(raw + crc16(raw).to_bytes(2, "little")).rstrip(b"=").decode()


class UserKey:
    """An Ed25519 key; `seed` and `public` are the texts that NATS uses."""

    def __init__(self, raw=bytes(range(32))):
        der = bytes.fromhex("302e020100300506032b657004220420") + raw
        public = openssl("pkey", "-inform", "DER", "-pubout", "-outform", "DER",
                         input=der).stdout[-32:]
        user = 20 << 3
        self.seed = encode(bytes([18 << 3 | user >> 5, (user & 31) << 3]) + raw)
        self.public = encode(bytes([user]) + public)


class Listener:
    """Speaks just enough to be published to; keeps CONNECT options and (subject, payload) pairs."""

    def __init__(self, error=None):
        self.connects, self.messages = [], []
        listener = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(b'INFO {"server_id":"x","nonce":"abc","max_payload":1048576}\r\n')
                for line in self.rfile:
                    word = line.split()[0] if line.split() else b""
                    if word == b"CONNECT":
                        listener.connects.append(json.loads(line.split(b" ", 1)[1]))
                    elif word == b"PING":
                        self.wfile.write(b"PING\r\nPONG\r\n" if not error else error)
                    elif word == b"PUB":
                        _, subject, size = line.split()
                        payload = self.rfile.read(int(size))
                        self.rfile.read(2)
                        listener.messages.append((subject.decode(), json.loads(payload)))

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"nats://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Server(Process):
    """The real nats-server with an `authorization` block."""

    def __init__(self, directory, authorization):
        self.port = free_port()
        config = directory / f"nats-{self.port}.conf"
        config.write_text(f"listen: 127.0.0.1:{self.port}\nauthorization {authorization}\n")
        super().__init__(["nats-server", "-c", config], directory / f"nats-{self.port}.log")
        self.wait_ready(lambda: self.listens(self.port), "nats-server")

    def subscribe(self, subject, user, password):
        """A socket that has subscribed; the server has said so."""
        peer = socket.create_connection(("127.0.0.1", self.port), 10)
        peer.settimeout(PATIENCE)
        options = json.dumps({"user": user, "pass": password, "verbose": False})
        peer.sendall(f"CONNECT {options}\r\nSUB {subject} 1\r\nPING\r\n".encode())
        self.read_until(peer, b"PONG\r\n")
        return peer

    @staticmethod
    def read_until(peer, mark):
        data = b""
        while mark not in data:
            more = peer.recv(65536)
            assert more, data
            data += more
        return data
