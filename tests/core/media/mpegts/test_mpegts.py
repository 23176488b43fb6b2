import pytest
from make_media import media
from peers.encoded_pieces import encoded
from peers.segment_inspection import copy_with_ffmpeg, inspect_segments, probe_segment, read_segments

from transcoder.core.media.audio_frames import AudioFrameCounter
from transcoder.core.media.audio_headers import read_opus_header
from transcoder.core.media.mpegts.packets import find_packets, is_transport_init, longer_packet_bytes
from transcoder.core.media.mpegts.pes import announced_bytes, has_whole_header, read_pes_header
from transcoder.core.media.mpegts.program_tables import SectionAssembler
from transcoder.core.media.streams import Medium
from transcoder.errors import UpstreamError

PACKET = 188
JUNK_BYTES = 65_536
"""So many bytes may lie before the first packet."""


@pytest.fixture(scope="module")
def two_programs() -> bytes:
    inputs = ("-f", "lavfi", "-i", "testsrc2=s=192x108:d=1", "-f", "lavfi", "-i", "testsrc2=s=192x108:d=1")
    programs = ("-program", "st=0", "-program", "st=1")
    return encoded(*inputs, "-map", "0", "-map", "1", "-c:v", "libx264", "-preset", "ultrafast", *programs, "-f", "mpegts")


@pytest.fixture(scope="module")
def opus() -> bytes:
    return encoded("-f", "lavfi", "-i", "sine=r=48000:d=1", "-c:a", "libopus", "-f", "mpegts")


def packets(data: bytes) -> list[bytes]:
    return [data[at : at + PACKET] for at in range(0, len(data), PACKET)]


def pid(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def test_first_of_several_programs_is_used(two_programs: bytes) -> None:
    probe = probe_segment(two_programs)
    inspector, _ = inspect_segments([two_programs])
    assert len(probe.streams) == 1
    assert inspector.samples == {Medium.VIDEO: 25}


def test_opus_access_units_are_those_that_ffmpeg_copies(opus: bytes) -> None:
    inspector, _ = inspect_segments([opus])
    expected = copy_with_ffmpeg(opus, "mpegts")[Medium.AUDIO]
    assert inspector.samples[Medium.AUDIO] == expected.samples
    assert inspector.ends[Medium.AUDIO] == pytest.approx(expected.end, abs=0.001)


def test_stream_that_begins_inside_a_group_of_pictures_is_counted_from_its_first_frame() -> None:
    _, segments = read_segments(media("ts-muxed"))
    parts = packets(b"".join(segments))
    cut = b"".join(parts[:3] + parts[60:])
    inspector, _ = inspect_segments([cut], probe_of=probe_segment(segments[0]))
    assert inspector.samples == {medium: stream.samples for medium, stream in copy_with_ffmpeg(cut, "mpegts").items()}


@pytest.mark.parametrize("kept", [0.31, 0.5, 0.77])
def test_stream_cut_off_anywhere_is_counted_to_its_last_byte(kept: float) -> None:
    _, segments = read_segments(media("ts-muxed"))
    parts = packets(b"".join(segments))
    cut = b"".join(parts[: int(len(parts) * kept)])
    inspector, _ = inspect_segments([cut])
    assert inspector.samples == {medium: stream.samples for medium, stream in copy_with_ffmpeg(cut, "mpegts").items()}


def test_null_packets_and_other_pids_are_ignored() -> None:
    _, segments = read_segments(media("ts-muxed"))
    null = b"G\x1f\xff\x10" + bytes(184)
    foreign = b"G\x41\xf4\x10" + b"\0\0\1\xbd" + bytes(180)
    padded = b"".join(packet + null + foreign for packet in packets(segments[0]))
    assert inspect_segments([padded])[0].samples == inspect_segments([segments[0]])[0].samples


def test_section_is_assembled_from_several_packets() -> None:
    _, segments = read_segments(media("ts-muxed"))
    pat = next(packet for packet in packets(segments[0]) if pid(packet) == 0)
    section = pat[5 : 5 + 3 + ((pat[6] & 0xF) << 8 | pat[7])]
    sections = SectionAssembler()
    found = [*sections.feed(b"\0" + section[:5], starts=True), *sections.feed(section[5:9], starts=False)]
    assert not found
    found += sections.feed(section[9:] + b"\xff" * 20, starts=False)
    found += sections.feed(bytes([0]) + section + section[:4], starts=True)
    found += sections.feed(bytes([len(section) - 4]) + section[4:] + section, starts=True)
    assert found == [section] * 4


def test_section_with_a_wrong_checksum_is_left_out() -> None:
    _, segments = read_segments(media("ts-muxed"))
    pat = bytearray(next(packet for packet in packets(segments[0]) if pid(packet) == 0))
    pat[12] ^= 1
    assert not list(SectionAssembler().feed(bytes(pat[4:]), starts=True))


@pytest.mark.parametrize(
    ("data", "whole", "at"),
    [
        (b"G" + bytes(187), True, 0),
        (b"G" + bytes(187), False, None),
        ((b"G" + bytes(187)) * 4, False, 0),
        (b"GIF89a" + bytes(94) + (b"G" + bytes(187)) * 4, False, 100),
        (b"G" + (b"G" + bytes(187)) * 4, False, 1),
        (bytes(70_000), False, -1),
        (bytes(100), False, None),
        (bytes(100), True, -1),
    ],
)
def test_packets_are_found_behind_junk(data: bytes, *, whole: bool, at: int | None) -> None:
    assert find_packets(data, whole=whole) == at


def test_timestamps_have_33_bits() -> None:
    latest = read_pes_header(bytes.fromhex("000001e0000080c00a 2fffffffff 1fffffffff"))
    assert latest
    assert latest.pts == latest.dts == pytest.approx((2**33 - 1) / 90_000)
    assert latest.length == 19


def test_incomplete_header_needs_more_bytes() -> None:
    header = bytes.fromhex("000001e000008080ff 2fffffffff") + b"\xff" * 250
    assert all(read_pes_header(header[:size]) is None for size in range(len(header)))
    assert read_pes_header(header)
    with pytest.raises(UpstreamError, match="does not begin"):
        read_pes_header(b"\0\0\2")


@pytest.mark.parametrize("flags", [0x00, 0x3F, 0x7F, 0x80, 0xBF, 0xC0, 0xFF])
@pytest.mark.parametrize("more", [0, 4, 5, 9, 10, 100, 255])
def test_a_header_is_whole_if_it_can_be_read(flags: int, more: int) -> None:
    """PTS_DTS_flags say which times are there, PES_header_data_length how many bytes (ISO/IEC 13818-1, 2.4.3.7)."""
    times = bytes.fromhex("3100010001 1100010003")
    packet = b"\0\0\1\xe0\0\0\x80" + bytes([flags, more]) + times[:more].ljust(more, b"\xff") + bytes(20)
    for size in range(len(packet)):
        header = read_pes_header(packet[:size])
        assert has_whole_header(packet[:size]) == (header is not None) == (size >= 9 + more)
    header = read_pes_header(packet)
    assert header
    pts = 0.0 if flags & 0x80 and more >= 5 else None
    assert (header.length, header.pts) == (9 + more, pts)
    assert header.dts == (1 / 90_000 if flags & 0x40 and flags & 0x80 and more >= 10 else pts)


@pytest.mark.parametrize("size", range(10))
def test_a_length_is_announced_by_two_bytes(size: int) -> None:
    """PES_packet_length counts what follows it; 0 says nothing."""
    for length in (0, 1, 255, 256, 65_535):
        payload = (b"\0\0\1\xe0" + length.to_bytes(2) + bytes(4))[:size]
        assert announced_bytes(payload) == (6 + length if length and size > 6 else 0)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("before", [0, 1, JUNK_BYTES - 1, JUNK_BYTES, JUNK_BYTES + 1])
@pytest.mark.parametrize("count", [1, 3, 4, 5])
def test_the_first_packet_begins_within_64_kib(before: int, count: int, *, whole: bool) -> None:
    """Four sync bytes prove packets; at the end of a segment, as many as there are."""
    data = b"\x55" * before + (b"G" + bytes(187)) * count
    expected: int | None = before if before < JUNK_BYTES else -1
    if count < 4 and not whole and before < JUNK_BYTES:
        expected = None
    assert find_packets(data, whole=whole) == expected
    if whole:
        assert find_packets(data[:-1], whole=True) == (expected if count >= 4 else -1)
    assert find_packets(b"\x55" * JUNK_BYTES, whole=whole) == -1
    assert find_packets(b"\x55" * (JUNK_BYTES - 1), whole=whole) == (-1 if whole else None)


@pytest.mark.parametrize(("size", "at"), [(192, 4), (192, 0), (204, 0)])
def test_four_sync_bytes_prove_longer_packets(size: int, at: int) -> None:
    data = bytes(at) + (b"G" + bytes(size - 1)) * 4
    assert longer_packet_bytes(data) == size
    assert longer_packet_bytes(data[: at + 3 * size + 1]) == size
    assert longer_packet_bytes(data[: at + 3 * size]) is None
    assert longer_packet_bytes(data[:-size] + bytes(size)) is None
    assert longer_packet_bytes((b"G" + bytes(187)) * 4) is None
    assert longer_packet_bytes(b"G" * 1000) is None, "packets of 188 bytes, too"


@pytest.mark.parametrize("data", [b"", b"G" + bytes(187), (b"G" + bytes(187)) * 3])
def test_an_initialization_section_is_whole_packets(data: bytes) -> None:
    assert is_transport_init(data) is bool(data)
    for other in (data + b"G", data[:-1] or b"\0", b"\0" + data[1:] or b"\0", data + bytes(188)):
        assert not is_transport_init(other)


def test_an_audio_frame_shorter_than_a_header_may_be_counts_as_soon_as_it_is_there() -> None:
    """Opus has packets of three bytes for silence."""
    frame = b"\x7f\xe0\x03\xfc\xff\xfe"
    counter = AudioFrameCounter(read_opus_header)
    for number in range(1, 4):
        counter.feed(frame)
        assert counter.count == number
        assert counter.seconds + counter.held_seconds == pytest.approx(number * 0.02)


def test_only_these_streams_have_packets_without_a_header() -> None:
    """ISO/IEC 13818-1, 2.4.3.6: maps, padding, private stream 2, ECM, EMM, DSM-CC, H.222.1 type E and directories."""
    headerless = {0xBC, 0xBE, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF}
    for stream in range(0xBC, 0x100):
        header = read_pes_header(b"\0\0\1" + bytes([stream]) + bytes.fromhex("0000808005 2100010001") + bytes(20))
        assert header
        assert (header.is_media, header.pts) == ((False, None) if stream in headerless else (True, 0.0)), hex(stream)
