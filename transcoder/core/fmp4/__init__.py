"""Fragmented MP4 in any pieces → the same film with its true duration, periods joined, an index at its end."""

from transcoder.core.fmp4.count import PeriodCount
from transcoder.core.fmp4.cutting import Cut
from transcoder.core.fmp4.header import Lengths
from transcoder.core.fmp4.joiner import Joiner

__all__ = ["Cut", "Joiner", "Lengths", "PeriodCount"]
