import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.output.boxes import MAX_BOX_BYTES, Box, MediaStart, Splitter, box, children, find, media_header
from transcoder.core.output.fragment import Edit, Editor
from transcoder.errors import TranscodeError

FILE = box(b"ftyp", b"iso5") + box(b"free") + media_header(11) + b"eleven byte" + box(b"moof", box(b"mfhd", bytes(8)))


def read(pieces: list[bytes]) -> tuple[list[Box | MediaStart], bytes]:
    splitter, boxes, media = Splitter(), [], b""
    for piece in pieces:
        for event in splitter.feed(piece):
            if isinstance(event, bytes):
                media += event
            else:
                boxes.append(event)
    assert splitter.end() == len(FILE)
    return boxes, media


@given(st.lists(st.integers(0, len(FILE))).map(sorted))
def test_boxes_are_the_same_however_they_come_in(cuts: list[int]) -> None:
    boxes, media = read([FILE[start:end] for start, end in pairwise([0, *cuts, len(FILE)])])
    assert media == b"eleven byte"
    assert boxes[2] == MediaStart(8, 11)
    assert [(one.kind, one.at) for one in boxes if isinstance(one, Box)] == [(b"ftyp", 0), (b"free", 12), (b"moof", 39)]


def test_an_mdat_may_have_64_bits_of_length() -> None:
    assert list(Splitter().feed(struct.pack(">I4sQ", 1, b"mdat", 19) + b"abc")) == [MediaStart(16, 3), b"abc"]
    assert media_header(2**32) == struct.pack(">I4sQ", 1, b"mdat", 2**32 + 16)


def test_media_are_not_copied_or_collected() -> None:
    splitter, piece = Splitter(), bytes(1000)
    assert list(splitter.feed(media_header(5000))) == [MediaStart(8, 5000)]
    assert next(splitter.feed(piece)) is piece


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(struct.pack(">I4s", 8, b"what"), id="an unknown box"),
        pytest.param(struct.pack(">I4s", 0, b"mdat"), id="an mdat to the end of the file"),
        pytest.param(struct.pack(">I4s", 7, b"moof"), id="shorter than its header"),
        pytest.param(struct.pack(">I4sQ", 1, b"mdat", 15), id="shorter than its long header"),
        pytest.param(struct.pack(">I4s", MAX_BOX_BYTES + 1, b"moof"), id="longer than what is collected"),
        pytest.param(b"<html><body>", id="not an MP4"),
    ],
)
def test_what_is_no_box_is_refused(data: bytes) -> None:
    with pytest.raises(TranscodeError):
        list(Splitter().feed(data))


@pytest.mark.parametrize("end", [1, 7, 9, 21, 30, len(FILE) - 1])
def test_a_file_that_ends_inside_a_box_is_refused(end: int) -> None:
    splitter = Splitter()
    list(splitter.feed(FILE[:end]))
    with pytest.raises(TranscodeError, match="inside a box"):
        splitter.end()


def test_boxes_inside_a_box_must_fill_it() -> None:
    whole = box(b"moov", box(b"trak", box(b"tkhd", b"abcd")), b"rest")
    assert find(whole, 8, len(whole) - 4, b"trak", b"tkhd") == (24, 28)
    with pytest.raises(TranscodeError, match="cut off"):
        list(children(whole, 8, len(whole)))
    with pytest.raises(TranscodeError, match="impossible"):
        list(children(whole, 8, 27))
    with pytest.raises(TranscodeError, match="no box"):
        find(whole, 8, len(whole) - 4, b"trak", b"mdia")


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.binary(max_size=3)), max_size=6),
    st.lists(st.integers(0, 60)).map(sorted),
)
def test_edits_are_carried_out_wherever_the_pieces_are_cut(changes: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
    media, edits, expected, at = bytes(range(60)), [], b"", 0
    for gap, drop, insert in changes:
        expected += media[at : at + gap] + insert
        edits.append(Edit(100 + at + gap, drop, insert))
        at += gap + drop
    editor = Editor(edits, 100)
    pieces = [media[start:end] for start, end in pairwise([0, *cuts, len(media)])]
    assert b"".join(part for piece in pieces for part in editor.feed(piece)) == expected + media[at:]
