"""Small pieces of media from which inputs are built: boxes, transport packets, tags, frames."""

import struct
from collections.abc import Callable

from peers.program_map_edits import _crc as crc

from transcoder.core.media.mp4.boxes import box, full_box
from transcoder.core.media.mpegts.program_tables import section_packets

PACKET_BYTES = 188
PMT_PID, VIDEO_PID, AUDIO_PID = 0x1000, 0x100, 0x101

NULL_PACKET = b"G\x1f\xff\x10" + 184 * b"\xff"
"""A transport packet of no stream."""


def u32(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def moov(*, tables: bytes = b"", entries: bytes = b"", edits: bytes = b"", tail: bytes = b"", kinds: bytes = b"") -> bytes:
    """Write a `moov` with one video track; fragmented unless it has sample tables."""
    entry = entries or box(b"avc1", bytes(78), box(b"avcC", b"\1\x64\0\x1f\xff\xe1\0\1\x67\1\0\1\x68"))
    stsd = full_box(b"stsd", 0, 0, u32(1), entry)
    stbl = box(b"stbl", stsd, tables)
    handler = full_box(b"hdlr", 0, 0, u32(0), b"vide", bytes(13))
    mdia = box(b"mdia", full_box(b"mdhd", 0, 0, u32(0, 0, 90_000, 0, 0)), handler, box(b"minf", stbl))
    trak = box(b"trak", full_box(b"tkhd", 0, 3, u32(0, 0, 1), bytes(68)), edits, mdia, kinds)
    mvex = b"" if tables else box(b"mvex", full_box(b"trex", 0, 0, u32(1, 1, 3000, 100, 0)))
    return box(b"moov", full_box(b"mvhd", 0, 0, u32(0, 0, 1000, 0), bytes(80)), trak, mvex, tail)


INIT = box(b"ftyp", b"isom\0\0\0\0isom") + moov()


def trun(count: int, *, flags: int = 0, samples: bytes = b"") -> bytes:
    return full_box(b"trun", 0, flags, u32(count), samples)


def moof(*runs: bytes, number: int = 1, track: int = 1, time: int = 0) -> bytes:
    traf = box(b"traf", full_box(b"tfhd", 0, 0x020000, u32(track)), full_box(b"tfdt", 1, 0, struct.pack(">Q", time)), *runs)
    return box(b"moof", full_box(b"mfhd", 0, 0, u32(number)), traf)


def fragments(make: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Return a run of fragments that differ from each other by their number, each with an empty `mdat`."""
    one = make(0) + box(b"mdat")
    return lambda size: b"".join(make(number) + box(b"mdat") for number in range(size // len(one) + 1))


def section(table: int, number: int, body: bytes) -> bytes:
    """Write a section of program tables with its checksum."""
    head = bytes([table]) + (0xB000 | len(body) + 9).to_bytes(2, "big") + number.to_bytes(2, "big") + b"\xc1\0\0"
    return head + body + crc(head + body).to_bytes(4, "big")


def program_map(version: int = 0, *, streams: bytes = b"\x1b\xe1\0\xf0\0\x0f\xe1\1\xf0\0") -> bytes:
    return section(
        2, 1, b"\xe1\0" + b"\xf0\x02" + bytes([0xFE, 0]) + streams + bytes([0x06, 0xE0 | version >> 8 & 31, version & 255, 0xF0, 0])
    )


TABLES = section_packets(section(0, 1, b"\0\1\xf0\0"), 0) + section_packets(program_map(), PMT_PID)


def packet(pid: int, payload: bytes, *, starts: bool = False, counter: int = 0) -> bytes:
    """Write a transport packet, filled up by its adaptation field."""
    room = PACKET_BYTES - 4 - len(payload)
    head = bytes([0x47, (0x40 if starts else 0) | pid >> 8, pid & 255, (0x30 if room else 0x10) | counter & 15])
    field = b"" if not room else b"\0" if room == 1 else bytes([room - 1, 0]) + b"\xff" * (room - 2)
    return head + field + payload


def pes(ticks: int, body: bytes, *, stream: int = 0xE0, decoded: int | None = None) -> bytes:
    """Write a PES packet with a presentation time, and with a decode time if that is another one."""
    if decoded is None:
        return b"\0\0\1" + bytes([stream]) + b"\0\0\x80\x80\5" + _time(0x21, ticks) + body
    return b"\0\0\1" + bytes([stream]) + b"\0\0\x80\xc0\n" + _time(0x31, ticks) + _time(0x11, decoded) + body


def _time(marks: int, ticks: int) -> bytes:
    return bytes([marks | ticks >> 29 & 14, ticks >> 22 & 255, ticks >> 14 & 255 | 1, ticks >> 7 & 255, ticks << 1 & 255 | 1])


def id3(body: bytes = b"") -> bytes:
    size = len(body)
    return b"ID3\4\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + body


def timestamp(seconds: float = 0.0) -> bytes:
    body = b"com.apple.streaming.transportStreamTimestamp\0" + round(seconds * 90_000).to_bytes(8, "big")
    return id3(b"PRIV" + u32(len(body)) + b"\0\0" + body)


ADTS = b"\xff\xf1\x4c\x80" + bytes([(16 >> 3), (16 & 7) << 5 | 0x1F, 0xFC]) + bytes(9)
"""An ADTS frame of 16 bytes."""
