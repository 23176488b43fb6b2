"""Which requests are for the web page: `/` is, unless it asks for a video."""

import pytest

from transcoder.core.answer.page_paths import is_of_page


@pytest.mark.parametrize(
    ("path", "query", "is_page"),
    [
        ("/", "", True),
        ("", "", True),
        ("/", "height=720&curl=x", True),
        ("/", "url", True),
        ("/", "url=https%3A%2F%2Fa.example", False),
        ("", "height=720&URL=x", False),
        ("/assets/page.0123.js", "", True),
        ("/assets/page.0123.js", "url=x", True),
        ("/assets", "", False),
        ("/favicon.ico", "", True),
        ("/manifest.webmanifest", "", True),
        ("/robots.txt", "", True),
        ("robots.txt", "", False),
        ("/a/robots.txt", "", False),
        ("/download", "", False),
    ],
)
def test_the_page_and_its_files_have_these_addresses(path: str, query: str, *, is_page: bool) -> None:
    assert is_of_page(path, query) is is_page
