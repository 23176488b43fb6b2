"""The segments of one track in one period, each compared with the one before it: nothing may be missing, doubled or out of place.

An origin that has only a part of a file sends that part with a correct Content-Length, and a cache may send one segment for another. No
single number proves that: EXTINF may be rounded or wrong, a video frame may be shown for any length of time, and audio may have gaps of
its own. So a hole counts only if two of them agree.
"""

from collections.abc import Mapping

from transcoder.core.media.extinf_accuracy import JITTER_SECONDS, ExtinfAccuracy
from transcoder.core.media.packet_borders import PacketBorders
from transcoder.core.media.passed_segment import MAX_REORDERED, PassedSegment, SegmentExtent, hole_between
from transcoder.core.media.streams import Medium
from transcoder.core.media.timeline_continuity import OVERLAP_SECONDS
from transcoder.core.media.timestamp_leaps import refuse_leap_between, refuse_leap_inside, refuse_lone_overlap
from transcoder.core.media.timestamps import unwrap
from transcoder.errors import DamagedMediaError, MisplacedMediaError

SAME_CONTENT = "The origin sent this segment for an earlier one, too, so that one of the two would be missing."
_MIN_HOLE_SAMPLES = 0.9
"""A hole is at least so many samples long; the distance of two contiguous segments is rounded by much less."""
_ENCODER_FRAMES = 3.5
"""Audio that was encoded by itself has so many frames more, at most: an encoder begins with one or two, and fills up the last one."""
_CLEAR_HOLE_SECONDS = 0.3
"""A longer hole in one medium, while the other one of the same segment continues, is a pause of that medium, not a part that is missing."""


class SegmentSequence:
    """The segments of one track on one timeline so far."""

    def __init__(
        self,
        known: dict[tuple[object, ...], tuple[object, ...]] | None = None,
        *,
        from_start: bool = True,
        before: "SegmentSequence | None" = None,
    ) -> None:
        """Begin a timeline before its first segment."""
        self.known: dict[tuple[object, ...], tuple[object, ...]] = {} if known is None else known
        """The identity of each segment that has passed, by its fingerprint; shared by the timelines that no tag separates."""
        self.from_start = from_start
        """It begins with the track's first segment; only then is it known when the playlist ends."""
        self.before = before
        """The timeline that was left for this one without a tag."""
        self.incomplete: dict[Medium, tuple[object, ...]] = {}
        """What the playlist names for the first segment after which a medium may lack something."""
        self.ends: list[tuple[object, ...]] = []
        """What it names for the first segment and for the last one; empty before the first."""
        self._last: PassedSegment | None = None
        self._steady: dict[Medium, SegmentExtent] = {}
        """The last one of each medium whose samples were evenly spaced."""
        self._borders = PacketBorders()
        self._accuracy = ExtinfAccuracy()

    def add(self, segment: PassedSegment) -> None:
        """Take the next segment of the track.

        Raises:
            UpstreamError: it repeats an earlier one, or a part of the segment before it is missing.

        """
        if self.known.setdefault(segment.fingerprint, segment.identity) != segment.identity:
            raise MisplacedMediaError(SAME_CONTENT)
        _refuse_lost_frames(segment)
        refuse_leap_inside(segment)
        if self.from_start:
            self._accuracy.begin(segment)
        if self.before is not None:
            self.before.refuse_restart(segment)
            self.before = None
        if self._last is not None:
            refuse_leap_between(self._last, segment)
            self._refuse_hole(self._last.spaced_as(segment), segment)
            self._refuse_overlap(segment)
            self._accuracy.measure(self._last, segment)
            self._note_border(self._last, segment)
        self._steady.update((medium, extent) for medium, extent in segment.extents.items() if extent.is_steady)
        self._last = segment
        self.ends = [*self.ends[:1], segment.identity]

    def _note_border(self, before: PassedSegment, after: PassedSegment) -> None:
        """Note what the packets of each medium do from one segment to the next, and where frames may be missing by decode time."""
        if _has_gap(before, after):
            return
        steady = [medium for medium in before.extents if self._is_steady(before, after, medium)]
        with_hole = {
            medium for medium in steady if (hole := hole_between(before, after, medium)) and _is_hole(before.extents[medium], hole)
        }
        without_end = {medium for medium in steady if _lacks_end(before, after, medium)}
        incomplete = {*with_hole, *without_end, *before.packets.full}
        self._borders.add(after.packets.continued, incomplete=incomplete)
        for medium in incomplete:
            self.incomplete.setdefault(medium, before.identity)
        for medium, extent in before.extents.items():
            if medium in without_end:
                self._borders.doubt(medium, after.packets.continued.get(medium, False))
            elif 0 < extent.lacking <= MAX_REORDERED:
                self._borders.note_dropped(medium)

    def lost_packets(self) -> Medium | None:
        """Return the medium that lost packets between two segments; None if none did."""
        return self._borders.lost_packets()

    def missing_beginning(self) -> float:
        """Return by how many seconds the first segment falls short of EXTINF, 0 if it does not."""
        return self._accuracy.missing_beginning(self._last) if self._last else 0.0

    def shortfall(self) -> float:
        """Return by how many seconds the last segment falls short of EXTINF, 0 if it does not."""
        return self._accuracy.shortfall(self._last) if self._last else 0.0

    def _refuse_hole(self, before: PassedSegment, after: PassedSegment) -> None:
        """Refuse a hole between two segments where two witnesses agree that a part of one of them is missing."""
        if _has_gap(before, after):
            return
        holes = {medium: hole for medium in before.extents if (hole := hole_between(before, after, medium)) is not None}
        found = {
            medium: hole for medium, hole in holes.items() if _is_hole(before.extents[medium], hole) and not self._is_slide(before, medium)
        }
        if not found:
            return
        agreeing = [medium for medium in found if self._agrees(before, after, medium, holes)]
        if len(found) == 1 and all(self._may_be_dropped(before, after, medium, found[medium]) for medium in agreeing):
            return
        if len(found) > 1 or agreeing:
            longest = max(found.values())
            message = f"A part of a segment is missing: {longest:.3f} s lie between the end of the last one and the start of this one."
            raise DamagedMediaError(message)

    def _is_slide(self, before: PassedSegment, medium: Medium) -> bool:
        """Return whether a segment has one picture, and no other picture shows how long it lasts: then it lasts until the next one."""
        extent = before.extents[medium]
        return extent.samples == 1 and not extent.sample_seconds and medium not in self._steady

    def _is_steady(self, before: PassedSegment, after: PassedSegment, medium: Medium) -> bool:
        """Return whether the samples of a segment are evenly spaced, or as those of the next one or of an earlier one."""
        extent = before.extents[medium]
        examples = [
            *([after.extents[medium]] if medium in after.extents else []),
            *([self._steady[medium]] if medium in self._steady else []),
        ]
        return extent.is_steady or any(extent.is_as_steady_as(example) for example in examples)

    def _may_be_dropped(self, before: PassedSegment, after: PassedSegment, medium: Medium, hole: float) -> bool:
        """Return whether a hole may be a few frames of video that the source has dropped, or a pause of its audio.

        Nothing shorter than a fragment is missing where a fragmented MP4 is cut, and no packet where the counter goes on. The end of the
        track decides how the packager counts.
        """
        frames = round(hole / before.extents[medium].sample_seconds)
        if (medium is Medium.VIDEO and frames > MAX_REORDERED) or medium in before.packets.unfinished:
            return False
        fragments = [
            packets.smallest_fragment[medium] for packets in (before.packets, after.packets) if medium in packets.smallest_fragment
        ]
        if fragments:
            return frames < min(fragments)
        if after.packets.continued.get(medium):
            self._borders.doubt(medium, continued=True)
            return True
        return False

    def refuse_restart(self, after: PassedSegment) -> None:
        """Refuse a segment that begins another timeline without a tag, and contradicts this one.

        Raises:
            DamagedMediaError: it does.

        """
        self._refuse_overlap(after)
        if self._last is not None:
            refuse_lone_overlap(self._last, after)

    def _refuse_overlap(self, after: PassedSegment) -> None:
        """Refuse a segment with a part of the last one, or of the next one, where EXTINF says that one of them is too long."""
        before = self._last
        if before is None:
            return
        for medium, extent in before.extents.items():
            hole = hole_between(before, after, medium)
            if hole is None or not extent.is_steady or not _is_hole(extent, -hole):
                continue
            if medium is Medium.AUDIO and -hole < _ENCODER_FRAMES * extent.sample_seconds:
                continue
            long = max(before.excess(medium), after.excess(medium))
            if long > max(-hole / 2, self._accuracy.inexactness(medium, before) + JITTER_SECONDS):
                raise MisplacedMediaError(f"A part of a segment is doubled: this one starts {-hole:.3f} s before the end of the last one.")

    def _agrees(self, before: PassedSegment, after: PassedSegment, medium: Medium, holes: Mapping[Medium, float]) -> bool:
        """Return whether EXTINF says that a hole in one medium alone is a missing part of one of the segments, or does not deny it."""
        hole = holes[medium]
        is_steady = self._is_steady(before, after, medium)
        others_continue = len(holes) > 1
        if not is_steady or (others_continue and hole > _CLEAR_HOLE_SECONDS):
            return False
        # The end of the one segment may be missing, or the beginning of the other.
        short = max(-before.excess(medium), -after.excess(medium))
        return short > max(hole / 2, self._accuracy.inexactness(medium, before) + JITTER_SECONDS)


def _has_gap(before: PassedSegment, after: PassedSegment) -> bool:
    """Return whether the playlist itself has a gap between two segments."""
    return after.at - before.at > before.seconds + JITTER_SECONDS


def _refuse_lost_frames(segment: PassedSegment) -> None:
    """Refuse a segment that lacks frames inside, and packets by their counters: a source may drop frames, but not packets of them."""
    for medium, extent in segment.extents.items():
        if medium in segment.packets.jumped and extent.lacking > 0:
            raise DamagedMediaError(f"A part of a segment is missing: {extent.lacking} frames of the {medium.value}, with their packets.")


def _lacks_end(before: PassedSegment, after: PassedSegment, medium: Medium) -> bool:
    """Return whether a segment lacks the last frames that it should have in decode order, while a frame that is shown after them is there.

    It lacks frames inside, and the decode times leap by as many between it and the next one.
    """
    extent, following = before.extents[medium], after.extents.get(medium)
    if following is None or not 0 < extent.lacking <= MAX_REORDERED or extent.decode_span is None or following.decode_span is None:
        return False
    leap = following.decode_span[0] - extent.decode_span[1]
    return round(leap / extent.sample_seconds) - 1 == extent.lacking


def _is_hole(extent: SegmentExtent, hole: float) -> bool:
    return hole > max(_MIN_HOLE_SAMPLES * extent.sample_seconds, 4 * JITTER_SECONDS)


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
