"""Bytes that are collected in memory."""

from transcoder.edge.fetch.transfer import ByteSink


def append_to(buffer: bytearray) -> ByteSink:
    """Return a sink that appends to `buffer`."""

    async def append(chunk: bytes) -> None:
        buffer.extend(chunk)

    return append
