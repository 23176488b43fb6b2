"""When segments are requested that nobody reads yet."""

from collections.abc import Sequence

from transcoder.core.hls.plan import Segment
from transcoder.edge.prefetch.track_reader import TrackReader

SOON_SECONDS = 2.0
"""A segment that begins less than this after the one that is being read is part of what the first output needs."""


class ReadAhead:
    """Puts off what is read ahead until it is asked for, or until the first two segments of all tracks have been read.

    It competes with what is read, for the origin's rate and for the processor. The first output is a group of pictures, and its end is
    known where the next one begins, which is seldom later than in the second segment. After the first segments, those that begin soon are
    requested, too: short segments have a group of pictures together.
    """

    def __init__(self, readers: Sequence[TrackReader], *, has_begun: bool) -> None:
        """Watch `readers`, to which tracks may be added."""
        self._readers = readers
        self._has_begun = has_begun

    def begin(self) -> None:
        """Put off nothing more."""
        self._has_begun = True

    def is_due(self, segment: Segment, reader: TrackReader) -> bool:
        """Whether the next segment of a reader, which it does not read yet, may be requested."""
        self._has_begun = self._has_begun or all(each.has_read(2) for each in self._readers)
        if self._has_begun or reader.is_unrequested:
            return True
        current = reader.current
        is_soon = current is not None and segment.at - current.segment.at < SOON_SECONDS
        return is_soon and all(each.has_read(1) for each in self._readers)
