"""What the packets of a track do from one segment to the next: a packager continues their counters, or restarts them in each segment."""

from collections import Counter
from collections.abc import Collection, Mapping
from enum import Enum

from transcoder.core.media.streams import Medium

_MIN_CONTINUED = 2
"""A track continues its counters from segment to segment if it does so at least so often. By chance, one of 16 does."""
_MIN_BORDERS = 3
"""At so many borders it is no chance any more that the counters jump just where something is missing."""


class _Border(Enum):
    """What the packets of a medium do between two segments."""

    CONTINUED = "their counter goes on"
    JUMPED = "it does not"
    LOST = "it does not, and something is missing there"


class PacketBorders:
    """Counts what the packets of each medium do between two segments."""

    def __init__(self) -> None:
        """Begin before the second segment."""
        self._count: Counter[tuple[Medium, _Border]] = Counter()
        self._doubts: list[tuple[Medium, bool]] = []
        self._dropped: set[Medium] = set()

    def add(self, continued: Mapping[Medium, bool], *, incomplete: Collection[Medium]) -> None:
        """Take the border before a segment.

        Args:
            continued: whether the counter of each medium goes on.
            incomplete: media that lack something there: there is a hole, or the segment before ends with a full packet, inside a frame.

        """
        for medium, is_continued in continued.items():
            jump = _Border.LOST if medium in incomplete else _Border.JUMPED
            self._count[medium, _Border.CONTINUED if is_continued else jump] += 1

    def doubt(self, medium: Medium, continued: bool) -> None:  # noqa: FBT001 - as in `add`
        """Note that a few frames may be missing at a border, which the source may as well have dropped."""
        self._doubts.append((medium, continued))

    def note_dropped(self, medium: Medium) -> None:
        """Note that a segment lacks frames elsewhere: the source drops some."""
        self._dropped.add(medium)

    def lost_packets(self) -> Medium | None:
        """Return the medium that lost packets between two segments; None if none did.

        Two witnesses say so: something is missing there, and the counter does not go on, although it does wherever nothing is missing.
        Where only a few frames are missing, it is enough that nothing says the source has dropped them.
        """
        return next((medium for medium in Medium if self._has_lost(medium)), None)

    def _has_lost(self, medium: Medium) -> bool:
        continued, jumped, lost = (self._count[medium, kind] for kind in _Border)
        if lost and not jumped and continued + lost >= _MIN_BORDERS:
            return True
        doubts = [goes_on for each, goes_on in self._doubts if each is medium]
        goes_on_everywhere = not jumped and not lost and continued - sum(doubts) >= _MIN_CONTINUED
        return medium not in self._dropped and any(not (goes_on and goes_on_everywhere) for goes_on in doubts)
