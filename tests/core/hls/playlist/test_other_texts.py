"""A text that is not a playlist is refused with its name, and each tag is read in all its forms."""

from itertools import product
from urllib.parse import urljoin

import pytest
from peers.playlists import FOLDER, URL, parse_media

from transcoder.core.hls.plan import ByteRange
from transcoder.core.hls.playlist import MultivariantPlaylist, Variant, parse
from transcoder.core.hls.playlist.normalization import byte_range, duration, duration_rounding, target_seconds
from transcoder.core.hls.playlist.uris import UriResolver
from transcoder.errors import UnsupportedSourceError


@pytest.mark.parametrize(
    "text",
    ["<!DOCTYPE html>", "<HTML lang=en>", "<head>", "<body>", "<script>", "<!-- a -->", "<?xml version='1.0'?>", "\ufeff\n <html>"],
)
def test_a_web_page_is_called_one(text: str) -> None:
    for more in ("", "\n#EXTM3U\n#EXTINF:4,\na.ts\n"):
        with pytest.raises(UnsupportedSourceError, match=r"list\.m3u8 is a web page, not a playlist\.$"):
            parse(text + more, URL)


@pytest.mark.parametrize(("place", "is_dash"), [(30, True), (1996, True), (1997, False)])
def test_a_dash_manifest_is_known_by_its_first_element(place: int, *, is_dash: bool) -> None:
    for text in ("<MPD>", "<mpd xmlns='urn:mpeg:dash:schema:mpd:2011'>"):
        with pytest.raises(UnsupportedSourceError, match=r"is a DASH manifest, not an HLS playlist\.$"):
            parse(text, URL)
    with pytest.raises(UnsupportedSourceError, match="is a DASH manifest" if is_dash else "is a web page"):
        parse("<?xml version='1.0'?>\n".ljust(place) + "<MPD>", URL)


@pytest.mark.parametrize("text", ["a.ts", "# EXTM3U\na.ts", "#ext\na", "a <html>", "a<mpd"])
def test_a_text_without_tags_is_no_playlist(text: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=r"is not an HLS playlist\.$"):
        parse(text, URL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10", (10, None)),
        ("10@", (10, None)),
        ("10@0", (10, 0)),
        (" 10 @ 20 ", (10, 20)),
        ('"10@20"', (10, 20)),
        ("9" * 18 + "@" + "9" * 18, (10**18 - 1, 10**18 - 1)),
    ],
)
def test_a_byte_range_is_a_length_and_perhaps_a_place(text: str, expected: tuple[int, int | None]) -> None:
    assert byte_range(text) == expected


@pytest.mark.parametrize("text", ["", "@5", "a", "10@a", "10@5@6", "-1", "1.5", "9" * 19, "1@" + "9" * 19, "٣"])
def test_another_text_is_no_byte_range(text: str) -> None:
    with pytest.raises(UnsupportedSourceError, match="is not a byte range"):
        byte_range(text)


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        (["#EXT-X-TARGETDURATION:4"], 4),
        (["#EXT-X-TARGETDURATION: 4.2s"], 5),
        (["#EXT-X-TARGETDURATION:4", "#EXT-X-TARGETDURATION:6"], 6),
        (["#EXT-X-TARGETDURATION:4", "#EXT-X-TARGETDURATION:long"], 4),
        (["#EXT-X-TARGETDURATION:4", "#EXTINF:9,"], 4),
        (["#EXT-X-TARGETDURATION:0", "#EXTINF:2.1,", "#EXTINF:3,", "#EXTINF:-9,"], 3),
        (["#EXTINF:2.1,"], 3),
        (["#EXTINF:-1,"], 0),
        ([], 0),
    ],
)
def test_the_target_duration_is_the_tags_or_else_the_longest(lines: list[str], seconds: int) -> None:
    assert target_seconds(lines) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *[("4,", 4.0), (" 4.5 title", 4.5), ("+4.", 4.0), (".25", 0.25), ("1e2,", 100.0), ("5E-1", 0.5), ("-0.0", 0.0), ("0", 0.0)],
        *[("1e9", 1e9), ("1e10,", 1e9), ("9" * 400, None), ("-1,", None), ("-0.001", None), ("inf", None), ("NaN", None), ("four", None)],
        ("", None),
    ],
)
def test_a_duration_is_what_a_number_begins_with(value: str, seconds: float | None) -> None:
    assert duration(value) == seconds


@pytest.mark.parametrize(
    ("lines", "rounding"),
    [
        ([], 0.5),
        (["#EXTINF:4,", "4.25.ts"], 0.5),
        (["#EXTINF:4.0,"], 0.05),
        (["#EXTINF:4.5,", "#EXTINF: 4.005,a 1.0000", "#EXTINF:4,"], 0.0005),
        (["#EXT-X-START:4.0000"], 0.5),
    ],
)
def test_durations_are_rounded_by_half_of_their_last_decimal_place(lines: list[str], rounding: float) -> None:
    assert duration_rounding(lines) == pytest.approx(rounding)


PIECES = ("", "a", "b.ts", "..", ".", ".a", "/", "//", "?q", "?x=/../y", "#f", "%20", "~-_", "0:1", "http:", "https://b.example", "@", ";")
BASES = ("https://a.example", "http://a.example/", "https://a.example/v/list.m3u8", "https://a.example/v/w/", "file:///v/list", "/v/list")


@pytest.mark.parametrize("base", [base + more for base in BASES for more in ("", "?u=/x/y", "#/x/y", "../z/list", ".z/", "x/a?b#c?d/e")])
def test_every_reference_leads_where_the_standard_library_says(base: str) -> None:
    resolver = UriResolver(base)
    for reference in map("".join, product(PIECES, repeat=2)):
        assert resolver.resolve(reference) == urljoin(base, reference), reference


def test_a_scheme_may_be_in_capitals() -> None:
    assert UriResolver("HTTPS://a.example/v/list").resolve("w/1.ts").lower() == "https://a.example/v/w/1.ts"


def one_variant(attributes: str) -> Variant:
    playlist = parse(f"#EXTM3U\n#EXT-X-STREAM-INF:{attributes}\nv.m3u8\n", URL)
    assert isinstance(playlist, MultivariantPlaylist)
    return playlist.variants[0]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        *[("1280x720", (1280, 720)), ("1280X720", (1280, 720)), ("1x1", (1, 1)), ("1234567890x2", (123_456_789, 2))],
        *[
            ("0x720", None),
            ("1280x0", None),
            ("1280", None),
            ("x", None),
            ("1280x", None),
            ("x720", None),
            ("-1x720", None),
            ("1280x7²", None),
        ],
    ],
)
def test_a_resolution_is_two_numbers_above_0(text: str, size: tuple[int, int] | None) -> None:
    variant = one_variant(f"RESOLUTION={text}")
    assert (variant.resolution, variant.short_side) == (size, min(size) if size else None)


def test_every_attribute_of_a_variant_and_a_rendition_is_read() -> None:
    text = """#EXTM3U
#EXT-X-MEDIA:TYPE=audio,GROUP-ID="g",NAME="n",LANGUAGE="de",DEFAULT=yes,AUTOSELECT=NO,FORCED=YES,URI="a.m3u8",CHANNELS="6/JOC",CHARACTERISTICS="x,y"
#EXT-X-MEDIA:TYPE=SUBTITLES,DEFAULT=NO,AUTOSELECT=yes,CHANNELS="1000"
#EXT-X-MEDIA:NAME="no kind"
#EXT-X-MEDIA:TYPE=VIDEO,CHANNELS="999"
#EXT-X-STREAM-INF:BANDWIDTH=5,AVERAGE-BANDWIDTH=4,RESOLUTION=3x2,FRAME-RATE=29.97,CODECS=" a , b,,",AUDIO="g",SUBTITLES="s",NAME="n"
v.m3u8
"""
    playlist = parse(text, URL)
    assert isinstance(playlist, MultivariantPlaylist)
    assert playlist.variants == (Variant(FOLDER + "v.m3u8", 5, 4, (3, 2), 29.97, ("a", "b"), "g", "s", "n"),)
    assert [tuple(each[:10]) for each in playlist.renditions] == [
        ("AUDIO", "g", "n", "de", True, False, True, FOLDER + "a.m3u8", 6, "x,y"),
        ("SUBTITLES", "", "", None, False, True, False, None, None, ""),
        ("VIDEO", "", "", None, False, False, False, None, 999, ""),
    ]
    assert one_variant("PROGRAM-ID=1") == Variant(FOLDER + "v.m3u8", 0, None, None, None, (), None, None, None)


@pytest.mark.parametrize(
    ("tags", "kind", "ended", "stills", "delta", "sequence", "discontinuity"),
    [
        ("", None, False, False, False, 0, 0),
        ("#EXT-X-PLAYLIST-TYPE:vod\n#EXT-X-MEDIA-SEQUENCE: 7 \n#EXT-X-DISCONTINUITY-SEQUENCE:3", "VOD", False, False, False, 7, 3),
        ("#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-ENDLIST:x\n#EXT-X-MEDIA-SEQUENCE:seven", "EVENT", True, False, False, 0, 0),
        ("#EXT-X-PLAYLIST-TYPE:OTHER\n#EXT-X-I-FRAMES-ONLY", None, False, True, False, 0, 0),
        ("#EXT-X-IMAGES-ONLY\n#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n#EXT-X-MEDIA-SEQUENCE:" + "9" * 20, None, False, True, True, 10**20 - 1, 0),
        ("#EXT-X-MEDIA-SEQUENCE:" + "9" * 21, None, False, False, False, 0, 0),
    ],
)
def test_what_applies_to_a_whole_media_playlist_is_read(  # noqa: PLR0913, PLR0917 - a column for each
    tags: str,
    kind: str | None,
    ended: bool,  # noqa: FBT001
    stills: bool,  # noqa: FBT001
    delta: bool,  # noqa: FBT001
    sequence: int,
    discontinuity: int,
) -> None:
    media = parse_media(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n{tags}\n#EXTINF:4,\nb.ts\n")
    assert (media.kind, media.ended, media.stills_only, media.is_delta_update) == (kind, ended, stills, delta)
    assert [segment.sequence for segment in media.segments] == [sequence, sequence + 1]
    assert media.discontinuity_sequence == discontinuity


def test_ranges_of_an_address_continue_each_other_and_not_those_of_another_one() -> None:
    entries = ("10@5", "7", "3@100", "2")
    text = "".join(
        f"#EXTINF:4,\n#EXT-X-BYTERANGE:{each}\na.ts\n#EXTINF:4,\n#EXT-X-BYTERANGE:1\nb.ts\n#EXTINF:4,\na.ts\n" for each in entries
    )
    ranges = [segment.range for segment in parse_media(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n{text}").segments]
    assert ranges[::3] == [ByteRange(5, 10), ByteRange(15, 7), ByteRange(100, 3), ByteRange(103, 2)]
    assert ranges[1::3] == [ByteRange(number, 1) for number in range(4)]
    assert ranges[2::3] == [None] * 4
