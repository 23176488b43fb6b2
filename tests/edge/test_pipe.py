"""The write end of a pipe: its ends in any order, and what its reader has taken."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from itertools import product

import pytest

from transcoder.edge.pipe import PipeWriter
from transcoder.edge.task_group import TaskGroup

CAPACITY = 64 * 1024


async def end(writer: PipeWriter, endings: tuple[str, ...], turns: int) -> None:
    for ending in endings:
        getattr(writer, ending)()
        for _ in range(turns):
            await asyncio.sleep(0)


async def ended(endings: tuple[str, ...], *, unread: int, turns: int) -> bytes:
    """Write so many bytes, end the pipe in these ways with so many turns of the loop between them, and return what its reader then gets."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb", 0) as reader:
        writer = await PipeWriter.connect(os.fdopen(write_end, "wb", 0))
        async with TaskGroup() as tasks:
            tasks.create_task(writer.write(bytes(unread)))
            await asyncio.sleep(0)
            await end(writer, endings, turns)
        received = bytearray()
        while chunk := await asyncio.to_thread(reader.read, CAPACITY):
            received += chunk
        return bytes(received)


@pytest.mark.parametrize("turns", [0, 1, 3])
@pytest.mark.parametrize("endings", [*product(("close", "abort"), repeat=2), ("close", "abort", "close"), ("abort", "close", "abort")])
def test_a_pipe_may_be_ended_in_any_order(endings: tuple[str, ...], turns: int, caplog: pytest.LogCaptureFixture) -> None:
    assert asyncio.run(ended(endings, unread=1000, turns=turns)) == bytes(1000)
    assert not caplog.records


@pytest.mark.parametrize("turns", [0, 3])
def test_an_abort_ends_a_pipe_whose_close_waits_for_the_reader(turns: int, caplog: pytest.LogCaptureFixture) -> None:
    assert len(asyncio.run(ended(("close", "abort"), unread=4 * CAPACITY, turns=turns))) < 4 * CAPACITY
    assert not caplog.records


async def with_pipe(use: Callable[[PipeWriter, int], Awaitable[None]]) -> None:
    read_end, write_end = os.pipe()
    writer = await PipeWriter.connect(os.fdopen(write_end, "wb", 0))
    try:
        await use(writer, read_end)
    finally:
        writer.abort()


def test_an_abort_after_the_reader_left_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def use(writer: PipeWriter, read_end: int) -> None:
        os.close(read_end)
        await writer.write(b"nobody reads this")
        assert writer.broken

    asyncio.run(with_pipe(use))
    assert not caplog.records


def test_a_full_pipe_counts_what_its_reader_takes() -> None:
    async def use(writer: PipeWriter, read_end: int) -> None:
        async with TaskGroup() as tasks:
            assert not writer.is_full
            tasks.create_task(writer.write(bytes(2 * CAPACITY)))
            await asyncio.sleep(0)
            assert (writer.is_full, writer.taken) == (True, CAPACITY)
            os.read(read_end, CAPACITY // 2)
            await asyncio.sleep(0.1)
            assert writer.is_full
            assert CAPACITY < writer.taken < 2 * CAPACITY
            os.read(read_end, 2 * CAPACITY)
        assert (writer.is_full, writer.taken) == (False, 2 * CAPACITY)
        os.close(read_end)

    asyncio.run(with_pipe(use))
