"""Where a part of a film lies on its source's own timelines, once those are known."""

from collections.abc import Mapping, Sequence

from transcoder.core.media.streams import Medium
from transcoder.core.output.announcement import Announcement, ProbedTrack, media_spans
from transcoder.core.output.cutter import Cut
from transcoder.core.request.output_format import Clip, TimeWindow


def cut_for(first: Sequence[ProbedTrack], film: Announcement, clip: Clip | None) -> Cut | None:
    """Say where a film of several periods, of which that is the first, is to be cut."""
    if clip is None:
        return None
    spans = media_spans(first)
    begin = min(start for start, _ in spans.values())
    ends = {medium: spans.get(medium, (begin, begin))[0] + seconds for medium, seconds in film.media.items()}
    return Cut(None if clip.start is None else _leads(spans) + clip.start, clip.seconds, ends)


def windows(periods: Sequence[Sequence[ProbedTrack]], clip: Clip | None) -> list[TimeWindow]:
    """Say what is wanted of each period, where ffmpeg itself does the cutting."""
    if clip is None:
        return [TimeWindow() for _ in periods]
    found = []
    start = clip.start or 0.0
    left = None if clip.seconds is None else start + clip.seconds
    for surveyed in periods:
        spans = media_spans(surveyed)
        begin, end = _leads(spans), max(end for _, end in spans.values())
        over = left is not None and left < end - begin
        found.append(TimeWindow(begin + start if start else None, begin + left if left is not None and over else None))
        start = max(0.0, start - (end - begin))
        left = None if left is None else left - (end - begin)
    return found


def seconds_within(periods: Sequence[Sequence[ProbedTrack]], wanted: Sequence[TimeWindow]) -> float:
    """Return how long the sound is that lies within the windows."""
    return sum(window.overlap(*media_spans(surveyed)[Medium.AUDIO]) for surveyed, window in zip(periods, wanted, strict=True))


def _leads(spans: Mapping[Medium, tuple[float, float]]) -> float:
    """Return when the picture begins, or the sound where there is no picture."""
    return spans[min(spans, key=[Medium.VIDEO, Medium.AUDIO].index)][0]
