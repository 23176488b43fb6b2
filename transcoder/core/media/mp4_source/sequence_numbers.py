"""The numbers of fragments: which ones are missing (ISO/IEC 14496-12, 8.8.5)."""

from collections import Counter


class SequenceNumbers:
    """Follows the `sequence_number` of the fragments of one track, which rises from one to the next by what the packager adds."""

    def __init__(self) -> None:
        """Begin before the first fragment."""
        self._last: int | None = None
        self._steps: Counter[int] = Counter()
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
            usual = self._steps.most_common(1)[0][0] if self._steps else 1
            if self._is_first:
                self.goes_on = step == usual
            elif after_gap and step != usual:
                self.has_jumped = True
            self._steps[step] += 1
        self._last, self._is_first = number, False
