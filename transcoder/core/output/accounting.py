"""Sample accounting: every sample that was read must be written."""

from transcoder.core.media.inspector import Inspector
from transcoder.core.media.streams import Medium, Stream
from transcoder.core.media.timestamps import unwrap
from transcoder.core.output.written_samples import WrittenSamples
from transcoder.core.request.output_format import TimeWindow

_TOLERANCE_SECONDS = 0.5
"""A re-encoded stream may be shorter than its source by so much: an encoder begins and ends with whole frames."""
_MIN_FRAME_SHARE = 0.9
_FEW_FRAMES = 8
"""Some of the first frames may need others that are not there, and cannot be decoded."""


def missing_samples(stream: Stream, read: Inspector, written: WrittenSamples, *, window: TimeWindow | None) -> str | None:
    """Return what is missing of one stream of a period, as the beginning of a sentence; None if nothing is.

    A copied stream must have as many samples as were read. A stream that ffmpeg re-encoded, or cut to a `window`, must be as long as the
    window says, with about as many video frames per second as were read.
    """
    medium = stream.medium
    samples, got = read.samples.get(medium), written.samples.get(medium, 0)
    if window is None:
        samples = None if samples is None else samples - read.undecodable.get(medium, 0)
        return None if samples is None or samples == got else f"{got} of {samples} {medium.value} samples of the source came out of ffmpeg"
    source = source_seconds(stream, read, window)
    if source is None:
        return None
    whole, expected = source
    seconds = written.seconds.get(medium, 0.0)
    if seconds < expected - _TOLERANCE_SECONDS:
        return f"{seconds:.3f} of {expected:.3f} s of {medium.value} came out of ffmpeg"
    share = expected / whole if whole > 0 else 0.0
    if medium is Medium.VIDEO and samples is not None and got < _MIN_FRAME_SHARE * share * samples - _FEW_FRAMES:
        return f"{got} of about {share * samples:.0f} video frames came out of ffmpeg"
    return None


def source_seconds(stream: Stream, read: Inspector, window: TimeWindow) -> tuple[float, float] | None:
    """Return how many seconds of a stream were read, and how many of them are within the window; None if that is not known."""
    if stream.medium not in read.ends or stream.start is None:
        return None
    seconds = unwrap(read.ends[stream.medium], near=stream.start) - stream.start
    # The clock may wrap between the streams of a period, whose window is on one timeline.
    edge = next((edge for edge in (window.start, window.end) if edge is not None), stream.start)
    begin = unwrap(stream.start, near=edge)
    return seconds, window.overlap(begin, begin + seconds)
