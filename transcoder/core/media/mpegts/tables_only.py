"""Transport stream segments that consist of program tables and stuffing."""

from transcoder.core.media.mpegts.packets import payloads
from transcoder.core.media.mpegts.program_tables import PAT_PID, SectionAssembler, listed_programs
from transcoder.core.media.mpegts.trailer import is_trailer, split_trailer

_LAST_TABLE_PID = 0x1F
"""PIDs up to this one are reserved for tables (ISO/IEC 13818-1, 2.4.3.3; ETSI EN 300 468, 5.1.3)."""
_NULL_PID = 0x1FFF


def has_tables_only(segment: bytes, *, tables: bytes = b"") -> bool:
    """Tell whether a segment is whole transport packets of which none has a payload but for tables and stuffing.

    `tables` are the packets of the initialization section.
    """
    packets, trailer = split_trailer(segment)
    if not packets or (trailer and not is_trailer(trailer)):
        return False
    associations, maps = SectionAssembler(), set[int]()
    for pid, starts, payload in payloads(tables + packets):
        if pid == PAT_PID:
            maps.update(pid for section in associations.feed(payload, starts=starts) for _, pid in listed_programs(section))
        elif payload and pid > _LAST_TABLE_PID and pid != _NULL_PID and pid not in maps:
            return False
    return True
