"""Ranges of a file that has changed between two requests are not put together."""

from itertools import pairwise

import pytest
from peers.fetch_calls import CONTENT, FILES, with_fetcher
from peers.origin import Rule, origin

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch import Fetcher
from transcoder.errors import UpstreamError

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
