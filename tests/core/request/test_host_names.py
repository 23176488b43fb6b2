"""Tests which hosts a domain includes."""

import pytest

from transcoder.core.request.host_names import host_of, is_within, subreddit_name


@pytest.mark.parametrize(
    ("host", "expected"),
    [("reddit.com", True), ("old.reddit.com", True), ("myreddit.com", False), ("reddit.com.example", False), ("com", False), ("", False)],
)
def test_a_domain_includes_itself_and_its_subdomains(host: str, *, expected: bool) -> None:
    assert is_within(host, {"other.example", "reddit.com", ""}) == expected


@pytest.mark.parametrize(("kind", "expected"), [("r", "name"), ("R", "name"), ("u", "u_name"), ("user", "u_name")])
def test_a_profile_is_a_subreddit(kind: str, expected: str) -> None:
    assert subreddit_name(kind, "name") == expected


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://WWW.A.Example:8443/v", "www.a.example"),
        ("https://a.example./v", "a.example"),
        ("https://[2001:DB8::1]/v", "2001:db8::1"),
        ("/v", ""),
        ("https://[2001:db8::1/v", ""),
    ],
)
def test_the_host_of_an_address_is_in_lower_case_and_without_the_dot_of_the_root(url: str, host: str) -> None:
    assert host_of(url) == host
