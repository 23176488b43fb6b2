"""Tests which rendition of subtitles is selected."""

from itertools import pairwise

import pytest

from transcoder.core.hls.playlist import MultivariantPlaylist, parse
from transcoder.core.hls.subtitle_selection import offered_subtitles, select_subtitles, selecting_name
from transcoder.errors import UnsupportedSourceError

BASE = "https://a.example/main.m3u8"


def playlist(*renditions: str) -> MultivariantPlaylist:
    lines = [f"#EXT-X-MEDIA:TYPE={each}" for each in renditions]
    found = parse("\n".join(["#EXTM3U", *lines, '#EXT-X-STREAM-INF:BANDWIDTH=1,SUBTITLES="s"', "v.m3u8", ""]), BASE)
    assert isinstance(found, MultivariantPlaylist)
    return found


GERMAN = 'SUBTITLES,GROUP-ID="s",NAME="Deutsch",LANGUAGE="de",URI="de.m3u8"'
ENGLISH = 'SUBTITLES,GROUP-ID="s",NAME="English",LANGUAGE="en-US",DEFAULT=YES,AUTOSELECT=YES,URI="en.m3u8"'
FORCED = 'SUBTITLES,GROUP-ID="s",NAME="English (forced)",LANGUAGE="en-US",DEFAULT=YES,FORCED=YES,URI="forced.m3u8"'
HEARING = 'SUBTITLES,GROUP-ID="s",NAME="English SDH",LANGUAGE="en",CHARACTERISTICS="public.accessibility.describes-music",URI="sdh.m3u8"'
SAME_AGAIN = 'SUBTITLES,GROUP-ID="t",NAME="Deutsch",LANGUAGE="de",URI="de.m3u8"'
NAMELESS = 'SUBTITLES,GROUP-ID="s",NAME="",URI="x.m3u8"'
CAPTIONS = 'CLOSED-CAPTIONS,GROUP-ID="c",NAME="CC1",LANGUAGE="en",INSTREAM-ID="CC1"'
AUDIO = 'AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",URI="audio.m3u8"'
ALL = playlist(AUDIO, FORCED, GERMAN, ENGLISH, HEARING, SAME_AGAIN, CAPTIONS)


@pytest.mark.parametrize(
    ("language", "file"),
    [
        (None, "en.m3u8"),
        ("de", "de.m3u8"),
        ("DE", "de.m3u8"),
        ("deutsch", "de.m3u8"),
        ("en-us", "en.m3u8"),
        ("en", "sdh.m3u8"),  # the exact language
        ("English SDH", "sdh.m3u8"),
        ("english (forced)", "forced.m3u8"),
    ],
)
def test_a_language_or_a_name_selects(language: str | None, file: str) -> None:
    assert select_subtitles(ALL, language=language).url == f"https://a.example/{file}"


def test_without_a_default_the_first_is_selected() -> None:
    assert select_subtitles(playlist(GERMAN, HEARING)).language == "de"


@pytest.mark.parametrize(
    ("found", "language", "message"),
    [
        (None, None, "The source has no subtitles."),
        (playlist(AUDIO), "de", "The source has no subtitles."),
        (playlist(CAPTIONS), None, "closed captions"),
        (ALL, "us", "no subtitles 'us'"),
        (ALL, "fr", r"no subtitles 'fr'\. It has: de \(Deutsch\), en \(English SDH\)"),
    ],
)
def test_what_is_not_there_is_said(found: MultivariantPlaylist | None, language: str | None, message: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=message):
        select_subtitles(found, language=language)


def test_each_rendition_has_a_name_that_selects_it() -> None:
    names = {each.name: selecting_name(each, ALL) for each in ALL.renditions}
    assert names == {
        "English (forced)": "English (forced)",
        "Deutsch": None,  # the copy in another group, and the audio
        "English": "en-US",
        "English SDH": "en",
        "CC1": None,
    }
    assert [selecting_name(each, ALL) for each in offered_subtitles(ALL)] == ["English (forced)", "de", "en-US", "en"]
    nameless = playlist(NAMELESS)
    assert selecting_name(offered_subtitles(nameless)[0], nameless) is None


PREFERRED = (
    'LANGUAGE="en",FORCED=YES',
    'LANGUAGE="en-GB",DEFAULT=YES,AUTOSELECT=YES',
    'LANGUAGE="en-GB",DEFAULT=YES,CHARACTERISTICS="x"',
    'LANGUAGE="en-GB",AUTOSELECT=YES,CHARACTERISTICS="x"',
    'LANGUAGE="en-GB"',
    'LANGUAGE="en-GB",CHARACTERISTICS="x"',
    'LANGUAGE="en-GB",FORCED=YES,DEFAULT=YES,AUTOSELECT=YES',
)
"""Renditions from the best to the worst for somebody who wants `en`."""


@pytest.mark.parametrize(("better", "worse"), list(pairwise(PREFERRED)))
def test_renditions_are_preferred_in_this_order(better: str, worse: str) -> None:
    good, poor = (f'SUBTITLES,GROUP-ID="s",NAME="{name}",{attributes},URI="{name}"' for name, attributes in (("a", better), ("b", worse)))
    for pair in ((good, poor), (poor, good)):
        assert select_subtitles(playlist(*pair), language="en").name == "a"
