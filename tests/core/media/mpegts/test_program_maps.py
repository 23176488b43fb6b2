"""Program maps that change while a stream passes: streams may move to other PIDs, and nothing else may change."""

import pytest
from fuzz.media_pieces import PMT_PID, packet, section
from make_media import media
from peers.program_map_edits import edited, is_program_map, packets_of, pid_of, with_pid, with_pids
from peers.segment_inspection import inspect_segments, read_segments

from transcoder.core.media.mpegts.moved_pids import MovedPids
from transcoder.core.media.mpegts.program_maps import ProgramMaps
from transcoder.core.media.streams import Medium
from transcoder.errors import ProgramChangedError

H264, HEVC, AAC, MP3 = 0x1B, 0x24, 0x0F, 0x03
BOTH = {0x100: Medium.VIDEO, 0x101: Medium.AUDIO}
START = 0x4000


def pat(*numbers: int) -> bytes:
    return section(0, 1, b"".join(number.to_bytes(2) + (0xE000 | PMT_PID + number - 1).to_bytes(2) for number in numbers))


def pmt(number: int, *streams: tuple[int, int]) -> bytes:
    elements = b"".join(bytes([kind]) + (0xE000 | pid).to_bytes(2) + b"\xf0\0" for kind, pid in streams)
    return section(2, number, b"\xe1\0\xf0\0" + elements)


def moves(*maps: bytes, numbers: tuple[int, ...] = (1,), streams: dict[int, Medium] | None = None) -> list[dict[int, int]]:
    """Return what each map moves; the streams have their new PIDs from then on."""
    followed, current, found = ProgramMaps(), dict(BOTH if streams is None else streams), []
    assert followed.read(START, b"\0" + pat(*numbers), current) == {}
    for each in maps:
        moved = followed.read(START | PMT_PID + each[4] - 1, b"\0" + each, current)
        current = {moved.get(pid, pid): medium for pid, medium in current.items()}
        found.append(moved)
    return found


FIRST = pmt(1, (H264, 0x100), (AAC, 0x101))


def test_a_map_that_says_the_same_moves_nothing() -> None:
    assert moves(FIRST, FIRST, pmt(1, (AAC, 0x101), (H264, 0x100))) == [{}, {}, {}]


@pytest.mark.parametrize(
    ("later", "moved"),
    [
        (pmt(1, (H264, 0x200), (AAC, 0x101)), {0x100: 0x200}),
        (pmt(1, (H264, 0x100), (AAC, 0x201)), {0x101: 0x201}),
        (pmt(1, (H264, 0x200), (AAC, 0x201)), {0x100: 0x200, 0x101: 0x201}),
        (pmt(1, (H264, 0x300), (H264, 0x301), (AAC, 0x101)), {0x100: 0x300}),
        (pmt(1, (H264, 0x100)), {}),
        (pmt(1), {}),
        (pmt(1, (H264, 0x100), (AAC, 0x101), (AAC, 0x102)), {}),
        (pmt(1, (HEVC, 0x300), (AAC, 0x101)), {}),
        (pmt(1, (HEVC, 0x300), (H264, 0x301), (AAC, 0x101)), {0x100: 0x301}),
    ],
)
def test_a_stream_that_is_not_listed_any_more_has_moved_to_the_first_of_its_kind(later: bytes, moved: dict[int, int]) -> None:
    assert moves(FIRST, later) == [{}, moved]


def test_streams_may_move_again_and_back() -> None:
    there, further = pmt(1, (H264, 0x200), (AAC, 0x101)), pmt(1, (H264, 0x300), (AAC, 0x101))
    assert moves(FIRST, there, further, FIRST) == [{}, {0x100: 0x200}, {0x200: 0x300}, {0x300: 0x100}]


def test_a_stream_that_a_map_left_out_may_be_listed_again() -> None:
    assert moves(FIRST, pmt(1, (H264, 0x100)), FIRST) == [{}, {}, {}]


@pytest.mark.parametrize("later", [pmt(1, (HEVC, 0x100), (AAC, 0x101)), pmt(1, (H264, 0x100), (MP3, 0x101))])
def test_another_codec_on_the_same_pid_is_another_program(later: bytes) -> None:
    with pytest.raises(ProgramChangedError):
        moves(FIRST, later)


@pytest.mark.parametrize("streams", [{0x100: Medium.VIDEO}, {0x101: Medium.AUDIO}])
def test_a_medium_that_was_not_there_is_another_program(streams: dict[int, Medium]) -> None:
    with pytest.raises(ProgramChangedError):
        moves(FIRST, streams=streams)


def test_maps_of_other_programs_do_not_count() -> None:
    assert moves(FIRST, pmt(2, (HEVC, 0x100), (MP3, 0x500)), numbers=(1, 2)) == [{}, {}]
    with pytest.raises(ProgramChangedError):
        moves(FIRST, pmt(1, (HEVC, 0x100), (MP3, 0x500)), numbers=(1, 2))


def test_the_program_is_the_one_that_lists_the_streams_whichever_comes_first() -> None:
    other = pmt(2, (HEVC, 0x500), (MP3, 0x501))
    moved = pmt(1, (H264, 0x200), (AAC, 0x101))
    assert moves(other, FIRST, other, moved, numbers=(1, 2)) == [{}, {}, {}, {0x100: 0x200}]


@pytest.mark.parametrize("first_bytes", [2, 3, 12, 20, 183])
def test_a_map_may_come_in_two_packets(first_bytes: int) -> None:
    followed = ProgramMaps()
    followed.read(START, b"\0" + pat(1), BOTH)
    followed.read(START | PMT_PID, b"\0" + FIRST, BOTH)
    elements = b"\x1b\xe2\0\xf0\xc8" + b"\x52\x00" * 100 + b"\x0f\xe1\1\xf0\0"
    later = b"\0" + section(2, 1, b"\xe1\0\xf0\0" + elements)
    assert followed.read(START | PMT_PID, later[:first_bytes], BOTH) == {}
    assert followed.read(PMT_PID, later[first_bytes:], BOTH) == {0x100: 0x200}


@pytest.mark.parametrize(("numbers", "follows"), [((2,), True), ((2, 3), False), ((1,), False), ((1, 2), False), ((2, 1), False)])
def test_a_program_may_get_another_number_if_one_alone_is_listed(numbers: tuple[int, ...], *, follows: bool) -> None:
    """Of several programs, only its number says which one it is."""
    followed = ProgramMaps()
    for pid, table in ((0, pat(1, 2)), (PMT_PID, FIRST), (0, pat(*numbers))):
        assert followed.read(START | pid, b"\0" + table, BOTH) == {}
    moved = followed.read(START | PMT_PID + 1, b"\0" + pmt(2, (H264, 0x200), (AAC, 0x101)), BOTH)
    assert moved == ({0x100: 0x200} if follows else {})


def pids(packets: bytes) -> list[int]:
    return [(packets[at + 1] & 0x1F) << 8 | packets[at + 2] for at in range(0, len(packets), 188)]


@pytest.mark.parametrize(
    ("steps", "before", "after"),
    [
        ([], [0x100, 0x1FFE], [0x100, 0x1FFE]),
        ([(0x100, 0x200)], [0x100, 0x200, 0x101, 0], [0x100, 0x100, 0x101, 0]),
        ([(0x100, 0x200), (0x200, 0x1ABC)], [0x1ABC, 0x200], [0x100, 0x200]),
        ([(0x100, 0x200), (0x200, 0x100)], [0x100, 0x200], [0x100, 0x200]),
        ([(0x100, 0x200), (0x101, 0x100)], [0x200, 0x100], [0x100, 0x101]),
    ],
)
@pytest.mark.parametrize("flags", [0, 0x20, 0x40, 0x80, 0xE0])
def test_packets_get_the_pid_that_their_stream_began_with(
    steps: list[tuple[int, int]], before: list[int], after: list[int], flags: int
) -> None:
    moved = MovedPids()
    for old, new in steps:
        moved.move(old, new)
    plain = [packet(pid, bytes([pid & 0xFF]) * 100) for pid in before]
    packets = b"".join(each[:1] + bytes([each[1] | flags]) + each[2:] for each in plain)
    restored = moved.restored(packets)
    assert pids(restored) == after
    assert [restored[at + 3 : at + 188] for at in range(0, len(packets), 188)] == [
        packets[at + 3 : at + 188] for at in range(0, len(packets), 188)
    ]
    assert [restored[at + 1] & 0xE0 for at in range(0, len(packets), 188)] == [packets[at + 1] & 0xE0 for at in range(0, len(packets), 188)]


def test_whether_any_stream_has_moved() -> None:
    moved = MovedPids()
    assert not moved
    moved.move(0x100, 0x200)
    assert moved
    moved.move(0x200, 0x100)
    assert not moved


@pytest.mark.parametrize("ways", [[{0x100: 0x200}], [{0x101: 0x201}], [{0x100: 0x200, 0x101: 0x201}, {}], [{0x100: 0x200}, {0x100: 0x300}]])
def test_streams_that_move_between_segments_are_inspected_and_passed_on_as_if_they_had_not(ways: list[dict[int, int]]) -> None:
    _, segments = read_segments(media("ts-muxed"))
    moved = [segments[0]]
    for segment, pids_now in zip(segments[1:], ways, strict=False):
        packets = [
            edited(each, lambda map_section, now=pids_now: with_pids(map_section, now)) if is_program_map(each) else each  # type: ignore[misc]
            for each in packets_of(segment)
        ]
        moved.append(b"".join(with_pid(each, pids_now.get(pid_of(each), pid_of(each))) for each in packets))
    plain, expected = inspect_segments(segments[: len(moved)])
    inspector, passed_on = inspect_segments(moved)
    assert (inspector.samples, inspector.ends) == (plain.samples, plain.ends)
    own = {0x100, 0x101}
    assert [each for each in packets_of(passed_on) if pid_of(each) in own] == [each for each in packets_of(expected) if pid_of(each) in own]
