"""How much earlier than written the samples of a track have to be decoded, so that none is presented before that."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice, pairwise, repeat
from operator import add, sub

from transcoder.core.media.mp4.boxes import Mp4Error
from transcoder.core.media.mp4.fragment import SampleRun, TrackFragment
from transcoder.core.media.mp4.retimed_fragment import SampleTimes
from transcoder.core.media.mp4.sample_columns import lowest, total
from transcoder.errors import UnsupportedSourceError

MAX_DELAY_FRAMES = 16
"""So many frames at most are decoded before one that is presented before them (H.264, A.3.1; HEVC, A.4.1)."""
_CATCH_UP = 8
"""Where the delay grows, the next samples follow each other at this part of their duration, or faster if that is too slow."""
_LONGEST_OFFSET = 0x7FFFFFFF


class DecodingDelay:
    """Takes the fragments of one track in order, and moves their decode times; presentation times stay as they are.

    The delay is the most negative composition offset so far. Where it grows on the way, as from a part without B-frames to one with some,
    decode times do not go back: those of the next samples are squeezed until they have caught up.
    """

    def __init__(self) -> None:
        """Begin without a delay."""
        self._ticks = 0
        self._last: int | None = None
        """Decode time of the last sample as it is passed on."""
        self._end: int | None = None
        """Where decoding goes on after that sample, as written."""
        self._is_behind = False
        """The last sample had not caught up."""

    def applies_to(self, fragment: TrackFragment, later: Sequence[TrackFragment]) -> bool:
        """Return whether the samples of the next fragment get other times; `later` are those behind it, as far as they are known."""
        return self._ticks > 0 or _lowest([fragment, *later]) < 0

    def times_of(self, fragment: TrackFragment, later: Sequence[TrackFragment]) -> SampleTimes | None:
        """Return the times that the samples of the next fragment get; None if they stay as they are.

        Raises:
            Mp4Error: offsets are too far apart for their field.
            UnsupportedSourceError: a sample is presented before an earlier one has been decoded by the times that were passed on.
        """
        runs = _runs(fragment)
        start = self._end if fragment.decode_time is None else fragment.decode_time
        if not runs or start is None:
            return None
        self._end = start + sum(total(run.durations) for run in runs)
        needed = -_lowest([fragment, *later])
        grows, self._ticks = needed > self._ticks, max(needed, self._ticks)
        if self._last is not None and (grows or self._is_behind):
            try:
                return self._squeezed(start, runs, later, last=self._last)
            except OverflowError as error:
                raise Mp4Error(fragment.box.position, "the times of a fragment are too large") from error
        self._last = self._end - runs[-1].durations[-1] - self._ticks
        if not self._ticks:
            return None
        return SampleTimes(start - self._ticks, _checked(map(add, _offsets(runs), repeat(self._ticks)), fragment))

    def _squeezed(self, start: int, runs: Sequence[SampleRun], later: Sequence[TrackFragment], *, last: int) -> SampleTimes:
        """Return times that begin right after `last`, and catch up with the delay before a sample is presented."""
        decoded = array("q", _decode_times(start, runs))
        presented = array("q", map(add, decoded, _offsets(runs)))
        times = chain(presented, islice(_presented(later), MAX_DELAY_FRAMES))
        room = min((time - last) // number for number, time in enumerate(times, 1))
        if room < 1:
            raise UnsupportedSourceError(
                "The source begins to reorder its frames between two segments, so that some would be presented before they are decoded."
            )
        step = min(room, max(1, (decoded[-1] - start) // (_CATCH_UP * len(presented))))
        passed = array("q")
        for time in decoded:
            last = max(time - self._ticks, last + step)
            passed.append(last)
        self._last, self._is_behind = passed[-2], passed[-2] > decoded[-2] - self._ticks
        return SampleTimes(passed[0], array("q", map(sub, presented, passed)), [after - before for before, after in pairwise(passed)])


def _runs(fragment: TrackFragment) -> list[SampleRun]:
    return [run for run in fragment.runs if run.sizes]


def _lowest(fragments: Iterable[TrackFragment]) -> int:
    """Return the most negative composition offset; 0 if none is negative."""
    found = 0
    for fragment in fragments:
        for run in fragment.runs:
            found = min(found, lowest(run.composition_offsets))
    return found


def _offsets(runs: Sequence[SampleRun]) -> Iterator[int]:
    return chain.from_iterable(run.composition_offsets for run in runs)


def _decode_times(start: int, runs: Sequence[SampleRun]) -> Iterator[int]:
    """Iterate over the decode time of each sample, and the end of the last one."""
    return accumulate(chain.from_iterable(run.durations for run in runs), initial=start)


def _presented(fragments: Sequence[TrackFragment]) -> Iterator[int]:
    """Iterate over the presentation times of fragments that have a `tfdt`."""
    for fragment in fragments:
        if fragment.decode_time is not None:
            yield from map(add, _decode_times(fragment.decode_time, _runs(fragment)), _offsets(_runs(fragment)))


def _checked(offsets: Iterable[int], fragment: TrackFragment) -> "array[int]":
    found = array("q", offsets)
    if max(found) > _LONGEST_OFFSET:
        raise Mp4Error(fragment.box.position, "the composition offsets of a fragment are too far apart")
    return found
