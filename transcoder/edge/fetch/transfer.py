"""The bytes of one resource, or of a byte range of it, over as many responses as it takes to get them."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple, Self

import httpx

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch.content_encoding import BodyDecoder
from transcoder.edge.fetch.resource_name import resource_name
from transcoder.edge.fetch.retry import TransientError
from transcoder.errors import UnsupportedSourceError, UpstreamError

ByteSink = Callable[[bytes], Awaitable[None]]
"""Receives bytes. Returns when it may be called again: that is the back pressure."""


class ContentRange(NamedTuple):
    """A Content-Range (RFC 9110, 14.4); `stop` is the first byte after it."""

    start: int
    stop: int
    total: int | None
    """Length of the whole resource, if the origin gave it."""

    @classmethod
    def of(cls, response: httpx.Response) -> Self | None:
        """Read the Content-Range of `response`; None if it is missing or invalid."""
        match = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", response.headers.get("Content-Range", "").strip(), re.ASCII)
        if match is None:
            return None
        found = cls(int(match[1]), int(match[2]) + 1, None if match[3] == "*" else int(match[3]))
        return found if found.start < found.stop <= (found.total or found.stop) else None


class Validators(NamedTuple):
    """The header fields that show whether two responses carry the same resource (RFC 9110, 8.8)."""

    etag: str | None
    """Only a strong one: a weak ETag does not guarantee identical bytes."""
    modified: str | None
    length: int | None
    """Length of the whole resource."""

    @classmethod
    def of(cls, response: httpx.Response, length: int | None) -> Self:
        """Read the validators of `response`, whose whole resource has that length."""
        etag = response.headers.get("ETag")
        return cls(None if etag is None or etag.startswith("W/") else etag, response.headers.get("Last-Modified"), length)

    def prove_same(self, other: Self) -> bool:
        """Return whether both certainly describe the same bytes: equal ETags, or equal dates and lengths."""
        if self.etag is not None:
            return self.etag == other.etag and self.allow_same(other)
        return self.modified is not None and self.length is not None and self == other

    def allow_same(self, other: Self) -> bool:
        """Return whether both may describe the same bytes: no field that both have differs."""
        return all(ours is None or theirs is None or ours == theirs for ours, theirs in zip(self, other, strict=True))


class Transfer:
    """Tracks which bytes are requested, how many were delivered, and what the next request has to ask for."""

    def __init__(self, url: str, byte_range: ByteRange | None, *, limit: int, exact: bool = True) -> None:
        """Request a byte range of `url`, or all of it, up to `limit` bytes; if not `exact`, the resource may end before the range does."""
        self.url = url
        self.byte_range = byte_range
        self.exact = exact
        self.delivered = 0
        """How many of the requested bytes have been pushed into the sink."""
        self._start = 0 if byte_range is None else byte_range.start
        self._length = None if byte_range is None else byte_range.length
        self._limit = limit
        self._validators: Validators | None = None
        self._compressed = False
        if (self._length or 0) > limit:
            raise self._too_long()

    @property
    def _position(self) -> int:
        """Offset in the resource of the next byte to deliver."""
        return self._start + self.delivered

    def headers(self) -> dict[str, str]:
        """Return the header fields that ask for the missing bytes."""
        # A range of a compressed body counts compressed bytes, so such a body is fetched from its beginning.
        if self._compressed or (self._length is None and not self.delivered):
            return {}
        last = "" if self._length is None else self._start + self._length - 1
        fields = {"Range": f"bytes={self._position}-{last}"}
        validator = self._validators and (self._validators.etag or self._validators.modified)
        return fields | {"If-Range": validator} if validator and self.delivered else fields

    async def receive(self, response: httpx.Response, sink: ByteSink) -> None:
        """Push the requested bytes of a response's body into `sink`.

        Raises:
            TransientError: the transfer was interrupted; `headers` asks for the rest.
            UpstreamError: the response does not contain the requested bytes.
            UnsupportedSourceError: there are more than `limit` bytes.
        """
        try:
            if response.status_code == httpx.codes.PARTIAL_CONTENT:
                await self._receive_partial(response, sink)
            elif response.status_code == httpx.codes.OK:
                await self._receive_full(response, sink)
            else:
                raise self._error("the origin has no bytes in the requested range", response)
        except (httpx.ReadError, httpx.RemoteProtocolError) as error:
            raise TransientError(UpstreamError(f"{resource_name(self.url)}: the transfer stopped after {self._progress()}.")) from error
        if self.delivered == 0:
            raise TransientError(self._error("the origin sent nothing", response))

    async def read(self, response: httpx.Response) -> bytes:
        """Return the requested bytes of a response's body; raises what `receive` does."""
        buffer = bytearray()

        async def append(chunk: bytes) -> None:
            buffer.extend(chunk)

        await self.receive(response, append)
        return bytes(buffer)

    async def _receive_partial(self, response: httpx.Response, sink: ByteSink) -> None:
        """Push the body of a 206, which must begin at the next byte to deliver and end no later than the requested range."""
        served = ContentRange.of(response)
        stop = None if self._length is None else self._start + self._length
        if (
            served is None
            or served.start != self._position
            or (stop is not None and served.stop > stop)
            or BodyDecoder(response).is_compressed
        ):
            raise self._error("the origin did not send the requested range", response)
        self._check_same_resource(Validators.of(response, served.total), response, proof_needed=False)
        async with raw_chunks(response) as chunks:
            async for chunk in chunks:
                if self._position + len(chunk) > served.stop:
                    raise self._error("the origin sent more bytes than its Content-Range says", response)
                await self._push(chunk, sink)
        reached = self._position
        if reached < served.stop or (reached < (stop or reached) and reached < (served.total or 0)):
            raise TransientError(self._error(f"the transfer stopped after {self._progress()}", response))
        if self.exact and reached < (stop or served.total or reached):
            raise self._error(f"the origin sent only {self._progress()}", response)

    async def _receive_full(self, response: httpx.Response, sink: ByteSink) -> None:
        """Push the requested slice of a 200's body, and stop reading after it."""
        decoder = BodyDecoder(response)
        self._compressed = decoder.is_compressed
        length = int(response.headers["Content-Length"]) if "Content-Length" in response.headers else None
        self._check_same_resource(Validators.of(response, length), response, proof_needed=True)
        # Bytes that are read only to be skipped count towards the limit.
        if self._start > self._limit or (self._length is None and (length or 0) > self._limit):
            raise self._too_long()
        skip = initial_skip = self._position
        async with raw_chunks(response) as chunks:
            async for chunk in chunks:
                skip = await self._push_slice(decoder.decode(chunk), skip, sink)
                if self._length == self.delivered:
                    return  # the rest of the body is not needed
        decoder.finish()
        empty = skip == initial_skip and not self.delivered  # `receive` raises a transient failure for it
        if skip and not empty:
            raise self._error(f"the resource ends before byte {self._position}", response)
        if self.exact and self._length is not None and not empty:
            raise self._error(f"the origin sent only {self._progress()}", response)

    async def _push_slice(self, chunks: Iterator[bytes], skip: int, sink: ByteSink) -> int:
        """Push the requested bytes of `chunks` after skipping `skip` bytes; return how many are still to be skipped."""
        for chunk in chunks:
            if skip < len(chunk):
                await self._push(chunk[skip : None if self._length is None else skip + self._length - self.delivered], sink)
            skip = max(0, skip - len(chunk))
        return skip

    def _check_same_resource(self, validators: Validators, response: httpx.Response, *, proof_needed: bool) -> None:
        """Remember the validators of the first response, and compare those of one that continues it."""
        if self._validators is None or self.delivered == 0:
            self._validators = validators
        elif not (validators.prove_same(self._validators) if proof_needed else validators.allow_same(self._validators)):
            raise self._error("the transfer was interrupted, and the resource may have changed since", response)

    async def push_all(self, chunks: Iterator[bytes], sink: ByteSink) -> None:
        """Push requested bytes that need no request."""
        for chunk in chunks:
            await self._push(chunk, sink)

    async def _push(self, chunk: bytes, sink: ByteSink) -> None:
        """Push requested bytes into the sink, and count them."""
        if self.delivered + len(chunk) > self._limit:
            raise self._too_long()
        if chunk:
            await sink(chunk)
        self.delivered += len(chunk)

    def _progress(self) -> str:
        """Return how much was delivered, such as `1000 of 2000 bytes`; without a total where that is not known."""
        total = self._length if self.exact else None
        if self._length is None and self._validators is not None and not self._compressed:
            total = self._validators.length
        return f"{self.delivered} bytes" if total is None else f"{self.delivered} of {total} bytes"

    def _too_long(self) -> UnsupportedSourceError:
        return UnsupportedSourceError(f"{resource_name(self.url)} is longer than {self._limit} bytes, the limit for this kind of resource.")

    def _error(self, what: str, response: httpx.Response) -> UpstreamError:
        return UpstreamError(f"{resource_name(self.url)}: {what}.", origin_status=response.status_code)


@asynccontextmanager
async def raw_chunks(response: httpx.Response) -> AsyncIterator[AsyncIterator[bytes]]:
    """Give the body's bytes as they arrive; leaving the block early closes the connection.

    httpx reads through several nested generators. Abandoned halfway, each would need a task of the event loop to finish it. With the
    connection closed, the innermost one fails, and so they all finish here.
    """
    chunks = response.aiter_raw()
    try:
        yield chunks
    finally:
        await response.aclose()
        with suppress(httpx.HTTPError, httpx.StreamError):
            async for _ in chunks:
                pass
