"""Segments that a playlist leaves out, by the numbers in the names and the byte ranges of those that it lists."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from transcoder.core.hls.playlist import MediaSegment

NUMBER = re.compile(r"[0-9]{1,15}")
"""A number in an address."""


def left_out_before(segments: Sequence[MediaSegment]) -> list[int]:
    """Return for each segment how many seem to be left out before it; 0 for all where names and byte ranges are not regular."""
    numbers, ranges = _by_numbers(segments), _by_ranges(segments)
    return [0, *(numbers if sum(numbers) >= sum(ranges) else ranges)][: len(segments)]


def _by_numbers(segments: Sequence[MediaSegment]) -> list[int]:
    """Return how many numbers the names skip, if they count up by the same step everywhere else."""
    steps = _steps([segment.url for segment in segments])
    if any(step < 1 for step in steps):
        return [0] * (len(segments) - 1)
    if not steps:
        return []
    usual, times = Counter(steps).most_common(1)[0]
    unit = usual if times > 1 else 1
    return [0] * len(steps) if any(step % unit for step in steps) else [step // unit - 1 for step in steps]


def _steps(urls: Sequence[str]) -> list[int]:
    """Return what `step_between` does for each two successive addresses, with 0 for None, at most up to the first that is below 1."""
    changed = changed_number(*urls[:2]) if len(urls) > 1 else None
    if changed is not None:
        # In nearly every list it is the same number everywhere: a playlist may have fifty thousand, and this takes a tenth of the time.
        one_number = re.compile(f"{re.escape(urls[0][: changed[0].start()])}({NUMBER.pattern}){re.escape(urls[0][changed[0].end() :])}")
        numbers = [int(match[1]) for url in urls if (match := one_number.fullmatch(url))]
        if len(numbers) == len(urls):
            return [after - before for before, after in pairwise(numbers)]
    steps = []
    for before, after in pairwise(urls):
        steps.append(step_between(before, after) or 0)
        if steps[-1] < 1:
            break
    return steps


def _by_ranges(segments: Sequence[MediaSegment]) -> list[int]:
    """Return how many segments of average length would fit between the byte ranges of a file."""
    if not any(segment.range for segment in segments):
        return [0] * (len(segments) - 1)
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
