"""Child processes that a test owns: started with a log file, ended by pid."""
import contextlib
import os
import signal
import subprocess

from .net import wait_until


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

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def wait_ready(self, probe, what, timeout=30):
        """Waits for probe(), failing at once (with the log's end) when the process ends."""
        def look():
            if not self.alive():
                raise RuntimeError(f"{self.argv[0]} ended with {self.child.returncode}:\n"
                                   + self.log()[-3000:])
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

    def stop(self, timeout=20):
        """SIGTERM, then the exit code; -9 when it did not end in time."""
        if self.group:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGTERM)
        elif self.alive():
            self.child.send_signal(signal.SIGTERM)
        try:
            code = self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.child.kill()
            code = self.child.wait()
        if self.group:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        return code

    def memory_kib(self, field="VmHWM"):
        with open(f"/proc/{self.pid}/status") as f:
            for line in f:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
        return 0

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
