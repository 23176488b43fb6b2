"""Tests which variant and which audio rendition are selected."""

import pytest

from transcoder.core.hls.playlist import MultivariantPlaylist, parse
from transcoder.core.hls.variant_selection import VariantChoice, select_variants
from transcoder.errors import UnsupportedSourceError

FOLDER = "https://media.example/video/"


def read(*lines: str) -> MultivariantPlaylist:
    playlist = parse("\n".join(("#EXTM3U", *lines)), FOLDER + "main.m3u8")
    assert isinstance(playlist, MultivariantPlaylist)
    return playlist


def variant_tag(attributes: str, uri: str) -> str:
    return f"#EXT-X-STREAM-INF:{attributes}\n{uri}"


def audio_tag(group: str, name: str, attributes: str = "") -> str:
    return f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{group}",NAME="{name}"{attributes}'


def names(choice: VariantChoice) -> tuple[str, str | None]:
    return choice.video.removeprefix(FOLDER), choice.audio.removeprefix(FOLDER) if choice.audio else None


LADDER = read(
    variant_tag("BANDWIDTH=3000,RESOLUTION=720x1280", "upright.m3u8"),
    variant_tag("BANDWIDTH=900,RESOLUTION=640x360", "360.m3u8"),
    variant_tag("BANDWIDTH=5000,RESOLUTION=1920x1080", "1080.m3u8"),
    variant_tag("BANDWIDTH=2500,RESOLUTION=1280x720", "720.m3u8"),
    variant_tag('BANDWIDTH=60,CODECS="mp4a.40.2"', "audio.m3u8"),
    variant_tag("BANDWIDTH=9000", "unknown.m3u8"),
)


@pytest.mark.parametrize(
    ("height", "uri"),
    [(None, "1080.m3u8"), (2160, "1080.m3u8"), (1080, "1080.m3u8"), (1079, "upright.m3u8"), (400, "360.m3u8"), (100, "360.m3u8")],
)
def test_the_largest_short_side_that_fits_is_selected_or_else_the_smallest(height: int | None, uri: str) -> None:
    assert [names(choice) for choice in select_variants(LADDER, height=height)] == [(uri, None)]


LANGUAGES = read(
    audio_tag("a", "Deutsch", ',LANGUAGE="de",DEFAULT=YES,AUTOSELECT=YES,URI="de.m3u8"'),
    audio_tag("a", "Described", ',LANGUAGE="en",CHARACTERISTICS="public.accessibility.describes-video",URI="described.m3u8"'),
    audio_tag("a", "English", ',LANGUAGE="en-US",URI="en.m3u8"'),
    audio_tag("a", "Original", ',LANGUAGE="fr"'),
    audio_tag("b", "Suomi", ',LANGUAGE="fi",URI="fi.m3u8"'),
    variant_tag('BANDWIDTH=5000,RESOLUTION=1920x1080,AUDIO="a"', "1080.m3u8"),
    variant_tag('BANDWIDTH=900,RESOLUTION=640x360,AUDIO="b"', "360.m3u8"),
)


@pytest.mark.parametrize(
    ("audio", "expected"),
    [
        (None, ("1080.m3u8", "de.m3u8")),
        ("en-us", ("1080.m3u8", "en.m3u8")),
        ("English", ("1080.m3u8", "en.m3u8")),
        ("described", ("1080.m3u8", "described.m3u8")),
        ("fr", ("1080.m3u8", None)),
        ("fi", ("360.m3u8", "fi.m3u8")),
    ],
)
def test_audio_is_selected_by_language_or_name_and_by_default_otherwise(audio: str | None, expected: tuple[str, str | None]) -> None:
    assert names(select_variants(LANGUAGES, audio=audio)[0]) == expected


def test_missing_audio_is_refused_with_a_list_of_the_available_ones() -> None:
    for missing in ("nl", "us", "e", "de-AT"):
        message = rf"no audio '{missing}'\. It has: de \(Deutsch\), en \(Described\), en-US \(English\)"
        with pytest.raises(UnsupportedSourceError, match=message):
            select_variants(LANGUAGES, audio=missing)


def test_default_and_autoselect_are_preferred_to_more_channels() -> None:
    playlist = read(
        audio_tag("a", "Six", ',CHANNELS="6",URI="6.m3u8"'),
        audio_tag("a", "Two", ',CHANNELS="2/-/BINAURAL",AUTOSELECT=YES,URI="2.m3u8"'),
        audio_tag("b", "Two", ',CHANNELS="2",URI="2.m3u8"'),
        audio_tag("b", "Six", ',CHANNELS="6",URI="6.m3u8"'),
        variant_tag('BANDWIDTH=1,AUDIO="a"', "a.m3u8"),
    )
    assert names(select_variants(playlist)[0]) == ("a.m3u8", "2.m3u8")


def test_audio_that_browsers_play_is_preferred_at_the_same_resolution() -> None:
    playlist = read(
        audio_tag("surround", "English", ',URI="ac3.m3u8"'),
        audio_tag("stereo", "English", ',URI="aac.m3u8"'),
        variant_tag('BANDWIDTH=8000,RESOLUTION=1920x1080,CODECS="avc1.640028,ec-3",AUDIO="surround"', "high.m3u8"),
        variant_tag('BANDWIDTH=7600,RESOLUTION=1920x1080,CODECS="avc1.640028,mp4a.40.2",AUDIO="stereo"', "high.m3u8"),
        variant_tag('BANDWIDTH=4600,RESOLUTION=1920x1080,CODECS="avc1.640028,mp4a.40.2",AUDIO="stereo"', "low.m3u8"),
    )
    assert names(select_variants(playlist)[0]) == ("high.m3u8", "aac.m3u8")


def test_better_audio_does_not_outweigh_better_video() -> None:
    playlist = read(
        audio_tag("good", "English", ',URI="good.m3u8"'),
        audio_tag("poor", "English", ',URI="poor.m3u8"'),
        variant_tag('BANDWIDTH=2300,RESOLUTION=1280x720,AUDIO="good"', "low.m3u8"),
        variant_tag('BANDWIDTH=2200,RESOLUTION=1280x720,AUDIO="poor"', "high.m3u8"),
        variant_tag('BANDWIDTH=2000,RESOLUTION=1280x720,AUDIO="poor"', "low.m3u8"),
    )
    assert names(select_variants(playlist)[0]) == ("high.m3u8", "poor.m3u8")


def test_an_audio_only_variant_in_another_language_is_that_rendition_alone() -> None:
    playlist = read(
        audio_tag("a", "English", ',LANGUAGE="en",DEFAULT=YES,URI="en.m3u8"'),
        audio_tag("a", "Deutsch", ',LANGUAGE="de",URI="de.m3u8"'),
        variant_tag('BANDWIDTH=64000,CODECS="mp4a.40.2",AUDIO="a"', "en.m3u8"),
    )
    assert names(select_variants(playlist)[0]) == ("en.m3u8", None)
    assert names(select_variants(playlist, audio="de")[0]) == ("de.m3u8", None)


def test_redundant_variants_follow_in_order_and_each_once() -> None:
    same = "BANDWIDTH=5000,RESOLUTION=1920x1080"
    playlist = read(
        variant_tag(same, "a.m3u8"), variant_tag("BANDWIDTH=1", "low.m3u8"), *(variant_tag(same, uri) for uri in ("b.m3u8", "a.m3u8"))
    )
    assert [names(choice)[0] for choice in select_variants(playlist)] == ["a.m3u8", "b.m3u8"]


@pytest.mark.parametrize(
    ("attributes", "bandwidth"),
    [("BANDWIDTH=5000,AVERAGE-BANDWIDTH=4000", 4000), ("BANDWIDTH=5000", 5000), ("PROGRAM-ID=1", None), ("BANDWIDTH=fast", None)],
)
def test_bandwidth_is_the_average_if_the_playlist_gives_it(attributes: str, bandwidth: int | None) -> None:
    assert select_variants(read(variant_tag(attributes, "1.m3u8")))[0].bandwidth == bandwidth


@pytest.mark.parametrize("codec", ["wvtt", "stpp", "stpp.ttml.im1t", "tx3g", "WVTT"])
def test_a_variant_of_text_alone_is_no_video(codec: str) -> None:
    text = variant_tag(f'BANDWIDTH=9,RESOLUTION=1920x1080,CODECS="{codec}"', "text.m3u8")
    video = variant_tag(f'BANDWIDTH=1,RESOLUTION=640x360,CODECS="avc1.4d401f,{codec}"', "video.m3u8")
    assert names(select_variants(read(text, video))[0]) == ("video.m3u8", None)


def test_a_variant_that_names_its_codecs_is_as_good_as_one_that_does_not() -> None:
    small = variant_tag("BANDWIDTH=9,RESOLUTION=640x360", "small.m3u8")
    large = variant_tag('BANDWIDTH=1,RESOLUTION=1280x720,CODECS="avc1.4d401f,mp4a.40.2"', "large.m3u8")
    assert names(select_variants(read(small, large))[0]) == ("large.m3u8", None)


@pytest.mark.parametrize("codec", ["dvh1.05.06", "dvhe.05.06", "dva1.09.05", "dvav.09.05", "dav1.10.06"])
def test_dolby_vision_that_no_other_player_understands_is_the_last_choice(codec: str) -> None:
    vision = variant_tag(f'BANDWIDTH=9,RESOLUTION=1920x1080,CODECS="{codec},mp4a.40.2"', "vision.m3u8")
    video = variant_tag('BANDWIDTH=1,RESOLUTION=640x360,CODECS="hvc1.2.4.L123,mp4a.40.2"', "video.m3u8")
    assert names(select_variants(read(vision, video))[0]) == ("video.m3u8", None)
    assert names(select_variants(read(vision))[0]) == ("vision.m3u8", None)


@pytest.mark.parametrize(
    ("codec", "is_played"),
    [("mp4a.40.2", True), ("opus", True), ("fLaC", True), ("mp3", True), ("mp4a.a5", False), ("ac-3", False), ("dtsc", False)],
)
def test_audio_that_browsers_play_decides_between_equal_pictures(codec: str, *, is_played: bool) -> None:
    high = variant_tag('BANDWIDTH=9,RESOLUTION=640x360,CODECS="avc1.4d401f,ec-3"', "high.m3u8")
    low = variant_tag(f'BANDWIDTH=1,RESOLUTION=640x360,CODECS="avc1.4d401f,{codec}"', "low.m3u8")
    assert names(select_variants(read(high, low))[0]) == ("low.m3u8" if is_played else "high.m3u8", None)
