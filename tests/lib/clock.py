"""A wall clock that a test sets while daemons run (tests/unit/kube/clock_shim.c)."""
import mmap
import os
import pathlib
import re
import struct
import subprocess

HOUR = 3600


class Clock:
    """`env`: for the daemons whose clock it is."""

    def __init__(self, path, hours=0):
        build = pathlib.Path(os.environ["SLUICE_BUILD"])
        path.write_bytes(struct.pack("q", 0))
        with open(path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 8)
        shim = build / "tests/unit/kube/libclock_shim.so"
        linked = subprocess.run(["ldd", build / "tests/unit/kube/kube_probe"], check=True,
                                capture_output=True, text=True).stdout
        # A sanitizer's library must come first.
        runtime = re.findall(r"=> (\S*lib[at]san\S*)", linked)
        self.env = {"LD_PRELOAD": ":".join([*runtime, str(shim)]), "CLOCK_SHIM": str(path)}
        self.set(hours)

    def set(self, hours):
        """So many hours from the true time."""
        self.page[:] = struct.pack("q", int(hours * HOUR * 1_000_000_000))
