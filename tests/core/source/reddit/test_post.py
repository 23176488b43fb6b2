"""Tests that videos are found in the JSON of a post, in every place where Reddit has put them."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peers.drawn_inputs import JSON

from transcoder.core.source.reddit import Video, read_post
from transcoder.errors import TranscoderError, UnsupportedSourceError

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


def files(name: str) -> list[str]:
    """Return the MP4s that Reddit made of the GIFs of a post, without the host."""
    return [(video.file or "").removeprefix("https://preview.redd.it/") for video in videos(name) if video.file]


def test_the_mp4_of_a_gif_is_found_with_its_signature() -> None:
    post = read_post(json.loads(fixture("gif.json")))
    assert post.title == "A cat & its tail"
    assert post.videos == (Video(None, size=(320, 180), silent=True, file="https://preview.redd.it/catgif.gif?format=mp4&s=mp4one"),)


def test_addresses_of_gifs_may_come_unescaped() -> None:
    (video,) = read_post(json.loads(fixture("gif.json").replace("&amp;", "&"))).videos
    assert video.file == "https://preview.redd.it/catgif.gif?format=mp4&s=mp4one"


def test_a_gif_that_is_crossposted_is_one_video() -> None:
    assert files("gif-crosspost") == ["catgif.gif?format=mp4&s=mp4one"]


def test_a_gallery_has_its_gifs_and_videos_in_its_own_order() -> None:
    names = [video.file or video.playlist or "" for video in videos("gif-gallery")]
    assert [name.partition("?")[0].removeprefix("https://") for name in names] == [
        "preview.redd.it/doggif.gif",
        "v.redd.it/link/pgifs/asset/assetone/HLSPlaylist.m3u8",
        "preview.redd.it/catgif.gif",
    ]
    assert files("gif-gallery") == ["doggif.gif?format=mp4&s=mp4dog", "catgif.gif?format=mp4&s=mp4gallery"]


def gif_post(**members: object) -> Any:
    document = json.loads(fixture("gif.json"))
    document[0]["data"]["children"][0]["data"] |= members
    return document


@pytest.mark.parametrize("target", ["https://i.imgur.com/cat.gif", "https://i.imgur.com/cat.gifv?x=1", "https://media.example/a.GIF"])
def test_a_gif_on_another_site_of_which_reddit_made_an_mp4_is_a_gif(target: str) -> None:
    members = {"url": target, "url_overridden_by_dest": target, "post_hint": "link", "domain": "media.example"}
    assert len(read_post(gif_post(**members)).videos) == 1


def test_a_post_links_to_where_its_own_address_leads_and_to_that_only_without_another() -> None:
    gif, page = "https://i.imgur.com/cat.gif", "https://www.reddit.com/r/aww/comments/1/cats/"
    assert len(read_post(gif_post(url=page, url_overridden_by_dest=gif, post_hint="link")).videos) == 1
    for other in ("", None):
        assert len(read_post(gif_post(url=gif, url_overridden_by_dest=other, post_hint="link")).videos) == 1
    with pytest.raises(UnsupportedSourceError, match=r"page on news\.example"):
        read_post(gif_post(url=gif, url_overridden_by_dest="https://news.example/cats", post_hint="link"))


def test_the_preview_of_a_page_is_not_what_was_posted() -> None:
    page = "https://news.example/cats"
    with pytest.raises(UnsupportedSourceError, match=r"page on news\.example"):
        read_post(gif_post(url=page, url_overridden_by_dest=page, post_hint="link"))


def test_the_original_of_a_crosspost_is_the_first_of_its_parents() -> None:
    parents = [{"id": "DEF", "subreddit": "b"}, {"id": "ghi", "subreddit": "c"}]
    found = read_post(gif_post(id="abc", crosspost_parent_list=parents))
    assert found.original is not None
    assert (found.original.id, found.original.subreddit) == ("def", "b")


def test_crossposts_of_crossposts_are_not_followed_however_many_there_are() -> None:
    nested: dict[str, object] = {"media": {"reddit_video": {"hls_url": "https://v.redd.it/a/HLSPlaylist.m3u8"}}}
    for _ in range(5000):
        nested = {"crosspost_parent_list": [nested]}
    assert [video.playlist for video in read_post(gif_post(crosspost_parent_list=[nested])).videos] == [None]


def test_entries_of_a_gallery_have_their_size_and_either_address() -> None:
    image = {"e": "AnimatedImage", "s": {"mp4": "https://preview.redd.it/a.mp4", "x": 320, "y": 180}}
    film = {"e": "RedditVideo", "dashUrl": "https://v.redd.it/b/DASHPlaylist.mpd", "x": 640, "y": 360, "isGif": False}
    members = {"media_metadata": {"a": image, "b": film}, "preview": {}, "gallery_data": {"items": [{"media_id": "b"}]}}
    assert read_post(gif_post(**members)).videos == (
        Video(None, "https://v.redd.it/b/DASHPlaylist.mpd", size=(640, 360)),
        Video(None, size=(320, 180), silent=True, file="https://preview.redd.it/a.mp4"),
    )


def test_a_video_in_the_preview_is_preferred_to_the_mp4_of_its_gif() -> None:
    document = json.loads(fixture("preview-of-a-gif.json"))
    preview = json.loads(fixture("gif.json"))[0]["data"]["children"][0]["data"]["preview"]
    document[0]["data"]["children"][0]["data"]["preview"]["images"] = preview["images"]
    (video,) = read_post(document).videos
    assert video.playlist
    assert video.file is None


@pytest.mark.parametrize("name", ["giphy|3o7abKhOpu0NwenH3O", "emote|t5_2qh1o|123"])
def test_gifs_from_a_library_are_no_videos_of_a_comment(name: str) -> None:
    document = json.loads(fixture("comment.json"))
    sticker = {"status": "valid", "e": "AnimatedImage", "s": {"mp4": "https://media.example/giphy.mp4", "x": 1, "y": 1}}
    upload = {"status": "valid", "e": "AnimatedImage", "s": {"mp4": "https://preview.redd.it/a.gif?format=mp4&amp;s=1", "x": 1, "y": 1}}
    (comment,) = [each["data"] for each in document[1]["data"]["children"] if each["data"].get("id") == "ctop"]
    comment["media_metadata"] = {name: sticker}
    assert "/era2024one/" in (read_post(document, comment="ctop").videos[0].playlist or "")
    comment["media_metadata"]["a"] = upload
    assert read_post(document, comment="ctop").videos[0].file == "https://preview.redd.it/a.gif?format=mp4&s=1"


@pytest.mark.parametrize("kept", [{}, {"source": {}}, {"source": {"url": ""}}, {"source": {"url": None}}])
def test_a_gallery_of_gifs_without_an_mp4_is_refused_with_its_reason(kept: dict[str, object]) -> None:
    document = json.loads(fixture("gif-gallery.json"))
    post = document[0]["data"]["children"][0]["data"]
    post["media_metadata"] = {"heavygif": post["media_metadata"]["heavygif"]}
    with pytest.raises(UnsupportedSourceError, match="a gallery with GIFs of which Reddit has made no video"):
        read_post(document)
    with pytest.raises(UnsupportedSourceError, match="a GIF of which Reddit has made no video"):
        read_post(gif_post(preview={"images": [{"variants": {"mp4": kept}}]}))


def test_says_whether_a_video_is_silent() -> None:
    assert videos("preview-of-a-gif")[0].silent is True
    assert videos("2024-ts-secure-media-only")[0].silent is False
    assert videos("2018-silent")[0].silent is None


def test_posts_without_hls_have_files_or_a_manifest() -> None:
    mp4, dash = videos("mp4-only")[0], videos("dash-only")[0]
    assert (mp4.playlist, mp4.dash, mp4.fallback) == (None, None, "https://v.redd.it/era2017mp4/DASH_180.mp4?source=fallback")
    assert (dash.playlist, dash.fallback) == (None, None)
    assert (dash.dash or "").startswith("https://v.redd.it/era2017dash/DASHPlaylist.mpd?a=")


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
        post = read_post(document, comment="cdeep")
        assert post.videos or post.original


def _members(value: Any) -> list[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [member for key, inner in items for member in [(value, key), *_members(inner)]]
