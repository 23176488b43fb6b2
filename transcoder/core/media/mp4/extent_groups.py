"""Extents that lie close together in a resource, to be fetched together: a request costs more than the few bytes between them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from transcoder.core.media.mp4.byte_map import Extent

_GAP_BYTES = 16 * 1024
"""So many bytes may lie between two extents of a group, such as the next `moof`."""
_GROUP_BYTES = 4 * 1024 * 1024
"""A group is no longer than this, unless it is one extent."""


class ExtentGroup(NamedTuple):
    """Bytes of one resource from `start` to before `stop`, of which some are wanted."""

    resource: int
    start: int
    stop: int
    wanted: tuple[tuple[int, int], ...]
    """Where each wanted part begins and ends in the resource, in rising order."""


class WantedBytes:
    """Picks the wanted bytes of a group out of all of its bytes, which arrive in pieces."""

    def __init__(self, group: ExtentGroup) -> None:
        """Begin before the first byte of the group."""
        self._at = group.start
        self._wanted = group.wanted
        self._number = 0

    def take(self, piece: bytes) -> Iterator[bytes]:
        """Iterate over the wanted parts of the next piece."""
        begin, end = self._at, self._at + len(piece)
        self._at = end
        while self._number < len(self._wanted):
            start, stop = self._wanted[self._number]
            if start >= end:
                return
            yield piece[max(start, begin) - begin : min(stop, end) - begin]
            if stop > end:
                return
            self._number += 1


def group_extents(extents: Iterable[Extent]) -> Iterator[ExtentGroup]:
    """Iterate over the groups of extents, which keep their order."""
    resource, wanted = -1, list[tuple[int, int]]()
    for place, length in extents:
        stop = place.offset + length
        is_near = bool(wanted) and place.resource == resource and 0 <= place.offset - wanted[-1][1] <= _GAP_BYTES
        if wanted and not (is_near and stop - wanted[0][0] <= _GROUP_BYTES):
            yield ExtentGroup(resource, wanted[0][0], wanted[-1][1], tuple(wanted))
            wanted = []
        resource = place.resource
        wanted.append((place.offset, stop))
    if wanted:
        yield ExtentGroup(resource, wanted[0][0], wanted[-1][1], tuple(wanted))
