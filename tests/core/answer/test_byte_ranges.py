"""The part of a file that answers a request (RFC 9110, 13.1.5, 14.1.2 and 14.2)."""

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.answer.byte_ranges import requested_part
from transcoder.errors import RangeNotSatisfiableError, TooLargeError

LENGTH, ETAG, LIMIT = 1000, '"a"', 400
MANY = 10**9


@pytest.mark.parametrize(("headers", "status", "span"), [
    pytest.param({}, 200, (0, 1000, 1000), id="no range"),
    pytest.param({"range": "bytes=0-0"}, 206, (0, 1, 1), id="one byte"),
    pytest.param({"range": "bytes=0-1"}, 206, (0, 2, 2), id="as a player of Apple's asks first"),
    pytest.param({"range": "bytes=10-"}, 206, (10, 1000, 1000), id="to the end"),
    pytest.param({"range": "bytes=990-2000"}, 206, (990, 1000, 1000), id="beyond the end"),
    pytest.param({"range": "bytes=-10"}, 206, (990, 1000, 1000), id="a suffix"),
    pytest.param({"range": "bytes=-5000"}, 206, (0, 1000, 1000), id="a suffix longer than the file"),
    pytest.param({"range": "bytes=10-18446744073709551615"}, 206, (10, 1000, 1000), id="to the largest number of 64 bits"),
    pytest.param({"range": "bytes=-18446744073709551615"}, 206, (0, 1000, 1000), id="a suffix of that length"),
    pytest.param({"range": "BYTES= 5-6 "}, 206, (5, 7, 7), id="spaces and capitals"),
    pytest.param({"range": "bytes=0-1,5-6"}, 200, (0, 1000, 1000), id="several ranges"),
    pytest.param({"range": "bytes=6-5"}, 200, (0, 1000, 1000), id="the end before the start"),
    pytest.param({"range": "bytes=-"}, 200, (0, 1000, 1000), id="no number"),
    pytest.param({"range": "bytes=a-b"}, 200, (0, 1000, 1000), id="letters"),
    pytest.param({"range": "lines=1-2"}, 200, (0, 1000, 1000), id="another unit"),
    pytest.param({"range": "bytes=5-6", "if-range": '"a"'}, 206, (5, 7, 7), id="the same version"),
    pytest.param({"range": "bytes=5-6", "if-range": '"b"'}, 200, (0, 1000, 1000), id="another version"),
    pytest.param({"range": "bytes=5-6", "if-range": 'W/"a"'}, 200, (0, 1000, 1000), id="a weak validator"),
    pytest.param({"range": "bytes=5-6", "if-range": "Sat, 01 Jan 2022 00:00:00 GMT"}, 200, (0, 1000, 1000), id="a date"),
    pytest.param({"range": "bytes=5-6", "if-none-match": '"a"'}, 304, (0, 0, 0), id="the client has the file"),
    pytest.param({"if-none-match": 'W/"b", W/"a"'}, 304, (0, 0, 0), id="one of several"),
    pytest.param({"if-none-match": "*"}, 304, (0, 0, 0), id="the client has any version"),
    pytest.param({"range": "bytes=5-6", "if-none-match": '"b"'}, 206, (5, 7, 7), id="the client has another version"),
])  # fmt: skip
def test_the_part_of_a_file_that_fits(headers: dict[str, str], status: int, span: tuple[int, int, int]) -> None:
    part = requested_part(headers, length=LENGTH, etag=ETAG, limit=MANY)
    assert (part.status, (part.start, part.stop, part.end)) == (status, span)


@pytest.mark.parametrize("text", ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=99999999999-", "bytes=18446744073709551615-"])
def test_a_range_with_none_of_the_bytes_is_not_satisfiable(text: str) -> None:
    with pytest.raises(RangeNotSatisfiableError, match="1000 bytes"):
        requested_part({"range": text}, length=LENGTH, etag=ETAG, limit=MANY)


def test_a_206_says_which_bytes_of_how_many_it_has() -> None:
    part = requested_part({"range": "bytes=10-19"}, length=LENGTH, etag=ETAG, limit=MANY)
    assert part.headers(LENGTH) == [("content-range", "bytes 10-19/1000"), ("x-content-length", "10")]
    cut_short = requested_part({"range": "bytes=100-"}, length=LENGTH, etag=ETAG, limit=LIMIT)
    assert cut_short.headers(LENGTH) == [("content-range", "bytes 100-999/1000"), ("x-content-length", "900")]


def test_a_304_says_no_length_that_a_cache_would_keep() -> None:
    assert requested_part({"if-none-match": ETAG}, length=LENGTH, etag=ETAG, limit=MANY).headers(LENGTH) == []


@pytest.mark.parametrize(("text", "span"), [
    pytest.param("bytes=100-899", (100, 500, 500), id="a named end may be answered with less"),
    pytest.param("bytes=100-", (100, 1000, 500), id="an open end is promised, and broken off"),
    pytest.param("bytes=-500", (500, 1000, 900), id="so is a suffix"),
    pytest.param("bytes=700-", (700, 1000, 1000), id="what fits is whole"),
    pytest.param("bytes=100-499", (100, 500, 500), id="as much as fits"),
    pytest.param("bytes=100-500", (100, 500, 500), id="a byte more"),
])  # fmt: skip
def test_a_range_beyond_the_limit(text: str, span: tuple[int, int, int]) -> None:
    part = requested_part({"range": text}, length=LENGTH, etag=ETAG, limit=LIMIT)
    assert (part.start, part.stop, part.end) == span


def test_a_file_beyond_the_limit_is_refused_with_the_way_out_but_for_head() -> None:
    with pytest.raises(TooLargeError, match=r"1000 bytes.*at most 400.*Range.*get --via"):
        requested_part({}, length=LENGTH, etag=ETAG, limit=LIMIT)
    assert requested_part({}, length=LENGTH, etag=ETAG, limit=LENGTH).end == LENGTH
    part = requested_part({"range": "bytes=0-1"}, length=LENGTH, etag=ETAG, limit=LIMIT, is_head=True)
    assert (part.status, dict(part.headers(LENGTH))) == (HTTPStatus.OK, {"x-content-length": "1000"})


@given(st.text("bytes=-,0123456789 ", max_size=14), st.integers(1, 2000), st.integers(1, 2000))
def test_a_response_is_a_part_of_the_file_and_only_a_named_end_is_shortened(text: str, length: int, limit: int) -> None:
    try:
        part = requested_part({"range": f"bytes={text}"}, length=length, etag=ETAG, limit=limit)
    except (RangeNotSatisfiableError, TooLargeError):
        return
    assert 0 <= part.start < part.stop <= length
    assert part.start < part.end <= min(part.stop, part.start + limit) or part.status is HTTPStatus.OK
    if text.strip().endswith("-") and part.status is HTTPStatus.PARTIAL_CONTENT:
        assert part.stop == length
