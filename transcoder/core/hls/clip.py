"""Reduces a plan to a clip: keeps the segments between `start` and `end`, located by EXTINF."""

import math
from collections.abc import Sequence
from itertools import accumulate

from transcoder.core.hls.plan import Period, Plan, Segment
from transcoder.core.request.output_format import Clip
from transcoder.errors import BadRequestError

_AUDIO_MARGIN_SECONDS = 0.75
"""By the playlists' times, a separate audio rendition may be this far ahead of its video, or behind it."""


def clip_plan(plan: Plan, *, start: float, end: float | None, exact: bool) -> tuple[Plan, Clip]:
    """Return `plan` with only the segments needed from `start` to `end` seconds, and where the clip begins within them.

    `start` and `end` are playlist time: the sum of EXTINF, as a player's position. The video is kept from the segment that contains
    `start`. That segment is assumed to begin with a key frame, as nearly all do. The audio is kept from the segment that is heard when
    that video begins.

    Raises:
        BadRequestError: `start` is beyond the end.

    """
    *period_starts, total = plan.period_times()
    if start >= total:
        raise BadRequestError(f"start: {start:g} s is beyond the end of the video, which is {total:.3f} s long.")
    clip_end = total if end is None or end >= total else end
    periods = []
    offset: float | None = None
    for period_start, period in zip(period_starts, plan.periods, strict=True):
        kept = _clip_period(period, start - period_start, clip_end - period_start)
        if kept is None:
            continue
        if offset is None:
            offset = max(0.0, start - period_start - kept.main_track.segments[0].at)
        periods.append(_rebase(kept))
    fetched = math.fsum(period.seconds for period in periods)
    estimated = None if plan.estimated_bytes is None else math.ceil(plan.estimated_bytes * min(1.0, fetched / total))
    clip = Clip(offset if start else None, None if clip_end == total else clip_end - start, exact)
    return plan._replace(periods=tuple(periods), estimated_bytes=estimated), clip


def _clip_period(period: Period, start: float, end: float) -> Period | None:
    """Keep the segments between two times within the period; None if none are left."""
    if end <= 0 or start >= period.seconds:
        return None
    main = period.main_track
    video_start = max((segment.at for segment in main.segments if segment.at <= start), default=0.0)
    tracks = []
    for track in period.tracks:
        margin = 0.0 if track is main else _AUDIO_MARGIN_SECONDS
        first, last = video_start - margin, end + margin
        if track is not main:
            first -= math.fsum(each.guessed_seconds for each in track.segments if each.at < video_start)
        kept = _begun_before(last, [each for each in track.segments if each.at >= first or each.at + each.seconds > first])
        if kept:
            tracks.append(track._replace(segments=kept, seconds=_duration(kept)))
    return Period(tuple(tracks)) if tracks else None


def _begun_before(end: float, segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Keep the segments that may begin before a time: those before them may be shorter than guessed, down to nothing."""
    guessed = accumulate((each.guessed_seconds for each in segments), initial=0.0)
    return tuple(each for each, before in zip(segments, guessed, strict=False) if each.at - before < end)


def _duration(segments: tuple[Segment, ...]) -> float:
    return segments[-1].at + segments[-1].seconds - segments[0].at


def _rebase(period: Period) -> Period:
    """Shift the period's times so that its first remaining segment is at 0."""
    first = min(track.segments[0].at for track in period.tracks)
    tracks = (
        track._replace(segments=tuple(segment._replace(at=segment.at - first) for segment in track.segments)) for track in period.tracks
    )
    return Period(tuple(tracks))
