"""SSRF protection: resolve the name, check every address, connect to an address that was checked.

Requests through a proxy do not come here: `fetch/proxied_transport.py` checks what can be checked of them.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import httpx

from transcoder.core.request.addresses import AddressClass, classify
from transcoder.core.request.proxies import NO_PROXIES, Proxies
from transcoder.edge.address_guard.socket_stream import SocketStream, dial
from transcoder.errors import ForbiddenSourceError

KEEP_ALIVE_SECONDS = 15.0
"""For how long a connection that is not in use is kept: most origins keep it longer."""

HOST_CLASS = "host_class"
"""Key in the extensions of a response that came through a proxy: the `AddressClass` of the name that was asked for."""


def has_public_peer(response: httpx.Response) -> bool | None:
    """Return whether the origin that sent `response` has a public address; None if it came over no connection.

    Of an origin behind a proxy only the name is known.
    """
    if HOST_CLASS in response.extensions:
        return response.extensions[HOST_CLASS] is not AddressClass.PRIVATE
    stream: SocketStream | None = response.extensions.get("network_stream")
    return None if stream is None else classify(ip_address(stream.peer_address)) is not AddressClass.PRIVATE


async def look_up(host: str, port: int) -> list[str]:
    """Resolve a name with the system's resolver.

    Raises:
        OSError: the name does not resolve.
    """
    # As bytes: for a text Python imports the tables of IDNA, though the name has been encoded already.
    found = await asyncio.get_running_loop().getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
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
    dial: Callable[[str, int], Awaitable[SocketStream]] = dial
    """Connects to a port of an address that was checked; raises httpx.ConnectError and httpx.ConnectTimeout."""
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


async def connect(network: Network, host: str, port: int, *, private: bool, seconds: float | None) -> SocketStream:
    """Resolve `host`, and connect to the first of its addresses that accepts, if all of them are allowed.

    TLS and the Host header still use the name.

    Raises:
        ForbiddenSourceError: one of them is not public (nor private, if `private`).
        httpx.ConnectError, httpx.ConnectTimeout: it does not resolve, none accepts, or that takes more than so many `seconds`.
    """
    try:
        async with asyncio.timeout(seconds):
            found = await checked_addresses(host, port, private=private, network=network)
            return await _connect_first(network, found, port)
    except TimeoutError as error:
        raise httpx.ConnectTimeout("no connection in time") from error
    except (OSError, UnicodeError) as error:  # UnicodeError: the name is not ASCII
        raise httpx.ConnectError(str(error)) from error


async def _connect_first(network: Network, addresses: list[str], port: int) -> SocketStream:
    """Connect to the first address that accepts."""
    for address in addresses[:-1]:
        try:
            return await network.dial(address, port)
        except httpx.ConnectError:
            continue
    return await network.dial(addresses[-1], port)
