"""The numbers of fragments: which ones are missing (ISO/IEC 14496-12, 8.8.5)."""

from collections import Counter

MAX_STEPS = 1000
"""So many different steps are counted. Packagers add the same number each time, or one of a few."""


class SequenceNumbers:
    """Follows the `sequence_number` of the fragments of one track, which rises from one to the next by what the packager adds."""

    def __init__(self) -> None:
        """Begin before the first fragment."""
        self._last: int | None = None
        self._steps: Counter[int] = Counter()
        self._places: dict[int, int] = {}
        """Which of the steps came first."""
        self._usual = 1
        """The most frequent step so far; of several, the one that came first."""
        self._is_first = True
        self.has_jumped = False
        """A number was left out inside this segment, where time is left out, too."""
        self.goes_on: bool | None = None
        """Whether the first number of this segment continues those of the segment before; None before there were any."""

    def begin_segment(self) -> None:
        """Begin a segment."""
        self._is_first, self.has_jumped, self.goes_on = True, False, None

    def add(self, number: int, *, after_gap: bool) -> None:
        """Take the number of the next fragment; `after_gap` says that its time does not continue that of the fragment before it."""
        if self._last is not None:
            step = number - self._last
            if self._is_first:
                self.goes_on = step == self._usual
            elif after_gap and step != self._usual:
                self.has_jumped = True
            self._count(step)
        self._last, self._is_first = number, False

    def _count(self, step: int) -> None:
        """Count a step; those that are not counted any more are too many to have a most frequent one."""
        if step == self._usual and step in self._steps:
            self._steps[step] += 1
            return
        if step in self._steps or len(self._steps) < MAX_STEPS:
            self._places.setdefault(step, len(self._places))
            self._steps[step] += 1
            self._usual = max(self._usual, step, key=lambda each: (self._steps[each], -self._places.get(each, 0)))
