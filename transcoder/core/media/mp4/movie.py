"""The `moov`: tracks, timescales, durations and edit lists, read and written (ISO/IEC 14496-12, 8.2 to 8.4, 8.6.6, 8.8.1 to 8.8.3)."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from transcoder.core.media.mp4.box_header import HEADER_BYTES
from transcoder.core.media.mp4.boxes import Box, Mp4Error, full_box
from transcoder.core.media.mp4.sample_entry import SampleEntry, sample_entries
from transcoder.core.media.streams import Medium

MAX_EDITS = 10_000
"""More edits of one track are refused."""
MAX_TRACKS = 256
"""More tracks of a movie are refused, of whatever kind."""
MAX_PROTECTION_BOXES = 500
"""More `pssh` boxes are refused: ffmpeg compares each of them with all before it. A source has one for each protection system and key."""
EMPTY_EDIT = -1
"""The `media_time` of an edit that presents nothing: it delays the track."""
MOVIE_TIMESCALE = 90_000
"""Ticks per second of the durations in the `mvhd`, `tkhd`, `mehd` and `elst` that are written: the clock of MPEG."""
_HANDLERS = {b"vide": Medium.VIDEO, b"soun": Medium.AUDIO}
_MAX_32 = 0xFFFFFFFF
_MAX_31 = 0x7FFFFFFF
_ENABLED_AND_IN_MOVIE = 3
"""Flags of a `tkhd`: without them some players leave the track out (8.3.2)."""
_RATE_ONE = 0x10000
_DURATION_GAPS = {b"mvhd": 4, b"tkhd": 8, b"mdhd": 4}
"""Bytes between the two dates and the duration: the timescale, or the track_ID and a reserved field."""


class TrackDefaults(NamedTuple):
    """What a `trex` gives to samples that say nothing else."""

    duration: int
    size: int
    flags: int
    description: int = 1
    """Which of the track's sample entries applies, counted from 1."""


class Edit(NamedTuple):
    """One entry of an `elst`."""

    duration: int
    """In ticks of the movie's timescale; 0 in a fragmented file: to its end."""
    media_time: int
    """In ticks of the track's timescale, or `EMPTY_EDIT`."""


class Track(NamedTuple):
    """One `trak`, with its `trex`."""

    id: int
    medium: Medium | None
    """None for text, metadata and other handlers."""
    timescale: int
    edits: tuple[Edit, ...]
    entries: tuple[SampleEntry, ...]
    """Its sample entries; empty unless it is video or audio."""
    defaults: TrackDefaults | None
    """None without a `trex`."""
    sample_table: Box
    """Its `stbl`."""
    box: Box
    """All of it."""
    kinds: tuple[tuple[str, str], ...] = ()
    """The scheme and the value of each of its `kind` boxes (8.10.4)."""
    duration: int = 0
    """What its `mdhd` announces, in ticks of its timescale."""


class Movie(NamedTuple):
    """A whole `moov`."""

    box: Box
    timescale: int
    duration: int
    tracks: tuple[Track, ...]

    def edit_shift(self, track: Track) -> int:
        """Return the ticks that the edit list of a track takes off every timestamp: an empty edit first is a delay.

        ffmpeg reads the edit lists of fragments the same way.
        """
        start = next((edit.media_time for edit in track.edits if edit.media_time >= 0), 0)
        delay = track.edits[0].duration if track.edits and track.edits[0].media_time <= EMPTY_EDIT else 0
        return start - (round(delay * track.timescale / self.timescale) if self.timescale else 0)


def read_movie(moov: Box) -> Movie:
    """Read a whole `moov`.

    Raises:
        Mp4Error: it is broken or lacks a box that every track must have, has more than `MAX_TRACKS`, or
            more than `MAX_PROTECTION_BOXES`.
    """
    if protection_boxes(moov) > MAX_PROTECTION_BOXES:
        raise Mp4Error(moov.position, f"the box moov has more than {MAX_PROTECTION_BOXES} pssh boxes")
    header = moov.require(b"mvhd")
    defaults = _read_defaults(moov)
    boxes = [trak for trak in moov.children() if trak.type == b"trak"]
    if len(boxes) > MAX_TRACKS:
        raise Mp4Error(moov.position, f"the box moov has more than {MAX_TRACKS} tracks")
    tracks = tuple(_read_track(trak, defaults) for trak in boxes)
    timescale, duration = _read_duration(header)
    return Movie(moov, timescale, duration, tracks)


def protection_boxes(box: Box) -> int:
    """Return about how many `pssh` boxes are in a box, on any level: the same four letters elsewhere count, too, and are rare."""
    return box.data.count(b"pssh", box.start, box.end)


def _read_defaults(moov: Box) -> dict[int, TrackDefaults]:
    extends = moov.find(b"mvex")
    boxes = (child for child in extends.children() if child.type == b"trex") if extends else ()
    values = ((trex.uint(4, 4), trex.numbers("I", 4, 8)) for trex in boxes)
    return {track_id: TrackDefaults(duration, size, flags, entry) for track_id, (entry, duration, size, flags) in values}


def _read_track(trak: Box, defaults: dict[int, TrackDefaults]) -> Track:
    header, media_header = trak.require(b"tkhd"), trak.require(b"mdia", b"mdhd")
    table = trak.require(b"mdia", b"minf", b"stbl")
    medium = _HANDLERS.get(trak.require(b"mdia", b"hdlr").content[8:12])
    track_id = header.uint(20 if header.version else 12, 4)
    timescale, duration = _read_duration(media_header)
    if medium is None:
        return Track(track_id, None, timescale, (), (), defaults.get(track_id), table, trak)
    stsd, elst = table.find(b"stsd"), trak.find(b"edts", b"elst")
    entries = tuple(sample_entries(stsd)) if stsd else ()
    edits = read_edits(elst) if elst else ()
    return Track(track_id, medium, timescale, edits, entries, defaults.get(track_id), table, trak, _read_kinds(trak), duration)


def _read_kinds(trak: Box) -> tuple[tuple[str, str], ...]:
    user_data = trak.find(b"udta")
    kinds = (child.content[4:].split(b"\0") for child in user_data.children() if child.type == b"kind") if user_data else ()
    return tuple((kind[0].decode("latin-1"), kind[1].decode("latin-1") if len(kind) > 1 else "") for kind in kinds)


def _read_duration(header: Box) -> tuple[int, int]:
    """Return the timescale and the duration of an `mvhd` or `mdhd`."""
    return (header.uint(20, 4), header.uint(24, 8)) if header.version else (header.uint(12, 4), header.uint(16, 4))


def read_edits(elst: Box) -> tuple[Edit, ...]:
    """Read an edit list; entries that do not lie in the box are left out.

    Raises:
        Mp4Error: it is cut short before them, or has more than `MAX_EDITS`.
    """
    width = 8 if elst.version else 4
    size = 2 * width + 4
    count = min(elst.uint(4, 4), (elst.end - elst.body - 8) // size)
    if count > MAX_EDITS:
        raise Mp4Error(elst.position, f"the box elst has more than {MAX_EDITS} entries")
    return tuple(Edit(elst.uint(at, width), elst.sint(at + width, width)) for at in range(8, 8 + count * size, size))


def write_edits(edits: Sequence[Edit]) -> bytes:
    """Write an `elst`, each entry at normal speed, in 64 bits only if 32 do not hold a duration or a time."""
    wide = any(edit.duration > _MAX_32 or edit.media_time > _MAX_31 for edit in edits)
    entries = (struct.pack(">QqI" if wide else ">IiI", edit.duration, edit.media_time, _RATE_ONE) for edit in edits)
    return full_box(b"elst", int(wide), 0, struct.pack(">I", len(edits)), *entries)


def with_duration(header: Box, duration: int, *, timescale: int | None = None, created: int | None = None) -> bytes:
    """Write an `mvhd`, `tkhd` or `mdhd` again with another duration, in 64 bits only if 32 do not hold it.

    `timescale` replaces that of an `mvhd` or `mdhd`, and `created` both dates, in seconds since 1904; None keeps them.

    Raises:
        Mp4Error: the box is cut short.
    """
    wide = bool(header.version)
    created, modified = (created, created) if created is not None else header.numbers("Q" if wide else "I", 2, 4)
    gap_at = 20 if wide else 12
    rest_at = gap_at + _DURATION_GAPS[header.type]
    gap = header.content[gap_at:rest_at] if timescale is None else struct.pack(">I", timescale)
    if header.body + rest_at + (8 if wide else 4) > header.end:
        raise Mp4Error(header.position, "a header box is cut short")
    version = int(max(created, modified, duration) > _MAX_32)
    dates, length = (">QQ", ">Q") if version else (">II", ">I")
    rest = header.content[rest_at + (8 if wide else 4) :]
    return full_box(header.type, version, header.flags, struct.pack(dates, created, modified), gap, struct.pack(length, duration), rest)


def write_track_header(tkhd: Box, *, track_id: int, duration: int, created: int | None = None) -> bytes:
    """Write a `tkhd` again with another id and duration, and enabled (8.3.2). Raises Mp4Error if it is cut short."""
    written = bytearray(with_duration(tkhd, duration, created=created))
    struct.pack_into(">I", written, HEADER_BYTES, written[HEADER_BYTES] << 24 | tkhd.flags | _ENABLED_AND_IN_MOVIE)
    struct.pack_into(">I", written, HEADER_BYTES + 4 + (16 if written[HEADER_BYTES] else 8), track_id)
    return bytes(written)


def write_media_header(mdhd: Box, duration: int, *, language: int | None, created: int | None = None) -> bytes:
    """Write an `mdhd` again with another duration and, unless they are None, another packed language (8.4.2) and date.

    Raises:
        Mp4Error: it is cut short.
    """
    written = with_duration(mdhd, duration, created=created)
    return written if language is None else written[:-4] + struct.pack(">HH", language, 0)


def write_fragment_duration(duration: int) -> bytes:
    """Write the `mehd` of a fragmented movie of that many ticks of the movie's timescale (8.8.2)."""
    return full_box(b"mehd", 1, 0, struct.pack(">Q", duration))
