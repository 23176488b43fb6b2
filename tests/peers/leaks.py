"""Detect leaked resources: child processes, open descriptors, temporary files."""

import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from peers.origin_state import Origin

GRACE_SECONDS = 10.0
"""How long a peer in this process, such as the origin or the storage, may take on a busy machine to notice that its client has gone."""


@contextmanager
def assert_no_leaks(temp: Path) -> Iterator[None]:
    """Fail if a child process, a descriptor, or a file in `temp` exists after the block that did not exist before it."""
    before = open_resources(temp)
    yield
    deadline = time.monotonic() + GRACE_SECONDS
    while (leaked := open_resources(temp) - before) and time.monotonic() < deadline:
        gc.collect()  # a reference cycle may hold a descriptor; that is not a leak
        time.sleep(0.02)
    assert not leaked, f"leaked: {', '.join(sorted(leaked))}"


def open_resources(temp: Path) -> set[str]:
    """List every child process and descriptor of this process, and every file in `temp`."""
    names = {f"child {pid}" for pid in children(os.getpid())}
    names |= {f"file {path}" for path in temp.rglob("*")}
    return names | {f"descriptor {number} {target}" for number, target in descriptors().items()}


def descriptors() -> dict[int, str]:
    """Return the open descriptors of this process and, on Linux, their targets."""
    folder = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
    found: dict[int, str] = {}
    for entry in os.listdir(folder):  # noqa: PTH208 - Path.iterdir keeps its own descriptor open longer
        number = int(entry)
        try:
            os.fstat(number)
            found[number] = str((folder / entry).readlink()) if sys.platform == "linux" else ""
        except OSError:
            continue  # the descriptor that listed the folder
    return found


def children(parent: int) -> set[int]:
    """Return the ids of the processes that `parent` started and has not waited for yet."""
    return {pid for pid, parent_pid in _processes() if parent_pid == parent}


def connections_to(*origins: Origin) -> int:
    """Return how many sockets of this machine are connected to one of these origins, or have been and are not closed yet."""
    ports = {urlsplit(origin.base).port for origin in origins}
    lines = (line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:])
    return sum(int(fields[2].rpartition(":")[2], 16) in ports and fields[9] != "0" for fields in lines)


def _processes() -> Iterator[tuple[int, int]]:
    """Yield the id of each process with the id of its parent."""
    if sys.platform != "linux":
        # There is no /proc; ps is part of the system. It is itself a child, which does not count.
        with subprocess.Popen(["/bin/ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True) as process:
            lines = [line.split() for line in process.stdout or ()]
        yield from ((int(pid), int(parent)) for pid, parent in lines if int(pid) != process.pid)
        return
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # the process ended in the meantime
        yield int(folder.name), int(fields[1])
