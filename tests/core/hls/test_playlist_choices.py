"""Which playlists have the same media, which variants fit into a bandwidth, and which variants and renditions come first."""

from itertools import pairwise

import pytest

from transcoder.core.hls.playlist import MultivariantPlaylist, parse
from transcoder.core.hls.variant_selection import (
    MAX_CHOICES,
    bits_per_second,
    is_audio_only,
    select_audio,
    select_variants,
    sibling_playlists,
    within_bandwidth,
)
from transcoder.core.media.streams import Medium
from transcoder.errors import UnsupportedSourceError

FOLDER = "https://media.example/video/"


def read(*lines: str) -> MultivariantPlaylist:
    playlist = parse("\n".join(("#EXTM3U", *lines, "")), FOLDER + "main.m3u8")
    assert isinstance(playlist, MultivariantPlaylist)
    return playlist


def variant(attributes: str, uri: str) -> str:
    return f"#EXT-X-STREAM-INF:{attributes}\n{uri}.m3u8"


def audio(name: str, attributes: str = "", *, kind: str = "AUDIO", uri: str | None = None) -> str:
    return f'#EXT-X-MEDIA:TYPE={kind},GROUP-ID="a",NAME="{name}"{attributes},URI="{uri or name}.m3u8"'


def short(*urls: str) -> list[str]:
    return [url.removeprefix(FOLDER).removesuffix(".m3u8") for url in urls]


SOUND = 'CODECS="mp4a.40.2"'
VARIANTS = (
    variant("BANDWIDTH=900,RESOLUTION=640x360,AUDIO=a", "low"),
    variant("BANDWIDTH=5000,RESOLUTION=1920x1080,AUDIO=a", "high"),
    variant("BANDWIDTH=4900,RESOLUTION=1920x1080,AUDIO=b", "high"),
    variant(f"BANDWIDTH=64,{SOUND}", "sound"),
    variant("BANDWIDTH=2000,RESOLUTION=1280x720,AUDIO=a", "middle"),
    variant("BANDWIDTH=900,RESOLUTION=640x360,AUDIO=b", "low"),
)
RENDITIONS = (
    audio("de", ',LANGUAGE="de"'),
    audio("en", ',LANGUAGE="en",DEFAULT=YES'),
    audio("en-copy", ',LANGUAGE="en"').replace('NAME="en-copy"', 'NAME="en"'),
    audio("text", ',LANGUAGE="en"', kind="SUBTITLES"),
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="inside"',
)


def test_other_variants_have_the_same_video_and_each_is_named_once() -> None:
    playlist = read(*RENDITIONS, *VARIANTS)
    (choice, *_) = select_variants(playlist)
    assert short(choice.video) == ["high"]
    assert short(*sibling_playlists(playlist, choice, Medium.VIDEO)) == ["low", "middle"]


def test_other_renditions_have_the_same_audio_those_of_the_same_language_and_name_first() -> None:
    playlist = read(*RENDITIONS, *VARIANTS)
    choice = select_variants(playlist, height=720)[0]
    assert short(choice.audio or "") == ["en"]
    assert short(*sibling_playlists(playlist, choice, Medium.AUDIO)) == ["en-copy", "de"]
    other_name = read(audio("x", ',LANGUAGE="en",DEFAULT=YES'), audio("y", ',LANGUAGE="en"'), audio("z", ',LANGUAGE="de"'), *VARIANTS)
    assert short(*sibling_playlists(other_name, select_variants(other_name)[0], Medium.AUDIO)) == ["y", "z"]


def test_a_variant_with_its_audio_in_itself_has_all_renditions_for_siblings_but_itself() -> None:
    playlist = read(audio("high"), audio("de"), audio("en"), variant("BANDWIDTH=1", "high"))
    choice = select_variants(playlist)[0]
    assert choice.rendition is None
    assert short(*sibling_playlists(playlist, choice, Medium.AUDIO)) == ["de", "en"]


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (63, []),
        (64, ["sound"]),
        (899, ["sound"]),
        (900, ["low", "sound", "low"]),
        (5000, ["low", "high", "high", "sound", "middle", "low"]),
    ],
)
def test_a_bandwidth_allows_the_variants_that_need_no_more(limit: int, expected: list[str]) -> None:
    allowed = within_bandwidth(read(*RENDITIONS, *VARIANTS, variant("PROGRAM-ID=1", "unknown")), limit=limit)
    assert short(*(each.url for each in allowed.variants)) == expected
    assert len(allowed.renditions) == len(RENDITIONS)


def test_the_average_bandwidth_is_what_a_download_needs() -> None:
    playlist = read(variant("BANDWIDTH=900,AVERAGE-BANDWIDTH=500", "a"), variant("BANDWIDTH=501", "b"), variant("AVERAGE-BANDWIDTH=1", "c"))
    assert [bits_per_second(each) for each in playlist.variants] == [500, 501, 1]
    assert short(*(each.url for each in within_bandwidth(playlist, limit=500).variants)) == ["a", "c"]


@pytest.mark.parametrize(("language", "expected"), [(None, "en"), ("de", "de"), ("fr", "en"), ("", "en")])
def test_audio_is_selected_in_its_language_if_it_is_there(language: str | None, expected: str) -> None:
    assert short(select_audio(read(*RENDITIONS, *VARIANTS), language=language)) == [expected]
    assert short(select_audio(read(audio("text", ',LANGUAGE="de"', kind="SUBTITLES"), *VARIANTS), language=language)) == ["high"]


def test_audio_is_that_of_the_first_of_redundant_variants() -> None:
    pair = [variant("BANDWIDTH=1,AUDIO=a", "x"), variant("BANDWIDTH=1,AUDIO=b", "y")]
    sounds = [audio("first"), audio("second").replace('GROUP-ID="a"', 'GROUP-ID="b"')]
    assert short(select_audio(read(*sounds, *pair), language=None)) == ["first"]
    assert short(select_audio(read(*sounds, *reversed(pair)), language=None)) == ["second"]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (SOUND, True),
        ('CODECS="ec-3,mp4a.40.2"', True),
        (f"{SOUND},RESOLUTION=640x360", False),
        ('CODECS="avc1.4d401f,mp4a.40.2"', False),
        ("BANDWIDTH=1", False),
    ],
)
def test_a_variant_of_audio_alone_says_so_by_its_codecs(attributes: str, *, expected: bool) -> None:
    assert is_audio_only(read(variant(attributes, "a")).variants[0]) is expected


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_so_many_redundant_variants_are_returned(more: int) -> None:
    playlist = read(*(variant("BANDWIDTH=9,RESOLUTION=640x360", str(number)) for number in range(MAX_CHOICES + more)))
    assert short(*(each.video for each in select_variants(playlist))) == [str(number) for number in range(min(8, 8 + more))]


DIFFERENCES = ("BANDWIDTH=9", "AVERAGE-BANDWIDTH=8", "RESOLUTION=640x360", "FRAME-RATE=25", 'CODECS="avc1.4d401f"')


@pytest.mark.parametrize("left_out", range(len(DIFFERENCES)))
def test_a_variant_with_another_attribute_is_not_redundant(left_out: int) -> None:
    """RFC 8216, 6.2.4."""
    other = [each for number, each in enumerate(DIFFERENCES) if number != left_out]
    playlist = read(variant(",".join(DIFFERENCES), "a"), variant(",".join(other), "b"), variant(",".join(DIFFERENCES), "c"))
    choices = [short(each.video)[0] for each in select_variants(playlist)]
    assert choices in (["a", "c"], ["b"])


BETTER = (
    'BANDWIDTH=1,RESOLUTION=640x360,CODECS="avc1.4d401f,mp4a.40.2"',
    'BANDWIDTH=9,RESOLUTION=640x360,CODECS="avc1.4d401f,ec-3"',
    'BANDWIDTH=99,RESOLUTION=640x300,CODECS="avc1.4d401f,mp4a.40.2"',
    'BANDWIDTH=999,RESOLUTION=1920x1080,CODECS="avc1.4d401f,mp4a.40.2"',
    'BANDWIDTH=1000,RESOLUTION=1920x1200,CODECS="avc1.4d401f,mp4a.40.2"',
    'BANDWIDTH=9999,CODECS="avc1.4d401f,mp4a.40.2"',
    'BANDWIDTH=99999,RESOLUTION=640x360,CODECS="dvh1.05.06,mp4a.40.2"',
    f"BANDWIDTH=999999,{SOUND}",
    'BANDWIDTH=9999999,RESOLUTION=640x360,CODECS="wvtt"',
)
"""Variants from the best to the worst where at most 720 pixels are wanted, each of a larger bandwidth than the one before it."""


@pytest.mark.parametrize(("better", "worse"), list(pairwise(BETTER)))
def test_variants_are_preferred_in_this_order(better: str, worse: str) -> None:
    for pair in ((variant(better, "better"), variant(worse, "worse")), (variant(worse, "worse"), variant(better, "better"))):
        assert short(select_variants(read(*pair), height=720)[0].video) == ["better"]


PREFERRED = (
    (',LANGUAGE="en"', "en"),
    (',LANGUAGE="en-GB",DEFAULT=YES,AUTOSELECT=YES', "en"),
    (',LANGUAGE="en-GB",AUTOSELECT=YES', "en"),
    (',LANGUAGE="en-GB",CHANNELS="2"', "en"),
    (',LANGUAGE="en-GB",CHANNELS="6",CHARACTERISTICS="public.easy-to-read"', "en"),
    (',LANGUAGE="en-GB",DEFAULT=YES,CHARACTERISTICS="public.accessibility.describes-video"', "en"),
    (',LANGUAGE="de",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="6"', "en"),
)
"""Renditions from the best to the worst for somebody who wants `en`."""


def test_a_resolution_of_one_pixel_is_known() -> None:
    pair = (variant("BANDWIDTH=9", "unknown"), variant("BANDWIDTH=1,RESOLUTION=1x1", "known"))
    assert short(select_variants(read(*pair))[0].video) == ["known"]


@pytest.mark.parametrize(("better", "worse"), list(pairwise(attributes for attributes, _ in PREFERRED)))
def test_renditions_are_preferred_in_this_order(better: str, worse: str) -> None:
    for pair in ((audio("better", better), audio("worse", worse)), (audio("worse", worse), audio("better", better))):
        choice = select_variants(read(*pair, variant("BANDWIDTH=1,AUDIO=a", "v")), audio="en")[0]
        assert short(choice.audio or "") == ["better"]


@pytest.mark.parametrize(("first", "second"), [("6", "2"), ("2", "1"), ("1", ""), ("16/JOC", "6")])
def test_more_channels_are_preferred_at_last(first: str, second: str) -> None:
    pair = (audio("few", f',CHANNELS="{second}"'), audio("many", f',CHANNELS="{first}"'))
    assert short(select_variants(read(*pair, variant("BANDWIDTH=1,AUDIO=a", "v")))[0].audio or "") == ["many"]


def test_the_bandwidth_of_a_picture_is_that_of_its_variant_with_the_least_audio() -> None:
    """Between equal pictures the richer one wins, however rich the audio beside the other one is."""
    rich = (variant("BANDWIDTH=50,RESOLUTION=640x360", "rich"), variant("BANDWIDTH=55,RESOLUTION=640x360", "rich"))
    thin = (variant("BANDWIDTH=90,RESOLUTION=640x360", "thin"), variant("BANDWIDTH=40,RESOLUTION=640x360", "thin"))
    for listed in ((*rich, *thin), (*reversed(thin), *reversed(rich))):
        (choice, *_) = select_variants(read(*listed))
        assert (short(choice.video), choice.variant.bandwidth) == (["rich"], 55)


def test_the_audio_that_there_is_is_named_once_each_and_not_that_of_no_name() -> None:
    playlist = read(audio("B"), audio("A", ',LANGUAGE="de"'), audio("B"), audio(""), audio("x", kind="SUBTITLES"), *VARIANTS)
    with pytest.raises(UnsupportedSourceError, match=r"^The source has no audio 'nl'\. It has: B, de \(A\)\.$"):
        select_variants(playlist, audio="nl")
    with pytest.raises(UnsupportedSourceError, match=r"^The source has no audio 'nl'\.$"):
        select_variants(read(*VARIANTS), audio="nl")


def test_audio_with_the_address_of_its_variant_is_in_the_segments_of_that() -> None:
    (choice,) = select_variants(read(audio("x", ',LANGUAGE="de"', uri="v"), variant("BANDWIDTH=1,AUDIO=a", "v")))
    assert (short(choice.video), choice.audio, choice.rendition and choice.rendition.language) == (["v"], None, "de")
