"""What a post links to: a video, the original of a crosspost, or something that has no video."""

from urllib.parse import urlsplit

from transcoder.core.request.host_names import host_of, is_within
from transcoder.core.source.reddit.answers import Blocked, NotThere
from transcoder.core.source.reddit.links import HostedVideo, PostLink, ShareLink, is_gif, parse_link_if_possible
from transcoder.core.source.reddit.missing_video import explain_missing_video
from transcoder.core.source.reddit.post import Video, hosted

GALLERY = Blocked("a gallery, whose videos it does not list")


def read_target(url: str, link: PostLink) -> Video | PostLink | NotThere | Blocked:
    """Return what the post `link` links to with `url`, as far as the address says it."""
    target = parse_link_if_possible(url)
    if isinstance(target, HostedVideo):
        return hosted(target)
    if isinstance(target, PostLink) and target.id != link.id:
        return target
    if isinstance(target, ShareLink):
        return NotThere("The post links to another page on Reddit. Open that page and copy its link.")
    return _untold(url) or NotThere(explain_missing_video({"url": url}))


def _untold(url: str) -> Blocked | None:
    """Return the answer about a post that may have videos which only its JSON names."""
    if not host_of(url):
        return Blocked("the post without what it links to")
    if is_gif(url):
        return Blocked("a GIF, whose MP4 it does not name")
    return GALLERY if is_within(host_of(url), {"reddit.com"}) and "/gallery/" in urlsplit(url).path else None
