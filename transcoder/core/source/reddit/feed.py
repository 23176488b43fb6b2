"""Reads the Atom feed of a post (RFC 4287, with Media RSS): the post comes first, then its comments."""

import re
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from xml.etree.ElementTree import Element

from transcoder.core.media.character_references import unescape
from transcoder.core.request.host_names import host_of, is_within
from transcoder.core.source.reddit import html_content
from transcoder.core.source.reddit.answers import Answer, Blocked, Found, NotThere
from transcoder.core.source.reddit.links import HostedVideo, PostLink, parse_link_if_possible
from transcoder.core.source.reddit.post import MAX_VIDEOS, Image, Post, Video, distinct, hosted, image
from transcoder.core.source.reddit.refusals import is_html, read_refusal, refused
from transcoder.core.source.reddit.target import read_target
from transcoder.core.source.reddit.xml import parse_xml
from transcoder.core.source.reply import HttpReply
from transcoder.errors import UpstreamError

NO_ENTRY = Blocked("a feed without the post")
_ATOM = "{http://www.w3.org/2005/Atom}"
_MEDIA = "{http://search.yahoo.com/mrss/}"
_MAX_NUMBER = 100_000


def feed_url(link: PostLink) -> str:
    """Return the address of the feed of a post, or of a comment with those around it."""
    return f"https://www.reddit.com{link.path}/.rss"


def read_feed(reply: HttpReply, link: PostLink) -> Answer:
    """Return what a reply to a request for the feed of `link` says; a comment without a video has those of its post."""
    root = parse_xml(reply.text) if reply.text.lstrip()[:1] == "<" else None
    feed = root if root is not None and root.tag == f"{_ATOM}feed" else None
    if reply.status == HTTPStatus.FORBIDDEN and feed is not None and feed.find(f"{_ATOM}entry") is None:
        return NotThere("The post was removed, or is in a private community.")
    if refusal := read_refusal(reply):
        return refusal
    if feed is None:
        return refused(reply) if is_html(reply) else Blocked("no valid feed", UpstreamError)
    entry = _find_entry(feed, f"t3_{link.id}")
    if entry is None:
        return NO_ENTRY
    videos = _embedded_videos(_find_entry(feed, f"t1_{link.comment}"), link) if link.comment else []
    post = _read_post(entry)
    return Found(replace(post, videos=tuple(videos))) if videos else _read_entry(entry, post, link)


def _read_entry(entry: Element, post: Post, link: PostLink) -> Answer:
    """Return what the entry of the post says about its videos."""
    target = read_target(_target_url(entry), link)
    videos = distinct([*([target] if isinstance(target, Video) else []), *_embedded_videos(entry, link)])
    if videos:
        return Found(replace(post, videos=tuple(videos)))
    if isinstance(target, PostLink):
        return Found(post, original=target)
    return replace(target, subreddit=post.subreddit) if isinstance(target, Blocked) else _not_there(target)


def _not_there(target: Video | NotThere) -> NotThere:
    return target if isinstance(target, NotThere) else NotThere("The post has no video.")


def _find_entry(feed: Element, name: str) -> Element | None:
    """Return the entry of a post (`t3_…`) or of a comment (`t1_…`)."""
    entries = feed.iterfind(f"{_ATOM}entry")
    return next((entry for entry in entries if entry.findtext(f"{_ATOM}id", "").strip().lower() == name.lower()), None)


def _read_post(entry: Element) -> Post:
    """Return all of a post but its videos."""
    link, category = entry.find(f"{_ATOM}link"), entry.find(f"{_ATOM}category")
    page = "" if link is None else link.get("href", "")
    author = entry.findtext(f"{_ATOM}author/{_ATOM}name", "").strip()
    return Post(
        title=unescape(entry.findtext(f"{_ATOM}title", "")).strip(),
        subreddit="" if category is None else category.get("term", ""),
        url=page if is_within(host_of(page), {"reddit.com"}) else "",
        videos=(),
        posted=_seconds(entry.findtext(f"{_ATOM}published", "") or entry.findtext(f"{_ATOM}updated", "")),
        author=author.removeprefix("/u/"),
        thumbnail=_thumbnail(entry.find(f"{_MEDIA}thumbnail")),
    )


def _seconds(text: str) -> float | None:
    """Return a date with a time zone (RFC 3339) as seconds since 1970."""
    try:
        date = datetime.fromisoformat(text.strip())
        return date.timestamp() if date.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _thumbnail(element: Element | None) -> Image | None:
    if element is None:
        return None
    width, height = (_side(element.get(name, "")) for name in ("width", "height"))
    return image(_decoded(element.get("url", "")), (width, height) if width and height else None)


def _side(text: str) -> int:
    """Return a width or a height; 0 for what is none."""
    side = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
    return side if side < _MAX_NUMBER else 0


def _anchors(entry: Element | None) -> list[html_content.Element]:
    text = "" if entry is None else entry.findtext(f"{_ATOM}content", "")
    return html_content.parse_elements(text, {"a"})


def _target_url(entry: Element) -> str:
    """Return what a post links to: the last `[link]`, since the post's text, which may have some too, comes before it."""
    targets = [anchor.attributes.get("href", "") for anchor in _anchors(entry) if anchor.text.strip() == "[link]"]
    return _decoded(targets[-1]) if targets else ""


def _embedded_videos(entry: Element | None, link: PostLink) -> list[Video]:
    """Return the videos in the text of a post or a comment, which the feed shows as links to their players."""
    found = (_player(_decoded(anchor.attributes.get("href", "")), link) for anchor in _anchors(entry))
    return distinct(video for video in found if video)[:MAX_VIDEOS]


def _player(url: str, link: PostLink) -> Video | None:
    target = parse_link_if_possible(url)
    is_embedded = isinstance(target, HostedVideo) and f"/link/{link.id}/" in target.folder
    return hosted(target) if isinstance(target, HostedVideo) and is_embedded else None


def _decoded(url: str) -> str:
    """Return an address of which the ampersands are escaped once more than the format asks for."""
    return url.strip().replace("&amp;", "&")
