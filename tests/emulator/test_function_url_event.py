import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.answer.event import parse_event
from transcoder.emulator.function_url_event import HttpRequest, make_event

EVENTS = Path(__file__).resolve().parents[2] / "fixtures" / "events"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def event(target: str = "/", *, method: str = "GET", headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> dict[str, object]:
    request = HttpRequest(method, target, (("host", "a.example:9000"), *headers), body, "192.0.2.1")
    parsed: dict[str, object] = json.loads(make_event(request, request_id="id", trace_id="Root=1", now=NOW))
    return parsed


def shape(value: object) -> object:
    """Return the names in a JSON value, with types in place of values."""
    return {name: shape(inner) for name, inner in value.items()} if isinstance(value, dict) else type(value).__name__


def test_an_event_has_the_fields_of_a_real_one() -> None:
    real = json.loads((EVENTS / "get.json").read_bytes())
    emulated = event(f"/download?{real['rawQueryString']}", headers=(("user-agent", "curl/8.9.1"),))
    assert emulated["queryStringParameters"] == real["queryStringParameters"]
    for each in (emulated, real):
        del each["headers"]
    assert shape(emulated) == shape(real)


def test_time_has_the_format_of_lambda() -> None:
    context = event()["requestContext"]
    assert isinstance(context, dict)
    assert (context["time"], context["timeEpoch"]) == ("22/Nov/2026:08:00:00 +0000", 1795334400000)
    assert (context["domainName"], context["domainPrefix"]) == ("a.example", "a")


def test_cookies_are_not_among_the_headers() -> None:
    parsed = event(headers=(("cookie", "a=b; c=d"), ("cookie", "e=f"), ("x", "1"), ("x", "2")))
    assert parsed["cookies"] == ["a=b", "c=d", "e=f"]
    headers = parsed["headers"]
    assert isinstance(headers, dict)
    assert "cookie" not in headers
    assert headers["x"] == "1,2"
    assert "cookies" not in event()


def test_a_body_is_text_or_base64() -> None:
    text = event(method="POST", headers=(("content-type", "application/json; charset=utf-8"),), body=b'{"a":"\xc3\xbc"}')
    assert (text["body"], text["isBase64Encoded"]) == ('{"a":"ü"}', False)
    binary = event(method="POST", headers=(("content-type", "text/plain"),), body=b"\xff")
    assert (binary["body"], binary["isBase64Encoded"]) == (base64.b64encode(b"\xff").decode(), True)
    assert "body" not in event()


def test_a_target_of_any_form_has_a_path() -> None:
    for target, path, query in (("*", "/", ""), ("http://h/a?b", "/a", "b"), ("http://h", "/", ""), ("/a%20b?c?d", "/a%20b", "c?d")):
        parsed = event(target)
        assert (parsed["rawPath"], parsed["rawQueryString"]) == (path, query)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"), max_size=60))
def test_the_query_stays_unchanged(query: str) -> None:
    parsed = event(f"/download?{query}")
    request = parse_event(json.dumps(parsed).encode())
    assert (request.path, request.query) == ("/download", query)
    assert ("queryStringParameters" in parsed) == bool(query)
    assert set(parsed.get("queryStringParameters", {})) == {name for name, _ in parse_qsl(query, keep_blank_values=True)}  # type: ignore[call-overload]
