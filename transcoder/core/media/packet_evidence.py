"""What the packets of a transport stream segment, or the fragments of an MP4 segment, show about parts that may be missing."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple

from transcoder.core.media.streams import Medium

MAX_UNITS = 100_000
"""So many fragments or PES packets of a segment are compared with those of the next one. More would take more memory than their bytes."""


class PacketEvidence(NamedTuple):
    """What the packets or fragments of one segment show about each medium."""

    jumped: Collection[Medium] = ()
    """The counter jumps between two PES packets: packets may be missing inside the segment, but not inside a PES packet."""
    continued: Mapping[Medium, bool] = MappingProxyType({})
    """Whether the first packet continues the counter of the segment before; no entry without one."""
    full: Collection[Medium] = ()
    """The last packet is full. The last one of a PES packet is stuffed, and full only by chance, in one of 184."""
    unfinished: Collection[Medium] = ()
    """The last PES packet is shorter than it says; the next segment may continue it."""
    headless: Collection[Medium] = ()
    """The first picture of the track comes without parameter sets: it is not where the source begins."""
    leaps: Mapping[Medium, float] = MappingProxyType({})
    """The longest time in seconds that the timestamps leave out between two samples."""
    smallest_fragment: Mapping[Medium, int] = MappingProxyType({})
    """How many samples the smallest fragment has: a cut at a fragment's border takes away at least so many."""
    has_trailer: bool = False
    """Bytes follow its last packet that are none of its media, so that it was not cut off there."""
