"""Compares the playlists of video and separate audio before any media is fetched: the shorter one may have lost entries.

A difference in length alone is only one witness: many sources have audio that ends a little earlier than their video, and EXTINF may be
rounded. So each rule here needs a second one, which the playlist itself or another list of the same medium has to give.
"""

import math
import re
from collections.abc import Sequence
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

from transcoder.core.hls.left_out import NUMBER, changed_number, left_out_before, step_between
from transcoder.core.hls.periods import SegmentRange, split_pair
from transcoder.core.hls.plan import ByteRange
from transcoder.core.hls.playlist import MediaPlaylist, MediaSegment
from transcoder.core.media.streams import Medium
from transcoder.errors import UpstreamError


class Evidence(Enum):
    """How sure it is that the shorter playlist has lost entries."""

    SLIGHT = "slight"
    """It is shorter by at most a segment, as audio and video can be: it has lost entries only if another list of its medium is longer."""
    STRONG = "strong"
    """It is shorter by more: it has lost entries unless another list of its medium is as short."""
    CONCLUSIVE = "conclusive"
    """A second witness in the playlist itself says so."""


class Shortfall(NamedTuple):
    """The playlist of one medium lists less time than that of the other."""

    medium: Medium
    """The shorter one."""
    seconds: float
    """By how much."""
    evidence: Evidence

    def error(self) -> UpstreamError:
        """Return the error that refuses the source."""
        other = Medium.AUDIO if self.medium is Medium.VIDEO else Medium.VIDEO
        return UpstreamError(
            f"The playlist of the {self.medium.value} is {self.seconds:.3f} s shorter than that of the {other.value}: entries are missing."
        )


def find_shortfall(video: MediaPlaylist, audio: MediaPlaylist) -> Shortfall | None:
    """Return by how much one playlist is too short in the first period where that is so; None if both agree, or are live.

    That is conclusive if the shorter one has no EXT-X-ENDLIST, or if its numbering, its byte ranges or its media sequence numbers skip as
    many segments as its length says. A period that only one of them has is no shortfall if both have an end: audio may
    end at a break.

    Raises:
        UnsupportedSourceError: as `split_pair` does.

    """
    if any(not playlist.ended and playlist.kind != "VOD" for playlist in (video, audio)):
        return None  # live playlists need not agree; planning refuses them
    for parts in split_pair(video, audio):
        sides = [_Side.of(medium, playlist, part) for medium, playlist, part in zip(Medium, (video, audio), parts, strict=True)]
        shorter, longer = sorted(sides, key=lambda side: side.seconds)
        if not shorter.seconds and (shorter.segments or shorter.ended):
            continue  # a list without durations, or audio that ends at a break
        seconds = longer.seconds - shorter.seconds
        lost = _skips_segments(shorter, longer, seconds)
        if lost or seconds > _precision(shorter, longer):
            return Shortfall(shorter.medium, seconds, _evidence(shorter, longer, skips=lost))
    return None


def is_longer(other: MediaPlaylist, than: MediaPlaylist, *, shortfall: Shortfall) -> bool:
    """Return whether another list of the same medium has most of the time that `than` lacks: then `than` has lost entries.

    Where durations are guessed, it must have more entries as well.
    """
    if other.guessed_seconds + than.guessed_seconds and len(other.segments) <= len(than.segments):
        return False
    return other.seconds - than.seconds > shortfall.seconds / 2


def skips_segments(playlist: MediaPlaylist) -> bool:
    """Return whether the names or the byte ranges of a playlist leave out segments, although they are regular everywhere else."""
    return any(left_out_before(playlist.segments))


def byte_after_last_segment(playlist: MediaPlaylist) -> tuple[str, ByteRange] | None:
    """Return a byte that exists only if the file of the last byte range has another segment; None if the segments are not byte ranges.

    It is half a segment after the end, since a file may end with an index that no segment contains.
    """
    if not playlist.segments or (last := playlist.segments[-1]).range is None:
        return None
    lengths = [segment.range.length for segment in playlist.segments if segment.range and segment.url == last.url]
    return last.url, ByteRange(last.range.start + last.range.length + sum(lengths) // len(lengths) // 2, 1)


def address_after_last_segment(playlist: MediaPlaylist) -> str | None:
    """Return the address that the next segment would have, if the last three count up by the same step; None if they do not.

    Of a list with fewer segments, the last number in the file's name is taken to count up by one.
    """
    urls = [segment.url for segment in playlist.segments[-3:]]
    if not urls:
        return None
    steps = {step_between(before, after) for before, after in pairwise(urls)} or {1}
    step = steps.pop() if len(steps) == 1 else None
    changed = changed_number(*urls[-2:]) if len(urls) > 1 else None
    number = changed[1] if changed else _last_number(urls[-1])
    if number is None or step is None or step < 1:
        return None
    return f"{urls[-1][: number.start()]}{int(number[0]) + step:0{len(number[0])}}{urls[-1][number.end() :]}"


def _last_number(url: str) -> re.Match[str] | None:
    """Return the last number in the name of a file, before its extension."""
    path = url.partition("?")[0]
    name = path.rindex("/") + 1
    extension = path.find(".", name)
    found = list(NUMBER.finditer(path, name, len(path) if extension < 0 else extension))
    return found[-1] if found else None


class _Side(NamedTuple):
    """One playlist's part of a period."""

    medium: Medium
    segments: Sequence[MediaSegment]
    target_seconds: int
    ended: bool
    seconds: float
    at_start: bool
    """The period is the playlist's first."""
    rounding: float
    """Seconds by which the sum of EXTINF may be wrong because each is rounded to whole seconds."""
    guessed: float
    """By how many seconds the sum may be wrong because some durations are guessed."""

    @classmethod
    def of(cls, medium: Medium, playlist: MediaPlaylist, part: SegmentRange) -> "_Side":
        segments = playlist.segments[part.first : part.end]
        seconds = math.fsum(segment.seconds for segment in segments)
        rounding = len(segments) * playlist.rounding
        guessed = math.fsum(playlist.rounding_of(segment) for segment in segments if segment.guessed)
        return cls(medium, segments, playlist.target_seconds, playlist.ended, seconds, not part.first, rounding, guessed)

    @property
    def longest(self) -> float:
        return max((segment.seconds for segment in self.segments), default=0.0)


def _evidence(shorter: _Side, longer: _Side, *, skips: bool) -> Evidence:
    """Weigh a difference in length; one medium may lack the last segment of the other, which is at most as long as the target duration."""
    if skips or not shorter.ended:
        return Evidence.CONCLUSIVE
    tolerance = max(shorter.target_seconds, longer.target_seconds) + _precision(shorter, longer) + shorter.guessed + longer.guessed
    return Evidence.STRONG if longer.seconds - shorter.seconds > tolerance else Evidence.SLIGHT


def _precision(first: _Side, second: _Side) -> float:
    """Return by how many seconds two lists may differ that end at the same place: half a segment, and what rounding adds up to.

    In published streams, video and audio differ by at most 0.06 s, and with two-second segments by 0.6 s.
    """
    return max(first.longest, second.longest) / 2 + first.rounding + second.rounding


def _skips_segments(shorter: _Side, longer: _Side, seconds: float) -> bool:
    """Return whether the shorter list skips about as many segments as fit into the `seconds` that it lacks."""
    if not shorter.segments:
        return False
    average = shorter.seconds / len(shorter.segments)
    inside = sum(left_out_before(shorter.segments))
    candidates = {inside, inside + _skipped_at_start(shorter, longer)} - {0}
    return any(abs(seconds - count * average) <= max(average, shorter.longest) / 2 for count in candidates)


def _skipped_at_start(shorter: _Side, longer: _Side) -> int:
    """Return how many segments later one playlist begins than the other, by one of its three ways to number them.

    A later period begins at any number, so only the beginning of both playlists is compared.
    """
    if not (shorter.at_start and longer.at_start):
        return 0
    first, other = shorter.segments[0], longer.segments[0]
    if first.sequence != other.sequence:
        return max(0, first.sequence - other.sequence)
    if first.range and first.range.length:
        header = first.map.range if first.map and first.map.url == first.url else None
        return round((first.range.start - (header.start + header.length if header else 0)) / first.range.length)
    number, other_number = _first_number(shorter.segments), _first_number(longer.segments)
    return 0 if number is None or other_number is None else max(0, number - other_number)


def _first_number(segments: Sequence[MediaSegment]) -> int | None:
    """Return the number in the first name that the second name continues; None if it does not."""
    changed = changed_number(segments[0].url, segments[1].url) if len(segments) > 1 else None
    return int(changed[0][0]) if changed else None
