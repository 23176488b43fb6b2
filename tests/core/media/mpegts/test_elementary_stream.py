"""The times of one elementary stream: how long its frames are, where it ends, and what its timestamps leave out."""

import pytest
from fuzz.media_pieces import pes

from transcoder.core.media.audio_frames import AudioFrameCounter
from transcoder.core.media.audio_headers import HEADER_READERS
from transcoder.core.media.mpegts.elementary_stream import ElementaryStream
from transcoder.core.media.mpegts.payload_units import Payloads
from transcoder.core.media.streams import Medium, Stream
from transcoder.core.media.timestamps import CLOCK_HZ, WRAP_SECONDS
from transcoder.errors import DamagedMediaError

FRAME_BYTES, FRAME_SECONDS = 16, 1024 / 48_000
ADTS = b"\xff\xf1\x4c\x80" + bytes([FRAME_BYTES >> 3, (FRAME_BYTES & 7) << 5 | 0x1F, 0xFC]) + bytes(FRAME_BYTES - 7)


def video(*times: float, picture: bytes = b"\0\0\1\x65\x80" + bytes(20)) -> ElementaryStream:
    stream = ElementaryStream(Stream(Medium.VIDEO, "h264", 0x100, times[0]))
    for time in times:
        stream.take(Payloads([pes(round(time * CLOCK_HZ), picture)], begins_unit=True))
    stream.drain()
    return stream


@pytest.mark.parametrize(("distance", "seconds"), [(0.04, 0.04), (9.99, 9.99), (10.0, None), (10.5, None), (60.0, None)])
def test_a_picture_lasts_until_the_next_one_unless_that_is_far_away(distance: float, seconds: float | None) -> None:
    stream = video(5.0, 5.0 + distance)
    assert stream.sample_seconds == (None if seconds is None else pytest.approx(seconds, abs=0.0001))
    assert stream.end == pytest.approx(5.0 + distance + (seconds or 0.0), abs=0.0001)
    assert stream.last_decode_time == pytest.approx(5.0 + distance, abs=0.0001)
    assert stream.decode_span == pytest.approx((5.0, 5.0 + distance), abs=0.0001)


def test_one_picture_that_stands_still_does_not_change_how_long_the_others_are() -> None:
    stream = video(1.0, 1.04, 1.08, 3.08, 3.12)
    assert stream.sample_seconds == pytest.approx(0.04, abs=0.0001)
    assert stream.segment.leap == pytest.approx(1.96, abs=0.0001)
    assert stream.end == pytest.approx(3.16, abs=0.0001)


@pytest.mark.parametrize(("step", "is_refused"), [(0.4, False), (0.49, False), (0.5, False), (0.51, True), (2.0, True)])
def test_pictures_may_be_out_of_order_by_half_a_second(step: float, *, is_refused: bool) -> None:
    if is_refused:
        with pytest.raises(DamagedMediaError, match="run backwards"):
            video(5.0, 5.0 - step)
    else:
        assert video(5.0, 5.0 - step).segment.start == pytest.approx(5.0 - step, abs=0.0001)


def video_segments(*segments: list[tuple[float, float]], start: float | None = None) -> ElementaryStream:
    """Return video with these presentation and decode times, segment by segment."""
    stream = ElementaryStream(Stream(Medium.VIDEO, "h264", 0x100, segments[0][0][0] if start is None else start))
    for times in segments:
        stream.begin_segment()
        for shown, decoded in times:
            ticks, decoded_ticks = (round(each * CLOCK_HZ) % 2**33 for each in (shown, decoded))
            stream.take(Payloads([pes(ticks, b"\0\0\1\x65\x80" + bytes(20), decoded=decoded_ticks)], begins_unit=True))
        stream.drain()
    return stream


@pytest.mark.parametrize(
    ("segments", "end", "frame"),
    [
        pytest.param([[(1.0, 1.0), (1.04, 1.04)], [(5.0, 5.0)]], 5.04, 0.04, id="a gap between segments is no frame"),
        pytest.param([[(1.0, 1.0)], [(2.0, 2.0)], [(3.0, 3.0)]], 4.0, 1.0, id="nothing else says how long a frame is"),
        pytest.param([[(1.08, 1.0), (1.04, 1.04)]], 1.12, 0.04, id="the first one is shown last"),
        pytest.param([[(1.08, 1.0), (1.04, 1.04), (1.0, 1.08)]], 1.12, 0.04, id="the other way round"),
        pytest.param([[(1.0, 1.0), (1.04, 1.04), (3.04, 3.04), (5.04, 5.04)]], 7.04, 2.0, id="frames become longer"),
        pytest.param([[(1.0, 1.0), (1.04, 1.04), (1.06, 1.06)]], 1.08, 0.02, id="frames become shorter"),
        pytest.param([[(1.0, 1.0), (1.0, 1.0)]], 1.0, None, id="both at the same time"),
    ],
)
def test_video_ends_one_frame_after_what_is_shown_last(segments: list[list[tuple[float, float]]], end: float, frame: float | None) -> None:
    for offset in (0.0, WRAP_SECONDS - 1.05, WRAP_SECONDS - 1.02):
        stream = video_segments(*([(shown + offset, decoded + offset) for shown, decoded in times] for times in segments))
        assert stream.end == pytest.approx(end + offset, abs=0.0001)
        assert (stream.sample_seconds or 0.0) == pytest.approx(frame or 0.0, abs=0.0001)
        assert stream.last_decode_time == pytest.approx(segments[-1][-1][1] + offset, abs=0.0001)
        assert stream.decode_span == pytest.approx((segments[-1][0][1] + offset, segments[-1][-1][1] + offset), abs=0.0001)
        first = min(shown for shown, _ in segments[-1]) + offset
        assert stream.segment.start == pytest.approx(first % WRAP_SECONDS, abs=0.0001), "as it is written"
        assert stream.segment.leap == pytest.approx(0.0 if frame != 2.0 else 1.96, abs=0.0001)


def test_times_are_unwrapped_near_where_the_probe_has_found_the_start() -> None:
    stream = video_segments([(0.5, 0.5), (0.54, 0.54)], start=WRAP_SECONDS - 0.1)
    assert stream.end == pytest.approx(WRAP_SECONDS + 0.58, abs=0.0001)
    alone = ElementaryStream(Stream(Medium.VIDEO, "h264", 0x100, None))
    assert (alone.end, alone.last_decode_time, alone.decode_span, alone.sample_seconds, alone.count) == (None, None, None, None, 0)
    alone.take(Payloads([pes(CLOCK_HZ * 20, b"\0\0\1\x65\x80" + bytes(20))], begins_unit=True))
    alone.drain()
    assert (alone.end, alone.last_decode_time, alone.decode_span, alone.sample_seconds, alone.count) == (20.0, 20.0, (20.0, 20.0), None, 1)


def test_packets_without_media_do_not_count() -> None:
    padding = b"\0\0\1\xbe\0\0" + b"\0\0\1\x65\x80" * 4
    stream = video(1.0, 1.04)
    stream.take(Payloads([padding], begins_unit=True))
    stream.drain()
    assert (stream.count, stream.segment.packets) == (2, 2)
    assert stream.end == pytest.approx(1.08)
    untimed = b"\0\0\1\xe0\0\0\x80\0\0" + b"\0\0\1\x65\x80" + bytes(20)
    stream.take(Payloads([untimed], begins_unit=True))
    stream.drain()
    assert (stream.count, stream.segment.packets) == (3, 3)
    assert stream.end == pytest.approx(1.08)


def audio(*units: tuple[float, int], segments: tuple[int, ...] = ()) -> ElementaryStream:
    """Return AAC whose PES packets begin at these times with so many frames each; at the given places another segment begins."""
    stream = ElementaryStream(Stream(Medium.AUDIO, "aac", 0x101, units[0][0], 48_000, 2))
    for number, (time, frames) in enumerate(units):
        if number in segments:
            stream.drain()
            stream.begin_segment()
        stream.take(Payloads([pes(round(time * CLOCK_HZ), ADTS * frames, stream=0xC0)], begins_unit=True))
    stream.drain()
    return stream


def test_audio_ends_with_its_last_frame() -> None:
    stream = audio((1.0, 5), (1.0 + 5 * FRAME_SECONDS, 3))
    assert stream.count == 8
    assert stream.end == pytest.approx(1.0 + 8 * FRAME_SECONDS, abs=0.0001)
    assert stream.last_decode_time == pytest.approx(1.0 + 7 * FRAME_SECONDS, abs=0.0001)
    assert stream.sample_seconds == pytest.approx(FRAME_SECONDS)
    assert (stream.decode_span, stream.segment.packets) == (None, 2)
    assert stream.segment.leap == pytest.approx(0.0, abs=0.0001)


def test_nothing_is_known_of_what_comes_before_the_first_packet_begins() -> None:
    stream = ElementaryStream(Stream(Medium.AUDIO, "aac", 0x101, 1.0, 48_000, 2))
    stream.take(Payloads([ADTS * 3], begins_unit=False))
    stream.drain()
    assert (stream.count, stream.end, stream.segment.spilled) == (0, None, 0.0)
    assert (audio((1.0, 0)).end, audio((1.0, 0)).last_decode_time) == (1.0, None), "no frame has come"


def test_audio_that_leaves_time_out_leaps() -> None:
    for start in (0.0, 1.0):
        assert audio((start, 5), (start + 1.0, 3)).segment.leap == pytest.approx(1.0 - 5 * FRAME_SECONDS, abs=0.0001)
    assert audio((1.0, 5), (2.0, 3), segments=(1,)).segment.leap == 0.0, "what is left out between segments is told elsewhere"


@pytest.mark.parametrize("later", [1.0, 0.9])
def test_audio_never_runs_backwards_within_a_segment(later: float) -> None:
    with pytest.raises(DamagedMediaError, match="run backwards"):
        audio((1.0, 5), (later, 3))
    assert audio((1.0, 5), (later, 3), segments=(1,)).segment.start == pytest.approx(later)


def test_frames_of_the_packet_before_belong_to_the_end_of_the_segment_before() -> None:
    stream = audio((1.0, 2))
    stream.begin_segment()
    stream.take(Payloads([ADTS * 3], begins_unit=False))
    stream.drain()
    assert stream.segment.spilled == pytest.approx(3 * FRAME_SECONDS)
    assert stream.segment.start is None
    assert stream.end == pytest.approx(1.0 + 5 * FRAME_SECONDS, abs=0.0001)


@pytest.mark.parametrize("size", range(1, 14))
def test_a_header_may_come_in_two_pieces(size: int) -> None:
    unit = pes(CLOCK_HZ, ADTS * 2, stream=0xC0)
    stream = ElementaryStream(Stream(Medium.AUDIO, "aac", 0x101, 1.0, 48_000, 2))
    stream.take(Payloads([unit[:size]], begins_unit=True))
    stream.drain()
    stream.take(Payloads([unit[size:]], begins_unit=False))
    stream.drain()
    assert (stream.count, stream.segment.start, stream.segment.packets) == (2, 1.0, 1)


@pytest.mark.parametrize("stuffing", [0, 1, 50])
def test_what_follows_the_announced_length_is_stuffing(stuffing: int) -> None:
    unit = pes(CLOCK_HZ, ADTS * 2, stream=0xC0)
    announced = unit[:4] + (len(unit) - 6).to_bytes(2) + unit[6:]
    stream = ElementaryStream(Stream(Medium.AUDIO, "aac", 0x101, 1.0, 48_000, 2))
    stream.take(Payloads([announced + b"\xff" * stuffing], begins_unit=True))
    stream.drain()
    assert (stream.count, stream.missing_bytes) == (2, 0)
    stream.begin_segment()
    stream.take(Payloads([announced[:-5]], begins_unit=True))
    stream.drain()
    assert stream.missing_bytes == 5


def test_pictures_before_the_first_parameter_sets_are_counted_apart() -> None:
    sets, picture = b"\0\0\1\x67\x64\0\x1e" + bytes(4), b"\0\0\1\x65\x80" + bytes(20)
    assert (video(1.0, 1.04, picture=picture).undecodable, video(1.0, 1.04, picture=picture).is_headless) == (0, True)
    late = video(1.0, 1.04, picture=picture)
    late.take(Payloads([pes(round(1.08 * CLOCK_HZ), sets + picture)], begins_unit=True))
    late.drain()
    assert (late.undecodable, late.is_headless, late.count) == (2, True, 3)
    assert (audio((1.0, 5)).undecodable, audio((1.0, 5)).is_headless) == (0, False)
    other = ElementaryStream(Stream(Medium.AUDIO, "dts", 0x101, 1.0))
    assert (other.undecodable, other.is_headless, other.count) == (0, False, None)


@pytest.mark.parametrize("codec", ["aac", "mp3", "ac3", "eac3", "opus"])
def test_audio_of_which_nothing_has_come_does_not_end_inside_a_frame(codec: str) -> None:
    counter = AudioFrameCounter(HEADER_READERS[codec])
    assert counter.close_segment()
    assert (counter.count, counter.seconds, counter.held_seconds) == (0, 0.0, 0.0)


def test_audio_ends_inside_a_frame_until_all_of_that_has_come() -> None:
    counter = AudioFrameCounter(HEADER_READERS["aac"])
    counter.feed(ADTS * 2)
    assert counter.close_segment()
    for octet in ADTS[:-1]:
        counter.feed(bytes([octet]))
        assert not counter.close_segment()
    counter.feed(ADTS[-1:])
    assert counter.close_segment()
    assert counter.count == 3
    assert counter.seconds == pytest.approx(3 * FRAME_SECONDS)
