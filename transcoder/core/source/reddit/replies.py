"""Reads Reddit's replies: a JSON document, or one of the many forms of its refusals."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

from transcoder.core.source.reddit.answers import BLOCKED_ADVICE, Answer, Blocked, Found, NotThere
from transcoder.core.source.reddit.json_values import get_positive_number, get_string
from transcoder.core.source.reddit.links import PostLink
from transcoder.core.source.reddit.post import read_post
from transcoder.core.source.reddit.refusals import NO_SUCH_POST, is_html, refused, sent_elsewhere
from transcoder.core.source.reply import HttpReply
from transcoder.errors import NotFoundError, UnsupportedSourceError, UpstreamBlockedError, UpstreamError

_BLOCK_MARKS = re.compile(
    r"whoa there, pardner|network policy|blocked by network security|please wait for verification|js_challenge|log in to continue",
    re.IGNORECASE,
)
_BLOCKED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
_RESTRICTIONS: Mapping[str, str] = {
    "private": "The post is in a private community, which Reddit shows only to its members.",
    "quarantined": "The post is in a quarantined community, which Reddit shows only to logged-in users who have agreed to it.",
    "gated": "The post is in a gated community, which Reddit shows only to logged-in users who have agreed to it.",
    "banned": "The post is in a community that Reddit has banned.",
}


def read_json(reply: HttpReply, link: PostLink) -> Answer:
    """Return what a reply to a request for the JSON of `link` says."""
    try:
        post = read_post(parse_reply(reply), name=link.id, comment=link.comment)
    except (NotFoundError, UnsupportedSourceError) as error:
        return NotThere(str(error), type(error))
    except UpstreamBlockedError:
        return refused(reply)
    except UpstreamError as error:
        return Blocked(str(reply.status) if reply.status != HTTPStatus.OK else "a document without the post", type(error))
    return Found(post, None if post.videos else post.original)


def parse_reply(reply: HttpReply) -> object:
    """Return the JSON document in a reply.

    Raises:
        UpstreamBlockedError: Reddit refuses requests from this network.
        NotFoundError: the post does not exist.
        UnsupportedSourceError: the post is not public.
        UpstreamError: Reddit failed.

    """
    if urlsplit(reply.url).path.startswith("/over18"):
        raise UnsupportedSourceError("The post is marked as for adults only, and Reddit shows it only to logged-in users.")
    if sent_elsewhere(reply):
        raise UpstreamBlockedError(f"Reddit refuses to answer this server. {BLOCKED_ADVICE}", origin_status=reply.status)
    document = _json_document(reply)
    if isinstance(document, dict):
        _check_error_document(cast("dict[str, object]", document))
    if document is None or reply.status in _BLOCKED:
        _check_page(reply)
    if reply.status == HTTPStatus.NOT_FOUND:
        raise NotFoundError(NO_SUCH_POST)
    if reply.status != HTTPStatus.OK:
        raise UpstreamError(f"Reddit answered {reply.status}.", origin_status=reply.status)
    return document


def _json_document(reply: HttpReply) -> object:
    if reply.text.lstrip()[:1] not in {"{", "["}:
        return None
    try:
        return json.loads(reply.text)
    except (ValueError, RecursionError):
        return None


def _check_error_document(document: Mapping[str, object]) -> None:
    """Raise the failure that Reddit's own error document describes, if it is one."""
    reason = document.get("reason")
    if isinstance(reason, str) and reason in _RESTRICTIONS:
        raise UnsupportedSourceError(_RESTRICTIONS[reason])
    if document.get("error") == HTTPStatus.NOT_FOUND:
        raise NotFoundError(NO_SUCH_POST)


def _check_page(reply: HttpReply) -> None:
    """Raise the failure that a reply without JSON means; Reddit sends an HTML page with status 200 only to a blocked network."""
    html = "html" in reply.content_type or reply.text.lstrip()[:1] == "<"
    if reply.status in _BLOCKED or _BLOCK_MARKS.search(reply.text) or (reply.status == HTTPStatus.OK and html):
        raise UpstreamBlockedError(f"Reddit refuses to answer this server. {BLOCKED_ADVICE}", origin_status=reply.status)
    if reply.status == HTTPStatus.OK:
        raise UpstreamError("Reddit answered with something other than JSON.", origin_status=reply.status)


def read_token(reply: HttpReply) -> tuple[str, float] | Blocked:
    """Return an access token, and for how many seconds it is valid (RFC 6749, 5.1)."""
    if reply.status == HTTPStatus.UNAUTHORIZED:
        key = "TRANSCODER_REDDIT_CLIENT_ID and TRANSCODER_REDDIT_CLIENT_SECRET"
        return Blocked(f"it does not accept the API key of this service: {key}", UpstreamBlockedError)
    if reply.status in _BLOCKED or is_html(reply):
        return refused(reply)
    document = _json_document(reply)
    token, seconds = get_string(document, "access_token"), get_positive_number(document, "expires_in")
    if reply.status != HTTPStatus.OK or not token or re.search(r"[^\x21-\x7e]", token):
        return Blocked(f"{reply.status}, without an access token", UpstreamError)
    return token, seconds or 0.0
