"""How long the lines and the texts of playlists may be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peers.drawn_inputs import examples

from transcoder.core.hls.playlist import MediaPlaylist, parse
from transcoder.core.hls.playlist.lines import MAX_DATA_CHARACTERS, MAX_LINE_CHARACTERS, MAX_LINES, MAX_URIS
from transcoder.core.hls.playlist.parse import MAX_CODECS, MAX_VARIANTS
from transcoder.errors import UnsupportedSourceError

URL = "http://example.com/a/main.m3u8"
HEAD, END = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n", "#EXT-X-ENDLIST\n"


def media(*lines: str) -> str:
    return HEAD + "".join(f"{line}\n" for line in lines) + END


def read(*lines: str) -> MediaPlaylist:
    found = parse(media(*lines), URL)
    assert isinstance(found, MediaPlaylist)
    return found


def test_an_address_may_be_long() -> None:
    address = "a" * MAX_LINE_CHARACTERS
    for longer in ("#EXT-X-DATERANGE:", "#EXT-X-DATERANGE:" + address):
        assert [segment.url for segment in read("#EXTINF:6,", address, longer).segments] == [f"http://example.com/a/{address}"]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(("#EXTINF:6,", "a" * (MAX_LINE_CHARACTERS + 1)), id="an address"),
        pytest.param(("#EXTINF:6,", "a" * 5 * MAX_DATA_CHARACTERS), id="a much longer address"),
        pytest.param((f'#EXT-X-KEY:METHOD=AES-128,URI="{"a" * MAX_LINE_CHARACTERS}"', "#EXTINF:6,", "a.ts"), id="the address of a key"),
        pytest.param((f"#EXT-X-MAP:URI=data:,a,X={'a' * MAX_LINE_CHARACTERS},URI={'a' * MAX_LINE_CHARACTERS}b", "a.ts"), id="beside data"),
        pytest.param(("#EXTINF:6,", "data:," + "a" * MAX_DATA_CHARACTERS), id="an address of data"),
        pytest.param(("#EXTINF:6,", "data:," + "\u20ac" * MAX_DATA_CHARACTERS), id="an address of data beyond ASCII"),
        pytest.param(('#EXT-X-DEFINE:NAME="a",VALUE="' + "a" * 1000 + '"', "#EXTINF:6,", "{$a}" * 100), id="by variables"),
    ],
)
def test_a_line_that_is_too_long_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(UnsupportedSourceError, match=r"more than \d+ characters"):
        parse(media(*lines), URL)


@pytest.mark.parametrize("line", ["#", "#EXT-X-SESSION-DATA:VALUE=", "#EXT-X-DATERANGE:", "# data:"])
@pytest.mark.parametrize("length", [MAX_LINE_CHARACTERS, 5 * MAX_DATA_CHARACTERS])
def test_a_long_line_that_is_not_used_is_ignored(line: str, length: int) -> None:
    found = read("#EXTINF:6,", "a.ts", line + "x" * length, "#EXTINF:4,", "b.ts")
    assert [segment.url[-4:] for segment in found.segments] == ["a.ts", "b.ts"]


def test_data_in_an_address_may_be_long() -> None:
    address = "data:;base64," + "A" * (MAX_DATA_CHARACTERS - 100)
    found = read(f'#EXT-X-MAP:URI="{address}"', "#EXTINF:6,", address)
    assert found.segments[0].url == address
    assert found.segments[0].map
    assert found.segments[0].map.url == address


def test_a_long_web_page_is_called_one() -> None:
    with pytest.raises(UnsupportedSourceError, match="is a web page"):
        parse("<!DOCTYPE html>" + "<p>" * MAX_DATA_CHARACTERS, URL)


def test_the_number_of_lines_segments_and_variants_is_limited() -> None:
    for text in (
        media(*["a"] * (MAX_URIS + 1)),
        media(*["#EXT-X-GAP"] * MAX_LINES, "a"),
        "#EXTM3U\n" + "#EXT-X-STREAM-INF:BANDWIDTH=1\na\n" * (MAX_VARIANTS + 1),
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n" + '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a"\n' * 3 * MAX_VARIANTS,
    ):
        with pytest.raises(UnsupportedSourceError, match="too long"):
            parse(text, URL)


def test_only_the_first_codecs_are_read() -> None:
    found = parse('#EXTM3U\n#EXT-X-STREAM-INF:CODECS="' + "a," * 1000 + '"\na\n', URL)
    assert not isinstance(found, MediaPlaylist)
    assert found.variants[0].codecs == ("a",) * MAX_CODECS


@settings(max_examples=examples(6))
@given(st.integers(4990, 5010), st.sampled_from(["\n", "\r\n", "\r"]))
def test_keys_and_sections_stay_in_force_over_thousands_of_segments(number: int, line_end: str) -> None:
    """The text is parsed in parts, whose borders must not show."""
    tags = [
        '#EXT-X-KEY:METHOD=AES-128,URI="k"', '#EXT-X-MAP:URI="m"', *["#EXTINF:6,", "#EXT-X-BYTERANGE:10", "a.mp4"] * number,
        '#EXT-X-KEY:METHOD=AES-128,URI="l"', "#EXT-X-DISCONTINUITY", *["#EXTINF:6,", "#EXT-X-BYTERANGE:10", "a.mp4"] * 5010,
    ]  # fmt: skip
    found = parse(media(*tags).replace("\n", line_end).encode(), URL)
    assert isinstance(found, MediaPlaylist)
    assert len(found.segments) == number + 5010
    assert [segment.sequence for segment in found.segments] == list(range(len(found.segments)))
    assert [segment.range.start if segment.range else -1 for segment in found.segments] == list(range(0, 10 * len(found.segments), 10))
    assert [segment.keys[0].url for segment in found.segments] == number * ["http://example.com/a/k"] + 5010 * ["http://example.com/a/l"]
    assert {segment.map.url if segment.map else None for segment in found.segments} == {"http://example.com/a/m"}
    assert [index for index, segment in enumerate(found.segments) if segment.discontinuity] == [number]
