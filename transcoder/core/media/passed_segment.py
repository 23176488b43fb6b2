"""A segment that has passed through: what the playlist says of it, and the samples that it brought."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from transcoder.core.media.packet_evidence import PacketEvidence
from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamps import unwrap

NO_EVIDENCE = PacketEvidence()

STEADY_SHARE = 0.02
"""The samples of a segment are evenly spaced if together they are as long as the last one times their number: to this share, or to one of
many, since one whose beginning is in the segment before may not be counted."""
_MANY_SAMPLES = 10
_ROUNDING = 0.01
"""Share of a sample by which its time may be rounded."""
MAX_REORDERED = 4
"""So many frames that are shown before the last one may be decoded after it, so that a cut takes them away and leaves the last one."""


class SegmentExtent(NamedTuple):
    """The samples of one medium in one segment: their number and the time they cover."""

    samples: int
    start: float
    """First presentation time in seconds, unwrapped."""
    end: float
    """Last presentation end in seconds, unwrapped."""
    sample_seconds: float
    """Duration of the last sample; 0 if it is not known."""
    decode_span: tuple[float, float] | None = None
    """Its first and last decode time in seconds, unwrapped; None if they are not known."""

    @property
    def seconds(self) -> float:
        """The time that it covers."""
        return self.end - self.start

    @property
    def lacking(self) -> int:
        """How many samples more would fit evenly into its time."""
        return round(self.seconds / self.sample_seconds) - self.samples if self.sample_seconds else 0

    @property
    def delay(self) -> float | None:
        """From the last decode time to the end of the presentation, in seconds; None if that is not known."""
        return None if self.decode_span is None else self.end - self.decode_span[1]

    @property
    def is_steady(self) -> bool:
        """Whether its samples are evenly spaced, so that a longer distance after them is remarkable."""
        tolerance = max(STEADY_SHARE * self.samples, 1.0 if self.samples >= _MANY_SAMPLES else 0.0)
        return self.sample_seconds > 0 and abs(self.seconds / self.sample_seconds - self.samples) <= tolerance + _ROUNDING

    def spaced_as(self, other: "SegmentExtent") -> "SegmentExtent":
        """Return the same with the sample duration of another segment, if its own is not known: a single sample shows none."""
        if self.sample_seconds or self.samples > 1:
            return self
        return self._replace(sample_seconds=other.sample_seconds, end=self.end + other.sample_seconds)

    def is_as_steady_as(self, other: "SegmentExtent") -> bool:
        """Return whether the samples are spaced as those of another segment, which is steady, but for a few that are missing inside."""
        is_same = abs(self.sample_seconds - other.sample_seconds) <= STEADY_SHARE * other.sample_seconds
        return is_same and other.is_steady and 0 <= self.lacking <= MAX_REORDERED


class PassedSegment(NamedTuple):
    """One segment that has passed through."""

    at: float
    """Where the playlist puts it in its period, in seconds."""
    seconds: float
    """EXTINF."""
    rounding: float
    """By how many seconds EXTINF may be rounded."""
    identity: tuple[object, ...]
    """What the playlist names: URL and byte range."""
    fingerprint: tuple[object, ...]
    """What arrived: equal only for equal bodies."""
    extents: Mapping[Medium, SegmentExtent]
    packets: PacketEvidence = NO_EVIDENCE
    guessed: bool = False
    """EXTINF has no duration, and `seconds` is a guess."""

    def excess(self, medium: Medium) -> float:
        """Return by how many seconds a medium is longer than EXTINF says; minus infinity where EXTINF has no duration to exceed."""
        return -math.inf if self.guessed else self.extents[medium].seconds - self.seconds

    def spaced_as(self, after: "PassedSegment") -> "PassedSegment":
        """Return the same with the sample durations of the next segment where its own are not known."""
        known = after.extents
        extents = {medium: extent.spaced_as(known[medium]) if medium in known else extent for medium, extent in self.extents.items()}
        return self._replace(extents=extents)


def hole_between(before: PassedSegment, after: PassedSegment, medium: Medium) -> float | None:
    """Return the seconds between two segments in one medium; None if it is not in both."""
    if medium not in after.extents:
        return None
    end = before.extents[medium].end
    return unwrap(after.extents[medium].start, near=end) - end
