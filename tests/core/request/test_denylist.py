"""Tests which addresses an operator's denylist excludes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.request.denylist import Denylist
from transcoder.errors import BadRequestError, DeniedSourceError

LIST = Denylist.parse(["Example.com", "bücher.example", "192.0.2.1", "2001:db8::1", "r/Secrets", "u/filmer", "t3_9XYZ1", "9iiojb7jws291"])


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/v.m3u8",
        "https://user:pass@CDN.Example.com.:444/v.m3u8",
        "https://xn--bcher-kva.example/v.m3u8",
        "https://BÜCHER.example/v.m3u8",
        "http://192.0.2.1/v.m3u8",
        "http://[2001:db8::1]:8080/v.m3u8",
        "https://www.reddit.com/r/secrets/comments/abc/a_slug/",
        "https://old.reddit.com/R/SECRETS/comments/abc",
        "https://www.reddit.com/r/aww+secrets/comments/abc",
        "https://www.reddit.com/r/%73ecrets/s/AbCdEf1234",
        "https://www.reddit.com/user/Filmer/comments/abc/",
        "https://www.reddit.com/r/u_filmer/comments/abc/",
        "https://www.reddit.com/u/filmer/s/AbCdEf1234",
        "https://www.reddit.com/r/aww/comments/9xyz1/a_slug/",
        "https://www.reddit.com/comments/9XYZ1.json?raw_json=1",
        "https://oauth.reddit.com/comments/9xyz1?raw_json=1",
        "https://redd.it/9xyz1",
        "https://v.redd.it/9iiojb7jws291",
        "https://v.redd.it/9iiojb7jws291/HLSPlaylist.m3u8?a=1",
        "https://v.redd.it/link/abc/asset/9iiojb7jws291/HLSPlaylist.m3u8",
        "https://www.reddit.com/link/9xyz1/video/abc/player",
        "https://packaged-media.redd.it/9iiojb7jws291/pb/m2-res_720p.mp4",
        "https://preview.redd.it/9iiojb7jws291.gif?format=mp4",
    ],
)
def test_what_is_listed_is_denied(url: str) -> None:
    with pytest.raises(DeniedSourceError, match="the operator of this service has excluded it"):
        LIST.check(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://notexample.com/v.m3u8",
        "https://example.com.other.example/v.m3u8",
        "https://example.com@other.example/",
        "https://other.example/9iiojb7jws291/r/secrets/",
        "https://www.reddit.com/r/secretsofothers/comments/abc/secrets/",
        "https://v.redd.it/9iiojb7jws2912/HLSPlaylist.m3u8",
        "data:text/plain,example.com",
        "file:///example.com/v.m3u8",
        "http://[",
        "",
    ],
)
def test_what_is_not_listed_is_accepted(url: str) -> None:
    LIST.check(url)


def test_entries_are_hosts_communities_and_ids() -> None:
    entries = [" Example.com. ", "bücher.example", "2001:DB8::1", "r/Secrets", "/u/filmer/", "user/Me", "t3_9XYZ1", "T1_abc", "abc"]
    assert Denylist.parse(entries) == Denylist(
        frozenset({"example.com", "xn--bcher-kva.example", "2001:db8::1"}),
        frozenset({"secrets", "u_filmer", "u_me"}),
        frozenset({"9xyz1", "abc"}),
    )
    too_long = "a" * 64 + ".example"  # no label of a host name is so long, and it stays as it is
    assert Denylist.parse([too_long]).hosts == {too_long}


def test_an_empty_list_denies_nothing() -> None:
    Denylist.parse([]).check("https://v.redd.it/9iiojb7jws291")


def test_subreddits_are_compared_without_case() -> None:
    LIST.check_subreddits("", "aww")
    with pytest.raises(DeniedSourceError, match="r/Secrets"):
        LIST.check_subreddits("Secrets")


@pytest.mark.parametrize("entry", ["https://v.redd.it/9iiojb7jws291", "example.com/path", "r/", "a b", "x" * 20, "*", "r/a/b"])
def test_an_entry_that_would_deny_nothing_is_an_error(entry: str) -> None:
    with pytest.raises(BadRequestError, match="TRANSCODER_DENIED"):
        Denylist.parse([entry])


@given(st.text())
def test_any_address_is_read(url: str) -> None:
    with suppress(DeniedSourceError):
        LIST.check(url)
