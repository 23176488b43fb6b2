"""Tests what the address of a web page says about the video that was found on it."""

import pytest

from transcoder.core.source.page import with_page
from transcoder.core.source.source import Source, SourceKind

VIDEO = "https://v.redd.it/9ii/HLSPlaylist.m3u8"
FOUND = Source(SourceKind.REDDIT, VIDEO, VIDEO)


@pytest.mark.parametrize(
    ("page", "title", "subreddit"),
    [
        ("https://www.reddit.com/r/aww/comments/9xyz1/a_slug_of_words/", "a slug of words", "aww"),
        ("https://old.reddit.com/r/aww/comments/9xyz1/a_slug/?utm_source=share#x", "a slug", "aww"),
        ("https://www.reddit.com/r/aww/comments/9xyz1/agora_pela_%C3%BAltima/", "agora pela última", "aww"),
        ("https://www.reddit.com/r/aww/comments/9xyz1/a_slug/kabc2/", "a slug", "aww"),
        ("https://www.reddit.com/r/aww/comments/9xyz1/a_slug/.json", "a slug", "aww"),
        ("https://www.reddit.com/r/aww/comments/9xyz1/a__slug_.json", "a slug", "aww"),
        ("https://www.reddit.com/user/me/comments/9xyz1/a_slug/", "a slug", "u_me"),
        ("https://www.reddit.com/u/me/comments/9xyz1/", None, "u_me"),
        ("https://www.reddit.com/comments/9xyz1/a_slug", "a slug", None),
        ("https://www.reddit.com/comments/9xyz1/_/kabc2", None, None),
        ("https://www.reddit.com/r/aww/comments/9xyz1/comment/kabc2/", None, "aww"),
        ("https://www.reddit.com/r/aww/comments/9xyz1/comment/", "comment", "aww"),
        ("https://www.reddit.com/r/aww/s/AbCdEf1234", None, None),
        ("https://redd.it/9xyz1", None, None),
        ("https://example.com/videos/my-cat/", "my-cat", None),
        ("https://example.com/", None, None),
    ],
)
def test_the_link_to_a_post_shows_its_title(page: str, title: str | None, subreddit: str | None) -> None:
    source = with_page(FOUND, page)
    assert (source.title, source.subreddit, source.url) == (title, subreddit, VIDEO)
    assert source.page == page.partition("?")[0]


def test_a_known_title_is_kept() -> None:
    known = Source(SourceKind.REDDIT, "https://www.reddit.com/r/aww/comments/1/", VIDEO, "The title", "aww")
    assert with_page(known, "https://www.reddit.com/r/b/comments/9xyz1/a_slug/") == known
