"""Prefetching: every byte in order, within the budget, and without deadlocks."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peers.drawn_inputs import examples

from transcoder.core.hls.plan import Segment
from transcoder.edge.prefetch import CHECKED_READ_BYTES, MAX_FETCHES, READ_BYTES, SOON_SECONDS, ByteSink, Check, Prefetcher, TrackReader
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import DamagedMediaError, single_error

CHUNK_BYTES = 1000


def track(name: str, lengths: Sequence[int], seconds: float = 2.0) -> list[Segment]:
    """Return segments whose URL contains their length in bytes."""
    return [Segment(f"{name}/{n}/{length}", seconds, n * seconds, None, None, None) for n, length in enumerate(lengths)]


def content(segment: Segment) -> bytes:
    return (segment.url.encode() * (int(segment.url.rpartition("/")[2]) + 1))[: int(segment.url.rpartition("/")[2])]


class FakeFetcher:
    """Pushes a segment's bytes in small chunks, and records its calls."""

    def __init__(self) -> None:
        self.requested: list[str] = []
        self.pushed = 0
        self.active = 0
        self.max_active = 0
        self.first_pushed = asyncio.Event()
        """Set when all of a segment has been pushed."""

    async def fetch(self, segment: Segment, sink: ByteSink) -> None:
        self.requested.append(segment.url)
        self.active += 1
        self.max_active = max(self.max_active, self.active)
        data = content(segment)
        for at in range(0, len(data), CHUNK_BYTES):
            await asyncio.sleep(0)
            await sink(data[at : at + CHUNK_BYTES])
            self.pushed += len(data[at : at + CHUNK_BYTES])
        self.active -= 1
        self.first_pushed.set()


async def read_all(reader: TrackReader) -> list[tuple[str, bytes]]:
    found = []
    while (segment := await reader.segment()) is not None:
        chunks = []
        while chunk := await reader.read():
            chunks.append(chunk)
        assert await reader.read() == b""
        found.append((segment.url, b"".join(chunks)))
    return found


def run_job(prefetcher: Prefetcher, *readers: Callable[[], Awaitable[object]]) -> None:
    """Run the prefetcher and the readers in one task group, as the pipeline does."""

    async def main() -> None:
        with single_error():
            async with asyncio.timeout(10), TaskGroup() as tasks:
                tasks.create_task(prefetcher.run())
                for reader in readers:
                    tasks.create_task(_awaited(reader))

    asyncio.run(main())


async def _awaited(function: Callable[[], Awaitable[object]]) -> None:
    await function()


async def is_right(segment: Segment, body: bytes) -> bool:
    """Check a whole segment, as slowly as one that has to fetch a key first."""
    await asyncio.sleep(0)
    return body == content(segment)


LENGTHS = st.lists(st.integers(1, 30 * CHUNK_BYTES), max_size=8)


@pytest.mark.parametrize("check", [None, is_right], ids=["unchecked", "checked"])
@settings(max_examples=examples(60))
@given(LENGTHS, LENGTHS, st.integers(1, 40), st.integers(1, 6), st.sampled_from(["ahead", "late"]))
def test_every_byte_in_order_within_the_budget(
    check: Check | None, video: list[int], audio: list[int], budget: int, connections: int, when: str
) -> None:
    source = FakeFetcher()
    prefetcher = Prefetcher(source.fetch, budget_bytes=budget * CHUNK_BYTES, connections=connections, reads_ahead=when == "ahead")
    tracks = [track("video", video), track("audio", audio, 3.0)]
    readers = [prefetcher.add_track(segments, check=check) for segments in tracks]
    found: list[list[tuple[str, bytes]]] = [[], []]

    async def read(number: int) -> None:
        found[number] = await read_all(readers[number])

    run_job(prefetcher, lambda: read(0), lambda: read(1))
    assert found == [[(segment.url, content(segment)) for segment in segments] for segments in tracks]
    assert prefetcher.peak_used <= budget * CHUNK_BYTES + 2 * CHUNK_BYTES
    assert source.max_active <= connections + 2
    assert len(source.requested) == len(video) + len(audio)


def requested_without_reading_ahead(seconds: float, *, asked: bool = False) -> list[int]:
    """Return how many segments of two tracks of four are requested while the first, the second and the third ones are read."""
    source, requested = FakeFetcher(), list[int]()
    prefetcher = Prefetcher(source.fetch, budget_bytes=1000 * CHUNK_BYTES, connections=6, reads_ahead=False)
    readers = [prefetcher.add_track(track(name, [3 * CHUNK_BYTES] * 4, seconds)) for name in ("video", "audio")]

    async def read() -> None:
        for _ in range(3):
            for reader in readers:
                await reader.segment()
                await reader.read()
            await asyncio.sleep(0.01)
            requested.append(len(source.requested))
            if asked:
                prefetcher.read_ahead()
        for reader in readers:
            await read_all(reader)

    run_job(prefetcher, read)
    assert source.requested[:2] == ["video/0/3000", "audio/0/3000"]
    return requested


def test_what_is_not_read_yet_waits_until_two_segments_have_been_read_or_it_is_asked_for() -> None:
    assert requested_without_reading_ahead(SOON_SECONDS) == [2, 4, 8]
    assert requested_without_reading_ahead(SOON_SECONDS, asked=True) == [2, 8, 8]


def test_short_segments_that_begin_soon_are_requested_with_the_second() -> None:
    assert requested_without_reading_ahead(SOON_SECONDS / 2 - 0.01) == [2, 8, 8]
    assert requested_without_reading_ahead(SOON_SECONDS / 2) == [2, 6, 8]


def test_a_track_of_one_segment_holds_the_other_up_no_longer_than_that_takes() -> None:
    source = FakeFetcher()
    prefetcher = Prefetcher(source.fetch, budget_bytes=1000 * CHUNK_BYTES, connections=6, reads_ahead=False)
    readers = [prefetcher.add_track(track(name, [CHUNK_BYTES] * count)) for name, count in (("video", 6), ("audio", 1))]

    async def read() -> None:
        await read_all(readers[1])
        for _ in range(3):
            await readers[0].segment()
            await readers[0].read()
        await asyncio.sleep(0.01)
        assert len(source.requested) == 7
        await read_all(readers[0])

    run_job(prefetcher, read)


def test_tracks_read_in_lockstep_do_not_wait_for_each_other() -> None:
    source = FakeFetcher()
    prefetcher = Prefetcher(source.fetch, budget_bytes=4 * CHUNK_BYTES, connections=2)
    video = prefetcher.add_track(track("video", [20 * CHUNK_BYTES] * 4))
    audio = prefetcher.add_track(track("audio", [20 * CHUNK_BYTES] * 4))

    async def alternately() -> None:
        for _ in range(4):
            await video.segment()
            await audio.segment()
            left = [20 * CHUNK_BYTES, 20 * CHUNK_BYTES]
            while any(left):
                left[0] -= len(await video.read())
                left[1] -= len(await audio.read())

    run_job(prefetcher, alternately)
    assert source.pushed == 160 * CHUNK_BYTES


@pytest.mark.parametrize(
    "lengths", [[5], [3 * READ_BYTES], [CHECKED_READ_BYTES - 1], [CHECKED_READ_BYTES], [CHECKED_READ_BYTES, 1], [CHECKED_READ_BYTES] * 2]
)
def test_what_was_checked_as_a_whole_is_read_in_long_pieces(lengths: list[int]) -> None:
    source = FakeFetcher()
    prefetcher = Prefetcher(source.fetch, budget_bytes=4 * CHECKED_READ_BYTES, connections=2)
    segments = track("video", [10, sum(lengths)])

    async def accept(segment: Segment, body: bytes) -> bool:
        return body == content(segment)

    reader = prefetcher.add_track(segments, check=accept)
    pieces: list[bytes] = []

    async def read() -> None:
        await reader.segment()
        await reader.segment()
        while piece := await reader.read():
            pieces.append(piece)

    run_job(prefetcher, read)
    assert list(map(len, pieces)) == lengths
    assert b"".join(pieces) == content(segments[1])
    assert len(source.requested) == 2


def test_chunks_that_have_arrived_are_read_together() -> None:
    most = READ_BYTES // CHUNK_BYTES
    source = FakeFetcher()
    prefetcher = Prefetcher(source.fetch, budget_bytes=8 * most * CHUNK_BYTES, connections=2)
    reader = prefetcher.add_track(track("video", [(3 * most + 5) * CHUNK_BYTES]))
    lengths: list[int] = []

    async def read_late() -> None:
        await source.first_pushed.wait()
        await reader.segment()
        while chunk := await reader.read():
            lengths.append(len(chunk))

    run_job(prefetcher, read_late)
    assert lengths == [most * CHUNK_BYTES] * 3 + [5 * CHUNK_BYTES]


def test_one_track_may_be_read_long_before_the_other() -> None:
    prefetcher = Prefetcher(FakeFetcher().fetch, budget_bytes=3 * CHUNK_BYTES, connections=1)
    video = prefetcher.add_track(track("video", [5 * CHUNK_BYTES] * 3))
    audio = prefetcher.add_track(track("audio", [5 * CHUNK_BYTES] * 3))

    async def one_after_the_other() -> None:
        assert len(await read_all(audio)) == 3
        assert len(await read_all(video)) == 3

    run_job(prefetcher, one_after_the_other)


def test_segments_are_fetched_in_playing_order() -> None:
    source = FakeFetcher()
    prefetcher = Prefetcher(source.fetch, budget_bytes=1000 * CHUNK_BYTES, connections=1)
    readers = [
        prefetcher.add_track(track("video", [1, 2], 4.0)),
        prefetcher.add_track(track("audio", [3, 4, 5], 2.0)),
        prefetcher.add_track(track("later", [6]), period_start=8.0),
    ]
    assert len(readers) == 3
    run_job(prefetcher)
    assert source.requested == ["video/0/1", "audio/0/3", "audio/1/4", "video/1/2", "audio/2/5", "later/0/6"]


def test_fetching_stops_while_nobody_reads() -> None:
    source = FakeFetcher()
    prefetcher = Prefetcher(source.fetch, budget_bytes=50 * CHUNK_BYTES, connections=6)
    reader = prefetcher.add_track(track("video", [10 * CHUNK_BYTES] * 20))

    async def main() -> None:
        async with TaskGroup() as tasks:
            task = tasks.create_task(prefetcher.run())
            await reader.segment()
            for _ in range(300):
                await asyncio.sleep(0)
            # Only complete segments: no origin is left in the middle of a response.
            assert source.pushed == 50 * CHUNK_BYTES
            assert source.active == 0
            task.cancel()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_a_segment_may_be_longer_than_the_budget() -> None:
    source = FakeFetcher()
    prefetcher = Prefetcher(source.fetch, budget_bytes=5 * CHUNK_BYTES, connections=4)
    reader = prefetcher.add_track(track("video", [500 * CHUNK_BYTES, 10]))
    lengths: list[int] = []

    async def read() -> None:
        lengths.extend(len(data) for _, data in await read_all(reader))

    run_job(prefetcher, read)
    assert lengths == [500 * CHUNK_BYTES, 10]
    assert prefetcher.peak_used <= 6 * CHUNK_BYTES


def test_the_rest_of_a_segment_may_be_left_unread() -> None:
    prefetcher = Prefetcher(FakeFetcher().fetch, budget_bytes=5 * CHUNK_BYTES, connections=4)
    reader = prefetcher.add_track(track("video", [20 * CHUNK_BYTES, 7]))

    async def read() -> None:
        await reader.segment()
        await reader.read()
        segment = await reader.segment()
        assert segment is not None
        assert await reader.read() == content(segment)
        assert await reader.read() == b""
        assert await reader.segment() is None
        assert await reader.read() == b""

    run_job(prefetcher, read)


Damage = Callable[[Segment], bytes]
"""Returns what is sent in place of a segment."""


def zeros(segment: Segment) -> bytes:
    return bytes(len(content(segment)))


def zeros_but_for_the_first(segment: Segment) -> bytes:
    return content(segment) if "/0/" in segment.url else zeros(segment)


def half(segment: Segment) -> bytes:
    return content(segment)[: len(content(segment)) // 2]


class FlakyFetcher(FakeFetcher):
    """Pushes something else instead of a segment's bytes, for the first requests of each segment."""

    def __init__(self, bad: int, damage: Damage) -> None:
        super().__init__()
        self._bad = bad
        self._damage = damage
        self.again: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        """By URL: set when a segment is requested again."""

    async def fetch(self, segment: Segment, sink: ByteSink) -> None:
        if segment.url in self.requested:
            self.again[segment.url].set()
        if self.requested.count(segment.url) >= self._bad:
            await super().fetch(segment, sink)
            return
        self.requested.append(segment.url)
        body = self._damage(segment)
        for at in range(0, len(body), CHUNK_BYTES):
            await asyncio.sleep(0)
            await sink(body[at : at + CHUNK_BYTES])


def read_from_flaky_fetcher(
    lengths: Sequence[int], *, bad: int, budget: int, damage: Damage = zeros
) -> tuple[list[bytes], list[int], Prefetcher]:
    """Read a track with a check; return the bytes of each segment, how often each was requested, and the prefetcher."""
    source = FlakyFetcher(bad, damage)
    prefetcher = Prefetcher(source.fetch, budget_bytes=budget, connections=3)
    segments = track("video", lengths)
    reader, found = prefetcher.add_track(segments, check=is_right), []

    async def read() -> None:
        found.extend([data for _, data in await read_all(reader)])

    run_job(prefetcher, read)
    return found, [source.requested.count(segment.url) for segment in segments], prefetcher


def test_a_segment_that_the_check_does_not_accept_is_fetched_again() -> None:
    lengths = [5 * CHUNK_BYTES + 7] * 6
    found, requests, _ = read_from_flaky_fetcher(lengths, bad=2, budget=100 * CHUNK_BYTES, damage=zeros_but_for_the_first)
    assert found == [content(segment) for segment in track("video", lengths)]
    assert requests == [1, 3, 3, 3, 3, 3]


@pytest.mark.parametrize("budget", [12, 100])
def test_the_first_segment_is_read_as_it_arrives_and_continued_by_another_body(budget: int) -> None:
    lengths = [5 * CHUNK_BYTES + 7] * 4
    found, requests, prefetcher = read_from_flaky_fetcher(lengths, bad=2, budget=budget * CHUNK_BYTES, damage=half)
    assert found == [content(segment) for segment in track("video", lengths)]
    assert requests == [3, 3, 3, 3]
    assert prefetcher.peak_used <= (budget + 3) * CHUNK_BYTES


def test_what_has_been_read_of_the_first_segment_cannot_be_taken_back() -> None:
    with pytest.raises(DamagedMediaError, match="something else"):
        read_from_flaky_fetcher([5 * CHUNK_BYTES] * 3, bad=1, budget=100 * CHUNK_BYTES)


def test_a_segment_that_is_never_accepted_is_passed_on() -> None:
    """What reads it says what is wrong with it."""
    found, requests, _ = read_from_flaky_fetcher([CHUNK_BYTES] * 3, bad=9, budget=100 * CHUNK_BYTES)
    assert found == [bytes(CHUNK_BYTES)] * 3
    assert requests == [MAX_FETCHES] * 3


def test_nothing_is_undoubted_while_a_segment_is_fetched_again() -> None:
    source = FlakyFetcher(2, half)
    prefetcher = Prefetcher(source.fetch, budget_bytes=100 * CHUNK_BYTES, connections=3)
    segments = track("video", [5 * CHUNK_BYTES])
    reader = prefetcher.add_track(segments, check=is_right)

    async def read() -> None:
        await prefetcher.undoubted()  # nothing has arrived
        await source.again[segments[0].url].wait()
        await prefetcher.undoubted()
        assert len(source.requested) == MAX_FETCHES
        assert len(await read_all(reader)) == 1

    run_job(prefetcher, read)


def test_a_doubt_ends_where_the_budget_leaves_no_room_for_the_right_body() -> None:
    """Who waits for the end of all doubts may be the one that has to make room."""
    source = FlakyFetcher(1, half)
    prefetcher = Prefetcher(source.fetch, budget_bytes=12 * CHUNK_BYTES, connections=3)
    segments = track("video", [CHUNK_BYTES, 16 * CHUNK_BYTES, CHUNK_BYTES])
    reader = prefetcher.add_track(segments, check=is_right)

    async def read() -> None:
        await source.again[segments[1].url].wait()
        await prefetcher.undoubted()
        assert [data for _, data in await read_all(reader)] == list(map(content, segments))

    run_job(prefetcher, read)


def test_a_segment_that_does_not_fit_is_read_as_it_arrives() -> None:
    lengths = [30 * CHUNK_BYTES] * 4
    found, _, prefetcher = read_from_flaky_fetcher(lengths, bad=0, budget=10 * CHUNK_BYTES)
    assert found == [content(segment) for segment in track("video", lengths)]
    assert prefetcher.peak_used <= 12 * CHUNK_BYTES
