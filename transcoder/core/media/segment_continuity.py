"""Checks whether one segment continues another: the same timeline, the same streams, nothing missing between them."""

from collections.abc import Mapping
from dataclasses import dataclass

from transcoder.core.media.streams import Medium, Probe
from transcoder.core.media.timestamps import unwrap

OVERLAP_SECONDS = 0.5
"""A segment that starts more than this before the end of the previous one does not continue it.

ffmpeg would squeeze the two into one another.
"""

_MIN_SAMPLES = 8
"""With fewer samples in a segment, the average distance between them says nothing."""


def continues(starts: Mapping[Medium, float], ends: Mapping[Medium, float], after: Probe, *, seconds: float, tolerance: float) -> bool:
    """Tell whether a segment lies on the same timeline as an earlier one. A wrap of the 33-bit clock is not a discontinuity.

    Args:
        starts: first presentation time of each medium in the earlier segment, in seconds.
        ends: actual presentation end of each medium before the later segment, in seconds: EXTINF may be rounded, or wrong.
        after: the probe of the later segment.
        seconds: distance from the start of the earlier segment to the start of the later one, according to the playlist.
        tolerance: how many seconds late the later segment may start: a target duration.

    """
    for medium in Medium:
        stream = after.first(medium)
        if medium not in starts or stream is None or stream.start is None:
            continue
        expected = starts[medium] + seconds
        end = unwrap(ends.get(medium, expected), near=expected)
        start = unwrap(stream.start, near=expected)
        return end - OVERLAP_SECONDS <= start <= max(expected, end) + tolerance
    # Without common timestamps (packed audio without ID3 tags) nothing contradicts the playlist.
    return True


def same_streams(before: Probe, after: Probe) -> bool:
    """Tell whether one ffmpeg process can read both segments: the streams for the output have the same ids and codecs.

    A stream that is missing in the later segment is allowed.
    """
    return before.container is after.container and all(
        (old and (old.id, old.codec)) == (new and (new.id, new.codec)) or new is None
        for old, new in ((before.first(medium), after.first(medium)) for medium in Medium)
    )


@dataclass(frozen=True, slots=True)
class SegmentExtent:
    """The samples of one medium in one segment: their number and the time they cover."""

    samples: int
    start: float
    """First presentation time in seconds."""
    end: float
    """Last presentation end in seconds."""


def is_truncated(passed: Mapping[Medium, SegmentExtent], after: Probe, *, seconds: float) -> bool:
    """Tell whether a segment ends so long before the start of the next one that a part of it must be missing.

    An origin that has only half of a file sends that half with a correct Content-Length, and a transport stream may end after any
    packet. A video frame may be shown for any length of time, so the audio decides, and the video must agree if it is known: both must end
    early by 40 % of EXTINF, and by far more than the distance between their samples.

    Args:
        passed: what the segment contained, by medium.
        after: the probe of the next segment, which lies on the same timeline.
        seconds: the segment's EXTINF.

    """
    starts = {stream.medium: stream.start for stream in after.streams if stream.start is not None}
    known = [medium for medium in passed if medium in starts]
    return Medium.AUDIO in known and all(_ends_early(passed[medium], starts[medium], seconds) for medium in known)


def _ends_early(passed: SegmentExtent, next_start: float, seconds: float) -> bool:
    if passed.samples < _MIN_SAMPLES:
        return False
    hole = unwrap(next_start, near=passed.end) - passed.end
    sample_distance = (passed.end - passed.start) / passed.samples
    return hole > max(OVERLAP_SECONDS, 0.4 * seconds, 4 * sample_distance)
