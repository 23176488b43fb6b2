"""How the header of a box is laid out: its size and its type (ISO/IEC 14496-12, 4.2)."""

import re
import struct
from functools import lru_cache
from typing import NamedTuple

HEADER_BYTES = 8
LARGE_HEADER_BYTES = 16
"""Bytes of a header with a 64-bit `largesize`."""
HEADER = struct.Struct(">I4s")
"""Size and type."""
_TYPE = re.compile(rb"[\x20-\x7e\xa9]{4}")
_MAX_SHORT_SIZE = 0xFFFFFFFF


class BoxHeader(NamedTuple):
    """The header of a box."""

    type: bytes
    header_bytes: int
    """8, or 16 with a 64-bit size."""
    size: int
    """Bytes of the whole box; 0 if it reaches to the end of what is around it."""

    @property
    def is_possible(self) -> bool:
        """Whether a box can have that size: one that holds its header, or the 0 of a short header."""
        return self.size >= self.header_bytes or (not self.size and self.header_bytes == HEADER_BYTES)


def parse_header(data: bytes | bytearray, at: int, end: int) -> BoxHeader | None:
    """Return what would be the header at `at`, whether a box can have it or not; None if it does not end by `end`."""
    room = min(end, len(data)) - at
    if room < HEADER_BYTES:
        return None
    size, kind = HEADER.unpack_from(data, at)
    if size != 1:
        return BoxHeader(kind, HEADER_BYTES, size)
    if room < LARGE_HEADER_BYTES:
        return None
    return BoxHeader(kind, LARGE_HEADER_BYTES, int.from_bytes(data[at + HEADER_BYTES : at + LARGE_HEADER_BYTES], "big"))


@lru_cache
def is_box_type(kind: bytes) -> bool:
    """Return whether four bytes can be a box type: printable ASCII, or 0xA9 as in QuickTime's own types."""
    return _TYPE.fullmatch(kind) is not None


def media_data_header(length: int) -> bytes:
    """Write the header of an `mdat` with `length` bytes of content."""
    if length + HEADER_BYTES <= _MAX_SHORT_SIZE:
        return struct.pack(">I4s", length + HEADER_BYTES, b"mdat")
    return struct.pack(">I4sQ", 1, b"mdat", length + LARGE_HEADER_BYTES)
