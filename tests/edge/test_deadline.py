"""The deadline of an invocation, also of one that holds the event loop."""

import asyncio
import re
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from peers.running_emulator import emulated, http, small_application_options
from peers.sdk_invocation import invoke

from transcoder.edge.runtime_api.deadline import SIGNAL_SECONDS, deadline_guard
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import DeadlineError

SECONDS = 0.3
LATE_SECONDS = 2.0
"""How late an invocation may end on a busy machine."""
INVOCATION_SECONDS = 4.5
"""The handler computes for half of it. The answer has to come in the other half, which is a little longer than `LATE_SECONDS`."""


async def wait() -> None:
    await asyncio.sleep(60)


async def match_for_ever() -> None:
    re.match(r"(a|a)*$", "a" * 60 + "b")


async def loop_for_ever() -> None:
    while True:
        pass


async def hold_in_a_task() -> None:
    async with TaskGroup() as tasks:
        tasks.create_task(wait())
        tasks.create_task(loop_for_ever())


async def hold_again() -> None:
    try:
        await loop_for_ever()
    finally:
        await loop_for_ever()


async def clean_up_slowly() -> None:
    try:
        await wait()
    finally:
        for _ in range(10):
            await asyncio.sleep(SIGNAL_SECONDS / 2)


async def swallow() -> None:
    with suppress(DeadlineError):
        await loop_for_ever()


async def guarded(use: Callable[[], Awaitable[None]]) -> tuple[BaseException | None, bool]:
    """Return what ended `use` under a guard, and whether it was interrupted."""
    error: BaseException | None = None
    guard = deadline_guard(asyncio.get_running_loop().time() + 2 * SECONDS, margin=SECONDS)
    try:
        async with guard as interruption:
            await use()
    except DeadlineError as failure:
        error = failure
    return error, interruption.happened


@pytest.mark.parametrize(
    ("use", "interrupted"),
    [
        (wait, False),
        (match_for_ever, True),
        (loop_for_ever, True),
        (hold_in_a_task, True),
        (hold_again, True),
        (swallow, True),
        (clean_up_slowly, False),
    ],
)
def test_a_deadline_ends_whatever_runs(use: Callable[[], Awaitable[None]], *, interrupted: bool) -> None:
    handler, started = signal.getsignal(signal.SIGALRM), time.monotonic()
    error, happened = asyncio.run(guarded(use))
    assert isinstance(error, DeadlineError)
    assert happened is interrupted
    assert SECONDS <= time.monotonic() - started < SECONDS + LATE_SECONDS
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is handler


def test_what_ends_in_time_is_not_disturbed() -> None:
    async def short() -> None:
        await asyncio.sleep(0.01)

    assert asyncio.run(guarded(short)) == (None, False)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_without_a_deadline_nothing_is_watched() -> None:
    async def unlimited() -> None:
        async with deadline_guard(None, margin=3.0) as interruption:
            assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        assert not interruption.happened

    asyncio.run(unlimited())


def test_another_error_passes_through_the_guard() -> None:
    async def fail() -> None:
        raise TimeoutError("of something else")

    with pytest.raises(TimeoutError, match="of something else"):
        asyncio.run(guarded(fail))


@pytest.mark.parametrize("path", ["/held-by-pattern", "/held-by-loop", "/held-stubbornly"])
def test_an_invocation_that_holds_the_event_loop_is_answered_in_time(path: str) -> None:
    with emulated(small_application_options(timeout_seconds=INVOCATION_SECONDS)) as running:
        assert http.get(running.url + "/hello").text.startswith("hello 1 ")
        pid, started = running.pid, time.monotonic()
        response = http.get(running.url + path)
        assert time.monotonic() - started < INVOCATION_SECONDS
        assert response.status_code == 504
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["type"].endswith(":deadline")
        assert http.get(running.url + "/hello").text.startswith("hello 3 ")
        assert running.pid == pid, "the environment goes on"


def test_a_stream_that_holds_the_event_loop_is_broken_off_in_time() -> None:
    with emulated(small_application_options(timeout_seconds=INVOCATION_SECONDS)) as running:
        assert http.get(running.url + "/hello").text.startswith("hello 1 ")
        pid, started = running.pid, time.monotonic()
        payload, (end,) = invoke(running.url, "/held-after", "")
        assert time.monotonic() - started < INVOCATION_SECONDS
        assert payload.endswith(b"a part")
        assert end["ErrorCode"] == "Function.DeadlineExceeded"
        assert http.get(running.url + "/hello").text.startswith("hello 3 ")
        assert running.pid == pid
