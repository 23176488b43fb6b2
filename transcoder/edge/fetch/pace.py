"""Whether origins send fast enough, and in pieces that are worth their work.

The clocks run only while a request waits for its origin, not while its bytes wait for their reader.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any, cast

import httpx

from transcoder.edge.address_guard import LongHeadError, Trace
from transcoder.edge.fetch.retry import TransientError
from transcoder.edge.resource_name import resource_name
from transcoder.edge.stall_watch import StallWatch
from transcoder.errors import UpstreamError, UpstreamTimeoutError
from transcoder.settings import Settings

MAX_PIECES = 20_000
"""A body in more pieces is refused unless they have `LEAST_PIECE_BYTES` on average: one of a byte is as much work as one of 96 KiB."""
LEAST_PIECE_BYTES = 128
"""Less than a transport packet, which is the least that a server of media sends at once."""
MAX_FIELDS = 1000
"""A response with more header fields is refused: each of them is copied several times."""

BODY = "body"
"""Key in a response's extensions: its body as it arrives, without the two generators that httpx reads it through."""


class RateWindow:
    """The bytes of a body in the current window: so much time in which the body was awaited."""

    def __init__(self, least_rate: int, seconds: float) -> None:
        """Demand `least_rate` bytes per second in each window of so many seconds."""
        self._needed = least_rate * seconds
        self._seconds = seconds
        self._waited = 0.0
        self._received = 0

    @property
    def patience(self) -> float:
        """For how many seconds the next bytes may still be awaited."""
        return self._seconds - self._waited + (self._seconds if self._received >= self._needed else 0.0)

    def add(self, count: int, waited: float) -> None:
        """Count bytes that were awaited for so many seconds."""
        self._waited += waited
        self._received += count
        if self._waited >= self._seconds:
            self._waited, self._received = 0.0, 0


class OriginClock:
    """What one job has received from all of its origins, and how many of its requests wait for them now."""

    def __init__(self, settings: Settings) -> None:
        """Measure by these settings."""
        self._settings = settings
        self._waiting = 0
        self._received = 0

    def begin_waiting(self) -> None:
        """Count one more request that waits."""
        self._waiting += 1

    def end_waiting(self) -> None:
        """Count one less."""
        self._waiting -= 1

    def received(self, count: int) -> None:
        """Count bytes of a body."""
        self._received += count

    @asynccontextmanager
    async def stall_limit(self) -> AsyncIterator[None]:
        """Limit the block.

        Raises:
            UpstreamTimeoutError: requests have waited for `stall_seconds`, and no byte of a body has arrived.
        """
        seconds, limit, loop = self._settings.stall_seconds, asyncio.timeout(None), asyncio.get_running_loop()
        watch = StallWatch(
            seconds,
            is_awaited=lambda: self._waiting > 0,
            progress=lambda: self._received,
            on_stall=lambda: limit.reschedule(loop.time()),
        )
        silent = UpstreamTimeoutError(f"The origins have sent nothing for {seconds:g} s, over all attempts.")
        with _raised_if_expired(limit, silent):
            async with limit:
                with watch.running():
                    yield

    def new_window(self) -> RateWindow:
        """Return the first window of a body."""
        return RateWindow(self._settings.least_rate, self._settings.rate_seconds)

    @property
    def head_seconds(self) -> float:
        """How long the head of a response may take."""
        return self._settings.read_seconds


class PacedTransport(httpx.AsyncBaseTransport):
    """A transport whose origins have to send the head of a response in time, and its body at a least rate."""

    def __init__(self, transport: httpx.AsyncBaseTransport, clock: OriginClock) -> None:
        """Send requests through `transport`, which it owns."""
        self._transport = transport
        self._clock = clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            httpx.ReadTimeout: the head of the response takes too long.
            UpstreamError: it has more than `MAX_FIELDS`, or is preceded by very many interim responses.
            Exception: what the transport raises. From the body of the response, a `TransientError` if that is too slow.
        """
        limit, waiting = asyncio.timeout(None), ExitStack()
        request.extensions = {**request.extensions, "trace": self._trace(limit, waiting, request.extensions.get("trace"))}
        with waiting, _raised_if_expired(limit, httpx.ReadTimeout("", request=request)):
            async with limit:
                response = await self._with_limited_head(request)
        await _check_fields(response, request)
        response.stream = _PacedBody(request, cast("httpx.AsyncByteStream", response.stream), self._clock)
        response.extensions[BODY] = response.stream
        return response

    async def _with_limited_head(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._transport.handle_async_request(request)
        except LongHeadError as error:
            name = resource_name(str(request.url))
            raise UpstreamError(f"{name}: the origin sent more than {error} before the head of a response.") from error

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    def _trace(self, limit: asyncio.Timeout, waiting: ExitStack, pass_on: Trace | None) -> Trace:
        """Return what begins the `limit` of a response's head, and counts its request as `waiting`, when the transport says so."""

        async def trace(event: str, info: dict[str, Any]) -> None:
            if pass_on is not None:
                await pass_on(event, info)
            # The wait for a free connection does not count. Connecting has its own limit, and a proxy's response to CONNECT the same one.
            if event.endswith(("connect_tcp.started", "send_request_headers.started")):
                waiting.close()
                self._clock.begin_waiting()
                waiting.callback(self._clock.end_waiting)
            elif event.endswith("receive_response_headers.started"):
                limit.reschedule(asyncio.get_running_loop().time() + self._clock.head_seconds)

        return trace


async def _check_fields(response: httpx.Response, request: httpx.Request) -> None:
    if len(response.headers.raw) > MAX_FIELDS:
        await response.aclose()
        raise UpstreamError(f"{resource_name(str(request.url))}: the origin sent more than {MAX_FIELDS} header fields.")


class _PacedBody(httpx.AsyncByteStream):
    """A body that fails if it comes too slowly, or in too many pieces.

    It is its own iterator and no generator: one that is abandoned halfway would need a task of the event loop to finish it.
    """

    def __init__(self, request: httpx.Request, body: httpx.AsyncByteStream, clock: OriginClock) -> None:
        self._url = request.url
        self._body = body
        self._chunks = aiter(body)
        self._clock = clock
        self._window = clock.new_window()
        self._room = MAX_PIECES * LEAST_PIECE_BYTES
        """How many bytes the pieces may still lack, all together."""

    @property
    def _name(self) -> str:
        return resource_name(str(self._url))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        loop = asyncio.get_running_loop()
        began, limit = loop.time(), asyncio.timeout(self._window.patience)
        self._clock.begin_waiting()
        try:  # without the helpers of this module, which would take as long again for each chunk
            async with limit:
                chunk = await anext(self._chunks)
        except TimeoutError as error:
            if limit.expired():
                raise TransientError(UpstreamTimeoutError(f"{self._name}: the origin sends too slowly.")) from error
            raise
        finally:
            self._clock.end_waiting()
        self._window.add(len(chunk), loop.time() - began)
        self._clock.received(len(chunk))
        self._room += len(chunk) - LEAST_PIECE_BYTES
        if self._room < 0:
            raise UpstreamError(f"{self._name}: the origin sends its body in very many and very small pieces.")
        return chunk

    async def aclose(self) -> None:
        await self._body.aclose()


class SmallRequests:
    """Playlists, keys and other small resources: a few at once, and each in its time, over all attempts."""

    def __init__(self, settings: Settings) -> None:
        """Allow as many at once as there may be connections."""
        self._slots = asyncio.Semaphore(settings.connections)
        self._seconds = settings.playlist_seconds

    @asynccontextmanager
    async def slot(self, url: str) -> AsyncIterator[None]:
        """Wait for a slot, and limit the block, which fetches `url` into memory.

        Raises:
            UpstreamTimeoutError: it takes more than `playlist_seconds`.
        """
        late = UpstreamTimeoutError(f"{resource_name(url)}: the origin has not sent all of it in {self._seconds:g} s.")
        async with self._slots:
            limit = asyncio.timeout(self._seconds)
            with _raised_if_expired(limit, late):
                async with limit:
                    yield


@contextmanager
def _raised_if_expired(limit: asyncio.Timeout, failure: Exception) -> Iterator[None]:
    """Raise `failure` if `limit` ends the block."""
    try:
        yield
    except TimeoutError as error:
        if limit.expired():
            raise failure from error
        raise
