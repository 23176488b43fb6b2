"""A track of one period, with what the probe of its first and last segments found."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from transcoder.core.hls.plan import Segment, Track
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.core.media.timestamps import unwrap

_WITH_TIMESTAMPS = frozenset({Container.MPEGTS, Container.FMP4})
LATER_SEGMENTS = 8
"""So many segments after the first are probed for a stream that is announced and has not begun."""
_MIN_CONTRADICTION_SECONDS = 0.15
"""The end of a track may differ by so much from the sum of EXTINF, besides rounding: audio may end a few frames earlier or later."""
_MIN_OVERLAP_SECONDS = 0.03
WRONG_SHARE = 0.1
"""EXTINF that differs by more than this share from the distance of two segments is wrong, and not rounded."""
_MAX_LEAP_SECONDS = 60.0
"""So much later than its playlist says a medium may end that leaps, while the other one does not."""
_GRADUAL = (0.15, 0.85)
"""Between these shares of the whole, what is late in the middle has become so little by little."""
_ROUNDING = 0.25
"""Share of the last segment's EXTINF by which the ends that were read may fall short because EXTINF is rounded."""


@dataclass(frozen=True, slots=True)
class Border:
    """What lies between the first two segments of a track, by their timestamps."""

    distance: float
    """Seconds from the start of the first one to the start of the second one."""
    listed: float
    """The same by the playlist."""
    overlap: float
    """By how many seconds the second one starts before the end of the first one; negative if it starts after it."""

    @property
    def overlaps(self) -> bool:
        """Whether they overlap: each segment was encoded by itself, and is played whole, after the one before it."""
        return self.overlap > _MIN_OVERLAP_SECONDS

    @property
    def is_contiguous(self) -> bool:
        """Whether they follow each other without a hole or an overlap."""
        return abs(self.overlap) <= _MIN_OVERLAP_SECONDS

    @property
    def contradicts_extinf(self) -> bool:
        """Whether EXTINF is wrong about the first one: by more than rounding."""
        return self.is_contiguous and abs(self.distance - self.listed) > WRONG_SHARE * self.listed


@dataclass(frozen=True, slots=True)
class ProbedTrack:
    """A track of one period, the probe of its first segment, and its end where that is known."""

    track: Track
    probe: Probe
    ends: Mapping[Medium, float]
    """Presentation end in seconds on the source's timeline, read from the last segment; empty if that was not read."""
    cut: bool = False
    """`ends` comes from a part of the last segment, which may have more fragments after it."""
    end_media: frozenset[Medium] = frozenset()
    """The media that its last segment has, as far as its last bytes show."""
    last_start: float | None = None
    """First presentation time of the last segment in seconds, of its main medium; None if it was not read."""
    border: Border | None = None
    """What lies between its first two segments, where that was read because `contradicts_playlist`."""
    is_late: bool = False
    """It ends later than its playlist says because EXTINF is wrong, and not because its timestamps leap somewhere."""

    def begun(self, probe: Probe, segment: Segment) -> "ProbedTrack":
        """Return the same with the probe of the segment that has arrived, which may be a later one than the first."""
        first = self.track.segments[0]
        if (segment.url, segment.range) == (first.url, first.range):
            probe = probe.merged_with(self.probe)
        return replace(self, probe=probe)

    @property
    def lacks_audio(self) -> bool:
        """Whether it may have audio, and has none in the segments that were probed at its beginning."""
        return Medium.AUDIO in self.track.kind.media and all(stream.medium is not Medium.AUDIO for stream in self.streams)

    @property
    def has_late_audio(self) -> bool:
        """Whether it lacks audio at its beginning, and has some in its last segment."""
        return self.lacks_audio and Medium.AUDIO in self.end_media and len(self.track.segments) > 1

    @property
    def contradicts_playlist(self) -> bool:
        """Whether its end by the timestamps and its end by EXTINF differ by more than rounding: then more has to be read to know why."""
        return abs(self._late_seconds) > self._rounding

    @property
    def _rounding(self) -> float:
        """By how many seconds the places of its segments may be wrong because EXTINF is rounded, and the audio ends a little later."""
        return _MIN_CONTRADICTION_SECONDS + sum(segment.rounding for segment in self.track.segments)

    @property
    def ends_early(self) -> bool:
        """Whether it ends before its playlist says, although EXTINF is right about its first segment and no segments overlap."""
        if self.border is None or self.border.overlaps or self.border.contradicts_extinf:
            return False
        return self.contradicts_playlist and self._late_seconds < 0

    @property
    def ends_later(self) -> bool:
        """Whether it ends later than its playlist says."""
        return self._late_seconds > 0

    @property
    def may_leap(self) -> bool:
        """Whether it ends so much later that its timestamps may leap somewhere, without a tag: by more than a segment."""
        return self._late_seconds > max(segment.seconds for segment in self.track.segments)

    def is_late_by(self, *, middle: float, last: float) -> bool:
        """Tell why, given the first presentation times of its middle and its last segment: EXTINF is wrong, or the timestamps leap.

        EXTINF is wrong about the last segment if that begins where the playlist puts it, and about all of them if a part of the lateness is
        there in the middle.
        """
        segments = self.track.segments
        if self.has_last_at(last):
            return True
        return _GRADUAL[0] < self._late_at(middle, segments[len(segments) // 2]) / self._late_seconds < _GRADUAL[1]

    def has_last_at(self, start: float | None) -> bool:
        """Return whether the last segment begins where the playlist puts it, given its first presentation time, if it is known."""
        return start is not None and abs(self._late_at(start, self.track.segments[-1])) <= self._rounding

    def _late_at(self, start: float, segment: Segment) -> float:
        """Return by how many seconds a segment begins later than the playlist puts it, given when its main medium does."""
        expected = (self.main_start or 0.0) + segment.at - self.track.segments[0].at
        return unwrap(start, near=expected) - expected

    @property
    def main_start(self) -> float | None:
        """First presentation time of its main medium, the video if there is any."""
        return next((stream.start for stream in self.streams if stream.start is not None), None)

    @property
    def _late_seconds(self) -> float:
        """By how many seconds it ends later than its playlist says; 0 if that is not known."""
        starts = [stream.start for stream in self.streams if stream.start is not None]
        if len(self.track.segments) < 2 or not starts:  # noqa: PLR2004 - no border
            return 0.0
        if self.cut:
            return 0.0 if self.last_start is None else self._late_at(self.last_start, self.track.segments[-1])
        if not self.ends:
            return 0.0
        by_playlist = max(starts) + self.track.seconds
        return max(unwrap(end, near=by_playlist) for end in self.ends.values()) - by_playlist

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams of this track that go into the output; one that is announced and of which nothing comes does not."""
        streams = tuple(stream for medium in self.track.kind.media if (stream := self.probe.main(medium)))
        return tuple(stream for stream in streams if stream.start is not None or self.probe.container not in _WITH_TIMESTAMPS)


def first_start(tracks: Sequence[ProbedTrack]) -> float:
    """Return the earliest first timestamp of a period in seconds: the zero of whatever has no timestamps of its own."""
    return min((stream.start for track in tracks for stream in track.streams if stream.start is not None), default=0.0)


def media_spans(tracks: Sequence[ProbedTrack]) -> dict[Medium, tuple[float, float]]:
    """Return the first and the last presentation time of each medium of a period in seconds, all on one timeline."""
    zero = first_start(tracks)
    spans: dict[Medium, tuple[float, float]] = {}
    for track in tracks:
        starts = {stream.medium: zero if stream.start is None else unwrap(stream.start, near=zero) for stream in track.streams}
        # EXTINF describes segments: where video and audio share them, both together, from whichever begins first; or the video alone. A
        # header that announces too much does no harm, but some players stop where one that announces too little says that the MP4 ends.
        in_segments = [unwrap(stream.start, near=zero) for stream in track.probe.streams if stream.start is not None]
        first = min([*starts.values(), *in_segments])  # segments may have media that do not go into the output
        is_video_there = not track.ends and Medium.VIDEO in starts and starts[Medium.VIDEO] < first + track.track.segments[0].seconds
        end = (starts[Medium.VIDEO] if is_video_there else first) + track.track.seconds
        for medium, start in (starts or {Medium.AUDIO: first}).items():
            # Where audio alone is wanted and there is none, silence lasts as long as the video.
            spans[medium] = start, max(start, _end(track, medium if starts else Medium.VIDEO, start, by_playlist=end))
    return spans


def _end(track: ProbedTrack, medium: Medium, start: float, *, by_playlist: float) -> float:
    """Choose between what the last segment says and the sum of EXTINF, which may be rounded to whole seconds."""
    if medium not in track.ends:
        return by_playlist
    end = unwrap(track.ends[medium], near=by_playlist)
    is_elsewhere = not _is_on_timeline(track, medium, start, by_playlist=by_playlist)
    # A guess is no EXTINF that the timestamps could correct.
    if not (is_elsewhere and track.track.guessed_seconds) and (corrected := _corrected(track, end, by_playlist)) is not None:
        return corrected
    if is_elsewhere:
        return by_playlist - _overestimate(track)  # another timeline: it restarts on the way, and no tag says so
    # Several fragments in a segment: those that were read end well before EXTINF does, by more than EXTINF could be rounded.
    return by_playlist if track.cut and end < by_playlist - _ROUNDING * track.track.segments[-1].seconds else end


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
        return end + (len(track.track.segments) - 1) * border.overlap
    # The last one may have any EXTINF, even none.
    longest = max(segment.seconds for segment in track.track.segments)
    is_last_longer = border.is_contiguous and 0 < end - by_playlist < 2 * longest
    return end if border.contradicts_extinf or is_last_longer else None


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
