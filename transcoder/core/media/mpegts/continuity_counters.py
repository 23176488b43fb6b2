"""Continuity counters: packets that are missing within one segment (ISO/IEC 13818-1, 2.4.3.3)."""

from collections.abc import Collection, Iterable

from transcoder.core.media.mpegts.packet_columns import MAX_PACKETS, PacketColumns, columns_of, places
from transcoder.core.media.mpegts.packets import ADAPTATION, PAYLOAD, UNIT_START, is_full

_CYCLE = bytes(range(16)) * (MAX_PACKETS // 16 + 1)
"""The counters of consecutive packets, for as many as are taken at once."""
_DISCONTINUITY_INDICATOR = 0x80


class ContinuityCounters:
    """Follows the continuity counter of some PIDs through one segment.

    The counter of a PID rises by one with each packet that has a payload. A packet may be sent twice, and `discontinuity_indicator`
    announces a jump. Packagers restart the counters from one segment to the next as they like, so a jump there is noted apart.
    """

    def __init__(self, pids: Iterable[int]) -> None:
        """Follow `pids`."""
        self._last: dict[int, int | None] = dict.fromkeys(pids)
        self.lost_inside: set[int] = set()
        """PIDs that lost packets in the middle of a PES packet in this segment."""
        self.jumped: set[int] = set()
        """PIDs whose counter jumped where a PES packet begins: packets may be missing before it, or two streams were concatenated."""
        self.continued: dict[int, bool] = {}
        """By PID: whether its first packet in this segment continues the counter of its last one in the segment before."""
        self._last_packet: dict[int, bytes] = {}
        """By PID: its last packet with a payload."""
        self._last_packet_before: dict[int, bytes] = {}
        """The same at the end of the segment before."""

    def begin_segment(self) -> None:
        """Begin a segment: its first packets may have any counter."""
        self._last = dict.fromkeys(self._last)
        self.lost_inside, self.jumped, self.continued = set(), set(), {}
        self._last_packet_before = dict(self._last_packet)

    def move(self, old: int, new: int) -> None:
        """Follow another PID in place of one: its first packet may have any counter."""
        self._last = {new if pid == old else pid: None if pid == old else last for pid, last in self._last.items()}
        self._last_packet.pop(old, None)
        self.continued = {new if pid == old else pid: continues for pid, continues in self.continued.items()}
        self.jumped = {new if pid == old else pid for pid in self.jumped}

    @property
    def full(self) -> Collection[int]:
        """PIDs whose last packet is full: at the end of a PES packet that happens by chance only, since the last one is stuffed."""
        return [pid for pid, packet in self._last_packet.items() if is_full(packet)]

    def feed(self, data: bytes, packets: int) -> None:
        """Take the next `packets` whole packets, which begin at the first byte of `data`."""
        for part in columns_of(data, packets):
            self.take(part)

    def take(self, packets: PacketColumns) -> None:
        """Take at most `MAX_PACKETS` packets, and compare their counters with consecutive ones."""
        for pid, last in self._last.items():
            counters = packets.counters(pid)
            if not counters:
                continue
            first = counters[0] if last is None else (last + 1) & 0x0F
            if counters != _CYCLE[first : first + len(counters)] or not packets.all_have_payload(pid):
                self._take_slowly(packets, pid, places(packets.of(pid)))
            self._last[pid] = counters[-1]
            if (last_at := self._note_border(pid, packets)) >= 0:
                self._last_packet[pid] = packets.packet(last_at)

    def _note_border(self, pid: int, packets: PacketColumns) -> int:
        """Note what the first packet of a PID with a payload says about the border of the segment; return the place of the last one."""
        selected = packets.of(pid)
        first, last = selected.find(1), selected.rfind(1)
        while first >= 0 and not packets.control(first) & PAYLOAD:
            first = selected.find(1, first + 1)
        while last >= 0 and not packets.control(last) & PAYLOAD:
            last = selected.rfind(1, 0, last)
        if first < 0:
            return -1
        before = self._last_packet_before.get(pid)
        if before is not None:
            self.continued.setdefault(pid, packets.control(first) & 0x0F == (before[3] + 1) & 0x0F)
        return last

    def _take_slowly(self, packets: PacketColumns, pid: int, places: Iterable[int]) -> None:
        """Follow the counter packet by packet, where packets are repeated, have no payload, or are missing."""
        last, was_repeated = self._last[pid], False
        for place in places:
            packet = packets.packet(place)
            counter = packet[3] & 0x0F
            if _announces_jump(packet) or not packet[3] & PAYLOAD:
                last, was_repeated = counter, False
                continue
            is_repeated = counter == last and not was_repeated
            if last is not None and not is_repeated and counter != (last + 1) & 0x0F:
                starts_unit = bool((packet[1] << 8 | packet[2]) & UNIT_START)
                (self.jumped if starts_unit else self.lost_inside).add(pid)
            last, was_repeated = counter, is_repeated


def _announces_jump(packet: bytes) -> bool:
    return bool(packet[3] & ADAPTATION and packet[4] and packet[5] & _DISCONTINUITY_INDICATOR)
