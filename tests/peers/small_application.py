"""A runtime with a small application, which the emulator runs in its own process; each path runs the function of its name."""

import asyncio
import contextlib
import json
import os
import random
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

from transcoder import bootstrap
from transcoder.core.answer.event import Request
from transcoder.core.answer.function_url import ResponseHead
from transcoder.edge.runtime_api import Answer
from transcoder.edge.task_group import TaskGroup
from transcoder.emulator.rest_api_event import STAGE
from transcoder.errors import TranscoderError, UpstreamError
from transcoder.settings import Settings

COMMAND = (sys.executable, str(Path(__file__).resolve()))
HEAD = ResponseHead(HTTPStatus.OK, (("content-type", "video/mp4"), ("x-content-duration", "1.5")))

served = 0
openings: list[float] = []
"""A random number for each time that the application was opened; the first is always the same, as in the copies of a snapshot."""


async def hello(request: Request, answer: Answer) -> None:
    await answer.start(HEAD)
    await answer.write(f"hello {served} {os.getpid()} {request.query}".encode())


async def opened(_request: Request, answer: Answer) -> None:
    await answer.start(HEAD)
    await answer.write(json.dumps(openings).encode())


async def echo(request: Request, answer: Answer) -> None:
    await answer.start(HEAD)
    fields = {"method": request.method, "path": request.path, "query": request.query, "headers": dict(request.headers)}
    await answer.write(json.dumps({**fields, "trace": os.environ.get("_X_AMZN_TRACE_ID", "")}).encode())


async def stream(request: Request, answer: Answer) -> None:
    """Send as many MiB as the query says."""
    await answer.start(HEAD)
    chunk = bytes(range(256)) * 1024
    for _ in range(int(request.query.rstrip("=")) * 4):  # behind a REST API every name has a value
        await answer.write(chunk)


async def counted(request: Request, answer: Answer) -> None:
    """Send endlessly, and write the number of bytes sent into the file that the query names."""
    await answer.start(HEAD)
    while True:
        await answer.write(bytes(65536))
        _write_number(Path(request.query), answer.bytes_sent)


def _write_number(file: Path, number: int) -> None:
    new = file.with_suffix(".new")
    new.write_text(str(number), encoding="ascii")
    new.replace(file)  # a reader never sees a half-written file


async def empty(_request: Request, answer: Answer) -> None:
    await answer.start(HEAD)


async def nothing(_request: Request, _answer: Answer) -> None:
    pass


async def fail_before(_request: Request, _answer: Answer) -> None:
    raise UpstreamError("The origin has no such video.")


async def fail_after(_request: Request, answer: Answer) -> None:
    await answer.start(HEAD)
    await answer.write(b"a part")
    raise UpstreamError("The origin broke off.")


async def bug_before(_request: Request, _answer: Answer) -> None:
    raise KeyError("a secret")


async def bug_after(_request: Request, answer: Answer) -> None:
    await answer.start(HEAD)
    await answer.write(b"a part")
    raise KeyError("a secret")


async def late(request: Request, answer: Answer) -> None:
    """Fail after `start`, before its head was sent."""
    await answer.start(HEAD)
    await fail_before(request, answer)


async def die(_request: Request, answer: Answer) -> None:
    await answer.start(HEAD)
    await answer.write(b"a part")
    os.kill(os.getpid(), signal.SIGKILL)


async def slow(request: Request, answer: Answer) -> None:
    """Send a byte at a time, for as many seconds as the query says."""
    await answer.start(HEAD)
    for _ in range(int(float(request.query) * 20)):
        await answer.write(b".")
        await asyncio.sleep(0.05)


async def sleep(request: Request, _answer: Answer) -> None:
    await asyncio.sleep(float(request.query))


async def noted(_request: Request, answer: Answer) -> None:
    answer.note(source_host="a.example", segments=3)
    await answer.start(HEAD)


async def blocked(_request: Request, answer: Answer) -> None:
    """Send more than a client reads."""
    await answer.start(HEAD)
    while True:
        await answer.write(bytes(300_000))


async def stubborn(_request: Request, answer: Answer) -> None:
    """Block the event loop, SIGTERM and the signal of the deadline, with a child process that keeps running."""
    await answer.start(HEAD)
    child = await asyncio.create_subprocess_exec("sleep", "60")
    await answer.write(str(child.pid).encode())
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGALRM})
    os.read(os.pipe()[0], 1)


async def held_by_pattern(_request: Request, _answer: Answer) -> None:
    """Hold the event loop inside one call of a regular expression, which does not end in a lifetime."""
    re.match(r"(a|a)*$", "a" * 60 + "b")


async def held_by_loop(_request: Request, _answer: Answer) -> None:
    """Hold the event loop by Python code that never awaits anything."""
    number = 0
    while True:
        number += 1


async def held_after(request: Request, answer: Answer) -> None:
    """Hold the event loop in a task beside the one that answers, after the first byte."""
    await answer.start(HEAD)
    await answer.write(b"a part")
    async with TaskGroup() as tasks:
        tasks.create_task(held_by_pattern(request, answer))


async def held_stubbornly(request: Request, answer: Answer) -> None:
    """Hold the event loop again whenever it was interrupted."""
    for _ in range(3):
        with contextlib.suppress(TranscoderError):
            await held_by_loop(request, answer)
    await answer.start(HEAD)


ROUTES: dict[str, Callable[[Request, Answer], Awaitable[None]]] = {
    "/" + route.__name__.replace("_", "-"): route
    for route in (
        hello, opened, echo, stream, counted, empty, nothing, fail_before, fail_after, bug_before, bug_after, late, die, slow,
        sleep, noted, blocked, stubborn, held_by_pattern, held_by_loop, held_after, held_stubbornly,
    )
}  # fmt: skip


def mp4_and_index() -> tuple[bytes, int]:
    """Return the bytes of the file MP4, and the offset of its index."""
    whole = Path(os.environ["MP4"]).read_bytes()
    return whole, len(whole) - int.from_bytes(whole[-4:])


async def download(request: Request, answer: Answer) -> None:
    """Send the file MP4 in the way that the last part of the requested address names; most ways leave out the index."""
    way = request.query.rpartition("%2F")[2]
    whole, index = mp4_and_index()
    seconds = "1.000" if way == "longer" else os.environ["SECONDS"]
    headers = [("content-type", "video/mp4"), *([("x-content-duration", seconds)] if way != "silent" else [])]
    await answer.start(ResponseHead(HTTPStatus.OK, tuple(headers)))
    await answer.write(whole[: index // 2])
    if way == "endless":
        await asyncio.sleep(60)
    await answer.write(whole[index // 2 : None if way in {"whole", "longer", "silent"} else index])
    if way == "failing":
        raise UpstreamError("The origin broke off.")
    if way == "dying":
        os.kill(os.getpid(), signal.SIGKILL)


@contextlib.asynccontextmanager
async def application(_settings: Settings) -> AsyncIterator[bootstrap.Serve]:
    if os.environ.get("FAIL_TO_START") == str(len(openings) + 1):
        raise RuntimeError("no luck today")
    if not openings:
        random.seed(1)
    openings.append(random.random())  # noqa: S311  # not a secret

    ROUTES["/download"] = download

    async def serve(request: Request, answer: Answer) -> None:
        global served  # noqa: PLW0603  # it shows that the process is kept from one invocation to the next
        served += 1
        await ROUTES[request.path.removeprefix(f"/{STAGE}")](request, answer)

    yield serve


if __name__ == "__main__":
    sys.exit(bootstrap.main(application))
