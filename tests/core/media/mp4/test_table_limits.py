"""Tables and headers that are cut short, and those with numbers at the limits of their fields."""

import struct

import pytest
from fuzz.media_pieces import u32

from transcoder.core.media.mp4.boxes import Box, Mp4Error, box, boxes_of, full_box
from transcoder.core.media.mp4.fragment import SampleRun
from transcoder.core.media.mp4.language import iso_639, pack_language
from transcoder.core.media.mp4.movie import EMPTY_EDIT, Edit, read_edits, with_duration, write_media_header, write_track_header
from transcoder.core.media.mp4.sample_columns import Repeated, read_column
from transcoder.core.media.mp4.sample_tables import SampleTables, read_sample_tables, write_sample_tables
from transcoder.core.media.mp4.track_samples import Place, SampleOverlapError, TrackSamples

COUNTS = [(0, 0), (1, 1), (2, 2), (3, 2), (2**32 - 1, 2)]
"""How many rows a table announces, and how many of two are read."""


def stbl(*tables: bytes) -> SampleTables:
    found = read_sample_tables(Box.whole(box(b"stbl", full_box(b"stsz", 0, 0, u32(5, 4)), *tables)))
    assert found
    return found


@pytest.mark.parametrize("spare", [0, 1, 7])
@pytest.mark.parametrize(("announced", "read"), COUNTS)
def test_rows_that_are_not_there_are_not_read(announced: int, read: int, spare: int) -> None:
    durations = stbl(full_box(b"stts", 0, 0, u32(announced, 3, 100, 1, 7), bytes(spare)))
    assert durations.ticks == [0, 300, 307][read]
    chunks = stbl(full_box(b"stsc", 0, 0, u32(announced, 1, 1, 3, 2, 1, 0), bytes(spare)))
    assert chunks.descriptions == frozenset([3, 1][:read]), "0 stands for the first one"
    edits = [Edit(2**32 - 1, 2**31 - 1), Edit(5, EMPTY_EDIT)][:read]
    short = u32(announced, 2**32 - 1, 2**31 - 1, 0x10000, 5, 2**32 - 1, 0x10000)
    assert read_edits(Box.whole(full_box(b"elst", 0, 0, short, bytes(spare)))) == tuple(edits)
    wide = u32(announced) + struct.pack(">QqIQqI", 2**63, -(2**63), 0x10000, 5, -1, 0x10000)
    assert read_edits(Box.whole(full_box(b"elst", 1, 0, wide, bytes(spare)))) == (Edit(2**63, -(2**63)), Edit(5, -1))[:read]


@pytest.mark.parametrize(("offset", "first"), [(0, 0), (7, 7), (-7, -7)])
def test_the_first_composition_offset(offset: int, first: int) -> None:
    rows = u32(2, 1) + struct.pack(">iIi", offset, 3, 99)
    assert stbl(full_box(b"ctts", 1, 0, rows)).first_offset == first
    assert stbl(full_box(b"ctts", 1, 0, u32(0))).first_offset == 0
    assert stbl().first_offset == 0


@pytest.mark.parametrize("kind", [b"mvhd", b"tkhd", b"mdhd"])
@pytest.mark.parametrize("version", [0, 1])
def test_a_header_that_is_cut_short_is_refused(kind: bytes, version: int) -> None:
    length = (32 if version else 20) + (4 if kind == b"tkhd" else 0)
    whole = full_box(kind, version, 0, bytes(length - 4))
    assert Box.whole(with_duration(Box.whole(whole), 5)).version == 0
    for size in range(12, len(whole)):
        cut = Box.whole(struct.pack(">I", size) + whole[4:size])
        with pytest.raises(Mp4Error):
            with_duration(cut, 5)
        with pytest.raises(Mp4Error):
            with_duration(cut, 5, created=7)


@pytest.mark.parametrize("dates", [(2**32 - 1, 2**32 - 1), (2**32, 0), (0, 2**32)])
def test_dates_that_need_64_bits_keep_them(dates: tuple[int, int]) -> None:
    whole = full_box(b"mdhd", 1, 0, struct.pack(">QQIQ", *dates, 600, 9), b"\x55\xc4\0\0")
    is_wide = max(dates) >= 2**32
    written = full_box(b"mdhd", int(is_wide), 0, struct.pack(">QQIQ" if is_wide else ">IIII", *dates, 600, 5), b"\x55\xc4\0\0")
    assert with_duration(Box.whole(whole), 5) == write_media_header(Box.whole(whole), 5, language=None) == written
    later = full_box(b"mdhd", 1, 0, struct.pack(">QQIQ", 2**32, 2**32, 7, 5), b"\x55\xc4\0\0")
    assert with_duration(Box.whole(whole), 5, timescale=7, created=2**32) == later


@pytest.mark.parametrize("wide", [False, True])
def test_a_track_header_has_its_number_behind_dates_of_either_width(*, wide: bool) -> None:
    tkhd = Box.whole(full_box(b"tkhd", int(wide), 4, struct.pack(">QQ" if wide else ">II", 2**32 if wide else 1, 2), u32(9), bytes(72)))
    head = full_box(b"tkhd", int(wide), 7, struct.pack(">QQ" if wide else ">II", 2**32 if wide else 1, 2))
    assert write_track_header(tkhd, track_id=3, duration=5)[12:].startswith(head[12:] + u32(3, 0, *([0] if wide else []), 5))


@pytest.mark.parametrize("offsets", [[0, 0], [1, 0]])
def test_tables_have_version_0_and_no_flags_unless_offsets_are_negative(offsets: list[int]) -> None:
    samples = TrackSamples()
    samples.add(SampleRun(None, [1, 2], [3, 4], [0x01010000, 0x02000000], offsets), Place(0, 0), decode_time=0)
    found = {each.type: each for each in boxes_of(write_sample_tables(samples, has_sync=True))}
    assert list(found) == [b"stts", *([b"ctts"] if any(offsets) else []), b"stss", b"sdtp", b"stsc", b"stsz"]
    assert {(each.version, each.flags) for each in found.values()} == {(0, 0)}


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(SampleRun(None, [2**32], [1], [0], [0]), id="a duration"),
        pytest.param(SampleRun(None, [1], [2**32], [0], [0]), id="a size"),
        pytest.param(SampleRun(None, [1], [1], [0], [2**31]), id="an offset"),
    ],
)
def test_a_number_that_does_not_fit_into_its_table_is_no_plain_layout(column: SampleRun) -> None:
    with pytest.raises(SampleOverlapError):
        TrackSamples().add(column, Place(0, 0), decode_time=0)


def test_the_times_of_samples_as_they_are_collected() -> None:
    samples = TrackSamples()
    samples.add(SampleRun(None, [], [], [], []), Place(0, 0), decode_time=5)
    samples.add(SampleRun(None, [10, 0, 20], [1, 2, 3], [7, 8, 9], [30, 5, 0], first_flags=6), Place(4, 50), decode_time=100, description=2)
    samples.add(SampleRun(None, [], [], [], []), Place(0, 0), decode_time=5)
    samples.add(SampleRun(None, [5], [4], [9], [0]), Place(4, 90), decode_time=130)
    assert (list(samples.decode_times), list(samples.presentation_times)) == ([100, 110, 110, 130, 135], [130, 115, 110, 130])
    assert (samples.first_presented, samples.presented_until, samples.start, samples.end) == (110, 140, 100, 135)
    assert (list(samples.sizes), list(samples.flags), list(samples.offsets)) == ([1, 2, 3, 4], [6, 8, 9, 9], [30, 5, 0, 0])
    assert samples.chunks == [(3, 2, (4, 50), 6), (1, 1, (4, 90), 4)]
    nothing = samples.kept([False] * 4)
    assert not any((nothing.durations, nothing.sizes, nothing.flags, nothing.offsets, nothing.chunks, nothing.start, nothing.end))


@pytest.mark.parametrize(("durations", "is_refused"), [([0, 0], False), ([0, 0, 5], True), ([5, 0, 0], False), ([5, 0, 0, 5], True)])
def test_only_the_last_of_a_run_may_lack_time_behind_another_that_does(durations: list[int], *, is_refused: bool) -> None:
    same = [1] * len(durations)
    run, samples = SampleRun(None, durations, same, same, same), TrackSamples()
    if is_refused:
        with pytest.raises(SampleOverlapError):
            samples.add(run, Place(0, 0), decode_time=0)
    else:
        samples.add(run, Place(0, 0), decode_time=0)
        assert list(samples.durations) == durations


@pytest.mark.parametrize(("tag", "code"), [
    ("DE", "deu"), ("en-US", "eng"), ("zho-Hant", "zho"), ("ab", "abk"), ("zu", "zul"), ("qq", None), ("d3u", None), ("déu", None),
    ("", None), ("-en", None), ("engl", None), (None, None),
])  # fmt: skip
def test_the_language_of_a_tag(tag: str | None, code: str | None) -> None:
    assert iso_639(tag) == code
    packed = None if code is None else int("".join(f"{ord(letter) - 96:05b}" for letter in code), 2)
    assert pack_language(tag) == packed


def test_a_repeated_number_is_in_a_column_that_is_not_empty() -> None:
    assert 5 in Repeated(5, 1)
    assert 5 not in Repeated(5, 0)
    assert 4 not in Repeated(5, 1)


def test_a_column_is_read_where_all_of_it_is() -> None:
    data = Box.whole(box(b"trun", u32(1, 2**32 - 1, 3)))
    assert list(read_column(data, "I", 2, 4)) == [2**32 - 1, 3]
    assert list(read_column(data, "i", 3, 0)) == [1, -1, 3]
    assert list(read_column(data, "I", 0, 99)) == []
    for count, at in ((1, 9), (2, 5), (3, 1), (1, 12)):
        with pytest.raises(Mp4Error, match="trun ends too early"):
            read_column(data, "I", count, at)
