"""The emulator in its own thread, for tests that call it over HTTP; and curl, which tells a cut body from a whole one."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from peers import small_application

from transcoder.emulator import Options, Running, emulator

SECONDS = 60.0
"""The time limit of every wait in this module."""
RETRY_SECONDS = "0.05"
"""The setting of the pauses before further attempts, for functions and commands that tests start."""
http = httpx.Client(timeout=SECONDS)
"""Shared by all tests: creating a client takes longer than most requests here."""


def small_application_options(**changes: object) -> Options:
    """Return options that run the small application as the runtime."""
    defaults: dict[str, object] = {"command": small_application.COMMAND, "environ": dict(os.environ)}
    return Options(**{**defaults, **changes})  # type: ignore[arg-type]  # each test gives values of the right types


@contextmanager
def emulated(options: Options) -> Iterator[Running]:
    """Emulate Lambda for the duration of the block; attempts at origins follow one another quickly unless the options say otherwise."""
    options = replace(options, environ={"TRANSCODER_RETRY_SECONDS": RETRY_SECONDS, **options.environ})
    started: Future[tuple[Running, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        ended = asyncio.Event()
        try:
            async with emulator(options) as running:
                started.set_result((running, asyncio.get_running_loop(), ended))
                await ended.wait()
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            raise

    with ThreadPoolExecutor(1) as threads:
        finished = threads.submit(asyncio.run, serve())
        running, loop, ended = started.result(SECONDS)
        try:
            yield running
        finally:
            loop.call_soon_threadsafe(ended.set)
        finished.result(SECONDS)


@dataclass(frozen=True, slots=True)
class CurlResult:
    """The exit code of curl, and the response that it wrote."""

    exit_code: int
    status: int
    headers: dict[str, str]
    body: bytes


def curl(folder: Path, url: str, *arguments: str) -> CurlResult:
    """Fetch `url` with curl; exit code 18 means that the body was cut. Skip the test if curl is not installed."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    body, head = folder / "body", folder / "head"
    command = ["curl", "--silent", "--max-time", str(SECONDS), "--output", str(body), "--dump-header", str(head), *arguments, url]
    body.write_bytes(b"")
    head.write_bytes(b"")
    exit_code = subprocess.run(command, check=False, timeout=SECONDS + 5).returncode
    status, *lines = head.read_bytes().decode("latin-1").strip().split("\r\n\r\n")[-1].split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return CurlResult(exit_code, int(status.split()[1]) if status else 0, headers, body.read_bytes())


def exits(pid: int) -> bool:
    """Return whether the process exits within a second; a zombie, not yet reaped by its parent, counts as exited."""
    for _ in range(50):
        try:
            if Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False
