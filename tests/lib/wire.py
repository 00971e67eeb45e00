"""One kept HTTPS connection, read by hand: twenty thousand requests through http.client would spend
more time in its header parser than in both servers."""
import select
import socket
import urllib.parse


class Connection:
    """Requests go out by send() and come back by receive(), so that two servers work at once."""

    def __init__(self, server):
        self.context = server.rest.context
        url = urllib.parse.urlsplit(server.server)
        self.address = url.hostname, url.port
        self.host = url.netloc
        self.usual = {"Authorization": f"Bearer {server.token}", "Accept": "application/json",
                      "User-Agent": "random/1"}
        self.head = self.head_of({})
        self.headers = {}  # of the last reply, by lower-case names
        self.socket = self.stream = None
        self.answered = False  # since it was opened
        self.asked = None  # the last request

    def head_of(self, headers):
        """`headers` instead of the usual ones; None takes one away, a list is sent line by line."""
        lines = [f"{name}: {line}\r\n" for name, value in {**self.usual, **headers}.items()
                 for line in (value if isinstance(value, list) else [value]) if line is not None]
        return f"Host: {self.host}\r\n" + "".join(lines)

    def close(self):
        if self.socket:
            self.stream.close()
            self.socket.close()
            self.socket = None

    def open(self):
        bare = socket.create_connection(self.address, timeout=60)
        bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = self.context.wrap_socket(bare, server_hostname=self.address[0])
        self.stream = self.socket.makefile("rb")
        self.answered = False

    def is_over(self):
        """A server speaks unasked only to say that it hung up on an idle connection (RFC 9112, 9.5):
        this one was idle for as long as the other server thought. After a first reply, since session
        tickets come before it."""
        return self.answered and bool(select.select([self.socket], [], [], 0)[0])

    def send(self, method, path, data, media, headers=None):
        if self.socket and self.is_over():
            self.close()
        if not self.socket:
            self.open()
        self.asked = f"{method} {path}"
        extra = "" if data is None else f"Content-Type: {media}\r\nContent-Length: {len(data)}\r\n"
        usual = self.head_of(headers) if headers else self.head
        head = f"{method} {path} HTTP/1.1\r\n{usual}{extra}\r\n"
        self.socket.sendall(head.encode() + (data or b""))

    def receive(self):
        """(status, Warning headers, bytes)"""
        line = self.stream.readline()
        if not line:
            self.close()
            raise ConnectionError(f"{self.host} closed the connection instead of answering "
                                  f"{self.asked}")
        self.answered = True
        status, headers, warnings = int(line.split()[1]), {}, []
        while (line := self.stream.readline().strip()):
            name, _, value = line.decode().partition(": ")
            if name.lower() == "warning":
                warnings.append(value)
            headers[name.lower()] = value
        self.headers = headers
        body = self.chunks() if "chunked" in headers.get("transfer-encoding", "") else \
            self.stream.read(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return status, warnings, body

    def chunks(self):
        parts = []
        while (size := int(self.stream.readline().split(b";")[0], 16)):
            parts.append(self.stream.read(size))
            self.stream.readline()
        while self.stream.readline().strip():
            pass
        return b"".join(parts)
