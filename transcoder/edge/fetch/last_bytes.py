"""The last bytes of a segment, from servers with and without suffix ranges."""

from contextlib import suppress

import httpx

from transcoder.core.hls.plan import ByteRange
from transcoder.edge.fetch.content_encoding import BodyDecoder
from transcoder.edge.fetch.retry import ShortRangeError
from transcoder.edge.fetch.session import HttpSession
from transcoder.edge.fetch.transfer import Transfer
from transcoder.edge.fetch.validators import ContentRange


async def fetch_last_bytes(session: HttpSession, url: str, byte_range: ByteRange | None, *, size: int) -> bytes | None:
    """Fetch the last `size` bytes in one attempt; None unless the origin serves exactly that range.

    Raises:
        TransientError: the attempt failed, and may be retried.
        UpstreamError, UpstreamTimeoutError, ForbiddenSourceError: the segment cannot be fetched.
    """
    if byte_range is not None:
        return await _fetch_end_of(session, url, byte_range, size=size)
    async with session.stream(url, {"Range": f"bytes=-{size}"}) as response:
        served = ContentRange.of(response)
        if response.status_code == httpx.codes.PARTIAL_CONTENT and served is not None:
            if served.stop != served.total or served.stop - served.start != min(size, served.stop):
                return None
            return await _read(Transfer(url, ByteRange(served.start, served.stop - served.start), limit=size), response)
        length = int(response.headers.get("Content-Length", 0))
        if response.status_code != httpx.codes.OK or not length or BodyDecoder(response).is_compressed:
            return None
        if length <= size:
            return await _read(Transfer(url, None, limit=size), response)
    # Many small servers support ranges, but not suffix ranges (RFC 9110, 14.1.2).
    return await _fetch_range(session, url, ByteRange(length - size, size)) if response.headers.get("Accept-Ranges") == "bytes" else None


async def _fetch_end_of(session: HttpSession, url: str, byte_range: ByteRange, *, size: int) -> bytes | None:
    end = end_of_range(byte_range, size)
    found = await _fetch_range(session, url, end)
    if found is None or len(found) == end.length or end.length == byte_range.length:
        return found
    # The file ends before the range does, so there are more bytes to fetch before these.
    length = end.start + len(found) - byte_range.start
    return await _fetch_range(session, url, end_of_range(ByteRange(byte_range.start, length), size))


async def _read(transfer: Transfer, response: httpx.Response) -> bytes:
    """Return the requested bytes of a response's body; raises what `Transfer.receive` does."""
    buffer = bytearray()

    async def append(chunk: bytes) -> None:
        buffer.extend(chunk)

    await transfer.receive(response, append)
    return bytes(buffer)


async def _fetch_range(session: HttpSession, url: str, byte_range: ByteRange) -> bytes | None:
    """Fetch a byte range, or what the file has of it; None if the origin answers with anything but a range: the whole file is not read."""
    transfer, content = Transfer(url, byte_range, limit=byte_range.length, exact=False), bytearray()

    async def append(chunk: bytes) -> None:
        content.extend(chunk)

    while True:
        async with session.stream(url, transfer.headers()) as response:
            if response.status_code != httpx.codes.PARTIAL_CONTENT or ContentRange.of(response) is None:
                return None
            with suppress(ShortRangeError):  # it has brought at least one byte, and the next request asks for the rest
                await transfer.receive(response, append)
                return bytes(content)


def end_of_range(byte_range: ByteRange, size: int) -> ByteRange:
    """Return the last `size` bytes of a byte range, or all of it if it is shorter."""
    length = min(size, byte_range.length)
    return ByteRange(byte_range.start + byte_range.length - length, length)
