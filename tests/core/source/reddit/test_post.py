"""Tests that videos are found in the JSON of a post, in every place where Reddit has put them."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.source.reddit import Video, read_post
from transcoder.errors import TranscoderError

FIXTURES = Path(__file__).parents[4] / "fixtures" / "reddit"


def fixture(name: str) -> str:
    return (FIXTURES / name).read_text(encoding="utf-8")


def videos(name: str, comment: str | None = None) -> tuple[Video, ...]:
    return read_post(json.loads(fixture(f"{name}.json")), comment=comment).videos


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
def test_finds_videos_wherever_they_are_in_the_json(
    name: str, title: str, subreddit: str, folders: list[str], seconds: float | None
) -> None:
    post = read_post(json.loads(fixture(f"{name}.json")))
    assert (post.title, post.subreddit) == (title, subreddit)
    assert [(video.playlist or "").partition("?")[0] for video in post.videos] == [
        f"https://v.redd.it/{folder}/HLSPlaylist.m3u8" for folder in folders
    ]
    assert post.videos[0].seconds == seconds
    assert all("&amp;" not in (video.playlist or "") for video in post.videos)


def test_a_comments_own_video_is_preferred_to_the_posts() -> None:
    assert "/link/pcomment/asset/duwg8xxrajsh1/" in (videos("comment", "cdeep")[0].playlist or "")
    assert "/era2024one/" in (videos("comment", "ctop")[0].playlist or "")


def test_says_whether_a_video_is_silent() -> None:
    assert videos("preview-of-a-gif")[0].silent is True
    assert videos("2024-ts-secure-media-only")[0].silent is False
    assert videos("2018-silent")[0].silent is None


def test_posts_without_hls_have_files_or_a_manifest() -> None:
    mp4, dash = videos("mp4-only")[0], videos("dash-only")[0]
    assert (mp4.playlist, mp4.dash, mp4.fallback) == (None, None, "https://v.redd.it/era2017mp4/DASH_180.mp4?source=fallback")
    assert (dash.playlist, dash.fallback) == (None, None)
    assert (dash.dash or "").startswith("https://v.redd.it/era2017dash/DASHPlaylist.mpd?a=")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(JSON)
def test_any_json_is_refused(value: object) -> None:
    for document in (value, [{"data": {"children": [{"data": value}]}}]):
        with pytest.raises(TranscoderError):
            read_post(document, comment="x")


@given(st.sampled_from(sorted(FIXTURES.glob("*.json"))), st.data())
def test_a_member_of_any_type_is_tolerated(path: Path, data: st.DataObject) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    members = list(_members(document))
    holder, key = data.draw(st.sampled_from(members))
    holder[key] = data.draw(JSON)
    with suppress(TranscoderError):
        assert read_post(document, comment="cdeep").videos


def _members(value: Any) -> list[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [member for key, inner in items for member in [(value, key), *_members(inner)]]
