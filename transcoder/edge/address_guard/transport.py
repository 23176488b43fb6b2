"""The connections of one job: opened to checked addresses only, kept for the next request, and closed where anything is left undone."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import httpx

from transcoder.edge.address_guard.exchange import Exchange, trace_of
from transcoder.edge.address_guard.guard import INTERNET, Network, connect
from transcoder.edge.address_guard.kept_connections import Connection, KeptConnections, Origin
from transcoder.errors import ForbiddenSourceError

_PORTS = {"http": 80, "https": 443}
MORE_FOLLOW = "more_follow"
"""Key in the extensions of a request for a playlist: what starts a task that ends with the job, or None. Segments follow, and each new
connection costs one to three round trips."""
SPARES = 1
"""How many connections are opened beside that of a playlist: a track needs its first segment and the end of its last one at once."""


class _Pool:
    """Connections to allowed addresses, a limited number at once."""

    def __init__(self, network: Network, *, private: bool, connections: int, kept: KeptConnections, public: KeptConnections) -> None:
        """Keep connections to public addresses in `public`, from which all pools take, and others in `kept`."""
        self._network = network
        self._private = private
        self._tls = network.tls()
        self._tls.set_alpn_protocols(["http/1.1"])
        self._count = connections
        self._slots = asyncio.Semaphore(connections)
        self._requests = 0
        self._is_closed = False
        self._in_use: set[Connection] = set()
        self._kept = kept
        self._public = public
        self._spares: dict[asyncio.Future[Connection | None], Origin] = {}
        """Those that are being opened, and that no request waits for so far; None for one that could not be opened."""

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return not self._requests

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, as soon as there may be one more."""
        await self._slots.acquire()
        self._requests += 1
        try:
            connection = await self._connection_for(request)
        except BaseException:
            self._end_request()
            raise
        self._in_use.add(connection)
        exchange = Exchange(connection.stream, request)
        try:
            return await exchange.respond(partial(self._take_back, connection, exchange))
        except BaseException:
            self._take_back(connection, exchange)
            raise

    async def _connection_for(self, request: httpx.Request) -> Connection:
        """Return a connection that is kept, a spare one, or a new one; one that waits for another origin makes room for that."""
        scheme = request.url.scheme
        origin = scheme, request.url.raw_host.decode("ascii"), request.url.port or _PORTS[scheme]
        kept = self._kept.take(origin) or self._public.take(origin)
        spare = None if kept else next((future for future, its_origin in self._spares.items() if its_origin == origin), None)
        if spare:
            del self._spares[spare]
        if kept or (spare and (kept := await self._opened(spare))):
            self._open_spares(request, origin)
            return kept
        while self._kept and self._open >= self._count:
            self._kept.close_one()
        await trace_of(request)("connection.connect_tcp.started", {})
        return await self._connect(request, origin, partial(self._open_spares, request, origin))

    async def _opened(self, spare: "asyncio.Future[Connection | None]") -> Connection | None:
        """Wait for a spare connection; None if it cannot be opened."""
        try:
            return await spare
        except asyncio.CancelledError:
            # It may be open already, when whoever waits for it is cancelled before its next step.
            if not spare.cancelled() and (opened := spare.result()):
                self._keep(opened, is_new=True)
            raise

    @property
    def _open(self) -> int:
        return len(self._in_use) + len(self._kept) + len(self._spares)

    def _open_spares(self, request: httpx.Request, origin: Origin) -> None:
        """Begin to open `SPARES` connections for each that will be in use at the origin with this request, less those that there are."""
        in_use = sum(each.origin == origin for each in self._in_use)
        kept = sum(each.count(origin) for each in {self._kept, self._public})
        spare = kept + sum(each == origin for each in self._spares.values())
        self._open_next(request, origin, min(SPARES * (1 + in_use) - spare, self._count - 1 - self._open))

    def _open_next(self, request: httpx.Request, origin: Origin, count: int) -> None:
        """Begin to open so many connections, one after another: an origin that serves them so gets requests in the same order."""
        start: Callable[[Coroutine[None, None, None]], asyncio.Task[None]] | None = request.extensions.get(MORE_FOLLOW)
        if start is None or count <= 0:
            return
        future: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._spares[future] = origin
        opening = self._open_spare(request, origin, future, partial(self._open_next, request, origin, count - 1))
        start(opening).add_done_callback(partial(self._forget_spare, future))

    async def _open_spare(
        self, request: httpx.Request, origin: Origin, future: "asyncio.Future[Connection | None]", when_open: Callable[[], None]
    ) -> None:
        """Open a connection for the request that waits for `future`, or to keep. Why it cannot be opened, a request hears from its own."""
        try:
            opened = await self._connect(request, origin, when_open)
        except (httpx.NetworkError, httpx.TimeoutException, ForbiddenSourceError):
            return
        if self._spares.pop(future, None) or future.done():
            self._keep(opened, is_new=True)
        else:
            future.set_result(opened)

    def _forget_spare(self, future: "asyncio.Future[Connection | None]", _task: "asyncio.Task[None]") -> None:
        """Let nobody wait for a connection whose task is over, whether it failed or was cancelled, even before its first step."""
        self._spares.pop(future, None)
        if not future.done():
            future.set_result(None)

    def _keep(self, connection: Connection, *, is_new: bool) -> None:
        """Keep a connection for the next request, unless there is none any more."""
        if self._is_closed:
            connection.stream.close()
        else:
            (self._public if connection.is_public else self._kept).add(connection, is_new=is_new)

    async def _connect(self, request: httpx.Request, origin: Origin, when_open: Callable[[], None]) -> Connection:
        """Open a connection; call `when_open` before TLS begins on it."""
        scheme, host, port = origin
        seconds: float | None = request.extensions.get("timeout", {}).get("connect")
        stream = await connect(self._network, host, port, private=self._private, seconds=seconds)
        when_open()
        if scheme == "https":
            try:
                await stream.start_tls(self._tls, host, seconds)
            except BaseException:
                stream.close()
                raise
        return Connection(origin, stream)

    def _take_back(self, connection: Connection, exchange: Exchange) -> None:
        """Keep the connection of an exchange that has ended well, and close any other."""
        self._in_use.discard(connection)
        self._end_request()
        if exchange.ended_well:
            self._keep(connection, is_new=False)
        else:
            connection.stream.close()

    def _end_request(self) -> None:
        self._requests -= 1
        self._slots.release()

    async def aclose(self) -> None:
        """Close every connection, and those of requests that are under way, too."""
        self._is_closed = True
        self._kept.close()
        for connection in [*self._in_use]:
            connection.stream.close()


class GuardedTransport(httpx.AsyncBaseTransport):
    """The connections of one job, only to allowed addresses.

    After a request with the extension `MORE_FOLLOW`, others to the same origin are expected: connections for them are opened while it is
    answered. A request with the extension `private` may go to a private address. Such requests have a separate pool, so that no other
    request is ever sent over a connection to a private address.
    """

    def __init__(self, *, connections: int, network: Network = INTERNET) -> None:
        """Open at most `connections` at once for each of the two kinds of requests."""
        public = KeptConnections()
        self._public = _Pool(network, private=False, connections=connections, kept=public, public=public)
        self._private = _Pool(network, private=True, connections=connections, kept=KeptConnections(), public=public)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            ForbiddenSourceError: the address is not allowed.
            httpx.TransportError: the connection or the request failed.
            LongHeadError: the origin sent too much before the head of the response was complete.
        """
        extensions: dict[str, Any] = request.extensions
        pool = self._private if extensions.get("private") is True else self._public
        return await pool.handle_async_request(request)

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return self._public.is_idle and self._private.is_idle

    async def aclose(self) -> None:
        """Close every connection."""
        await self._public.aclose()
        await self._private.aclose()
