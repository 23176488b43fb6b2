"""HTTP requests of one job: headers, cookies, redirects, and which addresses each request may reach."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

import httpx

from transcoder import __version__
from transcoder.core.request.denylist import Denylist
from transcoder.edge.address_guard import INTERNET, GuardedTransport, Network, has_public_peer
from transcoder.edge.fetch.pace import OriginClock, PacedTransport
from transcoder.edge.fetch.proxied_transport import ProxiedTransport
from transcoder.edge.fetch.resource_name import resource_name
from transcoder.edge.fetch.retry import TransientError, error_for_status, httpx_errors_translated, url_after_403
from transcoder.errors import BadRequestError, EmptyResourceError, ForbiddenSourceError, UnsupportedSourceError, UpstreamError
from transcoder.settings import Settings

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_DRAINED_BYTES = 64 * 1024
"""A redirect's body up to this length is read, so that its connection can be reused."""
DEFAULT_HEADERS = {"User-Agent": f"Mozilla/5.0 (compatible; transcoder/{__version__})", "Accept": "*/*", "Accept-Encoding": "identity"}
MAX_PORT = 0xFFFF
FROM_PUBLIC = "public"
"""Key in a response's extensions: whether it came from a public address."""
_CREDENTIAL_HEADERS = ("Authorization", "Cookie")


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request to an API rather than for media or a playlist."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    """Form fields to send by POST; None sends a GET."""
    follow: bool = True
    """Follow redirects. A request that does not follow them can send a form."""


class HttpSession:
    """Sends the requests of one job, and remembers whether the job may still reach private addresses."""

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        """Use `client`, whose transport must be a `GuardedTransport` or a `ProxiedTransport`."""
        self._client = client
        self._max_redirects = settings.max_redirects
        self._denylist = Denylist.parse(settings.denied)
        self.private_allowed = settings.allow_private
        """Whether the next request may go to a private address."""
        self.requests = 0
        self.retries = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, headers: Mapping[str, str], network: Network = INTERNET) -> AsyncIterator[Self]:
        """Open a session with its own connections and cookies; `headers` go with every request.

        Raises:
            BadRequestError: a header, or an entry of the denylist, is invalid.
        """
        # Media transfers wait for their readers, so they may hold this many connections and still leave some for keys and playlists.
        connections = 2 * settings.connections + 4
        clock = OriginClock(settings)
        direct = PacedTransport(GuardedTransport(connections=connections, network=network), clock)
        transport = ProxiedTransport(direct, network, connections=connections, clock=clock) if network.proxies.all else direct
        timeout = httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds, pool=None)
        all_headers = httpx.Headers(DEFAULT_HEADERS)
        all_headers.update(_encode_headers(headers))
        async with (
            httpx.AsyncClient(transport=transport, timeout=timeout, headers=all_headers, trust_env=False) as client,
            clock.stall_limit(),
        ):
            yield cls(client, settings)

    def restrict_after(self, response: httpx.Response) -> None:
        """Forbid private addresses from now on if `response` came from a public address: what it links to is not trusted."""
        if response.extensions[FROM_PUBLIC]:
            self.private_allowed = False

    def count_retry(self) -> None:
        """Count one more request that repeats a failed one."""
        self.retries += 1

    @asynccontextmanager
    async def stream(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """GET `url`, follow redirects, and give the open response, whose status is 200, 206 or 416; its body is not yet read.

        Raises:
            TransientError: the request failed, and may be retried.
            ForbiddenSourceError: the address, or one that it redirects to, may not be fetched.
            DeniedSourceError: the operator has excluded it.
            UpstreamError: the origin refused the request permanently.
            UnsupportedSourceError: the address is invalid.
        """
        response = await self._follow(url, headers)
        async with aclosing(response):
            _check_status(response, url)
            with httpx_errors_translated(str(response.url)):
                yield response

    @asynccontextmanager
    async def stream_api(self, request: ApiRequest) -> AsyncIterator[httpx.Response]:
        """Send an API request, and give the open response, whatever its status below 500; its body is not yet read.

        Raises:
            TransientError: the request failed, and may be retried.
            ForbiddenSourceError, UnsupportedSourceError, UpstreamError: as for `stream`.
        """
        if request.follow:
            response = await self._follow(request.url, request.headers, retry_403=False)
        else:
            response = await self._send(_parse_url(request.url), request.headers, private=self.private_allowed, form=request.form)
        async with aclosing(response):
            if response.is_server_error:
                raise error_for_status(response, request.url)
            with httpx_errors_translated(str(response.url)):
                yield response

    async def _follow(self, url: str, headers: Mapping[str, str], *, retry_403: bool = True) -> httpx.Response:
        """Send a GET and follow its redirects; with `retry_403`, ask once more as `url_after_403` says."""
        target, private = _parse_url(url), self.private_allowed
        first_host = target.host
        for _ in range(self._max_redirects + 2):  # the first request, the redirects, and one retry
            response = await self._send(target, headers, private=private, same_host=target.host == first_host)
            private = private and not response.extensions[FROM_PUBLIC]
            next_url = url_after_403(response) if retry_403 else None
            if next_url is not None:
                retry_403 = False
                self.count_retry()
            else:
                next_url = _redirect_location(response)
            if next_url is None:
                return response
            await _release(response)
            target = _parse_url(next_url, target)
        raise UpstreamError(f"{resource_name(url)}: the origin redirects more than {self._max_redirects} times.")

    async def _send(
        self,
        target: httpx.URL,
        headers: Mapping[str, str],
        *,
        private: bool,
        same_host: bool = True,
        form: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request. The credentials of the user or of this service are left out unless the request goes to the `same_host`."""
        self._denylist.check(str(target))
        method = "GET" if form is None else "POST"
        request = self._client.build_request(method, target, headers=headers, data=form, extensions={"private": private})
        for name in _CREDENTIAL_HEADERS:
            if not same_host and (name in self._client.headers or name in headers):
                request.headers.pop(name, None)
        self.requests += 1
        with httpx_errors_translated(str(target)):
            response = await self._client.send(request, stream=True)
        # Read it now: a closed connection no longer knows its peer's address.
        is_public = has_public_peer(response)
        if is_public is None:
            await response.aclose()
            raise TransientError(UpstreamError(f"{resource_name(str(target))}: the connection to the origin failed."))
        response.extensions[FROM_PUBLIC] = is_public
        return response


def _encode_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Encode headers, which must be valid field names and values (RFC 9110, 5.5)."""
    for name, value in headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(r"[\x00-\x1f\x7f]", value):
            raise BadRequestError(f"{name!r} is not a valid header, or its value contains control characters.")
    return [(name.encode(), value.strip().encode()) for name, value in headers.items()]


def _parse_url(url: str, base: httpx.URL | None = None) -> httpx.URL:
    """Parse an http or https address, relative to `base` if that is given."""
    try:
        parsed = httpx.URL(url) if base is None else base.join(url)
    except httpx.InvalidURL as error:
        raise UnsupportedSourceError(f"The source leads to {url[:80]!r}, which is not a valid URL.") from error
    if parsed.scheme not in {"http", "https"}:
        raise ForbiddenSourceError(f"Only http and https URLs are fetched, not {parsed.scheme or 'a URL without a scheme'}.")
    if not parsed.host or (parsed.port or 0) > MAX_PORT:
        raise UnsupportedSourceError(f"The source leads to {url[:80]!r}, which has no valid host and port.")
    return parsed


def _redirect_location(response: httpx.Response) -> str | None:
    """Return the Location of a redirect; None if `response` is not one."""
    location: str | None = response.headers.get("Location")
    return location if response.status_code in REDIRECTS else None


async def _release(response: httpx.Response) -> None:
    """Close a response that is not needed; a short body is read first, which is cheaper than another connection."""
    with httpx_errors_translated(str(response.url)):
        if int(response.headers.get("Content-Length", MAX_DRAINED_BYTES + 1)) <= MAX_DRAINED_BYTES:
            await response.aread()
        await response.aclose()


def _check_status(response: httpx.Response, url: str) -> None:
    """Raise the error for a status other than 200, 206 and 416."""
    if response.status_code == httpx.codes.NO_CONTENT:
        raise TransientError(EmptyResourceError(f"{resource_name(url)}: the origin answered 204 No Content.", origin_status=204))
    if response.status_code not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE}:
        raise error_for_status(response, url)
