"""Fetches the segments of all tracks, and has a check look at them before they are read."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from transcoder.core.hls.plan import Segment
from transcoder.edge.prefetch.parallelism import Parallelism
from transcoder.edge.prefetch.read_ahead import ReadAhead
from transcoder.edge.prefetch.track_reader import Check, SegmentBuffer, TrackReader
from transcoder.edge.resource_name import resource_name
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import ChangedFileError, DamagedMediaError, MisplacedMediaError, single_error

ByteSink = Callable[[bytes], Awaitable[None]]
Fetch = Callable[[Segment, ByteSink], Awaitable[None]]
"""Pushes a segment's bytes into the sink as they arrive, and returns after it has pushed them all."""
MAX_FETCHES = 3
"""How often a segment is fetched that the check does not accept; the last body is passed on, whatever it is."""


class Prefetcher:
    """Fetches the media of all tracks, and keeps the bytes that are not yet read within a budget.

    A segment is requested when the budget has room for one as long as the longest so far; the first one is fetched alone. So there is room
    for everything that has been requested, and when nobody reads, origins soon have nothing more to send. The segments that are being read
    are an exception, because tracks that are read together would otherwise wait for each other: they are requested at once, and a chunk of
    each is accepted whenever its reader has nothing to read.

    With a check, a segment other than a track's first is read only after all of it has arrived, and is fetched again while the check does
    not accept it. One that does not fit into the budget is read as it arrives, without a check. A track's first segment is read as it
    arrives, too, and checked when it is there: another body takes its place if it begins with what has been read.

    What is read ahead can be put off, as `ReadAhead` says.
    """

    def __init__(self, fetch: Fetch, *, budget_bytes: int, connections: int, reads_ahead: bool = True) -> None:
        """Fetch with `fetch`: at most `connections` segments at once besides those being read, and at most `budget_bytes` unread.

        It begins with fewer than `connections`, and comes to them where the wait for responses takes the time.

        With `reads_ahead=False`, call `read_ahead` when the time has come for it.
        """
        self._fetch = fetch
        self._budget = budget_bytes
        self._parallelism = Parallelism(connections)
        self._readers: list[TrackReader] = []
        self._ahead = ReadAhead(self._readers, has_begun=reads_ahead)
        self._active_fetches = 0
        self._used = 0
        self.peak_used = 0
        """The most bytes of the budget that were ever in use: unread, or reserved."""
        self._changed = asyncio.Event()
        """Set whenever the next segment or chunk may have become possible."""
        self._doubted: set[SegmentBuffer] = set()
        """Segments that have arrived, and are not accepted yet."""
        self._undoubted = asyncio.Event()
        self._undoubted.set()

    def add_track(self, segments: Sequence[Segment], *, period_start: float = 0.0, check: Check | None = None) -> TrackReader:
        """Add a track whose period begins at `period_start` seconds, with a check of its segments; call it for all tracks before `run`."""
        reader = TrackReader(segments, period_start, check=check, changed=self._changed, release=self._release)
        self._readers.append(reader)
        return reader

    def read_ahead(self) -> None:
        """Fetch from now on what is not being read yet, too."""
        self._ahead.begin()
        self._changed.set()

    async def run(self) -> None:
        """Fetch everything; returns after all of it has arrived. Run it in the task group in which the readers are read.

        Raises:
            Exception: what `fetch` raised first, at once, however far ahead the segment is: the output can no longer become whole.
        """
        with single_error():
            async with TaskGroup() as tasks:
                while (buffer := await self._next()) is not None:
                    tasks.create_task(self._fill(buffer))

    async def _next(self) -> SegmentBuffer | None:
        """Wait until a segment may be requested, and reserve its part of the budget; None after the last one."""
        while True:
            room = self._budget - self._used
            for reader in self._readers:
                if reader.current is not None and not reader.current.started:
                    return self._reserve(reader.current, max(0, room))
            waiting = [(reader.period_start + segment.at, reader, segment) for reader in self._readers if (segment := reader.following)]
            if not waiting:
                return None
            # Where segments of two tracks start at the same time, the track that was added first goes first.
            _, reader, segment = min(waiting, key=lambda each: each[0])
            enough = self._expected_bytes(segment, reader) or self._budget // 2
            may_begin = self._active_fetches < self._parallelism.allowed and room >= enough
            if may_begin and self._ahead.is_due(segment, reader):
                return self._reserve(reader.expect(), room)
            await self._wait_for_change()

    def _reserve(self, buffer: SegmentBuffer, room: int) -> SegmentBuffer:
        buffer.started = True
        buffer.reserved = min(self._expected_bytes(buffer.segment, buffer.reader) or room, room)
        self._use(buffer.reserved)
        self._active_fetches += 1
        return buffer

    def _expected_bytes(self, segment: Segment, reader: TrackReader) -> int:
        """Return the expected length of a segment, at most the whole budget; 0 where nothing is known."""
        if segment.range is not None:
            return min(segment.range.length, self._budget)
        # A later period's tracks are expected to resemble those of earlier periods, not other tracks of the same period: the length of
        # audio segments says nothing about that of video segments.
        known = (other.longest_segment_bytes for other in self._readers if other is reader or other.period_start < reader.period_start)
        return min(max(known), self._budget)

    async def undoubted(self) -> None:
        """Wait until no segment is in doubt: of those that have arrived, each is accepted, or was fetched as often as it may be."""
        await self._undoubted.wait()

    async def fetch_again(self, segment: Segment) -> bytes:
        """Fetch a segment beside the others; no more of it than the budget, which it does not use, is kept."""
        chunks: list[bytes] = []
        room = self._budget

        async def append(chunk: bytes) -> None:
            nonlocal room
            room -= len(chunk)
            if room >= 0:
                chunks.append(chunk)

        await self._fetch(segment, append)
        return b"".join(chunks)

    async def _fill(self, buffer: SegmentBuffer) -> None:
        """Fetch one segment into its buffer."""
        clock = asyncio.get_running_loop().time
        requested, first_byte = clock(), None

        async def append(chunk: bytes) -> None:
            nonlocal first_byte
            first_byte = clock() if first_byte is None else first_byte
            from_reserved = min(buffer.reserved, len(chunk))
            buffer.reserved -= from_reserved
            await self._wait_for_room(buffer, len(chunk) - from_reserved)
            buffer.append(chunk)
            if buffer.body is not None and buffer.length > self._budget:
                buffer.body = None

        check = buffer.reader.check
        if check is not None and buffer.held:
            await self._fetch_held(buffer, check, append)
        else:
            await self._fetch(buffer.segment, append)
            await self._check_kept(buffer)
        self._settle(buffer)
        if first_byte is not None:
            self._parallelism.learn(head_seconds=first_byte - requested, body_seconds=clock() - first_byte)
        buffer.complete = True
        buffer.arrived.set()
        buffer.reader.longest_segment_bytes = max(buffer.reader.longest_segment_bytes, buffer.length)
        self._active_fetches -= 1
        self._release(buffer.reserved)
        buffer.reserved = 0

    async def _fetch_held(self, buffer: SegmentBuffer, check: Check, append: ByteSink) -> None:
        """Fetch a segment of which nothing is read, until the check accepts it; the last body is passed on, whatever it is.

        Raises:
            DamagedMediaError: the origin changes it while it is fetched.

        """
        for fetches_left in reversed(range(MAX_FETCHES)):
            try:
                await self._fetch(buffer.segment, append)
            except DamagedMediaError as error:
                if isinstance(error, ChangedFileError) or not (buffer.held and fetches_left):
                    raise
            else:
                self._doubt(buffer)
                if not buffer.held or await check(buffer.segment, buffer.joined()) or not fetches_left:
                    return
            buffer.reserved += buffer.length
            buffer.clear()

    async def _check_kept(self, buffer: SegmentBuffer) -> None:
        """Fetch a segment again that has been read as it arrived, while the check does not accept it, and continue with what it accepts.

        Raises:
            DamagedMediaError: it accepts a body that does not begin with what has been read.

        """
        check, body = buffer.reader.check, buffer.body
        if check is None or body is None:
            return
        self._doubt(buffer)
        if not await check(buffer.segment, b"".join(body)):
            for _ in range(MAX_FETCHES - 1):
                other = await self.fetch_again(buffer.segment)
                if await check(buffer.segment, other):
                    self._replace(buffer, other)
                    break
        buffer.body = None

    def _replace(self, buffer: SegmentBuffer, body: bytes) -> None:
        """Continue a segment with another body.

        Raises:
            DamagedMediaError: it does not begin with what has been read.

        """
        unread = buffer.unread
        if not buffer.continue_with(body):
            name = resource_name(buffer.segment.url)
            raise MisplacedMediaError(f"{name}: the origin sent something else in place of this segment when it was asked again.")
        self._use(buffer.unread - unread)

    def _doubt(self, buffer: SegmentBuffer) -> None:
        """Have `undoubted` wait until the doubt about a segment is settled."""
        self._doubted.add(buffer)
        self._undoubted.clear()

    def _settle(self, buffer: SegmentBuffer) -> None:
        """End the doubt about a segment, if there is one."""
        self._doubted.discard(buffer)
        if not self._doubted:
            self._undoubted.set()

    async def _wait_for_room(self, buffer: SegmentBuffer, count: int) -> None:
        """Wait until the budget has room for `count` more bytes, or the segment's reader has nothing else to read; then use them."""
        while count and self._used + count > self._budget and (buffer.reader.current is not buffer or buffer.chunks):
            if buffer.reader.current is buffer and buffer.held:
                buffer.held = False
                buffer.arrived.set()
            self._settle(buffer)  # who waits for this may be the reader that has to make room
            await self._wait_for_change()
        self._use(count)

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _use(self, count: int) -> None:
        self._used += count
        self.peak_used = max(self.peak_used, self._used)

    def _release(self, count: int) -> None:
        """Return so many bytes to the budget."""
        self._used -= count
        self._changed.set()
