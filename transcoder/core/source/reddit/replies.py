"""Reads Reddit's replies: a JSON document, or one of the many forms of its refusals."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

from transcoder.core.source.reddit.json_values import get_positive_number, get_string
from transcoder.core.source.reply import HttpReply
from transcoder.errors import NotFoundError, UnsupportedSourceError, UpstreamBlockedError, UpstreamError

_BLOCK_MARKS = re.compile(
    r"whoa there, pardner|network policy|blocked by network security|please wait for verification|js_challenge|log in to continue",
    re.IGNORECASE,
)
_BLOCKED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
_BLOCKED_ADVICE = (
    "Pass the address of the video itself instead (https://v.redd.it/…, from the share menu or the player), which needs no permission; "
    "the operator of this service can configure a Reddit API key (TRANSCODER_REDDIT_CLIENT_ID and TRANSCODER_REDDIT_CLIENT_SECRET)."
)
_RESTRICTIONS: Mapping[str, str] = {
    "private": "The post is in a private community, which Reddit shows only to its members.",
    "quarantined": "The post is in a quarantined community, which Reddit shows only to logged-in users who have agreed to it.",
    "gated": "The post is in a gated community, which Reddit shows only to logged-in users who have agreed to it.",
    "banned": "The post is in a community that Reddit has banned.",
}


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
    document = _json_document(reply)
    if isinstance(document, dict):
        _check_error_document(cast("dict[str, object]", document))
    if document is None or reply.status in _BLOCKED:
        _check_page(reply)
    if reply.status == HTTPStatus.NOT_FOUND:
        raise NotFoundError("Reddit has no such post.")
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
        raise NotFoundError("Reddit has no such post.")


def _check_page(reply: HttpReply) -> None:
    """Raise the failure that a reply without JSON means; Reddit sends an HTML page with status 200 only to a blocked network."""
    html = "html" in reply.content_type or reply.text.lstrip()[:1] == "<"
    if reply.status in _BLOCKED or _BLOCK_MARKS.search(reply.text) or (reply.status == HTTPStatus.OK and html):
        raise UpstreamBlockedError(f"Reddit refuses to answer this server. {_BLOCKED_ADVICE}", origin_status=reply.status)
    if reply.status == HTTPStatus.OK:
        raise UpstreamError("Reddit answered with something other than JSON.", origin_status=reply.status)


def parse_token(reply: HttpReply) -> tuple[str, float]:
    """Return an access token, and for how many seconds it is valid (RFC 6749, 5.1).

    Raises:
        UpstreamBlockedError: Reddit refuses this network or the credentials.
        UpstreamError: Reddit failed.

    """
    if reply.status == HTTPStatus.UNAUTHORIZED:
        message = "Reddit does not accept the API key of this service (TRANSCODER_REDDIT_CLIENT_ID and TRANSCODER_REDDIT_CLIENT_SECRET)."
        raise UpstreamBlockedError(message, origin_status=reply.status)
    document = parse_reply(reply)
    token, seconds = get_string(document, "access_token"), get_positive_number(document, "expires_in")
    if not token or re.search(r"[^\x21-\x7e]", token):
        raise UpstreamError("Reddit gave no access token.", origin_status=reply.status)
    return token, seconds or 0.0
