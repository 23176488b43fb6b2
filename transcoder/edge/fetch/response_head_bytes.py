"""How many bytes and interim responses (RFC 9110, 15.2) an origin may send until its response has a head; h11 limits that one."""

import asyncio
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore

from transcoder.errors import UpstreamError

MAX_RESPONSE_HEAD_BYTES = 384 * 1024
"""What is read with the end of the head, of the body, counts as well. h11 reads no head of more than 100 KiB."""

MAX_INTERIM_RESPONSES = 100
"""They are short, and each is parsed."""


class _Room:
    """How many bytes and interim responses may still be read of one response before its head is complete."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._bytes = MAX_RESPONSE_HEAD_BYTES
        self._interim_responses = MAX_INTERIM_RESPONSES

    def take(self, count: int) -> None:
        self._bytes -= count
        if self._bytes < 0:
            raise self._too_much(f"{MAX_RESPONSE_HEAD_BYTES} bytes")

    def take_interim_response(self) -> None:
        self._interim_responses -= 1
        if self._interim_responses < 0:
            raise self._too_much(f"{MAX_INTERIM_RESPONSES} interim responses")

    def _too_much(self, what: str) -> UpstreamError:
        return UpstreamError(f"{self._name}: the origin sent more than {what} before the head of a response.")


_room: ContextVar[_Room | None] = ContextVar("room for the head of a response", default=None)


@contextmanager
def response_head_limit(name: str) -> Iterator[None]:
    """Limit the block, in which the head of the response for the resource of that name is read over a connection of `HeadLimitedBackend`.

    Raises:
        UpstreamError: more bytes or interim responses were read.
    """
    token = _room.set(_Room(name))
    try:
        yield
    finally:
        _room.reset(token)


def count_interim_response() -> None:
    """Count an interim response in the block of a `response_head_limit`.

    Raises:
        UpstreamError: there have been too many.
    """
    if room := _room.get():
        room.take_interim_response()


class HeadLimitedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections whose reads are counted in the block of a `response_head_limit`, and in no other."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        """Let `backend` connect."""
        self._backend = backend

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to an address."""
        return _HeadLimitedStream(await self._backend.connect_tcp(host, port, timeout, local_address, socket_options))

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _HeadLimitedStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        data = await self._stream.read(max_bytes, timeout)
        if room := _room.get():
            room.take(len(data))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return _HeadLimitedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
