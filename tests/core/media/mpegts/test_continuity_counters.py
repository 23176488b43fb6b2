"""Packets that are missing inside a segment are found by their counters; repeated and empty packets, and announced jumps, are no break."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.media.mpegts.continuity_counters import ContinuityCounters

PID, OTHER = 0x100, 0x101


def packet(counter: int, *, pid: int = PID, starts: bool = False, payload: bool = True, jump: bool = False) -> bytes:
    control = (0x20 if jump or not payload else 0) | (0x10 if payload else 0) | counter & 0x0F
    adaptation = bytes([1, 0x80 if jump else 0]) if control & 0x20 else b""
    return (bytes([0x47, (0x40 if starts else 0) | pid >> 8, pid & 0xFF, control]) + adaptation).ljust(188, b"\xff")


def follow(packets: list[bytes], *, sizes: list[int] | None = None) -> ContinuityCounters:
    counters = ContinuityCounters([PID])
    counters.begin_segment()
    edges = [0, *sorted(size % (len(packets) + 1) for size in sizes or []), len(packets)]
    for first, end in pairwise(edges):
        counters.feed(b"".join(packets[first:end]), end - first)
    return counters


@pytest.mark.parametrize(
    "packets",
    [
        pytest.param([packet(n) for n in range(40)], id="consecutive"),
        pytest.param([packet(n) for n in range(9, 30)], id="any first counter"),
        pytest.param([packet(0), packet(1), packet(1), packet(2)], id="a packet that is repeated"),
        pytest.param([packet(0), packet(0, payload=False), packet(0, payload=False), packet(1)], id="packets without payload"),
        pytest.param([packet(0), packet(1), packet(9, jump=True), packet(10)], id="a jump that is announced"),
        pytest.param([packet(0), packet(9, jump=True), packet(9), packet(10)], id="a jump that is announced in a packet that is repeated"),
        pytest.param([packet(0), packet(0, payload=False), packet(0), packet(1)], id="a repeated packet after one without payload"),
        pytest.param([packet(0), packet(7, pid=OTHER), packet(1), packet(3, pid=OTHER)], id="another PID"),
        pytest.param([], id="nothing"),
    ],
)
def test_no_packet_is_missing(packets: list[bytes]) -> None:
    found = follow(packets)
    assert (found.lost_inside, found.jumped) == (set(), set())


@pytest.mark.parametrize(
    ("packets", "lost_inside", "jumped"),
    [
        pytest.param([packet(0), packet(1), packet(3)], {PID}, set(), id="inside a PES packet"),
        pytest.param([packet(0), packet(1), packet(3, starts=True)], set(), {PID}, id="before the start of one"),
        pytest.param([packet(0), packet(1), packet(1), packet(1), packet(2)], {PID}, set(), id="the same packet three times"),
        pytest.param([packet(0), packet(5)[:3] + b"\x35\0" + packet(5)[5:]], {PID}, set(), id="before an adaptation field of no bytes"),
        pytest.param([packet(0), packet(0, payload=False), packet(2)], {PID}, set(), id="after a packet without payload"),
    ],
)
def test_missing_packets_are_found(packets: list[bytes], lost_inside: set[int], jumped: set[int]) -> None:
    found = follow(packets)
    assert (found.lost_inside, found.jumped) == (lost_inside, jumped)


@given(st.integers(0, 15), st.integers(2, 200), st.integers(0, 10_000), st.lists(st.integers(0, 300), max_size=6))
def test_one_missing_packet_is_found_wherever_the_pieces_are_cut(first: int, count: int, place: int, sizes: list[int]) -> None:
    packets = [packet(first + number) for number in range(count + 2)]
    assert not follow(packets, sizes=sizes).lost_inside
    del packets[1 + place % count]
    assert follow(packets, sizes=sizes).lost_inside == {PID}


@pytest.mark.parametrize(("first", "continued"), [(4, True), (5, False), (3, False)])
def test_a_jump_from_one_segment_to_the_next_is_noted_apart(first: int, *, continued: bool) -> None:
    counters = follow([packet(n) for n in range(4)])
    assert counters.continued == {}
    counters.feed(packet(4), 1)
    counters.begin_segment()
    later = [packet(n % 16) for n in range(first + 1, first + 4)]
    for each in [packet(first, payload=False), *later]:
        counters.feed(each, 1)
    assert (counters.continued, counters.lost_inside, counters.jumped) == ({PID: continued}, set(), set())


@pytest.mark.parametrize(("last", "continued"), [(4, True), (11, False)])
def test_packets_of_other_pids_and_those_without_payload_say_nothing_of_a_border(last: int, *, continued: bool) -> None:
    counters = follow([packet(last), packet(4, pid=OTHER), packet(last, payload=False), packet(11, pid=OTHER)])
    counters.begin_segment()
    later = [packet(12, pid=OTHER), packet(4, payload=False), packet(9, pid=OTHER), packet(4, payload=False), packet(5), packet(6)]
    counters.feed(b"".join(later), len(later))
    assert counters.continued == {PID: continued}


def with_adaptation(counter: int, *content: int) -> bytes:
    return (bytes([0x47, PID >> 8, PID & 0xFF, 0x30 | counter, len(content), *content])).ljust(188, b"\xff")


CLOCK = [0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("content", "full"),
    [
        pytest.param([], False, id="a byte of stuffing"),
        pytest.param([0], False, id="two bytes of stuffing"),
        pytest.param([0x40], True, id="a flag alone"),
        pytest.param([0x50, *CLOCK], True, id="a clock reference"),
        pytest.param([0x50, *CLOCK, 0xFF], False, id="a clock reference and stuffing"),
        pytest.param([0x1C, *CLOCK, *CLOCK, 9], True, id="two clock references and a splice countdown"),
        pytest.param([0x12, *CLOCK, 2, 7, 7], True, id="private data"),
        pytest.param([0x13, *CLOCK, 2, 7, 7, 1, 9], True, id="private data and an extension"),
        pytest.param([0x13, *CLOCK, 2, 7, 7, 1, 9, 0xFF], False, id="both, and stuffing"),
        pytest.param([0x03, 181, *[7] * 181], True, id="private data up to the end of the packet, and an extension that is not there"),
        pytest.param([0x03, 180, *[7] * 180, 0], True, id="private data, and an extension of no bytes at the end of the packet"),
    ],
)
def test_the_last_packet_of_a_frame_is_stuffed_beyond_what_its_adaptation_field_needs(content: list[int], *, full: bool) -> None:
    assert list(follow([packet(0), with_adaptation(1, *content)]).full) == ([PID] if full else [])


def test_only_the_last_packet_with_a_payload_counts() -> None:
    assert list(follow([packet(0), with_adaptation(1), packet(2)]).full) == [PID]
    assert list(follow([packet(0), packet(0, payload=False)]).full) == [PID]
    assert list(follow([packet(0), with_adaptation(1), packet(1, payload=False)]).full) == []


def test_the_next_segment_may_begin_with_any_counter() -> None:
    found = follow([packet(0), packet(1)])
    found.begin_segment()
    found.feed(packet(9) + packet(10), 2)
    assert (found.lost_inside, found.jumped) == (set(), set())


def drawn_packet(chance: random.Random, counter: int) -> bytes:
    """Return a packet with any payload; few have an adaptation field, or nothing else, or announce a jump."""
    head = bytes([0x47, chance.choice((0x01, 0x01, 0x41)), 0, counter & 15 | chance.choice((0x10, 0x10, 0x10, 0x30, 0x20))])
    field = bytes([chance.choice((0, 1, 7)), chance.choice((0, 0x10, 0x01, 0x7F, 0x80, 0xFF))]) if head[3] & 0x20 else b""
    return (head + field + chance.randbytes(184))[:188]


def read_one_by_one(packets: list[bytes]) -> tuple[bool, bool]:
    """Return whether packets are missing inside a unit, and before one, as ISO/IEC 13818-1, 2.4.3.3, defines continuity_counter."""
    last, was_repeated, inside, before = None, False, False, False
    for each in packets:
        counter, announced = each[3] & 15, each[3] & 0x20 and each[4] > 0 and each[5] & 0x80
        if not each[3] & 0x10 or announced:
            last, was_repeated = counter, False
            continue
        repeats = counter == last and not was_repeated
        if last is not None and not repeats and counter != (last + 1) % 16:
            inside, before = inside or not each[1] & 0x40, before or bool(each[1] & 0x40)
        last, was_repeated = counter, repeats
    return inside, before


@pytest.mark.parametrize("seed", range(40))
def test_counters_are_followed_whatever_packets_hold(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - it must be repeatable
    packets, counter = list[bytes](), chance.randrange(16)
    for _ in range(chance.choice((3, 30, 60))):
        packets.append(drawn_packet(chance, counter))
        if not packets[-1][3] & 0x10:
            packets[-1] = packets[-1][:3] + bytes([0x20 | counter - 1 & 15]) + packets[-1][4:]
        else:
            counter += chance.choice((1,) * 30 + (0, 2))
    found = follow(packets, sizes=[chance.randrange(60), chance.randrange(60)])
    assert (bool(found.lost_inside), bool(found.jumped)) == read_one_by_one(packets)
    assert found.lost_inside | found.jumped <= {PID}


def test_what_a_pid_has_shown_is_told_of_the_one_that_it_has_moved_to() -> None:
    counters = ContinuityCounters([PID, OTHER])
    for pid in (PID, OTHER):
        counters.feed(packet(3, pid=pid), 1)
    counters.begin_segment()
    counters.feed(packet(4) + packet(9, starts=True) + packet(4, pid=OTHER), 3)
    counters.move(PID, 0x200)
    assert (counters.continued, counters.jumped) == ({0x200: True, OTHER: True}, {0x200})
    assert list(counters.full) == [OTHER]
    counters.feed(packet(1, pid=0x200) + packet(2, pid=0x200) + packet(5, pid=OTHER) + packet(11), 4)
    assert (counters.lost_inside, counters.jumped) == (set(), {0x200})
    assert sorted(counters.full) == [OTHER, 0x200]
    counters.feed(packet(7, pid=0x200), 1)
    assert counters.lost_inside == {0x200}
    counters.begin_segment()
    assert (counters.lost_inside, counters.jumped, counters.continued) == (set(), set(), {})


@pytest.mark.parametrize("last", range(16))
def test_a_cut_between_two_packets_hides_nothing_of_what_is_missing_there(last: int) -> None:
    for first in range(16):
        before, after = [packet(last - 1), packet(last)], [packet(first + number) for number in range(3)]
        is_break = first not in {last, (last + 1) % 16}  # one may be repeated
        for sizes in ([], [2], [1, 2, 3]):
            assert follow([*before, *after], sizes=sizes).lost_inside == ({PID} if is_break else set()), (first, sizes)
