"""Compares the playlists of video and separate audio before any media is fetched: the shorter one may have lost entries.

A difference in length alone is only one witness: many sources have audio that ends a little earlier than their video, and EXTINF may be
rounded. So each rule here needs a second one, which the playlist itself or another list of the same medium has to give.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from transcoder.core.hls.periods import SegmentRange, split_pair
from transcoder.core.hls.playlist import MediaPlaylist, MediaSegment
from transcoder.core.media.streams import Medium
from transcoder.errors import UpstreamError

_NUMBER = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The playlist of one medium lists less time than that of the other."""

    medium: Medium
    """The shorter one."""
    seconds: float
    """By how much."""
    conclusive: bool
    """A second witness says that entries are missing."""

    def error(self) -> UpstreamError:
        """Return the error that refuses the source."""
        other = Medium.AUDIO if self.medium is Medium.VIDEO else Medium.VIDEO
        return UpstreamError(
            f"The playlist of the {self.medium.value} is {self.seconds:.3f} s shorter than that of the {other.value}: entries are missing."
        )


def find_shortfall(video: MediaPlaylist, audio: MediaPlaylist) -> Shortfall | None:
    """Return by how much one playlist is too short in the first period where that is so; None if both agree.

    It is conclusive if the shorter one has no EXT-X-ENDLIST, or if its numbering, its byte ranges or its media sequence numbers skip as
    many segments as its length says. A period that only one of them has is no shortfall if both have an end: audio may
    end at a break.

    Raises:
        UnsupportedSourceError: as `split_pair` does.

    """
    for parts in split_pair(video, audio):
        sides = [_Side.of(medium, playlist, part) for medium, playlist, part in zip(Medium, (video, audio), parts, strict=True)]
        shorter, longer = sorted(sides, key=lambda side: side.seconds)
        if not longer.seconds or (not shorter.segments and shorter.ended):
            continue
        seconds = longer.seconds - shorter.seconds
        lost = _skips_segments(shorter, longer, seconds)
        if lost or seconds > (_tolerance(shorter, longer) if shorter.ended else _precision(shorter, longer)):
            return Shortfall(shorter.medium, seconds, conclusive=lost or not shorter.ended)
    return None


def is_longer(other: MediaPlaylist, than: MediaPlaylist) -> bool:
    """Return whether another list of the same medium has clearly more time: then `than` has lost entries."""
    return other.seconds - than.seconds > _tolerance(_Side.whole(other), _Side.whole(than))


@dataclass(frozen=True, slots=True)
class _Side:
    """One playlist's part of a period."""

    medium: Medium
    segments: Sequence[MediaSegment]
    target_seconds: int
    ended: bool
    seconds: float
    rounding: float
    """Seconds by which the sum of EXTINF may be wrong because each is rounded to whole seconds."""

    @classmethod
    def of(cls, medium: Medium, playlist: MediaPlaylist, part: SegmentRange) -> "_Side":
        segments = playlist.segments[part.first : part.end]
        seconds = math.fsum(segment.seconds for segment in segments)
        rounding = len(segments) / 2 if playlist.rounded else 0.0
        return cls(medium, segments, playlist.target_seconds, playlist.ended, seconds, rounding)

    @classmethod
    def whole(cls, playlist: MediaPlaylist) -> "_Side":
        return cls.of(Medium.VIDEO, playlist, SegmentRange(0, len(playlist.segments)))

    @property
    def longest(self) -> float:
        return max((segment.seconds for segment in self.segments), default=0.0)


def _tolerance(first: _Side, second: _Side) -> float:
    """Return by how many seconds two lists that both have an end may differ without a reason to doubt either.

    In published streams, video and audio differ by at most 0.06 s, and with two-second segments by 0.6 s. One of them may also lack the
    last segment of the other, which is at most as long as the target duration.
    """
    return max(first.target_seconds, second.target_seconds) + _precision(first, second)


def _precision(first: _Side, second: _Side) -> float:
    """Return by how many seconds two lists may differ that end at the same place: half a segment, and what rounding adds up to."""
    return max(first.longest, second.longest) / 2 + first.rounding + second.rounding


def _skips_segments(shorter: _Side, longer: _Side, seconds: float) -> bool:
    """Return whether the shorter list skips about as many segments as fit into the `seconds` that it lacks."""
    if not shorter.segments:
        return False
    average = shorter.seconds / len(shorter.segments)
    inside = max(_skipped_numbers(shorter.segments), _skipped_ranges(shorter.segments))
    candidates = {inside, inside + _skipped_at_start(shorter.segments, longer.segments)} - {0}
    return any(abs(seconds - count * average) <= max(average, shorter.longest) / 2 for count in candidates)


def _skipped_numbers(segments: Sequence[MediaSegment]) -> int:
    """Return how many numbers the names skip, if they count up by the same step everywhere else."""
    steps = [_step(before.url, after.url) for before, after in pairwise(segments)]
    known = [step for step in steps if step is not None]
    if not known or len(known) < len(steps) or min(known) < 1:
        return 0
    usual, times = Counter(known).most_common(1)[0]
    unit = usual if times > 1 else 1
    return 0 if any(step % unit for step in known) else sum(step // unit - 1 for step in known)


def _step(before: str, after: str) -> int | None:
    """Return by how much the only number that differs between two addresses grows; None if they differ in more than that."""
    if _NUMBER.sub("#", before) != _NUMBER.sub("#", after):
        return None
    changed = [(int(a), int(b)) for a, b in zip(_NUMBER.findall(before), _NUMBER.findall(after), strict=True) if int(a) != int(b)]
    return changed[0][1] - changed[0][0] if len(changed) == 1 else None


def _skipped_ranges(segments: Sequence[MediaSegment]) -> int:
    """Return how many segments would fit between the byte ranges of a file, by their average length; sections in front of it count too."""
    lengths = [segment.range.length for segment in segments if segment.range]
    if len(lengths) < len(segments) or not sum(lengths):
        return 0
    average = sum(lengths) / len(lengths)
    section = segments[0].map
    ends = {section.url: section.range.start + section.range.length} if section and section.range else {}
    skipped = 0
    for segment in segments:
        assert segment.range is not None  # noqa: S101 - counted above
        start = segment.range.start
        skipped += max(0, round((start - ends.get(segment.url, start)) / average))
        ends[segment.url] = start + segment.range.length
    return skipped


def _skipped_at_start(segments: Sequence[MediaSegment], other: Sequence[MediaSegment]) -> int:
    """Return how many segments later this list begins than the other, by media sequence number or by the last number in the names."""
    later = segments[0].sequence - other[0].sequence
    numbers = [[int(number) for number in _NUMBER.findall(side[0].url.rpartition("/")[2])][-1:] for side in (segments, other)]
    if not later and all(numbers) and all(_step(a.url, b.url) == 1 for a, b in pairwise(segments)):
        later = numbers[0][0] - numbers[1][0]
    return max(0, later)
