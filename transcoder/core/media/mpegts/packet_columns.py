"""Consecutive packets, one field of all of them at a time: read in C, since nearly every byte of a video passes through here.

A column is a byte per packet. Columns are combined as numbers, which is the fastest that Python has for bytes in parallel.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from functools import cache, cached_property
from itertools import islice

from transcoder.core.media.mpegts.packets import PACKET_BYTES, PAYLOAD, PAYLOAD_ONLY, PID_MASK, SCRAMBLED, UNIT_START, payload_of
from transcoder.core.media.mpegts.pes import PesHeader, read_pes_header

HEADER_BYTES = 4
MAX_PACKETS = 128 * 1024
"""Of one part: what is done with columns as numbers grows faster than their length."""
_COUNTER, _IS_SELECTED = 0x0F, 0x40
_CONTROLS = bytes(octet & (_COUNTER | PAYLOAD) | _IS_SELECTED for octet in range(256))
"""By the fourth byte of a packet: its counter, and whether it has a payload; never 0."""
_COUNTERS = bytes(octet & _COUNTER for octet in range(256))
_WITH_PAYLOAD = bytes(octet for octet in range(256) if octet & PAYLOAD)
_HAS_MORE = bytes(octet & 0xF0 != PAYLOAD_ONLY for octet in range(256))
_BEGINS_UNIT = bytes(bool(octet & UNIT_START >> 8) for octet in range(256))


class PacketColumns:
    """Some consecutive packets."""

    def __init__(self, data: bytes, first: int, end: int) -> None:
        """Take the packets of `data` from place `first` to before `end`; `data` begins with packet 0."""
        self.data = data
        self.first = first
        self.count = end - first
        self.start, self.end = first * PACKET_BYTES, end * PACKET_BYTES
        """Offsets in `data`."""
        self._high, self._low, self._control = (data[self.start + at : self.end : PACKET_BYTES] for at in (1, 2, 3))
        self._selected: dict[int, bytes] = {}
        self._numbers: dict[int, int] = {}
        self._controls: dict[int, bytes] = {}
        self._begins: dict[int, bytes] = {}
        self._headers: dict[int, PesHeader | None] = {}

    def part(self, first: int, end: int) -> "PacketColumns":
        """Return the packets from place `first` to before `end` of these."""
        return PacketColumns(self.data, self.first + first, self.first + end)

    def packet(self, place: int) -> bytes:
        """Return all bytes of a packet."""
        at = self.start + place * PACKET_BYTES
        return self.data[at : at + PACKET_BYTES]

    def word(self, place: int) -> int:
        """Return PID and flags of a packet."""
        return self._high[place] << 8 | self._low[place]

    def control(self, place: int) -> int:
        """Return the control bits and the continuity counter of a packet."""
        return self._control[place]

    def payload(self, place: int) -> bytes:
        """Return the payload of a packet; empty if it has none."""
        control, at = self._control[place], self.start + place * PACKET_BYTES + HEADER_BYTES
        rest = self.data[at : at + PACKET_BYTES - HEADER_BYTES]
        return rest if control & 0xF0 == PAYLOAD_ONLY else payload_of(control, rest)

    def payloads(self, pid: int, first: int) -> tuple[list[bytes], list[int]]:
        """Return the payloads of the packets of `pid` from place `first` on, and their places; a packet may have no payload."""
        found = list(places(self.of(pid), first))
        data, start, size = self.data, self.start + HEADER_BYTES, PACKET_BYTES - HEADER_BYTES
        payloads = [data[at : at + size] for at in [start + place * PACKET_BYTES for place in found]]
        for place in places(self.column(self.has_more & self.number_of(pid)), first):
            index = bisect_left(found, place)
            payloads[index] = payload_of(self._control[place], payloads[index])
        return payloads, found

    def of(self, pid: int) -> bytes:
        """Return a column: 1 if the packet belongs to `pid`."""
        if pid not in self._selected:
            self._selected[pid] = _packets_of(self._high, self._low, pid)
        return self._selected[pid]

    def number_of(self, pid: int) -> int:
        """Return the same column as a number."""
        if pid not in self._numbers:
            self._numbers[pid] = number(self.of(pid))
        return self._numbers[pid]

    def _number_of_any(self, pids: Collection[int]) -> int:
        found = 0
        for pid in pids:
            found |= self.number_of(pid)
        return found

    def of_others(self, pids: Collection[int], wanted: Collection[int]) -> Iterator[int]:
        """Iterate over the places of packets that belong to one of the `wanted` PIDs and to none of `pids`."""
        others = self.column(self._number_of_any(pids))
        place = others.find(0)
        while place >= 0:
            if self.word(place) & PID_MASK in wanted:
                yield place
            place = others.find(0, place + 1)

    def column(self, value: int) -> bytes:
        """Return a column from a number."""
        return value.to_bytes(self.count, "big")

    @cached_property
    def begins(self) -> int:
        """As a number, a column: 1 if a unit begins in the packet."""
        return number(self._high.translate(_BEGINS_UNIT))

    def begins_of(self, pid: int) -> bytes:
        """Return a column: 1 if a unit begins in the packet and it belongs to `pid`."""
        if pid not in self._begins:
            self._begins[pid] = self.column(self.begins & self.number_of(pid))
        return self._begins[pid]

    def unit(self, pid: int, place: int, *, packets: int | None = None) -> bytes:
        """Return the payloads of the unit that begins at a place, up to the next one; of its first `packets` only, if that is given."""
        end = self.begins_of(pid).find(1, place + 1)
        found = places(self.of(pid)[: end if end >= 0 else self.count], place)
        return b"".join(map(self.payload, islice(found, packets)))

    def pes_header(self, place: int) -> PesHeader | None:
        """Return the header of the PES packet that begins at a place; None if not all of it is in that packet.

        Raises:
            DamagedMediaError: no PES packet begins there.

        """
        if place not in self._headers:
            self._headers[place] = read_pes_header(self.payload(place))
        return self._headers[place]

    @cached_property
    def has_more(self) -> int:
        """As a number, a column: 1 if the packet has anything but a payload, has none, or is scrambled."""
        return number(self._control.translate(_HAS_MORE))

    @cached_property
    def _packed_controls(self) -> int:
        return number(self._control.translate(_CONTROLS))

    def counters(self, pid: int) -> bytes:
        """Return the continuity counters of the packets of `pid`, without the other packets."""
        return self._controls_of(pid).translate(_COUNTERS)

    def all_have_payload(self, pid: int) -> bool:
        """Return whether each packet of `pid` has a payload."""
        return not self._controls_of(pid).translate(None, _WITH_PAYLOAD)

    def _controls_of(self, pid: int) -> bytes:
        """Return the fourth bytes of the packets of `pid` as `_CONTROLS` has them, without the other packets."""
        if pid not in self._controls:
            self._controls[pid] = self.column(self._packed_controls & self.number_of(pid) * 0xFF).translate(None, b"\0")
        return self._controls[pid]

    def first_scrambled(self, pids: Collection[int]) -> int | None:
        """Return the place of the first packet of `pids` that is scrambled; None if there is none."""
        candidates = places(self.column(self.has_more & self._number_of_any(pids)))
        return next((place for place in candidates if self._control[place] & SCRAMBLED), None)


def columns_of(data: bytes, packets: int) -> Iterator[PacketColumns]:
    """Iterate over so many packets, which begin at the first byte of `data`, in parts of at most `MAX_PACKETS`."""
    for first in range(0, packets, MAX_PACKETS):
        yield PacketColumns(data, first, min(packets, first + MAX_PACKETS))


def pes_packets(parts: Iterable[PacketColumns], pid: int) -> Iterator[tuple[PacketColumns, int, PesHeader]]:
    """Iterate over the PES packets of a PID: the part that each begins in, its place there, and its header.

    One whose first transport packet has not all of its header is left out.

    Raises:
        DamagedMediaError: a PES packet does not begin with its start code.
    """
    for part in parts:
        for place in places(part.begins_of(pid)):
            if (header := part.pes_header(place)) is not None:
                yield part, place, header


def number(column: bytes | bytearray) -> int:
    """Return a column as a number, for `&` and `|`."""
    return int.from_bytes(column, "big")


def places(column: bytes, first: int = 0) -> Iterator[int]:
    """Iterate over the places of a column of 0 and 1, from `first` on, that have 1; they should be few."""
    place = column.find(1, first)
    while place >= 0:
        yield place
        place = column.find(1, place + 1)


def _packets_of(high: bytes, low: bytes, pid: int) -> bytes:
    """Return a byte per packet: 1 if it belongs to `pid`; `high` and `low` are the second and the third byte of each packet."""
    high_table, low_table = _pid_tables(pid)
    both = int.from_bytes(high.translate(high_table), "big") & int.from_bytes(low.translate(low_table), "big")
    return both.to_bytes(len(high), "big")


@cache
def _pid_tables(pid: int) -> tuple[bytes, bytes]:
    """Return tables that map the second and the third byte of a packet to 1 if they are those of `pid`."""
    mask = PID_MASK >> 8
    return bytes((octet & mask) == pid >> 8 for octet in range(256)), bytes(octet == pid & 0xFF for octet in range(256))
