"""The connections to origins: how a response is framed, when a connection is used again, and that none is left behind."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import httpx
import pytest
from peers.raw_origin import CLOSE, RESET, RawOrigin, raw_origin
from peers.reddit import certificates

from transcoder.edge.address_guard import GuardedTransport, Network

HOST = "origin.example"
CONTENT = bytes(range(256)) * 1024
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
WHOLE = SIZED % len(CONTENT) + CONTENT
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (CONTENT[:5], CONTENT[5:100_000], CONTENT[100_000:]))
TIMEOUT = {"connect": 5.0, "read": 2.0, "write": 2.0, "pool": None}


async def resolve(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def request(o: RawOrigin, *, scheme: str = "http", host: str = HOST, method: str = "GET", **options: object) -> httpx.Request:
    extensions = {"private": True, "timeout": TIMEOUT}
    return httpx.Request(method, f"{scheme}://{host}:{o.port}/a", extensions=extensions, **options)  # type: ignore[arg-type]


async def get(transport: GuardedTransport, wanted: httpx.Request) -> bytes:
    response = await transport.handle_async_request(wanted)
    try:
        return await response.aread()
    finally:
        await response.aclose()


def with_origin(
    use: Callable[[GuardedTransport, RawOrigin], Awaitable[None]],
    *answer: bytes | float | str | None,
    tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None,
    connections: int = 2,
) -> RawOrigin:
    """Let `use` send requests to an origin that answers each in the same way; nothing of them may be left open."""

    async def run() -> RawOrigin:
        network = Network(resolve) if tls is None else Network(resolve, tls=lambda: tls[1])
        async with asyncio.timeout(30), raw_origin(*answer, tls=tls and tls[0]) as o:
            transport = GuardedTransport(connections=connections, network=network)
            await use(transport, o)
            assert transport.is_idle
            await transport.aclose()
            await o.all_closed.wait()
            return o

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "content", "connections"),
    [
        pytest.param([WHOLE], CONTENT, 1, id="sized"),
        pytest.param([CHUNKED + CHUNKS + b"0\r\n\r\n"], CONTENT, 1, id="chunked"),
        pytest.param([CHUNKED + CHUNKS + b"0\r\nX-After: 1\r\n\r\n"], CONTENT, 1, id="chunked with a trailer"),
        pytest.param([b"HTTP/1.1 200 OK\r\n\r\n" + CONTENT, CLOSE], CONTENT, 2, id="until the connection ends"),
        pytest.param([SIZED % 0], b"", 1, id="empty"),
        pytest.param([b"HTTP/1.1 204 No Content\r\n\r\n"], b"", 1, id="no content"),
        pytest.param([b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"], b"", 1, id="not modified"),
        pytest.param([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na"], b"a", 2, id="announces the end"),
        pytest.param([b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na"], b"a", 2, id="HTTP/1.0"),
        pytest.param(
            [b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", 0.01, WHOLE], CONTENT, 1, id="interim"
        ),
        pytest.param([(SIZED % 2)[:20], 0.01, (SIZED % 2)[20:], 0.01, b"a", 0.01, b"b"], b"ab", 1, id="in pieces"),
        pytest.param([SIZED % 1 + b"a" + WHOLE], b"a", 2, id="more than it says, at once"),
        pytest.param([SIZED % 1 + b"a", 0.02, WHOLE, 0.02], b"a", 2, id="more than it says, later"),
        pytest.param([CHUNKED + b"1\r\na\r\n0\r\n\r\n" + WHOLE], b"a", 2, id="more than its last chunk"),
        pytest.param([SIZED % 1 + b"a", CLOSE], b"a", 2, id="ends without a word"),
    ],
)
def test_a_body_is_what_its_framing_says(answer: list[bytes | float | str | None], content: bytes, connections: int) -> None:
    async def use(transport: GuardedTransport, o: RawOrigin) -> None:
        for _ in range(2):
            assert await get(transport, request(o)) == content
            await asyncio.sleep(0.06)

    assert with_origin(use, *answer).connections == connections


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        pytest.param([SIZED % 10 + b"a" * 9, CLOSE], httpx.RemoteProtocolError, id="short"),
        pytest.param([SIZED % 10 + b"a" * 9, 0.05, RESET], httpx.ReadError, id="reset"),
        pytest.param([SIZED % 10 + b"a" * 9, 3.0], httpx.ReadTimeout, id="stalls"),
        pytest.param([CHUNKED + CHUNKS, CLOSE], httpx.RemoteProtocolError, id="without a last chunk"),
        pytest.param([CHUNKED + b"5\r\nabc", CLOSE], httpx.RemoteProtocolError, id="ends in a chunk"),
        pytest.param([CHUNKED + b"x\r\n"], httpx.RemoteProtocolError, id="no chunk"),
        pytest.param([b"HTTP/1.1 200 OK\r\n\r\nabc", 0.05, RESET], httpx.ReadError, id="without a length, and reset"),
        pytest.param([CLOSE], httpx.RemoteProtocolError, id="nothing"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE], httpx.RemoteProtocolError, id="ends in its head"),
        pytest.param([b"<html>\r\n\r\n"], httpx.RemoteProtocolError, id="not HTTP"),
        pytest.param([b"HTTP/1.1 101 Switching Protocols\r\n\r\n"], httpx.RemoteProtocolError, id="another protocol"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"], httpx.RemoteProtocolError, id="two lengths"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"], httpx.RemoteProtocolError, id="negative length"),
        pytest.param([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"], httpx.RemoteProtocolError, id="another coding"),
        pytest.param([b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n"], httpx.RemoteProtocolError, id="long head"),
    ],
)
def test_a_broken_response_is_a_failure(answer: list[bytes | float | str | None], failure: type[Exception]) -> None:
    async def use(transport: GuardedTransport, o: RawOrigin) -> None:
        for _ in range(2):
            with pytest.raises(failure):
                await get(transport, request(o))

    assert with_origin(use, *answer).connections == 2


@pytest.mark.parametrize("answer", [[WHOLE], [CHUNKED + CHUNKS + b"0\r\n\r\n"], [0.002, *(WHOLE[:99], 0.002, WHOLE[99:])]])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_request_may_be_cancelled_at_any_moment(scheme: str, answer: list[bytes | float | str | None]) -> None:
    async def use(transport: GuardedTransport, o: RawOrigin) -> None:
        for turns in range(40):
            wanted = asyncio.ensure_future(get(transport, request(o, scheme=scheme)))
            for _ in range(turns):
                await asyncio.sleep(0.0005 if turns % 4 == 0 else 0)
            wanted.cancel()
            await asyncio.wait([wanted])
            assert wanted.cancelled() or wanted.result() == CONTENT
            assert transport.is_idle
        assert await get(transport, request(o, scheme=scheme)) == CONTENT

    with_origin(use, *answer, tls=certificates((HOST,)) if scheme == "https" else None, connections=1)


def test_a_response_that_is_left_early_takes_its_connection_with_it() -> None:
    async def use(transport: GuardedTransport, o: RawOrigin) -> None:
        response = await transport.handle_async_request(request(o))
        assert await anext(aiter(response.stream))  # type: ignore[arg-type]  # it is asynchronous
        await response.aclose()
        await response.aclose()
        assert await get(transport, request(o)) == CONTENT

    assert with_origin(use, WHOLE).connections == 2


def test_only_so_many_requests_are_under_way_at_once() -> None:
    async def use(transport: GuardedTransport, o: RawOrigin) -> None:
        held = [await transport.handle_async_request(request(o)) for _ in range(2)]
        waiting = asyncio.ensure_future(get(transport, request(o)))
        await asyncio.sleep(0.05)
        assert (len(o.requests), waiting.done()) == (2, False)
        await held[0].aclose()
        assert await waiting == CONTENT
        await held[1].aclose()

    with_origin(use, WHOLE)


def test_a_kept_connection_makes_room_for_another_host() -> None:
    async def use(transport: GuardedTransport, o: RawOrigin) -> None:
        for number in range(4):
            await get(transport, request(o, host=f"{number}.example"))
        await asyncio.sleep(0.02)
        assert o.open_connections == 2

    assert with_origin(use, WHOLE).connections == 4


def test_what_nobody_reads_stays_with_the_origin() -> None:
    async def use(transport: GuardedTransport, o: RawOrigin) -> None:
        response = await transport.handle_async_request(request(o))
        await asyncio.sleep(0.2)
        assert o.sent < 100 * len(CONTENT)
        await response.aclose()

    with_origin(use, SIZED % (200 * len(CONTENT)), *[CONTENT] * 200)


def test_a_form_is_sent_with_its_head() -> None:
    async def use(transport: GuardedTransport, o: RawOrigin) -> None:
        assert await get(transport, request(o, method="POST", data={"a": "b c"})) == b"a"

    (sent,) = with_origin(use, SIZED % 1 + b"a").requests
    assert sent.startswith(b"POST /a HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\na=b+c")


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        pytest.param([WHOLE], 1, id="sized"),
        pytest.param([CHUNKED + CHUNKS + b"0\r\n\r\n"], 1, id="chunked"),
        pytest.param([b"HTTP/1.1 200 OK\r\n\r\n" + CONTENT, CLOSE], 2, id="until the connection ends"),
        pytest.param([SIZED % 1 + b"a" + WHOLE], 2, id="more than it says"),
    ],
)
def test_tls_carries_the_same(answer: list[bytes | float | str | None], connections: int) -> None:
    async def use(transport: GuardedTransport, o: RawOrigin) -> None:
        for _ in range(2):
            assert await get(transport, request(o, scheme="https")) in {CONTENT, b"a"}
            await asyncio.sleep(0.02)

    assert with_origin(use, *answer, tls=certificates((HOST,))).connections == connections


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
def test_a_certificate_for_another_host_is_refused(host: str) -> None:
    async def use(transport: GuardedTransport, o: RawOrigin) -> None:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            await get(transport, request(o, scheme="https", host=host))
        assert not o.requests

    with_origin(use, WHOLE, tls=certificates((HOST,)))


def test_a_server_that_speaks_no_tls_is_refused() -> None:
    async def run() -> None:
        async with raw_origin(WHOLE) as o:
            client = certificates((HOST,))[1]
            transport = GuardedTransport(connections=1, network=Network(resolve, tls=lambda: client))
            wanted = request(o, scheme="https")
            wanted.extensions["timeout"] = TIMEOUT | {"connect": 0.3}
            with pytest.raises((httpx.ConnectError, httpx.ConnectTimeout)):
                await get(transport, wanted)
            assert transport.is_idle

    asyncio.run(run())
