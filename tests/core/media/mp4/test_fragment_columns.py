"""A `trun` is read, and written again with other times, whichever of its fields it has (ISO/IEC 14496-12, 8.8.8)."""

import struct
from itertools import product

import pytest

from transcoder.core.media.mp4.boxes import Box, Mp4Error, box, full_box
from transcoder.core.media.mp4.fragment import SampleRun, TrackFragment, read_track_fragments
from transcoder.core.media.mp4.movie import TrackDefaults
from transcoder.core.media.mp4.retimed_fragment import SampleTimes, with_times

DEFAULTS = TrackDefaults(71, 72, 73)
FIELDS = {0x100: (1, 2, 3), 0x200: (11, 12, 13), 0x400: (2**32 - 1, 22, 23), 0x800: (-1, 0, 2**31 - 1)}
"""Durations, sizes, flags and composition offsets of three samples, by the flag that says that they are listed."""
FORMS = [sum(flags) for flags in product(*((0, flag) for flag in (0x001, 0x004, *FIELDS)))]


def fragment(flags: int, *, version: int = 1) -> Box:
    """Write a `moof` with a `trun` of these flags behind another one that has no fields."""
    listed = [FIELDS[flag] for flag in FIELDS if flags & flag]
    head = struct.pack(">I", 3) + (struct.pack(">i", -50) if flags & 0x001 else b"") + (b"\2\0\0\0" if flags & 0x004 else b"")
    rows = b"".join((value & 0xFFFFFFFF).to_bytes(4) for row in zip(*listed, strict=True) for value in row)
    runs = full_box(b"trun", 0, 0, struct.pack(">I", 2)), full_box(b"trun", version, flags, head, rows)
    return Box.whole(box(b"moof", box(b"traf", full_box(b"tfhd", 0, 0x020000, struct.pack(">I", 1)), *runs)))


def read(moof: Box) -> TrackFragment:
    (found,) = read_track_fragments(moof, lambda _: DEFAULTS)
    return found


def columns(run: SampleRun) -> list[list[int]]:
    return [list(column) for column in (run.durations, run.sizes, run.flags, run.composition_offsets)]


def listed(flags: int) -> list[list[int]]:
    """Return the four columns that a `trun` of these flags has."""
    defaults = (*DEFAULTS[:3], 0)
    found = [list(FIELDS[flag]) if flags & flag else [default] * 3 for flag, default in zip(FIELDS, defaults, strict=True)]
    if flags & 0x004:
        found[2][0] = 0x02000000
    return found


@pytest.mark.parametrize("flags", FORMS, ids=hex)
def test_each_field_is_found_whatever_is_in_front_of_it(flags: int) -> None:
    for version in (0, 1):
        first, run = read(fragment(flags, version=version)).runs
        assert columns(run) == listed(flags)
        assert run.data_offset == (-50 if flags & 0x001 else None)
        assert columns(first) == [[71] * 2, [72] * 2, [73] * 2, [0] * 2]


@pytest.mark.parametrize("durations", [None, [5, 6, 7, 8, 9]])
@pytest.mark.parametrize("flags", FORMS, ids=hex)
def test_what_is_written_with_other_times_keeps_all_else(flags: int, durations: list[int] | None) -> None:
    moof = fragment(flags)
    before = read(moof)
    written = Box.whole(with_times(moof, [before], {before.box.start: SampleTimes(-9, [31, 32, 33, 34, 35], durations)}, moved=0))
    after = read(written)
    assert after.time is not None
    assert (after.decode_time, after.time.version, after.time.flags) == (-9, 1, 0)
    for run, first in ((0, 0), (1, 2)):
        kept, got = columns(before.runs[run]), columns(after.runs[run])
        end = first + len(kept[0])
        assert got == [kept[0] if durations is None else durations[first:end], kept[1], kept[2], [31, 32, 33, 34, 35][first:end]]
    longer = len(written.data) - len(moof.data)
    assert after.runs[1].data_offset == (longer - 50 if flags & 0x001 else None)
    assert after.base_is_moof


@pytest.mark.parametrize("flags", FORMS, ids=hex)
def test_a_run_lists_no_more_than_it_did_and_its_times(flags: int) -> None:
    moof = fragment(flags)
    before = read(moof)
    kinds = []
    for durations in (None, [5] * 5):
        written = Box.whole(with_times(moof, [before], {before.box.start: SampleTimes(0, [1] * 5, durations)}, moved=0))
        kinds.append([child.flags for child in written.require(b"traf").children() if child.type == b"trun"])
    assert kinds == [[0x800, flags | 0x800], [0x900, flags | 0x900]]


@pytest.mark.parametrize("flags", FORMS, ids=hex)
def test_a_track_that_keeps_its_times_is_written_as_it_is_but_for_its_place(flags: int) -> None:
    other, kept = fragment(0x201).require(b"traf").raw, fragment(flags).require(b"traf").raw
    moof = Box.whole(box(b"moof", full_box(b"mfhd", 0, 0, bytes(4)), other, box(b"free"), kept))
    before = list(read_track_fragments(moof, lambda _: DEFAULTS))
    written = Box.whole(with_times(moof, before, {before[0].box.start: SampleTimes(5, [0] * 5)}, moved=0))
    longer = len(written.data) - len(moof.data)
    at = written.data[: -len(kept)].rindex(b"free") + 4
    moved = kept.replace(struct.pack(">i", -50), struct.pack(">i", longer - 50)) if flags & 0x001 else kept
    assert written.data[8:24] == moof.data[8:24], "its `mfhd`"
    assert written.data[at - 8 : at] == box(b"free")
    assert written.data[at:] == moved


@pytest.mark.parametrize(
    ("times", "moved"),
    [
        pytest.param(SampleTimes(2**63, [0] * 5), 0, id="a decode time"),
        pytest.param(SampleTimes(0, [0, 0, 2**32, 0, 0]), 0, id="a composition offset"),
        pytest.param(SampleTimes(0, [0] * 5, [0, 0, -1, 0, 0]), 0, id="a duration"),
        pytest.param(None, 2**64, id="a place in the stream"),
    ],
)
def test_times_and_places_that_do_not_fit_into_their_fields_are_refused(times: SampleTimes | None, moved: int) -> None:
    runs = full_box(b"trun", 0, 0, struct.pack(">I", 2)), full_box(b"trun", 0, 0, struct.pack(">I", 3))
    tfhd = full_box(b"tfhd", 0, 0x000001, struct.pack(">IQ", 1, 50))
    moof = Box.whole(box(b"moof", box(b"traf", tfhd, *runs)))
    before = read(moof)
    with pytest.raises(Mp4Error, match="impossible times or offsets"):
        with_times(moof, [before], {before.box.start: times} if times else {}, moved=moved)
