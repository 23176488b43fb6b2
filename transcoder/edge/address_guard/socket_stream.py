"""Connections as httpcore knows them, over sockets that are read directly: each byte is copied once, out of the system.

A read asks the socket first, and waits only if it has nothing. Nothing is read that nobody has asked for, so a connection whose reader is
busy holds what the system buffers, and no more.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from typing import Any, NoReturn, TypeVar

import httpcore

_TLS_RECORD_BYTES = 16 * 1024
"""What one read of TLS returns at most (RFC 8446, 5.1)."""

_BLOCKED = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

T = TypeVar("T")


class SocketBackend(httpcore.AsyncNetworkBackend):
    """Connects to IP addresses; it resolves no names."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to an address, with options that are set before."""
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        with ExitStack() as failing:
            failing.callback(sock.close)
            try:
                sock.setblocking(False)  # noqa: FBT003 - takes no keyword
                for option in (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *(socket_options or ()):
                    sock.setsockopt(*option)
                if local_address is not None:
                    sock.bind((local_address, 0))
                async with asyncio.timeout(timeout):
                    await asyncio.get_running_loop().sock_connect(sock, (host, port))
                stream = SocketStream(sock, sock.getpeername())
            except OSError as error:
                _raise_as(error, httpcore.ConnectTimeout, httpcore.ConnectError)
            failing.pop_all()
        return stream

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class SocketStream(httpcore.AsyncNetworkStream):
    """A connected socket, with TLS or without."""

    def __init__(self, sock: socket.socket, peer: Any) -> None:
        """Own `sock`, which does not block and is connected to the address `peer`."""
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._peer = peer
        self._failure: OSError | None = None
        """What ended a read that had bytes to return, for the next one."""
        self._waiting: asyncio.Event | None = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Return the next bytes as soon as there are some; b"" at the end. Everything else has a turn before."""
        await asyncio.sleep(0)
        try:
            return await self._when_possible(partial(self._receive, max_bytes), timeout)
        except OSError as error:
            _raise_as(error, httpcore.ReadTimeout, httpcore.ReadError)

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

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Write all of `buffer`."""
        rest = memoryview(buffer)
        try:
            while rest:
                rest = rest[await self._when_possible(partial(self._sock.send, rest), timeout, writes=True) :]
        except OSError as error:
            _raise_as(error, httpcore.WriteTimeout, httpcore.WriteError)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """Begin TLS, and check the certificate as `ssl_context` says; the stream that it returns takes the place of this one."""
        try:
            wrapped = ssl_context.wrap_socket(self._sock, do_handshake_on_connect=False, server_hostname=server_hostname)
            self._sock = wrapped  # the one that was wrapped has no descriptor any more
            await self._when_possible(wrapped.do_handshake, timeout)
        except (OSError, ValueError) as error:  # ValueError: a name that no certificate can have
            _raise_as(error, httpcore.ConnectTimeout, httpcore.ConnectError)
        return self

    async def aclose(self) -> None:
        """Close the connection at once. Closing twice is fine."""
        if (descriptor := self._sock.fileno()) >= 0:
            self._loop.remove_reader(descriptor)
            self._loop.remove_writer(descriptor)
            self._sock.close()
        if self._waiting is not None:
            self._waiting.set()

    def get_extra_info(self, info: str) -> Any:
        """Return the address of the peer (`server_addr`), or whether a read would return at once (`is_readable`)."""
        return {"server_addr": lambda: self._peer, "is_readable": self._is_readable}.get(info, lambda: None)()

    def _is_readable(self) -> bool:
        """Return whether there is anything to read, be it the end or an error; a byte may be lost, which nobody has asked for."""
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


def _raise_as(error: OSError | ValueError, timeout: type[Exception], failure: type[Exception]) -> NoReturn:
    """Raise what happened to a socket as httpcore's exceptions."""
    raise (timeout if isinstance(error, TimeoutError) else failure)(str(error)) from error
