"""Tests what the embed page of a post tells."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peers.reddit_pages import FIXTURES, PublicPost, embed, posts

from transcoder.core.source.reddit import Answer, Blocked, Found, Image, NotThere, PostLink, embed_url, read_embed
from transcoder.core.source.reply import HttpReply
from transcoder.errors import UnsupportedSourceError, UpstreamBlockedError

POSTS = {post.id: post for post in posts()}
LITERAL = (FIXTURES / "embed.html").read_text(encoding="utf-8")


def read(text: str, post: str, *, status: int = 200) -> Answer:
    return read_embed(HttpReply("https://embed.reddit.com/r/aww/comments/x/", status, "text/html", text), PostLink(post, None, "aww"))


def test_reads_a_literal_page() -> None:
    answer = read(LITERAL, "1abc2d")
    assert isinstance(answer, Found)
    post = answer.post
    assert (post.title, post.subreddit, post.over_18, post.posted) == ("A cat & its tail", "aww", True, 1788256800.123)
    assert post.poster == Image("https://external-preview.redd.it/p.jpg?format=pjpg&s=1")
    assert [video.playlist for video in post.videos] == ["https://v.redd.it/abcdefghijk12/HLSPlaylist.m3u8"]
    assert post.videos[0].dash == "https://v.redd.it/abcdefghijk12/DASHPlaylist.mpd"


def test_a_signature_of_the_playlist_is_kept() -> None:
    answer = read(LITERAL.replace("?f=sd&amp;v=1", "?a=1%2CN&amp;f=hd"), "1abc2d")
    assert isinstance(answer, Found)
    assert answer.post.videos[0].playlist == "https://v.redd.it/abcdefghijk12/HLSPlaylist.m3u8?a=1%2CN&f=hd"


def test_the_address_needs_the_community() -> None:
    assert embed_url(PostLink("a1", None, "aww")) == "https://embed.reddit.com/r/aww/comments/a1/"


def test_the_video_is_found_without_its_player() -> None:
    answer = read(LITERAL.replace("shreddit-player", "other-player"), "1abc2d")
    assert isinstance(answer, Found)
    assert [video.playlist for video in answer.post.videos] == ["https://v.redd.it/abcdefghijk12/HLSPlaylist.m3u8"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pimage", NotThere("The post is an image, not a video.")),
        ("pgif", Blocked("a GIF, whose MP4 it does not name", subreddit="aww")),
        ("pgallery", Blocked("a gallery, whose videos it does not list", subreddit="aww")),
        ("pwords", Blocked("a text, whose videos it does not list", subreddit="aww")),
        ("pyoutube", NotThere("The post links to a video on YouTube, which is not supported: https://youtu.be/dQw4w9WgXcQ")),
    ],
)
def test_says_what_a_post_has_instead_of_a_video(name: str, expected: Answer) -> None:
    assert read(embed(POSTS[name]).decode(), name) == expected


def test_the_original_of_a_crosspost_is_named() -> None:
    answer = read(embed(POSTS["pcross"]).decode(), "pcross")
    assert isinstance(answer, Found)
    assert (answer.original, answer.post.title, answer.post.videos) == (PostLink("p2025"), "Look at this", ())
    assert answer.original is not None
    assert answer.original.subreddit == "u_filmer"


def test_several_players_are_several_videos() -> None:
    second = '<shreddit-player post-id="t3_1abc2d" src="https://v.redd.it/second1/HLSPlaylist.m3u8"></shreddit-player>'
    foreign = '<shreddit-player post-id="t3_other" src="https://v.redd.it/third1/HLSPlaylist.m3u8"></shreddit-player>'
    invalid = '<shreddit-player post-id="t3_1abc2d" src="blob:https://v.redd.it/fourth"></shreddit-player>'
    answer = read(LITERAL + second + foreign + invalid, "1abc2d")
    assert isinstance(answer, Found)
    assert [(video.playlist or "").split("/")[3] for video in answer.post.videos] == ["abcdefghijk12", "second1"]


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ((FIXTURES / "blocked.html").read_text(), 403, Blocked("403", UpstreamBlockedError)),
        ((FIXTURES / "login.html").read_text(), 200, Blocked("a page without the post", UpstreamBlockedError)),
        ("", 200, Blocked("a page without the post", UpstreamBlockedError)),
        (LITERAL.replace("{", "[", 1), 200, Blocked("a page without the post", UpstreamBlockedError)),
        (LITERAL, 429, Blocked("429", UpstreamBlockedError)),
        ("", 404, Blocked("404")),
        ("", 410, Blocked("410")),
        (LITERAL.replace("t3_1ABC2d", "t3_other"), 200, Blocked("a page about another post")),
        (LITERAL.replace("https://v.redd.it/", "https://www.reddit.com/r/"), 200, Blocked("a page without the video", subreddit="aww")),
    ],
)
def test_each_refusal_has_an_outcome_of_its_own(text: str, status: int, expected: Answer) -> None:
    assert read(text, "1abc2d", status=status) == expected


def test_unknown_values_are_not_guessed() -> None:
    answer = read(
        LITERAL.replace("true", "&quot;yes&quot;").replace("1788256800123", "-1").replace("https://external", "javascript:"), "1abc2d"
    )
    assert isinstance(answer, Found)
    assert (answer.post.over_18, answer.post.posted, answer.post.poster) == (None, None, None)


PIECES = ["<", ">", "&lt;", "&quot;", '"', "=", "<h1", "<shreddit-player", "<shreddit-screenview-data data=", "<![", "<!--", "{", "é", "\0"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.sampled_from(sorted(POSTS)))
def test_any_page_has_an_answer(content: str, name: str) -> None:
    post = replace(POSTS[name], title=content, poster=content)
    assert isinstance(read(content + embed(post).decode() + content, name), Found | NotThere | Blocked)
    assert isinstance(read(embed(PublicPost(id="a", title="", target=content)).decode(), "a"), Found | NotThere | Blocked)


def test_a_page_that_names_no_kind_is_decided_by_its_link() -> None:
    text = LITERAL.replace("shreddit-player", "x").replace("https://v.redd.it/abcdefghijk12", "https://news.example/").replace("video", "x")
    answer = read(text, "1abc2d")
    assert isinstance(answer, NotThere)
    assert answer.kind is UnsupportedSourceError


@pytest.mark.parametrize(("name", "subreddit"), [("aww", "aww"), ("Videos", "Videos"), ("", "pics")])
def test_the_community_is_the_one_that_the_page_names_and_else_that_of_the_link(name: str, subreddit: str) -> None:
    text = LITERAL.replace("&quot;name&quot;:&quot;aww&quot;", f"&quot;name&quot;:&quot;{name}&quot;")
    answer = read_embed(HttpReply("https://embed.reddit.com/r/pics/comments/x/", 200, "text/html", text), PostLink("1abc2d", None, "pics"))
    assert isinstance(answer, Found)
    assert (answer.post.subreddit, answer.post.url) == (subreddit, f"https://www.reddit.com/r/{subreddit}/comments/1abc2d/")


def test_a_player_without_the_id_of_a_post_shows_that_of_a_page_with_a_video() -> None:
    unnamed = LITERAL.replace(' post-id="t3_1abc2d"', "")
    assert unnamed != LITERAL
    whole, found = read(LITERAL, "1abc2d"), read(unnamed, "1abc2d")
    assert isinstance(found, Found)
    assert found == whole


def test_the_ampersands_of_a_poster_may_be_escaped_twice() -> None:
    twice = read(LITERAL.replace("format=pjpg&amp;s=1", "format=pjpg&amp;amp;s=1"), "1abc2d")
    assert twice == read(LITERAL, "1abc2d")
    assert isinstance(twice, Found)
    assert twice.post.poster == Image("https://external-preview.redd.it/p.jpg?format=pjpg&s=1")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("gallery", "a gallery, whose videos it does not list"),
        ("text", "a text, whose videos it does not list"),
        ("video", "a page without the video"),
        ("link", "the post without what it links to"),
    ],
)
def test_the_kind_of_a_post_without_a_player_or_a_link_says_what_it_lacks(kind: str, reason: str) -> None:
    text = LITERAL.replace("shreddit-player", "x").replace("https://v.redd.it/abcdefghijk12&quot;", "&quot;")
    assert read(text.replace("&quot;video&quot;", f"&quot;{kind}&quot;"), "1abc2d") == Blocked(reason, subreddit="aww")
