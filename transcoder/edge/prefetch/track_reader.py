"""The reading end of a prefetched track: the bytes of each segment that have arrived and are not yet read."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from transcoder.core.hls.plan import Segment

READ_BYTES = 96 * 1024
"""Chunks that have arrived are joined up to this length in one read."""
CHECKED_READ_BYTES = 2 * 1024 * 1024
"""What has been checked as a whole is returned in pieces of this length: its bytes are there already, and each piece has its steps."""
_SHORT_BYTES = 1024
"""Chunks are joined up to this length when they arrive."""

Check = Callable[[Segment, bytes], Awaitable[bool]]
"""Returns whether a segment, given with its whole body, is undamaged as far as that can be seen without what is before it."""


class SegmentBuffer:
    """One segment: its bytes that have arrived and are not yet read."""

    def __init__(self, segment: Segment, reader: "TrackReader", *, is_first: bool, checked: bool) -> None:
        """Begin with nothing. The first segment of a track is read as it arrives, so that the output does not begin later."""
        self.segment = segment
        self.reader = reader
        self.length = 0
        """How many bytes of it have arrived."""
        self.reserved = 0
        """Bytes of the budget that are reserved for it, but have not arrived."""
        self.chunks: deque[bytes] = deque()
        """What has arrived and is not yet read."""
        self.arrived = asyncio.Event()
        """Set when a chunk has arrived, or the segment is complete."""
        self.started = False
        self.complete = False
        self.held = checked and not is_first
        """None of it is read before all of it has been checked."""
        self.body: list[bytes] | None = [] if checked and is_first else None
        """All chunks that have arrived, whether or not they have been read."""

    @property
    def unread(self) -> int:
        """How many of the bytes that have arrived are not yet read."""
        return sum(map(len, self.chunks))

    def append(self, chunk: bytes) -> None:
        """Add bytes that have arrived."""
        self.length += len(chunk)
        _append_joined(self.chunks, chunk)
        if self.body is not None:
            _append_joined(self.body, chunk)
        self.arrived.set()

    def clear(self) -> None:
        """Drop all bytes; none of them was read."""
        self.length = 0
        self.chunks.clear()

    def joined(self) -> bytes:
        """Return the whole body, from which nothing has been read, and keep it in longer chunks."""
        body = b"".join(self.chunks)
        if len(body) <= CHECKED_READ_BYTES:
            self.chunks = deque((body,) if body else ())
        else:
            self.chunks = deque(body[at : at + CHECKED_READ_BYTES] for at in range(0, len(body), CHECKED_READ_BYTES))
        return body

    def continue_with(self, body: bytes) -> bool:
        """Continue with another body of the same segment; return False if the bytes that have been read are not its beginning."""
        read = b"".join(self.body or ())[: self.length - self.unread]
        if not body.startswith(read):
            return False
        self.length = len(body)
        self.chunks = deque([body[len(read) :]] if len(body) > len(read) else ())
        return True


def _append_joined(chunks: deque[bytes] | list[bytes], chunk: bytes) -> None:
    """Append a chunk, joined with the last one if both are short: each one in memory takes more than its bytes."""
    if chunks and len(chunks[-1]) + len(chunk) <= _SHORT_BYTES:
        chunks[-1] += chunk
    else:
        chunks.append(chunk)


class TrackReader:
    """The bytes of one track, segment by segment, for one task to read."""

    def __init__(
        self,
        segments: Sequence[Segment],
        period_start: float,
        *,
        check: Check | None,
        changed: asyncio.Event,
        release: Callable[[int], None],
    ) -> None:
        """Use `Prefetcher.add_track` instead."""
        self.check = check
        self.period_start = period_start
        self._changed = changed
        self._release = release
        self._segments = segments
        self._end = len(segments)
        self._next = 0
        """The index of the first segment without a buffer: most of a long playlist never have one at the same time."""
        self._buffers: deque[SegmentBuffer] = deque()
        """Segments that are requested, or are to be next, and are not begun."""
        self.current: SegmentBuffer | None = None
        """The segment that is being read."""
        self.begun = 0
        """How many segments have been begun."""
        self.longest_segment_bytes = 0
        """Length of the track's longest segment so far; the next ones are expected not to exceed it."""

    async def skip_while_kept(self) -> None:
        """Skip the rest of a segment that is read as it arrives, up to the end of its check if there is one."""
        while self.current is not None and self.current.body is not None and await self.read():
            continue

    def leave_out_last(self, count: int) -> None:
        """Leave out so many segments at the end, none of which may have been requested."""
        self._end -= count

    def has_read(self, count: int) -> bool:
        """Whether its first `count` segments have been read, or all of them if there are fewer."""
        return self.begun > min(count, self._end)

    @property
    def following(self) -> Segment | None:
        """The next segment to request; None if all are requested."""
        return self._segments[self._next] if self._next < self._end else None

    @property
    def is_unrequested(self) -> bool:
        """Whether not even its first segment is requested."""
        return self._next == 0

    def expect(self) -> SegmentBuffer:
        """Return a buffer for the next segment to request."""
        buffer = SegmentBuffer(self._segments[self._next], self, is_first=self._next == 0, checked=self.check is not None)
        self._next += 1
        self._buffers.append(buffer)
        return buffer

    async def segment(self) -> Segment | None:
        """Begin the next segment, whether or not the one before was read to its end; None after the last one."""
        while self.current is not None and await self.read():
            continue
        if not self._buffers and self.following is not None:
            self.expect()
        self.current = self._buffers.popleft() if self._buffers else None
        self.begun += 1
        self._changed.set()
        return None if self.current is None else self.current.segment

    async def arrived(self) -> None:
        """Wait until some of the segment's next bytes can be read, or it has ended."""
        buffer = self.current
        while buffer and not buffer.complete and (buffer.held or not buffer.chunks):
            buffer.arrived.clear()
            # Its fetch may be waiting for this: a reader with nothing left to read gets a chunk beyond the budget.
            self._changed.set()
            await buffer.arrived.wait()

    async def read(self) -> bytes:
        """Return the segment's next bytes as soon as some have arrived: at most 96 KiB, or one longer chunk; b"" at its end.

        A segment that has been checked as a whole has chunks of up to 2 MiB.
        """
        await self.arrived()
        buffer = self.current
        if buffer is None or not buffer.chunks:
            return b""
        # TLS delivers 16 KiB at a time, and the steps after a read cost more per chunk than per byte.
        chunks = [buffer.chunks.popleft()]
        length = len(chunks[0])
        while buffer.chunks and length + len(buffer.chunks[0]) <= READ_BYTES:
            length += len(buffer.chunks[0])
            chunks.append(buffer.chunks.popleft())
        self._release(length)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
