"""A fragment with other times leads to the same bytes, whatever its data offsets count from (ISO/IEC 14496-12, 8.8.7)."""

import struct

import pytest

from transcoder.core.media.mp4.boxes import Box, box, full_box
from transcoder.core.media.mp4.fragment import TrackFragment, read_track_fragments
from transcoder.core.media.mp4.movie import TrackDefaults
from transcoder.core.media.mp4.retimed_fragment import SampleTimes, with_times

MOVED = 1000
SIZES = [30, 40]
BASES = {"stream": 0x000001, "moof": 0x020000, "none": 0}
"""Flags of a `tfhd` for what the data offsets count from."""


def track(number: int, base: str) -> bytes:
    """Return a `traf` of two samples with a `tfdt` of 32 bits, and without composition offsets."""
    tfhd = full_box(b"tfhd", 0, BASES[base], struct.pack(">I", number), struct.pack(">Q", 5000) if base == "stream" else b"")
    trun = full_box(b"trun", 1, 0x301, struct.pack(">Ii", 2, 100 * number), struct.pack(">4I", 10, SIZES[0], 20, SIZES[1]))
    return box(b"traf", tfhd, full_box(b"tfdt", 0, 0, struct.pack(">I", 7)), trun, full_box(b"sbgp", 0, 0, bytes(8)))


def tracks_of(moof: Box) -> list[TrackFragment]:
    return list(read_track_fragments(moof, lambda _: TrackDefaults(0, 0, 0)))


def places(found: TrackFragment) -> list[int]:
    """Return where the data of each run lies, counted from what its `tfhd` says."""
    return [(found.base_data_offset or 0) + (run.data_offset or 0) for run in found.runs]


@pytest.mark.parametrize("changed", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("first", BASES)
@pytest.mark.parametrize("second", BASES)
def test_data_are_found_where_they_have_moved_to(first: str, second: str, changed: tuple[int, ...]) -> None:
    bases = [first, second]
    moof = Box.whole(box(b"moof", full_box(b"mfhd", 0, 0, bytes(4)), *(track(number, base) for number, base in enumerate(bases, 1))))
    before = tracks_of(moof)
    times = {before[index].box.start: SampleTimes(9, [1, 2], [11, 21]) for index in changed}
    written = with_times(moof, before, times, moved=MOVED)
    longer = len(written) - len(moof.data)
    assert longer == len(changed) * (4 + 2 * 4), "a time of 64 bits, and two offsets"
    # Without a base of its own, the second track counts from the end of the data of the first one; the first one from the moof.
    by = {"stream": MOVED + longer, "moof": longer, "none": 0}
    after = tracks_of(Box.whole(written))
    expected = [by["moof"] if first == "none" else by[first], by[second]]
    assert [places(new)[0] - places(old)[0] for new, old in zip(after, before, strict=True)] == expected
    for index, new in enumerate(after):
        (run,) = new.runs
        is_changed = index in changed
        assert (new.decode_time, list(run.sizes)) == (9 if is_changed else 7, SIZES)
        assert list(run.durations) == ([11, 21] if is_changed else [10, 20])
        assert list(run.composition_offsets) == ([1, 2] if is_changed else [0, 0])
        assert [child.type for child in new.box.children()] == [b"tfhd", b"tfdt", b"trun", b"sbgp"]
