"""Durations of manifests, what is kept of a video that a post names twice, and which file or comment is taken of several."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.source.reddit import Video, mp4_files, read_post
from transcoder.core.source.reddit.post import MAX_VIDEOS, distinct
from transcoder.errors import NotFoundError, UnsupportedSourceError, UpstreamError

URL = "https://v.redd.it/abc/DASHPlaylist.mpd"


def manifest(*files: str, duration: str = "PT6S") -> str:
    return f'<MPD mediaPresentationDuration="{duration}"><Period>{"".join(files)}</Period></MPD>'


def adaptation(kind: str, *representations: str) -> str:
    return f'<AdaptationSet contentType="{kind}">{"".join(representations)}</AdaptationSet>'


def representation(file: str, *, bandwidth: object = "", **attributes: object) -> str:
    words = " ".join(f'{name}="{value}"' for name, value in {"bandwidth": bandwidth, **attributes}.items())
    return f"<Representation {words}><BaseURL>{file}</BaseURL></Representation>"


VIDEO = adaptation("video", representation("a.mp4", bandwidth=1000, width=640, height=360))


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("PT1H", 3600.0),
        ("PT2H3M4.5S", 7384.5),
        ("PT1H30M", 5400.0),
        ("PT90M", 5400.0),
        ("PT1H5S", 3605.0),
        ("PT0.5H", 1800.0),
        ("PT6S", 6.0),
        ("PT0S", 0.0),
        ("PT", None),
        ("", None),
        ("6", None),
        ("P1D", None),
        ("PT1S2M", None),
        ("PT1.2.3S", None),
        ("PT.S", None),
        ("-PT1S", None),
        ("PT1234567890S", None),
        ("PT123456789S", 123456789.0),
    ],
)
def test_a_duration_is_hours_minutes_and_seconds(duration: str, seconds: float | None) -> None:
    assert mp4_files(manifest(VIDEO, duration=duration), URL).seconds == seconds


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59_999).map(lambda milliseconds: milliseconds / 1000))
def test_a_duration_reads_back_as_it_was_written(hours: int, minutes: int, seconds: float) -> None:
    written = mp4_files(manifest(VIDEO, duration=f"PT{hours}H{minutes}M{seconds:.3f}S"), URL).seconds
    assert written == pytest.approx(hours * 3600 + minutes * 60 + seconds)


SIZES = adaptation(
    "video",
    representation("small.mp4", bandwidth=100, width=320, height=180),
    representation("thin.mp4", bandwidth=300, width=640, height=360),
    representation("rich.mp4", bandwidth=900, width=640, height=360),
    representation("tall.mp4", bandwidth=200, width=720, height=1280),
)
SOUNDS = adaptation("audio", representation("low.mp4", bandwidth=64), representation("high.mp4", bandwidth=128))


@pytest.mark.parametrize(
    ("height", "video", "side", "bandwidth"),
    [
        (None, "tall.mp4", 720, 328),
        (720, "tall.mp4", 720, 328),
        (719, "rich.mp4", 360, 1028),
        (360, "rich.mp4", 360, 1028),
        (359, "small.mp4", 180, 228),
        (180, "small.mp4", 180, 228),
        (179, "small.mp4", 180, 228),
    ],
)
def test_the_largest_that_fits_by_its_shorter_side_with_the_best_audio(height: int | None, video: str, side: int, bandwidth: int) -> None:
    found = mp4_files(manifest(SIZES, SOUNDS), URL, height=height)
    assert (found.video, found.audio) == (f"https://v.redd.it/abc/{video}", "https://v.redd.it/abc/high.mp4")
    assert (found.short_side, found.bandwidth) == (side, bandwidth)


def test_what_a_manifest_does_not_say_is_not_known() -> None:
    found = mp4_files(manifest(adaptation("video", representation("a.mp4"))), URL)
    assert (found.video, found.audio, found.short_side, found.bandwidth) == ("https://v.redd.it/abc/a.mp4", None, None, None)


def test_the_kind_of_a_file_is_that_of_the_nearest_element_that_says_one() -> None:
    mixed = "<AdaptationSet>" + representation("a.mp4") + representation("b.mp4", audioSamplingRate=48000) + "</AdaptationSet>"
    found = mp4_files(manifest(mixed), URL)
    assert (found.video, found.audio) == ("https://v.redd.it/abc/a.mp4", "https://v.redd.it/abc/b.mp4")
    own = adaptation("text", representation("a.mp4", mimeType="video/mp4"), representation("b.vtt"))
    assert mp4_files(manifest(own), URL).video == "https://v.redd.it/abc/a.mp4"
    with pytest.raises(UnsupportedSourceError, match="no video file"):
        mp4_files(manifest(adaptation("text", representation("b.vtt")), SOUNDS), URL)


@pytest.mark.parametrize("base", ["", "folder/", "https://[not-an-address]/a.mp4"])
def test_what_is_no_file_is_left_out(base: str) -> None:
    broken = adaptation("video", representation(base, bandwidth=9000, width=1920, height=1080))
    assert mp4_files(manifest(broken, VIDEO), URL).video == "https://v.redd.it/abc/a.mp4"


PLAYLIST = "https://v.redd.it/one/HLSPlaylist.m3u8"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((None, None), (None, (640, 360)), (None, (640, 360))),
        ((None, (640, 360)), (None, None), (None, (640, 360))),
        ((None, None), (6.0, None), (6.0, None)),
        ((None, (640, 360)), (6.0, (320, 180)), (6.0, (640, 360))),
        ((6.0, None), (7.0, None), (6.0, None)),
        ((6.0, (640, 360)), (None, None), (6.0, (640, 360))),
        ((6.0, None), (None, (640, 360)), (6.0, (640, 360))),
    ],
)
def test_a_video_that_is_named_twice_is_one_with_all_that_is_said_of_it(
    first: tuple[float | None, tuple[int, int] | None],
    second: tuple[float | None, tuple[int, int] | None],
    expected: tuple[float | None, tuple[int, int] | None],
) -> None:
    named = [Video(f"{PLAYLIST}?a={number}", seconds=seconds, size=size) for number, (seconds, size) in enumerate((first, second))]
    (only,) = distinct(named)
    assert (only.playlist, only.seconds, only.size) == (f"{PLAYLIST}?a=0", *expected)


def test_videos_in_other_places_are_others() -> None:
    ways = [
        Video(PLAYLIST),
        Video(None, dash="https://v.redd.it/two/DASHPlaylist.mpd?a=1"),
        Video(None, fallback="https://v.redd.it/three/DASH_720.mp4"),
        Video(None, file="https://preview.redd.it/one.gif?s=1"),
        Video(None, file="https://preview.redd.it/two.gif?s=1"),
    ]
    assert distinct([*ways, *reversed(ways)]) == ways
    same_folder = [
        Video(PLAYLIST),
        Video(None, dash="https://v.redd.it/one/DASHPlaylist.mpd"),
        Video(None, fallback="https://v.redd.it/one/D.mp4"),
    ]
    assert distinct(same_folder) == [Video(PLAYLIST)]


@pytest.mark.parametrize("more", [0, 1, 5])
def test_a_post_has_at_most_so_many_videos(more: int) -> None:
    named = [Video(f"https://v.redd.it/{number}/HLSPlaylist.m3u8") for number in range(MAX_VIDEOS + more)]
    assert distinct(named) == named[:MAX_VIDEOS]


def post(**members: object) -> list[object]:
    return [{"data": {"children": [{"data": {"id": "abc", "title": " A title ", "permalink": "/r/a/comments/abc/", **members}}]}}]


REDDIT_VIDEO = {"hls_url": PLAYLIST, "duration": 6, "width": 640, "height": 360, "has_audio": True}


def test_the_details_of_a_post() -> None:
    found = read_post(
        post(
            media={"reddit_video": REDDIT_VIDEO},
            created_utc=1_700_000_000.0,
            author="someone",
            over_18=True,
            thumbnail="https://b.thumbs.redditmedia.com/a.jpg",
            thumbnail_width=140,
            thumbnail_height=70,
            preview={"images": [{"source": {"url": "https://preview.redd.it/a.png", "width": 1280, "height": 720}}]},
        )
    )
    assert found.videos == (Video(PLAYLIST, seconds=6, size=(640, 360), silent=False),)
    assert (found.title, found.url, found.posted, found.author, found.over_18) == (
        "A title",
        "https://www.reddit.com/r/a/comments/abc/",
        1_700_000_000.0,
        "someone",
        True,
    )
    images = (found.thumbnail, found.poster)
    assert [image and (image.url.rpartition("/")[2], image.width, image.height) for image in images] == [
        ("a.jpg", 140, 70),
        ("a.png", 1280, 720),
    ]


@pytest.mark.parametrize("thumbnail", ["nsfw", "self", "", "data:image/png;base64,"])
def test_a_thumbnail_that_is_no_address_is_none(thumbnail: str) -> None:
    found = read_post(post(media={"reddit_video": REDDIT_VIDEO}, thumbnail=thumbnail, permalink="elsewhere", over_18="no"))
    assert (found.thumbnail, found.poster, found.url, found.over_18) == (None, None, "", None)


@pytest.mark.parametrize("status", ["processing", "error", "failed"])
def test_a_video_that_reddit_has_not_processed_is_refused(status: str) -> None:
    with pytest.raises(UnsupportedSourceError, match="still working"):
        read_post(post(media={"reddit_video": REDDIT_VIDEO | {"transcoding_status": status}}))
    assert read_post(post(media={"reddit_video": REDDIT_VIDEO | {"transcoding_status": "completed"}})).videos


def test_another_post_than_the_one_that_was_asked_for_is_none() -> None:
    document = post(media={"reddit_video": REDDIT_VIDEO})
    assert read_post(document, name="abc").videos
    with pytest.raises(UpstreamError, match="without the post"):
        read_post(document, name="abd")
    with pytest.raises(NotFoundError):
        read_post([{"data": {"children": []}}])


def comment(name: str, *, replies: list[object] | None = None, video: str = "") -> dict[str, object]:
    metadata = {"m": {"status": "valid", "e": "RedditVideo", "hlsUrl": video, "x": 320, "y": 180, "isGif": True}} if video else {}
    return {"data": {"id": name, "media_metadata": metadata, "replies": {"data": {"children": replies or []}}}}


def test_a_comment_is_found_however_deep_it_is() -> None:
    deep = comment("deep", video="https://v.redd.it/deep/HLSPlaylist.m3u8")
    for level in range(9):
        deep = comment(f"c{level}", replies=[comment(f"x{level}"), deep, comment(f"y{level}")])
    document = [*post(media={"reddit_video": REDDIT_VIDEO}), {"data": {"children": [comment("first"), deep, comment("last")]}}]
    (found,) = read_post(document, comment="deep").videos
    assert found == Video("https://v.redd.it/deep/HLSPlaylist.m3u8", size=(320, 180), silent=True)
    assert read_post(document, comment="none").videos[0].playlist == PLAYLIST


@pytest.mark.parametrize("entry", [{"status": "failed"}, {"e": "Image"}, {"hlsUrl": ""}])
def test_what_is_no_valid_video_of_a_gallery_is_left_out(entry: dict[str, str]) -> None:
    good = {"status": "valid", "e": "RedditVideo", "hlsUrl": PLAYLIST, "dashUrl": ""}
    metadata = {"a": good, "b": good | {"hlsUrl": "https://v.redd.it/b/HLSPlaylist.m3u8"} | entry}
    assert [video.playlist for video in read_post(post(media_metadata=metadata)).videos] == [PLAYLIST]
