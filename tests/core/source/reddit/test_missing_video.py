"""Tests what is said about a post without a video."""

import json
from pathlib import Path

import pytest

from transcoder.core.source.reddit import read_post
from transcoder.errors import UnsupportedSourceError

FIXTURES = Path(__file__).parents[4] / "fixtures" / "reddit"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("processing", "still working"),
        ("deleted", "deleted by its author"),
        ("removed", "removed by moderators"),
        ("image", "is an image"),
        ("gif-without-video", "is a GIF of which Reddit has made no video"),
        ("gallery-of-images", "gallery of images"),
        ("youtube", r"video on YouTube, which is not supported: https://youtu.be/dQw4w9WgXcQ"),
        ("link", r"page on example.com, which is not supported"),
        ("text", "has no video"),
        ("for-adults-hidden", "for adults"),
    ],
)
def test_says_what_a_post_has_instead_of_a_video(name: str, message: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=message):
        read_post(json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8")))


def post(**members: object) -> list[object]:
    return [{"data": {"children": [{"data": {"id": "abc", "title": "A title", **members}}]}}]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"title": "[deleted]"}, "deleted by its author"),
        ({"selftext": "[deleted]"}, "deleted by its author"),
        ({"selftext": "[removed]"}, "removed by moderators"),
        ({"title": "[deleted]", "selftext": "[removed]"}, "removed by moderators"),
        ({"removed_by_category": "author"}, "deleted by its author"),
        ({"removed_by_category": "deleted"}, "deleted by its author"),
        ({"removed_by_category": "reddit", "title": "[deleted]"}, "removed by moderators"),
        ({"url": "https://m.youtube.com/watch?v=a"}, "video on YouTube"),
        ({"url": "https://www.a.example/b"}, r"page on a\.example, which is not supported: https://www\.a\.example/b"),
        ({"url": "https://a.example/b", "media": {"oembed": {"provider_name": "A", "type": "video"}}}, "video on A,"),
        ({"url": "https://a.example/b", "secure_media": {"oembed": {"provider_name": "S", "type": "video"}}}, "video on S,"),
        (
            {
                "url": "https://a.example/b",
                "crosspost_parent_list": [{"secure_media": {"oembed": {"provider_name": "P", "type": "video"}}}],
            },
            "video on P,",
        ),
        *(
            ({"url": f"{scheme}://a.example/b"}, rf"page on a\.example, which is not supported: {scheme}://")
            for scheme in ("http", "https")
        ),
        *(
            ({"url": url}, r"^The post has no video\.$")
            for url in ("ftp://a.example/b", "https:///b", "https://www.redditstatic.com/b", "b")
        ),
        *(({"url": f"https://{host}/"}, r"^The post has no video\.$") for host in ("reddit.com", "x.redd.it", "a.redditmedia.com")),
        ({"post_hint": "image"}, r"^The post is an image, not a video\.$"),
        ({"post_hint": "link"}, r"^The post has no video\.$"),
        ({"crosspost_parent_list": [{"url": "https://a.example/b"}, {"url": "https://c.example/d"}]}, r"page on a\.example"),
        ({"is_gallery": True}, "a gallery of images"),
        ({"gallery_data": {"items": [{"media_id": "a"}]}}, "a gallery of images"),
        ({"is_gallery": 1, "gallery_data": {"items": []}}, r"^The post has no video\.$"),
        ({"over_18": True}, "for adults only"),
        ({"over_18": "yes"}, "The post has no video"),
    ],
)
def test_the_first_reason_that_applies_is_given(members: dict[str, object], message: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=message):
        read_post(post(**members))


ORIGINAL = "https://www.reddit.com/r/b/comments/def/"


def test_a_post_that_links_to_another_one_has_the_videos_of_that() -> None:
    found = read_post(post(url=ORIGINAL))
    assert found.videos == ()
    assert found.original
    assert found.original.id == "def"


@pytest.mark.parametrize(
    "members",
    [
        pytest.param(
            {"crosspost_parent_list": [{"id": "def", "subreddit": "b", "url": "https://a.example/c"}]}, id="it is in the document"
        ),
        pytest.param({"crosspost_parent_list": [{"id": "def"}, {"id": "ghi"}]}, id="it is the first of two in the document"),
        pytest.param({"removed_by_category": "moderator"}, id="the post is gone"),
        pytest.param({"id": "def"}, id="it is the post itself"),
    ],
)
def test_nothing_is_looked_up_that_cannot_have_videos(members: dict[str, object]) -> None:
    with pytest.raises(UnsupportedSourceError):
        read_post(post(**{"url": ORIGINAL, **members}))
