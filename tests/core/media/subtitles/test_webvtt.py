"""Tests that WebVTT is read, and refused where a part of it is missing."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.media.subtitles import MAX_CUES, Cue, WebVtt, parse_webvtt, write_webvtt
from transcoder.core.media.subtitles.webvtt import MAX_CUE_CHARACTERS, MAX_LINES
from transcoder.errors import DamagedMediaError, TranscoderError, UnsupportedSourceError

CUE = "00:01.000 --> 00:02.500\n"
ONE = (Cue(1.0, 2.5, "Hello"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("WEBVTT", WebVtt(()), id="nothing but the header"),
        pytest.param("\ufeffWEBVTT - a title\n\n\n", WebVtt(()), id="a byte order mark and a title"),
        pytest.param("WEBVTT\n\n00:01.000 --> 00:02.500\nHello\n", WebVtt(ONE), id="one cue"),
        pytest.param("WEBVTT\r\n\r\n00:00:01.000 --> 00:00:02.500\r\nHello\r\n", WebVtt(ONE), id="CRLF and hours"),
        pytest.param("WEBVTT\r\r00:01.000 --> 00:02.500\rHello", WebVtt(ONE), id="CR, and no end of line at the end"),
        pytest.param("WEBVTT\n00:01.000 --> 00:02.500\nHello\n", WebVtt(ONE), id="a cue in the header"),
        pytest.param("WEBVTT\n\n00:01,000 --> 00:02,5\nHello\n", WebVtt(ONE), id="commas"),
        pytest.param(
            "WEBVTT\n\nNOTE a comment\nof two lines\n\nid 7\n00:01.000 --> 00:02.500 align:start line:0\n<b>Hello</b>\nyou\n",
            WebVtt((Cue(1.0, 2.5, "<b>Hello</b>\nyou", "align:start line:0", "id 7"),)),
            id="a comment, an identifier, settings, two lines",
        ),
        pytest.param(
            "WEBVTT\n\n00:01.000 --> 00:02.500\nHello\n00:03.000 --> 00:04.000\nyou",
            WebVtt((*ONE, Cue(3.0, 4.0, "you"))),
            id="no blank line between cues",
        ),
        pytest.param(
            "WEBVTT\n\n00:01.000 --> 00:02.500\nHello\n \nyou\n", WebVtt((Cue(1.0, 2.5, "Hello\n \nyou"),)), id="a line of spaces in a cue"
        ),
        pytest.param(
            "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n00:01.000 --> 00:02.500\nHello",
            WebVtt(ONE, zero=10.0),
            id="a clock",
        ),
        pytest.param(
            "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:01:00:00.000,MPEGTS:900000\n\n00:01.000 --> 00:02.500\nHello",
            WebVtt(ONE, zero=-3590.0, local=3600.0),
            id="a clock that is not zero",
        ),
        pytest.param(
            "WEBVTT\n\nX-TIMESTAMP-MAP=MPEGTS:0\n\n00:01.000 --> 00:02.500\nHello", WebVtt(ONE, zero=0.0), id="a clock after the header"
        ),
        pytest.param(
            "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:a\n\n00:01.000 --> 00:02.500\nHello",
            WebVtt(ONE, ("STYLE\n::cue { color: red }", "REGION\nid:a")),
            id="styles and regions",
        ),
        pytest.param("WEBVTT\n\n00:02.000 --> 00:02.000\nHello\n\n00:03.000 --> 00:04.000\n\n", WebVtt(()), id="cues that show nothing"),
        pytest.param("WEBVTT\n\n100:00:00.000 --> 100:00:01.000\nx", WebVtt((Cue(360000.0, 360001.0, "x"),)), id="a hundred hours"),
    ],
)
def test_a_text_is_read(text: str, expected: WebVtt) -> None:
    assert parse_webvtt(text.encode()) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "other than WebVTT"),
        ("<!DOCTYPE html><p>Not found</p>", "other than WebVTT"),
        ("WEBVTTX\n\n00:01.000 --> 00:02.500\nHello", "other than WebVTT"),
        ("1\n00:00:01,000 --> 00:00:02,500\nHello", "other than WebVTT"),
        ("WEBVTT\n\n00:01.000 --> 00:0", "is not the timing of a cue"),
        ("WEBVTT\n\n00:01.000 --> soon\nHello\n", "is not the timing of a cue"),
        ("WEBVTT\n\n00:61.000 --> 00:70.000\nHello\n", "is not the timing of a cue"),
        ("WEBVTT\n\n00:01.000 --> 00:02.5", "end in the middle of a cue"),
        ("WEBVTT\n\n00:01.000 --> 00:02.500\nHello\n\n00:03", "end in the middle of a cue"),
        ("WEBVTT\n\n00:01.000 --> 00:02.500\nHello\n\nid 8", "end in the middle of a cue"),
        ("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:x,LOCAL:00:00:00.000\n\n", "X-TIMESTAMP-MAP"),
        ("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:9,LOCAL:never\n\n", "X-TIMESTAMP-MAP"),
    ],
)
def test_a_text_that_is_not_whole_is_damaged(text: str, message: str) -> None:
    with pytest.raises(DamagedMediaError, match=message):
        parse_webvtt(text.encode())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x00\x00\x00\x18styp", "wvtt or stpp"),
        (b"\x00\x00\x00\x18moof" + bytes(20), "wvtt or stpp"),
        (b'<?xml version="1.0"?>\n<tt xmlns="http://www.w3.org/ns/ttml">', "TTML"),
        (b"<tt:tt>", "TTML"),
    ],
)
def test_other_formats_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=message):
        parse_webvtt(content)


@given(st.binary() | st.text().map(lambda text: b"WEBVTT\n\n" + text.encode("utf-8", "replace")))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(TranscoderError):
        parse_webvtt(content)


CUES = st.builds(
    lambda start, length, text, settings: Cue(start / 1000, (start + length) / 1000, text, settings),
    st.integers(0, 10**8),
    st.integers(1, 10**5),
    st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=0x2000, exclude_characters="\x85\u00a0->"), min_size=1), min_size=1).map(
        lambda lines: "\n".join(lines).strip()
    ),
    st.sampled_from(["", "align:start", "position:10% line:0"]),
).filter(lambda cue: cue.text != "" and "\n\n" not in cue.text)


@given(st.lists(CUES))
def test_what_is_written_is_read_again(cues: list[Cue]) -> None:
    read = parse_webvtt(write_webvtt(WebVtt(tuple(cues), ("STYLE\n::cue {}",))).encode())
    assert read.blocks == ("STYLE\n::cue {}",)
    assert [(cue.text, cue.settings) for cue in read.cues] == [(cue.text, cue.settings) for cue in cues]
    assert [round(cue.start * 1000) for cue in read.cues] == [round(cue.start * 1000) for cue in cues]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param((CUE + "a\n\n") * (MAX_CUES + 1), id="cues"),
        pytest.param(CUE * (MAX_CUES + 1), id="timings"),
        pytest.param("-->\n" * (MAX_CUES + 1), id="arrows"),
        pytest.param("STYLE\na\n\n" * (MAX_LINES // 3 + 1), id="style sheets"),
        pytest.param(CUE + "a\n" * (MAX_LINES + 1), id="lines"),
        pytest.param(CUE + "&amp;" * MAX_CUE_CHARACTERS, id="characters of a cue"),
    ],
)
def test_more_than_anybody_reads_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedSourceError, match="more than"):
        parse_webvtt(f"WEBVTT\n\n{text}\n".encode())


def test_a_day_of_subtitles_is_read() -> None:
    found = parse_webvtt(("WEBVTT\n\n" + (CUE + "a\n\n") * MAX_CUES).encode())
    assert len(found.cues) == MAX_CUES
