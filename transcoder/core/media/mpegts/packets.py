"""Transport packets: finding them in a segment, and reading their payloads (ISO/IEC 13818-1, 2.4.3)."""

import struct
from collections.abc import Iterator

PACKET_BYTES = 188
SYNC = b"G"
MAX_JUNK_BYTES = 64 * 1024
"""Maximum number of bytes before the first packet, as some hosts disguise segments as images, and after the last one."""

PACKET = struct.Struct(">xHB184s")
"""PID with flags, control bits with continuity counter, adaptation field with payload.

Unpacked in C, because every byte of the output passes through this loop.
"""
UNIT_START = 0x4000
PID_MASK = 0x1FFF
SCRAMBLED = 0xC0
ADAPTATION = 0x20
PAYLOAD = 0x10
PAYLOAD_ONLY = PAYLOAD
"""The control bits of a packet without an adaptation field."""

_ADAPTATION_PARTS = ((0x10, 6), (0x08, 6), (0x04, 1))
"""Flags of an adaptation field, and how many bytes each adds: PCR, OPCR, splice countdown."""
_SIZED_ADAPTATION_PARTS = (0x02, 0x01)
"""Flags of parts that begin with their length: private data, extension."""

_MIN_SYNC_BYTES = 4
"""This many sync bytes, one packet apart, prove a transport stream."""
_LONGER_PACKETS = ((192, 4), (192, 0), (204, 0))
"""Packets with something beside their 188 bytes, and where their first sync byte is: a time before or after (M2TS), an error correction."""


def find_packets(data: bytes, *, whole: bool) -> int | None:
    """Return the offset of the first transport packet in `data`; -1 if there is none, None if more bytes are needed.

    With `whole`, a single packet at the very end of `data` is sufficient proof.
    """
    at = data.find(SYNC, 0, MAX_JUNK_BYTES)
    while at >= 0:
        seen = data[at : at + _MIN_SYNC_BYTES * PACKET_BYTES : PACKET_BYTES]
        if seen.count(SYNC) == len(seen):
            if len(seen) == _MIN_SYNC_BYTES:
                return at
            if whole and (len(data) - at) % PACKET_BYTES == 0:
                return at
            if not whole:
                return None
        at = data.find(SYNC, at + 1, MAX_JUNK_BYTES)
    return -1 if whole or len(data) >= MAX_JUNK_BYTES else None


def longer_packet_bytes(head: bytes) -> int | None:
    """Return the length of the packets of a segment that begins with packets longer than those of HLS; None if it does not."""
    if _begins_with_packets(head, 0, PACKET_BYTES):
        return None
    return next((size for size, at in _LONGER_PACKETS if _begins_with_packets(head, at, size)), None)


def _begins_with_packets(head: bytes, at: int, size: int) -> bool:
    return head[at : at + _MIN_SYNC_BYTES * size : size] == _MIN_SYNC_BYTES * SYNC


def is_transport_init(init: bytes) -> bool:
    """Tell whether an initialization section belongs to a transport stream: a PAT and a PMT in transport packets (RFC 8216, 3.2)."""
    return bool(init) and is_packets(init)


def is_packets(data: bytes) -> bool:
    """Tell whether `data` is whole transport packets, one after another."""
    return len(data) % PACKET_BYTES == 0 and data[::PACKET_BYTES].count(SYNC) == len(data) // PACKET_BYTES


def payload_of(control: int, rest: bytes) -> bytes:
    """Return the payload of a packet, given its control bits and the bytes after its header; empty if it has none."""
    if not control & PAYLOAD:
        return b""
    return rest[1 + rest[0] :] if control & ADAPTATION else rest


def is_full(packet: bytes) -> bool:
    """Tell whether all the bytes of a packet that its adaptation field does not need are payload (ISO/IEC 13818-1, 2.4.3.4)."""
    if not packet[3] & ADAPTATION:
        return True
    length, flags = packet[4], packet[5]
    if not length or not flags:
        return False
    needed = 1 + sum(size for flag, size in _ADAPTATION_PARTS if flags & flag)
    for flag in _SIZED_ADAPTATION_PARTS:
        if flags & flag and 5 + needed < PACKET_BYTES:
            needed += 1 + packet[5 + needed]
    return length <= needed


def payloads(data: bytes | memoryview) -> Iterator[tuple[int, bool, bytes]]:
    """Yield PID, payload_unit_start_indicator and payload of each whole packet."""
    for word, control, rest in PACKET.iter_unpack(memoryview(data)[: len(data) // PACKET_BYTES * PACKET_BYTES]):
        yield word & PID_MASK, bool(word & UNIT_START), payload_of(control, rest)
