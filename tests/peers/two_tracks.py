"""Fragments of a few tracks, written byte for byte; all have a clock in which seconds are exact numbers."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from fuzz.media_pieces import u32

from transcoder.core.media.mp4.boxes import box, full_box

TIMESCALE = 1024
VIDEO, AUDIO, TEXT, SECOND_AUDIO = 1, 2, 3, 4
"""The ids of the tracks; the first two go into the output."""
AVCC = box(b"avcC", b"\1\x64\0\x1f\xff\xe1\0\1\x67\1\0\1\x68")
"""One set of each kind."""
VIDEO_ENTRY = box(b"avc1", bytes(24) + struct.pack(">HH", 640, 360) + bytes(50), AVCC)
AUDIO_ENTRY = box(b"ac-3", bytes(16) + struct.pack(">HHIHH", 2, 16, 0, 48_000, 0))


def track(number: int, handler: bytes, *entries: bytes, tables: bytes = b"", timescale: int = TIMESCALE, edits: bytes = b"") -> bytes:
    """Write a `trak`."""
    stbl = box(b"stbl", full_box(b"stsd", 0, 0, u32(len(entries)), *entries), tables)
    mdhd = full_box(b"mdhd", 0, 0, u32(0, 0, timescale, 0, 0))
    mdia = box(b"mdia", mdhd, full_box(b"hdlr", 0, 0, u32(0), handler, bytes(13)), box(b"minf", stbl))
    return box(b"trak", full_box(b"tkhd", 0, 3, u32(0, 0, number), bytes(68)), edits, mdia)


def movie(*tracks: bytes) -> bytes:
    """Write a `moov`."""
    return box(b"moov", full_box(b"mvhd", 0, 0, u32(0, 0, 1000, 0), bytes(80)), *tracks)


VIDEO_TRACK, AUDIO_TRACK = track(VIDEO, b"vide", VIDEO_ENTRY), track(AUDIO, b"soun", AUDIO_ENTRY)
MOVIE = movie(VIDEO_TRACK, AUDIO_TRACK, track(TEXT, b"text"), track(SECOND_AUDIO, b"soun", AUDIO_ENTRY))


@dataclass(frozen=True)
class Part:
    """What a fragment has of one track: samples of one byte each."""

    time: int | None
    """Of the first sample, in ticks; None: there is no `tfdt`."""
    durations: Sequence[int]
    track: int = VIDEO
    offsets: Sequence[int] = ()
    """Composition offsets; all are 0 if there are none."""
    description: int = 1

    def written(self) -> bytes:
        """Write the `traf`."""
        header = full_box(b"tfhd", 0, 0x020002, u32(self.track, self.description))
        time = b"" if self.time is None else full_box(b"tfdt", 1, 0, struct.pack(">q", self.time))
        offsets = self.offsets or [0] * len(self.durations)
        rows = b"".join(struct.pack(">IIi", each, 1, offset) for each, offset in zip(self.durations, offsets, strict=True))
        return box(b"traf", header, time, full_box(b"trun", 1, 0xB00, u32(len(self.durations)), rows))


def moof(*parts: Part, number: int = 1) -> bytes:
    """Write a fragment without its media."""
    return box(b"moof", full_box(b"mfhd", 0, 0, u32(number)), *(part.written() for part in parts))


def fragment(*parts: Part, number: int = 1) -> bytes:
    """Write a fragment with its media."""
    return moof(*parts, number=number) + box(b"mdat", bytes(sum(len(part.durations) for part in parts)))
