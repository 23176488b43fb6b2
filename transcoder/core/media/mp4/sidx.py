"""How long a fragmented MP4 file is, told by the index at its head (ISO 14496-12, 8.16.3)."""

import struct

_BOX = struct.Struct(">I4s")
_FIXED = 12
"""Bytes of version, flags, reference_ID and timescale."""
_REFERENCE = struct.Struct(">III")


def indexed_seconds(head: bytes) -> float | None:
    """Return the sum of the durations in the first `sidx` among the top-level boxes of `head`; None if it is not wholly there."""
    at = 0
    while at + _BOX.size <= len(head):
        size, kind = _BOX.unpack_from(head, at)
        if kind == b"sidx" and at + size <= len(head):
            return _seconds(head[at + _BOX.size : at + size])
        if kind in {b"moof", b"mdat"} or size < _BOX.size:
            return None
        at += size
    return None


def _seconds(index: bytes) -> float | None:
    times = 16 if index[:1] == b"\x01" else 8
    references = _FIXED + times + 4
    if len(index) < references:
        return None
    (scale,) = struct.unpack_from(">I", index, 8)
    (count,) = struct.unpack_from(">H", index, references - 2)
    if not scale or len(index) < references + count * _REFERENCE.size:
        return None
    return sum(int(_REFERENCE.unpack_from(index, references + number * _REFERENCE.size)[1]) for number in range(count)) / int(scale)
