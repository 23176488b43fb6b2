"""The `moof`: which samples a fragment holds and when, read and written (ISO/IEC 14496-12, 8.8.4 to 8.8.12)."""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from transcoder.core.media.mp4.boxes import Box, Mp4Error, box, full_box
from transcoder.core.media.mp4.movie import TrackDefaults
from transcoder.core.media.mp4.sample_columns import Repeated, read_column

NOT_SYNC = 0x010000
"""The sample flag `sample_is_non_sync_sample` (8.8.3.1): it cannot be decoded by itself."""
MAX_SAMPLES = 1_000_000
"""More samples in one `trun` are refused."""
MAX_RUNS = 10_000
"""More `trun` boxes in one `moof` are refused."""
_BASE_DATA_OFFSET, _BASE_IS_MOOF = 0x000001, 0x020000
_DESCRIPTION, _DURATION, _SIZE, _FLAGS = 0x02, 0x08, 0x10, 0x20
"""Flags of a `tfhd`, in the order of its fields."""
_DATA_OFFSET, _FIRST_SAMPLE_FLAGS = 0x001, 0x004
_COMPOSITION_OFFSET = 0x800
_SAMPLE_FIELDS = (0x100, 0x200, 0x400, _COMPOSITION_OFFSET)
"""Flags of a `trun` for what each sample has: duration, size, flags, composition offset."""
_ALL_SAMPLE_FIELDS = sum(_SAMPLE_FIELDS)
_MOOF_AND_MFHD_BYTES = 24
_TRAF_BYTES = 64
"""Of a `traf` as `write_movie_fragment` writes it, without samples: 8 of its header, 16 of the `tfhd`, 20 each of `tfdt` and `trun`."""
_SAMPLE_BYTES = 16


class SampleRun(NamedTuple):
    """One `trun`: its samples, in columns of equal length. A column takes no more memory than bytes in the file."""

    data_offset: int | None
    """Where its bytes begin, counted from what the `tfhd` says; None if they follow those before."""
    durations: Sequence[int]
    sizes: Sequence[int]
    listed_flags: Sequence[int]
    composition_offsets: Sequence[int]
    """Presentation time less decode time."""
    first_flags: int | None = None
    """The flags of the first sample, if they are not the listed ones."""

    @property
    def flags(self) -> Sequence[int]:
        """The flags of each sample."""
        if self.first_flags is None or not self.listed_flags:
            return self.listed_flags
        return [self.first_flags, *self.listed_flags[1:]]


class TrackFragment(NamedTuple):
    """One `traf` of a known track."""

    track_id: int
    decode_time: int | None
    """Of its first sample; None without a `tfdt`."""
    runs: tuple[SampleRun, ...]
    base_is_moof: bool
    """Whether its data offsets count from the first byte of the `moof` for certain."""
    header: Box
    """Its `tfhd`."""
    time: Box | None
    """Its `tfdt`."""
    description: int
    """Which of the track's sample entries its samples have, counted from 1."""
    box: Box
    """All of it."""

    @property
    def samples(self) -> int:
        """How many samples its runs have."""
        return sum(len(run.sizes) for run in self.runs)

    @property
    def base_data_offset(self) -> int | None:
        """From where in the file its data offsets count, if its `tfhd` says so itself."""
        return self.header.uint(8, 8) if self.header.flags & _BASE_DATA_OFFSET else None


class SampleTable(NamedTuple):
    """What `write_movie_fragment` writes of one track."""

    track_id: int
    decode_time: int
    data_offset: int
    """Where its bytes begin, counted from the first byte of the `moof` that is written."""
    durations: Sequence[int]
    sizes: Sequence[int]
    flags: Sequence[int]
    composition_offsets: Sequence[int]


def read_track_fragments(moof: Box, defaults_of: Callable[[int], TrackDefaults | None]) -> Iterator[TrackFragment]:
    """Read the `traf` boxes of a `moof`; a track for which `defaults_of` returns None is left out.

    Raises:
        Mp4Error: a box is broken or missing, or there are more than `MAX_RUNS` runs, or `MAX_SAMPLES` samples in one of them.
    """
    room = MAX_RUNS
    for traf in moof.children():
        if traf.type != b"traf":
            continue
        header, time, tables = _sort_children(traf)
        flags, track_id = header.two_words()
        defaults = defaults_of(track_id)
        if defaults is None:
            continue
        own = _read_defaults(header, defaults)
        room -= len(tables)
        if room < 0:
            raise Mp4Error(moof.position, f"the box moof has more than {MAX_RUNS} boxes trun")
        runs = tuple([_read_run(table, own) for table in tables])
        base_is_moof = flags & (_BASE_IS_MOOF | _BASE_DATA_OFFSET) == _BASE_IS_MOOF
        yield TrackFragment(track_id, _read_decode_time(time) if time else None, runs, base_is_moof, header, time, own.description, traf)


def _sort_children(traf: Box) -> tuple[Box, Box | None, list[Box]]:
    """Return the first `tfhd` of a `traf`, its first `tfdt`, and its `trun` boxes."""
    header, time, tables = None, None, list[Box]()
    for child in traf.children():
        if child.type == b"trun":
            tables.append(child)
        elif child.type == b"tfhd":
            header = header or child
        elif child.type == b"tfdt":
            time = time or child
    if header is None:
        raise Mp4Error(traf.position, "a track fragment has no tfhd")
    return header, time, tables


def _read_decode_time(tfdt: Box) -> int:
    # Signed, though the standard says otherwise: what begins before 0 is written so by ffmpeg, and read so.
    return tfdt.sint(4, 8) if tfdt.version else tfdt.uint(4, 4)


def _read_defaults(header: Box, track: TrackDefaults) -> TrackDefaults:
    """Return the defaults of a track, as far as a `tfhd` does not replace them."""
    flags = header.flags
    if not flags & (_DESCRIPTION | _DURATION | _SIZE | _FLAGS):
        return track
    at = 8 + (8 if flags & _BASE_DATA_OFFSET else 0)
    values = list(track)
    for index, flag in ((3, _DESCRIPTION), (0, _DURATION), (1, _SIZE), (2, _FLAGS)):
        if flags & flag:
            values[index] = header.uint(at, 4)
            at += 4
    return TrackDefaults(*values)


def _read_run(trun: Box, defaults: TrackDefaults) -> SampleRun:
    """Read a `trun`. Its columns are taken in C, nothing sample by sample: this is done for every fragment."""
    flags, count = trun.two_words()
    at = 8
    data_offset = first_flags = None
    if flags & _DATA_OFFSET:
        data_offset, at = trun.sint(at, 4), at + 4
    if flags & _FIRST_SAMPLE_FLAGS:
        first_flags, at = trun.uint(at, 4), at + 4
    if count > MAX_SAMPLES:
        raise Mp4Error(trun.position, f"the box trun lists {count} samples, more than {MAX_SAMPLES}")
    durations, sizes, sample_flags, offsets = _read_columns(trun, flags, count, at, defaults)
    return SampleRun(data_offset, durations, sizes, sample_flags, offsets, first_flags)


def _read_columns(trun: Box, flags: int, count: int, at: int, defaults: TrackDefaults) -> list[Sequence[int]]:
    """Return the four columns of a `trun`, in the order of `_SAMPLE_FIELDS`."""
    fields = flags & _ALL_SAMPLE_FIELDS
    if not fields:
        return [Repeated(default, count) for default in (*defaults[:3], 0)]
    places = _places(fields)
    width = fields.bit_count()
    values = read_column(trun, "I", width * count, at)
    columns: list[Sequence[int]] = [
        Repeated(default, count) if place is None else values[place::width]
        for place, default in zip(places, (*defaults[:3], 0), strict=True)
    ]
    if fields & _COMPOSITION_OFFSET:
        # Signed in version 0, too: there, 31 bits are enough for what is not negative, and ffmpeg and other players read it so.
        columns[3] = read_column(trun, "i", width * count, at)[places[3] :: width]
    return columns


@cache
def _places(fields: int) -> list[int | None]:
    """Return where each of `_SAMPLE_FIELDS` stands among the fields of a sample; None if it is not there."""
    before = [(fields & (flag - 1)).bit_count() for flag in _SAMPLE_FIELDS]
    return [place if fields & flag else None for place, flag in zip(before, _SAMPLE_FIELDS, strict=True)]


def read_sequence_number(moof: Box) -> int:
    """Return the number in the `mfhd` of a `moof`. Raises Mp4Error if there is none."""
    return moof.require(b"mfhd").uint(4, 4)


def patched(moof: Box, *, sequence: int, track_ids: Mapping[int, int], decode_times: Mapping[int, int]) -> bytes:
    """Write a `moof` again with another sequence number, other track ids and other decode times, everything else as it is.

    `track_ids` has the new id of a `tfhd` by its `body`, the offset of its content in `moof.data`; `decode_times` has the new time of a
    `tfdt` of version 1 by the same.

    Raises:
        Mp4Error: it has no `mfhd`.
    """
    data = bytearray(moof.data)
    struct.pack_into(">I", data, moof.require(b"mfhd").body + 4, sequence)
    for body, track_id in track_ids.items():
        struct.pack_into(">I", data, body + 4, track_id)
    for body, time in decode_times.items():
        struct.pack_into(">Q", data, body + 4, time)
    return bytes(data)


def movie_fragment_bytes(sample_counts: Sequence[int]) -> int:
    """Return how long a `moof` is that `write_movie_fragment` writes, from the number of samples of each track."""
    return _MOOF_AND_MFHD_BYTES + sum(_TRAF_BYTES + _SAMPLE_BYTES * count for count in sample_counts)


def write_movie_fragment(sequence: int, tables: Sequence[SampleTable]) -> bytes:
    """Write a `moof` in which each sample has everything it needs.

    Raises:
        struct.error: a number does not fit into its field.
    """
    parts = (
        box(
            b"traf",
            full_box(b"tfhd", 0, _BASE_IS_MOOF, struct.pack(">I", table.track_id)),
            full_box(b"tfdt", 1, 0, struct.pack(">Q", table.decode_time)),
            full_box(b"trun", _run_version(table), 0xF01, struct.pack(">Ii", len(table.sizes), table.data_offset), _write_samples(table)),
        )
        for table in tables
    )
    return box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", sequence)), *parts)


def _run_version(table: SampleTable) -> int:
    """Return 1 if a composition offset is negative, which only that version can say."""
    return int(min(table.composition_offsets, default=0) < 0)


def _write_samples(table: SampleTable) -> bytes:
    values = [0] * (4 * len(table.sizes))
    values[0::4], values[1::4] = table.durations, table.sizes
    values[2::4], values[3::4] = table.flags, table.composition_offsets
    return struct.pack(f">{len(values)}i", *values)
