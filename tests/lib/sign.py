"""Keys that sign commits and tags, held by the real gpg and ssh-keygen."""
import pathlib
import subprocess

from .git import git


class PgpKey:
    """A GnuPG home with one key; `asc` is its public part, `id` what conditions call it."""

    def __init__(self, directory, name="Ann", algorithm="ed25519"):
        self.home = pathlib.Path(directory)
        self.home.mkdir(mode=0o700)
        self.mail = f"{name.lower()}@example.test"
        self.gpg("--quick-generate-key", f"{name} <{self.mail}>", algorithm, "sign")
        self.asc = self.gpg("--armor", "--export", self.mail)
        listed = self.gpg("--with-colons", "--list-keys", self.mail)
        self.id = next(line.split(":")[4] for line in listed.splitlines() if line.startswith("pub"))

    def gpg(self, *args):
        done = subprocess.run(["gpg", "--homedir", self.home, "--batch", "--quiet", "--passphrase", "",
                               "--pinentry-mode", "loopback", *args],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def configure(self, work):
        """Lets git in that work tree sign with this key."""
        git(work, "config", "gpg.format", "openpgp")
        git(work, "config", "user.signingkey", self.mail)
        return {"GNUPGHOME": str(self.home)}

    def close(self):
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "gpg-agent"], check=False)


class SshKey:
    """A key pair; `public` is its authorized_keys line, `id` its fingerprint."""

    def __init__(self, directory, algorithm="ed25519"):
        self.path = pathlib.Path(directory)
        self.run("-q", "-t", algorithm, "-N", "", "-C", "ann@example.test", "-f", self.path)
        self.public = pathlib.Path(f"{self.path}.pub").read_text()
        self.id = self.run("-l", "-f", self.path).split()[1]

    @staticmethod
    def run(*args):
        done = subprocess.run(["ssh-keygen", *args], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def configure(self, work):
        git(work, "config", "gpg.format", "ssh")
        git(work, "config", "user.signingkey", self.path)
        return {}

    def close(self):
        pass


def signed_commit(repo, key, message="signed"):
    """Commits what the work tree holds, signed, and pushes; its hash."""
    env = key.configure(repo.work)
    git(repo.work, "add", "-A")
    git(repo.work, "commit", "--quiet", "--allow-empty", "-S", "-m", message, env=env)
    repo.push()
    return repo.head()


def signed_tag(repo, key, name):
    git(repo.work, "tag", "-s", "-m", name, name, env=key.configure(repo.work))
    repo.push(f"refs/tags/{name}")
