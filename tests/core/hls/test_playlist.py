"""Parses the playlists in fixtures/playlists, each with one oddity, and plans or refuses them."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcoder.core.hls.plan import Segment
from transcoder.core.hls.planning import make_plan
from transcoder.core.hls.playlist import MediaPlaylist, MultivariantPlaylist, parse, require_media_playlist
from transcoder.core.hls.variant_selection import select_variants
from transcoder.errors import UnsupportedSourceError

FIXTURES = Path(__file__).parents[3] / "fixtures" / "playlists"
FOLDER = "https://media.example/video/"
URL = FOLDER + "list.m3u8?token=a%2Fb&x=1"


def read(name: str) -> str:
    return (FIXTURES / f"{name}.m3u8").read_bytes().decode()


def parse_media(text: str, url: str = URL) -> MediaPlaylist:
    return require_media_playlist(parse(text, url))


def shown(segment: Segment) -> str:
    """Write a segment as `address@at+seconds[start:length] key:iv <init[start:length] key:iv>`."""
    words = [f"{segment.url.removeprefix(FOLDER)}@{segment.at:g}+{segment.seconds:g}"]
    if segment.range:
        words[0] += f"[{segment.range.start}:{segment.range.length}]"
    if segment.key:
        words.append(f"{segment.key.url.removeprefix(FOLDER)}:{segment.key.iv.hex()}")
    if segment.init:
        section = segment.init.url.removeprefix(FOLDER)
        section += f"[{segment.init.range.start}:{segment.init.range.length}]" if segment.init.range else ""
        section += f" {segment.init.key.url.removeprefix(FOLDER)}:{segment.init.key.iv.hex()}" if segment.init.key else ""
        words.append(f"<{section}>")
    return " ".join(words)


def parse_or_refusal(text: str) -> MediaPlaylist | MultivariantPlaylist | str:
    """Parse a text; return the message of a refusal, and let any other failure through."""
    try:
        return parse(text, URL)
    except UnsupportedSourceError as refusal:
        return str(refusal)


def outcome(playlist: MediaPlaylist | MultivariantPlaylist | str, *, audio: MediaPlaylist | None = None) -> object:
    """Select from a playlist or plan it; return the message of a refusal."""
    try:
        match playlist:
            case MultivariantPlaylist():
                return select_variants(playlist)
            case MediaPlaylist():
                return make_plan(playlist, audio)
            case str():
                return playlist
    except UnsupportedSourceError as refusal:
        return str(refusal)


PLANNED = {
    "address-forms": [
        [
            "list.m3u8?part=1@0+4",
            "https://cdn.example/2.ts@4+4",
            "https://media.example/3.ts?a=b@8+4",
            "https://media.example/4.ts@12+4",
            "5.ts@16+4",
            "sub/6.ts?x=/../y@20+4",
            "http://other.example/7.ts@24+4",
        ]
    ],
    "address-letters": [["a%20b.ts@0+4", "%C3%BC.ts@4+4", "100%25.ts@8+4", "a%20b.ts@12+4", "12:30:00.ts@16+4", "%7Bx%7D%7Cy.ts@20+4"]],
    "bare-cr": [["1.ts@0+4", "2.ts@4+4"]],
    "blank-lines-comments-white-space": [["1.ts@0+4"]],
    "byte-order-mark": [["1.ts@0+4"]],
    "byterange-after-map": [["all.mp4@0+4[800:100] <all.mp4[0:800]>", "all.mp4@4+4[900:50] <all.mp4[0:800]>"]],
    "byterange-of-no-bytes": [["2.ts@0+4"]],
    "byterange-of-two-files": [["a.ts@0+4[0:100]", "b.ts@4+4[0:10]", "a.ts@8+4[100:20]", "b.ts@12+4[10:30]"]],
    "byterange-without-offset": [["all.ts@0+4[50:100]", "all.ts@4+4[150:70]", "all.ts@8+4[220:30]"]],
    "crlf": [["1.ts@0+4", "2.ts@4+4"]],
    "cut-off-after-extinf": [["1.ts@0+4"]],
    "define-name": [["https://cdn.example/v/1.m4s?%7B$dir@0+4 <https://cdn.example/v/init.mp4>"]],
    "define-nothing": [["%7B$a%7D.ts@0+4"]],
    "define-queryparam": [["1.ts?t=a/b@0+4"]],
    "discontinuities": [["1.ts@0+4", "2.ts@4+4"], ["3.ts@0+4"]],
    "endlist-first": [["1.ts@0+4"]],
    "extinf-above-target": [["1.ts@0+6", "2.ts@6+5"]],
    "extinf-missing": [["1.ts@0+4", "2.ts@4+4", "3.ts@8+4"]],
    "extinf-without-comma": [["1.ts@0+3.5", "2.ts@3.5+4"]],
    "gap-period": [["1.ts@0+4"], ["3.ts@0+4"]],
    "gaps": [["2.ts@0+4", "4.ts@8+4"]],
    "key-after-extinf": [["1.ts@0+4 k:00000000000000000000000000000000"]],
    "key-after-map": [["1.m4s@0+4 k:01000000000000000000000000000000 <init.mp4>"]],
    "key-before-map-without-iv": [
        [
            "1.m4s@0+4 k:00000000000000000000000000000005 <init.mp4 k:00000000000000000000000000000005>",
            "2.m4s@4+4 k:00000000000000000000000000000006 <init.mp4 k:00000000000000000000000000000005>",
        ]
    ],
    "key-before-map": [["1.m4s@0+4 k:01000000000000000000000000000000 <init.mp4 k:01000000000000000000000000000000>"]],
    "key-data-address": [["1.ts@0+4 data:;base64,AAECAwQFBgcICQoLDA0ODw==:00000000000000000000000000000000"]],
    "key-explicit-iv": [["1.ts@0+4 k:000102030405060708090a0b0c0d0e0f", "2.ts@4+4 k:000102030405060708090a0b0c0d0e0f"]],
    "key-identity-among-others": [["1.ts@0+4 k:01000000000000000000000000000000"]],
    "key-implicit-iv": [["1.ts@0+4 k:00000000000000000000000000000102", "2.ts@4+4 k:00000000000000000000000000000103"]],
    "key-on-gap-only": [["2.ts@0+4"]],
    "key-rotation": [
        [
            "1.ts@0+4 k1:00000000000000000000000000000000",
            "2.ts@4+4 k2:00000000000000000000000000000001",
            "3.ts@8+4",
            "4.ts@12+4 k1:00000000000000000000000000000003",
        ]
    ],
    "key-short-iv": [["1.ts@0+4 k:abc00000000000000000000000000000"]],
    "low-latency-parts": [["1.ts@0+4"]],
    "map-changes": [["1.m4s@0+4 <a.mp4>", "2.m4s@4+4 <a.mp4>"], ["3.m4s@0+4 <b.mp4>"], ["4.m4s@0+4 <b.mp4[0:9]>"]],
    "map-unquoted": [["1.m4s@0+4 <init.mp4>"]],
    "no-endlist-but-vod": [["1.ts@0+4"]],
    "no-extm3u": [["1.ts@0+4"]],
    "reddit-2020-video": [["HLS_224.ts@0+6[0:197024]", "HLS_224.ts@6+6[197024:206612]", "HLS_224.ts@12+5[403636:184240]"]],
    "reddit-2025-audio": [
        [
            "CMAF_AUDIO_128.mp4@0+4.011[913:65407] <CMAF_AUDIO_128.mp4[0:833]>",
            "CMAF_AUDIO_128.mp4@4.011+3.989[66320:64554] <CMAF_AUDIO_128.mp4[0:833]>",
            "CMAF_AUDIO_128.mp4@8+1.943[130874:31987] <CMAF_AUDIO_128.mp4[0:833]>",
        ]
    ],
    "start": [["1.ts@0+4"]],
    "target-missing": [["1.ts@0+3.2"]],
    "unknown-tags": [["1.ts@0+4", "2.ts@4+4"]],
    "values-that-stop-m3u8": [["1.ts@0+4"]],
}

CHOSEN = {
    "main-audio-only-among": [("low.m3u8", None)],
    "main-audio-only": [("en.m3u8", None)],
    "main-bandwidth-only": [("3.m3u8", None)],
    "main-define": [("1.m3u8?key=1", None)],
    "main-dolby-vision": [("hevc.m3u8", None)],
    "main-languages": [("muxed.m3u8", None)],
    "main-quotes-in-wrong-places": [("720.m3u8", "sound.m3u8")],
    "main-redundant": [("a/high.m3u8", "a/sound.m3u8"), ("b/high.m3u8", "b/sound.m3u8")],
    "main-surround": [("1080.m3u8", "aac.m3u8")],
    "reddit-2018-main": [("HLS_576_v4.m3u8", None)],
    "reddit-2020-main": [("HLS_576.m3u8", "HLS_AUDIO_160_K.m3u8")],
    "reddit-2025-main": [("CMAF_1080.m3u8", "CMAF_AUDIO_128.m3u8")],
}

REFUSED = {
    "address-broken": "The playlist contains 'http://[', which is not an address.",
    "byterange-broken": "The playlist is broken: 'first' is not a byte range.",
    "dash-manifest": "is a DASH manifest, not an HLS playlist.",
    "define-after-use": "The playlist uses the variable 'a', which has no value.",
    "define-doubling": "The playlist's variables expand to more than 16777216 characters.",
    "define-import": "The playlist uses the variable 'auth', which has no value.",
    "define-queryparam-missing": "The playlist uses the variable 'none', which has no value.",
    "delta-update": "is a delta update, which leaves out segments.",
    "empty": "is empty, not a playlist.",
    "event-without-end": "has no end: it is a live stream, which is not supported.",
    "extinf-and-target-missing": "The playlist is broken: it has neither segment durations nor a target duration.",
    "extinf-inf": "The playlist is broken: a segment lasts inf seconds.",
    "extinf-nan": "The playlist is broken: a segment lasts nan seconds.",
    "extinf-negative": "The playlist is broken: a segment lasts -1 seconds.",
    "gaps-only": "lists only gaps: none of its segments exist.",
    "i-frames-only": "lists only still images for scrubbing, not a video.",
    "key-aes-256": "The source is protected: it is encrypted with AES-256, which is not supported.",
    "key-fairplay-unformatted": "The source is protected (FairPlay), which is not supported.",
    "key-fairplay": "The source is protected (FairPlay), which is not supported.",
    "key-long-iv": "The playlist is broken: '0x0000000000000000000000000000000000' is not an initialization vector of 16 bytes.",
    "key-method-changes": "The source is protected (FairPlay), which is not supported.",
    "key-sample-aes": "The source is protected: it is encrypted with SAMPLE-AES, which is not supported.",
    "key-widevine-playready": "The source is protected (PlayReady, Widevine), which is not supported.",
    "key-without-method": "The playlist is broken: an EXT-X-KEY tag has no METHOD.",
    "key-without-uri": "The playlist is broken: it encrypts with AES-128 but names no key.",
    "live": "has no end: it is a live stream, which is not supported.",
    "main-i-frames-only": "The playlist lists no variants.",
    "map-without-uri": "The playlist is broken: it has an initialization section without an address.",
    "no-segments": "lists no segments.",
    "plain-words": "is not an HLS playlist.",
    "web-page": "is a web page, not a playlist.",
}


def test_every_fixture_has_an_expectation() -> None:
    assert {path.stem for path in FIXTURES.glob("*.m3u8")} == {*PLANNED, *CHOSEN, *REFUSED}


@pytest.mark.parametrize("name", PLANNED)
def test_media_playlist_becomes_a_plan(name: str) -> None:
    plan = make_plan(parse_media(read(name)))
    assert [[shown(segment) for segment in period.tracks[0].segments] for period in plan.periods] == PLANNED[name]


@pytest.mark.parametrize("name", CHOSEN)
def test_multivariant_playlist_leads_to_its_best_variant(name: str) -> None:
    playlist = parse(read(name), URL)
    assert isinstance(playlist, MultivariantPlaylist)
    choices = [
        (choice.video.removeprefix(FOLDER), choice.audio and choice.audio.removeprefix(FOLDER)) for choice in select_variants(playlist)
    ]
    assert choices == CHOSEN[name]


@pytest.mark.parametrize("name", REFUSED)
def test_an_unsupported_playlist_is_refused_with_a_reason(name: str) -> None:
    sentence = outcome(parse_or_refusal(read(name)))
    assert isinstance(sentence, str)
    assert REFUSED[name] in sentence
    assert "token" not in sentence


def test_variables_of_the_multivariant_playlist_are_imported() -> None:
    main = parse(read("main-define"), URL)
    assert isinstance(main, MultivariantPlaylist)
    media = require_media_playlist(parse(read("define-import"), URL, imported=main.variables))
    assert [segment.url for segment in media.segments] == [FOLDER + "1.ts?key=1"]


def test_a_multivariant_playlist_is_not_accepted_as_a_media_playlist() -> None:
    with pytest.raises(UnsupportedSourceError, match="lists variants where it should list segments"):
        require_media_playlist(parse(read("main-define"), URL))


def test_attributes_are_parsed_with_misplaced_quotes() -> None:
    playlist = parse(read("main-quotes-in-wrong-places"), URL)
    assert isinstance(playlist, MultivariantPlaylist)
    (variant,), (rendition,) = playlist.variants, playlist.renditions
    assert (variant.bandwidth, variant.average_bandwidth, variant.frame_rate) == (1280000, 1000000, 29.97)
    assert (variant.resolution, variant.short_side, variant.audio_group) == ((1280, 720), 720, "a")
    assert variant.codecs == ("avc1.4d401f", "mp4a.40.2")
    assert (rendition.kind, rendition.group, rendition.name, rendition.channels) == ("AUDIO", "a", "it's", 2)
    assert (rendition.default, rendition.autoselect, rendition.forced) == (True, True, False)


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\x0b", "\x1e"])
def test_only_cr_and_lf_end_a_line(separator: str) -> None:
    media = parse_media(f"#EXTM3U\n#EXTINF:4,a{separator}b\n1.ts\n#EXT-X-ENDLIST")
    assert [segment.url for segment in media.segments] == [FOLDER + "1.ts"]


@pytest.mark.parametrize(
    ("base", "reference", "address"),
    [
        ("https://a.example/v/list.m3u8", "data:text/plain,hello world", "data:text/plain,hello world"),
        ("https://a.example/v/list.m3u8?u=/x/y", "1.ts", "https://a.example/v/1.ts"),
        ("https://a.example", "1.ts", "https://a.example/1.ts"),
        ("https://a.example/v/../w/list.m3u8", "1.ts", "https://a.example/w/1.ts"),
        ("https://a.example/v/", "1.ts?a=/../b", "https://a.example/v/1.ts?a=/../b"),
        ("https://a.example/v/list.m3u8", "a/../1.ts", "https://a.example/v/1.ts"),
        ("https://a.example/v/list.m3u8", "skd://key", "skd://key"),
    ],
)
def test_references_are_resolved(base: str, reference: str, address: str) -> None:
    media = parse_media(f"#EXTM3U\n#EXTINF:4,\n{reference}\n#EXT-X-ENDLIST", base)
    assert media.segments[0].url == address


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("#EXTINF:1,\n1.ts\n" * 100_001, id="segments"),
        pytest.param("#EXT-X-DISCONTINUITY\n" * 500_001, id="lines"),
        pytest.param("".join(f'#EXT-X-KEY:METHOD=AES-128,KEYFORMAT="{number}"\n' for number in range(100)), id="keys"),
    ],
)
def test_segments_lines_and_keys_have_a_limit(lines: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=r"is too long|more than 32 keys"):
        parse(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n{lines}1.ts\n", URL)


@pytest.mark.parametrize(
    "value", ["a" * 200_000, "a " * 100_000, '"' * 200_000, "a=" * 100_000, 'a="' * 70_000, "9" * 200_000, "'" * 200_000]
)
@pytest.mark.parametrize("tag", ["#EXT-X-STREAM-INF:", "#EXT-X-MEDIA:", "#EXT-X-KEY:", "#EXT-X-DEFINE:", "#EXTINF:", ""])
def test_a_long_line_is_parsed_quickly(tag: str, value: str) -> None:
    started = time.process_time()
    assert outcome(parse_or_refusal(f"#EXTM3U\n{tag}{value}\n1.ts\n"))
    assert time.process_time() - started < 1


def test_ten_thousand_segments_are_planned_in_under_a_second() -> None:
    segments = "".join(f"#EXTINF:6.006,\nvideo/part_{number}.ts?token=abc\n" for number in range(10_000))
    started = time.process_time()
    plan = make_plan(parse_media(f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n{segments}#EXT-X-ENDLIST"))
    assert time.process_time() - started < 1
    assert len(plan.periods[0].tracks[0].segments) == 10_000


@given(st.text())
@settings(deadline=None)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    assert outcome(parse_or_refusal(text))
    assert outcome(parse_or_refusal(f"#EXTM3U\n#EXTINF:4,\n{text}"))


TEXTS = [read(path.stem) for path in sorted(FIXTURES.glob("*.m3u8"))]
LINES = sorted({line for text in TEXTS for line in text.splitlines()})
JUNK = ['"', ",", "=", ":", "@", "'", "[", "//[", "%", "\x85", "-1", "nan", "1e999", "9" * 40, "²", "{$a}", "\n", "\r", "\x00"]


@st.composite
def mangled(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(text)))
        until = draw(st.integers(place, min(len(text), place + 12)))
        text = text[:place] + draw(st.sampled_from([*JUNK, *(f"\n{line}\n" for line in LINES), ""])) + text[until:]
    return text


@given(mangled(), mangled())
@settings(max_examples=400, deadline=None)
def test_a_mangled_playlist_is_parsed_or_refused(text: str, other: str) -> None:
    playlist = parse_or_refusal(other)
    assert outcome(parse_or_refusal(text), audio=playlist if isinstance(playlist, MediaPlaylist) else None)


def test_a_line_that_is_empty_after_substitution_is_refused() -> None:
    text = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-DEFINE:NAME="a",VALUE=""\n#EXTINF:4,\n{$a}\n#EXT-X-ENDLIST\n'
    with pytest.raises(UnsupportedSourceError, match="is empty after its variables are replaced"):
        parse(text, "https://a.example/v.m3u8")
