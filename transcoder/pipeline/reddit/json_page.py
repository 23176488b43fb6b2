"""The step `json`: the JSON of the post without an account, which few networks get."""

from typing import ClassVar

from transcoder.core.source.reddit import Answer, Blocked, PostLink, read_json
from transcoder.edge.fetch import ApiRequest
from transcoder.pipeline.reddit.site import Site


class JsonPage:
    """Looks a post up in its public JSON."""

    label: ClassVar[str] = "the JSON page"

    async def answer(self, link: PostLink, site: Site) -> Answer:
        """Return what the JSON says about the post."""
        reply = await site.ask(ApiRequest(link.json_url()))
        return reply if isinstance(reply, Blocked) else read_json(reply, link)
