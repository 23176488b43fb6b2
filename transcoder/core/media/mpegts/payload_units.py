"""What the packets of one stream hold, unit by unit: all of it, or only what decides how many access units it has."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from transcoder.core.media.mpegts.packet_columns import PacketColumns, number, places
from transcoder.core.media.mpegts.packets import PACKET_BYTES
from transcoder.core.media.mpegts.pes import has_whole_header

_START_CODE = re.compile(rb"\0\0\x01")
"""Nearly every byte of a video passes through this search: `bytes.find` takes twice as long."""
_LOOKAHEAD = 9
"""What reads a NAL unit needs at most so many bytes from its start code on."""
_MAX_HEADER_BYTES = 9 + 255
"""Of a PES packet."""
_MARKED, _CLOSE = 1, 2
_MARKS = re.compile(rb"[^\0]")
_IS_ZERO = bytes(not octet for octet in range(256))


class Payloads(NamedTuple):
    """Payloads of one PID, one after another."""

    parts: list[bytes]
    begins_unit: bool
    """A unit begins with the first one."""


def units_of(packets: PacketColumns, pid: int, *, sparse: bool) -> Iterator[Payloads]:
    """Iterate over what the packets of `pid` hold: before the first unit that begins in them, and then unit by unit.

    With `sparse`, payloads of all but the last unit are left out where they are far from headers and start codes.
    """
    begins, last = packets.begins_of(pid), -1
    if sparse:
        last = begins.rfind(1)
        while last >= 0 and not packets.payload(last):
            last = begins.rfind(1, 0, last)
        if last > 0:
            yield from _SparseUnits(packets, pid, begins, last).divided()
    payloads, at = packets.payloads(pid, max(0, last))
    starts = [index for index, place in enumerate(at) if begins[place] and payloads[index]]
    yield Payloads(payloads[: starts[0]] if starts else payloads, begins_unit=False)
    for start, end in pairwise((*starts, len(payloads))):
        yield Payloads(payloads[start:end], begins_unit=True)


class _SparseUnits:
    """The units of a PID before a place, without most of the payloads that neither start codes nor headers are near."""

    def __init__(self, packets: PacketColumns, pid: int, begins: bytes, end: int) -> None:
        """Read units up to place `end`, where another one begins."""
        self._packets = packets
        self._pid = pid
        self._selected = packets.of(pid)
        self._begins = begins
        self._end = end
        self._parts: list[bytes] = []
        self._taken = -1
        """The last place whose payload is in the parts."""

    def divided(self) -> Iterator[Payloads]:
        """Iterate over them."""
        begins_unit = False
        self._take_following(_MAX_HEADER_BYTES)  # a header or a start code that has begun before
        for place, is_close in self._marks():
            payload = self._packets.payload(place) if place > self._taken else b""
            if self._begins[place] and payload:
                yield Payloads(self._parts, begins_unit)
                self._parts, begins_unit, self._taken = [payload], True, place
                if len(payload) < _MAX_HEADER_BYTES and not has_whole_header(payload):
                    self._take_following(_MAX_HEADER_BYTES)
            elif place > self._taken:
                self._parts.append(payload)
                self._taken = place
            if is_close:
                self._take_following(_LOOKAHEAD)
        yield Payloads(self._parts, begins_unit)

    def _take_following(self, least: int) -> None:
        """Take the next payloads of this unit, until they have at least so many bytes."""
        while least > 0:
            place = self._selected.find(1, self._taken + 1, self._end)
            if place < 0:
                return
            payload = self._packets.payload(place)
            if self._begins[place] and payload:
                return
            self._parts.append(payload)
            self._taken, least = place, least - len(payload)

    def _marks(self) -> Iterator[tuple[int, bool]]:
        """Iterate over the places where a unit begins, and those that a start code may be in.

        With True where it may go on in the next packet, or what it stands before: a payload that ends with a zero may end inside one.
        """
        packets, start = self._packets, self._packets.start
        last_bytes = packets.data[start + PACKET_BYTES - 1 : packets.end : PACKET_BYTES]
        marks = bytearray(packets.count)
        starts = [-1, *places(self._begins, 0)]
        for first, end in pairwise(starts):
            # The packet that a unit begins in is taken in any case.
            at, stop = start + max(0, (first + 1) * PACKET_BYTES - _LOOKAHEAD), start + end * PACKET_BYTES
            while code := _START_CODE.search(packets.data, at, stop):
                at = code.end()
                place, offset = divmod(code.start() - start, PACKET_BYTES)
                marks[place] |= _CLOSE if offset > PACKET_BYTES - _LOOKAHEAD else _MARKED
        found = packets.begins | number(marks) | number(last_bytes.translate(_IS_ZERO)) * _CLOSE
        column = packets.column(found & packets.number_of(self._pid) * 0xFF)
        for each in _MARKS.finditer(column, 0, self._end):
            place = each.start()
            yield place, column[place] >= _CLOSE
