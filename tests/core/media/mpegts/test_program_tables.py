"""Program tables: each stream type and descriptor, networks, and what a section must be to count."""

import tracemalloc

import pytest

from transcoder.core.media.mpegts.packets import PACKET_BYTES
from transcoder.core.media.mpegts.program_search import find_program
from transcoder.core.media.mpegts.program_tables import (
    PAT_PID,
    Program,
    SectionAssembler,
    _crc_table,
    listed_programs,
    read_program,
    section_crc,
    section_packets,
)
from transcoder.core.media.streams import Medium
from transcoder.errors import UnsupportedSourceError

STREAM_TYPES = {
    0x01: ("video", "mpeg1video"),
    0x02: ("video", "mpeg2video"),
    0x03: ("audio", "mp3"),
    0x04: ("audio", "mp3"),
    0x0F: ("audio", "aac"),
    0x10: ("video", "mpeg4"),
    0x11: ("audio", "aac_latm"),
    0x1B: ("video", "h264"),
    0x20: ("video", "h264"),
    0x24: ("video", "hevc"),
    0x33: ("video", "vvc"),
    0x81: ("audio", "ac3"),
    0x82: ("audio", "dts"),
    0x87: ("audio", "eac3"),
    0x8A: ("audio", "dts"),
    0xD1: ("video", "dirac"),
    0xEA: ("video", "vc1"),
}
"""ISO/IEC 13818-1, table 2-34, and what ATSC, Blu-ray and SMPTE have registered."""
REGISTERED = {
    b"AC-3": ("audio", "ac3"),
    b"EAC3": ("audio", "eac3"),
    b"Opus": ("audio", "opus"),
    b"HEVC": ("video", "hevc"),
    b"AV01": ("video", "av1"),
    b"BSSD": ("audio", "s302m"),
    b"DTS1": ("audio", "dts"),
    b"DTS2": ("audio", "dts"),
    b"DTS3": ("audio", "dts"),
}
DVB = {0x6A: "ac3", 0x7A: "eac3", 0x7B: "dts"}


def section(table: int, number: int, content: bytes, *, in_force: bool = True) -> bytes:
    """Return a section with its checksum (ISO/IEC 13818-1, 2.4.4)."""
    head = bytes([table, 0xB0 | (len(content) + 9) >> 8, (len(content) + 9) & 0xFF, number >> 8, number & 0xFF, 0xC0 | in_force, 0, 0])
    return head + content + section_crc(head + content).to_bytes(4)


def pat(*programs: tuple[int, int], in_force: bool = True) -> bytes:
    return section(0, 1, b"".join(number.to_bytes(2) + (0xE000 | pid).to_bytes(2) for number, pid in programs), in_force=in_force)


def element(kind: int, pid: int, descriptors: bytes = b"") -> bytes:
    return bytes([kind]) + (0xE000 | pid).to_bytes(2) + (0xF000 | len(descriptors)).to_bytes(2) + descriptors


def pmt(number: int, *elements: bytes, in_force: bool = True, program_info: bytes = b"") -> bytes:
    info = (0xF000 | len(program_info)).to_bytes(2) + program_info
    return section(2, number, b"\xe1\x00" + info + b"".join(elements), in_force=in_force)


def streams(program: Program | None) -> list[tuple[int, str, str]]:
    assert program is not None
    return [(each.pid, each.medium.value, each.codec) for each in program.streams]


def test_each_stream_type_is_that_of_the_standard_or_left_out() -> None:
    encrypted = {0xC1, 0xC2, 0xCF, 0xDB}
    for kind in set(range(256)) - encrypted:
        found = STREAM_TYPES.get(kind)
        assert streams(read_program(pmt(7, element(kind, 0x1234)))) == ([(0x1234, *found)] if found else []), kind
    for kind in encrypted:
        with pytest.raises(UnsupportedSourceError, match="protected"):
            read_program(pmt(7, element(kind, 0x1234)))


@pytest.mark.parametrize(("registered", "found"), REGISTERED.items())
def test_private_data_are_what_their_registration_says(registered: bytes, found: tuple[str, str]) -> None:
    assert streams(read_program(pmt(7, element(0x06, 0x101, b"\x05\x04" + registered)))) == [(0x101, *found)]
    assert streams(read_program(pmt(7, element(0x15, 0x101, b"\x05\x04" + registered)))) == []


@pytest.mark.parametrize(("tag", "codec"), DVB.items())
def test_private_data_are_what_a_descriptor_of_dvb_says(tag: int, codec: str) -> None:
    descriptors = b"\x52\x01\x09" + bytes([tag, 1, 0])
    assert streams(read_program(pmt(7, element(0x06, 0x101, descriptors)))) == [(0x101, "audio", codec)]


@pytest.mark.parametrize(
    ("descriptors", "is_description"),
    [
        (b"", False),
        (b"\x0a\x04eng\x00", False),
        (b"\x0a\x04eng\x03", True),
        (b"\x0a\x03eng", False),
        (b"\x0a\x04eng\x02", False),
        (b"\x7f\x02\x06\x04", True),
        (b"\x7f\x02\x06\x84", True),
        (b"\x7f\x02\x06\x08", False),
        (b"\x7f\x02\x07\x04", False),
        (b"\x7f\x01\x06", False),
        (b"\x52\x01\x09\x0a\x04eng\x03", True),
    ],
)
@pytest.mark.parametrize("kind", [0x0F, 0x06])
def test_audio_for_those_who_cannot_see_is_marked(descriptors: bytes, kind: int, *, is_description: bool) -> None:
    program = read_program(pmt(7, element(kind, 0x101, b"\x05\x04AC-3" + descriptors)))
    assert program
    assert [each.is_description for each in program.streams] == [is_description]


@pytest.mark.parametrize("rest", [b"\x05", b"\x0a", b"\x6a", b"\x05\x04AC", b"\x0a\x04en", b"\x0a\xff"])
def test_a_descriptor_that_is_cut_short_says_nothing(rest: bytes) -> None:
    for kind, found in ((0x06, []), (0x0F, [(0x101, "audio", "aac")])):
        program = read_program(pmt(7, element(kind, 0x101, rest)))
        assert streams(program) == found
        assert program
        assert not any(each.is_description for each in program.streams)
    assert streams(read_program(pmt(7, element(0x06, 0x101, b"\x6a\x01\0" + rest)))) == [(0x101, "audio", "ac3")]


def test_video_is_never_marked() -> None:
    program = read_program(pmt(7, element(0x1B, 0x100, b"\x0a\x04eng\x03")))
    assert program
    assert [each.is_description for each in program.streams] == [False]


def test_descriptors_of_the_program_and_of_a_stream_do_not_move_what_follows() -> None:
    found = read_program(pmt(7, element(0x1B, 0x100, b"\x28\x04abcd"), element(0x0F, 0x1FFE), program_info=b"\x05\x04HDMV" * 50))
    assert streams(found) == [(0x100, "video", "h264"), (0x1FFE, "audio", "aac")]
    assert found
    assert (found.number, found.media) == (7, frozenset(Medium))


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 700])
def test_descriptors_may_be_long(size: int) -> None:
    """Twelve bits of ES_info_length and program_info_length (ISO/IEC 13818-1, 2.4.4.8)."""
    found = read_program(pmt(7, element(0x1B, 0x100, b"\xf0" * size), element(0x0F, 0x1FFE)))
    assert streams(found) == [(0x100, "video", "h264"), (0x1FFE, "audio", "aac")]
    assert streams(read_program(pmt(7, element(0x1B, 0x100), program_info=b"\xf0" * size))) == [(0x100, "video", "h264")]


def test_a_map_of_nothing_is_a_map() -> None:
    assert streams(read_program(pmt(300))) == []
    program = read_program(pmt(300))
    assert program
    assert program.number == 300


def test_a_table_that_is_not_in_force_or_another_one_does_not_count() -> None:
    assert read_program(pmt(1, element(0x1B, 0x100), in_force=False)) is None
    assert read_program(pat((1, 0x100))) is None
    assert listed_programs(pat((1, 0x100), in_force=False)) == ()
    assert listed_programs(pmt(1, element(0x1B, 0x100))) == ()
    assert listed_programs(b"\0") == ()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_network_that_a_pat_lists_is_no_program(place: int) -> None:
    programs = [(1, 0x1000), (0x1234, 0x1ABC)]
    listed = [*programs[:place], (0, 0x10), *programs[place:]]
    assert listed_programs(pat(*listed)) == tuple(programs)


@pytest.mark.parametrize("place", [0, 1])
def test_a_program_is_found_beside_a_network(place: int) -> None:
    """A table of the network, on the PID that the PAT gives for it, may look like anything."""
    listed = [(1, 0x1000)]
    listed.insert(place, (0, 0x10))
    looks_like_a_map = section_packets(pmt(0, element(0x02, 0x777)), 0x10)
    packets = section_packets(pat(*listed), PAT_PID) + looks_like_a_map + section_packets(pmt(1, element(0x1B, 0x100)), 0x1000)
    found = find_program(packets, lambda _: True)
    assert found
    assert streams(found.program) == [(0x100, "video", "h264")]


@pytest.mark.parametrize("elements", [1, 30, 180])
@pytest.mark.parametrize("pid", [0, 0x1000, 0x1FFE])
def test_a_section_is_read_from_the_packets_that_carry_it(elements: int, pid: int) -> None:
    written = pmt(1, *[element(0x1B, 0x100 + number) for number in range(elements)])
    data = section_packets(written, pid)
    assembler, found = SectionAssembler(), list[bytes]()
    for number in range(len(data) // PACKET_BYTES):
        packet = data[number * PACKET_BYTES :][:PACKET_BYTES]
        assert packet[0] == 0x47
        assert (packet[1] & 0x1F) << 8 | packet[2] == pid
        assert packet[3] == 0x10 | number & 0x0F
        found += assembler.feed(packet[4:], starts=bool(packet[1] & 0x40))
    assert found == [written]
    assert len(data) == -(-(len(written) + 1) // 184) * PACKET_BYTES


def test_the_checksum_is_that_of_the_standard() -> None:
    """CRC-32/MPEG-2 of the nine digits, as catalogues of checksums give it."""
    assert section_crc(b"123456789") == 0x0376E6E7


def test_the_table_of_checksums_has_the_remainder_of_each_byte() -> None:
    """By division by the polynomial of annex A, bit by bit."""

    def remainder(octet: int) -> int:
        rest = octet << 32
        for bit in range(39, 31, -1):
            rest ^= (0x104C11DB7 << bit - 32) * (rest >> bit & 1)
        return rest

    assert _crc_table() == tuple(map(remainder, range(256)))


def test_a_section_that_is_cut_short_is_no_table() -> None:
    """The shortest map has twelve bytes and its checksum."""
    whole = pmt(7)
    assert len(whole) == 16
    assert read_program(whole)
    assert [size for size in range(1, 16) if read_program(whole[:size]) is not None] == []
    assert listed_programs(pat()) == ()
    assert [listed_programs(pat((1, 0x100))[:size]) for size in range(1, 6)] == [()] * 5


@pytest.mark.parametrize("stuffing", [1, 100])
def test_nothing_is_held_of_what_follows_stuffing_and_begins_no_section(stuffing: int) -> None:
    """A stream that repeats such packets would take as much memory as it has bytes."""
    assembler, written = SectionAssembler(), pmt(7, element(0x1B, 0x100))
    assert list(assembler.feed(b"\0" + written + b"\xff" * stuffing, starts=True)) == [written]
    tracemalloc.start()
    try:
        for _ in range(1000):
            assert list(assembler.feed(b"\xff" * 184, starts=False)) == []
        assert tracemalloc.get_traced_memory()[1] < 20_000
    finally:
        tracemalloc.stop()
    assert list(assembler.feed(b"\0" + written, starts=True)) == [written]


@pytest.mark.parametrize("others", [1, 2])
def test_the_program_that_is_listed_first_counts_wherever_its_map_comes(others: int) -> None:
    maps = [section_packets(pmt(number, element(0x1B, 0x100 * number)), 0x1000 + number) for number in range(1, 2 + others)]
    listed = section_packets(pat(*[(number, 0x1000 + number) for number in range(1, 2 + others)]), PAT_PID)
    for order in (maps, maps[::-1]):
        found = find_program(listed + b"".join(order), lambda _: True)
        assert found
        assert streams(found.program) == [(0x100, "video", "h264")]
