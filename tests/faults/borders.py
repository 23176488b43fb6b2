"""Where media bytes can be cut cleanly, and which byte can be altered so that no size, time or count changes."""

import struct
from collections.abc import Iterator
from random import Random

PACKET_BYTES = 188
_STUFFING_OR_PRIVATE = 0x20
_UNIT_START = 0x40
_ADTS_HEADER_BYTES = 9
_ID3_HEADER_BYTES = 10
_LARGEST_START_CODE_BYTE = 3
"""An H.264 start code, and what escapes one, consist of bytes up to this one (ITU-T H.264, 7.4.1)."""


def ts_packets(data: bytes) -> list[int]:
    """Return where the packets of a transport stream begin, except the first."""
    return list(range(PACKET_BYTES, len(data), PACKET_BYTES))


def pes_starts(data: bytes) -> list[int]:
    """Return where the packets lie that begin a PES packet, except the first."""
    return [at for at in ts_packets(data) if data[at + 1] & _UNIT_START and _payload(data, at).startswith(b"\0\0\1")][1:]


def audio_frames(data: bytes) -> list[int]:
    """Return where the ADTS frames of packed audio begin, except the first."""
    return [at for at, _ in _adts(data)][1:]


def boxes(data: bytes) -> list[int]:
    """Return where the top-level boxes of an MP4 begin, except the first."""
    return [at for at, _, _ in _boxes(data)][1:]


def fragments(data: bytes) -> list[int]:
    """Return where the fragments of an MP4 begin, except the first."""
    return [at for at, _, kind in _boxes(data) if kind == b"moof"][1:]


def payload_byte(data: bytes, suffix: str, random: Random) -> int:
    """Choose a byte of coded video or audio, in no header and next to no start code; `suffix` tells the container."""
    chosen = [random.choice(_coded_ranges(data, suffix)) for _ in range(64)]
    for start, stop in chosen:
        at = random.randrange(start, stop)
        if min(data[at - 3 : at + 4]) > _LARGEST_START_CODE_BYTE:
            return at
    raise ValueError("There is no byte to alter.")


def _coded_ranges(data: bytes, suffix: str) -> list[tuple[int, int]]:
    match suffix:
        case "ts":
            # A packet that neither begins a PES packet nor has an adaptation field holds the middle of a video frame. By its last
            # third, a slice header is over.
            plain = [at for at in ts_packets(data) if _is_inside_video_frame(data, at)]
            return [(at + 128, at + 180) for at in plain]
        case "aac":
            return [(at + size // 2, at + size - 4) for at, size in _adts(data)]
        case _:
            # Each fragment begins with a key frame, whose coded slice is the longest.
            return [(at + 200, at + 700) for at, size, kind in _boxes(data) if kind == b"mdat" and size > 1000]


def _is_inside_video_frame(data: bytes, at: int) -> bool:
    packet = data[at : at + PACKET_BYTES]
    return packet[1:3] == b"\x01\x00" and not packet[3] & _STUFFING_OR_PRIVATE and b"\0\0\1" not in packet


def _payload(data: bytes, at: int) -> bytes:
    packet = data[at : at + PACKET_BYTES]
    return packet[5 + packet[4] :] if packet[3] & _STUFFING_OR_PRIVATE else packet[4:]


def _adts(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield offset and size of each ADTS frame, after the ID3 tag if there is one (ISO/IEC 14496-3, 1.A.2.2)."""
    at = _ID3_HEADER_BYTES + int.from_bytes(data[6:10]) if data.startswith(b"ID3") else 0
    while at + _ADTS_HEADER_BYTES <= len(data):
        size = (int.from_bytes(data[at + 3 : at + 6]) >> 5) & 0x1FFF
        yield at, size
        at += size


def _boxes(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield at, size, kind
        at += size
