"""The one place where the failure of a segment gets its name: what finds damage in bytes does not know whose they are."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from transcoder.core.hls.plan import ByteRange, Segment
from transcoder.edge.resource_name import resource_name
from transcoder.errors import DamagedMediaError


def about(segment: Segment) -> AbstractContextManager[None]:
    """Have the message of damage that shows in the block begin with the name of a segment."""
    return about_listed((segment.url, segment.range))


@contextmanager
def about_listed(identity: tuple[object, ...]) -> Iterator[None]:
    """Do what `about` does; `identity` is what the playlist names: URL and byte range. A name that the message has already stays."""
    try:
        yield
    except DamagedMediaError as error:
        if not error.resource:
            error.resource = _name(str(identity[0]), identity[1] if isinstance(identity[1], ByteRange) else None, str(error))
        raise


def _name(url: str, byte_range: ByteRange | None, message: str) -> str:
    name = resource_name(url)
    if message.startswith(name):
        return ""
    return f"{name}, bytes {byte_range.start} to {byte_range.start + byte_range.length - 1}" if byte_range else name
