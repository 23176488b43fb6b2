"""Origins that send too slowly, and readers that may be as slow as they like."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import pytest
from peers.fetch_calls import CONTENT, FILES, SETTINGS, fetch_by_rule, with_fetcher
from peers.origin import Rule, garbage, origin

from transcoder.edge.fetch import Fetcher
from transcoder.edge.fetch.pace import MAX_FIELDS, MAX_PIECES
from transcoder.edge.fetch.session import ApiRequest
from transcoder.errors import UpstreamError, UpstreamTimeoutError
from transcoder.settings import Settings

QUICK = SETTINGS._replace(read_seconds=0.5, least_rate=2000, rate_seconds=0.5, attempts=2)
PATIENT = SETTINGS._replace(read_seconds=10.0, least_rate=1, rate_seconds=10.0)
MOST_SECONDS = 10.0
"""More than any of the failures here takes on a busy machine, less than what a trickle would."""


def fails_in_time(rule: Rule, settings: Settings, words: str) -> None:
    began = time.monotonic()
    with pytest.raises(UpstreamTimeoutError, match=words):
        fetch_by_rule(rule, settings=settings)
    assert time.monotonic() - began < MOST_SECONDS


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(Rule(trickle=(1, 0.05)), id="bytes"),
        pytest.param(Rule(trickle=(1, 0.05), chunked=True), id="chunks with more framing than content"),
        pytest.param(Rule(trickle=(1, 0.05), no_length=True), id="an unknown length"),
        pytest.param(Rule(trickle=(20, 0.1)), id="200 bytes per second"),
    ],
)
def test_a_body_that_trickles_is_a_timeout(rule: Rule) -> None:
    fails_in_time(rule, QUICK, r"a\.ts at 127\.0\.0\.1: the origin sends too slowly\.")


def test_a_trickle_after_a_good_beginning_is_a_timeout() -> None:
    fails_in_time(Rule(stall_after=100_000), QUICK._replace(read_seconds=30.0), "sends too slowly")


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(Rule(trickle_head=(1, 0.1)), id="a head byte by byte"),
        pytest.param(Rule(continues=0.05), id="interim responses without end"),
        pytest.param(Rule(delay=30.0), id="silence"),
    ],
)
def test_a_head_that_trickles_is_a_timeout(rule: Rule) -> None:
    fails_in_time(rule, QUICK, r"a\.ts at 127\.0\.0\.1: the origin did not respond in time\.")


@pytest.mark.parametrize("size", [1, 100])
def test_a_body_in_very_small_pieces_is_refused(size: int) -> None:
    body = garbage(5 * size * MAX_PIECES)  # with pieces of 100, about 91,000 are read
    with pytest.raises(UpstreamError, match="very small pieces"):
        fetch_by_rule(Rule(body=body, trickle=(size, 0.0), chunked=True), settings=SETTINGS._replace(attempts=1))


def test_a_body_may_have_many_small_pieces() -> None:
    body = garbage(188 * 2 * MAX_PIECES)
    assert fetch_by_rule(Rule(body=body, trickle=(188, 0.0), chunked=True))[0] == body


def test_too_many_header_fields_are_refused() -> None:
    with pytest.raises(UpstreamError, match="more than 1000 header fields"):
        fetch_by_rule(Rule(headers={f"x-{number}": "a" for number in range(MAX_FIELDS)}))


def test_interim_responses_without_end_are_refused() -> None:
    with pytest.raises(UpstreamError, match="before the head of a response"):
        fetch_by_rule(Rule(continues=0.0), settings=PATIENT._replace(read_seconds=60.0))


def test_blanks_in_a_header_field_take_no_time() -> None:
    began = time.process_time()
    with pytest.raises(UpstreamError, match="not valid HTTP"):
        fetch_by_rule(Rule(headers={"x": " " * 90_000 + "\0"}))
    assert time.process_time() - began < MOST_SECONDS / 5


def test_whoever_fetches_reads_fields_so() -> None:
    """In a process that does nothing else: whatever imports the emulator has it, too."""
    code = (
        "from h11 import _readers as h11; before = h11.header_field_re; import transcoder.edge.fetch; print(h11.header_field_re != before)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"


def test_a_redirect_that_trickles_is_a_timeout() -> None:
    rule = Rule(redirect="/main.m3u8", body=bytes(1000), trickle=(1, 0.05), headers={"Content-Length": "1000"})
    fails_in_time(rule, QUICK, "sends too slowly")


def test_an_origin_that_is_slow_but_fast_enough_is_read_to_the_end() -> None:
    settings = SETTINGS._replace(least_rate=20_000, rate_seconds=0.3, attempts=1)
    assert fetch_by_rule(Rule(trickle=(10_000, 0.05)), settings=settings)[0] == CONTENT


def test_an_origin_may_think_for_longer_than_a_window() -> None:
    settings = SETTINGS._replace(read_seconds=10.0, rate_seconds=0.3, least_rate=100_000, attempts=1)
    assert fetch_by_rule(Rule(delay=1.0), settings=settings)[0] == CONTENT


def test_the_clocks_stand_still_while_the_reader_is_busy() -> None:
    settings = SETTINGS._replace(read_seconds=0.5, rate_seconds=0.5, stall_seconds=0.5, least_rate=20_000, attempts=1)
    received = bytearray()

    async def take(chunk: bytes) -> None:
        if len(received) % 3 == 0:
            await asyncio.sleep(0.8)
        received.extend(chunk)

    async def use(fetcher: Fetcher) -> None:
        await fetcher.segment(o.url("/a.ts"), None, take)

    with origin(FILES) as o:
        with_fetcher(use, settings)
    assert received == CONTENT


SMALL: dict[str, Callable[[Fetcher, str], Awaitable[object]]] = {
    "a playlist": lambda fetcher, url: fetcher.playlist(url),
    "a key": lambda fetcher, url: fetcher.small_resource(url, limit=10**6),
    "the beginning of a segment": lambda fetcher, url: fetcher.first_bytes(url, size=50_000),
    "the end of a segment": lambda fetcher, url: fetcher.last_bytes(url, size=50_000),
    "a page": lambda fetcher, url: fetcher.api_reply(ApiRequest(url), limit=10**6),
}


@pytest.mark.parametrize("fetch", SMALL.values(), ids=SMALL)
@pytest.mark.parametrize(
    "rule", [Rule(trickle=(500, 0.05)), Rule(cut_after=1, etag=""), Rule(status=503)], ids=["trickle", "cut", "refuse"]
)
def test_a_small_resource_has_a_limit_over_all_attempts(rule: Rule, fetch: Callable[[Fetcher, str], Awaitable[object]]) -> None:
    with origin({"/list.m3u8": b"#EXTM3U\n" + b"#\n" * 150_000}) as o:
        o.rules["*"] = rule
        began = time.monotonic()
        with pytest.raises(UpstreamTimeoutError, match=r"list\.m3u8 at 127\.0\.0\.1: the origin has not sent all of it in 0\.5 s\."):
            with_fetcher(lambda fetcher: fetch(fetcher, o.url("/list.m3u8")), PATIENT._replace(playlist_seconds=0.5, attempts=10**6))
        assert time.monotonic() - began < MOST_SECONDS


def test_a_small_resource_does_not_wait_for_the_time_of_another() -> None:
    settings = PATIENT._replace(playlist_seconds=2.0, connections=1)

    async def use(fetcher: Fetcher) -> list[bytes]:
        return await asyncio.gather(*(fetcher.small_resource(o.url("/key"), limit=100) for _ in range(4)))

    with origin({"/key": bytes(16)}) as o:
        o.rules["*"] = Rule(delay=0.8)
        assert with_fetcher(use, settings) == 4 * [bytes(16)]


@pytest.mark.parametrize(
    "rule", [pytest.param(Rule(status=503, delay=0.05), id="errors"), pytest.param(Rule(cut_after=0, delay=0.05), id="closed connections")]
)
def test_attempts_without_a_byte_have_a_limit(rule: Rule) -> None:
    settings = SETTINGS._replace(stall_seconds=0.5, attempts=10**6, retry_seconds=0.001)
    fails_in_time(rule, settings, r"The origins have sent nothing for 0\.5 s, over all attempts\.")
