"""The probe takes runs of plain packets at once, and columns hold the packets of a PID: both are compared with packets read one by one."""

import random
from itertools import groupby, pairwise

import pytest

from transcoder.core.media.mpegts.packet_columns import PacketColumns, places
from transcoder.core.media.mpegts.packet_runs import packet_runs
from transcoder.core.media.mpegts.packets import PACKET_BYTES

LONGEST = 512
PIDS = (0x0101, 0x1F80, 0x0202)
ALIKE = (*PIDS, 0x0100, 0x0201, 0x0103, 0x0181, 0x0001, 0x1101, 0x0F80, 0x1F00, 0x1F81, 0x1FFF)
"""Those of the streams, and others that differ from one of them in a bit or two."""
FLAGS = (0, 0x2000, 0x4000, 0x8000)
"""Nothing, transport_priority, payload_unit_start_indicator, transport_error_indicator (ISO/IEC 13818-1, 2.4.3.2)."""
STARTS = 0x4000
CONTROLS = (0x10, 0x10, 0x10, 0x30, 0x20, 0x50, 0x90)
"""Payload alone, most often; with an adaptation field, no payload, and scrambled."""

Packet = tuple[int, int, int]


def drawn(seed: int, count: int) -> list[Packet]:
    """Draw PID, flags and control bits of packets, some of them in runs."""
    chance = random.Random(seed)  # noqa: S311 - it must be repeatable
    found: list[Packet] = []
    while len(found) < count:
        of_a_kind = chance.choice(ALIKE), chance.choice(FLAGS), chance.choice(CONTROLS)
        found += [of_a_kind] * chance.choice((1, 1, 2, 5))
    return found[:count]


def written(packets: list[Packet]) -> bytes:
    """Return the packets, each with a counter and a payload of its own."""
    parts = (b"G" + (pid | flags).to_bytes(2) + bytes([control | place & 15]) for place, (pid, flags, control) in enumerate(packets))
    return b"".join(head + (place % 251).to_bytes(1) * (PACKET_BYTES - 4) for place, head in enumerate(parts))


def runs_read_one_by_one(packets: list[Packet], first: int, pids: tuple[int, ...]) -> list[tuple[int | None, int, int]]:
    """Return PID, place and length of each run; a packet that is not plain, or of another stream than the first two, has no PID."""

    def kind(place: int) -> int | None:
        pid, flags, control = packets[place]
        return pid if pid in pids[:2] and not flags & STARTS and control == CONTROLS[0] else None

    found: list[tuple[int | None, int, int]] = []
    for pid, group in groupby(range(first, len(packets)), kind):
        places_of_run = list(group)
        parts = (places_of_run[at : at + LONGEST] for at in range(0, len(places_of_run), LONGEST))
        found += [(pid, part[0], len(part)) for part in parts]
    return found


@pytest.mark.parametrize("first", [0, 3])
@pytest.mark.parametrize("pids", [PIDS, PIDS[::-1], PIDS[:1]])
def test_a_run_is_plain_packets_of_one_stream_or_others(pids: tuple[int, ...], first: int) -> None:
    packets = drawn(1, 3000) + [(PIDS[0], 0, 0x10)] * (LONGEST + 1) + [(0x1FFF, 0, 0x10)] * (2 * LONGEST)
    runs = packet_runs(written([*packets, *drawn(2, 5)]), first, len(packets), pids)
    assert [tuple(run) for run in runs] == runs_read_one_by_one(packets, first, pids)


def test_payloads_of_a_run_are_what_follows_the_headers() -> None:
    data = written(drawn(3, 2) + [(PIDS[0], 0, 0x10)] * 3)
    run = next(iter(packet_runs(data, 2, 5, PIDS)))
    assert (run.pid, run.payloads(data)) == (PIDS[0], tuple(bytes([place]) * (PACKET_BYTES - 4) for place in (2, 3, 4)))


@pytest.mark.parametrize("pid", ALIKE)
def test_columns_have_the_packets_of_a_pid(pid: int) -> None:
    packets = drawn(4, 300)
    columns = PacketColumns(written(packets), 2, 290)
    expected = [place for place, (other, _, _) in enumerate(packets[2:290]) if other == pid]
    assert list(places(columns.of(pid))) == expected
    assert columns.number_of(pid) == int.from_bytes(columns.of(pid))
    assert [columns.word(place) for place in expected] == [packets[place + 2][0] | packets[place + 2][1] for place in expected]
    part, rest = columns.part(10, 200), packets[12:202]
    assert list(places(part.of(pid))) == [place for place, (other, _, _) in enumerate(rest) if other == pid]
    assert [columns.control(place) for place in expected] == [packets[place + 2][2] | place + 2 & 15 for place in expected]


@pytest.mark.parametrize("pids", [PIDS[:1], PIDS[1:], PIDS, ALIKE])
@pytest.mark.parametrize("seed", [5, 6])
def test_columns_say_what_the_packets_say_one_by_one(pids: tuple[int, ...], seed: int) -> None:
    drawn_ones = drawn(seed, 120)
    packets, data = drawn_ones[3:110], written(drawn_ones)
    columns = PacketColumns(data, 3, 110)
    scrambled = [place for place, (pid, _, control) in enumerate(packets) if pid in pids and control & 0xC0]
    assert columns.first_scrambled(pids) == (scrambled[0] if scrambled else None)
    others = [place for place, (pid, _, _) in enumerate(packets) if pid not in pids[:1] and pid in ALIKE[2:]]
    assert list(columns.of_others(pids[:1], ALIKE[2:])) == others
    for pid in pids:
        own = [place for place, (other, _, _) in enumerate(packets) if other == pid]
        begins = [place for place in own if packets[place][1] & STARTS]
        assert list(places(columns.begins_of(pid))) == begins
        assert columns.counters(pid) == bytes(place + 3 & 15 for place in own)
        assert columns.all_have_payload(pid) == all(packets[place][2] & 0x10 for place in own)
        payloads = {place: payload_one_by_one(data[(place + 3) * PACKET_BYTES :][:PACKET_BYTES]) for place in own}
        for first in (0, 1, 50):
            assert columns.payloads(pid, first) == ([payloads[at] for at in own if at >= first], [at for at in own if at >= first])
        assert [columns.payload(place) for place in own] == list(payloads.values())
        for place, following in pairwise([*begins, len(packets)]):
            unit = [payloads[at] for at in own if place <= at < following]
            assert columns.unit(pid, place) == b"".join(unit)
            assert columns.unit(pid, place, packets=2) == b"".join(unit[:2])


def payload_one_by_one(packet: bytes) -> bytes:
    """Return what follows the header and the adaptation field of a packet (ISO/IEC 13818-1, 2.4.3.3)."""
    if not packet[3] & 0x10:
        return b""
    return packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]
