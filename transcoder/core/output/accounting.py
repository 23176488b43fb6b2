"""The law of every film: what went in comes out."""

from transcoder.core.media.inspector import Inspector
from transcoder.core.media.streams import Medium, Stream
from transcoder.core.media.timestamps import unwrap
from transcoder.core.output.written import PeriodCount
from transcoder.core.request.output_format import TimeWindow

_SECONDS = 0.5
"""By so much may what is encoded be shorter than its source: an encoder begins and ends with whole frames."""
_PICTURES = 0.9
_FEW_PICTURES = 8
"""Of the pictures at the begin some may lean on others that are not there, and be no pictures."""


def missing_samples(stream: Stream, given: Inspector, written: PeriodCount, *, window: TimeWindow | None) -> str | None:
    """Say what has been lost of a period's stream; None if nothing has.

    A stream that is copied has as many samples as it had. One that is encoded, or cut by ffmpeg to a `window`, is as long as that
    says, and has about as many pictures a second as it had.
    """
    medium = stream.medium
    samples, got = given.samples.get(medium), written.samples.get(medium, 0)
    if window is None:
        return None if samples is None or samples == got else f"Of {samples} {medium.value} samples in the source {got} came out"
    if medium not in given.ends or stream.start is None:
        return None
    end = unwrap(given.ends[medium], near=stream.start)
    expected, seconds = window.overlap(stream.start, end), written.seconds.get(medium, 0.0)
    if seconds < expected - _SECONDS:
        return f"Of {expected:.3f} s of {medium.value} {seconds:.3f} s came out"
    share = expected / (end - stream.start) if end > stream.start else 0.0
    if medium is Medium.VIDEO and samples is not None and got < _PICTURES * share * samples - _FEW_PICTURES:
        return f"Of about {share * samples:.0f} pictures {got} came out"
    return None
