"""Runs what a test awaits."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do what `asyncio.run` does, but keep the result out of the task.

    Before Python 3.12, `asyncio.run` writes its task as text, twice, when it sets the handler of SIGINT back: the text of a body of
    300 KB takes as long as fetching it.
    """
    results: list[T] = []

    async def keep() -> None:
        results.append(await work)

    asyncio.run(keep())
    return results[0]
