"""Share links: only their redirects are followed; the post that they lead to is not fetched, since its address is enough."""

from transcoder.core.source.reddit import (
    Blocked,
    HostedVideo,
    NotThere,
    PostLink,
    ShareLink,
    is_html,
    parse_link,
    read_refusal,
    refused,
    refused_detour,
)
from transcoder.core.source.reply import HttpReply
from transcoder.edge.fetch import ApiRequest
from transcoder.errors import UnsupportedSourceError
from transcoder.pipeline.reddit.site import Site

_NO_POST = NotThere("This share link does not lead to a post. Open it in a browser and copy the URL of the post.")


async def follow_share_link(link: ShareLink, site: Site, *, max_redirects: int) -> PostLink | HostedVideo | NotThere | Blocked:
    """Return where a share link leads, after at most so many redirects."""
    for _ in range(max_redirects):
        reply = await site.ask(ApiRequest(link.url, follow=False))
        following = reply if isinstance(reply, Blocked) else _read_redirect(reply)
        if not isinstance(following, ShareLink):
            return following
        link = following
    return _NO_POST


def _read_redirect(reply: HttpReply) -> PostLink | HostedVideo | ShareLink | NotThere | Blocked:
    if reply.location is None:
        return read_refusal(reply) or (refused(reply) if is_html(reply) else _NO_POST)
    try:
        return refused_detour(reply.location) or parse_link(reply.location) or _NO_POST
    except UnsupportedSourceError:
        return _NO_POST
