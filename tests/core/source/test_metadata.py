import pytest

from transcoder.core.source.metadata import metadata_of
from transcoder.core.source.source import Source, SourceKind


def source(page: str, **more: object) -> Source:
    return Source(SourceKind.ADDRESS, page, page, **more)  # type: ignore[arg-type]  # the fields are those of Source


def test_metadata_has_title_address_and_date() -> None:
    assert metadata_of(source("https://www.reddit.com/r/aww/comments/a/b/", title="A\ncat", posted=1656572964.0)) == {
        "title": "A cat",
        "comment": "https://www.reddit.com/r/aww/comments/a/b/",
        "date": "2022-06-30",
    }


@pytest.mark.parametrize(
    ("page", "tags"),
    [
        ("https://me:secret@a.example:8080/v.m3u8?token=secret#x", {"comment": "https://a.example:8080/v.m3u8"}),
        ("file:///home/me/v.m3u8", {}),
    ],
)
def test_metadata_contains_no_secrets(page: str, tags: dict[str, str]) -> None:
    assert metadata_of(source(page)) == tags
