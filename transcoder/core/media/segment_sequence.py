"""The segments of one track in one period, each compared with the one before it: nothing may be missing, doubled or out of place.

An origin that has only a part of a file sends that part with a correct Content-Length, and a cache may send one segment for another. No
single number proves that: EXTINF may be rounded or wrong, a video frame may be shown for any length of time, and audio may have gaps of
its own. So a hole counts only if two of them agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from transcoder.core.media.packet_borders import PacketBorders
from transcoder.core.media.passed_segment import MAX_REORDERED, STEADY_SHARE, PassedSegment, SegmentExtent
from transcoder.core.media.streams import Medium
from transcoder.core.media.timeline_continuity import OVERLAP_SECONDS
from transcoder.core.media.timestamps import unwrap
from transcoder.errors import DamagedMediaError

_MIN_HOLE_SAMPLES = 0.9
"""A hole is at least so many samples long; the distance of two contiguous segments is rounded by much less."""
_MIN_SHORT_SAMPLES = 0.6
"""A last segment is short if it lacks at least so many samples, beyond what EXTINF is inexact by."""
_JITTER_SECONDS = 0.004
"""Timestamps may be this inexact: some packagers round them to milliseconds."""
_CLEAR_HOLE_SECONDS = 0.3
"""A longer hole in one medium, while the other one of the same segment continues, is a pause of that medium, not a part that is missing."""


@dataclass(slots=True)
class SegmentSequence:
    """The segments of one track on one timeline so far."""

    known: dict[tuple[object, ...], tuple[object, ...]] = field(default_factory=dict)
    """The identity of each segment that has passed, by its fingerprint; shared by the timelines that no tag separates."""
    from_start: bool = True
    """It begins with the track's first segment; only then is it known when the playlist ends."""
    _last: PassedSegment | None = None
    _deviations: dict[Medium, float] = field(default_factory=dict)
    """By how many seconds EXTINF has differed from the distance of two segments, at most."""
    _lacking: set[Medium] = field(default_factory=set)
    """Media that have lacked samples before the last segment."""
    _sample_seconds: dict[Medium, float] = field(default_factory=dict)
    """The longest sample that has ended a segment: the very last one may be cut short by the packager."""
    _delays: dict[Medium, float] = field(default_factory=dict)
    """The longest time from the last decode time of a segment to the end of its presentation."""
    _borders: PacketBorders = field(default_factory=PacketBorders)
    _origin: float | None = None
    """When the track begins, in seconds, less where the playlist puts its first segment."""

    def add(self, segment: PassedSegment) -> None:
        """Take the next segment of the track.

        Raises:
            UpstreamError: it repeats an earlier one, or a part of the segment before it is missing.

        """
        if self.known.setdefault(segment.fingerprint, segment.identity) != segment.identity:
            raise DamagedMediaError("Two segments have the same content: the origin sent one of them in place of another.")
        _refuse_lost_frames(segment)
        if self._origin is None and segment.extents:
            self._origin = min(extent.start for extent in segment.extents.values()) - segment.at
        if self._last is not None:
            _refuse_lost_end(self._last, segment)
            self._refuse_hole(self._last.spaced_as(segment), segment)
            self._refuse_overlap(self._last, segment)
            self._measure(self._last, segment)
            self._note_border(self._last, segment)
        self._last = segment

    def _note_border(self, before: PassedSegment, after: PassedSegment) -> None:
        """Note what the packets of each medium do from one segment to the next."""
        if _has_gap(before, after):
            return
        holes = {medium: _hole(before, after, medium) for medium, extent in before.extents.items() if extent.is_steady}
        with_hole = {medium for medium, hole in holes.items() if hole is not None and _is_hole(before.extents[medium], hole)}
        self._borders.add(after.packets.continued, incomplete={*with_hole, *before.packets.full})

    def lost_packets(self) -> Medium | None:
        """Return the medium that lost packets between two segments; None if none did."""
        return self._borders.lost_packets()

    def shortfall(self) -> float:
        """Return by how many seconds the last segment falls short, 0 if it does not: of EXTINF, as far as EXTINF has been right so far.

        Where EXTINF has been exact to within half a sample of a medium, it was measured from that medium and speaks for it alone.
        Otherwise the longest medium counts, since the others may end earlier; unless it lacks samples inside, as none before it did: a cut
        takes away frames that are shown before the last one.
        """
        if self._last is None or not self._deviations:
            return 0.0
        missing = {medium: self._missing_at_end(medium, extent) for medium, extent in self._last.extents.items()}
        undecoded = max((self._undecoded(medium, extent) for medium, extent in self._last.extents.items()), default=0.0)
        if undecoded:
            return max(undecoded, *missing.values())
        exact = [short for medium, short in missing.items() if self._is_exact(medium)]
        return max(0.0, *exact, min(missing.values(), default=0.0))

    def _undecoded(self, medium: Medium, extent: SegmentExtent) -> float:
        """Return how long the samples are that an extent lacks, if it is shown so much longer after its decoding than those before it."""
        usual, missing = self._delays.get(medium), extent.lacking * extent.sample_seconds
        if usual is None or extent.delay is None or medium in self._lacking or not 0 < extent.lacking <= MAX_REORDERED:
            return 0.0
        return missing if abs(extent.delay - usual - missing) <= STEADY_SHARE * extent.sample_seconds else 0.0

    def _missing_at_end(self, medium: Medium, extent: SegmentExtent) -> float:
        """Return what is missing of the last segment by EXTINF, 0 if it is less than EXTINF is inexact by."""
        if self._last is None or self._origin is None or not self.from_start or medium not in self._deviations:
            return 0.0
        # A medium may begin late, and all its segments with it: then it ends where the playlist says, in a shorter last segment.
        end_of_playlist = self._origin + self._last.at + self._last.seconds
        short = min(self._last.seconds - extent.seconds, unwrap(end_of_playlist, near=extent.end) - extent.end)
        sample_seconds = max(extent.sample_seconds, self._sample_seconds.get(medium, 0.0))
        if extent.sample_seconds:
            short -= sample_seconds - extent.sample_seconds
        tolerance = self._inexactness(medium) + _JITTER_SECONDS + _MIN_SHORT_SAMPLES * sample_seconds
        return short if short > tolerance else 0.0

    def _is_exact(self, medium: Medium) -> bool:
        extent = self._last.extents.get(medium) if self._last else None
        return extent is not None and medium in self._deviations and self._inexactness(medium) < extent.sample_seconds / 2

    def _inexactness(self, medium: Medium) -> float:
        """Return by how many seconds EXTINF may be wrong about a medium, as far as that is known."""
        return max(self._deviations.get(medium, 0.0), self._last.rounding if self._last else 0.0)

    def _measure(self, before: PassedSegment, after: PassedSegment) -> None:
        """Note how exact EXTINF is, by the distance of the starts of two segments, and how regular the samples of the first one are."""
        for medium, extent in before.extents.items():
            if extent.lacking:
                self._lacking.add(medium)
            self._sample_seconds[medium] = max(extent.sample_seconds, self._sample_seconds.get(medium, 0.0))
            if extent.delay is not None:
                self._delays[medium] = max(extent.delay, self._delays.get(medium, 0.0))
            if medium in after.extents:
                distance = after.extents[medium].start - extent.start
                deviation = abs(distance - (after.at - before.at))
                self._deviations[medium] = max(deviation, self._deviations.get(medium, 0.0))

    def _refuse_hole(self, before: PassedSegment, after: PassedSegment) -> None:
        """Refuse a hole between two segments where two witnesses agree that a part of one of them is missing."""
        if _has_gap(before, after):
            return
        holes = {medium: hole for medium in before.extents if (hole := _hole(before, after, medium)) is not None}
        found = {medium: hole for medium, hole in holes.items() if _is_hole(before.extents[medium], hole)}
        if not found:
            return
        if len(found) > 1 or any(self._agrees(before, after, medium, holes) for medium in found):
            longest = max(found.values())
            raise DamagedMediaError(f"A part of a segment is missing: {longest:.3f} s lie between its end and the start of the next one.")

    def _refuse_overlap(self, before: PassedSegment, after: PassedSegment) -> None:
        """Refuse a segment with a part of the next one or of the one before it, where EXTINF says that one of them is too long."""
        for medium, extent in before.extents.items():
            hole = _hole(before, after, medium)
            if hole is None or not extent.is_steady or not _is_hole(extent, -hole):
                continue
            long = max(extent.seconds - before.seconds, after.extents[medium].seconds - after.seconds)
            if long > max(-hole / 2, self._inexactness(medium) + _JITTER_SECONDS):
                raise DamagedMediaError(f"A part of a segment is doubled: the next one starts {-hole:.3f} s before its end.")

    def _agrees(self, before: PassedSegment, after: PassedSegment, medium: Medium, holes: Mapping[Medium, float]) -> bool:
        """Return whether EXTINF says that a hole in one medium alone is a missing part of one of the segments."""
        extent, hole = before.extents[medium], holes[medium]
        is_steady = extent.is_steady or extent.is_as_steady_as(after.extents[medium])
        others_continue = len(holes) > 1
        if not is_steady or (others_continue and hole > _CLEAR_HOLE_SECONDS):
            return False
        # The end of the one segment may be missing, or the beginning of the other.
        short = max(before.seconds - extent.seconds, after.seconds - after.extents[medium].seconds)
        return short > max(hole / 2, self._inexactness(medium) + _JITTER_SECONDS)


def _has_gap(before: PassedSegment, after: PassedSegment) -> bool:
    """Return whether the playlist itself has a gap between two segments."""
    return after.at - before.at > before.seconds + _JITTER_SECONDS


def _refuse_lost_frames(segment: PassedSegment) -> None:
    """Refuse a segment that lacks frames inside, and packets by their counters: a source may drop frames, but not packets of them."""
    for medium, extent in segment.extents.items():
        if medium in segment.packets.jumped and extent.lacking > 0:
            raise DamagedMediaError(f"A part of a segment is missing: {extent.lacking} frames of the {medium.value}, with their packets.")


def _refuse_lost_end(before: PassedSegment, after: PassedSegment) -> None:
    """Refuse a segment that lacks the last frames that it should have in decode order, while a frame that is shown after them is there.

    It lacks samples inside, and the decode times leap by as many between it and the next one. A source that drops frames lacks them in
    both orders at the same place.
    """
    for medium, extent in before.extents.items():
        following = after.extents.get(medium)
        if following is None or not extent.sample_seconds or not extent.lacking or following.lacking:
            continue
        if not (extent.is_as_steady_as(following) and extent.decode_span and following.decode_span):
            continue
        leap = following.decode_span[0] - extent.decode_span[1]
        if round(leap / extent.sample_seconds) - 1 == extent.lacking:
            raise DamagedMediaError(f"A part of a segment is missing: {extent.lacking} frames at its end, in decode order.")


def _hole(before: PassedSegment, after: PassedSegment, medium: Medium) -> float | None:
    """Return the seconds between two segments in one medium; None if it is not in both."""
    if medium not in after.extents:
        return None
    end = before.extents[medium].end
    return unwrap(after.extents[medium].start, near=end) - end


def _is_hole(extent: SegmentExtent, hole: float) -> bool:
    return hole > max(_MIN_HOLE_SAMPLES * extent.sample_seconds, 4 * _JITTER_SECONDS)


def fills_two_places(before: PassedSegment, next_start: Mapping[Medium, float], *, at: float) -> bool:
    """Return whether a segment reaches far into the time of the next one, although that starts where the playlist puts it.

    Then the segment was sent twice, or with its successor. A timeline that restarts without a tag starts elsewhere.

    Args:
        before: the segment.
        next_start: first presentation times of the next one, in seconds.
        at: where the playlist puts the next one.

    """
    for medium, extent in before.extents.items():
        if medium in next_start:
            expected = extent.start + (at - before.at)
            start = unwrap(next_start[medium], near=expected)
            is_in_place = abs(start - expected) <= min(OVERLAP_SECONDS, before.seconds / 4)
            if is_in_place and extent.end - start > OVERLAP_SECONDS:
                return True
    return False
