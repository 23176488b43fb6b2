"""Sends a whole text that caches may keep for a short time."""

import hashlib
from http import HTTPStatus

from transcoder.app.answer import Answer
from transcoder.core.answer.event import Request
from transcoder.core.answer.function_url import ResponseHead

_MAX_AGE_SECONDS = 60


def text_headers(content_type: str) -> tuple[tuple[str, str], ...]:
    """Return the headers of a text that caches may keep."""
    return ("content-type", content_type), ("cache-control", f"public, max-age={_MAX_AGE_SECONDS}"), ("x-content-type-options", "nosniff")


async def send_text(request: Request, answer: Answer, body: bytes, headers: tuple[tuple[str, str], ...]) -> None:
    """Send `body`, or 304 if the client has the same version already."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = (*headers, ("etag", etag))
    if_none_match = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if if_none_match & {etag, "*"}:
        await answer.start(ResponseHead(HTTPStatus.NOT_MODIFIED, headers))
        return
    await answer.start(ResponseHead(HTTPStatus.OK, headers))
    if request.method != "HEAD":
        await answer.write(body)
