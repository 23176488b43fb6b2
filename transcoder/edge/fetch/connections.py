"""Connections to origins that are kept from one job to the next: each would cost a round trip, and two more with TLS."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self

import httpx

from transcoder.edge.address_guard import INTERNET, KEEP_ALIVE_SECONDS, GuardedTransport, Network
from transcoder.settings import Settings


class Connections:
    """The connections of one job after another. They know nothing of a job: cookies and headers are those of its session."""

    def __init__(self, settings: Settings, network: Network, clock: Callable[[], float]) -> None:
        """Use `open` instead."""
        self._clock = clock
        # Media transfers wait for their readers, so they may hold this many connections and still leave some for keys and playlists.
        self.count = 2 * settings.connections + 4
        """How many there may be at once."""
        self.network = network
        """Where they go."""
        self._transport = self._new()
        self._unused_since: float | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, network: Network = INTERNET, *, clock: Callable[[], float] = time.time) -> AsyncIterator[Self]:
        """Open none yet, and close all after the block. The `clock`, in seconds, must go on while Lambda has the environment frozen."""
        connections = cls(settings, network, clock)
        try:
            yield connections
        finally:
            await connections._transport.aclose()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[httpx.AsyncBaseTransport]:
        """Lend the connections to one job, without those that have not been used for longer than origins keep them.

        They are only kept if the job has left all of them idle: any other belongs to a request that has not ended.
        """
        if self._unused_since is not None and not 0 <= self._clock() - self._unused_since < KEEP_ALIVE_SECONDS:
            await self._renew()
        try:
            yield _Lent(self._transport)
        finally:
            self._unused_since = self._clock()
            if not self._transport.is_idle:
                await self._renew()

    async def _renew(self) -> None:
        """Close all connections."""
        unwanted, self._transport = self._transport, self._new()
        await unwanted.aclose()

    def _new(self) -> GuardedTransport:
        return GuardedTransport(connections=self.count, network=self.network)


class _Lent(httpx.AsyncBaseTransport):
    """A transport that its borrower cannot close."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._transport.handle_async_request(request)
