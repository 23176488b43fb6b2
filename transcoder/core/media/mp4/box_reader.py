"""A stream of boxes that arrives in pieces of any size, cut at its top-level boxes."""

from collections.abc import Iterator
from typing import NamedTuple

from transcoder.core.media.mp4.box_header import HEADER_BYTES, LARGE_HEADER_BYTES, BoxHeader
from transcoder.core.media.mp4.box_limits import are_too_many
from transcoder.core.media.mp4.boxes import Box, Mp4Error, read_box_header


class BoxStart(NamedTuple):
    """The header of a box that is not collected; its content follows as plain bytes."""

    type: bytes
    header: bytes
    """As it stands in the stream: 8 bytes, or 16 with a 64-bit size."""
    length: int
    """Bytes of the content."""

    @property
    def header_bytes(self) -> int:
        """How long its header is."""
        return len(self.header)


BoxEvent = Box | BoxStart | bytes
"""A collected box, the start of another one, or bytes of its content."""


class BoxReader:
    """Reads top-level boxes: some are collected whole, the content of the others flows through and is never held."""

    def __init__(self, *, collected: frozenset[bytes], streamed: frozenset[bytes] | None = None, max_box_bytes: int) -> None:
        """Collect boxes of the types `collected`, each of at most `max_box_bytes`; let those of `streamed`, or all others, flow through."""
        self._collected = collected
        self._streamed = streamed
        self._max_box_bytes = max_box_bytes
        self._position = 0
        self._held = bytearray()
        self._needed = HEADER_BYTES
        self._content_left = 0
        self._count = 0

    def feed(self, piece: bytes) -> Iterator[BoxEvent]:
        """Iterate over what is complete with the next piece, in order; bytes belong to the last `BoxStart`.

        Raises:
            Mp4Error: a box has an impossible size, is too long to be collected, or is of a type that does not belong here, or
                there are too many small ones.
        """
        start, length = 0, len(piece)
        while start < length:
            if self._content_left:
                content = piece if not start and length <= self._content_left else piece[start : start + self._content_left]
                self._content_left -= len(content)
                self._position += len(content)
                start += len(content)
                yield content
                continue
            if not self._held and (event := self._event_at(piece, start)) is not None:
                start += event.end if isinstance(event, Box) else len(event.header)
                yield event
                continue
            missing = self._needed - len(self._held)
            self._held += piece[start : start + missing]
            start += missing
            if len(self._held) == self._needed and (event := self._event_at(self._held, 0)) is not None:
                self._held = bytearray()
                yield event

    def end(self) -> int:
        """Return the length of the stream in bytes, now that it has ended.

        Raises:
            Mp4Error: it ended inside a box.
        """
        if not self.at_boundary:
            raise Mp4Error(self._position + len(self._held), "the MP4 ends inside a box")
        return self._position

    @property
    def at_boundary(self) -> bool:
        """Whether everything so far is whole boxes."""
        return not self._held and not self._content_left

    def _event_at(self, data: bytes | bytearray, at: int) -> Box | BoxStart | None:
        """Interpret the bytes at `at`, where the next box begins; None if they end too early, and `_needed` says how many it takes."""
        header = read_box_header(data, at, origin=self._position - at)
        if header is None:
            self._needed = LARGE_HEADER_BYTES if len(data) - at >= HEADER_BYTES else HEADER_BYTES
            return None
        if not header.size:
            raise Mp4Error(self._position, f"the box {header.type.decode('latin-1')} has no size, so nothing could follow it")
        if are_too_many(self._count, self._position):
            raise Mp4Error(self._position, "there are too many small boxes")
        if header.type not in self._collected:
            return self._stream(header, bytes(data[at : at + header.header_bytes]))
        if header.size > self._max_box_bytes:
            raise Mp4Error(self._position, f"the box {header.type.decode('latin-1')} of {header.size} bytes is too large")
        if len(data) - at < header.size:
            self._needed = header.size
            return None
        found = Box(header.type, bytes(data[at : at + header.size]), 0, header.header_bytes, header.size, self._position)
        self._restart(header.size)
        return found

    def _stream(self, header: BoxHeader, written: bytes) -> BoxStart:
        if self._streamed is not None and header.type not in self._streamed:
            raise Mp4Error(self._position, f"the box {header.type.decode('latin-1')} does not belong")
        start = BoxStart(header.type, written, header.size - header.header_bytes)
        self._content_left = start.length
        self._restart(header.header_bytes)
        return start

    def _restart(self, consumed: int) -> None:
        self._position += consumed
        self._count += 1
