"""The emulated REST API: its events, its stage and its headers; the runtime behind it is the same."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import Serve
from peers import media_reader
from peers.running_emulator import emulated, http, small_application_options

from transcoder.core.answer.cors import Cors
from transcoder.core.answer.event import parse_event
from transcoder.emulator import Front, Options, Running
from transcoder.emulator.function_url_event import HttpRequest
from transcoder.emulator.rest_api_event import make_rest_event

REAL = Path(__file__).resolve().parents[2] / "fixtures" / "events" / "rest-api.json"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def function() -> Iterator[Running]:
    with emulated(small_application_options(front=Front.API_GATEWAY)) as running:
        yield running


def event(target: str, *headers: tuple[str, str], body: bytes = b"") -> dict[str, object]:
    request = HttpRequest("GET", target, (("host", "a.example:9000"), *headers), body, "192.0.2.1")
    parsed: dict[str, object] = json.loads(make_rest_event(request, request_id="id", trace_id="Root=1", now=NOW))
    return parsed


def shape(value: object) -> object:
    """Return the names in a JSON value, with types in place of values."""
    return {name: shape(inner) for name, inner in value.items()} if isinstance(value, dict) else type(value).__name__


def test_an_event_has_the_fields_of_a_documented_one() -> None:
    documented = json.loads(REAL.read_bytes())
    made = event("/prod/download?url=https%3A%2F%2Fcdn.example&height=480&height=720", ("user-agent", "curl/8.9.1"))
    for each in (documented, made):
        del each["headers"], each["multiValueHeaders"]
    context: dict[str, Any] = documented["requestContext"]
    context["identity"] = {name: context["identity"][name] for name in ("sourceIp", "userAgent")}
    assert shape(made) == shape(documented)
    assert made["multiValueQueryStringParameters"] == {"url": ["https://cdn.example"], "height": ["480", "720"]}


def test_the_stage_is_in_one_path_and_not_in_the_other() -> None:
    for target, path, proxy in (("/prod/a/b", "/a/b", {"proxy": "a/b"}), ("/prod/", "/", None), ("/prod", "/", None)):
        made = event(target)
        assert (made["path"], made["pathParameters"]) == (path, proxy)
        assert parse_event(json.dumps(made).encode()).path == target


def test_a_body_is_passed_on() -> None:
    assert event("/prod/a", ("content-type", "text/plain"), body=b"a")["body"] == "a"
    assert event("/prod/a", body=b"\xff")["isBase64Encoded"] is True


def test_status_headers_and_body_arrive_as_they_were_sent(function: Running) -> None:
    response = http.get(function.url + "/stream?2")
    assert (response.status_code, response.headers["content-type"]) == (200, "video/mp4")
    assert response.headers["transfer-encoding"] == "chunked"
    assert response.content == bytes(range(256)) * 8192


def test_the_application_gets_the_query_encoded_again(function: Running) -> None:
    request = http.get(function.url + "/echo?url=http%3A%2F%2Fa%2Fb%3Fc,d&x=1").json()
    assert request["query"] == "url=http%3A%2F%2Fa%2Fb%3Fc%2Cd&x=1"
    assert request["path"] == "/prod/echo"


def test_a_path_outside_of_the_stage_is_refused(function: Running) -> None:
    outside = function.url.removesuffix("/prod")
    for path in ("/", "/hello", "/production/hello"):
        response = http.get(outside + path)
        assert (response.status_code, response.json()) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECTED"])
@pytest.mark.parametrize("path", ["/", "/hello"])
def test_a_method_that_the_api_does_not_have_is_refused_before_the_function(method: str, path: str, function: Running) -> None:
    response = http.request(method, function.url + path)
    assert (response.status_code, response.headers["x-amzn-errortype"]) == (403, "MissingAuthenticationTokenException")
    assert response.json() == {"message": "Missing Authentication Token"}
    assert "x-amzn-requestid" not in response.headers  # which every invocation has


def test_the_function_itself_allows_other_sites_to_read(function: Running) -> None:
    response = http.get(function.url + "/hello", headers={"Origin": "https://a.example"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-expose-headers"] == ",".join(Cors().expose_headers)
    assert "access-control-allow-origin" not in http.get(function.url + "/hello").headers


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}], ids=["bare", "preflight"]
)
def test_the_api_answers_every_options_itself(headers: dict[str, str], function: Running) -> None:
    response = http.options(function.url + "/hello", headers=headers)
    assert (response.status_code, response.headers["access-control-allow-methods"]) == (204, "GET,HEAD")
    assert (response.headers["access-control-allow-origin"], response.headers["access-control-max-age"]) == ("*", "3600")


def test_a_video_is_made_and_links_lead_back_through_the_stage(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder = media("ts-muxed")
    url = serve(folder).url("/main.m3u8")
    with emulated(Options(front=Front.API_GATEWAY, environ={"TRANSCODER_ALLOW_PRIVATE": "1"})) as running:
        response = http.get(running.url + "/download", params={"url": url}, headers={"Origin": "https://a.example"})
        report = http.get(running.url + "/info", params={"url": url}).json()
        again = http.head(running.url.removesuffix("/prod") + report["download"])
        failed = http.get(running.url + "/download", headers={"Origin": "https://a.example"})
    assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, "*")
    (tmp_path / "output.mp4").write_bytes(response.content)
    assert media_reader.is_whole(tmp_path / "output.mp4")
    assert report["download"].startswith("/prod/download?")
    assert again.status_code == 200
    assert (failed.status_code, failed.headers["access-control-allow-origin"]) == (400, "*")
