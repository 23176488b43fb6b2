"""What each block and each line of WebVTT is taken for."""

import pytest

from transcoder.core.media.subtitles import MAX_CUES, Cue, WebVtt, parse_webvtt, write_subrip, write_webvtt
from transcoder.core.media.subtitles.webvtt import MAX_LINES, parse_time
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

TIMING = "00:01.000 --> 00:02.500"
ONE = (Cue(1.0, 2.5, "Hello"),)
END = f"{TIMING}\nHello\n"


def parsed(text: str) -> WebVtt:
    return parse_webvtt(text.encode())


@pytest.mark.parametrize("kind", ["ftyp", "styp", "sidx", "moof", "moov", "emsg", "prft", "mdat"])
def test_subtitles_in_boxes_are_named(kind: str) -> None:
    with pytest.raises(UnsupportedSourceError, match="wvtt or stpp"):
        parse_webvtt(b"\0\0\0\x08" + kind.encode())


@pytest.mark.parametrize("text", ["<tt>", "\n <tt xmlns='a'>", "<?xml version='1.0'?><tt>", "<?xml?>\n\n<a:tt\n>", "<tt\n"])
def test_ttml_is_named(text: str) -> None:
    with pytest.raises(UnsupportedSourceError, match="TTML"):
        parsed(text)


@pytest.mark.parametrize("text", ["<ttx>", "x<tt>", "<?xml?>x<tt>", "<tt", "webvtt\n", " WEBVTT\n", "WEBVTT-\n"])
def test_what_is_neither_is_something_else(text: str) -> None:
    with pytest.raises(DamagedMediaError, match="other than WebVTT"):
        parsed(text)


@pytest.mark.parametrize(
    "header", ["WEBVTT", "WEBVTT a title", "WEBVTT\ta title", "WEBVTT\nKind: captions", "WEBVTT\nLanguage: en\nKind: x"]
)
@pytest.mark.parametrize("line", ["\n", "\r\n", "\r"])
def test_the_header_may_have_a_title_and_lines(header: str, line: str) -> None:
    assert parsed(f"{header}\n\n{END}".replace("\n", line)) == WebVtt(ONE)
    assert parsed(f"{header}\n{END}".replace("\n", line)) == WebVtt(ONE)


@pytest.mark.parametrize("note", ["NOTE", "NOTE a", "NOTE\ta", "NOTE\na\nb", "NOTE a --> b", f"NOTE\n{TIMING}\nHidden"])
def test_a_comment_is_left_out_wherever_it_stands(note: str) -> None:
    assert parsed(f"WEBVTT\n\n{note}\n\n{END}") == parsed(f"WEBVTT\n\n{END}\n{note}") == parsed(f"WEBVTT\n\n{END}\n{note}\n") == WebVtt(ONE)


@pytest.mark.parametrize("block", ["NOTES", "NOTEa\nb", "STYLES", "REGIONS", "8"])
def test_a_block_without_a_timing_is_passed_over_unless_it_is_the_last_one(block: str) -> None:
    assert parsed(f"WEBVTT\n\n{block}\n\n{END}") == WebVtt(ONE)
    with pytest.raises(DamagedMediaError, match="in the middle of a cue"):
        parsed(f"WEBVTT\n\n{END}\n{block}\n")


@pytest.mark.parametrize("block", ["STYLE\n::cue {}", "REGION\nid:a", "STYLE \t\n::cue {}"])
def test_styles_and_regions_are_kept_wherever_they_stand(block: str) -> None:
    assert parsed(f"WEBVTT\n\n{block}\n\n{END}") == parsed(f"WEBVTT\n\n{END}\n{block}") == WebVtt(ONE, (block,))


@pytest.mark.parametrize("block", ["STYLE", "REGION", "STYLE a\nb", "X-TIMESTAMP-MAP=MPEGTS:0"])
def test_what_is_no_style_or_region_is_not_kept(block: str) -> None:
    assert parsed(f"WEBVTT\n\n{block}\n\n{END}").blocks == ()


def test_a_style_that_has_a_cue_is_none() -> None:
    assert parsed(f"WEBVTT\n\nSTYLE\n{END}") == WebVtt((Cue(1.0, 2.5, "Hello", "", "STYLE"),))


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (f"WEBVTT\n\n{TIMING}", False),
        (f"WEBVTT\n\n{TIMING}\n", True),
        (f"WEBVTT\n\n{TIMING}\nH", True),
        (f"WEBVTT\n{TIMING}", False),
        (f"WEBVTT\n{TIMING}\n", True),
        (f"WEBVTT\n\n{END}{TIMING}", False),
        (f"WEBVTT\n\n{END}\nSTYLE", True),
        (f"WEBVTT\n\n{END}\nREGION", True),
        (f"WEBVTT\n\n{END}\n STYLE ", True),
        (f"WEBVTT\n\n{END}\nX-TIMESTAMP-MAP=MPEGTS:0", True),
        ("WEBVTT\nid", True),
    ],
)
def test_a_text_may_end_after_a_line_of_a_cue_and_not_in_its_timing(text: str, *, whole: bool) -> None:
    if whole:
        parsed(text)
    else:
        with pytest.raises(DamagedMediaError, match="in the middle of a cue"):
            parsed(text)


@pytest.mark.parametrize(
    ("value", "zero", "local"),
    [
        ("MPEGTS:900000,LOCAL:00:00:00.000", 10.0, 0.0),
        ("LOCAL:00:00:01.500,MPEGTS:900000", 8.5, 1.5),
        ("LOCAL:00:02.000,MPEGTS:900000", 8.0, 2.0),
        ("mpegts:900000,local:00:00:00.000", 10.0, 0.0),
        ("MPEGTS: 900000, LOCAL: 00:00:01.000 ", 9.0, 1.0),
        ("LOCAL:00:00:01.000 ,MPEGTS:900000", 9.0, 1.0),
        ("MPEGTS:9999999999999999999", 9999999999999999999 / 90_000, 0.0),
        ("MPEGTS:0", 0.0, 0.0),
    ],
)
@pytest.mark.parametrize("name", ["X-TIMESTAMP-MAP=", "x-timestamp-map =", "X-TIMESTAMP-MAP \t= "])
def test_the_clocks_are_read(name: str, value: str, zero: float, local: float) -> None:
    for text in (f"WEBVTT\n{name}{value}\n\n{END}", f"WEBVTT\nKind: x\n{name}{value}\n{END}", f"WEBVTT\n\nNOTE\n\n{name}{value}\n\n{END}"):
        found = parsed(text)
        assert found.cues == ONE
        assert (found.zero, found.local) == pytest.approx((zero, local))


@pytest.mark.parametrize(
    "value", ["", "MPEGTS:", "MPEGTS:9x", "MPEGTS:99999999999999999999", "LOCAL:00:00:00.000", "MPEGTS:9,LOCAL:", "MPEGTS:9,local:9"]
)
def test_clocks_that_cannot_be_read_are_damage(value: str) -> None:
    with pytest.raises(DamagedMediaError, match="invalid X-TIMESTAMP-MAP"):
        parsed(f"WEBVTT\nX-TIMESTAMP-MAP={value}\n\n{END}")


def test_no_clock_is_read_from_what_is_said() -> None:
    text = f"WEBVTT\nA X-TIMESTAMP-MAP=MPEGTS:9\n\n{TIMING}\nX-TIMESTAMP-MAP=MPEGTS:9\n"
    assert parsed(text) == WebVtt((Cue(1.0, 2.5, "X-TIMESTAMP-MAP=MPEGTS:9"),))
    header = f"WEBVTT\n{TIMING}\nX-TIMESTAMP-MAP=MPEGTS:9\n"
    assert parsed(header) == WebVtt((Cue(1.0, 2.5, "X-TIMESTAMP-MAP=MPEGTS:9"),))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00.000", 0.0),
        ("0:0.0", 0.0),
        ("00:01.5", 1.5),
        ("00:01.05", 1.05),
        ("00:01,005", 1.005),
        ("59:59.999", 3599.999),
        ("01:02:03.004", 3723.004),
        ("999999:00:00.000", 999_999 * 3600.0),
    ],
)
def test_a_time_is_read(text: str, seconds: float) -> None:
    assert parse_time(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "00:60.000",
        "60:00.000",
        "1:60:00.000",
        "00:01.0000",
        "00:01",
        "1000000:00:00.000",
        "001:00.000",
        "\u0660\u0660:\u0660\u0661.\u0660\u0660\u0660",
    ],
)
def test_a_time_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text[:2]):
        parse_time(text)
    with pytest.raises(DamagedMediaError, match="is not the timing of a cue"):
        parsed(f"WEBVTT\n\n{text} --> 00:09.000\nHello\n")


@pytest.mark.parametrize(
    ("block", "cues"),
    [
        (f"7\n{TIMING}\nA\n{TIMING}\nB", [("A", "7"), ("B", "")]),
        (f" a b \n{TIMING}\nA", [("A", "a b")]),
        (f"a\nb\n{TIMING}\nA", [("A", "")]),
        (f"{TIMING}\nA\nB", [("A\nB", "")]),
        (f"{TIMING}\n  A  \n", [("A", "")]),
        (f"{TIMING}\n{TIMING}\nA", [("A", "")]),
    ],
)
def test_the_line_before_a_timing_at_the_beginning_of_a_block_is_its_name(block: str, cues: list[tuple[str, str]]) -> None:
    assert [(cue.text, cue.identifier) for cue in parsed(f"WEBVTT\n\n{block}\n").cues] == cues


@pytest.mark.parametrize(
    ("timing", "settings"), [("00:01.000-->00:02.500", ""), (f" {TIMING} ", ""), (f"{TIMING}  line:0\t align:end ", "line:0\t align:end")]
)
def test_spaces_in_a_timing_do_not_matter(timing: str, settings: str) -> None:
    assert parsed(f"WEBVTT\n\n{timing}\nHello\n").cues == (Cue(1.0, 2.5, "Hello", settings),)


@pytest.mark.parametrize(("start", "end", "shown"), [(1, 2, True), (2, 2, False), (3, 2, False)])
def test_a_cue_that_ends_as_it_begins_is_not_shown(start: int, end: int, *, shown: bool) -> None:
    assert bool(parsed(f"WEBVTT\n\n00:0{start}.000 --> 00:0{end}.000\nHello\n").cues) is shown


def test_other_bytes_are_replaced() -> None:
    found = parse_webvtt(b"\xef\xbb\xbfWEBVTT\n\n00:01.000 --> 00:02.500\na\0b\xffc\n")
    assert [cue.text for cue in found.cues] == ["a\ufffdb\ufffdc"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-->" * MAX_CUES, "is not the timing"),
        ("-->" * (MAX_CUES + 1), "more than"),
        ("\n" * (MAX_LINES - 2) + "a", "in the middle of a cue"),
        ("\n" * (MAX_LINES - 1) + "a", "more than"),
    ],
)
def test_so_many_cues_and_lines_are_read(text: str, message: str) -> None:
    with pytest.raises((DamagedMediaError, UnsupportedSourceError), match=message):
        parsed(f"WEBVTT\n\n{text}")


@pytest.mark.parametrize("seconds", [0.0, 0.0004, 0.9996, 59.9996, 3599.9996, 3600.0, 35_999.999, 360_000.001])
def test_times_are_written_in_milliseconds(seconds: float) -> None:
    """Rounded before they are divided: no second has a thousand milliseconds."""
    cue = Cue(seconds, seconds + 1.0, "Hello", "line:0", "7")
    text = write_webvtt(WebVtt((cue,)))
    (read,) = parsed(text).cues
    assert (read.start, read.end) == pytest.approx((round(seconds, 3), round(seconds + 1.0, 3)))
    assert (read.text, read.settings, read.identifier) == ("Hello", "line:0", "7")
    name, times, *_ = text.split("\n\n")[1].split("\n")
    assert (name, times[:-7]) == ("7", write_subrip(WebVtt((cue,))).split("\n")[1].replace(",", "."))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<b>a</b><i>b</i><u>c</u>", "<b>a</b><i>b</i><u>c</u>"),
        ("<b.x>a</b><i lang>b</i><u\tx>c</u>", "<b>a</b><i>b</i><u>c</u>"),
        ("<bold>a</bold><c>b</c><v A>c", "abc"),
        ("a\n<c></c>\n \n<b></b>\nb", "a\nb"),
        ("a &amp;&#65; < b", "a &A < b"),
        ("<i>\n</i>", ""),
    ],
)
def test_subrip_has_bold_italic_and_underlined_text(text: str, plain: str) -> None:
    written = write_subrip(WebVtt((Cue(1.0, 2.0, text),)))
    assert written == (f"1\n00:00:01,000 --> 00:00:02,000\n{plain}\n" if plain else "")
