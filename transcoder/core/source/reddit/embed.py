"""Reads the page with which other sites embed a post: it names the player of the video, but neither the author nor comments."""

import json
from dataclasses import replace
from urllib.parse import parse_qs

from transcoder.core.source.reddit.answers import Answer, Blocked, Found, NotThere
from transcoder.core.source.reddit.html_content import Element, parse_elements
from transcoder.core.source.reddit.json_values import get_member, get_positive_number, get_string
from transcoder.core.source.reddit.links import HostedVideo, PostLink, parse_link_if_possible
from transcoder.core.source.reddit.post import Post, Video, distinct, hosted, image
from transcoder.core.source.reddit.refusals import read_refusal, refused
from transcoder.core.source.reddit.target import GALLERY, read_target
from transcoder.core.source.reply import HttpReply

_DATA, _PLAYER, _HEADING = "shreddit-screenview-data", "shreddit-player", "h1"


def embed_url(link: PostLink) -> str:
    """Return the address of the page; the name of the post's community must be known."""
    return f"https://embed.reddit.com/r/{link.subreddit}/comments/{link.id}/"


def read_embed(reply: HttpReply, link: PostLink) -> Answer:
    """Return what a reply to a request for the embed page of `link` says."""
    if refusal := read_refusal(reply):
        # The community in the link may be the wrong one, or Reddit may have closed these pages: this is not said of the post itself.
        return Blocked(str(reply.status)) if isinstance(refusal, NotThere) else refusal
    elements = parse_elements(reply.text, {_DATA, _PLAYER, _HEADING})
    data = next((_json(each.attributes.get("data", "")) for each in elements if each.name == _DATA), None)
    if data is None:
        return refused(reply)
    name = f"t3_{link.id}"
    if get_string(data, "post", "id").lower() != name:
        return Blocked("a page about another post")
    kind = get_string(data, "post", "type")
    players = [each for each in elements if each.name == _PLAYER and _shows(each, name, kind)]
    post = _read_post(data, elements, players, link)
    answer = _read_data(data, players, post, link)
    return replace(answer, subreddit=post.subreddit) if isinstance(answer, Blocked) else answer


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _shows(player: Element, name: str, kind: str) -> bool:
    """Whether a player shows the post; the page of an image may have a player for something else."""
    post = player.attributes.get("post-id", "").lower()
    return post == name or (not post and kind == "video")


def _read_data(data: object, players: list[Element], post: Post, link: PostLink) -> Answer:
    """Return what the page says about the videos of the post."""
    kind = get_string(data, "post", "type")
    target = read_target(get_string(data, "post", "url"), link)
    videos = [video for player in players if (video := _video(player.attributes.get("src", "")))]
    videos = distinct([*videos, *([target] if isinstance(target, Video) else [])])
    if videos:
        return Found(replace(post, videos=tuple(videos)))
    if isinstance(target, PostLink):
        return Found(post, original=target)
    if kind == "gallery":
        return GALLERY
    if kind == "text":
        return Blocked("a text, whose videos it does not list")
    if kind == "video" or isinstance(target, Video):
        return Blocked("a page without the video")
    return target


def _video(url: str) -> Video | None:
    target = parse_link_if_possible(url)
    if not isinstance(target, HostedVideo):
        return None
    # A signature is kept; other parameters select variants, and without them the playlist has all.
    return hosted(target if parse_qs(target.query).get("a") else replace(target, query=""))


def _read_post(data: object, elements: list[Element], players: list[Element], link: PostLink) -> Post:
    """Return all of a post but its videos."""
    title = next((each.text for each in elements if each.name == _HEADING), "")
    milliseconds, over_18 = get_positive_number(data, "post", "created_timestamp", limit=1e14), get_member(data, "post", "nsfw")
    posters = (image(player.attributes.get("poster", "").replace("&amp;", "&")) for player in players)
    subreddit = get_string(data, "subreddit", "name") or link.subreddit
    return Post(
        title=" ".join(title.split()),
        subreddit=subreddit,
        url=f"https://www.reddit.com/r/{subreddit}/comments/{link.id}/",
        videos=(),
        posted=milliseconds / 1000 if milliseconds else None,
        over_18=over_18 if isinstance(over_18, bool) else None,
        poster=next((each for each in posters if each), None),
    )
