"""Playlists, and the first and last bytes of segments."""

import asyncio

import httpx
import pytest
from peers.fetch_calls import BYTE_RANGE, CONTENT, FILES, SETTINGS, with_fetcher
from peers.origin import Rule, garbage, html, origin
from peers.raw_origin import raw_origin

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch import Fetcher
from transcoder.edge.fetch.passthrough import read_file_head
from transcoder.errors import UnsupportedSourceError, UpstreamError


@pytest.mark.parametrize(
    "rule",
    [Rule(), Rule(ignore_range=True), Rule(gzip=True, ignore_range=True), Rule(status=503, times=1)],
    ids=["good", "ignores Range", "compressed", "503 once"],
)
def test_only_the_first_bytes_are_read(rule: Rule) -> None:
    big = garbage(5_000_000)
    with origin({"/a.ts": big}, send_buffer=16_384) as o:
        o.rules["*"] = rule
        assert with_fetcher(lambda fetcher: fetcher.first_bytes(o.url("/a.ts"), size=65_536)) == big[:65_536]
        assert with_fetcher(lambda fetcher: fetcher.first_bytes(o.url("/a.ts"), BYTE_RANGE, size=9)) == big[1000:1009]
        assert with_fetcher(lambda fetcher: fetcher.first_bytes(o.url("/a.ts"), ByteRange(7, 5), size=9)) == big[7:12]
        assert o.sent < 5_000_000


def test_the_first_bytes_of_a_short_segment_are_all_of_it() -> None:
    with origin(FILES) as o:
        for rule in (Rule(), Rule(ignore_range=True)):
            o.rules["*"] = rule
            assert with_fetcher(lambda fetcher: fetcher.first_bytes(o.url("/a.ts"), size=400_000)) == CONTENT


def test_last_bytes() -> None:
    with origin(FILES) as o:
        url = o.url("/a.ts")
        assert with_fetcher(lambda fetcher: fetcher.last_bytes(url, size=5000)) == CONTENT[-5000:]
        assert with_fetcher(lambda fetcher: fetcher.last_bytes(url, size=400_000)) == CONTENT
        assert with_fetcher(lambda fetcher: fetcher.last_bytes(url, BYTE_RANGE, size=5000)) == CONTENT[46_000:51_000]
        assert with_fetcher(lambda fetcher: fetcher.last_bytes(url, BYTE_RANGE, size=90_000)) == CONTENT[1000:51_000]
        o.rules["*"] = Rule(status=503, times=1)
        assert with_fetcher(lambda fetcher: fetcher.last_bytes(url, size=5000)) == CONTENT[-5000:]


@pytest.mark.parametrize("rule", [Rule(), Rule(etag="")])
def test_last_bytes_of_a_range_that_ends_after_the_resource(rule: Rule) -> None:
    with origin(FILES) as o:
        url, o.rules["/a.ts"] = o.url("/a.ts"), rule
        beyond = ByteRange(200_000, 101_000)
        assert with_fetcher(lambda fetcher: fetcher.last_bytes(url, beyond, size=5000)) == CONTENT[-5000:]
        assert with_fetcher(lambda fetcher: fetcher.last_bytes(url, beyond, size=200_000)) == CONTENT[200_000:]
        assert with_fetcher(lambda fetcher: fetcher.last_bytes(url, beyond, size=100_500)) == CONTENT[200_000:], "nothing before the range"
        assert with_fetcher(lambda fetcher: fetcher.last_bytes(url, beyond, size=1000)) is None, "none of them exists"


def test_last_bytes_from_servers_without_suffix_ranges() -> None:
    with origin(FILES) as o:
        o.rules["*"] = Rule(ignore_range=True, when=lambda request: request.headers.get("range", "").startswith("bytes=-"))
        assert with_fetcher(lambda fetcher: fetcher.last_bytes(o.url("/a.ts"), size=5000)) == CONTENT[-5000:]
        assert with_fetcher(lambda fetcher: fetcher.last_bytes(o.url("/a.ts"), size=400_000)) == CONTENT


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(Rule(ignore_range=True), id="ignores Range"),
        pytest.param(Rule(status=416), id="416"),
        pytest.param(Rule(content_range="bytes 0-4999/300000"), id="answers a suffix range with a prefix"),
        pytest.param(Rule(content_range="bytes 295000-299999/*"), id="does not give its length"),
    ],
)
def test_no_last_bytes_without_ranges(rule: Rule) -> None:
    with origin(FILES) as o:
        o.rules["*"] = rule
        assert with_fetcher(lambda fetcher: fetcher.last_bytes(o.url("/a.ts"), size=5000)) is None


@pytest.mark.parametrize("byte_range", [None, ByteRange(5, 500)], ids=["a file", "a range"])
@pytest.mark.parametrize(
    "head",
    [
        pytest.param("206 Partial Content\r\nContent-Length: 100", id="206 that does not say which bytes"),
        pytest.param("200 OK\r\nContent-Range: bytes 405-504/505\r\nContent-Length: 200", id="the range of another response"),
    ],
)
def test_no_last_bytes_from_a_response_that_does_not_say_which_they_are(byte_range: ByteRange | None, head: str) -> None:
    async def run() -> bytes | None:
        async with (
            asyncio.timeout(20),
            raw_origin(f"HTTP/1.1 {head}\r\n\r\n".encode(), bytes(200)) as o,
            Fetcher.open(SETTINGS) as fetcher,
        ):
            return await fetcher.last_bytes(f"http://127.0.0.1:{o.port}/a", byte_range, size=100)

    assert asyncio.run(run()) is None


def test_the_last_bytes_of_a_missing_segment_are_a_failure() -> None:
    with origin(FILES) as o, pytest.raises(UpstreamError, match="404"):
        with_fetcher(lambda fetcher: fetcher.last_bytes(o.url("/none.ts"), size=5000))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(b"#EXTM3U\n", "#EXTM3U\n", id="plain"),
        pytest.param(b"\xef\xbb\xbf#EXTM3U\r\n", "#EXTM3U\r\n", id="BOM"),
        pytest.param(b"#\xff\xc3\xa9", "#\ufffd\u00e9", id="invalid UTF-8"),
        pytest.param(html(200), html(200).decode(), id="HTML"),
    ],
)
@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "compressed"])
def test_reads_a_playlist(body: bytes, text: str, *, gzip: bool) -> None:
    with origin({"/main.m3u8": body}) as o:
        o.rules["*"] = [Rule(gzip=gzip, cut_after=3, times=1), Rule(gzip=gzip)]
        found = with_fetcher(lambda fetcher: fetcher.playlist(o.url("/main.m3u8")))
        assert (found.url, found.text) == (o.url("/main.m3u8"), text)
        assert "gzip" in o.requests[0].headers["accept-encoding"]


@pytest.mark.parametrize("rule", [Rule(), Rule(gzip=True), Rule(chunked=True)], ids=["plain", "compressed", "chunked"])
def test_a_playlist_has_a_limit(rule: Rule) -> None:
    with origin({"/main.m3u8": b"#" * 5_000_000}) as o:
        o.rules["*"] = rule
        with pytest.raises(UnsupportedSourceError, match="longer than 1000 bytes"):
            with_fetcher(lambda fetcher: fetcher.playlist(o.url("/main.m3u8")), SETTINGS._replace(max_playlist_bytes=1000))


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_playlist_may_be_exactly_as_long_as_its_limit(more: int, *, chunked: bool) -> None:
    with origin({"/main.m3u8": b"#EXTM3U\n".ljust(1000 + more, b"#")}) as o:
        o.rules["*"] = Rule(chunked=chunked)
        settings = SETTINGS._replace(max_playlist_bytes=1000)
        if more:
            with pytest.raises(UnsupportedSourceError, match="longer than 1000 bytes"):
                with_fetcher(lambda fetcher: fetcher.playlist(o.url("/main.m3u8")), settings)
        else:
            assert len(with_fetcher(lambda fetcher: fetcher.playlist(o.url("/main.m3u8")), settings).text) == 1000


@pytest.mark.parametrize(("guessed", "requests"), [(False, 3), (True, 1)])
def test_a_segment_that_is_not_there_yet_is_asked_for_again_unless_its_address_is_guessed(guessed: bool, requests: int) -> None:  # noqa: FBT001
    async def use(fetcher: Fetcher) -> None:
        await fetcher.small_resource(o.url("/main.m3u8"), limit=1000)  # an origin that has served nothing is not asked again
        await (fetcher.first_bytes(o.url("/a.ts"), size=10, guessed=True) if guessed else fetcher.first_bytes(o.url("/a.ts"), size=10))

    with origin(FILES) as o:
        o.rules["/a.ts"] = Rule(status=404)
        with pytest.raises(UpstreamError, match="404"):
            with_fetcher(use)
        assert [request.path for request in o.requests] == ["/main.m3u8", *["/a.ts"] * requests]


@pytest.mark.parametrize(
    ("status", "headers", "accepts"),
    [
        (200, {"Accept-Ranges": "bytes"}, True),
        (200, {"Accept-Ranges": "none"}, False),
        (200, {}, False),
        (206, {}, True),
        (206, {"Accept-Ranges": "bytes"}, True),
        (200, {"Accept-Ranges": "bytes", "Content-Encoding": "gzip"}, False),
        (206, {"Content-Encoding": "gzip"}, False),
    ],
)
def test_whether_a_file_can_be_had_in_parts(status: int, headers: dict[str, str], *, accepts: bool) -> None:
    response = httpx.Response(status, headers=headers, request=httpx.Request("GET", "https://a.example/film.mp4"))
    assert read_file_head(response).accepts_ranges is accepts
