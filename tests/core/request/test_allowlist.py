from contextlib import suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.request.allowlist import check_host, parse_s3_url
from transcoder.errors import ForbiddenSourceError

REDDIT = ("reddit.com", "redd.it")


@pytest.mark.parametrize(
    "url",
    [
        "https://reddit.com/r/a",
        "https://WWW.Reddit.com./r/a",
        "https://v.redd.it/a",
        "https://user:pass@old.reddit.com:444/a",
    ],
)
def test_a_host_and_its_subdomains_are_allowed(url: str) -> None:
    check_host(url, REDDIT)
    with pytest.raises(ForbiddenSourceError):
        check_host(url, ("example.com",))


@pytest.mark.parametrize(
    "url",
    [
        "https://notreddit.com/",
        "https://reddit.com.example/",
        "https://reddit.com@evil.example/",
        "https://evil.example/reddit.com",
        "https://127.0.0.1/",
        "file:///etc/passwd",
    ],
)
def test_any_other_host_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenSourceError, match=r"Only videos on reddit\.com, redd\.it"):
        check_host(url, REDDIT)


@pytest.mark.parametrize("allowed", [(), ("*",), ("reddit.com", "*")])
def test_an_empty_list_or_a_star_allows_any_host(allowed: tuple[str, ...]) -> None:
    check_host("https://evil.example/", allowed)
    assert "evil.example" not in allowed


@given(
    st.lists(
        st.sampled_from(["reddit.com", "evil.example", "@", "\\", "/", "#", "?", ";", ":", "443", "%2f", ".", "。", "[", "]", "\uff52"])
    ).map("".join)
)
def test_the_allowed_host_is_the_one_that_is_connected_to(rest: str) -> None:
    url = f"https://{rest}"
    allowed = False
    with suppress(ForbiddenSourceError, ValueError):
        check_host(url, ("reddit.com",))
        allowed = True
    with suppress(httpx.InvalidURL):
        host = httpx.URL(url).host.rstrip(".")
        assert not allowed or host == "reddit.com" or host.endswith(".reddit.com")


def test_only_allowed_buckets_are_read() -> None:
    assert parse_s3_url("s3://films/a/b.m3u8", ("films", "others")) == ("films", "a/b.m3u8")
    assert parse_s3_url("https://films/a", ("films",)) is None
    for url in ("s3://secrets/films/a", "s3://films2/a", "s3:///films"):
        with pytest.raises(ForbiddenSourceError, match="does not serve objects of the bucket"):
            parse_s3_url(url, ("films",))
