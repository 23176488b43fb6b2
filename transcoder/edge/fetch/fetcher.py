"""Everything that a job fetches: text, small things whole, heads and tails of segments, segments."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Self, TypeVar

import httpx

from transcoder.core.hls.plan import ByteRange
from transcoder.core.source.reply import HttpReply
from transcoder.edge.address_guard import INTERNET, Network
from transcoder.edge.fetch import local_files
from transcoder.edge.fetch.last_bytes import end_of, last_bytes_once
from transcoder.edge.fetch.passthrough import FileFoundError, FileSink, FileTransfer, Sniffer, local_file_head
from transcoder.edge.fetch.reply import read_page
from transcoder.edge.fetch.retry import TransientError, backoff
from transcoder.edge.fetch.session import ApiRequest, HttpSession
from transcoder.edge.fetch.transfer import Into, Transfer
from transcoder.errors import ForbiddenSourceError
from transcoder.settings import Settings

PROGRESS = 1024 * 1024
"""A try that brought so many bytes does not count as failed: an origin may hang up on a slow reader as often as it likes."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Text:
    """A playlist as it was fetched."""

    url: str
    """Where it came from in the end: what relative addresses in it are relative to."""
    text: str


class Fetcher:
    """Fetches for one job: one set of connections and cookies, one answer to where it may go."""

    def __init__(self, exchange: HttpSession, settings: Settings, *, local_files: bool) -> None:
        """Use `open` instead."""
        self._exchange = exchange
        self._settings = settings
        self._local_files = local_files
        # Small things wait for each other only: media may be held up until a key has come.
        self._small = asyncio.Semaphore(settings.connections)
        self.bytes = 0
        """How many bytes were delivered so far."""
        self.segments = 0
        """How many segments were delivered to their end so far."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings, *, headers: Mapping[str, str] | None = None, local_files: bool = False, network: Network = INTERNET
    ) -> AsyncIterator[Self]:
        """Hold a job's connections open. `headers` go with every request; `local_files` allows paths and file: URLs.

        Private addresses and local files are open to the job only until a playlist comes from a public address.

        Raises:
            BadRequestError: a header field cannot be sent.
        """
        async with HttpSession.open(settings, headers or {}, network) as exchange:
            yield cls(exchange, settings, local_files=local_files)

    @property
    def requests(self) -> int:
        """How many requests were sent so far, redirects and retries included."""
        return self._exchange.requests

    @property
    def retries(self) -> int:
        """How many of them were sent because another had failed."""
        return self._exchange.retries

    async def text(self, url: str) -> Text:
        """Fetch a playlist: UTF-8, what is not is replaced; at most `max_playlist_bytes`, unpacked.

        Raises:
            FileFoundError: it is a file; no more than its begin was read.
            UpstreamError, UpstreamTimeoutError: it cannot be had.
            ForbiddenSourceError: its address may not be fetched.
            UnsupportedSourceError: it is too long.
        """
        limit, buffer = self._settings.max_playlist_bytes, bytearray()

        async def once() -> str:
            buffer.clear()
            async with self._exchange.get(url, {"Accept-Encoding": "gzip"}) as response:
                self._distrust(response)
                sniffer = Sniffer(url, response, _onto(buffer))
                await Transfer(url, None, limit=limit).receive(response, sniffer.write)
                sniffer.end()
                return str(response.url)

        source = self._source(url, None, exact=True)
        async with self._small:
            if source is None:
                base = await self._retrying(once)
            else:
                base = local_files.address(url)
                if found := local_file_head(url):
                    raise FileFoundError(found)
                await Transfer(url, None, limit=limit).pour(source, _onto(buffer))
        self.bytes += len(buffer)
        return Text(base, buffer.decode("utf-8-sig", "replace"))

    async def file(self, url: str, asked: Mapping[str, str], into: FileSink) -> None:
        """Pass a file on as it is, or the part that the fields `asked` ask for. Returns only once all of it was passed on.

        Raises:
            UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: as for `text`.
        """
        source = self._source(url, None, exact=True)
        head = None if source is None else local_file_head(url)
        if source is not None and head is not None:
            await into.start(head)
            await Transfer(url, None, limit=sys.maxsize).pour(source, into.write)
            return
        passing = FileTransfer(self._exchange, url, asked, into)
        await self._retrying(passing.once, lambda: passing.done)
        self.bytes += passing.done

    async def page(self, question: ApiRequest, *, limit: int) -> HttpReply:
        """Ask what is not about media, and return the answer whatever its status below 500; at most `limit` bytes, unpacked.

        Raises:
            UpstreamError, UpstreamTimeoutError, ForbiddenSourceError, UnsupportedSourceError: as for `text`.
        """

        async def once() -> HttpReply:
            packed = replace(question, headers={"Accept-Encoding": "gzip", **question.headers})
            async with self._exchange.ask(packed) as response:
                self._distrust(response)
                return await read_page(response, limit=limit)

        async with self._small:
            return await self._retrying(once)

    async def whole(self, url: str, part: ByteRange | None = None, *, limit: int) -> bytes:
        """Fetch something small at once, such as a key or an initialization section.

        Raises:
            UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: as for `text`.
            UnsupportedSourceError: it is longer than `limit` bytes.
        """
        return await self._collect(Transfer(url, part, limit=limit))

    async def head(self, url: str, part: ByteRange | None = None, *, size: int) -> bytes:
        """Fetch the first `size` bytes of a segment, fewer only if it is shorter.

        Raises:
            UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: as for `text`.
        """
        wanted = ByteRange(0, size) if part is None else ByteRange(part.start, min(size, part.length))
        return await self._collect(Transfer(url, wanted, limit=self._settings.max_segment_bytes, exact=part is not None))

    async def tail(self, url: str, part: ByteRange | None = None, *, size: int) -> bytes | None:
        """Fetch the last `size` bytes of a segment, fewer only if it is shorter; None if the origin serves no ranges.

        Raises:
            UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: as for `text`.
        """
        source = self._source(url, None if part is None else end_of(part, size), exact=True)
        if source is not None:
            return b"".join(source)[-size:]
        async with self._small:
            found = await self._retrying(lambda: last_bytes_once(self._exchange, url, part, size=size))
        self.bytes += len(found or b"")
        return found

    async def segment(self, url: str, part: ByteRange | None, into: Into) -> None:
        """Push a segment's bytes as they arrive, in pieces of at most 64 KiB. Returns only once every one of them was pushed.

        Raises:
            UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: as for `text`.
            UnsupportedSourceError: it is longer than `max_segment_bytes`.
        """
        await self._deliver(Transfer(url, part, limit=self._settings.max_segment_bytes), into)
        self.segments += 1

    async def _collect(self, transfer: Transfer) -> bytes:
        buffer = bytearray()
        async with self._small:
            await self._deliver(transfer, _onto(buffer))
        return bytes(buffer)

    async def _deliver(self, transfer: Transfer, into: Into) -> None:
        """Push what `transfer` wants, from wherever it lies."""

        async def once() -> None:
            async with self._exchange.get(transfer.url, transfer.headers()) as response:
                await transfer.receive(response, into)

        source = self._source(transfer.url, transfer.part, exact=transfer.exact)
        if source is None:
            await self._retrying(once, lambda: transfer.done)
        else:
            await transfer.pour(source, into)
        self.bytes += transfer.done

    async def _retrying(self, once: Callable[[], Awaitable[T]], done: Callable[[], int] = int) -> T:
        """Try until it works, or until it failed `attempts` times in a row with no progress worth the name."""
        failed = 0
        while True:
            before = done()
            try:
                return await once()
            except TransientError as failure:
                failed = 1 if done() - before >= PROGRESS else failed + 1
                if failed >= self._settings.attempts:
                    raise failure.error from failure.__cause__
                self._exchange.retries += 1
                await asyncio.sleep(backoff(failed, self._settings.retry_seconds) if failure.pause is None else failure.pause)

    def _distrust(self, response: httpx.Response) -> None:
        """Let nothing that a playlist from elsewhere says lead to files, or from the public internet to a private network."""
        self._local_files = False
        self._exchange.distrust(response)

    def _source(self, url: str, part: ByteRange | None, *, exact: bool) -> Iterator[bytes] | None:
        """Return the bytes of what needs no network; None if it does."""
        if local_files.is_data(url):
            return iter([local_files.data(url, part)])
        path = local_files.path_of(url)
        if path is None:
            return None
        if not self._local_files:
            raise ForbiddenSourceError("The source leads to a local file.")
        return local_files.pieces(path, part, exact=exact)


def _onto(buffer: bytearray) -> Into:
    """Return what appends to `buffer`."""

    async def into(piece: bytes) -> None:
        buffer.extend(piece)

    return into
