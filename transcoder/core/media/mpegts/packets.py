"""Transport packets: where they begin, and what they carry (ISO/IEC 13818-1, 2.4.3)."""

import struct
from collections.abc import Iterator

PACKET_BYTES = 188
SYNC = b"G"
MAX_JUNK_BYTES = 64 * 1024
"""How much may stand before the first packet: some hosts disguise segments as pictures."""

PACKET = struct.Struct(">xHB184s")
"""PID with flags, control with continuity counter, payload with adaptation field. Unpacked in C: this loop sees every byte of a film."""
START = 0x4000
PID_MASK = 0x1FFF
SCRAMBLED = 0xC0
ADAPTATION = 0x20
PAYLOAD = 0x10
PLAIN = PAYLOAD
"""The control bits of a packet that is payload from end to end."""

_PROOF = 4
"""So many sync bytes, one packet apart, are a transport stream."""


def find_packets(data: bytes, *, whole: bool) -> int | None:
    """Return where transport packets begin in `data`, -1 if nowhere, None if more bytes could tell.

    With `whole`, a single packet at the very end of `data` is proof enough.
    """
    at = data.find(SYNC, 0, MAX_JUNK_BYTES)
    while at >= 0:
        seen = data[at : at + _PROOF * PACKET_BYTES : PACKET_BYTES]
        if seen.count(SYNC) == len(seen):
            if len(seen) == _PROOF:
                return at
            if whole and (len(data) - at) % PACKET_BYTES == 0:
                return at
            if not whole:
                return None
        at = data.find(SYNC, at + 1, MAX_JUNK_BYTES)
    return -1 if whole or len(data) >= MAX_JUNK_BYTES else None


def is_tables(init: bytes) -> bool:
    """Tell whether an initialization section is one of a transport stream: a program table and a program map (RFC 8216, 3.2)."""
    return bool(init) and len(init) % PACKET_BYTES == 0 and init[::PACKET_BYTES].count(SYNC) == len(init) // PACKET_BYTES


def payload_of(control: int, rest: bytes) -> bytes:
    """Take the adaptation field off."""
    if not control & PAYLOAD:
        return b""
    return rest[1 + rest[0] :] if control & ADAPTATION else rest


def payloads(data: bytes) -> Iterator[tuple[int, bool, bytes]]:
    """Walk over whole packets: PID, whether a unit starts there, payload."""
    for word, control, rest in PACKET.iter_unpack(memoryview(data)[: len(data) // PACKET_BYTES * PACKET_BYTES]):
        yield word & PID_MASK, bool(word & START), payload_of(control, rest)
