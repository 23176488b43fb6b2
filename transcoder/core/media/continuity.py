"""Where segments lie on the source's timeline."""

from collections.abc import Mapping
from dataclasses import dataclass

from transcoder.core.media.streams import Medium, Probe
from transcoder.core.media.timestamps import unwrap

OVERLAP_SECONDS = 0.5
"""A segment that begins so much before the end of the one before it does not continue it; ffmpeg would crush the two into one another."""

_SAMPLES_TO_TELL = 8
"""Fewer samples in a segment do not tell how far apart they are."""


def follows(starts: Mapping[Medium, float], ends: Mapping[Medium, float], after: Probe, *, seconds: float, tolerance: float) -> bool:
    """Tell whether a segment continues the timeline of another that lies `seconds` before it; a 33-bit wrap is no leap.

    Args:
        starts: where the earlier segment's media began, in seconds.
        ends: where the media before the later one ended in truth, in seconds: EXTINF may be rounded, or wrong.
        after: the later segment's head.
        seconds: how far apart their beginnings are by the playlist.
        tolerance: how far the later one may lie behind its place: a target duration.

    """
    for medium in Medium:
        then = after.first(medium)
        if medium not in starts or then is None or then.start is None:
            continue
        place = starts[medium] + seconds
        end = unwrap(ends.get(medium, place), near=place)
        start = unwrap(then.start, near=place)
        return end - OVERLAP_SECONDS <= start <= max(place, end) + tolerance
    # Without timestamps in common (packed audio without ID3) there is nothing to say against it.
    return True


def same_streams(before: Probe, after: Probe) -> bool:
    """Tell whether one ffmpeg can read both: the streams that go into the film have the same ids and codecs."""
    return before.container is after.container and all(
        (first and (first.id, first.codec)) == (then and (then.id, then.codec)) or then is None
        for first, then in ((before.first(medium), after.first(medium)) for medium in Medium)
    )


@dataclass(frozen=True, slots=True)
class SegmentExtent:
    """What one segment brought of one medium."""

    samples: int
    start: float
    end: float
    """First presentation time and last presentation end, in seconds."""


def is_truncated(passed: Mapping[Medium, SegmentExtent], after: Probe, *, seconds: float) -> bool:
    """Tell whether a segment ends so long before the one that follows it that a part of it must be missing.

    An origin that has only half of a file sends that half with a Content-Length that is right, and a transport stream may end after any
    packet. A picture may stand still for any time, so it is the sound that tells, and the picture has to agree where it is known: both
    must end early by 40 % of EXTINF, and by far more than their samples are apart.

    Args:
        passed: what the segment brought, by medium.
        after: the next segment's head, on the same timeline.
        seconds: the segment's EXTINF.

    """
    starts = {stream.medium: stream.start for stream in after.streams if stream.start is not None}
    known = [medium for medium in passed if medium in starts]
    return Medium.AUDIO in known and all(_ends_early(passed[medium], starts[medium], seconds) for medium in known)


def _ends_early(passed: SegmentExtent, then: float, seconds: float) -> bool:
    if passed.samples < _SAMPLES_TO_TELL:
        return False
    hole = unwrap(then, near=passed.end) - passed.end
    apart = (passed.end - passed.start) / passed.samples
    return hole > max(OVERLAP_SECONDS, 0.4 * seconds, 4 * apart)
