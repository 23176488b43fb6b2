"""Work that ends early enough for its failure to be told in a response that has begun."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from transcoder.app.answer import Answer
from transcoder.core.answer.usable_time import usable_seconds
from transcoder.errors import DeadlineError

T = TypeVar("T")

_FAREWELL_SECONDS = 0.5
"""So much before the response would be broken off, the failure is told."""


async def in_time(work: Awaitable[T], answer: Answer, *, margin: float, ending: float = 0.0) -> T:
    """Return what `work` returns; `margin` is how long before its deadline the response is broken off.

    Work that is interrupted takes up to `ending` seconds to end.

    Raises:
        DeadlineError: it takes too long.
        TranscoderError: what `work` raises.
    """
    if answer.deadline is None:
        return await work
    usable = usable_seconds(answer.deadline - asyncio.get_running_loop().time(), margin=margin)
    limit = asyncio.timeout(max(usable - ending - _FAREWELL_SECONDS, usable / 2))
    try:
        async with limit:
            return await work
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise DeadlineError("It takes longer than this function may run.") from error
