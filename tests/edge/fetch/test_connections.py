"""Connections that are kept from one job to the next."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from peers.fetch_calls import CONTENT, FILES, SETTINGS, discard
from peers.origin import Origin, Rule, origin

from transcoder.edge.address_guard import KEEP_ALIVE_SECONDS
from transcoder.edge.fetch import Connections, Fetcher
from transcoder.errors import ForbiddenSourceError, TranscoderError, UpstreamError


async def fetch(o: Origin, connections: Connections) -> bytes:
    async with Fetcher.open(SETTINGS, network=connections) as fetcher:
        return await fetcher.small_resource(o.url("/a.ts"), limit=10**6)


def connections_of(jobs: Callable[[Origin, Connections, list[float]], Awaitable[None]], rule: Rule | None = None) -> int:
    """Return how many connections the origin has accepted from jobs, which set the clock by the list that they get."""
    now = [1000.0]

    async def run() -> None:
        async with Connections.open(SETTINGS, clock=lambda: now[0]) as connections:
            await jobs(o, connections, now)

    with origin(FILES) as o:
        if rule:
            o.rules["/main.m3u8"] = rule
        asyncio.run(run())
        return o.connections


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

    assert connections_of(jobs, Rule(cut_after=len(FILES["/main.m3u8"]))) == 2


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
        async with Fetcher.open(SETTINGS, network=connections) as fetcher:
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

    assert connections_of(jobs)


def test_cookies_are_those_of_one_job() -> None:
    async def jobs(o: Origin, connections: Connections, _now: list[float]) -> None:
        for _ in range(2):
            async with Fetcher.open(SETTINGS, network=connections) as fetcher:
                await fetcher.playlist(o.url("/main.m3u8"))
                await fetcher.playlist(o.url("/main.m3u8"))
        assert [request.headers.get("cookie") for request in o.requests] == [None, "a=b", None, "a=b"]

    assert connections_of(jobs, Rule(headers={"Set-Cookie": "a=b; Path=/"})) == 1
