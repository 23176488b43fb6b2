"""A file that exists only as a map: its first bytes as they are, and for all others the resource that has them."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from transcoder.core.media.mp4.track_samples import Place

_LITERAL_BYTES = 64 * 1024


class Extent(NamedTuple):
    """Bytes of the file that are bytes of a resource."""

    place: Place
    length: int


class ByteMap:
    """Which bytes a file has, by their offsets in it."""

    def __init__(self, head: bytes, extents: Iterable[Extent]) -> None:
        """Begin with `head`, and go on with the bytes of `extents`, one after another; those that continue each other become one."""
        self.head = head
        self._starts = array("Q")
        self._resources = array("L")
        self._offsets = array("Q")
        self.length = len(head)
        """Bytes of the whole file."""
        end: Place | None = None
        for place, length in extents:
            if length and place != end:
                self._starts.append(self.length)
                self._resources.append(place.resource)
                self._offsets.append(place.offset)
            self.length += length
            end = Place(place.resource, place.offset + length) if length else end

    @property
    def kept_bytes(self) -> int:
        """How much memory the map takes, about."""
        return len(self.head) + 24 * len(self._starts)

    def part(self, start: int, stop: int) -> Iterator[bytes | Extent]:
        """Iterate over what the bytes from `start` to before `stop` of the file are; those of the head come in pieces of at most 64 KiB."""
        literal_stop = min(stop, len(self.head))
        for at in range(start, literal_stop, _LITERAL_BYTES):
            yield self.head[at : min(at + _LITERAL_BYTES, literal_stop)]
        at = max(start, len(self.head))
        number = bisect_right(self._starts, at) - 1
        while at < stop:
            end = self._starts[number + 1] if number + 1 < len(self._starts) else self.length
            length = min(stop, end) - at
            yield Extent(Place(self._resources[number], self._offsets[number] + at - self._starts[number]), length)
            at += length
            number += 1
