"""Checks whether one segment continues another: the same timeline, the same streams."""

import math
from collections.abc import Mapping

from transcoder.core.media.audio_headers import CHANGEABLE_CHANNELS
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.core.media.timestamps import unwrap

OVERLAP_SECONDS = 0.5
"""A segment that starts more than this before the end of the previous one does not continue it.

ffmpeg would squeeze the two into one another.
"""
_JITTER_SECONDS = 0.004
_PACKED_OVERLAP_SECONDS = 0.03
"""Packed audio, whose frames have no times of their own, may overlap by a frame and so much: by what an encoder adds to each segment."""


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
        stream = after.main(medium)
        if medium not in starts or stream is None or stream.start is None:
            continue
        expected = starts[medium] + seconds
        end = unwrap(ends.get(medium, expected), near=expected)
        start = unwrap(stream.start, near=expected)
        return end - OVERLAP_SECONDS <= start <= max(expected, end) + tolerance
    # Without common timestamps (packed audio without ID3 tags) nothing contradicts the playlist.
    return True


def reaches_back(last_decode_times: Mapping[Medium, float], after: Probe, *, sample_seconds: Mapping[Medium, float]) -> bool:
    """Tell whether a segment is decoded before the last sample of the previous one, in any medium.

    ffmpeg would leave no time to what overlaps. Presentation times may overlap, where a segment does not begin with a key frame.

    Args:
        last_decode_times: decode time of the last sample before the segment, in seconds.
        after: the probe of the segment.
        sample_seconds: duration of that last sample, where it is known: a block of Vorbis or a frame of Opus may be very short.

    """
    is_packed = after.container.is_packed_audio
    jitter = {
        medium: -_PACKED_OVERLAP_SECONDS if is_packed else min(_JITTER_SECONDS, sample_seconds.get(medium, math.inf) / 2)
        for medium in last_decode_times
    }
    streams = {medium: stream for medium in last_decode_times if (stream := after.main(medium))}
    starts = {medium: stream.decode_start for medium, stream in streams.items() if stream.decode_start is not None}
    return any(
        unwrap(start, near=last_decode_times[medium]) < last_decode_times[medium] + jitter[medium] for medium, start in starts.items()
    )


def same_streams(before: Probe, after: Probe) -> bool:
    """Tell whether one ffmpeg process can read both segments: the streams for the output have the same ids and formats.

    A stream that is missing in the later segment is allowed, and so is one that has moved to another PID: its packets are renamed.
    """
    pairs = [(before.main(medium), after.main(medium)) for medium in Medium]
    may_move = before.container is Container.MPEGTS
    return before.container is after.container and all(
        new is None or (old is not None and (may_move or old.id == new.id) and _format(new).has_format_of(_format(old)))
        for old, new in pairs
    )


def _format(stream: Stream) -> Stream:
    """Return a stream without its channels where each frame says how many it has, and they may change."""
    return stream._replace(channels=None) if stream.codec in CHANGEABLE_CHANNELS else stream
