"""The step `oauth`: the JSON of the post for a registered application (RFC 6749, 4.4)."""

import asyncio
from base64 import b64encode
from http import HTTPStatus
from typing import ClassVar

from transcoder import __version__
from transcoder.core.source.reddit import Answer, Blocked, PostLink, read_json, read_token
from transcoder.core.source.reply import HttpReply
from transcoder.edge.fetch import ApiRequest
from transcoder.pipeline.reddit.site import Site
from transcoder.settings import Settings

_TOKEN_URL = "https://www.reddit.com/api/v1/access_token"  # noqa: S105  # a URL, not a password
_OAUTH_HOST = "oauth.reddit.com"
_TOKEN_MARGIN_SECONDS = 60.0
_REFUSED_SECONDS = 60.0
"""How long no token is asked for after Reddit has refused one: it would refuse the next request as well."""


class OAuth:
    """Looks a post up as a registered application; keeps the access token from one job to the next."""

    label: ClassVar[str] = "the API"

    def __init__(self, settings: Settings) -> None:
        """Send requests with the client id and secret of `settings`."""
        self._id = settings.reddit_client_id
        self._secret = settings.reddit_client_secret
        self._token = ""
        self._token_ends = 0.0
        self._refusal = Blocked("")
        self._refused_until = 0.0

    async def answer(self, link: PostLink, site: Site) -> Answer:
        """Return what the JSON says about the post; with a new token if Reddit no longer accepts the old one."""
        reply = await self._authorized_reply(link, site)
        if isinstance(reply, HttpReply) and reply.status == HTTPStatus.UNAUTHORIZED:
            self._token = ""
            reply = await self._authorized_reply(link, site)
        return reply if isinstance(reply, Blocked) else read_json(reply, link)

    async def _authorized_reply(self, link: PostLink, site: Site) -> HttpReply | Blocked:
        if not self._token or asyncio.get_running_loop().time() >= self._token_ends:
            refusal = await self._renew_token(site)
            if refusal:
                return refusal
        headers = {"Authorization": f"Bearer {self._token}", "User-Agent": self._user_agent}
        return await site.ask(ApiRequest(link.json_url(_OAUTH_HOST), headers))

    async def _renew_token(self, site: Site) -> Blocked | None:
        """Request a token for the application alone; return why there is none."""
        clock = asyncio.get_running_loop().time
        if clock() < self._refused_until:
            return self._refusal
        credentials = b64encode(f"{self._id}:{self._secret}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "User-Agent": self._user_agent}
        reply = await site.ask(ApiRequest(_TOKEN_URL, headers, form={"grant_type": "client_credentials"}, follow=False))
        if isinstance(reply, Blocked):
            return Blocked(f"no token: {reply.reason}", reply.failure)
        token = read_token(reply)
        if isinstance(token, Blocked):
            self._refusal, self._refused_until = token, clock() + _REFUSED_SECONDS
            return token
        self._token, seconds = token
        self._token_ends = clock() + seconds - _TOKEN_MARGIN_SECONDS
        return None

    @property
    def _user_agent(self) -> str:
        """The format that Reddit asks for: platform, application, version."""
        return f"python:{self._id}:{__version__}"
