"""Fragmented MP4 with negative composition offsets, as CMAF packagers write it, made of files without."""

import struct
from collections.abc import Mapping

from transcoder.core.media.mp4.boxes import Box, boxes_of

COMPOSITION_OFFSETS = 0x800
"""The flag of a `trun` that lists them."""


def with_negative_offsets(files: Mapping[str, bytes], ticks: int = 1024) -> dict[str, bytes]:
    """Return files with all composition offsets of their fragments so many ticks lower, and the decode times higher.

    What is presented when stays as it is. No box changes its length.
    """
    return {path: _edited(data, ticks) if path.endswith((".m4s", ".mp4")) else data for path, data in files.items()}


def _edited(data: bytes, ticks: int) -> bytes:
    edited = bytearray(data)
    tracks = (traf for moof in boxes_of(data) if moof.type == b"moof" for traf in moof.children() if traf.type == b"traf")
    for traf in tracks:
        run, time = traf.require(b"trun"), traf.require(b"tfdt")
        if run.flags & COMPOSITION_OFFSETS:
            layout = ">Q" if time.version else ">I"
            struct.pack_into(layout, edited, time.body + 4, time.uint(4, 8 if time.version else 4) + ticks)
            _lower(edited, run, ticks)
    return bytes(edited)


def _lower(edited: bytearray, run: Box, ticks: int) -> None:
    """Lower the offsets of a `trun`, in which they are the last field of each sample."""
    edited[run.body] = 1  # the version with signed offsets
    fields = sum(bool(run.flags & flag) for flag in (0x100, 0x200, 0x400, COMPOSITION_OFFSETS))
    first = run.body + 8 + 4 * sum(bool(run.flags & flag) for flag in (0x001, 0x004))
    for at in range(first + 4 * (fields - 1), run.end, 4 * fields):
        struct.pack_into(">i", edited, at, struct.unpack_from(">i", edited, at)[0] - ticks)
