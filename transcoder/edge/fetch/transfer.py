"""The bytes of one resource, or of a part of it, however many answers it takes to get them."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple, Self

import httpx

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch.content_encoding import BodyDecoder
from transcoder.edge.fetch.retry import TransientError, resource_name
from transcoder.errors import UnsupportedSourceError, UpstreamError

Into = Callable[[bytes], Awaitable[None]]
"""Where bytes go. Returns when it may be called again: that is the back pressure."""


class ContentRange(NamedTuple):
    """A Content-Range (RFC 9110, 14.4); `stop` is the first byte after it."""

    start: int
    stop: int
    total: int | None

    @classmethod
    def of(cls, response: httpx.Response) -> Self | None:
        """Read it; None if it is missing or makes no sense."""
        match = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", response.headers.get("Content-Range", "").strip(), re.ASCII)
        if match is None:
            return None
        found = cls(int(match[1]), int(match[2]) + 1, None if match[3] == "*" else int(match[3]))
        return found if found.start < found.stop <= (found.total or found.stop) else None


class Validators(NamedTuple):
    """What tells whether two answers carry the same resource (RFC 9110, 8.8)."""

    etag: str | None
    """Strong ones only: a weak one does not vouch for the bytes."""
    modified: str | None
    length: int | None

    @classmethod
    def of(cls, response: httpx.Response, length: int | None) -> Self:
        """Read it from the header of an answer for the resource of that length."""
        etag = response.headers.get("ETag")
        return cls(None if etag is None or etag.startswith("W/") else etag, response.headers.get("Last-Modified"), length)

    def is_surely(self, other: Self) -> bool:
        """Tell whether both are provably the same bytes: by ETag, or by date and length together."""
        if self.etag is not None:
            return self.etag == other.etag and self.may_be(other)
        return self.modified is not None and self.length is not None and self == other

    def may_be(self, other: Self) -> bool:
        """Tell whether nothing shows that they are not the same."""
        return all(ours is None or theirs is None or ours == theirs for ours, theirs in zip(self, other, strict=True))


class Transfer:
    """Which bytes are wanted, which have come, and what the next request has to ask for."""

    def __init__(self, url: str, part: ByteRange | None, *, limit: int, exact: bool = True) -> None:
        """Want `part` of `url`, or all of it, up to `limit` bytes; if not `exact`, the resource may end before the part does."""
        self.url = url
        self.part = part
        self.exact = exact
        self.done = 0
        """How many of the wanted bytes have been passed on."""
        self._start = 0 if part is None else part.start
        self._length = None if part is None else part.length
        self._limit = limit
        self._entity: Validators | None = None
        self._packed = False
        if (self._length or 0) > limit:
            raise self._too_long()

    def headers(self) -> dict[str, str]:
        """Return the header fields that ask for what is still missing."""
        # A range of a packed body counts packed bytes, so such a body is had from its beginning.
        if self._packed or (self._length is None and not self.done):
            return {}
        stop = "" if self._length is None else self._start + self._length - 1
        fields = {"Range": f"bytes={self._start + self.done}-{stop}"}
        validator = self._entity and (self._entity.etag or self._entity.modified)
        return fields | {"If-Range": validator} if validator and self.done else fields

    async def receive(self, response: httpx.Response, into: Into) -> None:
        """Push what `response` brings of the wanted bytes.

        Raises:
            Hiccup: the body broke off; `done` says where to go on.
            UpstreamError: these are not the bytes that were asked for.
            UnsupportedSourceError: there are more than `limit`.
        """
        if response.status_code == httpx.codes.PARTIAL_CONTENT:
            await self._receive_part(response, into)
        elif response.status_code == httpx.codes.OK:
            await self._receive_whole(response, into)
        else:
            raise self._failed("the origin has no bytes where the playlist says there are some", response)
        if self.done == 0:
            raise TransientError(self._failed("the origin sent nothing", response))

    async def read(self, response: httpx.Response) -> bytes:
        """Return what `response` brings of the wanted bytes; raises what `receive` does."""
        buffer = bytearray()

        async def into(piece: bytes) -> None:
            buffer.extend(piece)

        await self.receive(response, into)
        return bytes(buffer)

    async def _receive_part(self, response: httpx.Response, into: Into) -> None:
        """Take a 206: it must begin where the wanted bytes do, and end no later."""
        found = ContentRange.of(response)
        wanted = None if self._length is None else self._start + self._length
        if (
            found is None
            or found.start != self._start + self.done
            or (wanted is not None and found.stop > wanted)
            or BodyDecoder(response).packed
        ):
            raise self._failed("the origin sent another range than the one asked for", response)
        self._identify(Validators.of(response, found.total), response, sure=False)
        async with arriving(response) as pieces:
            async for piece in pieces:
                if self._start + self.done + len(piece) > found.stop:
                    raise self._failed("the origin sent more than the range that it announced", response)
                await self.pass_on(piece, into)
        reached = self._start + self.done
        if reached < found.stop or (reached < (wanted or reached) and reached < (found.total or 0)):
            raise TransientError(self._failed("the origin broke off in the middle of its answer", response))
        if self.exact and reached < (wanted or found.total or reached):
            raise self._failed("the resource is shorter than the playlist says", response)

    async def _receive_whole(self, response: httpx.Response, into: Into) -> None:
        """Take a 200, and cut the wanted slice out of the whole body; stop reading after it."""
        unpacker = BodyDecoder(response)
        self._packed = unpacker.packed
        length = int(response.headers["Content-Length"]) if "Content-Length" in response.headers else None
        self._identify(Validators.of(response, length), response, sure=True)
        # Bytes that are read only to be dropped have the same limit.
        if self._start > self._limit or (self._length is None and (length or 0) > self._limit):
            raise self._too_long()
        skip = before = self._start + self.done
        async with arriving(response) as pieces:
            async for piece in pieces:
                skip = await self._cut(unpacker.feed(piece), skip, into)
                if self._length == self.done:
                    return  # what follows is not wanted, and need not be sent
        unpacker.finish()
        nothing = skip == before and not self.done  # which `receive` takes for a failure that may pass
        if not nothing and (skip or (self.exact and self._length is not None)):
            raise self._failed("the resource is shorter than the playlist says", response)

    async def _cut(self, pieces: Iterator[bytes], skip: int, into: Into) -> int:
        """Pass on what is wanted of `pieces`, after so many bytes that are not; return how many are still to be skipped."""
        for piece in pieces:
            if skip < len(piece):
                await self.pass_on(piece[skip : None if self._length is None else skip + self._length - self.done], into)
            skip = max(0, skip - len(piece))
        return skip

    def _identify(self, entity: Validators, response: httpx.Response, *, sure: bool) -> None:
        """Remember what the first answer carries; a later one that goes on from it must carry the same."""
        if self._entity is None or self.done == 0:
            self._entity = entity
        elif not (entity.is_surely(self._entity) if sure else entity.may_be(self._entity)):
            raise self._failed("the origin broke off, and what it sends now may be something else", response)

    async def pour(self, source: Iterator[bytes], into: Into) -> None:
        """Push what is wanted of bytes that lie at hand."""
        for piece in source:
            await self.pass_on(piece, into)

    async def pass_on(self, piece: bytes, into: Into) -> None:
        """Push a piece of what is wanted, and count it."""
        if self.done + len(piece) > self._limit:
            raise self._too_long()
        if piece:
            await into(piece)
        self.done += len(piece)

    def _too_long(self) -> UnsupportedSourceError:
        return UnsupportedSourceError(f"{resource_name(self.url)} is longer than {self._limit} bytes, the limit for what it is.")

    def _failed(self, what: str, response: httpx.Response) -> UpstreamError:
        return UpstreamError(f"{resource_name(self.url)}: {what}.", origin_status=response.status_code)


@asynccontextmanager
async def arriving(response: httpx.Response) -> AsyncIterator[AsyncIterator[bytes]]:
    """Give the body's bytes as they arrive; leaving early ends the connection.

    httpx reads through several generators, one in the other. Dropped in the middle, each would need a task of the event loop's own to end;
    with the connection closed, the innermost fails, and so they all end here.
    """
    pieces = response.aiter_raw()
    try:
        yield pieces
    finally:
        await response.aclose()
        with suppress(httpx.HTTPError, httpx.StreamError):
            async for _ in pieces:
                pass
