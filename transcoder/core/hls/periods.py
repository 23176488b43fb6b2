"""Splits playlists into periods: runs of segments on one timeline, with video and audio split at the same places."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeVar

from transcoder.core.hls.playlist import MediaPlaylist, MediaSegment
from transcoder.errors import UnsupportedSourceError

T = TypeVar("T")

MAX_PERIODS = 1000
"""A source with more breaks, or more periods, is refused: each period takes a process of its own."""


class SegmentRange(NamedTuple):
    """A run of segments by index: from `first` up to, but not including, `end`."""

    first: int
    end: int


def split_single(playlist: MediaPlaylist) -> list[SegmentRange]:
    """Split one playlist at its breaks.

    A break is an EXT-X-DISCONTINUITY or a change of the initialization section.

    Raises:
        UnsupportedSourceError: it has more than `MAX_PERIODS` breaks.
    """
    everything = SegmentRange(0, len(playlist.segments))
    return _split_at(everything, _check_count(sorted({*_discontinuities(playlist), *_section_changes(playlist, everything)})))


def split_pair(video: MediaPlaylist, audio: MediaPlaylist) -> list[tuple[SegmentRange, SegmentRange]]:
    """Split a video playlist and its audio playlist at the same places; a range is empty where one of them is shorter.

    EXT-X-DISCONTINUITY must be at the same places in both (RFC 8216, 6.2.4), so if both have equally many, they are paired in order,
    whatever the durations add up to. Other breaks are paired by time. Where the other track has no break, it is split at its
    nearest segment boundary.

    Raises:
        UnsupportedSourceError: a break is too far from any segment boundary of the other track, or there are too many breaks.
    """
    video_breaks, audio_breaks = _check_count(_discontinuities(video)), _check_count(_discontinuities(audio))
    all_video, all_audio = SegmentRange(0, len(video.segments)), SegmentRange(0, len(audio.segments))
    if len(video_breaks) == len(audio_breaks):
        regions = zip(_split_at(all_video, video_breaks), _split_at(all_audio, audio_breaks), strict=True)
        pairs = [pair for left, right in regions for pair in _split_region(_region(video, left, ()), _region(audio, right, ()))]
        return _check_count(pairs)
    return _split_region(_region(video, all_video, video_breaks), _region(audio, all_audio, audio_breaks))


class _Region(NamedTuple):
    """One track's segments between two breaks that both tracks have in common."""

    segments: SegmentRange
    breaks: list[int]
    """Indices of the segments that begin after a break of this track alone."""
    times: list[float]
    """When each segment begins, in seconds from the region's beginning, and when the last one ends."""
    target_seconds: int

    def time(self, index: int) -> float:
        return self.times[index - self.segments.first]


def _region(playlist: MediaPlaylist, segments: SegmentRange, breaks: Sequence[int]) -> _Region:
    """Measure one track's part of a region, and add its changes of initialization section to `breaks`."""
    times = list(accumulate((segment.seconds for segment in playlist.segments[segments.first : segments.end]), initial=0.0))
    return _Region(segments, _check_count(sorted({*breaks, *_section_changes(playlist, segments)})), times, playlist.target_seconds)


def _split_region(left: _Region, right: _Region) -> list[tuple[SegmentRange, SegmentRange]]:
    """Split both tracks of a region at each other's breaks."""
    cuts = _pair_breaks(left, right)
    if any(a > b for (_, a), (_, b) in pairwise(cuts)):
        raise UnsupportedSourceError("The breaks of video and audio do not coincide: they come in different orders.")
    edges = [(left.segments.first, right.segments.first), *cuts, (left.segments.end, right.segments.end)]
    return [(SegmentRange(i, k), SegmentRange(j, m)) for (i, j), (k, m) in pairwise(edges) if i < k or j < m]


def _pair_breaks(left: _Region, right: _Region) -> list[tuple[int, int]]:
    """Return, for each break of either track, the index at which to split each of them."""
    # A segment may last half a second longer than the target duration (RFC 8216, 4.3.3.1).
    tolerance = (max(left.target_seconds, right.target_seconds) + 1) / 2
    unpaired = [(right.time(index), index) for index in right.breaks]
    cuts = []
    for index in left.breaks:
        time = left.time(index)
        closest = _closest(unpaired, time)
        if closest is not None and abs(unpaired[closest][0] - time) <= tolerance:
            cuts.append((index, unpaired.pop(closest)[1]))
        else:
            cuts.append((index, _nearest_boundary(right, time, tolerance)))
    cuts.extend((_nearest_boundary(left, time, tolerance), index) for time, index in unpaired)
    return sorted(set(cuts))


def _closest(breaks: list[tuple[float, int]], time: float) -> int | None:
    """Return the place of the break, of those sorted by time, that is closest to `time`: the first of equal ones."""
    after = bisect_left(breaks, (time, 0))
    before = after and bisect_left(breaks, (breaks[after - 1][0], 0))
    places = [place for place in (before, after) if place < len(breaks)]
    return min(places, key=lambda place: abs(breaks[place][0] - time), default=None)


def _nearest_boundary(region: _Region, time: float, tolerance: float) -> int:
    """Return the index of the segment that begins nearest to `time`, or the region's end if the track is over by then.

    The region's first segment stays before the break if any other boundary is near enough: both tracks began together with it.
    """
    after = bisect_left(region.times, time)
    if after == len(region.times):
        return region.segments.end
    near = [place for place in (after - 1, after) if place >= 0 and abs(region.times[place] - time) <= tolerance]
    if not near:
        raise UnsupportedSourceError(
            "The breaks of video and audio do not coincide: "
            f"{time:.3f} s after a common break, one has a break and the other has no segment that begins near it."
        )
    return region.segments.first + min(near, key=lambda place: (not place, abs(region.times[place] - time)))


def _discontinuities(playlist: MediaPlaylist) -> list[int]:
    """Return the indices of the segments after EXT-X-DISCONTINUITY; before the first segment the tag has no effect."""
    return [index for index, segment in enumerate(playlist.segments) if segment.discontinuity and index]


def _section_changes(playlist: MediaPlaylist, within: SegmentRange) -> list[int]:
    """Return the indices of the segments whose initialization section differs; naming the same one again is no change."""
    segments = playlist.segments[within.first : within.end]
    return [
        index
        for index, (before, after) in enumerate(pairwise(segments), within.first + 1)
        if after.map is not before.map and _section_identity(after) != _section_identity(before)
    ]


def _section_identity(segment: MediaSegment) -> tuple[object, ...] | None:
    """Return what makes two initialization sections the same: address, byte range and keys."""
    section = segment.map
    return None if section is None else (section.url, section.range, tuple(key.url for key in section.keys))


def _split_at(segments: SegmentRange, breaks: Sequence[int]) -> list[SegmentRange]:
    return [SegmentRange(first, end) for first, end in pairwise((segments.first, *breaks, segments.end))]


def _check_count(breaks: list[T]) -> list[T]:
    """Return `breaks`, or periods, if there are no more than `MAX_PERIODS`."""
    if len(breaks) > MAX_PERIODS:
        raise UnsupportedSourceError(f"The playlist has {len(breaks)} breaks; {MAX_PERIODS} is the most that is supported.")
    return breaks
