"""Packed audio as a transport stream: its packets, tables and PES headers, read by the standard alone (ISO/IEC 13818-1, 2.4)."""

from collections import defaultdict

import pytest
from fuzz.media_pieces import ADTS

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
