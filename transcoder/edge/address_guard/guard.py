"""SSRF protection: resolve the name, check every address, connect to an address that was checked.

Requests through a proxy do not come here: `fetch/proxied_transport.py` checks what can be checked of them.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import httpcore
import httpx

from transcoder.core.request.addresses import AddressClass, classify
from transcoder.core.request.proxies import NO_PROXIES, Proxies
from transcoder.edge.address_guard.socket_stream import SocketBackend
from transcoder.errors import ForbiddenSourceError

RECEIVE_BUFFER = 256 * 1024
"""SO_RCVBUF of each connection in bytes (Linux doubles it): how much an origin can still send after we stop reading."""

KEEP_ALIVE_SECONDS = 15.0
"""For how long a connection that is not in use is kept: most origins keep it longer."""

HOST_CLASS = "host_class"
"""Key in the extensions of a response that came through a proxy: the `AddressClass` of the name that was asked for."""


def has_public_peer(response: httpx.Response) -> bool | None:
    """Return whether the origin that sent `response` has a public address; None if its connection is gone and does not know any more.

    Of an origin behind a proxy only the name is known.
    """
    if HOST_CLASS in response.extensions:
        return response.extensions[HOST_CLASS] is not AddressClass.PRIVATE
    stream = response.extensions.get("network_stream")
    address = None if stream is None else stream.get_extra_info("server_addr")
    return None if address is None else classify(ip_address(address[0])) is not AddressClass.PRIVATE


async def look_up(host: str, port: int) -> list[str]:
    """Resolve a name with the system's resolver.

    Raises:
        OSError: the name does not resolve.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@cache
def tls() -> ssl.SSLContext:
    """Return the TLS context, which all jobs share: reading the certificates takes 50 ms, which are better spent at startup."""
    package = find_spec("certifi")
    file = Path(package.origin or "").with_name("cacert.pem") if package else Path()
    # certifi.where() finds the same file by importlib.resources, which takes 15 ms of a start.
    return ssl.create_default_context(cafile=file) if file.is_file() else httpx.create_ssl_context(trust_env=False)


class Network(NamedTuple):
    """How names are resolved, addresses connected to, and certificates checked, and which requests go through a proxy."""

    look_up: Callable[[str, int], Awaitable[list[str]]] = look_up
    """Name and port → addresses; raises OSError."""
    dial: httpcore.AsyncNetworkBackend = SocketBackend()
    """Connects to an address that was checked."""
    tls: Callable[[], ssl.SSLContext] = tls
    proxies: Proxies = NO_PROXIES
    """The function has none, whatever its environment says: its protection against private addresses would depend on the proxy."""


INTERNET = Network()


async def checked_addresses(host: str, port: int, *, private: bool, network: Network = INTERNET) -> list[str]:
    """Resolve `host`, and return its addresses if a connection to every one of them is allowed.

    Raises:
        ForbiddenSourceError: one of them is not public (nor private, if `private`).
        OSError: the name does not resolve.
    """
    found = await network.look_up(host, port)
    # Check all of them, not only the first: a name with a public and a private address is a known way around such a check.
    check_classes(host, {classify(ip_address(address)) for address in found}, private=private)
    return found


def check_classes(host: str, classes: set[AddressClass], *, private: bool) -> None:
    """Check that a connection to `host`, whose addresses have these `classes`, is allowed.

    Raises:
        ForbiddenSourceError: one of them is not public (nor private, if `private`), or there is none.
    """
    if not classes or not classes <= ({AddressClass.PUBLIC, AddressClass.PRIVATE} if private else {AddressClass.PUBLIC}):
        raise ForbiddenSourceError(f"{host} is not on the public internet, so nothing is fetched from it.")


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to checked addresses only; TLS and the Host header still use the name."""

    def __init__(self, network: Network, *, private: bool) -> None:
        """Connect over `network`; with `private`, to private addresses, too."""
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
        """Resolve `host`, and connect to the first of its addresses that accepts.

        Raises:
            ForbiddenSourceError: one of them is not allowed.
            httpcore.ConnectError, httpcore.ConnectTimeout: it does not resolve, or none accepts.
        """
        try:
            async with asyncio.timeout(timeout):
                found = await checked_addresses(host, port, private=self._private, network=self._network)
                return await self._connect_first(found, port, local_address, socket_options)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except (OSError, UnicodeError) as error:  # getaddrinfo raises UnicodeError for a label that is invalid in IDNA
            raise httpcore.ConnectError(str(error)) from error

    async def _connect_first(
        self, addresses: list[str], port: int, local_address: str | None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that accepts."""
        for address in addresses[:-1]:
            try:
                return await self._network.dial.connect_tcp(address, port, local_address=local_address, socket_options=socket_options)
            except httpcore.ConnectError:
                continue
        return await self._network.dial.connect_tcp(addresses[-1], port, local_address=local_address, socket_options=socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
