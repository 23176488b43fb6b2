"""A plan whose audio begins later than its video, without a tag."""

from dataclasses import replace

from transcoder.core.hls.plan import Period, Plan, Track
from transcoder.core.media.streams import TrackKind


def begin_audio_at(plan: Plan, period: int, index: int) -> Plan:
    """Return a plan of which a period with one track is split as by a tag: before the segment of that index, its audio begins.

    A track of audio alone begins there.
    """
    track = plan.periods[period].tracks[0]
    before, after = track.segments[:index], track.segments[index:]
    silent_seconds = after[0].at - before[0].at
    silent = Period((Track(track.kind, before, silent_seconds),))
    moved = tuple(replace(segment, at=segment.at - after[0].at) for segment in after)
    loud = Period((Track(track.kind, moved, track.seconds - silent_seconds),))
    split = [loud] if track.kind is TrackKind.AUDIO else [silent, loud]
    return replace(plan, periods=(*plan.periods[:period], *split, *plan.periods[period + 1 :]))
