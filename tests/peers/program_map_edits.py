"""Transport streams whose program maps say something else."""

from collections.abc import Callable

PACKET_BYTES = 188
AUDIO_PID = 0x101
"""Where ffmpeg puts the audio beside video."""
_CRC_POLYNOMIAL = 0x04C11DB7
_AUDIO_TYPES = frozenset({0x03, 0x04, 0x0F, 0x11, 0x81, 0x87})


def packets_of(data: bytes) -> list[bytes]:
    """Split a segment into its transport packets."""
    return [data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES)]


def pid_of(packet: bytes) -> int:
    """Return the PID of a packet."""
    return (packet[1] & 0x1F) << 8 | packet[2]


def is_program_map(packet: bytes) -> bool:
    """Tell whether a packet that ffmpeg wrote has a program map: in one packet, on the PID 4096."""
    return pid_of(packet) == 0x1000 and packet[5] == 2


def edited(packet: bytes, edit: Callable[[bytes], bytes]) -> bytes:
    """Return the packet of a program map with another section, given without its checksum."""
    length = 3 + ((packet[6] & 0x0F) << 8 | packet[7])
    section = edit(packet[5 : 5 + length - 4])
    size = len(section) + 4 - 3
    section = section[:1] + bytes([section[1] & 0xF0 | size >> 8, size & 0xFF]) + section[3:]
    return (packet[:5] + section + _crc(section).to_bytes(4, "big")).ljust(PACKET_BYTES, b"\xff")


def without_audio(section: bytes) -> bytes:
    """Take the audio streams out of a map, as another version of it."""
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    kept = section[:5] + bytes([section[5] ^ 2]) + section[6:at]
    while at < len(section):
        end = at + 5 + ((section[at + 3] & 0x0F) << 8 | section[at + 4])
        kept += b"" if section[at] in _AUDIO_TYPES else section[at:end]
        at = end
    return kept


def muted(body: bytes) -> bytes:
    """Take the audio out of a segment that ffmpeg wrote, and out of its program maps."""
    packets = (packet for packet in packets_of(body) if pid_of(packet) != AUDIO_PID)
    return b"".join(edited(packet, without_audio) if is_program_map(packet) else packet for packet in packets)


def not_in_force(section: bytes) -> bytes:
    """Say that a map is not yet in force."""
    return section[:5] + bytes([section[5] & 0xFE]) + section[6:]


def of_program(section: bytes, number: int) -> bytes:
    """Give a map another program number."""
    return section[:3] + number.to_bytes(2, "big") + section[5:]


def with_pids(section: bytes, pids: dict[int, int]) -> bytes:
    """Give the streams of a map other PIDs."""
    data, at = bytearray(section), 12 + ((section[10] & 0x0F) << 8 | section[11])
    while at < len(data):
        pid = (data[at + 1] & 0x1F) << 8 | data[at + 2]
        data[at + 1 : at + 3] = (0xE000 | pids.get(pid, pid)).to_bytes(2, "big")
        at += 5 + ((data[at + 3] & 0x0F) << 8 | data[at + 4])
    return bytes(data)


def with_stream_types(section: bytes, stream_type: int) -> bytes:
    """Give the audio streams of a map another stream type."""
    data, at = bytearray(section), 12 + ((section[10] & 0x0F) << 8 | section[11])
    while at < len(data):
        data[at] = stream_type if data[at] in _AUDIO_TYPES else data[at]
        at += 5 + ((data[at + 3] & 0x0F) << 8 | data[at + 4])
    return bytes(data)


def with_pid(packet: bytes, pid: int) -> bytes:
    """Return a packet on another PID."""
    return packet[:1] + bytes([packet[1] & 0xE0 | pid >> 8, pid & 0xFF]) + packet[3:]


def _crc(section: bytes) -> int:
    """Return the CRC of ISO/IEC 13818-1, annex A."""
    value = 0xFFFFFFFF
    for octet in section:
        value = (value << 8 & 0xFFFFFFFF) ^ _REMAINDERS[value >> 24 ^ octet]
    return value


def _remainder(octet: int) -> int:
    value = octet << 24
    for _ in range(8):
        value = (value << 1 ^ (_CRC_POLYNOMIAL if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value


_REMAINDERS = tuple(map(_remainder, range(256)))
"""Of each octet: a step of a bit at a time would take longer than what reads the maps."""
