"""Continuity counters: packets that are missing within one segment (ISO/IEC 13818-1, 2.4.3.3)."""

from collections.abc import Collection, Iterable
from itertools import compress

from transcoder.core.media.mpegts.packet_selection import packets_of
from transcoder.core.media.mpegts.packets import PACKET_BYTES, UNIT_START, is_full

_CYCLE = bytes(range(16)) * 8192
"""The counters of consecutive packets, for as many as one piece of a segment can hold."""
_MAX_PACKETS = len(_CYCLE) - 16
_COUNTER = bytes(octet & 0x0F for octet in range(256))
_HAS_PAYLOAD = bytes(octet >> 4 & 1 for octet in range(256))
_ADAPTATION, _PAYLOAD = 0x20, 0x10
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
        end = packets * PACKET_BYTES
        for first in range(0, end, _MAX_PACKETS * PACKET_BYTES):
            self._take(data, first, min(end, first + _MAX_PACKETS * PACKET_BYTES))

    def _take(self, data: bytes, start: int, end: int) -> None:
        """Compare the counters of each PID with those of consecutive packets, in C: this is done for every byte of a video.

        `start` and `end` are the offsets of the first packet and of what follows the last one.
        """
        high, low, control = (data[start + at : end : PACKET_BYTES] for at in (1, 2, 3))
        for pid, last in self._last.items():
            selected = packets_of(high, low, pid)
            controls = bytes(compress(control, selected))
            if not controls:
                continue
            counters = controls.translate(_COUNTER)
            first = counters[0] if last is None else (last + 1) & 0x0F
            if counters != _CYCLE[first : first + len(counters)] or 0 in controls.translate(_HAS_PAYLOAD):
                self._take_slowly(data, pid, list(compress(range(start, end, PACKET_BYTES), selected)))
            self._last[pid] = counters[-1]
            if (last_at := self._note_border(pid, control, selected)) >= 0:
                at = start + last_at * PACKET_BYTES
                self._last_packet[pid] = data[at : at + PACKET_BYTES]

    def _note_border(self, pid: int, control: bytes, selected: bytes) -> int:
        """Note what the first packet of a PID with a payload says about the border of the segment; return the place of the last one."""
        first, last = selected.find(1), selected.rfind(1)
        while first >= 0 and not control[first] & _PAYLOAD:
            first = selected.find(1, first + 1)
        while last >= 0 and not control[last] & _PAYLOAD:
            last = selected.rfind(1, 0, last)
        if first < 0:
            return -1
        before = self._last_packet_before.get(pid)
        if before is not None:
            self.continued.setdefault(pid, control[first] & 0x0F == (before[3] + 1) & 0x0F)
        return last

    def _take_slowly(self, data: bytes, pid: int, places: list[int]) -> None:
        """Follow the counter packet by packet, where packets are repeated, have no payload, or are missing."""
        last, was_repeated = self._last[pid], False
        for place in places:
            packet = data[place : place + PACKET_BYTES]
            counter = packet[3] & 0x0F
            if _announces_jump(packet) or not packet[3] & _PAYLOAD:
                last, was_repeated = counter, False
                continue
            is_repeated = counter == last and not was_repeated
            if last is not None and not is_repeated and counter != (last + 1) & 0x0F:
                starts_unit = bool((packet[1] << 8 | packet[2]) & UNIT_START)
                (self.jumped if starts_unit else self.lost_inside).add(pid)
            last, was_repeated = counter, is_repeated


def _announces_jump(packet: bytes) -> bool:
    return bool(packet[3] & _ADAPTATION and packet[4] and packet[5] & _DISCONTINUITY_INDICATOR)
