"""Where playlists break: runs of segments on one timeline, and the breaks of picture and sound brought together."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TypeVar

from transcoder.core.hls.playlist import Media, MediaSegment
from transcoder.errors import UnsupportedSourceError

T = TypeVar("T")

MAX_PERIODS = 1000
"""A source with more breaks, or periods, is refused: each period takes a process of its own."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of segments by their index: from `first` up to, but not including, `end`."""

    first: int
    end: int


def alone(media: Media) -> list[Span]:
    """Cut one playlist at its breaks.

    Raises:
        UnsupportedSourceError: there are more than `MAX_PERIODS` of them.
    """
    whole = Span(0, len(media.segments))
    return _spans(whole, _few(sorted({*_discontinuities(media), *_changed_maps(media, whole)})))


def together(video: Media, audio: Media) -> list[tuple[Span, Span]]:
    """Cut two playlists of one film at the same places; a span may be empty, where one of them is shorter.

    EXT-X-DISCONTINUITY stands in both at the same places (RFC 8216, 6.2.4), so equal numbers are paired by their order, whatever
    the durations add up to. Other breaks are paired by time, and where the other track does not break, it is cut at its
    nearest segment.

    Raises:
        UnsupportedSourceError: a break lies too far from any segment's begin in the other track, or there are too many.
    """
    ours, theirs = _few(_discontinuities(video)), _few(_discontinuities(audio))
    wholes = Span(0, len(video.segments)), Span(0, len(audio.segments))
    if len(ours) == len(theirs):
        regions = zip(_spans(wholes[0], ours), _spans(wholes[1], theirs), strict=True)
        return _few([pair for left, right in regions for pair in _region(_side(video, left, ()), _side(audio, right, ()))])
    return _region(_side(video, wholes[0], ours), _side(audio, wholes[1], theirs))


@dataclass(frozen=True, slots=True)
class _Side:
    """One track's part of a region."""

    span: Span
    breaks: list[int]
    edges: list[float]
    """When each of its segments begins, in seconds from the region's begin, and when the last one ends."""
    target: int

    def time(self, index: int) -> float:
        return self.edges[index - self.span.first]


def _side(media: Media, span: Span, breaks: Sequence[int]) -> _Side:
    """Measure one track's part of a region."""
    edges = list(accumulate((segment.seconds for segment in media.segments[span.first : span.end]), initial=0.0))
    return _Side(span, _few(sorted({*breaks, *_changed_maps(media, span)})), edges, media.target_seconds)


def _region(left: _Side, right: _Side) -> list[tuple[Span, Span]]:
    """Cut both sides of a region at each other's breaks."""
    cuts = _cuts(left, right)
    if any(a > b for (_, a), (_, b) in pairwise(cuts)):
        raise UnsupportedSourceError("The breaks of picture and sound do not coincide: they come in different orders.")
    places = [(left.span.first, right.span.first), *cuts, (left.span.end, right.span.end)]
    return [(Span(i, k), Span(j, m)) for (i, j), (k, m) in pairwise(places) if i < k or j < m]


def _cuts(left: _Side, right: _Side) -> list[tuple[int, int]]:
    """Find for each break of one side the index to cut the other side at."""
    # A segment may last half a second more than the target duration says (RFC 8216, 4.3.3.1).
    tolerance = (max(left.target, right.target) + 1) / 2
    unpaired = list(right.breaks)
    cuts = []
    for index in left.breaks:
        time = left.time(index)
        closest = min(unpaired, key=lambda other: abs(right.time(other) - time), default=None)
        if closest is not None and abs(right.time(closest) - time) <= tolerance:
            unpaired.remove(closest)
            cuts.append((index, closest))
        else:
            cuts.append((index, _nearest(right, time, tolerance)))
    cuts.extend((_nearest(left, right.time(index), tolerance), index) for index in unpaired)
    return sorted(set(cuts))


def _nearest(side: _Side, time: float, tolerance: float) -> int:
    """Find the segment whose begin lies nearest to `time`; the end, if the track is over by then.

    The region's first segment stays before the break if any other is near enough: both tracks began together with it.
    """
    after = bisect_left(side.edges, time)
    if after == len(side.edges):
        return side.span.end
    near = [place for place in (after - 1, after) if place >= 0 and abs(side.edges[place] - time) <= tolerance]
    if not near:
        raise UnsupportedSourceError(
            "The breaks of picture and sound do not coincide: "
            f"{time:.3f} s after a break in common, one breaks and the other has no segment that begins near."
        )
    return side.span.first + min(near, key=lambda place: (not place, abs(side.edges[place] - time)))


def _discontinuities(media: Media) -> list[int]:
    """List where EXT-X-DISCONTINUITY stands; before the first segment it breaks nothing."""
    return [index for index, segment in enumerate(media.segments) if segment.discontinuity and index]


def _changed_maps(media: Media, span: Span) -> list[int]:
    """List where the initialization section becomes another; the same one named again is no change."""
    segments = media.segments[span.first : span.end]
    return [
        index
        for index, (before, after) in enumerate(pairwise(segments), span.first + 1)
        if after.map is not before.map and _identity(after) != _identity(before)
    ]


def _identity(segment: MediaSegment) -> tuple[object, ...] | None:
    """Tell initialization sections apart: by address, range and keys."""
    section = segment.map
    return None if section is None else (section.url, section.range, tuple(key.url for key in section.keys))


def _spans(whole: Span, breaks: Sequence[int]) -> list[Span]:
    """Cut a span."""
    return [Span(first, end) for first, end in pairwise((whole.first, *breaks, whole.end))]


def _few(breaks: list[T]) -> list[T]:
    """Refuse more breaks, or periods, than can be joined."""
    if len(breaks) > MAX_PERIODS:
        raise UnsupportedSourceError(f"The playlist breaks {len(breaks)} times; {MAX_PERIODS} is the most that is joined.")
    return breaks
