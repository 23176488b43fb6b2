"""The server's side of one HTTP/1.1 exchange, which buffers no more than it is passing on."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Self

import h11

from transcoder.edge import header_fields
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import single_error

header_fields.read_in_linear_time()
BUFFER_BYTES = 64 * 1024
"""How much the kernel may buffer in each direction of a connection (Linux doubles it)."""
MAX_HEADER_BYTES = 1024 * 1024
"""Lambda's limit for the request line and headers together."""
MAX_CONNECTIONS = 256
"""Further connections to a listener wait until others are closed."""


class BodyTooLongError(Exception):
    """The body of a request is longer than allowed."""


class HttpConnection:
    """An accepted connection, for one request and its response."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over a connected reader and writer; use `open`."""
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEADER_BYTES)
        self._sends_body = True
        self.client_address: str = (writer.get_extra_info("peername") or ("",))[0]
        """The client's IP address."""

    @classmethod
    async def open(cls, accepted: socket.socket) -> Self:
        """Wrap a newly accepted socket."""
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader, writer = await asyncio.open_connection(sock=accepted, limit=BUFFER_BYTES)
        # drain() then returns only once the kernel has every byte: back pressure, with nothing buffered here.
        writer.transport.set_write_buffer_limits(0)
        return cls(reader, writer)

    async def read_head(self, *, seconds: float) -> h11.Request | None:
        """Wait for the head of the request; None if there is none.

        Raises:
            TimeoutError: not all of it has arrived in time.
            h11.RemoteProtocolError, OSError: as for `next_event`.
        """
        async with asyncio.timeout(seconds):
            event = await self.next_event()
        return event if isinstance(event, h11.Request) else None

    async def next_event(self) -> h11.Event:
        """Wait for the next event of the request.

        Raises:
            h11.RemoteProtocolError: the client disconnected in the middle of the request, or does not speak HTTP.
            OSError: the connection broke.
        """
        while isinstance(event := self._http.next_event(), type):  # h11's NEED_DATA and PAUSED are classes, not events
            if event is h11.PAUSED:
                raise h11.RemoteProtocolError("a second request before the response to the first")
            self._http.receive_data(await self._reader.read(BUFFER_BYTES))
        if isinstance(event, h11.Request):
            self._sends_body = event.method != b"HEAD"
        return event

    async def read_body(self, *, limit: int) -> bytes:
        """Return the whole body of the request.

        Raises:
            BodyTooLongError: it has more than `limit` bytes.
        """
        if self._http.they_are_waiting_for_100_continue:
            await self.send(h11.InformationalResponse(status_code=HTTPStatus.CONTINUE, headers=[]))
        body = bytearray()
        while isinstance(event := await self.next_event(), h11.Data):
            body += event.data
            if len(body) > limit:
                raise BodyTooLongError
        return bytes(body)

    async def discard_body(self, *, limit: int, seconds: float) -> None:
        """Read and drop the rest of the request, within limits: closing a socket with unread bytes also destroys the response."""
        with contextlib.suppress(TimeoutError, BodyTooLongError, OSError, h11.ProtocolError):
            async with asyncio.timeout(seconds):
                await self.read_body(limit=limit)

    def raise_if_closed(self) -> None:
        """Check that the client is still connected.

        Raises:
            ConnectionError: the client has closed its end.
        """
        if self._reader.at_eof() or self._writer.transport.is_closing():
            raise ConnectionResetError

    async def wait_for_close(self, *, seconds: float | None) -> None:
        """Wait until the client closes its end, for `seconds` at most; None waits without end.

        Raises:
            ConnectionError: the client closed it before it had read every byte.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self._reader.read(BUFFER_BYTES):
                    pass

    async def send(self, *events: h11.Event) -> None:
        """Send all of `events` in one write; return when more may be sent.

        Raises:
            OSError: the client has disconnected.
        """
        self._writer.write(b"".join(self._http.send(event) or b"" for event in events))
        await self._writer.drain()

    async def respond(self, status: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        """Send a whole response."""
        # RFC 9110, 8.6: a 204 has no Content-Length.
        length = [] if status == HTTPStatus.NO_CONTENT else [("content-length", str(len(body)))]
        await self.send(h11.Response(status_code=status, headers=[*headers, *length, ("connection", "close")]))
        await self.send(h11.Data(data=body) if self._sends_body else h11.Data(data=b""), h11.EndOfMessage())

    async def close(self) -> None:
        """Close at once; bytes that the kernel has accepted still arrive, and an incomplete response is cut."""
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket whose connections have small buffers."""
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Set before listen(), because a connection's window is fixed when it is accepted.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        listener.bind((host, port))
        listener.listen()
        listener.setblocking(False)  # noqa: FBT003  # takes no keyword
    except BaseException:
        listener.close()
        raise
    return listener


async def serve_connections(listener: socket.socket, serve: Callable[[HttpConnection], Awaitable[None]]) -> None:
    """Accept connections until cancelled, and call `serve` with each one in its own task."""
    slots = asyncio.Semaphore(MAX_CONNECTIONS)

    async def serve_socket(accepted: socket.socket) -> None:
        try:
            connection = await HttpConnection.open(accepted)
            try:
                await serve(connection)
            finally:
                await connection.close()
        except (OSError, h11.RemoteProtocolError):
            pass  # the client disconnected, is too slow (TimeoutError) or does not speak HTTP: only its own request is affected

    def end(accepted: socket.socket, _task: asyncio.Task[None]) -> None:
        accepted.close()
        slots.release()

    with single_error():
        async with TaskGroup() as connections:
            while True:
                await slots.acquire()
                accepted = await _accept(listener)
                # A task that is cancelled before its first step runs none of its own clean-up.
                connections.create_task(serve_socket(accepted)).add_done_callback(partial(end, accepted))


async def _accept(listener: socket.socket) -> socket.socket:
    """Wait for a connection, and accept it in the step that returns it: asyncio's `sock_accept` loses it if it is cancelled in between."""
    loop, may_accept = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(listener, may_accept.set)
    try:
        while True:
            await may_accept.wait()
            may_accept.clear()
            with contextlib.suppress(BlockingIOError):
                accepted, _ = listener.accept()
                accepted.setblocking(False)  # noqa: FBT003  # takes no keyword
                return accepted
    finally:
        loop.remove_reader(listener)
