"""Runs of packets that one stream takes as they are, found and unpacked in C: nearly every byte of a video passes through here."""

import re
import struct
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from transcoder.core.media.mpegts.packets import PACKET_BYTES, PAYLOAD_ONLY, PID_MASK, UNIT_START

_RUN_PACKETS = 512
_RUNS = re.compile(rb"\x00{1,%(most)d}|\x01{1,%(most)d}|\x02{1,%(most)d}" % {b"most": _RUN_PACKETS})
_WITH_RUNS = 2
"""For so many streams runs are found; packets of others are read one by one."""
_IS_PLAIN = bytes((octet & 0xF0) == PAYLOAD_ONLY for octet in range(256))
"""By the fourth byte of a packet: it is neither scrambled nor has it an adaptation field."""


class PacketRun(NamedTuple):
    """Consecutive packets."""

    pid: int | None
    """The PID of all of them if they are plain: nothing begins in them, and all but their headers is payload."""
    first: int
    """The place of the first packet, counted from 0."""
    length: int
    """How many packets."""

    def payloads(self, data: bytes) -> tuple[bytes, ...]:
        """Return the payloads of plain packets; `data` begins with packet 0."""
        return _payloads(self.length).unpack_from(data, self.first * PACKET_BYTES)


def packet_runs(data: bytes, first: int, packets: int, pids: Sequence[int]) -> Iterator[PacketRun]:
    """Divide the packets in `data` from `first` to before `packets` into runs: plain ones of one of the `pids`, and others."""
    end = packets * PACKET_BYTES
    high, low, control = (data[first * PACKET_BYTES + at : end : PACKET_BYTES] for at in (1, 2, 3))
    plain, kinds = int.from_bytes(control.translate(_IS_PLAIN), "big"), 0
    for number, pid in enumerate(pids[:_WITH_RUNS], 1):
        high_table, low_table = _tables(pid)
        kinds |= number * (plain & int.from_bytes(high.translate(high_table), "big") & int.from_bytes(low.translate(low_table), "big"))
    for run in _RUNS.finditer(kinds.to_bytes(len(high), "big")):
        kind = run[0][0]
        yield PacketRun(pids[kind - 1] if kind else None, first + run.start(), run.end() - run.start())


@cache
def _tables(pid: int) -> tuple[bytes, bytes]:
    """Return tables that map the second and the third byte of a packet to 1 if they are those of `pid`, and nothing begins in it."""
    mask = (PID_MASK | UNIT_START) >> 8
    return bytes((octet & mask) == pid >> 8 for octet in range(256)), bytes(octet == pid & 0xFF for octet in range(256))


@cache
def _payloads(count: int) -> struct.Struct:
    return struct.Struct("4x184s" * count)
