"""Work ends early enough before the deadline of its response for its failure to be told."""

import asyncio
import time
from collections.abc import Awaitable

import pytest
from peers.application import Answered

from transcoder.app.time_limit import in_time
from transcoder.errors import DeadlineError

_TRIES = 5
"""A busy machine may stop it later; it never stops it earlier."""


def stopped_after(seconds: float | None, *, margin: float = 0.0, ending: float = 0.0, work: float = 30.0) -> float:
    """Return after how many seconds work is stopped that would take longer, given how far away the deadline is."""

    async def run() -> None:
        deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
        await in_time(asyncio.sleep(work), Answered(deadline=deadline), margin=margin, ending=ending)

    began = time.monotonic()
    if work < (seconds or 30.0):
        asyncio.run(run())
    else:
        with pytest.raises(DeadlineError):
            asyncio.run(run())
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("seconds", "margin", "ending", "expected"),
    [(0.4, 0.0, 0.0, 0.2), (1.2, 0.0, 0.0, 0.7), (1.4, 0.1, 0.1, 0.7), (0.8, 0.3, 0.0, 0.25)],
    ids=["half of a short time", "half a second to say so", "time to end", "half of what the margin leaves"],
)
def test_work_is_stopped_while_there_is_time_to_say_so(seconds: float, margin: float, ending: float, expected: float) -> None:
    for _ in range(_TRIES):
        stopped = stopped_after(seconds, margin=margin, ending=ending)
        assert stopped >= expected - 0.05
        if stopped < expected + 0.3:
            return
    pytest.fail(f"stopped after {stopped:.2f} s")


def test_work_that_ends_in_time_is_not_stopped() -> None:
    assert stopped_after(5.0, work=0.01) < 1.0
    assert stopped_after(None, work=0.01) < 1.0


def test_a_time_limit_of_the_work_itself_is_not_the_deadline() -> None:
    async def late() -> None:
        raise TimeoutError("mine")

    async def run(work: Awaitable[None]) -> None:
        await in_time(work, Answered(deadline=asyncio.get_running_loop().time() + 30), margin=0.0)

    with pytest.raises(TimeoutError, match="mine"):
        asyncio.run(run(late()))
