"""Boxes of the ISO base media file format (ISO/IEC 14496-12, 4.2), read from bytes at hand."""

from collections.abc import Iterator
from typing import NamedTuple

from transcoder.errors import UpstreamError

HEADER_BYTES = 8
LARGE_HEADER_BYTES = 16
_FULL_BOX = 4


class Box(NamedTuple):
    """One box: its type and where its body lies."""

    kind: bytes
    start: int
    end: int


class BoxHeader(NamedTuple):
    """The header of a box: its type, its own length, the length of the whole box (0: up to the end of the file)."""

    kind: bytes
    header: int
    size: int


def read_header(data: bytes, at: int = 0) -> BoxHeader | None:
    """Read a box header; None if `data` ends within it. Raises UpstreamError if no box can begin so."""
    if len(data) - at < HEADER_BYTES:
        return None
    size, kind = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8])
    header = HEADER_BYTES
    if size == 1:
        if len(data) - at < LARGE_HEADER_BYTES:
            return None
        size, header = int.from_bytes(data[at + 8 : at + 16], "big"), LARGE_HEADER_BYTES
    if 0 < size < header or not is_box_type(kind):
        raise UpstreamError("A segment is not the MP4 that it should be: its boxes do not follow each other.")
    return BoxHeader(kind, header, size)


def is_box_type(kind: bytes) -> bool:
    """Whether four bytes can be a box's type: printable ASCII, as all are that this project meets (QuickTime's begin with 0xA9)."""
    return len(kind) == 4 and all(0x20 <= octet < 0x7F or octet == 0xA9 for octet in kind)  # noqa: PLR2004 - a four-character code


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """Walk over the boxes between two offsets; raise UpstreamError if they do not fill that place exactly."""
    at = start
    while at < end:
        header = read_header(data, at)
        stop = end if header and not header.size else at + (header.size if header else 0)
        if header is None or stop > end:
            raise UpstreamError("A segment is damaged: an MP4 box is larger than the box around it.")
        yield Box(header.kind, at + header.header, stop)
        at = stop


def child(data: bytes, parent: Box, *path: bytes) -> Box | None:
    """Return the first box down a path of types."""
    here: Box | None = parent
    for kind in path:
        here = next((box for box in boxes(data, here.start, here.end) if box.kind == kind), None) if here else None
    return here


def unsigned(data: bytes, at: int, size: int) -> int:
    """Read a big-endian number; raise UpstreamError where the bytes end before it."""
    if at + size > len(data):
        raise UpstreamError("A segment is damaged: an MP4 box ends too early.")
    return int.from_bytes(data[at : at + size], "big")


def signed(data: bytes, at: int, size: int) -> int:
    """Read a big-endian two's complement number."""
    value = unsigned(data, at, size)
    return value - (1 << 8 * size) if value >> (8 * size - 1) else value
