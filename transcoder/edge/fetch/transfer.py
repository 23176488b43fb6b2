"""The bytes of one resource, or of a byte range of it, over as many responses as it takes to get them."""

from collections.abc import Awaitable, Callable, Iterator

import httpx

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch.body_slice import BodySlice
from transcoder.edge.fetch.content_encoding import BodyDecoder
from transcoder.edge.fetch.delivered_bytes import DeliveredBytes, RepeatedBytes
from transcoder.edge.fetch.raw_body import raw_chunks
from transcoder.edge.fetch.retry import EndsEarlyError, ShortRangeError, TransientError
from transcoder.edge.fetch.validators import ContentRange, Validators, content_length, length_after_416
from transcoder.edge.resource_name import resource_name
from transcoder.errors import DamagedMediaError, EmptyResourceError, UnsupportedSourceError, UpstreamError

ByteSink = Callable[[bytes], Awaitable[None]]
"""Receives bytes. Returns when it may be called again: that is the back pressure."""


class Transfer:
    """Tracks which bytes are requested, how many were delivered, and what the next request has to ask for."""

    def __init__(self, url: str, byte_range: ByteRange | None, *, limit: int, exact: bool = True) -> None:
        """Request a byte range of `url`, or all of it, up to `limit` bytes; if not `exact`, the resource may end before the range does."""
        self.url = url
        self.byte_range = byte_range
        self.exact = exact
        self.following = b""
        """The first bytes behind the range, where a response has shown them."""
        self._passed_on = DeliveredBytes()
        self._start = 0 if byte_range is None else byte_range.start
        self._length = None if byte_range is None else byte_range.length
        self._limit = limit
        self._validators: Validators | None = None
        self._uncompared: Validators | None = None  # those of the current response, until the bytes that it repeats are compared
        self._whole_only = False
        """No range is asked for any more, because the origin's ranges cannot be used."""
        self._from_start = False
        """The next range begins with the first byte of all, because another version of the resource was sent."""
        self._overlap = 0
        """How many bytes the current request asks for again, to compare them."""
        self._awaits_more = False
        """The last response was a complete 206 that was shorter than the range."""
        if (self._length or 0) > limit:
            raise self._too_long()

    @property
    def delivered(self) -> int:
        """How many of the requested bytes have been pushed into the sink."""
        return self._passed_on.count

    @property
    def beginning(self) -> bytes:
        """The first requested bytes."""
        return self._passed_on.beginning

    @property
    def _position(self) -> int:
        """Offset in the resource of the next byte to deliver."""
        return self._start + self.delivered

    @property
    def _stop(self) -> int | None:
        """Offset of the first byte after the requested range; None if all of the resource is requested."""
        return None if self._length is None else self._start + self._length

    def headers(self) -> dict[str, str]:
        """Return the header fields that ask for the missing bytes."""
        self._overlap = 0
        if self._whole_only or (self._length is None and not self.delivered):
            return {}
        validator = self._validators and (self._validators.etag or self._validators.modified)
        if self._from_start:
            self._overlap, validator = self.delivered, None
        # A server that sends short ranges is asked for new bytes only: its next one may be no longer than the overlap.
        elif not validator and not self._awaits_more:
            self._overlap = len(self._passed_on.end)
        fields = {"Range": f"bytes={self._position - self._overlap}-{'' if self._stop is None else self._stop - 1}"}
        return fields | {"If-Range": validator} if validator and self.delivered else fields

    def restart(self) -> None:
        """Begin with the first byte again, after a sink has taken none of those that were pushed into it."""
        self._passed_on, self._validators, self._awaits_more = DeliveredBytes(), None, False

    async def receive(self, response: httpx.Response, sink: ByteSink) -> None:
        """Push the requested bytes of a response's body into `sink`.

        Raises:
            ShortRangeError: the response is complete and has a part of the missing bytes; `headers` asks for the rest.
            EndsEarlyError: the response says that there are no more bytes, although the range is longer.
            TransientError: the transfer was interrupted, or the response does not continue it; `headers` asks for the rest.
            UpstreamError: the resource does not contain the requested bytes.
            UnsupportedSourceError: there are more than `limit` bytes.
        """
        awaited_more, self._awaits_more = self._awaits_more, False
        try:
            if response.status_code == httpx.codes.PARTIAL_CONTENT:
                await self._receive_partial(response, sink)
            elif response.status_code == httpx.codes.OK:
                await self._receive_full(response, sink)
            else:
                self._accept_end(response, expected=awaited_more)
        except (httpx.ReadError, httpx.RemoteProtocolError) as error:
            if self.delivered != self._length:  # the end of the message is not needed
                stopped = UpstreamError(f"{resource_name(self.url)}: the transfer stopped after {self._progress()}.")
                raise TransientError(stopped) from error
        if self.delivered == 0:
            raise TransientError(self._error("the origin sent nothing", response))

    async def _receive_partial(self, response: httpx.Response, sink: ByteSink) -> None:
        """Push the body of a 206, which must begin at the next byte to deliver and end no later than the requested range."""
        served = self._check_range(response)
        self._check_same_resource(Validators.of(response, served.total), response)
        repeated, reached = self._passed_on.repeated(overlap=self._overlap), served.start
        async with raw_chunks(response) as chunks:
            async for chunk in chunks:
                reached += len(chunk)
                if reached > served.stop:
                    raise self._error("the origin sent more bytes than its Content-Range says", response)
                await self._push_new(chunk, repeated, response, sink)
        if reached < served.stop:
            raise TransientError(self._error(f"the transfer stopped after {self._progress()}", response))
        total = served.total or (self._validators and self._validators.length)
        end = min((known for known in (self._stop, total) if known is not None), default=None)
        if end is None or reached < end:
            self._awaits_more = True
            raise ShortRangeError(self._error(f"the origin sent only {self._progress()}", response))
        if repeated.remaining:  # the resource ends before the last byte that was delivered
            raise TransientError(self._changed(response))
        if self.exact and reached < (self._stop or reached):
            raise EndsEarlyError(self._error(f"the origin sent only {self._progress()}", response))

    def _check_range(self, response: httpx.Response) -> ContentRange:
        """Return the Content-Range of a 206 whose body can continue the transfer.

        Raises:
            TransientError: it cannot; none of its bytes was pushed.
        """
        served = ContentRange.of(response)
        if BodyDecoder(response).is_compressed:
            served, self._whole_only = None, True  # a range of a compressed body counts compressed bytes
        if served is None or served.start != self._position - self._overlap or served.stop > (self._stop or served.stop):
            self._whole_only = self._whole_only or self.delivered > 0
            raise TransientError(self._error("the origin did not send the requested range", response))
        if (content_length(response) or 0) > served.stop - served.start:
            raise TransientError(self._error("the origin sent more bytes than its Content-Range says", response))
        return served

    async def _receive_full(self, response: httpx.Response, sink: ByteSink) -> None:
        """Push the requested slice of a 200's body, and stop reading after it."""
        decoder, length = BodyDecoder(response), content_length(response)
        # A range of a compressed body counts compressed bytes, so such a body is fetched from its beginning.
        self._whole_only = self._whole_only or decoder.is_compressed
        self._check_same_resource(Validators.of(response, None if decoder.is_compressed else length), response)
        # Bytes that are read only to be skipped count towards the limit.
        if self._start > self._limit or (self._length is None and (length or 0) > self._limit):
            raise self._too_long()
        part, repeated = BodySlice(self._start, self._stop), self._passed_on.repeated()
        async with raw_chunks(response) as chunks:
            async for chunk in chunks:
                for decoded in decoder.decode(chunk):
                    await self._push_new(part.take(decoded), repeated, response, sink)
                if self._length == self.delivered and not repeated.remaining:
                    self.following = part.following
                    return  # the rest of the body is not needed
        decoder.finish()
        self._check_end(part.received, response)

    def _check_end(self, received: int, response: httpx.Response) -> None:
        """Check that a whole body of so many bytes has all that is requested.

        Raises:
            TransientError: it does not, which the next body may, since an origin can serve a file before it has all of it.
        """
        if not received:
            raise TransientError(self._error("the origin sent nothing", response, EmptyResourceError))
        if received < self._position or received <= self._start:
            raise TransientError(self._error(f"the resource ends before byte {self._position}", response))
        if self.exact and self._length is not None:
            raise EndsEarlyError(self._error(f"the origin sent only {self._progress()}", response))
        known = self._validators and self._validators.length
        if self._length is None and known not in {None, received}:
            raise TransientError(self._changed(response))

    def _accept_end(self, response: httpx.Response, *, expected: bool) -> None:
        """Accept a 416 that says that the resource ends where the transfer stands; `expected` after a range that did not tell its length.

        Raises:
            TransientError: it does not say so, or the file is empty for now, or it ends before the requested range does.
        """
        lengths = {length_after_416(response), self._validators and self._validators.length} - {None}
        if not self.delivered or self._whole_only or (lengths != {self._position} and (lengths or not expected)):
            # All may be asked for: some servers answer 416 to any range, and an empty file has none.
            self._whole_only = self._whole_only or self.delivered > 0 or not self._start
            raise TransientError(self._error("the origin has no bytes in the requested range", response))
        self._awaits_more = expected
        if self.exact and self._length is not None:
            raise EndsEarlyError(self._error(f"the origin sent only {self._progress()}", response))

    def _check_same_resource(self, validators: Validators, response: httpx.Response) -> None:
        """Compare the validators of a response with those of the one before.

        Raises:
            TransientError: they differ. The next two responses have to agree, and are compared from their first byte: servers may give
                different validators to the same bytes, or may have told a wrong length.
        """
        known = self._validators if self.delivered and self._validators else validators
        if not validators.allow_same(known):
            self._validators = validators
            self._from_start, self._whole_only = self._length is not None, self._length is None
            raise TransientError(self._changed(response))
        self._validators, self._uncompared = known, validators.completed_by(known)

    async def push_all(self, chunks: Iterator[bytes], sink: ByteSink) -> None:
        """Push requested bytes that need no request."""
        for chunk in chunks:
            await self._push(chunk, sink)

    async def _push_new(self, chunk: bytes, repeated: RepeatedBytes, response: httpx.Response, sink: ByteSink) -> None:
        """Push what a chunk of a body has after the bytes that were delivered before."""
        new = repeated.remove_from(chunk)
        if new is None:
            raise TransientError(self._changed(response))
        self._validators = self._validators if repeated.remaining else self._uncompared
        await self._push(new, sink)

    async def _push(self, chunk: bytes, sink: ByteSink) -> None:
        """Push requested bytes into the sink, and count them."""
        if self.delivered + len(chunk) > self._limit:
            raise self._too_long()
        if chunk:
            await sink(chunk)
            self._passed_on.add(chunk)

    def _progress(self) -> str:
        """Return how much was delivered, such as `1000 of 2000 bytes`; without a total where that is not known."""
        total = self._length if self.exact else None
        if self._length is None and self._validators is not None:
            total = self._validators.length
        return f"{self.delivered} bytes" if total is None else f"{self.delivered} of {total} bytes"

    def _too_long(self) -> UnsupportedSourceError:
        return UnsupportedSourceError(f"{resource_name(self.url)} is longer than {self._limit} bytes, the limit for this kind of resource.")

    def _changed(self, response: httpx.Response) -> UpstreamError:
        return self._error("the transfer was interrupted, and the resource may have changed since", response)

    def _error(self, what: str, response: httpx.Response, kind: type[DamagedMediaError] = DamagedMediaError) -> UpstreamError:
        return kind(f"{resource_name(self.url)}: {what}.", origin_status=response.status_code)
