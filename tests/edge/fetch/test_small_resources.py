"""Playlists, keys, heads and tails."""

from dataclasses import replace

import pytest
from peers.fetch_calls import DATA, FILES, PART, SETTINGS, run
from peers.origin import Rule, garbage, html, origin

from transcoder.core.hls.plan import ByteRange
from transcoder.errors import (
    UnsupportedSourceError,
    UpstreamError,
)


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


def test_tails_from_servers_that_do_not_count_from_the_end() -> None:
    with origin(FILES) as o:
        o.rules["*"] = Rule(ignore_range=True, when=lambda request: request.headers.get("range", "").startswith("bytes=-"))
        assert run(lambda fetcher: fetcher.tail(o.url("/a.ts"), size=5000)) == DATA[-5000:]
        assert run(lambda fetcher: fetcher.tail(o.url("/a.ts"), size=400_000)) == DATA


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
    with origin({"/main.m3u8": b"#" * 5_000_000}) as o:
        o.rules["*"] = rule
        with pytest.raises(UnsupportedSourceError, match="longer than 1000 bytes"):
            run(lambda fetcher: fetcher.text(o.url("/main.m3u8")), replace(SETTINGS, max_playlist_bytes=1000))
