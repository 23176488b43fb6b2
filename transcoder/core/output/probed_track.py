"""A track of one period, with what the probe of its first and last segments found."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from transcoder.core.hls.plan import Segment, Track
from transcoder.core.media.slide import Slide
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
_GRADUAL = (0.15, 0.85)
"""Between these shares of the whole, what is late in the middle has become so little by little."""


class Border(NamedTuple):
    """What lies between the first two segments of a track, by their timestamps."""

    distance: float
    """Seconds from the start of the first one to the start of the second one."""
    listed: float
    """The same by the playlist."""
    overlap: float
    """By how many seconds the second one starts before the end of the first one; negative if it starts after it."""
    audio_excess: float = 0.0
    """By how many seconds the audio of the first one ends after its video."""

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


class ProbedTrack(NamedTuple):
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
    slide: Slide | None = None
    """The picture that its last segment ends with, if that may be shown for any time."""
    is_late: bool = False
    """It ends later than its playlist says because EXTINF is wrong, and not because its timestamps leap somewhere."""

    def begun(self, probe: Probe, segment: Segment) -> "ProbedTrack":
        """Return the same with the probe of the segment that has arrived, which may be a later one than the first."""
        first = self.track.segments[0]
        if (segment.url, segment.range) == (first.url, first.range):
            probe = probe.merged_with(self.probe)
        return self._replace(probe=probe)

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
    def video_lag(self) -> float:
        """By how many seconds its video ends before EXTINF says, by more than rounding; 0 if it does not, or nothing is there beside it."""
        if self.main_start is None or self.slide or self.cut or len(self.track.segments) < 2 or set(self.ends) != set(Medium):  # noqa: PLR2004
            return 0.0
        by_playlist = self.main_start + self.track.seconds
        lag = by_playlist - unwrap(self.ends[Medium.VIDEO], near=by_playlist)
        return lag if lag > self._rounding else 0.0

    def begins_early_by(self, start: float) -> float:
        """Return by how many seconds the last segment begins before its place in the playlist, by more than rounding, given its start."""
        early = -self._late_at(start, self.track.segments[-1])
        return early if early > self._rounding else 0.0

    @property
    def _rounding(self) -> float:
        """By how many seconds the places of its segments may be wrong because EXTINF is rounded, and the audio ends a little later."""
        return _MIN_CONTRADICTION_SECONDS + sum(segment.rounding for segment in self.track.segments)

    @property
    def has_slide_in_place(self) -> bool:
        """Whether its last picture may be shown until it ends by EXTINF: it is where the playlist puts the last segment."""
        if self.slide is None or self.track.guessed_seconds:
            return False
        last = self.track.segments[-1]
        return -self._rounding <= self._late_at(self.slide.start, last) <= last.seconds + self._rounding

    @property
    def ends_early(self) -> bool:
        """Whether it ends before its playlist says, although EXTINF is right about its first segment and no segments overlap."""
        if self.border is None or self.border.overlaps or self.border.contradicts_extinf:
            return False
        return self.contradicts_playlist and self._late_seconds < 0

    @property
    def ends_later(self) -> bool:
        """Whether it ends later than its playlist says, by more than rounding."""
        return self._late_seconds > self._rounding

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
        if not self.ends or self.has_slide_in_place:
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
