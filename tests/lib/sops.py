"""Files encrypted by the real sops (tests/oracles/sops), with keys made for the test."""
import json
import os
import pathlib
import re
import subprocess

from .oracle import oracle

SUFFIX = {"yaml": "yaml", "json": "json", "dotenv": "env", "ini": "ini", "binary": "bin"}


class AgeKey:
    def __init__(self, directory, name, programs):
        self.path = pathlib.Path(directory, f"{name}.agekey")
        subprocess.run([programs / "age-keygen", "-o", self.path], check=True,
                       stderr=subprocess.DEVNULL)
        self.text = self.path.read_text()
        self.recipient = next(line.split(": ")[1] for line in self.text.splitlines()
                              if "public key" in line)


class PgpKey:
    """A key pair in a home of its own, without a passphrase."""

    def __init__(self, directory, name):
        self.home = pathlib.Path(directory, f"gnupg-{name}")
        self.home.mkdir(mode=0o700)
        self.env = {"GNUPGHOME": str(self.home)}
        self.gpg("--quick-generate-key", "--passphrase", "", name, "future-default",
                 "default", "never")
        self.fingerprint = re.search("[0-9A-F]{40}", self.gpg("--list-keys").decode()).group()
        self.text = self.gpg("--armor", "--export-secret-keys", self.fingerprint).decode()

    def gpg(self, *args):
        return subprocess.run(["gpg", "--batch", "--quiet", "--homedir", self.home, *args],
                              check=True, capture_output=True, timeout=60).stdout

    def stop(self):
        """Ends this home's agent."""
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "gpg-agent"], check=True,
                       timeout=60)


class Sops:
    def __init__(self, directory):
        self.programs = oracle("sops")
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.files = 0
        self.age = self.age_key("age")
        self.pgp_keys = []

    def pgp_key(self, name):
        """Its agent runs until stop."""
        self.pgp_keys.append(PgpKey(self.dir, name))
        return self.pgp_keys[-1]

    def stop(self):
        for key in self.pgp_keys:
            key.stop()

    def age_key(self, name):
        return AgeKey(self.dir, name, self.programs)

    def run(self, *args, env=None, ok=True):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("SOPS_", "VAULT_"))}
        done = subprocess.run([self.programs / "sops", *map(str, args)], capture_output=True,
                              timeout=60, env={**clean, "HOME": str(self.dir), **(env or {})})
        if ok:
            assert done.returncode == 0, done.stderr.decode()
        return done

    def encrypt(self, plain, form="yaml", *flags, key=None, env=None, rule=None):
        """The encrypted file's bytes, for self.age when nothing else is said. `rule`: a creation
        rule as in .sops.yaml, in place of flags."""
        self.files += 1
        path = self.dir / f"plain-{self.files}.{SUFFIX[form]}"
        path.write_bytes(plain.encode() if isinstance(plain, str) else plain)
        before = []
        keys = [] if key is False or rule else ["--age", (key or self.age).recipient]
        if rule:
            config = self.dir / f"rule-{self.files}.yaml"
            config.write_text(json.dumps({"creation_rules": [rule]}))
            keys, before = [], ["--config", config]
        done = self.run(*before, "encrypt", "--input-type", form, "--output-type", form, *keys, *flags,
                        path, env=env)
        path.unlink()
        return done.stdout

    def decrypt(self, sealed, form="yaml", out=None, env=None, ok=True):
        """What `sops decrypt` gives: bytes, or None where it fails and may."""
        self.files += 1
        path = self.dir / f"sealed-{self.files}.{SUFFIX[form]}"
        path.write_bytes(sealed)
        done = self.run("decrypt", "--input-type", form, "--output-type", out or form, path,
                        env={"SOPS_AGE_KEY_FILE": str(self.age.path), **(env or {})}, ok=ok)
        path.unlink()
        return done.stdout if done.returncode == 0 else None
