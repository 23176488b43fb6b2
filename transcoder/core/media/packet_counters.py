"""What the continuity counters of a segment say about packets that may be missing; nothing for containers that have none."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from transcoder.core.media.streams import Medium


@dataclass(frozen=True, slots=True)
class PacketCounters:
    """What the counters of one segment say about each medium."""

    jumped: Collection[Medium] = ()
    """The counter jumps between two PES packets: packets may be missing inside the segment, but not inside a PES packet."""
    continued: Mapping[Medium, bool] = field(default_factory=dict)
    """Whether the first packet continues the counter of the segment before; no entry without one."""
    full: Collection[Medium] = ()
    """The last packet is full. The last one of a PES packet is stuffed, and full only by chance, in one of 184."""
