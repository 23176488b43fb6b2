"""Bounds of a child process that are set from outside: its memory, processor time and files, and its end together with ours.

They are set on Linux only. They take 0.1 ms of a start.
"""

import fcntl
import math
import os
import resource
import signal
import sys
from contextlib import suppress

GIB = 1024 * 1024 * 1024
ADDRESS_SPACE_BYTES = 8 * GIB
PROCESSOR_ADDRESS_SPACE_BYTES = GIB // 8
"""For each processor, whose threads have stacks and heaps of their own."""
FILE_BYTES = 1024 * 1024
"""The longest file that it may write: that of its messages, which a damaged source can make endless."""
CPU_GRACE_SECONDS = 5
"""Between the signal that ends it and the one that kills it."""


def confine(pid: int, *, cpu_seconds: float | None) -> None:
    """Limit a child: no core dump, short files, an address space that no real source needs, and so much processor time if that is given.

    Raises:
        OSError: the limits cannot be set.
    """
    if sys.platform != "linux":
        return
    address_space = ADDRESS_SPACE_BYTES + (os.cpu_count() or 1) * PROCESSOR_ADDRESS_SPACE_BYTES
    limits = [(resource.RLIMIT_CORE, 0, 0), (resource.RLIMIT_FSIZE, FILE_BYTES, 0), (resource.RLIMIT_AS, address_space, 0)]
    if cpu_seconds is not None:
        limits.append((resource.RLIMIT_CPU, max(1, math.ceil(cpu_seconds)), CPU_GRACE_SECONDS))
    with suppress(ProcessLookupError):  # it has ended already
        for kind, soft, more in limits:
            _lower(pid, kind, soft, soft + more)


def _lower(pid: int, kind: int, soft: int, hard: int) -> None:
    """Set a limit, but not above the one that there is."""
    if sys.platform == "linux":
        present = [math.inf if value == resource.RLIM_INFINITY else value for value in resource.prlimit(pid, kind)]
        resource.prlimit(pid, kind, (int(min(soft, *present)), int(min(hard, present[1]))))


def kill_with_us(pid: int, stdin: int) -> None:
    """Have the kernel kill a child when the write end of its standard input is closed, at the latest at our own end, however that comes.

    `stdin` is our descriptor of the read end, into which nothing may be written; the child keeps the other one. The signal reaches a child
    that is stopped or loops, too. PR_SET_PDEATHSIG does the same, but only the child itself can set it, between fork and exec: without
    vfork a start takes 3 to 20 ms more, and the signal comes at the end of the thread that forked.
    """
    if sys.platform != "linux":
        return
    with suppress(ProcessLookupError):  # it has ended already
        fcntl.fcntl(stdin, fcntl.F_SETOWN, pid)
        fcntl.fcntl(stdin, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(stdin, fcntl.F_SETFL, fcntl.fcntl(stdin, fcntl.F_GETFL) | os.O_ASYNC)
