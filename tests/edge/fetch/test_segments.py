"""Every byte of a segment, or a failure: what the fetcher makes of origins that break, lie, or dawdle."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from peers.fetch_calls import DATA, DATED, FILES, PART, SETTINGS, for_ever, nowhere, run, segment, served, settled
from peers.origin import Rule, garbage, origin

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch import Fetcher
from transcoder.errors import (
    UnsupportedSourceError,
    UpstreamError,
    UpstreamTimeoutError,
)


@pytest.mark.parametrize("part", [None, PART], ids=["whole", "part"])
@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(Rule(), id="a good origin"),
        pytest.param(Rule(ignore_range=True), id="ignores Range"),
        pytest.param(Rule(chunked=True), id="chunked"),
        pytest.param(Rule(no_length=True), id="no length"),
        pytest.param(Rule(gzip=True, ignore_range=True), id="packed unasked"),
        pytest.param(Rule(cut_after=20_000, times=1), id="cut once"),
        pytest.param(Rule(cut_after=20_000, times=3), id="cut three times"),
        pytest.param(Rule(cut_after=20_000, times=1, reset=True), id="reset"),
        pytest.param(Rule(cut_after=20_000, times=1, chunked=True), id="cut in a chunk"),
        pytest.param([Rule(cut_after=20_000, times=1, etag="", headers=DATED), Rule(etag="", headers=DATED)], id="cut, with a date only"),
        pytest.param([Rule(cut_after=20_000, times=1, etag=""), Rule(etag="")], id="cut, with nothing to know it by"),
        pytest.param(Rule(cut_after=20_000, times=1, ignore_range=True), id="cut, and the next answer is whole"),
        pytest.param(
            [Rule(cut_after=20_000, times=1, gzip=True, ignore_range=True), Rule(gzip=True, ignore_range=True)], id="cut while packed"
        ),
        pytest.param(
            [Rule(cut_after=20_000, times=1, etag="", headers=DATED), Rule(etag="", headers=DATED, ignore_range=True)],
            id="cut, and the next answer is whole, with a date only",
        ),
        pytest.param(Rule(cut_after=0, times=1), id="cut at once"),
        pytest.param([Rule(cut_after=20_000, times=1), Rule(ignore_range=True)], id="cut, then ignores Range"),
        pytest.param(Rule(stall_after=20_000, times=1), id="stalls once"),
        pytest.param(Rule(status=503, times=3), id="503 three times"),
        pytest.param(Rule(status=429, headers={"Retry-After": "0"}, times=2), id="429 twice"),
        pytest.param(Rule(body=b"", ignore_range=True, times=1), id="nothing once"),
        pytest.param(Rule(status=403, when=lambda request: bool(request.query)), id="403 for the signature only"),
        pytest.param(Rule(headers={"Content-Type": "image/jpeg"}), id="an odd content type"),
    ],
)
def test_every_byte_arrives(rule: Rule, part: ByteRange | None) -> None:
    expected = DATA if part is None else DATA[1000:51_000]
    assert served(rule, part)[0] == expected


@pytest.mark.parametrize(
    ("rule", "part", "words", "status"),
    [
        pytest.param(Rule(status=404), None, "404", 404, id="404"),
        pytest.param(Rule(status=410), PART, "410", 410, id="410"),
        pytest.param(Rule(status=403), None, "403", 403, id="403 with and without the signature"),
        pytest.param(Rule(status=500), None, "500", 500, id="500 for ever"),
        pytest.param(Rule(status=304), None, "304", 304, id="304"),
        pytest.param(Rule(cut_after=1000), None, "broke off", None, id="cut for ever"),
        pytest.param(Rule(body=b""), None, "nothing", 200, id="nothing"),
        pytest.param(Rule(content_length=400_000), None, "no bytes", 416, id="says it is longer"),
        pytest.param(Rule(content_range="bytes 0-49999/300000"), PART, "another range", 206, id="another range"),
        pytest.param(Rule(content_range="bytes 1000-50998/300000"), PART, "more than", 206, id="longer than its range"),
        pytest.param(Rule(content_range="nonsense"), PART, "another range", 206, id="no range"),
        pytest.param(Rule(), ByteRange(299_000, 2000), "shorter", 206, id="a part that ends too late"),
        pytest.param(Rule(ignore_range=True), ByteRange(299_000, 2000), "shorter", 200, id="a part that ends too late, out of the whole"),
        pytest.param(Rule(), ByteRange(400_000, 2000), "no bytes", 416, id="a part that begins too late"),
        pytest.param(Rule(ignore_range=True), ByteRange(400_000, 2000), "shorter", 200, id="a part that begins too late, out of the whole"),
        pytest.param(Rule(headers={"Content-Encoding": "br"}), None, "packed", 200, id="packed in an unknown way"),
        pytest.param(Rule(headers={"Content-Encoding": "gzip"}), None, "unpacked", None, id="not packed, as it says"),
        pytest.param(Rule(redirect="/a.ts"), None, "redirects", None, id="redirects in a circle"),
        pytest.param(
            [Rule(cut_after=1000, times=1, etag='"old"'), Rule(etag='"new"')], None, "something else", 200, id="changed after it was cut"
        ),
        pytest.param(
            [Rule(cut_after=1000, times=1, etag='"old"'), Rule(etag='"new"', headers={"ETag": '"new"'}, ignore_range=True)],
            PART,
            "something else",
            200,
            id="changed part after it was cut",
        ),
        pytest.param(
            Rule(cut_after=1000, etag="", ignore_range=True), None, "something else", 200, id="cut, cannot go on, nothing to know it by"
        ),
        pytest.param(Rule(cut_after=1000, etag='W/"1"', ignore_range=True), None, "something else", 200, id="a weak ETag does not vouch"),
    ],
)
def test_what_is_not_the_bytes_is_a_failure(rule: Rule | list[Rule], part: ByteRange | None, words: str, status: int | None) -> None:
    with pytest.raises(UpstreamError, match=words) as raised:
        served(rule, part, replace(SETTINGS, attempts=2))
    assert raised.value.origin_status == status
    assert "127.0.0.1" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_cut_segment_goes_on_where_it_broke() -> None:
    _, o = served(Rule(cut_after=20_000, times=1))
    first, second = o.requests
    assert first.headers["accept-encoding"] == "identity"
    assert "range" not in first.headers
    assert second.headers["range"] == "bytes=20000-"
    assert second.headers["if-range"].startswith('"')
    assert second.sent == 280_000


def test_a_part_taken_out_of_the_whole_ends_the_sending() -> None:
    big = garbage(20_000_000)
    with origin({"/a.ts": big}) as o:
        o.rules["*"] = Rule(ignore_range=True)
        assert segment(o.url("/a.ts"), ByteRange(5, 7))[0] == big[5:12]
        assert o.sent < 5_000_000


def test_segments_share_a_connection() -> None:
    async def use(fetcher: Fetcher) -> None:
        for _ in range(5):
            await fetcher.segment(url, PART, nowhere)
            await fetcher.whole(url, PART, limit=100_000)

    with origin(FILES) as o:
        url = o.url("/a.ts")
        run(use)
        assert len(o.requests) == 10
        assert o.connections == 1


def test_refusals_for_good_are_not_repeated() -> None:
    with origin(FILES) as o:
        o.rules["*"] = Rule(status=404)
        with pytest.raises(UpstreamError):
            segment(o.url("/a.ts"))
        assert len(o.requests) == 1


def test_tries_are_counted_and_limited() -> None:
    with origin(FILES) as o:
        o.rules["*"] = Rule(status=502)
        with pytest.raises(UpstreamError):
            segment(o.url("/a.ts"), settings=replace(SETTINGS, attempts=3))
        assert len(o.requests) == 3
        o.rules["*"] = Rule(status=502, times=2)
        o.rules["/a.ts"] = [Rule(status=502, times=1)]
        assert segment(o.url("/a.ts"))[1:] == (2, 1)


def test_a_try_that_made_progress_does_not_count() -> None:
    big = garbage(8_000_000)
    with origin({"/a.ts": big}) as o:
        o.rules["*"] = Rule(cut_after=1_200_000)
        data, requests, retries = segment(o.url("/a.ts"), settings=replace(SETTINGS, attempts=2))
        assert data == big
        assert (requests, retries) == (7, 6)


@pytest.mark.parametrize(
    ("after", "least", "most"),
    [
        pytest.param("1", 1.0, 9.0, id="seconds"),
        pytest.param(format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True), 0.0, 9.0, id="a date that is over"),
        pytest.param("soon", 0.0, 9.0, id="nonsense"),
    ],
)
def test_waits_as_long_as_the_origin_asks(after: str, least: float, most: float) -> None:
    begun = time.monotonic()
    served(Rule(status=503, headers={"Retry-After": after}, times=1))
    assert least <= time.monotonic() - begun <= most


def test_a_silent_origin_is_a_timeout() -> None:
    with pytest.raises(UpstreamTimeoutError, match=r"a\.ts at 127\.0\.0\.1: .* in time"):
        served(Rule(stall_after=20_000), settings=replace(SETTINGS, attempts=2, read_seconds=0.2))


def test_an_origin_that_is_not_there_is_a_failure() -> None:
    with origin(FILES) as o:
        url = o.url("/a.ts")
    with pytest.raises(UpstreamError, match="no connection"):
        segment(url, settings=replace(SETTINGS, attempts=2))


def test_a_name_that_does_not_exist_is_a_failure() -> None:
    with pytest.raises(UpstreamError, match="no connection"):
        segment("http://nowhere.invalid/a.ts", settings=replace(SETTINGS, attempts=1))


@pytest.mark.parametrize("part", [None, ByteRange(0, 200_000)], ids=["whole", "part"])
@pytest.mark.parametrize("rule", [Rule(), Rule(ignore_range=True), Rule(no_length=True)], ids=["good", "ignores Range", "no length"])
def test_a_segment_has_a_limit(rule: Rule, part: ByteRange | None) -> None:
    with pytest.raises(UnsupportedSourceError, match="longer than 100000 bytes"):
        served(rule, part, replace(SETTINGS, max_segment_bytes=100_000))


def test_what_takes_the_bytes_may_fail() -> None:
    async def into(piece: bytes) -> None:
        raise BrokenPipeError(len(piece))

    with origin(FILES) as o:
        with pytest.raises(BrokenPipeError):
            run(lambda fetcher: fetcher.segment(o.url("/a.ts"), None, into))
        assert len(o.requests) == 1


def test_nobody_reading_stops_the_origin() -> None:
    async def use(fetcher: Fetcher) -> tuple[int, int]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(fetcher.segment(url, None, for_ever))
            early = await settled(lambda: o.sent)
            await asyncio.sleep(0.7)  # longer than `read_seconds`: it is not the origin that is silent
            task.cancel()
        return early, o.sent

    with origin({"/a.ts": garbage(30_000_000)}) as o:
        url = o.url("/a.ts")
        early, late = run(use, replace(SETTINGS, read_seconds=0.3))
        assert late < 2_000_000
        assert late - early <= 64 * 1024  # the kernel's windows may still be settling


def test_many_small_things_at_once() -> None:
    async def use(fetcher: Fetcher) -> list[bytes]:
        return await asyncio.gather(*(fetcher.head(o.url("/a.ts"), ByteRange(n, 10), size=10) for n in range(40)))

    with origin(FILES) as o:
        o.rules["*"] = Rule(delay=0.02)
        assert run(use) == [DATA[n : n + 10] for n in range(40)]
        assert o.most_under_way <= SETTINGS.connections


def test_nothing_is_left_when_a_job_is_cancelled() -> None:
    async def job() -> int:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), Fetcher.open(SETTINGS) as fetcher:
                await fetcher.segment(o.url("/a.ts"), None, for_ever)
        await asyncio.sleep(0)  # so that what would be started now were there
        return len(asyncio.all_tasks())

    with origin(FILES) as o:
        assert asyncio.run(job()) == 1
        begun = time.monotonic()
        while o.open_connections and time.monotonic() - begun < 2:
            time.sleep(0.01)
        assert o.open_connections == 0
