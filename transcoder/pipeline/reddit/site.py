"""Reddit's site as one job asks it: with a limit on replies, and only when the site does not want to be left alone."""

import asyncio
from http import HTTPStatus

from transcoder.core.request.host_names import host_of
from transcoder.core.source.reddit import Blocked
from transcoder.core.source.reply import HttpReply
from transcoder.edge.fetch import ApiRequest, Fetcher
from transcoder.errors import ProxyFailedError, UnsupportedSourceError, UpstreamBlockedError, UpstreamError, UpstreamTimeoutError

MAX_PAUSE_SECONDS = 5.0
"""A longer wait that the site asks for is not waited for: the step has no answer then."""
MAX_REST_SECONDS = 600.0
"""How long a host is left alone at most; the site counts requests in periods of ten minutes."""
MAX_REPLY_BYTES = 16 * 1024 * 1024
_SITE = frozenset({"reddit.com"})
"""What another site says about a post is not an answer of Reddit's."""


class RestingHosts:
    """Until when each host wants no request; kept from one job to the next."""

    def __init__(self) -> None:
        """Begin with no host that rests."""
        self._until: dict[str, float] = {}

    def note(self, host: str, wait: float | None, *, now: float) -> None:
        """Note for how many seconds `host` wants no request, if it says so."""
        if wait:
            self._until[host] = now + min(wait, MAX_REST_SECONDS)

    def seconds(self, host: str, *, now: float) -> float:
        """Return how long `host` still wants no request."""
        return max(0.0, self._until.get(host, 0.0) - now)


class Site:
    """Sends the requests of one job to Reddit's site."""

    def __init__(self, fetcher: Fetcher, resting: RestingHosts, *, user_agent: str) -> None:
        """Send requests with `fetcher`; an empty `user_agent` leaves that of the fetcher or of the request."""
        self._fetcher = fetcher
        self._resting = resting
        self._headers = {"User-Agent": user_agent} if user_agent else {}

    async def ask(self, request: ApiRequest, *, limit: int = MAX_REPLY_BYTES) -> HttpReply | Blocked:
        """Return the reply, whatever its status below 500, or why there is none; after a short wait if the site asks for that.

        Raises:
            ForbiddenSourceError: the request is redirected to an address that may not be fetched.
            ProxyFailedError: the user's proxy failed.

        """
        reply = await self._ask_once(request, limit)
        if not isinstance(reply, HttpReply) or reply.status != HTTPStatus.TOO_MANY_REQUESTS or reply.wait is None:
            return reply
        return await self._ask_once(request, limit) if reply.wait <= MAX_PAUSE_SECONDS else reply

    async def _ask_once(self, request: ApiRequest, limit: int) -> HttpReply | Blocked:
        host, clock = host_of(request.url), asyncio.get_running_loop().time
        rest = self._resting.seconds(host, now=clock())
        if rest > MAX_PAUSE_SECONDS:
            return Blocked(f"not asked: it wants no request for {rest:.0f} s", UpstreamBlockedError)
        await asyncio.sleep(rest)
        try:
            sent = request._replace(headers={**request.headers, **self._headers}, within=_SITE)
            reply = await self._fetcher.api_reply(sent, limit=limit)
        except ProxyFailedError:
            raise  # Reddit was not asked, and no other step would be either
        except (UpstreamError, UpstreamTimeoutError) as error:
            status = error.origin_status if isinstance(error, UpstreamError) else None
            return Blocked(str(status or ("no answer in time" if isinstance(error, UpstreamTimeoutError) else "no answer")), type(error))
        except UnsupportedSourceError:
            return Blocked(f"more than {limit} bytes, or an invalid redirect", UpstreamError)
        self._resting.note(host, reply.wait, now=clock())
        return reply
