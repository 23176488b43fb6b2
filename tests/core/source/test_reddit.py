"""Reddit's links, JSON and refusals, in every form and place that they have had."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.source.reddit import (
    HostedVideo,
    PostLink,
    ShareLink,
    Video,
    mp4_files,
    parse_link,
    read_answer,
    read_post,
    sound_names,
)
from transcoder.core.source.reply import HttpReply
from transcoder.errors import NotFoundError, TranscoderError, UnsupportedSourceError, UpstreamBlockedError, UpstreamError

FIXTURES = Path(__file__).parents[3] / "fixtures" / "reddit"


def fixture(name: str) -> str:
    return (FIXTURES / name).read_text(encoding="utf-8")


def answer(name: str, status: int = 200) -> HttpReply:
    kind = "text/html" if name.endswith(".html") else "application/json; charset=UTF-8"
    return HttpReply("https://www.reddit.com/comments/p.json", status, kind, fixture(name))


def videos(name: str, comment: str | None = None) -> tuple[Video, ...]:
    return read_post(json.loads(fixture(f"{name}.json")), comment=comment).videos


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
        ("https://packaged-media.redd.it/9ii/pb/m2-res_720p.mp4?m=DASH", None),
        ("https://example.com/r/aww/comments/9xyz1/", None),
        ("https://notreddit.com/comments/9xyz1", None),
        ("https://reddit.com.example/comments/9xyz1", None),
        ("https://[bad", None),
    ],
)
def test_reads_every_form_of_link(url: str, link: PostLink | ShareLink | HostedVideo | None) -> None:
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
def test_any_text_is_a_link_or_none_or_refused_in_words(url: str) -> None:
    with suppress(UnsupportedSourceError):
        link = parse_link(url)
        assert link is None or "redd" in url
        if isinstance(link, HostedVideo):
            assert link.playlist.startswith("https://v.redd.it/")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://i.redd.it/abc.jpg", "image"),
        ("https://www.reddit.com/r/aww/", "names no post"),
        ("https://www.reddit.com/", "names no post"),
        ("https://www.reddit.com/user/someone", "names no post"),
        ("https://v.redd.it/", "names no video"),
        ("https://v.redd.it/../x", "names no video"),
    ],
)
def test_says_what_a_link_lacks(url: str, words: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=words):
        parse_link(url)


def test_asks_for_json() -> None:
    assert PostLink("a1").json_url() == "https://www.reddit.com/comments/a1.json?raw_json=1&limit=1"
    assert PostLink("a1", "c1").json_url() == "https://www.reddit.com/comments/a1/_/c1.json?raw_json=1"
    assert PostLink("a1").json_url("oauth.reddit.com") == "https://oauth.reddit.com/comments/a1?raw_json=1&limit=1"


@pytest.mark.parametrize(
    ("file", "is_picture"),
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
def test_tells_a_pictures_file(file: str, is_picture: bool) -> None:  # noqa: FBT001  # a column of the table
    link = HostedVideo("https://v.redd.it/a", file=file)
    assert link.picture == (f"https://v.redd.it/a/{file}" if is_picture else None)


@pytest.mark.parametrize(
    ("name", "title", "subreddit", "folders", "seconds"),
    [
        ("2017-single-file", "The oldest film", "aww", ["era2017one"], 6),
        ("2018-silent", "A silent film", "aww", ["era2018one"], 6),
        ("2020-ts-escaped", "Salt & pepper", "aww", ["era2020one"], 6),
        (
            "2024-ts-secure-media-only",
            "Agora que eu fui chutado pela última vou logo",
            "ProgramadoresBrasil",
            ["era2024one"],
            6,
        ),
        ("2025-cmaf-profile", "Straight up 📱: what now?", "u_filmer", ["era2025one"], 6),
        ("crosspost", "Look at this", "aww", ["era2025one"], 6),
        ("crosspost-parents-empty", "Look at that", "aww", ["era2024one"], None),
        ("preview-of-a-gif", "A cat, forever", "aww", ["era2020one"], 6),
        ("text-with-videos", "Two films in a text", "aww", ["link/ptext/asset/assetone", "link/ptext/asset/assettwo"], None),
        ("gallery", "A picture and two films", "aww", ["link/pgallery/asset/assettwo", "link/pgallery/asset/assetone"], None),
        ("comment", "A film with answers", "aww", ["era2024one"], 6),
    ],
)
def test_finds_videos_wherever_they_are(name: str, title: str, subreddit: str, folders: list[str], seconds: float | None) -> None:
    post = read_post(json.loads(fixture(f"{name}.json")))
    assert (post.title, post.subreddit) == (title, subreddit)
    assert [(video.playlist or "").partition("?")[0] for video in post.videos] == [
        f"https://v.redd.it/{folder}/HLSPlaylist.m3u8" for folder in folders
    ]
    assert post.videos[0].seconds == seconds
    assert all("&amp;" not in (video.playlist or "") for video in post.videos)


def test_a_comment_has_its_own_video_and_else_the_posts() -> None:
    assert "/link/pcomment/asset/duwg8xxrajsh1/" in (videos("comment", "cdeep")[0].playlist or "")
    assert "/era2024one/" in (videos("comment", "ctop")[0].playlist or "")


def test_says_what_is_silent() -> None:
    assert videos("preview-of-a-gif")[0].silent is True
    assert videos("2024-ts-secure-media-only")[0].silent is False
    assert videos("2018-silent")[0].silent is None


def test_posts_without_hls_have_files() -> None:
    mp4, dash = videos("mp4-only")[0], videos("dash-only")[0]
    assert (mp4.playlist, mp4.dash, mp4.fallback) == (None, None, "https://v.redd.it/era2017mp4/DASH_180.mp4?source=fallback")
    assert (dash.playlist, dash.fallback) == (None, None)
    assert (dash.dash or "").startswith("https://v.redd.it/era2017dash/DASHPlaylist.mpd?a=")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("processing", "still working"),
        ("deleted", "deleted by its author"),
        ("removed", "removed by moderators"),
        ("image", "is an image"),
        ("gallery-of-images", "gallery of images"),
        ("youtube", r"video on YouTube, which is not fetched from there: https://youtu.be/dQw4w9WgXcQ"),
        ("link", r"page on example.com, which is not fetched"),
        ("text", "has no video"),
        ("for-adults-hidden", "for adults"),
    ],
)
def test_says_what_a_post_has_instead_of_a_video(name: str, words: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=words):
        videos(name)


@pytest.mark.parametrize(
    ("name", "status", "kind", "words"),
    [
        ("private.json", 403, UnsupportedSourceError, "private community"),
        ("quarantined.json", 403, UnsupportedSourceError, "quarantined"),
        ("gated.json", 403, UnsupportedSourceError, "gated"),
        ("banned.json", 404, UnsupportedSourceError, "banned"),
        ("no-such-post.json", 404, NotFoundError, "no such post"),
        ("forbidden.json", 403, UpstreamBlockedError, "Pass the address of the video itself"),
        ("blocked.html", 403, UpstreamBlockedError, "refuses to answer"),
        ("blocked.html", 200, UpstreamBlockedError, "refuses to answer"),
        ("login.html", 200, UpstreamBlockedError, "refuses to answer"),
        ("challenge.html", 429, UpstreamBlockedError, "refuses to answer"),
        ("login.html", 404, NotFoundError, "no such post"),
        ("login.html", 500, UpstreamError, "answered 500"),
    ],
)
def test_tells_refusals_apart(name: str, status: int, kind: type[TranscoderError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        read_answer(answer(name, status))
    assert type(caught.value) is kind


def test_a_gate_for_adults_is_no_block() -> None:
    page = HttpReply("https://www.reddit.com/over18?dest=x", 200, "text/html", fixture("login.html"))
    with pytest.raises(UnsupportedSourceError, match="for adults"):
        read_answer(page)


def test_reads_json_whatever_its_type_says() -> None:
    assert read_answer(HttpReply("https://www.reddit.com/comments/p.json", 200, "text/plain", " [1]")) == [1]


def test_picks_files_of_a_manifest() -> None:
    files = mp4_files(fixture("DASHPlaylist.mpd"), "https://v.redd.it/abc/DASHPlaylist.mpd?a=1")
    assert (files.picture, files.sound) == ("https://v.redd.it/abc/DASH_180.mp4", "https://v.redd.it/abc/audio")
    assert (files.seconds, files.short_side, files.bandwidth) == (6.0, 180, 743_000)
    assert mp4_files(fixture("DASHPlaylist.mpd"), "https://v.redd.it/abc/x", height=100).picture == "https://v.redd.it/abc/DASH_96.mp4"


@pytest.mark.parametrize("text", ["", "<html>", "<MPD/>", '<!DOCTYPE a [<!ENTITY b "c">]><MPD/>', "not XML"])
def test_refuses_other_manifests(text: str) -> None:
    with pytest.raises(UnsupportedSourceError, match="DASH manifest"):
        mp4_files(text, "https://v.redd.it/abc/DASHPlaylist.mpd")


def test_tries_the_sound_of_the_pictures_own_era_first() -> None:
    assert sound_names("https://v.redd.it/a/CMAF_720.mp4?source=fallback")[0] == "https://v.redd.it/a/CMAF_AUDIO_128.mp4"
    assert sound_names("https://v.redd.it/a/DASH_720.mp4")[:3] == tuple(
        f"https://v.redd.it/a/DASH_{name}.mp4" for name in ("AUDIO_128", "AUDIO_64", "audio")
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(JSON)
def test_rubbish_is_refused_in_words(value: object) -> None:
    for document in (value, [{"data": {"children": [{"data": value}]}}]):
        with pytest.raises(TranscoderError):
            read_post(document, comment="x")


@given(st.sampled_from(sorted(FIXTURES.glob("*.json"))), st.data())
def test_a_member_of_any_type_does_no_harm(path: Path, data: st.DataObject) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    spots = list(_spots(document))
    holder, key = data.draw(st.sampled_from(spots))
    holder[key] = data.draw(JSON)
    with suppress(TranscoderError):
        assert read_post(document, comment="cdeep").videos


def _spots(value: Any) -> list[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [spot for key, inner in items for spot in [(value, key), *_spots(inner)]]
