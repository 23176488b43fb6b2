"""Joins the segments of a rendition of subtitles on the clock of the output."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from transcoder.core.media.subtitles.webvtt import Cue, WebVtt
from transcoder.core.media.timestamps import unwrap
from transcoder.errors import DamagedMediaError

_SAME_SECONDS = 0.002
"""Times of the same cue in two segments may differ by the rounding of X-TIMESTAMP-MAP and of milliseconds."""
_BORDER_SECONDS = 0.05
_DOUBTED_SECONDS = 0.5
"""How far from its place all of a segment may lie if something else speaks against it, too."""
_MAPPED_FACTOR = 2
"""How many times more cues must lie in their places without X-TIMESTAMP-MAP than with it, before it is not believed."""
_COMPARED_CUES = 4
"""How many cues with the same text are compared; more cannot be shown at once by one packager."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a segment belongs, in seconds."""

    at: float
    """When it begins by the sum of EXTINF."""
    seconds: float
    """EXTINF."""
    period_at: float
    """When the period of the video begins that it belongs to, in the output."""
    clock_at_period: float
    """What the clock of the media shows then."""
    rounding: float = 0.0
    """By how much `at` may be wrong, because EXTINF are rounded."""
    is_doubtful: bool = False
    """The playlist seems to leave out segments before it."""


@dataclass(frozen=True, slots=True)
class PlacedSegment:
    """One segment and its place."""

    place: Place
    content: WebVtt

    def by_the_media(self) -> tuple[Cue, ...]:
        """Return its cues on the output's clock, by X-TIMESTAMP-MAP; without one, both clocks show zero together (RFC 8216, 3.5)."""
        if not self.content.cues:
            return ()
        place, zero = self.place, self.content.zero or 0.0
        expected = place.at - self.content.cues[0].start
        return self._moved(unwrap(zero - place.clock_at_period + place.period_at, near=expected))

    def by_itself(self) -> tuple[Cue, ...]:
        """Return its cues as if its own clock were that of the output."""
        return self._moved(-self.content.local)

    def _moved(self, seconds: float) -> tuple[Cue, ...]:
        return tuple(replace(cue, start=cue.start + seconds, end=cue.end + seconds) for cue in self.content.cues)

    def fitting(self, cues: Sequence[Cue]) -> int:
        """Return how many of its cues lie in its place, at least in part."""
        return self._within(cues, _BORDER_SECONDS + self.place.rounding)

    def is_misplaced(self, cues: Sequence[Cue], *, tolerance: float) -> bool:
        """Whether all cues of the segment lie outside its place."""
        return bool(cues) and not self._within(cues, self.place.rounding + tolerance)

    def _within(self, cues: Sequence[Cue], tolerance: float) -> int:
        first, last = self.place.at - tolerance, self.place.at + self.place.seconds + tolerance
        return sum(first <= cue.end and cue.start <= last for cue in cues)


def join_segments(segments: Sequence[PlacedSegment], *, target_seconds: float) -> WebVtt:
    """Return all cues on the output's clock, in order; a cue that is in several segments is taken once.

    Raises:
        DamagedMediaError: the cues of a segment do not lie where the playlist puts it: a segment is missing, doubled or another one's.

    """
    doubted = _doubled(segments)
    tolerances = [
        _DOUBTED_SECONDS if segment.place.is_doubtful or index in doubted else max(target_seconds, _DOUBTED_SECONDS)
        for index, segment in enumerate(segments)
    ]
    timed, alone = [segment.by_the_media() for segment in segments], [segment.by_itself() for segment in segments]
    # Packagers forget X-TIMESTAMP-MAP, or write one that is not about this video: then the places of the segments decide.
    factor = _MAPPED_FACTOR if any(segment.content.zero is not None for segment in segments) else 1
    if _fitting(segments, alone) > factor * _fitting(segments, timed) and _misplaced(segments, alone, tolerances) is None:
        timed = alone
    wrong = _misplaced(segments, timed, tolerances)
    if wrong is not None:
        raise DamagedMediaError(
            f"The subtitles of the segment at {segments[wrong].place.at:.1f} s are of another time: "
            "a segment is missing or doubled, or their clock is not that of the video."
        )
    blocks = dict.fromkeys(block for segment in segments for block in segment.content.blocks)
    return WebVtt(tuple(_visible(_distinct(segments, timed))), tuple(blocks))


def _doubled(segments: Sequence[PlacedSegment]) -> set[int]:
    """Return the indices of segments whose cues are all those of another one."""
    seen: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, segment in enumerate(segments):
        content = segment.content
        if content.cues:
            seen[content.zero, content.cues].append(index)
    return {index for indices in seen.values() if len(indices) > 1 for index in indices}


def _misplaced(segments: Sequence[PlacedSegment], timed: Sequence[Sequence[Cue]], tolerances: Sequence[float]) -> int | None:
    """Return the index of the first segment that is not in its place."""
    triples = enumerate(zip(segments, timed, tolerances, strict=True))
    return next((index for index, (segment, cues, seconds) in triples if segment.is_misplaced(cues, tolerance=seconds)), None)


def _fitting(segments: Sequence[PlacedSegment], timed: Sequence[Sequence[Cue]]) -> int:
    return sum(segment.fitting(cues) for segment, cues in zip(segments, timed, strict=True))


def _distinct(segments: Sequence[PlacedSegment], timed: Sequence[Sequence[Cue]]) -> list[Cue]:
    """Return the cues of all segments; one that reaches over a border is in both segments, whole or in two parts."""
    found: list[Cue] = []
    last_seen: defaultdict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for number, (segment, cues) in enumerate(zip(segments, timed, strict=True)):
        for cue in cues:
            # The index of each cue with this text, and the last segment that it was in.
            earlier = last_seen[cue.text, cue.settings]
            border = segment.place.at
            same = next((index for index, seen in earlier.items() if seen != number and _is_same(found[index], cue, border=border)), None)
            if same is None:
                same = len(found)
                found.append(cue)
            else:
                found[same] = replace(found[same], end=max(found[same].end, cue.end))
            earlier[same] = number
            if len(earlier) > _COMPARED_CUES:
                del earlier[next(iter(earlier))]
    return found


def _is_same(earlier: Cue, later: Cue, *, border: float) -> bool:
    """Whether a cue is one of the segment before the border: with the same times, or going on from the border on."""
    if abs(earlier.start - later.start) <= _SAME_SECONDS and abs(earlier.end - later.end) <= _SAME_SECONDS:
        return True
    goes_on = earlier.start < later.start <= earlier.end + _SAME_SECONDS and earlier.end >= border - _BORDER_SECONDS
    return goes_on and abs(later.start - border) <= _BORDER_SECONDS


def _visible(cues: Sequence[Cue]) -> list[Cue]:
    """Return the cues in order, without what lies before the beginning."""
    return sorted((replace(cue, start=max(cue.start, 0.0)) for cue in cues if cue.end > 0), key=lambda cue: cue.start)
