"""Segments that a playlist leaves out, by the numbers in the names and the byte ranges of those that it lists."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from transcoder.core.hls.playlist import MediaSegment

NUMBER = re.compile(r"[0-9]{1,15}")
"""A number in an address."""
_PARTS = re.compile(f"({NUMBER.pattern})")


def left_out_before(segments: Sequence[MediaSegment]) -> list[int]:
    """Return for each segment how many seem to be left out before it; 0 for all where names and byte ranges are not regular."""
    numbers, ranges = _by_numbers(segments), _by_ranges(segments)
    return [0, *(numbers if sum(numbers) >= sum(ranges) else ranges)][: len(segments)]


def _by_numbers(segments: Sequence[MediaSegment]) -> list[int]:
    """Return how many numbers the names skip, if they count up by the same step everywhere else."""
    steps, parted = list[int](), (_PARTS.split(segment.url) for segment in segments)
    for before, after in pairwise(parted):
        # What `step_between` does, with each address taken apart once: a playlist may have fifty thousand.
        changed = [(int(a), int(b)) for a, b in zip(before[1::2], after[1::2], strict=False) if a != b and int(a) != int(b)]
        step = changed[0][1] - changed[0][0] if len(changed) == 1 and before[::2] == after[::2] else 0
        if step < 1:
            return [0] * (len(segments) - 1)
        steps.append(step)
    if not steps:
        return []
    usual, times = Counter(steps).most_common(1)[0]
    unit = usual if times > 1 else 1
    return [0] * len(steps) if any(step % unit for step in steps) else [step // unit - 1 for step in steps]


def _by_ranges(segments: Sequence[MediaSegment]) -> list[int]:
    """Return how many segments of average length would fit between the byte ranges of a file."""
    return [_between_ranges(before, after) for before, after in pairwise(segments)]


def _between_ranges(before: MediaSegment, after: MediaSegment) -> int:
    if not (before.range and after.range and before.url == after.url):
        return 0
    average = (before.range.length + after.range.length) / 2
    if not average:
        return 0  # both are gaps
    return max(0, round((after.range.start - before.range.start - before.range.length) / average))


def changed_number(before: str, after: str) -> tuple[re.Match[str], re.Match[str]] | None:
    """Return the only number that differs between two addresses, in both; None if they differ in more or less than that."""
    if before == after or NUMBER.sub("#", before) != NUMBER.sub("#", after):
        return None
    changed = [(a, b) for a, b in zip(NUMBER.finditer(before), NUMBER.finditer(after), strict=True) if int(a[0]) != int(b[0])]
    return changed[0] if len(changed) == 1 else None


def step_between(before: str, after: str) -> int | None:
    """Return by how much the only number that differs between two addresses grows; None if they differ in more than that."""
    changed = changed_number(before, after)
    return int(changed[1][0]) - int(changed[0][0]) if changed else None
