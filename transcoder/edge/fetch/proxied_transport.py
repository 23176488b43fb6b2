"""Requests through a proxy, which resolves the names of origins itself: only the spelling of a host can be checked, not its addresses."""

import contextlib
import re
import socket
from http import HTTPStatus
from ipaddress import IPv4Address, ip_address
from typing import Any

import httpx

from transcoder.core.request.addresses import AddressClass, classify
from transcoder.core.request.proxies import Proxy
from transcoder.edge.address_guard import (
    HOST_CLASS,
    KEEP_ALIVE_SECONDS,
    RECEIVE_BUFFER,
    Network,
    check_classes,
)
from transcoder.edge.connection_failure import why_no_connection
from transcoder.edge.fetch.pace import OriginClock, PacedTransport
from transcoder.edge.fetch.retry import PROXY_NAME, TRANSIENT_STATUSES, TransientError
from transcoder.edge.resource_name import resource_name
from transcoder.errors import BadRequestError, ProxyFailedError

_PRIVATE_DOMAINS = ("localhost", "localdomain", "local", "internal", "home.arpa")
"""Domains that the public DNS does not have: RFC 6761, RFC 6762, RFC 8375; ICANN has reserved `internal`."""
_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"})


def classify_name(host: str) -> AddressClass:
    """Return the class of a host that somebody else will resolve, by its spelling alone; a name says less than its addresses would."""
    name = host.rstrip(".").lower()
    with contextlib.suppress(ValueError):
        return classify(ip_address(name))
    if not re.fullmatch(r"[a-z0-9._-]+", name) or name in _METADATA_NAMES:
        return AddressClass.FORBIDDEN
    with contextlib.suppress(OSError):
        return classify(IPv4Address(socket.inet_aton(name)))  # 127.1, 0x7f000001: resolvers take them for addresses
    # Only hosts of one's own network can be reached by a name without a dot.
    is_private = "." not in name or f".{name}".endswith(tuple(f".{domain}" for domain in _PRIVATE_DOMAINS))
    return AddressClass.PRIVATE if is_private else AddressClass.PUBLIC


class ProxiedTransport(httpx.AsyncBaseTransport):
    """The connections of one job: through the proxies of a network, or directly to allowed addresses where it has none."""

    def __init__(self, direct: httpx.AsyncBaseTransport, network: Network, *, connections: int, clock: OriginClock) -> None:
        """Open at most `connections` at once to each proxy, and own `direct`, which sends what goes through none to allowed addresses.

        Raises:
            BadRequestError: the address of a proxy is invalid.
        """
        self._proxies = network.proxies
        self._direct = direct
        self._pools = {proxy: _ProxyPool(proxy, network, connections, clock) for proxy in network.proxies.all}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            ForbiddenSourceError: the address or the name is not allowed.
            TransientError, UpstreamError: the proxy failed, not the origin.
            httpx.TransportError: the connection or the request failed.
        """
        host = request.url.raw_host.decode("ascii")
        proxy = self._proxies.proxy_for(request.url.scheme, host, request.url.port)
        if proxy is None:
            return await self._direct.handle_async_request(request)
        host_class = classify_name(host)
        check_classes(host, {host_class}, private=request.extensions.get("private") is True)
        response = await self._pools[proxy].handle_async_request(request)
        response.extensions[HOST_CLASS] = host_class
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        await self._direct.aclose()
        for pool in self._pools.values():
            await pool.aclose()


class _ProxyPool(httpx.AsyncBaseTransport):
    """httpx's own transport through one proxy, whose failures are told from those of origins."""

    def __init__(self, proxy: Proxy, network: Network, connections: int, clock: OriginClock) -> None:
        try:
            address = httpx.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port)
        except httpx.InvalidURL as error:
            raise BadRequestError(f"{proxy.name} is not a valid address of a proxy.") from error
        transport = httpx.AsyncHTTPTransport(
            verify=network.tls(),
            trust_env=False,
            limits=httpx.Limits(max_connections=connections, keepalive_expiry=KEEP_ALIVE_SECONDS),
            proxy=httpx.Proxy(
                address,
                auth=(proxy.user, proxy.password) if proxy.user or proxy.password else None,
                ssl_context=network.tls() if proxy.scheme == "https" else None,
            ),
            socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)],
        )
        self._transport = PacedTransport(transport, clock)
        self._name = proxy.name

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange()
        request.extensions = {**request.extensions, "trace": exchange.trace}
        try:
            response = await self._transport.handle_async_request(request)
        except httpx.TransportError as error:
            if exchange.is_with_proxy:
                raise self._failure(str(request.url), error, exchange.status) from error
            raise
        if response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:  # of an http origin; no origin has this status
            await response.aclose()
            raise self._refusal(str(request.url), response.status_code)
        if request.url.scheme == "http":
            response.extensions[PROXY_NAME] = self._name
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()

    def _failure(self, url: str, error: httpx.TransportError, status: int | None) -> TransientError | ProxyFailedError:
        """Return what failed between this program and the proxy; `status` is the proxy's own response, if there was one."""
        if isinstance(error, httpx.ProxyError) and status is not None:
            return self._refusal(url, status)
        if isinstance(error, httpx.TimeoutException):
            return TransientError(ProxyFailedError(f"{resource_name(url)}: the proxy {self._name} did not respond in time."))
        if isinstance(error, httpx.ConnectError):
            return TransientError(ProxyFailedError(f"{resource_name(url)}: {why_no_connection(error, f'the proxy {self._name}')}."))
        message = f"{resource_name(url)}: the proxy {self._name} closed the connection or did not send valid HTTP."
        return TransientError(ProxyFailedError(message))

    def _refusal(self, url: str, status: int) -> TransientError | ProxyFailedError:
        """Return the error for a status that the proxy itself answered; without `origin_status`, since it is not the origin's."""
        error = ProxyFailedError(f"{resource_name(url)}: the proxy {self._name}, not the origin, answered {_status_line(status)}.")
        return TransientError(error) if status in TRANSIENT_STATUSES else error


def _status_line(status: int) -> str:
    with contextlib.suppress(ValueError):
        return f"{status} {HTTPStatus(status).phrase}"
    return str(status)


class _Exchange:
    """Finds out, by httpcore's trace extension, whether the peer of a request is the proxy or, through a tunnel, already the origin.

    Source: https://www.encode.io/httpcore/extensions/#trace, and `AsyncTunnelHTTPConnection`.
    """

    def __init__(self) -> None:
        self.is_with_proxy = False
        self.status: int | None = None
        """Status of the proxy's response to CONNECT."""

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        match event:
            case "connection.connect_tcp.started":
                self.is_with_proxy = True
            case "http11.send_request_headers.started":
                self.is_with_proxy = info["request"].method == b"CONNECT"
            case "http11.receive_response_headers.complete" if self.is_with_proxy:
                self.status = info["return_value"][1]
            case "proxy.start_tls.started":
                self.is_with_proxy = False
