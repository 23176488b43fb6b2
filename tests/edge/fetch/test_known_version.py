"""Which responses bring parts of one version of a resource."""

import httpx
import pytest

from transcoder.edge.fetch.known_version import KnownVersion
from transcoder.edge.fetch.retry import TransientError
from transcoder.edge.fetch.validators import ContentRange, Validators
from transcoder.errors import ChangedFileError

KNOWN = Validators('"a"', None, 100)


def response(status: int = 206, **headers: str) -> httpx.Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=fields, request=httpx.Request("GET", "https://a.example/film.mp4"))


@pytest.mark.parametrize(
    "same",
    [
        response(etag='"a"', content_range="bytes 0-9/100"),
        response(etag='"a"', content_range="bytes 0-9/*"),
        response(content_range="bytes 0-9/100"),
        response(etag='W/"b"', content_range="bytes 0-9/100"),
        response(200, etag='"a"', content_length="100"),
        response(416, content_range="bytes */7"),
    ],
)
def test_a_response_that_contradicts_nothing_is_of_the_same_version(same: httpx.Response) -> None:
    version = KnownVersion(KNOWN)
    version.check(same)
    assert version.validators == KNOWN


@pytest.mark.parametrize(
    "other",
    [
        response(etag='"b"', content_range="bytes 0-9/100"),
        response(etag='"a"', content_range="bytes 0-9/101"),
        response(200, content_length="99"),
    ],
)
def test_one_of_another_version_is_refused_and_asked_for_again(other: httpx.Response) -> None:
    with pytest.raises(TransientError) as caught:
        KnownVersion(KNOWN).check(other)
    assert isinstance(caught.value.error, ChangedFileError)
    assert "the file has changed since its index was made" in str(caught.value.error)
    KnownVersion(any_version=True).check(other)


@pytest.mark.parametrize(
    ("known", "found", "is_same"),
    [
        pytest.param(('"a"', "Mon"), ('"a"', "Tue"), True, id="servers that share a file"),
        pytest.param(('"a"', "Mon"), ('"b"', "Mon"), False, id="another tag"),
        pytest.param((None, "Mon"), (None, "Tue"), False, id="dates alone"),
        pytest.param(('"a"', "Mon"), (None, "Tue"), False, id="only one has a tag"),
        pytest.param(('"a"', "Mon"), (None, "Mon"), True, id="only one has a tag, and both the same date"),
        pytest.param(('"a"', None), (None, "Mon"), True, id="nothing that both have"),
    ],
)
def test_dates_count_where_not_both_have_the_same_tag(known: tuple[str, str], found: tuple[str, str], *, is_same: bool) -> None:
    first, second = Validators(*known, None), Validators(*found, None)
    assert first.allow_same(second) is second.allow_same(first) is is_same


def test_what_is_not_known_is_learnt_from_each_response() -> None:
    version = KnownVersion()
    version.check(response(etag='"a"', content_range="bytes 0-9/*"))
    assert version.validators == Validators('"a"', None, None)
    version.check(response(content_range="bytes 0-9/100"))
    assert version.validators == KNOWN
    with pytest.raises(TransientError):
        version.check(response(content_range="bytes 0-9/99"))


@pytest.mark.parametrize(
    ("first", "has_ranges"),
    [
        (response(content_range="bytes 0-9/100"), True),
        (response(content_range="bytes 0-9/*"), False),
        (response(content_range="bytes 0-9/100", content_encoding="gzip"), False),
        (response(200, content_length="100"), False),
    ],
)
def test_ranges_are_there_once_a_part_has_told_the_length_of_all(first: httpx.Response, *, has_ranges: bool) -> None:
    version = KnownVersion()
    version.check(first)
    version.check(response(200, content_length="100"))
    assert version.has_ranges is has_ranges


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("bytes 0-9/100", (0, 10, 100)),
        (" bytes 5-9/* ", (5, 10, None)),
        ("bytes 90-99/100", (90, 100, 100)),
        ("bytes 0-0/1", (0, 1, 1)),
        ("bytes 90-100/100", None),
        ("bytes 9-8/100", None),
        ("bytes */100", None),
        ("items 0-9/100", None),
        ("bytes 0-9", None),
        ("bytes 0-9/-", None),
        ("", None),
    ],
)
def test_a_content_range_lies_in_its_resource(field: str, expected: tuple[int, int, int | None] | None) -> None:
    assert ContentRange.of(response(content_range=field)) == expected
