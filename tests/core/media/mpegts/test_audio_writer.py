"""Packed audio as a transport stream: its packets, tables and PES headers, read by the standard alone (ISO/IEC 13818-1, 2.4)."""

from collections import defaultdict

import pytest
from fuzz.media_pieces import ADTS
from peers.program_map_edits import _crc as crc

from transcoder.core.media.audio_headers import read_ac3_header, read_adts_header
from transcoder.core.media.mpegts.audio_writer import AudioWriter
from transcoder.core.media.streams import Container

AC3 = b"\x0b\x77\0\0\x00\x40\x40" + bytes(121)
"""A frame of 64 words at 48 kHz."""
LONG_ADTS = b"\xff\xf1\x4c\x80" + bytes([600 >> 3, (600 & 7) << 5 | 0x1F, 0xFC]) + bytes(593)


def units(written: bytes) -> dict[int, list[bytes]]:
    """Return what begins in packets, by PID; counters rise by one with each packet of a PID."""
    found, counters = defaultdict[int, list[bytes]](list), defaultdict[int, int](int)
    assert len(written) % 188 == 0
    for at in range(0, len(written), 188):
        packet = written[at : at + 188]
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        assert packet[0] == 0x47
        assert packet[3] & 0x0F == counters[pid] & 0x0F
        counters[pid] += 1
        payload = packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]
        if packet[1] & 0x40:
            found[pid].append(payload)
        else:
            found[pid][-1] += payload
    return found


def written(container: Container, frame: bytes, count: int, *, start: float = 1.0) -> bytes:
    writer = AudioWriter(container, read_ac3_header if container is Container.AC3 else read_adts_header, start)
    return writer.feed(frame * count) + writer.flush()


@pytest.mark.parametrize(("container", "stream_type"), [(Container.ADTS, 0x0F), (Container.AC3, 0x81)])
def test_the_tables_announce_one_stream_and_no_clock(container: Container, stream_type: int) -> None:
    found = units(written(container, ADTS if container is Container.ADTS else AC3, 2))
    (pat,), (pmt,) = found[0], found[0x1000]
    assert pat[:2] == b"\0\0", "a pointer, and the table of programs"
    assert pat[9:13] == bytes([0, 1, 0xE0 | 0x1000 >> 8, 0]), "program 1"
    assert pmt[:2] == b"\0\2"
    assert pmt[9:11] == b"\xff\xff", "PID 0x1FFF: there is no clock"
    assert pmt[13:16] == bytes([stream_type, 0xE1, 0x00])


@pytest.mark.parametrize(
    ("container", "stream_type"), [(Container.ADTS, 0x0F), (Container.MP3, 0x03), (Container.AC3, 0x81), (Container.EAC3, 0x87)]
)
def test_the_tables_are_those_of_the_standard_byte_for_byte(container: Container, stream_type: int) -> None:
    """ISO/IEC 13818-1, 2.4.4.3 and 2.4.4.8: in force, of version 0, the only section; no descriptors; what follows is stuffing."""
    data = AudioWriter(container, read_adts_header, 0.0).feed(b"")
    assert len(data) == 2 * 188
    pat, pmt = data[:188], data[188:]
    table = bytes.fromhex("00 b00d 0001 c1 00 00 0001 f000")
    assert pat == filled(b"\x47\x40\x00", b"\0" + table + crc(table).to_bytes(4))
    table = bytes.fromhex("02 b012 0001 c1 00 00 ffff f000") + bytes([stream_type]) + bytes.fromhex("e100 f000")
    assert pmt == filled(b"\x47\x50\x00", b"\0" + table + crc(table).to_bytes(4))


def filled(head: bytes, payload: bytes) -> bytes:
    """Return a packet with the counter 0 that its adaptation field fills up (2.4.3.4)."""
    room = 184 - len(payload)
    field = b"" if not room else b"\0" if room == 1 else bytes([room - 1, 0]) + b"\xff" * (room - 2)
    return head + (b"\x30" if room else b"\x10") + field + payload


@pytest.mark.parametrize("size", [168, 169, 170, 171, 172, 100, 20])
def test_a_packet_is_filled_up_by_its_adaptation_field(size: int) -> None:
    """A PES header of 14 bytes, and so many of a frame."""
    frame = ADTS[:3] + bytes([ADTS[3] & 0xFC | size >> 11, size >> 3 & 0xFF, (size & 7) << 5 | 0x1F]) + bytes(size - 6)
    data = written(Container.ADTS, frame, 1)[2 * 188 :]
    head = b"\0\0\1\xc0" + (8 + size).to_bytes(2) + bytes.fromhex("84 80 05 21 0005 bf21")
    unit = head + frame
    expected = filled(b"\x47\x41\x00", unit[:184])
    if len(unit) > 184:
        expected += filled(b"\x47\x01\x00", unit[184:]).replace(b"\x47\x01\x00\x30", b"\x47\x01\x00\x31")
    assert data == expected


def eac3(blocks: int, *, kind: int = 0) -> bytes:
    """Return a frame of 64 bytes at 48 kHz with so many blocks (ETSI TS 102 366, E.1.3.1)."""
    return b"\x0b\x77" + bytes([kind << 6, 31, (1, 2, 3, 6).index(blocks) << 4 | 0x4, 16 << 3]) + bytes([blocks]) * 58


@pytest.mark.parametrize("blocks", [1, 2, 3, 6])
@pytest.mark.parametrize("kinds", [(0,), (0, 1), (0, 1, 1)])
def test_a_sample_of_eac3_has_six_blocks_and_their_dependent_substreams(blocks: int, kinds: tuple[int, ...]) -> None:
    """ETSI TS 102 366, F.6; the stream is private (2.4.3.7 and ATSC A/52, G.3.1)."""
    frame = b"".join(eac3(blocks, kind=kind) for kind in kinds)
    for size in (10_000, 64, 7):
        writer = AudioWriter(Container.EAC3, read_ac3_header, 1.0)
        source = frame * (3 * 6 // blocks)
        data = b"".join(writer.feed(source[at : at + size]) for at in range(0, len(source), size)) + writer.flush()
        found = units(data)[0x100]
        assert [unit[14:] for unit in found] == [frame * (6 // blocks)] * 3
        assert {unit[3] for unit in found} == {0xBD}
        assert ticks_of(data) == [90_000, 92_880, 95_760]
        assert writer.end == pytest.approx(1.0 + 3 * 1536 / 48_000)


def ticks_of(data: bytes) -> list[int]:
    """Return the time of each PES packet."""
    times = (int.from_bytes(unit[9:14]) for unit in units(data)[0x100])
    return [bits >> 3 & 7 << 30 | bits >> 2 & 0x7FFF << 15 | bits >> 1 & 0x7FFF for bits in times]


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        pytest.param(0.0, [0, 1920, 3840, 5760], id="on time"),
        pytest.param(0.049, [0, 1920, 3840, 5760], id="hardly late"),
        pytest.param(-0.049, [0, 1920, 3840, 5760], id="hardly early"),
        pytest.param(0.1, [0, 1920, 12840, 14760], id="late"),
        pytest.param(-0.064, [0, 1920], id="early by three samples"),
        pytest.param(-1024 / 48_000 * 2.6, [0, 1920], id="early by more than two and a half"),
    ],
)
def test_a_segment_that_begins_late_leaves_a_pause_and_one_that_begins_early_lacks_samples(late: float, expected: list[int]) -> None:
    for wraps in (-1, 0, 1):
        writer = AudioWriter(Container.ADTS, read_adts_header, 0.0)
        before = writer.feed(ADTS * 2) + writer.flush()
        assert writer.end == pytest.approx(2 * 1024 / 48_000)
        writer.move_to(writer.end + late + wraps * 2**33 / 90_000)
        data = before + writer.feed(ADTS * 2) + writer.flush()
        assert ticks_of(data) == expected
        assert writer.left_out == 4 - len(expected)
        assert writer.end == pytest.approx((expected[-1] + 1920) / 90_000, abs=0.0001)


def test_as_many_samples_are_left_out_as_were_asked_for() -> None:
    writer = AudioWriter(Container.ADTS, read_adts_header, 1.0)
    assert (writer.end, writer.left_out) == (1.0, 0)
    writer.leave_out(2)
    data = writer.feed(ADTS * 5) + writer.flush()
    assert ticks_of(data) == [90_000, 91_920, 93_840]
    assert writer.left_out == 2
    writer.leave_out(1)
    assert ticks_of(data + writer.feed(ADTS * 2) + writer.flush())[3:] == [95_760]
    assert writer.left_out == 3


@pytest.mark.parametrize("count", [1, 17, 40])
@pytest.mark.parametrize(("container", "frame"), [(Container.ADTS, ADTS), (Container.ADTS, LONG_ADTS), (Container.AC3, AC3)])
def test_each_sample_is_a_packet_with_its_time(container: Container, frame: bytes, count: int) -> None:
    found = units(written(container, frame, count))[0x100]
    samples = 1536 if container is Container.AC3 else 1024
    assert len(found) == count
    for number, unit in enumerate(found):
        assert unit[:3] == b"\0\0\1"
        assert unit[3] == (0xBD if container is Container.AC3 else 0xC0)
        assert int.from_bytes(unit[4:6]) == len(unit) - 6
        assert (unit[7], unit[8]) == (0x80, 5)
        assert unit[14:] == frame
        high, middle, low = unit[9], int.from_bytes(unit[10:12]), int.from_bytes(unit[12:14])
        assert (high & 0xF1, middle & 1, low & 1) == (0x21, 1, 1)
        ticks = (high >> 1 & 7) << 30 | middle >> 1 << 15 | low >> 1
        assert ticks == round(90_000 * (1 + number * samples / 48_000))


@pytest.mark.parametrize("start", [0.0, 2**30 / 90_000, 2**32 / 90_000, (2**33 - 1) / 90_000, 2**33 / 90_000 + 1])
def test_a_time_has_33_bits(start: float) -> None:
    (unit,) = units(written(Container.ADTS, ADTS, 1, start=start))[0x100]
    ticks = (unit[9] >> 1 & 7) << 30 | int.from_bytes(unit[10:12]) >> 1 << 15 | int.from_bytes(unit[12:14]) >> 1
    assert ticks == round(start * 90_000) % 2**33
