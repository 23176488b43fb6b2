"""What a transport stream shows where its first frame comes late, or where it has nothing but tables, or not even these."""

import pytest
from fuzz.media_pieces import AUDIO_PID, PACKET_BYTES, PMT_PID, TABLES, VIDEO_PID, packet, pes, program_map, section

from transcoder.core.media.mpegts.first_frame import first_frame
from transcoder.core.media.mpegts.probe import probe_tables, probe_transport
from transcoder.core.media.mpegts.program_tables import section_packets
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.errors import UpstreamError

NULL_PACKETS = packet(0x1FFF, bytes(184)) * 5
BEFORE = Probe(
    Container.MPEGTS,
    (Stream(Medium.VIDEO, "h264", VIDEO_PID, 5.0), Stream(Medium.AUDIO, "aac", AUDIO_PID, 5.0, 44_100, 1)),
)
FRAME_BYTES = 300
SEARCHED_BYTES = 16_384
"""So many bytes of audio are searched for a frame."""


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


AUDIO_MAP = section_packets(section(0, 1, b"\0\1\xf0\0"), 0) + section_packets(program_map(streams=b"\x0f\xe1\1\xf0\0"), PMT_PID)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_audio_that_shows_no_frame_in_16_kib_is_as_it_was_announced(more: int) -> None:
    no_frame = bytes(SEARCHED_BYTES + more)
    segment = AUDIO_MAP + packets(pes(90_000, no_frame, stream=0xC0), AUDIO_PID)
    found = probe_transport(segment, whole=False)
    assert (found is not None) == (more > 0)
    assert probed(segment) == [("audio", "aac", 1.0, None)]
    assert probed(segment + packets(pes(180_000, adts_frame() * 4, stream=0xC0), AUDIO_PID)) == [
        ("audio", "aac", 1.0, None if more > 0 else 44_100)
    ]


def test_a_program_map_that_lists_not_all_media_gets_more_bytes_in_a_first_segment() -> None:
    segment = AUDIO_MAP + packets(pes(90_000, adts_frame() * 4, stream=0xC0), AUDIO_PID)
    before = BEFORE._replace(streams=BEFORE.streams[1:])
    assert probe_transport(segment, whole=False, media=[Medium.AUDIO])
    assert probe_transport(segment, whole=False, media=list(Medium)) is None
    assert probe_transport(segment, whole=True, media=list(Medium))
    assert probe_transport(segment, whole=False, media=list(Medium), previous=before)
    grown = probe_transport(segment + TABLES + packets(pes(90_000, bytes(300)), VIDEO_PID), whole=True, media=list(Medium))
    assert grown
    assert [(each.medium, each.start) for each in grown.streams] == [(Medium.VIDEO, 1.0), (Medium.AUDIO, 1.0)]
    assert grown.tables == TABLES
    alone = probe_transport(segment + TABLES + packets(pes(90_000, bytes(300)), VIDEO_PID), whole=True, media=[Medium.AUDIO])
    assert alone
    assert (len(alone.streams), alone.tables) == (1, b"")


@pytest.mark.parametrize("page", [b"<html>Sorry</html>", b"<html>Sorry</html>" * 4000, b"G" + bytes(500)])
def test_what_has_no_packets_is_no_media(page: bytes) -> None:
    with pytest.raises(UpstreamError, match="not media"):
        probe_transport(page, whole=True)
    with pytest.raises(UpstreamError, match="not media"):
        probe_tables(page)


def loas(*, rate_index: int | None) -> bytes:
    """Return a LOAS frame of 40 bytes, with a configuration of AAC in stereo, or of the one before (ISO/IEC 14496-3, 1.7.3)."""
    # useSameStreamMux, audioMuxVersion, allStreamsSameTimeFraming, numSubFrames, numProgram, numLayer; type 2, rate, two channels
    bits = "1" if rate_index is None else f"00{'1'}{'0' * 6}{'0' * 4}{'0' * 3}{2:05b}{rate_index:04b}{2:04b}"
    body = int(bits.ljust(37 * 8, "0"), 2).to_bytes(37)
    return (0x2B7 << 13 | 37).to_bytes(3) + body


def test_audio_in_latm_may_tell_its_format_later() -> None:
    tables = section_packets(section(0, 1, b"\0\1\xf0\0"), 0) + section_packets(program_map(streams=b"\x11\xe1\1\xf0\0"), PMT_PID)
    unknown = packets(pes(90_000, loas(rate_index=None) * 9, stream=0xC0), AUDIO_PID)
    told = packets(pes(180_000, loas(rate_index=4) * 9, stream=0xC0), AUDIO_PID)
    assert probe_transport(tables + unknown, whole=False) is None
    assert probed(tables + unknown) == [("audio", "aac_latm", 1.0, None)]
    assert probed(tables + unknown + told) == probed(tables + unknown + told, whole=False) == [("audio", "aac_latm", 1.0, 44_100)]
    first = first_frame("aac_latm", loas(rate_index=None) * 9)
    assert first
    assert (first.codec, first.sample_rate) == ("aac_latm", 0)


def null_packets(size: int) -> bytes:
    return NULL_PACKETS[:PACKET_BYTES] * (size // PACKET_BYTES) + b"G" * (size % PACKET_BYTES > 0)


MIB = 1024 * 1024


@pytest.mark.parametrize(("previous", "limit"), [(None, 8 * MIB), (BEFORE, MIB)])
def test_a_stream_that_has_not_begun_within_some_bytes_is_missing(previous: Probe | None, limit: int) -> None:
    head = TABLES + packets(pes(90_000, b"\0\0\1\x67\0\0\1\x65" + bytes(300)), VIDEO_PID)
    whole = head + null_packets(limit)
    assert probe_transport(whole[: limit - 1], whole=False, previous=previous) is None
    assert probed(whole[:limit], whole=False, previous=previous) == [("video", "h264", 1.0, None), ("audio", "aac", None, None)]
    assert probe_transport(null_packets(2 * MIB)[: MIB - 1], whole=False) is None
    with pytest.raises(UpstreamError, match="no program map"):
        probe_transport(null_packets(2 * MIB)[:MIB], whole=False)


@pytest.mark.parametrize("place", [8 * MIB // PACKET_BYTES, 8 * MIB // PACKET_BYTES + 2])
def test_in_a_whole_segment_a_stream_is_looked_for_as_far(place: int) -> None:
    """The limit is noticed at a packet of the program."""
    video = packet(VIDEO_PID, bytes(184))
    sound = packets(pes(90_000, adts_frame()[:100], stream=0xC0), AUDIO_PID)
    before = TABLES + packets(pes(90_000, b"\0\0\1\x67\0\0\1\x65" + bytes(300)), VIDEO_PID)
    count = place - 1 - len(before) // PACKET_BYTES
    begins = video[:1] + bytes([video[1] | 0x40]) + video[2:4] + pes(90_000, bytes(170))
    segment = before + NULL_PACKETS[:PACKET_BYTES] * count + begins + sound
    is_beyond = (place - 1) * PACKET_BYTES > 8 * MIB
    assert [start for _, _, start, _ in probed(segment)] == [1.0, None if is_beyond else 1.0]


@pytest.mark.parametrize("before_picture", [0, 5, 200, 2000])
def test_a_video_is_headless_if_its_first_picture_comes_without_parameter_sets(before_picture: int) -> None:
    """It may come packets later than its timestamp."""
    slice_, sets = b"\0\0\1\x65\x88" + b"\x80" * 300, b"\0\0\1\x67\x64\0\x1e\x80\x80\x80\x80\x80"
    for body, is_headless in ((slice_, True), (sets + slice_, False), (slice_ + sets + slice_, True)):
        segment = TABLES + packets(pes(90_000, b"\x80" * before_picture + body), VIDEO_PID)
        found = probe_transport(segment, whole=True)
        assert found
        assert [each.is_headless for each in found.streams] == [is_headless, False]


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
