"""Child processes that a test owns: started with a log file, ended by pid."""
import contextlib
import os
import pathlib
import signal
import subprocess
import time

from .net import PATIENCE, InVain, note_wait, wait_until


def started_by(pid):
    """The processes whose parent that one is."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == pid:
                found.append(int(entry.name))
    return found


def program_of(pid):
    """The name of what a process runs; "" when it has ended."""
    try:
        argv = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return pathlib.Path(argv[0].decode()).name
    except OSError:
        return ""


def below(pid):
    """All that come of a process, parents first."""
    found = [pid]
    for one in found:
        found += started_by(one)
    return found[1:]


def is_gone(pid):
    """Ended; a zombie that nobody has collected yet counts."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


class Process:
    """`group`: one that forks and does not end its own children; the whole group is signalled."""

    def __init__(self, argv, log_path, env=None, cwd=None, group=False):
        self.group = group
        self.argv = [str(a) for a in argv]
        self.log_path = str(log_path)
        self.env = dict(os.environ, **(env or {}))
        self.cwd = cwd
        self.child = None
        self.start()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log, env=self.env, cwd=self.cwd,
                                          start_new_session=self.group)

    @property
    def pid(self):
        return self.child.pid

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def listens(self, port):
        """Whether one of its own sockets listens: an answer could be another's."""
        sockets = {line.split()[9] for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
                   if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")}
        own = {f"socket:[{inode}]" for inode in sockets}
        return any(os.readlink(fd) in own for fd in pathlib.Path(f"/proc/{self.pid}/fd").iterdir())

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def wait_ready(self, probe, what, timeout=PATIENCE):
        """Waits for probe(), failing at once (with the log's end) when the process ends; real peers on a
        busy machine take their time."""
        def look():
            if not self.alive():
                raise InVain(f"{self.argv[0]} ended with {self.child.returncode}")
            return probe()
        try:
            return wait_until(look, what, timeout)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.log()[-3000:]}") from None

    def kill(self):
        """kill -9, as a crash."""
        if self.alive():
            self.child.kill()
        if self.child:
            self.child.wait()

    def kill_all(self):
        """kill -9 of it and of all that come of it."""
        pids = below(self.pid)
        self.kill()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self, timeout=PATIENCE):
        """SIGTERM, then the exit code; -9 when it did not end in time."""
        if self.group:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGTERM)
        elif self.alive():
            self.child.send_signal(signal.SIGTERM)
        started = time.monotonic()
        try:
            code = self.child.wait(timeout)
            note_wait(started, timeout, f"{os.path.basename(self.argv[0])} to end")
        except subprocess.TimeoutExpired:
            self.child.kill()
            code = self.child.wait()
        if self.group:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        return code

    def open_files(self):
        """What its descriptors are."""
        found = []
        for entry in pathlib.Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.append(os.readlink(entry))
        return sorted(found)

    def memory_kib(self, field="VmHWM"):
        with open(f"/proc/{self.pid}/status") as f:
            for line in f:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
        return 0

    def is_sanitized(self):
        with open(f"/proc/{self.pid}/maps") as maps:
            return "libasan" in maps.read()

    @contextlib.contextmanager
    def within(self, mib):
        """Holds when the process needs no more memory at any time of the block; a sanitizer's own is
        left out, but not its shadow of ours, an eighth beside red zones."""
        with open(f"/proc/{self.pid}/clear_refs", "w") as peak:
            peak.write("5")
        before = self.memory_kib("VmRSS") if self.is_sanitized() else 0
        yield
        needed = (self.memory_kib() - before) / 1024
        assert needed < mib, f"{needed:.1f} MiB"

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
