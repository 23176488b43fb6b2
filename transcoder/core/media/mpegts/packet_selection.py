"""Which packets belong to a PID, in C: this is done for every byte of a video."""

from functools import cache

from transcoder.core.media.mpegts.packets import PID_MASK, UNIT_START


def packets_of(high: bytes, low: bytes, pid: int, *, starts: bool = False) -> bytes:
    """Return a byte per packet: 1 if it belongs to `pid`, and, if only `starts` are wanted, a unit begins in it.

    `high` and `low` are the second and the third byte of each packet.
    """
    high_table, low_table = _pid_tables(pid, starts=starts)
    both = int.from_bytes(high.translate(high_table), "big") & int.from_bytes(low.translate(low_table), "big")
    return both.to_bytes(len(high), "big")


@cache
def _pid_tables(pid: int, *, starts: bool) -> tuple[bytes, bytes]:
    """Return tables that map the second and the third byte of a packet to 1 if they are those of `pid`."""
    flag = UNIT_START >> 8 if starts else 0
    mask = PID_MASK >> 8 | flag
    return bytes((octet & mask) == pid >> 8 | flag for octet in range(256)), bytes(octet == pid & 0xFF for octet in range(256))
