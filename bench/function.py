"""Our own program as a function: the emulated Lambda, called over HTTP. The emulator stands for AWS; only its runtime is measured."""

import http.client
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.contestants import OWN_PYTHON
from bench.process_tree import PeakMemory, children, cpu_seconds
from bench.run_command import ERROR_CHARACTERS, MIB, ContestantError, Figures

SECONDS = 600.0
END_SECONDS = 5.0
"""How long the function may take to end its ffmpeg after the response."""


@dataclass(frozen=True, slots=True)
class Function:
    """A running emulator."""

    url: str
    pid: int

    def runtimes(self) -> list[int]:
        """Return the processes that the emulator has started: the runtime, or none before the first request."""
        return children(self.pid)


@contextmanager
def serving(environ: Mapping[str, str], runtime: Sequence[str] = ()) -> Iterator[Function]:
    """Emulate Lambda, with another runtime than its own if there is one; the first request is a cold start."""
    command = [OWN_PYTHON, "-P", "-m", "bench.serve", *runtime]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None  # noqa: S101  # it is a pipe
            yield Function(process.stdout.readline().strip(), process.pid)
        finally:
            process.terminate()


def fetch(function: Function, source_url: str, output: Path, *, parameters: str = "") -> Figures:
    """Have the function make a fragmented MP4, with further parameters such as `end=5&`, and measure that.

    Raises:
        ContestantError: the response is an error, or was broken off.
    """
    before = _cpu_seconds(function)
    with PeakMemory(function.runtimes) as memory:
        began = time.monotonic()
        try:
            first = _save(function, f"/download?layout=fragmented&{parameters}url={source_url}", output, began)
        except http.client.HTTPException as error:
            raise ContestantError(f"the response was broken off: {error!r}") from error
        total = time.monotonic() - began
    return Figures(first, total, _cpu_seconds(function) - before, memory.bytes)


def _save(function: Function, path: str, output: Path, began: float) -> float:
    """Write the body into a file; return the seconds until its first byte."""
    address = urlsplit(function.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise ContestantError(f"{response.status}: {response.read()[:ERROR_CHARACTERS].decode(errors='replace')}")
        with output.open("wb") as file:
            file.write(response.read(1))
            first = time.monotonic() - began
            while chunk := response.read1(MIB):
                file.write(chunk)
    finally:
        connection.close()
    return first


def _cpu_seconds(function: Function) -> float:
    """Return the processor time of the runtime and its children. All of them must have ended."""
    deadline = time.monotonic() + END_SECONDS
    runtimes = function.runtimes()
    while any(children(pid) for pid in runtimes):
        if time.monotonic() > deadline:
            raise ContestantError("a process of the function did not end with its response")
        time.sleep(0.005)
    return sum(map(cpu_seconds, runtimes))
