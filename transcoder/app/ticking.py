"""Something to say from time to time while work goes on."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from transcoder.edge.task_group import TaskGroup
from transcoder.errors import TranscoderError, single_error

T = TypeVar("T")

TICK_SECONDS = 1.0
"""How often it is looked whether there is something to say."""
REPORT_SECONDS = 4.0
"""When so much time has passed since the last report, the next tick brings another: within 5 s."""


async def with_ticks(work: Coroutine[Any, Any, T], tick: Callable[[], Awaitable[None]], *, seconds: float = TICK_SECONDS) -> T:
    """Return what `work` returns, and await `tick()` every so many seconds until then.

    Raises:
        TranscoderError: what `work` raises, or `tick`, which ends the work.
    """
    with single_error():
        async with TaskGroup() as tasks:
            task = tasks.create_task(_outcome(work))
            while not (await asyncio.wait({task}, timeout=seconds))[0]:
                await tick()
    outcome = task.result()
    if isinstance(outcome, TranscoderError):
        raise outcome
    return outcome


async def _outcome(work: Coroutine[Any, Any, T]) -> T | TranscoderError:
    """Return a failure instead of raising it: the group would cancel the tick in the middle of what it says."""
    try:
        return await work
    except TranscoderError as error:
        return error
