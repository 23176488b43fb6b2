"""Ranges of a file that has changed between two requests are not put together."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from peers.fetch_calls import CONTENT, FILES, with_fetcher
from peers.origin import Rule, origin

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch import Fetcher
from transcoder.errors import ChangedFileError, UpstreamError

SHORTER = CONTENT[:100] + CONTENT[400:]
BORDERS = (0, 20_000, 40_000, 60_000)


def fetch_ranges(*rules: Rule) -> bytes:
    """Fetch a file range by range."""

    async def use(fetcher: Fetcher) -> bytes:
        chunks: list[bytes] = []

        async def append(chunk: bytes) -> None:
            chunks.append(chunk)

        for start, end in pairwise(BORDERS):
            await fetcher.segment(url, ByteRange(start, end - start), append)
        return b"".join(chunks)

    with origin(FILES) as o:
        o.rules["/a.ts"] = list(rules)
        url = o.url("/a.ts")
        return with_fetcher(use)


@pytest.mark.parametrize("ignore_range", [False, True])
def test_a_file_that_has_become_shorter_is_a_failure(*, ignore_range: bool) -> None:
    rules = Rule(etag="", ignore_range=ignore_range, times=1), Rule(etag="", ignore_range=ignore_range, body=SHORTER)
    with pytest.raises(UpstreamError, match=f"the file has changed: it had {len(CONTENT)} bytes, and has {len(SHORTER)} now"):
        fetch_ranges(*rules)
    with pytest.raises(UpstreamError, match="the file has changed"):
        fetch_ranges(Rule(etag="", ignore_range=ignore_range, body=SHORTER, times=1), Rule(etag="", ignore_range=ignore_range))


@pytest.mark.parametrize("ignore_range", [False, True])
def test_a_file_of_another_length_in_between_is_asked_for_again(*, ignore_range: bool) -> None:
    good = Rule(etag="", ignore_range=ignore_range)
    rules = [Rule(etag="", ignore_range=ignore_range, times=1), Rule(etag="", ignore_range=ignore_range, body=SHORTER, times=1), good]
    assert fetch_ranges(*rules) == CONTENT[: BORDERS[-1]]


@pytest.mark.parametrize("options", [{"gzip": True}, {"chunked": True}], ids=["compressed", "chunked"])
@pytest.mark.parametrize("first", [False, True], ids=["the second one", "the first one"])
def test_where_no_length_is_told_the_bytes_where_ranges_meet_are_compared(options: Any, *, first: bool) -> None:
    """The other version lacks bytes of the range that is taken from it, so that those of the next one follow too early."""
    good, bad = (Rule(etag="", ignore_range=True, body=body, **options) for body in (None, CONTENT[:10_000] + CONTENT[10_500:]))
    changed = (replace(bad, times=1), good) if first else (replace(good, times=1), replace(bad, body=SHORTER, times=1), good)
    with pytest.raises(ChangedFileError, match="other bytes at offset"):
        fetch_ranges(*changed)
    assert fetch_ranges(good) == CONTENT[: BORDERS[-1]]


def test_what_is_known_of_a_file_can_be_forgotten() -> None:
    async def use(fetcher: Fetcher) -> bytes:
        assert await fetcher.first_bytes(url, ByteRange(0, 10), size=10) == SHORTER[:10]
        with pytest.raises(ChangedFileError):
            await fetcher.first_bytes(url, ByteRange(10, 10), size=10)
        fetcher.start_again()
        return await fetcher.first_bytes(url, ByteRange(10, 10), size=10)

    with origin(FILES) as o:
        o.rules["/a.ts"] = [Rule(etag="", body=SHORTER, times=1), Rule(etag="")]
        url = o.url("/a.ts")
        assert with_fetcher(use) == CONTENT[10:20]
