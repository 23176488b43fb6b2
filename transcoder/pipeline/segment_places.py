"""Whether each segment of a rendition is the one that belongs in its place, by its timestamps and by what it has in common with others."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from transcoder.core.hls.plan import Segment
from transcoder.core.media.passed_segment import PassedSegment
from transcoder.core.media.segment_order import SegmentOrder
from transcoder.core.media.segment_sequence import fills_two_places
from transcoder.core.media.streams import Medium
from transcoder.core.media.timeline_continuity import OVERLAP_SECONDS, continues, same_streams
from transcoder.core.media.timestamps import unwrap
from transcoder.errors import DamagedMediaError, MisplacedMediaError
from transcoder.pipeline.segment import LocatedSegment
from transcoder.pipeline.segment_names import about

_MIN_LEFT_OUT = 0.5
"""Segments are left out if at least this share of their time is."""


class _Leap(NamedTuple):
    """Where the timestamps leave a timeline, or other streams begin, without a tag."""

    before: LocatedSegment
    starts: Mapping[Medium, float]
    """First presentation times of the segment before."""
    after: LocatedSegment


class SegmentPlaces:
    """The places of the segments of one rendition so far.

    All methods raise DamagedMediaError if a segment is not the one that belongs in its place.
    """

    def __init__(self) -> None:
        """Begin before the first segment."""
        self._last_leap: _Leap | None = None
        self._last_units: tuple[int, tuple[object, ...], frozenset[int]] = -1, (), frozenset()
        """The period of the segment before, what it is, and the hashes of its units."""
        self._orders: defaultdict[int, SegmentOrder] = defaultdict(SegmentOrder)
        """The segments that have passed, by the period of the plan."""

    def check_passed(self, segment: LocatedSegment, passed: PassedSegment, units: frozenset[int]) -> None:
        """Check that a segment has no part of the one before it, unless the playlist lists the same one again.

        `units` are the hashes of its PES packets or fragments. Those of another period may be equal: its clock is its own.
        """
        period, identity, before = self._last_units
        self._last_units = segment.period, identity_of(segment.segment), units
        if period == segment.period and identity != identity_of(segment.segment) and not units.isdisjoint(before):
            with about(segment.segment):
                raise MisplacedMediaError("The origin sent a part of the segment before this one twice: it is in this one, too.")
        self._orders[segment.period].add(passed)

    def check_next(self, passed: PassedSegment, before: LocatedSegment, after: LocatedSegment, starts: Mapping[Medium, float]) -> None:
        """Check the head of a segment against the one before it, which began at `starts` and has `passed`."""
        with about(before.segment):
            _refuse_doubled(passed, after)
            self._refuse_return(before, after, passed)
        with about(after.segment):
            _refuse_left_out(passed, after, starts)

    def leave(self, before: LocatedSegment, after: LocatedSegment, starts: Mapping[Medium, float]) -> None:
        """Leave a timeline, but not for the place of an earlier segment: then the origin sent something of that one again."""
        self._last_leap = _Leap(before, dict(starts), after)
        stream = next((stream for medium in Medium if (stream := after.probe.main(medium))), None)
        start = stream.start if stream else None
        if start is not None and self._orders[after.period].has_at(start, identity=identity_of(after.segment)):
            with about(after.segment):
                raise MisplacedMediaError("This is not the segment that belongs in its place: the video has had its time before.")

    def check_order(self, period: int) -> None:
        """Check the order of all segments of a period of the plan."""
        if self._orders[period].is_shuffled():
            raise DamagedMediaError("The segments are in a wrong order: by their timestamps, they would follow each other without a hole.")

    def _refuse_return(self, previous: LocatedSegment, segment: LocatedSegment, passed: PassedSegment) -> None:
        """Refuse a segment after which the timeline before it goes on in its place: that one does not belong there, or is a part."""
        last = self._last_leap
        if last is None or last.after.segment is not previous.segment or not same_streams(last.before.probe, segment.probe):
            return
        known = {stream.medium for stream in segment.probe.streams if stream.start is not None}
        apart = previous.segment.at - last.before.segment.at + _seconds_between(passed, segment.segment)
        if known & last.starts.keys() and continues(last.starts, {}, segment.probe, seconds=apart, tolerance=OVERLAP_SECONDS):
            raise MisplacedMediaError("This is not the segment that belongs in its place: the next one continues the one before it.")


def identity_of(segment: Segment) -> tuple[object, ...]:
    """Return what the playlist names."""
    return segment.url, segment.range


def _seconds_between(passed: PassedSegment, after: Segment) -> float:
    """Return how long after a segment the next one starts: by the playlist, or by the media where EXTINF has no duration."""
    extent = next((passed.extents[medium] for medium in Medium if medium in passed.extents), None)
    return extent.seconds if passed.guessed and extent else after.at - passed.at


def _refuse_left_out(before: PassedSegment, after: LocatedSegment, starts: Mapping[Medium, float]) -> None:
    """Refuse a segment before which the playlist leaves out others, by its names, if the time of these is left out, too."""
    listed = after.segment
    stream = next((stream for medium in Medium if medium in starts and (stream := after.probe.main(medium))), None)
    if not listed.left_out or stream is None or stream.start is None:
        return
    expected = starts[stream.medium] + _seconds_between(before, listed)
    if unwrap(stream.start, near=expected) - expected > _MIN_LEFT_OUT * listed.left_out * listed.seconds:
        count = "1 segment" if listed.left_out == 1 else f"{listed.left_out} segments"
        raise DamagedMediaError(f"The playlist lacks {count}: by its names, and by the time that is left out there.")


def _refuse_doubled(passed: PassedSegment, following: LocatedSegment) -> None:
    """Refuse a segment that was sent twice, or with its successor."""
    starts = {stream.medium: stream.start for stream in following.probe.streams if stream.start is not None}
    if fills_two_places(passed, starts, at=following.segment.at):
        raise MisplacedMediaError("The origin sent this segment twice, or with the next one: it reaches far into the time of that.")
