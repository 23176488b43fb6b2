"""Reading ahead: every byte in order, never more than the budget, never stuck."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peers.fetch_calls import settled
from peers.origin import Rule, garbage, origin

from transcoder.core.hls.plan import Segment
from transcoder.edge.fetch import Fetcher
from transcoder.edge.prefetch import Into, Prefetcher, Reader
from transcoder.errors import UpstreamError, single_error
from transcoder.settings import MIB, Settings

SETTINGS = Settings(allow_private=True, retry_seconds=0.01)
PIECE = 1000


def track(name: str, lengths: Sequence[int], seconds: float = 2.0) -> list[Segment]:
    """Make segments whose address tells how many bytes they have."""
    return [Segment(f"{name}/{n}/{length}", seconds, n * seconds, None, None, None) for n, length in enumerate(lengths)]


def content(segment: Segment) -> bytes:
    return (segment.url.encode() * (int(segment.url.rpartition("/")[2]) + 1))[: int(segment.url.rpartition("/")[2])]


class Source:
    """Pushes a segment's bytes in small pieces; notes what was asked for."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.pushed = 0
        self.under_way = 0
        self.most_under_way = 0

    async def fetch(self, segment: Segment, into: Into) -> None:
        self.begun.append(segment.url)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        data = content(segment)
        for at in range(0, len(data), PIECE):
            await asyncio.sleep(0)
            await into(data[at : at + PIECE])
            self.pushed += len(data[at : at + PIECE])
        self.under_way -= 1


async def everything(reader: Reader) -> list[tuple[str, bytes]]:
    found = []
    while (segment := await reader.segment()) is not None:
        pieces = []
        while piece := await reader.read():
            pieces.append(piece)
        assert await reader.read() == b""
        found.append((segment.url, b"".join(pieces)))
    return found


def job(ahead: Prefetcher, *readers: Callable[[], Awaitable[object]]) -> None:
    """Run everything in one task group, as the pipeline does."""

    async def main() -> None:
        with single_error():
            async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
                tasks.create_task(ahead.run())
                for reader in readers:
                    tasks.create_task(_awaited(reader))

    asyncio.run(main())


async def _awaited(function: Callable[[], Awaitable[object]]) -> None:
    await function()


LENGTHS = st.lists(st.integers(1, 30 * PIECE), max_size=8)


@settings(max_examples=60, deadline=None)
@given(LENGTHS, LENGTHS, st.integers(1, 40), st.integers(1, 6))
def test_every_byte_in_order_within_the_budget(video: list[int], audio: list[int], budget: int, connections: int) -> None:
    source = Source()
    ahead = Prefetcher(source.fetch, budget_bytes=budget * PIECE, connections=connections)
    tracks = [track("video", video), track("audio", audio, 3.0)]
    readers = [ahead.track(segments) for segments in tracks]
    found: list[list[tuple[str, bytes]]] = [[], []]

    async def read(number: int) -> None:
        found[number] = await everything(readers[number])

    job(ahead, lambda: read(0), lambda: read(1))
    assert found == [[(segment.url, content(segment)) for segment in segments] for segments in tracks]
    assert ahead.most_held <= budget * PIECE + 2 * PIECE
    assert source.most_under_way <= connections + 2


def test_tracks_read_in_lockstep_do_not_wait_for_each_other() -> None:
    source = Source()
    ahead = Prefetcher(source.fetch, budget_bytes=4 * PIECE, connections=2)
    video, audio = ahead.track(track("video", [20 * PIECE] * 4)), ahead.track(track("audio", [20 * PIECE] * 4))

    async def alternately() -> None:
        for _ in range(4):
            await video.segment()
            await audio.segment()
            left = [20 * PIECE, 20 * PIECE]
            while any(left):
                left[0] -= len(await video.read())
                left[1] -= len(await audio.read())

    job(ahead, alternately)
    assert source.pushed == 160 * PIECE


def test_what_lies_ready_is_read_together() -> None:
    ahead = Prefetcher(Source().fetch, budget_bytes=500 * PIECE, connections=2)
    reader = ahead.track(track("video", [200 * PIECE]))
    lengths: list[int] = []

    async def late() -> None:
        await asyncio.sleep(0.05)
        await reader.segment()
        while piece := await reader.read():
            lengths.append(len(piece))

    job(ahead, late)
    assert lengths == [65 * PIECE, 65 * PIECE, 65 * PIECE, 5 * PIECE]


def test_one_track_may_be_read_long_before_the_other() -> None:
    ahead = Prefetcher(Source().fetch, budget_bytes=3 * PIECE, connections=1)
    video, audio = ahead.track(track("video", [5 * PIECE] * 3)), ahead.track(track("audio", [5 * PIECE] * 3))

    async def one_after_the_other() -> None:
        assert len(await everything(audio)) == 3
        assert len(await everything(video)) == 3

    job(ahead, one_after_the_other)


def test_what_is_fetched_ahead_follows_the_film() -> None:
    source = Source()
    ahead = Prefetcher(source.fetch, budget_bytes=1000 * PIECE, connections=1)
    readers = [
        ahead.track(track("video", [1, 2], 4.0)),
        ahead.track(track("audio", [3, 4, 5], 2.0)),
        ahead.track(track("later", [6]), begins=8.0),
    ]
    assert len(readers) == 3
    job(ahead)
    assert source.begun == ["video/0/1", "audio/0/3", "audio/1/4", "video/1/2", "audio/2/5", "later/0/6"]


def test_nobody_reading_stops_the_fetching() -> None:
    source = Source()
    ahead = Prefetcher(source.fetch, budget_bytes=50 * PIECE, connections=6)
    reader = ahead.track(track("video", [10 * PIECE] * 20))

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(ahead.run())
            await reader.segment()
            for _ in range(300):
                await asyncio.sleep(0)
            # Whole segments only: nothing is half-way, so no origin is left sending.
            assert source.pushed == 50 * PIECE
            assert source.under_way == 0
            task.cancel()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_a_segment_longer_than_the_budget_flows_through() -> None:
    source = Source()
    ahead = Prefetcher(source.fetch, budget_bytes=5 * PIECE, connections=4)
    reader = ahead.track(track("video", [500 * PIECE, 10]))
    lengths: list[int] = []

    async def read() -> None:
        lengths.extend(len(data) for _, data in await everything(reader))

    job(ahead, read)
    assert lengths == [500 * PIECE, 10]
    assert ahead.most_held <= 6 * PIECE


def test_the_rest_of_a_segment_may_be_left_unread() -> None:
    ahead = Prefetcher(Source().fetch, budget_bytes=5 * PIECE, connections=4)
    reader = ahead.track(track("video", [20 * PIECE, 7]))

    async def read() -> None:
        await reader.segment()
        await reader.read()
        segment = await reader.segment()
        assert segment is not None
        assert await reader.read() == content(segment)
        assert await reader.read() == b""
        assert await reader.segment() is None
        assert await reader.read() == b""

    job(ahead, read)


def test_a_failure_far_ahead_ends_the_job_at_once() -> None:
    files = {f"/{n}.ts": garbage(20_000) for n in range(8)}
    del files["/5.ts"]
    reads = 0

    async def main(base: str) -> None:
        nonlocal reads
        async with Fetcher.open(SETTINGS) as fetcher:
            ahead = Prefetcher(lambda segment, into: fetcher.segment(segment.url, None, into), budget_bytes=MIB, connections=3)
            reader = ahead.track([Segment(f"{base}/{n}.ts", 2.0, n * 2.0, None, None, None) for n in range(8)])
            with single_error():
                async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
                    tasks.create_task(ahead.run())
                    await reader.segment()
                    await reader.read()
                    reads += 1
                    await asyncio.Event().wait()

    with origin(files) as o, pytest.raises(UpstreamError, match=r"5\.ts .* 404"):
        asyncio.run(main(o.base))
    assert reads == 1


def test_what_the_origin_has_sent_stops_with_the_reader() -> None:
    """Long segments, and an origin whose kernel takes much at once: what it believes to have sent stays below 24 MiB."""
    files = {f"/{n}.ts": garbage(6 * MIB, n) for n in range(12)}

    async def main() -> tuple[int, int]:
        async with Fetcher.open(SETTINGS) as fetcher:
            ahead = Prefetcher(
                lambda segment, into: fetcher.segment(segment.url, None, into),
                budget_bytes=SETTINGS.ahead_bytes,
                connections=SETTINGS.connections,
            )
            reader = ahead.track([Segment(o.url(f"/{n}.ts"), 6.0, n * 6.0, None, None, None) for n in range(12)])
            async with asyncio.TaskGroup() as tasks:
                task = tasks.create_task(ahead.run())
                await reader.segment()
                for _ in range(10):
                    await reader.read()
                early = await settled(lambda: o.sent)
                await asyncio.sleep(0.5)
                task.cancel()
            return early, o.sent

    with origin(files, send_buffer=None) as o:
        early, late = asyncio.run(main())
        assert late - early <= 64 * 1024  # the kernel's windows may still be settling
        assert SETTINGS.ahead_bytes // 2 < late < 24 * MIB


def test_a_cut_origin_is_no_news_to_the_reader() -> None:
    files = {f"/{n}.ts": garbage(200_000, n) for n in range(5)}
    found: list[bytes] = []

    async def main() -> None:
        async with Fetcher.open(SETTINGS) as fetcher:
            ahead = Prefetcher(lambda segment, into: fetcher.segment(segment.url, None, into), budget_bytes=MIB, connections=3)
            reader = ahead.track([Segment(o.url(path), 2.0, n * 2.0, None, None, None) for n, path in enumerate(files)])
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(ahead.run())
                found.extend([data for _, data in await everything(reader)])
            assert fetcher.retries == 5

    with origin(files) as o:
        o.rules.update({path: Rule(cut_after=70_000, times=1) for path in files})
        asyncio.run(main())
    assert found == list(files.values())
