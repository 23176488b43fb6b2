"""Answers that are read whole, whatever their status."""

from itertools import islice

import httpx

from transcoder.core.source.reply import HttpReply
from transcoder.edge.fetch.content_encoding import PIECE, BodyDecoder
from transcoder.edge.fetch.retry import resource_name
from transcoder.edge.fetch.transfer import arriving
from transcoder.errors import UnsupportedSourceError


async def read_page(response: httpx.Response, *, limit: int) -> HttpReply:
    """Read an answer's text: UTF-8, what is not is replaced.

    Raises:
        Hiccup: its body is broken.
        UpstreamError: it is packed in a way that nobody asked for.
        UnsupportedSourceError: it is longer than `limit` bytes.
    """
    url, buffer, unpacker = str(response.url), bytearray(), BodyDecoder(response)
    async with arriving(response) as pieces:
        async for piece in pieces:
            buffer += b"".join(islice(unpacker.feed(piece), limit // PIECE + 2))
            if len(buffer) > limit:
                raise UnsupportedSourceError(f"{resource_name(url)} is longer than {limit} bytes, the limit for what it is.")
    unpacker.finish()
    kind = response.headers.get("Content-Type", "").lower()
    return HttpReply(url, response.status_code, kind, buffer.decode("utf-8-sig", "replace"), _location(response))


def _location(response: httpx.Response) -> str | None:
    if not response.has_redirect_location:
        return None
    try:
        return str(response.url.join(response.headers["Location"]))
    except httpx.InvalidURL:
        return None
