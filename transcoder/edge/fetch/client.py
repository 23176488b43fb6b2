"""Requests with the headers and the cookies of one job.

It is what this program needs of httpx's client, which takes as long for a request as all that is below it: it copies headers and cookies
twice, and looks for cookies in responses that set none.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from http.cookiejar import Cookie
from typing import Any, Self

import httpx

from transcoder import __version__
from transcoder.edge.fetch.cookies import cookie_jar

HEADERS = {
    "Connection": "keep-alive",
    "User-Agent": f"Mozilla/5.0 (compatible; transcoder/{__version__})",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}


class Client:
    """Sends requests through a transport, and follows no redirects."""

    def __init__(self, transport: httpx.AsyncBaseTransport, limits: httpx.Timeout, cookies: Iterable[Cookie]) -> None:
        """Use `open` instead."""
        self._transport = transport
        self._limits = limits.as_dict()
        self._headers = httpx.Headers(HEADERS)
        self._cookies = httpx.Cookies(cookie_jar())
        for cookie in cookies:
            self._cookies.jar.set_cookie(cookie)

    @classmethod
    @asynccontextmanager
    async def open(cls, transport: httpx.AsyncBaseTransport, limits: httpx.Timeout, cookies: Iterable[Cookie] = ()) -> AsyncIterator[Self]:
        """Own a transport for the length of a block; each request has these time `limits`, and what it may have of `cookies`."""
        async with transport:
            yield cls(transport, limits, cookies)

    async def send(
        self, url: httpx.URL, headers: httpx.Headers, *, form: Mapping[str, str] | None, extensions: Mapping[str, Any]
    ) -> httpx.Response:
        """Send a GET, or a POST with the fields of a `form`; `headers` take the place of those of the job.

        The caller reads the body.

        Raises:
            httpx.TransportError: the request failed.
            Exception: what the transport raises.
        """
        all_headers = self._headers.copy()
        all_headers.update(headers)
        method, known = "GET" if form is None else "POST", {"timeout": self._limits, **extensions}
        request = httpx.Request(method, url, headers=all_headers, data=form, extensions=known)
        if len(self._cookies.jar):
            self._cookies.set_cookie_header(request)
        response = await self._transport.handle_async_request(request)
        response.request = request
        if "Set-Cookie" in response.headers:
            self._cookies.extract_cookies(response)
        return response
