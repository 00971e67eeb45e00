"""A real sshd for Git, on a port of its own, for the user that runs the tests."""
import contextlib
import getpass
import os
import pathlib

from .net import free_port
from .process import Process, below, program_of
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
    """`identity`: a private key that may log in. `authority`: a key that vouches for the server's
    Ed25519 key, which it then shows with a certificate, by more arguments of ssh-keygen."""

    def __init__(self, directory, authority=None, certificate=()):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir()
        self.host = SshKey(self.dir / "host_ed25519")
        self.host_rsa = SshKey(self.dir / "host_rsa", "rsa")
        key = SshKey(self.dir / "id")
        (self.dir / "authorized_keys").write_text(key.public)
        self.identity = key.path.read_text()
        self.port = free_port()
        conf = CONFIG.format(dir=self.dir)
        if authority:
            SshKey.run("-q", "-s", authority.path, "-I", "host", "-h", *certificate,
                       f"{self.host.path}.pub")
            conf += f"HostCertificate {self.host.path}-cert.pub\n"
        (self.dir / "conf").write_text(conf)
        with contextlib.suppress(FileExistsError):
            os.mkdir("/run/sshd", 0o755)  # sshd's own
        self.process = Process(["/usr/sbin/sshd", "-D", "-e", "-f", self.dir / "conf", "-p",
                                self.port], self.dir / "log")
        self.wait_ready()

    def wait_ready(self):
        self.process.wait_ready(lambda: self.process.listens(self.port), "sshd")

    def start(self):
        """Again, after kill."""
        self.process.start()
        self.wait_ready()

    def kill(self):
        """kill -9 of all of it; what ran below it."""
        ran = [program_of(pid) for pid in below(self.process.pid)]
        self.process.kill_all()
        return ran

    def url_of(self, repository):
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository.bare}"

    def sealed(self, passphrase):
        """The identity, encrypted."""
        path = self.dir / "sealed"
        path.write_text(self.identity)
        path.chmod(0o600)
        SshKey.run("-q", "-p", "-P", "", "-N", passphrase, "-f", path)
        return path.read_text()

    def known(self, key=None, marker=""):
        """A known_hosts line with one of the host keys."""
        kind, blob = (key or self.host).public.split()[:2]
        return f"{marker}[127.0.0.1]:{self.port} {kind} {blob}\n"

    def stop(self):
        self.process.stop()
