"""Timestamps that leap inside a segment, or between two, although nothing is missing."""

from transcoder.core.media.passed_segment import STEADY_SHARE, PassedSegment, hole_between
from transcoder.core.media.streams import Medium
from transcoder.errors import DamagedMediaError

_MIN_LEAP_SECONDS, _MIN_LONE_LEAP_SECONDS, _MIN_LEAP_APART_SECONDS = 1.0, 60.0, 2.0
_MAX_LONE_OVERLAP_SECONDS = 0.12
"""Audio of a segment may begin so long before that of the one before it ends: encoders add some at the beginning and at the end."""
_FEW_SAMPLES = 10
"""Of fewer samples nothing shows that they follow one another evenly but for a leap."""


def refuse_leap_inside(segment: PassedSegment) -> None:
    """Refuse timestamps that leap forward inside a segment: in all its media by time that EXTINF does not include, or in one alone.

    EXTINF includes a pause of the source, and only the video stands still where a frame lasts long. A track of video alone may have such a
    frame, and some packagers do not count its time; then its frames are seldom evenly spaced otherwise. A medium that leaps alone is longer
    than the playlist and the other one say. A guess includes no pause.
    """
    leap = min((segment.packets.leaps.get(medium, 0.0) for medium in segment.extents), default=0.0)
    seconds = {medium: extent.seconds for medium, extent in segment.extents.items()}
    listed = 0.0 if segment.guessed else segment.seconds + segment.rounding
    if leap > _least_leap(segment, leap) and min(seconds.values()) - listed > leap / 2:
        raise DamagedMediaError(f"The timestamps leap by {leap:.3f} s inside a segment of {segment.seconds:.3f} s.")
    for medium, alone in segment.packets.leaps.items():
        others = [length for other, length in seconds.items() if other is not medium]
        if others and medium in seconds and alone > _MIN_LEAP_APART_SECONDS and seconds[medium] - max(listed, *others) > alone / 2:
            raise DamagedMediaError(f"The timestamps of the {medium.value} leap by {alone:.3f} s inside a segment, and no others do.")


def _least_leap(segment: PassedSegment, leap: float) -> float:
    """Return above how many seconds all media of a segment leap, which is not to be taken for a frame that lasts long."""
    video = segment.extents.get(Medium.VIDEO)
    if video is None or len(segment.extents) > 1:
        return _MIN_LEAP_SECONDS
    if video.samples < _FEW_SAMPLES or not video.sample_seconds:
        return _MIN_LONE_LEAP_SECONDS
    frames = (video.seconds - leap) / video.sample_seconds
    is_even = abs(frames - video.samples) <= STEADY_SHARE * video.samples + 1
    return _MIN_LEAP_APART_SECONDS if is_even else _MIN_LONE_LEAP_SECONDS


def refuse_leap_between(before: PassedSegment, after: PassedSegment) -> None:
    """Refuse two segments of which one medium leaves out more time than both have, while another one goes on: it is no pause."""
    holes = {medium: hole for medium in before.extents if (hole := hole_between(before, after, medium)) is not None}
    least = max(_MIN_LEAP_APART_SECONDS, before.seconds + after.seconds + 2 * before.rounding)
    if len(holes) > 1 and max(holes.values()) - max(0.0, min(holes.values())) > least:
        medium = max(holes, key=lambda each: holes[each])
        raise DamagedMediaError(f"The timestamps of the {medium.value} leap by {holes[medium]:.3f} s between segments, and no others do.")


def refuse_lone_overlap(before: PassedSegment, after: PassedSegment) -> None:
    """Refuse two segments of which the audio overlaps while the video goes on: one of both would be lost, or they would drift apart."""
    holes = {medium: hole for medium in before.extents if (hole := hole_between(before, after, medium)) is not None}
    if len(holes) > 1 and holes[Medium.AUDIO] < min(-_MAX_LONE_OVERLAP_SECONDS, holes[Medium.VIDEO] - _MAX_LONE_OVERLAP_SECONDS):
        overlap = -holes[Medium.AUDIO]
        raise DamagedMediaError(f"The timestamps of the audio run back by {overlap:.3f} s between segments, and those of the video do not.")
