"""The step `embed`: the page with which other sites embed a post, which needs no account."""

from typing import ClassVar

from transcoder.core.source.reddit import Answer, Blocked, PostLink, embed_url, read_embed
from transcoder.edge.fetch import ApiRequest
from transcoder.pipeline.reddit.site import Site

_MAX_BYTES = 4 * 1024 * 1024


class Embed:
    """Looks a post up on its embed page."""

    label: ClassVar[str] = "the embed page"

    async def answer(self, link: PostLink, site: Site) -> Answer:
        """Return what the embed page says about the post; it is not asked about a comment, because it shows none."""
        if not link.subreddit:
            return Blocked("not asked: the link lacks the name of the community")
        if link.comment:
            return Blocked("not asked: it shows no comments")
        reply = await site.ask(ApiRequest(embed_url(link)), limit=_MAX_BYTES)
        return reply if isinstance(reply, Blocked) else read_embed(reply, link)
