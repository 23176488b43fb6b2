"""Tests that a cut playlist is recognized by the end of its text."""

import pytest
from peers.playlists import URL, parse_media

from transcoder.core.hls.planner import make_plan
from transcoder.core.hls.playlist import MultivariantPlaylist, TextEnd, parse
from transcoder.core.hls.playlist.text_end import unterminated_line
from transcoder.errors import UpstreamError

HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n"
ENTRIES = [
    "#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\nv1.ts\n",
    '#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="i.mp4"\n#EXTINF:4,\n#EXT-X-BYTERANGE:9@20\nv.mp4\n',
    "#EXT-X-PROGRAM-DATE-TIME:2024-01-01T00:00:00Z\n#EXTINF:3.5,title\nv3.ts?a=1\n",
]
TEXT = HEAD + "".join(ENTRIES)
BORDERS = [len(HEAD + "".join(ENTRIES[:count])) for count in range(1, 4)]


@pytest.mark.parametrize("ending", ["", "#EXT-X-ENDLIST\n"])
def test_only_a_cut_between_two_entries_leaves_a_text_that_is_not_recognized_as_cut(ending: str) -> None:
    text = TEXT + ending
    ends = {place: parse_media(text[:place]).text_end for place in range(len(HEAD) + 1, len(text))}
    assert [place for place, end in ends.items() if end is TextEnd.OPEN] == [place for place in BORDERS if place < len(text)]
    # All letters of EXT-X-ENDLIST are there; only its line end is missing.
    assert [place for place, end in ends.items() if end is TextEnd.WHOLE] == ([len(text) - 1] if ending else [])


@pytest.mark.parametrize(
    ("tail", "end"),
    [
        pytest.param("#EXT-X-ENDLIST", TextEnd.WHOLE, id="no line end after ENDLIST"),
        pytest.param("#EXT-X-DISCONTINUITY\n#EXT-X-ENDLIST\n", TextEnd.WHOLE, id="a break in front of ENDLIST"),
        pytest.param("#EXT-X-ENDLIST\n# made by hand", TextEnd.WHOLE, id="a comment after ENDLIST"),
        pytest.param("#EXTINF:4,\n#EXT-X-ENDLIST\n", TextEnd.CUT, id="a duration without a URI in front of ENDLIST"),
        pytest.param("#EXT-X-ENDLIST\n#EXTINF:4,\nv4.ts\n", TextEnd.WHOLE, id="ENDLIST before the last segment"),
        pytest.param("#EXT-X-ENDLIST\n#EXTINF:4,\nv4.t", TextEnd.CUT, id="ENDLIST before a segment that is cut"),
        pytest.param("#EXTINF:4,\nv4.ts", TextEnd.CUT, id="no line end after a URI"),
        pytest.param("#EXTINF:4,\nv.mp4\n#EXTINF:4,\nv.mp4", TextEnd.OPEN, id="no line end after a URI that repeats the one before"),
        pytest.param('#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v4.a.ts"\n', TextEnd.OPEN, id="a tag that applies to no segment"),
        pytest.param("\r\n \t", TextEnd.OPEN, id="white space"),
    ],
)
def test_the_end_of_a_media_playlist(tail: str, end: TextEnd) -> None:
    assert parse_media(TEXT + tail).text_end is end


def test_a_cut_playlist_is_refused_even_if_its_last_tag_has_no_valid_value() -> None:
    with pytest.raises(UpstreamError, match="incomplete"):
        make_plan(parse_media(TEXT + "#EXTINF:4,\n#EXT-X-BYTERANGE:"))


@pytest.mark.parametrize(
    ("tail", "end"),
    [
        ("#EXT-X-STREAM-INF:BANDWIDTH=2\nb.m3u8\n", TextEnd.WHOLE),
        ("#EXT-X-STREAM-INF:BANDWIDTH=2\nb.m3u8", TextEnd.OPEN),
        ("#EXT-X-STREAM-INF:BANDWIDTH=2\n", TextEnd.CUT),
        ('#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",URI="s.m3u8"', TextEnd.OPEN),
        ('#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Engl', TextEnd.CUT),
    ],
)
def test_the_end_of_a_multivariant_playlist(tail: str, end: TextEnd) -> None:
    playlist = parse("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n" + tail, URL)
    assert isinstance(playlist, MultivariantPlaylist)
    assert playlist.text_end is end


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"", ""),
        (b"#EXTM3U", "#EXTM3U"),
        (b"#EXTM3U\n", ""),
        (b"#EXTM3U\r", ""),
        (b"#EXTM3U\r\nv.ts", "v.ts"),
        (b"#EXTM3U\nv.ts\rw.ts \t", "w.ts"),
        (b"#EXTM3U\n \t", ""),
        (b"#EXTM3U\nv\xff", "v\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_what_stands_after_the_last_line_end(body: bytes, line: str) -> None:
    assert unterminated_line(body) == line


SEGMENT_TAGS = (
    *("EXTINF:4,", "EXT-X-BYTERANGE:9", "EXT-X-DISCONTINUITY", "EXT-X-KEY:METHOD=NONE", "EXT-X-GAP", "EXT-X-BITRATE:9"),
    *('EXT-X-MAP:URI="m"', "EXT-X-PROGRAM-DATE-TIME:2024-01-01T00:00:00Z"),
)
"""RFC 8216bis, 4.4.4: the tags that apply to the segment after them."""


@pytest.mark.parametrize("tag", SEGMENT_TAGS)
def test_a_tag_without_its_segment_is_a_cut(tag: str) -> None:
    text = f"{HEAD}#EXTINF:4,\nv1.ts\n"
    assert parse_media(f"{text}#{tag}\n").text_end is TextEnd.CUT
    for other in ("EXT-X-TARGETDURATION:4", "EXT-X-DATERANGE:ID=a"):
        assert parse_media(f"{text}#{other}\n").text_end is TextEnd.OPEN
