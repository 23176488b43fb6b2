"""Why a post has no video: what the reader is told instead of it."""

from collections.abc import Mapping

from transcoder.core.source.reddit.json_values import listed, mapping, member, text
from transcoder.core.source.reddit.links import host_of, is_under

_REMOVED = {
    "deleted": "The post was deleted by its author.",
    "author": "The post was deleted by its author.",
}


def why_no_video(post: Mapping[str, object]) -> str:
    """Say in one sentence what a post without a video of Reddit's has instead."""
    return _gone(post) or _elsewhere(post) or _images(post) or _hidden(post) or "The post has no video."


def _gone(post: Mapping[str, object]) -> str:
    by = member(post, "removed_by_category")
    if isinstance(by, str):
        return _REMOVED.get(by, "The post was removed by moderators or by Reddit.")
    if "[removed]" in {text(post, "selftext"), text(post, "title")}:
        return "The post was removed by moderators or by Reddit."
    if "[deleted]" in {text(post, "selftext"), text(post, "title")}:
        return "The post was deleted by its author."
    return ""


def _elsewhere(post: Mapping[str, object]) -> str:
    """Name the site that an embedded or linked video is on."""
    parent = mapping(post, "crosspost_parent_list", 0)
    url = _outer_url(post) or _outer_url(parent)
    if not url:
        return ""
    oembed = mapping(post, "secure_media", "oembed") or mapping(post, "media", "oembed") or mapping(parent, "secure_media", "oembed")
    host = host_of(url).removeprefix("www.").removeprefix("m.")
    site = text(oembed, "provider_name") or ("YouTube" if host in {"youtube.com", "youtu.be"} else host)
    thing = "video" if text(oembed, "type") == "video" or site == "YouTube" else "page"
    return f"The post links to a {thing} on {site[:100]}, which is not fetched from there: {url[:300]}"


def _outer_url(post: Mapping[str, object]) -> str:
    """Return where a post leads, if it leads away from Reddit."""
    url = text(post, "url_overridden_by_dest") or text(post, "url")
    host = host_of(url)
    own = is_under(host, "reddit.com", "redd.it", "redditmedia.com", "redditstatic.com")
    return url if url.startswith(("http://", "https://")) and host and not own else ""


def _images(post: Mapping[str, object]) -> str:
    if member(post, "is_gallery") is True or listed(post, "gallery_data", "items"):
        return "The post is a gallery of images: there is no video in it."
    is_image = member(post, "post_hint") == "image" or host_of(text(post, "url")) == "i.redd.it"
    return "The post is an image, not a video." if is_image else ""


def _hidden(post: Mapping[str, object]) -> str:
    if member(post, "over_18") is True:
        return "The post is marked as for adults, and Reddit shows its video only to those who are logged in."
    return ""
