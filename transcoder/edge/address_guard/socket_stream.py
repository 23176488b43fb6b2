"""Connections over sockets that are read directly: each byte is copied once, out of the system.

A read asks the socket first, and waits only if it has nothing. Nothing is read that nobody has asked for, so a connection whose reader is
busy holds what the system buffers, and no more.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import NoReturn, TypeVar

import httpx

RECEIVE_BUFFER = 256 * 1024
"""SO_RCVBUF of each connection in bytes (Linux doubles it): how much an origin can still send after we stop reading."""
_TLS_RECORD_BYTES = 16 * 1024
"""What one read of TLS returns at most (RFC 8446, 5.1)."""

_BLOCKED = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

T = TypeVar("T")


class SocketStream:
    """A connected socket, with TLS or without."""

    def __init__(self, sock: socket.socket, peer_address: str) -> None:
        """Own `sock`, which does not block and is connected to the IP address `peer_address`."""
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self.peer_address = peer_address
        self._failure: OSError | None = None
        """What ended a read that had bytes to return, for the next one."""
        self._waiting: asyncio.Event | None = None

    async def read(self, max_bytes: int, seconds: float | None) -> bytes:
        """Return the next bytes as soon as there are some; b"" at the end. Everything else has a turn before.

        Raises:
            httpx.ReadError, httpx.ReadTimeout: the connection broke, or none came in so many `seconds`.
        """
        await asyncio.sleep(0)
        try:
            return await self._when_possible(partial(self._receive, max_bytes), seconds)
        except OSError as error:
            _raise_as(error, httpx.ReadTimeout, httpx.ReadError)

    def _receive(self, max_bytes: int) -> bytes:
        """Return what is there, in as few pieces as possible: TLS has one for each of its records."""
        if self._failure is not None:
            raise self._failure
        if not isinstance(self._sock, ssl.SSLSocket):
            return self._sock.recv(max_bytes)
        records, room = [self._sock.recv(max_bytes)], max_bytes
        while records[-1] and (room := room - len(records[-1])) >= _TLS_RECORD_BYTES:
            try:
                records.append(self._sock.recv(room))
            except _BLOCKED:
                break
            except OSError as error:
                self._failure = error
                break
        return records[0] if len(records) == 1 else b"".join(records)

    async def write(self, buffer: bytes, seconds: float | None) -> None:
        """Write all of `buffer`.

        Raises:
            httpx.WriteError, httpx.WriteTimeout: the connection broke, or took none of it in so many `seconds`.
        """
        rest = memoryview(buffer)
        try:
            while rest:
                rest = rest[await self._when_possible(partial(self._sock.send, rest), seconds, writes=True) :]
        except OSError as error:
            _raise_as(error, httpx.WriteTimeout, httpx.WriteError)

    async def start_tls(self, context: ssl.SSLContext, host: str, seconds: float | None) -> None:
        """Begin TLS with `host`, and check its certificate as `context` says.

        Raises:
            httpx.ConnectError, httpx.ConnectTimeout: that failed, or took more than so many `seconds` for one step.
        """
        try:
            wrapped = context.wrap_socket(self._sock, do_handshake_on_connect=False, server_hostname=host)
            self._sock = wrapped  # the one that was wrapped has no descriptor any more
            await self._when_possible(wrapped.do_handshake, seconds)
        except (OSError, ValueError) as error:  # ValueError: a name that no certificate can have
            _raise_as(error, httpx.ConnectTimeout, httpx.ConnectError)

    def close(self) -> None:
        """Close the connection at once. Closing twice is fine."""
        if (descriptor := self._sock.fileno()) >= 0:
            self._loop.remove_reader(descriptor)
            self._loop.remove_writer(descriptor)
            self._sock.close()
        if self._waiting is not None:
            self._waiting.set()

    def is_readable(self) -> bool:
        """Return whether a read would return at once, be it the end or an error; a byte may be lost, which nobody has asked for."""
        try:
            self._sock.recv(1)
        except _BLOCKED:
            return False
        except OSError:
            return True
        return True

    async def _when_possible(self, act: Callable[[], T], seconds: float | None, *, writes: bool = False) -> T:
        """Do something with the socket that it may refuse for now, at once or as soon as it allows that."""
        try:
            return act()
        except _BLOCKED as error:
            blocked = error
        async with asyncio.timeout(seconds):
            while True:
                await self._wait(writable=isinstance(blocked, ssl.SSLWantWriteError) or (writes and isinstance(blocked, BlockingIOError)))
                try:
                    return act()
                except _BLOCKED as error:
                    blocked = error

    async def _wait(self, *, writable: bool) -> None:
        self._waiting, descriptor = asyncio.Event(), self._sock.fileno()
        (self._loop.add_writer if writable else self._loop.add_reader)(descriptor, self._waiting.set)
        try:
            await self._waiting.wait()
        finally:
            self._waiting = None
            if self._sock.fileno() == descriptor:
                (self._loop.remove_writer if writable else self._loop.remove_reader)(descriptor)


async def dial(address: str, port: int) -> SocketStream:
    """Connect to a port of an IP address; no name is resolved.

    Raises:
        httpx.ConnectError, httpx.ConnectTimeout: that failed.
    """
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    with ExitStack() as failing:
        failing.callback(sock.close)
        try:
            sock.setblocking(False)  # noqa: FBT003 - takes no keyword
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
            stream = SocketStream(sock, sock.getpeername()[0])
        except OSError as error:
            _raise_as(error, httpx.ConnectTimeout, httpx.ConnectError)
        failing.pop_all()
    return stream


def _raise_as(error: OSError | ValueError, timeout: type[Exception], failure: type[Exception]) -> NoReturn:
    """Raise what happened to a socket as httpx's exceptions."""
    raise (timeout if isinstance(error, TimeoutError) else failure)(str(error)) from error
