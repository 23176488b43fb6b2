"""What status and header fields of a response say: whether to ask again and when, how long a resource is, which version it is."""

import asyncio
import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from peers.responses import URL, response

from transcoder.edge.fetch.reply import read_reply
from transcoder.edge.fetch.retry import TransientError, error_for_status, retry_after_seconds, url_after_403
from transcoder.edge.fetch.validators import Validators, content_length, length_after_416, total_length
from transcoder.errors import UnsupportedSourceError, UpstreamError

TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
"""Of RFC 9110, RFC 6585 and RFC 8470: those that say that the same request may be answered later."""


@pytest.mark.parametrize("status", [*range(400, 432), 451, *range(500, 512), 599])
def test_a_status_that_may_pass_is_asked_for_again(status: int) -> None:
    error = error_for_status(response(status), URL)
    assert isinstance(error, TransientError) == (status in TRANSIENT)
    found = error.error if isinstance(error, TransientError) else error
    assert isinstance(found, UpstreamError)
    assert found.origin_status == status


@pytest.mark.parametrize(
    ("status", "proxy", "message"),
    [
        (404, "", "a.ts at a.example: the origin answered 404 Not Found."),
        (599, "", "a.ts at a.example: the origin answered 599."),
        (502, "http://p.example:3128", "a.ts at a.example: the origin or the proxy http://p.example:3128 answered 502 Bad Gateway."),
    ],
)
def test_a_status_is_told_with_who_may_have_answered(status: int, proxy: str, message: str) -> None:
    assert str(error_for_status(response(status, proxy=proxy), URL + "?token=secret")) == message


@pytest.mark.parametrize(
    ("asked", "pause"), [("", None), ("0", 0.0), ("7", 7.0), ("10", 10.0), ("11", 10.0), ("9999", 10.0), ("soon", None)]
)
def test_a_pause_is_as_long_as_the_origin_asks_up_to_ten_seconds(asked: str, pause: float | None) -> None:
    error = error_for_status(response(503, **({"retry_after": asked} if asked else {})), URL)
    assert isinstance(error, TransientError)
    assert error.pause == pause


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("-1", None),
        ("1.5", None),
        ("\u0661", None),
        ("\u00b2", None),
        ("", None),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 -0000", None),
        ("Fri, 31 Foo 1999 23:59:59 GMT", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_seconds(value) == seconds


def test_a_date_says_how_long_it_is_until_then() -> None:
    found = retry_after_seconds(format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))
    assert found is not None
    assert 3500 < found <= 3600


@pytest.mark.parametrize(
    ("status", "url", "following"),
    [
        (403, "https://a.example/a.ts?token=1", "https://a.example/a.ts"),
        (403, "https://a.example/a.ts", None),
        (401, "https://a.example/a.ts?token=1", None),
        (404, "https://a.example/a.ts?token=1", None),
    ],
)
def test_what_is_forbidden_is_asked_for_without_its_query(status: int, url: str, following: str | None) -> None:
    assert url_after_403(response(status, url=url)) == following


@pytest.mark.parametrize(
    ("status", "fields", "length"),
    [
        (200, {"content_length": "100"}, 100),
        (200, {"content_length": "0"}, 0),
        (200, {}, None),
        (200, {"content_length": "100", "content_encoding": "gzip"}, None),
        (200, {"content_length": "100", "content_encoding": "identity"}, 100),
        (200, {"content_length": "10", "content_range": "bytes 0-9/100"}, 10),
        (206, {"content_length": "10", "content_range": "bytes 0-9/100"}, 100),
        (206, {"content_length": "10", "content_range": "bytes 0-9/*"}, None),
        (206, {"content_length": "10"}, None),
        (206, {"content_range": "bytes 0-9/100", "content_encoding": "gzip"}, None),
        (404, {"content_length": "100"}, None),
        (416, {"content_length": "100", "content_range": "bytes */7"}, None),
    ],
)
def test_how_long_the_whole_resource_is(status: int, fields: dict[str, str], length: int | None) -> None:
    assert total_length(response(status, **fields)) == length


def test_how_long_a_body_is() -> None:
    assert [content_length(response(content_length=text)) for text in ("0", "17")] == [0, 17]
    assert content_length(response()) is None


@pytest.mark.parametrize(
    ("field", "length"),
    [
        ("bytes */0", 0),
        (" bytes */300000 ", 300_000),
        ("bytes */" + 18 * "9", 10**18 - 1),
        ("bytes */" + 19 * "9", None),
        ("bytes */*", None),
        ("bytes 0-9/100", None),
        ("items */7", None),
        ("", None),
    ],
)
def test_a_416_tells_how_long_the_resource_is(field: str, length: int | None) -> None:
    assert length_after_416(response(416, content_range=field)) == length


@pytest.mark.parametrize(
    ("fields", "etag", "modified"),
    [
        ({}, None, None),
        ({"etag": '"a"', "last_modified": "Mon"}, '"a"', "Mon"),
        ({"etag": 'W/"a"', "last_modified": "Mon"}, None, "Mon"),
    ],
)
def test_only_a_strong_tag_says_that_bytes_are_the_same(fields: dict[str, str], etag: str | None, modified: str | None) -> None:
    assert Validators.of(response(200, **fields), 7) == Validators(etag, modified, 7)


def test_what_is_known_is_completed_and_not_replaced() -> None:
    known, other = Validators('"a"', "Mon", 0), Validators('"b"', "Tue", 7)
    assert known.completed_by(other) == known
    assert Validators(None, None, None).completed_by(other) == other
    assert Validators(None, "Mon", None).completed_by(other) == Validators('"b"', "Mon", 7)


@pytest.mark.parametrize(
    ("status", "fields", "wait"),
    [
        pytest.param(429, {}, None, id="nothing is said"),
        pytest.param(429, {"retry_after": "7"}, 7.0, id="seconds"),
        pytest.param(429, {"retry_after": "7", "x_ratelimit_reset": "30"}, 7.0, id="both: the standard's field"),
        pytest.param(429, {"x_ratelimit_reset": "30"}, 30.0, id="until the next period"),
        pytest.param(429, {"x_ratelimit_reset": "30", "x_ratelimit_remaining": "5"}, 30.0, id="refused in spite of an allowance"),
        pytest.param(200, {"retry_after": "7"}, None, id="not refused"),
        pytest.param(200, {"x_ratelimit_reset": "30"}, None, id="an allowance that is not told"),
        pytest.param(200, {"x_ratelimit_reset": "30", "x_ratelimit_remaining": "1.0"}, None, id="one more request"),
        pytest.param(200, {"x_ratelimit_reset": "30.5", "x_ratelimit_remaining": "0.99"}, 30.5, id="less than one"),
        pytest.param(200, {"x_ratelimit_reset": "30", "x_ratelimit_remaining": "0."}, 30.0, id="none"),
        pytest.param(200, {"x_ratelimit_reset": "-30", "x_ratelimit_remaining": "0"}, None, id="no number"),
        pytest.param(200, {"x_ratelimit_reset": "999999999", "x_ratelimit_remaining": "0"}, 999_999_999.0, id="nine digits"),
        pytest.param(200, {"x_ratelimit_reset": "9999999999", "x_ratelimit_remaining": "0"}, None, id="ten digits"),
        pytest.param(403, {"x_ratelimit_reset": "30", "x_ratelimit_remaining": "0"}, 30.0, id="another refusal"),
    ],
)
def test_how_long_a_site_wants_to_be_left_alone(status: int, fields: dict[str, str], wait: float | None) -> None:
    assert asyncio.run(read_reply(response(status, b"a", **fields), limit=10)).wait == wait


@pytest.mark.parametrize(
    ("status", "location", "target"),
    [
        (302, "../b?c#d", "https://a.example/b?c#d"),
        (307, "//b.example/", "https://b.example/"),
        (302, "http://a.example:port/", None),
        (200, "/b", None),
        (300, "/b", None),
        (304, "/b", None),
    ],
)
def test_where_a_reply_leads(status: int, location: str, target: str | None) -> None:
    assert asyncio.run(read_reply(response(status, location=location), limit=10)).location == target


def test_a_reply_is_its_text_type_and_address() -> None:
    found = asyncio.run(read_reply(response(404, b"\xef\xbb\xbfa\xc3", b"\xa9\xff", content_type="Text/HTML"), limit=10))
    assert (found.url, found.status, found.content_type, found.text) == (URL, 404, "text/html", "a\u00e9\ufffd")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("limit", [1, 1000, 64 * 1024 - 1, 64 * 1024, 200_000])
def test_a_reply_may_be_exactly_as_long_as_its_limit(limit: int, *, compressed: bool) -> None:
    def read(length: int) -> int:
        body, fields = b"a" * length, {"content_encoding": "gzip"} if compressed else {}
        body = gzip.compress(body) if compressed else body
        pieces = [body[at : at + 30_000] for at in range(0, len(body), 30_000)]
        return len(asyncio.run(read_reply(response(200, *pieces, **fields), limit=limit)).text)

    assert read(limit) == limit
    with pytest.raises(UnsupportedSourceError, match=f"longer than {limit} bytes"):
        read(limit + 1)


def test_a_compressed_reply_that_is_cut_is_asked_for_again() -> None:
    with pytest.raises(TransientError, match="ended early"):
        asyncio.run(read_reply(response(200, gzip.compress(b"a" * 100)[:-5], content_encoding="gzip"), limit=1000))
