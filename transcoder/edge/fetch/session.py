"""HTTP requests of one job: headers, cookies, redirects, and which addresses each request may reach."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, nullcontext
from types import MappingProxyType
from typing import NamedTuple, Self

import httpx

from transcoder.core.request.denylist import Denylist
from transcoder.core.request.user_origins import NOBODY, UserOrigins
from transcoder.edge import header_fields
from transcoder.edge.address_guard import INTERNET, MORE_FOLLOW, Network, has_public_peer
from transcoder.edge.fetch.client import Client
from transcoder.edge.fetch.connections import Connections
from transcoder.edge.fetch.pace import OriginClock, PacedTransport
from transcoder.edge.fetch.proxied_transport import ProxiedTransport
from transcoder.edge.fetch.redirects import leads_within, redirect_location
from transcoder.edge.fetch.retry import TransientError, error_for_status, httpx_errors_translated, url_after_403
from transcoder.edge.resource_name import resource_name
from transcoder.edge.task_group import Start, in_background
from transcoder.errors import EmptyResourceError, ForbiddenSourceError, UnsupportedSourceError, UpstreamError, single_error
from transcoder.settings import Settings

header_fields.read_in_linear_time()
MAX_DRAINED_BYTES = 64 * 1024
"""A redirect's body up to this length is read, so that its connection can be reused."""
MAX_PORT = 0xFFFF
FROM_PUBLIC = "public"
"""Key in a response's extensions: whether it came from a public address."""


class ApiRequest(NamedTuple):
    """A request to an API rather than for media or a playlist."""

    url: str
    headers: Mapping[str, str] = MappingProxyType({})
    form: Mapping[str, str] | None = None
    """Form fields to send by POST; None sends a GET."""
    follow: bool = True
    """Follow redirects. A request that does not follow them can send a form."""
    within: frozenset[str] = frozenset()
    """The only domains to which redirects are followed, if there are any; the reply to another redirect is the redirect itself."""


class HttpSession:
    """Sends the requests of one job, and remembers whether the job may still reach private addresses."""

    def __init__(self, client: Client, settings: Settings, user: UserOrigins, start: Start) -> None:
        """Use `client`, whose transport must be a `GuardedTransport` or a `ProxiedTransport`, and `start` for tasks beside its requests."""
        self._client = client
        self._start = start
        self._user = user
        self._max_redirects = settings.max_redirects
        self._denylist = Denylist.parse(settings.denied)
        self.private_allowed = settings.allow_private
        """Whether the next request may go to a private address."""
        self.signed: Callable[[str], str] = str
        """Returns the address to send a request to, given the one that is asked for."""
        self.requests = 0
        self.retries = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, user: UserOrigins = NOBODY, network: Network | Connections = INTERNET) -> AsyncIterator[Self]:
        """Open a session with its own cookies, and with its own connections to a network or kept ones.

        `user` says which headers go to which host.

        Raises:
            BadRequestError: an entry of the denylist is invalid.
        """
        clock = OriginClock(settings)
        async with AsyncExitStack() as stack:
            own = Connections.open(settings, network) if isinstance(network, Network) else nullcontext(network)
            connections = await stack.enter_async_context(own)
            direct = PacedTransport(await stack.enter_async_context(connections.lent()), clock)
            is_proxied = bool(connections.network.proxies.all)
            transport = ProxiedTransport(direct, connections.network, connections=connections.count, clock=clock) if is_proxied else direct
            timeout = httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds, pool=None)
            with single_error():
                async with Client.open(transport, timeout, user.cookies) as client, clock.stall_limit(), in_background() as start:
                    yield cls(client, settings, user, start)

    def restrict_after(self, response: httpx.Response) -> None:
        """Forbid private addresses from now on if `response` came from a public address: what it links to is not trusted."""
        if response.extensions[FROM_PUBLIC]:
            self.private_allowed = False

    def count_retry(self) -> None:
        """Count one more request that repeats a failed one."""
        self.retries += 1

    @asynccontextmanager
    async def stream(self, url: str, headers: Mapping[str, str], *, more_follow: bool = False) -> AsyncIterator[httpx.Response]:
        """GET `url`, follow redirects, and give the open response, whose status is 200, 206 or 416; its body is not yet read.

        `more_follow` says that other requests to the same origin follow at once.

        Raises:
            TransientError: the request failed, and may be retried.
            ForbiddenSourceError: the address, or one that it redirects to, may not be fetched.
            DeniedSourceError: the operator has excluded it.
            UpstreamError: the origin refused the request permanently.
            UnsupportedSourceError: the address is invalid.
        """
        response = await self._follow(self.signed(url), headers, more_follow=more_follow)
        async with aclosing(response):
            _check_status(response, url)
            with httpx_errors_translated(response.url):
                yield response

    @asynccontextmanager
    async def stream_api(self, request: ApiRequest) -> AsyncIterator[httpx.Response]:
        """Send an API request, and give the open response, whatever its status below 500; its body is not yet read.

        Raises:
            TransientError: the request failed, and may be retried.
            ForbiddenSourceError, UnsupportedSourceError, UpstreamError: as for `stream`.
        """
        if request.follow:
            response = await self._follow(request.url, request.headers, retry_403=False, within=request.within)
        else:
            response = await self._send(self._parse_url(request.url), request.headers, private=self.private_allowed, form=request.form)
        async with aclosing(response):
            if response.is_server_error:
                raise error_for_status(response, request.url)
            with httpx_errors_translated(response.url):
                yield response

    async def _follow(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        retry_403: bool = True,
        within: frozenset[str] = frozenset(),
        more_follow: bool = False,
    ) -> httpx.Response:
        """Send a GET and follow its redirects, if `within` these domains; with `retry_403`, ask once more as `url_after_403` says."""
        target, private = self._parse_url(url), self.private_allowed
        first_host, redirects_left = target.host, self._max_redirects
        while True:
            response = await self._send(target, headers, private=private, same_host=target.host == first_host, more_follow=more_follow)
            private = private and not response.extensions[FROM_PUBLIC]
            next_url = url_after_403(response) if retry_403 else None
            if next_url is not None:
                retry_403 = False
                self.count_retry()
            else:
                next_url, redirects_left = redirect_location(response), redirects_left - 1
            if next_url is None or (within and not leads_within(next_url, target, within)):
                return response
            await _release(response)
            if redirects_left < 0:
                raise UpstreamError(f"{resource_name(url)}: the origin redirects more than {self._max_redirects} times.")
            target = self._parse_url(next_url, target)

    async def _send(
        self,
        target: httpx.URL,
        headers: Mapping[str, str],
        *,
        private: bool,
        same_host: bool = True,
        form: Mapping[str, str] | None = None,
        more_follow: bool = False,
    ) -> httpx.Response:
        """Send one request. The credentials of this service in `headers` are left out unless the request goes to the `same_host`."""
        self._denylist.check(str(target))
        all_headers = _encode_headers(self._user.headers_for(target.scheme, target.host))
        all_headers.update({name: value for name, value in headers.items() if same_host or name.lower() != "authorization"})
        self.requests += 1
        with httpx_errors_translated(target):
            extensions = {"private": private, MORE_FOLLOW: self._start if more_follow else None}
            response = await self._client.send(target, all_headers, form=form, extensions=extensions)
        # Read it now: a closed connection no longer knows its peer's address.
        is_public = has_public_peer(response)
        if is_public is None:
            await response.aclose()
            raise TransientError(UpstreamError(f"{resource_name(str(target))}: the connection to the origin failed."))
        response.extensions[FROM_PUBLIC] = is_public
        return response

    def _parse_url(self, url: str, base: httpx.URL | None = None) -> httpx.URL:
        """Parse an http or https address, relative to `base` if that is given.

        Raises:
            ForbiddenSourceError: its scheme, its port or a password in it is not allowed.
            UnsupportedSourceError: it is invalid.
        """
        parsed = resolve_url(url, base)
        if parsed.userinfo:
            raise ForbiddenSourceError(f"The source leads to an address with a user name or a password in it, at {parsed.host[:80]}.")
        if not self._user.allows_port(parsed.scheme, parsed.host, parsed.port):
            raise ForbiddenSourceError(f"The source leads to port {parsed.port} of {parsed.host[:80]}, which is no port of web servers.")
        return parsed


def resolve_url(url: str, base: httpx.URL | None = None) -> httpx.URL:
    """Return an http or https address, relative to `base` if that is given.

    Raises:
        ForbiddenSourceError: it has another scheme.
        UnsupportedSourceError: it is invalid.
    """
    try:
        parsed = httpx.URL(url)
        # Joining would take an address that has a scheme and no host for a relative one.
        parsed = base.join(parsed) if base is not None and (parsed.host or not parsed.scheme) else parsed
        host = parsed.host
    except (httpx.InvalidURL, UnicodeError) as error:  # UnicodeError: a label that begins with xn-- and is none (RFC 5890)
        raise UnsupportedSourceError(f"The source leads to {url[:80]!r}, which is not a valid URL.") from error
    if parsed.scheme not in {"http", "https"}:
        raise ForbiddenSourceError(f"Only http and https URLs are fetched, not {parsed.scheme or 'a URL without a scheme'}.")
    if not host or (parsed.port or 0) > MAX_PORT:
        raise UnsupportedSourceError(f"The source leads to {url[:80]!r}, which has no valid host and port.")
    return parsed


def _encode_headers(headers: Mapping[str, str]) -> httpx.Headers:
    """Encode headers as UTF-8, which is what a command line has them in."""
    return httpx.Headers([(name.encode(), value.strip().encode()) for name, value in headers.items()])


async def _release(response: httpx.Response) -> None:
    """Close a response that is not needed; a short body is read first, which is cheaper than another connection.

    It is read as it is sent: decoding what nobody needs would only let a short body take time and memory.
    """
    with httpx_errors_translated(response.url):
        if int(response.headers.get("Content-Length", MAX_DRAINED_BYTES + 1)) <= MAX_DRAINED_BYTES:
            async for _ in response.aiter_raw():
                pass
        await response.aclose()


def _check_status(response: httpx.Response, url: str) -> None:
    """Raise the error for a status other than 200, 206 and 416."""
    if response.status_code == httpx.codes.NO_CONTENT:
        raise TransientError(EmptyResourceError(f"{resource_name(url)}: the origin answered 204 No Content.", origin_status=204))
    if response.status_code not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE}:
        raise error_for_status(response, url)
