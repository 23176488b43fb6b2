import json
import string
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.answer.function_url import (
    MAX_PRELUDE_BYTES,
    RENAMED_HEADERS,
    STRIPPED_HEADERS,
    ResponseHead,
    encode_prelude,
    problem_response,
)
from transcoder.errors import NotFoundError, TranscoderError, UpstreamError

RENAMED = [
    *("authorization", "connection", "content-length", "content-md5", "date", "expect", "host", "keep-alive", "max-forwards"),
    *("proxy-authenticate", "proxy-authorization", "server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via"),
    "www-authenticate",
]
"""Response headers that do not arrive under their names."""
names = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=30).filter(
    lambda name: name.lower() not in RENAMED_HEADERS | STRIPPED_HEADERS | {"set-cookie"}
)
values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60)


@given(st.sampled_from(HTTPStatus), st.lists(st.tuples(names, values), max_size=20))
def test_a_prelude_is_one_json_text_and_eight_zero_bytes(status: HTTPStatus, headers: list[tuple[str, str]]) -> None:
    text, end = encode_prelude(ResponseHead(status, tuple(headers))).split(b"\0", 1)
    assert end == b"\0" * 7
    written = json.loads(text)
    assert written["statusCode"] == status
    assert {name.lower() for name, _ in headers} == set(written["headers"])
    for name, value in headers:
        assert value in written["headers"][name.lower()]


def test_repeated_headers_are_joined() -> None:
    assert b'"a":"1, 2"' in encode_prelude(ResponseHead(HTTPStatus.OK, (("A", "1"), ("a", "2"))))


@pytest.mark.parametrize(
    "header",
    [
        *((name.title(), "1") for name in [*RENAMED, "content-encoding"]),
        ("Set-Cookie", "a=b"),
        ("", "1"),
        ("a b", "1"),
        ("a", "1\r\nb: 2"),
        ("a", "\0"),
        ("a", "ü"),
    ],
)
def test_a_header_that_would_not_arrive_unchanged_is_refused(header: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="header"):
        encode_prelude(ResponseHead(HTTPStatus.OK, (header,)))


def test_the_size_of_a_prelude_is_limited() -> None:
    rest = len(encode_prelude(ResponseHead(HTTPStatus.OK, (("a", ""),))))
    assert len(encode_prelude(ResponseHead(HTTPStatus.OK, (("a", "x" * (MAX_PRELUDE_BYTES - rest)),)))) == MAX_PRELUDE_BYTES
    with pytest.raises(ValueError, match="longer than"):
        encode_prelude(ResponseHead(HTTPStatus.OK, (("a", "x" * (MAX_PRELUDE_BYTES - rest + 1)),)))


@pytest.mark.parametrize("error", [UpstreamError("The origin answered 404.\n\0ü"), NotFoundError(""), TranscoderError("x")])
def test_a_failure_is_a_problem_document(error: TranscoderError) -> None:
    head, body = problem_response(error)
    document = json.loads(body)
    assert head.status == document["status"] == error.status
    assert document["type"].endswith(error.slug)
    assert document["detail"] == str(error)
    assert document["title"] == {"upstream-failed": "Upstream failed", "not-found": "Not found"}.get(error.slug, document["title"])
    headers = dict(head.headers)
    assert headers == {
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        **dict(error.headers),
    }
    assert body.endswith(b"}\n")
    assert encode_prelude(head)
