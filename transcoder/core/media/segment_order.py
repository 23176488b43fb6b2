"""The order of the segments of one track in one period of the playlist, over all the timelines that no tag separates."""

from collections.abc import Sequence
from itertools import pairwise

from transcoder.core.media.passed_segment import PassedSegment
from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamps import unwrap

_SAME_SECONDS = 0.001
_CONTIGUOUS_SECONDS = 0.1
"""A segment begins so close to the end of the one before it, whatever its frames last."""


class SegmentOrder:
    """Remembers when each segment was, to tell segments in a wrong order from timelines that the source begins."""

    def __init__(self) -> None:
        """Begin with none."""
        self._spans: list[tuple[float, float]] = []
        self._followers: list[tuple[float, tuple[object, ...]]] = []
        """Start and identity of the segments that continue a timeline."""

    def add(self, segment: PassedSegment) -> None:
        """Take the next segment."""
        known = [segment.extents[medium] for medium in Medium if medium in segment.extents]
        spans = [(extent.start, extent.end) for extent in known[:1]]
        if self._spans and spans and _follow([self._spans[-1], *spans]):
            self._followers.append((spans[0][0], segment.identity))
        self._spans += spans

    def has_at(self, start: float, *, identity: tuple[object, ...]) -> bool:
        """Return whether another segment that continues a timeline starts at the same time to the millisecond.

        The source may begin a new timeline at the time at which an earlier one began. It hardly begins one at a border inside of that.
        """
        return any(abs(unwrap(start, near=known) - known) < _SAME_SECONDS and identity != other for known, other in self._followers)

    def is_shuffled(self) -> bool:
        """Return whether the segments are one timeline without a hole, but in another order.

        A source that begins a new timeline does not begin it where another segment ends.
        """
        return not _follow(self._spans) and _follow(sorted(self._spans))


def _follow(spans: Sequence[tuple[float, float]]) -> bool:
    return all(abs(after[0] - before[1]) <= _CONTIGUOUS_SECONDS for before, after in pairwise(spans))
