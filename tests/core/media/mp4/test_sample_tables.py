"""The tables of a plain MP4 say of each sample what was written: read back here by the standard alone (ISO/IEC 14496-12, 8.6 and 8.7)."""

import struct
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.media.mp4.boxes import Box, Mp4Error, box, boxes_of, full_box
from transcoder.core.media.mp4.fragment import NOT_SYNC, SampleRun
from transcoder.core.media.mp4.sample_tables import read_chunk_spans, read_sample_tables, write_chunk_offsets, write_sample_tables
from transcoder.core.media.mp4.track_samples import MAX_DURATION, Place, SampleOverlapError, TrackSamples

Sample = tuple[int, int, int, int]
"""Duration, size, flags and composition offset."""
samples_of_a_run = st.lists(
    st.tuples(
        st.integers(1, 5000),
        st.integers(1, 9),
        st.sampled_from([0, NOT_SYNC, 0x02000000, 0x01010000, 0x01800000 | NOT_SYNC]),
        st.integers(-3000, 3000),
    ),
    min_size=1,
    max_size=6,
)


def collected(runs: Sequence[Sequence[Sample]]) -> TrackSamples:
    samples, at = TrackSamples(), 7
    for number, run in enumerate(runs):
        durations, sizes, flags, offsets = ([sample[place] for sample in run] for place in range(4))
        samples.add(SampleRun(None, durations, sizes, flags, offsets), Place(0, 1000 * number), decode_time=at, description=1 + number % 2)
        at += sum(durations)
    return samples


def words(content: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(content) // 4}I", content)


def run_lengths(content: bytes) -> list[int]:
    """Return the values of a table of runs."""
    count, *rows = words(content)
    assert len(rows) == 2 * count
    return [value for length, value in zip(rows[::2], rows[1::2], strict=True) for _ in range(length)]


@given(st.lists(samples_of_a_run, min_size=1, max_size=5), st.booleans())
def test_each_table_says_what_was_written(runs: list[list[Sample]], has_sync: bool) -> None:  # noqa: FBT001 - drawn
    written = {each.type: each for each in boxes_of(write_sample_tables(collected(runs), has_sync=has_sync))}
    durations, sizes, flags, offsets = zip(*(sample for run in runs for sample in run), strict=True)
    assert run_lengths(written[b"stts"].content[4:]) == list(durations)
    assert words(written[b"stsz"].content[4:]) == (0, len(sizes), *sizes)
    if any(offsets):
        ctts = written[b"ctts"]
        assert [struct.unpack(">i", struct.pack(">I", value))[0] for value in run_lengths(ctts.content[4:])] == list(offsets)
        assert ctts.version == int(min(offsets) < 0)
    else:
        assert b"ctts" not in written
    sync = [number for number, flag in enumerate(flags, 1) if not flag & NOT_SYNC]
    assert (words(written[b"stss"].content[4:]) if b"stss" in written else None) == (
        (len(sync), *sync) if has_sync and len(sync) < len(flags) else None
    )
    dependencies = bytes(flag >> 20 & 0xFF for flag in flags)
    assert (written[b"sdtp"].content[4:] if b"sdtp" in written else None) == (dependencies if has_sync and any(dependencies) else None)


@given(st.lists(samples_of_a_run, min_size=1, max_size=5))
def test_each_chunk_has_its_samples_and_its_entry(runs: list[list[Sample]]) -> None:
    written = {each.type: each for each in boxes_of(write_sample_tables(collected(runs), has_sync=False))}
    count, *rows = words(written[b"stsc"].content[4:])
    firsts, samples, descriptions = rows[::3], rows[1::3], rows[2::3]
    assert len(firsts) == count
    assert firsts == sorted(set(firsts))
    expanded = []
    for first, following, number, description in zip(firsts, [*firsts[1:], len(runs) + 1], samples, descriptions, strict=True):
        expanded += [(number, description)] * (following - first)
    assert expanded == [(len(run), 1 + number % 2) for number, run in enumerate(runs)]
    pairs = list(zip(samples, descriptions, strict=True))
    assert all(before != after for before, after in pairwise(pairs)), "a row only where something differs"


@given(st.lists(samples_of_a_run, min_size=1, max_size=5))
def test_what_the_tables_add_up_to(runs: list[list[Sample]]) -> None:
    tables = write_sample_tables(collected(runs), has_sync=True)
    stbl = Box.whole(box(b"stbl", tables, write_chunk_offsets([0] * len(runs), wide=False)))
    found = read_sample_tables(stbl)
    everything = [sample for run in runs for sample in run]
    assert found
    durations, sizes, *_ = zip(*everything, strict=True)
    assert (found.samples, found.bytes, found.ticks) == (len(everything), sum(sizes), sum(durations))
    assert found.first_offset == everything[0][3]
    assert found.descriptions == {1 + number % 2 for number in range(len(runs))}


@pytest.mark.parametrize(("gap", "duration"), [(0, 10), (5, 15), (-9, 1), (MAX_DURATION - 10, MAX_DURATION)])
def test_time_that_is_left_out_belongs_to_the_sample_before(gap: int, duration: int) -> None:
    samples = TrackSamples()
    run = SampleRun(None, [10, 10], [1, 1], [0, 0], [0, 0])
    samples.add(run, Place(0, 0), decode_time=100)
    samples.add(run, Place(0, 2), decode_time=120 + gap)
    assert list(samples.durations) == [10, duration, 10, 10]
    assert list(samples.decode_times) == [100, 110, 120 + gap, 130 + gap, 140 + gap]
    assert (samples.start, samples.end) == (100, 140 + gap)


@pytest.mark.parametrize("gap", [-10, -11, -1000, MAX_DURATION - 9])
def test_a_sample_that_would_have_no_time_or_too_much_is_refused(gap: int) -> None:
    samples = TrackSamples()
    run = SampleRun(None, [10, 10], [1, 1], [0, 0], [0, 0])
    samples.add(run, Place(0, 0), decode_time=100)
    with pytest.raises(SampleOverlapError):
        samples.add(run, Place(0, 2), decode_time=120 + gap)


@given(st.lists(samples_of_a_run, min_size=1, max_size=4), st.data())
def test_samples_that_are_kept_keep_their_times_and_places(runs: list[list[Sample]], data: st.DataObject) -> None:
    samples = collected(runs)
    count = len(samples.sizes)
    kept = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    found = samples.kept(kept)
    times = [time for time, keep in zip(samples.presentation_times, kept, strict=False) if keep]
    assert list(found.presentation_times) == times
    assert list(found.sizes) == [size for size, keep in zip(samples.sizes, kept, strict=True) if keep]
    assert list(found.flags) == [flag for flag, keep in zip(samples.flags, kept, strict=True) if keep]
    assert places_of(found) == [place for place, keep in zip(places_of(samples), kept, strict=True) if keep]


def places_of(samples: TrackSamples) -> list[tuple[int, int]]:
    """Return the offset of each sample in its resource, and its sample entry."""
    found, sizes = [], iter(samples.sizes)
    for chunk in samples.chunks:
        at = chunk.place.offset
        for _ in range(chunk.samples):
            found.append((at, chunk.description))
            at += next(sizes)
        assert at == chunk.place.offset + chunk.bytes
    return found


@pytest.mark.parametrize(("same", "samples", "total"), [(100, 90, 9000), (1, 2**32 - 1, 2**32 - 1)])
def test_samples_may_all_have_the_same_size(same: int, samples: int, total: int) -> None:
    stsz = full_box(b"stsz", 0, 0, struct.pack(">II", same, samples))
    found = read_sample_tables(Box.whole(box(b"stbl", stsz)))
    assert found
    assert (found.samples, found.bytes, found.ticks, found.first_offset, found.descriptions) == (samples, total, 0, 0, frozenset())


@pytest.mark.parametrize(
    "tables", [b"", full_box(b"stsz", 0, 0, struct.pack(">II", 0, 0)), full_box(b"stsz", 0, 0, struct.pack(">II", 5, 0))]
)
def test_a_track_in_fragments_lists_no_samples(tables: bytes) -> None:
    assert read_sample_tables(Box.whole(box(b"stbl", tables))) is None


@pytest.mark.parametrize(("lowest", "version"), [(-2, 1), (-1, 1), (0, 0), (1, 0)])
def test_offsets_below_zero_need_a_later_version_of_their_table(lowest: int, version: int) -> None:
    written = {each.type: each for each in boxes_of(write_sample_tables(collected([[(1, 1, 0, 5), (1, 1, 0, lowest)]]), has_sync=False))}
    assert written[b"ctts"].version == version


def chunk_spans(chunks: Sequence[int], rows: Sequence[tuple[int, int]], sizes: Sequence[int], *, same: int = 0) -> list[tuple[int, int]]:
    """Read the spans of chunks at these offsets; a row says from which chunk on each has so many samples."""
    stsz = full_box(b"stsz", 0, 0, struct.pack(f">II{0 if same else len(sizes)}I", same, len(sizes), *([] if same else sizes)))
    entries = [number for first, samples in rows for number in (first, samples, 1)]
    stsc = full_box(b"stsc", 0, 0, struct.pack(f">I{len(entries)}I", len(rows), *entries))
    return list(read_chunk_spans(Box.whole(box(b"stbl", stsz, stsc, write_chunk_offsets(chunks, wide=False)))))


def test_a_chunk_ends_after_its_samples() -> None:
    assert chunk_spans([100, 200, 300], [(1, 2), (3, 1)], [1, 2, 3, 4, 5]) == [(100, 103), (200, 207), (300, 305)]
    assert chunk_spans([100, 200, 300], [(1, 2), (3, 1)], [7] * 5, same=7) == [(100, 114), (200, 214), (300, 307)]
    assert chunk_spans([], [], []) == []


@pytest.mark.parametrize(
    ("chunks", "rows", "sizes"),
    [
        pytest.param([100, 200], [(1, 2)], [1] * 3, id="a sample less than the chunks have"),
        pytest.param([100, 200], [(1, 2)], [1] * 5, id="a sample more"),
        pytest.param([100, 200], [(0, 2), (1, 1)], [1] * 4, id="a chunk before the first one"),
        pytest.param([100], [(1, 1), (3, 1)], [1] * 3, id="a row for a chunk that is not there"),
        pytest.param([100, 200], [(2, 2)], [1] * 4, id="chunks in no row"),
        pytest.param([], [], [1], id="no chunks"),
    ],
)
def test_tables_that_do_not_agree_are_refused(chunks: list[int], rows: list[tuple[int, int]], sizes: list[int]) -> None:
    with pytest.raises(Mp4Error, match="do not agree"):
        chunk_spans(chunks, rows, sizes)


@pytest.mark.parametrize(("lacking", "total"), [(0, 6), (1, 0), (4, 0)])
def test_sizes_count_if_all_of_them_are_there(lacking: int, total: int) -> None:
    content = struct.pack(">5I", 0, 3, 1, 2, 3)
    found = read_sample_tables(Box.whole(box(b"stbl", full_box(b"stsz", 0, 0, content[: len(content) - lacking]))))
    assert found
    assert (found.samples, found.bytes) == (3, total)
