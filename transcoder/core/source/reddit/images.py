"""Images in a post's JSON: whether a post is one, and which entries of `media_metadata` somebody has uploaded."""

from collections.abc import Mapping

from transcoder.core.request.host_names import host_of
from transcoder.core.source.reddit.json_values import get_member, get_string
from transcoder.core.source.reddit.links import is_gif


def target_of(post: Mapping[str, object]) -> str:
    """Return the address that a post links to."""
    return get_string(post, "url_overridden_by_dest") or get_string(post, "url")


def is_image_post(post: Mapping[str, object]) -> bool:
    """Whether a post is an image or a GIF, and not a page whose preview shows one."""
    url = target_of(post)
    return get_member(post, "post_hint") == "image" or host_of(url) == "i.redd.it" or is_gif(url)


def is_upload(media_id: str) -> bool:
    """Whether an entry of `media_metadata` is what somebody has uploaded, and not from a library (`giphy|…`, `emote|…`)."""
    return "|" not in media_id
