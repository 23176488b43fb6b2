"""Runs a program, and measures it from outside."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.process_tree import PeakMemory

MIB = 1024 * 1024
MAX_SECONDS = 600.0
"""A program that takes longer is ended: it hangs."""
ERROR_CHARACTERS = 300


class ContestantError(Exception):
    """A program did not do its job; the message is the end of what it printed."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run has cost, as whole process tree."""

    first_byte_seconds: float
    total_seconds: float
    cpu_seconds: float
    resident_bytes: int


def run(command: Sequence[str], *, output: Path, environ: Mapping[str, str], writes_file: bool = False) -> Figures:
    """Run a program, put its standard output into a file, and measure it. The first byte of one that writes a file is its end.

    Raises:
        ContestantError: it failed, or took too long.
    """
    began = time.monotonic()
    with (
        tempfile.TemporaryFile() as errors,
        # Popen's own wait must not reap it: wait4 does, and reports what it has cost.
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environ, start_new_session=True
        ) as process,
    ):
        with PeakMemory(lambda: [process.pid] if _in_time(process.pid, began) else []) as memory:
            first = None if writes_file else _save(process, output, began)
            if writes_file:
                assert process.stdout is not None  # noqa: S101  # it is a pipe
                process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
        total = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        if process.returncode:
            raise ContestantError(f"exit code {process.returncode}: {errors.read().decode(errors='replace')[-ERROR_CHARACTERS:]}")
    return Figures(total if first is None else first, total, usage.ru_utime + usage.ru_stime, memory.bytes)


def _in_time(pid: int, began: float) -> bool:
    """End the process group if it has taken too long."""
    if in_time := time.monotonic() - began < MAX_SECONDS:
        return in_time
    os.killpg(pid, signal.SIGKILL)
    return False


def _save(process: subprocess.Popen[bytes], output: Path, began: float) -> float | None:
    """Write standard output into a file without copying it; return the seconds until its first byte."""
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    first = None
    with output.open("wb") as file:
        while os.splice(process.stdout.fileno(), file.fileno(), MIB):
            first = time.monotonic() - began if first is None else first
    return first
