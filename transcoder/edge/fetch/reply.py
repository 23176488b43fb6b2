"""Responses that are read completely."""

import re
from itertools import islice

import httpx

from transcoder.core.source.reply import HttpReply
from transcoder.edge.fetch.content_encoding import CHUNK_BYTES, BodyDecoder
from transcoder.edge.fetch.raw_body import raw_chunks
from transcoder.edge.fetch.redirects import redirect_location
from transcoder.edge.fetch.retry import retry_after_seconds
from transcoder.edge.resource_name import resource_name
from transcoder.errors import UnsupportedSourceError


async def read_reply(response: httpx.Response, *, limit: int) -> HttpReply:
    """Read the whole response; its text is decoded as UTF-8, and invalid bytes are replaced.

    Raises:
        TransientError: the compressed body is invalid.
        UpstreamError: the body has a content coding that was not requested.
        UnsupportedSourceError: the text is longer than `limit` bytes.
    """
    url, buffer, decoder = str(response.url), bytearray(), BodyDecoder(response)
    async with raw_chunks(response) as chunks:
        async for chunk in chunks:
            buffer += b"".join(islice(decoder.decode(chunk), limit // CHUNK_BYTES + 2))
            if len(buffer) > limit:
                raise UnsupportedSourceError(f"{resource_name(url)} is longer than {limit} bytes, the limit for this kind of resource.")
    decoder.finish()
    content_type = response.headers.get("Content-Type", "").lower()
    text = buffer.decode("utf-8-sig", "replace")
    return HttpReply(url, response.status_code, content_type, text, _redirect_target(response), _wait_seconds(response))


def _wait_seconds(response: httpx.Response) -> float | None:
    """Return for how many seconds the origin wants no further request: after a 429, or once its allowance is used up."""
    refused = response.status_code == httpx.codes.TOO_MANY_REQUESTS
    wait = retry_after_seconds(response.headers.get("Retry-After", "")) if refused else None
    left = _number(response.headers.get("X-RateLimit-Remaining", ""))
    if wait is None and (refused or (left is not None and left < 1)):
        wait = _number(response.headers.get("X-RateLimit-Reset", ""))
    return wait


def _number(text: str) -> float | None:
    """Read a header's number, which may have a fraction."""
    return float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{0,9})?", text) else None


def _redirect_target(response: httpx.Response) -> str | None:
    location = redirect_location(response)
    if location is None:
        return None
    try:
        return str(response.url.join(location))
    except httpx.InvalidURL:
        return None
