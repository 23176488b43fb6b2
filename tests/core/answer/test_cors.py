"""Which origins may read a response, by the headers of the Fetch standard's CORS protocol."""

import pytest

from transcoder.core.answer.cors import Cors, cors_headers

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
