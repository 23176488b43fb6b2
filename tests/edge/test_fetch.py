"""What the fetcher makes of an origin: good, slow, broken, or lying."""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TypeVar

import pytest
from peers.origin import Origin, Rule, garbage, html, origin

from transcoder.core.plan import ByteRange
from transcoder.edge.fetch import Fetcher
from transcoder.errors import (
    BadRequestError,
    ForbiddenSourceError,
    NotFoundError,
    TranscoderError,
    UnsupportedSourceError,
    UpstreamError,
    UpstreamTimeoutError,
)
from transcoder.settings import Settings

DATA = garbage(300_000)
FILES = {"/a.ts": DATA, "/main.m3u8": b"#EXTM3U\n", "/other/b.m3u8": b"#EXTM3U\n#other\n"}
SETTINGS = Settings(allow_private=True, read_seconds=0.3, connect_seconds=2.0, retry_seconds=0.01)
PART = ByteRange(1000, 50_000)
DATED = {"Last-Modified": "Sat, 01 Jan 2022 00:00:00 GMT"}

T = TypeVar("T")


def run(use: Callable[[Fetcher], Awaitable[T]], settings: Settings = SETTINGS, **options: object) -> T:
    async def job() -> T:
        async with Fetcher.open(settings, **options) as fetcher:  # type: ignore[arg-type]  # the options are those of `open`
            return await use(fetcher)

    return asyncio.run(job())


def segment(url: str, part: ByteRange | None = None, settings: Settings = SETTINGS) -> tuple[bytes, int, int]:
    """Fetch a segment; return its bytes, and how many requests and retries it took."""

    async def use(fetcher: Fetcher) -> tuple[bytes, int, int]:
        pieces: list[bytes] = []

        async def into(piece: bytes) -> None:
            pieces.append(piece)

        await fetcher.segment(url, part, into)
        assert fetcher.bytes == sum(map(len, pieces))
        assert all(0 < len(piece) <= 65536 for piece in pieces)
        return b"".join(pieces), fetcher.requests, fetcher.retries

    return run(use, settings)


def served(rule: Rule | Sequence[Rule], part: ByteRange | None = None, settings: Settings = SETTINGS) -> tuple[bytes, Origin]:
    """Fetch /a.ts from an origin with that rule."""
    with origin(FILES) as o:
        o.rules["/a.ts"] = rule
        return segment(o.url("/a.ts?token=secret"), part, settings)[0], o


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
            await fetcher.segment(url, PART, _nowhere)
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
        pytest.param("1", 1.0, 1.8, id="seconds"),
        pytest.param(format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True), 0.0, 0.2, id="a date that is over"),
        pytest.param("soon", 0.0, 0.2, id="nonsense"),
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
            task = tasks.create_task(fetcher.segment(url, None, _for_ever))
            await asyncio.sleep(0.3)
            early = o.sent
            await asyncio.sleep(0.7)  # longer than `read_seconds`: it is not the origin that is silent
            task.cancel()
        return early, o.sent

    with origin({"/a.ts": garbage(30_000_000)}) as o:
        url = o.url("/a.ts")
        early, late = run(use)
        assert early == late < 2_000_000


async def _nowhere(piece: bytes) -> None:
    assert piece


async def _for_ever(piece: bytes) -> None:
    assert piece
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    "rule",
    [Rule(), Rule(ignore_range=True), Rule(gzip=True, ignore_range=True), Rule(status=503, times=1)],
    ids=["good", "ignores Range", "packed", "503 once"],
)
def test_heads_are_let_go_of(rule: Rule) -> None:
    big = garbage(5_000_000)
    with origin({"/a.ts": big}, send_buffer=16_384) as o:
        o.rules["*"] = rule
        assert run(lambda fetcher: fetcher.head(o.url("/a.ts"), size=65_536)) == big[:65_536]
        assert run(lambda fetcher: fetcher.head(o.url("/a.ts"), PART, size=9)) == big[1000:1009]
        assert run(lambda fetcher: fetcher.head(o.url("/a.ts"), ByteRange(7, 5), size=9)) == big[7:12]
        assert o.sent < 5_000_000


def test_the_head_of_a_short_segment_is_all_of_it() -> None:
    with origin(FILES) as o:
        for rule in (Rule(), Rule(ignore_range=True)):
            o.rules["*"] = rule
            assert run(lambda fetcher: fetcher.head(o.url("/a.ts"), size=400_000)) == DATA


def test_tails() -> None:
    with origin(FILES) as o:
        url = o.url("/a.ts")
        assert run(lambda fetcher: fetcher.tail(url, size=5000)) == DATA[-5000:]
        assert run(lambda fetcher: fetcher.tail(url, size=400_000)) == DATA
        assert run(lambda fetcher: fetcher.tail(url, PART, size=5000)) == DATA[46_000:51_000]
        assert run(lambda fetcher: fetcher.tail(url, PART, size=90_000)) == DATA[1000:51_000]
        o.rules["*"] = Rule(status=503, times=1)
        assert run(lambda fetcher: fetcher.tail(url, size=5000)) == DATA[-5000:]


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(Rule(ignore_range=True), id="ignores Range"),
        pytest.param(Rule(status=416), id="416"),
        pytest.param(Rule(content_range="bytes 0-4999/300000"), id="takes the suffix for a prefix"),
        pytest.param(Rule(content_range="bytes 295000-299999/*"), id="does not know its length"),
    ],
)
def test_no_tail_where_ranges_are_not_served(rule: Rule) -> None:
    with origin(FILES) as o:
        o.rules["*"] = rule
        assert run(lambda fetcher: fetcher.tail(o.url("/a.ts"), size=5000)) is None


def test_the_tail_of_a_missing_segment_is_a_failure() -> None:
    with origin(FILES) as o, pytest.raises(UpstreamError, match="404"):
        run(lambda fetcher: fetcher.tail(o.url("/none.ts"), size=5000))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(b"#EXTM3U\n", "#EXTM3U\n", id="plain"),
        pytest.param(b"\xef\xbb\xbf#EXTM3U\r\n", "#EXTM3U\r\n", id="BOM"),
        pytest.param(b"#\xff\xc3\xa9", "#\ufffd\u00e9", id="not UTF-8"),
        pytest.param(html(200), html(200).decode(), id="HTML"),
    ],
)
@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "packed"])
def test_text(body: bytes, text: str, *, gzip: bool) -> None:
    with origin({"/main.m3u8": body}) as o:
        o.rules["*"] = [Rule(gzip=gzip, cut_after=3, times=1), Rule(gzip=gzip)]
        found = run(lambda fetcher: fetcher.text(o.url("/main.m3u8")))
        assert (found.url, found.text) == (o.url("/main.m3u8"), text)
        assert "gzip" in o.requests[0].headers["accept-encoding"]


@pytest.mark.parametrize("rule", [Rule(), Rule(gzip=True), Rule(chunked=True)], ids=["plain", "packed", "chunked"])
def test_text_has_a_limit(rule: Rule) -> None:
    with origin({"/main.m3u8": b"#" * 50_000_000}) as o:
        o.rules["*"] = rule
        with pytest.raises(UnsupportedSourceError, match="longer than 1000 bytes"):
            run(lambda fetcher: fetcher.text(o.url("/main.m3u8")), replace(SETTINGS, max_playlist_bytes=1000))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/other/b.m3u8", "other/b.m3u8", "{base}/other/b.m3u8", "//{host}/other/b.m3u8?x=1"])
def test_redirects_are_followed_and_remembered(status: int, location: str) -> None:
    with origin(FILES) as o:
        where = location.format(base=o.base, host=o.base.removeprefix("http://"))
        o.rules["/main.m3u8"] = Rule(redirect=where, status=status, headers={"Set-Cookie": "pass=1; Path=/"})
        found = run(lambda fetcher: fetcher.text(o.url("/main.m3u8")))
        assert found.url.partition("?")[0] == o.url("/other/b.m3u8")
        assert found.text == "#EXTM3U\n#other\n"
        assert o.requests[1].headers["cookie"] == "pass=1"
        assert o.connections == 1


@pytest.mark.parametrize(
    ("url", "error"),
    [
        pytest.param("file:///etc/passwd", ForbiddenSourceError, id="file"),
        pytest.param("ftp://127.0.0.1/", ForbiddenSourceError, id="ftp"),
        pytest.param("skd://key", ForbiddenSourceError, id="a key of another system"),
        pytest.param("http://169.254.169.254/latest", ForbiddenSourceError, id="metadata"),
        pytest.param("http://", UnsupportedSourceError, id="no host"),
        pytest.param("http://[::1/", UnsupportedSourceError, id="no address"),
        pytest.param("http://127.0.0.1:99999/", UnsupportedSourceError, id="no port"),
        pytest.param("/etc/passwd", ForbiddenSourceError, id="a path"),
        pytest.param("data:nothing", UnsupportedSourceError, id="data without content"),
        pytest.param("data:;base64,?", UnsupportedSourceError, id="data that is not base64"),
    ],
)
def test_where_nothing_may_be_fetched(url: str, error: type[TranscoderError]) -> None:
    with pytest.raises(error):
        run(lambda fetcher: fetcher.text(url))
    if not url.startswith(("/", "data:")):
        with origin(FILES) as o:
            o.rules["*"] = Rule(redirect=url)
            with pytest.raises((error, UpstreamError)):
                run(lambda fetcher: fetcher.text(o.url("/main.m3u8")))


def test_private_addresses_are_closed_by_default() -> None:
    with origin(FILES) as o:
        with pytest.raises(ForbiddenSourceError, match="public internet"):
            run(lambda fetcher: fetcher.text(o.url("/main.m3u8")), Settings())
        assert o.connections == 0


def test_keys_may_stand_in_the_playlist() -> None:
    key = garbage(16)
    url = "data:text/plain;base64," + base64.b64encode(key).decode()
    assert run(lambda fetcher: fetcher.whole(url, limit=16)) == key
    assert run(lambda fetcher: fetcher.whole("data:,0123%34", limit=16)) == b"01234"
    with pytest.raises(UnsupportedSourceError):
        run(lambda fetcher: fetcher.whole(url, limit=15))


def test_local_files(tmp_path: Path) -> None:
    (tmp_path / "a b.ts").write_bytes(DATA)
    path = str(tmp_path / "a b.ts")
    url = (tmp_path / "a b.ts").as_uri()

    async def use(fetcher: Fetcher) -> list[bytes | None]:
        pieces: list[bytes] = []

        async def into(piece: bytes) -> None:
            pieces.append(piece)

        await fetcher.segment(url, PART, into)
        assert (await fetcher.text(path)).url == url
        return [
            b"".join(pieces),
            await fetcher.whole(url, limit=300_000),
            await fetcher.head(path, size=10),
            await fetcher.head(path, size=10**6),
            await fetcher.tail(path, size=10),
            await fetcher.tail(path, PART, size=10),
        ]

    expected = [DATA[1000:51_000], DATA, DATA[:10], DATA, DATA[-10:], DATA[50_990:51_000]]
    assert run(use, local_files=True) == expected
    with pytest.raises(UpstreamError, match="shorter"):
        run(lambda fetcher: fetcher.segment(url, ByteRange(299_999, 2), _nowhere), local_files=True)
    with pytest.raises(NotFoundError):
        run(lambda fetcher: fetcher.text(path + "x"), local_files=True)
    with pytest.raises(UpstreamError, match="cannot be read"):
        run(lambda fetcher: fetcher.text(str(tmp_path)), local_files=True)


def test_a_playlist_from_the_network_does_not_lead_to_local_files(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(DATA)

    async def use(fetcher: Fetcher) -> None:
        await fetcher.text(o.url("/main.m3u8"))
        await fetcher.segment((tmp_path / "a.ts").as_uri(), None, _nowhere)

    with origin(FILES) as o, pytest.raises(ForbiddenSourceError, match="local file"):
        run(use, local_files=True)


def test_headers_go_with_every_request_but_secrets_stay_at_home() -> None:
    given = {"User-Agent": "Mine/1", "referer": "https://example.com/", "Authorization": "Basic x", "Cookie": "a=b"}
    with origin(FILES) as home, origin(FILES, host="127.0.0.2") as away:
        home.rules["*"] = Rule(redirect=away.url("/main.m3u8"))
        run(lambda fetcher: fetcher.text(home.url("/main.m3u8")), headers=given)
        for request in (home.requests[0], away.requests[0]):
            assert request.headers["user-agent"] == "Mine/1"
            assert request.headers["referer"] == "https://example.com/"
        assert home.requests[0].headers["authorization"] == "Basic x"
        assert home.requests[0].headers["cookie"] == "a=b"
        assert "authorization" not in away.requests[0].headers
        assert "cookie" not in away.requests[0].headers


@pytest.mark.parametrize("header", [{"A\nB": "c"}, {"A": "b\r\nC: d"}, {"": "x"}])
def test_a_header_that_is_none_is_refused(header: dict[str, str]) -> None:
    async def use(fetcher: Fetcher) -> None:
        await fetcher.text("http://127.0.0.1:9/")

    with pytest.raises(BadRequestError):
        run(use, headers=header)


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
                await fetcher.segment(o.url("/a.ts"), None, _for_ever)
        await asyncio.sleep(0)  # so that what would be started now were there
        return len(asyncio.all_tasks())

    with origin(FILES) as o:
        assert asyncio.run(job()) == 1
        begun = time.monotonic()
        while o.open_connections and time.monotonic() - begun < 2:
            time.sleep(0.01)
        assert o.open_connections == 0
