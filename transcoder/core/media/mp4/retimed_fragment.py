"""A `moof` written again with other times of its samples, everything else as it is (ISO/IEC 14496-12, 8.8.4 to 8.8.12)."""

import struct
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from transcoder.core.media.mp4.boxes import Box, Mp4Error, box, full_box
from transcoder.core.media.mp4.fragment import SampleRun, TrackFragment

_BASE_DATA_OFFSET = 0x000001
"""The flag of a `tfhd` that has one."""
_DATA_OFFSET, _FIRST_SAMPLE_FLAGS = 0x001, 0x004
_DURATION, _SIZE, _FLAGS, _COMPOSITION_OFFSET = 0x100, 0x200, 0x400, 0x800
"""Flags of a `trun` for what each sample has, in the order of its fields."""


class SampleTimes(NamedTuple):
    """The times of the samples of one `traf`, in ticks."""

    decode_time: int
    """Of the first one."""
    composition_offsets: Sequence[int]
    """One for each sample; none is negative."""
    durations: Sequence[int] | None = None
    """One for each sample; None: as they are."""

    def part(self, first: int, end: int) -> "SampleTimes":
        """Return the offsets and durations of the samples from `first` up to, but not including, `end`."""
        durations = None if self.durations is None else self.durations[first:end]
        return SampleTimes(self.decode_time, self.composition_offsets[first:end], durations)


def with_times(moof: Box, fragments: Sequence[TrackFragment], times: Mapping[int, SampleTimes], *, moved: int) -> bytes:
    """Write a `moof` again, with its data offsets as its new length makes them.

    Args:
        moof: as it stands in its stream.
        fragments: all of its `traf` boxes.
        times: those of the `traf` boxes that get others, by the `start` of the box.
        moved: how many bytes longer the stream in front of it is than it was; a `tfhd` may count from the beginning of the stream.

    Raises:
        Mp4Error: a time or an offset does not fit into its field.
    """
    try:
        written = _write(moof, fragments, times, moved=moved, longer=0)
        longer = len(written) - (moof.end - moof.start)
        return _write(moof, fragments, times, moved=moved, longer=longer) if longer else written
    except (struct.error, OverflowError) as error:
        raise Mp4Error(moof.position, "the box moof has impossible times or offsets") from error


def _write(moof: Box, fragments: Sequence[TrackFragment], times: Mapping[int, SampleTimes], *, moved: int, longer: int) -> bytes:
    """Write a `moof` that is so many bytes `longer` than it was."""
    parts, samples, in_order = [], 0, iter(fragments)
    for child in moof.children():
        if child.type != b"traf":
            parts.append(child.raw)
            continue
        fragment = next(in_order)
        # Without a base of its own, a track's data is counted from the end of that of the track before it (8.8.7.1).
        counts_from_moof = fragment.base_is_moof or not samples
        samples += fragment.samples
        data_moved = longer if counts_from_moof and fragment.base_data_offset is None else 0
        parts.append(box(b"traf", *_track_boxes(fragment, times.get(child.start), data_moved=data_moved, base_moved=moved + longer)))
    return box(b"moof", *parts)


def _track_boxes(fragment: TrackFragment, times: SampleTimes | None, *, data_moved: int, base_moved: int) -> Iterator[bytes]:
    """Iterate over the boxes of a `traf`."""
    runs, at = iter(fragment.runs), 0
    for child in fragment.box.children():
        if child.start == fragment.header.start:
            yield _with_base_moved(child, base_moved)
            if times:
                yield full_box(b"tfdt", 1, 0, struct.pack(">q", times.decode_time))
        elif child.type == b"trun":
            run = next(runs)
            at, first = at + len(run.sizes), at
            yield _write_run(child, run, times.part(first, at), data_moved) if times else _with_data_moved(child, data_moved)
        elif child.type != b"tfdt" or not times:
            yield child.raw


def _with_base_moved(tfhd: Box, moved: int) -> bytes:
    if not tfhd.flags & _BASE_DATA_OFFSET:
        return tfhd.raw
    content = bytearray(tfhd.content)
    struct.pack_into(">Q", content, 8, tfhd.uint(8, 8) + moved)
    return box(b"tfhd", bytes(content))


def _with_data_moved(trun: Box, moved: int) -> bytes:
    if not trun.flags & _DATA_OFFSET:
        return trun.raw
    content = bytearray(trun.content)
    struct.pack_into(">i", content, 8, trun.sint(8, 4) + moved)
    return box(b"trun", bytes(content))


def _write_run(trun: Box, run: SampleRun, times: SampleTimes, moved: int) -> bytes:
    flags = trun.flags | _COMPOSITION_OFFSET | (0 if times.durations is None else _DURATION)
    durations = run.durations if times.durations is None else times.durations
    columns = ((_DURATION, durations), (_SIZE, run.sizes), (_FLAGS, run.listed_flags), (_COMPOSITION_OFFSET, times.composition_offsets))
    fields = [struct.pack(">I", len(run.sizes))]
    fields += [struct.pack(">i", run.data_offset + moved)] if run.data_offset is not None else []
    fields += [struct.pack(">I", run.first_flags)] if run.first_flags is not None else []
    return full_box(b"trun", trun.version, flags, *fields, _interleaved([column for flag, column in columns if flags & flag]))


def _interleaved(columns: Sequence[Sequence[int]]) -> bytes:
    """Write one number of each column for each sample."""
    values = array("I", bytes(4 * len(columns) * len(columns[0])))
    for index, column in enumerate(columns):
        values[index :: len(columns)] = array("I", column)
    if sys.byteorder == "little":
        values.byteswap()
    return values.tobytes()
