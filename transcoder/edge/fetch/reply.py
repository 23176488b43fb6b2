"""Responses that are read completely."""

from dataclasses import dataclass
from itertools import islice

import httpx

from transcoder.core.source.reply import HttpReply
from transcoder.edge.fetch.content_encoding import CHUNK_BYTES, BodyDecoder
from transcoder.edge.fetch.raw_body import raw_chunks
from transcoder.edge.fetch.resource_name import resource_name
from transcoder.errors import UnsupportedSourceError


@dataclass(frozen=True, slots=True)
class PlaylistText:
    """A playlist as it was fetched."""

    url: str
    """Its address after redirects, which relative addresses in it are resolved against."""
    text: str


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
    return HttpReply(url, response.status_code, content_type, buffer.decode("utf-8-sig", "replace"), _redirect_target(response))


def _redirect_target(response: httpx.Response) -> str | None:
    if not response.has_redirect_location:
        return None
    try:
        return str(response.url.join(response.headers["Location"]))
    except httpx.InvalidURL:
        return None
