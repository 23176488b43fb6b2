import json
import string
from http import HTTPStatus
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.answer.function_url import (
    MAX_PRELUDE_BYTES,
    RENAMED_HEADERS,
    STRIPPED_HEADERS,
    ResponseHead,
    encode_prelude,
    parse_event,
    problem_response,
)
from transcoder.errors import BadRequestError, NotFoundError, TranscoderError, UpstreamError

EVENTS = Path(__file__).resolve().parents[3] / "fixtures" / "events"

names = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=30).filter(
    lambda name: name.lower() not in RENAMED_HEADERS | STRIPPED_HEADERS | {"set-cookie"}
)
values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60)


def event(name: str) -> bytes:
    return (EVENTS / f"{name}.json").read_bytes()


def test_a_request_is_parsed_with_its_query_not_decoded() -> None:
    request = parse_event(event("get"))
    assert (request.method, request.path) == ("GET", "/download")
    assert request.query == "url=https%3A%2F%2Fcdn.example%2Ffilm%2Fmaster.m3u8&height=720"
    assert request.headers["user-agent"] == request.user_agent == "curl/8.9.1"
    assert request.source_ip == "203.0.113.7"
    assert request.domain_name == "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-west-1.on.aws"
    assert request.request_id == "8f6e0f3a-6a3b-4c1e-9d8f-2f0c7a1b3d5e"


@pytest.mark.parametrize(
    ("name", "method", "path", "query"),
    [
        ("get-literal-url", "GET", "/prod/download", "url=https://cdn.example/film/master.m3u8?a=1,2&b=c+d&height=9"),
        ("head", "HEAD", "/download", "url=https%3A%2F%2Fcdn.example%2Ffilm%2Fmaster.m3u8"),
        ("no-query", "GET", "/health", ""),
        ("encoded-path", "GET", "/a%20b/download", ""),
        ("post-body", "POST", "/download", ""),
        ("signed-caller", "GET", "/download", ""),
        ("nulls", "GET", "/download", ""),
    ],
)
def test_a_request_is_parsed(name: str, method: str, path: str, query: str) -> None:
    request = parse_event(event(name))
    assert (request.method, request.path, request.query) == (method, path, query)


def test_repeated_headers_stay_joined() -> None:
    assert parse_event(event("repeated-header-and-cookies")).headers["x-custom"] == "1,2"


@pytest.mark.parametrize("name", ["rest-api-version-1", "not-http", "header-that-is-a-number", "no-method"])
def test_another_event_is_refused(name: str) -> None:
    with pytest.raises(BadRequestError):
        parse_event(event(name))


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b'"a"', b"\xff", b"[" * 100_000, b'{"version":"2.0"}', b'{"version":"2.0","requestContext":[]}']
)
def test_text_that_is_not_an_event_is_refused(text: bytes) -> None:
    with pytest.raises(BadRequestError):
        parse_event(text)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_any_json_is_parsed_or_refused(value: object) -> None:
    document = json.loads(event("get"))
    for place in (document, document["requestContext"], document["requestContext"]["http"]):
        for name in [*place]:
            kept, place[name] = place[name], value
            try:
                assert isinstance(parse_event(json.dumps(document).encode()).path, str)
            except BadRequestError as error:
                assert str(error).startswith("The event is not")  # noqa: PT017  # both outcomes are right, so pytest.raises does not fit
            place[name] = kept


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
        *((name.title(), "1") for name in sorted(RENAMED_HEADERS | STRIPPED_HEADERS)),
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
    headers = dict(head.headers)
    assert (headers["content-type"], headers["cache-control"]) == ("application/problem+json", "no-store")
    assert encode_prelude(head)
