"""A real sshd for Git, on a port of its own, for the user that runs the tests."""
import contextlib
import getpass
import os
import pathlib

from .net import free_port
from .process import Process
from .sign import SshKey

CONFIG = """ListenAddress 127.0.0.1
HostKey {dir}/host_ed25519
HostKey {dir}/host_rsa
AuthorizedKeysFile {dir}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
LogLevel ERROR
AcceptEnv GIT_PROTOCOL
"""


class SshServer:
    """`identity`: a private key that may log in."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir()
        self.host = SshKey(self.dir / "host_ed25519")
        self.host_rsa = SshKey(self.dir / "host_rsa", "rsa")
        key = SshKey(self.dir / "id")
        (self.dir / "authorized_keys").write_text(key.public)
        self.identity = key.path.read_text()
        self.port = free_port()
        (self.dir / "conf").write_text(CONFIG.format(dir=self.dir))
        with contextlib.suppress(FileExistsError):
            os.mkdir("/run/sshd", 0o755)  # sshd's own
        self.process = Process(["/usr/sbin/sshd", "-D", "-e", "-f", self.dir / "conf", "-p",
                                self.port], self.dir / "log")
        self.process.wait_ready(self.is_up, "sshd")

    def is_up(self):
        import socket
        with socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def url_of(self, repository):
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository.bare}"

    def known(self, key=None, marker=""):
        """A known_hosts line with one of the host keys."""
        kind, blob = (key or self.host).public.split()[:2]
        return f"{marker}[127.0.0.1]:{self.port} {kind} {blob}\n"

    def stop(self):
        self.process.stop()
