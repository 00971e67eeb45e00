"""A relay of one TCP port that lets so many bytes of the server's through and then waits for the test:
what is under way when it kills the server stays under way until then."""
import socket
import threading


class Gate:
    """`port` leads to `target`. After hold_after a connection is held once the server has said that
    much, which `held` tells, until open."""

    SMALL = 64 << 10  # what the kernel keeps for us, so that the server cannot have said all of it

    def __init__(self, target):
        self.target = target
        self.after = None
        self.held, self.opened = threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def hold_after(self, count):
        self.held.clear()
        self.opened.clear()
        self.after = count

    def open(self):
        self.after = None
        self.opened.set()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, socket.socket() as server:
            try:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.SMALL)
                server.connect(("127.0.0.1", self.target))
                threading.Thread(target=self.pump, args=(client, server), daemon=True).start()
                self.reply(server, client)
            except OSError:
                pass
            for sock in (client, server):  # close alone would leave the other thread's read alive
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def reply(self, server, client):
        said = 0
        while data := server.recv(16384):
            client.sendall(data)
            said += len(data)
            if self.after is not None and said >= self.after:
                self.held.set()
                self.opened.wait()

    def stop(self):
        self.open()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
