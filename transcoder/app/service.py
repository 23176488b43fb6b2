"""What all requests share, and what one is answered with."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from transcoder.app.signed_links import Links
from transcoder.core.answer.function_url import ResponseHead
from transcoder.core.answer.metrics import Value
from transcoder.edge.address_guard import Network
from transcoder.edge.fetch import Fetcher
from transcoder.pipeline.resolver import Resolver
from transcoder.settings import Settings


class Answer(Protocol):
    """What a request is answered with, as it is made."""

    @property
    def started(self) -> bool:
        """Status and headers have gone out and cannot be taken back."""

    def note(self, **fields: Value) -> None:
        """Add to what is logged of the request."""

    async def start(self, head: ResponseHead) -> None:
        """Send status and headers."""

    async def write(self, chunk: bytes) -> None:
        """Send a part of the body; returns when the next may be given."""


@dataclass(frozen=True, slots=True)
class Service:
    """What one execution environment keeps from one request to the next."""

    settings: Settings
    program: str
    """Path of ffmpeg."""
    resolver: Resolver
    links: Links
    network: Network
    clock: Callable[[], float]
    """Seconds, for how long things take."""

    @asynccontextmanager
    async def fetcher(self, url: str, *, noted_in: Answer) -> AsyncIterator[Fetcher]:
        """Open what fetches for a request about `url`, and note what it has done."""
        noted_in.note(source_host=urlsplit(url).hostname or "")
        async with Fetcher.open(self.settings, network=self.network) as fetcher:
            try:
                yield fetcher
            finally:
                noted_in.note(segments=fetcher.segments, retries=fetcher.retries)
