"""Packets that are missing inside a segment are found by their counters; repeated and empty packets, and announced jumps, are no break."""

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


@pytest.mark.parametrize("last", range(16))
def test_a_cut_between_two_packets_hides_nothing_of_what_is_missing_there(last: int) -> None:
    for first in range(16):
        before, after = [packet(last - 1), packet(last)], [packet(first + number) for number in range(3)]
        is_break = first not in {last, (last + 1) % 16}  # one may be repeated
        for sizes in ([], [2], [1, 2, 3]):
            assert follow([*before, *after], sizes=sizes).lost_inside == ({PID} if is_break else set()), (first, sizes)
