"""Where segments lie on the source's timeline."""

from collections.abc import Mapping

from transcoder.core.media import Medium, Probe
from transcoder.core.timestamps import unwrap

OVERLAP_SECONDS = 0.5
"""A segment that begins so much before the end of the one before it does not continue it; ffmpeg would crush the two into one another."""


def follows(before: Probe, ends: Mapping[Medium, float], after: Probe, *, seconds: float, tolerance: float) -> bool:
    """Tell whether a segment continues the timeline of another that lies `seconds` before it; a 33-bit wrap is no leap.

    Args:
        before: the earlier segment's head.
        ends: where the media before the later one ended in truth, in seconds: EXTINF may be rounded, or wrong.
        after: the later segment's head.
        seconds: how far apart their beginnings are by the playlist.
        tolerance: how far the later one may lie behind its place: a target duration.

    """
    for medium in Medium:
        first, then = before.first(medium), after.first(medium)
        if first is None or then is None or first.start is None or then.start is None:
            continue
        place = first.start + seconds
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
