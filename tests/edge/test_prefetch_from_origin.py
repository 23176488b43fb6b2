"""Prefetching from an origin: failures, resumed segments, and how much the origin sends while nobody reads."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from peers.fetch_calls import settled
from peers.origin import Rule, garbage, origin
from peers.virtual_clock import run_at_once

from transcoder.core.hls.plan import Segment
from transcoder.edge.fetch import Fetcher
from transcoder.edge.prefetch import ByteSink, Prefetcher, TrackReader
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import UpstreamError, single_error
from transcoder.settings import MIB, Settings

SETTINGS = Settings(allow_private=True, retry_seconds=0.01)


async def _chunks(reader: TrackReader) -> AsyncIterator[bytes]:
    """Yield the chunks of the current segment."""
    while chunk := await reader.read():
        yield chunk


def test_a_failure_far_ahead_ends_the_job_at_once() -> None:
    files = {f"/{n}.ts": garbage(20_000) for n in range(8)}
    del files["/5.ts"]
    reads = 0

    async def main(base: str) -> None:
        nonlocal reads
        async with Fetcher.open(SETTINGS) as fetcher:
            prefetcher = Prefetcher(lambda segment, sink: fetcher.segment(segment.url, None, sink), budget_bytes=MIB, connections=3)
            reader = prefetcher.add_track([Segment(f"{base}/{n}.ts", 2.0, n * 2.0, None, None, None) for n in range(8)])
            with single_error():
                async with asyncio.timeout(5), TaskGroup() as tasks:
                    tasks.create_task(prefetcher.run())
                    await reader.segment()
                    await reader.read()
                    reads += 1
                    await asyncio.Event().wait()

    with origin(files) as o, pytest.raises(UpstreamError, match=r"5\.ts .* 404"):
        asyncio.run(main(o.base))
    assert reads == 1


def test_the_origin_stops_sending_when_the_reader_stops() -> None:
    """With long segments and an origin whose kernel buffers a lot, the origin counts less than 24 MiB as sent."""
    files = {f"/{n}.ts": garbage(6 * MIB, n) for n in range(12)}

    async def main() -> tuple[int, int]:
        async with Fetcher.open(SETTINGS) as fetcher:
            prefetcher = Prefetcher(
                lambda segment, sink: fetcher.segment(segment.url, None, sink),
                budget_bytes=SETTINGS.ahead_bytes,
                connections=SETTINGS.connections,
            )
            reader = prefetcher.add_track([Segment(o.url(f"/{n}.ts"), 6.0, n * 6.0, None, None, None) for n in range(12)])
            async with TaskGroup() as tasks:
                task = tasks.create_task(prefetcher.run())
                await reader.segment()
                for _ in range(10):
                    await reader.read()
                early = await settled(lambda: o.sent)
                await asyncio.sleep(0.5)
                task.cancel()
            return early, o.sent

    with origin(files, send_buffer=None) as o:
        early, late = asyncio.run(main())
        assert late - early <= 64 * 1024  # the TCP windows may still change
        assert SETTINGS.ahead_bytes // 2 < late < 24 * MIB


def test_a_resumed_segment_looks_whole_to_the_reader() -> None:
    files = {f"/{n}.ts": garbage(200_000, n) for n in range(5)}
    found: list[bytes] = []

    async def main() -> None:
        async with Fetcher.open(SETTINGS) as fetcher:
            prefetcher = Prefetcher(lambda segment, sink: fetcher.segment(segment.url, None, sink), budget_bytes=MIB, connections=3)
            reader = prefetcher.add_track([Segment(o.url(path), 2.0, n * 2.0, None, None, None) for n, path in enumerate(files)])
            async with TaskGroup() as tasks:
                tasks.create_task(prefetcher.run())
                while await reader.segment() is not None:
                    found.append(b"".join([chunk async for chunk in _chunks(reader)]))
            assert fetcher.retries == 5

    with origin(files) as o:
        o.rules.update({path: Rule(cut_after=70_000, times=1) for path in files})
        asyncio.run(main())
    assert found == list(files.values())


@pytest.mark.parametrize(
    ("head_seconds", "chunk_seconds", "connections", "most"),
    [
        pytest.param(0.3, 0.0, 12, 12, id="far away"),
        pytest.param(0.3, 0.0, 9, 9, id="no more than allowed"),
        pytest.param(0.3, 0.0, 2, 2, id="fewer than six allowed"),
        pytest.param(0.0, 0.1, 12, 6, id="slow"),
        pytest.param(0.1, 0.1, 12, 6, id="slow and far away"),
    ],
)
def test_more_is_asked_for_at_once_where_each_wait_is_longer_than_the_response(
    head_seconds: float, chunk_seconds: float, connections: int, most: int
) -> None:
    """Where the origin's rate is the limit, more requests would only delay the one whose response is awaited."""
    active = [0]

    async def fetch(_segment: Segment, sink: ByteSink) -> None:
        active.append(active[-1] + 1)
        await asyncio.sleep(head_seconds)
        for _ in range(4):
            await asyncio.sleep(chunk_seconds)
            await sink(b"bytes")
        active.append(active[-1] - 1)

    async def main() -> None:
        prefetcher = Prefetcher(fetch, budget_bytes=SETTINGS.ahead_bytes, connections=connections)
        reader = prefetcher.add_track([Segment(f"{n}.ts", 2.0, n * 2.0, None, None, None) for n in range(60)])
        async with TaskGroup() as tasks:
            tasks.create_task(prefetcher.run())
            while await reader.segment() is not None:
                assert [chunk async for chunk in _chunks(reader)]

    run_at_once(main())
    assert max(active) == most


def test_more_is_asked_of_an_origin_at_once_whose_first_bytes_come_late() -> None:
    files = {f"/{n}.ts": garbage(20_000, n) for n in range(60)}

    async def main() -> None:
        async with Fetcher.open(SETTINGS) as fetcher:
            prefetcher = Prefetcher(
                lambda segment, sink: fetcher.segment(segment.url, None, sink), budget_bytes=SETTINGS.ahead_bytes, connections=9
            )
            reader = prefetcher.add_track([Segment(o.url(path), 2.0, n * 2.0, None, None, None) for n, path in enumerate(files)])
            async with TaskGroup() as tasks:
                tasks.create_task(prefetcher.run())
                while await reader.segment() is not None:
                    assert [chunk async for chunk in _chunks(reader)]

    with origin(files) as o:
        o.rules.update(dict.fromkeys(files, Rule(delay=0.3)))
        asyncio.run(main())
    assert o.max_active_requests == 9
