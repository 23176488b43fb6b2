import pytest

from transcoder.core.hls.plan import Plan
from transcoder.core.request.job import Job
from transcoder.core.source.metadata import metadata_of
from transcoder.core.source.source import ResolvedSource, Source, SourceKind


def metadata(page: str, *, recorded: float | None = None, embed_source: bool = False, **more: object) -> dict[str, str]:
    source = Source(SourceKind.ADDRESS, page, page, **more)  # type: ignore[arg-type]  # the fields are those of Source
    plan = Plan((), target_seconds=0, estimated_bytes=None, recorded=recorded)
    return metadata_of(source, ResolvedSource(plan), Job(page, embed_source=embed_source))


def test_metadata_has_title_and_dates_and_no_address() -> None:
    assert metadata("https://www.reddit.com/r/aww/comments/a/b/", title="A\ncat", posted=1656572964.0) == {
        "title": "A cat",
        "date": "2022-06-30",
        "creation_time": "2022-06-30T07:09:24Z",
    }


def test_a_date_of_the_playlist_says_when_it_was_recorded() -> None:
    found = metadata("https://a.example/v.m3u8", posted=1656572964.0, recorded=1656572900.9)
    assert (found["creation_time"], found["date"]) == ("2022-06-30T07:08:20Z", "2022-06-30")


@pytest.mark.parametrize(
    ("page", "tags"),
    [
        ("https://me:secret@a.example:8080/v.m3u8?token=secret#x", {"comment": "https://a.example:8080/v.m3u8"}),
        ("http://a.example/v.m3u8#x", {"comment": "http://a.example/v.m3u8"}),
        ("file:///home/me/v.m3u8", {}),
        ("//a.example/v.m3u8", {}),
    ],
)
def test_metadata_contains_no_secrets(page: str, tags: dict[str, str]) -> None:
    assert metadata(page, embed_source=True) == tags
    assert metadata(page) == {}


def test_a_title_is_one_line_of_at_most_a_thousand_characters() -> None:
    assert metadata("https://a.example/", title="a\0\n\x1f\x7fb\x80" + "c" * 1000)["title"] == "a b\x80" + "c" * 996


@pytest.mark.parametrize("seconds", [0.0, 0.9])
def test_the_first_second_of_1970_is_a_date(seconds: float) -> None:
    expected = {"date": "1970-01-01", "creation_time": "1970-01-01T00:00:00Z"}
    assert metadata("https://a.example/", posted=seconds) == expected
    assert metadata("https://a.example/", posted=9e8, recorded=seconds)["creation_time"] == expected["creation_time"]
