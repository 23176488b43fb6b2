"""The step `feed`: the Atom feed of the post, which needs no account."""

from typing import ClassVar

from transcoder.core.source.reddit import Answer, Blocked, PostLink, feed_url, read_feed
from transcoder.edge.fetch import ApiRequest
from transcoder.pipeline.reddit.site import Site

_MAX_BYTES = 4 * 1024 * 1024


class Feed:
    """Looks a post up in its feed."""

    label: ClassVar[str] = "the feed"

    async def answer(self, link: PostLink, site: Site) -> Answer:
        """Return what the feed says about the post."""
        reply = await site.ask(ApiRequest(feed_url(link)), limit=_MAX_BYTES)
        return reply if isinstance(reply, Blocked) else read_feed(reply, link)
