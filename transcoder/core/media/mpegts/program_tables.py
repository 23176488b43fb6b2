"""Program tables (PAT and PMT): which PIDs carry which codecs (ISO/IEC 13818-1, 2.4.4)."""

from collections.abc import Iterator
from typing import NamedTuple

from transcoder.core.media.streams import Medium
from transcoder.errors import UnsupportedSourceError

PAT_PID = 0
_PAT_TABLE = 0
_PMT_TABLE = 2
_STUFFING = 0xFF
_HEADER_BYTES = 8
_CRC_BYTES = 4
_INDICATOR = 5
"""The byte whose last bit is the current_next_indicator."""
_PAYLOAD_BYTES = 184

_VIDEO = {
    0x01: "mpeg1video",
    0x02: "mpeg2video",
    0x10: "mpeg4",
    0x1B: "h264",
    0x20: "h264",
    0x24: "hevc",
    0x33: "vvc",
    0xD1: "dirac",
    0xEA: "vc1",
}
_AUDIO = {0x03: "mp3", 0x04: "mp3", 0x0F: "aac", 0x11: "aac_latm", 0x81: "ac3", 0x82: "dts", 0x87: "eac3", 0x8A: "dts"}
_SAMPLE_AES = {0xDB, 0xCF, 0xC1, 0xC2}
"""Stream types of SAMPLE-AES (Apple, MPEG-2 Stream Encryption Format for HTTP Live Streaming)."""
_PRIVATE = {0x06}
_REGISTRATION = 0x05
_REGISTERED_FORMATS = {
    b"AC-3": (Medium.AUDIO, "ac3"),
    b"EAC3": (Medium.AUDIO, "eac3"),
    b"Opus": (Medium.AUDIO, "opus"),
    b"HEVC": (Medium.VIDEO, "hevc"),
    b"AV01": (Medium.VIDEO, "av1"),
    b"BSSD": (Medium.AUDIO, "s302m"),
    b"DTS1": (Medium.AUDIO, "dts"),
    b"DTS2": (Medium.AUDIO, "dts"),
    b"DTS3": (Medium.AUDIO, "dts"),
}
_LANGUAGE = 0x0A
"""The ISO 639 language descriptor: three letters and the type of the audio (ISO/IEC 13818-1, 2.6.18)."""
_LANGUAGE_BYTES = 3
_VISUALLY_IMPAIRED = 3
_DVB_EXTENSION, _SUPPLEMENTARY_AUDIO = 0x7F, b"\x06"
"""The supplementary audio descriptor (ETSI EN 300 468, 6.4.10); its editorial classification 1 is an audio description."""
_DVB_AUDIO = {0x6A: "ac3", 0x7A: "eac3", 0x7B: "dts"}
"""Descriptor tags of ETSI EN 300 468, annex D."""


class ProgramElement(NamedTuple):
    """One video or audio stream listed in a program map."""

    pid: int
    medium: Medium
    codec: str
    is_description: bool = False
    """It is marked as an audio description."""


class Program(NamedTuple):
    """A program map: the number of the program, and its video and audio streams in order."""

    number: int
    streams: tuple[ProgramElement, ...]
    section: bytes = b""
    """The program map itself."""

    @property
    def media(self) -> frozenset[Medium]:
        """The media of its streams."""
        return frozenset(stream.medium for stream in self.streams)


class SectionAssembler:
    """Assembles the sections of one PID from the payloads of its packets."""

    def __init__(self) -> None:
        """Begin before the first packet."""
        self._held = b""

    def feed(self, payload: bytes, *, starts: bool) -> Iterator[bytes]:
        """Take the payload of one packet and yield the sections that it completes; those with a wrong checksum are left out.

        `starts` is the packet's payload_unit_start_indicator.
        """
        if starts and payload:
            before, payload = payload[1 : 1 + payload[0]], payload[1 + payload[0] :]
            if self._held:
                yield from self._take(self._held + before)
            self._held = b""
        elif not self._held:
            return
        yield from self._take(self._held + payload)

    def _take(self, held: bytes) -> Iterator[bytes]:
        while len(held) >= 3 and held[0] != _STUFFING:  # noqa: PLR2004 - up to section_length
            size = 3 + ((held[1] & 0x0F) << 8 | held[2])
            if len(held) < size:
                self._held = held
                return
            if section_crc(held[:size]) == 0:
                yield held[:size]
            held = held[size:]
        self._held = b"" if held[:1] == bytes([_STUFFING]) else held


def _crc_table() -> tuple[int, ...]:
    table = []
    for octet in range(256):
        value = octet << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(value)
    return tuple(table)


_CRC_TABLE = _crc_table()


def section_crc(section: bytes) -> int:
    """Return the CRC of annex A; it is 0 for a section that includes its own correct CRC."""
    value = 0xFFFFFFFF
    for octet in section:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC_TABLE[value >> 24 ^ octet]
    return value


def listed_programs(section: bytes) -> tuple[tuple[int, int], ...]:
    """Return the number and the PID of each program map that a PAT lists; empty if it is another table, or not yet in force."""
    if section[0] != _PAT_TABLE or not _is_in_force(section):
        return ()
    entries = section[_HEADER_BYTES:-_CRC_BYTES]
    programs = (
        (entries[at] << 8 | entries[at + 1], (entries[at + 2] & 0x1F) << 8 | entries[at + 3]) for at in range(0, len(entries) - 3, 4)
    )
    # Program number 0 belongs to the network information table.
    return tuple((number, pid) for number, pid in programs if number)


def read_program(section: bytes) -> Program | None:
    """Return the program that a PMT describes; None if the section is another table, or not yet in force.

    Raises UnsupportedSourceError if a stream is encrypted with SAMPLE-AES.
    """
    if section[0] != _PMT_TABLE or len(section) < 12 + _CRC_BYTES or not _is_in_force(section):
        return None
    number = section[3] << 8 | section[4]
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    end = len(section) - _CRC_BYTES
    elements = []
    while at + 5 <= end:
        kind, pid = section[at], (section[at + 1] & 0x1F) << 8 | section[at + 2]
        size = (section[at + 3] & 0x0F) << 8 | section[at + 4]
        element = _element(kind, pid, section[at + 5 : at + 5 + size])
        if element:
            elements.append(element)
        at += 5 + size
    return Program(number, tuple(elements), section)


def _is_in_force(section: bytes) -> bool:
    """Return the current_next_indicator of a section (2.4.4.5): a table may be sent before it applies."""
    return len(section) > _INDICATOR and bool(section[_INDICATOR] & 1)


def section_packets(section: bytes, pid: int) -> bytes:
    """Return the transport packets that carry a section."""
    data, packets = b"\0" + section, b""  # the section begins right after the pointer_field
    for number, at in enumerate(range(0, len(data), _PAYLOAD_BYTES)):
        head = bytes([0x47, (0 if number else 0x40) | pid >> 8, pid & 0xFF, 0x10 | number & 0xF])
        packets += head + data[at : at + _PAYLOAD_BYTES].ljust(_PAYLOAD_BYTES, bytes([_STUFFING]))
    return packets


def _element(kind: int, pid: int, descriptors: bytes) -> ProgramElement | None:
    if kind in _SAMPLE_AES:
        raise UnsupportedSourceError("The source is protected: its samples are encrypted (SAMPLE-AES).")
    if kind in _VIDEO:
        return ProgramElement(pid, Medium.VIDEO, _VIDEO[kind])
    if kind in _AUDIO:
        return ProgramElement(pid, Medium.AUDIO, _AUDIO[kind], _is_description(descriptors))
    if kind not in _PRIVATE:
        return None
    private = _private_codec(descriptors)
    return ProgramElement(pid, *private, _is_description(descriptors)) if private else None


def _each(descriptors: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and body of each descriptor."""
    at = 0
    while at + 2 <= len(descriptors):
        tag, size = descriptors[at], descriptors[at + 1]
        yield tag, descriptors[at + 2 : at + 2 + size]
        at += 2 + size


def _is_description(descriptors: bytes) -> bool:
    """Tell whether audio is for those who cannot see: by its ISO 639 descriptor, or by DVB's supplementary audio descriptor."""
    for tag, body in _each(descriptors):
        if tag == _LANGUAGE and len(body) > _LANGUAGE_BYTES and body[_LANGUAGE_BYTES] == _VISUALLY_IMPAIRED:
            return True
        if tag == _DVB_EXTENSION and body[:1] == _SUPPLEMENTARY_AUDIO and len(body) > 1 and body[1] >> 2 & 0x1F == 1:
            return True
    return False


def _private_codec(descriptors: bytes) -> tuple[Medium, str] | None:
    """Return medium and codec of private data according to its descriptors; None if they name no known codec."""
    for tag, body in _each(descriptors):
        if tag == _REGISTRATION and body[:4] in _REGISTERED_FORMATS:
            return _REGISTERED_FORMATS[body[:4]]
        if tag in _DVB_AUDIO:
            return Medium.AUDIO, _DVB_AUDIO[tag]
    return None
