"""Multivariant Playlists in place of Media Playlists: the same MP4 as without them, or a refusal with its reason."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve, UsualOutput
from peers import command_line, media_reader
from peers.application import ask
from peers.get_command import get
from peers.origin import Origin, Rule
from peers.source_files import download, files_in

from transcoder.settings import Settings

Media = Callable[[str], Path]
OPEN = Settings(allow_private=True)
AUDIO = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="{}",LANGUAGE="{}",URI="{}"\n'


def playlist(*variants: str, renditions: str = "") -> bytes:
    """Write a Multivariant Playlist; a variant is written `ATTRIBUTES > ADDRESS`."""
    return ("#EXTM3U\n" + renditions + "".join(f"#EXT-X-STREAM-INF:{each}\n".replace(" > ", "\n") for each in variants)).encode()


def counts_and_size(origin: Origin, path: str, into: Path, *options: str) -> tuple[dict[str, int], int]:
    download(origin.url(path), into, *options)
    assert media_reader.is_whole(into)
    return media_reader.packet_counts(into), min(media_reader.frame_size(into))


@pytest.fixture
def nested(media: Media, serve: Serve) -> Origin:
    """Serve a set with two sizes and separate audio, in main.m3u8, and one and two levels above it."""
    files = files_in(media("ts-separate-audio"))
    one = playlist("BANDWIDTH=900000 > deep/../main.m3u8?token=1")
    return serve({**files, "/one.m3u8": one, "/two.m3u8": playlist("BANDWIDTH=900000\n# a remark\n\n > one.m3u8")})


@pytest.mark.parametrize("options", [(), ("--height=180",), ("--audio=en",), ("--mute",)], ids=str)
def test_the_innermost_variants_are_selected_by_the_same_parameters(
    options: tuple[str, ...], usual_output: UsualOutput, nested: Origin, tmp_path: Path
) -> None:
    usual = usual_output("ts-separate-audio", *options)
    expected = media_reader.packet_counts(usual), min(media_reader.frame_size(usual))
    for entry in ("one", "two"):
        assert counts_and_size(nested, f"/{entry}.m3u8", tmp_path / f"{entry}.mp4", *options) == expected


def test_audio_alone_is_found_in_a_nested_playlist(nested: Origin, tmp_path: Path) -> None:
    download(nested.url("/two.m3u8"), tmp_path / "sound.m4a", "--format=m4a")
    assert media_reader.packet_counts(tmp_path / "sound.m4a") == {"audio": 283}
    assert not [request for request in nested.requests if request.path.startswith(("/large-", "/small-"))]


def test_a_playlist_that_is_not_nested_needs_no_more_requests(nested: Origin, tmp_path: Path) -> None:
    download(nested.url("/main.m3u8"), tmp_path / "output.mp4")
    playlists = [request.path for request in nested.requests if request.path.endswith(".m3u8")]
    assert sorted(playlists) == ["/audio.m3u8", "/large.m3u8", "/main.m3u8"]


def test_info_lists_the_variants_of_the_nested_playlist(nested: Origin) -> None:
    found = ask(f"/info?height=200&url={nested.url('/two.m3u8')}", settings=OPEN).document
    assert [(each["width"], each["height"], each["chosen"]) for each in found["variants"]] == [(320, 180, True), (640, 360, False)]
    assert [(each["language"], each["chosen"]) for each in found["audio"]] == [("en", True)]
    printed = command_line.run("info", nested.url("/two.m3u8"), "--json")
    assert printed.returncode == 0
    assert [each["height"] for each in json.loads(printed.stdout)["variants"] if each["chosen"]] == [360]


def test_a_variant_that_fits_is_found_in_a_nested_playlist(nested: Origin) -> None:
    """The inner variants have 900 and 400 kbit/s, which are 0.7 and 0.3 MB."""
    found = ask(f"/info?fit=0.5MB&url={nested.url('/two.m3u8')}", settings=OPEN).document
    assert [each["height"] for each in found["variants"] if each["chosen"]] == [180]
    refused = ask(f"/info?fit=0.1MB&url={nested.url('/two.m3u8')}", settings=OPEN).problem
    assert refused[:2] == (413, "too-large")


def test_if_no_variant_of_a_nested_playlist_fits_another_one_may(nested: Origin) -> None:
    entries = "BANDWIDTH=90000,RESOLUTION=640x360 > main.m3u8", "BANDWIDTH=100000,RESOLUTION=320x180 > small.m3u8"
    nested.rules["/mixed.m3u8"] = Rule(body=playlist(*entries))
    found = ask(f"/info?fit=0.2MB&url={nested.url('/mixed.m3u8')}", settings=OPEN).document
    assert [(each["bandwidth"], each["chosen"]) for each in found["variants"]] == [(400_000, False), (900_000, False), (100_000, True)]
    nested.rules["/mixed.m3u8"] = Rule(body=playlist(entries[1].replace("100000", "9000000"), entries[0]))
    assert ask(f"/info?fit=0.2MB&url={nested.url('/mixed.m3u8')}", settings=OPEN).problem[:2] == (413, "too-large")


def test_the_audio_rendition_may_be_nested(nested: Origin, tmp_path: Path) -> None:
    expected = counts_and_size(nested, "/main.m3u8", tmp_path / "plain.mp4")
    outer = playlist('BANDWIDTH=900000,AUDIO="sound" > large.m3u8', renditions=AUDIO.format("Sound", "en", "sounds.m3u8"))
    sounds = playlist('BANDWIDTH=64000,CODECS="mp4a.40.2" > none.m3u8', 'BANDWIDTH=128000,CODECS="mp4a.40.2" > audio.m3u8')
    nested.rules |= {"/outer.m3u8": Rule(body=outer), "/sounds.m3u8": Rule(body=sounds)}
    assert counts_and_size(nested, "/outer.m3u8", tmp_path / "nested.mp4") == expected
    download(nested.url("/outer.m3u8"), tmp_path / "sound.m4a", "--format=m4a")
    assert media_reader.packet_counts(tmp_path / "sound.m4a") == {"audio": 283}


def test_the_language_is_looked_for_in_a_nested_playlist_before_it_is_missing(nested: Origin, tmp_path: Path) -> None:
    missing = get(nested.url("/two.m3u8"), tmp_path / "output.mp4", "--audio=fr")
    assert (missing.returncode, b"The source has no audio 'fr'. It has: en (Sound)" in missing.stderr) == (3, True), missing.stderr
    plain = get(nested.url("/main.m3u8"), tmp_path / "output.mp4", "--audio=fr")
    assert (plain.returncode, plain.stderr) == (missing.returncode, missing.stderr)


def test_a_nested_playlist_that_is_missing_is_replaced_by_a_redundant_one(nested: Origin, tmp_path: Path) -> None:
    outer = playlist("BANDWIDTH=900000 > gone.m3u8", "BANDWIDTH=900000 > main.m3u8")
    nested.rules["/outer.m3u8"] = Rule(body=outer)
    assert counts_and_size(nested, "/outer.m3u8", tmp_path / "output.mp4")[1] == 360


def test_a_nested_playlist_that_is_cut_once_is_asked_for_again(media: Media, nested: Origin, tmp_path: Path) -> None:
    whole = (media("ts-separate-audio") / "main.m3u8").read_bytes()
    nested.rules["/main.m3u8"] = [Rule(body=whole[: whole.index(b"large.m3u8")], times=1), Rule()]
    assert counts_and_size(nested, "/two.m3u8", tmp_path / "output.mp4")[1] == 360
    nested.rules["/main.m3u8"] = Rule(body=whole[: whole.index(b"large.m3u8")])
    refused = get(nested.url("/two.m3u8"), tmp_path / "cut.mp4")
    assert (refused.returncode, b"incomplete" in refused.stderr) == (4, True), refused.stderr


@pytest.mark.parametrize("entry", ["/three.m3u8", "/circle.m3u8", "/other-circle.m3u8"])
def test_a_deeper_nest_and_a_circle_are_refused(entry: str, nested: Origin, tmp_path: Path) -> None:
    nested.rules |= {
        "/three.m3u8": Rule(body=playlist("BANDWIDTH=1 > two.m3u8")),
        "/circle.m3u8": Rule(body=playlist("BANDWIDTH=1 > circle.m3u8")),
        "/other-circle.m3u8": Rule(body=playlist("BANDWIDTH=1 > back.m3u8")),
        "/back.m3u8": Rule(body=playlist("BANDWIDTH=1 > other-circle.m3u8")),
    }
    status, slug, detail = ask(f"/download?url={nested.url(entry)}", settings=OPEN).problem
    assert (status, slug) == (422, "unsupported-source")
    assert detail.endswith("leads to lists of variants where there should be lists of segments, more than 2 levels deep or in a circle.")
    result = get(nested.url(entry), tmp_path / "output.mp4")
    assert result.returncode == 3
    assert not [request for request in nested.requests if request.path.endswith(".ts")]
