"""Media fetched ahead of its reader: in playing order, several requests at once, within a budget of bytes."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from transcoder.core.hls.plan import Segment
from transcoder.errors import single_error

READ_BYTES = 64 * 1024
"""Pieces that lie ready are read together up to this length."""

Into = Callable[[bytes], Awaitable[None]]
Fetch = Callable[[Segment, Into], Awaitable[None]]
"""Pushes a segment's bytes as they arrive, and returns once it has pushed them all."""


class _Slot:
    """One segment on its way."""

    __slots__ = ("arrived", "at", "pieces", "reader", "reserved", "segment", "started", "whole")

    def __init__(self, segment: Segment, reader: "Reader", at: float) -> None:
        self.segment = segment
        self.reader = reader
        self.at = at
        self.pieces: deque[bytes] = deque()
        self.arrived = asyncio.Event()
        self.reserved = 0
        """Bytes of the budget that are kept for it, but have not come."""
        self.started = False
        self.whole = False


class Reader:
    """One track's bytes, segment after segment, for one task to read."""

    def __init__(self, ahead: "Prefetcher", segments: Sequence[Segment], begins: float) -> None:
        """Use `Prefetcher.track` instead."""
        self._ahead = ahead
        self.begins = begins
        self.slots = deque(_Slot(segment, self, begins + segment.at) for segment in segments)
        self.current: _Slot | None = None
        """The one that is being read."""
        self.longest = 0
        """Bytes of the track's longest segment so far: what the next ones are expected to have at most."""

    async def segment(self) -> Segment | None:
        """Begin the next segment, whether or not the one before was read to its end; None after the last one."""
        while self.current is not None and await self.read():
            continue
        self.current = self.slots.popleft() if self.slots else None
        self._ahead.changed.set()
        return None if self.current is None else self.current.segment

    async def read(self) -> bytes:
        """Return the segment's next bytes as soon as there are some, at most 64 KiB or one piece as it came; b"" at its end."""
        slot = self.current
        if slot is None:
            return b""
        while not slot.pieces and not slot.whole:
            slot.arrived.clear()
            # Its fetching may be waiting for just this: that nothing is left to read.
            self._ahead.changed.set()
            await slot.arrived.wait()
        if not slot.pieces:
            return b""
        # TLS brings 16 KiB at a time; what follows a read costs by the piece more than by the byte.
        pieces = [slot.pieces.popleft()]
        length = len(pieces[0])
        while slot.pieces and length + len(slot.pieces[0]) <= READ_BYTES:
            length += len(slot.pieces[0])
            pieces.append(slot.pieces.popleft())
        self._ahead.release(length)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Prefetcher:
    """Fetches the media of all tracks, and keeps what is not yet read within a budget.

    A segment is asked for when the budget has room for one as long as the longest so far; the first goes alone. So what is under way has
    its place when it comes, and once nobody reads, the origin soon has nothing more to send. The segments that are being read are an
    exception, or tracks that are read together would wait for each other: they are asked for at once, and a piece of each is taken whenever
    its reader has none.
    """

    def __init__(self, fetch: Fetch, *, budget_bytes: int, connections: int) -> None:
        """Fetch with `fetch`, at most `connections` segments at once beside those being read, at most `budget_bytes` ahead."""
        self._fetch = fetch
        self._budget = budget_bytes
        self._connections = connections
        self._readers: list[Reader] = []
        self._slots: list[_Slot] = []
        self._under_way = 0
        self._held = 0
        self.most_held = 0
        """The most bytes of the budget that were ever in use: lying here, or expected."""
        self.changed = asyncio.Event()
        """Set whenever there may be room, or a turn has come."""

    def track(self, segments: Sequence[Segment], *, begins: float = 0.0) -> Reader:
        """Add a track whose period begins at `begins` seconds; call it for every track before `run`."""
        reader = Reader(self, segments, begins)
        self._readers.append(reader)
        self._slots.extend(reader.slots)
        return reader

    async def run(self) -> None:
        """Fetch everything; returns once all of it has come. To be run in the task group in which the readers are read.

        Raises:
            Exception: what `fetch` raised first, at once, however far from its turn the segment is: the film cannot become whole any more.
        """
        # Stable: where two tracks begin a segment at the same time, the track that was added first goes first.
        waiting = deque(sorted(self._slots, key=lambda slot: slot.at))
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                while waiting:
                    tasks.create_task(self._fill(await self._next(waiting)))

    async def _next(self, waiting: deque[_Slot]) -> _Slot:
        """Wait until a segment may be asked for, take it out of `waiting`, and keep its part of the budget for it."""
        while True:
            room = self._budget - self._held
            for reader in self._readers:
                if reader.current is not None and not reader.current.started:
                    waiting.remove(reader.current)
                    return self._started(reader.current, max(0, room))
            expected = self._expected(waiting[0])
            if self._under_way < self._connections and room >= (expected or self._budget // 2):
                return self._started(waiting.popleft(), room)
            await self._change()

    def _started(self, slot: _Slot, room: int) -> _Slot:
        slot.started = True
        slot.reserved = min(self._expected(slot) or room, room)
        self._hold(slot.reserved)
        self._under_way += 1
        return slot

    def _expected(self, slot: _Slot) -> int:
        """Return how long a segment will be at most, as far as the budget is concerned; 0 where there is nothing to judge by."""
        if slot.segment.range is not None:
            return min(slot.segment.range.length, self._budget)
        # A later period's tracks are taken to be like those before, not like another of the same period: sound is no measure of picture.
        known = (reader.longest for reader in self._readers if reader is slot.reader or reader.begins < slot.reader.begins)
        return min(max(known), self._budget)

    async def _fill(self, slot: _Slot) -> None:
        """Fetch one segment into its slot."""
        length = 0

        async def into(piece: bytes) -> None:
            nonlocal length
            length += len(piece)
            kept = min(slot.reserved, len(piece))
            slot.reserved -= kept
            await self._wait_for_room(slot, len(piece) - kept)
            slot.pieces.append(piece)
            slot.arrived.set()

        await self._fetch(slot.segment, into)
        slot.whole = True
        slot.arrived.set()
        slot.reader.longest = max(slot.reader.longest, length)
        self._under_way -= 1
        self.release(slot.reserved)
        slot.reserved = 0

    async def _wait_for_room(self, slot: _Slot, more: int) -> None:
        """Wait until the budget has room for `more` bytes, or the slot's reader has nothing else to read."""
        while more and self._held + more > self._budget and (slot.reader.current is not slot or slot.pieces):
            await self._change()
        self._hold(more)

    async def _change(self) -> None:
        self.changed.clear()
        await self.changed.wait()

    def _hold(self, count: int) -> None:
        self._held += count
        self.most_held = max(self.most_held, self._held)

    def release(self, count: int) -> None:
        """Give back so many bytes of the budget."""
        self._held -= count
        self.changed.set()
