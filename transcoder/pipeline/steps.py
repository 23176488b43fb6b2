"""Long work on bytes at hand, in steps between which everything else has its turn."""

import asyncio
from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


async def in_steps(steps: Generator[None, None, T]) -> T:
    """Carry out all steps, and return what the last one returns; the event loop has a turn after each."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: T = end.value
            return found
        await asyncio.sleep(0)
