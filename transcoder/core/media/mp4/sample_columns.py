"""Columns of numbers in tables of samples: one for each sample, or the same one for all."""

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, repeat
from operator import add
from typing import final, overload

from transcoder.core.media.mp4.boxes import Box

_NUMBER_BYTES = 4


@final
@dataclass(slots=True)
class Repeated(Sequence[int]):
    """A column that takes no byte in the file: the default for each of so many samples. It takes none in memory either.

    Whether a column is one is asked by `type(…) is`: `isinstance` looks through the abstract classes, and this is asked for every run.
    """

    value: int
    length: int

    def __len__(self) -> int:
        """Return the number of samples."""
        return self.length

    def __contains__(self, value: object) -> bool:
        """Return whether the samples have that number."""
        return bool(self.length) and value == self.value

    def __iter__(self) -> Iterator[int]:
        """Iterate over the numbers."""
        return repeat(self.value, self.length)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> "Repeated": ...
    def __getitem__(self, index: int | slice) -> "int | Repeated":
        """Return one number, or a part of the column."""
        chosen = range(self.length)[index]
        return self.value if isinstance(chosen, int) else Repeated(self.value, len(chosen))


def read_column(box: Box, layout: str, count: int, at: int) -> "array[int]":
    """Read `count` big-endian numbers of four bytes from offset `at` of a box's content; in memory, too, each takes four bytes.

    `layout` is `I` for unsigned numbers, `i` for signed ones.

    Raises:
        Mp4Error: the box ends before the last one.
    """
    found = array(layout)
    if count:
        box.uint(at + _NUMBER_BYTES * (count - 1), _NUMBER_BYTES)
        found.frombytes(box.data[box.body + at : box.body + at + _NUMBER_BYTES * count])
        if sys.byteorder == "little":
            found.byteswap()
    return found


def total(column: Sequence[int]) -> int:
    """Return the sum of a column."""
    return column.value * column.length if type(column) is Repeated else sum(column)


def lowest(column: Sequence[int]) -> int:
    """Return the lowest number of a column; 0 if it is empty."""
    if type(column) is Repeated:
        return column.value if column.length else 0
    return min(column, default=0)


def latest_presentation(decode_time: int, durations: Sequence[int], offsets: Sequence[int]) -> int:
    """Return when the sample is presented that is presented last, given the decode time of the first one; there must be one.

    The work is bounded by the bytes that the columns take in the file.
    """
    if type(offsets) is Repeated:
        return decode_time + total(durations) - durations[-1] + offsets.value  # the last one: durations are not negative
    latest: int = max(map(add, _decode_times(decode_time, durations), offsets))
    return latest


def presented(decode_time: int, durations: Sequence[int], offsets: Sequence[int]) -> tuple[int, int]:
    """Return when the first of some samples is presented, and when the last presentation ends; there must be one.

    `decode_time` is that of the first one; durations are not negative.
    """
    if type(offsets) is Repeated:
        return decode_time + offsets.value, decode_time + total(durations) + offsets.value
    starts = [*map(add, _decode_times(decode_time, durations), offsets)]
    return min(starts), max(map(add, starts, durations))


def _decode_times(first: int, durations: Sequence[int]) -> Iterable[int]:
    if type(durations) is not Repeated:
        return accumulate(durations, initial=first)
    if not durations.value:
        return repeat(first, len(durations))
    return range(first, first + total(durations), durations.value)
