"""The server's side of one HTTP/1.1 exchange, holding no more than it is passing on."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Self

import h11

from transcoder.errors import single_error

BUFFER_BYTES = 64 * 1024
"""How much the system may hold in each direction of a connection (Linux doubles it)."""
MAX_HEADER_BYTES = 1024 * 1024
"""Lambda's limit for a request's line and headers together."""
MAX_CONNECTIONS = 256
"""More connections to one listener wait until others end."""


class BodyTooLongError(Exception):
    """A request's body is longer than allowed."""


class HttpConnection:
    """An accepted connection, for one request and its response."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over two ends that are connected; use `open`."""
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEADER_BYTES)
        self._sends_body = True
        self.peer: str = (writer.get_extra_info("peername") or ("",))[0]
        """The client's address."""

    @classmethod
    async def open(cls, accepted: socket.socket) -> Self:
        """Wrap a socket that was just accepted."""
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader, writer = await asyncio.open_connection(sock=accepted, limit=BUFFER_BYTES)
        writer.transport.set_write_buffer_limits(0)  # a write returns once the system has all of it: back pressure, nothing held here
        return cls(reader, writer)

    async def event(self) -> h11.Event:
        """Wait for the next event of the request.

        Raises:
            h11.RemoteProtocolError: the client breaks off or does not speak HTTP.
            OSError: the connection broke.
        """
        while isinstance(event := self._http.next_event(), type):  # the two events that are no events are classes
            if event is h11.PAUSED:
                raise h11.RemoteProtocolError("a second request before the response to the first")
            self._http.receive_data(await self._reader.read(BUFFER_BYTES))
        if isinstance(event, h11.Request):
            self._sends_body = event.method != b"HEAD"
        return event

    async def body(self, *, limit: int) -> bytes:
        """Read the request's body whole.

        Raises:
            BodyTooLongError: it has more than `limit` bytes.
        """
        if self._http.they_are_waiting_for_100_continue:
            await self.send(h11.InformationalResponse(status_code=HTTPStatus.CONTINUE, headers=[]))
        body = bytearray()
        while isinstance(event := await self.event(), h11.Data):
            body += event.data
            if len(body) > limit:
                raise BodyTooLongError
        return bytes(body)

    async def discard(self, *, limit: int, seconds: float) -> None:
        """Read what is left of the request, within limits: a connection closed on unread bytes takes the response with it."""
        with contextlib.suppress(TimeoutError, BodyTooLongError, OSError, h11.ProtocolError):
            async with asyncio.timeout(seconds):
                await self.body(limit=limit)

    def check(self) -> None:
        """Look whether the client is still there.

        Raises:
            ConnectionError: it has closed its end.
        """
        if self._reader.at_eof() or self._writer.transport.is_closing():
            raise ConnectionResetError

    async def left(self, *, seconds: float) -> None:
        """Wait until the client has closed its end, for so long at most.

        Raises:
            ConnectionError: it closed it on bytes that it had not read.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self._reader.read(BUFFER_BYTES):
                    pass

    async def send(self, *events: h11.Event) -> None:
        """Send all of `events` at once; returns when more may be sent.

        Raises:
            OSError: the client has left.
        """
        self._writer.write(b"".join(self._http.send(event) or b"" for event in events))
        await self._writer.drain()

    async def respond(self, status: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        """Send a whole response."""
        own = [("content-length", str(len(body))), ("connection", "close")]
        await self.send(h11.Response(status_code=status, headers=[*headers, *own]))
        await self.send(h11.Data(data=body) if self._sends_body else h11.Data(data=b""), h11.EndOfMessage())

    async def close(self) -> None:
        """Close at once; what the system has taken still arrives, a response that has not ended is cut."""
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket whose connections have small buffers."""
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Set before listening, because the window of a connection is settled when it is accepted.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        listener.bind((host, port))
        listener.listen()
        listener.setblocking(False)  # noqa: FBT003  # takes no keyword
    except BaseException:
        listener.close()
        raise
    return listener


async def accept(listener: socket.socket, serve: Callable[[HttpConnection], Awaitable[None]]) -> None:
    """Serve each connection to `listener` in a task of its own, until cancelled."""
    free = asyncio.Semaphore(MAX_CONNECTIONS)
    loop = asyncio.get_running_loop()

    async def one(accepted: socket.socket) -> None:
        try:
            connection = await HttpConnection.open(accepted)
            try:
                await serve(connection)
            finally:
                await connection.close()
        except (OSError, h11.RemoteProtocolError):
            pass  # the client's affair
        finally:
            accepted.close()
            free.release()

    with single_error():
        async with asyncio.TaskGroup() as connections:
            while True:
                await free.acquire()
                accepted, _ = await loop.sock_accept(listener)
                connections.create_task(one(accepted))
