"""The boxes of a segment whose media is not fetched: read from a few bytes at a few places."""

from transcoder.core.media.mp4.box_header import LARGE_HEADER_BYTES, BoxHeader
from transcoder.core.media.mp4.box_limits import are_too_many
from transcoder.core.media.mp4.boxes import Box, read_box_header
from transcoder.core.media.mp4_source.density import FragmentDensity
from transcoder.core.media.mp4_source.tracks import source_damage
from transcoder.errors import DamagedMediaError

HEAD_BYTES = 4 * 1024
"""How much is read where a box begins: a `moof` of two hundred samples, and the header of the `mdat` behind it."""
_MORE_BYTES, _MAX_HEAD_BYTES = 1024, 64 * 1024
"""How much longer the next fragment may be than the one before, and the most that is read before it is known how long one is."""
MAX_BOX_BYTES = 8 * 1024 * 1024
"""A larger `moof` or `moov` is refused: it has to be held in memory."""
_COLLECTED = frozenset({b"moof", b"moov"})


class SegmentBoxes:
    """The top-level boxes of the bytes from `start` to before `end` of a resource, as far as they have been read."""

    def __init__(self, start: int, end: int, head_bytes: int = HEAD_BYTES) -> None:
        """Want the first bytes from `start` on: as many as `head_bytes`, and none from `end` on."""
        self.start = start
        self.end = end
        self.head_bytes = head_bytes
        """How much is read where a box begins."""
        self.boxes: list[Box] = []
        """Each `moof` and `moov`; a box knows its position in the resource."""
        self.media: list[tuple[int, int]] = []
        """Where the content of each `mdat` begins and ends in the resource."""
        self.wanted: tuple[int, int] | None = (start, min(head_bytes, end - start))
        """Offset and number of the bytes that `feed` needs next; None once everything is known."""
        self.fragments = 0
        """How many of the boxes are a `moof`."""
        self.heads = 0
        """How often bytes were fed."""
        self.bytes_read = 0
        self._count = 0
        """How many top-level boxes there are, of any type."""
        self._density = FragmentDensity()

    @property
    def next_head_bytes(self) -> int:
        """How much to read where the boxes of another segment of the same track begin: as much as its first fragment takes here."""
        first = next((box for box in self.boxes if box.type == b"moof"), None)
        length = 0 if first is None else first.origin + first.end - self.start
        return max(HEAD_BYTES, min(length + _MORE_BYTES, _MAX_HEAD_BYTES))

    def feed(self, data: bytes) -> None:
        """Take the bytes that are `wanted`.

        Raises:
            UpstreamError: the boxes are broken, or do not end where the resource does.
            UnsupportedSourceError: there are too many small fragments.
        """
        if self.wanted is None:
            return
        before, (origin, size) = self.wanted, self.wanted
        if len(data) != size:
            raise DamagedMediaError("The head of a segment is not as long as it was asked for.")
        self.heads, self.bytes_read = self.heads + 1, self.bytes_read + size
        at, self.wanted = origin, None
        while at < self.end and self.wanted is None:
            with source_damage():
                header = read_box_header(data, at - origin, origin=origin) if at < origin + size else None
            if header is None:
                self._want(at, self.head_bytes)
            else:
                at = self._take(header, data, at, origin)
        if self.wanted == before:
            raise DamagedMediaError("A segment is cut off inside an MP4 box.")

    def _take(self, header: BoxHeader, data: bytes, at: int, origin: int) -> int:
        """Take the box at `at`, and return where the next one begins; `data` begins at `origin`."""
        end = at + header.size if header.size else self.end
        self._count += 1
        if are_too_many(self._count, at - self.start):
            raise DamagedMediaError(f"A segment is damaged: at byte {at}, there are too many small boxes.")
        if end > self.end:
            raise DamagedMediaError("A segment is cut off inside an MP4 box.")
        if header.type == b"mdat":
            self.media.append((at + header.header_bytes, end))
            self._density.add_media(end - at - header.header_bytes)
        elif header.type in _COLLECTED:
            if end > origin + len(data):
                self._want(at, end - at + LARGE_HEADER_BYTES)
                return at
            self.fragments += header.type == b"moof"
            self.boxes.append(found := Box(header.type, data, at - origin, at - origin + header.header_bytes, end - origin, origin))
            self._density.add_box(found)
        return end

    def _want(self, at: int, size: int) -> None:
        if size > MAX_BOX_BYTES:
            raise DamagedMediaError(f"A segment is damaged: at byte {at}, a box of {size} bytes is too large.")
        self.wanted = at, min(size, self.end - at)
