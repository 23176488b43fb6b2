"""How long an output of several periods is, by what the probes of its source say."""

import math
from collections.abc import Mapping, Sequence

from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamps import unwrap
from transcoder.core.output.formats import audio_streams
from transcoder.core.output.header import Durations
from transcoder.core.output.period_placement import MAX_AUDIO_OVERLAP_SECONDS
from transcoder.core.output.probed_track import ProbedTrack
from transcoder.core.output.timeline import HALF_FRAME_SECONDS, MAX_AUDIO_EXCESS_SECONDS
from transcoder.core.output.track_ends import media_spans
from transcoder.core.request.output_format import COPY_EVERYTHING, USUAL_SAMPLE_RATE, OutputFormat

_SAME_CLOCK_SECONDS = 0.1
"""Besides the rounding of EXTINF, the next period may begin so far from the end of the one before it if their clock is the same."""
_ENCODER_SECONDS = 0.03
"""Audio alone may be longer than EXTINF by what its encoder added; nothing shows that for a period that another one follows."""
_FRAME_SAMPLES = 1024

_Spans = Mapping[Medium, tuple[float, float]]


def output_durations(periods: Sequence[Sequence[ProbedTrack]], output_format: OutputFormat = COPY_EVERYTHING) -> Durations:
    """Return the durations of an output in that format with these periods, one after another, as the joiner places them."""
    spans = [media_spans(tracks) for tracks in periods]
    total, media = 0.0, dict.fromkeys({medium for span in spans for medium in span}, 0.0)
    silent_end = 0.0
    for index, span in enumerate(spans):
        total += (wait := _wait(span, silent_end) if index else 0.0)
        media = {medium: length + wait for medium, length in media.items()}
        begin = span[_leader(span)][0] if index else min(start for start, _ in span.values())
        end = max(end for _, end in span.values())
        if index + 1 < len(spans):
            end = _border(span, spans[index + 1], tolerance=_SAME_CLOCK_SECONDS + _rounding(periods[index]))
        rounding = _slide_rounding(periods[index])
        total += max(0.0, end - begin) + rounding
        media.update({medium: media[medium] + rounding for medium in media if medium is Medium.VIDEO})
        for medium in media:
            own_start, own_end = span.get(medium, (begin, end))
            # Silence fills what is missing at the beginning of a later period.
            start, stop = begin if index else own_start, end if index + 1 < len(spans) else own_end
            media[medium] += max(0.0, stop - start)
        silent_end = max(0.0, end - span.get(Medium.AUDIO, (begin, end))[1])
    if Medium.AUDIO in media:
        more = max(_encoder_seconds(periods, output_format), HALF_FRAME_SECONDS if len(spans) > 1 else 0.0)
        total, media[Medium.AUDIO] = total + more, media[Medium.AUDIO] + more
    return Durations(total, media)


def _wait(span: _Spans, silent_end: float) -> float:
    """Return how long a later period waits for audio that begins before its video, beyond what the one before it lacks at its end."""
    early = span[_leader(span)][0] - span.get(Medium.AUDIO, (math.inf, 0.0))[0] - silent_end
    return early if early > MAX_AUDIO_OVERLAP_SECONDS else 0.0


def _encoder_seconds(periods: Sequence[Sequence[ProbedTrack]], output_format: OutputFormat) -> float:
    """Return how much longer audio may become because it is encoded: by a frame at its beginning, and by the rest of the last one."""
    rates = [stream.sample_rate or USUAL_SAMPLE_RATE for stream in audio_streams(periods) if output_format.encoder(stream)]
    return 2 * _FRAME_SAMPLES / min(rates) if rates else 0.0


def _border(span: _Spans, following: _Spans, *, tolerance: float) -> float:
    """Return when a period ends that another one follows: where that begins, if both have one clock."""
    end, start = span[_leader(span)][1], following[_leader(following)][0]
    start = unwrap(start, near=end)
    if abs(start - end) <= tolerance:
        return start
    if _leader(span) is Medium.AUDIO:
        return end + _ENCODER_SECONDS
    latest = max(end for _, end in span.values())
    return latest if latest - end > MAX_AUDIO_EXCESS_SECONDS else end


def _leader(span: _Spans) -> Medium:
    """Return the medium that decides where a period begins and ends."""
    return min(span, key=[Medium.VIDEO, Medium.AUDIO].index)


def _slide_rounding(tracks: Sequence[ProbedTrack]) -> float:
    """Return by how many seconds a picture that is shown until the end by EXTINF may be shown for longer, because EXTINF is rounded."""
    return max(sum(segment.rounding for segment in track.track.segments) if track.has_slide_in_place else 0.0 for track in tracks)


def _rounding(tracks: Sequence[ProbedTrack]) -> float:
    """Return by how many seconds the sum of EXTINF may be wrong because each is rounded; where one is guessed, the end is read instead."""
    return max(sum(segment.rounding for segment in track.track.segments if not segment.guessed) for track in tracks)
