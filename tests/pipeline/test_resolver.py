"""What the URL of a job turns out to be: a file, a page beside it, or a post whose playlist is gone."""

import pytest
from conftest import Serve
from generated_video import GeneratedVideo, encoder_arguments, run_ffmpeg
from peers.application import ask
from peers.origin import Rule
from peers.reddit import reddit

from transcoder.settings import Settings

SETTINGS = Settings(allow_private=True, retry_seconds=0.01, attempts=1)
OF_MP4 = ["video/mp4", "audio/mp4", "video/quicktime", "audio/x-m4a", "application/mp4", "application/octet-stream", "binary/octet-stream"]
"""As origins name an MP4 (RFC 4337; QuickTime's and Apple's own names), and the two names that say nothing."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    run_ffmpeg(*encoder_arguments(GeneratedVideo(seconds=1, size="160x90", timestamp_offset=0)), "-movflags", "+faststart", file)
    return file.read_bytes()


@pytest.mark.parametrize("content_type", OF_MP4)
def test_an_mp4_is_converted_by_whatever_name_its_origin_gives_it(content_type: str, film: bytes, serve: Serve) -> None:
    origin = serve({"/film": film})
    origin.rules["/film"] = Rule(headers={"Content-Type": content_type})
    report = ask(f"/info?format=m4a&url={origin.url('/film')}", settings=SETTINGS)
    assert report.status == 200
    assert report.document["file_name"] == "film.m4a"
    assert report.document["seconds"] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("content_type", ["video/webm", "image/gif", "video/x-flv"])
def test_another_file_is_not_converted(content_type: str, film: bytes, serve: Serve) -> None:
    origin = serve({"/film": film})
    origin.rules["/film"] = Rule(headers={"Content-Type": content_type})
    assert ask(f"/info?format=m4a&url={origin.url('/film')}", settings=SETTINGS).problem[:2] == (422, "unsupported-source")


def test_a_page_names_the_video_that_was_found_on_it(serve: Serve, film: bytes) -> None:
    page = "https://a.example/2026/a-film-of-cats.html"
    report = ask(f"/info?page={page}&url={serve({'/film.mp4': film}).url('/film.mp4')}", settings=SETTINGS).document
    assert report["page"] == page


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_post_whose_playlist_is_gone_is_made_of_its_other_files(status: int) -> None:
    with reddit() as site:
        path = "/era2017mp4/HLSPlaylist.m3u8"
        site.origin.rules[path] = Rule(status=status)
        report = ask("/info?url=https://v.redd.it/era2017mp4/DASH_180.mp4", network=site.network, settings=SETTINGS)
    assert (report.status, report.document["kind"]) == (200, "reddit")


@pytest.mark.parametrize("status", [401, 411, 451, 500])
def test_another_refusal_of_the_playlist_is_a_failure(status: int) -> None:
    with reddit() as site:
        site.origin.rules["/era2017mp4/HLSPlaylist.m3u8"] = Rule(status=status)
        answer = ask("/info?url=https://v.redd.it/era2017mp4/DASH_180.mp4", network=site.network, settings=SETTINGS)
        assert answer.problem[0] in {502, 504}
        assert not [path for path in site.requested() if "/DASH" in path]
