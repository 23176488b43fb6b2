"""What is collected in memory."""

from dataclasses import dataclass

from transcoder.edge.fetch.transfer import ByteSink


@dataclass(frozen=True, slots=True)
class PlaylistText:
    """A playlist as it was fetched."""

    url: str
    """Its address after redirects, which relative addresses in it are resolved against."""
    text: str


def append_to(buffer: bytearray) -> ByteSink:
    """Return a sink that appends to `buffer`."""

    async def append(chunk: bytes) -> None:
        buffer.extend(chunk)

    return append
