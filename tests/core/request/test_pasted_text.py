"""Tests which address is found in what a person pasted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.request.pasted_text import find_address
from transcoder.core.source.reddit import HostedVideo, PostLink, ShareLink, parse_link

POST = PostLink("9xyz1")
SHARE = ShareLink("https://www.reddit.com/r/aww/s/AbCdEf1234")
VIDEO = HostedVideo("https://v.redd.it/9ii")


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("Check this out: https://www.reddit.com/r/aww/s/AbCdEf1234", SHARE),
        ("Check this out: https://www.reddit.com/r/aww/s/AbCdEf1234!", SHARE),
        ("https://www.reddit.com/r/aww/s/AbCdEf1234 look at this", SHARE),
        ("A title\nhttps://www.reddit.com/r/aww/comments/9xyz1/a_slug/?utm_source=share&utm_medium=ios_app\n", POST),
        ("https://example.com/a.html has https://redd.it/9xyz1.", POST),
        ("  https://redd.it/9xyz1\u200b ", POST),
        ("(https://redd.it/9xyz1)", POST),
        ("<https://redd.it/9xyz1>", POST),
        ("„https://redd.it/9xyz1”", POST),
        ("[a title](https://www.reddit.com/r/aww/comments/9xyz1/a_slug/), look", POST),
        ("**https://redd.it/9xyz1**", POST),
        ("link:https://v.redd.it/9ii", VIDEO),
        ("view-source:https://www.reddit.com/comments/9xyz1", POST),
        ("https%3A%2F%2Fwww.reddit.com%2Fr%2Faww%2Fcomments%2F9xyz1%2F", POST),
        ("reddit.com/r/aww/comments/9xyz1", POST),
        ("//www.reddit.com/r/aww/comments/9xyz1", POST),
        ("see old.reddit.com/r/aww/comments/9xyz1/a_slug/ and weep", POST),
        ("v.redd.it/9ii", VIDEO),
        ("Redd.it/9xyz1", POST),
        ("reddit://reddit/r/aww/comments/9xyz1", POST),
        ("reddit://www.reddit.com/r/aww/comments/9xyz1/a_slug", POST),
        ("reddit:///r/aww/comments/9xyz1/", POST),
        ("reddit://r/aww/comments/9xyz1/", POST),
        ("reddit://comments/9xyz1", POST),
        ("https://amp.reddit.com/r/aww/comments/9xyz1/a_slug/", POST),
        ("https://www.google.com/amp/s/amp.reddit.com/r/aww/comments/9xyz1/a_slug/", POST),
        ("https://amp-reddit-com.cdn.ampproject.org/c/s/amp.reddit.com/r/aww/comments/9xyz1/a_slug/", POST),
        ("https://np.reddit.com/r/aww/comments/9xyz1/", POST),
        ("https://old.reddit.com/r/aww/comments/9xyz1/?rdt=1234&share_id=x&utm_name=y#top", POST),
        ("https://v.redd.it/9ii?utm_source=share", VIDEO),
        ("https://redd.it/9xyz1 https://redd.it/another", POST),
        ("https://redd.it/9xyz1,https://redd.it/another", POST),
        ("https://redd.it/9xyz1https://redd.it/another", POST),
        ("„https://redd.it/9xyz1“", POST),
        ("«https://redd.it/9xyz1»", POST),
        ("\N{FULLWIDTH LEFT PARENTHESIS}https://redd.it/9xyz1\N{FULLWIDTH RIGHT PARENTHESIS}", POST),
        ("「https://redd.it/9xyz1」。", POST),
        ("看https://redd.it/9xyz1\N{FULLWIDTH COMMA}很好", POST),
        ("https://www.reddit.com/r/aww/comments/9xyz1/a_slug/\N{FULLWIDTH COMMA}很好", POST),
        ("https://redd.it/9xyz1—look", POST),
        ("https://redd.it/9xyz1\N{FIRE}", POST),
        ("_https://redd.it/9xyz1_", POST),
        ("~~https://redd.it/9xyz1~~", POST),
        ("||https://redd.it/9xyz1||", POST),
        ("https://redd.it/9xyz1&", POST),
        ("https://www.reddit.com/r/aww/comments/9xyz1/a_slug/&utm_source=share", POST),
        (r"https://www.reddit.com/r/u\_name/comments/9xyz1/a\_slug/", POST),
        ("https://www.reddit.com/r/aww/comments/9xyz1/हिन्दी_में/", POST),
        ("https://https://redd.it/9xyz1", POST),
        ("https//www.reddit.com/r/aww/comments/9xyz1", POST),
        ("https:/www.reddit.com/r/aww/comments/9xyz1", POST),
        ("https%253A%252F%252Fredd.it%252F9xyz1", POST),
        ("https://old.reddit.com/login?reason=lor2&dest=https%3A%2F%2Fold.reddit.com%2Fr%2Faww%2Fcomments%2F9xyz1%2Fa_slug%2F", POST),
        ("https://www.reddit.com/de-de/account/login/?dest=https://redd.it/9xyz1", POST),
        ("https://www.reddit.com/over18?dest=https%3A%2F%2Fwww.reddit.com%2Fr%2Faww%2Fcomments%2F9xyz1%2F", POST),
        ("https://out.reddit.com/t3_9xyz1?url=https%3A%2F%2Fv.redd.it%2F9ii&token=x", VIDEO),
        ("https://www.reddit.com/media?url=https%3A%2F%2Fv.redd.it%2F9ii", VIDEO),
        ("https://www.google.com/url?q=https%3A%2F%2Fredd.it%2F9xyz1&sa=t", POST),
        ("https://google.de/url?dest=https://a.example&q=https://redd.it/9xyz1", POST),
        ("https://www.google.com/url?sa=t&url=https%3A%2F%2Fwww.reddit.com%2Fr%2Faww%2Fcomments%2F9xyz1%2F&usg=x", POST),
    ],
)
def test_a_reddit_link_is_found_in_what_is_around_it(text: str, link: object) -> None:
    address = find_address(text)
    assert address.startswith("https://")
    assert parse_link(address) == link


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Check this out: https://a.example/v.m3u8?x=1&y=(2)", "https://a.example/v.m3u8?x=1&y=(2)"),
        ("look (https://a.example/v.m3u8).", "https://a.example/v.m3u8"),
        (" https://a.example/v.m3u8\n", "https://a.example/v.m3u8"),
    ],
)
def test_another_address_is_found_if_it_is_the_last_word(text: str, address: str) -> None:
    assert find_address(text) == address


@pytest.mark.parametrize("title", ["été", "Ünï", "東京", "ñ\u0303", "४२", "a\N{MODIFIER LETTER SMALL H}"])
def test_a_title_may_have_letters_marks_and_digits_of_any_script(title: str) -> None:
    address = f"https://www.reddit.com/r/aww/comments/9xyz1/{title}"
    assert find_address(f"look: {address}, nice") == address
    assert find_address(f"look: {address}\N{FIRE}nice") == address


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example/v.m3u8?next=https://redd.it/9xyz1",
        "https://a.example/v.m3u8?sig=abc.",
        "https://a.example/login?dest=https%3A%2F%2Fredd.it%2F9xyz1",
        "https://www.google.com/url?url=https%3A%2F%2Fa.example%2Fv.m3u8",
        "https://v.redd.it/9ii/HLSPlaylist.m3u8?a=1%2CN==&v=1&f=sd-_",
        "https://a.example/reddit.com/v.m3u8",
        "https://a.example/v.m3u8?from=reddit://r/aww",
        "https://v.redd.it/9ii/HLSPlaylist.m3u8?a=1%2CN%3D%3D&v=1&f=sd",
        "https://reddit.com@a.example/v.m3u8",
        "https://a.example/my video.m3u8",
        "see https://a.example/my video.m3u8",
        "https://a.example/1.m3u8 https://a.example/2.m3u8",
        "s3://bucket/My https://redd.it/9xyz1",
        "file:///home/me/reddit.com/r/video.m3u8",
        "FILE:///home/me/My https://redd.it/9xyz1",
        "data:text/plain,see https://redd.it/9xyz1",
        "me@reddit.com/x",
        "./reddit.com/video.m3u8",
        "notreddit.com/comments/9xyz1",
        "no address",
        "",
    ],
)
def test_a_text_that_is_one_address_or_names_none_stays_as_it_is(text: str) -> None:
    assert find_address(text) == text


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert isinstance(find_address(text), str)


@given(st.from_regex(r"https?://[a-z]{1,9}\.example/[!-~]*", fullmatch=True))
def test_an_address_stays_as_it_is(url: str) -> None:
    assert find_address(url) == url
