"""Columns that take no byte in the file stand for lists, and take neither memory nor time."""

import time
from itertools import accumulate

import pytest
from fuzz.media_pieces import moof, trun, u32
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.media.mp4.box_limits import MAX_CHILDREN
from transcoder.core.media.mp4.box_reader import BoxReader
from transcoder.core.media.mp4.boxes import Box, Mp4Error, box, boxes_of, leading_boxes
from transcoder.core.media.mp4.fragment import MAX_RUNS, MAX_SAMPLES, read_track_fragments
from transcoder.core.media.mp4.movie import TrackDefaults
from transcoder.core.media.mp4.sample_columns import Repeated, latest_presentation, lowest, presented, total

DEFAULTS = TrackDefaults(3000, 100, 0x10000)
numbers = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=8)


@given(st.integers(-(2**31), 2**32 - 1), st.integers(0, 20), st.slices(20))
def test_a_repeated_number_is_like_a_list(value: int, length: int, part: slice) -> None:
    column, same = Repeated(value, length), [value] * length
    assert list(column) == same
    assert list(column[part]) == same[part]
    assert (len(column), total(column), lowest(column)) == (length, sum(same), min(same, default=0))
    with pytest.raises(IndexError):
        column[length]


@given(st.integers(0, 2**40), numbers, st.lists(st.integers(-(2**31), 2**31 - 1), min_size=8, max_size=8), st.booleans(), st.booleans())
def test_presentation_times_are_those_of_lists(first: int, durations: list[int], offsets: list[int], one: bool, other: bool) -> None:  # noqa: FBT001
    count = len(durations)
    some_durations = Repeated(durations[0], count) if one else durations
    some_offsets = Repeated(offsets[0], count) if other else offsets[:count]
    times = list(accumulate(some_durations, initial=first))[:-1]
    expected = max(time + offset for time, offset in zip(times, some_offsets, strict=True))
    assert latest_presentation(first, some_durations, some_offsets) == expected
    starts = [time + offset for time, offset in zip(times, some_offsets, strict=True)]
    ends = [start + duration for start, duration in zip(starts, some_durations, strict=True)]
    assert presented(first, some_durations, some_offsets) == (min(starts), max(ends))


def test_a_run_without_fields_costs_nothing() -> None:
    data = moof(*[trun(MAX_SAMPLES, flags=0x4, samples=u32(7))] * 100)
    started = time.process_time()
    (fragment,) = read_track_fragments(Box.whole(data), lambda _: DEFAULTS)
    assert time.process_time() - started < 0.1
    assert [run.durations for run in fragment.runs] == 100 * [Repeated(3000, MAX_SAMPLES)]
    assert list(fragment.runs[0].flags[:3]) == [7, 0x10000, 0x10000]


def test_the_numbers_of_boxes_and_runs_are_limited() -> None:
    with pytest.raises(Mp4Error, match="more than"):
        list(read_track_fragments(Box.whole(moof(*[trun(1)] * (MAX_RUNS // 2), *[box(b"free")] * (MAX_RUNS // 2))), lambda _: DEFAULTS))
    with pytest.raises(Mp4Error, match="more than"):
        list(boxes_of(box(b"free") * (MAX_CHILDREN + 1)))
    assert len(list(boxes_of(box(b"free") * MAX_CHILDREN))) == MAX_CHILDREN


@pytest.mark.parametrize(("size", "is_allowed"), [(8, False), (32, False), (64, True), (1000, True)])
def test_boxes_may_be_many_if_they_are_not_small(size: int, *, is_allowed: bool) -> None:
    data = box(b"free", bytes(size - 8)) * 3 * MAX_CHILDREN
    for walk in (leading_boxes, BoxReader(collected=frozenset(), max_box_bytes=0).feed):
        if is_allowed:
            assert sum(1 for _ in walk(data)) >= 3 * MAX_CHILDREN
        else:
            with pytest.raises(Mp4Error, match="too many small boxes"):
                list(walk(data))
