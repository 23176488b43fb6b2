"""What Reddit answered: its JSON, or a refusal in its many forms."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

from transcoder.core.source.reddit.json_values import number, text
from transcoder.core.source.reply import HttpReply
from transcoder.errors import NotFoundError, UnsupportedSourceError, UpstreamBlockedError, UpstreamError

_BLOCK_MARKS = re.compile(
    r"whoa there, pardner|network policy|blocked by network security|please wait for verification|js_challenge|log in to continue",
    re.IGNORECASE,
)
_BLOCKED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
_HELP = (
    "Pass the address of the video itself instead (https://v.redd.it/…, from the share menu or the player), which needs no permission; "
    "whoever runs this service can give it an API key of Reddit's (TRANSCODER_REDDIT_CLIENT_ID and TRANSCODER_REDDIT_CLIENT_SECRET)."
)
_REASONS: Mapping[str, str] = {
    "private": "The post is in a private community: Reddit shows it to members only.",
    "quarantined": "The post is in a quarantined community: Reddit shows it only to those who are logged in and have agreed.",
    "gated": "The post is in a gated community: Reddit shows it only to those who are logged in and have agreed.",
    "banned": "The post is in a community that Reddit has banned.",
}


def read_answer(answer: HttpReply) -> object:
    """Return the JSON in it.

    Raises:
        UpstreamBlockedError: Reddit does not talk to this network.
        NotFoundError: there is no such post.
        UnsupportedSourceError: the post is not for everybody to see.
        UpstreamError: Reddit failed.

    """
    if urlsplit(answer.url).path.startswith("/over18"):
        raise UnsupportedSourceError("The post is marked as for adults, and Reddit shows it only to those who are logged in.")
    document = _document(answer)
    if isinstance(document, dict):
        _refuse(cast("dict[str, object]", document))
    if document is None or answer.status in _BLOCKED:
        _refuse_page(answer)
    if answer.status == HTTPStatus.NOT_FOUND:
        raise NotFoundError("Reddit has no such post.")
    if answer.status != HTTPStatus.OK:
        raise UpstreamError(f"Reddit answered {answer.status}.", origin_status=answer.status)
    return document


def _document(answer: HttpReply) -> object:
    if answer.text.lstrip()[:1] not in {"{", "["}:
        return None
    try:
        return json.loads(answer.text)
    except (ValueError, RecursionError):
        return None


def _refuse(document: Mapping[str, object]) -> None:
    """Raise what Reddit's own error document says."""
    reason = document.get("reason")
    if isinstance(reason, str) and reason in _REASONS:
        raise UnsupportedSourceError(_REASONS[reason])
    if document.get("error") == HTTPStatus.NOT_FOUND:
        raise NotFoundError("Reddit has no such post.")


def _refuse_page(answer: HttpReply) -> None:
    """Raise what an answer that is not JSON means: with 200 it is a page for people, which only a blocked network is shown."""
    html = "html" in answer.content_type or answer.text.lstrip()[:1] == "<"
    if answer.status in _BLOCKED or _BLOCK_MARKS.search(answer.text) or (answer.status == HTTPStatus.OK and html):
        raise UpstreamBlockedError(f"Reddit refuses to answer this server. {_HELP}", origin_status=answer.status)
    if answer.status == HTTPStatus.OK:
        raise UpstreamError("Reddit answered with something that is not its JSON.", origin_status=answer.status)


def read_token(page: HttpReply) -> tuple[str, float]:
    """Return the token that an application asked for, and for how many seconds it is good (RFC 6749, 5.1).

    Raises:
        UpstreamBlockedError: Reddit refused, because of the network or of the credentials.
        UpstreamError: Reddit failed.

    """
    if page.status == HTTPStatus.UNAUTHORIZED:
        message = "Reddit does not accept the API key of this service (TRANSCODER_REDDIT_CLIENT_ID and TRANSCODER_REDDIT_CLIENT_SECRET)."
        raise UpstreamBlockedError(message, origin_status=page.status)
    document = read_answer(page)
    token, seconds = text(document, "access_token"), number(document, "expires_in")
    if not token or re.search(r"[^\x21-\x7e]", token):
        raise UpstreamError("Reddit gave no token.", origin_status=page.status)
    return token, seconds or 0.0
