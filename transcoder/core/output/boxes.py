"""MP4 boxes: split a stream of bytes into them, look into them, write them (ISO/IEC 14496-12, 4.2)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from transcoder.errors import TranscodeError

MAX_BOX_BYTES = 64 * 1024 * 1024
"""A longer box, other than `mdat`, is refused: boxes are collected in memory, media are not."""

TOP_LEVEL = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"mfra", b"free", b"skip"})
"""What may stand outside of all boxes in a fragmented MP4 of ffmpeg's or ours."""

_SHORT = struct.Struct(">I4s")
_LONG = struct.Struct(">I4sQ")
_MAX_SHORT = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Box:
    """One whole top-level box that is not `mdat`."""

    kind: bytes
    data: bytes
    """Header and content."""
    at: int
    """Where it begins in the stream."""


@dataclass(frozen=True, slots=True)
class MediaStart:
    """The header of an `mdat`; its content follows as plain bytes."""

    header: int
    """Bytes of the header: 8 or 16."""
    length: int
    """Bytes of the content."""


class Splitter:
    """Cut a stream that comes in any pieces into boxes, and let what is in `mdat` flow through."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._position = 0
        self._head = bytearray()
        self._wanted = _SHORT.size
        self._media_left = 0

    def feed(self, piece: bytes) -> Iterator[Box | MediaStart | bytes]:
        """Give what has become complete, in order; bytes are content of the last `MediaStart`.

        Raises:
            TranscodeError: a box of an impossible length, or one that has no business here.
        """
        start, length = 0, len(piece)
        while start < length:
            if self._media_left:
                media = piece if not start and length <= self._media_left else piece[start : start + self._media_left]
                self._media_left -= len(media)
                start += len(media)
                self._position += len(media)
                yield media
                continue
            missing = self._wanted - len(self._head)
            self._head += piece[start : start + missing]
            start += missing
            if len(self._head) == self._wanted and (event := self._complete()) is not None:
                yield event

    def end(self) -> int:
        """Return the length of the stream, which has ended.

        Raises:
            TranscodeError: it ended inside a box.
        """
        if self._head or self._media_left:
            raise TranscodeError("The MP4 ends inside a box.")
        return self._position

    def _complete(self) -> Box | MediaStart | None:
        """See what the bytes collected so far are: a header, from which the length is known, or a box."""
        size, kind = _SHORT.unpack_from(self._head)
        header = _SHORT.size
        if kind not in TOP_LEVEL:
            raise TranscodeError(f"The MP4 has a box {kind!r} where none belongs.")
        if size == 1:
            header = _LONG.size
            if self._wanted < header:
                self._wanted = header
                return None
            size = _LONG.unpack_from(self._head)[2]
        if size < header or (kind != b"mdat" and size > MAX_BOX_BYTES):
            raise TranscodeError(f"The MP4 has a box {kind!r} of {size} bytes.")
        if kind == b"mdat":
            self._media_left = size - header
            self._restart(header)
            return MediaStart(header, size - header)
        if len(self._head) < size:
            self._wanted = size
            return None
        box = Box(kind, bytes(self._head), self._position)
        self._restart(size)
        return box

    def _restart(self, read: int) -> None:
        """Go on behind what was read."""
        self._position += read
        self._head = bytearray()
        self._wanted = _SHORT.size


def children(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Walk the boxes between two positions: kind, where the content begins, where the box ends.

    Raises:
        TranscodeError: they do not fill that space exactly.
    """
    while start < end:
        if end - start < _SHORT.size:
            raise TranscodeError("The MP4 has a box that is cut off.")
        size, kind = _SHORT.unpack_from(data, start)
        if size < _SHORT.size or start + size > end:
            raise TranscodeError(f"The MP4 has a box {kind!r} of an impossible length.")
        yield kind, start + _SHORT.size, start + size
        start += size


def find(data: bytes, start: int, end: int, *path: bytes) -> tuple[int, int]:
    """Return where the content of the first box at `path` begins and ends.

    Raises:
        TranscodeError: there is none.
    """
    for wanted in path:
        for kind, inner, stop in children(data, start, end):
            if kind == wanted:
                start, end = inner, stop
                break
        else:
            raise TranscodeError(f"The MP4 has no box {wanted!r} where one belongs.")
    return start, end


def box(kind: bytes, *content: bytes) -> bytes:
    """Write a box."""
    return b"".join((_SHORT.pack(_SHORT.size + sum(map(len, content)), kind), *content))


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """Write a box with a version and 24 bits of flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def media_header(length: int) -> bytes:
    """Write the header of an `mdat` with that many bytes of content."""
    if length + _SHORT.size <= _MAX_SHORT:
        return _SHORT.pack(length + _SHORT.size, b"mdat")
    return _LONG.pack(1, b"mdat", length + _LONG.size)
