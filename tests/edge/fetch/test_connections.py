"""Connections that are kept from one job to the next."""

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from peers.fetch_calls import CONTENT, FILES, SETTINGS, discard
from peers.origin import Origin, Rule, origin
from peers.reddit import PUBLIC_ADDRESS

from transcoder.core.request.user_origins import UserOrigins
from transcoder.edge.address_guard import KEEP_ALIVE_SECONDS, SPARES, GuardedTransport, Network
from transcoder.edge.address_guard.socket_stream import SocketStream, dial
from transcoder.edge.fetch import Connections, Fetcher
from transcoder.errors import ForbiddenSourceError, TranscoderError, UpstreamError
from transcoder.settings import Settings

FEW = SETTINGS._replace(connections=4)
"""Of what exhausts all connections, the fewer there are, the less is needed."""


async def fetch(o: Origin, connections: Connections) -> bytes:
    async with Fetcher.open(SETTINGS, network=connections) as fetcher:
        return await fetcher.small_resource(o.url("/a.ts"), limit=10**6)


def connections_of(
    jobs: Callable[[Origin, Connections, list[float]], Awaitable[None]],
    rule: Rule | None = None,
    *,
    used: bool = False,
    settings: Settings = SETTINGS,
) -> int:
    """Return how many connections the origin has accepted from jobs, or how many of these were `used`; they set the clock by a list."""
    now = [1000.0]

    async def run() -> None:
        async with Connections.open(settings, clock=lambda: now[0]) as connections:
            await jobs(o, connections, now)

    with origin(FILES) as o:
        if rule:
            o.rules["/main.m3u8"] = rule
        asyncio.run(run())
        return o.used_connections if used else o.connections


def test_the_next_job_uses_the_connection_of_the_last() -> None:
    async def jobs(o: Origin, connections: Connections, _now: list[float]) -> None:
        for _ in range(3):
            assert await fetch(o, connections) == CONTENT

    assert connections_of(jobs) == 1


@pytest.mark.parametrize("passed", [KEEP_ALIVE_SECONDS, 10**6, -1.0], ids=["as long as they are kept", "frozen", "a clock set back"])
def test_connections_that_may_be_dead_are_not_used(passed: float) -> None:
    async def jobs(o: Origin, connections: Connections, now: list[float]) -> None:
        await fetch(o, connections)
        now[0] += passed
        assert await fetch(o, connections) == CONTENT

    assert connections_of(jobs) == 2


def test_a_connection_that_the_origin_has_closed_is_not_used() -> None:
    async def jobs(o: Origin, connections: Connections, _now: list[float]) -> None:
        async with Fetcher.open(SETTINGS, network=connections) as fetcher:
            await fetcher.playlist(o.url("/main.m3u8"))
        await asyncio.sleep(0.05)
        assert await fetch(o, connections) == CONTENT

    assert connections_of(jobs, Rule(cut_after=len(FILES["/main.m3u8"])), used=True) == 2


@pytest.mark.parametrize(
    ("rule", "failure"),
    [
        pytest.param(Rule(cut_after=3, etag=""), UpstreamError, id="cut"),
        pytest.param(Rule(status=404), UpstreamError, id="missing"),
        pytest.param(Rule(redirect="ftp://a/"), ForbiddenSourceError, id="forbidden"),
    ],
)
def test_a_job_that_failed_leaves_connections_that_work(rule: Rule, failure: type[TranscoderError]) -> None:
    async def jobs(o: Origin, connections: Connections, _now: list[float]) -> None:
        async with Fetcher.open(SETTINGS, network=connections) as fetcher:
            with pytest.raises(failure):
                await fetcher.playlist(o.url("/main.m3u8"))
        assert await fetch(o, connections) == CONTENT

    assert connections_of(jobs, rule)


def test_a_job_that_is_cancelled_leaves_no_connection_that_is_in_use() -> None:
    async def jobs(o: Origin, connections: Connections, _now: list[float]) -> None:
        for _ in range(2 * connections.count):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05), Fetcher.open(SETTINGS, network=connections) as fetcher:
                    await fetcher.segment(o.url("/main.m3u8"), None, discard)
        async with asyncio.timeout(10):
            assert await fetch(o, connections) == CONTENT

    assert connections_of(jobs, Rule(delay=0.2)) > 1


def test_requests_that_are_cancelled_while_they_begin_hold_no_connection_for_good() -> None:
    """httpcore forgets to take a connection back if the cancellation comes at the wrong moment."""

    async def job(o: Origin, connections: Connections, pause: float) -> None:
        async with Fetcher.open(FEW, network=connections) as fetcher:
            for _ in range(2):
                requests = [asyncio.ensure_future(fetcher.small_resource(o.url("/a.ts"), limit=10**6)) for _ in range(6)]
                await asyncio.sleep(pause)
                for request in requests:
                    request.cancel()
                await asyncio.gather(*requests, return_exceptions=True)

    async def jobs(o: Origin, connections: Connections, _now: list[float]) -> None:
        for number in range(8 * connections.count):
            await job(o, connections, number % 16 / 2000)
        async with asyncio.timeout(10):
            assert await fetch(o, connections) == CONTENT

    assert connections_of(jobs, settings=FEW)


def test_only_a_playlist_has_connections_opened_beside_its_own() -> None:
    async def jobs(o: Origin, connections: Connections, _now: list[float]) -> None:
        async with Fetcher.open(SETTINGS, network=connections) as fetcher:
            await fetcher.small_resource(o.url("/a.ts"), limit=10**6)
            await fetcher.first_bytes(o.url("/a.ts"), size=10)
            await fetcher.last_bytes(o.url("/a.ts"), size=10)
            await fetcher.segment(o.url("/a.ts"), None, discard)
            await asyncio.sleep(0.05)

    assert connections_of(jobs) == 1


def test_cookies_are_those_of_one_job() -> None:
    async def jobs(o: Origin, connections: Connections, _now: list[float]) -> None:
        for _ in range(2):
            async with Fetcher.open(SETTINGS, network=connections) as fetcher:
                await fetcher.playlist(o.url("/main.m3u8"))
                await fetcher.playlist(o.url("/main.m3u8"))
        assert [request.headers.get("cookie") for request in o.requests] == [None, "a=b", None, "a=b"]

    assert connections_of(jobs, Rule(headers={"Set-Cookie": "a=b; Path=/"}), used=True) == 1


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.001)


def test_while_a_playlist_is_awaited_connections_are_opened_for_what_it_names() -> None:
    async def jobs(o: Origin, connections: Connections, _now: list[float]) -> None:
        async with Fetcher.open(SETTINGS, network=connections) as fetcher:
            playlist = asyncio.ensure_future(fetcher.playlist(o.url("/main.m3u8")))
            await until(lambda: o.connections == 1 + SPARES)
            assert not playlist.done()
            await playlist
            others = [fetcher.small_resource(o.url(f"/a.ts?{number}"), limit=10**6) for number in range(1 + SPARES)]
            assert await asyncio.gather(*others) == [CONTENT] * (1 + SPARES)

    assert connections_of(jobs, Rule(delay=0.5)) == 1 + SPARES


def test_for_two_playlists_that_are_awaited_as_many_are_opened_and_none_for_those_that_follow() -> None:
    async def jobs(o: Origin, connections: Connections, _now: list[float]) -> None:
        async with Fetcher.open(SETTINGS, network=connections) as fetcher:
            for _ in range(3):
                await asyncio.gather(*(fetcher.playlist(o.url("/main.m3u8")) for _ in range(2)))
            others = [fetcher.small_resource(o.url(f"/a.ts?{number}"), limit=10**6) for number in range(2 + 2 * SPARES)]
            assert await asyncio.gather(*others) == [CONTENT] * (2 + 2 * SPARES)

    assert connections_of(jobs, Rule(delay=0.1)) == 2 + 2 * SPARES


class Distant:
    """Connects as late as to a distant origin, or is refused as late."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.attempts = 0
        self._refuses = refuses

    async def __call__(self, address: str, port: int) -> SocketStream:
        self.attempts += 1
        await asyncio.sleep(0.1)
        if self._refuses:
            raise httpx.ConnectError("refused")
        return await dial(address, port)


def follow_playlist(distant: Distant) -> tuple[bool, int]:
    """Fetch a playlist from a distant origin, and two files before it is there; return whether they came, and how many connections."""

    async def run() -> bool:
        async with Fetcher.open(SETTINGS._replace(attempts=1), network=Network(dial=distant)) as fetcher:
            playlist = asyncio.ensure_future(fetcher.playlist(o.url("/main.m3u8")))
            await until(lambda: distant.attempts > 0)
            file = asyncio.ensure_future(fetcher.small_resource(o.url("/a.ts"), limit=10**6))
            got = await asyncio.gather(playlist, file, return_exceptions=True)
            return got[1] == CONTENT

    with origin(FILES) as o:
        return asyncio.run(run()), o.connections


def test_a_request_that_needs_a_connection_waits_for_the_one_that_is_being_opened() -> None:
    assert follow_playlist(Distant()) == (True, 1 + SPARES)


def test_a_request_hears_that_the_connection_that_it_waits_for_cannot_be_opened() -> None:
    came, connections = follow_playlist(Distant(refuses=True))
    assert not came
    assert connections == 0


class Late:
    """Connects when it is told to, but at once the first time."""

    def __init__(self) -> None:
        self.may_connect = [asyncio.Event(), asyncio.Event()]
        self.may_connect[0].set()
        self.attempts = 0

    async def __call__(self, address: str, port: int) -> SocketStream:
        self.attempts += 1
        number = self.attempts - 1
        stream = await dial(address, port)
        await self.may_connect[number].wait()
        return stream


def test_a_connection_that_is_open_when_the_request_that_waits_for_it_is_cancelled_serves_the_next() -> None:
    async def run() -> None:
        late, loop = Late(), asyncio.get_running_loop()
        async with Fetcher.open(SETTINGS, network=Network(dial=late)) as fetcher:
            playlist = asyncio.ensure_future(fetcher.playlist(o.url("/main.m3u8")))
            await until(lambda: late.attempts == 2)
            waiting = asyncio.ensure_future(fetcher.small_resource(o.url("/a.ts"), limit=10**6))
            await asyncio.sleep(0.05)
            late.may_connect[1].set()
            loop.call_soon(waiting.cancel)  # after the step that opens the connection, and before the one that takes it
            await asyncio.wait([waiting])
            assert waiting.cancelled()
            assert await fetcher.small_resource(o.url("/a.ts"), limit=10**6) == CONTENT
            assert late.attempts == 2
            await playlist

    with origin(FILES) as o:
        o.rules["/main.m3u8"] = Rule(delay=0.5)
        asyncio.run(run())


def test_a_request_that_begins_before_its_connections_are_closed_leaves_none_open() -> None:
    async def run() -> None:
        late = Late()
        late.may_connect[0].clear()
        transport = GuardedTransport(connections=1, network=Network(dial=late))
        request = httpx.Request("GET", o.url("/a.ts"), extensions={"private": True})
        response = asyncio.ensure_future(transport.handle_async_request(request))
        await until(lambda: late.attempts == 1)
        await transport.aclose()
        late.may_connect[0].set()
        assert await (await response).aread() == CONTENT

    with origin(FILES) as o:
        asyncio.run(run())
        gc.collect()  # a socket that nobody has closed is reported, which fails the test
        assert o.used_connections == 1


def test_jobs_that_end_while_connections_are_being_opened_leave_no_more_than_those_of_one() -> None:
    async def jobs(o: Origin, connections: Connections, _now: list[float]) -> None:
        for _ in range(20):
            async with Fetcher.open(SETTINGS, network=connections) as fetcher:
                playlist = asyncio.ensure_future(fetcher.playlist(o.url("/main.m3u8")))
                await asyncio.sleep(0.001)
                playlist.cancel()
                await asyncio.gather(playlist, return_exceptions=True)
        assert await fetch(o, connections) == CONTENT
        await until(lambda: o.open_connections <= 1 + SPARES)

    assert connections_of(jobs, Rule(delay=0.1))


class OneAfterAnother(BaseHTTPRequestHandler):
    """What `http.server` was before it had threads, and what small devices have: a connection is served to its end before the next one."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path.startswith("/a") else b"#EXTM3U\n".ljust(len(CONTENT), b"#"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Log nothing."""


def test_a_server_that_serves_one_connection_after_another_waits_for_none_that_is_not_used() -> None:
    async def run(base: str) -> None:
        async with asyncio.timeout(10), Fetcher.open(SETTINGS._replace(attempts=1)) as fetcher:
            for number in range(3):
                await fetcher.playlist(f"{base}/{number}.m3u8")
                assert await fetcher.small_resource(f"{base}/a.ts?{number}", limit=10**6) == CONTENT

    with HTTPServer(("127.0.0.1", 0), OneAfterAnother) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            asyncio.run(run(f"http://127.0.0.1:{server.server_port}"))
        finally:
            server.shutdown()
            thread.join()


async def dial_loopback(address: str, port: int) -> SocketStream:
    """Connect to loopback, over a stream that says that it goes to the public address."""
    assert address == PUBLIC_ADDRESS
    stream = await dial("127.0.0.1", port)
    stream.peer_address = PUBLIC_ADDRESS
    return stream


def test_what_a_public_playlist_names_takes_its_connection_though_the_playlist_might_have_been_private() -> None:
    async def look_up(_host: str, _port: int) -> list[str]:
        return [PUBLIC_ADDRESS]

    async def run(port: int) -> None:
        network, user = Network(look_up, dial=dial_loopback), UserOrigins("origin.example")
        async with Fetcher.open(SETTINGS, user=user, network=network) as fetcher:
            await fetcher.playlist(f"http://origin.example:{port}/main.m3u8")
            for _ in range(3):
                assert await fetcher.small_resource(f"http://origin.example:{port}/a.ts", limit=10**6) == CONTENT

    with origin(FILES) as o:
        asyncio.run(run(int(o.base.rpartition(":")[2])))
        assert o.used_connections == 1


def test_nobody_waits_for_connections_that_were_never_begun() -> None:
    """A task that is cancelled before its first step runs nothing, not even a `finally`. A job refused at once leaves such tasks."""

    async def look_up(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async def ask(connections: Connections) -> None:
        async with asyncio.timeout(5), Fetcher.open(SETTINGS._replace(allow_private=False), network=connections) as fetcher:
            await fetcher.playlist("http://inside.example/main.m3u8")

    async def run() -> None:
        async with Connections.open(SETTINGS, Network(look_up)) as connections:
            for _ in range(3):
                with pytest.raises(ForbiddenSourceError):
                    await ask(connections)

    asyncio.run(run())
