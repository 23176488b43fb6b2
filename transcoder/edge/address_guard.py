"""Where a connection may go: resolve the name, check every address, connect to the address that was checked."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpcore
import httpx

from transcoder.errors import ForbiddenSourceError

RECEIVE_BUFFER = 256 * 1024
"""SO_RCVBUF of each connection in bytes (Linux doubles it): what a consumer that stopped reading still lets the origin send."""

KEEP_ALIVE_SECONDS = 15.0


class Reach(Enum):
    """How far away an address is."""

    PUBLIC = "public"
    PRIVATE = "private"
    """Loopback, private networks, carrier-grade NAT: only where the user named such an address themself."""
    NEVER = "never"
    """Link-local with the clouds' metadata services, multicast, reserved, unspecified, and tunnels that could hide any of these."""


_PRIVATE: tuple[IPv4Network | IPv6Network, ...] = (
    *map(IPv4Network, ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")),
    *map(IPv6Network, ("::1/128", "fc00::/7")),
)
_METADATA = frozenset(map(ip_address, ("100.100.100.200", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254")))
"""Metadata services that lie outside the link-local networks (Alibaba, AWS, Google)."""
_RELAY = IPv4Network("192.88.99.0/24")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_TUNNELS = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))
_NAT64 = IPv6Network("64:ff9b::/96")


def reach(address: IPv4Address | IPv6Address) -> Reach:
    """Tell how far away an address is, by the IANA special-purpose registries (RFC 6890), not by what answers there."""
    if isinstance(address, IPv6Address):
        # The same machine under another notation (RFC 4291, 2.5.5.2; RFC 6052).
        if address.ipv4_mapped is not None:
            return reach(address.ipv4_mapped)
        if address in _NAT64:
            far = reach(IPv4Address(int(address) & 0xFFFFFFFF))
            return far if far is Reach.PUBLIC else Reach.NEVER
    if address in _METADATA or address.is_multicast:
        return Reach.NEVER
    if any(address in network for network in _PRIVATE):
        return Reach.PRIVATE
    if isinstance(address, IPv4Address):
        return Reach.PUBLIC if address.is_global and address not in _RELAY else Reach.NEVER
    tunnelled = any(address in network for network in _TUNNELS)
    return Reach.PUBLIC if address.is_global and address in _GLOBAL_UNICAST and not tunnelled else Reach.NEVER


def came_from_public(response: httpx.Response) -> bool:
    """Tell whether the peer that sent `response` has a public address; a peer that cannot be told counts as public."""
    stream = response.extensions.get("network_stream")
    address = None if stream is None else stream.get_extra_info("server_addr")
    return address is None or reach(ip_address(address[0])) is not Reach.PRIVATE


async def look_up(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a name.

    Raises:
        OSError: it does not resolve.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@cache
def tls() -> ssl.SSLContext:
    """Make the TLS context, once for all jobs: reading the certificates takes 50 ms, which a start with time to spare may as well spend."""
    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True, slots=True)
class Network:
    """What is taken for granted of the network: whose word names and certificates are, and how an address is dialled."""

    look_up: Callable[[str, int], Awaitable[list[str]]] = look_up
    """Name and port → addresses; raises OSError."""
    dial: httpcore.AsyncNetworkBackend = field(default_factory=httpcore.AnyIOBackend)
    """Connects to an address that was checked."""
    tls: Callable[[], ssl.SSLContext] = tls


INTERNET = Network()


async def addresses(host: str, port: int, *, private: bool, network: Network = INTERNET) -> list[str]:
    """Resolve `host`, and return its addresses if a connection may go to every one of them.

    Raises:
        ForbiddenSourceError: one of them is not public (nor private, if `private`).
        OSError: the name does not resolve.
    """
    names = await network.look_up(host, port)
    allowed = {Reach.PUBLIC, Reach.PRIVATE} if private else {Reach.PUBLIC}
    # Every one, not the first: a name with a public and a private address is how a check is talked round.
    if not names or any(reach(ip_address(name)) not in allowed for name in names):
        raise ForbiddenSourceError(f"{host} does not lie on the public internet, so nothing is fetched from there.")
    return names


class _Guard(httpcore.AsyncNetworkBackend):
    """Opens connections to checked addresses only; TLS and Host still use the name."""

    def __init__(self, network: Network, *, private: bool) -> None:
        self._private = private
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                names = await addresses(host, port, private=self._private, network=self._network)
                return await self._first(names, port, local_address, socket_options)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except (OSError, UnicodeError) as error:  # getaddrinfo raises the latter for a label that IDNA does not know
            raise httpcore.ConnectError(str(error)) from error

    async def _first(
        self, names: list[str], port: int, local_address: str | None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that accepts."""
        for name in names[:-1]:
            try:
                return await self._network.dial.connect_tcp(name, port, local_address=local_address, socket_options=socket_options)
            except httpcore.ConnectError:
                continue
        return await self._network.dial.connect_tcp(names[-1], port, local_address=local_address, socket_options=socket_options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Pool(httpx.AsyncHTTPTransport):
    """httpx's own transport over a pool whose connections are opened by `_Guard`."""

    def __init__(self, network: Network, *, private: bool, connections: int) -> None:
        super().__init__(verify=network.tls())
        if not isinstance(self._pool, httpcore.AsyncConnectionPool):
            raise TypeError("This version of httpx keeps its connections elsewhere: the address guard would not be asked.")
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=network.tls(),
            max_connections=connections,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            network_backend=_Guard(network, private=private),
            socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)],
        )


class GuardedTransport(httpx.AsyncBaseTransport):
    """Connections of one job, each only to where it may go.

    A request with the extension `private` may go to a private address. Such requests have a pool of their own, so that no other
    request is ever sent over a connection to a private address.
    """

    def __init__(self, *, connections: int, network: Network = INTERNET) -> None:
        """Open at most `connections` at once, for each of the two kinds of requests."""
        self._public = _Pool(network, private=False, connections=connections)
        self._private = _Pool(network, private=True, connections=connections)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            ForbiddenSourceError: its address may not be connected to.
            httpx.TransportError: anything else that goes wrong.
        """
        extensions: dict[str, Any] = request.extensions
        pool = self._private if extensions.get("private") is True else self._public
        return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._public.aclose()
        await self._private.aclose()
