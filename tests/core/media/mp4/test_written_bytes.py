"""What is written, byte for byte, as ISO/IEC 14496-12 prints it: put together here with `struct` alone."""

import struct

import pytest

from transcoder.core.media.mp4.box_header import media_data_header
from transcoder.core.media.mp4.fragment import SampleTable, write_movie_fragment
from transcoder.core.media.mp4.mfra import IndexEntry, write_index
from transcoder.core.media.mp4.movie import EMPTY_EDIT, Edit, write_edits, write_fragment_duration
from transcoder.core.media.mp4.sample_tables import write_chunk_offsets


def pack(layout: str, *values: object) -> bytes:
    return struct.pack(">" + layout, *values)


def boxed(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return pack("I4s", 8 + len(body), kind) + body


@pytest.mark.parametrize(("offsets", "version"), [([], 0), ([0, 5], 0), ([5, 0], 0), ([5, -1], 1)])
def test_a_movie_fragment(offsets: list[int], version: int) -> None:
    """8.8.4 to 8.8.8 and 8.8.12: data count from the `moof`, and each sample lists all that it has."""
    count = len(offsets)
    table = SampleTable(3, 2**33, 128, [40] * count, [10] * count, [0x10000] * count, offsets)
    rows = b"".join(pack("IIIi", 40, 10, 0x10000, offset) for offset in offsets)
    traf = boxed(
        b"traf",
        boxed(b"tfhd", pack("II", 0x020000, 3)),
        boxed(b"tfdt", pack("IQ", 1 << 24, 2**33)),
        boxed(b"trun", pack("IIi", version << 24 | 0xF01, count, 128), rows),
    )
    assert write_movie_fragment(7, [table, table]) == boxed(b"moof", boxed(b"mfhd", pack("II", 0, 7)), traf, traf)


def test_an_index() -> None:
    """8.8.9 to 8.8.11: times and offsets of 64 bits, and numbers of one byte, of the first run and the first sample."""
    rows = pack("QQBBB", 5, 2**33, 2, 1, 1) + pack("QQBBB", 9, 2**33 + 1, 1, 1, 1)
    tfra = boxed(b"tfra", pack("IIII", 1 << 24, 4, 0, 2), rows)
    mfro = boxed(b"mfro", pack("II", 0, 8 + len(tfra) + 16))
    assert write_index(4, [IndexEntry(5, 2**33, 2), IndexEntry(9, 2**33 + 1, 1)]) == boxed(b"mfra", tfra, mfro)


def test_the_duration_of_a_fragmented_movie() -> None:
    """8.8.2."""
    assert write_fragment_duration(5) == boxed(b"mehd", pack("IQ", 1 << 24, 5))


@pytest.mark.parametrize(
    ("edit", "is_wide"),
    [
        pytest.param(Edit(2**32 - 1, 2**31 - 1), False, id="all that 32 bits hold"),
        pytest.param(Edit(2**32, 0), True, id="a longer duration"),
        pytest.param(Edit(0, 2**31), True, id="a later time"),
        pytest.param(Edit(1, EMPTY_EDIT), False, id="an empty edit"),
    ],
)
def test_an_edit_list(edit: Edit, *, is_wide: bool) -> None:
    """8.6.6: one entry that needs 64 bits makes all of them wide."""
    layout = "QqI" if is_wide else "IiI"
    for edits in ([edit], [Edit(1, 2), edit]):
        rows = b"".join(pack(layout, *each, 0x10000) for each in edits)
        assert write_edits(edits) == boxed(b"elst", pack("II", int(is_wide) << 24, len(edits)), rows)


@pytest.mark.parametrize(("wide", "kind", "layout"), [(False, b"stco", "3I"), (True, b"co64", "3Q")])
def test_the_offsets_of_chunks(kind: bytes, layout: str, *, wide: bool) -> None:
    """8.7.5."""
    offsets = [1, 2, 2**32 - 1]
    assert write_chunk_offsets(offsets, wide=wide) == boxed(kind, pack("II", 0, 3), pack(layout, *offsets))


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (0, pack("I4s", 8, b"mdat")),
        (2**32 - 9, pack("I4s", 2**32 - 1, b"mdat")),
        (2**32 - 8, pack("I4sQ", 1, b"mdat", 2**32 + 8)),
    ],
)
def test_the_header_of_media(length: int, header: bytes) -> None:
    """4.2: 32 bits as long as they hold the size of the whole box."""
    assert media_data_header(length) == header
