"""One exchange with the Runtime API: a connection of its own, closed after it, as AWS asks.

Framed by h11, since httpx cannot send trailers.
"""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self

import h11

from transcoder import __version__

SEND_BUFFER_BYTES = 64 * 1024
"""How much of an answer the system may hold for a slow caller (Linux doubles it)."""
MAX_REPLY_BYTES = 16 * 1024 * 1024
"""A longer event is refused; Lambda's own limit is 6 MiB, before it is written as JSON."""
MAX_HEADER_BYTES = 1024 * 1024
"""Longer headers are refused; a client's context comes in one."""
READ_BYTES = 64 * 1024

_PREFIX = "/2018-06-01/runtime"
_log = logging.getLogger(__name__)


class RuntimeApiError(Exception):
    """The Runtime API does not do its part; the process is of no further use and has to exit."""


class ResponseLostError(RuntimeApiError):
    """The connection broke while an answer was on its way: nobody takes the rest of it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the Runtime API said."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def reason(self) -> str:
        """What the Runtime API calls its refusal; empty if it does not say."""
        try:
            return str(json.loads(self.body)["errorType"])
        except (ValueError, LookupError, TypeError):
            return ""

    def settle(self) -> bool:
        """Take the reply to an answer for what it means: whether it was accepted; it may have come too late.

        Raises:
            RuntimeApiError: the process has to exit.
        """
        if self.status == HTTPStatus.ACCEPTED:
            return True
        late = self.status in {HTTPStatus.GONE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE} or self.reason == "InvalidRequestID"
        if not late:
            raise RuntimeApiError(f"The Runtime API answered {self.status} {self.reason}.")
        _log.warning("the Runtime API refused an answer: %d %s", self.status, self.reason)
        return False


class Connection:
    """One HTTP/1.1 exchange with the Runtime API."""

    def __init__(self, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over two ends that are connected; use `open`."""
        self._address = address
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)

    @classmethod
    async def open(cls, address: str) -> Self:
        """Connect to `address`, `host:port`; no time limit is needed, since the peer is on this machine."""
        host, _, port = address.rpartition(":")
        connected = socket.socket()
        try:
            connected.setblocking(False)  # noqa: FBT003  # takes no keyword
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(connected, (host, int(port)))
            reader, writer = await asyncio.open_connection(sock=connected, limit=READ_BYTES)
        except OSError as error:
            connected.close()
            raise RuntimeApiError(f"Nothing answers at {address}.") from error
        except BaseException:
            connected.close()
            raise
        writer.transport.set_write_buffer_limits(0)  # a write returns once the system has all of it: back pressure, nothing held here
        return cls(address, reader, writer)

    def request(self, method: str, path: str, headers: list[tuple[str, str]]) -> h11.Request:
        """Put together the head of a request; `path` is relative to the API's version."""
        own = [("Host", self._address), ("User-Agent", f"transcoder/{__version__}"), ("Connection", "close")]
        return h11.Request(method=method, target=_PREFIX + path, headers=[*own, *headers])

    async def send(self, *events: h11.Event) -> None:
        """Send all of `events` at once. When cancelled, what is left still goes out before whatever is sent next: the framing holds."""
        try:
            self._writer.write(b"".join(self._http.send(event) or b"" for event in events))
            await self._writer.drain()
        except OSError as error:
            raise ResponseLostError("The Runtime API closed the connection.") from error

    async def reply(self) -> Reply:
        """Read the reply to its end."""
        body = bytearray()
        head = None
        try:
            while not isinstance(event := self._http.next_event(), h11.EndOfMessage):
                match event:
                    case h11.NEED_DATA:
                        self._http.receive_data(await self._reader.read(READ_BYTES))
                    case h11.Response():
                        head = event
                    case h11.Data():
                        body += event.data
                if len(body) > MAX_REPLY_BYTES:
                    raise RuntimeApiError("The Runtime API's reply has no end.")
        except (OSError, h11.RemoteProtocolError) as error:
            raise ResponseLostError("The Runtime API broke off its reply.") from error
        if head is None:
            raise RuntimeApiError("The Runtime API ended before it replied.")
        return Reply(head.status_code, {name.decode(): value.decode("latin-1") for name, value in head.headers}, bytes(body))

    async def close(self) -> None:
        """Close at once; what has not gone out yet never will."""
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def exchange(address: str, method: str, path: str, headers: list[tuple[str, str]], body: bytes = b"") -> Reply:
    """Send one whole request and read its reply."""
    connection = await Connection.open(address)
    try:
        own = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))] if method == "POST" else []
        await connection.send(connection.request(method, path, [*own, *headers]), h11.Data(data=body), h11.EndOfMessage())
        return await connection.reply()
    finally:
        await connection.close()
