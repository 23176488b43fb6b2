"""Where the media of a period begin and end, by the probes of its tracks and by EXTINF."""

import math
from collections.abc import Sequence

from transcoder.core.media.slide import MIN_SLIDE_SECONDS, Slide
from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamps import unwrap
from transcoder.core.output.probed_track import Border, ProbedTrack, first_start
from transcoder.core.output.timeline import HALF_FRAME_SECONDS, MAX_AUDIO_EXCESS_SECONDS

_MAX_LEAP_SECONDS = 60.0
"""So much later than its playlist says a medium may end that leaps, while the other one does not."""
_ROUNDING = 0.25
"""Share of the last segment's EXTINF by which the ends that were read may fall short because EXTINF is rounded."""
_MAX_INEXACTNESS_SECONDS = 0.1
"""EXTINF that differs from the end of the media by up to this is right."""


def media_spans(tracks: Sequence[ProbedTrack]) -> dict[Medium, tuple[float, float]]:
    """Return the first and the last presentation time of each medium of a period in seconds, all on one timeline."""
    zero = first_start(tracks)
    spans: dict[Medium, tuple[float, float]] = {}
    for track in tracks:
        starts = {stream.medium: zero if stream.start is None else unwrap(stream.start, near=zero) for stream in track.streams}
        # EXTINF describes segments: where video and audio share them, both together, from whichever begins first; or the video alone. A
        # header that announces too much does no harm, but some players stop where one that announces too little says that the MP4 ends.
        in_segments = [unwrap(stream.start, near=zero) for stream in track.probe.streams if stream.start is not None]
        first = min([*starts.values(), *in_segments], default=zero)  # segments may have media that do not go into the output
        is_video_there = not track.ends and Medium.VIDEO in starts and starts[Medium.VIDEO] < first + track.track.segments[0].seconds
        end = (starts[Medium.VIDEO] if is_video_there else first) + track.track.seconds
        for medium, start in (starts or {Medium.AUDIO: first}).items():
            # Where audio alone is wanted and there is none, silence lasts as long as the video.
            spans[medium] = start, max(start, _end(track, medium if starts else Medium.VIDEO, start, by_playlist=end))
    return spans


def ends_elsewhere(track: ProbedTrack) -> bool:
    """Return whether a track ends elsewhere than EXTINF says, by what was read of its end."""
    by_playlist = media_spans([track._replace(ends={}, slide=None)])
    return any(abs(end - by_playlist[medium][1]) > _MAX_INEXACTNESS_SECONDS for medium, (_, end) in media_spans([track]).items())


def _end(track: ProbedTrack, medium: Medium, start: float, *, by_playlist: float) -> float:
    """Choose between what the last segment says and the sum of EXTINF, which may be rounded to whole seconds."""
    if medium not in track.ends:
        return by_playlist
    slide = track.slide if medium is Medium.VIDEO else None
    if slide and track.has_slide_in_place:
        picture = unwrap(slide.start, near=by_playlist)
        return max(picture, min(by_playlist, picture + slide.apart) if slide.apart and slide.is_even else by_playlist)
    end = unwrap(track.ends[medium], near=by_playlist) + (_rest_of_slide(track, slide) if slide else 0.0)
    is_elsewhere = not _is_on_timeline(track, medium, start, by_playlist=by_playlist)
    # A guess is no EXTINF that the timestamps could correct.
    if not (is_elsewhere and track.track.guessed_seconds) and (corrected := _corrected(track, end, by_playlist)) is not None:
        return corrected
    if is_elsewhere:
        return by_playlist - _overestimate(track)  # another timeline: it restarts on the way, and no tag says so
    # Several fragments in a segment: those that were read end well before EXTINF does, by more than EXTINF could be rounded.
    return by_playlist if track.cut and end < by_playlist - _ROUNDING * track.track.segments[-1].seconds else end


def _rest_of_slide(track: ProbedTrack, slide: Slide) -> float:
    """Return by how many seconds a last picture is shown beyond the end that was read, where EXTINF cannot say it.

    As the only one of its segment it is shown until the next segment would begin; otherwise for as long as those before it, but no longer
    than the audio that goes on beside it.
    """
    border, end = track.border, track.ends[Medium.VIDEO]
    start = unwrap(slide.start, near=end)
    if slide.apart is None:
        is_known = border is not None and border.listed
        return track.track.segments[-1].seconds * border.distance / border.listed if border and is_known else 0.0
    audio = unwrap(track.ends.get(Medium.AUDIO, start), near=start) - start
    return max(0.0, start + (min(slide.apart, max(audio, MIN_SLIDE_SECONDS)) if audio > 0 else slide.apart) - end)


def _is_on_timeline(track: ProbedTrack, medium: Medium, start: float, *, by_playlist: float) -> bool:
    """Return whether the end of a medium lies on the timeline that it began on.

    That is near where the playlist puts it, by the start of the track or its own, or late by itself while the other medium is not.
    """
    end, drift = unwrap(track.ends[medium], near=by_playlist), _max_drift(track)
    if not track.track.seconds or len(track.track.segments) == 1 or abs(end - by_playlist) <= drift or track.has_last_at(track.last_start):
        return True
    others = [unwrap(other, near=by_playlist) for each, other in track.ends.items() if each is not medium]
    is_alone = any(abs(other - by_playlist) <= drift for other in others) and 0 < end - by_playlist <= _MAX_LEAP_SECONDS
    return is_alone or abs(end - start - track.track.seconds) <= drift


def _corrected(track: ProbedTrack, end: float, by_playlist: float) -> float | None:
    """Return when a track ends whose timestamps contradict EXTINF, by its first two segments; None if they do not tell."""
    if track.is_late:
        return end
    border = track.border
    if border is None:
        return None
    if border.overlaps:
        return end + _seconds_of_overlaps(track, border)
    # The last one may have any EXTINF, even none.
    longest = max(segment.seconds for segment in track.track.segments)
    is_last_longer = border.is_contiguous and 0 < end - by_playlist < 2 * longest
    return end if border.contradicts_extinf or is_last_longer else None


def _seconds_of_overlaps(track: ProbedTrack, border: Border) -> float:
    """Return by how many seconds a track becomes longer because each segment is played whole, after all of the one before it.

    Where the video overlaps and the audio goes on, the audio of each segment ends later than its video, by more and more: the next one
    waits for it.
    """
    borders = len(track.track.segments) - 1
    count = min(max(1, round(track.video_lag / border.overlap)), borders) if track.video_lag else borders
    excess = track.ends[Medium.AUDIO] - track.ends[Medium.VIDEO] if set(Medium) <= track.ends.keys() else border.audio_excess
    steps = (border.audio_excess + (excess - border.audio_excess) * number / count for number in range(count))
    waits = [step + HALF_FRAME_SECONDS for step in steps if step > MAX_AUDIO_EXCESS_SECONDS]
    return count * border.overlap + math.fsum(waits)


def _overestimate(track: ProbedTrack) -> float:
    """Return by how many seconds the guesses of a track are too long together, by what its first two segments show of the first one."""
    return (1 - _guess_factor(track)) * math.fsum(segment.seconds for segment in track.track.segments if segment.guessed)


def _guess_factor(track: ProbedTrack) -> float:
    """Return how many times longer the first segment is than guessed; 1 if that is not known."""
    first, border = track.track.segments[0], track.border
    is_known = border is not None and border.is_contiguous and first.guessed and first.seconds > 0
    return border.distance / first.seconds if border and is_known else 1.0


def _max_drift(track: ProbedTrack) -> float:
    """Return by how many seconds the end of a track may differ from the sum of its EXTINF.

    Each may be rounded by half a second, and the last may have any value: some packagers give every segment the same. Where the last
    segment seems to end before it begins, it lies on another timeline, which no tag announces. A guess may be wrong by all of it, or by as
    much as the first segment shows.
    """
    segments = track.track.segments
    return max(0.98 * segments[-1].seconds, 0.5 * len(segments)) + max(1.0, _guess_factor(track)) * track.track.guessed_seconds
