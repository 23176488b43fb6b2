"""A group of tasks that leaves the task which waits for it as it was.

Before Python 3.13, a group whose task fails while the group waits at its end leaves the waiting task counted as cancelled
(https://github.com/python/cpython/issues/116720). No time limit around it then knows its own cancellation again, and the program ends
instead of the block.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self


class TaskGroup(asyncio.TaskGroup):  # noqa: TID251 - the one place that may
    """asyncio's group; before Python 3.13 with the count of cancellations that later versions keep."""

    if sys.version_info < (3, 13):
        _parent_cancel_requested: bool  # asyncio's own; these versions of it change no more

        async def __aenter__(self) -> Self:
            """Begin."""
            self._cancelled_before = _waiting_task().cancelling()
            await super().__aenter__()
            return self

        async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
            """Wait for all tasks; raises an `ExceptionGroup` of what they and the block have raised."""
            is_uncancelled_by_asyncio = self._parent_cancel_requested
            try:
                await super().__aexit__(kind, error, trace)
            except BaseExceptionGroup as group:
                task = _waiting_task()
                if self._parent_cancel_requested and not is_uncancelled_by_asyncio:
                    task.uncancel()  # the group has requested it while it waited
                if task.cancelling() > self._cancelled_before:  # from outside as well: whoever handles the group must not go on
                    raise asyncio.CancelledError from group
                raise


Start = Callable[[Coroutine[None, None, None]], "asyncio.Task[None]"]
"""Begins a task."""


@asynccontextmanager
async def in_background(*coroutines: Coroutine[None, None, None]) -> AsyncIterator[Start]:
    """Run the coroutines, and those that the block starts, while the block runs; then cancel them."""
    async with TaskGroup() as group:
        tasks = set[asyncio.Task[None]]()

        def start(coroutine: Coroutine[None, None, None]) -> "asyncio.Task[None]":
            task = group.create_task(coroutine)
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            return task

        for coroutine in coroutines:
            start(coroutine)
        try:
            yield start
        finally:
            for task in tasks:
                task.cancel()


def _waiting_task() -> "asyncio.Task[object]":
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("A group of tasks needs a task that waits for it.")
    return task
