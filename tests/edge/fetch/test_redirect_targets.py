"""Where redirects may lead that must stay on the domains of one site."""

import httpx
import pytest

from transcoder.edge.fetch.redirects import leads_within

BASE = httpx.URL("https://www.site.example/r/a")


@pytest.mark.parametrize(
    ("location", "within"),
    [
        ("/b", True),
        ("https://site.example/", True),
        ("http://old.site.example/", True),
        ("//www.site.example./b", True),
        ("https://site.example.evil.example/", False),
        ("https://othersite.example/", False),
        ("https://example/", False),
        ("ftp://site.example/", False),
        ("app://site.example/r/a", False),
        ("https://site.example:port/", False),
    ],
)
def test_a_redirect_leads_to_the_domain_or_a_subdomain_of_it_by_http(location: str, *, within: bool) -> None:
    assert leads_within(location, BASE, frozenset({"site.example"})) is within
