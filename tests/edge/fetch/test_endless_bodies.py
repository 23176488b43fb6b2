"""The body of an answer that is not wanted is not read to its end, which it may not have."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from peers.fetch_calls import SETTINGS
from peers.raw_origin import RawOrigin, raw_origin

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch import Fetcher
from transcoder.edge.fetch.pace import MAX_FIELDS
from transcoder.edge.fetch.session import MAX_DRAINED_BYTES
from transcoder.errors import TranscoderError, UpstreamError

CHUNK = b"10000\r\n" + bytes(65_536) + b"\r\n"
ENDLESS = [CHUNK] * 2000
"""128 MB, of which nobody reads more than what fills the buffers of a connection."""
MAX_SENT = 16 * 1024 * 1024
"""Bytes that the buffers of all connections of a test may take."""


def head(status: str, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode()


def fetched(what: str, *answer: bytes) -> tuple[RawOrigin, TranscoderError | None]:
    """Fetch something from an origin that always sends this; return the origin and the failure."""

    async def run() -> tuple[RawOrigin, TranscoderError | None]:
        async with asyncio.timeout(20), raw_origin(*answer) as o:
            url, failure = f"http://127.0.0.1:{o.port}/a", None
            async with Fetcher.open(SETTINGS) as fetcher:
                calls: dict[str, Callable[[], Awaitable[object]]] = {
                    "playlist": lambda: fetcher.playlist(url),
                    "small resource": lambda: fetcher.small_resource(url, limit=1000),
                    "first bytes": lambda: fetcher.first_bytes(url, size=1000),
                    "range": lambda: fetcher.first_bytes(url, ByteRange(5, 500), size=100),
                    "last bytes": lambda: fetcher.last_bytes(url, size=1000),
                }
                try:
                    await calls[what]()
                except TranscoderError as error:
                    failure = error
            await o.all_closed.wait()
            return o, failure

    return asyncio.run(run())


EVERYTHING = pytest.mark.parametrize("what", ["playlist", "small resource", "first bytes", "range", "last bytes"])


@EVERYTHING
@pytest.mark.parametrize("status", ["301 Moved Permanently", "307 Temporary Redirect"])
def test_a_redirect_with_an_endless_body_is_followed(what: str, status: str) -> None:
    o, failure = fetched(what, head(status, "Location: /a", "Transfer-Encoding: chunked"), *ENDLESS)
    assert isinstance(failure, UpstreamError)
    assert f"redirects more than {SETTINGS.max_redirects} times" in str(failure)
    assert len(o.requests) == o.used_connections == SETTINGS.max_redirects + 1
    assert o.sent < MAX_SENT * o.used_connections


@EVERYTHING
@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "410 Gone", "503 Service Unavailable"])
def test_a_refusal_with_an_endless_body_is_a_refusal(what: str, status: str) -> None:
    o, failure = fetched(what, head(status, "Transfer-Encoding: chunked"), *ENDLESS)
    assert isinstance(failure, UpstreamError)
    assert f"the origin answered {status}" in str(failure)
    assert 1 <= len(o.requests) <= 2 * SETTINGS.attempts
    assert o.sent < MAX_SENT * o.used_connections


@pytest.mark.parametrize(("length", "is_read"), [(0, True), (MAX_DRAINED_BYTES, True), (MAX_DRAINED_BYTES + 1, False)])
def test_the_body_of_a_redirect_is_read_up_to_a_limit_so_that_its_connection_can_be_used_again(length: int, *, is_read: bool) -> None:
    o, failure = fetched("playlist", head("302 Found", "Location: /a", f"Content-Length: {length}"), bytes(length))
    assert "redirects more than" in str(failure)
    assert len(o.requests) == SETTINGS.max_redirects + 1
    assert o.used_connections == (1 if is_read else len(o.requests))


def test_the_first_bytes_of_an_endless_body_are_read_and_no_more() -> None:
    o, failure = fetched("first bytes", head("200 OK", "Transfer-Encoding: chunked"), *ENDLESS)
    assert (failure, len(o.requests)) == (None, 1)
    assert o.sent < MAX_SENT


@pytest.mark.parametrize("what", ["playlist", "small resource"])
def test_an_endless_resource_is_refused_at_its_limit(what: str) -> None:
    text = b"#EXTM3U\n".ljust(65_536, b"#")
    o, failure = fetched(what, head("200 OK", "Transfer-Encoding: chunked"), *[b"10000\r\n" + text + b"\r\n"] * 2000)
    assert "longer than" in str(failure)
    assert len(o.requests) == 1
    assert o.sent < MAX_SENT + SETTINGS.max_playlist_bytes


@pytest.mark.parametrize(("size", "fits"), [(999, True), (1000, True), (1001, False)])
@pytest.mark.parametrize("announced", [True, False])
def test_exactly_as_many_bytes_as_allowed_are_taken(size: int, *, fits: bool, announced: bool) -> None:
    body = bytes(size)
    answer = (
        [head("200 OK", f"Content-Length: {size}"), body]
        if announced
        else [head("200 OK", "Transfer-Encoding: chunked"), f"{size:x}\r\n".encode() + body + b"\r\n0\r\n\r\n"]
    )
    _, failure = fetched("small resource", *answer)
    assert ("longer than 1000 bytes" in str(failure)) is not fits
    assert (failure is None) is fits


def test_a_response_with_too_many_fields_is_closed_at_once() -> None:
    """Its body may never end, and others wait for its connection."""

    async def run() -> None:
        fields = [f"x-{number}: a" for number in range(MAX_FIELDS + 1)]
        async with (
            asyncio.timeout(20),
            raw_origin(head("200 OK", *fields, "Transfer-Encoding: chunked"), *ENDLESS) as o,
            Fetcher.open(SETTINGS) as fetcher,
        ):
            with pytest.raises(UpstreamError, match="more than 1000 header fields"):
                await fetcher.small_resource(f"http://127.0.0.1:{o.port}/a", limit=1000)
            await o.all_closed.wait()  # while the job goes on
            assert o.sent < MAX_SENT

    asyncio.run(run())


@pytest.mark.parametrize(("count", "is_refused"), [(MAX_FIELDS, False), (MAX_FIELDS + 1, True)])
def test_a_response_may_have_a_thousand_fields(count: int, *, is_refused: bool) -> None:
    fields = [*(f"x-{number}: a" for number in range(count - 1)), "Content-Length: 7"]
    _, failure = fetched("playlist", head("200 OK", *fields), b"#EXTM3U")
    assert (failure is not None) == is_refused
