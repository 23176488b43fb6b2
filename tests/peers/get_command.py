"""`transcoder get`, in the process of the tests where that is possible: it takes two thirds of the processor time of a fork."""

import asyncio
import io
import logging
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from peers import command_line

from transcoder.cli.main import main

SECONDS = command_line.SECONDS


def get(url: str, into: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    """Run `transcoder get` to its end, and return its exit code and what it printed."""
    arguments = ("get", url, "-o", str(into), *options)
    if _would_disturb(into):
        return command_line.run(*arguments)
    printed = io.BytesIO(), io.BytesIO()
    output, errors = (io.TextIOWrapper(stream, "utf-8", "backslashreplace", write_through=True) for stream in printed)
    with redirect_stdout(output), redirect_stderr(errors), _same_log_level(), _limited_time():
        try:
            code = main(arguments)
        except SystemExit as left:  # argparse prints its help, or refuses an option
            code = int(str(left.code))
    return subprocess.CompletedProcess(["transcoder", *arguments], code, *(stream.getvalue() for stream in printed))


def _would_disturb(into: Path) -> bool:
    """Return whether it cannot run here.

    Two in threads would take each other's signals and what they print, an event loop runs in no other, and an MP4 can only be printed
    into a descriptor.
    """
    return _is_in_event_loop() or threading.current_thread() is not threading.main_thread() or str(into) == "-"


def _is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@contextmanager
def _same_log_level() -> Iterator[None]:
    """Log as much afterwards as before: a command that is verbose sets the level for the rest of its process."""
    log = logging.getLogger("transcoder")
    level = log.level
    try:
        yield
    finally:
        log.setLevel(level)


@contextmanager
def _limited_time() -> Iterator[None]:
    def stop(_number: int, _frame: object) -> None:
        raise TimeoutError(f"it has not ended in {SECONDS:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
