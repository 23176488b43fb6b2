"""Which origins may read a response, by the headers of the Fetch standard's CORS protocol."""

import pytest

from transcoder.core.answer.cors import Cors, cors_headers, own_cors_headers
from transcoder.core.answer.event import Request

EXPOSED = "accept-ranges,content-range"
ANY = Cors(expose_headers=("accept-ranges", "content-range"))
ONE = ANY._replace(allow_origins=("https://a.example",))


@pytest.mark.parametrize(
    ("cors", "origin", "expected"),
    [
        pytest.param(ANY, "https://b.example", {"access-control-allow-origin": "*"}, id="any"),
        pytest.param(ONE, "https://a.example", {"access-control-allow-origin": "https://a.example", "vary": "Origin"}, id="the one"),
    ],
)
def test_an_origin_that_is_allowed_may_read(cors: Cors, origin: str, expected: dict[str, str]) -> None:
    assert dict(cors_headers(cors, origin=origin, preflight=False)) == {**expected, "access-control-expose-headers": EXPOSED}
    preflight = {"access-control-allow-methods": "GET,HEAD", "access-control-max-age": "3600"}
    allowed = {"access-control-allow-headers": "if-range,last-event-id,range"}
    assert dict(cors_headers(cors, origin=origin, preflight=True)) == {**expected, **preflight, **allowed}
    few = cors._replace(allow_headers=(), expose_headers=())
    assert dict(cors_headers(few, origin=origin, preflight=True)) == {**expected, **preflight}
    assert dict(cors_headers(few, origin=origin, preflight=False)) == expected


@pytest.mark.parametrize("preflight", [False, True])
def test_another_origin_may_not_read(*, preflight: bool) -> None:
    assert cors_headers(ONE, origin="https://b.example", preflight=preflight) == []


@pytest.mark.parametrize(
    ("origin", "adds_cors", "is_sent"),
    [("https://a.example", True, True), ("https://a.example", False, False), ("", True, False), (None, True, False)],
)
def test_only_a_function_behind_a_rest_api_adds_headers_and_only_for_scripts(origin: str | None, *, adds_cors: bool, is_sent: bool) -> None:
    headers = {} if origin is None else {"origin": origin}
    sent = dict(own_cors_headers(Request("GET", "/", "", headers, adds_cors=adds_cors)))
    assert sent.keys() == ({"access-control-allow-origin", "access-control-expose-headers"} if is_sent else set())
    if is_sent:
        assert sent["access-control-allow-origin"] == "*"
        assert sent["access-control-expose-headers"].split(",") == [
            *("accept-ranges", "content-disposition", "content-range", "etag", "server-timing", "x-audio-reencoded"),
            *("x-content-duration", "x-content-length", "x-content-length-estimate"),
        ]
