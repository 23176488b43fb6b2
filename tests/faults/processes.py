"""Which processes of a group or of a tree still run."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from peers.leaks import children

GRACE_SECONDS = 2.0
"""How long a process may take to end after its work."""


def group_members(group: int) -> set[int]:
    """Return the processes of a process group, without those that have ended and only wait to be reaped."""
    return {pid for pid, its_group, state in _processes() if its_group == group and not state.startswith("Z")}


def descendants(pid: int) -> set[int]:
    """Return the processes that a process started, and those that these started."""
    found: set[int] = set()
    new = children(pid)
    while new:
        found |= new
        new = {child for parent in new for child in children(parent)} - found
    return found


def remaining(find: Callable[[], set[int]]) -> set[int]:
    """Return what `find` finds as soon as that is nothing, or after `GRACE_SECONDS`."""
    deadline = time.monotonic() + GRACE_SECONDS
    while (found := find()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def _processes() -> Iterator[tuple[int, int, str]]:
    """Yield id, process group and state of each process."""
    if sys.platform != "linux":
        listing = subprocess.run(["/bin/ps", "-A", "-o", "pid=,pgid=,stat="], check=True, capture_output=True, text=True).stdout
        yield from ((int(pid), int(group), state) for pid, group, state in map(str.split, listing.splitlines()))
        return
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # the process ended in the meantime
        yield int(folder.name), int(fields[2]), fields[0]
