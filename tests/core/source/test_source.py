"""What is known of a source without its playlists: its name, its selected video, and the plan for two files."""

from http import HTTPStatus

import pytest

from transcoder.core.answer.passthrough import FileHead
from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.hls.playlist import parse
from transcoder.core.hls.playlist.model import MultivariantPlaylist
from transcoder.core.hls.variant_selection import select_variants
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import FileFormat
from transcoder.core.source.reddit import Mp4Files, Video
from transcoder.core.source.source import ResolvedSource, Source, SourceKind, plan_mp4_files

PAGE, URL = "https://www.reddit.com/r/aww/comments/1/", "https://v.redd.it/abc/DASH_720.mp4"
VIDEOS = tuple(Video(f"https://v.redd.it/{name}/HLSPlaylist.m3u8") for name in "abc")
EMPTY = Plan((), 0.0, None)


@pytest.mark.parametrize(
    ("title", "url", "item", "name"),
    [
        ("A film", URL, 1, "A film"),
        ("A film", URL, 2, "A film (2)"),
        ("A film", URL, 10, "A film (10)"),
        ("", "https://a.example/my-cat.m3u8", 1, "my-cat"),
        (None, "https://a.example/my-cat.m3u8", 3, "my-cat (3)"),
        (None, None, 1, "the-page"),
    ],
)
def test_a_source_is_named_by_its_title_or_else_by_its_address(title: str | None, url: str | None, item: int, name: str) -> None:
    assert Source(SourceKind.REDDIT, "https://a.example/the-page", url, title, item=item).name == name


def test_the_selected_video_is_counted_from_1() -> None:
    source = Source(SourceKind.REDDIT, PAGE, URL, videos=VIDEOS)
    assert source.video is VIDEOS[0]
    assert [source._replace(item=item).video for item in (1, 2, 3)] == list(VIDEOS)
    assert source._replace(videos=()).video is None


@pytest.mark.parametrize(
    ("files", "seconds", "expected"),
    [
        (Mp4Files(URL, "https://v.redd.it/abc/audio", 6.0, 720, 8000), 9.0, (6.0, 6000)),
        (Mp4Files(URL, "https://v.redd.it/abc/audio", None, 720, 8001), 9.0, (9.0, 9001)),
        (Mp4Files(URL, None, 6.0), None, (6.0, None)),
        (Mp4Files(URL, None, None, 720, 8000), None, (0.0, None)),
    ],
)
def test_each_of_two_files_is_one_segment_of_the_whole_duration(
    files: Mp4Files, seconds: float | None, expected: tuple[float, int | None]
) -> None:
    duration, size = expected
    kinds = [(TrackKind.VIDEO, URL), *([(TrackKind.AUDIO, files.audio)] if files.audio else [])]
    tracks = tuple(Track(kind, (Segment(url, duration, 0.0, None, None, None),), duration) for kind, url in kinds)
    assert plan_mp4_files(files, seconds=seconds) == Plan((Period(tracks),), duration, size)


def test_the_language_of_the_audio_is_that_of_the_chosen_rendition() -> None:
    text = "#EXTM3U\n{}#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=a\nv.m3u8\n"
    rendition = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",LANGUAGE="de",URI="a.m3u8"\n'
    for renditions, language in ((rendition, "de"), ("", None)):
        playlist = parse(text.format(renditions), URL)
        assert isinstance(playlist, MultivariantPlaylist)
        assert ResolvedSource(EMPTY, playlist, select_variants(playlist)[0]).audio_language == language
    assert ResolvedSource(EMPTY).audio_language is None


def test_the_extension_is_that_of_the_format_or_of_the_file() -> None:
    assert [ResolvedSource(EMPTY).extension(Job(URL, format=each)) for each in (FileFormat.MP4, FileFormat.MP3)] == ["mp4", "mp3"]
    head = FileHead("https://a.example/film.webm", HTTPStatus.OK, "video/webm", 1000)
    assert ResolvedSource(EMPTY, file=head).extension(Job(URL)) == "webm"
