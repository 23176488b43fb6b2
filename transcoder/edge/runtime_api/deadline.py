"""The deadline of an invocation: it is ended with an error before Lambda kills the process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from transcoder.errors import DeadlineError


@asynccontextmanager
async def deadline_guard(deadline: float | None, *, margin: float) -> AsyncIterator[None]:
    """Let the block fail `margin` seconds before `deadline`, because Lambda itself ends with SIGKILL and tells the caller nothing.

    If little time is left, the block gets at least half of it.

    Raises:
        DeadlineError: the time is up.
    """
    remaining = None if deadline is None else deadline - asyncio.get_running_loop().time()
    limit = asyncio.timeout(None if remaining is None else max(remaining - margin, remaining / 2))
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise DeadlineError("The response takes longer than this function may run.") from error
