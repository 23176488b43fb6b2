"""Tests which MP4 files are selected for a post without HLS."""

from pathlib import Path

import pytest

from transcoder.core.source.reddit import audio_file_urls, mp4_files
from transcoder.errors import UnsupportedSourceError

FIXTURES = Path(__file__).parents[4] / "fixtures" / "reddit"


def fixture(name: str) -> str:
    return (FIXTURES / name).read_text(encoding="utf-8")


def test_selects_files_of_a_manifest() -> None:
    files = mp4_files(fixture("DASHPlaylist.mpd"), "https://v.redd.it/abc/DASHPlaylist.mpd?a=1")
    assert (files.video, files.audio) == ("https://v.redd.it/abc/DASH_180.mp4", "https://v.redd.it/abc/audio")
    assert (files.seconds, files.short_side, files.bandwidth) == (6.0, 180, 743_000)
    assert mp4_files(fixture("DASHPlaylist.mpd"), "https://v.redd.it/abc/x", height=100).video == "https://v.redd.it/abc/DASH_96.mp4"


@pytest.mark.parametrize("text", ["", "<html>", "<MPD/>", '<!DOCTYPE a [<!ENTITY b "c">]><MPD/>', "not XML"])
def test_refuses_other_manifests(text: str) -> None:
    with pytest.raises(UnsupportedSourceError, match="DASH manifest"):
        mp4_files(text, "https://v.redd.it/abc/DASHPlaylist.mpd")


def test_audio_file_names_of_the_same_packaging_come_first() -> None:
    cmaf, dash = ("CMAF_AUDIO_128.mp4", "CMAF_AUDIO_64.mp4"), ("DASH_AUDIO_128.mp4", "DASH_AUDIO_64.mp4", "DASH_audio.mp4")
    for file, names in (
        ("CMAF_720.mp4?source=fallback", (*cmaf, *dash, "audio")),
        ("cmaf_720.mp4", (*cmaf, *dash, "audio")),
        ("DASH_720.mp4", (*dash, *cmaf, "audio")),
        ("another", (*dash, *cmaf, "audio")),
    ):
        assert audio_file_urls(f"https://v.redd.it/a/{file}") == tuple(f"https://v.redd.it/a/{name}" for name in names)
