"""Boxes that arrive in pieces, and where each lies in its stream."""

import struct
from itertools import chain

import pytest

from transcoder.core.media.mp4.box_header import BoxHeader, parse_header
from transcoder.core.media.mp4.box_limits import MAX_CHILDREN, are_too_many
from transcoder.core.media.mp4.box_reader import BoxEvent, BoxReader, BoxStart
from transcoder.core.media.mp4.boxes import Box, Mp4Error, box, boxes_of, full_box, leading_boxes, read_box_header
from transcoder.core.media.mp4.byte_map import ByteMap, Extent
from transcoder.core.media.mp4.sidx import indexed_seconds
from transcoder.core.media.mp4.track_samples import Place

MAX_BYTES = 40
PARTS = [
    box(b"moov", b"a"),
    struct.pack(">I4sQ", 1, b"moof", 19) + b"abc",
    struct.pack(">I4sQ", 1, b"mdat", 18) + b"xy",
    struct.pack(">I4sQ", 1, b"mdat", 16),
    box(b"mdat"),
    struct.pack(">I4sQ", 1, b"moof", 16),
    box(b"moof", bytes(MAX_BYTES - 8)),
]
"""Boxes with short and with long headers, some of them empty."""


def reader(*, max_box_bytes: int = MAX_BYTES) -> BoxReader:
    return BoxReader(collected=frozenset({b"moov", b"moof"}), streamed=frozenset({b"mdat"}), max_box_bytes=max_box_bytes)


def described(events: list[BoxEvent]) -> list[tuple[object, ...]]:
    """Return the boxes among events, each with its position or its header, and what follows it."""
    found: list[tuple[object, ...]] = []
    content = b""
    for event in events:
        if isinstance(event, bytes):
            content += event
        elif isinstance(event, BoxStart):
            found.append((event.type, event.header, event.header_bytes, event.length))
        else:
            found.append((event.type, event.position, event.body, event.end, event.raw, event.content))
    return [*found, (content,)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 15, 16, 17, 1000])
def test_headers_of_either_length_are_read_in_pieces_of_any_length(size: int) -> None:
    data, stream, events, expected, at = b"".join(PARTS), reader(), list[BoxEvent](), list[tuple[object, ...]](), 0
    for start in range(0, len(data), size):
        events += stream.feed(data[start : start + size])
    for part in PARTS:
        length = 16 if part[:4] == b"\0\0\0\1" else 8
        if part[4:8] == b"mdat":
            expected.append((b"mdat", part[:length], length, len(part) - length))
        else:
            expected.append((part[4:8], at, length, len(part), part, part[length:]))
        at += len(part)
    assert described(events) == [*expected, (b"xy",)]
    assert (stream.end(), stream.at_boundary) == (len(data), True)


def test_a_collected_box_has_at_most_so_many_bytes() -> None:
    assert [event.type for event in reader().feed(PARTS[-1]) if isinstance(event, Box)] == [b"moof"]
    with pytest.raises(Mp4Error, match="too large"):
        list(reader(max_box_bytes=MAX_BYTES - 1).feed(PARTS[-1]))


@pytest.mark.parametrize("before", [0, 5, 33])
@pytest.mark.parametrize("broken", [b"\0\0\0\7moof", box(b"what"), struct.pack(">I4s", 0, b"mdat"), b"<html>\0!"])
def test_an_error_says_where_in_the_stream_it_is(before: int, broken: bytes) -> None:
    content = box(b"mdat", bytes(before))
    for size in (1, 1000):
        stream = reader()
        pieces = ((content + broken)[at : at + size] for at in range(0, len(content + broken), size))
        with pytest.raises(Mp4Error) as raised:
            list(chain.from_iterable(map(stream.feed, pieces)))
        assert raised.value.offset == len(content)


def test_boxes_inside_a_box_know_where_they_lie_in_its_stream() -> None:
    data = bytes(3) + box(b"moof", box(b"mfhd"), struct.pack(">I4sQ", 1, b"traf", 24) + box(b"tfhd"), struct.pack(">I4s", 0, b"free"))
    moof = Box(b"moof", data, 3, 11, len(data), 1000)
    assert [(each.type, each.position) for each in moof.children()] == [(b"mfhd", 1011), (b"traf", 1019), (b"free", 1043)]
    assert moof.require(b"traf", b"tfhd").position == 1035
    found = moof.search(b"tfhd")
    assert found is not None
    assert found.position == 1035
    with pytest.raises(Mp4Error) as raised:
        moof.require(b"traf").uint(9, 1)
    assert raised.value.offset == 1019
    with pytest.raises(Mp4Error) as raised:
        list(Box(b"moof", data[:-1], 3, 11, len(data) - 1, 1000).children())
    assert raised.value.offset == 1043


def test_the_first_of_several_boxes_is_found() -> None:
    whole = Box.whole(box(b"moov", box(b"trak"), box(b"trak", box(b"tkhd", b"a")), box(b"mdia", box(b"mdhd", b"1"), box(b"mdhd", b"2"))))
    assert whole.require(b"trak").content == b""
    assert whole.find(b"trak", b"tkhd") is None
    assert whole.require(b"mdia", b"mdhd").content == b"1"
    assert whole.find() is whole.require() is whole


@pytest.mark.parametrize(
    ("data", "at", "end", "expected"),
    [
        (box(b"free"), 0, 8, BoxHeader(b"free", 8, 8)),
        (box(b"free"), 0, 7, None),
        (box(b"free"), 1, 9, None),
        (b"x" + box(b"free"), 1, 9, BoxHeader(b"free", 8, 8)),
        (struct.pack(">I4sQ", 1, b"free", 99), 0, 16, BoxHeader(b"free", 16, 99)),
        (struct.pack(">I4sQ", 1, b"free", 99), 0, 15, None),
        (struct.pack(">I4sQ", 1, b"free", 99)[:-1], 0, 16, None),
        (struct.pack(">I4s", 2, b"free"), 0, 8, BoxHeader(b"free", 8, 2)),
    ],
)
def test_a_header_is_read_where_all_of_it_is(data: bytes, at: int, end: int, expected: BoxHeader | None) -> None:
    assert parse_header(data, at, end) == expected


@pytest.mark.parametrize(
    ("header", "is_possible"),
    [
        (BoxHeader(b"free", 8, 8), True),
        (BoxHeader(b"free", 8, 7), False),
        (BoxHeader(b"free", 8, 0), True),
        (BoxHeader(b"free", 16, 16), True),
        (BoxHeader(b"free", 16, 15), False),
        (BoxHeader(b"free", 16, 0), False),
    ],
)
def test_a_box_is_as_long_as_its_header_or_longer(header: BoxHeader, *, is_possible: bool) -> None:
    assert header.is_possible == is_possible


def test_a_header_is_searched_for_by_its_type() -> None:
    with pytest.raises(Mp4Error, match="no MP4 box begins") as raised:
        read_box_header(box(b"free") + b"<html>\0!", 8, origin=100)
    assert raised.value.offset == 108
    assert read_box_header(box(b"free") + b"1234567", 8) is None
    assert read_box_header(box(b"free"), 0, end=7) is None


@pytest.mark.parametrize(
    ("boxes", "position", "too_many"),
    [(10_000, 0, False), (10_001, 0, True), (10_001, 63, True), (10_001, 64, False), (20_000, 639_999, True), (20_000, 640_000, False)],
)
def test_many_boxes_have_64_bytes_on_average(boxes: int, position: int, *, too_many: bool) -> None:
    assert MAX_CHILDREN == 10_000
    assert are_too_many(boxes, position) == too_many


@pytest.mark.parametrize(("more", "is_refused"), [(0, False), (1, True)])
def test_so_many_boxes_may_be_small(more: int, *, is_refused: bool) -> None:
    """The first 10,000, and one more for each 64 bytes in front of it."""
    allowed = next(count for count in range(MAX_CHILDREN, 2 * MAX_CHILDREN) if are_too_many(count + 1, 8 * count))
    data = box(b"free") * (allowed + more)
    if is_refused:
        with pytest.raises(Mp4Error, match="too many small boxes"):
            list(leading_boxes(data))
    else:
        assert sum(1 for _ in leading_boxes(data)) == allowed


def test_so_many_small_boxes_may_be_in_front_of_another_one_in_a_stream() -> None:
    most = next(count for count in range(MAX_CHILDREN, 2 * MAX_CHILDREN) if are_too_many(count, 8 * count))
    stream, one = reader(), box(b"mdat")
    assert sum(1 for _ in stream.feed(one * most)) == most
    with pytest.raises(Mp4Error, match="too many small boxes"):
        list(stream.feed(one))


@pytest.mark.parametrize("size", [8, 20])
def test_the_last_of_the_leading_boxes_may_reach_to_the_end_of_the_file(size: int) -> None:
    first, last = leading_boxes(box(b"free", bytes(size - 8)) + struct.pack(">I4s", 0, b"mdat"))
    assert (first.start, first.body, first.end) == (0, 8, size)
    assert (last.start, last.body) == (size, size + 8)
    assert last.end > 2**62


def sidx(*durations: int, extra: bytes = b"") -> bytes:
    references = b"".join(struct.pack(">III", 100, duration, 0) for duration in durations)
    return full_box(b"sidx", 0, 0, struct.pack(">IIIIHH", 1, 1000, 0, 0, 0, len(durations)), references, extra)


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        pytest.param(sidx(2000, 500), 2.5, id="alone"),
        pytest.param(box(b"free") + sidx(2000), 2.0, id="behind another box"),
        pytest.param(sidx(2000) + sidx(500), 2.0, id="the first of several"),
        pytest.param(sidx(2000, extra=bytes(12)), 2.0, id="more bytes than references"),
        pytest.param(sidx(), 0.0, id="no references"),
        pytest.param(box(b"mdat") + sidx(2000), None, id="behind media"),
        pytest.param(box(b"moof") + sidx(2000), None, id="behind a fragment"),
        pytest.param(box(b"free") + b"<html><body>", None, id="behind it, no box begins"),
        pytest.param(sidx(2000)[:-12].replace(b"\0\0\0\x2c", b"\0\0\0\x20"), None, id="fewer references than announced"),
        pytest.param(box(b"free"), None, id="no index"),
    ],
)
def test_an_index_says_how_long_a_file_is(head: bytes, seconds: float | None) -> None:
    assert indexed_seconds(head) == seconds


def test_a_map_joins_what_goes_on_and_cuts_what_is_literal() -> None:
    head = bytes(number % 251 for number in range(200_000))
    extents = [(0, 10, 5), (0, 15, 5), (0, 0, 0), (0, 20, 5), (1, 25, 5), (1, 40, 5), (1, 45, 1)]
    mapped = ByteMap(head, [Extent(Place(resource, offset), length) for resource, offset, length in extents])
    parts = list(mapped.part(0, mapped.length))
    assert [len(part) for part in parts if isinstance(part, bytes)] == [65_536, 65_536, 65_536, 3392]
    assert b"".join(part for part in parts if isinstance(part, bytes)) == head
    joined = [Extent(Place(0, 10), 15), Extent(Place(1, 25), 5), Extent(Place(1, 40), 6)]
    assert [part for part in parts if not isinstance(part, bytes)] == joined
    assert list(mapped.part(200_012, 200_018)) == [Extent(Place(0, 22), 3), Extent(Place(1, 25), 3)]
    assert list(mapped.part(200_015, 200_015)) == list(mapped.part(7, 7)) == []
    assert (mapped.length, mapped.kept_bytes) == (200_026, 200_000 + 3 * 24), "three numbers of 64 bits for each piece"


def test_what_a_file_consists_of() -> None:
    data = box(b"ftyp", b"isom") + box(b"free") + struct.pack(">I4s", 0, b"mdat") + b"media"
    assert [(each.type, each.position, each.content) for each in boxes_of(data)] == [
        (b"ftyp", 0, b"isom"),
        (b"free", 12, b""),
        (b"mdat", 20, b"media"),
    ]
