"""A quick look at a whole segment before any of it is passed on, to find faulty copies that are worth fetching again.

This is suspicion, not a verdict: a segment that looks odd is fetched again, and believed if it stays the same. So it may be quick and
strict, while `SegmentSequence` decides about what is passed on.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from transcoder.core.media.segment_look import Oddity, SegmentLook
from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamps import unwrap

_FIRST_TOLERANCE = 0.25
"""While it is not known how exact EXTINF is, a segment may differ from it by this share."""
_MIN_TOLERANCE_SECONDS = 0.016
"""For a medium by itself: less than a frame of audio."""
_MIN_COMMON_TOLERANCE_SECONDS = 0.03
"""For where a segment begins and ends: there, one medium begins or ends up to a frame before the other."""
_MIN_AUDIO_TOLERANCE_SECONDS = 0.05
"""For audio beside video that is shorter than EXTINF: a frame, whatever the codec."""
_MIN_LONGER_AUDIO_TOLERANCE_SECONDS = 0.15
"""For audio beside video that is longer: packagers hold back a few frames of each segment, and the last one brings them, too."""
_MAX_LAST_EXCESS_SECONDS = 0.25
"""By how much the last segment may be longer: ffmpeg's muxer measures it up to the frame that is decoded last, which is not the one that
is shown last."""
_DEVIATION_FACTOR = 3.0
_MIN_HOLE_SECONDS = 0.03


class ListedPlace(NamedTuple):
    """What the playlist says of a segment."""

    at: float
    """Where it lies in its period, in seconds."""
    seconds: float
    """EXTINF."""
    rounding: float = 0.0
    """By how many seconds EXTINF may be rounded."""
    is_last: bool = False
    """No other segment of its track follows it in its period."""

    def allows(self, length: float) -> bool:
        """Return whether it may be so long, whatever the others are."""
        return self.is_last and 0 < length - self.seconds <= _MAX_LAST_EXCESS_SECONDS


class _Measured(NamedTuple):
    """How a segment compares with the playlist."""

    origin: float
    """When the track would begin by it, less where the playlist puts its first segment."""
    deviations: Mapping[Medium | None, float]
    """By how many seconds each medium is longer or shorter than EXTINF, and all of them together (None)."""
    has_longer_audio: bool
    """The audio is longer."""


class _Accepted(NamedTuple):
    """A segment that has been accepted."""

    next_at: float
    """Where the playlist puts the next one."""
    ends: Mapping[Medium, float]
    """Presentation ends in seconds."""

    def is_followed_by(self, spans: Mapping[Medium, tuple[float, float]], *, at: float) -> bool:
        """Return whether nothing lies between its end and the start of a segment at `at`, as far as that is the next one."""
        if abs(at - self.next_at) > _MIN_HOLE_SECONDS:
            return True
        ends = [(self.ends[medium], start) for medium, (start, _) in spans.items() if medium in self.ends]
        return all(abs(unwrap(start, near=end) - end) <= _MIN_HOLE_SECONDS for end, start in ends)


class SegmentPlausibility:
    """The quick look at the segments of one track; learns from those that it accepts how exact the playlist is."""

    def __init__(self) -> None:
        """Begin before the first segment."""
        self._origin: float | None = None
        """When the track begins, less where the playlist puts its first segment, in seconds."""
        self._deviations: dict[Medium | None, float] = {}
        """By how many seconds EXTINF has been wrong so far, at most: about each medium, and about all of them together (None)."""
        self._moved: float | None = None
        """By how many seconds the playlist's places have been wrong so far, at most; None: not known."""
        self._doubted: _Measured | None = None
        """What the last segment showed that was not accepted."""
        self._only: _Accepted | None = None
        """The only segment that has been accepted; None before, and after others were."""
        self._begun = False
        """A segment has been accepted."""
        self._oddities: frozenset[Oddity] = frozenset()
        """Those of the segment that was looked at last."""
        self._usual_oddities: frozenset[Oddity] = frozenset()
        """Those of segments that were believed: the track may have them anywhere."""
        self.doubts_only = False
        """The last segment does not follow the only one that has been accepted before it: either of them may be the wrong one."""

    def accepts(self, look: SegmentLook | None, place: ListedPlace, oddities: Collection[Oddity] = ()) -> bool:
        """Return whether a whole segment looks undamaged, is as long as EXTINF says, and lies where the playlist puts it.

        Args:
            look: what the segment shows; None if it is damaged.
            place: what the playlist says of it.
            oddities: those that do not show in its bytes.

        """
        self.doubts_only, self._oddities = False, frozenset(oddities)
        if look is None:
            return False
        self._oddities |= look.oddities
        if self._oddities - self._usual_oddities:
            return False
        if not look.spans:
            return not look.is_timed
        return self._is_plausible(look.spans, place)

    def _is_plausible(self, spans: Mapping[Medium, tuple[float, float]], place: ListedPlace) -> bool:
        at, seconds, rounding = place.at, place.seconds, place.rounding
        start, end = min(first for first, _ in spans.values()), max(last for _, last in spans.values())
        origin = start - at if self._origin is None else unwrap(start, near=self._origin + at) - at
        lengths = {None: end - start} | {medium: last - first for medium, (first, last) in spans.items()}
        deviations = {medium: abs(length - seconds) for medium, length in lengths.items()}
        has_longer_audio = Medium.AUDIO in spans and spans[Medium.AUDIO][1] - spans[Medium.AUDIO][0] > seconds
        measured = _Measured(origin, deviations, has_longer_audio)
        moved = 0.0 if self._origin is None else abs(origin - self._origin)
        self.doubts_only = self._only is not None and (moved > seconds / 2 or not self._only.is_followed_by(spans, at=at))
        # The errors of rounded durations add up, but a place that is half a segment away is another one.
        drift = min(rounding * (1 + at / seconds), seconds / 2) if seconds else 0.0
        is_moved = moved - drift > _tolerance(self._moved, seconds, least=_MIN_COMMON_TOLERANCE_SECONDS)
        odd = {each for each in deviations if self._is_odd(measured, each, seconds, rounding=rounding, alone=len(spans) == 1)}
        if is_moved or not all(place.allows(lengths[each]) for each in odd):
            self._doubted = measured
            return False
        if self._begun:
            self._moved = max(self._moved or 0.0, moved)
        self._learn(measured._replace(deviations={each: deviations[each] for each in deviations.keys() - odd}))
        self._only = None if self._begun else _Accepted(at + seconds, {medium: last for medium, (_, last) in spans.items()})
        self._begun = True
        return True

    def _is_odd(self, measured: _Measured, medium: Medium | None, seconds: float, *, rounding: float, alone: bool) -> bool:
        """Return whether a deviation is larger than those before it; audio beside video may begin earlier in the first segment."""
        audio = _MIN_LONGER_AUDIO_TOLERANCE_SECONDS if measured.has_longer_audio else _MIN_AUDIO_TOLERANCE_SECONDS
        several = {Medium.AUDIO: audio, None: _MIN_COMMON_TOLERANCE_SECONDS}
        least = _MIN_TOLERANCE_SECONDS if alone else several.get(medium, _MIN_TOLERANCE_SECONDS)
        known = self._deviations.get(medium) if alone or medium is Medium.VIDEO or not self._only else None
        return measured.deviations[medium] - rounding > _tolerance(known, seconds, least=least)

    def _learn(self, measured: _Measured) -> None:
        """Note how exact the playlist is; what the first segment alone shows is replaced, because a track may begin unevenly."""
        known = {} if self._only else self._deviations
        self._origin = measured.origin if self._origin is None or self._only else self._origin
        self._deviations = known | {medium: max(deviation, known.get(medium, 0.0)) for medium, deviation in measured.deviations.items()}

    def believe(self) -> None:
        """Accept what did not look right and stays so: the playlist is less exact than it seemed, or the timeline goes on elsewhere."""
        self._origin, self._moved, self._only, self._begun = None, None, None, True
        self._usual_oddities |= self._oddities
        if self._doubted is not None:
            self._learn(self._doubted)
        self._doubted = None


def _tolerance(deviation: float | None, seconds: float, *, least: float) -> float:
    """Return by how many seconds a segment may differ, when others have differed by up to `deviation`; None: nothing is known."""
    return _FIRST_TOLERANCE * seconds if deviation is None else max(least, _DEVIATION_FACTOR * deviation + _MIN_TOLERANCE_SECONDS)
