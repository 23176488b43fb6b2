"""The end of a segment, from servers of every kind."""

import httpx

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch.content_encoding import BodyDecoder
from transcoder.edge.fetch.session import HttpSession
from transcoder.edge.fetch.transfer import ContentRange, Transfer


async def last_bytes_once(exchange: HttpSession, url: str, part: ByteRange | None, *, size: int) -> bytes | None:
    """Ask for the last `size` bytes once; None, which is anything but the very bytes, means that the origin serves no such ranges.

    Raises:
        Hiccup: it may work the next time.
        UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: the segment cannot be had.
    """
    if part is not None:
        return await _range(exchange, url, end_of(part, size))
    async with exchange.get(url, {"Range": f"bytes=-{size}"}) as response:
        found = ContentRange.of(response)
        if response.status_code == httpx.codes.PARTIAL_CONTENT and found is not None:
            if found.stop != found.total or found.stop - found.start != min(size, found.stop):
                return None
            return await Transfer(url, ByteRange(found.start, found.stop - found.start), limit=size).read(response)
        length = int(response.headers.get("Content-Length", 0))
        if response.status_code != httpx.codes.OK or not length or BodyDecoder(response).packed:
            return None
        if length <= size:
            return await Transfer(url, None, limit=size).read(response)
    # Many a small server knows ranges, but not those that count from the end.
    return await _range(exchange, url, ByteRange(length - size, size)) if response.headers.get("Accept-Ranges") == "bytes" else None


async def _range(exchange: HttpSession, url: str, part: ByteRange) -> bytes | None:
    """Fetch a part, unless that takes reading what is before it."""
    async with exchange.get(url, {"Range": f"bytes={part.start}-{part.start + part.length - 1}"}) as response:
        if response.status_code != httpx.codes.PARTIAL_CONTENT or ContentRange.of(response) is None:
            return None
        return await Transfer(url, part, limit=part.length).read(response)


def end_of(part: ByteRange, size: int) -> ByteRange:
    """Return the last `size` bytes of a part, or all of it."""
    length = min(size, part.length)
    return ByteRange(part.start + part.length - length, length)
