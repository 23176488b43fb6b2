"""What a tree of processes costs: processor time and resident memory, from /proc."""

import os
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

SAMPLE_SECONDS = 0.02
TICKS = os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """Return the processes that `pid` has started and not waited for yet; none if there is no such process.

    The kernel has a list for each thread, if it was built with CONFIG_PROC_CHILDREN. To look at all processes instead took 10 ms, in which
    the first byte of an answer waited for the one who measures it.
    """
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):  # the process or a thread ended in the meantime
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text(encoding="ascii").split())
    return found


def descendants(pid: int) -> list[int]:
    """Return the processes that `pid` has started, theirs, and so on."""
    found = children(pid)
    for each in found:  # it grows meanwhile
        found += children(each)
    return found


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and of those children that it has waited for; 0 if there is no such process."""
    with suppress(OSError):
        return sum(map(int, _stat(pid)[11:15])) / TICKS
    return 0.0


def resident_bytes(pid: int) -> tuple[int, int]:
    """Return the resident memory of one process, now and at its peak; 0 if there is no such process."""
    with suppress(OSError):
        fields = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"), re.MULTILINE))
        return int(fields.get("VmRSS", 0)) * 1024, int(fields.get("VmHWM", 0)) * 1024
    return 0, 0


class PeakMemory:
    """Watches a tree of processes: the peak of the sum of what is resident. Memory that processes share counts for each of them."""

    def __init__(self, roots: Callable[[], list[int]]) -> None:
        """Watch the processes that `roots` returns, with their descendants."""
        self.bytes = 0
        self._roots = roots
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch.

        Raises:
            FileNotFoundError: the kernel has no lists of children.
        """
        Path("/proc/thread-self/children").read_bytes()
        self._thread.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        """End to watch."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            began = time.thread_time()
            tree = [each for root in self._roots() for each in (root, *descendants(root))]
            found = [resident_bytes(pid) for pid in tree]
            # A process may have had its peak between two looks. What wait4 reports would include this process, from which it was forked.
            self.bytes = max(self.bytes, sum(now for now, _ in found), *(peak for _, peak in found))
            # Never more than a tenth of one processor.
            self._ended.wait(9 * (time.thread_time() - began))
