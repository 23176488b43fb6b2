"""What each family of boxes writes, it reads back."""

import struct
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.media.mp4.boxes import Box, Mp4Error, box, full_box
from transcoder.core.media.mp4.fragment import (
    MAX_SAMPLES,
    SampleTable,
    movie_fragment_bytes,
    patched,
    read_sequence_number,
    read_track_fragments,
    write_movie_fragment,
)
from transcoder.core.media.mp4.mfra import IndexEntry, read_index, write_index
from transcoder.core.media.mp4.movie import (
    EMPTY_EDIT,
    Edit,
    TrackDefaults,
    read_edits,
    with_duration,
    write_edits,
    write_media_header,
    write_track_header,
)

u32, i32, u64 = st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**64 - 1)
positive_i32 = st.integers(0, 2**31 - 1)
samples = st.tuples(positive_i32, positive_i32, positive_i32, i32)
NO_DEFAULTS = TrackDefaults(0, 0, 0)


@st.composite
def sample_tables(draw: st.DrawFn) -> SampleTable:
    rows = draw(st.lists(samples, max_size=8))
    columns = [[row[index] for row in rows] for index in range(4)]
    return SampleTable(draw(u32), draw(st.integers(0, 2**63 - 1)), draw(i32), *columns)


@given(u32, st.lists(sample_tables(), max_size=3))
def test_a_movie_fragment(sequence: int, tables: list[SampleTable]) -> None:
    written = write_movie_fragment(sequence, tables)
    assert len(written) == movie_fragment_bytes([len(table.sizes) for table in tables])
    moof = Box.whole(written)
    assert read_sequence_number(moof) == sequence
    found = list(read_track_fragments(moof, lambda _: NO_DEFAULTS))
    assert all(fragment.base_is_moof for fragment in found)
    for fragment, table in zip(found, tables, strict=True):
        (run,) = fragment.runs
        assert (fragment.track_id, fragment.decode_time, run.data_offset) == (table.track_id, table.decode_time, table.data_offset)
        columns = (run.durations, run.sizes, run.flags, run.composition_offsets)
        assert [list(column) for column in columns] == [table.durations, table.sizes, table.flags, table.composition_offsets]


@given(u32, u32, st.integers(0, 2**63 - 1), sample_tables())
def test_a_patched_movie_fragment(sequence: int, track_id: int, time: int, table: SampleTable) -> None:
    moof = Box.whole(write_movie_fragment(1, [table]))
    (before,) = read_track_fragments(moof, lambda _: NO_DEFAULTS)
    assert before.time is not None
    data = patched(moof, sequence=sequence, track_ids={before.header.body: track_id}, decode_times={before.time.body: time})
    (after,) = read_track_fragments(Box.whole(data), lambda _: NO_DEFAULTS)
    assert (read_sequence_number(Box.whole(data)), after.track_id, after.decode_time) == (sequence, track_id, time)
    assert after.runs == before.runs


def test_samples_take_what_they_lack_from_tfhd_and_trex() -> None:
    tfhd = full_box(b"tfhd", 0, 0x020008, struct.pack(">II", 7, 512))
    first = full_box(b"trun", 0, 0x004, struct.pack(">II", 3, 0x2000000))
    later = full_box(b"trun", 1, 0xA01, struct.pack(">Ii", 1, 99) + struct.pack(">Ii", 10, -3))
    moof = Box.whole(box(b"moof", box(b"traf", tfhd, first, later)))
    (fragment,) = read_track_fragments(moof, lambda _: TrackDefaults(1, 20, 300))
    assert (fragment.decode_time, [run.data_offset for run in fragment.runs]) == (None, [None, 99])
    assert [list(run.durations) for run in fragment.runs] == [[512, 512, 512], [512]]
    assert [list(run.sizes) for run in fragment.runs] == [[20, 20, 20], [10]]
    assert [list(run.flags) for run in fragment.runs] == [[0x2000000, 300, 300], [300]]
    assert [list(run.composition_offsets) for run in fragment.runs] == [[0, 0, 0], [-3]]
    assert not list(read_track_fragments(moof, lambda _: None))


@pytest.mark.parametrize(
    ("traf", "reason"),
    [
        pytest.param(box(b"traf", full_box(b"tfdt", 0, 0, bytes(4))), "no tfhd", id="no header"),
        pytest.param(
            box(b"traf", full_box(b"tfhd", 0, 0, bytes(4)), full_box(b"trun", 0, 0, struct.pack(">I", MAX_SAMPLES + 1))),
            "more than",
            id="too many samples that take no byte",
        ),
        pytest.param(
            box(b"traf", full_box(b"tfhd", 0, 0, bytes(4)), full_box(b"trun", 0, 0x200, struct.pack(">I", 2) + bytes(4))),
            "trun ends too early",
            id="fewer samples than announced",
        ),
    ],
)
def test_a_broken_track_fragment_is_refused(traf: bytes, reason: str) -> None:
    with pytest.raises(Mp4Error, match=reason):
        list(read_track_fragments(Box.whole(box(b"moof", traf)), lambda _: NO_DEFAULTS))


@given(st.lists(st.tuples(u32, st.integers(EMPTY_EDIT, 2**31 - 1)).map(lambda pair: Edit(*pair)), max_size=4))
def test_an_edit_list(edits: list[Edit]) -> None:
    assert read_edits(Box.whole(write_edits(edits))) == tuple(edits)


@dataclass(frozen=True)
class Header:
    kind: bytes
    version: int
    flags: int
    dates: tuple[int, int]
    rest: bytes

    @property
    def gap(self) -> bytes:
        return bytes(range(1, 9 if self.kind == b"tkhd" else 5))

    def written(self) -> Box:
        dates, duration = (">QQ", bytes(8)) if self.version else (">II", bytes(4))
        return Box.whole(full_box(self.kind, self.version, self.flags, struct.pack(dates, *self.dates), self.gap, duration, self.rest))


headers = st.builds(
    Header,
    kind=st.sampled_from([b"mvhd", b"tkhd", b"mdhd"]),
    version=st.sampled_from([0, 1]),
    flags=st.integers(0, 2**24 - 1),
    dates=st.tuples(u32, u32),
    rest=st.binary(max_size=9),
)


@given(headers, u64)
def test_a_header_with_another_duration(header: Header, duration: int) -> None:
    after = Box.whole(with_duration(header.written(), duration))
    assert bool(after.version) == (duration > 2**32 - 1)
    width, gap = 8 if after.version else 4, len(header.gap)
    assert after.flags == header.flags
    assert (after.uint(4, width), after.uint(4 + width, width)) == header.dates
    assert after.content[4 + 2 * width : 4 + 2 * width + gap] == header.gap
    assert after.uint(4 + 2 * width + gap, width) == duration
    assert after.content[4 + 3 * width + gap :] == header.rest


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("duration", [5, 2**32 - 1, 2**32])
@pytest.mark.parametrize("created", [None, 77])
def test_a_track_header_has_another_id_and_duration_and_is_enabled(version: int, duration: int, created: int | None) -> None:
    before = Header(b"tkhd", version, 0x8, (11, 12), b"the rest").written()
    after = Box.whole(write_track_header(before, track_id=0x01020304, duration=duration, created=created))
    width = 8 if after.version else 4
    assert (after.version, after.flags) == (int(duration > 2**32 - 1), 0x8 | 0x3)
    assert (after.uint(4, width), after.uint(4 + width, width)) == ((11, 12) if created is None else (77, 77))
    at = 4 + 2 * width
    assert (after.uint(at, 4), after.content[at + 4 : at + 8]) == (0x01020304, bytes([5, 6, 7, 8])), "the id, and what is reserved"
    assert (after.uint(at + 8, width), after.content[at + 8 + width :]) == (duration, b"the rest")


@pytest.mark.parametrize("language", [None, 0, 0x55C4])
@pytest.mark.parametrize("created", [None, 77])
def test_a_media_header_has_another_duration_and_maybe_another_language(language: int | None, created: int | None) -> None:
    before = Header(b"mdhd", 0, 0, (11, 12), b"\x15\xc7\0\1").written()
    after = Box.whole(write_media_header(before, 99, language=language, created=created))
    dates = (11, 12) if created is None else (77, 77)
    said = b"\x15\xc7\0\1" if language is None else language.to_bytes(2) + bytes(2)
    assert after.data == full_box(b"mdhd", 0, 0, struct.pack(">II", *dates), bytes([1, 2, 3, 4]), struct.pack(">I", 99), said)


@given(u32, st.lists(st.tuples(u64, u64, st.integers(0, 255)).map(lambda row: IndexEntry(*row)), max_size=5))
def test_an_index(track_id: int, entries: list[IndexEntry]) -> None:
    written = write_index(track_id, entries)
    assert int.from_bytes(written[-4:]) == len(written)
    tfra, _ = Box.whole(written).children()
    assert (tfra.version, tfra.uint(4, 4), tfra.uint(8, 4)) == (1, track_id, 0), "times of 64 bits, and numbers of a byte each"
    assert list(read_index(Box.whole(written))) == entries


def test_an_index_that_does_not_end_with_its_own_length_is_refused() -> None:
    written = write_index(1, [IndexEntry(0, 100, 1)])
    with pytest.raises(Mp4Error, match="its own length"):
        read_index(Box.whole(written[:-1] + bytes([written[-1] + 1])))
    entry_less = write_index(1, [])
    with pytest.raises(Mp4Error, match="entries"):
        read_index(Box.whole(entry_less.replace(struct.pack(">III", 1, 0, 0), struct.pack(">III", 1, 0, 1))))
