"""Tests what is read from the Atom feed of a post, and which refusals are recognized."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peers.reddit_pages import FIXTURES, FORBIDDEN_FEED, PublicPost, feed, posts

from transcoder.core.source.reddit import Answer, Blocked, Found, Image, NotThere, PostLink, Video, read_feed
from transcoder.core.source.reply import HttpReply
from transcoder.errors import NotFoundError, UnsupportedSourceError, UpstreamBlockedError, UpstreamError

POSTS = {post.id: post for post in posts()}
ATOM, HTML = "application/atom+xml; charset=utf-8", "text/html"
LITERAL = (FIXTURES / "feed.xml").read_text(encoding="utf-8")


def read(text: str, post: str, *, comment: str | None = None, status: int = 200, kind: str = ATOM) -> Answer:
    return read_feed(HttpReply("https://www.reddit.com/comments/x/.rss", status, kind, text), PostLink(post, comment))


def read_post(name: str, **changes: object) -> Answer:
    post = replace(POSTS[name], **changes)  # type: ignore[arg-type]  # each test gives values of the right types
    return read(feed(post).decode(), name)


def test_reads_a_literal_feed() -> None:
    answer = read(LITERAL, "1abc2d")
    assert isinstance(answer, Found)
    post = answer.post
    assert (post.title, post.subreddit, post.author, post.posted) == ("A cat & its 'tail'", "aww", "some-one", 1788256800.0)
    assert post.url == "https://www.reddit.com/r/aww/comments/1abc2d/a_cat/"
    assert post.thumbnail == Image("https://external-preview.redd.it/t.jpg?width=640&s=1", 640, 360)
    folder = "https://v.redd.it/abcdefghijk12"
    assert post.videos == (Video(f"{folder}/HLSPlaylist.m3u8", f"{folder}/DASHPlaylist.mpd"),)


@pytest.mark.parametrize("width", ["", "0", "-640", "640.5", "wide", "100000", "1" * 5000, "000000001" + "1" * 5000])
def test_a_thumbnail_whose_size_is_no_size_has_none(width: str) -> None:
    answer = read(LITERAL.replace('width="640"', f'width="{width}"'), "1abc2d")
    assert isinstance(answer, Found)
    assert answer.post.thumbnail == Image("https://external-preview.redd.it/t.jpg?width=640&s=1")


def test_a_comment_is_never_taken_for_the_post() -> None:
    assert read(LITERAL, "abc") == Blocked("a feed without the post")


@pytest.mark.parametrize(
    ("name", "comment", "folders"),
    [
        ("p2025", None, ["era2025one"]),
        ("ptext", None, ["link/ptext/asset/assetone", "link/ptext/asset/assettwo"]),
        ("pcomment", None, ["era2024one"]),
        ("pcomment", "ctop", ["era2024one"]),
        ("pcomment", "cdeep", ["link/pcomment/asset/duwg8xxrajsh1"]),
        ("pcomment", "cunlisted", ["era2024one"]),
    ],
)
def test_finds_the_videos_of_a_post_and_of_its_comments(name: str, comment: str | None, folders: list[str]) -> None:
    answer = read(feed(POSTS[name]).decode(), name, comment=comment)
    assert isinstance(answer, Found)
    assert [video.playlist for video in answer.post.videos] == [f"https://v.redd.it/{folder}/HLSPlaylist.m3u8" for folder in folders]
    assert (answer.post.title, answer.post.author) == (POSTS[name].title, "someone")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("https://www.reddit.com/r/b/comments/other1/x/", PostLink("other1")),
        ("https://www.reddit.com/gallery/other1", PostLink("other1")),
        ("https://www.reddit.com/gallery/p2020", "a gallery, whose videos it does not list"),
        ("https://www.reddit.com/r/aww/comments/p2020/a_film/", "no video"),
        ("https://i.redd.it/a.gif", "a GIF, whose MP4 it does not name"),
        ("https://i.imgur.com/a.gifv", "a GIF, whose MP4 it does not name"),
        ("https://i.redd.it/a.jpg", "an image, not a video"),
        ("https://www.youtube.com/watch?v=1&t=2", "a video on YouTube, which is not supported: https://www.youtube.com/watch?v=1&t=2"),
        ("https://news.example/a", "a page on news.example"),
        ("https://www.reddit.com/r/aww/s/AbC", "another page on Reddit"),
        ("https://www.reddit.com/r/aww/wiki", "no video"),
        ("", "the post without what it links to"),
        ("https://[bad", "the post without what it links to"),
    ],
)
def test_what_a_post_links_to_decides(target: str, expected: str | PostLink) -> None:
    answer = read_post("p2020", target=target)
    match answer:
        case Found(post, original):
            assert (original, post.videos, post.title) == (expected, (), "Salt & pepper")
        case NotThere(message, kind):
            assert (kind, str(expected) in message) == (UnsupportedSourceError, True)
        case Blocked(reason, failure, subreddit):
            assert (reason, failure, subreddit) == (expected, None, "aww")


def test_the_players_of_other_posts_in_a_text_are_not_its_videos() -> None:
    player = '<a href="https://reddit.com/link/other1/video/one/player">x</a>'
    assert read_post("pwords", text=player) == NotThere("The post has no video.")


@pytest.mark.parametrize(
    ("text", "status", "kind", "expected"),
    [
        (FORBIDDEN_FEED, 403, ATOM, NotThere("The post was removed, or is in a private community.")),
        ((FIXTURES / "blocked.html").read_text(), 403, HTML, Blocked("403", UpstreamBlockedError)),
        (LITERAL, 403, ATOM, Blocked("403", UpstreamBlockedError)),
        ("", 404, ATOM, NotThere("Reddit has no such post.", NotFoundError)),
        ("", 410, HTML, NotThere("Reddit has no such post.", NotFoundError)),
        ("", 429, HTML, Blocked("429", UpstreamBlockedError)),
        ((FIXTURES / "login.html").read_text(), 200, HTML, Blocked("a page without the post", UpstreamBlockedError)),
        ((FIXTURES / "challenge.html").read_text(), 200, "", Blocked("a page without the post", UpstreamBlockedError)),
        ("<feed", 200, ATOM, Blocked("no valid feed", UpstreamError)),
        ("{}", 200, "application/json", Blocked("no valid feed", UpstreamError)),
        ("<!DOCTYPE feed [<!ENTITY a 'b'>]>" + LITERAL.partition("?>")[2], 200, ATOM, Blocked("no valid feed", UpstreamError)),
        (LITERAL.replace("t3_1abc2d", "t3_other").replace("T3_1abc2d", "t3_other"), 200, ATOM, Blocked("a feed without the post")),
    ],
)
def test_each_refusal_has_an_outcome_of_its_own(text: str, status: int, kind: str, expected: Answer) -> None:
    assert read(text, "1abc2d", status=status, kind=kind) == expected


def test_words_of_a_block_page_in_a_comment_are_no_block() -> None:
    post = replace(POSTS["p2020"], comments={"c1": "whoa there, pardner! network policy, please wait for verification"})
    assert isinstance(read(feed(post).decode(), "p2020"), Found)


def test_a_login_redirect_is_a_block() -> None:
    reply = HttpReply("https://www.reddit.com/login/?reason=lor2&dest=x", 200, HTML, "<html>")
    assert read_feed(reply, PostLink("a")) == Blocked("sent to the login page", UpstreamBlockedError)


def test_a_date_without_a_time_zone_is_not_used() -> None:
    for text in ("2026-09-01T10:00:00", "yesterday", "", "0001-01-01T00:00:00+14:00"):
        answer = read(LITERAL.replace("2026-09-01T10:00:00+00:00", text), "1abc2d")
        assert isinstance(answer, Found)
        assert answer.post.posted is None or text.startswith("0001")


def test_deep_nesting_is_read() -> None:
    deep = "&lt;div&gt;" * 50_000
    text = LITERAL.replace("&lt;table&gt;", deep + "&lt;table&gt;") + "<a>" * 0
    assert isinstance(read(text, "1abc2d"), Found)
    assert read("<feed xmlns='http://www.w3.org/2005/Atom'>" + "<a>" * 50_000 + "</a>" * 50_000 + "</feed>", "x") == Blocked(
        "a feed without the post"
    )


PIECES = ["<", ">", "&lt;", "&gt;", "&amp;", "&quot;", "a href=", "https://v.redd.it/x", "[link]", "/a", "<![", "<!--", "]]>", "&#0;", "é"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_content_has_an_answer(content: str) -> None:
    post = PublicPost(id="a", title=content, target=content, text=content, comments={"b": content}, thumbnail=content)
    assert isinstance(read(feed(post).decode(), "a", comment="b"), Found | NotThere | Blocked)
    assert isinstance(read(LITERAL.replace("<entry>", content, 1), "1abc2d"), Found | NotThere | Blocked)


@pytest.mark.parametrize(
    ("dates", "posted"),
    [
        ("<published>2026-09-01T10:00:00+00:00</published><updated>2026-09-01T11:00:00+00:00</updated>", 1788256800.0),
        ("<updated>2026-09-01T10:00:00+00:00</updated>", 1788256800.0),
        ("<published>2026-09-01T12:00:00+02:00</published>", 1788256800.0),
        ("<published>2026-09-01T10:00:00</published>", None),
        ("<published>today</published>", None),
        ("", None),
    ],
)
def test_a_post_has_the_date_of_its_publication_or_else_of_its_last_change(dates: str, posted: float | None) -> None:
    without = re.sub(r"<(published|updated)>[^<]*</\1>", "", LITERAL)
    answer = read(without.replace("<entry>", f"<entry>{dates}"), "1abc2d")
    assert isinstance(answer, Found)
    assert answer.post.posted == posted
