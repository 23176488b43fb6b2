"""Tests Reddit's links, in every form that they have had."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.source.reddit import HostedVideo, PostLink, ShareLink, parse_link, with_subtitles
from transcoder.errors import UnsupportedSourceError


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://www.reddit.com/r/aww/comments/9xyz1/a_slug/", PostLink("9xyz1")),
        ("https://old.reddit.com/r/aww/comments/9xyz1", PostLink("9xyz1")),
        ("http://NP.Reddit.com:80/r/aww/comments/9XYZ1/?utm_source=share#x", PostLink("9xyz1")),
        ("https://user:pass@m.reddit.com/r/aww/comments/9xyz1/a", PostLink("9xyz1")),
        ("https://de.reddit.com/comments/9xyz1", PostLink("9xyz1")),
        ("https://reddit.com/comments/9xyz1/slug/", PostLink("9xyz1")),
        ("https://www.redditmedia.com/r/aww/comments/9xyz1/slug/?embed=true", PostLink("9xyz1")),
        ("https://www.reddit.com/r/a/comments/1hz1wic/agora_pela_%C3%BAltima_vou_logo/", PostLink("1hz1wic")),
        ("https://www.reddit.com/r/a/comments/1hz1wic/agora_pela_última/", PostLink("1hz1wic")),
        ("https://www.reddit.com/user/some-one/comments/9xyz1/slug/", PostLink("9xyz1")),
        ("https://www.reddit.com/u/some-one/comments/9xyz1/", PostLink("9xyz1")),
        ("https://www.reddit.com/r/u_some-one/comments/9xyz1/", PostLink("9xyz1")),
        ("https://www.reddit.com/r/aww/comments/9xyz1/slug/kabc2/?context=3", PostLink("9xyz1", "kabc2")),
        ("https://www.reddit.com/r/aww/comments/9xyz1/comment/kabc2/", PostLink("9xyz1", "kabc2")),
        ("https://www.reddit.com/comments/9xyz1/comment/kabc2", PostLink("9xyz1", "kabc2")),
        ("https://www.reddit.com/r/aww/comments/9xyz1/slug/.json", PostLink("9xyz1")),
        ("https://www.reddit.com/comments/9xyz1.json?raw_json=1", PostLink("9xyz1")),
        ("https://www.reddit.com/gallery/9xyz1", PostLink("9xyz1")),
        ("https://redd.it/9xyz1", PostLink("9xyz1")),
        ("https://redd.it/r/a/comments/9xyz1", PostLink("9xyz1")),
        ("https://www.redd.it/9XYZ1/", PostLink("9xyz1")),
        ("https://www.redd.it/r/a/comments/9xyz1", PostLink("9xyz1")),
        ("https://x.redd.it/9xyz1", None),
        ("https://www.reddit.com/r/a/comments/9xyz1/slug/.rss", PostLink("9xyz1")),
        ("https://www.reddit.com/comments/9xyz1.rss?limit=1", PostLink("9xyz1")),
        ("https://www.reddit.com/r/a/comments/9xyz1/slug/.compact", PostLink("9xyz1")),
        ("https://www.reddit.com/r/aww/s/AbCdEf1234?share_id=1", ShareLink("https://www.reddit.com/r/aww/s/AbCdEf1234")),
        ("https://reddit.com/u/me/s/AbCdEf1234/", ShareLink("https://www.reddit.com/u/me/s/AbCdEf1234")),
        ("https://www.reddit.com/user/me/s/AbCdEf1234", ShareLink("https://www.reddit.com/user/me/s/AbCdEf1234")),
        ("https://v.redd.it/9iiojb7jws291", HostedVideo("https://v.redd.it/9iiojb7jws291")),
        ("https://v.redd.it/9iiojb7jws291/", HostedVideo("https://v.redd.it/9iiojb7jws291")),
        ("https://www.reddit.com/video/9iiojb7jws291", HostedVideo("https://v.redd.it/9iiojb7jws291")),
        (
            "https://v.redd.it/9ii/HLSPlaylist.m3u8?a=1%2CN%3D%3D&v=1&f=sd",
            HostedVideo("https://v.redd.it/9ii", "a=1%2CN%3D%3D&v=1&f=sd", "HLSPlaylist.m3u8"),
        ),
        ("https://v.redd.it/9ii/DASHPlaylist.mpd?a=1&v=1", HostedVideo("https://v.redd.it/9ii", "", "DASHPlaylist.mpd")),
        ("https://v.redd.it/9ii/DASH_720.mp4?source=fallback", HostedVideo("https://v.redd.it/9ii", "", "DASH_720.mp4")),
        ("https://v.redd.it/9ii/HLS_720.m3u8", HostedVideo("https://v.redd.it/9ii", "", "HLS_720.m3u8")),
        ("https://v.redd.it/9ii/wh_ben_en/index.m3u8", HostedVideo("https://v.redd.it/9ii", "", "index.m3u8")),
        (
            "https://www.reddit.com/link/1wst7wd/video/duwg8xxrajsh1/player",
            HostedVideo("https://v.redd.it/link/1wst7wd/asset/duwg8xxrajsh1"),
        ),
        (
            "https://v.redd.it/link/1wst7wd/asset/duwg8/HLSPlaylist.m3u8?f=hd",
            HostedVideo("https://v.redd.it/link/1wst7wd/asset/duwg8", "f=hd", "HLSPlaylist.m3u8"),
        ),
        (
            "https://packaged-media.redd.it/9ii/pb/m2-res_720p.mp4?m=DASH",
            HostedVideo("https://v.redd.it/9ii", packaged="https://packaged-media.redd.it/9ii/pb/m2-res_720p.mp4?m=DASH"),
        ),
        ("https://example.com/r/aww/comments/9xyz1/", None),
        ("https://notreddit.com/comments/9xyz1", None),
        ("https://reddit.com.example/comments/9xyz1", None),
        ("https://[bad", None),
    ],
)
def test_every_form_of_link_is_parsed(url: str, link: PostLink | ShareLink | HostedVideo | None) -> None:
    assert parse_link(url) == link


PARTS = [
    "https://",
    "www.reddit.com",
    "v.redd.it",
    "redd.it",
    "/r/",
    "/comments/",
    "/link/",
    "/video/",
    "/s/",
    "abc",
    "é",
    "%",
    "?",
    "#",
    "..",
    "[",
]


@given(st.lists(st.sampled_from(PARTS)).map("".join))
def test_any_text_is_a_link_or_none_or_refused(url: str) -> None:
    with suppress(UnsupportedSourceError):
        link = parse_link(url)
        assert link is None or "redd" in url
        if isinstance(link, HostedVideo):
            assert link.playlist.startswith("https://v.redd.it/")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://i.redd.it/abc.jpg", "image"),
        ("https://i.redd.it/abc.GIF?x=1", "a GIF on Reddit; only its post says"),
        ("https://www.reddit.com/r/aww/", "names no post"),
        ("https://www.reddit.com/", "names no post"),
        ("https://www.reddit.com/user/someone", "names no post"),
        ("https://v.redd.it/", "names no video"),
        ("https://redd.it/9xyz1%E2%80%9C", "names no post"),
        ("https://redd.it/", "names no post"),
        ("https://v.redd.it/../x", "names no video"),
    ],
)
def test_a_link_without_a_post_or_video_is_refused(url: str, message: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=message):
        parse_link(url)


@pytest.mark.parametrize(
    ("path", "subreddit"),
    [
        ("/r/aww/comments/9xyz1/", "aww"),
        ("/r/u_some-one/comments/9xyz1/slug/kabc2", "u_some-one"),
        ("/user/some-one/comments/9xyz1/slug", "u_some-one"),
        ("/u/some-one/comments/9xyz1", "u_some-one"),
        ("/comments/9xyz1", ""),
    ],
)
def test_the_name_of_the_community_is_kept(path: str, subreddit: str) -> None:
    link = parse_link(f"https://www.reddit.com{path}")
    assert isinstance(link, PostLink)
    assert link.subreddit == subreddit


def test_the_address_of_a_posts_json() -> None:
    assert PostLink("a1").json_url() == "https://www.reddit.com/comments/a1.json?raw_json=1&limit=1"
    assert PostLink("a1", "c1").json_url() == "https://www.reddit.com/comments/a1/_/c1.json?raw_json=1"
    assert PostLink("a1").json_url("oauth.reddit.com") == "https://oauth.reddit.com/comments/a1?raw_json=1&limit=1"


@pytest.mark.parametrize(
    ("file", "is_video"),
    [
        ("DASH_720.mp4", True),
        ("DASH_9_6_M", True),
        ("CMAF_480.mp4", True),
        ("CMAF_AUDIO_128.mp4", False),
        ("DASH_audio.mp4", False),
        ("DASHPlaylist.mpd", False),
        ("HLS_720.m3u8", False),
        ("", False),
    ],
)
def test_recognizes_a_video_file(file: str, is_video: bool) -> None:  # noqa: FBT001  # a column of the table
    link = HostedVideo("https://v.redd.it/a", file=file)
    assert link.video_file == (f"https://v.redd.it/a/{file}" if is_video else None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "?f=hd%2CsubsAll"),
        ("?f=sd&v=1&a=1%2CN%3D%3D", "?f=sd%2CsubsAll&v=1&a=1%2CN%3D%3D"),
        ("?a=&f=sd", "?a=&f=sd%2CsubsAll"),
        ("?f=", "?f=subsAll"),
        ("?a=1%2CN&f=hd%2CsubsAll%2ChlsSpecOrder", "?a=1%2CN&f=hd%2CsubsAll%2ChlsSpecOrder"),
    ],
)
def test_subtitles_are_asked_for(query: str, expected: str) -> None:
    playlist = "https://v.redd.it/9ii/HLSPlaylist.m3u8"
    assert with_subtitles(playlist + query) == playlist + expected
