"""Compressed bodies: how far they may expand, and that those nobody needs are not decoded."""

import tracemalloc
import zlib
from itertools import pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from peers.fetch_calls import FILES, SETTINGS, discard, with_fetcher
from peers.origin import Rule, origin

from transcoder.edge.fetch import ApiRequest, Fetcher
from transcoder.edge.fetch.content_encoding import CHUNK_BYTES, FREE_BYTES, MAX_EXPANSION, BodyDecoder
from transcoder.errors import UpstreamError

MIB = 1024 * 1024
GZIP_WBITS = 16 + zlib.MAX_WBITS


def gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(9, wbits=GZIP_WBITS)
    return compressor.compress(body) + compressor.flush()


BOMB = gzip(bytes(64 * MIB))
TWICE = gzip(BOMB)
ONE_LAYER, TWO_LAYERS = {"Content-Encoding": "gzip"}, {"Content-Encoding": "gzip, gzip"}


def decoder(coding: str) -> BodyDecoder:
    return BodyDecoder(httpx.Response(200, headers={"Content-Encoding": coding}, request=httpx.Request("GET", "http://a.test/b")))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 403])
@pytest.mark.parametrize(("headers", "body"), [(ONE_LAYER, BOMB), (TWO_LAYERS, TWICE)], ids=["one layer", "two layers"])
def test_a_body_that_is_thrown_away_is_not_decoded(status: int, headers: dict[str, str], body: bytes) -> None:
    assert len(body) <= 128 * 1024
    body = body[: 64 * 1024]
    with origin(FILES) as o:
        first = Rule(status=status, headers=headers, body=body, times=1)
        o.rules["/main.m3u8"] = [
            first if status == 403 else Rule(redirect="/main.m3u8?", status=status, headers=headers, body=body, times=1)
        ]
        tracemalloc.start()
        try:
            found = with_fetcher(lambda fetcher: fetcher.playlist(o.url("/main.m3u8?query=1")))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert found.text == "#EXTM3U\n"
        assert peak < 8 * MIB
        assert len(o.requests) == 2
        assert o.used_connections == 1, "the body was read, so that its connection could be used again"


@pytest.mark.parametrize(("headers", "body"), [(ONE_LAYER, BOMB), (TWO_LAYERS, TWICE)], ids=["one layer", "two layers"])
def test_a_body_that_expands_too_much_is_refused(headers: dict[str, str], body: bytes) -> None:
    async def everything(fetcher: Fetcher, url: str) -> None:
        for use in (
            lambda: fetcher.playlist(url + ".m3u8"),
            lambda: fetcher.segment(url, None, discard),
            lambda: fetcher.small_resource(url, limit=1024 * MIB),
            lambda: fetcher.api_reply(ApiRequest(url), limit=1024 * MIB),
        ):
            with pytest.raises(UpstreamError, match=r"expands to more than 100 times its length|which was not requested"):
                await use()

    with origin(FILES) as o:
        o.rules["/a.ts"] = Rule(headers=headers, body=body)
        o.rules["/a.ts.m3u8"] = Rule(headers=headers, body=body if headers is TWO_LAYERS else gzip(b"#EXTM3U".ljust(15 * MIB, b"\n")))
        tracemalloc.start()
        try:
            with_fetcher(lambda fetcher: everything(fetcher, o.url("/a.ts")), SETTINGS)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 32 * MIB
        assert len(o.requests) == 4, "what expands too much once will do so again"


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip, identity", "br", "zstd", "deflate, gzip", "gzip;q=1"])
def test_only_one_layer_of_compression_is_decoded(coding: str) -> None:
    with pytest.raises(UpstreamError, match="which was not requested"):
        decoder(coding)


@given(st.lists(st.integers(1, len(BOMB)), max_size=10))
def test_the_limit_does_not_depend_on_the_pieces(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(BOMB)]
    bomb, received = decoder("gzip"), 0
    try:
        for start, stop in pairwise(edges):
            for decoded in bomb.decode(BOMB[start:stop]):
                assert len(decoded) <= CHUNK_BYTES
                received += len(decoded)
    except UpstreamError:
        received += CHUNK_BYTES
    assert FREE_BYTES <= received <= FREE_BYTES + MAX_EXPANSION * len(BOMB) + CHUNK_BYTES < 64 * MIB


def test_a_long_playlist_expands_less_than_the_limit() -> None:
    lines = (f"#EXTINF:6.000000,\n#EXT-X-BYTERANGE:{100_000 + number % 7}@{number * 100_000}\nmain.mp4\n" for number in range(100_000))
    text = ("#EXTM3U\n" + "".join(lines)).encode()
    assert len(text) > 4 * MIB
    assert b"".join(decoder("gzip").decode(gzip(text))) == text
