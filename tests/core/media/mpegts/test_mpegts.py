import pytest
from generated_video import run_ffmpeg
from make_media import media
from peers.segment_inspection import copy_with_ffmpeg, inspect_segments, probe_segment, read_segments

from transcoder.core.media.audio_frames import AudioFrameCounter
from transcoder.core.media.audio_headers import read_opus_header
from transcoder.core.media.mpegts.packets import find_packets
from transcoder.core.media.mpegts.pes import read_pes_header
from transcoder.core.media.mpegts.program_tables import SectionAssembler
from transcoder.core.media.streams import Medium
from transcoder.errors import UpstreamError

PACKET = 188


@pytest.fixture(scope="module")
def two_programs(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("ts") / "two.ts"
    inputs = ("-f", "lavfi", "-i", "testsrc2=s=192x108:d=1", "-f", "lavfi", "-i", "testsrc2=s=192x108:d=1")
    run_ffmpeg(*inputs, "-map", "0", "-map", "1", "-c:v", "libx264", "-preset", "ultrafast", "-program", "st=0", "-program", "st=1", file)
    return file.read_bytes()


@pytest.fixture(scope="module")
def opus(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("ts") / "opus.ts"
    run_ffmpeg("-f", "lavfi", "-i", "sine=r=48000:d=1", "-c:a", "libopus", file)
    return file.read_bytes()


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
