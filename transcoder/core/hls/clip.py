"""A part of a plan: only the segments that it needs, told by EXTINF."""

import math
from dataclasses import replace

from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.output_format import Clip
from transcoder.errors import BadRequestError

_APART = 0.75
"""So many seconds may the sound of a rendition of its own be ahead of its picture, or behind it, by the playlists' times."""


def clip_plan(plan: Plan, *, start: float, end: float | None, exact: bool) -> tuple[Plan, Clip]:
    """Keep of `plan` what is needed from `start` to `end` seconds; say where in it that part begins.

    Time is the playlist's own: the sum of EXTINF, as a player's position. The picture is kept from the segment in which `start` lies,
    which is taken to begin with a key picture, as nearly all do; the sound from the segment that sounds when that picture begins.

    Raises:
        BadRequestError: `start` lies beyond the end.

    """
    begins, total = _begins(plan)
    if start >= total:
        raise BadRequestError(f"start: {start:g} s lies beyond the end of the film, which is {total:.3f} s long.")
    until = total if end is None or end >= total else end
    periods = []
    after: float | None = None
    for begin, period in zip(begins, plan.periods, strict=True):
        part = _part(period, start - begin, until - begin)
        if part is None:
            continue
        if after is None:
            after = max(0.0, start - begin - _leader(part).segments[0].at)
        periods.append(_rebased(part))
    fetched = math.fsum(_seconds(period) for period in periods)
    estimated = None if plan.estimated_bytes is None else math.ceil(plan.estimated_bytes * min(1.0, fetched / total))
    clip = Clip(after if start else None, None if until == total else until - start, exact)
    return replace(plan, periods=tuple(periods), estimated_bytes=estimated), clip


def length(plan: Plan) -> float:
    """Return how long the film is by EXTINF, in seconds."""
    return _begins(plan)[1]


def _begins(plan: Plan) -> tuple[list[float], float]:
    """Return when each period begins, and when the last one ends."""
    begins, total = [], 0.0
    for period in plan.periods:
        begins.append(total)
        total += _seconds(period)
    return begins, total


def _seconds(period: Period) -> float:
    return max(track.seconds for track in period.tracks)


def _leader(period: Period) -> Track:
    """Return the track that brings the picture, or the sound where there is none."""
    return min(period.tracks, key=lambda track: track.kind is TrackKind.AUDIO)


def _part(period: Period, start: float, end: float) -> Period | None:
    """Keep the segments of a period between two of its own times; None if nothing is left."""
    if end <= 0 or start >= _seconds(period):
        return None
    segments = _leader(period).segments
    begin = max((segment.at for segment in segments if segment.at <= start), default=0.0)
    tracks = []
    for track in period.tracks:
        apart = 0.0 if track is _leader(period) else _APART
        first, last = begin - apart, end + apart
        kept = tuple(each for each in track.segments if each.at < last and (each.at >= first or each.at + each.seconds > first))
        if kept:
            tracks.append(replace(track, segments=kept, seconds=_span(kept)))
    return Period(tuple(tracks)) if tracks else None


def _span(segments: tuple[Segment, ...]) -> float:
    return segments[-1].at + segments[-1].seconds - segments[0].at


def _rebased(period: Period) -> Period:
    """Let time begin with the first segment that is left."""
    first = min(track.segments[0].at for track in period.tracks)
    tracks = (
        replace(track, segments=tuple(replace(segment, at=segment.at - first) for segment in track.segments)) for track in period.tracks
    )
    return Period(tuple(tracks))
