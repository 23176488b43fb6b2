"""A server that answers each request with bytes that a test wrote down, whether they are HTTP or not."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CLOSE = None
"""In place of bytes: the connection ends."""
RESET = "reset"
"""In place of bytes: the connection breaks."""
Answer = Sequence[bytes | float | str | None]
"""Bytes to send, seconds to wait, and ends of the connection, in order."""


@dataclass(slots=True)
class RawOrigin:
    """What the server does and has seen."""

    answer: Answer = field(repr=False)
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    """Their heads and, where they have a Content-Length, their bodies."""
    connections: int = 0
    used_connections: int = 0
    """How many of them have brought a request."""
    open_connections: int = 0
    all_closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no connection is open."""
    sent: int = 0
    """How many bytes the system has taken."""


@asynccontextmanager
async def raw_origin(*answer: bytes | float | str | None, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawOrigin]:
    """Serve on loopback, in the event loop of the test."""
    origin = RawOrigin(answer)
    origin.all_closed.set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        origin.connections += 1
        origin.open_connections += 1
        origin.all_closed.clear()
        try:
            await _serve(origin, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the client has left
        finally:
            if RESET in origin.answer:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()
            origin.open_connections -= 1
            if not origin.open_connections:
                origin.all_closed.set()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    origin.port = server.sockets[0].getsockname()[1]
    try:
        yield origin
    finally:
        server.close()


async def _serve(origin: RawOrigin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.set_write_buffer_limits(0)
    is_used = False
    while True:
        request = await reader.readuntil(b"\r\n\r\n")
        for field_line in request.lower().split(b"\r\n"):
            if field_line.startswith(b"content-length:"):
                request += await reader.readexactly(int(field_line.partition(b":")[2]))
        origin.requests.append(request)
        origin.used_connections += not is_used
        is_used = True
        for step in origin.answer:
            if isinstance(step, float):
                await asyncio.sleep(step)
            elif isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
                origin.sent += len(step)
            else:
                return
