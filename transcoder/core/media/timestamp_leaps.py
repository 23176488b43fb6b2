"""Timestamps that leap forward inside a segment, or between two, although nothing is missing."""

from transcoder.core.media.passed_segment import PassedSegment, hole_between
from transcoder.errors import DamagedMediaError

_MIN_LEAP_SECONDS, _MIN_LONE_LEAP_SECONDS, _MIN_LEAP_APART_SECONDS = 1.0, 60.0, 2.0


def refuse_leap_inside(segment: PassedSegment) -> None:
    """Refuse timestamps that leap forward inside a segment: in all its media by time that EXTINF does not include, or in one alone.

    EXTINF includes a pause of the source, and only the video stands still where a frame lasts long. A track of video alone may have such a
    frame, and some packagers do not count its time. A medium that leaps alone is longer than the playlist and the other one say. A guess
    includes no pause.
    """
    leap = min((segment.packets.leaps.get(medium, 0.0) for medium in segment.extents), default=0.0)
    seconds = {medium: extent.seconds for medium, extent in segment.extents.items()}
    listed = 0.0 if segment.guessed else segment.seconds + segment.rounding
    if leap > (_MIN_LEAP_SECONDS if len(seconds) > 1 else _MIN_LONE_LEAP_SECONDS) and min(seconds.values()) - listed > leap / 2:
        raise DamagedMediaError(f"The timestamps leap by {leap:.3f} s inside a segment of {segment.seconds:.3f} s.")
    for medium, alone in segment.packets.leaps.items():
        others = [length for other, length in seconds.items() if other is not medium]
        if others and medium in seconds and alone > _MIN_LEAP_APART_SECONDS and seconds[medium] - max(listed, *others) > alone / 2:
            raise DamagedMediaError(f"The timestamps of the {medium.value} leap by {alone:.3f} s inside a segment, and no others do.")


def refuse_leap_between(before: PassedSegment, after: PassedSegment) -> None:
    """Refuse two segments of which one medium leaves out more time than both have, while another one goes on: it is no pause."""
    holes = {medium: hole for medium in before.extents if (hole := hole_between(before, after, medium)) is not None}
    least = max(_MIN_LEAP_APART_SECONDS, before.seconds + after.seconds + 2 * before.rounding)
    if len(holes) > 1 and max(holes.values()) - max(0.0, min(holes.values())) > least:
        medium = max(holes, key=lambda each: holes[each])
        raise DamagedMediaError(f"The timestamps of the {medium.value} leap by {holes[medium]:.3f} s between segments, and no others do.")
