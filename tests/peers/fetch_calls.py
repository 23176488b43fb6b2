"""Shortcuts for tests that fetch from an origin."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from peers.event_loop import run
from peers.origin import Origin, Rule, garbage, origin

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch import Fetcher
from transcoder.settings import Settings

CONTENT = garbage(300_000)
FILES = {"/a.ts": CONTENT, "/main.m3u8": b"#EXTM3U\n", "/other/b.m3u8": b"#EXTM3U\n#other\n"}
SETTINGS = Settings(allow_private=True, read_seconds=1.0, connect_seconds=2.0, retry_seconds=0.01)
BYTE_RANGE = ByteRange(1000, 50_000)
LAST_MODIFIED = {"Last-Modified": "Sat, 01 Jan 2022 00:00:00 GMT"}

T = TypeVar("T")


def with_fetcher(use: Callable[[Fetcher], Awaitable[T]], settings: Settings = SETTINGS, **options: object) -> T:
    """Await `use(fetcher)` with a new fetcher, and return its result; `options` are those of `Fetcher.open`."""

    async def job() -> T:
        async with Fetcher.open(settings, **options) as fetcher:  # type: ignore[arg-type]  # the options are those of `open`
            return await use(fetcher)

    return run(job())


def fetch_segment(url: str, byte_range: ByteRange | None = None, settings: Settings = SETTINGS) -> tuple[bytes, int, int]:
    """Fetch a segment; return its bytes, and how many requests and retries it took."""

    async def use(fetcher: Fetcher) -> tuple[bytes, int, int]:
        chunks: list[bytes] = []

        async def append(chunk: bytes) -> None:
            chunks.append(chunk)

        await fetcher.segment(url, byte_range, append)
        assert fetcher.bytes == sum(map(len, chunks))
        assert all(0 < len(chunk) <= 96 * 1024 for chunk in chunks)
        return b"".join(chunks), fetcher.requests, fetcher.retries

    return with_fetcher(use, settings)


def fetch_by_rule(rule: Rule | Sequence[Rule], byte_range: ByteRange | None = None, settings: Settings = SETTINGS) -> tuple[bytes, Origin]:
    """Fetch /a.ts from an origin with that rule; return its bytes, and the origin."""
    with origin(FILES) as o:
        o.rules["/a.ts"] = rule
        return fetch_segment(o.url("/a.ts?token=secret"), byte_range, settings)[0], o


async def discard(chunk: bytes) -> None:
    """A sink that drops all bytes."""
    assert chunk


async def block(chunk: bytes) -> None:
    """A sink that never returns from its first write."""
    assert chunk
    await asyncio.Event().wait()


async def settled(count: Callable[[], int]) -> int:
    """Wait until `count` is not 0 and has not changed for a while; return it."""
    before = 0
    while not before or before != count():
        before = count()
        await asyncio.sleep(0.4)
    return before
