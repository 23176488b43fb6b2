"""What the timestamps of a segment show without its media: where it begins, whether a part is repeated, and how many frames are missing."""

from collections.abc import Sequence

import pytest
from fuzz.media_pieces import ADTS, AUDIO_PID, PACKET_BYTES, VIDEO_PID, packet, pes

from transcoder.core.media.mpegts.beginnings import with_beginnings
from transcoder.core.media.mpegts.decode_times import StreamTimes, stream_times
from transcoder.core.media.mpegts.packet_columns import PacketColumns
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.core.media.timestamps import CLOCK_HZ, WRAP_SECONDS

FRAME_TICKS = 3600
SEARCHED_BYTES = 16_384
"""So many bytes of audio are searched for a frame."""
ANNOUNCED = Probe(Container.MPEGTS, (Stream(Medium.VIDEO, "h264", VIDEO_PID, None), Stream(Medium.AUDIO, "aac", AUDIO_PID, None)))


def columns(*parts: Sequence[bytes]) -> list[PacketColumns]:
    """Return packets in one or more parts."""
    return [PacketColumns(b"".join(part), 0, len(b"".join(part)) // PACKET_BYTES) for part in parts]


def unit(data: bytes, pid: int = VIDEO_PID) -> bytes:
    """Return the packets of a PES packet."""
    return b"".join(packet(pid, data[at : at + 184], starts=not at) for at in range(0, len(data), 184))


def pictures(*times: int | tuple[int, int], unit_ticks: int = FRAME_TICKS) -> list[bytes]:
    """Return a picture for each presentation time, or presentation and decode time, in frames."""
    both = [each if isinstance(each, tuple) else (each, each) for each in times]
    return [unit(pes(pts * unit_ticks % 2**33, b"\xaa", decoded=dts * unit_ticks % 2**33)) for pts, dts in both]


def times_of(*times: int | tuple[int, int], unit_ticks: int = FRAME_TICKS) -> StreamTimes:
    found = stream_times(columns(pictures(*times, unit_ticks=unit_ticks)), VIDEO_PID)
    assert found
    return found


@pytest.mark.parametrize(
    ("shown", "lacking"),
    [
        pytest.param((0, 1, 2, 3, 4, 5), 0, id="all are there"),
        pytest.param((0, 1, 3, 4, 5), 1, id="one is missing"),
        pytest.param((0, 1, 3, 5, 6, 7, 8), 2, id="two in two places"),
        pytest.param((0, 1, 2, 7, 8, 9), 4, id="four in one place"),
        pytest.param((5, 3, 4, 1, 0), 1, id="out of order"),
        pytest.param((0, 1, 3, 4), 0, id="three distances show no rhythm"),
        pytest.param((0, 1, 2, 4, 6), 0, id="half of the distances are longer: they are the usual ones, and the others uneven"),
        pytest.param((0, 1, 2, 3, 5, 7), 2, id="fewer than half of them are longer"),
        pytest.param((0, 0, 0, 0, 0, 4), 0, id="most at the same time"),
        pytest.param((0, 0, 0, 1, 2, 6), 1, id="three have the same time, and one more fits before the last"),
        pytest.param((0,), 0, id="one picture"),
    ],
)
def test_pictures_that_are_missing_between_evenly_spaced_ones_are_counted(shown: tuple[int, ...], lacking: int) -> None:
    assert times_of(*shown).lacking == lacking
    assert times_of(*(10 + each for each in shown)).lacking == lacking


@pytest.mark.parametrize(("late", "lacking"), [(0, 1), (9, 1), (-9, 1), (11, 0), (-11, 0), (50, 0)])
def test_pictures_are_spaced_evenly_if_none_is_a_tenth_of_their_distance_off(late: int, lacking: int) -> None:
    assert times_of(0, 100, 200, 400, 500, 600, 700, 800 + late, unit_ticks=36).lacking == lacking


@pytest.mark.parametrize(
    ("decoded", "run_backwards"),
    [
        pytest.param((0, 1, 2), False, id="in order"),
        pytest.param((10, 10, 10), False, id="at the same time"),
        pytest.param((20, 20 - 12, 21), False, id="half a second back, less a little"),
        pytest.param((20, 20 - 13, 21), True, id="half a second back, and a little"),
        pytest.param((1, 2, 100), False, id="a leap"),
        pytest.param((50, 51, 52, 0), True, id="at the end"),
    ],
)
def test_decode_times_run_backwards_by_more_than_half_a_second(decoded: tuple[int, ...], *, run_backwards: bool) -> None:
    wrap = 2**33 // FRAME_TICKS
    for offset in (0, wrap - 1, wrap - 40):
        assert times_of(*(offset + each for each in decoded)).run_backwards is run_backwards, offset
        assert times_of(*((30, offset + each) for each in decoded)).run_backwards is run_backwards, "whenever they are shown"


def test_half_a_second_back_is_no_repetition() -> None:
    assert not times_of(2, 1, unit_ticks=CLOCK_HZ // 2).run_backwards


def test_a_stream_begins_with_what_is_shown_first() -> None:
    assert times_of((4, 0), (1, 1), (2, 2), (3, 3)).start == pytest.approx(1 / 25)
    assert times_of(9).start == pytest.approx(9 / 25)
    early = times_of(2**33 - 2, 2**33 - 1, 2**33, unit_ticks=1)
    assert early.start == pytest.approx(WRAP_SECONDS - 2 / CLOCK_HZ, abs=1e-6)
    after = times_of((2**33 + 2, 2**33 - 1), (2**33 - 1, 2**33), unit_ticks=1)
    assert after.start == pytest.approx(-1 / CLOCK_HZ, abs=1e-6), "on the timeline of the first one that has come"


NO_TIME = b"\0\0\1\xe0\0\0\x80\0\0"
PADDING = b"\0\0\1\xbe\0\0" + bytes(30)


def test_packets_without_timestamps_and_of_others_say_nothing() -> None:
    other = unit(pes(0, b"\xaa", stream=0xC0), AUDIO_PID)
    assert stream_times(columns([unit(NO_TIME), unit(PADDING), other]), VIDEO_PID) is None
    assert stream_times([], VIDEO_PID) is None
    among = [unit(NO_TIME), *pictures(5), other, unit(PADDING), *pictures(6), unit(NO_TIME)]
    expected = times_of(5, 6)
    for at in range(len(among)):
        assert stream_times(columns(among[:at], among[at:]), VIDEO_PID) == expected


def audio(*frames: bytes, stream: int = 0xC0) -> bytes:
    return unit(pes(2 * CLOCK_HZ, b"".join(frames), stream=stream), AUDIO_PID)


def test_a_stream_begins_with_its_first_timestamp_and_audio_has_the_format_of_its_first_frame() -> None:
    packets = [unit(NO_TIME), unit(pes(CLOCK_HZ, b"\xaa", decoded=CLOCK_HZ // 2)), *pictures(100), audio(ADTS * 3)]
    video, sound = ANNOUNCED.streams
    expected = (video._replace(start=1.0, decode_start=0.5), sound._replace(start=2.0, decode_start=2.0, sample_rate=48_000, channels=2))
    for at in range(len(packets)):
        assert with_beginnings(ANNOUNCED, columns(packets[:at], packets[at:])) == ANNOUNCED._replace(streams=expected)


def test_a_stream_that_has_not_begun_is_as_it_was_announced() -> None:
    assert with_beginnings(ANNOUNCED, columns([unit(NO_TIME), unit(PADDING, AUDIO_PID)])) == ANNOUNCED
    assert with_beginnings(ANNOUNCED, []) == ANNOUNCED


@pytest.mark.parametrize(
    ("packets", "is_found"),
    [
        pytest.param([audio(ADTS[5:], ADTS * 2)], True, id="after the rest of one"),
        pytest.param([audio(ADTS[:9]), audio(ADTS[9:], ADTS * 2)], True, id="over two packets"),
        pytest.param([audio(bytes(300)), audio(bytes(300)), audio(ADTS * 2)], True, id="in the third packet"),
        pytest.param([audio(bytes(50)), unit(b"\0\0\1\xbe\0\0" + ADTS * 2, AUDIO_PID), audio(bytes(50))], False, id="in padding alone"),
        pytest.param([audio(ADTS[:9]), unit(PADDING, AUDIO_PID), audio(ADTS[9:], ADTS * 2)], True, id="around padding"),
        pytest.param([audio(bytes(SEARCHED_BYTES)), audio(ADTS * 2)], True, id="after as many other bytes as are searched"),
        pytest.param([audio(bytes(SEARCHED_BYTES + 1)), audio(ADTS * 2)], False, id="after one more"),
        pytest.param([audio(bytes(300))], False, id="not at all"),
    ],
)
def test_the_first_frame_may_come_late(packets: list[bytes], *, is_found: bool) -> None:
    sound = with_beginnings(ANNOUNCED, columns(packets)).main(Medium.AUDIO)
    assert sound
    assert (sound.start, sound.sample_rate, sound.channels) == (2.0, *((48_000, 2) if is_found else (None, None)))
