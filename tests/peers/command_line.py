"""The command line in a process of its own, forked from one that has begun it: a short run would import for most of its time."""

import multiprocessing
import multiprocessing.forkserver
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from peers.forked_command_line import Descriptor, execute, nothing

SECONDS = 60.0
"""A time limit that no run in a test reaches."""
CLOSED = -1
"""In place of a descriptor: what is printed into is closed, as with `>&-`."""

_TESTS = Path(__file__).resolve().parents[1]
_CONTEXT = multiprocessing.get_context("forkserver")


def start(*modules: str) -> None:
    """Start the process that is forked, with these modules too, unless it runs.

    It lives as long as this one: no test that happens to start it leaks it.
    """
    _CONTEXT.set_forkserver_preload(["peers.begun_command_line", *modules])
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("PYTHONPATH", str(_TESTS), prepend=os.pathsep)  # Python gives that process no other path
        multiprocessing.forkserver.ensure_running()


def start_process(
    *arguments: str, environ: Mapping[str, str], output: Path | int, errors: Path | int, first: Callable[[], object] = nothing
) -> BaseProcess:
    """Start `transcoder`, which appends what it prints to two files or one, or prints it into open ones, which are descriptors.

    It leads a process group, so that its children are found. It calls `first` first: a function of Python's own, for instance
    with `functools.partial`.
    """
    targets = [target if isinstance(target, Path) else None if target == CLOSED else Descriptor(target) for target in (output, errors)]
    process = _CONTEXT.Process(target=execute, args=(arguments, dict(environ), *targets, first))
    process.start()
    return process


class Started:
    """A command that has been started. What it prints is kept, unless there are descriptors for it."""

    def __init__(self, folder: Path, arguments: tuple[str, ...], environ: Mapping[str, str], first: Callable[[], object]) -> None:
        """Use `started`."""
        self._arguments = arguments
        self._environ = environ
        self._kept = folder / "output", folder / "errors"
        self._first = first

    def begin(self, output: int | None, errors: int | None) -> None:
        into, told = (path if number is None else number for path, number in zip(self._kept, (output, errors), strict=True))
        self.process = start_process(*self._arguments, environ=self._environ, output=into, errors=told, first=self._first)

    @property
    def pid(self) -> int:
        assert self.process.pid
        return self.process.pid

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the command has ended."""
        if self.process.is_alive():
            os.kill(self.pid, number)

    def end(self) -> subprocess.CompletedProcess[bytes]:
        """Wait until it ends; return its exit code, and what it printed."""
        self.process.join(SECONDS)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired(["transcoder", *self._arguments], SECONDS)
        printed = [path.read_bytes() if path.exists() else b"" for path in self._kept]
        return subprocess.CompletedProcess(["transcoder", *self._arguments], self.process.exitcode, *printed)


@contextmanager
def started(
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    output: int | None = None,
    errors: int | None = None,
    first: Callable[[], object] = nothing,
) -> Iterator[Started]:
    """Start `transcoder` with these arguments, and these environment variables alone or by default those of this process.

    For the others see `start_process`. It is killed if it runs at the end of the block.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = Started(Path(folder), arguments, os.environ if environ is None else environ, first)
        command.begin(output, errors)
        try:
            yield command
        finally:
            command.process.kill()
            command.process.join()
            command.process.close()


def run(*arguments: str, **changes: Any) -> subprocess.CompletedProcess[bytes]:
    """Run `transcoder` to its end; `changes` are those of `started`."""
    with started(*arguments, **changes) as command:
        return command.end()


@contextmanager
def piped(*arguments: str, **changes: Any) -> Iterator[tuple[Started, BinaryIO]]:
    """Start `transcoder` as `started` does, and return the read end of its standard output, too, which is a pipe rather than a file."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as pipe, os.fdopen(writer, "wb") as printed, started(*arguments, output=writer, **changes) as command:
        printed.close()
        yield command, pipe


@contextmanager
def serving(*arguments: str, errors: Path, **changes: Any) -> Iterator[tuple[Started, str]]:
    """Start a command that serves until SIGTERM, and return the address that it prints, too. Its messages are written to a file."""
    with errors.open("wb") as file, piped(*arguments, errors=file.fileno(), **changes) as (command, pipe):
        try:
            yield command, pipe.readline().decode().strip()
        finally:
            command.send_signal(signal.SIGTERM)
            command.end()


def run_piped(*arguments: str, **changes: Any) -> subprocess.CompletedProcess[bytes]:
    """Run `transcoder` as `run` does; its standard output is a pipe rather than a file."""
    with piped(*arguments, **changes) as (command, pipe):
        sent = pipe.read()
        completed = command.end()
    return subprocess.CompletedProcess(completed.args, completed.returncode, sent, completed.stderr)


def run_text(*arguments: str, **changes: Any) -> subprocess.CompletedProcess[str]:
    """Run `transcoder` as `run` does; what it printed is text in UTF-8."""
    completed = run(*arguments, **changes)
    return subprocess.CompletedProcess(completed.args, completed.returncode, completed.stdout.decode(), completed.stderr.decode())
