"""A clip of a plain MP4: which samples it has, by the same rules as a clip that is made of fragments (`clip_cutter.py`)."""

from array import array
from collections.abc import Sequence
from fractions import Fraction

from transcoder.core.media.mp4.fragment import NOT_SYNC
from transcoder.core.media.mp4.plain_movie import PlainTrack
from transcoder.core.media.mp4.track_samples import TrackSamples
from transcoder.core.media.streams import Medium
from transcoder.core.output.clip_cutter import START_SLACK, STEP_SECONDS
from transcoder.core.request.output_format import Clip
from transcoder.errors import BadRequestError


def cut_to_clip(tracks: Sequence[PlainTrack], clip: Clip) -> list[PlainTrack]:
    """Return the tracks with the samples that a clip has, from the last key frame at or before its start; none of them is empty.

    Raises:
        BadRequestError: the media ends before the clip begins.
    """
    leader = next((track for track in tracks if track.track.medium is Medium.VIDEO), tracks[0])
    start = min(track.start for track in tracks)
    if clip.start is not None:
        start = _seconds(leader, next(leader.samples.presentation_times)) + Fraction(clip.start)
        tracks = _without_beginning(tracks, leader, start)
    if clip.seconds is not None:
        tracks = [_without_end(track, start + Fraction(clip.seconds)) for track in tracks]
    found = [track for track in tracks if track.samples.sizes]
    if not any(track.track.medium is leader.track.medium for track in found):
        raise BadRequestError("start: the media there ends before that, although the playlist goes on.")
    return found


def _seconds(track: PlainTrack, time: int) -> Fraction:
    return Fraction(time - track.shift, track.track.timescale)


def _ticks(track: PlainTrack, seconds: Fraction) -> Fraction:
    return seconds * track.track.timescale + track.shift


def _without_beginning(tracks: Sequence[PlainTrack], leader: PlainTrack, start: Fraction) -> list[PlainTrack]:
    """Drop what lies before the key frame that the clip begins with."""
    begin = _seconds(leader, _key_frame(leader, start)) if leader.track.medium is Medium.VIDEO else start
    found = []
    for track in tracks:
        limit = _ticks(track, begin)
        if track.track.medium is Medium.VIDEO:
            # Frames that are presented before the key frame need frames that are not there.
            kept = [presented >= limit for presented in track.samples.presentation_times]
        else:
            spans = zip(track.samples.decode_times, track.samples.durations, strict=False)
            kept = [time + length * START_SLACK >= limit for time, length in spans]
        found.append(track._replace(samples=track.samples.kept(kept)))
    return found


def _key_frame(track: PlainTrack, start: Fraction) -> int:
    """Return when the last key frame at or before `start` is presented; the first one, if all are later."""
    limit, found = _ticks(track, start), None
    for presented, flags in zip(track.samples.presentation_times, track.samples.flags, strict=True):
        if not flags & NOT_SYNC and (found is None or presented <= limit):
            found = presented
    return track.samples.first_presented if found is None else found


def _without_end(track: PlainTrack, end: Fraction) -> PlainTrack:
    samples, limit = track.samples, _ticks(track, end)
    if track.track.medium is Medium.AUDIO:
        spans = zip(samples.decode_times, samples.durations, strict=False)
        return track._replace(samples=samples.kept([time + Fraction(length, 2) < limit for time, length in spans]))
    return track._replace(samples=_without_last_frames(samples, round(limit), max(1, round(STEP_SECONDS * track.track.timescale))))


def _without_last_frames(samples: TrackSamples, limit: int, step: int) -> TrackSamples:
    """Drop the frames at or beyond `limit` that no frame before it can need; present the others as briefly as possible, after it."""
    presented = list(samples.presentation_times)
    count = max((index + 1 for index, time in enumerate(presented) if time < limit), default=0)
    found = samples.kept([index < count for index in range(len(presented))])
    beyond = sorted((index for index in range(count) if presented[index] >= limit), key=presented.__getitem__)
    offsets = array("i", found.offsets)
    for number, index in enumerate(beyond):
        offsets[index] += limit + step * number - presented[index]
    found.offsets = offsets
    return found
