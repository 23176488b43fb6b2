"""A group of tasks, and the time limits around it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from transcoder.edge.task_group import TaskGroup


async def fail() -> None:
    await asyncio.sleep(0.01)
    raise ValueError


async def fail_when_cancelled() -> None:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError as error:
        raise ValueError from error


async def fails_while_the_group_waits() -> None:
    async with TaskGroup() as tasks:
        tasks.create_task(fail())


async def fails_in_the_block() -> None:
    async with TaskGroup() as tasks:
        tasks.create_task(fail())
        await asyncio.sleep(60)


async def fails_by_the_block() -> None:
    async with TaskGroup() as tasks:
        tasks.create_task(asyncio.sleep(60))
        raise ValueError


async def fails_in_a_group_within() -> None:
    async with TaskGroup() as tasks:
        tasks.create_task(fails_while_the_group_waits())
        tasks.create_task(fail())


every_failure = pytest.mark.parametrize(
    "use", [fails_while_the_group_waits, fails_in_the_block, fails_by_the_block, fails_in_a_group_within]
)


@every_failure
def test_a_failed_group_leaves_no_cancellation_behind(use: Callable[[], Awaitable[None]]) -> None:
    async def main() -> int:
        with pytest.raises(ExceptionGroup):
            await use()
        task = asyncio.current_task()
        assert task is not None
        await asyncio.sleep(0)
        return task.cancelling()

    assert asyncio.run(main()) == 0


@every_failure
def test_a_time_limit_around_a_failed_group_works(use: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(0.1):
            with suppress(ExceptionGroup):
                await use()
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_a_time_limit_that_a_failure_hides_still_ends_what_follows() -> None:
    async def main() -> None:
        async with asyncio.timeout(0.1):
            with suppress(ExceptionGroup):
                async with TaskGroup() as tasks:
                    tasks.create_task(fail_when_cancelled())
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_a_cancellation_ends_the_tasks_and_goes_on() -> None:
    async def main() -> None:
        async with asyncio.timeout(0.1):
            async with TaskGroup() as tasks:
                tasks.create_task(asyncio.sleep(60))

    with pytest.raises(TimeoutError):
        asyncio.run(main())
