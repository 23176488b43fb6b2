"""The connections of one job: opened to checked addresses only, kept for the next request, and closed where anything is left undone."""

import asyncio
import socket
import time
from functools import partial
from typing import Any

import httpcore
import httpx

from transcoder.edge.address_guard.exchange import Exchange, raised_by_httpx, trace_of
from transcoder.edge.address_guard.guard import INTERNET, KEEP_ALIVE_SECONDS, RECEIVE_BUFFER, GuardedBackend, Network

_PORTS = {"http": 80, "https": 443}


class _Connection:
    """A connection to an origin."""

    def __init__(self, origin: tuple[str, str, int], stream: httpcore.AsyncNetworkStream) -> None:
        self.origin = origin
        """Scheme, host and port."""
        self.stream = stream
        self.expires = 0.0
        """When it is not used any more, by the monotonic clock."""

    @property
    def is_usable(self) -> bool:
        """Whether a request may be sent: what can be read before that is the end of the connection, or belongs to no response."""
        return time.monotonic() < self.expires and not self.stream.get_extra_info("is_readable")


class _Pool:
    """Connections to allowed addresses, a limited number at once."""

    def __init__(self, network: Network, *, private: bool, connections: int) -> None:
        self._backend = GuardedBackend(network, private=private)
        self._tls = network.tls()
        self._tls.set_alpn_protocols(["http/1.1"])
        self._count = connections
        self._slots = asyncio.Semaphore(connections)
        self._requests = 0
        self._in_use: set[_Connection] = set()
        self._idle: list[_Connection] = []
        """The last one was used last."""

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
            await self._take_back(connection, exchange)
            raise

    async def _connection_for(self, request: httpx.Request) -> _Connection:
        """Return a connection that is kept, or a new one; one that waits for another origin makes room for it."""
        scheme, host = request.url.scheme, request.url.raw_host.decode("ascii")
        origin = scheme, host, request.url.port or _PORTS[scheme]
        for kept in [each for each in reversed(self._idle) if each.origin == origin]:
            self._idle.remove(kept)
            if kept.is_usable:
                return kept
            await kept.stream.aclose()
        while self._idle and len(self._in_use) + len(self._idle) >= self._count:
            await self._idle.pop(0).stream.aclose()
        with raised_by_httpx(request):
            return _Connection(origin, await self._connect(request, host, origin[2]))

    async def _connect(self, request: httpx.Request, host: str, port: int) -> httpcore.AsyncNetworkStream:
        await trace_of(request)("connection.connect_tcp.started", {})
        seconds: float | None = request.extensions.get("timeout", {}).get("connect")
        options = [(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)]
        stream = await self._backend.connect_tcp(host, port, timeout=seconds, socket_options=options)
        if request.url.scheme == "http":
            return stream
        try:
            return await stream.start_tls(self._tls, server_hostname=host, timeout=seconds)
        except BaseException:
            await stream.aclose()
            raise

    async def _take_back(self, connection: _Connection, exchange: Exchange) -> None:
        """Keep the connection of an exchange that has ended well, and close any other."""
        self._in_use.discard(connection)
        self._end_request()
        if exchange.ended_well:
            connection.expires = time.monotonic() + KEEP_ALIVE_SECONDS
            self._idle.append(connection)
        else:
            await connection.stream.aclose()

    def _end_request(self) -> None:
        self._requests -= 1
        self._slots.release()

    async def aclose(self) -> None:
        """Close every connection, and those of requests that are under way, too."""
        unwanted, self._idle = [*self._idle, *self._in_use], []
        for connection in unwanted:
            await connection.stream.aclose()


class GuardedTransport(httpx.AsyncBaseTransport):
    """The connections of one job, only to allowed addresses.

    A request with the extension `private` may go to a private address. Such requests have a separate pool, so that no other request is
    ever sent over a connection to a private address.
    """

    def __init__(self, *, connections: int, network: Network = INTERNET) -> None:
        """Open at most `connections` at once for each of the two kinds of requests."""
        self._public = _Pool(network, private=False, connections=connections)
        self._private = _Pool(network, private=True, connections=connections)

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
