"""What the inspector says of each medium of a segment, and which of two errors comes first."""

from collections import defaultdict

import pytest
from fuzz.media_pieces import ADTS, AUDIO_PID, PACKET_BYTES, PMT_PID, TABLES, VIDEO_PID, packet, pes, program_map

from transcoder.core.media.mpegts.inspector import TransportInspector
from transcoder.core.media.mpegts.program_tables import section_packets
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.core.media.timestamps import CLOCK_HZ
from transcoder.errors import DamagedMediaError, ProgramChangedError, TranscoderError, UnsupportedSourceError

VIDEO, AUDIO = Stream(Medium.VIDEO, "h264", VIDEO_PID, 1.0), Stream(Medium.AUDIO, "aac", AUDIO_PID, 1.0, 48_000, 2)
BOTH = Probe(Container.MPEGTS, (VIDEO, AUDIO))
FRAME = 1024 / 48_000
SETS, SLICE = b"\0\0\1\x67\x64\0\x1e" + bytes([0x80]) * 4, b"\0\0\1\x65\x88" + bytes([0x80]) * 20


class Writer:
    """Writes packets whose counters rise."""

    def __init__(self) -> None:
        self.counters = defaultdict[int, int](int)

    def unit(self, data: bytes, pid: int) -> bytes:
        parts = []
        for at in range(0, len(data), 184):
            parts.append(packet(pid, data[at : at + 184], starts=not at, counter=self.counters[pid]))
            self.counters[pid] += 1
        return b"".join(parts)

    def picture(self, time: float, body: bytes = SETS + SLICE, *, pid: int = VIDEO_PID) -> bytes:
        return self.unit(pes(round(time * CLOCK_HZ), body), pid)

    def sound(self, time: float, frames: int, *, extra: bytes = b"") -> bytes:
        return self.unit(pes(round(time * CLOCK_HZ), ADTS * frames + extra, stream=0xC0), AUDIO_PID)


def inspected(*segments: bytes, probe: Probe = BOTH) -> TransportInspector:
    inspector = TransportInspector(probe)
    for segment in segments:
        inspector.begin()
        assert inspector.feed(segment) + inspector.end() == segment
    return inspector


def test_a_segment_without_fault_shows_none() -> None:
    write = Writer()
    found = inspected(TABLES + write.picture(1.0) + write.sound(1.0, 2) + write.picture(1.04) + write.sound(1.0 + 2 * FRAME, 1))
    evidence = found.packets
    assert (list(evidence.jumped), evidence.continued, list(evidence.full)) == ([], {}, [])
    assert (list(evidence.unfinished), list(evidence.headless), evidence.has_trailer) == ([], [], False)
    assert evidence.leaps == {Medium.VIDEO: 0.0, Medium.AUDIO: pytest.approx(0.0, abs=0.0001)}
    assert found.samples == {Medium.VIDEO: 2, Medium.AUDIO: 3}
    assert found.undecodable == {Medium.VIDEO: 0, Medium.AUDIO: 0}
    assert found.starts == {Medium.VIDEO: 1.0, Medium.AUDIO: 1.0}
    assert found.ends == pytest.approx({Medium.VIDEO: 1.08, Medium.AUDIO: 1.0 + 3 * FRAME}, abs=0.0001)
    assert found.sample_seconds == pytest.approx({Medium.VIDEO: 0.04, Medium.AUDIO: FRAME})
    assert found.last_decode_times == pytest.approx({Medium.VIDEO: 1.04, Medium.AUDIO: 1.0 + 2 * FRAME}, abs=0.0001)
    assert found.decode_spans == {Medium.VIDEO: pytest.approx((1.0, 1.04))}
    assert len(found.units) == 2, "of the video"
    last = TABLES + write.picture(1.08) + packet(0x1FFF, bytes(184))
    found.begin()
    assert found.feed(last + b"\xff" * 5) == last
    assert found.packets.has_trailer
    assert found.packets.continued == {Medium.VIDEO: True}


@pytest.mark.parametrize("medium", Medium)
def test_what_is_seen_of_one_medium_is_not_said_of_the_other(medium: Medium) -> None:
    of_video = medium is Medium.VIDEO
    write = Writer()
    pid = VIDEO_PID if of_video else AUDIO_PID
    first = TABLES + write.picture(1.0) + write.sound(1.0, 1)
    write.counters[pid] += 3
    second = write.picture(1.04) + write.sound(1.0 + FRAME, 1)
    found = inspected(first, second)
    assert found.packets.continued == {each: each is not medium for each in Medium}
    write.counters[pid] += 3
    third = TABLES + write.picture(1.08) + write.sound(1.0 + 2 * FRAME, 1)
    found = inspected(first, second + third)
    assert list(found.packets.jumped) == [medium]
    late = (0.0, 2.0) if of_video else (2.0, 0.0)
    leaping = write.picture(1.12 + late[1]) + write.sound(1.0 + 3 * FRAME + late[0], 1)
    found = inspected(first, second + third + leaping)
    assert found.packets.leaps == {each: pytest.approx(2.0 if each is medium else 0.0, abs=0.0001) for each in Medium}


@pytest.mark.parametrize("medium", Medium)
def test_the_last_packet_of_a_medium_may_be_full_or_unfinished(medium: Medium) -> None:
    of_video, write = medium is Medium.VIDEO, Writer()
    first = TABLES + write.picture(1.0) + write.sound(1.0, 1)
    size = 184 - 14
    filled = (
        [write.picture(1.04, (SLICE + b"\x80" * size)[:size])] if of_video else [write.sound(1.0 + FRAME, 10, extra=ADTS[: size - 160])]
    )
    found = inspected(first + b"".join(filled))
    assert (list(found.packets.full), list(found.packets.unfinished)) == ([medium], [])
    body = pes(round(1.2 * CLOCK_HZ), SLICE if of_video else ADTS, stream=0xE0 if of_video else 0xC0)
    for more in (0, 1):
        announcing = body[:4] + (len(body) - 6 + more).to_bytes(2) + body[6:]
        found = inspected(first + write.unit(announcing, VIDEO_PID if of_video else AUDIO_PID))
        assert list(found.packets.unfinished) == ([medium] if more else [])


def test_a_video_that_begins_without_parameter_sets_is_headless() -> None:
    write = Writer()
    found = inspected(TABLES + write.picture(1.0, SLICE) + write.picture(1.04, SLICE) + write.sound(1.0, 1) + write.picture(1.08))
    assert list(found.packets.headless) == [Medium.VIDEO]
    assert found.undecodable == {Medium.VIDEO: 2, Medium.AUDIO: 0}


def test_frames_that_spill_into_a_segment_belong_before_its_timestamp_only_if_packets_continue() -> None:
    for lost in (0, 2):
        write = Writer()
        first = write.sound(1.0, 3)
        rest = packet(AUDIO_PID, ADTS * 2, counter=write.counters[AUDIO_PID])
        write.counters[AUDIO_PID] += 1
        second = rest + write.sound(1.0 + 5 * FRAME, 1)
        if lost:
            second = second[:3] + bytes([second[3] & 0xF0 | second[3] + lost & 15]) + second[4:]
            second = second[:188] + second[188:191] + bytes([second[191] & 0xF0 | second[191] + lost & 15]) + second[192:]
        found = inspected(first, second, probe=BOTH._replace(streams=(AUDIO,)))
        expected = 1.0 + (5 if lost else 3) * FRAME
        assert found.starts == {Medium.AUDIO: pytest.approx(expected, abs=0.0001)}
        assert len(found.units) == 1, "of the audio, where there is no video"


NO_START = packet(VIDEO_PID, b"\0\0\2\xe0" + bytes(100), starts=True)
SCRAMBLED = bytes([0x47, VIDEO_PID >> 8, VIDEO_PID & 255, 0x90]) + bytes(184)
OTHER_MAP = section_packets(program_map(streams=b"\x24\xe1\0\xf0\0\x0f\xe1\1\xf0\0"), PMT_PID)


@pytest.mark.parametrize(("last", "error"), [(SCRAMBLED, UnsupportedSourceError), (OTHER_MAP, ProgramChangedError)])
@pytest.mark.parametrize("place", [-1, 0, 1, 2, 3])
def test_of_two_faults_the_first_one_is_named(last: bytes, error: type[TranscoderError], place: int) -> None:
    """A part that is damaged is fetched again; what is encrypted, or another program, is not."""
    null = packet(0x1FFF, bytes(184))
    parts = [null, null, null, last, null]
    if place >= 0:
        parts[place] = NO_START if place < 3 else parts[place] + NO_START
    inspector = TransportInspector(BOTH)
    inspector.begin()
    inspector.feed(TABLES)
    with pytest.raises(DamagedMediaError if 0 <= place < 3 else error):
        inspector.feed(b"".join(parts))


@pytest.mark.parametrize("control", [0x40, 0x80, 0xC0])
def test_only_scrambled_packets_of_the_streams_count(control: int) -> None:
    write = Writer()
    segment = TABLES + write.picture(1.0) + bytes([0x47, 0x12, 0x34, 0x10 | control]) + bytes(184)
    inspected(segment)
    inspector = TransportInspector(BOTH)
    inspector.begin()
    with pytest.raises(UnsupportedSourceError, match="scrambled"):
        inspector.feed(segment + bytes([0x47, AUDIO_PID >> 8, AUDIO_PID & 255, 0x10 | control]) + bytes(184))


@pytest.mark.parametrize("piece_bytes", [50, 3000, 70_000])
@pytest.mark.parametrize("length", [100, 70_000])
def test_a_segment_of_something_else_is_named_at_once_or_at_its_end(length: int, piece_bytes: int) -> None:
    page, outcome = (b"<html>Sorry</html>" * 4000)[:length], list[bytes]()
    inspector = TransportInspector(BOTH)
    inspector.begin()

    def feed_all() -> None:
        outcome.extend(inspector.feed(page[at : at + piece_bytes]) for at in range(0, length, piece_bytes))
        inspector.end()

    with pytest.raises(DamagedMediaError, match="not an MPEG transport stream"):
        feed_all()
    assert not any(outcome)


MOVED_PID = 0x1200
MOVED_MAP = section_packets(program_map(streams=b"\x1b\xf2\0\xf0\0\x0f\xe1\1\xf0\0"), PMT_PID)
FRAMES = SETS + SLICE + b"\x80" * 400


def with_first_pid(data: bytes) -> bytes:
    """Return packets with the PID that the video began with."""
    packets = [data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES)]
    moved, first = (bytes([pid >> 8, pid & 255]) for pid in (MOVED_PID, VIDEO_PID))
    assert not any(each[1] & 0x20 for each in packets)
    return b"".join(
        each[:1] + bytes([each[1] & 0x40 | first[0]]) + first[1:] + each[3:] if (each[1] & 0x1F, each[2]) == tuple(moved) else each
        for each in packets
    )


@pytest.mark.parametrize("piece_bytes", [100, 187, 188, 189, 2000, 100_000])
@pytest.mark.parametrize("count", [1, 15])
def test_a_stream_may_move_within_a_segment_wherever_its_pieces_are_cut(piece_bytes: int, count: int) -> None:
    """Its packets are passed on, and followed, as if it had not moved."""
    write, inspector = Writer(), TransportInspector(BOTH)
    ways = [(TABLES, VIDEO_PID, MOVED_MAP, MOVED_PID), (b"", MOVED_PID, TABLES, VIDEO_PID), (MOVED_MAP, MOVED_PID, b"", MOVED_PID)]
    for number, (tables, pid, later_tables, later_pid) in enumerate(ways):
        start = 1.0 + number * count / 12.5
        pictures = [write.picture(start + at / 25, FRAMES, pid=pid if at < count else later_pid) for at in range(2 * count)]
        segment = b"".join([tables, *pictures[:count], write.sound(start, 3), later_tables, *pictures[count:]])
        inspector.begin()
        passed_on = [inspector.feed(segment[at : at + piece_bytes]) for at in range(0, len(segment), piece_bytes)]
        assert b"".join(passed_on) + inspector.end() == with_first_pid(segment)
        assert inspector.samples == {Medium.VIDEO: 2 * count * (number + 1), Medium.AUDIO: 3 * (number + 1)}
        assert inspector.ends[Medium.VIDEO] == pytest.approx(start + 2 * count / 25, abs=0.0001)
