"""PES packets: their headers and timestamps (ISO/IEC 13818-1, 2.4.3.6)."""

from typing import NamedTuple

from transcoder.core.media.timestamps import CLOCK_HZ
from transcoder.errors import DamagedMediaError

PREFIX = b"\0\0\1"
_FIXED_BYTES = 9
_PADDING_STREAM = 0xBE
_HEADERLESS_STREAMS = frozenset({0xBC, _PADDING_STREAM, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF})
"""Stream ids whose packets have no optional header after the length."""


class PesHeader(NamedTuple):
    """The header of a PES packet; the bytes of the elementary stream follow it."""

    length: int
    """Bytes of the header."""
    pts: float | None
    """Seconds."""
    dts: float | None
    """Seconds; equal to the PTS if the header has no DTS."""
    is_media: bool = True


def read_pes_header(data: bytes) -> PesHeader | None:
    """Read the header at the start of `data`; None if it is not complete.

    Raises UpstreamError if no PES packet begins there.
    """
    if not data.startswith(PREFIX) and data[:3] != PREFIX[: len(data)]:
        raise DamagedMediaError("A segment is damaged: a PES packet does not begin with its start code.")
    if len(data) < _FIXED_BYTES:
        return None
    if data[3] in _HEADERLESS_STREAMS:
        return PesHeader(len(data), None, None, is_media=False)
    flags, more = data[7], data[8]
    length = _FIXED_BYTES + more
    if len(data) < length:
        return None
    pts = _timestamp(data, 9) if flags & 0x80 and more >= 5 else None  # noqa: PLR2004 - five bytes more
    dts = _timestamp(data, 14) if flags & 0xC0 == 0xC0 and more >= 10 else pts  # noqa: PLR2004 - and five more
    return PesHeader(length, pts, dts)


def has_whole_header(payload: bytes) -> bool:
    """Return whether the header of a PES packet, if one begins in `payload`, ends there."""
    return len(payload) >= _FIXED_BYTES and len(payload) >= _FIXED_BYTES + payload[8]


def announced_bytes(payload: bytes) -> int:
    """Return how long a PES packet is by its first payload; 0 if that does not say so, as is allowed for video."""
    size = payload[4] << 8 | payload[5] if len(payload) > 6 else 0  # noqa: PLR2004 - PES_packet_length is there
    return 6 + size if size else 0


def _timestamp(data: bytes, at: int) -> float:
    bits = int.from_bytes(data[at : at + 5], "big")
    return (bits >> 3 & 0x1C0000000 | bits >> 2 & 0x3FFF8000 | bits >> 1 & 0x7FFF) / CLOCK_HZ
