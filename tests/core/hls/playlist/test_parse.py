"""Parses the playlists in fixtures/playlists, each with one oddity, and plans, selects from or refuses them."""

import pytest
from peers.playlists import FIXTURES, FOLDER, URL, outcome, parse_media, parse_or_refusal, read_playlist

from transcoder.core.hls.plan import Segment
from transcoder.core.hls.planner import make_plan
from transcoder.core.hls.playlist import MultivariantPlaylist, NestedPlaylistError, parse, require_media_playlist
from transcoder.core.hls.playlist.normalization import is_multivariant
from transcoder.core.hls.variant_selection import select_variants


def describe(segment: Segment) -> str:
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
    "define-name": [["https://cdn.example/v/1.m4s?%7B$dir@0+4 <https://cdn.example/v/init.mp4>"]],
    "define-nothing": [["%7B$a%7D.ts@0+4"]],
    "define-queryparam": [["1.ts?t=a/b@0+4"]],
    "discontinuities": [["1.ts@0+4", "2.ts@4+4"], ["3.ts@0+4"]],
    "endlist-first": [["1.ts@0+4"]],
    "extinf-above-target": [["1.ts@0+6", "2.ts@6+5"]],
    "extinf-inf": [["1.ts@0+4"]],
    "extinf-missing": [["1.ts@0+4", "2.ts@4+4", "3.ts@8+4"]],
    "extinf-nan": [["1.ts@0+4"]],
    "extinf-negative": [["1.ts@0+4"]],
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
    "cut-off-after-extinf": "is incomplete: its text ends in the middle of an entry, or lacks segments that the origin has.",
    "dash-manifest": "is a DASH manifest, not an HLS playlist.",
    "define-after-use": "The playlist uses the variable 'a', which has no value.",
    "define-doubling": "The playlist's variables make a line of more than 65536 characters.",
    "define-import": "The playlist uses the variable 'auth', which has no value.",
    "define-queryparam-missing": "The playlist uses the variable 'none', which has no value.",
    "delta-update": "is a delta update, which leaves out segments.",
    "empty": "is empty, not a playlist.",
    "event-without-end": "has no end: it is a live stream, which is not supported.",
    "extinf-and-target-missing": "The playlist is broken: it has neither segment durations nor a target duration.",
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
    plan = make_plan(parse_media(read_playlist(name)))
    assert [[describe(segment) for segment in period.tracks[0].segments] for period in plan.periods] == PLANNED[name]


@pytest.mark.parametrize("name", CHOSEN)
def test_multivariant_playlist_leads_to_its_best_variant(name: str) -> None:
    playlist = parse(read_playlist(name), URL)
    assert isinstance(playlist, MultivariantPlaylist)
    choices = [
        (choice.video.removeprefix(FOLDER), choice.audio and choice.audio.removeprefix(FOLDER)) for choice in select_variants(playlist)
    ]
    assert choices == CHOSEN[name]


@pytest.mark.parametrize("name", REFUSED)
def test_an_unsupported_playlist_is_refused_with_a_reason(name: str) -> None:
    sentence = outcome(parse_or_refusal(read_playlist(name)))
    assert isinstance(sentence, str)
    assert REFUSED[name] in sentence
    assert "token" not in sentence


def test_a_multivariant_playlist_is_not_accepted_as_a_media_playlist() -> None:
    playlist = parse(read_playlist("main-define"), URL)
    with pytest.raises(NestedPlaylistError, match=r"list\.m3u8 lists variants where it should list segments") as caught:
        require_media_playlist(playlist, named="https://a.example/before-redirects")
    assert (caught.value.named, caught.value.playlist) == ("https://a.example/before-redirects", playlist)


def test_attributes_are_parsed_with_misplaced_quotes() -> None:
    playlist = parse(read_playlist("main-quotes-in-wrong-places"), URL)
    assert isinstance(playlist, MultivariantPlaylist)
    (variant,), (rendition,) = playlist.variants, playlist.renditions
    assert (variant.bandwidth, variant.average_bandwidth, variant.frame_rate) == (1280000, 1000000, 29.97)
    assert (variant.resolution, variant.short_side, variant.audio_group) == ((1280, 720), 720, "a")
    assert variant.codecs == ("avc1.4d401f", "mp4a.40.2")
    assert (rendition.kind, rendition.group, rendition.name, rendition.channels) == ("AUDIO", "a", "it's", 2)
    assert (rendition.default, rendition.autoselect, rendition.forced) == (True, True, False)
    assert rendition.characteristics == "", "it has none"


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\x0b", "\x1e"])
def test_only_cr_and_lf_end_a_line(separator: str) -> None:
    media = parse_media(f"#EXTM3U\n#EXTINF:4,a{separator}b\n1.ts\n#EXT-X-ENDLIST")
    assert [segment.url for segment in media.segments] == [FOLDER + "1.ts"]


MULTIVARIANT_TAGS = ["#EXT-X-STREAM-INF", "#EXT-X-MEDIA", "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-SESSION-DATA", "#EXT-X-SESSION-KEY"]
"""RFC 8216, 4.3.4."""


@pytest.mark.parametrize("tag", MULTIVARIANT_TAGS)
def test_each_tag_of_a_multivariant_playlist_makes_one_and_only_variants_outweigh_segments(tag: str) -> None:
    assert is_multivariant(["#EXTM3U", f"{tag}:NAME=a"])
    assert not is_multivariant(["#EXTM3U"])
    for other in ("#EXTINF:4,", "#EXT-X-TARGETDURATION:4"):
        assert is_multivariant(["#EXTM3U", other, f"{tag}:NAME=a"]) is (tag == "#EXT-X-STREAM-INF")
