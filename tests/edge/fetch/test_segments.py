"""Every byte of a segment, or a failure: the fetcher against origins that break off, send wrong data, or are slow."""

import asyncio
import time
from dataclasses import replace

import pytest
from peers.fetch_calls import (
    BYTE_RANGE,
    CONTENT,
    FILES,
    LAST_MODIFIED,
    SETTINGS,
    block,
    discard,
    fetch_by_rule,
    fetch_segment,
    settled,
    with_fetcher,
)
from peers.origin import Rule, garbage, origin

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch import Fetcher
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import UnsupportedSourceError, UpstreamError

OTHER = CONTENT[::-1]


@pytest.mark.parametrize("byte_range", [None, BYTE_RANGE], ids=["whole", "byte range"])
@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(Rule(), id="a good origin"),
        pytest.param(Rule(ignore_range=True), id="ignores Range"),
        pytest.param(Rule(chunked=True), id="chunked"),
        pytest.param(Rule(no_length=True), id="no length"),
        pytest.param(Rule(gzip=True, ignore_range=True), id="compressed although not requested"),
        pytest.param(Rule(cut_after=20_000, times=1), id="cut once"),
        pytest.param(Rule(cut_after=20_000, times=3), id="cut three times"),
        pytest.param(Rule(cut_after=20_000, times=1, reset=True), id="reset"),
        pytest.param(Rule(cut_after=20_000, times=1, chunked=True), id="cut in a chunk"),
        pytest.param(
            [Rule(cut_after=20_000, times=1, etag="", headers=LAST_MODIFIED), Rule(etag="", headers=LAST_MODIFIED)],
            id="cut, with a date only",
        ),
        pytest.param([Rule(cut_after=20_000, times=1, etag=""), Rule(etag="")], id="cut, without validators"),
        pytest.param(Rule(cut_after=20_000, times=1, ignore_range=True), id="cut, and the next response is whole"),
        pytest.param(
            [Rule(cut_after=20_000, times=1, gzip=True, ignore_range=True), Rule(gzip=True, ignore_range=True)], id="cut while compressed"
        ),
        pytest.param(
            [Rule(cut_after=20_000, times=1, etag="", headers=LAST_MODIFIED), Rule(etag="", headers=LAST_MODIFIED, ignore_range=True)],
            id="cut, and the next response is whole, with a date only",
        ),
        pytest.param(Rule(cut_after=0, times=1), id="cut at once"),
        pytest.param([Rule(cut_after=20_000, times=1), Rule(ignore_range=True)], id="cut, then ignores Range"),
        pytest.param(Rule(stall_after=20_000, times=1), id="stalls once"),
        pytest.param(Rule(status=503, times=3), id="503 three times"),
        pytest.param(Rule(status=429, headers={"Retry-After": "0"}, times=2), id="429 twice"),
        pytest.param(Rule(body=b"", ignore_range=True, times=1), id="nothing once"),
        pytest.param([Rule(content_length=300_500, times=1), Rule()], id="once a length that is too large"),
        pytest.param(
            [Rule(content_length=300_500, times=1, etag=""), Rule(etag="")], id="once a length that is too large, without validators"
        ),
        pytest.param(
            [Rule(cut_after=1000, times=1, etag='"old"'), Rule(etag='"new"')], id="the same bytes with another ETag after they were cut"
        ),
        pytest.param(Rule(status=403, when=lambda request: bool(request.query)), id="403 with a query only"),
        pytest.param(Rule(headers={"Content-Type": "image/jpeg"}), id="an unusual content type"),
    ],
)
def test_every_byte_arrives(rule: Rule, byte_range: ByteRange | None) -> None:
    expected = CONTENT if byte_range is None else CONTENT[1000:51_000]
    assert fetch_by_rule(rule, byte_range)[0] == expected


@pytest.mark.parametrize(
    ("rule", "byte_range", "words", "status"),
    [
        pytest.param(Rule(status=404), None, "404", 404, id="404"),
        pytest.param(Rule(status=410), BYTE_RANGE, "410", 410, id="410"),
        pytest.param(Rule(status=403), None, "403", 403, id="403 with and without the query"),
        pytest.param(Rule(status=500), None, "500", 500, id="always 500"),
        pytest.param(Rule(status=304), None, "304", 304, id="304"),
        pytest.param(Rule(cut_after=1000), None, "stopped after 2000 of 300000 bytes", None, id="always cut"),
        pytest.param(Rule(body=b""), None, "nothing", 200, id="nothing"),
        pytest.param(Rule(content_length=400_000), None, "no bytes", 416, id="a Content-Length that is too large"),
        pytest.param(Rule(content_range="bytes 0-49999/300000"), BYTE_RANGE, "did not send the requested range", 206, id="another range"),
        pytest.param(
            Rule(content_range="bytes 1000-50998/300000"), BYTE_RANGE, "more bytes than its Content-Range", 206, id="longer than its range"
        ),
        pytest.param(Rule(content_range="nonsense"), BYTE_RANGE, "did not send the requested range", 206, id="an invalid Content-Range"),
        pytest.param(Rule(), ByteRange(400_000, 2000), "no bytes", 416, id="a byte range after the resource"),
        pytest.param(
            Rule(ignore_range=True),
            ByteRange(400_000, 2000),
            "ends before byte 400000",
            200,
            id="a byte range after the resource, out of the whole",
        ),
        pytest.param(Rule(headers={"Content-Encoding": "br"}), None, "Content-Encoding 'br'", 200, id="an unknown content coding"),
        pytest.param(
            Rule(headers={"Content-Encoding": "gzip"}), None, "cannot be decompressed", None, id="not compressed although it says so"
        ),
        pytest.param(Rule(redirect="/a.ts"), None, "redirects", None, id="redirects in a circle"),
        pytest.param(
            [Rule(cut_after=1000, times=1, etag='"old"', body=OTHER), Rule(etag='"new"')],
            None,
            "may have changed",
            200,
            id="changed after it was cut",
        ),
        pytest.param(
            [Rule(cut_after=2000, times=1, etag='"old"', body=OTHER), Rule(etag='"new"', headers={"ETag": '"new"'}, ignore_range=True)],
            BYTE_RANGE,
            "may have changed",
            200,
            id="changed byte range after it was cut",
        ),
        pytest.param(
            Rule(cut_after=1000, etag="", ignore_range=True),
            None,
            "stopped after 1000",
            None,
            id="always cut, no ranges, without validators",
        ),
        pytest.param(Rule(cut_after=1000, etag='W/"1"', ignore_range=True), None, "stopped after 1000", None, id="always cut, a weak ETag"),
    ],
)
def test_wrong_bytes_are_a_failure(rule: Rule | list[Rule], byte_range: ByteRange | None, words: str, status: int | None) -> None:
    with pytest.raises(UpstreamError, match=words) as raised:
        fetch_by_rule(rule, byte_range, SETTINGS._replace(attempts=2))
    assert raised.value.origin_status == status
    assert "127.0.0.1" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(("attempts", "requests"), [(2, 2), (4, 3)])
@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(Rule(), id="ranges"),
        pytest.param(Rule(etag=""), id="ranges without validators"),
        pytest.param(Rule(etag="", headers=LAST_MODIFIED), id="ranges with a date"),
        pytest.param(Rule(ignore_range=True), id="no ranges"),
        pytest.param(Rule(ignore_range=True, chunked=True), id="no ranges, chunked"),
        pytest.param(Rule(ignore_range=True, gzip=True), id="compressed"),
    ],
)
@pytest.mark.parametrize("there", [1000, 10])
def test_a_byte_range_may_end_after_the_resource(rule: Rule, attempts: int, requests: int, there: int) -> None:
    """The origin is asked for the missing bytes before it is believed that there are none."""
    body, o = fetch_by_rule(rule, ByteRange(300_000 - there, 2000), SETTINGS._replace(attempts=attempts))
    assert body == CONTENT[-there:]
    assert len(o.requests) == requests


def test_a_resource_that_grows_is_fetched_to_the_end_of_the_range() -> None:
    for rule in (Rule(body=CONTENT[:200_000], times=1), Rule(body=CONTENT[:200_000], times=1, ignore_range=True)):
        assert fetch_by_rule(rule, ByteRange(150_000, 100_000))[0] == CONTENT[150_000:250_000]


@pytest.mark.parametrize("attempts", [1, 4])
def test_one_response_does_not_show_that_a_resource_ends_early(attempts: int) -> None:
    """Each response ends elsewhere, so that none of them is believed."""
    rules = [Rule(body=CONTENT[: 200_000 + step], times=1, etag="") for step in range(attempts)]
    with pytest.raises(UpstreamError, match=r"sent only|may have changed"):
        fetch_by_rule([*rules, Rule(status=500)], ByteRange(150_000, 100_000), SETTINGS._replace(attempts=attempts))


def test_a_small_resource_is_whole_or_a_failure() -> None:
    with origin(FILES) as o, pytest.raises(UpstreamError, match="sent only 1000 of 2000 bytes"):
        with_fetcher(lambda fetcher: fetcher.small_resource(o.url("/a.ts"), ByteRange(299_000, 2000), limit=10_000))


def test_a_range_that_is_cut_before_the_end_of_the_resource_is_continued() -> None:
    rule = Rule(content_range="bytes 1000-20999/300000", content_length=20_000, when=lambda r: r.headers.get("range") == "bytes=1000-50999")
    with origin(FILES) as o:
        o.rules["/a.ts"] = replace(rule, cut_after=20_000)
        assert fetch_segment(o.url("/a.ts"), BYTE_RANGE)[0] == CONTENT[1000:51_000]


def test_a_cut_segment_is_resumed() -> None:
    _, o = fetch_by_rule(Rule(cut_after=20_000, times=1))
    first, second = o.requests
    assert first.headers["accept-encoding"] == "identity"
    assert "range" not in first.headers
    assert second.headers["range"] == "bytes=20000-"
    assert second.headers["if-range"].startswith('"')
    assert second.sent == 280_000


def test_a_byte_range_out_of_the_whole_ends_the_response() -> None:
    big = garbage(20_000_000)
    with origin({"/a.ts": big}) as o:
        o.rules["*"] = Rule(ignore_range=True)
        assert fetch_segment(o.url("/a.ts"), ByteRange(5, 7))[0] == big[5:12]
        assert o.sent < 5_000_000


def test_segments_share_a_connection() -> None:
    async def use(fetcher: Fetcher) -> None:
        for _ in range(5):
            await fetcher.segment(url, BYTE_RANGE, discard)
            await fetcher.small_resource(url, BYTE_RANGE, limit=100_000)

    with origin(FILES) as o:
        url = o.url("/a.ts")
        with_fetcher(use)
        assert len(o.requests) == 10
        assert o.connections == 1


@pytest.mark.parametrize("byte_range", [None, ByteRange(0, 200_000)], ids=["whole", "byte range"])
@pytest.mark.parametrize("rule", [Rule(), Rule(ignore_range=True), Rule(no_length=True)], ids=["good", "ignores Range", "no length"])
def test_a_segment_has_a_limit(rule: Rule, byte_range: ByteRange | None) -> None:
    with pytest.raises(UnsupportedSourceError, match="longer than 100000 bytes"):
        fetch_by_rule(rule, byte_range, SETTINGS._replace(max_segment_bytes=100_000))


def test_a_failing_sink_ends_the_transfer() -> None:
    async def append(chunk: bytes) -> None:
        raise BrokenPipeError(len(chunk))

    with origin(FILES) as o:
        with pytest.raises(BrokenPipeError):
            with_fetcher(lambda fetcher: fetcher.segment(o.url("/a.ts"), None, append))
        assert len(o.requests) == 1


def test_nobody_reading_stops_the_origin() -> None:
    async def use(fetcher: Fetcher) -> tuple[int, int]:
        async with TaskGroup() as tasks:
            task = tasks.create_task(fetcher.segment(url, None, block))
            early = await settled(lambda: o.sent)
            await asyncio.sleep(0.7)  # longer than `read_seconds`: it is the reader that waits, not the origin
            task.cancel()
        return early, o.sent

    with origin({"/a.ts": garbage(30_000_000)}) as o:
        url = o.url("/a.ts")
        early, late = with_fetcher(use, SETTINGS._replace(read_seconds=0.3))
        assert late < 2_000_000
        assert late - early <= 64 * 1024  # the TCP windows may still change


def test_many_small_requests_at_once() -> None:
    async def use(fetcher: Fetcher) -> list[bytes]:
        return await asyncio.gather(*(fetcher.first_bytes(o.url("/a.ts"), ByteRange(n, 10), size=10) for n in range(40)))

    with origin(FILES) as o:
        o.rules["*"] = Rule(delay=0.02)
        assert with_fetcher(use) == [CONTENT[n : n + 10] for n in range(40)]
        assert o.max_active_requests <= SETTINGS.connections


def test_nothing_is_left_when_a_job_is_cancelled() -> None:
    async def job() -> int:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), Fetcher.open(SETTINGS) as fetcher:
                await fetcher.segment(o.url("/a.ts"), None, block)
        await asyncio.sleep(0)  # let a task that was started now appear
        return len(asyncio.all_tasks())

    with origin(FILES) as o:
        assert asyncio.run(job()) == 1
        started_at = time.monotonic()
        while o.open_connections and time.monotonic() - started_at < 2:
            time.sleep(0.01)
        assert o.open_connections == 0
