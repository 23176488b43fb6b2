"""The emulator in a thread of its own, for tests that speak to it over HTTP; and curl, which knows a cut body from a whole one."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from transcoder.emulator import Options, Running, emulator

SECONDS = 20.0
"""How long anything here may take."""
http = httpx.Client(timeout=SECONDS)
"""One for all: setting one up takes longer than most requests here."""


@contextmanager
def emulated(options: Options) -> Iterator[Running]:
    """Emulate Lambda for as long as the block runs."""
    running: Future[tuple[Running, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        ended = asyncio.Event()
        try:
            async with emulator(options) as emulated_now:
                running.set_result((emulated_now, asyncio.get_running_loop(), ended))
                await ended.wait()
        except BaseException as error:
            if not running.done():
                running.set_exception(error)
            raise

    with ThreadPoolExecutor(1) as threads:
        end = threads.submit(asyncio.run, serve())
        now, loop, ended = running.result(SECONDS)
        try:
            yield now
        finally:
            loop.call_soon_threadsafe(ended.set)
        end.result(SECONDS)


@dataclass(frozen=True, slots=True)
class Curled:
    """What curl made of a request."""

    exit_code: int
    status: int
    headers: dict[str, str]
    body: bytes


def curl(folder: Path, url: str, *arguments: str) -> Curled:
    """Fetch `url` with curl; exit code 18 is a body that broke off. Where there is no curl, the test is skipped."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    body, head = folder / "body", folder / "head"
    command = ["curl", "--silent", "--max-time", str(SECONDS), "--output", str(body), "--dump-header", str(head), *arguments, url]
    body.write_bytes(b"")
    head.write_bytes(b"")
    code = subprocess.run(command, check=False, timeout=SECONDS + 5).returncode
    status, *lines = head.read_bytes().decode("latin-1").strip().split("\r\n\r\n")[-1].split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Curled(code, int(status.split()[1]) if status else 0, headers, body.read_bytes())
