"""Tells the refusals of Reddit's pages apart: this network is blocked, or the post does not exist."""

import re
from http import HTTPStatus
from urllib.parse import urlsplit

from transcoder.core.source.reddit.answers import Blocked, NotThere
from transcoder.core.source.reply import HttpReply
from transcoder.errors import NotFoundError, UpstreamBlockedError

NO_SUCH_POST = "Reddit has no such post."
_PLACES = {"login": "the login page", "register": "the login page", "over18": "the age check", "quarantine": "the page about quarantine"}
"""Where Reddit sends readers whom it does not answer."""
_DETOUR = re.compile(rf"(?:/[a-z]{{2}}(?:-[a-z]{{2}})?)?(?:/account)?/({'|'.join(_PLACES)})/?", re.IGNORECASE)


def read_refusal(reply: HttpReply) -> NotThere | Blocked | None:
    """Return what a reply without the post means; None if it may have the post."""
    if detour := sent_elsewhere(reply):
        return detour
    if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return NotThere(NO_SUCH_POST, NotFoundError)
    return refused(reply) if reply.status != HTTPStatus.OK else None


def refused(reply: HttpReply) -> Blocked:
    """Return the answer of a step that Reddit refused, with what the operator needs to know about it."""
    if detour := sent_elsewhere(reply):
        return detour
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS and reply.wait:
        reason = f"{reply.status}, for {reply.wait:.0f} s"
    else:
        reason = "a page without the post" if reply.status == HTTPStatus.OK else str(reply.status)
    return Blocked(reason, UpstreamBlockedError)


def sent_elsewhere(reply: HttpReply) -> Blocked | None:
    """Return the answer of a step whose reply is not about a post, because Reddit has redirected it; None if it may be."""
    if detour := refused_detour(reply.location or reply.url):
        return detour
    return None if reply.location is None else Blocked("sent to another site", UpstreamBlockedError)


def refused_detour(url: str) -> Blocked | None:
    """Return the answer of a step that Reddit has redirected to a page for logged-in readers; None if it has not."""
    detour = _DETOUR.fullmatch(urlsplit(url).path)
    return Blocked(f"sent to {_PLACES[detour[1].lower()]}", UpstreamBlockedError) if detour else None


def is_html(reply: HttpReply) -> bool:
    """Whether a reply is a web page."""
    return "html" in reply.content_type or reply.text.lstrip()[:14].lower().startswith(("<!doctype html", "<html"))
