"""One request and its answer: headers, redirects, cookies, and where each step may lead."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

import httpx

from transcoder import __version__
from transcoder.edge.address_guard import INTERNET, GuardedTransport, Network, came_from_public
from transcoder.edge.fetch.retry import refusal, resource_name, translated
from transcoder.errors import BadRequestError, ForbiddenSourceError, UnsupportedSourceError, UpstreamError
from transcoder.settings import Settings

REDIRECTS = frozenset({301, 302, 303, 307, 308})
SHORT = 64 * 1024
"""Bytes of a redirect's body that are read to keep its connection."""
HEADERS = {"User-Agent": f"Mozilla/5.0 (compatible; transcoder/{__version__})", "Accept": "*/*", "Accept-Encoding": "identity"}
LAST_PORT = 0xFFFF
PUBLIC = "public"
"""An answer's extension: did it come from a public address."""
_SECRETS = ("Authorization", "Cookie")


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request that is not for media."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    """What to send by POST; None asks by GET."""
    follow: bool = True
    """Go where a redirect leads; a form goes to one place only."""


class HttpSession:
    """Sends requests for one job, and remembers whether the job may still reach private addresses."""

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        """Use `client`, whose transport must be a `GuardedTransport`."""
        self._client = client
        self._max_redirects = settings.max_redirects
        self.private = settings.allow_private
        """May the next request go to a private address."""
        self.requests = 0
        self.retries = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, headers: Mapping[str, str], network: Network = INTERNET) -> AsyncIterator[Self]:
        """Hold the connections of one job open.

        Raises:
            BadRequestError: a header field is none.
        """
        # Media is held up by what reads it, so it may take this many connections and still leave some for keys and playlists.
        transport = GuardedTransport(connections=2 * settings.connections + 4, network=network)
        timeout = httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds, pool=None)
        fields = httpx.Headers(HEADERS)
        fields.update(_checked(headers))
        async with httpx.AsyncClient(transport=transport, timeout=timeout, headers=fields, trust_env=False) as client:
            yield cls(client, settings)

    def distrust(self, response: httpx.Response) -> None:
        """Let nothing that `response` says lead to a private address if it came from a public one."""
        if response.extensions[PUBLIC]:
            self.private = False

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """Ask for `url`, follow redirects, and hold the answer open: 200, 206, or 416; its body is not yet read.

        Raises:
            Hiccup: it may work the next time.
            ForbiddenSourceError: the address, or one that it redirects to, may not be fetched.
            UpstreamError: the origin refused for good.
            UnsupportedSourceError: that is no address.
        """
        response = await self._final(url, headers)
        async with aclosing(response):
            _check_status(response, url)
            with translated(str(response.url)):
                yield response

    @asynccontextmanager
    async def ask(self, question: ApiRequest) -> AsyncIterator[httpx.Response]:
        """Ask what is not about media, and hold the answer open, whatever its status below 500; its body is not yet read.

        Raises:
            Hiccup: it may work the next time.
            ForbiddenSourceError, UnsupportedSourceError, UpstreamError: as for `get`.
        """
        if question.follow:
            response = await self._final(question.url, question.headers, as_it_stands=True)
        else:
            response = await self._send(_parsed(question.url), question.headers, private=self.private, form=question.form)
        async with aclosing(response):
            if response.is_server_error:
                raise refusal(response, question.url)
            with translated(str(response.url)):
                yield response

    async def _final(self, url: str, headers: Mapping[str, str], *, as_it_stands: bool = False) -> httpx.Response:
        """Send the request, and again where its answers lead, until one leads nowhere else; once without a query that was refused."""
        target, private, unsigned = _parsed(url), self.private, as_it_stands
        home = target.host
        for _ in range(self._max_redirects + 2):
            response = await self._send(target, headers, private=private, at_home=target.host == home)
            private = private and not response.extensions[PUBLIC]
            following = None if unsigned else _unsigned(response)
            unsigned = unsigned or following is not None
            self.retries += following is not None
            following = following or _location(response)
            if following is None:
                return response
            await _let_go(response)
            target = _parsed(following, target)
        raise UpstreamError(f"{resource_name(url)}: the origin redirects more than {self._max_redirects} times.")

    async def _send(
        self,
        target: httpx.URL,
        headers: Mapping[str, str],
        *,
        private: bool,
        at_home: bool = True,
        form: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request. What proves who the user or this service is does not follow a redirect to another host."""
        method = "GET" if form is None else "POST"
        request = self._client.build_request(method, target, headers=headers, data=form, extensions={"private": private})
        for secret in _SECRETS:
            if not at_home and (secret in self._client.headers or secret in headers):
                request.headers.pop(secret, None)
        self.requests += 1
        with translated(str(target)):
            response = await self._client.send(request, stream=True)
        # Asked for now: a connection that has ended no longer knows its peer.
        response.extensions[PUBLIC] = came_from_public(response)
        return response


def _checked(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Encode header fields, which must be of the form of RFC 9110, 5.5."""
    for name, value in headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(r"[\x00-\x1f\x7f]", value):
            raise BadRequestError(f"{name!r}: that is no header field that can be sent.")
    return [(name.encode(), value.strip().encode()) for name, value in headers.items()]


def _parsed(url: str, base: httpx.URL | None = None) -> httpx.URL:
    """Read an address of something that can be fetched over HTTP."""
    try:
        parsed = httpx.URL(url) if base is None else base.join(url)
    except httpx.InvalidURL as error:
        raise UnsupportedSourceError(f"The source leads to {url[:80]!r}, which is no address.") from error
    if parsed.scheme not in {"http", "https"}:
        raise ForbiddenSourceError(f"Only http and https are fetched, not {parsed.scheme or 'an address without a scheme'}.")
    if not parsed.host or (parsed.port or 0) > LAST_PORT:
        raise UnsupportedSourceError(f"The source leads to {url[:80]!r}, where no server can be.")
    return parsed


def _location(response: httpx.Response) -> str | None:
    """Return where a redirect leads; None if the answer is none."""
    location: str | None = response.headers.get("Location")
    return location if response.status_code in REDIRECTS else None


def _unsigned(response: httpx.Response) -> str | None:
    """Return the address without its query if that was refused: some origins refuse an old signature, but serve the file to everybody."""
    if response.status_code != httpx.codes.FORBIDDEN or not response.url.query:
        return None
    return str(response.url.copy_with(query=None))


async def _let_go(response: httpx.Response) -> None:
    """Be done with an answer; a short body is read, which is cheaper than another connection."""
    with translated(str(response.url)):
        if int(response.headers.get("Content-Length", SHORT + 1)) <= SHORT:
            await response.aread()
        await response.aclose()


def _check_status(response: httpx.Response, url: str) -> None:
    """Raise what a status other than 200, 206 and 416 means."""
    if response.status_code not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE}:
        raise refusal(response, url)
