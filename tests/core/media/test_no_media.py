"""Which segments carry no media, as one may at the end of a track."""

import pytest
from make_media import media
from peers.segment_inspection import inspect_segments, read_segments

from transcoder.core.media.mp4.boxes import box, full_box
from transcoder.core.media.no_media import carries_no_media

PACKET_BYTES = 188
NULL_PACKET = b"G\x1f\xff\x10" + 184 * b"\xff"
CLOCK_PACKET = b"G\x01\x00\x20" + bytes([183, 0x10]) + 182 * b"\xff"
"""A packet of the video's PID with an adaptation field and nothing else."""
TAG = b"ID3\4\0\0\0\0\0\x0a" + bytes(10)


def transport_segment() -> bytes:
    return read_segments(media("faults-ts-muxed"))[1][0]


def tables() -> bytes:
    return transport_segment()[: 3 * PACKET_BYTES]


def fragmented() -> tuple[bytes, list[bytes]]:
    return read_segments(media("faults-fragments"))


def empty_fragment(*, runs: bytes = b"", number: int = 9) -> bytes:
    """Return a `moof` whose track fragment has no samples."""
    header, time = full_box(b"tfhd", 0, 0x20000, (1).to_bytes(4)), full_box(b"tfdt", 1, 0, bytes(8))
    return box(b"moof", full_box(b"mfhd", 0, 0, number.to_bytes(4)), box(b"traf", header, time, runs))


EMPTY_RUN = full_box(b"trun", 0, 1, bytes(8))


@pytest.mark.parametrize(
    "segment",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(tables(), id="program tables"),
        pytest.param(tables() + 5 * NULL_PACKET, id="program tables and null packets"),
        pytest.param(NULL_PACKET, id="a null packet"),
        pytest.param(tables() + CLOCK_PACKET, id="program tables and a clock"),
        pytest.param(tables() + bytes(12), id="program tables and zeros after them"),
        pytest.param(TAG, id="a tag of packed audio"),
        pytest.param(box(b"styp", b"msdh"), id="a box"),
    ],
)
def test_a_segment_without_media(segment: bytes) -> None:
    assert carries_no_media(segment)


@pytest.mark.parametrize(
    "segment",
    [
        pytest.param(transport_segment(), id="media"),
        pytest.param(transport_segment()[: 4 * PACKET_BYTES], id="the first packet of a frame"),
        pytest.param(transport_segment()[4 * PACKET_BYTES :][:PACKET_BYTES], id="a packet inside a frame"),
        pytest.param(tables()[:-1], id="cut program tables"),
        pytest.param(tables() + bytes(50) + NULL_PACKET, id="packets after other bytes"),
        pytest.param(bytes(1000), id="zeros"),
        pytest.param(b"<html>Sorry</html>", id="a web page"),
        pytest.param(TAG[:-1], id="a cut tag"),
        pytest.param(TAG + b"\xff\xf1", id="the beginning of an audio frame"),
        pytest.param(box(b"styp", b"msdh")[:-1], id="a cut box"),
        pytest.param(box(b"styp", b"msdh") + box(b"mdat", b"media"), id="media without a fragment"),
    ],
)
def test_a_segment_that_may_have_lost_its_media(segment: bytes) -> None:
    assert not carries_no_media(segment)


@pytest.mark.parametrize("flags", [0, 0x40])
@pytest.mark.parametrize(
    ("pid", "is_empty"),
    [(0x01, True), (0x11, True), (0x1E, True), (0x1F, True), (0x20, False), (0x101, False), (0x1FFE, False), (0x1FFF, True)],
)
def test_only_the_first_pids_and_the_last_one_are_never_media(pid: int, flags: int, *, is_empty: bool) -> None:
    """ISO/IEC 13818-1, table 2-3, and ETSI EN 300 468, table 1."""
    packet = bytes([0x47, flags | pid >> 8, pid & 0xFF, 0x10]) + bytes(184)
    assert carries_no_media(tables() + packet) is is_empty
    without_payload = bytes([0x47, flags | pid >> 8, pid & 0xFF, 0x20, 183, 0]) + 182 * b"\xff"
    assert carries_no_media(tables() + without_payload)


def test_program_tables_may_be_in_the_initialization_section() -> None:
    program_map = next(tables()[at : at + PACKET_BYTES] for at in (PACKET_BYTES, 2 * PACKET_BYTES) if tables()[at + 1] & 0x1F == 0x10)
    assert not carries_no_media(program_map)
    assert carries_no_media(program_map, init=tables())
    assert not carries_no_media(transport_segment(), init=tables())


@pytest.mark.parametrize(
    ("segment", "is_empty"),
    [
        pytest.param(empty_fragment(), True, id="a fragment without a run"),
        pytest.param(empty_fragment(runs=EMPTY_RUN), True, id="a fragment with an empty run"),
        pytest.param(box(b"styp", b"msdh") + empty_fragment(runs=EMPTY_RUN) + box(b"mdat"), True, id="with an empty mdat"),
        pytest.param(box(b"moof", full_box(b"mfhd", 0, 0, bytes(4))), True, id="a fragment of no track"),
        pytest.param(empty_fragment() + box(b"mdat", b"media"), False, id="media of no fragment"),
        pytest.param(empty_fragment()[:-1], False, id="a cut fragment"),
        pytest.param(empty_fragment() + fragmented()[1][0], False, id="an empty fragment and media"),
        pytest.param(transport_segment(), False, id="another container"),
    ],
)
def test_a_fragmented_mp4_without_samples(segment: bytes, *, is_empty: bool) -> None:
    assert carries_no_media(segment, init=fragmented()[0]) is is_empty


@pytest.mark.parametrize("empty", [empty_fragment(), empty_fragment(runs=EMPTY_RUN), empty_fragment(runs=EMPTY_RUN) + box(b"mdat")])
def test_empty_fragments_beside_full_ones_change_nothing(empty: bytes) -> None:
    init, segments = fragmented()
    expected, _ = inspect_segments(segments, init=init)
    inspector, _ = inspect_segments([empty + segment + empty for segment in segments], init=init)
    assert (inspector.samples, inspector.starts, inspector.ends) == (expected.samples, expected.starts, expected.ends)
    assert inspector.packets.smallest_fragment == expected.packets.smallest_fragment
    assert inspector.units == expected.units
