"""The `mfra`: the index at the end of a fragmented MP4, read and written (ISO/IEC 14496-12, 8.8.9 to 8.8.11)."""

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from transcoder.core.media.mp4.box_header import HEADER_BYTES
from transcoder.core.media.mp4.boxes import Box, Mp4Error, box, full_box

_ENTRY = struct.Struct(">QQBBB")
_MFRO_BYTES = 16


class IndexEntry(NamedTuple):
    """A fragment at which a player may begin."""

    time: int
    """Its first presentation time, in ticks of the track's timescale."""
    moof_offset: int
    """Where its `moof` begins in the file."""
    traf_number: int
    """Which of its `traf` boxes is the track's, counted from 1."""


def write_index(track_id: int, entries: Iterable[IndexEntry]) -> bytes:
    """Write the `mfra` of one track; its last four bytes are its own length."""
    rows = [_ENTRY.pack(entry.time, entry.moof_offset, entry.traf_number, 1, 1) for entry in entries]
    # The zero says that traf, trun and sample numbers take one byte each.
    head = struct.pack(">III", track_id, 0, len(rows))
    tfra = full_box(b"tfra", 1, 0, head, *rows)
    mfro = full_box(b"mfro", 0, 0, struct.pack(">I", HEADER_BYTES + len(tfra) + _MFRO_BYTES))
    return box(b"mfra", tfra, mfro)


def read_index(mfra: Box) -> Iterator[IndexEntry]:
    """Iterate over the entries of an `mfra` in the form that `write_index` gives it.

    Raises:
        Mp4Error: it is in another form, or does not end with its own length.
    """
    if mfra.require(b"mfro").uint(4, 4) != mfra.end - mfra.start:
        raise Mp4Error(mfra.position, "the box mfra does not end with its own length")
    tfra = mfra.require(b"tfra")
    count, length = tfra.uint(12, 4), tfra.end - tfra.body - 16
    if length != count * _ENTRY.size:
        raise Mp4Error(tfra.position, f"the box tfra has not the {count} entries that it announces")
    return (IndexEntry(time, offset, traf) for time, offset, traf, _, _ in _ENTRY.iter_unpack(tfra.content[16:]))
