"""Where segments lie on the source's timeline."""

from transcoder.core.media import Medium, Probe
from transcoder.core.timestamps import unwrap


def follows(before: Probe, after: Probe, *, seconds: float, tolerance: float) -> bool:
    """Tell whether a segment lies `seconds` after another on the same timeline, give or take `tolerance`; a wrap is no leap.

    Where their heads have no timestamps in common (packed audio without ID3) there is nothing to say against it.
    """
    for medium in Medium:
        first, then = before.first(medium), after.first(medium)
        if first is None or then is None or first.start is None or then.start is None:
            continue
        place = first.start + seconds
        return abs(unwrap(then.start, near=place) - place) <= tolerance
    return True
