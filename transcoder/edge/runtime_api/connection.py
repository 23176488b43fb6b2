"""One exchange with the Runtime API, on a new connection that is closed after it, as AWS asks.

It uses h11, since httpx cannot send trailers.
"""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple, Self

import h11

from transcoder import __version__

SEND_BUFFER_BYTES = 64 * 1024
"""SO_SNDBUF: how much of a response the system buffers for a slow caller (Linux doubles it)."""
MAX_REPLY_BYTES = 16 * 1024 * 1024
"""A longer event is refused; Lambda's own limit is 6 MiB, before the event is encoded as JSON."""
MAX_HEADER_BYTES = 1024 * 1024
"""Longer headers are refused; one of them contains the client context."""
READ_BYTES = 64 * 1024

_PREFIX = "/2018-06-01/runtime"
_log = logging.getLogger(__name__)


class RuntimeApiError(Exception):
    """The Runtime API failed; the process can do nothing more and has to exit."""


class ResponseLostError(RuntimeApiError):
    """The connection broke during a response; the rest of it cannot be sent."""


class Reply(NamedTuple):
    """A response of the Runtime API."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def error_type(self) -> str:
        """The `errorType` in the body; empty if there is none."""
        try:
            return str(json.loads(self.body)["errorType"])
        except (ValueError, LookupError, TypeError):
            return ""

    def check_accepted(self) -> bool:
        """Return whether Lambda accepted what was posted; False means that it came too late or was too long.

        Raises:
            RuntimeApiError: any other reply; the process has to exit.
        """
        if self.status == HTTPStatus.ACCEPTED:
            return True
        refused = self.status in {HTTPStatus.GONE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE} or self.error_type == "InvalidRequestID"
        if not refused:
            raise RuntimeApiError(f"The Runtime API answered {self.status} {self.error_type}.")
        _log.warning("the Runtime API refused a response: %d %s", self.status, self.error_type)
        return False


class Connection:
    """One HTTP/1.1 exchange with the Runtime API."""

    def __init__(self, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Use `open` instead."""
        self._address = address
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)

    @classmethod
    async def open(cls, address: str) -> Self:
        """Connect to `address`, which is `host:port`; there is no time limit, since the peer is on the same machine."""
        host, _, port = address.rpartition(":")
        sock = socket.socket()
        try:
            sock.setblocking(False)  # noqa: FBT003  # takes no keyword
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
            reader, writer = await asyncio.open_connection(sock=sock, limit=READ_BYTES)
        except OSError as error:
            sock.close()
            raise RuntimeApiError(f"Cannot connect to the Runtime API at {address}.") from error
        except BaseException:
            sock.close()
            raise
        writer.transport.set_write_buffer_limits(0)  # drain() returns once the system has taken everything: that is the back pressure
        return cls(address, reader, writer)

    def request(self, method: str, path: str, headers: list[tuple[str, str]]) -> h11.Request:
        """Build the head of a request; `path` is relative to the API's version."""
        default_headers = [("Host", self._address), ("User-Agent", f"transcoder/{__version__}"), ("Connection", "close")]
        return h11.Request(method=method, target=_PREFIX + path, headers=[*default_headers, *headers])

    async def send(self, *events: h11.Event) -> None:
        """Send all of `events`. If cancelled, the rest is still sent before anything that follows, so the framing stays intact."""
        try:
            self._writer.write(b"".join(self._http.send(event) or b"" for event in events))
            await self._writer.drain()
        except OSError as error:
            raise ResponseLostError("The connection to the Runtime API broke.") from error

    async def reply(self) -> Reply:
        """Read the complete reply."""
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
                    raise RuntimeApiError(f"The Runtime API's reply is longer than {MAX_REPLY_BYTES} bytes.")
        except (OSError, h11.RemoteProtocolError) as error:
            raise ResponseLostError("The Runtime API's reply ended early or is not valid HTTP.") from error
        if head is None:
            raise RuntimeApiError("The Runtime API's reply has no head.")
        return Reply(head.status_code, {name.decode(): value.decode("latin-1") for name, value in head.headers}, bytes(body))

    async def close(self) -> None:
        """Close the connection at once; buffered bytes are discarded."""
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def exchange(address: str, method: str, path: str, headers: list[tuple[str, str]], body: bytes = b"") -> Reply:
    """Send one request with its body, and read the reply."""
    connection = await Connection.open(address)
    try:
        default_headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))] if method == "POST" else []
        await connection.send(connection.request(method, path, [*default_headers, *headers]), h11.Data(data=body), h11.EndOfMessage())
        return await connection.reply()
    finally:
        await connection.close()
