"""The samples of one track in decoding order, as they are collected from fragments, and where each run of them lies."""

from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, compress, islice, pairwise
from operator import add
from typing import NamedTuple, Self

from transcoder.core.media.mp4.fragment import SampleRun
from transcoder.core.media.mp4.sample_columns import total

MAX_DURATION = 0xFFFFFFFF
"""The longest that one sample can last, in ticks (ISO/IEC 14496-12, 8.6.1.2)."""


class Place(NamedTuple):
    """Where bytes lie in a resource."""

    resource: int
    """Which one, by whatever number the caller gives it."""
    offset: int


class Chunk(NamedTuple):
    """Samples that follow one another in a resource without a gap (8.7.4)."""

    samples: int
    description: int
    """Which of the track's sample entries they have, counted from 1."""
    place: Place
    bytes: int


class SampleOverlapError(Exception):
    """Samples would have to be decoded before, or at the same time as, those in front of them."""


class TrackSamples:
    """Columns of equal length, in ticks and bytes, and the chunks that the samples lie in."""

    def __init__(self) -> None:
        """Begin without a sample."""
        self.durations: array[int] = array("I")
        self.sizes: array[int] = array("I")
        self.flags: array[int] = array("I")
        self.offsets: array[int] = array("i")
        """Composition offsets: presentation time less decode time."""
        self.chunks: list[Chunk] = []
        self.start = 0
        """Decode time of the first sample, as the source has it."""
        self.end = 0
        """Where decoding goes on after the last one."""

    def add(self, run: SampleRun, place: Place, *, decode_time: int, description: int = 1) -> None:
        """Append a run of samples that lies at `place`; what its decode time leaves out or repeats goes into the sample before.

        Raises:
            SampleOverlapError: no time is left to the sample before, or to several in a row, or a number does not fit into its table.
        """
        if not run.sizes:
            return
        if 0 in run.durations and _overlap(run.durations):
            raise SampleOverlapError
        if self.sizes:
            self._meet(decode_time)
        else:
            self.start = decode_time
        try:
            self.durations.extend(run.durations)
            self.sizes.extend(run.sizes)
            self.flags.extend(run.flags)
            self.offsets.extend(run.composition_offsets)
        except OverflowError as error:
            raise SampleOverlapError from error
        self.chunks.append(Chunk(len(run.sizes), description, place, total(run.sizes)))
        self.end = decode_time + total(run.durations)

    def _meet(self, decode_time: int) -> None:
        duration = self.durations[-1] + decode_time - self.end
        if not 0 < duration <= MAX_DURATION:
            raise SampleOverlapError
        self.durations[-1] = duration

    @property
    def decode_times(self) -> Iterator[int]:
        """The decode time of each sample, and the end of the last one."""
        return accumulate(self.durations, initial=self.start)

    @property
    def presentation_times(self) -> Iterator[int]:
        """The presentation time of each sample."""
        return map(add, self.decode_times, self.offsets)

    @property
    def first_presented(self) -> int:
        """When the first sample is presented, whichever that is."""
        return min(self.presentation_times)

    @property
    def presented_until(self) -> int:
        """When the presentation of the last sample ends."""
        latest: int = max(map(add, self.presentation_times, self.durations))
        return latest

    def kept(self, kept: Sequence[bool]) -> Self:
        """Return the samples that are `kept`; the decode and presentation times of each stay as they are."""
        times, lasts = list(self.decode_times), [index for index, keep in enumerate(kept) if keep]
        found = type(self)()
        if not lasts:
            return found
        starts = [times[index] for index in lasts]
        ends = [*starts, times[lasts[-1] + 1]]
        found.durations = array("I", (after - before for before, after in pairwise(ends)))
        found.sizes, found.flags, found.offsets = (
            array(column.typecode, compress(column, kept)) for column in (self.sizes, self.flags, self.offsets)
        )
        found.start, found.end = starts[0], ends[-1]
        found.chunks = list(self._kept_chunks(kept))
        return found

    def _kept_chunks(self, kept: Sequence[bool]) -> Iterator[Chunk]:
        """Cut the chunks where samples are left out."""
        at = 0
        for chunk in self.chunks:
            resource, offset = chunk.place
            count, begin, length = 0, offset, 0
            for keep, size in zip(kept[at : at + chunk.samples], self.sizes[at : at + chunk.samples], strict=True):
                if keep:
                    count, length = count + 1, length + size
                elif count:
                    yield Chunk(count, chunk.description, Place(resource, begin), length)
                if not keep:
                    count, begin, length = 0, offset + size, 0
                offset += size
            if count:
                yield Chunk(count, chunk.description, Place(resource, begin), length)
            at += chunk.samples


def _overlap(durations: Sequence[int]) -> bool:
    """Return whether two samples in a row have no time; that of the last one may be in the decode time of the next run."""
    return any(not first and not second for first, second in pairwise(islice(durations, len(durations) - 1)))
