"""The step `feed`: the Atom feed of the post, which needs no account."""

from typing import ClassVar

from transcoder.core.source.reddit import NO_ENTRY, Answer, Blocked, NotThere, PostLink, feed_url, read_feed
from transcoder.edge.fetch import ApiRequest
from transcoder.errors import NotFoundError
from transcoder.pipeline.reddit.site import Site

_MAX_BYTES = 4 * 1024 * 1024


class Feed:
    """Looks a post up in its feed."""

    label: ClassVar[str] = "the feed"

    async def answer(self, link: PostLink, site: Site) -> Answer:
        """Return what the feed says about the post; for a comment that has no feed of its own, the feed of the post."""
        answer = await self._ask(feed_url(link), link, site)
        if link.comment and (answer == NO_ENTRY or (isinstance(answer, NotThere) and answer.kind is NotFoundError)):
            return await self._ask(feed_url(PostLink(link.id)), link, site)
        return answer

    async def _ask(self, url: str, link: PostLink, site: Site) -> Answer:
        reply = await site.ask(ApiRequest(url), limit=_MAX_BYTES)
        return reply if isinstance(reply, Blocked) else read_feed(reply, link)
