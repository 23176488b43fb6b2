"""Short ways to fetch from an origin in a test."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from peers.origin import Origin, Rule, garbage, origin

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch import Fetcher
from transcoder.settings import Settings

DATA = garbage(300_000)
FILES = {"/a.ts": DATA, "/main.m3u8": b"#EXTM3U\n", "/other/b.m3u8": b"#EXTM3U\n#other\n"}
SETTINGS = Settings(allow_private=True, read_seconds=1.0, connect_seconds=2.0, retry_seconds=0.01)
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


async def nowhere(piece: bytes) -> None:
    assert piece


async def for_ever(piece: bytes) -> None:
    assert piece
    await asyncio.Event().wait()


async def settled(count: Callable[[], int]) -> int:
    """Wait until `count` is something and has not changed for a while; return it."""
    before = 0
    while not before or before != count():
        before = count()
        await asyncio.sleep(0.4)
    return before
