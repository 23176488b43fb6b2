"""Tests which hosts a domain includes."""

import pytest

from transcoder.core.request.host_names import is_within, subreddit_name


@pytest.mark.parametrize(
    ("host", "expected"),
    [("reddit.com", True), ("old.reddit.com", True), ("myreddit.com", False), ("reddit.com.example", False), ("com", False), ("", False)],
)
def test_a_domain_includes_itself_and_its_subdomains(host: str, *, expected: bool) -> None:
    assert is_within(host, {"other.example", "reddit.com", ""}) == expected


@pytest.mark.parametrize(("kind", "expected"), [("r", "name"), ("R", "name"), ("u", "u_name"), ("user", "u_name")])
def test_a_profile_is_a_subreddit(kind: str, expected: str) -> None:
    assert subreddit_name(kind, "name") == expected
