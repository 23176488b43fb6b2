"""What a piece of code leaves behind: child processes, open descriptors, temporary files."""

import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GRACE_SECONDS = 2.0
"""How long a peer in this same process, such as the origin, may take to notice that its client has left."""


@contextmanager
def nothing_left(temp: Path) -> Iterator[None]:
    """Fail if a child process, a descriptor, or a file in `temp` is there after the block that was not there before it."""
    before = left_now(temp)
    yield
    deadline = time.monotonic() + GRACE_SECONDS
    while (new := left_now(temp) - before) and time.monotonic() < deadline:
        gc.collect()  # a cycle may hold a descriptor; that is no leak
        time.sleep(0.02)
    assert not new, f"left behind: {', '.join(sorted(new))}"


def left_now(temp: Path) -> set[str]:
    """Name every child process and descriptor of this process, and every file in `temp`."""
    names = {f"child {pid}" for pid in children(os.getpid())}
    names |= {f"file {path}" for path in temp.rglob("*")}
    return names | {f"descriptor {number} {target}" for number, target in descriptors().items()}


def descriptors() -> dict[int, str]:
    """Return the open descriptors of this process and, where the system tells, what each is."""
    folder = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
    found: dict[int, str] = {}
    for entry in os.listdir(folder):  # noqa: PTH208 - Path.iterdir keeps its own descriptor open longer
        number = int(entry)
        try:
            os.fstat(number)
            found[number] = str((folder / entry).readlink()) if sys.platform == "linux" else ""
        except OSError:
            continue  # the one that listed the folder
    return found


def children(parent: int) -> set[int]:
    """Return the ids of the processes that `parent` started and that are not yet waited for."""
    return {pid for pid, its_parent in _processes() if its_parent == parent}


def _processes() -> Iterator[tuple[int, int]]:
    """Yield the id of each process and of its parent."""
    if sys.platform != "linux":
        # No /proc here; ps is part of the system, and itself a child that does not count.
        with subprocess.Popen(["/bin/ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True) as process:
            lines = [line.split() for line in process.stdout or ()]
        yield from ((int(pid), int(parent)) for pid, parent in lines if int(pid) != process.pid)
        return
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        yield int(folder.name), int(fields[1])
