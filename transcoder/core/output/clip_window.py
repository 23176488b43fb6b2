"""Where a clip lies on the timelines of its source, once those are known."""

from collections.abc import Mapping, Sequence

from transcoder.core.media.streams import Medium
from transcoder.core.output.announcement import Announcement
from transcoder.core.output.clip_cutter import Cut
from transcoder.core.output.probed_track import ProbedTrack
from transcoder.core.output.track_ends import media_spans
from transcoder.core.request.output_format import Clip, TimeWindow


def cut_for_clip(first_period: Sequence[ProbedTrack], announcement: Announcement, clip: Clip | None) -> Cut | None:
    """Return where the joined output is cut, in times of its first period; None if there is no clip."""
    if clip is None:
        return None
    spans = media_spans(first_period)
    begin = min(start for start, _ in spans.values())
    ends = {medium: spans.get(medium, (begin, begin))[0] + seconds for medium, seconds in announcement.media.items()}
    return Cut(None if clip.start is None else _leading_start(spans) + clip.start, clip.seconds, ends)


def clip_windows(periods: Sequence[Sequence[ProbedTrack]], clip: Clip | None) -> list[TimeWindow]:
    """Return which part of each period the clip needs, for ffmpeg to cut the streams that it re-encodes."""
    if clip is None:
        return [TimeWindow() for _ in periods]
    windows = []
    start = clip.start or 0.0
    left = None if clip.seconds is None else start + clip.seconds
    for tracks in periods:
        spans = media_spans(tracks)
        begin, end = _leading_start(spans), max(end for _, end in spans.values())
        ends_here = left is not None and left < end - begin
        windows.append(TimeWindow(begin + start if start else None, begin + left if left is not None and ends_here else None))
        start = max(0.0, start - (end - begin))
        left = None if left is None else left - (end - begin)
    return windows


def audio_seconds(periods: Sequence[Sequence[ProbedTrack]], windows: Sequence[TimeWindow]) -> float:
    """Return how many seconds of audio lie within the windows."""
    return sum(window.overlap(*media_spans(tracks)[Medium.AUDIO]) for tracks, window in zip(periods, windows, strict=True))


def _leading_start(spans: Mapping[Medium, tuple[float, float]]) -> float:
    """Return when the video begins, or the audio where there is no video."""
    return spans[min(spans, key=[Medium.VIDEO, Medium.AUDIO].index)][0]
