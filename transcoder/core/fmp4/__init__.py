"""Fragmented MP4 in any pieces → the same film with its true duration, periods joined, an index at its end."""

from transcoder.core.fmp4.header import Lengths
from transcoder.core.fmp4.joiner import Joiner, PeriodCount

__all__ = ["Joiner", "Lengths", "PeriodCount"]
