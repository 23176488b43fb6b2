"""Packets of streams that have moved to other PIDs, with those that ffmpeg knows them by."""

from itertools import compress

from transcoder.core.media.mpegts.packet_columns import PacketColumns
from transcoder.core.media.mpegts.packets import PACKET_BYTES, PID_MASK


class MovedPids:
    """Gives packets the PIDs that their streams began with."""

    def __init__(self) -> None:
        """Begin with no stream moved."""
        self._first: dict[int, int] = {}
        """The PID that a stream began with, by the one that it has now."""

    def __bool__(self) -> bool:
        """Whether any stream has moved."""
        return bool(self._first)

    def move(self, old: int, new: int) -> None:
        """Note that a stream has moved from one PID to another."""
        others = {pid: first for pid, first in self._first.items() if pid != old}
        first = self._first.get(old, old)
        self._first = others if first == new else others | {new: first}  # a new one: a copy of this object keeps its own

    def restored(self, packets: bytes) -> bytes:
        """Return whole packets with the PIDs that their streams began with."""
        restored, columns = bytearray(packets), PacketColumns(packets, 0, len(packets) // PACKET_BYTES)
        for pid, first in self._first.items():
            for at in compress(range(0, len(packets), PACKET_BYTES), columns.of(pid)):
                restored[at + 1] = restored[at + 1] & ~(PID_MASK >> 8) & 0xFF | first >> 8
                restored[at + 2] = first & 0xFF
        return bytes(restored)
