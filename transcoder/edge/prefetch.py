"""Media that is fetched before it is read: in playing order, several requests at once, within a budget of bytes."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from transcoder.core.hls.plan import Segment
from transcoder.errors import single_error

READ_BYTES = 64 * 1024
"""Chunks that have arrived are joined up to this length in one read."""

ByteSink = Callable[[bytes], Awaitable[None]]
Fetch = Callable[[Segment, ByteSink], Awaitable[None]]
"""Pushes a segment's bytes into the sink as they arrive, and returns after it has pushed them all."""
Check = Callable[[Segment, Sequence[bytes]], Awaitable[bool]]
"""Returns whether a segment, given as all of its chunks, is undamaged as far as that can be seen without what is before it."""
MAX_FETCHES = 3
"""How often a segment is fetched that the check does not accept; the last body is passed on, whatever it is."""


class _SegmentBuffer:
    """One segment: its bytes that have arrived and are not yet read."""

    __slots__ = ("arrived", "chunks", "complete", "held", "reader", "reserved", "segment", "start_seconds", "started")

    def __init__(self, segment: Segment, reader: "TrackReader", start_seconds: float, *, held: bool) -> None:
        self.segment = segment
        self.reader = reader
        self.start_seconds = start_seconds
        """When the segment starts, over all periods."""
        self.chunks: deque[bytes] = deque()
        self.arrived = asyncio.Event()
        """Set when a chunk has arrived, or the segment is complete."""
        self.reserved = 0
        """Bytes of the budget that are reserved for it, but have not arrived."""
        self.started = False
        self.complete = False
        self.held = held
        """None of it is read before all of it has been checked."""


class TrackReader:
    """The bytes of one track, segment by segment, for one task to read."""

    def __init__(self, prefetcher: "Prefetcher", segments: Sequence[Segment], period_start: float, *, check: Check | None) -> None:
        """Use `Prefetcher.add_track` instead."""
        self._prefetcher = prefetcher
        self.check = check
        self.period_start = period_start
        # The first segment is read as it arrives, so that the output does not begin later.
        held = check is not None
        self.buffers = deque(
            _SegmentBuffer(segment, self, period_start + segment.at, held=held and index > 0) for index, segment in enumerate(segments)
        )
        self.current: _SegmentBuffer | None = None
        """The segment that is being read."""
        self.longest_segment_bytes = 0
        """Length of the track's longest segment so far; the next ones are expected not to exceed it."""

    async def segment(self) -> Segment | None:
        """Begin the next segment, whether or not the one before was read to its end; None after the last one."""
        while self.current is not None and await self.read():
            continue
        self.current = self.buffers.popleft() if self.buffers else None
        self._prefetcher.changed.set()
        return None if self.current is None else self.current.segment

    async def read(self) -> bytes:
        """Return the segment's next bytes as soon as some have arrived: at most 64 KiB, or one longer chunk; b"" at its end."""
        buffer = self.current
        if buffer is None:
            return b""
        while not buffer.complete and (buffer.held or not buffer.chunks):
            buffer.arrived.clear()
            # Its fetch may be waiting for this: a reader with nothing left to read gets a chunk beyond the budget.
            self._prefetcher.changed.set()
            await buffer.arrived.wait()
        if not buffer.chunks:
            return b""
        # TLS delivers 16 KiB at a time, and the steps after a read cost more per chunk than per byte.
        chunks = [buffer.chunks.popleft()]
        length = len(chunks[0])
        while buffer.chunks and length + len(buffer.chunks[0]) <= READ_BYTES:
            length += len(buffer.chunks[0])
            chunks.append(buffer.chunks.popleft())
        self._prefetcher.release(length)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class Prefetcher:
    """Fetches the media of all tracks, and keeps the bytes that are not yet read within a budget.

    A segment is requested when the budget has room for one as long as the longest so far; the first one is fetched alone. So there is room
    for everything that has been requested, and when nobody reads, origins soon have nothing more to send. The segments that are being read
    are an exception, because tracks that are read together would otherwise wait for each other: they are requested at once, and a chunk of
    each is accepted whenever its reader has nothing to read.

    With a check, a segment other than a track's first is read only after all of it has arrived, and is fetched again while the check does
    not accept it. One that does not fit into the budget is read as it arrives, without a check.
    """

    def __init__(self, fetch: Fetch, *, budget_bytes: int, connections: int) -> None:
        """Fetch with `fetch`: at most `connections` segments at once besides those being read, and at most `budget_bytes` unread."""
        self._fetch = fetch
        self._budget = budget_bytes
        self._connections = connections
        self._readers: list[TrackReader] = []
        self._buffers: list[_SegmentBuffer] = []
        self._active_fetches = 0
        self._used = 0
        self.peak_used = 0
        """The most bytes of the budget that were ever in use: unread, or reserved."""
        self.changed = asyncio.Event()
        """Set whenever the next segment or chunk may have become possible."""

    def add_track(self, segments: Sequence[Segment], *, period_start: float = 0.0, check: Check | None = None) -> TrackReader:
        """Add a track whose period begins at `period_start` seconds, with a check of its segments; call it for all tracks before `run`."""
        reader = TrackReader(self, segments, period_start, check=check)
        self._readers.append(reader)
        self._buffers.extend(reader.buffers)
        return reader

    async def run(self) -> None:
        """Fetch everything; returns after all of it has arrived. Run it in the task group in which the readers are read.

        Raises:
            Exception: what `fetch` raised first, at once, however far ahead the segment is: the output can no longer become whole.
        """
        # The sort is stable: where segments of two tracks start at the same time, the track that was added first goes first.
        waiting = deque(sorted(self._buffers, key=lambda buffer: buffer.start_seconds))
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                while waiting:
                    tasks.create_task(self._fill(await self._next(waiting)))

    async def _next(self, waiting: deque[_SegmentBuffer]) -> _SegmentBuffer:
        """Wait until a segment may be requested, remove it from `waiting`, and reserve its part of the budget."""
        while True:
            room = self._budget - self._used
            for reader in self._readers:
                if reader.current is not None and not reader.current.started:
                    waiting.remove(reader.current)
                    return self._reserve(reader.current, max(0, room))
            expected = self._expected_bytes(waiting[0])
            if self._active_fetches < self._connections and room >= (expected or self._budget // 2):
                return self._reserve(waiting.popleft(), room)
            await self._wait_for_change()

    def _reserve(self, buffer: _SegmentBuffer, room: int) -> _SegmentBuffer:
        buffer.started = True
        buffer.reserved = min(self._expected_bytes(buffer) or room, room)
        self._use(buffer.reserved)
        self._active_fetches += 1
        return buffer

    def _expected_bytes(self, buffer: _SegmentBuffer) -> int:
        """Return the expected length of a segment, at most the whole budget; 0 where nothing is known."""
        if buffer.segment.range is not None:
            return min(buffer.segment.range.length, self._budget)
        # A later period's tracks are expected to resemble those of earlier periods, not other tracks of the same period: the length of
        # audio segments says nothing about that of video segments.
        reader = buffer.reader
        known = (other.longest_segment_bytes for other in self._readers if other is reader or other.period_start < reader.period_start)
        return min(max(known), self._budget)

    async def _fill(self, buffer: _SegmentBuffer) -> None:
        """Fetch one segment into its buffer."""
        length = 0

        async def append(chunk: bytes) -> None:
            nonlocal length
            length += len(chunk)
            from_reserved = min(buffer.reserved, len(chunk))
            buffer.reserved -= from_reserved
            await self._wait_for_room(buffer, len(chunk) - from_reserved)
            buffer.chunks.append(chunk)
            buffer.arrived.set()

        await self._fetch(buffer.segment, append)
        for _ in range(MAX_FETCHES - 1):
            if await self._accepts(buffer):
                break
            buffer.reserved += length
            buffer.chunks.clear()
            length = 0
            await self._fetch(buffer.segment, append)
        buffer.complete = True
        buffer.arrived.set()
        buffer.reader.longest_segment_bytes = max(buffer.reader.longest_segment_bytes, length)
        self._active_fetches -= 1
        self.release(buffer.reserved)
        buffer.reserved = 0

    async def _accepts(self, buffer: _SegmentBuffer) -> bool:
        """Return whether a segment is passed on: the check accepts it, or it has been read already."""
        check = buffer.reader.check
        return check is None or not buffer.held or await check(buffer.segment, tuple(buffer.chunks))

    async def _wait_for_room(self, buffer: _SegmentBuffer, count: int) -> None:
        """Wait until the budget has room for `count` more bytes, or the segment's reader has nothing else to read; then use them."""
        while count and self._used + count > self._budget and (buffer.reader.current is not buffer or buffer.chunks):
            if buffer.reader.current is buffer and buffer.held:
                buffer.held = False
                buffer.arrived.set()
            await self._wait_for_change()
        self._use(count)

    async def _wait_for_change(self) -> None:
        self.changed.clear()
        await self.changed.wait()

    def _use(self, count: int) -> None:
        self._used += count
        self.peak_used = max(self.peak_used, self._used)

    def release(self, count: int) -> None:
        """Return so many bytes to the budget."""
        self._used -= count
        self.changed.set()
