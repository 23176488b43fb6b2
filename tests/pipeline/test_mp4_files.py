"""The files of a Reddit video without a playlist: by its manifest, or by its address and the names that Reddit has given its audio."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers.fetch_calls import SETTINGS, with_fetcher
from peers.origin import Rule
from peers.source_files import files_in

from transcoder.core.source.reddit import Mp4Files, Video
from transcoder.errors import UnsupportedSourceError, UpstreamError
from transcoder.pipeline.reddit.mp4_files import find_mp4_files

Media = Callable[[str], Path]


def found(video: Video, *, height: int | None = None) -> Mp4Files:
    return with_fetcher(lambda fetcher: find_mp4_files(video, height=height, fetcher=fetcher), SETTINGS._replace(attempts=1))


@pytest.mark.parametrize("status", [403, 404, 410])
def test_audio_that_is_under_none_of_its_names_is_not_there(status: int, media: Media, serve: Serve) -> None:
    origin = serve({"/DASH_180.mp4": (media("reddit-files") / "DASH_180.mp4").read_bytes()})
    origin.rules["*"] = Rule(status=status, when=lambda request: request.path != "/DASH_180.mp4")
    files = found(Video(None, fallback=origin.url("/DASH_180.mp4?source=fallback")))
    assert (files.video, files.audio) == (origin.url("/DASH_180.mp4?source=fallback"), None)
    assert len({request.path for request in origin.requests}) > 3


@pytest.mark.parametrize("status", [401, 429, 451, 500, 503])
def test_audio_that_cannot_be_fetched_is_a_failure_and_not_silence(status: int, media: Media, serve: Serve) -> None:
    origin = serve(files_in(media("reddit-files")))
    origin.rules["/DASH_audio.mp4"] = Rule(status=status)
    origin.rules["*"] = Rule(status=404, when=lambda request: request.path not in {"/DASH_180.mp4", "/DASH_audio.mp4"})
    with pytest.raises(UpstreamError, match=str(status)):
        found(Video(None, fallback=origin.url("/DASH_180.mp4")))


@pytest.mark.parametrize(("silent", "has_audio"), [(None, True), (False, True), (True, False)])
def test_a_video_that_is_known_to_be_silent_is_not_asked_for_audio(
    silent: bool | None,  # noqa: FBT001 - a column
    has_audio: bool,  # noqa: FBT001
    media: Media,
    serve: Serve,
) -> None:
    origin = serve(files_in(media("reddit-files")))
    video = Video(None, fallback=origin.url("/DASH_180.mp4"), silent=silent, seconds=7.0, size=(320, 180))
    audio = origin.url("/DASH_audio.mp4") if has_audio else None
    assert found(video) == Mp4Files(origin.url("/DASH_180.mp4"), audio, 7.0, 180)
    assert bool(origin.requests) == has_audio


def test_a_file_shows_how_long_it_is_where_the_post_does_not(media: Media, serve: Serve) -> None:
    origin = serve(files_in(media("reddit-files")))
    files = found(Video(None, fallback=origin.url("/DASH_180.mp4"), silent=True))
    assert files.seconds == pytest.approx(6.0, abs=2.0)
    assert files.short_side is None


@pytest.mark.parametrize(("height", "name"), [(None, "DASH_180.mp4"), (100, "DASH_96.mp4")])
def test_a_manifest_comes_before_the_file(height: int | None, name: str, media: Media, serve: Serve) -> None:
    origin = serve(files_in(media("reddit-dash")))
    video = Video(None, dash=origin.url("/DASHPlaylist.mpd"), fallback=origin.url("/other.mp4"), seconds=99.0)
    files = found(video, height=height)
    assert (files.video, files.audio) == (origin.url(f"/{name}"), origin.url("/audio"))


@pytest.mark.parametrize("rule", [Rule(status=404), Rule(body=b"<MPD>"), Rule(body=b"<html></html>")])
def test_where_there_is_no_manifest_the_file_is_used_if_it_has_an_address(rule: Rule, media: Media, serve: Serve) -> None:
    origin = serve({**files_in(media("reddit-files")), "/DASHPlaylist.mpd": b""})
    origin.rules["/DASHPlaylist.mpd"] = rule
    video = Video(None, dash=origin.url("/DASHPlaylist.mpd"), fallback=origin.url("/DASH_180.mp4"))
    assert found(video).audio == origin.url("/DASH_audio.mp4")
    with pytest.raises((UpstreamError, UnsupportedSourceError)):
        found(Video(None, dash=origin.url("/DASHPlaylist.mpd")))


def test_a_video_without_any_address_has_no_files() -> None:
    with pytest.raises(UnsupportedSourceError, match="lists no file"):
        found(Video(None))
