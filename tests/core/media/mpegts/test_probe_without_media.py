"""What a transport stream shows where its first frame comes late, or where it has nothing but tables, or not even these."""

import pytest
from fuzz.media_pieces import AUDIO_PID, PACKET_BYTES, TABLES, VIDEO_PID, packet, pes

from transcoder.core.media.mpegts.probe import probe_transport
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.errors import UpstreamError

NULL_PACKETS = packet(0x1FFF, bytes(184)) * 5
BEFORE = Probe(
    Container.MPEGTS,
    (Stream(Medium.VIDEO, "h264", VIDEO_PID, 5.0), Stream(Medium.AUDIO, "aac", AUDIO_PID, 5.0, 44_100, 1)),
)
FRAME_BYTES = 300


def adts_frame() -> bytes:
    """Return a frame of AAC at 44.1 kHz in mono."""
    return b"\xff\xf1\x50\x40" + bytes([FRAME_BYTES >> 3, (FRAME_BYTES & 7) << 5 | 0x1F, 0xFC]) + bytes(FRAME_BYTES - 7)


def packets(unit: bytes, pid: int) -> bytes:
    """Return the transport packets of a PES packet."""
    parts = [unit[at : at + 184] for at in range(0, len(unit), 184)]
    return b"".join(packet(pid, part, starts=not number, counter=number) for number, part in enumerate(parts))


def probed(segment: bytes, *, previous: Probe | None = None, whole: bool = True) -> list[tuple[str, str, float | None, int | None]]:
    found = probe_transport(segment, whole=whole, previous=previous)
    assert found
    return [(each.medium.value, each.codec, each.start, each.sample_rate) for each in found.streams]


@pytest.mark.parametrize("before_frame", [0, 1, 170, 171, 184, 500, 2000, 9000])
def test_the_first_audio_frame_need_not_lie_in_the_first_packet_of_its_pes(before_frame: int) -> None:
    """A PES packet may begin inside a frame (ISO/IEC 13818-1, 2.4.3.7), which may be as long as 8191 bytes."""
    audio = packets(pes(90_000, bytes(before_frame) + adts_frame() * 4, stream=0xC0), AUDIO_PID)
    segment = TABLES + packets(pes(90_000, b"\0\0\1\x67\0\0\1\x65" + bytes(300)), VIDEO_PID) + audio
    found = probe_transport(segment, whole=True)
    assert found
    stream = found.main(Medium.AUDIO)
    assert stream
    assert (stream.codec, stream.start, stream.sample_rate, stream.channels) == ("aac", 1.0, 44_100, 1)
    for end in range(0, len(segment), PACKET_BYTES):
        assert probe_transport(segment[:end], whole=False) in {None, found}, end


@pytest.mark.parametrize("stuffing", [0, 100, 161, 170, 171, 250])
def test_a_header_may_be_as_long_as_several_packets(stuffing: int) -> None:
    unit = pes(90_000, b"\xff" * stuffing + adts_frame() * 4, stream=0xC0)
    unit = unit[:8] + bytes([5 + stuffing]) + unit[9:]
    segment = TABLES + packets(pes(90_000, bytes(300)), VIDEO_PID) + packets(unit, AUDIO_PID)
    assert probed(segment)[1] == ("audio", "aac", 1.0, 44_100)


def test_a_segment_without_a_map_has_the_streams_of_the_one_before() -> None:
    nothing_new = [("video", "h264", None, None), ("audio", "aac", None, None)]
    for segment in (NULL_PACKETS, TABLES, TABLES + NULL_PACKETS):
        assert probed(segment, previous=BEFORE) == nothing_new
    media = packets(pes(180_000, adts_frame() * 4, stream=0xC0), AUDIO_PID)
    assert probed(NULL_PACKETS + media, previous=BEFORE) == [("video", "h264", None, None), ("audio", "aac", 2.0, 44_100)]


def test_a_segment_without_a_map_and_without_one_before_is_refused() -> None:
    media = packets(pes(180_000, adts_frame() * 4, stream=0xC0), AUDIO_PID)
    for segment in (NULL_PACKETS, media, NULL_PACKETS + media):
        with pytest.raises(UpstreamError, match="no program map"):
            probe_transport(segment, whole=True)
        assert probe_transport(segment, whole=False) is None


def test_after_another_segment_it_is_enough_that_the_audio_has_begun() -> None:
    audio = packets(pes(180_000, adts_frame() * 4, stream=0xC0), AUDIO_PID)
    video = packets(pes(180_000, b"\0\0\1\x67\0\0\1\x65" + bytes(300)), VIDEO_PID)
    assert probe_transport(TABLES + video, whole=False, previous=BEFORE) is None
    assert probe_transport(TABLES + audio, whole=False) is None
    assert probed(TABLES + audio, whole=False, previous=BEFORE)[1] == ("audio", "aac", 2.0, 44_100)
    assert probed(TABLES + video + audio, whole=False) == [("video", "h264", 2.0, None), ("audio", "aac", 2.0, 44_100)]
