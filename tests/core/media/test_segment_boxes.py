"""The boxes of a segment are found by its heads, and a fragment that says what cannot be is refused."""

import struct

import pytest
from peers.plain_movies import read_boxes

from transcoder.core.media.mp4.boxes import Box, box, full_box
from transcoder.core.media.mp4.fragment import SampleTable, write_movie_fragment
from transcoder.core.media.mp4.movie import Movie
from transcoder.core.media.mp4_source.placed_samples import placed_runs
from transcoder.core.media.mp4_source.segment_boxes import SegmentBoxes
from transcoder.errors import DamagedMediaError, PlainLayoutError

NO_MOVIE = Movie(Box.whole(box(b"moov")), 1, 0, ())
MEDIA = bytes(range(100))
TABLE = SampleTable(1, 0, 0, [10] * 4, [25] * 4, [0] * 4, [0] * 4)


def fragment(*, offset: int | None = None, length: int = 100, decode_time: int = 0) -> bytes:
    size = len(write_movie_fragment(1, [TABLE]))
    table = SampleTable(1, decode_time, size + 8 if offset is None else offset, [10] * 4, [length // 4] * 4, [0] * 4, [0] * 4)
    return write_movie_fragment(1, [table])


def places(body: bytes, *, head_bytes: int = 4096) -> list[tuple[int, int]]:
    return [(placed.offset, placed.end) for placed in placed_runs(read_boxes(body, head_bytes=head_bytes), NO_MOVIE)]


@pytest.mark.parametrize("head_bytes", [16, 40, 100, 4096])
def test_several_fragments_are_found_however_short_the_heads_are(head_bytes: int) -> None:
    part = fragment() + box(b"mdat", MEDIA)
    body = box(b"styp", bytes(8)) + part + box(b"free", bytes(50)) + part
    first = 16 + len(fragment()) + 8
    assert places(body, head_bytes=head_bytes) == [(first, first + 100), (first + len(part) + 58, first + len(part) + 158)]


def test_media_may_stand_before_its_fragment() -> None:
    assert places(box(b"mdat", MEDIA) + fragment(offset=-100)) == [(8, 108)]


def test_a_fragment_before_the_media_of_another_segment_is_not_fetched_from_there() -> None:
    with pytest.raises(DamagedMediaError, match="before the beginning of the segment"):
        places(fragment(offset=-5000) + box(b"mdat", MEDIA))


@pytest.mark.parametrize("body", [
    pytest.param(fragment(length=104) + box(b"mdat", MEDIA), id="more than the media has"),
    pytest.param(fragment(offset=0) + box(b"mdat", MEDIA), id="in the fragment itself"),
    pytest.param(fragment() + box(b"free", MEDIA), id="no media at all"),
])  # fmt: skip
def test_a_fragment_that_lies_about_sizes_is_damaged(body: bytes) -> None:
    with pytest.raises(DamagedMediaError, match="outside of the media"):
        places(body)


def test_samples_without_bytes_are_damage() -> None:
    with pytest.raises(DamagedMediaError, match="without bytes"):
        places(fragment(length=0) + box(b"mdat", MEDIA))


@pytest.mark.parametrize(("body", "message"), [
    pytest.param((fragment() + box(b"mdat", MEDIA))[:-1], "cut off inside", id="the end is missing"),
    pytest.param(fragment() + box(b"mdat", MEDIA) + b"\0\0\0", "cut off inside", id="a part of a header follows"),
    pytest.param(fragment() + box(b"mdat", MEDIA) + b"<html><body>", "cut off inside", id="text follows"),
    pytest.param(struct.pack(">I4s", 9_000_000, b"moof") + bytes(9_000_000), "too large", id="a fragment too large to hold"),
    pytest.param(struct.pack(">I4s", 4, b"moof") + bytes(100), "damaged", id="shorter than its header"),
])  # fmt: skip
def test_broken_boxes_are_damage(body: bytes, message: str) -> None:
    with pytest.raises(DamagedMediaError, match=message):
        places(body)


def test_a_head_that_is_longer_or_shorter_than_asked_is_damage() -> None:
    body = fragment() + box(b"mdat", MEDIA)
    for data in (body + b"x", body[:-1]):
        with pytest.raises(DamagedMediaError, match="not as long as it was asked for"):
            SegmentBoxes(0, len(body)).feed(data)


def test_a_fragment_without_a_decode_time_has_no_plain_layout() -> None:
    trun = full_box(b"trun", 0, 0x301, struct.pack(">IiII", 1, 8, 10, 100))
    traf = box(b"traf", full_box(b"tfhd", 0, 0x020000, struct.pack(">I", 1)), trun)
    moof = box(b"moof", full_box(b"mfhd", 0, 0, bytes(4)), traf)
    with pytest.raises(PlainLayoutError, match="when they are decoded"):
        places(moof + box(b"mdat", MEDIA))


def test_a_base_data_offset_counts_from_the_beginning_of_the_file() -> None:
    def body(base: int) -> bytes:
        trun = full_box(b"trun", 0, 0x301, struct.pack(">IiII", 1, 0, 10, 100))
        tfhd = full_box(b"tfhd", 0, 1, struct.pack(">IQ", 1, base))
        traf = box(b"traf", tfhd, full_box(b"tfdt", 0, 0, bytes(4)), trun)
        return box(b"moof", full_box(b"mfhd", 0, 0, bytes(4)), traf) + box(b"mdat", MEDIA)

    at = len(body(0)) - 100
    assert places(body(at)) == [(at, at + 100)]
    with pytest.raises(PlainLayoutError, match="another file"):
        places(body(at + 70_000))


def test_very_many_small_boxes_are_refused() -> None:
    with pytest.raises(DamagedMediaError, match="too many small boxes"):
        read_boxes(box(b"free") * 20_000)


@pytest.mark.parametrize("head_bytes", [16, 40, 4096])
def test_a_segment_may_bring_its_own_moov(head_bytes: int) -> None:
    body = box(b"moov", box(b"mvhd", bytes(100))) + fragment() + box(b"mdat", MEDIA)
    found = read_boxes(body, head_bytes=head_bytes)
    assert [(each.type, each.raw) for each in found.boxes] == [(b"moov", body[:116]), (b"moof", fragment())]
    assert (found.fragments, found.media) == (1, [(len(body) - 100, len(body))])


def test_heads_and_bytes_are_counted() -> None:
    part = fragment() + box(b"mdat", MEDIA)
    boxes, fed = SegmentBoxes(0, 3 * len(part), 160), []
    while boxes.wanted:
        at, size = boxes.wanted
        fed.append(size)
        boxes.feed((part * 3)[at : at + size])
    assert (boxes.heads, boxes.bytes_read, boxes.fragments) == (len(fed), sum(fed), 3)
    assert len(fed) > 1
