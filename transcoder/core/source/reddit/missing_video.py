"""Explains why a post has no video: it was removed, links to another site, has only images, or is hidden."""

from collections.abc import Mapping

from transcoder.core.request.host_names import REDDIT_DOMAINS, host_of, is_within
from transcoder.core.source.reddit.images import is_image_post, target_of
from transcoder.core.source.reddit.json_values import get_array, get_member, get_object, get_string
from transcoder.core.source.reddit.links import is_gif

_DELETED = "The post was deleted by its author."
_REMOVED = "The post was removed by moderators or by Reddit."


def explain_missing_video(post: Mapping[str, object]) -> str:
    """Return one sentence that says what a post has instead of a video hosted by Reddit."""
    return _removal(post) or _external_link(post) or _images(post) or _age_restriction(post) or "The post has no video."


def _removal(post: Mapping[str, object]) -> str:
    category = get_member(post, "removed_by_category")
    if isinstance(category, str):
        return _DELETED if category in {"deleted", "author"} else _REMOVED
    texts = {get_string(post, "selftext"), get_string(post, "title")}
    if "[removed]" in texts:
        return _REMOVED
    return _DELETED if "[deleted]" in texts else ""


def _external_link(post: Mapping[str, object]) -> str:
    """Name the site of an embedded or linked video."""
    parent = get_object(post, "crosspost_parent_list", 0)
    url = _external_url(post) or _external_url(parent)
    if not url:
        return ""
    oembed = (
        get_object(post, "secure_media", "oembed") or get_object(post, "media", "oembed") or get_object(parent, "secure_media", "oembed")
    )
    host = host_of(url).removeprefix("www.").removeprefix("m.")
    site = get_string(oembed, "provider_name") or ("YouTube" if host in {"youtube.com", "youtu.be"} else host)
    kind = "video" if get_string(oembed, "type") == "video" or site == "YouTube" else "page"
    return f"The post links to a {kind} on {site[:100]}, which is not supported: {url[:300]}"


def _external_url(post: Mapping[str, object]) -> str:
    """Return the address that a post links to, if it is outside Reddit."""
    url = target_of(post)
    host = host_of(url)
    is_reddit = is_within(host, REDDIT_DOMAINS | {"redditstatic.com"})
    return url if url.startswith(("http://", "https://")) and host and not is_reddit else ""


def _images(post: Mapping[str, object]) -> str:
    if get_member(post, "is_gallery") is True or get_array(post, "gallery_data", "items"):
        metadata = get_object(post, "media_metadata")
        if any(get_member(entry, "e") == "AnimatedImage" for entry in metadata.values()):
            return "The post is a gallery with GIFs of which Reddit has made no video."
        return "The post is a gallery of images without a video."
    if not is_image_post(post):
        return ""
    if is_gif(target_of(post)):
        return "The post is a GIF of which Reddit has made no video."
    return "The post is an image, not a video."


def _age_restriction(post: Mapping[str, object]) -> str:
    if get_member(post, "over_18") is True:
        return "The post is marked as for adults only, and Reddit shows its video only to logged-in users."
    return ""
