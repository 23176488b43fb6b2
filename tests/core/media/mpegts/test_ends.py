"""How the streams of a segment end, read from its last packets: times and lengths are written here bit by bit."""

from itertools import pairwise

import pytest
from fuzz.media_pieces import ADTS, AUDIO_PID, PACKET_BYTES, TABLES, VIDEO_PID, packet, pes

from transcoder.core.media.mpegts.ends import StreamEnd, media_at_end, packet_ends, transport_stream_ends
from transcoder.core.media.mpegts.packet_columns import PacketColumns
from transcoder.core.media.slide import Slide
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.core.media.timestamps import CLOCK_HZ, WRAP_SECONDS

VIDEO, AUDIO = Stream(Medium.VIDEO, "h264", VIDEO_PID, 1.0), Stream(Medium.AUDIO, "aac", AUDIO_PID, 1.0)
BOTH = Probe(Container.MPEGTS, (VIDEO, AUDIO))
FRAME = 1024 / 48_000
NO_TIME = b"\0\0\1\xe0\0\0\x80\0\0"


def unit(data: bytes, pid: int = VIDEO_PID) -> bytes:
    """Return the transport packets of a PES packet; only the last one is stuffed."""
    return b"".join(packet(pid, data[at : at + 184], starts=not at) for at in range(0, len(data), 184))


def picture(shown: float, decoded: float | None = None, *, size: int = 50) -> bytes:
    ticks = None if decoded is None else round(decoded * CLOCK_HZ) % 2**33
    return unit(pes(round(shown * CLOCK_HZ) % 2**33, bytes(size), decoded=ticks))


def sound(shown: float, frames: int) -> bytes:
    return unit(pes(round(shown * CLOCK_HZ) % 2**33, ADTS * frames, stream=0xC0), AUDIO_PID)


def ends_of(*packets: bytes, stream: Stream = VIDEO) -> StreamEnd:
    (found,) = transport_stream_ends(b"".join(packets), Probe(Container.MPEGTS, (stream,)))
    return found


@pytest.mark.parametrize(
    ("times", "end"),
    [
        pytest.param([(1.0, 1.0), (1.04, 1.04), (1.08, 1.08)], 1.12, id="evenly spaced"),
        pytest.param(
            [(1.08, 1.0), (1.2, 1.04), (1.12, 1.08), (1.16, 1.12)], 1.24, id="the one that is shown last is decoded before others"
        ),
        pytest.param([(1.0, 1.0), (1.04, 1.04), (1.08, 1.08), (3.0, 3.0)], 3.04, id="one was shown for longer"),
        pytest.param([(1.0, 1.0), (1.02, 1.02), (1.04, 1.04), (1.1, 1.1), (1.16, 1.16)], 1.18, id="of two usual distances the shorter"),
        pytest.param([(1.0, 1.0)], 1.0, id="nothing says how long"),
        pytest.param([(1.0, 1.0), (1.9, 1.9)], 2.8, id="nearly a second"),
        pytest.param([(1.0, 1.0), (4.0, 4.0)], 5.0, id="a second at most"),
        pytest.param([(1.4, 1.4), (1.2, 1.2), (1.0, 1.0)], 1.4, id="backwards"),
    ],
)
def test_video_ends_one_usual_distance_of_decode_times_after_what_is_shown_last(times: list[tuple[float, float]], end: float) -> None:
    assert ends_of(*(picture(*each) for each in times)).end == pytest.approx(end, abs=0.0001)
    for offset in (WRAP_SECONDS - 1.05, WRAP_SECONDS - 1.1, 2 * WRAP_SECONDS - 1.0):
        wrapped = [picture(shown + offset, decoded + offset) for shown, decoded in times]
        begun_before = VIDEO._replace(start=offset % WRAP_SECONDS)
        assert ends_of(*wrapped, stream=begun_before).end == pytest.approx(end + offset % WRAP_SECONDS, abs=0.0001), offset
    assert ends_of(*(picture(*each) for each in times), stream=VIDEO._replace(start=None)).end == pytest.approx(end, abs=0.0001)


@pytest.mark.parametrize(
    ("shown", "slide"),
    [
        pytest.param((1.0, 1.04, 1.08), None, id="a video"),
        pytest.param((1.0, 2.0, 3.0), None, id="a second apart"),
        pytest.param((1.0, 2.01, 3.02), Slide(3.02, 1.01, is_even=True), id="just more than a second apart"),
        pytest.param((5.0, 1.0, 3.0), Slide(5.0, 2.0, is_even=True), id="in another order"),
        pytest.param((1.0, 3.0, 5.15), Slide(5.15, 2.0, is_even=True), id="hardly unevenly"),
        pytest.param((1.0, 3.0, 5.25), Slide(5.25, 2.0), id="unevenly by more than a tenth"),
        pytest.param((1.0, 3.0), Slide(3.0, 2.0), id="two"),
        pytest.param((1.0, 3.0, 8.0), Slide(8.0, 2.0), id="the nearer of two distances"),
        pytest.param((1.0,), Slide(1.0, None), id="one"),
    ],
)
def test_pictures_that_are_shown_for_more_than_a_second_are_slides(shown: tuple[float, ...], slide: Slide | None) -> None:
    for offset, stream in ((0.0, VIDEO), (0.0, VIDEO._replace(start=None)), (WRAP_SECONDS - 2.5, VIDEO._replace(start=WRAP_SECONDS - 1.5))):
        found = ends_of(*(picture(each + offset, offset) for each in shown), stream=stream).slide
        assert (found is None) == (slide is None)
        if found and slide:
            assert found.start == pytest.approx(slide.start + offset, abs=0.0001)
            assert (found.apart or 0.0) == pytest.approx(slide.apart or 0.0)
            assert ((found.apart is None), found.is_even) == ((slide.apart is None), slide.is_even)


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_audio_ends_with_the_frames_of_its_last_packet_that_has_a_time(frames: int) -> None:
    last = sound(1.5, frames)
    found = ends_of(sound(1.0, 7), last, stream=AUDIO)
    assert found == StreamEnd(Medium.AUDIO, found.end, is_unfinished=False)
    assert found.end == pytest.approx(1.5 + frames * FRAME)
    untimed = unit(b"\0\0\1\xc0\0\0\x80\0\0" + ADTS * 5, AUDIO_PID)
    assert ends_of(sound(1.0, 7), last, untimed, stream=AUDIO).end == pytest.approx(1.5 + frames * FRAME)
    assert ends_of(sound(0.0, 2), stream=AUDIO._replace(start=None)).end == pytest.approx(2 * FRAME)
    late = AUDIO._replace(start=WRAP_SECONDS - 0.25)
    assert ends_of(sound(WRAP_SECONDS, 2), stream=late).end == pytest.approx(WRAP_SECONDS + 2 * FRAME)


def announcing(data: bytes, more: int) -> bytes:
    """Return a PES packet that says that it is so many bytes longer than it is."""
    return data[:4] + (len(data) - 6 + more).to_bytes(2) + data[6:]


FULL, STUFFED = (pes(CLOCK_HZ, bytes(size)) for size in (184 * 2 - 14, 200))


@pytest.mark.parametrize(
    ("last", "is_unfinished"),
    [
        pytest.param(FULL, True, id="full, of unknown length"),
        pytest.param(STUFFED, False, id="stuffed, of unknown length"),
        pytest.param(announcing(FULL, 0), False, id="full, as long as it says"),
        pytest.param(announcing(FULL, 1), True, id="full, and one byte is missing"),
        pytest.param(announcing(FULL, -1), False, id="full, one byte of them not its own"),
        pytest.param(announcing(STUFFED, 0), False, id="stuffed, as long as it says"),
        pytest.param(announcing(STUFFED, 1), True, id="stuffed, and one byte is missing"),
    ],
)
def test_a_stream_ends_inside_a_packet_that_is_shorter_than_it_says_or_full(last: bytes, *, is_unfinished: bool) -> None:
    other = sound(1.0, 1)
    assert ends_of(picture(0.9), unit(last), other).is_unfinished is is_unfinished
    assert ends_of(picture(0.9), unit(last), picture(1.1)).is_unfinished is False


def test_a_stream_without_a_time_ends_somewhere() -> None:
    for size, is_unfinished in ((184 - 9, True), (100, False), (2 * 184 - 9, True)):
        assert ends_of(unit(NO_TIME + bytes(size))) == StreamEnd(Medium.VIDEO, None, is_unfinished)


def split_unit(data: bytes, *sizes: int) -> bytes:
    """Return a PES packet whose first transport packets have so many bytes of it."""
    first = sum(sizes)
    edges = [0, *(sum(sizes[: number + 1]) for number in range(len(sizes))), *range(first + 184, len(data), 184), len(data)]
    parts = [data[at:end] for at, end in pairwise(edges)]
    return b"".join(packet(VIDEO_PID, part, starts=not number) for number, part in enumerate(parts))


@pytest.mark.parametrize("sizes", [(), (14,), (13,), (5,), (1,), (1, 12), (2, 3), (9, 5)])
def test_a_header_may_lie_in_three_packets(sizes: tuple[int, ...]) -> None:
    data = pes(CLOCK_HZ * 2, bytes(500))
    assert ends_of(split_unit(data, *sizes)).end == 2.0
    long_header = data[:8] + b"\xff" + data[9:14] + b"\xff" * 250 + bytes(300)
    assert ends_of(split_unit(long_header)).end == 2.0, "as long as may be"


def test_what_begins_as_no_pes_packet_does_has_no_time() -> None:
    other = unit(b"\0\0\2" + pes(5 * CLOCK_HZ, bytes(50))[3:])
    assert ends_of(picture(1.0), picture(1.04), other).end == pytest.approx(1.08)
    assert ends_of(other) == StreamEnd(Medium.VIDEO, None, is_unfinished=False)


def test_each_first_stream_that_begins_in_the_bytes_has_an_end() -> None:
    second = Stream(Medium.AUDIO, "aac", 0x102, 1.0)
    probe = BOTH._replace(streams=(second._replace(medium=Medium.VIDEO, id=0x103), *BOTH.streams, second))
    found = transport_stream_ends(picture(1.0) + sound(1.0, 1), BOTH)
    assert [each.medium for each in found] == [Medium.VIDEO, Medium.AUDIO]
    assert [each.medium for each in transport_stream_ends(sound(1.0, 1), BOTH)] == [Medium.AUDIO]
    assert [each.medium for each in transport_stream_ends(picture(1.0) + sound(1.0, 1), probe)] == [Medium.AUDIO]
    assert transport_stream_ends(picture(1.0, size=300)[PACKET_BYTES:], BOTH) == []
    assert transport_stream_ends(b"", BOTH) == []


@pytest.mark.parametrize(("first", "end"), [(0, 1.08), (1, 1.08), (2, 1.08), (3, 1.04), (4, 1.04), (5, None)])
def test_only_packets_that_begin_behind_a_place_count(first: int, end: float | None) -> None:
    """Each of these pictures has two transport packets."""
    data = b"".join(picture(each, size=300) for each in (0.96, 1.0, 1.04))
    found = packet_ends(PacketColumns(data, 0, 6), [VIDEO], first=first)
    assert [each.end for each in found] == ([] if end is None else [pytest.approx(end)])


def test_media_whose_packets_begin_after_a_map() -> None:
    """With the map in between, they are known; the audio of another program is not."""
    alone = {Medium.VIDEO: picture(1.0), Medium.AUDIO: sound(1.0, 1)}
    for medium, packets in alone.items():
        assert media_at_end(TABLES + packets) == media_at_end(packets + TABLES) == {medium}
    assert media_at_end(TABLES + picture(1.0) + sound(1.0, 1)) == frozenset(Medium)
    assert media_at_end(TABLES + picture(1.0, size=300)[PACKET_BYTES:]) == frozenset()
    assert media_at_end(picture(1.0)) == media_at_end(b"") == media_at_end(bytes(3000)) == frozenset()


@pytest.mark.parametrize("cut", [0, 1, 100, 187])
@pytest.mark.parametrize("trailer", [b"", b"\xff" * 30])
def test_packets_are_found_wherever_the_bytes_begin(cut: int, trailer: bytes) -> None:
    data = b"".join(picture(1.0 + number / 25) for number in range(6)) + trailer
    assert ends_of(data[cut:]).end == pytest.approx(1.24)
