"""A plan whose audio begins later than its video, without a tag."""

from transcoder.core.hls.plan import Period, Plan
from transcoder.core.media.streams import TrackKind


def begin_audio_at(plan: Plan, period: int, index: int) -> Plan:
    """Return a plan of which a period with one track is split as by a tag: before the segment of that index, its audio begins.

    An output of audio alone begins there; in a later period silence comes before it.
    """
    track = plan.periods[period].tracks[0]
    before, after = track.segments[:index], track.segments[index:]
    silent_seconds = after[0].at - before[0].at
    silent = Period((track._replace(segments=before, seconds=silent_seconds),))
    moved = tuple(segment._replace(at=segment.at - after[0].at) for segment in after)
    loud = Period((track._replace(segments=moved, seconds=track.seconds - silent_seconds),))
    begins_there = track.kind is TrackKind.AUDIO and not (period and track.shares_segments)
    split = [loud] if begins_there else [silent, loud]
    return plan._replace(periods=(*plan.periods[:period], *split, *plan.periods[period + 1 :]))
