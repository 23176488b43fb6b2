"""What is read of a video is enough: wherever its start codes lie, as many pictures and the same timestamps are found as in all of it."""

import random

import pytest
from fuzz.media_pieces import pes

from transcoder.core.media.mpegts.elementary_stream import ElementaryStream
from transcoder.core.media.mpegts.packet_columns import PacketColumns
from transcoder.core.media.mpegts.packets import PACKET_BYTES
from transcoder.core.media.mpegts.payload_units import Payloads, units_of
from transcoder.core.media.streams import Medium, Stream
from transcoder.core.media.timestamps import CLOCK_HZ

PID, OTHER = 0x100, 0x101
CODES = (b"\0\0\1", b"\0\0\1\x41\x9a", b"\0\0\1\x41\x40\x20", b"\0\0\1\x09", b"\0\0\1\x67\x64\0\x1e")
PIECES = (*CODES, b"\0", b"\0\0", b"\1", b"\x41", b"\xff" * 40)


def packet(payload: bytes, *, pid: int = PID, starts: bool = False) -> bytes:
    """Return a packet that is filled up in its adaptation field."""
    head = bytes([0x47, starts << 6 | pid >> 8, pid & 0xFF])
    room = PACKET_BYTES - 4 - len(payload)
    if not room:
        return head + b"\x10" + payload
    return head + b"\x30" + bytes([room - 1]) + b"\0"[: room - 1] + b"\xff" * max(0, room - 2) + payload


def packets(units: list[bytes], draw: random.Random) -> bytes:
    """Put units into packets, most of them full, between which packets of another PID lie."""
    parts = []
    for unit in units:
        at = 0
        while at < len(unit):
            size = draw.choice((184, 184, 184, 184, 184, 183, 10, 3, 1))
            parts.append(packet(unit[at : at + size], starts=not at))
            at += size
            if draw.random() < 0.2:
                parts.append(packet(b"\0\0\1\x65" * 46, pid=OTHER))
    return b"".join(parts)


def taken(data: bytes, *, sparse: bool, cuts: list[int]) -> tuple[int, tuple[object, ...]]:
    """Return how many bytes were read, and what they show."""
    stream = ElementaryStream(Stream(Medium.VIDEO, "h264", PID, 1.0))
    count = 0
    for first, end in zip([0, *cuts], [*cuts, len(data) // PACKET_BYTES], strict=True):
        for unit in units_of(PacketColumns(data, first, end), PID, sparse=sparse):
            stream.take(Payloads(list(unit.parts), unit.begins_unit))
            count += sum(map(len, unit.parts))
        stream.drain()
    times = (stream.missing_bytes, stream.end, stream.segment.start, stream.segment.leap, stream.segment.units)
    return count, (stream.count, stream.undecodable, stream.is_headless, *times)


@pytest.mark.parametrize("seed", range(60))
def test_sparse_units_show_the_same_as_all_of_them(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    units = []
    for number in range(draw.randrange(1, 8)):
        content = b"".join(draw.choice(PIECES) if draw.random() < 0.3 else bytes([draw.randrange(2, 256)]) * 61 for _ in range(120))
        units.append(pes(round((1 + number / 25) * CLOCK_HZ), content))
    data = packets(units, draw)
    cuts = sorted(draw.sample(range(1, len(data) // PACKET_BYTES), draw.randrange(3)))
    read, shown = taken(data, sparse=True, cuts=cuts)
    whole, expected = taken(data, sparse=False, cuts=cuts)
    assert shown == expected
    assert read <= whole


def test_what_decides_nothing_is_left_out() -> None:
    units = [pes(round((1 + number / 25) * CLOCK_HZ), b"\0\0\1\x65\x88" + b"\xaa" * 50_000) for number in range(4)]
    data = packets(units, random.Random(0))  # noqa: S311
    read, whole = (taken(data, sparse=sparse, cuts=[])[0] for sparse in (True, False))
    assert read < whole / 2, "only the last unit is read as a whole"


@pytest.mark.parametrize("packet_number", [0, 1, 2])
@pytest.mark.parametrize("left", range(1, 12))
def test_a_start_code_at_the_end_of_a_packet_is_read_with_what_follows_it(packet_number: int, left: int) -> None:
    """A slice of another picture begins with macroblock 0, one of the same with a later one, which may be in the next packet."""
    for macroblock, pictures in ((b"\xc0", 2), (b"\x40", 1), (b"\x00\x00\x80", 1)):
        head = pes(CLOCK_HZ, b"\0\0\1\x65\x88\x84")
        filler = b"\xaa" * (184 * (packet_number + 1) - left - len(head))
        unit = head + filler + b"\0\0\1\x41" + macroblock + b"\x55" * 5000
        data = b"".join(
            packet(each[at : at + 184], starts=not at) for each in (unit, pes(2 * CLOCK_HZ, b"")) for at in range(0, len(each), 184)
        )
        _, shown = taken(data, sparse=True, cuts=[])
        assert shown[0] == pictures
        assert shown == taken(data, sparse=False, cuts=[])[1]
