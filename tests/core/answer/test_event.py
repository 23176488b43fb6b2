"""The request in an event of a Function URL, and of a REST API."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peers.drawn_inputs import JSON

from transcoder.core.answer.event import parse_event
from transcoder.core.request.query import parse_query
from transcoder.errors import BadRequestError

EVENTS = Path(__file__).resolve().parents[3] / "fixtures" / "events"


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


@pytest.mark.parametrize("name", ["not-http", "header-that-is-a-number", "no-method"])
def test_another_event_is_refused(name: str) -> None:
    with pytest.raises(BadRequestError):
        parse_event(event(name))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"a"',
        b"\xff",
        b"[" * 100_000,
        b'{"version":"2.0"}',
        b'{"version":"2.0","requestContext":[]}',
        b'{"requestContext":{}}',
        b'{"version":"3","httpMethod":"GET","requestContext":{}}',
    ],
)
def test_text_that_is_not_an_event_is_refused(text: bytes) -> None:
    with pytest.raises(BadRequestError):
        parse_event(text)


@pytest.mark.parametrize("name", ["get", "rest-api"])
@given(value=JSON)
def test_any_json_is_parsed_or_refused(name: str, value: object) -> None:
    document = json.loads(event(name))
    for place in (document, *(inner for inner in document.values() if isinstance(inner, dict)), *document["requestContext"].values()):
        for key in [*place] if isinstance(place, dict) else []:
            kept, place[key] = place[key], value
            try:
                assert isinstance(parse_event(json.dumps(document).encode()).path, str)
            except BadRequestError as error:
                assert str(error).startswith("The event is not")  # noqa: PT017  # both outcomes are right, so pytest.raises does not fit
            place[key] = kept


def test_a_request_of_a_rest_api_has_its_query_encoded_again() -> None:
    request = parse_event(event("rest-api"))
    assert (request.method, request.path) == ("GET", "/prod/download")
    assert request.query == "url=https%3A%2F%2Fcdn.example%2Ffilm%2Fmaster.m3u8%3Fa%3D1%26b%3Dc%2Bd&height=480&height=720"
    assert (request.headers["x-custom"], request.headers["range"], request.headers["user-agent"]) == ("1,2", "bytes=0-99", "curl/8.9.1")
    assert (request.source_ip, request.user_agent, request.adds_cors) == ("203.0.113.7", "curl/8.9.1", True)
    assert request.domain_name == "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
    assert request.request_id == "8f6e0f3a-6a3b-4c1e-9d8f-2f0c7a1b3d5e"
    assert not parse_event(event("get")).adds_cors


def test_a_request_of_a_rest_api_may_lack_what_is_null_or_comes_twice() -> None:
    document = json.loads(event("rest-api"))
    for name in ("multiValueHeaders", "multiValueQueryStringParameters", "stageVariables"):
        del document[name]
    request = parse_event(json.dumps(document).encode())
    assert (request.headers["x-custom"], request.query.rpartition("&")[2]) == ("2", "height=720")
    document["queryStringParameters"] = document["headers"] = None
    del document["requestContext"]["path"], document["requestContext"]["identity"]
    request = parse_event(json.dumps(document).encode())
    assert (request.path, request.query, request.headers, request.source_ip) == ("/download", "", {}, "")


@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_the_parameters_of_a_rest_api_arrive_as_they_were(values: dict[str, str]) -> None:
    document = json.loads(event("rest-api")) | {"multiValueQueryStringParameters": {name: [value] for name, value in values.items()}}
    document["queryStringParameters"] = values
    assert parse_query(parse_event(json.dumps(document).encode()).query).values == values


@pytest.mark.parametrize(("version", "is_parsed"), [("1.0", True), (None, True), ("2.0", False), ("", False), ("1.1", False)])
def test_a_rest_api_has_the_format_1_0_or_names_none(version: str | None, *, is_parsed: bool) -> None:
    """API Gateway developer guide, "Working with AWS Lambda proxy integrations": the payload format version."""
    document = json.loads(event("rest-api")) | {"version": version}
    if is_parsed:
        assert parse_event(json.dumps(document).encode()).path == "/prod/download"
    else:
        with pytest.raises(BadRequestError, match="not one of an HTTP request"):
            parse_event(json.dumps(document).encode())
