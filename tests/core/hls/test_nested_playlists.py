"""A Multivariant Playlist in place of a Media Playlist: its variants take the place of the one that names it."""

import pytest

from transcoder.core.hls.nested_playlists import MAX_NESTED_PLAYLISTS, MAX_VARIANTS, with_nested
from transcoder.core.hls.playlist import MultivariantPlaylist, TextEnd, parse
from transcoder.core.hls.variant_selection import select_variants
from transcoder.errors import UnsupportedSourceError, UpstreamError

FOLDER = "https://media.example/"
FULL = 'BANDWIDTH=900000,AVERAGE-BANDWIDTH=800000,RESOLUTION=1280x720,FRAME-RATE=25.0,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="a",NAME="hd"'


def multivariant(*lines: str, name: str = "outer.m3u8", end: str = "\n") -> MultivariantPlaylist:
    """Make a Multivariant Playlist; a variant is written `ATTRIBUTES > ADDRESS`, a rendition as the attributes of EXT-X-MEDIA."""
    written = [f"#EXT-X-STREAM-INF:{line.replace(' > ', chr(10))}" if " > " in line else f"#EXT-X-MEDIA:{line}" for line in lines]
    playlist = parse("\n".join(["#EXTM3U", *written]) + end, FOLDER + name)
    assert isinstance(playlist, MultivariantPlaylist)
    return playlist


def audio(group: str, url: str | None, *, language: str = "en", name: str = "Sound") -> str:
    return f'TYPE=AUDIO,GROUP-ID="{group}",NAME="{name}",LANGUAGE="{language}"' + (f',URI="{url}"' if url else "")


def nested(outer: MultivariantPlaylist, name: str, inner: MultivariantPlaylist) -> MultivariantPlaylist:
    return with_nested(outer, FOLDER + name, inner)


def choice(playlist: MultivariantPlaylist, *, height: int | None = None, language: str | None = None) -> tuple[str, str | None]:
    best = select_variants(playlist, height=height, audio=language)[0]
    return best.video.removeprefix(FOLDER), best.audio and best.audio.removeprefix(FOLDER)


def test_an_outer_variant_completes_what_an_inner_one_does_not_say() -> None:
    (variant,) = nested(multivariant(f"{FULL} > inner.m3u8"), "inner.m3u8", multivariant("PROGRAM-ID=1 > v.m3u8")).variants
    assert (variant.url, variant.bandwidth, variant.average_bandwidth) == (FOLDER + "v.m3u8", 900_000, 800_000)
    assert (variant.resolution, variant.frame_rate, variant.codecs) == ((1280, 720), 25.0, ("avc1.4d401f", "mp4a.40.2"))
    assert (variant.audio_group, variant.name, variant.level, variant.is_resolution_shared) == ("a", "hd", 1, False)


def test_what_an_inner_variant_says_of_itself_wins() -> None:
    own = 'BANDWIDTH=500000,RESOLUTION=640x360,FRAME-RATE=30,CODECS="hvc1.1",AUDIO="b",SUBTITLES="t",NAME="sd"'
    (variant,) = nested(multivariant(f"{FULL} > inner.m3u8"), "inner.m3u8", multivariant(f"{own} > v.m3u8")).variants
    assert (variant.bandwidth, variant.average_bandwidth, variant.resolution) == (500_000, None, (640, 360))
    assert (variant.frame_rate, variant.codecs, variant.audio_group) == (30.0, ("hvc1.1",), "b")
    assert (variant.subtitles_group, variant.name, variant.is_resolution_shared) == ("t", "sd", False)


def test_a_resolution_that_several_inner_variants_get_from_the_outer_one_is_no_evidence() -> None:
    found = nested(multivariant(f"{FULL} > inner.m3u8"), "inner.m3u8", multivariant("BANDWIDTH=1 > v.m3u8", "BANDWIDTH=2 > w.m3u8"))
    assert [(each.resolution, each.is_resolution_shared) for each in found.variants] == [((1280, 720), True)] * 2


@pytest.mark.parametrize(("height", "expected"), [(None, "1080.m3u8"), (720, "720.m3u8"), (500, "480.m3u8"), (100, "240.m3u8")])
def test_the_best_of_all_variants_is_selected_wherever_it_is_listed(height: int | None, expected: str) -> None:
    outer = multivariant(
        "BANDWIDTH=1,RESOLUTION=426x240 > 240.m3u8", "BANDWIDTH=9 > inner.m3u8", "BANDWIDTH=3,RESOLUTION=854x480 > 480.m3u8"
    )
    inner = multivariant("BANDWIDTH=6,RESOLUTION=1280x720 > 720.m3u8", "BANDWIDTH=9,RESOLUTION=1920x1080 > 1080.m3u8")
    assert choice(nested(outer, "inner.m3u8", inner), height=height) == (expected, None)


def test_the_audio_groups_of_an_inner_playlist_belong_to_its_variants() -> None:
    outer = multivariant(
        audio("a", "outer-a.m3u8"),
        'BANDWIDTH=9,RESOLUTION=1280x720,AUDIO="a" > inner.m3u8',
        'BANDWIDTH=1,RESOLUTION=426x240,AUDIO="a" > v.m3u8',
    )
    inner = multivariant(audio("a", "inner-a.m3u8"), 'BANDWIDTH=9,AUDIO="a" > w.m3u8')
    found = nested(outer, "inner.m3u8", inner)
    assert choice(found) == ("w.m3u8", "inner-a.m3u8")
    assert choice(found, height=240) == ("v.m3u8", "outer-a.m3u8")


def test_an_inner_variant_without_an_audio_group_has_that_of_the_outer_one() -> None:
    outer = multivariant(audio("a", "a.m3u8"), 'BANDWIDTH=9,AUDIO="a" > inner.m3u8')
    assert choice(nested(outer, "inner.m3u8", multivariant("BANDWIDTH=9 > v.m3u8"))) == ("v.m3u8", "a.m3u8")


def test_an_inner_variant_may_have_its_audio_in_its_own_segments() -> None:
    outer = multivariant(audio("a", "a.m3u8"), 'BANDWIDTH=9,AUDIO="a" > inner.m3u8')
    inner = multivariant(audio("own", None), 'BANDWIDTH=9,AUDIO="own" > v.m3u8')
    assert choice(nested(outer, "inner.m3u8", inner)) == ("v.m3u8", None)


def test_an_inner_variant_of_audio_alone_gets_no_resolution() -> None:
    outer = multivariant(f"{FULL} > inner.m3u8")
    inner = multivariant('BANDWIDTH=9,CODECS="mp4a.40.2" > sound.m3u8', 'BANDWIDTH=5,RESOLUTION=640x360,CODECS="avc1.4d401f" > v.m3u8')
    found = nested(outer, "inner.m3u8", inner)
    assert choice(found) == ("v.m3u8", None)
    sound = found.variants[0]
    assert (sound.resolution, sound.frame_rate, sound.audio_group, sound.is_resolution_shared) == (None, None, None, False)
    assert (sound.name, sound.level) == ("hd", 1)


def test_the_language_is_selected_among_inner_renditions() -> None:
    inner = multivariant(audio("a", "en.m3u8"), audio("a", "de.m3u8", language="de", name="Deutsch"), 'BANDWIDTH=9,AUDIO="a" > v.m3u8')
    assert choice(nested(multivariant("BANDWIDTH=9 > inner.m3u8"), "inner.m3u8", inner), language="de") == ("v.m3u8", "de.m3u8")


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        pytest.param(
            ('BANDWIDTH=1,CODECS="mp4a.40.2" > low.m3u8', 'BANDWIDTH=2,CODECS="mp4a.40.2" > high.m3u8'), "high.m3u8", id="bit rates"
        ),
        pytest.param(("BANDWIDTH=1 > sound.m3u8",), "sound.m3u8", id="no codecs"),
        pytest.param(
            (audio("x", "en.m3u8"), audio("x", "de.m3u8", language="de"), 'BANDWIDTH=1,AUDIO="x" > v.m3u8'), "de.m3u8", id="its language"
        ),
        pytest.param((audio("x", "en.m3u8"), 'BANDWIDTH=1,AUDIO="x" > v.m3u8'), "en.m3u8", id="another language alone"),
    ],
)
def test_an_audio_rendition_may_be_a_multivariant_playlist(inner: tuple[str, ...], expected: str) -> None:
    outer = multivariant(audio("a", "sounds.m3u8", language="de"), 'BANDWIDTH=9,AUDIO="a" > v.m3u8')
    found = nested(outer, "sounds.m3u8", multivariant(*inner))
    assert choice(found) == ("v.m3u8", expected)
    assert len(found.variants) == len(found.renditions) == 1


def test_variants_of_every_audio_group_that_name_it_are_replaced() -> None:
    groups = [audio("5", "5.m3u8"), audio("6", "6.m3u8")]
    outer = multivariant(*groups, 'BANDWIDTH=5,AUDIO="5" > inner.m3u8', 'BANDWIDTH=6,AUDIO="6" > inner.m3u8')
    found = nested(outer, "inner.m3u8", multivariant("RESOLUTION=640x360 > v.m3u8"))
    assert [(each.url, each.bandwidth, each.audio_group) for each in found.variants] == [
        (FOLDER + "v.m3u8", 5, "5"),
        (FOLDER + "v.m3u8", 6, "6"),
    ]


def test_two_levels_are_followed_and_no_more() -> None:
    found = multivariant("BANDWIDTH=1 > 1.m3u8")
    for level in (1, 2):
        found = nested(found, f"{level}.m3u8", multivariant(f"BANDWIDTH=1 > {level + 1}.m3u8"))
    assert choice(found) == ("3.m3u8", None)
    with pytest.raises(UnsupportedSourceError, match=r"outer\.m3u8 leads to .*more than 2 levels deep or in a circle"):
        nested(found, "3.m3u8", multivariant("BANDWIDTH=1 > 4.m3u8"))


@pytest.mark.parametrize("entry", ["BANDWIDTH=1 > outer.m3u8", audio("a", "outer.m3u8")], ids=["a variant", "a rendition"])
def test_a_circle_ends(entry: str) -> None:
    itself = found = multivariant(entry, 'BANDWIDTH=2,AUDIO="a" > outer.m3u8')
    for _ in range(2):
        found = nested(found, "outer.m3u8", itself)
    with pytest.raises(UnsupportedSourceError, match="in a circle"):
        nested(found, "outer.m3u8", itself)


def test_a_circle_of_audio_ends() -> None:
    itself = found = multivariant(audio("a", "outer.m3u8"), 'BANDWIDTH=2,AUDIO="a" > v.m3u8')
    for _ in range(2):
        found = nested(found, "outer.m3u8", itself)
        assert choice(found) == ("v.m3u8", "outer.m3u8")
    with pytest.raises(UnsupportedSourceError, match="in a circle"):
        nested(found, "outer.m3u8", itself)


@pytest.mark.parametrize("more", [0, 1])
def test_so_many_variants_may_come_together(more: int) -> None:
    outer = multivariant(*["BANDWIDTH=1 > inner.m3u8"] * 100, *["BANDWIDTH=1 > v.m3u8"] * more)
    inner = multivariant(*["BANDWIDTH=1 > w.m3u8"] * (MAX_VARIANTS // 100 - 1))
    if more:
        with pytest.raises(UnsupportedSourceError, match="too many"):
            nested(outer, "inner.m3u8", inner)
    else:
        assert len(nested(outer, "inner.m3u8", inner).variants) == MAX_VARIANTS - 100


def test_many_variants_that_name_each_other_are_refused_before_they_multiply() -> None:
    crowd = multivariant(*(f"BANDWIDTH={number + 1} > outer.m3u8" for number in range(1000)))
    with pytest.raises(UnsupportedSourceError, match="too many"):
        nested(crowd, "outer.m3u8", crowd)


def test_a_job_uses_only_so_many_nested_playlists() -> None:
    found = multivariant(*(f"BANDWIDTH=1 > {number}.m3u8" for number in range(MAX_NESTED_PLAYLISTS + 1)))
    for number in range(MAX_NESTED_PLAYLISTS):
        found = nested(found, f"{number}.m3u8", multivariant("BANDWIDTH=1 > v.m3u8"))
    with pytest.raises(UnsupportedSourceError, match="too many"):
        nested(found, f"{MAX_NESTED_PLAYLISTS}.m3u8", multivariant("BANDWIDTH=1 > v.m3u8"))


def test_so_many_nested_playlists_of_renditions_too() -> None:
    renditions = [audio("a", f"{number}.m3u8", name=str(number)) for number in range(MAX_NESTED_PLAYLISTS + 1)]
    found = multivariant(*renditions, 'BANDWIDTH=9,AUDIO="a" > v.m3u8')
    for number in range(MAX_NESTED_PLAYLISTS):
        found = nested(found, f"{number}.m3u8", multivariant("BANDWIDTH=1 > sound.m3u8"))
    with pytest.raises(UnsupportedSourceError, match="too many"):
        nested(found, f"{MAX_NESTED_PLAYLISTS}.m3u8", multivariant("BANDWIDTH=1 > sound.m3u8"))


def test_an_inner_playlist_that_is_cut_is_not_selected_from() -> None:
    inner = multivariant("BANDWIDTH=1 > v.m3u8", 'BANDWIDTH=9,CODECS="avc', end="")
    assert inner.text_end is TextEnd.CUT
    with pytest.raises(UpstreamError, match="incomplete"):
        select_variants(nested(multivariant("BANDWIDTH=1 > inner.m3u8"), "inner.m3u8", inner))
    with pytest.raises(UpstreamError, match="incomplete"):
        nested(multivariant(audio("a", "inner.m3u8"), 'BANDWIDTH=1,AUDIO="a" > v.m3u8'), "inner.m3u8", inner)


def test_an_inner_playlist_without_variants_leaves_none() -> None:
    inner = parse('#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"\n', FOLDER + "inner.m3u8")
    assert isinstance(inner, MultivariantPlaylist)
    with pytest.raises(UnsupportedSourceError, match="lists no variants"):
        select_variants(nested(multivariant("BANDWIDTH=1 > inner.m3u8"), "inner.m3u8", inner))


def test_groups_of_subtitles_of_the_same_name_stay_apart() -> None:
    text = 'TYPE=SUBTITLES,GROUP-ID="s",NAME="x",LANGUAGE="en",URI="{}"'
    outer = multivariant(text.format("outer"), 'BANDWIDTH=9,SUBTITLES="s" > inner.m3u8', 'BANDWIDTH=5,SUBTITLES="s" > v.m3u8')
    inner = multivariant(text.format("inner"), 'BANDWIDTH=9,SUBTITLES="s" > w.m3u8', "BANDWIDTH=9 > x.m3u8", 'SUBTITLES="t" > y.m3u8')
    found = nested(outer, "inner.m3u8", inner)
    assert [each.subtitles_group for each in found.variants] == ["s'1", "s", "t", "s"]
    assert [(each.url, each.group) for each in found.renditions] == [(FOLDER + "outer", "s"), (FOLDER + "inner", "s'1")]


def test_an_inner_bandwidth_of_either_kind_is_not_mixed_with_the_outer_one() -> None:
    outer = multivariant(f"{FULL} > inner.m3u8")
    inner = multivariant("AVERAGE-BANDWIDTH=5 > v.m3u8", "BANDWIDTH=7 > w.m3u8", "BANDWIDTH=7,AVERAGE-BANDWIDTH=5 > x.m3u8")
    found = nested(outer, "inner.m3u8", inner).variants
    assert [(each.bandwidth, each.average_bandwidth) for each in found] == [(0, 5), (7, None), (7, 5)]


def test_variables_of_both_playlists_are_known_and_the_inner_ones_win() -> None:
    outer = multivariant("BANDWIDTH=1 > inner.m3u8")._replace(variables={"a": "1", "b": "2"})
    inner = multivariant("BANDWIDTH=1 > v.m3u8")._replace(variables={"b": "3", "c": "4"})
    found = nested(outer, "inner.m3u8", inner)
    assert (found.variables, found.nested, found.url) == ({"a": "1", "b": "3", "c": "4"}, 1, FOLDER + "outer.m3u8")
