"""Which program map applies to a segment that has several, and what has to be said of it before the segment."""

from collections.abc import Callable

import pytest
from fuzz.media_pieces import PMT_PID, packet, section

from transcoder.core.media.mpegts.program_search import find_program
from transcoder.core.media.mpegts.program_tables import Program, section_packets
from transcoder.core.media.streams import Medium

H264, AAC, PRIVATE = 0x1B, 0x0F, 0x05
NULL = packet(0x1FFF, bytes(184))


def pat(*numbers: int) -> bytes:
    """Return the packets of a PAT; the map of each program has a PID of its own."""
    return section_packets(section(0, 1, b"".join(number.to_bytes(2) + (0xE000 | PMT_PID + number).to_bytes(2) for number in numbers)), 0)


def pmt(number: int, *streams: tuple[int, int]) -> bytes:
    elements = b"".join(bytes([kind]) + (0xE000 | pid).to_bytes(2) + b"\xf0\0" for kind, pid in streams)
    return section_packets(section(2, number, b"\xe1\0\xf0\0" + elements), PMT_PID + number)


SOUND, PICTURE, NOTHING = pmt(1, (AAC, 0x101)), pmt(1, (H264, 0x100)), pmt(1, (PRIVATE, 0x102))
BOTH, OTHER_SOUND = pmt(1, (H264, 0x100), (AAC, 0x101)), pmt(1, (AAC, 0x105))


def has_video(program: Program) -> bool:
    return Medium.VIDEO in program.media


def anything(_: Program) -> bool:
    return True


def never(_: Program) -> bool:
    return False


@pytest.mark.parametrize(
    ("packets", "is_wanted", "applies", "tables"),
    [
        pytest.param([pat(1), SOUND], anything, SOUND, b"", id="the only one"),
        pytest.param([NULL, pat(1), NULL, SOUND, NULL], never, SOUND, b"", id="the only one, though another one is wanted"),
        pytest.param([pat(1), SOUND, BOTH], anything, SOUND, b"", id="the first of several"),
        pytest.param([pat(1), SOUND, PICTURE, BOTH], has_video, PICTURE, pat(1) + PICTURE, id="the first that is wanted"),
        pytest.param([pat(1), SOUND, BOTH, PICTURE], never, BOTH, pat(1) + BOTH, id="the one with the most media"),
        pytest.param([pat(1), SOUND, PICTURE, OTHER_SOUND], never, SOUND, b"", id="the first of those with as many"),
        pytest.param([pat(1), NOTHING, BOTH], anything, BOTH, b"", id="one without media does not count"),
        pytest.param([pat(1), BOTH, SOUND], has_video, BOTH, b"", id="a later one with less"),
        pytest.param([SOUND, pat(1), BOTH], anything, BOTH, b"", id="a map before the PAT is none"),
        pytest.param([pat(1), SOUND, pat(1, 2), BOTH], has_video, BOTH, pat(1, 2) + BOTH, id="with the PAT that comes before it"),
        pytest.param(
            [pat(2, 1), BOTH, pmt(2, (H264, 0x200))], anything, pmt(2, (H264, 0x200)), pat(2, 1) + pmt(2, (H264, 0x200)), id="listed first"
        ),
        pytest.param([pat(2, 1), BOTH, pmt(2, (PRIVATE, 0x200))], anything, BOTH, b"", id="listed first, without media"),
        pytest.param([pat(1, 2), pmt(2, (H264, 0x200))], anything, pmt(2, (H264, 0x200)), b"", id="only the second one has a map"),
        pytest.param([pat(1, 2), pat(2, 1), pmt(2, (H264, 0x200)), BOTH], anything, BOTH, pat(2, 1) + BOTH, id="by the first PAT"),
    ],
)
def test_the_map_that_applies(packets: list[bytes], is_wanted: Callable[[Program], bool], applies: bytes, tables: bytes) -> None:
    found = find_program(b"".join(packets), is_wanted)
    assert found
    assert section_packets(found.program.section, PMT_PID + found.program.number) == applies
    assert found.tables == tables


@pytest.mark.parametrize("packets", [b"", NULL, pat(1), SOUND, pat(1) + NOTHING, pat(2) + SOUND, pat(1) + pmt(1)])
def test_a_segment_may_have_no_map(packets: bytes) -> None:
    assert find_program(packets, anything) is None


def test_nothing_behind_the_map_that_is_wanted_is_read() -> None:
    """Which program is listed first is known by then; a map of another program does not end the search."""
    seen = list[int]()

    def note(program: Program) -> bool:
        seen.append(program.number)
        return True

    listed_later = pat(1, 2) + pmt(2, (H264, 0x200)) + BOTH + SOUND * 3
    assert find_program(listed_later, note)
    assert set(seen) == {1}
