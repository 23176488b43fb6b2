import struct
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transcoder.core.media.mp4.box_header import is_box_type, media_data_header
from transcoder.core.media.mp4.box_reader import BoxReader, BoxStart
from transcoder.core.media.mp4.boxes import Box, Mp4Error, box, boxes_of, full_box, leading_boxes, read_box_header

FILE = box(b"ftyp", b"iso5") + box(b"free") + media_data_header(11) + b"eleven byte" + box(b"moof", box(b"mfhd", bytes(8)))
MAX_BYTES = 1000
types = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=4, max_size=4).map(str.encode)


def reader() -> BoxReader:
    return BoxReader(collected=frozenset({b"ftyp", b"free", b"moof"}), streamed=frozenset({b"mdat"}), max_box_bytes=MAX_BYTES)


def read(pieces: list[bytes]) -> tuple[list[Box | BoxStart], bytes]:
    boxes, media = [], b""
    stream = reader()
    for piece in pieces:
        for event in stream.feed(piece):
            if isinstance(event, bytes):
                media += event
            else:
                boxes.append(event)
    assert stream.end() == len(FILE)
    return boxes, media


@given(st.lists(st.integers(0, len(FILE))).map(sorted))
def test_boxes_are_the_same_in_any_pieces(cuts: list[int]) -> None:
    boxes, media = read([FILE[start:end] for start, end in pairwise([0, *cuts, len(FILE)])])
    assert media == b"eleven byte"
    assert boxes[2] == BoxStart(b"mdat", media_data_header(11), 11)
    assert [(one.type, one.position) for one in boxes if isinstance(one, Box)] == [(b"ftyp", 0), (b"free", 12), (b"moof", 39)]


def test_an_mdat_may_have_a_64_bit_size() -> None:
    header = struct.pack(">I4sQ", 1, b"mdat", 19)
    assert list(reader().feed(header + b"abc")) == [BoxStart(b"mdat", header, 3), b"abc"]
    assert media_data_header(2**32) == struct.pack(">I4sQ", 1, b"mdat", 2**32 + 16)


def test_media_data_is_not_copied_or_collected() -> None:
    stream, piece = reader(), bytes(1000)
    assert list(stream.feed(media_data_header(5000))) == [BoxStart(b"mdat", media_data_header(5000), 5000)]
    assert next(stream.feed(piece)) is piece


def test_other_types_flow_through_where_no_type_is_listed() -> None:
    stream = BoxReader(collected=frozenset({b"moof"}), max_box_bytes=MAX_BYTES)
    assert list(stream.feed(box(b"what", b"ever"))) == [BoxStart(b"what", box(b"what", b"ever")[:8], 4), b"ever"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(struct.pack(">I4s", 8, b"what"), id="an unknown box"),
        pytest.param(struct.pack(">I4s", 0, b"mdat"), id="an mdat to the end of the file"),
        pytest.param(struct.pack(">I4s", 7, b"moof"), id="shorter than its header"),
        pytest.param(struct.pack(">I4sQ", 1, b"mdat", 15), id="shorter than its long header"),
        pytest.param(struct.pack(">I4sQ", 1, b"mdat", 0), id="a long header that says 0"),
        pytest.param(struct.pack(">I4s", MAX_BYTES + 1, b"moof"), id="longer than what is collected"),
        pytest.param(b"<html><body>", id="not an MP4"),
    ],
)
def test_invalid_boxes_are_refused(data: bytes) -> None:
    with pytest.raises(Mp4Error):
        list(reader().feed(data))


@pytest.mark.parametrize("end", [1, 7, 9, 21, 30, len(FILE) - 1])
def test_a_file_that_ends_inside_a_box_is_refused(end: int) -> None:
    stream = reader()
    list(stream.feed(FILE[:end]))
    assert not stream.at_boundary
    with pytest.raises(Mp4Error, match="inside a box") as raised:
        stream.end()
    assert raised.value.offset == end


def test_boxes_inside_a_box_must_fill_it() -> None:
    whole = Box.whole(box(b"moov", box(b"trak", box(b"tkhd", b"abcd"))))
    assert whole.require(b"trak", b"tkhd").content == b"abcd"
    assert whole.find(b"trak", b"mdia") is None
    with pytest.raises(Mp4Error, match="moov has no trak/mdia inside"):
        whole.require(b"trak", b"mdia")
    with pytest.raises(Mp4Error, match=r"^at byte 24, a box is larger than the box moov around it$"):
        list(Box.whole(box(b"moov", box(b"trak", b"12345678"), b"rest")).children())
    with pytest.raises(Mp4Error, match="larger than the box moov"):
        list(Box.whole(box(b"moov", struct.pack(">I4s", 20, b"trak"))).children())


def test_a_number_beyond_the_end_of_its_box_is_refused() -> None:
    first = next(boxes_of(full_box(b"tfdt", 1, 5, b"\xff\xff\xff\xfe") + box(b"free", bytes(8))))
    assert (first.version, first.flags, first.uint(4, 4), first.sint(4, 4)) == (1, 5, 2**32 - 2, -2)
    for read_it in (lambda: first.uint(5, 4), lambda: first.sint(8, 1), lambda: first.numbers("I", 2, 4)):
        with pytest.raises(Mp4Error, match="tfdt ends too early"):
            read_it()


@pytest.mark.parametrize(
    ("header", "content"),
    [
        pytest.param(struct.pack(">I4s", 12, b"esds"), b"1234", id="short"),
        pytest.param(struct.pack(">I4s", 0, b"esds"), b"12345678", id="to the end of what is around it"),
        pytest.param(struct.pack(">I4sQ", 1, b"esds", 20), b"1234", id="long"),
        pytest.param(struct.pack(">I4s", 400, b"esds"), b"12345678", id="longer than what is around it"),
    ],
)
def test_a_box_that_is_searched_for_has_the_size_that_its_header_says(header: bytes, content: bytes) -> None:
    data = box(b"stsd", box(b"mp4a", b"any layout", header, b"12345678")) + box(b"free")
    entry = next(next(boxes_of(data)).children())
    found = entry.search(b"esds")
    assert found is not None
    assert (found.type, found.content) == (b"esds", content)


def test_letters_that_no_header_has_are_not_the_box_that_is_searched_for() -> None:
    entry = Box.whole(box(b"mp4a", struct.pack(">I", 7), b"esds", box(b"esds", b"real")))
    found = entry.search(b"esds")
    assert found is not None
    assert found.content == b"real"
    assert Box.whole(box(b"mp4a", struct.pack(">I4s", 1, b"esds"))).search(b"esds") is None


def test_a_header_does_not_reach_beyond_the_box_around_it() -> None:
    data = box(b"moov", b"rest") + bytes(20)
    with pytest.raises(Mp4Error, match="larger than the box moov around it"):
        list(next(boxes_of(data)).children())


def test_leading_boxes_may_end_beyond_what_has_arrived() -> None:
    found = list(leading_boxes(FILE[:30]))
    assert [(one.type, one.end <= 30) for one in found] == [(b"ftyp", True), (b"free", True), (b"mdat", False)]
    open_ended = list(leading_boxes(box(b"ftyp") + struct.pack(">I4s", 0, b"mdat") + bytes(40)))
    assert [one.type for one in open_ended] == [b"ftyp", b"mdat"]


@given(st.binary(max_size=5))
@example(b"moov")
@example(b"\xa9nam")
@example(b"moo\n")
def test_a_type_is_four_printable_characters(kind: bytes) -> None:
    assert is_box_type(kind) == (len(kind) == 4 and all(octet == 0xA9 or (chr(octet).isprintable() and octet < 0x7F) for octet in kind))


@given(types, st.binary(max_size=300), st.integers(0, 255), st.integers(0, 2**24 - 1))
def test_a_box_reads_back_as_it_was_written(kind: bytes, content: bytes, version: int, flags: int) -> None:
    plain, full = Box.whole(box(kind, content)), Box.whole(full_box(kind, version, flags, content))
    assert (plain.type, plain.content, plain.raw) == (kind, content, box(kind, content))
    assert (full.version, full.flags, full.content[4:]) == (version, flags, content)


@given(st.integers(0, 2**40))
def test_a_media_data_header_reads_back_as_it_was_written(length: int) -> None:
    header = read_box_header(media_data_header(length))
    assert header is not None
    assert (header.type, header.size - header.header_bytes) == (b"mdat", length)


@given(st.binary(max_size=100))
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    found: list[Box] = []
    error = None
    try:
        found.extend(boxes_of(data))
    except Mp4Error as raised:
        error = raised
    read_bytes = b"".join(one.raw for one in found)
    assert data.startswith(read_bytes)
    assert (error is None) == (read_bytes == data)
    assert error is None or error.offset == len(read_bytes)


@pytest.mark.parametrize("data", [b"", box(b"free")[:7], box(b"free") + b"x", box(b"free", b"content")[:-1], 2 * box(b"free")])
def test_what_is_not_one_whole_box_is_refused(data: bytes) -> None:
    with pytest.raises(Mp4Error, match="not one whole box"):
        Box.whole(data)
