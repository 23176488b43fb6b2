"""What is rewritten part by part has boxes with short headers, at any depth."""

from collections.abc import Callable
from functools import reduce

import pytest
from fuzz.media_pieces import moov

from transcoder.core.media.mp4.boxes import Box, Mp4Error, box
from transcoder.core.output.copied_mp3 import CopiedMp3
from transcoder.core.output.fragment import read_fragment
from transcoder.core.output.header import Durations, read_header
from transcoder.core.output.joiner import Joiner
from transcoder.core.output.output_boxes import check_inner_boxes, output_reader
from transcoder.core.output.plain_collector import PlainCollector
from transcoder.core.output.plain_verifier import PlainVerifier
from transcoder.core.output.verifier import Verifier
from transcoder.errors import TranscodeError

SAMPLE_TABLE = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
PATHS = [
    (b"moov",),
    (b"moov", b"trak", b"edts"),
    SAMPLE_TABLE,
    (*SAMPLE_TABLE, b"stsd"),
    (*SAMPLE_TABLE[:4], b"dinf", b"dref"),
    (b"moov", b"mvex"),
    (b"moof", b"traf"),
    (b"mfra",),
]
LONG = (1).to_bytes(4) + b"free" + (16).to_bytes(8)
ENDLESS = (0).to_bytes(4) + b"free"
TOO_LONG = (20).to_bytes(4) + b"free"
FULL = {b"stsd", b"dref"}
"""Version, flags and a count come before the boxes in these (ISO/IEC 14496-12, 8.5.2 and 8.7.2)."""


def nested(path: tuple[bytes, ...], innermost: bytes) -> Box:
    """Return boxes in one another, with a `free` before each."""
    outermost = reduce(lambda inside, kind: box(kind, bytes(8) if kind in FULL else b"", box(b"free"), inside), reversed(path), innermost)
    return Box.whole(outermost)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[-1].decode())
def test_boxes_with_a_short_header_are_checked_at_any_depth(path: tuple[bytes, ...]) -> None:
    check_inner_boxes(nested(path, box(b"free", b"content")))
    for wrong in (LONG, ENDLESS, TOO_LONG):
        with pytest.raises(Mp4Error):
            check_inner_boxes(nested(path, wrong))


def test_what_has_no_boxes_inside_is_not_looked_into() -> None:
    check_inner_boxes(nested((b"moov",), box(b"udta", LONG)))


@pytest.mark.parametrize("kind", [b"ftyp", b"styp", b"moov", b"moof", b"sidx", b"mfra", b"free", b"skip"])
def test_an_output_has_boxes_of_these_types(kind: bytes) -> None:
    (found,) = output_reader().feed(box(kind, b"content"))
    assert isinstance(found, Box)
    assert (found.type, bytes(found.content)) == (kind, b"content")


@pytest.mark.parametrize("kind", [b"uuid", b"emsg", b"trak", b"meta"])
def test_and_of_no_others(kind: bytes) -> None:
    with pytest.raises(Mp4Error):
        list(output_reader().feed(box(kind, b"content")))


def test_media_data_pass_through() -> None:
    start, *content = output_reader().feed(box(b"mdat", b"content"))
    assert not isinstance(start, bytes)
    assert (start.type, content) == (b"mdat", [b"content"])


UNKNOWN, HALF = box(b"uuid", b"content"), box(b"ftyp", b"isom")[:-1]


def joined(data: bytes, *, ends: bool) -> None:
    joiner = Joiner(Durations(1.0, {}))
    joiner.begin_period()
    joiner.feed(data)
    if ends:
        joiner.end_period()


def read_by(reader: Verifier | PlainCollector | PlainVerifier | CopiedMp3, data: bytes) -> None:
    reader.feed(data)
    reader.finish() if isinstance(reader, PlainCollector) else reader.end()


@pytest.mark.parametrize(
    ("read", "whose"),
    [
        pytest.param(lambda: joined(UNKNOWN, ends=False), "ffmpeg's output", id="what is joined"),
        pytest.param(lambda: joined(HALF, ends=True), "ffmpeg's output", id="its end"),
        *(pytest.param(lambda data=data: read_by(CopiedMp3(), data), "ffmpeg's output", id="copied MP3") for data in (UNKNOWN, HALF)),
        *(pytest.param(lambda data=data: read_by(Verifier(), data), "The MP4", id="an output") for data in (UNKNOWN, HALF)),
        *(
            pytest.param(lambda data=data: read_by(PlainCollector(), data), "The MP4", id="one that becomes plain")
            for data in (UNKNOWN, HALF)
        ),
        *(pytest.param(lambda data=data: read_by(PlainVerifier(length=9), data), "The MP4", id="a plain one") for data in (UNKNOWN, HALF)),
        pytest.param(lambda: read_header(Box.whole(box(b"moov", LONG))), "The header of the MP4", id="a header"),
        pytest.param(
            lambda: read_fragment(Box.whole(box(b"moof", LONG)), read_header(Box.whole(moov()))), "A fragment of the MP4", id="a fragment"
        ),
    ],
)
def test_what_is_broken_is_named(read: Callable[[], None], whose: str) -> None:
    with pytest.raises(TranscodeError, match=f"^{whose} is broken: at byte "):
        read()


def test_an_mp4_that_becomes_plain_in_place_is_named_as_well() -> None:
    collector = PlainCollector()
    collector.feed(HALF)
    with pytest.raises(TranscodeError, match=r"^The MP4 is broken: "):
        collector.finish_in_place()
